//! The port against the embedded ledger: real state behind the answers.

use treasury_core::observe::Change;
use treasury_core::units::{Drops, RippleTime, SeqProxy};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer, Faults};
use xrpl_wire::sign::sign_single;
use xrpl_wire::typed::{self, EscrowCreate, SignerEntry, SignerListSet, TicketCreate, TxBody, TxCommon};
use xrpl_wire::{Amount, KeyPair, KeyType, Seed, Transaction};

use super::*;
use crate::driver::Leave;

fn key(number: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_entropy([number; 16], KeyType::Ed25519))
}

fn drops(drops: u64) -> Drops {
    Drops::new(drops).unwrap()
}

fn signed(key: &KeyPair, sequence: u32, body: &TxBody) -> Transaction {
    let common = TxCommon::new(key.account_id(), SeqProxy::Sequence(sequence), drops(10));
    sign_single(&typed::build(&common, body).unwrap(), key).unwrap()
}

/// A server with the accounts of keys 1 and 2 on its ledger.
async fn server() -> EmbeddedServer {
    let server = EmbeddedServer::start(EmbeddedConfig::default()).await.unwrap();
    for number in [1, 2] {
        server.fund(&key(number).account_id(), drops(1_000_000_000)).unwrap();
    }
    server.close_ledger();
    server
}

fn start() -> Start {
    let treasury = key(1).account_id();
    Start { watched: [treasury, AccountId([9; 20])].into(), treasury: [treasury].into(), ..Start::default() }
}

fn sequence_of(accounts: &[AccountSnapshot], account: AccountId) -> u32 {
    let found = accounts.iter().find(|snapshot| snapshot.account == account).unwrap();
    found.root.unwrap().sequence
}

