//! The XRP Ledger's formats: a strict binary codec, JSON, keys, signing, typed transactions and ledger
//! entries.
//!
//! Pure: no IO, no clock, no randomness. Nothing here panics on any input; what is not exactly what the
//! ledger would write is an error. That holds for all that is signed and submitted. What a validated ledger holds
//! may be younger than this program: [`LedgerTx`], [`Metadata::decode_lenient`] and
//! [`LedgerEntry::from_json_lenient`] read of it what they know, and keep or leave out the rest.

pub mod account;
pub mod amount;
pub mod batch;
pub mod condition;
mod cosign;
mod decode;
pub mod drill;
mod encode;
pub mod entry;
pub mod error;
pub mod field;
pub mod flags;
pub mod hash;
pub mod header;
pub mod index;
pub mod iou;
mod json;
pub mod keys;
pub mod ledger_tx;
pub mod memo;
pub mod meta;
mod money;
mod number;
pub mod object;
pub mod permission;
pub mod prefix;
pub mod proposal;
mod recent;
pub mod seed;
pub mod sign;
pub mod signature;
pub mod split;
pub mod template;
pub mod ter;
pub mod time;
pub mod tree;
pub mod tx;
pub mod typed;
pub mod types;
pub mod value;

pub use account::AccountId;
pub use amount::{Amount, AmountError, Currency, Drops, Issue, IssuedAmount, MptAmount, OddAmount};
pub use entry::LedgerEntry;
pub use error::CodecError;
pub use field::{Field, FieldType, sf};
pub use hash::{Hash256, sha512_half};
pub use header::LedgerHeader;
pub use iou::{IouError, IouValue};
pub use keys::{KeyPair, PublicKey, PublicKeyError};
pub use ledger_tx::LedgerTx;
pub use memo::Memo;
pub use meta::{AffectedNode, Metadata, NodeKind};
pub use object::Object;
pub use seed::{KeyType, Seed, SeedError};
pub use sign::{SignError, Signer};
pub use signature::{PreparedKey, SignatureError};
pub use ter::TxResult;
pub use time::RippleTime;
pub use tx::{SeqProxy, Transaction, TxError};
pub use typed::{TxBody, TxCommon};
pub use types::{LedgerEntryType, TransactionType};
pub use value::{Number, PathStep, RawValue, Value, XChainBridge};

/// How deep objects and arrays may stand in one another: as deep as the server reads.
pub const MAX_DEPTH: usize = 10;

/// The most bytes one object may have: a megabyte, many times what the server takes in a transaction.
pub const MAX_BYTES: usize = 1 << 20;
