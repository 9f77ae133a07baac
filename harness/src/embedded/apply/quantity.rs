//! How much of anything, and how the server multiplies, divides and rounds it.

use std::cmp::Ordering;

use xrpl_wire::{Amount, Drops, IouValue, Issue, IssuedAmount, MptAmount, TxResult, iou};

use super::decimal::{Arithmetic, OVERFLOW, Rounding};

/// A rate or quality of one: nothing is taken.
pub(super) const PARITY: u32 = 1_000_000_000;

/// All XRP, in drops.
const MAX_DROPS: u64 = 100_000_000_000_000_000;

/// The most there can be of a multi-purpose token.
pub(super) const MAX_MPT: i64 = i64::MAX;

const TEN_TO_14: u128 = 100_000_000_000_000;
const TEN_TO_17: u128 = 100_000_000_000_000_000;

/// What a quantity is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Drops,
    Iou,
    Mpt,
}

/// How much, without of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Drops(i64),
    Iou(IouValue),
    Mpt(i64),
}

/// The digits of a quantity, as the server keeps them. Whole numbers have an exponent of zero.
#[derive(Debug, Clone, Copy)]
struct Parts {
    mantissa: u64,
    exponent: i32,
    negative: bool,
}

impl Unit {
    pub(super) fn of(issue: &Issue) -> Unit {
        match issue {
            Issue::Xrp => Unit::Drops,
            Issue::Issued { .. } => Unit::Iou,
            Issue::Mpt(_) => Unit::Mpt,
        }
    }

    fn is_whole(self) -> bool {
        self != Unit::Iou
    }

    pub(super) fn zero(self) -> Quantity {
        self.integer(0)
    }

    fn integer(self, number: i64) -> Quantity {
        match self {
            Unit::Drops => Quantity::Drops(number),
            Unit::Mpt => Quantity::Mpt(number),
            Unit::Iou => Quantity::Iou(IouValue::ZERO),
        }
    }

    /// The least there can be that is more than nothing.
    pub(super) fn least(self) -> Quantity {
        match self {
            Unit::Iou => {
                let least = IouValue::from_normal(false, iou::MIN_MANTISSA, iou::MIN_EXPONENT);
                Quantity::Iou(least.unwrap_or(IouValue::ZERO))
            }
            whole => whole.integer(1),
        }
    }

    /// More than can be had, but not so much that a little more overflows.
    pub(super) fn plenty(self) -> Quantity {
        match self {
            Unit::Drops => Quantity::Drops(i64::try_from(MAX_DROPS).unwrap_or(i64::MAX)),
            Unit::Mpt => Quantity::Mpt(MAX_MPT / 2),
            Unit::Iou => {
                let half = IouValue::from_normal(false, iou::MAX_MANTISSA / 2, iou::MAX_EXPONENT);
                Quantity::Iou(half.unwrap_or(IouValue::ZERO))
            }
        }
    }
}

impl Quantity {
    pub(super) fn of(amount: &Amount) -> Result<Quantity, TxResult> {
        Ok(match amount {
            Amount::Xrp(drops) => Quantity::Drops(i64::try_from(drops.get()).map_err(|_| OVERFLOW)?),
            Amount::Issued(issued) => Quantity::Iou(issued.value),
            Amount::Mpt(mpt) => {
                let value = i64::try_from(mpt.value).map_err(|_| OVERFLOW)?;
                Quantity::Mpt(if mpt.negative { -value } else { value })
            }
        })
    }

