//! A second pair of hands for what a decision waits for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};

/// Items that are taken at once: enough to be worth the taking, and so few that nobody waits long for the last.
const PIECE: usize = 16;

/// A thread that shares work on many items with whoever asks it to. It is started with the first of them, and
/// ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Helper {
    jobs: Option<mpsc::SyncSender<Arc<dyn Work>>>,
}

impl Helper {
    /// What `each` makes of the items, in any order. The caller does what the helper has not come to, so that it
    /// takes no longer than alone where the helper is late, or cannot be had.
    pub(super) fn share<I, O, F>(&mut self, items: Vec<I>, each: F) -> Vec<O>
    where
        I: Send + Sync + 'static,
        O: Send + 'static,
        F: Fn(&I) -> O + Send + Sync + 'static,
    {
        if items.len() <= PIECE {
            return items.iter().map(each).collect();
        }
        let job = Arc::new(Job {
            items,
            each,
            next: AtomicUsize::new(0),
            done: Mutex::default(),
            changed: Condvar::new(),
        });
        let shared: Arc<dyn Work> = job.clone();
        self.ask(shared);
        job.work();
        job.wait()
    }

    fn ask(&mut self, job: Arc<dyn Work>) {
        if self.jobs.is_none() {
            let (jobs, queue) = mpsc::sync_channel::<Arc<dyn Work>>(1);
            let thread = std::thread::Builder::new().name("ledger".to_owned());
            let run = move || queue.into_iter().for_each(|job| job.work());
            // Where the system gives no thread, the caller does everything.
            self.jobs = thread.spawn(run).ok().map(|_| jobs);
        }
        if let Some(jobs) = &self.jobs {
            // Where it is so late that another job still waits for it, this one is done without it.
            let _ = jobs.try_send(job);
        }
    }
}

trait Work: Send + Sync {
    /// Takes pieces until none is left.
    fn work(&self);
}

struct Job<I, O, F> {
    items: Vec<I>,
    each: F,
    /// The first item that nobody has taken.
    next: AtomicUsize,
    done: Mutex<Done<O>>,
    changed: Condvar,
}

struct Done<O> {
    made: Vec<O>,
    panic: Option<Box<dyn Any + Send>>,
}

impl<O> Default for Done<O> {
    fn default() -> Self {
        Self { made: Vec::new(), panic: None }
    }
}

impl<I, O, F: Fn(&I) -> O> Job<I, O, F> {
    fn done(&self) -> MutexGuard<'_, Done<O>> {
        // Nothing in here panics while it is held.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the pieces that others have taken.
    fn wait(&self) -> Vec<O> {
        let mut done = self.done();
        while done.made.len() < self.items.len() && done.panic.is_none() {
            done = self.changed.wait(done).unwrap_or_else(PoisonError::into_inner);
        }
        match done.panic.take() {
            Some(panic) => resume_unwind(panic),
            None => std::mem::take(&mut done.made),
        }
    }
}

impl<I, O, F> Work for Job<I, O, F>
where
    I: Send + Sync,
    O: Send,
    F: Fn(&I) -> O + Send + Sync,
{
    fn work(&self) {
        loop {
            let from = self.next.fetch_add(PIECE, Ordering::Relaxed);
            let Some(rest) = self.items.get(from..).filter(|rest| !rest.is_empty()) else { return };
            let piece = rest.get(..PIECE).unwrap_or(rest);
            let made = catch_unwind(AssertUnwindSafe(|| piece.iter().map(&self.each).collect::<Vec<O>>()));
            let mut done = self.done();
            match made {
                Ok(made) => done.made.extend(made),
                Err(panic) => done.panic = Some(panic),
            }
            drop(done);
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_however_much_it_is() {
        let mut helper = Helper::default();
        for count in [0, 1, PIECE, PIECE + 1, 5 * PIECE, 1_000] {
            for _ in 0..50 {
                let mut made = helper.share((0..count).collect(), |item| item * 2);
                made.sort_unstable();
                assert_eq!(made, (0..count).map(|item| item * 2).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_helper_goes_on() {
        let mut helper = Helper::default();
        for bad in [0, 500, 999] {
            let shared = catch_unwind(AssertUnwindSafe(|| {
                helper.share((0..1_000).collect(), move |item| assert_ne!(*item, bad))
            }));
            assert!(shared.is_err(), "{bad}");
            assert_eq!(helper.share((0..100).collect(), |item: &u32| *item).len(), 100);
        }
    }
}
