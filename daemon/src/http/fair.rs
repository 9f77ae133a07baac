//! Places that people wait for, shared fairly: whoever asks for much waits behind what they have asked for themselves, and
//! keeps nobody else waiting.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Places, of which one person has a part at most: a newcomer finds one that is free, or is next where one becomes free.
#[derive(Clone, Debug)]
pub(super) struct Fair {
    inner: Arc<Mutex<Inner>>,
    each: usize,
}

#[derive(Debug)]
struct Inner {
    free: usize,
    /// Who has places, and how many.
    taken: BTreeMap<String, usize>,
    /// Who waits, whose turn is next first, and each one's requests in their order.
    waiting: VecDeque<(String, VecDeque<oneshot::Sender<Place>>)>,
}

/// A place until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    fair: Fair,
    person: String,
}

impl Fair {
    /// So many places, of which one person has at most half.
    pub(super) fn new(places: usize) -> Self {
        Self::of(places, places / 2)
    }

    /// So many places, of which one person has at most so many, and one at least.
    pub(super) fn of(places: usize, each: usize) -> Self {
        let inner = Inner { free: places, taken: BTreeMap::new(), waiting: VecDeque::new() };
        Self { inner: Arc::new(Mutex::new(inner)), each: each.max(1) }
    }

    /// Waits for a place; who drops the future waits no more. It is never `None`: what waits is given up by nobody else.
    pub(super) async fn take(&self, person: &str) -> Option<Place> {
        let (send, receive) = oneshot::channel();
        self.inner().wait(person, send);
        self.hand_out();
        receive.await.ok()
    }

    /// Gives what is free to those whose turn it is.
    fn hand_out(&self) {
        loop {
            let Some((person, send)) = self.inner().next(self.each) else { return };
            // Who has ceased to wait just now drops it, and it is free again.
            drop(send.send(Place { fair: self.clone(), person }));
        }
    }

    /// How many requests wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.inner().waiting.iter().map(|(_, requests)| requests.len()).sum()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change is made in one piece, and nothing in it panics.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.fair.inner().give_back(&self.person);
        self.fair.hand_out();
    }
}

impl Inner {
    fn wait(&mut self, person: &str, send: oneshot::Sender<Place>) {
        // Those who have ceased to wait since take no memory, and nobody's turn.
        self.waiting.iter_mut().for_each(|(_, requests)| requests.retain(|request| !request.is_closed()));
        self.waiting.retain(|(_, requests)| !requests.is_empty());
        match self.waiting.iter_mut().find(|(waits, _)| waits == person) {
            Some((_, requests)) => requests.push_back(send),
            None => self.waiting.push_back((person.to_owned(), VecDeque::from([send]))),
        }
    }

    /// Who is next to have a place, and for which request; the person's next turn comes after those of all others.
    fn next(&mut self, each: usize) -> Option<(String, oneshot::Sender<Place>)> {
        if self.free == 0 {
            return None;
        }
        let at = self.waiting.iter().position(|(person, _)| self.has(person) < each)?;
        let (person, mut requests) = self.waiting.remove(at)?;
        let send = requests.pop_front();
        if !requests.is_empty() {
            self.waiting.push_back((person.clone(), requests));
        }
        let send = send?;
        self.free = self.free.saturating_sub(1);
        let has = self.taken.entry(person.clone()).or_default();
        *has = has.saturating_add(1);
        Some((person, send))
    }

    fn has(&self, person: &str) -> usize {
        self.taken.get(person).copied().unwrap_or_default()
    }

    fn give_back(&mut self, person: &str) {
        self.free = self.free.saturating_add(1);
        if let Some(has) = self.taken.get_mut(person) {
            *has = has.saturating_sub(1);
        }
        self.taken.retain(|_, has| *has > 0);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Danger: one script asks for a thousand payments, and for as long as they are looked at nobody else's is.
    #[tokio::test]
    async fn whoever_asks_for_much_waits_behind_it_and_keeps_nobody_else_waiting() {
        let fair = Fair::new(4);
        let mut has: Vec<Place> = Vec::new();
        for _ in 0..2 {
            has.push(fair.take("alice").now_or_never().flatten().unwrap());
        }
        let mut more: Vec<_> = (0..100).map(|_| Box::pin(fair.take("alice"))).collect();
        assert!(more.iter_mut().all(|one| one.now_or_never().is_none()), "half of them");
        let bob = fair.take("bob").now_or_never().flatten();
        let carol = fair.take("carol").now_or_never().flatten();
        assert!(bob.is_some() && carol.is_some(), "at once, however many of alice's wait");
        // All are taken: each is next after one more of the others, and not after all of alice's.
        let (mut dave, mut erin) = (Box::pin(fair.take("dave")), Box::pin(fair.take("erin")));
        assert!((&mut dave).now_or_never().is_none() && (&mut erin).now_or_never().is_none());
        has.pop();
        let first = (&mut more[0]).now_or_never().flatten();
        assert!(first.is_some() && (&mut dave).now_or_never().is_none(), "her turn came first");
        drop(first);
        let daves = (&mut dave).now_or_never().flatten();
        assert!(daves.is_some() && (&mut more[1]).now_or_never().is_none());
        drop(daves);
        assert!((&mut erin).now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn who_waits_no_more_takes_no_place_and_no_memory() {
        let fair = Fair::new(2);
        let (one, other) = (fair.take("alice").await, fair.take("bob").await);
        for _ in 0..1_000 {
            assert!(fair.take("carol").now_or_never().is_none());
        }
        let mut last = Box::pin(fair.take("dave"));
        assert!((&mut last).now_or_never().is_none());
        assert!(fair.waiting() <= 2, "{}", fair.waiting());
        drop(one);
        assert!((&mut last).now_or_never().flatten().is_some());
        drop(other);
        let inner = fair.inner();
        assert_eq!((inner.free, inner.taken.len()), (2, 0));
    }
}
