//! Endpoints that contradict each other, or what was taken: the majority decides, where there is one.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use treasury_core::units::Hash256;

use super::board::{Board, HEARD_MAX, Seat};
use super::server::Server;

/// So long those who are connected and have not spoken yet are waited for before a majority without them decides, or
/// sight is lost. Those who announce a ledger do so within a second.
const WAIT: Duration = Duration::from_secs(2);

/// Two endpoints that contradict each other, and no majority that settles it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dispute {
    /// Over which ledger.
    pub(super) index: u32,
    /// Who says what.
    pub(super) text: String,
    /// Until when those who have not spoken yet may make it a majority; `None`: they cannot.
    pub(super) open_until: Option<Instant>,
}

/// What is said of one ledger.
#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    /// Connected endpoints: they can be asked again.
    live: usize,
    /// All of them.
    all: usize,
}

impl Board {
    /// It said that this is the hash of a validated ledger.
    pub(super) fn hear(&mut self, number: usize, index: u32, hash: Hash256) {
        let Some(seat) = self.seats.get_mut(number) else { return };
        let before = seat.heard.insert(index, hash);
        while seat.heard.len() > HEARD_MAX {
            seat.heard.pop_first();
        }
        if seat.benched.is_some() {
            return;
        }
        if let Some(before) = before.filter(|before| *before != hash) {
            // Whoever says two things of one ledger is believed in neither.
            self.bench(number, format!("it named {before} and {hash} for ledger {index}"));
        }
        self.compare(index);
    }

    /// This ledger was handed on.
    pub(super) fn take(&mut self, index: u32, hash: Hash256) {
        self.taken.insert(index, hash);
        while self.taken.len() > HEARD_MAX {
            self.taken.pop_first();
        }
        self.compare(index);
    }

    /// Notes a contradiction, and settles what can be settled now.
    fn compare(&mut self, index: u32) {
        if self.is_contradictory(index) {
            // Where two histories go on, every ledger is in dispute; the latest are enough to ask about.
            self.disputed.entry(index).or_insert_with(Instant::now);
            while self.disputed.len() > HEARD_MAX {
                self.disputed.pop_first();
            }
        }
        self.settle();
    }

    /// What the endpoints with a voice say of a ledger. Those that are gone stand by what they said.
    fn votes(&self, index: u32) -> BTreeMap<Hash256, Votes> {
        let mut votes: BTreeMap<Hash256, Votes> = BTreeMap::new();
        for seat in self.seats.iter().filter(|seat| seat.benched.is_none()) {
            if let Some(hash) = seat.heard.get(&index) {
                let votes = votes.entry(*hash).or_default();
                votes.all = votes.all.saturating_add(1);
                votes.live = votes.live.saturating_add(usize::from(seat.live().is_some()));
            }
        }
        votes
    }

    fn is_contradictory(&self, index: u32) -> bool {
        let votes = self.votes(index);
        let taken = self.taken.get(&index);
        votes.len() > 1 || votes.keys().any(|hash| taken.is_some_and(|taken| taken != hash))
    }

    /// Whether so many connected endpoints decide against so many others.
    fn is_majority(&self, live: usize, against: usize) -> bool {
        live >= self.quorum && live > against
    }

    /// What is true of a ledger in dispute: what at least `read_quorum` connected endpoints say, each on a host of its
    /// own, and more than all that say otherwise. Nothing that contradicts what was taken: that cannot be taken back,
    /// and a person has to look. At first, those who may still speak count as if they would contradict.
    fn verdict(&self, index: u32) -> Option<Hash256> {
        let votes = self.votes(index);
        let all: usize = votes.values().map(|votes| votes.all).sum();
        let waits = self.disputed.get(&index).is_some_and(|since| since.elapsed() < WAIT);
        let all = if waits { all.saturating_add(self.silent(index)) } else { all };
        let decides = |votes: &Votes| self.is_majority(votes.live, all.saturating_sub(votes.all));
        let (hash, _) = votes.iter().find(|(_, votes)| decides(votes))?;
        self.taken.get(&index).is_none_or(|taken| taken == hash).then_some(*hash)
    }

    /// How many are connected and have not spoken of a ledger.
    fn silent(&self, index: u32) -> usize {
        let silent = |seat: &&Seat| seat.live().is_some() && !seat.heard.contains_key(&index);
        self.seats.iter().filter(silent).count()
    }

    /// Whether those who are connected and have not spoken yet may make it a majority. Where as many as `read_quorum`
    /// say that what was taken is not so, nothing is waited for.
    fn is_open(&self, index: u32) -> bool {
        let votes = self.votes(index);
        let all: usize = votes.values().map(|votes| votes.all).sum();
        let silent = self.silent(index);
        let may_win =
            |votes: Votes| self.is_majority(votes.live.saturating_add(silent), all.saturating_sub(votes.all));
        match self.taken.get(&index) {
            Some(taken) => {
                let votes = votes.get(taken).copied().unwrap_or_default();
                all.saturating_sub(votes.all) < self.quorum && may_win(votes)
            }
            None => votes.into_values().any(may_win),
        }
    }

    /// Settles what a majority decides, and leaves out whoever said otherwise. What they said elsewhere is gone with
    /// them, and may have been all that was in dispute there.
    pub(super) fn settle(&mut self) {
        let mut open: Vec<u32> = self.disputed.keys().copied().collect();
        while let Some(index) = open.pop() {
            if !self.is_contradictory(index) {
                self.disputed.remove(&index);
                continue;
            }
            let Some(hash) = self.verdict(index) else { continue };
            self.disputed.remove(&index);
            for number in 0..self.seats.len() {
                let Some(seat) = self.seats.get(number).filter(|seat| seat.benched.is_none()) else {
                    continue;
                };
                if let Some(said) = seat.heard.get(&index).filter(|said| **said != hash) {
                    let others = self.votes(index).get(&hash).map_or(0, |votes| votes.all);
                    let why = format!("it named {said} for ledger {index}, and {others} others {hash}");
                    self.bench(number, why);
                }
            }
            open = self.disputed.keys().copied().collect();
        }
    }

    /// The lowest ledger that somebody contradicts another about.
    pub(super) fn dispute(&self) -> Option<Dispute> {
        let (index, since) = self.disputed.first_key_value().map(|(index, since)| (*index, *since))?;
        let mut claims: Vec<String> = Vec::new();
        if let Some(taken) = self.taken.get(&index) {
            claims.push(format!("{taken} was taken before"));
        }
        for seat in self.seats.iter().filter(|seat| seat.benched.is_none()) {
            if let Some(hash) = seat.heard.get(&index) {
                claims.push(format!("{} announced {hash}", seat.endpoint));
            }
        }
        let text = format!("two validated ledgers {index}: {}", claims.join(", "));
        Some(Dispute { index, text, open_until: self.is_open(index).then(|| since + WAIT) })
    }

    /// Whether this ledger is in dispute.
    pub(super) fn is_disputed(&self, index: u32) -> bool {
        self.disputed.contains_key(&index)
    }

    /// Whom to ask again about a disputed ledger: every connected endpoint that has come so far.
    pub(super) fn witnesses(&self, index: u32) -> Vec<(usize, Server)> {
        let witness = |(number, seat): (usize, &Seat)| {
            let (server, tip) = seat.live()?;
            (tip.ledger_index >= index).then(|| (number, server.clone()))
        };
        self.in_order().into_iter().filter_map(witness).collect()
    }
}
