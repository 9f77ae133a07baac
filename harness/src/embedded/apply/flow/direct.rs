//! A step over a trust line.

use xrpl_wire::{AccountId, Currency, IouValue, Issue, TxResult, flags, index};

use super::step::{Lookup, Step, Through, Way};
use super::strand::Around;
use super::{Crossing, Pass};
use crate::embedded::apply::decimal::{Arithmetic, OVERFLOW};
use crate::embedded::apply::holdings::Care;
use crate::embedded::apply::quality::Quality;
use crate::embedded::apply::quantity::{PARITY, Quantity};
use crate::embedded::apply::table::Table;
use crate::embedded::apply::{Ter, shared, trust};

/// From an account to another that it has a line with.
#[derive(Debug, Clone)]
pub(super) struct Direct {
    source: AccountId,
    destination: AccountId,
    currency: Currency,
    is_last: bool,
    crossing: bool,
    through: Option<Moved>,
}

/// What went through: what the source gave up, what moved on the line, what the destination got.
#[derive(Debug, Clone, Copy)]
struct Moved {
    input: IouValue,
    moved: IouValue,
    output: IouValue,
    redeems: bool,
}

impl Direct {
    pub(super) fn make(
        around: &mut Around<'_, '_>,
        source: AccountId,
        destination: AccountId,
        currency: Currency,
    ) -> Result<Step, TxResult> {
        let crossing = around.maker.request.crossing != Crossing::None;
        let step = Direct { source, destination, currency, is_last: around.is_last, crossing, through: None };
        step.check(around)?;
        Ok(Step::Direct(step))
    }

    fn check(&self, around: &mut Around<'_, '_>) -> Ter {
        let view = around.maker.view;
        if [self.source, self.destination].contains(&AccountId::ZERO) || self.source == self.destination {
            return Err(TxResult::temBAD_PATH);
        }
        let root = view.read(&index::account_root(&self.source)).ok_or(TxResult::terNO_ACCOUNT)?;
        // Between an account and the issuer alone nothing can be frozen.
        if !(around.is_first && around.is_last) {
            trust::check_freeze(view, &self.source, &self.destination, &self.currency)?;
        }
        if let Some(before) = around.previous.and_then(Step::line_source) {
            self.check_rippling(view, &before)?;
        }
        let issue = |issuer| Issue::Issued { currency: self.currency, issuer };
        let (from, to) = (issue(self.source), issue(self.destination));
        if around.seen.book_outputs.contains(&from) {
            let previous = around.previous.ok_or(TxResult::temBAD_PATH_LOOP)?;
            if previous.book().is_some_and(|book| book.output != from) {
                return Err(TxResult::temBAD_PATH_LOOP);
            }
        }
        if !around.seen.sources.insert(from) || !around.seen.destinations.insert(to) {
            return Err(TxResult::temBAD_PATH_LOOP);
        }
        if self.crossing {
            return Ok(());
        }
        let line = self.line(view).ok_or(TxResult::terNO_LINE)?;
        let mine = trust::side(&self.source, &self.destination);
        let held = trust::balance_of(line, &self.source, &self.destination);
        if shared::has_flag(root, flags::lsfRequireAuth)
            && !shared::has_flag(line, mine.auth)
            && held.is_zero()
        {
            return Err(TxResult::terNO_AUTH);
        }
        if around.previous.is_some_and(|step| step.book().is_some()) && shared::has_flag(line, mine.no_ripple)
        {
            return Err(TxResult::terNO_RIPPLE);
        }
        let limit = trust::value(line, trust::side(&self.destination, &self.source).limit);
        if held <= IouValue::ZERO && held.negated() >= limit {
            return Err(TxResult::tecPATH_DRY);
        }
        Ok(())
    }

    /// Whether the source lets what comes in from one line go out over another.
    fn check_rippling(&self, view: &Table<'_>, before: &AccountId) -> Ter {
        let into = view.read(&index::trust_line(before, &self.source, &self.currency));
        let (Some(into), Some(out)) = (into, self.line(view)) else { return Err(TxResult::terNO_LINE) };
        let refuses_in = shared::has_flag(into, trust::side(&self.source, before).no_ripple);
        let refuses_out = shared::has_flag(out, trust::side(&self.source, &self.destination).no_ripple);
        if refuses_in && refuses_out { Err(TxResult::terNO_RIPPLE) } else { Ok(()) }
    }

