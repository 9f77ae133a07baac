//! The page of the policy: what decides beside the one in force.

use treasury_core::policy::{Action, Policy, Rule};

use super::*;

async fn declare(served: &Served, policy: Policy, ledger: u32) {
    let treasury = treasury_core::Treasury { policy, ..testing::treasury() };
    served.handle.declare(treasury).await.unwrap().unwrap();
    served.handle.input(testing::ledger(ledger)).await.unwrap();
    served.handle.input(testing::reconciled_at(ledger)).await.unwrap();
    assert!(served.handle.query(|state, _| state.sees()).await.unwrap());
}

#[tokio::test]
async fn what_a_second_policy_would_have_said_is_shown_with_the_rules_of_both() {
    let served = Served::new().await;
    let alice = served.login("alice").await;
    assert!(!alice.shows("/console/policy").await.contains("Beside it"));
    assert_eq!(served.client("alice").policy_shadow().await.unwrap().policy_hash, None);
    let shadow = Policy::new(vec![Rule::new("nobody", Action::Deny)]);
    let policy = testing::treasury().policy.with_shadow(Some(shadow.clone()));
    declare(&served, policy, 102).await;
    let said = served.client("alice").policy_shadow().await.unwrap();
    assert_eq!((said.policy_hash, said.decided), (Some(shadow.hash().to_string()), 0));
    served.proposal("").await;
    let said = served.client("alice").policy_shadow().await.unwrap();
    assert_eq!((said.decided, said.stricter, said.laxer, said.otherwise, said.left_off), (1, 1, 0, 0, 0));
    let [one] = said.differences.as_slice() else { panic!("{said:?}") };
    assert_eq!((one.proposal.as_str(), one.was.as_str(), one.would.as_str()), ("P1", "approve", "deny"));
    assert_eq!(
        (one.rules_then.as_str(), one.rules.as_str(), one.turn.as_str()),
        ("small", "nobody", "stricter")
    );
    let page = alice.shows("/console/policy").await;
    for part in ["Beside it", "<b>deny</b>, by nobody", "<b>1</b> stricter", "5 XRP from warm"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
