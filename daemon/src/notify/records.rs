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

use super::Trouble;
use super::escalate::Answered;
use super::tell::{self, Teller};
use crate::clock;
use crate::engine::EngineHandle;
use crate::lines;
use crate::store::Record;

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

/// The digest of a stored record; of none, nothing.
pub(super) async fn digest_at(engine: &EngineHandle, number: u64) -> Result<String, Trouble> {
    let Some(before) = number.checked_sub(1) else { return Ok(String::new()) };
    let found = engine.events(before, 1).await??;
    Ok(found.first().map(digest).unwrap_or_default())
}

pub(super) fn digest(record: &Record) -> String {
    let text = serde_json::to_vec(record).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}
