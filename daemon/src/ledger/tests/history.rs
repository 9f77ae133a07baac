//! History that some endpoints have, or none.

use super::memory::Net;
use super::*;
use crate::config::Verify;

#[tokio::test(start_paused = true)]
async fn history_comes_from_the_endpoint_that_has_it() {
    let net = Net::new(2, "tickets", 6);
    net.at(0).set(|host| host.first = 5);
    let mut port = net.spawn(net.config(2), net.from(1));
    for closed in 2..=6 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(port.reconciled().await, net.point(6));
    let early = net.point(5).index.0;
    net.at(0).set(|host| {
        let asked = host.requests.iter().filter(|request| request["command"] == "ledger");
        let mut indexes = asked.map(|request| request["ledger_index"].as_u64().unwrap());
        assert!(indexes.all(|index| index >= u64::from(early)), "it was not asked for what it lacks");
    });
}

#[tokio::test(start_paused = true)]
async fn what_an_endpoint_has_is_asked_for_where_it_does_not_announce_it() {
    let net = Net::new(2, "tickets", 6);
    for number in [0, 1] {
        net.at(number).set(|host| host.says_ranges = false);
    }
    net.at(0).set(|host| host.first = 5);
    let mut port = net.spawn(net.config(1), net.from(1));
    for closed in 2..=6 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(net.at(0).asked("server_info"), 1);
}

#[tokio::test(start_paused = true)]
async fn history_that_nobody_has_is_said_and_nothing_is_handed_on_until_somebody_has_it() {
    let net = Net::new(2, "tickets", 6);
    net.at(0).set(|host| host.first = 5);
    net.at(1).set(|host| host.first = 4);
    let mut port = net.spawn(net.config(1), net.from(1));
    let (first, last) = (net.point(2).index, net.point(3).index);
    let reason = port.lost().await;
    assert!(reason.starts_with(&format!("history is missing: ledgers {first}..{last} (")), "{reason}");
    for (name, has) in [("a", 5), ("b", 4)] {
        let word = format!("{name} has {}..{}", net.point(has).index, net.point(6).index);
        assert!(reason.contains(&word), "{reason}");
    }
    match port.next().await {
        Input::HistoryMissing { first: from, last: to, reason: why } => {
            assert_eq!((from, to, why), (first, last, reason));
        }
        other => panic!("{other:?}"),
    }
    // Said once, however many ledgers come.
    net.close();
    port.quiet(15).await;
    // A server finds its history again.
    net.at(1).set(|host| host.first = 0);
    net.at(1).hang_up();
    for closed in 2..=7 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(port.reconciled().await, net.point(7));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_reached_may_have_what_is_missing() {
    let net = Net::new(2, "tickets", 6);
    net.at(0).set(|host| host.first = 5);
    net.at(1).set(|host| host.reachable = false);
    let mut port = net.spawn(net.config(1), net.from(1));
    let reason = port.lost().await;
    assert!(reason.starts_with("history is missing") && reason.contains("b cannot be reached"), "{reason}");
    assert!(matches!(port.next().await, Input::HistoryMissing { .. }));
    net.at(1).set(|host| host.reachable = true);
    assert_eq!(port.ledger().await, net.point(2));
}

/// Every account that sends or receives in the story.
fn everybody(net: &Net) -> BTreeSet<AccountId> {
    let ledgers = net.at(0).set(|host| host.ledgers.clone());
    ledgers.iter().flat_map(|ledger| ledger.decoded()).map(|(tx, _)| tx.account()).collect()
}

async fn observations(net: &Net, network: NetworkConfig, last: usize) -> Vec<LedgerObservation> {
    let accounts = everybody(net);
    let watched: BTreeSet<AccountId> = accounts.iter().copied().take(3).collect();
    let start = Start { treasury: watched.clone(), watched, ..net.from(1) };
    let mut port = net.spawn(network, start);
    let mut seen = Vec::new();
    while seen.len() < last - 1 {
        match port.next().await {
            Input::Ledger { observation, .. } => seen.push(observation),
            other => panic!("{other:?}"),
        }
    }
    port.reconciled().await;
    seen
}

#[tokio::test(start_paused = true)]
async fn a_gap_closed_from_headers_says_the_same_as_whole_ledgers() {
    const LAST: usize = 45;
    let net = Net::new(1, "random-1", LAST);
    let whole = observations(&net, net.config(1), LAST).await;
    assert!(whole.iter().any(|ledger| !ledger.transactions.is_empty()));
    let wholes = |net: &Net| {
        net.at(0).set(|host| {
            host.requests.iter().filter(|request| request["transactions"] == serde_json::json!(true)).count()
        })
    };
    assert_eq!(wholes(&net), LAST - 1);

    let net = Net::new(1, "random-1", LAST);
    // Pages of one: every marker is followed.
    net.at(0).set(|host| host.page = 1);
    let network = NetworkConfig { verify: Verify::Headers, gap_ledgers: 5, ..net.config(1) };
    let mut read = observations(&net, network, LAST).await;
    let words: Vec<bool> = read.iter().map(|ledger| ledger.unproven).collect();
    assert_eq!(words.iter().filter(|unproven| !**unproven).count(), 5, "{words:?}");
    assert!(words[..LAST - 6].iter().all(|unproven| *unproven), "it is said that it is not proven whole");
    read.iter_mut().for_each(|ledger| ledger.unproven = false);
    assert_eq!(read, whole);
    assert_eq!(wholes(&net), 5, "the last ledgers are whole all the same");
}

#[tokio::test(start_paused = true)]
async fn a_gap_closed_from_headers_has_its_chain_proven() {
    let net = Net::new(1, "random-1", 45);
    let network = NetworkConfig { verify: Verify::Headers, gap_ledgers: 5, ..net.config(1) };
    let start = net.from(1);
    net.at(0).fork(1);
    let mut port = net.spawn(network, start);
    assert!(port.lost().await.contains("its parent's hash"));
}

#[tokio::test(start_paused = true)]
async fn after_a_gap_that_is_one_server_s_word_another_says_how_the_accounts_are() {
    let net = Net::new(2, "random-1", 45);
    let network = NetworkConfig { verify: Verify::Headers, gap_ledgers: 0, ..net.config(1) };
    let start = Start { watched: [AccountId([1; 20])].into(), ..net.from(1) };
    let mut port = net.spawn(network, start);
    for closed in 2..=45 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert!(net.at(0).asked("account_tx") > 0 && net.at(1).asked("account_tx") == 0);
    match port.next().await {
        Input::Reconciled { at, from, .. } => assert_eq!((at, from.as_str()), (net.point(45), "b")),
        other => panic!("{other:?}"),
    }
}
