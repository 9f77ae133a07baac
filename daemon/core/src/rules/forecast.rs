//! How long the money lasts: of an account with all that it fills, from what is promised, what is due, and what usually leaves.
//!
//! Everything is counted once. A time of a schedule that has been asked for is a promise, and no longer a time to come; what
//! schedules have paid is not what usually leaves; and what goes from one account of a group to another leaves neither.
//!
//! It errs to the short side: what waits for signatures counts as if it left as soon as it can, and what may still come counts
//! for nothing, as what the issuer has frozen does.
//!
//! Each asset is looked at by itself: XRP, and what an account has by trust lines. Which accounts count together is by the links
//! of that asset.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::{Keeps, Schedule, Tier, TierLink, Treasury};
use crate::model::observe::RootView;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Reached, State};
use crate::model::units::{AccountId, Amount, Asset, Drops, ProposalId, RippleTime};
use crate::rules::ahead::saturating_add;
use crate::rules::gate::{self, Act};
use crate::rules::measure::Measure;
use crate::rules::{multisign, schedule};

/// Seconds of a day. A forecast counts days back from now, and knows no calendar.
pub const DAY_SECONDS: u32 = 86_400;

/// How far ahead is looked, in days. What lasts longer lasts long enough, and nobody knows what a year brings.
pub const HORIZON_DAYS: u32 = 366;

/// How far back is looked, in days: three times four weeks.
const BACK_DAYS: usize = 84;

/// Days in a row of which the middle one is taken, and how many of them: of single days what is paid every day, of weeks what is
/// paid on some days of each, of four weeks what is paid once a month. The greatest rate of all holds.
///
/// Each is a middle of at least three, so that one payment, however large, is never what is usual. Whatever more has left, on
/// whichever day, no middle is less for it.
const MIDDLES: [(usize, usize); 6] = [(1, 7), (1, 28), (1, 84), (7, 3), (7, 12), (28, 3)];

/// How long an account, with what it fills, lasts with one asset if nothing comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runway {
    /// Which asset; all amounts are of it.
    pub asset: Asset,
    /// The account and every account that links fill from it with that asset, over however many links.
    pub group: BTreeSet<AccountId>,
    /// What they have: XRP above what the ledger asks them to keep, or by trust lines that nobody has frozen.
    pub has: Amount,
    /// What they have by trust lines that the issuer has frozen. It pays nobody but the issuer, and counts for nothing.
    pub frozen: Amount,
    /// What proposals may still take out of them, and not to one another.
    pub promised: Amount,
    /// What schedules that have not been asked for take within the horizon.
    pub scheduled: Amount,
    /// What usually leaves in a day, without what schedules pay.
    pub usual: Amount,
    /// When it is all gone; `None`: not within the horizon.
    pub ends: Option<RippleTime>,
    /// As of when.
    pub now: RippleTime,
}

impl Runway {
    /// Seconds that it lasts; the horizon, where it lasts as long.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        let horizon = HORIZON_DAYS.saturating_mul(DAY_SECONDS);
        self.ends.map_or(horizon, |ends| ends.0.saturating_sub(self.now.0).min(horizon))
    }

    /// Whole days that it lasts.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.seconds() / DAY_SECONDS
    }

    /// How long it lasts, for people.
    #[must_use]
    pub fn lasts(&self) -> String {
        let (days, hours) = (self.days(), self.seconds() % DAY_SECONDS / 3_600);
        match self.ends {
            None => "more than a year".to_owned(),
            Some(_) if days >= 10 => format!("about {days} d"),
            Some(_) if days > 0 => format!("about {days} d {hours} h"),
            Some(_) => format!("about {hours} h"),
        }
    }
}

/// The accounts whose money pays others: those of which a forecast is made, in the order of their addresses.
pub fn accounts(config: &Treasury) -> impl Iterator<Item = AccountId> + '_ {
    let pays = |tier| matches!(tier, Tier::Cold | Tier::Warm | Tier::Hot);
    config.accounts.iter().filter(move |(_, account)| pays(account.tier)).map(|(address, _)| *address)
}

