//! Decimal numbers as the server computes with them: nineteen digits as far as they fit in 63 bits, eighteen beyond,
//! and every operation rounds at digits that follow from that.
//!
//! The digits of an issued currency are sixteen, so most results are rounded twice or three times. Where the last
//! digit is in doubt, the steps in between decide: they are all here.

use std::cmp::Ordering;

use xrpl_wire::{IouValue, TxResult, iou};

/// The least and the greatest mantissa of a number; the greatest that fits in 63 bits lies between them.
const MIN_MANTISSA: u128 = 1_000_000_000_000_000_000;
const MAX_MANTISSA: u128 = 9_999_999_999_999_999_999;
const MAX_SIGNED: u128 = 9_223_372_036_854_775_807;

/// The exponents of a number.
const MIN_EXPONENT: i32 = -32_768;
const MAX_EXPONENT: i32 = 32_768;

/// A failure that the server's code throws: no result a transaction could have of itself.
pub(super) const OVERFLOW: TxResult = TxResult::tefEXCEPTION;

/// What becomes of digits for which there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To the nearest number; from halfway to the even one.
    Nearest,
    TowardsZero,
    Down,
    Up,
}

/// Zero, or ±mantissa × 10^exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// How to compute: which of the server's rules for rounding are in force, and which way to round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arithmetic {
    /// Amendment fixCleanup3_2_0: a mantissa at the end of its range is rounded like any other, and a quotient
    /// remembers all that was left of the division.
    pub(super) careful: bool,
    /// Amendments fixReducedOffersV1 and fixReducedOffersV2: whether an offer that is taken in part, by what it gives and
    /// by what it takes, is never rounded to its owner's loss.
    pub(super) exact_offers: [bool; 2],
    pub(super) rounding: Rounding,
}

/// A number on its way: its mantissa may have any size yet.
#[derive(Debug, Clone, Copy)]
struct Raw {
    negative: bool,
    mantissa: u128,
    exponent: i32,
}

/// The mantissas a number may have, and whether its end needs care.
#[derive(Debug, Clone, Copy)]
struct Range {
    min: u128,
    max: u128,
    careful: bool,
}

/// The digits that were cut off: the last sixteen, and whether there was anything but zeros before them.
#[derive(Debug, Clone, Copy, Default)]
struct Tail {
    digits: u64,
    more: bool,
    negative: bool,
}

impl Tail {
    /// A digit is cut off: it now weighs most.
    fn push(&mut self, digit: u64) {
        self.more |= self.digits & 0xF != 0;
        self.digits = self.digits >> 4 | digit << 60;
    }

    /// The digit that weighs most comes back.
    fn pop(&mut self) -> u64 {
        let digit = self.digits >> 60;
        self.digits <<= 4;
        digit
    }

    /// Cuts the last digit off a number.
    fn cut(&mut self, raw: &mut Raw) {
        self.push(u64::try_from(raw.mantissa % 10).unwrap_or(0));
        raw.mantissa /= 10;
        raw.exponent = raw.exponent.saturating_add(1);
    }

    /// Whether what was cut off rounds away from zero (greater), towards it (less), or is exactly half.
    fn direction(&self, rounding: Rounding) -> Ordering {
        let away_if = |away: bool| if away { Ordering::Greater } else { Ordering::Less };
        let any = self.digits > 0 || self.more;
        match rounding {
            Rounding::TowardsZero => Ordering::Less,
            Rounding::Down => away_if(self.negative && any),
            Rounding::Up => away_if(!self.negative && any),
            Rounding::Nearest => match self.digits.cmp(&(5 << 60)) {
                Ordering::Equal if self.more => Ordering::Greater,
                other => other,
            },
        }
    }

    /// Whether a mantissa is to be made larger, or smaller where the tail counts against it.
    fn counts(&self, rounding: Rounding, mantissa: u128) -> bool {
        match self.direction(rounding) {
            Ordering::Greater => true,
            Ordering::Equal => mantissa % 2 == 1,
            Ordering::Less => false,
        }
    }
}

impl Raw {
    const ZERO: Raw = Raw { negative: false, mantissa: 0, exponent: 0 };

    /// What one rounding may have left too short gets its digit back; what is too small is nothing.
    fn settle(mut self, range: &Range) -> Result<Raw, TxResult> {
        if self.mantissa < range.min {
            self.mantissa *= 10;
            self.exponent = self.exponent.saturating_sub(1);
        }
        if self.exponent < MIN_EXPONENT {
            return Ok(Raw::ZERO);
        }
        if self.exponent > MAX_EXPONENT { Err(OVERFLOW) } else { Ok(self) }
    }

