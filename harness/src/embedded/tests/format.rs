//! What is a transaction to the server, and what it answers to what is none.

use xrpl_wire::{MptAmount, OddAmount};

use super::*;

/// Signs the bytes of fields as they are, whether they fit a type or not.
pub(super) fn signed_as_is(fields: Object, by: &KeyPair) -> Vec<u8> {
    let fields = fields.with(sf::SigningPubKey, by.public_key().as_bytes().to_vec());
    let tx = Transaction::decode_as_server(&fields.encode().unwrap()).unwrap();
    let signature = by.sign(tx.signing_blob());
    fields.with(sf::TxnSignature, signature).encode().unwrap()
}

fn refused(ledger: &mut Ledger, fields: Object) -> String {
    ledger.submit(&fields.encode().unwrap()).refused.unwrap_or_default()
}

fn token() -> MptAmount {
    MptAmount { negative: false, value: 5, issuance_id: [7; 24] }
}

#[test]
fn objects_within_a_list_have_the_fields_of_their_kind() {
    let (mut ledger, people) = funded();
    let list = |entry: Object| {
        draft(&ledger, TransactionType::SignerListSet, &people[0])
            .with(sf::SignerQuorum, 1_u32)
            .with(sf::SignerEntries, Value::Array(vec![(sf::SignerEntry, entry)]))
    };
    let entry = Object::new().with(sf::Account, people[1].account_id());
    let weightless = list(entry.clone());
    let strange = list(entry.with(sf::SignerWeight, 1_u16).with(sf::Domain, vec![1_u8]));
    let signer = Object::new()
        .with(sf::Account, people[1].account_id())
        .with(sf::SigningPubKey, people[1].public_key().as_bytes().to_vec());
    let unsigned = payment(&ledger, &people[0], people[1].account_id(), 1)
        .with(sf::Signers, Value::Array(vec![(sf::Signer, signer)]));
    for (fields, text) in [
        (weightless, "Field 'SignerWeight' is required but missing."),
        (strange, "Field 'Domain' found in disallowed location."),
        (unsigned, "Field 'TxnSignature' is required but missing."),
    ] {
        assert_eq!(refused(&mut ledger, fields), text);
    }
}

#[test]
fn what_came_after_a_generation_is_unknown_to_it() {
    for generation in Generation::ALL {
        let (mut ledger, people) = funded_as(GenesisConfig::of(generation));
        let hidden = draft(&ledger, TransactionType::ConfidentialMPTMergeInbox, &people[0])
            .with(sf::MPTokenIssuanceID, Value::Hash192([1; 24]));
        let outcome = ledger.submit(&signed(hidden, &people[0]));
        if generation == Generation::V3_3 {
            assert_eq!((outcome.result, outcome.refused), (TxResult::temDISABLED, None));
        } else {
            assert_eq!(outcome.refused.as_deref(), Some("Invalid transaction type 86"));
        }
        let sponsorship = draft(&ledger, TransactionType::SponsorshipSet, &people[0]);
        assert_eq!(refused(&mut ledger, sponsorship), "Invalid transaction type 91");
        let sponsored =
            draft(&ledger, TransactionType::AccountSet, &people[0]).with(sf::Sponsor, people[1].account_id());
        assert_eq!(refused(&mut ledger, sponsored), "Unknown field");
    }
}