/// What links and schedules move besides XRP, by the accounts that they name for it.
#[must_use]
pub fn named(config: &Treasury) -> BTreeMap<AccountId, BTreeSet<Asset>> {
    let links = config.links.iter().flat_map(|link| [(link.from, link.asset), (link.to, link.asset)]);
    let schedules = config.schedules.iter().map(|schedule| (schedule.from, schedule.amount.issue()));
    let mut named: BTreeMap<AccountId, BTreeSet<Asset>> = BTreeMap::new();
    for (account, asset) in links.chain(schedules).filter(|(_, asset)| !asset.is_xrp()) {
        named.entry(account).or_default().insert(asset);
    }
    named
}

/// The assets that an account is looked at for: XRP, and of what it can have by trust lines all that links and schedules name
/// there, that proposals may still take out, or that has left by a line of its own lately. None but XRP as long as its lines were
/// not read.
#[must_use]
pub fn assets(
    named: &BTreeMap<AccountId, BTreeSet<Asset>>,
    state: &State,
    account: &AccountId,
) -> BTreeSet<Asset> {
    let mut assets = BTreeSet::from([Asset::Xrp]);
    let Some(lines) = state.accounts.get(account).and_then(|view| view.trust_lines.as_ref()) else {
        return assets;
    };
    let promised = state.book.all_leaving(account);
    assets.extend(named.get(account).into_iter().flatten());
    assets.extend(promised.iter().map(Amount::issue));
    let lately = since(state, BACK_DAYS);
    assets.extend(lines.keys().filter(|asset| !state.book.moved(account, **asset, lately).is_zero()));
    // What is no money by a trust line is not followed.
    assets.retain(|asset| !matches!(asset, Asset::Mpt(_)));
    assets
}

/// Accounts that no link fills with an asset that they are looked at for: what they run out of, people have to bring.
#[must_use]
pub fn sources(config: &Treasury, state: &State) -> BTreeSet<(AccountId, Asset)> {
    let filled: BTreeSet<(AccountId, Asset)> = config
        .links
        .iter()
        .filter(|link| fills(link, link.asset))
        .map(|link| (link.to, link.asset))
        .collect();
    let named = named(config);
    let each =
        |account: AccountId| assets(&named, state, &account).into_iter().map(move |asset| (account, asset));
    accounts(config).flat_map(each).filter(|source| !filled.contains(source)).collect()
}

/// Whether no link fills the account with that asset.
#[must_use]
pub fn is_source(config: &Treasury, account: &AccountId, asset: Asset) -> bool {
    !config.links.iter().any(|link| fills(link, asset) && link.to == *account)
}

fn fills(link: &TierLink, asset: Asset) -> bool {
    link.asset == asset && matches!(link.keeps, Keeps::Filled { .. })
}

/// How long the account lasts with what it fills, by one asset.
#[must_use]
pub fn runway(config: &Treasury, state: &State, account: &AccountId, asset: Asset) -> Runway {
    let look = Look { config, state, asset, group: group(config, account, asset) };
    let now = state.now();
    let sum = |amounts: &[Amount]| amounts.iter().copied().fold(asset.nothing(), saturating_add);
    let (held, frozen) = look.held();
    let (promises, schedules) = (look.promises(), look.scheduled());
    let measure = look.measure(&held, promises.iter().chain(&schedules).map(|(_, amount)| *amount));
    let usual = look.usual(&measure);
    let mut leaves: Vec<(RippleTime, u128)> =
        promises.iter().chain(&schedules).map(|(at, amount)| (*at, measure.up(amount))).collect();
    leaves.sort_unstable();
    let has = held.iter().map(|amount| measure.down(amount)).fold(0, u128::saturating_add);
    let ends = ends(now, has, usual, &leaves);
    let amounts = |parts: Vec<(RippleTime, Amount)>| parts.into_iter().map(|part| part.1).collect::<Vec<_>>();
    Runway {
        asset,
        has: sum(&held),
        frozen,
        promised: sum(&amounts(promises)),
        scheduled: sum(&amounts(schedules)),
        usual: measure.amount(usual),
        ends,
        now,
        group: look.group,
    }
}