#[tokio::test]
async fn what_ledgers_say_of_an_account_is_what_reading_it_says() {
    let server = server().await;
    let owner = key(1);
    let account = owner.account_id();
    let mut port = spawn(network(&[&server.ws_url()]), start());
    let (at, accounts) = port.reconciled().await;
    assert_eq!(at.hash, server.validated().hash);
    assert!(
        accounts.iter().any(|snapshot| snapshot.account == AccountId([9; 20]) && snapshot.root.is_none())
    );
    let sequence = sequence_of(&accounts, account);

    let escrow = TxBody::EscrowCreate(EscrowCreate {
        destination: key(2).account_id(),
        destination_tag: Some(4),
        amount: Amount::Xrp(drops(7_000_000)),
        condition: None,
        finish_after: Some(RippleTime(at.close_time.0 + 100)),
        cancel_after: Some(RippleTime(at.close_time.0 + 200)),
    });
    let signers = TxBody::SignerListSet(SignerListSet {
        quorum: 2,
        entries: [3, 4].map(|number| SignerEntry { account: key(number).account_id(), weight: 1 }).to_vec(),
    });
    let bodies = [escrow, signers, TxBody::TicketCreate(TicketCreate { count: 3 })];
    for (body, sequence) in bodies.iter().zip(sequence..) {
        let tx = signed(&owner, sequence, body);
        let reply = port.handle.submit(tx.id(), &HexBytes(tx.encode()), Leave::default().permit()).await;
        assert_eq!(reply, SubmitReply::Engine("tesSUCCESS".to_owned()));
    }
    server.close_ledger();
    let ledger = port.ledger().await;
    assert_eq!(ledger.transactions.len(), 3);
    assert!(ledger.transactions.iter().all(|tx| tx.succeeded() && tx.account == account));

    // A port that knows nothing reads the same from the entries themselves.
    let mut other = spawn(network(&[&server.ws_url()]), start());
    let (_, read) = other.reconciled().await;
    let read = read.into_iter().find(|snapshot| snapshot.account == account).unwrap();
    let mut tickets = BTreeSet::new();
    for change in &ledger.changes {
        match change {
            Change::EscrowCreated { escrow } => {
                assert_eq!(read.escrows, std::slice::from_ref(escrow));
                assert_eq!(escrow.key, EscrowKey { owner: account, sequence });
            }
            Change::SignerList { list, .. } => assert_eq!(read.signer_list, *list),
            Change::TicketCreated { ticket, .. } => assert!(tickets.insert(*ticket)),
            Change::Root { .. } => {}
            Change::Settings { settings, .. } => assert_eq!(read.settings.as_ref(), Some(settings)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((read.tickets.len(), &read.tickets), (3, &tickets));
    let last = ledger.changes.iter().rev().find_map(|change| match change {
        Change::Root { account: of, root } if *of == account => Some(*root),
        _ => None,
    });
    assert_eq!(last, Some(read.root));
}

#[tokio::test]
async fn the_open_ledger_s_fee_comes_before_the_ledger_it_belongs_to() {
    let server = server().await;
    let mut port = spawn(network(&[&server.ws_url()]), start());
    port.reconciled().await;
    server.close_ledger();
    let mut inputs = Vec::new();
    while inputs.len() < 2 {
        inputs.push(tokio::time::timeout(PATIENCE, port.inputs.recv()).await.unwrap().unwrap());
    }
    assert!(matches!(inputs[0], Input::OpenLedgerFee { fee } if fee == drops(10)), "{:?}", inputs[0]);
    assert!(
        matches!(&inputs[1], Input::Ledger { observation, .. } if observation.fees.base_fee == drops(10))
    );
}

#[tokio::test]
async fn dropped_connections_leave_no_gap() {
    let server = server().await;
    let mut port = spawn(network(&[&server.ws_url()]), start());
    let (mut at, _) = port.reconciled().await;
    for _ in 0..3 {
        server.close_ledger();
        server.drop_connections();
        server.close_ledger();
        let wanted = server.validated().hash;
        while at.hash != wanted {
            match port.next().await {
                Input::Ledger { observation, .. } => {
                    assert_eq!(observation.parent_hash, at.hash);
                    at = observation.point;
                }
                Input::SightLost { .. } | Input::Reconciled { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_account_is_watched_from_when_it_was_asked_for() {
    let server = server().await;
    let mut port = spawn(network(&[&server.ws_url()]), start());
    port.reconciled().await;
    let asked = key(2).account_id();
    port.handle.reconcile(vec![asked]).await;
    let (at, accounts) = port.reconciled().await;
    assert_eq!((at.hash, accounts.len()), (server.validated().hash, 1));
    let before = accounts[0].root.unwrap().balance;
    server.fund(&asked, drops(5)).unwrap();
    server.close_ledger();
    let changes = port.ledger().await.changes;
    let Some(Change::Root { account, root: Some(root) }) = changes.first() else { panic!("{changes:?}") };
    assert_eq!((*account, root.balance), (asked, before.checked_add(drops(5)).unwrap()));
}

/// So many servers of one ledger.
async fn servers(count: usize) -> Vec<EmbeddedServer> {
    let first = server().await;
    let mut servers = Vec::new();
    for _ in 1..count {
        let config = EmbeddedConfig::default();
        servers.push(EmbeddedServer::start_with(first.snapshot(), config).await.unwrap());
    }
    servers.insert(0, first);
    servers
}

/// Each closes the next ledger, and all of them the same.
fn close(servers: &[EmbeddedServer]) -> Hash256 {
    let at = RippleTime(servers[0].validated().header.close_time.0 + 10);
    let hashes: Vec<Hash256> = servers.iter().map(|server| server.close_ledger_at(at).hash).collect();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    hashes[0]
}

fn of(servers: &[EmbeddedServer], read_quorum: usize) -> NetworkConfig {
    let urls: Vec<String> = servers.iter().map(EmbeddedServer::ws_url).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    NetworkConfig { read_quorum, ..network(&urls) }
}

#[tokio::test]
async fn of_three_servers_one_that_lies_about_a_ledger_is_left_out_and_nothing_stops() {
    let servers = servers(3).await;
    let mut port = spawn(of(&servers, 2), start());
    port.reconciled().await;
    let lie = servers[0].validated().header.index + 1;
    servers[2].set_faults(Faults { lie, ..Faults::default() });
    let truth = close(&servers);
    assert_eq!(port.ledger().await.point.hash, truth);
    // The two may have been heard before the third.
    let why = tokio::time::timeout(PATIENCE, async {
        loop {
            match port.handle.endpoints().swap_remove(2) {
                (server, Some(why)) => break (server, why),
                _ => tokio::task::yield_now().await,
            }
        }
    });
    let (server, why) = why.await.unwrap();
    assert_eq!(server, servers[2].ws_url());
    assert!(why.contains(&format!("for ledger {lie}, and 2 others {truth}")), "{why}");
    servers[2].set_faults(Faults::default());
    let next = close(&servers);
    assert_eq!(port.ledger().await.point.hash, next, "sight was never lost");
}

#[tokio::test]
async fn history_that_one_server_has_lost_comes_from_the_other() {
    let servers = servers(2).await;
    let closed = servers[0].validated();
    let cursor = LedgerPoint {
        index: treasury_core::units::LedgerIndex(closed.header.index),
        hash: closed.hash,
        close_time: closed.header.close_time,
    };
    let hashes: Vec<Hash256> = (0..5).map(|_| close(&servers)).collect();
    let hide_history_below = servers[0].validated().header.index;
    servers[0].set_faults(Faults { hide_history_below, ..Faults::default() });
    let mut port = spawn(of(&servers, 2), Start { cursor: Some(cursor), ..start() });
    for hash in &hashes {
        assert_eq!(port.ledger().await.point.hash, *hash);
    }
    // Lost in both of them, it is said.
    servers[1].set_faults(Faults { hide_history_below, ..Faults::default() });
    let mut port = spawn(of(&servers, 2), Start { cursor: Some(cursor), ..start() });
    let reason = port.sight_lost().await;
    let (first, last) = (cursor.index.plus(1), hide_history_below - 1);
    assert!(reason.starts_with(&format!("history is missing: ledgers {first}..{last} (")), "{reason}");
}
