//! The driver's ports, as the signer and the ledger port fill them.

use treasury_core::effect::{Derived, Opening, ReleaseInputs};
use treasury_core::input::{RungSignatures, SubmitReply};
use treasury_core::units::{AccountId, Hash256, HexBytes};

use crate::driver::{LedgerPort, Permit, Reply, Share, SignerPort};
use crate::ledger::PortHandle;
use crate::signer::{FirstPart, Signer};

impl LedgerPort for PortHandle {
    fn submit(&self, tx_id: Hash256, blob: HexBytes, permit: Permit) -> Reply<SubmitReply> {
        Box::pin(PortHandle::submit(self, tx_id, &blob, permit))
    }

    fn reconcile(&self, accounts: Vec<AccountId>) -> Reply<()> {
        Box::pin(PortHandle::reconcile(self, accounts))
    }
}

impl SignerPort for Signer {
    fn condition(&self, inputs: &ReleaseInputs) -> Result<Derived, String> {
        Signer::condition(self, inputs).map_err(|error| error.to_string())
    }

    fn conditions(&self, inputs: &ReleaseInputs) -> Result<Vec<Derived>, String> {
        Signer::conditions(self, inputs).map_err(|error| error.to_string())
    }

    fn opening(&self, inputs: &ReleaseInputs) -> Result<Opening, String> {
        Signer::opening(self, inputs).map_err(|error| error.to_string())
    }

    fn first_part(&self, inputs: &ReleaseInputs) -> Result<FirstPart, String> {
        Signer::first_part(self, inputs).map_err(|error| error.to_string())
    }

    fn first_parts(&self, inputs: &ReleaseInputs) -> Result<Vec<FirstPart>, String> {
        Signer::first_parts(self, inputs).map_err(|error| error.to_string())
    }

    fn first_part_of(&self, inputs: &ReleaseInputs) -> Result<FirstPart, String> {
        Signer::first_part_of(self, inputs).map_err(|error| error.to_string())
    }

    fn opening_with(&self, inputs: &ReleaseInputs, share: &Share) -> Result<Opening, String> {
        Signer::opening_with(self, inputs, share.bytes()).map_err(|error| error.to_string())
    }

    fn sign_as_agent(&self, signer: AccountId, rungs: &[HexBytes]) -> Result<RungSignatures, String> {
        Signer::sign_as_agent(self, signer, rungs).map_err(|error| error.to_string())
    }

    fn sign_single(
        &self,
        account: AccountId,
        rungs: &[HexBytes],
        opening: Option<&Opening>,
    ) -> Result<Vec<HexBytes>, String> {
        Signer::sign_single(self, account, rungs, opening).map_err(|error| error.to_string())
    }
}
