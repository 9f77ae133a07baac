//! Alerts that nobody answers, told by an engine that lives through them.

use treasury_core::policy::{Times, Zone};
use treasury_core::{Command, Input};

use super::story::{Told, strange_escrow};
use super::*;
use crate::store::MemoryStore;
use crate::testing;

/// What nobody answers within a quarter of an hour goes on to Bob, and then to the board.
fn asking(disk: &Disk) -> World {
    let to = ["bob", "board"].map(str::to_owned).to_vec();
    let escalation = Some(Escalation { after_seconds: 900, to });
    let (channels, severity) = (vec!["ops".to_owned()], Severity::Warning);
    let route = Route { channels, severity, escalation, ..Route::default() };
    world_of(disk, &["ops", "bob", "board"], vec![route], |_| {})
}

impl Told {
    /// Looks after so many minutes at what nobody has answered.
    pub(super) async fn look_after(&self, minutes: u64) {
        self.world.later(minutes);
        self.world.desk.look(&self.handle).await.unwrap();
    }

    /// What came through a channel until a test message through it, without what it is about.
    async fn came(&mut self, channel: &str) -> Vec<String> {
        self.world.tell(channel, 1);
        let mut ids = Vec::new();
        loop {
            let got = self.world.got.recv().await.unwrap();
            if got.channel == channel {
                if got.notice.kind == Kind::Test {
                    return ids;
                }
                ids.push(got.notice.id);
            }
        }
    }

    fn unanswered(&self) -> usize {
        self.world.desk.outbox().alerts().len()
    }
}

/// Goal: what nobody answers reaches the next, and the next after that, each once, however often the daemon starts anew.
#[tokio::test]
async fn a_finding_that_nobody_acknowledges_goes_on_to_the_next_and_each_step_is_taken_once() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let mut told = Told::start_in(&store, asking(&disk)).await;
    testing::look(&told.handle).await;
    told.handle.input(strange_escrow()).await.unwrap();
    let finding = told.until(Kind::Finding).await.pop().unwrap();
    told.look_after(14).await;
    assert!(told.came("bob").await.is_empty(), "it is not time yet");
    told.look_after(1).await;
    told.look_after(0).await;
    assert_eq!(told.came("bob").await, [format!("{}-step-1", finding.id)]);
    assert!(told.came("board").await.is_empty());
    assert!(told.world.metrics.text().unwrap().contains("treasuryd_notices_unanswered 1"));
    told._work.shutdown().await;
    let clock = told.world.desk.clock.now_ms();
    drop(told);

    let mut again = Told::start_in(&store, asking(&disk)).await;
    again.world.ahead.store(clock, Ordering::SeqCst);
    again.look_after(1).await;
    assert!(again.came("bob").await.is_empty() && again.came("board").await.is_empty());
    again.look_after(14).await;
    assert_eq!(again.came("board").await, [format!("{}-step-2", finding.id)]);
    again.look_after(60).await;
    assert!(
        again.came("bob").await.is_empty() && again.came("board").await.is_empty(),
        "there is nobody else"
    );
    assert_eq!(again.unanswered(), 1);
    let step = again.world.desk.list(u64::MAX, Some("board"), None, 10).unwrap();
    let step = step.iter().find(|delivery| delivery.notice.id.ends_with("-step-2")).unwrap();
    assert!(
        step.notice.says.starts_with("Nobody has answered this for 15 min, so it comes to you: Finding F1")
    );
    assert_eq!(step.notice.finding.as_deref(), Some("F1"));
}