/// The account, and all that is filled from it with that asset.
fn group(config: &Treasury, account: &AccountId, asset: Asset) -> BTreeSet<AccountId> {
    let mut group = BTreeSet::from([*account]);
    loop {
        let before = group.len();
        let further = config.links.iter().filter(|link| fills(link, asset) && group.contains(&link.from));
        let further: Vec<AccountId> = further.map(|link| link.to).collect();
        group.extend(further);
        if group.len() == before {
            return group;
        }
    }
}

/// The first moment of a day, counted back from now: it begins just after the last of the day before, so that each moment is of
/// one day.
fn since(state: &State, back: usize) -> RippleTime {
    let back = u32::try_from(back).unwrap_or(u32::MAX).saturating_mul(DAY_SECONDS);
    RippleTime(state.now().0.saturating_sub(back).saturating_add(1))
}

/// When a schedule is due within the horizon, of what has not been asked for and can still be.
pub fn to_come<'a>(state: &State, schedule: &'a Schedule) -> impl Iterator<Item = RippleTime> + 'a {
    let now = state.now();
    let reached = state.scheduled.get(&schedule.name).copied().filter(|reached| !reached.gone);
    let reached = reached.unwrap_or(Reached { through: now, day: None, gone: false });
    let horizon = now.0.saturating_add(HORIZON_DAYS.saturating_mul(DAY_SECONDS));
    schedule::after(schedule, reached)
        .filter(move |due| due.at.0.saturating_add(schedule.late_max_seconds) >= now.0)
        .map(move |due| due.at.max(now))
        .take_while(move |at| at.0 <= horizon)
}

/// When it can leave at the soonest: what a schedule asked for not before it is due, everything else as soon as it is signed. What
/// policy delays leaves the account when its escrow is made.
fn soonest(state: &State, proposal: &Proposal) -> RippleTime {
    let delayed = proposal.decision.obligations.delay.is_some();
    let due = proposal.occurrence.as_ref().filter(|_| !delayed && !proposal.status.is_final());
    due.map_or(state.now(), |occurrence| occurrence.due.max(state.now()))
}

/// What is looked at for a runway.
struct Look<'a> {
    config: &'a Treasury,
    state: &'a State,
    asset: Asset,
    group: BTreeSet<AccountId>,
}

