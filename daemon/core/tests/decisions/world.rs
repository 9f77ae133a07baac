//! A small world around the core: keys, a signer, and just enough of a ledger to tell it what happened.
//! After every step the events are written as JSON, read back and replayed on a second state, which must
//! come out the same.

#![allow(unreachable_pub, reason = "one test target, in modules")]

mod ledger;

pub use ledger::escrow_view;

use std::collections::{BTreeMap, BTreeSet};

use crate::golden;
use treasury_core::command::{Actor, Answer, Command, CommandError, Named, Propose};
use treasury_core::config::*;
use treasury_core::effect::{
    Derived, Effect, FIRST_KEY, GuardRefusal, Opening, Party, ReleaseInputs, Unsent,
};
use treasury_core::input::{Input, RungSignatures, SubmitReply};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::observe::*;
use treasury_core::policy::*;
use treasury_core::proposal::{Proposal, Status};
use treasury_core::state::Archived;
use treasury_core::state::{Guard, State};
use treasury_core::stops::Subject;
use treasury_core::units::*;
use treasury_core::{Event, Runtime, invariant, step};
use xrpl_wire::{KeyPair, KeyType, Seed, Transaction, TxBody, condition};

pub const XRP: u64 = 1_000_000;
pub const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
pub const AGENTS: [&str; 2] = ["agent-1", "agent-2"];

pub fn drops(amount: u64) -> Drops {
    Drops::new(amount).unwrap()
}

/// So many drops, as what moves.
pub fn amount(so_many: u64) -> Amount {
    Amount::Xrp(drops(so_many))
}

pub fn key(name: &str) -> KeyPair {
    let mut entropy = [7_u8; 16];
    for (slot, byte) in entropy.iter_mut().zip(name.bytes()) {
        *slot = byte;
    }
    KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Ed25519))
}

pub fn id(name: &str) -> AccountId {
    key(name).account_id()
}

pub fn hash(text: &str) -> Hash256 {
    xrpl_wire::sha512_half(&[text.as_bytes()])
}

/// What the signer port derives.
pub fn derive(inputs: &ReleaseInputs) -> Derived {
    let condition = HexBytes(condition::condition_for_preimage(&preimage(inputs)));
    Derived { condition, key_version: inputs.key_version, party: inputs.party }
}

/// And what it opens an escrow with.
pub fn opening(inputs: &ReleaseInputs) -> Opening {
    let preimage = preimage(inputs);
    Opening {
        escrow: inputs.escrow,
        condition: HexBytes(condition::condition_for_preimage(&preimage)),
        fulfillment: HexBytes(condition::fulfillment_for_preimage(&preimage)),
    }
}

fn preimage(inputs: &ReleaseInputs) -> [u8; 32] {
    // Who it is is no term of the daemon's own; with a guard it is another preimage.
    hash(&format!("{inputs:?}").replace(", party: Own", "")).0
}

