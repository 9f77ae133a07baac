//! What comes from monitors, wallets and slips of the hand.

use super::*;

/// Danger: a monitor that asks with HEAD takes a place that people need, or is told that the daemon is down.
#[tokio::test]
async fn head_is_answered_as_get_is_and_takes_its_place() {
    let served = Served::new().await;
    let bearer = format!("Bearer {}", token_of("alice"));
    let others = served.places.left();
    let mut held = Vec::new();
    for _ in 0..others {
        held.push(served.places.take(Class::Other, "").await.unwrap());
    }
    for (path, token) in [("/healthz", None), ("/readyz", None), ("/metrics", None)] {
        assert_eq!(served.raw(Method::HEAD, path, token, "").await.0, 200, "{path}");
    }
    assert_eq!(served.raw(Method::HEAD, "/v1/status", Some(&bearer), "").await.0, 503);
    drop(held);
    assert_eq!(served.raw(Method::HEAD, "/v1/status", Some(&bearer), "").await.0, 200);
    assert_eq!(served.raw(Method::HEAD, "/v1/status", None, "").await.0, 401);
    assert_eq!(served.raw(Method::HEAD, "/v1/freeze", Some(&bearer), "").await.0, 405);
}

/// Danger: a proposal has several names, and a script takes one for two.
#[tokio::test]
async fn an_id_is_written_in_one_way() {
    let served = Served::new().await;
    assert_eq!(served.client("alice").propose(&payment(5_000_000)).await.unwrap().proposal, "P1");
    for other in ["P01", "P%2B1", "p1", "P1%20", "P", "1", "P18446744073709551616"] {
        let path = format!("/v1/proposals/{other}");
        served.check_refused(Method::GET, &path, "", (400, "BAD_ID")).await;
        served.check_refused(Method::POST, &format!("{path}/withdraw"), "", (400, "BAD_ID")).await;
    }
    let sue = format!("Bearer {}", token_of("sue"));
    served.client("sue").freeze(None, "a drill").await.unwrap();
    for other in ["S01", "S+1", "s1", "1"] {
        let body = format!(r#"{{"stops":["{other}"],"reason":"over"}}"#);
        let expected = (400, "BAD_VALUE");
        served.check_refused_as(Some(&sue), Method::POST, "/v1/stops/lift", &body, expected).await;
    }
}

/// Danger: what a wallet writes is refused without saying why, and a seed that was pasted comes back in an answer which a
/// script logs.
#[tokio::test]
async fn what_stands_instead_of_an_address_is_said_and_a_seed_is_not_repeated() {
    let served = Served::new().await;
    let [bearer, sues] = ["alice", "sue"].map(|person| format!("Bearer {}", token_of(person)));
    for seed in ["snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "sEdTM1uX8pu2do5XvTnutH6HsouMaM2"] {
        let propose = |field: &str| {
            let asked = serde_json::to_value(payment(5_000_000)).unwrap();
            let mut asked = asked.as_object().unwrap().clone();
            asked.insert(field.to_owned(), seed.into());
            ("/v1/proposals".to_owned(), serde_json::to_string(&asked).unwrap())
        };
        for (path, body) in [
            propose("account"),
            propose("destination"),
            propose("destination_tag"),
            propose("amount_drops"),
            propose("deadline_seconds"),
            (format!("/v1/proposals/{seed}/reject"), r#"{"reason":"no"}"#.to_owned()),
            ("/v1/freeze".to_owned(), format!(r#"{{"account":"{seed}","reason":"a drill"}}"#)),
            ("/v1/freeze".to_owned(), format!(r#"{{"{seed}":1}}"#)),
        ] {
            let bearer = if path == "/v1/freeze" { &sues } else { &bearer };
            let (status, error) = served.raw(Method::POST, &path, Some(bearer), &body).await;
            assert_eq!(status, 400, "{path} {body}");
            let said = format!("{error:?}");
            assert!(!said.contains(seed), "{said}");
        }
    }
    let mut asked = payment(5_000_000);
    asked.destination = "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ".to_owned();
    let refused = served.client("alice").propose(&asked).await.unwrap_err();
    assert_eq!(refused.code(), Some("UNKNOWN_NAME"));
    assert!(refused.to_string().contains("write r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"), "{refused}");
}

#[tokio::test]
async fn bad_values_are_refused_with_the_field() {
    let served = Served::new().await;
    let propose = |field: &str, value: &str| {
        let mut body = serde_json::to_value(payment(5)).unwrap();
        body[field] = serde_json::from_str(value).unwrap();
        body.to_string()
    };
    for (field, value, expected) in [
        ("amount", r#"{"asset":"XRP","value":"0"}"#, (400, "BAD_VALUE")),
        ("amount", r#"{"asset":"XRP","value":"-1"}"#, (400, "BAD_VALUE")),
        ("amount", r#"{"asset":"XRP","value":"1.5"}"#, (400, "BAD_VALUE")),
        ("amount", r#"{"asset":"XRP","value":"100000000000000001"}"#, (400, "BAD_VALUE")),
        ("amount", r#"{"asset":"XRP","value":""}"#, (400, "BAD_VALUE")),
        ("amount", r#"{"asset":"EUR","value":"5"}"#, (400, "BAD_VALUE")),
        // Known, and not paid.
        (
            "amount",
            r#"{"asset":"00000004A407AF5856CCF3C42619DAA925813FC955C72983","value":"5"}"#,
            (400, "BAD_VALUE"),
        ),
        ("amount", r#"{"asset":"XRP","value":5}"#, (400, "BAD_BODY")),
        ("amount", r#"{"asset":"XRP","value":"5","unit":"XRP"}"#, (400, "BAD_BODY")),
        ("amount", "\"5\"", (400, "BAD_BODY")),
        ("amount_drops", "\"5\"", (400, "BAD_BODY")),
        ("account", "\"nobody\"", (400, "UNKNOWN_NAME")),
        ("account", "\"exchange\"", (404, "UNKNOWN_ACCOUNT")),
        ("account", "\"runner\"", (404, "UNKNOWN_ACCOUNT")),
        ("destination", "\"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi\"", (400, "UNKNOWN_NAME")),
        ("destination_tag", "4294967296", (400, "BAD_BODY")),
        ("destination_tag", "-1", (400, "BAD_BODY")),
        ("deadline_seconds", "1", (400, "BAD_VALUE")),
        ("note", "\"bell \\u0007\"", (400, "BAD_VALUE")),
    ] {
        served.check_refused(Method::POST, "/v1/proposals", &propose(field, value), expected).await;
    }
    served.check_refused(Method::GET, "/v1/escrows?standing=x", "", (400, "BAD_QUERY")).await;
    served.check_refused(Method::GET, "/v1/events?limit=0", "", (400, "BAD_VALUE")).await;
    for query in ["open=maybe", "before=12x", "limit=0", "limit=501", "account=nobody", "surprise=1"] {
        let (status, error) = served
            .raw(
                Method::GET,
                &format!("/v1/proposals?{query}"),
                Some(&format!("Bearer {}", token_of("bob"))),
                "",
            )
            .await;
        assert_eq!(status, 400, "{query}");
        assert!(
            ["BAD_QUERY", "BAD_ID", "BAD_VALUE", "UNKNOWN_NAME"].contains(&error.code.as_str()),
            "{query}"
        );
    }
}

#[test]
fn every_error_of_the_edge_has_its_own_code_and_advice() {
    let errors = ApiError::examples();
    let codes: std::collections::BTreeSet<&str> = errors.iter().map(ApiError::code).collect();
    assert_eq!(codes.len(), errors.len());
    for error in errors {
        assert!(error.advice().ends_with('.'), "{error:?}");
        assert!(error.status().is_client_error() || error.status().is_server_error(), "{error:?}");
    }
}

#[test]
fn a_body_that_is_not_read_to_its_end_ends_the_connection_and_says_so() {
    let refused = ApiError::BodyTooLarge.into_response();
    assert_eq!(refused.headers().get("connection").unwrap(), "close");
}

/// Danger: somebody stops everything in a hurry and says no more than that, and money goes on leaving.
#[tokio::test]
async fn what_stops_something_is_not_refused_where_it_does_not_say_why() {
    let served = Served::new().await;
    let alice = served.client("alice");
    let id = alice.propose(&payment(1_000_000)).await.unwrap().proposal;
    let bearer = format!("Bearer {}", token_of("sue"));
    let of_it = |act: &str| format!("/v1/proposals/{id}/{act}");
    for (path, body) in [
        (of_it("flag"), ""),
        ("/v1/destinations/flag".to_owned(), r#"{"destination":"exchange"}"#),
        ("/v1/freeze".to_owned(), "\u{feff}{\r\n}\n"),
        ("/v1/freeze".to_owned(), r#"{"account":"warm"}"#),
        ("/v1/panic".to_owned(), "{}"),
        ("/v1/panic".to_owned(), "\n"),
        ("/v1/panic".to_owned(), r#"{"reason":null}"#),
    ] {
        let (status, said) = served.raw(Method::POST, &path, Some(&bearer), body).await;
        assert_eq!(status, StatusCode::OK, "{path} {body}: {}", said.message);
    }
    let standing = alice.stops().await.unwrap().standing;
    assert!(standing.len() >= 4 && standing.iter().all(|stop| stop.reason.is_empty()), "{standing:?}");
    // What lifts something says why.
    for path in [of_it("clear"), "/v1/unfreeze".to_owned()] {
        let (status, said) = served.raw(Method::POST, &path, Some(&bearer), "{}").await;
        assert_eq!((status.as_u16(), said.code.as_str()), (400, "BAD_BODY"), "{path}");
    }
}
