//! Escrow of issued currencies: the amount leaves the sender's trust line and waits in the Escrow.

use xrpl_wire::{AccountId, IouValue, IssuedAmount, TxResult, flags, index, sf};

use super::quantity::Quantity;
use super::table::Table;
use super::trust::{self, NewLine, PARITY};
use super::{Context, LedgerInfo, Ter, shared};
use crate::embedded::state::StateMap;

pub(super) fn create_preclaim(
    state: &StateMap,
    info: &LedgerInfo,
    account: &AccountId,
    destination: &AccountId,
    amount: &IssuedAmount,
) -> Ter {
    if amount.issuer == *account {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let issuer = state.object(&index::account_root(&amount.issuer)).ok_or(TxResult::tecNO_ISSUER)?;
    if !shared::has_flag(issuer, flags::lsfAllowTrustLineLocking) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let line_index = index::trust_line(account, &amount.issuer, &amount.currency);
    let line = state.object(&line_index).ok_or(TxResult::tecNO_LINE)?;
    // The other way round the account would be the one that issued.
    if trust::balance_of(line, account, &amount.issuer).is_negative() {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let view = Table::new(state);
    for party in [account, destination] {
        trust::require_auth(&view, amount, party)?;
    }
    for party in [account, destination] {
        if trust::is_frozen(&view, amount, party) {
            return Err(TxResult::tecFROZEN);
        }
    }
    let spendable = trust::holds(&view, account, &amount.issuer, &amount.currency);
    if spendable <= IouValue::ZERO || spendable < amount.value {
        return Err(TxResult::tecINSUFFICIENT_FUNDS);
    }
    if !trust::can_add(info.math(), spendable, amount.value) {
        return Err(TxResult::tecPRECISION_LOSS);
    }
    Ok(())
}

pub(super) fn finish_preclaim(state: &StateMap, destination: &AccountId, amount: &IssuedAmount) -> Ter {
    if amount.issuer == *destination {
        return Ok(());
    }
    let view = Table::new(state);
    trust::require_auth(&view, amount, destination)?;
    if trust::is_deep_frozen(&view, amount, destination) {
        return Err(TxResult::tecFROZEN);
    }
    Ok(())
}

pub(super) fn cancel_preclaim(state: &StateMap, owner: &AccountId, amount: &IssuedAmount) -> Ter {
    if amount.issuer == *owner {
        return Err(TxResult::tecINTERNAL);
    }
    trust::require_auth(&Table::new(state), amount, owner)
}

/// Takes the amount off the sender's line.
pub(super) fn lock(context: &mut Context<'_>, account: &AccountId, amount: &IssuedAmount) -> Ter {
    if amount.issuer == *account {
        return Err(TxResult::tecINTERNAL);
    }
    context.credit_line(account, &amount.issuer, &amount.currency, amount.value)
}

/// Puts the amount, less the transfer fee, on the receiver's line. `create_line` says that the receiver itself
/// sent the transaction, and so agrees to a new line or to one over its limit.
pub(super) fn unlock(
    context: &mut Context<'_>,
    locked_rate: Option<u32>,
    amount: &IssuedAmount,
    sender: &AccountId,
    receiver: &AccountId,
    create_line: bool,
) -> Ter {
    let issuer = amount.issuer;
    if issuer == *sender {
        return Err(TxResult::tecINTERNAL);
    }
    if issuer == *receiver {
        return Ok(());
    }
    let line_index = index::trust_line(receiver, &issuer, &amount.currency);
    if !context.view.exists(&line_index) {
        if !create_line {
            return Err(TxResult::tecNO_LINE);
        }
        create(context, receiver, amount)?;
    }
    let rate = trust::transfer_rate(&context.view, &issuer).min(locked_rate.unwrap_or(PARITY));
    let math = context.info.math();
    let mut value = amount.value;
    if rate != PARITY {
        let kept = math.over_rate_up(Quantity::Iou(value), rate)?.iou();
        let taken = math.sub_iou(value, kept)?;
        value = math.sub_iou(value, taken)?;
    }
    if !create_line {
        let line = context.view.read(&line_index).ok_or(TxResult::tecINTERNAL)?;
        let limit = trust::value(line, trust::side(receiver, &issuer).limit);
        let after = math.add_iou(trust::balance_of(line, receiver, &issuer), value)?;
        if limit < after {
            return Err(TxResult::tecLIMIT_EXCEEDED);
        }
    }
    context.credit_line(&issuer, receiver, &amount.currency, value)
}

fn create(context: &mut Context<'_>, receiver: &AccountId, amount: &IssuedAmount) -> Ter {
    let root = context.view.read(&index::account_root(receiver)).ok_or(TxResult::tecNO_DST)?;
    let owner_count = root.u32(sf::OwnerCount).unwrap_or(0);
    if context.prior_balance < context.info.fees.account_reserve(owner_count.saturating_add(1)) {
        return Err(TxResult::tecNO_LINE_INSUF_RESERVE);
    }
    let no_ripple: &[fn(&trust::Side) -> u32] =
        if shared::has_flag(root, flags::lsfDefaultRipple) { &[] } else { &[|side| side.no_ripple] };
    trust::create(
        &mut context.view,
        context.info,
        &NewLine {
            of: *receiver,
            peer: amount.issuer,
            currency: amount.currency,
            balance: IouValue::ZERO,
            limit: IouValue::ZERO,
            quality_in: 0,
            quality_out: 0,
            flags: no_ripple,
        },
    )
}
