//! What is settled before people hear of it.

use treasury_core::Command;

use super::story::{Told, strange_escrow};
use super::*;
use crate::store::MemoryStore;
use crate::testing;

/// Programs are told at once through `ops`, people in a chat in the morning.
fn night() -> World {
    let quiet = super::waiting::night();
    let to = |name: &str, quiet| Route { channels: vec![name.to_owned()], quiet, ..Route::default() };
    world_of(&Disk::default(), &["ops", "chat"], vec![to("ops", None), to("chat", quiet)], |channel| {
        if channel.name == "chat" {
            channel.form = Form::Slack;
        }
    })
}

impl Told {
    /// What a chat says in the morning, a message each.
    async fn morning(&mut self) -> Vec<String> {
        self.world.desk.look(&self.handle).await.unwrap();
        self.world.later(8 * 60);
        self.world.desk.wake_all();
        self.world.empty("chat").await;
        let mut said = Vec::new();
        while let Ok(got) = self.world.got.try_recv() {
            if got.channel == "chat" {
                let body: serde_json::Value = serde_json::from_str(&got.notice.says).unwrap();
                said.push(body["text"].as_str().unwrap().to_owned());
            }
        }
        said
    }
}

/// Danger: people get up, read that two things wait for them, and hurry for what was over before they woke.
#[tokio::test]
async fn what_was_settled_in_quiet_hours_is_told_in_one_line_that_asks_nothing_of_anybody() {
    let mut told = Told::start_in(&MemoryStore::new(), night()).await;
    testing::look(&told.handle).await;
    for _ in 0..2 {
        told.command("alice", testing::pay(testing::xrp(50))).await;
        told.until(Kind::Wanted).await;
    }
    let (first, second) = told
        .handle
        .query(|state, _| {
            let ids: Vec<_> = state.proposals.keys().copied().collect();
            (ids[0], ids[1])
        })
        .await
        .unwrap();
    told.command("alice", Command::Withdraw { proposal: first }).await;
    told.until(Kind::Withdrawn).await;
    let said = told.morning().await;
    let of = |id: &str| {
        let wants =
            |said: &&String| said.contains(&format!("{id} on warm")) && said.contains("waits for signatures");
        said.iter().find(wants).unwrap_or_else(|| panic!("{said:?}"))
    };
    let over = of(&first.to_string());
    assert!(over.starts_with("[info] Settled meanwhile: ") && over.lines().count() == 1, "{over}");
    let waits = of(&second.to_string());
    assert!(waits.starts_with("[warning] ") && waits.contains("Can still sign"), "{waits}");
    assert!(said.iter().any(|said| said.contains("taken back") && !said.contains("Settled")), "{said:?}");
}

#[tokio::test]
async fn what_was_lifted_acknowledged_or_is_looked_after_by_somebody_is_said_so_and_the_rest_is_as_it_was() {
    let mut told = Told::start_in(&MemoryStore::new(), night()).await;
    testing::look(&told.handle).await;
    let flag = |reason: &str| Command::FlagDestination {
        destination: testing::exchange(),
        reason: reason.to_owned(),
    };
    told.command("sue", flag("one")).await;
    told.until(Kind::StopSet).await;
    let stops = ["S1".parse().unwrap()].into();
    told.command("sue", Command::Lift { stops, reason: "it was the auditor".to_owned() }).await;
    told.until(Kind::StopLifted).await;
    told.command("sue", flag("two")).await;
    told.until(Kind::StopSet).await;
    let said = told.morning().await;
    let of = |words: &str| said.iter().find(|said| said.contains(words)).unwrap().clone();
    assert!(of(": one.").starts_with("[info] Settled meanwhile: sue set a hold"), "{said:?}");
    assert!(of(": two.").starts_with("[warning] sue set a hold"), "{said:?}");
}

/// Danger: what is told the moment before it goes out is taken for settled, because nobody has looked at it yet.
#[tokio::test]
async fn what_nobody_has_looked_at_since_it_was_told_is_settled_in_nobody_s_eyes() {
    let mut told = Told::start_in(&MemoryStore::new(), night()).await;
    testing::look(&told.handle).await;
    told.world.desk.look(&told.handle).await.unwrap();
    told.handle.input(strange_escrow()).await.unwrap();
    let finding = told.until(Kind::Finding).await.pop().unwrap();
    let number = told.world.desk.outbox().number(&finding.id).unwrap();
    let now = |form: &Form| told.world.desk.as_of_now(form, number, finding.clone());
    assert_eq!(now(&Form::Slack), finding);
    told.world.desk.look(&told.handle).await.unwrap();
    assert_eq!(now(&Form::Slack), finding, "it stands");
    let findings = ["F1".parse().unwrap()].into();
    told.command("sue", Command::Acknowledge { findings, reason: "it is the auditor's".to_owned() }).await;
    told.world.desk.look(&told.handle).await.unwrap();
    let settled = now(&Form::Slack);
    assert!(settled.says.starts_with("Settled meanwhile: Finding F1"), "{}", settled.says);
    assert_eq!((settled.can_do.len(), settled.severity), (0, Severity::Info));
    assert_eq!(now(&Form::Alertmanager { token_file: None }), finding, "programs get their documents");
}

/// Who says that they look after something has nobody else hurry for it.
#[tokio::test]
async fn what_somebody_looks_after_is_told_with_their_name() {
    let escalation = Some(Escalation { after_seconds: 900, to: vec!["bob".to_owned()] });
    let route = Route { channels: vec!["ops".to_owned()], escalation, ..Route::default() };
    let world = world_of(&Disk::default(), &["ops", "bob"], vec![route], |_| {});
    let desk = &world.desk;
    super::unanswered::low(desk, 1, Severity::Warning);
    let notice = desk.outbox().notice("n-s-1").unwrap().unwrap();
    assert_eq!(desk.as_of_now(&Form::Slack, 1, notice.clone()), notice);
    super::unanswered::look_after(desk, 1);
    assert_eq!(desk.as_of_now(&Form::Slack, 1, notice.clone()).says, "bob looks after this by now: low");
    // What is graver they have not seen.
    let graver = Notice { severity: Severity::Critical, ..notice.clone() };
    assert_eq!(desk.as_of_now(&Form::Slack, 1, graver.clone()), graver);
    desk.outbox().set_alerts(BTreeMap::new()).unwrap();
    desk.outbox().forget_reminders(|_| false).unwrap();
    assert_eq!(desk.as_of_now(&Form::Slack, 1, notice).says, "Settled meanwhile: low");
}
