//! What the organisation has declared: accounts, people, agents, policy, tiers and limits. The daemon
//! reads it from TOML; here it is already checked and typed. It is an argument of every decision and
//! never part of the stored state, so a changed configuration takes effect at the next step and the
//! past stays as it was decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::model::drill::Drills;
pub use crate::model::finding::{FindingKind, Severity};
use crate::model::matchers::Times;
use crate::model::outlook::Outlook;
use crate::model::policy::Policy;
pub use crate::model::role::{Role, Tier};
pub use crate::model::settings::DeclaredSettings;
use crate::model::signing::Party;
use crate::model::units::{AccountId, Amount, Asset, Drops, RippleTime, Weight};

/// Everything declared.
#[derive(Clone, Debug)]
pub struct Treasury {
    /// `NetworkID` for transactions; `None` on networks with an id of 1024 or less, as the ledger demands.
    pub network_id: Option<u32>,
    /// The treasury's own accounts.
    pub accounts: BTreeMap<AccountId, AccountConfig>,
    /// People who may speak to the daemon, by name.
    pub people: BTreeMap<String, Person>,
    /// Signer accounts whose keys the daemon itself holds. They sign what policy allows without people.
    pub agents: BTreeSet<AccountId>,
    /// What is declared of where keys are, and who made what they are in, by their signer accounts.
    pub key_labels: BTreeMap<AccountId, KeyLabels>,
    /// Pays for EscrowFinish and EscrowCancel; one of `accounts`, single-signed by the daemon.
    pub runner: Option<AccountId>,
    /// Address book: destinations that policy calls *known*, with their names.
    pub destinations: BTreeMap<AccountId, String>,
    /// The ordered rules.
    pub policy: Policy,
    /// Links that keep one account filled from another.
    pub links: Vec<TierLink>,
    /// Payments that are due at set times.
    pub schedules: Vec<Schedule>,
    /// Limits on fees.
    pub fees: FeeConfig,
    /// The Ticket pools.
    pub tickets: TicketConfig,
    /// Deadlines and clocks.
    pub timing: Timing,
    /// What follows from a finding of each rule.
    pub severities: BTreeMap<FindingKind, Severity>,
    /// How much of what people do is unusual.
    pub alarms: Alarms,
    /// How far ahead is looked, and when that wakes somebody.
    pub outlook: Outlook,
    /// Whether destinations that are in nobody's book are screened: then nothing leaves to one of which nobody has answered.
    pub screening: bool,
    /// Of the accounts, those that are declared and not in the table that people have put in force: as destinations they are
    /// nobody's until they are.
    pub newcomers: BTreeSet<AccountId>,
    /// Who holds the preimages of escrows that are planned from now on.
    pub new_escrows: Party,
}

impl Treasury {
    /// Whether an account is one of the treasury's own, for whoever pays it.
    #[must_use]
    pub fn is_own(&self, account: &AccountId) -> bool {
        self.accounts.contains_key(account) && !self.newcomers.contains(account)
    }

    /// The name of an account as people know it: a treasury account, a person's or the address book's.
    #[must_use]
    pub fn name_of(&self, account: &AccountId) -> Option<&str> {
        self.accounts
            .get(account)
            .map(|declared| declared.name.as_str())
            .or_else(|| self.destinations.get(account).map(String::as_str))
            .or_else(|| self.person_of(account).map(|person| person.name.as_str()))
    }

    /// Who signs with this signer account.
    #[must_use]
    pub fn person_of(&self, signer: &AccountId) -> Option<&Person> {
        self.people.values().find(|person| person.signer == Some(*signer))
    }

    /// Every account whose ledger state decisions rest on: the treasury's, every declared signer, and who issues what links and
    /// schedules move.
    #[must_use]
    pub fn watched(&self) -> BTreeSet<AccountId> {
        let mut watched: BTreeSet<AccountId> = self.accounts.keys().copied().collect();
        watched.extend(&self.agents);
        watched.extend(self.people.values().filter_map(|person| person.signer));
        for declared in self.accounts.values().filter_map(|account| account.signers.as_ref()) {
            watched.extend(declared.entries.keys());
        }
        let moved = self.links.iter().map(|link| link.asset);
        let moved = moved.chain(self.schedules.iter().map(|schedule| schedule.amount.issue()));
        watched.extend(moved.filter_map(|asset| match asset {
            Asset::Issued { issuer, .. } => Some(issuer),
            Asset::Xrp | Asset::Mpt(_) => None,
        }));
        watched
    }

