use std::sync::Mutex;

use tokio::sync::Semaphore;
use treasury_core::Answer;
use treasury_core::effect::{FIRST_KEY, GuardRefusal};
use treasury_core::proposal::Status;
use treasury_core::units::{Amount, EscrowKey, RippleTime};

use super::*;
use crate::engine::Engine;
use crate::store::MemoryStore;
use crate::testing::{self, AGENT, ALICE, BOB, actor, pay, xrp};

/// Writes down what it was asked and answers every submission the same.
struct FakeLedger {
    submitted: Mutex<Vec<Hash256>>,
    reply: SubmitReply,
}

impl FakeLedger {
    fn new(reply: SubmitReply) -> Arc<Self> {
        Arc::new(Self { submitted: Mutex::default(), reply })
    }
}

impl LedgerPort for FakeLedger {
    fn submit(&self, tx_id: Hash256, _: HexBytes, _: Permit) -> Reply<SubmitReply> {
        self.submitted.lock().unwrap().push(tx_id);
        let reply = self.reply.clone();
        Box::pin(async move { reply })
    }

    fn reconcile(&self, _: Vec<AccountId>) -> Reply<()> {
        Box::pin(async {})
    }
}

/// Signs as the agent, and derives one condition; or fails at everything.
struct FakeSigner {
    works: bool,
}

impl SignerPort for FakeSigner {
    fn condition(&self, _: &ReleaseInputs) -> Result<Derived, String> {
        let derived = Derived { condition: HexBytes(condition()), key_version: FIRST_KEY, party: Party::Own };
        if self.works { Ok(derived) } else { Err("the keystore is gone".to_owned()) }
    }

    fn conditions(&self, inputs: &ReleaseInputs) -> Result<Vec<Derived>, String> {
        self.condition(inputs).map(|derived| vec![derived])
    }

    fn opening(&self, _: &ReleaseInputs) -> Result<Opening, String> {
        Err("nothing is released here".to_owned())
    }

    fn first_part(&self, _: &ReleaseInputs) -> Result<FirstPart, String> {
        Ok(FirstPart { digest: [1; 32], key_version: FIRST_KEY })
    }

    fn first_parts(&self, _: &ReleaseInputs) -> Result<Vec<FirstPart>, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn first_part_of(&self, _: &ReleaseInputs) -> Result<FirstPart, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn opening_with(&self, _: &ReleaseInputs, _: &Share) -> Result<Opening, String> {
        Err("nothing is guarded here".to_owned())
    }

    fn sign_as_agent(&self, signer: AccountId, rungs: &[HexBytes]) -> Result<RungSignatures, String> {
        assert_eq!(signer, testing::signer(AGENT));
        if self.works {
            Ok(testing::signatures(AGENT, rungs))
        } else {
            Err("the keystore is gone".to_owned())
        }
    }

    fn sign_single(
        &self,
        _: AccountId,
        _: &[HexBytes],
        _: Option<&Opening>,
    ) -> Result<Vec<HexBytes>, String> {
        panic!("a signer that panics")
    }
}

fn condition() -> Vec<u8> {
    xrpl_wire::condition::condition_for_preimage(&[9; 32])
}

fn drive(engine: &mut Engine, ledger: Arc<FakeLedger>, works: bool) -> JoinHandle<()> {
    let (_, empty) = mpsc::channel(1);
    let effects = std::mem::replace(&mut engine.effects, empty);
    spawn(effects, engine.handle.clone(), ledger, Arc::new(FakeSigner { works }), None)
}

async fn status(engine: &EngineHandle) -> Status {
    engine.query(|state, _| state.proposals[&ProposalId(1)].status.clone()).await.unwrap()
}

/// Waits until the state says so. Each turn lets other tasks and the engine's thread run.
async fn until(engine: &EngineHandle, mut so: impl FnMut(&Status) -> bool) {
    let limit = tokio::time::timeout(Duration::from_secs(10), async {
        while !so(&status(engine).await) {
            tokio::task::yield_now().await;
        }
    });
    if limit.await.is_err() {
        panic!("still {:?}", status(engine).await);
    }
}

#[tokio::test]
async fn a_payment_goes_from_the_proposal_to_the_ledger_port() {
    let (mut engine, _, _) = testing::engine(MemoryStore::new());
    let ledger = FakeLedger::new(SubmitReply::Engine("tesSUCCESS".to_owned()));
    let loop_ = drive(&mut engine, Arc::clone(&ledger), true);
    let handle = engine.handle.clone();
    testing::look(&handle).await;
    let answer = handle.command(actor("alice"), pay(xrp(5))).await.unwrap();
    assert_eq!(answer, Ok(Answer::Proposed { proposal: ProposalId(1) }));
    let rungs = handle
        .query(|state, _| state.proposals[&ProposalId(1)].plan.as_ref().unwrap().rungs.clone())
        .await
        .unwrap();
    for (person, n) in [("alice", ALICE), ("bob", BOB)] {
        let command = treasury_core::Command::Approve {
            proposal: ProposalId(1),
            signatures: testing::signatures(n, &rungs),
        };
        assert_eq!(handle.command(actor(person), command).await.unwrap(), Ok(Answer::Done { changed: true }));
    }
    until(&handle, |status| match status {
        Status::InFlight(submission) => submission.last_reply.as_deref() == Some("tesSUCCESS"),
        _ => false,
    })
    .await;
    let Status::InFlight(submission) = status(&handle).await else { panic!("not in flight") };
    assert_eq!(*ledger.submitted.lock().unwrap(), [submission.rungs[0].tx_id]);
    handle.stop().await;
    loop_.await.unwrap();
}

