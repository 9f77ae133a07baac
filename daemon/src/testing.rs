//! A small treasury for tests: one warm account with two people and an agent as signers, one runner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use treasury_core::command::Propose;
use treasury_core::config::{
    AccountConfig, DeclaredSigners, FeeConfig, Person, Role, Signing, TicketConfig, Tier, Timing,
};
use treasury_core::input::RungSignatures;
use treasury_core::observe::{
    AccountSnapshot, LedgerObservation, LedgerPoint, NetworkFees, RootView, SignerListView,
};
use treasury_core::policy::{Action, Approvers, DestinationMatch, Policy, Rule};
use treasury_core::units::{AccountId, Drops, Hash256, HexBytes, LedgerIndex, RippleTime, Weight};
use treasury_core::{Actor, Command, Effect, Input, Treasury};
use xrpl_wire::{KeyPair, KeyType, Seed, Transaction};

use crate::engine::{Engine, EngineHandle, Fatal};
use crate::metrics::Metrics;
use crate::store::Store;

/// Compares a page of docs/reference with what the program says.
pub(crate) fn reference(file: &str, page: &str) {
    let path = recordings::repository().join("docs/reference").join(file);
    treasury_tools::manual::check(&path, page).unwrap();
}

pub(crate) const ALICE: u8 = 1;
pub(crate) const BOB: u8 = 2;
pub(crate) const AGENT: u8 = 3;

pub(crate) fn key(n: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_entropy([n; 16], KeyType::Ed25519))
}

pub(crate) fn signer(n: u8) -> AccountId {
    key(n).account_id()
}

pub(crate) fn warm() -> AccountId {
    AccountId([100; 20])
}

pub(crate) fn runner() -> AccountId {
    signer(101)
}

pub(crate) fn exchange() -> AccountId {
    AccountId([200; 20])
}

pub(crate) fn xrp(n: u64) -> Drops {
    Drops::new(n * 1_000_000).unwrap()
}

pub(crate) fn token_of(person: &str) -> String {
    format!("token of {person}")
}

pub(crate) fn tokens() -> BTreeMap<String, [u8; 32]> {
    ["alice", "bob", "sue", "adam"]
        .into_iter()
        .map(|person| (person.to_owned(), Sha256::digest(token_of(person).as_bytes()).into()))
        .collect()
}

/// Payments up to 100 XRP to the exchange want both people; larger ones go through an escrow; strangers
/// get nothing.
pub(crate) fn treasury() -> Treasury {
    let person = |name: &str, signer: Option<AccountId>, roles: &[Role]| {
        let roles = roles.iter().copied().collect();
        (name.to_owned(), Person { name: name.to_owned(), signer, roles, drill_seconds: None })
    };
    let approvers = Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    };
    let rule = |name: &str, amount_above, amount_max, action| Rule {
        destination: Some(DestinationMatch::Known),
        amount_above,
        amount_max,
        ..Rule::new(name, action)
    };
    let delay = Action::Delay { delay_seconds: 3_600, window_seconds: 3_600, approvers: approvers.clone() };
    Treasury {
        network_id: None,
        accounts: BTreeMap::from([
            (
                warm(),
                AccountConfig {
                    name: "warm".to_owned(),
                    tier: Tier::Warm,
                    signing: Signing::Multi,
                    signers: Some(DeclaredSigners { quorum: Weight(2), entries: entries() }),
                    settings: Default::default(),
                },
            ),
            (
                runner(),
                AccountConfig {
                    name: "runner".to_owned(),
                    tier: Tier::Runner,
                    signing: Signing::Single,
                    signers: None,
                    settings: Default::default(),
                },
            ),
        ]),
        people: BTreeMap::from([
            person("alice", Some(signer(ALICE)), &[Role::Proposer, Role::Approver]),
            person("bob", Some(signer(BOB)), &[Role::Approver]),
            person("sue", None, &[Role::Security]),
            person("adam", None, &[Role::Admin]),
        ]),
        agents: BTreeSet::from([signer(AGENT)]),
        runner: Some(runner()),
        destinations: BTreeMap::from([(exchange(), "exchange".to_owned())]),
        policy: Policy::new(vec![
            rule("small", None, Some(xrp(100).into()), Action::Approve(approvers)),
            rule("large", Some(xrp(100).into()), None, delay),
        ]),
        links: Vec::new(),
        schedules: Vec::new(),
        fees: FeeConfig::default(),
        tickets: TicketConfig { low_water: 0, target: 0 },
        timing: Timing::default(),
        severities: BTreeMap::new(),
        alarms: Default::default(),
        outlook: Default::default(),
        key_labels: Default::default(),
        screening: false,
        newcomers: Default::default(),
        new_escrows: Default::default(),
    }
}

fn entries() -> BTreeMap<AccountId, u16> {
    [ALICE, BOB, AGENT].into_iter().map(|n| (signer(n), 1)).collect()
}

/// Ledgers are of now, or a little later, by the host's clock: what is old gives no sight.
fn began() -> u32 {
    static BEGAN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *BEGAN.get_or_init(|| crate::clock::utc().0)
}

