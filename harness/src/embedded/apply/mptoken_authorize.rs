//! MPTokenAuthorize: a holder asks for a token or gives it up, or the issuer lets a holder have it.

use xrpl_wire::{TxResult, flags, index, sf};

use super::{Context, LedgerInfo, Ter, directory, mpt, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// As for trust lines, the first two objects of an account need no reserve.
const FREE_OBJECTS: u32 = 2;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let holder = tx.tx.object().account(sf::Holder);
    if holder == Some(tx.tx.account()) { Err(TxResult::temMALFORMED) } else { Ok(()) }
}

fn gives_up(tx: &Submitted) -> bool {
    tx.tx.flags() & flags::tfMPTUnauthorize != 0
}

pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let account = tx.tx.account();
    let missing = TxResult::tecOBJECT_NOT_FOUND;
    let id = mpt::id_of(object).ok_or(missing)?;
    let issuance = state.object(&index::mpt_issuance(&id));
    if let Some(holder) = object.account(sf::Holder) {
        if !state.contains(&index::account_root(&holder)) {
            return Err(TxResult::tecNO_DST);
        }
        let issuance = issuance.ok_or(missing)?;
        if issuance.account(sf::Issuer) != Some(account) {
            return Err(TxResult::tecNO_PERMISSION);
        }
        if !shared::has_flag(issuance, flags::lsfMPTRequireAuth) {
            return Err(TxResult::tecNO_AUTH);
        }
        let held = state.contains(&index::mptoken(&id, &holder));
        return if held { Ok(()) } else { Err(missing) };
    }
    let token = state.object(&index::mptoken(&id, &account));
    if gives_up(tx) {
        let token = token.ok_or(missing)?;
        let has = |field| token.u64(field).unwrap_or(0) != 0;
        if has(sf::MPTAmount) || has(sf::LockedAmount) {
            return Err(if issuance.is_some() {
                TxResult::tecHAS_OBLIGATIONS
            } else {
                TxResult::tefINTERNAL
            });
        }
        let locked = shared::has_flag(token, flags::lsfMPTLocked);
        if locked && info.rules.enabled(Amendment::SingleAssetVault) {
            return Err(TxResult::tecNO_PERMISSION);
        }
        return Ok(());
    }
    let issuance = issuance.ok_or(missing)?;
    if issuance.account(sf::Issuer) == Some(account) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if token.is_some() { Err(TxResult::tecDUPLICATE) } else { Ok(()) }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let id = mpt::id_of(context.fields()).ok_or(TxResult::tecINTERNAL)?;
    let account = context.account();
    let gives_up = gives_up(context.tx);
    if let Some(holder) = context.fields().account(sf::Holder) {
        let token = context.view.update(&index::mptoken(&id, &holder)).ok_or(TxResult::tecINTERNAL)?;
        if shared::has_flag(token, flags::lsfMPTAuthorized) == gives_up {
            shared::set_flag(token, flags::lsfMPTAuthorized, !gives_up);
        }
        return Ok(());
    }
    if gives_up {
        let at = index::mptoken(&id, &account);
        let token = context.view.read(&at).ok_or(TxResult::tecINTERNAL)?;
        let page = token.u64(sf::OwnerNode).unwrap_or(0);
        directory::remove(&mut context.view, &index::owner_dir(&account), page, &at, false)?;
        context.adjust_owner_count_of(&account, -1)?;
        context.view.erase(&at);
        return Ok(());
    }
    let owned = context.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
    if owned >= FREE_OBJECTS {
        context.check_reserve_for_one_more()?;
    }
    mpt::create_token(&mut context.view, context.info, &id, &account)
}
