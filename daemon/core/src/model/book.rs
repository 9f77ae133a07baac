//! The book of commitments: money that has been promised, is in flight, or has moved.
//!
//! Money enters it once, when a proposal is drafted or when the ledger shows that it left, and leaves it only by proof
//! that it cannot move any more, or when its time is past. Rolling sums and the planning of moves read this and
//! nothing else, at a cost that does not grow with history.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::moved::Moved;
pub use crate::model::moved::WINDOW_MAX_SECONDS;
use crate::model::observe::{Change, LedgerObservation};
use crate::model::payments::Payments;
use crate::model::promises::Promises;
use crate::model::proposal::Proposal;
use crate::model::units::{AccountId, Amount, Asset, Drops, ProposalId, RippleTime};

/// Commitments, by account and asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// What may still leave an account.
    leaving: BTreeMap<AccountId, Promises>,
    /// What may still come to an account by proposals.
    coming: BTreeMap<AccountId, Promises>,
    /// What has left an account.
    moved: BTreeMap<AccountId, BTreeMap<Asset, Moved>>,
    /// What tier links have moved, by their names: it outlives the moves, and a link's absence from the configuration.
    by_link: BTreeMap<String, BTreeMap<Asset, Moved>>,
    /// What proposals have paid and may still pay, by whom and to whom.
    payments: Payments,
    /// Of what has left an account, what schedules asked for.
    #[serde(default)]
    scheduled: BTreeMap<AccountId, BTreeMap<Asset, Moved>>,
    /// Of what has left an account, what went over links, by their names: one may have had another source before.
    #[serde(default)]
    over_links: BTreeMap<AccountId, BTreeMap<String, BTreeMap<Asset, Moved>>>,
}

impl Book {
    /// What open proposals, and signatures over those that ended, may still take out of the account; without this
    /// proposal's own part.
    #[must_use]
    pub fn leaving(&self, account: &AccountId, asset: Asset, without: Option<ProposalId>) -> Amount {
        sum(self.leaving.get(account), asset, without)
    }

    /// The same of every asset of which something may leave, in the order of assets.
    #[must_use]
    pub fn all_leaving(&self, account: &AccountId) -> Vec<Amount> {
        let promised = self.leaving.get(account);
        let assets: BTreeSet<Asset> = promised.map(Promises::assets).unwrap_or_default();
        assets.into_iter().map(|asset| sum(promised, asset, None)).collect()
    }

    /// What they may still bring to the account.
    #[must_use]
    pub fn coming(&self, account: &AccountId, asset: Asset) -> Amount {
        sum(self.coming.get(account), asset, None)
    }

    /// What has left the account in ledgers that closed at `since` or later, whoever made it leave; fees aside.
    #[must_use]
    pub fn moved(&self, account: &AccountId, asset: Asset, since: RippleTime) -> Amount {
        within(self.moved.get(account), asset, since)
    }

