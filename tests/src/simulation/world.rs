//! The run: one thread, one time, one chance. Inputs come from the ports, from people and from timers; each
//! goes through a daemon's engine, and what the engine asks for is carried out here.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use treasury_core::command::{Actor, Command};
use treasury_core::effect::Party;
use treasury_core::{Input, Treasury};
use treasuryd::engine::Fatal;
use treasuryd::metrics::Metrics;
use treasuryd::signer::Signer;
use xrpl_wire::RippleTime;

use super::cast::{CLOCK_SECONDS, Cast};
use super::checker::{Checker, Rule};
use super::coverage;
use super::faults::Fault;
use super::network::Network;
use super::node::{Node, Pending};
use super::people::{Act, People};
use super::record::Record;
use super::second::Second;
use super::transport::Shared;
use super::{Options, Report};

/// How often the daemon is told the time, in milliseconds.
const TICK_MS: u64 = 2_000;

/// Ledgers between two looks at what the daemons show.
const LOOK_LEDGERS: u32 = 16;

/// Ledgers between two looks at how long they say that money lasts.
const RUNWAY_LEDGERS: u32 = 16 * LOOK_LEDGERS;

/// A daemon that is not further behind knows what can be taken back.
const NEAR_LEDGERS: u32 = 3;

/// Something that is to happen at a time.
pub(super) enum Due {
    Close,
    Tick,
    Act(Act),
    Boot(usize),
    FreeDisk(usize),
    /// An answer to a daemon's process of so many starts.
    Input(usize, u32, Box<Input>),
}

/// Everything in a run.
pub(super) struct World {
    pub(super) shared: Shared,
    pub(super) cast: Cast,
    pub(super) treasury: Arc<Treasury>,
    without_schedules: Arc<Treasury>,
    /// Who has a part in every release, in some runs.
    pub(super) second: Option<Second>,
    pub(super) nodes: Vec<Node>,
    pub(super) checker: Checker,
    pub(super) people: People,
    pub(super) rng: StdRng,
    /// The last closed ledger.
    pub(super) index: u32,
    /// Faults are over.
    pub(super) healed: bool,
    pub(super) signer: Signer,
    metrics: Arc<Metrics>,
    due: BTreeMap<(u64, u64), Due>,
    scheduled: u64,
    pub(super) answers: (mpsc::UnboundedSender<Answered>, mpsc::UnboundedReceiver<Answered>),
    /// Ledger time when the run began.
    epoch: u32,
    /// The network closes its ledgers slowly up to this one.
    slow_until: u32,
    /// By how many seconds the network's clock is wrong.
    network_clock: i64,
    /// By how many seconds the clock of each daemon's host is wrong, and until when.
    host_clocks: Vec<(i64, u64)>,
    crash_permille: u32,
}

/// An answer to an effect: which daemon, which start of it, what.
type Answered = (usize, u32, Input);

impl World {
    /// A world before anything has happened.
    ///
    /// # Panics
    /// Where the metrics cannot be made: a defect.
    pub(super) fn new(options: &Options, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let cast = Cast::default();
        let ledger = cast.ledger();
        let first = Arc::clone(ledger.validated());
        // Calm, rough and wild networks.
        let permille = [5, 25, 80][rng.random_range(0..3)];
        let daemons = options.daemons.unwrap_or(if rng.random_range(0..8) == 0 { 2 } else { 1 });
        let guarded = rng.random_range(0..3) == 0;
        let new_escrows = if guarded { Party::Guarded } else { Party::Own };
        let treasury = Treasury { new_escrows, ..cast.treasury() };
        let record = Record::new(options.trace);
        let network_rng = StdRng::seed_from_u64(rng.random());
        let network = Network::new(ledger, options.faults.clone(), permille, network_rng, record);
        let mut world = Self {
            shared: Shared::new(network),
            second: guarded.then(|| Second::new(&cast)),
            without_schedules: Arc::new(Treasury { schedules: Vec::new(), ..treasury.clone() }),
            treasury: Arc::new(treasury),
            signer: cast.signer(),
            cast,
            nodes: (0..daemons).map(Node::new).collect(),
            checker: Checker::new(&first),
            people: People::new(),
            index: first.header.index,
            healed: false,
            metrics: Arc::new(Metrics::new().expect("metrics")),
            due: BTreeMap::new(),
            scheduled: 0,
            answers: mpsc::unbounded_channel(),
            epoch: first.header.close_time.0,
            slow_until: 0,
            network_clock: 0,
            host_clocks: vec![(0, 0); daemons],
            crash_permille: [1, 2, 4][rng.random_range(0..3)],
            rng,
        };
        world.line(format!("seed {seed}: {daemons} daemon(s), {permille} in a thousand requests suffer"));
        if guarded {
            world.checker.is_guarded();
        }
        if daemons > 1 {
            world.reach("workload", "two stores with one keystore");
        }
        world.after(1, Due::Close);
        world.after(TICK_MS, Due::Tick);
        for number in 0..daemons {
            world.after(1, Due::Boot(number));
        }
        world.begin_acting();
        world
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.shared.now_ms()
    }

