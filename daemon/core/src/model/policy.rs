//! The policy table: what every rule that matches asks for holds, the strictest of each; no match denies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xrpl_wire::sha512_half;

use crate::model::address_book::Confirmation;
use crate::model::columns::{Alike, columns};
use crate::model::list::List;
pub use crate::model::matchers::{Count, PaidFor, Per, Rolling, Times, Weekday, Zone};
pub use crate::model::risk::{Assessment, Risk, RiskBand, SCORE_MAX, Seen, Sign, Unusual, Velocity};
use crate::model::role::{Role, Tier};
pub use crate::model::rule::{Action, Approvers, DestinationMatch, Rule, Told};
use crate::model::units::{Amount, Hash256, RippleTime};

/// The rules, and the hash that names this version of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
    columns: Arc<[Alike]>,
    lists: Arc<BTreeMap<String, List>>,
    risk: Arc<Risk>,
    hash: Hash256,
    shadow: Option<Arc<Policy>>,
    activation: Option<Approvers>,
    confirmation: Option<Confirmation>,
}

/// How rules are read: what was decided while the same words meant something else is asked about again.
const MEANING: &[u8] = b"treasuryd policy: all rules that match";

/// How the signs of risk join the hash.
const RISK: &[u8] = b"treasuryd policy: signs of risk";

/// How a list joins the hash.
const LISTS: &[u8] = b"treasuryd policy: a list of destinations";

impl Policy {
    /// A policy of these rules. The hash covers every word of them, so a decision can name the version
    /// it was made under.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        // Serialization of these plain types to a JSON value cannot fail; were it ever to, the hash
        // would be that of the text "null" and decisions unaffected.
        let text = serde_json::to_value(&rules).unwrap_or_default().to_string();
        let hash = sha512_half(&[MEANING, text.as_bytes()]);
        Self {
            columns: columns(&rules).into(),
            rules,
            lists: Arc::default(),
            risk: Arc::default(),
            hash,
            shadow: None,
            activation: None,
            confirmation: None,
        }
    }

    /// The same with lists of destinations. The hash covers what is on them, so that what was decided before somebody came
    /// to stand on one is asked about again; without any it is that of the rules.
    #[must_use]
    pub fn with_lists(mut self, lists: impl IntoIterator<Item = List>) -> Self {
        self.lists = Arc::new(lists.into_iter().map(|list| (list.name().to_owned(), list)).collect());
        for list in self.lists.values() {
            let name = sha512_half(&[list.name().as_bytes()]);
            self.hash = sha512_half(&[LISTS, &self.hash.0, &name.0, &list.hash().0]);
        }
        self
    }

    /// The same with these signs of risk. The hash covers them; without any it is that of the rules and lists.
    #[must_use]
    pub fn with_risk(mut self, risk: Risk) -> Self {
        if risk != Risk::default() {
            // Plain types, as the rules are.
            let text = serde_json::to_value(&risk).unwrap_or_default().to_string();
            self.hash = sha512_half(&[RISK, &self.hash.0, text.as_bytes()]);
        }
        self.risk = Arc::new(risk);
        self
    }

    /// The same with a second policy that decides beside it. The hash names what is in force, and says nothing of that one.
    #[must_use]
    pub fn with_shadow(self, shadow: Option<Self>) -> Self {
        Self { shadow: shadow.map(Arc::new), ..self }
    }

    /// The same where so many of these people put another in its place. The hash of what decides says nothing of that.
    #[must_use]
    pub fn with_activation(self, activation: Option<Approvers>) -> Self {
        Self { activation, ..self }
    }

    /// Who puts another in its place; `None`: whoever changes the configuration.
    #[must_use]
    pub fn activation(&self) -> Option<&Approvers> {
        self.activation.as_ref()
    }

    /// The same where people confirm whom the address book makes known. The hash says nothing of that: who is known is among
    /// what is looked at.
    #[must_use]
    pub fn with_confirmation(self, confirmation: Option<Confirmation>) -> Self {
        Self { confirmation, ..self }
    }

    /// What makes an entry of the address book known; `None`: that it is configured.
    #[must_use]
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// The policy that decides beside it, and of which nothing follows.
    #[must_use]
    pub fn shadow(&self) -> Option<&Self> {
        self.shadow.as_deref()
    }

    /// What makes a payment look unusual.
    #[must_use]
    pub fn risk(&self) -> &Risk {
        &self.risk
    }

    /// The lists, by name.
    #[must_use]
    pub fn lists(&self) -> &BTreeMap<String, List> {
        &self.lists
    }

    /// The rules, in the order in which they are written.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The same by what they match by.
    #[must_use]
    pub fn columns(&self) -> &[Alike] {
        &self.columns
    }

    /// The lists of which a rule, or a sign of risk, asks who is on them.
    #[must_use]
    pub fn lists_asked_about(&self) -> BTreeSet<String> {
        let of_rules = self.rules.iter().flat_map(|rule| rule.listed.iter().chain(&rule.unlisted)).flatten();
        of_rules.chain(self.risk.listed.iter().flat_map(|(_, lists)| lists)).cloned().collect()
    }

    /// Whether a rule asks who is on this list, or it is a sign of risk, of which findings are made.
    #[must_use]
    pub fn asks_about(&self, list: &str) -> bool {
        let names =
            |lists: &Option<BTreeSet<String>>| lists.as_ref().is_some_and(|lists| lists.contains(list));
        let weighs = self.risk.listed.as_ref().is_some_and(|(_, lists)| lists.contains(list));
        weighs || self.rules.iter().any(|rule| names(&rule.listed) || names(&rule.unlisted))
    }

    /// Names this version of the policy.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        self.hash
    }
}

