//! What was seen on the ledger, reduced to what decisions need. The daemon's ledger port decodes and
//! proves it; these types are also the stored form.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xrpl_wire::entry::RippleState;
use xrpl_wire::flags::{
    lsfHighDeepFreeze, lsfHighFreeze, lsfHighNoRipple, lsfHighReserve, lsfLowDeepFreeze, lsfLowFreeze,
    lsfLowNoRipple, lsfLowReserve,
};
use xrpl_wire::{IouValue, IssuedAmount};

pub use crate::model::settings::SettingsView;
use crate::model::units::{
    AccountId, Amount, Asset, Drops, EscrowKey, Hash256, HexBytes, LedgerIndex, RippleTime, SeqProxy, Weight,
};

/// A place in the chain of validated ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPoint {
    /// Its index.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
    /// Its close time: what the next ledger's transactions compare their times with.
    pub close_time: RippleTime,
}

impl LedgerPoint {
    /// Before every ledger: what compares as the distant past.
    pub const ZERO: Self = Self { index: LedgerIndex(0), hash: Hash256::ZERO, close_time: RippleTime(0) };
}

/// Fees and reserves, in drops, as the validated ledger has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkFees {
    /// Cost of a reference transaction.
    pub base_fee: Drops,
    /// What every account must keep.
    pub reserve_base: Drops,
    /// What it must keep for each object it owns.
    pub reserve_inc: Drops,
}

/// One validated ledger, as far as it concerns watched accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerObservation {
    /// Which ledger.
    pub point: LedgerPoint,
    /// The hash of the ledger before it.
    pub parent_hash: Hash256,
    /// Fees and reserves from here on.
    pub fees: NetworkFees,
    /// Transactions *of* treasury accounts, and those that ended an escrow of theirs, in ledger order.
    pub transactions: Vec<ObservedTx>,
    /// What changed for watched accounts, in ledger order.
    pub changes: Vec<Change>,
    /// Transactions that touched watched accounts and that could not be read whole, in ledger order: what
    /// they did to these accounts is not, or not all, in `changes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque: Vec<OpaqueTx>,
    /// That no transaction of a watched account is left out is one server's word, and not proven.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unproven: bool,
}

/// Whether a field says nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A validated transaction that touches watched accounts and cannot be read whole: the network knows a
/// type, an entry or a field that this program does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpaqueTx {
    /// Its id.
    pub id: Hash256,
    /// The watched accounts that its bytes name.
    pub accounts: BTreeSet<AccountId>,
    /// What could not be read, for people.
    pub reason: String,
}

/// A validated transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedTx {
    /// Its id.
    pub id: Hash256,
    /// Who sent it.
    pub account: AccountId,
    /// Sequence or Ticket: with `account`, what an intent is followed by.
    pub slot: SeqProxy,
    /// `TransactionType`.
    pub tx_type: String,
    /// Final result, such as `tesSUCCESS`.
    pub result: String,
    /// [`intent_digest`] of it: the same whoever signed.
    pub digest: Hash256,
    /// What it burned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee: Drops,
    /// Who signed it, where several did; empty in records of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<AccountId>,
}

/// Records of earlier versions do not say.
fn is_zero(drops: &Drops) -> bool {
    *drops == Drops::ZERO
}

impl LedgerObservation {
    /// Leaves out what accounts that are not the treasury's made for themselves or for others: that is none of its
    /// business, and there may be a great deal of it. Of signers and recipients the account itself is followed.
    #[must_use]
    pub fn of_accounts(mut self, is_ours: impl Fn(&AccountId) -> bool) -> Self {
        self.changes.retain(|change| match change {
            Change::EscrowCreated { escrow } => is_ours(&escrow.key.owner),
            Change::TicketCreated { account, .. }
            | Change::SignerList { account, .. }
            | Change::Settings { account, .. }
            | Change::TrustLine { account, .. } => is_ours(account),
            _ => true,
        });
        self
    }

    /// Leaves out settings that are as they are known: they are told with every change of an account, and hardly ever change.
    #[must_use]
    pub fn without_known<'a>(mut self, known: impl Fn(&AccountId) -> Option<&'a SettingsView>) -> Self {
        let mut since: BTreeMap<AccountId, SettingsView> = BTreeMap::new();
        self.changes.retain(|change| {
            let Change::Settings { account, settings } = change else { return true };
            let is_new = since.get(account).or_else(|| known(account)) != Some(settings);
            if is_new {
                since.insert(*account, settings.clone());
            }
            is_new
        });
        self
    }
}

