//! Reads `[guard]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reader::Section;
use super::value;
use crate::guard::GuardConfig;
use crate::guard::client::address;
use crate::trust::Trust;

/// How long the guard may take where nobody says: it asks its ledger servers first.
const PATIENCE: Duration = Duration::from_secs(20);

/// The guard; `None` where there is none, or after a problem was reported.
pub(super) fn read(root: &Section<'_>, base_dir: &Path) -> Option<GuardConfig> {
    let section = root.section("guard")?;
    let path = |text: &str| -> Result<PathBuf, String> {
        if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(base_dir.join(text)) }
    };
    let trust = section.text("ca_file", |text| path(text).and_then(|path| Trust::read(&path)));
    let trust = trust.map(|trust| trust.value);
    let receiver = section.required("url", |text| address(text, trust.clone()));
    let token_file = section.required("token_file", path);
    let timeout = section.text("timeout", value::duration);
    let new_escrows = section.flag("new_escrows");
    Some(GuardConfig {
        receiver: receiver?.value,
        token_file: token_file?.value,
        patience: timeout.map_or(PATIENCE, |timeout| Duration::from_secs(u64::from(timeout.value))),
        new_escrows: new_escrows.is_none_or(|new| new.value),
    })
}
