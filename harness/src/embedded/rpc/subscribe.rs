//! `subscribe` and `unsubscribe`: what one socket wants to be told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use xrpl_wire::AccountId;

use super::book::Book;
use super::error::{Failure, RpcError, RpcResult};
use super::followed::Followed;
use super::params::{self, Params};
use super::path_find::Pursuit;
use super::select::View;
use super::{Call, book_changes, stream};
use crate::embedded::{ClosedTx, Ledger};

/// One socket may follow this many accounts; the server has no such limit, and nobody needs more.
const ACCOUNTS_MAX: usize = 50_000;

/// A stream one can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Each validated ledger.
    Ledger,
    /// Each transaction of each validated ledger.
    Transactions,
    /// The same, and each that the open ledger takes.
    TransactionsProposed,
    /// Accepted for the server's sake and never sent: changes of the server's state and load.
    Server,
    /// What each validated ledger's transactions took from order books.
    BookChanges,
    /// Accepted and never sent: consensus phases, of which a standalone ledger has none.
    Consensus,
    /// Accepted and never sent: validators' manifests.
    Manifests,
    /// Accepted and never sent: validators' validations.
    Validations,
    /// Accepted from an administrator and never sent: peers.
    PeerStatus,
}

impl Stream {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ledger" => Self::Ledger,
            "transactions" => Self::Transactions,
            "transactions_proposed" | "rt_transactions" => Self::TransactionsProposed,
            "server" => Self::Server,
            "book_changes" => Self::BookChanges,
            "consensus" => Self::Consensus,
            "manifests" => Self::Manifests,
            "validations" => Self::Validations,
            "peer_status" => Self::PeerStatus,
            _ => return None,
        })
    }
}

/// What one socket wants to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The version of the last `subscribe`: all its frames come in it. 0 before the first.
    pub api_version: u32,
    /// The streams.
    pub streams: BTreeSet<Stream>,
    /// The accounts whose validated transactions it wants.
    pub accounts: BTreeSet<AccountId>,
    /// The accounts whose proposed and validated transactions it wants.
    pub accounts_proposed: BTreeSet<AccountId>,
    /// The order books whose transactions it wants.
    pub books: BTreeSet<Book>,
    /// What `path_find` looks for on its behalf, until it says that it is done.
    pub(super) paths: Option<Pursuit>,
}

impl Subscription {
    /// Whether it wants nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
            && self.accounts.is_empty()
            && self.accounts_proposed.is_empty()
            && self.books.is_empty()
    }

    /// Whether a transaction touched one of its order books.
    #[must_use]
    pub fn follows_books_of(&self, tx: &ClosedTx) -> bool {
        !self.books.is_empty() && book_changes::books_of(tx).iter().any(|book| self.books.contains(book))
    }

    /// Whether it wants this stream.
    #[must_use]
    pub fn wants(&self, stream: Stream) -> bool {
        self.streams.contains(&stream)
    }
}

pub(super) fn subscribe<'a>(
    ledger: &'a Ledger,
    call: &Call<'a>,
    subscription: &mut Subscription,
) -> RpcResult {
    refuse_urls(call)?;
    subscription.api_version = call.api_version;
    let mut result = Map::new();
    for stream in streams(&call.params)? {
        let stream = stream?;
        if stream == Stream::PeerStatus && !call.admin {
            return Err(RpcError::NoPermission.into());
        }
        match stream {
            Stream::Ledger => result.extend(stream::ledger_now(ledger, call.facts)),
            Stream::Server => result.extend(server_now(call)),
            _ => {}
        }
        subscription.streams.insert(stream);
    }
    if let Some(accounts) = accounts(&call.params, proposed_name(&call.params))? {
        add(&mut subscription.accounts_proposed, accounts)?;
    }
    if let Some(accounts) = accounts(&call.params, "accounts")? {
        add(&mut subscription.accounts, accounts)?;
    }
    subscribe_books(ledger, call, subscription, &mut result)?;
    refuse_unserved(&call.params)?;
    Ok(result)
}

pub(super) fn unsubscribe(_: &Ledger, call: &Call<'_>, subscription: &mut Subscription) -> RpcResult {
    if call.params.has("url") {
        // No URL was ever subscribed, and to end that is no fault.
        return if call.admin { Ok(Map::new()) } else { Err(RpcError::NoPermission.into()) };
    }
    for stream in streams(&call.params)? {
        match stream? {
            // The server ends every stream but this one, which only goes with its socket.
            Stream::BookChanges => return Err(RpcError::StreamMalformed.into()),
            stream => _ = subscription.streams.remove(&stream),
        }
    }
    if let Some(accounts) = accounts(&call.params, proposed_name(&call.params))? {
        subscription.accounts_proposed.retain(|account| !accounts.contains(account));
    }
    if let Some(accounts) = accounts(&call.params, "accounts")? {
        subscription.accounts.retain(|account| !accounts.contains(account));
    }
    check_history(&call.params)?;
    for item in books(&call.params)? {
        let followed = Followed::read(item, None)?;
        subscription.books.remove(&followed.book);
        if followed.both() {
            subscription.books.remove(&followed.book.reversed());
        }
    }
    Ok(Map::new())
}

/// What who has no socket is answered: there is nobody to tell but a URL.
pub(super) fn by_url(call: &Call<'_>) -> RpcResult {
    let ends = call.params.get("command") == "unsubscribe";
    match call.params.has("url") {
        true if ends && call.admin => Ok(Map::new()),
        _ => refuse_urls(call).and(Err(RpcError::InvalidParams.into())),
    }
}

