//! Batch: transactions that are applied one after the other, or not at all.
//!
//! The batch itself does nothing but pay. What is within it is applied when a ledger is built, right after it, on one
//! state that grows; each of them by its own Sequence or Ticket, for no fee, and with metadata of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use xrpl_wire::{AccountId, Amount, Object, SeqProxy, TransactionType, TxResult, batch, flags, sf};

use super::{Applied, ApplyFlags, LedgerInfo, Ter, fee, signature};
use crate::embedded::amendment::Amendment;
use crate::embedded::batch::SIGNERS_MAX;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The ways to apply a batch, of which it has one.
pub(super) const MODES: u32 =
    flags::tfAllOrNothing | flags::tfOnlyOne | flags::tfUntilFailure | flags::tfIndependent;

/// Whether its type is there: not as it was before BatchV1_1.
pub(super) fn is_there(info: &LedgerInfo) -> bool {
    info.rules.enabled(Amendment::BatchV1_1)
}

pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    if !is_there(info) {
        tracing::warn!("batches as they were before BatchV1_1 are not implemented in the embedded ledger");
        return Err(TxResult::temUNKNOWN);
    }
    if (tx.tx.flags() & MODES).count_ones() != 1 {
        return Err(TxResult::temINVALID_FLAG);
    }
    let object = tx.tx.object();
    let count = object.array(sf::RawTransactions).unwrap_or_default().len();
    if count < *batch::INNER.start() {
        return Err(TxResult::temARRAY_EMPTY);
    }
    let signers = object.array(sf::BatchSigners).unwrap_or_default();
    if count > *batch::INNER.end() || signers.len() > SIGNERS_MAX {
        return Err(TxResult::temARRAY_TOO_LARGE);
    }
    let within = tx.within().map_err(|_| TxResult::temINVALID)?;
    check_each(info, tx, within)?;
    // Who has to sign is asked for while it is proposed, and when it is sent.
    if tx.proposed { Ok(()) } else { check_participants(tx, within, signers) }
}

/// What each transaction within must be by itself and beside those before it.
fn check_each(info: &LedgerInfo, tx: &Submitted, within: &[Arc<Submitted>]) -> Ter {
    let mut ids = BTreeSet::new();
    let mut turns = BTreeSet::new();
    // In these modes all of them are to be applied, and a number can be used once.
    let each_turn_once = tx.tx.flags() & (flags::tfAllOrNothing | flags::tfUntilFailure) != 0;
    for inner in within {
        if !ids.insert(inner.id) {
            return Err(TxResult::temREDUNDANT);
        }
        check_form(inner)?;
        super::preflight(info, inner).map_err(|_| TxResult::temINVALID_INNER_BATCH)?;
        let object = inner.tx.object();
        let sequence = object.u32(sf::Sequence).unwrap_or(0);
        if object.has(sf::TicketSequence) == (sequence != 0) {
            return Err(TxResult::temSEQ_AND_TICKET);
        }
        let turn: (AccountId, SeqProxy) = (inner.tx.account(), inner.tx.seq());
        if each_turn_once && !turns.insert(turn) {
            return Err(TxResult::temREDUNDANT);
        }
    }
    Ok(())
}

/// A transaction within a batch says so, is not signed, and pays nothing.
fn check_form(inner: &Submitted) -> Ter {
    let kind = inner.tx.tx_type();
    if kind == TransactionType::Batch {
        return Err(TxResult::temINVALID);
    }
    if !may_be_within(kind) {
        return Err(TxResult::temINVALID_INNER_BATCH);
    }
    if inner.tx.flags() & flags::tfInnerBatchTxn == 0 {
        return Err(TxResult::temINVALID_FLAG);
    }
    let object = inner.tx.object();
    check_unsigned(object)?;
    if let Some(counterparty) = object.object(sf::CounterpartySignature) {
        check_unsigned(counterparty)?;
    }
    match object.amount(sf::Fee) {
        Some(Amount::Xrp(fee)) if fee.get() == 0 => Ok(()),
        _ => Err(TxResult::temBAD_FEE),
    }
}

