//! What is guarded is made and released only with the guard's part.

use std::collections::BTreeSet;

use treasury_core::units::{EscrowKey, HexBytes};

use super::{Checker, Rule};

/// What the guard made and gave.
#[derive(Default)]
pub(super) struct Shares {
    /// Every escrow that daemons make has to be guarded.
    all: bool,
    /// Conditions that the guard made, and of which escrow.
    made: BTreeSet<(EscrowKey, Vec<u8>)>,
    /// Escrows whose shares it gave.
    given: BTreeSet<EscrowKey>,
    /// Guarded escrows that came to be.
    standing: BTreeSet<EscrowKey>,
}

impl Checker {
    /// From now on daemons make no escrow without the guard.
    pub fn is_guarded(&mut self) {
        self.shares.all = true;
    }

    /// The guard makes a condition.
    pub fn guard_made(&mut self, key: EscrowKey, condition: &HexBytes) {
        self.shares.made.insert((key, condition.0.clone()));
    }

    /// The guard gives its share for the release.
    pub fn guard_gave(&mut self, key: EscrowKey) {
        self.shares.given.insert(key);
    }

    /// A daemon's escrow came to be.
    pub(super) fn is_made_with_guard(&mut self, key: EscrowKey, condition: Option<&Vec<u8>>) {
        let made = condition.is_some_and(|condition| self.shares.made.contains(&(key, condition.clone())));
        if made {
            self.shares.standing.insert(key);
        } else if self.shares.all {
            self.broken(Rule::GuardsShare, format!("{key} was made without the guard"));
        }
    }

    /// An escrow is released, or was.
    pub(super) fn is_given(&mut self, key: EscrowKey, how: &str) {
        if self.shares.standing.contains(&key) && !self.shares.given.contains(&key) {
            self.broken(Rule::GuardsShare, format!("{key} {how} without the guard's share"));
        }
    }

    /// An escrow has gone back to its owner.
    pub(super) fn went_back(&mut self, key: EscrowKey) {
        if self.shares.standing.contains(&key) {
            self.reached.push("a guarded escrow went back");
        }
    }
}
