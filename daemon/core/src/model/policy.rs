//! The policy table: ordered rules, the first match decides, no match denies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xrpl_wire::sha512_half;

use crate::model::intent::{Asker, IntentKind};
use crate::model::role::Role;
use crate::model::units::{AccountId, Amount, Hash256, RippleTime, Weight};

/// The rules in order, and the hash that names this version of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
    hash: Hash256,
}

impl Policy {
    /// A policy of these rules. The hash covers every word of them, so a decision can name the version
    /// it was made under.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        // Serialization of these plain types to a JSON value cannot fail; were it ever to, the hash
        // would be that of the text "null" and decisions unaffected.
        let text = serde_json::to_value(&rules).unwrap_or_default().to_string();
        Self { hash: sha512_half(&[b"treasuryd policy", text.as_bytes()]), rules }
    }

    /// The rules in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Names this version of the policy.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        self.hash
    }
}

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
    /// Who receives.
    pub destination: Option<DestinationMatch>,
    /// Amounts from here; matches only what is of the same asset.
    pub amount_min: Option<Amount>,
    /// Amounts up to and including here; matches only what is of the same asset.
    pub amount_max: Option<Amount>,
    /// Matches only while the account's outflow stays within this.
    pub rolling: Option<Rolling>,
    /// What follows.
    pub action: Action,
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

/// A rolling sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling {
    /// Length of the period, in seconds of ledger time.
    pub period_seconds: u32,
    /// The most of its asset that may leave the account within it, this payment included; matches only what is of the same
    /// asset.
    pub amount_max: Amount,
}

/// What a rule answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Agents sign; people need not.
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
}

impl Action {
    /// Who must sign, where the rule asks for anybody.
    #[must_use]
    pub fn approvers(&self) -> Option<&Approvers> {
        match self {
            Self::Approve(approvers) | Self::Delay { approvers, .. } => Some(approvers),
            Self::Allow | Self::Deny => None,
        }
    }
}

/// Who must sign, beyond the ledger's own SignerQuorum, which always holds too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// Sum of SignerWeights of people who have one of the roles.
    pub weight: Weight,
    /// The roles that count.
    pub roles: BTreeSet<Role>,
    /// Whether the signature of the person who asks does not count here; towards the SignerQuorum it does. Decisions
    /// of earlier versions counted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclude_asker: bool,
}

/// What was decided, on what grounds. Stored with the proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The rule that matched; `no match` or a built-in's name where no rule of the table did.
    pub rule: String,
    /// The policy it was made under.
    pub policy_hash: Hash256,
    /// What follows.
    pub action: Action,
    /// What the rules looked at.
    pub inputs: DecisionInputs,
}

/// What the rules looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionInputs {
    /// Whether the destination was in the address book or the treasury's own.
    pub destination_known: bool,
    /// What had left the account, per rolling period that a rule asked about: seconds, and how much of the payment's asset.
    pub outflows: Vec<(u32, Amount)>,
    /// Ledger time of the decision.
    pub at: RippleTime,
}

/// Name of the decision where no rule matches.
pub const NO_MATCH: &str = "no match";
