//! What is asked about a policy, and the answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AcknowledgedView, AmountView, DecisionView, PartyView, RiskView};

/// `POST /v1/policy/check`: look at a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// A table in TOML, `[[rule]]` and `[[list]]`; the one that decides where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// What is wrong with a table, and what is right and hardly meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCheckView {
    /// Errors: the daemon would refuse the table.
    pub problems: Vec<RemarkView>,
    /// What is dangerous, without effect or left to the default denial.
    pub warnings: Vec<RemarkView>,
    /// How many rules there are; 0 where there are errors.
    pub rules: usize,
    /// What would name this policy; `null` where there are errors.
    pub policy_hash: Option<String>,
    /// Its lists, by name.
    pub lists: BTreeMap<String, ListView>,
    /// Every rule in words, in the order of the table.
    #[serde(default)]
    pub table: Vec<RuleTextView>,
    /// What the table is called where people put it in force: its rules, signs of risk, and who activates the next, without
    /// who is on lists. `null` where there are errors.
    #[serde(default)]
    pub table_hash: Option<String>,
    /// Which table is in force and which waits, where people decide that (`[activation]`) and none was asked about.
    #[serde(default)]
    pub activation: Option<ActivationView>,
}

/// Which table is in force and which waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationView {
    /// The table in force.
    pub policy: String,
    /// Since when, by the ledger.
    pub since: Option<String>,
    /// Who put it in force, and why; nobody where it was configured when people came to decide that.
    pub by: Vec<AcknowledgedView>,
    /// How many people it takes to put another in its place.
    pub wants: u32,
    /// Of whom, in words.
    pub who: String,
    /// Who counts now, by name.
    pub people: Vec<String>,
    /// The table that waits.
    pub candidate: Option<CandidateView>,
}

/// A table that waits to be put in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// Names it: what `POST /v1/policy/activate` takes.
    pub policy: String,
    /// Since when, by the ledger.
    pub since: Option<String>,
    /// Who wants it in force, and why.
    pub endorsed: Vec<AcknowledgedView>,
    /// In what it differs from the one in force.
    pub differs: Vec<String>,
    /// Every rule in words.
    pub table: Vec<RuleTextView>,
}

/// `POST /v1/policy/activate`: put the table in force that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivateRequest {
    /// Its hash.
    pub policy: String,
    /// Why, for people.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivatedView {
    /// Whether you had not said so before.
    pub changed: bool,
    /// Whether it is in force now.
    pub in_force: bool,
    /// How many want it who count.
    pub has: u32,
    /// How many it takes.
    pub wants: u32,
}

impl ActivatedView {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        if self.in_force {
            return "it is in force".to_owned();
        }
        let said = if self.changed { "" } else { "you have said so already; " };
        format!("{said}{} of {} want it in force", self.has, self.wants)
    }
}

/// A rule in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTextView {
    /// Its name.
    pub rule: String,
    /// `allow`, `approve`, `delay` or `deny`.
    pub action: String,
    /// What it asks for: all of it must be so. Nothing: it matches everything.
    pub asks: Vec<MissView>,
    /// What follows beside the action.
    pub follows: Vec<String>,
}

/// Something to say about a place of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemarkView {
    /// Its line, from 1; `null` where it is about no one place.
    pub line: Option<usize>,
    /// The letter of the line, from 1.
    pub column: Option<usize>,
    /// The key or rule.
    pub key: String,
    /// What there is to say.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// A list of destinations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListView {
    /// How many are on it.
    pub entries: usize,
    /// Names what is on it.
    pub hash: String,
    /// When it was made, where it says so.
    pub dated: Option<String>,
    /// Why nobody can say who is on it now: nothing leaves to a new destination.
    pub fault: Option<String>,
}

/// `POST /v1/policy/explain`: what would be said of a payment, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// A table in TOML; the one that decides where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The treasury account that would pay: name or address.
    pub account: String,
    /// Who would be paid: address, or a name from the configuration.
    pub destination: String,
    /// How much.
    pub amount: AmountView,
    /// Who would ask, by name; you where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
}

