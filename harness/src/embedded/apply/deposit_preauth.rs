//! DepositPreauth: of an account, or of all that hold certain credentials.

use xrpl_wire::{AccountId, Hash256, LedgerEntryType, TxResult, Value, index, sf};

use super::credential::{self, Accepted};
use super::{Context, Ter, directory, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::apply::LedgerInfo;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The most credentials an authorization may ask for.
const MAX_CREDENTIALS: usize = 8;

/// What the transaction needs beyond its own amendment.
pub(super) fn is_enabled(info: &LedgerInfo, tx: &Submitted) -> bool {
    let object = tx.tx.object();
    let of_credentials = object.has(sf::AuthorizeCredentials) || object.has(sf::UnauthorizeCredentials);
    !of_credentials || info.rules.enabled(Amendment::Credentials)
}

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let all = [sf::Authorize, sf::Unauthorize, sf::AuthorizeCredentials, sf::UnauthorizeCredentials];
    let mut given = all.into_iter().filter(|field| object.has(*field));
    let (Some(field), None) = (given.next(), given.next()) else { return Err(TxResult::temMALFORMED) };
    if [sf::AuthorizeCredentials, sf::UnauthorizeCredentials].contains(&field) {
        return credential::preflight_list(object, field, MAX_CREDENTIALS);
    }
    let target = object.account(field).unwrap_or(AccountId::ZERO);
    if target == AccountId::ZERO {
        return Err(TxResult::temINVALID_ACCOUNT_ID);
    }
    if field == sf::Authorize && target == tx.tx.account() {
        return Err(TxResult::temCANNOT_PREAUTH_SELF);
    }
    Ok(())
}

/// Where the authorization stands that a transaction makes or takes back.
fn named(tx: &Submitted) -> Hash256 {
    let object = tx.tx.object();
    let owner = tx.tx.account();
    if let Some(target) = object.account(sf::Authorize).or(object.account(sf::Unauthorize)) {
        return index::deposit_preauth(&owner, &target);
    }
    let field = if object.has(sf::AuthorizeCredentials) {
        sf::AuthorizeCredentials
    } else {
        sf::UnauthorizeCredentials
    };
    let credentials: Vec<Accepted<'_>> = credential::accepted(object, field).into_iter().collect();
    index::deposit_preauth_credentials(&owner, &credentials)
}

fn authorizes(tx: &Submitted) -> bool {
    let object = tx.tx.object();
    object.has(sf::Authorize) || object.has(sf::AuthorizeCredentials)
}

pub(super) fn preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    if !authorizes(tx) {
        return if state.contains(&named(tx)) { Ok(()) } else { Err(TxResult::tecNO_ENTRY) };
    }
    if let Some(target) = object.account(sf::Authorize)
        && !state.contains(&index::account_root(&target))
    {
        return Err(TxResult::tecNO_TARGET);
    }
    for (issuer, _) in credential::accepted(object, sf::AuthorizeCredentials) {
        if !state.contains(&index::account_root(&issuer)) {
            return Err(TxResult::tecNO_ISSUER);
        }
    }
    if state.contains(&named(tx)) { Err(TxResult::tecDUPLICATE) } else { Ok(()) }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let at = named(context.tx);
    if !authorizes(context.tx) {
        return remove(context, &at);
    }
    let account = context.account();
    let fields = context.tx.tx.object();
    context.check_reserve_for_one_more()?;
    let page = context.add_to_owner_dir(&account, &at)?;
    let mut entry = shared::new_entry(LedgerEntryType::DepositPreauth)
        .with(sf::Account, account)
        .with_some(sf::Authorize, fields.account(sf::Authorize))
        .with(sf::OwnerNode, page);
    if fields.has(sf::AuthorizeCredentials) {
        let listed = credential::listed(&credential::accepted(fields, sf::AuthorizeCredentials));
        entry.set(sf::AuthorizeCredentials, Value::Array(listed));
    }
    context.view.insert(at, entry);
    context.adjust_owner_count_of(&account, 1)
}

/// Removes an authorization, from its owner's directory and count too.
pub(super) fn remove(context: &mut Context<'_>, entry_index: &Hash256) -> Ter {
    let entry = context.view.read(entry_index).ok_or(TxResult::tecNO_ENTRY)?;
    let owner = entry.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = entry.u64(sf::OwnerNode).unwrap_or(0);
    directory::remove(&mut context.view, &index::owner_dir(&owner), page, entry_index, false)?;
    context.adjust_owner_count_of(&owner, -1)?;
    context.view.erase(entry_index);
    Ok(())
}
