//! The order books there are, by what they take.

use std::collections::{BTreeMap, BTreeSet};

use xrpl_wire::{AccountId, Currency, Field, Hash256, LedgerEntryType, Object, Value, sf};

use crate::embedded::apply::shared;
use crate::embedded::state::StateMap;

/// A currency and its issuer, who is nobody for XRP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asset {
    pub(super) currency: Currency,
    pub(super) issuer: AccountId,
}

impl Asset {
    pub(super) const XRP: Asset = Asset { currency: Currency::XRP, issuer: AccountId::ZERO };

    pub(super) fn is_xrp(&self) -> bool {
        self.currency.is_xrp()
    }
}

/// What each asset can be changed to at once.
#[derive(Debug, Default)]
pub(super) struct Books(BTreeMap<Asset, BTreeSet<Asset>>);

impl Books {
    /// The books of a state: everybody's, or those of a domain.
    pub(super) fn of(state: &StateMap, domain: Option<Hash256>) -> Books {
        let mut books = Books::default();
        for (at, entry) in state.iter() {
            let page = entry.object();
            let is_first = shared::of_kind(Some(page), LedgerEntryType::DirectoryNode).is_some()
                && page.has(sf::ExchangeRate)
                && page.hash256(sf::RootIndex) == Some(*at);
            if !is_first || page.hash256(sf::DomainID) != domain {
                continue;
            }
            let sides = (
                asset(page, sf::TakerPaysCurrency, sf::TakerPaysIssuer),
                asset(page, sf::TakerGetsCurrency, sf::TakerGetsIssuer),
            );
            if let (Some(pays), Some(gets)) = sides {
                books.0.entry(pays).or_default().insert(gets);
            }
        }
        books
    }

    /// What an asset can be changed to.
    pub(super) fn from(&self, asset: &Asset) -> impl Iterator<Item = Asset> + use<'_> {
        self.0.get(asset).into_iter().flatten().copied()
    }

    pub(super) fn count(&self, asset: &Asset) -> usize {
        self.0.get(asset).map_or(0, BTreeSet::len)
    }
}

fn asset(page: &Object, currency: Field, issuer: Field) -> Option<Asset> {
    let bytes = |field| match page.get(field) {
        Some(Value::Hash160(bytes)) => Some(*bytes),
        _ => None,
    };
    Some(Asset { currency: Currency(bytes(currency)?), issuer: AccountId(bytes(issuer)?) })
}
