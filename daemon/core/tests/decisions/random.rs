//! Random lives: people, agents, silence, restarts and jumps in any order. Whatever happens, replay gives
//! the same state and the invariants hold (the world checks both at every step), and beyond that: at most
//! one transaction per slot is ever applied, nothing held or frozen is released, nothing flagged in time
//! reaches its destination, also where signers send by themselves what they signed; and what was paid is counted.

use std::collections::BTreeSet;

use proptest::prelude::*;
use treasury_core::command::{Answer, Command};
use treasury_core::input::SubmitReply;
use treasury_core::payments::Whose;
use treasury_core::policy::{Policy, Rule};
use treasury_core::state::Guard;
use treasury_core::stops::Subject;
use treasury_core::units::{AccountId, Asset, EscrowKey, ProposalId, RippleTime, SeqProxy};
use xrpl_wire::{Signer, Transaction, TransactionType, TxBody};

use crate::world::{World, amount, id, signatures_of};

#[derive(Clone, Debug)]
enum Act {
    Propose(usize, u64),
    Approve(usize, u64),
    Retract(usize, u64),
    Reject(usize, u64),
    Withdraw(u64),
    Flag(u64),
    Clear(u64),
    Freeze(Option<usize>),
    Unfreeze(Option<usize>),
    Reply(u64, usize),
    NoReply(u64, usize),
    Void(u64),
    Panic,
    FlagDestination,
    LiftAll,
    /// Rules ask for voids from now on, or no more.
    Voids(bool),
    /// Signers put together what they were asked to sign, to pay or its void, and send it.
    SendElsewhere(u64, bool),
    Close(u8),
    Jump(u32),
    Silence,
    Reconcile,
    Restart,
    SignerSleeps(bool),
}

const ACCOUNTS: [&str; 4] = ["cold", "warm", "hot", "runner"];
const PEOPLE: [&str; 4] = crate::world::PEOPLE;
const REPLIES: [&str; 6] =
    ["tesSUCCESS", "terQUEUED", "telINSUF_FEE_P", "tefPAST_SEQ", "temMALFORMED", "tecUNFUNDED"];

fn act() -> impl Strategy<Value = Act> {
    let amount = prop_oneof![Just(50_u64), Just(500), Just(2_000), Just(9_000)];
    prop_oneof![
        4 => (0..3_usize, amount).prop_map(|(account, amount)| Act::Propose(account, amount)),
        9 => (0..4_usize, any::<u64>()).prop_map(|(person, n)| Act::Approve(person, n)),
        1 => (0..4_usize, any::<u64>()).prop_map(|(person, n)| Act::Retract(person, n)),
        1 => (0..4_usize, any::<u64>()).prop_map(|(person, n)| Act::Reject(person, n)),
        1 => any::<u64>().prop_map(Act::Withdraw),
        2 => any::<u64>().prop_map(Act::Flag),
        1 => any::<u64>().prop_map(Act::Clear),
        1 => prop::option::of(0..4_usize).prop_map(Act::Freeze),
        2 => prop::option::of(0..4_usize).prop_map(Act::Unfreeze),
        3 => (any::<u64>(), 0..6_usize).prop_map(|(n, reply)| Act::Reply(n, reply)),
        2 => (any::<u64>(), 0..3_usize).prop_map(|(n, reply)| Act::NoReply(n, reply)),
        2 => any::<u64>().prop_map(Act::Void),
        1 => Just(Act::Panic),
        1 => Just(Act::FlagDestination),
        3 => Just(Act::LiftAll),
        1 => any::<bool>().prop_map(Act::Voids),
        2 => (any::<u64>(), any::<bool>()).prop_map(|(n, void)| Act::SendElsewhere(n, void)),
        9 => any::<u8>().prop_map(Act::Close),
        2 => prop_oneof![Just(3_700_u32), Just(46 * 3_600), Just(60 * 3_600), Just(80 * 3_600)].prop_map(Act::Jump),
        1 => Just(Act::Silence),
        3 => Just(Act::Reconcile),
        1 => Just(Act::Restart),
        1 => any::<bool>().prop_map(Act::SignerSleeps),
    ]
}

