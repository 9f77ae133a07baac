//! Replays what was recorded of the real ledger server, and says how much comes out bit for bit the same.
//!
//! Each close happens at the recorded time; everything else must come out by itself: results, order, metadata,
//! hashes, replies and stream frames. Prints one line for each story and, where something differs, the first
//! difference. Fails where less is the same than [`EXACT`] says, or where the
//! recordings are missing.

mod difference;
mod replies;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use xrpl_harness::embedded::{Amendment, CloseTime, Ledger, QueueSetup, ServerSetup};
use xrpl_wire::{Hash256, LedgerHeader, RippleTime};

use self::difference::{compare, compare_state, first_difference, shown};
use self::replies::Server;

/// Stories where every ledger is bit for bit the recorded one, and every reply and frame too. None may leave this
/// list.
const EXACT: &[&str] = &[
    "account-delete",
    "account-settings",
    "escrow-condition",
    "escrow-deposit-auth",
    "escrow-multisigned",
    "escrow-times",
    "fee-queue",
    "issued-currency",
    "multisign",
    "payments",
    "random-1",
    "random-2",
    "random-3",
    "random-4",
    "rpc-errors",
    "signer-lists",
    "simulate",
    "streams",
    "streams-v2",
    "tickets",
    "token-escrow",
];

fn main() -> ExitCode {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance")];
    if let Some(more) = std::env::var_os("CONFORMANCE_VECTORS") {
        folders.extend(std::env::split_paths(&more));
    }
    // As cargo passes it on: only stories whose name contains it.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut stories = Vec::new();
    for folder in &folders {
        match stories_in(folder) {
            Ok(found) => stories.extend(found),
            Err(error) => {
                eprintln!("no recordings in {}: {error}", folder.display());
                return ExitCode::FAILURE;
            }
        }
    }
    let mut total = Score::default();
    let mut lost = Vec::new();
    for path in stories {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if !name.contains(&filter) {
            continue;
        }
        let score = replay(&path);
        println!("{name}: {score}");
        if let Some(difference) = &score.difference {
            println!("    {}", difference.replace('\n', "\n    "));
        }
        if !score.is_exact() && EXACT.contains(&name.as_str()) {
            lost.push(name);
        }
        total.add(&score);
    }
    println!("total: {total}");
    if total.ledgers == 0 || !lost.is_empty() {
        println!("no longer exact: {lost:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn stories_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    if found.is_empty() { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(found) }
}

/// How much was the same.
#[derive(Default)]
struct Score {
    steps: usize,
    same_steps: usize,
    ledgers: usize,
    same_ledgers: usize,
    difference: Option<String>,
}

impl Score {
    fn is_exact(&self) -> bool {
        self.same_steps == self.steps && self.same_ledgers == self.ledgers
    }

    fn add(&mut self, other: &Score) {
        self.steps += other.steps;
        self.same_steps += other.same_steps;
        self.ledgers += other.ledgers;
        self.same_ledgers += other.same_ledgers;
    }

    fn differ(&mut self, what: impl FnOnce() -> String) {
        self.difference.get_or_insert_with(what);
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "steps {}/{}, ledgers bit-exact {}/{}",
            self.same_steps, self.steps, self.same_ledgers, self.ledgers
        )
    }
}

fn replay(path: &Path) -> Score {
    let story: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut ledger = begin(&story["genesis"]);
    if let Some(setup) = queue_setup(&story) {
        ledger.set_queue(setup);
    }
    let mut server = Server::new(ledger);
    let mut score = Score::default();
    for (number, step) in story["steps"].as_array().unwrap().iter().enumerate() {
        let expected = &step["expect"];
        score.steps += 1;
        let difference = if step["op"] == "close" {
            let closed = server.close(CloseTime::At(RippleTime(number_of(&expected["close_time"]))));
            let difference = compare(&closed, expected);
            score.ledgers += 1;
            score.same_ledgers += usize::from(difference.is_none());
            difference.map(|text| format!("close of ledger {}: {text}", closed.header.index))
        } else {
            let (answered, expected) = server.answer(step);
            let differ = answered != expected;
            differ.then(|| format!("{}: {}", shown(step), first_difference("", &answered, &expected)))
        };
        match difference {
            None => score.same_steps += 1,
            Some(text) => score.differ(|| format!("step {number}, {text}")),
        }
    }
    if score.same_ledgers < score.ledgers
        && let Some(difference) = compare_state(server.ledger(), &story["final_state"])
        && let Some(text) = &mut score.difference
    {
        text.push_str(&format!("\nfinal state: {difference}"));
    }
    score
}

fn begin(genesis: &Value) -> Ledger {
    let header = &genesis["ledger"];
    let hash = |name: &str| header[name].as_str().unwrap().parse::<Hash256>().unwrap();
    let header = LedgerHeader {
        index: number_of(&header["ledger_index"]),
        total_drops: header["total_coins"].as_str().unwrap().parse().unwrap(),
        parent_hash: hash("parent_hash"),
        transaction_hash: hash("transaction_hash"),
        account_hash: hash("account_hash"),
        parent_close_time: RippleTime(number_of(&header["parent_close_time"])),
        close_time: RippleTime(number_of(&header["close_time"])),
        close_time_resolution: u8::try_from(number_of(&header["close_time_resolution"])).unwrap(),
        close_flags: u8::try_from(number_of(&header["close_flags"])).unwrap(),
    };
    Ledger::from_recorded(header, entries(&genesis["state"]), &server_of(genesis)).unwrap()
}

/// The server that was recorded: its generation, and what it was started with.
fn server_of(genesis: &Value) -> ServerSetup {
    let network_id = genesis["server_settings"]["NETWORK_ID"].as_str().map_or(0, |id| id.parse().unwrap());
    let forced = genesis["forced_amendments"].as_object().into_iter().flatten();
    ServerSetup {
        generation: genesis["server"].as_str().unwrap().parse().unwrap(),
        network_id,
        features: forced.map(|(name, _)| Amendment::from_name(name).unwrap()).collect(),
    }
}

/// How the server's queue was set up, where the recording says that it was not the default: so many transactions
/// to a ledger before the fee rises, and no more after a large ledger.
fn queue_setup(story: &Value) -> Option<QueueSetup> {
    let (_, rest) = story["about"].as_str()?.split_once("Server set to ")?;
    let transactions = rest.split_once(' ')?.0.parse().ok()?;
    Some(QueueSetup {
        minimum_txn_in_ledger: transactions,
        target_txn_in_ledger: transactions,
        normal_consensus_increase_percent: 0,
        ..QueueSetup::default()
    })
}

fn entries(state: &Value) -> Vec<(Hash256, Vec<u8>)> {
    let entry = |entry: &Value| {
        let data = hex::decode(entry["data"].as_str().unwrap()).unwrap();
        (entry["index"].as_str().unwrap().parse().unwrap(), data)
    };
    state.as_array().unwrap().iter().map(entry).collect()
}

fn number_of(value: &Value) -> u32 {
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    u32::try_from(number.unwrap()).unwrap()
}
