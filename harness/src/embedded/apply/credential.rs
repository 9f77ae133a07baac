//! Credentials: what an issuer says of a subject, and what that opens to the subject.

use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Field, Hash256, LedgerEntryType, Object, TxResult, flags, index, sf};

use super::table::Table;
use super::{Context, LedgerInfo, Ter, directory, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The most credentials a transaction may name.
const MAX_IDS: usize = 8;

/// The bytes of a CredentialType.
const TYPE_BYTES: std::ops::RangeInclusive<usize> = 1..=64;

/// Whether the bytes can be a CredentialType.
pub(super) fn is_type(bytes: &[u8]) -> bool {
    TYPE_BYTES.contains(&bytes.len())
}

/// An issuer and a CredentialType, as lists of accepted credentials hold them.
pub(super) type Accepted<'o> = (AccountId, &'o [u8]);

/// Reads such a list: in ascending order, each once.
pub(super) fn accepted(object: &Object, field: Field) -> BTreeSet<Accepted<'_>> {
    let listed = object.array(field).unwrap_or_default().iter();
    listed
        .map(|(_, credential)| {
            let issuer = credential.account(sf::Issuer).unwrap_or(AccountId::ZERO);
            (issuer, credential.blob(sf::CredentialType).unwrap_or_default())
        })
        .collect()
}

/// A list as an entry holds it.
pub(super) fn listed(accepted: &BTreeSet<Accepted<'_>>) -> Vec<(Field, Object)> {
    let entry = |(issuer, kind): &Accepted<'_>| {
        let credential = Object::new().with(sf::Issuer, *issuer).with(sf::CredentialType, kind.to_vec());
        (sf::Credential, credential)
    };
    accepted.iter().map(entry).collect()
}

/// The checks of a list that a transaction gives.
pub(super) fn preflight_list(object: &Object, field: Field, most: usize) -> Ter {
    let given = object.array(field).unwrap_or_default();
    if given.is_empty() {
        return Err(TxResult::temARRAY_EMPTY);
    }
    if given.len() > most {
        return Err(TxResult::temARRAY_TOO_LARGE);
    }
    let mut seen = BTreeSet::new();
    for (_, credential) in given {
        let issuer = credential.account(sf::Issuer).unwrap_or(AccountId::ZERO);
        if issuer == AccountId::ZERO {
            return Err(TxResult::temINVALID_ACCOUNT_ID);
        }
        let kind = credential.blob(sf::CredentialType).unwrap_or_default();
        if !is_type(kind) || !seen.insert((issuer, kind)) {
            return Err(TxResult::temMALFORMED);
        }
    }
    Ok(())
}

/// `CredentialIDs` of a transaction: some, not too many, each once.
pub(super) fn preflight_ids(tx: &Submitted) -> Ter {
    let Some(ids) = tx.tx.object().vector256(sf::CredentialIDs) else { return Ok(()) };
    let distinct: BTreeSet<&Hash256> = ids.iter().collect();
    if ids.is_empty() || ids.len() > MAX_IDS || distinct.len() != ids.len() {
        return Err(TxResult::temMALFORMED);
    }
    Ok(())
}

/// `CredentialIDs` of a transaction: each is the sender's, and accepted. That it has expired is seen later.
pub(super) fn preclaim_ids(state: &StateMap, tx: &Submitted) -> Ter {
    let ids = tx.tx.object().vector256(sf::CredentialIDs).unwrap_or_default();
    for id in ids {
        let entry = shared::of_kind(state.object(id), LedgerEntryType::Credential);
        let good = entry.is_some_and(|entry| {
            entry.account(sf::Subject) == Some(tx.tx.account()) && shared::has_flag(entry, flags::lsfAccepted)
        });
        if !good {
            return Err(TxResult::tecBAD_CREDENTIALS);
        }
    }
    Ok(())
}

/// Whether a credential is of the past.
pub(super) fn has_expired(entry: &Object, info: &LedgerInfo) -> bool {
    entry.u32(sf::Expiration).is_some_and(|expiration| info.parent_close_time > expiration)
}

fn domain_entry<'t>(view: &'t Table<'_>, domain: &Hash256) -> Option<&'t Object> {
    shared::of_kind(view.read(domain), LedgerEntryType::PermissionedDomain)
}

