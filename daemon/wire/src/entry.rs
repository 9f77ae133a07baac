//! Ledger entries, typed: what the ledger's state says about accounts, SignerLists, Tickets, Escrows…
//!
//! A typed entry holds what a treasury reads; it is not meant to be written back. Entries of other types stay
//! objects.

use thiserror::Error;

use crate::account::AccountId;
use crate::amount::{Amount, Drops, IssuedAmount};
use crate::error::CodecError;
use crate::field::{Field, sf};
use crate::hash::Hash256;
use crate::json;
use crate::object::Object;
use crate::time::RippleTime;
use crate::typed::{SignerEntry, signer_entries};
use crate::types::LedgerEntryType;
use crate::value::Value;

/// Why an object is not a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// No LedgerEntryType.
    #[error("not a ledger entry: LedgerEntryType is missing")]
    NotAnEntry,
    /// No ledger entry type has this number.
    #[error("{code} is not a ledger entry type")]
    UnknownType {
        /// The number.
        code: u16,
    },
    /// A field that every entry of the type has is missing.
    #[error("{entry_type} needs the field {}", field.name())]
    MissingField {
        /// The entry's type.
        entry_type: LedgerEntryType,
        /// The missing field.
        field: Field,
    },
    /// A field whose value an entry of the type cannot have.
    #[error("{entry_type} has a value in {} that it cannot have", field.name())]
    BadField {
        /// The entry's type.
        entry_type: LedgerEntryType,
        /// The field.
        field: Field,
    },
}

impl EntryError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnEntry => "entry_not_an_entry",
            Self::UnknownType { .. } => "entry_unknown_type",
            Self::MissingField { .. } => "entry_missing_field",
            Self::BadField { .. } => "entry_bad_field",
        }
    }
}

/// The transaction that last changed an entry, where the entry says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Previous {
    /// Its id.
    pub txn_id: Hash256,
    /// The index of its ledger.
    pub ledger_index: u32,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRoot {
    /// The account.
    pub account: AccountId,
    /// Its XRP, in drops, the reserve included.
    pub balance: Drops,
    /// The Sequence that its next transaction without a Ticket needs.
    pub sequence: u32,
    /// How many entries it pays reserve for.
    pub owner_count: u32,
    /// `lsf` flags.
    pub flags: u32,
    /// The account whose master key acts for it too.
    pub regular_key: Option<AccountId>,
    /// How many Tickets it holds.
    pub ticket_count: u32,
    /// The id of its last transaction, if it keeps it.
    pub account_txn_id: Option<Hash256>,
    /// Its domain, in ASCII.
    pub domain: Option<Vec<u8>>,
    /// Its public key for messages.
    pub message_key: Option<Vec<u8>>,
    /// The fee on transfers of its currencies, in billionths.
    pub transfer_rate: Option<u32>,
    /// Significant digits of exchange rates.
    pub tick_size: Option<u8>,
    /// What changed it last.
    pub previous: Option<Previous>,
}

impl AccountRoot {
    /// Whether all bits of `flag` are set.
    #[must_use]
    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags & flag == flag
    }
}

/// Who may sign for an account together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerList {
    /// The weight that signatures must reach.
    pub quorum: u32,
    /// The signers, by AccountID bytes.
    pub entries: Vec<SignerEntry>,
    /// The account, where the entry names it; older servers do not write it.
    pub owner: Option<AccountId>,
    /// `lsf` flags.
    pub flags: u32,
    /// What changed it last.
    pub previous: Option<Previous>,
}

impl SignerList {
    /// The weight of a signer; none for a stranger.
    #[must_use]
    pub fn weight_of(&self, account: &AccountId) -> Option<u16> {
        self.entries.iter().find(|entry| entry.account == *account).map(|entry| entry.weight)
    }
}

/// A number set aside for one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Whose it is.
    pub account: AccountId,
    /// The number.
    pub ticket_sequence: u32,
    /// What changed it last.
    pub previous: Option<Previous>,
}