    /// So much of an asset.
    pub(super) fn amount(self, issue: &Issue) -> Result<Amount, TxResult> {
        Ok(match (self, issue) {
            (Quantity::Drops(drops), Issue::Xrp) => {
                let drops = u64::try_from(drops).map_err(|_| OVERFLOW)?;
                Amount::Xrp(Drops::new(drops).map_err(|_| OVERFLOW)?)
            }
            (Quantity::Iou(value), Issue::Issued { currency, issuer }) => {
                Amount::Issued(IssuedAmount { value, currency: *currency, issuer: *issuer })
            }
            (Quantity::Mpt(value), Issue::Mpt(issuance_id)) => Amount::Mpt(MptAmount {
                negative: value < 0,
                value: value.unsigned_abs(),
                issuance_id: *issuance_id,
            }),
            _ => return Err(OVERFLOW),
        })
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Quantity::Drops(_) => Unit::Drops,
            Quantity::Iou(_) => Unit::Iou,
            Quantity::Mpt(_) => Unit::Mpt,
        }
    }

    /// Of an issued currency; nothing of anything else.
    pub(super) fn iou(self) -> IouValue {
        match self {
            Quantity::Iou(value) => value,
            _ => IouValue::ZERO,
        }
    }

    /// The whole number of drops or tokens; nothing of an issued currency.
    pub(super) fn whole(self) -> i64 {
        match self {
            Quantity::Drops(number) | Quantity::Mpt(number) => number,
            Quantity::Iou(_) => 0,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.sign() == Ordering::Equal
    }

    pub(super) fn is_positive(self) -> bool {
        self.sign() == Ordering::Greater
    }

    pub(super) fn is_negative(self) -> bool {
        self.sign() == Ordering::Less
    }

    fn sign(self) -> Ordering {
        match self {
            Quantity::Drops(number) | Quantity::Mpt(number) => number.cmp(&0),
            Quantity::Iou(value) => value.cmp(&IouValue::ZERO),
        }
    }

    fn parts(self) -> Parts {
        match self {
            Quantity::Drops(number) | Quantity::Mpt(number) => {
                Parts { mantissa: number.unsigned_abs(), exponent: 0, negative: number < 0 }
            }
            Quantity::Iou(value) => Parts {
                mantissa: value.mantissa(),
                exponent: value.exponent(),
                negative: value.is_negative(),
            },
        }
    }

    /// The digits, sixteen at least, as products and quotients begin with them.
    fn factor(self) -> Parts {
        let mut parts = self.parts();
        while parts.mantissa != 0 && parts.mantissa < iou::MIN_MANTISSA {
            parts.mantissa *= 10;
            parts.exponent -= 1;
        }
        parts
    }
}

