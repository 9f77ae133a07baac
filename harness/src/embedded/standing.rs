//! How a proposal stands: whether it has expired, who has signed, and what is wrong with the signatures of those who
//! count as not having done so. It is what submission would say now; signatures are not verified again.

use xrpl_wire::{AccountId, Field, Object, PublicKey, TransactionType, TxResult, index, proposal, sf};

use super::apply::{self, proposals::Role};
use super::rules::Fees;
use super::state::StateMap;
use super::turns;

/// The moment that is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The ledger's index.
    pub(crate) index: u32,
    /// Whether it is still open.
    pub(crate) open: bool,
    /// When the one before it closed.
    pub(crate) parent_close_time: u32,
}

impl Moment {
    /// The ledger that a transaction could come into next.
    pub(super) fn next_index(self) -> u32 {
        if self.open { self.index } else { self.index.saturating_add(1) }
    }
}

/// Whether something is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Expired,
    Complete,
    Pending,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Status::Expired => "expired",
            Status::Complete => "complete",
            Status::Pending => "pending",
        }
    }
}

/// Why an account counts as not having signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    InadequateSignatures,
    InvalidSignerSet,
    NoSignerList,
    MasterDisabled,
    NotAuthorized,
    AccountNotFound,
    Malformed,
    CounterpartyUnresolvable,
    NoDelegatePermission,
    SequenceMismatch,
    TicketReserved,
}

impl Reason {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Reason::InadequateSignatures => "inadequate_signatures",
            Reason::InvalidSignerSet => "invalid_signer_set",
            Reason::NoSignerList => "no_signer_list",
            Reason::MasterDisabled => "master_disabled",
            Reason::NotAuthorized => "not_authorized",
            Reason::AccountNotFound => "account_not_found",
            Reason::Malformed => "malformed",
            Reason::CounterpartyUnresolvable => "counterparty_unresolvable",
            Reason::NoDelegatePermission => "no_delegate_permission",
            Reason::SequenceMismatch => "sequence_mismatch",
            Reason::TicketReserved => "ticket_reserved",
        }
    }
}

/// A member of a SignerList.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) account: AccountId,
    pub(crate) weight: u32,
    pub(crate) signed: bool,
}

/// One account whose signature is needed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// None where nobody can say who it is.
    pub(crate) account: Option<AccountId>,
    /// None where it has signed.
    pub(crate) reason: Option<Reason>,
    pub(crate) signed_weight: Option<u32>,
    /// What its SignerList asks for, if it has one, and who is in it.
    pub(crate) list: Option<(u32, Vec<Member>)>,
}

/// How a proposal stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) status: Status,
    pub(crate) rows: Vec<Row>,
}

impl Standing {
    /// Whether everybody has signed.
    pub(crate) fn is_signed(&self) -> bool {
        self.rows.iter().all(|row| row.reason.is_none())
    }
}

/// How the proposal of an entry stands.
pub(crate) fn of(state: &StateMap, at: Moment, entry: &Object) -> Standing {
    let nothing = Object::new();
    let fields = entry.object(sf::ProposedTransaction).unwrap_or(&nothing);
    let is_batch = fields.u16(sf::TransactionType) == Some(TransactionType::Batch.code());
    let mut rows: Vec<Row> = apply::proposals::outer_roles(|at| state.object(at), fields)
        .into_iter()
        .map(|(role, account)| outer_row(state, fields, role, account))
        .collect();
    if is_batch {
        rows.extend(participants(state, fields));
        rows.extend(superfluous(fields));
        for (account, reason) in turns::obstacles(state, at, fields) {
            if let Some(row) = rows.iter_mut().find(|row| row.account == Some(account)) {
                row.reason = Some(reason);
            }
        }
    } else if lacks_permission(state, fields)
        && let Some(row) = rows.first_mut()
    {
        row.reason = Some(Reason::NoDelegatePermission);
    }
    let last = fields.u32(sf::LastLedgerSequence);
    let over = entry.u32(sf::Expiration).is_some_and(|time| at.parent_close_time >= time)
        || last.is_some_and(|last| last < at.next_index());
    let mut standing = Standing { status: Status::Pending, rows };
    if over {
        standing.status = Status::Expired;
    } else if standing.is_signed() {
        standing.status = Status::Complete;
    }
    standing
}

