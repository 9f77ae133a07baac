//! Looking for ways to pay: which paths lead from one account to another, and what a payment over the best of them
//! would cost.
//!
//! As the server does it. From what the source can send, [`search`] follows trust lines and order books in the few
//! shapes of paths that its search level knows. What it finds is tried and sorted by [`rank`], and the best four are
//! tried together.

mod books;
mod lines;
mod rank;
mod search;

use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Amount, Currency, Hash256, IouValue, Issue, PathStep, TxResult, iou};

use self::lines::Lines;
use self::rank::Ranked;
use self::search::{Path, Place, Search};
use super::LedgerInfo;
use super::flow::{self, Crossing, Outcome, Request};
use super::holdings;
use super::quantity::{Quantity, Unit};
use super::table::Table;
use crate::embedded::state::StateMap;

/// The most paths that an alternative has, but for one that could move all by itself.
const MAX_PATHS: usize = 4;

/// The most assets of a source that are looked at unless it names them.
const MAX_SOURCES: usize = 88;

/// A currency that spells XRP, and is not.
const BAD_CURRENCY: Currency =
    Currency([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'X', b'R', b'P', 0, 0, 0, 0, 0]);

/// So much of something, or all that can be had of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Much {
    Exactly(Amount),
    All(Issue),
}

impl Much {
    pub(in crate::embedded) fn issue(&self) -> Issue {
        match self {
            Much::Exactly(amount) => amount.issue(),
            Much::All(issue) => *issue,
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded) struct Wish {
    pub(in crate::embedded) source: AccountId,
    pub(in crate::embedded) destination: AccountId,
    pub(in crate::embedded) deliver: Much,
    pub(in crate::embedded) send_max: Option<Much>,
    /// What may be sent; none for anything that the source has.
    pub(in crate::embedded) sources: BTreeSet<Issue>,
    pub(in crate::embedded) domain: Option<Hash256>,
}

/// One way to pay, and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded) struct Alternative {
    pub(in crate::embedded) paths: Vec<Vec<PathStep>>,
    pub(in crate::embedded) costs: Amount,
    pub(in crate::embedded) delivers: Amount,
}

/// More assets than are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) struct TooMany;

/// The ways there are, one at most for each asset that could be sent.
///
/// # Errors
/// The source names no asset and has too many.
pub(in crate::embedded) fn find(
    state: &StateMap,
    info: &LedgerInfo,
    wish: &Wish,
) -> Result<Vec<Alternative>, TooMany> {
    let finder = Finder { view: &Table::new(state), state, info, wish };
    let mut searched: Vec<(Currency, Option<Ranked>)> = Vec::new();
    let mut found = Vec::new();
    for source in finder.sources()? {
        let Some(currency) = currency_of(&source) else { continue };
        if !searched.iter().any(|(other, _)| *other == currency) {
            searched.push((currency, finder.search(currency)));
        }
        let ranked = searched.iter().find(|(other, _)| *other == currency);
        if let Some((_, Some(ranked))) = ranked {
            found.extend(finder.alternative(&source, ranked));
        }
    }
    Ok(found)
}

/// The currencies that an account can still take some of.
pub(in crate::embedded) fn taken(state: &StateMap, account: &AccountId) -> BTreeSet<Currency> {
    let mut lines = Lines::of(state);
    let takes = lines.all(account).iter().filter(|line| line.balance < line.limit);
    let mut all: BTreeSet<Currency> = takes.map(|line| line.currency).collect();
    all.remove(&BAD_CURRENCY);
    all.insert(Currency::XRP);
    all
}

/// The currency of an asset; none of a token, over which no paths lead.
fn currency_of(issue: &Issue) -> Option<Currency> {
    match issue {
        Issue::Xrp => Some(Currency::XRP),
        Issue::Issued { currency, .. } => Some(*currency),
        Issue::Mpt(_) => None,
    }
}

/// What a payment is tried with.
#[derive(Debug, Clone, Copy)]
struct Trial<'t> {
    paths: &'t [Path],
    default_path: bool,
    partial: bool,
}

/// What a search works with.
#[derive(Clone, Copy)]
struct Finder<'f> {
    view: &'f Table<'f>,
    state: &'f StateMap,
    info: &'f LedgerInfo,
    wish: &'f Wish,
}

impl<'f> Finder<'f> {
    /// Whether as much as can be is to be delivered.
    fn all(&self) -> bool {
        matches!(self.wish.deliver, Much::All(_))
    }

    /// What is to arrive: more than can be where it is to be all.
    fn wanted(&self) -> Quantity {
        match &self.wish.deliver {
            Much::Exactly(amount) => Quantity::of(amount).unwrap_or(Unit::Iou.zero()),
            Much::All(issue) => most_of(issue),
        }
    }

