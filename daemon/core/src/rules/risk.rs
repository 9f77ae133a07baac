//! How unusual a payment looks.

use xrpl_wire::flags;

use crate::model::inquiry::AccountRead;
use crate::model::observe::RootView;
use crate::model::payments::RECENT_MAX;
use crate::model::policy::Per;
use crate::model::risk::{Assessment, Risk, Seen, Sign, Unusual};
use crate::model::units::{Amount, LedgerIndex};
use crate::rules::matching::Payment;
use crate::rules::measure::Measure;

/// As far back as payments of an asset are counted.
const YEAR_SECONDS: u32 = 366 * 86_400;

/// What a payment looks like beside what is usual. `recent` is what its account has paid of late of the same asset; `has_paid`
/// whether anything of who asks was ever paid; `recipient` is whom it goes to, where that is nobody of the treasury's and not in
/// the address book, and `screened` what whoever screens it says of it.
#[must_use]
pub fn assess<P: Payment>(
    risk: &Risk,
    payment: &P,
    recent: impl Iterator<Item = Amount>,
    has_paid: bool,
    recipient: Option<Recipient>,
    screened: Option<(u8, String)>,
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
    if let Some(weight) = risk.first_asset
        && let Some(amount) = payment.amount()
        && payment.others(Per::Asset, YEAR_SECONDS) == 0
    {
        see(Sign::FirstAsset, weight, format!("no {} was paid for a year", amount.issue()));
    }
    if let Some((weight, evidence)) = screened.filter(|(weight, _)| *weight > 0) {
        see(Sign::Screened, weight, evidence);
    }
    if let Some(recipient) = recipient {
        let evidence = recipient.shows(risk);
        let weighed =
            evidence.into_iter().filter_map(|(sign, words)| Some((sign, risk.weight(sign)?, words)));
        weighed.for_each(|(sign, weight, words)| see(sign, weight, words));
    }
    Assessment::of(seen)
}

/// Whom a payment goes to.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    /// Its account, where that is known.
    pub read: Option<AccountRead>,
    /// Whether it is paid with a DestinationTag.
    pub with_tag: bool,
    /// Whether it is paid in XRP.
    pub of_xrp: bool,
    /// The fastest pace of ledgers, in seconds for each.
    pub pace_seconds: u32,
}

impl Recipient {
    /// What of its account is unusual, in words.
    fn shows(&self, risk: &Risk) -> Vec<(Sign, String)> {
        let Some(AccountRead { at, root }) = self.read else {
            return vec![(Sign::Unread, "the destination's account could not be read".to_owned())];
        };
        let Some(root) = root else {
            let words =
                format!("the destination is not on the ledger, as of ledger {at}: the payment would make it");
            return vec![(Sign::Unfunded, words)];
        };
        let settings = self.settings(&root).map(|words| (Sign::OddSettings, words));
        let young =
            risk.young.and_then(|(_, less)| self.young(at, &root, less)).map(|words| (Sign::Young, words));
        let poor = risk.poor.filter(|(_, below)| root.balance < *below).map(|(_, below)| {
            let (has, below) = (root.balance.to_xrp_string(), below.to_xrp_string());
            (Sign::Poor, format!("the destination has {has} XRP in ledger {at}, less than {below} XRP"))
        });
        settings.into_iter().chain(young).chain(poor).collect()
    }

    fn settings(&self, root: &RootView) -> Option<String> {
        let has = |flag: u32| root.flags & flag != 0;
        let words = [
            (has(flags::lsfDepositAuth), "takes nothing from whom it has not authorized (DepositAuth)"),
            (has(flags::lsfDisallowXRP) && self.of_xrp, "asks not to be sent XRP (DisallowXRP)"),
            (has(flags::lsfRequireDestTag) && !self.with_tag, "asks for a DestinationTag, and there is none"),
            (root.master_disabled(), "has its master key disabled"),
        ];
        let words: Vec<&str> = words.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
        (!words.is_empty()).then(|| format!("the destination {}", words.join("; ")))
    }

    /// An account begins with the index of the ledger that makes it as its Sequence, and each of its transactions takes one
    /// or more: so the ledgers since its Sequence are the least that it has been there for.
    fn young(&self, at: LedgerIndex, root: &RootView, less_seconds: u32) -> Option<String> {
        let ledgers = at.0.saturating_sub(root.sequence);
        let seconds = ledgers.saturating_mul(self.pace_seconds);
        (seconds < less_seconds).then(|| {
            format!(
                "nothing shows that the destination has been there for more than {seconds} s, less than {less_seconds} s: its \
                 Sequence is {} in ledger {at}",
                root.sequence
            )
        })
    }
}

/// In words, how far out the amount is; `None` where it is not, or too little is known.
fn is_unusual(
    unusual: &Unusual,
    amount: Option<Amount>,
    recent: impl Iterator<Item = Amount>,
) -> Option<String> {
    let amount = amount?;
    let recent: Vec<Amount> = recent.take(RECENT_MAX).collect();
    let measure = Measure::of(amount.issue(), recent.iter().copied().chain([amount]));
    let mut recent: Vec<u128> = recent.iter().map(|paid| measure.down(paid)).collect();
    if u32::try_from(recent.len()).is_ok_and(|known| known < unusual.payments) {
        return None;
    }
    let usual = median(&mut recent)?;
    let mut apart: Vec<u128> = recent.iter().map(|paid| paid.abs_diff(usual)).collect();
    // Where most payments are the same, the least that counts as apart is a tenth of them.
    let spread = median(&mut apart)?.max(usual / 10).max(1);
    let bound = usual.saturating_add(spread.saturating_mul(u128::from(unusual.times)));
    (measure.down(&amount) > bound).then(|| {
        let words = |units: u128| measure.amount(units).words();
        format!(
            "{}, and of the account's last {} payments of that asset half are within {} of {}; up to {} is usual",
            amount.words(),
            recent.len(),
            words(spread),
            words(usual),
            words(bound)
        )
    })
}

/// The middle one; of two in the middle the lower.
fn median(values: &mut [u128]) -> Option<u128> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}