/// Whether an account has one of the credentials that a domain accepts.
pub(super) fn check_domain(
    view: &Table<'_>,
    info: &LedgerInfo,
    domain: &Hash256,
    account: &AccountId,
) -> Ter {
    let entry = domain_entry(view, domain).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    let mut expired = false;
    for (issuer, kind) in accepted(entry, sf::AcceptedCredentials) {
        let Some(credential) = view.read(&index::credential(account, &issuer, kind)) else {
            continue;
        };
        if has_expired(credential, info) {
            expired = true;
        } else if shared::has_flag(credential, flags::lsfAccepted) {
            return Ok(());
        }
    }
    Err(if expired { TxResult::tecEXPIRED } else { TxResult::tecNO_AUTH })
}

/// Whether an account trades in a domain: as its owner, or by one of the credentials it accepts.
pub(super) fn in_domain(view: &Table<'_>, info: &LedgerInfo, domain: &Hash256, account: &AccountId) -> bool {
    let Some(entry) = domain_entry(view, domain) else { return false };
    entry.account(sf::Owner) == Some(*account) || check_domain(view, info, domain, account).is_ok()
}

/// Removes a credential from both directories, and from the count of whose it is: its issuer's until it is
/// accepted, its subject's then.
pub(super) fn remove(view: &mut Table<'_>, at: &Hash256) -> Ter {
    let entry = view.read(at).ok_or(TxResult::tecNO_ENTRY)?;
    let issuer = entry.account(sf::Issuer).ok_or(TxResult::tefBAD_LEDGER)?;
    let subject = entry.account(sf::Subject).ok_or(TxResult::tefBAD_LEDGER)?;
    let accepted = shared::has_flag(entry, flags::lsfAccepted);
    let pages = (entry.u64(sf::IssuerNode).unwrap_or(0), entry.u64(sf::SubjectNode).unwrap_or(0));
    unlist(view, at, &issuer, pages.0, !accepted || subject == issuer)?;
    if subject != issuer {
        unlist(view, at, &subject, pages.1, accepted)?;
    }
    view.erase(at);
    Ok(())
}

fn unlist(view: &mut Table<'_>, at: &Hash256, account: &AccountId, page: u64, owner: bool) -> Ter {
    if !view.exists(&index::account_root(account)) {
        return Err(TxResult::tecINTERNAL);
    }
    directory::remove(view, &index::owner_dir(account), page, at, false)?;
    if owner { view.adjust_owner_count(account, -1) } else { Ok(()) }
}

impl Context<'_> {
    /// Removes those of the credentials the transaction names that have expired: then it fails, but they are gone.
    fn remove_expired_credentials(&mut self) -> Ter {
        let ids = self.fields().vector256(sf::CredentialIDs).unwrap_or_default().to_vec();
        let mut found = false;
        for id in ids {
            let expired = self.view.read(&id).is_some_and(|entry| has_expired(entry, self.info));
            if !expired {
                continue;
            }
            let removed = remove(&mut self.view, &id);
            if self.info.rules.enabled(Amendment::FixCleanup3_1_3) {
                removed?;
            }
            found = true;
        }
        if found { Err(TxResult::tecEXPIRED) } else { Ok(()) }
    }

    /// Whether the destination lets an account pay it, if it asks for that: by its name, or by the credentials that
    /// the transaction names.
    pub(super) fn verify_deposit_preauth(&mut self, source: &AccountId, destination: &AccountId) -> Ter {
        let named = self.fields().has(sf::CredentialIDs);
        if named {
            self.remove_expired_credentials()?;
        }
        let root = self.view.read(&self.tx.root_index(destination));
        let guarded = root.is_some_and(|root| shared::has_flag(root, flags::lsfDepositAuth));
        if !guarded || source == destination || self.view.exists(&index::deposit_preauth(destination, source))
        {
            return Ok(());
        }
        if !named {
            return Err(TxResult::tecNO_PERMISSION);
        }
        let mut shown = BTreeSet::new();
        for id in self.fields().vector256(sf::CredentialIDs).unwrap_or_default() {
            let entry = self.view.read(id).ok_or(TxResult::tefINTERNAL)?;
            let issuer = entry.account(sf::Issuer).ok_or(TxResult::tefINTERNAL)?;
            if !shown.insert((issuer, entry.blob(sf::CredentialType).unwrap_or_default())) {
                return Err(TxResult::tefINTERNAL);
            }
        }
        let shown: Vec<Accepted<'_>> = shown.into_iter().collect();
        if self.view.exists(&index::deposit_preauth_credentials(destination, &shown)) {
            return Ok(());
        }
        Err(TxResult::tecNO_PERMISSION)
    }
}
