//! Who gets in, for how long, and whose forms are looked at.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_page_wants_a_session_and_logging_in_leads_back_to_it() {
    let served = Served::new().await;
    let nobody = served.browser();
    for path in PAGES.into_iter().chain(["/console/proposals/P1", "/console/history.csv?text=a%26b"]) {
        let page = nobody.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        assert_eq!(page.header("location"), format!("/console/login?next={next}"));
    }
    assert_eq!(nobody.get("/").await.header("location"), "/console");
    let form = nobody.get("/console/login?next=%2Fconsole%2Fproposals%3Fwhich%3Dall").await;
    let next = form.field("next");
    let token = token_of("alice");
    let page = nobody.send("/console/login", &[("token", &token), ("next", &next)], &[]).await;
    assert_eq!((page.status, page.header("location")), (303, "/console/proposals?which=all"));
    let cookie = page.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    // Nobody is sent elsewhere.
    for next in
        ["https://evil.example/console", "//evil.example", "/console.evil", "/\\evil", "/console\r\nx: y"]
    {
        let page = nobody.send("/console/login", &[("token", &token), ("next", next)], &[]).await;
        assert_eq!((page.status, page.header("location")), (303, "/console"), "{next}");
    }
}

/// Danger: forms that never end, from anybody, take every connection, and whoever wants to stop something waits until their
/// time is over. Method: more of them than there is room for, and no time limit that would help.
#[tokio::test]
async fn forms_that_never_end_keep_no_connection_from_who_stops_something() {
    use tokio::io::AsyncWriteExt;
    let long = Duration::from_secs(3_600);
    let few = Limits {
        connections: 16,
        requests: 3,
        stops: 2,
        probes: 2,
        body: long,
        head: long,
        ..Limits::default()
    };
    let served = Served::within(few).await;
    let address = served.url.trim_start_matches("http://");
    let session = served.login("alice").await.cookie;
    let mut slow = Vec::new();
    for path in ["login", "do/freeze", "proposals/P1/approve", "logout", "system"] {
        for _ in 0..8 {
            let text = format!(
                "POST /console/{path} HTTP/1.1\r\nhost: x\r\norigin: http://x\r\ncookie: {session}\r\ncontent-type: \
                 application/x-www-form-urlencoded\r\ncontent-length: 60000\r\n\r\ntoken="
            );
            let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
            let _ = socket.write_all(text.as_bytes()).await;
            slow.push(socket);
        }
        let freeze = async { served.client("sue").freeze(None, path).await.unwrap().changed };
        assert!(tokio::time::timeout(Duration::from_secs(20), freeze).await.expect("it waits for them"));
        served.client("adam").unfreeze(None, "over").await.unwrap();
    }
}

/// Danger: pages that others look at take all there is of processors, and a form that stops something waits for them.
/// Method: where pages are made nothing moves, and people log in and stop things all the same.
#[tokio::test]
async fn a_form_that_stops_something_waits_for_no_page() {
    let pages = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = MemoryStore::new();
    let (mut engine, metrics, _) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    let Engine { handle, .. } = engine;
    testing::look(&handle).await;
    let app = {
        let _within = pages.enter();
        App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default())
    };
    let served = Served::of(handle, store, app.with_console(Some(ConsoleConfig::default()))).await;
    let sue = served.login("sue").await;
    let (csrf, stored) = (sue.csrf().await, served.store.last());
    let (go_on, held) = std::sync::mpsc::channel::<()>();
    let (begun, is_held) = tokio::sync::oneshot::channel();
    pages.spawn(async move {
        begun.send(()).unwrap();
        // No error: whoever holds it lets go by dropping it.
        let _ = held.recv();
    });
    is_held.await.unwrap();
    let stops = async {
        for path in ["/console/do/freeze", "/console/do/panic"] {
            let page = sue.send(path, &[("csrf", &csrf), ("reason", "a thief")], &[]).await;
            assert_eq!(page.status, 303, "{path}: {}", page.text);
        }
        served.login("sue").await;
    };
    let done = tokio::time::timeout(Duration::from_secs(20), stops).await;
    drop(go_on);
    pages.shutdown_background();
    done.expect("it waits for pages");
    assert!(served.store.last() > stored);
}

