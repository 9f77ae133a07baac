//! The simulator itself: its checker can fail, and the same seed gives the same run.

mod checker;

use tests::simulation::faults::Allowed;
use tests::simulation::{Options, run};

fn options(faults: Allowed) -> Options {
    Options { seconds: 4_000, faults, daemons: None, trace: false }
}

#[test]
fn a_seed_reproduces_its_run() {
    for seed in [1, 2] {
        let [first, second] = [(); 2].map(|()| run(&options(Allowed::all()), seed));
        assert_eq!(first.record.digest(), second.record.digest(), "seed {seed}");
        assert_eq!((first.ledgers, first.seconds), (second.ledgers, second.seconds));
    }
}

#[test]
fn a_world_without_faults_is_quiet() {
    let report = run(&options(Allowed::none()), 3);
    assert_eq!(report.violations, []);
    assert_eq!(report.record.faults_total(), 0);
}
