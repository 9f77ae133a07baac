//! What a guard refuses, and that nothing has changed then.

use serde_json::{Value, json};
use treasuryd::dev::profile_path;
use treasuryd::dev::seen::Books;
use xrpl_wire::{RippleTime, TransactionType};

use super::here::{DAEMON, GINA, GuardHere, Guarded, HUGO};
use crate::scene::Scene;

/// Everybody's: the genesis account's of a standalone ledger.
const SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

/// Terms that the guard of these scenarios has nothing against.
fn terms(scene: &Scene) -> Value {
    let account = |name: &str| scene.sandbox.account(name).unwrap().to_string();
    json!({
        "network_id": null,
        "owner": account("warm"),
        "sequence": 4_000_000_000_u32,
        "destination": account("supplier"),
        "destination_tag": 7,
        "amount": "5000000000",
        "finish_after": 900_000_000,
        "cancel_after": 900_086_400,
        "first_digest": "AB".repeat(32),
    })
}

fn with(terms: &Value, field: &str, value: Value) -> String {
    let mut terms = terms.clone();
    terms[field] = value;
    terms.to_string()
}

pub(crate) async fn a_guard_makes_a_condition_for_what_its_policy_allows_and_for_nothing_else() {
    let scene = Scene::start().await;
    let guard = GuardHere::beside(&scene.sandbox).await;
    let good = terms(&scene);
    let stranger = scene.sandbox.account("stranger").unwrap().to_string();
    let hot = scene.sandbox.account("hot").unwrap().to_string();
    let usd = json!({"currency": "USD", "issuer": stranger, "value": "5"});
    let whole = good.to_string();
    for (token, path, body, status, code) in [
        (None, "/v1/conditions", whole.clone(), 401, "guard_token_missing"),
        (Some("somebody's"), "/v1/conditions", whole.clone(), 401, "guard_token_wrong"),
        (Some(GINA), "/v1/conditions", whole.clone(), 401, "guard_token_wrong"),
        (
            Some(DAEMON),
            "/v1/stops",
            r#"{"subject":"everything","reason":"x"}"#.to_owned(),
            401,
            "guard_token_wrong",
        ),
        (Some(DAEMON), "/v1/stops/G1/lift", String::new(), 401, "guard_token_wrong"),
        (Some(DAEMON), "/v1/conditions", whole.replace('}', ""), 400, "guard_bad_json"),
        (Some(DAEMON), "/v1/conditions", "[]".to_owned(), 400, "guard_bad_body"),
        (Some(DAEMON), "/v1/conditions", with(&good, "more", json!(1)), 400, "guard_bad_body"),
        (Some(DAEMON), "/v1/conditions", with(&good, "sequence", json!(-1)), 400, "guard_bad_body"),
        (Some(DAEMON), "/v1/conditions", with(&good, "owner", json!("warm")), 400, "guard_bad_body"),
        (Some(DAEMON), "/v1/conditions", with(&good, "first_digest", json!("AB")), 400, "guard_bad_body"),
        (Some(DAEMON), "/v1/conditions", with(&good, "network_id", json!(21_337)), 409, "guard_network"),
        (
            Some(DAEMON),
            "/v1/conditions",
            with(&good, "cancel_after", json!(900_000_000)),
            409,
            "guard_bad_terms",
        ),
        (Some(DAEMON), "/v1/conditions", with(&good, "amount", json!("0")), 409, "guard_bad_terms"),
        (Some(DAEMON), "/v1/conditions", with(&good, "owner", json!(hot)), 409, "guard_owner"),
        (
            Some(DAEMON),
            "/v1/conditions",
            with(&good, "destination", json!(stranger)),
            409,
            "guard_destination",
        ),
        (Some(DAEMON), "/v1/conditions", with(&good, "amount", json!("6000000001")), 409, "guard_amount"),
        (Some(DAEMON), "/v1/conditions", with(&good, "amount", usd), 409, "guard_asset"),
        (Some(DAEMON), "/v1/shares", whole.clone(), 409, "guard_unknown_terms"),
        (Some(DAEMON), "/v1/nothing", whole.clone(), 404, "guard_no_such_route"),
        (Some(DAEMON), "/v1/status", whole.clone(), 405, "guard_method_not_allowed"),
        (Some(GINA), "/v1/stops", r#"{"subject":"nobody","reason":"x"}"#.to_owned(), 400, "guard_bad_body"),
        (Some(GINA), "/v1/stops/G9/lift", String::new(), 404, "guard_no_such_stop"),
        (Some(GINA), "/v1/stops/nine/lift", String::new(), 400, "guard_bad_path"),
    ] {
        let (found, answer) = guard.ask(token, path, Some(body.clone())).await;
        assert_eq!(
            (found, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{path} {body}: {answer}"
        );
        assert!(answer["error"]["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{answer}");
    }
    let status = guard.status().await;
    assert_eq!(
        (status["records"].as_u64(), status["stops"].as_array().map(Vec::len)),
        (Some(0), Some(0)),
        "{status}"
    );

    let (made, first) = guard.ask(Some(DAEMON), "/v1/conditions", Some(whole.clone())).await;
    assert_eq!(made, 200, "{first}");
    let (_, again) = guard.ask(Some(DAEMON), "/v1/conditions", Some(whole.clone())).await;
    assert_eq!(first, again, "what is sent twice is answered alike");
    let (_, other) =
        guard.ask(Some(DAEMON), "/v1/conditions", Some(with(&good, "destination_tag", json!(0)))).await;
    assert_ne!(first["condition"], other["condition"]);
    assert_eq!(guard.status().await["records"].as_u64(), Some(2));
    // It is not there; and for other terms than those that were asked with nothing was ever made.
    for (body, code) in [
        (whole, "guard_no_escrow"),
        (with(&good, "finish_after", json!(1)), "guard_other_terms"),
        (with(&good, "first_digest", json!("CD".repeat(32))), "guard_other_terms"),
        (with(&good, "amount", json!("1")), "guard_other_terms"),
    ] {
        let (found, answer) = guard.ask(Some(DAEMON), "/v1/shares", Some(body)).await;
        assert_eq!((found, answer["error"]["code"].as_str()), (409, Some(code)), "{answer}");
    }
    let metrics = guard.ask(None, "/metrics", None).await.1;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("treasuryd_guard_conditions_total{outcome=\"guard_asset\"} 1\n"), "{metrics}");
    assert!(metrics.contains("treasuryd_guard_records 2\n"), "{metrics}");
}

pub(crate) async fn what_is_stopped_at_the_guard_is_not_released_until_somebody_else_lifts_it() {
    let scene = Scene::start().await;
    let mut guard = GuardHere::start(&scene).await;
    let stage = scene.stage().await;
    let sandbox = &scene.sandbox;
    let (alice, warm) = (sandbox.people().get("alice").unwrap(), sandbox.account("warm").unwrap());
    let supplier = sandbox.account("supplier").unwrap();
    let books = Books::open(sandbox.world()).await.unwrap();
    let made = Guarded::make(&stage, &books).await;
    let subjects = [
        format!("escrow {warm}:{}", made.sequence),
        format!("destination {supplier}"),
        format!("owner {warm}"),
        "everything".to_owned(),
    ];
    let alices =
        std::fs::read_to_string(profile_path(sandbox.dir(), "alice").with_extension("token")).unwrap();
    for (subject, number) in subjects.iter().zip(1..) {
        // With what she had in her clipboard.
        // Alice's is one that the guard does not know.
        let reason = format!("let me look {SEED} {GINA}\n{}\n{}", alices.trim(), "x".repeat(2_000));
        let body = json!({"subject": subject, "reason": reason}).to_string();
        let (status, stop) = guard.ask(Some(GINA), "/v1/stops", Some(body)).await;
        assert_eq!((status, stop["id"].as_str()), (200, Some(format!("G{number}").as_str())), "{stop}");
        let kept = stop["reason"].as_str().unwrap();
        assert!(kept.starts_with("let me look (a seed, not shown) (a token, not shown) "), "{kept}");
        assert!(kept.ends_with("xxx") && kept.chars().count() == 1_000, "it is no reason to refuse a stop");
    }
    // What is stopped stays so, however the guard ends.
    guard.kill().await;
    guard.restart(&scene.sandbox).await;
    sandbox.advance_to(RippleTime(made.finish_after().0 + 1)).await.unwrap();
    sandbox
        .until_told("the daemon says who stopped it", || async {
            let shown = alice.client().proposal(&made.id).await.map_err(|error| error.to_string())?;
            let waits = shown.waits_for.join("; ");
            assert!(!waits.contains(alices.trim().get(..30).unwrap()), "{waits}");
            let said = waits.contains("guard_stopped") && waits.contains("by gina: let me look");
            if said { Ok(()) } else { Err(waits) }
        })
        .await
        .unwrap();
    let found = alice.client().findings().await.unwrap();
    assert!(found.iter().any(|finding| finding.kind == "guard_refused"), "{found:?}");
    made.stands(&stage).await;
    let (status, refused) = guard.ask(Some(GINA), "/v1/stops/G1/lift", Some(String::new())).await;
    assert_eq!(
        (status, refused["error"]["code"].as_str()),
        (403, Some("guard_lift_by_another")),
        "{refused}"
    );
    for number in 1..=4 {
        made.stands(&stage).await;
        let (status, left) =
            guard.ask(Some(HUGO), &format!("/v1/stops/G{number}/lift"), Some(String::new())).await;
        assert_eq!((status, left["stops"].as_array().map(Vec::len)), (200, Some(4 - number)), "{left}");
    }
    made.ended(&stage, &books, TransactionType::EscrowFinish).await;
    let shown = alice.client().proposal(&made.id).await.unwrap();
    assert!(!shown.waits_for.iter().any(|wait| wait.contains("guard")), "{:?}", shown.waits_for);
}

pub(crate) async fn escrows_stay_what_they_were_made_as_when_a_guard_comes_or_is_left_out() {
    let scene = Scene::start().await;
    let guard = GuardHere::beside(&scene.sandbox).await;
    let sandbox = &scene.sandbox;
    let mut stage = scene.stage().await;
    let config = std::fs::read_to_string(sandbox.config_path()).unwrap();
    let before = Books::open(sandbox.world()).await.unwrap();
    let alone = Guarded::make(&stage, &before).await;
    stage.kill().await.unwrap();
    guard.named_by(sandbox, true);
    stage.restart().await.unwrap();
    sandbox.let_pass(2).await.unwrap();
    let since = Books::open(sandbox.world()).await.unwrap();
    let guarded = Guarded::make(&stage, &since).await;
    let lengths = [&alone, &guarded].map(|made| {
        xrpl_wire::condition::parse_condition(&made.entry.condition.clone().unwrap()).unwrap().cost
    });
    assert_eq!(lengths, [32, 96]);
    stage.kill().await.unwrap();
    std::fs::write(sandbox.config_path(), config).unwrap();
    guard.named_by(sandbox, false);
    stage.restart().await.unwrap();
    let last = guarded.finish_after().max(alone.finish_after());
    sandbox.advance_to(RippleTime(last.0 + 1)).await.unwrap();
    alone.ended(&stage, &before, TransactionType::EscrowFinish).await;
    guarded.ended(&stage, &since, TransactionType::EscrowFinish).await;
    assert_eq!(guard.status().await["given"].as_u64(), Some(1));
}

pub(crate) async fn a_guarded_escrow_is_known_again_by_a_daemon_without_its_store() {
    let scene = Scene::start().await;
    let guard = GuardHere::start(&scene).await;
    let mut stage = scene.stage().await;
    let sandbox = &scene.sandbox;
    let books = Books::open(sandbox.world()).await.unwrap();
    let made = Guarded::make(&stage, &books).await;
    stage.kill().await.unwrap();
    std::fs::rename(sandbox.dir().join("data"), sandbox.dir().join("lost")).unwrap();
    stage.restart().await.unwrap();
    let dave = sandbox.people().get("dave").unwrap();
    let stop = sandbox
        .until_told("it is recognised, and held", || async {
            let stops = dave.client().stops().await.map_err(|error| error.to_string())?.standing;
            let of_it = stops.iter().find(|stop| stop.subject.contains(&format!(":{}", made.sequence)));
            of_it.map(|stop| stop.id.clone()).ok_or_else(|| format!("{stops:?}"))
        })
        .await
        .unwrap();
    sandbox.advance_to(RippleTime(made.finish_after().0 + 1)).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    made.stands(&stage).await;
    dave.client().lift(&[stop], "alice knows it").await.unwrap();
    made.ended(&stage, &books, TransactionType::EscrowFinish).await;
    assert_eq!(guard.status().await["given"].as_u64(), Some(1));
}