/// Whether a transaction names a Delegate who may not send it now.
pub(super) fn lacks_permission(state: &StateMap, fields: &Object) -> bool {
    fields.has(sf::Delegate) && !apply::may_be_sent(state, fields)
}

fn outer_row(state: &StateMap, fields: &Object, role: Role, account: Option<AccountId>) -> Row {
    let nothing = Object::new();
    let slot = match role {
        Role::Initiator | Role::Participant => fields,
        Role::Counterparty => fields.object(sf::CounterpartySignature).unwrap_or(&nothing),
        Role::Sponsor => fields.object(sf::SponsorSignature).unwrap_or(&nothing),
    };
    match account {
        Some(account) => judge(state, &account, slot, false),
        None => Row { reason: Some(Reason::CounterpartyUnresolvable), ..Row::default() },
    }
}

/// Those who take part in a batch.
fn participants(state: &StateMap, fields: &Object) -> Vec<Row> {
    let signers = fields.array(sf::BatchSigners).unwrap_or_default();
    let nothing = Object::new();
    let row = |account: AccountId| {
        let slot = signers.iter().find(|(_, entry)| entry.account(sf::Account) == Some(account));
        let made = is_made_within(state, fields, &account);
        judge(state, &account, slot.map_or(&nothing, |(_, entry)| entry), made)
    };
    proposal::participants(fields).into_iter().map(row).collect()
}

/// Entries of BatchSigners for which the batch would be refused: of nobody, of whom it does not need, or out of order.
fn superfluous(fields: &Object) -> Vec<Row> {
    let required = proposal::participants(fields);
    let mut last = None;
    let mut rows = Vec::new();
    for (_, entry) in fields.array(sf::BatchSigners).unwrap_or_default() {
        let account = entry.account(sf::Account);
        let good = account.is_some_and(|account| required.contains(&account)) && account > last;
        if !good {
            rows.push(Row { account, reason: Some(Reason::Malformed), ..Row::default() });
        }
        last = last.max(account);
    }
    rows
}

/// Whether a transaction of a batch that comes before the account's own makes the account.
fn is_made_within(state: &StateMap, fields: &Object, account: &AccountId) -> bool {
    let within = fields.array(sf::RawTransactions).unwrap_or_default();
    let sends = |tx: &Object| tx.account(sf::Delegate).or_else(|| tx.account(sf::Account)) == Some(*account);
    let reserve = Fees::read(state).reserve_base;
    within.iter().take_while(|(_, tx)| !sends(tx)).any(|(_, tx)| {
        tx.u16(sf::TransactionType) == Some(TransactionType::Payment.code())
            && tx.account(sf::Destination) == Some(*account)
            && tx.drops(sf::Amount).is_some_and(|amount| amount >= reserve)
    })
}

/// What was collected for an account.
enum Collected<'o> {
    Nothing,
    Single(AccountId),
    Shares(&'o [(Field, Object)]),
}

/// Reads a slot; none if nothing could ever come of it.
fn collected<'o>(slot: &'o Object, account: &AccountId) -> Option<Collected<'o>> {
    let key = slot.blob(sf::SigningPubKey).unwrap_or_default();
    let Some(shares) = slot.array(sf::Signers) else {
        return match (key, slot.blob(sf::TxnSignature)) {
            ([], None) => Some(Collected::Nothing),
            ([], _) | (_, None | Some([])) => None,
            (key, Some(_)) => Some(Collected::Single(PublicKey::from_slice(key).ok()?.account_id())),
        };
    };
    let signers: Option<Vec<AccountId>> =
        shares.iter().map(|(_, share)| share.account(sf::Account)).collect();
    let signers = signers.filter(|signers| signers.is_sorted_by(|one, other| one < other))?;
    let bytes = |share: &Object, field| share.blob(field).is_some_and(|bytes: &[u8]| !bytes.is_empty());
    let whole =
        shares.iter().all(|(_, share)| bytes(share, sf::SigningPubKey) && bytes(share, sf::TxnSignature));
    let right = key.is_empty() && !slot.has(sf::TxnSignature) && !signers.is_empty();
    (right && whole && !signers.contains(account)).then_some(Collected::Shares(shares))
}

