//! Order books: `book_offers`, and the two sides of a book as requests name them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use xrpl_wire::{
    AccountId, Amount, Currency, Drops, Hash256, IouValue, Issue, IssuedAmount, LedgerEntryType, Object,
    flags, index, sf,
};

use super::account::directory;
use super::error::{Failure, RpcError, RpcResult};
use super::offers::quality;
use super::params::{self, LimitRange, Params};
use super::select::{View, select};
use super::{Call, entry, funds};
use crate::embedded::Ledger;

/// The server's page lengths for books.
const BOOK_PAGE: LimitRange = LimitRange { least: 1, usual: 60, most: 100 };

/// A transfer rate or quality of one to one.
const PARITY: u32 = 1_000_000_000;

/// An order book: what takers pay, what they get, and whose it is if it is not everybody's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Book {
    pub(super) pays: Side,
    pub(super) gets: Side,
    pub(super) domain: Option<Hash256>,
}

/// One side of a book: a currency and its issuer, who is nobody for XRP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    pub(super) currency: Currency,
    pub(super) issuer: AccountId,
}

impl Side {
    pub(super) fn of(amount: &Amount) -> Option<Side> {
        match amount {
            Amount::Xrp(_) => Some(Side { currency: Currency([0; 20]), issuer: AccountId::ZERO }),
            Amount::Issued(amount) => Some(Side { currency: amount.currency, issuer: amount.issuer }),
            Amount::Mpt(_) => None,
        }
    }

    pub(super) fn is_xrp(&self) -> bool {
        self.currency.is_xrp()
    }

    fn issue(&self) -> Issue {
        if self.is_xrp() {
            Issue::Xrp
        } else {
            Issue::Issued { currency: self.currency, issuer: self.issuer }
        }
    }
}

impl Book {
    /// The book of the parameters `taker_pays`, `taker_gets` and `domain`.
    pub(super) fn of_request(params: &Params<'_>) -> Result<Book, Failure> {
        let sides = ["taker_pays", "taker_gets"];
        for name in sides {
            if !params.has(name) {
                return Err(Failure::missing_field(name));
            }
        }
        for name in sides {
            if !matches!(params.get(name), Value::Object(_) | Value::Null) {
                return Err(Failure::expected_field(name, "object"));
            }
        }
        for name in sides {
            let currency = format!("{name}.currency");
            match params.get(name).get("currency") {
                None => return Err(Failure::missing_field(&currency)),
                Some(value) if !value.is_string() => {
                    return Err(Failure::expected_field(&currency, "string"));
                }
                Some(_) => {}
            }
        }
        let currency = |name: &str, error| {
            let text = params.get(name).get("currency").and_then(Value::as_str).unwrap_or_default();
            let message = format!("Invalid field '{name}.currency', bad currency.");
            params::currency(text).ok_or_else(|| Failure::with_message(error, message))
        };
        let pays = currency("taker_pays", RpcError::SrcCurMalformed)?;
        let gets = currency("taker_gets", RpcError::DstAmtMalformed)?;
        let pays = side(params, "taker_pays", pays, RpcError::SrcIsrMalformed)?;
        let gets = side(params, "taker_gets", gets, RpcError::DstIsrMalformed)?;
        let domain = match params.get("domain") {
            Value::Null if !params.has("domain") => None,
            value => {
                let domain = value.as_str().and_then(params::hash);
                Some(domain.ok_or_else(|| {
                    Failure::with_message(RpcError::DomainMalformed, "Unable to parse domain.")
                })?)
            }
        };
        Ok(Book { pays, gets, domain })
    }