    /// Rounds by what was cut off.
    fn round(mut self, mut tail: Tail, rounding: Rounding, range: &Range) -> Result<Raw, TxResult> {
        while tail.counts(rounding, self.mantissa) {
            let room = self.mantissa < range.max && self.mantissa < MAX_SIGNED;
            if range.careful && !room {
                tail.cut(&mut self);
                continue;
            }
            self.mantissa += 1;
            if !room {
                self.mantissa /= 10;
                self.exponent = self.exponent.saturating_add(1);
            }
            break;
        }
        self.settle(range)
    }

    /// Rounds where what was cut off is to be taken away from the mantissa.
    fn round_off(mut self, tail: Tail, rounding: Rounding, range: &Range) -> Result<Raw, TxResult> {
        if tail.counts(rounding, self.mantissa) {
            self.mantissa = self.mantissa.saturating_sub(1);
            if self.mantissa < range.min {
                self.mantissa *= 10;
                self.exponent = self.exponent.saturating_sub(1);
            }
        }
        self.settle(range)
    }

    /// Brings the mantissa into a range.
    fn normal(mut self, rounding: Rounding, range: &Range) -> Result<Raw, TxResult> {
        if self.mantissa == 0 {
            return Ok(Raw::ZERO);
        }
        while self.mantissa < range.min && self.exponent > MIN_EXPONENT {
            self.mantissa *= 10;
            self.exponent -= 1;
        }
        let mut tail = Tail { negative: self.negative, ..Tail::default() };
        while self.mantissa > range.max {
            if self.exponent >= MAX_EXPONENT {
                return Err(OVERFLOW);
            }
            tail.cut(&mut self);
        }
        if self.exponent < MIN_EXPONENT || self.mantissa < range.min {
            return Ok(Raw::ZERO);
        }
        if self.mantissa > MAX_SIGNED {
            if self.exponent >= MAX_EXPONENT {
                return Err(OVERFLOW);
            }
            tail.cut(&mut self);
        }
        self.round(tail, rounding, range)
    }
}

impl Decimal {
    pub(super) const ZERO: Decimal = Decimal { negative: false, mantissa: 0, exponent: 0 };

    fn raw(self) -> Raw {
        Raw { negative: self.negative, mantissa: u128::from(self.mantissa), exponent: self.exponent }
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub(super) fn negated(self) -> Decimal {
        Decimal { negative: !self.negative && self.mantissa != 0, ..self }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        let rank = |number: &Decimal| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = (self.exponent, self.mantissa).cmp(&(other.exponent, other.mantissa));
        let magnitude = if self.negative { magnitude.reverse() } else { magnitude };
        Some(rank(self).cmp(&rank(other)).then(if self.is_zero() { Ordering::Equal } else { magnitude }))
    }
}

impl Arithmetic {
    /// The same, rounding another way.
    pub(super) fn rounding(self, rounding: Rounding) -> Arithmetic {
        Arithmetic { rounding, ..self }
    }

    fn range(self) -> Range {
        Range { min: MIN_MANTISSA, max: MAX_MANTISSA, careful: self.careful }
    }

    fn decimal(self, raw: Raw) -> Result<Decimal, TxResult> {
        let raw = raw.normal(self.rounding, &self.range())?;
        let mantissa = u64::try_from(raw.mantissa).map_err(|_| OVERFLOW)?;
        Ok(Decimal { negative: raw.negative, mantissa, exponent: raw.exponent })
    }

    /// ±mantissa × 10^exponent.
    pub(super) fn number(self, negative: bool, mantissa: u64, exponent: i32) -> Result<Decimal, TxResult> {
        self.decimal(Raw { negative, mantissa: u128::from(mantissa), exponent })
    }

    pub(super) fn of_integer(self, number: i64) -> Result<Decimal, TxResult> {
        self.number(number < 0, number.unsigned_abs(), 0)
    }

    pub(super) fn of_iou(self, value: IouValue) -> Result<Decimal, TxResult> {
        self.number(value.is_negative(), value.mantissa(), value.exponent())
    }

