//! The codec on inputs nobody recorded: whatever reads writes back the same, and nothing panics.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::float_arithmetic,
    reason = "a test fails by panicking"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use xrpl_wire::{
    AccountId, Amount, CodecError, Currency, Drops, Field, FieldType, Hash256, IouValue, Issue, IssuedAmount,
    LedgerHeader, MAX_DEPTH, Metadata, MptAmount, Number, Object, PathStep, Value, XChainBridge, sf,
};

fn account() -> impl Strategy<Value = AccountId> {
    any::<[u8; 20]>().prop_map(AccountId)
}

/// An account that may issue: neither zero nor one.
fn issuer() -> impl Strategy<Value = AccountId> {
    account().prop_filter("no issuer", |account| *account != AccountId::ZERO && *account != AccountId::ONE)
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![
        "[A-Z]{3}".prop_map(|code| code.parse().unwrap()),
        any::<[u8; 20]>().prop_map(Currency),
        Just(Currency::NONE),
        Just("0000000000000000000000005852500000000000".parse().unwrap()),
    ]
    .prop_filter("XRP", |currency| !currency.is_xrp())
}

fn iou() -> impl Strategy<Value = IouValue> {
    prop_oneof![
        Just(IouValue::ZERO),
        (any::<bool>(), 1_000_000_000_000_000_u64..=9_999_999_999_999_999, -96..=80_i32).prop_map(
            |(negative, mantissa, exponent)| IouValue::from_normal(negative, mantissa, exponent).unwrap()
        ),
        (any::<bool>(), 1_u64..100_000, -12..=12_i32)
            .prop_map(|(negative, mantissa, exponent)| IouValue::new(negative, mantissa, exponent).unwrap()),
    ]
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        (0..=Drops::MAX.get()).prop_map(|drops| Amount::Xrp(Drops::new(drops).unwrap())),
        (iou(), currency(), issuer()).prop_map(|(value, currency, issuer)| Amount::Issued(IssuedAmount {
            value,
            currency,
            issuer
        })),
        (any::<bool>(), 0..=i64::MAX.unsigned_abs(), any::<[u8; 24]>()).prop_map(
            |(negative, value, issuance_id)| {
                Amount::Mpt(MptAmount { negative: negative && value > 0, value, issuance_id })
            }
        ),
    ]
}

fn issue() -> impl Strategy<Value = Issue> {
    prop_oneof![
        Just(Issue::Xrp),
        (currency(), issuer()).prop_map(|(currency, issuer)| Issue::Issued { currency, issuer }),
        (any::<[u8; 4]>(), issuer()).prop_map(|(number, issuer)| {
            let mut id = [0; 24];
            id[..4].copy_from_slice(&number);
            id[4..].copy_from_slice(&issuer.0);
            Issue::Mpt(id)
        }),
    ]
}

fn path_step() -> impl Strategy<Value = PathStep> {
    let other = prop_oneof![
        Just((None, None)),
        currency().prop_map(|currency| (Some(currency), None)),
        any::<[u8; 24]>().prop_map(|id| (None, Some(id))),
    ];
    (proptest::option::of(account()), other, proptest::option::of(account()))
        .prop_map(|(account, (currency, mpt), issuer)| PathStep { account, currency, mpt, issuer })
        .prop_filter("a step of no kind", |step| *step != PathStep::default())
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        Just(Number::ZERO),
        (any::<bool>(), 1_000_000_000_000_000_000_i64..=i64::MAX, -32_768..=32_768_i32).prop_map(
            |(negative, mantissa, exponent)| Number {
                mantissa: if negative { -mantissa } else { mantissa },
                exponent
            }
        ),
    ]
}

fn bridge() -> impl Strategy<Value = XChainBridge> {
    (account(), issue(), account(), issue()).prop_map(|(locking_door, locking, issuing_door, issuing)| {
        XChainBridge {
            locking_chain_door: locking_door,
            locking_chain_issue: locking,
            issuing_chain_door: issuing_door,
            issuing_chain_issue: issuing,
        }
    })
}

fn blob() -> impl Strategy<Value = Vec<u8>> {
    // The bounds of the three forms of a length lie at 192 and 12,480.
    prop_oneof![
        4 => vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), prop_oneof![190..196_usize, 12_478..12_484_usize])
            .prop_map(|(byte, length)| vec![byte; length]),
    ]
}

