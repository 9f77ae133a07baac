//! Ways to pay: `ripple_path_find` looks once, `path_find` for a websocket.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Amount, Drops, IouValue, Issue, Object, index, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, Params};
use super::payment::amount_of;
use super::select::{View, select};
use super::subscribe::Subscription;
use super::{Call, fields};
use crate::embedded::Ledger;
use crate::embedded::apply::LedgerInfo;
use crate::embedded::apply::paths::{self, Much, Wish};

/// So many assets of the source may be named.
const MAX_SOURCES: usize = 18;

pub(super) fn ripple_path_find<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let view = select(ledger, call)?;
    let fail = |error| Failure::with_fields(view.describe(), error);
    let (wish, shown) = wish(&call.params).map_err(fail)?;
    check(&view, ledger, &wish).map_err(fail)?;
    let state = state_of(&view);
    let id = call.params.has("id").then(|| call.params.get("id").clone());
    let asked = Asked { wish, shown, id };
    let mut result = found(ledger, &view, &asked).map_err(fail)?;
    // In the order of a hash table on the server; here by name.
    let taken = paths::taken(state, &asked.wish.destination);
    let mut names: Vec<String> = taken.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    result.insert("destination_currencies".to_owned(), names.into());
    result.insert("full_reply".to_owned(), true.into());
    if let Some(Value::Array(alternatives)) = result.get_mut("alternatives") {
        for alternative in alternatives.iter_mut().filter_map(Value::as_object_mut) {
            alternative.insert("paths_canonical".to_owned(), Vec::<Value>::new().into());
        }
    }
    result.extend(view.describe());
    Ok(result)
}

pub(super) fn path_find<'a>(
    ledger: &'a Ledger,
    call: &Call<'a>,
    subscription: Option<&mut Subscription>,
) -> RpcResult {
    let subcommand = call.params.get("subcommand").as_str().ok_or(RpcError::InvalidParams)?;
    let subscription = subscription.ok_or(RpcError::NoEvents)?;
    // All frames of a socket come in one version, that of the last who asked for some.
    subscription.api_version = call.api_version;
    match subcommand {
        "create" => {
            subscription.paths = None;
            let view = View::Closed(ledger.validated());
            let (wish, shown) = wish(&call.params)?;
            check(&view, ledger, &wish)?;
            let id = call.params.has("id").then(|| call.params.get("id").clone());
            let asked = Asked { wish, shown, id };
            let mut result = found(ledger, &view, &asked)?;
            result.insert("full_reply".to_owned(), false.into());
            subscription.paths = Some(Pursuit { asked, told: result.clone(), is_new: true });
            Ok(result)
        }
        "close" => {
            let mut result = subscription.paths.take().ok_or(RpcError::NoPathRequest)?.told;
            result.insert("closed".to_owned(), true.into());
            Ok(result)
        }
        "status" => {
            let mut result = subscription.paths.as_ref().ok_or(RpcError::NoPathRequest)?.told.clone();
            result.insert("status".to_owned(), "success".into());
            Ok(result)
        }
        _ => Err(RpcError::InvalidParams.into()),
    }
}

/// What `path_find` looks for on behalf of a socket, ledger for ledger, until that says that it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pursuit {
    asked: Asked,
    /// The last answer.
    told: Map<String, Value>,
    /// Nothing came after the answer to the request itself, which the server calls a preliminary one.
    is_new: bool,
}

impl Subscription {
    /// Whether `path_find` still owes it the first whole answer.
    #[must_use]
    pub fn awaits_paths(&self) -> bool {
        self.paths.as_ref().is_some_and(|pursuit| pursuit.is_new)
    }

    /// Whether it is told of ways to pay, ledger for ledger.
    #[must_use]
    pub fn follows_paths(&self) -> bool {
        self.paths.is_some()
    }