    /// What to do about a finding of this kind.
    #[must_use]
    pub fn severity(&self, kind: FindingKind) -> Severity {
        let severity = self.severities.get(&kind).copied().unwrap_or_else(|| kind.default_severity());
        // What tells that something else is told to nobody is always told.
        if kind == FindingKind::RuleSilenced { severity.max(Severity::Alert) } else { severity }
    }
}

/// One of the treasury's accounts.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Short name, unique.
    pub name: String,
    /// Its place in the treasury.
    pub tier: Tier,
    /// How its transactions are signed.
    pub signing: Signing,
    /// The SignerList it should have; a difference on the ledger is a finding.
    pub signers: Option<DeclaredSigners>,
    /// What else should be set of it there; a difference is a finding.
    pub settings: DeclaredSettings,
}

/// How an account's transactions are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// By members of its SignerList.
    Multi,
    /// By one key that the daemon holds.
    Single,
}

/// The SignerList that an account should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredSigners {
    /// SignerQuorum.
    pub quorum: Weight,
    /// SignerEntries: account to SignerWeight.
    pub entries: BTreeMap<AccountId, u16>,
}

/// Someone who may speak to the daemon.
#[derive(Clone, Debug)]
pub struct Person {
    /// Unique.
    pub name: String,
    /// The account this person signs with, if any.
    pub signer: Option<AccountId>,
    /// What this person may do.
    pub roles: BTreeSet<Role>,
    /// How often this person shows that they have their key, in seconds; `None`: as often as everybody.
    pub drill_seconds: Option<u32>,
}

/// Where a key is, and who made what it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLabels {
    /// Who made it: the vendor of a hardware wallet, of a program, of a phone.
    pub vendor: Option<String>,
    /// Where it is kept: a town, a building, a safe.
    pub place: Option<String>,
}

/// Keeps `to` filled from `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierLink {
    /// Unique name.
    pub name: String,
    /// Where the money comes from.
    pub from: AccountId,
    /// Where it goes.
    pub to: AccountId,
    /// What it moves; every amount of the link is of it.
    pub asset: Asset,
    /// Which of the two accounts it keeps within bounds, and within which.
    pub keeps: Keeps,
    /// `from` is never taken below this balance.
    pub source_floor: Amount,
    /// The least that a move carries; less is not worth its fee and its Ticket.
    pub move_min: Amount,
    /// The most that one move may carry.
    pub move_max: Amount,
    /// The most that all moves within `period_seconds` may carry.
    pub period_max: Amount,
    /// Length of the rolling period, in seconds of ledger time.
    pub period_seconds: u32,
    /// The most that all moves within other periods may carry, besides.
    pub limits: Vec<LinkLimit>,
    /// When moves may begin; `None`: at any time.
    pub hours: Option<Times>,
}

impl TierLink {
    /// The most that its moves may carry within each period that it has one for.
    pub fn all_limits(&self) -> impl Iterator<Item = LinkLimit> {
        let first = LinkLimit { most: self.period_max, period_seconds: self.period_seconds };
        std::iter::once(first).chain(self.limits.iter().copied())
    }
}

/// The most that all moves of a link may carry within a rolling period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkLimit {
    /// How much.
    pub most: Amount,
    /// Length of the period, in seconds of ledger time.
    pub period_seconds: u32,
}

/// What a link keeps within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    /// `to`: it is filled.
    Filled {
        /// Below this balance a refill is proposed.
        floor: Amount,
        /// Up to this balance.
        target: Amount,
    },
    /// `from`: what it has too much of is swept away.
    Swept {
        /// Above this balance a sweep is proposed.
        ceiling: Amount,
        /// Down to this balance.
        target: Amount,
    },
}

/// A payment that is due again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Unique name.
    pub name: String,
    /// The account that pays.
    pub from: AccountId,
    /// Who is paid.
    pub to: AccountId,
    /// With this DestinationTag.
    pub destination_tag: Option<u32>,
    /// How much each time.
    pub amount: Amount,
    /// The person in whose name it is asked for.
    pub by: String,
    /// What for.
    pub note: String,
    /// Every time at which it is due, ascending, each for another day.
    pub due: Arc<[Due]>,
    /// It is asked for so many seconds before it is due.
    pub lead_seconds: u32,
    /// What could not be asked for until so many seconds after it was due is not paid.
    pub late_max_seconds: u32,
}

/// A time at which a scheduled payment is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at: RippleTime,
    /// The day of the calendar that it is for, counted from 2000-01-01, whatever a weekend makes of it: where the time of
    /// day, the zone or its rules change, it is the same payment.
    pub day: u32,
}

