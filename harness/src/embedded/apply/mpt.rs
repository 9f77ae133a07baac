//! Multi-purpose tokens: what holders have of one, who may have it, and how it moves.

use xrpl_wire::{AccountId, LedgerEntryType, Object, TxResult, Value, flags, index, sf};

use super::holdings::{Care, Holdings};
use super::quantity::{MAX_MPT, PARITY, Quantity};
use super::table::Table;
use super::{LedgerInfo, Ter, credential, directory, shared};

/// The id of a token: the number of its issuance and its issuer.
pub(super) type MptId = [u8; 24];

/// What is asked of an account that wants a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    /// It must have an MPToken.
    Strong,
    /// It may be without an MPToken where none has to be authorized.
    Weak,
}

/// Who issues a token.
pub(super) fn issuer(id: &MptId) -> AccountId {
    id.last_chunk::<20>().map_or(AccountId::ZERO, |issuer| AccountId(*issuer))
}

/// The token that an entry or a transaction names.
pub(super) fn id_of(object: &Object) -> Option<MptId> {
    match object.get(sf::MPTokenIssuanceID) {
        Some(Value::Hash192(id)) => Some(*id),
        _ => None,
    }
}

pub(super) fn issuance<'t>(view: &'t Table<'_>, id: &MptId) -> Option<&'t Object> {
    view.read(&index::mpt_issuance(id))
}

pub(super) fn token<'t>(view: &'t Table<'_>, id: &MptId, holder: &AccountId) -> Option<&'t Object> {
    view.read(&index::mptoken(id, holder))
}

fn number(entry: &Object, field: xrpl_wire::Field) -> u64 {
    entry.u64(field).unwrap_or(0)
}

/// Whether all of a token is locked.
pub(super) fn is_locked(view: &Table<'_>, id: &MptId) -> bool {
    issuance(view, id).is_some_and(|entry| shared::has_flag(entry, flags::lsfMPTLocked))
}

/// Whether a holder cannot use what it has of a token.
pub(super) fn is_frozen(view: &Table<'_>, id: &MptId, holder: &AccountId) -> bool {
    is_locked(view, id)
        || token(view, id, holder).is_some_and(|entry| shared::has_flag(entry, flags::lsfMPTLocked))
}

/// What is sent for each unit that arrives, in billionths.
pub(super) fn transfer_rate(view: &Table<'_>, id: &MptId) -> u32 {
    let fee = issuance(view, id).and_then(|entry| entry.u16(sf::TransferFee));
    fee.map_or(PARITY, |fee| PARITY + 10_000 * u32::from(fee))
}

/// What a holder has of a token.
pub(super) fn held(holdings: &Holdings<'_>, account: &AccountId, id: &MptId, care: Care) -> i64 {
    let Some(entry) = token(holdings.view, id, account) else { return 0 };
    let unusable = || {
        is_frozen(holdings.view, id, account) || require_auth(holdings, id, account, Auth::Strong).is_err()
    };
    if care == Care::Usable && unusable() {
        return 0;
    }
    i64::try_from(number(entry, sf::MPTAmount)).unwrap_or(MAX_MPT)
}

/// The most there may be of a token.
fn maximum(entry: &Object) -> i64 {
    entry.u64(sf::MaximumAmount).and_then(|most| i64::try_from(most).ok()).unwrap_or(MAX_MPT)
}

/// How much of a token its issuer may still issue.
pub(super) fn available(view: &Table<'_>, id: &MptId) -> i64 {
    let Some(entry) = issuance(view, id) else { return 0 };
    let outstanding = i64::try_from(number(entry, sf::OutstandingAmount)).unwrap_or(MAX_MPT);
    maximum(entry).saturating_sub(outstanding)
}

