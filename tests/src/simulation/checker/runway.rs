//! How long money lasts, reckoned a second time: second by second in the mind, from nothing but what a state holds.
//!
//! A life is too short for anything to leave usually. So each state is looked at as it is, and as it would be when its next days
//! have passed and money has left on each of them.

use std::collections::BTreeSet;

use treasury_core::Event;
use treasury_core::config::{Keeps, Treasury};
use treasury_core::forecast::{self, Runway};
use treasury_core::observe::{Change, LedgerObservation, LedgerPoint, RootView, TrustLineView};
use treasury_core::proposal::Proposal;
use treasury_core::state::State;
use treasury_core::units::{AccountId, Amount, Asset, Hash256, RippleTime};
use xrpl_wire::{IouValue, IssuedAmount};

use super::{Checker, Rule};

const DAY: u32 = 86_400;

/// Nobody looks further ahead.
const YEAR: u32 = 366 * DAY;

/// By how much less than is reckoned here may be said: rates are rounded up to a drop a day.
const SHORTER_SECONDS: u32 = 3_600;

/// Days to come, of which most have to pay out something before that is usual.
const DAYS: u32 = 9;

impl Checker {
    /// What a daemon would tell people of how long money lasts.
    pub fn lasts(&mut self, daemon: usize, treasury: &Treasury, state: &State) {
        self.all_last(daemon, treasury, state);
        let mut later = state.clone();
        for day in 0..DAYS {
            if pass(treasury, &mut later, day).is_none() {
                return;
            }
        }
        let [xrp, euros] = self.all_last(daemon, treasury, &later);
        if xrp {
            self.reached.push("what usually leaves of XRP ends it");
        }
        if euros {
            self.reached.push("what usually leaves of an issued asset ends it");
        }
    }

    /// Whether of XRP, and of anything else, something is to run out that leaves usually.
    fn all_last(&mut self, daemon: usize, treasury: &Treasury, state: &State) -> [bool; 2] {
        let (named, mut usual) = (forecast::named(treasury), [false; 2]);
        for account in forecast::accounts(treasury) {
            for asset in forecast::assets(&named, state, &account) {
                let runway = forecast::runway(treasury, state, &account, asset);
                if runway.ends.is_some() {
                    usual[usize::from(!asset.is_xrp())] |= !runway.usual.is_zero();
                    if !asset.is_xrp() {
                        self.reached.push("an issued asset runs out within a year");
                    }
                }
                self.said_to_last(daemon, treasury, state, &account, &runway);
            }
        }
        usual
    }

    /// What is said of one account and asset.
    pub fn said_to_last(
        &mut self,
        daemon: usize,
        treasury: &Treasury,
        state: &State,
        account: &AccountId,
        runway: &Runway,
    ) {
        let said = runway.seconds();
        let reckoned = Reckoning { treasury, state, asset: runway.asset }.seconds(account);
        if said > reckoned || said.saturating_add(SHORTER_SECONDS) < reckoned {
            let (name, asset) = (self.cast.name(account), runway.asset);
            let what = format!(
                "daemon {daemon} says that {asset} of {name} lasts {said} s at {}; it is {reckoned} s: {runway:?}",
                runway.now
            );
            self.broken(Rule::LastsNoLonger, what);
        }
    }
}

