//! Endpoints that fall silent, close, or are slow: another takes over, and sight is lost only when none can.

use tokio::time::Instant;

use super::memory::Net;
use super::*;
use crate::driver::Leave;

#[tokio::test(start_paused = true)]
async fn a_silent_endpoint_is_replaced_without_loss_of_sight_and_connected_anew() {
    let net = Net::new(2, "tickets", 1);
    let mut port = net.spawn(net.config(1), net.from(1));
    port.reconciled().await;
    net.at(0).set(|host| host.mute = true);
    for closed in 2..=6 {
        port.quiet(8).await;
        net.close();
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert!(net.at(0).set(|host| host.opened.len()) > 1, "it was given up and connected again");
    assert_eq!(net.at(1).set(|host| host.opened.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_closed_socket_is_replaced_without_loss_of_sight() {
    let net = Net::new(2, "tickets", 1);
    let mut port = net.spawn(net.config(1), net.from(1));
    port.reconciled().await;
    for closed in 2..=5 {
        net.at(closed % 2).hang_up();
        net.close();
        assert_eq!(port.ledger().await, net.point(closed));
        port.quiet(4).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_is_replaced_within_the_time_of_one_request() {
    let net = Net::new(2, "tickets", 1);
    let mut port = net.spawn(net.config(1), net.from(1));
    port.reconciled().await;
    net.at(0).set(|host| host.swallows = Some("ledger"));
    net.close();
    let before = Instant::now();
    assert_eq!(port.ledger().await, net.point(2));
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    // From then on the other is asked first.
    port.quiet(10).await;
    net.close();
    let before = Instant::now();
    assert_eq!(port.ledger().await, net.point(3));
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn when_none_can_be_reached_all_are_named_and_tried_ever_more_seldom() {
    let net = Net::new(2, "tickets", 1);
    let down = |number: usize, reachable| net.at(number).set(|host| host.reachable = reachable);
    (0..2).for_each(|number| down(number, false));
    let mut port = net.spawn(net.config(1), net.from(1));
    let reason = port.lost().await;
    assert!(reason.contains("a: cannot be reached") && reason.contains("b: cannot be reached"), "{reason}");
    port.quiet(300).await;
    let tries = net.at(0).set(|host| host.opened.clone());
    let waits: Vec<Duration> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[0] <= Duration::from_millis(250), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(10)), "{waits:?}");
    assert!(waits.iter().skip(6).all(|wait| *wait >= Duration::from_secs(5)), "{waits:?}");
    assert_ne!(tries, net.at(1).set(|host| host.opened.clone()), "they do not come back together");
    (0..2).for_each(|number| down(number, true));
    assert_eq!(port.reconciled().await, net.point(1));
    net.close();
    assert_eq!(port.ledger().await, net.point(2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stands_still_is_no_sight_however_often_it_is_connected() {
    let net = Net::new(1, "tickets", 1);
    let mut port = net.spawn(net.config(1), net.from(1));
    port.reconciled().await;
    assert!(port.lost().await.contains("no new validated ledger for 20 s"));
    loop {
        // It may be said in other words, and nothing else is said.
        match port.within(Duration::from_secs(120)).await {
            Some(Input::SightLost { .. }) => {}
            None => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(net.at(0).set(|host| host.opened.len()) > 3);
    net.close();
    assert_eq!(port.ledger().await, net.point(2));
    assert_eq!(port.reconciled().await, net.point(2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_wiped_is_said_to_be_behind_what_was_taken() {
    let net = Net::new(1, "random-1", 30);
    let mut port = net.spawn(net.config(1), net.from(30));
    port.reconciled().await;
    net.at(0).hang_up();
    net.at(0).set(|host| host.closed = 2);
    assert!(port.lost().await.contains("the connection ended"));
    let (at, cursor) = (net.point(2).index, net.point(30).index);
    let why = "it was wiped, is catching up, or is of another network";
    assert_eq!(port.lost().await, format!("server a is at {at}, behind your {cursor}: {why}"));
    // It closes ledgers, and the same is not said with each of them.
    for _ in 3..=29 {
        net.close();
        port.quiet(4).await;
    }
    net.close();
    assert_eq!(port.lost().await, "no new validated ledger for 20 s");
    net.close();
    assert_eq!(port.ledger().await, net.point(31));
    assert_eq!(port.reconciled().await, net.point(31));
}

#[tokio::test(start_paused = true)]
async fn at_a_start_servers_that_are_behind_are_named_at_once() {
    let net = Net::new(2, "random-1", 3);
    let mut port = net.spawn(net.config(1), net.from(30));
    let reason = loop {
        let reason = port.lost().await;
        if reason.contains("server b is at") {
            break reason;
        }
    };
    let (at, cursor) = (net.point(3).index, net.point(30).index);
    let both =
        format!("server a is at {at}, behind your {cursor}; server b is at {at}, behind your {cursor}: ");
    assert!(reason.starts_with(&both), "{reason}");
    // And when they fall silent, too.
    let silent = format!("no new validated ledger for 20 s, and is at {at}, behind your {cursor}");
    loop {
        let reason = port.lost().await;
        if reason == format!("a: {silent}; b: {silent}") {
            break;
        }
    }
    // One of two that is behind is named where its voice is missing.
    let net = Net::new(2, "random-1", 30);
    net.at(1).set(|host| host.closed = 3);
    let mut port = net.spawn(net.config(2), net.from(29));
    port.quiet(15).await;
    net.close();
    let at = net.point(4).index;
    let reason = port.lost().await;
    let cursor = net.point(29).index;
    assert!(reason.contains("1 of 2 endpoints agree"), "{reason}");
    assert!(reason.ends_with(&format!("; server b is at {at}, behind your {cursor}")), "{reason}");
}

/// Danger: a server keeps a payment and its void for itself, says that neither can ever be applied, and sends the payment.
#[tokio::test(start_paused = true)]
async fn what_one_server_swallows_or_refuses_is_sent_by_the_others() {
    let net = Net::new(3, "tickets", 1);
    let mut port = net.spawn(net.config(1), net.from(1));
    port.reconciled().await;
    let (id, blob) = (Hash256([1; 32]), HexBytes(vec![0x12]));
    let submit = || port.handle.submit(id, &blob, Leave::default().permit());
    let taken = SubmitReply::Engine("tesSUCCESS".to_owned());
    net.at(0).set(|host| host.swallows = Some("submit"));
    let before = Instant::now();
    assert_eq!(submit().await, taken);
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    net.at(0).set(|host| {
        host.swallows = None;
        host.twist = Some(Box::new(|method, _| {
            (method == "submit").then(|| Ok(json!({ "engine_result": "temMALFORMED" })))
        }));
    });
    assert_eq!(submit().await, taken);
    for number in 0..3 {
        assert_eq!(net.at(number).asked("submit"), 2, "{number}");
    }
    // One that never answers keeps nobody waiting, also where no other takes it.
    net.at(1).set(|host| host.swallows = Some("submit"));
    net.at(2).set(|host| {
        host.twist = Some(Box::new(|method, _| {
            (method == "submit").then(|| Ok(json!({ "engine_result": "tefNO_TICKET" })))
        }));
    });
    let before = Instant::now();
    assert_eq!(submit().await, SubmitReply::Engine("tefNO_TICKET".to_owned()));
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    // That it can never be applied is believed of all, and not of one while others say nothing.
    net.at(2).set(|host| {
        host.twist = None;
        host.swallows = Some("submit");
    });
    let reply = submit().await;
    assert!(matches!(&reply, SubmitReply::Unknown(said) if said.contains("temMALFORMED")), "{reply:?}");
    // Whoever called it back is told so where it left nowhere.
    let leave = Leave::default();
    let permit = leave.permit();
    leave.end();
    assert_eq!(port.handle.submit(id, &blob, permit).await, SubmitReply::NotSent);
}

#[tokio::test(start_paused = true)]
async fn a_beginning_waits_for_an_endpoint_that_has_the_ledger() {
    let net = Net::new(2, "tickets", 2);
    for number in [0, 1] {
        // They announce what they do not give.
        net.at(number).set(|host| (host.says_ranges, host.first) = (false, 3));
    }
    let account = AccountId([1; 20]);
    let mut port = net.spawn(net.config(1), Start { watched: [account].into(), ..Start::default() });
    port.quiet(3).await;
    net.close();
    assert_eq!(port.reconciled().await, net.point(3));
}

/// A run with every kind of outage, and all that was said in it, with the time of each word.
async fn eventful() -> Vec<String> {
    let net = Net::new(3, "random-1", 1);
    let mut port = net.spawn(net.config(2), net.from(1));
    let mut said = Vec::new();
    let origin = Instant::now();
    for round in 0..30_usize {
        let server = net.at(round % 3);
        server.set(|host| {
            host.mute = round % 5 == 0;
            host.reachable = round % 7 != 0;
            host.swallows = (round % 4 == 0).then_some("ledger");
            host.tampers = round % 6 == 0;
        });
        if round % 2 == 0 {
            server.hang_up();
        }
        net.close();
        while let Some(input) = port.within(Duration::from_secs(4)).await {
            said.push(format!("{:?} {input:?}", origin.elapsed()));
        }
    }
    said
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(eventful())
    };
    let first = run();
    assert!(first.iter().any(|word| word.contains("SightLost")) && first.len() > 20, "{first:#?}");
    assert_eq!(first, run());
}