/// Cold, warm and hot as in the product's dev mode; small payments allowed, middling approved by two,
/// large ones delayed.
pub fn config() -> Treasury {
    let list = |people: &[&str], agents: &[&str], quorum| DeclaredSigners {
        quorum: Weight(quorum),
        entries: people.iter().chain(agents).map(|name| (id(name), 1)).collect(),
    };
    let account = |name: &str, tier, signing, signers| {
        (
            id(name),
            AccountConfig { name: name.to_owned(), tier, signing, signers, settings: Default::default() },
        )
    };
    let two = || Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    };
    let rule = |name: &str, above: u64, most: u64, action| Rule {
        kinds: Some(vec![IntentKind::Pay]),
        amount_above: (above > 0).then(|| amount(above * XRP)),
        amount_max: Some(amount(most * XRP)),
        ..Rule::new(name, action)
    };
    let moves = Rule {
        kinds: Some(vec![IntentKind::Move]),
        askers: Some(vec![Asker::Daemon]),
        ..rule("moves", 0, 1_000, Action::Allow)
    };
    let delay = Action::Delay { delay_seconds: 48 * 3600, window_seconds: 24 * 3600, approvers: two() };
    let person = |name: &str, roles: &[Role]| {
        let person = Person {
            name: name.to_owned(),
            signer: Some(id(name)),
            roles: roles.iter().copied().collect(),
            drill_seconds: None,
        };
        (name.to_owned(), person)
    };
    Treasury {
        network_id: None,
        accounts: BTreeMap::from([
            account("cold", Tier::Cold, Signing::Multi, Some(list(&PEOPLE, &[], 3))),
            account("warm", Tier::Warm, Signing::Multi, Some(list(&PEOPLE, &AGENTS, 2))),
            account("hot", Tier::Hot, Signing::Multi, Some(list(&PEOPLE, &AGENTS, 2))),
            account("runner", Tier::Runner, Signing::Single, None),
        ]),
        people: BTreeMap::from([
            person("alice", &[Role::Proposer, Role::Approver]),
            person("bob", &[Role::Approver]),
            person("carol", &[Role::Approver]),
            person("dave", &[Role::Security, Role::Admin]),
        ]),
        agents: AGENTS.iter().map(|name| id(name)).collect(),
        runner: Some(id("runner")),
        destinations: BTreeMap::new(),
        policy: Policy::new(vec![
            moves,
            rule("small", 0, 100, Action::Allow),
            rule("middling", 100, 1_000, Action::Approve(two())),
            rule("large", 1_000, 5_000, delay),
        ]),
        links: Vec::new(),
        schedules: Vec::new(),
        fees: FeeConfig::default(),
        tickets: TicketConfig { low_water: 0, target: 10 },
        timing: Timing { deadline_seconds: 3600, ..Timing::default() },
        severities: BTreeMap::new(),
        alarms: Default::default(),
        outlook: Default::default(),
        key_labels: Default::default(),
        screening: false,
        newcomers: Default::default(),
        new_escrows: Default::default(),
    }
}

pub struct World {
    pub config: Treasury,
    pub state: State,
    pub runtime: Runtime,
    pub events: Vec<Event>,
    pub submitted: Vec<Transaction>,
    /// Whether agents and runner answer at once.
    pub signer_answers: bool,
    pub unanswered: Vec<Effect>,
    /// Agents whose keys the signer does not have.
    pub without_key: BTreeSet<&'static str>,
    /// The newest release key.
    pub key_version: u32,
    /// What the guard says instead of giving its part.
    pub guard_refusal: Option<GuardRefusal>,
    /// How often agents were asked to sign.
    pub rounds: usize,
    /// How often what had not left was called back.
    pub recalls: usize,
    /// Whether what is asked for by name is read at once.
    pub answers_readings: bool,
    ledger: BTreeMap<AccountId, AccountSnapshot>,
    replayed: State,
    requests: u64,
    wall_ms: u64,
    /// Whether a form of an event that is not written down fails: not where chance decides what comes.
    pub checks_forms: bool,
    /// What has left the state.
    pub archived: BTreeMap<ProposalId, Archived>,
    /// Seconds by which the host's clock is ahead of the ledger's.
    pub clock_ahead: i64,
}

impl World {
    pub fn new() -> Self {
        Self::with(config())
    }

    /// A world at its first ledgers: accounts read, one ledger closed, sight clear.
    pub fn with(config: Treasury) -> Self {
        let mut ledger = BTreeMap::new();
        for account in config.watched() {
            let declared = config.accounts.get(&account);
            let list = declared.and_then(|declared| declared.signers.as_ref());
            let root = declared.map(|_| RootView {
                balance: drops(100_000 * XRP),
                sequence: 100,
                owner_count: 11,
                // The SignerList alone signs, but for the runner.
                flags: if list.is_some() { 0x0010_0000 } else { 0 },
                regular_key: None,
                transfer_rate: Some(0),
            });
            let snapshot = AccountSnapshot {
                account,
                root,
                signer_list: list
                    .map(|list| SignerListView { quorum: list.quorum, entries: list.entries.clone() }),
                tickets: declared.map(|_| (11..=20).collect()).unwrap_or_default(),
                escrows: Vec::new(),
                trust_lines: declared.map(|_| BTreeMap::new()),
                settings: declared.map(|_| SettingsView::default()),
            };
            ledger.insert(account, snapshot);
        }
        // Whom the payments go to.
        ledger.insert(id("shop"), ledger::stranger(id("shop"), Some(0)));
        let mut world = Self {
            config,
            state: State::default(),
            runtime: Runtime::new(),
            events: Vec::new(),
            submitted: Vec::new(),
            signer_answers: true,
            unanswered: Vec::new(),
            answers_readings: true,
            without_key: BTreeSet::new(),
            key_version: FIRST_KEY,
            guard_refusal: None,
            rounds: 0,
            recalls: 0,
            ledger,
            replayed: State::default(),
            requests: 0,
            wall_ms: 0,
            clock_ahead: 0,
            archived: BTreeMap::new(),
            checks_forms: true,
        };
        world.input(Input::Tick { wall_ms: 0, utc: RippleTime(800_000_000) });
        world.reconcile_at(LedgerPoint {
            index: LedgerIndex(1_000),
            hash: hash("1000"),
            close_time: RippleTime(800_000_000),
        });
        world.close(&[]);
        assert!(world.state.sees());
        world
    }

