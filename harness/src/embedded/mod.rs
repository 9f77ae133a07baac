//! An XRP Ledger in standalone mode, as a value: no IO, no clock, no random numbers.
//!
//! [`Ledger::genesis`] begins one, [`Ledger::submit`] takes transactions, [`Ledger::close`] closes a ledger at a
//! time of the caller's choice. Clones share everything, so a clone is a snapshot. Entries, directories,
//! metadata, order of application, hashes and results are the server's, bit for bit; recorded ledgers of the
//! real server are replayed in the tests.
//!
//! # Where this is not the real server
//!
//! The rules are those of a [`Generation`] of the server. What differs:
//!
//! - **Alone.** A closed ledger is validated at once. There is no consensus, no peer, no fee vote, no amendment vote,
//!   no negative UNL, no pseudo-transaction; fees and amendments stay as the first ledger has them.
//! - **Transaction types.** The README of this crate lists what is there. What is not ([`ABSENT_TYPES`]) is answered
//!   `temUNKNOWN`, with a warning in the log that names it.
//! - **Payments and offers** never find liquidity of AMMs: there are none. Tokens stand in no offers or checks, whatever
//!   amendments are asked for. What a token may change of itself later is what 3.3.0-b0 lets it, which 3.3.0 does
//!   another way.
//! - **Batches and delegation** are those of BatchV1_1 and PermissionDelegationV1_1. What stood before them under other
//!   names is not there.
//! - **Native proposals** are in no release. The README of this crate says where they follow the server's feature branch
//!   and where its standard's draft.
//! - **Amendments.** Most are taken to be in force where their generation has them on a fresh ledger; [`Rules`] says
//!   which are, and where it is asked about one, that one makes a difference.
//! - **Reading.** Transactions must be in canonical form; a server also reads some that are not. The words of
//!   `error_exception` for what is no transaction are ours where the server's are not known. Amounts that nobody can
//!   have (negative XRP, more than all XRP) are `temBAD_AMOUNT` before a type's own checks in every generation; 3.1
//!   looked for them among its own.
//! - **Memory of ids.** That a transaction was malformed, wrongly signed, held or relayed is remembered for ever;
//!   a server forgets it after some minutes.
//! - **Load.** There is no load but what [`Ledger::set_load_factor`] asks for: the fee rises with the size of the open
//!   ledger, as the queue has it ([`QueueSetup`]), and ledgers never take too long.
//! - **Invariants.** The server checks its own work after each transaction and fails it if the books do not
//!   balance. Here the tests do that, but for proposals, and for what a transaction can come to that is not wrong: within a
//!   domain it must not touch what stands in the books of another (`tecINVARIANT_FAILED`).
//! - **Close times** are the caller's. Resolution stays what it is; a server's is the same where all agree.

mod amendment;
mod apply;
mod batch;
mod build;
mod canonical;
mod closed;
mod control;
mod escalation;
mod format;
mod generation;
mod history;
mod keys;
mod ledger;
mod local;
mod open;
mod outlook;
mod pool;
mod queue;
mod queued;
mod recent;
mod rules;
mod saved;
pub(crate) mod standing;
mod state;
mod submitted;
#[cfg(test)]
mod tests;
mod trie;
mod turns;
mod waits;

pub mod rpc;

pub use amendment::{Amendment, Standing, amendment_id};
pub use apply::ABSENT_TYPES;
pub use closed::{ClosedLedger, ClosedTx};
pub use control::MoreThanAllXrp;
pub use escalation::{BASE_LEVEL, QueueMetrics, QueueSetup};
pub use generation::{Generation, UnknownGeneration};
pub use history::TxPlace;
pub use ledger::{
    CloseTime, FoundTx, GENESIS_ACCOUNT, GENESIS_SEED, GenesisConfig, Ledger, Simulated, SubmitOutcome,
};
pub use open::{OpenLedger, OpenTx};
pub use queued::QueuedTx;
pub use rules::{Fees, Rules, ServerSetup};
pub use saved::LoadError;
pub use state::{Entry, StateMap};
pub use trie::{Iter, Trie};
