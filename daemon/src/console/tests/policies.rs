//! The page of the policy: what decides beside the one in force, and which waits to be put there.

use treasury_core::policy::{Action, Approvers, Policy, Rule};

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

#[tokio::test]
async fn the_policy_that_waits_is_put_in_force_by_those_whom_the_one_in_force_names() {
    let served = Served::new().await;
    let people = ["bob", "adam"].map(str::to_owned).into();
    let terms = Approvers { signatures: 2, people, ..Approvers::default() };
    let policy = |action| Policy::new(vec![Rule::new("all", action)]).with_activation(Some(terms.clone()));
    declare(&served, policy(Action::Deny), 102).await;
    declare(&served, policy(Action::Allow), 103).await;
    let check = treasury_api::types::PolicyRequest::default();
    let waits = served.client("alice").policy_check(&check).await.unwrap().activation.unwrap();
    let waits = waits.candidate.unwrap().policy;
    let (alice, bob, adam) =
        (served.login("alice").await, served.login("bob").await, served.login("adam").await);
    let form = "action=\"/console/do/activate\"";
    let page = alice.shows("/console/policy").await;
    assert!(page.contains("waits to be put in force") && !page.contains(form), "{page}");
    assert!(bob.shows("/console/policy").await.contains(form));
    let fields = [("policy", waits.as_str()), ("reason", "as the board decided")];
    let refused = alice.refused("/console/do/activate", &fields).await;
    assert_eq!(refused, (403, "NOT_AN_ACTIVATOR".to_owned()));
    let without = bob.refused("/console/do/activate", &[("policy", waits.as_str()), ("reason", "")]).await;
    assert_eq!(without, (400, "BAD_VALUE".to_owned()));
    let said = bob.does("/console/do/activate", &fields).await;
    assert_eq!(said, format!("{waits}: 1 of 2 want it in force"));
    assert!(adam.shows("/console/policy").await.contains("bob (as the board decided)"));
    assert_eq!(adam.does("/console/do/activate", &fields).await, format!("{waits}: it is in force"));
    let page = alice.shows("/console/policy").await;
    assert!(!page.contains("waits to be put in force") && page.contains("put in force by adam"), "{page}");
    assert_eq!(served.handle.treasury().policy, policy(Action::Allow));
    let unknown = bob.refused("/console/do/activate", &[("policy", &"0".repeat(64)), ("reason", "x")]).await;
    assert_eq!(unknown, (404, "UNKNOWN_POLICY".to_owned()));
}

/// Danger: whoever can write the address book is paid as somebody who has been known for years.
#[tokio::test]
async fn whoever_comes_to_the_address_book_is_confirmed_by_those_who_are_named_and_cools() {
    let served = Served::new().await;
    let by = Approvers {
        signatures: 2,
        people: ["bob", "adam"].map(str::to_owned).into(),
        ..Approvers::default()
    };
    let terms = treasury_core::address_book::Confirmation { by, cooling_seconds: 3_600 };
    let policy = testing::treasury().policy.with_confirmation(Some(terms));
    let treasury = treasury_core::Treasury { policy, ..testing::treasury() };
    let declare = async |treasury: &treasury_core::Treasury, ledger| {
        served.handle.declare(treasury.clone()).await.unwrap().unwrap();
        served.handle.input(testing::ledger(ledger)).await.unwrap();
        served.handle.input(testing::reconciled_at(ledger)).await.unwrap();
    };
    let client = served.client("bob");
    declare(&treasury, 102).await;
    let stranger = testing::signer(77);
    let mut more = treasury.clone();
    more.destinations.insert(stranger, "supplier".to_owned());
    declare(&more, 103).await;
    let standing = async || {
        let book = client.destinations().await.unwrap();
        let all = book.destinations.into_iter().map(|one| (one.name, one.standing));
        all.collect::<Vec<_>>()
    };
    let both = |other: &str| {
        vec![("exchange".to_owned(), "known".to_owned()), ("supplier".to_owned(), other.to_owned())]
    };
    assert_eq!(standing().await, both("waiting"));
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let form = "action=\"/console/do/confirm_destination\"";
    let page = alice.shows("/console/policy").await;
    assert!(page.contains("waits for people: 0 of 2 have confirmed it") && !page.contains(form), "{page}");
    assert!(page.contains("1 of 2 entries are known"), "{page}");
    assert!(bob.shows("/console/policy").await.contains(form));
    let address = stranger.to_string();
    let fields = [("address", address.as_str()), ("reason", "called them back")];
    let refused = alice.refused("/console/do/confirm_destination", &fields).await;
    assert_eq!(refused, (403, "NOT_A_CONFIRMER".to_owned()));
    let said = bob.does("/console/do/confirm_destination", &fields).await;
    assert_eq!(said, format!("{address}: 1 of 2 have confirmed it"));
    let other = testing::signer(78).to_string();
    let unknown = client.confirm_destination(&other, "x").await.unwrap_err();
    assert_eq!(unknown.code(), Some("UNKNOWN_DESTINATION"));
    assert_eq!(client.confirm_destination("supplier", "x").await.unwrap_err().code(), Some("BAD_VALUE"));
    let again = client.confirm_destination(&address, "x").await.unwrap();
    assert_eq!((again.changed, again.enough, again.has, again.wants), (false, false, 1, 2));
    let done = served.client("adam").confirm_destination(&address, "met them").await.unwrap();
    assert_eq!(done.words(), "confirmed; it is known when it has cooled");
    assert_eq!(standing().await, both("cooling"));
    let page = alice.shows("/console/policy").await;
    assert!(
        page.contains("cools until") && page.contains("adam (met them), bob (called them back)"),
        "{page}"
    );
}
