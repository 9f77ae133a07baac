//! Compares the embedded ledger with a server at a URL: see docs/reference/differ.md.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tests::differ::{Opponent, OpponentError, acts, live, shorten, story};

/// Lives random lives on the embedded ledger and on a server, step by step, and tells where they part.
#[derive(Parser)]
#[command(name = "differ")]
struct Args {
    /// JSON-RPC of a server in standalone mode, at an administrator's port.
    #[arg(long)]
    url: String,

    /// The first seed. The same seed is the same life.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many lives, one seed after the other.
    #[arg(long, default_value_t = 20)]
    lives: u64,

    /// How much happens in a life.
    #[arg(long, default_value_t = 200)]
    acts: usize,

    /// The server generation to compare with, where the server's own version is another one.
    #[arg(long)]
    server: Option<String>,

    /// An amendment that the server was started with, though its ledger does not list it. Can be given again.
    #[arg(long)]
    feature: Vec<String>,

    /// How many shorter lives are tried once something differs.
    #[arg(long, default_value_t = 400)]
    tries: usize,

    /// Where the shortest story of a difference is written.
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match hunt(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all lives came out the same.
fn hunt(args: &Args) -> Result<bool, Box<dyn std::error::Error>> {
    let mut opponent = Opponent::connect(&args.url, args.server.clone(), &args.feature)?;
    let mut compared = 0;
    for seed in args.seed..args.seed.saturating_add(args.lives) {
        let acts = acts(seed, args.acts);
        let lived = live(&mut opponent, &acts)?;
        compared += lived.compared;
        if lived.difference.is_none() {
            println!("seed {seed}: the same, {} steps", lived.compared);
            continue;
        }
        println!("seed {seed}: differs after {} steps", lived.compared);
        let (deeds, shortest) = shorten(&mut opponent, lived, &acts, args.tries)?;
        let written = write(&opponent, args, seed, &shortest)?;
        let text = shortest.difference.as_ref().map_or("", |difference| difference.text.as_str());
        println!("shortest: {} deeds, {} steps\n{text}", deeds.len(), shortest.compared);
        println!("written to {}", written.display());
        return Ok(false);
    }
    println!("{} lives, {compared} steps: all the same", args.lives);
    Ok(true)
}

fn write(
    opponent: &Opponent,
    args: &Args,
    seed: u64,
    lived: &tests::differ::Lived,
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let name = format!("differ-{seed}");
    let story = story(opponent, &name, lived).map_err(|error: OpponentError| Box::new(error))?;
    let path = args.out.join(format!("{name}.json"));
    std::fs::write(&path, serde_json::to_vec_pretty(&story)?)?;
    Ok(path)
}
