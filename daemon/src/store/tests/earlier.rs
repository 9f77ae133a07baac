//! Stores as earlier releases left them.

use std::collections::BTreeMap;

use recordings::OldStore;
use recordings::events::{holds, in_present_words};
use treasury_core::config::{AccountConfig, DeclaredSettings};
use treasury_core::findings::settings_drift;

use super::*;
use crate::store::{DiskStore, Store, inspect};
use crate::testing;

fn each(check: impl Fn(&OldStore, &Path)) {
    let stores = recordings::old_stores().unwrap();
    assert!(stores.len() >= 4, "one for each layout, and for each change of the events");
    for store in stores {
        let dir = tempfile::tempdir().unwrap();
        store.lay_out(dir.path()).unwrap();
        check(&store, dir.path());
    }
}

#[test]
fn a_store_of_any_earlier_release_opens_with_nothing_lost() {
    each(|old, dir| {
        assert!(old.records.len() > 100, "{}", old.name);
        let mut store = DiskStore::open(dir).unwrap();
        let mut words: BTreeMap<&str, usize> = BTreeMap::new();
        let resumed = store.resume(&mut |_| {}).unwrap();
        assert_eq!(resumed.last, u64::try_from(old.records.len()).unwrap(), "{}", old.name);
        let records = store.read(0, old.records.len()).unwrap();
        for (record, line) in records.iter().zip(&old.records) {
            let then = in_present_words(&serde_json::from_str(line).unwrap());
            let now = serde_json::to_value(record).unwrap();
            assert!(holds(&now, &then), "{}: {line}\nis now {now}", old.name);
            record.events.iter().for_each(|event| *words.entry(event.word()).or_default() += 1);
        }
        let state = &resumed.state;
        // The tour's story: six payments and moves, an escrow released, another withheld.
        assert_eq!(words["proposal_drafted"], state.proposals.len(), "{}", old.name);
        assert_eq!(words["proposal_ended"], state.ended.len(), "{}", old.name);
        assert_eq!(state.escrows.len(), 2, "{}", old.name);
        assert_eq!(state.stops.all().count(), 1, "{}: what was flagged is still held", old.name);
        assert!(state.ledger.is_some() && state.accounts.len() > 5, "{}", old.name);
    });
}

/// Danger: what is declared of a Domain is held against a store that knows of none, and every account stops after an upgrade.
#[test]
fn what_no_earlier_release_has_read_is_not_known_and_not_compared() {
    each(|old, dir| {
        let state = DiskStore::open(dir).unwrap().resume(&mut |_| {}).unwrap().state;
        let settings = DeclaredSettings {
            domain: Some("acme.example".to_owned()),
            transfer_rate: Some(1_500_000_000),
            ..Default::default()
        };
        let mut treasury = testing::treasury();
        let like = AccountConfig { settings, ..treasury.accounts[&testing::warm()].clone() };
        treasury.accounts = state.accounts.keys().map(|account| (*account, like.clone())).collect();
        assert!(state.accounts.values().any(|view| view.root.is_some()), "{}", old.name);
        for (account, view) in &state.accounts {
            assert_eq!(view.settings, None, "{}", old.name);
            assert_eq!(settings_drift(&treasury, &state, account), None, "{}", old.name);
        }
    });
}

#[test]
fn a_store_of_any_earlier_release_is_whole_before_and_after_it_is_opened() {
    each(|old, dir| {
        let report = inspect(dir).unwrap();
        assert_eq!(report.damage, Vec::<String>::new(), "{}", old.name);
        assert_eq!(report.whole, u64::try_from(old.records.len()).unwrap(), "{}", old.name);
        let mut store = DiskStore::open(dir).unwrap();
        let state = store.resume(&mut |_| {}).unwrap().state;
        assert_eq!(state, report.state, "{}", old.name);
        store.close(&state);
        drop(store);
        let report = inspect(dir).unwrap();
        assert_eq!(report.damage, Vec::<String>::new(), "{}", old.name);
        assert_eq!(report.snapshots.len(), 1, "{}", old.name);
    });
}