/// A day goes by, and in it a tenth of the XRP of each account that pays, and of what it has by each trust line, a little less on
/// each than on the one before. `None`: it has no ledger, or does not take one.
fn pass(treasury: &Treasury, state: &mut State, day: u32) -> Option<()> {
    let cursor = state.ledger?;
    let mut changes = Vec::new();
    for account in forecast::accounts(treasury) {
        let Some(view) = state.accounts.get(&account) else { continue };
        if let Some(root) = view.root {
            let less = root.balance.get() / 10;
            let balance = treasury_core::units::Drops::new(root.balance.get() - less).ok()?;
            changes.push(Change::Root { account, root: Some(RootView { balance, ..root }) });
        }
        for (asset, line) in view.trust_lines.iter().flatten() {
            // In whole cents, as all amounts there are.
            let held = line.held(*asset).map_or(0, |held| millionths(&held) / 100_000);
            let tenth = IouValue::new(false, u64::try_from(held).ok()?, -2).ok()?;
            let balance = line.balance.checked_sub(tenth).ok()?;
            let line = Some(TrustLineView { balance, ..*line });
            changes.push(Change::TrustLine { account, asset: *asset, line });
        }
    }
    let close_time = RippleTime(cursor.close_time.0 + DAY - 1);
    let hash = Hash256([u8::try_from(day).ok()?; 32]);
    let observation = LedgerObservation {
        point: LedgerPoint { index: cursor.index.plus(1), hash, close_time },
        parent_hash: cursor.hash,
        fees: state.fees?,
        transactions: Vec::new(),
        changes,
        opaque: Vec::new(),
        unproven: false,
    };
    state.apply(&Event::LedgerTaken { observation, taken: None }).ok()
}

/// Millionths of one, in which all amounts of the simulations are whole; of XRP, drops.
pub(super) fn millionths(amount: &Amount) -> u128 {
    match amount {
        Amount::Xrp(drops) => u128::from(drops.get()),
        Amount::Issued(IssuedAmount { value, .. }) if !value.is_negative() => {
            let (digits, places) = (u128::from(value.mantissa()), value.exponent() + 6);
            let power = 10_u128.pow(places.unsigned_abs());
            if places < 0 { digits / power } else { digits * power }
        }
        Amount::Issued(_) | Amount::Mpt(_) => 0,
    }
}

struct Reckoning<'a> {
    treasury: &'a Treasury,
    state: &'a State,
    asset: Asset,
}