    fn line<'t>(&self, view: &'t Table<'_>) -> Option<&'t xrpl_wire::Object> {
        view.read(&index::trust_line(&self.source, &self.destination, &self.currency))
    }

    pub(super) fn ends(&self) -> (AccountId, AccountId) {
        (self.source, self.destination)
    }

    pub(super) fn is_same(&self, other: &Direct) -> bool {
        self.ends() == other.ends() && self.currency == other.currency
    }

    pub(super) fn cached(&self) -> Option<Through> {
        self.through.map(|moved| (Quantity::Iou(moved.input), Quantity::Iou(moved.output)))
    }

    /// What the source holds of the destination, and may spend.
    fn held(&self, at: Lookup<'_>) -> Result<IouValue, TxResult> {
        let issue = Issue::Issued { currency: self.currency, issuer: self.destination };
        at.holdings().has(&self.source, &issue, Care::None).map(Quantity::iou)
    }

    pub(super) fn redeems(&self, at: Lookup<'_>, way: Way) -> Result<bool, TxResult> {
        match self.through {
            Some(moved) if way == Way::Forwards => Ok(moved.redeems),
            _ => Ok(self.held(at)? > IouValue::ZERO),
        }
    }

    /// The most that can move, and whether the source gives back what it holds. Who crosses an offer takes whatever
    /// limit its line has.
    fn most(&self, at: Lookup<'_>, wanted: IouValue) -> Result<(IouValue, bool), TxResult> {
        if self.crossing && self.is_last {
            return Ok((wanted, false));
        }
        let held = self.held(at)?;
        if held > IouValue::ZERO {
            return Ok((held, true));
        }
        let limit = trust::limit(at.view, &self.destination, &self.source, &self.currency);
        Ok((at.info.math().add_iou(limit, held)?, false))
    }

    /// What the destination counts what comes in as.
    pub(super) fn quality_in(&self, view: &Table<'_>) -> u32 {
        self.quality(view, |line, (source, destination)| {
            line.u32(trust::side(&destination, &source).quality_in)
        })
    }

    fn quality(
        &self,
        view: &Table<'_>,
        of: impl Fn(&xrpl_wire::Object, (AccountId, AccountId)) -> Option<u32>,
    ) -> u32 {
        let quality = self.line(view).filter(|_| !self.crossing).and_then(|line| of(line, self.ends()));
        quality.filter(|quality| *quality != 0).unwrap_or(PARITY)
    }

    /// What the source pays for each unit that moves, and what the destination counts it as, where the source
    /// redeems.
    fn redeeming(&self, previous: Option<&Step>, view: &Table<'_>) -> (u32, u32) {
        let Some(previous) = previous else { return (PARITY, PARITY) };
        let quality_out = self.quality(view, |line, (source, destination)| {
            line.u32(trust::side(&source, &destination).quality_out)
        });
        (quality_out.max(previous.quality_in(view)), PARITY)
    }

    /// The same where it issues: what was redeemed before it takes its fee of.
    fn issuing(&self, view: &Table<'_>, previous_redeems: bool) -> (u32, u32) {
        let rate = if previous_redeems { trust::transfer_rate(view, &self.source) } else { PARITY };
        let quality_in = self.quality_in(view);
        (rate, if self.is_last { quality_in.min(PARITY) } else { quality_in })
    }

    fn qualities(
        &self,
        previous: Option<&Step>,
        at: Lookup<'_>,
        redeems: bool,
        way: Way,
    ) -> Result<(u32, u32), TxResult> {
        if redeems {
            return Ok(self.redeeming(previous, at.view));
        }
        let previous_redeems = match previous {
            Some(previous) => previous.redeems(at, way)?,
            None => false,
        };
        Ok(self.issuing(at.view, previous_redeems))
    }

    pub(super) fn best_quality(
        &self,
        previous: Option<&Step>,
        at: Lookup<'_>,
        previous_redeems: bool,
    ) -> Result<(Option<Quality>, bool), TxResult> {
        let redeems = self.redeems(at, Way::Forwards)?;
        let (source_out, destination_in) =
            if redeems { self.redeeming(previous, at.view) } else { self.issuing(at.view, previous_redeems) };
        Ok((Some(Quality::of_rates(at.info.math(), destination_in, source_out)), redeems))
    }

