//! MPTokenIssuanceCreate, MPTokenIssuanceDestroy and MPTokenIssuanceSet.

use xrpl_wire::{Hash256, LedgerEntryType, Object, TxResult, flags, index, sf};

use super::{Context, LedgerInfo, Ter, mpt, shared};
use crate::embedded::amendment::{Amendment, Standing};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The most an issuer may take of a transfer: half of it, in hundred-thousandths.
const MAX_TRANSFER_FEE: u16 = 50_000;

const MAX_METADATA_BYTES: usize = 1_024;

/// What may be changed later, as an issuance says of itself. The numbers are those of the flags, where it is a flag
/// that may yet be set.
mod may {
    use xrpl_wire::flags;

    pub(super) const ENABLE: u32 = flags::lsfMPTCanLock
        | flags::lsfMPTRequireAuth
        | flags::lsfMPTCanEscrow
        | flags::lsfMPTCanTrade
        | flags::lsfMPTCanTransfer
        | flags::lsfMPTCanClawback;
    pub(super) const NOT_ENABLE_CONFIDENTIAL: u32 = flags::lsfMPTCanHoldConfidentialBalance;
    pub(super) const CHANGE_METADATA: u32 = 0x0001_0000;
    pub(super) const CHANGE_TRANSFER_FEE: u32 = 0x0002_0000;
    pub(super) const ALL: u32 = ENABLE | NOT_ENABLE_CONFIDENTIAL | CHANGE_METADATA | CHANGE_TRANSFER_FEE;
}

/// What a Set switches on, and the flag of the issuance that this sets.
const SWITCHES: [(u32, u32); 6] = [
    (0x0000_0001, flags::lsfMPTCanLock),
    (0x0000_0002, flags::lsfMPTRequireAuth),
    (0x0000_0004, flags::lsfMPTCanEscrow),
    (0x0000_0008, flags::lsfMPTCanTrade),
    (0x0000_0010, flags::lsfMPTCanTransfer),
    (0x0000_0020, flags::lsfMPTCanClawback),
];

/// Switches on balances that nobody else sees.
const SWITCH_CONFIDENTIAL: u32 = 0x0000_0040;

/// The flags a Set switches on.
fn switched(given: u32) -> u32 {
    SWITCHES.iter().filter(|(switch, _)| given & switch != 0).fold(0, |all, (_, flag)| all | flag)
}

/// Whether a transaction has only what is switched on, beyond its own amendment.
pub(super) fn is_create_enabled(info: &LedgerInfo, tx: &Submitted) -> bool {
    let object = tx.tx.object();
    let on = |amendment| info.rules.enabled(amendment);
    let dynamic = object.u32(sf::ImmutableFlags);
    // Before that amendment was known, these were flags that nobody knew.
    let known = Amendment::ConfidentialTransfer.standing(info.rules.generation()) != Standing::Unknown;
    let confidential = tx.tx.flags() & flags::tfMPTCanHoldConfidentialBalance != 0
        || dynamic.is_some_and(|given| given & may::NOT_ENABLE_CONFIDENTIAL != 0);
    may_have_domain(info, object)
        && (dynamic.is_none() || on(Amendment::DynamicMPT))
        && (!known || !confidential || on(Amendment::ConfidentialTransfer))
}

/// The same of a Set.
pub(super) fn may_have_domain(info: &LedgerInfo, object: &Object) -> bool {
    let on = |amendment| info.rules.enabled(amendment);
    !object.has(sf::DomainID) || (on(Amendment::PermissionedDomains) && on(Amendment::SingleAssetVault))
}

pub(super) fn create_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let given = tx.tx.flags();
    if object.u32(sf::ImmutableFlags).is_some_and(|given| given == 0 || given & !may::ALL != 0) {
        return Err(TxResult::temINVALID_FLAG);
    }
    if let Some(fee) = object.u16(sf::TransferFee) {
        if fee > MAX_TRANSFER_FEE {
            return Err(TxResult::temBAD_TRANSFER_FEE);
        }
        if fee > 0 && given & flags::tfMPTCanTransfer == 0 {
            return Err(TxResult::temMALFORMED);
        }
        if fee > 0 && given & flags::tfMPTCanHoldConfidentialBalance != 0 {
            return Err(TxResult::temBAD_TRANSFER_FEE);
        }
    }
    let bad = [
        object
            .hash256(sf::DomainID)
            .is_some_and(|domain| domain == Hash256::ZERO || given & flags::tfMPTRequireAuth == 0),
        object
            .blob(sf::MPTokenMetadata)
            .is_some_and(|metadata| metadata.is_empty() || metadata.len() > MAX_METADATA_BYTES),
        object.u64(sf::MaximumAmount).is_some_and(|most| most == 0 || i64::try_from(most).is_err()),
    ];
    if bad.contains(&true) { Err(TxResult::temMALFORMED) } else { Ok(()) }
}

