//! Where xrpl-rust 1.3.0 is known to be wrong, or to say otherwise than servers do: one test for each. A test that
//! fails is good news: the fault is gone, and what is said of it here and in `third_opinion.rs` can go too.

use serde_json::{Value as Json, json};
use support::{guarded, normal};
use xrpl::core::{binarycodec, keypairs};
use xrpl::models::Model;
use xrpl::models::transactions::payment::Payment;
use xrpl_wire::{Amount, KeyPair, MptAmount, Object, Seed, Transaction, sf};

mod support;

/// A payment of XRP as xrpl-wire understands it, to be changed.
fn payment() -> Json {
    json!({
        "TransactionType": "Payment",
        "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "Destination": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe",
        "Amount": "1000000",
        "Fee": "10",
        "Flags": 0,
        "Sequence": 1,
        "SigningPubKey": "",
    })
}

fn with(mut json: Json, name: &str, value: Json) -> Json {
    json[name] = value;
    json
}

fn tokens(value: &str) -> Json {
    json!({ "currency": "USD", "issuer": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe", "value": value })
}

fn blob(json: &Json) -> String {
    hex::encode_upper(Transaction::from_json(json).unwrap().encode())
}

#[test]
fn a_blob_that_is_cut_short_makes_it_panic() {
    let whole = blob(&payment());
    let mut panics = 0;
    for end in (2..whole.len()).step_by(2) {
        // Between two fields it is an object, of fewer fields; xrpl-wire finds all else out.
        let _ = Object::decode(&hex::decode(&whole[..end]).unwrap());
        panics += usize::from(guarded(|| binarycodec::decode(&whole[..end])) == Err("panic".to_owned()));
    }
    assert!(panics > 10, "only {panics}");
}

#[test]
fn fields_in_the_wrong_order_are_read() {
    // The fee before the sequence: no server takes that.
    let wrong = "12000068400000000000000A2400000001";
    assert!(Object::decode(&hex::decode(wrong).unwrap()).is_err());
    let theirs = binarycodec::decode(wrong).unwrap();
    assert_eq!(theirs["Fee"], "10");
    assert_eq!(theirs["Sequence"], 1);
}

#[test]
fn what_it_does_not_know() {
    // It is left out of what is written and signed, without a word.
    let more = with(payment(), "NoSuchField", json!(7));
    assert!(Transaction::from_json(&more).is_err());
    assert_eq!(binarycodec::encode(&more).unwrap(), blob(&payment()));
    assert_eq!(
        binarycodec::encode_for_signing(&more).unwrap(),
        binarycodec::encode_for_signing(&payment()).unwrap()
    );
}

#[test]
fn large_token_amounts() {
    // A server takes amounts up to 9999999999999999e80.
    for value in ["9999999999999999e80", "8888888888888888e60"] {
        let large = with(payment(), "Amount", tokens(value));
        let written = blob(&large);
        assert!(guarded(|| binarycodec::encode(&large)).unwrap_err().contains("precision too large"));
        let read = guarded(|| binarycodec::decode(&written)).unwrap_err();
        assert!(read.contains("Invalid read from bytes value"), "{read}");
    }
}

#[test]
fn negative_mpt_amounts() {
    // No server applies one, but all read it as what it is. So does xrpl-rust, and cannot write it.
    let amount = Amount::Mpt(MptAmount { negative: true, value: 5, issuance_id: [7; 24] });
    let object = Object::new().with(sf::Amount, amount);
    let written = hex::encode_upper(object.encode().unwrap());
    assert_eq!(object.to_json()["Amount"]["value"], "-5");
    assert_eq!(binarycodec::decode(&written).unwrap(), object.to_json());
    assert!(guarded(|| binarycodec::encode(&object.to_json())).unwrap_err().contains("Value is negative"));
}

#[test]
fn names_of_permissions() {
    // It does not know the newest, and calls by a name what is none.
    let permission = |value: u32| {
        let object = Object::new().with(sf::PermissionValue, value);
        let theirs = binarycodec::decode(&hex::encode_upper(object.encode().unwrap())).unwrap();
        (object.to_json()["PermissionValue"].clone(), theirs["PermissionValue"].clone())
    };
    assert_eq!(permission(65_549), (json!("SponsorFee"), json!(65_549)));
    assert_eq!(permission(0), (json!(0), json!("Invalid")));
    assert_eq!(permission(65_537), (json!("TrustlineAuthorize"), json!("TrustlineAuthorize")));
}

#[test]
fn numbers_and_amounts_in_other_words_than_a_servers() {
    let ours = Object::new().with(sf::OwnerNode, 31_u64);
    let theirs = binarycodec::decode(&hex::encode_upper(ours.encode().unwrap())).unwrap();
    assert_eq!(
        (&ours.to_json()["OwnerNode"], &theirs["OwnerNode"]),
        (&json!("1f"), &json!("000000000000001F"))
    );
    assert_eq!(normal(&ours.to_json()), normal(&theirs));

    let small = with(payment(), "Amount", tokens("0.000000001"));
    let theirs = binarycodec::decode(&blob(&small)).unwrap();
    assert_eq!(theirs["Amount"]["value"], "1E-9");
    assert_eq!(normal(&theirs), normal(&small));
}

#[test]
fn secp256k1_keys_with_a_leading_zero() {
    // One in sixteen: the first digit of the private key is zero, and is not written.
    let seeds = (0..=u8::MAX).map(|byte| Seed::from_entropy([byte; 16], xrpl_wire::KeyType::Secp256k1));
    let mut refused = 0;
    for seed in seeds {
        let ours = KeyPair::from_seed(&seed).public_key().to_string();
        match keypairs::derive_keypair(&seed.to_base58(), false) {
            Ok((theirs, _)) => assert_eq!(theirs, ours),
            Err(error) => {
                assert!(format!("{error:?}").contains("InvalidSecretKey"), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!((4..40).contains(&refused), "{refused} of 256");
}

#[test]
fn an_invoice_id_is_lost_in_its_payment() {
    let invoice = with(payment(), "InvoiceID", json!("AB".repeat(32)));
    assert_eq!(binarycodec::encode(&invoice).unwrap(), blob(&invoice), "the codec knows it");
    // The model has a number there, under a name that is no field's.
    let mut typed: Payment = serde_json::from_value(invoice).unwrap();
    assert_eq!(binarycodec::encode(&typed).unwrap(), blob(&payment()));
    typed.invoice_id = Some(7);
    assert!(typed.get_errors().is_ok());
    assert_eq!(binarycodec::encode(&typed).unwrap(), blob(&payment()));
}

#[test]
fn fields_that_a_model_lacks_are_lost_on_the_way_through_it() {
    // A payment that a delegate sends, and in a permissioned domain.
    let mut fuller = with(payment(), "Delegate", json!("rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"));
    fuller["DomainID"] = json!("CD".repeat(32));
    let typed: Payment = serde_json::from_value(fuller.clone()).unwrap();
    assert_eq!(binarycodec::encode(&typed).unwrap(), blob(&payment()));
    assert_ne!(blob(&fuller), blob(&payment()));
}

#[test]
fn a_model_without_an_empty_signing_key_is_multi_signed_invalidly() {
    let account = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe";
    let transaction = Transaction::from_json(&payment()).unwrap();
    let good = hex::encode_upper(transaction.multi_signing_bytes(&account.parse().unwrap()));
    let mut typed: Payment = serde_json::from_value(payment()).unwrap();
    assert_eq!(binarycodec::encode_for_multisigning(&typed, account.into()).unwrap(), good);
    // As the models' own defaults leave it. What is submitted has an empty one: `multisign` sets it afterwards.
    typed.common_fields.signing_pub_key = None;
    assert_ne!(binarycodec::encode_for_multisigning(&typed, account.into()).unwrap(), good);
}
