//! Acts that need a gesture.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::passkey::tests::{Device, ORIGIN};
use crate::passkey::{Passkey, Site};

/// A console where these acts need a passkey, and bob and sue have one each.
struct Asked {
    served: Served,
    bob: Device,
    sue: Device,
}

fn config(acts: &[&str]) -> ConsoleConfig {
    let acts = acts.iter().map(|act| (*act).to_owned()).collect::<BTreeSet<_>>();
    let origin = Some(ORIGIN.to_owned());
    ConsoleConfig { origin, passkeys: Some(PasskeysConfig { acts }), ..ConsoleConfig::default() }
}

impl Asked {
    async fn new(acts: &[&str]) -> Self {
        Self::of(Served::with(Some(config(acts))).await)
    }

    fn of(served: Served) -> Self {
        let site = Site::of(ORIGIN).unwrap();
        let (bob, sue) = (Device::new(), Device::new());
        served.tokens.replace_passkeys(&BTreeMap::from([
            ("bob".to_owned(), vec![bob.passkey(&site, "bob")]),
            ("sue".to_owned(), vec![sue.passkey(&site, "sue")]),
        ]));
        Self { served, bob, sue }
    }

    /// Somebody's browser, under the name that people use.
    async fn login(&self, person: &str) -> Browser {
        let mut browser = self.served.browser();
        browser.origin = ORIGIN.to_owned();
        let token = token_of(person);
        let page = browser.send("/console/login", &[("token", &token)], &[]).await;
        browser.cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        browser
    }
}

/// What a page asks a device for, as the script reads it.
fn options(page: &Page) -> String {
    let (_, rest) = page.text.split_once("data-passkey=\"").unwrap_or_else(|| panic!("{}", page.text));
    rest.split('"').next().unwrap().replace("&#34;", "\"").replace("&#38;", "&")
}

/// Confirms what the page asks for.
async fn confirm(browser: &Browser, page: &Page, gesture: &str) -> Page {
    let held = page.field("held");
    browser.submit("/console/confirm", &[("held", &held), ("gesture", gesture)]).await
}

