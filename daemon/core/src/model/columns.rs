//! The table by columns: of each thing that rules match by, which rules say the same about it. A decision asks once what
//! many rules say, and nothing of what no rule says.

use crate::model::rule::Rule;

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
    /// Of what asset.
    Assets,
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
    /// How unusual it looks.
    Risk,
}

impl Matcher {
    /// All of them. Those that cost least come first.
    pub const ALL: [Self; 18] = [
        Self::Kinds,
        Self::Accounts,
        Self::Tiers,
        Self::Assets,
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
        Self::Risk,
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
            Self::Assets => "assets",
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
            Self::Risk => "risk",
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
            Self::Assets => rule.assets.is_some() || rule.is_for_xrp_alone(),
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
            Self::Risk => rule.risk.is_some(),
        }
    }

    /// Whether two rules say the same about it.
    fn is_alike(self, one: &Rule, other: &Rule) -> bool {
        match self {
            Self::Askers => one.askers == other.askers,
            Self::AskerRoles => one.asker_roles == other.asker_roles,
            Self::Accounts => one.accounts == other.accounts,
            Self::Tiers => one.tiers == other.tiers,
            Self::Kinds => one.kinds == other.kinds,
            Self::Assets => one.assets == other.assets && one.is_for_xrp_alone() == other.is_for_xrp_alone(),
            Self::AmountAbove => one.amount_above == other.amount_above,
            Self::AmountMin => one.amount_min == other.amount_min,
            Self::AmountMax => one.amount_max == other.amount_max,
            Self::Destination => one.destination == other.destination,
            Self::Listed => one.listed == other.listed,
            Self::Unlisted => one.unlisted == other.unlisted,
            Self::PaidFor => one.paid_for == other.paid_for,
            Self::During => one.during == other.during,
            Self::Outside => one.outside == other.outside,
            Self::Rolling => one.rolling == other.rolling,
            Self::Count => one.count == other.count,
            Self::Risk => one.risk == other.risk,
        }
    }
}

/// Rules that say the same about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// About what.
    pub matcher: Matcher,
    /// The number of the first.
    pub first: usize,
    /// Those of the others, in the order of the table.
    pub others: Vec<usize>,
}

impl Alike {
    /// The number of each.
    pub fn rules(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

/// All of them: by what is asked, what costs least first.
#[must_use]
pub(crate) fn columns(rules: &[Rule]) -> Vec<Alike> {
    let mut all = Vec::new();
    for matcher in Matcher::ALL {
        let mut column: Vec<(&Rule, Alike)> = Vec::new();
        for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| matcher.is_in(rule)) {
            match column.iter_mut().find(|(first, _)| matcher.is_alike(first, rule)) {
                Some((_, alike)) => alike.others.push(number),
                None => column.push((rule, Alike { matcher, first: number, others: Vec::new() })),
            }
        }
        all.extend(column.into_iter().map(|(_, alike)| alike));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::model::intent::{Asker, IntentKind};
    use crate::model::matchers::{Count, PaidFor, Per, Rolling, Times, Zone};
    use crate::model::risk::RiskBand;
    use crate::model::role::{Role, Tier};
    use crate::model::rule::{Action, DestinationMatch};
    use crate::model::units::{AccountId, Amount, Asset, Drops};

    /// A rule that says one of two things about this, and nothing else.
    fn says(matcher: Matcher, second: bool) -> Rule {
        let number = u8::from(second);
        let list = || Some(BTreeSet::from([format!("list {number}")]));
        let amount = Some(Amount::Xrp(Drops::new(u64::from(number)).unwrap()));
        let times = || {
            let (zone, from_minute) = (Arc::new(Zone::utc()), u16::from(number));
            Some(Times { zone, weekdays: None, from_minute, until_minute: 60 })
        };
        let period_seconds = 60 + u32::from(number);
        let mut rule = Rule::new(format!("rule {number}"), Action::Deny);
        match matcher {
            Matcher::Askers => rule.askers = Some(vec![Asker::Person(format!("person {number}"))]),
            Matcher::AskerRoles => {
                rule.asker_roles = Some(BTreeSet::from([if second { Role::Admin } else { Role::Security }]))
            }
            Matcher::Accounts => rule.accounts = Some(vec![AccountId([number; 20])]),
            Matcher::Tiers => {
                rule.tiers = Some(BTreeSet::from([if second { Tier::Hot } else { Tier::Cold }]))
            }
            Matcher::Kinds => {
                rule.kinds = Some(vec![if second { IntentKind::Move } else { IntentKind::Pay }])
            }
            Matcher::Assets if second => rule.assets = Some([Asset::Mpt([7; 24])].into()),
            // An allow that names none.
            Matcher::Assets => rule.action = Action::Allow,
            Matcher::AmountAbove => rule.amount_above = amount,
            Matcher::AmountMin => rule.amount_min = amount,
            Matcher::AmountMax => rule.amount_max = amount,
            Matcher::Destination => {
                rule.destination = Some(if second { DestinationMatch::New } else { DestinationMatch::Known })
            }
            Matcher::Listed => rule.listed = list(),
            Matcher::Unlisted => rule.unlisted = list(),
            Matcher::PaidFor => {
                rule.paid_for = Some(PaidFor { least_seconds: Some(period_seconds), below_seconds: None })
            }
            Matcher::During => rule.during = times(),
            Matcher::Outside => rule.outside = times(),
            Matcher::Rolling => {
                let per = Per::Account;
                rule.rolling = Some(Rolling { period_seconds, per, amount_above: None, amount_max: None })
            }
            Matcher::Count => {
                rule.count = Some(Count { period_seconds, per: Per::Account, above: None, max: None })
            }
            Matcher::Risk => rule.risk = Some(RiskBand { above: Some(number), max: None }),
        }
        rule
    }

    /// Danger: rules that say different things are asked as one, and a payment passes by the bound of another rule; or a rule
    /// is asked about what it says nothing of, which costs a look for every rule.
    #[test]
    fn what_rules_say_alike_is_asked_once_and_what_they_say_differently_each() {
        for matcher in Matcher::ALL {
            let rules = [
                says(matcher, false),
                says(matcher, true),
                Rule::new("says nothing", Action::Deny),
                says(matcher, false),
            ];
            let alike = |first, others: &[usize]| Alike { matcher, first, others: others.to_vec() };
            assert_eq!(columns(&rules), [alike(0, &[3]), alike(1, &[])], "{matcher:?}");
        }
    }
}
