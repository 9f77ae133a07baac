//! Whether each transaction of a proposed batch could take its turn now, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use xrpl_wire::{AccountId, Hash256, Object, index, sf};

use super::standing::{Moment, Reason, lacks_permission};
use super::state::StateMap;

/// What the transactions before have used up.
struct Turns<'s> {
    state: &'s StateMap,
    /// The next Sequence of each account that has used some.
    next: BTreeMap<AccountId, u32>,
    /// Tickets that are spent.
    spent: BTreeSet<Hash256>,
}

/// The accounts whose transactions within a batch could not be applied now, and why. A permission that is missing is
/// worth more than a turn that is.
pub(super) fn obstacles(state: &StateMap, at: Moment, batch: &Object) -> BTreeMap<AccountId, Reason> {
    let mut turns = Turns { state, next: BTreeMap::new(), spent: BTreeSet::new() };
    // The batch itself spends the Ticket of its proposal.
    turns.spent.extend(ticket_of(batch).map(|(account, ticket)| index::ticket(&account, ticket)));
    let mut found = BTreeMap::new();
    for (_, tx) in batch.array(sf::RawTransactions).unwrap_or_default() {
        let Some(account) = tx.account(sf::Account) else { continue };
        let sender = tx.account(sf::Delegate).unwrap_or(account);
        if let Err(reason) = turns.take(at, tx, &account) {
            found.entry(sender).or_insert(reason);
        }
        if lacks_permission(state, tx) {
            found.insert(sender, Reason::NoDelegatePermission);
        }
    }
    found
}

fn ticket_of(tx: &Object) -> Option<(AccountId, u32)> {
    Some((tx.account(sf::Account)?, tx.u32(sf::TicketSequence)?))
}

impl Turns<'_> {
    fn take(&mut self, at: Moment, tx: &Object, account: &AccountId) -> Result<(), Reason> {
        // What an account that is yet to be made begins with nobody knows.
        let Some(root) = self.state.object(&index::account_root(account)) else { return Ok(()) };
        let prior = tx.hash256(sf::AccountTxnID);
        let is_late = tx.u32(sf::LastLedgerSequence).is_some_and(|last| last < at.next_index());
        if is_late || (prior.is_some() && prior != root.hash256(sf::AccountTxnID)) {
            return Err(Reason::SequenceMismatch);
        }
        let next = self.next.entry(*account).or_insert_with(|| root.u32(sf::Sequence).unwrap_or(0));
        if let Some((account, ticket)) = ticket_of(tx) {
            let key = index::ticket(&account, ticket);
            if self.spent.contains(&key) || !self.state.contains(&key) {
                return Err(Reason::SequenceMismatch);
            }
            if self.state.contains(&index::transaction_proposal(&account, ticket)) {
                return Err(Reason::TicketReserved);
            }
            self.spent.insert(key);
            return Ok(());
        }
        if tx.u32(sf::Sequence) != Some(*next) {
            return Err(Reason::SequenceMismatch);
        }
        *next = next.saturating_add(1);
        Ok(())
    }
}
