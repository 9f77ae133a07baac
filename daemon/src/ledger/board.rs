//! What is known of every endpoint, and what follows: which ledger enough of them agree on, whom to ask, and what
//! nobody has. Who contradicts whom is in `dispute.rs`, who is left out for it in `bench.rs`. It asks nobody itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use treasury_core::units::Hash256;

use super::bench::{Bench, News};
use super::ranges::Ranges;
use super::reply::Announced;
use super::server::Server;
use crate::config::Endpoint;

/// How many ledgers' hashes are remembered of each endpoint. Endpoints further apart than that are not
/// compared by what they announced.
pub(super) const HEARD_MAX: usize = 256;

/// How many ledgers an endpoint may be remembered not to have.
const LACKS_MAX: usize = 1_024;

/// What a server says it has may be older than what it announces: of the ledgers next to the announced one it is
/// asked all the same, and one that it lacked it is asked for again with its next announcement. As many as close
/// in a minute.
const NEAR: u32 = 16;

/// An endpoint that failed is asked after the others for this long.
const PENALTY: Duration = Duration::from_secs(300);

/// How an endpoint stands.
#[derive(Debug, Default)]
enum Standing {
    /// It has not been heard of yet.
    #[default]
    Trying,
    /// Connected and subscribed.
    Live(Server),
    /// Why not.
    Down(String),
}

/// One endpoint.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Its label.
    pub(super) endpoint: String,
    standing: Standing,
    pub(super) tip: Option<Announced>,
    /// What it says it has; `None` where it does not say.
    has: Option<Ranges>,
    /// The hashes that it said are validated.
    pub(super) heard: BTreeMap<u32, Hash256>,
    /// It said what is not so, and has no voice until it agrees again.
    pub(super) benched: Option<Bench>,
    /// How often it was left out lately.
    pub(super) strikes: u32,
    /// When it came back last.
    pub(super) back: Option<Instant>,
    /// Ledgers that it was asked for and does not have.
    lacks: BTreeSet<u32>,
    blamed: Option<Instant>,
    /// It asked to be asked less.
    rests_until: Option<Instant>,
    credited: bool,
}

impl Seat {
    /// Connected, and with a voice.
    pub(super) fn live(&self) -> Option<(&Server, &Announced)> {
        match &self.standing {
            Standing::Live(server) if self.benched.is_none() => Some((server, self.tip.as_ref()?)),
            _ => None,
        }
    }

    /// In words, why it cannot be used.
    fn trouble(&self) -> Option<&str> {
        match (&self.benched, &self.standing) {
            (Some(bench), _) => Some(&bench.why),
            (None, Standing::Down(why)) => Some(why),
            _ => None,
        }
    }

    /// In words, that it has not come as far as what was taken; and the same without where it is, which goes on.
    fn behind(&self, cursor: u32) -> Option<Reason> {
        let at = self.live()?.1.ledger_index;
        let key = format!("server {} is behind your {cursor}", self.endpoint);
        (at < cursor).then(|| Reason {
            text: format!("server {} is at {at}, behind your {cursor}", self.endpoint),
            key,
        })
    }

    /// What it says it has; `None` where it does not say, or says that it has nothing: then it is asked.
    fn ranges(&self) -> Option<(&Ranges, u32)> {
        let ranges = self.has.as_ref()?;
        Some((ranges, ranges.last()?))
    }

    /// Whether it is asked for this ledger beyond the last that it says it has.
    fn is_near(&self, index: u32, last: u32, tip: u32) -> bool {
        index > last && index <= tip && tip.saturating_sub(index) < NEAR
    }

    /// The last ledger of an unbroken stretch from this one that it has; `None` where it lacks this one.
    fn end_of(&self, index: u32) -> Option<u32> {
        let tip = self.live()?.1.ledger_index;
        let end = match self.ranges() {
            _ if self.lacks.contains(&index) => None,
            None => (index <= tip).then_some(tip),
            Some((_, last)) if index > last => self.is_near(index, last, tip).then_some(tip),
            Some((ranges, last)) => {
                let end = ranges.end_of(index)?;
                let goes_on = end == last && last < tip && self.is_near(last.saturating_add(1), last, tip);
                Some(if goes_on { tip } else { end })
            }
        }?;
        let hole = self.lacks.range(index..).next().map(|hole| hole.saturating_sub(1));
        Some(hole.unwrap_or(end).min(end))
    }