    /// What has left the account in the ledgers that closed at `since` or later, and before `until`: in all, and of that by
    /// schedules and over these links.
    #[must_use]
    pub fn gone<'a>(
        &self,
        account: &AccountId,
        asset: Asset,
        [since, until]: [RippleTime; 2],
        links: impl Iterator<Item = &'a str>,
    ) -> (Amount, Vec<Amount>) {
        let of = |moved: Option<&BTreeMap<Asset, Moved>>| {
            moved.and_then(|moved| moved.get(&asset)).map(|moved| moved.between(asset, since, until))
        };
        let over_links = self.over_links.get(account);
        let known = links.filter_map(|link| of(over_links.and_then(|links| links.get(link))));
        let known = known.chain(of(self.scheduled.get(account))).collect();
        (of(self.moved.get(account)).unwrap_or(asset.nothing()), known)
    }

    /// What the link has moved in ledgers that closed at `since` or later.
    #[must_use]
    pub fn moved_by(&self, link: &str, asset: Asset, since: RippleTime) -> Amount {
        within(self.by_link.get(link), asset, since)
    }

    /// What proposals have paid and may still pay, by whom and to whom.
    #[must_use]
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    /// What has left the account by schedules in ledgers that closed at `since` or later.
    #[must_use]
    pub fn scheduled(&self, account: &AccountId, asset: Asset, since: RippleTime) -> Amount {
        within(self.scheduled.get(account), asset, since)
    }

    /// Whether the proposal's money is in the book.
    #[must_use]
    pub fn holds(&self, proposal: &Proposal) -> bool {
        self.is_promised(&proposal.account, proposal.id)
    }

    /// Proposals that may still take something out of the account.
    pub fn promised(&self, account: &AccountId) -> impl Iterator<Item = ProposalId> + '_ {
        self.leaving.get(account).into_iter().flat_map(Promises::proposals)
    }

    /// Whether that proposal may still take something out of the account.
    #[must_use]
    pub fn is_promised(&self, account: &AccountId, id: ProposalId) -> bool {
        self.leaving.get(account).is_some_and(|promised| promised.has(id))
    }

    pub(crate) fn promise(&mut self, proposal: &Proposal) {
        let Some(movement) = proposal.intent.movement() else { return };
        self.leaving.entry(proposal.account).or_default().insert(proposal.id, movement.amount);
        if movement.link.is_some() {
            self.comes(proposal);
        }
        self.payments.promise(proposal);
    }

    /// It is on its way to the account: a move of the daemon's own as soon as it is asked for; what people asked for when it is
    /// signed, because whoever may ask would otherwise keep an account from being filled.
    pub(crate) fn comes(&mut self, proposal: &Proposal) {
        if let Some(movement) = proposal.intent.movement() {
            self.coming.entry(movement.destination).or_default().insert(proposal.id, movement.amount);
        }
    }

    /// Nothing of the proposal can move any more, or what could has moved and is counted as that.
    pub(crate) fn settle(&mut self, proposal: &Proposal) {
        self.payments.settle(proposal);
        remove(&mut self.leaving, &proposal.account, proposal.id);
        if let Some(to) = proposal.intent.destination() {
            remove(&mut self.coming, &to, proposal.id);
        }
    }

    /// Takes in what left accounts in a ledger, by transactions of their own and of others: a check that is cashed, an
    /// offer that is taken. `balance` and `line` are what each had before it, of XRP and by a trust line; of strangers, and of
    /// what is not known, nothing.
    pub(crate) fn take(
        &mut self,
        observation: &LedgerObservation,
        balance: impl Fn(&AccountId) -> Option<Drops>,
        line: impl Fn(&AccountId, Asset) -> Option<Amount>,
    ) {
        self.take_lines(observation, line);
        let mut lost: BTreeMap<AccountId, (u64, u64)> = BTreeMap::new();
        for change in &observation.changes {
            let Change::Root { account, root } = change else { continue };
            if !lost.contains_key(account)
                && let Some(had) = balance(account)
            {
                lost.insert(*account, (had.get(), 0));
            }
            let Some((had, left)) = lost.get_mut(account) else { continue };
            let has = root.map_or(0, |root| root.balance.get());
            *left = left.saturating_add(had.saturating_sub(has));
            *had = has;
        }
        for tx in &observation.transactions {
            if let Some((_, left)) = lost.get_mut(&tx.account) {
                *left = left.saturating_sub(tx.fee.get());
            }
        }
        for (account, (_, left)) in lost.into_iter().filter(|(_, (_, left))| *left > 0) {
            self.left(account, observation.point.close_time, left);
        }
    }

    /// What went out by trust lines. What an account owes by one is no money of its own, and grows without anything leaving.
    fn take_lines(
        &mut self,
        observation: &LedgerObservation,
        line: impl Fn(&AccountId, Asset) -> Option<Amount>,
    ) {
        let mut held: BTreeMap<(AccountId, Asset), Amount> = BTreeMap::new();
        for change in &observation.changes {
            let Change::TrustLine { account, asset, line: after } = change else { continue };
            let before = held.get(&(*account, *asset)).copied().or_else(|| line(account, *asset));
            let Some(before) = before else { continue };
            let has = after.and_then(|after| after.held(*asset)).unwrap_or(asset.nothing());
            if let Some(gone) = before.less(&has).filter(|gone| !gone.is_zero()) {
                self.leaves(*account, observation.point.close_time, gone);
            }
            held.insert((*account, *asset), has);
        }
    }

    /// So much XRP has left the account, as is seen now.
    pub(crate) fn left(&mut self, account: AccountId, at: RippleTime, drops: u64) {
        // More than there is counts as all that there is.
        self.leaves(account, at, Amount::Xrp(Drops::new(drops).unwrap_or(Drops::MAX)));
    }

    /// So much has left the account.
    pub(crate) fn leaves(&mut self, account: AccountId, at: RippleTime, amount: Amount) {
        let asset = amount.issue();
        let moved = self.moved.entry(account).or_default().entry(asset);
        moved.or_insert_with(|| Moved::none_of(asset)).add(at, amount);
    }

    /// The proposal's transaction is in a validated ledger that closed then.
    pub(crate) fn paid(&mut self, proposal: &Proposal, at: RippleTime) {
        self.payments.paid(proposal, at);
        if let Some(amount) = proposal.intent.amount().filter(|_| proposal.occurrence.is_some()) {
            let paid = self.scheduled.entry(proposal.account).or_default().entry(amount.issue());
            paid.or_insert_with(|| Moved::none_of(amount.issue())).add(at, amount);
        }
    }

    /// The destination has money that a proposal sent to it.
    pub(crate) fn received(&mut self, destination: AccountId, at: RippleTime) {
        self.payments.received(destination, at);
    }

    /// So much has gone out of the account over the link.
    pub(crate) fn went(&mut self, link: &str, from: AccountId, at: RippleTime, amount: Amount) {
        let asset = amount.issue();
        let of_account = self.over_links.entry(from).or_default();
        for links in [&mut self.by_link, of_account] {
            let moved = links.entry(link.to_owned()).or_default().entry(asset);
            moved.or_insert_with(|| Moved::none_of(asset)).add(at, amount);
        }
    }
}

