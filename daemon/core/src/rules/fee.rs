//! Fees: what a transaction needs at least, and the ladder of fees that a proposal is signed at.

use crate::model::config::FeeConfig;
use crate::model::units::Drops;

/// How many reference fees a transaction costs at least.
///
/// A multi-signed one costs one for itself and one for each signer; an EscrowFinish with a fulfillment
/// costs 32 more and one for each 16 bytes of it (integer division).
#[must_use]
pub fn reference_units(signers: usize, fulfillment_bytes: Option<usize>) -> u64 {
    let signers = u64::try_from(signers).unwrap_or(u64::MAX);
    let sixteens = |bytes: usize| u64::try_from(bytes / 16).unwrap_or(u64::MAX);
    let fulfillment = fulfillment_bytes.map_or(0, |bytes| sixteens(bytes).saturating_add(32));
    1_u64.saturating_add(signers).saturating_add(fulfillment)
}

/// The rungs' fees, ascending and distinct: the least that `units` reference fees ask, and the
/// configured multiples of it, none above `fee_max`. Empty where even the least is above `fee_max`.
#[must_use]
pub fn ladder(base_fee: Drops, units: u64, config: &FeeConfig) -> Vec<Drops> {
    let Some(least) = base_fee.checked_mul(units).filter(|least| *least <= config.fee_max) else {
        return Vec::new();
    };
    let mut fees = vec![least];
    for multiple in &config.multiples {
        let fee = least.checked_mul(*multiple).unwrap_or(config.fee_max).min(config.fee_max);
        if fees.last().is_some_and(|last| fee > *last) {
            fees.push(fee);
        }
    }
    fees
}

/// The limits of a ladder that a void is made for: four fifths of the cap, so that the void stays below it.
#[must_use]
pub fn below_void(config: &FeeConfig) -> FeeConfig {
    let most = config.fee_max.get().saturating_mul(4) / 5;
    FeeConfig { fee_max: Drops::new(most).unwrap_or(config.fee_max), multiples: config.multiples.clone() }
}

/// The fees of a void, rung by rung: a quarter above those of the ladder that it makes worthless, because a server that
/// has queued a transaction takes another one with the same slot only for that much more (`retry_sequence_percent`
/// of the server, 25).
#[must_use]
pub fn void_ladder(fees: &[Drops]) -> Vec<Drops> {
    // As many as there are of the other; beyond all XRP there is no fee.
    let dearer = |fee: &Drops| Drops::new(fee.get().saturating_mul(5).div_ceil(4)).unwrap_or(*fee);
    fees.iter().map(dearer).collect()
}

/// The cheapest rung that enters the open ledger at once; the dearest where none does.
///
/// `open_ledger_fee` is for a reference transaction; one that costs `units` of them needs that many
/// times as much.
#[must_use]
pub fn rung_for(fees: &[Drops], units: u64, open_ledger_fee: Option<Drops>) -> usize {
    let needed = open_ledger_fee.and_then(|fee| fee.checked_mul(units)).unwrap_or(Drops::ZERO);
    fees.iter().position(|fee| *fee >= needed).unwrap_or(fees.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drops(amount: u64) -> Drops {
        Drops::new(amount).unwrap()
    }

    #[test]
    fn units_follow_signers_and_fulfillment() {
        for (signers, fulfillment, units) in [(0, None, 1), (4, None, 5), (0, Some(36), 35), (32, None, 33)] {
            assert_eq!(reference_units(signers, fulfillment), units);
        }
    }

    #[test]
    fn a_ladder_ascends_and_stays_under_the_cap() {
        let config = FeeConfig { fee_max: drops(20_000), multiples: vec![30, 1_000, 2_000] };
        assert_eq!(ladder(drops(10), 3, &config), vec![drops(30), drops(900), drops(20_000)]);
        assert_eq!(ladder(drops(10_000), 3, &config), vec![]);
        assert_eq!(ladder(drops(20_000), 1, &config), vec![drops(20_000)]);
    }

    #[test]
    fn a_void_is_a_quarter_dearer_than_each_rung_and_stays_under_the_cap() {
        for cap in [30, 37, 38, 100, 19_999, 20_000, 2_000_000] {
            let config = FeeConfig { fee_max: drops(cap), multiples: vec![30, 1_000] };
            let pay = ladder(drops(10), 3, &below_void(&config));
            let void = void_ladder(&pay);
            assert_eq!(pay.is_empty(), cap < 38, "{cap}");
            assert_eq!(void.len(), pay.len());
            for (void, pay) in void.iter().zip(&pay) {
                assert!(void.get() * 4 >= pay.get() * 5 && void.get() <= cap, "{pay} {void} of {cap}");
            }
        }
    }

    #[test]
    fn the_cheapest_rung_that_enters_is_chosen() {
        let fees = [drops(30), drops(900), drops(30_000)];
        for (open, rung) in
            [(None, 0), (Some(10), 0), (Some(11), 1), (Some(300), 1), (Some(301), 2), (Some(99_999), 2)]
        {
            assert_eq!(rung_for(&fees, 3, open.map(drops)), rung, "open ledger fee {open:?}");
        }
    }
}