pub(super) fn create_apply(context: &mut Context<'_>) -> Ter {
    context.check_reserve_for_one_more()?;
    let account = context.account();
    let sequence = context.seq_value();
    let at = index::mpt_issuance(&index::mpt_id(sequence, &account));
    let page = context.add_to_owner_dir(&account, &at)?;
    let fields = context.tx.tx.object();
    let own_flags = context.tx.tx.flags() & !shared::UNIVERSAL_FLAGS;
    let not_zero = |value: u32| Some(value).filter(|value| *value != 0);
    let mut entry = shared::new_entry(LedgerEntryType::MPTokenIssuance)
        .with(sf::Flags, own_flags)
        .with(sf::Issuer, account)
        .with(sf::OutstandingAmount, 0u64)
        .with(sf::OwnerNode, page)
        .with(sf::Sequence, sequence)
        .with_some(sf::AssetScale, fields.u8(sf::AssetScale).filter(|scale| *scale != 0))
        .with_some(sf::TransferFee, fields.u16(sf::TransferFee).filter(|fee| *fee != 0))
        .with_some(sf::ImmutableFlags, fields.u32(sf::ImmutableFlags).and_then(not_zero));
    for field in [sf::MaximumAmount, sf::MPTokenMetadata, sf::DomainID] {
        if let Some(value) = fields.get(field) {
            entry.set(field, value.clone());
        }
    }
    context.view.insert(at, entry);
    context.adjust_owner_count_of(&account, 1)
}

/// The issuance that a transaction names.
fn named<'s>(state: &'s StateMap, tx: &Submitted) -> Result<&'s Object, TxResult> {
    let id = mpt::id_of(tx.tx.object()).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    state.object(&index::mpt_issuance(&id)).ok_or(TxResult::tecOBJECT_NOT_FOUND)
}

pub(super) fn destroy_preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let entry = named(state, tx)?;
    if entry.account(sf::Issuer) != Some(tx.tx.account()) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let owed = |field| entry.u64(field).unwrap_or(0) != 0;
    if owed(sf::OutstandingAmount) || owed(sf::LockedAmount) {
        return Err(TxResult::tecHAS_OBLIGATIONS);
    }
    Ok(())
}

pub(super) fn destroy_apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let id = mpt::id_of(context.fields()).ok_or(TxResult::tecINTERNAL)?;
    let at = index::mpt_issuance(&id);
    let page = context.view.read(&at).ok_or(TxResult::tecINTERNAL)?.u64(sf::OwnerNode).unwrap_or(0);
    super::directory::remove(&mut context.view, &index::owner_dir(&account), page, &at, false)?;
    context.view.erase(&at);
    context.adjust_owner_count_of(&account, -1)
}

pub(super) fn set_preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let given = tx.tx.flags();
    let on = |amendment| info.rules.enabled(amendment);
    let changes = [sf::ImmutableFlags, sf::MPTokenMetadata, sf::TransferFee];
    let changes = changes.into_iter().any(|field| object.has(field));
    let switches = object.u32(sf::ImmutableFlags);
    let confidential = switches.is_some_and(|given| given & SWITCH_CONFIDENTIAL != 0)
        || object.has(sf::IssuerEncryptionKey)
        || object.has(sf::AuditorEncryptionKey);
    if (changes && !on(Amendment::DynamicMPT)) || (confidential && !on(Amendment::ConfidentialTransfer)) {
        return Err(TxResult::temDISABLED);
    }
    if object.has(sf::DomainID) && object.has(sf::Holder) {
        return Err(TxResult::temMALFORMED);
    }
    if given & flags::tfMPTLock != 0 && given & flags::tfMPTUnlock != 0 {
        return Err(TxResult::temINVALID_FLAG);
    }
    if object.account(sf::Holder) == Some(tx.tx.account()) {
        return Err(TxResult::temMALFORMED);
    }
    let sets_nothing = given == 0 && !object.has(sf::DomainID) && !changes;
    if sets_nothing && (on(Amendment::SingleAssetVault) || on(Amendment::DynamicMPT)) {
        return Err(TxResult::temMALFORMED);
    }
    if changes && (object.has(sf::Holder) || given & !shared::UNIVERSAL_FLAGS != 0) {
        return Err(TxResult::temMALFORMED);
    }
    if object.u16(sf::TransferFee).is_some_and(|fee| fee > MAX_TRANSFER_FEE) {
        return Err(TxResult::temBAD_TRANSFER_FEE);
    }
    if object.blob(sf::MPTokenMetadata).is_some_and(|metadata| metadata.len() > MAX_METADATA_BYTES) {
        return Err(TxResult::temMALFORMED);
    }
    let known = SWITCHES.iter().fold(SWITCH_CONFIDENTIAL, |all, (switch, _)| all | switch);
    if switches.is_some_and(|given| given == 0 || given & !known != 0) {
        return Err(TxResult::temINVALID_FLAG);
    }
    Ok(())
}

