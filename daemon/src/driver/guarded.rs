//! Carries out what takes the guard's part. Apart from the rest: a guard that is slow or silent takes none of the places in
//! which the daemon signs and sends.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;
use treasury_core::Input;
use treasury_core::effect::{Derived, GuardRefusal, Party, ReleaseInputs};
use treasury_core::units::{HexBytes, ProposalId};
use xrpl_wire::split::SECOND_BYTES;
use zeroize::Zeroizing;

use super::{Reply, SignerPort, tell};
use crate::engine::EngineHandle;

/// What a guard answers of an escrow whose condition it did not make.
const NOT_ITS_OWN: [&str; 2] = ["guard_unknown_terms", "guard_other_terms"];

/// Requests to the guard at the same time. It reads ledgers for each; whoever comes when there are more comes again.
const AT_ONCE: usize = 8;

/// The guard's part of a preimage: a secret until the release is sent, though of no use without the daemon's.
pub struct Share(Zeroizing<[u8; SECOND_BYTES]>);

impl Share {
    /// From its bytes.
    #[must_use]
    pub fn new(bytes: [u8; SECOND_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, for whoever puts the preimage together.
    #[must_use]
    pub fn bytes(&self) -> &[u8; SECOND_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}

/// What the driver needs of the guard. Each answer comes in bounded time.
pub trait GuardPort: Send + Sync + 'static {
    /// The condition of the escrow-to-be with these terms, for a daemon whose part has that digest.
    fn condition(&self, inputs: ReleaseInputs, first: [u8; 32]) -> Reply<Result<HexBytes, GuardRefusal>>;

    /// The condition that it made of these terms before; refused where it made none.
    fn known(&self, inputs: ReleaseInputs, first: [u8; 32]) -> Reply<Result<HexBytes, GuardRefusal>>;

    /// The guard's share for the release of that escrow.
    fn share(&self, inputs: ReleaseInputs, first: [u8; 32]) -> Reply<Result<Share, GuardRefusal>>;
}

/// Asks the guard.
pub(super) struct Guarded {
    engine: EngineHandle,
    signer: Arc<dyn SignerPort>,
    guard: Option<Arc<dyn GuardPort>>,
    places: Arc<Semaphore>,
    /// Those in which escrows are recognised: there may be many at a start, and releases do not wait for them.
    recognising: Arc<Semaphore>,
}

/// Why nothing came of it: the guard's word, or a failure of the daemon's own signer.
enum Failed {
    Guard(GuardRefusal),
    Signer(String),
}

impl Guarded {
    pub(super) fn new(
        engine: EngineHandle,
        signer: Arc<dyn SignerPort>,
        guard: Option<Arc<dyn GuardPort>>,
    ) -> Self {
        let (places, recognising) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(1)));
        Self { engine, signer, guard, places, recognising }
    }

    /// Asks whether the guard made an escrow's condition with one of the daemon's release keys. Where it does not answer, the
    /// escrow stays somebody else's until the next start, which asks again.
    pub(super) fn recognise(&self, inputs: ReleaseInputs) {
        let Some(guard) = self.guard.clone() else { return };
        let (engine, signer) = (self.engine.clone(), Arc::clone(&self.signer));
        let recognising = Arc::clone(&self.recognising);
        tokio::spawn(async move {
            // It is never closed.
            let Ok(_place) = recognising.acquire().await else { return };
            let asked = inputs.clone();
            let Ok(parts) = with(move || signer.first_parts(&asked)).await else { return };
            let mut derived = Vec::new();
            for part in parts {
                match guard.known(inputs.clone(), part.digest).await {
                    Ok(condition) => derived.push(Derived {
                        condition,
                        key_version: part.key_version,
                        party: Party::Guarded,
                    }),
                    // The two that say no; whatever else it answers says nothing of this escrow.
                    Err(refusal) if refusal.answered && NOT_ITS_OWN.contains(&refusal.code.as_str()) => {}
                    Err(refusal) => {
                        let (escrow, reason) = (inputs.escrow, refusal.reason);
                        tracing::warn!(%escrow, reason, "whether it is guarded was not found out");
                        return;
                    }
                }
            }
            if !derived.is_empty() {
                tell(&engine, Input::EscrowDerived { inputs, derived }).await;
            }
        });
    }

    pub(super) fn condition(&self, proposal: ProposalId, inputs: ReleaseInputs) {
        let signer = Arc::clone(&self.signer);
        self.ask(proposal, move |guard| async move {
            let asked = inputs.clone();
            let first = with(move || signer.first_part(&asked)).await?;
            let condition = guard.condition(inputs.clone(), first.digest).await.map_err(Failed::Guard)?;
            let derived = Derived { condition, key_version: first.key_version, party: inputs.party };
            Ok(Input::ConditionDerived { proposal, party: inputs.party, derived })
        });
    }

    pub(super) fn fulfillment(&self, proposal: ProposalId, inputs: ReleaseInputs) {
        let signer = Arc::clone(&self.signer);
        self.ask(proposal, move |guard| async move {
            let (asked, party) = (inputs.clone(), inputs.party);
            let first = {
                let signer = Arc::clone(&signer);
                with(move || signer.first_part_of(&asked)).await?
            };
            let share = guard.share(inputs.clone(), first.digest).await.map_err(Failed::Guard)?;
            let opening = with(move || signer.opening_with(&inputs, &share)).await?;
            Ok(Input::FulfillmentDerived { proposal, party, opening })
        });
    }

    /// Asks in a task of its own, and says what came of it.
    fn ask<F: Future<Output = Result<Input, Failed>> + Send + 'static>(
        &self,
        proposal: ProposalId,
        question: impl FnOnce(Arc<dyn GuardPort>) -> F + Send + 'static,
    ) {
        let (engine, guard) = (self.engine.clone(), self.guard.clone());
        let place = Arc::clone(&self.places).try_acquire_owned();
        // It ends in bounded time, and where the engine has stopped its answer goes nowhere.
        tokio::spawn(async move {
            let answer = match (guard, place) {
                (Some(guard), Ok(_place)) => question(guard).await,
                (None, _) => Err(Failed::Guard(silent(
                    "guard_not_configured",
                    "no [guard] is configured, and this escrow has one",
                ))),
                (_, Err(_)) => Err(Failed::Guard(silent(
                    "guard_busy",
                    "too much is asked of it at once; it is asked again",
                ))),
            };
            let input = match answer {
                Ok(input) => input,
                Err(Failed::Guard(refusal)) => {
                    tracing::debug!(%proposal, code = refusal.code, reason = refusal.reason, "the guard gave nothing");
                    Input::GuardRefused { proposal, refusal }
                }
                Err(Failed::Signer(reason)) => {
                    tracing::warn!(%proposal, reason, "the signer did not sign");
                    Input::SignFailed { proposal, reason }
                }
            };
            tell(&engine, input).await;
        });
    }
}

/// What is said where nothing was answered.
pub(crate) fn silent(code: &str, reason: impl Into<String>) -> GuardRefusal {
    GuardRefusal { code: code.to_owned(), reason: reason.into(), answered: false }
}

/// Runs the signer on a thread of its own.
async fn with<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Failed> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Failed::Signer),
        Err(_) => Err(Failed::Signer("the signer failed".to_owned())),
    }
}
