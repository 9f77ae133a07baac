//! Endpoints that said what is not so. Each is left out: it has no voice and is asked for nothing, is looked at again
//! after a while, and comes back when what it announces is what others say.

use std::time::Duration;

use tokio::time::Instant;

use super::board::{Board, Seat};

/// How long an endpoint is left out at first; doubled each time.
const FIRST: Duration = Duration::from_secs(60);

/// The longest time after which it is looked at again. Whoever has told no lie for so long begins with the shortest.
const LONGEST: Duration = Duration::from_secs(3_600);

/// So many ledgers, some quarter of an hour, no endpoint that can be used lies behind another.
const FAR: u32 = 256;

/// An endpoint is left out.
#[derive(Debug)]
pub(super) struct Bench {
    /// For what, in words.
    pub(super) why: String,
    /// When it is looked at again.
    until: Instant,
}

/// An endpoint was left out, or has come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// Its label.
    pub(super) endpoint: String,
    /// Why it is left out; `None`: it is back.
    pub(super) why: Option<String>,
}

impl Seat {
    /// Leaves it out for a time that doubles.
    fn leave_out(&mut self, why: String) {
        if self.back.is_some_and(|back| back.elapsed() >= LONGEST) {
            self.strikes = 0;
        }
        let doubled = 1_u32.checked_shl(self.strikes).unwrap_or(u32::MAX);
        let wait = FIRST.saturating_mul(doubled).min(LONGEST);
        self.strikes = self.strikes.saturating_add(1);
        self.benched = Some(Bench { why, until: Instant::now() + wait });
        // What it says from now on is what it is looked at for.
        self.heard.clear();
    }
}

impl Board {
    /// Leaves an endpoint out. The only one there is cannot be: nobody else could tell when it is right again.
    pub(super) fn bench(&mut self, number: usize, what: String) {
        if self.seats.len() < 2 {
            return;
        }
        let Some(seat) = self.seats.get_mut(number) else { return };
        seat.leave_out(format!("is left out until it agrees with the others: {what}"));
        self.news.push(News { endpoint: seat.endpoint.clone(), why: Some(what) });
    }

    /// Where an endpoint has come to, if it is connected and has a voice.
    fn tip(seat: &Seat) -> Option<u32> {
        Some(seat.live()?.1.ledger_index)
    }

    /// A ledger far beyond what a majority has come to is none. What lies near the last one taken cannot be far.
    pub(super) fn look_for_far_ones(&mut self) {
        let taken = self.taken.last_key_value().map_or(0, |(index, _)| *index);
        let tips: Vec<(usize, u32)> = self
            .seats
            .iter()
            .enumerate()
            .filter_map(|(number, seat)| Some((number, Self::tip(seat)?)))
            .collect();
        for (number, tip) in &tips {
            let is_behind = |other: u32| other.saturating_add(FAR) < *tip;
            let behind: Vec<u32> =
                tips.iter().map(|(_, other)| *other).filter(|other| is_behind(*other)).collect();
            let near = tips.len().saturating_sub(behind.len());
            let Some(most) = behind.iter().max().filter(|_| is_behind(taken)) else { continue };
            if behind.len() >= self.quorum && behind.len() > near {
                let what = format!("it announced ledger {tip}, and {} others are at {most}", behind.len());
                self.bench(*number, what);
            }
        }
    }

    /// Looks again at an endpoint that is left out, when its time has come: at all that it has said since.
    pub(super) fn review(&mut self, number: usize) {
        let Some(seat) = self.seats.get(number) else { return };
        if seat.benched.as_ref().is_none_or(|bench| bench.until > Instant::now()) {
            return;
        }
        let others: Vec<&Seat> = self.seats.iter().filter(|other| other.live().is_some()).collect();
        let tips = others.iter().filter_map(|other| Self::tip(other));
        let top = tips.chain(self.taken.last_key_value().map(|(index, _)| *index)).max();
        // Where there is nobody else, it has its voice again, and is judged anew.
        let (mut agrees, mut differs) = (others.is_empty(), false);
        for (index, hash) in &seat.heard {
            let said = others.iter().filter_map(|other| other.heard.get(index)).chain(self.taken.get(index));
            for said in said {
                agrees |= said == hash;
                differs |= said != hash;
            }
            differs |= top.is_some_and(|top| top.saturating_add(FAR) < *index);
        }
        let Some(seat) = self.seats.get_mut(number) else { return };
        match seat.benched.take() {
            Some(bench) if differs => seat.leave_out(bench.why),
            Some(_) if agrees => {
                seat.back = Some(Instant::now());
                self.news.push(News { endpoint: seat.endpoint.clone(), why: None });
            }
            bench => seat.benched = bench,
        }
    }

    /// What nobody has been told yet.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Whether something has to be looked at before anything more is handed on: what it rests on may have been said
    /// by somebody who is left out by now.
    pub(super) fn must_look(&self) -> bool {
        !self.news.is_empty() || !self.disputed.is_empty()
    }

    /// Every endpoint, and why it is left out where it is.
    pub(super) fn left_out(&self) -> Vec<(String, Option<String>)> {
        let why = |seat: &Seat| Some(seat.benched.as_ref()?.why.clone());
        self.seats.iter().map(|seat| (seat.endpoint.clone(), why(seat))).collect()
    }
}
