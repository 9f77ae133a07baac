//! PaymentChannelCreate, PaymentChannelFund and PaymentChannelClaim.

use xrpl_wire::{
    AccountId, Amount, Hash256, LedgerEntryType, Object, PublicKey, TxResult, flags, index, prefix, sf,
};

use super::{Context, LedgerInfo, Ter, credential, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The drops of an amount that must be XRP and more than nothing.
fn positive_drops(object: &Object, field: xrpl_wire::Field) -> Result<Option<u64>, TxResult> {
    match object.amount(field) {
        None => Ok(None),
        Some(Amount::Xrp(drops)) if !drops.is_zero() => Ok(Some(drops.get())),
        Some(_) => Err(TxResult::temBAD_AMOUNT),
    }
}

fn check_channel(info: &LedgerInfo, object: &Object) -> Ter {
    let zero = object.hash256(sf::Channel) == Some(Hash256::ZERO);
    if zero && info.rules.enabled(Amendment::FixCleanup3_2_0) { Err(TxResult::temMALFORMED) } else { Ok(()) }
}

pub(super) fn create_preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    positive_drops(object, sf::Amount)?.ok_or(TxResult::temBAD_AMOUNT)?;
    if object.account(sf::Destination) == Some(tx.tx.account()) {
        return Err(TxResult::temDST_IS_SRC);
    }
    let key = object.blob(sf::PublicKey).unwrap_or_default();
    if PublicKey::from_slice(key).is_err() { Err(TxResult::temMALFORMED) } else { Ok(()) }
}

pub(super) fn create_preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    let owned = root.u32(sf::OwnerCount).unwrap_or(0).saturating_add(1);
    check_funds(info, root, owned, object.drops(sf::Amount).map_or(0, |drops| drops.get()))?;
    let destination = object.account(sf::Destination).ok_or(TxResult::tecNO_DST)?;
    let to = state.object(&index::account_root(&destination)).ok_or(TxResult::tecNO_DST)?;
    if shared::has_flag(to, flags::lsfDisallowIncomingPayChan) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if shared::has_flag(to, flags::lsfRequireDestTag) && !object.has(sf::DestinationTag) {
        return Err(TxResult::tecDST_TAG_NEEDED);
    }
    Ok(())
}

/// The account must have the reserve, and the amount above it.
fn check_funds(info: &LedgerInfo, root: &Object, owned: u32, amount: u64) -> Ter {
    let balance = shared::balance(root);
    let reserve = info.fees.account_reserve(owned);
    if balance < reserve {
        return Err(TxResult::tecINSUFFICIENT_RESERVE);
    }
    if balance < reserve.saturating_add(amount) { Err(TxResult::tecUNFUNDED) } else { Ok(()) }
}

pub(super) fn create_apply(context: &mut Context<'_>) -> Ter {
    let fields = context.tx.tx.object();
    let account = context.account();
    if context.info.rules.enabled(Amendment::FixPayChanCancelAfter)
        && fields.u32(sf::CancelAfter).is_some_and(|time| context.info.parent_close_time > time)
    {
        return Err(TxResult::tecEXPIRED);
    }
    let destination = fields.account(sf::Destination).ok_or(TxResult::tecNO_DST)?;
    let sequence = context.seq_value();
    let at = index::payment_channel(&account, &destination, sequence);
    let mut entry = shared::new_entry(LedgerEntryType::PayChannel)
        .with(sf::Account, account)
        .with(sf::Balance, shared::drops(0)?);
    let copied = [
        sf::Destination,
        sf::Amount,
        sf::SettleDelay,
        sf::PublicKey,
        sf::CancelAfter,
        sf::SourceTag,
        sf::DestinationTag,
    ];
    for field in copied {
        if let Some(value) = fields.get(field) {
            entry.set(field, value.clone());
        }
    }
    if context.info.rules.enabled(Amendment::FixIncludeKeyletFields) {
        entry.set(sf::Sequence, sequence);
    }
    let page = context.add_to_owner_dir(&account, &at)?;
    entry.set(sf::OwnerNode, page);
    let page = context.add_to_owner_dir(&destination, &at)?;
    entry.set(sf::DestinationNode, page);
    context.view.insert(at, entry);
    context.debit(&account, fields.drops(sf::Amount).map_or(0, |drops| drops.get()))?;
    context.adjust_owner_count_of(&account, 1)
}