    fn reconcile_at(&mut self, at: LedgerPoint) {
        let accounts = self.ledger.values().cloned().collect();
        self.input(Input::Reconciled { at, accounts, from: "a server".to_owned(), wall_ms: self.wall_ms });
    }

    /// The accounts read anew at the cursor.
    pub fn reconcile(&mut self) {
        let at = self.state.ledger.unwrap();
        self.reconcile_at(at);
    }

    /// Everything volatile is gone; the state comes from the events alone.
    pub fn restart(&mut self) {
        let utc = self.state.now();
        self.runtime = Runtime::new();
        let mut state = State::default();
        for event in &self.events {
            state.apply(event).unwrap();
        }
        let _ = state.take_retired();
        assert_eq!(state, self.state);
        self.unanswered.clear();
        self.tick(utc);
    }

    pub fn input(&mut self, input: Input) -> Option<Result<Answer, CommandError>> {
        let before = self.state.clone();
        let output = step(&self.config, &mut self.state, &mut self.runtime, input).expect("no defect");
        if output.events.is_empty() {
            assert_eq!(before, self.state, "a step without events changes nothing");
        }
        invariant::check(&self.state).unwrap();
        invariant::check_step(&self.state, &output.events).unwrap();
        for event in &output.events {
            let text = serde_json::to_string(event).unwrap();
            let read: Event = serde_json::from_str(&text).unwrap();
            assert_eq!(&read, event, "{text}");
            if self.checks_forms {
                golden::check(event);
            }
            self.replayed.apply(&read).unwrap();
        }
        assert_eq!(self.replayed.take_retired(), output.retired);
        self.archived.extend(output.retired.into_iter().map(|retired| (retired.proposal.id, retired)));
        assert_eq!(self.replayed, self.state, "replay gives the same state");
        self.events.extend(output.events);
        let mut answer = None;
        let is_sent = |effect: &Effect| matches!(effect, Effect::Submit { .. });
        let mut later = output.effects.iter().skip_while(|effect| !is_sent(effect));
        assert!(
            !later.any(|effect| matches!(effect, Effect::Recall)),
            "what a step sends it does not call back"
        );
        for effect in output.effects {
            match effect {
                Effect::Answer { answer: given, .. } => answer = Some(given),
                Effect::Recall => self.recalls += 1,
                Effect::Submit { blob, tx_id, proposal } => {
                    let tx = Transaction::decode(&blob.0).unwrap();
                    xrpl_wire::sign::verify_signatures(&tx).unwrap();
                    assert_eq!(tx.id(), tx_id);
                    let recorded = matches!(&self.state.proposals[&proposal].status, Status::InFlight(submission)
                        if submission.rungs.iter().any(|rung| rung.blob == blob));
                    assert!(recorded, "nothing is sent without its record");
                    self.submitted.push(tx);
                }
                // The ports answer a request to read everything only when told to, by `reconcile`.
                Effect::Reconcile { ref accounts } => {
                    let known = accounts.iter().map(|account| self.ledger.get(account).cloned());
                    match known.collect::<Option<Vec<_>>>() {
                        Some(accounts) if self.state.sees() && self.answers_readings => {
                            let at = self.state.ledger.unwrap();
                            self.input(Input::Reconciled {
                                at,
                                accounts,
                                from: "ws://test".to_owned(),
                                wall_ms: self.wall_ms,
                            });
                        }
                        _ => self.unanswered.push(effect),
                    }
                }
                _ if self.signer_answers => self.sign(effect),
                _ => self.unanswered.push(effect),
            }
        }
        answer
    }

