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
