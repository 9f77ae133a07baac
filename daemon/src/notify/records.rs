//! What is told of records.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use treasury_api::notice::Severity;
use treasury_api::types::Notice;
use treasury_core::Event;
use treasury_core::observe::LedgerPoint;
use treasury_core::state::Acknowledged;
use treasury_core::units::ProposalId;

use super::escalate::Answered;
use super::tell::{self, Teller};
use super::{PAGE, Trouble};
use crate::clock;
use crate::engine::EngineHandle;
use crate::lines;
use crate::store::{Record, StoreError};

/// Who looks after what was told, by these records.
pub(super) fn answers(records: &[Record]) -> Vec<(Vec<String>, Answered)> {
    let events = records.iter().flat_map(|record| &record.events);
    let of = |event: &Event| match event {
        Event::NoticesAcknowledged { notices, acknowledged } => {
            let Acknowledged { by, reason, at } = acknowledged;
            let at = at.close_time.to_string();
            let answered = Answered { by: by.clone(), reason: reason.clone(), at, severity: Severity::Info };
            Some((notices.clone(), answered))
        }
        _ => None,
    };
    events.filter_map(of).collect()
}

/// What is told of records. What they are about is looked up in the state, and in the archive where it has left that.
pub(super) async fn notices(
    engine: &EngineHandle,
    records: Arc<Vec<Record>>,
    answered: BTreeMap<String, Severity>,
    series: String,
    mut ledger: Option<LedgerPoint>,
) -> Result<(Vec<Notice>, Option<LedgerPoint>), Trouble> {
    let asked = Arc::clone(&records);
    let missing = engine.query(move |state, _| tell::missing(&asked, state)).await?;
    let archived = if missing.is_empty() {
        BTreeMap::new()
    } else {
        // What cannot be read is told of as what is not there: all else that happened must not wait for it.
        let found = engine.archived(move |archive| {
            let look_up = |id: ProposalId| match archive.get(id) {
                Ok(found) => found.map(|found| (id, found.proposal)),
                Err(error) => {
                    lines::archive_damaged(id, error);
                    None
                }
            };
            Ok(missing.into_iter().filter_map(look_up).collect())
        });
        found.await??
    };
    let told = engine.query(move |state, treasury| {
        let utc = clock::utc().to_string();
        let (archived, answered, series) = (&archived, &answered, series.as_str());
        let teller = Teller { treasury, state, archived, answered, series, utc: &utc };
        let notices: Vec<Notice> =
            records.iter().flat_map(|record| teller.record(record, &mut ledger)).collect();
        (notices, ledger)
    });
    Ok(told.await?)
}

/// What comes next of the store's records.
pub(super) enum Next {
    /// These, which may be none; and whether they are all that there are.
    Records { records: Vec<Record>, is_all: bool },
    /// Some that cannot be read, up to that number.
    Unread {
        last: u64,
        /// What is wrong with the first of them.
        reason: StoreError,
    },
}

/// The records above a number, at most a page. What cannot be read of one keeps nobody from hearing of those before and after
/// it; what cannot be read of all of them is an error.
pub(super) async fn next(engine: &EngineHandle, after: u64) -> Result<Next, Trouble> {
    match engine.events(after, PAGE).await? {
        Ok(records) => {
            let is_all = records.len() < PAGE;
            return Ok(Next::Records { records, is_all });
        }
        Err(error) if damaged(&error).is_none() => return Err(error.into()),
        Err(_) => {}
    }
    let newest = *engine.records().borrow();
    let mut records = Vec::new();
    let reason = loop {
        let number = after.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX)).saturating_add(1);
        match read(engine, number).await? {
            Ok(Some(record)) if records.len() < PAGE => records.push(record),
            Err(reason) if records.is_empty() => break reason,
            _ => return Ok(Next::Records { records, is_all: false }),
        }
    };
    // Where one hides those behind it, as in a file that ends before it should, most of them need not be looked at.
    let (mut last, mut step) = (after.saturating_add(1), 1_u64);
    let mut readable = None;
    while last < newest && readable.is_none() {
        let number = last.saturating_add(step).min(newest);
        match read(engine, number).await? {
            Ok(_) => readable = Some(number),
            Err(error) => {
                let is_hidden = damaged(&error) != Some(number);
                (last, step) = (number, if is_hidden { step.saturating_mul(2) } else { 1 });
            }
        }
    }
    while let Some(first) = readable.filter(|first| first.saturating_sub(last) > 1) {
        let middle = last.midpoint(first);
        match read(engine, middle).await? {
            Ok(_) => readable = Some(middle),
            Err(_) => last = middle,
        }
    }
    Ok(Next::Unread { last, reason })
}

/// One record; the error inside is one of records.
async fn read(engine: &EngineHandle, number: u64) -> Result<Result<Option<Record>, StoreError>, Trouble> {
    match engine.events(number.saturating_sub(1), 1).await? {
        Ok(mut found) => Ok(Ok(found.pop())),
        Err(error) if damaged(&error).is_some() => Ok(Err(error)),
        Err(error) => Err(error.into()),
    }
}

/// The record that cannot be read, where that is what is wrong, and not the disk as a whole.
fn damaged(error: &StoreError) -> Option<u64> {
    match error {
        StoreError::Damaged { record, .. }
        | StoreError::Format { record, .. }
        | StoreError::UnknownEvent { record, .. }
        | StoreError::Gap { expected: record, .. } => Some(*record),
        _ => None,
    }
}

/// The digest of a stored record; of none, nothing; `None` where it cannot be read.
pub(super) async fn digest_at(engine: &EngineHandle, number: u64) -> Result<Option<String>, Trouble> {
    if number == 0 {
        return Ok(Some(String::new()));
    }
    let found = read(engine, number).await?;
    Ok(found.ok().map(|found| found.as_ref().map(digest).unwrap_or_default()))
}

pub(super) fn digest(record: &Record) -> String {
    let text = serde_json::to_vec(record).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}