struct Life {
    world: World,
    applied: BTreeSet<(AccountId, SeqProxy)>,
    /// Sent and not applied; any of it may still arrive.
    afloat: Vec<Transaction>,
    flagged: BTreeSet<EscrowKey>,
    /// What came to the shop, or into escrows for it, in drops.
    paid: u64,
}

impl Life {
    fn pick(&self, n: u64) -> Option<ProposalId> {
        let all: Vec<ProposalId> = self.world.state.proposals.keys().copied().collect();
        let index = usize::try_from(n).unwrap_or(0).checked_rem(all.len())?;
        all.get(index).copied()
    }

    fn act(&mut self, act: Act) {
        let w = &mut self.world;
        match act {
            Act::Propose(account, amount) => {
                let propose = w.payment(ACCOUNTS[account], amount);
                let _ = w.command("alice", Command::Propose(propose));
            }
            Act::Approve(person, n) => {
                if let Some(p) = self.pick(n).filter(|p| self.world.proposal(*p).plan.is_some()) {
                    let _ = self.world.approve(PEOPLE[person], p);
                }
            }
            Act::Retract(person, n) => {
                self.for_proposal(n, PEOPLE[person], |proposal| Command::Retract { proposal })
            }
            Act::Reject(person, n) => self.for_proposal(n, PEOPLE[person], |proposal| Command::Reject {
                proposal,
                reason: String::new(),
            }),
            Act::Withdraw(n) => self.for_proposal(n, "alice", |proposal| Command::Withdraw { proposal }),
            Act::Flag(n) => {
                let Some(p) = self.pick(n) else { return };
                let flagged =
                    self.world.command("dave", Command::Flag { proposal: p, reason: String::new() });
                let escrow = self.world.proposal(p).release_inputs().map(|inputs| inputs.escrow);
                if let (Ok(_), Some(escrow)) = (flagged, escrow)
                    && self.world.stops_on(&Subject::Proposal(p)).len() == 1
                    && self
                        .world
                        .state
                        .escrows
                        .get(&escrow)
                        .is_none_or(|e| matches!(e.guard, Guard::Locked { .. }))
                {
                    self.flagged.insert(escrow);
                }
            }
            Act::Clear(n) => {
                let Some(p) = self.pick(n) else { return };
                let _ = self.world.command("dave", Command::Clear { proposal: p, reason: String::new() });
                if let Some(inputs) = self.world.proposal(p).release_inputs() {
                    self.flagged.remove(&inputs.escrow);
                }
            }
            Act::Freeze(account) => {
                let account = account.map(|n| id(ACCOUNTS[n]));
                let _ = w.command("dave", Command::Freeze { account, reason: String::new() });
            }
            Act::Unfreeze(account) => {
                let account = account.map(|n| id(ACCOUNTS[n]));
                let _ = w.command("dave", Command::Unfreeze { account, reason: String::new() });
            }
            Act::Reply(n, reply) => {
                if let Some(p) = self.pick(n).filter(|p| self.world.word(*p) == "in_flight") {
                    self.world.reply(p, REPLIES[reply]);
                }
            }
            Act::NoReply(n, reply) => {
                let reply = match reply {
                    0 => SubmitReply::NotSent,
                    1 => SubmitReply::Busy("tooBusy".to_owned()),
                    _ => SubmitReply::Unknown("it broke".to_owned()),
                };
                if let Some(p) = self.pick(n).filter(|p| self.world.word(*p) == "in_flight") {
                    if reply == SubmitReply::NotSent && !self.take_back(p) {
                        return;
                    }
                    self.world.reply_with(p, reply);
                }
            }
            Act::Void(n) => {
                self.for_proposal(n, "dave", |proposal| Command::Void { proposal, reason: String::new() })
            }
            Act::Panic => match w.command("dave", Command::Panic { reason: String::new() }) {
                Ok(Answer::Panicked(found)) => self.flagged.extend(found.withheld),
                other => panic!("{other:?}"),
            },
            Act::FlagDestination => {
                let asked = Command::FlagDestination { destination: id("shop"), reason: String::new() };
                w.command("dave", asked).unwrap();
            }
            Act::LiftAll => {
                w.lift_all();
                self.flagged.clear();
            }
            Act::Voids(void) => {
                let rules = w.config.policy.rules().iter().map(|rule| Rule { void, ..rule.clone() });
                w.config.policy = Policy::new(rules.collect());
            }
            Act::SendElsewhere(n, void) => self.send_elsewhere(n, void),
            Act::Close(mask) => self.close(mask),
            Act::Jump(seconds) => w.jump(seconds),
            Act::Silence => w.silence(100),
            Act::Reconcile => w.reconcile(),
            Act::Restart => w.restart(),
            Act::SignerSleeps(sleeps) => {
                w.signer_answers = !sleeps;
                if !sleeps {
                    let late: Vec<_> = std::mem::take(&mut w.unanswered);
                    for effect in late {
                        if !matches!(effect, treasury_core::Effect::Reconcile { .. }) {
                            w.sign(effect);
                        }
                    }
                }
            }
        }
        self.check_sent();
    }