fn within(moved: Option<&BTreeMap<Asset, Moved>>, asset: Asset, since: RippleTime) -> Amount {
    moved.and_then(|moved| moved.get(&asset)).map_or(asset.nothing(), |moved| moved.within(asset, since))
}

fn sum(promised: Option<&Promises>, asset: Asset, without: Option<ProposalId>) -> Amount {
    promised.map_or(asset.nothing(), |promised| promised.sum(asset, without))
}

fn remove(book: &mut BTreeMap<AccountId, Promises>, account: &AccountId, id: ProposalId) {
    if let Some(promised) = book.get_mut(account) {
        promised.remove(id);
        if promised.is_empty() {
            book.remove(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    const FROM: AccountId = AccountId([1; 20]);
    const TOKEN: &str = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8";

    #[test]
    fn what_moved_is_summed_for_each_asset_by_itself_and_within_a_window() {
        let mut book = Book::default();
        for (at, amount) in [
            (100, "1.5 XRP".to_owned()),
            (100, format!("0.1 {USD}")),
            (200, format!("0.2 {USD}")),
            (200, format!("7 {TOKEN}")),
            (200, "2 XRP".to_owned()),
        ] {
            book.went("link", FROM, RippleTime(at), Amount::from_words(&amount).unwrap());
        }
        let moved =
            |asset: &str, since| book.moved_by("link", asset.parse().unwrap(), RippleTime(since)).words();
        assert_eq!((moved("XRP", 0), moved("XRP", 101)), ("3.5 XRP".to_owned(), "2 XRP".to_owned()));
        assert_eq!((moved(USD, 0), moved(USD, 101)), (format!("0.3 {USD}"), format!("0.2 {USD}")));
        assert_eq!((moved(TOKEN, 0), moved(TOKEN, 201)), (format!("7 {TOKEN}"), format!("0 {TOKEN}")));
        assert_eq!(
            moved("EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", 0),
            "0 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"
        );
        let json = serde_json::to_string(&book).unwrap();
        assert_eq!(serde_json::from_str::<Book>(&json).unwrap(), book);
    }

    #[test]
    fn more_than_there_is_counts_as_all_that_there_is() {
        let mut book = Book::default();
        let account = AccountId([1; 20]);
        for at in [1, 2] {
            book.left(account, RippleTime(at), Drops::MAX.get());
        }
        assert_eq!(book.moved(&account, Asset::Xrp, RippleTime(0)), Asset::Xrp.most());
        assert_eq!(book.moved(&account, Asset::Xrp, RippleTime(2)), Asset::Xrp.most());
        assert_eq!(book.moved(&account, Asset::Xrp, RippleTime(3)), Asset::Xrp.nothing());
    }

    #[test]
    fn small_amounts_of_a_currency_count_after_a_large_one_of_another_time() {
        let mut book = Book::default();
        let usd = |value: &str| Amount::from_words(&format!("{value} {USD}")).unwrap();
        book.went("link", FROM, RippleTime(1), usd("9000000000000000"));
        for at in 100..200 {
            book.went("link", FROM, RippleTime(at), usd("0.4"));
        }
        let since = |book: &Book, at| book.moved_by("link", usd("1").issue(), RippleTime(at));
        assert_eq!(
            (since(&book, 50), since(&book, 199), since(&book, 200)),
            (usd("40"), usd("0.4"), usd("0"))
        );
        assert!(since(&book, 0) >= usd("9000000000000000"));
        book.went("link", FROM, RippleTime(1 + WINDOW_MAX_SECONDS + 50), usd("1"));
        assert_eq!(since(&book, 0), usd("41"), "what is older than every window is forgotten");
    }

    /// Danger: memory that grows with every payment that ever was asked for.
    #[test]
    fn of_what_is_settled_nothing_is_kept_and_of_what_is_promised_each_asset_is_told() {
        use crate::model::promises::Promises;
        let account = AccountId([1; 20]);
        let mut leaving = BTreeMap::from([(account, Promises::default())]);
        let promised = leaving.get_mut(&account).unwrap();
        for (id, amount) in [(1, format!("3 {USD}")), (2, "2 XRP".to_owned()), (3, format!("4 {USD}"))] {
            promised.insert(ProposalId(id), Amount::from_words(&amount).unwrap());
        }
        let mut book = Book { leaving, ..Book::default() };
        let words: Vec<String> = book.all_leaving(&account).iter().map(Amount::words).collect();
        assert_eq!(words, ["2 XRP".to_owned(), format!("7 {USD}")]);
        assert!(book.all_leaving(&AccountId([2; 20])).is_empty());
        (1..=3).for_each(|id| remove(&mut book.leaving, &account, ProposalId(id)));
        assert_eq!(book, Book::default());
    }

    proptest! {
        /// The sums go on from one to the next; whoever adds up every payment anew comes to the same, also at the edges
        /// of a window and where what is older than every window has been forgotten.
        #[test]
        fn what_moved_within_any_window_is_what_a_recount_of_every_payment_says(
            payments in prop::collection::vec((0..WINDOW_MAX_SECONDS / 8, 1..10_000_u64), 1..60),
            back in prop::collection::vec(0..=WINDOW_MAX_SECONDS, 8),
        ) {
            let mut book = Book::default();
            let account = AccountId([1; 20]);
            let (mut now, mut all) = (RippleTime(700_000_000), Vec::new());
            for (later, drops) in payments {
                now = RippleTime(now.0 + later);
                book.left(account, now, drops);
                book.went("link", FROM, now, Amount::from_words(&format!("{drops} {USD}")).unwrap());
                all.push((now, drops));
            }
            let edges = all.iter().flat_map(|(at, _)| [at.0, at.0 + 1]).filter(|at| now.0 - WINDOW_MAX_SECONDS <= *at);
            let usd: Asset = USD.parse().unwrap();
            for since in back.iter().map(|back| now.0 - back).chain(edges.collect::<Vec<_>>()).map(RippleTime) {
                let counted: u64 = all.iter().filter(|(at, _)| *at >= since).map(|(_, drops)| drops).sum();
                let moved = book.moved(&account, Asset::Xrp, since);
                prop_assert_eq!(moved, Amount::Xrp(Drops::new(counted).unwrap()));
                prop_assert_eq!(book.moved_by("link", usd, since).words(), format!("{counted} {USD}"));
            }
        }
    }
}
