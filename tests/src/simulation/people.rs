//! What people do: they ask, sign, take back, object, flag, freeze; with mistakes, and with one of them robbed.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use treasury_core::command::{Answer, Command, CommandError, Propose};
use treasury_core::input::RungSignatures;
use treasury_core::intent::Intent as Wanted;
use treasury_core::policy::NO_ESCROW;
use treasury_core::proposal::Status;
use treasury_core::stops::{StopKind, StopSource, Subject};
use treasury_core::units::{AccountId, Amount, EscrowKey, HexBytes, ProposalId, StopId};
use xrpl_wire::{KeyPair, Transaction, sign};

use super::cast::{DEADLINE_MAX_SECONDS, DELAYED_SOURCE, GUARDS, PAYEES, PEOPLE, XRP, drops};
use super::checker::Intent;
use super::node::Pending;
use super::outsiders::Outsider;
use super::world::{Due, World};

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Whatever comes to somebody's mind; and the next one later.
    Something,
    /// Whatever somebody does past the daemon; and the next one later.
    SomethingOutside,
    /// A person signs a proposal.
    Approve { daemon: usize, proposal: ProposalId, person: &'static str },
    /// A person speaks against a proposal.
    Reject { daemon: usize, proposal: ProposalId, person: &'static str },
    /// A request whose answer never came is sent again.
    AskAgain { tag: u32 },
    /// An operator of the guard's lifts what was stopped.
    GuardLifts(EscrowKey),
    /// Somebody past the daemons does this.
    Outside(Outsider),
}

/// What the people remember.
pub(super) struct People {
    next_tag: u32,
    /// Everything that was ever asked for.
    asked: Vec<(u32, usize, &'static str, Propose)>,
    /// The key that alice signs with now.
    pub(super) alice_signs_with: &'static str,
    /// Agent 1 has another key than the daemon.
    pub(super) agent_is_rotated: bool,
}

impl People {
    pub(super) fn new() -> Self {
        Self { next_tag: 1_000, asked: Vec::new(), alice_signs_with: "alice", agent_is_rotated: false }
    }
}

/// Milliseconds of a ledger, about.
pub(super) const LEDGER_MS: u64 = 4_000;

impl World {
    /// People begin to act, and go on until faults are over.
    pub(super) fn begin_acting(&mut self) {
        self.after(40 * LEDGER_MS, Due::Act(Act::Something));
        self.after(80 * LEDGER_MS, Due::Act(Act::SomethingOutside));
    }

    pub(super) async fn act(&mut self, act: Act) {
        match act {
            Act::Something => {
                if self.healed {
                    return;
                }
                self.something().await;
                let wait = self.rng.random_range(5..130) * LEDGER_MS;
                self.after(wait, Due::Act(Act::Something));
            }
            Act::SomethingOutside => {
                if self.healed {
                    return;
                }
                self.something_outside();
                let wait = self.rng.random_range(50..400) * LEDGER_MS;
                self.after(wait, Due::Act(Act::SomethingOutside));
            }
            Act::Approve { daemon, proposal, person } => self.approve(daemon, proposal, person).await,
            Act::Reject { daemon, proposal, person } => {
                self.ask(daemon, person, None, Command::Reject { proposal, reason: String::new() }).await;
            }
            Act::AskAgain { tag } => {
                let Some((_, daemon, person, propose)) =
                    self.people.asked.iter().find(|asked| asked.0 == tag).cloned()
                else {
                    return;
                };
                self.reach("people", "ask again");
                self.ask(daemon, person, Some(tag), Command::Propose(propose)).await;
            }
            Act::GuardLifts(key) => self.guard_lifts(key),
            Act::Outside(outsider) => self.outside(outsider),
        }
    }

    async fn something(&mut self) {
        let daemon = self.rng.random_range(0..self.nodes.len());
        let any = self.any_proposal(daemon);
        let person = *PEOPLE.choose(&mut self.rng).unwrap_or(&"alice");
        let reason = String::new();
        let word = match (self.rng.random_range(0..100), any) {
            (0..40, _) | (_, None) => {
                self.propose_something(daemon).await;
                "propose"
            }
            (40..58, Some(proposal)) => {
                self.approve(daemon, proposal, person).await;
                "approve"
            }
            (58..62, Some(proposal)) => {
                self.ask(daemon, person, None, Command::Retract { proposal }).await;
                "retract"
            }
            (62..66, Some(proposal)) => {
                self.ask(daemon, person, None, Command::Reject { proposal, reason }).await;
                "reject"
            }
            (66..69, Some(proposal)) => {
                let person = *["alice", "dave"].choose(&mut self.rng).unwrap_or(&"alice");
                self.ask(daemon, person, None, Command::Withdraw { proposal }).await;
                "withdraw"
            }
            (69..71, Some(proposal)) => {
                let guard = *GUARDS.choose(&mut self.rng).unwrap_or(&"dave");
                let proposal = self.any_signed(daemon).unwrap_or(proposal);
                self.ask(daemon, guard, None, Command::Void { proposal, reason }).await;
                "void"
            }
            (71..72, _) if self.rng.random_range(0..6) == 0 => {
                let guard = *GUARDS.choose(&mut self.rng).unwrap_or(&"dave");
                self.ask(daemon, guard, None, Command::Panic { reason }).await;
                "panic"
            }
            (71..78, Some(proposal)) => {
                let proposal = self.any_escrow(daemon).unwrap_or(proposal);
                let guard = *GUARDS.choose(&mut self.rng).unwrap_or(&"dave");
                self.ask(daemon, guard, None, Command::Flag { proposal, reason }).await;
                "flag"
            }
            (78..84, Some(proposal)) => {
                if self.rng.random_range(0..3) == 0 {
                    if !self.holds_what_is_flagged_elsewhere(daemon, proposal) {
                        self.ask(daemon, "dave", None, Command::Clear { proposal, reason }).await;
                    }
                } else {
                    self.lift_some(daemon).await;
                }
                "clear"
            }
            (84..86, _) => {
                let account = self.any_account();
                for guard in GUARDS {
                    if self.rng.random_bool(0.7) {
                        let reason = reason.clone();
                        self.ask(daemon, guard, None, Command::Freeze { account, reason }).await;
                    }
                }
                "freeze"
            }
            (86..92, _) => {
                self.unfreeze(daemon).await;
                "unfreeze"
            }
            (92..93, _) => {
                self.ask(daemon, "dave", None, Command::CloseBreaker { account: None }).await;
                "close breaker"
            }
            (93..94, _) => {
                self.sign_what_waits().await;
                "sign what waits"
            }
            (94..97, Some(proposal)) => {
                self.approve_badly(daemon, proposal, person).await;
                "approve badly"
            }
            _ => {
                self.ask_for_too_much(daemon, person).await;
                "ask badly"
            }
        };
        self.reach("people", word);
    }

    /// Lifts every freeze.
    pub(super) async fn unfreeze(&mut self, daemon: usize) {
        let Some(state) = self.nodes[daemon].state() else { return };
        let frozen = state.stops.all().filter(|stop| stop.kind == StopKind::Freeze);
        let stops = frozen.map(|stop| stop.id).collect();
        self.ask(daemon, "dave", None, Command::Lift { stops, reason: String::new() }).await;
    }

    /// Looks at what a finding stopped, and lets it go on.
    pub(super) async fn lift_findings(&mut self, daemon: usize) {
        let Some(state) = self.nodes[daemon].state() else { return };
        let found = state.stops.all().filter(|stop| matches!(stop.source, StopSource::Finding(_)));
        let stops = found.map(|stop| stop.id).collect();
        self.ask(daemon, "dave", None, Command::Lift { stops, reason: String::new() }).await;
    }

    /// Lifts one of the stops that stand, or several.
    async fn lift_some(&mut self, daemon: usize) {
        let Some(state) = self.nodes[daemon].state() else { return };
        let mut standing: Vec<StopId> = state.stops.all().map(|stop| stop.id).collect();
        if standing.is_empty() {
            standing.push(StopId(1_000_000));
        }
        let most = self.rng.random_range(1..=standing.len());
        let mut stops: BTreeSet<StopId> = standing.choose_multiple(&mut self.rng, most).copied().collect();
        stops.retain(|stop| !self.is_flagged_elsewhere(daemon, *stop));
        self.ask(daemon, "dave", None, Command::Lift { stops, reason: String::new() }).await;
    }

    /// The same of what a clearing of that proposal would lift.
    fn holds_what_is_flagged_elsewhere(&self, daemon: usize, proposal: ProposalId) -> bool {
        let Some(state) = self.nodes.get(daemon).and_then(|node| node.state()) else { return false };
        let Some(inputs) = state.proposals.get(&proposal).and_then(|proposal| proposal.release_inputs())
        else {
            return false;
        };
        let subject = Subject::Escrow(inputs.escrow);
        state.stops.on(&subject).any(|stop| self.is_flagged_elsewhere(daemon, stop.id))
    }

    /// Whether a stop says of an escrow that nobody knows whether somebody had stopped it, and at the other daemon somebody has,
    /// or nobody can look there. Whoever reads that looks before they lift it.
    fn is_flagged_elsewhere(&self, daemon: usize, stop: StopId) -> bool {
        let held = self.nodes.get(daemon).and_then(|node| node.state()?.stops.get(stop));
        let Some(Subject::Escrow(key)) =
            held.filter(|stop| stop.source == StopSource::Daemon).map(|stop| &stop.subject)
        else {
            return false;
        };
        let others = self.nodes.iter().enumerate().filter(|(number, _)| *number != daemon);
        others.into_iter().any(|(_, node)| {
            node.state().is_none_or(|state| {
                let maker = state.escrows.get(key).and_then(|tracked| tracked.guard.proposal());
                maker.is_some_and(|maker| state.stops.on(&Subject::Proposal(maker)).next().is_some())
            })
        })
    }

    fn any_account(&mut self) -> Option<AccountId> {
        let name = *["cold", "warm", "hot", "reserve", "runner", ""].choose(&mut self.rng)?;
        (!name.is_empty()).then(|| self.cast.id(name))
    }

    /// One of the newest proposals.
    fn any_proposal(&mut self, daemon: usize) -> Option<ProposalId> {
        let newest: Vec<ProposalId> =
            self.nodes.get(daemon)?.state()?.proposals.keys().rev().take(12).copied().collect();
        newest.choose(&mut self.rng).copied()
    }

    /// An open proposal that has signatures, or is under way.
    fn any_signed(&mut self, daemon: usize) -> Option<ProposalId> {
        let state = self.nodes.get(daemon)?.state()?;
        let open = state.open.iter().filter_map(|id| state.proposals.get(id));
        let signed: Vec<ProposalId> =
            open.filter(|proposal| !proposal.approvals.is_empty()).map(|proposal| proposal.id).collect();
        signed.choose(&mut self.rng).copied()
    }

    /// A proposal whose escrow stands.
    fn any_escrow(&mut self, daemon: usize) -> Option<ProposalId> {
        let state = self.nodes.get(daemon)?.state()?;
        let standing: Vec<ProposalId> =
            state.standing.iter().filter_map(|key| state.escrows.get(key)?.guard.proposal()).collect();
        standing.choose(&mut self.rng).copied()
    }

    async fn propose_something(&mut self, daemon: usize) {
        let account =
            ["warm", "warm", "hot", "hot", "cold", "reserve"].choose(&mut self.rng).unwrap_or(&"warm");
        let most =
            *[100_u64, 100, 400, 1_000, 4_000, 4_000, 4_000, 6_000].choose(&mut self.rng).unwrap_or(&100);
        let amount = self.rng.random_range(1..=most * XRP);
        let deadline = self.rng.random_range(200..=DEADLINE_MAX_SECONDS);
        let payee = *PAYEES.choose(&mut self.rng).unwrap_or(&"shop");
        let (account, amount, payee) = if self.rng.random_range(0..6) == 0 {
            let (euros, payee) = self.some_euros();
            ("warm", euros, payee)
        } else {
            (*account, drops(amount).into(), payee)
        };
        self.propose(daemon, account, payee, amount, Some(deadline)).await;
    }

    /// Asks for a payment, and lets people look at it in the minutes after. Answers with its tag.
    pub(super) async fn propose(
        &mut self,
        daemon: usize,
        account: &'static str,
        payee: &'static str,
        amount: Amount,
        deadline_seconds: Option<u32>,
    ) -> u32 {
        let tag = self.people.next_tag;
        self.people.next_tag += 1;
        let person = *["alice", "bob"].choose(&mut self.rng).unwrap_or(&"alice");
        let propose = Propose {
            account: self.cast.id(account),
            destination: self.cast.id(payee),
            destination_tag: Some(tag),
            amount,
            note: String::new(),
            deadline_seconds,
            idempotency_key: Some(tag.to_string()),
            inquiry: Default::default(),
        };
        let intent = Intent {
            daemon,
            asker: person.to_owned(),
            account: propose.account,
            destination: propose.destination,
            amount,
            proposal: None,
        };
        self.checker.intends(tag, intent);
        self.people.asked.push((tag, daemon, person, propose.clone()));
        self.line(format!(
            "{person} asks daemon {daemon} to pay {} from {account} to {payee}: intent {tag}",
            amount.words()
        ));
        self.ask(daemon, person, Some(tag), Command::Propose(propose)).await;
        // Where no answer came, people ask again; some ask again anyway.
        if self.checker.proposal_of(tag).is_none() || self.rng.random_range(0..10) == 0 {
            let wait = self.rng.random_range(1..60) * LEDGER_MS;
            self.after(wait, Due::Act(Act::AskAgain { tag }));
        }
        tag
    }

    /// People hear an answer.
    pub(super) fn hear(&mut self, daemon: usize, pending: &Pending, answer: &Result<Answer, CommandError>) {
        if let (Command::Propose(propose), Err(CommandError::BadValue { field: "amount", .. })) =
            (&pending.command, answer)
            && matches!(propose.amount, Amount::Mpt(_))
        {
            self.reach("workload", "a payment of a multi-purpose token is refused");
        }
        if let (Command::Propose(_), Ok(Answer::Proposed { proposal })) = (&pending.command, answer) {
            self.line(format!("intent {} is {proposal} of daemon {daemon}", pending.tag.unwrap_or_default()));
            let state = self.nodes[daemon].state();
            let asked = state.and_then(|state| state.proposals.get(proposal));
            if asked.is_some_and(|asked| asked.decision.rules.iter().any(|rule| rule == NO_ESCROW)) {
                self.reach("workload", "a delay of an issued asset is denied");
            }
            // Now and then all agree that it should not be.
            let unwanted = !self.healed && self.rng.random_range(0..12) == 0;
            for person in PEOPLE {
                if unwanted {
                    let wait = self.rng.random_range(1..20) * LEDGER_MS;
                    self.after(wait, Due::Act(Act::Reject { daemon, proposal: *proposal, person }));
                } else if self.rng.random_range(0..10) < 6 || self.healed {
                    let wait = self.rng.random_range(1..60) * LEDGER_MS;
                    self.after(wait, Due::Act(Act::Approve { daemon, proposal: *proposal, person }));
                }
            }
        }
    }

    fn key_of(&self, person: &str) -> &KeyPair {
        self.cast.key(if person == "alice" { self.people.alice_signs_with } else { person })
    }

    /// The frozen rungs of a proposal that collects signatures, and those of its void.
    fn rungs(&self, daemon: usize, proposal: ProposalId) -> Option<(Vec<HexBytes>, Vec<HexBytes>)> {
        let proposal = self.nodes.get(daemon)?.state()?.proposals.get(&proposal)?;
        let open = matches!(proposal.status, Status::Collecting | Status::Ready);
        let plan = proposal.plan.as_ref()?;
        (open && !plan.rungs.is_empty()).then(|| (plan.rungs.clone(), plan.void_rungs().to_vec()))
    }

    async fn approve(&mut self, daemon: usize, proposal: ProposalId, person: &'static str) {
        let Some(rungs) = self.rungs(daemon, proposal) else { return };
        let Some(signatures) = signatures(&rungs, self.cast.id(person), self.key_of(person)) else { return };
        self.ask(daemon, person, None, Command::Approve { proposal, signatures }).await;
    }

    /// With somebody else's key, for somebody else, or over too few rungs.
    async fn approve_badly(&mut self, daemon: usize, proposal: ProposalId, person: &'static str) {
        let Some(mut rungs) = self.rungs(daemon, proposal) else { return };
        let key = if person == "alice" { "alice-2" } else { "carol" };
        let signer = *PEOPLE.choose(&mut self.rng).unwrap_or(&"bob");
        match self.rng.random_range(0..4) {
            0 => drop(rungs.0.pop()),
            1 => rungs.1.clear(),
            _ => {}
        }
        let Some(signatures) = signatures(&rungs, self.cast.id(signer), self.cast.key(key)) else { return };
        self.ask(daemon, person, None, Command::Approve { proposal, signatures }).await;
    }

    /// Requests that are refused whatever the state is, and an old idempotency key with other content.
    async fn ask_for_too_much(&mut self, daemon: usize, person: &'static str) {
        let old = self.people.asked.choose(&mut self.rng).cloned();
        let command = match (self.rng.random_range(0..4), old) {
            (0, Some((tag, of, asker, mut propose))) if self.checker.proposal_of(tag).is_some() => {
                let more = propose.amount.checked_add(&propose.amount);
                propose.amount = more.unwrap_or(propose.amount);
                return self.ask(of, asker, None, Command::Propose(propose)).await;
            }
            (1, _) => Command::Freeze { account: Some(self.cast.id("stranger")), reason: String::new() },
            (2, _) => self.asks_for_tokens(),
            _ => Command::Withdraw { proposal: ProposalId(1_000_000) },
        };
        self.ask(daemon, person, None, command).await;
    }

    /// People sign what waits for them: the moves that policy does not leave to agents, and cold's Tickets.
    pub(super) async fn sign_what_waits(&mut self) {
        for daemon in 0..self.nodes.len() {
            let Some(state) = self.nodes[daemon].state() else { continue };
            let waiting: Vec<ProposalId> = state
                .open
                .iter()
                .filter_map(|id| state.proposals.get(id))
                .filter(|proposal| {
                    matches!(proposal.intent, Wanted::Move { .. } | Wanted::CreateTickets { .. })
                })
                .filter(|proposal| {
                    let people = ["cold", DELAYED_SOURCE].map(|name| self.cast.id(name));
                    people.contains(&proposal.account)
                        && !proposal.approvals.keys().any(|signer| *signer == self.cast.id("bob"))
                })
                .map(|proposal| proposal.id)
                .collect();
            for proposal in waiting {
                for person in ["alice", "bob", "dave"] {
                    self.approve(daemon, proposal, person).await;
                }
            }
        }
    }
}

fn signatures(
    (rungs, void): &(Vec<HexBytes>, Vec<HexBytes>),
    signer: AccountId,
    key: &KeyPair,
) -> Option<RungSignatures> {
    let sign = |rung: &HexBytes| {
        let tx = Transaction::decode(&rung.0).ok()?;
        Some(HexBytes(sign::sign_for(&tx, signer, key).ok()?.signature))
    };
    let over = |rungs: &[HexBytes]| rungs.iter().map(sign).collect::<Option<Vec<_>>>();
    let (signatures, void_signatures) = (over(rungs)?, over(void)?);
    Some(RungSignatures { signer, signing_pub_key: key.public_key(), signatures, void_signatures })
}
