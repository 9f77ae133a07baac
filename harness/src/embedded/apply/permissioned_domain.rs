//! PermissionedDomainSet and PermissionedDomainDelete.

use xrpl_wire::{Hash256, LedgerEntryType, Object, TxResult, Value, index, sf};

use super::{Context, LedgerInfo, Ter, credential, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The most credentials a domain may accept.
const MAX_CREDENTIALS: usize = 10;

pub(super) fn set_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    credential::preflight_list(object, sf::AcceptedCredentials, MAX_CREDENTIALS)?;
    if object.hash256(sf::DomainID) == Some(Hash256::ZERO) { Err(TxResult::temMALFORMED) } else { Ok(()) }
}

pub(super) fn delete_preflight(tx: &Submitted) -> Ter {
    let domain = tx.tx.object().hash256(sf::DomainID).unwrap_or(Hash256::ZERO);
    if domain == Hash256::ZERO { Err(TxResult::temMALFORMED) } else { Ok(()) }
}

/// The domain that a transaction names must be there, and the sender's.
fn check_owner(state: &StateMap, tx: &Submitted, domain: &Hash256) -> Ter {
    let entry = shared::of_kind(state.object(domain), LedgerEntryType::PermissionedDomain);
    let entry = entry.ok_or(TxResult::tecNO_ENTRY)?;
    if entry.account(sf::Owner) == Some(tx.tx.account()) { Ok(()) } else { Err(TxResult::tecNO_PERMISSION) }
}

pub(super) fn set_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    for (issuer, _) in credential::accepted(object, sf::AcceptedCredentials) {
        if !state.contains(&index::account_root(&issuer)) {
            return Err(TxResult::tecNO_ISSUER);
        }
    }
    match object.hash256(sf::DomainID) {
        Some(domain) => check_owner(state, tx, &domain),
        None => Ok(()),
    }
}

pub(super) fn delete_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let domain = tx.tx.object().hash256(sf::DomainID).ok_or(TxResult::tecNO_ENTRY)?;
    check_owner(state, tx, &domain)
}

pub(super) fn set_apply(context: &mut Context<'_>) -> Ter {
    let fields = context.tx.tx.object();
    let account = context.account();
    let accepted = credential::accepted(fields, sf::AcceptedCredentials);
    let accepted = Value::Array(credential::listed(&accepted));
    if let Some(domain) = fields.hash256(sf::DomainID) {
        let entry = context.view.update(&domain).ok_or(TxResult::tefINTERNAL)?;
        entry.set(sf::AcceptedCredentials, accepted);
        return Ok(());
    }
    check_reserve(context.info, context.account_root()?)?;
    // Until 3.1.3 a domain made with a Ticket was named by the number zero.
    let sequence = if context.info.rules.enabled(Amendment::FixCleanup3_1_3) {
        context.seq_value()
    } else {
        fields.u32(sf::Sequence).unwrap_or(0)
    };
    let at = index::permissioned_domain(&account, sequence);
    if context.view.exists(&at) {
        // A second one of that number: the server throws where it would list it twice.
        return Err(TxResult::tefEXCEPTION);
    }
    let page = context.add_to_owner_dir(&account, &at)?;
    let entry = shared::new_entry(LedgerEntryType::PermissionedDomain)
        .with(sf::Owner, account)
        .with(sf::Sequence, sequence)
        .with(sf::AcceptedCredentials, accepted)
        .with(sf::OwnerNode, page);
    context.view.insert(at, entry);
    context.adjust_owner_count_of(&account, 1)
}

/// Here it is the balance after the fee that must cover one more object.
fn check_reserve(info: &LedgerInfo, root: &Object) -> Ter {
    let owned = root.u32(sf::OwnerCount).unwrap_or(0).saturating_add(1);
    let enough = shared::balance(root) >= info.fees.account_reserve(owned);
    if enough { Ok(()) } else { Err(TxResult::tecINSUFFICIENT_RESERVE) }
}

pub(super) fn delete_apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let domain = context.fields().hash256(sf::DomainID).ok_or(TxResult::tefINTERNAL)?;
    let entry = context.view.read(&domain).ok_or(TxResult::tefINTERNAL)?;
    let page = entry.u64(sf::OwnerNode).unwrap_or(0);
    context.remove_from_owner_dir(&account, page, &domain)?;
    context.adjust_owner_count_of(&account, -1)?;
    context.view.erase(&domain);
    Ok(())
}
