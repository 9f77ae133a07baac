//! How each fact changes the state. Total: an event that does not fit is a typed error that names both,
//! and leaves the state as it was.

use std::collections::BTreeSet;

use crate::model::event::{Event, HoldSource};
use crate::model::intent::{Asker, Movement};
use crate::model::observe::{AccountSnapshot, Change, LedgerObservation, LedgerPoint};
use crate::model::proposal::{NOT_SENT, Proposal, SENDING, Status};
use crate::model::shadow::Shadowing;
use crate::model::signing::Purpose;
use crate::model::state::{Archived, Breaker, BreakerKey, Guard, State, TrackedEscrow};
use crate::model::stops::{Stop, StopKind, StopSource, Subject};
use crate::model::units::{AccountId, EscrowKey, ProposalId, RippleTime, StopId};

/// An event that does not fit the state: the record is damaged, or the daemon has a defect. Either way
/// nothing further may follow from this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event {event} does not fit: {problem}")]
pub struct ApplyError {
    /// The event's word.
    pub event: &'static str,
    /// What does not fit.
    pub problem: String,
}

impl State {
    /// Takes in one fact.
    ///
    /// # Errors
    /// Where the event does not fit the state, which is then unchanged.
    pub fn apply(&mut self, event: &Event) -> Result<(), ApplyError> {
        self.try_apply(event).map_err(|problem| ApplyError { event: event.word(), problem })
    }

