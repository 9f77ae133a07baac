//! A transaction in JSON as the server reads it: field by field, and in its words where one is wrong.

use serde_json::{Map, Value};
use xrpl_wire::{CodecError, Field, FieldType, MAX_DEPTH, Object, Transaction, TxError, template};

use super::error::{Failure, RpcError};
use crate::embedded::{Generation, format};

/// Why JSON is no transaction.
pub(super) enum Unparsed {
    /// A field does not read.
    Field(Failure),
    /// All fields read, and are not those of a transaction.
    Template(TxError),
}

/// Reads a transaction whose JSON stands under `path` in the request.
pub(super) fn transaction(
    generation: Generation,
    path: &str,
    json: &Map<String, Value>,
) -> Result<Transaction, Unparsed> {
    let object = object(generation, path, json).map_err(Unparsed::Field)?;
    // Fields that only JSON has are dropped, as the server drops them.
    let object: Object = object.iter().filter(|(field, _)| field.is_serialized()).map(owned).collect();
    let tx = Transaction::from_object(object).map_err(Unparsed::Template)?;
    if !format::knows_transaction(generation, tx.tx_type()) {
        return Err(Unparsed::Field(says(&format!("{path}.TransactionType"), "has invalid data.")));
    }
    Ok(tx)
}

fn owned((field, value): (Field, &xrpl_wire::Value)) -> (Field, xrpl_wire::Value) {
    (field, value.clone())
}

/// Reads an object.
pub(super) fn object(
    generation: Generation,
    path: &str,
    json: &Map<String, Value>,
) -> Result<Object, Failure> {
    check_object(generation, path, json, 0)?;
    Object::from_json(&format::with_new_names(json)).map_err(|_| says(path, "has invalid data."))
}

fn check_object(
    generation: Generation,
    path: &str,
    json: &Map<String, Value>,
    depth: usize,
) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(says(path, "exceeds nesting depth limit."));
    }
    for (name, value) in json {
        let path = format!("{path}.{name}");
        let field = known(generation, name).ok_or_else(|| says(&path, "is unknown."))?;
        match (field.field_type(), value) {
            (FieldType::Object, Value::Object(inner)) => {
                check_object(generation, &path, inner, depth + 1)?;
                check_template(field, inner)?;
            }
            (FieldType::Object, _) => return Err(says(&path, "is not a JSON object.")),
            (FieldType::Array, Value::Array(items)) => check_array(generation, &path, items, depth + 1)?,
            (FieldType::Array, _) => return Err(says(&path, "must be a JSON array.")),
            _ => check_leaf(&path, field, value)?,
        }
    }
    Ok(())
}

/// The field of a name, if the generation has it.
fn known(generation: Generation, name: &str) -> Option<Field> {
    format::field_named(name).filter(|field| format::knows_field(generation, *field))
}

/// Whether an object within has the fields that its kind must have, and no others.
fn check_template(name: Field, json: &Map<String, Value>) -> Result<(), Failure> {
    match Object::from_json(&Value::Object(json.clone())) {
        Ok(object) if !template::fits_inner(name, &object) => {
            let message =
                format!("Object '{}' contents did not meet requirements for that type.", name.name());
            Err(Failure::with_message(RpcError::InvalidParams, message))
        }
        _ => Ok(()),
    }
}

fn check_array(generation: Generation, path: &str, items: &[Value], depth: usize) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(says(path, "exceeds nesting depth limit."));
    }
    for (at, item) in items.iter().enumerate() {
        let only =
            item.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
        let Some((name, inner)) = only else {
            return Err(says(
                &format!("{path}[{at}]"),
                "must be an object with a single field/object value.",
            ));
        };
        let Some(field) = known(generation, name) else {
            return Err(says(&format!("{path}.{name}"), "is unknown."));
        };
        let inner_path = format!("{path}.[{at}].{name}");
        let Value::Object(inner) = inner else {
            return Err(says(&inner_path, "is not a JSON object."));
        };
        if field.field_type() != FieldType::Object {
            let message =
                format!("Item '{path}' at index {at} is not an object.  Arrays may only contain objects.");
            return Err(Failure::with_message(RpcError::InvalidParams, message));
        }
        check_object(generation, &inner_path, inner, depth + 1)?;
        check_template(field, inner)?;
    }
    Ok(())
}

/// A value that holds no fields: whether it reads at all, and if not, whether its kind or its content is wrong.
fn check_leaf(path: &str, field: Field, value: &Value) -> Result<(), Failure> {
    let single = Map::from_iter([(field.name().to_owned(), value.clone())]);
    match Object::from_json(&Value::Object(single)) {
        Ok(_) => Ok(()),
        Err(CodecError::TooDeep) => Err(says(path, "exceeds nesting depth limit.")),
        Err(_) if !fits(field.field_type(), value) => Err(says(path, "has bad type.")),
        Err(_) => Err(says(path, "has invalid data.")),
    }
}

/// Whether a kind of field can be written as such a kind of JSON at all.
fn fits(kind: FieldType, value: &Value) -> bool {
    match kind {
        FieldType::U8
        | FieldType::U16
        | FieldType::U32
        | FieldType::U64
        | FieldType::I32
        | FieldType::I64
        | FieldType::Number => value.is_string() || value.is_i64() || value.is_u64(),
        FieldType::Hash128
        | FieldType::Hash160
        | FieldType::Hash192
        | FieldType::Hash256
        | FieldType::Blob
        | FieldType::Account => value.is_string(),
        _ => true,
    }
}

fn says(path: &str, what: &str) -> Failure {
    Failure::with_message(RpcError::InvalidParams, format!("Field '{path}' {what}"))
}
