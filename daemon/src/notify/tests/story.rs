//! An engine that lives through a story, and what people are told of it.

use std::collections::BTreeSet;

use treasury_core::config::Role;
use treasury_core::policy::{self, Action, Policy, Rule};
use treasury_core::units::{Amount, ProposalId};
use treasury_core::{Command, Event, Input};

use super::*;
use crate::engine::Engine;
use crate::http::{App, Limits, Tokens};
use crate::store::{Archive, MemoryStore, Store};
use crate::testing::{self, ALICE, BOB};

/// An engine on a store, whose facts a desk takes in.
pub(super) struct Told {
    pub(super) world: World,
    pub(super) handle: EngineHandle,
    pub(super) _work: JoinSet<()>,
}

impl Told {
    async fn start(store: &MemoryStore, disk: &Disk) -> Self {
        Self::start_in(store, world(disk, &["ops"])).await
    }

    pub(super) async fn start_in(store: &MemoryStore, world: World) -> Self {
        let (mut engine, _, _) = testing::engine(store.clone());
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        let mut work = world.work();
        let last = *handle.records().borrow();
        world.desk.begin(&handle, last).await.unwrap();
        let (desk, asked) = (Arc::clone(&world.desk), handle.clone());
        work.spawn(async move {
            take_in(&desk, &asked, last).await;
        });
        Self { world, handle, _work: work }
    }

    /// What is told until a notice of this kind has come.
    pub(super) async fn until(&mut self, kind: Kind) -> Vec<Notice> {
        let mut notices = Vec::new();
        loop {
            let got = self.world.got.recv().await.unwrap();
            notices.push(got.notice);
            if notices.last().unwrap().kind == kind {
                return notices;
            }
        }
    }

    pub(super) async fn command(&self, person: &str, command: Command) {
        self.handle.command(testing::actor(person), command).await.unwrap().unwrap();
    }

    /// Proposes, and has Alice and Bob sign.
    pub(super) async fn pay(&mut self, amount: u64) -> (ProposalId, Vec<String>, Vec<Notice>) {
        self.command("alice", testing::pay(testing::xrp(amount))).await;
        let notices = self.until(Kind::Wanted).await;
        let (id, rungs) = self
            .handle
            .query(|state, _| {
                let (id, proposal) = state.proposals.last_key_value().unwrap();
                (*id, proposal.plan.as_ref().unwrap().rungs.clone())
            })
            .await
            .unwrap();
        let mut signed = Vec::new();
        for (person, number) in [("alice", ALICE), ("bob", BOB)] {
            let signatures = testing::signatures(number, &rungs);
            signed.extend(signatures.signatures.iter().map(|signature| signature.to_string()));
            self.command(person, Command::Approve { proposal: id, signatures }).await;
        }
        (id, signed, notices)
    }
}

fn kinds(notices: &[Notice]) -> Vec<&'static str> {
    notices.iter().map(|notice| notice.kind.word()).collect()
}

#[tokio::test]
async fn people_are_told_who_asks_who_can_still_sign_who_signed_and_what_became_of_it() {
    let mut told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    testing::look(&told.handle).await;
    assert_eq!(told.until(Kind::SightClear).await.last().unwrap().severity, Severity::Info);
    let (id, _, mut notices) = told.pay(50).await;
    notices.extend(told.until(Kind::Submitted).await);
    assert_eq!(
        kinds(&notices),
        ["created", "signatures_wanted", "approval_added", "approval_added", "quorum_met", "submitted"]
    );
    for notice in &notices {
        assert_eq!(notice.proposal.as_deref(), Some(id.to_string().as_str()));
        assert_eq!(notice.account.as_ref().unwrap().name.as_deref(), Some("warm"));
        assert_eq!(notice.destination.as_ref().unwrap().name.as_deref(), Some("exchange"));
        assert_eq!(notice.amount.as_ref().unwrap().words(), "50 XRP");
        assert_eq!(notice.ledger.as_ref().unwrap().index, 101);
    }
    assert!(notices[1].deadline.is_some());
    assert_eq!(notices[1].signers, ["alice", "bob"]);
    assert!(notices[2].says.contains("alice has signed"), "{}", notices[2].says);
    let ids: BTreeSet<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
    assert_eq!(ids.len(), notices.len());

    told.command("sue", testing::freeze("a stranger called")).await;
    let freeze = told.until(Kind::Freeze).await.pop().unwrap();
    assert_eq!((freeze.severity, freeze.stop.as_deref()), (Severity::Critical, Some("S1")));
    assert_eq!(freeze.says, "sue set a freeze on account warm (S1): a stranger called.");
    let stops = ["S1".parse().unwrap()].into();
    told.command("adam", Command::Lift { stops, reason: "it was the auditor".to_owned() }).await;
    let lifted = told.until(Kind::StopLifted).await.pop().unwrap();
    assert_eq!(lifted.says, "adam lifted the freeze S1 on account warm: it was the auditor.");
}

