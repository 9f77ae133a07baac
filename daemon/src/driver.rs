//! Carries effects out. It makes no decision: each effect becomes one request to a port, and what comes
//! of it becomes one input.

mod guarded;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use treasury_core::effect::{Derived, Opening, Party, ReleaseInputs, Unsent};
use treasury_core::input::{RungSignatures, SubmitReply};
use treasury_core::units::{AccountId, Hash256, HexBytes, ProposalId};
use treasury_core::{Effect, Input};

use self::guarded::Guarded;
use crate::clock;
use crate::engine::EngineHandle;
use crate::lines;
use crate::signer::FirstPart;

pub use crate::leave::{Leave, Permit};
pub(crate) use guarded::silent;
pub use guarded::{GuardPort, Share};

/// Effects carried out at the same time. Each holds a thread (signing) or a request to the ledger
/// (submission), and the ledger server takes only so many requests at once.
const AT_ONCE: usize = 32;

/// Effects taken off the engine's queue and not begun. Beyond it they wait in that queue, which stops the
/// engine when it is full.
const WAITING_MAX: usize = 4_096;

/// How often wall time is told to the core: it is what silence is measured with.
const TICK: Duration = Duration::from_secs(1);

/// A future that a port hands out.
pub type Reply<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the driver needs of the ledger.
pub trait LedgerPort: Send + Sync + 'static {
    /// Sends a signed transaction and answers with what the server said of it; or with
    /// [`SubmitReply::NotSent`] where the permit has ended before it left.
    fn submit(&self, tx_id: Hash256, blob: HexBytes, permit: Permit) -> Reply<SubmitReply>;

    /// Reads accounts anew; the port itself brings the result as [`Input::Reconciled`], in its place
    /// among the ledgers.
    fn reconcile(&self, accounts: Vec<AccountId>) -> Reply<()>;
}

/// What the driver needs of the signer. May block: each call has a thread of its own. The errors are for
/// people and hold no secret.
pub trait SignerPort: Send + Sync + 'static {
    /// The condition of an escrow's preimage, with the newest release key.
    ///
    /// # Errors
    /// Why it cannot be derived.
    fn condition(&self, inputs: &ReleaseInputs) -> Result<Derived, String>;

    /// The conditions of an escrow's preimage, with each release key that there has been.
    ///
    /// # Errors
    /// Why they cannot be derived.
    fn conditions(&self, inputs: &ReleaseInputs) -> Result<Vec<Derived>, String>;

    /// What opens the escrow, with the release key that it was made with.
    ///
    /// # Errors
    /// Why it cannot be derived.
    fn opening(&self, inputs: &ReleaseInputs) -> Result<Opening, String>;

    /// What the guard is shown of the daemon's part of a guarded escrow's preimage, with the newest release key.
    ///
    /// # Errors
    /// Why it cannot be derived.
    fn first_part(&self, inputs: &ReleaseInputs) -> Result<FirstPart, String>;

    /// The same with the release key that the escrow was made with.
    ///
    /// # Errors
    /// Why it cannot be derived.
    fn first_part_of(&self, inputs: &ReleaseInputs) -> Result<FirstPart, String>;

    /// The same with each release key that there has been.
    ///
    /// # Errors
    /// Why they cannot be derived.
    fn first_parts(&self, inputs: &ReleaseInputs) -> Result<Vec<FirstPart>, String>;

    /// What opens a guarded escrow with the guard's share.
    ///
    /// # Errors
    /// Why it cannot be derived.
    fn opening_with(&self, inputs: &ReleaseInputs, share: &Share) -> Result<Opening, String>;

    /// An agent's signatures over every rung.
    ///
    /// # Errors
    /// Why it did not sign.
    fn sign_as_agent(&self, signer: AccountId, rungs: &[HexBytes]) -> Result<RungSignatures, String>;

    /// Every rung signed with the account's own key; with what opens an escrow put in before, where that is given.
    ///
    /// # Errors
    /// Why it did not sign.
    fn sign_single(
        &self,
        account: AccountId,
        rungs: &[HexBytes],
        opening: Option<&Opening>,
    ) -> Result<Vec<HexBytes>, String>;
}