/// An amount locked for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escrow {
    /// Who locked it.
    pub account: AccountId,
    /// Who gets it.
    pub destination: AccountId,
    /// Which of the destination's customers, say.
    pub destination_tag: Option<u32>,
    /// On whose behalf the account acted.
    pub source_tag: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// The serialized condition to be fulfilled.
    pub condition: Option<Vec<u8>>,
    /// It cannot be finished before this.
    pub finish_after: Option<RippleTime>,
    /// It can be cancelled after this, and no longer finished.
    pub cancel_after: Option<RippleTime>,
    /// The OfferSequence that names it, where the entry says it; older servers do not write it.
    pub sequence: Option<u32>,
    /// What changed it last. An Escrow does not change, so that is what created it.
    pub previous: Option<Previous>,
}

/// A trust line between two accounts. Low is the one whose AccountID bytes come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RippleState {
    /// What low has of high's issue; negative, what high has of low's. Its issuer means nothing.
    pub balance: IssuedAmount,
    /// The most that low trusts high for; its issuer is low.
    pub low_limit: IssuedAmount,
    /// The most that high trusts low for; its issuer is high.
    pub high_limit: IssuedAmount,
    /// `lsf` flags.
    pub flags: u32,
    /// What changed it last.
    pub previous: Option<Previous>,
}

/// What transactions and entries cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeSettings {
    /// The least fee of a transaction with one signature.
    pub base_fee: Drops,
    /// What every account must keep.
    pub reserve_base: Drops,
    /// What it must keep for each entry it owns.
    pub reserve_increment: Drops,
}

/// Leave to pay an account in spite of its DepositAuth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepositPreauth {
    /// The account that is paid.
    pub account: AccountId,
    /// The account that may pay; none where holders of certain credentials may.
    pub authorize: Option<AccountId>,
    /// What changed it last.
    pub previous: Option<Previous>,
}

/// A ledger entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each holds the struct of its name")]
pub enum LedgerEntry {
    AccountRoot(AccountRoot),
    SignerList(SignerList),
    Ticket(Ticket),
    Escrow(Escrow),
    RippleState(RippleState),
    FeeSettings(FeeSettings),
    DepositPreauth(DepositPreauth),
    /// Of another type.
    Other(Object),
}

impl LedgerEntry {
    /// Reads an entry.
    ///
    /// # Errors
    /// Every [`EntryError`].
    pub fn from_object(object: &Object) -> Result<Self, EntryError> {
        let code = object.u16(sf::LedgerEntryType).ok_or(EntryError::NotAnEntry)?;
        let entry_type = LedgerEntryType::from_code(code).ok_or(EntryError::UnknownType { code })?;
        let get = Getter { object, entry_type };
        // What is there and not understood must not pass for what is not there.
        let raw = |field: &&Field| matches!(object.get(**field), Some(Value::Raw(_)));
        if let Some(field) = read_fields(entry_type).iter().find(raw) {
            return Err(get.bad(*field));
        }
        Ok(match entry_type {
            LedgerEntryType::AccountRoot => Self::AccountRoot(get.account_root()?),
            LedgerEntryType::SignerList if !object.has(sf::SignerEntries) => {
                return Err(get.missing(sf::SignerEntries));
            }
            LedgerEntryType::SignerList => Self::SignerList(SignerList {
                quorum: get.u32(sf::SignerQuorum)?,
                entries: signer_entries(object).ok_or(get.bad(sf::SignerEntries))?,
                owner: object.account(sf::Owner),
                flags: get.flags(),
                previous: get.previous(),
            }),
            LedgerEntryType::Ticket => Self::Ticket(Ticket {
                account: get.account(sf::Account)?,
                ticket_sequence: get.u32(sf::TicketSequence)?,
                previous: get.previous(),
            }),
            LedgerEntryType::Escrow => Self::Escrow(get.escrow()?),
            LedgerEntryType::RippleState => Self::RippleState(RippleState {
                balance: get.issued(sf::Balance)?,
                low_limit: get.issued(sf::LowLimit)?,
                high_limit: get.issued(sf::HighLimit)?,
                flags: get.flags(),
                previous: get.previous(),
            }),
            LedgerEntryType::FeeSettings => Self::FeeSettings(get.fee_settings()?),
            LedgerEntryType::DepositPreauth => Self::DepositPreauth(DepositPreauth {
                account: get.account(sf::Account)?,
                authorize: object.account(sf::Authorize),
                previous: get.previous(),
            }),
            _ => Self::Other(object.clone()),
        })
    }
}

