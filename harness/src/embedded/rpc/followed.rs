//! The order books that subscriptions name. What is wrong with one has a single word here, where `book_offers` says more.

use serde_json::Value;
use xrpl_wire::AccountId;

use super::book::{Book, NO_ACCOUNT, Side};
use super::error::{Failure, RpcError};
use super::params::{self, Params};
use crate::embedded::Generation;

/// One book of a request.
pub(super) struct Followed<'a> {
    pub(super) book: Book,
    /// Who looks at it.
    pub(super) taker: AccountId,
    params: Params<'a>,
}

impl<'a> Followed<'a> {
    /// Reads what a request names. Only who subscribes is asked who looks, and newer servers want an account's text there.
    pub(super) fn read(item: &'a Value, subscribes: Option<Generation>) -> Result<Followed<'a>, Failure> {
        let params = Params(item.as_object().ok_or(RpcError::InvalidParams)?);
        let is_side = |name| params.has(name) && matches!(params.get(name), Value::Object(_) | Value::Null);
        if !["taker_pays", "taker_gets"].into_iter().all(is_side) {
            return Err(RpcError::InvalidParams.into());
        }
        let pays = side(params.get("taker_pays"), RpcError::SrcCurMalformed, RpcError::SrcIsrMalformed)?;
        let gets = side(params.get("taker_gets"), RpcError::DstAmtMalformed, RpcError::DstIsrMalformed)?;
        let mut book = Book { pays, gets, domain: None };
        book.check()?;
        let taker = match params.get("taker") {
            named if params.has("taker") => match subscribes {
                None => AccountId::ZERO,
                Some(generation) if generation.takers_are_accounts() => {
                    named.as_str().and_then(params::account).ok_or(RpcError::ActMalformed)?
                }
                Some(_) => params::account(&params::as_string(named)?).ok_or(RpcError::BadIssuer)?,
            },
            _ => AccountId::ZERO,
        };
        if params.has("domain") {
            let domain = params.get("domain").as_str().and_then(params::hash);
            book.domain = Some(domain.ok_or(RpcError::DomainMalformed)?);
        }
        Ok(Followed { book, taker, params })
    }

    /// Whether the book's other side is meant as well.
    pub(super) fn both(&self) -> bool {
        self.params.flag("both") || self.params.flag("both_sides")
    }

    /// Whether what is in it is to be told at once.
    pub(super) fn wants_snapshot(&self) -> bool {
        self.params.flag("snapshot") || self.params.flag("state_now")
    }
}

fn side(named: &Value, bad_currency: RpcError, bad_issuer: RpcError) -> Result<Side, Failure> {
    let currency = named.get("currency").ok_or(bad_currency)?;
    let currency = params::currency(&params::as_string(currency)?).ok_or(bad_currency)?;
    let issuer = match named.get("issuer") {
        None => AccountId::ZERO,
        Some(issuer) => issuer.as_str().and_then(params::issuer).ok_or(bad_issuer)?,
    };
    if currency.is_xrp() != (issuer == AccountId::ZERO) || issuer == NO_ACCOUNT {
        return Err(bad_issuer.into());
    }
    Ok(Side { currency, issuer })
}
