//! Where a table of rules parts what it looks at: values on both sides of every bound that it names.

use std::collections::BTreeSet;

use crate::model::policy::{Per, Rule, Times};
use crate::model::units::{Amount, Asset, Drops, RippleTime};
use crate::rules::cells::edges;
use crate::rules::example::Example;
use crate::rules::matching::Matcher;
use xrpl_wire::{IouValue, IssuedAmount, MptAmount};

/// Days ahead of which every time that a rule tells apart is tried: a leap year, in which clocks have changed both ways.
const DAYS: u32 = 366;

/// A day, in seconds.
const DAY_SECONDS: u32 = 86_400;

/// The assets that rules name.
#[must_use]
pub fn assets(rules: &[Rule]) -> BTreeSet<Asset> {
    let of_bounds = rules.iter().flat_map(Rule::bounds).map(|amount| amount.issue());
    of_bounds.chain(rules.iter().flat_map(|rule| &rule.assets).flatten().copied()).collect()
}

/// Amounts of an asset above a bound, up to the most, in ascending order.
#[must_use]
pub fn amounts(rules: &[Rule], asset: Asset, above: Option<Amount>, most: Amount) -> Vec<Amount> {
    let bands = rules.iter().flat_map(|rule| [rule.amount_above, rule.amount_min, rule.amount_max]);
    let bounds = bands.flatten().chain(above).chain([most]).filter(|bound| bound.issue() == asset);
    let values = bounds.flat_map(beside).chain(beside(asset.nothing()));
    let within =
        |amount: &Amount| !amount.is_zero() && *amount <= most && above.is_none_or(|above| *amount > above);
    ascending(values.filter(within))
}

/// For how long a destination may have been paid.
#[must_use]
pub fn paid_for(rules: &[Rule]) -> Vec<Option<u32>> {
    let wanted = rules.iter().filter_map(|rule| rule.paid_for);
    let bounds = wanted.flat_map(|wanted| [wanted.least_seconds, wanted.below_seconds]);
    std::iter::once(None).chain(edges(bounds.flatten()).into_iter().map(Some)).collect()
}

/// How unusual a payment may look. What it is that is unusual is not told apart.
#[must_use]
pub fn risks(rules: &[Rule], most: u8) -> Vec<u8> {
    let bounds = rules.iter().filter_map(|rule| rule.risk).flat_map(|band| [band.above, band.max]);
    let edges = edges(bounds.flatten().map(u32::from)).into_iter();
    edges.filter_map(|score| u8::try_from(score).ok()).filter(|score| *score <= most).collect()
}

/// Times within the next year at which a rule begins or ceases to hold, and now.
#[must_use]
pub fn instants(rules: &[Rule], now: RippleTime) -> Vec<RippleTime> {
    let end = now.0.saturating_add(DAYS * DAY_SECONDS);
    let mut instants = BTreeSet::from([now]);
    for times in rules.iter().flat_map(|rule| [&rule.during, &rule.outside]).flatten() {
        let changes = times.zone.changes.iter().filter(|(at, _)| (now.0..end).contains(&at.0));
        instants.extend(changes.map(|(at, _)| *at));
        for seconds in begins(times, now, end) {
            let mut at = now.0.saturating_sub(now.0 % DAY_SECONDS).saturating_add(seconds);
            while at < end {
                if at >= now.0 {
                    instants.insert(RippleTime(at));
                }
                at = at.saturating_add(DAY_SECONDS);
            }
        }
    }
    instants.into_iter().collect()
}

/// Seconds of a UTC day at which clocks of the zone may show the beginning or end of the times, or of a day.
fn begins(times: &Times, now: RippleTime, end: u32) -> BTreeSet<u32> {
    let before = times.zone.changes.iter().rev().find(|(at, _)| *at <= now).map(|(_, ahead)| *ahead);
    let within = times.zone.changes.iter().filter(|(at, _)| (now.0..end).contains(&at.0));
    let ahead = within.map(|(_, ahead)| *ahead).chain([before.unwrap_or(times.zone.ahead_seconds)]);
    let of_day = |ahead: i32| {
        [0, times.from_minute, times.until_minute].map(|minute| {
            let seconds = i64::from(minute) * 60 - i64::from(ahead);
            u32::try_from(seconds.rem_euclid(i64::from(DAY_SECONDS))).unwrap_or_default()
        })
    };
    ahead.flat_map(of_day).collect()
}

/// Sums or counts of one kind over several periods: steps that any of them may be at, in ascending order.
pub trait Chain {
    /// The periods, ascending.
    fn periods(&self) -> &[u32];
    /// How many steps there are.
    fn steps(&self) -> usize;
    /// Puts the step into an example.
    fn put(&self, example: &mut Example, per: Per, period_seconds: u32, step: usize);
    /// Whether the rule looks at this.
    fn is_of(&self, rule: &Rule, per: Per, period_seconds: u32) -> bool;
    /// By what.
    fn matcher(&self) -> Matcher;
}

