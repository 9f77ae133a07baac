//! Policies that people put in force: over reloads and restarts, whatever stands in the file.

use treasury_api::types::{AmountView, ExplainRequest, PolicyCheckView, PolicyRequest};
use treasury_core::policy::{Action, Approvers, Policy, Rule};

use super::*;

fn policy(action: Action) -> Policy {
    let people = ["bob", "adam"].map(str::to_owned).into();
    let terms = Approvers { signatures: 2, people, ..Approvers::default() };
    Policy::new(vec![Rule::new("all", action)]).with_activation(Some(terms))
}

fn with(known: &DaemonConfig, policy: Policy) -> DaemonConfig {
    let mut config = known.clone();
    config.treasury.policy = policy;
    config
}

async fn checked(daemon: &Daemon) -> PolicyCheckView {
    client(daemon, "alice").policy_check(&PolicyRequest::default()).await.unwrap()
}

/// What would be said of a payment now.
async fn says(daemon: &Daemon) -> String {
    let request = ExplainRequest {
        policy: None,
        account: "warm".to_owned(),
        destination: "exchange".to_owned(),
        amount: AmountView { asset: "XRP".to_owned(), value: "1000000".to_owned() },
        asker: None,
    };
    client(daemon, "alice").policy_explain(&request).await.unwrap().decision.action
}

/// Danger: whoever changes the file and has it read, or waits for a restart, has changed what leaves.
#[tokio::test]
async fn a_file_alone_changes_nothing_and_people_do_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let known = config(dir.path()).await;
    let daemon = Daemon::start(with(&known, policy(Action::Deny))).await.unwrap();
    let first = checked(&daemon).await.activation.unwrap();
    assert_eq!((first.candidate, first.wants, first.people.join(", ")), (None, 2, "adam, bob".to_owned()));
    let laxer = with(&known, policy(Action::Allow));
    daemon.reload(&laxer).await.unwrap();
    let waits = checked(&daemon).await.activation.unwrap();
    let candidate = waits.candidate.unwrap();
    assert_eq!((waits.policy.as_str(), says(&daemon).await.as_str()), (first.policy.as_str(), "deny"));
    assert_eq!(candidate.differs, ["rule \"all\" is changed"]);
    daemon.shutdown().await;

    let daemon = Daemon::start(laxer.clone()).await.unwrap();
    assert_eq!(says(&daemon).await, "deny", "a restart is no activation");
    let (bob, adam) = (client(&daemon, "bob"), client(&daemon, "adam"));
    let reason = "the auditors want it";
    let refused = client(&daemon, "sue").policy_activate(&candidate.policy, reason).await.unwrap_err();
    assert_eq!(refused.code(), Some("NOT_AN_ACTIVATOR"));
    assert_eq!(bob.policy_activate("12", reason).await.unwrap_err().code(), Some("BAD_VALUE"));
    let done = bob.policy_activate(&candidate.policy, reason).await.unwrap();
    assert_eq!((done.changed, done.in_force, done.has), (true, false, 1));
    assert_eq!(says(&daemon).await, "deny");
    assert!(adam.policy_activate(&candidate.policy, reason).await.unwrap().in_force);
    assert_eq!(says(&daemon).await, "allow");
    let now = checked(&daemon).await;
    let activation = now.activation.unwrap();
    assert_eq!((activation.policy.as_str(), activation.candidate), (candidate.policy.as_str(), None));
    assert_eq!(now.table_hash.as_deref(), Some(candidate.policy.as_str()));
    assert_eq!(activation.by.iter().map(|by| by.by.as_str()).collect::<Vec<_>>(), ["adam", "bob"]);
    daemon.shutdown().await;

    // The file as it was before: what people have put in force decides.
    let daemon = Daemon::start(with(&known, policy(Action::Deny))).await.unwrap();
    assert_eq!(says(&daemon).await, "allow");
    assert_eq!(checked(&daemon).await.activation.unwrap().candidate.map(|it| it.policy), Some(first.policy));
    // And without the terms.
    let mut without = with(&known, policy(Action::Deny));
    without.treasury.policy = without.treasury.policy.with_activation(None);
    daemon.reload(&without).await.unwrap();
    assert_eq!(says(&daemon).await, "allow");
    daemon.shutdown().await;
}

#[tokio::test]
async fn a_store_of_before_takes_what_is_configured_and_asks_people_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let known = config(dir.path()).await;
    let plain = |action| policy(action).with_activation(None);
    let daemon = Daemon::start(with(&known, plain(Action::Deny))).await.unwrap();
    client(&daemon, "sue").freeze(None, "a drill").await.unwrap();
    assert_eq!(checked(&daemon).await.activation, None);
    daemon.reload(&with(&known, plain(Action::Allow))).await.unwrap();
    assert_eq!(says(&daemon).await, "allow", "as ever");
    daemon.reload(&with(&known, policy(Action::Allow))).await.unwrap();
    assert!(checked(&daemon).await.activation.unwrap().by.is_empty());
    daemon.reload(&with(&known, policy(Action::Deny))).await.unwrap();
    assert_eq!(says(&daemon).await, "allow");
    // Nor is a configuration taken with which nobody could ever change it.
    let mut alone = with(&known, policy(Action::Deny));
    alone.treasury.people.remove("bob");
    let refused = daemon.reload(&alone).await.unwrap_err().to_string();
    assert!(refused.contains("2 of adam or bob, of whom 1 are declared"), "{refused}");
    daemon.shutdown().await;
    let refused = Daemon::start(alone).await.unwrap_err().to_string();
    assert!(refused.contains("nobody could change it any more"), "{refused}");
}