pub(crate) fn point(index: u32) -> LedgerPoint {
    LedgerPoint {
        index: LedgerIndex(index),
        hash: Hash256([u8::try_from(index % 251).unwrap(); 32]),
        close_time: RippleTime(began() + 4 * index),
    }
}

/// Everything watched, as it is at ledger 100. With it, sight is clear.
pub(crate) fn reconciled() -> Input {
    reconciled_at(100)
}

pub(crate) fn reconciled_at(index: u32) -> Input {
    let own = treasury().accounts;
    let accounts = treasury()
        .watched()
        .into_iter()
        .map(|account| AccountSnapshot {
            account,
            root: Some(RootView {
                balance: xrp(10_000),
                sequence: 50,
                owner_count: 6,
                flags: if account == warm() { 0x0010_0000 } else { 0 },
                regular_key: None,
                transfer_rate: Some(0),
            }),
            signer_list: (account == warm())
                .then(|| SignerListView { quorum: Weight(2), entries: entries() }),
            tickets: if account == warm() { (10..15).collect() } else { BTreeSet::new() },
            escrows: Vec::new(),
            // Of the treasury's own they are read, as the port does.
            trust_lines: own.contains_key(&account).then(BTreeMap::new),
            settings: None,
        })
        .collect();
    Input::Reconciled {
        at: point(index),
        accounts,
        from: "test".to_owned(),
        wall_ms: crate::clock::wall_ms(),
    }
}

/// What time the host says it is.
pub(crate) fn now() -> Input {
    Input::Tick { wall_ms: crate::clock::wall_ms(), utc: crate::clock::utc() }
}

/// Gives an engine sight of ledger 101, with its fees. Returns when that has been stored.
pub(crate) async fn look(engine: &EngineHandle) {
    engine.input(reconciled()).await.unwrap();
    engine.input(ledger(101)).await.unwrap();
    assert!(engine.query(|state, _| state.sees()).await.unwrap());
}

/// An empty ledger.
pub(crate) fn ledger(index: u32) -> Input {
    let observation = LedgerObservation {
        point: point(index),
        parent_hash: point(index - 1).hash,
        fees: NetworkFees {
            base_fee: Drops::new(10).unwrap(),
            reserve_base: xrp(1),
            reserve_inc: Drops::new(200_000).unwrap(),
        },
        transactions: Vec::new(),
        changes: Vec::new(),
        opaque: Vec::new(),
        unproven: false,
    };
    Input::Ledger { observation, wall_ms: crate::clock::wall_ms() }
}

pub(crate) fn actor(person: &str) -> Actor {
    Actor { person: person.to_owned(), origin: treasury_core::intent::Origin::Http }
}

pub(crate) fn pay(amount: Drops) -> Command {
    Command::Propose(Propose {
        account: warm(),
        destination: exchange(),
        destination_tag: Some(7),
        amount: amount.into(),
        note: "invoice 12".to_owned(),
        deadline_seconds: None,
        idempotency_key: None,
        inquiry: Default::default(),
    })
}

pub(crate) fn freeze(reason: &str) -> Command {
    Command::Freeze { account: Some(warm()), reason: reason.to_owned() }
}

/// Signatures over every rung.
pub(crate) fn signatures(n: u8, rungs: &[HexBytes]) -> RungSignatures {
    let key = key(n);
    let signatures = rungs
        .iter()
        .map(|rung| {
            let tx = Transaction::decode(&rung.0).unwrap();
            HexBytes(xrpl_wire::sign::sign_for(&tx, key.account_id(), &key).unwrap().signature)
        })
        .collect();
    RungSignatures {
        signer: key.account_id(),
        signing_pub_key: key.public_key(),
        signatures,
        void_signatures: Vec::new(),
    }
}

/// What an engine said when it stopped by itself.
pub(crate) type Fatals = Arc<Mutex<Vec<Fatal>>>;

/// An engine on a store, and what it dies of.
pub(crate) fn engine(store: impl Store + 'static) -> (Engine, Arc<Metrics>, Fatals) {
    let metrics = Arc::new(Metrics::new().unwrap());
    let fatals = Fatals::default();
    let told = Arc::clone(&fatals);
    let on_fatal = Box::new(move |fatal| told.lock().unwrap().push(fatal));
    let engine = Engine::start(treasury(), Box::new(store), Arc::clone(&metrics), on_fatal).unwrap();
    // As the driver does at once.
    engine.handle.inputs().try_send(now()).unwrap();
    (engine, metrics, fatals)
}

/// Takes every effect off the engine and carries none out.
pub(crate) fn carry_nothing_out(engine: &mut Engine) -> tokio::task::JoinHandle<Vec<Effect>> {
    let (_, empty) = tokio::sync::mpsc::channel(1);
    let mut effects = std::mem::replace(&mut engine.effects, empty);
    tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(effect) = effects.recv().await {
            all.push(effect);
        }
        all
    })
}
