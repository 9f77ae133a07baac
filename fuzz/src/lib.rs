//! What the fuzz targets share: a small ledger with a few accounts, made once.

#[path = "../../harness/tests/books/mod.rs"]
mod books;

use std::sync::LazyLock;

use xrpl_harness::embedded::{CloseTime, ClosedLedger, GENESIS_SEED, GenesisConfig, Ledger};
use xrpl_wire::{
    Drops, KeyPair, KeyType, Object, Seed, Transaction, TransactionType, Value, index, sf, sign,
};

/// The accounts of the small ledger; fuzzed transactions are given to them.
pub static PEOPLE: LazyLock<Vec<KeyPair>> = LazyLock::new(|| {
    (1..=4).map(|number| KeyPair::from_seed(&Seed::from_entropy([number; 16], KeyType::Ed25519))).collect()
});

/// A ledger in which everybody has XRP, and the first has a SignerList, Tickets, an Escrow and a trust line.
pub static SMALL: LazyLock<Ledger> = LazyLock::new(|| {
    let mut ledger = Ledger::genesis(GenesisConfig::default());
    let master = KeyPair::from_seed(&GENESIS_SEED.parse().expect("the genesis seed"));
    let [first, second, third, ..] = PEOPLE.as_slice() else { panic!("four people") };
    for person in PEOPLE.iter() {
        let tx =
            Object::new().with(sf::Destination, person.account_id()).with(sf::Amount, drops(1_000_000_000));
        send(&mut ledger, TransactionType::Payment, tx, &master);
    }
    ledger.close(CloseTime::Next);
    let signer = |key: &KeyPair| {
        let entry = Object::new().with(sf::Account, key.account_id()).with(sf::SignerWeight, 1_u16);
        (sf::SignerEntry, entry)
    };
    let entries = Value::Array(vec![signer(second), signer(third)]);
    let list = Object::new().with(sf::SignerQuorum, 2_u32).with(sf::SignerEntries, entries);
    send(&mut ledger, TransactionType::SignerListSet, list, first);
    send(&mut ledger, TransactionType::TicketCreate, Object::new().with(sf::TicketCount, 40_u32), first);
    let escrow = Object::new()
        .with(sf::Destination, second.account_id())
        .with(sf::Amount, drops(5_000_000))
        .with(sf::FinishAfter, ledger.validated().header.close_time.0 + 3);
    send(&mut ledger, TransactionType::EscrowCreate, escrow, first);
    let limit = serde_json::json!({
        "currency": "USD", "issuer": second.account_id().to_string(), "value": "1000",
    });
    let trust = serde_json::json!({
        "TransactionType": "TrustSet", "Account": first.account_id().to_string(), "Fee": "10",
        "Sequence": sequence(&ledger, first), "SigningPubKey": "", "LimitAmount": limit,
    });
    let trust = Transaction::from_json(&trust).expect("a TrustSet");
    ledger.submit(&sign::sign_single(&trust, first).expect("a signature").encode());
    ledger.close(CloseTime::Next);
    ledger.close(CloseTime::Next);
    assert_eq!(
        ledger.closed(4).map(|closed| closed.transactions.len()),
        Some(4),
        "the small ledger is complete"
    );
    ledger
});

/// Checks that the books of a closed ledger balance, as the property tests do.
pub fn check_books(parent: &ClosedLedger, closed: &ClosedLedger) {
    books::check(Some(parent), closed);
}

/// The next Sequence of an account in the open ledger.
pub fn sequence(ledger: &Ledger, key: &KeyPair) -> u32 {
    let root = ledger.open().state().object(&index::account_root(&key.account_id()));
    root.and_then(|root| root.u32(sf::Sequence)).unwrap_or(1)
}

fn drops(amount: u64) -> Drops {
    Drops::new(amount).expect("an amount")
}

fn send(ledger: &mut Ledger, kind: TransactionType, tx: Object, key: &KeyPair) {
    let tx = tx
        .with(sf::TransactionType, kind.code())
        .with(sf::Account, key.account_id())
        .with(sf::Fee, drops(10))
        .with(sf::Sequence, sequence(ledger, key))
        .with(sf::SigningPubKey, Vec::<u8>::new());
    let tx = Transaction::from_object(tx).expect("a transaction");
    let outcome = ledger.submit(&sign::sign_single(&tx, key).expect("a signature").encode());
    assert!(outcome.result.is_tes(), "{}", outcome.result);
}
