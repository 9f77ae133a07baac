//! Goal: what must not be taken is refused with a stable code and advice, and changes nothing.
//! Danger: a refusal that has half happened; a panic; an error that only says "bad request".
//! Method: each bad thing over HTTP, then the daemon's log of events must not have grown by it. The ledger
//! stands still meanwhile, so nothing else can grow it.

use serde_json::{Value, json};
use treasuryd::client::ClientError;
use treasuryd::dev::xrp;
use treasuryd::http::api::{ApproveRequest, ProposalView, ProposeRequest, RungView};
use xrpl_wire::{KeyPair, KeyType, Seed, Transaction, sign};

use crate::scene::Scene;

fn sign_rungs(view: &ProposalView, account: xrpl_wire::AccountId, key: &KeyPair) -> ApproveRequest {
    let sign = |rung: &RungView| {
        let tx = Transaction::decode(&from_hex(&rung.blob)).unwrap();
        to_hex(&sign::sign_for(&tx, account, key).unwrap().signature)
    };
    ApproveRequest {
        signer: account.to_string(),
        signing_pub_key: key.public_key().to_string(),
        signatures: view.rungs.iter().map(sign).collect(),
        void_signatures: view.void_rungs.iter().map(sign).collect(),
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    text.parse::<treasury_core::units::HexBytes>().unwrap().0
}

fn to_hex(bytes: &[u8]) -> String {
    treasury_core::units::HexBytes(bytes.to_vec()).to_string()
}

pub(crate) async fn bad_approvals_are_refused_and_change_nothing() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let people = sandbox.people();
    let (alice, bob) = (people.get("alice").unwrap(), people.get("bob").unwrap());
    let id = alice.propose("warm", "supplier", xrp(300), "one").await.unwrap();
    let other = alice.propose("warm", "supplier", xrp(301), "another").await.unwrap();
    stage.can_be_signed(&id).await.unwrap();
    stage.can_be_signed(&other).await.unwrap();
    let these = bob.client().proposal(&id).await.unwrap();
    let those = bob.client().proposal(&other).await.unwrap();
    let good = sign_rungs(&these, bob.signer(), bob.key());
    let stranger = KeyPair::from_seed(&Seed::from_entropy([9; 16], KeyType::Ed25519));

    let mut cut = good.clone();
    cut.signatures[0].truncate(40);
    let mut odd = good.clone();
    odd.signatures[0].push('0');
    let mut no_key = good.clone();
    no_key.signing_pub_key = "ED00".into();
    let mut fewer = good.clone();
    fewer.signatures.pop();
    let mut swapped = good.clone();
    swapped.signatures.swap(0, 1);
    let mut no_void = good.clone();
    no_void.void_signatures.clear();
    let mut void_swapped = good.clone();
    void_swapped.void_signatures.swap(0, 1);
    let wrong_key = sign_rungs(&these, bob.signer(), &stranger);
    let other_tx = sign_rungs(&those, bob.signer(), bob.key());
    let as_stranger = sign_rungs(&these, stranger.account_id(), &stranger);
    let as_alice = sign_rungs(&these, alice.signer(), alice.key());

    let before = bob.client().events(0, 500).await.unwrap().next;
    for (what, request, codes) in [
        ("a cut signature", cut, ["BAD_SIGNATURE", "BAD_VALUE"]),
        ("half a byte", odd, ["BAD_VALUE", "BAD_REQUEST"]),
        ("no key", no_key, ["BAD_VALUE", "BAD_REQUEST"]),
        ("a rung missing", fewer, ["WRONG_RUNG_COUNT"; 2]),
        ("rungs exchanged", swapped, ["BAD_SIGNATURE"; 2]),
        ("no void", no_void, ["WRONG_VOID_COUNT"; 2]),
        ("rungs of the void exchanged", void_swapped, ["BAD_VOID_SIGNATURE"; 2]),
        ("another key", wrong_key, ["KEY_NOT_ALLOWED"; 2]),
        ("another transaction", other_tx, ["BAD_SIGNATURE"; 2]),
        ("a stranger", as_stranger, ["NOT_YOUR_SIGNER"; 2]),
        ("in alice's name", as_alice, ["NOT_YOUR_SIGNER"; 2]),
    ] {
        match bob.client().approve(&id, &request).await {
            Err(ClientError::Api { status, error }) => {
                assert!((400..500).contains(&status), "{what}: {status}");
                assert!(codes.contains(&error.code.as_str()), "{what}: {}", error.code);
                assert!(!error.advice.is_empty() && !error.message.is_empty(), "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    // What was refused left nothing behind but that somebody tries keys on the treasury.
    let stored = bob.client().events(before, 500).await.unwrap().records;
    let found = bob.client().findings().await.unwrap();
    let tried: Vec<_> = found.iter().filter(|finding| finding.kind == "signatures_refused").collect();
    assert!(!tried.is_empty(), "{found:?}");
    assert!(
        tried.iter().all(|finding| finding.evidence.contains("3 signatures of bob were refused")),
        "{tried:?}"
    );
    let stored: Vec<_> = stored.iter().flat_map(|record| &record.events).collect();
    let others: Vec<_> =
        stored.iter().filter(|event| !event.to_string().contains("signatures_refused")).collect();
    assert!(others.is_empty() && stored.len() == tried.len(), "{others:?}");

    // And below the quorum nothing is sent.
    bob.client().approve(&id, &good).await.unwrap();
    sandbox.let_pass(4).await.unwrap();
    let warm = sandbox.account("warm").unwrap();
    let sent = treasuryd::dev::seen::sent_by(sandbox.world(), &warm, sandbox.begun_at()).await.unwrap();
    assert!(sent.is_empty(), "{sent:?}");
}

pub(crate) async fn bad_requests_are_refused_and_change_nothing() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let _stage = scene.stage().await;
    let token = std::fs::read_to_string(sandbox.dir().join("alice.token")).unwrap();
    let token = token.trim();
    let http = reqwest::Client::new();
    let alice = sandbox.people().get("alice").unwrap();
    let before = alice.client().events(0, 500).await.unwrap().next;

    let good = serde_json::to_value(ProposeRequest {
        account: "warm".into(),
        destination: "supplier".into(),
        amount: xrpl_wire::Amount::Xrp(xrp(1)).into(),
        ..ProposeRequest::default()
    })
    .unwrap();
    let with = |key: &str, value: Value| {
        let mut changed = good.clone();
        changed[key] = value;
        changed.to_string()
    };
    let cases = [
        ("no JSON", "{".to_owned(), 400),
        ("not an object", "[]".to_owned(), 400),
        ("an unknown field", with("amount", json!("1")), 400),
        ("a number for drops", with("amount", json!({"asset": "XRP", "value": 1_000_000})), 400),
        ("a fraction of a drop", with("amount", json!({"asset": "XRP", "value": "0.5"})), 400),
        ("a negative amount", with("amount", json!({"asset": "XRP", "value": "-1"})), 400),
        ("nothing", with("amount", json!({"asset": "XRP", "value": "0"})), 400),
        ("more than there is", with("amount", json!({"asset": "XRP", "value": "100000000000000001"})), 400),
        ("a bad address", with("destination", json!("rNobody")), 400),
        ("a huge note", with("note", json!("x".repeat(10_000))), 400),
        ("a control character", with("note", json!("\u{7}")), 400),
        ("a short deadline", with("deadline_seconds", json!(1)), 400),
        ("an account that cannot pay", with("account", json!("runner")), 404),
        ("a body of a megabyte", with("note", json!("x".repeat(1 << 20))), 413),
    ];
    for (what, body, expected) in cases {
        let reply = http
            .post(format!("{}/v1/proposals", sandbox.url()))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}: {status} {text}"));
        assert_eq!(status, expected, "{what}: {text}");
        for part in ["code", "message", "advice"] {
            assert!(error["error"][part].as_str().is_some_and(|text| !text.is_empty()), "{what}: {text}");
        }
    }
    for (what, token) in [("no token", None), ("a wrong token", Some("wrong")), ("an empty token", Some(""))]
    {
        let mut request = http.post(format!("{}/v1/proposals", sandbox.url())).json(&good);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), 401, "{what}");
    }
    for path in ["/v1/proposals/P99", "/v1/proposals/x", "/v1/nothing", "/v1/proposals/P99999999999999999999"]
    {
        let reply = http.get(format!("{}{path}", sandbox.url())).bearer_auth(token).send().await.unwrap();
        assert!((400..=404).contains(&reply.status().as_u16()), "{path}: {}", reply.status());
    }
    assert_eq!(alice.client().events(0, 500).await.unwrap().next, before, "nothing was stored");
}

pub(crate) async fn a_request_sent_twice_is_one_payment() {
    let scene = Scene::start().await;
    let _stage = scene.stage().await;
    let alice = scene.sandbox.people().get("alice").unwrap();
    let request = ProposeRequest {
        account: "warm".into(),
        destination: "supplier".into(),
        amount: xrpl_wire::Amount::Xrp(xrp(300)).into(),
        idempotency_key: Some("invoice-12".into()),
        ..ProposeRequest::default()
    };
    let first = alice.client().propose(&request).await.unwrap().proposal;
    let second = alice.client().propose(&request).await.unwrap().proposal;
    assert_eq!(first, second);
    assert_eq!(alice.client().proposals(false, None).await.unwrap().len(), 1);
}
