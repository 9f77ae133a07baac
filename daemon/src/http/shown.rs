//! What leaves the API: JSON without what nobody is to learn from it.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use treasury_tools::text::without_seeds;

use super::error::ApiError;
use crate::redact;

/// Hex digits of the shortest signature, 64 bytes in the one form and never less than 66 in the other, less some. The
/// longest that is no signature and holds none is a condition, with 78.
const SIGNATURE_DIGITS_LEAST: usize = 120;

/// A JSON answer. Every one goes through here, errors included: texts from stores of earlier versions may have
/// addresses of servers in them with passwords and keys, and seeds.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Shown<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(text) => {
                let text = without_seeds(&redact::addresses(&text)).into_owned();
                ([(CONTENT_TYPE, "application/json")], text).into_response()
            }
            Err(error) => ApiError::Internal(error.to_string()).into_response(),
        }
    }
}

/// A stored fact without signatures and signed transactions. Whoever has those of a complete payment can send it, past
/// every hold and freeze; so the API serves them to nobody. They are looked for by what they look like, not by their
/// names: a field that is added to the stored form is not forgotten here.
pub(crate) fn without_signatures(mut event: Value) -> Value {
    strip(&mut event);
    event
}

fn strip(value: &mut Value) {
    match value {
        Value::String(text) if may_be_signed(text) => {
            *text = format!("{} bytes that are not shown", text.len() / 2);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    // However short.
                    Value::Array(signatures) if name.ends_with("signatures") => signatures.clear(),
                    field => strip(field),
                }
            }
        }
        _ => {}
    }
}

fn may_be_signed(text: &str) -> bool {
    text.len() >= SIGNATURE_DIGITS_LEAST && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seeds_are_left_out_of_json_however_they_stand_in_a_text() {
        let (seed, left) = ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "(a seed, not shown)");
        for around in [
            ["", ""],
            ["x\n", "\n"],
            ["\\", "\\"],
            ["\"", "\"s"],
            ["é\t", " s"],
            ["\\n ", ""],
            ["\n", " snoPBrXtMeMyMHUVTgbuqAfg1SUTb"],
        ] {
            let text =
                |word: &str| json!({ "reason": around.join(word), "s": [around.join("s")] }).to_string();
            assert_eq!(without_seeds(&text(seed)), text(left).replace(seed, left));
            assert_eq!(without_seeds(&text("some")), text("some").replace(seed, left));
        }
    }

    #[test]
    fn whatever_may_be_a_signature_is_left_out_and_nothing_else() {
        let event = json!({
            "event": "approved",
            "hash": "A".repeat(64),
            "condition": "B".repeat(78),
            "note": "no hex ".repeat(40),
            "deep": [{ "blob": "C".repeat(300), "more": { "new_field": "d".repeat(128) } }],
            "approval": { "signatures": ["EE", "F".repeat(140)], "signing_pub_key": "02".repeat(33) },
        });
        let shown = without_signatures(event.clone());
        assert_eq!(shown["deep"][0]["blob"], "150 bytes that are not shown");
        assert_eq!(shown["deep"][0]["more"]["new_field"], "64 bytes that are not shown");
        assert_eq!(shown["approval"]["signatures"], json!([]));
        for same in ["event", "hash", "condition", "note"] {
            assert_eq!(shown[same], event[same]);
        }
        assert_eq!(shown["approval"]["signing_pub_key"], event["approval"]["signing_pub_key"]);
    }
}
