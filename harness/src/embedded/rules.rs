//! Fees, reserves and amendments of a ledger, read from its state.

use std::sync::LazyLock;

use xrpl_wire::{Drops, Hash256, Object, index, sf, sha512_half};

use super::state::StateMap;

/// What the network asks for transactions and objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// The fee of the reference transaction.
    pub base_fee: Drops,
    /// What every account must keep.
    pub reserve_base: Drops,
    /// What an account must keep for each object it owns.
    pub reserve_inc: Drops,
}

impl Fees {
    /// The reserve, in drops, of an account that owns so many objects.
    pub fn account_reserve(&self, owner_count: u32) -> u64 {
        let owned = self.reserve_inc.get().saturating_mul(u64::from(owner_count));
        self.reserve_base.get().saturating_add(owned)
    }

    /// Reads the FeeSettings entry, in the form of the XRPFees amendment.
    pub(super) fn read(state: &StateMap) -> Fees {
        let entry = state.object(&index::fee_settings());
        let drops = |field| entry.and_then(|entry| entry.drops(field)).unwrap_or(Drops::ZERO);
        Fees {
            base_fee: drops(sf::BaseFeeDrops),
            reserve_base: drops(sf::ReserveBaseDrops),
            reserve_inc: drops(sf::ReserveIncrementDrops),
        }
    }
}

/// Which of the amendments that make a difference here are in force.
///
/// Everything else is taken to be as on a ledger where all amendments of [`AMENDMENTS`] are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Directory pages carry PreviousTxnID.
    pub fix_previous_txn_id: bool,
    /// An Escrow carries the Sequence or Ticket that made it, a SignerList its Owner.
    pub fix_include_keylet_fields: bool,
    /// Issued currencies can be escrowed.
    pub token_escrow: bool,
    /// Accounts can be deleted, and begin at the index of the ledger that creates them.
    pub deletable_accounts: bool,
    /// Directories have no limit to their pages.
    pub fix_directory_limit: bool,
}

impl Rules {
    /// Reads the Amendments entry.
    pub(super) fn read(state: &StateMap) -> Rules {
        let entry = state.object(&index::amendments());
        let enabled = |name: &str| {
            let id = amendment_id(name);
            entry.and_then(|entry| entry.vector256(sf::Amendments)).is_some_and(|ids| ids.contains(&id))
        };
        Rules {
            fix_previous_txn_id: enabled("fixPreviousTxnID"),
            fix_include_keylet_fields: enabled("fixIncludeKeyletFields"),
            token_escrow: enabled("TokenEscrow"),
            deletable_accounts: enabled("DeletableAccounts"),
            fix_directory_limit: enabled("fixDirectoryLimit"),
        }
    }
}

/// The id of an amendment: the hash of its name.
pub fn amendment_id(name: &str) -> Hash256 {
    sha512_half(&[name.as_bytes()])
}

/// The ids of [`AMENDMENTS`], ascending.
pub static AMENDMENT_IDS: LazyLock<Vec<Hash256>> = LazyLock::new(|| {
    let mut ids: Vec<Hash256> = AMENDMENTS.iter().map(|name| amendment_id(name)).collect();
    ids.sort_unstable();
    ids
});

/// The amendments in force on a fresh ledger of the server's version 3.1.2 in standalone mode.
pub const AMENDMENTS: &[&str] = &[
    "AMM",
    "AMMClawback",
    "CheckCashMakesTrustLine",
    "Checks",
    "Clawback",
    "Credentials",
    "DID",
    "DeepFreeze",
    "DeletableAccounts",
    "DepositAuth",
    "DepositPreauth",
    "DisallowIncoming",
    "DynamicNFT",
    "ExpandedSignerList",
    "Flow",
    "FlowSortStrands",
    "HardenedValidations",
    "ImmediateOfferKilled",
    "LendingProtocol",
    "MPTokensV1",
    "MultiSignReserve",
    "NFTokenMintOffer",
    "NegativeUNL",
    "NonFungibleTokensV1_1",
    "PermissionedDEX",
    "PermissionedDomains",
    "PriceOracle",
    "RequireFullyCanonicalSig",
    "SingleAssetVault",
    "TicketBatch",
    "TokenEscrow",
    "XChainBridge",
    "XRPFees",
    "fix1513",
    "fix1515",
    "fix1543",
    "fix1571",
    "fix1578",
    "fix1623",
    "fix1781",
    "fixAMMClawbackRounding",
    "fixAMMOverflowOffer",
    "fixAMMv1_1",
    "fixAMMv1_2",
    "fixAMMv1_3",
    "fixAmendmentMajorityCalc",
    "fixCheckThreading",
    "fixDirectoryLimit",
    "fixDisallowIncomingV1",
    "fixEmptyDID",
    "fixEnforceNFTokenTrustline",
    "fixEnforceNFTokenTrustlineV2",
    "fixFillOrKill",
    "fixFrozenLPTokenTransfer",
    "fixIncludeKeyletFields",
    "fixInnerObjTemplate",
    "fixInnerObjTemplate2",
    "fixInvalidTxFlags",
    "fixMPTDeliveredAmount",
    "fixMasterKeyAsRegularKey",
    "fixNFTokenPageLinks",
    "fixNFTokenRemint",
    "fixNFTokenReserve",
    "fixNonFungibleTokensV1_2",
    "fixPayChanCancelAfter",
    "fixPayChanRecipientOwnerDir",
    "fixPreviousTxnID",
    "fixPriceOracleOrder",
    "fixQualityUpperBound",
    "fixReducedOffersV1",
    "fixReducedOffersV2",
    "fixRemoveNFTokenAutoTrustLine",
    "fixRmSmallIncreasedQOffers",
    "fixSTAmountCanonicalize",
    "fixTakerDryOfferRemoval",
    "fixTokenEscrowV1",
    "fixTrustLinesToSelf",
    "fixUniversalNumber",
    "fixXChainRewardRounding",
];

/// The FeeSettings entry of a fresh ledger.
pub(super) fn fee_settings_entry(fees: &Fees) -> Object {
    Object::new()
        .with(sf::LedgerEntryType, xrpl_wire::LedgerEntryType::FeeSettings.code())
        .with(sf::Flags, 0u32)
        .with(sf::BaseFeeDrops, xrpl_wire::Amount::Xrp(fees.base_fee))
        .with(sf::ReserveBaseDrops, xrpl_wire::Amount::Xrp(fees.reserve_base))
        .with(sf::ReserveIncrementDrops, xrpl_wire::Amount::Xrp(fees.reserve_inc))
}
