//! What the daemon knows and intends: the sum of all events. [`State::apply`] is the only way it changes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::address_book::AddressBook;
use crate::model::book::Book;
use crate::model::charter::Charter;
use crate::model::config::{FindingKind, Severity};
use crate::model::drill::{Drill, Proof};
use crate::model::failure::Cause;
use crate::model::observe::{
    EscrowView, LedgerPoint, NetworkFees, RootView, SettingsView, SignerListView, TrustLineView,
};
use crate::model::proposal::Proposal;
use crate::model::shadow::Shadowing;
use crate::model::signing::{GuardRefusal, Slot};
use crate::model::stops::{EarlierStops, Stop, StopKind, Stops, Subject};
use crate::model::units::{AccountId, Amount, Asset, EscrowKey, FindingId, Hash256, ProposalId, RippleTime};

/// Everything known and intended. Its serialized form is that of snapshots, which are a shortcut: a form
/// that changes costs one replay of all events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The last validated ledger taken in: the cursor.
    pub ledger: Option<LedgerPoint>,
    /// Fees and reserves as of that ledger.
    pub fees: Option<NetworkFees>,
    /// Whether the validated ledger can be seen.
    pub sight: Sight,
    /// The last ledger that was taken in with sight, as long as that is lost; `None` also before the first one.
    #[serde(default)]
    pub blind_since: Option<LedgerPoint>,
    /// Ledgers were taken in of which one server may have left something out, and not every account has been read
    /// since: that a transaction was not seen in them proves nothing.
    #[serde(default)]
    pub unproven: bool,
    /// Accounts that a transaction touched which could not be read: what is known of them may be wrong, and
    /// nothing is sent for them until they have been read anew.
    pub doubtful: BTreeSet<AccountId>,
    /// Accounts that lost money, or a Ticket, to what nobody proposed, and that nobody has looked at since: when that
    /// was found last.
    pub robbed: BTreeMap<AccountId, LedgerPoint>,
    /// Watched accounts as of the cursor.
    pub accounts: BTreeMap<AccountId, AccountView>,
    /// All proposals that are open, that something depends on, or that ended lately; the archive has the others.
    pub proposals: BTreeMap<ProposalId, Proposal>,
    /// Those that are not final.
    pub open: BTreeSet<ProposalId>,
    /// The others, and when they ended.
    pub ended: BTreeMap<ProposalId, RippleTime>,
    /// How many proposals are in the archive, by the words of their ends.
    pub archived: BTreeMap<String, u64>,
    /// What has left the state and nobody has taken to the archive yet.
    #[serde(skip)]
    retired: Vec<Archived>,
    /// Every proposal on an account, ended ones too.
    pub by_account: BTreeMap<AccountId, BTreeSet<ProposalId>>,
    /// Every move of a tier link, by the link's name.
    pub moves: BTreeMap<String, BTreeSet<ProposalId>>,
    /// Slots that are taken, and by which proposal. A slot leaves this map only when nothing signed over
    /// it can be applied any more.
    pub slots: BTreeMap<(AccountId, Slot), ProposalId>,
    /// Escrows of treasury accounts, standing and ended.
    pub escrows: BTreeMap<EscrowKey, TrackedEscrow>,
    /// Those still on the ledger.
    pub standing: BTreeSet<EscrowKey>,
    /// The daemon's own among them, by their FinishAfter: nothing is sent for an escrow before that, so a
    /// ledger costs no look at those whose time has not come.
    pub by_finish_after: BTreeSet<(RippleTime, EscrowKey)>,
    /// The same by whom they pay.
    pub by_destination: BTreeSet<(AccountId, EscrowKey)>,
    /// Money that is promised, in flight, or has moved.
    pub book: Book,
    /// Reasons why something must not leave.
    pub stops: Stops,
    /// What stops were known by in records of earlier versions.
    pub earlier: EarlierStops,
    /// What anomaly rules saw, newest last; at most [`FINDINGS_MAX`].
    pub findings: BTreeMap<FindingId, Finding>,
    /// How many of each kind there have been, those no longer kept in memory too.
    pub findings_by_kind: BTreeMap<FindingKind, u64>,
    /// Signers whose keys the daemon holds and that did not sign when they were last asked, and why.
    #[serde(default)]
    pub unable: BTreeMap<AccountId, String>,
    /// What each person's key signed last.
    #[serde(default)]
    pub proofs: BTreeMap<AccountId, Proof>,
    /// Signers who are asked to show that they have their keys.
    #[serde(default)]
    pub drills: BTreeMap<AccountId, Drill>,
    /// Proposals that make or made an escrow, for which the guard gave nothing when it was asked last, and why.
    #[serde(default)]
    pub guard_refusals: BTreeMap<ProposalId, GuardRefusal>,
    /// Proposals by idempotency key.
    pub idempotency: BTreeMap<(String, String), ProposalId>,
    /// Failures in a row, and where they stop automated submissions.
    pub breakers: BTreeMap<BreakerKey, Breaker>,
    /// Of accounts whose XRP lasts for too short a time, the least of the declared limits that they were found to be below of, in
    /// days.
    #[serde(default)]
    pub short: BTreeMap<AccountId, u32>,
    /// The same of what they have by trust lines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub short_tokens: BTreeMap<AccountId, BTreeMap<Asset, u32>>,
    /// Until when the payments of each schedule have been asked for, or given up.
    #[serde(default)]
    pub scheduled: BTreeMap<String, Reached>,
    /// What a second policy would have decided.
    #[serde(default)]
    pub shadowing: Option<Shadowing>,
    /// Which table of rules is in force, and which waits to be, where people decide that.
    #[serde(default)]
    pub charter: Charter,
    /// Which entries of the address book people have confirmed.
    #[serde(default)]
    pub address_book: AddressBook,
    /// The last proposal's id.
    pub last_proposal: u64,
    /// The last finding's id.
    pub last_finding: u64,
}

