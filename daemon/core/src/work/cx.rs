//! The step under way: state, what has followed so far, and what lives only as long as the process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::apply::ApplyError;
use crate::model::command::Asked;
use crate::model::config::{FindingKind, Treasury};
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::intent::Origin;
use crate::model::observe::{Change, LedgerPoint};
use crate::model::proposal::Proposal;
use crate::model::state::Archived;
use crate::model::state::State;
use crate::model::units::{AccountId, Asset, Drops, EscrowKey, LedgerIndex, ProposalId, RippleTime};
use crate::rules::clock::Skew;
use crate::rules::gate::{self, Act};

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Facts, to be made durable in one append.
    pub events: Vec<Event>,
    /// Requests, to be released after that.
    pub effects: Vec<Effect>,
    /// What has left the state, for the archive.
    pub retired: Vec<Archived>,
}

/// What lives only as long as the process: nothing that may be lost with it.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// Wall time of the last validated ledger, in milliseconds.
    pub(crate) ledger_wall_ms: Option<u64>,
    /// UTC as the host told it last, and the wall time of that moment in milliseconds.
    pub(crate) utc: Option<(RippleTime, u64)>,
    /// The network's present price of the open ledger, for a reference transaction.
    pub(crate) open_ledger_fee: Option<Drops>,
    /// Proposals for which a signer has been asked and has not answered.
    pub(crate) asked: BTreeSet<ProposalId>,
    /// Proposals for which a round of signing came to less than was asked for, and the ledger at that time: they
    /// are not asked for again before the next one.
    pub(crate) signed_short: BTreeMap<ProposalId, LedgerIndex>,
    /// Answers to submissions that the breakers have counted.
    pub(crate) counted: BTreeSet<(ProposalId, String)>,
    /// Not before this ledger time: the next try to end that escrow.
    pub(crate) escrow_retry: BTreeMap<EscrowKey, RippleTime>,
    /// Not before this ledger time: the next refill of that account's Tickets.
    pub(crate) ticket_retry: BTreeMap<AccountId, RippleTime>,
    /// Accounts whose state has been asked for.
    pub(crate) reading: BTreeSet<AccountId>,
    /// Whether no ledger has been taken in since this process lost sight: whatever a server says of the last
    /// one may be as old as the loss.
    pub(crate) stale: bool,
    /// Whether what is declared otherwise than it was read has been let go.
    pub(crate) let_go: bool,
    /// Whether everything has been asked for since sight was lost.
    pub(crate) reading_all: bool,
    /// Accounts about which something has changed since the daemon's own errands were last looked at. So
    /// a ledger costs by what it changes and not by how many accounts there are.
    pub(crate) touched: BTreeSet<AccountId>,
    /// Whether every account has been looked at since something changed that concerns them all.
    pub(crate) looked_at_all: bool,
    /// Accounts that have a pool of Tickets, as the configuration says that all steps since were made with.
    pub(crate) pools: Option<BTreeSet<AccountId>>,
    /// Accounts whose SignerList has changed since its signers were last looked at.
    pub(crate) lists: BTreeSet<AccountId>,
    /// Escrows that were looked at for whether they are the daemon's own.
    pub(crate) looked_at: BTreeSet<EscrowKey>,
    /// The last ended proposal that was looked at, of those that may leave the state, and the last escrow.
    pub(crate) retired_to: Option<ProposalId>,
    pub(crate) forgotten_to: Option<EscrowKey>,
    /// Signers in SignerLists, and destinations of escrows, whose accounts have not been seen yet.
    pub(crate) unknown: BTreeSet<AccountId>,
    /// When it was last looked at how long the money lasts.
    pub(crate) forecast: Option<RippleTime>,
    /// Accounts and assets whose runway is still to be looked at since then.
    pub(crate) runways: Vec<(AccountId, Asset)>,
    /// What somebody did that is found where it comes too often. A start forgets it.
    pub(crate) bursts: BTreeMap<(FindingKind, String), Seen>,
    /// How long the host's clock has been apart from the ledger's.
    pub(crate) skewed: Option<Skewed>,
    /// Since which wall time the ledger has not been seen, in milliseconds, and whether that was found.
    pub(crate) blind: Option<(u64, bool)>,
    /// When it was last looked who has to show that they have their keys.
    pub(crate) drills: Option<RippleTime>,
    /// The rules that tell nobody, as they were looked at last.
    pub(crate) silenced: Option<Vec<String>>,
    /// Whether the configuration is another since what it declares of accounts was last held against them.
    pub(crate) declared_anew: bool,
}

/// A clock that is apart from the ledger's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skewed {
    /// Since which wall time, in milliseconds.
    pub(crate) since_ms: u64,
    /// UTC by the host's clock at that time.
    pub(crate) since: RippleTime,
    /// By how much it was then.
    pub(crate) skew: Skew,
    /// Whether it was found.
    pub(crate) found: bool,
}

