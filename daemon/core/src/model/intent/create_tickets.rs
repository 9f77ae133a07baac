//! Filling a pool of Tickets.

use serde::{Deserialize, Serialize};
use xrpl_wire::TxBody;
use xrpl_wire::typed::TicketCreate;

use super::{AskedBy, IntentKind, Kind, Row, Takes};
use crate::model::units::AccountId;

/// Put Tickets into the account's pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTickets {
    /// How many, 1 to 250.
    pub count: u32,
}

pub(super) const ROW: Row = Row {
    kind: IntentKind::CreateTickets,
    word: "create_tickets",
    asked_by: AskedBy::Errands,
    takes: Takes::Sequence,
};

impl Kind for CreateTickets {
    fn row(&self) -> &'static Row {
        &ROW
    }

    fn body(&self) -> TxBody {
        TxBody::TicketCreate(TicketCreate { count: self.count })
    }

    fn words(&self, _: &dyn Fn(&AccountId) -> String) -> String {
        format!("make {} Tickets", self.count)
    }
}
