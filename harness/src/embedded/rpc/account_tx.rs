//! `account_tx`: the transactions that touched an account, newest first unless asked otherwise.

use serde_json::{Map, Value};
use xrpl_wire::AccountId;

use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, ACCOUNT_PAGE};
use super::tx_json::{self, Delivered};
use super::{Call, fields, select};
use crate::embedded::{ClosedLedger, ClosedTx, Ledger};

/// The server's page lengths.
const PAGE_JSON: u32 = 200;
const PAGE_BINARY: u32 = 500;

/// The place of a transaction: ledger, position in it.
type Place = (u32, u32);

pub(super) fn account_tx<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let params = call.params;
    for name in ["binary", "forward"] {
        if call.api_version > 1 && params.has(name) && !params.get(name).is_boolean() {
            return Err(Failure::invalid_field(name));
        }
    }
    let modern = ledger.rules().generation().limits_account_tx();
    let asked = match (modern, params.has("limit")) {
        (true, _) => params.limit(ACCOUNT_PAGE, call.admin)?,
        (false, true) => params::as_u32(params.get("limit"))?,
        (false, false) => 0,
    };
    let (binary, forward) = (params.flag("binary"), params.flag("forward"));
    let ident = params.required_string("account")?;
    let account = params::account(ident).ok_or(RpcError::ActMalformed)?;
    let wanted = wanted_range(call)?;
    let marker = marker(call)?;
    let (first, last) = range(ledger, call, wanted)?;

    let page = if binary { PAGE_BINARY } else { PAGE_JSON };
    let limit = match asked {
        0 | u32::MAX => page,
        // Whatever newer servers take for a length, and say it is: they look for no more than before.
        asked if asked > page && !call.admin => page,
        asked => asked,
    };
    let (found, next) = walk(ledger, call, &account, (first, last), marker, limit, forward);
    let transactions: Vec<Value> =
        found.into_iter().map(|(closed, tx)| transaction(call, closed, tx, binary)).collect();
    let mut result = fields([
        ("account", ident.into()),
        ("ledger_index_max", last.into()),
        ("ledger_index_min", first.into()),
        ("limit", asked.into()),
        ("transactions", transactions.into()),
        ("validated", true.into()),
    ]);
    if let Some((ledger, seq)) = next {
        let marker = fields([("ledger", ledger.into()), ("seq", seq.into())]);
        result.insert("marker".to_owned(), Value::Object(marker));
    }
    Ok(result)
}