    pub(super) fn add(self, one: Decimal, other: Decimal) -> Result<Decimal, TxResult> {
        if other.is_zero() {
            return Ok(one);
        }
        if one.is_zero() {
            return Ok(other);
        }
        if one == other.negated() {
            return Ok(Decimal::ZERO);
        }
        let (mut x, mut y) = (one.raw(), other.raw());
        let mut tail = Tail::default();
        // The one with the smaller exponent loses the digits that have no place in the other.
        let small = if x.exponent < y.exponent { &mut x } else { &mut y };
        tail.negative = small.negative && one.exponent != other.exponent;
        let exponent = one.exponent.max(other.exponent);
        while small.exponent < exponent {
            if small.mantissa == 0 && tail.digits == 0 {
                small.exponent = exponent;
                break;
            }
            tail.cut(small);
        }
        let range = self.range();
        let sum = if x.negative == y.negative {
            x.mantissa += y.mantissa;
            if x.mantissa > MAX_SIGNED {
                tail.cut(&mut x);
            }
            x.round(tail, self.rounding, &range)?
        } else {
            let mut rest = if x.mantissa > y.mantissa {
                Raw { mantissa: x.mantissa - y.mantissa, ..x }
            } else {
                Raw { mantissa: y.mantissa - x.mantissa, ..y }
            };
            while rest.mantissa < range.min && rest.mantissa * 10 <= MAX_SIGNED {
                rest.mantissa = (rest.mantissa * 10).saturating_sub(u128::from(tail.pop()));
                rest.exponent = rest.exponent.saturating_sub(1);
                if rest.mantissa == 0 && tail.digits == 0 {
                    return Ok(Decimal::ZERO);
                }
            }
            rest.round_off(tail, self.rounding, &range)?
        };
        self.decimal(sum)
    }

    pub(super) fn mul(self, one: Decimal, other: Decimal) -> Result<Decimal, TxResult> {
        if one.is_zero() || other.is_zero() {
            return Ok(Decimal::ZERO);
        }
        let mut product = Raw {
            negative: one.negative != other.negative,
            mantissa: u128::from(one.mantissa) * u128::from(other.mantissa),
            exponent: one.exponent.saturating_add(other.exponent),
        };
        let mut tail = Tail { negative: product.negative, ..Tail::default() };
        while product.mantissa > MAX_SIGNED {
            tail.cut(&mut product);
        }
        let product = product.round(tail, self.rounding, &self.range())?;
        self.decimal(product)
    }

    /// As an amount of an issued currency.
    pub(super) fn to_iou(self, number: Decimal) -> Result<IouValue, TxResult> {
        let range =
            Range { min: u128::from(iou::MIN_MANTISSA), max: u128::from(iou::MAX_MANTISSA), careful: false };
        let raw = number.raw().normal(self.rounding, &range)?;
        if raw.mantissa == 0 || raw.exponent < iou::MIN_EXPONENT {
            return Ok(IouValue::ZERO);
        }
        let mantissa = u64::try_from(raw.mantissa).map_err(|_| OVERFLOW)?;
        IouValue::from_normal(raw.negative, mantissa, raw.exponent).ok_or(OVERFLOW)
    }

    /// As a whole number.
    pub(super) fn to_integer(self, number: Decimal) -> Result<i64, TxResult> {
        self.whole(number.negative, number.mantissa, number.exponent)
    }

