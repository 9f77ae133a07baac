//! Fetches what was agreed on, and asks for what nobody has said yet.

use futures_util::future::join;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use treasury_core::Input;
use treasury_core::units::{Hash256, LedgerIndex};
use xrpl_wire::LedgerHeader;

use super::error::Trouble;
use super::follow::{Follower, LAG_RETRY, Over};
use super::observe::observation;
use super::prove::{Proven, prove_header};
use super::reply::{self, LedgerReply};
use super::seat::Shared;
use super::server::Server;
use super::transport::{Body, RequestError};
use crate::config::Verify;

/// Ledgers and headers asked for ahead of need. Enough to hide the way to the server; each may be some
/// megabytes.
const AHEAD: usize = 8;

/// Headers read between two looks at what else has happened.
const HEADERS_AT_ONCE: usize = 256;

/// The proven header of a ledger.
pub(super) async fn header(server: &Server, index: LedgerIndex) -> Result<LedgerHeader, Trouble> {
    let params = json!({ "ledger_index": index.0, "binary": true });
    prove_header(index, &fetch(server, index, params).await?)
}

/// A server's word on which ledger is the validated one of an index. What else its header says is of no concern.
async fn word(server: &Server, index: LedgerIndex) -> Result<Hash256, Trouble> {
    match header(server, index).await {
        Ok(header) => Ok(header.hash()),
        Err(Trouble::Unreadable { hash, .. }) => Ok(hash),
        Err(trouble) => Err(trouble),
    }
}

async fn fetch(server: &Server, index: LedgerIndex, params: Value) -> Result<LedgerReply, Trouble> {
    let reply = server.request_of_ledger("ledger", params).await.map_err(Trouble::about(index))?;
    reply::parse("ledger", reply)
}

/// A ledger with all its transactions, as the server gives it.
pub(super) async fn whole(server: Server, index: LedgerIndex) -> Result<LedgerReply, Trouble> {
    let params = json!({ "ledger_index": index.0, "transactions": true, "expand": true, "binary": true });
    fetch(&server, index, params).await
}

/// Asks endpoints for their word on ledgers that others have announced, until enough agree.
pub(super) async fn canvass(shared: &Shared, from: u32) {
    let unheard = shared.board(|board| board.unheard(from));
    let mut asked: FuturesUnordered<_> = unheard
        .into_iter()
        .map(async |(number, server, index)| (number, index, word(&server, LedgerIndex(index)).await))
        .collect();
    loop {
        tokio::select! {
            biased;
            said = asked.next() => match said {
                Some((number, index, Ok(hash))) => shared.board(|board| board.hear(number, index, hash)),
                // It is not worth its connection: others may do, and it speaks again with its next ledger.
                Some((number, index, Err(_))) => shared.board(|board| board.lacks(number, index)),
                None => return,
            },
            () = shared.changed.notified() => {}
        }
        if shared.board(|board| board.agreed(from).is_some() || board.must_look()) {
            return;
        }
    }
}

/// Asks everybody again about a ledger in dispute, until it is settled. Whether it is.
pub(super) async fn recount(shared: &Shared, index: u32) -> bool {
    let witnesses = shared.board(|board| board.witnesses(index));
    let mut asked: FuturesUnordered<_> = witnesses
        .into_iter()
        .map(async |(number, server)| (number, word(&server, LedgerIndex(index)).await))
        .collect();
    while let Some((number, said)) = asked.next().await {
        let settled = shared.board(|board| {
            if let Ok(hash) = said {
                board.hear(number, index, hash);
            }
            !board.is_disputed(index)
        });
        if settled {
            return true;
        }
    }
    false
}

impl Follower {
    /// Goes on with the chain. `false` where nobody can be asked at the moment.
    pub(super) async fn take_chain(&mut self) -> Result<bool, Over> {
        let (Some(cursor), Some((lowest, _))) = (self.cursor, self.chain.lowest()) else { return Ok(false) };
        let next = cursor.index.plus(1).0;
        if self.is_to_wait_with(lowest) {
            return Ok(false);
        }
        let Some((number, server)) = self.shared.board(|board| board.best(lowest)) else {
            self.try_again_within(LAG_RETRY);
            return Ok(false);
        };
        if lowest > next {
            self.descend(number, &server, lowest, next).await?;
            return Ok(true);
        }
        if self.network.verify == Verify::Headers && self.chain.len() > self.network.gap_ledgers {
            self.take_gap(number, &server).await?;
            return Ok(true);
        }
        self.take_whole(number, &server, next).await?;
        Ok(true)
    }

