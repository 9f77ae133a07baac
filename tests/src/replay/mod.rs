//! One story replayed, as far as it comes.

mod difference;
pub mod otherwise;
mod replies;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use xrpl_harness::embedded::{Amendment, CloseTime, Generation, Ledger, QueueSetup, ServerSetup};
use xrpl_wire::{Hash256, LedgerHeader, RippleTime};

use self::difference::{compare, compare_state, first_difference, shown};
use self::otherwise::Story;
pub use self::replies::{Server, kept};

/// How much was the same, of all that was recorded.
#[derive(Clone, Default)]
pub struct Score {
    pub steps: usize,
    pub same_steps: usize,
    pub ledgers: usize,
    pub same_ledgers: usize,
    /// Steps behind one that comes out otherwise on purpose, of which nothing can be asked.
    pub apart: usize,
    /// The first step that came out otherwise, or where the replay ended before its time.
    pub differs_at: Option<usize>,
    pub difference: Option<String>,
}

impl Score {
    /// What there is to be had of a story, and nothing of it yet.
    fn of(story: &Value) -> Score {
        let steps = steps(story);
        let ledgers = steps.iter().filter(|step| step["op"] == "close").count();
        Score { steps: steps.len(), ledgers, ..Score::default() }
    }

    pub fn is_exact(&self) -> bool {
        self.steps > 0 && self.same_steps == self.steps && self.same_ledgers == self.ledgers
    }

    pub fn add(&mut self, other: &Score) {
        self.steps += other.steps;
        self.same_steps += other.same_steps;
        self.ledgers += other.ledgers;
        self.same_ledgers += other.same_ledgers;
        self.apart += other.apart;
    }

    fn differ(&mut self, step: usize, what: String) {
        self.differs_at.get_or_insert(step);
        self.difference.get_or_insert(what);
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "steps {}/{}, ledgers bit-exact {}/{}",
            self.same_steps, self.steps, self.same_ledgers, self.ledgers
        )?;
        if self.apart > 0 { write!(f, ", {} steps more not comparable", self.apart) } else { Ok(()) }
    }
}

/// How far a replay has come: whoever waits for it may look before it ends, or when it never does.
#[derive(Clone, Default)]
pub struct Progress(Arc<Mutex<(Score, usize)>>);

impl Progress {
    /// The score so far, with the reason why it is not the end.
    pub fn cut_short(&self, why: &str) -> Score {
        let (mut score, step) = self.lock().clone();
        score.differ(step, format!("step {step}, {why}"));
        score
    }

    fn lock(&self) -> MutexGuard<'_, (Score, usize)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replays a whole story.
///
/// Of one that parts from its recording on purpose, what comes after is compared as far as it can be.
pub fn replay(story: &Value, otherwise: Option<&Story>, progress: &Progress) -> Score {
    *progress.lock() = (Score::of(story), 0);
    let mut ledger = begin(&story["genesis"]);
    if let Some(setup) = queue_setup(story, ledger.rules().generation()) {
        ledger.set_queue(setup);
    }
    let mut server = Server::new(ledger);
    for (number, step) in steps(story).iter().enumerate() {
        progress.lock().1 = number;
        let is_apart = otherwise.is_some_and(|story| {
            story.is_over(number) || (number >= story.parts_at() && step["op"] != "submit")
        });
        let difference = match otherwise.and_then(|story| story.answer_at(number)) {
            Some(answer) => take_otherwise(&mut server, step, answer),
            None => take(&mut server, step),
        };
        let (score, _) = &mut *progress.lock();
        if is_apart {
            score.steps -= 1;
            score.ledgers -= usize::from(step["op"] == "close");
            score.apart += 1;
            continue;
        }
        match difference {
            None => {
                score.same_steps += 1;
                score.same_ledgers += usize::from(step["op"] == "close");
            }
            Some(text) => score.differ(number, format!("step {number}, {text}")),
        }
    }
    let mut score = progress.lock().0.clone();
    if score.same_ledgers < score.ledgers
        && let Some(difference) = compare_state(server.ledger(), &story["final_state"])
        && let Some(text) = &mut score.difference
    {
        text.push_str(&format!("\nfinal state: {difference}"));
    }
    score
}

/// Does what a step says, and tells what came out otherwise than recorded, if anything.
pub fn take(server: &mut Server, step: &Value) -> Option<String> {
    let expected = &step["expect"];
    if step["op"] == "close" {
        let closed = server.close(CloseTime::At(RippleTime(number_of(&expected["close_time"]))));
        let difference = compare(&closed, expected)?;
        return Some(format!("close of ledger {}: {difference}", closed.header.index));
    }
    let (answered, expected) = server.answer(step);
    let differs = answered != expected;
    differs.then(|| format!("{}\n{}", shown(step), first_difference("", &answered, &expected)))
}

/// The same for a step that is to be answered otherwise than recorded.
fn take_otherwise(server: &mut Server, step: &Value, answer: &str) -> Option<String> {
    let (answered, _) = server.answer(step);
    let differs = answered["engine_result"] != answer;
    differs.then(|| format!("{}\n{}, to be {answer}", shown(step), answered["engine_result"]))
}

fn steps(story: &Value) -> &[Value] {
    story["steps"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The ledger that a story begins with.
pub fn begin(genesis: &Value) -> Ledger {
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
    let network_id = genesis["server_settings"]["NETWORK_ID"].as_str().map(|id| id.parse().unwrap());
    let forced = genesis["forced_amendments"].as_object().into_iter().flatten();
    ServerSetup {
        generation: genesis["server"].as_str().unwrap().parse().unwrap(),
        network_id,
        features: forced.map(|(name, _)| Amendment::from_name(name).unwrap()).collect(),
        ..ServerSetup::default()
    }
}

/// How the server's queue was set up, where the recording says that it was not the default: so many transactions
/// to a ledger before the fee rises, and on the oldest server no more after a large ledger.
fn queue_setup(story: &Value, generation: Generation) -> Option<QueueSetup> {
    let words: Vec<&str> = story["about"].as_str()?.split([' ', '(']).collect();
    let number = words.windows(2).find_map(|pair| match pair {
        [number, "transactions"] => number.parse().ok(),
        _ => None,
    });
    let transactions = number?;
    let mut setup = QueueSetup {
        minimum_txn_in_ledger: transactions,
        target_txn_in_ledger: transactions,
        ..QueueSetup::default()
    };
    if generation == Generation::V3_1 {
        setup.normal_consensus_increase_percent = 0;
    }
    Some(setup)
}

pub fn entries(state: &Value) -> Vec<(Hash256, Vec<u8>)> {
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
