//! What an account may delegate: the sending of a type of transaction, or a part of one.

use crate::TransactionType;

/// The first number of the permissions that are finer than a transaction type.
pub const FIRST_GRANULAR: u32 = 65_537;

/// The finer permissions, by number.
const GRANULAR: [&str; 14] = [
    "TrustlineAuthorize",
    "TrustlineFreeze",
    "TrustlineUnfreeze",
    "AccountDomainSet",
    "AccountEmailHashSet",
    "AccountMessageKeySet",
    "AccountTransferRateSet",
    "AccountTickSizeSet",
    "PaymentMint",
    "PaymentBurn",
    "MPTokenIssuanceLock",
    "MPTokenIssuanceUnlock",
    "SponsorFee",
    "SponsorReserve",
];

/// The number of the permission to send any transaction of a type.
#[must_use]
pub fn of_type(kind: TransactionType) -> u32 {
    u32::from(kind.code()) + 1
}

/// The type that a permission is for as a whole; none for a finer one, and for what is none.
#[must_use]
pub fn whole_type(value: u32) -> Option<TransactionType> {
    u16::try_from(value.checked_sub(1)?).ok().and_then(TransactionType::from_code)
}

/// The name of a permission: of a transaction type the number is one more than the type's.
#[must_use]
pub fn name(value: u32) -> Option<&'static str> {
    if let Some(at) = value.checked_sub(FIRST_GRANULAR) {
        return GRANULAR.get(usize::try_from(at).ok()?).copied();
    }
    whole_type(value).map(TransactionType::name)
}

/// The number of a permission's name.
#[must_use]
pub fn value(name: &str) -> Option<u32> {
    if let Some(kind) = TransactionType::from_name(name) {
        return Some(of_type(kind));
    }
    let at = GRANULAR.iter().position(|granular| *granular == name)?;
    Some(FIRST_GRANULAR + u32::try_from(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_have_names_both_ways() {
        assert_eq!(name(1), Some("Payment"));
        assert_eq!(name(0), None);
        assert_eq!(name(65_536), None);
        assert_eq!(name(65_545), Some("PaymentMint"));
        assert_eq!(name(70_000), None);
        for granular in GRANULAR {
            assert_eq!(name(value(granular).unwrap()), Some(granular));
        }
        assert_eq!(value("TrustSet"), Some(21));
        assert_eq!(value("Nothing"), None);
    }
}
