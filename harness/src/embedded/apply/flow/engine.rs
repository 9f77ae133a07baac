//! Uses strands, the best first, until all has arrived or no more can.

use std::collections::BTreeSet;

use xrpl_wire::{Hash256, TxResult};

use super::book::Sum;
use super::step::{Lookup, Step, Through};
use super::strand::Strand;
use super::{Crossing, Outcome, Pass, Request};
use crate::embedded::apply::decimal::{Arithmetic, OVERFLOW};
use crate::embedded::apply::offer;
use crate::embedded::apply::quality::{Quality, Trade};
use crate::embedded::apply::quantity::{Quantity, Unit};
use crate::embedded::apply::table::{Layer, Table};
use crate::embedded::apply::{LedgerInfo, Ter};

/// How often a strand is used in one payment at most.
const MAX_TRIES: u32 = 1_000;

/// No strand is used any more once so many offers have been looked at.
const MAX_OFFERS: u32 = 1_500;

/// What went through a strand once.
struct Flowed {
    through: Trade,
    layer: Layer,
    /// Whether so many offers were looked at that the strand is not used again.
    is_exhausted: bool,
}

/// The strands of one payment, and what has gone through them so far.
struct Engine<'e> {
    info: &'e LedgerInfo,
    math: Arithmetic,
    request: &'e Request<'e>,
    strands: Vec<Strand>,
    /// The strands of the next round.
    next: Vec<usize>,
    sent: Sum,
    delivered: Sum,
    left: Quantity,
    left_to_send: Option<Quantity>,
    /// Offers of no use, to be removed though the payment fails.
    removable: BTreeSet<Hash256>,
    offers_used: u32,
}

/// Uses the strands. Answers with the changes, where it is a success, and with what it has come to.
pub(super) fn run(
    view: &Table<'_>,
    info: &LedgerInfo,
    request: &Request<'_>,
    strands: Vec<Strand>,
    source_unit: Unit,
) -> Result<(Option<Layer>, Outcome), TxResult> {
    let mut engine = Engine {
        info,
        math: info.math(),
        request,
        next: (0..strands.len()).collect(),
        strands,
        sent: Sum::default(),
        delivered: Sum::default(),
        left: request.deliver.0,
        left_to_send: request.send_max.map(|(amount, _)| amount).filter(|amount| !amount.is_negative()),
        removable: BTreeSet::new(),
        offers_used: 0,
    };
    let mut sandbox = Table::payment_over(view);
    let flowed = engine.flow(&mut sandbox);
    let units = (source_unit, request.deliver.0.unit());
    let (mut sent, mut delivered) = (units.0.zero(), units.1.zero());
    let result = match flowed {
        Ok(()) => {
            sent = engine.sent.total(engine.math, units.0)?;
            delivered = engine.delivered.total(engine.math, units.1)?;
            engine.judge(delivered)
        }
        Err(TxResult::telFAILED_PROCESSING) => Err(TxResult::telFAILED_PROCESSING),
        Err(result) => return Err(result),
    };
    if let Err(TxResult::tecPATH_DRY | TxResult::tefEXCEPTION) = result {
        (sent, delivered) = (units.0.zero(), units.1.zero());
    }
    // Where it went through they are gone with it, and stay if it is undone after all.
    let removable = if result.is_ok() { BTreeSet::new() } else { engine.removable };
    let layer = result.is_ok().then(|| sandbox.into_layer());
    Ok((layer, Outcome { result, sent, delivered, removable }))
}

