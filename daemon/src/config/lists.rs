//! Lists of destinations in files of their own: one address a line.
//!
//! A list that cannot be read whole is not read in part: nobody knows then who is on it, and nothing leaves to a new
//! destination until somebody has mended it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use treasury_core::list::{Dated, List};
use treasury_core::units::{AccountId, RippleTime};

use super::reader::Section;
use super::value;
use crate::private;

/// The longest file. Two million addresses with a word beside each: the lists of sanctions of the world have thousands.
const FILE_MAX_BYTES: u64 = 96 * 1024 * 1024;

/// What a line begins with that says when the list was made.
const DATE: &str = "# date:";

/// Where a list comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFile {
    /// What rules call it.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// How old it may become, in seconds; `None`: it need not say when it was made.
    pub age_max_seconds: Option<u32>,
    /// What the file's SHA-256 has to be; `None`: nothing is asked for.
    pub sha256: Option<[u8; 32]>,
}

/// Reads where the lists are. `refuse` says what stands against a name, and what to do about it.
pub(super) fn read(
    root: &Section<'_>,
    base_dir: &Path,
    refuse: impl Fn(&str) -> Option<(String, &'static str)>,
) -> Vec<ListFile> {
    let mut files: Vec<ListFile> = Vec::new();
    for section in root.sections("list") {
        let name = section.required("name", value::name);
        let path = section.required("file", |text| match text {
            "" => Err("the path is empty".to_owned()),
            text => Ok(base_dir.join(text)),
        });
        let age_max = section.text("age_max", value::duration);
        let sha256 = section.text("sha256", value::digest);
        let (Some(name), Some(path)) = (name, path) else { continue };
        if files.iter().any(|known| known.name == name.value) {
            section.blame(&name, format!("\"{}\" is taken", name.value), "rules name it; choose another");
            continue;
        }
        if let Some((what, advice)) = refuse(&name.value) {
            section.blame(&name, what, advice);
        }
        files.push(ListFile {
            name: name.value,
            path: path.value,
            age_max_seconds: age_max.map(|age| age.value),
            sha256: sha256.map(|sha256| sha256.value),
        });
    }
    files
}

impl ListFile {
    /// What shows that the file is another one than when it was looked at last; `None`: it is not there.
    #[must_use]
    pub fn stamp(&self) -> Option<(SystemTime, u64)> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    /// The list as its file has it now, given what was known of it before: where it cannot be read any more, or has become
    /// too old, those who were on it stay, and it says so.
    #[must_use]
    pub fn load_again(&self, before: Option<&List>, now: RippleTime) -> List {
        let list = self.load();
        match (list.fault(now), before) {
            (Some(problem), Some(before)) if list.entries().is_empty() => before.clone().gone_bad(problem),
            (Some(problem), _) => list.gone_bad(problem),
            (None, _) => list,
        }
    }

    /// The list where its file does not answer, given what was known of it before.
    pub(crate) fn unread(&self, before: Option<&List>, problem: &str) -> List {
        let problem = format!("{} {problem}", self.path.display());
        match before {
            Some(before) => before.clone().gone_bad(problem),
            None => List::unreadable(&self.name, problem),
        }
    }

    /// The list as its file has it now. Where that cannot be read, the list says so.
    #[must_use]
    pub fn load(&self) -> List {
        self.try_load().unwrap_or_else(|problem| List::unreadable(&self.name, problem))
    }

    fn try_load(&self) -> Result<List, String> {
        let (shown, bytes) = (self.path.display(), read_up_to(&self.path, FILE_MAX_BYTES)?);
        if let Some(expected) = self.sha256
            && <[u8; 32]>::from(Sha256::digest(&bytes)) != expected
        {
            return Err(format!("{shown} does not have the SHA-256 that the configuration names"));
        }
        let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))?;
        self.parse(&text).map_err(|problem| format!("{shown}, {problem}"))
    }

    fn parse(&self, text: &str) -> Result<List, String> {
        let mut made = None;
        let mut entries = Vec::new();
        for (line, number) in text.lines().zip(1_u64..) {
            let line = line.trim();
            if let Some(date) = line.strip_prefix(DATE) {
                let at = moment(date.trim()).ok_or_else(|| {
                    format!("line {number}: is not a date; write {DATE} 2026-11-26, or with a time in UTC")
                })?;
                made = Some(at);
            } else if !line.is_empty() && !line.starts_with('#') {
                // What stands behind the address is for people.
                let address = line.split([' ', '\t', ',', ';']).next().unwrap_or_default();
                let account: AccountId =
                    value::address(address).map_err(|problem| format!("line {number}: {problem}"))?;
                entries.push(account);
            }
        }
        let dated = match (made, self.age_max_seconds) {
            (Some(at), Some(age_max_seconds)) => Some(Dated { at, age_max_seconds }),
            (None, Some(_)) => return Err(format!("line 1: has no `{DATE}`, and its age is limited")),
            (_, None) => None,
        };
        Ok(List::new(&self.name, entries, dated))
    }
}

