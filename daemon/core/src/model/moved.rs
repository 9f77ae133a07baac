//! What moved of an asset, by time: sums of any window, at a cost that does not grow with history.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use xrpl_wire::{IouValue, IssuedAmount, MptAmount};

use crate::model::units::{Amount, Asset, Drops, RippleTime};

/// How far back what has moved is remembered, in seconds: a leap year, longer than any window that a rule can have.
pub const WINDOW_MAX_SECONDS: u32 = 366 * 86_400;

/// What moved, by the close time of the ledger in which it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moved {
    /// Drops, or units of a multi-purpose token: the sum of all until then, which may be more than anybody can have at once.
    Whole(BTreeMap<RippleTime, u128>),
    /// Of an issued currency, in its sixteen digits: that ledger's alone. In the digits of a sum of all that ever moved,
    /// small amounts after a large one would be nothing. So a window costs by the ledgers in it in which some moved.
    Decimal(BTreeMap<RippleTime, IouValue>),
}

impl Moved {
    pub(crate) fn none_of(asset: Asset) -> Self {
        match asset {
            Asset::Xrp | Asset::Mpt(_) => Self::Whole(BTreeMap::new()),
            Asset::Issued { .. } => Self::Decimal(BTreeMap::new()),
        }
    }

    pub(crate) fn add(&mut self, at: RippleTime, amount: Amount) {
        match (self, amount) {
            (Self::Whole(sums), Amount::Xrp(drops)) => {
                grow(sums, at, drops.get());
            }
            (Self::Whole(sums), Amount::Mpt(mpt)) => {
                grow(sums, at, mpt.value);
            }
            (Self::Decimal(sums), Amount::Issued(issued)) => {
                let sum = sums.entry(at).or_default();
                // A sum that cannot be written is far above every limit already.
                *sum = sum.checked_add(issued.value).unwrap_or(*sum);
                let oldest = RippleTime(at.0.saturating_sub(WINDOW_MAX_SECONDS));
                while sums.first_key_value().is_some_and(|(first, _)| *first < oldest) {
                    sums.pop_first();
                }
            }
            // Sums are kept by asset, and made for it.
            (Self::Whole(_), Amount::Issued(_)) | (Self::Decimal(_), Amount::Xrp(_) | Amount::Mpt(_)) => {}
        }
    }

    /// What has been added at `since` or later; the most that there can be where it is more than that.
    pub(crate) fn within(&self, asset: Asset, since: RippleTime) -> Amount {
        let amount = match (self, asset) {
            (Self::Whole(sums), Asset::Xrp) => {
                grown(sums, since).and_then(|drops| Drops::new(drops).ok()).map(Amount::Xrp)
            }
            (Self::Whole(sums), Asset::Mpt(issuance_id)) => {
                grown(sums, since).map(|value| Amount::Mpt(MptAmount { negative: false, value, issuance_id }))
            }
            (Self::Decimal(sums), Asset::Issued { currency, issuer }) => {
                let mut moved = sums.range(since..).map(|(_, moved)| *moved);
                let value = moved.try_fold(IouValue::ZERO, |sum, moved| sum.checked_add(moved).ok());
                value.map(|value| Amount::Issued(IssuedAmount { value, currency, issuer }))
            }
            (Self::Whole(_), Asset::Issued { .. }) | (Self::Decimal(_), Asset::Xrp | Asset::Mpt(_)) => None,
        };
        amount.filter(|amount| *amount <= asset.most()).unwrap_or(asset.most())
    }

    /// The same of what has been added before `until`. Each such stretch is summed up by itself: of an issued currency, small
    /// amounts of one day would be nothing beside a large one of another.
    pub(crate) fn between(&self, asset: Asset, since: RippleTime, until: RippleTime) -> Amount {
        let until = until.max(since);
        match self {
            Self::Whole(sums) => {
                let by = |at: RippleTime| sums.range(..at).next_back().map_or(0, |(_, sum)| *sum);
                let sum = by(until).saturating_sub(by(since));
                Self::Whole(BTreeMap::from([(since, sum)])).within(asset, since)
            }
            Self::Decimal(sums) => {
                let part = sums.range(since..until).map(|(at, moved)| (*at, *moved)).collect();
                Self::Decimal(part).within(asset, since)
            }
        }
    }
}

