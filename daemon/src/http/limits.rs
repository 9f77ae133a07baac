//! How much the API takes upon itself at once, and how long it waits for whoever is slow.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use treasury_api::operations::Class;

use super::error::ApiError;
use super::fair::{Fair, Place};

/// The most connections, however many files the process may have open: with more, more memory is what an attacker gets.
const CONNECTIONS_MAX: usize = 512;

/// With fewer the API is of no use, whatever the system allows.
const CONNECTIONS_LEAST: usize = 16;

/// Descriptors that are not for the API: some forty are in use by store, log, signals and the runtime; the rest is for
/// what is opened for a moment, such as files of older records, snapshots and names that are looked up.
const RESERVED: usize = 128;

/// Descriptors for each ledger server: the connection, the next one while the old is closing, and looking up its name.
const FOR_EACH_ENDPOINT: usize = 4;

/// The API's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time. A further one takes the place of the one that has kept the API waiting longest.
    pub connections: usize,
    /// Requests answered at the same time that are neither stops nor probes. More find out at once that it is too much,
    /// instead of queueing in memory.
    pub requests: usize,
    /// The same of requests that stop something; a quarter of them of one person. More wait for their turn.
    pub stops: usize,
    /// The same of probes.
    pub probes: usize,
    /// Programs that listen at the same time; a quarter of them of one person.
    pub streams: usize,
    /// Requests a second of one person, but for stops.
    pub rate: u32,
    /// Time for a request's head, and how long a connection is kept for the next one.
    pub head: Duration,
    /// Time for a request's body, which is a few kilobytes.
    pub body: Duration,
    /// How long a client may take none of its answer.
    pub answer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::within(1_024, 1)
    }
}

impl Limits {
    /// For a process that may have so many files open and follows so many ledger servers. Stops, probes and those who
    /// listen have places of their own, and all places together are fewer than the connections: so there is always one that waits for
    /// nothing but its client, and can be cut for another.
    #[must_use]
    pub fn within(files: usize, endpoints: usize) -> Self {
        let others = RESERVED.saturating_add(endpoints.saturating_mul(FOR_EACH_ENDPOINT));
        let connections = files.saturating_sub(others).clamp(CONNECTIONS_LEAST, CONNECTIONS_MAX);
        Self {
            connections,
            requests: connections / 2,
            stops: connections / 16,
            probes: connections / 16,
            streams: connections / 8,
            rate: 200,
            head: Duration::from_secs(10),
            body: Duration::from_secs(5),
            answer: Duration::from_secs(10),
        }
    }

    /// For this process as the system limits it.
    #[must_use]
    pub fn of_this_process(endpoints: usize) -> Self {
        let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
        Self::within(files.unwrap_or(usize::MAX), endpoints)
    }
}

/// How long a stop waits for its turn. Each before it takes milliseconds and only the same person's can be many, as many as
/// there are connections at most: what waits longer waits for a disk that hangs. Meanwhile its connection can be cut for
/// another, those that have waited longer first.
pub(super) const STOP_WAITS: Duration = Duration::from_secs(5);

/// Places for requests.
#[derive(Clone, Debug)]
pub(super) struct Places {
    others: Arc<Semaphore>,
    stops: Fair,
    probes: Arc<Semaphore>,
}

/// A place until it is dropped.
#[derive(Debug)]
pub(super) enum Taken {
    /// Anybody's.
    Any { _place: OwnedSemaphorePermit },
    /// Of those that people share.
    Shared { _place: Place },
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        let stops = Fair::of(limits.stops, limits.stops / 4);
        Self { others: places(limits.requests), stops, probes: places(limits.probes) }
    }

    /// A place for this person's request. A stop waits for its turn, and people take turns: whoever has many waiting waits
    /// for their own. Everything else is refused where there is none.
    pub(super) async fn take(&self, class: Class, person: &str) -> Result<Taken, ApiError> {
        let places = match class {
            Class::Probe => &self.probes,
            Class::Other => &self.others,
            Class::Stop => {
                let place = timeout(STOP_WAITS, self.stops.take(person)).await.ok().flatten();
                return place.map(|place| Taken::Shared { _place: place }).ok_or(ApiError::TooManyRequests);
            }
        };
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| ApiError::TooManyRequests)?;
        Ok(Taken::Any { _place: place })
    }

    /// How many stops wait for their turn.
    #[cfg(test)]
    pub(super) fn stops_waiting(&self) -> usize {
        self.stops.waiting()
    }

    /// How many requests that are neither stops nor probes could still come.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.others.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_connection_keeps_descriptors_and_a_stop_its_place_however_few_there_are() {
        for files in [0, 64, 150, 256, 1_024, 4_096, usize::MAX] {
            let limits = Limits::within(files, 3);
            assert!(limits.stops > 0 && limits.probes > 0 && limits.requests > 0, "{limits:?}");
            assert!(limits.streams > 0, "{limits:?}");
            let places = limits.requests + limits.stops + limits.probes + limits.streams;
            assert!(places < limits.connections, "{limits:?}");
            if files >= 256 {
                assert!(files - limits.connections >= RESERVED, "{limits:?}");
            }
        }
        assert_eq!(Limits::within(1_024, 1).connections, CONNECTIONS_MAX);
        assert!(Limits::of_this_process(1).connections >= CONNECTIONS_LEAST);
    }
}
