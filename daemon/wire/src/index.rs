//! Where things are in the ledger's state: the index of an entry, computed from what it is about.

use crate::account::AccountId;
use crate::amount::Currency;
use crate::hash::{Hash256, sha512_half};

// Each kind of entry hashes under its own two bytes, so that no two kinds can collide.
const ACCOUNT_ROOT: [u8; 2] = [0, b'a'];
const AMENDMENTS: [u8; 2] = [0, b'f'];
const DEPOSIT_PREAUTH: [u8; 2] = [0, b'p'];
const DIR_PAGE: [u8; 2] = [0, b'd'];
const ESCROW: [u8; 2] = [0, b'u'];
const FEE_SETTINGS: [u8; 2] = [0, b'e'];
const OWNER_DIR: [u8; 2] = [0, b'O'];
const SIGNER_LIST: [u8; 2] = [0, b'S'];
const SKIP_LIST: [u8; 2] = [0, b's'];
const TICKET: [u8; 2] = [0, b'T'];
const TRUST_LINE: [u8; 2] = [0, b'r'];

/// The AccountRoot of an account.
#[must_use]
pub fn account_root(account: &AccountId) -> Hash256 {
    sha512_half(&[&ACCOUNT_ROOT, &account.0])
}

/// A Ticket, named by its owner and its TicketSequence.
#[must_use]
pub fn ticket(owner: &AccountId, ticket_sequence: u32) -> Hash256 {
    sha512_half(&[&TICKET, &owner.0, &ticket_sequence.to_be_bytes()])
}

/// An Escrow, named by its owner and the Sequence or TicketSequence of the EscrowCreate that made it.
#[must_use]
pub fn escrow(owner: &AccountId, offer_sequence: u32) -> Hash256 {
    sha512_half(&[&ESCROW, &owner.0, &offer_sequence.to_be_bytes()])
}

/// The SignerList of an account; there is at most one.
#[must_use]
pub fn signer_list(owner: &AccountId) -> Hash256 {
    // The SignerListID, always zero.
    sha512_half(&[&SIGNER_LIST, &owner.0, &[0; 4]])
}

/// The root page of the directory of all an account owns.
#[must_use]
pub fn owner_dir(owner: &AccountId) -> Hash256 {
    sha512_half(&[&OWNER_DIR, &owner.0])
}

/// A page of the directory with the given root; page 0 is the root itself.
#[must_use]
pub fn dir_page(root: &Hash256, page: u64) -> Hash256 {
    if page == 0 { *root } else { sha512_half(&[&DIR_PAGE, &root.0, &page.to_be_bytes()]) }
}

/// The DepositPreauth by which `owner` lets `authorized` pay it.
#[must_use]
pub fn deposit_preauth(owner: &AccountId, authorized: &AccountId) -> Hash256 {
    sha512_half(&[&DEPOSIT_PREAUTH, &owner.0, &authorized.0])
}

/// The RippleState between two accounts, in either order, for one currency.
#[must_use]
pub fn trust_line(a: &AccountId, b: &AccountId, currency: &Currency) -> Hash256 {
    sha512_half(&[&TRUST_LINE, &a.min(b).0, &a.max(b).0, &currency.0])
}

/// The FeeSettings; there is one in a ledger.
#[must_use]
pub fn fee_settings() -> Hash256 {
    sha512_half(&[&FEE_SETTINGS])
}

/// The Amendments; there is at most one in a ledger.
#[must_use]
pub fn amendments() -> Hash256 {
    sha512_half(&[&AMENDMENTS])
}

/// The LedgerHashes with the hashes of the last 256 ledgers.
#[must_use]
pub fn skip_list() -> Hash256 {
    sha512_half(&[&SKIP_LIST])
}

/// The LedgerHashes with the hash of every 256th ledger, of the 65,536 ledgers around `ledger_index`.
#[must_use]
pub fn skip_list_for(ledger_index: u32) -> Hash256 {
    sha512_half(&[&SKIP_LIST, &(ledger_index >> 16).to_be_bytes()])
}