/// How far a schedule has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// All that was due until then has been asked for, or given up.
    pub through: RippleTime,
    /// The last day that was asked for: none is asked for twice, whatever becomes of the times.
    pub day: Option<u32>,
    /// It was not declared when it was last looked at.
    pub gone: bool,
}

/// Findings kept in memory. The log keeps all; a page of a thousand serves people, and an attacker who causes findings
/// can neither fill the memory nor push out what was found of others.
pub const FINDINGS_MAX: usize = 1_000;

/// Whether the validated ledger can be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// It can.
    Clear,
    /// It cannot, for this reason. Nothing is signed, submitted or released meanwhile.
    Lost(String),
}

impl Default for Sight {
    /// A daemon that has just started has seen nothing yet.
    fn default() -> Self {
        Self::Lost("starting".to_owned())
    }
}

/// A watched account as of the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// `None`: not on the ledger.
    pub root: Option<RootView>,
    /// `None`: no SignerList.
    pub signer_list: Option<SignerListView>,
    /// Tickets on the ledger, taken or free.
    pub tickets: BTreeSet<u32>,
    /// Trust lines that it keeps a reserve for; `None`: they were not read yet, and nothing is paid by them.
    #[serde(default)]
    pub trust_lines: Option<BTreeMap<Asset, TrustLineView>>,
    /// What else its owner has set, of the treasury's own; `None`: it was not read yet.
    #[serde(default)]
    pub settings: Option<SettingsView>,
}

impl AccountView {
    /// What the account has by its trust line of an asset; nothing where it has none or owes, and `None` where its lines were not
    /// read.
    pub(crate) fn held(&self, asset: Asset) -> Option<Amount> {
        let line = self.trust_lines.as_ref()?.get(&asset);
        Some(line.and_then(|line| line.held(asset)).unwrap_or(asset.nothing()))
    }

    /// A trust line changed. What was not read is not known, whatever of it changes.
    pub(crate) fn take_line(&mut self, asset: Asset, line: Option<TrustLineView>) {
        let Some(lines) = &mut self.trust_lines else { return };
        match line {
            Some(line) => lines.insert(asset, line),
            None => lines.remove(&asset),
        };
    }
}

/// An escrow of a treasury account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedEscrow {
    /// Its terms.
    pub view: EscrowView,
    /// The ledger in which it was first seen.
    pub seen: LedgerPoint,
    /// When the daemon saw it: the close time of that ledger, or UTC where the daemon took it in later.
    pub seen_at: RippleTime,
    /// Where it stands.
    pub guard: Guard,
}

/// An ended proposal as it left the state, with the escrow that it made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// The proposal.
    pub proposal: Proposal,
    /// What became of the escrow that it made, where it made one and that was seen.
    pub escrow: Option<TrackedEscrow>,
}

