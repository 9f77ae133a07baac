//! What a run leaves behind: how often each thing happened, the last lines of what happened, and one number
//! that is different if anything at all was different.

use std::collections::{BTreeMap, VecDeque};

use super::faults::Fault;

/// Lines kept for whoever has to find out what went wrong.
const LINES_MAX: usize = 60;

/// The record of a run.
#[derive(Debug, Default)]
pub struct Record {
    /// Faults injected, by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// What was reached: a heading, a word, how often.
    pub coverage: BTreeMap<(&'static str, String), u64>,
    lines: VecDeque<String>,
    digest: u64,
    loud: bool,
}

impl Record {
    /// A new one; a loud one also prints every line.
    #[must_use]
    pub fn new(loud: bool) -> Self {
        // The offset basis of FNV-1a.
        Self { digest: 0xcbf2_9ce4_8422_2325, loud, ..Self::default() }
    }

    /// A fault was injected.
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
        self.mix(fault.word().as_bytes());
    }

    /// Something was reached.
    pub fn reach(&mut self, heading: &'static str, word: &str) {
        match self.coverage.get_mut(&(heading, word.to_owned())) {
            Some(count) => *count += 1,
            None => {
                self.coverage.insert((heading, word.to_owned()), 1);
            }
        }
    }

    /// Something happened that is worth a line.
    pub fn line(&mut self, text: String) {
        self.mix(text.as_bytes());
        if self.loud {
            println!("{text}");
        }
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(text);
    }

    /// Something happened that only has to come out the same in the next run: FNV-1a over eight bytes at a
    /// time.
    pub fn mix(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(slot, byte)| *slot = *byte);
            self.digest = (self.digest ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The number that stands for everything that happened.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The last lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Faults of all kinds.
    #[must_use]
    pub fn faults_total(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (what, count) in &other.coverage {
            *self.coverage.entry(what.clone()).or_default() += count;
        }
    }
}
