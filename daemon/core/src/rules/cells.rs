//! Every payment that a table of rules can tell from another, as cells: what a rule looks at is parted at the bounds that
//! the table names, and of each part one payment stands for all.
//!
//! Of one dimension two values are the same where the same rules hold of them, so that what no rule looks at falls
//! together, however many values there are. A cell is then nothing but the set of rules that match in it, and the number
//! of sets is small where the number of payments is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::columns::Matcher;
use crate::model::policy::Rule;

/// A set of rules, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set(Vec<u64>);

impl Set {
    /// All of so many rules.
    #[must_use]
    pub fn all(rules: usize) -> Self {
        let mut set = Self(vec![0; rules.div_ceil(64)]);
        (0..rules).for_each(|rule| set.insert(rule));
        set
    }

    /// None of so many rules.
    #[must_use]
    pub fn none(rules: usize) -> Self {
        Self(vec![0; rules.div_ceil(64)])
    }

    /// Puts a rule in.
    pub fn insert(&mut self, rule: usize) {
        if let Some(word) = self.0.get_mut(rule / 64) {
            *word |= 1 << (rule % 64);
        }
    }

    /// Takes a rule out.
    pub fn remove(&mut self, rule: usize) {
        if let Some(word) = self.0.get_mut(rule / 64) {
            *word &= !(1 << (rule % 64));
        }
    }

    /// Whether the rule is in it.
    #[must_use]
    pub fn has(&self, rule: usize) -> bool {
        self.0.get(rule / 64).is_some_and(|word| word & (1 << (rule % 64)) != 0)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one & other).collect())
    }
}

/// Values of one dimension, of which each stands for all of which the same rules hold.
#[derive(Clone, Debug)]
pub struct Parts<T> {
    parts: BTreeMap<Set, T>,
}

impl<T> Parts<T> {
    /// Parts values by what holds of them. The first of each part stands for it.
    pub fn of(values: impl IntoIterator<Item = T>, holding: impl Fn(&T) -> Set) -> Self {
        let mut parts = BTreeMap::new();
        for value in values {
            parts.entry(holding(&value)).or_insert(value);
        }
        Self { parts }
    }

    /// The parts, and what stands for each.
    pub fn iter(&self) -> impl Iterator<Item = (&Set, &T)> {
        self.parts.iter()
    }
}

/// The rules of which all of these matchers hold.
#[must_use]
pub fn holding(rules: &[Rule], matchers: &[Matcher], holds: impl Fn(Matcher, &Rule) -> bool) -> Set {
    let mut set = Set::none(rules.len());
    for (number, rule) in rules.iter().enumerate() {
        if matchers.iter().all(|matcher| !matcher.is_in(rule) || holds(*matcher, rule)) {
            set.insert(number);
        }
    }
    set
}

/// The values at which something changes: each bound, what comes before it and what comes after it.
#[must_use]
pub fn edges(bounds: impl IntoIterator<Item = u32>) -> BTreeSet<u32> {
    let mut edges = BTreeSet::from([0]);
    for bound in bounds {
        edges.extend([bound.saturating_sub(1), bound, bound.saturating_add(1)]);
    }
    edges
}
