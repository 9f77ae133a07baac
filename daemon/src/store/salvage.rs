//! What can still be read of a store, however damaged.

use std::path::Path;

use super::inspect::copy_of_tail;
use super::intents::{Entries, Entry};
use super::journal;
use super::seam::system;
use super::segments::Segments;
use super::{StoreBuilder, StoreError, files, version};

/// What a damaged store still gives, besides the records that went to the builder.
#[derive(Debug)]
pub struct Salvage {
    /// Why no more records could be read; `None`: they were all there.
    pub problem: Option<StoreError>,
    /// The second log's entries beyond the last record that was read.
    pub entries: Vec<Entry>,
}

/// Reads whole records into the builder until one is damaged or missing, and then the second log's entries
/// beyond them. The old store is only read: the storage engine works on a copy, because opening a damaged
/// file changes it.
///
/// # Errors
/// Where records are damaged and the second log cannot fill in for them; [`StoreError::Version`] where a
/// newer treasuryd made the store; what cannot be written.
pub fn salvage(data_dir: &Path, builder: &mut StoreBuilder) -> Result<Salvage, StoreError> {
    // What a newer program wrote may mean something else to this one. A version that cannot be read at all
    // is damage like any other.
    if let Err(error @ StoreError::Version { is_newer: true, .. }) = version::find(&*system(), data_dir) {
        return Err(error);
    }
    let problem = read_records(data_dir, builder).err();
    let read = builder.number();
    let beyond = Entries::open(&*system(), &data_dir.join(files::INTENTS)).and_then(|entries| {
        let beyond = entries.filter(|entry| !matches!(entry, Ok(entry) if entry.record <= read));
        beyond.collect::<Result<Vec<_>, _>>()
    });
    match (beyond, problem) {
        (Ok(entries), problem) => {
            let lost =
                |entry: &Entry| StoreError::Lost { stored: read, known: entry.record, by: files::INTENTS };
            let problem = problem.or_else(|| entries.last().map(lost));
            Ok(Salvage { problem, entries })
        }
        // Without the second log, whole records are everything there is to know.
        (Err(_), None) => Ok(Salvage { problem: None, entries: Vec::new() }),
        (Err(log), Some(problem)) => {
            tracing::error!(%problem, %log, "neither the store nor the second log is whole");
            Err(log)
        }
    }
}

/// Reads records until the end, or the first that cannot be read.
fn read_records(data_dir: &Path, builder: &mut StoreBuilder) -> Result<(), StoreError> {
    let (segments, gap) = Segments::open_prefix(&system(), data_dir.join(files::RECORDS))?;
    for record in segments.records() {
        builder.push(&record?.events)?;
    }
    if let Some(gap) = gap {
        return Err(gap);
    }
    let scratch = builder.scratch();
    files::make_dir(&*system(), &scratch)?;
    let tail = copy_of_tail(data_dir, &scratch)?;
    tail.settle()?;
    for raw in tail.raw(segments.last()) {
        builder.push(&raw?.parse()?.events)?;
    }
    for raw in journal::read_beyond(&*system(), &data_dir.join(files::JOURNAL), builder.number())? {
        builder.push(&raw.parse()?.events)?;
    }
    Ok(())
}
