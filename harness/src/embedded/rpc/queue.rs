//! What waits in the ledger's queue, as `account_info` tells of it.

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, SeqProxy};

use crate::embedded::{Ledger, QueuedTx};

/// What all methods tell of a transaction that waits.
pub(super) fn queued_json(queued: &QueuedTx) -> Map<String, Value> {
    let mut json = super::fields([
        ("auth_change", queued.auth_change.into()),
        ("fee", queued.fee.to_string().into()),
        ("fee_level", queued.fee_level.to_string().into()),
        ("max_spend_drops", queued.max_spend.to_string().into()),
    ]);
    if let Some(last) = queued.last_ledger_sequence {
        json.insert("LastLedgerSequence".to_owned(), last.into());
    }
    json
}

/// The `queue_data` of an account.
pub(super) fn queue_data(ledger: &Ledger, account: &AccountId) -> Value {
    let waiting = ledger.queued(account);
    let mut data = Map::new();
    data.insert("txn_count".to_owned(), waiting.len().into());
    if waiting.is_empty() {
        return data.into();
    }
    let (mut sequences, mut tickets) = (Vec::new(), Vec::new());
    let mut transactions = Vec::new();
    for queued in &waiting {
        let (name, number) = match queued.seq {
            SeqProxy::Sequence(number) => {
                sequences.push(number);
                ("seq", number)
            }
            SeqProxy::Ticket(number) => {
                tickets.push(number);
                ("ticket", number)
            }
        };
        let mut fields = queued_json(queued);
        fields.insert(name.to_owned(), number.into());
        transactions.push(Value::Object(fields));
    }
    data.insert("transactions".to_owned(), transactions.into());
    let spend = waiting.iter().fold(0_u64, |sum, queued| sum.saturating_add(queued.max_spend));
    data.insert("max_spend_drops_total".to_owned(), spend.to_string().into());
    let auth_change = waiting.iter().any(|queued| queued.auth_change);
    data.insert("auth_change_queued".to_owned(), auth_change.into());
    for (numbers, name) in [(sequences, "sequence"), (tickets, "ticket")] {
        if let (Some(lowest), Some(highest)) = (numbers.first(), numbers.last()) {
            data.insert(format!("{name}_count"), numbers.len().into());
            data.insert(format!("lowest_{name}"), (*lowest).into());
            data.insert(format!("highest_{name}"), (*highest).into());
        }
    }
    data.into()
}
