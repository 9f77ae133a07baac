//! Amounts of one asset as whole numbers of a unit, so that a forecast adds, multiplies and divides without losing anything
//! unseen: what is there is rounded down, what leaves is rounded up.

use xrpl_wire::{IouValue, IssuedAmount, MptAmount, iou};

use crate::model::units::{Amount, Asset, Drops};

/// By so many digits more than sixteen the unit is finer than the last digit of the greatest amount of an issued currency. With
/// 16 + 10 digits, and what a hundred thousand accounts have, times the seconds of a day, there is room in 128 bits; and what is
/// rounded is less than a second of a thousand years.
const FINER: i32 = 10;

/// The unit that amounts of one asset are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    asset: Asset,
    /// Of an issued currency, the power of ten that is one.
    exponent: i32,
}

impl Measure {
    /// The one for these amounts: of XRP a drop, of a multi-purpose token its unit, of an issued currency what the greatest of them
    /// needs.
    pub(crate) fn of(asset: Asset, amounts: impl Iterator<Item = Amount>) -> Self {
        let exponents = amounts.filter_map(|amount| match amount {
            Amount::Issued(issued) if !issued.value.is_zero() => Some(issued.value.exponent()),
            Amount::Issued(_) | Amount::Xrp(_) | Amount::Mpt(_) => None,
        });
        Self { asset, exponent: exponents.max().unwrap_or_default().saturating_sub(FINER) }
    }

    /// How many whole units that is; none of less than nothing.
    pub(crate) fn down(&self, amount: &Amount) -> u128 {
        self.rounded(amount, |digits, one| digits.checked_div(one).unwrap_or_default())
    }

    /// How many units that is, a part of one counted as a whole one.
    pub(crate) fn up(&self, amount: &Amount) -> u128 {
        self.rounded(amount, |digits, one| digits.div_ceil(one.max(1)))
    }

    fn rounded(&self, amount: &Amount, divided: fn(u128, u128) -> u128) -> u128 {
        match amount {
            _ if amount.is_negative() || amount.is_zero() => 0,
            Amount::Xrp(drops) => u128::from(drops.get()),
            Amount::Mpt(mpt) => u128::from(mpt.value),
            Amount::Issued(issued) => {
                let places = issued.value.exponent().saturating_sub(self.exponent);
                let digits = u128::from(issued.value.mantissa());
                let one = 10_u128.checked_pow(places.unsigned_abs());
                if places < 0 {
                    divided(digits, one.unwrap_or(u128::MAX))
                } else {
                    one.and_then(|one| digits.checked_mul(one)).unwrap_or(u128::MAX)
                }
            }
        }
    }

    /// So many units as an amount, rounded up to the digits that it can have; the most that there can be where it is more.
    pub(crate) fn amount(&self, units: u128) -> Amount {
        let whole = || u64::try_from(units).ok();
        let amount = match self.asset {
            Asset::Xrp => whole().and_then(|drops| Drops::new(drops).ok()).map(Amount::Xrp),
            Asset::Mpt(issuance_id) => {
                whole().map(|value| Amount::Mpt(MptAmount { negative: false, value, issuance_id }))
            }
            Asset::Issued { currency, issuer } => {
                let (mut digits, mut exponent) = (units, self.exponent);
                while digits > u128::from(iou::MAX_MANTISSA) {
                    digits = digits.div_ceil(10);
                    exponent = exponent.saturating_add(1);
                }
                let value =
                    u64::try_from(digits).ok().and_then(|digits| IouValue::new(false, digits, exponent).ok());
                value.map(|value| Amount::Issued(IssuedAmount { value, currency, issuer }))
            }
        };
        amount.filter(|amount| *amount <= self.asset.most()).unwrap_or(self.asset.most())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    const TOKEN: &str = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8";

    fn amount(text: &str) -> Amount {
        Amount::from_words(text).unwrap()
    }

    /// Danger: what is less than a unit is nothing, and lasts for ever.
    #[test]
    fn what_is_there_is_rounded_down_and_what_leaves_up() {
        let usd = |value: &str| amount(&format!("{value} {USD}"));
        let measure = Measure::of(usd("0").issue(), [usd("0.5"), usd("123.25"), usd("0")].into_iter());
        for (value, down, up) in [
            ("0", 0, 0),
            ("123.25", 12_325 * 10_u128.pow(21), 12_325 * 10_u128.pow(21)),
            ("1e-23", 1, 1),
            ("1e-24", 0, 1),
            ("1.5e-23", 1, 2),
            ("1e-80", 0, 1),
            ("1e70", u128::MAX, u128::MAX),
        ] {
            assert_eq!((measure.down(&usd(value)), measure.up(&usd(value))), (down, up), "{value}");
        }
        let Amount::Issued(issued) = usd("7") else { panic!("issued") };
        let owed = Amount::Issued(IssuedAmount { value: issued.value.negated(), ..issued });
        assert_eq!((measure.down(&owed), measure.up(&owed)), (0, 0));
        for text in ["0.000007 XRP".to_owned(), format!("7 {TOKEN}")] {
            let of = Measure::of(amount(&text).issue(), std::iter::empty());
            assert_eq!((of.down(&amount(&text)), of.up(&amount(&text))), (7, 7), "{text}");
            assert_eq!(of.amount(7), amount(&text));
            assert_eq!(of.amount(u128::MAX), amount(&text).issue().most());
        }
        assert_eq!(measure.amount(u128::MAX), usd("3.402823669209385e15"));
        let greatest = Measure::of(usd("0").issue(), [usd("0").issue().most()].into_iter());
        assert_eq!(greatest.amount(u128::MAX), usd("0").issue().most());
    }

    proptest! {
        /// What has sixteen digits near the greatest comes back as it was, and nothing comes back as less.
        #[test]
        fn nothing_comes_back_as_less_than_it_was(
            most in (1..10_000_000_000_000_000_u64, -40..40_i32),
            other in (0..10_000_000_000_000_000_u64, -60..0_i32),
        ) {
            let asset: Asset = USD.parse().unwrap();
            let Asset::Issued { currency, issuer } = asset else { panic!("issued") };
            let of = |(digits, exponent)| {
                let value = IouValue::new(false, digits, exponent).unwrap();
                Amount::Issued(IssuedAmount { value, currency, issuer })
            };
            let (most, other) = (of(most), of((other.0, other.1 + most.1)));
            let measure = Measure::of(asset, [most, other].into_iter());
            prop_assert_eq!(measure.amount(measure.down(&most)), most);
            prop_assert!(measure.amount(measure.up(&other)) >= other);
            prop_assert!(measure.up(&other) - measure.down(&other) <= 1);
        }
    }
}
