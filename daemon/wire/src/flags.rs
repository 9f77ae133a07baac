//! The ledger's flags, by XRPL's own names: `tf…` in a transaction's Flags, `lsf…` in a ledger entry's Flags,
//! `asf…` as an AccountSet's SetFlag or ClearFlag. A flag that several types share is listed once, under the first.
//!
//! `tf` and `lsf` flags are bits; `asf` flags are numbers.
#![allow(non_upper_case_globals)]

// Any transaction
/// Transaction flag, any type.
pub const tfInnerBatchTxn: u32 = 0x4000_0000;
/// Transaction flag, any type.
pub const tfFullyCanonicalSig: u32 = 0x8000_0000;

// AMMClawback
/// Transaction flag of AMMClawback.
pub const tfClawTwoAssets: u32 = 0x0000_0001;

// AMMDeposit
/// Transaction flag of AMMDeposit.
pub const tfLPToken: u32 = 0x0001_0000;
/// Transaction flag of AMMDeposit.
pub const tfSingleAsset: u32 = 0x0008_0000;
/// Transaction flag of AMMDeposit.
pub const tfTwoAsset: u32 = 0x0010_0000;
/// Transaction flag of AMMDeposit.
pub const tfOneAssetLPToken: u32 = 0x0020_0000;
/// Transaction flag of AMMDeposit.
pub const tfLimitLPToken: u32 = 0x0040_0000;
/// Transaction flag of AMMDeposit.
pub const tfTwoAssetIfEmpty: u32 = 0x0080_0000;

// AMMWithdraw
/// Transaction flag of AMMWithdraw.
pub const tfWithdrawAll: u32 = 0x0002_0000;
/// Transaction flag of AMMWithdraw.
pub const tfOneAssetWithdrawAll: u32 = 0x0004_0000;

// AccountSet
/// Transaction flag of AccountSet.
pub const tfRequireDestTag: u32 = 0x0001_0000;
/// Transaction flag of AccountSet.
pub const tfOptionalDestTag: u32 = 0x0002_0000;
/// Transaction flag of AccountSet.
pub const tfRequireAuth: u32 = 0x0004_0000;
/// Transaction flag of AccountSet.
pub const tfOptionalAuth: u32 = 0x0008_0000;
/// Transaction flag of AccountSet.
pub const tfDisallowXRP: u32 = 0x0010_0000;
/// Transaction flag of AccountSet.
pub const tfAllowXRP: u32 = 0x0020_0000;

// Batch
/// Transaction flag of Batch.
pub const tfAllOrNothing: u32 = 0x0001_0000;
/// Transaction flag of Batch.
pub const tfOnlyOne: u32 = 0x0002_0000;
/// Transaction flag of Batch.
pub const tfUntilFailure: u32 = 0x0004_0000;
/// Transaction flag of Batch.
pub const tfIndependent: u32 = 0x0008_0000;

// EnableAmendment
/// Transaction flag of EnableAmendment.
pub const tfGotMajority: u32 = 0x0001_0000;
/// Transaction flag of EnableAmendment.
pub const tfLostMajority: u32 = 0x0002_0000;

// LoanManage
/// Transaction flag of LoanManage.
pub const tfLoanDefault: u32 = 0x0001_0000;
/// Transaction flag of LoanManage.
pub const tfLoanImpair: u32 = 0x0002_0000;
/// Transaction flag of LoanManage.
pub const tfLoanUnimpair: u32 = 0x0004_0000;

// LoanPay
/// Transaction flag of LoanPay.
pub const tfLoanOverpayment: u32 = 0x0001_0000;
/// Transaction flag of LoanPay.
pub const tfLoanFullPayment: u32 = 0x0002_0000;
/// Transaction flag of LoanPay.
pub const tfLoanLatePayment: u32 = 0x0004_0000;

