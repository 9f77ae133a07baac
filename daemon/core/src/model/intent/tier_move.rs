//! Moving money along a tier link.

use serde::{Deserialize, Serialize};
use xrpl_wire::TxBody;
use xrpl_wire::typed::Payment;

use super::{AskedBy, IntentKind, Kind, Movement, Row, Takes};
use crate::model::units::{AccountId, Amount};

/// Move money between two of the treasury's accounts along a tier link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The link's name.
    pub link: String,
    /// The account that receives.
    pub destination: AccountId,
    /// How much.
    pub amount: Amount,
}

pub(super) const ROW: Row =
    Row { kind: IntentKind::Move, word: "move", asked_by: AskedBy::Links, takes: Takes::Ticket };

impl Kind for Move {
    fn row(&self) -> &'static Row {
        &ROW
    }

    fn movement(&self) -> Option<Movement<'_>> {
        let Self { link, destination, amount } = self;
        Some(Movement { destination: *destination, destination_tag: None, amount: *amount, link: Some(link) })
    }

    fn body(&self) -> TxBody {
        TxBody::Payment(Payment {
            destination: self.destination,
            destination_tag: None,
            amount: self.amount,
            send_max: None,
            deliver_min: None,
        })
    }

    fn words(&self, name: &dyn Fn(&AccountId) -> String) -> String {
        format!("move {} to {} along {}", self.amount.words(), name(&self.destination), self.link)
    }
}