/// Starts the loop. It ends when the engine has.
pub fn spawn(
    effects: mpsc::Receiver<Effect>,
    engine: EngineHandle,
    ledger: Arc<dyn LedgerPort>,
    signer: Arc<dyn SignerPort>,
    guard: Option<Arc<dyn GuardPort>>,
) -> JoinHandle<()> {
    let guarded = Guarded::new(engine.clone(), Arc::clone(&signer), guard);
    let leave = engine.leave().clone();
    let driver = Driver { engine, ledger, signer, guarded, leave, recalled: 0 };
    tokio::spawn(driver.run(effects))
}

struct Driver {
    engine: EngineHandle,
    ledger: Arc<dyn LedgerPort>,
    signer: Arc<dyn SignerPort>,
    guarded: Guarded,
    leave: Leave,
    /// How often the engine has called back what had not left, as far as that was taken off its queue: what was asked for
    /// before it did leaves no more, however late it is begun.
    recalled: u64,
}

impl Driver {
    /// Tells the core of all that waits here and was called back, so that it asks the gate again.
    fn recall(&mut self, waiting: &mut VecDeque<Effect>, running: &mut JoinSet<()>) {
        self.recalled = self.recalled.saturating_add(1);
        for effect in std::mem::take(waiting) {
            match effect {
                Effect::Submit { proposal, tx_id, .. } => {
                    let engine = self.engine.clone();
                    let reply = SubmitReply::NotSent;
                    running.spawn(async move {
                        tell(&engine, Input::SubmitAnswered { proposal, tx_id, reply }).await;
                    });
                }
                other => waiting.push_back(other),
            }
        }
    }

    async fn run(mut self, mut effects: mpsc::Receiver<Effect>) {
        let mut waiting = VecDeque::new();
        let mut running = JoinSet::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            while running.len() < AT_ONCE
                && let Some(effect) = waiting.pop_front()
            {
                self.begin(effect, &mut running);
            }
            tokio::select! {
                effect = effects.recv(), if waiting.len() < WAITING_MAX => match effect {
                    // What stops comes before what waits.
                    Some(Effect::Recall) => self.recall(&mut waiting, &mut running),
                    Some(effect) => waiting.push_back(effect),
                    None => return,
                },
                Some(ended) = running.join_next() => {
                    if let Err(error) = ended {
                        // A panic in a port. The core asks again where it still wants the thing done.
                        tracing::error!(%error, "an effect was not carried out");
                    }
                }
                _ = tick.tick() => {
                    // A full queue is proof enough that time is being noticed; the next second comes.
                    let _ = self.engine.inputs().try_send(Input::Tick { wall_ms: clock::wall_ms(), utc: clock::utc() });
                }
            }
        }
    }

    fn begin(&self, effect: Effect, running: &mut JoinSet<()>) {
        let engine = self.engine.clone();
        let signer = Arc::clone(&self.signer);
        match effect {
            // Given by the engine itself.
            Effect::Answer { .. } => {}
            // Carried out when it was taken off the queue.
            Effect::Recall => {}
            Effect::DeriveCondition { proposal, inputs } if inputs.party == Party::Guarded => {
                self.guarded.condition(proposal, inputs);
            }
            Effect::DeriveFulfillment { proposal, inputs } if inputs.party == Party::Guarded => {
                self.guarded.fulfillment(proposal, inputs);
            }
            Effect::DeriveCondition { proposal, inputs } => {
                running.spawn(signing(engine, proposal, move || {
                    let derived = signer.condition(&inputs)?;
                    Ok(Input::ConditionDerived { proposal, party: inputs.party, derived })
                }));
            }
            Effect::DeriveFulfillment { proposal, inputs } => {
                running.spawn(signing(engine, proposal, move || {
                    let opening = signer.opening(&inputs)?;
                    Ok(Input::FulfillmentDerived { proposal, party: inputs.party, opening })
                }));
            }
            Effect::Recognise { inputs } => {
                self.guarded.recognise(inputs.clone());
                running.spawn(async move {
                    let escrow = inputs.escrow;
                    let derive = move || signer.conditions(&inputs).map(|derived| (inputs, derived));
                    match tokio::task::spawn_blocking(derive).await {
                        Ok(Ok((inputs, derived))) => {
                            tell(&engine, Input::EscrowDerived { inputs, derived }).await;
                        }
                        // It stays somebody else's until the next start, which asks again.
                        Ok(Err(reason)) => {
                            tracing::warn!(%escrow, reason, "whose escrow it is was not found out")
                        }
                        Err(error) => tracing::error!(%escrow, %error, "the signer panicked"),
                    }
                });
            }
            Effect::SignAsAgents { proposal, signers, rungs, void } => {
                running.spawn(signing(engine, proposal, move || {
                    // Each by itself: a key that is missing takes nobody else's signature with it.
                    let (mut signatures, mut failed) = (Vec::new(), Vec::new());
                    for agent in signers {
                        match sign_both(signer.as_ref(), agent, &rungs, &void) {
                            Ok(signed) => signatures.push(signed),
                            Err(reason) => {
                                tracing::warn!(%proposal, %agent, reason, "an agent did not sign");
                                failed.push((agent, reason));
                            }
                        }
                    }
                    Ok(Input::AgentSigned { proposal, signatures, failed })
                }));
            }
            Effect::SignSingle { proposal, account, rungs, opening } => {
                running.spawn(signing(engine, proposal, move || {
                    let blobs = Unsent(signer.sign_single(account, &rungs, opening.as_ref())?);
                    Ok(Input::SingleSigned { proposal, blobs })
                }));
            }
            Effect::Submit { proposal, tx_id, blob } => {
                let reply = self.ledger.submit(tx_id, blob, self.leave.permit_after(self.recalled));
                running.spawn(async move {
                    let reply = reply.await;
                    lines::submission_answered(proposal, tx_id, in_words(&reply));
                    tell(&engine, Input::SubmitAnswered { proposal, tx_id, reply }).await;
                });
            }
            Effect::Reconcile { accounts } => {
                running.spawn(self.ledger.reconcile(accounts));
            }
        }
    }
}