    /// Looks again for what it asked `path_find` for, in the newest ledger: the frame that tells of it.
    pub fn look_for_paths(&mut self, ledger: &Ledger) -> Option<Value> {
        let pursuit = self.paths.as_mut()?;
        pursuit.is_new = false;
        let view = View::Closed(ledger.validated());
        let Asked { wish, .. } = &pursuit.asked;
        pursuit.told = match check(&view, ledger, wish).and_then(|()| found(ledger, &view, &pursuit.asked)) {
            Ok(mut result) => {
                result.insert("full_reply".to_owned(), true.into());
                result
            }
            // Who pays or is to be paid may be gone meanwhile.
            Err(error) => Failure::from(error).0,
        };
        let mut frame = pursuit.told.clone();
        frame.insert("type".to_owned(), "path_find".into());
        Some(Value::Object(frame))
    }
}

/// What a request looks for, and what of it answers repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    wish: Wish,
    /// The `destination_amount`.
    shown: Value,
    id: Option<Value>,
}

/// The ways there are, with what was looked for.
fn found(ledger: &Ledger, view: &View<'_>, asked: &Asked) -> Result<Map<String, Value>, RpcError> {
    let Asked { wish, shown, id } = asked;
    let alternatives =
        paths::find(state_of(view), &info_of(view, ledger), wish).map_err(|_| RpcError::Internal)?;
    let all = matches!(wish.deliver, Much::All(_));
    let shown_alternatives: Vec<Value> = alternatives
        .into_iter()
        .map(|alternative| {
            let mut json = fields([
                ("source_amount", alternative.costs.to_json()),
                ("paths_computed", paths_json(alternative.paths)),
            ]);
            if all {
                json.insert("destination_amount".to_owned(), alternative.delivers.to_json());
            }
            Value::Object(json)
        })
        .collect();
    let mut result = fields([
        ("alternatives", shown_alternatives.into()),
        ("source_account", wish.source.to_string().into()),
        ("destination_account", wish.destination.to_string().into()),
        ("destination_amount", shown.clone()),
    ]);
    if let Some(id) = id {
        result.insert("id".to_owned(), id.clone());
    }
    Ok(result)
}

fn paths_json(paths: Vec<Vec<xrpl_wire::PathStep>>) -> Value {
    let mut json = Object::new().with(sf::Paths, xrpl_wire::Value::PathSet(paths)).to_json();
    json.get_mut("Paths").map(Value::take).unwrap_or_else(|| Vec::<Value>::new().into())
}

fn state_of<'a>(view: &View<'a>) -> &'a crate::embedded::StateMap {
    match view {
        View::Closed(closed) => &closed.state,
        View::Open(ledger) => ledger.open().state(),
    }
}

/// The ledger that a payment would be tried in.
fn info_of(view: &View<'_>, ledger: &Ledger) -> LedgerInfo {
    let rules = ledger.rules().outside_of_transactions();
    match view {
        View::Open(ledger) => LedgerInfo { rules, ..ledger.open().info },
        View::Closed(closed) => LedgerInfo {
            index: closed.header.index,
            parent_close_time: closed.header.parent_close_time.0,
            fees: closed.fees,
            rules,
            open: false,
        },
    }
}

/// What a request looks for, and its `destination_amount` as replies repeat it.
fn wish(params: &Params<'_>) -> Result<(Wish, Value), RpcError> {
    for (name, error) in [
        ("source_account", RpcError::SrcActMissing),
        ("destination_account", RpcError::DstActMissing),
        ("destination_amount", RpcError::DstAmtMissing),
    ] {
        if !params.has(name) {
            return Err(error);
        }
    }
    let account = |name, error| params.get(name).as_str().and_then(params::account).ok_or(error);
    let source = account("source_account", RpcError::SrcActMalformed)?;
    let destination = account("destination_account", RpcError::DstActMalformed)?;
    let amount = params.get("destination_amount");
    let deliver = much(amount).ok_or(RpcError::DstAmtMalformed)?;
    let shown = match &deliver {
        Much::Exactly(amount) => amount.to_json(),
        Much::All(Issue::Xrp) => "-1".into(),
        Much::All(_) => amount.clone(),
    };
    let send_max = if params.has("send_max") {
        if !matches!(deliver, Much::All(_)) {
            return Err(RpcError::DstAmtMalformed);
        }
        Some(much(params.get("send_max")).ok_or(RpcError::SendMaxMalformed)?)
    } else {
        None
    };
    let sources = sources(params, &source, send_max.as_ref())?;
    let domain = if params.has("domain") {
        let domain = params.get("domain").as_str().and_then(params::hash);
        Some(domain.ok_or(RpcError::DomainMalformed)?)
    } else {
        None
    };
    Ok((Wish { source, destination, deliver, send_max, sources, domain }, shown))
}

