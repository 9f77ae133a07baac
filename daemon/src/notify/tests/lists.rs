//! People who stand in the lists of several routes.

use super::story::Told;
use super::unanswered::low;
use super::*;
use crate::store::MemoryStore;

fn asking(of: &str, to: &[&str]) -> Route {
    let to = to.iter().map(|name| (*name).to_owned()).collect();
    let escalation = Some(Escalation { after_seconds: 900, to });
    Route { channels: vec![of.to_owned()], escalation, ..Route::default() }
}

/// The ids of what went to a channel, in the order in which it was told.
fn went_to(desk: &Desk, channel: &str) -> Vec<String> {
    let mut listed = desk.list(u64::MAX, Some(channel), None, 100).unwrap();
    listed.reverse();
    listed.into_iter().map(|one| one.notice.id).collect()
}

/// Danger: two people who are each other's next, and the board behind both, get every step twice, once by each list.
#[tokio::test]
async fn people_who_escalate_to_each_other_get_one_step_each_also_over_a_restart() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let lists = || {
        let routes =
            vec![asking("alice", &["bob", "alice", "board"]), asking("bob", &["alice", "bob", "board"])];
        world_of(&disk, &["alice", "bob", "board"], routes, |_| {})
    };
    let told = Told::start_in(&store, lists()).await;
    low(&told.world.desk, 1, Severity::Warning);
    told.look_after(15).await;
    let went = |desk: &Desk| ["alice", "bob", "board"].map(|channel| went_to(desk, channel).join(" "));
    let both = ["n-s-1 n-s-1-step-1", "n-s-1 n-s-1-step-1-bob", ""];
    assert_eq!(went(&told.world.desk), both, "who had the notice is told that nobody answered it");
    let clock = told.world.desk.clock.now_ms();
    drop(told);

    let told = Told::start_in(&store, lists()).await;
    told.world.ahead.store(clock, Ordering::SeqCst);
    let desk = Arc::clone(&told.world.desk);
    told.look_after(15).await;
    assert_eq!(went(&desk), both, "each of them has had it");
    told.look_after(15).await;
    assert_eq!(went(&desk)[2], "n-s-1-step-3", "whoever is behind them is told in their time, once");
    told.look_after(60).await;
    assert_eq!(went(&desk)[..2], both[..2]);
    low(&desk, 2, Severity::Critical);
    told.look_after(15).await;
    let [alice, bob, _] = went(&desk);
    assert!(
        alice.ends_with(" n-s-2 n-s-2-step-1") && bob.ends_with(" n-s-2 n-s-2-step-1-bob"),
        "{alice}; {bob}"
    );
}

/// Danger: three lists begin with the same person, who is told of one thing three times at once.
#[tokio::test]
async fn who_is_first_in_several_lists_is_told_once_and_those_behind_in_each_of_them() {
    let routes =
        vec![asking("ops", &["bob"]), asking("ops", &["bob", "board"]), asking("ops", &["bob", "alice"])];
    let world = world_of(&Disk::default(), &["ops", "alice", "bob", "board"], routes, |_| {});
    let told = Told::start_in(&MemoryStore::new(), world).await;
    let desk = Arc::clone(&told.world.desk);
    low(&desk, 1, Severity::Warning);
    told.look_after(15).await;
    told.look_after(15).await;
    let went = ["bob", "alice", "board"].map(|channel| went_to(&desk, channel).len());
    assert_eq!(went, [1, 1, 1]);
}

/// Who is named twice in one list is to be told twice.
#[tokio::test]
async fn a_list_may_come_back_to_whom_it_went_to() {
    let world = world_of(&Disk::default(), &["ops", "bob"], vec![asking("ops", &["bob", "bob"])], |_| {});
    let told = Told::start_in(&MemoryStore::new(), world).await;
    low(&told.world.desk, 1, Severity::Warning);
    told.look_after(15).await;
    told.look_after(15).await;
    assert_eq!(went_to(&told.world.desk, "bob"), ["n-s-1-step-1", "n-s-1-step-2"]);
}
