//! The whole figures of the embedded ledger and its server, each beside its target: run
//! `cargo bench -p xrpl-harness --bench numbers`.
//!
//! Each figure is measured several times; the table has the median and the best, since what else a machine does
//! only ever adds. What runs on one thread is measured in that thread's processor time, which leaves out waiting
//! for a busy machine; what goes over a socket in wall time. The first row is a yardstick of the machine at that
//! moment: the one thing in all of this that cannot be made faster here. Names on the command line choose figures;
//! all run by default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![allow(clippy::as_conversions, clippy::float_arithmetic, reason = "figures for people to read")]

mod client;
mod desk;
mod market;

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use xrpl_harness::embedded::{CloseTime, GenesisConfig, Ledger, ServerSetup};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::typed::{self, Payment};
use xrpl_wire::{
    AccountId, Amount, Drops, Hash256, KeyPair, KeyType, LedgerEntryType, Object, PreparedKey, RippleTime,
    Seed, SeqProxy, Transaction, TxBody, TxCommon, index, sf, sign,
};

use self::client::Client;

/// Payments of one ledger: below the size at which fees begin to rise.
const BATCH: u32 = 500;

/// The sequence that the synthetic accounts begin with.
const FIRST_SEQUENCE: u32 = 1;

/// The synthetic accounts that have keys, and pay.
const PAYERS: u32 = 10;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let figures: [(&str, fn()); 13] = [
        ("yardstick", yardstick),
        ("memory", memory),
        ("start", start),
        ("empty-close", empty_close),
        ("close-500", close_500),
        ("submit", submit),
        ("cross", cross),
        ("proposals", proposals),
        ("jump", jump),
        ("snapshot", snapshot),
        ("submit-websocket", submit_over_websocket),
        ("account-info-websocket", account_info_over_websocket),
        ("close-websocket", close_over_websocket),
    ];
    println!("| figure | median | best | target |");
    println!("|---|---|---|---|");
    for (name, run) in figures {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            run();
        }
    }
}

/// Prints a row of durations.
fn times(what: &str, mut taken: Vec<Duration>, target: &str) {
    taken.sort_unstable();
    println!("| {what} | {} | {} | {target} |", shown(taken[taken.len() / 2]), shown(taken[0]));
}

/// Prints a row of rates: so many in each of these durations.
fn rates(what: &str, count: u32, mut taken: Vec<Duration>, target: &str) {
    taken.sort_unstable();
    let rate = |taken: Duration| (f64::from(count) / taken.as_secs_f64()).round();
    println!("| {what} | {}/s | {}/s | {target} |", rate(taken[taken.len() / 2]), rate(taken[0]));
}

fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1_000.0 { format!("{micros:.1} µs") } else { format!("{:.2} ms", micros / 1e3) }
}

/// The processor time spent so far, by this thread or by the whole process.
fn spent(by: ClockId) -> Duration {
    let spent = clock_gettime(by);
    Duration::new(u64::try_from(spent.tv_sec).unwrap(), u32::try_from(spent.tv_nsec).unwrap())
}

/// The processor time that something takes of this thread.
fn worked<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let began = spent(ClockId::ThreadCPUTime);
    let value = run();
    (spent(ClockId::ThreadCPUTime) - began, value)
}

/// The wall time that something takes.
fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let value = run();
    (began.elapsed(), value)
}

fn payer(number: u32) -> KeyPair {
    let mut entropy = [9; 16];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Secp256k1))
}

fn holder(number: u32) -> AccountId {
    if number < PAYERS {
        return payer(number).account_id();
    }
    let mut bytes = [0x5A; 20];
    bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    AccountId(bytes)
}

/// The entries of so many accounts, as they are recorded.
fn account_roots(count: u32) -> Vec<(Hash256, Vec<u8>)> {
    (0..count)
        .map(|number| {
            let account = holder(number);
            let root = Object::new()
                .with(sf::LedgerEntryType, LedgerEntryType::AccountRoot.code())
                .with(sf::Flags, 0u32)
                .with(sf::Sequence, FIRST_SEQUENCE)
                .with(sf::PreviousTxnLgrSeq, 2u32)
                .with(sf::OwnerCount, 0u32)
                .with(sf::PreviousTxnID, Hash256([7; 32]))
                .with(sf::Balance, Amount::Xrp(Drops::new(1_000_000_000).unwrap()))
                .with(sf::Account, account);
            (index::account_root(&account), root.encode().unwrap())
        })
        .collect()
}

