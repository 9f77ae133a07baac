//! Stopping something while nothing else is answered.

use sha2::Digest as _;

use super::*;

/// A console that has no place for anything that is no stop, with a proposal of alice's.
async fn busy() -> Served {
    let served = Served::within(Limits { requests: 0, ..Limits::default() }).await;
    let pay = testing::pay(testing::xrp(5));
    served.handle.command(testing::actor("alice"), pay).await.unwrap().unwrap();
    served
}

impl Served {
    /// What is stopped, in words.
    async fn stopped(&self) -> Vec<String> {
        let of = |state: &treasury_core::State, _: &treasury_core::Treasury| {
            let words = state.stops.all().map(|stop| {
                format!("{} {} by {}: {}", stop.kind.word(), stop.subject, stop.source, stop.reason)
            });
            words.collect()
        };
        self.handle.query(of).await.unwrap()
    }
}

/// Danger: a thief with the same token asks for all that the person may, and no page with a form is shown any more.
#[tokio::test]
async fn the_page_of_stops_is_shown_and_its_forms_are_taken_when_no_other_is() {
    let served = busy().await;
    let sue = served.login("sue").await;
    let refused = sue.get("/console").await;
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("href=\"/console/stop\""), "{}", refused.text);
    let page = sue.get("/console/stop").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("<option>warm</option>") && page.text.contains("You are sue."));
    let csrf = page.field("csrf");
    let does = async |fields: &[(&str, &str)]| {
        let all =
            [&[("csrf", csrf.as_str()), ("back", "/console/stop"), ("reason", "a thief")], fields].concat();
        let done = sue.send("/console/stop", &all, &[]).await;
        assert_eq!((done.status, done.header("location")), (303, "/console/stop"), "{}", done.text);
        sue.said("/console/stop").await
    };
    assert_eq!(does(&[("act", "flag"), ("proposal", "P1")]).await, "P1: held: S1");
    assert_eq!(does(&[("act", "flag_destination"), ("destination", "exchange")]).await, "exchange: held: S2");
    assert_eq!(does(&[("act", "freeze"), ("account", "warm")]).await, "warm: frozen: S3");
    assert_eq!(does(&[("act", "freeze"), ("account", "")]).await, "everything: frozen: S4");
    assert_eq!(served.stopped().await.len(), 4);
    // From any other page it is done as well, and the page after it says so though it cannot be shown.
    let fields =
        [("csrf", csrf.as_str()), ("account", "warm"), ("reason", "again"), ("back", "/console/findings")];
    let done = sue.send("/console/do/freeze", &fields, &[]).await;
    assert_eq!((done.status, done.header("location")), (303, "/console/findings"));
    let after = sue.get("/console/findings").await;
    assert_eq!(after.status, 503);
    assert!(
        after.text.contains("Done: warm: frozen: S5. The page after it cannot be shown"),
        "{}",
        after.text
    );
}

