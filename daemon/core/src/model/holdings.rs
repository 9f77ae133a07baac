//! What accounts have, and can pay with.

use xrpl_wire::flags::lsfGlobalFreeze;

use crate::model::observe::TrustLineView;
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset, Drops};

impl State {
    /// An account's XRP; zero where the account is not on the ledger.
    #[must_use]
    pub fn balance(&self, account: &AccountId) -> Drops {
        self.accounts.get(account).and_then(|view| view.root).map_or(Drops::ZERO, |root| root.balance)
    }

    /// What an account has of an asset that it can pay others with: of an issued currency what its trust line holds, and nothing
    /// where it has none or that is frozen. `None` where the account is not on the ledger, where its trust lines were not read,
    /// and for what is not followed.
    #[must_use]
    pub fn holding(&self, account: &AccountId, asset: Asset) -> Option<Amount> {
        let view = self.accounts.get(account)?;
        let root = view.root?;
        match asset {
            Asset::Xrp => Some(Amount::Xrp(root.balance)),
            Asset::Issued { .. } => {
                let held = view.held(asset)?;
                Some(if self.is_frozen(account, asset) { asset.nothing() } else { held })
            }
            Asset::Mpt(_) => None,
        }
    }

    /// Whether what an account has by its trust line can be paid back to its issuer and to nobody else: the line is frozen, or, as
    /// far as the issuer's account is seen, all that it has issued.
    #[must_use]
    pub fn is_frozen(&self, account: &AccountId, asset: Asset) -> bool {
        let Asset::Issued { issuer, .. } = asset else { return false };
        let line = self.trust_line(account, asset);
        let root = || self.accounts.get(&issuer).and_then(|view| view.root);
        line.is_some_and(|line| line.frozen || line.deep_frozen)
            || root().is_some_and(|root| root.flags & lsfGlobalFreeze != 0)
    }

    /// The trust line of an account for an asset, where its lines were read and it has that one.
    #[must_use]
    pub fn trust_line(&self, account: &AccountId, asset: Asset) -> Option<&TrustLineView> {
        self.accounts.get(account)?.trust_lines.as_ref()?.get(&asset)
    }

    /// The trust lines of an account, as far as they were read.
    pub fn trust_lines(&self, account: &AccountId) -> impl Iterator<Item = (&Asset, &TrustLineView)> {
        self.accounts.get(account).and_then(|view| view.trust_lines.as_ref()).into_iter().flatten()
    }
}
