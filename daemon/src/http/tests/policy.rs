//! What people ask about the policy.

use treasury_core::policy::{Action, Policy, Rule};

use super::*;

const TABLE: &str = r#"
[[rule]]
name = "small"
destination = "known"
amount_max = "200 XRP"
action = "approve"
weight = 2
exclude_asker = false

[[rule]]
name = "never"
destination = "known"
amount_max = "100 XRP"
askers = ["bob"]
action = "deny"
"#;

fn with(policy: &str) -> PolicyRequest {
    PolicyRequest { policy: Some(policy.to_owned()) }
}

/// Each route with a body that it takes.
pub(super) fn requests() -> Vec<(Method, &'static str, &'static str)> {
    let payment = r#"{"account":"warm","destination":"exchange","amount":{"asset":"XRP","value":"5"}}"#;
    vec![
        (Method::POST, "/v1/policy/check", ""),
        (Method::POST, "/v1/policy/explain", payment),
        (Method::POST, "/v1/policy/test", r#"{"policy":""}"#),
        (Method::POST, "/v1/policy/prove", r#"{"outcome":"leave"}"#),
        (Method::POST, "/v1/policy/activate", r#"{"policy":"00","reason":"x"}"#),
        (Method::GET, "/v1/destinations", ""),
        (Method::POST, "/v1/destinations/confirm", r#"{"address":"00","reason":"x"}"#),
        (Method::GET, "/v1/policy/shadow", ""),
    ]
}

#[tokio::test]
async fn a_table_is_looked_at_with_lines_and_columns_and_changes_nothing() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let stored = served.store.last();
    let own = alice.policy_check(&PolicyRequest::default()).await.unwrap();
    assert_eq!((own.rules, own.problems.len()), (2, 0));
    assert_eq!(own.policy_hash, Some(testing::treasury().policy.hash().to_string()));
    let checked = alice.policy_check(&with(TABLE)).await.unwrap();
    assert_eq!((checked.rules, &checked.problems), (2, &Vec::new()));
    let never = checked.warnings.iter().find(|warning| warning.key == "rule \"never\"").unwrap();
    assert_eq!((never.line, never.column), (Some(10), Some(1)));
    assert!(never.what.contains("matches no payment"), "bob may not propose: {never:?}");
    let wrong = TABLE.replace("\"200 XRP\"", "\"200\"").replace("askers", "  asker");
    let refused = alice.policy_check(&with(&wrong)).await.unwrap();
    assert_eq!(refused.policy_hash, None);
    let places: Vec<_> =
        refused.problems.iter().map(|problem| (problem.key.as_str(), problem.line, problem.column)).collect();
    assert_eq!(places, [("rule[1].amount_max", Some(5), Some(1)), ("rule[2].asker", Some(14), Some(3))]);
    assert_eq!(served.store.last(), stored);
}

#[tokio::test]
async fn what_would_happen_to_a_payment_is_said_with_each_rule() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let asked = ExplainRequest {
        policy: None,
        account: "warm".to_owned(),
        destination: "exchange".to_owned(),
        amount: drops_of(150_000_000),
        asker: None,
    };
    let explained = alice.policy_explain(&asked).await.unwrap();
    assert_eq!(
        (explained.decision.action.as_str(), &explained.decision.rules),
        ("delay", &vec!["large".to_owned()])
    );
    let [small, large] = &explained.rules[..] else { panic!("{explained:?}") };
    assert_eq!((small.matches, large.matches), (false, true));
    assert_eq!(small.misses[0].key, "amount_max");
    assert_eq!(small.misses[0].why, "the amount is 150 XRP, and the rule is for up to 100 XRP");
    let other =
        ExplainRequest { policy: Some(TABLE.to_owned()), asker: Some("bob".to_owned()), ..asked.clone() };
    let explained = alice.policy_explain(&other).await.unwrap();
    assert_eq!(explained.decision.action, "approve");
    assert_eq!(explained.rules[1].misses[0].why, "the amount is 150 XRP, and the rule is for up to 100 XRP");
    let wrong = ExplainRequest { policy: Some("[[rule]]".to_owned()), ..asked.clone() };
    let Err(ClientError::Api { error, .. }) = alice.policy_explain(&wrong).await else {
        panic!("it was taken")
    };
    assert_eq!(error.code, "BAD_VALUE");
    let stranger = ExplainRequest { account: "exchange".to_owned(), ..asked };
    assert!(alice.policy_explain(&stranger).await.is_err());
}

#[tokio::test]
async fn all_of_the_past_is_judged_by_another_table() {
    let served = Served::new().await;
    let alice = served.client("alice");
    for drops in [50_000_000, 150_000_000, 250_000_000] {
        alice.propose(&payment(drops)).await.unwrap();
    }
    let ask =
        |since: Option<&str>| PolicyTestRequest { policy: TABLE.to_owned(), since: since.map(str::to_owned) };
    let tested = alice.policy_test(&ask(None)).await.unwrap();
    assert_eq!((tested.proposals, tested.left_off), (3, 0));
    let changes: Vec<_> =
        tested.changed.iter().map(|change| (change.proposal.as_str(), change.would.as_str())).collect();
    assert_eq!(changes, [("P3", "deny"), ("P2", "approve")], "newest first");
    let sums: Vec<_> =
        tested.sums.iter().map(|sum| (sum.was.as_str(), sum.would.as_str(), sum.count)).collect();
    assert_eq!(sums, [("approve", "approve", 1), ("delay", "approve", 1), ("delay", "deny", 1)]);
    assert_eq!(tested.sums[2].amounts, [drops_of(250_000_000)]);
    assert_eq!(alice.policy_test(&ask(Some("2120-01-01"))).await.unwrap().proposals, 0);
    assert!(alice.policy_test(&ask(Some("yesterday"))).await.is_err());
}

#[tokio::test]
async fn whether_something_can_happen_is_answered_with_an_example_or_no() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let ask = |outcome: &str, above: Option<u64>, destination: Option<&str>| ProveRequest {
        outcome: outcome.to_owned(),
        above: above.map(drops_of),
        destination: destination.map(str::to_owned),
        ..ProveRequest::default()
    };
    let proved = alice.policy_prove(&ask("leave", Some(100_000_000), None)).await.unwrap();
    assert_eq!((proved.possible, proved.action.as_deref()), (true, Some("delay")));
    assert!(proved.example.unwrap().starts_with("alice asks to pay 100.000001 XRP from warm"));
    for (outcome, above, destination) in
        [("leave", None, Some("new")), ("allow", None, None), ("at_once", Some(100_000_000), None)]
    {
        let proved = alice.policy_prove(&ask(outcome, above, destination)).await.unwrap();
        assert!(!proved.possible, "{outcome} {above:?} {destination:?}: {proved:?}");
    }
    let other = ProveRequest { policy: Some(TABLE.to_owned()), ..ask("at_once", Some(100_000_000), None) };
    assert!(alice.policy_prove(&other).await.unwrap().possible);
    assert!(alice.policy_prove(&ask("never", None, None)).await.is_err());
    assert!(alice.policy_prove(&ask("leave", None, Some("nobody"))).await.is_err());
}

/// Danger: whoever may ask keeps the machine busy with a table that tells everything apart.
#[test]
fn a_table_that_tells_too_many_payments_apart_is_refused_and_not_thought_about_for_ever() {
    let mut treasury = testing::treasury();
    let rule = |number: u64| Rule {
        amount_min: Some(testing::xrp(number % 7 + 1).into()),
        count: Some(treasury_core::policy::Count {
            period_seconds: 60 + u32::try_from(number).unwrap(),
            per: treasury_core::policy::Per::ALL[usize::try_from(number).unwrap() % 4],
            above: Some(1),
            max: None,
        }),
        ..Rule::new(format!("r{number}"), Action::Allow)
    };
    treasury.policy = Policy::new((0..100).map(rule).collect());
    let proved = treasury_core::prove::prove(
        &treasury,
        &treasury.policy,
        crate::clock::utc(),
        &treasury_core::prove::Query { outcome: treasury_core::prove::Outcome::Denied, ..Default::default() },
    );
    assert!(proved.is_err() || proved.is_ok_and(|witness| witness.is_none()));
}

/// Danger: many ask at once what another table would have said, and each holds every proposal in memory until it is their
/// turn. Method: what is proposed while one waits for its turn is among what it judges.
#[tokio::test]
async fn whoever_waits_for_a_turn_to_judge_everything_has_read_nothing_yet() {
    let served = Served::new().await;
    let turn = Arc::clone(&served.thinking).acquire_owned().await.unwrap();
    let left = served.places.left();
    let alice = served.client("alice");
    let asking = tokio::spawn(async move {
        let asked = PolicyTestRequest { policy: TABLE.to_owned(), since: None };
        alice.policy_test(&asked).await
    });
    while served.places.left() == left {
        tokio::task::yield_now().await;
    }
    let alice = served.client("alice");
    for _ in 0..20 {
        alice.status().await.unwrap();
    }
    alice.propose(&payment(5_000_000)).await.unwrap();
    drop(turn);
    assert_eq!(asking.await.unwrap().unwrap().proposals, 1);
}
