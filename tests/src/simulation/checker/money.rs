//! What must be true of the treasury's money: moves neither overfill nor empty an account, and what daemons have
//! counted is what the ledger shows.
//!
//! When a daemon decided on a move cannot be seen from outside. But it was decided in some ledger of the time that
//! a move can live, and whatever moves came since were decided before it or with it in mind; so there has to be a
//! ledger from which the account, with nothing but those, would be where it may be. What others brought or took
//! since then is nobody's fault.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use treasury_core::Treasury;
use treasury_core::config::{FindingKind, Keeps};
use treasury_core::observe::TrustLineView;
use treasury_core::state::State;
use treasury_core::units::{AccountId, Asset, RippleTime};
use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::entry::LedgerEntry;
use xrpl_wire::{Amount, TxBody, sf};

use super::{Checker, Holding, Rule, units_of};
use crate::simulation::cast::ROLLING_SECONDS;

/// Ledgers from the decision on a move to the last in which it can be applied: it waits for a Ticket as long as its
/// deadline at most, and then lives up to its LastLedgerSequence. A daemon may be some ledgers behind.
const MOVE_LEDGERS: u32 = 600;

/// The same for one that goes through an escrow: to the end of the time in which that can be finished.
const DELAYED_MOVE_LEDGERS: u32 = 1_700;

/// Whose decision brought or took money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// A move of a daemon's.
    Move(usize),
    /// An intent's payment.
    Asked(u32),
}

/// One ledger's part of what happened to an account.
#[derive(Clone, Debug)]
struct Turn {
    index: u32,
    /// By how much the balance changed.
    change: i128,
    /// What of it somebody decided who must keep it in mind.
    flows: Vec<(Flow, i128)>,
}

/// What came to an account and left it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tide {
    balance: u64,
    turns: VecDeque<Turn>,
    /// Of the ledger that is being looked at.
    flows: Vec<(Flow, i128)>,
    delayed: bool,
}

/// The treasury's accounts in their first ledger.
pub(super) fn tides(treasury: &Treasury, first: &ClosedLedger) -> BTreeMap<Holding, Tide> {
    let assets: BTreeSet<Asset> = treasury.links.iter().map(|link| link.asset).collect();
    let places = treasury.accounts.keys().flat_map(|account| assets.iter().map(|asset| (*account, *asset)));
    let tide = |place: Holding| Tide { balance: balance(first, &place), ..Tide::default() };
    places.map(|place| (place, tide(place))).collect()
}

fn balance(closed: &ClosedLedger, (account, asset): &Holding) -> u64 {
    if let Asset::Issued { currency, issuer } = asset {
        let line = closed.state.object(&xrpl_wire::index::trust_line(account, issuer, currency));
        let Some(Ok(LedgerEntry::RippleState(line))) = line.map(LedgerEntry::from_object) else { return 0 };
        let sides = TrustLineView::sides(&line).into_iter();
        let held = sides.filter(|(of, ..)| of == account).find_map(|(_, asset, side)| side?.held(asset));
        return held.map_or(0, units_of);
    }
    let root = closed.state.object(&xrpl_wire::index::account_root(account));
    root.and_then(|root| root.drops(sf::Balance)).map_or(0, |drops| drops.get())
}

impl Checker {
    /// Money went from one account, and to another where it was not put aside.
    pub(super) fn flows(&mut self, flow: Flow, from: AccountId, to: Option<AccountId>, amount: Amount) {
        let (asset, drops) = (amount.issue(), units_of(amount));
        if let Some(tide) = self.tides.get_mut(&(from, asset)) {
            tide.flows.push((flow, -i128::from(drops)));
        }
        if let Some(tide) = to.and_then(|to| self.tides.get_mut(&(to, asset))) {
            tide.flows.push((flow, i128::from(drops)));
        }
    }

    /// Money that had been put aside came to an account.
    pub(super) fn flows_in(&mut self, flow: Flow, to: AccountId, drops: u64) {
        if let Some(tide) = self.tides.get_mut(&(to, Asset::Xrp)) {
            tide.flows.push((flow, i128::from(drops)));
            tide.delayed = true;
        }
    }

    /// When the ledger that is looked at closed.
    pub(super) fn keeps_time(&mut self) {
        self.times.insert(self.index, self.close_time);
        while self.times.first_key_value().is_some_and(|(at, _)| at + DELAYED_MOVE_LEDGERS < self.index) {
            self.times.pop_first();
        }
    }

    /// When a ledger closed; the first that is known where that is later.
    fn time_of(&self, index: u32) -> u32 {
        self.times.range(index..).next().map_or(self.close_time, |(_, time)| *time)
    }

    /// All of a ledger has been looked at: where the accounts stand.
    pub(super) fn turn(&mut self, closed: &ClosedLedger) {
        if closed.transactions.is_empty() {
            return;
        }
        let index = closed.header.index;
        let mut moved = Vec::new();
        for (account, tide) in &mut self.tides {
            let now = balance(closed, account);
            let change = i128::from(now) - i128::from(tide.balance);
            let flows = std::mem::take(&mut tide.flows);
            tide.balance = now;
            let delayed = std::mem::take(&mut tide.delayed);
            for (flow, drops) in &flows {
                if let Flow::Move(daemon) = flow {
                    moved.push((*account, *daemon, *drops > 0, delayed));
                }
            }
            if change != 0 || !flows.is_empty() {
                tide.turns.push_back(Turn { index, change, flows });
            }
            let oldest = index.saturating_sub(DELAYED_MOVE_LEDGERS);
            while tide.turns.front().is_some_and(|turn| turn.index < oldest) {
                tide.turns.pop_front();
            }
        }
        moved.dedup();
        for (account, daemon, came, delayed) in moved {
            let life = if delayed { DELAYED_MOVE_LEDGERS } else { MOVE_LEDGERS };
            if came {
                self.not_overfilled(account, daemon, index.saturating_sub(life));
            } else {
                self.floor_kept(account, daemon, index.saturating_sub(life));
            }
        }
    }

