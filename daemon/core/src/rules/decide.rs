//! What policy says of a payment or a move: the first rule that matches decides, no match denies.

use crate::model::config::Treasury;
use crate::model::intent::{Asker, Intent};
use crate::model::policy::{Action, Decision, DecisionInputs, DestinationMatch, NO_MATCH};
use crate::model::proposal::Status;
use crate::model::state::State;
use crate::model::units::{AccountId, Drops, RippleTime};

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
    let matching = config.policy.rules().iter().find(|rule| {
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
            policy_hash: config.policy.hash(),
            action: rule.action.clone(),
            inputs,
        },
        None => Decision {
            rule: NO_MATCH.to_owned(),
            policy_hash: config.policy.hash(),
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
