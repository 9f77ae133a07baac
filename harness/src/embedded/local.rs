//! What a server checks of a transaction by itself before it lets it in, whatever a ledger says.

use std::borrow::Cow;

use xrpl_wire::{Amount, Field, Issue, Memo, Object, Transaction, TransactionType, TxError, Value, sf};

use super::batch;
use super::generation::Generation;

/// Checks it, and answers with the server's words for what is wrong.
pub(super) fn check(tx: &Transaction, generation: Generation) -> Result<(), Cow<'static, str>> {
    let object = tx.object();
    tx.check_memos().map_err(|error| memo_text(&error, object))?;
    if object.iter().any(|(_, value)| *value == Value::AccountEmpty) {
        return Err("An account field is invalid.".into());
    }
    let kind = tx.tx_type();
    if matches!(kind, TransactionType::EnableAmendment | TransactionType::SetFee | TransactionType::UNLModify)
    {
        return Err("Cannot submit pseudo transactions.".into());
    }
    let takes = takes_tokens(kind, generation);
    if object.iter().any(|(field, value)| is_token(value) && !takes.contains(&field)) {
        return Err("Amount can not be MPT.".into());
    }
    batch::check_local(tx).map_err(Cow::from)
}

fn is_token(value: &Value) -> bool {
    matches!(value, Value::Amount(Amount::Mpt(_)) | Value::Issue(Issue::Mpt(_)))
        || matches!(value, Value::OddAmount(xrpl_wire::OddAmount::Mpt(_)))
}

/// The fields of a type that may be an amount of a multi-purpose token, or name one. Whether that is switched on is
/// another question.
fn takes_tokens(kind: TransactionType, generation: Generation) -> &'static [Field] {
    use TransactionType as T;
    match kind {
        T::Payment => &[sf::Amount, sf::SendMax, sf::DeliverMin],
        T::EscrowCreate
        | T::Clawback
        | T::VaultDeposit
        | T::VaultWithdraw
        | T::VaultClawback
        | T::LoanBrokerCoverDeposit
        | T::LoanBrokerCoverWithdraw
        | T::LoanBrokerCoverClawback
        | T::LoanPay => &[sf::Amount],
        T::VaultCreate => &[sf::Asset],
        _ if !generation.trades_tokens() => &[],
        T::OfferCreate => &[sf::TakerPays, sf::TakerGets],
        T::CheckCreate => &[sf::SendMax],
        T::CheckCash => &[sf::Amount, sf::DeliverMin],
        T::AMMCreate => &[sf::Amount, sf::Amount2],
        T::AMMDeposit | T::AMMWithdraw => &[sf::Asset, sf::Asset2, sf::Amount, sf::Amount2, sf::EPrice],
        T::AMMVote | T::AMMBid | T::AMMDelete => &[sf::Asset, sf::Asset2],
        T::AMMClawback => &[sf::Asset, sf::Asset2, sf::Amount],
        _ => &[],
    }
}

/// The server's words for what is wrong with memos.
fn memo_text(error: &TxError, object: &Object) -> &'static str {
    match error {
        TxError::MemosTooLong { .. } => "The memo exceeds the maximum allowed size.",
        TxError::MemoCharacter { .. } => {
            "The MemoType and MemoFormat fields may only contain characters that are allowed in URLs under RFC 3986."
        }
        _ => {
            let memos = object.array(sf::Memos).unwrap_or_default();
            let first =
                memos.iter().find(|(name, memo)| *name != sf::Memo || Memo::from_object(memo).is_err());
            match first {
                Some((name, _)) if *name != sf::Memo => "A memo array may contain only Memo objects.",
                _ => "A memo may contain only MemoType, MemoData or MemoFormat fields.",
            }
        }
    }
}
