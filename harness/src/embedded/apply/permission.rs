//! What a delegate may do: all that a type of transaction can, or a part of that.

use xrpl_wire::{Amount, Field, Object, TransactionType, TxResult, flags, index, permission, sf, template};

use super::shared::UNIVERSAL_FLAGS;
use super::{Ter, kinds, mpt, shared, trust};
use crate::embedded::rules::Rules;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// A permission that is finer than a type of transaction.
struct Part {
    value: u32,
    /// The type it is a part of.
    of: TransactionType,
    /// The flags it lets a transaction have, beside those that all types have.
    flags: u32,
    /// The fields it lets a transaction have, beside those that all types have.
    fields: &'static [Field],
}

const PAYMENT_MINT: u32 = permission::FIRST_GRANULAR + 8;
const PAYMENT_BURN: u32 = permission::FIRST_GRANULAR + 9;

const PAYMENT_FIELDS: &[Field] =
    &[sf::Destination, sf::Amount, sf::SendMax, sf::InvoiceID, sf::DestinationTag, sf::CredentialIDs];
const LOCK_FIELDS: &[Field] = &[sf::MPTokenIssuanceID, sf::Holder];

const PARTS: &[Part] = {
    use TransactionType as T;
    const fn part(place: u32, of: T, flags: u32, fields: &'static [Field]) -> Part {
        Part { value: permission::FIRST_GRANULAR + place, of, flags, fields }
    }
    &[
        part(0, T::TrustSet, flags::tfSetfAuth, &[sf::LimitAmount]),
        part(1, T::TrustSet, flags::tfSetFreeze, &[sf::LimitAmount]),
        part(2, T::TrustSet, flags::tfClearFreeze, &[sf::LimitAmount]),
        part(3, T::AccountSet, 0, &[sf::Domain]),
        part(4, T::AccountSet, 0, &[sf::EmailHash]),
        part(5, T::AccountSet, 0, &[sf::MessageKey]),
        part(6, T::AccountSet, 0, &[sf::TransferRate]),
        part(7, T::AccountSet, 0, &[sf::TickSize]),
        part(8, T::Payment, 0, PAYMENT_FIELDS),
        part(9, T::Payment, 0, PAYMENT_FIELDS),
        part(10, T::MPTokenIssuanceSet, flags::tfMPTLock, LOCK_FIELDS),
        part(11, T::MPTokenIssuanceSet, flags::tfMPTUnlock, LOCK_FIELDS),
    ]
};

/// Whether an account may give another a permission: of a type that is switched on, and that does not change who rules
/// the account.
pub(super) fn can_be_given(value: u32, rules: &Rules) -> bool {
    if let Some(part) = PARTS.iter().find(|part| part.value == value) {
        return kinds::is_enabled(part.of, rules);
    }
    let whole = permission::whole_type(value);
    whole.is_some_and(|kind| is_given_whole(kind) && kinds::is_enabled(kind, rules))
}

/// Whether somebody else can send a type of transaction at all, be it in part.
pub(super) fn can_be_sent_for(kind: TransactionType, rules: &Rules) -> bool {
    can_be_given(permission::of_type(kind), rules) || PARTS.iter().any(|part| part.of == kind)
}

fn is_given_whole(kind: TransactionType) -> bool {
    use TransactionType as T;
    !matches!(
        kind,
        T::AccountSet
            | T::SetRegularKey
            | T::SignerListSet
            | T::AccountDelete
            | T::DelegateSet
            | T::Batch
            | T::VaultCreate
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
            | T::TransactionProposalCreate
            | T::TransactionProposalSign
            | T::TransactionProposalCancel
            | T::EnableAmendment
            | T::SetFee
            | T::UNLModify
    )
}

/// The delegate, if there is one, must have been given what the transaction is.
pub(super) fn check(state: &StateMap, tx: &Submitted) -> Ter {
    let Some(delegate) = tx.tx.object().account(sf::Delegate) else { return Ok(()) };
    let entry = state.object(&index::delegate(&tx.tx.account(), &delegate));
    if entry.is_some_and(|entry| allows(state, entry, tx)) {
        Ok(())
    } else {
        Err(TxResult::terNO_DELEGATE_PERMISSION)
    }
}

fn allows(state: &StateMap, entry: &Object, tx: &Submitted) -> bool {
    let given = entry.array(sf::Permissions).unwrap_or_default();
    let values: Vec<u32> = given.iter().filter_map(|(_, given)| given.u32(sf::PermissionValue)).collect();
    let kind = tx.tx.tx_type();
    if values.contains(&permission::of_type(kind)) {
        return true;
    }
    let parts: Vec<&Part> =
        PARTS.iter().filter(|part| part.of == kind && values.contains(&part.value)).collect();
    if parts.is_empty() {
        return false;
    }
    let flags = parts.iter().fold(UNIVERSAL_FLAGS, |flags, part| flags | part.flags);
    let is_allowed = |field: Field| {
        template::common().iter().any(|(common, _)| *common == field)
            || parts.iter().any(|part| part.fields.contains(&field))
    };
    if tx.tx.flags() & !flags != 0 || !tx.tx.object().iter().all(|(field, _)| is_allowed(field)) {
        return false;
    }
    match kind {
        TransactionType::TrustSet => leaves_limit(state, tx),
        TransactionType::Payment => {
            let has = |value| parts.iter().any(|part| part.value == value);
            makes_or_ends_money(state, tx, has(PAYMENT_MINT), has(PAYMENT_BURN))
        }
        _ => true,
    }
}

/// Whether a TrustSet is for a line that is there, and leaves its limit as it is.
fn leaves_limit(state: &StateMap, tx: &Submitted) -> bool {
    let Some(asked) = shared::issued(tx.tx.object(), sf::LimitAmount) else { return false };
    let account = tx.tx.account();
    let line = state.object(&index::trust_line(&account, &asked.issuer, &asked.currency));
    line.is_some_and(|line| trust::value(line, trust::side(&account, &asked.issuer).limit) == asked.value)
}

/// Whether a payment goes straight between who issues something and who holds it, in a direction that was given: making
/// it, or ending it.
fn makes_or_ends_money(state: &StateMap, tx: &Submitted, mint: bool, burn: bool) -> bool {
    let object = tx.tx.object();
    let (Some(amount), Some(to)) = (object.amount(sf::Amount), object.account(sf::Destination)) else {
        return false;
    };
    if object.amount(sf::SendMax).is_some_and(|most| most.issue() != amount.issue()) {
        return false;
    }
    let account = tx.tx.account();
    match amount {
        Amount::Xrp(_) => false,
        Amount::Mpt(amount) => {
            let issuer = mpt::issuer(&amount.issuance_id);
            (mint && issuer == account) || (burn && issuer == to)
        }
        Amount::Issued(amount) if ![account, to].contains(&amount.issuer) => false,
        Amount::Issued(amount) => {
            let Some(line) = state.object(&index::trust_line(&account, &to, &amount.currency)) else {
                return false;
            };
            // Either end of a line may be who issues: it is who does not hold.
            let holds = trust::balance_of(line, &account, &to);
            let is_holder = !holds.is_zero() && !holds.is_negative();
            let trusted = trust::value(line, trust::side(&to, &account).limit);
            (mint && !is_holder && !trusted.is_zero()) || (burn && is_holder)
        }
    }
}
