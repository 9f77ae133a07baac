//! What stops something comes before what was asked for earlier.

use std::collections::BTreeSet;

use super::*;

/// An engine that sees, and has one payment, and whose disk hangs once it is told to.
struct Hanging {
    engine: Engine,
    gate: Arc<Mutex<Option<Gate>>>,
}

/// Says that it is reached, and waits until it is opened.
type Gate = (std_mpsc::Sender<()>, std_mpsc::Receiver<()>);

impl Hanging {
    async fn with_a_payment() -> Self {
        let gate: Arc<Mutex<Option<Gate>>> = Arc::default();
        let shut = Arc::clone(&gate);
        let (mut engine, _, _) = testing::engine(Gated::store(move |_: &[Event]| {
            let Some((reached, opened)) = shut.lock().unwrap().take() else { return Ok(()) };
            reached.send(()).map_err(|_| StoreError::Injected)?;
            opened.recv().map_err(|_| StoreError::Injected)
        }));
        testing::carry_nothing_out(&mut engine);
        testing::look(&engine.handle).await;
        engine.handle.command(actor("alice"), pay(xrp(50))).await.unwrap().unwrap();
        Self { engine, gate }
    }

    /// What becomes of two commands that wait while the disk hangs, the second of which stops something.
    async fn while_it_hangs(
        &self,
        (first, command): (&str, Command),
        (second, stop): (&str, Command),
    ) -> (Result<Answer, CommandError>, Result<Answer, CommandError>) {
        let handle = &self.engine.handle;
        let ((reached_in, reached), (open, opened)) = (std_mpsc::channel(), std_mpsc::channel());
        *self.gate.lock().unwrap() = Some((reached_in, opened));
        handle.input(testing::ledger(102)).await.unwrap();
        reached.recv().unwrap();
        let mut waits = std::pin::pin!(handle.command(actor(first), command));
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        let mut stopped = std::pin::pin!(handle.command(actor(second), stop));
        assert!(futures_util::poll!(stopped.as_mut()).is_pending());
        open.send(()).unwrap();
        (waits.await.unwrap(), stopped.await.unwrap())
    }
}

/// Danger: an approval waits while the disk hangs, its sender thinks better of it and takes it back, which overtakes it; then it is
/// taken, and the money leaves with it.
#[tokio::test]
async fn an_approval_that_was_taken_back_while_it_waited_is_refused() {
    let proposal = ProposalId(1);
    let retract = Command::Retract { proposal };
    let reject = Command::Reject { proposal, reason: "no".to_owned() };
    for (back, is_open) in [(retract, true), (reject, false)] {
        let treasury = Hanging::with_a_payment().await;
        let handle = &treasury.engine.handle;
        let rungs = move |state: &State, _: &Treasury| state.proposals[&proposal].plan.clone().unwrap().rungs;
        let rungs = handle.query(rungs).await.unwrap();
        let approve = || Command::Approve { proposal, signatures: testing::signatures(testing::BOB, &rungs) };
        let (approved, back) = treasury.while_it_hangs(("bob", approve()), ("bob", back)).await;
        back.unwrap();
        let refused = approved.unwrap_err();
        assert_eq!(refused.code(), "WRONG_STATE");
        assert!(refused.to_string().contains("since you asked for this"), "{refused}");
        let approvals = move |state: &State, _: &Treasury| state.proposals[&proposal].approvals.len();
        assert_eq!(handle.query(approvals).await.unwrap(), 0);
        // Who asks again has thought of it again, unless theirs was the last word.
        let again =
            handle.command(actor("bob"), approve()).await.unwrap().map_err(|refused| refused.to_string());
        assert_eq!(again.is_ok(), is_open, "{again:?}");
        assert_eq!(handle.query(approvals).await.unwrap(), usize::from(is_open));
    }
}

