//! xrpl-rust, unmodified, against xrpl-standalone: what its users do with a ledger, step by step.
//!
//! `.ci/clients` starts the ledger and says where it is in LEDGER_WS and LEDGER_RPC. Ledgers close by themselves several
//! times a second; the ledger's time is moved by `standalone_advance_time`. xrpl-rust itself looks once a second for
//! what became of a transaction, which no option changes.

use std::env;

use serde_json::{Value as Json, json};
use xrpl::asynch::account::{does_account_exist, get_next_valid_seq_number, get_xrp_balance};
use xrpl::asynch::clients::{
    AsyncJsonRpcClient, AsyncWebSocketClient, SingleExecutorMutex, WebSocketOpen, XRPLAsyncClient,
};
use xrpl::asynch::ledger::{get_fee, get_latest_validated_ledger_sequence};
use xrpl::asynch::transaction::{autofill, sign, sign_and_submit, submit, submit_and_wait};
use xrpl::asynch::wallet::generate_faucet_wallet;
use xrpl::constants::CryptoAlgorithm;
use xrpl::models::requests::account_info::AccountInfo;
use xrpl::models::requests::account_objects::{AccountObjectType, AccountObjects};
use xrpl::models::requests::submit_multisigned::SubmitMultisigned;
use xrpl::models::results;
use xrpl::models::transactions::escrow_create::EscrowCreate;
use xrpl::models::transactions::escrow_finish::EscrowFinish;
use xrpl::models::transactions::payment::Payment;
use xrpl::models::transactions::signer_list_set::{SignerEntry, SignerListSet};
use xrpl::models::transactions::ticket_create::TicketCreate;
use xrpl::models::transactions::{CommonFields, Transaction, TransactionType};
use xrpl::models::{Amount, NoFlags, XRPAmount};
use xrpl::transaction::multisign;
use xrpl::wallet::Wallet;

/// The account that holds all XRP of a fresh ledger: public, and for tests alone.
const GENESIS: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

fn url(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run .ci/clients"))
}

fn rpc() -> AsyncJsonRpcClient {
    AsyncJsonRpcClient::connect(url("LEDGER_RPC").parse().unwrap())
}

async fn websocket() -> AsyncWebSocketClient<SingleExecutorMutex, WebSocketOpen> {
    AsyncWebSocketClient::open(url("LEDGER_WS").parse().unwrap()).await.unwrap()
}

/// A request without xrpl-rust: it has none for the methods that only xrpl-standalone has.
async fn control(method: &str, parameters: Json) -> Json {
    let request = json!({ "method": method, "params": [parameters] });
    let reply = reqwest::Client::new().post(url("LEDGER_RPC")).json(&request).send().await.unwrap();
    let reply: Json = reply.json().await.unwrap();
    assert_eq!(reply["result"]["status"], "success", "{reply}");
    reply["result"].clone()
}

/// A fresh account with 1,000 XRP.
async fn person(algorithm: CryptoAlgorithm) -> Wallet {
    // It has no keys for one secp256k1 seed in sixteen: see `secp256k1_keys_with_a_leading_zero`.
    let wallet = loop {
        if let Ok(wallet) = Wallet::create(Some(algorithm.clone())) {
            break wallet;
        }
    };
    control("standalone_fund", json!({ "account": wallet.classic_address, "drops": "1000000000" })).await;
    wallet
}

/// Three fresh accounts, of both kinds of keys.
async fn people() -> [Wallet; 3] {
    [
        person(CryptoAlgorithm::ED25519).await,
        person(CryptoAlgorithm::SECP256K1).await,
        person(CryptoAlgorithm::ED25519).await,
    ]
}

async fn balance(client: &impl XRPLAsyncClient, wallet: &Wallet) -> String {
    get_xrp_balance(wallet.classic_address.clone().into(), client, None).await.unwrap().to_string()
}

fn common<F>(sender: &Wallet, transaction_type: TransactionType) -> CommonFields<'static, F>
where
    F: strum::IntoEnumIterator + serde::Serialize + std::fmt::Debug,
{
    CommonFields {
        account: sender.classic_address.clone().into(),
        transaction_type,
        // Left out, it would be missing in what several signers sign.
        signing_pub_key: Some("".into()),
        ..Default::default()
    }
}

fn pay(sender: &Wallet, receiver: &Wallet, drops: u32) -> Payment<'static> {
    Payment {
        common_fields: common(sender, TransactionType::Payment),
        amount: Amount::XRPAmount(XRPAmount::from(drops.to_string())),
        destination: receiver.classic_address.clone().into(),
        ..Default::default()
    }
}

