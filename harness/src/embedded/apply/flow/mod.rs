//! The payment engine: value moves over trust lines and through order books, along one path or several.
//!
//! As the server does it. A path becomes a [`strand`] of steps. A strand is worked backwards from what shall arrive,
//! and forwards again from the step that turned out to limit it; the best strand is used as far as it goes, then the
//! next best, until all has arrived, all that may be sent is sent, or nothing more flows.

mod book;
mod direct;
mod engine;
mod offers;
mod step;
mod strand;

use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Hash256, Issue, PathStep, TxResult};

use self::strand::Maker;
use super::decimal::{Arithmetic, OVERFLOW};
use super::quality::Quality;
use super::quantity::{Quantity, Unit};
use super::table::Table;
use super::{LedgerInfo, Ter};

/// Whether an offer is being crossed rather than a payment made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crossing {
    None,
    /// Until the taker has what it wants.
    Buy,
    /// Until the taker has given what it offers.
    Sell,
}

/// What shall flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'r> {
    pub(super) source: AccountId,
    pub(super) destination: AccountId,
    pub(super) deliver: (Quantity, Issue),
    /// What is sent, and how much of it at most; less than nothing is no limit.
    pub(super) send_max: Option<(Quantity, Issue)>,
    pub(super) paths: &'r [Vec<PathStep>],
    /// Whether the path over the issuers alone may be used too.
    pub(super) default_path: bool,
    /// Whether less may arrive than is asked for.
    pub(super) partial: bool,
    /// Whether the owner of an offer pays the issuer's fee, rather than who sends.
    pub(super) owner_pays_fee: bool,
    pub(super) crossing: Crossing,
    /// The worst rate that is taken.
    pub(super) limit_quality: Option<Quality>,
    /// Only through the order books of a domain.
    pub(super) domain: Option<Hash256>,
}

/// What flowed.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) result: Ter,
    pub(super) sent: Quantity,
    pub(super) delivered: Quantity,
    /// Offers that were found to be of no use, where the result is a failure.
    pub(super) removable: BTreeSet<Hash256>,
}

/// What every step works with: a table for what it does, one for how things were before the strand was used, and
/// the rules.
struct Pass<'p, 't> {
    view: &'p mut Table<'t>,
    before: &'p mut Table<'t>,
    info: &'p LedgerInfo,
    math: Arithmetic,
    /// Offers to be removed whatever comes of it.
    useless: &'p mut BTreeSet<Hash256>,
}

/// Lets value flow. The table must be a layer of a payment; it has the changes where the result is a success.
///
/// # Errors
/// What the server's code throws, as `tefEXCEPTION`.
pub(super) fn flow(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    request: &Request<'_>,
) -> Result<Outcome, TxResult> {
    let source_unit = Unit::of(&request.send_max.map_or(request.deliver.1, |(_, issue)| issue));
    let nothing = |result| Outcome {
        result,
        sent: source_unit.zero(),
        delivered: request.deliver.0.unit().zero(),
        removable: BTreeSet::new(),
    };
    let strands = match (Maker { view, request }).strands() {
        Ok(strands) => strands,
        Err(OVERFLOW) => return Err(OVERFLOW),
        Err(result) => return Ok(nothing(Err(result))),
    };
    let (layer, outcome) = engine::run(view, info, request, strands, source_unit)?;
    if let Some(layer) = layer {
        view.absorb(info.math(), layer)?;
    }
    Ok(outcome)
}
