//! Which fields each type of ledger entry has.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Presence;
use crate::{Field, LedgerEntryType, sf};

/// The fields that every entry may have.
pub fn common() -> &'static [(Field, Presence)] {
    &[
        (sf::LedgerIndex, Presence::Optional),
        (sf::LedgerEntryType, Presence::Required),
        (sf::Flags, Presence::Required),
    ]
}

/// The fields of one type of entry, besides the common ones.
pub fn template(kind: LedgerEntryType) -> &'static [(Field, Presence)] {
    OWN.get(&kind).map_or(&[], Vec::as_slice)
}

/// Declares the templates. A `threaded` entry names the transaction that changed it last; some do so since an amendment
/// only, and may lack it.
macro_rules! templates {
    ($($kind:ident {
        $(required: $($required:ident)*;)?
        $(optional: $($optional:ident)*;)?
        $(default: $($default:ident)*;)?
        $(threaded: $threaded:ident;)?
    })*) => {
        static OWN: LazyLock<HashMap<LedgerEntryType, Vec<(Field, Presence)>>> = LazyLock::new(|| {
            HashMap::from([$((LedgerEntryType::$kind, vec![
                $($((sf::$required, Presence::Required),)*)?
                $($((sf::$optional, Presence::Optional),)*)?
                $($((sf::$default, Presence::Default),)*)?
                $(
                    (sf::PreviousTxnID, Presence::$threaded),
                    (sf::PreviousTxnLgrSeq, Presence::$threaded),
                )?
            ]),)*])
        });
    };
}

