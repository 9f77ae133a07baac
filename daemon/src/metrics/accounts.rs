//! What the metrics say of accounts, each by its name as long as they are few.

use prometheus::{IntGaugeVec, Registry};
use treasury_core::Treasury;
use treasury_core::config::{AccountConfig, Signing};
use treasury_core::findings::{drift, settings_drift};
use treasury_core::state::State;
use treasury_core::units::{AccountId, Asset, Drops};

use super::{BALANCE, DRIFT, OPEN_DROPS, ROBBED, SETTINGS_DRIFT, TICKETS_FREE, clamp, count, gauges};

/// Accounts that have series of their own. With six series each, and ten thousand accounts, a scrape would be megabytes, and
/// Prometheus would keep a hundred thousand series of one daemon.
pub(super) const ACCOUNTS_SHOWN: usize = 200;

/// What stands for all others together. No account can have this name.
pub(super) const OTHERS: &str = "(others)";

#[derive(Debug)]
pub(super) struct Accounts {
    balance: IntGaugeVec,
    tickets_free: IntGaugeVec,
    open_drops: IntGaugeVec,
    robbed: IntGaugeVec,
    drift: IntGaugeVec,
    settings_drift: IntGaugeVec,
}

/// What stands beside one name.
#[derive(Debug, Default)]
struct Row {
    balance: u64,
    leaving: u64,
    robbed: usize,
    /// Accounts whose settings are not as declared.
    set_otherwise: usize,
    /// Free Tickets, the fewest of one account, and accounts that drift: of those with SignerLists.
    multi: Option<(usize, usize)>,
}

impl Accounts {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            balance: gauges(registry, BALANCE)?,
            tickets_free: gauges(registry, TICKETS_FREE)?,
            open_drops: gauges(registry, OPEN_DROPS)?,
            robbed: gauges(registry, ROBBED)?,
            drift: gauges(registry, DRIFT)?,
            settings_drift: gauges(registry, SETTINGS_DRIFT)?,
        })
    }

    pub(super) fn show(&self, treasury: &Treasury, state: &State) {
        let is_shown = shown(treasury);
        let mut others = None;
        for (account, declared) in &treasury.accounts {
            if is_shown(declared) {
                let mut row = Row::default();
                row.add(treasury, state, account, declared);
                self.set(&declared.name, &row);
            } else {
                others.get_or_insert_with(Row::default).add(treasury, state, account, declared);
            }
        }
        if let Some(others) = others {
            self.set(OTHERS, &others);
        }
    }

    fn set(&self, name: &str, row: &Row) {
        let label = &[name];
        self.balance.with_label_values(label).set(clamp(row.balance));
        self.open_drops.with_label_values(label).set(clamp(row.leaving));
        self.robbed.with_label_values(label).set(count(row.robbed));
        self.settings_drift.with_label_values(label).set(count(row.set_otherwise));
        if let Some((tickets, drifting)) = row.multi {
            self.tickets_free.with_label_values(label).set(count(tickets));
            self.drift.with_label_values(label).set(count(drifting));
        }
    }
}

impl Row {
    fn add(&mut self, treasury: &Treasury, state: &State, account: &AccountId, declared: &AccountConfig) {
        self.balance = self.balance.saturating_add(state.balance(account).get());
        let leaving = state.book.leaving(account, Asset::Xrp, None).drops().unwrap_or(Drops::MAX);
        self.leaving = self.leaving.saturating_add(leaving.get());
        self.robbed = self.robbed.saturating_add(usize::from(state.robbed.contains_key(account)));
        let set_otherwise = settings_drift(treasury, state, account).is_some();
        self.set_otherwise = self.set_otherwise.saturating_add(usize::from(set_otherwise));
        if declared.signing == Signing::Multi {
            let tickets = state.free_tickets(account).count();
            let drifts = usize::from(drift(treasury, state, account).is_some());
            let (fewest, drifting) = self.multi.unwrap_or((tickets, 0));
            self.multi = Some((fewest.min(tickets), drifting.saturating_add(drifts)));
        }
    }
}

/// Whether an account has series of its own: the first by tier and name.
pub(super) fn shown(treasury: &Treasury) -> impl Fn(&AccountConfig) -> bool + '_ {
    let mut places: Vec<(_, &str)> = Vec::new();
    let mut last = None;
    if treasury.accounts.len() > ACCOUNTS_SHOWN {
        places.extend(treasury.accounts.values().map(|declared| (declared.tier, declared.name.as_str())));
        let (_, place, _) = places.select_nth_unstable(ACCOUNTS_SHOWN.saturating_sub(1));
        last = Some(*place);
    }
    move |declared| last.is_none_or(|last| (declared.tier, declared.name.as_str()) <= last)
}

#[cfg(test)]
mod tests {
    use treasury_core::config::Tier;

    use super::*;
    use crate::metrics::Metrics;
    use crate::testing;

    /// Danger: with many accounts a scrape takes the engine's time and Prometheus's memory; or what is robbed is not seen.
    #[test]
    fn however_many_accounts_there_are_few_have_series_of_their_own_and_none_is_left_out() {
        let mut treasury = testing::treasury();
        let warm = treasury.accounts[&testing::warm()].clone();
        treasury.accounts.clear();
        for number in 0..u32::try_from(ACCOUNTS_SHOWN).unwrap() + 51 {
            let mut id = [0; 20];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let tier = if number == 250 { Tier::Cold } else { Tier::Warm };
            let name = format!("account-{number:05}");
            treasury.accounts.insert(AccountId(id), AccountConfig { name, tier, ..warm.clone() });
        }
        let metrics = Metrics::new().unwrap();
        metrics.show(&treasury, &State::default(), std::time::Duration::ZERO);
        let text = metrics.text().unwrap();
        let of = |name: &str| text.lines().filter(|line| line.starts_with(&format!("{name}{{"))).count();
        for name in [
            "treasuryd_account_balance_drops",
            "treasuryd_tickets_free",
            ROBBED.name,
            DRIFT.name,
            SETTINGS_DRIFT.name,
        ] {
            assert_eq!(of(name), ACCOUNTS_SHOWN + 1, "{name}");
        }
        for (account, is_shown) in
            [("account-00250", true), ("account-00198", true), ("account-00199", false)]
        {
            assert_eq!(text.contains(&format!("\"{account}\"")), is_shown, "{account}");
        }
        assert!(text.contains("treasuryd_account_balance_drops{account=\"(others)\"} 0"), "{text}");
    }
}
