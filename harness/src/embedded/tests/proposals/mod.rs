//! Native proposals, case by case. The numbers before the checks are those of the list of cases that the recordings
//! were made from: C for Create, S for Sign, X for Cancel, A for Tickets that are held, R for the method.

mod batched;
mod cancel;
mod create;
mod method;
mod payloads;
mod signing;
mod tickets;

use serde_json::{Value as Json, json};
use xrpl_wire::proposal::{self, Role};

use super::world::World;
use super::*;

/// Who is who: whose Ticket is held, whom it pays, three more, and one who has no part in it.
const TARGET: usize = 0;
const DEST: usize = 1;
const ALICE: usize = 2;
const BOB: usize = 3;
const CAROL: usize = 4;
const STRANGER: usize = 5;

/// Proposals on a ledger.
struct Desk {
    world: World,
    /// The first Ticket of the target, who has three.
    ticket: u32,
}

impl Desk {
    fn new() -> Desk {
        Desk::with(&[Amendment::Cosign, Amendment::BatchV1_1])
    }

    fn with(features: &[Amendment]) -> Desk {
        let mut config = GenesisConfig::of(Generation::V3_3);
        config.server.features = features.to_vec();
        Desk::of(config)
    }

    fn of(config: GenesisConfig) -> Desk {
        let mut world = World::with(config);
        let tx = world.tx(TransactionType::TicketCreate, TARGET).with(sf::TicketCount, 3_u32);
        let ticket = world.must(TARGET, tx) + 1;
        Desk { world, ticket }
    }

    /// Where the proposal for a Ticket of the target stands.
    fn id(&self, ticket: u32) -> Hash256 {
        index::transaction_proposal(&self.world.id(TARGET), ticket)
    }

    /// Of a kind, by the target, on its first Ticket.
    fn payload_of(&self, kind: TransactionType) -> Object {
        let tx = self.world.tx(kind, TARGET).with(sf::Sequence, 0_u32).with(sf::Fee, drops(30));
        tx.with(sf::TicketSequence, self.ticket)
    }

    /// A payment of a drop or more.
    fn payload(&self) -> Object {
        let tx = self.payload_of(TransactionType::Payment).with(sf::Destination, self.world.id(DEST));
        tx.with(sf::Amount, drops(1_000_000))
    }

    fn create(&self, by: usize, payload: &Object) -> Object {
        self.world
            .tx(TransactionType::TransactionProposalCreate, by)
            .with(sf::ProposedTransaction, Value::Object(payload.clone()))
            .with(sf::Expiration, self.world.now() + 100)
    }

    /// What would come of proposing this.
    fn tries(&self, by: usize, payload: &Object) -> TxResult {
        self.world.tries(&self.create(by, payload))
    }

    /// Proposes it, and answers with the result.
    fn proposes(&mut self, by: usize, payload: &Object) -> TxResult {
        let tx = self.create(by, payload);
        self.world.does(by, tx)
    }

    /// Proposes the usual payment, and answers with its id.
    fn proposed(&mut self, by: usize) -> Hash256 {
        let payload = self.payload();
        self.proposed_as(by, &payload)
    }

    fn proposed_as(&mut self, by: usize, payload: &Object) -> Hash256 {
        assert_eq!(self.proposes(by, payload), TxResult::tesSUCCESS);
        self.id(payload.u32(sf::TicketSequence).unwrap())
    }

    fn entry(&self, id: &Hash256) -> Option<&Object> {
        self.world.entry(id)
    }

    /// What a proposal proposes, as it is signed by now.
    fn stored(&self, id: &Hash256) -> Object {
        self.entry(id).and_then(|entry| entry.object(sf::ProposedTransaction)).unwrap().clone()
    }

    /// A Sign by which somebody relays a share: that of a signer for somebody in a role, by a key.
    fn share(
        &self,
        id: &Hash256,
        role: Role,
        account: AccountId,
        signer: AccountId,
        key: &KeyPair,
    ) -> Object {
        let payload = Transaction::from_object(self.stored(id)).unwrap();
        let other = (signer != account).then_some(&signer);
        let key_bytes = key.public_key().as_bytes().to_vec();
        let bytes = proposal::signing_bytes(&payload, role, &account, other, &key_bytes).unwrap();
        let signature = Object::new()
            .with(sf::Account, signer)
            .with(sf::SigningPubKey, key_bytes)
            .with(sf::TxnSignature, key.sign(&bytes));
        self.world
            .tx(TransactionType::TransactionProposalSign, STRANGER)
            .with(sf::ProposalID, *id)
            .with(sf::SigningFor, account)
            .with(sf::ProposalSignature, Value::Object(signature))
    }

    /// The share of a person for a person, with that person's own key.
    fn sign_tx(&self, id: &Hash256, role: Role, account: usize, signer: usize) -> Object {
        self.share(id, role, self.world.id(account), self.world.id(signer), self.world.key(signer))
    }

