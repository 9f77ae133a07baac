//! Whether a rule matches a payment: one reading of the table, for deciding, for explaining and for proving.

use std::collections::BTreeSet;

pub use crate::model::columns::Matcher;
use crate::model::intent::{Asker, IntentKind};
use crate::model::policy::{DestinationMatch, Obligations, Per, Policy, Rule};
use crate::model::role::{Role, Tier};
use crate::model::units::{AccountId, Amount, RippleTime};
use crate::rules::cells::Set;

/// What rules can ask about a payment.
pub trait Payment {
    /// Who asks.
    fn asker(&self) -> &Asker;
    /// Whether who asks is a person with this role.
    fn asker_has(&self, role: Role) -> bool;
    /// The account that pays.
    fn account(&self) -> AccountId;
    /// That account's place in the treasury.
    fn tier(&self) -> Option<Tier>;
    /// What is asked for.
    fn kind(&self) -> IntentKind;
    /// Who receives.
    fn destination(&self) -> Option<AccountId>;
    /// Whether that is one of the treasury's own accounts.
    fn is_own(&self) -> bool;
    /// Whether it is one of those, or in the address book.
    fn is_known(&self) -> bool;
    /// Whether it is on this list.
    fn is_on(&self, list: &str) -> bool;
    /// For how many seconds it has been paid; `None`: never.
    fn paid_for(&self) -> Option<u32>;
    /// How much.
    fn amount(&self) -> Option<Amount>;
    /// When it is decided on.
    fn at(&self) -> RippleTime;
    /// What else leaves of the payment's asset within a period.
    fn leaves(&self, per: Per, period_seconds: u32) -> Amount;
    /// How many other payments there are within a period.
    fn others(&self, per: Per, period_seconds: u32) -> u32;
    /// How unusual it looks.
    fn risk(&self) -> u8;
}

/// Whether the payment is as the rule has it here. What the rule says nothing about, it is.
#[must_use]
pub fn holds<P: Payment>(matcher: Matcher, rule: &Rule, payment: &P) -> bool {
    match matcher {
        Matcher::Askers => rule.askers.as_ref().is_none_or(|askers| askers.contains(payment.asker())),
        Matcher::AskerRoles => {
            rule.asker_roles.as_ref().is_none_or(|roles| roles.iter().any(|role| payment.asker_has(*role)))
        }
        Matcher::Accounts => {
            rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(&payment.account()))
        }
        Matcher::Tiers => {
            let paying = |tiers: &BTreeSet<Tier>| payment.tier().is_some_and(|tier| tiers.contains(&tier));
            rule.tiers.as_ref().is_none_or(paying)
        }
        Matcher::Kinds => rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&payment.kind())),
        Matcher::Assets => {
            !matcher.is_in(rule) || payment.amount().is_some_and(|amount| rule.covers(amount.issue()))
        }
        // What is of another asset is not above, from or up to a bound.
        Matcher::AmountAbove => bounded(rule.amount_above, payment, |amount, least| amount > least),
        Matcher::AmountMin => bounded(rule.amount_min, payment, |amount, least| amount >= least),
        Matcher::AmountMax => bounded(rule.amount_max, payment, |amount, most| amount <= most),
        Matcher::Destination => rule.destination.as_ref().is_none_or(|wanted| receives(wanted, payment)),
        Matcher::Listed => {
            rule.listed.as_ref().is_none_or(|lists| lists.iter().any(|list| payment.is_on(list)))
        }
        Matcher::Unlisted => {
            rule.unlisted.as_ref().is_none_or(|lists| !lists.iter().any(|list| payment.is_on(list)))
        }
        Matcher::PaidFor => rule.paid_for.is_none_or(|wanted| wanted.holds(payment.paid_for())),
        Matcher::During => rule.during.as_ref().is_none_or(|times| times.holds(payment.at())),
        Matcher::Outside => rule.outside.as_ref().is_none_or(|times| !times.holds(payment.at())),
        Matcher::Rolling => rolls(rule, payment),
        Matcher::Count => counts(rule, payment),
        Matcher::Risk => rule.risk.is_none_or(|band| band.holds(payment.risk())),
    }
}

