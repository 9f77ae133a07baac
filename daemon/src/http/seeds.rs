//! A seed or a token that somebody types where a reason or a note belongs. What is sent is stored for ever, and everybody who may
//! ask reads it: so it is refused before anything else looks at it. What stops something is done all the same, without it, because
//! nobody whose reason is not taken must be left with money going out.
//!
//! What is asked in an address, or said by a listener of where they are, comes back in answers and pages, and is refused, too. A
//! request's own id that is one is not taken over.
//!
//! What this does not guard against: a seed in another form than the ledger's own (`s…`), such as words or hex, or one that is
//! written apart; a token of an earlier configuration, or one that is no whole word. And whoever typed it has shown it: the key
//! or the token has to be replaced.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::Uri;
use axum::http::request::Parts;
use serde_json::Value;
use treasury_api::operations::Class;
use treasury_tools::text::has_seed;
use url::form_urlencoded;

use super::auth::Tokens;
use super::error::ApiError;
use super::stream::LAST_EVENT_ID;
use crate::redact;

/// What some programs put before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The body of a request without a seed or a token in it.
///
/// # Errors
/// There is one, and the request stops nothing.
pub(super) fn kept_out(class: Class, body: Bytes, tokens: &Tokens) -> Result<Bytes, ApiError> {
    let body = if class == Class::Stop { legible(body) } else { body };
    // What is no text, or no JSON, is refused for that, by what takes it.
    let Ok(text) = std::str::from_utf8(&body) else { return Ok(body) };
    // Its texts are looked at, and not its letters: of what is escaped, and of what stands between its marks, those say something else.
    let Ok(mut said) = serde_json::from_str::<Value>(text) else { return Ok(body) };
    let has_seed = redact::seeds(&mut said);
    let has_token = redact::tokens(&mut said, &|word| tokens.is_one(word));
    if !has_seed && !has_token {
        return Ok(body);
    }
    match class {
        Class::Stop => Ok(Bytes::from(said.to_string())),
        Class::Other | Class::Probe if has_seed => Err(ApiError::SeedGiven),
        Class::Other | Class::Probe => Err(ApiError::TokenGiven),
    }
}

/// The body of a stop with what is no letter replaced: bytes that are no UTF-8, and halves of letters, as a program sends them that
/// cuts a text in the middle of one; line ends and other control characters, which JSON's texts have none of, as a script sends them
/// that puts an answer into one; a byte order mark. Nobody whose reason has such must be left with money going out.
pub(crate) fn legible(body: Bytes) -> Bytes {
    let body = match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => body.slice_ref(rest),
        None => body,
    };
    let is_control = |byte: &u8| *byte < b' ';
    let body = if body.iter().any(is_control) {
        body.iter().map(|byte| if is_control(byte) { b' ' } else { *byte }).collect()
    } else {
        body
    };
    let text = String::from_utf8_lossy(&body);
    match whole_letters(&text) {
        Some(whole) => Bytes::from(whole),
        None if matches!(text, Cow::Owned(_)) => Bytes::from(text.into_owned()),
        None => body,
    }
}

