//! `transaction_proposal`: a proposal, and who has signed what it proposes.

use serde_json::{Map, Value};
use xrpl_wire::{Hash256, LedgerEntryType, sf};

use super::error::{Failure, RpcError, RpcResult, expected_field_message};
use super::select::select;
use super::{Call, entry, fields, keys, params};
use crate::embedded::Ledger;
use crate::embedded::standing::{self, Member, Moment, Row};

pub(super) fn transaction_proposal<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let key = named(call)?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let found = view.entry_of(&key, LedgerEntryType::TransactionProposal);
    let object = found.ok_or_else(|| Failure::with_fields(view.describe(), RpcError::EntryNotFound))?;
    let at =
        Moment { index: view.index(), open: view.is_open(), parent_close_time: view.parent_close_time().0 };
    let standing = standing::of(view.state(), at, object);
    result.insert("proposal_id".to_owned(), key.to_string().into());
    result.insert("proposal".to_owned(), entry::entry(&key, object));
    result.insert("proposal_status".to_owned(), standing.status.name().into());
    result.insert("signing_status".to_owned(), standing.rows.iter().map(row).collect());
    let signed = object.object(sf::ProposedTransaction).filter(|_| standing.is_signed());
    if let Some(blob) = signed.and_then(|tx| tx.encode().ok()) {
        result.insert("tx_blob".to_owned(), hex::encode_upper(blob).into());
    }
    Ok(result)
}

/// The proposal that the request names: by its id, or by the Ticket that it holds.
fn named(call: &Call<'_>) -> Result<Hash256, Failure> {
    let has = |name| call.params.has(name);
    match (has("proposal_id"), has("account"), has("ticket_seq")) {
        (true, false, false) => {
            let id = call.params.get("proposal_id").as_str().and_then(params::hash);
            id.ok_or_else(|| {
                Failure::malformed("malformedRequest", expected_field_message("proposal_id", "Hash256"))
            })
        }
        (false, true, true) => {
            let mut named = Map::new();
            for name in ["account", "ticket_seq"] {
                let value = call.params.get(name);
                if !value.is_null() {
                    named.insert(name.to_owned(), value.clone());
                }
            }
            keys::proposal_of_ticket(&named)
        }
        _ => Err(Failure::with_message(
            RpcError::InvalidParams,
            "Must specify either 'proposal_id' or both 'account' and 'ticket_seq'.",
        )),
    }
}

fn row(row: &Row) -> Value {
    let mut json = fields([("signed", row.reason.is_none().into())]);
    let mut put = |name: &str, value: Value| json.insert(name.to_owned(), value);
    if let Some(account) = &row.account {
        put("account", account.to_string().into());
    }
    if let Some(reason) = row.reason {
        put("reason", reason.name().into());
    }
    if let Some(weight) = row.signed_weight {
        put("signed_weight", weight.into());
    }
    if let Some((quorum, members)) = &row.list {
        put("quorum", (*quorum).into());
        put("signers", members.iter().map(member).collect());
    }
    Value::Object(json)
}

fn member(member: &Member) -> Value {
    let account = member.account.to_string();
    Value::Object(fields([
        ("account", account.into()),
        ("weight", member.weight.into()),
        ("signed", member.signed.into()),
    ]))
}
