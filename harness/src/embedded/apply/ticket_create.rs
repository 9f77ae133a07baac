//! TicketCreate.

use xrpl_wire::{LedgerEntryType, SeqProxy, TxResult, index, sf};

use super::{Context, Ter, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// Tickets an account may hold, and may make at once.
const MAX_TICKETS: u32 = 250;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let count = tx.tx.object().u32(sf::TicketCount).unwrap_or(0);
    if (1..=MAX_TICKETS).contains(&count) { Ok(()) } else { Err(TxResult::temINVALID_COUNT) }
}

pub(super) fn preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    let held = root.u32(sf::TicketCount).unwrap_or(0);
    let added = tx.tx.object().u32(sf::TicketCount).unwrap_or(0);
    let used = u32::from(matches!(tx.tx.seq(), SeqProxy::Ticket(_)));
    if held.saturating_add(added).saturating_sub(used) > MAX_TICKETS {
        return Err(TxResult::tecDIR_FULL);
    }
    Ok(())
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let count = context.fields().u32(sf::TicketCount).unwrap_or(0);
    let root = context.account_root()?;
    let owner_count = root.u32(sf::OwnerCount).unwrap_or(0);
    // The Sequence the transaction itself used is behind us already.
    let first = root.u32(sf::Sequence).unwrap_or(0);
    if context.prior_balance < context.info.fees.account_reserve(owner_count.saturating_add(count)) {
        return Err(TxResult::tecINSUFFICIENT_RESERVE);
    }
    let after = first.checked_add(count).ok_or(TxResult::tefINTERNAL)?;
    for ticket_sequence in first..after {
        let ticket_index = index::ticket(&account, ticket_sequence);
        let page = context.add_to_owner_dir(&account, &ticket_index)?;
        let ticket = shared::new_entry(LedgerEntryType::Ticket)
            .with(sf::Account, account)
            .with(sf::TicketSequence, ticket_sequence)
            .with(sf::OwnerNode, page);
        context.view.insert(ticket_index, ticket);
    }
    let root = context.account_mut()?;
    let held = root.u32(sf::TicketCount).unwrap_or(0);
    root.set(sf::TicketCount, held.saturating_add(count));
    shared::adjust_owner_count(root, i64::from(count));
    root.set(sf::Sequence, after);
    Ok(())
}