    /// The first ledger at or after this one that it has.
    fn next_from(&self, index: u32) -> Option<u32> {
        let tip = self.live()?.1.ledger_index;
        let mut at = index;
        loop {
            let next = match self.ranges() {
                None => (at <= tip).then_some(at)?,
                Some((_, last)) if at > last => {
                    let near = at.max(tip.saturating_sub(NEAR.saturating_sub(1)));
                    self.is_near(near, last, tip).then_some(near)?
                }
                Some((ranges, _)) => ranges.next_from(at)?,
            };
            if !self.lacks.contains(&next) {
                return Some(next);
            }
            at = next.checked_add(1)?;
        }
    }

    /// Whether it may have it in a moment: it was asked and did not have it then. What lies before or between the
    /// ledgers that it says it has does not come by waiting.
    fn may_come_to_have(&self, index: u32) -> bool {
        self.live().is_some() && self.lacks.contains(&index)
    }

    /// In words, what it has.
    fn possessions(&self) -> String {
        if let Some(why) = self.trouble() {
            return why.to_owned();
        }
        match (&self.standing, &self.has) {
            (Standing::Down(why), _) => why.clone(),
            (Standing::Trying, _) => "is not connected yet".to_owned(),
            (Standing::Live(_), Some(ranges)) if ranges.last().is_none() => {
                "says that it has none (`validated_ledgers` is empty)".to_owned()
            }
            (Standing::Live(_), Some(ranges)) => format!("has {ranges}"),
            (Standing::Live(_), None) => "does not say what it has".to_owned(),
        }
    }

    /// In words, why it does not give a ledger that has been announced.
    fn withholds(&self) -> String {
        match (&self.standing, &self.has) {
            (Standing::Live(_), Some(ranges)) if ranges.last().is_none() && self.benched.is_none() => {
                "does not have it and says that it has none (`validated_ledgers` is empty)".to_owned()
            }
            (Standing::Live(_), _) if self.benched.is_none() => "does not have it".to_owned(),
            _ => self.possessions(),
        }
    }
}

/// Why nothing is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// In words.
    pub(super) text: String,
    /// The same without the numbers that go on: what differs in those alone is not said again.
    pub(super) key: String,
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { key: text.clone(), text }
    }
}

impl Reason {
    /// Both, one after the other.
    pub(super) fn and(self, more: Self) -> Self {
        Self { text: format!("{}; {}", self.text, more.text), key: format!("{}; {}", self.key, more.key) }
    }
}

/// Ledgers that are needed and that nobody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// The first of them.
    pub(super) first: u32,
    /// The last of them.
    pub(super) last: u32,
    /// Who has what.
    pub(super) text: String,
    /// Nobody has anything after them either: what is newest has not come to where it is asked for.
    pub(super) newest: bool,
    /// A server may be a moment behind itself.
    pub(super) may_come: bool,
}

/// All endpoints. They are named by their number in the configuration.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) seats: Vec<Seat>,
    pub(super) quorum: usize,
    /// What was handed on.
    pub(super) taken: BTreeMap<u32, Hash256>,
    /// Ledgers in dispute, and since when.
    pub(super) disputed: BTreeMap<u32, Instant>,
    /// What nobody has been told yet.
    pub(super) news: Vec<News>,
}

impl Board {
    /// Nothing is known yet.
    pub(super) fn new(endpoints: &[Endpoint], quorum: usize) -> Self {
        let seat = |endpoint: &Endpoint| Seat { endpoint: endpoint.label().to_owned(), ..Seat::default() };
        Self {
            seats: endpoints.iter().map(seat).collect(),
            // More voices than there are endpoints would be silence for ever; the configuration refuses it.
            quorum: quorum.clamp(1, endpoints.len().max(1)),
            taken: BTreeMap::new(),
            disputed: BTreeMap::new(),
            news: Vec::new(),
        }
    }

