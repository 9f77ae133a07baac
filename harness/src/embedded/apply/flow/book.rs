//! A step through an order book: offers are taken, the best first, as many as have the same rate.

use xrpl_wire::{AccountId, Hash256, Issue, TxResult, index, sf};

use super::offers::{self, MAX_OFFERS, Offer, Offers};
use super::step::{Lookup, Step, Through, Way};
use super::strand::{Around, Asset};
use super::{Crossing, Pass};
use crate::embedded::apply::decimal::Arithmetic;
use crate::embedded::apply::holdings::{self, Holdings};
use crate::embedded::apply::quality::{Quality, Trade};
use crate::embedded::apply::quantity::{PARITY, Quantity, Unit};
use crate::embedded::apply::table::Table;
use crate::embedded::apply::{Ter, mpt, shared, trust};

/// The offers that take one asset and give another: all, or those of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) input: Issue,
    pub(super) output: Issue,
    pub(super) domain: Option<Hash256>,
}

/// A step through a book.
#[derive(Debug, Clone)]
pub(super) struct BookStep {
    book: Book,
    source: AccountId,
    destination: AccountId,
    owner_pays_fee: bool,
    crossing: Option<Taker>,
    through: Option<Through>,
    offers_used: u32,
    is_exhausted: bool,
}

/// Whose offer is crossed: how it takes the offers of this book.
#[derive(Debug, Clone, Copy)]
struct Taker {
    on_default_path: bool,
    /// The worst rate that is taken.
    limit: Quality,
}

/// How much of an offer is taken, and what that moves.
#[derive(Debug, Clone, Copy)]
struct Taken {
    quality: Quality,
    /// What the issuers take of what goes in, and of what comes out, in billionths.
    rates: (u32, u32),
    /// What the offer gets and gives.
    offer: Trade,
    /// What goes into the step and comes out of it.
    step: Trade,
    /// What leaves the owner of the offer.
    owner_gives: Quantity,
}

/// Amounts that are added up from the smallest on: so they lose the least.
#[derive(Debug, Default)]
pub(super) struct Sum(Vec<Quantity>);

impl Book {
    pub(super) fn index(&self) -> Hash256 {
        index::book(&self.input, &self.output, self.domain.as_ref())
    }

    /// Whether both issuers are there.
    fn has_issuers(&self, view: &Table<'_>) -> bool {
        [self.input, self.output].iter().all(|issue| {
            let issuer = holdings::issuer(issue);
            issuer == AccountId::ZERO || view.exists(&index::account_root(&issuer))
        })
    }
}

impl Sum {
    pub(super) fn add(&mut self, amount: Quantity) {
        let at = self.0.partition_point(|other| *other <= amount);
        self.0.insert(at, amount);
    }

    fn take_back(&mut self, amount: Quantity) {
        if let Some(at) = self.0.iter().position(|other| *other == amount) {
            self.0.remove(at);
        }
    }

    fn reset(&mut self, amount: Quantity) {
        self.0 = vec![amount];
    }

    pub(super) fn total(&self, math: Arithmetic, unit: Unit) -> Result<Quantity, TxResult> {
        self.0.iter().try_fold(unit.zero(), |total, amount| math.sum(total, *amount))
    }
}

impl Taken {
    /// All of an offer that its owner can give.
    fn of(
        math: Arithmetic,
        offer: &Offer,
        rates: (u32, u32),
        funds: Option<Quantity>,
    ) -> Result<Taken, TxResult> {
        let trade = offer.trade;
        let step = Trade { input: math.mul_ratio(trade.input, rates.0, PARITY, true)?, output: trade.output };
        let owner_gives = math.mul_ratio(trade.output, rates.1, PARITY, false)?;
        let mut taken = Taken { quality: offer.quality, rates, offer: trade, step, owner_gives };
        if let Some(funds) = funds
            && funds < owner_gives
        {
            taken.owner_gives = funds;
            taken.step.output = math.mul_ratio(funds, PARITY, rates.1, false)?;
            taken.offer = offer.quality.limit_output(math, &taken.offer, taken.step.output, false)?;
            taken.step.input = math.mul_ratio(taken.offer.input, rates.0, PARITY, true)?;
        }
        Ok(taken)
    }

