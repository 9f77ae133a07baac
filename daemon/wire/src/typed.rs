//! Typed transactions: what a caller fills in, and what a transaction says.
//!
//! A typed form holds every field it has a place for and no other. Building from it and reading back gives the same
//! again. Reading a transaction with further fields is an error naming the field, because dropping it would show
//! less than was signed; [`TxBody::parse_lossy`] is there for those who only look.

use crate::account::AccountId;
use crate::amount::{Amount, Drops, IssuedAmount};
use crate::field::{Field, sf};
use crate::hash::Hash256;
use crate::memo::{self, Memo};
use crate::object::Object;
use crate::time::RippleTime;
use crate::tx::{SeqProxy, Transaction, TxError};
use crate::types::TransactionType;
use crate::value::Value;

/// What every transaction has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TxCommon {
    /// The account it acts for, which pays the fee.
    pub account: AccountId,
    /// Its Sequence or Ticket.
    pub seq: SeqProxy,
    /// The fee, in drops.
    pub fee: Drops,
    /// The last ledger that may hold it.
    pub last_ledger_sequence: Option<u32>,
    /// A number that says on whose behalf the account acts.
    pub source_tag: Option<u32>,
    /// The network it is for. Needed on networks numbered above 1024, forbidden on others.
    pub network_id: Option<u32>,
    /// Notes. At most 1024 bytes serialized.
    pub memos: Vec<Memo>,
    /// The type's and the universal `tf` flags; left out of the transaction where 0.
    pub flags: u32,
}

/// Sends XRP or an issued currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who gets it.
    pub destination: AccountId,
    /// Which of the destination's customers, say.
    pub destination_tag: Option<u32>,
    /// How much is to arrive; with `tfPartialPayment` at most that.
    pub amount: Amount,
    /// The most that may be spent.
    pub send_max: Option<Amount>,
    /// With `tfPartialPayment`, the least that may arrive.
    pub deliver_min: Option<Amount>,
}

/// Changes an account's settings. A field that is none stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountSet {
    /// The `asf` number of a setting to switch on.
    pub set_flag: Option<u32>,
    /// The `asf` number of a setting to switch off.
    pub clear_flag: Option<u32>,
    /// The account's domain, in ASCII; empty takes it away.
    pub domain: Option<Vec<u8>>,
    /// MD5 of an email address; zeros take it away.
    pub email_hash: Option<[u8; 16]>,
    /// A public key for messages; empty takes it away.
    pub message_key: Option<Vec<u8>>,
    /// The fee on transfers of the account's currencies: billionths, 1,000,000,000 to 2,000,000,000, or 0 for none.
    pub transfer_rate: Option<u32>,
    /// Significant digits of exchange rates, 3 to 15, or 0 for all.
    pub tick_size: Option<u8>,
    /// 32 bytes without meaning to the ledger; zeros take them away.
    pub wallet_locator: Option<Hash256>,
    /// Who may mint NFTokens for the account.
    pub nftoken_minter: Option<AccountId>,
}

/// Sets or takes away an account's RegularKey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRegularKey {
    /// The account whose master key becomes the RegularKey; none takes it away.
    pub regular_key: Option<AccountId>,
}

/// Lets an account pay in spite of DepositAuth, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepositPreauth {
    /// Let it.
    Authorize(AccountId),
    /// No longer.
    Unauthorize(AccountId),
}

/// One entry of a SignerList.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignerEntry {
    /// The signer.
    pub account: AccountId,
    /// What its signature counts, 1 to 65535.
    pub weight: u16,
}

/// Sets, replaces or deletes a SignerList.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerListSet {
    /// The weight that signatures must reach; 0, without entries, deletes the list.
    pub quorum: u32,
    /// The signers, 1 to 32, in any order.
    pub entries: Vec<SignerEntry>,
}

/// Sets Tickets aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketCreate {
    /// How many, 1 to 250.
    pub count: u32,
}

/// Locks an amount for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscrowCreate {
    /// Who gets it when the escrow is finished.
    pub destination: AccountId,
    /// Which of the destination's customers, say.
    pub destination_tag: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// The serialized condition to be fulfilled; see [`crate::condition`].
    pub condition: Option<Vec<u8>>,
    /// It cannot be finished before this.
    pub finish_after: Option<RippleTime>,
    /// It can be cancelled after this, and no longer finished.
    pub cancel_after: Option<RippleTime>,
}