impl Look<'_> {
    /// What each account of the group has above its reserve, or by its trust line; and what is frozen of that, of all.
    fn held(&self) -> (Vec<Amount>, Amount) {
        let nothing = self.asset.nothing();
        let (mut held, mut frozen) = (Vec::new(), nothing);
        let known =
            self.group.iter().filter_map(|account| Some((account, self.state.accounts.get(account)?)));
        for (account, view) in known {
            if self.asset.is_xrp() {
                held.extend(view.root.map(|root| Amount::Xrp(self.above_reserve(&root))));
                continue;
            }
            let line = self.state.trust_line(account, self.asset);
            let Some(has) = line.and_then(|line| line.held(self.asset)) else { continue };
            if self.state.is_frozen(account, self.asset) {
                frozen = saturating_add(frozen, has);
            } else {
                held.push(has);
            }
        }
        (held, frozen)
    }

    fn above_reserve(&self, root: &RootView) -> Drops {
        let reserve = self.state.fees.map_or(0, |fees| {
            let owned = fees.reserve_inc.get().saturating_mul(u64::from(root.owner_count));
            fees.reserve_base.get().saturating_add(owned)
        });
        Drops::new(root.balance.get().saturating_sub(reserve)).unwrap_or_default()
    }

    /// The unit to count in: what is there needs it; where nothing is, what leaves does.
    fn measure(&self, held: &[Amount], leaves: impl Iterator<Item = Amount>) -> Measure {
        if held.iter().any(|amount| !amount.is_zero()) {
            return Measure::of(self.asset, held.iter().copied());
        }
        let moved = self.group.iter();
        let moved =
            moved.map(|account| self.state.book.moved(account, self.asset, since(self.state, BACK_DAYS)));
        Measure::of(self.asset, leaves.chain(moved))
    }

    /// Whether it leaves the group for good: not to one of its own, and not swept up because there is too much of it.
    fn leaves(&self, proposal: &Proposal) -> bool {
        let Some(movement) = proposal.intent.movement() else { return false };
        let links = &self.config.links;
        let swept = movement.link.is_some_and(|name| {
            links.iter().any(|link| link.name == name && matches!(link.keeps, Keeps::Swept { .. }))
        });
        !swept && !self.group.contains(&movement.destination)
    }

    /// What proposals may still take, and when at the soonest.
    fn promises(&self) -> Vec<(RippleTime, Amount)> {
        let all = self.group.iter().flat_map(|account| self.state.book.promised(account));
        let all = all.filter_map(|id| self.state.proposals.get(&id)).filter(|proposal| self.leaves(proposal));
        all.filter_map(|proposal| Some((soonest(self.state, proposal), proposal.intent.amount()?)))
            .filter(|(_, amount)| amount.issue() == self.asset)
            .collect()
    }

    /// What schedules take that have not been asked for.
    fn scheduled(&self) -> Vec<(RippleTime, Amount)> {
        let ours = |schedule: &&Schedule| {
            let leaves = self.group.contains(&schedule.from) && !self.group.contains(&schedule.to);
            leaves && schedule.amount.issue() == self.asset
        };
        let all = self.config.schedules.iter().filter(ours);
        all.flat_map(|schedule| to_come(self.state, schedule).map(|at| (at, schedule.amount))).collect()
    }

    /// What usually leaves the group in a day.
    fn usual(&self, measure: &Measure) -> u128 {
        let mut days = [0_u128; BACK_DAYS];
        for account in &self.group {
            for (day, left) in days.iter_mut().zip(self.daily(account, measure)) {
                *day = day.saturating_add(left);
            }
        }
        MIDDLES.iter().map(|(length, count)| middle(&days, *length, *count)).max().unwrap_or_default()
    }

    /// What left the account on each day, the last one first: all but what schedules paid, what went to others of the group, and
    /// what was swept away.
    fn daily(&self, account: &AccountId, measure: &Measure) -> [u128; BACK_DAYS] {
        let mut days = [0_u128; BACK_DAYS];
        let (book, at) = (&self.state.book, |back| since(self.state, back));
        if book.moved(account, self.asset, at(BACK_DAYS)).is_zero() {
            return days;
        }
        let stays = self.config.links.iter().filter(|link| link.from == *account && link.asset == self.asset);
        let stays: Vec<&TierLink> = stays
            .filter(|link| self.group.contains(&link.to) || matches!(link.keeps, Keeps::Swept { .. }))
            .collect();
        for (back, day) in days.iter_mut().enumerate() {
            let within = [at(back.saturating_add(1)), at(back)];
            let links = stays.iter().map(|link| link.name.as_str());
            let (left, kept) = book.gone(account, self.asset, within, links);
            let kept = kept.iter().map(|kept| measure.down(kept)).fold(0, u128::saturating_add);
            *day = measure.up(&left).saturating_sub(kept);
        }
        days
    }
}

/// The middle of the sums of so many stretches of so many days, the newest first, for one day. Of an even number the greater one
/// of the two in the middle.
fn middle(days: &[u128], length: usize, count: usize) -> u128 {
    let sum = |days: &[u128]| days.iter().copied().fold(0, u128::saturating_add);
    let mut sums: Vec<u128> = days.chunks_exact(length.max(1)).take(count).map(sum).collect();
    sums.sort_unstable();
    let middle = sums.get(sums.len() / 2).copied().unwrap_or_default();
    // Up: what leaves is never less than it was.
    middle.div_ceil(u128::try_from(length).unwrap_or(1).max(1))
}

