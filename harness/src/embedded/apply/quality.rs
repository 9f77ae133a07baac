//! Rates of exchange: what is paid for each unit that is got.

use xrpl_wire::{IouValue, TxResult, iou};

use super::decimal::{Arithmetic, OVERFLOW};
use super::quantity::{Quantity, Unit};

/// The digits a tick size may leave; so many are no limit.
pub(super) const ALL_DIGITS: u8 = 16;

const MANTISSA_BITS: u32 = 56;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_BIAS: i32 = 100;

/// A rate: an exponent in eight bits and sixteen digits in the others. The less is paid, the better: comparing asks
/// which is better, and the better one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quality(u64);

/// What is paid and what is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trade {
    pub(super) input: Quantity,
    pub(super) output: Quantity,
}

impl PartialOrd for Quality {
    fn partial_cmp(&self, other: &Quality) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quality {
    fn cmp(&self, other: &Quality) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

impl Trade {
    pub(super) fn is_empty(&self) -> bool {
        !self.input.is_positive() || !self.output.is_positive()
    }
}

impl Quality {
    /// One for one.
    pub(super) const ONE: Quality = Quality((85 << MANTISSA_BITS) | iou::MIN_MANTISSA);

    /// As it stands in a directory's index.
    pub(super) fn from_bits(bits: u64) -> Quality {
        Quality(bits)
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// The quality of a trade: zero where there is none that can be said.
    pub(super) fn of(math: Arithmetic, trade: &Trade) -> Quality {
        if trade.output.is_zero() {
            return Quality(0);
        }
        let rate = math.divide(trade.input, trade.output, Unit::Iou).map(Quantity::iou);
        Quality(rate.map_or(0, |rate| if rate.is_zero() { 0 } else { pack(rate) }))
    }

    /// The quality of two that follow one another.
    pub(super) fn then(self, math: Arithmetic, next: Quality) -> Result<Quality, TxResult> {
        let rate = math.mul_round(self.rate(math)?, next.rate(math)?, Unit::Iou, true, false)?;
        Ok(Quality(pack(rate.iou())))
    }

    /// The quality of what an issuer or a line takes: so much for each unit that comes out.
    pub(super) fn of_rates(math: Arithmetic, output: u32, input: u32) -> Quality {
        let quantity = |rate| Quantity::Drops(i64::from(rate));
        Quality::of(math, &Trade { input: quantity(input), output: quantity(output) })
    }

    /// A little better: the next one there could be.
    pub(super) fn better(self) -> Quality {
        Quality(self.0.wrapping_sub(1))
    }

    pub(super) fn is_zero(self) -> bool {
        self.0 & MANTISSA_MASK == 0
    }

    /// What is paid for one.
    pub(super) fn rate(self, math: Arithmetic) -> Result<Quantity, TxResult> {
        if self.0 == 0 {
            return Ok(Unit::Iou.zero());
        }
        let exponent = i32::try_from(self.0 >> MANTISSA_BITS).map_err(|_| OVERFLOW)? - EXPONENT_BIAS;
        let value = math.number(false, self.0 & MANTISSA_MASK, exponent)?;
        math.to_iou(value).map(Quantity::Iou)
    }

    /// Rounded up to so many digits.
    pub(super) fn rounded(self, digits: u8) -> Quality {
        let unit = 10u64.saturating_pow(u32::from(ALL_DIGITS.saturating_sub(digits)));
        let exponent = self.0 >> MANTISSA_BITS;
        let mantissa = (self.0 & MANTISSA_MASK) + unit - 1;
        Quality((exponent << MANTISSA_BITS) | (mantissa - mantissa % unit))
    }

    /// A trade cut down to an input, at this quality.
    pub(super) fn limit_input(
        self,
        math: Arithmetic,
        trade: &Trade,
        limit: Quantity,
        round_up: bool,
    ) -> Result<Trade, TxResult> {
        if trade.input <= limit {
            return Ok(*trade);
        }
        let [_, exact] = math.exact_offers;
        // Before, it was rounded up whatever was asked for.
        let output =
            math.div_round(limit, self.rate(math)?, trade.output.unit(), round_up || !exact, exact)?;
        Ok(Trade { input: limit, output: super::quantity::min(output, trade.output) })
    }

    /// A trade cut down to an output, at this quality.
    pub(super) fn limit_output(
        self,
        math: Arithmetic,
        trade: &Trade,
        limit: Quantity,
        round_up: bool,
    ) -> Result<Trade, TxResult> {
        if trade.output <= limit {
            return Ok(*trade);
        }
        let [exact, _] = math.exact_offers;
        let input = math.mul_round(limit, self.rate(math)?, trade.input.unit(), round_up || !exact, exact)?;
        Ok(Trade { input: super::quantity::min(input, trade.input), output: limit })
    }
}

/// A rate in the form of a quality.
fn pack(rate: IouValue) -> u64 {
    // Zero has the least exponent there is, as the server writes it.
    let exponent = if rate.is_zero() { -EXPONENT_BIAS } else { rate.exponent() };
    let exponent = u64::try_from(exponent.saturating_add(EXPONENT_BIAS)).unwrap_or(0);
    (exponent << MANTISSA_BITS) | rate.mantissa()
}

#[cfg(test)]
mod tests {
    use super::super::decimal::Rounding;
    use super::*;

    const MATH: Arithmetic =
        Arithmetic { careful: true, exact_offers: [true; 2], rounding: Rounding::Nearest };

    fn iou(text: &str) -> Quantity {
        Quantity::Iou(text.parse().unwrap())
    }

    fn quality(input: Quantity, output: Quantity) -> Quality {
        Quality::of(MATH, &Trade { input, output })
    }

    #[test]
    fn a_quality_is_what_the_server_writes_into_directories() {
        // Five USD for five million drops, as recorded.
        assert_eq!(quality(iou("5"), Quantity::Drops(5_000_000)).bits(), 0x4F03_8D7E_A4C6_8000);
        assert_eq!(quality(iou("1"), iou("1")), Quality::ONE);
        assert_eq!(quality(iou("1"), iou("0")).bits(), 0);
        assert_eq!(Quality::of_rates(MATH, 1_000_000_000, 1_200_000_000).rate(MATH), Ok(iou("1.2")));
    }

    #[test]
    fn who_pays_less_has_the_better_quality() {
        let (cheap, dear) = (quality(iou("1"), iou("2")), quality(iou("2"), iou("1")));
        assert!(cheap > dear && cheap > Quality::ONE && Quality::ONE > dear);
        assert!(dear.better() > dear);
        assert_eq!(cheap.then(MATH, dear), Ok(Quality::ONE));
        let third = quality(iou("1"), iou("3"));
        assert_eq!(third.rounded(3).rate(MATH), Ok(iou("0.334")));
        assert_eq!(third.rounded(ALL_DIGITS), third);
    }

    #[test]
    fn a_trade_is_cut_down_at_its_quality() {
        let trade = Trade { input: Quantity::Drops(10), output: iou("3") };
        let quality = quality(trade.input, trade.output);
        let cut = quality.limit_output(MATH, &trade, iou("1"), true).unwrap();
        assert_eq!(cut, Trade { input: Quantity::Drops(4), output: iou("1") });
        let cut = quality.limit_output(MATH, &trade, iou("1"), false).unwrap();
        assert_eq!(cut, Trade { input: Quantity::Drops(3), output: iou("1") });
        // The rate of ten thirds has been rounded up, by the five that the server adds.
        let cut = quality.limit_input(MATH, &trade, Quantity::Drops(5), false).unwrap();
        assert_eq!(cut, Trade { input: Quantity::Drops(5), output: iou("1.499999999999999") });
        assert_eq!(quality.limit_input(MATH, &trade, Quantity::Drops(50), false), Ok(trade));
    }
}