/// Where an escrow stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "guard", rename_all = "snake_case")]
pub enum Guard {
    /// No proposal of the daemon's made it, so the daemon holds no fulfillment for it.
    Foreign,
    /// The fulfillment is held back.
    Locked {
        /// The proposal that made it.
        proposal: ProposalId,
        /// The EscrowFinish or EscrowCancel that is being prepared; nothing has been revealed by it.
        preparing: Option<ProposalId>,
    },
    /// The fulfillment has been sent. No way back.
    Releasing {
        /// The proposal that made it.
        proposal: ProposalId,
        /// Since when.
        revealed_at: LedgerPoint,
        /// The EscrowFinish or EscrowCancel now under way; `None`: the last one failed.
        attempt: Option<ProposalId>,
    },
    /// The destination has the money. Final.
    Released {
        /// The proposal that made it, if one did.
        proposal: Option<ProposalId>,
        /// The EscrowFinish.
        tx_id: Hash256,
        /// When.
        at: LedgerPoint,
    },
    /// The owner has the money back. Final.
    Cancelled {
        /// The proposal that made it, if one did.
        proposal: Option<ProposalId>,
        /// The EscrowCancel.
        tx_id: Hash256,
        /// When.
        at: LedgerPoint,
    },
    /// It was gone when the accounts were read anew, and how is not known. Final.
    Gone {
        /// The proposal that made it, if one did.
        proposal: Option<ProposalId>,
        /// When that was noticed.
        at: LedgerPoint,
    },
}

impl Guard {
    /// The proposal that made the escrow.
    #[must_use]
    pub fn proposal(&self) -> Option<ProposalId> {
        match self {
            Self::Foreign => None,
            Self::Locked { proposal, .. } | Self::Releasing { proposal, .. } => Some(*proposal),
            Self::Released { proposal, .. }
            | Self::Cancelled { proposal, .. }
            | Self::Gone { proposal, .. } => *proposal,
        }
    }
}

/// What an anomaly rule saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// Which rule.
    pub kind: FindingKind,
    /// What follows.
    pub severity: crate::model::config::Severity,
    /// The account it concerns; `None`: the daemon as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What was seen, for people.
    pub evidence: String,
    /// When.
    pub at: LedgerPoint,
    /// Who has looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    /// Since when it is so no longer, of what is compared with what is declared. What it stopped stays stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<LedgerPoint>,
    /// What it stops, where that is not the account, or everything where there is none. Earlier versions did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Subject>,
}

impl Finding {
    /// What it stops, where its severity asks for a stop.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let of_account = || self.account.map_or(Subject::Everything, Subject::Account);
        self.about.clone().unwrap_or_else(of_account)
    }
}

/// Somebody has looked at a finding. It stays, and what it stopped stays stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// What came of it, in their words.
    pub reason: String,
    /// When.
    pub at: LedgerPoint,
}

/// What a circuit breaker counts: failures of one account for one cause. What fails for one account says
/// nothing about another, and a recipient's refusal nothing about the account that pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BreakerKey {
    /// The account that submits; `None`: every account, in records of earlier versions.
    pub account: Option<AccountId>,
    /// What its submissions fail for.
    pub cause: Cause,
}

/// A circuit breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Failures in a row.
    pub failures: u32,
    /// Since when automated submissions are stopped, and the failure that did it.
    pub open: Option<(LedgerPoint, String)>,
}

impl State {
    /// What has left the state since this was asked last. Whoever applies events takes it to the archive.
    #[must_use]
    pub fn take_retired(&mut self) -> Vec<Archived> {
        std::mem::take(&mut self.retired)
    }

    /// Takes a finding in. Where there are too many, the oldest goes of those of which there are most, of one kind in one
    /// account: whoever causes the same again and again pushes out what they caused, and nothing of others.
    pub(crate) fn remember(&mut self, finding: &Finding) {
        self.last_finding = finding.id.0;
        let seen = self.findings_by_kind.entry(finding.kind).or_default();
        *seen = seen.saturating_add(1);
        let robs = matches!(
            finding.kind,
            FindingKind::SpendWithoutProposal
                | FindingKind::SentElsewhere
                | FindingKind::KeysElsewhere
                | FindingKind::TicketTaken
        );
        if let Some(account) = finding.account.filter(|_| robs && finding.severity != Severity::Log) {
            self.robbed.insert(account, finding.at);
        }
        self.findings.insert(finding.id, finding.clone());
        while self.findings.len() > FINDINGS_MAX {
            let mut alike: BTreeMap<(FindingKind, Option<AccountId>), (usize, Reverse<FindingId>)> =
                BTreeMap::new();
            for known in self.findings.values() {
                let (count, _) = alike.entry((known.kind, known.account)).or_insert((0, Reverse(known.id)));
                *count = count.saturating_add(1);
            }
            let Some((_, Reverse(oldest))) = alike.into_values().max() else { return };
            self.findings.remove(&oldest);
        }
    }

