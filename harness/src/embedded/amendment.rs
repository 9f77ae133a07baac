//! Every amendment that a server generation knows, and how it stands there.

use std::sync::LazyLock;

use xrpl_wire::{Hash256, sha512_half};

use super::generation::Generation;
use Standing::{Genesis, Off, Retired, Unknown};

/// How an amendment stands in a generation of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The generation has never heard of it.
    Unknown,
    /// Known, and not in force on a fresh ledger.
    Off,
    /// In force on a fresh ledger, and listed in its Amendments entry.
    Genesis,
    /// In force always, whatever the ledger lists: the code from before it is gone.
    Retired,
}

macro_rules! amendments {
    ($($variant:ident, $name:literal, [$($standing:ident),+];)+) => {
        /// An amendment, by the name that its id is the hash of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "an amendment is known by its name; what it changes stands where it is asked about")]
        pub enum Amendment { $($variant),+ }

        impl Amendment {
            /// Every amendment that some generation knows.
            pub const ALL: &[Amendment] = &[$(Amendment::$variant),+];

            /// The name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Amendment::$variant => $name),+ }
            }

            /// How it stands in each generation, oldest first.
            const fn standings(self) -> [Standing; Generation::ALL.len()] {
                match self { $(Amendment::$variant => [$($standing),+]),+ }
            }
        }
    };
}

