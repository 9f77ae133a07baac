//! What somebody wants done, and who.
//!
//! A kind of intent is one file below this one: its fields, what it moves, what it ends, its transaction and its
//! words, and its [`Row`]. Whoever wants to know something of an intent asks that, and never which kind it is.

mod cancel_escrow;
mod create_tickets;
mod finish_escrow;
mod pay;
mod tier_move;

use serde::{Deserialize, Serialize};
use xrpl_wire::TxBody;

pub use cancel_escrow::CancelEscrow;
pub use create_tickets::CreateTickets;
pub use finish_escrow::FinishEscrow;
pub use pay::Pay;
pub use tier_move::Move;

use crate::model::units::{AccountId, Amount, EscrowKey};

/// What somebody wants done. How it is done (at once, or through an escrow) is policy's to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Intent {
    /// Pay somebody.
    Pay(Pay),
    /// Move money between two of the treasury's accounts along a tier link.
    Move(Move),
    /// Put Tickets into the account's pool.
    CreateTickets(CreateTickets),
    /// Release an escrow: EscrowFinish with the fulfillment. Sent by the runner.
    FinishEscrow(FinishEscrow),
    /// Take an escrow back: EscrowCancel. Sent by the runner.
    CancelEscrow(CancelEscrow),
}

/// What there is to know of each kind of intent, whatever its fields say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub kind: IntentKind,
    /// The word that policy, metrics, lists and the API use for it.
    pub word: &'static str,
    /// Who may ask for it, and whether policy is asked.
    pub asked_by: AskedBy,
    /// What its transaction uses up on the account.
    pub takes: Takes,
}

/// Who may ask for a kind of intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// People; policy decides.
    People,
    /// The daemon, for a tier link; policy decides.
    Links,
    /// The daemon, on an errand of its own that no rule of the table needs to name.
    Errands,
}

/// What a transaction uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A Ticket of the pool.
    Ticket,
    /// The account's next Sequence.
    Sequence,
}

/// Money that would leave the account, fees aside, and where it would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement<'a> {
    /// Who receives.
    pub destination: AccountId,
    /// `DestinationTag`.
    pub destination_tag: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// The tier link along which it would go, by name.
    pub link: Option<&'a str>,
}

/// How an escrow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The destination gets the money.
    Finish,
    /// The owner gets it back.
    Cancel,
}

/// What each kind of intent says of itself.
trait Kind {
    fn row(&self) -> &'static Row;
    fn movement(&self) -> Option<Movement<'_>> {
        None
    }
    fn ends(&self) -> Option<(EscrowKey, Ending)> {
        None
    }
    fn body(&self) -> TxBody;
    fn words(&self, name: &dyn Fn(&AccountId) -> String) -> String;
}

impl Intent {
    /// Every kind's row.
    pub const ROWS: [&'static Row; 5] =
        [&pay::ROW, &tier_move::ROW, &create_tickets::ROW, &finish_escrow::ROW, &cancel_escrow::ROW];

    fn as_kind(&self) -> &dyn Kind {
        match self {
            Self::Pay(pay) => pay,
            Self::Move(tier_move) => tier_move,
            Self::CreateTickets(create) => create,
            Self::FinishEscrow(finish) => finish,
            Self::CancelEscrow(cancel) => cancel,
        }
    }

    /// What there is to know of its kind.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        self.as_kind().row()
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> IntentKind {
        self.row().kind
    }

    /// The money that would leave the account by it, fees aside, and where it would go.
    #[must_use]
    pub fn movement(&self) -> Option<Movement<'_>> {
        self.as_kind().movement()
    }

    /// How much would leave the account by it, fees aside.
    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        self.movement().map(|movement| movement.amount)
    }

    /// Who receives.
    #[must_use]
    pub fn destination(&self) -> Option<AccountId> {
        self.movement().map(|movement| movement.destination)
    }

    /// The tier link along which money would go.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.movement().and_then(|movement| movement.link)
    }

    /// The escrow that it would end, and how.
    #[must_use]
    pub fn ends(&self) -> Option<(EscrowKey, Ending)> {
        self.as_kind().ends()
    }

    /// The escrow that it would end, either way.
    #[must_use]
    pub fn ended_escrow(&self) -> Option<EscrowKey> {
        self.ends().map(|(escrow, _)| escrow)
    }

    /// The escrow that it would release.
    #[must_use]
    pub fn released_escrow(&self) -> Option<EscrowKey> {
        self.ends().filter(|(_, how)| *how == Ending::Finish).map(|(escrow, _)| escrow)
    }

    /// How many Tickets it would make.
    #[must_use]
    pub fn ticket_count(&self) -> Option<u32> {
        match self {
            Self::CreateTickets(create) => Some(create.count),
            _ => None,
        }
    }

    /// Its transaction, where it is done at once; that of an EscrowFinish lacks what is secret until it is sent.
    #[must_use]
    pub fn body(&self) -> TxBody {
        self.as_kind().body()
    }

    /// What it would do, in words, with accounts as `name` calls them.
    #[must_use]
    pub fn words(&self, name: &dyn Fn(&AccountId) -> String) -> String {
        self.as_kind().words(name)
    }
}