/// Danger: what came late in the evening and is not grave wakes somebody in the night, because nobody answered it before.
#[tokio::test]
async fn a_step_that_is_not_critical_waits_for_the_quiet_hours_of_its_route_and_of_whom_it_goes_to() {
    let zone = Arc::new(Zone { name: "UTC".to_owned(), ahead_seconds: 0, changes: Vec::new() });
    // The clock begins at midnight.
    let until = |hour: u16| {
        Some(Times { zone: Arc::clone(&zone), weekdays: None, from_minute: 10, until_minute: hour * 60 })
    };
    let to = ["bob", "board"].map(str::to_owned).to_vec();
    let escalation = Some(Escalation { after_seconds: 900, to });
    let all = Route {
        channels: vec!["ops".to_owned()],
        severity: Severity::Warning,
        quiet: until(7),
        escalation,
        ..Route::default()
    };
    let bobs = Route {
        channels: vec!["bob".to_owned()],
        kinds: Some([Kind::DrillAsked].into()),
        quiet: until(9),
        ..Route::default()
    };
    let world = world_of(&Disk::default(), &["ops", "bob", "board"], vec![all, bobs], |_| {});
    let mut told = Told::start_in(&MemoryStore::new(), world).await;
    testing::look(&told.handle).await;
    told.command("alice", testing::pay(testing::xrp(50))).await;
    told.until(Kind::Wanted).await;
    let next = |told: &Told| told.world.desk.alerts()[0].next.clone();
    assert_eq!(next(&told).as_deref(), Some("2000-01-01T09:00:00Z"), "as people are told");
    for minutes in [15, 6 * 60, 2 * 60 + 30] {
        told.look_after(minutes).await;
        assert!(told.came("bob").await.is_empty());
    }
    told.look_after(30).await;
    let came = told.came("bob").await;
    assert!(came.len() == 1 && came[0].ends_with("-step-1"), "{came:?}");
    let step = told.world.desk.list(u64::MAX, Some("bob"), None, 10).unwrap();
    let says = &step.iter().find(|one| one.notice.id == came[0]).unwrap().notice.says;
    assert!(says.starts_with("Nobody has answered this for 555 min"), "{says}");
    told.look_after(15).await;
    assert_eq!(told.came("board").await.len(), 1);
}

/// What is critical goes on at night all the same.
#[tokio::test]
async fn a_step_of_what_is_critical_waits_for_no_quiet_hours() {
    let zone = Arc::new(Zone { name: "UTC".to_owned(), ahead_seconds: 0, changes: Vec::new() });
    let quiet = Some(Times { zone, weekdays: None, from_minute: 0, until_minute: 24 * 60 });
    let to = vec!["bob".to_owned()];
    let escalation = Some(Escalation { after_seconds: 900, to });
    let channels = vec!["ops".to_owned()];
    let all = Route { channels, severity: Severity::Warning, quiet, escalation, ..Route::default() };
    let mut told =
        Told::start_in(&MemoryStore::new(), world_of(&Disk::default(), &["ops", "bob"], vec![all], |_| {}))
            .await;
    testing::look(&told.handle).await;
    let freeze = Command::Freeze { account: None, reason: "a thief".to_owned() };
    told.command("sue", freeze).await;
    told.until(Kind::Freeze).await;
    told.look_after(15).await;
    assert_eq!(told.came("bob").await.len(), 1);
}

#[tokio::test]
async fn an_acknowledgement_ends_it() {
    let mut told = Told::start_in(&MemoryStore::new(), asking(&Disk::default())).await;
    testing::look(&told.handle).await;
    told.handle.input(strange_escrow()).await.unwrap();
    told.until(Kind::Finding).await;
    assert_eq!(told.unanswered(), 1);
    let findings = ["F1".parse().unwrap()].into();
    told.command("sue", Command::Acknowledge { findings, reason: "it is the auditor's".to_owned() }).await;
    assert_eq!(told.until(Kind::Acknowledged).await.pop().unwrap().severity, Severity::Warning);
    told.look_after(60).await;
    assert!(told.came("bob").await.is_empty());
    assert_eq!(told.unanswered(), 0);
}