    pub(super) fn endpoint(&self, number: usize) -> &str {
        self.seats.get(number).map_or("", |seat| &seat.endpoint)
    }

    /// It is connected, and subscribed to what it announces.
    pub(super) fn up(&mut self, number: usize, server: Server, tip: Announced) {
        if let Some(seat) = self.seats.get_mut(number) {
            seat.standing = Standing::Live(server);
            seat.lacks.clear();
            (seat.has, seat.credited) = (None, false);
        }
        self.announce(number, tip);
    }

    /// It announced a ledger.
    pub(super) fn announce(&mut self, number: usize, tip: Announced) {
        let (index, hash) = (tip.ledger_index, tip.ledger_hash);
        if let Some(seat) = self.seats.get_mut(number) {
            if let Some(ranges) = tip.validated_ledgers.as_deref().and_then(Ranges::parse) {
                seat.has = Some(ranges);
            }
            if seat.tip.as_ref().is_none_or(|before| before.ledger_index < tip.ledger_index) {
                seat.lacks.retain(|lacked| tip.ledger_index.saturating_sub(*lacked) >= NEAR);
            }
            seat.tip = Some(tip);
        }
        self.hear(number, index, hash);
        self.look_for_far_ones();
        self.review(number);
    }

    /// What it says it has.
    pub(super) fn has(&mut self, number: usize, ranges: Option<Ranges>) {
        if let Some(seat) = self.seats.get_mut(number) {
            seat.has = ranges;
        }
    }

    /// It cannot be used.
    pub(super) fn down(&mut self, number: usize, why: String) {
        if let Some(seat) = self.seats.get_mut(number) {
            seat.standing = Standing::Down(why);
        }
    }

    /// It was asked for something and failed.
    pub(super) fn blame(&mut self, number: usize, why: String) {
        if let Some(seat) = self.seats.get_mut(number) {
            seat.blamed = Some(Instant::now());
        }
        self.down(number, why);
    }

    /// It asks to be asked less: until then nothing is fetched from it, and for a while after that others come first.
    pub(super) fn rest(&mut self, number: usize, until: Instant) {
        if let Some(seat) = self.seats.get_mut(number) {
            (seat.blamed, seat.rests_until) = (Some(Instant::now()), Some(until));
        }
    }

    /// It gave what it was asked for.
    pub(super) fn credit(&mut self, number: usize) {
        if let Some(seat) = self.seats.get_mut(number) {
            seat.credited = true;
        }
    }

    /// Whether it gave anything since it was connected.
    pub(super) fn is_credited(&self, number: usize) -> bool {
        self.seats.get(number).is_some_and(|seat| seat.credited)
    }

    /// It does not have this ledger.
    pub(super) fn lacks(&mut self, number: usize, index: u32) {
        if let Some(seat) = self.seats.get_mut(number) {
            seat.lacks.insert(index);
            while seat.lacks.len() > LACKS_MAX {
                seat.lacks.pop_first();
            }
        }
    }

    /// What endpoints lacked, they may have by now.
    pub(super) fn forget_lacks(&mut self) {
        self.seats.iter_mut().for_each(|seat| seat.lacks.clear());
    }

    /// Why no endpoint can be used; `None` while one is, or may soon be.
    pub(super) fn all_down(&self) -> Option<String> {
        let cursor = self.taken.last_key_value().map_or(0, |(index, _)| *index);
        let behind = |seat: &Seat| {
            let at = seat.tip.as_ref()?.ledger_index;
            (at.saturating_add(NEAR) < cursor).then(|| format!(", and is at {at}, behind your {cursor}"))
        };
        let why = |seat: &Seat| {
            Some(format!("{}: {}{}", seat.endpoint, seat.trouble()?, behind(seat).unwrap_or_default()))
        };
        Some(self.seats.iter().map(why).collect::<Option<Vec<_>>>()?.join("; "))
    }

    pub(super) fn any_live(&self) -> bool {
        self.seats.iter().any(|seat| seat.live().is_some())
    }

    fn any_trying(&self) -> bool {
        self.seats.iter().any(|seat| matches!(seat.standing, Standing::Trying) && seat.benched.is_none())
    }

