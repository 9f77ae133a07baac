//! AccountSet.

use xrpl_wire::{Field, Hash256, Object, PublicKey, TxResult, Value, flags, index, sf};

use super::{ApplyFlags, Context, Ter, directory, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// A transfer rate of one: nothing is taken.
const QUALITY_ONE: u32 = 1_000_000_000;

/// The tick sizes a currency may have; the largest is the same as none.
const TICK_SIZES: std::ops::RangeInclusive<u8> = 3..=16;

/// Bytes a Domain may have.
const DOMAIN_BYTES: usize = 256;

/// What a transaction asks of one flag: by SetFlag, ClearFlag, or a transaction flag of older days.
struct Asked {
    set: u32,
    clear: u32,
    flags: u32,
}

impl Asked {
    fn of(tx: &Submitted) -> Asked {
        let object = tx.tx.object();
        Asked {
            set: object.u32(sf::SetFlag).unwrap_or(0),
            clear: object.u32(sf::ClearFlag).unwrap_or(0),
            flags: object.u32(sf::Flags).unwrap_or(0),
        }
    }

    fn sets(&self, asf: u32, tf: u32) -> bool {
        self.set == asf || self.flags & tf != 0
    }

    fn clears(&self, asf: u32, tf: u32) -> bool {
        self.clear == asf || self.flags & tf != 0
    }
}

/// The flags that also have transaction flags: number, transaction flags to set and clear, ledger flag.
const OLD: [(u32, u32, u32, u32); 3] = [
    (flags::asfRequireAuth, flags::tfRequireAuth, flags::tfOptionalAuth, flags::lsfRequireAuth),
    (flags::asfRequireDest, flags::tfRequireDestTag, flags::tfOptionalDestTag, flags::lsfRequireDestTag),
    (flags::asfDisallowXRP, flags::tfDisallowXRP, flags::tfAllowXRP, flags::lsfDisallowXRP),
];

/// The flags that are set and cleared with no more ado: number, ledger flag.
const PLAIN: [(u32, u32); 7] = [
    (flags::asfDefaultRipple, flags::lsfDefaultRipple),
    (flags::asfDepositAuth, flags::lsfDepositAuth),
    (flags::asfDisallowIncomingNFTokenOffer, flags::lsfDisallowIncomingNFTokenOffer),
    (flags::asfDisallowIncomingCheck, flags::lsfDisallowIncomingCheck),
    (flags::asfDisallowIncomingPayChan, flags::lsfDisallowIncomingPayChan),
    (flags::asfDisallowIncomingTrustline, flags::lsfDisallowIncomingTrustline),
    (flags::asfAllowTrustLineLocking, flags::lsfAllowTrustLineLocking),
];

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let asked = Asked::of(tx);
    if asked.set != 0 && asked.set == asked.clear {
        return Err(TxResult::temINVALID_FLAG);
    }
    if OLD.iter().any(|(asf, set, clear, _)| asked.sets(*asf, *set) && asked.clears(*asf, *clear)) {
        return Err(TxResult::temINVALID_FLAG);
    }
    if let Some(rate) = object.u32(sf::TransferRate)
        && rate != 0
        && !(QUALITY_ONE..=2 * QUALITY_ONE).contains(&rate)
    {
        return Err(TxResult::temBAD_TRANSFER_RATE);
    }
    if let Some(size) = object.u8(sf::TickSize)
        && size != 0
        && !TICK_SIZES.contains(&size)
    {
        return Err(TxResult::temBAD_TICK_SIZE);
    }
    if let Some(key) = object.blob(sf::MessageKey)
        && !key.is_empty()
        && PublicKey::from_slice(key).is_err()
    {
        return Err(TxResult::telBAD_PUBLIC_KEY);
    }
    if object.blob(sf::Domain).is_some_and(|domain| domain.len() > DOMAIN_BYTES) {
        return Err(TxResult::telBAD_DOMAIN);
    }
    let minter = object.has(sf::NFTokenMinter);
    if (asked.set == flags::asfAuthorizedNFTokenMinter && !minter)
        || (asked.clear == flags::asfAuthorizedNFTokenMinter && minter)
    {
        return Err(TxResult::temMALFORMED);
    }
    Ok(())
}

