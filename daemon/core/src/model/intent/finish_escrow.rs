//! Releasing an escrow.

use serde::{Deserialize, Serialize};
use xrpl_wire::TxBody;
use xrpl_wire::typed::EscrowFinish;

use super::{AskedBy, Ending, IntentKind, Kind, Row, Takes};
use crate::model::units::{AccountId, EscrowKey};

/// Release an escrow: EscrowFinish with the fulfillment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishEscrow {
    /// Which.
    pub escrow: EscrowKey,
}

pub(super) const ROW: Row = Row {
    kind: IntentKind::FinishEscrow,
    word: "finish_escrow",
    asked_by: AskedBy::Errands,
    takes: Takes::Ticket,
};

impl Kind for FinishEscrow {
    fn row(&self) -> &'static Row {
        &ROW
    }

    fn ends(&self) -> Option<(EscrowKey, Ending)> {
        Some((self.escrow, Ending::Finish))
    }

    /// The signer puts condition and fulfillment in.
    fn body(&self) -> TxBody {
        TxBody::EscrowFinish(EscrowFinish {
            owner: self.escrow.owner,
            offer_sequence: self.escrow.sequence,
            condition: None,
            fulfillment: None,
        })
    }

    fn words(&self, _: &dyn Fn(&AccountId) -> String) -> String {
        format!("finish escrow {}", self.escrow)
    }
}