/// Limits on fees.
#[derive(Clone, Debug)]
pub struct FeeConfig {
    /// The most drops that any transaction may burn.
    pub fee_max: Drops,
    /// The rungs above the first, as multiples of it, ascending.
    pub multiples: Vec<u64>,
}

impl Default for FeeConfig {
    /// A full open ledger asks for hundreds of times the base fee at once, so the top rung is a thousand
    /// times the first; the middle one serves a busy hour. 2 XRP caps what a mistake can burn.
    fn default() -> Self {
        Self { fee_max: Drops::new(2_000_000).unwrap_or(Drops::ZERO), multiples: vec![30, 1_000] }
    }
}

/// The Ticket pools.
#[derive(Clone, Debug)]
pub struct TicketConfig {
    /// A pool with fewer free Tickets than this is refilled. Zero: no refills.
    pub low_water: u32,
    /// A refill brings the pool to this many free Tickets.
    pub target: u32,
}

impl Default for TicketConfig {
    fn default() -> Self {
        Self { low_water: 4, target: 10 }
    }
}

/// Deadlines and clocks.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Time people have to approve, in seconds of ledger time, where a proposal does not say.
    pub deadline_seconds: u32,
    /// The longest deadline that may be asked for.
    pub deadline_max_seconds: u32,
    /// The longest deadline of a payment that policy delays. Its escrow's FinishAfter is counted from the
    /// deadline, so a long deadline is a long wait.
    pub delayed_deadline_max_seconds: u32,
    /// Seconds per ledger when a deadline is turned into a LastLedgerSequence. A ledger that takes less would make
    /// LastLedgerSequence come before the deadline that people are shown; so this is the fastest pace that the
    /// network is expected to keep. One that takes longer makes the slot be held longer than the deadline.
    pub close_interval_seconds: u32,
    /// How many ledgers a transaction that the daemon signs by itself stays valid.
    pub agent_ledgers: u32,
    /// No validated ledger for this long (wall time): sight is lost and nothing is released.
    pub silence_max_seconds: u32,
    /// The newest validated ledger is older than this against UTC: sight is lost, after a start too. `None`: the
    /// ledger keeps a time of its own, as test ledgers do, and UTC is not asked, neither for its age nor for when an
    /// escrow was seen.
    pub ledger_age_max_seconds: Option<u32>,
    /// After a move, refill or release of the daemon's own failed, wait this long before the next try
    /// (ledger time).
    pub retry_seconds: u32,
    /// This many submissions in a row that fail for systemic reasons open the circuit breaker.
    pub breaker_failures: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            deadline_seconds: 6 * 3600,
            deadline_max_seconds: 7 * 86_400,
            delayed_deadline_max_seconds: 24 * 3600,
            close_interval_seconds: 3,
            agent_ledgers: 20,
            silence_max_seconds: 20,
            ledger_age_max_seconds: Some(60),
            retry_seconds: 120,
            breaker_failures: 5,
        }
    }
}

/// How much of what people do is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarms {
    /// Rejections of what one person asked for.
    pub rejections: Burst,
    /// Signatures of one person that were refused.
    pub refused_signatures: Burst,
    /// So many seconds of ledger time after a fulfillment has left, its EscrowFinish should be validated.
    pub reveal_seconds: u32,
    /// Logins and tokens that were refused, from one origin.
    pub failed_logins: Burst,
    /// How far the host's clock may be from the ledger's.
    pub clock: ClockBounds,
    /// So many seconds without sight of the validated ledger are long.
    pub blind_seconds: u32,
    /// How often people show that they have their keys.
    pub drills: Drills,
}

/// How far the host's clock may be from the ledger's, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockBounds {
    /// In seconds. Close times are rounded, servers' clocks differ a little, and what people are told by the clock is about
    /// quarters of hours.
    pub above_seconds: u32,
    /// It is found once it has lasted for so many seconds of wall time: a ledger that is taken in late says as much for a
    /// moment.
    pub lasting_seconds: u32,
}

/// So many of something, within a time, are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// More than this.
    pub above: u32,
    /// Within so many seconds of ledger time.
    pub period_seconds: u32,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            rejections: Burst { above: 4, period_seconds: 24 * 3600 },
            refused_signatures: Burst { above: 2, period_seconds: 3600 },
            // Some ten ledgers.
            reveal_seconds: 60,
            failed_logins: Burst { above: 20, period_seconds: 3600 },
            clock: ClockBounds { above_seconds: 600, lasting_seconds: 120 },
            blind_seconds: 600,
            drills: Drills::default(),
        }
    }
}