#[test]
fn local_checks_come_in_the_servers_order() {
    let (mut ledger, people) = funded();
    let local = |ledger: &mut Ledger, fields: Object| {
        let outcome = ledger.submit(&signed_as_is(fields, &people[0]));
        let text = outcome.refused.unwrap_or_default();
        text.strip_prefix("fails local checks: ").unwrap_or(&text).to_owned()
    };
    let memos = |memos: Vec<(xrpl_wire::Field, Object)>| Value::Array(memos);
    let data = |bytes: usize| Object::new().with(sf::MemoData, vec![0_u8; bytes]);
    let payment = payment(&ledger, &people[0], people[1].account_id(), 1);
    let nobody = payment.clone().with(sf::Destination, Value::AccountEmpty);
    let bad_type = Object::new().with(sf::MemoType, b"not a URL".to_vec());
    let limit =
        draft(&ledger, TransactionType::TrustSet, &people[0]).with(sf::LimitAmount, Amount::Mpt(token()));
    let tokens_for_offers = draft(&ledger, TransactionType::OfferCreate, &people[0])
        .with(sf::TakerPays, Amount::Mpt(token()))
        .with(sf::TakerGets, drops(1));
    for (fields, text) in [
        (nobody.clone(), "An account field is invalid."),
        (limit, "Amount can not be MPT."),
        (
            nobody.clone().with(sf::Memos, memos(vec![(sf::Memo, bad_type), (sf::Memo, data(1_100))])),
            "The memo exceeds the maximum allowed size.",
        ),
        (
            nobody.with(sf::Memos, memos(vec![(sf::Memo, data(1)), (sf::Majority, majority())])),
            "A memo array may contain only Memo objects.",
        ),
    ] {
        assert_eq!(local(&mut ledger, fields), text);
    }
    let offer = |generation| {
        let (mut ledger, _) = funded_as(GenesisConfig::of(generation));
        ledger.submit(&signed(tokens_for_offers.clone(), &people[0]))
    };
    let refused = offer(Generation::V3_1).refused.unwrap_or_default();
    assert_eq!(refused, "fails local checks: Amount can not be MPT.");
    assert_eq!(offer(Generation::V3_2).result, TxResult::temDISABLED, "known, and not switched on");
}

fn majority() -> Object {
    Object::new().with(sf::Amendment, Hash256::ZERO).with(sf::CloseTime, 1_u32)
}

#[test]
fn a_fee_is_paid_in_xrp() {
    let (mut ledger, people) = funded();
    let payment = payment(&ledger, &people[0], people[1].account_id(), 1);
    let currency = Currency([1; 20]);
    let issued = IssuedAmount { value: "1".parse().unwrap(), currency, issuer: people[2].account_id() };
    for fee in [
        Value::Amount(Amount::Issued(issued)),
        Value::OddAmount(OddAmount::Xrp { negative: true, drops: 10 }),
        Value::OddAmount(OddAmount::Xrp { negative: false, drops: 100_000_000_000_000_001 }),
    ] {
        let tx = signed_as_is(payment.clone().with(sf::Fee, fee), &people[0]);
        assert_eq!(ledger.submit(&tx).result, TxResult::temBAD_FEE);
    }
}

#[test]
fn an_amount_that_nobody_can_have_is_a_bad_amount() {
    let (mut ledger, people) = funded();
    let payment = payment(&ledger, &people[0], people[1].account_id(), 1);
    let too_many = OddAmount::Mpt(MptAmount { value: u64::MAX, ..token() });
    for (field, amount) in [
        (sf::Amount, OddAmount::Xrp { negative: true, drops: 1 }),
        (sf::Amount, OddAmount::Xrp { negative: false, drops: u64::MAX >> 3 }),
        (sf::SendMax, too_many),
        (sf::DeliverMin, too_many),
    ] {
        let tx = signed_as_is(payment.clone().with(field, Value::OddAmount(amount)), &people[0]);
        assert_eq!(ledger.submit(&tx).result, TxResult::temBAD_AMOUNT, "{}", field.name());
    }
}

#[test]
fn bytes_that_are_no_amount_are_told_in_the_servers_words() {
    let (mut ledger, people) = funded();
    let usd =
        IssuedAmount { value: "1".parse().unwrap(), currency: Currency([1; 20]), issuer: AccountId([2; 20]) };
    let tx = payment(&ledger, &people[0], people[1].account_id(), 1).with(sf::Amount, Amount::Issued(usd));
    let blob = tx.encode().unwrap();
    let amount = blob.windows(20).position(|bytes| bytes == [1; 20]).unwrap() - 8;
    for (change, with, text) in [
        (8..28, vec![0; 20], "invalid native currency"),
        (28..48, vec![0; 20], "invalid native account"),
        (1..8, vec![0; 7], "invalid currency value"),
        (0..8, vec![0; 8], "negative zero is not canonical"),
    ] {
        let mut changed = blob.clone();
        changed.splice(amount + change.start..amount + change.end, with);
        assert_eq!(ledger.submit(&changed).refused.as_deref(), Some(text));
    }
}
