//! What must hold of proposals after every transaction, whatever it was: if it does not, the program is wrong, and the
//! transaction must not do what it did.

use std::collections::BTreeMap;

use xrpl_wire::{
    AccountId, Field, Hash256, LedgerEntryType, Object, TransactionType, TxResult, Value, index, proposal, sf,
};

use super::super::shared;
use super::super::table::Table;
use super::share::SIGNERS_MAX;
use crate::embedded::batch::SIGNERS_MAX as PARTICIPANTS_MAX;

/// What happened to proposals.
#[derive(Default)]
struct Changes {
    made: u32,
    changed: u32,
    removed: u32,
    /// Of those removed, how many went with their Tickets.
    with_ticket: u32,
    /// How many objects more or fewer an owner owns by proposals that were made or removed.
    owned: BTreeMap<AccountId, i64>,
}

/// Whether all that must hold does, after a transaction of this type with this result.
pub(in crate::embedded::apply) fn hold(view: &Table<'_>, kind: TransactionType, result: TxResult) -> bool {
    let Some(changes) = changes(view) else { return false };
    is_allowed(&changes, kind, result) && (changes.with_ticket > 0 || counts_match(view, &changes))
}

/// What the transaction did to proposals; none if it did what nothing may.
fn changes(view: &Table<'_>) -> Option<Changes> {
    let is_one =
        |entry: Option<&Object>| shared::of_kind(entry, LedgerEntryType::TransactionProposal).is_some();
    let mut changes = Changes::default();
    for (_, before, after) in view.touched() {
        if !is_one(before) && !is_one(after) {
            continue;
        }
        match (before, after) {
            (None, Some(made)) if is_well_formed(made) => {
                changes.made += 1;
                changes.count(made, 1)?;
            }
            (Some(before), Some(after)) if before == after => {}
            (Some(before), Some(after)) if is_signing(before, after) && is_well_formed(after) => {
                changes.changed += 1;
            }
            (Some(removed), None) => {
                changes.removed += 1;
                changes.with_ticket += u32::from(ticket_is_gone(view, removed));
                changes.count(removed, -1)?;
            }
            _ => return None,
        }
    }
    Some(changes)
}

impl Changes {
    fn count(&mut self, entry: &Object, times: i64) -> Option<()> {
        let by = i64::from(proposal::owner_count(entry.object(sf::ProposedTransaction)?));
        *self.owned.entry(entry.account(sf::Owner)?).or_default() += times * by;
        Some(())
    }
}

/// Whether the Ticket that a removed proposal held was spent.
fn ticket_is_gone(view: &Table<'_>, removed: &Object) -> bool {
    let held = removed.object(sf::ProposedTransaction);
    let held = held.and_then(|tx| Some((tx.account(sf::Account)?, tx.u32(sf::TicketSequence)?)));
    held.is_some_and(|(account, ticket)| !view.exists(&index::ticket(&account, ticket)))
}

/// Whether two states of a proposal differ by signatures alone.
fn is_signing(before: &Object, after: &Object) -> bool {
    let bare = |entry: &Object| {
        let mut bare = entry.clone();
        let mut fields = bare.object(sf::ProposedTransaction)?.clone();
        for field in proposal::SIGNATURES.into_iter().chain([sf::SigningPubKey]) {
            fields.remove(field);
        }
        bare.set(sf::ProposedTransaction, Value::Object(fields));
        bare.remove(sf::PreviousTxnID);
        bare.remove(sf::PreviousTxnLgrSeq);
        Some(bare)
    };
    bare(before).is_some_and(|before| bare(after) == Some(before))
}

/// Whether the shares of a living proposal stand in order, each once, and are not too many.
fn is_well_formed(entry: &Object) -> bool {
    let Some(fields) = entry.object(sf::ProposedTransaction) else { return false };
    let signers = |slot: &Object| is_ordered(slot, sf::Signers, sf::Signer, SIGNERS_MAX);
    let others = [sf::CounterpartySignature, sf::SponsorSignature];
    let participants = fields.array(sf::BatchSigners).unwrap_or_default();
    signers(fields)
        && others.iter().all(|name| fields.object(*name).is_none_or(signers))
        && is_ordered(fields, sf::BatchSigners, sf::BatchSigner, PARTICIPANTS_MAX)
        && participants.iter().all(|(_, entry)| signers(entry))
}

fn is_ordered(slot: &Object, list: Field, item: Field, most: usize) -> bool {
    let items = slot.array(list).unwrap_or_default();
    let accounts: Option<Vec<AccountId>> = items
        .iter()
        .map(|(name, entry)| if *name == item { entry.account(sf::Account) } else { None })
        .collect();
    items.len() <= most && accounts.is_some_and(|accounts| accounts.is_sorted_by(|one, other| one < other))
}

/// Which changes a type may make. What goes with its Ticket may go with any.
fn is_allowed(changes: &Changes, kind: TransactionType, result: TxResult) -> bool {
    let cleared = changes.removed - changes.with_ticket;
    let done = (changes.made, changes.changed, cleared);
    match kind {
        TransactionType::TransactionProposalCreate if result.is_tes() => done == (1, 0, 0),
        TransactionType::TransactionProposalSign if result.is_tes() => done == (0, 1, 0),
        TransactionType::TransactionProposalSign if result == TxResult::tecEXPIRED => done == (0, 0, 1),
        TransactionType::TransactionProposalCancel if result.is_tes() => done == (0, 0, 1),
        _ => done == (0, 0, 0),
    }
}

