//! What people do with forms: the API's own operations, with its checks.

use treasury_core::Input;
use treasury_core::observe::{Change, SignerListView};
use treasury_core::units::{LedgerIndex, Weight};

use super::*;
use crate::metrics::Metrics;
use crate::notify::{Notifier, NotifyConfig};
use crate::testing::{ALICE, BOB};

#[tokio::test]
async fn two_people_approve_by_paste_and_the_payment_is_complete() {
    let served = Served::new().await;
    let proposal = served.proposal("invoice 12").await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let inbox = bob.shows("/console").await;
    assert!(
        inbox.contains("/console/proposals/P1") && inbox.contains("warm pays 5 XRP to exchange"),
        "{inbox}"
    );
    let page = bob.shows("/console/proposals/P1").await;
    for part in
        ["weight 0 of 2", "Can still sign: alice, bob.", "rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"].iter().take(2)
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("Checked: the bytes"), "{page}");
    // As treasuryctl writes it, and as a wallet does.
    let request = serde_json::to_string(&signed(ALICE, &proposal)).unwrap();
    let back = [("back", "/console/proposals/P1")];
    let path = "/console/proposals/P1/approve";
    assert_eq!(alice.does(path, &[("signed", &request), back[0]]).await, "P1: approved");
    assert_eq!(alice.does(path, &[("signed", &request), back[0]]).await, "P1: it was approved already");
    assert!(!alice.shows("/console").await.contains("role=\"status\""), "it is said once");
    let half = alice.shows("/console/proposals/P1").await;
    assert!(half.contains("weight 1 of 2") && half.contains("Can still sign: bob."), "{half}");
    let hex = blobs(BOB, &proposal);
    assert_eq!(bob.does(path, &[("signed", &hex), back[0]]).await, "P1: approved");
    let done = served.client("alice").proposal("P1").await.unwrap();
    assert_eq!(done.status, "in_flight");
    assert!(done.approvals.iter().all(|approval| approval.origin.as_deref() == Some("console")), "{done:?}");
    let page = bob.shows("/console/proposals/P1").await;
    assert!(page.contains("Its") || page.contains("Sent"), "{page}");
}

/// Method: a browser's `multipart/form-data`, with the text left empty and a file.
#[tokio::test]
async fn a_file_is_taken_as_well() {
    let served = Served::new().await;
    let proposal = served.proposal("").await;
    let alice = served.login("alice").await;
    let csrf = alice.csrf().await;
    let wallet = serde_json::json!(
        blobs(ALICE, &proposal)
            .lines()
            .map(|blob| serde_json::json!({"tx_blob": blob, "hash": "x"}))
            .collect::<Vec<_>>()
    );
    let part = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"P1.json\"\r\nContent-Type: application/json\r\n\r\n{wallet}\r\n--B--\r\n"
    );
    let body = [part("csrf", &csrf), part("signed", ""), file].concat();
    let request = alice.http.post(format!("{}/console/proposals/P1/approve", served.url));
    let request = request.header("cookie", &alice.cookie).header("origin", &served.url);
    let request = request.header("content-type", "multipart/form-data; boundary=B").body(body);
    let page = Browser::page_of(request.send().await.unwrap()).await;
    assert_eq!(page.status, 303, "{}", page.text);
    assert_eq!(alice.said("/console").await, "P1: approved");
}

