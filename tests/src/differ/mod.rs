//! Compares the embedded ledger with a server at a URL: random lives are lived on both, step by step, until something
//! comes out otherwise; then the life is shortened as far as it still does.
//!
//! What is compared is what recorded stories hold: the answer to each submission, and of each ledger its transactions
//! with their metadata, the order of their application and all hashes. The embedded ledger begins with the server's own
//! state. A difference is written down as such a story, with the server's answers, so that it is replayed like any other.

mod opponent;
mod shorten;
mod story;

use std::collections::BTreeSet;

use lives::{Life, World};
use serde_json::{Value, json};
use xrpl_harness::embedded::{CloseTime, Ledger};
use xrpl_wire::RippleTime;

pub use self::opponent::{Opponent, OpponentError};
pub use self::shorten::{live_deeds, shorten};
pub use self::story::story;
use crate::replay::{self, Server};

/// What somebody does in a life: a step of its beginning, or an act that a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A step of the beginning.
    Begin(u32),
    /// An act.
    Act(u64),
}

/// What came out otherwise.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The steps up to the one that did, as the server answered them.
    pub steps: Vec<Value>,
    /// What is other, for people.
    pub text: String,
}

/// A life as it was lived.
#[derive(Debug)]
pub struct Lived {
    /// What both ledgers began with, in a recording's form.
    pub genesis: Value,
    /// The keys of the people.
    pub seeds: Vec<(String, String)>,
    /// How many steps the beginning has.
    pub beginning: u32,
    /// How many submissions and ledgers were compared.
    pub compared: usize,
    /// What came out otherwise, if anything.
    pub difference: Option<Difference>,
}

/// Lives a life on both ledgers.
///
/// # Errors
/// The server does not answer, or not what a server answers.
pub fn live(opponent: &mut Opponent, acts: &[u64]) -> Result<Lived, OpponentError> {
    live_without(opponent, acts, BTreeSet::new())
}

/// The same, with some steps of its beginning left out.
fn live_without(
    opponent: &mut Opponent,
    acts: &[u64],
    without: BTreeSet<u32>,
) -> Result<Lived, OpponentError> {
    let people = opponent.begin()?;
    let genesis = opponent.genesis()?;
    let ours = Server::new(replay::begin(&genesis));
    let both = Both { ours, theirs: opponent, steps: Vec::new(), difference: None, failed: None };
    let mut life = Life::begin_without(both, people, without);
    for act in acts {
        if life.world.is_over() {
            break;
        }
        life.act(*act);
    }
    // What waits shows itself in the ledgers after.
    for _ in 0..WAITING_LEDGERS {
        life.close(1);
    }
    let (seeds, beginning) = (life.seeds(), life.beginning());
    let Both { steps, difference, failed, .. } = life.world;
    match failed {
        Some(error) => Err(error),
        None => {
            let compared = steps.len();
            let difference = difference.map(|text| Difference { steps, text });
            Ok(Lived { genesis, seeds, beginning, compared, difference })
        }
    }
}

/// For so many ledgers servers try again what could not be applied at once.
const WAITING_LEDGERS: usize = 6;

/// The embedded ledger and the server's, to which the same is done.
struct Both<'o> {
    ours: Server,
    theirs: &'o mut Opponent,
    steps: Vec<Value>,
    difference: Option<String>,
    failed: Option<OpponentError>,
}

impl Both<'_> {
    /// Nothing is compared any more once something came out otherwise.
    fn is_over(&self) -> bool {
        self.difference.is_some() || self.failed.is_some()
    }

    /// Does on our side what the server just answered.
    fn compare(&mut self, answered: Result<Value, OpponentError>) {
        match answered {
            Ok(step) => {
                self.difference = replay::take(&mut self.ours, &step);
                self.steps.push(step);
            }
            Err(error) => self.failed = Some(error),
        }
    }
}

impl World for Both<'_> {
    fn ledger(&self) -> &Ledger {
        self.ours.ledger()
    }

    fn submit(&mut self, blob: Vec<u8>) {
        if self.is_over() {
            return;
        }
        let blob = hex::encode_upper(blob);
        let reply = self.theirs.call("submit", json!({ "tx_blob": blob }));
        let step =
            |reply| json!({"op": "submit", "note": "", "tx_blob": blob, "expect": replay::kept(&reply)});
        self.compare(reply.map(step));
    }

    fn close(&mut self, seconds: u32) {
        let parent = self.ledger().validated().header;
        let at = RippleTime(parent.close_time.0.saturating_add(seconds.max(1)));
        if self.is_over() {
            // The life goes on by itself to where it notices.
            self.ours.close(CloseTime::At(at));
            return;
        }
        let closed = self.theirs.close(parent.index.saturating_add(1), at);
        self.compare(closed);
    }
}

/// Numbers from a seed, the same for ever: what happens in a life.
pub fn acts(seed: u64, count: usize) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    (0..count).map(|_| next()).collect()
}
