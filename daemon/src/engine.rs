//! The one thread that owns the state: step, append, and only then release effects.
//!
//! Nothing else reads or changes the state. Everything that happens outside comes in through one bounded
//! queue, in the order in which it was put there; questions are answered between two steps.

mod answers;
mod machine;
mod urgent;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use treasury_core::command::Asked;
use treasury_core::units::RequestId;
use treasury_core::{Actor, Answer, ApplyError, Command, CommandError, Effect, Input, State, Treasury};

use crate::clock;
use crate::leave::Leave;
use crate::lines;
use crate::metrics::Metrics;
use crate::sight::{self, OTHER_POLICY, Patience, READ_ANEW, STARTING};
use crate::store::{Archive, Record, Store, StoreError};

use urgent::{Overtaken, is_stop};

pub use answers::Answers;
pub use machine::Machine;

/// Inputs that may wait. A step takes about a millisecond, so this is a second's worth; whoever finds the
/// queue full waits.
const INPUTS_MAX: usize = 1_024;

/// Commands that stop something and wait beside that queue: a full one must not hold them up. More than people can
/// send at once.
const STOPS_MAX: usize = 64;

/// Questions that may wait.
const QUESTIONS_MAX: usize = 256;

/// Questions that wait beside those, of who looks whether the daemon lives and sees.
const PROBES_MAX: usize = 64;

/// Effects that may wait for the driver. The engine never waits for the driver, because the driver waits
/// for the engine; so a driver that carries nothing out any more must end in a stop and not in a
/// deadlock. One step of a large treasury asks for some hundred effects.
const EFFECTS_MAX: usize = 65_536;

/// Inputs in a row before a waiting question gets its turn: a long backfill must not make the daemon
/// look dead.
const INPUTS_IN_A_ROW: u32 = 64;

/// Inputs in a row before a probe gets its turn. Not one: whoever asks all the time must not keep the ledger out.
const INPUTS_BEFORE_PROBE: u32 = 16;

/// Why the engine stopped by itself. What it had in memory is then not what is stored, and must not be
/// used; the process should end and be started again.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// Facts could not be made durable.
    #[error("the store failed: {0}")]
    Append(#[from] StoreError),
    /// A step contradicts itself: a defect. Nothing of it was stored or released.
    #[error("a step contradicts itself: {0}")]
    Defect(#[from] ApplyError),
    /// A step broke an invariant; nothing of it was stored or released.
    #[error("an invariant is broken: {0}")]
    Invariant(String),
    /// Effects are not carried out any more.
    #[error("{EFFECTS_MAX} effects wait to be carried out; the driver does not take them")]
    EffectsNotTaken,
    /// A bug.
    #[error("the engine panicked")]
    Panicked,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineStartError {
    /// The store cannot be read, or says what cannot be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store says breaks an invariant.
    #[error("the stored state breaks an invariant: {0}")]
    Invariant(String),
    /// The configuration lacks what is under way.
    #[error(
        "the configuration does not have what is under way: {0}. Start with the configuration as it was until that has ended"
    )]
    LeftBehind(String),
    /// The system gives no thread.
    #[error("cannot start the engine's thread: {0}")]
    Thread(std::io::Error),
}

/// The engine does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// It has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

/// A running engine: the handle that speaks to it, what it asks of the world, and its thread.
#[derive(Debug)]
pub struct Engine {
    /// Speaks to it.
    pub handle: EngineHandle,
    /// What it asks of the world, in order. Answers to commands it gives itself.
    pub effects: mpsc::Receiver<Effect>,
    /// Ends when the engine does.
    pub thread: JoinHandle<()>,
}

/// Called once, on the engine's thread, when it stops by itself.
pub type OnFatal = Box<dyn FnOnce(Fatal) + Send>;

