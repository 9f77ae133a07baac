//! Clawback: an issuer takes its currency or token back.

use xrpl_wire::{AccountId, Amount, IssuedAmount, TxResult, flags, index, sf};

use super::holdings::{Care, Holdings};
use super::quantity::{Quantity, min};
use super::table::Table;
use super::{Context, LedgerInfo, Ter, mpt, shared, trust};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let amount = object.amount(sf::Amount).ok_or(TxResult::temBAD_AMOUNT)?;
    let holder = object.account(sf::Holder);
    match amount {
        Amount::Mpt(_) => {
            if !info.rules.enabled(Amendment::MPTokensV1) {
                return Err(TxResult::temDISABLED);
            }
            if holder.is_none() || holder == Some(tx.tx.account()) {
                return Err(TxResult::temMALFORMED);
            }
        }
        _ if object.has(sf::Holder) => return Err(TxResult::temMALFORMED),
        Amount::Issued(issued) if issued.issuer != tx.tx.account() => {}
        _ => return Err(TxResult::temBAD_AMOUNT),
    }
    if amount.is_zero() || amount.is_negative() { Err(TxResult::temBAD_AMOUNT) } else { Ok(()) }
}

/// Whom it is taken from: of an issued currency the amount says it in its issuer's place.
fn holder(tx: &Submitted, amount: &Amount) -> Result<AccountId, TxResult> {
    match amount {
        Amount::Issued(issued) => Ok(issued.issuer),
        _ => tx.tx.object().account(sf::Holder).ok_or(TxResult::temMALFORMED),
    }
}

pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let issuer = tx.tx.account();
    let amount = tx.tx.object().amount(sf::Amount).ok_or(TxResult::temBAD_AMOUNT)?;
    let holder = holder(tx, &amount)?;
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    if !state.contains(&index::account_root(&holder)) {
        return Err(TxResult::terNO_ACCOUNT);
    }
    match &amount {
        Amount::Issued(amount) => {
            if !shared::has_flag(root, flags::lsfAllowTrustLineClawback)
                || shared::has_flag(root, flags::lsfNoFreeze)
            {
                return Err(TxResult::tecNO_PERMISSION);
            }
            let line = state.object(&index::trust_line(&holder, &issuer, &amount.currency));
            let held = trust::balance_of(line.ok_or(TxResult::tecNO_LINE)?, &holder, &issuer);
            // The other way round it is the holder that issued.
            if held.is_negative() {
                return Err(TxResult::tecNO_PERMISSION);
            }
            if held.is_zero() { Err(TxResult::tecINSUFFICIENT_FUNDS) } else { Ok(()) }
        }
        Amount::Mpt(amount) => {
            let id = &amount.issuance_id;
            let view = Table::new(state);
            let issuance = mpt::issuance(&view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
            if !shared::has_flag(issuance, flags::lsfMPTCanClawback) || mpt::issuer(id) != issuer {
                return Err(TxResult::tecNO_PERMISSION);
            }
            mpt::token(&view, id, &holder).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
            let held = mpt::held(&Holdings { view: &view, info }, &holder, id, Care::None);
            if held <= 0 { Err(TxResult::tecINSUFFICIENT_FUNDS) } else { Ok(()) }
        }
        Amount::Xrp(_) => Err(TxResult::temBAD_AMOUNT),
    }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let issuer = context.account();
    let amount = context.fields().amount(sf::Amount).ok_or(TxResult::temBAD_AMOUNT)?;
    let holder = holder(context.tx, &amount)?;
    let info = context.info;
    let held = match &amount {
        Amount::Issued(amount) => {
            let owed = Amount::Issued(IssuedAmount { issuer, ..*amount });
            Holdings { view: &context.view, info }.has(&holder, &owed.issue(), Care::None)?
        }
        other => Holdings { view: &context.view, info }.has(&holder, &other.issue(), Care::None)?,
    };
    // All there is, where more was asked for.
    let taken = min(held, Quantity::of(&amount)?);
    match &amount {
        Amount::Issued(amount) => {
            trust::credit(&mut context.view, info, &holder, &issuer, &amount.currency, taken.iou())
        }
        Amount::Mpt(amount) => {
            mpt::credit(&mut context.view, &holder, &issuer, &amount.issuance_id, taken.whole())
        }
        Amount::Xrp(_) => Err(TxResult::tecINTERNAL),
    }
}
