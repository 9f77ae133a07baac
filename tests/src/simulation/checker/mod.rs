//! What must never happen, written from the specification. It looks at the ledger's truth, at what the daemons
//! acknowledged, at what they send, and at what they show to people; never at how they decide.

mod dates;
mod escrows;
mod exposure;
mod fence;
mod kept;
mod ledger;
mod money;
mod runway;
mod sent;
mod shares;

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::Treasury;
use treasury_core::units::{AccountId, Amount, Asset, EscrowKey, Hash256, ProposalId, StopId};

use xrpl_wire::TransactionType;

use super::cast::Cast;
use dates::Dates;
use escrows::Made;
use exposure::Thefts;
use money::Tide;
use shares::Shares;

pub use sent::Heard;

/// A rule of the checker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// All XRP is where it was, or was burned as a fee; and all that is issued is what the issuer has paid and did not get back.
    DropsConserved,
    /// Of what somebody asked for once, at most one transaction is ever applied.
    OncePerIntent,
    /// For each date of a schedule at most one payment is asked for, and one is ever applied, and not before it is due.
    OncePerDate,
    /// A treasury account sends nothing that nobody asked for.
    NothingUnasked,
    /// What was acknowledged stays known.
    AcknowledgedKept,
    /// An escrow that was flagged is never finished.
    FlaggedNotFinished,
    /// What is guarded is made by no other condition than the guard's, and finished only where the guard gave its share.
    GuardsShare,
    /// Once a stop is acknowledged nothing of its subject leaves, and nothing enters a stopped account.
    StopsBind,
    /// Nothing is sent without sight of the ledger.
    BlindNotSent,
    /// A payment takes the form that policy asks for, with the signatures that policy asks for.
    PolicyKept,
    /// Tier links and rolling limits are not passed.
    LimitsKept,
    /// The daemon's moves fill no account above the highest target that a link has for it.
    NoOverfill,
    /// The daemon's moves take no account below the highest floor that a link leaves it.
    FloorsKept,
    /// Nothing is released before the promised delay has passed in true time.
    DelayKept,
    /// What a daemon has counted as gone is what left in ledgers.
    MoneyCounted,
    /// What may be taken back is taken back in time, whatever is stopped.
    TakesBack,
    /// Where its own keys are at work elsewhere, a daemon sends nothing for the account.
    Fenced,
    /// What somebody takes who has captured one thing is no more than was said that it can take.
    LimitsOfExposure,
    /// What is said to last lasts no longer than what is there, and not much shorter.
    LastsNoLonger,
    /// Every intent ends, or says what it waits for.
    AllEnds,
    /// The log is whole: a restart knows what was durable.
    LogIntact,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 21] = [
        Self::DropsConserved,
        Self::OncePerIntent,
        Self::OncePerDate,
        Self::NothingUnasked,
        Self::AcknowledgedKept,
        Self::FlaggedNotFinished,
        Self::GuardsShare,
        Self::StopsBind,
        Self::BlindNotSent,
        Self::PolicyKept,
        Self::LimitsKept,
        Self::NoOverfill,
        Self::FloorsKept,
        Self::DelayKept,
        Self::MoneyCounted,
        Self::TakesBack,
        Self::Fenced,
        Self::LimitsOfExposure,
        Self::LastsNoLonger,
        Self::AllEnds,
        Self::LogIntact,
    ];
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// What happened.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// So many millionths of one, in which all amounts of the simulations are whole; of XRP, drops. No multi-purpose token moves there.
fn units_of(amount: Amount) -> u64 {
    u64::try_from(runway::millionths(&amount)).unwrap_or(u64::MAX)
}

/// What somebody asked for, named on the ledger by its DestinationTag.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Which daemon was asked.
    pub daemon: usize,
    /// Who asked.
    pub asker: String,
    /// The paying account.
    pub account: AccountId,
    /// Who is to be paid.
    pub destination: AccountId,
    /// How much.
    pub amount: Amount,
    /// Its proposal, once the daemon has said so.
    pub proposal: Option<ProposalId>,
}

/// What somebody stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// A payment, by its proposal.
    Proposal(ProposalId),
    /// An account; `None`: everything.
    Account(Option<AccountId>),
}

/// A payment out of an account that counts against a limit: ledger time, units.
type Outflow = (u32, u64);

/// What an account has of one asset.
type Holding = (AccountId, Asset);