templates! {
    NFTokenOffer {
        required: Owner NFTokenID Amount OwnerNode NFTokenOfferNode;
        optional: Destination Expiration;
        threaded: Required;
    }
    Check {
        required: Account Destination SendMax Sequence OwnerNode DestinationNode;
        optional: Expiration InvoiceID SourceTag DestinationTag;
        threaded: Required;
    }
    DID {
        required: Account OwnerNode;
        optional: DIDDocument URI Data;
        threaded: Required;
    }
    NegativeUNL {
        optional: DisabledValidators ValidatorToDisable ValidatorToReEnable;
        threaded: Optional;
    }
    NFTokenPage {
        required: NFTokens;
        optional: PreviousPageMin NextPageMin;
        threaded: Required;
    }
    SignerList {
        required: OwnerNode SignerQuorum SignerEntries SignerListID;
        optional: Owner;
        threaded: Required;
    }
    Ticket {
        required: Account OwnerNode TicketSequence;
        threaded: Required;
    }
    AccountRoot {
        required: Account Sequence Balance OwnerCount;
        optional:
            AccountTxnID RegularKey EmailHash WalletLocator WalletSize MessageKey TransferRate Domain TickSize
            TicketCount NFTokenMinter FirstNFTokenSequence AMMID VaultID LoanBrokerID;
        default: MintedNFTokens BurnedNFTokens;
        threaded: Required;
    }
    DirectoryNode {
        required: Indexes RootIndex;
        optional:
            Owner TakerPaysCurrency TakerPaysIssuer TakerPaysMPT TakerGetsCurrency TakerGetsIssuer TakerGetsMPT
            ExchangeRate IndexNext IndexPrevious NFTokenID DomainID;
        threaded: Optional;
    }
    Amendments {
        optional: Amendments Majorities;
        threaded: Optional;
    }
    LedgerHashes {
        required: Hashes;
        optional: FirstLedgerSequence LastLedgerSequence;
    }
    Bridge {
        required:
            Account SignatureReward XChainBridge XChainClaimID XChainAccountCreateCount XChainAccountClaimCount
            OwnerNode;
        optional: MinAccountCreateAmount;
        threaded: Required;
    }
    Offer {
        required: Account Sequence TakerPays TakerGets BookDirectory BookNode OwnerNode;
        optional: Expiration DomainID AdditionalBooks;
        threaded: Required;
    }
    DepositPreauth {
        required: Account OwnerNode;
        optional: Authorize AuthorizeCredentials;
        threaded: Required;
    }
    XChainOwnedClaimID {
        required:
            Account XChainBridge XChainClaimID OtherChainSource XChainClaimAttestations SignatureReward
            OwnerNode;
        threaded: Required;
    }
    RippleState {
        required: Balance LowLimit HighLimit;
        optional: LowNode LowQualityIn LowQualityOut HighNode HighQualityIn HighQualityOut;
        threaded: Required;
    }
    FeeSettings {
        optional:
            BaseFee ReferenceFeeUnits ReserveBase ReserveIncrement BaseFeeDrops ReserveBaseDrops
            ReserveIncrementDrops;
        threaded: Optional;
    }
    XChainOwnedCreateAccountClaimID {
        required: Account XChainBridge XChainAccountCreateCount XChainCreateAccountAttestations OwnerNode;
        threaded: Required;
    }
    Escrow {
        required: Account Destination Amount OwnerNode;
        optional:
            Sequence Condition CancelAfter FinishAfter SourceTag DestinationTag DestinationNode TransferRate
            IssuerNode;
        threaded: Required;
    }
    PayChannel {
        required: Account Destination Amount Balance PublicKey SettleDelay OwnerNode;
        optional: Sequence Expiration CancelAfter SourceTag DestinationTag DestinationNode;
        threaded: Required;
    }
    AMM {
        required: Account LPTokenBalance Asset Asset2 OwnerNode;
        optional: VoteSlots AuctionSlot;
        default: TradingFee;
        threaded: Optional;
    }
    MPTokenIssuance {
        required: Issuer Sequence OwnerNode OutstandingAmount;
        optional: MaximumAmount LockedAmount MPTokenMetadata DomainID;
        default: TransferFee AssetScale ImmutableFlags;
        threaded: Required;
    }
    MPToken {
        required: Account MPTokenIssuanceID OwnerNode;
        optional: LockedAmount;
        default: MPTAmount;
        threaded: Required;
    }
    Oracle {
        required: Owner Provider PriceDataSeries AssetClass LastUpdateTime OwnerNode;
        optional: OracleDocumentID URI;
        threaded: Required;
    }
    Credential {
        required: Subject Issuer CredentialType IssuerNode;
        optional: Expiration URI SubjectNode;
        threaded: Required;
    }
    PermissionedDomain {
        required: Owner Sequence AcceptedCredentials OwnerNode;
        threaded: Required;
    }
    Delegate {
        required: Account Authorize Permissions OwnerNode;
        optional: DestinationNode;
        threaded: Required;
    }
    TransactionProposal {
        required: Owner ProposedTransaction Expiration OwnerNode;
        threaded: Required;
    }
    Vault {
        required: Sequence OwnerNode Owner Account Asset ShareMPTID WithdrawalPolicy;
        optional: Data;
        default: AssetsTotal AssetsAvailable AssetsMaximum LossUnrealized Scale;
        threaded: Required;
    }
    LoanBroker {
        required: Sequence OwnerNode VaultNode VaultID Account Owner LoanSequence;
        default:
            Data ManagementFeeRate OwnerCount DebtTotal DebtMaximum CoverAvailable CoverRateMinimum
            CoverRateLiquidation;
        threaded: Required;
    }
    Loan {
        required:
            OwnerNode LoanBrokerNode LoanBrokerID LoanSequence Borrower StartDate PaymentInterval
            PeriodicPayment;
        default:
            LoanOriginationFee LoanServiceFee LatePaymentFee ClosePaymentFee OverpaymentFee InterestRate
            LateInterestRate CloseInterestRate OverpaymentInterestRate GracePeriod PreviousPaymentDueDate
            NextPaymentDueDate PaymentRemaining PrincipalOutstanding TotalValueOutstanding
            ManagementFeeOutstanding LoanScale;
        threaded: Required;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_that_servers_make_has_a_template_without_repetitions() {
        for kind in LedgerEntryType::ALL.iter().filter(|kind| **kind != LedgerEntryType::Sponsorship) {
            let mut fields: Vec<Field> =
                common().iter().chain(template(*kind)).map(|(field, _)| *field).collect();
            assert!(fields.len() > common().len(), "{kind}");
            let length = fields.len();
            fields.sort_unstable();
            fields.dedup();
            assert_eq!(fields.len(), length, "{kind}");
        }
    }
}
