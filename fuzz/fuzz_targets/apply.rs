//! Transactions: any that decode, from accounts that exist, in any order, are applied without a panic, and the books
//! balance afterwards.
//!
//! Input: records of a control byte, a length (two bytes, big endian) and a transaction's bytes. The control byte
//! says who sends it, whether its numbers are put right so that it reaches the rules, and whether a ledger closes.
#![no_main]

use fuzz::{PEOPLE, SMALL, check_books, sequence};
use libfuzzer_sys::fuzz_target;
use xrpl_harness::embedded::{CloseTime, Ledger};
use xrpl_wire::{AccountId, Amount, Drops, Field, KeyPair, Object, RippleTime, Transaction, Value, sf, sign};

/// More transactions than this make an input slow, not deeper.
const RECORDS: usize = 24;

fuzz_target!(|data: &[u8]| {
    let mut ledger = SMALL.clone();
    let mut rest = data;
    for _ in 0..RECORDS {
        let [control, high, low, body @ ..] = rest else { break };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(body.len());
        let (blob, after) = body.split_at(length);
        rest = after;
        // As it is, whatever it is.
        ledger.submit(blob);
        let _ = Transaction::decode(blob).map(|tx| ledger.simulate(&tx));
        if let Some(blob) = adopted(&ledger, *control, blob) {
            let outcome = ledger.submit(&blob);
            // Memos too long and the like are refused before any rule; a signature never is, for they are all good.
            let refused = outcome.refused.unwrap_or_default();
            assert!(refused.is_empty() || refused.starts_with("fails local checks: "), "{refused}");
        }
        if control & 0x30 == 0x30 {
            close(&mut ledger, u32::from(*low));
        }
    }
    close(&mut ledger, 1);
});

fn close(ledger: &mut Ledger, seconds: u32) {
    let parent = std::sync::Arc::clone(ledger.validated());
    let now = RippleTime(parent.header.close_time.0.saturating_add(seconds));
    check_books(&parent, &ledger.close(CloseTime::At(now)));
}

/// The transaction, sent and signed by one of the people; all accounts in it are people.
fn adopted(ledger: &Ledger, control: u8, blob: &[u8]) -> Option<Vec<u8>> {
    let mut object = Object::decode(blob).ok()?;
    let key = &PEOPLE[usize::from(control & 3)];
    object = resettled(&object);
    object.set(sf::Account, key.account_id());
    object.remove(sf::Signers);
    object.remove(sf::NetworkID);
    object.remove(sf::AccountTxnID);
    if control & 4 == 0 {
        object.remove(sf::TicketSequence);
        object.remove(sf::LastLedgerSequence);
        object.set(sf::Sequence, sequence(ledger, key));
        object.set(sf::Fee, Drops::new(250_000).ok()?);
    }
    if control & 0xC0 == 0xC0 {
        return multi_signed(object, key);
    }
    let tx = Transaction::from_object(object).ok()?;
    Some(sign::sign_single(&tx, key).ok()?.encode())
}

fn multi_signed(mut object: Object, key: &KeyPair) -> Option<Vec<u8>> {
    object.remove(sf::TxnSignature);
    object.set(sf::SigningPubKey, Vec::<u8>::new());
    let tx = Transaction::from_object(object).ok()?;
    let signers = PEOPLE.iter().filter(|signer| signer.account_id() != key.account_id());
    let signers = signers.filter_map(|signer| sign::sign_for(&tx, signer.account_id(), signer).ok()).take(2);
    Some(sign::assemble(&tx, signers.collect()).ok()?.encode())
}

/// The object with every account in it replaced by one of the people, so that they meet.
fn resettled(object: &Object) -> Object {
    let mut settled = Object::new();
    for (field, value) in object.iter() {
        settled.set(field, settle(value));
    }
    settled
}

fn settle(value: &Value) -> Value {
    match value {
        Value::Account(account) => Value::Account(person(account)),
        Value::Amount(Amount::Issued(amount)) => {
            let mut amount = *amount;
            amount.issuer = person(&amount.issuer);
            Value::Amount(Amount::Issued(amount))
        }
        Value::Object(object) => Value::Object(resettled(object)),
        Value::Array(entries) => {
            let settled: Vec<(Field, Object)> =
                entries.iter().map(|(field, object)| (*field, resettled(object))).collect();
            Value::Array(settled)
        }
        other => other.clone(),
    }
}

fn person(account: &AccountId) -> AccountId {
    PEOPLE[usize::from(account.0[19]) % PEOPLE.len()].account_id()
}