    /// Lets something happen so many milliseconds from now.
    pub(super) fn after(&mut self, ms: u64, due: Due) {
        self.scheduled += 1;
        self.due.insert((self.now_ms() + ms, self.scheduled), due);
    }

    pub(super) fn line(&mut self, text: String) {
        let now = self.now_ms();
        self.shared.lock().record.line(format!(
            "{:>9}.{:03} L{} {text}",
            now / 1_000,
            now % 1_000,
            self.index
        ));
    }

    pub(super) fn strikes(&mut self, fault: Fault, permille: u32) -> bool {
        self.shared.lock().strikes(fault, permille)
    }

    pub(super) fn reach(&mut self, heading: &'static str, word: &str) {
        self.shared.lock().record.reach(heading, word);
    }

    /// Runs until so many seconds of time have passed since the beginning, or a rule is broken.
    pub(super) async fn run_until(&mut self, seconds: u64) {
        let began = Instant::now() - Duration::from_millis(self.now_ms());
        while self.checker.violations().is_empty() {
            let Some(next) = self.due.first_key_value().map(|((at, _), _)| *at) else { return };
            if next > seconds * 1_000 {
                return;
            }
            let nodes = &mut self.nodes;
            let inputs = poll_fn(|cx| {
                for node in nodes.iter_mut() {
                    if let Poll::Ready(input) = node.poll_input(cx) {
                        return Poll::Ready((node.number, input));
                    }
                }
                Poll::Pending
            });
            tokio::select! {
                biased;
                (number, input) = inputs => self.take(number, input).await,
                Some((number, incarnation, input)) = self.answers.1.recv() => {
                    if self.nodes[number].incarnation == incarnation {
                        self.take(number, input).await;
                    }
                }
                () = sleep_until(began + Duration::from_millis(next)) => {
                    if let Some((_, due)) = self.due.pop_first() {
                        self.happen(due).await;
                    }
                }
            }
        }
    }

    async fn happen(&mut self, due: Due) {
        match due {
            Due::Close => self.close().await,
            Due::Tick => {
                let wall_ms = self.now_ms();
                for number in 0..self.nodes.len() {
                    let wrong_by = self.host_clock(number, wall_ms);
                    let utc = self.clock(wrong_by);
                    self.take(number, Input::Tick { wall_ms, utc }).await;
                }
                self.after(TICK_MS, Due::Tick);
            }
            Due::Act(act) => self.act(act).await,
            Due::Boot(number) => self.boot(number),
            Due::FreeDisk(number) => self.nodes[number].disk.set_full(false),
            Due::Input(number, incarnation, input) => {
                if self.nodes[number].incarnation == incarnation {
                    self.take(number, *input).await;
                }
            }
        }
    }

    /// What a clock shows that is wrong by so many seconds.
    fn clock(&self, wrong_by: i64) -> RippleTime {
        let now = i64::from(self.epoch) + i64::try_from(self.now_ms() / 1_000).unwrap_or(i64::MAX);
        RippleTime(u32::try_from(now + wrong_by).unwrap_or(u32::MAX))
    }

    /// By how much the clock of a daemon's host is wrong now.
    fn host_clock(&mut self, number: usize, now_ms: u64) -> i64 {
        if self.rng.random_range(0..4) == 0 && self.strikes(Fault::HostClock, 1) {
            let most = [30, 30, 30, 7_200][self.rng.random_range(0..4)];
            let wrong_by = self.rng.random_range(-most..=most);
            self.host_clocks[number] = (wrong_by, now_ms + self.rng.random_range(10_000..900_000));
        }
        let (wrong_by, until_ms) = self.host_clocks[number];
        if self.healed || until_ms < now_ms { 0 } else { wrong_by }
    }

    /// Until the next ledger closes, in milliseconds.
    fn pace(&mut self) -> u64 {
        if self.strikes(Fault::Slow, 1) {
            self.slow_until = self.index + self.rng.random_range(3..60);
        }
        if self.strikes(Fault::Halt, 1) {
            self.rng.random_range(30_000..400_000)
        } else if self.slow_until > self.index && !self.healed {
            self.rng.random_range(6_000..22_000)
        } else {
            self.rng.random_range(3_000..=5_000)
        }
    }