/// One share that was collected: whose it is, and what is wrong with its key now.
struct Checked {
    signer: Option<AccountId>,
    verdict: Result<(), Reason>,
}

/// Whether what was collected for an account would do now.
fn judge(state: &StateMap, account: &AccountId, slot: &Object, made_within: bool) -> Row {
    let list = state.object(&index::signer_list(account));
    let mut row = Row { account: Some(*account), ..Row::default() };
    let collected = collected(slot, account);
    let shares: Vec<Checked> = match collected {
        Some(Collected::Shares(shares)) => shares.iter().map(|(_, share)| checked(state, share)).collect(),
        _ => Vec::new(),
    };
    if let Some(list) = list {
        row.list = Some((list.u32(sf::SignerQuorum).unwrap_or(u32::MAX), members(list, &shares)));
        let signed = row.list.iter().flat_map(|(_, members)| members).filter(|member| member.signed);
        let weight = signed.fold(0_u32, |sum, member| sum.saturating_add(member.weight));
        row.signed_weight = (!shares.is_empty()).then_some(weight);
    }
    let root = state.object(&index::account_root(account));
    let verdict = match (collected, root) {
        (None, _) => Err(Reason::Malformed),
        (_, None) if !made_within => Err(Reason::AccountNotFound),
        (Some(Collected::Nothing), _) => Err(Reason::InadequateSignatures),
        (Some(Collected::Single(by)), None) if by == *account => Ok(()),
        (Some(Collected::Single(_)), None) => Err(Reason::NotAuthorized),
        (Some(Collected::Single(by)), Some(root)) => {
            apply::check_single(root, account, &by).map_err(|result| match result {
                TxResult::tefMASTER_DISABLED => Reason::MasterDisabled,
                _ => Reason::NotAuthorized,
            })
        }
        (Some(Collected::Shares(_)), _) => judge_shares(&row, &shares),
    };
    row.reason = verdict.err();
    row
}

/// The members of a SignerList, and whether each has signed with a key that is its own now.
fn members(list: &Object, shares: &[Checked]) -> Vec<Member> {
    let entries = list.array(sf::SignerEntries).unwrap_or_default();
    let member = |entry: &Object| {
        let account = entry.account(sf::Account)?;
        let signed = shares.iter().any(|share| share.signer == Some(account) && share.verdict.is_ok());
        Some(Member { account, weight: u32::from(entry.u16(sf::SignerWeight).unwrap_or(0)), signed })
    };
    entries.iter().filter_map(|(_, entry)| member(entry)).collect()
}

fn checked(state: &StateMap, share: &Object) -> Checked {
    let Some(signer) = share.account(sf::Account) else {
        return Checked { signer: None, verdict: Err(Reason::Malformed) };
    };
    let key = share.blob(sf::SigningPubKey).unwrap_or_default();
    let verdict = apply::check_signer_key(state, &signer, key).map_err(|result| match result {
        TxResult::tefMASTER_DISABLED => Reason::MasterDisabled,
        _ => Reason::InvalidSignerSet,
    });
    Checked { signer: Some(signer), verdict }
}

/// One share that is not right spoils them all.
fn judge_shares(row: &Row, shares: &[Checked]) -> Result<(), Reason> {
    let Some((quorum, members)) = &row.list else { return Err(Reason::NoSignerList) };
    for share in shares {
        if !members.iter().any(|member| Some(member.account) == share.signer) {
            return Err(Reason::InvalidSignerSet);
        }
        share.verdict?;
    }
    if row.signed_weight.unwrap_or(0) < *quorum { Err(Reason::InadequateSignatures) } else { Ok(()) }
}
