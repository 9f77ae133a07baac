//! Objects as the server shows them in JSON, and back.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::hash::upper_hex;
use crate::{
    AccountId, Amount, CodecError, Currency, Drops, Field, FieldType, Hash256, Issue, IssuedAmount,
    LedgerEntryType, MAX_DEPTH, MptAmount, Object, OddAmount, PathStep, TransactionType, TxResult, Value,
    XChainBridge, sf,
};
use crate::{number, permission};

/// The 64-bit fields that stand in JSON in decimal; all others stand in hex.
const DECIMAL_U64: [Field; 5] = [
    sf::MaximumAmount,
    sf::OutstandingAmount,
    sf::MPTAmount,
    sf::LockedAmount,
    sf::ConfidentialOutstandingAmount,
];

/// As a server shows it that calls fields by these names.
pub(crate) fn object_to_json(object: &Object, names: fn(Field) -> &'static str) -> Json {
    let mut json = Map::new();
    for (field, value) in object.iter() {
        json.insert(names(field).to_owned(), to_json(field, value, names));
    }
    Json::Object(json)
}

fn to_json(field: Field, value: &Value, names: fn(Field) -> &'static str) -> Json {
    match value {
        Value::U8(number) => u8_to_json(field, *number),
        Value::U16(number) => u16_to_json(field, *number),
        Value::U32(number) => match permission::name(*number) {
            Some(name) if field == sf::PermissionValue => Json::from(name),
            _ => Json::from(*number),
        },
        Value::U64(number) if DECIMAL_U64.contains(&field) => Json::from(number.to_string()),
        Value::U64(number) => Json::from(format!("{number:x}")),
        Value::I32(number) => Json::from(*number),
        Value::I64(number) => Json::from(number.to_string()),
        Value::Hash128(bytes) => Json::from(upper_hex(bytes)),
        Value::Hash160(bytes) => Json::from(upper_hex(bytes)),
        Value::Hash192(bytes) => Json::from(upper_hex(bytes)),
        Value::Hash256(hash) => Json::from(hash.to_string()),
        Value::Amount(amount) => amount_to_json(amount),
        Value::OddAmount(OddAmount::Xrp { negative, drops }) => {
            Json::from(format!("{}{drops}", if *negative { "-" } else { "" }))
        }
        Value::OddAmount(OddAmount::Mpt(mpt)) => amount_to_json(&Amount::Mpt(*mpt)),
        Value::Blob(bytes) => Json::from(upper_hex(bytes)),
        Value::Account(account) => Json::from(account.to_string()),
        Value::AccountEmpty => Json::from(""),
        Value::Number(number) => Json::from(number.to_string()),
        Value::Object(object) => object_to_json(object, names),
        Value::Array(list) => {
            list.iter().map(|(name, object)| named(names(*name), object_to_json(object, names))).collect()
        }
        Value::PathSet(paths) => {
            paths.iter().map(|steps| steps.iter().map(step_to_json).collect::<Json>()).collect()
        }
        Value::Vector256(hashes) => hashes.iter().map(|hash| Json::from(hash.to_string())).collect(),
        Value::Currency(currency) => Json::from(currency.to_string()),
        Value::Issue(issue) => issue_to_json(issue),
        Value::XChainBridge(bridge) => pairs([
            ("LockingChainDoor", Json::from(bridge.locking_chain_door.to_string())),
            ("LockingChainIssue", issue_to_json(&bridge.locking_chain_issue)),
            ("IssuingChainDoor", Json::from(bridge.issuing_chain_door.to_string())),
            ("IssuingChainIssue", issue_to_json(&bridge.issuing_chain_issue)),
        ]),
        Value::Raw(raw) => Json::from(upper_hex(raw.as_bytes())),
    }
}

fn pairs<const N: usize>(pairs: [(&str, Json); N]) -> Json {
    let mut json = Map::new();
    for (name, value) in pairs {
        json.insert(name.to_owned(), value);
    }
    Json::Object(json)
}

fn named(name: &str, value: Json) -> Json {
    pairs([(name, value)])
}

fn u8_to_json(field: Field, number: u8) -> Json {
    match TxResult::from_code(i32::from(number)) {
        Some(result) if field == sf::TransactionResult => Json::from(result.name()),
        _ => Json::from(number),
    }
}

fn u16_to_json(field: Field, number: u16) -> Json {
    let name = match field {
        sf::TransactionType => TransactionType::from_code(number).map(TransactionType::name),
        sf::LedgerEntryType => LedgerEntryType::from_code(number).map(LedgerEntryType::name),
        _ => None,
    };
    name.map_or_else(|| Json::from(number), Json::from)
}

