//! Scheduled payments.

use serde::{Deserialize, Serialize};

use super::{AmountView, PartyView};

/// A payment that is due again and again, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// Its name.
    pub name: String,
    /// The account that pays.
    pub from: PartyView,
    /// Who is paid.
    pub to: PartyView,
    /// The DestinationTag.
    pub tag: Option<u32>,
    /// How much, each time.
    pub amount: AmountView,
    /// In whose name it is asked for.
    pub by: String,
    /// What for.
    pub note: String,
    /// Until when all that was due has been asked for, or given up; `null` where the daemon has seen no ledger since the
    /// schedule was declared.
    pub asked_through: Option<String>,
    /// It is asked for so many seconds before it is due.
    pub lead_seconds: u32,
    /// It can leave until so many seconds after it was due.
    pub late_max_seconds: u32,
    /// What has been asked for and has not ended, by when it is due.
    pub open: Vec<AskedView>,
    /// When it is due next of what has not been asked for: three times at most.
    pub next: Vec<String>,
}

/// One time that has been asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedView {
    /// When it is due.
    pub due: String,
    /// How much it pays: what was said when it was asked for.
    pub amount: Option<AmountView>,
    /// The proposal.
    pub proposal: String,
    /// How far that has come.
    pub status: String,
}

/// The time of a schedule that a proposal is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceView {
    /// The schedule's name.
    pub schedule: String,
    /// It reaches nobody before this time.
    pub due: String,
}
