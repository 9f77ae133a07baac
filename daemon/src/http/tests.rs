mod drills;
mod exposure;
mod forecast;
mod inquiry;
mod lists;
mod load;
mod lockout;
mod odd;
mod policy;
mod secrets;

use reqwest::{Method, StatusCode};
use treasury_core::Input;

use super::api::*;
use super::*;
use crate::client::{Client, ClientError};
use crate::engine::Engine;
use crate::store::MemoryStore;
use crate::testing::{self, ALICE, BOB, token_of};

/// A served API on a treasury that has sight of ledger 101.
struct Served {
    url: String,
    store: MemoryStore,
    handle: EngineHandle,
    http: reqwest::Client,
    tokens: Tokens,
    places: Places,
    thinking: Arc<Semaphore>,
    _stop: watch::Sender<bool>,
}

impl Served {
    async fn new() -> Self {
        let served = Self::blind().await;
        testing::look(&served.handle).await;
        served
    }

    /// The same before the ledger was ever seen.
    async fn blind() -> Self {
        let store = MemoryStore::new();
        Self::on(store.clone(), store, Limits::default()).await
    }

    /// The same on an engine with this store, whose records are in `kept`, and with these limits.
    async fn on(store: impl crate::store::Store + 'static, kept: MemoryStore, limits: Limits) -> Self {
        let (mut engine, metrics, _) = testing::engine(store);
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), limits);
        Self::of(app, handle, kept).await
    }

    async fn of(app: App, handle: EngineHandle, store: MemoryStore) -> Self {
        let tokens = app.tokens();
        let (places, thinking) = (app.places.clone(), Arc::clone(&app.thinking));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, app, stopped));
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { url, store, handle, http: reqwest::Client::new(), tokens, places, thinking, _stop: stop }
    }

    fn client(&self, person: &str) -> Client {
        Client::new(&self.url, Some(token_of(person))).unwrap()
    }

    /// A raw request; answers with status and error (or an empty one).
    async fn raw(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> (StatusCode, ErrorView) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let response = request.body(body.to_owned()).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        let error = serde_json::from_str::<ErrorBody>(&text).map(|body| body.error);
        (
            status,
            error.unwrap_or_else(|_| ErrorView { code: String::new(), message: text, advice: String::new() }),
        )
    }

    /// A refused request of somebody who could have made it: its code, with advice, and nothing changed.
    async fn check_refused(&self, method: Method, path: &str, body: &str, expected: (u16, &str)) {
        let stops = ["/flag", "/void", "/v1/freeze", "/v1/panic"].iter().any(|end| path.ends_with(end));
        let bearer = format!("Bearer {}", token_of(if stops { "sue" } else { "alice" }));
        self.check_refused_as(Some(&bearer), method, path, body, expected).await;
    }

    async fn check_refused_as(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: &str,
        expected: (u16, &str),
    ) {
        let stored = self.store.last();
        let shown = format!("{method} {path} {}", body.chars().take(80).collect::<String>());
        let (status, error) = self.raw(method, path, token, body).await;
        assert_eq!((status.as_u16(), error.code.as_str()), expected, "{shown}: {}", error.message);
        assert!(!error.advice.is_empty() && !error.message.is_empty(), "{shown}");
        assert_eq!(self.store.last(), stored, "{shown} changed something");
    }
}

fn drops_of(drops: u64) -> AmountView {
    AmountView { asset: "XRP".to_owned(), value: drops.to_string() }
}

fn payment(drops: u64) -> ProposeRequest {
    ProposeRequest {
        account: "warm".to_owned(),
        destination: "exchange".to_owned(),
        destination_tag: Some(7),
        amount: drops_of(drops),
        note: "invoice 12".to_owned(),
        ..ProposeRequest::default()
    }
}