/// The checker.
pub struct Checker {
    violations: Vec<Violation>,
    cast: Cast,
    treasury: Treasury,
    intents: BTreeMap<u32, Intent>,
    /// Transactions applied for each intent.
    applied: BTreeMap<u32, Vec<Hash256>>,
    /// Transactions of treasury accounts that somebody made past the daemons.
    foreign: BTreeSet<Hash256>,
    /// Transactions that daemons have sent, and which did first.
    sent: BTreeMap<Hash256, usize>,
    /// Escrows that daemons made, standing or not.
    escrows: BTreeMap<EscrowKey, Made>,
    /// Escrows whose EscrowFinish has been sent.
    revealed: BTreeSet<EscrowKey>,
    /// Approvals that were acknowledged, and should still be there.
    approvals: BTreeSet<(usize, ProposalId, AccountId)>,
    /// Stops that were acknowledged, and that nobody has asked to lift.
    stops: BTreeMap<(usize, StopId), Stopped>,
    /// Proposals that their asker took back.
    withdrawn: BTreeSet<(usize, ProposalId)>,
    /// What was asked to be made worthless: from then on nothing but its void leaves for it.
    voided: BTreeSet<(usize, ProposalId)>,
    /// Moves along each tier link: the daemon, whose limits they are, and the link.
    moves: BTreeMap<(usize, String), Vec<Outflow>>,
    /// Payments that no person signed, by daemon, paying account and asset.
    unattended: BTreeMap<(usize, AccountId, Asset), Vec<Outflow>>,
    /// Transactions by the ledger they are in that daemons' own keys signed.
    by_own_keys: BTreeMap<u32, Vec<(AccountId, Hash256)>>,
    /// What changed whose signatures count, by ledger.
    signers_changed: BTreeMap<u32, Vec<(AccountId, TransactionType)>>,
    /// Everything that each daemon has sent.
    sent_by: BTreeSet<(usize, Hash256)>,
    /// Accounts for which daemons may send nothing until somebody has looked.
    fenced: BTreeSet<(usize, AccountId)>,
    /// What came to treasury accounts and left them, ledger by ledger.
    tides: BTreeMap<Holding, Tide>,
    /// What left treasury accounts, whoever sent it: ledger, its close time, units.
    gone: BTreeMap<Holding, Vec<(u32, u32, u64)>>,
    /// What everybody had by trust lines after the ledger before.
    issued: i128,
    /// The last ledger that each daemon had when it was first looked at: what left before is not its to count.
    counts_from: BTreeMap<usize, u32>,
    /// The ledger in which a daemon acknowledged an intent.
    acknowledged: BTreeMap<u32, u32>,
    /// What captured things took, and what they could.
    thefts: Thefts,
    /// What is due at set times.
    dates: Dates,
    /// What the guard made and gave.
    shares: Shares,
    /// Close times of the last ledgers.
    times: BTreeMap<u32, u32>,
    /// Drops there were after the ledger before, its index and close time, and since when ledgers kept their pace.
    total_drops: u64,
    index: u32,
    close_time: u32,
    steady_since: u32,
    /// True time, in milliseconds.
    now_ms: u64,
    /// What was seen to have happened since somebody asked.
    reached: Vec<&'static str>,
}

impl Checker {
    /// A checker of a run that begins with this ledger.
    #[must_use]
    pub fn new(first: &xrpl_harness::embedded::ClosedLedger) -> Self {
        let cast = Cast::default();
        let treasury = cast.treasury();
        Self {
            violations: Vec::new(),
            intents: BTreeMap::new(),
            applied: BTreeMap::new(),
            foreign: BTreeSet::new(),
            sent: BTreeMap::new(),
            escrows: BTreeMap::new(),
            revealed: BTreeSet::new(),
            approvals: BTreeSet::new(),
            stops: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            voided: BTreeSet::new(),
            moves: BTreeMap::new(),
            unattended: BTreeMap::new(),
            by_own_keys: BTreeMap::new(),
            signers_changed: BTreeMap::new(),
            sent_by: BTreeSet::new(),
            fenced: BTreeSet::new(),
            tides: money::tides(&treasury, first),
            thefts: Thefts::new(&treasury, first),
            dates: Dates::default(),
            shares: Shares::default(),
            times: BTreeMap::new(),
            gone: BTreeMap::new(),
            issued: ledger::issued(&cast, first),
            counts_from: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            total_drops: first.header.total_drops,
            index: first.header.index,
            close_time: first.header.close_time.0,
            steady_since: first.header.index,
            now_ms: 0,
            reached: Vec::new(),
            treasury,
            cast,
        }
    }

    /// Whether the payment is stopped at this daemon.
    fn is_flagged(&self, daemon: usize, proposal: ProposalId) -> bool {
        self.is_stopped(daemon, Stopped::Proposal(proposal))
    }

    /// Whether the account, or everything, is stopped at this daemon.
    fn is_frozen(&self, daemon: usize, account: AccountId) -> bool {
        self.is_stopped(daemon, Stopped::Account(None))
            || self.is_stopped(daemon, Stopped::Account(Some(account)))
    }

    fn is_stopped(&self, daemon: usize, what: Stopped) -> bool {
        self.stops.iter().any(|((of, _), stopped)| *of == daemon && *stopped == what)
    }

    /// The true time, in milliseconds since the run began.
    pub fn time(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// What was seen to have happened since the last call, in words.
    pub fn take_reached(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.reached)
    }

    /// What was broken so far, in order.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// A rule is broken.
    pub fn broken(&mut self, rule: Rule, what: impl Into<String>) {
        self.violations.push(Violation { rule, what: what.into() });
    }

    /// Somebody made a transaction of a treasury account past the daemons.
    pub fn foreign(&mut self, tx_id: Hash256) {
        self.foreign.insert(tx_id);
    }

    /// Somebody asks for a payment, under a DestinationTag of its own.
    pub fn intends(&mut self, tag: u32, intent: Intent) {
        self.intents.insert(tag, intent);
    }

    /// The proposal of an intent, as acknowledged.
    #[must_use]
    pub fn proposal_of(&self, tag: u32) -> Option<ProposalId> {
        self.intents.get(&tag)?.proposal
    }
}