impl ObservedTx {
    /// Whether it did what it was for. Anything else in a validated ledger has only cost its fee and slot.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.result == "tesSUCCESS"
    }
}

/// One change to a watched account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The account as it now is.
    Root {
        /// Which.
        account: AccountId,
        /// `None`: deleted.
        root: Option<RootView>,
    },
    /// What else its owner has set, as it now is. An account that is deleted and comes again has them told again.
    Settings {
        /// Whose.
        account: AccountId,
        /// All of them.
        settings: SettingsView,
    },
    /// The SignerList as it now is.
    SignerList {
        /// Whose.
        account: AccountId,
        /// `None`: deleted.
        list: Option<SignerListView>,
    },
    /// A Ticket came to be.
    TicketCreated {
        /// Whose.
        account: AccountId,
        /// `TicketSequence`.
        ticket: u32,
    },
    /// A Ticket is gone.
    TicketDeleted {
        /// Whose.
        account: AccountId,
        /// `TicketSequence`.
        ticket: u32,
    },
    /// A trust line as it now is.
    TrustLine {
        /// Whose side of it.
        account: AccountId,
        /// The currency and the other side.
        asset: Asset,
        /// `None`: it is gone, or the account keeps no reserve for it.
        line: Option<TrustLineView>,
    },
    /// An escrow came to be.
    EscrowCreated {
        /// The escrow.
        escrow: EscrowView,
    },
    /// An escrow is gone.
    EscrowDeleted {
        /// Which.
        key: EscrowKey,
        /// The transaction that ended it.
        tx_id: Hash256,
        /// `EscrowFinish` (the money went to the destination) or `EscrowCancel` (it came back); of any other,
        /// where the money went is not told.
        tx_type: String,
    },
}

impl Change {
    /// The account that it is about: for an escrow, its owner.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match self {
            Self::Root { account, .. }
            | Self::Settings { account, .. }
            | Self::SignerList { account, .. }
            | Self::TicketCreated { account, .. }
            | Self::TicketDeleted { account, .. }
            | Self::TrustLine { account, .. } => *account,
            Self::EscrowCreated { escrow } => escrow.key.owner,
            Self::EscrowDeleted { key, .. } => key.owner,
        }
    }
}

/// What decisions need of an AccountRoot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootView {
    /// XRP.
    pub balance: Drops,
    /// Next Sequence.
    pub sequence: u32,
    /// Objects it keeps reserve for.
    pub owner_count: u32,
    /// `lsf…` bits.
    pub flags: u32,
    /// The account id of the RegularKey.
    pub regular_key: Option<AccountId>,
    /// `TransferRate`: what somebody has to send of what the account issues, in billionths of what arrives; 0: as much. Records of
    /// earlier versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_rate: Option<u32>,
}

impl RootView {
    /// Whether the master key may no longer sign (`lsfDisableMaster`).
    #[must_use]
    pub fn master_disabled(&self) -> bool {
        self.flags & 0x0010_0000 != 0
    }
}

/// A SignerList on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerListView {
    /// SignerQuorum.
    pub quorum: Weight,
    /// SignerEntries: account to SignerWeight.
    pub entries: BTreeMap<AccountId, u16>,
}

/// A trust line as one of its two sides has it. Of an account only those are followed that it keeps a reserve for: the others
/// were made by somebody else, and there may be any number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustLineView {
    /// What it has of the other side's issue; negative: what the other side has of its own.
    pub balance: IouValue,
    /// The most that it trusts the other side for.
    pub limit: IouValue,
    /// Whether the other side has frozen it: it can be paid back to the other side and to nobody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
    /// Whether the other side has frozen it so that nothing comes in by it either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deep_frozen: bool,
    /// Whether the other side lets nothing go on from it to another such line (NoRipple); records of earlier versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_ripple: Option<bool>,
}

impl TrustLineView {
    /// What the account has by a line of this asset; `None` where it owes.
    #[must_use]
    pub fn held(&self, asset: Asset) -> Option<Amount> {
        of(asset, self.balance).filter(|_| !self.balance.is_negative())
    }

    /// What it has, which is less than nothing where it owes, and the most that it may have.
    #[must_use]
    pub fn against_limit(&self, asset: Asset) -> Option<(Amount, Amount)> {
        Some((of(asset, self.balance)?, of(asset, self.limit)?))
    }

