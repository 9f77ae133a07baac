//! A simulator that attacks the daemon.
//!
//! One thread, virtual time, one seed. The daemon under test is the real ledger port, the real engine and the real
//! record format; simulated are the network ([`network`]), the disk ([`disk`]), the people and whoever else has
//! keys. A checker ([`checker`]) that knows nothing of how the daemon works says what must never happen.
//!
//! A run has two parts. First everything goes wrong that may; whatever happens, no rule may be broken. Then all
//! faults end, people put things right, and everything has to come to its end. The same seed gives the same run,
//! to the last byte of the log.

mod carry;
pub mod cast;
pub mod checker;
pub mod coverage;
pub mod disk;
mod euros;
pub mod faults;
pub mod network;
mod node;
mod outsiders;
mod people;
pub mod record;
mod recovery;
mod schedules;
mod second;
pub mod store;
pub mod transport;
mod world;

use checker::Violation;
use faults::Allowed;
use record::Record;
use world::World;

/// How a run is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seconds of virtual time in which things go wrong.
    pub seconds: u64,
    /// What may go wrong.
    pub faults: Allowed,
    /// How many daemons; `None`: one, now and then two.
    pub daemons: Option<usize>,
    /// Print every line as it happens.
    pub trace: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Ledgers that were closed.
    pub ledgers: u64,
    /// Seconds of virtual time.
    pub seconds: u64,
    /// What happened.
    pub record: Record,
    /// The most ledgers that an escrow stood while a daemon could have taken it back.
    pub overdue_most: u32,
    /// What must not have happened.
    pub violations: Vec<Violation>,
}

/// Runs one seed, from the first ledger to the end of the recovery.
///
/// # Panics
/// Where the runtime cannot be made, or the simulator itself has a defect.
#[must_use]
pub fn run(options: &Options, seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut world = World::new(options, seed);
        world.run_until(options.seconds).await;
        world.recover(options.seconds).await;
        world.report(seed)
    })
}
