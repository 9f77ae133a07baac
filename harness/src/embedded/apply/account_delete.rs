//! AccountDelete.

use xrpl_wire::{LedgerEntryType, TxResult, flags, index, sf};

use super::{
    Context, LedgerInfo, Ter, credential, delegate, deposit_preauth, directory, offer, shared,
    signer_list_set,
};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// An account's Sequence must be so far behind the ledger's index, that no transaction signed for the deleted
/// account can be applied once it is made anew.
const SEQUENCE_DISTANCE: u32 = 255;

/// The most owned entries that go with an account.
const MAX_ENTRIES: usize = 1_000;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    if tx.tx.object().account(sf::Destination) == Some(tx.tx.account()) {
        return Err(TxResult::temDST_IS_SRC);
    }
    credential::preflight_ids(tx)
}

pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let account = tx.tx.account();
    let destination = object.account(sf::Destination).ok_or(TxResult::tecNO_DST)?;
    let to = state.object(&index::account_root(&destination)).ok_or(TxResult::tecNO_DST)?;
    if shared::has_flag(to, flags::lsfRequireDestTag) && !object.has(sf::DestinationTag) {
        return Err(TxResult::tecDST_TAG_NEEDED);
    }
    credential::preclaim_ids(state, tx)?;
    // Credentials are looked at when the account is deleted: those that have expired go then.
    if shared::has_flag(to, flags::lsfDepositAuth)
        && !object.has(sf::CredentialIDs)
        && !state.contains(&index::deposit_preauth(&destination, &account))
    {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    if root.u32(sf::Sequence).unwrap_or(0).saturating_add(SEQUENCE_DISTANCE) > info.index {
        return Err(TxResult::tecTOO_SOON);
    }
    let owned = directory::list(state, &index::owner_dir(&account));
    for (count, entry) in owned.iter().enumerate() {
        let kind = state.get(entry).and_then(|entry| entry.entry_type()).ok_or(TxResult::tefBAD_LEDGER)?;
        if !goes_with_account(kind) {
            return Err(TxResult::tecHAS_OBLIGATIONS);
        }
        if count >= MAX_ENTRIES {
            return Err(TxResult::tefTOO_BIG);
        }
    }
    Ok(())
}

/// Whether an entry goes with its account: the others are what it owes somebody.
fn goes_with_account(kind: LedgerEntryType) -> bool {
    matches!(
        kind,
        LedgerEntryType::SignerList
            | LedgerEntryType::Ticket
            | LedgerEntryType::DepositPreauth
            | LedgerEntryType::Offer
            | LedgerEntryType::Credential
            | LedgerEntryType::Delegate
    )
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let destination = context.fields().account(sf::Destination).ok_or(TxResult::tefBAD_LEDGER)?;
    if context.fields().has(sf::CredentialIDs) {
        context.verify_deposit_preauth(&account, &destination)?;
    }
    let directory_root = index::owner_dir(&account);
    for entry in directory::list_of(&context.view, &directory_root) {
        let kind = context.view.read(&entry).and_then(|object| object.u16(sf::LedgerEntryType));
        match kind.and_then(LedgerEntryType::from_code) {
            Some(LedgerEntryType::SignerList) => signer_list_set::remove(context, &account)?,
            Some(LedgerEntryType::Ticket) => context.delete_ticket(&account, &entry)?,
            Some(LedgerEntryType::DepositPreauth) => deposit_preauth::remove(context, &entry)?,
            Some(LedgerEntryType::Offer) => offer::remove(&mut context.view, &entry)?,
            Some(LedgerEntryType::Credential) => credential::remove(&mut context.view, &entry)?,
            Some(LedgerEntryType::Delegate) => delegate::remove(context, &entry)?,
            _ => return Err(TxResult::tecHAS_OBLIGATIONS),
        }
    }
    let left = context.source_balance;
    context.credit(&destination, left)?;
    context.account_mut()?.set(sf::Balance, shared::drops(0)?);
    context.delivered = Some(shared::drops(left)?);
    if context.view.exists(&directory_root)
        && !directory::remove_empty_root(&mut context.view, &directory_root)?
    {
        return Err(TxResult::tecHAS_OBLIGATIONS);
    }
    let root = context.view.update(&index::account_root(&destination)).ok_or(TxResult::tefBAD_LEDGER)?;
    if left > 0 && shared::has_flag(root, flags::lsfPasswordSpent) {
        shared::set_flag(root, flags::lsfPasswordSpent, false);
    }
    let index = context.account_index();
    context.view.erase(&index);
    Ok(())
}