    fn limit_input(mut self, math: Arithmetic, limit: Quantity) -> Result<Taken, TxResult> {
        if limit < self.step.input {
            self.step.input = limit;
            let gets = math.mul_ratio(limit, PARITY, self.rates.0, false)?;
            self.offer = self.quality.limit_input(math, &self.offer, gets, false)?;
            self.step.output = self.offer.output;
            self.owner_gives = math.mul_ratio(self.offer.output, self.rates.1, PARITY, false)?;
        }
        Ok(self)
    }

    fn limit_output(mut self, math: Arithmetic, limit: Quantity) -> Result<Taken, TxResult> {
        if limit < self.step.output {
            self.step.output = limit;
            self.owner_gives = math.mul_ratio(limit, self.rates.1, PARITY, false)?;
            self.offer = self.quality.limit_output(math, &self.offer, limit, true)?;
            self.step.input = math.mul_ratio(self.offer.input, self.rates.0, PARITY, true)?;
        }
        Ok(self)
    }
}

impl BookStep {
    pub(super) fn make(
        around: &mut Around<'_, '_>,
        input: Asset,
        output: Asset,
    ) -> Result<BookStep, TxResult> {
        let request = around.maker.request;
        let crossing = match (request.crossing, request.limit_quality) {
            (Crossing::None, _) => None,
            (_, Some(limit)) => Some(Taker { on_default_path: around.is_default, limit }),
            (_, None) => return Err(TxResult::tefINTERNAL),
        };
        let step = BookStep {
            book: Book::between(input, output, around)?,
            source: request.source,
            destination: request.destination,
            owner_pays_fee: request.owner_pays_fee,
            crossing,
            through: None,
            offers_used: 0,
            is_exhausted: false,
        };
        step.check(around)?;
        Ok(step)
    }

