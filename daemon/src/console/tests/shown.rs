//! What pages show, and what they never show.

use treasury_core::config::{AccountConfig, Person};
use treasury_core::observe::{AccountSnapshot, Change, SettingsView};
use treasury_core::units::{AccountId, HexBytes};
use treasury_core::{Command, Input};

use super::*;
use crate::metrics::Metrics;
use crate::testing::{ALICE, BOB};

/// Danger: a note runs as a script in the browser of whoever may freeze and approve.
#[tokio::test]
async fn what_people_wrote_is_text_wherever_it_is_shown() {
    const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
    let served = Served::new().await;
    served.proposal(HOSTILE).await;
    served.client("sue").flag("P1", HOSTILE).await.unwrap();
    served.client("sue").freeze(Some("warm"), HOSTILE).await.unwrap();
    served.client("sue").lift(&["S1".to_owned()], HOSTILE).await.unwrap();
    served.client("sue").flag("P1", HOSTILE).await.unwrap();
    served.client("alice").reject("P1", HOSTILE).await.unwrap();
    let (all, _) = everything(&served, &["P1"]).await;
    for sign in ["<script>alert", "<img", "'><", "\u{202e}"] {
        let found = all.lines().find(|line| line.contains(sign));
        assert_eq!(found, None, "{sign}");
    }
    assert!(
        all.contains("&#60;script&#62;alert(1)") && all.contains("\\u{202e}"),
        "it is shown, as what it is"
    );
    // What was searched for comes back as text, too.
    let alice = served.login("alice").await;
    let hostile: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for path in [
        format!("/console/history?text={hostile}&destination={hostile}"),
        format!("/console/proposals?account={hostile}"),
        format!("/console/findings?before={hostile}&which={hostile}"),
        format!("/console/policy?account=warm&destination={hostile}&amount=5"),
        format!("/console/deliveries?channel={hostile}&stage=dead"),
        format!("/console/login?next={hostile}"),
        format!("/console/{hostile}"),
        format!("/console/proposals/{hostile}"),
    ] {
        let page = alice.get(&path).await;
        assert!(!page.text.contains("<script>alert") && !page.text.contains("<img"), "{path}: {}", page.text);
    }
}

/// Danger: a complete payment is put together from a page, or somebody's token read off it.
#[tokio::test]
async fn no_page_holds_a_token_a_seed_or_a_signature() {
    let served = Served::new().await;
    let proposal = served.proposal("invoice 12").await;
    let given = [signed(ALICE, &proposal), signed(BOB, &proposal)];
    served.client("sue").flag("P1", "wait").await.unwrap();
    served.client("alice").approve("P1", &given[0]).await.unwrap();
    served.client("bob").approve("P1", &given[1]).await.unwrap();
    let mut secrets: Vec<String> = given.into_iter().flat_map(|given| given.signatures).collect();
    secrets.extend(["alice", "bob", "sue", "adam"].map(token_of));
    let seed = xrpl_wire::Seed::from_entropy([ALICE; 16], xrpl_wire::KeyType::Ed25519);
    secrets.push(seed.to_base58().to_string());
    let (pages, files) = everything(&served, &["P1"]).await;
    let all = pages + &files;
    assert!(all.contains(&proposal.rungs[0].blob), "what is to be signed is there");
    let upper = all.to_ascii_uppercase();
    let found = secrets.iter().find(|secret| upper.contains(&secret.to_ascii_uppercase()));
    assert_eq!(found, None);
}

/// One person and one account may have so many open, so there are several of each. Most get no Ticket, and wait for one.
async fn a_thousand_proposals() -> Served {
    let account = |n: u64| AccountId([110 + u8::try_from(n % 10).unwrap(); 20]);
    let mut treasury = testing::treasury();
    let (warm, alice) = (treasury.accounts[&testing::warm()].clone(), treasury.people["alice"].clone());
    for n in 0..10 {
        let name = format!("warm-{n}");
        treasury.accounts.insert(account(n), AccountConfig { name, ..warm.clone() });
        let name = format!("asker-{n}");
        treasury.people.insert(name.clone(), Person { name, signer: None, ..alice.clone() });
    }
    let (store, metrics) = (MemoryStore::new(), Arc::new(Metrics::new().unwrap()));
    let start = Engine::start(treasury, Box::new(store.clone()), Arc::clone(&metrics), Box::new(|_| {}));
    let mut engine = start.unwrap();
    engine.handle.inputs().try_send(testing::now()).unwrap();
    testing::carry_nothing_out(&mut engine);
    let handle = engine.handle;
    let Input::Reconciled { at, mut accounts, from, wall_ms } = testing::reconciled() else { panic!() };
    let like = accounts.iter().find(|seen| seen.account == testing::warm()).unwrap().clone();
    accounts.extend((0..10).map(|n| AccountSnapshot { account: account(n), ..like.clone() }));
    handle.input(Input::Reconciled { at, accounts, from, wall_ms }).await.unwrap();
    handle.input(testing::ledger(101)).await.unwrap();
    for n in 0..1_000_u64 {
        let Command::Propose(mut asked) = testing::pay(testing::xrp(1 + n % 90)) else { panic!() };
        asked.account = account(n);
        asked.note = "<".repeat(500);
        let actor = testing::actor(&format!("asker-{}", n % 10));
        handle.command(actor, Command::Propose(asked)).await.unwrap().unwrap();
    }
    let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default());
    Served::of(handle, store, app.with_console(Some(ConsoleConfig::default()))).await
}

