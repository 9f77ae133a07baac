//! What happens to the treasury past the daemons: people with master keys who use a Ticket or change a list by
//! hand, strangers who pay or meddle, and the attacker with one stolen key.

use rand::Rng;
use rand::seq::IndexedRandom;
use treasury_core::exposure::Captured;
use treasury_core::proposal::Status;
use treasury_core::units::{AccountId, EscrowKey, ProposalId};
use xrpl_wire::typed::{
    AccountSet, EscrowCancel, EscrowCreate, EscrowFinish, Payment, SetRegularKey, SignerEntry, SignerListSet,
    TrustSet, TxBody,
};
use xrpl_wire::{Amount, IssuedAmount, RippleTime, SeqProxy, Signer, Transaction, condition, flags, sign};

use super::cast::{AGENTS, PAYEES, PAYERS, STOLEN, XRP, sequence_of, xrp};
use super::people::Act;
use super::world::{Due, World};

/// What somebody does past the daemons.
#[derive(Clone, Debug)]
pub(super) enum Outsider {
    /// A person pays with a Ticket, chosen by hand, that a proposal may hold.
    UseTicket,
    /// A person changes a SignerList by hand.
    ChangeList,
    /// And puts it back.
    RestoreList(&'static str),
    /// Somebody with an account's keys sets something else of it: a colleague, or whoever has the agents' keys.
    ChangeSettings,
    /// And it is put back.
    RestoreSettings(&'static str),
    /// Alice changes her RegularKey.
    ChangeKey,
    /// Half of the agents get another key, which the daemon does not have.
    RotateAgent,
    /// And the one that it has.
    RestoreAgent,
    /// Most of what an account has is gone, past the daemons.
    Drain,
    /// A recipient takes only what it has authorized.
    Refuse,
    /// And takes everything again.
    Accept(&'static str),
    /// A person makes an escrow by hand.
    MakeEscrow,
    /// Somebody finishes an escrow made by hand.
    FinishEscrow(EscrowKey, Option<Vec<u8>>),
    /// A stranger pays the treasury.
    Pay,
    /// A stranger tries to end one of the treasury's escrows.
    Meddle,
    /// The attacker sends what one key can sign.
    Attack,
    /// Another has the agents' keys, and takes what they open.
    Steal,
    /// People, or who issues it, do something with an issued asset.
    Euros,
    /// A trust line that was frozen is thawed.
    Thaw(&'static str),
    /// One that was removed is made anew.
    Trust,
    /// An impatient person puts signatures together and sends them, past the daemon.
    Impatient,
}

impl World {
    pub(super) fn something_outside(&mut self) {
        let all = [
            Outsider::UseTicket,
            Outsider::ChangeList,
            Outsider::ChangeSettings,
            Outsider::ChangeKey,
            Outsider::RotateAgent,
            Outsider::Drain,
            Outsider::Refuse,
            Outsider::MakeEscrow,
            Outsider::Pay,
            Outsider::Meddle,
            Outsider::Attack,
            Outsider::Steal,
            Outsider::Impatient,
            Outsider::Euros,
            Outsider::Euros,
        ];
        if let Some(outsider) = all.choose(&mut self.rng).cloned() {
            self.outside(outsider);
        }
    }

    pub(super) fn outside(&mut self, outsider: Outsider) {
        let word = match outsider {
            Outsider::UseTicket => self.use_ticket(),
            Outsider::ChangeList => self.change_list(),
            Outsider::RestoreList(account) => {
                let body = self.cast.signer_list_set(account);
                self.by_hand(account, &body).map(|()| "restore list")
            }
            Outsider::ChangeSettings => self.change_settings(),
            Outsider::RestoreSettings(account) => self.restore_settings(account),
            Outsider::ChangeKey => self.change_key(),
            Outsider::RotateAgent => self.rotate_agent(),
            Outsider::RestoreAgent => self.restore_agent(),
            Outsider::Drain => self.drain(),
            Outsider::Refuse => self.refuse(),
            Outsider::Accept(payee) => {
                let body = TxBody::AccountSet(AccountSet {
                    clear_flag: Some(flags::asfDepositAuth),
                    ..AccountSet::default()
                });
                self.by_hand(payee, &body).map(|()| "accept payments")
            }
            Outsider::MakeEscrow => self.make_escrow(),
            Outsider::FinishEscrow(key, fulfillment) => self.finish_by_hand(key, fulfillment),
            Outsider::Pay => {
                let to = *PAYERS.choose(&mut self.rng).unwrap_or(&"hot");
                let body = payment(self.cast.id(to), 5);
                self.by_hand("stranger", &body).map(|()| "pay the treasury")
            }
            Outsider::Meddle => self.meddle(),
            Outsider::Attack => self.attack(),
            Outsider::Steal => self.steal(),
            Outsider::Impatient => self.send_early(),
            Outsider::Euros => self.something_with_euros(),
            Outsider::Thaw(whose) => self.thaw(whose),
            Outsider::Trust => self.trusts_anew(),
        };
        if let Some(word) = word {
            self.line(format!("outside: {word}"));
            self.reach("outside", word);
        }
    }

    /// A transaction with an account's next Sequence, signed with its master key.
    fn by_hand(&mut self, account: &'static str, body: &TxBody) -> Option<()> {
        self.by_hand_of(account, account, body)
    }

    /// A transaction with an account's next Sequence, signed with this key.
    fn by_hand_of(&mut self, key: &str, account: &str, body: &TxBody) -> Option<()> {
        let id = self.cast.id(account);
        let sequence = sequence_of(self.shared.lock().ledger().open().state(), &id)?;
        let tx = self.cast.signed(key, id, SeqProxy::Sequence(sequence), body);
        self.submit(&tx);
        Some(())
    }

    pub(super) fn submit(&mut self, tx: &Transaction) -> String {
        self.checker.foreign(tx.id());
        let result = self.shared.lock().submit_directly(&tx.encode());
        self.reach("outside result", &result);
        result
    }

    fn use_ticket(&mut self) -> Option<&'static str> {
        let name = *PAYERS.choose(&mut self.rng)?;
        let account = self.cast.id(name);
        let view = self.nodes.first()?.state()?.accounts.get(&account)?;
        let tickets: Vec<u32> = view.tickets.iter().take(4).copied().collect();
        let ticket = *tickets.choose(&mut self.rng)?;
        let body = payment(self.cast.id("exchange"), 1);
        let tx = self.cast.signed(name, account, SeqProxy::Ticket(ticket), &body);
        self.submit(&tx);
        Some("use a ticket")
    }

    fn change_list(&mut self) -> Option<&'static str> {
        let name = *["warm", "hot", "reserve"].choose(&mut self.rng)?;
        let declared = self.cast.declared(name);
        let gone = self.rng.random_range(0..declared.entries.len());
        let mut entries: Vec<SignerEntry> = declared
            .entries
            .iter()
            .map(|(account, weight)| SignerEntry { account: *account, weight: *weight })
            .collect();
        entries.remove(gone);
        if self.rng.random_bool(0.3) {
            // Somebody that nobody declared.
            entries.push(SignerEntry { account: self.cast.id("stranger"), weight: 1 });
        }
        let quorum = if self.rng.random_bool(0.3) { 3 } else { 2 };
        self.by_hand(name, &TxBody::SignerListSet(SignerListSet { quorum, entries }))?;
        let wait = self.rng.random_range(10_000..900_000);
        self.after(wait, Due::Act(Act::Outside(Outsider::RestoreList(name))));
        Some("change a list")
    }

    /// What else is declared of an account is that nothing is set: each of these differs, and none stops what pays it.
    fn change_settings(&mut self) -> Option<&'static str> {
        let name = *["warm", "hot", "reserve"].choose(&mut self.rng)?;
        let set = match self.rng.random_range(0..4) {
            0 => TxBody::AccountSet(AccountSet {
                domain: Some(b"evil.example".to_vec()),
                ..AccountSet::default()
            }),
            1 => {
                TxBody::AccountSet(AccountSet { transfer_rate: Some(1_500_000_000), ..AccountSet::default() })
            }
            2 => TxBody::AccountSet(AccountSet {
                set_flag: Some(flags::asfDisallowXRP),
                ..AccountSet::default()
            }),
            _ => self.trust("1000")?,
        };
        let word = if self.rng.random_bool(0.5) {
            self.by_hand(name, &set).map(|()| "change settings")
        } else {
            self.with_agents_keys(name, &set).map(|()| "change settings with the agents' keys")
        };
        let wait = self.rng.random_range(10_000..900_000);
        self.after(wait, Due::Act(Act::Outside(Outsider::RestoreSettings(name))));
        word
    }

    fn restore_settings(&mut self, name: &'static str) -> Option<&'static str> {
        let body = AccountSet {
            domain: Some(Vec::new()),
            transfer_rate: Some(0),
            clear_flag: Some(flags::asfDisallowXRP),
            ..AccountSet::default()
        };
        self.by_hand(name, &TxBody::AccountSet(body))?;
        let nobody = self.trust("0")?;
        self.by_hand(name, &nobody)?;
        Some("restore settings")
    }

    /// The stranger is trusted so far.
    fn trust(&self, limit: &str) -> Option<TxBody> {
        let (value, currency) = (limit.parse().ok()?, "USD".parse().ok()?);
        let limit_amount = IssuedAmount { value, currency, issuer: self.cast.id("stranger") };
        Some(TxBody::TrustSet(TrustSet { limit_amount, quality_in: None, quality_out: None }))
    }

    fn change_key(&mut self) -> Option<&'static str> {
        let (with, key) = if self.people.alice_signs_with == "alice" {
            ("alice-2", Some(self.cast.id("alice-2")))
        } else {
            ("alice", None)
        };
        self.by_hand("alice", &TxBody::SetRegularKey(SetRegularKey { regular_key: key }))?;
        self.people.alice_signs_with = with;
        Some("change a key")
    }

    /// Agent 1 signs with another key from now on, and with its master key no longer.
    fn rotate_agent(&mut self) -> Option<&'static str> {
        if self.people.agent_is_rotated {
            return None;
        }
        let regular_key = Some(self.cast.id("agent-1-2"));
        self.by_hand("agent-1", &TxBody::SetRegularKey(SetRegularKey { regular_key }))?;
        let set_flag = Some(flags::asfDisableMaster);
        self.by_hand("agent-1", &TxBody::AccountSet(AccountSet { set_flag, ..AccountSet::default() }))?;
        self.people.agent_is_rotated = true;
        let wait = self.rng.random_range(60_000..3_000_000);
        self.after(wait, Due::Act(Act::Outside(Outsider::RestoreAgent)));
        Some("rotate an agent's key")
    }