    fn check(&self, around: &mut Around<'_, '_>) -> Ter {
        let (Book { input, output, .. }, view) = (&self.book, around.maker.view);
        let seen = &mut *around.seen;
        if !seen.book_outputs.insert(*output)
            || seen.sources.contains(output)
            || seen.destinations.contains(output)
        {
            return Err(TxResult::temBAD_PATH_LOOP);
        }
        if !self.book.has_issuers(view) {
            return Err(TxResult::tecNO_ISSUER);
        }
        if let Some(before) = around.previous.and_then(Step::line_source)
            && let Issue::Issued { currency, issuer } = input
        {
            let line = view.read(&index::trust_line(&before, issuer, currency));
            let line = line.ok_or(TxResult::terNO_LINE)?;
            if shared::has_flag(line, trust::side(issuer, &before).no_ripple) {
                return Err(TxResult::terNO_RIPPLE);
            }
        }
        for issue in [input, output] {
            if let Issue::Mpt(id) = issue {
                mpt::check_trade(view, id)?;
            }
        }
        Ok(())
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    pub(super) fn owner_pays_fee(&self) -> bool {
        self.owner_pays_fee
    }

    pub(super) fn cached(&self) -> Option<Through> {
        self.through
    }

    pub(super) fn offers_used(&self) -> u32 {
        self.offers_used
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// What the issuers of what goes in and what comes out take. Nothing of what goes to them in the end.
    fn rates(&self, at: Lookup<'_>, previous_redeems: bool) -> (u32, u32) {
        let rate = |issue| {
            if holdings::issuer(issue) == self.destination {
                PARITY
            } else {
                at.holdings().transfer_rate(issue)
            }
        };
        (
            if previous_redeems { rate(&self.book.input) } else { PARITY },
            if self.owner_pays_fee { rate(&self.book.output) } else { PARITY },
        )
    }

    pub(super) fn best_quality(
        &self,
        at: Lookup<'_>,
        previous_redeems: bool,
    ) -> Result<(Option<Quality>, bool), TxResult> {
        let redeems = !self.owner_pays_fee;
        let from = self.book.index();
        let Some(tip) = offers::tip(at.view, &from, &offers::end_of(&from)) else {
            return Ok((None, redeems));
        };
        if self.crossing.is_some() {
            return Ok((Some(tip.quality()), redeems));
        }
        let (input, output) = self.rates(at, previous_redeems);
        let math = at.info.math();
        Ok((Some(Quality::of_rates(math, output, input).then(math, tip.quality())?), redeems))
    }

    /// Whether an offer is the taker's own, which goes without being taken.
    fn is_own(&self, offer: &Offer) -> bool {
        self.crossing.is_some_and(|taker| {
            taker.on_default_path
                && offer.quality >= taker.limit
                && self.source == offer.owner
                && self.destination == offer.owner
        })
    }

    fn is_good_enough(&self, quality: Quality) -> bool {
        self.crossing.is_none_or(|taker| !taker.on_default_path || quality >= taker.limit)
    }

    /// What the issuers take where this offer is taken: who crosses its own offers on the way pays nothing for it.
    fn rates_for(&self, previous: Option<&Step>, owner: &AccountId, rates: (u32, u32)) -> (u32, u32) {
        let (mut input, mut output) = rates;
        if self.crossing.is_some() {
            if previous.and_then(Step::line_source) == Some(*owner) {
                input = PARITY;
            }
            if previous.is_some_and(|step| step.book().is_some()) && *owner == self.destination {
                output = PARITY;
            }
        }
        (input, output)
    }

    /// Goes through the offers of the best rate, and has each taken as far as `take` wants. Answers with how many
    /// were looked at.
    fn walk(
        &self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        way: Way,
        take: &mut dyn FnMut(&mut Pass<'_, '_>, &mut Offer, Taken) -> Result<bool, TxResult>,
    ) -> Result<u32, TxResult> {
        let at = Lookup { view: pass.view, info: pass.info };
        let previous_redeems = match previous {
            Some(previous) => previous.redeems(at, way)?,
            None => false,
        };
        let rates = self.rates(at, previous_redeems);
        let mut offers = Offers::new(&self.book);
        let mut quality = None;
        let mut attempted = false;
        while offers.step(pass)? {
            let Some(mut offer) = offers.tip.take() else { break };
            if *quality.get_or_insert(offer.quality) != offer.quality {
                break;
            }
            let before = Holdings { view: pass.before, info: pass.info };
            if self.is_own(&offer) || before.require_auth(&offer.owner, &self.book.input).is_err() {
                offers.useless.insert(offer.at);
                if !attempted {
                    quality = None;
                }
                continue;
            }
            if !self.is_good_enough(offer.quality) {
                break;
            }
            let is_issuer = offer.owner == holdings::issuer(&self.book.output);
            let funds = if is_issuer { None } else { Some(offers.funds) };
            let rates = self.rates_for(previous, &offer.owner, rates);
            let taken = Taken::of(pass.math, &offer, rates, funds)?;
            attempted = true;
            if !take(pass, &mut offer, taken)? {
                break;
            }
        }
        pass.useless.extend(offers.useless);
        Ok(offers.count)
    }

    fn note_used(&mut self, offers: u32) {
        self.offers_used = offers;
        self.is_exhausted |= offers >= MAX_OFFERS;
    }

    /// Moves what an offer gets and gives, and leaves of the offer what was not taken.
    fn consume(&self, pass: &mut Pass<'_, '_>, offer: &mut Offer, taken: &Taken) -> Ter {
        let (given, left) = (taken.offer, &mut offer.trade);
        if given.input > left.input || given.output > left.output {
            return Err(TxResult::tecINVARIANT_FAILED);
        }
        let (owner, Book { input, output, .. }) = (&offer.owner, &self.book);
        holdings::send(pass.view, pass.info, &holdings::issuer(input), owner, input, given.input)?;
        holdings::send(pass.view, pass.info, owner, &holdings::issuer(output), output, taken.owner_gives)?;
        left.input = pass.math.difference(left.input, given.input)?;
        left.output = pass.math.difference(left.output, given.output)?;
        let (pays, gets) = (left.input.amount(input)?, left.output.amount(output)?);
        let entry = pass.view.update(&offer.at).ok_or(TxResult::tefEXCEPTION)?;
        entry.set(sf::TakerPays, pays);
        entry.set(sf::TakerGets, gets);
        Ok(())
    }

    pub(super) fn reverse(
        &mut self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        output: Quantity,
    ) -> Result<Through, TxResult> {
        self.through = None;
        let (math, units) = (pass.math, (Unit::of(&self.book.input), output.unit()));
        let (mut inputs, mut outputs) = (Sum::default(), Sum::default());
        let mut result = (units.0.zero(), units.1.zero());
        let mut left = output;
        let used = self.walk(previous, pass, Way::Backwards, &mut |pass, offer, taken| {
            if !left.is_positive() {
                return Ok(false);
            }
            if taken.step.output <= left {
                inputs.add(taken.step.input);
                outputs.add(taken.step.output);
                result = (inputs.total(math, units.0)?, outputs.total(math, units.1)?);
                left = math.difference(output, result.1)?;
                self.consume(pass, offer, &taken)?;
                return Ok(true);
            }
            let taken = taken.limit_output(math, left)?;
            left = units.1.zero();
            inputs.add(taken.step.input);
            result = (inputs.total(math, units.0)?, output);
            self.consume(pass, offer, &taken)?;
            Ok(offer.is_consumed())
        })?;
        self.note_used(used);
        if left.is_zero() {
            result.1 = output;
        }
        self.through = Some(result);
        Ok(result)
    }

    pub(super) fn forward(
        &mut self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        input: Quantity,
    ) -> Result<Through, TxResult> {
        let cached = self.through.ok_or(TxResult::tefEXCEPTION)?;
        let mut forward = Forward {
            math: pass.math,
            cached,
            input,
            left: input,
            result: (input.unit().zero(), cached.1.unit().zero()),
            inputs: Sum::default(),
            outputs: Sum::default(),
        };
        let used = self.walk(previous, pass, Way::Forwards, &mut |pass, offer, taken| {
            if !forward.left.is_positive() {
                return Ok(false);
            }
            let (taken, more) = forward.take(taken)?;
            self.consume(pass, offer, &taken)?;
            Ok(more || offer.is_consumed())
        })?;
        self.note_used(used);
        let mut result = forward.result;
        if forward.left.is_zero() {
            result.0 = input;
        }
        self.through = Some(result);
        Ok(result)
    }
}

/// What has gone through on the way forwards.
struct Forward {
    math: Arithmetic,
    /// What the way back found.
    cached: Through,
    input: Quantity,
    left: Quantity,
    result: Through,
    inputs: Sum,
    outputs: Sum,
}

impl Forward {
    /// How much of an offer is taken, and whether more offers are wanted.
    fn take(&mut self, all: Taken) -> Result<(Taken, bool), TxResult> {
        let (math, units) = (self.math, (self.input.unit(), self.cached.1.unit()));
        let more = all.step.input <= self.left;
        let mut taken = all;
        if more {
            self.inputs.add(all.step.input);
            self.outputs.add(all.step.output);
            self.result = (self.inputs.total(math, units.0)?, self.outputs.total(math, units.1)?);
        } else {
            taken = all.limit_input(math, self.left)?;
            self.inputs.add(self.left);
            self.outputs.add(taken.step.output);
            self.result = (self.input, self.outputs.total(math, units.1)?);
        }
        if self.result.1 > self.cached.1 && self.result.0 <= self.cached.0 {
            // Rounding gave more than the way back asked for. If the same input buys just that, it does.
            self.outputs.take_back(taken.step.output);
            let wanted = math.difference(self.cached.1, self.outputs.total(math, units.1)?)?;
            let exact = all.limit_output(math, wanted)?;
            if exact.step.input == self.left {
                self.result = (self.input, self.cached.1);
                self.inputs.reset(self.result.0);
                self.outputs.reset(self.result.1);
                taken = Taken { step: Trade { input: self.left, output: wanted }, ..exact };
            } else {
                self.outputs.add(taken.step.output);
            }
        }
        self.left = math.difference(self.input, self.result.0)?;
        Ok((taken, more))
    }
}
