//! EscrowCreate, EscrowFinish and EscrowCancel.

use xrpl_wire::{Amount, LedgerEntryType, Object, TxResult, condition, flags, index, sf};

use super::holdings::Holdings;
use super::quantity::PARITY;
use super::{Context, LedgerInfo, Ter, credential, directory, mpt_escrow, shared, token_escrow};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(super) fn create_preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let amount = object.amount(sf::Amount).ok_or(TxResult::temBAD_AMOUNT)?;
    match amount {
        Amount::Xrp(_) => {}
        Amount::Issued(_) if info.rules.enabled(Amendment::TokenEscrow) => {
            if amount.is_zero() || amount.is_negative() {
                return Err(TxResult::temBAD_AMOUNT);
            }
            if super::trust::is_bad_currency(&amount) {
                return Err(TxResult::temBAD_CURRENCY);
            }
        }
        Amount::Mpt(_) if info.rules.enabled(Amendment::TokenEscrow) => {
            if !info.rules.enabled(Amendment::MPTokensV1) {
                return Err(TxResult::temDISABLED);
            }
            if amount.is_zero() || amount.is_negative() {
                return Err(TxResult::temBAD_AMOUNT);
            }
        }
        Amount::Issued(_) | Amount::Mpt(_) => return Err(TxResult::temBAD_AMOUNT),
    }
    if amount.is_zero() {
        return Err(TxResult::temBAD_AMOUNT);
    }
    let (finish, cancel) = (object.u32(sf::FinishAfter), object.u32(sf::CancelAfter));
    match (finish, cancel) {
        (None, None) => return Err(TxResult::temBAD_EXPIRATION),
        (Some(finish), Some(cancel)) if cancel <= finish => return Err(TxResult::temBAD_EXPIRATION),
        _ => {}
    }
    let given = object.blob(sf::Condition);
    if finish.is_none() && given.is_none() {
        return Err(TxResult::temMALFORMED);
    }
    if given.is_some_and(|bytes| condition::parse_condition(bytes).is_err()) {
        return Err(TxResult::temMALFORMED);
    }
    Ok(())
}

pub(super) fn create_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let destination = object.account(sf::Destination).ok_or(TxResult::tecNO_DST)?;
    if !state.contains(&index::account_root(&destination)) {
        return Err(TxResult::tecNO_DST);
    }
    match object.amount(sf::Amount) {
        Some(Amount::Issued(amount)) => {
            token_escrow::create_preclaim(state, info, &tx.tx.account(), &destination, &amount)
        }
        Some(Amount::Mpt(amount)) => {
            mpt_escrow::create_preclaim(state, info, &tx.tx.account(), &destination, &amount)
        }
        _ => Ok(()),
    }
}

