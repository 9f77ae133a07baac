//! The numbers of native proposals, which no released server has. They can still move: to follow a server that gives
//! them others, change them here and nowhere else.

/// TransactionProposalCreate, by number.
pub(crate) const PROPOSAL_CREATE: u16 = 92;
/// TransactionProposalSign, by number.
pub(crate) const PROPOSAL_SIGN: u16 = 93;
/// TransactionProposalCancel, by number.
pub(crate) const PROPOSAL_CANCEL: u16 = 94;

/// The entry TransactionProposal, by number.
pub(crate) const PROPOSAL_ENTRY: u16 = 0x91;
/// What its index is hashed under.
pub(crate) const PROPOSAL_SPACE: [u8; 2] = [0, b'y'];

/// ProposalID, by its number among the hashes of 256 bits.
pub(crate) const PROPOSAL_ID: u32 = 42;
/// SigningFor, by its number among the accounts.
pub(crate) const SIGNING_FOR: u32 = 32;
/// ProposedTransaction, by its number among the objects.
pub(crate) const PROPOSED_TRANSACTION: u32 = 39;
/// ProposalSignature, by its number among the objects.
pub(crate) const PROPOSAL_SIGNATURE: u32 = 40;

/// `terTICKET_RESERVED`, by code.
pub(crate) const TICKET_RESERVED: i16 = -83;
/// `terNO_PERMISSION`, by code. Servers with sponsors and without proposals have it in the place before; which comes
/// first where there are both, no server has said yet.
pub(crate) const NO_PERMISSION: i16 = -82;
