//! Native proposals: a transaction that stands on the ledger, holds a Ticket, and collects its signatures there.
//!
//! What all three transactions share is here, and what a proposal means to others: its Ticket is kept for the one
//! transaction that it proposes, and when the Ticket goes, it goes too.

mod cancel;
mod create;
mod invariants;
mod share;
mod sign;

use xrpl_wire::{
    AccountId, Hash256, LedgerEntryType, Object, SeqProxy, Transaction, TransactionType, TxResult, index,
    proposal, sf,
};

pub(super) use cancel::{apply as cancel_apply, preclaim as cancel_preclaim, preflight as cancel_preflight};
pub(super) use create::{apply as create_apply, preclaim as create_preclaim, preflight as create_preflight};
pub(super) use invariants::hold as invariants_hold;
pub(in crate::embedded) use share::{Role, outer_roles};
pub(super) use sign::{apply as sign_apply, preclaim as sign_preclaim, preflight as sign_preflight};

use super::table::Table;
use super::{LedgerInfo, Ter, directory, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The three transactions of proposals, which cannot be proposed themselves.
pub(super) const fn is_one(kind: TransactionType) -> bool {
    matches!(
        kind,
        TransactionType::TransactionProposalCreate
            | TransactionType::TransactionProposalSign
            | TransactionType::TransactionProposalCancel
    )
}

/// The proposal that a transaction names by its ProposalID.
fn named<'s>(state: &'s StateMap, tx: &Submitted) -> Result<&'s Object, TxResult> {
    let entry = tx.tx.object().hash256(sf::ProposalID).and_then(|at| state.object(&at));
    shared::of_kind(entry, LedgerEntryType::TransactionProposal).ok_or(TxResult::tecNO_ENTRY)
}

/// A ProposalID that can be one.
fn check_id(tx: &Submitted) -> Ter {
    match tx.tx.object().hash256(sf::ProposalID) {
        None | Some(Hash256::ZERO) => Err(TxResult::temMALFORMED),
        Some(_) => Ok(()),
    }
}

/// What an entry proposes.
fn proposed(entry: &Object) -> Result<&Object, TxResult> {
    entry.object(sf::ProposedTransaction).ok_or(TxResult::tefBAD_LEDGER)
}

/// Whether a proposal takes no more signatures, and anybody may clear it away: its time has come, or that of its
/// transaction. The last ledger that may hold that does not count as past.
fn is_over(entry: &Object, info: &LedgerInfo) -> bool {
    let last = entry.object(sf::ProposedTransaction).and_then(|tx| tx.u32(sf::LastLedgerSequence));
    info.has_passed(entry.u32(sf::Expiration)) || last.is_some_and(|last| last < info.index)
}

/// Fields as the transaction that they are.
pub(super) fn transaction(fields: &Object) -> Option<Transaction> {
    Transaction::decode_as_server(&fields.encode().ok()?).ok()
}

/// Where the proposal for a transaction stands; none if that takes no Ticket.
fn index_of(fields: &Object) -> Option<(AccountId, u32, Hash256)> {
    let (account, ticket) = (fields.account(sf::Account)?, fields.u32(sf::TicketSequence)?);
    Some((account, ticket, index::transaction_proposal(&account, ticket)))
}

/// A Ticket that a proposal holds is spent by the transaction that it proposes, whoever has signed that, and by no
/// other.
pub(super) fn check_reserved(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let SeqProxy::Ticket(ticket) = tx.tx.seq() else { return Ok(()) };
    if !info.rules.enabled(Amendment::Cosign) {
        return Ok(());
    }
    let entry = state.object(&index::transaction_proposal(&tx.tx.account(), ticket));
    match entry.and_then(|entry| entry.object(sf::ProposedTransaction)) {
        Some(proposed) if !proposal::is_same(proposed, tx.tx.object()) => Err(TxResult::terTICKET_RESERVED),
        _ => Ok(()),
    }
}

/// Removes the proposal that holds a Ticket, if there is one: the Ticket is gone.
pub(super) fn remove_with_ticket(view: &mut Table<'_>, owner: &AccountId, ticket: u32) -> Ter {
    let at = index::transaction_proposal(owner, ticket);
    if view.exists(&at) { remove(view, &at) } else { Ok(()) }
}

/// Removes a proposal from its owner's directory and count. Whoever removes it, the owner's reserve is freed.
pub(super) fn remove(view: &mut Table<'_>, at: &Hash256) -> Ter {
    let entry = view.read(at).ok_or(TxResult::tefBAD_LEDGER)?;
    let owner = entry.account(sf::Owner).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = entry.u64(sf::OwnerNode).unwrap_or(0);
    let count = i64::from(proposal::owner_count(proposed(entry)?));
    directory::remove(view, &index::owner_dir(&owner), page, at, true)?;
    view.adjust_owner_count(&owner, -count)?;
    view.erase(at);
    Ok(())
}