/// Danger: somebody writes that people are told of what a rule matches, and nobody is.
#[tokio::test]
async fn whom_a_rule_names_is_told_when_what_it_matches_is_proposed() {
    let mut told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    let mut treasury = testing::treasury();
    let whom = policy::Told { roles: [Role::Security].into(), people: ["bob".to_owned()].into() };
    let above = |text, action| Rule {
        amount_above: Amount::from_words(text).ok(),
        ..Rule::new(format!("above {text}"), action)
    };
    let deny = above("900 XRP", Action::Deny);
    let rules = treasury.policy.rules().iter().cloned().chain([above("60 XRP", Action::Notify(whom)), deny]);
    treasury.policy = Policy::new(rules.collect());
    told.handle.declare(treasury).await.unwrap().unwrap();
    testing::look(&told.handle).await;
    told.command("alice", testing::pay(testing::xrp(60))).await;
    assert!(!kinds(&told.until(Kind::Wanted).await).contains(&"rule_matched"), "60 is not above 60");
    told.command("alice", testing::pay(testing::xrp(61))).await;
    let matched = told.until(Kind::RuleMatched).await.pop().unwrap();
    assert_eq!((matched.people.join(", ").as_str(), matched.proposal.as_deref()), ("bob, sue", Some("P2")));
    assert_eq!(
        matched.says,
        "P2 on warm (pay 61 XRP to exchange): is asked for by alice, and a rule says that bob, whoever is security are told; \
         policy says approve (small, above 60 XRP)."
    );
    told.command("alice", testing::pay(testing::xrp(901))).await;
    let matched = told.until(Kind::RuleMatched).await;
    assert_eq!(kinds(&matched[matched.len() - 2..]), ["denied", "rule_matched"]);
    assert!(matched.last().unwrap().can_do.is_empty(), "there is nothing left to stop");
}

/// Danger: another policy waits, and nobody whom it waits for knows.
#[tokio::test]
async fn those_who_can_put_another_policy_in_force_are_told_that_it_waits_and_all_that_it_is() {
    let mut told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    let people = ["bob", "adam"].map(str::to_owned).into();
    let terms = policy::Approvers { signatures: 2, people, ..policy::Approvers::default() };
    let mut hash = String::new();
    for action in [Action::Deny, Action::Allow] {
        let mut treasury = testing::treasury();
        treasury.policy = Policy::new(vec![Rule::new("all", action)]).with_activation(Some(terms.clone()));
        hash = treasury_core::charter::Table::of(&treasury).hash().to_string();
        told.handle.declare(treasury).await.unwrap().unwrap();
    }
    let waits = told.until(Kind::PolicyCandidate).await.pop().unwrap();
    assert_eq!(
        waits.says,
        "Another policy is configured than the one in force, and waits for 2 of adam or bob: rule \"all\" is changed."
    );
    assert_eq!((waits.severity, waits.people.join(", ")), (Severity::Warning, "adam, bob".to_owned()));
    assert!(waits.can_do[1].contains(&format!("treasuryctl policy activate {hash} ")), "{waits:?}");
    for person in ["bob", "adam"] {
        let policy = hash.parse().unwrap();
        told.command(person, Command::ActivatePolicy { policy, reason: "agreed".to_owned() }).await;
    }
    let done = told.until(Kind::PolicyActivated).await;
    assert_eq!(done.last().unwrap().says, format!("Another policy is in force: {hash}."));
}

