//! Endpoints that contradict the others: the majority of hosts decides where there is one, and whoever said otherwise
//! is left out, and looked at again.

use serde_json::{Value, json};

use super::memory::{Net, Virtual};
use super::*;

/// Ledgers go on, one every four seconds, each taken when it closes, and nothing else is said.
async fn goes_on(net: &Net, port: &mut Virtual, truth: usize, closed: std::ops::RangeInclusive<usize>) {
    for closed in closed {
        net.close();
        assert_eq!(port.ledger().await, net.at(truth).point(closed));
        port.quiet(4).await;
    }
}

fn assert_left_out(port: &Virtual, names: &[&str]) {
    let left_out = port.left_out();
    assert_eq!(left_out.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names, "{left_out:?}");
}

async fn net_of(servers: usize, quorum: usize) -> (Net, Virtual) {
    let net = Net::new(servers, "tickets", 2);
    net.grow(300);
    let mut port = net.spawn(net.config(quorum), net.from(2));
    assert_eq!(port.reconciled().await, net.point(2));
    (net, port)
}

#[tokio::test(start_paused = true)]
async fn of_three_the_majority_decides_and_a_consistent_liar_is_named_and_asked_for_nothing() {
    for liar in 0..3 {
        let (net, mut port) = net_of(3, 2).await;
        let honest = (liar + 1) % 3;
        net.at(liar).fork(3);
        goes_on(&net, &mut port, honest, 3..=4).await;
        let name = ["a", "b", "c"][liar];
        assert_left_out(&port, &[name]);
        let (_, why) = &port.left_out()[0];
        let (said, true_one) = (net.at(liar).point(3), net.at(honest).point(3));
        let wanted = format!(
            "is left out until it agrees with the others: it named {} for ledger {}, and 2 others {}",
            said.hash, said.index, true_one.hash
        );
        // Where the third speaks last, the one that has spoken counts with it.
        assert_eq!(why, &wanted);
        let asked = net.at(liar).set(|host| host.requests.len());
        goes_on(&net, &mut port, honest, 5..=150).await;
        assert_eq!(net.at(liar).set(|host| host.requests.len()), asked, "it is asked for nothing");
        assert_left_out(&port, &[name]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_liar_in_announcements_alone_costs_no_sight_whatever_it_announces() {
    type Lie = fn(&mut Value);
    let lies: [(&str, Lie); 4] = [
        ("another hash", |json| json["ledger_hash"] = json!(Hash256([7; 32]))),
        ("a far index", |json| json["ledger_index"] = json!(4_000_000_000_u32)),
        ("an index some ledgers ahead", |json| {
            json["ledger_index"] = json!(json["ledger_index"].as_u64().unwrap() + 40);
        }),
        ("the next index", |json| {
            json["ledger_index"] = json!(json["ledger_index"].as_u64().unwrap() + 1);
        }),
    ];
    for (what, lie) in lies {
        for (liar, quorum) in [(0, 1), (2, 1), (0, 2), (1, 2), (2, 2)] {
            let (net, mut port) = net_of(3, quorum).await;
            net.at(liar).set(|host| host.shows = Some(Box::new(lie)));
            goes_on(&net, &mut port, liar, 3..=60).await;
            let left_out = port.left_out();
            assert_eq!(left_out.len(), 1, "{what}, {liar}, {quorum}: {left_out:?}");
            assert_eq!(left_out[0].0, ["a", "b", "c"][liar], "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_left_out_comes_back_when_it_agrees_and_later_each_time() {
    let (net, mut port) = net_of(3, 2).await;
    let mut closed = 2;
    for seconds in [60, 120, 240] {
        net.at(2)
            .set(|host| host.shows = Some(Box::new(|json| json["ledger_hash"] = json!(Hash256([7; 32])))));
        goes_on(&net, &mut port, 0, closed + 1..=closed + 1).await;
        closed += 1;
        net.at(2).set(|host| host.shows = None);
        let left_out = tokio::time::Instant::now();
        while !port.left_out().is_empty() {
            goes_on(&net, &mut port, 0, closed + 1..=closed + 1).await;
            closed += 1;
        }
        let waited = left_out.elapsed().as_secs();
        assert!((seconds - 8..=seconds + 8).contains(&waited), "{waited} of {seconds}");
    }
    // Its voice counts again: it and another are two.
    net.at(0).set(|host| host.mute = true);
    goes_on(&net, &mut port, 1, closed + 1..=closed + 3).await;
}

#[tokio::test(start_paused = true)]
async fn who_lies_on_stays_left_out() {
    let (net, mut port) = net_of(3, 2).await;
    net.at(1).set(|host| host.shows = Some(Box::new(|json| json["ledger_hash"] = json!(Hash256([7; 32])))));
    goes_on(&net, &mut port, 0, 3..=3).await;
    for closed in 4..=250 {
        goes_on(&net, &mut port, 0, closed..=closed).await;
        assert_left_out(&port, &["b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn two_against_two_stop_everything_and_all_are_named() {
    let (net, mut port) = net_of(4, 2).await;
    net.at(1).fork(3);
    net.at(3).fork(3);
    // Of one against one the others are to decide, and are waited for.
    net.at(0).close();
    net.at(1).close();
    port.quiet(1).await;
    net.at(2).close();
    net.at(3).close();
    let reason = port.lost().await;
    for (number, name) in ["a", "b", "c", "d"].iter().enumerate() {
        let word = format!("{name} announced {}", net.at(number).point(3).hash);
        assert!(reason.contains(&word), "{reason}");
    }
    for _ in 0..10 {
        net.close();
        port.quiet(4).await;
    }
    assert_left_out(&port, &[]);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_disagree_neither_wins_until_one_takes_back_what_it_said_and_has_agreed_for_a_while() {
    let (net, mut port) = net_of(2, 2).await;
    let truth = net.at(0).fork(3);
    net.close();
    let reason = port.lost().await;
    for (number, name) in ["a", "b"].iter().enumerate() {
        let word = format!("{name} announced {}", net.at(number).point(3).hash);
        assert!(reason.contains(&word), "{reason}");
    }
    net.close();
    port.quiet(15).await;
    net.at(0).set(|host| host.ledgers = truth);
    let mut closed = 4;
    while port.left_out().is_empty() {
        net.close();
        closed += 1;
        assert!(port.within(Duration::from_secs(1)).await.is_none());
    }
    assert_left_out(&port, &["a"]);
    // One voice is not two.
    let mut taken = 2;
    while taken < closed {
        if !port.left_out().is_empty() {
            net.close();
            closed += 1;
        }
        while let Some(input) = port.within(Duration::from_secs(4)).await {
            match input {
                Input::Ledger { observation, .. } => {
                    taken += 1;
                    assert_eq!(observation.point, net.point(taken));
                }
                Input::Reconciled { at, .. } => assert_eq!(at, net.point(taken)),
                Input::SightLost { reason } => assert!(reason.contains("1 of 2 endpoints agree"), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_left_out(&port, &[]);
}

#[tokio::test(start_paused = true)]
async fn what_a_majority_says_against_what_was_taken_is_never_taken() {
    let (net, mut port) = net_of(3, 1).await;
    net.at(1).fork(3);
    net.at(2).fork(3);
    net.at(0).close();
    assert_eq!(port.ledger().await, net.point(3));
    net.at(1).close();
    net.at(2).close();
    let reason = port.lost().await;
    assert!(reason.contains(&format!("{} was taken before", net.point(3).hash)), "{reason}");
    net.close();
    port.quiet(15).await;
}