/// Submits, waits, and returns what the ledger says became of it. What fails is an error in xrpl-rust.
macro_rules! succeed {
    ($client:expr, $transaction:expr, $wallet:expr) => {{
        let mut transaction = $transaction;
        let result =
            submit_and_wait(&mut transaction, $client, Some($wallet), Some(true), Some(true)).await.unwrap();
        serde_json::to_value(&result).unwrap()
    }};
}

async fn an_account_is_paid_into_being(client: &impl XRPLAsyncClient) {
    let genesis = Wallet::new(GENESIS, 0).unwrap();
    let wallet = Wallet::create(None).unwrap();
    assert!(!does_account_exist(wallet.classic_address.clone().into(), client, None).await.unwrap());
    assert_eq!(get_fee(client, None, None).await.unwrap().to_string(), "10");
    let result = succeed!(client, pay(&genesis, &wallet, 50_000_000), &genesis);
    assert_eq!(result["meta"]["TransactionResult"], "tesSUCCESS");
    assert_eq!(result["validated"], true);
    assert_eq!(balance(client, &wallet).await, "50000000");
    let next = get_next_valid_seq_number(wallet.classic_address.clone().into(), client, None).await.unwrap();
    assert_eq!(result["ledger_index"], next);
    assert!(get_latest_validated_ledger_sequence(client).await.unwrap() >= next);
    let request = AccountInfo::new(
        None,
        wallet.classic_address.clone().into(),
        None,
        Some("validated".into()),
        None,
        None,
        None,
    );
    let info: results::account_info::AccountInfoVersionMap =
        client.request(request.into()).await.unwrap().try_into().unwrap();
    let root = info.get_account_root();
    assert_eq!(root.account, wallet.classic_address);
    assert_eq!(root.sequence, next);
}

#[tokio::test]
async fn an_account_is_paid_into_being_over_json_rpc() {
    an_account_is_paid_into_being(&rpc()).await;
}

#[tokio::test]
async fn an_account_is_paid_into_being_over_a_websocket() {
    an_account_is_paid_into_being(&websocket().await).await;
}

#[tokio::test]
async fn the_faucet_funds_a_wallet() {
    let client = rpc();
    let faucet = format!("{}/accounts", url("LEDGER_RPC").trim_end_matches('/'));
    let wallet =
        generate_faucet_wallet(&client, None, Some(faucet.parse().unwrap()), None, None).await.unwrap();
    assert_eq!(balance(&client, &wallet).await, "100000000");
}

#[tokio::test]
async fn both_kinds_of_keys_sign_what_the_ledger_takes() {
    let client = rpc();
    let [one, two, receiver] = people().await;
    for sender in [&one, &two] {
        let mut payment = pay(sender, &receiver, 1_000_000);
        payment.destination_tag = Some(7);
        let submitted = sign_and_submit(&mut payment, &client, sender, true, true).await.unwrap();
        assert_eq!(submitted.engine_result, "tesSUCCESS");
        assert_eq!(submitted.tx_json["DestinationTag"], 7);
        assert_eq!(submitted.tx_json["hash"], payment.get_hash().unwrap().as_ref());
    }
    control("ledger_accept", json!({})).await;
    assert_eq!(balance(&client, &receiver).await, "1002000000");
}

#[tokio::test]
async fn what_fails_is_told_by_its_code() {
    let client = rpc();
    let [sender, receiver, _] = people().await;
    let mut too_much = pay(&sender, &receiver, 4_000_000_000);
    let error = submit_and_wait(&mut too_much, &client, Some(&sender), None, Some(true)).await.unwrap_err();
    assert!(error.to_string().contains("tecUNFUNDED_PAYMENT"), "{error}");

    let nobody = Wallet::create(None).unwrap();
    let request = AccountInfo::new(None, nobody.classic_address.clone().into(), None, None, None, None, None);
    let response = client.request(request.into()).await.unwrap();
    assert!(!response.is_success());

    // Signed by somebody else's key.
    let mut forged = pay(&sender, &receiver, 1);
    autofill(&mut forged, &client, None).await.unwrap();
    sign(&mut forged, &receiver, false).unwrap();
    let result = submit(&forged, &client).await.unwrap().engine_result;
    assert!(["tefBAD_AUTH", "tefBAD_AUTH_MASTER"].contains(&&*result), "{result}");
}