    /// Leads the chain further down towards the cursor.
    async fn descend(&mut self, number: usize, server: &Server, lowest: u32, next: u32) -> Result<(), Over> {
        let floor = LedgerIndex(next.saturating_sub(1));
        let wanted = (next.saturating_add(1)..=lowest).rev().take(HEADERS_AT_ONCE);
        let wanted: Vec<LedgerIndex> = self
            .shared
            .board(|board| {
                wanted.take_while(|index| board.end_of(number, *index).is_some()).collect::<Vec<_>>()
            })
            .into_iter()
            .map(LedgerIndex)
            .collect();
        let mut headers = stream::iter(wanted.into_iter().map(|index| header(server, index))).buffered(AHEAD);
        while let Some(header) = headers.next().await {
            let header = header.map_err(Over::of(number))?;
            // It may have come upon a way that is known.
            if self.chain.lowest().is_none_or(|(lowest, _)| lowest != header.index) {
                break;
            }
            self.check_hash(number, &header)?;
            self.chain.descend(&header, floor);
        }
        Ok(())
    }

    /// Whether this is the header of the chain's lowest ledger.
    pub(super) fn check_hash(&self, number: usize, header: &LedgerHeader) -> Result<(), Over> {
        let Some((_, wanted)) = self.chain.lowest() else { return Ok(()) };
        let found = header.hash();
        if found == wanted {
            return Ok(());
        }
        let index = LedgerIndex(header.index);
        // Whoever was agreed with has said otherwise: both are named.
        self.shared.board(|board| board.hear(number, index.0, found));
        Err(Over::Trouble(number, Trouble::Unproven { index, what: "its hash", wanted, found }))
    }

    /// Takes the chain's ledgers, each whole and proven, until something else has to be looked at.
    async fn take_whole(&mut self, number: usize, server: &Server, next: u32) -> Result<(), Over> {
        let Some((top, _)) = self.chain.highest() else { return Ok(()) };
        let Some(end) = self.shared.board(|board| board.end_of(number, next)) else { return Ok(()) };
        let wanted = (next..=top.min(end)).map(LedgerIndex);
        // Of what could not be read, no more is asked for than that.
        let ahead = if self.is_unreadable() { 1 } else { AHEAD };
        let mut ledgers = stream::iter(wanted.map(|index| whole(server.clone(), index))).buffered(ahead);
        loop {
            // What the successor of the present ledger costs is worth knowing, and is asked for beside it and
            // first, as the smaller one: a decision must wait for nothing behind the ledger.
            let present = self.chain.len() == 1;
            let ask = async { if present { Some(server.request("fee", json!({})).await) } else { None } };
            let (fee, Some(reply)) = join(ask, ledgers.next()).await else { return Ok(()) };
            let reply = reply.map_err(Over::of(number))?;
            let (Some(after), Some((index, hash)), Some(fees)) =
                (self.cursor, self.chain.lowest(), self.fees)
            else {
                return Ok(());
            };
            let proven = self.prover.prove(LedgerIndex(index), Some(hash), &after, reply, &self.watch);
            if let Err(Trouble::Unproven { what: "its hash", found, .. }) = &proven {
                self.shared.board(|board| board.hear(number, index, *found));
            }
            let proven = proven.map_err(Over::of(number))?;
            let Proven { point, header, seen } = proven;
            let observation = observation(point, header.parent_hash, fees, seen);
            if let Some(fee) = fee {
                self.tell_open_ledger_fee(fee).await?;
            }
            if self.shared.board(|board| {
                board.credit(number);
                board.must_look()
            }) {
                return Ok(());
            }
            self.take(observation).await?;
        }
    }

    /// The fee is advice: a server that does not give it is still good for ledgers.
    async fn tell_open_ledger_fee(&self, reply: Result<Body, RequestError>) -> Result<(), Over> {
        match reply.map_err(Trouble::from).and_then(reply::open_ledger_fee) {
            Ok(fee) => Ok(self.send(Input::OpenLedgerFee { fee }).await?),
            Err(trouble) => {
                tracing::warn!(%trouble, "the fee of the open ledger is not known");
                Ok(())
            }
        }
    }
}