/// What leaves beside a payment.
pub struct Sums {
    periods: Vec<u32>,
    /// What leaves beside it.
    left: Vec<Amount>,
}

/// Sums of payments beside one of this amount.
#[must_use]
pub fn sums(rules: &[Rule], per: Per, amount: &Amount) -> Sums {
    let rolling = || rules.iter().filter_map(|rule| rule.rolling).filter(|rolling| rolling.per == per);
    let bounds = rolling().flat_map(|rolling| [rolling.amount_above, rolling.amount_max]).flatten();
    let of_asset = bounds.filter(|bound| bound.issue() == amount.issue());
    let left =
        of_asset.flat_map(beside).filter_map(|all| (all > *amount).then(|| all.less(amount)).flatten());
    let left = ascending(left.chain([amount.issue().nothing()]).filter(|left| !left.is_negative()));
    Sums { periods: periods(rolling().map(|rolling| rolling.period_seconds)), left }
}

impl Chain for Sums {
    fn periods(&self) -> &[u32] {
        &self.periods
    }

    fn steps(&self) -> usize {
        self.left.len()
    }

    fn put(&self, example: &mut Example, per: Per, period_seconds: u32, step: usize) {
        if let Some(left) = self.left.get(step) {
            example.sums.insert((per, period_seconds), *left);
        }
    }

    fn is_of(&self, rule: &Rule, per: Per, period_seconds: u32) -> bool {
        rule.rolling.is_some_and(|rolling| rolling.per == per && rolling.period_seconds == period_seconds)
    }

    fn matcher(&self) -> Matcher {
        Matcher::Rolling
    }
}

/// How many payments there are beside one.
pub struct Counts {
    periods: Vec<u32>,
    others: Vec<u32>,
}

/// Counts of payments beside one.
#[must_use]
pub fn counts(rules: &[Rule], per: Per) -> Counts {
    let count = || rules.iter().filter_map(|rule| rule.count).filter(|count| count.per == per);
    let bounds = count().flat_map(|count| [count.above, count.max]).flatten();
    let others: BTreeSet<u32> = edges(bounds).into_iter().filter_map(|all| all.checked_sub(1)).collect();
    Counts {
        periods: periods(count().map(|count| count.period_seconds)),
        others: others.into_iter().chain([0]).collect::<BTreeSet<u32>>().into_iter().collect(),
    }
}

impl Chain for Counts {
    fn periods(&self) -> &[u32] {
        &self.periods
    }

    fn steps(&self) -> usize {
        self.others.len()
    }

    fn put(&self, example: &mut Example, per: Per, period_seconds: u32, step: usize) {
        if let Some(others) = self.others.get(step) {
            example.counts.insert((per, period_seconds), *others);
        }
    }

    fn is_of(&self, rule: &Rule, per: Per, period_seconds: u32) -> bool {
        rule.count.is_some_and(|count| count.per == per && count.period_seconds == period_seconds)
    }

    fn matcher(&self) -> Matcher {
        Matcher::Count
    }
}

fn periods(periods: impl Iterator<Item = u32>) -> Vec<u32> {
    periods.collect::<BTreeSet<u32>>().into_iter().collect()
}

/// The bound, and the nearest amounts below and above it.
pub(crate) fn beside(bound: Amount) -> impl Iterator<Item = Amount> {
    [next(&bound, false), Some(bound), next(&bound, true)].into_iter().flatten()
}

/// The nearest amount above or below.
fn next(amount: &Amount, up: bool) -> Option<Amount> {
    let step = |units: u64| if up { units.checked_add(1) } else { units.checked_sub(1) };
    Some(match amount {
        Amount::Xrp(drops) => Amount::Xrp(Drops::new(step(drops.get())?).ok()?),
        Amount::Mpt(mpt) => Amount::Mpt(MptAmount { value: step(mpt.value)?, ..*mpt }),
        Amount::Issued(issued) if issued.value.is_zero() => {
            // One of the least of its digits: what is less is nothing beside anything that a rule would name.
            let value = IouValue::new(false, 1, -6).ok()?;
            return up.then_some(Amount::Issued(IssuedAmount { value, ..*issued }));
        }
        Amount::Issued(issued) => {
            let value = IouValue::new(false, step(issued.value.mantissa())?, issued.value.exponent()).ok()?;
            Amount::Issued(IssuedAmount { value, ..*issued })
        }
    })
}

/// In ascending order, each once. All are of one asset.
pub(crate) fn ascending(amounts: impl Iterator<Item = Amount>) -> Vec<Amount> {
    let mut all: Vec<Amount> = amounts.collect();
    all.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    all.dedup();
    all
}