/// Goal: who says that they look after it keeps others from being woken, also over a restart, and for as long as it lasts.
/// Danger: it is forgotten, or it silences what nobody has seen.
#[tokio::test]
async fn what_somebody_looks_after_goes_on_to_nobody_until_it_is_over_and_over_restarts() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let mut told = Told::start_in(&store, asking(&disk)).await;
    testing::look(&told.handle).await;
    told.command("alice", testing::pay(testing::xrp(50))).await;
    let wanted = told.until(Kind::Wanted).await.pop().unwrap();
    assert!(
        wanted.can_do.iter().any(|words| words.contains(&format!("acknowledge {} ", wanted.id))),
        "{wanted:?}"
    );
    assert_eq!(told.unanswered(), 1);
    told.look_after(15).await;
    assert_eq!(told.came("bob").await, [format!("{}-step-1", wanted.id)]);
    // By the notice of a step as well as by the first one.
    let notices = [format!("{}-step-1", wanted.id)].into();
    let reason = "I am on the phone with them".to_owned();
    told.command("bob", Command::AcknowledgeNotices { notices, reason }).await;
    while told.world.desk.alerts()[0].acknowledged.is_none() {
        tokio::task::yield_now().await;
    }
    assert!(told.world.metrics.text().unwrap().contains("treasuryd_notices_unanswered 0"));
    let shown = told.world.desk.alerts();
    assert_eq!((shown[0].next.as_ref(), shown[0].went_to.join(" ").as_str()), (None, "bob"));
    assert_eq!(shown[0].acknowledged.as_ref().unwrap().by, "bob");
    told._work.shutdown().await;
    let clock = told.world.desk.clock.now_ms();
    drop(told);

    let mut again = Told::start_in(&store, asking(&disk)).await;
    again.world.ahead.store(clock, Ordering::SeqCst);
    again.look_after(60).await;
    assert!(again.came("board").await.is_empty());
    assert_eq!(again.unanswered(), 1, "it is not over");
    let proposal = again.handle.query(|state, _| *state.proposals.last_key_value().unwrap().0).await.unwrap();
    again.command("alice", Command::Withdraw { proposal }).await;
    again.look_after(1).await;
    assert_eq!(again.unanswered(), 0);
}

/// A disk that has so little room, as the how manieth notice.
pub(super) fn low(desk: &Desk, number: u32, severity: Severity) {
    let id = format!("n-s-{number}");
    let notice = Notice::new(id, Kind::DiskLow, severity, String::new(), "low".to_owned());
    let addressed = desk.config.address(notice, desk.clock.now_ms());
    desk.outbox().add(addressed, Some((host::DISK.to_owned(), number))).unwrap();
    desk.wake_all();
}

/// Bob looks after that notice. Gives how many alerts nobody looks after.
pub(super) fn look_after(desk: &Desk, number: u32) -> usize {
    let answered = Answered {
        by: "bob".to_owned(),
        reason: "I buy one".to_owned(),
        at: String::new(),
        severity: Severity::Info,
    };
    desk.note_answers(&[(vec![format!("n-s-{number}")], answered)]).unwrap();
    desk.alerts().iter().filter(|alert| alert.acknowledged.is_none()).count()
}

#[tokio::test]
async fn what_becomes_graver_than_what_somebody_saw_asks_anew() {
    let mut told = Told::start_in(&MemoryStore::new(), asking(&Disk::default())).await;
    let desk = Arc::clone(&told.world.desk);
    low(&desk, 1, Severity::Warning);
    assert_eq!(look_after(&desk, 1), 0);
    low(&desk, 2, Severity::Warning);
    assert_eq!(desk.alerts().len(), 1, "the same again is what bob knows of");
    assert_eq!(desk.alerts()[0].acknowledged.as_ref().unwrap().by, "bob");
    low(&desk, 3, Severity::Critical);
    assert_eq!(desk.alerts()[0].acknowledged, None);
    assert_eq!(look_after(&desk, 3), 0);
    low(&desk, 4, Severity::Critical);
    assert!(desk.alerts()[0].acknowledged.is_some());
    // What nobody tells of any more is over.
    desk.outbox().forget_reminders(|_| false).unwrap();
    told.look_after(1).await;
    assert!(desk.alerts().is_empty());
    assert!(told.came("bob").await.is_empty());
}

/// Danger: somebody says that they look after what they saw in the evening, and what it became at night wakes nobody.
#[tokio::test]
async fn who_answers_what_was_told_before_it_became_graver_ends_nothing() {
    let told = Told::start_in(&MemoryStore::new(), asking(&Disk::default())).await;
    let desk = Arc::clone(&told.world.desk);
    let standing = |number: u32| desk.standing(&[format!("n-s-{number}")]).unwrap();
    low(&desk, 1, Severity::Warning);
    assert_eq!(standing(1), Standing::Known { unanswered: true });
    low(&desk, 2, Severity::Critical);
    assert_eq!((standing(1), look_after(&desk, 1)), (Standing::Outgrown, 1));
    assert_eq!(desk.alerts()[0].notice.id, "n-s-2");
    // Who has heard of it since knows how grave it is.
    low(&desk, 3, Severity::Warning);
    assert_eq!(standing(3), Standing::Known { unanswered: true });
    assert_eq!((look_after(&desk, 3), standing(1)), (0, Standing::Known { unanswered: false }));
}