/// Delivers an escrow.
#[derive(Clone, PartialEq, Eq)]
pub struct EscrowFinish {
    /// Who created it.
    pub owner: AccountId,
    /// The Sequence or TicketSequence of its EscrowCreate.
    pub offer_sequence: u32,
    /// Its condition, where it has one.
    pub condition: Option<Vec<u8>>,
    /// What fulfills the condition. It makes the secret public.
    pub fulfillment: Option<Vec<u8>>,
}

/// Leaves the fulfillment out: until the transaction is sent, it is a secret that no log should hold.
impl core::fmt::Debug for EscrowFinish {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EscrowFinish")
            .field("owner", &self.owner)
            .field("offer_sequence", &self.offer_sequence)
            .field("condition", &self.condition)
            .finish_non_exhaustive()
    }
}

/// Returns an escrow to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscrowCancel {
    /// Who created it.
    pub owner: AccountId,
    /// The Sequence or TicketSequence of its EscrowCreate.
    pub offer_sequence: u32,
}

/// Sets a trust line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustSet {
    /// The most of the currency that the account trusts its issuer for.
    pub limit_amount: IssuedAmount,
    /// What incoming amounts are worth, in billionths; 0 for face value.
    pub quality_in: Option<u32>,
    /// What outgoing amounts are worth, in billionths; 0 for face value.
    pub quality_out: Option<u32>,
}

/// Deletes an account and sends what it has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountDelete {
    /// Who gets it.
    pub destination: AccountId,
    /// Which of the destination's customers, say.
    pub destination_tag: Option<u32>,
}

/// What a transaction does, for the types that have a typed form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each holds the struct of its name")]
pub enum TxBody {
    Payment(Payment),
    AccountSet(AccountSet),
    SetRegularKey(SetRegularKey),
    DepositPreauth(DepositPreauth),
    SignerListSet(SignerListSet),
    TicketCreate(TicketCreate),
    EscrowCreate(EscrowCreate),
    EscrowFinish(EscrowFinish),
    EscrowCancel(EscrowCancel),
    TrustSet(TrustSet),
    AccountDelete(AccountDelete),
}

/// Builds an unsigned transaction: its SigningPubKey is empty, as multi-signing needs it.
///
/// # Errors
/// `MemosTooLong` and `MemoCharacter` of [`TxError`], and `Codec` for a value that cannot be written, such as a
/// blob over 918,744 bytes.
pub fn build(common: &TxCommon, body: &TxBody) -> Result<Transaction, TxError> {
    let (sequence, ticket) = match common.seq {
        SeqProxy::Sequence(sequence) => (sequence, None),
        SeqProxy::Ticket(ticket) => (0, Some(ticket)),
    };
    let mut object = body
        .to_object()
        .with(sf::TransactionType, body.tx_type())
        .with(sf::Account, common.account)
        .with(sf::Sequence, sequence)
        .with(sf::Fee, common.fee)
        .with(sf::SigningPubKey, Vec::<u8>::new())
        .with_some(sf::TicketSequence, ticket)
        .with_some(sf::LastLedgerSequence, common.last_ledger_sequence)
        .with_some(sf::SourceTag, common.source_tag)
        .with_some(sf::NetworkID, common.network_id);
    if common.flags != 0 {
        object.set(sf::Flags, common.flags);
    }
    if !common.memos.is_empty() {
        let memos = common.memos.iter().map(|memo| (sf::Memo, memo.to_object())).collect();
        object.set(sf::Memos, Value::Array(memos));
        memo::check_memos(&object)?;
    }
    Transaction::from_object(object)
}

impl TxCommon {
    /// What every transaction has to have, and nothing besides.
    #[must_use]
    pub fn new(account: AccountId, seq: SeqProxy, fee: Drops) -> Self {
        Self {
            account,
            seq,
            fee,
            last_ledger_sequence: None,
            source_tag: None,
            network_id: None,
            memos: Vec::new(),
            flags: 0,
        }
    }

