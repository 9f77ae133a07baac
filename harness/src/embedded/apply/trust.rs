//! Trust lines: what one account owes another in a currency, and how it changes.

use xrpl_wire::{
    AccountId, Amount, Currency, Field, Hash256, IouValue, IssuedAmount, LedgerEntryType, Object, TxResult,
    flags, index, sf,
};

use super::credits::Payment;
use super::decimal::Arithmetic;
use super::holdings::account_has;
use super::quantity::{Quantity, Unit};
use super::table::Table;
use super::{Context, LedgerInfo, Ter, directory, shared};

pub(super) use super::quantity::PARITY;

/// A currency code that spells XRP in the form of an issued currency.
const BAD_CURRENCY: [u8; 20] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'X', b'R', b'P', 0, 0, 0, 0, 0];

pub(super) fn is_bad_currency(amount: &Amount) -> bool {
    matches!(amount, Amount::Issued(amount) if amount.currency.0 == BAD_CURRENCY)
}

/// The fields and flags of one side of a line: of the account with the lower id, or of the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) limit: Field,
    pub(super) quality_in: Field,
    pub(super) quality_out: Field,
    pub(super) reserve: u32,
    pub(super) auth: u32,
    pub(super) no_ripple: u32,
    pub(super) freeze: u32,
    pub(super) deep_freeze: u32,
}

pub(super) const LOW: Side = Side {
    limit: sf::LowLimit,
    quality_in: sf::LowQualityIn,
    quality_out: sf::LowQualityOut,
    reserve: flags::lsfLowReserve,
    auth: flags::lsfLowAuth,
    no_ripple: flags::lsfLowNoRipple,
    freeze: flags::lsfLowFreeze,
    deep_freeze: flags::lsfLowDeepFreeze,
};

pub(super) const HIGH: Side = Side {
    limit: sf::HighLimit,
    quality_in: sf::HighQualityIn,
    quality_out: sf::HighQualityOut,
    reserve: flags::lsfHighReserve,
    auth: flags::lsfHighAuth,
    no_ripple: flags::lsfHighNoRipple,
    freeze: flags::lsfHighFreeze,
    deep_freeze: flags::lsfHighDeepFreeze,
};

/// The side of an account on its line with a peer.
pub(super) fn side(account: &AccountId, peer: &AccountId) -> &'static Side {
    if account < peer { &LOW } else { &HIGH }
}

/// The value of an amount field of a line.
pub(super) fn value(line: &Object, field: Field) -> IouValue {
    shared::issued(line, field).map_or(IouValue::ZERO, |amount| amount.value)
}

/// What an account holds of its peer on their line; negative is what it owes.
pub(super) fn balance_of(line: &Object, account: &AccountId, peer: &AccountId) -> IouValue {
    let balance = value(line, sf::Balance);
    if account < peer { balance } else { balance.negated() }
}

/// What an account holds of a currency of an issuer; negative is what it owes.
pub(super) fn holds(
    view: &Table<'_>,
    account: &AccountId,
    issuer: &AccountId,
    currency: &Currency,
) -> IouValue {
    let line = view.read(&index::trust_line(account, issuer, currency));
    line.map_or(IouValue::ZERO, |line| balance_of(line, account, issuer))
}

/// How much of a peer's currency an account takes at most.
pub(super) fn limit(
    view: &Table<'_>,
    account: &AccountId,
    peer: &AccountId,
    currency: &Currency,
) -> IouValue {
    let line = view.read(&index::trust_line(account, peer, currency));
    line.map_or(IouValue::ZERO, |line| value(line, side(account, peer).limit))
}

/// What an issuer takes of each payment between holders: in billionths, at least one.
pub(super) fn transfer_rate(view: &Table<'_>, issuer: &AccountId) -> u32 {
    let root = view.read(&index::account_root(issuer));
    root.and_then(|root| root.u32(sf::TransferRate)).unwrap_or(PARITY)
}

/// Whether an issuer has frozen all its currencies.
pub(super) fn is_globally_frozen(view: &Table<'_>, issuer: &AccountId) -> bool {
    account_has(view, issuer, flags::lsfGlobalFreeze)
}

/// Whether an issuer that asks for it has authorized an account.
pub(super) fn require_auth(view: &Table<'_>, amount: &IssuedAmount, account: &AccountId) -> Ter {
    let issuer = &amount.issuer;
    if issuer == account || !account_has(view, issuer, flags::lsfRequireAuth) {
        return Ok(());
    }
    let line = view.read(&index::trust_line(account, issuer, &amount.currency));
    let line = line.ok_or(TxResult::tecNO_LINE)?;
    if shared::has_flag(line, side(issuer, account).auth) { Ok(()) } else { Err(TxResult::tecNO_AUTH) }
}