impl Engine<'_> {
    fn flow(&mut self, sandbox: &mut Table<'_>) -> Ter {
        let mut tries = 0;
        while self.left.is_positive() && self.left_to_send.is_none_or(Quantity::is_positive) {
            tries += 1;
            if tries >= MAX_TRIES {
                return Err(TxResult::telFAILED_PROCESSING);
            }
            let mut useless = BTreeSet::new();
            let best = self.best(sandbox, &mut useless)?;
            let done = best.is_none() || self.offers_used >= MAX_OFFERS;
            if let Some(Flowed { through, layer, .. }) = best {
                self.sent.add(through.input);
                self.delivered.add(through.output);
                let (deliver, math) = (self.request.deliver.0, self.math);
                self.left = math.difference(deliver, self.delivered.total(math, deliver.unit())?)?;
                if let (Some((most, _)), Some(_)) = (self.request.send_max, self.left_to_send) {
                    let left = math.difference(most, self.sent.total(math, most.unit())?)?;
                    self.left_to_send = Some(left);
                }
                sandbox.absorb(math, layer)?;
            }
            for at in &useless {
                if sandbox.exists(at) {
                    offer::remove(sandbox, at)?;
                }
            }
            self.removable.extend(useless);
            if done {
                break;
            }
        }
        Ok(())
    }

    /// Uses the strand that is best at the moment, if there is one that is good enough.
    fn best(
        &mut self,
        sandbox: &Table<'_>,
        useless: &mut BTreeSet<Hash256>,
    ) -> Result<Option<Flowed>, TxResult> {
        let active = self.activate(sandbox)?;
        let limit = self.request.limit_quality;
        if let ([only], Some(_)) = (active.as_slice(), limit) {
            self.check_rates(sandbox, *only)?;
        }
        for (place, number) in active.iter().copied().enumerate() {
            if self.request.crossing != Crossing::None
                && let Some(limit) = limit
                && self.quality(sandbox, number)?.is_none_or(|quality| quality < limit)
            {
                continue;
            }
            let Some(strand) = self.strands.get_mut(number) else { continue };
            let flowed = through(sandbox, self.info, strand, (self.left_to_send, self.left), useless)?;
            self.offers_used += strand.iter().map(Step::offers_used).sum::<u32>();
            let Some(flowed) = flowed.filter(|flowed| !flowed.through.output.is_zero()) else { continue };
            let quality = Quality::of(self.math, &flowed.through);
            if limit.is_some_and(|limit| quality < limit) {
                continue;
            }
            if !flowed.is_exhausted {
                self.next.push(number);
            }
            self.next.extend(active.iter().skip(place + 1));
            return Ok(Some(flowed));
        }
        Ok(None)
    }

    /// The strands of this round, the best first.
    fn activate(&mut self, sandbox: &Table<'_>) -> Result<Vec<usize>, TxResult> {
        let next = std::mem::take(&mut self.next);
        if next.len() <= 1 {
            return Ok(next);
        }
        let mut rated = Vec::new();
        for number in next {
            let Some(quality) = self.quality(sandbox, number)? else { continue };
            if self.request.limit_quality.is_none_or(|limit| quality >= limit) {
                rated.push((quality, number));
            }
        }
        rated.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        Ok(rated.into_iter().map(|(_, number)| number).collect())
    }

    /// The best rates there can be over the steps of a strand; fewer than it has steps if one is dry.
    fn step_qualities(&self, sandbox: &Table<'_>, number: usize) -> Result<Vec<Quality>, TxResult> {
        let at = Lookup { view: sandbox, info: self.info };
        let mut all = Vec::new();
        let (mut previous, mut redeems) = (None, false);
        for step in self.strands.get(number).into_iter().flatten() {
            let (quality, now) = step.best_quality(previous, at, redeems)?;
            let Some(quality) = quality else { break };
            all.push(quality);
            (previous, redeems) = (Some(step), now);
        }
        Ok(all)
    }

    /// The best rate there can be over a strand.
    fn quality(&self, sandbox: &Table<'_>, number: usize) -> Result<Option<Quality>, TxResult> {
        let all = self.step_qualities(sandbox, number)?;
        if self.strands.get(number).is_none_or(|strand| strand.len() != all.len()) {
            return Ok(None);
        }
        let combined = all.into_iter().try_fold(Quality::ONE, |all, quality| all.then(self.math, quality))?;
        Ok(Some(combined))
    }

    /// The server cannot say how a strand's rate goes down with what flows where one of its rates is zero.
    fn check_rates(&self, sandbox: &Table<'_>, number: usize) -> Ter {
        let all = self.step_qualities(sandbox, number)?;
        if all.into_iter().any(Quality::is_zero) { Err(OVERFLOW) } else { Ok(()) }
    }

    /// Whether what has flowed is what was asked for.
    fn judge(&self, delivered: Quantity) -> Ter {
        let Request { deliver: (wanted, _), partial, crossing, .. } = *self.request;
        if delivered != wanted {
            if delivered > wanted {
                return Err(OVERFLOW);
            }
            if !partial && crossing != Crossing::Sell {
                return Err(TxResult::tecPATH_PARTIAL);
            }
            if partial && delivered.is_zero() {
                return Err(TxResult::tecPATH_DRY);
            }
        }
        let left = self.left_to_send.is_some_and(|left| !left.is_zero());
        if crossing == Crossing::Sell && !partial && left {
            return Err(TxResult::tecPATH_PARTIAL);
        }
        Ok(())
    }
}

