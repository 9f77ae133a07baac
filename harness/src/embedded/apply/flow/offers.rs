//! The offers of an order book, best first, without those that are of no use.

use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Hash256, LedgerEntryType, Object, TxResult, Value, index, sf};

use super::Pass;
use super::book::Book;
use crate::embedded::amendment::Amendment;
use crate::embedded::apply::holdings::{self, Care, Holdings};
use crate::embedded::apply::quality::{Quality, Trade};
use crate::embedded::apply::quantity::{Quantity, Unit};
use crate::embedded::apply::table::Table;
use crate::embedded::apply::{credential, offer, shared};

/// How many offers of a book are looked at in one go.
pub(super) const MAX_OFFERS: u32 = 1_000;

/// An offer at the tip of its book.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) at: Hash256,
    pub(super) owner: AccountId,
    pub(super) quality: Quality,
    /// What its owner still wants and gives.
    pub(super) trade: Trade,
}

impl Offer {
    /// Whether nothing is left of it.
    pub(super) fn is_consumed(&self) -> bool {
        self.trade.is_empty()
    }
}

/// Goes through the offers of a book, and removes behind itself what it has gone past.
#[derive(Debug)]
pub(super) struct Offers<'b> {
    book: &'b Book,
    /// Where to look on: behind the last directory that was left, and before the end of the book.
    from: Hash256,
    end: Hash256,
    /// The offer stepped to, if there was one where its directory says.
    entry: Option<Hash256>,
    pub(super) tip: Option<Offer>,
    /// What the owner of the tip has of what it gives.
    pub(super) funds: Quantity,
    /// Offers looked at.
    pub(super) count: u32,
    /// Offers that are to be removed whatever comes of the payment.
    pub(super) useless: BTreeSet<Hash256>,
}

/// The offer that is listed first in a book, as far as its directories go.
pub(super) struct Tip {
    directory: Hash256,
    page: Hash256,
    index: Hash256,
}

impl Tip {
    /// The rate of the offers in its directory.
    pub(super) fn quality(&self) -> Quality {
        Quality::from_bits(index::quality_of(&self.directory))
    }
}

/// Finds the tip of a book behind an index.
pub(super) fn tip(view: &Table<'_>, from: &Hash256, end: &Hash256) -> Option<Tip> {
    let mut from = *from;
    loop {
        let directory = view.next_index(&from, end)?;
        let mut number = 0;
        // A page may be empty that others follow.
        while let Some(page) = view.read(&index::dir_page(&directory, number)) {
            let listed = page.vector256(sf::Indexes).unwrap_or_default();
            if let Some(first) = listed.first() {
                let page = index::dir_page(&directory, number);
                return Some(Tip { directory, page, index: *first });
            }
            match page.u64(sf::IndexNext) {
                None | Some(0) => break,
                Some(next) => number = next,
            }
        }
        from = directory;
    }
}

/// The end of a book: the first index that is none of its directories'.
pub(super) fn end_of(book: &Hash256) -> Hash256 {
    let mut end = *book;
    for byte in end.0.iter_mut().take(24).rev() {
        let (next, carry) = byte.overflowing_add(1);
        *byte = next;
        if !carry {
            break;
        }
    }
    end
}

/// The index before one.
fn before(at: &Hash256) -> Hash256 {
    let mut before = *at;
    for byte in before.0.iter_mut().rev() {
        let (next, borrow) = byte.overflowing_sub(1);
        *byte = next;
        if !borrow {
            break;
        }
    }
    before
}