/// An agent's signatures over what is to be done, and over its void where there is one.
fn sign_both(
    signer: &dyn SignerPort,
    agent: AccountId,
    rungs: &[HexBytes],
    void: &[HexBytes],
) -> Result<RungSignatures, String> {
    let signed = signer.sign_as_agent(agent, rungs)?;
    if void.is_empty() {
        return Ok(signed);
    }
    let void_signatures = signer.sign_as_agent(agent, void)?.signatures;
    Ok(RungSignatures { void_signatures, ..signed })
}

/// Runs the signer on a thread of its own and brings the result, or the reason why there is none.
async fn signing(
    engine: EngineHandle,
    proposal: ProposalId,
    work: impl FnOnce() -> Result<Input, String> + Send + 'static,
) {
    let input = match tokio::task::spawn_blocking(work).await {
        Ok(Ok(input)) => input,
        Ok(Err(reason)) => {
            tracing::warn!(%proposal, reason, "the signer did not sign");
            Input::SignFailed { proposal, reason }
        }
        Err(error) => {
            tracing::error!(%proposal, %error, "the signer panicked");
            Input::SignFailed { proposal, reason: "the signer failed".to_owned() }
        }
    };
    tell(&engine, input).await;
}

/// A server's reply, for the log.
fn in_words(reply: &SubmitReply) -> String {
    match reply {
        SubmitReply::Engine(result) => result.clone(),
        SubmitReply::Busy(said) => format!("busy: {said}"),
        SubmitReply::NotSent => "not_sent".to_owned(),
        SubmitReply::Unknown(said) => format!("unknown: {said}"),
    }
}

async fn tell(engine: &EngineHandle, input: Input) {
    // Where the engine has stopped, nobody needs it: after a restart the core asks again.
    let _ = engine.input(input).await;
}

#[cfg(test)]
mod tests;