/// Goal: what can wait for the morning and then cannot is told on at night.
#[tokio::test]
async fn what_becomes_critical_in_quiet_hours_goes_on_in_its_time_and_not_when_they_end() {
    let escalation = Some(Escalation { after_seconds: 900, to: vec!["bob".to_owned()] });
    let (channels, quiet) = (vec!["ops".to_owned()], super::waiting::night());
    let route = Route { channels, quiet, escalation, ..Route::default() };
    let world = world_of(&Disk::default(), &["ops", "bob"], vec![route], |_| {});
    let mut told = Told::start_in(&MemoryStore::new(), world).await;
    let desk = Arc::clone(&told.world.desk);
    low(&desk, 1, Severity::Warning);
    told.look_after(60).await;
    assert!(told.came("bob").await.is_empty(), "it waits for the morning");
    low(&desk, 2, Severity::Critical);
    told.look_after(15).await;
    assert_eq!(told.came("bob").await, ["n-s-2-step-1"]);
}

#[test]
fn of_two_routes_to_the_same_people_the_sooner_counts_whichever_comes_first() {
    let route = |after_seconds| {
        let escalation = Some(Escalation { after_seconds, to: vec!["bob".to_owned()] });
        Route { channels: vec!["ops".to_owned()], escalation, ..Route::default() }
    };
    for seconds in [[300, 900], [900, 300]] {
        let world = world_of(&Disk::default(), &["ops", "bob"], seconds.map(route).to_vec(), |_| {});
        low(&world.desk, 1, Severity::Warning);
        let alerts = world.desk.outbox().alerts().clone();
        let next: Vec<u64> = alerts.values().map(|alert| alert.next_ms() - alert.since_ms).collect();
        assert_eq!(next, [300_000], "{seconds:?}");
    }
}

/// Danger: whoever changes a route, to have another person woken, has nobody woken of what is open.
#[tokio::test]
async fn what_nobody_has_answered_goes_on_by_the_routes_of_now_from_the_step_that_it_has_come_to() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let mut told = Told::start_in(&store, asking(&disk)).await;
    testing::look(&told.handle).await;
    told.handle.input(strange_escrow()).await.unwrap();
    let finding = told.until(Kind::Finding).await.pop().unwrap();
    told.look_after(15).await;
    assert_eq!(told.came("bob").await, [format!("{}-step-1", finding.id)]);
    told._work.shutdown().await;
    let clock = told.world.desk.clock.now_ms();
    drop(told);

    let asking_carol = |kinds: Option<BTreeSet<Kind>>| {
        let escalation =
            Some(Escalation { after_seconds: 300, to: ["bob", "carol"].map(str::to_owned).to_vec() });
        let route = Route { channels: vec!["ops".to_owned()], kinds, escalation, ..Route::default() };
        let world = world_of(&disk, &["ops", "bob", "carol"], vec![route], |_| {});
        world.ahead.store(clock, Ordering::SeqCst);
        world
    };
    let mut again = Told::start_in(&store, asking_carol(None)).await;
    again.look_after(4).await;
    assert!(again.came("carol").await.is_empty());
    again.look_after(1).await;
    assert_eq!(again.came("carol").await, [format!("{}-step-2", finding.id)]);
    assert!(again.came("bob").await.is_empty());
    assert_eq!(again.unanswered(), 1);
    again._work.shutdown().await;
    drop(again);

    let nobody = Told::start_in(&store, asking_carol(Some([Kind::Freeze].into()))).await;
    nobody.look_after(0).await;
    assert_eq!(nobody.unanswered(), 0, "no route asks anybody");
}