/// The channel that a transaction names, and where it stands.
fn named(context: &Context<'_>) -> Option<(Hash256, Object)> {
    let at = context.fields().hash256(sf::Channel)?;
    let entry = shared::of_kind(context.view.read(&at), LedgerEntryType::PayChannel)?;
    Some((at, entry.clone()))
}

/// Whether a channel's time is over: then whatever touches it closes it.
fn is_over(info: &LedgerInfo, channel: &Object) -> bool {
    [sf::CancelAfter, sf::Expiration].into_iter().any(|field| {
        let time = channel.u32(field);
        if info.rules.enabled(Amendment::FixCleanup3_2_0) {
            time.is_some_and(|time| info.parent_close_time > time)
        } else {
            info.has_passed(time)
        }
    })
}

/// When a channel may be closed at the earliest that is asked to close now.
fn settled_at(info: &LedgerInfo, channel: &Object) -> u32 {
    let delay = channel.u32(sf::SettleDelay).unwrap_or(0);
    if info.rules.enabled(Amendment::FixCleanup3_2_0) {
        info.parent_close_time.saturating_add(delay)
    } else {
        info.parent_close_time.wrapping_add(delay)
    }
}

/// Gives back what a channel still holds, and removes it.
fn close(context: &mut Context<'_>, at: &Hash256, channel: &Object) -> Ter {
    let owner = channel.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let page = channel.u64(sf::OwnerNode).unwrap_or(0);
    context.remove_from_owner_dir(&owner, page, at)?;
    if let Some(page) = channel.u64(sf::DestinationNode) {
        let destination = channel.account(sf::Destination).ok_or(TxResult::tefBAD_LEDGER)?;
        context.remove_from_owner_dir(&destination, page, at)?;
    }
    let drops = |field| channel.drops(field).map_or(0, |drops| drops.get());
    context.credit(&owner, drops(sf::Amount).saturating_sub(drops(sf::Balance)))?;
    context.adjust_owner_count_of(&owner, -1)?;
    context.view.erase(at);
    Ok(())
}

pub(super) fn fund_preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    check_channel(info, object)?;
    positive_drops(object, sf::Amount)?.ok_or(TxResult::temBAD_AMOUNT)?;
    Ok(())
}

pub(super) fn fund_apply(context: &mut Context<'_>) -> Ter {
    let (at, channel) = named(context).ok_or(TxResult::tecNO_ENTRY)?;
    if is_over(context.info, &channel) {
        return close(context, &at, &channel);
    }
    let account = context.account();
    if channel.account(sf::Account) != Some(account) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let fields = context.tx.tx.object();
    let mut after = channel.clone();
    if let Some(expiration) = fields.u32(sf::Expiration) {
        let settled = settled_at(context.info, &channel);
        let earliest = channel.u32(sf::Expiration).map_or(settled, |before| before.min(settled));
        if expiration < earliest {
            let fixed = context.info.rules.enabled(Amendment::FixCleanup3_2_0);
            return Err(if fixed { TxResult::tecNO_PERMISSION } else { TxResult::temBAD_EXPIRATION });
        }
        after.set(sf::Expiration, expiration);
    }
    let amount = fields.drops(sf::Amount).map_or(0, |drops| drops.get());
    let root = context.account_root()?;
    check_funds(context.info, root, root.u32(sf::OwnerCount).unwrap_or(0), amount)?;
    let destination = channel.account(sf::Destination).ok_or(TxResult::tecNO_DST)?;
    if !context.view.exists(&index::account_root(&destination)) {
        return Err(TxResult::tecNO_DST);
    }
    let before = channel.drops(sf::Amount).map_or(0, |drops| drops.get());
    after.set(sf::Amount, shared::drops(before.saturating_add(amount))?);
    *context.view.update(&at).ok_or(TxResult::tefINTERNAL)? = after;
    context.debit(&account, amount)
}

/// What a claim asks for.
struct Claim {
    /// What the destination shall have had in all.
    balance: Option<u64>,
    /// What the signature is over.
    amount: Option<u64>,
}