    fn for_proposal(&mut self, n: u64, person: &str, command: impl Fn(ProposalId) -> Command) {
        if let Some(p) = self.pick(n) {
            let _ = self.world.command(person, command(p));
        }
    }

    /// What was called back before it had left is with nobody; said only of what is.
    fn take_back(&mut self, p: ProposalId) -> bool {
        let proposal = self.world.proposal(p);
        let slot = (proposal.account, proposal.plan.as_ref().unwrap().slot);
        let last = self.afloat.iter().rposition(|tx| (tx.account(), tx.seq()) == slot);
        last.map(|last| self.afloat.remove(last)).is_some()
    }

    fn send_elsewhere(&mut self, n: u64, void: bool) {
        let Some(p) = self.pick(n) else { return };
        let Some(plan) = &self.world.proposal(p).plan else { return };
        let rungs = if void { plan.void_rungs() } else { &plan.rungs };
        if self.world.proposal(p).account == id("runner") {
            return;
        }
        let Some(rung) = rungs.first() else { return };
        let signers = ["alice", "bob", "carol"].map(|name| {
            let given = signatures_of(name, std::slice::from_ref(rung));
            let signature = given.signatures[0].0.clone();
            Signer { account: given.signer, public_key: given.signing_pub_key, signature }
        });
        let tx = Transaction::decode(&rung.0).unwrap();
        self.afloat.push(xrpl_wire::sign::assemble(&tx, signers.to_vec()).unwrap());
    }

    /// What has just been sent was allowed to be.
    fn check_sent(&mut self) {
        for tx in self.world.sent() {
            if let Ok(TxBody::EscrowFinish(finish)) = TxBody::parse(&tx) {
                let key = EscrowKey { owner: finish.owner, sequence: finish.offer_sequence };
                assert!(!self.flagged.contains(&key), "{key} is flagged and was sent for release");
            }
            assert!(self.world.state.sees(), "sent without sight");
            let moves_nothing = [TransactionType::EscrowCancel, TransactionType::AccountSet];
            let tickets_to_take_back =
                tx.tx_type() == TransactionType::TicketCreate && tx.account() == id("runner");
            if !moves_nothing.contains(&tx.tx_type()) && !tickets_to_take_back {
                assert!(self.world.state.freezes_of(&tx.account()).next().is_none(), "sent while frozen");
            }
            let to_shop = matches!(TxBody::parse(&tx), Ok(TxBody::Payment(_) | TxBody::EscrowCreate(_)));
            if to_shop {
                let stops = self.world.stops_on(&Subject::Destination(id("shop")));
                assert!(stops.is_empty(), "sent to a flagged destination");
            }
            self.afloat.push(tx);
        }
    }