/// A value for a field; objects and arrays hold others down to a depth.
fn value(field: Field, depth: u32) -> BoxedStrategy<Value> {
    match field.field_type() {
        FieldType::U8 => any::<u8>().prop_map(Value::U8).boxed(),
        FieldType::U16 => prop_oneof![0..200_u16, any::<u16>()].prop_map(Value::U16).boxed(),
        FieldType::U32 => any::<u32>().prop_map(Value::U32).boxed(),
        FieldType::U64 => any::<u64>().prop_map(Value::U64).boxed(),
        FieldType::I32 => any::<i32>().prop_map(Value::I32).boxed(),
        FieldType::I64 => any::<i64>().prop_map(Value::I64).boxed(),
        FieldType::Hash128 => any::<[u8; 16]>().prop_map(Value::Hash128).boxed(),
        FieldType::Hash160 => any::<[u8; 20]>().prop_map(Value::Hash160).boxed(),
        FieldType::Hash192 => any::<[u8; 24]>().prop_map(Value::Hash192).boxed(),
        FieldType::Hash256 => any::<[u8; 32]>().prop_map(|bytes| Value::Hash256(Hash256(bytes))).boxed(),
        FieldType::U96 | FieldType::U384 | FieldType::U512 => unreachable!("no field has it"),
        FieldType::Amount => amount().prop_map(Value::Amount).boxed(),
        FieldType::Blob => blob().prop_map(Value::Blob).boxed(),
        FieldType::Account => {
            prop_oneof![9 => account().prop_map(Value::Account), 1 => Just(Value::AccountEmpty)].boxed()
        }
        FieldType::Number => number().prop_map(Value::Number).boxed(),
        FieldType::Object => object(depth.saturating_sub(1)).prop_map(Value::Object).boxed(),
        FieldType::Array => {
            let names: Vec<Field> =
                fields().into_iter().filter(|field| field.field_type() == FieldType::Object).collect();
            let element = (proptest::sample::select(names), object(depth.saturating_sub(1)));
            vec(element, 0..3).prop_map(Value::Array).boxed()
        }
        FieldType::PathSet => vec(vec(path_step(), 1..4), 1..4).prop_map(Value::PathSet).boxed(),
        FieldType::Vector256 => {
            vec(any::<[u8; 32]>().prop_map(Hash256), 0..8).prop_map(Value::Vector256).boxed()
        }
        FieldType::Currency => prop_oneof![currency(), Just(Currency::XRP)].prop_map(Value::Currency).boxed(),
        FieldType::Issue => issue().prop_map(Value::Issue).boxed(),
        FieldType::XChainBridge => bridge().prop_map(Value::from).boxed(),
    }
}

fn fields() -> Vec<Field> {
    Field::all().filter(|field| field.is_serialized()).collect()
}

