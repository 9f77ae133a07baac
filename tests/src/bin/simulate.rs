//! Runs the simulator: see docs/reference/simulation.md.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tests::simulation::faults::Allowed;
use tests::simulation::record::Record;
use tests::simulation::{Options, coverage, run};

/// Attacks the daemon in a simulated world: one thread, virtual time, one seed.
#[derive(Parser)]
#[command(name = "simulate")]
struct Args {
    /// The seed. The same seed gives the same run.
    #[arg(long, default_value_t = 1, conflicts_with = "seeds")]
    seed: u64,

    /// All seeds from A up to and without B.
    #[arg(long, value_name = "A..B", value_parser = range)]
    seeds: Option<(u64, u64)>,

    /// Days of virtual time in which things go wrong. Some two hours of recovery follow.
    #[arg(long, default_value_t = 0.2)]
    days: f64,

    /// What may go wrong: all, none, or words with commas between them.
    #[arg(long, default_value = "all")]
    faults: Allowed,

    /// One or two daemons. Left out, the seed decides.
    #[arg(long)]
    daemons: Option<usize>,

    /// Fail if a kind of fault or a state was never reached.
    #[arg(long)]
    fail_on_silent: bool,

    /// Print everything as it happens.
    #[arg(long)]
    trace: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    parsed.filter(|(from, to)| from < to).ok_or_else(|| "write it as 1..300".to_owned())
}

fn main() -> ExitCode {
    let args = Args::parse();
    let seconds = (args.days * 86_400.0) as u64;
    let options = Options { seconds, faults: args.faults, daemons: args.daemons, trace: args.trace };
    let (from, to) = args.seeds.unwrap_or((args.seed, args.seed + 1));
    let mut total = Record::default();
    let (mut ledgers, mut virtual_seconds, mut overdue, mut failed) = (0, 0, 0, Vec::new());
    let began = Instant::now();
    for seed in from..to {
        let report = run(&options, seed);
        total.add(&report.record);
        ledgers += report.ledgers;
        virtual_seconds += report.seconds;
        overdue = report.overdue_most.max(overdue);
        if !report.violations.is_empty() {
            println!("\nseed {seed} breaks a rule; the last that happened:");
            report.record.lines().for_each(|line| println!("  {line}"));
            report.violations.iter().for_each(|violation| println!("seed {seed}: {violation}"));
            println!(
                "again: cargo run --release -p tests --bin simulate -- --seed {seed} --days {}{}",
                args.days,
                args.daemons.map_or_else(String::new, |daemons| format!(" --daemons {daemons}")),
            );
            failed.push(seed);
        }
        if to - from == 1 {
            println!("digest of seed {seed}: {:016x}", report.record.digest());
        }
    }
    let elapsed = began.elapsed().as_secs_f64();
    println!("\nfaults injected");
    for (fault, count) in &total.faults {
        println!("  {:<24} {count}", fault.word());
    }
    let mut heading = "";
    for ((of, word), count) in &total.coverage {
        if *of != heading {
            println!("{of}");
            heading = of;
        }
        println!("  {word:<24} {count}");
    }
    println!("an escrow that could be taken back stood for at most {overdue} ledgers");
    let silent = coverage::silent(&total, &options.faults);
    if !silent.is_empty() {
        println!("never reached: {}", silent.join(", "));
    }
    println!(
        "\n{} seeds, {ledgers} ledgers, {:.1} virtual days, {} faults, {} violations; {:.1} s, {:.0} ledgers/s",
        to - from,
        virtual_seconds as f64 / 86_400.0,
        total.faults_total(),
        failed.len(),
        elapsed,
        ledgers as f64 / elapsed,
    );
    if failed.is_empty() && (silent.is_empty() || !args.fail_on_silent) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
