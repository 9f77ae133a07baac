//! Which fields each type of transaction has.

pub mod entries;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Field, Object, TransactionType, Value, sf};

/// Whether a field of a template must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It must be there.
    Required,
    /// It may be there.
    Optional,
    /// It may be there, but not with the value that its absence means (such as an empty list).
    Default,
}

/// The fields that every transaction may have.
pub fn common() -> &'static [(Field, Presence)] {
    COMMON
}

/// The fields of one type of transaction, besides the common ones.
pub fn template(kind: TransactionType) -> &'static [(Field, Presence)] {
    OWN.get(&kind).map_or(&[], Vec::as_slice)
}

/// Whether and how a field belongs to a type of transaction; none if it does not.
pub fn presence(kind: TransactionType, field: Field) -> Option<Presence> {
    presence_in(template(kind), field)
}

/// The same for a type whose own fields are at hand.
pub(crate) fn presence_in(own: &[(Field, Presence)], field: Field) -> Option<Presence> {
    own.iter().chain(COMMON).find(|(name, _)| *name == field).map(|(_, presence)| *presence)
}

/// The fields a transaction of a type must have.
pub fn required(kind: TransactionType) -> impl Iterator<Item = Field> {
    COMMON
        .iter()
        .chain(template(kind))
        .filter(|(_, presence)| *presence == Presence::Required)
        .map(|(field, _)| *field)
}

/// The fields of an object that has a template of its own wherever it stands; none for other objects.
pub fn inner(name: Field) -> Option<&'static [(Field, Presence)]> {
    INNER.iter().find(|(of, _)| *of == name).map(|(_, fields)| *fields)
}

/// Whether an object is one that may stand under a name: it fits the template of its own, if it has one, and so do
/// those within it.
pub fn fits_inner(name: Field, fields: &Object) -> bool {
    check_one(name, fields).is_ok()
}

/// Looks through the objects and arrays of an object for one that does not fit its template. The first that does
/// not, and what is wrong with it, deepest first.
pub(crate) fn check_inner(object: &Object) -> Result<(), InnerFault> {
    for (name, value) in object.iter() {
        match value {
            Value::Object(fields) => check_one(name, fields)?,
            Value::Array(items) => items.iter().try_for_each(|(name, fields)| check_one(*name, fields))?,
            _ => {}
        }
    }
    Ok(())
}

/// A field that an inner object lacks, or one that it may not have.
pub(crate) enum InnerFault {
    Missing(Field),
    Unknown(Field),
}

fn check_one(name: Field, fields: &Object) -> Result<(), InnerFault> {
    check_inner(fields)?;
    let Some(template) = inner(name) else { return Ok(()) };
    let required = template.iter().filter(|(_, presence)| *presence == Presence::Required);
    if let Some((missing, _)) = required.into_iter().find(|(field, _)| !fields.has(*field)) {
        return Err(InnerFault::Missing(*missing));
    }
    match fields.iter().find(|(field, _)| template.iter().all(|(known, _)| known != field)) {
        Some((unknown, _)) => Err(InnerFault::Unknown(unknown)),
        None => Ok(()),
    }
}

const REQUIRED: Presence = Presence::Required;
const OPTIONAL: Presence = Presence::Optional;

static INNER: &[(Field, &[(Field, Presence)])] = &[
    (
        sf::SignerEntry,
        &[(sf::Account, REQUIRED), (sf::SignerWeight, REQUIRED), (sf::WalletLocator, OPTIONAL)],
    ),
    (sf::Signer, &[(sf::Account, REQUIRED), (sf::SigningPubKey, REQUIRED), (sf::TxnSignature, REQUIRED)]),
    (sf::Majority, &[(sf::Amendment, REQUIRED), (sf::CloseTime, REQUIRED)]),
    (sf::DisabledValidator, &[(sf::PublicKey, REQUIRED), (sf::FirstLedgerSequence, REQUIRED)]),
    (sf::NFToken, &[(sf::NFTokenID, REQUIRED), (sf::URI, OPTIONAL)]),
    (
        sf::VoteEntry,
        &[(sf::Account, REQUIRED), (sf::TradingFee, Presence::Default), (sf::VoteWeight, REQUIRED)],
    ),
    (
        sf::AuctionSlot,
        &[
            (sf::Account, REQUIRED),
            (sf::Expiration, REQUIRED),
            (sf::DiscountedFee, Presence::Default),
            (sf::Price, REQUIRED),
            (sf::AuthAccounts, OPTIONAL),
        ],
    ),
    (sf::AuthAccount, &[(sf::Account, REQUIRED)]),
    (
        sf::PriceData,
        &[
            (sf::BaseAsset, REQUIRED),
            (sf::QuoteAsset, REQUIRED),
            (sf::AssetPrice, OPTIONAL),
            (sf::Scale, Presence::Default),
        ],
    ),
    (sf::Credential, &[(sf::Issuer, REQUIRED), (sf::CredentialType, REQUIRED)]),
    (sf::Permission, &[(sf::PermissionValue, REQUIRED)]),
    (
        sf::BatchSigner,
        &[
            (sf::Account, REQUIRED),
            (sf::SigningPubKey, OPTIONAL),
            (sf::TxnSignature, OPTIONAL),
            (sf::Signers, OPTIONAL),
        ],
    ),
    (sf::Book, &[(sf::BookDirectory, REQUIRED), (sf::BookNode, REQUIRED)]),
    (sf::CounterpartySignature, SIGNATURE),
    (sf::SponsorSignature, SIGNATURE),
    (
        sf::ProposalSignature,
        &[(sf::Account, REQUIRED), (sf::SigningPubKey, REQUIRED), (sf::TxnSignature, REQUIRED)],
    ),
];

