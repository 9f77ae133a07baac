//! What policy says of a payment or a move: what all rules that match ask for; no match denies.

use crate::model::config::Treasury;
use crate::model::intent::{Asker, Intent};
use crate::model::policy::{
    Decision, DecisionInputs, DestinationMatch, NO_MATCH, Obligations, Rolling, Rule,
};
use crate::model::proposal::{Proposal, Status};
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset, ProposalId, RippleTime};

/// Decides about a payment or a move.
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
    let amount = intent.amount();
    let above = |least: Option<Amount>, amount: Amount| least.is_none_or(|least| amount > least);
    let within = |most: Option<Amount>, amount: Amount| most.is_none_or(|most| amount <= most);
    let banded = |rule: &Rule| match amount {
        Some(amount) => {
            above(rule.amount_above, amount)
                && rule.amount_min.is_none_or(|least| amount >= least)
                && within(rule.amount_max, amount)
        }
        None => rule.amount_above.or(rule.amount_min).or(rule.amount_max).is_none(),
    };
    let received = |rule: &Rule| match &rule.destination {
        None => true,
        Some(DestinationMatch::Treasury) => treasury,
        Some(DestinationMatch::Known) => known,
        Some(DestinationMatch::New) => !known,
        Some(DestinationMatch::Accounts(accounts)) => {
            intent.destination().is_some_and(|to| accounts.contains(&to))
        }
    };
    let mut rolled = |rolling: Rolling| {
        let Some(amount) = amount else { return false };
        let other = |bound: Option<Amount>| bound.is_some_and(|bound| bound.issue() != amount.issue());
        if other(rolling.amount_above) || other(rolling.amount_max) {
            return false;
        }
        let mut out = outflow(state, account, amount.issue(), at, rolling.period_seconds, without);
        let since = at.0.saturating_sub(rolling.period_seconds);
        if let Some((_, own)) = paid.filter(|(when, _)| when.0 >= since) {
            out = out.less(&own).unwrap_or(out);
        }
        if !inputs.outflows.contains(&(rolling.period_seconds, out)) {
            inputs.outflows.push((rolling.period_seconds, out));
        }
        match out.checked_add(&amount) {
            Some(sum) => above(rolling.amount_above, sum) && within(rolling.amount_max, sum),
            // More than there is.
            None => rolling.amount_max.is_none(),
        }
    };
    let matching: Vec<&Rule> = config
        .policy
        .rules()
        .iter()
        .filter(|rule| {
            rule.askers.as_ref().is_none_or(|askers| askers.contains(asker))
                && rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(&account))
                && rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&intent.kind()))
                && banded(rule)
                && received(rule)
                && rule.rolling.is_none_or(&mut rolled)
        })
        .collect();
    let (rules, obligations) = if matching.is_empty() {
        (vec![NO_MATCH.to_owned()], Obligations::denial())
    } else {
        let names = matching.iter().map(|rule| rule.name.clone()).collect();
        let void = matching.iter().any(|rule| rule.void);
        (names, Obligations { void, ..Obligations::of(matching.iter().map(|rule| &rule.action)) })
    };
    Decision { rules, policy_hash: config.policy.hash(), obligations, inputs }
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
        Status::Validated(outcome) => {
            let at = outcome.at.close_time;
            let seen = |amount: Amount| as_far_as_seen(state, &proposal.account, amount, at);
            proposal.intent.amount().and_then(seen).map(|paid| (at, paid))
        }
        _ => None,
    };
    let asked = Asked { account: proposal.account, asker: &proposal.asker, intent: &proposal.intent };
    decide_without(config, state, asked, state.now(), Some(proposal.id), paid)
}

/// As much of a payment as the book has of the ledger in which it left: nothing, where its escrow was known only after that.
fn as_far_as_seen(state: &State, account: &AccountId, paid: Amount, at: RippleTime) -> Option<Amount> {
    let moved = |since: RippleTime| state.book.moved(account, paid.issue(), since);
    let then = moved(at).less(&moved(RippleTime(at.0.saturating_add(1))))?;
    Some(if then < paid { then } else { paid })
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