/// Adds to the sum at that time and to all later ones: what moved is mostly learnt in order, and an escrow that is
/// recognised late is of before. What is older than every window is needed only as the sum from which the newer ones go on.
pub(crate) fn grow(sums: &mut BTreeMap<RippleTime, u128>, at: RippleTime, more: u64) {
    let more = u128::from(more);
    let until = sums.range(..=at).next_back().map(|(_, sum)| *sum).unwrap_or_default();
    sums.insert(at, until.saturating_add(more));
    for (_, later) in sums.range_mut((Bound::Excluded(at), Bound::Unbounded)) {
        *later = later.saturating_add(more);
    }
    let newest = sums.keys().next_back().copied().unwrap_or(at);
    let oldest = RippleTime(newest.0.saturating_sub(WINDOW_MAX_SECONDS));
    while sums.keys().nth(1).is_some_and(|second| *second < oldest) {
        sums.pop_first();
    }
}

pub(crate) fn grown(sums: &BTreeMap<RippleTime, u128>, since: RippleTime) -> Option<u64> {
    let all = sums.values().next_back().copied().unwrap_or_default();
    let before = sums.range(..since).next_back().map(|(_, sum)| *sum).unwrap_or_default();
    u64::try_from(all.saturating_sub(before)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learnt_late_counts_in_the_windows_that_it_is_in_and_takes_nothing_out_of_others() {
        let mut sums = BTreeMap::new();
        for (at, more) in [(700, 5), (900, 7), (800, 11), (600, 13), (800, 1)] {
            grow(&mut sums, RippleTime(at), more);
        }
        for (since, sum) in [(500, 37), (601, 24), (701, 19), (800, 19), (801, 7), (901, 0)] {
            assert_eq!(grown(&sums, RippleTime(since)), Some(sum), "since {since}");
        }
    }

    /// Danger: what is too old for any window is thrown away too early, or its sum with it, and a limit counts wrong.
    #[test]
    fn what_is_just_as_old_as_the_longest_window_counts_and_older_sums_are_thrown_away() {
        let newest = 100 + WINDOW_MAX_SECONDS;
        let mut sums = BTreeMap::new();
        for (at, more) in [(10, 1), (20, 2), (100, 4), (newest, 8)] {
            grow(&mut sums, RippleTime(at), more);
        }
        assert_eq!(grown(&sums, RippleTime(100)), Some(12));
        assert_eq!(grown(&sums, RippleTime(101)), Some(8));
        let kept: Vec<u32> = sums.keys().map(|at| at.0).collect();
        assert_eq!(kept, [20, 100, newest], "one older sum, from which the others go on");

        let asset: Asset = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".parse().unwrap();
        let mut moved = Moved::none_of(asset);
        for (at, value) in [(99, 1), (100, 4), (newest, 8)] {
            let amount = Amount::from_words(&format!("{value} {asset}")).unwrap();
            moved.add(RippleTime(at), amount);
        }
        assert_eq!(moved.within(asset, RippleTime(0)).words(), format!("12 {asset}"));
    }

    /// Danger: one large amount makes that of every day before it nothing, in sixteen digits.
    #[test]
    fn what_moved_on_one_day_is_that_whatever_moved_on_others() {
        let issued: Asset = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".parse().unwrap();
        for asset in [Asset::Xrp, issued] {
            let mut moved = Moved::none_of(asset);
            for (at, value) in [(10, "1"), (19, "2"), (20, "50000000000"), (29, "3"), (30, "4")] {
                moved.add(RippleTime(at), Amount::from_words(&format!("{value} {asset}")).unwrap());
            }
            for (since, until, sum) in [
                (10, 20, "3"),
                (11, 20, "2"),
                (10, 19, "1"),
                (20, 30, "50000000003"),
                (21, 31, "7"),
                (0, 10, "0"),
                (31, 99, "0"),
                (25, 20, "0"),
            ] {
                let between = moved.between(asset, RippleTime(since), RippleTime(until));
                assert_eq!(between.words(), format!("{sum} {asset}"), "{since} to {until}");
            }
        }
        let usd = |value: &str| Amount::from_words(&format!("{value} {issued}")).unwrap();
        let mut moved = Moved::none_of(issued);
        moved.add(RippleTime(1), usd("0.4"));
        moved.add(RippleTime(2), usd("9000000000000000"));
        assert_eq!(moved.between(issued, RippleTime(1), RippleTime(2)), usd("0.4"));
    }
}
