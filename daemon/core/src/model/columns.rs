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
    pub const ALL: [Self; 17] = [
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
