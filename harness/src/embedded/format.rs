//! What of the ledger's format a generation of the server knows. The tables of the format are the newest server's;
//! what came later than a generation is as unknown to it as what never was.

use serde_json::{Map, Value as Json};
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

/// Fields of native proposals.
const COSIGN: &[Field] = &[sf::ProposalID, sf::SigningFor, sf::ProposedTransaction, sf::ProposalSignature];

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
        Generation::V3_1 => ![SINCE_3_2, SINCE_3_3, COSIGN].iter().any(|later| later.contains(&field)),
        Generation::V3_2 => ![SINCE_3_3, COSIGN].iter().any(|later| later.contains(&field)),
        Generation::V3_3 => true,
    }
}

/// What servers call a field that has another name since, as far as the newest generation here.
const FORMER_NAMES: &[(Field, &str)] = &[(sf::ImmutableFlags, "MutableFlags")];

/// What these generations call a field.
pub(super) fn field_name(field: Field) -> &'static str {
    let former = FORMER_NAMES.iter().find(|(renamed, _)| *renamed == field);
    former.map_or(field.name(), |(_, name)| name)
}

/// The field that these generations call so.
pub(super) fn field_named(name: &str) -> Option<Field> {
    match FORMER_NAMES.iter().find(|(_, former)| *former == name) {
        Some((field, _)) => Some(*field),
        None => Field::from_name(name).filter(|field| field_name(*field) == name),
    }
}

/// An object as these generations print it.
pub(super) fn to_json(object: &Object) -> Json {
    object.to_json_named(field_name)
}

/// JSON with the names of these generations, with the names of the newest server.
pub(super) fn with_new_names(json: &Map<String, Json>) -> Json {
    let mut json = Json::Object(json.clone());
    for (field, former) in FORMER_NAMES {
        rename(&mut json, former, field.name());
    }
    json
}

fn rename(json: &mut Json, from: &str, to: &str) {
    match json {
        Json::Object(fields) => {
            if let Some(value) = fields.remove(from) {
                fields.insert(to.to_owned(), value);
            }
            fields.iter_mut().for_each(|(_, inner)| rename(inner, from, to));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        _ => {}
    }
}

/// Whether a generation has a type of transaction.
pub(super) fn knows_transaction(generation: Generation, kind: TransactionType) -> bool {
    is_known(kind, generation)
}

/// Whether a generation has a type of entry.
pub(super) fn knows_entry(generation: Generation, kind: LedgerEntryType) -> bool {
    match kind {
        LedgerEntryType::Sponsorship => false,
        LedgerEntryType::TransactionProposal => {
            knows_transaction(generation, TransactionType::TransactionProposalCreate)
        }
        _ => true,
    }
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
