//! Much to tell at once, and a disk that takes none of it.

use super::story::Told;
use super::*;
use crate::store::MemoryStore;
use crate::testing;

/// Goal: what is critical is told next, however much waits. Danger: whoever may ask for payments has hundreds of them refused.
#[tokio::test(start_paused = true)]
async fn what_is_critical_overtakes_all_that_waits_and_over_a_restart() {
    let disk = Disk::default();
    let before = world(&disk, &["ops"]);
    (0..500).for_each(|number| before.said(&format!("n-{number}"), Severity::Warning));
    before.later(1);
    before.said("n-freeze", Severity::Critical);
    drop(before);

    let mut world = world(&disk, &["ops"]);
    world.later(1);
    world.does("ops", Does::Answers(500));
    let _work = world.work();
    assert_eq!(world.got.recv().await.unwrap().notice.id, "n-freeze");
    world.does("ops", Does::Answers(200));
    assert_eq!(
        world.got.recv().await.unwrap().notice.id,
        "n-0",
        "what is to be tried later keeps nobody waiting"
    );
    let mut rest = Vec::new();
    while rest.len() < 500 {
        rest.push(world.got.recv().await.unwrap().notice.id);
    }
    assert!(rest.contains(&"n-freeze".to_owned()) && rest.contains(&"n-499".to_owned()));
    world.empty("ops").await;
}

#[tokio::test]
async fn what_is_too_much_is_given_up_as_soon_as_it_is_told_and_is_counted() {
    let world = world(&Disk::default(), &["ops"]);
    world.does("ops", Does::Answers(500));
    world.desk.outbox().limits.waiting = 1;
    let told = Told::start_in(&MemoryStore::new(), world).await;
    testing::look(&told.handle).await;
    told.command("alice", testing::pay(testing::xrp(50))).await;
    while told.world.desk.outbox().dead("ops") == 0 {
        tokio::task::yield_now().await;
    }
    let text = told.world.metrics.text().unwrap();
    assert!(!text.contains("treasuryd_deliveries_total{channel=\"ops\",outcome=\"dead\"} 0"), "{text}");
    assert!(!text.contains("treasuryd_deliveries_dead{channel=\"ops\"} 0"), "{text}");
    let dead = told.world.desk.list(u64::MAX, None, Some(Stage::Dead), 1).unwrap();
    assert!(dead[0].problem.as_ref().unwrap().starts_with("too many wait ("), "{dead:?}");
}

fn is_stuck(world: &World) -> bool {
    world.metrics.text().unwrap().contains("\ntreasuryd_notices_stuck 1\n")
}

/// Danger: a channel cannot note what it delivered, and the alert of it is over within seconds because nothing new is told.
#[tokio::test]
async fn trouble_of_a_channel_with_the_outbox_is_shown_though_there_is_nothing_else_to_write() {
    let disk = Disk::default();
    let mut told = Told::start_in(&MemoryStore::new(), world(&disk, &["ops"])).await;
    testing::look(&told.handle).await;
    told.until(Kind::SightClear).await;
    told.world.empty("ops").await;
    disk.cut_after(1, false);
    told.world.tell("ops", 1);
    while !is_stuck(&told.world) {
        tokio::task::yield_now().await;
    }
    let before = told.world.desk.outbox().mark().unwrap().record;
    told.handle.input(testing::ledger(102)).await.unwrap();
    while told.world.desk.outbox().mark().unwrap().record == before {
        tokio::task::yield_now().await;
    }
    assert!(is_stuck(&told.world));
}

#[tokio::test(start_paused = true)]
async fn trouble_with_the_outbox_is_over_when_all_that_had_it_go_on() {
    let disk = Disk::default();
    let world = world(&disk, &["ops"]);
    world.desk.stuck(&Source::Look, &"a drill");
    disk.cut_after(1, false);
    world.tell("ops", 1);
    let _work = world.work();
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.desk.goes_on(&Source::Look);
    world.desk.goes_on(&Source::Tell);
    assert!(is_stuck(&world));
    disk.mend();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!is_stuck(&world) && world.waiting("ops") == 0);
}
