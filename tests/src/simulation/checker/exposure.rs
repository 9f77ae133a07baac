//! Nobody takes more than was said that they could: whoever has captured one thing, and whoever asks and has only agents sign.

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::State;
use treasury_core::config::Treasury;
use treasury_core::exposure::{Captured, Exposure, Most, Surroundings, exposure};
use treasury_core::observe::{RootView, SignerListView, TrustLineView};
use treasury_core::state::AccountView;
use treasury_core::units::{AccountId, Asset, Hash256, Weight};
use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::entry::LedgerEntry;
use xrpl_wire::{Amount, LedgerEntryType, TransactionType, TxBody, index, sf, sign};

use super::ledger::above;
use super::{Checker, Outflow, Rule, units_of};
use crate::simulation::cast::PEOPLE;

/// What captured things took, and what they could.
#[derive(Default)]
pub(super) struct Thefts {
    /// Transactions that were made with one captured thing and nothing else.
    made: BTreeMap<Hash256, Captured>,
    /// What left because one person asked and nobody else signed: by daemon, person, account and asset.
    asked: BTreeMap<(usize, String, AccountId, Asset), Vec<Outflow>>,
    /// The treasury's accounts after the ledger before.
    standing: State,
}

impl Thefts {
    pub(super) fn new(treasury: &Treasury, first: &ClosedLedger) -> Self {
        Self { standing: standing(treasury, first), ..Self::default() }
    }
}

impl Checker {
    /// Somebody has captured this and sends a transaction of a treasury account with it.
    pub fn stolen(&mut self, tx_id: Hash256, captured: Captured) {
        self.foreign(tx_id);
        self.thefts.made.insert(tx_id, captured);
    }

    /// A transaction of a treasury account is in a ledger: what it took, if somebody did.
    pub(super) fn was_taken<E>(&mut self, closed: &ClosedLedger, tx: &ClosedTx, body: &Result<TxBody, E>) {
        let (amount, tag) = match body {
            Ok(TxBody::Payment(payment)) => (&payment.amount, payment.destination_tag),
            Ok(TxBody::EscrowCreate(create)) => (&create.amount, create.destination_tag),
            _ => return,
        };
        if !tx.result.is_tes() {
            return;
        }
        if let Some(captured) = self.thefts.made.get(&tx.id).cloned() {
            self.is_open_to(closed, tx, &captured);
            return;
        }
        let asker = tag.and_then(|tag| self.intents.get(&tag)).map(|intent| intent.asker.clone());
        let Some(asker) = asker.filter(|asker| self.nobody_else_signed(tx, asker)) else { return };
        self.is_within_reach(closed, tx, asker, *amount);
    }

    /// All of a ledger has been looked at: how the accounts stand from now on.
    pub(super) fn stand(&mut self, closed: &ClosedLedger) {
        let changes = |tx: &ClosedTx| {
            let kind = tx.tx().tx_type();
            let changes =
                [TransactionType::SignerListSet, TransactionType::SetRegularKey, TransactionType::AccountSet];
            changes.contains(&kind) && self.treasury.accounts.contains_key(&tx.tx().account())
        };
        if closed.transactions.iter().any(|tx| changes(tx)) {
            self.thefts.standing = standing(&self.treasury, closed);
        }
    }

    /// With a captured thing that opens the account all of it may be taken, and with any other nothing.
    fn is_open_to(&mut self, closed: &ClosedLedger, tx: &ClosedTx, captured: &Captured) {
        let account = tx.tx().account();
        let opens = |found: Exposure| {
            let mut takes = found.takes.iter().filter(|take| take.account == account);
            takes.any(|take| matches!(take.most, Most::Everything { .. }))
        };
        // A SignerList may have changed within this ledger.
        if self.told(closed, captured).into_iter().any(opens) {
            self.reached.push("what one captured thing opens was taken");
            return;
        }
        let what = format!("{captured:?} took from {} what it cannot", self.cast.name(&account));
        self.broken(Rule::LimitsOfExposure, what);
    }

