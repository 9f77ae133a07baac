//! What the API shows to nobody.

use sha2::Digest as _;

use super::*;

/// Everything that any token can read, as text.
async fn everything_served(served: &Served) -> String {
    let mut all = String::new();
    for person in ["alice", "bob", "sue", "adam"] {
        let bearer = format!("Bearer {}", token_of(person));
        for (path, _) in table() {
            let path = path.replace("{id}", "P1");
            let (_, body) = served.raw(Method::GET, &path, Some(&bearer), "").await;
            all.push_str(&body.message);
        }
    }
    all
}

/// Danger: a payment that security holds is complete, and any token reads the signatures and sends it past the daemon.
#[tokio::test]
async fn a_complete_payment_cannot_be_put_together_from_what_the_api_serves() {
    let served = Served::new().await;
    let (alice, bob) = (served.client("alice"), served.client("bob"));
    let id = alice.propose(&payment(5_000_000)).await.unwrap().proposal;
    let shown = alice.proposal(&id).await.unwrap();
    let (first, second) = (approval(ALICE, &shown), approval(BOB, &shown));
    served.client("sue").flag(&id, "the invoice is odd").await.unwrap();
    alice.approve(&id, &first).await.unwrap();
    bob.approve(&id, &second).await.unwrap();
    assert_eq!(alice.proposal(&id).await.unwrap().approvals.len(), 2, "it is complete, and held");
    let mut secrets: Vec<String> = [first, second].into_iter().flat_map(|given| given.signatures).collect();
    let secret_in = |all: &str, secrets: &[String]| {
        let all = all.to_ascii_uppercase();
        secrets.iter().find(|secret| all.contains(&secret.to_ascii_uppercase())).cloned()
    };
    let held = everything_served(&served).await;
    assert!(held.contains("\"approved\"") && held.contains(&shown.rungs[0].blob), "the facts are there");
    assert_eq!(secret_in(&held, &secrets), None);
    // And when it is on its way, nobody needs to send it again.
    served.client("sue").clear(&id, "settled").await.unwrap();
    let sent =
        served.handle.query(|state, _| match &state.proposals[&treasury_core::units::ProposalId(1)].status {
            treasury_core::proposal::Status::InFlight(sent) => {
                sent.rungs.iter().map(|rung| rung.blob.to_string()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        });
    secrets.extend(sent.await.unwrap());
    let sent = everything_served(&served).await;
    assert!(sent.contains("\"submission_recorded\""));
    assert_eq!(secret_in(&sent, &secrets), None);
}

#[tokio::test]
async fn secrets_in_addresses_that_an_earlier_version_stored_are_not_served() {
    let served = Served::new().await;
    served.client("alice").propose(&payment(5_000_000)).await.unwrap();
    let reason = "ws://op:PASSWORD99@127.0.0.1:6006/v1/KEY99?k=KEY99: cannot be reached".to_owned();
    served.handle.input(treasury_core::Input::SightLost { reason }).await.unwrap();
    let (status, ready) = served.raw(Method::GET, "/readyz", None, "").await;
    assert_eq!(status, 503);
    assert!(ready.message.contains("ws://127.0.0.1:6006/…: cannot be reached"), "{}", ready.message);
    // Refusals say it, too.
    let alice = served.client("alice");
    let given = approval(ALICE, &alice.proposal("P1").await.unwrap());
    let refused = alice.approve("P1", &given).await;
    let all = format!("{}{ready:?}{refused:?}", everything_served(&served).await);
    assert!(!all.contains("PASSWORD99") && !all.contains("KEY99"), "{all}");
    assert!(all.contains("sight of the validated ledger (ws://127.0.0.1:6006/…"), "{all}");
}

const SEED: &str = "sEdTM1uX8pu2do5XvTnutH6HsouMaM2";

/// Danger: somebody pastes a seed where a reason or a note belongs, and it is stored for ever and shown to everybody. Or what
/// stops something is refused for that, and money goes out meanwhile.
#[tokio::test]
async fn a_seed_in_a_reason_or_a_note_is_refused_and_what_stops_something_is_done_without_it() {
    let served = Served::new().await;
    let refused = (400, "SEED_GIVEN");
    let mut asked = payment(5_000_000);
    asked.note = format!("signed with {SEED}");
    let asked = serde_json::to_string(&asked).unwrap();
    served.check_refused(Method::POST, "/v1/proposals", &asked, refused).await;
    served.client("alice").propose(&payment(5_000_000)).await.unwrap();
    let sue = served.client("sue");
    let reason = format!("a stranger has it:\n{SEED}");
    let said = "a stranger has it:\n(a seed, not shown)";
    sue.flag("P1", &reason).await.unwrap();
    served.client("bob").reject("P1", &reason).await.unwrap();
    let lift = serde_json::json!({ "stops": ["S1"], "reason": reason }).to_string();
    let bearer = format!("Bearer {}", token_of("sue"));
    served.check_refused_as(Some(&bearer), Method::POST, "/v1/stops/lift", &lift, refused).await;
    sue.freeze(None, &reason).await.unwrap();
    sue.panic(&reason).await.unwrap();
    assert!(sue.stops().await.unwrap().standing.iter().all(|stop| stop.reason == said));
    let records = served.handle.events(0, 500).await.unwrap().unwrap();
    let stored = serde_json::to_string(&records).unwrap();
    assert!(stored.contains("(a seed, not shown)") && !stored.contains(SEED), "{stored}");
}

/// Danger: a token is typed where the reason belongs, is told to every channel, and whoever reads it speaks for somebody else. Or
/// what stops something is refused for that.
#[tokio::test]
async fn a_token_in_a_reason_or_a_note_is_refused_and_what_stops_something_is_done_without_it() {
    let served = Served::new().await;
    let token = "6b86b273ff34fce19d6b804eff5a3f57";
    let mut people = testing::tokens();
    people.insert("bob".to_owned(), sha2::Sha256::digest(token.as_bytes()).into());
    served.tokens.replace(&people);
    let refused = (400, "TOKEN_GIVEN");
    let mut asked = payment(5_000_000);
    asked.note = format!("bob's is {token}.");
    let asked = serde_json::to_string(&asked).unwrap();
    served.check_refused(Method::POST, "/v1/proposals", &asked, refused).await;
    let escaped = asked.replace("6b86", "\\u0036b86");
    served.check_refused(Method::POST, "/v1/proposals", &escaped, refused).await;
    let query = format!("/v1/audit/report?about=a+{token}");
    served.check_refused(Method::GET, &query, "", refused).await;
    let sue = served.client("sue");
    sue.freeze(None, &format!("token is {token}, see\n\"{token}\"")).await.unwrap();
    let said = "token is (a token, not shown), see\n\"(a token, not shown)\"";
    assert!(sue.stops().await.unwrap().standing.iter().all(|stop| stop.reason == said));
    let bearer = format!("Bearer {}", token_of("sue"));
    let id = served.http.get(format!("{}/v1/status", served.url)).header("authorization", &bearer);
    let answer = id.header("x-request-id", token).send().await.unwrap();
    assert_ne!(answer.headers()["x-request-id"], token);
    // Of somebody whose token it is no more it is a word as others are.
    served.tokens.replace(&testing::tokens());
    served.client("alice").propose(&serde_json::from_str(&asked).unwrap()).await.unwrap();
    let records = served.handle.events(0, 500).await.unwrap().unwrap();
    let stored = serde_json::to_string(&records).unwrap();
    assert_eq!((stored.matches(token).count(), stored.matches("(a token, not shown)").count()), (1, 2));
}

/// Danger: a seed that is pasted twice is taken for a long word, stored for ever, and told to every channel.
#[tokio::test]
async fn a_seed_within_a_word_is_a_seed() {
    let served = Served::new().await;
    for word in [format!("{SEED}{SEED}"), format!("{SEED}x"), format!("x{SEED}")] {
        let mut asked = payment(5_000_000);
        asked.note.clone_from(&word);
        let asked = serde_json::to_string(&asked).unwrap();
        served.check_refused(Method::POST, "/v1/proposals", &asked, (400, "SEED_GIVEN")).await;
        served.client("sue").freeze(None, &word).await.unwrap();
    }
    let records = served.handle.events(0, 500).await.unwrap().unwrap();
    let stored = serde_json::to_string(&records).unwrap();
    assert!(stored.contains("x(a seed, not shown)") && !stored.contains(SEED), "{stored}");
}

#[tokio::test]
async fn seeds_that_an_earlier_version_stored_are_not_served() {
    let served = Served::new().await;
    let reason = format!("my key:\n{SEED}");
    let freeze = treasury_core::Command::Freeze { account: None, reason };
    served.handle.command(testing::actor("sue"), freeze).await.unwrap().unwrap();
    let all = everything_served(&served).await;
    assert!(all.contains("my key:\\n(a seed, not shown)") && !all.contains(SEED), "{all}");
}

/// Danger: somebody pastes a seed into a search, or a program into a header, and it comes back in an answer, stands in an access
/// log's id of the request or in the audit log for ever.
#[tokio::test]
async fn a_seed_in_a_question_or_in_a_request_s_id_is_in_no_answer_and_no_record() {
    let served = Served::new().await;
    let escaped = format!("%73{}", &SEED[1..]);
    for asked in [
        format!("/v1/events?after={SEED}"),
        format!("/v1/proposals?account={SEED}"),
        format!("/v1/audit/report?about=a+{escaped}"),
        format!("/v1/status?{escaped}=1"),
        format!("/v1/notices/stream?after=n-1-{SEED}"),
    ] {
        served.check_refused(Method::GET, &asked, "", (400, "SEED_GIVEN")).await;
    }
    let url = |path: &str| format!("{}{path}", served.url);
    let bearer = format!("Bearer {}", token_of("alice"));
    let listens = served.http.get(url("/v1/notices/stream")).header("authorization", &bearer);
    let answer = listens.header("last-event-id", SEED).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(!answer.text().await.unwrap().contains(SEED));
    let proposes = || served.http.post(url("/v1/proposals")).header("authorization", &bearer);
    for (id, is_kept) in [(format!("n-{SEED}"), false), ("n-4711".to_owned(), true)] {
        let body = serde_json::to_string(&payment(5_000_000)).unwrap();
        let answer = proposes().header("x-request-id", &id).body(body).send().await.unwrap();
        assert!(answer.status().is_success());
        let its = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(its == id, is_kept, "{its}");
        let records = served.handle.events(0, 500).await.unwrap().unwrap();
        let stored = serde_json::to_string(&records).unwrap();
        assert!(stored.contains(&format!("\"request\":\"{its}\"")) && !stored.contains(SEED), "{stored}");
    }
}
