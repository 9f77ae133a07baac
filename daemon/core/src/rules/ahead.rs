//! What each account of the links has, what is on its way to it in escrows, and what schedules will take out of it: looked
//! through once for all links.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::config::{TierLink, Treasury};
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::{AccountId, Amount, Asset};
use crate::rules::escrow::not_before;

/// An account and an asset that links move into it or out of it.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    account: AccountId,
    asset: Asset,
    /// The links that take from it, in their order, and the numbers of the places that they move to.
    pub(crate) out: Vec<(&'a TierLink, usize)>,
    /// The highest floor that any of them sets for it; `None`: of different assets.
    pub(crate) floor: Option<Amount>,
}

/// Every such place, found at a cost that does not grow with how many there are.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    all: Vec<Place<'a>>,
    numbers: HashMap<AccountId, Numbers, BuildHasherDefault<Front>>,
}

/// The numbers of an account's places.
#[derive(Debug, Default)]
struct Numbers {
    xrp: Option<usize>,
    others: Vec<(Asset, usize)>,
}

/// What stands at each of them in one planning, in their order.
#[derive(Debug)]
pub(crate) struct Ahead(Vec<Standing>);

/// What stands at a place.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// `None`: the account is not on the ledger, or the asset is not followed.
    pub(crate) holding: Option<Amount>,
    /// What the daemon's own escrows may still bring.
    pub(crate) escrowed: Amount,
    /// What schedules have asked for that no validated ledger has. What people ask for does not count: it may be refused,
    /// and whoever may ask would otherwise draw money to an account.
    pub(crate) scheduled: Amount,
    /// What proposals may still bring, and which one was the last when that was looked up: in a planning only what is
    /// drafted adds to it.
    coming: Cell<Option<(u64, Amount)>>,
}

impl Standing {
    /// What is there now, without what is looked through once.
    pub(crate) fn of(state: &State, account: &AccountId, asset: Asset) -> Self {
        let nothing = asset.nothing();
        let holding = state.holding(account, asset);
        Self { holding, escrowed: nothing, scheduled: nothing, coming: Cell::new(None) }
    }

    /// What will be there when everything that is on its way has come.
    pub(crate) fn expected(&self, state: &State, account: &AccountId, asset: Asset) -> Option<Amount> {
        let escrowed = saturating_add(self.holding?, self.escrowed);
        let known = self.coming.get().filter(|(last, _)| *last == state.last_proposal);
        let coming = known.map_or_else(|| state.book.coming(account, asset), |(_, coming)| coming);
        self.coming.set(Some((state.last_proposal, coming)));
        Some(saturating_add(escrowed, coming))
    }
}

impl<'a> Places<'a> {
    /// Those of the declared links.
    pub(crate) fn of(config: &'a Treasury) -> Self {
        // A link has two places, of which others share at least one in most treasuries.
        let so_many = config.links.len().saturating_add(1);
        let numbers = HashMap::with_capacity_and_hasher(so_many, BuildHasherDefault::default());
        let mut places = Self { all: Vec::with_capacity(so_many), numbers };
        for link in &config.links {
            let to = places.add(link.to, link.asset);
            let from = places.add(link.from, link.asset);
            if let Some(place) = places.all.get_mut(from) {
                place.floor = place.floor.and_then(|floor| most(floor, link.source_floor));
                place.out.push((link, to));
            }
        }
        places
    }

    fn add(&mut self, account: AccountId, asset: Asset) -> usize {
        if let Some(number) = self.find(&account, asset) {
            return number;
        }
        let number = self.all.len();
        self.all.push(Place { account, asset, out: Vec::new(), floor: Some(asset.nothing()) });
        let numbers = self.numbers.entry(account).or_default();
        match asset {
            Asset::Xrp => numbers.xrp = Some(number),
            other => numbers.others.push((other, number)),
        }
        number
    }

    /// The number of a place; `None`: no link moves that there.
    pub(crate) fn find(&self, account: &AccountId, asset: Asset) -> Option<usize> {
        let numbers = self.numbers.get(account)?;
        let other = || numbers.others.iter().find(|(other, _)| *other == asset).map(|(_, number)| *number);
        if asset.is_xrp() { numbers.xrp } else { other() }
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Place<'a>> {
        self.all.get(number)
    }
}