/// Danger: what happens while nobody tells it, between two lives of the daemon, is forgotten, or told twice.
#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_a_store_that_was_built_anew_is_told_under_new_ids() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let mut first = Told::start(&store, &disk).await;
    testing::look(&first.handle).await;
    first.pay(50).await;
    let before = first.until(Kind::Submitted).await;
    while first.world.waiting("ops") > 0 {
        tokio::task::yield_now().await;
    }
    first._work.shutdown().await;
    // Durable, and told by nobody yet.
    first.command("sue", testing::freeze("at night")).await;
    first.handle.stop().await;
    drop(first);

    let mut second = Told::start(&store, &disk).await;
    let after = second.until(Kind::Freeze).await;
    assert!(after.iter().all(|notice| !before.iter().any(|known| known.id == notice.id)), "{after:?}");
    assert!(after.last().unwrap().says.contains("at night"));
    // That it sees nothing yet is told after the freeze or before it, and not by whoever comes next.
    if !after.iter().any(|notice| notice.kind == Kind::SightLost) {
        second.until(Kind::SightLost).await;
    }
    while second.world.waiting("ops") > 0 {
        tokio::task::yield_now().await;
    }
    second._work.shutdown().await;
    let series = second.world.desk.outbox().series().to_owned();
    drop(second);

    let mut rebuilt = Told::start(&MemoryStore::new(), &disk).await;
    testing::look(&rebuilt.handle).await;
    let told = rebuilt.until(Kind::SightClear).await;
    assert!(told.iter().all(|notice| !notice.id.contains(&series)), "{told:?}");
}

/// Danger: what happens at once after the first start is told to nobody, because the thread that tells came late to it.
#[tokio::test]
async fn what_happens_before_the_first_look_is_told_where_the_daemon_had_started_by_then() {
    let (mut engine, _, _) = testing::engine(MemoryStore::new());
    testing::carry_nothing_out(&mut engine);
    let Engine { handle, .. } = engine;
    let last = *handle.records().borrow();
    handle.command(testing::actor("sue"), testing::freeze("at once")).await.unwrap().unwrap();
    let mut world = world(&Disk::default(), &["ops"]);
    let mut work = world.work();
    let desk = Arc::clone(&world.desk);
    work.spawn(async move {
        take_in(&desk, &handle, last).await;
    });
    let first = world.got.recv().await.unwrap().notice;
    assert_eq!(first.kind, Kind::Freeze, "{}", first.says);
}

/// Danger: a notice that waits for a disk, or for a receiver, holds up a payment.
#[tokio::test]
async fn the_engine_goes_on_while_the_outbox_cannot_be_written_and_is_told_of_later() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let told = Told::start(&store, &disk).await;
    testing::look(&told.handle).await;
    disk.cut_after(0, false);
    told.command("alice", testing::pay(testing::xrp(50))).await;
    told.command("sue", testing::freeze("a drill")).await;
    assert!(told.handle.query(|state, _| !state.stops.is_empty()).await.unwrap());
    drop(told);
    disk.mend();
    let mut told = Told::start(&store, &disk).await;
    // What is critical comes before the rest.
    let before = told.until(Kind::Freeze).await;
    assert!(!kinds(&before).contains(&"created"), "{before:?}");
    let after = told.until(Kind::Wanted).await;
    assert!(kinds(&after).ends_with(&["created", "signatures_wanted"]), "{after:?}");
}

#[tokio::test]
async fn those_who_can_still_sign_are_reminded_once_for_each_six_hours() {
    let mut told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    testing::look(&told.handle).await;
    told.command("alice", testing::pay(testing::xrp(50))).await;
    let wanted = told.until(Kind::Wanted).await.pop().unwrap();
    assert_eq!(wanted.signers, ["alice", "bob"]);
    // Half of the six hours of the deadline.
    let mut later = testing::ledger(102);
    let Input::Ledger { observation, .. } = &mut later else { panic!("a ledger") };
    observation.point.close_time.0 += 3 * 3_600;
    let time = observation.point.close_time;
    told.handle.input(later).await.unwrap();
    assert_eq!(told.handle.query(|state, _| state.now()).await.unwrap(), time);
    told.world.desk.look(&told.handle).await.unwrap();
    told.world.desk.look(&told.handle).await.unwrap();
    let reminder = told.until(Kind::Reminder).await.pop().unwrap();
    assert_eq!(reminder.signers, ["alice", "bob"]);
    assert!(reminder.says.contains("still waits for signatures: weight 0 of 2"), "{}", reminder.says);
    assert_eq!(reminder.deadline, wanted.deadline);
    told.world.tell("ops", 1);
    let rest = told.until(Kind::Test).await;
    assert!(!kinds(&rest).contains(&"reminder"), "{rest:?}");
}