    /// Reads what every transaction has. Signatures are left out.
    ///
    /// # Errors
    /// `FieldNotTyped` where there are common fields of rarer kinds (AccountTxnID, Delegate…) or both a Sequence and
    /// a Ticket, and `MemoCharacter`, `MemoMalformed` of [`TxError`].
    pub fn parse(tx: &Transaction) -> Result<Self, TxError> {
        let common = Self::parse_lossy(tx)?;
        let object = tx.object();
        for field in [
            sf::AccountTxnID,
            sf::Delegate,
            sf::OperationLimit,
            sf::PreviousTxnID,
            sf::Sponsor,
            sf::SponsorFlags,
            sf::SponsorSignature,
        ] {
            if object.has(field) {
                return Err(TxError::FieldNotTyped { tx_type: tx.tx_type(), field });
            }
        }
        if object.has(sf::TicketSequence) && !common.seq.is_ticket() {
            return Err(TxError::FieldNotTyped { tx_type: tx.tx_type(), field: sf::TicketSequence });
        }
        Ok(common)
    }

    /// Reads what every transaction has, and drops what has no place here.
    ///
    /// # Errors
    /// `MemoCharacter` and `MemoMalformed` of [`TxError`].
    pub fn parse_lossy(tx: &Transaction) -> Result<Self, TxError> {
        let object = tx.object();
        Ok(Self {
            account: tx.account(),
            seq: tx.seq(),
            fee: tx.fee(),
            last_ledger_sequence: tx.last_ledger_sequence(),
            source_tag: object.u32(sf::SourceTag),
            network_id: object.u32(sf::NetworkID),
            memos: memo::memos(object)?,
            flags: tx.flags(),
        })
    }
}

impl TxBody {
    /// The TransactionType.
    #[must_use]
    pub fn tx_type(&self) -> TransactionType {
        match self {
            Self::Payment(_) => TransactionType::Payment,
            Self::AccountSet(_) => TransactionType::AccountSet,
            Self::SetRegularKey(_) => TransactionType::SetRegularKey,
            Self::DepositPreauth(_) => TransactionType::DepositPreauth,
            Self::SignerListSet(_) => TransactionType::SignerListSet,
            Self::TicketCreate(_) => TransactionType::TicketCreate,
            Self::EscrowCreate(_) => TransactionType::EscrowCreate,
            Self::EscrowFinish(_) => TransactionType::EscrowFinish,
            Self::EscrowCancel(_) => TransactionType::EscrowCancel,
            Self::TrustSet(_) => TransactionType::TrustSet,
            Self::AccountDelete(_) => TransactionType::AccountDelete,
        }
    }

    /// Reads what a transaction does.
    ///
    /// # Errors
    /// `NotTyped` for other types, `FieldNotTyped` for a field without a place here, `MissingField` and `BadField`
    /// of [`TxError`].
    pub fn parse(tx: &Transaction) -> Result<Self, TxError> {
        let body = Self::parse_lossy(tx)?;
        // What is written back is all that was read: a field that is missing from it has no place.
        let written = body.to_object();
        let untyped = tx
            .object()
            .iter()
            .find(|(field, value)| !COMMON.contains(field) && written.get(*field) != Some(*value));
        match untyped {
            Some((field, _)) => Err(TxError::FieldNotTyped { tx_type: tx.tx_type(), field }),
            None => Ok(body),
        }
    }

