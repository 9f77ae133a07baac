//! Ledgers that hold what a later server puts into them, and replies that are not as they were: what cannot be read
//! is this program's matter. No server is left for it, and nothing is asked for over and over.

use serde_json::json;
use tokio::time::sleep;

use super::memory::{Net, Virtual};
use super::*;
use crate::ledger::error::Trouble;
use crate::ledger::prove::prove_header;
use crate::ledger::reply::{self, TxData};
use crate::ledger::vectors::{PAYEE, PAYER, account, later};
use treasury_core::observe::Change;
use treasury_core::units::LedgerIndex;

/// A port that watches one account, which is the treasury's.
fn watching(net: &Net, id: &str, closed: usize) -> Virtual {
    let treasury: BTreeSet<AccountId> = [account(id)].into();
    let start = Start { watched: treasury.clone(), treasury, ..net.from(closed) };
    net.spawn(net.config(1), start)
}

async fn observation(port: &mut Virtual) -> LedgerObservation {
    match port.next().await {
        Input::Ledger { observation, .. } => observation,
        other => panic!("not a ledger: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_stranger_puts_into_a_ledger_costs_no_sight() {
    let mut unframed = later!("payment_of_an_unknown_type");
    unframed.tx_blob.0.extend([0x01, 27, 9, 9]);
    let unframed_id = xrpl_wire::tree::transaction_id(&unframed.tx_blob.0);
    for (tx, opaque) in [
        (later!("payment_of_an_unknown_type"), false),
        (later!("payment_with_an_unknown_field"), false),
        (unframed, true),
    ] {
        let net = Net::new(1, "tickets", 2);
        net.put(3, &tx);
        let mut port = watching(&net, PAYEE, 1);
        assert_eq!(port.ledger().await, net.point(2));
        assert_eq!(port.reconciled().await, net.point(2));
        net.close();
        let seen = observation(&mut port).await;
        assert_eq!(seen.point, net.point(3));
        assert!(seen.changes.iter().any(|change| matches!(change, Change::Root { .. })));
        let names: Vec<_> = seen.opaque.iter().map(|tx| (tx.id, tx.accounts.clone())).collect();
        let wanted = opaque.then(|| (unframed_id, BTreeSet::from([account(PAYEE)])));
        assert_eq!(names, wanted.into_iter().collect::<Vec<_>>());
        net.close();
        assert_eq!(port.ledger().await, net.point(4));
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_s_entries_and_results_may_be_costs_no_sight() {
    for (tx, recipient) in [
        (later!("smart_escrow"), "002B848C22933AF6ABD0F7A6BFA0FB1E4F8F7373"),
        (later!("finish_that_fails_with_201"), "002B848C22933AF6ABD0F7A6BFA0FB1E4F8F7373"),
    ] {
        let net = Net::new(1, "tickets", 2);
        net.put(3, &tx);
        let mut port = watching(&net, recipient, 2);
        assert_eq!(port.reconciled().await, net.point(2));
        for closed in 3..=4 {
            net.close();
            assert_eq!(observation(&mut port).await.opaque, []);
            assert_eq!(net.point(closed).index.0, net.point(2).index.0 + u32::try_from(closed).unwrap() - 2);
        }
    }
}

/// A payment of [`PAYER`]'s of which nothing says what became of it.
fn outcome_unknown() -> TxData {
    let mut tx = later!("payment_of_an_unknown_type");
    let end = tx.meta_blob.0.len() - 4;
    tx.meta_blob.0.truncate(end);
    tx.meta_blob.0.extend([0x01, 27, 9, 9, 0xF1]);
    tx
}

/// Requests within the second minute after a ledger was met that cannot be read, so many ledgers before the
/// present.
async fn asked_while_unreadable(gap: usize) -> usize {
    let net = Net::new(1, "random-1", 2 + gap);
    net.grow(50);
    net.put(3, &outcome_unknown());
    let mut port = watching(&net, PAYER, 1);
    assert_eq!(port.ledger().await, net.point(2));
    let reason = port.lost().await;
    let index = net.point(3).index;
    assert!(reason.starts_with(&format!("this release cannot read ledger {index}")), "{reason}");
    let asked = || net.at(0).set(|host| host.requests.len());
    let mut so_far = asked();
    assert!(so_far < gap + 20, "{so_far}");
    // It is said once, however often it is looked at again and however many ledgers come.
    for _ in 0..2 {
        so_far = asked();
        for _ in 0..15 {
            net.close();
            port.quiet(4).await;
        }
    }
    assert_eq!(net.at(0).set(|host| host.opened.len()), 1, "no server is left for it");
    asked() - so_far
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_cannot_be_read_is_looked_at_ever_more_seldom_however_long_the_gap_is() {
    let [short, long] = [asked_while_unreadable(3).await, asked_while_unreadable(40).await];
    assert!(short <= 16 && long <= 16 && short > 0, "{short} and {long} requests in a minute");
}

#[test]
fn a_header_of_another_form_is_nobody_s_fault_where_its_hash_is_right() {
    let header = crate::ledger::vectors::story("tickets").ledgers[0].header;
    let index = LedgerIndex(header.index);
    let longer = [header.encode(), vec![7]].concat();
    let hash = xrpl_wire::header::hash_of(&longer);
    let prove = |hash: Hash256| {
        let reply = json!({
            "ledger": { "ledger_data": hex::encode_upper(&longer) }, "ledger_hash": hash, "validated": true,
        });
        prove_header(index, &reply::parse("ledger", reply).unwrap()).unwrap_err()
    };
    assert!(matches!(prove(hash), Trouble::Unreadable { hash: of, .. } if of == hash));
    assert!(matches!(prove(header.hash()), Trouble::Malformed { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_nonsense_for_a_ledger_is_connected_ever_more_seldom_and_no_header_is_asked_twice()
 {
    let net = Net::new(1, "random-1", 45);
    let bad = net.point(3).index.0;
    net.at(0).set(|host| {
        host.twist = Some(Box::new(move |method, params| {
            let is_it = method == "ledger" && params["ledger_index"] == bad && params["transactions"] == true;
            is_it.then(|| Ok(json!({ "ledger": 5 })))
        }));
    });
    let mut port = net.spawn(net.config(1), net.from(1));
    assert_eq!(port.ledger().await, net.point(2));
    assert!(port.lost().await.contains("malformed reply to `ledger`"));
    sleep(Duration::from_secs(60)).await;
    let headers = net.at(0).set(|host| {
        let whole = |request: &&serde_json::Value| request["transactions"] == true;
        let asked = host.requests.iter().filter(|request| request["command"] == "ledger");
        asked.filter(|request| !whole(request)).count()
    });
    assert!(headers <= 45, "{headers} headers of 45 ledgers");
    let (opened, all) = net.at(0).set(|host| (host.opened.len(), host.requests.len()));
    assert!(opened <= 16 && all < 250, "{opened} connections, {all} requests");
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_contradict_each_other_on_the_way_down_a_chain_do_not_begin_it_anew() {
    let net = Net::new(3, "random-1", 45);
    let truth = net.at(2).fork(46);
    for number in 0..3 {
        net.at(number).set(|host| host.delay = Duration::from_secs(1));
    }
    let mut port = net.spawn(net.config(2), net.from(1));
    sleep(Duration::from_secs(5)).await;
    net.close();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        port.left_out().len(),
        1,
        "the majority has decided, and what was agreed on is looked at again"
    );
    net.at(2).set(|host| host.ledgers = truth);
    net.close();
    for closed in 2..=47 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    let headers: usize = (0..3)
        .map(|number| {
            net.at(number).set(|host| {
                let asked = host.requests.iter().filter(|request| request["command"] == "ledger");
                asked.filter(|request| request["transactions"] != true).count()
            })
        })
        .sum();
    assert!(headers < 45 + 20, "{headers} headers of 47 ledgers");
}