    /// Does what the signer port does.
    pub fn sign(&mut self, effect: Effect) {
        match effect {
            Effect::DeriveCondition { proposal, ref inputs }
            | Effect::DeriveFulfillment { proposal, ref inputs }
                if inputs.party == Party::Guarded && self.guard_refusal.is_some() =>
            {
                let refusal = self.guard_refusal.clone().unwrap();
                self.input(Input::GuardRefused { proposal, refusal });
            }
            Effect::DeriveCondition { proposal, inputs } => {
                let inputs = ReleaseInputs { key_version: self.key_version, ..inputs };
                let derived = derive(&inputs);
                self.input(Input::ConditionDerived { proposal, party: inputs.party, derived });
            }
            Effect::DeriveFulfillment { proposal, inputs } => {
                let opening = opening(&inputs);
                self.input(Input::FulfillmentDerived { proposal, party: inputs.party, opening });
            }
            Effect::Recognise { inputs } => {
                for party in [Party::Own, Party::Guarded] {
                    let versions = FIRST_KEY..=self.key_version;
                    let with = |key_version| derive(&ReleaseInputs { key_version, party, ..inputs.clone() });
                    let derived = versions.map(with).collect();
                    self.input(Input::EscrowDerived { inputs: inputs.clone(), derived });
                }
            }
            Effect::SignAsAgents { proposal, signers, rungs, void } => {
                self.rounds += 1;
                let named = signers.iter().map(|signer| AGENTS.into_iter().find(|name| id(name) == *signer));
                let (without, with): (Vec<&str>, Vec<&str>) =
                    named.flatten().partition(|agent| self.without_key.contains(agent));
                let signatures =
                    with.iter().map(|agent| signatures_with_void(agent, &rungs, &void)).collect();
                let failed =
                    without.iter().map(|agent| (id(agent), "the keystore has no key".to_owned())).collect();
                self.input(Input::AgentSigned { proposal, signatures, failed });
            }
            Effect::SignSingle { proposal, account, rungs, opening } => {
                assert_eq!(account, id("runner"));
                let blobs = rungs
                    .iter()
                    .map(|rung| {
                        let mut object = Transaction::decode(&rung.0).unwrap().into_object();
                        if let Some(opening) = &opening {
                            object.set(xrpl_wire::sf::Condition, opening.condition.0.clone());
                            object.set(xrpl_wire::sf::Fulfillment, opening.fulfillment.0.clone());
                        }
                        let tx = Transaction::from_object(object).unwrap();
                        HexBytes(xrpl_wire::sign::sign_single(&tx, &key("runner")).unwrap().encode())
                    })
                    .collect();
                self.input(Input::SingleSigned { proposal, blobs: Unsent(blobs) });
            }
            other => panic!("not for the signer: {other:?}"),
        }
    }

    pub fn command(&mut self, person: &str, command: Command) -> Result<Answer, CommandError> {
        self.requests += 1;
        let actor = Actor { person: person.to_owned(), origin: treasury_core::intent::Origin::Http };
        let named = |retired: &&Archived| match command.names() {
            Some(Named::Proposal(id)) => retired.proposal.id == id,
            Some(Named::Key(key)) => {
                retired.proposal.idempotency_key.as_deref() == Some(key)
                    && retired.proposal.asker == Asker::Person(person.to_owned())
            }
            None => false,
        };
        let archived = self.archived.values().find(named).map(|retired| Box::new(retired.proposal.clone()));
        self.input(Input::Command {
            request: RequestId(self.requests),
            actor,
            command,
            archived,
            asked: None,
        })
        .unwrap()
    }

    pub fn payment(&self, account: &str, amount_xrp: u64) -> Propose {
        Propose {
            account: id(account),
            destination: id("shop"),
            destination_tag: Some(7),
            amount: amount(amount_xrp * XRP),
            note: "invoice 12".to_owned(),
            deadline_seconds: None,
            idempotency_key: None,
            inquiry: Default::default(),
        }
    }

