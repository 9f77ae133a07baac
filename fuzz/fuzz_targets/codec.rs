//! Bytes: what decodes encodes to the same bytes, strictly and leniently, its JSON reads back as the same, nothing
//! that is not understood becomes a transaction to be signed, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xrpl_wire::{
    LedgerEntry, LedgerHeader, LedgerTx, Metadata, Object, Transaction, TxBody, Value, condition, sign, typed,
};

fuzz_target!(|data: &[u8]| {
    let _ = LedgerHeader::decode(data).map(|header| assert_eq!(header.encode().as_slice(), data));
    let _ = condition::parse_condition(data);
    let _ = condition::parse_fulfillment(data);
    let lenient = Object::decode_lenient(data);
    let _ = LedgerTx::decode(data).map(|tx| assert_eq!(Ok(tx.object()), lenient.as_ref()));
    let _ = Metadata::decode_lenient(data).map(|meta| assert_eq!(meta.encode().as_deref(), Ok(data)));
    if let Ok(object) = &lenient {
        assert_eq!(object.encode().as_deref(), Ok(data), "what is not understood is written as it was");
        let _ = (object.to_json(), format!("{object:?}"), LedgerEntry::from_object(object));
        if let Ok(tx) = Transaction::from_object(object.clone()) {
            assert_eq!(tx.object().not_understood(), None, "nothing is signed that is not understood");
        }
    }
    let Ok(object) = Object::decode(data) else { return };
    assert_eq!(lenient.as_ref(), Ok(&object), "what reads strictly reads the same leniently");
    assert_eq!(object.not_understood(), None);
    assert_eq!(object.encode().as_deref(), Ok(data), "decoded bytes encode to themselves");
    let _ = object.encode_signing();
    let json = object.to_json();
    let read = Object::from_json(&json).unwrap_or_else(|error| panic!("{json} is not read back: {error}"));
    if has_short_number(&object) {
        // Sixteen digits and nineteen give one text where the last three are zeros; it is read as nineteen.
        let again = Object::from_json(&read.to_json()).expect("what was read is written and read again");
        assert_eq!(again, read, "JSON reads back as the same value: {json}");
    } else {
        assert_eq!(read, object, "JSON reads back as what it was written from: {json}");
    }
    let _ = LedgerEntry::from_object(&object);
    let _ = Metadata::from_object(object.clone());
    let Ok(tx) = Transaction::from_object(object) else { return };
    assert_eq!(tx.encode(), data);
    let _ = sign::signers(&tx);
    let _ = sign::verify_signatures(&tx);
    // Bytes may hold more memos than anybody may send; such a transaction is read and not built.
    if tx.check_memos().is_ok()
        && let (Ok(common), Ok(body)) = (typed::TxCommon::parse(&tx), TxBody::parse(&tx))
    {
        let built = typed::build(&common, &body).expect("a typed transaction builds");
        assert_eq!(TxBody::parse(&built).as_ref(), Ok(&body), "a body survives building");
    }
});

/// Whether a Number in it has no more than sixteen digits.
fn has_short_number(object: &Object) -> bool {
    object.iter().any(|(_, value)| match value {
        Value::Number(number) => number.mantissa.unsigned_abs() < 10_000_000_000_000_000,
        Value::Object(inner) => has_short_number(inner),
        Value::Array(entries) => entries.iter().any(|(_, inner)| has_short_number(inner)),
        _ => false,
    })
}