/// Everything that a story produces, wherever it can be seen, without a secret of it.
#[tokio::test]
async fn no_notice_delivery_error_or_debug_output_holds_a_secret() {
    let disk = Disk::default();
    let mut told = Told::start(&MemoryStore::new(), &disk).await;
    testing::look(&told.handle).await;
    let (_, signatures, mut notices) = told.pay(50).await;
    let (_, more, rest) = told.pay(60).await;
    notices.extend(rest);
    let reason = "see wss://user:PASSWORD99@host/KEY99 and sEdTM1uX8pu2do5XvTnutH6HsouMaM2";
    told.command("sue", testing::freeze(reason)).await;
    notices.extend(told.until(Kind::Freeze).await);
    // One that fails, so that there is a problem to be seen, too.
    told.world.does("ops", Does::Answers(500));
    told.world.tell("ops", 1);
    notices.extend(told.until(Kind::Test).await);
    while !format!("{:?}", told.world.desk.list(u64::MAX, None, None, 1).unwrap()).contains("with 500") {
        tokio::task::yield_now().await;
    }
    let seen = [
        serde_json::to_string(&notices).unwrap(),
        notices.iter().map(Notice::text).collect(),
        format!("{:?} {:?} {notices:?}", told.world.desk, told.world.desk.config),
        format!("{:?}", told.world.desk.list(u64::MAX, None, None, 500).unwrap()),
        serde_json::to_string(&told.world.desk.channels()).unwrap(),
        told.world.metrics.text().unwrap(),
        disk.text(),
    ]
    .concat();
    assert!(seen.contains("signatures_wanted") && seen.contains("freeze_set"));
    assert!(signatures.len() + more.len() >= 4);
    let secrets = ["SECRET99", "PASSWORD99", "KEY99", "sEdTM1uX8pu2do5XvTnutH6HsouMaM2", SECRET, "whsec_"];
    for secret in signatures.iter().chain(&more).map(String::as_str).chain(secrets) {
        assert!(!seen.contains(secret), "{secret}");
    }
}