/// The kinds of [`Intent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentKind {
    /// See [`Intent::Pay`].
    Pay,
    /// See [`Intent::Move`].
    Move,
    /// See [`Intent::CreateTickets`].
    CreateTickets,
    /// See [`Intent::FinishEscrow`].
    FinishEscrow,
    /// See [`Intent::CancelEscrow`].
    CancelEscrow,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    /// A person, by name.
    Person(String),
    /// The daemon itself: tier links, Ticket pools, the escrow guard.
    Daemon,
}

impl std::fmt::Display for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Daemon => f.write_str("treasuryd"),
        }
    }
}

/// By which way somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The HTTP API, with a token.
    Http,
    /// The console.
    Console,
    /// The ledger: a proposal or an approval that was made there.
    Ledger,
    /// The daemon itself.
    Daemon,
}

impl Origin {
    /// The word for lists and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Console => "console",
            Self::Ledger => "ledger",
            Self::Daemon => "daemon",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    fn all() -> [Intent; 5] {
        let account = AccountId([7; 20]);
        let amount = Amount::from_words("2.5 XRP").unwrap();
        let escrow = EscrowKey { owner: account, sequence: 3 };
        [
            Intent::Pay(Pay { destination: account, destination_tag: Some(1), amount }),
            Intent::Move(Move { link: "warm to hot".to_owned(), destination: account, amount }),
            Intent::CreateTickets(CreateTickets { count: 4 }),
            Intent::FinishEscrow(FinishEscrow { escrow }),
            Intent::CancelEscrow(CancelEscrow { escrow }),
        ]
    }

    #[test]
    fn every_kind_has_its_row_and_the_word_that_is_stored() {
        for (intent, row) in all().iter().zip(Intent::ROWS) {
            assert_eq!(intent.row(), row);
            let json = serde_json::to_value(intent).unwrap();
            assert_eq!(json["type"], row.word);
            assert_eq!(serde_json::to_value(row.kind).unwrap(), row.word);
            assert_eq!(serde_json::from_value::<Intent>(json).unwrap(), *intent);
        }
    }

    #[test]
    fn an_intent_carries_an_amount_of_any_asset() {
        for text in [
            "7 00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8",
            "0.5 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B",
        ] {
            let amount = Amount::from_words(text).unwrap();
            let pay = Intent::Pay(Pay { destination: AccountId([7; 20]), destination_tag: None, amount });
            let json = serde_json::to_string(&pay).unwrap();
            assert_eq!(serde_json::from_str::<Intent>(&json).unwrap(), pay);
            assert_eq!(pay.words(&|_| "bob".to_owned()), format!("pay {text} to bob"));
        }
    }

    #[test]
    fn what_moves_money_says_where_to_and_what_ends_an_escrow_says_how() {
        let [pay, tier_move, tickets, finish, cancel] = all();
        let amount = Amount::from_words("2.5 XRP").ok();
        assert_eq!((pay.amount(), pay.link(), pay.ends()), (amount, None, None));
        assert_eq!((tier_move.amount(), tier_move.link()), (amount, Some("warm to hot")));
        assert_eq!((tickets.movement(), tickets.ends()), (None, None));
        assert_eq!(finish.released_escrow(), finish.ended_escrow());
        assert_eq!((cancel.released_escrow(), cancel.ended_escrow()), (None, finish.ended_escrow()));
        let words: Vec<String> = all().iter().map(|intent| intent.words(&|_| "bob".to_owned())).collect();
        assert_eq!(words[0], "pay 2.5 XRP to bob");
        assert_eq!(words[1], "move 2.5 XRP to bob along warm to hot");
        assert_eq!(words[2], "make 4 Tickets");
    }
}
