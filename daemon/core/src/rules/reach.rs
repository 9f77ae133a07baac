//! How far one person gets with the policy alone: what may leave an account because they ask, and nobody else does anything.
//!
//! It errs on the side of *more*. What the person cannot choose is read as it is; what they may choose or wait for (whom they
//! pay, when, how often, how unusual it looks) is read as it suits them. So nothing that policy lets through is above this, and
//! this may be above what policy lets through.

use crate::model::config::Treasury;
use crate::model::intent::{Asker, IntentKind};
use crate::model::policy::{Action, DestinationMatch, Per, Rolling, Rule};
use crate::model::units::{AccountId, Amount, Asset};
use crate::rules::bounds;

/// Who is paid by somebody who should not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payee {
    /// An account of theirs, of which nobody has heard: in no address book and on no list.
    New,
    /// Anybody, those of the address book and on lists too.
    Anybody,
}

/// What may leave an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// With one payment; `None`: whatever the account has.
    pub one: Option<Amount>,
    /// Within rolling periods, by their seconds, ascending; what others pay counts. None: payment after payment, until
    /// the account is at its reserve.
    pub periods: Vec<(u32, Amount)>,
}

impl Reach {
    /// The least that bounds what leaves within so long, where something does: by whichever period, the sum of as many of them
    /// as begin within that time.
    #[must_use]
    pub fn within(&self, seconds: u32) -> Option<Amount> {
        let bounds = self.periods.iter().map(|(period, most)| {
            let times = seconds.div_ceil((*period).max(1)).max(1);
            times_of(most, times)
        });
        bounds.reduce(|one, other| if other < one { other } else { one })
    }
}

/// How far the person gets by asking for payments of an asset of the account that its agents sign; `None`: nowhere.
#[must_use]
pub fn reach(
    config: &Treasury,
    person: &str,
    account: &AccountId,
    asset: Asset,
    payee: Payee,
) -> Option<Reach> {
    let asked = Asked { config, asker: Asker::Person(person.to_owned()), account: *account, payee };
    let rules = config.policy.rules();
    let amounts = amounts(rules, asset);
    let passing: Vec<Amount> =
        amounts.iter().copied().filter(|amount| asked.passes(rules, amount, None)).collect();
    let one = *passing.last()?;
    let mut wanted: Vec<(u32, Per)> = rules
        .iter()
        .filter_map(|rule| rule.rolling)
        .map(|rolling| (rolling.period_seconds, rolling.per))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut periods: Vec<(u32, Amount)> = Vec::new();
    for (period_seconds, per) in
        wanted.into_iter().filter(|(_, per)| matches!(per, Per::Account | Per::Asker))
    {
        let passes = |sum: &&Amount| {
            let all = Some(Sum { period_seconds, per, all: **sum });
            passing.iter().filter(|amount| *amount <= *sum).any(|amount| asked.passes(rules, amount, all))
        };
        let most = amounts.iter().rev().find(passes).copied().unwrap_or(one);
        if most == asset.most() {
            continue;
        }
        match periods.iter_mut().find(|(known, _)| *known == period_seconds) {
            Some((_, known)) if most < *known => *known = most,
            Some(_) => {}
            None => periods.push((period_seconds, most)),
        }
    }
    Some(Reach { one: (one != asset.most()).then_some(one), periods })
}

/// Amounts and sums on both sides of every bound that a rule names, and all that there is.
fn amounts(rules: &[Rule], asset: Asset) -> Vec<Amount> {
    let sums = rules.iter().filter_map(|rule| rule.rolling);
    let sums = sums.flat_map(|rolling| [rolling.amount_above, rolling.amount_max]).flatten();
    let sums = sums.filter(|bound| bound.issue() == asset).flat_map(bounds::beside);
    let at_once = bounds::amounts(rules, asset, None, asset.most());
    bounds::ascending(sums.filter(|sum| !sum.is_zero()).chain(at_once))
}

fn times_of(amount: &Amount, times: u32) -> Amount {
    let most = amount.issue().most();
    let mut sum = *amount;
    for _ in 1..times {
        match sum.checked_add(amount) {
            Some(more) if more <= most => sum = more,
            _ => return most,
        }
    }
    sum
}

/// What leaves within a period, with the payment that is asked about.
#[derive(Clone, Copy)]
struct Sum {
    period_seconds: u32,
    per: Per,
    all: Amount,
}

