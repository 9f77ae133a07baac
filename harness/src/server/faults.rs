//! Faults that tests ask for. None of them is the server's own.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::embedded::rpc::error::RpcError;

/// What goes wrong, on all sockets, until it is set otherwise. The default is that nothing does.
///
/// Serialized it is the parameters of `standalone_faults`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Faults {
    /// Sockets stay open and nothing is sent: no reply, no frame. What comes is still done.
    pub silent: bool,
    /// Every frame over a websocket, replies too, waits so long.
    #[serde(rename = "delay_ms", serialize_with = "milliseconds")]
    pub delay: Duration,
    /// The next so many ledgers close without a word to subscribers: a gap.
    pub skip_closes: u32,
    /// Every stream frame comes twice.
    pub duplicate_frames: bool,
    /// The transactions of a ledger come before its `ledgerClosed`, last one first.
    pub reorder_frames: bool,
    /// The next so many ledgers' frames are cut in half, so that they are no JSON.
    pub truncate_closes: u32,
    /// The next so many submissions are answered as if they had been taken, and are lost.
    pub swallow_submits: u32,
    /// The next so many submissions are done and never answered.
    pub lose_submit_replies: u32,
    /// Every submission is answered with this error, and not done.
    #[serde(serialize_with = "token")]
    pub refuse_submits: Option<RpcError>,
    /// Every request is answered with this error, and not done.
    #[serde(serialize_with = "token")]
    pub refuse_all: Option<RpcError>,
    /// The ledger is full: the way in costs so many times the usual fee, and what pays less waits until it costs less.
    /// 0 and 1 for the usual fee.
    pub fee_factor: u32,
    /// Ledgers below this index are lost; `complete_ledgers` says so.
    pub hide_history_below: u32,
    /// What the server shows as validated stays so many ledgers behind: its validated ledger stands still until
    /// then, and follows so far behind. Submissions reach the network at once. Set to less, it catches up.
    pub lag: u32,
    /// The ledger of this index is another than the network's, whole in itself, without transactions; the ledger
    /// after it names another parent. 0 for none.
    pub lie: u32,
    /// The next so many transactions that would be `tesSUCCESS` are `tecINVARIANT_FAILED` once their ledger closes:
    /// they look fine until then, pay their fee, and do nothing.
    pub claim_only: u32,
}

impl Faults {
    /// Takes one from a count; whether there was one.
    pub(super) fn take(count: &mut u32) -> bool {
        let there = *count > 0;
        *count = count.saturating_sub(1);
        there
    }
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn token<S: Serializer>(error: &Option<RpcError>, serializer: S) -> Result<S::Ok, S::Error> {
    error.map(RpcError::token).serialize(serializer)
}
