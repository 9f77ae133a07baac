//! From the last frame of a validated ledger to the submission that follows from it, over real websockets.
//!
//! In every ledger there are 200 payments of strangers, all of them to accounts of the treasury or every tenth.
//! The hot account stays below its floor, so each ledger also brings in the last refill, which makes the daemon
//! decide on the next one: draft it, let the agent sign its rungs, record it and send it. A relay between daemon
//! and server notes when it has handed on the reply to `ledger`, and when `submit` comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, connect_async};
use treasury_core::Treasury;
use treasury_core::config::{AccountConfig, DeclaredSigners, Keeps, Signing, TicketConfig, Tier, TierLink};
use treasury_core::effect::{Derived, Opening, ReleaseInputs};
use treasury_core::input::RungSignatures;
use treasury_core::intent::Asker;
use treasury_core::policy::{Action, Policy, Rule};
use treasury_core::units::{AccountId, Asset, HexBytes, RippleTime, Weight};
use treasuryd::config::{Endpoint, NetworkConfig};
use treasuryd::driver::{self, Share, SignerPort};
use treasuryd::engine::Engine;
use treasuryd::ledger::{Port, Start};
use treasuryd::metrics::Metrics;
use treasuryd::signer::FirstPart;
use treasuryd::store::DiskStore;
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::typed::{self, EscrowCreate, SignerEntry, SignerListSet};
use xrpl_wire::{Amount, KeyPair, KeyType, Seed, SeqProxy, Transaction, TxBody, TxCommon, sign};

use crate::ground::{PAYERS, drops, ledger, payer, payment, treasury, watched};

const ACCOUNTS: u32 = 10_000;
const ESCROWS: u32 = 1_000;
const PER_LEDGER: u32 = 200;
const LEDGERS: u32 = 500;

fn key(number: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_entropy([number; 16], KeyType::Secp256k1))
}

fn warm() -> KeyPair {
    key(1)
}

fn hot() -> AccountId {
    key(2).account_id()
}

fn agent() -> KeyPair {
    key(3)
}

/// Warm keeps hot filled, by small moves that the agent may sign.
fn declared() -> Treasury {
    let mut treasury = treasury(ACCOUNTS);
    let account = |name: &str, tier, signing, signers| AccountConfig {
        name: name.to_owned(),
        tier,
        signing,
        signers,
        settings: Default::default(),
    };
    let list = DeclaredSigners { quorum: Weight(1), entries: BTreeMap::from([(agent().account_id(), 1)]) };
    let from = warm().account_id();
    treasury.accounts.insert(from, account("warm", Tier::Warm, Signing::Multi, Some(list)));
    treasury.accounts.insert(hot(), account("hot", Tier::Board, Signing::Single, None));
    treasury.agents = BTreeSet::from([agent().account_id()]);
    treasury.tickets = TicketConfig { low_water: 20, target: 200 };
    treasury.links = vec![TierLink {
        name: "warm to hot".to_owned(),
        from,
        to: hot(),
        asset: Asset::Xrp,
        keeps: Keeps::Filled {
            floor: drops(1_000_000_000_000).into(),
            target: drops(1_000_000_000_000).into(),
        },
        source_floor: drops(0).into(),
        move_min: drops(0).into(),
        move_max: drops(1).into(),
        period_max: drops(1_000_000_000_000).into(),
        period_seconds: 86_400,
        limits: Vec::new(),
        hours: None,
    }];
    treasury.policy =
        Policy::new(vec![Rule { askers: Some(vec![Asker::Daemon]), ..Rule::new("refills", Action::Allow) }]);
    treasury
}

/// The agent's key, without a keystore around it.
struct Agent(KeyPair);

impl SignerPort for Agent {
    fn condition(&self, _: &ReleaseInputs) -> Result<Derived, String> {
        Err("no escrow is made here".to_owned())
    }

    fn conditions(&self, _: &ReleaseInputs) -> Result<Vec<Derived>, String> {
        Err("no escrow is made here".to_owned())
    }

    fn opening(&self, _: &ReleaseInputs) -> Result<Opening, String> {
        Err("no escrow is released here".to_owned())
    }