    /// ±mantissa × 10^exponent as a whole number, whatever form it has.
    pub(super) fn whole(self, negative: bool, mantissa: u64, exponent: i32) -> Result<i64, TxResult> {
        if mantissa == 0 {
            return Ok(0);
        }
        let mut raw = Raw { negative, mantissa: u128::from(mantissa), exponent };
        if raw.mantissa > MAX_SIGNED {
            // The server reads such a mantissa without its last digit.
            raw.mantissa /= 10;
            raw.exponent = raw.exponent.saturating_add(1);
        }
        let mut tail = Tail { negative, ..Tail::default() };
        while raw.exponent < 0 {
            if raw.mantissa == 0 && tail.digits == 0 {
                break;
            }
            tail.cut(&mut raw);
        }
        while raw.exponent > 0 {
            if raw.mantissa > MAX_SIGNED / 10 {
                return Err(OVERFLOW);
            }
            raw.mantissa *= 10;
            raw.exponent -= 1;
        }
        if tail.counts(self.rounding, raw.mantissa) {
            raw.mantissa += 1;
        }
        let magnitude = i64::try_from(raw.mantissa).map_err(|_| OVERFLOW)?;
        Ok(if negative { -magnitude } else { magnitude })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAREFUL: Arithmetic =
        Arithmetic { careful: true, exact_offers: [true; 2], rounding: Rounding::Nearest };
    const OLD: Arithmetic =
        Arithmetic { careful: false, exact_offers: [true; 2], rounding: Rounding::Nearest };

    fn iou(text: &str) -> IouValue {
        text.parse().unwrap()
    }

    fn number(text: &str) -> Decimal {
        CAREFUL.of_iou(iou(text)).unwrap()
    }

    #[test]
    fn a_sum_is_rounded_where_the_server_rounds_it() {
        for (one, other, sum) in [
            ("1", "2", "3"),
            ("1", "-1", "0"),
            ("-5", "0", "-5"),
            // Nineteen digits, then eighteen, then sixteen.
            ("9400000000000000", "-0.5052796039409254", "9400000000000000"),
            ("1", "0.0000000000000005", "1"),
            ("1.000000000000001", "0.0000000000000005", "1.000000000000002"),
            ("1", "1e-40", "1"),
            ("1", "-1e-16", "0.9999999999999999"),
            ("9999999999999999", "1", "1e16"),
        ] {
            for math in [CAREFUL, OLD] {
                let added = math.add(number(one), number(other)).unwrap();
                assert_eq!(math.to_iou(added), Ok(iou(sum)), "{one} + {other}");
                let added = math.add(number(other), number(one)).unwrap();
                assert_eq!(math.to_iou(added), Ok(iou(sum)), "{other} + {one}");
            }
        }
    }

    #[test]
    fn products_round_the_way_that_is_asked_for() {
        let third = CAREFUL.number(false, 3_333_333_333_333_333_333, -19).unwrap();
        assert_eq!(CAREFUL.to_iou(third), Ok(iou("0.3333333333333333")));
        assert_eq!(CAREFUL.rounding(Rounding::Up).to_iou(third), Ok(iou("0.3333333333333334")));
        assert_eq!(CAREFUL.rounding(Rounding::Up).to_iou(third.negated()), Ok(iou("-0.3333333333333333")));
        assert_eq!(CAREFUL.rounding(Rounding::Down).to_iou(third.negated()), Ok(iou("-0.3333333333333334")));
        let product = CAREFUL.mul(number("-3"), number("2.5")).unwrap();
        assert_eq!(CAREFUL.to_iou(product), Ok(iou("-7.5")));
        assert_eq!(CAREFUL.mul(Decimal::ZERO, number("1")), Ok(Decimal::ZERO));
        let large = CAREFUL.mul(number("9e95"), number("9e95")).unwrap();
        assert_eq!(CAREFUL.to_iou(large), Err(OVERFLOW));
    }

    #[test]
    fn the_end_of_the_range_is_rounded_with_care_since_3_2() {
        // One more than fits in 63 bits, and a half of one more: the old rule cuts the last digit off, the new rounds.
        let one = OLD.number(false, 9_223_372_036_854_775_807, 0).unwrap();
        let some = OLD.number(false, 6, -1).unwrap();
        let old = OLD.add(one, some).unwrap();
        let new = CAREFUL.add(one, some).unwrap();
        assert_eq!((old.mantissa, old.exponent), (9_223_372_036_854_775_800, 0));
        assert_eq!((new.mantissa, new.exponent), (9_223_372_036_854_775_810, 0));
    }

    #[test]
    fn whole_numbers_are_rounded_from_their_digits() {
        let half = number("2.5");
        assert_eq!(CAREFUL.to_integer(half), Ok(2));
        assert_eq!(CAREFUL.to_integer(number("3.5")), Ok(4));
        assert_eq!(CAREFUL.rounding(Rounding::Up).to_integer(half), Ok(3));
        assert_eq!(CAREFUL.rounding(Rounding::TowardsZero).to_integer(number("-2.9")), Ok(-2));
        assert_eq!(CAREFUL.rounding(Rounding::Down).to_integer(number("-2.1")), Ok(-3));
        assert_eq!(CAREFUL.to_integer(number("1e-90")), Ok(0));
        assert_eq!(CAREFUL.to_integer(number("1e19")), Err(OVERFLOW));
        assert!(
            number("-2") < number("-1") && number("-1") < Decimal::ZERO && Decimal::ZERO < number("1e-30")
        );
    }
}