pub(super) fn set_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let entry = named(state, tx)?;
    let on = |amendment| info.rules.enabled(amendment);
    let refused = Err(TxResult::tecNO_PERMISSION);
    if !shared::has_flag(entry, flags::lsfMPTCanLock) {
        let locks = tx.tx.flags() & (flags::tfMPTLock | flags::tfMPTUnlock) != 0;
        if locks || !(on(Amendment::SingleAssetVault) || on(Amendment::DynamicMPT)) {
            return refused;
        }
    }
    if entry.account(sf::Issuer) != Some(tx.tx.account()) {
        return refused;
    }
    if let Some(holder) = object.account(sf::Holder) {
        if !state.contains(&index::account_root(&holder)) {
            return Err(TxResult::tecNO_DST);
        }
        let id = mpt::id_of(object).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
        if !state.contains(&index::mptoken(&id, &holder)) {
            return Err(TxResult::tecOBJECT_NOT_FOUND);
        }
    }
    if let Some(domain) = object.hash256(sf::DomainID) {
        if !shared::has_flag(entry, flags::lsfMPTRequireAuth) {
            return refused;
        }
        let there = shared::of_kind(state.object(&domain), LedgerEntryType::PermissionedDomain);
        if domain != Hash256::ZERO && there.is_none() {
            return Err(TxResult::tecOBJECT_NOT_FOUND);
        }
    }
    let allowed = entry.u32(sf::ImmutableFlags).unwrap_or(0);
    let wanted = switched(object.u32(sf::ImmutableFlags).unwrap_or(0));
    let metadata = object.has(sf::MPTokenMetadata);
    if wanted & !allowed != 0 || (metadata && allowed & may::CHANGE_METADATA == 0) {
        return refused;
    }
    if let Some(fee) = object.u16(sf::TransferFee) {
        let can_transfer = shared::has_flag(entry, flags::lsfMPTCanTransfer);
        if (fee > 0 && !can_transfer) || allowed & may::CHANGE_TRANSFER_FEE == 0 {
            return refused;
        }
    }
    Ok(())
}

pub(super) fn set_apply(context: &mut Context<'_>) -> Ter {
    let fields = context.tx.tx.object();
    let given = context.tx.tx.flags();
    let id = mpt::id_of(fields).ok_or(TxResult::tecINTERNAL)?;
    let at = match fields.account(sf::Holder) {
        Some(holder) => index::mptoken(&id, &holder),
        None => index::mpt_issuance(&id),
    };
    let entry = context.view.update(&at).ok_or(TxResult::tecINTERNAL)?;
    if given & flags::tfMPTLock != 0 {
        shared::set_flag(entry, flags::lsfMPTLocked, true);
    } else if given & flags::tfMPTUnlock != 0 {
        shared::set_flag(entry, flags::lsfMPTLocked, false);
    }
    let switched = switched(fields.u32(sf::ImmutableFlags).unwrap_or(0));
    if switched != 0 {
        shared::set_flag(entry, switched, true);
    }
    match fields.u16(sf::TransferFee) {
        Some(0) => _ = entry.remove(sf::TransferFee),
        Some(fee) => entry.set(sf::TransferFee, fee),
        None => {}
    }
    match fields.blob(sf::MPTokenMetadata) {
        Some([]) => _ = entry.remove(sf::MPTokenMetadata),
        Some(metadata) => entry.set(sf::MPTokenMetadata, metadata.to_vec()),
        None => {}
    }
    match fields.hash256(sf::DomainID) {
        Some(Hash256::ZERO) => _ = entry.remove(sf::DomainID),
        Some(domain) => entry.set(sf::DomainID, domain),
        None => {}
    }
    Ok(())
}