/// What a second signature within a transaction consists of.
const SIGNATURE: &[(Field, Presence)] =
    &[(sf::SigningPubKey, OPTIONAL), (sf::TxnSignature, OPTIONAL), (sf::Signers, OPTIONAL)];

/// Declares the templates.
macro_rules! templates {
    ($($kind:ident {
        $(required: $($required:ident)*;)?
        $(optional: $($optional:ident)*;)?
        $(default: $($default:ident)*;)?
    })*) => {
        static OWN: LazyLock<HashMap<TransactionType, Vec<(Field, Presence)>>> = LazyLock::new(|| {
            HashMap::from([$((TransactionType::$kind, vec![
                $($((sf::$required, Presence::Required),)*)?
                $($((sf::$optional, Presence::Optional),)*)?
                $($((sf::$default, Presence::Default),)*)?
            ]),)*])
        });
    };
}

static COMMON: &[(Field, Presence)] = &[
    (sf::TransactionType, Presence::Required),
    (sf::Flags, Presence::Optional),
    (sf::SourceTag, Presence::Optional),
    (sf::Account, Presence::Required),
    (sf::Sequence, Presence::Required),
    (sf::PreviousTxnID, Presence::Optional),
    (sf::LastLedgerSequence, Presence::Optional),
    (sf::AccountTxnID, Presence::Optional),
    (sf::Fee, Presence::Required),
    (sf::OperationLimit, Presence::Optional),
    (sf::Memos, Presence::Optional),
    (sf::SigningPubKey, Presence::Required),
    (sf::TicketSequence, Presence::Optional),
    (sf::TxnSignature, Presence::Optional),
    (sf::Signers, Presence::Optional),
    (sf::NetworkID, Presence::Optional),
    (sf::Delegate, Presence::Optional),
    (sf::Sponsor, Presence::Optional),
    (sf::SponsorFlags, Presence::Optional),
    (sf::SponsorSignature, Presence::Optional),
];

