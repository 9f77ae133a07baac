//! SignerListSet.

use xrpl_wire::{AccountId, LedgerEntryType, Object, TxResult, Value, flags, index, sf};

use super::{Context, Ter, directory, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::submitted::Submitted;

/// The most entries a list may have.
const MAX_ENTRIES: usize = 32;

/// The entries a transaction gives, ascending by account.
fn entries(tx: &Submitted) -> Result<Vec<Object>, TxResult> {
    let given = tx.tx.object().array(sf::SignerEntries).unwrap_or_default();
    if given.iter().any(|(name, _)| *name != sf::SignerEntry) {
        return Err(TxResult::temMALFORMED);
    }
    let mut entries: Vec<Object> = given.iter().map(|(_, entry)| entry.clone()).collect();
    entries.sort_by_key(account);
    Ok(entries)
}

fn account(entry: &Object) -> AccountId {
    entry.account(sf::Account).unwrap_or(AccountId::ZERO)
}

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let quorum = tx.tx.object().u32(sf::SignerQuorum).unwrap_or(0);
    match (quorum, tx.tx.object().has(sf::SignerEntries)) {
        (0, false) => return Ok(()),
        (0, true) | (_, false) => return Err(TxResult::temMALFORMED),
        (_, true) => {}
    }
    let entries = entries(tx)?;
    if !(1..=MAX_ENTRIES).contains(&entries.len()) {
        return Err(TxResult::temMALFORMED);
    }
    if entries.windows(2).any(|pair| matches!(pair, [one, other] if account(one) == account(other))) {
        return Err(TxResult::temBAD_SIGNER);
    }
    let mut weights = 0u32;
    for entry in &entries {
        let weight = u32::from(entry.u16(sf::SignerWeight).unwrap_or(0));
        if weight == 0 {
            return Err(TxResult::temBAD_WEIGHT);
        }
        weights = weights.saturating_add(weight);
        if account(entry) == tx.tx.account() {
            return Err(TxResult::temBAD_SIGNER);
        }
    }
    if weights < quorum { Err(TxResult::temBAD_QUORUM) } else { Ok(()) }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let list_index = index::signer_list(&account);
    let quorum = context.fields().u32(sf::SignerQuorum).unwrap_or(0);
    if quorum == 0 {
        let root = context.account_root()?;
        if shared::has_flag(root, flags::lsfDisableMaster) && !root.has(sf::RegularKey) {
            return Err(TxResult::tecNO_ALTERNATIVE_KEY);
        }
        return remove(context, &account);
    }
    // The old list goes first: its reserve counts for the new one.
    remove(context, &account)?;
    let owner_count = context.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
    let reserve = context.info.fees.account_reserve(owner_count.saturating_add(1));
    if context.prior_balance < reserve {
        return Err(TxResult::tecINSUFFICIENT_RESERVE);
    }
    let listed = entries(context.tx)?.into_iter().map(|entry| {
        let listed = Object::new()
            .with(sf::Account, self::account(&entry))
            .with(sf::SignerWeight, entry.u16(sf::SignerWeight).unwrap_or(0))
            .with_some(sf::WalletLocator, entry.hash256(sf::WalletLocator));
        (sf::SignerEntry, listed)
    });
    let mut list = shared::new_entry(LedgerEntryType::SignerList)
        .with(sf::Flags, flags::lsfOneOwnerCount)
        .with(sf::SignerQuorum, quorum)
        .with(sf::SignerListID, 0u32)
        .with(sf::SignerEntries, Value::Array(listed.collect()));
    if context.info.rules.enabled(Amendment::FixIncludeKeyletFields) {
        list.set(sf::Owner, account);
    }
    let page = context.add_to_owner_dir(&account, &list_index)?;
    list.set(sf::OwnerNode, page);
    context.view.insert(list_index, list);
    context.adjust_owner_count_of(&account, 1)
}

/// Removes the list of an account, if it has one, from its directory and count too.
pub(super) fn remove(context: &mut Context<'_>, owner: &AccountId) -> Ter {
    let list_index = index::signer_list(owner);
    let Some(list) = context.view.read(&list_index) else { return Ok(()) };
    let page = list.u64(sf::OwnerNode).unwrap_or(0);
    // Lists of older days counted two and one for each entry.
    let counted = if shared::has_flag(list, flags::lsfOneOwnerCount) {
        1
    } else {
        2 + i64::try_from(list.array(sf::SignerEntries).map_or(0, <[_]>::len)).unwrap_or(0)
    };
    directory::remove(&mut context.view, &index::owner_dir(owner), page, &list_index, false)?;
    context.adjust_owner_count_of(owner, -counted)?;
    context.view.erase(&list_index);
    Ok(())
}
