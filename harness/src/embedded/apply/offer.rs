//! Offers as entries: how one is removed; and OfferCancel.

use xrpl_wire::{AccountId, Hash256, Object, TxResult, index, sf};

use super::table::Table;
use super::{Context, Ter, directory};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// Removes an offer from its owner's directory and count, and from the books it stands in.
pub(super) fn remove(view: &mut Table<'_>, at: &Hash256) -> Ter {
    let offer = view.read(at).ok_or(TxResult::tefBAD_LEDGER)?;
    let owner = offer.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = offer.u64(sf::OwnerNode).unwrap_or(0);
    let mut books = vec![place(offer)?];
    for (_, book) in offer.array(sf::AdditionalBooks).unwrap_or_default() {
        books.push(place(book)?);
    }
    directory::remove(view, &index::owner_dir(&owner), page, at, false)?;
    for (book, page) in books {
        directory::remove(view, &book, page, at, false)?;
    }
    view.adjust_owner_count(&owner, -1)?;
    view.erase(at);
    Ok(())
}

/// The directory of a book that an offer stands in, and the page.
fn place(of: &Object) -> Result<(Hash256, u64), TxResult> {
    let book = of.hash256(sf::BookDirectory).ok_or(TxResult::tefBAD_LEDGER)?;
    Ok((book, of.u64(sf::BookNode).unwrap_or(0)))
}

/// The offer that a Sequence of the sender made, if it is still there.
pub(super) fn named(view: &Table<'_>, account: &AccountId, sequence: u32) -> Option<Hash256> {
    let at = index::offer(account, sequence);
    view.exists(&at).then_some(at)
}

pub(super) fn cancel_preflight(tx: &Submitted) -> Ter {
    if tx.tx.object().u32(sf::OfferSequence) == Some(0) { Err(TxResult::temBAD_SEQUENCE) } else { Ok(()) }
}

pub(super) fn cancel_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    check_made(root, tx)
}

/// What a transaction cancels must be of before it.
pub(super) fn check_made(root: &Object, tx: &Submitted) -> Ter {
    let next = root.u32(sf::Sequence).unwrap_or(0);
    match tx.tx.object().u32(sf::OfferSequence) {
        Some(sequence) if next <= sequence => Err(TxResult::temBAD_SEQUENCE),
        _ => Ok(()),
    }
}

pub(super) fn cancel_apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let sequence = context.fields().u32(sf::OfferSequence).unwrap_or(0);
    // An offer that is gone has been cancelled.
    match named(&context.view, &account, sequence) {
        Some(at) => remove(&mut context.view, &at),
        None => Ok(()),
    }
}