    /// The network closes a ledger.
    async fn close(&mut self) {
        if self.strikes(Fault::NetworkClock, 2) {
            let most = i64::from(CLOCK_SECONDS);
            self.network_clock = self.rng.random_range(-most..=most);
        }
        let now = self.clock(if self.healed { 0 } else { self.network_clock });
        let closed = self.shared.lock().close(now);
        self.checker.time(self.now_ms());
        self.index = closed.header.index;
        for tx in &closed.transactions {
            let name = self.cast.name(&tx.tx().account()).to_owned();
            self.line(format!("{name}: {} {} {}", tx.tx().tx_type().name(), tx.id, tx.result.name()));
            self.reach("validated result", tx.result.name());
        }
        self.checker.ledger(&closed);
        self.guard_lives(&closed);
        for number in 0..self.nodes.len() {
            let sees = self.nodes[number].state().is_some_and(|state| {
                state.sees() && state.ledger.is_some_and(|cursor| cursor.index.0 + NEAR_LEDGERS >= self.index)
            });
            if sees {
                self.checker.can_act(number);
            }
        }
        for word in self.checker.take_reached() {
            self.reach("workload", word);
        }
        let wait = self.pace();
        self.after(wait, Due::Close);
        if self.index.is_multiple_of(LOOK_LEDGERS) {
            for number in 0..self.nodes.len() {
                self.look(number);
            }
        }
        for number in 0..self.nodes.len() {
            self.endanger(number).await;
        }
    }

    fn look(&mut self, number: usize) {
        let Some((state, archive)) = self.nodes[number].known() else { return };
        self.checker.looked(number, state, archive);
        coverage::of_state(&self.treasury, state, &mut self.shared.lock().record);
        if self.index.is_multiple_of(RUNWAY_LEDGERS) {
            let treasury = if number == 0 { &self.treasury } else { &self.without_schedules };
            self.checker.lasts(number, treasury, state);
        }
    }

    /// A daemon's process and disk are in danger.
    async fn endanger(&mut self, number: usize) {
        if self.nodes[number].state().is_none() {
            return;
        }
        let permille = self.crash_permille;
        if self.rng.random_range(0..4000) < permille * 3 && self.nodes[number].disk.crash().is_none() {
            let points = [
                Fault::CrashBeforeWrite,
                Fault::CrashLostWrite,
                Fault::CrashTornWrite,
                Fault::CrashKeptWrite,
                Fault::CrashAfterSync,
                Fault::CrashBetweenEffects,
            ];
            let point = points[self.rng.random_range(0..points.len())];
            if self.strikes(point, 1000) {
                // A step's own operations are few; what is written anew or beside it takes more.
                let most = [2, 6, 40][self.rng.random_range(0..3)];
                let operations = self.rng.random_range(1..=most);
                self.nodes[number].disk.crash_at(point, operations);
            }
        }
        if self.rng.random_range(0..4000) < permille && self.strikes(Fault::Kill, 1000) {
            self.die(number, "killed", true).await;
        } else if self.rng.random_range(0..8000) < permille && self.strikes(Fault::FullDisk, 1000) {
            self.nodes[number].disk.set_full(true);
            let wait = self.rng.random_range(1_000..120_000);
            self.after(wait, Due::FreeDisk(number));
        }
    }

    fn boot(&mut self, number: usize) {
        let seed = self.rng.random();
        let node = &mut self.nodes[number];
        // One of several daemons has the schedules.
        let treasury = if number == 0 { &self.treasury } else { &self.without_schedules };
        let opened = node.boot(treasury, &self.metrics, &self.shared, seed);
        self.shared.lock().read.remove(&number);
        match opened {
            Ok(records) => {
                self.line(format!("daemon {number} starts with {records} records"));
                let before = self.nodes[number].before.take();
                if let Some((state, archive)) = self.nodes[number].known() {
                    self.checker.booted(number, before.as_ref(), state, archive);
                    self.checker.dates_known(number, state);
                }
            }
            // It is started again until it does.
            Err(error) if self.nodes[number].disk.is_dead() || self.nodes[number].disk.is_full() => {
                self.line(format!("daemon {number} dies while it starts: {error}"));
                self.reach("store", "death while starting");
                self.nodes[number].disk.power_cut(&mut self.rng);
                self.after(5_000, Due::Boot(number));
            }
            Err(error) => {
                self.checker.broken(Rule::LogIntact, format!("daemon {number} does not start: {error}"))
            }
        }
    }