    pub fn propose(&mut self, account: &str, amount_xrp: u64) -> ProposalId {
        let propose = self.payment(account, amount_xrp);
        match self.command("alice", Command::Propose(propose)).unwrap() {
            Answer::Proposed { proposal } => proposal,
            other => panic!("{other:?}"),
        }
    }

    pub fn proposal(&self, proposal: ProposalId) -> &Proposal {
        self.state.proposals.get(&proposal).unwrap_or_else(|| &self.archived[&proposal].proposal)
    }

    pub fn word(&self, proposal: ProposalId) -> &'static str {
        self.proposal(proposal).status.word()
    }

    pub fn rungs(&self, proposal: ProposalId) -> Vec<HexBytes> {
        self.proposal(proposal).plan.as_ref().unwrap().rungs.clone()
    }

    pub fn approve(&mut self, person: &str, proposal: ProposalId) -> Result<Answer, CommandError> {
        let plan = self.proposal(proposal).plan.as_ref().unwrap();
        let signatures = signatures_with_void(person, &plan.rungs, plan.void_rungs());
        self.command(person, Command::Approve { proposal, signatures })
    }

    pub fn reply(&mut self, proposal: ProposalId, word: &str) {
        self.reply_with(proposal, SubmitReply::Engine(word.to_owned()));
    }

    pub fn reply_with(&mut self, proposal: ProposalId, reply: SubmitReply) {
        let Status::InFlight(submission) = &self.proposal(proposal).status else { panic!("not in flight") };
        let tx_id = submission.rungs[submission.current].tx_id;
        self.input(Input::SubmitAnswered { proposal, tx_id, reply });
    }

    /// What was sent since the last call.
    pub fn sent(&mut self) -> Vec<Transaction> {
        std::mem::take(&mut self.submitted)
    }

    /// Sends what is in flight into the next ledger.
    pub fn settle(&mut self) -> Vec<Transaction> {
        let mut sent = self.sent();
        sent.dedup_by_key(|tx| tx.id());
        self.close(&sent);
        sent
    }

    /// A delayed payment up to its standing escrow.
    pub fn escrow(&mut self) -> (ProposalId, EscrowKey) {
        let proposal = self.propose("warm", 2_000);
        self.approve("alice", proposal).unwrap();
        self.approve("bob", proposal).unwrap();
        self.settle();
        assert_eq!(self.word(proposal), "validated");
        let key = self.proposal(proposal).release_inputs().unwrap().escrow;
        assert!(matches!(self.state.escrows[&key].guard, Guard::Locked { .. }));
        (proposal, key)
    }

    /// Something that has happened, as the log tells it.
    pub fn record(&mut self, event: Event) {
        self.state.apply(&event).unwrap();
        self.replayed.apply(&event).unwrap();
        self.events.push(event);
    }

    /// What people are told that a proposal waits for.
    pub fn waits(&self, proposal: ProposalId) -> Vec<String> {
        let waits = treasury_core::waits::waits(&self.config, &self.state, self.proposal(proposal));
        waits.iter().map(ToString::to_string).collect()
    }

    pub fn guard(&self, key: EscrowKey) -> &Guard {
        self.known_guard(key).unwrap()
    }

    /// Of an escrow that there may never have been.
    pub fn known_guard(&self, key: EscrowKey) -> Option<&Guard> {
        let archived = || self.archived.values().filter_map(|retired| retired.escrow.as_ref());
        let known = self.state.escrows.get(&key);
        Some(&known.or_else(|| archived().find(|tracked| tracked.view.key == key))?.guard)
    }
}

/// Signatures of somebody over each rung.
pub fn signatures_of(name: &str, rungs: &[HexBytes]) -> RungSignatures {
    signatures_with_void(name, rungs, &[])
}

/// Signatures of somebody over each rung, and over each of the void.
pub fn signatures_with_void(name: &str, rungs: &[HexBytes], void: &[HexBytes]) -> RungSignatures {
    let key = key(name);
    let account = key.account_id();
    let sign = |rung: &HexBytes| {
        let tx = Transaction::decode(&rung.0).unwrap();
        HexBytes(xrpl_wire::sign::sign_for(&tx, account, &key).unwrap().signature)
    };
    RungSignatures {
        signer: account,
        signing_pub_key: key.public_key(),
        signatures: rungs.iter().map(sign).collect(),
        void_signatures: void.iter().map(sign).collect(),
    }
}
