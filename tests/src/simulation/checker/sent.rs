//! What daemons may send, and when.

use treasury_core::units::{EscrowKey, ProposalId};
use xrpl_wire::typed::AccountSet;
use xrpl_wire::{Transaction, TxBody};

use super::{Checker, Rule};
use crate::simulation::cast::SILENCE_MAX_SECONDS;

/// What a daemon can have heard of the ledger when it sends something.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Milliseconds of wall time since its port last handed it a ledger that was new to it.
    pub silence_ms: u64,
    /// Whether it has read every treasury account since its process started.
    pub read_all: bool,
}

/// How much longer than its patience a daemon may take to notice silence: it is told the time once in a while.
const NOTICE_MS: u64 = 3_000;

impl Checker {
    /// A daemon sends a transaction: its effect has been released.
    pub fn released(&mut self, daemon: usize, tx: &Transaction, heard: Heard) {
        let name = format!("{} {}", tx.tx_type().name(), tx.id());
        self.sent.insert(tx.id(), daemon);
        self.sent_by.insert((daemon, tx.id()));
        if heard.silence_ms > u64::from(SILENCE_MAX_SECONDS) * 1_000 + NOTICE_MS {
            let what = format!("daemon {daemon} sent {name} after {} ms of silence", heard.silence_ms);
            self.broken(Rule::BlindNotSent, what);
        }
        if !heard.read_all {
            let what = format!("daemon {daemon} sent {name} before it had read the accounts");
            self.broken(Rule::BlindNotSent, what);
        }
        let Ok(body) = TxBody::parse_lossy(tx) else { return };
        let finish_after = match &body {
            TxBody::EscrowCreate(create) => create.finish_after,
            _ => None,
        };
        if !is_void(tx, &body) {
            self.is_due(daemon, tx.id(), finish_after);
        }
        self.stops_bind(daemon, tx, &body);
        self.is_not_fenced(daemon, tx, &body);
        if let TxBody::EscrowFinish(finish) = body {
            self.releases(daemon, EscrowKey { owner: finish.owner, sequence: finish.offer_sequence });
        }
    }

    /// A daemon gives a fulfillment away.
    fn releases(&mut self, daemon: usize, key: EscrowKey) {
        self.revealed.insert(key);
        let Some(made) = self.escrows.get(&key) else {
            let what = format!("daemon {daemon} releases {key}, which no daemon made");
            self.broken(Rule::NothingUnasked, what);
            return;
        };
        let made = made.clone();
        self.is_given(key, &format!("is released by daemon {daemon}"));
        let early = made.delay_left_ms(self.now_ms);
        let proposal = made.proposal.or_else(|| self.proposal_of(made.tag?));
        if let Some(proposal) = proposal
            && self.is_flagged(daemon, proposal)
        {
            let what = format!("daemon {daemon} released {key}; {proposal} is flagged");
            self.broken(Rule::FlaggedNotFinished, what);
        }
        if let Some(left) = early {
            let what = format!("daemon {daemon} released {key} {left} ms before the promised delay was over");
            self.broken(Rule::DelayKept, what);
        }
    }

    /// What may leave under the stops that were acknowledged: what brings money back, and nothing else that
    /// touches a stopped subject.
    fn stops_bind(&mut self, daemon: usize, tx: &Transaction, body: &TxBody) {
        let account = tx.account();
        let mut touched = vec![account];
        let mut tag = None;
        match body {
            TxBody::EscrowCancel(_) => return,
            _ if is_void(tx, body) => return,
            // A runner without Tickets could take nothing back.
            TxBody::TicketCreate(_) if self.treasury.runner == Some(account) => return,
            TxBody::Payment(payment) => {
                touched.push(payment.destination);
                tag = payment.destination_tag;
            }
            TxBody::EscrowCreate(create) => {
                touched.push(create.destination);
                tag = create.destination_tag;
            }
            TxBody::EscrowFinish(finish) => {
                let key = EscrowKey { owner: finish.owner, sequence: finish.offer_sequence };
                touched.push(finish.owner);
                let made = self.escrows.get(&key);
                touched.extend(made.map(|made| made.destination));
                tag = made.and_then(|made| made.tag);
            }
            _ => {}
        }
        let name = format!("{} {}", tx.tx_type().name(), tx.id());
        if let Some(frozen) = touched.iter().find(|account| self.is_frozen(daemon, **account)) {
            let what = format!("daemon {daemon} sent {name}, which touches {}", self.cast.name(frozen));
            self.broken(Rule::StopsBind, what);
        }
        let proposal = tag.and_then(|tag| self.proposal_of(tag)).or_else(|| self.proposal_sent(tx.id()));
        let revealed = matches!(body, TxBody::EscrowFinish(_));
        if let Some(proposal) = proposal.filter(|proposal| !revealed && self.is_flagged(daemon, *proposal)) {
            self.broken(Rule::StopsBind, format!("daemon {daemon} sent {name}; {proposal} is flagged"));
        }
        // The release of its escrow is another transaction: the payment was quicker than its void.
        let voided = |proposal: &ProposalId| !revealed && self.voided.contains(&(daemon, *proposal));
        if let Some(proposal) = proposal.filter(voided) {
            let what = format!("daemon {daemon} sent {name}; {proposal} was asked to be voided");
            self.broken(Rule::StopsBind, what);
        }
    }
}

/// Whether it sets nothing and only uses up its Ticket, so that nothing else signed over that can be applied.
pub(super) fn is_void(tx: &Transaction, body: &TxBody) -> bool {
    matches!(body, TxBody::AccountSet(set) if *set == AccountSet::default()) && tx.seq().is_ticket()
}
