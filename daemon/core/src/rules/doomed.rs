//! What a payment would fail for, as far as the proven view tells: said before people sign it, and not after.

use crate::model::intent::{Intent, Movement};
use crate::model::proposal::{Proposal, Status};
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset, Drops};
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
pub fn recipient(state: &State, from: &AccountId, payment: &Movement<'_>) -> Option<Wait> {
    let (to, amount) = (payment.destination, payment.amount);
    let view = state.accounts.get(&to)?;
    let problem = match view.root {
        None if !amount.is_xrp() => "it is not on the ledger, and nothing but XRP creates it",
        // Through an escrow, too: EscrowCreate needs its destination (tecNO_DST).
        None if state.fees.is_some_and(|fees| !creates(amount, fees.reserve_base)) => {
            "it is not on the ledger, and so little does not create it"
        }
        Some(root) if root.flags & LSF_REQUIRE_DEST_TAG != 0 && payment.destination_tag.is_none() => {
            "it asks for a DestinationTag, and there is none"
        }
        _ => by_trust_line(state, from, payment)?,
    };
    Some(Wait::Recipient(to, problem))
}

/// What about the recipient's trust line would make a payment of an issued currency fail. Lines are read of the treasury's own
/// accounts alone; those of others the ledger answers for.
fn by_trust_line(state: &State, from: &AccountId, payment: &Movement<'_>) -> Option<&'static str> {
    let (to, asset) = (payment.destination, payment.amount.issue());
    // To the issuer it goes back to where it came from.
    let Asset::Issued { issuer, .. } = asset else { return None };
    if to == issuer {
        return None;
    }
    let takes = state
        .accounts
        .get(&issuer)
        .and_then(|view| view.root)
        .is_some_and(|root| root.transfer_rate.is_some_and(|rate| rate > 0));
    if takes && *from != issuer {
        return Some(
            "the issuer takes a part of what holders pay each other (TransferRate), and it is paid without any",
        );
    }
    let lines = state.accounts.get(&to)?.trust_lines.as_ref()?;
    let Some(line) = lines.get(&asset) else { return Some("it has no trust line for that") };
    if line.deep_frozen {
        return Some("the issuer has frozen its trust line, and nothing comes in by it");
    }
    // What a person asks for comes in by such a line; what a link moves would lie there.
    if line.frozen && payment.link.is_some() {
        return Some("the issuer has frozen its trust line, and what came would not leave it again");
    }
    // It ripples through the issuer where that lets it on either of the two.
    let holds_back =
        |of: &AccountId| state.trust_line(of, asset).is_some_and(|line| line.no_ripple == Some(true));
    if holds_back(from) && holds_back(&to) {
        return Some("the issuer lets nothing ripple to its trust line (NoRipple)");
    }
    let (had, limit) = line.against_limit(asset)?;
    let fits = had.checked_add(&payment.amount).is_some_and(|has| has <= limit);
    (!fits).then_some("it would have more by its trust line than its limit")
}

/// What speaks against a payment or move because the ledger would refuse it.
pub(crate) fn doomed(
    state: &State,
    account: &AccountId,
    intent: &Intent,
    proposal: Option<&Proposal>,
) -> Vec<Wait> {
    let Some(payment) = looked_at(intent) else { return Vec::new() };
    let delayed = proposal.is_some_and(is_delayed);
    let mut against = match payment.amount.issue() {
        Asset::Xrp => funds(state, account, payment.amount, delayed).into_iter().collect(),
        _ => issued_funds(state, account, &payment, proposal),
    };
    against.extend(of_recipient(state, account, &payment, delayed));
    against
}

/// What would make this payment fail whatever comes to the account that pays: nobody is asked to sign it as long as it does.
pub(crate) fn before_signing(state: &State, proposal: &Proposal) -> Option<Wait> {
    let payment = looked_at(&proposal.intent)?;
    let frozen = || frozen(state, &proposal.account, &payment);
    of_recipient(state, &proposal.account, &payment, is_delayed(proposal)).or_else(frozen)
}

/// What goes to somebody else, and whatever is of an issued currency. Between the treasury's own accounts, what is wrong with
/// one of them for XRP is seen before a move is planned.
fn looked_at(intent: &Intent) -> Option<Movement<'_>> {
    intent.movement().filter(|movement| movement.link.is_none() || !movement.amount.is_xrp())
}

/// Whether so much creates an account: only XRP does.
fn creates(amount: Amount, reserve: Drops) -> bool {
    amount >= Amount::Xrp(reserve)
}