/// Something that somebody does again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// When, oldest first, since it was found last.
    pub(crate) times: VecDeque<RippleTime>,
    /// When it was found last.
    pub(crate) found: Option<RippleTime>,
}

impl Runtime {
    /// For a process that has just started.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps are made with another configuration from now on.
    pub fn declared_anew(&mut self) {
        self.pools = None;
        self.looked_at_all = false;
        self.forecast = None;
        self.drills = None;
        self.runways = Vec::new();
        self.declared_anew = true;
    }

    /// Nothing is done any more for an escrow that has ended.
    fn forget(&mut self, escrow: &EscrowKey) {
        self.escrow_retry.remove(escrow);
        self.looked_at.remove(escrow);
    }

    /// Notes whom a fact concerns.
    fn note(&mut self, state: &State, event: &Event) {
        match event {
            Event::LedgerTaken { observation, .. } => {
                let pools = self.pools.as_ref();
                let touched = observation.changes.iter().map(Change::account);
                self.touched
                    .extend(touched.filter(|account| pools.is_none_or(|pools| pools.contains(account))));
                for change in &observation.changes {
                    match change {
                        Change::SignerList { account, .. } => {
                            self.lists.insert(*account);
                        }
                        Change::EscrowDeleted { key, .. } => self.forget(key),
                        _ => {}
                    }
                }
            }
            Event::AccountsRead { accounts, .. } => {
                self.escrow_retry.retain(|key, _| state.standing.contains(key));
                self.looked_at.retain(|key| state.standing.contains(key));
                self.touched.extend(accounts.iter().map(|read| read.account));
                self.lists.extend(accounts.iter().map(|read| read.account));
            }
            Event::ProposalPlanned { proposal, .. }
            | Event::ProposalEnded { proposal, .. }
            | Event::SlotFreed { proposal, .. } => {
                self.touched.extend(state.proposals.get(proposal).map(|proposal| proposal.account));
            }
            Event::SightChanged { .. } | Event::BreakerClosed { .. } | Event::StopLifted { .. } => {
                self.looked_at_all = false;
            }
            _ => {}
        }
    }
}

/// The step under way.
pub(crate) struct Cx<'a> {
    pub(crate) config: &'a Treasury,
    pub(crate) state: &'a mut State,
    pub(crate) runtime: &'a mut Runtime,
    /// What the archive has of the proposal that a request names, where it is not in the state any more.
    pub(crate) archived: Option<Box<Proposal>>,
    /// By which way came what is being carried out.
    pub(crate) origin: Origin,
    output: Output,
    defect: Option<ApplyError>,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(config: &'a Treasury, state: &'a mut State, runtime: &'a mut Runtime) -> Self {
        Self {
            config,
            state,
            runtime,
            archived: None,
            origin: Origin::Daemon,
            output: Output::default(),
            defect: None,
        }
    }

    /// What has come of the step.
    pub(crate) fn finish(self) -> Result<Output, ApplyError> {
        match self.defect {
            Some(defect) => Err(defect),
            None => {
                let retired = self.state.take_retired();
                Ok(Output { retired, ..self.output })
            }
        }
    }

    /// States a fact: applies it and keeps it for the append.
    pub(crate) fn emit(&mut self, event: Event) {
        if self.defect.is_some() {
            return;
        }
        let fees = self.state.fees;
        match self.state.apply(&event) {
            Ok(()) => {
                self.runtime.note(self.state, &event);
                self.runtime.looked_at_all &= fees == self.state.fees;
                self.output.events.push(event);
            }
            Err(defect) => self.defect = Some(defect),
        }
    }

    /// States who asked for the facts of this step, before all of them. Where nothing followed, nothing was asked for that
    /// a record has to name.
    pub(crate) fn taken(&mut self, asked: Asked) {
        if !self.output.events.is_empty() {
            self.output.events.insert(0, Event::CommandTaken { asked });
        }
    }

    /// Asks the world for something, once the facts are durable.
    pub(crate) fn effect(&mut self, effect: Effect) {
        self.output.effects.push(effect);
    }

    /// The cursor. Callers run only after a ledger has been taken in; before that there is no proposal
    /// and no escrow, and a point of zeros compares as the distant past.
    pub(crate) fn point(&self) -> LedgerPoint {
        self.state.ledger.unwrap_or(LedgerPoint::ZERO)
    }

    /// Whether what had not left was called back in this step.
    pub(crate) fn is_recalled(&self) -> bool {
        self.output.effects.contains(&Effect::Recall)
    }

    /// Asks the gate.
    pub(crate) fn may_leave(&self, proposal: &Proposal) -> bool {
        gate::may_leave(self.config, self.state, Act::of(proposal)).is_empty()
    }

    /// Whether signers of this proposal have been asked in this ledger and did not all sign.
    pub(crate) fn rests(&self, id: ProposalId) -> bool {
        self.runtime.signed_short.get(&id) == Some(&self.point().index)
    }

    pub(crate) fn now(&self) -> RippleTime {
        self.state.now()
    }
}
