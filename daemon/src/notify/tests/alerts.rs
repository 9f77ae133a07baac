//! What an Alertmanager is told of an alert and of its end, and in what order.

use serde_json::Value;
use treasury_api::types::PartyView;

use super::*;
use crate::notify::outbox::Delivery;

/// A world with one Alertmanager, to which everything goes.
fn alertmanager() -> World {
    alertmanager_by(&Disk::default(), Route { channels: vec!["am".to_owned()], ..Route::default() })
}

/// The same with this route, and a chat beside it.
fn alertmanager_by(disk: &Disk, route: Route) -> World {
    world_of(disk, &["am", "chat"], vec![route], |channel| {
        if channel.name == "am" {
            channel.form = Form::Alertmanager { token_file: None };
        }
    })
}

impl World {
    fn of_account(&self, id: &str, kind: Kind, account: Option<&str>) {
        let severity = if kind == Kind::SignerUnable { Severity::Critical } else { Severity::Info };
        let mut notice =
            Notice::new(id.to_owned(), kind, severity, "2026-01-01T00:00:00Z".to_owned(), id.to_owned());
        notice.account = account.map(|name| PartyView { address: name.to_owned(), name: None });
        self.takes_in(notice);
    }

    fn takes_in(&self, notice: Notice) {
        for addressed in self.desk.addressed(vec![notice], self.desk.clock.now_ms()) {
            self.desk.outbox().add(addressed, None).unwrap();
        }
        self.desk.wake_all();
    }

    /// What came by now, without names and times: the labels of each alert, and whether it is one's end.
    fn labelled(&mut self) -> Vec<(Value, bool)> {
        let mut posted = Vec::new();
        while let Ok(got) = self.got.try_recv() {
            let alerts: Vec<Value> = serde_json::from_str(&got.notice.says).unwrap();
            posted.extend(
                alerts.into_iter().map(|alert| (alert["labels"].clone(), alert.get("startsAt").is_none())),
            );
        }
        posted
    }

    /// What came by now, as the alert's summary.
    fn posted(&mut self) -> Vec<String> {
        let mut posted = Vec::new();
        while let Ok(got) = self.got.try_recv() {
            let alerts: Value = serde_json::from_str(&got.notice.says).unwrap();
            posted.push(alerts[0]["annotations"]["summary"].as_str().unwrap().to_owned());
        }
        posted
    }
}

/// Danger: the first try of an alert fails, its end goes through, and the second try opens it again for thirty days.
#[tokio::test(start_paused = true)]
async fn an_alert_whose_end_an_alertmanager_has_is_not_opened_again_by_a_later_try() {
    let mut world = alertmanager();
    let _work = world.work();
    world.does("am", Does::Answers(503));
    world.of_account("unable", Kind::SignerUnable, Some("rA"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.does("am", Does::Answers(200));
    world.of_account("able", Kind::SignerAble, Some("rA"));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.posted(), ["unable", "able"]);
    assert_eq!((world.waiting("am"), world.desk.outbox().dead("am")), (0, 0));
    let listed = world.desk.list(u64::MAX, Some("am"), None, 10).unwrap();
    let first = listed.iter().find(|one| one.notice.id == "unable").unwrap();
    assert!(first.problem.as_deref().unwrap().starts_with("not sent: "), "{first:?}");
    // Nor by who sends it again.
    world.desk.redeliver(&Asked::One("unable".to_owned()), None, None).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.posted().is_empty());
}

/// Danger: the Alertmanager is away while a signer fails, comes back and fails again; what is critical goes first, and then the
/// end of the first failure ends the alert of the second.
#[tokio::test(start_paused = true)]
async fn an_alert_that_has_opened_again_is_not_ended_by_the_end_of_before() {
    let mut world = alertmanager();
    for (id, kind) in
        [("unable-1", Kind::SignerUnable), ("able-1", Kind::SignerAble), ("unable-2", Kind::SignerUnable)]
    {
        world.of_account(id, kind, Some("rA"));
    }
    let _work = world.work();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.posted(), ["unable-2"]);
    assert_eq!(world.waiting("am"), 0);
}