/// When more has left than there was: so much every day, evenly, and what leaves at set times, in their order.
fn ends(now: RippleTime, has: u128, daily: u128, leaves: &[(RippleTime, u128)]) -> Option<RippleTime> {
    let horizon = now.0.saturating_add(HORIZON_DAYS.saturating_mul(DAY_SECONDS));
    // When what leaves every day has taken all that is left after so much else.
    let worn = |gone: u128| {
        let left = has.checked_sub(gone)?;
        let seconds = left.saturating_mul(u128::from(DAY_SECONDS)).checked_div(daily)?;
        now.0.checked_add(u32::try_from(seconds).ok()?)
    };
    let mut gone = 0_u128;
    for (at, amount) in leaves {
        if let Some(worn) = worn(gone).filter(|worn| *worn < at.0) {
            return within(worn, horizon);
        }
        gone = gone.saturating_add(*amount);
        let by_then = daily.saturating_mul(u128::from(at.0.saturating_sub(now.0))) / u128::from(DAY_SECONDS);
        if gone.saturating_add(by_then) > has {
            return within(at.0.max(now.0), horizon);
        }
    }
    within(worn(gone)?, horizon)
}

fn within(at: u32, horizon: u32) -> Option<RippleTime> {
    (at <= horizon).then_some(RippleTime(at))
}

/// A payment that may still leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The proposal.
    pub proposal: ProposalId,
    /// The account that pays.
    pub account: AccountId,
    /// How much.
    pub amount: Amount,
    /// When it leaves at the soonest.
    pub soonest: RippleTime,
    /// Until when people can sign it; `None`: it has no transaction yet, or nobody has to sign.
    pub deadline: Option<RippleTime>,
    /// How likely it is to leave, of a thousand.
    pub permille: u32,
}

/// Everything that may still leave, moves between own accounts included, by when it does at the soonest.
#[must_use]
pub fn pipeline(config: &Treasury, state: &State) -> Vec<Expected> {
    let promised = accounts(config).flat_map(|account| state.book.promised(&account).collect::<Vec<_>>());
    let promised = promised.filter_map(|id| state.proposals.get(&id));
    let mut all: Vec<Expected> = promised
        .filter_map(|proposal| {
            Some(Expected {
                proposal: proposal.id,
                account: proposal.account,
                amount: proposal.intent.amount()?,
                soonest: soonest(state, proposal),
                deadline: proposal.plan.as_ref().map(|plan| plan.deadline),
                permille: likely(config, state, proposal),
            })
        })
        .collect();
    all.sort_by_key(|expected| (expected.soonest, expected.proposal));
    all
}

/// How likely a proposal is to leave, of a thousand: more with each signature, and little where it is stopped.
fn likely(config: &Treasury, state: &State, proposal: &Proposal) -> u32 {
    let outlook = &config.outlook;
    if proposal.status.is_final() || !gate::stops(config, state, Act::of(proposal)).is_empty() {
        return outlook.stopped_permille.min(1_000);
    }
    if matches!(proposal.status, Status::Ready | Status::InFlight(_))
        || proposal.decision.obligations.agents_sign()
    {
        return 1_000;
    }
    let unsigned = outlook.unsigned_permille.min(1_000);
    let signed = multisign::signer_list(state, &proposal.account).map_or(0, |list| {
        let tally = multisign::of_proposal(config, list, proposal);
        let weight = tally.weight.0.min(tally.quorum.0);
        weight.saturating_mul(1_000).checked_div(tally.quorum.0).unwrap_or_default()
    });
    unsigned.saturating_add((1_000 - unsigned).saturating_mul(signed) / 1_000)
}

/// What the treasury has of an asset in a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// What its accounts have, reserves included.
    pub has: Amount,
    /// What stands in escrows that they made, and that may come back.
    pub escrowed: Amount,
    /// What proposals may still take out of the accounts.
    pub promised: Amount,
}

