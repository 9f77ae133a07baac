//! Stops: reasons why something of a subject must not leave.
//!
//! A stop is on a *subject* and not on a payment: what comes later for the same subject is stopped too, until
//! somebody lifts the stop by its id. Several stand side by side, and lifting one leaves the others.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::intent::Origin;
use crate::model::observe::LedgerPoint;
use crate::model::units::{AccountId, EscrowKey, FindingId, ProposalId, StopId};

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Everything that the daemon signs, sends or reveals.
    Everything,
    /// Whatever leaves or enters this account.
    Account(AccountId),
    /// Whatever pays this account, the treasury's own or not.
    Destination(AccountId),
    /// The moves of this tier link.
    Link(String),
    /// This proposal, and the release of the escrow that comes of it.
    Proposal(ProposalId),
    /// The release of this escrow.
    Escrow(EscrowKey),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Destination(account) => write!(f, "destination {account}"),
            Self::Link(name) => write!(f, "link {name}"),
            Self::Proposal(id) => id.fmt(f),
            Self::Escrow(key) => write!(f, "escrow {key}"),
        }
    }
}

/// How much a stop stops, and who may lift it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// What is not yet revealed waits. Lifted by the role `security`.
    Hold,
    /// Nothing at all is sent any more, a release whose fulfillment is out neither. Lifted by the role
    /// `admin`.
    Freeze,
}

impl StopKind {
    /// The word for lists and people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Freeze => "freeze",
        }
    }
}

/// Who or what stops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopSource {
    /// A person with the role `security`, by name.
    Person(String),
    /// An anomaly rule, by its finding.
    Finding(FindingId),
    /// The daemon for a reason of its own, as records of earlier versions name it.
    Daemon,
}

impl fmt::Display for StopSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Finding(id) => write!(f, "finding {id}"),
            Self::Daemon => f.write_str("treasuryd"),
        }
    }
}

/// A reason why something of a subject must not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Its id; what lifts it names it.
    pub id: StopId,
    /// What is stopped.
    pub subject: Subject,
    /// How much.
    pub kind: StopKind,
    /// Who or what stops.
    pub source: StopSource,
    /// By which way it came; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub at: LedgerPoint,
}

/// A stop that somebody lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    /// The stop as it stood.
    pub stop: Stop,
    /// Who lifted it.
    pub by: String,
    /// Why; empty in records of earlier versions, which did not ask.
    pub reason: String,
    /// When.
    pub at: LedgerPoint,
}

/// Lifted stops that stay to be looked at. The log keeps all.
pub const LIFTED_MAX: usize = 1_000;

/// Stops of findings that stand side by side on one subject. The subject is stopped by the first; an attacker
/// who causes findings must not fill the memory or the list of what people have to lift.
pub const FINDING_STOPS_MAX: usize = 20;

/// Stops of one person that stand side by side on one subject. The subject is stopped by the first; whoever has somebody's
/// token must not fill the memory, or the list of what people have to lift, with reasons.
pub const PERSON_STOPS_MAX: usize = 20;

/// Destinations that one person holds back, of those that nothing under way pays: anybody's address is one, and each hold stands
/// until somebody lifts it.
pub const PERSON_DESTINATIONS_MAX: usize = 1_000;

/// A stop that is asked for again within so many seconds of ledger time, by the same person for the same reason, is the same: the
/// answer was lost. Later it is another, because somebody may be about to lift the first, having looked at what that was for.
pub const SAME_STOP_SECONDS: u32 = 600;

/// All stops that stand, by subject, and those lifted lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Stops {
    standing: BTreeMap<Subject, BTreeMap<StopId, Stop>>,
    lifted: BTreeMap<StopId, Lifted>,
    /// The last stop's id.
    last: u64,
    /// What each one that stands is on, for whoever knows its id: there may be thousands.
    #[serde(skip)]
    on: BTreeMap<StopId, Subject>,
}

/// What is stored of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    standing: BTreeMap<Subject, BTreeMap<StopId, Stop>>,
    lifted: BTreeMap<StopId, Lifted>,
    last: u64,
}

impl From<Stored> for Stops {
    fn from(Stored { standing, lifted, last }: Stored) -> Self {
        let stops = standing.values().flat_map(BTreeMap::values);
        let on = stops.map(|stop| (stop.id, stop.subject.clone())).collect();
        Self { standing, lifted, last, on }
    }
}

impl Stops {
    /// The next id.
    #[must_use]
    pub fn next_id(&self) -> StopId {
        StopId(self.last.saturating_add(1))
    }

    /// Every stop that stands, by subject.
    pub fn all(&self) -> impl Iterator<Item = &Stop> {
        self.standing.values().flat_map(BTreeMap::values)
    }

    /// The stops that stand on a subject.
    pub fn on(&self, subject: &Subject) -> impl Iterator<Item = &Stop> {
        self.standing.get(subject).into_iter().flat_map(BTreeMap::values)
    }

    /// A stop that stands.
    #[must_use]
    pub fn get(&self, id: StopId) -> Option<&Stop> {
        self.standing.get(self.on.get(&id)?)?.get(&id)
    }

    /// Whether nothing stands.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    /// Stops that were lifted, oldest first; at most [`LIFTED_MAX`].
    pub fn lifted(&self) -> impl Iterator<Item = &Lifted> {
        self.lifted.values()
    }

    pub(crate) fn set(&mut self, stop: Stop) -> Result<(), String> {
        if stop.id != self.next_id() {
            return Err(format!("{} after S{}", stop.id, self.last));
        }
        self.last = stop.id.0;
        self.on.insert(stop.id, stop.subject.clone());
        self.standing.entry(stop.subject.clone()).or_default().insert(stop.id, stop);
        Ok(())
    }

    pub(crate) fn lift(&mut self, id: StopId, by: &str, reason: &str, at: LedgerPoint) -> Result<(), String> {
        let subject = self.on.remove(&id).ok_or("there is no such stop")?;
        let Some(stops) = self.standing.get_mut(&subject) else { return Ok(()) };
        if let Some(stop) = stops.remove(&id) {
            self.lifted.insert(id, Lifted { stop, by: by.to_owned(), reason: reason.to_owned(), at });
        }
        if stops.is_empty() {
            self.standing.remove(&subject);
        }
        while self.lifted.len() > LIFTED_MAX {
            self.lifted.pop_first();
        }
        Ok(())
    }
}

/// What a stop of an earlier version was known by, so that the records that lift it find it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierStops {
    /// Holds by their ids.
    pub(crate) holds: BTreeMap<u64, StopId>,
}