pub(super) fn create_apply(context: &mut Context<'_>) -> Ter {
    let now = context.info.parent_close_time;
    let fields = context.tx.tx.object();
    let times = [sf::CancelAfter, sf::FinishAfter];
    if times.into_iter().filter_map(|field| fields.u32(field)).any(|time| now > time) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let amount = fields.amount(sf::Amount).ok_or(TxResult::tefINTERNAL)?;
    let account = context.account();
    let root = context.account_root()?;
    let balance = shared::balance(root);
    let owner_count = root.u32(sf::OwnerCount).unwrap_or(0);
    let reserve = context.info.fees.account_reserve(owner_count.saturating_add(1));
    if balance < reserve {
        return Err(TxResult::tecINSUFFICIENT_RESERVE);
    }
    if let Amount::Xrp(drops) = amount
        && balance < reserve.saturating_add(drops.get())
    {
        return Err(TxResult::tecUNFUNDED);
    }
    let destination = fields.account(sf::Destination).ok_or(TxResult::tefINTERNAL)?;
    let to = context.view.read(&index::account_root(&destination)).ok_or(TxResult::tecNO_DST)?;
    if shared::has_flag(to, flags::lsfRequireDestTag) && !fields.has(sf::DestinationTag) {
        return Err(TxResult::tecDST_TAG_NEEDED);
    }

    let number = match context.tx.tx.seq() {
        xrpl_wire::SeqProxy::Sequence(number) | xrpl_wire::SeqProxy::Ticket(number) => number,
    };
    let escrow_index = index::escrow(&account, number);
    let mut escrow = shared::new_entry(LedgerEntryType::Escrow)
        .with(sf::Account, account)
        .with(sf::Destination, destination)
        .with(sf::Amount, amount);
    let copied = [sf::Condition, sf::SourceTag, sf::DestinationTag, sf::CancelAfter, sf::FinishAfter];
    for field in copied {
        if let Some(value) = fields.get(field) {
            escrow.set(field, value.clone());
        }
    }
    if context.info.rules.enabled(Amendment::FixIncludeKeyletFields) {
        escrow.set(sf::Sequence, number);
    }
    // What the issuer takes today is the most that will be taken when the escrow is finished.
    let rate = Holdings { view: &context.view, info: context.info }.transfer_rate(&amount.issue());
    if rate != PARITY {
        escrow.set(sf::TransferRate, rate);
    }
    let page = context.add_to_owner_dir(&account, &escrow_index)?;
    escrow.set(sf::OwnerNode, page);
    if destination != account {
        let page = context.add_to_owner_dir(&destination, &escrow_index)?;
        escrow.set(sf::DestinationNode, page);
    }
    match &amount {
        Amount::Xrp(drops) => {
            let left = balance.checked_sub(drops.get()).ok_or(TxResult::tefINTERNAL)?;
            let left = shared::drops(left)?;
            context.account_mut()?.set(sf::Balance, left);
        }
        Amount::Issued(issued) => {
            if issued.issuer != account && issued.issuer != destination {
                let page = context.add_to_owner_dir(&issued.issuer, &escrow_index)?;
                escrow.set(sf::IssuerNode, page);
            }
            token_escrow::lock(context, &account, issued)?;
        }
        Amount::Mpt(amount) => mpt_escrow::lock(context, &account, amount)?,
    }
    context.view.insert(escrow_index, escrow);
    context.adjust_owner_count_of(&account, 1)
}

pub(super) fn finish_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    if object.has(sf::Condition) != object.has(sf::Fulfillment) {
        return Err(TxResult::temMALFORMED);
    }
    credential::preflight_ids(tx)
}

/// The index of the escrow that a finish or a cancel names, and the escrow.
fn named<'s>(state: &'s StateMap, tx: &Submitted) -> Result<&'s Object, TxResult> {
    state.object(&named_index(tx)?).ok_or(TxResult::tecNO_TARGET)
}

fn named_index(tx: &Submitted) -> Result<xrpl_wire::Hash256, TxResult> {
    let object = tx.tx.object();
    let owner = object.account(sf::Owner).ok_or(TxResult::tefINTERNAL)?;
    let number = object.u32(sf::OfferSequence).ok_or(TxResult::tefINTERNAL)?;
    Ok(index::escrow(&owner, number))
}

pub(super) fn finish_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    credential::preclaim_ids(state, tx)?;
    if !info.rules.enabled(Amendment::TokenEscrow) {
        return Ok(());
    }
    let escrow = named(state, tx)?;
    match (escrow.amount(sf::Amount), escrow.account(sf::Destination)) {
        (Some(Amount::Issued(amount)), Some(destination)) => {
            token_escrow::finish_preclaim(state, &destination, &amount)
        }
        (Some(Amount::Mpt(amount)), Some(destination)) => {
            mpt_escrow::finish_preclaim(state, info, &destination, &amount)
        }
        _ => Ok(()),
    }
}

