//! Entries from which something is gone, and those of which the log says that it was taken away.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::is_removal;

/// Numbers of entries, as runs that follow each other: what retention takes away is one of them, however much it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The last of each run, by its first. No two touch.
    runs: BTreeMap<u64, u64>,
}

impl Numbers {
    /// One more.
    pub fn add(&mut self, number: u64) {
        self.add_run(number..=number);
    }

    fn add_run(&mut self, run: RangeInclusive<u64>) {
        let (mut first, mut last) = run.into_inner();
        if first > last {
            return;
        }
        // Those that it overlaps or touches become one with it.
        while let Some((&from, &to)) = self.runs.range(..=last.saturating_add(1)).next_back() {
            if to.saturating_add(1) < first {
                break;
            }
            self.runs.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.runs.insert(first, last);
    }

    /// Those that are not among others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let mut left = Self::default();
        for (&first, &last) in &self.runs {
            let mut from = Some(first);
            let before = others.runs.range(..=first).next_back();
            let within = others.runs.range(first..=last);
            for (&taken, &to) in before.into_iter().chain(within) {
                let Some(next) = from.filter(|_| to >= first) else { continue };
                if let Some(end) = taken.checked_sub(1).filter(|end| *end >= next) {
                    left.add_run(next..=end.min(last));
                }
                from = to.max(next.saturating_sub(1)).checked_add(1).filter(|next| *next <= last);
            }
            if let Some(from) = from {
                left.add_run(from..=last);
            }
        }
        left
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        let lengths = self.runs.iter().map(|(first, last)| last.saturating_sub(*first).saturating_add(1));
        lengths.fold(0, u64::saturating_add)
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.runs.keys().next().copied()
    }

    /// The same in parts of no more than so many runs.
    #[must_use]
    pub fn in_parts(&self, most: usize) -> Vec<Self> {
        let runs: Vec<(u64, u64)> = self.runs.iter().map(|(first, last)| (*first, *last)).collect();
        runs.chunks(most.max(1)).map(|part| Self { runs: part.iter().copied().collect() }).collect()
    }

    /// As a removal's entry has them: pairs of the first and the last of each run.
    #[must_use]
    pub fn json(&self) -> Value {
        self.runs.iter().map(|(first, last)| json!([first, last])).collect()
    }

    fn read(&mut self, json: &Value) {
        for run in json.as_array().into_iter().flatten() {
            let end = |at: usize| run.get(at).and_then(Value::as_u64);
            if let (Some(first), Some(last)) = (end(0), end(1)) {
                self.add_run(first..=last);
            }
        }
    }
}

/// Entries from which something of one kind is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub missing: Numbers,
    /// Those of which the log itself says that it was taken away.
    pub said: Numbers,
    /// How many more the log says so of, in entries of earlier versions, which did not say which.
    counted: u64,
}

impl Gone {
    /// From how many entries, at least, something is gone of which the log does not say that it was taken away.
    #[must_use]
    pub fn unaccounted(&self) -> u64 {
        self.missing.without(&self.said).count().saturating_sub(self.counted)
    }

    pub(super) fn words(&self, what: &str) -> Option<String> {
        let first = self.missing.without(&self.said).first().filter(|_| self.unaccounted() > 0)?;
        Some(format!(
            "{} {what} are missing, and no entry here says that they were taken away; the first that is gone is of entry {first}",
            self.unaccounted()
        ))
    }
}

/// Takes in what an entry says was taken away, of texts and of what is within entries.
pub(super) fn taken_away(text: &str, texts: &mut Gone, openings: &mut Gone) {
    // Few entries are of this kind, and most need not be read for it.
    if !text.contains("\"removed\"") {
        return;
    }
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    if !is_removal(&said) {
        return;
    }
    for (field, gone) in [("texts", texts), ("entries", openings)] {
        let Some(count) = said.get(field).and_then(Value::as_u64) else { continue };
        match said.get("of") {
            Some(of) => gone.said.read(of),
            None => gone.counted = gone.counted.saturating_add(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn numbers(set: &BTreeSet<u64>) -> Numbers {
        let mut numbers = Numbers::default();
        set.iter().rev().for_each(|number| numbers.add(*number));
        numbers
    }

    fn of(numbers: &Numbers) -> BTreeSet<u64> {
        numbers.runs.iter().flat_map(|(first, last)| *first..=*last).collect()
    }

    proptest! {
        #[test]
        fn runs_hold_what_a_set_would(
            one in prop::collection::btree_set(0..60_u64, 0..40),
            other in prop::collection::btree_set(0..60_u64, 0..40),
        ) {
            let (runs, others) = (numbers(&one), numbers(&other));
            prop_assert_eq!(&of(&runs), &one);
            prop_assert_eq!(runs.count(), u64::try_from(one.len()).unwrap());
            prop_assert_eq!(runs.first(), one.first().copied());
            prop_assert_eq!(of(&runs.without(&others)), one.difference(&other).copied().collect::<BTreeSet<_>>());
            let touching = runs.runs.iter().zip(runs.runs.iter().skip(1));
            prop_assert!(touching.into_iter().all(|((_, last), (first, _))| last + 1 < *first));
            let parts: BTreeSet<u64> = runs.in_parts(2).iter().flat_map(of).collect();
            prop_assert_eq!(parts, one);
            let mut read = Numbers::default();
            read.read(&runs.json());
            prop_assert_eq!(read, runs);
        }
    }

    /// Danger: who says that everything is theirs fills memory, or makes the program panic.
    #[test]
    fn whatever_an_entry_says_is_read_as_far_as_it_is_numbers() {
        let mut numbers = Numbers::default();
        numbers.read(&json!([[1, u64::MAX], [5, 3], [-1, 4], ["1", 2], [7], 9, null]));
        assert_eq!((numbers.count(), numbers.first()), (u64::MAX, Some(1)));
        assert_eq!(numbers.without(&numbers.clone()), Numbers::default());
        numbers.read(&json!({ "a": [1, 2] }));
        assert_eq!(numbers.runs.len(), 1);
    }
}
