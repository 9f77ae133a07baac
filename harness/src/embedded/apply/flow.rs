//! Payments in an issued currency over trust lines: from the sender over the issuer to the destination.
//!
//! As the server does it: backwards from what shall arrive, and forwards again from where the flow turned out
//! to be limited; and that again as long as more can flow.

use xrpl_wire::{AccountId, Amount, Currency, IouValue, IssuedAmount, TxResult, flags, index, sf};

use super::table::Table;
use super::trust::{self, PARITY, mul_ratio, overflow};
use super::{Context, LedgerInfo, Ter, shared};

/// How often the path is used again for what is left. Each time it carries all it can, so that rounding alone
/// leaves anything for a second.
const MAX_ROUNDS: u32 = 1_000;

/// Pays in an issued currency.
pub(super) fn pay(context: &mut Context<'_>, destination: &AccountId) -> Ter {
    let fields = context.tx.tx.object();
    let partial = context.tx.tx.flags() & flags::tfPartialPayment != 0;
    let amount = fields.amount(sf::Amount).ok_or(TxResult::tefINTERNAL)?;
    let send_max = fields.amount(sf::SendMax).unwrap_or(match amount {
        Amount::Issued(issued) => Amount::Issued(IssuedAmount { issuer: context.account(), ..issued }),
        other => other,
    });
    let nothing = if partial { TxResult::tecPATH_DRY } else { TxResult::tecPATH_PARTIAL };
    if context.tx.tx.flags() & flags::tfNoRippleDirect != 0 {
        // The path over the issuer is ruled out, and no other can be given.
        return Err(TxResult::temRIPPLE_EMPTY);
    }
    let (Amount::Issued(amount), Amount::Issued(send_max)) = (amount, send_max) else {
        // From one currency to another there would have to be offers.
        return Err(nothing);
    };
    if amount.currency != send_max.currency {
        return Err(nothing);
    }
    let accounts = path(&context.account(), destination, &amount, &send_max);
    let strand = Strand { accounts, currency: amount.currency, info: context.info };
    match strand.check(&context.view) {
        Ok(()) => {}
        Err(result) if result.is_ter() => return Err(TxResult::tecPATH_DRY),
        Err(result) => return Err(result),
    }
    let limit_quality = context.tx.tx.flags() & flags::tfLimitQuality != 0;
    let delivered = strand.flow_all(&mut context.view, amount.value, send_max.value, limit_quality)?;
    if delivered > amount.value {
        return Err(TxResult::tefEXCEPTION);
    }
    if delivered == amount.value {
        return Ok(());
    }
    if !partial || delivered.is_zero() {
        return Err(nothing);
    }
    if shared::issued(context.fields(), sf::DeliverMin).is_some_and(|least| delivered < least.value) {
        return Err(TxResult::tecPATH_PARTIAL);
    }
    context.delivered = Some(Amount::Issued(IssuedAmount { value: delivered, ..amount }));
    Ok(())
}

/// The accounts a payment goes over when it is given no path.
fn path(
    source: &AccountId,
    destination: &AccountId,
    amount: &IssuedAmount,
    send_max: &IssuedAmount,
) -> Vec<AccountId> {
    let mut accounts = vec![*source];
    if send_max.issuer != *source {
        accounts.push(send_max.issuer);
    }
    if accounts.last() != Some(&amount.issuer) && *destination != amount.issuer {
        accounts.push(amount.issuer);
    }
    if accounts.last() != Some(destination) {
        accounts.push(*destination);
    }
    accounts
}

/// What went through one step: what the source gave up, what moved on the line, what the destination got.
#[derive(Clone, Copy)]
struct Through {
    input: IouValue,
    moved: IouValue,
    output: IouValue,
    redeems: bool,
}

struct Strand<'a> {
    accounts: Vec<AccountId>,
    currency: Currency,
    info: &'a LedgerInfo,
}