// MPTokenAuthorize
/// Transaction flag of MPTokenAuthorize.
pub const tfMPTUnauthorize: u32 = 0x0000_0001;

// MPTokenIssuanceCreate
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTCanLock: u32 = 0x0000_0002;
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTRequireAuth: u32 = 0x0000_0004;
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTCanEscrow: u32 = 0x0000_0008;
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTCanTrade: u32 = 0x0000_0010;
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTCanTransfer: u32 = 0x0000_0020;
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTCanClawback: u32 = 0x0000_0040;
/// Transaction flag of MPTokenIssuanceCreate.
pub const tfMPTCanHoldConfidentialBalance: u32 = 0x0000_0080;

// MPTokenIssuanceSet
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTLock: u32 = 0x0000_0001;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTUnlock: u32 = 0x0000_0002;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetCanLock: u32 = 0x0000_0004;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetRequireAuth: u32 = 0x0000_0008;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetCanEscrow: u32 = 0x0000_0010;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetCanTrade: u32 = 0x0000_0020;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetCanTransfer: u32 = 0x0000_0040;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetCanClawback: u32 = 0x0000_0080;
/// Transaction flag of MPTokenIssuanceSet.
pub const tfMPTSetCanHoldConfidentialBalance: u32 = 0x0000_0100;

// NFTokenCreateOffer
/// Transaction flag of NFTokenCreateOffer.
pub const tfSellNFToken: u32 = 0x0000_0001;

// NFTokenMint
/// Transaction flag of NFTokenMint.
pub const tfBurnable: u32 = 0x0000_0001;
/// Transaction flag of NFTokenMint.
pub const tfOnlyXRP: u32 = 0x0000_0002;
/// Transaction flag of NFTokenMint.
pub const tfTransferable: u32 = 0x0000_0008;
/// Transaction flag of NFTokenMint.
pub const tfMutable: u32 = 0x0000_0010;

// OfferCreate
/// Transaction flag of OfferCreate.
pub const tfPassive: u32 = 0x0001_0000;
/// Transaction flag of OfferCreate.
pub const tfImmediateOrCancel: u32 = 0x0002_0000;
/// Transaction flag of OfferCreate.
pub const tfFillOrKill: u32 = 0x0004_0000;
/// Transaction flag of OfferCreate.
pub const tfSell: u32 = 0x0008_0000;
/// Transaction flag of OfferCreate.
pub const tfHybrid: u32 = 0x0010_0000;

// Payment
/// Transaction flag of Payment.
pub const tfNoRippleDirect: u32 = 0x0001_0000;
/// Transaction flag of Payment.
pub const tfPartialPayment: u32 = 0x0002_0000;
/// Transaction flag of Payment.
pub const tfLimitQuality: u32 = 0x0004_0000;
/// Transaction flag of Payment.
pub const tfSponsorCreatedAccount: u32 = 0x0008_0000;

// PaymentChannelClaim
/// Transaction flag of PaymentChannelClaim.
pub const tfRenew: u32 = 0x0001_0000;
/// Transaction flag of PaymentChannelClaim.
pub const tfClose: u32 = 0x0002_0000;

// SponsorshipSet
/// Transaction flag of SponsorshipSet.
pub const tfSponsorshipSetRequireSignForFee: u32 = 0x0001_0000;
/// Transaction flag of SponsorshipSet.
pub const tfSponsorshipClearRequireSignForFee: u32 = 0x0002_0000;
/// Transaction flag of SponsorshipSet.
pub const tfSponsorshipSetRequireSignForReserve: u32 = 0x0004_0000;
/// Transaction flag of SponsorshipSet.
pub const tfSponsorshipClearRequireSignForReserve: u32 = 0x0008_0000;
/// Transaction flag of SponsorshipSet.
pub const tfDeleteObject: u32 = 0x0010_0000;

