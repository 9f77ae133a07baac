//! What was acknowledged stays known, and everything ends.

use treasury_core::command::{Actor, Answer, Command, CommandError};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::state::{Guard, State};
use treasury_core::units::{Asset, ProposalId};
use treasury_core::waits::waits;
use treasuryd::store::Archive;

use super::{Checker, Rule, Stopped};

impl Checker {
    /// Somebody asks a daemon for something. Whether it was done is not known yet; what it may undo is no
    /// longer demanded from here on.
    pub fn asked(&mut self, daemon: usize, actor: &Actor, command: &Command) {
        match command {
            Command::Retract { proposal } | Command::Reject { proposal, .. } => {
                let signer = self.cast.id(&actor.person);
                self.approvals.remove(&(daemon, *proposal, signer));
            }
            Command::Lift { stops, .. } => {
                self.looked_after(daemon);
                self.stops.retain(|(of, stop), _| *of != daemon || !stops.contains(stop));
            }
            Command::Clear { proposal, .. } => {
                self.looked_after(daemon);
                self.lifts(daemon, Stopped::Proposal(*proposal));
            }
            Command::Unfreeze { account, .. } => {
                self.looked_after(daemon);
                self.lifts(daemon, Stopped::Account(*account));
            }
            _ => {}
        }
    }

    /// Where several stand, each has to be named, and such a request is refused.
    fn lifts(&mut self, daemon: usize, what: Stopped) {
        if self.stops.iter().filter(|((of, _), stopped)| *of == daemon && **stopped == what).count() > 1 {
            return;
        }
        self.stops.retain(|(of, _), stopped| *of != daemon || *stopped != what);
    }

    /// A daemon has answered: what it acknowledges is durable.
    pub fn answered(
        &mut self,
        daemon: usize,
        tag: Option<u32>,
        command: &Command,
        answer: &Result<Answer, CommandError>,
    ) {
        let Ok(answer) = answer else { return };
        match (command, answer) {
            (Command::Propose(propose), Answer::Proposed { .. })
                if matches!(propose.amount.issue(), Asset::Mpt(_)) =>
            {
                let what =
                    format!("daemon {daemon} takes {} on, which it pays to nobody", propose.amount.words());
                self.broken(Rule::PolicyKept, what);
            }
            (Command::Propose(_), Answer::Proposed { proposal }) => {
                let Some(tag) = tag else { return };
                let Some(intent) = self.intents.get_mut(&tag) else { return };
                self.acknowledged.entry(tag).or_insert(self.index);
                let known = intent.proposal.replace(*proposal);
                if known.is_some_and(|known| known != *proposal) {
                    let what = format!("intent {tag} is {proposal}, and was {known:?}");
                    self.broken(Rule::OncePerIntent, what);
                }
            }
            (Command::Approve { proposal, signatures }, _) => {
                self.approvals.insert((daemon, *proposal, signatures.signer));
            }
            (Command::Flag { proposal, .. }, Answer::Stopped { stop, .. }) => {
                self.stops.insert((daemon, *stop), Stopped::Proposal(*proposal));
            }
            (Command::Freeze { account, .. }, Answer::Stopped { stop, .. }) => {
                self.stops.insert((daemon, *stop), Stopped::Account(*account));
            }
            (Command::Withdraw { proposal }, _) => {
                self.withdrawn.insert((daemon, *proposal));
            }
            (Command::Void { proposal, .. }, _) => {
                self.voided.insert((daemon, *proposal));
            }
            (Command::Panic { .. }, Answer::Panicked(found)) => {
                self.stops.insert((daemon, found.freeze), Stopped::Account(None));
                self.withdrawn.extend(found.ended.iter().map(|proposal| (daemon, *proposal)));
                self.voided.extend(found.voiding.iter().map(|proposal| (daemon, *proposal)));
            }
            _ => {}
        }
    }

