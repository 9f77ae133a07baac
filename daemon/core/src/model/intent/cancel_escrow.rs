//! Taking an escrow back.

use serde::{Deserialize, Serialize};
use xrpl_wire::TxBody;
use xrpl_wire::typed;

use super::{AskedBy, Ending, IntentKind, Kind, Row, Takes};
use crate::model::units::{AccountId, EscrowKey};

/// Take an escrow back: EscrowCancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelEscrow {
    /// Which.
    pub escrow: EscrowKey,
}

pub(super) const ROW: Row = Row {
    kind: IntentKind::CancelEscrow,
    word: "cancel_escrow",
    asked_by: AskedBy::Errands,
    takes: Takes::Ticket,
};

impl Kind for CancelEscrow {
    fn row(&self) -> &'static Row {
        &ROW
    }

    fn ends(&self) -> Option<(EscrowKey, Ending)> {
        Some((self.escrow, Ending::Cancel))
    }

    fn body(&self) -> TxBody {
        TxBody::EscrowCancel(typed::EscrowCancel {
            owner: self.escrow.owner,
            offer_sequence: self.escrow.sequence,
        })
    }

    fn words(&self, _: &dyn Fn(&AccountId) -> String) -> String {
        format!("cancel escrow {}", self.escrow)
    }
}
