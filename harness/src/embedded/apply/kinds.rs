//! Which types of transactions a generation of the server knows, which are switched on, and what flags they have.

use xrpl_wire::TransactionType;

use crate::embedded::amendment::{Amendment, Standing};
use crate::embedded::generation::Generation;
use crate::embedded::rules::Rules;

/// The types of transactions that this ledger does not have, whatever its generation knows: it says `temUNKNOWN` and
/// warns of them by name in the log.
pub const ABSENT_TYPES: &[TransactionType] = {
    use TransactionType as T;
    &[
        T::NFTokenMint,
        T::NFTokenBurn,
        T::NFTokenCreateOffer,
        T::NFTokenCancelOffer,
        T::NFTokenAcceptOffer,
        T::NFTokenModify,
        T::AMMCreate,
        T::AMMDeposit,
        T::AMMWithdraw,
        T::AMMVote,
        T::AMMBid,
        T::AMMDelete,
        T::AMMClawback,
        T::XChainCreateBridge,
        T::XChainModifyBridge,
        T::XChainCreateClaimID,
        T::XChainCommit,
        T::XChainClaim,
        T::XChainAccountCreateCommit,
        T::XChainAddClaimAttestation,
        T::XChainAddAccountCreateAttestation,
        T::DIDSet,
        T::DIDDelete,
        T::OracleSet,
        T::OracleDelete,
        T::LedgerStateFix,
        T::VaultCreate,
        T::VaultSet,
        T::VaultDelete,
        T::VaultDeposit,
        T::VaultWithdraw,
        T::VaultClawback,
        T::LoanBrokerSet,
        T::LoanBrokerDelete,
        T::LoanBrokerCoverDeposit,
        T::LoanBrokerCoverWithdraw,
        T::LoanBrokerCoverClawback,
        T::LoanSet,
        T::LoanDelete,
        T::LoanManage,
        T::LoanPay,
        T::ConfidentialMPTConvert,
        T::ConfidentialMPTMergeInbox,
        T::ConfidentialMPTConvertBack,
        T::ConfidentialMPTSend,
        T::ConfidentialMPTClawback,
        T::SponsorshipSet,
        T::SponsorshipTransfer,
    ]
};

/// The amendments that bring a type: any one of them does. None for a type that was always there.
const fn brought_by(kind: TransactionType) -> &'static [Amendment] {
    use TransactionType as T;
    match kind {
        T::Payment
        | T::EscrowCreate
        | T::EscrowFinish
        | T::EscrowCancel
        | T::AccountSet
        | T::SetRegularKey
        | T::OfferCreate
        | T::OfferCancel
        | T::SignerListSet
        | T::PaymentChannelCreate
        | T::PaymentChannelFund
        | T::PaymentChannelClaim
        | T::TrustSet
        | T::EnableAmendment
        | T::SetFee
        | T::UNLModify => &[],
        T::TicketCreate => &[Amendment::TicketBatch],
        T::CheckCreate | T::CheckCash | T::CheckCancel => &[Amendment::Checks],
        T::DepositPreauth => &[Amendment::DepositPreauth],
        T::AccountDelete => &[Amendment::DeletableAccounts],
        T::NFTokenMint
        | T::NFTokenBurn
        | T::NFTokenCreateOffer
        | T::NFTokenCancelOffer
        | T::NFTokenAcceptOffer => &[Amendment::NonFungibleTokensV1_1],
        T::NFTokenModify => &[Amendment::DynamicNFT],
        T::Clawback => &[Amendment::Clawback],
        T::AMMClawback => &[Amendment::AMMClawback],
        T::AMMCreate | T::AMMDeposit | T::AMMWithdraw | T::AMMVote | T::AMMBid | T::AMMDelete => {
            &[Amendment::AMM]
        }
        T::XChainCreateClaimID
        | T::XChainCommit
        | T::XChainClaim
        | T::XChainAccountCreateCommit
        | T::XChainAddClaimAttestation
        | T::XChainAddAccountCreateAttestation
        | T::XChainModifyBridge
        | T::XChainCreateBridge => &[Amendment::XChainBridge],
        T::DIDSet | T::DIDDelete => &[Amendment::DID],
        T::OracleSet | T::OracleDelete => &[Amendment::PriceOracle],
        T::LedgerStateFix => &[Amendment::FixNFTokenPageLinks],
        T::MPTokenIssuanceCreate
        | T::MPTokenIssuanceDestroy
        | T::MPTokenIssuanceSet
        | T::MPTokenAuthorize => &[Amendment::MPTokensV1],
        T::CredentialCreate | T::CredentialAccept | T::CredentialDelete => &[Amendment::Credentials],
        T::PermissionedDomainSet | T::PermissionedDomainDelete => &[Amendment::PermissionedDomains],
        T::DelegateSet => &[Amendment::PermissionDelegation, Amendment::PermissionDelegationV1_1],
        T::VaultCreate
        | T::VaultSet
        | T::VaultDelete
        | T::VaultDeposit
        | T::VaultWithdraw
        | T::VaultClawback => &[Amendment::SingleAssetVault],
        T::Batch => &[Amendment::Batch, Amendment::BatchV1_1],
        T::LoanBrokerSet
        | T::LoanBrokerDelete
        | T::LoanBrokerCoverDeposit
        | T::LoanBrokerCoverWithdraw
        | T::LoanBrokerCoverClawback
        | T::LoanSet
        | T::LoanDelete
        | T::LoanManage
        | T::LoanPay => &[Amendment::LendingProtocol],
        T::ConfidentialMPTConvert
        | T::ConfidentialMPTMergeInbox
        | T::ConfidentialMPTConvertBack
        | T::ConfidentialMPTSend
        | T::ConfidentialMPTClawback => &[Amendment::ConfidentialTransfer],
        T::SponsorshipTransfer | T::SponsorshipSet => &[Amendment::Sponsor],
        T::TransactionProposalCreate | T::TransactionProposalSign | T::TransactionProposalCancel => {
            &[Amendment::Cosign]
        }
    }
}

