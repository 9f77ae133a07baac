//! Which of many paths are worth taking.

use std::cmp::Ordering;

use xrpl_wire::{AccountId, Currency};

use super::search::Path;
use super::{Finder, MAX_PATHS, Much, Trial, of_source};
use crate::embedded::apply::quality::{Quality, Trade};
use crate::embedded::apply::quantity::Quantity;
use crate::embedded::apply::table::Table;

/// A path, and what it is worth.
#[derive(Debug, Clone)]
struct Rank {
    path: Path,
    /// What is paid for one, as books say it: less is better.
    quality: u64,
    /// How much it can deliver.
    liquidity: Quantity,
    /// Its place among all that were found.
    found: usize,
}

/// Paths for one currency, the best first.
#[derive(Debug)]
pub(super) struct Ranked {
    currency: Currency,
    ranks: Vec<Rank>,
    /// What is to arrive beyond what arrives without any path.
    remaining: Quantity,
}

impl Ranked {
    pub(super) fn of(finder: &Finder<'_>, currency: Currency, paths: Vec<Path>) -> Ranked {
        let math = finder.info.math();
        let most = Much::All(of_source(currency, &finder.wish.source));
        let wanted = finder.wanted();
        let default = Trial { paths: &[], default_path: true, partial: true };
        let mut remaining = wanted;
        if let Ok(outcome) = finder.try_once(&most, wanted, &default)
            && outcome.result.is_ok()
        {
            remaining = math.difference(remaining, outcome.delivered).unwrap_or(remaining);
        }
        let least = if finder.all() { wanted } else { useful(finder, wanted) };
        let paths = paths.into_iter().enumerate().filter(|(_, path)| !path.is_empty());
        let mut ranks: Vec<Rank> = paths
            .filter_map(|(found, path)| {
                let (liquidity, quality) = worth(finder, &most, &path, least)?;
                Some(Rank { path, quality, liquidity, found })
            })
            .collect();
        ranks.sort_by(|one, other| compare(finder.all(), one, other));
        Ranked { currency, ranks, remaining }
    }

    /// The paths to take for what an issuer issues: four at most, the last of which must be enough for the rest. And
    /// one more that could carry all, if there is one.
    pub(super) fn best(&self, finder: &Finder<'_>, issuer: &AccountId) -> (Vec<Path>, Option<Path>) {
        let math = finder.info.math();
        let in_own_name = self.currency.is_xrp() || *issuer == finder.wish.source;
        let mut remaining = self.remaining;
        let (mut best, mut covering) = (Vec::new(), None);
        for rank in &self.ranks {
            let left = MAX_PATHS - best.len();
            if left == 0 && covering.is_some() {
                break;
            }
            let path = match rank.path.split_first() {
                _ if in_own_name => rank.path.clone(),
                // The issuer is where such a path begins, and need not be named.
                Some((first, rest)) if !rest.is_empty() && first.account == Some(*issuer) => rest.to_vec(),
                _ => continue,
            };
            if left > 1 || (left > 0 && rank.liquidity >= remaining) {
                remaining = math.difference(remaining, rank.liquidity).unwrap_or(remaining);
                best.push(path);
            } else if left == 0 && rank.liquidity >= finder.wanted() {
                covering = Some(path);
            }
        }
        (best, covering)
    }
}

/// The least that a path must carry to be of use.
fn useful(finder: &Finder<'_>, wanted: Quantity) -> Quantity {
    let parts = i64::try_from(MAX_PATHS + 2).unwrap_or(i64::MAX);
    finder.info.math().divide(wanted, Quantity::Drops(parts), wanted.unit()).unwrap_or(wanted)
}

/// How much a path delivers and at what rate it begins; none if that is too little.
fn worth(finder: &Finder<'_>, most: &Much, path: &Path, least: Quantity) -> Option<(Quantity, u64)> {
    let math = finder.info.math();
    let mut view = Table::payment_over(finder.view);
    let paths = std::slice::from_ref(path);
    let trial = Trial { paths, default_path: false, partial: finder.all() };
    let outcome = finder.try_on(&mut view, most, least, &trial).ok()?;
    outcome.result.ok()?;
    let trade = Trade { input: outcome.sent, output: outcome.delivered };
    let quality = Quality::of(math, &trade).bits();
    let mut liquidity = outcome.delivered;
    if !finder.all() {
        // What more there is.
        let rest = math.difference(finder.wanted(), liquidity).ok()?;
        let trial = Trial { partial: true, ..trial };
        let outcome = finder.try_on(&mut view, most, rest, &trial).ok()?;
        if outcome.result.is_ok() {
            liquidity = math.sum(liquidity, outcome.delivered).ok()?;
        }
    }
    Some((liquidity, quality))
}

/// The better comes first: by rate, unless all is to be had anyway; by how much it carries; the shorter; the later.
fn compare(all: bool, one: &Rank, other: &Rank) -> Ordering {
    let rate = if all { Ordering::Equal } else { one.quality.cmp(&other.quality) };
    let carries = other.liquidity.partial_cmp(&one.liquidity).unwrap_or(Ordering::Equal);
    rate.then(carries).then(one.path.len().cmp(&other.path.len())).then(other.found.cmp(&one.found))
}