pub(super) fn finish_apply(context: &mut Context<'_>) -> Ter {
    let escrow_index = named_index(context.tx)?;
    let escrow = context.view.read(&escrow_index).ok_or(TxResult::tecNO_TARGET)?.clone();
    let now = context.info.parent_close_time;
    if escrow.u32(sf::FinishAfter).is_some_and(|time| now <= time)
        || escrow.u32(sf::CancelAfter).is_some_and(|time| now > time)
    {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let given = context.fields().blob(sf::Condition);
    if given.is_some() && !context.tx.fulfillment_matches() {
        return Err(TxResult::tecCRYPTOCONDITION_ERROR);
    }
    if escrow.blob(sf::Condition) != given {
        return Err(TxResult::tecCRYPTOCONDITION_ERROR);
    }
    // An escrow cannot make an account. The one that is there counts as touched, whatever is paid out: the
    // metadata shows it.
    let destination = escrow.account(sf::Destination).ok_or(TxResult::tefBAD_LEDGER)?;
    if context.view.update(&index::account_root(&destination)).is_none() {
        return Err(TxResult::tecNO_DST);
    }
    context.verify_deposit_preauth(&context.account(), &destination)?;

    let owner = escrow.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    unlist(context, &escrow, &escrow_index)?;
    match escrow.amount(sf::Amount) {
        Some(Amount::Xrp(drops)) => context.credit(&destination, drops.get())?,
        Some(Amount::Issued(amount)) => {
            let create_line = destination == context.account();
            let rate = escrow.u32(sf::TransferRate);
            token_escrow::unlock(context, rate, &amount, &owner, &destination, create_line)?;
            unlist_from_issuer(context, &escrow, &escrow_index, &amount.issuer)?;
        }
        Some(Amount::Mpt(amount)) => {
            let create_token = destination == context.account();
            let rate = escrow.u32(sf::TransferRate);
            mpt_escrow::unlock(context, rate, &amount, &owner, &destination, create_token)?;
        }
        None => return Err(TxResult::tefBAD_LEDGER),
    }
    context.adjust_owner_count_of(&owner, -1)?;
    context.view.erase(&escrow_index);
    Ok(())
}

pub(super) fn cancel_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    if !info.rules.enabled(Amendment::TokenEscrow) {
        return Ok(());
    }
    let escrow = named(state, tx)?;
    match (escrow.amount(sf::Amount), escrow.account(sf::Account)) {
        (Some(Amount::Issued(amount)), Some(owner)) => token_escrow::cancel_preclaim(state, &owner, &amount),
        (Some(Amount::Mpt(amount)), Some(owner)) => mpt_escrow::cancel_preclaim(state, info, &owner, &amount),
        _ => Ok(()),
    }
}

pub(super) fn cancel_apply(context: &mut Context<'_>) -> Ter {
    let escrow_index = named_index(context.tx)?;
    let escrow = context.view.read(&escrow_index).ok_or(TxResult::tecNO_TARGET)?.clone();
    let now = context.info.parent_close_time;
    if escrow.u32(sf::CancelAfter).is_none_or(|time| now <= time) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let owner = escrow.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    unlist(context, &escrow, &escrow_index)?;
    match escrow.amount(sf::Amount) {
        Some(Amount::Xrp(drops)) => context.credit(&owner, drops.get())?,
        Some(Amount::Issued(amount)) => {
            let create_line = owner == context.account();
            let line = index::trust_line(&owner, &amount.issuer, &amount.currency);
            if create_line
                && !context.view.exists(&line)
                && !context.info.rules.enabled(Amendment::FixCleanup3_2_0)
            {
                // The server looks for the owner's reserve in the wrong entry.
                return Err(TxResult::tefEXCEPTION);
            }
            token_escrow::unlock(context, None, &amount, &owner, &owner, create_line)?;
            unlist_from_issuer(context, &escrow, &escrow_index, &amount.issuer)?;
        }
        Some(Amount::Mpt(amount)) => {
            mpt_escrow::unlock(context, None, &amount, &owner, &owner, owner == context.account())?;
        }
        None => return Err(TxResult::tefBAD_LEDGER),
    }
    context.adjust_owner_count_of(&owner, -1)?;
    context.view.erase(&escrow_index);
    Ok(())
}

/// Takes an escrow out of its owner's and its destination's directories.
fn unlist(context: &mut Context<'_>, escrow: &Object, escrow_index: &xrpl_wire::Hash256) -> Ter {
    let owner = escrow.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = escrow.u64(sf::OwnerNode).unwrap_or(0);
    directory::remove(&mut context.view, &index::owner_dir(&owner), page, escrow_index, true)?;
    if let Some(page) = escrow.u64(sf::DestinationNode) {
        let destination = escrow.account(sf::Destination).ok_or(TxResult::tefBAD_LEDGER)?;
        directory::remove(&mut context.view, &index::owner_dir(&destination), page, escrow_index, true)?;
    }
    Ok(())
}

fn unlist_from_issuer(
    context: &mut Context<'_>,
    escrow: &Object,
    escrow_index: &xrpl_wire::Hash256,
    issuer: &xrpl_wire::AccountId,
) -> Ter {
    match escrow.u64(sf::IssuerNode) {
        Some(page) => {
            directory::remove(&mut context.view, &index::owner_dir(issuer), page, escrow_index, true)
        }
        None => Ok(()),
    }
}
