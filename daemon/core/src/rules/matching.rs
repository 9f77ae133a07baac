//! Whether a rule matches a payment: one reading of the table, for deciding, for explaining and for proving.

use std::collections::BTreeSet;

use crate::model::intent::{Asker, IntentKind};
use crate::model::policy::{DestinationMatch, Obligations, Per, Rule};
use crate::model::role::{Role, Tier};
use crate::model::units::{AccountId, Amount, RippleTime};

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
}

/// What a rule can match by, as its keys are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matcher {
    /// Who asks.
    Askers,
    /// The roles of who asks.
    AskerRoles,
    /// The paying account.
    Accounts,
    /// Its tier.
    Tiers,
    /// What is asked for.
    Kinds,
    /// How much, above a bound.
    AmountAbove,
    /// How much, from a bound.
    AmountMin,
    /// How much, up to a bound.
    AmountMax,
    /// Who receives.
    Destination,
    /// Lists that the destination is on.
    Listed,
    /// Lists that it is not on.
    Unlisted,
    /// For how long it has been paid.
    PaidFor,
    /// When.
    During,
    /// When not.
    Outside,
    /// How much leaves within a period.
    Rolling,
    /// How many payments there are within a period.
    Count,
}

impl Matcher {
    /// All of them. Those that cost least come first.
    pub const ALL: [Self; 16] = [
        Self::Kinds,
        Self::Accounts,
        Self::Tiers,
        Self::AmountAbove,
        Self::AmountMin,
        Self::AmountMax,
        Self::Askers,
        Self::AskerRoles,
        Self::Destination,
        Self::Listed,
        Self::Unlisted,
        Self::PaidFor,
        Self::During,
        Self::Outside,
        Self::Rolling,
        Self::Count,
    ];

    /// The key of a rule.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Askers => "askers",
            Self::AskerRoles => "asker_roles",
            Self::Accounts => "accounts",
            Self::Tiers => "tiers",
            Self::Kinds => "kinds",
            Self::AmountAbove => "amount_above",
            Self::AmountMin => "amount_min",
            Self::AmountMax => "amount_max",
            Self::Destination => "destination",
            Self::Listed => "listed",
            Self::Unlisted => "unlisted",
            Self::PaidFor => "paid_for",
            Self::During => "during",
            Self::Outside => "outside",
            Self::Rolling => "rolling",
            Self::Count => "count",
        }
    }

    /// Whether the rule says something about it.
    #[must_use]
    pub fn is_in(self, rule: &Rule) -> bool {
        match self {
            Self::Askers => rule.askers.is_some(),
            Self::AskerRoles => rule.asker_roles.is_some(),
            Self::Accounts => rule.accounts.is_some(),
            Self::Tiers => rule.tiers.is_some(),
            Self::Kinds => rule.kinds.is_some(),
            Self::AmountAbove => rule.amount_above.is_some(),
            Self::AmountMin => rule.amount_min.is_some(),
            Self::AmountMax => rule.amount_max.is_some(),
            Self::Destination => rule.destination.is_some(),
            Self::Listed => rule.listed.is_some(),
            Self::Unlisted => rule.unlisted.is_some(),
            Self::PaidFor => rule.paid_for.is_some(),
            Self::During => rule.during.is_some(),
            Self::Outside => rule.outside.is_some(),
            Self::Rolling => rule.rolling.is_some(),
            Self::Count => rule.count.is_some(),
        }
    }

    /// Whether the payment is as the rule has it here. What the rule says nothing about, it is.
    #[must_use]
    pub fn holds<P: Payment>(self, rule: &Rule, payment: &P) -> bool {
        match self {
            Self::Askers => rule.askers.as_ref().is_none_or(|askers| askers.contains(payment.asker())),
            Self::AskerRoles => rule
                .asker_roles
                .as_ref()
                .is_none_or(|roles| roles.iter().any(|role| payment.asker_has(*role))),
            Self::Accounts => {
                rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(&payment.account()))
            }
            Self::Tiers => {
                let paying =
                    |tiers: &BTreeSet<Tier>| payment.tier().is_some_and(|tier| tiers.contains(&tier));
                rule.tiers.as_ref().is_none_or(paying)
            }
            Self::Kinds => rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&payment.kind())),
            // What is of another asset is not above, from or up to a bound.
            Self::AmountAbove => bounded(rule.amount_above, payment, |amount, least| amount > least),
            Self::AmountMin => bounded(rule.amount_min, payment, |amount, least| amount >= least),
            Self::AmountMax => bounded(rule.amount_max, payment, |amount, most| amount <= most),
            Self::Destination => rule.destination.as_ref().is_none_or(|wanted| receives(wanted, payment)),
            Self::Listed => {
                rule.listed.as_ref().is_none_or(|lists| lists.iter().any(|list| payment.is_on(list)))
            }
            Self::Unlisted => {
                rule.unlisted.as_ref().is_none_or(|lists| !lists.iter().any(|list| payment.is_on(list)))
            }
            Self::PaidFor => rule.paid_for.is_none_or(|wanted| wanted.holds(payment.paid_for())),
            Self::During => rule.during.as_ref().is_none_or(|times| times.holds(payment.at())),
            Self::Outside => rule.outside.as_ref().is_none_or(|times| !times.holds(payment.at())),
            Self::Rolling => rolls(rule, payment),
            Self::Count => counts(rule, payment),
        }
    }
}

/// Whether everything that the rule says holds.
#[must_use]
pub fn matches<P: Payment>(rule: &Rule, payment: &P) -> bool {
    Matcher::ALL.iter().all(|matcher| matcher.holds(rule, payment))
}

/// What of the rule does not hold; nothing where it matches.
#[must_use]
pub fn misses<P: Payment>(rule: &Rule, payment: &P) -> Vec<Matcher> {
    Matcher::ALL.into_iter().filter(|matcher| !matcher.holds(rule, payment)).collect()
}

/// What rules that match ask for together; a denial where there are none.
#[must_use]
pub fn obligations(matching: &[&Rule]) -> Obligations {
    if matching.is_empty() {
        return Obligations::denial();
    }
    let void = matching.iter().any(|rule| rule.void);
    Obligations { void, ..Obligations::of(matching.iter().map(|rule| &rule.action)) }
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