impl Strand<'_> {
    fn steps(&self) -> usize {
        self.accounts.len().saturating_sub(1)
    }

    /// The source and the destination of a step.
    fn ends(&self, step: usize) -> Result<(AccountId, AccountId), TxResult> {
        match self.accounts.get(step..) {
            Some([source, destination, ..]) => Ok((*source, *destination)),
            _ => Err(TxResult::temBAD_PATH),
        }
    }

    /// Whether the path can be used at all.
    fn check(&self, view: &Table<'_>) -> Ter {
        if self.steps() == 0 || self.accounts.contains(&AccountId::ZERO) {
            return Err(TxResult::temBAD_PATH);
        }
        for step in 0..self.steps() {
            let (source, destination) = self.ends(step)?;
            if source == destination {
                return Err(TxResult::temBAD_PATH);
            }
            let root = view.read(&index::account_root(&source)).ok_or(TxResult::terNO_ACCOUNT)?;
            // Between an account and the issuer alone nothing can be frozen.
            if self.steps() > 1 {
                trust::check_freeze(view, &source, &destination, &self.currency)?;
            }
            let line = view.read(&index::trust_line(&source, &destination, &self.currency));
            if let Some(before) = step.checked_sub(1) {
                let (previous, _) = self.ends(before)?;
                let into = view.read(&index::trust_line(&previous, &source, &self.currency));
                let (Some(into), Some(out)) = (into, line) else { return Err(TxResult::terNO_LINE) };
                let refuses_in = shared::has_flag(into, trust::side(&source, &previous).no_ripple);
                let refuses_out = shared::has_flag(out, trust::side(&source, &destination).no_ripple);
                if refuses_in && refuses_out {
                    return Err(TxResult::terNO_RIPPLE);
                }
            }
            let seen = self.accounts.get(..step).unwrap_or_default();
            let reached = self.accounts.get(1..=step).unwrap_or_default();
            if seen.contains(&source) || reached.contains(&destination) {
                return Err(TxResult::temBAD_PATH_LOOP);
            }
            let line = line.ok_or(TxResult::terNO_LINE)?;
            let held = trust::balance_of(line, &source, &destination);
            if shared::has_flag(root, flags::lsfRequireAuth)
                && !shared::has_flag(line, trust::side(&source, &destination).auth)
                && held.is_zero()
            {
                return Err(TxResult::terNO_AUTH);
            }
            let limit = trust::value(line, trust::side(&destination, &source).limit);
            if held <= IouValue::ZERO && held.negated() >= limit {
                return Err(TxResult::tecPATH_DRY);
            }
        }
        Ok(())
    }

    /// Uses the path until all has arrived, all that may be sent is sent, or nothing more flows.
    fn flow_all(
        &self,
        view: &mut Table<'_>,
        wanted: IouValue,
        send_max: IouValue,
        limit_quality: bool,
    ) -> Result<IouValue, TxResult> {
        let (mut sent, mut delivered) = (IouValue::ZERO, IouValue::ZERO);
        for _ in 0..MAX_ROUNDS {
            let left = wanted.checked_sub(delivered).map_err(overflow)?;
            let left_in = send_max.checked_sub(sent).map_err(overflow)?;
            if left <= IouValue::ZERO || left_in <= IouValue::ZERO {
                return Ok(delivered);
            }
            let before = view.clone();
            let Some((input, output)) = self.flow(view, left_in, left)? else {
                *view = before;
                return Ok(delivered);
            };
            if limit_quality {
                // No more may be given for each unit than SendMax over Amount.
                let paid = input.checked_div(output).map_err(overflow)?;
                if paid > send_max.checked_div(wanted).map_err(overflow)? {
                    *view = before;
                    return Ok(delivered);
                }
            }
            sent = sent.checked_add(input).map_err(overflow)?;
            delivered = delivered.checked_add(output).map_err(overflow)?;
        }
        Err(TxResult::telFAILED_PROCESSING)
    }

    /// Uses the path once. Answers with what went in and what came out; nothing if it is dry.
    fn flow(
        &self,
        view: &mut Table<'_>,
        max_in: IouValue,
        wanted: IouValue,
    ) -> Result<Option<(IouValue, IouValue)>, TxResult> {
        let base = view.clone();
        let steps = self.steps();
        let mut through: Vec<Option<Through>> = vec![None; steps];
        let mut limiting = None;
        let mut out = wanted;
        for step in (0..steps).rev() {
            let mut got = self.reverse(view, step, out, &through)?;
            if got.output.is_zero() {
                return Ok(None);
            }
            if step == 0 && max_in < got.input {
                *view = base.clone();
                limiting = Some(step);
                got = self.forward(view, step, max_in, Some(got), &through)?;
                if got.output.is_zero() || got.input != max_in {
                    return Ok(None);
                }
            } else if got.output != out {
                *view = base.clone();
                limiting = Some(step);
                let limited = got.output;
                got = self.reverse(view, step, limited, &through)?;
                if got.output != limited || got.output.is_zero() {
                    return Ok(None);
                }
            }
            if let Some(slot) = through.get_mut(step) {
                *slot = Some(got);
            }
            out = got.input;
        }
        if let Some(limiting) = limiting {
            let mut input = through.get(limiting).copied().flatten().map_or(IouValue::ZERO, |got| got.output);
            for step in limiting + 1..steps {
                let cached = through.get(step).copied().flatten();
                let got = self.forward(view, step, input, cached, &through)?;
                if got.output.is_zero() || got.input != input {
                    return Ok(None);
                }
                if let Some(slot) = through.get_mut(step) {
                    *slot = Some(got);
                }
                input = got.output;
            }
        }
        let first = through.first().copied().flatten().map(|got| got.input);
        let last = through.last().copied().flatten().map(|got| got.output);
        Ok(first.zip(last))
    }

    /// The most that can move over a step, and whether its source gives back what it holds of the destination.
    fn most(&self, view: &Table<'_>, step: usize) -> Result<(IouValue, bool), TxResult> {
        let (source, destination) = self.ends(step)?;
        let held = trust::holds(view, &source, &destination, &self.currency);
        if held > IouValue::ZERO {
            return Ok((held, true));
        }
        let limit = trust::limit(view, &destination, &source, &self.currency);
        Ok((limit.checked_add(held).map_err(overflow)?, false))
    }

    /// What the source pays for each unit that moves, and what the destination counts it as.
    fn qualities(
        &self,
        view: &Table<'_>,
        step: usize,
        redeems: bool,
        through: &[Option<Through>],
    ) -> Result<(u32, u32), TxResult> {
        let (source, destination) = self.ends(step)?;
        let line = |account: &AccountId, peer: &AccountId, field: fn(&trust::Side) -> xrpl_wire::Field| {
            let line = view.read(&index::trust_line(account, peer, &self.currency));
            match line.and_then(|line| line.u32(field(trust::side(account, peer)))) {
                None | Some(0) => PARITY,
                Some(quality) => quality,
            }
        };
        let Some(before) = step.checked_sub(1) else {
            let quality_in = line(&destination, &source, |side| side.quality_in);
            let last = step + 1 == self.steps();
            let counted = if last { quality_in.min(PARITY) } else { quality_in };
            return Ok((PARITY, if redeems { PARITY } else { counted }));
        };
        let (previous, _) = self.ends(before)?;
        if redeems {
            let quality_out = line(&source, &destination, |side| side.quality_out);
            let previous_in = line(&source, &previous, |side| side.quality_in);
            return Ok((quality_out.max(previous_in), PARITY));
        }
        let previous_redeems = match through.get(before).copied().flatten() {
            Some(got) => got.redeems,
            None => self.most(view, before)?.1,
        };
        let rate = if previous_redeems { trust::transfer_rate(view, &source) } else { PARITY };
        let quality_in = line(&destination, &source, |side| side.quality_in);
        let last = step + 1 == self.steps();
        Ok((rate, if last { quality_in.min(PARITY) } else { quality_in }))
    }

    /// Moves so much over a step that `output` arrives, or as much as can move.
    fn reverse(
        &self,
        view: &mut Table<'_>,
        step: usize,
        output: IouValue,
        through: &[Option<Through>],
    ) -> Result<Through, TxResult> {
        let (most, redeems) = self.most(view, step)?;
        let (source_out, destination_in) = self.qualities(view, step, redeems, through)?;
        if most <= IouValue::ZERO {
            let zero = IouValue::ZERO;
            return Ok(Through { input: zero, moved: zero, output: zero, redeems });
        }
        let needed = mul_ratio(output, PARITY, destination_in, true)?;
        let got = if needed <= most {
            Through { input: mul_ratio(needed, source_out, PARITY, true)?, moved: needed, output, redeems }
        } else {
            Through {
                input: mul_ratio(most, source_out, PARITY, true)?,
                moved: most,
                output: mul_ratio(most, destination_in, PARITY, false)?,
                redeems,
            }
        };
        self.move_over(view, step, got.moved)?;
        Ok(got)
    }

    /// Moves over a step what `input` pays for, and never more than the way back found.
    fn forward(
        &self,
        view: &mut Table<'_>,
        step: usize,
        input: IouValue,
        cached: Option<Through>,
        through: &[Option<Through>],
    ) -> Result<Through, TxResult> {
        let (most, redeems) = self.most(view, step)?;
        let (source_out, destination_in) = self.qualities(view, step, redeems, through)?;
        if most <= IouValue::ZERO {
            let zero = IouValue::ZERO;
            return Ok(Through { input: zero, moved: zero, output: zero, redeems });
        }
        let paid_for = mul_ratio(input, PARITY, source_out, false)?;
        let mut got = if paid_for <= most {
            let output = mul_ratio(paid_for, destination_in, PARITY, false)?;
            Through { input, moved: paid_for, output, redeems }
        } else {
            Through {
                input: mul_ratio(most, source_out, PARITY, true)?,
                moved: most,
                output: mul_ratio(most, destination_in, PARITY, false)?,
                redeems,
            }
        };
        if let Some(cached) = cached {
            got.moved = got.moved.min(cached.moved);
            got.output = got.output.min(cached.output);
        }
        self.move_over(view, step, got.moved)?;
        Ok(got)
    }

    fn move_over(&self, view: &mut Table<'_>, step: usize, amount: IouValue) -> Ter {
        let (source, destination) = self.ends(step)?;
        trust::credit(view, self.info, &source, &destination, &self.currency, amount)
    }
}
