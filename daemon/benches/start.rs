//! How long a start takes on a store of a million records, and what it needs in memory: at the worst
//! moment (a record before the next snapshot), after a process that just ended without closing anything,
//! with a small state and with 100,000 accounts that have an escrow each.
//!
//! `cargo bench -p treasuryd --bench start [-- RECORDS]`. The process starts itself again for each part, so
//! that the memory it reports is that of the start alone.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops at what goes wrong")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use treasury_core::observe::{
    AccountSnapshot, Change, EscrowView, LedgerObservation, LedgerPoint, NetworkFees, ObservedTx, RootView,
};
use treasury_core::units::{
    AccountId, Drops, EscrowKey, Hash256, HexBytes, LedgerIndex, RippleTime, SeqProxy,
};
use treasury_core::{Event, invariant};
use treasuryd::store::{DiskStore, SNAPSHOT_RECORDS, Store, StoreBuilder};

/// Accounts read in one record.
const ACCOUNTS_AT_ONCE: u32 = 1_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "fill", dir, records, accounts] => {
            fill(Path::new(dir), records.parse().unwrap(), accounts.parse().unwrap())
        }
        [_, "start", dir] => start(Path::new(dir)),
        _ => {
            let records = args.iter().find_map(|arg| arg.parse::<u64>().ok()).unwrap_or(1_000_000);
            for accounts in [10, 100_000] {
                let dir = tempfile::tempdir().unwrap();
                let data = dir.path().join("data");
                let data = data.to_str().unwrap();
                println!("{records} records, {accounts} accounts with an escrow each:");
                run(&["fill", data, &records.to_string(), &accounts.to_string()]);
                run(&["start", data]);
                run(&["start", data]);
            }
        }
    }
}

fn run(args: &[&str]) {
    let done = Command::new(std::env::current_exe().unwrap()).args(args).status().unwrap();
    assert!(done.success(), "{args:?}: {done}");
}

/// Makes the store. All but the last records are built at once, the last are appended as the daemon does.
fn fill(dir: &Path, records: u64, accounts: u32) {
    let mut builder = StoreBuilder::begin_empty(dir).unwrap();
    let mut first = 0;
    while first < accounts {
        let some = (first..accounts.min(first + ACCOUNTS_AT_ONCE)).map(account).collect();
        builder.push(&[Event::AccountsRead { at: point(100), accounts: some, taken: None }]).unwrap();
        first += ACCOUNTS_AT_ONCE;
    }
    let mut index = 100;
    while builder.number() < records.saturating_sub(SNAPSHOT_RECORDS - 1) {
        index += 1;
        builder.push(&ledger(index, accounts)).unwrap();
    }
    builder.install().unwrap();
    let mut store = DiskStore::open(dir).unwrap();
    let mut state = store.resume(&mut |_| {}).unwrap().state;
    let began = Instant::now();
    let snapshot = {
        store.snapshot(store.last(), &state).unwrap();
        began.elapsed()
    };
    let began = Instant::now();
    while store.last() < records {
        index += 1;
        let events = ledger(index, accounts);
        events.iter().for_each(|event| state.apply(event).unwrap());
        let number = store.append(&events).unwrap();
        store.settled(number, &state);
    }
    println!(
        "  snapshot written in {snapshot:.2?}; {:.0?} per append; {} MB: {} MB files, {} MB storage engine, {} MB \
         snapshots",
        began.elapsed() / u32::try_from(SNAPSHOT_RECORDS).unwrap(),
        size(dir) / 1_000_000,
        size(&dir.join("records")) / 1_000_000,
        size(&dir.join("store")) / 1_000_000,
        size(&dir.join("snapshots")) / 1_000_000,
    );
    // Nothing is closed, as after `kill -9`.
    std::process::exit(0);
}

fn start(dir: &Path) {
    let began = Instant::now();
    let mut store = DiskStore::open(dir).unwrap();
    let opened = began.elapsed();
    let mut read = 0_u64;
    let resumed = store.resume(&mut |_| read += 1).unwrap();
    invariant::check(&resumed.state).unwrap();
    println!(
        "  start: {:.2?}, {} ms of processor time ({opened:.2?} to open, {read} of {} records read one by one); \
         {} MiB at most",
        began.elapsed(),
        processor_ms(),
        resumed.last,
        peak_kib() / 1_024
    );
    std::process::exit(0);
}

fn account(n: u32) -> AccountSnapshot {
    let account = id(n);
    AccountSnapshot {
        account,
        root: Some(RootView {
            balance: Drops::new(1_000_000_000).unwrap(),
            sequence: 50,
            owner_count: 6,
            flags: 0,
            regular_key: None,
            transfer_rate: Some(0),
        }),
        signer_list: None,
        tickets: BTreeSet::from([10, 11, 12]),
        trust_lines: None,
        escrows: vec![EscrowView {
            key: EscrowKey { owner: account, sequence: 9 },
            destination: id(n + 1),
            destination_tag: Some(7),
            amount: Some(Drops::new(5_000_000).unwrap().into()),
            finish_after: Some(RippleTime(900_000_000)),
            cancel_after: Some(RippleTime(900_100_000)),
            condition: Some(HexBytes(vec![0xA0; 39])),
        }],
        settings: None,
    }
}

/// A ledger; every tenth has a payment from one of the accounts.
fn ledger(index: u32, accounts: u32) -> Vec<Event> {
    let busy = index.is_multiple_of(10);
    let payer = id(index % accounts);
    let transaction = ObservedTx {
        signers: Vec::new(),
        fee: Drops::ZERO,
        id: hash(index, 3),
        account: payer,
        slot: SeqProxy::Ticket(10),
        tx_type: "Payment".to_owned(),
        result: "tesSUCCESS".to_owned(),
        digest: hash(index, 4),
    };
    let root = RootView {
        balance: Drops::new(u64::from(index)).unwrap(),
        sequence: 51,
        owner_count: 6,
        flags: 0,
        regular_key: None,
        transfer_rate: Some(0),
    };
    let observation = LedgerObservation {
        point: point(index),
        parent_hash: point(index - 1).hash,
        fees: NetworkFees {
            base_fee: Drops::new(10).unwrap(),
            reserve_base: Drops::new(1_000_000).unwrap(),
            reserve_inc: Drops::new(200_000).unwrap(),
        },
        transactions: if busy { vec![transaction] } else { Vec::new() },
        changes: if busy { vec![Change::Root { account: payer, root: Some(root) }] } else { Vec::new() },
        opaque: Vec::new(),
        unproven: false,
    };
    vec![Event::LedgerTaken { observation, taken: None }]
}

fn point(index: u32) -> LedgerPoint {
    LedgerPoint {
        index: LedgerIndex(index),
        hash: hash(index, 1),
        close_time: RippleTime(700_000_000 + index),
    }
}

fn hash(index: u32, salt: u8) -> Hash256 {
    xrpl_wire::sha512_half(&[&index.to_be_bytes(), &[salt]])
}

fn id(n: u32) -> AccountId {
    AccountId(*hash(n, 2).0.first_chunk().unwrap())
}

fn size(path: &Path) -> u64 {
    if path.is_file() {
        return path.metadata().unwrap().len();
    }
    std::fs::read_dir(path).unwrap().map(|entry| size(&entry.unwrap().path())).sum()
}

/// What the process has used of the processor, as Linux counts it: in hundredths of a second.
fn processor_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * 10
}

/// The most memory that the process ever had, as Linux counts it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
}
