//! Moves records from the journal to the storage engine, on a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use super::StoreError;
use super::journal::frame_bytes;
use super::record::Raw;
use super::tail::Tail;

/// The records that the journal has and the storage engine does not, and the thread that moves them.
pub(super) struct Mover {
    jobs: Option<mpsc::Sender<Vec<Arc<Raw>>>>,
    thread: Option<JoinHandle<()>>,
    progress: Arc<Progress>,
    /// In order; those at the front may have been moved meanwhile.
    pending: VecDeque<Arc<Raw>>,
    /// How many of the last of them have not been given to the thread, and their bytes in the journal.
    waiting: usize,
    waiting_bytes: u64,
    /// Bytes of the journal that may be filled before they are moved without being asked to: half of a half. Moving
    /// competes with the decisions of its moment for disk and processor, so it is left to moments when nothing else is
    /// to be done; but what waits is held in memory, and has to fit into half the journal, or a decision would wait
    /// for it.
    waiting_bytes_max: u64,
    /// Where there is no thread.
    inline: Option<Arc<Tail>>,
}

#[derive(Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Number of the last record that is durable in the storage engine, of those that came here.
    moved: u64,
    failed: Option<StoreError>,
    is_over: bool,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        // A number and a flag: whole, whatever panics beside them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves these records; false where the storage engine does not take them.
    fn moves(&self, tail: &Tail, records: &[Arc<Raw>]) -> bool {
        let moved = tail.append(records.iter().map(AsRef::as_ref));
        let is_moved = moved.is_ok();
        self.change(|state| match (moved, records.last()) {
            (Err(error), _) => state.failed = Some(error),
            (Ok(()), Some(last)) => state.moved = last.number,
            (Ok(()), None) => {}
        });
        is_moved
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }
}

impl Mover {
    /// Moves what has come together at once when it is asked to. For whoever has no threads.
    pub(super) fn inline(tail: Arc<Tail>, journal_half_bytes: u64) -> Self {
        Self {
            jobs: None,
            thread: None,
            progress: Arc::default(),
            pending: VecDeque::new(),
            waiting: 0,
            waiting_bytes: 0,
            waiting_bytes_max: journal_half_bytes / 2,
            inline: Some(tail),
        }
    }

    /// Starts the thread.
    pub(super) fn start(tail: Arc<Tail>, journal_half_bytes: u64) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel::<Vec<Arc<Raw>>>();
        let progress = Arc::new(Progress::default());
        let shared = Arc::clone(&progress);
        let work = move || {
            // However this ends, nobody may wait for it for ever.
            let _over = Over(&shared);
            for records in queue {
                if !shared.moves(&tail, &records) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(work)
            .map_err(|error| StoreError::Engine(format!("no thread for it: {error}")))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            progress,
            pending: VecDeque::new(),
            waiting: 0,
            waiting_bytes: 0,
            waiting_bytes_max: journal_half_bytes / 2,
            inline: None,
        })
    }

    /// Records that the storage engine may not have yet, in order; it has all before them.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Arc<Raw>> {
        self.pending.iter()
    }

    /// Takes a record that is durable in the journal. Where the thread has failed, that is said now.
    pub(super) fn take(&mut self, record: Raw) -> Result<(), StoreError> {
        self.forget_moved()?;
        self.waiting = self.waiting.saturating_add(1);
        self.waiting_bytes = self.waiting_bytes.saturating_add(frame_bytes(&record));
        self.pending.push_back(Arc::new(record));
        if self.waiting_bytes >= self.waiting_bytes_max {
            self.give();
        }
        Ok(())
    }

    /// Waits until the storage engine has this record, of those that came here.
    pub(super) fn finish(&mut self, number: u64) -> Result<(), StoreError> {
        if self.pending.front().is_none_or(|first| number < first.number) {
            return Ok(());
        }
        self.give();
        let mut state = self.progress.state();
        while state.moved < number && state.failed.is_none() && !state.is_over {
            state = self.progress.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.forget_moved()
    }

    /// Waits until the storage engine has everything.
    pub(super) fn finish_all(&mut self) -> Result<(), StoreError> {
        match self.pending.back().map(|last| last.number) {
            Some(last) => self.finish(last),
            None => Ok(()),
        }
    }

    /// Gives the thread what has come together.
    pub(super) fn give(&mut self) {
        let given = self.pending.len().saturating_sub(self.waiting);
        let records: Vec<Arc<Raw>> = self.pending.iter().skip(given).cloned().collect();
        (self.waiting, self.waiting_bytes) = (0, 0);
        if records.is_empty() {
            return;
        }
        if let Some(tail) = &self.inline {
            // What failed is said to whoever hands the next one over, or waits.
            self.progress.moves(tail, &records);
        } else if let Some(jobs) = &self.jobs {
            // A thread that is gone is noticed by whoever looks at what it has done.
            let _ = jobs.send(records);
        }
    }

    fn forget_moved(&mut self) -> Result<(), StoreError> {
        let mut state = self.progress.state();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        if state.is_over {
            return Err(StoreError::Engine("the thread that writes to it has ended".to_owned()));
        }
        while self.pending.front().is_some_and(|first| first.number <= state.moved) {
            self.pending.pop_front();
        }
        Ok(())
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        // It ends when no more can come. The store must not be opened again before that.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Over<'a>(&'a Progress);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.is_over = true);
    }
}