/// Whether an account's holding of a currency is frozen, alone or with all others.
pub(super) fn is_frozen(view: &Table<'_>, amount: &IssuedAmount, account: &AccountId) -> bool {
    let issuer = &amount.issuer;
    if account_has(view, issuer, flags::lsfGlobalFreeze) {
        return true;
    }
    issuer != account
        && view
            .read(&index::trust_line(account, issuer, &amount.currency))
            .is_some_and(|line| shared::has_flag(line, side(issuer, account).freeze))
}

/// Whether an account can neither send nor receive a currency.
pub(super) fn is_deep_frozen(view: &Table<'_>, amount: &IssuedAmount, account: &AccountId) -> bool {
    amount.issuer != *account
        && view
            .read(&index::trust_line(account, &amount.issuer, &amount.currency))
            .is_some_and(is_line_deep_frozen)
}

pub(super) fn is_line_deep_frozen(line: &Object) -> bool {
    [LOW, HIGH].iter().any(|side| shared::has_flag(line, side.deep_freeze))
}

/// Whether a payment over the line from `source` to `destination` is stopped by a freeze.
pub(super) fn check_freeze(
    view: &Table<'_>,
    source: &AccountId,
    destination: &AccountId,
    currency: &Currency,
) -> Ter {
    if account_has(view, destination, flags::lsfGlobalFreeze) {
        return Err(TxResult::terNO_LINE);
    }
    match view.read(&index::trust_line(source, destination, currency)) {
        Some(line)
            if shared::has_flag(line, side(destination, source).freeze) || is_line_deep_frozen(line) =>
        {
            Err(TxResult::terNO_LINE)
        }
        _ => Ok(()),
    }
}

/// A line to be made. `of` is the side that asks for it and reserves for it.
pub(super) struct NewLine<'n> {
    pub(super) of: AccountId,
    pub(super) peer: AccountId,
    pub(super) currency: Currency,
    /// What `of` holds of its peer.
    pub(super) balance: IouValue,
    /// What `of` takes at most.
    pub(super) limit: IouValue,
    pub(super) quality_in: u32,
    pub(super) quality_out: u32,
    /// The flags of `of`'s side.
    pub(super) flags: &'n [fn(&Side) -> u32],
}

/// Makes a line, lists it in both directories and counts it for the side that asked.
pub(super) fn create(view: &mut Table<'_>, info: &LedgerInfo, new: &NewLine<'_>) -> Ter {
    let line_index = index::trust_line(&new.of, &new.peer, &new.currency);
    let (low, high) = (new.of.min(new.peer), new.of.max(new.peer));
    if low == high {
        return Err(TxResult::tecINTERNAL);
    }
    let low_page = add_to_owner_dir(view, info, &low, &line_index)?;
    let high_page = add_to_owner_dir(view, info, &high, &line_index)?;
    let (mine, theirs) = (side(&new.of, &new.peer), side(&new.peer, &new.of));
    let peer = view.read(&index::account_root(&new.peer)).ok_or(TxResult::tecNO_TARGET)?;
    let mut line_flags = mine.reserve | new.flags.iter().fold(0, |all, flag| all | flag(mine));
    if !shared::has_flag(peer, flags::lsfDefaultRipple) {
        line_flags |= theirs.no_ripple;
    }
    let amount = |value, issuer| Amount::Issued(IssuedAmount { value, currency: new.currency, issuer });
    let balance = if new.of == low { new.balance } else { new.balance.negated() };
    let mut line = shared::new_entry(LedgerEntryType::RippleState)
        .with(sf::Flags, line_flags)
        .with(sf::Balance, amount(balance, AccountId::ONE))
        .with(mine.limit, amount(new.limit, new.of))
        .with(theirs.limit, amount(IouValue::ZERO, new.peer))
        .with(sf::LowNode, low_page)
        .with(sf::HighNode, high_page);
    if new.quality_in != 0 {
        line.set(mine.quality_in, new.quality_in);
    }
    if new.quality_out != 0 {
        line.set(mine.quality_out, new.quality_out);
    }
    view.insert(line_index, line);
    view.adjust_owner_count(&new.of, 1)?;
    let payment = Payment {
        sender: &new.peer,
        receiver: &new.of,
        currency: &new.currency,
        amount: Quantity::Iou(new.balance),
        before: Unit::Iou.zero(),
    };
    view.note_payment(info.math(), &payment)
}

