//! `server_definitions`: the tables of the binary format.

use serde_json::{Map, Value};
use xrpl_wire::template::{self, Presence};
use xrpl_wire::{Field, FieldType, LedgerEntryType, TransactionType, TxResult, sha512_half};

use super::error::RpcResult;
use super::{Call, fields, flag_tables};
use crate::embedded::{Generation, Ledger, format};

/// Names of field types, as client libraries know them, beside those of [`FieldType`].
const TYPE_NAMES: &[(FieldType, &str)] = &[
    (FieldType::U16, "UInt16"),
    (FieldType::U32, "UInt32"),
    (FieldType::U64, "UInt64"),
    (FieldType::Hash128, "Hash128"),
    (FieldType::Hash256, "Hash256"),
    (FieldType::Amount, "Amount"),
    (FieldType::Blob, "Blob"),
    (FieldType::Account, "AccountID"),
    (FieldType::Number, "Number"),
    (FieldType::I32, "Int32"),
    (FieldType::I64, "Int64"),
    (FieldType::Object, "STObject"),
    (FieldType::Array, "STArray"),
    (FieldType::U8, "UInt8"),
    (FieldType::Hash160, "Hash160"),
    (FieldType::PathSet, "PathSet"),
    (FieldType::Vector256, "Vector256"),
    (FieldType::Hash192, "Hash192"),
    (FieldType::Issue, "Issue"),
    (FieldType::XChainBridge, "XChainBridge"),
    (FieldType::Currency, "Currency"),
];

pub(super) fn server_definitions(ledger: &Ledger, call: &Call<'_>) -> RpcResult {
    let mut definitions = definitions(ledger.rules().generation());
    let text = Value::Object(definitions.clone()).to_string();
    let hash = sha512_half(&[text.as_bytes()]).to_string();
    if call.params.has("hash") {
        let asked = call.params.required_string("hash")?;
        if asked == hash {
            return Ok(fields([("hash", hash.into())]));
        }
    }
    definitions.insert("hash".to_owned(), hash.into());
    Ok(definitions)
}

fn definitions(generation: Generation) -> Map<String, Value> {
    let mut types = fields([
        ("Done", (-1).into()),
        ("Unknown", (-2).into()),
        ("NotPresent", 0.into()),
        ("Transaction", 10_001.into()),
        ("LedgerEntry", 10_002.into()),
        ("Validation", 10_003.into()),
        ("Metadata", 10_004.into()),
    ]);
    for (kind, name) in TYPE_NAMES {
        types.insert((*name).to_owned(), kind.code().into());
    }
    let rows: Vec<Value> = Field::all()
        .filter(|field| format::knows_field(generation, *field))
        .map(|field| {
            let kind = field.field_type();
            let name = TYPE_NAMES.iter().find(|(named, _)| *named == kind).map_or("", |(_, name)| name);
            let row = fields([
                ("isSerialized", field.is_serialized().into()),
                ("isSigningField", field.is_signing().into()),
                ("isVLEncoded", field.is_vl().into()),
                ("nth", field.nth().into()),
                ("type", name.into()),
            ]);
            vec![Value::from(format::field_name(field)), Value::Object(row)].into()
        })
        .collect();
    let entries = LedgerEntryType::ALL
        .iter()
        .filter(|kind| format::knows_entry(generation, **kind))
        .map(|kind| (kind.name().to_owned(), kind.code().into()));
    let transactions = TransactionType::ALL
        .iter()
        .filter(|kind| format::knows_transaction(generation, **kind))
        .map(|kind| (kind.name().to_owned(), kind.code().into()));
    let results = TxResult::all().map(|result| (result.name().to_owned(), result.code().into()));
    let with_invalid = |pairs: Map<String, Value>| {
        let mut pairs = pairs;
        pairs.insert("Invalid".to_owned(), (-1).into());
        Value::Object(pairs)
    };
    let mut definitions = fields([
        ("FIELDS", rows.into()),
        ("LEDGER_ENTRY_TYPES", with_invalid(entries.collect())),
        ("TRANSACTION_RESULTS", Value::Object(results.collect())),
        ("TRANSACTION_TYPES", with_invalid(transactions.collect())),
        ("TYPES", Value::Object(types)),
    ]);
    if generation.defines_formats() {
        definitions.extend(formats(generation));
    }
    definitions
}

