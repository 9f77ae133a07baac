//! Amounts between the API's words and the ledger's.

use xrpl_wire::{Amount, AmountError};

use crate::types::AmountView;

impl From<Amount> for AmountView {
    fn from(amount: Amount) -> AmountView {
        AmountView { asset: amount.issue().to_string(), value: amount.value_text() }
    }
}

impl TryFrom<&AmountView> for Amount {
    type Error = AmountError;

    fn try_from(shown: &AmountView) -> Result<Amount, AmountError> {
        Amount::of(shown.asset.parse()?, &shown.value)
    }
}

impl AmountView {
    /// As people write it, such as `1.5 XRP`; what is no amount as it was given.
    #[must_use]
    pub fn words(&self) -> String {
        match Amount::try_from(self) {
            Ok(amount) => amount.words(),
            Err(_) => format!("{} {}", self.value, self.asset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_back_as_they_were_shown() {
        for text in ["1.5 XRP", "20.25 USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"] {
            let shown = AmountView::from(Amount::from_words(text).unwrap());
            assert_eq!(Amount::try_from(&shown).unwrap().words(), text);
            assert_eq!(shown.words(), text);
        }
        let bad = AmountView { asset: "EUR".to_owned(), value: "1".to_owned() };
        assert!(Amount::try_from(&bad).is_err());
        assert_eq!(bad.words(), "1 EUR");
    }
}