#[tokio::test]
async fn a_token_that_is_nobodys_opens_nothing_and_is_not_shown() {
    let served = Served::new().await;
    let browser = served.browser();
    for token in ["", "alice", "token of nobody"] {
        let page = browser.send("/console/login", &[("token", token)], &[]).await;
        assert_eq!(code_of(&page), (401, "TOKEN_WRONG".to_owned()), "{token}");
        assert_eq!(page.header("set-cookie"), "");
        assert!(!page.text.contains("token of nobody"));
    }
    let metrics = reqwest::get(format!("{}/metrics", served.url)).await.unwrap().text().await.unwrap();
    assert!(
        metrics
            .lines()
            .any(|line| line.starts_with("treasuryd_") && line.ends_with(" 3") && line.contains("token")),
        "{metrics}"
    );
}

#[tokio::test]
async fn whoever_follows_a_link_from_elsewhere_is_let_in_from_here() {
    let served = Served::new().await;
    let browser = served.browser();
    let request = browser.http.get(format!("{}/console/proposals/P1", served.url));
    let page = Browser::page_of(request.header("sec-fetch-site", "cross-site").send().await.unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("content=\"0;url=/console/proposals/P1\""), "{}", page.text);
}

async fn is_in(browser: &Browser) -> bool {
    browser.get("/console").await.status == 200
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_when_it_is_old_at_logout_and_with_its_token() {
    let served = Served::new().await;
    let (alice, bob, sue) =
        (served.login("alice").await, served.login("bob").await, served.login("sue").await);
    // Time is moved, and does not run by itself: the engine's thread knows nothing of it.
    let pass = |seconds: u64| async move {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    pass(u64::from(IDLE_SECONDS) - 60).await;
    assert!(is_in(&alice).await && is_in(&sue).await, "used, and so kept");
    pass(120).await;
    assert!(is_in(&alice).await && !is_in(&bob).await, "bob did nothing");
    let steps = SESSION_SECONDS / (IDLE_SECONDS - 60);
    for _ in 0..steps {
        pass(u64::from(IDLE_SECONDS) - 60).await;
        let _ = is_in(&alice).await;
    }
    assert!(!is_in(&alice).await, "old, however busy");

    let (alice, again) = (served.login("alice").await, served.login("alice").await);
    let left = alice.submit("/console/logout", &[]).await;
    assert_eq!((left.status, left.header("location")), (303, "/console/login"));
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    assert!(!is_in(&alice).await && is_in(&again).await, "of this browser, and no other");
    let (sue, mut left) = (served.login("sue").await, testing::tokens());
    left.remove("sue");
    served.tokens.replace(&left);
    assert!(!is_in(&sue).await && is_in(&again).await, "the token is gone");
    let late = sue.send("/console/do/freeze", &[("reason", "x")], &[]).await;
    assert_eq!(code_of(&late), (401, "SESSION_ENDED".to_owned()));
}

#[tokio::test]
async fn a_person_has_so_many_sessions_and_the_one_unused_longest_gives_way() {
    let served = Served::new().await;
    let mut browsers = Vec::new();
    for _ in 0..9 {
        browsers.push(served.login("alice").await);
    }
    assert!(!is_in(&browsers[0]).await);
    for browser in &browsers[1..] {
        assert!(is_in(browser).await);
    }
}

/// Every path that changes something.
pub(super) fn acts() -> Vec<String> {
    let of_one = ["approve", "retract", "reject", "withdraw", "void", "flag", "clear"];
    let others = [
        "freeze",
        "panic",
        "lift",
        "flag_destination",
        "acknowledge",
        "acknowledge_notices",
        "close_breaker",
        "activate",
        "confirm_destination",
        "redeliver",
        "test_channel",
    ];
    let one = of_one.iter().map(|act| format!("/console/proposals/P1/{act}"));
    one.chain(others.iter().map(|act| format!("/console/do/{act}")))
        .chain(["logout", "confirm", "passkeys/new", "passkeys/made"].map(|path| format!("/console/{path}")))
        .collect()
}

/// Danger: a page of somebody else's makes the browser of somebody who is logged in send a form.
#[tokio::test]
async fn a_form_that_is_not_ours_is_not_looked_at() {
    let served = Served::new().await;
    served.proposal("").await;
    let browser = served.login("sue").await;
    let csrf = browser.csrf().await;
    let other = served.login("alice").await.csrf().await;
    let stored = served.store.last();
    for path in acts() {
        let fields = |csrf| [("csrf", csrf), ("reason", "x"), ("stop", "S1"), ("destination", "exchange")];
        for wrong in ["", "0", other.as_str(), &csrf[1..]] {
            let page = browser.send(&path, &fields(wrong), &[]).await;
            assert_eq!(code_of(&page), (403, "WRONG_FORM".to_owned()), "{path} {wrong}");
        }
        let without = browser.send(&path, &[("reason", "x")], &[]).await;
        assert_eq!(code_of(&without), (403, "WRONG_FORM".to_owned()), "{path}");
        for headers in [
            [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            [("origin", "https://evil.example"), ("sec-fetch-site", "")],
            [("origin", "null"), ("sec-fetch-site", "")],
            [("origin", ""), ("sec-fetch-site", "")],
            [("origin", served.url.as_str()), ("sec-fetch-site", "same-site")],
        ] {
            let page = browser.send(&path, &fields(&csrf), &headers).await;
            assert_eq!(code_of(&page), (403, "WRONG_ORIGIN".to_owned()), "{path} {headers:?}");
        }
        // And a form is no JSON.
        let request = browser.http.post(format!("{}{path}", served.url)).header("cookie", &browser.cookie);
        let request =
            request.header("origin", &served.url).header("content-type", "application/json").body("{}");
        let page = Browser::page_of(request.send().await.unwrap()).await;
        assert_eq!(code_of(&page), (400, "BAD_BODY".to_owned()), "{path}");
    }
    assert_eq!(served.store.last(), stored, "nothing has changed");
    assert!(is_in(&browser).await, "not even logged out");
    let elsewhere = served.browser();
    let token = token_of("alice");
    let evil = [("origin", "https://evil.example")];
    let login = elsewhere.send("/console/login", &[("token", &token)], &evil).await;
    assert_eq!(code_of(&login), (403, "WRONG_ORIGIN".to_owned()), "nobody is logged in as somebody else");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_tls_and_forms_come_from_the_name_that_people_use() {
    let origin = "https://treasury.example".to_owned();
    let config = ConsoleConfig { origin: Some(origin.clone()), ..ConsoleConfig::default() };
    let served = Served::with(Some(config)).await;
    let browser = served.browser();
    let token = token_of("alice");
    let here = browser.send("/console/login", &[("token", &token)], &[]).await;
    assert_eq!(code_of(&here), (403, "WRONG_ORIGIN".to_owned()));
    let page = browser.send("/console/login", &[("token", &token)], &[("origin", &origin)]).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-treasuryd=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn where_it_is_off_there_is_nothing() {
    let served = Served::with(None).await;
    for path in ["/", "/console", "/console/login", "/console/console.css"] {
        let page = served.browser().get(path).await;
        assert!(page.status == 404 && page.text.contains("NO_SUCH_ROUTE"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_says_what_it_may_do() {
    let served = Served::new().await;
    let browser = served.login("sue").await;
    let files = [
        "/console/console.css",
        "/console/console.js",
        "/console/login",
        "/console/none",
        "/console/proposals/P9",
    ];
    for path in PAGES.into_iter().chain(files) {
        let page = browser.get(path).await;
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
        if page.header("content-type").starts_with("text/html") {
            // No style or script within, and nothing from elsewhere.
            for sign in ["<style", "style=", "onclick", "onload", "javascript:", "http://", "https://"] {
                assert!(!page.text.contains(sign), "{path}: {sign}");
            }
            assert_eq!(
                page.text.matches("<script").count(),
                page.text.matches("<script src=\"/console/").count()
            );
        }
    }
    assert_eq!(browser.get("/console/none").await.status, 404);
    assert_eq!(code_of(&browser.get("/console/proposals/P9").await), (404, "UNKNOWN_PROPOSAL".to_owned()));
    assert_eq!(code_of(&browser.get("/console/proposals/what%2F..").await), (400, "BAD_ID".to_owned()));
}
