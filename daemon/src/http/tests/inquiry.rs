//! What is found out about a destination before a payment to it is asked for; and who is turned away too often.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;
use treasury_core::config::Role;
use treasury_core::policy::{Action, Approvers, Policy, Risk, RiskBand, Rule};
use treasury_core::units::Weight;

use super::*;
use crate::screening::tests::{answering, config, ok};

/// Anybody may be paid with bob's signature, and rules ask for the risk.
fn treasury(risk: Risk, screening: bool) -> treasury_core::Treasury {
    let bob = Approvers { weight: Weight(1), exclude_asker: true, ..Approvers::default() };
    let rules = vec![Rule {
        risk: Some(RiskBand { above: None, max: Some(100) }),
        ..Rule::new("anybody", Action::Approve(bob))
    }];
    let policy = Policy::new(rules).with_risk(risk);
    treasury_core::Treasury { policy, screening, ..testing::treasury() }
}

async fn served(risk: Risk, screener: Option<(String, Duration)>) -> Served {
    let store = MemoryStore::new();
    let (mut engine, metrics, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    let Engine { handle, .. } = engine;
    handle.declare(treasury(risk, screener.is_some())).await.unwrap().unwrap();
    let screening = screener.map(|(url, patience)| config(&url, patience));
    let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default());
    let served = Served::of(app.with_screening(screening), handle, store).await;
    testing::look(&served.handle).await;
    served
}

async fn asked(served: &Served, to: treasury_core::units::AccountId) -> DecisionView {
    let alice = served.client("alice");
    let proposed =
        alice.propose(&ProposeRequest { destination: to.to_string(), ..payment(5_000_000) }).await.unwrap();
    alice.proposal(&proposed.proposal).await.unwrap().decision
}

fn stranger() -> treasury_core::units::AccountId {
    treasury_core::units::AccountId([77; 20])
}

#[tokio::test]
async fn an_account_that_cannot_be_read_weighs_as_such_and_the_address_book_is_not_read() {
    let risk = Risk { new_destination: None, unread: Some(33), ..Risk::default() };
    // There is no ledger port here.
    let served = served(risk, None).await;
    let shown = asked(&served, stranger()).await.risk.unwrap();
    assert_eq!((shown.score, shown.signs[0].sign.as_str()), (33, "unread"));
    assert_eq!(asked(&served, testing::exchange()).await.risk.unwrap().score, 0);
}

#[tokio::test]
async fn a_new_destination_is_screened_and_what_comes_of_it_is_stored_with_the_decision() {
    let body = format!(
        "{{\"destination\":\"{}\",\"deny\":false,\"score\":40,\"label\":\"near a mixer\"}}",
        stranger()
    );
    let (url, mut told) = answering(ok(&body)).await;
    let served = served(Risk::default(), Some((url, Duration::from_secs(8)))).await;
    let decision = asked(&served, stranger()).await;
    assert_eq!((decision.action.as_str(), &decision.rules), ("approve", &vec!["anybody".to_owned()]));
    let shown = decision.risk.unwrap();
    let screened = shown.signs.iter().find(|sign| sign.sign == "screened").unwrap();
    assert_eq!((screened.weight, screened.evidence.as_str()), (40, "screened: near a mixer"));
    assert!(told.recv().await.unwrap().contains(&stranger().to_string()));
    // Nobody is asked about whom the organisation knows, or for whom may not ask for payments.
    assert_eq!(asked(&served, testing::exchange()).await.action, "approve");
    let request = ProposeRequest { destination: stranger().to_string(), ..payment(5_000_000) };
    let refused = served.client("bob").propose(&request).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Api { error, .. } if error.code == "ROLE_MISSING"), "{refused}");
    assert!(told.try_recv().is_err(), "it was asked once");
}

/// Danger: whoever keeps the screener silent has strangers paid, or holds the daemon up.
#[tokio::test]
async fn a_screener_that_is_silent_costs_new_destinations_their_payment_and_nobody_else_anything() {
    let (url, mut told) = answering(String::new()).await;
    let served = served(Risk::default(), Some((url, Duration::from_millis(300)))).await;
    let decision = asked(&served, stranger()).await;
    assert_eq!(decision.action, "deny");
    assert!(decision.rules[1].ends_with("failed: no answer in time"), "{:?}", decision.rules);
    told.recv().await.unwrap();
    assert_eq!(asked(&served, testing::exchange()).await.action, "approve");
}

/// Danger: a stolen token asks for so many payments to strangers that nobody else's destination is screened in time.
#[tokio::test]
async fn one_person_who_asks_for_many_payments_keeps_no_other_from_having_theirs_screened() {
    let (url, mut told) = answering(String::new()).await;
    let served = served(Risk::default(), Some((url, Duration::from_secs(8)))).await;
    let mut declared = treasury(Risk::default(), true);
    declared.people.get_mut("bob").unwrap().roles.insert(Role::Proposer);
    served.handle.declare(declared).await.unwrap().unwrap();
    let mut asking = JoinSet::new();
    let mut ask = |person: &str, n: u8| {
        let client = served.client(person);
        let destination = treasury_core::units::AccountId([n; 20]).to_string();
        asking.spawn(async move {
            let request = ProposeRequest { destination, ..payment(5_000_000) };
            client.propose(&request).await.map(drop)
        });
    };
    (0..20).for_each(|_| ask("alice", 77));
    for _ in 0..2 {
        told.recv().await.unwrap();
    }
    ask("bob", 78);
    let bobs = treasury_core::units::AccountId([78; 20]).to_string();
    let third = told.recv().await.unwrap();
    assert!(third.contains(&bobs), "{third}");
}

#[tokio::test]
async fn tokens_that_are_refused_too_often_from_one_address_are_found_once_without_what_was_shown() {
    let store = MemoryStore::new();
    let (mut engine, metrics, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    let Engine { handle, .. } = engine;
    let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default());
    let attempts = app.attempts();
    let served = Served::of(app, handle, store).await;
    testing::look(&served.handle).await;
    let watching = watch_logins(attempts, served.handle.clone());
    let tried = AtomicUsize::new(0);
    let wrong = async || {
        let token = format!("Bearer SECRET{}", tried.fetch_add(1, Ordering::Relaxed));
        let (status, _) = served.raw(Method::GET, "/v1/status", Some(&token), "").await;
        assert_eq!(status, 401);
    };
    for _ in 0..20 {
        wrong().await;
    }
    // A request without any is nobody's try.
    served.raw(Method::GET, "/v1/status", None, "").await;
    let mut records = served.handle.records();
    wrong().await;
    let found = async || {
        let found = served.client("sue").findings().await.unwrap();
        found.into_iter().filter(|finding| finding.kind == "failed_logins").collect::<Vec<_>>()
    };
    while found().await.is_empty() {
        records.changed().await.unwrap();
    }
    for _ in 0..30 {
        wrong().await;
    }
    let all = found().await;
    assert_eq!((all.len(), all[0].account.as_ref()), (1, None));
    assert_eq!(all[0].evidence, "refused logins and tokens within 3600 s: 21 from 127.0.0.1");
    watching.abort();
}
