//! One of the two from within: with every key and record that it has.

use secrecy::SecretString;
use serde_json::json;
use treasury_core::effect::{Party, ReleaseInputs};
use treasury_core::units::EscrowKey;
use treasuryd::dev::seen::Books;
use treasuryd::dev::story::Stage;
use treasuryd::guard::{Book, Keys, Record};
use treasuryd::signer::{Keystore, Signer};
use xrpl_harness::Network;
use xrpl_wire::condition::{fulfillment_for_preimage, fulfillment_matches};
use xrpl_wire::split;
use xrpl_wire::typed::{self, EscrowFinish};
use xrpl_wire::{RippleTime, SeqProxy, TransactionType, TxBody, TxCommon, TxResult};

use super::here::{DAEMON, GINA, GuardHere, Guarded, PASSPHRASE};
use crate::scene::Scene;

/// What whoever holds the daemon's store knows of the escrow: its terms, with the version of the key.
fn inputs(stage: &Stage<'_>, made: &Guarded) -> ReleaseInputs {
    let owner = stage.sandbox().account("warm").unwrap();
    ReleaseInputs {
        escrow: EscrowKey { owner, sequence: made.sequence },
        destination: made.entry.destination,
        destination_tag: made.entry.destination_tag,
        amount: made.entry.amount,
        finish_after: made.finish_after(),
        cancel_after: made.cancel_after(),
        key_version: 1,
        party: Party::Guarded,
    }
}

fn first_line(path: std::path::PathBuf) -> SecretString {
    SecretString::from(std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned())
}

pub(crate) async fn a_daemon_that_is_captured_after_the_creation_cannot_release_alone() {
    let scene = Scene::start().await;
    let mut guard = GuardHere::start(&scene).await;
    let mut stage = scene.stage().await;
    let sandbox = &scene.sandbox;
    let books = Books::open(sandbox.world()).await.unwrap();
    let made = Guarded::make(&stage, &books).await;
    let condition = made.entry.condition.clone().unwrap();
    let stop = json!({"subject": "everything", "reason": "the daemon is not ours any more"}).to_string();
    assert_eq!(guard.ask(Some(GINA), "/v1/stops", Some(stop)).await.0, 200);
    sandbox.advance_to(RippleTime(made.finish_after().0 + 1)).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    stage.kill().await.unwrap();

    // Whoever has it has its keys, its store, its token at the guard and all its code.
    let keystore =
        Keystore::open(&sandbox.dir().join("keystore.age"), &first_line(sandbox.dir().join("passphrase")));
    let signer = Signer::new(keystore.unwrap());
    let inputs = inputs(&stage, &made);
    let first = signer.first_part_of(&inputs).unwrap();
    assert_eq!(signer.opening(&inputs).unwrap_err().code(), "signer_guarded");
    let alone = signer.opening(&ReleaseInputs { party: Party::Own, ..inputs.clone() }).unwrap();
    assert!(!fulfillment_matches(&alone.fulfillment.0, &condition));
    for share in [[0; 32], [0xFF; 32], first.digest] {
        let tried = signer.opening_with(&inputs, &share).unwrap();
        assert!(!fulfillment_matches(&tried.fulfillment.0, &condition));
    }
    let store = files_of(&sandbox.dir().join("data"));
    let terms = json!({
        "network_id": null,
        "owner": inputs.escrow.owner.to_string(),
        "sequence": made.sequence,
        "destination": inputs.destination.to_string(),
        "destination_tag": inputs.destination_tag,
        "amount": serde_json::to_value(inputs.amount).unwrap(),
        "finish_after": inputs.finish_after.0,
        "cancel_after": inputs.cancel_after.0,
        "first_digest": hex::encode_upper(first.digest),
    });
    let (status, refused) = guard.ask(Some(DAEMON), "/v1/shares", Some(terms.to_string())).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (409, Some("guard_stopped")), "{refused}");
    // With the guard's own keys beside it, it is seen that this is all that was missing, and that the store had none of it.
    let keystore = Keystore::open(&guard.dir.join("guard.age"), &SecretString::from(PASSPHRASE)).unwrap();
    let agreed = serde_json::from_value(terms).unwrap();
    guard.kill().await;
    let nonce = Book::open(&guard.dir.join("data")).unwrap().nonce();
    let share = Keys::of(&keystore).share(&agreed, 1, nonce).unwrap();
    let both = signer.opening_with(&inputs, &share).unwrap();
    assert!(fulfillment_matches(&both.fulfillment.0, &condition));
    let holds = |secret: &[u8]| {
        let text = hex::encode(secret);
        let forms = [secret.to_vec(), text.clone().into_bytes(), text.to_uppercase().into_bytes()];
        forms.iter().any(|form| store.iter().any(|file| contains(file, form)))
    };
    assert!(holds(&condition), "what it has is found in this way");
    assert!(!holds(share.as_slice()), "the guard's share is in the daemon's store");
    made.stands(&stage).await;
}