#[tokio::test]
async fn what_is_not_signed_rightly_is_refused_and_never_shown_again() {
    let served = Served::new().await;
    let proposal = served.proposal("").await;
    let other = served.proposal("another").await;
    let alice = served.login("alice").await;
    let stored = served.store.last();
    let (ours, theirs) = (blobs(ALICE, &proposal), blobs(ALICE, &other));
    let single = {
        let key = testing::key(ALICE);
        let tx = xrpl_wire::Transaction::decode(&hex::decode(&proposal.rungs[0].blob).unwrap()).unwrap();
        hex::encode(xrpl_wire::sign::sign_single(&tx, &key).unwrap().encode())
    };
    let mut wrong = signed(ALICE, &proposal);
    wrong.signatures[0] = wrong.signatures[1].clone();
    let wrong = serde_json::to_string(&wrong).unwrap();
    let bobs = serde_json::to_string(&signed(BOB, &proposal)).unwrap();
    let first = ours.lines().next().unwrap().to_owned();
    for (given, expected) in [
        ("", (400, "BAD_VALUE")),
        ("hello", (400, "BAD_VALUE")),
        ("{", (400, "BAD_VALUE")),
        ("[1]", (400, "BAD_VALUE")),
        ("{\"signatures\":[]}", (400, "BAD_VALUE")),
        ("{\"TransactionType\":\"Payment\"}", (400, "BAD_VALUE")),
        (first.as_str(), (400, "BAD_VALUE")),
        (theirs.as_str(), (400, "BAD_VALUE")),
        (single.as_str(), (400, "BAD_VALUE")),
        (proposal.rungs[0].blob.as_str(), (400, "BAD_VALUE")),
        (wrong.as_str(), (400, "BAD_SIGNATURE")),
        (bobs.as_str(), (403, "NOT_YOUR_SIGNER")),
    ] {
        let page = alice.submit("/console/proposals/P1/approve", &[("signed", given)]).await;
        let (status, code) = code_of(&page);
        assert_eq!((status, code.as_str()), expected, "{given}: {}", page.text);
        assert!(given.len() < 8 || !page.text.contains(given), "{given}");
    }
    assert_eq!(served.store.last(), stored, "nothing has changed");
}

#[tokio::test]
async fn a_proposal_is_rejected_withdrawn_and_an_approval_taken_back() {
    let served = Served::new().await;
    for _ in 0..3 {
        served.proposal("").await;
    }
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let said = bob.does("/console/proposals/P1/reject", &[("reason", "not this one")]).await;
    assert_eq!(said, "P1: rejected: it has ended");
    let page = alice.shows("/console/proposals/P1").await;
    assert!(page.contains("not this one") && page.contains(">rejected</span>"), "{page}");
    assert_eq!(alice.does("/console/proposals/P2/withdraw", &[]).await, "P2: withdrawn");
    let third = served.client("alice").proposal("P3").await.unwrap();
    let request = serde_json::to_string(&signed(ALICE, &third)).unwrap();
    alice.does("/console/proposals/P3/approve", &[("signed", &request)]).await;
    assert!(alice.shows("/console/proposals/P3").await.contains("Retract your approval"));
    assert_eq!(alice.does("/console/proposals/P3/retract", &[]).await, "P3: taken back");
    // The same words and codes as the API's.
    let late = alice.refused("/console/proposals/P1/reject", &[("reason", "too late")]).await;
    let api = served.client("alice").reject("P1", "too late").await.unwrap_err();
    assert_eq!(late, (409, api.code().unwrap().to_owned()));
    let none = alice.refused("/console/proposals/P9/reject", &[("reason", "x")]).await;
    assert_eq!(none, (404, "UNKNOWN_PROPOSAL".to_owned()));
    assert_eq!(alice.refused("/console/proposals/P1/dance", &[]).await, (404, "NO_SUCH_PAGE".to_owned()));
    assert_eq!(alice.refused("/console/do/dance", &[]).await, (404, "NO_SUCH_PAGE".to_owned()));
    assert_eq!(alice.get("/console/proposals/P1/reject").await.header("location"), "/console/proposals/P1");
}

