//! What a payment would fail for, as far as the proven view tells: said before people sign it, and not after.

use crate::model::intent::{Intent, Movement};
use crate::model::proposal::Proposal;
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Drops};
use crate::model::wait::Wait;

/// `lsfRequireDestTag`: a payment without a `DestinationTag` fails with `tecDST_TAG_NEEDED`.
const LSF_REQUIRE_DEST_TAG: u32 = 0x0002_0000;

/// Accounts that nobody has a key of: ACCOUNT_ZERO and ACCOUNT_ONE.
#[must_use]
pub fn is_black_hole(account: &AccountId) -> bool {
    let (last, front) = account.0.split_last().unwrap_or((&0, &[]));
    *last <= 1 && front.iter().all(|byte| *byte == 0)
}

/// What about the recipient would make this payment fail. `None` also where the recipient is not known.
#[must_use]
pub fn recipient(state: &State, to: &AccountId, tag: Option<u32>, amount: Amount) -> Option<Wait> {
    let view = state.accounts.get(to)?;
    let problem = match view.root {
        // Through an escrow, too: EscrowCreate needs its destination (tecNO_DST).
        None if state.fees.is_some_and(|fees| !creates(amount, fees.reserve_base)) => {
            "it is not on the ledger, and so little does not create it"
        }
        Some(root) if root.flags & LSF_REQUIRE_DEST_TAG != 0 && tag.is_none() => {
            "it asks for a DestinationTag, and there is none"
        }
        _ => return None,
    };
    Some(Wait::Recipient(*to, problem))
}

/// What speaks against a payment or move because the ledger would refuse it.
pub(crate) fn doomed(
    state: &State,
    account: &AccountId,
    intent: &Intent,
    proposal: Option<&Proposal>,
) -> Vec<Wait> {
    let Some(payment) = to_others(intent) else { return Vec::new() };
    let delayed = proposal.is_some_and(is_delayed);
    let against = funds(state, account, payment.amount, delayed);
    against.into_iter().chain(of_recipient(state, &payment, delayed)).collect()
}

/// What about the recipient would make this payment fail.
pub(crate) fn for_recipient(state: &State, proposal: &Proposal) -> Option<Wait> {
    of_recipient(state, &to_others(&proposal.intent)?, is_delayed(proposal))
}

/// What goes to somebody else. Between the treasury's own accounts, what is wrong with one of them is seen before a move
/// is planned.
fn to_others(intent: &Intent) -> Option<Movement<'_>> {
    intent.movement().filter(|movement| movement.link.is_none())
}

/// Whether so much creates an account: only XRP does.
fn creates(amount: Amount, reserve: Drops) -> bool {
    amount >= Amount::Xrp(reserve)
}

fn is_delayed(proposal: &Proposal) -> bool {
    proposal.decision.obligations.delay.is_some()
}

fn of_recipient(state: &State, payment: &Movement<'_>, delayed: bool) -> Option<Wait> {
    let to = &payment.destination;
    let missing = delayed && state.accounts.get(to).is_some_and(|view| view.root.is_none());
    if missing {
        return Some(Wait::Recipient(*to, "it is not on the ledger, and an escrow needs one that is"));
    }
    recipient(state, to, payment.destination_tag, payment.amount)
}

/// What the account lacks for a payment: it keeps its reserve, and an escrow adds to that.
fn funds(state: &State, account: &AccountId, amount: Amount, delayed: bool) -> Option<Wait> {
    let holds = state.holding(account, amount.issue())?;
    let (root, fees) = (state.accounts.get(account)?.root?, state.fees?);
    // A Ticket that is used up gives back what an escrow takes.
    let entries = u64::from(root.owner_count.saturating_sub(u32::from(!delayed)));
    let reserve = fees.reserve_inc.checked_mul(entries)?.checked_add(fees.reserve_base)?;
    let kept = if amount.issue().is_xrp() { Amount::Xrp(reserve) } else { amount.issue().nothing() };
    // What cannot be written as one amount is more than anybody has.
    let needed = amount.checked_add(&kept).unwrap_or(amount.issue().most());
    let lacks = needed.less(&holds)?;
    (lacks > lacks.issue().nothing()).then_some(Wait::Funds(*account, lacks))
}
