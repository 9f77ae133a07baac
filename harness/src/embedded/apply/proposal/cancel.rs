//! TransactionProposalCancel.

use xrpl_wire::{TxResult, sf};

use super::super::{Context, LedgerInfo, Ter};
use super::{check_id, is_over, named, proposed, remove};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(in crate::embedded::apply) fn preflight(tx: &Submitted) -> Ter {
    check_id(tx)
}

/// While it lives, whoever owns it, whose Ticket it holds, and who is to send it in its place, may take it back. What
/// is over anybody may clear away.
pub(in crate::embedded::apply) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let entry = named(state, tx)?;
    let fields = proposed(entry)?;
    let may = [entry.account(sf::Owner), fields.account(sf::Account), fields.account(sf::Delegate)];
    if is_over(entry, info) || may.contains(&Some(tx.tx.account())) {
        Ok(())
    } else {
        Err(TxResult::tecNO_PERMISSION)
    }
}

pub(in crate::embedded::apply) fn apply(context: &mut Context<'_>) -> Ter {
    let at = context.fields().hash256(sf::ProposalID).ok_or(TxResult::tefINTERNAL)?;
    remove(&mut context.view, &at)
}
