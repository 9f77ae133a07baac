//! A faucet as the test networks have one: `POST /accounts` pays an account, or makes one.
//!
//! xrpl.js' `fundWallet` and xrpl-py's `generate_faucet_wallet` take it. The XRP is that of the genesis account, and the
//! ledger with the payment is closed before the answer leaves.

use std::str::FromStr;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use thiserror::Error;
use xrpl_wire::{AccountId, Drops, KeyPair, KeyType, Seed};

use super::shared::Shared;
use super::{ServerError, fund};

/// The path, as on the test networks.
pub(super) const PATH: &str = "/accounts";

/// Why the faucet gives nothing.
#[derive(Debug, Error)]
enum Dry {
    /// The body is no JSON object.
    #[error("the body is not a JSON object")]
    Body,
    /// The account to pay is no address.
    #[error("destination is not a classic address")]
    Destination,
    /// The amount is none.
    #[error("xrpAmount is not an amount of XRP")]
    Amount,
    /// The ledger did not take the payment.
    #[error("the payment failed: {0}")]
    Payment(#[from] ServerError),
}

impl Dry {
    fn status(&self) -> StatusCode {
        match self {
            Self::Body | Self::Destination | Self::Amount => StatusCode::BAD_REQUEST,
            // An amount below the reserve of a new account, for one.
            Self::Payment(ServerError::Refused { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Payment(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Pays, and says what the test networks' faucet says.
pub(super) fn serve(shared: &Shared, body: &[u8], usual: Drops) -> (StatusCode, Value) {
    match pay(shared, body, usual) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(error) => (error.status(), json!({"error": error.to_string()})),
    }
}

fn pay(shared: &Shared, body: &[u8], usual: Drops) -> Result<Value, Dry> {
    let request: Map<String, Value> = match body {
        [] => Map::new(),
        body => serde_json::from_slice(body).map_err(|_| Dry::Body)?,
    };
    let (account, seed) = match request.get("destination") {
        None | Some(Value::Null) => {
            let seed = Seed::from_entropy(rand::random(), KeyType::Ed25519);
            (KeyPair::from_seed(&seed).account_id(), Some(seed))
        }
        Some(address) => {
            let address = address.as_str().and_then(|text| AccountId::from_str(text).ok());
            (address.ok_or(Dry::Destination)?, None)
        }
    };
    let amount = match request.get("xrpAmount") {
        None | Some(Value::Null) => usual,
        Some(Value::String(text)) => Drops::from_xrp_str(text).map_err(|_| Dry::Amount)?,
        Some(Value::Number(number)) => Drops::from_xrp_str(&number.to_string()).map_err(|_| Dry::Amount)?,
        Some(_) => return Err(Dry::Amount),
    };
    let id = fund(shared, &account, amount)?;
    shared.close();
    let address = account.to_string();
    let mut answer = json!({
        "account": {"xAddress": x_address(&account), "classicAddress": address, "address": address},
        "amount": serde_json::from_str::<Value>(&amount.to_xrp_string()).unwrap_or_default(),
        "transactionHash": id.to_string(),
    });
    if let Some(seed) = seed {
        answer["seed"] = seed.to_base58().as_str().into();
    }
    Ok(answer)
}

/// The account as an X-address of a test network, without a tag.
fn x_address(account: &AccountId) -> String {
    // What makes the text begin with a T.
    const TEST_PREFIX: [u8; 2] = [0x04, 0x93];
    let mut payload = TEST_PREFIX.to_vec();
    payload.extend_from_slice(&account.0);
    // No tag: a flag, and eight bytes for the tag that is not there.
    payload.extend_from_slice(&[0; 9]);
    bs58::encode(payload).with_alphabet(bs58::Alphabet::RIPPLE).with_check().into_string()
}

#[cfg(test)]
mod tests {
    use xrpl_wire::{Transaction, index, sf, sign};

    use super::super::{Faults, genesis_keys, payment};
    use super::*;

    fn balance(shared: &Shared, account: &AccountId) -> Option<Drops> {
        let ledger = shared.read();
        let root = ledger.open().state().object(&index::account_root(account))?;
        root.drops(sf::Balance)
    }

    /// The account that pays has something waiting, of the same Sequence, which is never to be applied.
    #[test]
    fn what_the_faucet_said_it_does_not_pay_it_never_pays() {
        let shared = Shared::alone(true);
        shared.set_faults(Faults { fee_factor: 50, ..Faults::default() });
        let (usual, paid) = (Drops::new(5_000_000).unwrap(), AccountId([5; 20]));
        let last = shared.read().open().index() + 2;
        let waits = payment(&shared.read(), &genesis_keys().unwrap(), &AccountId([6; 20]), usual).unwrap();
        let waits =
            Transaction::from_object(waits.object().clone().with(sf::LastLedgerSequence, last)).unwrap();
        let waits = sign::sign_single(&waits, &genesis_keys().unwrap()).unwrap();
        assert!(shared.submit(waits.blob()).queued);
        let asked = json!({"destination": paid.to_string()}).to_string();
        let refused = pay(&shared, asked.as_bytes(), usual);
        assert!(matches!(refused, Err(Dry::Payment(ServerError::Refused { .. }))));
        for _ in 0..4 {
            shared.close();
        }
        assert!(!shared.is_pursuing(), "nobody waits for what is never to come");
        shared.set_faults(Faults::default());
        shared.close();
        assert_eq!(balance(&shared, &paid), None);
        pay(&shared, asked.as_bytes(), usual).unwrap();
        assert_eq!(balance(&shared, &paid), Some(usual));
    }

    /// The pair is that of xrpl-py.
    #[test]
    fn an_account_is_written_as_an_x_address() {
        let account: AccountId = "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59".parse().unwrap();
        assert_eq!(x_address(&account), "T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ");
    }
}