    /// A daemon's process ends; it starts again after a while.
    async fn die(&mut self, number: usize, how: &str, durable: bool) {
        self.line(format!("daemon {number} dies: {how}"));
        let node = &mut self.nodes[number];
        node.before = if durable { node.state().cloned() } else { None };
        node.die().await;
        // With the process alone nothing is lost that it wrote.
        if node.disk.crash().is_none() && self.rng.random_bool(0.5) {
            node.disk.process_ends();
        } else {
            node.disk.power_cut(&mut self.rng);
        }
        let wait = self.rng.random_range(500..40_000);
        self.after(wait, Due::Boot(number));
    }

    /// A daemon takes an input, and what follows is carried out.
    pub(super) async fn take(&mut self, number: usize, input: Input) {
        if let Input::Ledger { observation, .. } = &input {
            let (point, now) = (observation.point, self.now_ms());
            let is_next = self.nodes[number]
                .state()
                .is_some_and(|state| state.ledger.is_some_and(|cursor| cursor.index.0 + 1 == point.index.0));
            if is_next {
                self.checker.takes(number, point.index.0);
            }
            if !self.shared.lock().taken(number, point.index.0, &point.hash, now) {
                let what =
                    format!("daemon {number} takes ledger {}, which is not the network's", point.index);
                self.checker.broken(Rule::BlindNotSent, what);
            }
        }
        let node = &mut self.nodes[number];
        let Some(machine) = node.machine() else { return };
        let taken = machine.take(input);
        let events = node.fresh.take();
        if !events.is_empty() {
            let mut network = self.shared.lock();
            coverage::of_events(&events, &mut network.record);
        }
        if let Some(line) = coverage::sight_line(&events) {
            self.line(format!("daemon {number}: {line}"));
        }
        let effects = match taken {
            Ok(effects) => effects,
            Err(Fatal::Append(error)) => {
                self.die(number, &error.to_string(), false).await;
                return;
            }
            Err(fatal) => {
                self.checker.broken(Rule::LogIntact, format!("daemon {number} stops: {fatal}"));
                return;
            }
        };
        let is_dead = self.nodes[number].disk.is_dead();
        let crash = self.nodes[number].disk.crash().filter(|_| !events.is_empty());
        let released = match crash {
            _ if is_dead => Some(0),
            Some(Fault::CrashAfterSync) => Some(0),
            Some(Fault::CrashBetweenEffects) if effects.len() > 1 => Some(effects.len() / 2),
            _ => None,
        };
        if released != Some(0) {
            self.dates_come(number, &events);
        }
        for effect in effects.into_iter().take(released.unwrap_or(usize::MAX)) {
            self.release(number, effect);
        }
        if released.is_some() {
            self.die(number, "its effects are not released", true).await;
            return;
        }
        self.settle(number).await;
    }

    /// A daemon does what is left to do when its effects are released.
    async fn settle(&mut self, number: usize) {
        let Some(machine) = self.nodes[number].machine() else { return };
        let settled = machine.settle();
        let how = match settled {
            Err(error @ Fatal::Append(_)) => error.to_string(),
            Err(fatal) => {
                return self.checker.broken(Rule::LogIntact, format!("daemon {number} stops: {fatal}"));
            }
            Ok(()) if self.nodes[number].disk.is_dead() => {
                "in the middle of what nobody waits for".to_owned()
            }
            Ok(()) => return,
        };
        self.reach("store", "death while nobody waits");
        self.die(number, &how, true).await;
    }

    /// Somebody asks a daemon for something.
    pub(super) async fn ask(&mut self, number: usize, person: &str, tag: Option<u32>, command: Command) {
        if self.nodes[number].state().is_none() {
            return;
        }
        let actor = Actor { person: person.to_owned(), origin: treasury_core::intent::Origin::Http };
        self.checker.asked(number, &actor, &command);
        let request = self.nodes[number].request(Pending { tag, command: command.clone() });
        self.take(number, Input::Command { request, actor, command, archived: None, asked: None }).await;
    }

    /// What is to be reported.
    pub(super) fn report(self, seed: u64) -> Report {
        let seconds = self.now_ms() / 1_000;
        let overdue_most = self.checker.overdue_most();
        let mut network = self.shared.lock();
        let record = std::mem::take(&mut network.record);
        let ledgers = network.ledger().validated().header.index;
        Report {
            seed,
            ledgers: u64::from(ledgers),
            seconds,
            record,
            overdue_most,
            violations: self.checker.violations().to_vec(),
        }
    }
}