    pub(super) fn reverse(
        &mut self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        output: Quantity,
    ) -> Result<Through, TxResult> {
        self.through = None;
        let (output, math) = (output.iou(), pass.math);
        let at = Lookup { view: pass.view, info: pass.info };
        let (most, redeems) = self.most(at, output)?;
        let (source_out, destination_in) = self.qualities(previous, at, redeems, Way::Backwards)?;
        if most <= IouValue::ZERO {
            return Ok(self.dry(redeems));
        }
        let needed = ratio(math, output, PARITY, destination_in, true)?;
        let moved = if needed <= most {
            Moved { input: ratio(math, needed, source_out, PARITY, true)?, moved: needed, output, redeems }
        } else {
            Moved {
                input: ratio(math, most, source_out, PARITY, true)?,
                moved: most,
                output: ratio(math, most, destination_in, PARITY, false)?,
                redeems,
            }
        };
        self.through = Some(moved);
        self.move_over(pass, moved.moved)?;
        Ok((Quantity::Iou(moved.input), Quantity::Iou(moved.output)))
    }

    pub(super) fn forward(
        &mut self,
        previous: Option<&Step>,
        pass: &mut Pass<'_, '_>,
        input: Quantity,
    ) -> Result<Through, TxResult> {
        let cached = self.through.ok_or(OVERFLOW)?;
        let (input, math) = (input.iou(), pass.math);
        let at = Lookup { view: pass.view, info: pass.info };
        let (most, redeems) = self.most(at, cached.moved)?;
        let (source_out, destination_in) = self.qualities(previous, at, redeems, Way::Forwards)?;
        if most <= IouValue::ZERO {
            return Ok(self.dry(redeems));
        }
        let paid_for = ratio(math, input, PARITY, source_out, false)?;
        let moved = if paid_for <= most {
            let output = ratio(math, paid_for, destination_in, PARITY, false)?;
            Moved { input, moved: paid_for, output, redeems }
        } else {
            Moved {
                input: ratio(math, most, source_out, PARITY, true)?,
                moved: most,
                output: ratio(math, most, destination_in, PARITY, false)?,
                redeems,
            }
        };
        let moved = limited(math, &cached, moved)?;
        self.through = Some(moved);
        self.move_over(pass, moved.moved)?;
        Ok((Quantity::Iou(moved.input), Quantity::Iou(moved.output)))
    }

    fn dry(&mut self, redeems: bool) -> Through {
        let zero = IouValue::ZERO;
        self.through = Some(Moved { input: zero, moved: zero, output: zero, redeems });
        (Quantity::Iou(zero), Quantity::Iou(zero))
    }

    /// Whether it moved is not asked, as the server does not.
    fn move_over(&self, pass: &mut Pass<'_, '_>, amount: IouValue) -> Ter {
        let moved =
            trust::credit(pass.view, pass.info, &self.source, &self.destination, &self.currency, amount);
        if moved == Err(OVERFLOW) { moved } else { Ok(()) }
    }
}

/// What goes through forwards is never more than the way back found, unless much more comes in.
fn limited(math: Arithmetic, cached: &Moved, now: Moved) -> Result<Moved, TxResult> {
    if cached.input < now.input {
        let difference = math.sub_iou(now.input, cached.input)?;
        let small = IouValue::new(false, 1, -9).unwrap_or(IouValue::ZERO);
        let much_more = now.input.exponent() != cached.input.exponent()
            || cached.input.is_zero()
            || u128::from(now.input.mantissa()) * 100 > u128::from(cached.input.mantissa()) * 101;
        if difference > small && much_more {
            return Ok(now);
        }
    }
    Ok(Moved { moved: now.moved.min(cached.moved), output: now.output.min(cached.output), ..now })
}

fn ratio(
    math: Arithmetic,
    value: IouValue,
    numerator: u32,
    denominator: u32,
    round_up: bool,
) -> Result<IouValue, TxResult> {
    math.mul_ratio(Quantity::Iou(value), numerator, denominator, round_up).map(Quantity::iou)
}