impl Claim {
    fn of(object: &Object) -> Result<Claim, TxResult> {
        let claim = Claim {
            balance: positive_drops(object, sf::Balance)?,
            amount: positive_drops(object, sf::Amount)?,
        };
        match (claim.balance, claim.amount) {
            (Some(balance), Some(amount)) if balance > amount => Err(TxResult::temBAD_AMOUNT),
            _ => Ok(claim),
        }
    }
}

pub(super) fn claim_preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    check_channel(info, object)?;
    let claim = Claim::of(object)?;
    let given = tx.tx.flags();
    if given & flags::tfClose != 0 && given & flags::tfRenew != 0 {
        return Err(TxResult::temMALFORMED);
    }
    if let Some(signature) = object.blob(sf::Signature) {
        let (Some(key), Some(balance)) = (object.blob(sf::PublicKey), claim.balance) else {
            return Err(TxResult::temMALFORMED);
        };
        let key = PublicKey::from_slice(key).map_err(|_| TxResult::temMALFORMED)?;
        let channel = object.hash256(sf::Channel).ok_or(TxResult::temMALFORMED)?;
        let signed =
            [prefix::CLAIM.as_slice(), &channel.0, &claim.amount.unwrap_or(balance).to_be_bytes()].concat();
        if key.verify(&signed, signature).is_err() {
            return Err(TxResult::temBAD_SIGNATURE);
        }
    }
    credential::preflight_ids(tx)
}

pub(super) fn claim_apply(context: &mut Context<'_>) -> Ter {
    let (at, channel) = named(context).ok_or(TxResult::tecNO_TARGET)?;
    if is_over(context.info, &channel) {
        return close(context, &at, &channel);
    }
    let account = context.account();
    let source = channel.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let destination = channel.account(sf::Destination).ok_or(TxResult::tefBAD_LEDGER)?;
    if account != source && account != destination {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let mut after = channel.clone();
    if let Some(balance) = Claim::of(context.fields())?.balance {
        pay_claim(context, &channel, &destination, balance)?;
        after.set(sf::Balance, shared::drops(balance)?);
        put(context, &at, &after)?;
    }
    let given = context.tx.tx.flags();
    if given & flags::tfRenew != 0 {
        if account != source {
            return Err(TxResult::tecNO_PERMISSION);
        }
        after.remove(sf::Expiration);
        put(context, &at, &after)?;
    }
    if given & flags::tfClose != 0 {
        if account == destination || after.drops(sf::Balance) == after.drops(sf::Amount) {
            return close(context, &at, &after);
        }
        let settled = settled_at(context.info, &channel);
        if channel.u32(sf::Expiration).is_none_or(|before| before > settled) {
            after.set(sf::Expiration, settled);
            put(context, &at, &after)?;
        }
    }
    Ok(())
}

fn put(context: &mut Context<'_>, at: &Hash256, channel: &Object) -> Ter {
    *context.view.update(at).ok_or(TxResult::tefINTERNAL)? = channel.clone();
    Ok(())
}

/// Pays the destination what it has not had yet.
fn pay_claim(context: &mut Context<'_>, channel: &Object, destination: &AccountId, balance: u64) -> Ter {
    let fixed = context.info.rules.enabled(Amendment::FixCleanup3_2_0);
    let refused = |before| Err(if fixed { TxResult::tecNO_PERMISSION } else { before });
    let account = context.account();
    let fields = context.fields();
    let signed = fields.has(sf::Signature);
    if account == *destination && !signed {
        return refused(TxResult::temBAD_SIGNATURE);
    }
    if signed && fields.blob(sf::PublicKey) != channel.blob(sf::PublicKey) {
        return refused(TxResult::temBAD_SIGNER);
    }
    let drops = |field| channel.drops(field).map_or(0, |drops| drops.get());
    let had = drops(sf::Balance);
    if balance > drops(sf::Amount) || balance <= had {
        return Err(TxResult::tecUNFUNDED_PAYMENT);
    }
    if !context.view.exists(&index::account_root(destination)) {
        return Err(TxResult::tecNO_DST);
    }
    context.verify_deposit_preauth(&account, destination)?;
    context.credit(destination, balance.saturating_sub(had))
}