/// Whether each owner's count moved by its proposals, and by the Tickets that were spent, exactly.
fn counts_match(view: &Table<'_>, changes: &Changes) -> bool {
    if changes.owned.is_empty() {
        return true;
    }
    let mut expected = changes.owned.clone();
    for (_, before, after) in view.touched() {
        let ticket = shared::of_kind(before, LedgerEntryType::Ticket).filter(|_| after.is_none());
        if let Some(count) =
            ticket.and_then(|ticket| ticket.account(sf::Account)).and_then(|owner| expected.get_mut(&owner))
        {
            *count -= 1;
        }
    }
    let count = |root: Option<&Object>| root.and_then(|root| root.u32(sf::OwnerCount)).map_or(0, i64::from);
    let moved: BTreeMap<Hash256, i64> =
        view.touched().map(|(at, before, after)| (*at, count(after) - count(before))).collect();
    expected
        .iter()
        .all(|(owner, by)| *by == moved.get(&index::account_root(owner)).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use TransactionType as T;
    use xrpl_wire::Drops;

    use super::*;
    use crate::embedded::state::{Entry, StateMap};

    const OWNER: AccountId = AccountId([1; 20]);
    const TICKET: u32 = 7;
    const TES: TxResult = TxResult::tesSUCCESS;

    fn entry(kind: LedgerEntryType) -> Object {
        Object::new().with(sf::LedgerEntryType, kind.code())
    }

    fn payload() -> Object {
        Object::new()
            .with(sf::TransactionType, T::Payment.code())
            .with(sf::Account, OWNER)
            .with(sf::TicketSequence, TICKET)
            .with(sf::Amount, Drops::new(5).unwrap())
    }

    fn proposing(payload: Object) -> Object {
        entry(LedgerEntryType::TransactionProposal)
            .with(sf::Owner, OWNER)
            .with(sf::ProposedTransaction, Value::Object(payload))
    }

    fn root(owned: u32) -> Object {
        entry(LedgerEntryType::AccountRoot).with(sf::OwnerCount, owned)
    }

    fn at() -> Hash256 {
        index::transaction_proposal(&OWNER, TICKET)
    }

    /// An account with a Ticket, and a proposal on that if it owns six objects.
    fn state(owned: u32) -> StateMap {
        let mut state = StateMap::new();
        state.insert(index::account_root(&OWNER), Entry::new(root(owned)));
        let ticket = entry(LedgerEntryType::Ticket).with(sf::Account, OWNER);
        state.insert(index::ticket(&OWNER, TICKET), Entry::new(ticket));
        if owned > 1 {
            state.insert(at(), Entry::new(proposing(payload())));
        }
        state
    }

    fn signer(account: u8) -> (Field, Object) {
        (sf::Signer, Object::new().with(sf::Account, AccountId([account; 20])))
    }

    #[test]
    fn one_that_is_made_counts_exactly_and_comes_of_its_own_type() {
        let state = state(1);
        for (owned, kind, holds) in [
            (6, T::TransactionProposalCreate, true),
            (5, T::TransactionProposalCreate, false),
            (7, T::TransactionProposalCreate, false),
            (6, T::Payment, false),
        ] {
            let mut view = Table::new(&state);
            view.insert(at(), proposing(payload()));
            *view.update(&index::account_root(&OWNER)).unwrap() = root(owned);
            assert_eq!(hold(&view, kind, TES), holds, "{owned} {kind}");
        }
        assert!(!hold(&Table::new(&state), T::TransactionProposalCreate, TES), "none was made");
    }

    #[test]
    fn a_living_one_changes_by_signatures_alone_which_stand_in_order() {
        let state = state(6);
        let signed = |signers| payload().with(sf::Signers, Value::Array(signers));
        for (after, holds) in [
            (signed(vec![signer(2), signer(3)]), true),
            (signed(vec![signer(3), signer(2)]), false),
            (signed(vec![signer(2), signer(2)]), false),
            (signed((0..33).map(signer).collect()), false),
            (payload().with(sf::SigningPubKey, vec![2; 33]), true),
            (payload().with(sf::Amount, Drops::new(6).unwrap()), false),
        ] {
            let mut view = Table::new(&state);
            view.update(&at()).unwrap().set(sf::ProposedTransaction, Value::Object(after));
            assert_eq!(hold(&view, T::TransactionProposalSign, TES), holds);
            assert!(!hold(&view, T::TransactionProposalCancel, TES));
        }
    }

    #[test]
    fn one_is_removed_by_a_cancel_when_it_has_expired_or_with_its_ticket() {
        let state = state(6);
        let mut view = Table::new(&state);
        view.erase(&at());
        *view.update(&index::account_root(&OWNER)).unwrap() = root(1);
        assert!(hold(&view, T::TransactionProposalCancel, TES));
        assert!(hold(&view, T::TransactionProposalSign, TxResult::tecEXPIRED));
        assert!(!hold(&view, T::TransactionProposalSign, TES));
        assert!(!hold(&view, T::AccountSet, TES));
        view.erase(&index::ticket(&OWNER, TICKET));
        assert!(hold(&view, T::AccountSet, TES));
        assert!(!hold(&view, T::TransactionProposalCancel, TES), "not through a Ticket");
    }
}