    /// Reads what a transaction does, and drops fields that have no place here, such as a payment's Paths.
    ///
    /// # Errors
    /// `NotTyped` for other types, `MissingField` and `BadField` of [`TxError`].
    pub fn parse_lossy(tx: &Transaction) -> Result<Self, TxError> {
        let get = Getter { object: tx.object(), tx_type: tx.tx_type() };
        Ok(match tx.tx_type() {
            TransactionType::Payment => Self::Payment(Payment {
                destination: get.account(sf::Destination)?,
                destination_tag: get.object.u32(sf::DestinationTag),
                amount: get.amount(sf::Amount)?,
                send_max: get.object.amount(sf::SendMax),
                deliver_min: get.object.amount(sf::DeliverMin),
            }),
            TransactionType::AccountSet => Self::AccountSet(AccountSet {
                set_flag: get.object.u32(sf::SetFlag),
                clear_flag: get.object.u32(sf::ClearFlag),
                domain: get.object.blob(sf::Domain).map(<[u8]>::to_vec),
                email_hash: match get.object.get(sf::EmailHash) {
                    Some(Value::Hash128(hash)) => Some(*hash),
                    _ => None,
                },
                message_key: get.object.blob(sf::MessageKey).map(<[u8]>::to_vec),
                transfer_rate: get.object.u32(sf::TransferRate),
                tick_size: get.object.u8(sf::TickSize),
                wallet_locator: get.object.hash256(sf::WalletLocator),
                nftoken_minter: get.object.account(sf::NFTokenMinter),
            }),
            TransactionType::SetRegularKey => {
                Self::SetRegularKey(SetRegularKey { regular_key: get.object.account(sf::RegularKey) })
            }
            TransactionType::DepositPreauth => Self::DepositPreauth(get.deposit_preauth()?),
            TransactionType::SignerListSet => Self::SignerListSet(SignerListSet {
                quorum: get.u32(sf::SignerQuorum)?,
                entries: signer_entries(get.object)
                    .ok_or(TxError::BadField { field: sf::SignerEntries, what: "an entry is malformed" })?,
            }),
            TransactionType::TicketCreate => {
                Self::TicketCreate(TicketCreate { count: get.u32(sf::TicketCount)? })
            }
            TransactionType::EscrowCreate => Self::EscrowCreate(EscrowCreate {
                destination: get.account(sf::Destination)?,
                destination_tag: get.object.u32(sf::DestinationTag),
                amount: get.amount(sf::Amount)?,
                condition: get.object.blob(sf::Condition).map(<[u8]>::to_vec),
                finish_after: get.object.u32(sf::FinishAfter).map(RippleTime),
                cancel_after: get.object.u32(sf::CancelAfter).map(RippleTime),
            }),
            TransactionType::EscrowFinish => Self::EscrowFinish(EscrowFinish {
                owner: get.account(sf::Owner)?,
                offer_sequence: get.u32(sf::OfferSequence)?,
                condition: get.object.blob(sf::Condition).map(<[u8]>::to_vec),
                fulfillment: get.object.blob(sf::Fulfillment).map(<[u8]>::to_vec),
            }),
            TransactionType::EscrowCancel => Self::EscrowCancel(EscrowCancel {
                owner: get.account(sf::Owner)?,
                offer_sequence: get.u32(sf::OfferSequence)?,
            }),
            TransactionType::TrustSet => Self::TrustSet(TrustSet {
                limit_amount: match get.amount(sf::LimitAmount)? {
                    Amount::Issued(limit) => limit,
                    _ => {
                        return Err(TxError::BadField {
                            field: sf::LimitAmount,
                            what: "not an issued currency",
                        });
                    }
                },
                quality_in: get.object.u32(sf::QualityIn),
                quality_out: get.object.u32(sf::QualityOut),
            }),
            TransactionType::AccountDelete => Self::AccountDelete(AccountDelete {
                destination: get.account(sf::Destination)?,
                destination_tag: get.object.u32(sf::DestinationTag),
            }),
            tx_type => return Err(TxError::NotTyped { tx_type }),
        })
    }

