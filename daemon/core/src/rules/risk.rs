//! How unusual a payment looks.

use crate::model::payments::RECENT_MAX;
use crate::model::policy::Per;
use crate::model::risk::{Assessment, Risk, Seen, Sign, Unusual};
use crate::model::units::{Amount, Drops};
use crate::rules::matching::Payment;

/// What a payment looks like beside what is usual. `recent` is what its account has paid of late, in drops; `has_paid`
/// whether anything of who asks was ever paid.
#[must_use]
pub fn assess<P: Payment>(
    risk: &Risk,
    payment: &P,
    recent: impl Iterator<Item = Drops>,
    has_paid: bool,
) -> Assessment {
    let is_new = !payment.is_known() && payment.paid_for().is_none() && payment.destination().is_some();
    let mut seen = Vec::new();
    let mut see = |sign, weight, evidence| seen.push(Seen { sign, weight, evidence });
    if let Some(weight) = risk.new_destination.filter(|_| is_new) {
        see(
            Sign::NewDestination,
            weight,
            "the destination is not in the address book and was never paid".to_owned(),
        );
    }
    if let Some((weight, above)) = risk.large_to_new.filter(|_| is_new)
        && let Some(amount) = payment.amount().filter(|amount| *amount > above)
    {
        let evidence = format!("{} to a new destination, above {}", amount.words(), above.words());
        see(Sign::LargeToNew, weight, evidence);
    }
    if let Some(unusual) = risk.unusual_amount
        && let Some(evidence) = is_unusual(&unusual, payment.amount(), recent)
    {
        see(Sign::UnusualAmount, unusual.weight, evidence);
    }
    if let Some(velocity) = risk.velocity {
        let all = payment.others(Per::Account, velocity.period_seconds).saturating_add(1);
        if all > velocity.above {
            let evidence = format!(
                "{all} payments of the account within {} s, above {}",
                velocity.period_seconds, velocity.above
            );
            see(Sign::Velocity, velocity.weight, evidence);
        }
    }
    if let Some((weight, lists)) = &risk.listed
        && let Some(list) = lists.iter().find(|list| payment.is_on(list))
    {
        see(Sign::Listed, *weight, format!("the destination is on {list}"));
    }
    if let Some((weight, times)) = &risk.odd_time
        && !times.holds(payment.at())
    {
        let evidence = format!("it is {} in {}", times.zone.local(payment.at()), times.zone.name);
        see(Sign::OddTime, *weight, evidence);
    }
    if let Some(weight) = risk.new_asker.filter(|_| !has_paid) {
        see(Sign::NewAsker, weight, format!("nothing that {} asked for was ever paid", payment.asker()));
    }
    Assessment::of(seen)
}

/// In words, how far out the amount is; `None` where it is not, or too little is known.
fn is_unusual(
    unusual: &Unusual,
    amount: Option<Amount>,
    recent: impl Iterator<Item = Drops>,
) -> Option<String> {
    let Some(Amount::Xrp(amount)) = amount else { return None };
    let mut recent: Vec<u64> = recent.take(RECENT_MAX).map(Drops::get).collect();
    if u32::try_from(recent.len()).is_ok_and(|known| known < unusual.payments) {
        return None;
    }
    let usual = median(&mut recent)?;
    let mut apart: Vec<u64> = recent.iter().map(|paid| paid.abs_diff(usual)).collect();
    // Where most payments are the same, the least that counts as apart is a tenth of them.
    let spread = median(&mut apart)?.max(usual / 10).max(1);
    let bound = usual.saturating_add(spread.saturating_mul(u64::from(unusual.times)));
    (amount.get() > bound).then(|| {
        let xrp = |drops: u64| Drops::new(drops).unwrap_or(Drops::MAX).to_xrp_string();
        format!(
            "{} XRP, and of the account's last {} payments half are within {} XRP of {} XRP; up to {} XRP is usual",
            amount.to_xrp_string(),
            recent.len(),
            xrp(spread),
            xrp(usual),
            xrp(bound)
        )
    })
}

/// The middle one; of two in the middle the lower.
fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}
