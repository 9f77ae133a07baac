//! The replies of the ledger server, as far as they are read. They are parsed here, once.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use treasury_core::input::SubmitReply;
use treasury_core::observe::NetworkFees;
use treasury_core::units::{AccountId, Drops, Hash256, HexBytes, LedgerIndex};

use super::error::{Trouble, malformed};
use super::transport::Body;

/// A validated ledger as `subscribe` and `ledgerClosed` announce it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Announced {
    pub(super) ledger_index: u32,
    pub(super) ledger_hash: Hash256,
    fee_base: u64,
    reserve_base: u64,
    reserve_inc: u64,
    pub(super) network_id: Option<u32>,
    /// What the server has, as it writes ranges.
    pub(super) validated_ledgers: Option<String>,
}

impl Announced {
    /// Reads a `ledgerClosed` frame, or the result of `subscribe`.
    ///
    /// # Errors
    /// Which field is missing or is not what it should be.
    pub fn from_json(json: Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(json)
    }

    pub(super) fn index(&self) -> LedgerIndex {
        LedgerIndex(self.ledger_index)
    }

    /// `None` for sums that no ledger can have.
    pub(super) fn fees(&self) -> Option<NetworkFees> {
        Some(NetworkFees {
            base_fee: Drops::new(self.fee_base).ok()?,
            reserve_base: Drops::new(self.reserve_base).ok()?,
            reserve_inc: Drops::new(self.reserve_inc).ok()?,
        })
    }
}

/// The reply to `ledger` with binary transactions.
#[derive(Debug, Deserialize)]
pub(super) struct LedgerReply {
    pub(super) ledger: LedgerData,
    pub(super) ledger_hash: Hash256,
    #[serde(default)]
    pub(super) validated: bool,
}

/// The header and the transactions.
#[derive(Debug, Deserialize)]
pub(super) struct LedgerData {
    pub(super) ledger_data: HexBytes,
    #[serde(default)]
    pub(super) transactions: Vec<TxData>,
}

/// A transaction and its metadata.
#[derive(Debug, Deserialize)]
pub(super) struct TxData {
    pub(super) tx_blob: HexBytes,
    #[serde(alias = "meta")]
    pub(super) meta_blob: HexBytes,
}

/// The reply to `account_tx` in binary: one page.
#[derive(Debug, Deserialize)]
pub(super) struct AccountTx {
    pub(super) ledger_index_min: u32,
    pub(super) ledger_index_max: u32,
    pub(super) transactions: Vec<AccountTxData>,
    pub(super) marker: Option<Value>,
}

/// A transaction and where it is.
#[derive(Debug, Deserialize)]
pub(super) struct AccountTxData {
    pub(super) ledger_index: u32,
    #[serde(default)]
    pub(super) validated: bool,
    pub(super) tx_blob: HexBytes,
    #[serde(alias = "meta")]
    pub(super) meta_blob: HexBytes,
}

/// The reply to `account_info`.
#[derive(Debug, Deserialize)]
pub(super) struct AccountInfo {
    pub(super) account_data: Value,
    pub(super) ledger_index: Option<u32>,
    pub(super) ledger_hash: Option<Hash256>,
}

/// The reply to `account_objects`: one page.
#[derive(Debug, Deserialize)]
pub(super) struct AccountObjects {
    pub(super) account_objects: Vec<Value>,
    pub(super) marker: Option<Value>,
    pub(super) ledger_index: Option<u32>,
    pub(super) ledger_hash: Option<Hash256>,
}

/// The reply to `tx` in binary. Version 2 calls it `tx_blob`, version 1 `tx`.
#[derive(Debug, Deserialize)]
pub(super) struct TxReply {
    #[serde(alias = "tx")]
    pub(super) tx_blob: HexBytes,
}

#[derive(Deserialize)]
struct FeeReply {
    drops: FeeDrops,
}

#[derive(Deserialize)]
struct FeeDrops {
    open_ledger_fee: String,
}

#[derive(Deserialize)]
struct SubmitResult {
    engine_result: String,
    tx_json: Option<SubmitTx>,
    hash: Option<Hash256>,
}

#[derive(Deserialize)]
struct SubmitTx {
    hash: Option<Hash256>,
}

/// Reads a reply.
pub(super) fn parse<T: DeserializeOwned>(method: &'static str, reply: impl Into<Body>) -> Result<T, Trouble> {
    reply.into().read().map_err(|error| malformed(method, error))
}

/// The `open_ledger_fee`, in drops.
pub(super) fn open_ledger_fee(reply: Body) -> Result<Drops, Trouble> {
    let fee: FeeReply = parse("fee", reply)?;
    fee.drops.open_ledger_fee.parse().map_err(|error| malformed("fee", error))
}

/// What a server said of a submitted transaction.
pub(super) fn submit(reply: Body, tx_id: Hash256) -> SubmitReply {
    let Ok(result) = reply.read::<SubmitResult>() else {
        return SubmitReply::Unknown("the reply to `submit` has no engine_result".to_owned());
    };
    // An answer about another transaction says nothing about this one.
    let named = result.hash.or(result.tx_json.and_then(|tx| tx.hash));
    match named.filter(|hash| *hash != tx_id) {
        Some(other) => SubmitReply::Unknown(format!("the reply to `submit` is about {other}")),
        None if is_code(&result.engine_result) => SubmitReply::Engine(result.engine_result),
        None => SubmitReply::Unknown("the reply to `submit` has an engine_result that is no code".to_owned()),
    }
}

/// The longest result code and more; what is stored and told is no longer.
const CODE_MAX: usize = 64;

/// Whether it has the form of a result code.
fn is_code(text: &str) -> bool {
    (1..=CODE_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What an error in reply to `submit` means. Errors that speak of the server's own state pass; the rest
/// says nothing certain about the transaction, which may have come from elsewhere meanwhile.
pub(super) fn submit_refused(code: &str, message: &str) -> SubmitReply {
    let passing = [
        "slowDown",
        "tooBusy",
        "noNetwork",
        "noCurrent",
        "noClosed",
        "notReady",
        "notSynced",
        "amendmentBlocked",
        "expiredValidatorList",
        "failedToForward",
    ];
    let text = if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") };
    if passing.contains(&code) { SubmitReply::Busy(text) } else { SubmitReply::Unknown(text) }
}

/// Whether a server refuses because it is asked too much, and not because of what it is asked.
pub(super) fn is_busy(code: &str) -> bool {
    matches!(code, "slowDown" | "tooBusy")
}

/// Whether it says that it does not have the ledger.
pub(super) fn is_ledger_missing(code: &str) -> bool {
    code == "lgrNotFound"
}

/// Whether an account's error means that it is not on the ledger.
pub(super) fn is_account_missing(code: &str) -> bool {
    code == "actNotFound"
}

/// An account as request parameter.
pub(super) fn account_text(account: &AccountId) -> Value {
    Value::String(account.to_string())
}