#[tokio::test]
async fn a_page_stays_small_with_a_thousand_open_proposals() {
    let served = a_thousand_proposals().await;
    let alice = served.login("alice").await;
    let fixed = STYLE.len() + SCRIPT.len();
    for path in PAGES.into_iter().chain(["/console/proposals/P1", "/console/proposals?which=all"]) {
        let page = alice.shows(path).await;
        assert!(page.len() + fixed <= PAGE_MAX_BYTES, "{path}: {} bytes", page.len() + fixed);
    }
    let first = alice.shows("/console/proposals").await;
    assert!(first.contains(">P1000<") && first.contains(">P951<") && !first.contains(">P950<"));
    assert!(alice.shows("/console/proposals?which=&account=&before=P951").await.contains(">P950<"));
}

#[tokio::test]
async fn history_is_searched_by_what_people_remember_and_taken_along() {
    let served = Served::new().await;
    served.proposal("rent for May, \"the tower\"").await;
    served.proposal("=HYPERLINK(\"http://evil\")").await;
    served.client("bob").reject("P2", "no").await.unwrap();
    let alice = served.login("alice").await;
    for (query, ids) in [
        ("", vec!["P1", "P2"]),
        ("text=the+TOWER", vec!["P1"]),
        ("text=P2", vec!["P2"]),
        ("person=bob", vec!["P2"]),
        ("person=alice", vec!["P1", "P2"]),
        ("destination=exchange&account=warm", vec!["P1", "P2"]),
        ("destination=nobody", vec![]),
        ("least=5&most=5+XRP", vec!["P1", "P2"]),
        ("least=5.1", vec![]),
        ("most=4.9", vec![]),
        ("status=rejected", vec!["P2"]),
        ("since=2020-01-01&until=2100-01-01", vec!["P1", "P2"]),
        ("since=2100-01-01", vec![]),
        ("until=2020-01-01", vec![]),
        ("before=P2", vec!["P1"]),
    ] {
        let page = alice.shows(&format!("/console/history?{query}")).await;
        let csv = alice.shows(&format!("/console/history.csv?{query}")).await;
        for id in ["P1", "P2"] {
            assert_eq!(page.contains(&format!(">{id}</a>")), ids.contains(&id), "{query}: {id}");
            assert_eq!(csv.contains(&format!("\"{id}\",")), ids.contains(&id), "{query}: {id} in {csv}");
        }
    }
    let csv = alice.get("/console/history.csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.text.contains("\"'=HYPERLINK(\"\"http://evil\"\")\""), "{}", csv.text);
    assert!(csv.text.contains("\"rent for May, \"\"the tower\"\"\""), "{}", csv.text);
    assert_eq!(code_of(&alice.get("/console/history?least=much").await), (400, "BAD_VALUE".to_owned()));
}

#[tokio::test]
async fn the_package_is_what_the_api_answers() {
    let served = Served::new().await;
    let proposal = served.proposal("").await;
    let page = served.login("bob").await.get("/console/proposals/P1/package.json").await;
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"P1.package.json\"");
    let package: ProposalView = serde_json::from_str(&page.text).unwrap();
    assert_eq!(package, proposal);
    treasury_verify::check(&package).unwrap();
}

/// Danger: a code holds another page's address, or what is to be signed where the bytes are not what the words say.
#[tokio::test]
async fn a_proposal_s_page_has_its_address_and_what_is_to_be_signed_as_codes() {
    let served = Served::new().await;
    served.proposal("invoice 12").await;
    let bob = served.login("bob").await;
    let page = bob.shows("/console/proposals/P1").await;
    assert_eq!(page.matches("<svg class=\"code\"").count(), 2, "{page}");
    let address = format!("<span class=\"address\">{}/console/proposals/P1</span>", served.url);
    assert!(page.contains(&address) && page.contains("Only this machine can open it"), "{page}");
    // Drawn without a style or script of its own, which the policy would not let through.
    let codes = page.split("<svg class=\"code\"").skip(1).map(|rest| rest.split("</svg>").next().unwrap());
    assert!(
        codes
            .clone()
            .all(|code| !code.contains("style=") && code.contains("role=\"img\" aria-label=\"QR code"))
    );
    // Once nothing is to be signed, its address alone.
    served.client("alice").withdraw("P1").await.unwrap();
    let page = bob.shows("/console/proposals/P1").await;
    assert_eq!(page.matches("<svg class=\"code\"").count(), 1, "{page}");
}