    /// The connected endpoints, the best first: those that have not failed lately, then in the order of
    /// the configuration.
    pub(super) fn in_order(&self) -> Vec<(usize, &Seat)> {
        let lately = |blamed: &Instant| blamed.elapsed() < PENALTY;
        let mut seats: Vec<_> =
            self.seats.iter().enumerate().filter(|(_, seat)| seat.live().is_some()).collect();
        seats.sort_by_key(|(number, seat)| (seat.blamed.filter(lately), *number));
        seats
    }

    /// Those who have a ledger and may be asked for it now, the best first.
    fn having(&self, index: u32) -> impl Iterator<Item = (usize, &Seat)> {
        let now = Instant::now();
        self.in_order().into_iter().filter(move |(_, seat)| {
            seat.end_of(index).is_some() && seat.rests_until.is_none_or(|until| until <= now)
        })
    }

    /// Whom to ask for a ledger.
    pub(super) fn best(&self, index: u32) -> Option<(usize, Server)> {
        self.having(index).find_map(|(number, seat)| Some((number, seat.live()?.0.clone())))
    }

    /// Everybody who can be asked for a ledger, the best first.
    pub(super) fn all_having(&self, index: u32) -> Vec<(usize, Server)> {
        self.having(index).filter_map(|(number, seat)| Some((number, seat.live()?.0.clone()))).collect()
    }

    /// Whom to ask for what another has said already: each is on a host of its own. `last` is who said it; that one
    /// is asked again where there is no other.
    pub(super) fn other_than(&self, last: usize, index: u32) -> Option<(usize, Server)> {
        let seats = self.seats.len().max(1);
        let lately = |seat: &Seat| seat.blamed.is_some_and(|blamed| blamed.elapsed() < PENALTY);
        let (number, seat) = self.having(index).min_by_key(|(number, seat)| {
            let turn = (number + seats - last.min(seats) + seats - 1) % seats;
            (*number == last, lately(seat), turn)
        })?;
        Some((number, seat.live()?.0.clone()))
    }

    /// The last ledger of the stretch from this one that the endpoint has; `None` where it lacks this one.
    pub(super) fn end_of(&self, number: usize, index: u32) -> Option<u32> {
        self.seats.get(number)?.end_of(index)
    }

    /// Whom to send transactions to, the best first.
    pub(super) fn servers(&self) -> Vec<Server> {
        self.in_order().into_iter().filter_map(|(_, seat)| Some(seat.live()?.0.clone())).collect()
    }

    /// Connected endpoints that say this of a ledger.
    fn voices(&self, index: u32, hash: Hash256) -> usize {
        let says = |seat: &&Seat| seat.live().is_some() && seat.heard.get(&index) == Some(&hash);
        self.seats.iter().filter(says).count()
    }

    /// What connected endpoints announced last, at or after `from`, the newest first.
    fn candidates(&self, from: u32) -> Vec<&Announced> {
        let mut tips: Vec<&Announced> =
            self.in_order().iter().filter_map(|(_, seat)| Some(seat.live()?.1)).collect();
        tips.retain(|tip| tip.ledger_index >= from);
        tips.sort_by_key(|tip| std::cmp::Reverse(tip.ledger_index));
        tips
    }

    /// The newest ledger at or after `from` that enough endpoints agree on. One that somebody may give comes before
    /// those that have been announced and that nobody has.
    pub(super) fn agreed(&self, from: u32) -> Option<Announced> {
        let mut agreed = self.candidates(from);
        agreed.retain(|tip| self.voices(tip.ledger_index, tip.ledger_hash) >= self.quorum);
        let given = agreed.iter().find(|tip| self.may_give(tip.ledger_index));
        given.or(agreed.first()).map(|tip| (*tip).clone())
    }

    /// Whether anybody may give this ledger.
    pub(super) fn may_give(&self, index: u32) -> bool {
        self.seats.iter().any(|seat| seat.end_of(index).is_some())
    }