// SponsorshipTransfer
/// Transaction flag of SponsorshipTransfer.
pub const tfSponsorshipEnd: u32 = 0x0001_0000;
/// Transaction flag of SponsorshipTransfer.
pub const tfSponsorshipCreate: u32 = 0x0002_0000;
/// Transaction flag of SponsorshipTransfer.
pub const tfSponsorshipReassign: u32 = 0x0004_0000;

// TrustSet
/// Transaction flag of TrustSet.
pub const tfSetfAuth: u32 = 0x0001_0000;
/// Transaction flag of TrustSet.
pub const tfSetNoRipple: u32 = 0x0002_0000;
/// Transaction flag of TrustSet.
pub const tfClearNoRipple: u32 = 0x0004_0000;
/// Transaction flag of TrustSet.
pub const tfSetFreeze: u32 = 0x0010_0000;
/// Transaction flag of TrustSet.
pub const tfClearFreeze: u32 = 0x0020_0000;
/// Transaction flag of TrustSet.
pub const tfSetDeepFreeze: u32 = 0x0040_0000;
/// Transaction flag of TrustSet.
pub const tfClearDeepFreeze: u32 = 0x0080_0000;

// VaultCreate
/// Transaction flag of VaultCreate.
pub const tfVaultPrivate: u32 = 0x0001_0000;
/// Transaction flag of VaultCreate.
pub const tfVaultShareNonTransferable: u32 = 0x0002_0000;

// XChainModifyBridge
/// Transaction flag of XChainModifyBridge.
pub const tfClearAccountCreateAmount: u32 = 0x0001_0000;

// AccountRoot
/// Ledger entry flag of AccountRoot.
pub const lsfPasswordSpent: u32 = 0x0001_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfRequireDestTag: u32 = 0x0002_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfRequireAuth: u32 = 0x0004_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDisallowXRP: u32 = 0x0008_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDisableMaster: u32 = 0x0010_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfNoFreeze: u32 = 0x0020_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfGlobalFreeze: u32 = 0x0040_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDefaultRipple: u32 = 0x0080_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDepositAuth: u32 = 0x0100_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDisallowIncomingNFTokenOffer: u32 = 0x0400_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDisallowIncomingCheck: u32 = 0x0800_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDisallowIncomingPayChan: u32 = 0x1000_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfDisallowIncomingTrustline: u32 = 0x2000_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfAllowTrustLineLocking: u32 = 0x4000_0000;
/// Ledger entry flag of AccountRoot.
pub const lsfAllowTrustLineClawback: u32 = 0x8000_0000;

// Credential
/// Ledger entry flag of Credential.
pub const lsfAccepted: u32 = 0x0001_0000;

// DirNode
/// Ledger entry flag of DirNode.
pub const lsfNFTokenBuyOffers: u32 = 0x0000_0001;
/// Ledger entry flag of DirNode.
pub const lsfNFTokenSellOffers: u32 = 0x0000_0002;

// Loan
/// Ledger entry flag of Loan.
pub const lsfLoanDefault: u32 = 0x0001_0000;
/// Ledger entry flag of Loan.
pub const lsfLoanImpaired: u32 = 0x0002_0000;
/// Ledger entry flag of Loan.
pub const lsfLoanOverpayment: u32 = 0x0004_0000;

// MPToken
/// Ledger entry flag of MPToken.
pub const lsfMPTLocked: u32 = 0x0000_0001;
/// Ledger entry flag of MPToken.
pub const lsfMPTAuthorized: u32 = 0x0000_0002;
/// Ledger entry flag of MPToken.
pub const lsfMPTAMM: u32 = 0x0000_0004;

// MPTokenIssuance
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTCanLock: u32 = 0x0000_0002;
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTRequireAuth: u32 = 0x0000_0004;
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTCanEscrow: u32 = 0x0000_0008;
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTCanTrade: u32 = 0x0000_0010;
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTCanTransfer: u32 = 0x0000_0020;
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTCanClawback: u32 = 0x0000_0040;
/// Ledger entry flag of MPTokenIssuance.
pub const lsfMPTCanHoldConfidentialBalance: u32 = 0x0000_0080;