    fn restore_agent(&mut self) -> Option<&'static str> {
        let clear_flag = Some(flags::asfDisableMaster);
        let body = TxBody::AccountSet(AccountSet { clear_flag, ..AccountSet::default() });
        self.by_hand_of("agent-1-2", "agent-1", &body)?;
        self.by_hand_of("agent-1-2", "agent-1", &TxBody::SetRegularKey(SetRegularKey { regular_key: None }))?;
        self.people.agent_is_rotated = false;
        Some("restore an agent's key")
    }

    fn drain(&mut self) -> Option<&'static str> {
        let name = *["hot", "hot", "reserve"].choose(&mut self.rng)?;
        let root = xrpl_wire::index::account_root(&self.cast.id(name));
        let has = {
            let network = self.shared.lock();
            network.ledger().validated().state.object(&root)?.drops(xrpl_wire::sf::Balance)?.get()
        };
        let part = self.rng.random_range(50..90);
        let body = payment(self.cast.id("exchange"), has / XRP * part / 100);
        self.by_hand(name, &body)?;
        Some("drain an account")
    }

    fn refuse(&mut self) -> Option<&'static str> {
        let payee = *PAYEES.choose(&mut self.rng)?;
        let set_flag = Some(flags::asfDepositAuth);
        self.by_hand(payee, &TxBody::AccountSet(AccountSet { set_flag, ..AccountSet::default() }))?;
        let wait = self.rng.random_range(60_000..5_000_000);
        self.after(wait, Due::Act(Act::Outside(Outsider::Accept(payee))));
        Some("refuse payments")
    }

    fn make_escrow(&mut self) -> Option<&'static str> {
        let name = *["warm", "hot", "reserve"].choose(&mut self.rng)?;
        let owner = self.cast.id(name);
        let (sequence, now) = {
            let network = self.shared.lock();
            let now = network.ledger().validated().header.close_time.0;
            (sequence_of(network.ledger().open().state(), &owner)?, now)
        };
        let preimage = [5_u8; 32];
        let conditional = self.rng.random_bool(0.5);
        let body = TxBody::EscrowCreate(EscrowCreate {
            destination: self.cast.id("shop"),
            destination_tag: None,
            amount: Amount::Xrp(xrp(2)),
            condition: conditional.then(|| condition::condition_for_preimage(&preimage)),
            finish_after: Some(RippleTime(now + 60)),
            cancel_after: conditional.then_some(RippleTime(now + 3_000)),
        });
        self.by_hand(name, &body)?;
        let fulfillment = conditional.then(|| condition::fulfillment_for_preimage(&preimage));
        let wait = self.rng.random_range(70_000..2_000_000);
        let key = EscrowKey { owner, sequence };
        self.after(wait, Due::Act(Act::Outside(Outsider::FinishEscrow(key, fulfillment))));
        Some("make an escrow")
    }

    fn finish_by_hand(&mut self, key: EscrowKey, fulfillment: Option<Vec<u8>>) -> Option<&'static str> {
        let condition = fulfillment.as_ref().map(|_| condition::condition_for_preimage(&[5_u8; 32]));
        let body = TxBody::EscrowFinish(EscrowFinish {
            owner: key.owner,
            offer_sequence: key.sequence,
            condition,
            fulfillment,
        });
        self.by_hand_dearly("stranger", &body)?;
        Some("finish an escrow made by hand")
    }

    /// As [`Self::by_hand`], with the fee that a fulfillment needs.
    fn by_hand_dearly(&mut self, account: &'static str, body: &TxBody) -> Option<()> {
        let id = self.cast.id(account);
        let sequence = sequence_of(self.shared.lock().ledger().open().state(), &id)?;
        let tx = self.cast.signed(account, id, SeqProxy::Sequence(sequence), body);
        let object = tx.into_object().with(xrpl_wire::sf::Fee, Amount::Xrp(super::cast::drops(5_000)));
        let tx = Transaction::from_object(object).ok()?;
        let tx = sign::sign_single(&tx, self.cast.key(account)).ok()?;
        self.submit(&tx);
        Some(())
    }

    fn meddle(&mut self) -> Option<&'static str> {
        let state = self.nodes.first()?.state()?;
        let standing: Vec<(EscrowKey, Option<Vec<u8>>)> = state
            .standing
            .iter()
            .filter_map(|key| {
                Some((*key, state.escrows.get(key)?.view.condition.as_ref().map(|found| found.0.clone())))
            })
            .collect();
        let (key, condition) = standing.choose(&mut self.rng)?.clone();
        if self.rng.random_bool(0.5) {
            let body = TxBody::EscrowCancel(EscrowCancel { owner: key.owner, offer_sequence: key.sequence });
            self.by_hand("stranger", &body)?;
            return Some("cancel an escrow as a stranger");
        }
        let body = TxBody::EscrowFinish(EscrowFinish {
            owner: key.owner,
            offer_sequence: key.sequence,
            condition,
            fulfillment: Some(condition::fulfillment_for_preimage(&[6_u8; 32])),
        });
        self.by_hand_dearly("stranger", &body)?;
        Some("finish an escrow with a wrong fulfillment")
    }

    /// Every proposal that collects signatures, with what it has.
    fn signed_so_far(&self) -> Vec<(Transaction, Vec<Signer>, (usize, ProposalId))> {
        let states = self.nodes.iter().filter_map(|node| Some((node.number, node.state()?)));
        let open = states.flat_map(|(number, state)| {
            state.open.iter().filter_map(move |id| Some((number, state.proposals.get(id)?)))
        });
        open.filter(|(_, proposal)| {
            matches!(proposal.status, Status::Collecting | Status::Ready | Status::InFlight(_))
                && !proposal.approvals.is_empty()
        })
        .filter_map(|(number, proposal)| {
            let plan = proposal.plan.as_ref()?;
            let last = plan.rungs.len().checked_sub(1)?;
            let tx = Transaction::decode(&plan.rungs.get(last)?.0).ok()?;
            let signers = proposal.approvals.values().map(|approval| {
                Some(Signer {
                    account: approval.signer,
                    public_key: approval.signing_pub_key,
                    signature: approval.signatures.get(last)?.0.clone(),
                })
            });
            Some((tx, signers.collect::<Option<Vec<_>>>()?, (number, proposal.id)))
        })
        .collect()
    }

    /// Signs what is being collected with the stolen key alone, or pays itself.
    fn attack(&mut self) -> Option<&'static str> {
        let all = self.signed_so_far();
        let thief = self.cast.id(STOLEN);
        let (tx, word) = match all.choose(&mut self.rng) {
            Some((tx, _, _)) => (tx.clone(), "send a proposal with the stolen key alone"),
            None => {
                let warm = self.cast.id("warm");
                let ticket = *self.nodes.first()?.state()?.accounts.get(&warm)?.tickets.first()?;
                let body = payment(self.cast.id("stranger"), 1_000);
                let tx = self.cast.signed("stranger", warm, SeqProxy::Ticket(ticket), &body);
                let mut object = tx.into_object();
                object.remove(xrpl_wire::sf::TxnSignature);
                object.set(xrpl_wire::sf::SigningPubKey, Vec::<u8>::new());
                (Transaction::from_object(object).ok()?, "steal with the stolen key")
            }
        };
        let signer = sign::sign_for(&tx, thief, self.cast.key(STOLEN)).ok()?;
        let tx = sign::assemble(&tx, vec![signer]).ok()?;
        // Not told to the checker: were it ever applied, that would be a theft.
        let result = self.shared.lock().submit_directly(&tx.encode());
        self.reach("outside result", &result);
        Some(word)
    }

    /// Pays out of an account with the agents' keys, past the daemons. Of cold they sign nothing that the ledger takes.
    fn steal(&mut self) -> Option<&'static str> {
        let name = *PAYERS.choose(&mut self.rng)?;
        let amount = self.rng.random_range(10..300);
        let body = payment(self.cast.id("stranger"), amount);
        self.with_agents_keys(name, &body)?;
        Some("steal with the agents' keys")
    }

    /// A transaction with an account's next Sequence, signed with the agents' keys by somebody who has captured them.
    fn with_agents_keys(&mut self, name: &str, body: &TxBody) -> Option<()> {
        let account = self.cast.id(name);
        let sequence = sequence_of(self.shared.lock().ledger().open().state(), &account)?;
        let tx = self.cast.unsigned(account, SeqProxy::Sequence(sequence), body);
        let signers =
            AGENTS.iter().map(|agent| sign::sign_for(&tx, self.cast.id(agent), self.cast.key(agent)));
        let tx = sign::assemble(&tx, signers.collect::<Result<Vec<_>, _>>().ok()?).ok()?;
        self.checker.stolen(tx.id(), Captured::AgentKeys);
        self.submit(&tx);
        Some(())
    }

    /// Sends a proposal at its highest fee with all signatures there are, or all but one.
    fn send_early(&mut self) -> Option<&'static str> {
        let all = self.signed_so_far();
        let (tx, mut signers, (number, proposal)) = all.choose(&mut self.rng)?.clone();
        if signers.len() > 2 && self.rng.random_bool(0.5) {
            signers.remove(0);
        }
        let tx = sign::assemble(&tx, signers).ok()?;
        self.checker.is_of(tx.id(), number, proposal);
        self.submit(&tx);
        Some("send a proposal past the daemon")
    }
}

fn payment(destination: AccountId, amount_xrp: u64) -> TxBody {
    TxBody::Payment(Payment {
        destination,
        destination_tag: None,
        amount: Amount::Xrp(xrp(amount_xrp)),
        send_max: None,
        deliver_min: None,
    })
}
