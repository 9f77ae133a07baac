//! What must hold after a transaction of a domain: it has touched that domain's books and no others. The server finds
//! out last of all, and fails a transaction that was fine in everything else: one that cancels an offer that stands
//! elsewhere, for one.

use std::collections::BTreeSet;

use xrpl_wire::{Hash256, LedgerEntryType, TransactionType, sf};

use super::LedgerInfo;
use super::table::Table;
use crate::embedded::amendment::Amendment;
use crate::embedded::submitted::Submitted;

/// Whether it holds.
pub(super) fn hold(view: &Table<'_>, info: &LedgerInfo, tx: &Submitted) -> bool {
    if !matches!(tx.tx.tx_type(), TransactionType::Payment | TransactionType::OfferCreate) {
        return true;
    }
    let Some(domain) = tx.tx.object().hash256(sf::DomainID) else { return true };
    let mut domains: BTreeSet<Hash256> = BTreeSet::new();
    for (_, before, after) in view.touched() {
        // What is removed counts by what it was.
        let Some(entry) = after.or(before) else { continue };
        let kind = entry.u16(sf::LedgerEntryType).and_then(LedgerEntryType::from_code);
        match (kind, entry.hash256(sf::DomainID)) {
            (Some(LedgerEntryType::Offer | LedgerEntryType::DirectoryNode), Some(domain)) => {
                domains.insert(domain);
            }
            // Since 3.2 an offer of the open book may be cancelled on the way.
            (Some(LedgerEntryType::Offer), None)
                if after.is_some() || !info.rules.enabled(Amendment::FixCleanup3_2_0) =>
            {
                return false;
            }
            _ => {}
        }
    }
    domains.iter().all(|touched| *touched == domain)
}