// The columns are the generations, oldest first.
amendments! {
    AMM, "AMM", [Genesis, Genesis, Genesis];
    AMMClawback, "AMMClawback", [Genesis, Genesis, Genesis];
    Batch, "Batch", [Off, Off, Unknown];
    BatchV1_1, "BatchV1_1", [Unknown, Unknown, Off];
    CheckCashMakesTrustLine, "CheckCashMakesTrustLine", [Genesis, Retired, Retired];
    Checks, "Checks", [Genesis, Retired, Retired];
    Clawback, "Clawback", [Genesis, Genesis, Retired];
    ConfidentialTransfer, "ConfidentialTransfer", [Unknown, Unknown, Off];
    Cosign, "Cosign", [Unknown, Unknown, Off];
    Credentials, "Credentials", [Genesis, Genesis, Genesis];
    CryptoConditions, "CryptoConditions", [Retired, Retired, Retired];
    CryptoConditionsSuite, "CryptoConditionsSuite", [Off, Retired, Retired];
    DeepFreeze, "DeepFreeze", [Genesis, Genesis, Genesis];
    DeletableAccounts, "DeletableAccounts", [Genesis, Retired, Retired];
    DepositAuth, "DepositAuth", [Genesis, Retired, Retired];
    DepositPreauth, "DepositPreauth", [Genesis, Retired, Retired];
    DID, "DID", [Genesis, Genesis, Genesis];
    DisallowIncoming, "DisallowIncoming", [Genesis, Retired, Retired];
    DynamicMPT, "DynamicMPT", [Unknown, Off, Genesis];
    DynamicNFT, "DynamicNFT", [Genesis, Genesis, Genesis];
    EnforceInvariants, "EnforceInvariants", [Retired, Retired, Retired];
    Escrow, "Escrow", [Retired, Retired, Retired];
    ExpandedSignerList, "ExpandedSignerList", [Genesis, Retired, Retired];
    FeeEscalation, "FeeEscalation", [Retired, Retired, Retired];
    Flow, "Flow", [Genesis, Retired, Retired];
    FlowCross, "FlowCross", [Retired, Retired, Retired];
    FlowSortStrands, "FlowSortStrands", [Genesis, Retired, Retired];
    HardenedValidations, "HardenedValidations", [Genesis, Retired, Retired];
    ImmediateOfferKilled, "ImmediateOfferKilled", [Genesis, Retired, Retired];
    LendingProtocol, "LendingProtocol", [Genesis, Genesis, Genesis];
    LendingProtocolV1_1, "LendingProtocolV1_1", [Unknown, Unknown, Off];
    MPTokensV1, "MPTokensV1", [Genesis, Genesis, Genesis];
    MPTokensV2, "MPTokensV2", [Unknown, Off, Off];
    MultiSign, "MultiSign", [Retired, Retired, Retired];
    MultiSignReserve, "MultiSignReserve", [Genesis, Retired, Retired];
    NegativeUNL, "NegativeUNL", [Genesis, Retired, Retired];
    NFTokenMintOffer, "NFTokenMintOffer", [Genesis, Genesis, Genesis];
    NonFungibleTokensV1, "NonFungibleTokensV1", [Off, Unknown, Unknown];
    NonFungibleTokensV1_1, "NonFungibleTokensV1_1", [Genesis, Retired, Retired];
    PayChan, "PayChan", [Retired, Retired, Retired];
    PermissionDelegation, "PermissionDelegation", [Off, Unknown, Unknown];
    PermissionDelegationV1_1, "PermissionDelegationV1_1", [Unknown, Off, Genesis];
    PermissionedDEX, "PermissionedDEX", [Genesis, Genesis, Genesis];
    PermissionedDomains, "PermissionedDomains", [Genesis, Genesis, Genesis];
    PriceOracle, "PriceOracle", [Genesis, Genesis, Genesis];
    RequireFullyCanonicalSig, "RequireFullyCanonicalSig", [Genesis, Retired, Retired];
    SingleAssetVault, "SingleAssetVault", [Genesis, Genesis, Genesis];
    SortedDirectories, "SortedDirectories", [Retired, Retired, Retired];
    Sponsor, "Sponsor", [Unknown, Unknown, Unknown];
    TicketBatch, "TicketBatch", [Genesis, Retired, Retired];
    TickSize, "TickSize", [Retired, Retired, Retired];
    TokenEscrow, "TokenEscrow", [Genesis, Genesis, Genesis];
    TrustSetAuth, "TrustSetAuth", [Retired, Retired, Retired];
    XChainBridge, "XChainBridge", [Genesis, Genesis, Genesis];
    XRPFees, "XRPFees", [Genesis, Genesis, Genesis];
    Fix1201, "fix1201", [Retired, Retired, Retired];
    Fix1368, "fix1368", [Retired, Retired, Retired];
    Fix1373, "fix1373", [Retired, Retired, Retired];
    Fix1512, "fix1512", [Retired, Retired, Retired];
    Fix1513, "fix1513", [Genesis, Retired, Retired];
    Fix1515, "fix1515", [Genesis, Retired, Retired];
    Fix1523, "fix1523", [Retired, Retired, Retired];
    Fix1528, "fix1528", [Retired, Retired, Retired];
    Fix1543, "fix1543", [Genesis, Retired, Retired];
    Fix1571, "fix1571", [Genesis, Retired, Retired];
    Fix1578, "fix1578", [Genesis, Retired, Retired];
    Fix1623, "fix1623", [Genesis, Retired, Retired];
    Fix1781, "fix1781", [Genesis, Retired, Retired];
    FixAmendmentMajorityCalc, "fixAmendmentMajorityCalc", [Genesis, Retired, Retired];
    FixAMMClawbackRounding, "fixAMMClawbackRounding", [Genesis, Genesis, Genesis];
    FixAMMOverflowOffer, "fixAMMOverflowOffer", [Genesis, Genesis, Genesis];
    FixAMMv1_1, "fixAMMv1_1", [Genesis, Genesis, Genesis];
    FixAMMv1_2, "fixAMMv1_2", [Genesis, Genesis, Genesis];
    FixAMMv1_3, "fixAMMv1_3", [Genesis, Genesis, Genesis];
    FixBatchInnerSigs, "fixBatchInnerSigs", [Off, Off, Unknown];
    FixCheckThreading, "fixCheckThreading", [Genesis, Retired, Retired];
    FixCleanup3_1_3, "fixCleanup3_1_3", [Unknown, Genesis, Genesis];
    FixCleanup3_2_0, "fixCleanup3_2_0", [Unknown, Genesis, Genesis];
    FixCleanup3_3_0, "fixCleanup3_3_0", [Unknown, Unknown, Genesis];
    FixDirectoryLimit, "fixDirectoryLimit", [Genesis, Genesis, Genesis];
    FixDisallowIncomingV1, "fixDisallowIncomingV1", [Genesis, Genesis, Genesis];
    FixEmptyDID, "fixEmptyDID", [Genesis, Genesis, Genesis];
    FixEnforceNFTokenTrustline, "fixEnforceNFTokenTrustline", [Genesis, Genesis, Genesis];
    FixEnforceNFTokenTrustlineV2, "fixEnforceNFTokenTrustlineV2", [Genesis, Genesis, Genesis];
    FixFillOrKill, "fixFillOrKill", [Genesis, Genesis, Genesis];
    FixFrozenLPTokenTransfer, "fixFrozenLPTokenTransfer", [Genesis, Genesis, Genesis];
    FixIncludeKeyletFields, "fixIncludeKeyletFields", [Genesis, Genesis, Genesis];
    FixInnerObjTemplate, "fixInnerObjTemplate", [Genesis, Genesis, Genesis];
    FixInnerObjTemplate2, "fixInnerObjTemplate2", [Genesis, Genesis, Genesis];
    FixInvalidTxFlags, "fixInvalidTxFlags", [Genesis, Genesis, Genesis];
    FixMasterKeyAsRegularKey, "fixMasterKeyAsRegularKey", [Genesis, Retired, Retired];
    FixMPTDeliveredAmount, "fixMPTDeliveredAmount", [Genesis, Genesis, Genesis];
    FixNFTokenDirV1, "fixNFTokenDirV1", [Off, Unknown, Unknown];
    FixNFTokenNegOffer, "fixNFTokenNegOffer", [Off, Unknown, Unknown];
    FixNFTokenPageLinks, "fixNFTokenPageLinks", [Genesis, Genesis, Genesis];
    FixNFTokenRemint, "fixNFTokenRemint", [Genesis, Retired, Retired];
    FixNFTokenReserve, "fixNFTokenReserve", [Genesis, Genesis, Retired];
    FixNonFungibleTokensV1_2, "fixNonFungibleTokensV1_2", [Genesis, Retired, Retired];
    FixPayChanCancelAfter, "fixPayChanCancelAfter", [Genesis, Genesis, Genesis];
    FixPayChanRecipientOwnerDir, "fixPayChanRecipientOwnerDir", [Genesis, Retired, Retired];
    FixPreviousTxnID, "fixPreviousTxnID", [Genesis, Genesis, Genesis];
    FixPriceOracleOrder, "fixPriceOracleOrder", [Genesis, Genesis, Genesis];
    FixQualityUpperBound, "fixQualityUpperBound", [Genesis, Retired, Retired];
    FixReducedOffersV1, "fixReducedOffersV1", [Genesis, Retired, Retired];
    FixReducedOffersV2, "fixReducedOffersV2", [Genesis, Genesis, Genesis];
    FixRemoveNFTokenAutoTrustLine, "fixRemoveNFTokenAutoTrustLine", [Genesis, Genesis, Genesis];
    FixRmSmallIncreasedQOffers, "fixRmSmallIncreasedQOffers", [Genesis, Retired, Retired];
    FixSTAmountCanonicalize, "fixSTAmountCanonicalize", [Genesis, Retired, Retired];
    FixTakerDryOfferRemoval, "fixTakerDryOfferRemoval", [Genesis, Retired, Retired];
    FixTokenEscrowV1, "fixTokenEscrowV1", [Genesis, Genesis, Genesis];
    FixTrustLinesToSelf, "fixTrustLinesToSelf", [Genesis, Retired, Retired];
    FixUniversalNumber, "fixUniversalNumber", [Genesis, Genesis, Retired];
    FixXChainRewardRounding, "fixXChainRewardRounding", [Genesis, Genesis, Genesis];
}

