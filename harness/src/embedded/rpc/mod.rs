//! The server's methods as functions over the ledger.
//!
//! Nothing here knows a socket: [`handle`] takes a ledger, a [`Request`] and the few things a server
//! knows beside its ledger ([`ServerFacts`]), and answers an [`Outcome`]. Reading methods see
//! `&Ledger`; only `submit`, `submit_multisigned` and `ledger_accept` change it, and what they change
//! comes back as [`Effects`] for whoever serves subscribers.

mod absent;
mod account;
mod account_tx;
mod autofill;
mod book;
mod book_changes;
mod channels;
mod definitions;
mod deposit;
mod english;
mod entry;
pub mod error;
mod flag_tables;
mod followed;
mod found;
mod funds;
mod holdings;
mod keys;
mod ledger;
mod ledger_entry;
mod objects;
mod offers;
pub mod params;
mod parsed;
mod path_find;
mod payment;
mod proposal;
mod queue;
pub mod request;
mod secret;
mod select;
mod server;
mod sign;
mod simulate;
pub mod stream;
mod submission;
pub mod subscribe;
pub mod text;
mod tx;
mod tx_json;

use std::sync::Arc;

use serde_json::{Map, Value};
use xrpl_wire::{RippleTime, Transaction, TxResult};

use self::error::{Failure, RpcError, RpcResult};
use self::params::Params;
pub use self::request::{HttpRefusal, Request, Transport};
pub use self::select::ledger_one;
pub use self::subscribe::Subscription;
use super::{CloseTime, ClosedLedger, Ledger, OpenTx, SubmitOutcome};

/// What a server knows beside its ledger.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// The first ledger it says it holds.
    pub first_ledger: u32,
    /// Ledger 1, which the ledger itself begins after; see [`ledger_one`].
    pub ledger_one: Option<Arc<ClosedLedger>>,
    /// Ledgers below this index it has lost; 0 for none.
    pub hidden_below: u32,
    /// The network's number, if the server is configured with one; see [`ServerFacts::network_id`].
    pub network_id: Option<u32>,
    /// The ledger time of this moment.
    pub now: RippleTime,
    /// When `ledger_accept` closes.
    pub accept: CloseTime,
    /// Fresh random bytes, for `random` and `wallet_propose`.
    pub entropy: [u8; 32],
    /// The ports it listens on.
    pub ports: Vec<Port>,
}

/// A port that a server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// What it is for: `http` or `ws`.
    pub protocol: &'static str,
    /// Whether who calls there is an administrator.
    pub admin: bool,
}

impl Default for ServerFacts {
    fn default() -> Self {
        Self {
            uptime_seconds: 0,
            first_ledger: 1,
            ledger_one: None,
            hidden_below: 0,
            network_id: None,
            now: RippleTime(0),
            accept: CloseTime::Next,
            entropy: [0; 32],
            ports: Vec::new(),
        }
    }
}

impl ServerFacts {
    /// The network's number: that of a server that is not configured with one is 0.
    #[must_use]
    pub fn network_id(&self) -> u32 {
        self.network_id.unwrap_or_default()
    }

    /// The first ledger it holds, counting what it has lost.
    #[must_use]
    pub fn first_held(&self) -> u32 {
        self.first_ledger.max(self.hidden_below)
    }
}

/// A transaction that the open ledger took, for those who subscribe to proposed transactions.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// The transaction.
    pub tx: Transaction,
    /// Its provisional result.
    pub result: TxResult,
    /// The open ledger's index.
    pub ledger_index: u32,
    /// What who makes an offer has of what it gives.
    pub owner_funds: Option<String>,
}

impl Proposed {
    fn now(ledger: &Ledger, tx: Transaction, result: TxResult, ledger_index: u32) -> Proposed {
        let open = ledger.open();
        let owner_funds = funds::of_offer(open.state(), open.fees(), &tx);
        Proposed { tx, result, ledger_index, owner_funds }
    }
}

/// What a request changed, for those who serve subscribers.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Ledgers closed, in order.
    pub closed: Vec<Arc<ClosedLedger>>,
    /// Transactions that the open ledger took, in order.
    pub proposed: Vec<Proposed>,
    /// What became of everything that was submitted.
    pub submitted: Vec<Arc<SubmitOutcome>>,
}

/// What a method that changes the ledger has beside it.
pub(crate) struct Change<'a> {
    effects: &'a mut Effects,
}

impl Change<'_> {
    fn submit(&mut self, ledger: &mut Ledger, blob: &[u8], fail_hard: bool) -> SubmitOutcome {
        submit(ledger, blob, fail_hard, self.effects)
    }
}

