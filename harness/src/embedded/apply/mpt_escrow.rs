//! Escrow of multi-purpose tokens: the amount is locked where it is, and stays outstanding.

use xrpl_wire::{AccountId, MptAmount, TxResult, flags};

use super::holdings::{Care, Holdings};
use super::quantity::{PARITY, Quantity};
use super::table::Table;
use super::{Context, LedgerInfo, Ter, mpt, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;

/// How much of a token; more than there can be is none.
fn whole(amount: &MptAmount) -> i64 {
    i64::try_from(amount.value).unwrap_or(0)
}

pub(super) fn create_preclaim(
    state: &StateMap,
    info: &LedgerInfo,
    account: &AccountId,
    destination: &AccountId,
    amount: &MptAmount,
) -> Ter {
    let id = &amount.issuance_id;
    if mpt::issuer(id) == *account {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let view = Table::new(state);
    let issuance = mpt::issuance(&view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    if !shared::has_flag(issuance, flags::lsfMPTCanEscrow) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if mpt::token(&view, id, account).is_none() {
        return Err(TxResult::tecOBJECT_NOT_FOUND);
    }
    let holdings = Holdings { view: &view, info };
    for party in [account, destination] {
        mpt::require_auth(&holdings, id, party, mpt::Auth::Weak)?;
    }
    if [account, destination].into_iter().any(|party| mpt::is_frozen(&view, id, party)) {
        return Err(TxResult::tecLOCKED);
    }
    mpt::check_transfer(&view, id, account, destination)?;
    let spendable = mpt::held(&holdings, account, id, Care::None);
    if spendable <= 0 || spendable < whole(amount) {
        return Err(TxResult::tecINSUFFICIENT_FUNDS);
    }
    Ok(())
}

pub(super) fn finish_preclaim(
    state: &StateMap,
    info: &LedgerInfo,
    destination: &AccountId,
    amount: &MptAmount,
) -> Ter {
    let id = &amount.issuance_id;
    if mpt::issuer(id) == *destination {
        return Ok(());
    }
    let view = Table::new(state);
    mpt::require_auth(&Holdings { view: &view, info }, id, destination, mpt::Auth::Weak)?;
    if mpt::is_frozen(&view, id, destination) { Err(TxResult::tecLOCKED) } else { Ok(()) }
}

pub(super) fn cancel_preclaim(
    state: &StateMap,
    info: &LedgerInfo,
    owner: &AccountId,
    amount: &MptAmount,
) -> Ter {
    let id = &amount.issuance_id;
    if mpt::issuer(id) == *owner {
        return Err(TxResult::tecINTERNAL);
    }
    let view = Table::new(state);
    mpt::require_auth(&Holdings { view: &view, info }, id, owner, mpt::Auth::Weak)
}

pub(super) fn lock(context: &mut Context<'_>, account: &AccountId, amount: &MptAmount) -> Ter {
    mpt::lock(&mut context.view, &amount.issuance_id, account, whole(amount))
}

/// Pays the amount out, less the transfer fee. `create_token` says that the receiver itself sent the transaction, and
/// so agrees to hold the token.
pub(super) fn unlock(
    context: &mut Context<'_>,
    locked_rate: Option<u32>,
    amount: &MptAmount,
    sender: &AccountId,
    receiver: &AccountId,
    create_token: bool,
) -> Ter {
    let (id, info) = (&amount.issuance_id, context.info);
    let is_issuer = mpt::issuer(id) == *receiver;
    if !is_issuer && mpt::token(&context.view, id, receiver).is_none() {
        if !create_token {
            return Err(TxResult::tecNO_PERMISSION);
        }
        context.check_reserve_for_one_more()?;
        mpt::create_token(&mut context.view, info, id, receiver)?;
    }
    let rate = mpt::transfer_rate(&context.view, id).min(locked_rate.unwrap_or(PARITY));
    let math = info.math();
    let gross = Quantity::Mpt(whole(amount));
    let net = if is_issuer { gross } else { math.over_rate_up(gross, rate)? };
    let fixed = info.rules.enabled(Amendment::FixTokenEscrowV1);
    let taken = if fixed { gross } else { net };
    let out = mpt::Unlock { id, sender, receiver, net: net.whole(), gross: taken.whole() };
    mpt::unlock(&mut context.view, &out)
}