    /// Sight came or went, or is lost for another reason.
    pub(crate) fn sight_changed(&mut self, sight: &Sight) {
        let saw = self.sees();
        self.sight = sight.clone();
        // It becomes clear only when every account has been read and is as the ledgers told.
        self.unproven &= !self.sees();
        if self.sees() {
            self.blind_since = None;
        } else if saw {
            self.blind_since = self.ledger;
        }
    }

    /// A person's key has signed.
    pub(crate) fn proven(&mut self, signer: AccountId, proof: Proof) {
        self.drills.remove(&signer);
        self.proofs.insert(signer, proof);
    }

    /// Nobody waits for that drill any more.
    pub(crate) fn drill_ended(&mut self, signer: AccountId, proof: Option<Proof>) -> Result<(), String> {
        self.drills.remove(&signer).ok_or("there is no such drill")?;
        proof.into_iter().for_each(|proof| self.proven(signer, proof));
        Ok(())
    }

    /// What the guard said of what a proposal makes or made.
    pub(crate) fn guard_said(
        &mut self,
        id: ProposalId,
        refusal: Option<&GuardRefusal>,
    ) -> Result<(), String> {
        let known = self.proposals.contains_key(&id).then_some(()).ok_or_else(|| format!("there is no {id}"));
        match refusal {
            Some(refusal) => {
                known?;
                self.guard_refusals.insert(id, refusal.clone());
            }
            None => {
                self.guard_refusals.remove(&id).ok_or("it had refused nothing")?;
            }
        }
        Ok(())
    }

    /// A schedule has come so far.
    pub(crate) fn reached(&mut self, schedule: &str, through: RippleTime, day: Option<u32>) {
        self.scheduled.insert(schedule.to_owned(), Reached { through, day, gone: false });
    }

    /// How short a time an account lasts.
    pub(crate) fn runs_short(
        &mut self,
        account: AccountId,
        asset: Asset,
        below: Option<u32>,
    ) -> Result<(), String> {
        if below.is_none() && self.below_days(&account, asset).is_none() {
            return Err("it was not short".to_owned());
        }
        match (asset, below) {
            (Asset::Xrp, Some(days)) => drop(self.short.insert(account, days)),
            (Asset::Xrp, None) => drop(self.short.remove(&account)),
            (_, Some(days)) => drop(self.short_tokens.entry(account).or_default().insert(asset, days)),
            (_, None) => self.short_tokens.retain(|of, short| {
                if *of == account {
                    short.remove(&asset);
                }
                !short.is_empty()
            }),
        }
        Ok(())
    }

    /// The least of the declared limits that an account was found to be below of with an asset, in days.
    #[must_use]
    pub fn below_days(&self, account: &AccountId, asset: Asset) -> Option<u32> {
        match asset {
            Asset::Xrp => self.short.get(account).copied(),
            _ => self.short_tokens.get(account)?.get(&asset).copied(),
        }
    }

    pub(crate) fn retire(&mut self, archived: Archived) {
        self.guard_refusals.remove(&archived.proposal.id);
        self.retired.push(archived);
    }

    /// The last ledger taken in; a point of zeros before the first.
    pub(crate) fn cursor(&self) -> LedgerPoint {
        self.ledger.unwrap_or(LedgerPoint::ZERO)
    }

    /// Ledger time now: the close time of the last validated ledger. Zero before the first.
    #[must_use]
    pub fn now(&self) -> RippleTime {
        self.ledger.map_or(RippleTime(0), |point| point.close_time)
    }

    /// The freezes that cover this account, its own before those on everything.
    pub fn freezes_of(&self, account: &AccountId) -> impl Iterator<Item = &Stop> {
        let own = Subject::Account(*account);
        let own: Vec<&Stop> = self.stops.on(&own).collect();
        own.into_iter()
            .chain(self.stops.on(&Subject::Everything))
            .filter(|stop| stop.kind == StopKind::Freeze)
    }