#[tokio::test]
async fn an_act_that_needs_a_gesture_is_done_with_it_and_not_before() {
    let mut asked = Asked::new(&["approve", "flag"]).await;
    let proposal = asked.served.proposal("rent").await;
    let (bob, path) = (asked.login("bob").await, format!("/console/proposals/{}/approve", proposal.id));
    let stored = asked.served.store.last();
    let signed = blobs(testing::BOB, &proposal);
    // What is no signature costs nobody a gesture.
    assert_eq!(bob.refused(&path, &[("signed", "DEADBEEF")]).await, (400, "BAD_VALUE".to_owned()));
    let page = bob.submit(&path, &[("signed", &signed), ("back", "/console/findings")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let signer = testing::key(testing::BOB).account_id().to_string();
    for part in [
        "Nothing has been done yet",
        "Approve",
        &format!("{}: warm pays 5 XRP to exchange", proposal.id),
        &signer,
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(asked.served.store.last(), stored, "nothing has changed");
    let gesture = asked.bob.gesture(&options(&page));
    let done = confirm(&bob, &page, &gesture).await;
    assert_eq!((done.status, done.header("location")), (303, "/console/findings"), "{}", done.text);
    assert_eq!(bob.said("/console/findings").await, format!("{}: approved", proposal.id));
    let approvals = asked.served.client("alice").proposal(&proposal.id).await.unwrap().approvals;
    assert_eq!(approvals.len(), 1);
    // Once.
    let stored = asked.served.store.last();
    assert_eq!(code_of(&confirm(&bob, &page, &gesture).await), (409, "GESTURE_OVER".to_owned()));
    // What needs none is done at once, and stops are.
    let sue = asked.login("sue").await;
    sue.does("/console/do/freeze", &[("reason", "a thief")]).await;
    assert!(asked.served.store.last() > stored);
    // What needs one, of somebody who has none.
    let alice = asked.login("alice").await;
    let (status, code) = alice.refused(&path, &[("signed", &signed)]).await;
    assert_eq!((status, code.as_str()), (403, "PASSKEY_MISSING"));
}

/// Danger: a page shows a seed that somebody pasted, or keeps somebody from stopping something for it.
#[tokio::test]
async fn a_seed_in_a_form_is_on_no_page_and_keeps_nobody_from_stopping() {
    let mut asked = Asked::new(&["flag", "lift"]).await;
    let id = asked.served.proposal("rent").await.id;
    let sue = asked.login("sue").await;
    let seed = "sEdTM1uX8pu2do5XvTnutH6HsouMaM2";
    let reason = format!("a thief has {seed}");
    let page = sue.submit(&format!("/console/proposals/{id}/flag"), &[("reason", &reason)]).await;
    assert!(
        page.text.contains("a thief has (a seed, not shown)") && !page.text.contains(seed),
        "{}",
        page.text
    );
    let gesture = asked.sue.gesture(&options(&page));
    assert_eq!(confirm(&sue, &page, &gesture).await.status, 303);
    let stored = asked.served.store.last();
    for (path, fields) in [
        ("/console/do/lift", [("stop", "S1"), ("reason", reason.as_str())]),
        ("/console/do/acknowledge", [("finding", "F1"), ("reason", reason.as_str())]),
    ] {
        let refused = sue.submit(path, &fields).await;
        assert_eq!(code_of(&refused), (400, "SEED_GIVEN".to_owned()));
        assert!(!refused.text.contains(seed), "{}", refused.text);
    }
    assert_eq!(asked.served.store.last(), stored);
    let stops = asked.served.client("sue").stops().await.unwrap().standing;
    assert!(stops.len() == 1 && stops[0].reason == "a thief has (a seed, not shown)", "{stops:?}");
}

/// Danger: a gesture that was made for one thing lets another one through, or somebody else's.
#[tokio::test]
async fn a_gesture_is_for_its_form_in_its_session_once_and_not_for_long() {
    let mut asked = Asked::new(&["flag"]).await;
    let (one, other) = (asked.served.proposal("a").await.id, asked.served.proposal("b").await.id);
    let sue = asked.login("sue").await;
    let flag = |id: &str| format!("/console/proposals/{id}/flag");
    let ask = async |id: &str| sue.submit(&flag(id), &[("reason", "odd")]).await;
    let stored = asked.served.store.last();
    let wrong = (403, "GESTURE_WRONG".to_owned());
    let over = (409, "GESTURE_OVER".to_owned());
    // Of another form of the same session.
    let (first, second) = (ask(&one).await, ask(&other).await);
    let gesture = asked.sue.gesture(&options(&first));
    assert_eq!(code_of(&confirm(&sue, &second, &gesture).await), wrong);
    assert_eq!(code_of(&confirm(&sue, &second, &gesture).await), over, "and that form is gone");
    // Of another session of hers, and of somebody else's.
    let (again, bob) = (asked.login("sue").await, asked.login("bob").await);
    for browser in [&again, &bob] {
        assert_eq!(code_of(&confirm(browser, &first, &gesture).await), over);
    }
    // Somebody else's device, and none.
    let page = ask(&one).await;
    let foreign = asked.bob.gesture(&options(&page));
    assert_eq!(code_of(&confirm(&sue, &page, &foreign).await), wrong);
    assert_eq!(code_of(&confirm(&sue, &ask(&one).await, "").await), wrong);
    // Too late.
    let page = ask(&one).await;
    let late = asked.sue.gesture(&options(&page));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(120)).await;
    tokio::time::resume();
    assert_eq!(code_of(&confirm(&sue, &page, &late).await), over);
    // The fifth form takes the place of the first.
    let first = ask(&one).await;
    for _ in 0..4 {
        ask(&other).await;
    }
    let gesture = asked.sue.gesture(&options(&first));
    assert_eq!(code_of(&confirm(&sue, &first, &gesture).await), over);
    assert_eq!(asked.served.store.last(), stored, "nothing of all this has changed anything");
    // A passkey that was taken out meanwhile.
    let page = ask(&one).await;
    let gesture = asked.sue.gesture(&options(&page));
    asked.served.tokens.replace_passkeys(&BTreeMap::new());
    assert_eq!(code_of(&confirm(&sue, &page, &gesture).await), wrong);
    assert_eq!(asked.served.store.last(), stored);
}

#[tokio::test]
async fn a_form_that_waits_shows_what_was_written_as_text_and_the_right_one_is_done() {
    let mut asked = Asked::new(&["freeze", "lift", "flag_destination"]).await;
    let sue = asked.login("sue").await;
    let hostile = "<script>alert(1)</script>\u{202e}x";
    let page = sue.submit("/console/do/freeze", &[("reason", hostile), ("account", "warm")]).await;
    assert!(!page.text.contains("<script>alert") && !page.text.contains('\u{202e}'), "{}", page.text);
    assert!(page.text.contains("<dt>What</dt><dd>warm</dd>"), "{}", page.text);
    let other = sue.submit("/console/do/freeze", &[("reason", "all of it"), ("account", "")]).await;
    assert!(other.text.contains("<dt>What</dt><dd>everything</dd>"), "{}", other.text);
    let gesture = asked.sue.gesture(&options(&page));
    assert_eq!(confirm(&sue, &page, &gesture).await.status, 303);
    let stops = asked.served.client("adam").stops().await.unwrap().standing;
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].on(), "warm");
}

