//! The server's generations: which rules the ledger follows.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use xrpl_wire::Hash256;

use super::amendment::{Amendment, Standing};

/// A generation of the ledger server. What depends on it follows its newest release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Generation {
    /// 3.1.2.
    V3_1,
    /// 3.2.0, the newest release whose answers were recorded.
    #[default]
    V3_2,
    /// 3.3.0-b0, a development version of July 2026.
    V3_3,
}

/// No generation of this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a server generation: 3.1, 3.2 or 3.3")]
pub struct UnknownGeneration;

impl Generation {
    /// All of them, oldest first.
    pub const ALL: [Generation; 3] = [Generation::V3_1, Generation::V3_2, Generation::V3_3];

    /// How it is called: `3.2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Generation::V3_1 => "3.1",
            Generation::V3_2 => "3.2",
            Generation::V3_3 => "3.3",
        }
    }

    /// The version of the server whose answers it gives.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Generation::V3_1 => "3.1.2",
            Generation::V3_2 => "3.2.0",
            Generation::V3_3 => "3.3.0-b0",
        }
    }

    /// Whether a request names its ledger once and by a string or a number, and is told which field is wrong. Before,
    /// fields had an order of precedence, and whatever could be read as a number was one.
    pub(super) const fn names_ledgers_strictly(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether `ledger_entry` says in which ledger it did not find an entry.
    pub(super) const fn says_where_no_entry_is(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether `account_tx` takes and answers page lengths as other methods do.
    pub(super) const fn limits_account_tx(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether `sign_for` wants the network's number from the signer, above 1024.
    pub(super) const fn signers_name_the_network(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether what is simulated cannot be queued, and is answered so.
    pub(super) const fn queues_no_trial(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether switches of requests, such as `fail_hard`, must be true or false. Before, whatever is not empty was true.
    pub(super) const fn switches_are_booleans(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether who subscribes to a book as a taker is told that this is no account. Before, it was no issuer.
    pub(super) const fn takers_are_accounts(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether the format lets offers, checks and pools hold multi-purpose tokens. MPTokensV2 switches that on.
    pub(super) const fn trades_tokens(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// Whether `server_definitions` tells the fields and the flags of each type.
    pub(super) const fn defines_formats(self) -> bool {
        self.since(Generation::V3_2)
    }

    /// How the address of an account's picture begins.
    pub(super) const fn pictures(self) -> &'static str {
        if self.since(Generation::V3_2) {
            "https://www.gravatar.com/avatar/"
        } else {
            "http://www.gravatar.com/avatar/"
        }
    }

    const fn since(self, first: Generation) -> bool {
        self.place() >= first.place()
    }

    const fn place(self) -> u8 {
        match self {
            Generation::V3_1 => 1,
            Generation::V3_2 => 2,
            Generation::V3_3 => 3,
        }
    }

    /// The ids that the Amendments entry of its fresh ledger lists.
    #[must_use]
    pub fn genesis_amendments(self) -> Vec<Hash256> {
        let listed = |amendment: &&Amendment| amendment.standing(self) == Standing::Genesis;
        Amendment::ALL.iter().filter(listed).map(|amendment| amendment.id()).collect()
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Generation {
    type Err = UnknownGeneration;

    /// Takes the name of a generation or a whole version: `3.2`, `3.2.0`.
    fn from_str(text: &str) -> Result<Generation, UnknownGeneration> {
        let of = |generation: &Generation| {
            let rest = text.strip_prefix(generation.name());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        Generation::ALL.into_iter().find(of).ok_or(UnknownGeneration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_from_its_name_and_from_a_version() {
        for generation in Generation::ALL {
            assert_eq!(generation.name().parse(), Ok(generation));
            assert_eq!(generation.version().parse(), Ok(generation));
        }
        for text in ["", "3", "3.", "3.10", "3.4", "4.1", "3.1x"] {
            assert_eq!(text.parse::<Generation>(), Err(UnknownGeneration), "{text}");
        }
    }
}