impl Reckoning<'_> {
    /// After how many seconds more has left than there is; a year where it is not sooner.
    fn seconds(&self, account: &AccountId) -> u32 {
        let mut family = BTreeSet::from([*account]);
        for _ in &self.treasury.links {
            for link in self.treasury.links.iter().filter(|link| link.asset == self.asset) {
                if matches!(link.keeps, Keeps::Filled { .. }) && family.contains(&link.from) {
                    family.insert(link.to);
                }
            }
        }
        let has: u128 = family.iter().map(|account| self.has(account)).sum();
        let (much, days) = self.daily(&family);
        let mut leaves = self.promised(&family);
        leaves.extend(self.scheduled(&family));
        let gone = |after: u32| {
            let by_then = leaves.iter().filter(|(at, _)| *at <= after).map(|(_, much)| much).sum::<u128>();
            // Times as many seconds as that leaves in, so that nothing is rounded.
            by_then * u128::from(days * DAY) + much * u128::from(after)
        };
        let lasts = |after: u32| gone(after) <= has * u128::from(days * DAY);
        if lasts(YEAR) {
            return YEAR;
        }
        let (mut lasting, mut over) = (None, YEAR);
        while over > lasting.map_or(0, |lasting: u32| lasting + 1) {
            let between = lasting.map_or(over / 2, |lasting| lasting + (over - lasting) / 2);
            if lasts(between) { lasting = Some(between) } else { over = between }
        }
        over
    }

    fn has(&self, account: &AccountId) -> u128 {
        let Some(view) = self.state.accounts.get(account) else { return 0 };
        match (self.asset, view.root) {
            (Asset::Xrp, Some(root)) => {
                let fees = self.state.fees.map(|fees| (fees.reserve_base.get(), fees.reserve_inc.get()));
                let kept = fees.map_or(0, |(base, each)| base + each * u64::from(root.owner_count));
                u128::from(root.balance.get().saturating_sub(kept))
            }
            (Asset::Xrp, None) => 0,
            (asset, _) => {
                let line =
                    self.state.trust_lines(account).find(|(of, _)| **of == asset).map(|(_, line)| line);
                let free = line.filter(|line| !line.frozen && !line.deep_frozen);
                free.and_then(|line| line.held(asset)).map_or(0, |held| millionths(&held))
            }
        }
    }

    /// What proposals may take, and after how many seconds.
    fn promised(&self, family: &BTreeSet<AccountId>) -> Vec<(u32, u128)> {
        let now = self.state.now().0;
        let may_leave = |proposal: &&Proposal| {
            let Some(movement) = proposal.intent.movement() else { return false };
            let ours = family.contains(&proposal.account) && !family.contains(&movement.destination);
            let links = self.treasury.links.iter().filter(|link| Some(link.name.as_str()) == movement.link);
            let swept = links.into_iter().any(|link| matches!(link.keeps, Keeps::Swept { .. }));
            ours && !swept
                && movement.amount.issue() == self.asset
                && self.state.book.is_promised(&proposal.account, proposal.id)
        };
        let when = |proposal: &Proposal| match &proposal.occurrence {
            Some(date) if !proposal.status.is_final() && proposal.decision.obligations.delay.is_none() => {
                date.due.0.saturating_sub(now)
            }
            _ => 0,
        };
        let all = self.state.proposals.values().filter(may_leave);
        all.filter_map(|proposal| Some((when(proposal), millionths(&proposal.intent.amount()?)))).collect()
    }

    /// What is due and was not asked for.
    fn scheduled(&self, family: &BTreeSet<AccountId>) -> Vec<(u32, u128)> {
        let now = self.state.now().0;
        let mut all = Vec::new();
        for schedule in &self.treasury.schedules {
            let ours = family.contains(&schedule.from) && !family.contains(&schedule.to);
            if !ours || schedule.amount.issue() != self.asset {
                continue;
            }
            let reached = self.state.scheduled.get(&schedule.name).filter(|reached| !reached.gone);
            for due in schedule.due.iter() {
                let asked = reached.map_or(due.at.0 <= now, |reached| {
                    due.at <= reached.through || reached.day.is_some_and(|day| due.day <= day)
                });
                let too_late = due.at.0 + schedule.late_max_seconds < now;
                if !asked && !too_late && due.at.0 <= now + YEAR {
                    all.push((due.at.0.saturating_sub(now), millionths(&schedule.amount)));
                }
            }
        }
        all
    }

    /// What usually leaves, and in how many days: the greatest of the middle days of a week, of four weeks and of twelve, of the
    /// middle weeks of three and of twelve, and of the middle of three times four weeks.
    fn daily(&self, family: &BTreeSet<AccountId>) -> (u128, u32) {
        let days: Vec<u128> = (0..84).map(|back| self.left_on(family, back)).collect();
        let mut most = (0, 1);
        for (length, count) in [(1, 7), (1, 28), (1, 84), (7, 3), (7, 12), (28, 3)] {
            let mut parts: Vec<u128> =
                days.chunks(length).take(count).map(|part| part.iter().sum()).collect();
            parts.sort_unstable();
            let (middle, length) = (parts[count / 2], u32::try_from(length).unwrap_or(1));
            if middle * u128::from(most.1) > most.0 * u128::from(length) {
                most = (middle, length);
            }
        }
        most
    }

    /// What left on the day so many days ago, and neither by a schedule nor along a link to one of the family or as too much.
    fn left_on(&self, family: &BTreeSet<AccountId>, back: u32) -> u128 {
        let book = &self.state.book;
        let since = |back: u32| RippleTime((self.state.now().0 + 1).saturating_sub(back * DAY));
        let on_day = |sum: &dyn Fn(RippleTime) -> Amount| {
            millionths(&sum(since(back + 1))) - millionths(&sum(since(back)))
        };
        let mut left = 0;
        for account in family {
            let mut kept = on_day(&|since| book.scheduled(account, self.asset, since));
            for link in self.treasury.links.iter().filter(|link| link.from == *account) {
                let swept = matches!(link.keeps, Keeps::Swept { .. });
                if link.asset == self.asset && (swept || family.contains(&link.to)) {
                    kept += on_day(&|since| book.moved_by(&link.name, self.asset, since));
                }
            }
            left += on_day(&|since| book.moved(account, self.asset, since)).saturating_sub(kept);
        }
        left
    }
}
