//! What people propose to each other, sign one by one, take back, and send once it is signed, or before.

use xrpl_harness::embedded::Amendment;
use xrpl_wire::proposal::{self, Role};

use super::*;

impl<W: World> Life<W> {
    /// Whether there are proposals in the world.
    pub(super) fn proposes(&self) -> bool {
        self.world.ledger().rules().enabled(Amendment::Cosign)
    }

    /// One has Tickets, lets another pay for it, and proposes what that one is to pay.
    pub(super) fn begin_proposals(&mut self) {
        let cast = Arc::clone(&self.cast);
        let [_, _, owner, delegate, to, ..] = &cast.people[..] else { panic!("people") };
        self.settle(TransactionType::TicketCreate, owner, |tx| tx.with(sf::TicketCount, 5_u32));
        self.settle(TransactionType::DelegateSet, owner, |tx| {
            tx.with(sf::Authorize, delegate.account_id())
                .with(sf::Permissions, together::permissions(&["Payment"]))
        });
        let held = self.entries(LedgerEntryType::Ticket).first().and_then(|it| it.u32(sf::TicketSequence));
        let payload = self
            .draft(TransactionType::Payment, &owner.account_id())
            .with(sf::Sequence, 0_u32)
            .with(sf::TicketSequence, held.unwrap_or(3))
            .with(sf::Delegate, delegate.account_id())
            .with(sf::Destination, to.account_id())
            .with(sf::Amount, drops(1_234_567));
        let expiration = self.world.ledger().validated().header.close_time.0.saturating_add(2_000);
        self.settle(TransactionType::TransactionProposalCreate, owner, |tx| {
            tx.with(sf::ProposedTransaction, Value::Object(payload.clone())).with(sf::Expiration, expiration)
        });
    }

    /// Something about proposals, as bytes to submit. None for what is no transaction at all.
    pub(super) fn desk(&self, dice: &mut Dice, by: &KeyPair) -> Option<Vec<u8>> {
        let standing = self.entries(LedgerEntryType::TransactionProposal);
        let create = standing.is_empty() || standing.len() < 12 && dice.one_in(3);
        if create && let Some((owner, tx)) = self.create(dice, by) {
            let owner = self.key_of(&owner).unwrap_or(by);
            return self.sign(dice, tx, owner);
        }
        if dice.one_in(8) {
            // What others may send can be proposed, too.
            let tx = self.draft(TransactionType::DelegateSet, &by.account_id());
            let to = dice.pick(&self.cast.people).account_id();
            let given = together::permissions(&["Payment", "EscrowCreate"]);
            return self.sign(dice, tx.with(sf::Authorize, to).with(sf::Permissions, given), by);
        }
        if standing.is_empty() {
            let tx = self.draft(TransactionType::TicketCreate, &by.account_id()).with(sf::TicketCount, 3_u32);
            return self.sign(dice, tx, by);
        }
        let entry = *dice.pick(&standing);
        let payload = entry.object(sf::ProposedTransaction)?;
        match dice.roll(12) {
            0 => {
                let by = self.key_of(&entry.account(sf::Owner)?).filter(|_| !dice.one_in(3)).unwrap_or(by);
                let tx = self.draft(TransactionType::TransactionProposalCancel, &by.account_id());
                self.sign(dice, tx.with(sf::ProposalID, id_of(payload)?), by)
            }
            1..5 => self.send(dice, payload),
            _ => {
                let tx = self.share(dice, payload, by)?;
                self.sign(dice, tx, by)
            }
        }
    }

    fn key_of(&self, account: &AccountId) -> Option<&KeyPair> {
        self.cast.people.iter().find(|key| key.account_id() == *account)
    }

    /// Proposes something for an account that has a Ticket: mostly by itself, else by one who signs for it or anybody.
    fn create(&self, dice: &mut Dice, by: &KeyPair) -> Option<(AccountId, Object)> {
        let (target, ticket) = self.free_ticket(dice)?;
        let payload = self.payload(dice, &target)?.with(sf::Sequence, 0_u32).with(sf::TicketSequence, ticket);
        let payload = match dice.roll(8) {
            0 => payload.with(sf::LastLedgerSequence, self.world.ledger().open().index() + dice.number(12)),
            _ => payload,
        };
        let owner = match dice.roll(4) {
            0 => by.account_id(),
            1 => self.signers_of(&target).first().copied().unwrap_or(target),
            2 => payload.account(sf::Delegate).unwrap_or(target),
            _ => target,
        };
        let now = self.world.ledger().validated().header.close_time.0;
        let tx = self
            .draft(TransactionType::TransactionProposalCreate, &owner)
            .with(sf::ProposedTransaction, Value::Object(payload))
            .with(sf::Expiration, now.saturating_add(dice.number(600)));
        Some((owner, tx))
    }