#[tokio::test]
async fn a_role_that_is_too_low_is_told_what_the_api_tells() {
    let served = Served::new().await;
    served.proposal("").await;
    let reason = ("reason", "x");
    for (person, path, fields) in [
        ("alice", "/console/proposals/P1/flag", vec![reason]),
        ("alice", "/console/proposals/P1/void", vec![reason]),
        ("alice", "/console/do/freeze", vec![reason]),
        ("alice", "/console/do/panic", vec![reason]),
        ("alice", "/console/do/flag_destination", vec![reason, ("destination", "exchange")]),
        ("alice", "/console/do/acknowledge", vec![reason, ("finding", "F1")]),
        ("sue", "/console/do/close_breaker", vec![]),
        ("sue", "/console/do/redeliver", vec![("id", "n-1")]),
        ("sue", "/console/do/test_channel", vec![("channel", "ops")]),
        ("sue", "/console/proposals/P1/reject", vec![reason]),
        ("bob", "/console/proposals/P1/withdraw", vec![]),
    ] {
        let stored = served.store.last();
        let (status, code) = served.login(person).await.refused(path, &fields).await;
        assert_eq!(status, 403, "{person} {path}: {code}");
        assert_eq!(served.store.last(), stored, "{person} {path}");
    }
    // What a role cannot do is not offered.
    let page = served.login("alice").await.shows("/console/proposals/P1").await;
    assert!(!page.contains("Freeze now") && !page.contains(">Flag P1<"), "{page}");
    let page = served.login("sue").await.shows("/console/proposals/P1").await;
    assert!(
        page.contains("Freeze now") && page.contains(">Flag P1<") && !page.contains(">Reject P1<"),
        "{page}"
    );
}

#[tokio::test]
async fn what_one_person_flags_a_second_one_lifts_with_a_reason() {
    let served = Served::new().await;
    served.proposal("").await;
    let sue = served.login("sue").await;
    let back = ("back", "/console/proposals/P1");
    let said = sue.does("/console/proposals/P1/flag", &[("reason", "the invoice is odd"), back]).await;
    assert!(said.starts_with("P1: held: S1"), "{said}");
    let said = sue
        .does("/console/do/flag_destination", &[("destination", "exchange"), ("reason", "and they")])
        .await;
    assert!(said.starts_with("exchange: held: S2"), "{said}");
    // Somebody else of the same role, in another browser.
    let other = served.login("sue").await;
    let page = other.shows("/console/proposals/P1").await;
    assert!(
        page.contains("value=\"S1\"") && page.contains("value=\"S2\"") && page.contains("the invoice is odd")
    );
    let none = other.refused("/console/do/lift", &[("reason", "x")]).await;
    assert_eq!(none, (400, "BAD_VALUE".to_owned()), "nothing was chosen");
    let both = [("stop", "S1"), ("stop", "S2"), ("reason", "a colleague"), back];
    assert_eq!(other.does("/console/do/lift", &both).await, "lifted: S1, S2");
    assert!(served.client("sue").stops().await.unwrap().standing.is_empty());
    let system = other.shows("/console/system").await;
    assert!(system.contains("a colleague") && system.contains("lifted by sue"), "{system}");
}

#[tokio::test]
async fn a_freeze_is_one_form_away_from_every_page_and_shows_on_every_page() {
    let served = Served::new().await;
    served.proposal("").await;
    let sue = served.login("sue").await;
    for path in PAGES.into_iter().chain(["/console/proposals/P1"]) {
        let page = sue.shows(path).await;
        assert!(page.contains("action=\"/console/do/freeze\"") && !page.contains("Frozen:"), "{path}");
    }
    let said = sue.does("/console/do/freeze", &[("account", "warm"), ("reason", "a drill")]).await;
    assert_eq!(said, "warm: frozen: S1");
    assert_eq!(
        sue.does("/console/do/freeze", &[("account", ""), ("reason", "all")]).await,
        "everything: frozen: S2"
    );
    let alice = served.login("alice").await;
    for path in PAGES {
        let page = alice.shows(path).await;
        assert!(page.contains("Frozen: warm.") && page.contains("Frozen: everything."), "{path}");
    }
    let own = sue.refused("/console/do/lift", &[("stop", "S1"), ("reason", "over")]).await;
    assert_eq!(own, (403, "ROLE_MISSING".to_owned()), "a freeze is lifted by the role admin");
    let adam = served.login("adam").await;
    let both = [("stop", "S1"), ("stop", "S2"), ("reason", "over")];
    assert_eq!(adam.does("/console/do/lift", &both).await, "lifted: S1, S2");
}