/// Goal: a channel that nobody reads from is told of through the others, once, and is over when it is sent again.
#[tokio::test]
async fn a_channel_that_gave_up_is_told_of_through_the_others_until_its_dead_letters_are_sent_again() {
    let mut told = Told::start_in(&MemoryStore::new(), asking(&Disk::default())).await;
    told.world.does("board", Does::Answers(410));
    told.world.tell("board", 1);
    while told.world.desk.outbox().dead("board") == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        told.look_after(0).await;
    }
    let notice = told.until(Kind::ChannelGaveUp).await.pop().unwrap();
    assert_eq!((notice.channel.as_deref(), notice.severity), (Some("board"), Severity::Critical));
    assert_eq!(told.came("ops").await, Vec::<String>::new(), "it is said once");
    assert_eq!(told.unanswered(), 1);
    told.world.does("board", Does::Answers(200));
    told.world.desk.redeliver(&Asked::Range(0, u64::MAX), Some("board"), None).unwrap();
    told.look_after(1).await;
    assert_eq!(told.unanswered(), 0);
}

/// Danger: what is over goes on waking people; or what is told of it again, as a reminder, begins anew with the first.
#[tokio::test]
async fn what_is_over_ends_by_itself_and_what_is_told_again_of_the_same_matter_is_one_alert() {
    let mut told = Told::start_in(&MemoryStore::new(), asking(&Disk::default())).await;
    testing::look(&told.handle).await;
    told.command("alice", testing::pay(testing::xrp(50))).await;
    told.until(Kind::Wanted).await;
    let mut later = testing::ledger(102);
    let Input::Ledger { observation, .. } = &mut later else { panic!("a ledger") };
    observation.point.close_time.0 += 3 * 3_600;
    told.handle.input(later).await.unwrap();
    told.look_after(15).await;
    assert_eq!(told.came("bob").await.len(), 1);
    let listed = told.world.desk.list(u64::MAX, Some("ops"), None, 10).unwrap();
    assert!(listed.iter().any(|delivery| delivery.notice.kind == Kind::Reminder));
    assert_eq!(told.unanswered(), 1);
    told.command("sue", testing::freeze("a stranger called")).await;
    told.until(Kind::Freeze).await;
    assert_eq!(told.unanswered(), 2);
    let proposal = told.handle.query(|state, _| *state.proposals.last_key_value().unwrap().0).await.unwrap();
    told.command("alice", Command::Withdraw { proposal }).await;
    let stops = ["S1".parse().unwrap()].into();
    told.command("adam", Command::Lift { stops, reason: "it was the auditor".to_owned() }).await;
    told.look_after(60).await;
    assert_eq!(told.unanswered(), 0);
    assert!(told.came("bob").await.is_empty() && told.came("board").await.is_empty());
}

#[test]
fn only_what_somebody_can_answer_is_an_alert() {
    let escalation = Escalation { after_seconds: 60, to: vec!["a".to_owned(), "b".to_owned()] };
    let named = |kind, severity| {
        let mut notice = Notice::new(String::new(), kind, severity, String::new(), String::new());
        (notice.proposal, notice.stop) = (Some("P1".to_owned()), Some("S1".to_owned()));
        escalate::name(&notice, &escalation)
    };
    assert_eq!(named(Kind::SightLost, Severity::Critical).as_deref(), Some("sight > a > b"));
    assert_eq!(named(Kind::SightLost, Severity::Info), None, "every start loses sight");
    assert_eq!(named(Kind::Wanted, Severity::Warning), named(Kind::Reminder, Severity::Warning));
    assert_eq!(named(Kind::StopSet, Severity::Warning).as_deref(), Some("S1 > a > b"));
    for over in [Kind::Failed, Kind::StopLifted, Kind::Validated, Kind::Test, Kind::EscrowRevealed] {
        assert_eq!(named(over, Severity::Critical), None, "{over}");
    }
}

/// Danger: two routes wake different people about the same thing, and the second ones are never told.
#[tokio::test]
async fn each_route_s_people_are_woken_though_others_were_before_them() {
    let route = |minutes: u32, to: &str| Route {
        channels: vec!["ops".to_owned()],
        escalation: Some(Escalation { after_seconds: minutes * 60, to: vec![to.to_owned()] }),
        ..Route::default()
    };
    let routes = vec![route(5, "bob"), route(30, "board")];
    let world = world_of(&Disk::default(), &["ops", "bob", "board"], routes, |_| {});
    let mut told = Told::start_in(&MemoryStore::new(), world).await;
    testing::look(&told.handle).await;
    told.handle.input(strange_escrow()).await.unwrap();
    let finding = told.until(Kind::Finding).await.pop().unwrap();
    told.look_after(5).await;
    assert_eq!(told.came("bob").await, [format!("{}-step-1", finding.id)]);
    told.look_after(25).await;
    assert_eq!(told.came("board").await, [format!("{}-step-1-board", finding.id)]);
}