    /// What left because this person asked is within what is said that the person can take.
    fn is_within_reach(&mut self, closed: &ClosedLedger, tx: &ClosedTx, asker: String, paid: Amount) {
        let (of, drops) = (paid.issue(), units_of(paid));
        let account = tx.tx().account();
        let daemon = self.sender(tx);
        let outflows = self.thefts.asked.entry((daemon, asker.clone(), account, of)).or_default();
        outflows.push((closed.header.close_time.0, drops));
        let outflows = outflows.clone();
        let within = |found: Exposure| {
            let mut takes = found.takes.into_iter().filter(|take| take.account == account);
            takes.any(|take| match take.most {
                Most::Everything { .. } => true,
                Most::Waiting(_) => false,
                Most::Limited { asset, to_anybody, .. } => {
                    asset == of
                        && to_anybody.one.is_none_or(|one| drops <= units_of(one))
                        && to_anybody
                            .periods
                            .iter()
                            .all(|(seconds, most)| above(&outflows, *seconds, units_of(*most)).is_none())
                }
            })
        };
        if self.told(closed, &Captured::Person(asker.clone())).into_iter().any(within) {
            self.reached.push("agents signed what one person asked for");
            return;
        }
        let what = format!(
            "{asker} alone had {} of {} leave, above what they can take",
            paid.words(),
            self.cast.name(&account)
        );
        self.broken(Rule::LimitsOfExposure, what);
    }

    fn nobody_else_signed(&self, tx: &ClosedTx, asker: &str) -> bool {
        let signers = sign::signers(tx.tx()).unwrap_or_default();
        let people: BTreeSet<&str> = signers.iter().map(|signer| self.cast.name(&signer.account)).collect();
        !signers.is_empty() && people.iter().all(|name| *name == asker || !PEOPLE.contains(name))
    }

    /// What is said of it, by how the accounts stood before this ledger and stand after it.
    fn told(&self, closed: &ClosedLedger, captured: &Captured) -> [Exposure; 2] {
        let around = Surroundings::default();
        let now = standing(&self.treasury, closed);
        [&self.thefts.standing, &now].map(|state| exposure(&self.treasury, state, &around, captured))
    }
}

/// The treasury's accounts as they are on the ledger.
fn standing(treasury: &Treasury, closed: &ClosedLedger) -> State {
    let mut state = State::default();
    for account in treasury.accounts.keys() {
        let root = closed.state.object(&index::account_root(account)).and_then(|root| {
            Some(RootView {
                balance: root.drops(sf::Balance)?,
                sequence: root.u32(sf::Sequence)?,
                owner_count: root.u32(sf::OwnerCount)?,
                flags: root.u32(sf::Flags)?,
                regular_key: root.account(sf::RegularKey),
                transfer_rate: Some(root.u32(sf::TransferRate).unwrap_or_default()),
            })
        });
        let list = closed.state.object(&index::signer_list(account));
        let list = list.and_then(|list| match LedgerEntry::from_object(list) {
            Ok(LedgerEntry::SignerList(list)) => Some(SignerListView {
                quorum: Weight(list.quorum),
                entries: list.entries.iter().map(|entry| (entry.account, entry.weight)).collect(),
            }),
            _ => None,
        });
        let view = AccountView { root, signer_list: list, ..AccountView::default() };
        state.accounts.insert(*account, AccountView { trust_lines: Some(lines_of(closed, account)), ..view });
    }
    state
}

fn lines_of(closed: &ClosedLedger, account: &AccountId) -> BTreeMap<Asset, TrustLineView> {
    let lines = closed.state.iter().filter_map(|(_, entry)| match entry.entry_type() {
        Some(LedgerEntryType::RippleState) => match LedgerEntry::from_object(entry.object()) {
            Ok(LedgerEntry::RippleState(line)) => Some(line),
            _ => None,
        },
        _ => None,
    });
    let sides = lines.flat_map(|line| TrustLineView::sides(&line));
    sides.filter(|(of, ..)| of == account).filter_map(|(_, asset, side)| Some((asset, side?))).collect()
}
