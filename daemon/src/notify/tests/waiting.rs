//! Notices that wait for quiet hours to end, or for others.

use treasury_core::policy::{Times, Zone};

use super::*;
use crate::notify::when::Batch;

const HOUR: u64 = 3_600;

/// Until seven in the morning by UTC; a world begins at midnight.
pub(super) fn night() -> Option<Times> {
    Some(Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 22 * 60, until_minute: 7 * 60 })
}

fn to(channel: &str, severity: Severity, quiet: Option<Times>) -> Route {
    Route { channels: vec![channel.to_owned()], severity, quiet, ..Route::default() }
}

/// Has channels gather, in a chat, what is less severe than a warning-to-be-woken-for.
fn gathers(channel: &mut Channel) {
    channel.form = Form::Slack;
    channel.batch = Some(Batch { period_seconds: 900, below: Severity::Critical });
}

impl World {
    pub(super) fn said(&self, id: &str, severity: Severity) {
        let says = format!("says {id}");
        let notice = Notice::new(id.to_owned(), Kind::StopLifted, severity, String::new(), says);
        let addressed = self.desk.config.address(notice, self.desk.clock.now_ms());
        self.desk.outbox().add(addressed, None).unwrap();
        self.desk.wake_all();
    }

    /// Waits until a channel has nothing left.
    pub(super) async fn empty(&self, channel: &str) {
        while self.waiting(channel) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Goal: nobody is woken for what can wait, and everybody for what cannot.
#[tokio::test(start_paused = true)]
async fn in_quiet_hours_all_but_what_is_critical_waits_until_they_end_and_over_a_restart() {
    let (disk, routes) = (Disk::default(), || vec![to("alice", Severity::Info, night())]);
    let mut world = world_of(&disk, &["alice"], routes(), |_| {});
    let work = world.work();
    world.said("n-1", Severity::Warning);
    world.said("n-2", Severity::Critical);
    let woken = world.got.recv().await.unwrap();
    assert_eq!((woken.notice.id.as_str(), woken.after), ("n-2", Duration::ZERO));
    while world.waiting("alice") > 1 {
        tokio::task::yield_now().await;
    }
    drop((work, world));

    let mut world = world_of(&disk, &["alice"], routes(), |_| {});
    let _work = world.work();
    world.said("n-3", Severity::Info);
    let mut morning = Vec::new();
    for _ in 0..2 {
        let got = world.got.recv().await.unwrap();
        assert_eq!(got.after.as_secs(), 7 * HOUR);
        morning.push(got.notice.id);
    }
    assert_eq!(morning, ["n-1", "n-3"]);
    world.said("n-4", Severity::Info);
    let by_day = world.got.recv().await.unwrap();
    assert_eq!((by_day.notice.id.as_str(), by_day.after.as_secs()), ("n-4", 7 * HOUR));
}

#[tokio::test(start_paused = true)]
async fn what_another_route_takes_through_the_same_channel_does_not_wait_for_its_quiet_hours() {
    let routes = vec![to("alice", Severity::Info, night()), to("alice", Severity::Warning, None)];
    let mut world = world_of(&Disk::default(), &["alice"], routes, |_| {});
    let _work = world.work();
    world.said("n-1", Severity::Info);
    world.said("n-2", Severity::Warning);
    let order = [world.got.recv().await.unwrap(), world.got.recv().await.unwrap()];
    assert_eq!(
        order.map(|got| (got.notice.id, got.after.as_secs())),
        [("n-2".to_owned(), 0), ("n-1".to_owned(), 7 * HOUR)]
    );
}

/// Goal: a busy hour is one message, not forty. Danger: some of them are lost, or sent twice, where it fails.
#[tokio::test(start_paused = true)]
async fn what_is_gathered_goes_out_as_one_message_at_the_end_of_the_period_and_again_as_the_same() {
    let disk = Disk::default();
    let routes = vec![to("chat", Severity::Info, None)];
    let mut world = world_of(&disk, &["chat"], routes, gathers);
    world.does("chat", Does::Answers(500));
    let _work = world.work();
    for id in ["n-1", "n-2", "n-3"] {
        world.said(id, Severity::Warning);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    world.said("n-4", Severity::Critical);
    let alone = world.got.recv().await.unwrap();
    assert!(alone.notice.says.contains("says n-4") && !alone.notice.says.contains("notices"));
    assert_eq!(alone.after.as_secs(), 180);
    world.does("chat", Does::Answers(200));
    let again = world.got.recv().await.unwrap();
    assert_eq!(again.notice.says, alone.notice.says);
    world.does("chat", Does::Answers(500));

    let first = world.got.recv().await.unwrap();
    assert_eq!(first.after.as_secs(), 900);
    assert!(first.notice.says.contains("3 notices"), "{}", first.notice.says);
    for id in ["n-1", "n-2", "n-3"] {
        assert!(first.notice.says.contains(&format!("says {id}")), "{}", first.notice.says);
    }
    world.does("chat", Does::Answers(200));
    let second = world.got.recv().await.unwrap();
    assert_eq!((&second.notice.says, second.after.as_secs()), (&first.notice.says, 905));
    world.empty("chat").await;
    let text = world.metrics.text().unwrap();
    assert!(text.contains("treasuryd_deliveries_total{channel=\"chat\",outcome=\"delivered\"} 4"), "{text}");
    world.said("n-5", Severity::Info);
    assert_eq!(world.got.recv().await.unwrap().after.as_secs(), 1_800);
}

#[tokio::test(start_paused = true)]
async fn a_night_that_was_busy_is_messages_of_twenty_in_the_morning() {
    let routes = vec![to("chat", Severity::Info, night())];
    let mut world = world_of(&Disk::default(), &["chat"], routes, gathers);
    let _work = world.work();
    (0..45).for_each(|number| world.said(&format!("n-{number}"), Severity::Warning));
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let got = world.got.recv().await.unwrap();
        assert_eq!(got.after.as_secs(), 7 * HOUR);
        sizes.push(got.notice.says.matches("says n-").count());
    }
    assert_eq!(sizes, [20, 20, 5]);
    world.empty("chat").await;
}

#[test]
fn a_notice_leads_to_the_page_of_the_console_that_it_is_about() {
    let config =
        NotifyConfig { console: Some("https://treasury.example".to_owned()), ..NotifyConfig::default() };
    let link = |proposal: Option<&str>, finding: Option<&str>, kind| {
        let mut notice = Notice::new(String::new(), kind, Severity::Info, String::new(), String::new());
        (notice.proposal, notice.finding) = (proposal.map(str::to_owned), finding.map(str::to_owned));
        config.address(notice, 0).notice.link.unwrap()
    };
    assert_eq!(link(Some("P3"), None, Kind::Wanted), "https://treasury.example/console/proposals/P3");
    assert_eq!(
        link(None, Some("F3"), Kind::Finding),
        "https://treasury.example/console/findings?which=all#F3"
    );
    assert_eq!(link(None, None, Kind::SightLost), "https://treasury.example/console/system");
    assert_eq!(link(None, None, Kind::Test), "https://treasury.example/console/deliveries");
    let nowhere = Notice::new(String::new(), Kind::Test, Severity::Info, String::new(), String::new());
    assert_eq!(NotifyConfig::default().address(nowhere, 0).notice.link, None);
}

/// Danger: twenty long notices are one card, which Teams refuses every time, and after eight hours people have been told nothing.
#[tokio::test(start_paused = true)]
async fn no_message_is_longer_than_its_receiver_takes_and_none_is_lost() {
    let matrix = || Form::Matrix { room: "!a:b".to_owned(), token_file: PathBuf::new() };
    for (form, most, words) in [(Form::Slack, 4_000, 60), (Form::Teams, 12_000, 180), (matrix(), 60_000, 900)]
    {
        let routes = vec![to("chat", Severity::Info, None)];
        let mut world = world_of(&Disk::default(), &["chat"], routes, |channel| {
            let Form::Webhook { secrets_file } = channel.form.clone() else { panic!("a webhook") };
            gathers(channel);
            channel.form = match &form {
                Form::Matrix { room, .. } => Form::Matrix { room: room.clone(), token_file: secrets_file },
                form => form.clone(),
            };
        });
        let long = "ein \"Wort\" ".repeat(words);
        (0..20).for_each(|number| world.said(&format!("n-{number:02} {long}"), Severity::Warning));
        let _work = world.work();
        tokio::time::sleep(Duration::from_secs(901)).await;
        world.empty("chat").await;
        let mut told = Vec::new();
        while let Ok(got) = world.got.try_recv() {
            let body: serde_json::Value = serde_json::from_str(&got.notice.says).unwrap();
            let size = match &form {
                Form::Slack => body["text"].as_str().unwrap().chars().count(),
                Form::Teams => body.to_string().encode_utf16().count(),
                _ => body.to_string().len(),
            };
            assert!(size <= most, "{form:?}: {size}");
            let said = got.notice.says;
            told.push(
                (0..20).filter(|number| said.contains(&format!("says n-{number:02} "))).collect::<Vec<_>>(),
            );
        }
        assert!((3..=10).contains(&told.len()), "{form:?}: {told:?}");
        assert_eq!(told.concat(), (0..20).collect::<Vec<_>>(), "{form:?}");
    }
}
