//! The flags by type, as `server_definitions` lists them.

use serde_json::{Map, Value};
use xrpl_wire::{LedgerEntryType, TransactionType, flags};

type Named = (&'static str, u32);

/// Flags under their own names.
macro_rules! named {
    ($($flag:ident)*) => { &[$((stringify!($flag), flags::$flag)),*] };
}

/// The flags that every transaction may have.
const UNIVERSAL: &[Named] = named!(tfFullyCanonicalSig tfInnerBatchTxn);

const TRANSACTIONS: &[(TransactionType, &[Named])] = &[
    (TransactionType::AMMClawback, named!(tfClawTwoAssets)),
    (
        TransactionType::AMMDeposit,
        named!(tfLPToken tfSingleAsset tfTwoAsset tfOneAssetLPToken tfLimitLPToken tfTwoAssetIfEmpty),
    ),
    (
        TransactionType::AMMWithdraw,
        named!(
            tfLPToken tfWithdrawAll tfOneAssetWithdrawAll tfSingleAsset tfTwoAsset tfOneAssetLPToken tfLimitLPToken
        ),
    ),
    (
        TransactionType::AccountSet,
        named!(tfRequireDestTag tfOptionalDestTag tfRequireAuth tfOptionalAuth tfDisallowXRP tfAllowXRP),
    ),
    (TransactionType::Batch, named!(tfAllOrNothing tfOnlyOne tfUntilFailure tfIndependent)),
    (TransactionType::EnableAmendment, named!(tfGotMajority tfLostMajority)),
    (TransactionType::LoanManage, named!(tfLoanDefault tfLoanImpair tfLoanUnimpair)),
    (TransactionType::LoanPay, named!(tfLoanOverpayment tfLoanFullPayment tfLoanLatePayment)),
    (TransactionType::LoanSet, named!(tfLoanOverpayment)),
    (TransactionType::MPTokenAuthorize, named!(tfMPTUnauthorize)),
    (
        TransactionType::MPTokenIssuanceCreate,
        named!(
            tfMPTCanLock tfMPTRequireAuth tfMPTCanEscrow tfMPTCanTrade tfMPTCanTransfer tfMPTCanClawback
        ),
    ),
    (TransactionType::MPTokenIssuanceSet, named!(tfMPTLock tfMPTUnlock)),
    (TransactionType::NFTokenCreateOffer, named!(tfSellNFToken)),
    (TransactionType::NFTokenMint, named!(tfBurnable tfOnlyXRP tfTransferable tfMutable)),
    (TransactionType::OfferCreate, named!(tfPassive tfImmediateOrCancel tfFillOrKill tfSell tfHybrid)),
    (TransactionType::Payment, named!(tfNoRippleDirect tfPartialPayment tfLimitQuality)),
    (TransactionType::PaymentChannelClaim, named!(tfRenew tfClose)),
    (
        TransactionType::TrustSet,
        named!(
            tfSetfAuth tfSetNoRipple tfClearNoRipple tfSetFreeze tfClearFreeze tfSetDeepFreeze tfClearDeepFreeze
        ),
    ),
    (TransactionType::VaultCreate, named!(tfVaultPrivate tfVaultShareNonTransferable)),
    (TransactionType::XChainModifyBridge, named!(tfClearAccountCreateAmount)),
];

const ENTRIES: &[(LedgerEntryType, &[Named])] = &[
    (
        LedgerEntryType::AccountRoot,
        named!(
            lsfPasswordSpent lsfRequireDestTag lsfRequireAuth lsfDisallowXRP lsfDisableMaster lsfNoFreeze
            lsfGlobalFreeze lsfDefaultRipple lsfDepositAuth lsfDisallowIncomingNFTokenOffer
            lsfDisallowIncomingCheck lsfDisallowIncomingPayChan lsfDisallowIncomingTrustline
            lsfAllowTrustLineLocking lsfAllowTrustLineClawback
        ),
    ),
    (LedgerEntryType::Credential, named!(lsfAccepted)),
    (LedgerEntryType::DirectoryNode, named!(lsfNFTokenBuyOffers lsfNFTokenSellOffers)),
    (LedgerEntryType::Loan, named!(lsfLoanDefault lsfLoanImpaired lsfLoanOverpayment)),
    (LedgerEntryType::MPToken, named!(lsfMPTLocked lsfMPTAuthorized)),
    (
        LedgerEntryType::MPTokenIssuance,
        named!(
            lsfMPTLocked lsfMPTCanLock lsfMPTRequireAuth lsfMPTCanEscrow lsfMPTCanTrade lsfMPTCanTransfer
            lsfMPTCanClawback
        ),
    ),
    (LedgerEntryType::NFTokenOffer, named!(lsfSellNFToken)),
    (LedgerEntryType::Offer, named!(lsfPassive lsfSell lsfHybrid)),
    (
        LedgerEntryType::RippleState,
        named!(
            lsfLowReserve lsfHighReserve lsfLowAuth lsfHighAuth lsfLowNoRipple lsfHighNoRipple lsfLowFreeze
            lsfHighFreeze lsfAMMNode lsfLowDeepFreeze lsfHighDeepFreeze
        ),
    ),
    (LedgerEntryType::SignerList, named!(lsfOneOwnerCount)),
    (LedgerEntryType::Vault, named!(lsfVaultPrivate)),
];

const ACCOUNT_SET: &[Named] = named!(
    asfRequireDest asfRequireAuth asfDisallowXRP asfDisableMaster asfAccountTxnID asfNoFreeze asfGlobalFreeze
    asfDefaultRipple asfDepositAuth asfAuthorizedNFTokenMinter asfDisallowIncomingNFTokenOffer
    asfDisallowIncomingCheck asfDisallowIncomingPayChan asfDisallowIncomingTrustline asfAllowTrustLineClawback
    asfAllowTrustLineLocking
);

fn object(named: &[Named]) -> Value {
    Value::Object(named.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
}

/// The flags of transactions: by type, and those of all.
pub(super) fn transactions() -> Map<String, Value> {
    let by_type = TRANSACTIONS.iter().map(|(kind, named)| (kind.name().to_owned(), object(named)));
    by_type.chain([("universal".to_owned(), object(UNIVERSAL))]).collect()
}

/// The flags of entries by type.
pub(super) fn entries() -> Map<String, Value> {
    ENTRIES.iter().map(|(kind, named)| (kind.name().to_owned(), object(named))).collect()
}

/// What an AccountSet sets and clears by number.
pub(super) fn account_set() -> Value {
    object(ACCOUNT_SET)
}
