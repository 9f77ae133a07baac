//! TransactionProposalSign.

use xrpl_wire::{Object, PublicKey, TxResult, Value, index, proposal, sf};

use super::super::{Context, LedgerInfo, Ter, fee, signature};
use super::create::is_listed;
use super::share::{Role, Share, outer_roles, role_of};
use super::{check_id, is_over, named, proposed, remove, transaction};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(in crate::embedded::apply) fn preflight(tx: &Submitted) -> Ter {
    check_id(tx)?;
    let share = Share::of(tx.tx.object()).ok_or(TxResult::temMALFORMED)?;
    if share.signature.is_empty() || PublicKey::from_slice(share.key).is_err() {
        return Err(TxResult::temMALFORMED);
    }
    Ok(())
}

pub(in crate::embedded::apply) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let entry = named(state, tx)?;
    // It is cleared away, whatever the share is.
    if is_over(entry, info) {
        return Ok(());
    }
    let share = Share::of(tx.tx.object()).ok_or(TxResult::tefINTERNAL)?;
    with_share(state, info, proposed(entry)?, &share).map(|_| ())
}

/// The proposed transaction with one more share, if that is right and the transaction could still be paid for.
fn with_share(
    state: &StateMap,
    info: &LedgerInfo,
    fields: &Object,
    share: &Share<'_>,
) -> Result<Object, TxResult> {
    let role = role_of(|at| state.object(at), fields, &share.account)?;
    verify(fields, role, share)?;
    check_authority(state, role, share)?;
    let mut signed = fields.clone();
    share.put_into(role, &mut signed)?;
    check_first(fields, role, share)?;
    check_budget(state, info, &signed)?;
    Ok(signed)
}

/// The signature is over the transaction as the proposal holds it now.
fn verify(fields: &Object, role: Role, share: &Share<'_>) -> Ter {
    let payload = transaction(fields).ok_or(TxResult::tefBAD_LEDGER)?;
    let signer = (!share.is_own()).then_some(&share.signer);
    let bytes = proposal::signing_bytes(&payload, role, &share.account, signer, share.key)
        .map_err(|_| TxResult::tefBAD_LEDGER)?;
    let key = PublicKey::from_slice(share.key).map_err(|_| TxResult::tecNO_PERMISSION)?;
    key.verify(&bytes, share.signature).map_err(|_| TxResult::tecNO_PERMISSION)
}

/// Whether the key may sign for the account. Weights and quorum are of no matter yet.
fn check_authority(state: &StateMap, role: Role, share: &Share<'_>) -> Ter {
    let refused = |_| TxResult::tecNO_PERMISSION;
    if !share.is_own() {
        if !is_listed(state, &share.account, &share.signer) {
            return Err(TxResult::tecNO_PERMISSION);
        }
        return signature::check_signer_key(state, &share.signer, share.key).map_err(refused);
    }
    let by = PublicKey::from_slice(share.key).map_err(|_| TxResult::tecNO_PERMISSION)?.account_id();
    match state.object(&index::account_root(&share.account)) {
        Some(root) => signature::check_single(root, &share.account, &by).map_err(refused),
        // A batch may make the account that takes part in it.
        None if role == Role::Participant && by == share.account => Ok(()),
        None => Err(TxResult::tecNO_PERMISSION),
    }
}

/// A key of the initiator becomes part of what others sign beside it, so it comes before them.
fn check_first(before: &Object, role: Role, share: &Share<'_>) -> Ter {
    let others = before.has(sf::CounterpartySignature) || before.has(sf::SponsorSignature);
    if role == Role::Initiator && share.is_own() && others {
        return Err(TxResult::tecNO_PERMISSION);
    }
    Ok(())
}

/// The fee, which is part of what is signed, must be enough for all who have signed, and for the counterparty that has
/// to.
fn check_budget(state: &StateMap, info: &LedgerInfo, signed: &Object) -> Ter {
    let payload = transaction(signed).ok_or(TxResult::tefBAD_LEDGER)?;
    let fee = payload.fee().get();
    let payload = Submitted::trusted(payload);
    let roles = outer_roles(|at| state.object(at), signed);
    let beside = roles.iter().fold(0_u64, |sum, (role, _)| {
        let least = match role {
            Role::Counterparty => signers(signed, sf::CounterpartySignature).max(1),
            Role::Sponsor => signers(signed, sf::SponsorSignature),
            Role::Initiator | Role::Participant => 0,
        };
        sum.saturating_add(info.fees.base_fee.get().saturating_mul(least))
    });
    if fee < fee::base_fee(state, info, &payload).saturating_add(beside) {
        return Err(TxResult::tecINSUFF_FEE);
    }
    Ok(())
}

/// How many have signed for another party.
fn signers(signed: &Object, name: xrpl_wire::Field) -> u64 {
    let signers = signed.object(name).and_then(|slot| slot.array(sf::Signers)).unwrap_or_default();
    u64::try_from(signers.len()).unwrap_or(u64::MAX)
}

pub(in crate::embedded::apply) fn apply(context: &mut Context<'_>) -> Ter {
    let at = context.fields().hash256(sf::ProposalID).ok_or(TxResult::tefINTERNAL)?;
    let entry = context.view.read(&at).ok_or(TxResult::tefBAD_LEDGER)?;
    if is_over(entry, context.info) {
        remove(&mut context.view, &at)?;
        // The removal stays, see `Context::useless`.
        return Err(TxResult::tecEXPIRED);
    }
    let share = Share::of(context.tx.tx.object()).ok_or(TxResult::tefINTERNAL)?;
    let mut signed = proposed(entry)?.clone();
    let role = role_of(|at| context.view.read(at), &signed, &share.account)?;
    share.put_into(role, &mut signed)?;
    let entry = context.view.update(&at).ok_or(TxResult::tefBAD_LEDGER)?;
    entry.set(sf::ProposedTransaction, Value::Object(signed));
    Ok(())
}
