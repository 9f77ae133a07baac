//! The kinds of transactions and of ledger entries.

use std::fmt;

use crate::cosign::{PROPOSAL_CANCEL, PROPOSAL_CREATE, PROPOSAL_ENTRY, PROPOSAL_SIGN};

/// Declares an enum of numbered names, both ways convertible.
macro_rules! numbered_names {
    ($(#[$doc:meta])* $enum:ident $($name:ident = $code:tt,)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names are XRPL's own")]
        pub enum $enum {
            $($name,)*
        }

        impl $enum {
            /// Every one, by number.
            pub const ALL: &[$enum] = &[$($enum::$name,)*];

            /// The number in the binary format.
            pub const fn code(self) -> u16 {
                match self {
                    $($enum::$name => $code,)*
                }
            }

            /// The name in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $($enum::$name => stringify!($name),)*
                }
            }

            /// Of a number.
            pub const fn from_code(code: u16) -> Option<$enum> {
                match code {
                    $($code => Some($enum::$name),)*
                    _ => None,
                }
            }

            /// Of a name.
            pub fn from_name(name: &str) -> Option<$enum> {
                match name {
                    $(stringify!($name) => Some($enum::$name),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$enum, D::Error> {
                let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                $enum::from_name(&name)
                    .ok_or_else(|| serde::de::Error::custom(concat!("no ", stringify!($enum))))
            }
        }
    };
}

numbered_names! {
    /// The kind of a transaction, by XRPL's name.
    TransactionType
    Payment = 0,
    EscrowCreate = 1,
    EscrowFinish = 2,
    AccountSet = 3,
    EscrowCancel = 4,
    SetRegularKey = 5,
    OfferCreate = 7,
    OfferCancel = 8,
    TicketCreate = 10,
    SignerListSet = 12,
    PaymentChannelCreate = 13,
    PaymentChannelFund = 14,
    PaymentChannelClaim = 15,
    CheckCreate = 16,
    CheckCash = 17,
    CheckCancel = 18,
    DepositPreauth = 19,
    TrustSet = 20,
    AccountDelete = 21,
    NFTokenMint = 25,
    NFTokenBurn = 26,
    NFTokenCreateOffer = 27,
    NFTokenCancelOffer = 28,
    NFTokenAcceptOffer = 29,
    Clawback = 30,
    AMMClawback = 31,
    AMMCreate = 35,
    AMMDeposit = 36,
    AMMWithdraw = 37,
    AMMVote = 38,
    AMMBid = 39,
    AMMDelete = 40,
    XChainCreateClaimID = 41,
    XChainCommit = 42,
    XChainClaim = 43,
    XChainAccountCreateCommit = 44,
    XChainAddClaimAttestation = 45,
    XChainAddAccountCreateAttestation = 46,
    XChainModifyBridge = 47,
    XChainCreateBridge = 48,
    DIDSet = 49,
    DIDDelete = 50,
    OracleSet = 51,
    OracleDelete = 52,
    LedgerStateFix = 53,
    MPTokenIssuanceCreate = 54,
    MPTokenIssuanceDestroy = 55,
    MPTokenIssuanceSet = 56,
    MPTokenAuthorize = 57,
    CredentialCreate = 58,
    CredentialAccept = 59,
    CredentialDelete = 60,
    NFTokenModify = 61,
    PermissionedDomainSet = 62,
    PermissionedDomainDelete = 63,
    DelegateSet = 64,
    VaultCreate = 65,
    VaultSet = 66,
    VaultDelete = 67,
    VaultDeposit = 68,
    VaultWithdraw = 69,
    VaultClawback = 70,
    Batch = 71,
    LoanBrokerSet = 74,
    LoanBrokerDelete = 75,
    LoanBrokerCoverDeposit = 76,
    LoanBrokerCoverWithdraw = 77,
    LoanBrokerCoverClawback = 78,
    LoanSet = 80,
    LoanDelete = 81,
    LoanManage = 82,
    LoanPay = 84,
    ConfidentialMPTConvert = 85,
    ConfidentialMPTMergeInbox = 86,
    ConfidentialMPTConvertBack = 87,
    ConfidentialMPTSend = 88,
    ConfidentialMPTClawback = 89,
    SponsorshipTransfer = 90,
    SponsorshipSet = 91,
    TransactionProposalCreate = PROPOSAL_CREATE,
    TransactionProposalSign = PROPOSAL_SIGN,
    TransactionProposalCancel = PROPOSAL_CANCEL,
    EnableAmendment = 100,
    SetFee = 101,
    UNLModify = 102,
}
numbered_names! {
    /// The kind of a ledger entry, by XRPL's name.
    LedgerEntryType
    NFTokenOffer = 55,
    Check = 67,
    DID = 73,
    NegativeUNL = 78,
    NFTokenPage = 80,
    SignerList = 83,
    Ticket = 84,
    AccountRoot = 97,
    DirectoryNode = 100,
    Amendments = 102,
    LedgerHashes = 104,
    Bridge = 105,
    Offer = 111,
    DepositPreauth = 112,
    XChainOwnedClaimID = 113,
    RippleState = 114,
    FeeSettings = 115,
    XChainOwnedCreateAccountClaimID = 116,
    Escrow = 117,
    PayChannel = 120,
    AMM = 121,
    MPTokenIssuance = 126,
    MPToken = 127,
    Oracle = 128,
    Credential = 129,
    PermissionedDomain = 130,
    Delegate = 131,
    Vault = 132,
    LoanBroker = 136,
    Loan = 137,
    Sponsorship = 144,
    TransactionProposal = PROPOSAL_ENTRY,
}

impl TransactionType {
    /// Whether it is one that validators agree on by themselves and nobody signs.
    #[must_use]
    pub const fn is_pseudo(self) -> bool {
        matches!(self, Self::EnableAmendment | Self::SetFee | Self::UNLModify)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_number_and_its_name() {
        for kind in TransactionType::ALL {
            assert_eq!(TransactionType::from_code(kind.code()), Some(*kind));
            assert_eq!(TransactionType::from_name(kind.name()), Some(*kind));
        }
        for kind in LedgerEntryType::ALL {
            assert_eq!(LedgerEntryType::from_code(kind.code()), Some(*kind));
            assert_eq!(LedgerEntryType::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(TransactionType::Payment.code(), 0);
        assert_eq!(TransactionType::from_code(9), None);
        assert_eq!(LedgerEntryType::AccountRoot.code(), 0x61);
    }
}
