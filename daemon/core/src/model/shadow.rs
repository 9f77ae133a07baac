//! What a second policy would have decided, beside the one in force. Nothing follows from it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::model::policy::Turn;
use crate::model::proposal::Proposal;
use crate::model::units::{AccountId, Amount, Hash256, ProposalId, RippleTime};

/// Differences that are kept. The records have all; people look at some hundreds at most, and a table that decides nearly
/// everything otherwise must not fill the memory.
pub const DIFFERENCES_MAX: usize = 200;

/// What came of the second policy that decided last, since it came to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadowing {
    /// Which.
    pub policy_hash: Hash256,
    /// Ledger time of its first decision.
    pub since: RippleTime,
    /// How many payments and moves it was asked about.
    pub decided: u64,
    /// Of how many of these it asked for more.
    pub stricter: u64,
    /// For less.
    pub laxer: u64,
    /// And for something else.
    pub otherwise: u64,
    /// The last of these, oldest first; at most [`DIFFERENCES_MAX`].
    pub last: VecDeque<Difference>,
}

/// A payment of which the second policy said something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Which.
    pub proposal: ProposalId,
    /// When it was decided on.
    pub at: RippleTime,
    /// Who would pay.
    pub account: AccountId,
    /// How much.
    pub amount: Option<Amount>,
    /// What was decided: the word for it, and the rules.
    pub was: (String, String),
    /// What would have been.
    pub would: (String, String),
    /// In which way that differs.
    pub turn: Turn,
}

impl Shadowing {
    /// Counts what was said of a new proposal. Another policy begins anew.
    pub(crate) fn count(known: &mut Option<Self>, proposal: &Proposal) {
        let decision = &proposal.decision;
        let Some(said) = &decision.shadow else { return };
        if known.as_ref().is_none_or(|known| known.policy_hash != said.policy_hash) {
            *known = Some(Self {
                policy_hash: said.policy_hash,
                since: decision.inputs.at,
                decided: 0,
                stricter: 0,
                laxer: 0,
                otherwise: 0,
                last: VecDeque::new(),
            });
        }
        let Some(known) = known else { return };
        known.decided = known.decided.saturating_add(1);
        let Some(would) = &said.would else { return };
        let turn = Turn::of(&would.obligations, &decision.obligations);
        let count = known.of(turn);
        *count = count.saturating_add(1);
        if known.last.len() >= DIFFERENCES_MAX {
            known.last.pop_front();
        }
        known.last.push_back(Difference {
            proposal: proposal.id,
            at: decision.inputs.at,
            account: proposal.account,
            amount: proposal.intent.amount(),
            was: (decision.obligations.word().to_owned(), decision.rule()),
            would: (would.obligations.word().to_owned(), would.rules.join(", ")),
            turn,
        });
    }

    fn of(&mut self, turn: Turn) -> &mut u64 {
        match turn {
            Turn::Stricter => &mut self.stricter,
            Turn::Laxer => &mut self.laxer,
            Turn::Otherwise => &mut self.otherwise,
        }
    }

    /// How many differ in this way.
    #[must_use]
    pub fn so_many(&self, turn: Turn) -> u64 {
        match turn {
            Turn::Stricter => self.stricter,
            Turn::Laxer => self.laxer,
            Turn::Otherwise => self.otherwise,
        }
    }
}
