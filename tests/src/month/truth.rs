//! What the ledgers themselves say of the month: read from each as it closes, never from the daemon.

use std::collections::{BTreeMap, BTreeSet};

use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::{AccountId, Amount, TransactionType, TxBody, index, sf, sign};

use super::cast::{Cast, SIGNED, SIGNERS};

/// A payment as a ledger has it.
#[derive(Clone, Copy, Debug)]
pub struct Paid {
    /// When, by the ledger.
    pub at: u32,
    /// How many people signed it.
    pub people: usize,
    /// How many drops came.
    pub drops: u64,
}

/// What became of money that was put aside.
#[derive(Clone, Copy, Debug)]
pub struct Aside {
    /// The DestinationTag of its EscrowCreate.
    pub tag: Option<u32>,
    /// To whom.
    pub destination: AccountId,
    /// How much.
    pub drops: u64,
    /// People who signed it.
    people: usize,
    /// When it was finished, if it was.
    pub finished: Option<u32>,
    /// When it came back, if it did.
    pub returned: Option<u32>,
}

/// Fees of one kind of transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burned {
    /// How many transactions.
    pub count: u64,
    /// What they burned.
    pub drops: u64,
}

/// Everything that happened.
pub struct Truth {
    /// The treasury's accounts.
    names: BTreeMap<AccountId, &'static str>,
    people: BTreeSet<AccountId>,
    /// Payments that came to whom they were for, by DestinationTag; several of one tag are several payments.
    pub paid: BTreeMap<u32, Vec<Paid>>,
    /// Escrows of the treasury's, by owner and sequence.
    pub aside: BTreeMap<(AccountId, u32), Aside>,
    /// What came to anybody out of the treasury: when, from, drops.
    pub came: BTreeMap<AccountId, Vec<(u32, &'static str, u64)>>,
    /// Moves along links: when, from, to, drops.
    pub moves: Vec<(u32, &'static str, &'static str, u64)>,
    /// Balances, whenever they changed: when, drops.
    pub balances: BTreeMap<&'static str, Vec<(u32, u64)>>,
    /// What each account burned, by type of transaction.
    pub fees: BTreeMap<(&'static str, &'static str), Burned>,
    /// What was burned each day.
    pub burned_by_day: BTreeMap<u32, u64>,
    /// Ledgers.
    pub ledgers: u32,
    /// Transactions of the treasury's that failed with a fee, by account and result.
    pub failed: BTreeMap<(&'static str, String), u32>,
}

impl Truth {
    /// Of a treasury that begins with this ledger.
    #[must_use]
    pub fn new(cast: &Cast, first: &ClosedLedger) -> Self {
        let names = SIGNED.into_iter().chain(["runner"]).map(|name| (cast.id(name), name)).collect();
        let mut truth = Self {
            names,
            people: SIGNERS.iter().map(|name| cast.id(name)).collect(),
            paid: BTreeMap::new(),
            aside: BTreeMap::new(),
            came: BTreeMap::new(),
            moves: Vec::new(),
            balances: BTreeMap::new(),
            fees: BTreeMap::new(),
            burned_by_day: BTreeMap::new(),
            ledgers: 0,
            failed: BTreeMap::new(),
        };
        truth.weigh(first);
        truth
    }

    /// A ledger has closed.
    pub fn take(&mut self, closed: &ClosedLedger) {
        self.ledgers += 1;
        for tx in &closed.transactions {
            self.transaction(closed.header.close_time.0, tx);
        }
        self.weigh(closed);
    }

    /// What an account has.
    #[must_use]
    pub fn balance(&self, name: &str) -> u64 {
        self.balances.get(name).and_then(|all| all.last()).map_or(0, |(_, drops)| *drops)
    }

    fn weigh(&mut self, closed: &ClosedLedger) {
        for (account, name) in &self.names {
            let root = closed.state.object(&index::account_root(account));
            let drops = root.and_then(|root| root.drops(sf::Balance)).map_or(0, |drops| drops.get());
            let all = self.balances.entry(name).or_default();
            if all.last().is_none_or(|(_, last)| *last != drops) {
                all.push((closed.header.close_time.0, drops));
            }
        }
    }

    fn transaction(&mut self, now: u32, tx: &ClosedTx) {
        let account = tx.tx().account();
        let name = self.names.get(&account).copied();
        if let Some(name) = name {
            let burned = self.fees.entry((name, tx.tx().tx_type().name())).or_default();
            burned.count += 1;
            burned.drops += tx.tx().fee().get();
            *self.burned_by_day.entry(now / 86_400).or_default() += tx.tx().fee().get();
            if !tx.result.is_tes() {
                *self.failed.entry((name, tx.result.name().to_owned())).or_default() += 1;
            }
        }
        if !tx.result.is_tes() {
            return;
        }
        let signers = sign::signers(tx.tx()).unwrap_or_default();
        let people = signers.iter().filter(|signer| self.people.contains(&signer.account)).count();
        match TxBody::parse_lossy(tx.tx()) {
            Ok(TxBody::Payment(payment)) => {
                let (Some(from), Amount::Xrp(drops)) = (name, payment.amount) else { return };
                let drops = drops.get();
                match (self.names.get(&payment.destination), payment.destination_tag) {
                    (Some(to), None) => self.moves.push((now, from, to, drops)),
                    (_, Some(tag)) => {
                        self.paid.entry(tag).or_default().push(Paid { at: now, people, drops });
                    }
                    (None, None) => {}
                }
                self.came.entry(payment.destination).or_default().push((now, from, drops));
            }
            Ok(TxBody::EscrowCreate(create)) if name.is_some() => {
                let Amount::Xrp(drops) = create.amount else { return };
                let (tag, destination) = (create.destination_tag, create.destination);
                let aside =
                    Aside { tag, destination, drops: drops.get(), people, finished: None, returned: None };
                self.aside.insert((account, tx.tx().seq().value()), aside);
            }
            Ok(TxBody::EscrowFinish(finish)) => {
                let from = self.names.get(&finish.owner).copied().unwrap_or("?");
                let Some(aside) = self.aside.get_mut(&(finish.owner, finish.offer_sequence)) else { return };
                aside.finished = Some(now);
                let (people, drops) = (aside.people, aside.drops);
                if let Some(tag) = aside.tag {
                    self.paid.entry(tag).or_default().push(Paid { at: now, people, drops });
                }
                self.came.entry(aside.destination).or_default().push((now, from, drops));
            }
            Ok(TxBody::EscrowCancel(cancel)) => {
                if let Some(aside) = self.aside.get_mut(&(cancel.owner, cancel.offer_sequence)) {
                    aside.returned = Some(now);
                }
            }
            _ => {}
        }
    }

    /// What came to an account out of the treasury, in drops.
    #[must_use]
    pub fn came_to(&self, account: &AccountId) -> u64 {
        self.came.get(account).into_iter().flatten().map(|(_, _, drops)| drops).sum()
    }

    /// The most that came to an account out of the treasury within so many seconds.
    #[must_use]
    pub fn came_within(&self, account: &AccountId, seconds: u32) -> u64 {
        let all: &[(u32, &str, u64)] = self.came.get(account).map_or(&[], Vec::as_slice);
        let ends = all.iter().map(|(end, ..)| *end);
        let within = ends.map(|end| {
            let inside = all.iter().filter(|(at, ..)| *at <= end && end - at < seconds);
            inside.map(|(_, _, drops)| drops).sum()
        });
        within.max().unwrap_or(0)
    }

    /// What became of the escrow with this tag.
    #[must_use]
    pub fn aside_of(&self, tag: u32) -> Option<&Aside> {
        self.aside.values().find(|aside| aside.tag == Some(tag))
    }

    /// Of the time from `since` to `until`, the share in which the account was within the band, in XRP.
    #[must_use]
    pub fn within_band(&self, name: &str, (low, high): (u64, u64), (since, until): (u32, u32)) -> f64 {
        let all: &[(u32, u64)] = self.balances.get(name).map_or(&[], Vec::as_slice);
        let ends = all.iter().skip(1).map(|(at, _)| *at).chain([until]);
        let (mut inside, mut whole) = (0_u64, 0_u64);
        for ((at, drops), end) in all.iter().zip(ends) {
            let seconds = u64::from(end.min(until).saturating_sub((*at).max(since)));
            whole += seconds;
            if (low * 1_000_000..=high * 1_000_000).contains(drops) {
                inside += seconds;
            }
        }
        if whole == 0 { 1.0 } else { inside as f64 / whole as f64 }
    }

    /// Every kind of transaction that burned fees, whoever's.
    #[must_use]
    pub fn burned(&self) -> u64 {
        self.fees.values().map(|burned| burned.drops).sum()
    }

    /// How many transactions of a type there were.
    #[must_use]
    pub fn count(&self, kind: TransactionType) -> u64 {
        let of_kind = self.fees.iter().filter(|((_, name), _)| *name == kind.name());
        of_kind.map(|(_, burned)| burned.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use xrpl_harness::embedded::{CloseTime, GenesisConfig, Ledger};

    use super::*;

    /// A truth of a ledger on which nobody has anything, and these balances of hot's.
    fn with(balances: &[(u32, u64)]) -> Truth {
        let mut ledger = Ledger::genesis(GenesisConfig::default());
        let mut truth = Truth::new(&Cast::new(1), &ledger.close(CloseTime::Next));
        truth.balances.insert("hot", balances.iter().map(|(at, xrp)| (*at, xrp * 1_000_000)).collect());
        truth
    }

    #[test]
    fn the_share_of_time_within_a_band_is_by_seconds_and_of_the_time_that_is_asked_about() {
        let truth = with(&[(0, 5), (100, 20), (300, 5), (400, 0)]);
        for ((since, until), share) in
            [((0, 400), 0.5), ((0, 100), 1.0), ((100, 300), 0.0), ((200, 400), 0.5), ((300, 500), 0.5)]
        {
            let found = truth.within_band("hot", (1, 10), (since, until));
            assert!((found - share).abs() < 1e-9, "from {since} until {until}: {found}");
        }
        assert!((truth.within_band("hot", (0, 20), (0, 400)) - 1.0).abs() < 1e-9, "bounds are within");
    }

    #[test]
    fn what_comes_within_a_time_is_the_most_of_any_such_time() {
        let mut truth = with(&[]);
        let thief = Cast::new(1).id("thief");
        truth.came.insert(thief, vec![(10, "hot", 3), (20, "hot", 4), (110, "hot", 5)]);
        for (seconds, most) in [(1, 5), (11, 7), (90, 7), (91, 9), (101, 12)] {
            assert_eq!(truth.came_within(&thief, seconds), most, "{seconds}");
        }
        assert_eq!(truth.came_to(&thief), 12);
    }
}