    /// Whether there can be such a book.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.pays == self.gets { Err(RpcError::BadMarket.into()) } else { Ok(()) }
    }

    pub(super) fn reversed(&self) -> Book {
        Book { pays: self.gets, gets: self.pays, domain: self.domain }
    }

    /// The directories of its qualities, the best for takers first.
    fn directories<'a>(&self, view: &View<'a>) -> impl Iterator<Item = Hash256> + use<'a> {
        let root = index::book(&self.pays.issue(), &self.gets.issue(), self.domain.as_ref());
        let same_book = move |key: &Hash256| key.0.get(..24) == root.0.get(..24);
        view.entries_from(&root)
            .take_while(move |(key, _)| same_book(key))
            .filter(|(_, object)| {
                object.u16(sf::LedgerEntryType) == Some(LedgerEntryType::DirectoryNode.code())
            })
            .map(|(key, _)| key)
    }

    /// A page of offers as takers see them.
    pub(super) fn offers(&self, view: &View<'_>, taker: &AccountId, limit: u32) -> Vec<Value> {
        let mut reader = Reader::new(self, view, taker);
        let keys = self.directories(view).flat_map(|book| {
            let pages = directory(*view, book);
            pages
                .flat_map(|(_, page)| page.vector256(sf::Indexes).unwrap_or_default())
                .map(move |key| (book, *key))
        });
        keys.take(usize::try_from(limit).unwrap_or(usize::MAX))
            .filter_map(|(book, key)| reader.offer(&key, view.entry(&key)?, &quality(&book)))
            .collect()
    }
}

fn side(params: &Params<'_>, name: &str, currency: Currency, error: RpcError) -> Result<Side, Failure> {
    let says = |what: &str| Failure::with_message(error, format!("Invalid field '{name}.issuer', {what}"));
    let issuer = match params.get(name).get("issuer") {
        None => AccountId::ZERO,
        Some(Value::String(text)) => match params::issuer(text) {
            None => return Err(says("bad issuer.")),
            Some(account) if account == NO_ACCOUNT => return Err(says("bad issuer account one.")),
            Some(account) => account,
        },
        Some(_) => return Err(Failure::expected_field(&format!("{name}.issuer"), "string")),
    };
    match (currency.is_xrp(), issuer == AccountId::ZERO) {
        (true, false) => {
            let message = format!("Unneeded field '{name}.issuer' for XRP currency specification.");
            Err(Failure::with_message(error, message))
        }
        (false, true) => Err(says("expected non-XRP issuer.")),
        _ => Ok(Side { currency, issuer }),
    }
}

/// The account "no account", number one.
pub(super) const NO_ACCOUNT: AccountId =
    AccountId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

pub(super) fn book_offers<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let view = select(ledger, call)?;
    let book = Book::of_request(&call.params)?;
    let taker = taker(&call.params)?;
    book.check()?;
    let limit = call.params.limit(BOOK_PAGE, call.admin)?;
    let mut result = view.describe();
    result.insert("offers".to_owned(), book.offers(&view, &taker, limit).into());
    Ok(result)
}

/// Who looks at the book; nobody by default.
pub(super) fn taker(params: &Params<'_>) -> Result<AccountId, Failure> {
    match params.get("taker") {
        Value::Null if !params.has("taker") => Ok(AccountId::ZERO),
        Value::String(text) => params::account(text).ok_or_else(|| Failure::invalid_field("taker")),
        _ => Err(Failure::expected_field("taker", "string")),
    }
}

/// Reads offers one after another, and what their owners can still pay.
struct Reader<'v, 'a> {
    book: &'v Book,
    view: &'v View<'a>,
    taker: AccountId,
    frozen: bool,
    rate: u32,
    left: BTreeMap<AccountId, IouValue>,
}

impl<'v, 'a> Reader<'v, 'a> {
    fn new(book: &'v Book, view: &'v View<'a>, taker: &AccountId) -> Reader<'v, 'a> {
        let root = |side: &Side| view.entry(&index::account_root(&side.issuer));
        let global = |side: &Side| {
            root(side).and_then(|root| root.u32(sf::Flags)).unwrap_or_default() & flags::lsfGlobalFreeze != 0
        };
        let rate = root(&book.gets).and_then(|root| root.u32(sf::TransferRate)).unwrap_or(PARITY);
        let frozen = global(&book.pays) || global(&book.gets);
        Reader { book, view, taker: *taker, frozen, rate, left: BTreeMap::new() }
    }

