//! CredentialCreate, CredentialAccept and CredentialDelete.

use xrpl_wire::{AccountId, Hash256, LedgerEntryType, Object, TxResult, flags, index, sf};

use super::{Context, Ter, credential, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The bytes of a URI.
const URI_BYTES: std::ops::RangeInclusive<usize> = 1..=256;

fn check_type(object: &Object) -> Ter {
    let kind = object.blob(sf::CredentialType).unwrap_or_default();
    if credential::is_type(kind) { Ok(()) } else { Err(TxResult::temMALFORMED) }
}

pub(super) fn create_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    if object.account(sf::Subject).is_none_or(|subject| subject == AccountId::ZERO) {
        return Err(TxResult::temMALFORMED);
    }
    if object.blob(sf::URI).is_some_and(|uri| !URI_BYTES.contains(&uri.len())) {
        return Err(TxResult::temMALFORMED);
    }
    check_type(object)
}

pub(super) fn accept_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    if object.account(sf::Issuer).is_none_or(|issuer| issuer == AccountId::ZERO) {
        return Err(TxResult::temINVALID_ACCOUNT_ID);
    }
    check_type(object)
}

pub(super) fn delete_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let named = [object.account(sf::Subject), object.account(sf::Issuer)];
    if named == [None, None] {
        return Err(TxResult::temMALFORMED);
    }
    if named.contains(&Some(AccountId::ZERO)) {
        return Err(TxResult::temINVALID_ACCOUNT_ID);
    }
    check_type(object)
}

/// The subject, the issuer, and where the credential stands: the sender is who is not named.
fn named(tx: &Submitted) -> (AccountId, AccountId, Hash256) {
    let object = tx.tx.object();
    let subject = object.account(sf::Subject).unwrap_or(tx.tx.account());
    let issuer = object.account(sf::Issuer).unwrap_or(tx.tx.account());
    let kind = object.blob(sf::CredentialType).unwrap_or_default();
    (subject, issuer, index::credential(&subject, &issuer, kind))
}

pub(super) fn create_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let (subject, _, at) = named(tx);
    if !state.contains(&index::account_root(&subject)) {
        return Err(TxResult::tecNO_TARGET);
    }
    if state.contains(&at) { Err(TxResult::tecDUPLICATE) } else { Ok(()) }
}

pub(super) fn accept_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let (_, issuer, at) = named(tx);
    if !state.contains(&index::account_root(&issuer)) {
        return Err(TxResult::tecNO_ISSUER);
    }
    let entry = state.object(&at).ok_or(TxResult::tecNO_ENTRY)?;
    if shared::has_flag(entry, flags::lsfAccepted) { Err(TxResult::tecDUPLICATE) } else { Ok(()) }
}

pub(super) fn delete_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    if state.contains(&named(tx).2) { Ok(()) } else { Err(TxResult::tecNO_ENTRY) }
}

pub(super) fn create_apply(context: &mut Context<'_>) -> Ter {
    let (subject, issuer, at) = named(context.tx);
    let fields = context.tx.tx.object();
    if fields.u32(sf::Expiration).is_some_and(|time| context.info.parent_close_time > time) {
        return Err(TxResult::tecEXPIRED);
    }
    context.check_reserve_for_one_more()?;
    let mut entry =
        shared::new_entry(LedgerEntryType::Credential).with(sf::Subject, subject).with(sf::Issuer, issuer);
    for field in [sf::CredentialType, sf::Expiration, sf::URI] {
        if let Some(value) = fields.get(field) {
            entry.set(field, value.clone());
        }
    }
    let page = context.add_to_owner_dir(&issuer, &at)?;
    entry.set(sf::IssuerNode, page);
    context.adjust_owner_count_of(&issuer, 1)?;
    if subject == issuer {
        entry.set(sf::Flags, flags::lsfAccepted);
    } else {
        let page = context.add_to_owner_dir(&subject, &at)?;
        entry.set(sf::SubjectNode, page);
    }
    context.view.insert(at, entry);
    Ok(())
}

pub(super) fn accept_apply(context: &mut Context<'_>) -> Ter {
    let (subject, issuer, at) = named(context.tx);
    context.check_reserve_for_one_more()?;
    let entry = context.view.read(&at).ok_or(TxResult::tefINTERNAL)?;
    if credential::has_expired(entry, context.info) {
        credential::remove(&mut context.view, &at)?;
        return Err(TxResult::tecEXPIRED);
    }
    let entry = context.view.update(&at).ok_or(TxResult::tefINTERNAL)?;
    entry.set(sf::Flags, flags::lsfAccepted);
    context.adjust_owner_count_of(&issuer, -1)?;
    context.adjust_owner_count_of(&subject, 1)
}

pub(super) fn delete_apply(context: &mut Context<'_>) -> Ter {
    let (subject, issuer, at) = named(context.tx);
    let entry = context.view.read(&at).ok_or(TxResult::tefINTERNAL)?;
    let account = context.account();
    // What has expired anybody may clear away.
    if subject != account && issuer != account && !credential::has_expired(entry, context.info) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    credential::remove(&mut context.view, &at)
}
