//! OfferCreate: what can be had at the rate that is asked for is taken at once, and the rest stands in the book.

use xrpl_wire::{
    Amount, Currency, Hash256, Issue, LedgerEntryType, Object, PathStep, TxResult, Value, flags, index, sf,
};

use super::flow::{self, Crossing, Request};
use super::holdings::{self, Care, Holdings};
use super::quality::{ALL_DIGITS, Quality, Trade};
use super::quantity::{PARITY, Quantity, Unit, min};
use super::table::Table;
use super::{ApplyFlags, Context, LedgerInfo, Ter, credential, directory, offer, shared, trust};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// What is offered. The account pays the input, of which it gives, and wants the output.
#[derive(Debug, Clone, Copy)]
struct Offered {
    trade: Trade,
    gives: Issue,
    wants: Issue,
}

impl Offered {
    fn of(tx: &Submitted) -> Result<Offered, TxResult> {
        let amount = |field| tx.tx.object().amount(field).ok_or(TxResult::temBAD_AMOUNT);
        let (gives, wants) = (amount(sf::TakerGets)?, amount(sf::TakerPays)?);
        let trade = Trade { input: Quantity::of(&gives)?, output: Quantity::of(&wants)? };
        Ok(Offered { trade, gives: gives.issue(), wants: wants.issue() })
    }

    /// The rate at which others take it.
    fn rate(&self, info: &LedgerInfo) -> Quality {
        Quality::of(info.math(), &Trade { input: self.trade.output, output: self.trade.input })
    }
}

/// The flags of an OfferCreate that the rules know.
pub(super) fn flags_allowed(info: &LedgerInfo) -> u32 {
    let all = flags::tfPassive | flags::tfImmediateOrCancel | flags::tfFillOrKill | flags::tfSell;
    if info.rules.enabled(Amendment::PermissionedDEX) { all | flags::tfHybrid } else { all }
}

pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let given = tx.tx.flags();
    let domain = object.hash256(sf::DomainID);
    if given & flags::tfHybrid != 0 && domain.is_none() {
        return Err(TxResult::temINVALID_FLAG);
    }
    if domain == Some(Hash256::ZERO) && info.rules.enabled(Amendment::FixCleanup3_2_0) {
        return Err(TxResult::temMALFORMED);
    }
    if given & flags::tfImmediateOrCancel != 0 && given & flags::tfFillOrKill != 0 {
        return Err(TxResult::temINVALID_FLAG);
    }
    if object.u32(sf::Expiration) == Some(0) {
        return Err(TxResult::temBAD_EXPIRATION);
    }
    if object.u32(sf::OfferSequence) == Some(0) {
        return Err(TxResult::temBAD_SEQUENCE);
    }
    let amount = |field| object.amount(field).ok_or(TxResult::temBAD_AMOUNT);
    let (pays, gets) = (amount(sf::TakerPays)?, amount(sf::TakerGets)?);
    let nothing = |amount: &Amount| amount.is_zero() || amount.is_negative();
    if (pays.is_xrp() && gets.is_xrp()) || nothing(&pays) || nothing(&gets) {
        return Err(TxResult::temBAD_OFFER);
    }
    if pays.issue() == gets.issue() {
        return Err(TxResult::temREDUNDANT);
    }
    if trust::is_bad_currency(&pays) || trust::is_bad_currency(&gets) {
        return Err(TxResult::temBAD_CURRENCY);
    }
    Ok(())
}

pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted, flags: ApplyFlags) -> Ter {
    let account = tx.tx.account();
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    let offered = Offered::of(tx)?;
    let view = Table::new(state);
    let holdings = Holdings { view: &view, info };
    for issue in [&offered.wants, &offered.gives] {
        holdings.check_global_freeze(issue)?;
    }
    if !holdings.funds(&account, &offered.gives, offered.trade.input, Care::Usable)?.is_positive() {
        return Err(TxResult::tecUNFUNDED_OFFER);
    }
    offer::check_made(root, tx)?;
    if info.has_passed(tx.tx.object().u32(sf::Expiration)) {
        return Err(TxResult::tecEXPIRED);
    }
    check_may_have(&view, &account, &offered.wants, flags)?;
    match tx.tx.object().hash256(sf::DomainID) {
        Some(domain) if !credential::in_domain(&view, info, &domain, &account) => {
            Err(TxResult::tecNO_PERMISSION)
        }
        _ => Ok(()),
    }
}

