//! Goal: what is set of an account otherwise than declared is found, whoever set it, and stops the account.
//! Danger: with stolen keys somebody changes who an account says it is, what paying with its currencies costs, whether it can be
//! paid, or whose promises it takes, and nobody looks before it hurts.
//! Method: alice's and bob's keys are stolen, which reach warm's quorum, and sign past the daemon; what it finds by the
//! transactions alone only alerts here. Then the file is what changes, while the daemon does not run.

use treasuryd::http::api::AccountView;
use xrpl_harness::Network;
use xrpl_wire::typed::{self, AccountSet, TrustSet, TxCommon};
use xrpl_wire::{IssuedAmount, SeqProxy, TxBody, TxResult, flags, sign};

use crate::scene::Scene;

/// What should be set of an account, in its place in the file.
fn declare(text: &str, account: &str, settings: &str) -> String {
    let at = text.find(&format!("[[account]]\nname = \"{account}\"\n")).unwrap();
    let end = text[at + 1..].find("\n[").map_or(text.len(), |end| at + 1 + end);
    format!("{}\n[account.settings]\n{settings}{}", &text[..end], &text[end..])
}

async fn account(scene: &Scene, name: &str) -> AccountView {
    let dave = scene.sandbox.people().get("dave").unwrap();
    let accounts = dave.client().accounts().await.unwrap();
    accounts.into_iter().find(|account| account.name == name).unwrap()
}

/// A transaction of warm's that the thief has signed with both keys.
async fn steal(scene: &Scene, body: &TxBody) {
    let (world, people) = (scene.sandbox.world(), scene.sandbox.people());
    let warm = scene.sandbox.account("warm").unwrap();
    let common = TxCommon::new(
        warm,
        SeqProxy::Sequence(world.sequence(warm).await.unwrap()),
        world.fees().await.unwrap().base_fee.checked_mul(10).unwrap(),
    );
    let tx = typed::build(&common, body).unwrap();
    let signers = ["alice", "bob"].map(|name| {
        let person = people.get(name).unwrap();
        sign::sign_for(&tx, person.signer(), person.key()).unwrap()
    });
    let tx = sign::assemble(&tx, signers.to_vec()).unwrap();
    assert_eq!(world.submit(&tx).await.unwrap(), TxResult::tesSUCCESS);
    scene.sandbox.let_pass(2).await.unwrap();
}

pub(crate) async fn settings_that_stolen_keys_change_are_found_and_stop_the_account() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let written = std::fs::read_to_string(sandbox.config_path()).unwrap();
    let nothing = "domain = \"\"\ntransfer_rate = 0\nflags = []\ntrust_lines = []\n";
    let text = declare(&written, "warm", nothing) + "\n[severity]\nspend_without_proposal = \"alert\"\n";
    std::fs::write(sandbox.config_path(), &text).unwrap();
    let mut stage = scene.stage().await;
    let (alice, dave) = (sandbox.people().get("alice").unwrap(), sandbox.people().get("dave").unwrap());
    let before = account(&scene, "warm").await;
    assert_eq!(
        (before.settings_as_declared, before.settings_drift, before.stops.len()),
        (Some(true), None, 0)
    );

    let issuer = sandbox.cast().stranger.id();
    let limit_amount =
        IssuedAmount { value: "1000".parse().unwrap(), currency: "USD".parse().unwrap(), issuer };
    let set = |change: fn(&mut AccountSet)| {
        let mut body = AccountSet::default();
        change(&mut body);
        TxBody::AccountSet(body)
    };
    let steps = [
        (
            set(|set| set.domain = Some(b"evil.example".to_vec())),
            "Domain is evil.example, declared none".to_owned(),
        ),
        (
            set(|set| set.transfer_rate = Some(1_500_000_000)),
            "TransferRate is 1500000000, declared 0".to_owned(),
        ),
        (
            set(|set| set.set_flag = Some(flags::asfRequireDest)),
            "RequireDestTag is set, not declared".to_owned(),
        ),
        (
            TxBody::TrustSet(TrustSet { limit_amount, quality_in: None, quality_out: None }),
            format!("a trust line of USD.{issuer} has the limit 1000, not declared"),
        ),
    ];
    let mut told = Vec::new();
    for (number, (body, words)) in steps.iter().enumerate() {
        steal(&scene, body).await;
        told.push(words.clone());
        let shown = account(&scene, "warm").await;
        assert_eq!((shown.settings_as_declared, shown.settings_drift), (Some(false), Some(told.join("; "))));
        assert_eq!(shown.stops.len(), number + 1, "{:?}", shown.stops);
        let found = dave.client().findings().await.unwrap();
        let found: Vec<_> = found.iter().filter(|finding| finding.kind == "settings_drift").collect();
        assert_eq!(found.len(), number + 1, "each is said once: {found:?}");
        assert!(found.iter().any(|finding| finding.evidence == told.join("; ")), "{found:?}");
        assert!(found.iter().all(|finding| finding.severity == "hold"), "{found:?}");
    }
    // What is asked for of it waits for somebody to look.
    let id = alice.propose("warm", "supplier", treasuryd::dev::xrp(300), "").await.unwrap();
    sandbox.let_pass(2).await.unwrap();
    let waits = alice.client().proposal(&id).await.unwrap().waits_for;
    assert!(waits.iter().any(|wait| wait.contains("hold")), "{waits:?}");
    assert_eq!(account(&scene, "hot").await.settings_as_declared, None, "of hot nothing is declared");

    // What is so now is written down, and something else of hot.
    stage.kill().await.unwrap();
    let now = format!(
        "domain = \"evil.example\"\ntransfer_rate = 1500000000\nflags = [\"RequireDestTag\"]\ntrust_lines = [\"1000 USD.{issuer}\"]\n"
    );
    let text = declare(&declare(&written, "warm", &now), "hot", "domain = \"acme.example\"\n");
    std::fs::write(sandbox.config_path(), text).unwrap();
    stage.restart().await.unwrap();
    sandbox.let_pass(2).await.unwrap();
    assert_eq!(account(&scene, "warm").await.settings_as_declared, Some(true));
    let hot = account(&scene, "hot").await;
    assert_eq!(hot.settings_drift.as_deref(), Some("Domain is not set, declared acme.example"));
    assert_eq!(hot.stops.len(), 1, "{:?}", hot.stops);
}
