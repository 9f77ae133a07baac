//! Servers that are asked by everybody and count requests: they are asked as much as they allow.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::memory::Net;
use super::*;
use crate::driver::Leave;

/// Refuses whatever goes beyond so many requests within a second.
fn allow_each_second(
    net: &Net,
    number: usize,
    most: usize,
) -> std::sync::Arc<std::sync::atomic::AtomicUsize> {
    let mut served: VecDeque<Instant> = VecDeque::new();
    let refused = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&refused);
    net.at(number).set(|host| {
        host.twist = Some(Box::new(move |method, params| {
            let now = Instant::now();
            while served.front().is_some_and(|first| now - *first >= Duration::from_secs(1)) {
                served.pop_front();
            }
            if served.len() >= most {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                return Some(Err("slowDown"));
            }
            served.push_back(now);
            entries(method, params)
        }));
    });
    refused
}

/// An account with objects, whichever is asked for.
fn entries(method: &str, params: &Value) -> Option<Result<Value, &'static str>> {
    let index = &params["ledger_index"];
    match method {
        "account_info" => Some(Ok(json!({
            "ledger_index": index,
            "account_data": {
                "LedgerEntryType": "AccountRoot", "Account": params["account"], "Balance": "1000000000",
                "Sequence": 5, "OwnerCount": 1, "Flags": 0, "index": Hash256::ZERO,
            },
        }))),
        "account_objects" => Some(Ok(json!({ "ledger_index": index, "account_objects": [] }))),
        _ => None,
    }
}

fn treasury(accounts: u8) -> BTreeSet<AccountId> {
    (1..=accounts).map(|number| AccountId([number; 20])).collect()
}

#[tokio::test(start_paused = true)]
async fn a_treasury_of_eleven_accounts_is_read_from_a_server_that_allows_twenty_requests_a_second() {
    let net = Net::new(1, "tickets", 2);
    let refused = allow_each_second(&net, 0, 20);
    let before = Instant::now();
    let mut port =
        net.spawn(net.config(1), Start { watched: treasury(11), treasury: treasury(11), ..net.from(1) });
    assert_eq!(port.ledger().await, net.point(2));
    assert_eq!(port.reconciled().await, net.point(2));
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    let refusals = refused.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1..=10).contains(&refusals), "{refusals} refusals");
    assert_eq!(net.at(0).set(|host| host.opened.len()), 1, "it is not left for it");
    net.close();
    assert_eq!(port.ledger().await, net.point(3));
}

#[tokio::test(start_paused = true)]
async fn a_long_gap_is_closed_with_hardly_more_requests_than_are_allowed() {
    let net = Net::new(1, "random-1", 2);
    net.grow(200);
    net.at(0).set(|host| host.closed = 200);
    let refused = allow_each_second(&net, 0, 20);
    let network = NetworkConfig { silence_max: Duration::from_secs(600), ..net.config(1) };
    let mut port = net.spawn(network, net.from(1));
    for closed in 2..=200 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(port.reconciled().await, net.point(200));
    let (refusals, asked) =
        (refused.load(std::sync::atomic::Ordering::Relaxed), net.at(0).set(|host| host.requests.len()));
    assert!(refusals * 4 < asked, "{refusals} of {asked} requests were refused");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_time_for_nothing_gives_way_to_another_and_stays_connected() {
    let net = Net::new(2, "tickets", 2);
    let mut port = net.spawn(net.config(1), Start { watched: treasury(2), ..net.from(2) });
    assert_eq!(port.reconciled().await, net.point(2));
    net.at(0).set(|host| {
        host.twist = Some(Box::new(|method, _| (method != "subscribe").then_some(Err("tooBusy"))));
    });
    net.close();
    assert_eq!(port.ledger().await, net.point(3));
    net.close();
    let before = Instant::now();
    assert_eq!(port.ledger().await, net.point(4));
    assert!(before.elapsed() < Duration::from_secs(1), "the other is asked first from then on");
    assert_eq!(net.at(0).set(|host| host.opened.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_submission_waits_for_no_pace() {
    let net = Net::new(1, "tickets", 2);
    allow_each_second(&net, 0, 4);
    let mut port = net.spawn(net.config(1), Start { watched: treasury(11), ..net.from(2) });
    port.quiet(1).await;
    net.at(0).set(|host| host.twist = None);
    let before = Instant::now();
    let reply = port.handle.submit(Hash256([1; 32]), &HexBytes(vec![0x12]), Leave::default().permit()).await;
    assert!(matches!(reply, SubmitReply::Engine(_)), "{reply:?}");
    assert!(before.elapsed() < Duration::from_millis(100), "{:?}", before.elapsed());
}
