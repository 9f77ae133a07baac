//! Several endpoints, of which some lie, lag or contradict each other.

use super::memory::Net;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_ledger_waits_for_as_many_voices_as_are_asked_for() {
    let net = Net::new(3, "tickets", 2);
    let mut port = net.spawn(net.config(2), net.from(2));
    assert_eq!(port.reconciled().await, net.point(2));
    net.at(1).close();
    port.quiet(10).await;
    net.at(2).close();
    assert_eq!(port.ledger().await, net.point(3));
}

#[tokio::test(start_paused = true)]
async fn too_few_voices_lose_sight_and_say_how_many_there_are() {
    let net = Net::new(2, "tickets", 2);
    net.at(1).set(|host| host.reachable = false);
    let mut port = net.spawn(net.config(2), net.from(1));
    port.quiet(15).await;
    net.at(0).close();
    let reason = port.lost().await;
    assert!(reason.contains("1 of 2 endpoints agree on a ledger after"), "{reason}");
    assert!(reason.contains("read_quorum is 2") && reason.contains("b: cannot be reached"), "{reason}");
    net.at(1).set(|host| (host.reachable, host.closed) = (true, 3));
    for closed in 2..=3 {
        assert_eq!(port.ledger().await, net.point(closed));
    }
    assert_eq!(port.reconciled().await, net.point(3), "all is read anew after sight was lost");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_falls_behind_is_waited_for_as_long_as_silence_may_last() {
    let net = Net::new(2, "tickets", 2);
    let mut port = net.spawn(net.config(2), net.from(2));
    port.reconciled().await;
    net.at(0).close();
    port.quiet(15).await;
    net.at(0).close();
    let reason = port.lost().await;
    assert!(reason.contains("1 of 2 endpoints agree"), "{reason}");
    net.at(1).close();
    assert_eq!(port.ledger().await, net.point(3));
    assert_eq!(port.reconciled().await, net.point(3));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_while_endpoints_came_to_disagree_is_not_handed_on() {
    let net = Net::new(3, "tickets", 2);
    net.at(2).fork(3);
    // Connecting takes two seconds, and reading the account two more.
    for number in 0..3 {
        net.at(number).set(|host| host.delay = Duration::from_secs(2));
    }
    let account = AccountId([1; 20]);
    let mut port = net.spawn(net.config(1), Start { watched: [account].into(), ..net.from(2) });
    port.quiet(3).await;
    assert_eq!(net.at(0).asked("account_info"), 1, "it is being read");
    net.at(1).close();
    net.at(2).close();
    let reason = port.lost().await;
    assert!(reason.contains("two validated ledgers"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_disagree_none_is_believed_when_the_other_hangs_up() {
    let net = Net::new(2, "tickets", 2);
    net.at(1).fork(3);
    let mut port = net.spawn(net.config(1), net.from(2));
    port.reconciled().await;
    net.at(1).set(|host| host.swallows = Some("ledger"));
    net.close();
    assert!(port.lost().await.contains("two validated ledgers"));
    net.at(0).set(|host| host.reachable = false);
    net.at(0).hang_up();
    port.quiet(10).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_announces_the_truth_and_serves_lies_is_named_and_replaced() {
    for quorum in [1, 2] {
        let net = Net::new(2, "tickets", 6);
        net.at(0).set(|host| host.tampers = true);
        let mut port = net.spawn(net.config(quorum), net.from(1));
        let reason = port.lost().await;
        assert!(reason.starts_with("a: ledger") && reason.contains("is not proven"), "{reason}");
        for closed in 2..=6 {
            assert_eq!(port.ledger().await, net.point(closed));
        }
        assert_eq!(port.reconciled().await, net.point(6));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_closed_by_the_chain_that_leads_from_the_agreed_ledger() {
    let net = Net::new(3, "random-1", 40);
    // Another history from the middle of the gap on, up to its own present.
    net.at(0).fork(20);
    net.at(0).set(|host| host.closed = 39);
    let honest = net.at(1);
    let start = Start { cursor: Some(honest.point(1)), ..Start::default() };
    let mut port = net.spawn(net.config(2), start);
    for closed in 2..20 {
        assert_eq!(port.ledger().await, honest.point(closed));
    }
    // Asked for the ledgers of the agreed chain, it gives others: none of them is handed on.
    let reason = port.lost().await;
    assert!(reason.starts_with("a: ledger") && reason.contains("is not proven"), "{reason}");
    net.at(0).set(|host| host.reachable = false);
    net.at(0).hang_up();
    // What it said stands against what is taken, and the others are asked: they are more.
    for closed in 20..=40 {
        assert_eq!(port.ledger().await, honest.point(closed));
    }
    assert_eq!(port.reconciled().await, honest.point(40));
    let left_out = port.left_out();
    assert_eq!((left_out.len(), left_out[0].0.as_str()), (1, "a"), "{left_out:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_network_has_no_voice_and_is_asked_for_nothing() {
    let net = Net::new(2, "tickets", 2);
    net.at(1).set(|host| host.network_id = 5);
    let network = NetworkConfig { network_id: Some(0), ..net.config(2) };
    let mut port = net.spawn(network, net.from(1));
    port.quiet(15).await;
    net.at(0).close();
    let reason = port.lost().await;
    assert!(reason.contains("1 of 2") && reason.contains("b: is on network 5, not 0"), "{reason}");
    assert_eq!(net.at(1).asked("ledger"), 0);
}
