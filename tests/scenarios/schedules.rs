//! Goal: what is due is paid when it is due, once, with nobody at the keyboard.
//! Danger: a salary that is paid twice because a process died, or before its day.
//! Method: the daemon is killed when the payment has been asked for, and again when it has left.

use std::fmt::Write as _;

use treasuryd::dev::seen::{self, Books};
use xrpl_harness::Network;
use xrpl_wire::{RippleTime, TransactionType};

use crate::scene::Scene;

pub(crate) async fn a_scheduled_payment_is_made_when_it_is_due_and_once() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let now = sandbox.world().validated().await.unwrap().close_time.0;
    // The file says whole minutes. Somebody needs the time before it to look.
    let due = RippleTime((now + 300).next_multiple_of(60));
    let words = due.to_string();
    let (date, time) = (&words[..10], &words[11..16]);
    let mut text = std::fs::read_to_string(sandbox.config_path()).unwrap();
    write!(
        text,
        "\n[[schedule]]\nname = \"rent\"\nfrom = \"hot\"\nto = \"supplier\"\namount = \"40 XRP\"\nby = \"alice\"\n\
         note = \"rent of the office\"\ndates = [\"{date}\"]\nat = \"{time}\"\nlead = \"1h\"\nlate_max = \"1h\"\n"
    )
    .unwrap();
    std::fs::write(sandbox.config_path(), text).unwrap();
    let mut stage = scene.stage().await;
    let hot = sandbox.account("hot").unwrap();
    let alice = sandbox.people().get("alice").unwrap();
    let books = Books::open(sandbox.world()).await.unwrap();
    sandbox
        .until_told("the payment is asked for", || async move {
            let schedules = alice.client().schedules().await.map_err(|error| error.to_string())?;
            if schedules.iter().any(|schedule| !schedule.open.is_empty()) {
                Ok(())
            } else {
                Err(format!("{schedules:?}"))
            }
        })
        .await
        .unwrap();
    let schedules = alice.client().schedules().await.unwrap();
    let asked = &schedules[0].open[0];
    assert_eq!((asked.due.as_str(), schedules[0].next.len()), (words.as_str(), 0), "{schedules:?}");
    stage.kill().await.unwrap();
    stage.restart().await.unwrap();
    let id = asked.proposal.clone();
    let shown = alice.client().proposal(&id).await.unwrap();
    assert_eq!((shown.asker.as_str(), shown.origin.as_deref()), ("alice", Some("daemon")));
    assert_eq!(shown.occurrence.map(|occurrence| occurrence.due), Some(words));
    assert!(shown.waits_for.iter().any(|wait| wait.ends_with("when it is due")), "{:?}", shown.waits_for);
    let before = sandbox.advance_to(RippleTime(due.0 - 20)).await.unwrap();
    sandbox.daemon_has_seen(before.index).await.unwrap();
    let early = seen::sent_by(sandbox.world(), &hot, books.since()).await.unwrap();
    assert!(early.iter().all(|sent| sent.tx.tx_type() != TransactionType::Payment), "{early:?}");
    sandbox.advance_to(due).await.unwrap();
    let paid = stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await.unwrap();
    assert!(paid.ledger_index > before.index, "{paid:?}");
    stage.kill().await.unwrap();
    stage.restart().await.unwrap();
    sandbox.let_pass(5).await.unwrap();
    let sent = seen::sent_by(sandbox.world(), &hot, books.since()).await.unwrap();
    assert_eq!(
        sent.iter().filter(|sent| sent.tx.tx_type() == TransactionType::Payment).count(),
        1,
        "{sent:?}"
    );
    let shown = alice.client().proposal(&id).await.unwrap();
    assert_eq!(
        (shown.status.as_str(), shown.intent.amount.unwrap().words()),
        ("validated", "40 XRP".to_owned())
    );
}