/// What of the rule does not hold; nothing where it matches.
#[must_use]
pub fn misses<P: Payment>(rule: &Rule, payment: &P) -> Vec<Matcher> {
    Matcher::ALL.into_iter().filter(|matcher| !holds(*matcher, rule, payment)).collect()
}

/// The rules of the table that match, in its order. What several rules say alike is asked once, and nothing is asked of a
/// rule that something else keeps from matching already.
#[must_use]
pub fn matching<'a, P: Payment>(policy: &'a Policy, payment: &P) -> Vec<&'a Rule> {
    let rules = policy.rules();
    let mut left = Set::all(rules.len());
    for alike in policy.columns().iter() {
        let asked = alike.rules().any(|number| left.has(number));
        if asked && rules.get(alike.first).is_some_and(|rule| !holds(alike.matcher, rule, payment)) {
            alike.rules().for_each(|number| left.remove(number));
        }
    }
    rules.iter().enumerate().filter(|(number, _)| left.has(*number)).map(|(_, rule)| rule).collect()
}

/// What rules that match ask for together; a denial where there are none, or none that does more than tell people.
#[must_use]
pub fn obligations(matching: &[&Rule]) -> Obligations {
    let void = matching.iter().any(|rule| rule.void);
    let deny = !any_decides(matching);
    let all = Obligations::of(matching.iter().map(|rule| &rule.action));
    Obligations { void, deny: all.deny || deny, ..all }
}

/// Whether they ask for a delay of something that cannot wait in an escrow: that is denied, and never paid without the delay.
#[must_use]
pub fn cannot_wait(obligations: &Obligations, amount: Option<&Amount>) -> bool {
    obligations.delay.is_some() && amount.is_some_and(|amount| !amount.is_xrp())
}

/// Whether one of them decides: whoever is only told of something has not let it leave.
#[must_use]
pub fn any_decides(matching: &[&Rule]) -> bool {
    matching.iter().any(|rule| rule.decides())
}

fn bounded<P: Payment>(bound: Option<Amount>, payment: &P, holds: impl Fn(Amount, Amount) -> bool) -> bool {
    bound.is_none_or(|bound| payment.amount().is_some_and(|amount| holds(amount, bound)))
}

fn receives<P: Payment>(wanted: &DestinationMatch, payment: &P) -> bool {
    match wanted {
        DestinationMatch::Treasury => payment.is_own(),
        DestinationMatch::Known => payment.is_known(),
        DestinationMatch::New => !payment.is_known(),
        DestinationMatch::Accounts(accounts) => {
            payment.destination().is_some_and(|to| accounts.contains(&to))
        }
    }
}

fn rolls<P: Payment>(rule: &Rule, payment: &P) -> bool {
    let Some(rolling) = rule.rolling else { return true };
    let Some(amount) = payment.amount() else { return false };
    let other = |bound: Option<Amount>| bound.is_some_and(|bound| bound.issue() != amount.issue());
    if other(rolling.amount_above) || other(rolling.amount_max) {
        return false;
    }
    match payment.leaves(rolling.per, rolling.period_seconds).checked_add(&amount) {
        Some(sum) => {
            rolling.amount_above.is_none_or(|least| sum > least)
                && rolling.amount_max.is_none_or(|most| sum <= most)
        }
        // More than there is.
        None => rolling.amount_max.is_none(),
    }
}

fn counts<P: Payment>(rule: &Rule, payment: &P) -> bool {
    let Some(count) = rule.count else { return true };
    let all = payment.others(count.per, count.period_seconds).saturating_add(1);
    count.above.is_none_or(|least| all > least) && count.max.is_none_or(|most| all <= most)
}
