//! Logging in at a provider, and at one that is up to no good.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::provider::{CLIENT, Provider, SECRET, Signs};
use super::*;

/// A console with a provider of logins, at which alice is 248289.
struct Asked {
    served: Served,
    provider: Provider,
    audit: std::sync::Arc<Audit>,
    _dir: tempfile::TempDir,
}

impl Asked {
    async fn new() -> Self {
        let provider = Provider::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("oidc.secret");
        std::io::Write::write_all(&mut crate::private::create(&secret).unwrap(), SECRET.as_bytes()).unwrap();
        let config = ConsoleConfig {
            origin: Some(format!("http://{}", listener.local_addr().unwrap())),
            oidc: Some(OidcConfig {
                issuer: provider.url.clone(),
                client_id: CLIENT.to_owned(),
                secret_file: Some(secret),
                claim: "sub".to_owned(),
                scopes: vec!["profile".to_owned()],
                name: "Acme".to_owned(),
                trust: None,
                allow_private: true,
            }),
            ..ConsoleConfig::default()
        };
        let store = MemoryStore::new();
        let (mut engine, metrics, _) = testing::engine(store.clone());
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        testing::look(&handle).await;
        let log = dir.path().join("audit");
        let audit = Audit::open(&log, crate::clock::Clock::system(), std::sync::Arc::clone(&metrics));
        let audit = std::sync::Arc::new(audit.unwrap());
        audit.begin(&handle, 0).await.unwrap();
        let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default());
        let app = app.with_audit(Some(std::sync::Arc::clone(&audit))).with_console(Some(config));
        let served = Served::at(listener, handle, store, app);
        served.tokens.replace_logins(&logins("alice"));
        Self { served, provider, audit, _dir: dir }
    }

    /// Sends a browser to the provider: the ticket that the browser keeps, and the state.
    async fn begin(&self, browser: &mut Browser, next: &str) -> String {
        let page = browser.get(&format!("/console/login/oidc?next={next}")).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let to = Url::parse(page.header("location")).unwrap();
        assert_eq!(to.as_str().split('?').next().unwrap(), format!("{}/authorize", self.provider.url));
        let asked: BTreeMap<String, String> = to.query_pairs().into_owned().collect();
        let redirect = format!("{}/console/login/oidc/back", self.served.url);
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", &redirect),
            ("scope", "openid profile"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(asked[name], value);
        }
        self.provider.plays(|play| {
            play.nonce = asked["nonce"].clone();
            play.challenge = asked["code_challenge"].clone();
            play.redirect = redirect.clone();
        });
        let cookie = page.header("set-cookie");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        asked["state"].clone()
    }

    /// Brings a code back.
    async fn back(&self, browser: &Browser, query: &[(&str, &str)]) -> Page {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        let page =
            browser.get(&format!("/console/login/oidc/back?{}", text.extend_pairs(query).finish())).await;
        let gone = page.headers.get_all("set-cookie").iter().any(|cookie| {
            let cookie = cookie.to_str().unwrap();
            cookie.starts_with("treasuryd-login=;") && cookie.contains("Max-Age=0")
        });
        // A ticket is for one login, and whoever else leads a browser here ends none that is under way.
        assert_eq!(gone, !page.text.contains("OIDC_STATE_WRONG"), "{:?}", page.headers);
        page
    }

    /// The whole way, with this code.
    async fn login(&self, code: &str) -> Page {
        let mut browser = self.served.browser();
        let state = self.begin(&mut browser, "").await;
        self.back(&browser, &[("code", code), ("state", &state)]).await
    }

    async fn refused(&self, code: &str) -> (u16, String) {
        let page = self.login(code).await;
        assert_eq!(session(&page), None, "{}", page.text);
        code_of(&page)
    }

    /// What the audit log has of logins.
    async fn noted(&self) -> String {
        self.audit.write_down(&self.served.handle).await.unwrap();
        self.audit.settle(&self.served.handle, true).unwrap();
        self.served.login("sue").await.shows("/console/audit").await
    }
}

fn logins(person: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("248289".to_owned(), person.to_owned())])
}

