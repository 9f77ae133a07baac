//! State and store together: what the engine's thread and the simulator run.

use std::sync::Arc;
use std::time::Instant;

use treasury_core::charter::Table;
use treasury_core::command::Named;
use treasury_core::state::Archived;
use treasury_core::{CommandError, Effect, Event, Input, Runtime, State, Treasury, fits, invariant, step};

use super::{EngineStartError, Fatal};
use crate::lines;
use crate::metrics::Metrics;
use crate::store::{Archive, Resumed, Store, StoreError};

/// State and store together, with no thread, clock or queue: whoever calls [`Machine::take`] decides when.
/// The engine's thread and the simulator run this same code.
pub struct Machine {
    /// What is configured.
    configured: Arc<Treasury>,
    /// The same with the policy in force, by which everything is decided.
    pub(super) treasury: Arc<Treasury>,
    pub(super) state: State,
    runtime: Runtime,
    pub(super) store: Box<dyn Store>,
    pub(super) metrics: Arc<Metrics>,
    archive: Arc<Archive>,
    pub(super) last: u64,
    /// The record of the last step, and what left the state in it, as long as not everything has been done about it.
    unsettled: Option<u64>,
    retired: Vec<Archived>,
}

impl Machine {
    /// Replays the store. Whatever sight it ends with was another process's, so the first step loses it:
    /// until the ledger has been read anew, nothing may be released.
    ///
    /// # Errors
    /// Where the store is damaged or contradicts itself.
    pub fn open(
        treasury: Arc<Treasury>,
        mut store: Box<dyn Store>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, EngineStartError> {
        let Resumed { last, state } = store.resume(&mut |_| {})?;
        invariant::check(&state).map_err(|violation| EngineStartError::Invariant(violation.to_string()))?;
        let left = fits::left_behind(&treasury, &state);
        if !left.is_empty() {
            return Err(EngineStartError::LeftBehind(left.join("; ")));
        }
        metrics.restored(last, &state);
        let archive = store.archive();
        let runtime = Runtime::new();
        let (unsettled, retired) = (None, Vec::new());
        let (configured, treasury) = (Arc::clone(&treasury), in_force(treasury, &state));
        Ok(Self { configured, treasury, state, runtime, store, metrics, archive, last, unsettled, retired })
    }

    /// What is known and intended now.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Decides by this configuration from now on, with the policy that is in force, if nothing that is under way would be
    /// lost sight of. [`Machine::configured`] comes next.
    ///
    /// # Errors
    /// What stands against it, in words. Nothing has changed then.
    pub fn declare(&mut self, treasury: Treasury) -> Result<(), String> {
        let left = fits::left_behind(&treasury, &self.state);
        if !left.is_empty() {
            return Err(left.join("; "));
        }
        self.configured = Arc::new(treasury);
        self.treasury = in_force(Arc::clone(&self.configured), &self.state);
        self.runtime.declared_anew();
        Ok(())
    }

    /// What is to be taken in first, at a start and with another configuration: its table of rules, where that or the one in
    /// force says who may change it, or whom the address book makes known.
    #[must_use]
    pub fn configured(&self) -> Option<Input> {
        let policy = &self.configured.policy;
        let is_asked = policy.activation().is_some()
            || policy.confirmation().is_some()
            || self.state.charter.active.is_some()
            || self.state.address_book.adopted;
        is_asked.then(|| Input::Configured { table: Box::new(Table::of(&self.configured)) })
    }

    /// Takes one input to its consequences and makes its facts durable: twice where somebody is to be answered.
    /// The effects may be released when this has returned, in their order; then comes [`Machine::settle`].
    ///
    /// # Errors
    /// The machine must not be used any more: what it has in memory is then not what is stored.
    pub fn take(&mut self, mut input: Input) -> Result<Vec<Effect>, Fatal> {
        self.settle()?;
        if let Err(error) = self.look_up(&mut input)
            && let Input::Command { request, .. } = &input
        {
            tracing::error!(%error, "the archive of ended proposals cannot be read");
            let answer = Err(CommandError::ArchiveUnreadable(error.to_string()));
            return Ok(vec![Effect::Answer { request: *request, answer }]);
        }
        if matches!(input, Input::Tick { .. }) {
            self.store.tidy();
        }
        let output = step(&self.treasury, &mut self.state, &mut self.runtime, input)?;
        invariant::check_step(&self.state, &output.events)
            .map_err(|violation| Fatal::Invariant(violation.to_string()))?;
        self.retired = output.retired;
        if !output.events.is_empty() {
            let began = Instant::now();
            let number = self.store.append(&output.events)?;
            self.metrics.appended(number, began.elapsed(), &output.events);
            (self.last, self.unsettled) = (number, Some(number));
            if output.effects.iter().any(|effect| matches!(effect, Effect::Answer { .. })) {
                self.store.secure()?;
            }
            lines::happened(&self.treasury, &self.state, &output.events);
            if output.events.iter().any(changes_policy) {
                self.treasury = in_force(Arc::clone(&self.configured), &self.state);
                self.runtime.declared_anew();
            }
        }
        Ok(output.effects)
    }

    /// Does what the last step left to be done: the second copy of the daemon's own steps, and a snapshot from
    /// time to time. Nobody waits for these, so they come after the effects have been released.
    ///
    /// # Errors
    /// As [`Machine::take`].
    pub fn settle(&mut self) -> Result<(), Fatal> {
        if let Some(number) = self.unsettled.take() {
            self.store.secure()?;
            self.archive.add(&std::mem::take(&mut self.retired))?;
            self.store.settled(number, &self.state);
        }
        Ok(())
    }

    /// Where ended proposals are that have left the state.
    #[must_use]
    pub fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// Gives a command the ended proposal that it names, where that has left the state.
    fn look_up(&self, input: &mut Input) -> Result<(), StoreError> {
        let Input::Command { actor, command, archived, .. } = input else { return Ok(()) };
        let found = match command.names() {
            Some(Named::Proposal(id)) if !self.state.proposals.contains_key(&id) => self.archive.get(id)?,
            Some(Named::Key(key)) => {
                let known = self.state.idempotency.contains_key(&(actor.person.clone(), key.to_owned()));
                if known { None } else { self.archive.by_key(&actor.person, key)? }
            }
            _ => None,
        };
        *archived = found.map(|found| Box::new(found.proposal));
        Ok(())
    }
}

fn changes_policy(event: &Event) -> bool {
    matches!(event, Event::PolicyAdopted { .. } | Event::PolicyActivated { .. })
}

/// A configuration with what is in force of it.
fn in_force(configured: Arc<Treasury>, state: &State) -> Arc<Treasury> {
    match &state.charter.active {
        Some(_) => Arc::new(state.charter.in_force(&configured)),
        None => configured,
    }
}
