//! What a transaction means for those of its account that wait behind it in the queue.

use xrpl_wire::{Drops, SeqProxy, Transaction, TransactionType, flags, sf};

use super::queue::Candidate;
use super::submitted::Submitted;

/// A transaction that waits in the queue.
#[derive(Debug, Clone)]
pub struct QueuedTx {
    /// The transaction.
    pub tx: Transaction,
    /// How often it is still tried before it is dropped.
    pub retries: u32,
    /// Its Sequence or Ticket.
    pub seq: SeqProxy,
    /// Its fee, in drops.
    pub fee: Drops,
    /// What it pays, in 256ths of its least fee.
    pub fee_level: u64,
    /// The last ledger it may be in.
    pub last_ledger_sequence: Option<u32>,
    /// The drops it may spend, its fee included.
    pub max_spend: u64,
    /// Whether it may change who can sign for the account.
    pub auth_change: bool,
}

impl QueuedTx {
    pub(super) fn of(candidate: &Candidate) -> QueuedTx {
        let tx = &candidate.tx;
        QueuedTx {
            retries: candidate.retries,
            seq: tx.tx.seq(),
            fee: tx.tx.fee(),
            fee_level: candidate.fee_level,
            last_ledger_sequence: tx.tx.last_ledger_sequence(),
            max_spend: potential_spend(tx).saturating_add(tx.tx.fee().get()),
            auth_change: is_blocker(tx),
            tx: tx.tx.clone(),
        }
    }
}

/// Whether a transaction may make those after it invalid, by changing keys or what the account owns.
pub(super) fn is_blocker(tx: &Submitted) -> bool {
    const FLAGS: [u32; 3] = [flags::asfRequireAuth, flags::asfDisableMaster, flags::asfAccountTxnID];
    match tx.tx.tx_type() {
        TransactionType::SetRegularKey | TransactionType::SignerListSet | TransactionType::AccountDelete => {
            true
        }
        TransactionType::AccountSet => {
            let asked = |field| tx.tx.object().u32(field).is_some_and(|flag| FLAGS.contains(&flag));
            tx.tx.flags() & (flags::tfRequireAuth | flags::tfOptionalAuth) != 0
                || asked(sf::SetFlag)
                || asked(sf::ClearFlag)
        }
        _ => false,
    }
}

/// The drops a transaction may spend beside its fee.
pub(super) fn potential_spend(tx: &Submitted) -> u64 {
    let object = tx.tx.object();
    let amount = match tx.tx.tx_type() {
        TransactionType::Payment => object.amount(sf::SendMax).or(object.amount(sf::Amount)),
        TransactionType::EscrowCreate
        | TransactionType::PaymentChannelCreate
        | TransactionType::PaymentChannelFund => object.amount(sf::Amount),
        TransactionType::OfferCreate => object.amount(sf::TakerGets),
        _ => None,
    };
    amount.and_then(|amount| amount.drops()).map_or(0, Drops::get)
}

/// The Sequence or Ticket after a transaction.
pub(super) fn next_after(tx: &Submitted) -> SeqProxy {
    let used = match (tx.tx.tx_type(), tx.tx.seq()) {
        (TransactionType::TicketCreate, _) => tx.tx.object().u32(sf::TicketCount).unwrap_or(1),
        (_, SeqProxy::Sequence(_)) => 1,
        (_, SeqProxy::Ticket(_)) => 0,
    };
    match tx.tx.seq() {
        SeqProxy::Sequence(sequence) => SeqProxy::Sequence(sequence.saturating_add(used)),
        SeqProxy::Ticket(ticket) => SeqProxy::Ticket(ticket.saturating_add(used)),
    }
}