/// Removes the line between two accounts and takes it out of both directories. Who reserved for it has been told
/// already.
pub(super) fn delete(view: &mut Table<'_>, line_index: &Hash256, ends: [&AccountId; 2]) -> Ter {
    let [low, high] = if ends[0] < ends[1] { ends } else { [ends[1], ends[0]] };
    for (owner, node) in [(low, sf::LowNode), (high, sf::HighNode)] {
        let line = view.read(line_index).ok_or(TxResult::tefBAD_LEDGER)?;
        let page = line.u64(node).unwrap_or(0);
        directory::remove(view, &index::owner_dir(owner), page, line_index, false)?;
    }
    view.erase(line_index);
    Ok(())
}

/// Moves an amount of one side's currency from one account to the other, making or removing their line where
/// that follows from it.
pub(super) fn credit(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    sender: &AccountId,
    receiver: &AccountId,
    currency: &Currency,
    amount: IouValue,
) -> Ter {
    let line_index = index::trust_line(sender, receiver, currency);
    let Some(line) = view.read(&line_index) else {
        let root = view.read(&index::account_root(receiver)).ok_or(TxResult::tefINTERNAL)?;
        let no_ripple: &[fn(&Side) -> u32] =
            if shared::has_flag(root, flags::lsfDefaultRipple) { &[] } else { &[|side| side.no_ripple] };
        return create(
            view,
            info,
            &NewLine {
                of: *receiver,
                peer: *sender,
                currency: *currency,
                balance: amount,
                limit: IouValue::ZERO,
                quality_in: 0,
                quality_out: 0,
                flags: no_ripple,
            },
        );
    };
    let before = balance_of(line, sender, receiver);
    let after = info.math().sub_iou(before, amount)?;
    let payment =
        Payment { sender, receiver, currency, amount: Quantity::Iou(amount), before: Quantity::Iou(before) };
    let (mine, theirs) = (side(sender, receiver), side(receiver, sender));
    let default_ripple = account_has(view, sender, flags::lsfDefaultRipple);
    // The sender has spent all it held and wants nothing of the line: then it stops reserving for it.
    let done = before > IouValue::ZERO
        && after <= IouValue::ZERO
        && shared::has_flag(line, mine.reserve)
        && shared::has_flag(line, mine.no_ripple) != default_ripple
        && !shared::has_flag(line, mine.freeze)
        && value(line, mine.limit).is_zero()
        && line.u32(mine.quality_in).unwrap_or(0) == 0
        && line.u32(mine.quality_out).unwrap_or(0) == 0;
    let remove = done && after.is_zero() && !shared::has_flag(line, theirs.reserve);
    view.note_payment(info.math(), &payment)?;
    if done {
        view.adjust_owner_count(sender, -1)?;
    }
    let line = view.update(&line_index).ok_or(TxResult::tefINTERNAL)?;
    if done {
        shared::set_flag(line, mine.reserve, false);
    }
    let balance = if sender < receiver { after } else { after.negated() };
    line.set(
        sf::Balance,
        Amount::Issued(IssuedAmount { value: balance, currency: *currency, issuer: AccountId::ONE }),
    );
    if remove { delete(view, &line_index, [sender, receiver]) } else { Ok(()) }
}

pub(super) fn add_to_owner_dir(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    owner: &AccountId,
    entry: &Hash256,
) -> Result<u64, TxResult> {
    directory::insert(view, &index::owner_dir(owner), entry, info, |page| page.set(sf::Owner, *owner))
}

/// Whether an amount and what it is added to are so unlike that adding them loses more than a ten-thousandth.
pub(super) fn can_add(math: Arithmetic, one: IouValue, other: IouValue) -> bool {
    if one.is_zero() || other.is_zero() {
        return true;
    }
    let loss = |a: IouValue, b: IouValue| -> Result<IouValue, TxResult> {
        let unit = math.to_iou(math.of_integer(1)?)?;
        let back = Quantity::Iou(math.add_iou(math.sub_iou(a, b)?, b)?);
        let part = math.divide(back, Quantity::Iou(a), Unit::Iou)?.iou();
        let lost = math.sub_iou(part, unit)?;
        Ok(if lost.is_negative() { lost.negated() } else { lost })
    };
    let most = IouValue::new(false, 1, -4).unwrap_or(IouValue::ZERO);
    let lost = loss(one, other).and_then(|first| math.add_iou(loss(other, one)?, first));
    lost.is_ok_and(|lost| lost <= most)
}

impl Context<'_> {
    /// See [`credit`].
    pub(super) fn credit_line(
        &mut self,
        sender: &AccountId,
        receiver: &AccountId,
        currency: &Currency,
        amount: IouValue,
    ) -> Ter {
        credit(&mut self.view, self.info, sender, receiver, currency, amount)
    }
}