    fn signs_as(&mut self, id: &Hash256, role: Role, account: usize, signer: usize) -> TxResult {
        let tx = self.sign_tx(id, role, account, signer);
        self.world.does(STRANGER, tx)
    }

    /// The same, as who sends the transaction.
    fn signs(&mut self, id: &Hash256, account: usize, signer: usize) -> TxResult {
        self.signs_as(id, Role::Initiator, account, signer)
    }

    fn cancel(&self, by: usize, id: &Hash256) -> Object {
        self.world.tx(TransactionType::TransactionProposalCancel, by).with(sf::ProposalID, *id)
    }

    fn cancels(&mut self, by: usize, id: &Hash256) -> TxResult {
        let tx = self.cancel(by, id);
        self.world.does(by, tx)
    }

    /// Gives somebody a SignerList.
    fn list(&mut self, owner: usize, quorum: u32, members: &[(usize, u16)]) {
        let ids: Vec<(AccountId, u16)> = members.iter().map(|(who, w)| (self.world.id(*who), *w)).collect();
        self.list_of(owner, quorum, &ids);
    }

    fn list_of(&mut self, owner: usize, quorum: u32, members: &[(AccountId, u16)]) {
        let mut members = members.to_vec();
        members.sort();
        let entry = |(account, weight): &(AccountId, u16)| {
            (sf::SignerEntry, Object::new().with(sf::Account, *account).with(sf::SignerWeight, *weight))
        };
        let mut tx = self.world.tx(TransactionType::SignerListSet, owner).with(sf::SignerQuorum, quorum);
        if quorum > 0 {
            tx.set(sf::SignerEntries, Value::Array(members.iter().map(entry).collect()));
        }
        self.world.must(owner, tx);
    }

    /// Lets somebody send some types for another; nothing any more, if there are none.
    fn grant(&mut self, by: usize, to: usize, permissions: &[&str]) {
        let one = |name: &&str| {
            let value = xrpl_wire::permission::value(name).unwrap();
            (sf::Permission, Object::new().with(sf::PermissionValue, value))
        };
        let tx = self
            .world
            .tx(TransactionType::DelegateSet, by)
            .with(sf::Authorize, self.world.id(to))
            .with(sf::Permissions, Value::Array(permissions.iter().map(one).collect()));
        self.world.must(by, tx);
    }

    /// Submits a transaction as it is.
    fn submits(&mut self, tx: &Object) -> TxResult {
        let blob = Transaction::from_object(tx.clone()).unwrap().encode();
        let outcome = self.world.ledger.submit(&blob);
        assert_eq!(outcome.refused, None);
        self.world.ledger.close(CloseTime::Next);
        outcome.result
    }

    /// Signs a transaction with a key, and submits it.
    fn submits_by(&mut self, tx: Object, by: usize) -> TxResult {
        let blob = signed(tx, self.world.key(by));
        let result = self.world.ledger.submit(&blob).result;
        self.world.ledger.close(CloseTime::Next);
        result
    }

    /// A transaction signed by several.
    fn together(&self, tx: &Object, signers: &[usize]) -> Object {
        let tx = Transaction::from_object(tx.clone()).unwrap();
        let shares = signers
            .iter()
            .map(|who| sign::sign_for(&tx, self.world.id(*who), self.world.key(*who)).unwrap())
            .collect();
        sign::assemble(&tx, shares).unwrap().into_object()
    }

    /// Something else on the first Ticket.
    fn other(&self) -> Object {
        self.payload_of(TransactionType::AccountSet)
    }

    fn has_ticket(&self, ticket: u32) -> bool {
        self.entry(&index::ticket(&self.world.id(TARGET), ticket)).is_some()
    }

    fn owns(&self, person: usize) -> u32 {
        self.world.owns(person)
    }

    /// The answer of a method.
    fn ask(&mut self, method: &str, params: Json) -> Json {
        let body = json!({"method": method, "params": [params]}).to_string();
        let request = rpc::Request::from_json_rpc(body.as_bytes(), true).unwrap();
        let outcome = rpc::handle(&mut self.world.ledger, None, &request, &rpc::ServerFacts::default());
        request.reply(outcome)["result"].take()
    }

    /// What `transaction_proposal` says of an id in the validated ledger.
    fn status(&mut self, id: &Hash256) -> Json {
        self.ask("transaction_proposal", json!({"proposal_id": id.to_string(), "ledger_index": "validated"}))
    }

    /// The reasons of the rows, in their order; `-` for who has signed.
    fn reasons(&mut self, id: &Hash256) -> Vec<String> {
        let status = self.status(id);
        let rows = status["signing_status"].as_array().unwrap();
        rows.iter().map(|row| row["reason"].as_str().unwrap_or("-").to_owned()).collect()
    }
}