// NFTokenOffer
/// Ledger entry flag of NFTokenOffer.
pub const lsfSellNFToken: u32 = 0x0000_0001;

// Offer
/// Ledger entry flag of Offer.
pub const lsfPassive: u32 = 0x0001_0000;
/// Ledger entry flag of Offer.
pub const lsfSell: u32 = 0x0002_0000;
/// Ledger entry flag of Offer.
pub const lsfHybrid: u32 = 0x0004_0000;

// RippleState
/// Ledger entry flag of RippleState.
pub const lsfLowReserve: u32 = 0x0001_0000;
/// Ledger entry flag of RippleState.
pub const lsfHighReserve: u32 = 0x0002_0000;
/// Ledger entry flag of RippleState.
pub const lsfLowAuth: u32 = 0x0004_0000;
/// Ledger entry flag of RippleState.
pub const lsfHighAuth: u32 = 0x0008_0000;
/// Ledger entry flag of RippleState.
pub const lsfLowNoRipple: u32 = 0x0010_0000;
/// Ledger entry flag of RippleState.
pub const lsfHighNoRipple: u32 = 0x0020_0000;
/// Ledger entry flag of RippleState.
pub const lsfLowFreeze: u32 = 0x0040_0000;
/// Ledger entry flag of RippleState.
pub const lsfHighFreeze: u32 = 0x0080_0000;
/// Ledger entry flag of RippleState.
pub const lsfAMMNode: u32 = 0x0100_0000;
/// Ledger entry flag of RippleState.
pub const lsfLowDeepFreeze: u32 = 0x0200_0000;
/// Ledger entry flag of RippleState.
pub const lsfHighDeepFreeze: u32 = 0x0400_0000;

// SignerList
/// Ledger entry flag of SignerList.
pub const lsfOneOwnerCount: u32 = 0x0001_0000;

// Sponsorship
/// Ledger entry flag of Sponsorship.
pub const lsfSponsorshipRequireSignForFee: u32 = 0x0001_0000;
/// Ledger entry flag of Sponsorship.
pub const lsfSponsorshipRequireSignForReserve: u32 = 0x0002_0000;

// Vault
/// Ledger entry flag of Vault.
pub const lsfVaultPrivate: u32 = 0x0001_0000;

// AccountSet, SetFlag and ClearFlag
/// AccountSet flag number.
pub const asfRequireDest: u32 = 1;
/// AccountSet flag number.
pub const asfRequireAuth: u32 = 2;
/// AccountSet flag number.
pub const asfDisallowXRP: u32 = 3;
/// AccountSet flag number.
pub const asfDisableMaster: u32 = 4;
/// AccountSet flag number.
pub const asfAccountTxnID: u32 = 5;
/// AccountSet flag number.
pub const asfNoFreeze: u32 = 6;
/// AccountSet flag number.
pub const asfGlobalFreeze: u32 = 7;
/// AccountSet flag number.
pub const asfDefaultRipple: u32 = 8;
/// AccountSet flag number.
pub const asfDepositAuth: u32 = 9;
/// AccountSet flag number.
pub const asfAuthorizedNFTokenMinter: u32 = 10;
/// AccountSet flag number.
pub const asfDisallowIncomingNFTokenOffer: u32 = 12;
/// AccountSet flag number.
pub const asfDisallowIncomingCheck: u32 = 13;
/// AccountSet flag number.
pub const asfDisallowIncomingPayChan: u32 = 14;
/// AccountSet flag number.
pub const asfDisallowIncomingTrustline: u32 = 15;
/// AccountSet flag number.
pub const asfAllowTrustLineClawback: u32 = 16;
/// AccountSet flag number.
pub const asfAllowTrustLineLocking: u32 = 17;
