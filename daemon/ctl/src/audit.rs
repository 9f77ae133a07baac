//! The audit log: looked through, exported, and proven.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use treasury_api::client::Client;
use treasury_api::types::{AuditEntry, AuditPage, AuditQuery};
use treasury_tools::private;
use treasury_tools::text::clean;
use treasury_verify::audit::{Checker, csv_head, csv_row, moment, opened, people, sentences};

use super::cli::{Audit, Which};
use super::{CtlError, answer, pretty};

/// Entries that are fetched at a time.
const PAGE: usize = 500;

pub(super) async fn run(client: &Client, json: bool, about: Audit) -> Result<String, CtlError> {
    match about {
        Audit::List { which, before, limit } => {
            let asked = AuditQuery { before, limit, ..query(which) };
            Ok(answer(json, &client.audit(&asked).await?, listed))
        }
        Audit::Export { which, csv, to } => {
            let mut out = Out::to(to)?;
            if csv {
                out.put(csv_head())?;
            }
            let mut count = 0_u64;
            let each = |entry: &AuditEntry| {
                count = count.saturating_add(1);
                let line = if csv { csv_row(entry) } else { format!("{}\n", line_of(entry)) };
                out.put(&line)
            };
            fetch(client, query(which), each).await?;
            out.end(&format!("{count} entries"))
        }
        Audit::Report { which, to } => {
            let mut out = Out::to(to)?;
            out.put(&client.audit_report(&query(which)).await?)?;
            out.end("the report")
        }
        Audit::Verify { noted, .. } => {
            let mut checker =
                noted.iter().fold(Checker::whole(), |checker, (number, hash)| checker.noted(*number, hash));
            fetch(client, AuditQuery::default(), |entry| Ok(checker.take(entry)?)).await?;
            checker.finish()?;
            proven(json, &checker)
        }
    }
}

/// Proves an export, which needs no daemon.
pub(super) fn verify_file(
    json: bool,
    file: &Path,
    noted: &[(u64, String)],
    selection: bool,
) -> Result<String, CtlError> {
    let unread = |reason| CtlError::Unread { path: file.display().to_string(), reason };
    let lines = BufReader::new(File::open(file).map_err(unread)?).lines();
    let mut checker =
        noted.iter().fold(Checker::part(), |checker, (number, hash)| checker.noted(*number, hash));
    let mut count = 0_u64;
    for (line, number) in lines.zip(1_u64..) {
        let line = line.map_err(unread)?;
        let entry: AuditEntry = serde_json::from_str(&line).map_err(|error| {
            CtlError::Usage(format!("{}: line {number} is no entry: {error}", file.display()))
        })?;
        count = number;
        if selection {
            Checker::part().take(&entry)?;
        } else {
            checker.take(&entry)?;
        }
    }
    if selection {
        let words = format!("{count} entries, each as it was written\n");
        return Ok(if json { pretty(&json!({ "entries": count })) } else { words });
    }
    checker.finish()?;
    proven(json, &checker)
}

/// Fetches what is asked for, in the order of the log.
async fn fetch(
    client: &Client,
    mut asked: AuditQuery,
    mut each: impl FnMut(&AuditEntry) -> Result<(), CtlError>,
) -> Result<(), CtlError> {
    (asked.after, asked.limit) = (Some(0), Some(PAGE));
    loop {
        let page = client.audit(&asked).await?;
        page.entries.iter().try_for_each(&mut each)?;
        match page.next {
            Some(next) => asked.after = Some(next),
            None => return Ok(()),
        }
    }
}

fn query(which: Which) -> AuditQuery {
    let Which { person, about, since, until } = which;
    AuditQuery { person, about, since, until, ..AuditQuery::default() }
}

fn line_of(entry: &AuditEntry) -> String {
    // The API's types are plain data that came from JSON.
    serde_json::to_string(entry).unwrap_or_default()
}

fn proven(json: bool, checker: &Checker) -> Result<String, CtlError> {
    let missing = checker.unaccounted();
    let answer = if json { proven_json(checker) } else { proven_words(checker, missing.is_empty()) };
    if missing.is_empty() {
        Ok(answer)
    } else {
        Err(CtlError::AuditMissing { what: missing.join("; "), answer })
    }
}

fn proven_json(checker: &Checker) -> String {
    let (last, head) = checker.head().unwrap_or((0, ""));
    let (first, before) = checker.first().unwrap_or((0, ""));
    pretty(&json!({
        "entries": checker.count, "first": first, "before": before, "last": last, "head": head,
        "without_text": checker.texts.missing.count(), "without_openings": checker.openings.missing.count(),
        "unaccounted": checker.texts.unaccounted().saturating_add(checker.openings.unaccounted()),
    }))
}