/// How long an escrow waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// From the deadline to FinishAfter, in seconds.
    pub delay_seconds: u32,
    /// From FinishAfter to CancelAfter, in seconds.
    pub window_seconds: u32,
}

/// What has to be so before something leaves. Nothing asked for: the daemon's agents sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligations {
    /// It does not leave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deny: bool,
    /// People sign, each of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approvers>,
    /// Through an escrow that can be held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
    /// Whoever signs it signs a second transaction with it, which does nothing but use up the same Ticket. With that, what
    /// is signed already can be made worthless.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
    /// People are told of it when it is proposed. Nothing is asked for by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

impl Obligations {
    /// What several rules ask for together: the strictest of each.
    #[must_use]
    pub fn of<'a>(actions: impl IntoIterator<Item = &'a Action>) -> Self {
        let mut all = Self::default();
        for action in actions {
            match action {
                Action::Allow => {}
                Action::Approve(approvers) => all.ask(approvers),
                Action::Delay { delay_seconds, window_seconds, approvers } => {
                    all.ask(approvers);
                    all.wait(Delay { delay_seconds: *delay_seconds, window_seconds: *window_seconds });
                }
                Action::Deny => all.deny = true,
                Action::Notify(told) => all.tell(told),
            }
        }
        all
    }

    /// What both ask for: the strictest of each.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let (deny, void) = (self.deny || other.deny, self.void || other.void);
        let mut all = Self { deny, void, ..self.clone() };
        other.approvals.iter().for_each(|approvers| all.ask(approvers));
        if let Some(delay) = other.delay {
            all.wait(delay);
        }
        if let Some(told) = &other.told {
            all.tell(told);
        }
        all
    }

    fn tell(&mut self, told: &Told) {
        self.told.get_or_insert_default().join(told);
    }

    fn wait(&mut self, delay: Delay) {
        let known = self.delay.unwrap_or(Delay { delay_seconds: 0, window_seconds: 0 });
        self.delay = Some(Delay {
            delay_seconds: known.delay_seconds.max(delay.delay_seconds),
            window_seconds: known.window_seconds.max(delay.window_seconds),
        });
    }

    /// Who satisfies one has satisfied all that is within it.
    fn ask(&mut self, approvers: &Approvers) {
        if self.approvals.iter().any(|known| approvers.is_within(known)) {
            return;
        }
        self.approvals.retain(|known| !known.is_within(approvers));
        self.approvals.push(approvers.clone());
    }

    /// Whether the daemon's agents may sign it, without anybody.
    #[must_use]
    pub fn agents_sign(&self) -> bool {
        !self.deny && self.approvals.is_empty() && self.delay.is_none()
    }

    /// Whether something is asked for here that was not before. A void is not: what was sealed without one can leave
    /// all the same.
    #[must_use]
    pub fn is_stricter_than(&self, before: &Self) -> bool {
        if before.deny || self.deny {
            return self.deny && !before.deny;
        }
        let longer = match (self.delay, before.delay) {
            (Some(now), Some(had)) => now.delay_seconds > had.delay_seconds,
            (now, None) => now.is_some(),
            (None, Some(_)) => false,
        };
        longer || self.approvals.iter().any(|now| !before.approvals.iter().any(|had| now.is_within(had)))
    }

    /// The word for the strictest of them, for lists and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self { deny: true, .. } => "deny",
            Self { delay: Some(_), .. } => "delay",
            Self { approvals, .. } if !approvals.is_empty() => "approve",
            _ => "allow",
        }
    }
}