    /// A Ticket that no proposal holds, mostly; preferably of somebody who lets others send for it.
    fn free_ticket(&self, dice: &mut Dice) -> Option<(AccountId, u32)> {
        let state = self.world.ledger().open().state();
        let tickets = self.entries(LedgerEntryType::Ticket);
        let free: Vec<(AccountId, u32)> = tickets
            .iter()
            .filter_map(|ticket| Some((ticket.account(sf::Account)?, ticket.u32(sf::TicketSequence)?)))
            .filter(|(account, ticket)| {
                dice.one_in(8) || !state.contains(&index::transaction_proposal(account, *ticket))
            })
            .collect();
        let lets = |account: &AccountId| self.delegates_of(account).next().is_some();
        let preferred: Vec<_> = free.iter().copied().filter(|(account, _)| lets(account)).collect();
        match (preferred.is_empty() || dice.one_in(2), free.is_empty()) {
            (_, true) => None,
            (true, _) => Some(*dice.pick(&free)),
            (false, _) => Some(*dice.pick(&preferred)),
        }
    }

    /// What is proposed to an account: anything it could do, a batch, or what it lets another send for it.
    fn payload(&self, dice: &mut Dice, target: &AccountId) -> Option<Object> {
        let key = self.key_of(target)?;
        match dice.roll(3) {
            0 => {
                let tx = self.draft(TransactionType::Batch, target);
                Some(self.batch(dice, tx, Outer::Ticket).with(sf::Fee, drops(1_000_000)))
            }
            1 => {
                let to = dice.pick(&self.cast.people).account_id();
                let amount = drops(1 + dice.roll(2_000_000));
                let tx = self.draft(TransactionType::Payment, target).with(sf::Destination, to);
                Some(self.delegated(dice, tx.with(sf::Amount, amount)))
            }
            _ => Some(self.alone(dice, key)).filter(|tx| tx.account(sf::Account) == Some(*target)),
        }
    }

    /// The people in an account's SignerList.
    fn signers_of(&self, account: &AccountId) -> Vec<AccountId> {
        let list = self.world.ledger().open().state().object(&index::signer_list(account));
        let entries = list.and_then(|list| list.array(sf::SignerEntries)).unwrap_or_default();
        entries.iter().filter_map(|(_, entry)| entry.account(sf::Account)).collect()
    }

    /// The key that somebody signs with: its RegularKey where it has one.
    fn working_key(&self, account: &AccountId) -> Option<&KeyPair> {
        let regular = self.root(account).and_then(|root| root.account(sf::RegularKey));
        regular.and_then(|regular| self.key_of(&regular)).or_else(|| self.key_of(account))
    }

    /// A signature of somebody whom a proposal needs, or of one of its signers; rarely a wrong one.
    fn share(&self, dice: &mut Dice, payload: &Object, by: &KeyPair) -> Option<Object> {
        let initiator = initiator(payload)?;
        let mut needed: Vec<(Role, AccountId)> =
            proposal::participants(payload).into_iter().map(|account| (Role::Participant, account)).collect();
        needed.push((Role::Initiator, initiator));
        let (role, account) = *dice.pick(&needed);
        let listed = self.signers_of(&account);
        let signer = if listed.is_empty() || dice.one_in(2) { account } else { *dice.pick(&listed) };
        let key = if dice.one_in(10) { by } else { self.working_key(&signer)? };
        let public = key.public_key().as_bytes().to_vec();
        let tx = Transaction::from_object(payload.clone()).ok()?;
        let other = (signer != account).then_some(&signer);
        let bytes = proposal::signing_bytes(&tx, role, &account, other, &public).ok()?;
        let signature = Object::new()
            .with(sf::Account, signer)
            .with(sf::SigningPubKey, public)
            .with(sf::TxnSignature, key.sign(&bytes));
        let tx = self.draft(TransactionType::TransactionProposalSign, &by.account_id());
        Some(
            tx.with(sf::ProposalID, id_of(payload)?)
                .with(sf::SigningFor, account)
                .with(sf::ProposalSignature, Value::Object(signature)),
        )
    }

    /// What is proposed, with what has been collected, or signed by who is to send it.
    fn send(&self, dice: &mut Dice, payload: &Object) -> Option<Vec<u8>> {
        if dice.one_in(2) {
            return Some(Transaction::from_object(payload.clone()).ok()?.encode());
        }
        let mut bare = payload.clone();
        for field in proposal::SIGNATURES {
            bare.remove(field);
        }
        bare.set(sf::SigningPubKey, Vec::<u8>::new());
        if bare.has(sf::RawTransactions) {
            bare = self.with_participants(dice, bare)?;
        }
        let key = self.working_key(&initiator(payload)?)?;
        sign::sign_single(&Transaction::from_object(bare).ok()?, key).ok().map(|tx| tx.encode())
    }
}

fn initiator(payload: &Object) -> Option<AccountId> {
    payload.account(sf::Delegate).or_else(|| payload.account(sf::Account))
}

fn id_of(payload: &Object) -> Option<Hash256> {
    let (target, ticket) = (payload.account(sf::Account)?, payload.u32(sf::TicketSequence)?);
    Some(index::transaction_proposal(&target, ticket))
}