/// A page of transactions within a range, and the place of the first that is not on it any more.
fn walk<'a>(
    ledger: &'a Ledger,
    call: &Call<'a>,
    account: &AccountId,
    (first, last): (u32, u32),
    marker: Option<Place>,
    limit: u32,
    forward: bool,
) -> (Vec<(&'a ClosedLedger, &'a ClosedTx)>, Option<Place>) {
    let mut places: Vec<Place> = ledger
        .account_transactions(account)
        .iter()
        .copied()
        .filter(|(index, _)| (first..=last).contains(index))
        .collect();
    if !forward {
        places.reverse();
    }
    // Nothing comes after a marker that no transaction has.
    let start = match marker {
        None => 0,
        Some(marker) => places.iter().position(|place| *place == marker).unwrap_or(places.len()),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rest = places.into_iter().skip(start);
    let found = rest
        .by_ref()
        .take(limit)
        .filter_map(|(index, position)| {
            let closed = select::closed(ledger, call, index)?;
            let tx = closed.transactions.get(usize::try_from(position).ok()?)?;
            Some((&**closed, &**tx))
        })
        .collect();
    (found, rest.next())
}

fn transaction(call: &Call<'_>, closed: &ClosedLedger, tx: &ClosedTx, binary: bool) -> Value {
    let version = call.api_version;
    let mut json = if binary {
        let meta = if version > 1 { "meta_blob" } else { "meta" };
        fields([
            ("tx_blob", hex::encode_upper(tx.blob()).into()),
            (meta, hex::encode_upper(&tx.meta_blob).into()),
            ("ledger_index", closed.header.index.into()),
        ])
    } else {
        let body = tx_json::transaction_in_ledger(closed, tx, call.facts.network_id(), version);
        let mut json = fields([("meta", tx_json::metadata(closed, tx, Delivered::Any))]);
        if version > 1 {
            json.extend(fields([
                ("tx_json", Value::Object(body)),
                ("hash", tx.id.to_string().into()),
                ("ledger_hash", closed.hash.to_string().into()),
                ("ledger_index", closed.header.index.into()),
                ("close_time_iso", closed.header.close_time.to_string().into()),
            ]));
        } else {
            json.insert("tx".to_owned(), Value::Object(body));
        }
        json
    };
    json.insert("validated".to_owned(), true.into());
    Value::Object(json)
}

/// What a request says about ledgers.
enum Wanted {
    All,
    Range(u32, u32),
    One,
}

fn wanted_range(call: &Call<'_>) -> Result<Wanted, Failure> {
    let params = call.params;
    let ranged = params.has("ledger_index_min") || params.has("ledger_index_max");
    let single = params.has("ledger_hash") || params.has("ledger_index");
    if ranged && single && call.api_version > 1 {
        return Err(Failure::with_message(RpcError::InvalidParams, "invalidParams"));
    }
    if ranged {
        // A bound that is missing or negative is none.
        let bound = |name, none| match params.get(name) {
            Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => Ok(none),
            _ if !params.has(name) => Ok(none),
            value => params::as_u32(value),
        };
        return Ok(Wanted::Range(bound("ledger_index_min", 0)?, bound("ledger_index_max", u32::MAX)?));
    }
    if !single {
        return Ok(Wanted::All);
    }
    if !params.has("ledger_hash")
        && let Value::String(name) = params.get("ledger_index")
        && !["", "current", "closed", "validated"].contains(&name.as_str())
    {
        return Err(Failure::with_message(RpcError::InvalidParams, "ledger_index string malformed"));
    }
    Ok(Wanted::One)
}

fn range<'a>(ledger: &'a Ledger, call: &Call<'a>, wanted: Wanted) -> Result<(u32, u32), Failure> {
    let (held_first, held_last) = (call.facts.first_held(), ledger.validated().header.index);
    match wanted {
        Wanted::All => Ok((held_first, held_last)),
        Wanted::Range(first, last) => {
            let outside = (last > held_last && last != u32::MAX) || (first < held_first && first != 0);
            if call.api_version > 1 && outside {
                return Err(RpcError::LgrIdxMalformed.into());
            }
            let (first, last) = (first.max(held_first), last.min(held_last));
            if last < first {
                return Err(match call.api_version {
                    1 => RpcError::LgrIdxsInvalid,
                    _ => RpcError::InvalidLgrRange,
                }
                .into());
            }
            Ok((first, last))
        }
        Wanted::One => {
            let view = select::select(ledger, call)?;
            if view.is_open() || !(held_first..=held_last).contains(&view.index()) {
                return Err(RpcError::LgrNotValidated.into());
            }
            Ok((view.index(), view.index()))
        }
    }
}

fn marker(call: &Call<'_>) -> Result<Option<Place>, Failure> {
    if !call.params.has("marker") {
        return Ok(None);
    }
    let empty = Map::new();
    let token = call.params.get("marker").as_object().unwrap_or(&empty);
    let number = |name| token.get(name).filter(|value| params::is_u32(value)).map(params::as_u32);
    match (number("ledger"), number("seq")) {
        (Some(Ok(ledger)), Some(Ok(seq))) => Ok(Some((ledger, seq))),
        _ => Err(Failure::with_message(
            RpcError::InvalidParams,
            "invalid marker. Provide ledger index via ledger field, and transaction sequence number via \
             seq field",
        )),
    }
}