/// Whether an account may have what it wants, so far as its issuer lets it.
fn check_may_have(view: &Table<'_>, account: &xrpl_wire::AccountId, issue: &Issue, flags: ApplyFlags) -> Ter {
    let Issue::Issued { currency, issuer } = issue else { return Ok(()) };
    // What is missing may yet come.
    let missing = |later, now| Err(if flags.retry { later } else { now });
    let Some(root) = view.read(&index::account_root(issuer)) else {
        return missing(TxResult::terNO_ACCOUNT, TxResult::tecNO_ISSUER);
    };
    if issuer == account {
        return Ok(());
    }
    let line = view.read(&index::trust_line(account, issuer, currency));
    if shared::has_flag(root, flags::lsfRequireAuth) {
        let Some(line) = line else { return missing(TxResult::terNO_LINE, TxResult::tecNO_LINE) };
        if !shared::has_flag(line, trust::side(issuer, account).auth) {
            return missing(TxResult::terNO_AUTH, TxResult::tecNO_AUTH);
        }
    }
    if line.is_some_and(trust::is_line_deep_frozen) { Err(TxResult::tecFROZEN) } else { Ok(()) }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let (tx, info, prior_balance) = (context.tx, context.info, context.prior_balance);
    let math = info.math();
    let mut view = Table::over(&context.view);
    let mut kill = Table::over(&context.view);
    let placing = Placing { tx, info, prior_balance };
    let placed = placing.apply(&mut view, &mut kill);
    let (result, layer) = match placed {
        // Nothing was had, and nothing shall stand: but offers found to be of no use are gone.
        Err(TxResult::tecKILLED) => (placed, kill.into_layer()),
        _ => (placed, view.into_layer()),
    };
    context.view.absorb(math, layer)?;
    result
}

/// An OfferCreate being applied.
struct Placing<'p> {
    tx: &'p Submitted,
    info: &'p LedgerInfo,
    prior_balance: u64,
}