#[tokio::test]
async fn a_condition_is_derived_and_comes_back_as_an_input() {
    let (mut engine, _, _) = testing::engine(MemoryStore::new());
    drive(&mut engine, FakeLedger::new(SubmitReply::Unknown("cut".to_owned())), true);
    let handle = engine.handle.clone();
    testing::look(&handle).await;
    handle.command(actor("alice"), pay(xrp(500))).await.unwrap().unwrap();
    until(&handle, |status| *status == Status::Collecting).await;
    let rungs = handle
        .query(|state, _| state.proposals[&ProposalId(1)].plan.as_ref().unwrap().rungs.clone())
        .await
        .unwrap();
    for rung in rungs {
        let tx = xrpl_wire::Transaction::decode(&rung.0).unwrap();
        assert_eq!(tx.object().blob(xrpl_wire::sf::Condition), Some(condition().as_slice()));
    }
}

#[tokio::test]
async fn a_signer_that_fails_leaves_the_proposal_and_the_daemon_standing() {
    let (mut engine, _, fatals) = testing::engine(MemoryStore::new());
    drive(&mut engine, FakeLedger::new(SubmitReply::Unknown("cut".to_owned())), false);
    let handle = engine.handle.clone();
    testing::look(&handle).await;
    handle.command(actor("alice"), pay(xrp(500))).await.unwrap().unwrap();
    // The failure comes back through the same queue; a command behind it is still answered.
    handle.command(actor("sue"), testing::freeze("a drill")).await.unwrap().unwrap();
    assert_eq!(status(&handle).await, Status::Assessed);
    assert!(fatals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_port_that_panics_does_not_take_the_driver_with_it() {
    let (engine, _, _) = testing::engine(MemoryStore::new());
    let (effects_in, effects) = mpsc::channel(8);
    let ledger = FakeLedger::new(SubmitReply::Busy("slowDown".to_owned()));
    let signer = Arc::new(FakeSigner { works: true });
    spawn(effects, engine.handle.clone(), ledger.clone(), signer, None);
    let sign = Effect::SignSingle {
        proposal: ProposalId(1),
        account: testing::runner(),
        rungs: vec![],
        opening: None,
    };
    effects_in.send(sign).await.unwrap();
    let submit = Effect::Submit { proposal: ProposalId(1), tx_id: Hash256([5; 32]), blob: HexBytes(vec![1]) };
    effects_in.send(submit).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while ledger.submitted.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

/// A guard that never answers.
struct Silent {
    asked: Mutex<usize>,
}

impl GuardPort for Silent {
    fn condition(&self, _: ReleaseInputs, _: [u8; 32]) -> Reply<Result<HexBytes, GuardRefusal>> {
        *self.asked.lock().unwrap() += 1;
        Box::pin(std::future::pending())
    }

    fn known(&self, _: ReleaseInputs, _: [u8; 32]) -> Reply<Result<HexBytes, GuardRefusal>> {
        Box::pin(std::future::pending())
    }

    fn share(&self, _: ReleaseInputs, _: [u8; 32]) -> Reply<Result<Share, GuardRefusal>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_guard_that_never_answers_holds_up_nothing_else() {
    let (engine, _, _) = testing::engine(MemoryStore::new());
    let (effects_in, effects) = mpsc::channel(256);
    let ledger = FakeLedger::new(SubmitReply::Busy("slowDown".to_owned()));
    let (signer, guard) =
        (Arc::new(FakeSigner { works: true }), Arc::new(Silent { asked: Mutex::default() }));
    spawn(effects, engine.handle.clone(), ledger.clone(), signer, Some(guard.clone()));
    let inputs = ReleaseInputs {
        escrow: EscrowKey { owner: testing::runner(), sequence: 7 },
        destination: testing::runner(),
        destination_tag: None,
        amount: Amount::Xrp(xrp(5)),
        finish_after: RippleTime(1),
        cancel_after: RippleTime(2),
        key_version: FIRST_KEY,
        party: Party::Guarded,
    };
    for number in 0..100 {
        let (proposal, inputs) = (ProposalId(number), inputs.clone());
        effects_in.send(Effect::Recognise { inputs: inputs.clone() }).await.unwrap();
        effects_in.send(Effect::DeriveCondition { proposal, inputs }).await.unwrap();
    }
    let submit = Effect::Submit { proposal: ProposalId(1), tx_id: Hash256([5; 32]), blob: HexBytes(vec![1]) };
    effects_in.send(submit).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while ledger.submitted.lock().unwrap().is_empty() || *guard.asked.lock().unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(*guard.asked.lock().unwrap() <= 8, "more are not asked at once");
}

/// A ledger that answers when it is let.
struct Hanging {
    permits: Mutex<Vec<Permit>>,
    let_go: Arc<Semaphore>,
}

impl Hanging {
    fn new() -> Arc<Self> {
        Arc::new(Self { permits: Mutex::default(), let_go: Arc::new(Semaphore::new(0)) })
    }

    fn begun(&self) -> usize {
        self.permits.lock().unwrap().len()
    }
}

impl LedgerPort for Hanging {
    fn submit(&self, _: Hash256, _: HexBytes, permit: Permit) -> Reply<SubmitReply> {
        self.permits.lock().unwrap().push(permit);
        let let_go = Arc::clone(&self.let_go);
        Box::pin(async move {
            let _one_more = let_go.acquire().await;
            SubmitReply::NotSent
        })
    }

    fn reconcile(&self, _: Vec<AccountId>) -> Reply<()> {
        Box::pin(std::future::pending())
    }
}

/// Waits until it is so. Each turn lets other tasks and the engine's thread run.
async fn until_so(mut so: impl FnMut() -> bool) {
    let limit = tokio::time::timeout(Duration::from_secs(10), async {
        while !so() {
            tokio::task::yield_now().await;
        }
    });
    limit.await.unwrap();
}

/// An engine whose driver has so many submissions to carry out, of a ledger that hangs; and what is handed to the driver.
async fn with_submissions(
    so_many: u64,
    ledger: &Arc<Hanging>,
) -> (EngineHandle, tokio::sync::mpsc::Sender<Effect>) {
    let (engine, _, _) = testing::engine(MemoryStore::new());
    let (effects_in, effects) = mpsc::channel(16_384);
    spawn(effects, engine.handle.clone(), ledger.clone(), Arc::new(FakeSigner { works: true }), None);
    let mut from_engine = engine.effects;
    for n in 0..so_many {
        let submit = Effect::Submit { proposal: ProposalId(n), tx_id: Hash256::ZERO, blob: HexBytes(vec![]) };
        effects_in.send(submit).await.unwrap();
    }
    let onward = effects_in.clone();
    tokio::spawn(async move {
        while let Some(effect) = from_engine.recv().await {
            onward.send(effect).await.unwrap();
        }
    });
    (engine.handle, effects_in)
}

#[tokio::test]
async fn no_more_is_asked_of_a_ledger_that_hangs_than_so_much_at_once_and_commands_are_answered() {
    let ledger = Hanging::new();
    let (engine, _) = with_submissions(200, &ledger).await;
    until_so(|| ledger.begun() == AT_ONCE).await;
    let answer = tokio::time::timeout(Duration::from_secs(10), engine.command(actor("nobody"), pay(xrp(1))));
    answer.await.unwrap().unwrap().unwrap_err();
    assert_eq!(ledger.begun(), AT_ONCE, "no more at once than that");
}

/// Danger: submissions wait behind a slow server, somebody freezes everything and is told that it is done, and then
/// they leave for the first time. Method: a ledger that hangs, a freeze behind more payments than wait in the driver, so that
/// it does not hear of it; then the ledger answers.
#[tokio::test]
async fn what_waits_to_be_sent_does_not_leave_after_a_freeze_was_answered() {
    let all = u64::try_from(WAITING_MAX + AT_ONCE + 100).unwrap();
    let ledger = Hanging::new();
    let (engine, driver) = with_submissions(all, &ledger).await;
    until_so(|| ledger.begun() == AT_ONCE).await;
    assert!(ledger.permits.lock().unwrap().iter().all(Permit::holds));
    let freeze = testing::freeze("keys stolen");
    let answer = tokio::time::timeout(Duration::from_secs(10), engine.command(actor("sue"), freeze)).await;
    assert!(matches!(answer, Ok(Ok(Ok(Answer::Stopped { changed: true, .. })))), "{answer:?}");
    assert_eq!(ledger.begun(), AT_ONCE);
    assert!(
        !ledger.permits.lock().unwrap().iter().any(Permit::holds),
        "what had begun does not leave its queue"
    );
    ledger.let_go.add_permits(usize::try_from(all).unwrap());
    // The driver has taken everything off its queue, the freeze last.
    until_so(|| driver.capacity() == driver.max_capacity()).await;
    assert!(ledger.begun() > AT_ONCE, "what waited was begun before the driver heard of the freeze");
    assert!(!ledger.permits.lock().unwrap().iter().any(Permit::holds), "and did not leave either");
}
