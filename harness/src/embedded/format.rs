//! What of the ledger's format a generation of the server knows. The tables of the format are the newest server's;
//! what came later than a generation is as unknown to it as what never was.

use xrpl_wire::{Field, LedgerEntryType, Object, TransactionType, Value, sf};

use super::apply::is_known;
use super::generation::Generation;

/// Fields that came with 3.2.
const SINCE_3_2: &[Field] = &[sf::ReferenceHolding, sf::TakerPaysMPT, sf::TakerGetsMPT];

/// Fields that came with 3.3: those of confidential amounts.
const SINCE_3_3: &[Field] = &[
    sf::ConfidentialBalanceVersion,
    sf::ConfidentialOutstandingAmount,
    sf::BlindingFactor,
    sf::ConfidentialBalanceInbox,
    sf::ConfidentialBalanceSpending,
    sf::IssuerEncryptedBalance,
    sf::IssuerEncryptionKey,
    sf::HolderEncryptionKey,
    sf::ZKProof,
    sf::HolderEncryptedAmount,
    sf::IssuerEncryptedAmount,
    sf::SenderEncryptedAmount,
    sf::DestinationEncryptedAmount,
    sf::AuditorEncryptedBalance,
    sf::AuditorEncryptedAmount,
    sf::AuditorEncryptionKey,
    sf::AmountCommitment,
    sf::BalanceCommitment,
];

/// Fields that came later than every generation here: those of sponsors, of keys that change, of vaults that end.
const LATER: &[Field] = &[
    sf::SponsoredOwnerCount,
    sf::SponsoringOwnerCount,
    sf::SponsoringAccountCount,
    sf::RemainingOwnerCount,
    sf::SponsorFlags,
    sf::SubscriptionDate,
    sf::RedemptionDate,
    sf::IssuerKeyEpoch,
    sf::AuditorKeyEpoch,
    sf::IssuerKeyMirrorEpoch,
    sf::AuditorKeyMirrorEpoch,
    sf::SponseeNode,
    sf::ObjectID,
    sf::FeeAmount,
    sf::MaxFee,
    sf::FeeAmountDelta,
    sf::Sponsor,
    sf::HighSponsor,
    sf::LowSponsor,
    sf::CounterpartySponsor,
    sf::Sponsee,
    sf::RemainingOwnerCountDelta,
    sf::SponsorSignature,
    sf::LEVersion,
    sf::VaultKind,
];

/// Whether a generation has a field.
pub(super) fn knows_field(generation: Generation, field: Field) -> bool {
    if LATER.contains(&field) {
        return false;
    }
    match generation {
        Generation::V3_1 => !SINCE_3_2.contains(&field) && !SINCE_3_3.contains(&field),
        Generation::V3_2 => !SINCE_3_3.contains(&field),
        Generation::V3_3 => true,
    }
}

/// Whether a generation has a type of transaction.
pub(super) fn knows_transaction(generation: Generation, kind: TransactionType) -> bool {
    is_known(kind, generation)
}

/// Whether a generation has a type of entry.
pub(super) fn knows_entry(_: Generation, kind: LedgerEntryType) -> bool {
    kind != LedgerEntryType::Sponsorship
}

/// The first field, at any depth, that a generation does not have.
pub(super) fn unknown_field(generation: Generation, object: &Object) -> Option<Field> {
    object.iter().find_map(|(field, value)| {
        if !knows_field(generation, field) {
            return Some(field);
        }
        match value {
            Value::Object(inner) => unknown_field(generation, inner),
            Value::Array(items) => items.iter().find_map(|(name, item)| {
                (!knows_field(generation, *name)).then_some(*name).or_else(|| unknown_field(generation, item))
            }),
            _ => None,
        }
    })
}
