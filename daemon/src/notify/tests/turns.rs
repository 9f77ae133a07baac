//! One cause that tells a great many things, and a channel whose secret's file does not answer.

use std::sync::mpsc::channel as gate;

use super::story::Told;
use super::*;
use crate::apart::READ_FOR;
use crate::store::MemoryStore;
use crate::testing;

/// Notices of others that may go out before what somebody else's is critical: the one under way and one of each cause.
const BEFORE_MAX: usize = 3;

impl World {
    fn stop(&self, id: &str, by: Option<&str>, account: Option<&str>) {
        let mut notice =
            Notice::new(id.to_owned(), Kind::Freeze, Severity::Critical, String::new(), format!("says {id}"));
        notice.by = by.map(str::to_owned);
        notice.account = account.map(|name| treasury_api::types::PartyView {
            address: format!("r{name}"),
            name: Some(name.to_owned()),
        });
        let addressed = self.desk.config.address(notice, self.desk.clock.now_ms());
        self.desk.outbox().add(addressed, None).unwrap();
    }

    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.push(self.got.recv().await.unwrap().notice.id);
        }
        ids
    }
}

fn place(ids: &[String], id: &str) -> usize {
    ids.iter().position(|got| got == id).unwrap_or(usize::MAX)
}

/// Goal: however many critical notices one cause makes, another's goes out within a few sendings. Danger: whoever has stolen
/// one token sets thousands of freezes, and nobody is woken by the one that says so.
#[tokio::test(start_paused = true)]
async fn nobodys_freeze_waits_behind_the_thousands_of_somebody_else_also_after_a_restart() {
    let disk = Disk::default();
    let before = world(&disk, &["pager"]);
    (0..4_000).for_each(|number| before.stop(&format!("n-dave-{number}"), Some("dave"), Some("runner")));
    before.later(1);
    before.stop("n-alice", Some("alice"), Some("runner"));
    before.stop("n-found", None, Some("runner"));
    drop(before);

    let mut world = world(&disk, &["pager"]);
    world.later(1);
    let work = world.work();
    let first = world.ids(5).await;
    assert!(place(&first, "n-alice") <= BEFORE_MAX && place(&first, "n-found") <= BEFORE_MAX, "{first:?}");
    // And what comes while the flood goes on.
    world.stop("n-sue", Some("sue"), None);
    let gone: Vec<String> =
        std::iter::from_fn(|| world.got.try_recv().ok()).map(|got| got.notice.id).collect();
    let then = world.ids(BEFORE_MAX + 1).await;
    assert!(then.contains(&"n-sue".to_owned()), "{then:?}");
    let all = first.iter().chain(&gone).chain(&then);
    let dave: Vec<String> = all.filter(|id| id.contains("dave")).cloned().collect();
    let in_order: Vec<String> = (0..dave.len()).map(|number| format!("n-dave-{number}")).collect();
    assert_eq!(dave, in_order, "what one has caused stays in its order");
    drop(work);
}

/// Danger: whoever tells little by little is new each time, and always first.
#[tokio::test]
async fn who_comes_one_by_one_has_no_more_turns_than_whoever_waits() {
    let world = world(&Disk::default(), &["pager"]);
    for number in 0..20 {
        world.stop(&format!("alice-{number}"), Some("alice"), None);
        world.stop(&format!("bob-{number}"), Some("bob"), None);
    }
    let mut turns: BTreeMap<String, u32> = BTreeMap::new();
    let mut told = Vec::new();
    for number in 0..30 {
        if told.last().is_none_or(|id: &String| id.starts_with("dave")) || number == 0 {
            world.stop(&format!("dave-{number}"), Some("dave"), None);
        }
        let mut outbox = world.desk.outbox();
        let (_, next) = outbox.firsts("pager")[0];
        outbox.had_turn("pager", [next].into_iter());
        let id = outbox.delivery("pager", next).unwrap().unwrap().0.id;
        *turns.entry(id.split('-').next().unwrap().to_owned()).or_default() += 1;
        let delivered =
            super::outbox::Delivery { stage: Stage::Delivered, ..super::outbox::Delivery::due(0) };
        outbox.set("pager", next, &delivered).unwrap();
        told.push(id);
    }
    assert!(turns.values().all(|turns| (9..=11).contains(turns)) && turns.len() == 3, "{turns:?}: {told:?}");
}

