//! What is read of an account for the first time, and how many have to say it.

use serde_json::{Value, json};

use super::memory::{Net, Virtual};
use super::*;

const ACCOUNT: AccountId = AccountId([1; 20]);

fn watching(net: &Net) -> Start {
    Start { watched: [ACCOUNT].into(), ..net.from(2) }
}

/// The account as it was handed on, and of whom.
async fn reading(port: &mut Virtual) -> (String, AccountSnapshot) {
    loop {
        match port.next().await {
            Input::Reconciled { mut accounts, from, .. } => return (from, accounts.remove(0)),
            Input::SightLost { .. } => {}
            other => panic!("not accounts: {other:?}"),
        }
    }
}

/// An account with so many drops, where the others know of none.
fn misread(balance: &'static str) -> impl FnMut(&'static str, &Value) -> Option<Result<Value, &'static str>> {
    move |method, params| {
        let root = json!({
            "LedgerEntryType": "AccountRoot", "Account": ACCOUNT.to_string(), "Balance": balance,
            "Sequence": 5, "OwnerCount": 0, "Flags": 0, "index": xrpl_wire::index::account_root(&ACCOUNT),
        });
        (method == "account_info").then(|| {
            Ok(json!({ "ledger_index": params["ledger_index"], "validated": true, "account_data": root }))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_of_three_misreads_at_first_is_not_believed() {
    for liar in 0..3 {
        let net = Net::new(3, "tickets", 2);
        net.at(liar).set(|host| host.twist = Some(Box::new(misread("77"))));
        let mut port = net.spawn(net.config(2), watching(&net));
        assert_eq!(reading(&mut port).await.1.root, None, "liar {liar}");
        // From then on proven ledgers speak for the account, and one reader is enough to compare them with.
        let mut misread = 0;
        for _ in 0..3 {
            port.handle.reconcile(vec![ACCOUNT]).await;
            misread += usize::from(reading(&mut port).await.1.root.is_some());
        }
        assert_eq!(misread, 1, "liar {liar}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_too_few_say_the_same_of_a_new_account_nothing_is_said_of_it() {
    let net = Net::new(2, "tickets", 2);
    net.at(0).set(|host| host.twist = Some(Box::new(misread("77"))));
    let mut port = net.spawn(net.config(2), watching(&net));
    let reason = port.lost().await;
    assert!(reason.contains("not 2 endpoints say the same of") && reason.contains("a, b"), "{reason}");
    assert!(reason.contains(&ACCOUNT.to_string()), "{reason}");
    port.quiet(10).await;
    net.at(0).set(|host| host.twist = None);
    assert_eq!(reading(&mut port).await.1.root, None);
}

#[tokio::test(start_paused = true)]
async fn an_account_of_which_there_is_a_view_is_read_from_one_server() {
    let net = Net::new(2, "tickets", 2);
    let start = Start { known: [ACCOUNT].into(), ..watching(&net) };
    let mut port = net.spawn(net.config(2), start);
    reading(&mut port).await;
    let asked: Vec<usize> = (0..2).map(|number| net.at(number).asked("account_info")).collect();
    assert_eq!(asked.iter().sum::<usize>(), 1, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn where_one_server_is_enough_it_is_enough_for_a_first_reading() {
    let net = Net::new(2, "tickets", 2);
    let mut port = net.spawn(net.config(1), watching(&net));
    reading(&mut port).await;
    let asked: usize = (0..2).map(|number| net.at(number).asked("account_info")).sum();
    assert_eq!(asked, 1);
}
