//! What a transaction must cost.

use xrpl_wire::{PublicKey, TransactionType, TxResult, flags, sf};

use super::{LedgerInfo, Ter, batch, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The least fee of a transaction, in drops.
pub(in crate::embedded) fn base_fee(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> u64 {
    match tx.tx.tx_type() {
        TransactionType::SetRegularKey if is_free_key_change(state, tx) => 0,
        TransactionType::AccountDelete => info.fees.reserve_inc.get(),
        TransactionType::EscrowFinish => {
            let bytes = tx.tx.object().blob(sf::Fulfillment).map(<[u8]>::len);
            let sixteens = bytes.map_or(0, |bytes| 32 + u64::try_from(bytes / 16).unwrap_or(u64::MAX / 64));
            ordinary(info, tx).saturating_add(info.fees.base_fee.get().saturating_mul(sixteens))
        }
        TransactionType::Batch => batch::base_fee(state, info, tx),
        _ => ordinary(info, tx),
    }
}

/// One base fee, and one for each signer of a multi-signed transaction.
pub(in crate::embedded) fn ordinary(info: &LedgerInfo, tx: &Submitted) -> u64 {
    let signers = tx.tx.object().array(sf::Signers).map_or(0, <[_]>::len);
    let times = u64::try_from(signers).unwrap_or(u64::MAX).saturating_add(1);
    info.fees.base_fee.get().saturating_mul(times)
}

/// The fee must be enough, where the ledger is open, and who pays it must have it. A batch pays for what is within it.
pub(super) fn check(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    if tx.batch.is_some() {
        return Ok(());
    }
    let fee = tx.tx.fee().get();
    if info.open && fee < base_fee(state, info, tx) {
        return Err(TxResult::telINSUF_FEE_P);
    }
    if fee == 0 {
        return Ok(());
    }
    let root = state.object(&tx.sender_index).ok_or(TxResult::terNO_ACCOUNT)?;
    let balance = shared::balance(root);
    if balance >= fee {
        return Ok(());
    }
    if balance > 0 && !info.open { Err(TxResult::tecINSUFF_FEE) } else { Err(TxResult::terINSUF_FEE_B) }
}

/// One change of the regular key is free, signed with the master key, until somebody pays the account.
fn is_free_key_change(state: &StateMap, tx: &Submitted) -> bool {
    let account = tx.tx.account();
    let key = tx.tx.object().blob(sf::SigningPubKey).unwrap_or_default();
    let by_master = PublicKey::from_slice(key).is_ok_and(|key| key.account_id() == account);
    by_master
        && state
            .object(&tx.account_index)
            .is_some_and(|root| !shared::has_flag(root, flags::lsfPasswordSpent))
}