    fn first_part(&self, _: &ReleaseInputs) -> Result<FirstPart, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn first_parts(&self, _: &ReleaseInputs) -> Result<Vec<FirstPart>, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn first_part_of(&self, _: &ReleaseInputs) -> Result<FirstPart, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn opening_with(&self, _: &ReleaseInputs, _: &Share) -> Result<Opening, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn sign_as_agent(&self, signer: AccountId, rungs: &[HexBytes]) -> Result<RungSignatures, String> {
        let sign = |rung: &HexBytes| {
            let tx = Transaction::decode(&rung.0).map_err(|error| error.to_string())?;
            let signed = sign::sign_for(&tx, signer, &self.0).map_err(|error| error.to_string())?;
            Ok(HexBytes(signed.signature))
        };
        let signatures = rungs.iter().map(sign).collect::<Result<_, String>>()?;
        let void_signatures = Vec::new();
        Ok(RungSignatures { signer, signing_pub_key: self.0.public_key(), signatures, void_signatures })
    }

    fn sign_single(
        &self,
        _: AccountId,
        _: &[HexBytes],
        _: Option<&Opening>,
    ) -> Result<Vec<HexBytes>, String> {
        Err("nothing is signed by one key here".to_owned())
    }
}

/// What the relay saw.
enum Seen {
    /// The reply to `ledger` has been handed on.
    Ledger(Instant),
    /// A submission came.
    Submit(Instant),
    /// Its reply has been handed on: the server has it.
    Taken,
}

