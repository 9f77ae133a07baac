//! A ledger with open native proposals, and the requests that list and judge them.

use xrpl_harness::embedded::rpc::{self, Request, ServerFacts};
use xrpl_harness::embedded::{Amendment, Generation, GenesisConfig, Ledger};
use xrpl_wire::proposal::{self, Role};
use xrpl_wire::{KeyPair, Object, Transaction, TransactionType, Value, index, sf};

use crate::market::{Ground, draft, drops, key};

/// Whose Tickets are held: an account has 250 at most.
const TARGETS: u32 = 4;
const TICKETS: u32 = 250;

/// How many proposals there are.
pub(crate) const PROPOSALS: u32 = TARGETS * TICKETS;

/// Proposals of one account to several that it signs for, and of each of them a share of another signer, of two that it
/// needs; and the requests that list them all, page by page, and have each of them judged.
pub(crate) struct Desk {
    ledger: Ledger,
    requests: Vec<String>,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let mut config = GenesisConfig::of(Generation::V3_3);
        config.server.features = vec![Amendment::Cosign];
        let mut ground = Ground::new(config);
        let (owner, signer) = (key(0), key(1));
        let targets: Vec<KeyPair> = (10..10 + TARGETS).map(key).collect();
        for who in [&owner, &signer].into_iter().chain(&targets) {
            ground.fund(who.account_id());
        }
        ground.settle();
        for target in &targets {
            let mut members = [owner.account_id(), signer.account_id(), key(2).account_id()];
            members.sort_unstable();
            let entry = |account| {
                (sf::SignerEntry, Object::new().with(sf::Account, account).with(sf::SignerWeight, 1_u16))
            };
            ground.act(target, TransactionType::SignerListSet, |tx| {
                let members = Value::Array(members.into_iter().map(entry).collect());
                tx.with(sf::SignerQuorum, 2_u32).with(sf::SignerEntries, members)
            });
            let first = ground.ledger.next_sequence(&target.account_id()) + 1;
            ground.act(target, TransactionType::TicketCreate, |tx| tx.with(sf::TicketCount, TICKETS));
            ground.settle();
            for ticket in first..first + TICKETS {
                propose(&mut ground, &owner, &signer, target, ticket);
            }
        }
        ground.settle();
        let mut desk = Desk { ledger: ground.ledger, requests: Vec::new() };
        desk.ask_for_all(&owner.account_id().to_string());
        desk
    }

    fn ask_for_all(&mut self, owner: &str) {
        let (mut ids, mut marker) = (Vec::new(), String::new());
        loop {
            let list = format!(
                r#"{{"method":"account_objects","params":[{{"account":"{owner}","type":"transaction_proposal","limit":400,"ledger_index":"validated"{marker}}}]}}"#
            );
            let reply: serde_json::Value = serde_json::from_str(&self.answer(&list)).unwrap();
            self.requests.push(list);
            let objects = reply["result"]["account_objects"].as_array().unwrap();
            ids.extend(objects.iter().map(|object| object["index"].as_str().unwrap().to_owned()));
            let Some(next) = reply["result"]["marker"].as_str() else { break };
            marker = format!(r#","marker":"{next}""#);
        }
        self.requests.extend(ids.iter().map(|id| {
            format!(
                r#"{{"method":"transaction_proposal","params":[{{"proposal_id":"{id}","ledger_index":"validated"}}]}}"#
            )
        }));
    }

    /// The replies to all requests, as text.
    pub(crate) fn answers(&mut self) -> Vec<String> {
        let requests = std::mem::take(&mut self.requests);
        let replies = requests.iter().map(|request| self.answer(request)).collect();
        self.requests = requests;
        replies
    }

    fn answer(&mut self, body: &str) -> String {
        let request = read(body);
        let outcome = rpc::handle(&mut self.ledger, None, &request, &ServerFacts::default());
        request.reply(outcome).to_string()
    }

    /// The requests as they are when they have been read.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.iter().map(|body| read(body)).collect()
    }

    /// Handles those; the replies are made, and not written as text.
    pub(crate) fn handle(&mut self, requests: &[Request]) {
        for request in requests {
            let outcome = rpc::handle(&mut self.ledger, None, request, &ServerFacts::default());
            assert!(outcome.result.is_ok());
        }
    }
}

fn read(body: &str) -> Request {
    Request::from_json_rpc(body.as_bytes(), true).unwrap()
}

/// Proposes a payment on a Ticket, with the share of a signer.
fn propose(ground: &mut Ground, owner: &KeyPair, signer: &KeyPair, target: &KeyPair, ticket: u32) {
    let payload = draft(TransactionType::Payment, target.account_id(), 0)
        .with(sf::TicketSequence, ticket)
        .with(sf::Destination, owner.account_id())
        .with(sf::Amount, drops(1_000));
    let expiration = ground.ledger.validated().header.close_time.0 + 1_000_000;
    ground.act(owner, TransactionType::TransactionProposalCreate, |tx| {
        tx.with(sf::ProposedTransaction, Value::Object(payload.clone())).with(sf::Expiration, expiration)
    });
    let payload = Transaction::from_object(payload).unwrap();
    let (target, account) = (target.account_id(), signer.account_id());
    let public = signer.public_key().as_bytes().to_vec();
    let bytes = proposal::signing_bytes(&payload, Role::Initiator, &target, Some(&account), &public).unwrap();
    let share = Object::new()
        .with(sf::Account, account)
        .with(sf::SigningPubKey, public)
        .with(sf::TxnSignature, signer.sign(&bytes));
    ground.act(signer, TransactionType::TransactionProposalSign, |tx| {
        tx.with(sf::ProposalID, index::transaction_proposal(&target, ticket))
            .with(sf::SigningFor, target)
            .with(sf::ProposalSignature, Value::Object(share))
    });
}
