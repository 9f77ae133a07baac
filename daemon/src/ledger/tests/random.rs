//! Three endpoints that misbehave at random, one of which may lie: whatever they do, only the true chain is
//! handed on, in order, and when they behave again it goes on to the present.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::memory::{Net, Virtual};
use super::*;
use crate::config::Verify;

const ROUNDS: usize = 80;
const RUNS: u64 = 30;

/// What came of a run, beside that it went well.
#[derive(Debug, Default)]
struct Seen {
    ledgers: usize,
    readings: usize,
    losses: usize,
    disputes: usize,
    missing: usize,
}

/// Follows the inputs, and checks each.
struct Checker {
    truth: Vec<LedgerPoint>,
    next: usize,
    sees: bool,
    seen: Seen,
}

impl Checker {
    fn check(&mut self, input: &Input) {
        match input {
            Input::Ledger { observation, .. } => {
                assert_eq!(observation.point, self.truth[self.next]);
                assert_eq!(observation.parent_hash, self.truth[self.next - 1].hash);
                (self.next, self.seen.ledgers) = (self.next + 1, self.seen.ledgers + 1);
            }
            Input::Reconciled { at, .. } => {
                assert_eq!(*at, self.truth[self.next - 1], "read at the cursor");
                (self.sees, self.seen.readings) = (true, self.seen.readings + 1);
            }
            Input::SightLost { reason } => {
                self.seen.losses += 1;
                self.seen.disputes += usize::from(reason.contains("two validated ledgers"));
                self.sees = false;
            }
            Input::HistoryMissing { .. } => {
                assert!(!self.sees);
                self.seen.missing += 1;
            }
            other => panic!("{other:?}"),
        }
    }

    async fn listen(&mut self, port: &mut Virtual, wait: Duration) {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let Some(input) = port.within(left).await else { return };
            self.check(&input);
        }
    }
}

async fn run(seed: u64) -> Seen {
    let mut rng = StdRng::seed_from_u64(seed);
    let net = Net::new(3, "account-delete", 1);
    let truth = net.at(0).set(|host| host.ledgers.clone());
    let points = (0..truth.len()).map(|closed| net.point(closed)).collect();
    let mut checker = Checker { truth: points, next: 2, sees: false, seen: Seen::default() };
    // Every other run closes its gaps from headers.
    let verify = if seed.is_multiple_of(2) { Verify::Full } else { Verify::Headers };
    let network = NetworkConfig { verify, gap_ledgers: 3, ..net.config(2) };
    let start = Start { watched: [AccountId([1; 20])].into(), ..net.from(1) };
    let mut port = net.spawn(network, start);
    for round in 0..ROUNDS {
        let number = rng.random_range(0..3);
        let memory = net.at(number);
        match rng.random_range(0..9) {
            0 => memory.set(|host| host.mute = !host.mute),
            1 => memory.set(|host| host.reachable = !host.reachable),
            2 => memory.set(|host| host.delay = Duration::from_millis(rng.random_range(0..6_000))),
            3 => {
                let methods = [None, Some("ledger"), Some("subscribe"), Some("fee")];
                memory.set(|host| host.swallows = methods[rng.random_range(0..methods.len())]);
            }
            4 => memory.hang_up(),
            5 => memory.set(|host| host.first = rng.random_range(0..=host.closed)),
            6 => memory.set(|host| host.first = 0),
            // One of the three may lie, at a time: at most one is ever a minority.
            7 if number == 2 => {
                memory.set(|host| host.ledgers.clone_from(&truth));
                memory.fork(round + 2);
            }
            _ => net.at(2).set(|host| host.ledgers.clone_from(&truth)),
        }
        net.close();
        checker.listen(&mut port, Duration::from_millis(rng.random_range(0..8_000))).await;
    }
    // Everything is well again.
    for number in 0..3 {
        net.at(number).set(|host| {
            (host.mute, host.reachable, host.swallows, host.first) = (false, true, None, 0);
            host.delay = Duration::from_millis(20);
            host.ledgers.clone_from(&truth);
        });
    }
    for _ in 0..12 {
        net.close();
        checker.listen(&mut port, Duration::from_secs(4)).await;
    }
    assert_eq!(checker.next, ROUNDS + 12 + 2, "seed {seed}: the present is reached");
    assert!(checker.sees, "seed {seed}: and seen");
    checker.seen
}

#[test]
fn only_the_true_chain_is_handed_on_and_its_end_is_reached() {
    let mut all = Seen::default();
    for seed in 0..RUNS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let seen = runtime.unwrap().block_on(run(seed));
        all.ledgers += seen.ledgers;
        all.readings += seen.readings;
        all.losses += seen.losses;
        all.disputes += seen.disputes;
        all.missing += seen.missing;
    }
    // A run in which nothing happens proves nothing.
    let happened = [all.ledgers, all.readings, all.losses, all.disputes, all.missing];
    assert!(happened.iter().all(|count| *count > 0), "{all:?}");
}