/// What was decided, on what grounds. Stored with the proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredDecision")]
pub struct Decision {
    /// The rules that matched; `no match` or a built-in's name where none of the table did, and beside those that only tell
    /// people.
    pub rules: Vec<String>,
    /// The policy it was made under.
    pub policy_hash: Hash256,
    /// What follows.
    pub obligations: Obligations,
    /// What the rules looked at.
    pub inputs: DecisionInputs,
    /// What a second policy said beside it, where there was one. Nothing follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadowed>,
}

impl Decision {
    /// The names of the rules, in one text.
    #[must_use]
    pub fn rule(&self) -> String {
        self.rules.join(", ")
    }
}

/// What a second policy says of a payment. Stored with the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadowed {
    /// Which.
    pub policy_hash: Hash256,
    /// What it would have asked for, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Would>,
}

/// Something else than what was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Would {
    /// The rules that matched.
    pub rules: Vec<String>,
    /// What they ask for.
    pub obligations: Obligations,
}

/// In which way another decision differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It asks for more.
    Stricter,
    /// It asks for less.
    Laxer,
    /// It asks for more of one thing and less of another, or tells others.
    Otherwise,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stricter, Self::Laxer, Self::Otherwise];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stricter => "stricter",
            Self::Laxer => "laxer",
            Self::Otherwise => "otherwise",
        }
    }

    /// How what would have been asked for differs from what was.
    #[must_use]
    pub fn of(would: &Obligations, was: &Obligations) -> Self {
        match (would.is_stricter_than(was), was.is_stricter_than(would)) {
            (true, false) => Self::Stricter,
            (false, true) => Self::Laxer,
            _ => Self::Otherwise,
        }
    }
}

/// A decision as records have it: those of earlier versions name the one rule that decided, and its action.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDecision {
    rule: Option<String>,
    rules: Option<Vec<String>>,
    policy_hash: Hash256,
    action: Option<Action>,
    obligations: Option<Obligations>,
    inputs: DecisionInputs,
    shadow: Option<Shadowed>,
}

impl TryFrom<StoredDecision> for Decision {
    type Error = &'static str;

    fn try_from(stored: StoredDecision) -> Result<Self, Self::Error> {
        let (rules, obligations) = match (stored.rules, stored.obligations, stored.rule, stored.action) {
            (Some(rules), Some(obligations), None, None) => (rules, obligations),
            (None, None, Some(rule), Some(action)) => (vec![rule], Obligations::of([&action])),
            _ => {
                return Err(
                    "a decision has rules and obligations, or in records of earlier versions a rule and an action",
                );
            }
        };
        Ok(Self {
            rules,
            policy_hash: stored.policy_hash,
            obligations,
            inputs: stored.inputs,
            shadow: stored.shadow,
        })
    }
}

/// What the rules looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionInputs {
    /// Whether the destination was in the address book or the treasury's own.
    pub destination_known: bool,
    /// What had left, per rolling period that a rule asked about, of the payment's asset; and how many payments there
    /// had been.
    pub outflows: Vec<Outflow>,
    /// How unusual the payment looked, where a rule asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Assessment>,
    /// Ledger time of the decision.
    pub at: RippleTime,
    /// How those whom it concerned were declared; `None` where no rule of the table was asked, and in records of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<DeclaredAs>,
}

/// How those whom a decision concerns are declared, as far as rules look at that beside the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredAs {
    /// Whether the destination is one of the treasury's own accounts.
    pub own_destination: bool,
    /// The tier of the account that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The roles of who asks.
    pub asker_roles: BTreeSet<Role>,
}

/// What had left before a decision, or may still leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outflow {
    /// From the account: seconds, and how much.
    Account(u32, Amount),
    /// By payments to the destination, of the asker, or of the asset.
    Sum {
        /// Of which.
        per: Per,
        /// Length of the period.
        period_seconds: u32,
        /// How much.
        sum: Amount,
    },
    /// Payments.
    Count {
        /// Of which.
        per: Per,
        /// Length of the period.
        period_seconds: u32,
        /// How many.
        count: u32,
    },
}

/// Why something is denied that rules delay and that is not of XRP: the daemon's escrows hold nothing else.
pub const NO_ESCROW: &str =
    "the rules ask for a delay, and nothing but XRP waits in an escrow; it is not paid without the delay";

/// Name of the decision where no rule matches.
pub const NO_MATCH: &str = "no match";