/// Callbacks to a URL are an administrator's feature that this server does not have.
fn refuse_urls(call: &Call<'_>) -> Result<(), Failure> {
    match (call.params.has("url"), call.admin) {
        (false, _) => Ok(()),
        (true, false) => Err(RpcError::NoPermission.into()),
        (true, true) => Err(RpcError::NotSupported.into()),
    }
}

/// Adds the order books asked for one by one, so that those before a wrong one are followed, and tells what is in them
/// to who wants to know.
fn subscribe_books(
    ledger: &Ledger,
    call: &Call<'_>,
    subscription: &mut Subscription,
    result: &mut Map<String, Value>,
) -> Result<(), Failure> {
    for item in books(&call.params)? {
        let followed = Followed::read(item, Some(ledger.rules().generation()))?;
        if subscription.books.len() >= ACCOUNTS_MAX {
            return Err(RpcError::SlowDown.into());
        }
        let (book, both) = (&followed.book, followed.both());
        subscription.books.insert(book.clone());
        if both {
            subscription.books.insert(book.reversed());
        }
        if !followed.wants_snapshot() {
            continue;
        }
        // The side that is named are the bids: who takes those gets what is asked for.
        let told = if both {
            vec![("bids", book.clone()), ("asks", book.reversed())]
        } else {
            vec![("offers", book.clone())]
        };
        let view = View::Closed(ledger.validated());
        for (name, book) in told {
            let offers = book.offers(&view, &followed.taker, SNAPSHOT_OFFERS);
            // What several books have stands in one list.
            match result.get_mut(name).and_then(Value::as_array_mut) {
                Some(list) => list.extend(offers),
                None => _ = result.insert(name.to_owned(), offers.into()),
            }
        }
    }
    Ok(())
}

/// Offers of each side of a book that a subscriber is told at once.
const SNAPSHOT_OFFERS: u32 = 60;

/// The order books that a request names.
fn books<'a>(params: &Params<'a>) -> Result<&'a [Value], Failure> {
    match params.get("books") {
        Value::Array(list) => Ok(list),
        Value::Null if !params.has("books") => Ok(&[]),
        _ => Err(RpcError::InvalidParams.into()),
    }
}

/// The history of an account is not served as a stream: better a refusal than silence.
fn refuse_unserved(params: &Params<'_>) -> Result<(), Failure> {
    let name = "account_history_tx_stream";
    if params.has(name) {
        let message = format!("'{name}' is not implemented by this ledger.");
        return Err(Failure::with_message(RpcError::NotImpl, message));
    }
    Ok(())
}

/// Who ends the history of an account names the account, though it never began.
fn check_history(params: &Params<'_>) -> Result<(), Failure> {
    let name = "account_history_tx_stream";
    if !params.has(name) {
        return Ok(());
    }
    let history = Params(params.get(name).as_object().ok_or(RpcError::InvalidParams)?);
    let named = history.get("account").as_str().and_then(params::account);
    let alone = "stop_history_tx_only";
    if named.is_none() || (history.has(alone) && !history.get(alone).is_boolean()) {
        return Err(RpcError::InvalidParams.into());
    }
    Ok(())
}

/// The named streams one by one, so that those before a wrong one take effect, as on the server.
fn streams<'a>(
    params: &Params<'a>,
) -> Result<impl Iterator<Item = Result<Stream, Failure>> + use<'a>, Failure> {
    let list: &[Value] = match params.get("streams") {
        Value::Array(list) => list,
        Value::Null if !params.has("streams") => &[],
        _ => return Err(RpcError::InvalidParams.into()),
    };
    Ok(list.iter().map(|name| {
        name.as_str().and_then(Stream::from_name).ok_or_else(|| RpcError::StreamMalformed.into())
    }))
}

fn proposed_name(params: &Params<'_>) -> &'static str {
    if params.has("accounts_proposed") { "accounts_proposed" } else { "rt_accounts" }
}

fn accounts(params: &Params<'_>, name: &str) -> Result<Option<BTreeSet<AccountId>>, Failure> {
    if !params.has(name) {
        return Ok(None);
    }
    let list = params.get(name).as_array().ok_or(RpcError::InvalidParams)?;
    let accounts: Option<BTreeSet<AccountId>> =
        list.iter().map(|account| account.as_str().and_then(params::account)).collect();
    match accounts {
        Some(accounts) if !accounts.is_empty() => Ok(Some(accounts)),
        _ => Err(RpcError::ActMalformed.into()),
    }
}

fn add(held: &mut BTreeSet<AccountId>, more: BTreeSet<AccountId>) -> Result<(), Failure> {
    if held.len().saturating_add(more.len()) > ACCOUNTS_MAX {
        return Err(RpcError::SlowDown.into());
    }
    held.extend(more);
    Ok(())
}

fn server_now(call: &Call<'_>) -> Map<String, Value> {
    super::fields([
        ("stand_alone", true.into()),
        ("random", hex::encode_upper(call.facts.entropy).into()),
        ("server_status", "full".into()),
        ("load_base", 256.into()),
        ("load_factor", 256.into()),
        ("hostid", "embedded".into()),
        ("pubkey_node", super::server::PUBKEY_NODE.into()),
    ])
}