/// Other alerts, and what has no end, are sent as they come.
#[tokio::test(start_paused = true)]
async fn only_what_is_of_the_same_alert_is_left_out() {
    let mut world = alertmanager();
    world.does("am", Does::Answers(503));
    let _work = world.work();
    world.of_account("unable", Kind::SignerUnable, Some("rA"));
    world.of_account("stop", Kind::StopLifted, None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.posted();
    world.does("am", Does::Answers(200));
    world.of_account("other", Kind::SignerAble, Some("rB"));
    world.of_account("stop-2", Kind::StopLifted, None);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let mut posted = world.posted();
    posted.sort();
    assert_eq!(posted, ["other", "stop", "stop-2", "unable"]);
}

/// Danger: an end that was refused once is sent when there is a new begin, and people are told that it is over; or a begin that
/// was given up is sent again when it is over, and wakes people for thirty days.
#[tokio::test(start_paused = true)]
async fn who_sends_again_what_was_given_up_opens_nothing_that_is_over_and_ends_nothing_that_is_not() {
    for (ids, stage) in [
        (["unable", "able", ""], None),
        (["unable", "able", ""], Some(Stage::Dead)),
        (["unable", "able", "unable-2"], Some(Stage::Dead)),
    ] {
        let mut world = alertmanager();
        world.does("am", Does::Answers(410));
        let _work = world.work();
        for id in ids.iter().filter(|id| !id.is_empty()) {
            let is_end = *id == "able";
            if id.ends_with("-2") {
                world.does("am", Does::Answers(200));
            }
            world.of_account(id, if is_end { Kind::SignerAble } else { Kind::SignerUnable }, Some("rA"));
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        world.does("am", Does::Answers(200));
        world.posted();
        // One alone, and then all.
        world.desk.redeliver(&Asked::One("unable".to_owned()), None, stage).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(world.posted().is_empty(), "{ids:?} {stage:?}");
        world.desk.redeliver(&Asked::Range(0, u64::MAX), None, stage).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let last = if ids[2].is_empty() { vec!["able"] } else { Vec::new() };
        assert_eq!(world.posted(), last, "{ids:?} {stage:?}");
    }
}

/// Danger: the begin comes by a route for what is critical, or at night, and the end, which is neither, never or in the morning.
#[tokio::test(start_paused = true)]
async fn an_alertmanager_is_told_of_the_end_at_once_whatever_leads_there() {
    let am = || vec!["am".to_owned()];
    let escalation = Some(Escalation { after_seconds: 60, to: am() });
    for route in [
        Route { channels: am(), severity: Severity::Critical, ..Route::default() },
        Route { channels: am(), quiet: super::waiting::night(), ..Route::default() },
        Route { channels: am(), kinds: Some([Kind::SignerUnable].into()), ..Route::default() },
        Route {
            channels: vec!["chat".to_owned()],
            severity: Severity::Critical,
            escalation,
            ..Route::default()
        },
    ] {
        let mut world = alertmanager_by(&Disk::default(), route.clone());
        let _work = world.work();
        world.of_account("unable", Kind::SignerUnable, Some("rA"));
        tokio::time::sleep(Duration::from_secs(61)).await;
        let names: Vec<String> = world.desk.outbox().alerts().keys().cloned().collect();
        names.iter().for_each(|name| world.desk.outbox().step(name, world.desk.clock.now_ms()).unwrap());
        world.desk.wake_all();
        tokio::time::sleep(Duration::from_secs(1)).await;
        while world.got.try_recv().is_ok() {}
        world.of_account("able", Kind::SignerAble, Some("rA"));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(world.posted(), ["able"], "{route:?}");
    }
}

/// Danger: an earlier version has told of it without a label that the end has, or the host of a container has another name by
/// now, and the alert stays for thirty days.
#[tokio::test(start_paused = true)]
async fn an_end_has_the_labels_that_its_begin_was_told_under() {
    let disk = Disk::default();
    let of = |instance: &str| {
        let mut world = alertmanager_by(&disk, Route { channels: vec!["am".to_owned()], ..Route::default() });
        let desk = Arc::get_mut(&mut world.desk).unwrap();
        desk.config.instance = Some(instance.to_owned());
        world
    };
    let mut world = of("one");
    let work = world.work();
    world.of_account("unable", Kind::SignerUnable, Some("rA"));
    world.of_account("earlier", Kind::SignerUnable, Some("rB"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begins = world.labelled();
    assert!(begins.iter().all(|(labels, is_end)| labels["instance"] == "one" && !is_end), "{begins:?}");
    let number = world.desk.outbox().number("earlier").unwrap();
    let as_before = Delivery { stage: Stage::Delivered, attempts: 1, ..Delivery::due(0) };
    world.desk.outbox().set("am", number, &as_before).unwrap();
    drop((work, world));

    let mut world = of("two");
    let _work = world.work();
    let mut ended = |account: &str| {
        world.of_account(&format!("able {account}"), Kind::SignerAble, Some(account));
    };
    ["rA", "rB", "rC"].into_iter().for_each(&mut ended);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ends = world.labelled();
    assert!(ends.iter().all(|(_, is_end)| *is_end));
    let instance = |account: &str| {
        let (labels, _) = ends.iter().find(|(labels, _)| labels["account"] == account).unwrap();
        labels["instance"].clone()
    };
    assert_eq!((instance("rA"), instance("rB"), instance("rC")), ("one".into(), Value::Null, "two".into()));
}