/// Submits a transaction to the ledger, and notes what subscribers want to know.
pub fn submit(ledger: &mut Ledger, blob: &[u8], fail_hard: bool, effects: &mut Effects) -> SubmitOutcome {
    let outcome = ledger.submit_as(blob, fail_hard);
    if let (true, Some(tx)) = (outcome.applied, &outcome.tx) {
        let ledger_index = ledger.open().index();
        effects.proposed.push(Proposed::now(ledger, tx.clone(), outcome.result, ledger_index));
    }
    effects.submitted.push(Arc::new(outcome.clone()));
    outcome
}

/// Asks so many times the usual fee of the ledger from now on, and notes who is let in by that.
pub fn set_load_factor(ledger: &mut Ledger, factor: u32, effects: &mut Effects) {
    let ledger_index = ledger.open().index();
    let let_in = ledger.set_load_factor(factor);
    let proposed = |tx: OpenTx| Proposed::now(ledger, tx.tx().clone(), tx.result, ledger_index);
    effects.proposed.extend(let_in.into_iter().map(proposed));
}

/// What a method answered.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The fields of the result, or the failure.
    pub result: RpcResult,
    /// What changed.
    pub effects: Effects,
}

/// One call as a handler sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) params: Params<'a>,
    pub(crate) api_version: u32,
    pub(crate) admin: bool,
    pub(crate) ws: bool,
    pub(crate) facts: &'a ServerFacts,
}

type Reader = for<'a> fn(&'a Ledger, &Call<'a>) -> RpcResult;
type Writer = fn(&mut Ledger, &Call<'_>, &mut Change<'_>) -> RpcResult;
type Subscriber = for<'a> fn(&'a Ledger, &Call<'a>, &mut Subscription) -> RpcResult;
type Finder = for<'a> fn(&'a Ledger, &Call<'a>, Option<&mut Subscription>) -> RpcResult;

#[derive(Clone, Copy)]
enum Handler {
    Read(Reader),
    Write(Writer),
    Subscribe(Subscriber),
    /// Subscribes too, and has its own word for a transport that cannot.
    Find(Finder),
}

struct Method {
    name: &'static str,
    admin: bool,
    /// The last API version that has the method.
    last_version: u32,
    handler: Handler,
}

const fn read(name: &'static str, reader: Reader) -> Method {
    Method { name, admin: false, last_version: 2, handler: Handler::Read(reader) }
}

const fn write(name: &'static str, writer: Writer) -> Method {
    Method { name, admin: false, last_version: 2, handler: Handler::Write(writer) }
}

const METHODS: &[Method] = &[
    read("account_channels", channels::account_channels),
    read("account_currencies", account::account_currencies),
    read("account_info", account::account_info),
    read("account_lines", account::account_lines),
    read("account_nfts", absent::account_nfts),
    read("account_objects", objects::account_objects),
    read("account_offers", offers::account_offers),
    read("account_tx", account_tx::account_tx),
    read("amm_info", absent::amm_info),
    read("book_changes", book_changes::book_changes),
    read("book_offers", book::book_offers),
    read("channel_authorize", channels::channel_authorize),
    read("channel_verify", channels::channel_verify),
    read("deposit_authorized", deposit::deposit_authorized),
    read("feature", server::feature),
    read("fee", server::fee),
    read("gateway_balances", holdings::gateway_balances),
    read("ledger", ledger::ledger),
    Method {
        name: "ledger_accept",
        admin: true,
        last_version: 2,
        handler: Handler::Write(submission::ledger_accept),
    },
    read("ledger_closed", ledger::ledger_closed),
    read("ledger_current", ledger::ledger_current),
    read("ledger_data", ledger::ledger_data),
    read("ledger_entry", ledger_entry::ledger_entry),
    Method {
        name: "ledger_header",
        admin: false,
        last_version: 1,
        handler: Handler::Read(ledger::ledger_header),
    },
    read("manifest", absent::manifest),
    read("noripple_check", holdings::noripple_check),
    Method { name: "path_find", admin: false, last_version: 2, handler: Handler::Find(path_find::path_find) },
    read("ping", server::ping),
    read("random", server::random),
    read("ripple_path_find", path_find::ripple_path_find),
    read("server_definitions", definitions::server_definitions),
    read("server_info", server::server_info),
    read("server_state", server::server_state),
    read("sign", sign::sign),
    read("sign_for", sign::sign_for),
    read("simulate", simulate::simulate),
    write("submit", submission::submit),
    write("submit_multisigned", submission::submit_multisigned),
    Method {
        name: "subscribe",
        admin: false,
        last_version: 2,
        handler: Handler::Subscribe(subscribe::subscribe),
    },
    read("transaction_entry", found::transaction_entry),
    read("transaction_proposal", proposal::transaction_proposal),
    read("tx", tx::tx),
    Method { name: "tx_history", admin: false, last_version: 1, handler: Handler::Read(found::tx_history) },
    Method {
        name: "unsubscribe",
        admin: false,
        last_version: 2,
        handler: Handler::Subscribe(subscribe::unsubscribe),
    },
    read("version", server::version),
    Method {
        name: "wallet_propose",
        admin: true,
        last_version: 2,
        handler: Handler::Read(server::wallet_propose),
    },
];