    fn try_apply(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::LedgerTaken { observation, taken } => self.take_ledger(observation, *taken)?,
            Event::AccountsRead { at, accounts, taken } => {
                let cursor = *self.ledger.get_or_insert(*at);
                if cursor.index != at.index {
                    return Err(format!("accounts of ledger {} at cursor {}", at.index, cursor.index));
                }
                let seen_at = taken.unwrap_or(at.close_time).max(at.close_time);
                accounts.iter().for_each(|account| self.read_account(*at, seen_at, account));
            }
            Event::SightChanged { sight } => self.sight_changed(sight),
            Event::ProposalDrafted { proposal, idempotency_key } => {
                self.add_proposal(proposal, idempotency_key)?;
            }
            Event::Redecided { proposal, decision } => {
                self.in_status(*proposal, &["drafted"])?.decision = decision.clone();
            }
            Event::ProposalPlanned { proposal, plan } => {
                let entry = self.in_status(*proposal, &["drafted"])?;
                let slot = (entry.account, plan.slot);
                if let Some(other) = self.slots.get(&slot) {
                    return Err(format!("{other} has that slot"));
                }
                self.slots.insert(slot, *proposal);
                let entry = self.in_status(*proposal, &["drafted"])?;
                entry.plan = Some(plan.clone());
                entry.status = Status::Assessed;
            }
            Event::RungsFrozen { proposal, rungs, digests, condition, key_version, void } => {
                let entry = self.in_status(*proposal, &["assessed"])?;
                let plan = entry.plan.as_mut().ok_or("it has no plan")?;
                plan.rungs.clone_from(rungs);
                plan.digests.clone_from(digests);
                plan.condition.clone_from(condition);
                plan.void.clone_from(void);
                if let Some(delay) = &mut plan.delay {
                    delay.key_version = *key_version;
                }
                entry.status = Status::Collecting;
            }
            Event::Approved { proposal, approval } => {
                let entry = self.in_status(*proposal, &["collecting", "ready"])?;
                entry.rejections.retain(|_, rejection| rejection.signer != Some(approval.signer));
                entry.kept_for_void.remove(&approval.signer);
                entry.approvals.insert(approval.signer, approval.clone());
                approval.proof(*proposal).into_iter().for_each(|proof| self.proven(approval.signer, proof));
            }
            Event::ApprovalDropped { proposal, signer, .. } => {
                let entry = self.in_status(*proposal, &["collecting", "ready", "in_flight"])?;
                let mut dropped = entry.approvals.remove(signer).ok_or("there is no such approval")?;
                if !dropped.void_signatures.is_empty() {
                    dropped.signatures.clear();
                    entry.kept_for_void.insert(*signer, dropped);
                }
            }
            Event::Objected { proposal, person, rejection } => {
                self.proposal_mut(*proposal)?.rejections.insert(person.clone(), rejection.clone());
            }
            Event::SignerUnable { signer, reason: Some(reason) } => {
                self.unable.insert(*signer, reason.clone());
            }
            Event::SignerUnable { signer, reason: None } => {
                self.unable.remove(signer).ok_or("it was able to sign")?;
            }
            Event::GuardSaid { proposal, refusal } => self.guard_said(*proposal, refusal.as_ref())?,
            Event::StatusChanged { proposal, ready } => {
                let entry = self.in_status(*proposal, &["collecting", "ready"])?;
                entry.status = if *ready { Status::Ready } else { Status::Collecting };
            }
            Event::SubmissionRecorded { proposal, submission } => {
                // A single-signed proposal never collects: its key signs when it is about to be sent.
                let entry = self.in_status(*proposal, &["ready", "collecting"])?;
                entry.status = Status::InFlight(submission.clone());
                if submission.purpose == Purpose::Pay
                    && let Some(entry) =
                        self.proposals.get(proposal).filter(|entry| entry.intent.link().is_none())
                {
                    self.book.comes(entry);
                }
            }
            Event::SubmissionRenewed { proposal, submission } => {
                let entry = self.in_status(*proposal, &["in_flight"])?;
                entry.status = Status::InFlight(submission.clone());
            }
            Event::RungChosen { proposal, rung } => {
                let entry = self.in_status(*proposal, &["in_flight"])?;
                let Status::InFlight(submission) = &mut entry.status else {
                    return Err("not in flight".into());
                };
                if *rung >= submission.rungs.len() {
                    return Err(format!("there is no rung {rung}"));
                }
                submission.current = *rung;
            }
            Event::SubmitReplied { proposal, reply } => {
                let entry = self.in_status(*proposal, &["in_flight"])?;
                if let Status::InFlight(submission) = &mut entry.status {
                    // That one sending was called back says nothing about those before it.
                    let nothing_left =
                        matches!(submission.last_reply.as_deref(), None | Some(NOT_SENT | SENDING));
                    if reply != NOT_SENT || nothing_left {
                        submission.last_reply = Some(reply.clone());
                    }
                }
            }
            Event::ProposalEnded { proposal, status, frees_slot } => {
                if !status.is_final() {
                    return Err(format!("{} is not an end", status.word()));
                }
                let entry = self.proposal_mut(*proposal)?;
                if entry.status.is_final() {
                    return Err(format!("{proposal} has ended already"));
                }
                // Since when nothing of it has left the daemon.
                let unsent = match &entry.status {
                    Status::InFlight(submission) if !submission.may_have_left() => Some(submission.since),
                    _ => None,
                };
                entry.status = status.clone();
                let went = match (entry.intent.movement(), status) {
                    (Some(Movement { link: Some(link), amount, .. }), Status::Validated(outcome)) => {
                        Some((link.to_owned(), entry.account, outcome.at.close_time, amount))
                    }
                    _ => None,
                };
                if let Some(escrow) = entry.intent.ended_escrow() {
                    self.no_longer_attempts(&escrow, *proposal, unsent);
                }
                if let Some((link, from, at, amount)) = went {
                    self.book.went(&link, from, at, amount);
                }
                self.count_paid(*proposal);
                self.open.remove(proposal);
                self.ended.insert(*proposal, self.now());
                if *frees_slot {
                    self.free_slot(*proposal);
                }
            }
            Event::SlotFreed { proposal, paid } => {
                if !self.proposal_mut(*proposal)?.status.is_final() {
                    return Err(format!("{proposal} is open"));
                }
                self.free_slot(*proposal);
                if let (Some(at), Some(ended)) = (paid, self.proposals.get(proposal)) {
                    self.book.paid(ended, at.close_time);
                    if let Some(Movement { link: Some(link), amount, .. }) = ended.intent.movement() {
                        self.book.went(link, ended.account, at.close_time, amount);
                    }
                }
            }
            Event::ProposalArchived { proposal } => self.archive(*proposal)?,
            Event::EscrowForgotten { escrow } => {
                if self.standing.contains(escrow) {
                    return Err(format!("{escrow} stands"));
                }
                self.escrows.remove(escrow).ok_or_else(|| format!("there is no escrow {escrow}"))?;
                self.end_stops_on(&Subject::Escrow(*escrow))?;
            }
            Event::StopSet { stop } => self.stops.set(stop.clone())?,
            Event::StopLifted { id, by, reason, at } => self.lift(*id, by, reason, *at)?,
            Event::HoldPlaced { proposal, id, hold } => {
                // An attempt is one of many; what was meant is the escrow.
                let escrow = self.proposal_mut(*proposal)?.intent.ended_escrow();
                let subject = escrow.map_or(Subject::Proposal(*proposal), Subject::Escrow);
                let source = match &hold.source {
                    HoldSource::Person(name) => StopSource::Person(name.clone()),
                    HoldSource::Finding(finding) => StopSource::Finding(*finding),
                };
                let stop = self.stops.next_id();
                self.set_earlier(subject, StopKind::Hold, source, &hold.reason, hold.at)?;
                self.earlier.holds.insert(id.0, stop);
            }
            Event::HoldCleared { id, by, .. } => {
                let stop = self.earlier.holds.remove(&id.0).ok_or("there is no such hold")?;
                self.lift(stop, by, "", self.cursor())?;
            }
            Event::EscrowRecognised { escrow, proposal } => {
                let tracked = self.escrow_mut(escrow)?;
                if tracked.guard != Guard::Foreign {
                    return Err(format!("{escrow} is known already, or has ended"));
                }
                tracked.guard = Guard::Locked { proposal: proposal.id, preparing: None };
                let view = tracked.view.clone();
                self.stands_as_own(&view);
                self.add_proposal(proposal, &None)?;
            }
            Event::AttemptChanged { escrow, attempt } => match &mut self.escrow_mut(escrow)?.guard {
                Guard::Locked { preparing, .. } => *preparing = *attempt,
                Guard::Releasing { attempt: current, .. } => *current = *attempt,
                _ => return Err(format!("{escrow} is not the daemon's to end")),
            },
            Event::EscrowRevealed { escrow, attempt, at } => {
                let tracked = self.escrow_mut(escrow)?;
                match tracked.guard {
                    Guard::Locked { proposal, .. } => {
                        tracked.guard =
                            Guard::Releasing { proposal, revealed_at: *at, attempt: Some(*attempt) };
                    }
                    _ => return Err(format!("{escrow} is not locked")),
                }
            }
            Event::Frozen { account, freeze } => {
                let source = match freeze.by.as_str() {
                    "treasuryd" => StopSource::Daemon,
                    name => StopSource::Person(name.to_owned()),
                };
                self.set_earlier(frozen(account), StopKind::Freeze, source, &freeze.reason, freeze.at)?;
            }
            Event::Unfrozen { account, by } => {
                let subject = frozen(account);
                let freezes = self.stops.on(&subject).filter(|stop| stop.kind == StopKind::Freeze);
                let freezes: Vec<StopId> = freezes.map(|stop| stop.id).collect();
                if freezes.is_empty() {
                    return Err("there is no such freeze".to_owned());
                }
                freezes.into_iter().try_for_each(|id| self.lift(id, by, "", self.cursor()))?;
            }
            Event::Found { finding } => self.remember(finding),
            Event::FindingAcknowledged { id, acknowledged } => {
                if id.0 > self.last_finding {
                    return Err("there is no such finding".to_owned());
                }
                // An earlier version may have kept it for longer.
                if let Some(finding) = self.findings.get_mut(id) {
                    finding.acknowledged = Some(acknowledged.clone());
                }
            }
            Event::FindingOver { id, at } => {
                if let Some(finding) = self.findings.get_mut(id) {
                    finding.over = Some(*at);
                }
            }
            Event::BreakerCounted { account, cause, failures } => {
                let key = BreakerKey { account: *account, cause: *cause };
                let breaker = self.breakers.entry(key).or_default();
                breaker.failures = *failures;
                if *breaker == Breaker::default() {
                    self.breakers.remove(&key);
                }
            }
            Event::BreakerOpened { account, cause, at, reason } => {
                let key = BreakerKey { account: *account, cause: *cause };
                self.breakers.entry(key).or_default().open = Some((*at, reason.clone()));
            }
            Event::BreakerClosed { account, .. } => {
                self.breakers.retain(|key, _| account.is_some() && key.account != *account);
            }
            Event::DrillAsked { signer, drill } => drop(self.drills.insert(*signer, *drill)),
            Event::DrillEnded { signer, proof } => self.drill_ended(*signer, *proof)?,
            Event::ScheduleReached { schedule, through, day } => self.reached(schedule, *through, *day),
            Event::RunwayChanged { account, asset, below_days } => {
                self.runs_short(*account, *asset, *below_days)?;
            }
            Event::AccountsForgotten { accounts } => self.forget_accounts(accounts)?,
            Event::ScheduleGone { schedule } => {
                self.scheduled.get_mut(schedule).ok_or("it was not there")?.gone = true;
            }
            Event::PolicyAdopted { table, at } => self.charter.adopt(table, *at)?,
            Event::PolicyProposed { table, at } => self.charter.propose(table, *at)?,
            Event::PolicyEndorsed { policy, by, endorsement: given, .. } => {
                self.charter.endorse(*policy, by, given)?
            }
            Event::PolicyActivated { policy, at } => self.charter.activate(*policy, *at)?,
            Event::PolicyWithdrawn { policy } => self.charter.withdraw(*policy)?,
            Event::DestinationsAdopted { destinations, at } => self.address_book.adopt(destinations, *at)?,
            Event::DestinationProposed { destination, at } => self.address_book.propose(*destination, *at)?,
            Event::DestinationConfirmed { destination: to, by, endorsement: given, .. } => {
                self.address_book.confirm(*to, by, given)?
            }
            Event::DestinationAdmitted { destination, at } => self.address_book.admit(*destination, *at)?,
            Event::DestinationWithdrawn { destination } => self.address_book.withdraw(*destination)?,
            // They say who asked for what the other facts say, and who looks after what was told.
            Event::CommandTaken { .. } | Event::NoticesAcknowledged { .. } => {}
        }
        Ok(())
    }

    fn add_proposal(&mut self, proposal: &Proposal, idempotency_key: &Option<String>) -> Result<(), String> {
        if proposal.id.0 != self.last_proposal.saturating_add(1) {
            return Err(format!("{} after P{}", proposal.id, self.last_proposal));
        }
        self.last_proposal = proposal.id.0;
        Shadowing::count(&mut self.shadowing, proposal);
        if let (Some(key), Asker::Person(person)) = (idempotency_key, &proposal.asker) {
            self.idempotency.insert((person.clone(), key.clone()), proposal.id);
        }
        if proposal.status.is_final() {
            self.ended.insert(proposal.id, self.now());
        } else {
            self.open.insert(proposal.id);
            self.book.promise(proposal);
        }
        self.by_account.entry(proposal.account).or_default().insert(proposal.id);
        if let Some(link) = proposal.intent.link() {
            self.moves.entry(link.to_owned()).or_default().insert(proposal.id);
        }
        let mut kept = proposal.clone();
        kept.idempotency_key.clone_from(idempotency_key);
        self.proposals.insert(proposal.id, kept);
        self.count_paid(proposal.id);
        Ok(())
    }

    /// Counts what a proposal paid that is in a validated ledger.
    fn count_paid(&mut self, id: ProposalId) {
        if let Some(proposal) = self.proposals.get(&id)
            && let Status::Validated(outcome) = &proposal.status
        {
            self.book.paid(proposal, outcome.at.close_time);
        }
    }

    /// Takes an ended proposal, the escrow that it made, and all that points to either, out of the state.
    fn archive(&mut self, id: ProposalId) -> Result<(), String> {
        let proposal = self.proposals.get(&id).ok_or_else(|| format!("there is no {id}"))?;
        if !proposal.status.is_final() || self.holds_slot(proposal) {
            return Err(format!("{id} is open, or what was signed for it can be applied"));
        }
        let made = proposal.release_inputs().map(|inputs| inputs.escrow);
        if made.is_some_and(|escrow| self.standing.contains(&escrow)) {
            return Err(format!("the escrow that {id} made stands"));
        }
        let Some(proposal) = self.proposals.remove(&id) else { return Ok(()) };
        self.ended.remove(&id);
        if let Some(of_account) = self.by_account.get_mut(&proposal.account) {
            of_account.remove(&id);
        }
        if let Some(link) = proposal.intent.link()
            && let Some(moves) = self.moves.get_mut(link)
        {
            moves.remove(&id);
        }
        if let (Asker::Person(person), Some(key)) = (&proposal.asker, &proposal.idempotency_key) {
            self.idempotency.remove(&(person.clone(), key.clone()));
        }
        // Another proposal may have made an escrow with the same Sequence since: then this one's never came to be.
        let is_its_own = |escrow: &EscrowKey| {
            self.escrows.get(escrow).is_some_and(|tracked| tracked.guard.proposal() == Some(id))
        };
        let escrow = made.filter(is_its_own).and_then(|escrow| self.escrows.remove(&escrow));
        self.end_stops_on(&Subject::Proposal(id))?;
        if let Some(escrow) = &escrow {
            self.end_stops_on(&Subject::Escrow(escrow.view.key))?;
        }
        let ended = self.archived.entry(proposal.status.word().to_owned()).or_default();
        *ended = ended.saturating_add(1);
        self.retire(Archived { proposal, escrow });
        Ok(())
    }

    /// What a stop was on is gone, and there is nothing left for it to stop.
    fn end_stops_on(&mut self, subject: &Subject) -> Result<(), String> {
        let at = self.cursor();
        let standing: Vec<StopId> = self.stops.on(subject).map(|stop| stop.id).collect();
        standing
            .into_iter()
            .try_for_each(|id| self.stops.lift(id, "treasuryd", "what it was on has ended", at))
    }

    /// Lifts a stop. Somebody has then looked at the account that it was on, and at all that was found before.
    fn lift(&mut self, id: StopId, by: &str, reason: &str, at: LedgerPoint) -> Result<(), String> {
        if let Some(Stop { subject: Subject::Account(account), at: since, .. }) = self.stops.get(id)
            && self.robbed.get(account).is_some_and(|robbed| robbed.index <= since.index)
        {
            self.robbed.remove(account);
        }
        self.stops.lift(id, by, reason, at)
    }

    /// A stop as records of earlier versions tell of it.
    fn set_earlier(
        &mut self,
        subject: Subject,
        kind: StopKind,
        source: StopSource,
        reason: &str,
        at: LedgerPoint,
    ) -> Result<(), String> {
        let id = self.stops.next_id();
        self.stops.set(Stop { id, subject, kind, source, origin: None, reason: reason.to_owned(), at })
    }

    fn take_ledger(
        &mut self,
        observation: &LedgerObservation,
        taken: Option<RippleTime>,
    ) -> Result<(), String> {
        if let Some(cursor) = self.ledger {
            if observation.point.index != cursor.index.plus(1) {
                return Err(format!("ledger {} after {}", observation.point.index, cursor.index));
            }
            if observation.parent_hash != cursor.hash {
                return Err(format!("ledger {} does not follow {}", observation.point.index, cursor.hash));
            }
        }
        let (accounts, by_account) = (&self.accounts, &self.by_account);
        // What strangers spend is theirs, and may be something in every ledger: they mostly have no SignerList, own no
        // Tickets here, and nothing is proposed of them.
        let sends = |account: &AccountId| observation.transactions.iter().any(|tx| tx.account == *account);
        let balance = |account: &AccountId| {
            let view = accounts.get(account)?;
            let ours = view.signer_list.is_some()
                || !view.tickets.is_empty()
                || by_account.contains_key(account)
                || sends(account);
            view.root.filter(|_| ours).map(|root| root.balance)
        };
        self.book.take(observation, balance, |account, asset| accounts.get(account)?.held(asset));
        self.ledger = Some(observation.point);
        self.fees = Some(observation.fees);
        let seen_at = taken.unwrap_or(observation.point.close_time).max(observation.point.close_time);
        for change in &observation.changes {
            self.take_change(observation.point, seen_at, change);
        }
        let touched = observation.opaque.iter().flat_map(|opaque| &opaque.accounts);
        self.unproven |= observation.unproven;
        self.doubtful.extend(touched.filter(|account| self.accounts.contains_key(account)));
        Ok(())
    }

    fn take_change(&mut self, at: LedgerPoint, seen_at: RippleTime, change: &Change) {
        // What is known of an account begins with its reading; a change alone would be half of a view, and
        // the reading that comes will have it.
        let Some(view) = self.accounts.get_mut(&change.account()) else { return };
        match change {
            Change::Root { root, .. } => view.root = *root,
            Change::Settings { settings, .. } => view.settings = Some(settings.clone()),
            Change::SignerList { list, .. } => view.signer_list.clone_from(list),
            Change::TicketCreated { ticket, .. } => {
                view.tickets.insert(*ticket);
            }
            Change::TicketDeleted { ticket, .. } => {
                view.tickets.remove(ticket);
            }
            Change::TrustLine { asset, line, .. } => view.take_line(*asset, *line),
            Change::EscrowCreated { escrow } => self.track(at, seen_at, escrow),
            Change::EscrowDeleted { key, tx_id, tx_type } => {
                if let Some(tracked) = self.escrows.get_mut(key) {
                    let proposal = tracked.guard.proposal();
                    if proposal.is_some() && tx_type == "EscrowFinish" {
                        self.book.received(tracked.view.destination, at.close_time);
                    }
                    tracked.guard = match tx_type.as_str() {
                        "EscrowFinish" => Guard::Released { proposal, tx_id: *tx_id, at },
                        "EscrowCancel" => Guard::Cancelled { proposal, tx_id: *tx_id, at },
                        _ => Guard::Gone { proposal, at },
                    };
                }
                self.no_longer_stands(key);
            }
        }
    }

    fn read_account(&mut self, at: LedgerPoint, seen_at: RippleTime, snapshot: &AccountSnapshot) {
        // What is gone since it was known last has left in a way that could not be read.
        let had =
            self.accounts.get(&snapshot.account).and_then(|view| view.root).map(|root| root.balance.get());
        let has = snapshot.root.map_or(0, |root| root.balance.get());
        if let Some(left) = had.and_then(|had| had.checked_sub(has)).filter(|left| *left > 0) {
            self.book.left(snapshot.account, at.close_time, left);
        }
        if let Some((known, read)) = self.accounts.get(&snapshot.account).zip(snapshot.trust_lines.as_ref()) {
            let had = known.trust_lines.iter().flatten();
            let had = had.filter_map(|(asset, line)| Some((*asset, line.held(*asset)?)));
            let gone = had.filter_map(|(asset, had)| {
                let has = read.get(&asset).and_then(|line| line.held(asset)).unwrap_or(asset.nothing());
                had.less(&has).filter(|gone| *gone > asset.nothing())
            });
            for gone in gone.collect::<Vec<_>>() {
                self.book.leaves(snapshot.account, at.close_time, gone);
            }
        }
        self.doubtful.remove(&snapshot.account);
        let view = self.accounts.entry(snapshot.account).or_default();
        view.root = snapshot.root;
        view.signer_list.clone_from(&snapshot.signer_list);
        view.tickets.clone_from(&snapshot.tickets);
        view.settings.clone_from(&snapshot.settings);
        if snapshot.trust_lines.is_some() {
            view.trust_lines.clone_from(&snapshot.trust_lines);
        }
        let on_ledger: BTreeSet<EscrowKey> = snapshot.escrows.iter().map(|escrow| escrow.key).collect();
        let gone: Vec<EscrowKey> =
            self.standing_of(&snapshot.account).filter(|key| !on_ledger.contains(key)).collect();
        for key in gone {
            self.no_longer_stands(&key);
            if let Some(tracked) = self.escrows.get_mut(&key) {
                tracked.guard = Guard::Gone { proposal: tracked.guard.proposal(), at };
            }
        }
        for escrow in &snapshot.escrows {
            if !self.standing.contains(&escrow.key) {
                self.track(at, seen_at, escrow);
            }
        }
    }

    /// An attempt to end an escrow is over. Where nothing of it has left, its fulfillment is as secret as before.
    fn no_longer_attempts(&mut self, escrow: &EscrowKey, ended: ProposalId, unsent: Option<LedgerPoint>) {
        let Some(tracked) = self.escrows.get_mut(escrow) else { return };
        if let Guard::Locked { preparing: attempt, .. } | Guard::Releasing { attempt, .. } =
            &mut tracked.guard
            && *attempt == Some(ended)
        {
            *attempt = None;
            // Only of the attempt that revealed it: what an earlier one carried is public.
            if let Guard::Releasing { proposal, revealed_at, .. } = tracked.guard
                && unsent == Some(revealed_at)
            {
                tracked.guard = Guard::Locked { proposal, preparing: None };
            }
        }
    }

    fn free_slot(&mut self, id: ProposalId) {
        let Some(proposal) = self.proposals.get(&id) else { return };
        self.book.settle(proposal);
        let Some(plan) = &proposal.plan else { return };
        let slot = (proposal.account, plan.slot);
        if self.slots.get(&slot) == Some(&id) {
            self.slots.remove(&slot);
        }
    }

    fn proposal_mut(&mut self, id: ProposalId) -> Result<&mut Proposal, String> {
        self.proposals.get_mut(&id).ok_or_else(|| format!("there is no {id}"))
    }

    fn escrow_mut(&mut self, key: &EscrowKey) -> Result<&mut TrackedEscrow, String> {
        self.escrows.get_mut(key).ok_or_else(|| format!("there is no escrow {key}"))
    }

    fn in_status(&mut self, id: ProposalId, words: &[&str]) -> Result<&mut Proposal, String> {
        let entry = self.proposal_mut(id)?;
        let word = entry.status.word();
        if words.contains(&word) { Ok(entry) } else { Err(format!("{id} is {word}")) }
    }
}

/// What a freeze of earlier versions was on.
fn frozen(account: &Option<AccountId>) -> Subject {
    account.map_or(Subject::Everything, Subject::Account)
}
