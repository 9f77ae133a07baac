//! Directories: chains of pages that list what an account owns.

use xrpl_wire::{Hash256, LedgerEntryType, Object, TxResult, Value, index, sf};

use super::table::Table;
use super::{LedgerInfo, Ter, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;

/// How many entries a page holds.
const PAGE_ENTRIES: usize = 32;

/// Pages an account's directory may have where the amendment fixDirectoryLimit is not in force.
const MAX_PAGES: u64 = 262_144;

/// The entries listed on a page.
fn entries(page: &Object) -> Vec<Hash256> {
    page.vector256(sf::Indexes).map(<[Hash256]>::to_vec).unwrap_or_default()
}

fn link(page: &Object, field: xrpl_wire::Field) -> u64 {
    page.u64(field).unwrap_or(0)
}

/// Adds an entry to the last page, in the order of indexes, or to a new page if that one is full. Answers
/// with the page's number.
pub(super) fn insert(
    view: &mut Table<'_>,
    root: &Hash256,
    entry: &Hash256,
    info: &LedgerInfo,
    describe: impl Fn(&mut Object),
) -> Result<u64, TxResult> {
    add(view, root, entry, info, describe, |listed| {
        // An older page may stand in another order.
        listed.sort_unstable();
        listed.partition_point(|other| other < entry)
    })
}

/// Adds an entry behind all others, as order books do.
pub(super) fn append(
    view: &mut Table<'_>,
    root: &Hash256,
    entry: &Hash256,
    info: &LedgerInfo,
    describe: impl Fn(&mut Object),
) -> Result<u64, TxResult> {
    add(view, root, entry, info, describe, |listed| listed.len())
}

fn add(
    view: &mut Table<'_>,
    root: &Hash256,
    entry: &Hash256,
    info: &LedgerInfo,
    describe: impl Fn(&mut Object),
    place: impl Fn(&mut Vec<Hash256>) -> usize,
) -> Result<u64, TxResult> {
    let Some(root_page) = view.read(root) else {
        let mut page = new_page(root, entry, info);
        describe(&mut page);
        view.insert(*root, page);
        return Ok(0);
    };
    let last = link(root_page, sf::IndexPrevious);
    let last_index = index::dir_page(root, last);
    let page = view.update(&last_index).ok_or(TxResult::tefBAD_LEDGER)?;
    let mut listed = entries(page);
    if listed.len() < PAGE_ENTRIES {
        let at = place(&mut listed);
        listed.insert(at, *entry);
        page.set(sf::Indexes, Value::Vector256(listed));
        return Ok(last);
    }
    let next = last.checked_add(1).ok_or(TxResult::tecDIR_FULL)?;
    if next >= MAX_PAGES && !info.rules.enabled(Amendment::FixDirectoryLimit) {
        return Err(TxResult::tecDIR_FULL);
    }
    page.set(sf::IndexNext, next);
    view.update(root).ok_or(TxResult::tefBAD_LEDGER)?.set(sf::IndexPrevious, next);
    let mut page = new_page(root, entry, info);
    // The link back to the root is left out, as zero.
    if next != 1 {
        page.set(sf::IndexPrevious, next - 1);
    }
    describe(&mut page);
    view.insert(index::dir_page(root, next), page);
    Ok(next)
}

/// Removes an entry from its page, and the page if that leaves it empty. The root page stays while other
/// pages follow it, and always if `keep_root`.
pub(super) fn remove(
    view: &mut Table<'_>,
    root: &Hash256,
    page_number: u64,
    entry: &Hash256,
    keep_root: bool,
) -> Ter {
    let bad = TxResult::tefBAD_LEDGER;
    let page_index = index::dir_page(root, page_number);
    let page = view.update(&page_index).ok_or(bad)?;
    let mut listed = entries(page);
    let at = listed.iter().position(|other| other == entry).ok_or(bad)?;
    listed.remove(at);
    let empty = listed.is_empty();
    page.set(sf::Indexes, Value::Vector256(listed));
    if !empty {
        return Ok(());
    }
    let (previous, mut next) = (link(page, sf::IndexPrevious), link(page, sf::IndexNext));
    if page_number == 0 {
        let alone = drop_empty_last_page(view, root, previous, next)?;
        if alone && !keep_root {
            view.erase(root);
        }
        return Ok(());
    }

    let previous_index = index::dir_page(root, previous);
    let next_index = index::dir_page(root, next);
    view.update(&previous_index).ok_or(bad)?.set(sf::IndexNext, next);
    view.update(&next_index).ok_or(bad)?.set(sf::IndexPrevious, previous);
    view.erase(&page_index);

    // A last page left empty goes too.
    let next_page = view.read(&next_index).ok_or(bad)?;
    if next != 0 && link(next_page, sf::IndexNext) == 0 && entries(next_page).is_empty() {
        view.erase(&next_index);
        view.update(&previous_index).ok_or(bad)?.set(sf::IndexNext, 0u64);
        view.update(root).ok_or(bad)?.set(sf::IndexPrevious, previous);
        next = 0;
    }
    if !keep_root && next == 0 && previous == 0 {
        let root_page = view.read(root).ok_or(bad)?;
        if entries(root_page).is_empty() {
            view.erase(root);
        }
    }
    Ok(())
}

/// Removes the root page if the directory is empty. False if it is not.
pub(super) fn remove_empty_root(view: &mut Table<'_>, root: &Hash256) -> Result<bool, TxResult> {
    let page = view.read(root).ok_or(TxResult::tefBAD_LEDGER)?;
    if !entries(page).is_empty() {
        return Ok(false);
    }
    let (previous, next) = (link(page, sf::IndexPrevious), link(page, sf::IndexNext));
    let alone = drop_empty_last_page(view, root, previous, next)?;
    if alone {
        view.erase(root);
    }
    Ok(alone)
}

/// Whether the root, left empty, is the only page; an empty second and last page is removed first.
fn drop_empty_last_page(
    view: &mut Table<'_>,
    root: &Hash256,
    previous: u64,
    next: u64,
) -> Result<bool, TxResult> {
    if next == 0 && previous == 0 {
        return Ok(true);
    }
    if next != previous {
        return Ok(false);
    }
    let last_index = index::dir_page(root, next);
    let last = view.read(&last_index).ok_or(TxResult::tefBAD_LEDGER)?;
    if !entries(last).is_empty() {
        return Ok(false);
    }
    let page = view.update(root).ok_or(TxResult::tefBAD_LEDGER)?;
    page.set(sf::IndexNext, 0u64);
    page.set(sf::IndexPrevious, 0u64);
    view.erase(&last_index);
    Ok(true)
}

/// All entries of a directory in a state, page after page.
pub(in crate::embedded) fn list(state: &StateMap, root: &Hash256) -> Vec<Hash256> {
    list_pages(root, |index| state.object(index))
}

/// All entries of a directory as changed so far, page after page.
pub(super) fn list_of(view: &Table<'_>, root: &Hash256) -> Vec<Hash256> {
    list_pages(root, |index| view.read(index))
}

fn list_pages<'p>(root: &Hash256, page: impl Fn(&Hash256) -> Option<&'p Object>) -> Vec<Hash256> {
    let mut all = Vec::new();
    let mut number = 0;
    while let Some(page) = page(&index::dir_page(root, number)) {
        all.extend(entries(page));
        let next = link(page, sf::IndexNext);
        // Page numbers ascend along the chain; the last page has none after it.
        if next <= number {
            break;
        }
        number = next;
    }
    all
}

fn new_page(root: &Hash256, entry: &Hash256, info: &LedgerInfo) -> Object {
    let mut page = shared::new_entry(LedgerEntryType::DirectoryNode)
        .with(sf::RootIndex, *root)
        .with(sf::Indexes, Value::Vector256(vec![*entry]));
    // Here they are optional fields, set when a transaction is threaded to the page.
    if !info.rules.enabled(Amendment::FixPreviousTxnID) || info.open {
        page.remove(sf::PreviousTxnID);
        page.remove(sf::PreviousTxnLgrSeq);
    }
    page
}