/// Danger: the quiet hours of the route and those of whoever is next follow each other round the clock, and nobody is ever
/// told on.
#[tokio::test]
async fn quiet_hours_that_leave_no_hour_hold_a_step_for_a_day_and_no_longer() {
    let zone = Arc::new(Zone { name: "UTC".to_owned(), ahead_seconds: 0, changes: Vec::new() });
    let hours = |from: u16, until: u16| {
        let zone = Arc::clone(&zone);
        Some(Times { zone, weekdays: None, from_minute: from * 60, until_minute: until * 60 })
    };
    let escalation = Some(Escalation { after_seconds: 900, to: vec!["bob".to_owned()] });
    let channels = vec!["ops".to_owned()];
    let all = Route { channels, quiet: hours(22, 7), escalation, ..Route::default() };
    let bobs = Route {
        channels: vec!["bob".to_owned()],
        kinds: Some([Kind::DrillAsked].into()),
        quiet: hours(7, 22),
        ..Route::default()
    };
    let world = world_of(&Disk::default(), &["ops", "bob"], vec![all, bobs], |_| {});
    let mut told = Told::start_in(&MemoryStore::new(), world).await;
    let desk = Arc::clone(&told.world.desk);
    // From midnight on it waits for the morning.
    low(&desk, 1, Severity::Warning);
    let next = || desk.alerts()[0].next.clone();
    assert_eq!(next().as_deref(), Some("2000-01-02T07:15:00Z"));
    for hours in [8, 8, 8] {
        told.look_after(hours * 60).await;
        assert!(told.came("bob").await.is_empty());
        assert_eq!(next().as_deref(), Some("2000-01-02T07:15:00Z"));
    }
    told.look_after(7 * 60 + 15).await;
    assert_eq!(told.came("bob").await, ["n-s-1-step-1"]);
}

/// Danger: somebody looks after lost sight, it comes back and is lost again before anybody looks at alerts, and that wakes
/// nobody.
#[tokio::test]
async fn what_is_over_and_comes_again_before_anybody_looks_asks_anew() {
    let mut told = Told::start_in(&MemoryStore::new(), asking(&Disk::default())).await;
    let desk = Arc::clone(&told.world.desk);
    let tell = |id: &str, kind: Kind, severity: Severity| {
        let notice = Notice::new(id.to_owned(), kind, severity, String::new(), "x".to_owned());
        let addressed = desk.config.address(notice, desk.clock.now_ms());
        desk.outbox().add(addressed, None).unwrap();
    };
    let unanswered = || desk.alerts().iter().filter(|alert| alert.acknowledged.is_none()).count();
    for (again, over) in [
        (Kind::SightLost, Kind::SightClear),
        (Kind::BreakerOpened, Kind::BreakerClosed),
        (Kind::SignerUnable, Kind::SignerAble),
    ] {
        let word = again.word();
        let (first, second) = (format!("{word}-1"), format!("{word}-2"));
        tell(&first, again, Severity::Critical);
        let answered = Answered {
            by: "bob".to_owned(),
            reason: "I look".to_owned(),
            at: String::new(),
            severity: Severity::Info,
        };
        desk.note_answers(&[(vec![first], answered)]).unwrap();
        assert_eq!(unanswered(), 0, "{word}");
        tell(&format!("{word}-over"), over, Severity::Info);
        assert!(desk.alerts().is_empty(), "{word}: it is over");
        tell(&second, again, Severity::Critical);
        assert_eq!((unanswered(), desk.alerts()[0].notice.id.as_str()), (1, second.as_str()), "{word}");
        // What nobody has answered goes on in its time, however often it comes and goes.
        tell(&format!("{word}-over-2"), over, Severity::Info);
        tell(&format!("{word}-3"), again, Severity::Critical);
        assert_eq!(desk.alerts()[0].notice.id, second, "{word}");
        desk.outbox().set_alerts(BTreeMap::new()).unwrap();
    }
    assert!(told.came("bob").await.is_empty());
}