impl LedgerEntry {
    /// Reads an entry from a server's JSON, which may be younger than this program: what this program reads of the
    /// type must be as it knows it, and the rest is left out, with what it does not know inside of that. Of a type
    /// that is not read nothing is left but the type.
    ///
    /// # Errors
    /// What is wrong with a field that is read; [`CodecError::Expected`] for what is no object.
    pub fn from_json_lenient(
        entry_type: LedgerEntryType,
        json: &serde_json::Value,
    ) -> Result<Self, EntryJsonError> {
        let mut object = json::fields_from_json(json, read_fields(entry_type))?;
        object.set(sf::LedgerEntryType, entry_type);
        Ok(Self::from_object(&object)?)
    }
}

/// Why JSON is not an entry of its type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryJsonError {
    /// A field has not the form that its type has.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The fields do not make the entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl EntryJsonError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Codec(error) => error.code(),
            Self::Entry(error) => error.code(),
        }
    }
}

/// The fields that are read of an entry of a type, LedgerEntryType aside.
fn read_fields(entry_type: LedgerEntryType) -> &'static [Field] {
    match entry_type {
        LedgerEntryType::AccountRoot => &[
            sf::Account,
            sf::Balance,
            sf::Sequence,
            sf::OwnerCount,
            sf::Flags,
            sf::RegularKey,
            sf::TicketCount,
            sf::AccountTxnID,
            sf::Domain,
            sf::MessageKey,
            sf::TransferRate,
            sf::TickSize,
            sf::PreviousTxnID,
            sf::PreviousTxnLgrSeq,
        ],
        LedgerEntryType::SignerList => &[
            sf::SignerQuorum,
            sf::SignerEntries,
            sf::Owner,
            sf::Flags,
            sf::PreviousTxnID,
            sf::PreviousTxnLgrSeq,
        ],
        LedgerEntryType::Ticket => {
            &[sf::Account, sf::TicketSequence, sf::PreviousTxnID, sf::PreviousTxnLgrSeq]
        }
        LedgerEntryType::Escrow => &[
            sf::Account,
            sf::Destination,
            sf::DestinationTag,
            sf::SourceTag,
            sf::Amount,
            sf::Condition,
            sf::FinishAfter,
            sf::CancelAfter,
            sf::Sequence,
            sf::PreviousTxnID,
            sf::PreviousTxnLgrSeq,
        ],
        LedgerEntryType::RippleState => {
            &[sf::Balance, sf::LowLimit, sf::HighLimit, sf::Flags, sf::PreviousTxnID, sf::PreviousTxnLgrSeq]
        }
        LedgerEntryType::FeeSettings => &[
            sf::BaseFeeDrops,
            sf::ReserveBaseDrops,
            sf::ReserveIncrementDrops,
            sf::BaseFee,
            sf::ReserveBase,
            sf::ReserveIncrement,
        ],
        LedgerEntryType::DepositPreauth => {
            &[sf::Account, sf::Authorize, sf::PreviousTxnID, sf::PreviousTxnLgrSeq]
        }
        _ => &[],
    }
}

/// Fields of an entry, an error where a required one is missing.
struct Getter<'a> {
    object: &'a Object,
    entry_type: LedgerEntryType,
}

