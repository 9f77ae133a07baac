//! CheckCreate and CheckCancel, and what a Check is. See `check_cash` for the rest of its life.

use xrpl_wire::{Amount, Hash256, LedgerEntryType, Object, TxResult, flags, index, sf};

use super::holdings::{Holdings, account_has};
use super::table::Table;
use super::trust;
use super::{Context, LedgerInfo, Ter, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// An amount that a Check may be made over, or cashed for.
pub(super) fn check_amount(amount: &Amount) -> Ter {
    if amount.is_zero() || amount.is_negative() {
        return Err(TxResult::temBAD_AMOUNT);
    }
    if trust::is_bad_currency(amount) { Err(TxResult::temBAD_CURRENCY) } else { Ok(()) }
}

pub(super) fn create_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    if object.account(sf::Destination) == Some(tx.tx.account()) {
        return Err(TxResult::temREDUNDANT);
    }
    check_amount(&object.amount(sf::SendMax).ok_or(TxResult::temBAD_AMOUNT)?)?;
    if object.u32(sf::Expiration) == Some(0) { Err(TxResult::temBAD_EXPIRATION) } else { Ok(()) }
}

pub(super) fn create_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let destination = object.account(sf::Destination).ok_or(TxResult::tecNO_DST)?;
    let to = state.object(&index::account_root(&destination)).ok_or(TxResult::tecNO_DST)?;
    if shared::has_flag(to, flags::lsfDisallowIncomingCheck) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if shared::has_flag(to, flags::lsfRequireDestTag) && !object.has(sf::DestinationTag) {
        return Err(TxResult::tecDST_TAG_NEEDED);
    }
    let view = Table::new(state);
    let send_max = object.amount(sf::SendMax).ok_or(TxResult::temBAD_AMOUNT)?;
    Holdings { view: &view, info }.check_global_freeze(&send_max.issue())?;
    if let Amount::Issued(amount) = &send_max {
        // Neither may the issuer have frozen the sender, nor the destination its own line.
        let source = tx.tx.account();
        let issuer = amount.issuer;
        for (by, other) in [(issuer, source), (destination, issuer)] {
            let line = state.object(&index::trust_line(&by, &other, &amount.currency));
            if by != other && line.is_some_and(|line| shared::has_flag(line, trust::side(&by, &other).freeze))
            {
                return Err(TxResult::tecFROZEN);
            }
        }
    }
    if info.has_passed(object.u32(sf::Expiration)) { Err(TxResult::tecEXPIRED) } else { Ok(()) }
}

pub(super) fn create_apply(context: &mut Context<'_>) -> Ter {
    context.check_reserve_for_one_more()?;
    let account = context.account();
    let sequence = context.seq_value();
    let at = index::check(&account, sequence);
    let fields = context.tx.tx.object();
    let destination = fields.account(sf::Destination).ok_or(TxResult::tefINTERNAL)?;
    let mut entry =
        shared::new_entry(LedgerEntryType::Check).with(sf::Account, account).with(sf::Sequence, sequence);
    let copied =
        [sf::Destination, sf::SendMax, sf::SourceTag, sf::DestinationTag, sf::InvoiceID, sf::Expiration];
    for field in copied {
        if let Some(value) = fields.get(field) {
            entry.set(field, value.clone());
        }
    }
    let page = context.add_to_owner_dir(&destination, &at)?;
    entry.set(sf::DestinationNode, page);
    let page = context.add_to_owner_dir(&account, &at)?;
    entry.set(sf::OwnerNode, page);
    context.view.insert(at, entry);
    context.adjust_owner_count_of(&account, 1)
}

/// The Check that a transaction names.
pub(super) fn named<'s>(state: &'s StateMap, tx: &Submitted) -> Result<&'s Object, TxResult> {
    let entry = tx.tx.object().hash256(sf::CheckID).and_then(|at| state.object(&at));
    shared::of_kind(entry, LedgerEntryType::Check).ok_or(TxResult::tecNO_ENTRY)
}

pub(super) fn cancel_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let check = named(state, tx)?;
    let account = Some(tx.tx.account());
    // What has expired anybody may clear away.
    if info.has_passed(check.u32(sf::Expiration))
        || check.account(sf::Account) == account
        || check.account(sf::Destination) == account
    {
        return Ok(());
    }
    Err(TxResult::tecNO_PERMISSION)
}

pub(super) fn cancel_apply(context: &mut Context<'_>) -> Ter {
    let at = context.fields().hash256(sf::CheckID).ok_or(TxResult::tecNO_ENTRY)?;
    remove(&mut context.view, &at)
}

/// Removes a Check from both directories and from its owner's count.
pub(super) fn remove(view: &mut Table<'_>, at: &Hash256) -> Ter {
    let check = view.read(at).ok_or(TxResult::tecNO_ENTRY)?;
    let owner = check.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let destination = check.account(sf::Destination).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = check.u64(sf::OwnerNode).unwrap_or(0);
    let destination_page = check.u64(sf::DestinationNode).unwrap_or(0);
    if owner != destination {
        super::directory::remove(view, &index::owner_dir(&destination), destination_page, at, true)?;
    }
    super::directory::remove(view, &index::owner_dir(&owner), page, at, true)?;
    view.adjust_owner_count(&owner, -1)?;
    view.erase(at);
    Ok(())
}

/// Whether an issuer asks that its holders be authorized, and this account is not.
pub(super) fn lacks_auth(
    view: &Table<'_>,
    amount: &xrpl_wire::IssuedAmount,
    account: &xrpl_wire::AccountId,
) -> bool {
    if !account_has(view, &amount.issuer, flags::lsfRequireAuth) {
        return false;
    }
    let line = view.read(&index::trust_line(account, &amount.issuer, &amount.currency));
    !line.is_some_and(|line| shared::has_flag(line, trust::side(&amount.issuer, account).auth))
}
