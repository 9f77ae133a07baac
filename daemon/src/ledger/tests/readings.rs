//! Whole accounts as servers show them: whom they are asked of, and what of the answers is looked at.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::memory::{Net, Virtual};
use super::*;

const ACCOUNT: AccountId = AccountId([1; 20]);

/// Of which server, and how the account was.
async fn reading(port: &mut Virtual) -> (String, AccountSnapshot) {
    match port.next().await {
        Input::Reconciled { mut accounts, from, .. } => (from, accounts.remove(0)),
        other => panic!("not accounts: {other:?}"),
    }
}

fn watching(net: &Net) -> Start {
    Start { watched: [ACCOUNT].into(), treasury: [ACCOUNT].into(), ..net.from(2) }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_asked_for_again_is_read_from_another_server_each_time() {
    let net = Net::new(3, "tickets", 2);
    let mut port = net.spawn(net.config(1), watching(&net));
    assert_eq!(reading(&mut port).await.0, "a");
    for from in ["b", "c", "a", "b"] {
        port.handle.reconcile(vec![ACCOUNT]).await;
        assert_eq!(reading(&mut port).await.0, from);
    }
    // One that is gone is passed over, and so is one that has failed.
    net.at(2).set(|host| host.reachable = false);
    net.at(2).hang_up();
    port.quiet(1).await;
    port.handle.reconcile(vec![ACCOUNT]).await;
    assert_eq!(reading(&mut port).await.0, "a");
    net.at(1).set(|host| host.swallows = Some("account_info"));
    port.handle.reconcile(vec![ACCOUNT]).await;
    assert_eq!(reading(&mut port).await.0, "a", "nobody else is left");
}

#[tokio::test(start_paused = true)]
async fn the_only_server_is_asked_for_the_same_again_after_a_pause() {
    let net = Net::new(1, "tickets", 2);
    let mut port = net.spawn(net.config(1), watching(&net));
    reading(&mut port).await;
    for _ in 0..3 {
        let before = Instant::now();
        port.handle.reconcile(vec![ACCOUNT]).await;
        assert_eq!(reading(&mut port).await.0, "a");
        assert!(before.elapsed() >= Duration::from_millis(900), "{:?}", before.elapsed());
    }
    // Another account has not been asked for, and waits for nothing.
    let before = Instant::now();
    port.handle.reconcile(vec![AccountId([2; 20])]).await;
    reading(&mut port).await;
    assert!(before.elapsed() < Duration::from_millis(200), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_a_server_failed_is_not_read_again() {
    let net = Net::new(2, "tickets", 2);
    let mut count = 0;
    net.at(0).set(|host| {
        host.twist = Some(Box::new(move |method, _| {
            count += usize::from(method == "account_info");
            (method == "account_info" && count > 12).then_some(Err("internal"))
        }));
    });
    let watched: BTreeSet<AccountId> = (1..=20).map(|number| AccountId([number; 20])).collect();
    let mut port = net.spawn(net.config(1), Start { watched: watched.clone(), ..net.from(2) });
    match port.next().await {
        Input::Reconciled { accounts, from, .. } => {
            assert_eq!(from, "a, b", "both are named");
            let read: BTreeSet<AccountId> = accounts.iter().map(|account| account.account).collect();
            assert_eq!(read, watched);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(net.at(1).asked("account_info"), 8);
}

/// A treasury account with what it owns, as a server of next year shows it.
fn next_year(method: &str, params: &Value) -> Option<Result<Value, &'static str>> {
    let (ours, theirs) = (ACCOUNT.to_string(), AccountId([9; 20]).to_string());
    let index = &params["ledger_index"];
    let escrow = |owner: &AccountId, sequence: u32| xrpl_wire::index::escrow(owner, sequence);
    match method {
        "account_info" => Some(Ok(json!({
            "ledger_index": index, "validated": true, "status2027": "fine",
            "account_data": {
                "LedgerEntryType": "AccountRoot", "Account": ours, "Balance": "77", "Sequence": 5,
                "OwnerCount": 4, "Flags": 0, "index": xrpl_wire::index::account_root(&ACCOUNT),
                "RecoveryDelay2027": 5,
            },
        }))),
        "account_objects" => Some(Ok(json!({
            "ledger_index": index,
            "account_objects": [
                {
                    "LedgerEntryType": "SignerList", "Flags": 0, "SignerQuorum": 2, "Committee2027": true,
                    "SignerEntries": [{ "SignerEntry": {
                        "Account": theirs, "SignerWeight": 2, "Until2028": 9,
                    } }],
                    "index": xrpl_wire::index::signer_list(&ACCOUNT),
                },
                {
                    "LedgerEntryType": "Ticket", "Account": ours, "TicketSequence": 12, "Expires2027": 3,
                    "index": xrpl_wire::index::ticket(&ACCOUNT, 12),
                },
                {
                    "LedgerEntryType": "Escrow", "Account": ours, "Destination": theirs, "Amount": "3",
                    "Sequence": 4, "FinishFunction": "0061736D", "index": escrow(&ACCOUNT, 4),
                },
                // What strangers put there is not even read.
                {
                    "LedgerEntryType": "Escrow", "Account": theirs, "Destination": ours,
                    "Amount": { "basket2028": [] }, "index": "?",
                },
                { "LedgerEntryType": "Mandate2027", "Owner": ours },
                { "LedgerEntryType": 4711 },
            ],
        }))),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_are_read_whatever_a_later_server_says_more_of_them() {
    let net = Net::new(1, "tickets", 2);
    net.at(0).set(|host| host.twist = Some(Box::new(next_year)));
    let mut port = net.spawn(net.config(1), watching(&net));
    let (_, account) = reading(&mut port).await;
    assert_eq!(account.root.unwrap().balance.get(), 77);
    assert_eq!(account.signer_list.unwrap().entries, [(AccountId([9; 20]), 2)].into());
    assert_eq!(account.tickets, [12].into());
    let keys: Vec<EscrowKey> = account.escrows.iter().map(|escrow| escrow.key).collect();
    assert_eq!(keys, [EscrowKey { owner: ACCOUNT, sequence: 4 }]);
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_of_an_account_has_to_be_there() {
    for (method, path) in [
        ("account_info", "/account_data/Balance"),
        ("account_info", "/account_data/Account"),
        ("account_objects", "/account_objects/0/SignerEntries"),
        ("account_objects", "/account_objects/1/TicketSequence"),
        ("account_objects", "/account_objects/2/Destination"),
    ] {
        let net = Net::new(1, "tickets", 2);
        net.at(0).set(|host| {
            host.twist = Some(Box::new(move |asked, params| {
                let mut said = next_year(asked, params)?;
                if let (true, Ok(reply)) = (asked == method, &mut said) {
                    let (parent, name) = path.rsplit_once('/').unwrap();
                    reply.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
                }
                Some(said)
            }));
        });
        let mut port = net.spawn(net.config(1), watching(&net));
        let reason = port.lost().await;
        assert!(reason.contains(&format!("malformed reply to `{method}`")), "{path}: {reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_keeps_reserve_for_nothing_is_not_asked_for_what_it_owns() {
    let net = Net::new(1, "tickets", 2);
    net.at(0).set(|host| {
        host.twist = Some(Box::new(|method, params| {
            let mut said = next_year(method, params)?;
            if let Some(count) =
                said.as_mut().ok().and_then(|reply| reply.pointer_mut("/account_data/OwnerCount"))
            {
                *count = json!(0);
            }
            Some(said)
        }));
    });
    let mut port = net.spawn(net.config(1), watching(&net));
    assert!(reading(&mut port).await.1.signer_list.is_none());
    assert_eq!(net.at(0).asked("account_objects"), 0);
}

/// Danger: whoever is paid once owns so much, or something that cannot be read, that no reading of everything ends.
#[tokio::test(start_paused = true)]
async fn of_signers_and_recipients_only_the_account_itself_is_read() {
    let net = Net::new(1, "tickets", 2);
    net.at(0).set(|host| host.twist = Some(Box::new(next_year)));
    let start = Start { treasury: BTreeSet::new(), ..watching(&net) };
    let mut port = net.spawn(net.config(1), start);
    let (_, account) = reading(&mut port).await;
    assert_eq!(account.root.unwrap().balance.get(), 77);
    assert!(account.signer_list.is_none() && account.tickets.is_empty() && account.escrows.is_empty());
}

/// An account that owns more than it keeps reserve for, page after page.
fn endless(objects: usize) -> impl FnMut(&str, &Value) -> Option<Result<Value, &'static str>> {
    let mut pages = 0_u32;
    move |method, params| {
        let mut said = next_year(method, params)?;
        let Ok(reply) = &mut said else { return Some(said) };
        if let Some(count) = reply.pointer_mut("/account_data/OwnerCount") {
            *count = json!(1_000);
        }
        let ticket = |sequence: u32| {
            let index = xrpl_wire::index::ticket(&ACCOUNT, sequence);
            json!({ "LedgerEntryType": "Ticket", "Account": ACCOUNT.to_string(), "TicketSequence": sequence, "index": index })
        };
        if let Some(shown) = reply.get_mut("account_objects") {
            let first = pages * 10_000 + 1;
            *shown = (first..).take(objects).map(ticket).collect();
            pages += 1;
            reply["marker"] = json!(format!("page {pages}"));
        }
        Some(said)
    }
}

/// Danger: one server whose pages never end, or hold more than was asked for, fills the memory; or one that answers each of them late
/// blinds the daemon, with an honest one beside it.
#[tokio::test(start_paused = true)]
async fn a_reading_that_never_ends_is_left_and_another_server_is_asked() {
    for (objects, said) in [(400, "has more than 1064 of them"), (401, "a page of more than 400 objects")] {
        let net = Net::new(1, "tickets", 2);
        net.at(0).set(|host| host.twist = Some(Box::new(endless(objects))));
        let mut port = net.spawn(net.config(1), watching(&net));
        let reason = port.lost().await;
        assert!(reason.contains(said), "{said}: {reason}");
        assert!(net.at(0).asked("account_objects") <= 3);
    }
    let net = Net::new(1, "tickets", 2);
    net.at(0).set(|host| {
        host.twist = Some(Box::new(|method, params| {
            let mut said = next_year(method, params)?;
            if let Some(shown) = said.as_mut().ok().filter(|reply| reply.get("account_objects").is_some()) {
                shown["marker"] = json!("again");
            }
            Some(said)
        }));
    });
    let reason = net.spawn(net.config(1), watching(&net)).lost().await;
    assert!(reason.contains("the same marker again"), "{reason}");

    let net = Net::new(2, "tickets", 2);
    net.at(0).set(|host| host.twist = Some(Box::new(endless(0))));
    net.at(0).set(|host| host.slow = Some(("account_objects", Duration::from_secs(8))));
    net.at(1).set(|host| host.twist = Some(Box::new(next_year)));
    net.at(1).set(|host| host.reachable = false);
    let mut port = net.spawn(net.config(1), watching(&net));
    let before = Instant::now();
    while net.at(0).asked("account_objects") == 0 {
        port.within(Duration::from_secs(1)).await;
        assert!(before.elapsed() < Duration::from_secs(60));
    }
    net.at(1).set(|host| host.reachable = true);
    let mut by = None;
    while by.is_none() {
        by = match port.within(Duration::from_secs(1)).await {
            Some(Input::Reconciled { from, .. }) => Some(from),
            _ => None,
        };
        assert!(before.elapsed() < Duration::from_secs(90), "nobody has read it");
    }
    assert_eq!(by.as_deref(), Some("b"));
}

/// Danger: an account that owns much, on a server that is not the quickest, is never read again.
#[tokio::test(start_paused = true)]
async fn a_reading_takes_as_long_as_answers_come() {
    let net = Net::new(1, "tickets", 2);
    net.at(0).set(|host| {
        let mut pages = 0;
        host.twist = Some(Box::new(move |method, params| {
            let mut said = next_year(method, params)?;
            if let Some(reply) = said.as_mut().ok().filter(|reply| reply.get("account_objects").is_some()) {
                pages += 1;
                if pages < 200 {
                    (reply["account_objects"], reply["marker"]) = (json!([]), json!(format!("page {pages}")));
                }
            }
            Some(said)
        }));
        host.slow = Some(("account_objects", Duration::from_millis(250)));
    });
    let mut port = net.spawn(net.config(1), watching(&net));
    let before = Instant::now();
    let mut read = None;
    while read.is_none() {
        read = match port.within(Duration::from_secs(4)).await {
            Some(Input::Reconciled { mut accounts, .. }) => accounts.pop(),
            _ => None,
        };
        net.grow(1);
        net.close();
        assert!(before.elapsed() < Duration::from_secs(120), "nobody has read it");
    }
    assert_eq!(read.unwrap().tickets, [12].into());
    assert_eq!(net.at(0).asked("account_objects"), 200);
}