fn amount_to_json(amount: &Amount) -> Json {
    match amount {
        Amount::Xrp(drops) => Json::from(drops.to_string()),
        Amount::Issued(issued) => pairs([
            ("value", Json::from(issued.value.to_string())),
            ("currency", Json::from(issued.currency.to_string())),
            ("issuer", Json::from(issued.issuer.to_string())),
        ]),
        Amount::Mpt(mpt) => {
            let sign = if mpt.negative { "-" } else { "" };
            pairs([
                ("value", Json::from(format!("{sign}{}", mpt.value))),
                ("mpt_issuance_id", Json::from(upper_hex(&mpt.issuance_id))),
            ])
        }
    }
}

fn issue_to_json(issue: &Issue) -> Json {
    match issue {
        Issue::Xrp => named("currency", Json::from("XRP")),
        Issue::Issued { currency, issuer } => pairs([
            ("currency", Json::from(currency.to_string())),
            ("issuer", Json::from(issuer.to_string())),
        ]),
        Issue::Mpt(id) => named("mpt_issuance_id", Json::from(upper_hex(id))),
    }
}

fn step_to_json(step: &PathStep) -> Json {
    let mut json = Map::new();
    let mut kind = 0;
    let parts = [
        ("account", crate::encode::path::ACCOUNT, step.account.map(|account| account.to_string())),
        ("currency", crate::encode::path::CURRENCY, step.currency.map(|currency| currency.to_string())),
        ("mpt_issuance_id", crate::encode::path::MPT, step.mpt.map(hex::encode_upper)),
        ("issuer", crate::encode::path::ISSUER, step.issuer.map(|issuer| issuer.to_string())),
    ];
    for (name, bit, part) in parts {
        if let Some(text) = part {
            kind |= bit;
            json.insert(name.to_owned(), Json::from(text));
        }
    }
    json.insert("type".to_owned(), Json::from(kind));
    Json::Object(json)
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        Object::from_json(&Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// As the server writes it: the text of the drops, or an object of value, currency and issuer.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        Amount::from_json(&Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Amount {
    /// As the server shows it.
    pub fn to_json(&self) -> Json {
        amount_to_json(self)
    }

    /// From what the server shows.
    ///
    /// # Errors
    /// [`CodecError::Invalid`] for what is no amount.
    pub fn from_json(json: &Json) -> Result<Amount, CodecError> {
        read_amount(sf::Amount, json)
    }
}

/// From what the server shows.
pub(crate) fn object_from_json(json: &Json) -> Result<Object, CodecError> {
    read_object(json, 0, Unknown::Refused)
}

/// These fields of what the server shows, as far as they are there.
pub(crate) fn fields_from_json(json: &Json, fields: &[Field]) -> Result<Object, CodecError> {
    let map = json.as_object().ok_or(CodecError::Expected("an object"))?;
    let there = fields.iter().filter_map(|field| Some((*field, map.get(field.name())?)));
    there.map(|(field, json)| Ok((field, from_json(field, json, 0, Unknown::LeftOut)?))).collect()
}

/// What becomes of members of an object that are no fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    LeftOut,
}

fn read_object(json: &Json, depth: usize, unknown: Unknown) -> Result<Object, CodecError> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    let map = json.as_object().ok_or(CodecError::Expected("an object"))?;
    map.iter()
        .filter(|(name, _)| unknown == Unknown::Refused || Field::from_name(name).is_some())
        .map(|(name, json)| {
            let field = Field::from_name(name).ok_or_else(|| CodecError::UnknownFieldName(name.clone()))?;
            Ok((field, from_json(field, json, depth, unknown)?))
        })
        .collect()
}

