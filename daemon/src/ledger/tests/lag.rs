//! Servers that are a cluster behind one address: what one of its machines announces another does not have yet. That
//! is ordinary. It is asked for again, then elsewhere, and only then something is said.

use serde_json::{Value, json};

use super::memory::{Net, Virtual};
use super::*;

/// From now on, the first so many requests for a ledger are told that it is not there.
fn lacks_at_first(net: &Net, number: usize, closed: usize, times: usize) {
    let index = net.point(closed).index.0;
    let mut left = times;
    net.at(number).set(|host| {
        host.twist = Some(Box::new(move |method, params| {
            if method != "ledger" || params["ledger_index"] != index || left == 0 {
                return None;
            }
            left -= 1;
            Some(Err("lgrNotFound"))
        }));
    });
}

/// What it says it has ends so many ledgers before the one it announces.
fn ranges_behind(json: &mut Value, by: u64) {
    let tip = json["ledger_index"].as_u64().unwrap();
    let first = json["validated_ledgers"].as_str().unwrap().split('-').next().unwrap().to_owned();
    json["validated_ledgers"] = json!(format!("{first}-{}", tip - by));
}

async fn started(net: &Net) -> Virtual {
    let mut port = net.spawn(net.config(1), net.from(2));
    assert_eq!(port.reconciled().await, net.point(2));
    port
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_not_there_at_once_is_asked_for_again_and_nothing_is_said() {
    for times in [1, 2, 5] {
        let net = Net::new(1, "tickets", 2);
        let mut port = started(&net).await;
        lacks_at_first(&net, 0, 3, times);
        net.close();
        assert_eq!(port.ledger().await, net.point(3));
        net.close();
        assert_eq!(port.ledger().await, net.point(4));
        assert_eq!(net.at(0).set(|host| host.opened.len()), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_one_does_not_have_after_a_moment_comes_from_another() {
    let net = Net::new(2, "tickets", 2);
    let mut port = started(&net).await;
    lacks_at_first(&net, 0, 3, usize::MAX);
    net.close();
    let before = tokio::time::Instant::now();
    assert_eq!(port.ledger().await, net.point(3));
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    let twice =
        net.at(0).set(|host| host.requests.iter().filter(|request| request["transactions"] == true).count());
    assert_eq!(twice, 2, "the same one was asked once more first");
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_it_has_may_be_older_than_what_it_announces() {
    // Once, or always.
    for times in [1, u32::MAX] {
        let net = Net::new(1, "tickets", 2);
        let mut port = started(&net).await;
        let mut left = times;
        net.at(0).set(|host| {
            host.shows = Some(Box::new(move |json| {
                if left > 0 {
                    left -= 1;
                    ranges_behind(json, 1);
                }
            }));
        });
        for closed in 3..=6 {
            net.close();
            assert_eq!(port.ledger().await, net.point(closed));
            port.quiet(3).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_every_ledger_only_when_the_next_is_there_is_followed_a_ledger_late() {
    let net = Net::new(1, "random-1", 2);
    let mut port = started(&net).await;
    let newest = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let announced = std::sync::Arc::clone(&newest);
    net.at(0).set(|host| {
        host.shows = Some(Box::new(move |json| {
            announced.store(json["ledger_index"].as_u64().unwrap(), std::sync::atomic::Ordering::Relaxed);
            ranges_behind(json, 1);
        }));
        host.twist = Some(Box::new(move |method, params| {
            let newest = newest.load(std::sync::atomic::Ordering::Relaxed);
            let is_newest = params["ledger_index"] == newest;
            (method == "ledger" && is_newest).then_some(Err("lgrNotFound"))
        }));
    });
    net.close();
    port.quiet(4).await;
    for closed in 4..=20 {
        net.close();
        assert_eq!(port.ledger().await, net.point(closed - 1));
        port.quiet(4).await;
    }
    let asked = net.at(0).asked("ledger");
    assert!(asked < 20 * 10, "{asked} requests for 20 ledgers");
}

#[tokio::test(start_paused = true)]
async fn readings_of_which_one_in_ten_finds_no_ledger_are_brought_to_their_end() {
    let net = Net::new(1, "tickets", 2);
    let mut count = 0;
    net.at(0).set(|host| {
        host.twist = Some(Box::new(move |method, _| {
            count += 1;
            (method == "account_info" && count % 10 == 0).then_some(Err("lgrNotFound"))
        }));
    });
    let watched: BTreeSet<AccountId> = (1..=60).map(|number| AccountId([number; 20])).collect();
    let start = Start { watched, ..net.from(2) };
    let mut port = net.spawn(net.config(1), start);
    assert_eq!(port.reconciled().await, net.point(2));
    assert!(net.at(0).asked("account_info") < 75, "what was read is not read again");
}

#[tokio::test(start_paused = true)]
async fn a_reading_goes_on_at_the_same_ledger_when_the_server_has_it_again() {
    let net = Net::new(1, "tickets", 2);
    let mut count = 0;
    net.at(0).set(|host| {
        host.twist = Some(Box::new(move |method, _| {
            count += usize::from(method == "account_info");
            (method == "account_info" && (8..16).contains(&count)).then_some(Err("lgrNotFound"))
        }));
    });
    let watched: BTreeSet<AccountId> = (1..=9).map(|number| AccountId([number; 20])).collect();
    let mut port = net.spawn(net.config(1), Start { watched, ..net.from(2) });
    assert_eq!(port.reconciled().await, net.point(2));
}

#[tokio::test(start_paused = true)]
async fn a_newest_ledger_that_nobody_gives_is_silence_and_no_hole() {
    let net = Net::new(2, "tickets", 2);
    let mut port = started(&net).await;
    for number in 0..2 {
        lacks_at_first(&net, number, 3, usize::MAX);
    }
    port.quiet(10).await;
    net.close();
    port.quiet(9).await;
    let reason = port.lost().await;
    let index = net.point(3).index;
    let wanted =
        format!("ledger {index} is announced and cannot be fetched: a does not have it; b does not have it");
    assert_eq!(reason, wanted);
    for number in 0..2 {
        net.at(number).set(|host| host.twist = None);
    }
    assert_eq!(port.ledger().await, net.point(3));
    assert_eq!(port.reconciled().await, net.point(3));
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_nobody_has_is_waited_for_and_never_skipped_and_said_when_a_moment_is_over() {
    let net = Net::new(1, "tickets", 4);
    lacks_at_first(&net, 0, 3, usize::MAX);
    let patience = NetworkConfig { silence_max: Duration::from_secs(60), ..net.config(1) };
    let mut port = net.spawn(patience, net.from(2));
    let before = tokio::time::Instant::now();
    let (missing, reason) = (net.point(3).index, port.lost().await);
    assert!(reason.starts_with(&format!("history is missing: ledgers {missing}..{missing} (")), "{reason}");
    let said = port.next().await;
    assert!(matches!(said, Input::HistoryMissing { first, last, .. } if first == missing && last == missing));
    let waited = before.elapsed();
    assert!(waited >= Duration::from_secs(12) && waited < Duration::from_secs(16), "{waited:?}");
    net.at(0).set(|host| host.twist = None);
    for closed in 3..=4 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(port.reconciled().await, net.point(4));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_it_has_nothing_is_asked_all_the_same() {
    let net = Net::new(1, "tickets", 4);
    net.at(0).set(|host| host.shows = Some(Box::new(|json| json["validated_ledgers"] = json!("empty"))));
    let mut port = net.spawn(net.config(1), net.from(2));
    for closed in 3..=4 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(port.reconciled().await, net.point(4));
    net.close();
    assert_eq!(port.ledger().await, net.point(5));
    // Where it is true, that is the reason which is told.
    net.at(0).set(|host| {
        host.twist = Some(Box::new(|method, _| (method == "ledger").then_some(Err("lgrNotFound"))));
    });
    port.quiet(10).await;
    net.close();
    let reason = port.lost().await;
    assert!(
        reason.contains("a does not have it and says that it has none (`validated_ledgers` is empty)"),
        "{reason}"
    );
    net.close();
    loop {
        match port.next().await {
            Input::HistoryMissing { reason, .. } => {
                assert!(
                    reason.contains("a says that it has none (`validated_ledgers` is empty)"),
                    "{reason}"
                );
                break;
            }
            Input::SightLost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}