pub(crate) async fn a_captured_guard_can_neither_release_nor_pay() {
    let scene = Scene::start().await;
    let mut guard = GuardHere::start(&scene).await;
    let mut stage = scene.stage().await;
    let sandbox = &scene.sandbox;
    let books = Books::open(sandbox.world()).await.unwrap();
    let made = Guarded::make(&stage, &books).await;
    let condition = made.entry.condition.clone().unwrap();
    sandbox.advance_to(RippleTime(made.finish_after().0 + 1)).await.unwrap();
    guard.kill().await;
    stage.kill().await.unwrap();

    // Whoever has it has its keys and its store: a share, and a digest of the daemon's part.
    let keystore = Keystore::open(&guard.dir.join("guard.age"), &SecretString::from(PASSPHRASE)).unwrap();
    assert_eq!(keystore.list(), [], "it can sign for nobody");
    let book = Book::open(&guard.dir.join("data")).unwrap();
    let records: Vec<Record> = book.records().cloned().collect();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&record.condition.0, record.given), (&condition, None));
    let share = Keys::of(&keystore).share(&record.terms, record.key_version, book.nonce()).unwrap();
    let digest = record.terms.first_digest.0;
    assert_eq!(split::condition_of(&digest, &share), condition, "it is what the condition was made of");
    let mut first = [0; 64];
    first[..32].copy_from_slice(&digest);
    let guesses = [split::preimage(&first, &share).to_vec(), share.to_vec(), [digest, *share].concat()];
    for preimage in &guesses {
        assert!(!fulfillment_matches(&fulfillment_for_preimage(preimage), &condition));
    }
    // Nor does the ledger take it, from anybody.
    let stranger = sandbox.cast().identity("exchange").unwrap();
    let world = sandbox.world();
    let root = world
        .entry(xrpl_wire::index::account_root(&stranger.id()), xrpl_harness::network::At::Validated)
        .await;
    let sequence = root.unwrap().unwrap().u32(xrpl_wire::sf::Sequence).unwrap();
    let finish = TxBody::EscrowFinish(EscrowFinish {
        owner: record.terms.owner,
        offer_sequence: made.sequence,
        condition: Some(condition),
        fulfillment: Some(fulfillment_for_preimage(&guesses[0])),
    });
    let common = TxCommon::new(stranger.id(), SeqProxy::Sequence(sequence), treasuryd::dev::xrp(1));
    let tx = typed::build(&common, &finish).unwrap();
    let signed = xrpl_wire::sign::sign_single(&tx, stranger.key()).unwrap();
    let said = world.submit(&signed).await.unwrap();
    assert_eq!(said, TxResult::tecCRYPTOCONDITION_ERROR);
    world.close_ledger().await.unwrap();
    made.stands(&stage).await;
    drop(book);
    // And what is left of the two goes on as if nothing had been.
    guard.restart(&scene.sandbox).await;
    stage.restart().await.unwrap();
    made.ended(&stage, &books, TransactionType::EscrowFinish).await;
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// What is in every file below a directory.
fn files_of(dir: &std::path::Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_of(&path));
        } else if path.is_file() {
            found.push(std::fs::read(&path).unwrap());
        }
    }
    found
}