async fn relay(client: TcpStream, server: String, seen: mpsc::UnboundedSender<Seen>) {
    client.set_nodelay(true).unwrap();
    let (mut to_client, mut from_client) = accept_async(client).await.unwrap().split();
    let (server, _) = connect_async(server).await.unwrap();
    let (mut to_server, mut from_server) = server.split();
    let mut asked: HashMap<u64, bool> = HashMap::new();
    loop {
        tokio::select! {
            message = from_client.next() => {
                let came = Instant::now();
                let Some(Ok(message)) = message else { return };
                if let Message::Text(text) = &message {
                    let frame: serde_json::Value = serde_json::from_str(text).unwrap();
                    let id = frame["id"].as_u64().unwrap();
                    match frame["command"].as_str().unwrap() {
                        "ledger" => { asked.insert(id, false); }
                        "submit" => {
                            asked.insert(id, true);
                            let _ = seen.send(Seen::Submit(came));
                        }
                        _ => {}
                    }
                }
                if to_server.send(message).await.is_err() { return }
            }
            message = from_server.next() => {
                let Some(Ok(message)) = message else { return };
                let id = match &message {
                    Message::Text(text) => {
                        let at = text.find("\"id\":").map(|at| at + 5);
                        at.and_then(|at| text[at..].split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
                    }
                    _ => None,
                };
                if to_client.send(message).await.is_err() { return }
                match id.and_then(|id: u64| asked.remove(&id)) {
                    Some(false) => { let _ = seen.send(Seen::Ledger(Instant::now())); }
                    Some(true) => { let _ = seen.send(Seen::Taken); }
                    None => {}
                }
            }
        }
    }
}

/// A SignerList, and escrows whose time does not come.
fn prepare(server: &EmbeddedServer) {
    let account = warm().account_id();
    let send = |sequence: u32, body: TxBody| {
        let common = TxCommon::new(account, SeqProxy::Sequence(sequence), drops(10));
        let tx = sign::sign_single(&typed::build(&common, &body).unwrap(), &warm()).unwrap();
        let outcome = server.submit(&tx);
        assert_eq!(outcome.result.name(), "tesSUCCESS");
    };
    let entry = SignerEntry { account: agent().account_id(), weight: 1 };
    send(1, TxBody::SignerListSet(SignerListSet { quorum: 1, entries: vec![entry] }));
    server.close_ledger();
    for number in 0..ESCROWS {
        send(
            2 + number,
            TxBody::EscrowCreate(EscrowCreate {
                destination: watched(number),
                destination_tag: None,
                amount: Amount::Xrp(drops(1_000)),
                condition: None,
                finish_after: Some(RippleTime(1_500_000_000)),
                cancel_after: None,
            }),
        );
        if number % PER_LEDGER == 0 {
            server.close_ledger();
        }
    }
    server.close_ledger();
}

async fn measure(one_in: u32, dir: &Path) -> Vec<Duration> {
    let accounts = [warm().account_id(), hot(), agent().account_id()];
    let server =
        EmbeddedServer::start_with(ledger(ACCOUNTS, &accounts), EmbeddedConfig::default()).await.unwrap();
    prepare(&server);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("ws://{}", listener.local_addr().unwrap());
    let (seen, mut saw) = mpsc::unbounded_channel();
    let url = server.ws_url();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, url.clone(), seen.clone()));
        }
    });

    let store = Box::new(DiskStore::open(dir).unwrap());
    let treasury = declared();
    let start = Start {
        watched: treasury.watched(),
        treasury: treasury.accounts.keys().copied().collect(),
        known: BTreeSet::new(),
        cursor: None,
        escrows: BTreeSet::new(),
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    let engine = Engine::start(treasury, store, metrics, Box::new(|fatal| panic!("{fatal}"))).unwrap();
    let mut network = NetworkConfig::new(vec![Endpoint::parse(&endpoint).unwrap()]);
    // The whole reading of 10,000 accounts has its own rhythm, once an hour.
    network.reread_ledgers = u32::MAX;
    let port = Port::spawn(network, start, engine.handle.inputs());
    let driver = driver::spawn(
        engine.effects,
        engine.handle.clone(),
        Arc::new(port.clone()),
        Arc::new(Agent(agent())),
        None,
    );
    let sees = async {
        while !engine.handle.query(|state, _| state.sees()).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), sees)
        .await
        .expect("it sees a ledger of its own machine at once");
    let standing = engine.handle.query(|state, _| state.standing.len()).await.unwrap();
    assert_eq!(standing, ESCROWS as usize);

    // The first Tickets, and the first moves.
    let mut paid = 0_u32;
    let mut taken = Vec::new();
    let mut ledgers = 0;
    while ledgers < LEDGERS + 10 {
        for _ in 0..PER_LEDGER {
            let to = if paid.is_multiple_of(one_in) {
                watched(paid.wrapping_mul(40_503) % ACCOUNTS)
            } else {
                payer((paid + 1) % PAYERS).account_id()
            };
            let blob = payment(paid, to);
            let tx = Transaction::decode(&blob).unwrap();
            assert_eq!(server.submit(&tx).result.name(), "tesSUCCESS");
            paid += 1;
        }
        while saw.try_recv().is_ok() {}
        server.close_ledger();
        let mut handed_on = None;
        loop {
            match saw.recv().await.unwrap() {
                Seen::Ledger(at) => handed_on = Some(at),
                Seen::Submit(at) => {
                    if let Some(handed_on) = handed_on.take() {
                        taken.push(at - handed_on);
                    }
                }
                Seen::Taken => break,
            }
        }
        ledgers += 1;
    }
    let moves = engine.handle.query(|state, _| {
        state.proposals.values().filter(|proposal| proposal.status.word() == "validated").count()
    });
    assert!(moves.await.unwrap() > LEDGERS as usize / 2, "it must have been decisions that were measured");
    port.shutdown().await;
    engine.handle.stop().await;
    driver.abort();
    server.shutdown().await;
    // Until the caches are warm and the pool of Tickets is there.
    taken.split_off(10)
}

pub(crate) fn run() {
    // Removed at the end: a disk that is told of freed space is slow for a while.
    let dir = tempfile::tempdir().unwrap();
    for one_in in [1, 10] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut taken = runtime.block_on(measure(one_in, &dir.path().join(one_in.to_string())));
        taken.sort_unstable();
        let at = |permille: usize| {
            taken[(taken.len() * permille / 1_000).min(taken.len() - 1)].as_secs_f64() * 1e3
        };
        println!(
            "| last frame of a ledger to the submission on the wire, {} ledgers, {} of 200 transactions concern \
             watched accounts | p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms | p99 ≤ 5 ms |",
            taken.len(),
            PER_LEDGER / one_in,
            at(500),
            at(990),
            at(1_000)
        );
    }
}