impl Engine {
    /// Replays the store and starts the thread. Reads the whole store, so it takes time and blocks.
    ///
    /// # Errors
    /// Where the store is damaged or contradicts itself.
    pub fn start(
        treasury: Treasury,
        store: Box<dyn Store>,
        metrics: Arc<Metrics>,
        on_fatal: OnFatal,
    ) -> Result<Self, EngineStartError> {
        let machine = Machine::open(Arc::new(treasury), store, Arc::clone(&metrics))?;
        let declared: Declared = Arc::new(RwLock::new(Arc::clone(&machine.treasury)));
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(EngineStartError::Thread)?;
        let (inputs, inputs_out) = mpsc::channel(INPUTS_MAX);
        let (stops, stops_out) = mpsc::channel(STOPS_MAX);
        let (questions, questions_out) = mpsc::channel(QUESTIONS_MAX);
        let (probes, probes_out) = mpsc::channel(PROBES_MAX);
        let (effects_in, effects) = mpsc::channel(EFFECTS_MAX);
        let (answers, leave) = (Arc::new(Answers::default()), Leave::default());
        let (recorded, records) = watch::channel(machine.last);
        let handle = EngineHandle {
            records,
            inputs,
            stops,
            questions,
            probes,
            answers: Arc::clone(&answers),
            leave: leave.clone(),
            requests: Arc::new(AtomicU64::new(1)),
            treasury: Arc::clone(&declared),
            archive: Arc::clone(machine.archive()),
        };
        let last_ledger_ms = clock::wall_ms();
        let core = Core {
            machine,
            metrics,
            declared,
            recorded,
            effects: effects_in,
            answers: Arc::clone(&answers),
            leave,
            patience: Patience::default(),
            overtaken: Overtaken::default(),
            last_ledger_ms,
        };
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let queues = Queues {
                    inputs: inputs_out,
                    stops: stops_out,
                    questions: questions_out,
                    probes: probes_out,
                };
                let run = || runtime.block_on(core.run(queues));
                // The thread ends after this; nothing looks at what a panic left behind.
                let end = catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(Fatal::Panicked));
                answers.close();
                if let Err(fatal) = end {
                    lines::engine_stopped(&fatal);
                    on_fatal(fatal);
                }
            })
            .map_err(EngineStartError::Thread)?;
        Ok(Self { handle, effects, thread })
    }
}

/// Speaks to the engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    inputs: mpsc::Sender<Input>,
    stops: mpsc::Sender<Input>,
    questions: mpsc::Sender<Question>,
    probes: mpsc::Sender<Question>,
    answers: Arc<Answers>,
    leave: Leave,
    requests: Arc<AtomicU64>,
    treasury: Declared,
    archive: Arc<Archive>,
    records: watch::Receiver<u64>,
}

/// What is declared now, with the policy in force: it changes when the configuration is read anew, and when another policy
/// is put in force.
type Declared = Arc<RwLock<Arc<Treasury>>>;

impl EngineHandle {
    /// The queue of inputs. What one sender puts in keeps its order.
    #[must_use]
    pub fn inputs(&self) -> mpsc::Sender<Input> {
        self.inputs.clone()
    }

    /// What is declared, with the policy in force.
    #[must_use]
    pub fn treasury(&self) -> Arc<Treasury> {
        // It is replaced whole, whatever panics meanwhile.
        Arc::clone(&self.treasury.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides by this configuration from now on, if nothing that is under way would be lost sight of with it. What
    /// has not left yet is called back and asked for again.
    ///
    /// # Errors
    /// [`EngineError::Stopped`]; inside, what stands against it, in words. Nothing has changed then.
    pub async fn declare(&self, treasury: Treasury) -> Result<Result<(), String>, EngineError> {
        let (reply, answer) = oneshot::channel();
        let question = Question::Declare(Box::new(treasury), reply);
        self.questions.send(question).await.map_err(|_| EngineError::Stopped)?;
        answer.await.map_err(|_| EngineError::Stopped)
    }

    /// Asks the archive of ended proposals something, off the engine's thread.
    ///
    /// # Errors
    /// [`EngineError::Stopped`]; inside, what the archive cannot read.
    pub async fn archived<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Archive) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Result<T, StoreError>, EngineError> {
        let archive = Arc::clone(&self.archive);
        tokio::task::spawn_blocking(move || question(&archive)).await.map_err(|_| EngineError::Stopped)
    }

    /// The number of the last record; whoever waits for a change of it learns at once of what has become durable.
    pub fn records(&self) -> watch::Receiver<u64> {
        self.records.clone()
    }

    /// Whether what it asked the driver to send may still leave.
    #[must_use]
    pub fn leave(&self) -> &Leave {
        &self.leave
    }

    /// Hands over one input; waits while the queue is full.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn input(&self, input: Input) -> Result<(), EngineError> {
        self.inputs.send(input).await.map_err(|_| EngineError::Stopped)
    }

    /// Carries a command out. Its facts are durable when this returns. One that stops something does not wait for what
    /// others have handed over before.
    ///
    /// # Errors
    /// [`EngineError::Stopped`]; whether the command was carried out is then not known.
    pub async fn command(
        &self,
        actor: Actor,
        command: Command,
    ) -> Result<Result<Answer, CommandError>, EngineError> {
        self.command_as(actor, command, None).await
    }

    /// The same, with how it came, which is written down with what comes of it.
    ///
    /// # Errors
    /// As [`EngineHandle::command`].
    pub async fn command_as(
        &self,
        actor: Actor,
        command: Command,
        asked: Option<Box<Asked>>,
    ) -> Result<Result<Answer, CommandError>, EngineError> {
        let request = RequestId(self.requests.fetch_add(1, Ordering::Relaxed));
        let waiting = Answers::wait(&self.answers, request)?;
        let queue = if is_stop(&command) { &self.stops } else { &self.inputs };
        let input = Input::Command { request, actor, command, archived: None, asked };
        queue.send(input).await.map_err(|_| EngineError::Stopped)?;
        waiting.answer().await
    }

