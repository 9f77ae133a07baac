mod overtaking;

use std::sync::{Mutex, mpsc as std_mpsc};

use treasury_core::event::Event;
use treasury_core::proposal::Status;
use treasury_core::units::{ProposalId, StopId};

use super::*;
use crate::store::MemoryStore;
use crate::testing::{self, actor, freeze, pay, reconciled, xrp};

/// Asks before it appends something.
struct Gated<F> {
    inner: MemoryStore,
    gate: F,
}

impl<F: FnMut(&[Event]) -> Result<(), StoreError> + Send + 'static> Gated<F> {
    fn store(gate: F) -> Self {
        Self { inner: MemoryStore::new(), gate }
    }
}

impl<F: FnMut(&[Event]) -> Result<(), StoreError> + Send> Store for Gated<F> {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        (self.gate)(events)?;
        self.inner.append(events)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.inner.read(after, limit)
    }

    fn archive(&self) -> Arc<Archive> {
        self.inner.archive()
    }
}

/// Says what an append stores, and lets it go on only when told to.
fn stepwise() -> (impl Store, std_mpsc::Receiver<Vec<&'static str>>, std_mpsc::Sender<()>) {
    let (began_in, began) = std_mpsc::channel();
    let (go_on, go_on_out) = std_mpsc::channel();
    let store = Gated::store(move |events: &[Event]| {
        began_in.send(events.iter().map(Event::word).collect()).map_err(|_| StoreError::Injected)?;
        go_on_out.recv().map_err(|_| StoreError::Injected)
    });
    (store, began, go_on)
}

/// An engine in the middle of a step.
async fn in_a_step() -> (Engine, std_mpsc::Receiver<Vec<&'static str>>, std_mpsc::Sender<()>) {
    let (store, began, go_on) = stepwise();
    let (mut engine, _, _) = testing::engine(store);
    testing::carry_nothing_out(&mut engine);
    engine.handle.input(reconciled()).await.unwrap();
    began.recv().unwrap();
    (engine, began, go_on)
}

/// The answer to the first freeze.
const STOPPED: Answer = Answer::Stopped { stop: StopId(1), changed: true, warning: None };

#[tokio::test]
async fn no_effect_is_released_before_its_facts_are_durable() {
    let (store, began, go_on) = stepwise();
    let (mut engine, _, _) = testing::engine(store);
    engine.handle.input(reconciled()).await.unwrap();
    began.recv().unwrap();
    go_on.send(()).unwrap();
    let handle = engine.handle.clone();
    let permit = handle.leave().permit();
    let asked = tokio::spawn(async move { handle.command(actor("sue"), freeze("a drill")).await });
    tokio::task::spawn_blocking(move || began.recv().unwrap()).await.unwrap();
    // The step has been taken, its facts are on their way to the disk, and nobody has heard of it.
    assert!(engine.effects.try_recv().is_err());
    assert!(permit.holds() && !asked.is_finished());
    go_on.send(()).unwrap();
    assert_eq!(asked.await.unwrap(), Ok(Ok(STOPPED)));
    // What waits to be sent was called back before the answer was given.
    assert!(!permit.holds());
    assert_eq!(engine.effects.recv().await.unwrap(), Effect::Recall);
}

