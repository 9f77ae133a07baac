//! A step of a strand, of whatever kind; and the ends of strands of XRP.

use xrpl_wire::{AccountId, Issue, TxResult, index};

use super::book::{Book, BookStep};
use super::direct::Direct;
use super::strand::Around;
use super::{Crossing, Pass};
use crate::embedded::apply::LedgerInfo;
use crate::embedded::apply::decimal::OVERFLOW;
use crate::embedded::apply::holdings::{self, Holdings};
use crate::embedded::apply::quality::Quality;
use crate::embedded::apply::quantity::{PARITY, Quantity, min};
use crate::embedded::apply::table::Table;

/// What goes in at a step and what comes out.
pub(super) type Through = (Quantity, Quantity);

/// Which way a strand is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Backwards,
    Forwards,
}

/// Where qualities are looked up.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'l> {
    pub(super) view: &'l Table<'l>,
    pub(super) info: &'l LedgerInfo,
}

impl<'l> Lookup<'l> {
    pub(super) fn holdings(&self) -> Holdings<'l> {
        Holdings { view: self.view, info: self.info }
    }
}

/// A step.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Direct(Direct),
    Xrp(XrpEnd),
    Book(BookStep),
}

/// The first or the last step of a strand that begins or ends with XRP.
#[derive(Debug, Clone)]
pub(super) struct XrpEnd {
    account: AccountId,
    is_last: bool,
    /// Where an offer is crossed that will not make a line: the offer's owner counts as owning one object less.
    fewer_owned: i64,
    through: Option<Quantity>,
}

impl Step {
    /// Works backwards: what must go in so that so much comes out, or as much as can.
    pub(super) fn reverse(
        &mut self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        output: Quantity,
    ) -> Result<Through, TxResult> {
        match self {
            Step::Direct(step) => step.reverse(previous, pass, output),
            Step::Xrp(step) => step.pass(pass, output),
            Step::Book(step) => step.reverse(previous, pass, output),
        }
    }

    /// Works forwards: what comes out of what goes in.
    pub(super) fn forward(
        &mut self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        input: Quantity,
    ) -> Result<Through, TxResult> {
        match self {
            Step::Direct(step) => step.forward(previous, pass, input),
            Step::Xrp(step) => step.pass(pass, input),
            Step::Book(step) => step.forward(previous, pass, input),
        }
    }

    /// What went through the last time.
    pub(super) fn cached(&self) -> Option<Through> {
        match self {
            Step::Direct(step) => step.cached(),
            Step::Xrp(step) => step.through.map(|through| (through, through)),
            Step::Book(step) => step.cached(),
        }
    }

    /// Whether who sends over this step gives back what it holds, rather than issuing.
    pub(super) fn redeems(&self, at: Lookup<'_>, way: Way) -> Result<bool, TxResult> {
        match self {
            Step::Direct(step) => step.redeems(at, way),
            Step::Xrp(_) => Ok(false),
            Step::Book(step) => Ok(!step.owner_pays_fee()),
        }
    }

    /// What the destination of a line counts what comes in as.
    pub(super) fn quality_in(&self, view: &Table<'_>) -> u32 {
        match self {
            Step::Direct(step) => step.quality_in(view),
            _ => PARITY,
        }
    }

    /// The best rate there can be over this step, and whether it redeems.
    pub(super) fn best_quality(
        &self,
        previous: Option<&Step>,
        at: Lookup<'_>,
        previous_redeems: bool,
    ) -> Result<(Option<Quality>, bool), TxResult> {
        match self {
            Step::Direct(step) => step.best_quality(previous, at, previous_redeems),
            Step::Xrp(_) => Ok((Some(Quality::ONE), false)),
            Step::Book(step) => step.best_quality(at, previous_redeems),
        }
    }

    /// The accounts a step goes from and to; an issuer stands for its side of a book, and nobody for XRP.
    pub(super) fn accounts(&self) -> (AccountId, AccountId) {
        match self {
            Step::Direct(step) => step.ends(),
            Step::Xrp(XrpEnd { account, is_last: true, .. }) => (AccountId::ZERO, *account),
            Step::Xrp(XrpEnd { account, .. }) => (*account, AccountId::ZERO),
            Step::Book(step) => (holdings::issuer(&step.book().input), holdings::issuer(&step.book().output)),
        }
    }

    /// The account that sends over a line.
    pub(super) fn line_source(&self) -> Option<AccountId> {
        match self {
            Step::Direct(step) => Some(step.ends().0),
            _ => None,
        }
    }

    pub(super) fn book(&self) -> Option<&Book> {
        match self {
            Step::Book(step) => Some(step.book()),
            _ => None,
        }
    }

    /// How many offers were looked at the last time.
    pub(super) fn offers_used(&self) -> u32 {
        match self {
            Step::Book(step) => step.offers_used(),
            _ => 0,
        }
    }

    /// Whether so many offers were looked at that the strand is not used again.
    pub(super) fn is_exhausted(&self) -> bool {
        matches!(self, Step::Book(step) if step.is_exhausted())
    }

    pub(super) fn is_same(&self, other: &Step) -> bool {
        match (self, other) {
            (Step::Direct(one), Step::Direct(other)) => one.is_same(other),
            (Step::Xrp(one), Step::Xrp(other)) => {
                one.account == other.account && one.is_last == other.is_last
            }
            (Step::Book(one), Step::Book(other)) => one.book() == other.book(),
            _ => false,
        }
    }
}

impl XrpEnd {
    pub(super) fn make(around: &mut Around<'_, '_>, account: AccountId) -> Result<Step, TxResult> {
        let maker = around.maker;
        if account == AccountId::ZERO {
            return Err(TxResult::temBAD_PATH);
        }
        if !maker.view.exists(&index::account_root(&account)) {
            return Err(TxResult::terNO_ACCOUNT);
        }
        if !around.is_first && !around.is_last {
            return Err(TxResult::temBAD_PATH);
        }
        let side = if around.is_last { &mut around.seen.sources } else { &mut around.seen.destinations };
        if !side.insert(Issue::Xrp) {
            return Err(TxResult::temBAD_PATH_LOOP);
        }
        let has_line = match maker.request.deliver.1 {
            Issue::Issued { currency, issuer } => {
                maker.view.exists(&index::trust_line(&account, &issuer, &currency))
            }
            Issue::Mpt(id) => maker.view.exists(&index::mptoken(&id, &account)),
            Issue::Xrp => false,
        };
        let crossing = maker.request.crossing != Crossing::None;
        let fewer_owned = if crossing && around.is_first && !has_line { -1 } else { 0 };
        Ok(Step::Xrp(XrpEnd { account, is_last: around.is_last, fewer_owned, through: None }))
    }

    /// Moves XRP from the account, or to it: it is the same whichever way the strand is worked.
    fn pass(&mut self, pass: &mut Pass<'_, '_>, amount: Quantity) -> Result<Through, TxResult> {
        let (nobody, zero) = (AccountId::ZERO, Quantity::Drops(0));
        let holdings = Holdings { view: pass.view, info: pass.info };
        let liquid = Quantity::Drops(holdings.liquid_xrp(&self.account, self.fewer_owned)?);
        let (amount, sender, receiver) = if self.is_last {
            (amount, &nobody, &self.account)
        } else {
            (min(liquid, amount), &self.account, &nobody)
        };
        match holdings::send(pass.view, pass.info, sender, receiver, &Issue::Xrp, amount) {
            Ok(()) => {
                self.through = Some(amount);
                Ok((amount, amount))
            }
            Err(OVERFLOW) => Err(OVERFLOW),
            Err(_) => Ok((zero, zero)),
        }
    }
}