#[tokio::test]
async fn a_panic_says_what_is_safe_and_what_is_not() {
    let served = Served::new().await;
    served.proposal("").await;
    let said = served.login("sue").await.does("/console/do/panic", &[("reason", "a thief")]).await;
    assert!(said.starts_with("frozen: everything: S1\nwithheld: none\nended: P1"), "{said}");
}

#[tokio::test]
async fn a_finding_is_acknowledged_with_what_came_of_it() {
    let served = Served::new().await;
    let Input::Reconciled { at, mut accounts, from, wall_ms } = testing::reconciled_at(101) else { panic!() };
    for account in &mut accounts {
        let entries = [(testing::signer(ALICE), 1)].into();
        if account.account == testing::warm() {
            account.signer_list = Some(SignerListView { quorum: Weight(1), entries });
        }
    }
    served.handle.input(Input::Reconciled { at, accounts, from, wall_ms }).await.unwrap();
    let found = served.client("sue").findings().await.unwrap();
    assert!(!found.is_empty(), "a list that is another one than declared");
    let sue = served.login("sue").await;
    let id = found[0].id.as_str();
    for path in ["/console", "/console/findings"] {
        assert!(sue.shows(path).await.contains(&found[0].kind), "{path}");
    }
    let nothing = sue.refused("/console/do/acknowledge", &[("finding", id), ("reason", "")]).await;
    assert_eq!(nothing.0, 400, "{nothing:?}");
    let said = sue.does("/console/do/acknowledge", &[("finding", id), ("reason", "bob has left")]).await;
    assert_eq!(said, format!("{id}: acknowledged"));
    assert!(!sue.shows("/console/findings").await.contains(&format!("value=\"{id}\"")));
    let all = sue.shows("/console/findings?which=all").await;
    assert!(all.contains("Seen by sue") && all.contains("bob has left"), "{all}");
}

/// Danger: whoever causes findings that only alert pushes what is stopped off the page that people look at.
#[tokio::test]
async fn what_stops_stands_before_what_only_alerts() {
    let served = Served::new().await;
    let Input::Ledger { mut observation, wall_ms } = testing::ledger(102) else { panic!() };
    let list = SignerListView { quorum: Weight(1), entries: [(testing::signer(ALICE), 1)].into() };
    observation.changes.push(Change::SignerList { account: testing::warm(), list: Some(list) });
    served.handle.input(Input::Ledger { observation, wall_ms }).await.unwrap();
    let drift =
        served.client("sue").findings().await.unwrap().into_iter().find(|found| found.severity == "hold");
    let drift = drift.expect("a list that is another one than declared").id;
    for number in 0..60 {
        let reason = format!("ledger {number} is gone");
        let (first, last) = (LedgerIndex(1), LedgerIndex(2));
        served.handle.input(Input::HistoryMissing { first, last, reason }).await.unwrap();
    }
    let inbox = served.login("sue").await.shows("/console").await;
    let place = |part: &str| inbox.find(part).unwrap_or_else(|| panic!("no {part} in {inbox}"));
    // The last of them is the reason why sight is lost as well.
    assert!(place(&format!("/console/findings#{drift}\"")) < place("ledger 58 is gone"));
    assert!(place("ledger 58 is gone") < place("ledger 57 is gone"));
}