/// An amount: more than nothing, or minus one for all that can be had.
fn much(value: &Value) -> Option<Much> {
    if value.as_str() == Some("-1") || value.as_i64() == Some(-1) {
        return Some(Much::All(Issue::Xrp));
    }
    let amount = amount_of(value)?;
    let all = IouValue::new(true, 1, 0).ok();
    match amount {
        Amount::Issued(issued) if Some(issued.value) == all => Some(Much::All(amount.issue())),
        amount if amount.is_zero() || amount.is_negative() => None,
        amount => Some(Much::Exactly(amount)),
    }
}

/// What the source may send, as far as the request says so.
fn sources(
    params: &Params<'_>,
    source: &AccountId,
    send_max: Option<&Much>,
) -> Result<BTreeSet<Issue>, RpcError> {
    let mut sources = BTreeSet::new();
    if !params.has("source_currencies") {
        return Ok(sources);
    }
    let named = params.get("source_currencies").as_array();
    let named = named.filter(|list| !list.is_empty() && list.len() <= MAX_SOURCES);
    for named in named.ok_or(RpcError::SrcCurMalformed)? {
        let currency = named.get("currency").and_then(Value::as_str);
        let currency = currency.and_then(params::currency);
        let currency = currency.ok_or(RpcError::SrcCurMalformed)?;
        let issuer = match named.get("issuer") {
            None => None,
            Some(issuer) => {
                let issuer = issuer.as_str().and_then(params::issuer);
                Some(issuer.ok_or(RpcError::SrcIsrMalformed)?).filter(|issuer| *issuer != AccountId::ZERO)
            }
        };
        if currency.is_xrp() && issuer.is_some() {
            return Err(RpcError::SrcCurMalformed);
        }
        let issuer = issuer.unwrap_or(*source);
        let of = |issuer| if currency.is_xrp() { Issue::Xrp } else { Issue::Issued { currency, issuer } };
        let Some(most) = send_max.map(Much::issue) else {
            sources.insert(of(issuer));
            continue;
        };
        match most {
            Issue::Issued { currency: other, issuer: most } if other == currency => {
                if issuer != *source && most != *source && issuer != most {
                    return Err(RpcError::SrcIsrMalformed);
                }
                // Who is not the source says whose it is.
                sources.insert(of(if issuer == *source { most } else { issuer }));
            }
            Issue::Xrp if currency.is_xrp() => {
                sources.insert(Issue::Xrp);
            }
            _ => {}
        }
    }
    Ok(sources)
}

/// Whether there can be such a payment at all.
fn check(view: &View<'_>, ledger: &Ledger, wish: &Wish) -> Result<(), RpcError> {
    if view.entry(&index::account_root(&wish.source)).is_none() {
        return Err(RpcError::SrcActNotFound);
    }
    if view.entry(&index::account_root(&wish.destination)).is_some() {
        return Ok(());
    }
    // A payment that makes an account is one of XRP, and enough of it.
    let reserve: Drops = info_of(view, ledger).fees.reserve_base;
    match &wish.deliver {
        Much::All(Issue::Xrp) => Ok(()),
        Much::Exactly(Amount::Xrp(drops)) if *drops < reserve => Err(RpcError::DstAmtMalformed),
        Much::Exactly(Amount::Xrp(_)) => Ok(()),
        _ => Err(RpcError::ActNotFound),
    }
}
