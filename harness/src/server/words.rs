//! Transactions and amounts in a few words, for people.

use xrpl_wire::{Amount, Drops, Issue, Object, Transaction, TransactionType, sf};

/// An amount: `5 XRP`, `12.5 USD (rIssuer…)`.
#[must_use]
pub fn amount(amount: &Amount) -> String {
    match amount {
        Amount::Xrp(drops) => format!("{} XRP", drops.to_xrp_string()),
        Amount::Issued(issued) => format!("{} {} ({})", issued.value, issued.currency, issued.issuer),
        Amount::Mpt(mpt) => {
            let sign = if mpt.negative { "-" } else { "" };
            format!("{sign}{} MPT {}", mpt.value, hex::encode_upper(mpt.issuance_id))
        }
    }
}

/// What a transaction is about: `Payment rAlice… → rBob… 5 XRP`.
#[must_use]
pub fn transaction(tx: &Transaction) -> String {
    let object = tx.object();
    let mut words = vec![tx.tx_type().name().to_owned(), tx.account().to_string()];
    let other = [sf::Destination, sf::Owner, sf::Authorize, sf::Subject, sf::Holder, sf::RegularKey]
        .into_iter()
        .find_map(|field| object.account(field));
    if let Some(other) = other {
        words.push(format!("→ {other}"));
    }
    words.extend(amounts(tx.tx_type(), object));
    if let Some(ticket) = object.u32(sf::TicketCount) {
        words.push(format!("{ticket} tickets"));
    }
    words.join(" ")
}

fn amounts(kind: TransactionType, object: &Object) -> Option<String> {
    let of = |field| object.amount(field).map(|found| amount(&found));
    match kind {
        TransactionType::OfferCreate => Some(format!("{} for {}", of(sf::TakerGets)?, of(sf::TakerPays)?)),
        TransactionType::TrustSet => Some(format!("up to {}", of(sf::LimitAmount)?)),
        _ => of(sf::Amount).or_else(|| of(sf::SendMax)),
    }
}

/// Drops as XRP: `5 XRP`.
#[must_use]
pub fn drops(drops: Drops) -> String {
    amount(&Amount::Xrp(drops))
}

/// A currency and its issuer: `XRP`, `USD (rIssuer…)`.
#[must_use]
pub fn issue(issue: &Issue) -> String {
    match issue {
        Issue::Xrp => "XRP".to_owned(),
        Issue::Issued { currency, issuer } => format!("{currency} ({issuer})"),
        Issue::Mpt(id) => format!("MPT {}", hex::encode_upper(id)),
    }
}