/// Danger: somebody is had to lift another stop than they think, for the page that asks for the gesture has a number alone.
#[tokio::test]
async fn what_is_to_be_lifted_is_shown_with_what_it_stops_who_set_it_and_why() {
    let mut asked = Asked::new(&["lift"]).await;
    let id = asked.served.proposal("rent").await.id;
    let client = asked.served.client("sue");
    client.flag(&id, "a strange account").await.unwrap();
    client.freeze(Some("warm"), "a stolen laptop").await.unwrap();
    let stops = client.stops().await.unwrap().standing;
    let ids: Vec<(&str, &str)> = stops.iter().map(|stop| ("stop", stop.id.as_str())).collect();
    let sue = asked.login("sue").await;
    let fields = [ids.as_slice(), &[("stop", "S99"), ("reason", "it was the auditor")]].concat();
    let page = sue.submit("/console/do/lift", &fields).await;
    for part in [
        "S1 hold on P1 by sue since ",
        ": a strange account (P1: warm pays 5 XRP to exchange)",
        "S2 freeze on warm by sue since ",
        ": a stolen laptop</dd>",
        "S99: there is no such stop",
        "it was the auditor",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // The freeze is not hers to lift, and nothing is lifted in part.
    let gesture = asked.sue.gesture(&options(&page));
    assert_eq!(confirm(&sue, &page, &gesture).await.status, 403);
    let page = sue.submit("/console/do/lift", &[("stop", "S1"), ("reason", "known")]).await;
    assert!(!page.text.contains("<dt>Stop</dt><dd>S2"), "{}", page.text);
    let gesture = asked.sue.gesture(&options(&page));
    assert_eq!(confirm(&sue, &page, &gesture).await.status, 303);
    let page = sue.submit("/console/do/lift", &[("stop", "S1"), ("reason", "known")]).await;
    assert!(page.text.contains("S1: was lifted already"), "{}", page.text);
}

/// Danger: a stop needs a gesture, and the page that asks for one cannot be shown for all that somebody else asks for.
#[tokio::test]
async fn a_stop_that_needs_a_gesture_is_asked_for_it_however_busy_the_rest_is() {
    let limits = Limits { requests: 0, ..Limits::default() };
    let mut asked = Asked::of(Served::on(Some(config(&["flag"])), limits).await);
    let pay = testing::pay(testing::xrp(5));
    asked.served.handle.command(testing::actor("alice"), pay).await.unwrap().unwrap();
    let sue = asked.login("sue").await;
    let csrf = sue.get("/console/stop").await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("act", "flag"), ("proposal", "P1"), ("reason", "odd")];
    let page = sue.send("/console/stop", &fields, &[]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("P1; there is too much to do to say what it is"), "{}", page.text);
    assert!(page.text.contains("/console/console.js"), "without it there is no gesture");
    let gesture = asked.sue.gesture(&options(&page));
    let held = page.field("held");
    let fields = [("csrf", csrf.as_str()), ("held", &held), ("gesture", &gesture)];
    let done = sue.send("/console/confirm", &fields, &[]).await;
    assert_eq!((done.status, done.header("location")), (303, "/console"), "{}", done.text);
    let stops = asked.served.handle.query(|state, _| state.stops.all().count()).await.unwrap();
    assert_eq!(stops, 1);
}