impl<'b> Offers<'b> {
    pub(super) fn new(book: &'b Book) -> Offers<'b> {
        let from = book.index();
        Offers {
            book,
            from,
            end: end_of(&from),
            entry: None,
            tip: None,
            funds: Unit::of(&book.output).zero(),
            count: 0,
            useless: BTreeSet::new(),
        }
    }

    /// Steps to the next offer that is of use.
    pub(super) fn step(&mut self, pass: &mut Pass<'_, '_>) -> Result<bool, TxResult> {
        loop {
            self.tip = None;
            if let Some(done) = self.entry.take() {
                // What has been gone past is gone, as far as this strand goes.
                if pass.view.exists(&done) {
                    offer::remove(pass.view, &done)?;
                }
            }
            let Some(tip) = tip(pass.view, &self.from, &self.end) else { return Ok(false) };
            self.from = before(&tip.directory);
            if self.count >= MAX_OFFERS {
                return Ok(false);
            }
            self.count += 1;
            let entry = shared::of_kind(pass.view.read(&tip.index), LedgerEntryType::Offer);
            let Some(entry) = entry else {
                for view in [&mut *pass.view, &mut *pass.before] {
                    unlist(view, &tip.page, &tip.index);
                }
                continue;
            };
            let offer = read(entry, &tip)?;
            let (domain, hybrid) = (entry.hash256(sf::DomainID), is_whole_hybrid(entry));
            let expired = pass.info.has_passed(entry.u32(sf::Expiration));
            self.entry = Some(tip.index);
            if expired || offer.trade.is_empty() || self.is_barred(pass, &offer, domain, hybrid) {
                self.useless.insert(offer.at);
                continue;
            }
            if self.is_funded(pass, &offer)? {
                self.tip = Some(offer);
                return Ok(true);
            }
        }
    }

    /// Whether an owner may not trade: deep frozen, or no longer in the domain that the offer is of.
    fn is_barred(
        &self,
        pass: &Pass<'_, '_>,
        offer: &Offer,
        domain: Option<Hash256>,
        is_whole_hybrid: bool,
    ) -> bool {
        let holdings = Holdings { view: pass.view, info: pass.info };
        if holdings.is_deep_frozen(&offer.owner, &self.book.input) {
            return true;
        }
        let asked = self.book.domain.is_some() || !pass.info.rules.enabled(Amendment::FixCleanup3_3_0);
        match domain {
            Some(domain) if asked => {
                !is_whole_hybrid || !credential::in_domain(pass.view, pass.info, &domain, &offer.owner)
            }
            _ => false,
        }
    }

    /// Whether the owner can give anything. Where it never could, the offer is of no use to anybody.
    fn is_funded(&mut self, pass: &Pass<'_, '_>, offer: &Offer) -> Result<bool, TxResult> {
        let funds = |view| {
            let holdings = Holdings { view, info: pass.info };
            holdings.funds(&offer.owner, &self.book.output, offer.trade.output, Care::Usable)
        };
        let now = funds(pass.view)?;
        if now.is_positive() && !self.is_too_small(pass, offer, now)? {
            self.funds = now;
            return Ok(true);
        }
        if funds(pass.before)? == now {
            self.useless.insert(offer.at);
        }
        Ok(false)
    }

    /// Whether so little can be given that rounding makes the offer worse than it says.
    fn is_too_small(&self, pass: &Pass<'_, '_>, offer: &Offer, funds: Quantity) -> Result<bool, TxResult> {
        let math = pass.math;
        let Trade { input, output } = offer.trade;
        match (input, output) {
            (_, Quantity::Drops(_)) => return Ok(false),
            (Quantity::Iou(input), Quantity::Iou(output)) if input >= output => return Ok(false),
            _ => {}
        }
        let is_issuer = offer.owner == holdings::issuer(&self.book.output);
        let effective = if !is_issuer && funds < output {
            offer.quality.limit_output(math, &offer.trade, funds, false)?
        } else {
            offer.trade
        };
        if effective.is_empty() {
            return Ok(true);
        }
        if effective.input > effective.input.unit().least() {
            return Ok(false);
        }
        Ok(Quality::of(math, &effective) < offer.quality)
    }
}

/// Offers of a domain that stand in the open book too must say where.
fn is_whole_hybrid(entry: &Object) -> bool {
    let hybrid = shared::has_flag(entry, xrpl_wire::flags::lsfHybrid);
    !hybrid || entry.array(sf::AdditionalBooks).is_some_and(|books| books.len() == 1)
}

fn read(entry: &Object, tip: &Tip) -> Result<Offer, TxResult> {
    let amount = |field| {
        let amount = entry.amount(field).ok_or(TxResult::tefEXCEPTION)?;
        Quantity::of(&amount)
    };
    Ok(Offer {
        at: tip.index,
        owner: entry.account(sf::Account).ok_or(TxResult::tefEXCEPTION)?,
        quality: tip.quality(),
        trade: Trade { input: amount(sf::TakerPays)?, output: amount(sf::TakerGets)? },
    })
}

/// Takes an index out of a page that lists what is not there.
fn unlist(view: &mut Table<'_>, page: &Hash256, entry: &Hash256) {
    let Some(page) = view.update(page) else { return };
    let listed = page.vector256(sf::Indexes).unwrap_or_default();
    let left: Vec<Hash256> = listed.iter().copied().filter(|other| other != entry).collect();
    page.set(sf::Indexes, Value::Vector256(left));
}