    /// What a daemon shows to people is what it has acknowledged.
    pub fn looked(&mut self, daemon: usize, state: &State, archive: &Archive) {
        self.counted(daemon, state);
        let mut missing = Vec::new();
        let archived = |id: ProposalId| archive.get(id).ok().flatten().map(|found| found.proposal);
        for (tag, known) in self.intents.iter().filter(|(_, intent)| intent.daemon == daemon) {
            let Some(id) = known.proposal else { continue };
            let kept = state.proposals.get(&id).cloned().or_else(|| archived(id));
            if !kept.is_some_and(|proposal| is_of(&proposal, *tag)) {
                missing.push(format!("{id}, which is intent {tag}"));
            }
        }
        for (_, id, signer) in self.approvals.iter().filter(|(of, ..)| *of == daemon) {
            // What has left the state has ended.
            let gone = state.proposals.get(id).map_or(archived(*id).is_none(), |proposal| {
                let collects = matches!(proposal.status, Status::Collecting | Status::Ready);
                collects && !proposal.approvals.contains_key(signer)
            });
            if gone {
                missing.push(format!("the approval of {id} by {}", self.cast.name(signer)));
            }
        }
        for ((_, id), what) in self.stops.iter().filter(|((of, _), _)| *of == daemon) {
            let over = matches!(what, Stopped::Proposal(proposal) if archived(*proposal).is_some());
            if state.stops.get(*id).is_none() && !over {
                missing.push(format!("the stop {id} on {what:?}"));
            }
        }
        for (_, id) in self.withdrawn.iter().filter(|(of, _)| *of == daemon) {
            let kept = state.proposals.get(id).cloned().or_else(|| archived(*id));
            if kept.is_none_or(|kept| !kept.status.is_final() && !kept.is_being_voided()) {
                missing.push(format!("that {id} was withdrawn"));
            }
        }
        for what in missing {
            let what = format!("daemon {daemon} acknowledged and no longer knows {what}");
            self.broken(Rule::AcknowledgedKept, what);
        }
    }

    /// All is well again, and everything had time: what is still open must say what people have to do.
    /// `probes` are intents that nothing speaks against, and that must have been applied.
    pub fn ended(&mut self, daemon: usize, state: &State, probes: &[u32]) {
        let mut open = Vec::new();
        for id in &state.open {
            let Some(proposal) = state.proposals.get(id) else { continue };
            let waits = waits(&self.treasury, state, proposal);
            // What was planned has a LastLedgerSequence and ends with it; what was not waits for a Ticket.
            let over = proposal.plan.as_ref().is_some_and(|plan| {
                state.ledger.is_some_and(|cursor| cursor.index >= plan.last_ledger_sequence)
            });
            if waits.is_empty() || over {
                let (kind, word) = (proposal.intent.kind(), proposal.status.word());
                open.push(format!("{id} ({kind:?}) is {word} and waits for {waits:?}"));
            }
        }
        for key in &state.standing {
            let Some(tracked) = state.escrows.get(key) else { continue };
            let over = tracked.view.cancel_after.is_some_and(|cancel_after| state.now() > cancel_after);
            let ours = matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. });
            if ours && over {
                open.push(format!("escrow {key} still stands: {:?}", tracked.guard));
            }
        }
        for tag in probes {
            if self.applied.get(tag).is_none_or(Vec::is_empty) {
                let proposal = self.proposal_of(*tag).and_then(|id| state.proposals.get(&id));
                let what =
                    proposal.map(|proposal| (proposal.status.word(), waits(&self.treasury, state, proposal)));
                open.push(format!("intent {tag}, which nothing speaks against, was not applied: {what:?}"));
            }
        }
        for what in open {
            self.broken(Rule::AllEnds, format!("daemon {daemon}: {what}"));
        }
    }

    /// A daemon has started again. `before` is what it knew when it died, if all of that was durable.
    pub fn booted(&mut self, daemon: usize, before: Option<&State>, state: &State, archive: &Archive) {
        if let Some(before) = before.filter(|before| *before != state) {
            let what = format!(
                "daemon {daemon} replays {} proposals at {:?} and had {} at {:?}",
                state.proposals.len(),
                state.ledger,
                before.proposals.len(),
                before.ledger
            );
            self.broken(Rule::LogIntact, what);
        }
        self.looked(daemon, state, archive);
    }
}

fn is_of(proposal: &Proposal, tag: u32) -> bool {
    proposal.intent.movement().is_some_and(|movement| movement.destination_tag == Some(tag))
}