/// The fields and the flags of each type.
fn formats(generation: Generation) -> Map<String, Value> {
    let listed = |template: &[(Field, Presence)]| -> Value {
        let known = template.iter().filter(|(field, _)| format::knows_field(generation, *field));
        known.map(|(field, presence)| Value::Object(element(*field, *presence))).collect()
    };
    let mut transactions: Map<String, Value> = TransactionType::ALL
        .iter()
        .filter(|kind| format::knows_transaction(generation, **kind))
        .map(|kind| (kind.name().to_owned(), listed(template::template(*kind))))
        .collect();
    transactions.insert("common".to_owned(), listed(template::common()));
    let mut entries: Map<String, Value> = LedgerEntryType::ALL
        .iter()
        .filter(|kind| format::knows_entry(generation, **kind))
        .map(|kind| (kind.name().to_owned(), listed(template::entries::template(*kind))))
        .collect();
    entries.insert("common".to_owned(), listed(template::entries::common()));
    fields([
        ("ACCOUNT_SET_FLAGS", flag_tables::account_set()),
        ("LEDGER_ENTRY_FLAGS", Value::Object(flag_tables::entries())),
        ("LEDGER_ENTRY_FORMATS", Value::Object(entries)),
        ("TRANSACTION_FLAGS", Value::Object(flag_tables::transactions())),
        ("TRANSACTION_FORMATS", Value::Object(transactions)),
    ])
}

fn element(field: Field, presence: Presence) -> Map<String, Value> {
    let optionality = match presence {
        Presence::Required => 0,
        Presence::Optional => 1,
        Presence::Default => 2,
    };
    fields([("name", format::field_name(field).into()), ("optionality", optionality.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_hold_what_the_generation_knows() {
        let [v3_1, v3_2, v3_3] = Generation::ALL.map(definitions);
        let has = |of: &Map<String, Value>, table: &str, name: &str| of[table].get(name).is_some();
        assert!(has(&v3_3, "TRANSACTION_TYPES", "ConfidentialMPTSend"));
        for older in [&v3_1, &v3_2] {
            assert!(!has(older, "TRANSACTION_TYPES", "ConfidentialMPTSend"));
        }
        for any in [&v3_1, &v3_2, &v3_3] {
            assert!(has(any, "TRANSACTION_TYPES", "Batch") && !has(any, "LEDGER_ENTRY_TYPES", "Sponsorship"));
            let rows = any["FIELDS"].as_array().unwrap();
            assert!(
                rows.iter().any(|row| row[0] == "Delegate") && rows.iter().all(|row| row[0] != "Sponsor")
            );
        }
        assert!(!v3_1.contains_key("TRANSACTION_FORMATS"));
        let payment = v3_2["TRANSACTION_FORMATS"]["Payment"].as_array().unwrap();
        assert!(payment.contains(&serde_json::json!({"name": "Destination", "optionality": 0})));
        assert!(payment.contains(&serde_json::json!({"name": "Paths", "optionality": 2})));
        assert_eq!(v3_2["TRANSACTION_FLAGS"]["Payment"]["tfPartialPayment"], 0x0002_0000);
        assert_eq!(v3_2["LEDGER_ENTRY_FLAGS"]["AccountRoot"]["lsfDefaultRipple"], 0x0080_0000);
        assert_eq!(v3_2["ACCOUNT_SET_FLAGS"]["asfDefaultRipple"], 8);
        assert_eq!(v3_2["LEDGER_ENTRY_FORMATS"]["common"].as_array().unwrap().len(), 3);
    }
}