/// Its API, until what is given along is dropped.
async fn api(told: &Told) -> (String, watch::Sender<bool>) {
    let app = App::new(
        told.handle.clone(),
        Arc::new(Metrics::new().unwrap()),
        Tokens::new(&testing::tokens()),
        Limits { rate: 10_000, ..Limits::default() },
    )
    .with_desk(Some(Arc::clone(&told.world.desk)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(crate::http::serve(listener, app, stopped));
    (url, stop)
}

#[tokio::test]
async fn the_api_shows_what_was_told_and_sends_it_again_for_admins_alone() {
    let told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    let (url, _stop) = api(&told).await;
    let client = |person| crate::client::Client::new(&url, Some(testing::token_of(person))).unwrap();
    let (alice, adam) = (client("alice"), client("adam"));

    assert_eq!(alice.test_channel("ops").await.unwrap_err().code(), Some("ROLE_MISSING"));
    assert_eq!(adam.test_channel("nobody").await.unwrap_err().code(), Some("UNKNOWN_NAME"));
    let id = adam.test_channel("ops").await.unwrap().id;
    let query =
        treasury_api::types::DeliveriesQuery { stage: Some("delivered".to_owned()), ..Default::default() };
    let delivered = loop {
        let found = alice.deliveries(&query).await.unwrap();
        if let Some(delivered) = found.into_iter().find(|delivery| delivery.notice.id == id) {
            break delivered;
        }
    };
    assert_eq!((delivered.channel.as_str(), delivered.attempts), ("ops", 1));
    assert_eq!(alice.channels().await.unwrap()[0].receiver, "https://ops.example");

    let again = |id: Option<&str>, first, last| treasury_api::types::RedeliverRequest {
        id: id.map(str::to_owned),
        first,
        last,
        ..Default::default()
    };
    let by_id = again(Some(&id), None, None);
    assert_eq!(alice.redeliver(&by_id).await.unwrap_err().code(), Some("ROLE_MISSING"));
    assert_eq!(adam.redeliver(&by_id).await.unwrap().deliveries, 1);
    let by_range = again(None, Some(delivered.number), Some(delivered.number));
    assert!(adam.redeliver(&by_range).await.unwrap().deliveries <= 1);
    for wrong in
        [again(None, None, None), again(Some("n-1"), Some(1), Some(1)), again(None, Some(2), Some(1))]
    {
        assert_eq!(adam.redeliver(&wrong).await.unwrap_err().code(), Some("BAD_VALUE"));
    }
    let unknown = adam.redeliver(&again(Some("n-1"), None, None)).await.unwrap_err();
    assert_eq!(unknown.code(), Some("BAD_VALUE"));
    let wrong = treasury_api::types::DeliveriesQuery { stage: Some("lost".to_owned()), ..Default::default() };
    assert_eq!(alice.deliveries(&wrong).await.unwrap_err().code(), Some("BAD_VALUE"));
}

#[tokio::test]
async fn who_may_be_woken_may_say_that_they_look_after_it_and_nobody_else() {
    let to = vec!["bob".to_owned()];
    let escalation = Some(Escalation { after_seconds: 900, to });
    let route = Route { channels: vec!["ops".to_owned()], escalation, ..Route::default() };
    let world = world_of(&Disk::default(), &["ops", "bob"], vec![route], |_| {});
    let mut told = Told::start_in(&MemoryStore::new(), world).await;
    let (url, _stop) = api(&told).await;
    let client = |person| crate::client::Client::new(&url, Some(testing::token_of(person))).unwrap();
    let (sue, bob) = (client("sue"), client("bob"));
    testing::look(&told.handle).await;
    told.command("sue", testing::freeze("a stranger called")).await;
    let freeze = told.until(Kind::Freeze).await.pop().unwrap();
    let alerts = sue.alerts().await.unwrap();
    assert_eq!((alerts.len(), &alerts[0].notice.id), (1, &freeze.id));
    assert_eq!((alerts[0].goes_to.join(" "), alerts[0].went_to.len()), ("bob".to_owned(), 0));
    assert!(alerts[0].next.is_some() && alerts[0].acknowledged.is_none());
    told.handle.input(strange_escrow()).await.unwrap();
    let finding = told.until(Kind::Finding).await.pop().unwrap();

    let ids = |id: &str| [id.to_owned()];
    for (id, reason, code) in [
        ("n-nobody", "seen", "BAD_VALUE"),
        (finding.id.as_str(), "seen", "BAD_VALUE"),
        (freeze.id.as_str(), " ", "BAD_VALUE"),
    ] {
        let refused = bob.acknowledge_notices(&ids(id), reason).await.unwrap_err();
        assert_eq!(refused.code(), Some(code), "{id} {reason:?}: {refused}");
    }
    assert_eq!(bob.acknowledge_notices(&[], "seen").await.unwrap_err().code(), Some("BAD_VALUE"));
    assert!(bob.acknowledge_notices(&ids(&freeze.id), "I ask her").await.unwrap().changed);
    let said = told.until(Kind::Acknowledged).await.pop().unwrap();
    assert_eq!(said.says, format!("bob looks after {}: I ask her.", freeze.id));
    assert_eq!(said.severity, Severity::Critical, "whoever is told of the freeze hears that somebody has it");
    assert!(!sue.acknowledge_notices(&ids(&freeze.id), "me too").await.unwrap().changed);
    let alerts = sue.alerts().await.unwrap();
    let seen =
        alerts.iter().find(|alert| alert.notice.id == freeze.id).unwrap().acknowledged.as_ref().unwrap();
    assert_eq!((seen.by.as_str(), seen.reason.as_str()), ("bob", "I ask her"));
}

/// Where the facts come from that are told: an input of the ledger.
#[tokio::test]
async fn an_escrow_that_nobody_proposed_is_told_with_its_finding() {
    let mut told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    testing::look(&told.handle).await;
    told.handle.input(strange_escrow()).await.unwrap();
    let notices = told.until(Kind::Finding).await;
    let seen = notices.iter().find(|notice| notice.kind == Kind::EscrowSeen).unwrap();
    assert_eq!(seen.says, "Escrow warm:7 holds 5 XRP for exchange.");
    assert_eq!(seen.ledger.as_ref().unwrap().index, 102);
    let finding = notices.last().unwrap();
    assert_eq!(finding.finding.as_deref(), Some("F1"));
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.account.as_ref().unwrap().name.as_deref(), Some("warm"));
}

/// A ledger with an escrow that nobody proposed.
pub(super) fn strange_escrow() -> Input {
    let mut ledger = testing::ledger(102);
    let Input::Ledger { observation, .. } = &mut ledger else { panic!("a ledger") };
    let escrow = treasury_core::observe::EscrowView {
        key: treasury_core::units::EscrowKey { owner: testing::warm(), sequence: 7 },
        destination: testing::exchange(),
        destination_tag: None,
        amount: Some(testing::xrp(5).into()),
        finish_after: None,
        cancel_after: None,
        condition: None,
    };
    observation.changes.push(treasury_core::observe::Change::EscrowCreated { escrow });
    ledger
}

/// Danger: somebody has come to the address book, and nobody who would know better hears of it.
#[tokio::test]
async fn those_who_confirm_destinations_are_told_who_has_come_to_the_address_book_and_all_that_it_is_confirmed()
 {
    let mut told = Told::start(&MemoryStore::new(), &Disk::default()).await;
    let people = ["bob", "adam"].map(str::to_owned).into();
    let by = policy::Approvers { signatures: 2, people, ..policy::Approvers::default() };
    let terms = treasury_core::address_book::Confirmation { by, cooling_seconds: 3_600 };
    let mut treasury = testing::treasury();
    treasury.policy = treasury.policy.with_confirmation(Some(terms));
    told.handle.declare(treasury.clone()).await.unwrap().unwrap();
    let supplier = testing::signer(77);
    treasury.destinations.insert(supplier, "supplier".to_owned());
    told.handle.declare(treasury).await.unwrap().unwrap();
    let waits = told.until(Kind::DestinationWaits).await.pop().unwrap();
    assert_eq!(
        waits.says,
        format!(
            "supplier ({supplier}) has come to the address book and waits for 2 of adam or bob: until then it is as new as anybody."
        )
    );
    assert_eq!((waits.severity, waits.people.join(", ")), (Severity::Warning, "adam, bob".to_owned()));
    assert!(waits.can_do[1].contains(&format!("treasuryctl destination confirm {supplier} ")), "{waits:?}");
    told.handle.input(testing::ledger(102)).await.unwrap();
    told.handle.input(testing::reconciled_at(102)).await.unwrap();
    for person in ["bob", "adam"] {
        let reason = "called them back".to_owned();
        told.command(person, Command::ConfirmDestination { destination: supplier, reason }).await;
    }
    let done = told.until(Kind::DestinationConfirmed).await;
    let says = &done.last().unwrap().says;
    assert!(
        says.starts_with(&format!("supplier ({supplier}) is confirmed by adam, bob, and is known from 20")),
        "{says}"
    );
}

/// A store whose records cannot be read while that is said.
#[derive(Clone, Default)]
struct Unreadable {
    inner: MemoryStore,
    is_broken: Arc<std::sync::atomic::AtomicBool>,
}

impl Store for Unreadable {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        self.inner.append(events)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        if self.is_broken.load(Ordering::SeqCst) {
            Err(StoreError::Injected)
        } else {
            self.inner.read(after, limit)
        }
    }

    fn archive(&self) -> Arc<Archive> {
        self.inner.archive()
    }
}

/// Danger: one record that cannot be read keeps everybody from being reminded and woken for all that was told before.
#[tokio::test(start_paused = true)]
async fn what_waits_is_looked_at_though_what_has_happened_cannot_be_read() {
    let store = Unreadable::default();
    let world = world(&Disk::default(), &["ops"]);
    let (mut engine, _, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    let (desk, handle) = (Arc::clone(&world.desk), engine.handle.clone());
    let last = *handle.records().borrow();
    let told = handle.clone();
    let work = tokio::spawn(async move { take_in(&desk, &told, last).await });
    let is_in = |source: Source| world.desk.troubles.lock().unwrap().contains(&source);
    testing::look(&handle).await;
    store.is_broken.store(true, Ordering::SeqCst);
    handle.command(testing::actor("sue"), testing::freeze("a drill")).await.unwrap().unwrap();
    while !is_in(Source::Tell) {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    // A look that is done says that it has no trouble.
    world.desk.stuck(&Source::Look, &"a drill");
    while is_in(Source::Look) {
        assert!(is_in(Source::Tell));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    store.is_broken.store(false, Ordering::SeqCst);
    while is_in(Source::Tell) {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    work.abort();
}