#[tokio::test]
async fn tickets_are_used_in_any_order() {
    let client = websocket().await;
    let [owner, receiver, _] = people().await;
    let create =
        TicketCreate { common_fields: common(&owner, TransactionType::TicketCreate), ticket_count: 3 };
    succeed!(&client, create, &owner);
    let tickets = || async {
        let request = AccountObjects::new(
            None,
            owner.classic_address.clone().into(),
            None,
            Some("validated".into()),
            Some(AccountObjectType::Ticket),
            None,
            None,
            None,
        );
        let objects: results::account_objects::AccountObjects =
            client.request(request.into()).await.unwrap().try_into().unwrap();
        let mut found: Vec<u64> = Vec::new();
        found.extend(objects.account_objects.iter().filter_map(|entry| entry["TicketSequence"].as_u64()));
        found.sort_unstable();
        found
    };
    let made = tickets().await;
    assert_eq!(made.len(), 3);
    for ticket in made[1..].iter().rev() {
        let mut payment = pay(&owner, &receiver, 1);
        payment.common_fields.sequence = Some(0);
        payment.common_fields.ticket_sequence = Some(u32::try_from(*ticket).unwrap());
        let result = succeed!(&client, payment, &owner);
        assert_eq!(result["TicketSequence"], *ticket);
    }
    assert_eq!(tickets().await, made[..1]);
}

#[tokio::test]
async fn an_escrow_is_finished_after_its_time_and_not_before() {
    let client = rpc();
    let [owner, destination, anybody] = people().await;
    let ledger = control("ledger", json!({ "ledger_index": "validated" })).await;
    let now = u32::try_from(ledger["ledger"]["close_time"].as_u64().unwrap()).unwrap();
    let create = EscrowCreate {
        common_fields: common(&owner, TransactionType::EscrowCreate),
        amount: XRPAmount::from("7000000"),
        destination: destination.classic_address.clone().into(),
        finish_after: Some(now + 100_000),
        ..Default::default()
    };
    let created = succeed!(&client, create, &owner);
    let finish = EscrowFinish {
        common_fields: common(&anybody, TransactionType::EscrowFinish),
        owner: owner.classic_address.clone().into(),
        offer_sequence: u32::try_from(created["Sequence"].as_u64().unwrap()).unwrap(),
        ..Default::default()
    };
    let mut early = finish.clone();
    let error = submit_and_wait(&mut early, &client, Some(&anybody), None, Some(true)).await.unwrap_err();
    assert!(error.to_string().contains("tecNO_PERMISSION"), "{error}");
    control("standalone_advance_time", json!({ "seconds": 100_001 })).await;
    succeed!(&client, finish, &anybody);
    assert_eq!(balance(&client, &destination).await, "1007000000");
}

#[tokio::test]
async fn signers_sign_together_and_too_few_are_refused() {
    let client = rpc();
    let [treasury, one, two] = people().await;
    let entry = |signer: &Wallet| SignerEntry { account: signer.classic_address.clone(), signer_weight: 1 };
    let list = SignerListSet {
        common_fields: common::<NoFlags>(&treasury, TransactionType::SignerListSet),
        signer_quorum: 2,
        signer_entries: Some(vec![entry(&one), entry(&two)]),
    };
    succeed!(&client, list, &treasury);

    let mut payment = pay(&treasury, &one, 5_000_000);
    autofill(&mut payment, &client, Some(2)).await.unwrap();
    assert_eq!(payment.common_fields.fee, Some(XRPAmount::from("30")));
    // `multisign` wants the parts to live as long as what the payment borrows, which for a model is the whole program.
    let kept =
        |parts: Vec<Payment<'static>>| -> &'static Vec<Payment<'static>> { Box::leak(Box::new(parts)) };
    let parts: Vec<Payment> = [&one, &two]
        .map(|signer| {
            let mut part = payment.clone();
            sign(&mut part, signer, true).unwrap();
            part
        })
        .to_vec();
    let alone = kept(parts[..1].to_vec());
    let parts = kept(parts);
    let mut lonely = payment.clone();
    multisign(&mut lonely, alone).unwrap();
    assert_eq!(submit(&lonely, &client).await.unwrap().engine_result, "tefBAD_QUORUM");

    multisign(&mut payment, parts).unwrap();
    let request = SubmitMultisigned::new(None, serde_json::to_value(&payment).unwrap(), None);
    let submitted: results::submit_multisigned::SubmitMultisigned =
        client.request(request.into()).await.unwrap().try_into().unwrap();
    assert_eq!(submitted.engine_result, "tesSUCCESS");
    assert_eq!(submitted.tx_json["hash"], payment.get_hash().unwrap().as_ref());
    control("ledger_accept", json!({})).await;
    assert_eq!(balance(&client, &one).await, "1005000000");
}
