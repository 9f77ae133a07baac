//! The wire crate on a Payment with four signers, beside the raw crypto library's verify in the same run.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secp256k1::{Message, Secp256k1, SecretKey, ecdsa::Signature};
use xrpl_wire::typed::{self, Payment};
use xrpl_wire::{
    AccountId, Amount, Drops, KeyPair, KeyType, Seed, SeqProxy, Transaction, TxBody, TxCommon, sha512_half,
    sign,
};

fn signed_payment() -> Transaction {
    let keys: Vec<KeyPair> =
        (1..=4).map(|n| KeyPair::from_seed(&Seed::from_entropy([n; 16], KeyType::Secp256k1))).collect();
    let common = TxCommon {
        account: AccountId([9; 20]),
        seq: SeqProxy::Ticket(12),
        fee: Drops::new(50).unwrap(),
        last_ledger_sequence: Some(1_000),
        source_tag: None,
        network_id: None,
        memos: Vec::new(),
        flags: 0,
    };
    let body = TxBody::Payment(Payment {
        destination: AccountId([8; 20]),
        destination_tag: Some(7),
        amount: Amount::Xrp(Drops::new(5_000_000_000).unwrap()),
        send_max: None,
        deliver_min: None,
    });
    let unsigned = typed::build(&common, &body).unwrap();
    let signers = keys.iter().map(|key| sign::sign_for(&unsigned, key.account_id(), key).unwrap()).collect();
    sign::assemble(&unsigned, signers).unwrap()
}

fn wire(c: &mut Criterion) {
    let tx = signed_payment();
    let blob = tx.encode();
    let mut group = c.benchmark_group("payment, 4 signers");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode", |b| b.iter(|| Transaction::decode(black_box(&blob)).unwrap()));
    // A Transaction keeps its bytes; what costs is encoding its fields anew.
    group.bench_function("encode", |b| b.iter(|| black_box(tx.object()).encode().unwrap()));
    group.bench_function("verify, 4 signatures", |b| {
        b.iter(|| sign::verify_signatures(black_box(&tx)).unwrap());
    });
    let secp = Secp256k1::new();
    let secret = SecretKey::from_slice(&[7; 32]).unwrap();
    let message = Message::from_digest(sha512_half(&[&blob]).0);
    let signature: Signature = secp.sign_ecdsa(&message, &secret);
    let public = secret.public_key(&secp);
    group.bench_function("raw libsecp256k1, 4 verifies", |b| {
        b.iter(|| {
            for _ in 0..4 {
                secp.verify_ecdsa(black_box(&message), &signature, &public).unwrap();
            }
        });
    });
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