/// The session's cookie, if the page brings one.
fn session(page: &Page) -> Option<String> {
    let cookies = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session = cookies.into_iter().find(|cookie| cookie.starts_with("treasuryd="))?;
    assert!(session.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{session}");
    Some(session.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn whom_the_provider_means_is_who_the_configuration_says() {
    let asked = Asked::new().await;
    let login =
        asked.served.browser().shows("/console/login?next=%2Fconsole%2Fhistory%3Ftext%3Da%2526b").await;
    assert!(login.contains("Log in with Acme"), "{login}");
    assert!(login.contains("/console/login/oidc?next=%2Fconsole%2Fhistory%3Ftext%3Da%2526b"), "{login}");
    let mut browser = asked.served.browser();
    let state = asked.begin(&mut browser, "%2Fconsole%2Fhistory%3Ftext%3Da%2526b").await;
    let page = asked.back(&browser, &[("code", "c1"), ("state", &state), ("iss", &asked.provider.url)]).await;
    // A page of ours leads on, as a redirect would come without the cookie.
    assert_eq!(page.status, 200);
    assert!(page.text.contains("content=\"0;url=/console/history?text=a%26b\""), "{}", page.text);
    browser.cookie = session(&page).unwrap();
    assert!(browser.shows("/console").await.contains("alice <small>(proposer, approver)"));
}

/// Danger: who logs in at a machine that others use leaves the session of the one before them good.
#[tokio::test]
async fn the_session_that_a_browser_had_ends_with_a_login_at_the_provider() {
    let asked = Asked::new().await;
    let mut browser = asked.served.login("bob").await;
    let mut bobs = asked.served.browser();
    bobs.cookie = browser.cookie.clone();
    let state = asked.begin(&mut browser, "").await;
    assert!(bobs.shows("/console").await.contains("bob"), "until somebody is let in");
    let page = asked.back(&browser, &[("code", "c1"), ("state", &state)]).await;
    assert!(session(&page).is_some());
    assert_eq!(bobs.get("/console").await.status, 303);
}

/// Danger: whoever has somebody's token logs in again and again, and the person's own session makes room for theirs.
#[tokio::test]
async fn whoever_has_a_token_ends_no_session_that_a_login_at_the_provider_began() {
    let asked = Asked::new().await;
    let mut browser = asked.served.browser();
    browser.cookie = session(&asked.login("c1").await).unwrap();
    for _ in 0..9 {
        asked.served.login("alice").await;
    }
    assert!(browser.shows("/console").await.contains("alice"));
}

/// Danger: anybody who can have a token signed somewhere, or who holds a part of what is needed, is let in as somebody.
#[tokio::test]
async fn what_the_provider_did_not_swear_to_for_this_login_lets_nobody_in() {
    let asked = Asked::new().await;
    let long_ago = json!({ "exp": 1_000_000_000, "iat": 999_999_000 });
    let cases: &[(&str, Value, Signs)] = &[
        ("of another issuer", json!({ "iss": "https://evil.example" }), Signs::Itself),
        ("for another client", json!({ "aud": "another" }), Signs::Itself),
        ("for another client as well", json!({ "aud": [CLIENT, "another"] }), Signs::Itself),
        ("for nobody", json!({ "aud": null }), Signs::Itself),
        ("made for another party", json!({ "azp": "another" }), Signs::Itself),
        ("of another login", json!({ "nonce": "another" }), Signs::Itself),
        ("of no login", json!({ "nonce": null }), Signs::Itself),
        ("over", long_ago, Signs::Itself),
        ("without an end", json!({ "exp": null }), Signs::Itself),
        ("of nobody", json!({ "sub": null }), Signs::Itself),
        ("of a number", json!({ "sub": 248_289 }), Signs::Itself),
        ("signed by another key", json!({}), Signs::Another),
        ("signed with the client's secret", json!({}), Signs::Secret),
        ("not signed", json!({}), Signs::Nobody),
    ];
    for (what, claims, signs) in cases {
        asked.provider.plays(|play| {
            play.claims = claims.as_object().unwrap().clone();
            play.signs = *signs;
        });
        assert_eq!(asked.refused(what).await, (401, "OIDC_TOKEN_WRONG".to_owned()), "{what}");
    }
    asked.provider.plays(|play| {
        play.claims = json!({ "sub": "another" }).as_object().unwrap().clone();
        play.signs = Signs::Itself;
    });
    assert_eq!(asked.refused("somebody").await, (403, "OIDC_NOBODY".to_owned()));
    asked.provider.plays(|play| play.claims.clear());
    assert!(session(&asked.login("the right one").await).is_some(), "the same with nothing wrong");
    let metrics = reqwest::get(format!("{}/metrics", asked.served.url)).await.unwrap().text().await.unwrap();
    let refused = format!("treasuryd_tokens_refused_total {}", cases.len() + 1);
    assert!(metrics.contains(&refused), "{refused}: {metrics}");
    let noted = asked.noted().await;
    for code in ["OIDC_TOKEN_WRONG", "OIDC_NOBODY"] {
        assert!(
            noted.contains(&format!("asked for login by console from 127.0.0.1 and was refused with {code}")),
            "{noted}"
        );
    }
    assert!(noted.contains("alice asked for login by console"), "{noted}");
}

/// Danger: somebody has another person's browser log in as them, or brings a code that they have come by.
#[tokio::test]
async fn a_code_counts_once_in_the_browser_that_began_and_in_time() {
    let asked = Asked::new().await;
    let wrong = (401, "OIDC_STATE_WRONG".to_owned());
    let mut browser = asked.served.browser();
    let state = asked.begin(&mut browser, "").await;
    let exchanged = || asked.provider.plays(|play| play.asked.iter().filter(|path| *path == "token").count());
    let other = asked.served.browser();
    let long = "x".repeat(3_000);
    for (browser, query) in [
        (&other, vec![("code", "c"), ("state", state.as_str())]),
        (&browser, vec![("code", "c"), ("state", "another")]),
        (&browser, vec![("code", "c")]),
        (&browser, vec![]),
        (&browser, vec![("code", "c"), ("code", "d"), ("state", state.as_str())]),
        (&browser, vec![("code", long.as_str()), ("state", state.as_str())]),
    ] {
        let page = asked.back(browser, &query).await;
        assert_eq!((code_of(&page), session(&page)), (wrong.clone(), None), "{query:?}");
    }
    assert_eq!(exchanged(), 0, "the provider hears nothing of these");
    let query = [("code", "c"), ("state", state.as_str())];
    let first = asked.back(&browser, &query).await;
    assert!(session(&first).is_some(), "{}", first.text);
    assert_eq!(code_of(&asked.back(&browser, &query).await), wrong, "once");
    assert_eq!(exchanged(), 1);
    // The provider takes its code once, whoever's ticket comes along.
    assert_eq!(asked.refused("c").await, (401, "OIDC_CODE_REFUSED".to_owned()));
    // Who has stolen a code has not what proves that they began.
    let (mut victim, mut thief) = (asked.served.browser(), asked.served.browser());
    asked.begin(&mut victim, "").await;
    let challenge = asked.provider.plays(|play| play.challenge.clone());
    let state = asked.begin(&mut thief, "").await;
    asked.provider.plays(|play| play.challenge = challenge);
    let page = asked.back(&thief, &[("code", "stolen"), ("state", &state)]).await;
    assert_eq!((code_of(&page).1.as_str(), session(&page)), ("OIDC_CODE_REFUSED", None));
    // Another issuer's answer, and a refusal.
    for (name, value, code) in [
        ("iss", "https://evil.example", "OIDC_TOKEN_WRONG"),
        ("error", "access_denied", "OIDC_DENIED"),
        ("error", "<script>", "OIDC_DENIED"),
    ] {
        let mut browser = asked.served.browser();
        let state = asked.begin(&mut browser, "").await;
        let page = asked.back(&browser, &[("code", "d"), ("state", &state), (name, value)]).await;
        assert_eq!((code_of(&page).1.as_str(), session(&page)), (code, None), "{value}");
        assert!(!page.text.contains("<script>"));
    }
    let mut late = asked.served.browser();
    let state = asked.begin(&mut late, "").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(600)).await;
    tokio::time::resume();
    assert_eq!(code_of(&asked.back(&late, &[("code", "e"), ("state", &state)]).await), wrong);
}

/// Danger: a provider that is somebody else by now, or has been made to say so, has the daemon ask addresses of others'.
#[tokio::test]
async fn what_the_provider_says_of_itself_is_looked_at() {
    const DISCOVERY: &str = ".well-known/openid-configuration";
    for (metadata, path, answer) in [
        (json!({ "issuer": "https://evil.example" }), "", Value::Null),
        (json!({ "token_endpoint": "http://192.0.2.7/token" }), "", Value::Null),
        (json!({ "token_endpoint": null }), "", Value::Null),
        (json!({ "authorization_endpoint": "http://192.0.2.7/" }), "", Value::Null),
        (json!({ "authorization_endpoint": "javascript:alert(1)" }), "", Value::Null),
        (json!({ "jwks_uri": "http://192.0.2.7/keys" }), "", Value::Null),
        (json!({}), DISCOVERY, json!(302)),
        (json!({}), DISCOVERY, json!(404)),
        (json!({}), DISCOVERY, json!("what?")),
        (json!({}), "keys", json!(500)),
        (json!({}), "keys", json!("[]")),
        (json!({}), "token", json!(307)),
    ] {
        let asked = Asked::new().await;
        let what = format!("{metadata} {path} {answer}");
        asked.provider.plays(|play| {
            play.metadata = metadata.as_object().unwrap().clone();
            if !path.is_empty() {
                play.answers.insert(path.to_owned(), answer);
            }
        });
        let mut browser = asked.served.browser();
        let begun = browser.get("/console/login/oidc").await;
        let page = if begun.status == 303 {
            let state = asked.begin(&mut browser, "").await;
            asked.back(&browser, &[("code", "c"), ("state", &state)]).await
        } else {
            begun
        };
        let (status, code) = code_of(&page);
        assert!(
            (status, code.as_str()) == (502, "OIDC_PROVIDER_UNFIT") || code == "OIDC_TOKEN_WRONG",
            "{what}: {status} {code}"
        );
        assert_eq!(session(&page), None, "{what}");
        let elsewhere = asked.provider.plays(|play| play.asked.iter().any(|path| path == "elsewhere"));
        assert!(!elsewhere, "no redirect is followed: {what}");
    }
    // A long answer, and none at all.
    let asked = Asked::new().await;
    asked.provider.plays(|play| {
        play.answers.insert(DISCOVERY.to_owned(), Value::from(" ".repeat(300_000)));
    });
    let page = asked.served.browser().get("/console/login/oidc").await;
    assert_eq!(code_of(&page), (502, "OIDC_PROVIDER_SILENT".to_owned()));
    assert!(asked.noted().await.contains("OIDC_PROVIDER_SILENT"));
}

#[tokio::test]
async fn a_key_that_is_new_at_the_provider_is_asked_for_and_not_too_often() {
    let asked = Asked::new().await;
    assert!(session(&asked.login("a").await).is_some());
    asked.provider.plays(|play| play.signs = Signs::New);
    let wrong = (401, "OIDC_TOKEN_WRONG".to_owned());
    assert_eq!(asked.refused("b").await, wrong, "it was asked a moment ago");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert!(session(&asked.login("c").await).is_some());
    let keys = asked.provider.plays(|play| play.asked.iter().filter(|path| *path == "keys").count());
    assert_eq!(keys, 2);
}

#[tokio::test]
async fn who_is_taken_out_of_the_configuration_is_out_and_records_say_how_they_came() {
    let asked = Asked::new().await;
    asked.served.tokens.replace_logins(&logins("sue"));
    let mut browser = asked.served.browser();
    browser.cookie = session(&asked.login("c").await).unwrap();
    let token = asked.served.login("sue").await;
    browser.does("/console/do/freeze", &[("account", ""), ("reason", "a drill")]).await;
    asked.audit.write_down(&asked.served.handle).await.unwrap();
    let lines = token.get("/console/audit.jsonl").await.text;
    assert!(lines.contains("\"oidc\""), "{lines}");
    asked.served.tokens.replace_logins(&BTreeMap::new());
    let late = browser.send("/console/do/freeze", &[("reason", "x")], &[]).await;
    assert_eq!(code_of(&late), (401, "SESSION_ENDED".to_owned()));
    assert_eq!(token.get("/console").await.status, 200, "her token is good all the same");
    asked.served.tokens.replace_logins(&logins("alice"));
    assert_eq!(browser.get("/console").await.status, 303, "and another person's login is not hers");
}

#[tokio::test]
async fn nobody_elses_page_has_somebody_log_in_and_without_a_provider_there_is_no_such_way() {
    let asked = Asked::new().await;
    let browser = asked.served.browser();
    let request =
        browser.http.get(format!("{}/console/login/oidc?next=%2Fconsole%2Fsystem", asked.served.url));
    let page = Browser::page_of(request.header("sec-fetch-site", "cross-site").send().await.unwrap()).await;
    assert_eq!((page.status, page.header("location")), (303, "/console/login?next=%2Fconsole%2Fsystem"));
    assert_eq!(page.header("set-cookie"), "");
    for next in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example"] {
        let mut browser = asked.served.browser();
        let state = asked.begin(&mut browser, next).await;
        let page = asked.back(&browser, &[("code", next), ("state", &state)]).await;
        assert!(page.text.contains("content=\"0;url=/console\""), "{}", page.text);
    }
    let served = Served::new().await;
    for path in ["/console/login/oidc", "/console/login/oidc/back?code=c&state=s"] {
        assert_eq!(code_of(&served.browser().get(path).await), (404, "NO_SUCH_PAGE".to_owned()));
    }
    assert!(!served.browser().shows("/console/login").await.contains("oidc"));
}