/// Method: a receiver that wants nothing any more, so that everything to it is given up at once.
#[tokio::test]
async fn what_was_given_up_shows_and_is_sent_again() {
    let gone = axum::Router::new().route("/", post(|| async { axum::http::StatusCode::GONE }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, gone).await });
    let dir = tempfile::tempdir().unwrap();
    let notify = telling(dir.path(), &url);
    let metrics = std::sync::Arc::new(Metrics::new().unwrap());
    let store = MemoryStore::new();
    let (mut engine, _, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    let Engine { handle, .. } = engine;
    testing::look(&handle).await;
    let (data, asked, counted) = (dir.path().to_path_buf(), handle.clone(), std::sync::Arc::clone(&metrics));
    let start = move || Notifier::start(notify, &data, asked, &counted);
    let notifier = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    // What became of a notice is asked for again and again.
    let limits = Limits { rate: 10_000, ..Limits::default() };
    let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), limits);
    let app = app.with_console(Some(ConsoleConfig::default())).with_desk(Some(notifier.desk()));
    let served = Served::of(handle, store, app).await;
    let adam = served.login("adam").await;
    let said = adam.does("/console/do/test_channel", &[("channel", "ops")]).await;
    assert!(said.starts_with("a test message is on its way: n-"), "{said}");
    let dead = loop {
        let list =
            served.client("adam").deliveries(&treasury_api::types::DeliveriesQuery::default()).await.unwrap();
        if let Some(dead) = list.into_iter().find(|delivery| delivery.stage == "dead") {
            break dead;
        }
    };
    let page = adam.shows("/console/deliveries?stage=dead").await;
    assert!(page.contains(&dead.notice.id) && page.contains(">dead</span>"), "{page}");
    assert!(adam.shows("/console").await.contains("Nobody was told"));
    let range = [("first", "0"), ("last", "x")];
    assert_eq!(adam.refused("/console/do/redeliver", &range).await, (400, "BAD_VALUE".to_owned()));
    // What waits for an answer is answered there.
    served.client("sue").freeze(None, "<b>who</b>").await.unwrap();
    let alert = loop {
        // On a slow machine the channel that gave up is one, too.
        let alerts = served.client("sue").alerts().await.unwrap();
        if let Some(alert) =
            alerts.into_iter().find(|alert| alert.notice.kind == treasury_api::notice::Kind::Freeze)
        {
            break alert;
        }
    };
    let page = adam.shows("/console/deliveries").await;
    let field = format!("name=\"notice\" value=\"{}\"", alert.notice.id);
    assert!(
        page.contains("Waits for an answer") && page.contains(&field) && page.contains("to ops, "),
        "{page}"
    );
    let answer = [("notice", alert.notice.id.as_str()), ("reason", "I call her")];
    assert_eq!(adam.does("/console/do/acknowledge_notices", &answer).await, "acknowledged");
    let is_waiting = async || {
        let alerts = served.client("sue").alerts().await.unwrap();
        alerts.iter().any(|other| other.notice.id == alert.notice.id && other.acknowledged.is_none())
    };
    while is_waiting().await {}
    let page = adam.shows("/console/deliveries").await;
    assert!(page.contains("adam looks after it") && !page.contains(&field), "{page}");
    let again = [("id", dead.notice.id.as_str()), ("channel", "ops")];
    let said = adam.does("/console/do/redeliver", &again).await;
    assert_eq!(said, "1 deliveries wait to be sent again");
    notifier.shutdown().await;
}

fn telling(dir: &std::path::Path, url: &str) -> NotifyConfig {
    use std::os::unix::fs::PermissionsExt;
    let secrets = dir.join("secrets");
    std::fs::write(&secrets, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
         [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n\
         [[channel]]\nname = \"ops\"\nurl = \"{url}\"\nsecrets_file = \"secrets\"\nallow_private = true\n\
         [[route]]\nchannels = [\"ops\"]\nescalate_after = \"15m\"\nescalate_to = [\"ops\"]\n"
    );
    crate::config::DaemonConfig::parse(&text, dir).unwrap().notify
}
