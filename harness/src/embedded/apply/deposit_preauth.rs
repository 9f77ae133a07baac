//! DepositPreauth, of accounts. Of credentials it is refused, since no Credential exists here.

use xrpl_wire::{AccountId, LedgerEntryType, TxResult, index, sf};

use super::{Context, Ter, directory, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let credentials = [sf::AuthorizeCredentials, sf::UnauthorizeCredentials];
    let given = [sf::Authorize, sf::Unauthorize].into_iter().chain(credentials);
    if given.filter(|field| object.has(*field)).count() != 1 {
        return Err(TxResult::temMALFORMED);
    }
    if credentials.iter().any(|field| object.has(*field)) {
        tracing::warn!("DepositPreauth of credentials is not implemented in the embedded ledger");
        return Err(TxResult::temDISABLED);
    }
    let authorize = object.account(sf::Authorize);
    let target = authorize.or(object.account(sf::Unauthorize));
    if target.is_none_or(|target| target == AccountId::ZERO) {
        return Err(TxResult::temINVALID_ACCOUNT_ID);
    }
    if authorize == Some(tx.tx.account()) {
        return Err(TxResult::temCANNOT_PREAUTH_SELF);
    }
    Ok(())
}

pub(super) fn preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let account = tx.tx.account();
    if let Some(authorize) = object.account(sf::Authorize) {
        if !state.contains(&index::account_root(&authorize)) {
            return Err(TxResult::tecNO_TARGET);
        }
        if state.contains(&index::deposit_preauth(&account, &authorize)) {
            return Err(TxResult::tecDUPLICATE);
        }
    }
    if let Some(unauthorize) = object.account(sf::Unauthorize)
        && !state.contains(&index::deposit_preauth(&account, &unauthorize))
    {
        return Err(TxResult::tecNO_ENTRY);
    }
    Ok(())
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    if let Some(authorize) = context.fields().account(sf::Authorize) {
        let owner_count = context.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
        let reserve = context.info.fees.account_reserve(owner_count.saturating_add(1));
        if context.prior_balance < reserve {
            return Err(TxResult::tecINSUFFICIENT_RESERVE);
        }
        let entry_index = index::deposit_preauth(&account, &authorize);
        let page = context.add_to_owner_dir(&account, &entry_index)?;
        let entry = shared::new_entry(LedgerEntryType::DepositPreauth)
            .with(sf::Account, account)
            .with(sf::Authorize, authorize)
            .with(sf::OwnerNode, page);
        context.view.insert(entry_index, entry);
        return context.adjust_owner_count_of(&account, 1);
    }
    let unauthorize = context.fields().account(sf::Unauthorize).ok_or(TxResult::tefINTERNAL)?;
    remove(context, &index::deposit_preauth(&account, &unauthorize))
}

/// Removes an authorization, from its owner's directory and count too.
pub(super) fn remove(context: &mut Context<'_>, entry_index: &xrpl_wire::Hash256) -> Ter {
    let entry = context.view.read(entry_index).ok_or(TxResult::tecNO_ENTRY)?;
    let owner = entry.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = entry.u64(sf::OwnerNode).unwrap_or(0);
    directory::remove(&mut context.view, &index::owner_dir(&owner), page, entry_index, false)?;
    context.adjust_owner_count_of(&owner, -1)?;
    context.view.erase(entry_index);
    Ok(())
}