    /// The fields of the body alone.
    fn to_object(&self) -> Object {
        let object = Object::new();
        match self {
            Self::Payment(body) => object
                .with(sf::Destination, body.destination)
                .with_some(sf::DestinationTag, body.destination_tag)
                .with(sf::Amount, body.amount)
                .with_some(sf::SendMax, body.send_max)
                .with_some(sf::DeliverMin, body.deliver_min),
            Self::AccountSet(body) => object
                .with_some(sf::SetFlag, body.set_flag)
                .with_some(sf::ClearFlag, body.clear_flag)
                .with_some(sf::Domain, body.domain.clone())
                .with_some(sf::EmailHash, body.email_hash)
                .with_some(sf::MessageKey, body.message_key.clone())
                .with_some(sf::TransferRate, body.transfer_rate)
                .with_some(sf::TickSize, body.tick_size)
                .with_some(sf::WalletLocator, body.wallet_locator)
                .with_some(sf::NFTokenMinter, body.nftoken_minter),
            Self::SetRegularKey(body) => object.with_some(sf::RegularKey, body.regular_key),
            Self::DepositPreauth(DepositPreauth::Authorize(account)) => object.with(sf::Authorize, *account),
            Self::DepositPreauth(DepositPreauth::Unauthorize(account)) => {
                object.with(sf::Unauthorize, *account)
            }
            Self::SignerListSet(body) => {
                let object = object.with(sf::SignerQuorum, body.quorum);
                if body.entries.is_empty() {
                    return object;
                }
                let entries = body.entries.iter().map(|entry| {
                    let inner =
                        Object::new().with(sf::Account, entry.account).with(sf::SignerWeight, entry.weight);
                    (sf::SignerEntry, inner)
                });
                object.with(sf::SignerEntries, Value::Array(entries.collect()))
            }
            Self::TicketCreate(body) => object.with(sf::TicketCount, body.count),
            Self::EscrowCreate(body) => object
                .with(sf::Destination, body.destination)
                .with_some(sf::DestinationTag, body.destination_tag)
                .with(sf::Amount, body.amount)
                .with_some(sf::Condition, body.condition.clone())
                .with_some(sf::FinishAfter, body.finish_after)
                .with_some(sf::CancelAfter, body.cancel_after),
            Self::EscrowFinish(body) => object
                .with(sf::Owner, body.owner)
                .with(sf::OfferSequence, body.offer_sequence)
                .with_some(sf::Condition, body.condition.clone())
                .with_some(sf::Fulfillment, body.fulfillment.clone()),
            Self::EscrowCancel(body) => {
                object.with(sf::Owner, body.owner).with(sf::OfferSequence, body.offer_sequence)
            }
            Self::TrustSet(body) => object
                .with(sf::LimitAmount, body.limit_amount)
                .with_some(sf::QualityIn, body.quality_in)
                .with_some(sf::QualityOut, body.quality_out),
            Self::AccountDelete(body) => object
                .with(sf::Destination, body.destination)
                .with_some(sf::DestinationTag, body.destination_tag),
        }
    }
}

/// The SignerEntries of a SignerListSet or a SignerList; empty where there are none, none where one is malformed.
pub(crate) fn signer_entries(object: &Object) -> Option<Vec<SignerEntry>> {
    object
        .array(sf::SignerEntries)
        .unwrap_or_default()
        .iter()
        .map(|(field, entry)| {
            let account = entry.account(sf::Account).filter(|_| *field == sf::SignerEntry)?;
            Some(SignerEntry { account, weight: entry.u16(sf::SignerWeight)? })
        })
        .collect()
}

/// The fields of every transaction, which [`TxCommon`] answers for.
const COMMON: [Field; 20] = [
    sf::Account,
    sf::AccountTxnID,
    sf::Delegate,
    sf::Fee,
    sf::Flags,
    sf::LastLedgerSequence,
    sf::Memos,
    sf::NetworkID,
    sf::OperationLimit,
    sf::PreviousTxnID,
    sf::Sequence,
    sf::Signers,
    sf::SigningPubKey,
    sf::SourceTag,
    sf::Sponsor,
    sf::SponsorFlags,
    sf::SponsorSignature,
    sf::TicketSequence,
    sf::TransactionType,
    sf::TxnSignature,
];

/// Required fields of a transaction's object.
struct Getter<'a> {
    object: &'a Object,
    tx_type: TransactionType,
}

impl Getter<'_> {
    fn missing(&self, field: Field) -> TxError {
        TxError::MissingField { tx_type: self.tx_type, field }
    }

    fn account(&self, field: Field) -> Result<AccountId, TxError> {
        self.object.account(field).ok_or_else(|| self.missing(field))
    }

    fn amount(&self, field: Field) -> Result<Amount, TxError> {
        self.object.amount(field).ok_or_else(|| self.missing(field))
    }

    fn u32(&self, field: Field) -> Result<u32, TxError> {
        self.object.u32(field).ok_or_else(|| self.missing(field))
    }

    fn deposit_preauth(&self) -> Result<DepositPreauth, TxError> {
        match (self.object.account(sf::Authorize), self.object.account(sf::Unauthorize)) {
            (Some(account), None) => Ok(DepositPreauth::Authorize(account)),
            (None, Some(account)) => Ok(DepositPreauth::Unauthorize(account)),
            (None, None) => Err(self.missing(sf::Authorize)),
            (Some(_), Some(_)) => {
                Err(TxError::BadField { field: sf::Unauthorize, what: "not together with Authorize" })
            }
        }
    }
}
