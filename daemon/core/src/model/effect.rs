//! What the core asks of the world. Effects are released only after the events of the same step are
//! durable, and each may be carried out more than once without harm.

use crate::model::command::{Answer, CommandError};
pub use crate::model::signing::{
    Derived, FIRST_KEY, GuardRefusal, Opening, Party, ReleaseInputs, Slot, Unsent,
};
use crate::model::units::{AccountId, Hash256, HexBytes, ProposalId, RequestId};

/// A request to the world. The driver carries it out and makes no decision of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answer a command.
    Answer {
        /// The request it belongs to.
        request: RequestId,
        /// What became of it.
        answer: Result<Answer, CommandError>,
    },
    /// Derive the escrow's preimage with the release key of now and answer [`crate::Input::ConditionDerived`]
    /// with its condition and the key's version. The preimage itself does not leave the party that is asked.
    DeriveCondition {
        /// For which proposal.
        proposal: ProposalId,
        /// What the preimage is derived from, and who is asked.
        inputs: ReleaseInputs,
    },
    /// Derive the escrow's preimage with the release key that it was made with, and answer
    /// [`crate::Input::FulfillmentDerived`] with what opens the escrow. Asked for where nothing speaks against the release
    /// any more; it is signed and sent only if nothing does once it is here.
    DeriveFulfillment {
        /// The proposal of the EscrowFinish.
        proposal: ProposalId,
        /// What the preimage is derived from, and who is asked.
        inputs: ReleaseInputs,
    },
    /// Derive the conditions that an escrow with these terms would have had from this daemon, with each release key that
    /// there has been, and answer [`crate::Input::EscrowDerived`] with them; and again with those that the guard made.
    Recognise {
        /// What its preimage would have been derived from; names the escrow.
        inputs: ReleaseInputs,
    },
    /// Let agents sign; answered by [`crate::Input::AgentSigned`].
    SignAsAgents {
        /// For which proposal.
        proposal: ProposalId,
        /// Which agents (signer accounts whose keys the daemon holds).
        signers: Vec<AccountId>,
        /// The unsigned transaction of each rung, serialized.
        rungs: Vec<HexBytes>,
        /// And of each rung of the void; none where there is no void.
        void: Vec<HexBytes>,
    },
    /// Sign with the account's own key; answered by [`crate::Input::SingleSigned`].
    SignSingle {
        /// For which proposal.
        proposal: ProposalId,
        /// Whose key.
        account: AccountId,
        /// The unsigned transaction of each rung, serialized.
        rungs: Vec<HexBytes>,
        /// For an EscrowFinish: put this into each rung before signing.
        opening: Option<Opening>,
    },
    /// Send a signed transaction; answered by [`crate::Input::SubmitAnswered`].
    Submit {
        /// For which proposal.
        proposal: ProposalId,
        /// Its id.
        tx_id: Hash256,
        /// The signed transaction, serialized.
        blob: HexBytes,
    },
    /// A stop was set: what was to be submitted and has not left is not sent. Each is answered by
    /// [`crate::Input::SubmitAnswered`] with [`crate::model::input::SubmitReply::NotSent`], and the gate is asked again.
    /// Carried out before whatever follows it, so that nothing leaves after somebody was told that it is stopped.
    Recall,
    /// Read these accounts' state at one validated ledger; answered by [`crate::Input::Reconciled`].
    Reconcile {
        /// Which.
        accounts: Vec<AccountId>,
    },
}