fn proven_words(checker: &Checker, is_accounted: bool) -> String {
    let (last, head) = checker.head().unwrap_or((0, ""));
    let (first, before) = checker.first().unwrap_or((0, ""));
    let from = if first > 1 { format!(", which begin with {first} after {before}") } else { String::new() };
    let found = if is_accounted {
        "all as they were written and none missing"
    } else {
        "none of them missing, and what is there of each as it was written; but more is gone from them than was said to be \
         taken away"
    };
    format!(
        "{} entries{from}, {found}; {} without their texts, {} without something in them\n\
         entry {last} has the hash {head}\n",
        checker.count,
        checker.texts.missing.count(),
        checker.openings.missing.count()
    )
}

fn listed(page: &AuditPage) -> String {
    let mut text = String::new();
    for entry in &page.entries {
        let said = opened(entry).unwrap_or_default();
        let who: Vec<String> = people(&said).into_iter().collect();
        text.push_str(&clean(&format!("{} {} {}", entry.number, moment(&said), who.join(", "))));
        text.push('\n');
        if entry.text.is_none() {
            text.push_str("  the text was removed; its digest stays\n");
        }
        for sentence in sentences(&said) {
            text.push_str(&format!("  {}\n", clean(&sentence)));
        }
    }
    if let Some(next) = page.next {
        text.push_str(&format!("next: --before {next}\n"));
    }
    let chain = &page.chain;
    text.push_str(&clean(&format!("{} entries; head {}", chain.count, chain.head)));
    text.push('\n');
    if let Some(at) = &chain.verified {
        text.push_str(&clean(&format!("proven {at}")));
        text.push('\n');
    }
    if let Some(problem) = &chain.problem {
        text.push_str(&clean(&format!("NOT TO BE RELIED ON: {problem}")));
        text.push('\n');
    }
    text
}

/// Where what is written goes: a file of its own, or the answer.
enum Out {
    File(File, PathBuf),
    Text(String),
}

impl Out {
    fn to(file: Option<PathBuf>) -> Result<Self, CtlError> {
        match file {
            None => Ok(Self::Text(String::new())),
            Some(path) => match private::create_new(&path) {
                Ok(file) => Ok(Self::File(file, path)),
                Err(reason) => Err(CtlError::Unmade { path: path.display().to_string(), reason }),
            },
        }
    }

    fn put(&mut self, text: &str) -> Result<(), CtlError> {
        match self {
            Self::File(file, _) => Ok(file.write_all(text.as_bytes())?),
            Self::Text(so_far) => {
                so_far.push_str(text);
                Ok(())
            }
        }
    }

    fn end(self, what: &str) -> Result<String, CtlError> {
        match self {
            Self::File(file, path) => {
                file.sync_all()?;
                Ok(format!("{what} in {}\n", path.display()))
            }
            Self::Text(text) => Ok(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use treasury_verify::audit::sealed;

    use super::*;

    /// Danger: somebody takes a text away by hand, and whoever proves the log reads that none is missing.
    #[test]
    fn a_log_from_which_something_is_gone_that_nobody_accounts_for_is_not_proven() {
        let mut entries = vec![sealed(None, "{}".to_owned(), BTreeMap::new())];
        let mut follow = |text: &str| {
            let last = entries.last().map(|last| (last.number, last.hash.clone())).unwrap();
            entries.push(sealed(Some((last.0, &last.1)), text.to_owned(), BTreeMap::new()));
            if let Some(first) = entries.first_mut() {
                first.text = None;
            }
            let lines: Vec<String> = entries.iter().map(line_of).collect();
            lines.join("\n")
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("audit.jsonl");
        std::fs::write(&file, follow("{}")).unwrap();
        for json in [false, true] {
            let error = verify_file(json, &file, &[], false).unwrap_err();
            assert_eq!((error.exit_code(), error.view().code.as_str()), (1, "AUDIT_MISSING"));
            assert!(error.view().message.starts_with("1 texts are missing"), "{error}");
            let CtlError::AuditMissing { answer, .. } = &error else { panic!("{error}") };
            assert!(!answer.contains("none missing"), "{answer}");
            assert_eq!(answer.contains("\"unaccounted\": 1"), json, "{answer}");
        }
        std::fs::write(&file, follow(r#"{"kind":"removed","texts":1,"of":[[1,1]]}"#)).unwrap();
        assert!(verify_file(false, &file, &[], false).unwrap().contains("none missing"));
    }
}
