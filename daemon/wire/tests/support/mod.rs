//! The recorded vectors, and how a test finds them.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test fails by panicking")]

use serde_json::Value as Json;

/// Every story recorded of server 3.1.2, and those of `CONFORMANCE_VECTORS`: name and contents. A missing folder is a
/// failure, not a skip.
pub(crate) fn stories() -> Vec<(String, Json)> {
    let ours = ["3.1", "3.1/queue"].into_iter().flat_map(|folder| recordings::in_folder(folder).unwrap());
    let mut stories: Vec<_> = ours.chain(recordings::further().unwrap()).collect();
    assert!(stories.len() >= 21, "only {} stories found", stories.len());
    stories.sort_by(|a, b| a.name().cmp(b.name()));
    stories.iter().map(|story| (story.name().to_owned(), story.load().unwrap())).collect()
}

/// The `expect` of every step of a kind.
pub(crate) fn steps<'a>(story: &'a Json, op: &'a str) -> impl Iterator<Item = &'a Json> {
    story["steps"].as_array().unwrap().iter().filter(move |step| step["op"] == op)
}

/// The bytes of a hex text.
pub(crate) fn bytes(json: &Json) -> Vec<u8> {
    hex::decode(json.as_str().unwrap_or_else(|| panic!("no hex: {json}"))).unwrap()
}
