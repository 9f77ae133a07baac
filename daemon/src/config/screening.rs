//! Reads `[screening]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HeaderName};

use super::reader::Section;
use super::value;
use crate::notify::channel;
use crate::notify::post::Receiver;
use crate::screening::ScreeningConfig;
use crate::trust::Trust;

/// How long an answer may take where nobody says; and at most: the API answers within ten seconds.
const PATIENCE_SECONDS: u32 = 5;
const PATIENCE_MAX_SECONDS: u32 = 8;

/// Who screens destinations; `None` where nobody does, or after a problem was reported.
pub(super) fn read(root: &Section<'_>, base_dir: &Path) -> Option<ScreeningConfig> {
    let section = root.section("screening")?;
    let path = |text: &str| -> Result<PathBuf, String> {
        if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(base_dir.join(text)) }
    };
    let allow_private = section.flag("allow_private").is_some_and(|allowed| allowed.value);
    let trust = section.text("ca_file", |text| path(text).and_then(|path| Trust::read(&path)));
    let trust = trust.map(|trust| trust.value);
    let receiver = section.required("url", |text| Receiver::parse(text, trust.clone(), allow_private));
    let name = section.text("secret_header", |text| {
        text.parse::<HeaderName>().map_err(|_| format!("\"{text}\" is no name of a header"))
    });
    // It is read for each question; that it can be is found out now.
    let file = section.text("secret_file", |text| {
        let path = path(text)?;
        channel::read(&path).map(|_| path)
    });
    if name.is_some() && !section.has("secret_file") {
        section.wrong(
            "secret_header",
            "has nothing to stand in it",
            "name the file of the secret: secret_file = \"…\"",
        );
    }
    let timeout = section.text("timeout", value::duration);
    let seconds = timeout.map_or(PATIENCE_SECONDS, |timeout| timeout.value);
    if seconds > PATIENCE_MAX_SECONDS {
        section.wrong(
            "timeout",
            "is longer than whoever asks for a payment is kept waiting",
            "write at most \"8s\"",
        );
    }
    Some(ScreeningConfig {
        receiver: receiver?.value,
        header: file.map(|file| (name.map_or(AUTHORIZATION, |name| name.value), file.value)),
        patience: Duration::from_secs(u64::from(seconds)),
    })
}