impl Position {
    fn none_of(asset: Asset) -> Self {
        Self { has: asset.nothing(), escrowed: asset.nothing(), promised: asset.nothing() }
    }
}

/// What the treasury has, by tier and asset.
#[must_use]
pub fn positions(config: &Treasury, state: &State) -> BTreeMap<(Tier, Asset), Position> {
    let mut all: BTreeMap<(Tier, Asset), Position> = BTreeMap::new();
    let mut add = |tier: Tier, amount: Amount, part: fn(&mut Position) -> &mut Amount| {
        let asset = amount.issue();
        let sum = part(all.entry((tier, asset)).or_insert_with(|| Position::none_of(asset)));
        *sum = sum.checked_add(&amount).unwrap_or(asset.most());
    };
    for (address, declared) in &config.accounts {
        add(declared.tier, Amount::Xrp(state.balance(address)), |position| &mut position.has);
        // What others hold of an account's own issue is no money of the treasury's.
        for held in state.trust_lines(address).filter_map(|(asset, line)| line.held(*asset)) {
            add(declared.tier, held, |position| &mut position.has);
        }
        for promised in state.book.all_leaving(address) {
            add(declared.tier, promised, |position| &mut position.promised);
        }
        for key in state.standing_of(address) {
            if let Some(amount) = state.escrows.get(&key).and_then(|tracked| tracked.view.amount) {
                add(declared.tier, amount, |position| &mut position.escrowed);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: RippleTime = RippleTime(800_000_000);

    fn after(days: u32) -> RippleTime {
        RippleTime(NOW.0 + days * DAY_SECONDS)
    }

    /// Danger: one large payment makes everybody believe that the money is gone in half of the time.
    #[test]
    fn one_large_payment_changes_nothing_of_what_is_usual_and_several_of_them_are() {
        let rate = |days: &[u128]| {
            MIDDLES.iter().map(|(length, count)| middle(days, *length, *count)).max().unwrap()
        };
        for day in 0..BACK_DAYS {
            let mut days = [100; BACK_DAYS];
            assert_eq!(rate(&days), 100);
            days[day] = u128::MAX;
            assert_eq!(rate(&days), 100, "day {day}");
        }
        // Once a month, and on no other day.
        let monthly: Vec<u128> = (0..BACK_DAYS).map(|day| if day % 28 == 5 { 2_800 } else { 0 }).collect();
        assert_eq!(rate(&monthly), 100);
        // On workdays.
        let weekly: Vec<u128> = (0..BACK_DAYS).map(|day| if day % 7 < 5 { 70 } else { 0 }).collect();
        assert_eq!(rate(&weekly), 70);
        let once: Vec<u128> = (0..BACK_DAYS).map(|day| if day == 3 { 9_000 } else { 0 }).collect();
        assert_eq!(rate(&once), 0, "what happened once is not usual");
    }

    #[test]
    fn it_ends_when_more_has_left_than_there_was() {
        for (has, daily, leaves, expected) in [
            (1_000, 100, vec![], Some(after(10))),
            (1_000, 0, vec![], None),
            (0, 0, vec![], None),
            (0, 1, vec![], Some(NOW)),
            (1_000, 100, vec![(after(5), 500)], Some(after(5))),
            (1_000, 100, vec![(after(5), 501)], Some(after(5))),
            (1_000, 100, vec![(after(5), 400)], Some(after(6))),
            (1_000, 100, vec![(after(11), 400)], Some(after(10))),
            (1_000, 0, vec![(after(2), 600), (after(3), 400), (after(4), 1)], Some(after(4))),
            (1_000, 0, vec![(NOW, 1_001)], Some(NOW)),
            (1_000, 1, vec![], None),
        ] {
            assert_eq!(ends(NOW, has, daily, &leaves), expected, "{has} {daily} {leaves:?}");
        }
        let most = u128::MAX;
        assert_eq!(ends(NOW, most, most, &[(NOW, most), (NOW, most)]), Some(NOW));
    }
}