/// A ledger of so many accounts, with nothing left to hash.
fn ledger_of(count: u32) -> Ledger {
    let genesis = Ledger::genesis(GenesisConfig::default());
    let first = genesis.validated();
    let mut state: Vec<(Hash256, Vec<u8>)> =
        first.state.iter().map(|(index, entry)| (*index, entry.blob().to_vec())).collect();
    state.extend(account_roots(count));
    let mut ledger = Ledger::from_recorded(first.header, state, &ServerSetup::default()).unwrap();
    ledger.close(CloseTime::Next);
    ledger
}

/// Signed payments: of each payer so many, one after the other, to accounts that are there.
fn payments(count: u32) -> Vec<Vec<u8>> {
    let payers: Vec<KeyPair> = (0..PAYERS).map(payer).collect();
    (0..count)
        .map(|number| {
            let key = &payers[(number % PAYERS) as usize];
            let common = TxCommon::new(
                key.account_id(),
                SeqProxy::Sequence(FIRST_SEQUENCE + number / PAYERS),
                Drops::new(10).unwrap(),
            );
            let body = TxBody::Payment(Payment {
                destination: holder(PAYERS + number % 900),
                destination_tag: None,
                amount: Amount::Xrp(Drops::new(1_000).unwrap()),
                send_max: None,
                deliver_min: None,
            });
            sign::sign_single(&typed::build(&common, &body).unwrap(), key).unwrap().encode()
        })
        .collect()
}

fn yardstick() {
    const COUNT: u32 = 1_000;
    let key = payer(0);
    let signature = key.sign(b"message");
    let taken = (0..15)
        .map(|_| {
            worked(|| {
                for _ in 0..COUNT {
                    assert!(key.public_key().verify(b"message", black_box(&signature)).is_ok());
                }
            })
            .0
        })
        .collect();
    rates("yardstick: secp256k1 signatures verified, one core", COUNT, taken, "");
}

fn memory() {
    const ACCOUNTS: u32 = 100_000;
    // Made and dropped before, so that what this leaves behind in the allocator is not counted.
    let recorded = account_roots(ACCOUNTS);
    let own: usize = recorded.iter().map(|(index, blob)| index.0.len() + blob.len()).sum();
    drop(recorded);
    let before = resident_bytes();
    let ledger = ledger_of(ACCOUNTS);
    let after = resident_bytes();
    black_box(&ledger);
    let per_account = (after.saturating_sub(before)) as f64 / f64::from(ACCOUNTS);
    let own = own as f64 / f64::from(ACCOUNTS);
    println!(
        "| memory per account beyond its own {own:.0} bytes, of 100,000 | {:.0} bytes | | ≤ 2048 bytes |",
        per_account - own
    );
}

/// The memory this process holds.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