/// Those of one unit are ordered by size; others are not compared.
impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        match (self, other) {
            (Quantity::Drops(one), Quantity::Drops(other)) | (Quantity::Mpt(one), Quantity::Mpt(other)) => {
                Some(one.cmp(other))
            }
            (Quantity::Iou(one), Quantity::Iou(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// The smaller of two.
pub(super) fn min(one: Quantity, other: Quantity) -> Quantity {
    if other < one { other } else { one }
}

impl Arithmetic {
    pub(super) fn sum(self, one: Quantity, other: Quantity) -> Result<Quantity, TxResult> {
        match (one, other) {
            (Quantity::Drops(one), Quantity::Drops(other)) => {
                one.checked_add(other).map(Quantity::Drops).ok_or(OVERFLOW)
            }
            (Quantity::Mpt(one), Quantity::Mpt(other)) => {
                one.checked_add(other).map(Quantity::Mpt).ok_or(OVERFLOW)
            }
            (Quantity::Iou(one), Quantity::Iou(other)) => self.add_iou(one, other).map(Quantity::Iou),
            _ => Err(OVERFLOW),
        }
    }

    pub(super) fn difference(self, one: Quantity, other: Quantity) -> Result<Quantity, TxResult> {
        let negated = match other {
            Quantity::Drops(number) => Quantity::Drops(number.checked_neg().ok_or(OVERFLOW)?),
            Quantity::Mpt(number) => Quantity::Mpt(number.checked_neg().ok_or(OVERFLOW)?),
            Quantity::Iou(value) => Quantity::Iou(value.negated()),
        };
        self.sum(one, negated)
    }

    pub(super) fn add_iou(self, one: IouValue, other: IouValue) -> Result<IouValue, TxResult> {
        if other.is_zero() {
            return Ok(one);
        }
        if one.is_zero() {
            return Ok(other);
        }
        self.to_iou(self.add(self.of_iou(one)?, self.of_iou(other)?)?)
    }

    pub(super) fn sub_iou(self, one: IouValue, other: IouValue) -> Result<IouValue, TxResult> {
        self.add_iou(one, other.negated())
    }

    /// A value with its digits brought to sixteen.
    fn iou(self, negative: bool, mantissa: u64, exponent: i32) -> Result<IouValue, TxResult> {
        self.to_iou(self.number(negative, mantissa, exponent)?)
    }

    /// An amount of a unit from its digits.
    fn quantity(self, unit: Unit, parts: Parts) -> Result<Quantity, TxResult> {
        let Parts { mut mantissa, exponent, mut negative } = parts;
        if !unit.is_whole() {
            if mantissa > i64::MAX.unsigned_abs() {
                // The server takes the digits for a number with a sign.
                mantissa = mantissa.wrapping_neg();
                negative = !negative;
            }
            return self.iou(negative, mantissa, exponent).map(Quantity::Iou);
        }
        if mantissa == 0 || exponent <= -20 {
            return Ok(unit.zero());
        }
        let (most, digits) =
            if unit == Unit::Drops { (MAX_DROPS, 17) } else { (i64::MAX.unsigned_abs(), 18) };
        if exponent > digits {
            return Err(OVERFLOW);
        }
        let whole = self.whole(negative, mantissa, exponent)?;
        if whole.unsigned_abs() > most { Err(OVERFLOW) } else { Ok(unit.integer(whole)) }
    }

    fn decimal_of(self, quantity: Quantity) -> Result<super::decimal::Decimal, TxResult> {
        match quantity {
            Quantity::Drops(number) | Quantity::Mpt(number) => self.of_integer(number),
            Quantity::Iou(value) => self.of_iou(value),
        }
    }

    /// The product, in a unit.
    pub(super) fn multiply(self, one: Quantity, other: Quantity, unit: Unit) -> Result<Quantity, TxResult> {
        if one.is_zero() || other.is_zero() {
            return Ok(unit.zero());
        }
        let product = self.mul(self.decimal_of(one)?, self.decimal_of(other)?)?;
        match unit {
            Unit::Iou => self.to_iou(product).map(Quantity::Iou),
            whole => {
                let number = self.to_integer(product)?;
                let parts = Parts { mantissa: number.unsigned_abs(), exponent: 0, negative: number < 0 };
                self.quantity(whole, parts)
            }
        }
    }

    /// The quotient, in a unit.
    pub(super) fn divide(self, one: Quantity, other: Quantity, unit: Unit) -> Result<Quantity, TxResult> {
        if other.is_zero() {
            return Err(OVERFLOW);
        }
        if one.is_zero() {
            return Ok(unit.zero());
        }
        let (numerator, divisor) = (one.factor(), other.factor());
        let quotient = u128::from(numerator.mantissa) * TEN_TO_17 / u128::from(divisor.mantissa.max(1));
        let quotient = u64::try_from(quotient).map_err(|_| OVERFLOW)?;
        let parts = Parts {
            mantissa: quotient.wrapping_add(5),
            exponent: numerator.exponent - divisor.exponent - 17,
            negative: numerator.negative != divisor.negative,
        };
        self.quantity(unit, parts)
    }

    /// The product rounded up or down, in a unit. The server has two ways to do it; offers are taken by the strict
    /// one.
    pub(super) fn mul_round(
        self,
        one: Quantity,
        other: Quantity,
        unit: Unit,
        round_up: bool,
        strict: bool,
    ) -> Result<Quantity, TxResult> {
        if one.is_zero() || other.is_zero() {
            return Ok(unit.zero());
        }
        let (x, y) = (one.factor(), other.factor());
        let negative = x.negative != y.negative;
        let away = negative != round_up;
        let more = if away { TEN_TO_14 - 1 } else { 0 };
        let product = (u128::from(x.mantissa) * u128::from(y.mantissa) + more) / TEN_TO_14;
        let mut parts = Parts {
            mantissa: u64::try_from(product).map_err(|_| OVERFLOW)?,
            exponent: x.exponent + y.exponent + 14,
            negative,
        };
        if away {
            if strict { parts.round_strict(unit, round_up) } else { parts.round(unit) }
        }
        let rounding = if strict { Rounding::TowardsZero } else { self.rounding };
        let product = self.rounding(rounding).quantity(unit, parts)?;
        Ok(if round_up && !negative && product.is_zero() { unit.least() } else { product })
    }

    /// The quotient rounded up or down, in a unit.
    pub(super) fn div_round(
        self,
        one: Quantity,
        other: Quantity,
        unit: Unit,
        round_up: bool,
        strict: bool,
    ) -> Result<Quantity, TxResult> {
        if other.is_zero() {
            return Err(OVERFLOW);
        }
        if one.is_zero() {
            return Ok(unit.zero());
        }
        let (numerator, divisor) = (one.factor(), other.factor());
        let negative = numerator.negative != divisor.negative;
        let away = negative != round_up;
        let by = u128::from(divisor.mantissa.max(1));
        let more = if away { by - 1 } else { 0 };
        let quotient = (u128::from(numerator.mantissa) * TEN_TO_17 + more) / by;
        let mut parts = Parts {
            mantissa: u64::try_from(quotient).map_err(|_| OVERFLOW)?,
            exponent: numerator.exponent - divisor.exponent - 17,
            negative,
        };
        if away {
            parts.round(unit);
        }
        let rounding = match (strict, away) {
            (false, _) => self.rounding,
            (true, true) => Rounding::Up,
            (true, false) => Rounding::Down,
        };
        let quotient = self.rounding(rounding).quantity(unit, parts)?;
        Ok(if round_up && !negative && quotient.is_zero() { unit.least() } else { quotient })
    }

    /// A quantity times a ratio of rates, rounded up or down.
    pub(super) fn mul_ratio(
        self,
        quantity: Quantity,
        numerator: u32,
        denominator: u32,
        round_up: bool,
    ) -> Result<Quantity, TxResult> {
        if denominator == 0 {
            return Err(OVERFLOW);
        }
        let whole = |number: i64| {
            let product = i128::from(number) * i128::from(numerator);
            let divisor = i128::from(denominator);
            let mut result = product / divisor;
            if product % divisor != 0 {
                match (number < 0, round_up) {
                    (false, true) => result += 1,
                    (true, false) => result -= 1,
                    _ => {}
                }
            }
            i64::try_from(result).map_err(|_| OVERFLOW)
        };
        Ok(match quantity {
            Quantity::Drops(drops) => Quantity::Drops(whole(drops)?),
            Quantity::Mpt(value) => Quantity::Mpt(whole(value)?),
            Quantity::Iou(value) => Quantity::Iou(self.iou_ratio(value, numerator, denominator, round_up)?),
        })
    }

    /// Of an issued currency, by as many digits as fit in eighteen. What is left after those makes the sixteenth
    /// digit one more, even where it was rounded up already.
    fn iou_ratio(
        self,
        value: IouValue,
        numerator: u32,
        denominator: u32,
        round_up: bool,
    ) -> Result<IouValue, TxResult> {
        const DIGITS: u32 = 18;
        let divisor = u128::from(denominator.max(1));
        let product = u128::from(value.mantissa()) * u128::from(numerator);
        let (mut low, mut rest) = (product / divisor, product % divisor);
        let mut exponent = value.exponent();
        if rest != 0 {
            let room = DIGITS.saturating_sub(digits_above(low));
            let scale = 10u128.saturating_pow(room);
            exponent = exponent.saturating_sub_unsigned(room);
            low *= scale;
            rest *= scale;
            low += rest / divisor;
            rest %= divisor;
        }
        let mut inexact = rest != 0;
        let excess = digits_above(low).saturating_sub(DIGITS);
        if excess > 0 {
            let scale = 10u128.saturating_pow(excess);
            inexact |= low % scale != 0;
            low /= scale;
            exponent = exponent.saturating_add_unsigned(excess);
        }
        let low = u64::try_from(low).map_err(|_| OVERFLOW)?;
        let negative = value.is_negative();
        let result = self.iou(negative, low, exponent)?;
        if !inexact || round_up == negative {
            return Ok(result);
        }
        if result.is_zero() {
            let least = IouValue::from_normal(negative, iou::MIN_MANTISSA, iou::MIN_EXPONENT);
            return least.ok_or(OVERFLOW);
        }
        self.iou(result.is_negative(), result.mantissa() + 1, result.exponent())
    }

    /// What is sent so that a quantity arrives, where the issuer takes a fee.
    pub(super) fn times_rate(self, quantity: Quantity, rate: u32) -> Result<Quantity, TxResult> {
        if rate == PARITY {
            return Ok(quantity);
        }
        self.multiply(quantity, self.rate(rate)?, quantity.unit())
    }

    /// The same rounded up.
    pub(super) fn times_rate_up(self, quantity: Quantity, rate: u32) -> Result<Quantity, TxResult> {
        if rate == PARITY {
            return Ok(quantity);
        }
        self.mul_round(quantity, self.rate(rate)?, quantity.unit(), true, false)
    }

    /// What arrives of a quantity that is sent.
    pub(super) fn over_rate(self, quantity: Quantity, rate: u32) -> Result<Quantity, TxResult> {
        if rate == PARITY {
            return Ok(quantity);
        }
        self.divide(quantity, self.rate(rate)?, quantity.unit())
    }

    /// The same rounded up.
    pub(super) fn over_rate_up(self, quantity: Quantity, rate: u32) -> Result<Quantity, TxResult> {
        if rate == PARITY {
            return Ok(quantity);
        }
        self.div_round(quantity, self.rate(rate)?, quantity.unit(), true, false)
    }

    /// A rate in billionths, as a number.
    fn rate(self, rate: u32) -> Result<Quantity, TxResult> {
        self.iou(false, u64::from(rate), -9).map(Quantity::Iou)
    }
}

impl Parts {
    /// Cuts off what is too much, and adds just under one before the last digit goes.
    fn round(&mut self, unit: Unit) {
        if !unit.is_whole() {
            return self.round_digits();
        }
        if self.exponent >= 0 {
            return;
        }
        let mut cut = 0;
        while self.exponent < -1 {
            self.mantissa /= 10;
            self.exponent += 1;
            cut += 1;
        }
        // The server adds a whole one where it cut off one digit or none before.
        self.mantissa = self.mantissa.wrapping_add(if cut >= 2 { 9 } else { 10 }) / 10;
        self.exponent += 1;
    }

    /// The same, minding what was cut off.
    fn round_strict(&mut self, unit: Unit, round_up: bool) {
        if !unit.is_whole() {
            return self.round_digits();
        }
        if self.exponent >= 0 {
            return;
        }
        let mut rest = false;
        while self.exponent < -1 {
            rest |= !self.mantissa.is_multiple_of(10);
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self.mantissa = self.mantissa.wrapping_add(if rest && round_up { 10 } else { 9 }) / 10;
        self.exponent += 1;
    }

    fn round_digits(&mut self) {
        if self.mantissa <= iou::MAX_MANTISSA {
            return;
        }
        while self.mantissa > 10 * iou::MAX_MANTISSA {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self.mantissa = self.mantissa.div_ceil(10);
        self.exponent += 1;
    }
}

/// The least power of ten that is not below a number.
fn digits_above(number: u128) -> u32 {
    let mut power = 1u128;
    let mut digits = 0;
    while power < number {
        power = power.saturating_mul(10);
        digits += 1;
    }
    digits
}