/// JSON in which no half of a letter stands alone; `None`: there was none.
fn whole_letters(json: &str) -> Option<String> {
    let escape = |from: usize| {
        let digits = json.get(from..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut whole, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(next) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += next;
        at += match escape(at) {
            Some(0xD800..=0xDBFF) if matches!(escape(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                whole.push_str(json.get(copied..at)?);
                whole.push_str("\\ufffd");
                copied = at + 6;
                6
            }
            // What is escaped is one letter, a backslash too.
            _ => 1 + json.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
        };
    }
    whole.push_str(json.get(copied..)?);
    (copied > 0).then_some(whole)
}

/// Refuses a question in which a seed or a token stands. What stops something asks nothing: what is in its address is looked at by
/// nobody.
///
/// # Errors
/// There is one.
pub(super) fn not_asked(class: Class, parts: &Parts, tokens: &Tokens) -> Result<(), ApiError> {
    if class == Class::Stop {
        return Ok(());
    }
    let place = parts.headers.get(LAST_EVENT_ID).map(|id| String::from_utf8_lossy(id.as_bytes()));
    let given = in_query(&parts.uri, tokens).or_else(|| in_text(&place?, tokens));
    given.map_or(Ok(()), Err)
}

/// What stands in what an address asks that belongs nowhere.
pub(super) fn in_query(uri: &Uri, tokens: &Tokens) -> Option<ApiError> {
    let asked = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    asked.into_iter().find_map(|(name, value)| in_text(&name, tokens).or_else(|| in_text(&value, tokens)))
}

/// What stands in a text that belongs nowhere.
pub(super) fn in_text(text: &str, tokens: &Tokens) -> Option<ApiError> {
    if has_seed(text) {
        return Some(ApiError::SeedGiven);
    }
    redact::has_token(text, &|word| tokens.is_one(word)).then_some(ApiError::TokenGiven)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sha2::{Digest, Sha256};

    use crate::testing;

    const SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

    /// Danger: a program cuts a reason in the middle of a letter, and the stop is refused for that.
    #[test]
    fn a_stop_is_not_refused_for_halves_of_letters_and_nothing_else_is_changed() {
        let tokens = Tokens::new(&testing::tokens());
        let kept = |class, text: &[u8]| kept_out(class, Bytes::copy_from_slice(text), &tokens).unwrap();
        let reason = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).unwrap()["reason"].clone();
        for (said, left) in [
            (&br#"{"reason":"out \ud83d"}"#[..], "out \u{fffd}"),
            (br#"{"reason":"out \ude00 and \ud83d\ud83d\ude00"}"#, "out \u{fffd} and \u{fffd}\u{1f600}"),
            (br#"{"reason":"a \\ud83d is no letter, \n"}"#, "a \\ud83d is no letter, \n"),
            (b"{\"reason\":\"out \xff\xc3\"}", "out \u{fffd}\u{fffd}"),
            (b"{\r\n\t\"reason\":\"two\nlines\tand\x1b\0\"}\n", "two lines and  "),
            (b"\xef\xbb\xbf{\"reason\":\"out\"}", "out"),
        ] {
            assert_eq!(reason(&kept(Class::Stop, said)), left);
            assert_eq!(kept(Class::Other, said), said, "what asks for something says it again");
        }
        for same in [&br#"{"reason":"\ud83d\ude00 \"\\"}"#[..], b"", b"{\"reason\":\"\\", b"\\u", b"\\"] {
            assert_eq!(kept(Class::Stop, same), same);
        }
    }

    /// Danger: what stands between the marks of JSON is taken for a part of the token, and it is stored and told.
    #[test]
    fn a_token_of_any_letters_is_found_wherever_it_stands_in_a_text() {
        let token = "geheim!ist$dies#wirklich";
        let tokens = Tokens::new(&[("sue".to_owned(), Sha256::digest(token).into())].into());
        for (said, left) in [
            (format!("{{\"reason\":\"{token}\"}}"), "(a token, not shown)"),
            (format!("{{\"reason\":\"{token} is it\"}}"), "(a token, not shown) is it"),
            (format!("{{\"reason\": \"it is {token}\"}}"), "it is (a token, not shown)"),
        ] {
            let body = || Bytes::from(said.clone());
            assert_eq!(kept_out(Class::Other, body(), &tokens), Err(ApiError::TokenGiven), "{said}");
            let stop = kept_out(Class::Stop, body(), &tokens).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&stop).unwrap()["reason"], left);
        }
    }

    #[test]
    fn a_seed_is_found_however_a_text_is_written_and_nothing_else_is_taken_for_one() {
        let tokens = Tokens::new(&testing::tokens());
        let kept = |class, text: &str| kept_out(class, Bytes::from(text.to_owned()), &tokens);
        for (said, left) in [
            (format!("{{\"reason\":\"my key {SEED}\"}}"), json!({ "reason": "my key (a seed, not shown)" })),
            (format!("{{\"reason\":\"two\\n{SEED}\"}}"), json!({ "reason": "two\n(a seed, not shown)" })),
            (format!("{{\"a\":[1,\"\\u0073{}\"]}}", &SEED[1..]), json!({ "a": [1, "(a seed, not shown)"] })),
        ] {
            assert_eq!(kept(Class::Other, &said), Err(ApiError::SeedGiven), "{said}");
            let stop = kept(Class::Stop, &said).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&stop).unwrap(), left);
        }
        assert_eq!(kept(Class::Other, &format!("{{\"{SEED}\":1}}")), Err(ApiError::SeedGiven));
        let key = "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020";
        let signature = format!("3045022100{}", "a5".repeat(64));
        for same in [
            "".to_owned(),
            "{\"reason\":\"".to_owned(),
            json!({ "signing_pub_key": key, "signatures": [signature, signature.to_lowercase()] })
                .to_string(),
            json!({ "signer": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "reason": "a \"quoted\" one" })
                .to_string(),
            json!({ "policy": "5e".repeat(32), "note": "something snowy sEdX", "key": "ctl-00ff" })
                .to_string(),
        ] {
            for class in [Class::Other, Class::Stop] {
                assert_eq!(kept(class, &same).unwrap(), same);
            }
        }
    }
}
