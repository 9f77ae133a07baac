//! Paying somebody.

use serde::{Deserialize, Serialize};
use xrpl_wire::TxBody;
use xrpl_wire::typed::Payment;

use super::{AskedBy, IntentKind, Kind, Movement, Row, Takes};
use crate::model::units::{AccountId, Amount};

/// Pay somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pay {
    /// Who is paid.
    pub destination: AccountId,
    /// `DestinationTag`, where the recipient asks for one.
    pub destination_tag: Option<u32>,
    /// How much.
    pub amount: Amount,
}

pub(super) const ROW: Row =
    Row { kind: IntentKind::Pay, word: "pay", asked_by: AskedBy::People, takes: Takes::Ticket };

impl Kind for Pay {
    fn row(&self) -> &'static Row {
        &ROW
    }

    fn movement(&self) -> Option<Movement<'_>> {
        let Self { destination, destination_tag, amount } = *self;
        Some(Movement { destination, destination_tag, amount, link: None })
    }

    fn body(&self) -> TxBody {
        TxBody::Payment(Payment {
            destination: self.destination,
            destination_tag: self.destination_tag,
            amount: self.amount,
            send_max: None,
            deliver_min: None,
        })
    }

    fn words(&self, name: &dyn Fn(&AccountId) -> String) -> String {
        format!("pay {} to {}", self.amount.words(), name(&self.destination))
    }
}
