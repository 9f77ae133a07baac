//! What policy says of a payment or a move: the first rule that matches decides, no match denies.

use crate::model::config::Treasury;
use crate::model::intent::{Asker, Intent};
use crate::model::policy::{Action, Approvers, Decision, DecisionInputs, DestinationMatch, NO_MATCH};
use crate::model::proposal::{Proposal, Status};
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset, ProposalId, RippleTime};

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
    decide_without(config, state, Asked { account, asker, intent }, at, None, None)
}

/// What is asked about.
struct Asked<'a> {
    account: AccountId,
    asker: &'a Asker,
    intent: &'a Intent,
}

fn decide_without(
    config: &Treasury,
    state: &State,
    Asked { account, asker, intent }: Asked<'_>,
    at: RippleTime,
    without: Option<ProposalId>,
    paid: Option<(RippleTime, Amount)>,
) -> Decision {
    let treasury = intent.destination().is_some_and(|to| config.accounts.contains_key(&to));
    let known = treasury || intent.destination().is_some_and(|to| config.destinations.contains_key(&to));
    let mut inputs = DecisionInputs { destination_known: known, outflows: Vec::new(), at };
    let moves = intent.amount();
    let matching = config.policy.rules().iter().find(|rule| {
        let plain = rule.askers.as_ref().is_none_or(|askers| askers.contains(asker))
            && rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(&account))
            && rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&intent.kind()))
            && rule.amount_min.is_none_or(|least| moves.is_some_and(|amount| amount >= least))
            && rule.amount_max.is_none_or(|most| moves.is_some_and(|amount| amount <= most))
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
                let Some(amount) = moves else { return false };
                let mut out = outflow(state, account, amount.issue(), at, rolling.period_seconds, without);
                let since = at.0.saturating_sub(rolling.period_seconds);
                if let Some((_, own)) = paid.filter(|(when, _)| when.0 >= since) {
                    out = out.less(&own).unwrap_or(out);
                }
                inputs.outflows.push((rolling.period_seconds, out));
                out.checked_add(&amount).is_some_and(|sum| sum <= rolling.amount_max)
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

/// What of an asset has left the account within the last `period_seconds`, whoever made it leave, and what may still leave it by
/// proposals, this one aside. A proposal that ended without effect does not count once its slot is free.
#[must_use]
pub fn outflow(
    state: &State,
    account: AccountId,
    asset: Asset,
    now: RippleTime,
    period_seconds: u32,
    without: Option<ProposalId>,
) -> Amount {
    let since = RippleTime(now.0.saturating_sub(period_seconds));
    let moved = state.book.moved(&account, asset, since);
    moved.checked_add(&state.book.leaving(&account, asset, without)).unwrap_or(asset.most())
}

/// Asks policy again about a payment that is in an escrow of the daemon's own: its money has left the account already,
/// and counts once.
#[must_use]
pub fn again_in_escrow(config: &Treasury, state: &State, proposal: &Proposal) -> Decision {
    let paid = match &proposal.status {
        Status::Validated(outcome) => proposal.intent.amount().map(|paid| (outcome.at.close_time, paid)),
        _ => None,
    };
    let asked = Asked { account: proposal.account, asker: &proposal.asker, intent: &proposal.intent };
    decide_without(config, state, asked, state.now(), Some(proposal.id), paid)
}

/// Asks policy again about a proposal: what it says now, of the same payment.
#[must_use]
pub fn again(config: &Treasury, state: &State, proposal: &Proposal) -> Decision {
    decide_without(
        config,
        state,
        Asked { account: proposal.account, asker: &proposal.asker, intent: &proposal.intent },
        state.now(),
        Some(proposal.id),
        None,
    )
}

/// Whether one answer asks for more than another.
#[must_use]
pub fn is_stricter(now: &Action, before: &Action) -> bool {
    match (now, before) {
        (Action::Deny, before) => *before != Action::Deny,
        (Action::Allow, _) | (_, Action::Deny) => false,
        (Action::Delay { .. }, Action::Allow | Action::Approve(_)) => true,
        (
            Action::Delay { delay_seconds, window_seconds: _, approvers },
            Action::Delay { delay_seconds: had_delay, window_seconds: _, approvers: had },
        ) => delay_seconds > had_delay || asks_more(approvers, had),
        (Action::Approve(_), Action::Allow) => true,
        (Action::Approve(approvers), Action::Approve(had) | Action::Delay { approvers: had, .. }) => {
            asks_more(approvers, had)
        }
    }
}

/// More weight, or people of fewer roles.
fn asks_more(now: &Approvers, before: &Approvers) -> bool {
    now.weight > before.weight || !now.roles.is_superset(&before.roles)
}