impl Ahead {
    /// Looks through everything that is promised, at a cost that grows with how much that is.
    pub(crate) fn of(places: &Places<'_>, state: &State) -> Self {
        let stands = |place: &Place<'_>| Standing::of(state, &place.account, place.asset);
        let mut ahead = Self(places.all.iter().map(stands).collect());
        let own = |tracked: &&TrackedEscrow| {
            matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. })
        };
        for tracked in state.escrows.values().filter(own) {
            let Some(amount) = coming_by(state, tracked) else { continue };
            if let Some(standing) = ahead.at(places, &tracked.view.destination, amount.issue()) {
                standing.escrowed = saturating_add(standing.escrowed, amount);
            }
        }
        // A schedule that has asked for anything is known for it, also when it is declared no more.
        let asked = (!state.scheduled.is_empty()).then(|| state.proposals.values());
        for proposal in asked.into_iter().flatten().filter(|proposal| proposal.occurrence.is_some()) {
            let Some(movement) = proposal.intent.movement().filter(|_| state.book.holds(proposal)) else {
                continue;
            };
            if let Some(standing) = ahead.at(places, &proposal.account, movement.amount.issue()) {
                standing.scheduled = saturating_add(standing.scheduled, movement.amount);
            }
        }
        ahead
    }

    fn at(&mut self, places: &Places<'_>, account: &AccountId, asset: Asset) -> Option<&mut Standing> {
        self.0.get_mut(places.find(account, asset)?)
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Standing> {
        self.0.get(number)
    }
}

/// What an escrow may still bring. What can be released no more comes back to where it was.
pub(crate) fn coming_by(state: &State, tracked: &TrackedEscrow) -> Option<Amount> {
    let comes = tracked.view.cancel_after.is_none_or(|cancel| {
        state.now() <= cancel && not_before(state, tracked).is_none_or(|from| from < cancel)
    });
    tracked.view.amount.filter(|_| comes)
}

/// The greater of two; none of different assets.
pub(crate) fn most(one: Amount, other: Amount) -> Option<Amount> {
    Some(if one.partial_cmp(&other)?.is_ge() { one } else { other })
}

/// A sum; the most that there can be where it is more than that.
pub(crate) fn saturating_add(sum: Amount, more: Amount) -> Amount {
    sum.checked_add(&more).unwrap_or(sum.issue().most())
}

/// The first bytes of an address, which are those of a hash already. Only declared accounts are put in, so nobody else
/// chooses what lies side by side.
#[derive(Debug, Default)]
pub(crate) struct Front(u64);

impl Hasher for Front {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= bytes.first_chunk().map_or(0, |front| u64::from_be_bytes(*front));
    }

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        // The table looks at the lowest bits and the highest; addresses of tests may differ in the first bytes alone.
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ (mixed >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Danger: one account's money is taken for another's, where addresses look alike to the table.
    #[test]
    fn a_place_is_found_by_its_whole_address_and_its_asset() {
        let usd: Asset = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".parse().unwrap();
        let account = |last: u8| {
            let mut bytes = [7; 20];
            bytes[19] = last;
            AccountId(bytes)
        };
        let mut places = Places { all: Vec::new(), numbers: HashMap::default() };
        let known: Vec<(AccountId, Asset)> =
            (0..50).flat_map(|last| [(account(last), Asset::Xrp), (account(last), usd)]).collect();
        let numbers: Vec<usize> = known.iter().map(|(account, asset)| places.add(*account, *asset)).collect();
        for ((account, asset), number) in known.iter().zip(numbers) {
            assert_eq!(places.find(account, *asset), Some(number));
            assert_eq!(places.add(*account, *asset), number, "once");
        }
        assert_eq!(places.find(&account(50), Asset::Xrp), None);
        let other: Asset = "EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".parse().unwrap();
        assert_eq!(places.find(&account(0), other), None);
    }
}
