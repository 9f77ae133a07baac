//! Offers: `account_offers`.

use serde_json::{Map, Value};
use xrpl_wire::{Hash256, IouValue, LedgerEntryType, Object, index, sf};

use super::account::{Page, is_kind, owned_page};
use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, ACCOUNT_PAGE};
use super::select::select;
use super::{Call, fields};
use crate::embedded::Ledger;

pub(super) fn account_offers<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let ident = call.params.required_string("account")?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let Some(account) = params::account(ident) else {
        return Err(Failure::with_fields(result, RpcError::ActMalformed));
    };
    if view.entry(&index::account_root(&account)).is_none() {
        return Err(RpcError::ActNotFound.into());
    }
    let limit = call.params.limit(ACCOUNT_PAGE, call.admin)?;
    let page = owned_page(&view, call, &account, limit, || Failure::invalid_field("marker"))?;
    let offers: Vec<Value> = page
        .entries
        .iter()
        .filter_map(|(_, object)| *object)
        .filter(|object| is_kind(object, LedgerEntryType::Offer))
        .map(|object| Value::Object(offer(object)))
        .collect();
    result.insert("account".to_owned(), account.to_string().into());
    result.insert("offers".to_owned(), offers.into());
    Page::insert_marker(&page, limit, &mut result);
    Ok(result)
}

fn offer(object: &Object) -> Map<String, Value> {
    let amount = |field| {
        let amount = object.amount(field);
        amount.and_then(|amount| serde_json::to_value(amount).ok()).unwrap_or_default()
    };
    let book = match object.get(sf::BookDirectory) {
        Some(xrpl_wire::Value::Hash256(book)) => *book,
        _ => Hash256::ZERO,
    };
    let mut json = fields([
        ("flags", object.u32(sf::Flags).unwrap_or_default().into()),
        ("quality", quality(&book).to_string().into()),
        ("seq", object.u32(sf::Sequence).unwrap_or_default().into()),
        ("taker_gets", amount(sf::TakerGets)),
        ("taker_pays", amount(sf::TakerPays)),
    ]);
    if let Some(expiration) = object.u32(sf::Expiration) {
        json.insert("expiration".to_owned(), expiration.into());
    }
    json
}

/// The rate of a book's directory: what is paid for one of what is got.
pub(super) fn quality(book: &Hash256) -> IouValue {
    /// Rates are written as a byte of exponent, so far above its own, and seven of mantissa.
    const EXPONENT_ABOVE: i32 = 100;
    let rate = index::quality_of(book);
    let exponent = i32::try_from(rate >> 56).unwrap_or_default();
    IouValue::new(false, rate & 0x00FF_FFFF_FFFF_FFFF, exponent.saturating_sub(EXPONENT_ABOVE))
        .unwrap_or_default()
}
