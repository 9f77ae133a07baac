//! TransactionProposalCreate.

use xrpl_wire::{
    AccountId, LedgerEntryType, Object, SeqProxy, Transaction, TransactionType, TxResult, Value, index,
    proposal, sf,
};

use super::super::{Context, LedgerInfo, Ter, permission, shared};
use super::{index_of, is_one, proposed, transaction};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;
use crate::embedded::{format, local};

/// Fields of an AccountRoot that say that nobody has its keys.
const PSEUDO: [xrpl_wire::Field; 3] = [sf::AMMID, sf::VaultID, sf::LoanBrokerID];

pub(in crate::embedded::apply) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    if object.u32(sf::Expiration) == Some(0) {
        return Err(TxResult::temBAD_EXPIRATION);
    }
    let fields = object.object(sf::ProposedTransaction).ok_or(TxResult::temMALFORMED)?;
    let payload = read(info, fields).ok_or(TxResult::temMALFORMED)?;
    if payload.tx_type().is_pseudo() {
        return Err(of_the_network(&payload));
    }
    let payload = Submitted::proposed(payload);
    super::super::preflight(info, &payload)?;
    if holds_signatures(fields) {
        return Err(TxResult::temINVALID);
    }
    if local::check(&payload.tx, info.rules.generation()).is_err() {
        return Err(TxResult::temMALFORMED);
    }
    let within = payload.within().unwrap_or_default();
    if is_one(payload.tx.tx_type()) || within.iter().any(|tx| is_one(tx.tx.tx_type())) {
        return Err(TxResult::temINVALID);
    }
    let signed = proposal::SIGNATURES.iter().any(|field| fields.has(*field));
    if signed || fields.blob(sf::SigningPubKey) != Some(&[]) {
        return Err(TxResult::temBAD_SIGNER);
    }
    let SeqProxy::Ticket(ticket) = payload.tx.seq() else { return Err(TxResult::temSEQ_AND_TICKET) };
    // Its own Ticket is gone before there is a proposal that could hold it.
    if tx.tx.account() == payload.tx.account() && tx.tx.seq() == SeqProxy::Ticket(ticket) {
        return Err(TxResult::temMALFORMED);
    }
    Ok(())
}

/// The proposed transaction, if it is one that the server's generation can read, and all within it.
fn read(info: &LedgerInfo, fields: &Object) -> Option<Transaction> {
    let known = |kind| format::knows_transaction(info.rules.generation(), kind);
    let payload = transaction(fields).filter(|tx| known(tx.tx_type()))?;
    let raw = fields.array(sf::RawTransactions).unwrap_or_default();
    let readable = |fields: &Object| {
        transaction(fields).is_some_and(|tx| tx.tx_type() != TransactionType::Batch && known(tx.tx_type()))
    };
    raw.iter().all(|(_, fields)| readable(fields)).then_some(payload)
}

/// What is said of a transaction that only the network itself sends: what it would have to be for that, or that nobody
/// else sends it.
fn of_the_network(payload: &Transaction) -> TxResult {
    let object = payload.object();
    if payload.account() != AccountId::ZERO {
        TxResult::temBAD_SRC_ACCOUNT
    } else if payload.fee().get() != 0 {
        TxResult::temBAD_FEE
    } else if object.has(sf::TxnSignature)
        || object.has(sf::Signers)
        || object.blob(sf::SigningPubKey) != Some(&[])
    {
        TxResult::temBAD_SIGNATURE
    } else if object.u32(sf::Sequence) != Some(0) {
        TxResult::temBAD_SEQUENCE
    } else {
        TxResult::temMALFORMED
    }
}

/// Whether there are bytes of a signature somewhere.
fn holds_signatures(fields: &Object) -> bool {
    let bytes = |object: &Object| object.blob(sf::TxnSignature).is_some_and(|bytes| !bytes.is_empty());
    let signers = |object: &Object| {
        object.array(sf::Signers).unwrap_or_default().iter().any(|(_, signer)| bytes(signer))
    };
    let counterparty = fields.object(sf::CounterpartySignature);
    bytes(fields) || signers(fields) || counterparty.is_some_and(|other| bytes(other) || signers(other))
}

pub(in crate::embedded::apply) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let fields = proposed(object)?;
    let last = fields.u32(sf::LastLedgerSequence);
    if info.has_passed(object.u32(sf::Expiration)) || last.is_some_and(|last| last <= info.index) {
        return Err(TxResult::tecEXPIRED);
    }
    let (target, ticket, at) = index_of(fields).ok_or(TxResult::tefINTERNAL)?;
    let root = state.object(&index::account_root(&target)).ok_or(TxResult::tecNO_TARGET)?;
    if PSEUDO.iter().any(|field| root.has(*field)) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if !may_propose(state, &tx.tx.account(), &target, fields) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if !state.contains(&index::ticket(&target, ticket)) {
        return Err(TxResult::tefNO_TICKET);
    }
    if state.contains(&at) { Err(TxResult::tecDUPLICATE) } else { Ok(()) }
}

/// Who may propose something to an account: itself, those in its SignerList, and for what it has let somebody else
/// send, that one and those in its SignerList.
fn may_propose(state: &StateMap, proposer: &AccountId, target: &AccountId, fields: &Object) -> bool {
    if proposer == target || is_listed(state, target, proposer) {
        return true;
    }
    let Some(delegate) = fields.account(sf::Delegate) else { return false };
    let Some(payload) = transaction(fields) else { return false };
    permission::check(state, &Submitted::trusted(payload)).is_ok()
        && (*proposer == delegate || is_listed(state, &delegate, proposer))
}

/// Whether an account is in the SignerList of another.
pub(super) fn is_listed(state: &StateMap, owner: &AccountId, account: &AccountId) -> bool {
    let list = state.object(&index::signer_list(owner));
    let entries = list.and_then(|list| list.array(sf::SignerEntries)).unwrap_or_default();
    entries.iter().any(|(_, entry)| entry.account(sf::Account) == Some(*account))
}

pub(in crate::embedded::apply) fn apply(context: &mut Context<'_>) -> Ter {
    let fields = proposed(context.tx.tx.object())?;
    let count = proposal::owner_count(fields);
    let owned = context.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
    if context.prior_balance < context.info.fees.account_reserve(owned.saturating_add(count)) {
        return Err(TxResult::tecINSUFFICIENT_RESERVE);
    }
    let (_, _, at) = index_of(fields).ok_or(TxResult::tefINTERNAL)?;
    let expiration = context.tx.tx.object().u32(sf::Expiration).ok_or(TxResult::tefINTERNAL)?;
    let account = context.account();
    let page = context.add_to_owner_dir(&account, &at)?;
    let entry = shared::new_entry(LedgerEntryType::TransactionProposal)
        .with(sf::Owner, account)
        .with(sf::ProposedTransaction, Value::Object(fields.clone()))
        .with(sf::Expiration, expiration)
        .with(sf::OwnerNode, page);
    context.view.insert(at, entry);
    context.adjust_owner_count_of(&account, i64::from(count))
}