fn start() {
    let runtime = Runtime::new().unwrap();
    let taken = (0..30)
        .map(|_| {
            let began = Instant::now();
            let server = runtime.block_on(EmbeddedServer::start(EmbeddedConfig::default())).unwrap();
            let mut client = Client::connect(&server.ws_url());
            let replies = client.pipeline(vec![r#"{"id":1,"command":"server_info"}"#.to_owned()]);
            let taken = began.elapsed();
            assert!(replies[0].contains("complete_ledgers"));
            runtime.block_on(server.shutdown());
            taken
        })
        .collect();
    times("start of a server to its first reply over a websocket", taken, "≤ 1 ms");
}

fn empty_close() {
    let mut ledger = ledger_of(10_000);
    let taken = (0..2_000).map(|_| worked(|| ledger.close(CloseTime::Next)).0).collect();
    times("empty close, 10,000 accounts", taken, "≤ 50 µs");
}

fn close_500() {
    let fresh = ledger_of(10_000);
    let blobs = payments(BATCH);
    let signed: Vec<Transaction> = blobs.iter().map(|blob| Transaction::decode(blob).unwrap()).collect();
    // The points of keys that have signed before are known, as they are to the ledger.
    let points: Vec<PreparedKey> =
        (0..PAYERS).map(|number| payer(number).public_key().prepare().unwrap()).collect();
    let (mut verified, mut alone) = (Vec::new(), Vec::new());
    let all = (0..25)
        .map(|_| {
            let mut ledger = fresh.clone();
            let (submitting, ()) = worked(|| {
                for blob in &blobs {
                    assert!(ledger.submit(blob).result.is_tes());
                }
            });
            let (closing, closed) = worked(|| ledger.close(CloseTime::Next));
            assert_eq!(closed.transactions.len(), blobs.len());
            let (verifying, ()) = worked(|| {
                for (tx, point) in signed.iter().zip(points.iter().cycle()) {
                    let signature = tx.object().blob(sf::TxnSignature).unwrap();
                    assert!(point.verify(black_box(tx).signing_blob(), signature).is_ok());
                }
            });
            verified.push(verifying + closing);
            alone.push(closing);
            submitting + closing
        })
        .collect();
    times("close of 500 payments, their signatures verified, one core", verified, "≤ 25 ms");
    times("— the close without them", alone, "");
    times("— with reading them and applying them to the open ledger too, as `submit` does", all, "");
}

fn submit() {
    const COUNT: u32 = 10 * BATCH;
    let (taken, closing_too) = submitted_and_closed(&ledger_of(10_000), &payments(COUNT));
    rates("verified payments submitted in-process, one core", COUNT, taken, "≥ 10000/s");
    rates("— and closed, 500 to a ledger", COUNT, closing_too, "");
}

fn cross() {
    const COUNT: u32 = 10 * BATCH;
    let (fresh, payments) = market::crossing(COUNT);
    let (taken, closing_too) = submitted_and_closed(&fresh, &payments);
    rates("verified payments across an order book submitted, one core", COUNT, taken, "");
    rates("— and closed, 500 to a ledger", COUNT, closing_too, "≥ 5000/s");
}

/// What submitting so many transactions takes several times over, and what with closing a ledger after each 500.
fn submitted_and_closed(fresh: &Ledger, blobs: &[Vec<u8>]) -> (Vec<Duration>, Vec<Duration>) {
    let run = |_| {
        let mut ledger = fresh.clone();
        let (mut submitting, mut closing) = (Duration::ZERO, Duration::ZERO);
        for batch in blobs.chunks(BATCH as usize) {
            submitting += worked(|| {
                for blob in batch {
                    let result = ledger.submit(blob).result;
                    assert!(result.is_tes(), "{result}");
                }
            })
            .0;
            let (taken, closed) = worked(|| ledger.close(CloseTime::Next));
            assert!(closed.transactions.len() == batch.len());
            assert!(closed.transactions.iter().all(|tx| tx.result.is_tes()));
            closing += taken;
        }
        (submitting, submitting + closing)
    };
    (0..7).map(run).unzip()
}

fn proposals() {
    let mut desk = desk::Desk::new();
    let waiting = desk.answers().iter().filter(|reply| is_pending(reply)).count();
    assert_eq!(waiting, desk::PROPOSALS as usize);
    let requests = desk.requests();
    let handled = (0..25).map(|_| worked(|| desk.handle(&requests)).0).collect();
    times("1,000 open proposals listed and judged, one core", handled, "≤ 10 ms");
    let answered = (0..25).map(|_| worked(|| desk.answers()).0).collect();
    times("— with reading the requests and writing the replies as text", answered, "");
}

/// Whether a proposal waits for one more share.
fn is_pending(reply: &str) -> bool {
    [r#""proposal_status":"pending""#, r#""signed_weight":1"#].iter().all(|words| reply.contains(words))
}

fn jump() {
    const MONTH: u32 = 30 * 86_400;
    let mut ledger = ledger_of(10_000);
    let taken = (0..500)
        .map(|_| {
            let at = RippleTime(ledger.validated().header.close_time.0 + MONTH);
            let (taken, closed) = worked(|| ledger.close(CloseTime::At(at)));
            assert_eq!(closed.header.close_time, at);
            taken
        })
        .collect();
    times("jump of 30 days in one close, 10,000 accounts", taken, "≤ 1 ms");
}

fn snapshot() {
    let mut ledger = ledger_of(100_000);
    let blobs = payments(100);
    let hash = ledger.validated().hash;
    let (mut kept, mut reverted) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let (taken, snapshot) = worked(|| ledger.clone());
        kept.push(taken);
        for blob in &blobs {
            assert!(ledger.submit(blob).result.is_tes());
        }
        ledger.close(CloseTime::Next);
        assert_ne!(ledger.validated().hash, hash);
        // What is dropped is the ledger that was changed since.
        let (taken, ()) = worked(|| ledger = snapshot);
        reverted.push(taken);
        assert_eq!(ledger.validated().hash, hash);
    }
    times("snapshot of 100,000 accounts", kept, "≤ 1 ms");
    times("revert to it after a ledger of 100 payments", reverted, "≤ 1 ms");
}

/// A server on a ledger of 10,000 accounts.
fn served(runtime: &Runtime) -> EmbeddedServer {
    runtime.block_on(EmbeddedServer::start_with(ledger_of(10_000), EmbeddedConfig::default())).unwrap()
}

fn submit_over_websocket() {
    const COUNT: u32 = 8 * BATCH;
    let runtime = Runtime::new().unwrap();
    let server = served(&runtime);
    let fresh = server.snapshot();
    let mut requests = Vec::new();
    for batch in payments(COUNT).chunks(BATCH as usize) {
        for blob in batch {
            requests
                .push(format!(r#"{{"id":1,"command":"submit","tx_blob":"{}"}}"#, hex::encode_upper(blob)));
        }
        requests.push(r#"{"id":1,"command":"ledger_accept"}"#.to_owned());
    }
    let mut client = Client::connect(&server.ws_url());
    let mut per_core = Vec::new();
    let taken = (0..7)
        .map(|_| {
            server.restore(fresh.clone());
            let before = spent(ClockId::ProcessCPUTime);
            let (taken, replies) = timed(|| client.pipeline(requests.clone()));
            per_core.push(spent(ClockId::ProcessCPUTime) - before);
            let taken_in = replies.iter().filter(|reply| reply.contains("\"tesSUCCESS\"")).count();
            assert_eq!(taken_in, COUNT as usize);
            assert_eq!(server.validated().transactions.len(), BATCH as usize);
            taken
        })
        .collect();
    rates("payments over one websocket, verified, and closed, 500 to a ledger", COUNT, taken, "≥ 4000/s");
    rates("— a second of processor time, client and server together", COUNT, per_core, "");
    runtime.block_on(server.shutdown());
}

fn account_info_over_websocket() {
    const COUNT: u32 = 40_000;
    let runtime = Runtime::new().unwrap();
    let server = served(&runtime);
    let requests: Vec<String> = (0..COUNT)
        .map(|number| {
            let account = holder(number % 10_000);
            format!(
                r#"{{"id":{number},"command":"account_info","account":"{account}","ledger_index":"validated"}}"#
            )
        })
        .collect();
    let mut client = Client::connect(&server.ws_url());
    let mut per_core = Vec::new();
    let taken = (0..7)
        .map(|_| {
            let before = spent(ClockId::ProcessCPUTime);
            let (taken, replies) = timed(|| client.pipeline(requests.clone()));
            per_core.push(spent(ClockId::ProcessCPUTime) - before);
            assert!(replies.iter().all(|reply| reply.contains("\"account_data\"")));
            taken
        })
        .collect();
    rates("account_info over one websocket, pipelined", COUNT, taken, "≥ 20000/s");
    rates("— a second of processor time, client and server together", COUNT, per_core, "");
    runtime.block_on(server.shutdown());
}

fn close_over_websocket() {
    let runtime = Runtime::new().unwrap();
    let server = served(&runtime);
    let mut client = Client::connect(&server.ws_url());
    let taken = (0..300)
        .map(|_| {
            let request = vec![r#"{"id":1,"command":"ledger_accept"}"#.to_owned()];
            let (taken, replies) = timed(|| client.pipeline(request));
            assert!(replies[0].contains("ledger_current_index"));
            taken
        })
        .collect();
    times("ledger_accept over a websocket, request to reply", taken, "");
    runtime.block_on(server.shutdown());
}