/// Danger: who has stolen a session makes a passkey of their own, and from then on confirms with it.
#[tokio::test]
async fn a_passkey_that_somebody_makes_counts_when_the_configuration_has_it() {
    let asked = Asked::new(&["flag"]).await;
    let id = asked.served.proposal("a").await.id;
    let sue = asked.login("sue").await;
    let shown = sue.shows("/console/passkeys").await;
    assert!(shown.contains("laptop") && shown.contains("on one device"), "{shown}");
    let mut thief = Device::new();
    let page = sue.submit("/console/passkeys/new", &[("name", "phone")]).await;
    let answer = thief.makes(&options(&page));
    let made = sue.submit("/console/passkeys/made", &[("gesture", &answer)]).await;
    let (_, line) = made.text.split_once("passkeys = [\"").unwrap_or_else(|| panic!("{}", made.text));
    let passkey: Passkey = line.split('"').next().unwrap().parse().unwrap();
    assert_eq!(passkey.name(), "phone");
    assert!(made.text.contains(&passkey.fingerprint()));
    let again = sue.submit("/console/passkeys/made", &[("gesture", &answer)]).await;
    assert_eq!(code_of(&again), (409, "GESTURE_OVER".to_owned()), "once");
    let stored = asked.served.store.last();
    let ask = async || sue.submit(&format!("/console/proposals/{id}/flag"), &[("reason", "odd")]).await;
    let page = ask().await;
    let gesture = thief.gesture(&options(&page));
    assert_eq!(code_of(&confirm(&sue, &page, &gesture).await), (403, "GESTURE_WRONG".to_owned()));
    assert_eq!(asked.served.store.last(), stored);
    assert!(!sue.shows("/console/passkeys").await.contains("phone"), "it is kept nowhere");
    asked.served.tokens.replace_passkeys(&BTreeMap::from([("sue".to_owned(), vec![passkey])]));
    let page = ask().await;
    let gesture = thief.gesture(&options(&page));
    assert_eq!(
        confirm(&sue, &page, &gesture).await.status,
        303,
        "whoever keeps the configuration took it for hers"
    );
    for name in ["", "a b", "<b>"] {
        let page = sue.submit("/console/passkeys/new", &[("name", name)]).await;
        assert_eq!(code_of(&page), (400, "BAD_FIELD".to_owned()), "{name}");
    }
    let page = sue.submit("/console/passkeys/new", &[("name", "x")]).await;
    assert_eq!(page.status, 200);
    let wrong = sue.submit("/console/passkeys/made", &[("gesture", "{}")]).await;
    assert_eq!(code_of(&wrong), (403, "GESTURE_WRONG".to_owned()));
}

#[tokio::test]
async fn records_say_with_which_passkey_and_refused_gestures_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (served, audit) = Served::audited_with(dir.path(), config(&["freeze"])).await;
    let mut asked = Asked::of(served);
    let sue = asked.login("sue").await;
    let ask = async || sue.submit("/console/do/freeze", &[("reason", "a drill")]).await;
    let page = ask().await;
    confirm(&sue, &page, "{}").await;
    let page = ask().await;
    let gesture = asked.sue.gesture(&options(&page));
    assert_eq!(confirm(&sue, &page, &gesture).await.status, 303);
    audit.write_down(&asked.served.handle).await.unwrap();
    audit.settle(&asked.served.handle, true).unwrap();
    let lines = sue.get("/console/audit.jsonl").await.text;
    assert!(lines.contains("+passkey:laptop"), "{lines}");
    assert!(lines.contains("GESTURE_WRONG"), "{lines}");
}

/// Danger: an act is added, and no configuration can ask for a passkey for it.
#[test]
fn every_act_can_be_asked_for_one() {
    let paths = super::doors::acts();
    let paths = paths.iter().filter(|path| path.contains("/do/") || path.contains("/proposals/"));
    let acts: BTreeSet<&str> = paths.filter_map(|path| path.rsplit('/').next()).collect();
    assert_eq!(acts, crate::console::passkeys::ACTS.iter().map(|(name, _)| *name).collect());
}

#[tokio::test]
async fn where_nothing_needs_one_there_are_none() {
    let served = Served::new().await;
    let sue = served.login("sue").await;
    assert_eq!(sue.get("/console/passkeys").await.status, 404);
    for path in ["/console/passkeys/new", "/console/passkeys/made", "/console/confirm"] {
        assert_eq!(sue.submit(path, &[("name", "x")]).await.status, 404, "{path}");
    }
    assert!(!sue.shows("/console").await.contains("Passkeys"));
}

/// Danger: somebody makes the gesture for another address, or another policy, than they were told of.
#[tokio::test]
async fn the_page_that_asks_says_whose_address_and_which_policy_it_is_for() {
    let asked = Asked::new(&["confirm_destination", "activate"]).await;
    let bob = asked.login("bob").await;
    let (address, _) = testing::treasury().destinations.pop_first().unwrap();
    let fields = [("address", address.to_string()), ("reason", "called them back".to_owned())];
    let fields = fields.each_ref().map(|(name, text)| (*name, text.as_str()));
    let page = bob.submit("/console/do/confirm_destination", &fields).await;
    assert!(page.text.contains(&format!("{address}: exchange")), "{}", page.text);
    let stranger = testing::signer(78).to_string();
    let page =
        bob.submit("/console/do/confirm_destination", &[("address", &stranger), ("reason", "x")]).await;
    assert!(page.text.contains(&format!("{stranger}: is not in the address book")), "{}", page.text);
    let hash = "ab".repeat(32);
    let page = bob.submit("/console/do/activate", &[("policy", &hash), ("reason", "x")]).await;
    assert!(page.text.contains(&hash), "{}", page.text);
}
