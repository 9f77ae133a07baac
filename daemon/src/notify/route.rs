//! The routing table: which notices go to which channels.

use std::collections::BTreeSet;

use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::units::Amount;

use super::channel::Channel;

/// Everything that the configuration says about telling people.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyConfig {
    /// Where notices can go.
    pub channels: Vec<Channel>,
    /// Which go where.
    pub routes: Vec<Route>,
    /// Seconds of waiting between two reminders; 0: none are sent.
    pub remind_seconds: u32,
}

/// Where nobody says how often people are reminded.
pub(crate) const REMIND_SECONDS: u32 = 6 * 3_600;

impl Default for NotifyConfig {
    fn default() -> Self {
        Self { channels: Vec::new(), routes: Vec::new(), remind_seconds: REMIND_SECONDS }
    }
}

/// One line of the table. A matcher that says nothing matches everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where to, by the names of channels.
    pub channels: Vec<String>,
    /// What it is about.
    pub kinds: Option<BTreeSet<Kind>>,
    /// At least so severe.
    pub severity: Severity,
    /// The treasury's accounts, by address.
    pub accounts: Option<BTreeSet<String>>,
    /// People of whom one can still sign.
    pub signers: Option<BTreeSet<String>>,
    /// More than this of the same asset; matches only what has an amount.
    pub amount_above: Option<Amount>,
}

impl Route {
    fn matches(&self, notice: &Notice) -> bool {
        let amount = || notice.amount.as_ref().and_then(|amount| Amount::try_from(amount).ok());
        let is_more = |least: &Amount| {
            let there = amount().filter(|amount| amount.issue() == least.issue());
            there.is_some_and(|amount| amount.partial_cmp(least) == Some(std::cmp::Ordering::Greater))
        };
        notice.severity >= self.severity
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&notice.kind))
            && self.accounts.as_ref().is_none_or(|accounts| {
                notice.account.as_ref().is_some_and(|account| accounts.contains(&account.address))
            })
            && self
                .signers
                .as_ref()
                .is_none_or(|people| notice.signers.iter().any(|signer| people.contains(signer)))
            && self.amount_above.as_ref().is_none_or(is_more)
    }
}

impl NotifyConfig {
    /// The channels of a notice, each once, by the order of their names.
    #[must_use]
    pub fn channels_of(&self, notice: &Notice) -> Vec<String> {
        let matching = self.routes.iter().filter(|route| route.matches(notice));
        let channels: BTreeSet<&String> = matching.flat_map(|route| &route.channels).collect();
        channels.into_iter().cloned().collect()
    }

    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}