    /// The assets that are looked at.
    fn sources(&self) -> Result<BTreeSet<Issue>, TooMany> {
        let Wish { source, destination, send_max, sources, .. } = self.wish;
        if !sources.is_empty() {
            return Ok(sources.clone());
        }
        if let Some(most) = send_max {
            return Ok(BTreeSet::from([most.issue()]));
        }
        let mut lines = Lines::of(self.state);
        let sendable = lines.all(source).iter().filter(|line| line.can_be_sent());
        let mut currencies: BTreeSet<Currency> = sendable.map(|line| line.currency).collect();
        currencies.remove(&BAD_CURRENCY);
        currencies.insert(Currency::XRP);
        if source == destination
            && let Some(same) = currency_of(&self.wish.deliver.issue())
        {
            currencies.remove(&same);
        }
        if currencies.len() > MAX_SOURCES {
            return Err(TooMany);
        }
        Ok(currencies.into_iter().map(|currency| of_source(currency, source)).collect())
    }

    /// The paths for a currency, in the order of their worth; none if the wish makes no sense with it.
    fn search(&self, currency: Currency) -> Option<Ranked> {
        let search = Search::new(self.state, self.info, self.wish, currency)?;
        Some(Ranked::of(self, currency, search.complete_paths()))
    }

    /// The best of the paths for an asset, if together they can carry the payment.
    fn alternative(&self, source: &Issue, ranked: &Ranked) -> Option<Alternative> {
        let issuer = holdings::issuer(source);
        let (mut paths, covering) = ranked.best(self, &issuer);
        let most = match &self.wish.send_max {
            Some(most) => *most,
            None => Much::All(*source),
        };
        let try_with = |paths: &[Path]| {
            let trial = Trial { paths, default_path: true, partial: self.all() };
            self.try_once(&most, self.wanted(), &trial)
        };
        let mut outcome = try_with(&paths).ok()?;
        if let (false, Some(path)) = (self.all(), covering)
            && matches!(outcome.result, Err(TxResult::terNO_LINE | TxResult::tecPATH_PARTIAL))
        {
            paths.push(path);
            outcome = try_with(&paths).ok()?;
        }
        outcome.result.ok()?;
        Some(Alternative {
            paths: paths.iter().map(|path| path.iter().map(Place::step).collect()).collect(),
            costs: outcome.sent.amount(source).ok()?,
            delivers: outcome.delivered.amount(&self.wish.deliver.issue()).ok()?,
        })
    }

    fn try_once(&self, most: &Much, wanted: Quantity, trial: &Trial<'_>) -> Result<Outcome, TxResult> {
        self.try_on(&mut Table::payment_over(self.view), most, wanted, trial)
    }

    /// Tries a payment on a layer, which has the changes if it is a success.
    fn try_on(
        &self,
        view: &mut Table<'_>,
        most: &Much,
        wanted: Quantity,
        trial: &Trial<'_>,
    ) -> Result<Outcome, TxResult> {
        let deliver = self.wish.deliver.issue();
        let send_max = match most {
            Much::Exactly(amount) => Some((Quantity::of(amount)?, amount.issue())),
            // The source's own debt in the same currency needs no saying.
            Much::All(issue) if self.is_own(issue, &deliver) => None,
            Much::All(issue) => Some((unlimited(issue), *issue)),
        };
        let paths: Vec<Vec<PathStep>> =
            trial.paths.iter().map(|path| path.iter().map(Place::step).collect()).collect();
        let request = Request {
            source: self.wish.source,
            destination: self.wish.destination,
            deliver: (wanted, deliver),
            send_max,
            paths: &paths,
            default_path: trial.default_path,
            partial: trial.partial,
            owner_pays_fee: false,
            crossing: Crossing::None,
            limit_quality: None,
            domain: self.wish.domain,
        };
        flow::flow(view, self.info, &request)
    }

    fn is_own(&self, issue: &Issue, deliver: &Issue) -> bool {
        currency_of(issue) == currency_of(deliver) && holdings::issuer(issue) == self.wish.source
    }
}

/// What an account sends of a currency: in its own name.
fn of_source(currency: Currency, source: &AccountId) -> Issue {
    if currency.is_xrp() { Issue::Xrp } else { Issue::Issued { currency, issuer: *source } }
}

/// A limit that is none.
fn unlimited(issue: &Issue) -> Quantity {
    match Unit::of(issue) {
        Unit::Drops => Quantity::Drops(-1),
        Unit::Mpt => Quantity::Mpt(-1),
        Unit::Iou => {
            let one = IouValue::new(true, 1, 0);
            Quantity::Iou(one.unwrap_or(IouValue::ZERO))
        }
    }
}

/// The most that can be written of an asset.
fn most_of(issue: &Issue) -> Quantity {
    match Unit::of(issue) {
        Unit::Iou => {
            let most = IouValue::from_normal(false, iou::MAX_MANTISSA, iou::MAX_EXPONENT);
            Quantity::Iou(most.unwrap_or(IouValue::ZERO))
        }
        whole => whole.plenty(),
    }
}