fn from_json(field: Field, json: &Json, depth: usize, unknown: Unknown) -> Result<Value, CodecError> {
    let invalid = |what| CodecError::Invalid { field, what };
    let text = || json.as_str().ok_or(invalid("expected text"));
    Ok(match field.field_type() {
        FieldType::U8 => Value::U8(read_u8(field, json)?),
        FieldType::U16 => Value::U16(read_u16(field, json)?),
        FieldType::U32 => Value::U32(read_u32(field, json)?),
        FieldType::U64 => Value::U64(read_u64(field, json)?),
        FieldType::I32 => Value::I32(integer(json).ok_or(invalid("expected a 32-bit number"))?),
        FieldType::I64 => Value::I64(integer(json).ok_or(invalid("expected a 64-bit number"))?),
        FieldType::Hash128 => Value::Hash128(fixed(field, text()?)?),
        FieldType::Hash160 => Value::Hash160(fixed(field, text()?)?),
        FieldType::Hash192 => Value::Hash192(fixed(field, text()?)?),
        FieldType::Hash256 => Value::Hash256(Hash256(fixed(field, text()?)?)),
        // No known field has one of them.
        FieldType::U96 | FieldType::U384 | FieldType::U512 => {
            return Err(invalid("a type that no field has"));
        }
        FieldType::Amount => Value::Amount(read_amount(field, json)?),
        FieldType::Blob => Value::Blob(hex::decode(text()?).map_err(|_| invalid("expected hex"))?),
        FieldType::Account if text()?.is_empty() => Value::AccountEmpty,
        FieldType::Account => Value::Account(account(field, Some(json))?),
        FieldType::Number => {
            Value::Number(number::parse(text()?).ok_or(invalid("expected a number as text"))?)
        }
        FieldType::Object => Value::Object(read_object(json, depth + 1, unknown)?),
        FieldType::Array => Value::Array(read_array(field, json, depth + 1, unknown)?),
        FieldType::PathSet => Value::PathSet(read_paths(field, json)?),
        FieldType::Vector256 => {
            let list = json.as_array().ok_or(invalid("expected a list of hashes"))?;
            let hash = |json: &Json| {
                json.as_str().ok_or(invalid("expected hashes")).and_then(|text| fixed(field, text))
            };
            Value::Vector256(list.iter().map(|json| hash(json).map(Hash256)).collect::<Result<_, _>>()?)
        }
        FieldType::Currency => Value::Currency(currency(field, Some(json))?),
        FieldType::Issue => Value::Issue(read_issue(field, json)?),
        FieldType::XChainBridge => {
            let issue = |name: &str| {
                json.get(name)
                    .ok_or(invalid("a side of the bridge is missing"))
                    .and_then(|json| read_issue(field, json))
            };
            known_keys(
                field,
                json,
                &["LockingChainDoor", "LockingChainIssue", "IssuingChainDoor", "IssuingChainIssue"],
            )?;
            Value::from(XChainBridge {
                locking_chain_door: account(field, json.get("LockingChainDoor"))?,
                locking_chain_issue: issue("LockingChainIssue")?,
                issuing_chain_door: account(field, json.get("IssuingChainDoor"))?,
                issuing_chain_issue: issue("IssuingChainIssue")?,
            })
        }
    })
}

/// A whole number, or one in decimal text. Text has no leading `+`.
fn integer<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let number = match json {
        Json::Number(number) => {
            number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from))?
        }
        Json::String(text) if !text.starts_with('+') => text.parse().ok()?,
        _ => return None,
    };
    T::try_from(number).ok()
}

fn read_u8(field: Field, json: &Json) -> Result<u8, CodecError> {
    let named = match json.as_str() {
        Some(name) if field == sf::TransactionResult => {
            TxResult::from_name(name).and_then(|result| u8::try_from(result.code()).ok())
        }
        _ => None,
    };
    named
        .or_else(|| integer(json))
        .ok_or(CodecError::Invalid { field, what: "expected an 8-bit number or a result that ledgers hold" })
}

fn read_u16(field: Field, json: &Json) -> Result<u16, CodecError> {
    let named = match (field, json.as_str()) {
        (sf::TransactionType, Some(name)) => TransactionType::from_name(name).map(TransactionType::code),
        (sf::LedgerEntryType, Some(name)) => LedgerEntryType::from_name(name).map(LedgerEntryType::code),
        _ => None,
    };
    named
        .or_else(|| integer(json))
        .ok_or(CodecError::Invalid { field, what: "expected a 16-bit number or a known name" })
}

fn read_u32(field: Field, json: &Json) -> Result<u32, CodecError> {
    let named = match json.as_str() {
        Some(name) if field == sf::PermissionValue => permission::value(name),
        _ => None,
    };
    named.or_else(|| integer(json)).ok_or(CodecError::Invalid { field, what: "expected a 32-bit number" })
}

fn read_u64(field: Field, json: &Json) -> Result<u64, CodecError> {
    let number = match json {
        Json::String(text) if DECIMAL_U64.contains(&field) => {
            text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        }
        // from_str_radix would take a sign.
        Json::String(text) if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u64::from_str_radix(text, 16).ok()
        }
        Json::Number(number) => number.as_u64(),
        _ => None,
    };
    number.ok_or(CodecError::Invalid { field, what: "expected a 64-bit number as text" })
}

fn fixed<const N: usize>(field: Field, text: &str) -> Result<[u8; N], CodecError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| CodecError::Invalid { field, what: "expected hex of the field's length" })?;
    Ok(bytes)
}