/// Danger: a file that a pager's secret was in is a pipe, and nobody is told of anything through any channel.
#[tokio::test(start_paused = true)]
async fn a_secret_that_is_a_pipe_costs_its_own_channel_a_try_and_no_other_anything() {
    let mut world = world(&Disk::default(), &["ops", "pager"]);
    let Form::Webhook { secrets_file } = &world.desk.config.channels[1].form else { panic!("a webhook") };
    let pipe = secrets_file.with_extension("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let mut channels = world.desk.config.channels.clone();
    channels[1].form = Form::Webhook { secrets_file: pipe };
    let mut work = JoinSet::new();
    for channel in channels {
        let desk = Arc::clone(&world.desk);
        work.spawn(async move { worker::run(&desk, &channel).await });
    }
    world.tell("pager", 1);
    world.tell("ops", 1);
    assert_eq!(world.got.recv().await.unwrap().channel, "ops");
    let problem = || {
        let listed = world.desk.list(u64::MAX, Some("pager"), Some(Stage::Waiting), 1).unwrap();
        listed.first().and_then(|listed| listed.problem.clone())
    };
    while problem().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(problem().unwrap().ends_with("cannot be read: it is no regular file"), "{:?}", problem());
}

/// Danger: the folder of a secret is on another host that answers no more; nothing in this process can end such a read.
#[tokio::test(start_paused = true)]
async fn a_secret_that_is_never_read_costs_its_own_channel_tries_and_one_thread() {
    let mut world = world(&Disk::default(), &["ops", "pager"]);
    let (begun, reads) = gate::<()>();
    let (open, shut) = gate::<()>();
    let shut = Mutex::new(shut);
    let begun = Mutex::new(begun);
    Arc::get_mut(&mut world.desk).unwrap().pack = Arc::new(move |channel, notices, id, at, known_by| {
        if channel.name == "pager" {
            begun.lock().unwrap().send(()).unwrap();
            let _ = shut.lock().unwrap().recv();
        }
        channel.parcel(notices, id, at, known_by)
    });
    let work = world.work();
    world.stop("n-1", Some("alice"), None);
    world.desk.wake_all();
    assert_eq!(world.got.recv().await.unwrap().channel, "ops", "it waited for the pager's");
    let owed = |world: &World| {
        let text = world.metrics.text().unwrap();
        let name = "treasuryd_deliveries_owed_since_seconds{channel=\"pager\",what=\"critical\"} ";
        let line = text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap().parse::<u64>().unwrap()
    };
    let since = owed(&world);
    assert_eq!(since, BEGINS_MS / 1_000);
    let attempts = |world: &World| {
        world.desk.list(u64::MAX, Some("pager"), None, 1).unwrap().first().map_or(0, |listed| listed.attempts)
    };
    // Virtual time does not go on by itself while a thread is blocked.
    for tries in 1..=3 {
        while attempts(&world) < tries {
            tokio::time::advance(READ_FOR).await;
            tokio::task::yield_now().await;
        }
    }
    let listed = world.desk.list(u64::MAX, Some("pager"), None, 1).unwrap();
    assert_eq!(listed[0].problem.as_deref(), Some("the file of its secret was not read in time"));
    // It has a thread, which may be slow to begin.
    reads.recv().unwrap();
    assert_eq!(reads.try_iter().count(), 0, "a thread for each try");
    world.desk.show("pager");
    assert_eq!(owed(&world), since, "a try is no delivery");
    drop(open);
    while world.waiting("pager") > 0 {
        tokio::time::advance(READ_FOR).await;
        tokio::task::yield_now().await;
    }
    world.desk.show("pager");
    assert_eq!(owed(&world), 0);
    drop(work);
}

/// Danger: a daemon is started anew every quarter of an hour, and nobody hears that what is critical has been stuck for a day.
#[tokio::test(start_paused = true)]
async fn what_a_channel_owes_is_counted_from_before_a_restart_and_from_what_went_through_last() {
    let disk = Disk::default();
    let owed = |world: &World| world.desk.outbox().owed("pager", world.desk.clock.now_ms()).0;
    let mut before = world(&disk, &["pager"]);
    before.does("pager", Does::Answers(503));
    let work = before.work();
    before.stop("n-1", Some("sue"), None);
    before.desk.wake_all();
    for tries in 1..=4 {
        before.got.recv().await.unwrap();
        while before.desk.list(u64::MAX, None, None, 1).unwrap()[0].attempts < tries {
            tokio::task::yield_now().await;
        }
    }
    drop(work);
    assert!(owed(&before).is_some_and(|since| since < BEGINS_MS + 5_000), "{:?}", owed(&before));

    // The same hour; its clock begins again, and is ahead by what passed.
    let mut after = world(&disk, &["pager"]);
    after.later(3);
    assert_eq!(owed(&after), Some(BEGINS_MS));
    let work = after.work();
    after.stop("n-2", Some("sue"), None);
    after.desk.wake_all();
    while after.got.recv().await.unwrap().notice.id != "n-2" {}
    while after.waiting("pager") > 1 {
        tokio::task::yield_now().await;
    }
    let went = after.desk.clock.now_ms();
    drop(work);
    after.later(1);
    assert_eq!(owed(&after), Some(went));
    let again = world(&disk, &["pager"]);
    again.later(10);
    assert_eq!(owed(&again), Some(went), "it is no less true after a start");
}

#[tokio::test]
async fn a_channel_owes_nothing_that_waits_for_quiet_hours() {
    let routes =
        vec![Route { channels: vec!["ops".to_owned()], quiet: super::waiting::night(), ..Route::default() }];
    let world = world_of(&Disk::default(), &["ops"], routes, |_| {});
    world.said("n-1", Severity::Warning);
    let text = world.metrics.text().unwrap();
    assert!(
        text.contains("treasuryd_deliveries_owed_since_seconds{channel=\"ops\",what=\"rest\"} 0"),
        "{text}"
    );
    assert!(text.contains("treasuryd_deliveries_waiting{channel=\"ops\"} 1"), "{text}");
}

#[tokio::test]
async fn a_persons_notice_names_them_and_what_the_daemon_found_nobody() {
    let mut told = Told::start_in(&MemoryStore::new(), world(&Disk::default(), &["ops"])).await;
    testing::look(&told.handle).await;
    assert_eq!(told.until(Kind::SightClear).await.pop().unwrap().by, None);
    told.command("sue", testing::freeze("why")).await;
    assert_eq!(told.until(Kind::Freeze).await.pop().unwrap().by.as_deref(), Some("sue"));
}
