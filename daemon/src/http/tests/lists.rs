//! Lists of proposals by who asked and who can still sign.

use super::*;

/// Requests about what is told.
pub(super) fn of_notices() -> [(Method, &'static str, &'static str); 3] {
    [
        (Method::GET, "/v1/notices/stream", ""),
        (Method::GET, "/v1/notices/alerts", ""),
        (Method::POST, "/v1/notices/acknowledge", r#"{"notices":["n-1"],"reason":"x"}"#),
    ]
}

#[tokio::test]
async fn what_somebody_can_still_sign_is_listed_by_its_deadline_and_what_they_asked_for_apart_from_that() {
    let served = Served::new().await;
    let alice = served.client("alice");
    for (amount, deadline) in [(5_000_000, 3_000), (5_000_000, 600), (1_000_000, 900), (5_000_000, 1_200)] {
        let asked = ProposeRequest { deadline_seconds: Some(deadline), ..payment(amount) };
        alice.propose(&asked).await.unwrap();
    }
    let list = async |asked: ProposalsQuery| {
        let list = alice.proposals_page(&ProposalsQuery { open: true, ..asked }).await.unwrap();
        list.into_iter().map(|shown| shown.id).collect::<Vec<_>>()
    };
    let of = |signer: &str| ProposalsQuery { signer: Some(signer.to_owned()), ..ProposalsQuery::default() };
    let by_people: Vec<ProposalView> = alice.proposals(true, None).await.unwrap();
    let mut waiting: Vec<&ProposalView> =
        by_people.iter().filter(|shown| shown.signers.iter().any(|signer| signer == "bob")).collect();
    waiting.sort_by(|one, other| one.deadline.cmp(&other.deadline));
    let waiting: Vec<String> = waiting.into_iter().map(|shown| shown.id.clone()).collect();
    assert!(waiting.len() >= 3, "{waiting:?}");
    assert_eq!(list(of("bob")).await, waiting);
    assert_eq!(list(ProposalsQuery { limit: Some(1), ..of("bob") }).await, waiting[..1]);
    assert_eq!(list(of("nobody")).await, Vec::<String>::new());
    assert_eq!(
        list(ProposalsQuery { account: Some("runner".to_owned()), ..of("bob") }).await,
        Vec::<String>::new()
    );
    let asked_by =
        |asker: &str| ProposalsQuery { asker: Some(asker.to_owned()), ..ProposalsQuery::default() };
    assert_eq!(list(asked_by("alice")).await, ["P4", "P3", "P2", "P1"]);
    assert_eq!(list(asked_by("bob")).await, Vec::<String>::new());
    served.client("bob").reject(&waiting[0], "no").await.unwrap();
    assert_eq!(list(of("bob")).await, waiting[1..], "whoever has spoken is not asked any more");
    for (asked, field) in [
        (ProposalsQuery { open: false, ..asked_by("alice") }, "asker"),
        (ProposalsQuery { before: Some("P3".to_owned()), ..of("bob") }, "before"),
    ] {
        let error = alice.proposals_page(&asked).await.unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[tokio::test]
async fn lists_filter_and_page() {
    let served = Served::new().await;
    let alice = served.client("alice");
    for _ in 0..3 {
        alice.propose(&payment(1_000_000)).await.unwrap();
    }
    alice.withdraw("P2").await.unwrap();
    let ids = |list: Vec<ProposalView>| list.into_iter().map(|shown| shown.id).collect::<Vec<_>>();
    assert_eq!(ids(alice.proposals(false, None).await.unwrap()), ["P3", "P2", "P1"]);
    assert_eq!(ids(alice.proposals(true, None).await.unwrap()), ["P3", "P1"]);
    assert_eq!(ids(alice.proposals(false, Some("warm")).await.unwrap()), ["P3", "P2", "P1"]);
    let runner = testing::runner().to_string();
    assert_eq!(ids(alice.proposals(false, Some(&runner)).await.unwrap()), Vec::<String>::new());
    let page = ProposalsQuery { before: Some("P3".to_owned()), limit: Some(1), ..ProposalsQuery::default() };
    let list = alice.proposals_page(&page).await.unwrap();
    assert!(list[0].rungs.is_empty(), "a list carries no transactions");
    assert_eq!(ids(list), ["P2"]);

    let page = alice.events(0, 2).await.unwrap();
    assert_eq!(page.records.iter().map(|record| record.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(page.next, 2);
    let rest = alice.events(page.next, 500).await.unwrap();
    assert_eq!(rest.next, served.store.last());
    assert_eq!(alice.events(rest.next, 500).await.unwrap(), EventsPage { records: vec![], next: rest.next });
}