pub(super) fn preclaim(state: &StateMap, tx: &Submitted, apply: ApplyFlags) -> Ter {
    let account = tx.tx.account();
    let asked = Asked::of(tx);
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    let owns = || !directory::list(state, &index::owner_dir(&account)).is_empty();
    let require_auth = asked.sets(flags::asfRequireAuth, flags::tfRequireAuth);
    if require_auth && !shared::has_flag(root, flags::lsfRequireAuth) && owns() {
        return Err(if apply.retry { TxResult::terOWNERS } else { TxResult::tecOWNERS });
    }
    if asked.set == flags::asfAllowTrustLineClawback {
        if shared::has_flag(root, flags::lsfNoFreeze) {
            return Err(TxResult::tecNO_PERMISSION);
        }
        if owns() {
            return Err(TxResult::tecOWNERS);
        }
    }
    if asked.set == flags::asfNoFreeze && shared::has_flag(root, flags::lsfAllowTrustLineClawback) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    Ok(())
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let asked = Asked::of(context.tx);
    let key = context.fields().blob(sf::SigningPubKey).unwrap_or_default();
    let by_master = PublicKey::from_slice(key).is_ok_and(|key| key.account_id() == context.account());
    let has_list = context.view.exists(&index::signer_list(&context.account()));
    let root = context.account_root()?;
    let before = root.u32(sf::Flags).unwrap_or(0);
    let after = flags_after(before, &asked, by_master, has_list || root.has(sf::RegularKey))?;

    let fields = context.tx.tx.object();
    let root = context.account_mut()?;
    if asked.set == flags::asfAccountTxnID && !root.has(sf::AccountTxnID) {
        root.set(sf::AccountTxnID, Hash256::ZERO);
    }
    if asked.clear == flags::asfAccountTxnID {
        root.remove(sf::AccountTxnID);
    }
    set_or_remove(root, fields, sf::EmailHash, |value| *value == Value::Hash128([0; 16]));
    set_or_remove(root, fields, sf::WalletLocator, |value| *value == Value::Hash256(Hash256::ZERO));
    set_or_remove(root, fields, sf::MessageKey, |value| *value == Value::Blob(Vec::new()));
    set_or_remove(root, fields, sf::Domain, |value| *value == Value::Blob(Vec::new()));
    set_or_remove(root, fields, sf::TransferRate, |value| {
        [Value::U32(0), Value::U32(QUALITY_ONE)].contains(value)
    });
    set_or_remove(root, fields, sf::TickSize, |value| {
        [Value::U8(0), Value::U8(*TICK_SIZES.end())].contains(value)
    });
    if asked.set == flags::asfAuthorizedNFTokenMinter
        && let Some(minter) = fields.account(sf::NFTokenMinter)
    {
        root.set(sf::NFTokenMinter, minter);
    }
    if asked.clear == flags::asfAuthorizedNFTokenMinter {
        root.remove(sf::NFTokenMinter);
    }
    if before != after {
        root.set(sf::Flags, after);
    }
    Ok(())
}

/// The flags of the account after the transaction.
fn flags_after(
    before: u32,
    asked: &Asked,
    by_master: bool,
    other_way_to_sign: bool,
) -> Result<u32, TxResult> {
    let mut after = before;
    for (asf, set, clear, lsf) in OLD {
        if asked.sets(asf, set) && before & lsf == 0 {
            after |= lsf;
        }
        if asked.clears(asf, clear) && before & lsf != 0 {
            after &= !lsf;
        }
    }
    if asked.set == flags::asfDisableMaster && before & flags::lsfDisableMaster == 0 {
        if !by_master {
            return Err(TxResult::tecNEED_MASTER_KEY);
        }
        if !other_way_to_sign {
            return Err(TxResult::tecNO_ALTERNATIVE_KEY);
        }
        after |= flags::lsfDisableMaster;
    }
    if asked.clear == flags::asfDisableMaster {
        after &= !flags::lsfDisableMaster;
    }
    if asked.set == flags::asfNoFreeze {
        if !by_master && before & flags::lsfDisableMaster == 0 {
            return Err(TxResult::tecNEED_MASTER_KEY);
        }
        after |= flags::lsfNoFreeze;
    }
    if asked.set == flags::asfGlobalFreeze {
        after |= flags::lsfGlobalFreeze;
    } else if asked.clear == flags::asfGlobalFreeze && after & flags::lsfNoFreeze == 0 {
        // Who has promised not to freeze may not end a freeze of all either.
        after &= !flags::lsfGlobalFreeze;
    }
    for (asf, lsf) in PLAIN {
        if asked.set == asf {
            after |= lsf;
        } else if asked.clear == asf {
            after &= !lsf;
        }
    }
    if asked.set == flags::asfAllowTrustLineClawback {
        after |= flags::lsfAllowTrustLineClawback;
    }
    Ok(after)
}

/// Takes a field of the transaction over, or removes it where the transaction gives the value that means none.
fn set_or_remove(root: &mut Object, fields: &Object, field: Field, is_none: impl Fn(&Value) -> bool) {
    match fields.get(field) {
        Some(value) if is_none(value) => {
            root.remove(field);
        }
        Some(value) => root.set(field, value.clone()),
        None => {}
    }
}
