//! Whether the keys that signed may sign for the account, as the state stands.

use xrpl_wire::{AccountId, Object, PublicKey, TransactionType, TxResult, flags, index, sf};

use super::{ApplyFlags, Ter, batch, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// Checks the authority of the signing keys. The signatures themselves were verified at submission.
pub(super) fn check(state: &StateMap, tx: &Submitted, flags: ApplyFlags) -> Ter {
    // What is within a batch was signed with it.
    if tx.batch.is_some() {
        return Ok(());
    }
    let object = tx.tx.object();
    let key = object.blob(sf::SigningPubKey).unwrap_or_default();
    let signers = object.array(sf::Signers);
    if tx.impersonated || (flags.dry_run && key.is_empty() && signers.is_none()) {
        return Ok(());
    }
    let sender = tx.tx.sender();
    match signers {
        Some(signers) => check_multi(state, &sender, signers)?,
        None => {
            let signer = tx.signer().ok_or(TxResult::tefBAD_AUTH)?;
            let root = state.object(&tx.sender_index).ok_or(TxResult::terNO_ACCOUNT)?;
            check_single(root, &sender, &signer)?;
        }
    }
    if tx.tx.tx_type() == TransactionType::Batch { batch::check_authority(state, tx) } else { Ok(()) }
}

/// The same for one who takes part in a batch. Who is not on the ledger yet may come there by the batch itself, and
/// signs with the master key.
pub(super) fn check_participant(state: &StateMap, signer: &Object) -> Ter {
    let account = signer.account(sf::Account).ok_or(TxResult::tefBAD_AUTH)?;
    match signer.blob(sf::SigningPubKey).unwrap_or_default() {
        [] => check_multi(state, &account, signer.array(sf::Signers).unwrap_or_default()),
        key => {
            let by = PublicKey::from_slice(key).map_err(|_| TxResult::tefBAD_AUTH)?.account_id();
            match state.object(&index::account_root(&account)) {
                Some(root) => check_single(root, &account, &by),
                None if by == account => Ok(()),
                None => Err(TxResult::tefBAD_AUTH),
            }
        }
    }
}

/// One key signs: the master key unless it is disabled, or the regular key.
pub(in crate::embedded) fn check_single(root: &Object, account: &AccountId, signer: &AccountId) -> Ter {
    if root.account(sf::RegularKey) == Some(*signer) {
        return Ok(());
    }
    match (signer == account, shared::has_flag(root, flags::lsfDisableMaster)) {
        (true, false) => Ok(()),
        (true, true) => Err(TxResult::tefMASTER_DISABLED),
        (false, _) => Err(TxResult::tefBAD_AUTH),
    }
}

/// Every signer must be in the list and sign with a key of its own, and the weights must reach the quorum.
fn check_multi(state: &StateMap, account: &AccountId, signers: &[(xrpl_wire::Field, Object)]) -> Ter {
    let list = state.object(&index::signer_list(account)).ok_or(TxResult::tefNOT_MULTI_SIGNING)?;
    let entries = list.array(sf::SignerEntries).unwrap_or_default();
    let mut weight = 0u32;
    for (_, signer) in signers {
        let id = signer.account(sf::Account).ok_or(TxResult::tefBAD_SIGNATURE)?;
        let entry = entries
            .iter()
            .map(|(_, entry)| entry)
            .find(|entry| entry.account(sf::Account) == Some(id))
            .ok_or(TxResult::tefBAD_SIGNATURE)?;
        check_signer_key(state, &id, signer.blob(sf::SigningPubKey).unwrap_or_default())?;
        weight = weight.saturating_add(u32::from(entry.u16(sf::SignerWeight).unwrap_or(0)));
    }
    let quorum = list.u32(sf::SignerQuorum).unwrap_or(u32::MAX);
    if weight < quorum { Err(TxResult::tefBAD_QUORUM) } else { Ok(()) }
}

/// A signer not on the ledger signs with its master key; one that is, with that unless it is disabled, or
/// with its regular key.
pub(in crate::embedded) fn check_signer_key(state: &StateMap, signer: &AccountId, key: &[u8]) -> Ter {
    // A simulation may leave the key out.
    let by = match key {
        [] => *signer,
        key => PublicKey::from_slice(key).map_err(|_| TxResult::tefBAD_SIGNATURE)?.account_id(),
    };
    let root = state.object(&index::account_root(signer));
    if by == *signer {
        return match root {
            Some(root) if shared::has_flag(root, flags::lsfDisableMaster) => {
                Err(TxResult::tefMASTER_DISABLED)
            }
            _ => Ok(()),
        };
    }
    match root.and_then(|root| root.account(sf::RegularKey)) {
        Some(regular) if regular == by => Ok(()),
        _ => Err(TxResult::tefBAD_SIGNATURE),
    }
}