/// The ids, in the order of [`Amendment::ALL`].
static IDS: LazyLock<Vec<Hash256>> =
    LazyLock::new(|| Amendment::ALL.iter().map(|amendment| amendment_id(amendment.name())).collect());

impl Amendment {
    /// The amendment of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Amendment> {
        Amendment::ALL.iter().copied().find(|amendment| amendment.name() == name)
    }

    /// The amendment of an id.
    #[must_use]
    pub fn from_id(id: &Hash256) -> Option<Amendment> {
        Amendment::ALL.iter().zip(IDS.iter()).find(|(_, known)| *known == id).map(|(amendment, _)| *amendment)
    }

    /// The id: the hash of the name.
    #[must_use]
    pub fn id(self) -> Hash256 {
        amendment_id(self.name())
    }

    /// How it stands in a generation.
    #[must_use]
    pub const fn standing(self, generation: Generation) -> Standing {
        let [v3_1, v3_2, v3_3] = self.standings();
        match generation {
            Generation::V3_1 => v3_1,
            Generation::V3_2 => v3_2,
            Generation::V3_3 => v3_3,
        }
    }
}

/// The id of an amendment: the hash of its name.
#[must_use]
pub fn amendment_id(name: &str) -> Hash256 {
    sha512_half(&[name.as_bytes()])
}

/// A set of amendments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct AmendmentSet(u128);

// Each amendment has a bit of its own.
const _: () = assert!(Amendment::ALL.len() <= 128);

impl AmendmentSet {
    pub(super) const fn contains(self, amendment: Amendment) -> bool {
        self.0 & AmendmentSet::bit(amendment) != 0
    }

    pub(super) const fn insert(&mut self, amendment: Amendment) {
        self.0 |= AmendmentSet::bit(amendment);
    }

    pub(super) const fn remove(&mut self, amendment: Amendment) {
        self.0 &= !AmendmentSet::bit(amendment);
    }

    #[expect(
        clippy::as_conversions,
        reason = "the place of a variant of an enum with fewer than 128, as checked above"
    )]
    const fn bit(amendment: Amendment) -> u128 {
        1 << (amendment as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_as_many_amendments_as_its_server_lists() {
        let count = |generation, standing| {
            Amendment::ALL.iter().filter(|amendment| amendment.standing(generation) == standing).count()
        };
        assert_eq!(
            [
                count(Generation::V3_1, Genesis),
                count(Generation::V3_2, Genesis),
                count(Generation::V3_3, Genesis)
            ],
            [79, 46, 46]
        );
        assert_eq!(count(Generation::V3_2, Retired), 52);
        assert_eq!(count(Generation::V3_2, Off), 5);
    }

    #[test]
    fn what_is_retired_stays_in_force() {
        let in_force = |standing| matches!(standing, Genesis | Retired);
        for amendment in Amendment::ALL {
            let standings = amendment.standings();
            for (before, after) in standings.iter().zip(&standings[1..]) {
                assert!(!in_force(*before) || in_force(*after), "{} is lost", amendment.name());
                assert!(*before != Retired || *after == Retired, "{} comes back", amendment.name());
            }
        }
    }

    #[test]
    fn names_and_ids_lead_back_to_the_amendment() {
        for amendment in Amendment::ALL {
            assert_eq!(Amendment::from_name(amendment.name()), Some(*amendment));
            assert_eq!(Amendment::from_id(&amendment.id()), Some(*amendment));
        }
        assert_eq!(Amendment::from_name("nosuch"), None);
    }
}
