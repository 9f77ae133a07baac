//! Builds the store again: from what can still be read of it, the second log, and the ledger's history.
//!
//! What people asked for and approved comes from the log, what happened on the ledger from the ledger, in
//! the order in which the daemon saw it. The result ends where the log ends: what the ledger did after that
//! is for the daemon to take in when it starts, because it may have to decide something about it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use treasury_core::observe::LedgerPoint;
use treasury_core::units::{AccountId, LedgerIndex, RippleTime};
use treasury_core::{Event, State};

use crate::clock;
use crate::config::DaemonConfig;
use crate::ledger::{History, HistoryError};
use crate::store::{Entry, Salvage, StoreBuilder, StoreError, salvage};

/// What came of it.
#[derive(Debug)]
pub struct Rebuilt {
    /// Records that could be read from the old store.
    pub read: u64,
    /// Why no more could be; `None`: they were all there.
    pub problem: Option<String>,
    /// Entries of the second log that filled in for the rest.
    pub entries: usize,
    /// Ledgers that were fetched for it.
    pub ledgers: u64,
    /// Records of the new store.
    pub records: u64,
    /// Where the old store is now.
    pub aside: Option<PathBuf>,
    /// What the new store adds up to.
    pub state: State,
}

/// Why it was not rebuilt. Everything is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The store, the second log, or the disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger's history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// There is nothing to rebuild from.
    #[error("{} holds neither records nor a second log: there is nothing to rebuild from", .0.display())]
    Nothing(PathBuf),
    /// A moment that the log names cannot follow the one before it.
    #[error("the second log has ledger {entry} after ledger {before}: it cannot be followed")]
    Backwards {
        /// The entry's ledger.
        entry: LedgerIndex,
        /// The ledger before it.
        before: LedgerIndex,
    },
}

/// Puts a store in place that an interrupted rebuild had finished. `None`: there is none; otherwise where
/// the old one went.
///
/// # Errors
/// What cannot be moved.
pub fn finish_interrupted(config: &DaemonConfig) -> Result<Option<Option<PathBuf>>, RebuildError> {
    Ok(StoreBuilder::finish_interrupted(&config.data_dir)?)
}

/// Builds the store again beside the old one and puts it in place when it is whole; the old one is moved
/// aside, never deleted. `progress` hears of each ledger that was fetched, with the last one needed.
///
/// # Errors
/// [`RebuildError`]; nothing has changed then.
pub async fn rebuild(
    config: &DaemonConfig,
    mut progress: impl FnMut(LedgerIndex, LedgerIndex),
) -> Result<Rebuilt, RebuildError> {
    let data_dir = &config.data_dir;
    let mut builder = StoreBuilder::begin(data_dir)?;
    let Salvage { problem, entries } = salvage(data_dir, &mut builder)?;
    let read = builder.number();
    if read == 0 && entries.is_empty() {
        return Err(RebuildError::Nothing(data_dir.clone()));
    }
    let mut ledgers = 0;
    let cursors = || entries.iter().filter_map(|entry| entry.cursor.map(|point| point.index));
    let mut filling = Filling {
        builder,
        history: None,
        own_time: config.treasury.timing.ledger_age_max_seconds.is_none(),
        own: config.treasury.accounts.keys().copied().collect(),
    };
    if let (Some(first), Some(last)) = (cursors().next(), cursors().next_back()) {
        let first = filling.builder.state().ledger.map_or(first, |cursor| cursor.index.plus(1).min(last));
        filling.history = Some(open(config, first, last, filling.builder.state()).await?);
        for entry in &entries {
            ledgers += filling.take(entry, &mut |index| progress(index, last)).await?;
        }
        filling.read_everything(config).await?;
    } else {
        for entry in &entries {
            filling.push(&entry.events)?;
        }
    }
    let built = filling.builder.install()?;
    Ok(Rebuilt {
        read,
        problem: problem.map(|problem| problem.to_string()),
        entries: entries.len(),
        ledgers,
        records: built.records,
        aside: built.aside,
        state: built.state,
    })
}

async fn open(
    config: &DaemonConfig,
    first: LedgerIndex,
    last: LedgerIndex,
    state: &State,
) -> Result<History, RebuildError> {
    let own = config.treasury.accounts.keys().copied().collect();
    Ok(History::open(&config.network, first, last, state, own).await?)
}

/// A store that is being filled up from the log and the ledger.
struct Filling {
    builder: StoreBuilder,
    history: Option<History>,
    /// Whether the ledger keeps a time of its own.
    own_time: bool,
    /// The treasury's accounts.
    own: BTreeSet<AccountId>,
}

impl Filling {
    /// Takes in the ledgers up to an entry's, and the entry; answers with how many were fetched.
    async fn take(
        &mut self,
        entry: &Entry,
        progress: &mut impl FnMut(LedgerIndex),
    ) -> Result<u64, RebuildError> {
        let mut fetched = 0;
        let taken = self.taken();
        // What a step took in and what followed from it belong into one record.
        let mut events = Vec::new();
        if let (Some(point), Some(history)) = (&entry.cursor, &mut self.history) {
            match self.builder.state().ledger {
                None => history.confirm(point).await?,
                Some(cursor) if cursor.index > point.index => {
                    return Err(RebuildError::Backwards { entry: point.index, before: cursor.index });
                }
                Some(mut cursor) => {
                    while cursor.index < point.index {
                        if !events.is_empty() {
                            self.builder.push(&std::mem::take(&mut events))?;
                        }
                        let observation =
                            history.after(&cursor).await?.of_accounts(|account| self.own.contains(account));
                        cursor = observation.point;
                        events.push(Event::LedgerTaken { observation, taken });
                        fetched += 1;
                        progress(cursor.index);
                    }
                    history.same(point, &cursor)?;
                }
            }
            let read: BTreeSet<AccountId> = entry.read.iter().copied().collect();
            if !read.is_empty() {
                let accounts = history.read(point, &read).await?;
                events.push(Event::AccountsRead { at: *point, accounts, taken });
            }
        }
        events.extend(entry.events.iter().cloned());
        self.push(&events)?;
        Ok(fetched)
    }

    /// Reads every account at the last ledger, as the daemon does when it has caught up.
    async fn read_everything(&mut self, config: &DaemonConfig) -> Result<(), RebuildError> {
        let state = self.builder.state();
        let at: Option<LedgerPoint> = state.ledger;
        let all: BTreeSet<AccountId> =
            config.treasury.watched().into_iter().chain(state.accounts.keys().copied()).collect();
        if let (Some(at), Some(history)) = (at, &mut self.history) {
            let accounts = history.read(&at, &all).await?;
            let taken = self.taken();
            self.push(&[Event::AccountsRead { at, accounts, taken }])?;
        }
        Ok(())
    }

    /// When the daemon saw it is not known any more; a delay that is counted from now gives people their time.
    fn taken(&self) -> Option<RippleTime> {
        (!self.own_time).then(clock::utc)
    }

    fn push(&mut self, events: &[Event]) -> Result<(), StoreError> {
        if !events.is_empty() {
            self.builder.push(events)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(feature = "dev")]
mod tests;