templates! {
    Payment {
        required: Destination Amount;
        optional: SendMax InvoiceID DestinationTag DeliverMin CredentialIDs DomainID;
        default: Paths;
    }
    EscrowCreate {
        required: Destination Amount;
        optional: Condition CancelAfter FinishAfter DestinationTag;
    }
    EscrowFinish {
        required: Owner OfferSequence;
        optional: Fulfillment Condition CredentialIDs;
    }
    AccountSet {
        optional:
            EmailHash WalletLocator WalletSize MessageKey Domain TransferRate SetFlag ClearFlag TickSize
            NFTokenMinter;
    }
    EscrowCancel {
        required: Owner OfferSequence;
    }
    SetRegularKey {
        optional: RegularKey;
    }
    OfferCreate {
        required: TakerPays TakerGets;
        optional: Expiration OfferSequence DomainID;
    }
    OfferCancel {
        required: OfferSequence;
    }
    TicketCreate {
        required: TicketCount;
    }
    SignerListSet {
        required: SignerQuorum;
        optional: SignerEntries;
    }
    PaymentChannelCreate {
        required: Destination Amount SettleDelay PublicKey;
        optional: CancelAfter DestinationTag;
    }
    PaymentChannelFund {
        required: Channel Amount;
        optional: Expiration;
    }
    PaymentChannelClaim {
        required: Channel;
        optional: Amount Balance Signature PublicKey CredentialIDs;
    }
    CheckCreate {
        required: Destination SendMax;
        optional: Expiration DestinationTag InvoiceID;
    }
    CheckCash {
        required: CheckID;
        optional: Amount DeliverMin;
    }
    CheckCancel {
        required: CheckID;
    }
    DepositPreauth {
        optional: Authorize Unauthorize AuthorizeCredentials UnauthorizeCredentials;
    }
    TrustSet {
        optional: LimitAmount QualityIn QualityOut;
    }
    AccountDelete {
        required: Destination;
        optional: DestinationTag CredentialIDs;
    }
    NFTokenMint {
        required: NFTokenTaxon;
        optional: TransferFee Issuer URI Amount Destination Expiration;
    }
    NFTokenBurn {
        required: NFTokenID;
        optional: Owner;
    }
    NFTokenCreateOffer {
        required: NFTokenID Amount;
        optional: Destination Owner Expiration;
    }
    NFTokenCancelOffer {
        required: NFTokenOffers;
    }
    NFTokenAcceptOffer {
        optional: NFTokenBuyOffer NFTokenSellOffer NFTokenBrokerFee;
    }
    Clawback {
        required: Amount;
        optional: Holder;
    }
    AMMClawback {
        required: Holder Asset Asset2;
        optional: Amount;
    }
    AMMCreate {
        required: Amount Amount2 TradingFee;
    }
    AMMDeposit {
        required: Asset Asset2;
        optional: Amount Amount2 EPrice LPTokenOut TradingFee;
    }
    AMMWithdraw {
        required: Asset Asset2;
        optional: Amount Amount2 EPrice LPTokenIn;
    }
    AMMVote {
        required: Asset Asset2 TradingFee;
    }
    AMMBid {
        required: Asset Asset2;
        optional: BidMin BidMax AuthAccounts;
    }
    AMMDelete {
        required: Asset Asset2;
    }
    XChainCreateClaimID {
        required: XChainBridge SignatureReward OtherChainSource;
    }
    XChainCommit {
        required: XChainBridge XChainClaimID Amount;
        optional: OtherChainDestination;
    }
    XChainClaim {
        required: XChainBridge XChainClaimID Destination Amount;
        optional: DestinationTag;
    }
    XChainAccountCreateCommit {
        required: XChainBridge Destination Amount SignatureReward;
    }
    XChainAddClaimAttestation {
        required:
            XChainBridge AttestationSignerAccount PublicKey Signature OtherChainSource Amount
            AttestationRewardAccount WasLockingChainSend XChainClaimID;
        optional: Destination;
    }
    XChainAddAccountCreateAttestation {
        required:
            XChainBridge AttestationSignerAccount PublicKey Signature OtherChainSource Amount
            AttestationRewardAccount WasLockingChainSend XChainAccountCreateCount Destination
            SignatureReward;
    }
    XChainModifyBridge {
        required: XChainBridge;
        optional: SignatureReward MinAccountCreateAmount;
    }
    XChainCreateBridge {
        required: XChainBridge SignatureReward;
        optional: MinAccountCreateAmount;
    }
    DIDSet {
        optional: DIDDocument URI Data;
    }
    DIDDelete {
    }
    OracleSet {
        required: OracleDocumentID LastUpdateTime PriceDataSeries;
        optional: Provider URI AssetClass;
    }
    OracleDelete {
        required: OracleDocumentID;
    }
    LedgerStateFix {
        required: LedgerFixType;
        optional: Owner BookDirectory;
    }
    MPTokenIssuanceCreate {
        optional: AssetScale TransferFee MaximumAmount MPTokenMetadata DomainID ImmutableFlags;
    }
    MPTokenIssuanceDestroy {
        required: MPTokenIssuanceID;
    }
    MPTokenIssuanceSet {
        required: MPTokenIssuanceID;
        optional:
            Holder DomainID MPTokenMetadata TransferFee ImmutableFlags IssuerEncryptionKey
            AuditorEncryptionKey;
    }
    MPTokenAuthorize {
        required: MPTokenIssuanceID;
        optional: Holder;
    }
    CredentialCreate {
        required: Subject CredentialType;
        optional: Expiration URI;
    }
    CredentialAccept {
        required: Issuer CredentialType;
    }
    CredentialDelete {
        required: CredentialType;
        optional: Subject Issuer;
    }
    NFTokenModify {
        required: NFTokenID;
        optional: Owner URI;
    }
    PermissionedDomainSet {
        required: AcceptedCredentials;
        optional: DomainID;
    }
    PermissionedDomainDelete {
        required: DomainID;
    }
    DelegateSet {
        required: Authorize Permissions;
    }
    VaultCreate {
        required: Asset;
        optional:
            AssetsMaximum MPTokenMetadata DomainID WithdrawalPolicy Data Scale VaultKind SubscriptionDate
            RedemptionDate;
    }
    VaultSet {
        required: VaultID;
        optional: AssetsMaximum DomainID Data;
    }
    VaultDelete {
        required: VaultID;
        optional: MemoData;
    }
    VaultDeposit {
        required: VaultID Amount;
    }
    VaultWithdraw {
        required: VaultID Amount;
        optional: Destination DestinationTag CredentialIDs;
    }
    VaultClawback {
        required: VaultID Holder;
        optional: Amount;
    }
    Batch {
        required: RawTransactions;
        optional: BatchSigners;
    }
    LoanBrokerSet {
        required: VaultID;
        optional: LoanBrokerID Data ManagementFeeRate DebtMaximum CoverRateMinimum CoverRateLiquidation;
    }
    LoanBrokerDelete {
        required: LoanBrokerID;
    }
    LoanBrokerCoverDeposit {
        required: LoanBrokerID Amount;
    }
    LoanBrokerCoverWithdraw {
        required: LoanBrokerID Amount;
        optional: Destination DestinationTag CredentialIDs;
    }
    LoanBrokerCoverClawback {
        optional: LoanBrokerID Amount;
    }
    LoanSet {
        required: LoanBrokerID PrincipalRequested;
        optional:
            Data Counterparty CounterpartySignature LoanOriginationFee LoanServiceFee LatePaymentFee
            ClosePaymentFee OverpaymentFee InterestRate LateInterestRate CloseInterestRate
            OverpaymentInterestRate PaymentTotal PaymentInterval GracePeriod;
    }
    LoanDelete {
        required: LoanID;
    }
    LoanManage {
        required: LoanID;
    }
    LoanPay {
        required: LoanID Amount;
    }
    ConfidentialMPTConvert {
        required: MPTokenIssuanceID MPTAmount HolderEncryptedAmount IssuerEncryptedAmount BlindingFactor;
        optional: HolderEncryptionKey AuditorEncryptedAmount ZKProof;
    }
    ConfidentialMPTMergeInbox {
        required: MPTokenIssuanceID;
    }
    ConfidentialMPTConvertBack {
        required:
            MPTokenIssuanceID MPTAmount HolderEncryptedAmount IssuerEncryptedAmount BlindingFactor ZKProof
            BalanceCommitment;
        optional: AuditorEncryptedAmount;
    }
    ConfidentialMPTSend {
        required:
            MPTokenIssuanceID Destination SenderEncryptedAmount DestinationEncryptedAmount
            IssuerEncryptedAmount ZKProof AmountCommitment BalanceCommitment;
        optional: DestinationTag AuditorEncryptedAmount CredentialIDs;
    }
    ConfidentialMPTClawback {
        required: MPTokenIssuanceID Holder MPTAmount ZKProof;
    }
    SponsorshipTransfer {
        optional: ObjectID Sponsee;
    }
    SponsorshipSet {
        optional: CounterpartySponsor Sponsee FeeAmountDelta MaxFee RemainingOwnerCountDelta;
    }
    TransactionProposalCreate {
        required: ProposedTransaction Expiration;
    }
    TransactionProposalSign {
        required: ProposalID SigningFor ProposalSignature;
    }
    TransactionProposalCancel {
        required: ProposalID;
    }
    EnableAmendment {
        required: LedgerSequence Amendment;
    }
    SetFee {
        optional:
            LedgerSequence BaseFee ReferenceFeeUnits ReserveBase ReserveIncrement BaseFeeDrops
            ReserveBaseDrops ReserveIncrementDrops;
    }
    UNLModify {
        required: UNLModifyDisabling LedgerSequence UNLModifyValidator;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_template_without_common_fields_or_repetitions() {
        for kind in TransactionType::ALL {
            assert!(OWN.contains_key(kind), "{kind}");
            let mut fields: Vec<Field> =
                common().iter().chain(template(*kind)).map(|(field, _)| *field).collect();
            let length = fields.len();
            fields.sort_unstable();
            fields.dedup();
            assert_eq!(fields.len(), length, "{kind}");
        }
    }

    #[test]
    fn a_payment_needs_a_destination_and_has_no_owner() {
        let presence = |field| presence(TransactionType::Payment, field);
        assert_eq!(presence(sf::Destination), Some(Presence::Required));
        assert_eq!(presence(sf::SendMax), Some(Presence::Optional));
        assert_eq!(presence(sf::Paths), Some(Presence::Default));
        assert_eq!(presence(sf::Memos), Some(Presence::Optional));
        assert_eq!(presence(sf::Owner), None);
        let required: Vec<Field> = required(TransactionType::TicketCreate).collect();
        assert!(required.contains(&sf::TicketCount) && required.contains(&sf::Fee));
    }
}
