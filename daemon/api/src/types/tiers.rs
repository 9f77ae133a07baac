//! Tier links.

use serde::{Deserialize, Serialize};

use super::{AmountView, PartyView};

/// A tier link, and what it would move now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// Its name.
    pub name: String,
    /// Where the money comes from.
    pub from: PartyView,
    /// Where it goes.
    pub to: PartyView,
    /// `filled`: `to` is kept above a floor. `swept`: `from` is kept below a ceiling.
    pub keeps: String,
    /// The floor or the ceiling.
    pub bound: AmountView,
    /// Up to this, or down to this.
    pub target: AmountView,
    /// What the account that it keeps has, what is on its way to it included where it is filled; `null` where it is not on
    /// the ledger.
    pub has: Option<AmountView>,
    /// What other links want out of the account that it keeps and is not promised to them yet: it counts as gone.
    pub onward: AmountView,
    /// What `from` can give: less what is promised, a fee, and the highest floor that a link sets.
    pub can_give: Option<AmountView>,
    /// What the link has moved, or may still move, within its period.
    pub moved: AmountView,
    /// The most that it may move within its period.
    pub period_max: AmountView,
    /// Length of the period, in seconds.
    pub period_seconds: u32,
    /// What it would move now.
    pub moves: AmountView,
    /// What decides on that, in words.
    pub by: String,
    /// What keeps it from moving that, in words.
    pub waits_for: Vec<String>,
}