#[tokio::test]
async fn a_payment_is_explained_and_the_table_is_there_in_words() {
    let served = Served::new().await;
    let alice = served.login("alice").await;
    let table = alice.shows("/console/policy").await;
    for part in
        ["small", "up to 100 XRP", "known destinations", "approver of weight 2 sign", "released 1 h after"]
    {
        assert!(table.contains(part), "{part}: {table}");
    }
    let stored = served.store.last();
    let said = alice.shows("/console/policy?account=warm&destination=exchange&amount=300+XRP&asker=").await;
    assert!(said.contains("<b>delay</b>, by large") && said.contains("the amount is 300 XRP"), "{said}");
    assert_eq!(served.store.last(), stored);
    for (query, code) in
        [("amount=x&destination=exchange", "BAD_VALUE"), ("amount=5&destination=whoever", "UNKNOWN_NAME")]
    {
        let page = alice.get(&format!("/console/policy?account=warm&{query}")).await;
        assert_eq!(code_of(&page), (400, code.to_owned()));
    }
}

#[tokio::test]
async fn pages_say_what_the_api_says_of_accounts_and_the_system() {
    let served = Served::new().await;
    served.proposal("").await;
    let alice = served.login("alice").await;
    let accounts = alice.shows("/console/accounts").await;
    for part in ["warm", "10000 XRP", "4 free, 1 taken", "2 of ", "alice=1", "an agent=1"] {
        assert!(accounts.contains(part), "{part}: {accounts}");
    }
    for part in ["alice + bob", "more than a year", "What may still leave", "5 XRP from warm", "80 %"] {
        assert!(accounts.contains(part), "{part}: {accounts}");
    }
    let system = alice.shows("/console/system").await;
    for part in ["clear: it sees the validated ledger", "1 collecting", "10 drops"] {
        assert!(system.contains(part), "{part}: {system}");
    }
    let reason = "ws://op:PASSWORD99@127.0.0.1:6006/v1/KEY99: cannot be reached".to_owned();
    served.handle.input(Input::SightLost { reason }).await.unwrap();
    let blind = alice.shows("/console").await;
    assert!(blind.contains("Sight is lost.") && !blind.contains("PASSWORD99"), "{blind}");
}

/// Danger: a seed that was pasted into a search stands on the page that comes back, in its links and in what is downloaded.
#[tokio::test]
async fn a_seed_in_what_is_searched_for_is_on_no_page() {
    const SEED: &str = "sEdTM1uX8pu2do5XvTnutH6HsouMaM2";
    let served = Served::new().await;
    let alice = served.login("alice").await;
    for path in [
        format!("/console/history?text={SEED}"),
        format!("/console/audit?person=x+{SEED}"),
        format!("/console/login?next=/console/{SEED}"),
        format!("/console/policy?account=warm&destination=%73{}&amount=5", &SEED[1..]),
        format!("/console/proposals/{SEED}"),
        format!("/console/{SEED}"),
    ] {
        let page = alice.get(&path).await;
        assert!((400..500).contains(&page.status), "{path}: {}", page.status);
        assert!(!page.text.contains(SEED), "{path}: {}", page.text);
        assert_eq!(path.contains('?'), page.text.contains("SEED_GIVEN"), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn settings_that_are_not_as_declared_show_with_their_account() {
    let served = Served::new().await;
    let sue = served.login("sue").await;
    let shown = async || {
        let accounts = served.client("sue").accounts().await.unwrap();
        let page = sue.shows("/console/accounts").await;
        (accounts[0].settings_as_declared, accounts[0].settings_drift.clone(), page)
    };
    let (declared, drift, page) = shown().await;
    assert!(declared.is_none() && drift.is_none() && !page.contains("settings not as declared"));
    let mut treasury = testing::treasury();
    let settings = &mut treasury.accounts.get_mut(&testing::warm()).unwrap().settings;
    settings.domain = Some("acme.example".to_owned());
    served.handle.declare(treasury).await.unwrap().unwrap();
    let (declared, drift, _) = shown().await;
    assert_eq!((declared, drift), (Some(true), None), "what it is was not read yet");
    let Input::Ledger { mut observation, wall_ms } = testing::ledger(102) else { panic!() };
    let settings = SettingsView { domain: HexBytes(b"evil.example".to_vec()), transfer_rate: 0 };
    observation.changes.push(Change::Settings { account: testing::warm(), settings });
    served.handle.input(Input::Ledger { observation, wall_ms }).await.unwrap();
    let words = "Domain is evil.example, declared acme.example";
    let (declared, drift, page) = shown().await;
    assert_eq!((declared, drift.as_deref()), (Some(false), Some(words)));
    assert!(page.contains("settings not as declared") && page.contains(words), "{page}");
    let found = served.client("sue").findings().await.unwrap().pop().unwrap();
    assert_eq!(
        (found.kind.as_str(), found.severity.as_str(), found.evidence.as_str()),
        ("settings_drift", "hold", words)
    );
}
