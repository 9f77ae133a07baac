//! Whose loss locks an account, as the API tells it.

use super::*;

#[tokio::test]
async fn it_tells_of_each_account_with_signers_what_it_takes() {
    let served = Served::new().await;
    let stored = served.store.last();
    let all = served.client("alice").lockout().await.unwrap();
    assert_eq!(served.store.last(), stored);
    let [warm] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((warm.account.name.as_deref(), warm.quorum, warm.weight), (Some("warm"), Some(2), 3));
    assert_eq!(warm.beside_list, None);
    let of: Vec<&str> = warm.by.iter().map(|needs| needs.of.as_str()).collect();
    assert_eq!(of, ["keys", "people", "vendors", "places"]);
    let people = &warm.by[1];
    assert_eq!((people.locks.size, people.locks.sets.len(), people.locks.cut), (2, 3, false));
    let spends = people.spends.as_ref().unwrap();
    assert!(spends.sets.contains(&vec!["alice".to_owned(), "treasuryd".to_owned()]), "{spends:?}");
}