    /// Both sides of a line as the ledger has it: whose, of what, and how it stands; `None` where that side keeps no reserve for
    /// it.
    #[must_use]
    pub fn sides(line: &RippleState) -> [(AccountId, Asset, Option<Self>); 2] {
        let currency = line.balance.currency;
        let (low, high) = (line.low_limit.issuer, line.high_limit.issuer);
        let has = |flag: u32| line.flags & flag != 0;
        let of_low = Self {
            balance: line.balance.value,
            limit: line.low_limit.value,
            frozen: has(lsfHighFreeze),
            deep_frozen: has(lsfHighDeepFreeze),
            no_ripple: Some(has(lsfHighNoRipple)),
        };
        let of_high = Self {
            balance: line.balance.value.negated(),
            limit: line.high_limit.value,
            frozen: has(lsfLowFreeze),
            deep_frozen: has(lsfLowDeepFreeze),
            no_ripple: Some(has(lsfLowNoRipple)),
        };
        [
            (low, Asset::Issued { currency, issuer: high }, has(lsfLowReserve).then_some(of_low)),
            (high, Asset::Issued { currency, issuer: low }, has(lsfHighReserve).then_some(of_high)),
        ]
    }
}

/// So much of an issued currency.
fn of(asset: Asset, value: IouValue) -> Option<Amount> {
    let Asset::Issued { currency, issuer } = asset else { return None };
    Some(Amount::Issued(IssuedAmount { value, currency, issuer }))
}

/// An Escrow entry on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowView {
    /// Owner and Sequence or Ticket of its EscrowCreate.
    pub key: EscrowKey,
    /// Who receives.
    pub destination: AccountId,
    /// `DestinationTag`.
    pub destination_tag: Option<u32>,
    /// What is in it; `None` in records of earlier versions where that is a token.
    pub amount: Option<Amount>,
    /// Can be finished only after this.
    pub finish_after: Option<RippleTime>,
    /// Can be cancelled only after this, and not finished.
    pub cancel_after: Option<RippleTime>,
    /// Needs a fulfillment of this.
    pub condition: Option<HexBytes>,
}

impl EscrowView {
    /// Its place in the order in which the daemon looks at escrows: by when they may be finished.
    #[must_use]
    pub fn finish_order(&self) -> (RippleTime, EscrowKey) {
        (self.finish_after.unwrap_or(RippleTime(0)), self.key)
    }
}

/// A watched account as read whole at one validated ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSnapshot {
    /// Which.
    pub account: AccountId,
    /// `None`: not on the ledger.
    pub root: Option<RootView>,
    /// Its SignerList.
    pub signer_list: Option<SignerListView>,
    /// Its Tickets.
    pub tickets: BTreeSet<u32>,
    /// The escrows it owns.
    pub escrows: Vec<EscrowView>,
    /// Its trust lines, by currency and the other side; `None`: they were not read, as in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_lines: Option<BTreeMap<Asset, TrustLineView>>,
    /// What else its owner has set; `None`: it was not read, as in records of earlier versions, or is not on the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsView>,
}

/// A digest of what a transaction does, leaving out who signed it: the first half of SHA-512 over its
/// serialization without SigningPubKey, TxnSignature and Signers. Different subsets of signers make
/// different transaction ids of one intent; this stays the same.
///
/// # Errors
/// Where the transaction cannot be serialized, which a decoded one always can.
pub fn intent_digest(tx: &xrpl_wire::Transaction) -> Result<Hash256, xrpl_wire::CodecError> {
    intent_digest_of(tx.object())
}

/// [`intent_digest`] of a transaction's fields, which may hold what this program does not know.
///
/// # Errors
/// As [`intent_digest`].
pub fn intent_digest_of(fields: &xrpl_wire::Object) -> Result<Hash256, xrpl_wire::CodecError> {
    use xrpl_wire::sf;
    let mut object = fields.clone();
    for field in [sf::SigningPubKey, sf::TxnSignature, sf::Signers] {
        object.remove(field);
    }
    Ok(xrpl_wire::sha512_half(&[b"treasuryd intent", &object.encode()?]))
}

/// Who signed a transaction, where several did.
#[must_use]
pub fn signers_of(object: &xrpl_wire::Object) -> Vec<AccountId> {
    let signers = object.array(xrpl_wire::sf::Signers).unwrap_or_default();
    signers.iter().filter_map(|(_, signer)| signer.account(xrpl_wire::sf::Account)).collect()
}
