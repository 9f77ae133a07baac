//! The recorded vectors, and how a test finds them.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Every recorded story: its file's name and its contents. A missing folder is a failure, not a skip.
pub(crate) fn stories() -> Vec<(String, Json)> {
    let mut stories = Vec::new();
    for folder in folders() {
        for folder in [folder.clone(), folder.join("queue")] {
            read_folder(&folder, &mut stories);
        }
    }
    assert!(stories.len() >= 20, "only {} stories found", stories.len());
    stories.sort_by(|a, b| a.0.cmp(&b.0));
    stories
}

fn folders() -> Vec<PathBuf> {
    match std::env::var("CONFORMANCE_VECTORS") {
        Ok(paths) => paths.split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect(),
        Err(_) => vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance")],
    }
}

fn read_folder(folder: &Path, stories: &mut Vec<(String, Json)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        assert!(folder.ends_with("queue"), "no recorded vectors in {}", folder.display());
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            stories.push((name, serde_json::from_str(&text).unwrap()));
        }
    }
}

/// The `expect` of every step of a kind.
pub(crate) fn steps<'a>(story: &'a Json, op: &'a str) -> impl Iterator<Item = &'a Json> {
    story["steps"].as_array().unwrap().iter().filter(move |step| step["op"] == op)
}

/// The bytes of a hex text.
pub(crate) fn bytes(json: &Json) -> Vec<u8> {
    hex::decode(json.as_str().unwrap_or_else(|| panic!("no hex: {json}"))).unwrap()
}
