//! What accounts have: of what they offer, as servers tell it beside the transaction and in order books.

use xrpl_wire::{AccountId, Amount, Drops, IouValue, Object, Transaction, TransactionType, index, sf};

use crate::embedded::{Fees, StateMap};

/// The drops of an AccountRoot above its reserve.
pub(super) fn liquid_drops(root: Option<&Object>, fees: &Fees) -> u64 {
    let balance = root.and_then(|root| root.drops(sf::Balance)).map_or(0, Drops::get);
    let owned = root.and_then(|root| root.u32(sf::OwnerCount)).unwrap_or_default();
    balance.saturating_sub(fees.account_reserve(owned))
}

/// What an account holds of its peer on their line; negative is what it owes.
pub(super) fn on_line(line: Option<&Object>, account: &AccountId, peer: &AccountId) -> IouValue {
    match line.and_then(|line| line.amount(sf::Balance)) {
        Some(Amount::Issued(balance)) if account < peer => balance.value,
        Some(Amount::Issued(balance)) => balance.value.negated(),
        _ => IouValue::default(),
    }
}

/// What who makes an offer has of what it gives, frozen or not, once the ledger's transactions are done. An issuer gives
/// what it issues, and has as much as it likes.
pub(super) fn of_offer(state: &StateMap, fees: &Fees, tx: &Transaction) -> Option<String> {
    if tx.tx_type() != TransactionType::OfferCreate {
        return None;
    }
    let owner = tx.account();
    match tx.object().amount(sf::TakerGets)? {
        Amount::Xrp(_) => {
            let root = state.object(&index::account_root(&owner));
            Some(liquid_drops(root, fees).to_string())
        }
        Amount::Issued(gives) if gives.issuer != owner => {
            let line = state.object(&index::trust_line(&owner, &gives.issuer, &gives.currency));
            Some(on_line(line, &owner, &gives.issuer).to_string())
        }
        Amount::Issued(_) | Amount::Mpt(_) => None,
    }
}
