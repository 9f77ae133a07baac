//! The policy table: ordered rules, the first match decides, no match denies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xrpl_wire::sha512_half;

use crate::config::{Role, Treasury};
use crate::intent::{Asker, Intent, IntentKind};
use crate::proposal::Status;
use crate::state::State;
use crate::units::{AccountId, Drops, Hash256, RippleTime, Weight};

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
    /// Amounts from here, in drops.
    pub amount_min: Option<Drops>,
    /// Amounts up to and including here, in drops.
    pub amount_max: Option<Drops>,
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
    /// The most that may leave the account within it, this payment included, in drops.
    pub amount_max: Drops,
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

/// Who must sign, beyond the ledger's own SignerQuorum, which always holds too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// Sum of SignerWeights of people who have one of the roles.
    pub weight: Weight,
    /// The roles that count.
    pub roles: BTreeSet<Role>,
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
    /// What had left the account, per rolling period that a rule asked about: seconds, drops.
    pub outflows: Vec<(u32, Drops)>,
    /// Ledger time of the decision.
    pub at: RippleTime,
}

/// Name of the decision where no rule matches.
pub const NO_MATCH: &str = "no match";

/// Decides about a payment or a move: the first rule that matches, or a denial.
#[must_use]
pub fn decide(
    config: &Treasury,
    state: &State,
    account: AccountId,
    asker: &Asker,
    intent: &Intent,
    at: RippleTime,
) -> Decision {
    let treasury = intent.destination().is_some_and(|to| config.accounts.contains_key(&to));
    let known = treasury || intent.destination().is_some_and(|to| config.destinations.contains_key(&to));
    let mut inputs = DecisionInputs { destination_known: known, outflows: Vec::new(), at };
    let amount = intent.amount();
    let matching = config.policy.rules.iter().find(|rule| {
        let plain = rule.askers.as_ref().is_none_or(|askers| askers.contains(asker))
            && rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(&account))
            && rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&intent.kind()))
            && rule.amount_min.is_none_or(|least| amount >= least)
            && rule.amount_max.is_none_or(|most| amount <= most)
            && match &rule.destination {
                None => true,
                Some(DestinationMatch::Treasury) => treasury,
                Some(DestinationMatch::Known) => known,
                Some(DestinationMatch::New) => !known,
                Some(DestinationMatch::Accounts(accounts)) => {
                    intent.destination().is_some_and(|to| accounts.contains(&to))
                }
            };
        plain
            && rule.rolling.is_none_or(|rolling| {
                let out = outflow(state, account, at, rolling.period_seconds);
                inputs.outflows.push((rolling.period_seconds, out));
                out.checked_add(amount).is_some_and(|sum| sum <= rolling.amount_max)
            })
    });
    match matching {
        Some(rule) => Decision {
            rule: rule.name.clone(),
            policy_hash: config.policy.hash,
            action: rule.action.clone(),
            inputs,
        },
        None => Decision {
            rule: NO_MATCH.to_owned(),
            policy_hash: config.policy.hash,
            action: Action::Deny,
            inputs,
        },
    }
}

/// What has left the account within the last `period_seconds`, and what open proposals may still take
/// out of it. A proposal that ended without effect does not count once its slot is free.
#[must_use]
pub fn outflow(state: &State, account: AccountId, now: RippleTime, period_seconds: u32) -> Drops {
    let since = now.0.saturating_sub(period_seconds);
    // Nothing drafted this long before the period can have ended within it.
    let oldest = since.saturating_sub(DRAFT_LIFE_MAX_SECONDS);
    let of_account = state.by_account.get(&account).into_iter().flatten().rev();
    of_account
        .filter_map(|id| state.proposals.get(id))
        .take_while(|proposal| proposal.drafted.close_time.0 >= oldest)
        .filter(|proposal| match &proposal.status {
            Status::Validated(outcome) => outcome.at.close_time.0 >= since,
            // Taken back or not: what still holds its slot may still be sent by whoever has signatures.
            status => !status.is_final() || state.holds_slot(proposal),
        })
        .map(|proposal| proposal.intent.amount())
        .fold(Drops::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Drops::MAX))
}

/// Deadlines are at most a week by default and LastLedgerSequence follows them; a month leaves room for
/// a network that stood still meanwhile.
pub(crate) const DRAFT_LIFE_MAX_SECONDS: u32 = 31 * 86_400;
