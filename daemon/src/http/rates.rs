//! How much one person may ask for: so many requests a second, and so many at once. A script that runs wild, or a token
//! that was stolen, takes no more than that of everybody's places.
//!
//! Stops have no rate, and however many of a person's are under way none is refused: who has the person's token would have
//! the person's own refused with theirs. They wait for their turn (`limits.rs`). Behind a proxy all clients have one address,
//! so nobody is limited by theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use treasury_api::operations::Class;

use super::error::ApiError;
use super::limits::Limits;

/// So much of a person's rate may come at once.
const BURST: Duration = Duration::from_secs(2);

/// Time between two lines of the log about one thing that repeats.
const QUIET: Duration = Duration::from_secs(1);

/// What everybody has asked for lately.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    limits: Limits,
    people: Arc<Mutex<BTreeMap<String, Asked>>>,
    refused: Arc<Mutex<Said>>,
}

#[derive(Debug, Default)]
struct Asked {
    /// When all that was asked for would have been, at the rate.
    through: Option<Instant>,
    under_way: usize,
    said: Said,
}

/// When something was said of it, and how often it came since.
#[derive(Debug, Default)]
struct Said {
    at: Option<Instant>,
    unsaid: u64,
}

impl Said {
    /// Once more. How often in all, where it is time to say so.
    fn again(&mut self) -> Option<u64> {
        self.unsaid = self.unsaid.saturating_add(1);
        let now = Instant::now();
        if self.at.is_some_and(|at| now.saturating_duration_since(at) < QUIET) {
            return None;
        }
        self.at = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, people: Arc::default(), refused: Arc::default() }
    }

    /// A person's turn until it is dropped; a stop needs none. The error says whether it is time to say so in the log.
    pub(super) fn turn(&self, person: &str, class: Class) -> Result<Option<Turn>, (ApiError, bool)> {
        if class == Class::Stop {
            return Ok(None);
        }
        let mut people = self.people();
        let asked = people.entry(person.to_owned()).or_default();
        let most = (self.limits.requests / 4).max(1);
        if asked.under_way >= most || (class == Class::Other && !self.is_in_rate(asked)) {
            return Err((ApiError::RateLimited, asked.said.again().is_some()));
        }
        asked.under_way = asked.under_way.saturating_add(1);
        Ok(Some(Turn { rates: self.clone(), person: person.to_owned() }))
    }

    fn is_in_rate(&self, asked: &mut Asked) -> bool {
        let now = Instant::now();
        let each = Duration::from_secs(1) / self.limits.rate.max(1);
        let through = asked.through.unwrap_or(now).max(now) + each;
        let is_in = through.saturating_duration_since(now) <= BURST.max(each);
        if is_in {
            asked.through = Some(through);
        }
        is_in
    }

    /// A token was nobody's. How many were, where it is time to say so.
    pub(super) fn refused(&self) -> Option<u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).again()
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        // Counts are changed in one piece, whatever panics around them.
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of a person that is under way.
#[derive(Debug)]
pub(super) struct Turn {
    rates: Rates,
    person: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(asked) = self.rates.people().get_mut(&self.person) {
            asked.under_way = asked.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> Rates {
        Rates::new(&Limits { rate: 10, requests: 100, stops: 4, ..Limits::default() })
    }

    /// Danger: whoever has a person's token keeps as many of their stops under way as they may have, and their freeze is
    /// refused.
    #[tokio::test(start_paused = true)]
    async fn no_stop_is_refused_for_what_else_of_the_person_is_under_way() {
        let rates = rates();
        let turns: Vec<_> = (0..50).map(|_| rates.turn("sue", Class::Stop)).collect();
        assert_eq!(turns.iter().filter(|turn| turn.is_ok()).count(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_gets_so_many_requests_a_second_and_takes_none_of_anybody_elses() {
        let rates = rates();
        let allowed = |person: &str| (0..100).filter(|_| rates.turn(person, Class::Other).is_ok()).count();
        assert_eq!(allowed("alice"), 20, "two seconds' worth at once");
        assert_eq!(allowed("alice"), 0);
        assert_eq!(allowed("bob"), 20);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(allowed("alice"), 10);
        assert!(rates.turn("alice", Class::Stop).is_ok(), "what stops has no rate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_has_so_many_requests_under_way_and_not_everybodys_places() {
        let rates = rates();
        let turns: Vec<_> = (0..50).map_while(|_| rates.turn("alice", Class::Other).ok()).collect();
        assert_eq!(turns.len(), 20);
        assert!(rates.turn("bob", Class::Other).is_ok());
        drop(turns);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(rates.turn("alice", Class::Other).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_repeats_is_said_once_a_second_with_how_often() {
        let rates = rates();
        let said: Vec<_> = (0..5).filter_map(|_| rates.refused()).collect();
        assert_eq!(said, [1]);
        tokio::time::advance(QUIET).await;
        assert_eq!(rates.refused(), Some(5));
    }
}