fn approval(n: u8, proposal: &ProposalView) -> ApproveRequest {
    let rungs: Vec<_> = proposal.rungs.iter().map(|rung| rung.blob.parse().unwrap()).collect();
    let signed = testing::signatures(n, &rungs);
    ApproveRequest {
        signer: signed.signer.to_string(),
        signing_pub_key: signed.signing_pub_key.to_string(),
        signatures: signed.signatures.iter().map(ToString::to_string).collect(),
        void_signatures: Vec::new(),
    }
}

/// Every route with a body that it takes, as far as its shape goes.
fn requests() -> Vec<(Method, &'static str, &'static str)> {
    let mut all = vec![
        (Method::GET, "/v1/status", ""),
        (Method::GET, "/v1/accounts", ""),
        (Method::GET, "/v1/tiers", ""),
        (Method::GET, "/v1/schedules", ""),
        (Method::GET, "/v1/forecast", ""),
        (Method::GET, "/v1/lockout", ""),
        (Method::GET, "/v1/exposure", ""),
        (Method::GET, "/v1/drill", ""),
        (
            Method::POST,
            "/v1/drill",
            r#"{"signing_pub_key":"ED0000000000000000000000000000000000000000000000000000000000000000","signature":"00"}"#,
        ),
        (Method::GET, "/v1/proposals", ""),
        (Method::GET, "/v1/proposals/P1", ""),
        (Method::GET, "/v1/escrows", ""),
        (Method::GET, "/v1/findings", ""),
        (Method::GET, "/v1/events", ""),
        (Method::GET, "/v1/audit", ""),
        (Method::GET, "/v1/audit/report", ""),
        (
            Method::POST,
            "/v1/proposals",
            r#"{"account":"warm","destination":"exchange","amount":{"asset":"XRP","value":"5"}}"#,
        ),
        (
            Method::POST,
            "/v1/proposals/P1/approvals",
            r#"{"signer":"alice","signing_pub_key":"ED0000000000000000000000000000000000000000000000000000000000000000","signatures":["00"]}"#,
        ),
        (Method::DELETE, "/v1/proposals/P1/approvals", ""),
        (Method::POST, "/v1/proposals/P1/reject", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/proposals/P1/withdraw", ""),
        (Method::POST, "/v1/proposals/P1/flag", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/proposals/P1/clear", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/proposals/P1/void", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/destinations/flag", r#"{"destination":"exchange","reason":"x"}"#),
        (Method::POST, "/v1/panic", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/findings/acknowledge", r#"{"findings":["F1"],"reason":"x"}"#),
        (Method::GET, "/v1/stops", ""),
        (Method::POST, "/v1/stops/lift", r#"{"stops":["S1"],"reason":"x"}"#),
        (Method::POST, "/v1/freeze", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/unfreeze", r#"{"reason":"x"}"#),
        (Method::POST, "/v1/breaker/close", ""),
        (Method::GET, "/v1/channels", ""),
        (Method::POST, "/v1/channels/test", r#"{"channel":"ops"}"#),
        (Method::GET, "/v1/deliveries", ""),
        (Method::POST, "/v1/deliveries/redeliver", r#"{"id":"n-1"}"#),
    ];
    all.extend(policy::requests().into_iter().chain(lists::of_notices()));
    all
}

#[tokio::test]
async fn every_route_but_the_three_probes_wants_a_token() {
    let served = Served::new().await;
    let listed: std::collections::BTreeSet<String> =
        requests().iter().map(|(_, path, _)| path.replace("P1", "{id}")).collect();
    let probes = ["/healthz", "/readyz", "/metrics"];
    for (path, _) in table() {
        assert!(listed.contains(path) || probes.contains(&path), "{path} is not tested");
    }
    for (method, path, body) in requests() {
        let missing = (401, "TOKEN_MISSING");
        let wrong = (401, "TOKEN_WRONG");
        for (token, expected) in [
            (None, missing),
            (Some("Basic YWxpY2U6eA=="), missing),
            (Some("Bearer"), missing),
            (Some("Bearer "), missing),
            (Some("Bearer alice"), wrong),
            (Some("Bearer token of nobody"), wrong),
        ] {
            served.check_refused_as(token, method.clone(), path, body, expected).await;
        }
    }
    for path in probes {
        let (status, _) = served.raw(Method::GET, path, None, "").await;
        assert_eq!(status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_or_path_is_refused_everywhere() {
    let served = Served::new().await;
    for (path, _) in table() {
        let path = path.replace("{id}", "P1");
        served.check_refused(Method::PUT, &path, "", (405, "METHOD_NOT_ALLOWED")).await;
    }
    for path in
        ["/", "/v1", "/v2/status", "/v1/proposals/P1/approve", "/v1/status/", "/../v1/none", "/v1/%00"]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            served.check_refused(method, path, "", (404, "NO_SUCH_ROUTE")).await;
        }
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_on_every_route_that_takes_one() {
    let served = Served::new().await;
    let large = format!("{{\"note\":\"{}\"}}", "x".repeat(BODY_MAX_BYTES));
    for (method, path, _) in requests().into_iter().filter(|(method, _, _)| *method != Method::GET) {
        for (body, expected) in [
            ("{", (400, "BAD_JSON")),
            ("nonsense", (400, "BAD_JSON")),
            ("\u{0}nonsense", (400, "BAD_JSON")),
            ("[]", (400, "BAD_BODY")),
            (r#"["x","y","5"]"#, (400, "BAD_BODY")),
            ("null", (400, "BAD_BODY")),
            ("\"text\"", (400, "BAD_BODY")),
            (r#"{"surprise":1}"#, (400, "BAD_BODY")),
            (large.as_str(), (413, "BODY_TOO_LARGE")),
        ] {
            served.check_refused(method.clone(), path, body, expected).await;
        }
    }
}

#[tokio::test]
async fn an_unknown_field_is_named_even_beside_right_ones() {
    let served = Served::new().await;
    let body =
        r#"{"account":"warm","destination":"exchange","amount":{"asset":"XRP","value":"5"},"ammount":"6"}"#;
    served.check_refused(Method::POST, "/v1/proposals", body, (400, "BAD_BODY")).await;
    let bearer = format!("Bearer {}", token_of("alice"));
    let (_, error) = served.raw(Method::POST, "/v1/proposals", Some(&bearer), body).await;
    assert!(error.message.contains("ammount"), "{}", error.message);
    let twice = r#"{"reason":"one","reason":"two"}"#;
    served.check_refused(Method::POST, "/v1/freeze", twice, (400, "BAD_BODY")).await;
}

#[tokio::test]
async fn an_id_that_is_none_and_an_id_of_nothing_are_told_apart() {
    let served = Served::new().await;
    for (method, path, body) in requests().into_iter().filter(|(_, path, _)| path.contains("P1")) {
        served.check_refused(method.clone(), &path.replace("P1", "P9z"), body, (400, "BAD_ID")).await;
        served.check_refused(method.clone(), &path.replace("P1", "-1"), body, (400, "BAD_ID")).await;
        let person = match path.rsplit('/').next() {
            Some("flag" | "clear" | "void") => "sue",
            _ => "alice",
        };
        // A key of nobody's is refused before the proposal is looked for.
        if path.ends_with("approvals") && method == Method::POST {
            continue;
        }
        let bearer = format!("Bearer {}", token_of(person));
        let missing = (404, "UNKNOWN_PROPOSAL");
        served.check_refused_as(Some(&bearer), method, &path.replace("P1", "P77"), body, missing).await;
    }
}

#[tokio::test]
async fn what_a_person_may_not_do_is_refused() {
    let served = Served::new().await;
    let refused = (403, "ROLE_MISSING");
    for (person, path, body) in [
        ("bob", "/v1/proposals", serde_json::to_string(&payment(5)).unwrap()),
        ("alice", "/v1/freeze", r#"{"reason":"x"}"#.to_owned()),
        ("alice", "/v1/panic", r#"{"reason":"x"}"#.to_owned()),
        ("adam", "/v1/panic", r#"{"reason":"x"}"#.to_owned()),
        ("sue", "/v1/unfreeze", r#"{"reason":"x"}"#.to_owned()),
        ("sue", "/v1/breaker/close", String::new()),
    ] {
        let bearer = format!("Bearer {}", token_of(person));
        served.check_refused_as(Some(&bearer), Method::POST, path, &body, refused).await;
    }
}

#[tokio::test]
async fn probes_tell_whether_the_daemon_can_act() {
    let served = Served::blind().await;
    let client = Client::new(&served.url, None).unwrap();
    let ready = client.readiness().await.unwrap();
    assert!(!ready.ready);
    assert_eq!(ready.reason.as_deref(), Some("starting"));
    let (status, _) = served.raw(Method::GET, "/readyz", None, "").await;
    assert_eq!(status, 503);
    assert_eq!(served.raw(Method::GET, "/healthz", None, "").await.0, 200);
    served.handle.input(testing::reconciled()).await.unwrap();
    assert!(client.ready().await.unwrap());
    let text = client.metrics().await.unwrap();
    assert!(text.contains("treasuryd_sight 1"), "{text}");
    assert!(text.contains("treasuryd_http_requests_total{route=\"/readyz\",status=\"503\"} 2"), "{text}");
}

#[tokio::test]
async fn paths_that_somebody_makes_up_do_not_become_labels() {
    let served = Served::new().await;
    for n in 0..5 {
        served.raw(Method::GET, &format!("/made-up-{n}"), None, "").await;
    }
    let text = Client::new(&served.url, None).unwrap().metrics().await.unwrap();
    assert!(text.contains("treasuryd_http_requests_total{route=\"unmatched\",status=\"404\"} 5"), "{text}");
    assert!(!text.contains("made-up"));
}

#[tokio::test]
async fn a_payment_is_proposed_shown_and_approved() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let id = alice.propose(&payment(5_000_000)).await.unwrap().proposal;
    assert_eq!(id, "P1");

    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!((shown.status.as_str(), shown.ended), ("collecting", false));
    assert_eq!(shown.account.name.as_deref(), Some("warm"));
    assert_eq!(shown.intent.destination.as_ref().unwrap().name.as_deref(), Some("exchange"));
    assert_eq!(shown.intent.amount, Some(drops_of(5_000_000)));
    assert_eq!(shown.slot.as_deref(), Some("Ticket 10"));
    assert_eq!(shown.decision.rules, ["small"]);
    assert_eq!(shown.decision.approvals[0].roles, ["approver"]);
    let tally = shown.tally.clone().unwrap();
    assert_eq!((tally.weight, tally.quorum, tally.demands[0].weight, tally.demands[0].asked), (0, 2, 0, 2));
    assert!(shown.waits_for[0].contains("weight 0 of 2"), "{:?}", shown.waits_for);
    assert_eq!(shown.rungs.len(), 3);
    for rung in &shown.rungs {
        assert_eq!(rung.tx_json["TransactionType"], "Payment");
        assert_eq!(rung.tx_json["Fee"], rung.fee_drops.as_str());
        assert_eq!(rung.tx_json["DestinationTag"], 7);
        assert_eq!(rung.tx_json["TicketSequence"], 10);
    }

    let done = alice.approve(&id, &approval(ALICE, &shown)).await.unwrap();
    assert!(done.changed);
    let again = alice.approve(&id, &approval(ALICE, &shown)).await.unwrap();
    assert!(!again.changed, "the same approval again changes nothing");
    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!(shown.approvals.len(), 1);
    assert_eq!(shown.approvals[0].person.as_deref(), Some("alice"));
    assert_eq!(shown.tally.as_ref().unwrap().weight, 1);
    assert!(alice.retract(&id).await.unwrap().changed);
    assert!(alice.proposal(&id).await.unwrap().approvals.is_empty());

    alice.approve(&id, &approval(ALICE, &shown)).await.unwrap();
    served.client("bob").approve(&id, &approval(BOB, &shown)).await.unwrap();
    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!(shown.status, "in_flight");
    let submission = shown.submission.unwrap();
    assert_eq!((submission.rung, submission.fee_drops), (0, Some(shown.rungs[0].fee_drops.clone())));
}

#[tokio::test]
async fn a_destination_is_held_back_and_a_panic_says_what_became_of_each() {
    let served = Served::new().await;
    let (alice, sue) = (served.client("alice"), served.client("sue"));
    let id = alice.propose(&payment(5_000_000)).await.unwrap().proposal;
    let refused = sue.void(&id, "no").await.unwrap_err();
    assert!(refused.to_string().contains("policy did not ask for a void"), "{refused}");
    let held = sue.flag_destination("exchange", "a forged invoice").await.unwrap();
    assert!(held.changed && !sue.flag_destination("exchange", "a forged invoice").await.unwrap().changed);
    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!(shown.stops[0].id, held.stop);
    let found = sue.panic("keys are out").await.unwrap();
    assert_eq!((found.ended, found.voiding.len(), found.under_way.len()), (vec![id.clone()], 0, 0));
    let standing: Vec<String> =
        alice.stops().await.unwrap().standing.into_iter().map(|stop| stop.id).collect();
    assert!(standing.contains(&found.freeze) && standing.contains(&held.stop), "{standing:?}");
    assert_eq!(alice.proposal(&id).await.unwrap().status, "withdrawn");
}

#[tokio::test]
async fn an_approval_is_checked_before_it_counts() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let id = alice.propose(&payment(5_000_000)).await.unwrap().proposal;
    let shown = alice.proposal(&id).await.unwrap();
    let good = approval(ALICE, &shown);
    let refused = |change: fn(&mut ApproveRequest)| {
        let mut bad = good.clone();
        change(&mut bad);
        let alice = &alice;
        let id = &id;
        async move { alice.approve(id, &bad).await.unwrap_err().code().unwrap().to_owned() }
    };
    assert_eq!(refused(|bad| bad.signatures.truncate(1)).await, "WRONG_RUNG_COUNT");
    assert_eq!(refused(|bad| bad.signatures.swap(0, 1)).await, "BAD_SIGNATURE");
    assert_eq!(refused(|bad| bad.signatures[0].push('0')).await, "BAD_VALUE");
    assert_eq!(refused(|bad| bad.signatures[0].push('z')).await, "BAD_VALUE");
    assert_eq!(refused(|bad| bad.signer = "bob".to_owned()).await, "NOT_YOUR_SIGNER");
    assert_eq!(refused(|bad| bad.signing_pub_key = "00".to_owned()).await, "BAD_VALUE");
    let other_key = testing::key(BOB).public_key().to_string();
    let mut bad = good.clone();
    bad.signing_pub_key = other_key;
    assert_eq!(alice.approve(&id, &bad).await.unwrap_err().code(), Some("KEY_NOT_ALLOWED"));
    assert!(alice.proposal(&id).await.unwrap().approvals.is_empty());
}

#[tokio::test]
async fn a_delayed_payment_shows_its_escrow_before_it_exists() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let id = alice.propose(&payment(500_000_000)).await.unwrap().proposal;
    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!(shown.status, "assessed");
    assert_eq!(shown.decision.action, "delay");
    let escrow = shown.escrow.unwrap();
    assert_eq!(escrow.guard, "not_created");
    assert!(escrow.can_be_stopped);
    let (finish, cancel) = (escrow.finish_after.unwrap(), escrow.cancel_after.unwrap());
    assert!(finish.ends_with('Z') && finish < cancel, "{finish} {cancel}");
    assert!(finish > shown.deadline.unwrap());
}

/// Danger: what is no longer in memory is forgotten, and paid again. Method: the sixth payment waits for a Ticket, is
/// withdrawn, and two days pass.
#[tokio::test]
async fn what_ended_long_ago_is_listed_shown_and_found_by_its_key() {
    let served = Served::new().await;
    let alice = served.client("alice");
    for _ in 0..5 {
        alice.propose(&payment(1_000_000)).await.unwrap();
    }
    let asked = ProposeRequest { idempotency_key: Some("inv-6".to_owned()), ..payment(6_000_000) };
    let sixth = alice.propose(&asked).await.unwrap();
    alice.withdraw(&sixth.proposal).await.unwrap();
    let shown = alice.proposal(&sixth.proposal).await.unwrap();
    let listed = alice.proposals(false, None).await.unwrap();
    let Input::Ledger { mut observation, wall_ms } = testing::ledger(102) else { unreachable!() };
    observation.point.close_time.0 += 2 * 86_400;
    served.handle.input(Input::Ledger { observation, wall_ms }).await.unwrap();
    let in_memory = served.handle.query(|state, _| state.proposals.len()).await.unwrap();
    assert_eq!(in_memory, 5, "it has left the state");

    assert_eq!(alice.proposal(&sixth.proposal).await.unwrap(), shown);
    assert_eq!(alice.proposals(false, None).await.unwrap().len(), listed.len());
    assert_eq!(alice.proposals(false, Some("warm")).await.unwrap()[0].id, "P6");
    assert_eq!(alice.proposals(true, None).await.unwrap().len(), 5);
    let page = ProposalsQuery { before: Some("P7".to_owned()), limit: Some(2), ..ProposalsQuery::default() };
    let ids: Vec<String> =
        alice.proposals_page(&page).await.unwrap().into_iter().map(|shown| shown.id).collect();
    assert_eq!(ids, ["P6", "P5"]);
    let (stored, again) = (served.store.last(), alice.propose(&asked).await.unwrap());
    assert_eq!(again, sixth);
    let other = ProposeRequest { amount: drops_of(7), ..asked };
    assert_eq!(alice.propose(&other).await.unwrap_err().code(), Some("IDEMPOTENCY_CONFLICT"));
    assert!(!alice.withdraw(&sixth.proposal).await.unwrap().changed);
    assert_eq!(served.store.last(), stored, "nothing came of it");
    let text = alice.metrics().await.unwrap();
    assert!(text.contains("treasuryd_proposals{status=\"withdrawn\"} 1"), "{text}");
}

#[tokio::test]
async fn an_idempotency_key_makes_one_proposal_of_two_requests() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let asked = ProposeRequest { idempotency_key: Some("k1".to_owned()), ..payment(1_000_000) };
    let first = alice.propose(&asked).await.unwrap();
    let stored = served.store.last();
    assert_eq!(alice.propose(&asked).await.unwrap(), first);
    assert_eq!(served.store.last(), stored);
    let other = ProposeRequest { amount: drops_of(2), ..asked };
    let error = alice.propose(&other).await.unwrap_err();
    assert!(matches!(error, ClientError::Api { status: 409, .. }), "{error}");
    assert_eq!(error.code(), Some("IDEMPOTENCY_CONFLICT"));
}

#[tokio::test]
async fn a_freeze_and_a_hold_show_where_people_look() {
    let served = Served::new().await;
    let (alice, sue, adam) = (served.client("alice"), served.client("sue"), served.client("adam"));
    let id = alice.propose(&payment(1_000_000)).await.unwrap().proposal;
    assert!(sue.flag(&id, "the invoice is odd").await.unwrap().changed);
    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!(shown.stops.len(), 1);
    assert_eq!((shown.stops[0].by.as_str(), shown.stops[0].reason.as_str()), ("sue", "the invoice is odd"));
    assert!(shown.waits_for.iter().any(|wait| wait.contains("hold")), "{:?}", shown.waits_for);
    let wrong = sue.lift(&["S99".to_owned()], "settled").await.unwrap_err();
    assert_eq!(wrong.code(), Some("UNKNOWN_STOP"));
    let malformed = sue.lift(&["what".to_owned()], "settled").await.unwrap_err();
    assert_eq!(malformed.code(), Some("BAD_VALUE"));
    assert_eq!(sue.clear(&id, "settled").await.unwrap().lifted, [shown.stops[0].id.clone()]);
    assert!(alice.proposal(&id).await.unwrap().stops.is_empty());
    let stops = alice.stops().await.unwrap();
    assert!(stops.standing.is_empty());
    assert_eq!((stops.lifted[0].by.as_str(), stops.lifted[0].reason.as_str()), ("sue", "settled"));

    assert!(sue.freeze(Some("warm"), "a drill").await.unwrap().changed);
    assert!(sue.freeze(None, "a drill").await.unwrap().changed);
    let status = alice.status().await.unwrap();
    assert_eq!(status.stops.len(), 2);
    assert!(status.sight.ready && status.breakers.is_empty());
    assert_eq!(status.ledger.unwrap().index, 101);
    assert_eq!(status.open_proposals["collecting"], 1);
    let accounts = alice.accounts().await.unwrap();
    assert_eq!(accounts[0].name, "warm");
    assert_eq!(accounts[0].stops.len(), 2, "its own, and the one on everything");
    assert_eq!(accounts[0].stops[0].reason, "a drill");
    assert_eq!(accounts[0].signer_list_as_declared, Some(true));
    assert_eq!((accounts[0].tickets_free, accounts[0].tickets_taken), (4, 1));
    assert_eq!(accounts[0].leaving, [drops_of(1_000_000)]);
    let warm = adam.unfreeze(Some("warm"), "over").await.unwrap();
    assert_eq!((warm.lifted.len(), warm.standing.len()), (1, 1), "everything is frozen all the same");
    assert_eq!(adam.unfreeze(None, "over").await.unwrap().standing, Vec::<String>::new());
    assert!(adam.unfreeze(None, "over").await.unwrap().lifted.is_empty());
    assert!(!adam.close_breaker(None).await.unwrap().changed);
    assert!(alice.escrows().await.unwrap().is_empty());
    assert!(alice.findings().await.unwrap().is_empty());
}

#[tokio::test]
async fn enough_rejections_end_a_proposal() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let id = alice.propose(&payment(1_000_000)).await.unwrap().proposal;
    served.client("bob").reject(&id, "not this one").await.unwrap();
    let shown = alice.proposal(&id).await.unwrap();
    assert_eq!(shown.rejections[0].person, "bob");
    // The rule wants both approvers, so without bob it cannot go on.
    assert_eq!(shown.status, "rejected");
    assert!(shown.ended);
    let late = alice.approve(&id, &approval(ALICE, &shown)).await.unwrap_err();
    assert_eq!(late.code(), Some("WRONG_STATE"));
}

#[tokio::test]
async fn after_the_engine_stopped_every_request_says_so() {
    let served = Served::new().await;
    served.store.fail_after(0);
    let sue = served.client("sue");
    assert_eq!(sue.freeze(None, "the last one").await.unwrap_err().code(), Some("ENGINE_STOPPED"));
    assert_eq!(sue.status().await.unwrap_err().code(), Some("ENGINE_STOPPED"));
    assert_eq!(sue.readiness().await.unwrap_err().code(), Some("ENGINE_STOPPED"));
}

#[tokio::test]
async fn a_client_without_a_daemon_gets_no_answer_and_no_panic() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url, None).unwrap().status().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreached(_)), "{error}");
}
