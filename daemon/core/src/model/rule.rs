//! A rule of the policy table: what it matches by, and what follows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::intent::{Asker, IntentKind};
use crate::model::matchers::{Count, PaidFor, Rolling, Times};
use crate::model::risk::RiskBand;
use crate::model::role::{Role, Tier};
use crate::model::units::{AccountId, Amount, Asset, Weight};

/// One rule. A matcher that is `None` matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique name; decisions quote it.
    pub name: String,
    /// Who asks: `daemon`, or people by name.
    pub askers: Option<Vec<Asker>>,
    /// The paying accounts.
    pub accounts: Option<Vec<AccountId>>,
    /// What is asked for.
    pub kinds: Option<Vec<IntentKind>>,
    /// What is paid: one of these assets. Where nothing is said, see [`Rule::covers`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assets: Option<BTreeSet<Asset>>,
    /// Who receives.
    pub destination: Option<DestinationMatch>,
    /// Amounts above this; matches only what is of the same asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_above: Option<Amount>,
    /// Amounts from here; matches only what is of the same asset.
    pub amount_min: Option<Amount>,
    /// Amounts up to and including here; matches only what is of the same asset.
    pub amount_max: Option<Amount>,
    /// Matches only where the sum of what leaves is within these bounds.
    pub rolling: Option<Rolling>,
    /// Whether whoever signs what it matches signs its void as well: see `Obligations::void`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
    /// People with one of these roles ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker_roles: Option<BTreeSet<Role>>,
    /// The paying account is of one of these tiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<BTreeSet<Tier>>,
    /// The destination is on one of these lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<BTreeSet<String>>,
    /// The destination is on none of these lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<BTreeSet<String>>,
    /// For how long the destination has been paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_for: Option<PaidFor>,
    /// How many payments there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
    /// When it is decided on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<Times>,
    /// When it is not decided on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Times>,
    /// How unusual the payment looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskBand>,
    /// What follows.
    pub action: Action,
}

impl Rule {
    /// A rule that matches everything.
    #[must_use]
    pub fn new(name: impl Into<String>, action: Action) -> Self {
        Self {
            name: name.into(),
            askers: None,
            accounts: None,
            kinds: None,
            assets: None,
            destination: None,
            amount_above: None,
            amount_min: None,
            amount_max: None,
            rolling: None,
            void: false,
            asker_roles: None,
            tiers: None,
            listed: None,
            unlisted: None,
            paid_for: None,
            count: None,
            during: None,
            outside: None,
            risk: None,
            action,
        }
    }

    /// The bounds that it names, each of an asset.
    pub fn bounds(&self) -> impl Iterator<Item = Amount> + '_ {
        let rolling = self.rolling.iter().flat_map(|rolling| [rolling.amount_above, rolling.amount_max]);
        [self.amount_above, self.amount_min, self.amount_max].into_iter().chain(rolling).flatten()
    }

    /// Whether it is for XRP alone because it lets something leave without people and names no asset: what nobody thought of
    /// when it was written does not leave by it.
    #[must_use]
    pub fn is_for_xrp_alone(&self) -> bool {
        self.action == Action::Allow && self.assets.is_none() && self.bounds().next().is_none()
    }

    /// Whether it can match what is of this asset. Bounds match what is of their own, and are asked by themselves.
    #[must_use]
    pub fn covers(&self, asset: Asset) -> bool {
        self.assets
            .as_ref()
            .map_or(asset.is_xrp() || !self.is_for_xrp_alone(), |assets| assets.contains(&asset))
    }

    /// Whether it says what may leave, and does more than tell people.
    #[must_use]
    pub fn decides(&self) -> bool {
        !matches!(self.action, Action::Notify(_))
    }
}

/// Who receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DestinationMatch {
    /// One of the treasury's own accounts.
    Treasury,
    /// In the address book, or one of the treasury's own.
    Known,
    /// Neither.
    New,
    /// One of these.
    Accounts(Vec<AccountId>),
}

/// What a rule answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It may leave: agents sign, and people need not.
    Allow,
    /// People sign first.
    Approve(Approvers),
    /// People sign, and the money goes through an escrow that can be held back.
    Delay {
        /// From the deadline to FinishAfter, in seconds.
        delay_seconds: u32,
        /// From FinishAfter to CancelAfter, in seconds: the time in which a release can happen.
        window_seconds: u32,
        /// Who must sign.
        approvers: Approvers,
    },
    /// No.
    Deny,
    /// People are told of it, and nothing is asked for: where no other rule matches, it is denied as if none did.
    Notify(Told),
}

/// Who is told of what a rule matches, beside whoever is told of every proposal. Nobody named: whoever reads where notices of
/// that kind go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Whoever has one of these roles then.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// And these people.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<String>,
}

impl Told {
    /// Whom both name.
    pub(crate) fn join(&mut self, other: &Self) {
        self.roles.extend(&other.roles);
        self.people.extend(other.people.iter().cloned());
    }

    /// Who is told, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let roles = self.roles.iter().map(|role| format!("whoever is {}", role.word()));
        let named: Vec<String> = self.people.iter().cloned().chain(roles).collect();
        match named.as_slice() {
            [] => "people are told".to_owned(),
            [one] => format!("{one} is told"),
            several => format!("{} are told", several.join(", ")),
        }
    }
}

/// Who must sign, beyond the ledger's own SignerQuorum, which always holds too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// Sum of SignerWeights of people who count.
    pub weight: Weight,
    /// How many of them sign at least, whatever their weights.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub signatures: u32,
    /// Who counts has one of these roles. Where none is named, the people are.
    pub roles: BTreeSet<Role>,
    /// Who counts is one of these people; where none is named, anybody with one of the roles.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<String>,
    /// Whether the signature of the person who asks does not count here; towards the SignerQuorum it does. Decisions
    /// of earlier versions counted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclude_asker: bool,
}

impl Approvers {
    /// Whose signatures count, in words.
    #[must_use]
    pub fn who(&self) -> String {
        let roles = self.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" or ");
        let people = self.people.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
        match (roles.is_empty(), people.is_empty()) {
            (false, false) => format!("{people}, as {roles},"),
            (false, true) => roles,
            (true, _) => people,
        }
    }

    /// How many of whom, in words.
    #[must_use]
    pub fn so_many(&self) -> String {
        format!("{} of {}", self.signatures, self.who())
    }

    /// What is asked for, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let others = if self.exclude_asker { ", the asker aside" } else { "" };
        let (weight, count, who) = (self.weight, self.signatures, self.who());
        let signs = if count == 1 { "signs" } else { "sign" };
        match (weight, count) {
            (Weight(0), count) => format!("{count} of {who} {signs}{others}"),
            (weight, 0) => format!("{who} of weight {weight} sign{others}"),
            (weight, count) => format!("{count} of {who} with weight {weight} {signs}{others}"),
        }
    }

    /// Whether whoever satisfies the other has satisfied this as well.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        // Fewer count there, or the same: no name or no role at all is no narrower than some.
        let roles = self.roles.is_empty() || !other.roles.is_empty() && other.roles.is_subset(&self.roles);
        let people =
            self.people.is_empty() || !other.people.is_empty() && other.people.is_subset(&self.people);
        roles
            && people
            && other.weight >= self.weight
            && other.signatures >= self.signatures
            && (other.exclude_asker || !self.exclude_asker)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