/// What would be said of a payment now, and of each rule why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainView {
    /// What would be decided.
    pub decision: DecisionView,
    /// How unusual the payment would look, whether a rule asks or not.
    pub risk: RiskView,
    /// Every rule, in the order of the table.
    pub rules: Vec<RuleView>,
}

/// Why a rule would match, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// Its name.
    pub rule: String,
    /// `allow`, `approve`, `delay` or `deny`.
    pub action: String,
    /// Whether it would match.
    pub matches: bool,
    /// What of it does not hold; nothing where it matches.
    pub misses: Vec<MissView>,
}

/// Something that a rule asks for and that is not so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissView {
    /// The key of the rule.
    pub key: String,
    /// What is so, and what the rule is for.
    pub why: String,
}

/// `POST /v1/policy/test`: judge what was proposed by another table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyTestRequest {
    /// The table in TOML.
    pub policy: String,
    /// Only what was proposed then or later: `2026-11-26` or `2026-11-26T08:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What would have been otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTestView {
    /// Payments and moves that were judged.
    pub proposals: u64,
    /// By what was asked and what would have been.
    pub sums: Vec<ChangeSumView>,
    /// Those of which something else would have been asked, newest first; at most 500.
    pub changed: Vec<ChangeView>,
    /// How many older ones were left off.
    pub left_off: usize,
}

/// How many payments of one change, and how much money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSumView {
    /// `allow`, `approve`, `delay` or `deny`: what was asked.
    pub was: String,
    /// What would have been.
    pub would: String,
    /// How many.
    pub count: u64,
    /// How much, of each asset.
    pub amounts: Vec<AmountView>,
}

/// A payment of which something else would have been asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// Its id.
    pub proposal: String,
    /// When it was proposed.
    pub at: String,
    /// How much it was.
    pub amount: AmountView,
    /// What was asked.
    pub was: String,
    /// What would have been.
    pub would: String,
    /// The rules then.
    pub rules_then: String,
    /// The rules that would have matched.
    pub rules: String,
    /// Whether more would have been asked.
    pub stricter: bool,
    /// Whether its money left.
    pub left: bool,
}

/// `POST /v1/policy/prove`: ask whether a table can let something happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveRequest {
    /// A table in TOML; the one that decides where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// `allow` (it leaves without people and without a delay), `at_once` (without a delay), `leave`, `deny` or `no_match`.
    pub outcome: String,
    /// Of payments above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<AmountView>,
    /// To `new`, `known` or `treasury` destinations, or to one, by name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// From this account, by name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Asked for by this person, or by `treasuryd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
    /// To a destination on this list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<String>,
}

/// Whether it can happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveView {
    /// Whether it can.
    pub possible: bool,
    /// A payment to which it happens, in words.
    pub example: Option<String>,
    /// The rules that match it.
    pub rules: Vec<String>,
    /// What they come to: `allow`, `approve`, `delay` or `deny`.
    pub action: Option<String>,
}

/// What the second policy said beside the one in force, since it came to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyShadowView {
    /// Names it; `null` where there is none.
    pub policy_hash: Option<String>,
    /// How many rules it has.
    pub rules: usize,
    /// When it was asked first, by the ledger; `null` where it was asked nothing yet.
    pub since: Option<String>,
    /// About how many payments and moves it was asked.
    pub decided: u64,
    /// Of how many of them it would have asked for more.
    pub stricter: u64,
    /// For less.
    pub laxer: u64,
    /// For more of one thing and less of another, or told others.
    pub otherwise: u64,
    /// The last of these, newest first; at most 200.
    pub differences: Vec<DifferenceView>,
    /// How many older ones there are.
    pub left_off: u64,
}

/// A payment of which the second policy said something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceView {
    /// Which.
    pub proposal: String,
    /// When it was decided on, by the ledger.
    pub at: String,
    /// Who would pay.
    pub account: PartyView,
    /// How much.
    pub amount: Option<AmountView>,
    /// What was decided: `allow`, `approve`, `delay` or `deny`.
    pub was: String,
    /// Under which rules.
    pub rules_then: String,
    /// What would have been.
    pub would: String,
    /// Under which rules.
    pub rules: String,
    /// `stricter`, `laxer` or `otherwise`.
    pub turn: String,
}