    /// The breakers that stop the automated submissions of this account.
    pub fn open_breakers(
        &self,
        account: &AccountId,
    ) -> impl Iterator<Item = (&BreakerKey, &LedgerPoint, &str)> {
        let account = *account;
        self.breakers
            .iter()
            .filter(move |(key, _)| key.account.is_none_or(|counted| counted == account))
            .filter_map(|(key, breaker)| breaker.open.as_ref().map(|(at, why)| (key, at, why.as_str())))
    }

    /// Tickets of the account that no proposal has taken, lowest first.
    pub fn free_tickets(&self, account: &AccountId) -> impl Iterator<Item = u32> + '_ {
        let account = *account;
        self.accounts.get(&account).into_iter().flat_map(move |view| {
            view.tickets
                .iter()
                .copied()
                .filter(move |ticket| !self.slots.contains_key(&(account, Slot::Ticket(*ticket))))
        })
    }

    /// Proposals that take a place of the account: those that are open, and those that have ended and whose slot is taken, because
    /// what was signed over it can still be applied.
    pub fn taking_a_place(&self, account: AccountId) -> impl Iterator<Item = &Proposal> {
        let slots = self.slots.range((account, Slot::Sequence(0))..=(account, Slot::Ticket(u32::MAX)));
        let ended = slots.map(|(_, id)| id).filter(|id| !self.open.contains(id));
        let all = self.open.iter().chain(ended).filter_map(|id| self.proposals.get(id));
        all.filter(move |proposal| proposal.account == account)
    }

    /// Whether a proposal still has its slot: until then what was signed over it can be applied.
    #[must_use]
    pub fn holds_slot(&self, proposal: &Proposal) -> bool {
        proposal
            .plan
            .as_ref()
            .is_some_and(|plan| self.slots.get(&(proposal.account, plan.slot)) == Some(&proposal.id))
    }

    /// Standing escrows of an account.
    pub fn standing_of(&self, owner: &AccountId) -> impl Iterator<Item = EscrowKey> + '_ {
        let of_owner = |sequence| EscrowKey { owner: *owner, sequence };
        self.standing.range(of_owner(0)..=of_owner(u32::MAX)).copied()
    }

    /// The daemon's own escrows that stand and pay the account.
    pub fn own_escrows_for(&self, destination: &AccountId) -> impl Iterator<Item = &TrackedEscrow> + '_ {
        let of = |byte, sequence| (*destination, EscrowKey { owner: AccountId([byte; 20]), sequence });
        let own = self.by_destination.range(of(0, 0)..=of(u8::MAX, u32::MAX));
        own.filter_map(|(_, key)| self.escrows.get(key))
    }

    /// The accounts that are declared otherwise than they were when they were read: of another's nothing is known that it owns, and
    /// of one that was not declared for a while nothing of what it did meanwhile. Trust lines are read of the treasury's own alone,
    /// and no ledger tells them before that; an earlier version read none, and there it counts whether anything else is known.
    #[must_use]
    pub fn declared_otherwise(&self, is_declared: impl Fn(&AccountId) -> bool) -> BTreeSet<AccountId> {
        let is_read = |view: &AccountView| view.trust_lines.is_some();
        let reads_lines = self.accounts.iter().any(|(account, view)| is_declared(account) && is_read(view));
        let owns = |account: &AccountId, view: &AccountView| {
            let known = view.signer_list.is_some() || !view.tickets.is_empty();
            known || self.standing_of(account).next().is_some()
        };
        let was_ours = |account: &AccountId, view: &AccountView| {
            is_read(view) || (!(reads_lines && is_declared(account)) && owns(account, view))
        };
        let others =
            self.accounts.iter().filter(|(account, view)| was_ours(account, view) != is_declared(account));
        others.map(|(account, _)| *account).collect()
    }

    /// Lets go of what is known of these accounts.
    pub(crate) fn forget_accounts(&mut self, accounts: &[AccountId]) -> Result<(), String> {
        for account in accounts {
            self.accounts.remove(account).ok_or_else(|| format!("nothing is known of {account}"))?;
            self.doubtful.remove(account);
        }
        Ok(())
    }

    /// Whether the validated ledger can be seen.
    #[must_use]
    pub fn sees(&self) -> bool {
        self.sight == Sight::Clear
    }
}
