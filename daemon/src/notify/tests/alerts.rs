//! What an Alertmanager is told of an alert and of its end, and in what order.

use serde_json::Value;
use treasury_api::types::PartyView;

use super::*;

/// A world with one Alertmanager, to which everything goes.
fn alertmanager() -> World {
    let route = Route { channels: vec!["am".to_owned()], ..Route::default() };
    world_of(&Disk::default(), &["am"], vec![route], |channel| {
        channel.form = Form::Alertmanager { token_file: None };
    })
}

impl World {
    fn of_account(&self, id: &str, kind: Kind, account: Option<&str>) {
        let severity = if kind == Kind::SignerUnable { Severity::Critical } else { Severity::Info };
        let mut notice =
            Notice::new(id.to_owned(), kind, severity, "2026-01-01T00:00:00Z".to_owned(), id.to_owned());
        notice.account = account.map(|name| PartyView { address: name.to_owned(), name: None });
        let addressed = self.desk.config.address(notice, self.desk.clock.now_ms());
        self.desk.outbox().add(addressed, None).unwrap();
        self.desk.wake_all();
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
    assert_eq!(world.posted(), ["unable-1", "unable-2"]);
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