fn check_unsigned(object: &Object) -> Ter {
    if object.has(sf::TxnSignature) {
        return Err(TxResult::temBAD_SIGNATURE);
    }
    if object.has(sf::Signers) {
        return Err(TxResult::temBAD_SIGNER);
    }
    match object.blob(sf::SigningPubKey) {
        Some([]) | None => Ok(()),
        Some(_) => Err(TxResult::temBAD_REGKEY),
    }
}

/// Vaults and loans stay outside.
fn may_be_within(kind: TransactionType) -> bool {
    use TransactionType as T;
    !matches!(
        kind,
        T::VaultCreate
            | T::VaultSet
            | T::VaultDelete
            | T::VaultDeposit
            | T::VaultWithdraw
            | T::VaultClawback
            | T::LoanBrokerSet
            | T::LoanBrokerDelete
            | T::LoanBrokerCoverDeposit
            | T::LoanBrokerCoverWithdraw
            | T::LoanBrokerCoverClawback
            | T::LoanSet
            | T::LoanDelete
            | T::LoanManage
            | T::LoanPay
    )
}

/// Whoever has to sign a transaction within has signed the batch, in order and nobody else; its own account does so by
/// sending it.
fn check_participants(
    tx: &Submitted,
    within: &[Arc<Submitted>],
    signers: &[(xrpl_wire::Field, Object)],
) -> Ter {
    let mut required = BTreeSet::new();
    for inner in within {
        required.insert(inner.tx.sender());
        required.extend(inner.tx.object().account(sf::Counterparty));
    }
    required.remove(&tx.tx.account());
    let signed = signers.iter().map(|(_, signer)| signer.account(sf::Account));
    if signed.eq(required.into_iter().map(Some)) { Ok(()) } else { Err(TxResult::temBAD_SIGNER) }
}

/// Every participant must have signed with keys that may sign for it, as the state stands.
pub(super) fn check_authority(state: &StateMap, tx: &Submitted) -> Ter {
    let signers = tx.tx.object().array(sf::BatchSigners).unwrap_or_default();
    signers.iter().try_for_each(|(_, signer)| signature::check_participant(state, signer))
}

/// Two base fees, one for each signature beside the batch's own, and what the transactions within cost by their types.
pub(super) fn base_fee(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> u64 {
    let object = tx.tx.object();
    let signers = object.array(sf::BatchSigners).unwrap_or_default();
    let nested = |object: &Object| object.array(sf::Signers).map_or(0, <[_]>::len);
    let signatures = signers.iter().fold(nested(object), |sum, (_, signer)| {
        sum + usize::from(signer.has(sf::TxnSignature)) + nested(signer)
    });
    let times = u64::try_from(signatures).unwrap_or(u64::MAX).saturating_add(2);
    let within = tx.within().unwrap_or_default();
    within.iter().fold(info.fees.base_fee.get().saturating_mul(times), |sum, inner| {
        sum.saturating_add(fee::base_fee(state, info, inner))
    })
}

/// Applies what is within a batch that has just been applied itself, from a position in the ledger on. Answers with
/// those that are in the ledger now.
pub(in crate::embedded) fn run(
    state: &mut StateMap,
    info: &LedgerInfo,
    tx: &Submitted,
    first: u32,
) -> Vec<(Arc<Submitted>, Applied)> {
    let Ok(within) = tx.within() else { return Vec::new() };
    let has = |flag| tx.tx.flags() & flag != 0;
    let mut trial = state.clone();
    let mut applied: Vec<(Arc<Submitted>, Applied)> = Vec::new();
    for inner in within {
        let position = u32::try_from(applied.len()).unwrap_or(u32::MAX).saturating_add(first);
        let outcome = super::apply(&mut trial, info, inner, ApplyFlags::default(), position);
        let succeeded = outcome.result.is_tes();
        if !succeeded && has(flags::tfAllOrNothing) {
            return Vec::new();
        }
        if outcome.applied {
            applied.push((Arc::clone(inner), outcome));
        }
        let done = if succeeded { has(flags::tfOnlyOne) } else { has(flags::tfUntilFailure) };
        if done {
            break;
        }
    }
    *state = trial;
    applied
}