/// Danger: a void overtakes the approval with whose signatures it could be sent, is refused, and then the payment leaves.
#[tokio::test]
async fn an_approval_that_waited_while_somebody_asked_for_the_void_is_refused() {
    let proposal = ProposalId(1);
    let treasury = Hanging::with_a_payment().await;
    let handle = &treasury.engine.handle;
    let rungs = move |state: &State, _: &Treasury| state.proposals[&proposal].plan.clone().unwrap().rungs;
    let rungs = handle.query(rungs).await.unwrap();
    let approve = || Command::Approve { proposal, signatures: testing::signatures(testing::BOB, &rungs) };
    let void = Command::Void { proposal, reason: "not ours".to_owned() };
    let (approved, voided) = treasury.while_it_hangs(("bob", approve()), ("sue", void)).await;
    assert_eq!(voided.unwrap_err().code(), "NO_VOID");
    let refused = approved.unwrap_err();
    assert_eq!(refused.code(), "WRONG_STATE");
    assert!(refused.to_string().contains("somebody has asked for its void"), "{refused}");
    handle.command(actor("bob"), approve()).await.unwrap().unwrap();
}

/// Danger: a lift waits while the disk hangs, somebody asks for the same stop again, which overtakes it, and is told that it stands;
/// then it is lifted, and the money leaves.
#[tokio::test]
async fn what_was_asked_for_again_is_lifted_by_nothing_that_waited() {
    let account = Some(testing::warm());
    let proposal = ProposalId(1);
    let because = || "settled".to_owned();
    let reason = || "a thief".to_owned();
    let stops = BTreeSet::from([StopId(1)]);
    let lift = Command::Lift { stops, reason: because() };
    let of_all = |reason| Command::Freeze { account: None, reason };
    let of_one = |reason| Command::Freeze { account, reason };
    let flag = |reason| Command::Flag { proposal, reason };
    let destination = testing::exchange();
    let to = |reason| Command::FlagDestination { destination, reason };
    let panic = |reason| Command::Panic { reason };
    let unfreeze = |account| Command::Unfreeze { account, reason: because() };
    let clear = Command::Clear { proposal, reason: because() };
    type Stops<'a> = &'a dyn Fn(String) -> Command;
    let all: [(Stops<'_>, &str, Command); 7] = [
        (&of_all, "adam", lift.clone()),
        (&of_all, "adam", unfreeze(None)),
        (&of_one, "adam", unfreeze(account)),
        (&flag, "sue", lift.clone()),
        (&flag, "sue", clear),
        (&to, "sue", lift.clone()),
        (&panic, "adam", lift.clone()),
    ];
    for (stop, who, lifts) in all {
        let treasury = Hanging::with_a_payment().await;
        let handle = &treasury.engine.handle;
        handle.command(actor("sue"), stop(reason())).await.unwrap().unwrap();
        let stands = |state: &State, _: &Treasury| state.stops.get(StopId(1)).is_some();
        let told = format!("{lifts:?} after {:?}", stop(reason()));
        let (lifted, again) = treasury.while_it_hangs((who, lifts.clone()), ("sue", stop(reason()))).await;
        match again.unwrap() {
            Answer::Stopped { stop, changed, .. } => {
                assert_eq!((stop, changed), (StopId(1), false), "{told}")
            }
            Answer::Panicked(panicked) => assert_eq!(panicked.freeze, StopId(1), "{told}"),
            other => panic!("{other:?}"),
        }
        let refused = lifted.unwrap_err();
        assert_eq!(refused.code(), "STOPPED_SINCE", "{told}");
        assert_eq!(handle.query(stands).await, Ok(true), "{told}");
        // Who asks after that has had the time to look.
        handle.command(actor(who), lifts).await.unwrap().unwrap();
        assert_eq!(handle.query(stands).await, Ok(false), "{told}");
    }
}

/// Danger: whoever may stop something keeps others from lifting what has nothing to do with it.
#[tokio::test]
async fn what_is_stopped_meanwhile_keeps_nobody_from_lifting_something_else() {
    let treasury = Hanging::with_a_payment().await;
    let handle = &treasury.engine.handle;
    let freeze = Command::Freeze { account: None, reason: "a drill".to_owned() };
    handle.command(actor("sue"), freeze).await.unwrap().unwrap();
    let flag = Command::Flag { proposal: ProposalId(1), reason: "strange".to_owned() };
    let unfreeze = Command::Unfreeze { account: None, reason: "settled".to_owned() };
    let (lifted, flagged) = treasury.while_it_hangs(("adam", unfreeze), ("sue", flag)).await;
    assert!(matches!(flagged, Ok(Answer::Stopped { stop: StopId(2), changed: true, .. })), "{flagged:?}");
    assert_eq!(lifted, Ok(Answer::Lifted { lifted: vec![StopId(1)], standing: vec![StopId(2)] }));
}