/// Whether a method changes the ledger, so that [`handle`] needs it exclusively.
#[must_use]
pub fn changes_ledger(method: &str) -> bool {
    METHODS.iter().any(|entry| entry.name == method && matches!(entry.handler, Handler::Write(_)))
}

/// Whether a method leaves something with the socket that it came by, so that [`handle_read`] needs its subscription.
#[must_use]
pub fn subscribes(method: &str) -> bool {
    let with_socket = |handler| matches!(handler, Handler::Subscribe(_) | Handler::Find(_));
    METHODS.iter().any(|entry| entry.name == method && with_socket(entry.handler))
}

/// Whether a method is an administrator's.
#[must_use]
pub fn is_admin(method: &str) -> bool {
    METHODS.iter().any(|entry| entry.name == method && entry.admin)
}

/// The names of all methods, in alphabetical order.
pub fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|entry| entry.name)
}

/// Serves one request.
///
/// `subscription` is the socket's, and none for JSON-RPC, which cannot subscribe.
pub fn handle(
    ledger: &mut Ledger,
    subscription: Option<&mut Subscription>,
    request: &Request,
    facts: &ServerFacts,
) -> Outcome {
    let mut effects = Effects::default();
    let call = request.call(facts);
    let result = find(request).and_then(|method| match method.handler {
        Handler::Read(reader) => reader(ledger, &call),
        Handler::Write(writer) => writer(ledger, &call, &mut Change { effects: &mut effects }),
        Handler::Subscribe(subscriber) => subscribed(subscriber, ledger, subscription, &call),
        Handler::Find(finder) => finder(ledger, &call, subscription),
    });
    Outcome { result, effects }
}

/// Serves one request that changes nothing, with the ledger shared; a request that would change it is
/// answered `notSupported`. See [`changes_ledger`].
pub fn handle_read(
    ledger: &Ledger,
    subscription: Option<&mut Subscription>,
    request: &Request,
    facts: &ServerFacts,
) -> Outcome {
    let call = request.call(facts);
    let result = find(request).and_then(|method| match method.handler {
        Handler::Read(reader) => reader(ledger, &call),
        Handler::Write(_) => Err(RpcError::NotSupported.into()),
        Handler::Subscribe(subscriber) => subscribed(subscriber, ledger, subscription, &call),
        Handler::Find(finder) => finder(ledger, &call, subscription),
    });
    Outcome { result, effects: Effects::default() }
}

fn subscribed(
    subscriber: Subscriber,
    ledger: &Ledger,
    subscription: Option<&mut Subscription>,
    call: &Call<'_>,
) -> RpcResult {
    match subscription {
        Some(subscription) => subscriber(ledger, call, subscription),
        None => subscribe::by_url(call),
    }
}

fn find(request: &Request) -> Result<&'static Method, Failure> {
    // Over JSON-RPC the name stands outside of the parameters, and one inside must be the same.
    let differs = |name: &&Value| name.as_str() != Some(&request.method);
    if request.params.get("method").filter(differs).is_some() {
        return Err(RpcError::UnknownCommand.into());
    }
    let method = METHODS
        .iter()
        .find(|entry| entry.name == request.method && request.api_version <= entry.last_version)
        .ok_or(RpcError::UnknownCommand)?;
    if method.admin && !request.admin {
        return Err(match request.transport {
            Transport::Ws => RpcError::Forbidden,
            Transport::JsonRpc => RpcError::NoPermission,
        }
        .into());
    }
    Ok(method)
}

/// A result made of the given fields.
pub(crate) fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    // So few are put in one by one sooner than they are collected and sorted.
    let mut fields = Map::new();
    for (name, value) in pairs {
        fields.insert(name.to_owned(), value);
    }
    fields
}
