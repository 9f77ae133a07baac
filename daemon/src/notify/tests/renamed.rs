//! Channels that somebody has renamed, or taken out.

use super::story::Told;
use super::*;
use crate::store::MemoryStore;

/// Danger: whoever renames a channel loses what waits in it.
#[tokio::test]
async fn what_waits_for_a_channel_that_is_no_more_goes_once_by_the_routes_of_now() {
    let disk = Disk::default();
    let before = world(&disk, &["mail", "ops"]);
    before.said("n-1", Severity::Warning);
    before.tell("mail", 1);
    drop(before);

    let mut told = Told::start_in(&MemoryStore::new(), world(&disk, &["ops", "post"])).await;
    let mut came = Vec::new();
    for _ in 0..2 {
        let got = told.world.got.recv().await.unwrap();
        came.push((got.channel, got.notice.id));
    }
    came.sort();
    assert_eq!(came, [("ops", "n-1"), ("post", "n-1")].map(|(to, id)| (to.to_owned(), id.to_owned())));
    told.world.empty("ops").await;
    told.world.empty("post").await;
    assert!(told.world.got.try_recv().is_err(), "a test is of its channel alone");
    let outbox = told.world.desk.outbox();
    assert_eq!((outbox.waiting("mail"), outbox.dead("mail")), (0, 2));
}

/// Danger: the step of an alert waits for a pager that has another name by now, and goes to whoever had the notice before;
/// nobody is woken.
#[tokio::test]
async fn a_step_that_waits_for_a_renamed_channel_goes_to_whom_the_list_names_in_its_place() {
    for (before, after, expected) in [
        (&["pager"][..], &["pager2"][..], "pager2"),
        (&["pager", "board"], &["board"], "board"),
        (&["pager", "board"], &["pager2", "board"], "pager2"),
    ] {
        let (store, disk) = (MemoryStore::new(), Disk::default());
        let world = |list: &[&'static str]| {
            let to = list.iter().map(|name| (*name).to_owned()).collect();
            let escalation = Some(Escalation { after_seconds: 900, to });
            let channels = vec!["ops".to_owned()];
            let route = Route { channels, severity: Severity::Warning, escalation, ..Route::default() };
            let names: Vec<&'static str> = std::iter::once("ops").chain(list.iter().copied()).collect();
            world_of(&disk, &names, vec![route], |_| {})
        };
        let mut told = Told::start_in(&store, world(before)).await;
        told.world.does("pager", Does::Answers(503));
        crate::testing::look(&told.handle).await;
        told.command("sue", crate::testing::freeze("why")).await;
        let freeze = told.until(Kind::Freeze).await.pop().unwrap();
        told.world.later(15);
        told.world.desk.look(&told.handle).await.unwrap();
        told.world.empty("ops").await;
        assert_eq!(told.world.waiting("pager"), 1);
        let clock = told.world.ahead.load(Ordering::SeqCst);
        told._work.shutdown().await;
        told.handle.stop().await;
        drop(told.world);

        let again = world(after);
        again.ahead.store(clock, Ordering::SeqCst);
        let mut again = Told::start_in(&store, again).await;
        let got = again.world.got.recv().await.unwrap();
        assert_eq!((got.channel.as_str(), got.notice.id), (expected, format!("{}-step-1", freeze.id)));
        again.world.empty(expected).await;
        again.world.desk.look(&again.handle).await.unwrap();
        assert!(again.world.got.try_recv().is_err(), "who had it before does not get it");
        let alerts = again.world.desk.alerts();
        assert_eq!((alerts.len(), alerts[0].went_to.as_slice()), (1, [expected.to_owned()].as_slice()));
        again.world.later(15);
        again.world.desk.look(&again.handle).await.unwrap();
        if let Some(next) = after.get(1) {
            assert_eq!(again.world.got.recv().await.unwrap().channel, *next);
        }
    }
}

/// Danger: somebody sends again what was given up in a channel that is configured no more, is told that it is done, and nothing
/// comes of it.
#[tokio::test]
async fn what_was_given_up_in_a_channel_that_is_no_more_is_sent_again_only_through_one_that_there_is() {
    let disk = Disk::default();
    let to = |name: &str, severity| Route { channels: vec![name.to_owned()], severity, ..Route::default() };
    let before = world_of(&disk, &["mail"], vec![to("mail", Severity::Info)], |_| {});
    before.said("n-1", Severity::Info);
    drop(before);
    let now = world_of(&disk, &["ops"], vec![to("ops", Severity::Critical)], |_| {});
    let mut told = Told::start_in(&MemoryStore::new(), now).await;
    let desk = Arc::clone(&told.world.desk);
    let given_up = || {
        let outbox = desk.outbox();
        (outbox.dead("mail"), outbox.waiting("mail"))
    };
    assert_eq!(given_up(), (1, 0));
    let one = || Asked::One("n-1".to_owned());
    for (asked, channel) in [(one(), None), (one(), Some("mail")), (Asked::Range(0, 9), None)] {
        assert_eq!(desk.redeliver(&asked, channel, None).unwrap(), Redelivered::NoChannel);
        assert_eq!(given_up(), (1, 0), "nothing is changed");
    }
    assert_eq!(desk.redeliver(&one(), Some("ops"), Some(Stage::Dead)).unwrap(), Redelivered::Done(1));
    let got = told.world.got.recv().await.unwrap();
    assert_eq!((got.channel.as_str(), got.notice.id.as_str()), ("ops", "n-1"));
    assert_eq!(given_up(), (0, 0));
}
