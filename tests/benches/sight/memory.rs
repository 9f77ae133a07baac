//! What the state of 100,000 watched accounts and 100,000 standing escrows takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use treasury_core::Input;
use treasury_core::observe::{AccountSnapshot, EscrowView, LedgerPoint, RootView};
use treasury_core::units::{EscrowKey, Hash256, HexBytes, LedgerIndex, RippleTime};
use treasuryd::engine::Machine;
use treasuryd::metrics::Metrics;
use treasuryd::store::DiskStore;

use crate::ground::{drops, treasury, watched};

const ACCOUNTS: u32 = 100_000;
const PAGE: u32 = 1_000;

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

fn snapshot(number: u32) -> AccountSnapshot {
    let account = watched(number);
    let escrow = EscrowView {
        key: EscrowKey { owner: account, sequence: 7 },
        destination: watched(number + 1),
        destination_tag: None,
        amount: Some(drops(1_000_000).into()),
        finish_after: Some(RippleTime(900_000_000 + number)),
        cancel_after: Some(RippleTime(950_000_000)),
        condition: Some(HexBytes(vec![7; 39])),
    };
    let root = RootView {
        balance: drops(10_000_000_000),
        sequence: 8,
        owner_count: 1,
        flags: 0,
        regular_key: None,
        transfer_rate: Some(0),
    };
    AccountSnapshot {
        account,
        root: Some(root),
        signer_list: None,
        tickets: BTreeSet::new(),
        escrows: vec![escrow],
        trust_lines: None,
        settings: None,
    }
}

pub(crate) fn run() {
    let dir = tempfile::tempdir().unwrap();
    let store = Box::new(DiskStore::open(dir.path()).unwrap());
    let metrics = Arc::new(Metrics::new().unwrap());
    let mut machine = Machine::open(Arc::new(treasury(ACCOUNTS)), store, metrics).unwrap();
    let at = LedgerPoint { index: LedgerIndex(2), hash: Hash256::ZERO, close_time: RippleTime(1) };
    for page in 0..ACCOUNTS / PAGE {
        let accounts = (page * PAGE..(page + 1) * PAGE).map(snapshot).collect();
        machine.take(Input::Reconciled { at, accounts, from: String::new(), wall_ms: 1 }).unwrap();
    }
    assert_eq!(machine.state().standing.len(), ACCOUNTS as usize);
    let resident = resident_bytes() / (1 << 20);
    println!(
        "| whole process with {ACCOUNTS} watched accounts and as many escrows | {resident} MiB | ≤ 300 MiB |"
    );
}