fn is_delayed(proposal: &Proposal) -> bool {
    proposal.decision.obligations.delay.is_some()
}

fn of_recipient(state: &State, from: &AccountId, payment: &Movement<'_>, delayed: bool) -> Option<Wait> {
    let to = &payment.destination;
    let missing = delayed && state.accounts.get(to).is_some_and(|view| view.root.is_none());
    if missing {
        return Some(Wait::Recipient(*to, "it is not on the ledger, and an escrow needs one that is"));
    }
    recipient(state, from, payment)
}

/// What the account lacks for a payment of XRP: it keeps its reserve, and an escrow adds to that.
fn funds(state: &State, account: &AccountId, amount: Amount, delayed: bool) -> Option<Wait> {
    let holds = state.holding(account, Asset::Xrp)?;
    let kept = Amount::Xrp(reserve(state, account, delayed)?);
    lacks(*account, amount, kept, holds)
}

/// The same of an issued currency: the account has it by its trust line, and what the transaction burns above its reserve. Whose
/// lines were not read pays nothing by them.
fn issued_funds(
    state: &State,
    account: &AccountId,
    payment: &Movement<'_>,
    proposal: Option<&Proposal>,
) -> Vec<Wait> {
    let asset = payment.amount.issue();
    let Some(view) = state.accounts.get(account).filter(|view| view.root.is_some()) else {
        return Vec::new();
    };
    let Some(held) = view.held(asset) else { return vec![Wait::Reading(*account)] };
    // What is being sent leaves it before: beyond what it has, an account that its issuer trusts would issue some itself.
    let held = held.less(&in_flight(state, account, asset, proposal)).unwrap_or(asset.nothing());
    let frozen = frozen(state, account, payment);
    let lacks_it = || lacks(*account, payment.amount, asset.nothing(), held);
    let mut against: Vec<Wait> = frozen.or_else(lacks_it).into_iter().collect();
    let burns = proposal.and_then(|proposal| proposal.plan.as_ref()?.fees.iter().min().copied());
    let burns = burns.or(state.fees.map(|fees| fees.base_fee)).unwrap_or(Drops::ZERO);
    let kept = reserve(state, account, false).map(Amount::Xrp);
    let has = Amount::Xrp(state.balance(account));
    against.extend(kept.and_then(|kept| lacks(*account, Amount::Xrp(burns), kept, has)));
    against
}

/// What is being sent of an asset out of an account, this proposal aside. Of what has surely not left, as where it was called back, the
/// older goes first: else each would wait for the other.
fn in_flight(state: &State, account: &AccountId, asset: Asset, but: Option<&Proposal>) -> Amount {
    let is_sent = |proposal: &&Proposal| match (&proposal.status, but) {
        (Status::InFlight(_), Some(asking)) if proposal.id == asking.id => false,
        (Status::InFlight(submission), Some(asking)) => submission.may_have_left() || proposal.id < asking.id,
        (Status::InFlight(_), None) => true,
        _ => false,
    };
    let promised = state.book.promised(account).filter_map(|id| state.proposals.get(&id));
    let sent = promised.filter(is_sent);
    let amounts =
        sent.filter_map(|proposal| proposal.intent.amount()).filter(|amount| amount.issue() == asset);
    amounts.fold(asset.nothing(), |all, amount| all.checked_add(&amount).unwrap_or(asset.most()))
}

/// What is frozen goes to its issuer and to nobody else.
fn frozen(state: &State, account: &AccountId, payment: &Movement<'_>) -> Option<Wait> {
    let asset = payment.amount.issue();
    let Asset::Issued { issuer, .. } = asset else { return None };
    let holds_back = payment.destination != issuer && state.is_frozen(account, asset);
    holds_back.then_some(Wait::Frozen(*account, asset))
}

/// What an account keeps when the transaction has used up its Ticket, which gives back what an escrow takes.
fn reserve(state: &State, account: &AccountId, delayed: bool) -> Option<Drops> {
    let (root, fees) = (state.accounts.get(account)?.root?, state.fees?);
    let entries = u64::from(root.owner_count.saturating_sub(u32::from(!delayed)));
    fees.reserve_inc.checked_mul(entries)?.checked_add(fees.reserve_base)
}

fn lacks(account: AccountId, amount: Amount, kept: Amount, holds: Amount) -> Option<Wait> {
    // What cannot be written as one amount is more than anybody has.
    let needed = amount.checked_add(&kept).unwrap_or(amount.issue().most());
    let lacks = needed.less(&holds)?;
    (lacks > lacks.issue().nothing()).then_some(Wait::Funds(account, lacks))
}