/// Danger: the token is typed where the reason belongs, which stands beside it, and is told to every channel.
#[tokio::test]
async fn a_token_that_is_typed_as_the_reason_of_a_stop_is_left_out_and_the_stop_is_done() {
    let served = busy().await;
    let token = "6b86b273ff34fce19d6b804eff5a3f57";
    let mut people = testing::tokens();
    people.insert("sue".to_owned(), sha2::Sha256::digest(token.as_bytes()).into());
    served.tokens.replace(&people);
    let reason = format!("my token is {token}.");
    let stop = [("token", token), ("act", "freeze"), ("account", "warm"), ("reason", reason.as_str())];
    let done = served.browser().send("/console/stop", &stop, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let stopped = served.stopped().await.join(", ");
    assert!(stopped.ends_with("my token is (a token, not shown)."), "{stopped}");
}

/// Danger: a log is pasted as the reason, a browser cuts it in the midst of a seed or a token, which nobody knows for one any more,
/// and it is stored and told to everybody: all but the last letter of a key.
#[tokio::test]
async fn a_browser_cuts_a_reason_far_behind_what_is_kept_of_it_and_what_it_leaves_is_taken() {
    const CUT: usize = 5_000;
    let (served, mut fields) = (Served::new().await, 0);
    served.proposal("").await;
    let sue = served.login("sue").await;
    for path in PAGES.into_iter().chain(["/console/stop", "/console/proposals/P1"]) {
        let page = sue.shows(path).await;
        for field in page.split("<input ").skip(1).filter(|field| field.contains("name=\"reason\"")) {
            let (field, _) = field.split_once('>').unwrap();
            assert!(field.contains(&format!("maxlength=\"{CUT}\"")), "{path}: {field}");
            fields += 1;
        }
        assert!(!page.contains("<textarea name=\"reason\""), "{path}");
    }
    assert!(fields > 12, "{fields}");
    // In four bytes for each letter, which a form writes as twelve.
    let reason = "\u{1f525}".repeat(CUT);
    let said = sue.does("/console/do/freeze", &[("account", "warm"), ("reason", &reason)]).await;
    assert!(said.starts_with("warm: frozen: "), "{said}");
    let stopped = served.stopped().await.join(", ");
    assert!(stopped.matches('\u{1f525}').count() > 100 && stopped.len() < 1_000, "{stopped}");
}

/// Danger: a thief with the same token logs in again and again, so that the person's own session ends.
#[tokio::test]
async fn whoever_has_no_session_stops_with_their_token_and_is_logged_in() {
    let served = busy().await;
    let mut nobody = served.browser();
    let page = nobody.get("/console/stop").await;
    assert!(page.text.contains("name=\"token\"") && !page.text.contains("csrf"), "{}", page.text);
    assert!(page.text.contains("<input name=\"account\"") && !page.text.contains("warm"), "{}", page.text);
    let token = token_of("sue");
    let stop = [("token", token.as_str()), ("act", "freeze"), ("account", "warm"), ("reason", "a thief")];
    let elsewhere = nobody.send("/console/stop", &stop, &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(code_of(&elsewhere), (403, "WRONG_ORIGIN".to_owned()));
    let wrong = [("token", "wrong"), ("act", "freeze"), ("reason", "a thief")];
    assert_eq!(code_of(&nobody.send("/console/stop", &wrong, &[]).await), (401, "TOKEN_WRONG".to_owned()));
    let without = [("act", "freeze"), ("reason", "a thief")];
    assert_eq!(
        code_of(&nobody.send("/console/stop", &without, &[]).await),
        (401, "SESSION_ENDED".to_owned())
    );
    let lift = [("token", token.as_str()), ("act", "lift"), ("stop", "S1"), ("reason", "a thief")];
    assert_eq!(code_of(&nobody.send("/console/stop", &lift, &[]).await), (404, "NO_SUCH_PAGE".to_owned()));
    assert!(served.stopped().await.is_empty());
    // Who is not to stop anything cannot do so here.
    let alices = token_of("alice");
    let alice = [("token", alices.as_str()), ("act", "freeze"), ("account", "warm"), ("reason", "a thief")];
    assert_eq!(code_of(&nobody.send("/console/stop", &alice, &[]).await), (403, "ROLE_MISSING".to_owned()));
    let done = nobody.send("/console/stop", &stop, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let stopped = served.stopped().await;
    assert!(
        stopped[0].starts_with("freeze account r") && stopped[0].ends_with("by sue: a thief"),
        "{stopped:?}"
    );
    assert_eq!(stopped.len(), 1);
    nobody.cookie = done.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(nobody.get("/console/stop").await.text.contains("You are sue."));
    // With a session the form is that session's.
    let forged = [("csrf", "0"), ("act", "freeze"), ("reason", "a thief")];
    assert_eq!(code_of(&nobody.send("/console/stop", &forged, &[]).await), (403, "WRONG_FORM".to_owned()));
}