    /// Whose word is missing for a ledger at or after `from` to be agreed on.
    pub(super) fn unheard(&self, from: u32) -> Vec<(usize, Server, u32)> {
        let mut asked = Vec::new();
        for tip in self.candidates(from) {
            let (index, hash) = (tip.ledger_index, tip.ledger_hash);
            if self.voices(index, hash) >= self.quorum {
                break;
            }
            for (number, seat) in self.in_order() {
                let Some((server, _)) = seat.live() else { continue };
                let known = asked.iter().any(|(who, _, what)| (*who, *what) == (number, index));
                if !known && !seat.heard.contains_key(&index) && seat.end_of(index).is_some() {
                    asked.push((number, server.clone(), index));
                }
            }
        }
        asked
    }

    /// In words, who does not give the ledger after `cursor`; `None` where somebody may, or none is agreed on.
    pub(super) fn withheld(&self, cursor: u32) -> Option<String> {
        let next = cursor.saturating_add(1);
        self.agreed(next)?;
        if self.may_give(next) {
            return None;
        }
        let why = |seat: &Seat| format!("{} {}", seat.endpoint, seat.withholds());
        let why: Vec<String> = self.seats.iter().map(why).collect();
        Some(format!("ledger {next} is announced and cannot be fetched: {}", why.join("; ")))
    }

    /// How many voices the newest ledger after `cursor` has, in words; `None` where nobody speaks of one, or where
    /// they are enough.
    pub(super) fn too_few(&self, cursor: u32) -> Option<Reason> {
        let tip = *self.candidates(cursor.saturating_add(1)).first()?;
        let voices = self.voices(tip.ledger_index, tip.ledger_hash);
        if self.agreed(cursor.saturating_add(1)).is_some() {
            return None;
        }
        let text = format!(
            "{voices} of {} endpoints agree on a ledger after {cursor}, read_quorum is {}",
            self.seats.len(),
            self.quorum
        );
        let mut reason = Reason::from(text);
        for seat in &self.seats {
            let why = seat.trouble().map(|why| Reason::from(format!("{}: {why}", seat.endpoint)));
            if let Some(why) = why.or_else(|| seat.behind(cursor)) {
                reason = reason.and(why);
            }
        }
        Some(reason)
    }

    /// In words, that every connected endpoint has come less far than what was taken: one that was wiped begins at 1
    /// again. `None` where one has come as far, or none is connected.
    pub(super) fn behind(&self, cursor: u32) -> Option<Reason> {
        let live = self.seats.iter().filter(|seat| seat.live().is_some());
        let behind = live.map(|seat| seat.behind(cursor)).collect::<Option<Vec<Reason>>>()?;
        let why = "it was wiped, is catching up, or is of another network".to_owned();
        let behind = behind.into_iter().reduce(Reason::and)?;
        Some(Reason { text: format!("{}: {why}", behind.text), key: behind.key })
    }

    /// Whether they are so far behind that it is no moment's lag.
    pub(super) fn is_far_behind(&self, cursor: u32) -> bool {
        let tips = self.seats.iter().filter_map(|seat| Some(seat.live()?.1.ledger_index));
        tips.max().is_some_and(|tip| tip.saturating_add(NEAR) < cursor)
    }

    /// The first stretch of `first..=last` that no connected endpoint has. `None` too while an endpoint
    /// that may have it has not been heard of.
    pub(super) fn missing(&self, first: u32, last: u32) -> Option<Missing> {
        let mut at = first;
        while at <= last {
            match self.seats.iter().filter_map(|seat| seat.end_of(at)).max() {
                Some(end) => at = end.checked_add(1)?,
                None => break,
            }
        }
        if at > last || self.any_trying() {
            return None;
        }
        let next = self.seats.iter().filter_map(|seat| seat.next_from(at)).min();
        let end = next.map_or(last, |next| next.saturating_sub(1).min(last));
        let has = |seat: &Seat| format!("{} {}", seat.endpoint, seat.possessions());
        let has: Vec<String> = self.seats.iter().map(has).collect();
        let text = format!("history is missing: ledgers {at}..{end} ({})", has.join("; "));
        let may_come = self.seats.iter().any(|seat| seat.may_come_to_have(at));
        Some(Missing { first: at, last: end, text, newest: next.is_none(), may_come })
    }
}