/// Danger: a backfill or a flood fills the queue, and a freeze waits behind a thousand payments.
#[tokio::test]
async fn a_stop_and_a_probe_do_not_wait_for_a_full_queue() {
    let (engine, began, go_on) = in_a_step().await;
    // The engine is in the middle of a step.
    let mut waiting = 0;
    let pay = |n| Input::Command {
        request: RequestId(n),
        actor: actor("alice"),
        command: pay(xrp(1)),
        archived: None,
        asked: None,
    };
    while engine.handle.inputs().try_send(pay(1_000_000 + waiting)).is_ok() {
        waiting += 1;
    }
    assert!(waiting >= 1_000, "{waiting}");
    // Once polled, they have handed over what they ask.
    let mut freeze = std::pin::pin!(engine.handle.command(actor("sue"), freeze("stop it")));
    assert!(futures_util::poll!(freeze.as_mut()).is_pending());
    let mut probe = std::pin::pin!(engine.handle.probe(|state, _| state.stops.all().count()));
    assert!(futures_util::poll!(probe.as_mut()).is_pending());
    go_on.send(()).unwrap();
    assert_eq!(began.recv().unwrap(), ["stop_set"], "it is the next step");
    go_on.send(()).unwrap();
    assert_eq!(freeze.await, Ok(Ok(STOPPED)));
    // A few of those that wait come before the probe.
    let mut before = 0;
    let seen = loop {
        tokio::select! {
            biased;
            seen = probe.as_mut() => break seen,
            () = std::future::ready(()) => {}
        }
        if began.try_recv().is_ok() {
            before += 1;
            go_on.send(()).unwrap();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(seen, Ok(1));
    assert!(before <= INPUTS_BEFORE_PROBE, "{before} came before it");
}

/// Danger: whoever has a token that may stop something asks for stops without a pause, and nobody is told of anything, nor
/// can the token be taken from them. Method: whenever a stop is being stored, the next one is there already.
#[tokio::test]
async fn whoever_asks_for_stops_without_a_pause_keeps_no_question_waiting() {
    let (engine, began, go_on) = in_a_step().await;
    let mut question = std::pin::pin!(engine.handle.query(|state, _| state.stops.all().count()));
    assert!(futures_util::poll!(question.as_mut()).is_pending());
    let (mut floods, mut before) = (Vec::new(), 0);
    let seen = loop {
        if before > 2 * INPUTS_IN_A_ROW {
            break None;
        }
        // Each of something else: of one person's stops only so many stand on one subject.
        let destination = treasury_core::units::AccountId([u8::try_from(before + 1).unwrap(); 20]);
        let flag = Command::FlagDestination { destination, reason: "strange".to_owned() };
        let handle = engine.handle.clone();
        let mut next = Box::pin(async move { handle.command(actor("sue"), flag).await });
        assert!(futures_util::poll!(next.as_mut()).is_pending());
        floods.push(next);
        go_on.send(()).unwrap();
        // The next stop is stored, after the question where that had its turn.
        assert_eq!(began.recv().unwrap(), ["stop_set"]);
        before += 1;
        if let std::task::Poll::Ready(seen) = futures_util::poll!(question.as_mut()) {
            break Some(seen);
        }
    };
    // The engine ends with that, wherever it is.
    drop(go_on);
    assert!(matches!(seen, Some(Ok(1..))), "{before} stops came before it: {seen:?}");
}

/// Notes what it is asked to do; its second copy may fail.
struct Noting {
    inner: MemoryStore,
    asked: Arc<Mutex<Vec<&'static str>>>,
    secures: bool,
}

impl Store for Noting {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        self.asked.lock().unwrap().push("append");
        self.inner.append(events)
    }

    fn secure(&mut self) -> Result<(), StoreError> {
        self.asked.lock().unwrap().push("secure");
        if self.secures { Ok(()) } else { Err(StoreError::Injected) }
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.inner.read(after, limit)
    }

    fn archive(&self) -> Arc<Archive> {
        self.inner.archive()
    }

    fn settled(&mut self, _: u64, _: &State) {
        self.asked.lock().unwrap().push("settled");
    }
}

fn noting() -> (Machine, Arc<Mutex<Vec<&'static str>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let store = Noting { inner: MemoryStore::new(), asked: Arc::clone(&asked), secures: true };
    let metrics = Arc::new(Metrics::new().unwrap());
    (Machine::open(Arc::new(testing::treasury()), Box::new(store), metrics).unwrap(), asked)
}

#[test]
fn people_are_answered_after_the_second_copy_and_the_daemons_own_steps_do_not_wait_for_it() {
    let (mut machine, asked) = noting();
    let came = || std::mem::take(&mut *asked.lock().unwrap());
    machine.take(testing::now()).unwrap();
    machine.take(reconciled()).unwrap();
    assert_eq!(came(), ["append"]);
    machine.settle().unwrap();
    machine.settle().unwrap();
    assert_eq!(came(), ["secure", "settled"]);
    machine.take(testing::ledger(101)).unwrap();
    let command = Input::Command {
        request: RequestId(7),
        actor: actor("sue"),
        command: freeze("a drill"),
        archived: None,
        asked: None,
    };
    let effects = machine.take(command).unwrap();
    assert!(matches!(effects.as_slice(), [Effect::Recall, Effect::Answer { .. }]));
    assert_eq!(
        came(),
        ["append", "secure", "settled", "append", "secure"],
        "what was left of the last step is done before the next, too"
    );
}

#[tokio::test]
async fn a_second_copy_that_fails_stops_the_engine_and_nobody_is_answered() {
    let store = Noting { inner: MemoryStore::new(), asked: Arc::default(), secures: false };
    let (mut engine, _, fatals) = testing::engine(store);
    let waiting = engine.handle.command(actor("sue"), freeze("a drill")).await;
    assert_eq!(waiting, Err(EngineError::Stopped));
    assert_eq!(engine.effects.recv().await, None);
    engine.thread.join().unwrap();
    assert!(matches!(fatals.lock().unwrap().as_slice(), [Fatal::Append(StoreError::Injected)]));
}

#[tokio::test]
async fn a_failed_append_stops_the_engine_and_releases_nothing() {
    let store = MemoryStore::new();
    store.fail_after(1);
    let (mut engine, _, fatals) = testing::engine(store.clone());
    engine.handle.input(reconciled()).await.unwrap();
    // A stop would overtake it.
    engine.handle.query(|_, _| ()).await.unwrap();
    let waiting = engine.handle.command(actor("sue"), freeze("a drill")).await;
    assert_eq!(waiting, Err(EngineError::Stopped));
    assert_eq!(engine.effects.recv().await, None, "an effect came out of a step that was not stored");
    engine.thread.join().unwrap();
    assert!(matches!(fatals.lock().unwrap().as_slice(), [Fatal::Append(StoreError::Injected)]));
    assert_eq!(store.last(), 1);
    assert_eq!(engine.handle.query(|_, _| ()).await, Err(EngineError::Stopped));
    assert_eq!(engine.handle.input(reconciled()).await, Err(EngineError::Stopped));
    // Whoever asks after the stop is told at once.
    assert_eq!(engine.handle.command(actor("sue"), freeze("again")).await, Err(EngineError::Stopped));
}

#[tokio::test]
async fn commands_are_carried_out_in_the_order_in_which_they_were_asked_for() {
    let (engine, _, _) = testing::engine(MemoryStore::new());
    engine.handle.input(reconciled()).await.unwrap();
    let commands = (1..=20).map(|n| engine.handle.command(actor("alice"), pay(xrp(n))));
    for (n, answer) in (1..=20).zip(futures_util::future::join_all(commands).await) {
        assert_eq!(answer.unwrap(), Ok(Answer::Proposed { proposal: ProposalId(n) }));
    }
}

#[tokio::test]
async fn an_answered_command_is_in_the_store() {
    let store = MemoryStore::new();
    let (mut engine, _, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    engine.handle.input(reconciled()).await.unwrap();
    let answer = engine.handle.command(actor("alice"), pay(xrp(5))).await.unwrap();
    assert_eq!(answer, Ok(Answer::Proposed { proposal: ProposalId(1) }));
    let state = crate::store::replay(&store, |_| {}).unwrap();
    assert!(state.proposals.contains_key(&ProposalId(1)));
}

#[tokio::test]
async fn a_refused_command_stores_nothing() {
    let store = MemoryStore::new();
    let (mut engine, _, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    engine.handle.input(reconciled()).await.unwrap();
    engine.handle.query(|_, _| ()).await.unwrap();
    let before = store.last();
    for (person, command) in [
        ("bob", pay(xrp(5))),
        ("nobody", pay(xrp(5))),
        ("alice", freeze("no role")),
        ("alice", Command::Withdraw { proposal: ProposalId(4) }),
    ] {
        engine.handle.command(actor(person), command).await.unwrap().unwrap_err();
    }
    assert_eq!(store.last(), before);
}

#[tokio::test]
async fn a_question_sees_every_input_handed_over_before_it() {
    let (engine, _, _) = testing::engine(MemoryStore::new());
    engine.handle.input(reconciled()).await.unwrap();
    for index in 101..=150 {
        engine.handle.input(testing::ledger(index)).await.unwrap();
        let seen = engine.handle.query(|state, _| state.ledger).await.unwrap();
        assert_eq!(seen, Some(testing::point(index)));
    }
}

#[tokio::test]
async fn after_a_restart_the_state_is_the_same_and_sight_is_not_taken_over() {
    let store = MemoryStore::new();
    let (mut engine, _, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    engine.handle.input(reconciled()).await.unwrap();
    engine.handle.command(actor("alice"), pay(xrp(5))).await.unwrap().unwrap();
    let mut before = engine.handle.query(|state, _| state.clone()).await.unwrap();
    assert!(before.sees());
    engine.handle.stop().await;
    engine.thread.join().unwrap();

    let (mut engine, _, _) = testing::engine(store);
    let after = engine.handle.query(|state, _| state.clone()).await.unwrap();
    assert!(!after.sees(), "the new process has not looked at the ledger yet");
    before.sight = after.sight.clone();
    before.blind_since = before.ledger;
    assert_eq!(after, before);
    // What it saw before it ended counts no more, so nothing that waits may leave, and nothing else is asked for.
    assert_eq!(engine.effects.try_recv().unwrap(), Effect::Recall);
    assert!(engine.effects.try_recv().is_err(), "nothing is released before the ledger was read");
    engine.handle.input(reconciled()).await.unwrap();
    assert!(engine.handle.query(|state, _| state.sees()).await.unwrap());
}

#[tokio::test]
async fn what_was_open_is_taken_up_again_once_sight_is_back() {
    let store = MemoryStore::new();
    let (mut engine, _, _) = testing::engine(store.clone());
    testing::look(&engine.handle).await;
    let large = Input::Command {
        request: RequestId(1),
        actor: actor("alice"),
        command: pay(xrp(500)),
        archived: None,
        asked: None,
    };
    engine.handle.input(large).await.unwrap();
    engine.handle.query(|_, _| ()).await.unwrap();
    // The condition was asked for, and the process died before it came.
    let asked = derive_conditions(&mut engine);
    assert_eq!(asked, 1);
    engine.handle.stop().await;
    engine.thread.join().unwrap();

    let (mut engine, _, _) = testing::engine(store);
    engine.handle.input(testing::reconciled_at(101)).await.unwrap();
    let status =
        engine.handle.query(|state, _| state.proposals[&ProposalId(1)].status.clone()).await.unwrap();
    assert_eq!(status, Status::Assessed);
    assert_eq!(derive_conditions(&mut engine), 1);
}

fn derive_conditions(engine: &mut Engine) -> usize {
    std::iter::from_fn(|| engine.effects.try_recv().ok())
        .filter(|effect| matches!(effect, Effect::DeriveCondition { .. }))
        .count()
}

#[tokio::test]
async fn effects_that_nobody_takes_stop_the_engine() {
    let (engine, _, fatals) = testing::engine(MemoryStore::new());
    let Engine { handle, effects, thread } = engine;
    drop(effects);
    let answer = handle.command(actor("sue"), freeze("a drill")).await;
    assert_eq!(answer, Err(EngineError::Stopped));
    thread.join().unwrap();
    assert!(matches!(fatals.lock().unwrap().as_slice(), [Fatal::EffectsNotTaken]));
}

#[tokio::test]
async fn a_panic_on_the_engines_thread_is_a_stop_like_any_other() {
    let (engine, _, fatals) = testing::engine(MemoryStore::new());
    let answer = engine.handle.query(|_, _| -> () { panic!("on purpose") }).await;
    assert_eq!(answer, Err(EngineError::Stopped));
    engine.thread.join().unwrap();
    assert!(matches!(fatals.lock().unwrap().as_slice(), [Fatal::Panicked]));
    assert_eq!(engine.handle.command(actor("sue"), freeze("x")).await, Err(EngineError::Stopped));
}

#[test]
fn a_store_that_contradicts_itself_does_not_start() {
    let mut store = MemoryStore::new();
    store.append(&[Event::SlotFreed { proposal: ProposalId(9), paid: None }]).unwrap();
    let metrics = Arc::new(Metrics::new().unwrap());
    let error = Engine::start(testing::treasury(), Box::new(store), metrics, Box::new(|_| {})).unwrap_err();
    assert!(matches!(error, EngineStartError::Store(StoreError::DoesNotFit { record: 1, .. })), "{error}");
}

#[tokio::test]
async fn a_finding_that_was_stored_before_a_crash_is_still_counted_after_it() {
    let mut store = MemoryStore::new();
    let finding = treasury_core::state::Finding {
        id: treasury_core::units::FindingId(1),
        kind: treasury_core::config::FindingKind::ForeignEscrow,
        severity: treasury_core::config::Severity::Alert,
        account: Some(testing::warm()),
        evidence: "an escrow".to_owned(),
        at: testing::point(100),
        acknowledged: None,
        over: None,
        about: None,
    };
    store.append(&[Event::Found { finding }]).unwrap();
    let (engine, metrics, _) = testing::engine(store);
    engine.handle.show_metrics().await.unwrap();
    let text = metrics.text().unwrap();
    for line in [
        "treasuryd_findings_total{kind=\"foreign_escrow\"} 1",
        "treasuryd_store_records 1",
        "treasuryd_sight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
}

/// Danger: an account is taken out of the configuration while its payment is in flight; the ledger applies it, and here it
/// is said to have expired.
#[test]
fn a_configuration_without_what_is_under_way_does_not_start() {
    let store = MemoryStore::new();
    let open = |treasury: Treasury| {
        Machine::open(Arc::new(treasury), Box::new(store.clone()), Metrics::new().unwrap().into())
    };
    let mut machine = open(testing::treasury()).unwrap();
    for input in [testing::now(), testing::reconciled(), testing::ledger(101)] {
        machine.take(input).unwrap();
    }
    let actor = actor("alice");
    let command = pay(xrp(1));
    machine
        .take(Input::Command { request: RequestId(1), actor, command, archived: None, asked: None })
        .unwrap();
    drop(machine);
    let mut without = testing::treasury();
    without.accounts.remove(&testing::warm());
    let error = open(without).err().unwrap();
    assert!(matches!(&error, EngineStartError::LeftBehind(what) if what.contains("P1")), "{error}");
    assert!(error.to_string().contains("is not declared, and P1 of it is open"), "{error}");
    open(testing::treasury()).unwrap();
}

/// What sight is lost for, if it is.
async fn lost(handle: &EngineHandle) -> Option<String> {
    let of = |state: &State, _: &Treasury| match &state.sight {
        treasury_core::state::Sight::Lost(reason) => Some(reason.clone()),
        treasury_core::state::Sight::Clear => None,
    };
    handle.query(of).await.unwrap()
}

/// Goal: whoever is woken when the server of a running daemon lags is woken when it lags at a start or a reload, too, by what is
/// wrong. Danger: `starting` is nothing that anybody is woken for, and stays. Method: the clock of the host is told, an hour on.
#[tokio::test]
async fn a_server_that_lags_at_a_start_is_said_and_no_reading_of_the_configuration_hides_it() {
    let (mut engine, _, _) = testing::engine(MemoryStore::new());
    testing::carry_nothing_out(&mut engine);
    let handle = engine.handle;
    let mut treasury = testing::treasury();
    treasury.timing.ledger_age_max_seconds = Some(60);
    handle.declare(treasury.clone()).await.unwrap().unwrap();
    let close = testing::point(101).close_time.0;
    let began_ms = crate::clock::wall_ms();
    let tick = async |second: u32, utc: u32| {
        let utc = treasury_core::units::RippleTime(utc);
        let wall_ms = began_ms + u64::from(second) * 1_000;
        handle.input(Input::Tick { wall_ms, utc }).await.unwrap();
    };
    tick(0, close).await;
    handle.input(reconciled()).await.unwrap();
    handle.input(testing::ledger(101)).await.unwrap();
    assert_eq!(lost(&handle).await, None);
    // While it sees, sight is lost for the reading of the configuration.
    handle.declare(treasury.clone()).await.unwrap().unwrap();
    assert_eq!(lost(&handle).await.as_deref(), Some("the configuration was read anew"));
    for second in (5..=65).step_by(5) {
        tick(second, close + 3_600 + second).await;
        assert_eq!(lost(&handle).await.as_deref(), Some("the configuration was read anew"), "{second}");
    }
    tick(70, close + 3_670).await;
    let reason = lost(&handle).await.unwrap();
    assert!(
        reason.starts_with("not seen within 60 s after the configuration was read anew: the newest ledger"),
        "{reason}"
    );
    assert!(!sight::is_routine(&reason), "somebody is woken");
    tick(75, close + 3_675).await;
    assert_eq!(lost(&handle).await.as_ref(), Some(&reason), "it is said once");
    // Somebody reads the configuration anew meanwhile, and the reason stays.
    handle.declare(treasury.clone()).await.unwrap().unwrap();
    assert_eq!(lost(&handle).await.as_ref(), Some(&reason));
    let other = "no endpoint can be used: refused".to_owned();
    handle.input(Input::SightLost { reason: other.clone() }).await.unwrap();
    handle.declare(treasury).await.unwrap().unwrap();
    assert_eq!(lost(&handle).await, Some(other));
}
