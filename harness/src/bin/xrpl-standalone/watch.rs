//! A line for each ledger and each transaction.

use std::io::Write;
use std::sync::mpsc;

use xrpl_harness::embedded::{ClosedLedger, SubmitOutcome};
use xrpl_harness::server::{Event, Events, words};

/// So much text waits for a reader that is slow; what comes beyond it is left out.
const WAITING_MAX: usize = 10_000;

/// Prints what happens until the server is gone or nobody reads any more.
///
/// Writing may block for as long as nobody reads, so it has a thread of its own, which nobody waits for.
pub(crate) async fn watch(mut events: Events) {
    let (lines, to_print) = mpsc::sync_channel::<String>(WAITING_MAX);
    std::thread::spawn(move || {
        let mut out = std::io::stdout();
        while let Ok(text) = to_print.recv() {
            if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                return;
            }
        }
    });
    while let Some(event) = events.next().await {
        let text = match event {
            Event::Submitted(outcome) => submitted(&outcome),
            Event::Closed(closed) => Some(ledger(&closed)),
            Event::Missed(count) => Some(format!("… {count} events more\n")),
        };
        // A reader that does not come along misses lines, not ledgers.
        if let Some(Err(mpsc::TrySendError::Disconnected(_))) = text.map(|text| lines.try_send(text)) {
            return;
        }
    }
}

/// What came in and is not in the open ledger; what is stands under its ledger when that closes.
fn submitted(outcome: &SubmitOutcome) -> Option<String> {
    let about = outcome.tx.as_ref().map_or_else(|| "not a transaction".to_owned(), words::transaction);
    if let Some(reason) = &outcome.refused {
        return Some(format!("  refused  {about}: {reason}\n"));
    }
    if outcome.applied {
        return None;
    }
    let what = if outcome.queued || outcome.result.is_ter() { "waits" } else { "refused" };
    Some(format!("  {what:<8} {about}: {} {}\n", outcome.result, outcome.result.message()))
}

/// A ledger, and below it its transactions in the order they were applied.
fn ledger(closed: &ClosedLedger) -> String {
    let count = closed.transactions.len();
    let plural = if count == 1 { "" } else { "s" };
    let header = &closed.header;
    let mut text = format!(
        "ledger {}  {}  {count} transaction{plural}  {}\n",
        header.index, header.close_time, closed.hash
    );
    for tx in &closed.transactions {
        let message = if tx.result.is_tes() { "" } else { tx.result.message() };
        let line = format!("  {:<8} {}  {} {message}", tx.result.name(), words::transaction(tx.tx()), tx.id);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
