//! What signers bring back, in the forms that their tools have. It is only put into the form of the API here; whether
//! it is right says the operation that takes it.

use serde_json::Value;
use treasury_api::types::{ApproveRequest, ProposalView, RungView};
use xrpl_wire::sign::{Signer, signers};
use xrpl_wire::{Object, Transaction, sf};

use crate::http::ApiError;

/// More transactions than any proposal has.
const SIGNED_MAX: usize = 64;

/// Reads the request of the API as JSON, or the signed transactions: each in hex, or as JSON with `tx_blob`, `tx_json` or
/// the fields themselves.
///
/// # Errors
/// [`ApiError::BadField`], [`ApiError::BadBody`].
pub(super) fn read(view: &ProposalView, text: &str) -> Result<ApproveRequest, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(bad("paste what you signed, or choose its file"));
    }
    let mut found = Vec::new();
    if text.starts_with(['{', '[']) {
        let unreadable = "JSON that can be read: what your tool wrote, whole";
        let json: Value = serde_json::from_str(text).map_err(|_| bad(unreadable))?;
        if json.get("signatures").is_some() {
            // What is wrong with it is said without quoting it.
            let misses = "signer, signing_pub_key, signatures and void_signatures, and nothing else";
            return serde_json::from_value(json).map_err(|_| bad(misses));
        }
        of_json(&json, &mut found)?;
    } else {
        let words = text.split(|letter: char| letter.is_whitespace() || letter == ',');
        words.filter(|word| !word.is_empty()).try_for_each(|word| of_hex(word, &mut found))?;
    }
    request(view, &found)
}

fn of_json(json: &Value, found: &mut Vec<Transaction>) -> Result<(), ApiError> {
    match json {
        Value::Array(items) => items.iter().try_for_each(|item| of_json(item, found)),
        Value::String(blob) => of_hex(blob, found),
        Value::Object(fields) => match (fields.get("tx_blob"), fields.get("tx_json")) {
            (Some(blob), _) => of_json(blob, found),
            (None, Some(inner)) => of_json(inner, found),
            (None, None) => {
                let tx = Transaction::from_json(json);
                take(tx.map_err(|_| bad("signed transactions; this JSON is none"))?, found)
            }
        },
        _ => Err(bad("signed transactions; this JSON is none")),
    }
}

fn of_hex(text: &str, found: &mut Vec<Transaction>) -> Result<(), ApiError> {
    let bytes = hex::decode(text).map_err(|_| bad("signed transactions in hex, or JSON"))?;
    let tx = Transaction::decode(&bytes);
    take(tx.map_err(|_| bad("signed transactions; these bytes are none"))?, found)
}

fn take(tx: Transaction, found: &mut Vec<Transaction>) -> Result<(), ApiError> {
    if found.len() >= SIGNED_MAX {
        return Err(bad("no more transactions than the proposal has"));
    }
    found.push(tx);
    Ok(())
}

/// The signatures in the order of the rungs.
fn request(view: &ProposalView, found: &[Transaction]) -> Result<ApproveRequest, ApiError> {
    let signed: Vec<(Object, Signer)> = found
        .iter()
        .map(|tx| {
            let alone = "each signed by you alone, as a member of the SignerList (multi-signed)";
            let mut of_it = signers(tx).map_err(|_| bad(alone))?;
            match (of_it.pop(), of_it.is_empty()) {
                (Some(signer), true) => Ok((unsigned(tx), signer)),
                _ => Err(bad(alone)),
            }
        })
        .collect::<Result<_, ApiError>>()?;
    let Some((_, first)) = signed.first() else { return Err(bad("a signed transaction at least")) };
    if signed
        .iter()
        .any(|(_, signer)| signer.account != first.account || signer.public_key != first.public_key)
    {
        return Err(bad("all of one signer and one key"));
    }
    let of = |rungs: &[RungView]| {
        let of_rung = |rung: &RungView| {
            let rung = hex::decode(&rung.blob).ok().and_then(|blob| Transaction::decode(&blob).ok());
            let rung = rung.map(|tx| unsigned(&tx));
            let it = signed.iter().find(|(object, _)| Some(object) == rung.as_ref());
            it.map(|(_, signer)| hex::encode_upper(&signer.signature))
        };
        rungs.iter().map(of_rung).collect::<Option<Vec<String>>>()
    };
    let every =
        "every transaction of the package, signed: one is missing, or is another one than the proposal's";
    let signatures = of(&view.rungs).filter(|signatures| !signatures.is_empty()).ok_or_else(|| bad(every))?;
    let void_signatures = of(&view.void_rungs).ok_or_else(|| bad(every))?;
    Ok(ApproveRequest {
        signer: first.account.to_string(),
        signing_pub_key: first.public_key.to_string(),
        signatures,
        void_signatures,
    })
}

/// Without what signing adds.
fn unsigned(tx: &Transaction) -> Object {
    let mut object = tx.object().clone();
    object.remove(sf::Signers);
    object.set(sf::SigningPubKey, Vec::<u8>::new());
    object
}

fn bad(problem: &'static str) -> ApiError {
    ApiError::BadField { field: "signed", problem }
}