    /// Asks something about the state as it is after all inputs handed over before.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn query<T: Send + 'static>(
        &self,
        question: impl FnOnce(&State, &Treasury) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        ask(&self.questions, move |core| question(&core.machine.state, &core.machine.treasury)).await
    }

    /// As [`EngineHandle::query`], about the state as it is now or soon, whatever waits.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn probe<T: Send + 'static>(
        &self,
        question: impl FnOnce(&State, &Treasury) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        ask(&self.probes, move |core| question(&core.machine.state, &core.machine.treasury)).await
    }

    /// Stored records above `after`, at most `limit`.
    ///
    /// # Errors
    /// [`EngineError::Stopped`]; inside, where a record is damaged.
    pub async fn events(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Result<Vec<Record>, StoreError>, EngineError> {
        ask(&self.questions, move |core| core.machine.store.read(after, limit)).await
    }

    /// Time since the last validated ledger was taken in; since the start before the first.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn ledger_age(&self) -> Result<Duration, EngineError> {
        ask(&self.questions, |core| core.ledger_age()).await
    }

    /// Brings every gauge up to the state as it is now or soon, whatever waits.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn show_metrics(&self) -> Result<(), EngineError> {
        let show =
            |core: &Core| core.metrics.show(&core.machine.treasury, &core.machine.state, core.ledger_age());
        ask(&self.probes, show).await
    }

    /// Ends the engine after the inputs that wait now.
    pub async fn stop(&self) {
        // Where it has stopped already there is nothing to do.
        let _ = self.questions.send(Question::Stop).await;
    }
}

async fn ask<T: Send + 'static>(
    queue: &mpsc::Sender<Question>,
    question: impl FnOnce(&Core) -> T + Send + 'static,
) -> Result<T, EngineError> {
    let (reply, answer) = oneshot::channel();
    let question = Question::Ask(Box::new(move |core| {
        // Nobody waits any more: then nobody misses the answer.
        let _ = reply.send(question(core));
    }));
    queue.send(question).await.map_err(|_| EngineError::Stopped)?;
    answer.await.map_err(|_| EngineError::Stopped)
}

/// What waits for the thread.
struct Queues {
    inputs: mpsc::Receiver<Input>,
    stops: mpsc::Receiver<Input>,
    questions: mpsc::Receiver<Question>,
    probes: mpsc::Receiver<Question>,
}

enum Question {
    Ask(Box<dyn FnOnce(&Core) + Send>),
    Declare(Box<Treasury>, oneshot::Sender<Result<(), String>>),
    Stop,
}

/// What the thread owns.
struct Core {
    machine: Machine,
    metrics: Arc<Metrics>,
    declared: Declared,
    recorded: watch::Sender<u64>,
    effects: mpsc::Sender<Effect>,
    answers: Arc<Answers>,
    leave: Leave,
    patience: Patience,
    overtaken: Overtaken,
    last_ledger_ms: u64,
}

impl Core {
    async fn run(mut self, queues: Queues) -> Result<(), Fatal> {
        self.serve(queues).await?;
        self.machine.store.close(&self.machine.state);
        Ok(())
    }

    async fn serve(&mut self, mut queues: Queues) -> Result<(), Fatal> {
        self.take_configured()?;
        // Said at once and not with the first input, which may be long in coming.
        if self.machine.state.sees() {
            self.take(Input::SightLost { reason: STARTING.to_owned() })?;
        }
        // Steps since anybody else had a turn. Stops count: whoever asks for them without a pause keeps nobody from looking,
        // from being told, or from taking the token that they are asked with.
        let (mut in_a_row, mut inputs): (u32, u32) = (0, 0);
        loop {
            for _ in 0..STOPS_MAX {
                let Ok(stop) = queues.stops.try_recv() else { break };
                self.overtaken.asked(&stop);
                self.take(stop)?;
                in_a_row = in_a_row.saturating_add(1);
            }
            if let Ok(input) = queues.inputs.try_recv() {
                self.take_in_turn(input)?;
                (in_a_row, inputs) = (in_a_row.saturating_add(1), inputs.wrapping_add(1));
                if inputs.is_multiple_of(INPUTS_BEFORE_PROBE)
                    && let Ok(Question::Ask(probe)) = queues.probes.try_recv()
                {
                    probe(self);
                }
                if in_a_row < INPUTS_IN_A_ROW {
                    continue;
                }
            }
            if in_a_row >= INPUTS_IN_A_ROW {
                in_a_row = 0;
                if let Ok(Question::Ask(probe)) = queues.probes.try_recv() {
                    probe(self);
                }
                match queues.questions.try_recv() {
                    Ok(Question::Stop) => return Ok(()),
                    Ok(question) => self.answer(question)?,
                    Err(_) => {}
                }
                continue;
            }
            tokio::select! {
                biased;
                Some(stop) = queues.stops.recv() => {
                    self.overtaken.asked(&stop);
                    self.take(stop)?;
                    in_a_row = in_a_row.saturating_add(1);
                }
                Some(input) = queues.inputs.recv() => {
                    self.take_in_turn(input)?;
                    in_a_row = 0;
                }
                Some(Question::Ask(probe)) = queues.probes.recv() => probe(self),
                question = queues.questions.recv() => match question {
                    // No handle is left: nothing can come any more.
                    Some(Question::Stop) | None => return Ok(()),
                    Some(question) => {
                        self.answer(question)?;
                        in_a_row = 0;
                    }
                },
            }
        }
    }

