//! Whether what was allowed to leave still is: a stop ends it, whatever waits to be carried out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often everything that had not left was called back. The engine calls it back in the step that stops something, before
/// anybody is answered; the driver hears of it in its place among what it has to carry out.
#[derive(Clone, Debug, Default)]
pub struct Leave {
    stops: Arc<AtomicU64>,
}

impl Leave {
    /// A permit to send something, for now.
    #[must_use]
    pub fn permit(&self) -> Permit {
        self.permit_after(self.stops.load(Ordering::SeqCst))
    }

    /// A permit for what was asked for when so many stops had come. Where there have been more since, it holds no longer.
    #[must_use]
    pub fn permit_after(&self, stops: u64) -> Permit {
        Permit { given: stops, stops: Arc::clone(&self.stops) }
    }

    /// Ends every permit that has been given.
    pub fn end(&self) {
        self.stops.fetch_add(1, Ordering::SeqCst);
    }
}

/// A permit to send something, looked at again where it leaves the process.
#[derive(Clone, Debug)]
pub struct Permit {
    given: u64,
    stops: Arc<AtomicU64>,
}

impl Permit {
    /// Whether no stop has come since it was given.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.stops.load(Ordering::SeqCst) == self.given
    }
}
