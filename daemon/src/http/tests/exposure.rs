//! What each captured thing can take, as the API tells it.

use super::*;

#[tokio::test]
async fn it_tells_of_each_thing_what_it_takes_and_changes_nothing() {
    let served = Served::new().await;
    let stored = served.store.last();
    let all = served.client("bob").exposure().await.unwrap();
    assert_eq!(served.store.last(), stored);
    let names: Vec<String> = all.iter().map(super::super::api::ExposureView::name).collect();
    for name in ["agent keys", "runner", "daemon", "person alice", "person sue"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let of = |name: &str| all.iter().find(|thing| thing.name() == name).unwrap();
    // One agent of weight 1, and a quorum of 2.
    assert_eq!(of("agent keys").takes, []);
    let [runner] = of("runner").takes.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (runner.account.name.as_deref(), runner.way.as_str(), runner.unbounded),
        (Some("runner"), "alone", true)
    );
    assert_eq!(runner.until, "nobody");
    assert_eq!(of("person sue").powers, ["stops everything", "lifts holds"]);
    assert_eq!(of("person alice").takes, [], "people sign whatever policy lets through");
}