/// Lets value flow over one strand: at most so much in, as much out as is wanted, or as much as can.
fn through(
    sandbox: &Table<'_>,
    info: &LedgerInfo,
    strand: &mut Strand,
    (most, wanted): (Option<Quantity>, Quantity),
    useless: &mut BTreeSet<Hash256>,
) -> Result<Option<Flowed>, TxResult> {
    // From XRP to XRP nothing has to flow through anything.
    let is_only_xrp = strand.iter().all(|step| matches!(step, Step::Xrp(_)));
    if strand.is_empty() || is_only_xrp {
        return Ok(None);
    }
    let mut run = Run { sandbox, info, strand, useless };
    match run.flow(most, wanted) {
        // What the server throws ends the payment; any other failure only the strand.
        Err(OVERFLOW) => Err(OVERFLOW),
        Err(_) => Ok(None),
        flowed => flowed,
    }
}

/// One use of a strand.
struct Run<'r, 't> {
    sandbox: &'r Table<'t>,
    info: &'r LedgerInfo,
    strand: &'r mut Strand,
    useless: &'r mut BTreeSet<Hash256>,
}

#[derive(Clone, Copy)]
enum Work {
    Backwards(Quantity),
    Forwards(Quantity),
}

impl Run<'_, '_> {
    fn work<'t>(
        &mut self,
        number: usize,
        (view, before): (&mut Table<'t>, &mut Table<'t>),
        work: Work,
    ) -> Result<Through, TxResult> {
        let (head, tail) = self.strand.split_at_mut(number);
        let step = tail.first_mut().ok_or(OVERFLOW)?;
        let mut pass = Pass { view, before, info: self.info, math: self.info.math(), useless: self.useless };
        match work {
            Work::Backwards(output) => step.reverse(head.last(), &mut pass, output),
            Work::Forwards(input) => step.forward(head.last(), &mut pass, input),
        }
    }

    fn flow(&mut self, most: Option<Quantity>, wanted: Quantity) -> Result<Option<Flowed>, TxResult> {
        let sandbox = self.sandbox;
        let (mut view, mut before) = (Table::payment_over(sandbox), Table::payment_over(sandbox));
        let steps = self.strand.len();
        let (mut limiting, mut limited) = (steps, wanted);
        let mut output = wanted;
        for number in (0..steps).rev() {
            let (mut input, got) = self.work(number, (&mut view, &mut before), Work::Backwards(output))?;
            if got.is_zero() {
                return Ok(None);
            }
            if number == 0
                && let Some(most) = most
                && most < input
            {
                view = Table::payment_over(sandbox);
                (input, limited) = self.work(0, (&mut view, &mut before), Work::Forwards(most))?;
                limiting = 0;
                if limited.is_zero() || input != most {
                    return Ok(None);
                }
            } else if got != output {
                // This step limits the strand: what was done behind it was too much.
                view = Table::payment_over(sandbox);
                before = Table::payment_over(sandbox);
                (input, limited) = self.work(number, (&mut view, &mut before), Work::Backwards(got))?;
                limiting = number;
                if limited.is_zero() || limited != got {
                    return Ok(None);
                }
            }
            output = input;
        }
        let mut input = limited;
        for number in limiting + 1..steps {
            let (taken, got) = self.work(number, (&mut view, &mut before), Work::Forwards(input))?;
            if got.is_zero() || taken != input {
                return Ok(None);
            }
            input = got;
        }
        let ends = (self.strand.first().and_then(Step::cached), self.strand.last().and_then(Step::cached));
        let (Some((input, _)), Some((_, output))) = ends else { return Ok(None) };
        Ok(Some(Flowed {
            through: Trade { input, output },
            layer: view.into_layer(),
            is_exhausted: self.strand.iter().any(Step::is_exhausted),
        }))
    }
}