fn account(field: Field, json: Option<&Json>) -> Result<AccountId, CodecError> {
    json.and_then(Json::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or(CodecError::Invalid { field, what: "expected a classic address" })
}

fn currency(field: Field, json: Option<&Json>) -> Result<Currency, CodecError> {
    json.and_then(Json::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or(CodecError::Invalid { field, what: "expected a currency code" })
}

/// Refuses keys that would silently be lost.
fn known_keys(field: Field, json: &Json, keys: &[&str]) -> Result<(), CodecError> {
    let map = json.as_object().ok_or(CodecError::Invalid { field, what: "expected an object" })?;
    if map.keys().any(|key| !keys.contains(&key.as_str())) {
        return Err(CodecError::Invalid { field, what: "an unknown key" });
    }
    Ok(())
}

fn read_amount(field: Field, json: &Json) -> Result<Amount, CodecError> {
    let invalid = |what| CodecError::Invalid { field, what };
    if let Some(text) = json.as_str() {
        let drops: Drops = text.parse().map_err(|_| invalid("expected drops as decimal text"))?;
        return Ok(Amount::Xrp(drops));
    }
    if let Some(drops) = json.as_u64() {
        return Drops::new(drops).map(Amount::Xrp).map_err(|_| invalid("more XRP than there is"));
    }
    let value = json.get("value").and_then(Json::as_str).ok_or(invalid("expected an amount"))?;
    if let Some(id) = json.get("mpt_issuance_id") {
        known_keys(field, json, &["value", "mpt_issuance_id"])?;
        let digits = value.strip_prefix('-').unwrap_or(value);
        let number: u64 = digits
            .parse()
            .ok()
            .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or(invalid("expected a whole number"))?;
        let issuance_id = fixed(field, id.as_str().unwrap_or_default())?;
        let negative = number != 0 && digits.len() < value.len();
        return Ok(Amount::Mpt(MptAmount { negative, value: number, issuance_id }));
    }
    known_keys(field, json, &["value", "currency", "issuer"])?;
    Ok(Amount::Issued(IssuedAmount {
        value: value.parse().map_err(|_| invalid("expected a decimal number that fits"))?,
        currency: currency(field, json.get("currency"))?,
        issuer: account(field, json.get("issuer"))?,
    }))
}

fn read_issue(field: Field, json: &Json) -> Result<Issue, CodecError> {
    if let Some(id) = json.get("mpt_issuance_id") {
        known_keys(field, json, &["mpt_issuance_id"])?;
        return Ok(Issue::Mpt(fixed(field, id.as_str().unwrap_or_default())?));
    }
    let currency = currency(field, json.get("currency"))?;
    if currency.is_xrp() {
        known_keys(field, json, &["currency"])?;
        return Ok(Issue::Xrp);
    }
    known_keys(field, json, &["currency", "issuer"])?;
    Ok(Issue::Issued { currency, issuer: account(field, json.get("issuer"))? })
}

fn read_array(
    field: Field,
    json: &Json,
    depth: usize,
    unknown: Unknown,
) -> Result<Vec<(Field, Object)>, CodecError> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    let invalid = |what| CodecError::Invalid { field, what };
    let list = json.as_array().ok_or(invalid("expected a list"))?;
    list.iter()
        .map(|element| {
            let mut names = element.as_object().ok_or(invalid("expected a list of objects"))?.iter();
            let (Some((name, inner)), None) = (names.next(), names.next()) else {
                return Err(invalid("each object in a list stands under one name"));
            };
            let name = Field::from_name(name).ok_or_else(|| CodecError::UnknownFieldName(name.clone()))?;
            if name.field_type() != FieldType::Object {
                return Err(invalid("an array holds objects only"));
            }
            Ok((name, read_object(inner, depth + 1, unknown)?))
        })
        .collect()
}

fn read_paths(field: Field, json: &Json) -> Result<Vec<Vec<PathStep>>, CodecError> {
    let invalid = || CodecError::Invalid { field, what: "expected lists of path steps" };
    let step = |json: &Json| {
        // `type` and `type_hex` repeat what the other keys say.
        known_keys(field, json, &["account", "currency", "issuer", "mpt_issuance_id", "type", "type_hex"])?;
        Ok(PathStep {
            account: json.get("account").map(|json| account(field, Some(json))).transpose()?,
            currency: json.get("currency").map(|json| currency(field, Some(json))).transpose()?,
            mpt: json
                .get("mpt_issuance_id")
                .map(|json| fixed(field, json.as_str().unwrap_or_default()))
                .transpose()?,
            issuer: json.get("issuer").map(|json| account(field, Some(json))).transpose()?,
        })
    };
    json.as_array()
        .ok_or_else(invalid)?
        .iter()
        .map(|steps| steps.as_array().ok_or_else(invalid)?.iter().map(step).collect())
        .collect()
}