/// Whether a generation has heard of a type. Others are no transactions to it.
pub(in crate::embedded) fn is_known(kind: TransactionType, generation: Generation) -> bool {
    let by = brought_by(kind);
    by.is_empty() || by.iter().any(|amendment| amendment.standing(generation) != Standing::Unknown)
}

/// Whether a type is switched on.
pub(super) fn is_enabled(kind: TransactionType, rules: &Rules) -> bool {
    let by = brought_by(kind);
    by.is_empty() || by.iter().any(|amendment| rules.enabled(*amendment))
}

/// Whether a type trades or promises what it names: with multi-purpose tokens only where MPTokensV2 is on.
pub(super) fn trades(kind: TransactionType) -> bool {
    use TransactionType as T;
    matches!(
        kind,
        T::OfferCreate
            | T::CheckCreate
            | T::CheckCash
            | T::AMMCreate
            | T::AMMDeposit
            | T::AMMWithdraw
            | T::AMMVote
            | T::AMMBid
            | T::AMMDelete
            | T::AMMClawback
    )
}

/// The transaction flags a type knows, besides those that all know. Payments and offers say theirs themselves.
pub(super) fn flags_allowed(kind: TransactionType, generation: Generation) -> u32 {
    use xrpl_wire::flags::*;
    match kind {
        TransactionType::Batch => super::batch::MODES,
        TransactionType::PaymentChannelClaim => tfRenew | tfClose,
        TransactionType::MPTokenAuthorize => tfMPTUnauthorize,
        TransactionType::MPTokenIssuanceSet => tfMPTLock | tfMPTUnlock,
        TransactionType::MPTokenIssuanceCreate => {
            let all = tfMPTCanLock
                | tfMPTRequireAuth
                | tfMPTCanEscrow
                | tfMPTCanTrade
                | tfMPTCanTransfer
                | tfMPTCanClawback;
            match Amendment::ConfidentialTransfer.standing(generation) {
                Standing::Unknown => all,
                _ => all | tfMPTCanHoldConfidentialBalance,
            }
        }
        TransactionType::AccountSet => {
            tfRequireDestTag | tfOptionalDestTag | tfRequireAuth | tfOptionalAuth | tfDisallowXRP | tfAllowXRP
        }
        TransactionType::TrustSet => {
            tfSetfAuth
                | tfSetNoRipple
                | tfClearNoRipple
                | tfSetFreeze
                | tfClearFreeze
                | tfSetDeepFreeze
                | tfClearDeepFreeze
        }
        _ => 0,
    }
}