    /// A ledger takes some of what is afloat: at most one per slot, none that has expired, none whose
    /// time has not come.
    fn close(&mut self, mask: u8) {
        let next = self.world.state.ledger.unwrap().index.plus(1);
        let now = self.world.state.now();
        let mut taken = Vec::new();
        let mut ended = BTreeSet::new();
        for (n, tx) in self.afloat.iter().enumerate() {
            let slot = (tx.account(), tx.seq());
            let in_time = match TxBody::parse(tx) {
                Ok(TxBody::EscrowFinish(finish)) => Some((finish.owner, finish.offer_sequence, true)),
                Ok(TxBody::EscrowCancel(cancel)) => Some((cancel.owner, cancel.offer_sequence, false)),
                _ => None,
            }
            .is_none_or(|(owner, sequence, finish)| {
                let key = EscrowKey { owner, sequence };
                if !self.world.state.standing.contains(&key) {
                    return false;
                }
                let view = &self.world.state.escrows[&key].view;
                let (from, to) = (view.finish_after.unwrap(), view.cancel_after.unwrap());
                let stands = self.world.state.standing.contains(&key) && ended.insert(key);
                stands && if finish { now > from && now <= to } else { now > to }
            });
            let made_in_time = match TxBody::parse(tx) {
                Ok(TxBody::EscrowCreate(create)) => create.finish_after.unwrap() > now,
                _ => true,
            };
            let in_time = in_time && made_in_time;
            let expired = tx.last_ledger_sequence().is_some_and(|last| last < next.0);
            if mask >> (n % 8) & 1 == 1 && in_time && !expired && self.applied.insert(slot) {
                self.paid += match TxBody::parse(tx) {
                    Ok(TxBody::Payment(payment)) => payment.amount.drops().unwrap().get(),
                    Ok(TxBody::EscrowCreate(create)) => create.amount.drops().unwrap().get(),
                    _ => 0,
                };
                taken.push(tx.clone());
            }
        }
        self.afloat.retain(|tx| !self.applied.contains(&(tx.account(), tx.seq())));
        self.world.close(&taken);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_money_goes_only_where_it_may(acts in prop::collection::vec(act(), 1..80)) {
        let mut life = Life {
            world: World::new(),
            applied: BTreeSet::new(),
            afloat: Vec::new(),
            flagged: BTreeSet::new(),
            paid: 0,
        };
        life.world.config.tickets.low_water = 3;
        life.world.checks_forms = false;
        for act in acts {
            life.act(act);
        }
        for key in &life.flagged {
            let released = matches!(life.world.known_guard(*key), Some(Guard::Released { .. }));
            prop_assert!(!released, "{} was flagged in time and released", key);
        }
        // What was paid is counted once, whoever sent it and whatever its proposal had come to; and what can still be.
        let open = life.world.state.proposals.values();
        let open = open.filter(|p| p.intent.destination().is_some());
        let open = open.filter(|p| !p.status.is_final() || life.world.state.holds_slot(p));
        let open: u64 = open.map(|p| p.intent.amount().unwrap().drops().unwrap().get()).sum();
        let shop = Whose::Destination(id("shop"));
        let counted = life.world.state.book.payments().sum(shop, Asset::Xrp, RippleTime(0), None);
        prop_assert_eq!(counted, amount(life.paid + open));
        // One validated proposal per slot, and each one's transaction was applied.
        let mut validated = BTreeSet::new();
        let archived = life.world.archived.values().map(|retired| &retired.proposal);
        for proposal in life.world.state.proposals.values().chain(archived).filter(|p| p.status.word() == "validated") {
            let slot = (proposal.account, proposal.plan.as_ref().unwrap().slot);
            prop_assert!(validated.insert(slot));
            prop_assert!(life.applied.contains(&slot));
        }
    }
}