    fn offer(&mut self, key: &Hash256, object: &Object, quality: &IouValue) -> Option<Value> {
        let owner = object.account(sf::Account)?;
        let (gets, pays) = (object.amount(sf::TakerGets)?, object.amount(sf::TakerPays)?);
        let asked = value(&gets);
        let (funds, first) = match self.left.get(&owner) {
            _ if owner == self.book.gets.issuer && !self.book.gets.is_xrp() => (asked, true),
            _ if self.frozen => (IouValue::default(), true),
            Some(left) => (*left, false),
            None => (self.holds(&owner), true),
        };
        let Value::Object(mut json) = entry::entry(key, object) else { return None };
        json.insert("quality".to_owned(), quality.to_string().into());
        // Whoever pays in another's currency pays its transfer fee, too.
        let issuer = self.book.gets.issuer;
        let charged = self.rate != PARITY && self.taker != issuer && owner != issuer;
        let limit = if charged { divide(funds, self.rate) } else { funds };
        let funded = if limit >= asked { asked } else { limit };
        if limit < asked {
            insert(&mut json, "taker_gets_funded", &amount_like(&gets, funded));
            let paid = amount_like(&pays, funded.checked_mul(*quality).unwrap_or_default());
            let paid = if value(&pays) < value(&paid) { pays } else { paid };
            insert(&mut json, "taker_pays_funded", &paid);
        }
        if first {
            let shown = value(&amount_like(&gets, funds));
            let text = if gets.is_xrp() { drops(shown).to_string() } else { shown.to_string() };
            json.insert("owner_funds".to_owned(), text.into());
        }
        let spent = if charged { multiply(funded, self.rate).min(funds) } else { funded };
        self.left.insert(owner, funds.checked_sub(spent).unwrap_or_default());
        Some(Value::Object(json))
    }

    /// What an account can pay of the book's other side: nothing if that is frozen.
    fn holds(&self, owner: &AccountId) -> IouValue {
        let side = &self.book.gets;
        if side.is_xrp() {
            let root = self.view.entry(&index::account_root(owner));
            return of_drops(funds::liquid_drops(root, self.view.fees()));
        }
        let line = self.view.entry(&index::trust_line(owner, &side.issuer, &side.currency));
        let Some(line) = line else { return IouValue::default() };
        let set = line.u32(sf::Flags).unwrap_or_default();
        let by_issuer = if side.issuer > *owner { flags::lsfHighFreeze } else { flags::lsfLowFreeze };
        let deep = flags::lsfLowDeepFreeze | flags::lsfHighDeepFreeze;
        let own = funds::on_line(Some(line), owner, &side.issuer);
        if set & (by_issuer | deep) != 0 || own.is_negative() { IouValue::default() } else { own }
    }
}

fn insert(json: &mut Map<String, Value>, name: &str, amount: &Amount) {
    json.insert(name.to_owned(), serde_json::to_value(amount).unwrap_or_default());
}

/// An amount as a number; XRP in drops.
pub(super) fn value(amount: &Amount) -> IouValue {
    match amount {
        Amount::Xrp(amount) => of_drops(amount.get()),
        Amount::Issued(amount) => amount.value,
        Amount::Mpt(_) => IouValue::default(),
    }
}

fn of_drops(drops: u64) -> IouValue {
    IouValue::new(false, drops, 0).unwrap_or_default()
}

/// A number as an amount of the same kind as another.
fn amount_like(amount: &Amount, value: IouValue) -> Amount {
    match amount {
        Amount::Issued(amount) => Amount::Issued(IssuedAmount { value, ..*amount }),
        _ => Amount::Xrp(Drops::new(drops(value)).unwrap_or(Drops::ZERO)),
    }
}

/// Whole drops of a number, the nearest.
pub(super) fn drops(value: IouValue) -> u64 {
    let mantissa = u128::from(value.mantissa());
    let whole = match u32::try_from(value.exponent()) {
        Ok(exponent) => mantissa.saturating_mul(10_u128.saturating_pow(exponent)),
        Err(_) => {
            let divisor = 10_u128.saturating_pow(value.exponent().unsigned_abs());
            let (whole, rest) = (mantissa / divisor, mantissa % divisor);
            let half = rest.saturating_mul(2);
            // At exactly a half to the even one.
            let up = half > divisor || (half == divisor && whole % 2 == 1);
            whole + u128::from(up)
        }
    };
    u64::try_from(whole).unwrap_or(u64::MAX)
}

fn rate_value(rate: u32) -> IouValue {
    IouValue::new(false, u64::from(rate), -9).unwrap_or_default()
}

fn divide(value: IouValue, rate: u32) -> IouValue {
    value.checked_div(rate_value(rate)).unwrap_or_default()
}

fn multiply(value: IouValue, rate: u32) -> IouValue {
    value.checked_mul(rate_value(rate)).unwrap_or_default()
}
