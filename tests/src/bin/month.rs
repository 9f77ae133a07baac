//! Plays a month of a treasury, writes a report of it, and fails where a number is not what it has to be.
//!
//! `month run --config FILE` is the daemon itself, so that it can be started, killed and started again.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tests::month::{self, Options, report};

/// A month of a treasury, as evidence.
#[derive(Debug, Parser)]
struct Args {
    /// Days in which payments are asked for.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
    /// The first of them that is played, counted from 0: to look at a week's end again.
    #[arg(long, default_value_t = 0, value_name = "N")]
    from: u32,
    /// Payments a day, at least.
    #[arg(long, default_value_t = 500, value_name = "N")]
    payments: u32,
    /// From which everything follows that is left to chance.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Where the report is written.
    #[arg(long, default_value = "target/month/report.html", value_name = "FILE")]
    report: PathBuf,
    /// Where the daemon's files are, and stay; left out, in a folder that goes.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("run") {
        return treasuryd::cli::main();
    }
    let args = Args::parse();
    match play(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(args: Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    // Only where a client is made is it known that nobody has chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kept = tempfile::tempdir()?;
    let dir = args.dir.unwrap_or_else(|| kept.path().to_path_buf());
    std::fs::create_dir_all(&dir)?;
    let exe = std::env::current_exe()?;
    let options =
        Options { days: args.days, from: args.from, payments: args.payments, seed: args.seed, exe, dir };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begun = Instant::now();
    let played = runtime.block_on(month::play(options, |day, life| {
        let balances = ["hot", "warm", "cold"].map(|name| life.stage.truth.balance(name) / 1_000_000);
        println!(
            "day {day}: hot, warm and cold have {balances:?} XRP; {:.1} s",
            begun.elapsed().as_secs_f64()
        );
    }));
    let (life, numbers) = played?;
    let missed = numbers.missed(&life.options);
    print!("\n{}", report::summary(&life, &numbers));
    if let Some(folder) = args.report.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&args.report, report::page(&life, &numbers, &missed))?;
    println!("\nthe report: {}; {:.1} s", args.report.display(), begun.elapsed().as_secs_f64());
    for line in numbers.held.iter().chain(&numbers.missing).take(20) {
        println!("held or missing: {line}");
    }
    for line in life.stuck.iter().take(20) {
        println!("stuck: {line}");
    }
    for what in &missed {
        println!("MISSED: {what}");
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