impl Placing<'_> {
    fn has(&self, flag: u32) -> bool {
        self.tx.tx.flags() & flag != 0
    }

    fn apply(&self, view: &mut Table<'_>, kill: &mut Table<'_>) -> Ter {
        let object = self.tx.tx.object();
        let account = self.tx.tx.account();
        let mut offered = Offered::of(self.tx)?;
        let mut rate = offered.rate(self.info);
        if let Some(sequence) = object.u32(sf::OfferSequence)
            && let Some(at) = offer::named(view, &account, sequence)
        {
            offer::remove(view, &at)?;
        }
        if self.info.has_passed(object.u32(sf::Expiration)) {
            return Err(TxResult::tecEXPIRED);
        }
        let digits = tick_size(view, &offered);
        if digits < ALL_DIGITS {
            self.round(&mut offered, digits)?;
            if offered.trade.is_empty() {
                return Ok(());
            }
            rate = offered.rate(self.info);
        }
        let before = offered.trade;
        offered.trade = self.cross(view, kill, &offered)?;
        let crossed = offered.trade != before;
        if offered.trade.is_empty() {
            return Ok(());
        }
        if self.has(flags::tfFillOrKill) {
            return Err(TxResult::tecKILLED);
        }
        if self.has(flags::tfImmediateOrCancel) {
            return if crossed { Ok(()) } else { Err(TxResult::tecKILLED) };
        }
        let root = view.read(&index::account_root(&account)).ok_or(TxResult::tefINTERNAL)?;
        let owned = root.u32(sf::OwnerCount).unwrap_or(0).saturating_add(1);
        if self.prior_balance < self.info.fees.account_reserve(owned) {
            return if crossed { Ok(()) } else { Err(TxResult::tecINSUF_RESERVE_OFFER) };
        }
        self.place(view, &offered, rate)
    }

    /// Rounds the rate to the digits its issuers let it have: what is given stays in a sale, what is wanted
    /// otherwise.
    fn round(&self, offered: &mut Offered, digits: u8) -> Ter {
        let math = self.info.math();
        let rate = offered.rate(self.info).rounded(digits).rate(math)?;
        let Trade { input, output } = offered.trade;
        offered.trade = if self.has(flags::tfSell) {
            Trade { input, output: math.multiply(input, rate, output.unit())? }
        } else {
            Trade { input: math.divide(output, rate, input.unit())?, output }
        };
        Ok(())
    }

    /// Takes what can be had. Answers with what is left of the offer.
    fn cross(
        &self,
        view: &mut Table<'_>,
        kill: &mut Table<'_>,
        offered: &Offered,
    ) -> Result<Trade, TxResult> {
        let math = self.info.math();
        let (mut crossed, mut killed) = (Table::payment_over(view), Table::payment_over(kill));
        let left = match self.flow(&mut crossed, &mut killed, offered) {
            Ok(left) => left,
            Err(TxResult::tefEXCEPTION) => return Err(TxResult::tecINTERNAL),
            Err(TxResult::tecFAILED_PROCESSING) if self.info.open => {
                return Err(TxResult::telFAILED_PROCESSING);
            }
            Err(result) => return Err(result),
        };
        let (crossed, killed) = (crossed.into_layer(), killed.into_layer());
        view.absorb(math, crossed)?;
        kill.absorb(math, killed)?;
        Ok(left)
    }

    fn flow(&self, view: &mut Table<'_>, kill: &mut Table<'_>, offered: &Offered) -> Result<Trade, TxResult> {
        let account = self.tx.tx.account();
        let math = self.info.math();
        let Offered { trade, gives, wants } = offered;
        let funds = |view: &Table<'_>| {
            let holdings = Holdings { view, info: self.info };
            holdings.funds(&account, gives, trade.input, Care::Usable)
        };
        let has = funds(view)?;
        if !has.is_positive() {
            return Err(TxResult::tecUNFUNDED_OFFER);
        }
        let fee = match gives {
            issue if holdings::issuer(issue) == account => PARITY,
            issue => Holdings { view, info: self.info }.transfer_rate(issue),
        };
        let pays = math.times_rate_up(trade.input, fee)?;
        let mut limit = Quality::of(math, &Trade { input: pays, output: trade.output });
        if self.has(flags::tfPassive) {
            limit = limit.better();
        }
        let (sell, over_xrp) = (
            self.has(flags::tfSell),
            [vec![PathStep { currency: Some(Currency::XRP), ..PathStep::default() }]],
        );
        let paths: &[_] = if *gives == Issue::Xrp || *wants == Issue::Xrp { &[] } else { &over_xrp };
        let outcome = flow::flow(
            view,
            self.info,
            &Request {
                source: account,
                destination: account,
                deliver: (if sell { trade.output.unit().plenty() } else { trade.output }, *wants),
                send_max: Some((min(pays, has), *gives)),
                paths,
                default_path: true,
                partial: !self.has(flags::tfFillOrKill),
                owner_pays_fee: true,
                crossing: if sell { Crossing::Sell } else { Crossing::Buy },
                limit_quality: Some(limit),
                domain: self.tx.tx.object().hash256(sf::DomainID),
            },
        )?;
        for at in &outcome.removable {
            remove_if_there(view, at)?;
            remove_if_there(kill, at)?;
        }
        if outcome.result.is_err() {
            return Ok(*trade);
        }
        if !funds(view)?.is_positive() {
            return Ok(Trade { input: trade.input.unit().zero(), output: trade.output.unit().zero() });
        }
        let rate = Quality::of(math, &Trade { input: trade.input, output: trade.output }).rate(math)?;
        if sell {
            let sent = math.over_rate_up(outcome.sent, fee)?;
            let input = at_least_nothing(math.difference(trade.input, sent)?);
            let output = math.div_round(input, rate, trade.output.unit(), false, true)?;
            return Ok(Trade { input, output });
        }
        let output = at_least_nothing(math.difference(trade.output, outcome.delivered)?);
        let input = math.mul_round(output, rate, trade.input.unit(), true, false)?;
        Ok(Trade { input, output })
    }

    /// Puts what is left into the books.
    fn place(&self, view: &mut Table<'_>, offered: &Offered, rate: Quality) -> Ter {
        let object = self.tx.tx.object();
        let account = self.tx.tx.account();
        let sequence = self.tx.tx.seq().value();
        let at = index::offer(&account, sequence);
        let owner_page = trust::add_to_owner_dir(view, self.info, &account, &at)?;
        view.adjust_owner_count(&account, 1)?;
        let domain = object.hash256(sf::DomainID);
        let (book, book_page) = self.list(view, &at, offered, (rate, rate, domain))?;
        let mut entry = shared::new_entry(LedgerEntryType::Offer)
            .with(sf::Account, account)
            .with(sf::Sequence, sequence)
            .with(sf::BookDirectory, book)
            .with(sf::TakerPays, offered.trade.output.amount(&offered.wants)?)
            .with(sf::TakerGets, offered.trade.input.amount(&offered.gives)?)
            .with(sf::OwnerNode, owner_page)
            .with(sf::BookNode, book_page)
            .with_some(sf::Expiration, object.u32(sf::Expiration))
            .with_some(sf::DomainID, domain);
        let copied = [(flags::tfPassive, flags::lsfPassive), (flags::tfSell, flags::lsfSell)];
        for (given, noted) in copied {
            if self.has(given) {
                shared::set_flag(&mut entry, noted, true);
            }
        }
        if self.has(flags::tfHybrid) {
            shared::set_flag(&mut entry, flags::lsfHybrid, true);
            // It stands in the open book too: until 3.2 there at the rate of what was left, in a directory that says the
            // other.
            let fixed = self.info.rules.enabled(Amendment::FixCleanup3_2_0);
            let listed_at = if fixed { rate } else { offered.rate(self.info) };
            let (book, page) = self.list(view, &at, offered, (listed_at, rate, None))?;
            let book = Object::new().with(sf::BookDirectory, book).with(sf::BookNode, page);
            entry.set(sf::AdditionalBooks, Value::Array(vec![(sf::Book, book)]));
        }
        view.insert(at, entry);
        Ok(())
    }

    /// Lists an offer in a book, at the first of the two rates; a new directory says the second. Answers with the
    /// directory and the page.
    fn list(
        &self,
        view: &mut Table<'_>,
        at: &Hash256,
        offered: &Offered,
        (listed_at, rate, domain): (Quality, Quality, Option<Hash256>),
    ) -> Result<(Hash256, u64), TxResult> {
        let book = index::book(&offered.wants, &offered.gives, domain.as_ref());
        let directory = index::book_quality(&book, listed_at.bits());
        let page = directory::append(view, &directory, at, self.info, |page| {
            let sides = [
                (&offered.wants, sf::TakerPaysCurrency, sf::TakerPaysIssuer, sf::TakerPaysMPT),
                (&offered.gives, sf::TakerGetsCurrency, sf::TakerGetsIssuer, sf::TakerGetsMPT),
            ];
            for (issue, currency, issuer, token) in sides {
                match issue {
                    Issue::Mpt(id) => page.set(token, Value::Hash192(*id)),
                    issue => {
                        page.set(currency, Value::Hash160(code(issue)));
                        page.set(issuer, Value::Hash160(holdings::issuer(issue).0));
                    }
                }
            }
            page.set(sf::ExchangeRate, rate.bits());
            if let Some(domain) = domain {
                page.set(sf::DomainID, domain);
            }
        })?;
        Ok((directory, page))
    }
}

fn remove_if_there(view: &mut Table<'_>, at: &Hash256) -> Ter {
    if view.exists(at) { offer::remove(view, at) } else { Ok(()) }
}

fn code(issue: &Issue) -> [u8; 20] {
    match issue {
        Issue::Issued { currency, .. } => currency.0,
        _ => Currency::XRP.0,
    }
}

fn at_least_nothing(quantity: Quantity) -> Quantity {
    if quantity.is_positive() { quantity } else { quantity.unit().zero() }
}

/// How many digits rates may have, by what the issuers of both sides say.
fn tick_size(view: &Table<'_>, offered: &Offered) -> u8 {
    let issued = [&offered.wants, &offered.gives].into_iter().filter(|issue| Unit::of(issue) == Unit::Iou);
    issued
        .filter_map(|issue| view.read(&index::account_root(&holdings::issuer(issue))))
        .filter_map(|root| root.u8(sf::TickSize))
        .fold(ALL_DIGITS, u8::min)
}
