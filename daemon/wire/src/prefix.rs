//! What stands before the bytes that are hashed, so that no two kinds of thing have the same hash.

/// Before a transaction, for its id: "TXN\0".
pub const TRANSACTION_ID: [u8; 4] = *b"TXN\0";
/// Before a transaction and its metadata in the transaction tree: "SND\0".
pub const TRANSACTION_NODE: [u8; 4] = *b"SND\0";
/// Before a ledger entry in the state tree: "MLN\0".
pub const STATE_NODE: [u8; 4] = *b"MLN\0";
/// Before the children of an inner node of a tree: "MIN\0".
pub const INNER_NODE: [u8; 4] = *b"MIN\0";
/// Before a ledger header: "LWR\0".
pub const LEDGER: [u8; 4] = *b"LWR\0";
/// Before the signed fields of a transaction with one signature: "STX\0".
pub const SIGN: [u8; 4] = *b"STX\0";
/// Before the signed fields of a transaction with several signers: "SMT\0".
pub const MULTI_SIGN: [u8; 4] = *b"SMT\0";
/// Before a payment channel claim: "CLM\0".
pub const CLAIM: [u8; 4] = *b"CLM\0";
/// Before a batch of transactions: "BCH\0".
pub const BATCH: [u8; 4] = *b"BCH\0";