    fn not_overfilled(&mut self, place: Holding, daemon: usize, since: u32) {
        let (account, asset) = place;
        let links = self.treasury.links.iter().filter(|link| (link.to, link.asset) == place);
        let targets = links.filter_map(|link| match link.keeps {
            Keeps::Filled { target, .. } => Some(units_of(target)),
            Keeps::Swept { .. } => None,
        });
        let Some(target) = targets.max() else { return };
        // It is filled with what links out of it pass on as well: of each a move that is under way, and the next one; and
        // those leave their floor in it.
        let onward = self.treasury.links.iter().filter(|link| (link.from, link.asset) == place);
        let onward: Vec<_> = onward.filter(|link| matches!(link.keeps, Keeps::Filled { .. })).collect();
        let kept = onward.iter().map(|link| units_of(link.source_floor)).max().unwrap_or_default();
        let passed_on: u64 = onward.iter().map(|link| 2 * units_of(link.move_max)).sum();
        let for_dates = self.filled_for_dates(account, asset, self.time_of(since));
        let ceiling = target.max(kept) + passed_on + for_dates;
        let excuse = self.unforeseen(place, daemon, since).0;
        let balance = self.tides.get(&place).map_or(0, |tide| tide.balance);
        if i128::from(balance) > i128::from(ceiling) + excuse {
            let name = self.cast.name(&account);
            let what = format!(
                "daemon {daemon} filled {name} to {balance} drops; its ceiling is {ceiling}, others brought {excuse}"
            );
            self.broken(Rule::NoOverfill, what);
        }
    }

    fn floor_kept(&mut self, place: Holding, daemon: usize, since: u32) {
        let account = place.0;
        let links = self.treasury.links.iter().filter(|link| (link.from, link.asset) == place);
        let Some(floor) = links.map(|link| units_of(link.source_floor)).max() else { return };
        let excuse = self.unforeseen(place, daemon, since).1;
        let balance = self.tides.get(&place).map_or(0, |tide| tide.balance);
        if i128::from(balance) + excuse < i128::from(floor) {
            let name = self.cast.name(&account);
            let what = format!(
                "daemon {daemon} took {name} to {balance} drops; its floor is {floor}, others took {excuse}"
            );
            self.broken(Rule::FloorsKept, what);
        }
    }

    /// The most that others brought to the account, and the most that they took, from a ledger since `since` up to
    /// now. Others are all whose doing the daemon could not know when it last decided on a move.
    fn unforeseen(&self, place: Holding, daemon: usize, since: u32) -> (i128, i128) {
        let Some(tide) = self.tides.get(&place) else { return (0, 0) };
        let known = |flow: &Flow| match flow {
            Flow::Move(by) => *by == daemon,
            Flow::Asked(tag) => {
                let ours = self.intents.get(tag).is_some_and(|intent| intent.daemon == daemon);
                ours && self.acknowledged.get(tag).is_some_and(|at| *at < since)
            }
        };
        let (mut sum, mut brought, mut took) = (0, 0, 0);
        for turn in tide.turns.iter().rev().take_while(|turn| turn.index >= since) {
            let foreseen: i128 =
                turn.flows.iter().filter(|(flow, _)| known(flow)).map(|(_, drops)| drops).sum();
            sum += turn.change - foreseen;
            brought = sum.max(brought);
            took = (-sum).max(took);
        }
        (brought, took)
    }

    /// A transaction of a treasury account is in a ledger: what left by it.
    pub(super) fn goes<E>(&mut self, tx: &ClosedTx, body: &Result<TxBody, E>) {
        let account = tx.tx().account();
        let amount = match body {
            Ok(TxBody::Payment(payment)) if payment.destination != account => &payment.amount,
            Ok(TxBody::EscrowCreate(create)) => &create.amount,
            _ => return,
        };
        if !amount.is_xrp() && tx.result.is_tes() && self.foreign.contains(&tx.id) {
            self.reached.push("an issued asset is paid by hand");
        }
        if tx.result.is_tes() {
            let gone = (self.index, self.close_time, units_of(*amount));
            self.gone.entry((account, amount.issue())).or_default().push(gone);
        }
    }

    /// What a daemon has counted of what left, which its rolling limits rest on.
    pub(super) fn counted(&mut self, daemon: usize, state: &State) {
        let Some(cursor) = state.ledger else { return };
        let from = *self.counts_from.entry(daemon).or_insert(cursor.close_time.0);
        let since = cursor.close_time.0.saturating_sub(ROLLING_SECONDS);
        let mut wrong = Vec::new();
        for place @ (account, asset) in self.tides.keys() {
            let missing = |kind| {
                let found = state.findings.values().rev();
                found.filter(|found| found.kind == kind).any(|found| found.at.close_time.0 >= since)
            };
            if since <= from || missing(FindingKind::HistoryMissing) {
                continue;
            }
            let within = self.gone.get(place).into_iter().flatten().rev();
            let within = within
                .skip_while(|(index, ..)| *index > cursor.index.0)
                .take_while(|(_, at, _)| *at >= since)
                .map(|(_, _, drops)| drops);
            let gone: u64 = within.sum();
            let counted = units_of(state.book.moved(account, *asset, RippleTime(since)));
            if counted != gone {
                let name = self.cast.name(account);
                wrong.push(format!(
                    "daemon {daemon} counts {counted} of {asset} that left {name}; {gone} did"
                ));
            }
        }
        for what in wrong {
            self.broken(Rule::MoneyCounted, what);
        }
    }
}