/// A file that people keep beside the configuration, if it is no longer than that.
pub(super) fn read_up_to(path: &Path, most_bytes: u64) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| format!("{shown} cannot be read: {error}");
    let file = private::open_file(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most_bytes {
        return Err(format!("{shown} is longer than {most_bytes} bytes"));
    }
    Ok(bytes)
}

/// `2026-11-26` or `2026-11-26T08:00:00Z`.
pub(crate) fn moment(text: &str) -> Option<RippleTime> {
    let moment = match text.parse::<jiff::civil::Date>() {
        Ok(date) if text.len() == 10 => date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
        _ => text.parse::<jiff::Timestamp>().ok()?,
    };
    RippleTime::from_unix(moment.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    const OTHER: &str = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe";

    fn file(dir: &Path, text: &str, age_max_seconds: Option<u32>) -> ListFile {
        let path = dir.join("list.txt");
        std::fs::write(&path, text).unwrap();
        ListFile { name: "sanctions".to_owned(), path, age_max_seconds, sha256: None }
    }

    #[test]
    fn a_list_is_one_address_a_line_with_words_for_people() {
        let dir = tempfile::tempdir().unwrap();
        let text =
            format!("# date: 2026-11-26\n# from somewhere\n\n{ONE}\n  {OTHER}, a thief\r\n{ONE} again\n");
        let list = file(dir.path(), &text, Some(60)).load();
        let entries: Vec<String> = list.entries().iter().map(ToString::to_string).collect();
        assert_eq!(entries.len(), 2);
        assert!(entries.contains(&ONE.to_owned()) && entries.contains(&OTHER.to_owned()));
        let made = list.dated().unwrap().at;
        assert_eq!(made.to_string(), "2026-11-26T00:00:00Z");
        assert_eq!(list.fault(RippleTime(made.0 + 60)), None);
        assert!(list.fault(RippleTime(made.0 + 61)).unwrap().contains("2026-11-26"));
        let hour = file(dir.path(), "# date: 2026-11-26T08:30:00Z\n", Some(60)).load();
        assert_eq!(hour.dated().unwrap().at.to_string(), "2026-11-26T08:30:00Z");
    }

    /// Danger: half of a list is taken for all of it.
    #[test]
    fn a_list_that_cannot_be_read_whole_has_nobody_on_it_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let fault = |file: &ListFile| {
            let list = file.load();
            assert!(list.entries().is_empty());
            list.fault(RippleTime(0)).unwrap()
        };
        for (text, age_max, expected) in [
            (format!("{ONE}\nrHalfAnAddr"), None, "line 2: \"rHalfAnAddr\" is not an address"),
            (ONE.to_owned(), Some(60), "line 1: has no `# date:`"),
            ("# date: yesterday".to_owned(), Some(60), "line 1: is not a date"),
        ] {
            let said = fault(&file(dir.path(), &text, age_max));
            assert!(said.contains(expected), "{said}");
        }
        let mut other = file(dir.path(), ONE, None);
        other.sha256 = Some([0; 32]);
        assert!(fault(&other).contains("does not have the SHA-256"));
        other.path = dir.path().join("gone");
        assert!(fault(&other).contains("cannot be read"));
        std::fs::write(dir.path().join("gone"), [0xFF, 0xFE]).unwrap();
        other.sha256 = None;
        assert!(fault(&other).contains("is not UTF-8"));
    }
}
