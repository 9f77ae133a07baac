//! The embedded ledger: closing with 0, 10 and 500 payments, each submitted and verified before; and the
//! close alone.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use xrpl_harness::embedded::{CloseTime, GENESIS_SEED, GenesisConfig, Ledger};
use xrpl_wire::typed::{self, Payment};
use xrpl_wire::{AccountId, Amount, Drops, KeyPair, Seed, SeqProxy, TxBody, TxCommon, sign};

fn payments(count: u32) -> Vec<Vec<u8>> {
    let key = KeyPair::from_seed(&GENESIS_SEED.parse::<Seed>().unwrap());
    (1..=count)
        .map(|sequence| {
            let mut destination = [0; 20];
            destination[..4].copy_from_slice(&sequence.to_be_bytes());
            let common =
                TxCommon::new(key.account_id(), SeqProxy::Sequence(sequence), Drops::new(10).unwrap());
            let body = TxBody::Payment(Payment {
                destination: AccountId(destination),
                destination_tag: None,
                amount: Amount::Xrp(Drops::new(100_000_000).unwrap()),
                send_max: None,
                deliver_min: None,
            });
            sign::sign_single(&typed::build(&common, &body).unwrap(), &key).unwrap().encode()
        })
        .collect()
}

fn ledger(c: &mut Criterion) {
    let mut group = c.benchmark_group("embedded ledger");
    for count in [0_u32, 10, 500] {
        let blobs = payments(count);
        let fresh = Ledger::genesis(GenesisConfig::default());
        let mut filled = fresh.clone();
        for blob in &blobs {
            assert!(filled.submit(blob).result.is_tes());
        }
        group.throughput(Throughput::Elements(u64::from(count.max(1))));
        group.bench_function(format!("submit, verify and close {count}"), |b| {
            b.iter_batched(
                || fresh.clone(),
                |mut ledger| {
                    for blob in &blobs {
                        ledger.submit(blob);
                    }
                    let closed = ledger.close(CloseTime::Next);
                    assert_eq!(closed.transactions.len(), blobs.len());
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("close {count} alone"), |b| {
            b.iter_batched(
                || filled.clone(),
                |mut ledger| ledger.close(CloseTime::Next),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, ledger);
criterion_main!(benches);