    fn answer(&mut self, question: Question) -> Result<(), Fatal> {
        match question {
            Question::Ask(question) => question(self),
            Question::Declare(treasury, reply) => {
                let answer = self.machine.declare(*treasury);
                if answer.is_ok() {
                    self.tell_declared();
                    self.take_configured()?;
                    // As after a start: what has not left is called back, and everything is looked at anew.
                    let reason = sight::again(&self.machine.state, READ_ANEW);
                    self.take(Input::SightLost { reason })?;
                }
                // Whoever asked may have given up; it holds all the same.
                let _ = reply.send(answer);
            }
            Question::Stop => {}
        }
        Ok(())
    }

    fn take_configured(&mut self) -> Result<(), Fatal> {
        self.machine.configured().map_or(Ok(()), |input| self.take(input))
    }

    fn tell_declared(&self) {
        *self.declared.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&self.machine.treasury);
    }

    /// Takes what others did not hold up. What its sender has taken back since they asked for it is refused, and what would lift a stop
    /// that somebody has asked for since: that came first only because it stops something.
    fn take_in_turn(&mut self, input: Input) -> Result<(), Fatal> {
        match self.overtaken.refuses(&self.machine.state, &input) {
            Some((request, refused)) => self.answers.give(request, Err(refused)),
            None => self.take(input)?,
        }
        Ok(())
    }

    fn take(&mut self, input: Input) -> Result<(), Fatal> {
        self.metrics.stepping(&input);
        if let Input::Ledger { wall_ms, .. } | Input::Reconciled { wall_ms, .. } = &input {
            self.last_ledger_ms = self.last_ledger_ms.max(*wall_ms);
        }
        let ticked = match &input {
            Input::Tick { wall_ms, utc } => Some((*wall_ms, *utc)),
            _ => None,
        };
        let decided_by = Arc::clone(&self.machine.treasury);
        let effects = self.machine.take(input)?;
        let is_another = !Arc::ptr_eq(&decided_by, &self.machine.treasury);
        if is_another {
            // Before anybody is answered: whoever looks then sees what decides.
            self.tell_declared();
        }
        effects.into_iter().try_for_each(|effect| self.release(effect))?;
        self.machine.settle()?;
        let last = self.machine.last;
        self.recorded.send_if_modified(|known| std::mem::replace(known, last) != last);
        if is_another {
            // As with another configuration: what has not left is called back, and everything is looked at anew.
            let reason = sight::again(&self.machine.state, OTHER_POLICY);
            self.take(Input::SightLost { reason })?;
        }
        if self.machine.state.sees() {
            self.patience = Patience::default();
        }
        if let Some((wall_ms, utc)) = ticked {
            let Machine { state, treasury, .. } = &self.machine;
            if let Some(reason) = self.patience.ends(state, treasury, wall_ms, utc) {
                self.take(Input::SightLost { reason })?;
            }
        }
        Ok(())
    }

    /// What is called back leaves no more from here on, and whoever asked is answered after that, whatever waits to be carried
    /// out.
    fn release(&mut self, effect: Effect) -> Result<(), Fatal> {
        match effect {
            Effect::Answer { request, answer } => {
                self.overtaken.answered(request, &answer);
                self.answers.give(request, answer);
                return Ok(());
            }
            Effect::Recall => self.leave.end(),
            _ => {}
        }
        match self.effects.try_send(effect) {
            Ok(()) => Ok(()),
            // Full, or the driver is gone.
            Err(_) => Err(Fatal::EffectsNotTaken),
        }
    }

    fn ledger_age(&self) -> Duration {
        Duration::from_millis(clock::wall_ms().saturating_sub(self.last_ledger_ms))
    }
}

#[cfg(test)]
mod tests;