impl Getter<'_> {
    fn missing(&self, field: Field) -> EntryError {
        EntryError::MissingField { entry_type: self.entry_type, field }
    }

    fn bad(&self, field: Field) -> EntryError {
        EntryError::BadField { entry_type: self.entry_type, field }
    }

    fn account(&self, field: Field) -> Result<AccountId, EntryError> {
        self.object.account(field).ok_or_else(|| self.missing(field))
    }

    fn u32(&self, field: Field) -> Result<u32, EntryError> {
        self.object.u32(field).ok_or_else(|| self.missing(field))
    }

    fn amount(&self, field: Field) -> Result<Amount, EntryError> {
        self.object.amount(field).ok_or_else(|| self.missing(field))
    }

    fn drops(&self, field: Field) -> Result<Drops, EntryError> {
        match self.amount(field)? {
            Amount::Xrp(drops) => Ok(drops),
            _ => Err(self.bad(field)),
        }
    }

    fn issued(&self, field: Field) -> Result<IssuedAmount, EntryError> {
        match self.amount(field)? {
            Amount::Issued(amount) => Ok(amount),
            _ => Err(self.bad(field)),
        }
    }

    fn flags(&self) -> u32 {
        self.object.u32(sf::Flags).unwrap_or(0)
    }

    fn bytes(&self, field: Field) -> Option<Vec<u8>> {
        self.object.blob(field).map(<[u8]>::to_vec)
    }

    fn previous(&self) -> Option<Previous> {
        Some(Previous {
            txn_id: self.object.hash256(sf::PreviousTxnID)?,
            ledger_index: self.object.u32(sf::PreviousTxnLgrSeq)?,
        })
    }

    fn account_root(&self) -> Result<AccountRoot, EntryError> {
        Ok(AccountRoot {
            account: self.account(sf::Account)?,
            balance: self.drops(sf::Balance)?,
            sequence: self.u32(sf::Sequence)?,
            owner_count: self.u32(sf::OwnerCount)?,
            flags: self.flags(),
            regular_key: self.object.account(sf::RegularKey),
            ticket_count: self.object.u32(sf::TicketCount).unwrap_or(0),
            account_txn_id: self.object.hash256(sf::AccountTxnID),
            domain: self.bytes(sf::Domain),
            message_key: self.bytes(sf::MessageKey),
            transfer_rate: self.object.u32(sf::TransferRate),
            tick_size: self.object.u8(sf::TickSize),
            previous: self.previous(),
        })
    }

    fn escrow(&self) -> Result<Escrow, EntryError> {
        Ok(Escrow {
            account: self.account(sf::Account)?,
            destination: self.account(sf::Destination)?,
            destination_tag: self.object.u32(sf::DestinationTag),
            source_tag: self.object.u32(sf::SourceTag),
            amount: self.amount(sf::Amount)?,
            condition: self.bytes(sf::Condition),
            finish_after: self.object.u32(sf::FinishAfter).map(RippleTime),
            cancel_after: self.object.u32(sf::CancelAfter).map(RippleTime),
            sequence: self.object.u32(sf::Sequence),
            previous: self.previous(),
        })
    }

    /// The XRPFees amendment changed the fields from plain numbers to amounts.
    fn fee_settings(&self) -> Result<FeeSettings, EntryError> {
        if self.object.has(sf::BaseFeeDrops) {
            return Ok(FeeSettings {
                base_fee: self.drops(sf::BaseFeeDrops)?,
                reserve_base: self.drops(sf::ReserveBaseDrops)?,
                reserve_increment: self.drops(sf::ReserveIncrementDrops)?,
            });
        }
        let base_fee = self.object.u64(sf::BaseFee).ok_or(self.missing(sf::BaseFee))?;
        Ok(FeeSettings {
            base_fee: Drops::new(base_fee).map_err(|_| self.bad(sf::BaseFee))?,
            reserve_base: self.number_of_drops(sf::ReserveBase)?,
            reserve_increment: self.number_of_drops(sf::ReserveIncrement)?,
        })
    }

    fn number_of_drops(&self, field: Field) -> Result<Drops, EntryError> {
        Drops::new(u64::from(self.u32(field)?)).map_err(|_| self.bad(field))
    }
}
