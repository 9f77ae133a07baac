//! What only a start takes: the daemon is built around it.

use super::{DaemonConfig, NetworkConfig, PassphraseSource};

impl DaemonConfig {
    /// The keys in which this configuration differs from another and which cannot change while the daemon runs.
    #[must_use]
    pub fn differs_for_good(&self, other: &Self) -> Vec<&'static str> {
        let mut keys = network(&self.network, &other.network);
        let passphrase = |source: &PassphraseSource| match source {
            PassphraseSource::File(path) => Some(path.clone()),
            PassphraseSource::Environment | PassphraseSource::Given(_) => None,
        };
        let accounts = |config: &Self| {
            let accounts = config.treasury.accounts.iter();
            accounts
                .map(|(address, account)| (*address, account.name.clone(), account.tier, account.signing))
                .collect::<Vec<_>>()
        };
        for (key, differs) in [
            ("daemon.data_dir", self.data_dir != other.data_dir),
            ("daemon.listen", self.listen != other.listen),
            ("daemon.keystore", self.keystore != other.keystore),
            ("daemon.passphrase_file", passphrase(&self.passphrase) != passphrase(&other.passphrase)),
            ("daemon.requests_per_second", self.requests_per_second != other.requests_per_second),
            ("console", self.console != other.console),
            ("guard", self.guard != other.guard),
            ("screening", self.screening != other.screening),
            ("forecast.prices", self.prices != other.prices),
            ("audit", self.audit_keep_days != other.audit_keep_days),
            ("notify", self.notify.remind_seconds != other.notify.remind_seconds),
            ("channel", self.notify.channels != other.notify.channels),
            ("route", self.notify.routes != other.notify.routes),
            ("account", accounts(self) != accounts(other)),
            ("agent", self.agent_names != other.agent_names),
        ] {
            if differs {
                keys.push(key);
            }
        }
        keys
    }
}

fn network(one: &NetworkConfig, other: &NetworkConfig) -> Vec<&'static str> {
    let same_endpoints = one.endpoints.len() == other.endpoints.len()
        && one.endpoints.iter().zip(&other.endpoints).all(|(one, other)| one.is_same(other));
    [
        ("network.endpoints", !same_endpoints),
        ("network.read_quorum", one.read_quorum != other.read_quorum),
        ("network.verify", one.verify != other.verify),
        ("network.gap_ledgers", one.gap_ledgers != other.gap_ledgers),
        ("network.network_id", one.network_id != other.network_id),
        ("timing.silence_max", one.silence_max != other.silence_max),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}