/// Whether an account may have a token: authorized by its issuer, or by a domain where the token has one.
pub(super) fn require_auth(holdings: &Holdings<'_>, id: &MptId, account: &AccountId, auth: Auth) -> Ter {
    let entry = issuance(holdings.view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    if issuer(id) == *account {
        return Ok(());
    }
    let held = token(holdings.view, id, account);
    if held.is_none() && auth == Auth::Strong {
        return Err(TxResult::tecNO_AUTH);
    }
    if let Some(domain) = entry.hash256(sf::DomainID) {
        match credential::check_domain(holdings.view, holdings.info, &domain, account) {
            Ok(()) => return Ok(()),
            Err(result) if held.is_none() => return Err(result),
            Err(_) => {}
        }
    }
    let authorized = held.is_some_and(|entry| shared::has_flag(entry, flags::lsfMPTAuthorized));
    if shared::has_flag(entry, flags::lsfMPTRequireAuth) && !authorized {
        return Err(TxResult::tecNO_AUTH);
    }
    Ok(())
}

/// Whether a token may go from one account to another. To and from its issuer it always may.
pub(super) fn check_transfer(view: &Table<'_>, id: &MptId, from: &AccountId, to: &AccountId) -> Ter {
    let entry = issuance(view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    let issuer = issuer(id);
    if issuer == *from || issuer == *to || shared::has_flag(entry, flags::lsfMPTCanTransfer) {
        return Ok(());
    }
    Err(TxResult::tecNO_AUTH)
}

/// Whether a token may stand in offers.
pub(super) fn check_trade(view: &Table<'_>, id: &MptId) -> Ter {
    let entry = issuance(view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    if shared::has_flag(entry, flags::lsfMPTCanTrade) { Ok(()) } else { Err(TxResult::tecNO_PERMISSION) }
}

/// Sends so much of a token that `amount` arrives. Between holders the issuer takes its fee of the sender.
pub(super) fn send(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    sender: &AccountId,
    receiver: &AccountId,
    id: &MptId,
    amount: i64,
) -> Ter {
    let issuer = issuer(id);
    let entry = issuance(view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    if *sender == issuer || *receiver == issuer {
        let room = maximum(entry).saturating_sub(amount);
        let outstanding = number(entry, sf::OutstandingAmount);
        let too_much = amount > maximum(entry) || outstanding > u64::try_from(room).unwrap_or(0);
        if *sender == issuer && too_much {
            return Err(TxResult::tecPATH_DRY);
        }
        return credit(view, sender, receiver, id, amount);
    }
    let sent = info.math().times_rate(Quantity::Mpt(amount), transfer_rate(view, id))?.whole();
    credit(view, &issuer, receiver, id, amount)?;
    credit(view, sender, &issuer, id, sent)
}

/// Moves a token between its issuer and a holder, without a fee.
pub(super) fn credit(
    view: &mut Table<'_>,
    sender: &AccountId,
    receiver: &AccountId,
    id: &MptId,
    amount: i64,
) -> Ter {
    let amount = u64::try_from(amount).map_err(|_| TxResult::tecINTERNAL)?;
    let issuer = issuer(id);
    let entry = issuance(view, id).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    let outstanding = number(entry, sf::OutstandingAmount);
    if *sender == issuer {
        set_outstanding(view, id, outstanding.wrapping_add(amount))?;
    } else {
        let held = token(view, id, sender).ok_or(TxResult::tecNO_AUTH)?;
        let left = number(held, sf::MPTAmount).checked_sub(amount);
        set_held(view, id, sender, left.ok_or(TxResult::tecINSUFFICIENT_FUNDS)?)?;
    }
    if *receiver == issuer {
        let left = outstanding.checked_sub(amount).ok_or(TxResult::tecINTERNAL)?;
        return set_outstanding(view, id, left);
    }
    let held = token(view, id, receiver).ok_or(TxResult::tecNO_AUTH)?;
    let after = number(held, sf::MPTAmount).wrapping_add(amount);
    set_held(view, id, receiver, after)
}

fn set_outstanding(view: &mut Table<'_>, id: &MptId, amount: u64) -> Ter {
    let entry = view.update(&index::mpt_issuance(id)).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    entry.set(sf::OutstandingAmount, amount);
    Ok(())
}

fn set_held(view: &mut Table<'_>, id: &MptId, holder: &AccountId, amount: u64) -> Ter {
    let entry = view.update(&index::mptoken(id, holder)).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    // Having nothing is said by the field's absence.
    set_or_remove(entry, sf::MPTAmount, amount);
    Ok(())
}

fn set_or_remove(entry: &mut Object, field: xrpl_wire::Field, amount: u64) {
    if amount == 0 {
        entry.remove(field);
    } else {
        entry.set(field, amount);
    }
}

/// Moves a holder's amount into an Escrow: it stays outstanding, and counts as locked.
pub(super) fn lock(view: &mut Table<'_>, id: &MptId, holder: &AccountId, amount: i64) -> Ter {
    let amount = u64::try_from(amount).map_err(|_| TxResult::tecINTERNAL)?;
    if issuance(view, id).is_none() {
        return Err(TxResult::tecOBJECT_NOT_FOUND);
    }
    if issuer(id) == *holder {
        return Err(TxResult::tecINTERNAL);
    }
    let held = token(view, id, holder).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    let left = number(held, sf::MPTAmount).checked_sub(amount).ok_or(TxResult::tecINTERNAL)?;
    set_held(view, id, holder, left)?;
    for at in [index::mptoken(id, holder), index::mpt_issuance(id)] {
        let entry = view.update(&at).ok_or(TxResult::tecINTERNAL)?;
        let locked = number(entry, sf::LockedAmount).checked_add(amount).ok_or(TxResult::tecINTERNAL)?;
        entry.set(sf::LockedAmount, locked);
    }
    Ok(())
}

/// What an Escrow of a token pays out.
pub(super) struct Unlock<'u> {
    pub(super) id: &'u MptId,
    pub(super) sender: &'u AccountId,
    pub(super) receiver: &'u AccountId,
    /// What arrives.
    pub(super) net: i64,
    /// What was locked: the issuer's fee is the difference, and is no longer outstanding.
    pub(super) gross: i64,
}

/// Pays an Escrow's amount out.
pub(super) fn unlock(view: &mut Table<'_>, out: &Unlock<'_>) -> Ter {
    let internal = TxResult::tecINTERNAL;
    let net = u64::try_from(out.net).map_err(|_| internal)?;
    let gross = u64::try_from(out.gross).map_err(|_| internal)?;
    let issuance_index = index::mpt_issuance(out.id);
    let entry = view.update(&issuance_index).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    let locked = number(entry, sf::LockedAmount).checked_sub(gross).ok_or(internal)?;
    set_or_remove(entry, sf::LockedAmount, locked);
    let outstanding = number(entry, sf::OutstandingAmount);
    if issuer(out.id) == *out.receiver {
        set_outstanding(view, out.id, outstanding.checked_sub(net).ok_or(internal)?)?;
    } else {
        let held = token(view, out.id, out.receiver).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
        let after = number(held, sf::MPTAmount).checked_add(net).ok_or(internal)?;
        set_held(view, out.id, out.receiver, after)?;
    }
    if issuer(out.id) == *out.sender {
        return Err(internal);
    }
    let from = view.update(&index::mptoken(out.id, out.sender)).ok_or(TxResult::tecOBJECT_NOT_FOUND)?;
    let locked = number(from, sf::LockedAmount).checked_sub(gross).ok_or(internal)?;
    set_or_remove(from, sf::LockedAmount, locked);
    let fee = gross.checked_sub(net).ok_or(internal)?;
    if fee == 0 {
        return Ok(());
    }
    let entry = issuance(view, out.id).ok_or(internal)?;
    let left = number(entry, sf::OutstandingAmount).checked_sub(fee).ok_or(internal)?;
    set_outstanding(view, out.id, left)
}

/// Makes an MPToken, which holds nothing yet, and counts it for its holder.
pub(super) fn create_token(view: &mut Table<'_>, info: &LedgerInfo, id: &MptId, holder: &AccountId) -> Ter {
    let at = index::mptoken(id, holder);
    let page = directory::insert(view, &index::owner_dir(holder), &at, info, |page| {
        page.set(sf::Owner, *holder);
    })?;
    let entry = shared::new_entry(LedgerEntryType::MPToken)
        .with(sf::Account, *holder)
        .with(sf::MPTokenIssuanceID, *id)
        .with(sf::OwnerNode, page);
    view.insert(at, entry);
    view.adjust_owner_count(holder, 1)
}