fn object(depth: u32) -> BoxedStrategy<Object> {
    let leaf = |field: &Field| !matches!(field.field_type(), FieldType::Object | FieldType::Array);
    let fields: Vec<Field> = fields().into_iter().filter(|field| depth > 0 || leaf(field)).collect();
    let field = proptest::sample::select(fields)
        .prop_flat_map(move |field| value(field, depth).prop_map(move |value| (field, value)));
    vec(field, 0..8).prop_map(|fields| fields.into_iter().collect()).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_object_round_trips_through_bytes_and_json(object in object(3)) {
        let bytes = object.encode().unwrap();
        prop_assert_eq!(&Object::decode(&bytes).unwrap(), &object);
        let json = object.to_json();
        prop_assert_eq!(&Object::from_json(&json).unwrap(), &object);
        // Text in between changes nothing.
        let text = json.to_string();
        prop_assert_eq!(&Object::from_json(&serde_json::from_str(&text).unwrap()).unwrap(), &object);
    }

    #[test]
    fn what_is_signed_is_the_object_without_its_unsigned_fields(object in object(2)) {
        let signed: Object =
            object.iter().filter(|(field, _)| field.is_signing()).map(|(field, value)| (field, value.clone())).collect();
        prop_assert_eq!(object.encode_signing().unwrap(), signed.encode().unwrap());
    }

    #[test]
    fn truncated_bytes_are_an_error_or_a_shorter_object(object in object(2), part in 0.0..1.0_f64) {
        let bytes = object.encode().unwrap();
        let length = (bytes.len() as f64 * part) as usize;
        let shorter = &bytes[..length];
        if let Ok(object) = Object::decode(shorter) {
            prop_assert_eq!(object.encode().unwrap(), shorter);
        }
    }

    #[test]
    fn amounts_read_back_from_their_text(value in iou(), drops in 0..=Drops::MAX.get()) {
        prop_assert_eq!(value.to_string().parse(), Ok(value));
        let drops = Drops::new(drops).unwrap();
        prop_assert_eq!(Drops::from_xrp_str(&drops.to_xrp_string()), Ok(drops));
        prop_assert_eq!(drops.to_string().parse(), Ok(drops));
    }

    #[test]
    fn sums_and_products_keep_the_laws_that_rounding_leaves(a in iou(), b in iou()) {
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        prop_assert_eq!(a.checked_mul(b), b.checked_mul(a));
        prop_assert_eq!(a.checked_sub(a), Ok(IouValue::ZERO));
        prop_assert_eq!(a.negated().negated(), a);
        prop_assert_eq!(a.cmp(&b), b.negated().cmp(&a.negated()));
        if let Ok(difference) = a.checked_sub(b) {
            // A difference too small to be a value is zero; otherwise its sign is that of the comparison.
            prop_assert!(difference.is_zero() || difference.is_negative() == (a < b));
        }
        if !b.is_zero() && let Ok(quotient) = a.checked_div(b) {
            prop_assert!(quotient.is_zero() || quotient.is_negative() == (a.is_negative() != b.is_negative()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn any_bytes_at_all_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn bytes_that_look_like_headers_never_panic(
        bytes in vec(prop_oneof![Just(0x00), Just(0x61), Just(0xE1), Just(0xF1), Just(0xF9), Just(0xEA), Just(0x14), Just(0x11), any::<u8>()], 0..80)
    ) {
        check(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn mutated_bytes_never_panic(object in object(2), changes in vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6)) {
        let mut bytes = object.encode().unwrap();
        for (at, byte, kind) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        check(&bytes);
    }

    #[test]
    fn mutated_json_never_panics(object in object(2), at in any::<prop::sample::Index>(), byte in any::<char>()) {
        let mut text: Vec<char> = object.to_json().to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(json) = serde_json::from_str(&text.iter().collect::<String>())
            && let Ok(object) = Object::from_json(&json)
        {
            // Values beyond a type's range are found here at the latest.
            if let Ok(bytes) = object.encode() {
                check(&bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50) })]

    #[test]
    fn any_text_never_panics(text in "\\PC{0,60}") {
        let _ = text.parse::<AccountId>();
        let _ = text.parse::<Hash256>();
        let _ = text.parse::<Drops>();
        let _ = Drops::from_xrp_str(&text);
        let _ = text.parse::<Currency>();
        let _ = text.parse::<IouValue>();
        let _ = Field::from_name(&text);
        let json = serde_json::Value::from(text);
        for field in Field::all() {
            let _ = Object::from_json(&serde_json::json!({ field.name(): json }));
        }
    }
}

/// What reads writes back to the same bytes; what does not is an error with a code.
fn check(bytes: &[u8]) {
    match Object::decode(bytes) {
        Ok(object) => {
            assert_eq!(object.encode().unwrap(), bytes);
            let _ = object.to_json();
            let _ = Metadata::from_object(object);
        }
        Err(error) => assert!(error.code().starts_with("codec_")),
    }
    let _ = LedgerHeader::decode(bytes);
}

fn decode(hex: &str) -> Result<Object, CodecError> {
    Object::decode(&hex::decode(hex).unwrap())
}

#[test]
fn each_deviation_is_its_own_error() {
    let cases = [
        // Flags after Sequence.
        ("240000000122000000002400000002", "codec_field_order"),
        ("2200000000220000000024", "codec_duplicate_field"),
        ("220000000024000000012200000000", "codec_duplicate_field"),
        // Flags with the number in a byte of its own.
        ("200200000000", "codec_not_shortest"),
        ("000102", "codec_not_shortest"),
        ("2200", "codec_truncated"),
        ("E1", "codec_unexpected_end"),
        ("F1", "codec_unexpected_end"),
        // No such number of UInt32; no such type.
        ("20FF00000000", "codec_unknown_field"),
        ("D100", "codec_unknown_field"),
        // An account of 19 bytes.
        ("811300000000000000000000000000000000000000", "codec_invalid_value"),
        // Less than no XRP; more than there is; an issued amount out of normal form.
        ("610000000000000001", "codec_invalid_value"),
        ("614FFFFFFFFFFFFFFF", "codec_invalid_value"),
        (
            "61D48000000000000100000000000000000000000055534400000000000000000000000000000000000000000000000002",
            "codec_invalid_value",
        ),
        // A length beyond all forms.
        ("73FF", "codec_not_shortest"),
    ];
    for (bytes, code) in cases {
        assert_eq!(decode(bytes).map_err(|error| error.code()), Err(code), "{bytes}");
    }
}

#[test]
fn an_unknown_field_is_named_by_its_code() {
    let error = decode("20FF00000000").unwrap_err();
    assert_eq!(error, CodecError::UnknownFieldCode { type_code: 2, nth: 255, offset: 0 });
    let error = Object::from_json(&serde_json::json!({ "Fee": "1", "Feee": "1" })).unwrap_err();
    assert_eq!(error, CodecError::UnknownFieldName("Feee".to_owned()));
}

#[test]
fn nesting_is_bounded_both_ways() {
    // Memos (F9) of Memo (EA) of Memos…: 20 kB, and every repetition twice deeper.
    let bytes = [0xF9, 0xEA].repeat(10_000);
    assert_eq!(Object::decode(&bytes), Err(CodecError::TooDeep));
    assert_eq!(Object::decode(&[0xEA].repeat(20_000)), Err(CodecError::TooDeep));

    let mut object = Object::new();
    for _ in 0..MAX_DEPTH {
        object = Object::new().with(sf::Memo, object);
    }
    let bytes = object.encode().unwrap();
    assert_eq!(Object::decode(&bytes).as_ref(), Ok(&object));
    assert_eq!(Object::from_json(&object.to_json()).as_ref(), Ok(&object));
    let deeper = Object::new().with(sf::Memo, object);
    assert_eq!(deeper.encode(), Err(CodecError::TooDeep));
    assert_eq!(Object::from_json(&deeper.to_json()), Err(CodecError::TooDeep));
}

#[test]
fn size_is_bounded_both_ways() {
    assert_eq!(Object::decode(&vec![0; (1 << 20) + 1]).unwrap_err().code(), "codec_too_large");
    let object = Object::new().with(sf::MemoData, vec![0; 918_745]);
    assert_eq!(object.encode(), Err(CodecError::TooLarge(918_745)));
    let longest = Object::new().with(sf::MemoData, vec![7; 918_744]);
    assert_eq!(Object::decode(&longest.encode().unwrap()), Ok(longest));
}

#[test]
fn a_value_that_is_not_the_fields_cannot_be_written() {
    let object = Object::new().with(sf::Sequence, 5_u16);
    assert_eq!(object.encode(), Err(CodecError::TypeMismatch { field: sf::Sequence, found: "UInt16" }));
    let not_a_list_of_objects = Object::new().with(sf::Memos, vec![(sf::Fee, Object::new())]);
    assert_eq!(not_a_list_of_objects.encode().unwrap_err().code(), "codec_invalid_value");
}

#[test]
fn amounts_and_objects_are_the_servers_json_in_serde_too() {
    let json = serde_json::json!({ "value": "1.5", "currency": "USD", "issuer": AccountId::ONE });
    let amount: Amount = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(amount).unwrap(), json);
    assert_eq!(Amount::from_json(&serde_json::json!("12")), Ok(Amount::Xrp(Drops::new(12).unwrap())));
    assert_eq!(Amount::from_json(&serde_json::json!(12)), Ok(Amount::Xrp(Drops::new(12).unwrap())));
    for bad in [
        serde_json::json!("1.5"),
        serde_json::json!("-1"),
        serde_json::json!(1.5),
        serde_json::json!({ "value": "1", "currency": "USD" }),
        serde_json::json!({ "value": "1", "currency": "USD", "issuer": AccountId::ONE, "more": 1 }),
        serde_json::json!({ "value": 1, "currency": "USD", "issuer": AccountId::ONE }),
        serde_json::json!(null),
    ] {
        assert_eq!(Amount::from_json(&bad).unwrap_err().code(), "codec_invalid_value", "{bad}");
    }
    let object = Object::new().with(sf::Amount, amount).with(sf::Sequence, 3_u32);
    let text = serde_json::to_string(&object).unwrap();
    assert_eq!(serde_json::from_str::<Object>(&text).unwrap(), object);
}

#[test]
fn fields_that_are_json_only_are_not_written() {
    let object = Object::from_json(&serde_json::json!({ "hash": Hash256::ZERO, "Sequence": 7 })).unwrap();
    assert_eq!(object.hash256(sf::hash), Some(Hash256::ZERO));
    assert_eq!(hex::encode(object.encode().unwrap()), "2400000007");
}

#[test]
fn a_loan_that_a_client_library_signed_verifies_when_it_is_read_from_json() {
    // By xrpl-py 5.2.0, with the key of the genesis account. It writes numbers as servers do, and signs over that.
    let signed = serde_json::json!({
        "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "Counterparty": "rnFRDVZUV9GmqoUJ65gkaQnMEiAnCdxb2m",
        "Fee": "400", "LastLedgerSequence": 26, "NetworkID": 63456, "PrincipalRequested": "100", "Sequence": 5,
        "LoanBrokerID": "D1B9DFF432B4F56127BE947281A327B656F202FC1530DD6409D771F7C4CA4F4B",
        "SigningPubKey": "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020",
        "TransactionType": "LoanSet",
        "TxnSignature": "30440220340C22FFFAEB438FE589D0FCDD3FE13DC9E8612356F1CBFFDEB20AF75A5452020220455E479682F3\
                         51E9636A19C1FE7C930CC8AFF84A3601DCC1D59DA18D2C3C0DDD",
    });
    let tx = xrpl_wire::Transaction::from_json(&signed).unwrap();
    assert_eq!(xrpl_wire::sign::verify_signatures(&tx), Ok(()));
}
