//! SetRegularKey.

use xrpl_wire::{TxResult, flags, index, sf};

use super::{Context, Ter, shared};
use crate::embedded::submitted::Submitted;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    if tx.tx.object().account(sf::RegularKey) == Some(tx.tx.account()) {
        return Err(TxResult::temBAD_REGKEY);
    }
    Ok(())
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let key = context.fields().account(sf::RegularKey);
    let free = context.base_fee == 0;
    let has_list = context.view.exists(&index::signer_list(&context.account()));
    let root = context.account_mut()?;
    if free {
        shared::set_flag(root, flags::lsfPasswordSpent, true);
    }
    match key {
        Some(key) => root.set(sf::RegularKey, key),
        None if shared::has_flag(root, flags::lsfDisableMaster) && !has_list => {
            return Err(TxResult::tecNO_ALTERNATIVE_KEY);
        }
        None => {
            root.remove(sf::RegularKey);
        }
    }
    Ok(())
}
