//! DelegateSet: who may send some types of transactions for an account.

use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Field, Hash256, LedgerEntryType, Object, TxResult, Value, index, sf};

use super::{Context, LedgerInfo, Ter, directory, permission, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The most permissions that one account gives another.
const MAX_PERMISSIONS: usize = 10;

pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    if !info.rules.enabled(Amendment::PermissionDelegationV1_1) {
        tracing::warn!(
            "delegation as it was before PermissionDelegationV1_1 is not implemented in the embedded ledger"
        );
        return Err(TxResult::temUNKNOWN);
    }
    let given = permissions(tx);
    if given.len() > MAX_PERMISSIONS {
        return Err(TxResult::temARRAY_TOO_LARGE);
    }
    if authorized(tx) == Some(tx.tx.account()) {
        return Err(TxResult::temMALFORMED);
    }
    let mut seen = BTreeSet::new();
    for (_, given) in given {
        let value = given.u32(sf::PermissionValue).ok_or(TxResult::temMALFORMED)?;
        if !seen.insert(value) || !permission::can_be_given(value, &info.rules) {
            return Err(TxResult::temMALFORMED);
        }
    }
    Ok(())
}

fn permissions(tx: &Submitted) -> &[(Field, Object)] {
    tx.tx.object().array(sf::Permissions).unwrap_or_default()
}

fn authorized(tx: &Submitted) -> Option<AccountId> {
    tx.tx.object().account(sf::Authorize)
}

pub(super) fn preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let to = authorized(tx).ok_or(TxResult::tecNO_TARGET)?;
    if !state.contains(&index::account_root(&to)) {
        return Err(TxResult::tecNO_TARGET);
    }
    let at = index::delegate(&tx.tx.account(), &to);
    if permissions(tx).is_empty() && !state.contains(&at) { Err(TxResult::tecNO_ENTRY) } else { Ok(()) }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let to = authorized(context.tx).ok_or(TxResult::tefINTERNAL)?;
    let given = permissions(context.tx).to_vec();
    let at = index::delegate(&account, &to);
    if given.is_empty() {
        return remove(context, &at);
    }
    if let Some(entry) = context.view.update(&at) {
        entry.set(sf::Permissions, Value::Array(given));
        return Ok(());
    }
    context.check_reserve_for_one_more()?;
    let page = context.add_to_owner_dir(&account, &at)?;
    let their_page = context.add_to_owner_dir(&to, &at)?;
    let entry = shared::new_entry(LedgerEntryType::Delegate)
        .with(sf::Account, account)
        .with(sf::Authorize, to)
        .with(sf::Permissions, Value::Array(given))
        .with(sf::OwnerNode, page)
        .with(sf::DestinationNode, their_page);
    context.view.insert(at, entry);
    context.adjust_owner_count_of(&account, 1)
}

/// Takes the permissions back: from both directories, and from the count of who gave them.
pub(super) fn remove(context: &mut Context<'_>, at: &Hash256) -> Ter {
    let entry = context.view.read(at).ok_or(TxResult::tefBAD_LEDGER)?;
    let account = entry.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = entry.u64(sf::OwnerNode).unwrap_or(0);
    let theirs = entry.account(sf::Authorize).zip(entry.u64(sf::DestinationNode));
    directory::remove(&mut context.view, &index::owner_dir(&account), page, at, false)?;
    if let Some((to, page)) = theirs {
        directory::remove(&mut context.view, &index::owner_dir(&to), page, at, false)?;
    }
    context.adjust_owner_count_of(&account, -1)?;
    context.view.erase(at);
    Ok(())
}