/// How a rule may read a payment of which not everything is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Matches {
    Never,
    Maybe,
    Always,
}

impl From<bool> for Matches {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Always } else { Self::Never }
    }
}

struct Asked<'a> {
    config: &'a Treasury,
    asker: Asker,
    account: AccountId,
    payee: Payee,
}

impl Asked<'_> {
    /// Whether agents may come to sign it: one rule lets it through, and none that matches in any case asks for more.
    fn passes(&self, rules: &[Rule], amount: &Amount, sum: Option<Sum>) -> bool {
        let mut allowed = false;
        // What only tells people keeps nothing back.
        for rule in rules.iter().filter(|rule| rule.decides()) {
            let allows = rule.action == Action::Allow;
            match self.matches(rule, amount, sum) {
                Matches::Always if !allows => return false,
                Matches::Never => {}
                Matches::Maybe | Matches::Always => allowed |= allows,
            }
        }
        allowed
    }

    fn matches(&self, rule: &Rule, amount: &Amount, sum: Option<Sum>) -> Matches {
        let Self { config, asker, account, payee } = self;
        let roles = match asker {
            Asker::Person(name) => config.people.get(name).map(|person| &person.roles),
            Asker::Daemon => None,
        };
        let tier = config.accounts.get(account).map(|account| account.tier);
        let has =
            |wanted: &std::collections::BTreeSet<_>| roles.is_some_and(|roles| !roles.is_disjoint(wanted));
        let bounded = |bound: Option<Amount>, holds: fn(&Amount, &Amount) -> bool| {
            bound.is_none_or(|bound| bound.issue() == amount.issue() && holds(amount, &bound))
        };
        let said = rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&IntentKind::Pay))
            && rule.askers.as_ref().is_none_or(|askers| askers.contains(asker))
            && rule.asker_roles.as_ref().is_none_or(has)
            && rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
            && rule.tiers.as_ref().is_none_or(|tiers| tier.is_some_and(|tier| tiers.contains(&tier)))
            && rule.covers(amount.issue())
            && bounded(rule.amount_above, |amount, bound| amount > bound)
            && bounded(rule.amount_min, |amount, bound| amount >= bound)
            && bounded(rule.amount_max, |amount, bound| amount <= bound);
        let chosen = [
            rule.paid_for.is_some(),
            rule.count.is_some(),
            rule.during.is_some(),
            rule.outside.is_some(),
            rule.risk.is_some(),
        ];
        let chosen = if chosen.contains(&true) { Matches::Maybe } else { Matches::Always };
        let rolls = rule.rolling.map_or(Matches::Always, |rolling| rolls(&rolling, amount, sum));
        [Matches::from(said), chosen, rolls, receives(rule, *payee)]
            .into_iter()
            .min()
            .unwrap_or(Matches::Never)
    }
}

fn receives(rule: &Rule, payee: Payee) -> Matches {
    let asks = rule.destination.is_some() || rule.listed.is_some() || rule.unlisted.is_some();
    match payee {
        Payee::Anybody if asks => Matches::Maybe,
        Payee::Anybody => Matches::Always,
        Payee::New => {
            let new = rule.destination.as_ref().is_none_or(|wanted| *wanted == DestinationMatch::New);
            Matches::from(new && rule.listed.is_none())
        }
    }
}

fn rolls(rolling: &Rolling, amount: &Amount, sum: Option<Sum>) -> Matches {
    let other = |bound: Option<Amount>| bound.is_some_and(|bound| bound.issue() != amount.issue());
    if other(rolling.amount_above) || other(rolling.amount_max) {
        return Matches::Never;
    }
    let known = sum.filter(|sum| (sum.period_seconds, sum.per) == (rolling.period_seconds, rolling.per));
    match known {
        Some(Sum { all, .. }) => Matches::from(
            rolling.amount_above.is_none_or(|least| all > least)
                && rolling.amount_max.is_none_or(|most| all <= most),
        ),
        // No less leaves than the payment itself.
        None if rolling.amount_max.is_some_and(|most| *amount > most) => Matches::Never,
        None if rolling.amount_max.is_none() && rolling.amount_above.is_none_or(|least| *amount > least) => {
            Matches::Always
        }
        None => Matches::Maybe,
    }
}
