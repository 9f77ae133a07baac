//! The audit log: looked through, exported, and proven.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use treasury_api::client::Client;
use treasury_api::types::{AuditChain, AuditEntry, AuditPage, AuditQuery};
use treasury_tools::private;
use treasury_tools::text::clean;
use treasury_verify::audit::{
    AuditFault, Checker, Exported, Part, csv_head, csv_row, moment, opened, people, sentences,
};

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
            let mut exported = Exported::default();
            let each = |entry: &AuditEntry| {
                exported.take(entry);
                let line = if csv { csv_row(entry) } else { format!("{}\n", line_of(entry)) };
                out.put(&line)
            };
            let chain = fetch(client, query(which), each).await?;
            let count = exported.count();
            if let Some(end) = exported.end_of(&chain).filter(|_| !csv) {
                out.put(&end)?;
            }
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

/// What a line of an export is.
enum Line {
    Entry(AuditEntry),
    /// The end of one of a part.
    End(Part),
}

fn line(text: &str, file: &Path, number: u64) -> Result<Line, CtlError> {
    match (serde_json::from_str(text), Part::read(text)) {
        (Ok(entry), _) => Ok(Line::Entry(entry)),
        (_, Some(part)) => Ok(Line::End(part)),
        (Err(error), None) => {
            Err(CtlError::Usage(format!("{}: line {number} is no entry: {error}", file.display())))
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
    let (mut count, mut end, mut fault) = (0_u64, None::<Part>, None);
    for (text, number) in lines.zip(1_u64..) {
        let text = text.map_err(unread)?;
        if end.is_some() {
            return Err(CtlError::Usage(format!("{}: line {number} comes after its end", file.display())));
        }
        match line(&text, file, number)? {
            Line::End(part) => end = Some(part),
            Line::Entry(entry) if selection => {
                count = number;
                Checker::part().take(&entry)?;
            }
            // The end may say that entries are left out.
            Line::Entry(_) if fault.is_some() => {}
            Line::Entry(entry) => match checker.take(&entry) {
                Err(gap @ AuditFault::Gap { .. }) => fault = Some(gap),
                taken => taken?,
            },
        }
    }
    if selection {
        return selected(json, count, end.as_ref());
    }
    if let Some(fault) = fault {
        return Err(match end.filter(Part::is_selection) {
            Some(end) => CtlError::Usage(format!(
                "{} says that it is {} of the entries {} to {}, so nothing proves that none is missing: prove each alone with \
                 --selection",
                file.display(),
                end.entries,
                end.first,
                end.last
            )),
            None => fault.into(),
        });
    }
    checker.finish()?;
    if let Some(end) = &end {
        end.check(&checker)?;
    }
    // One that does not begin where the log does is a part, whoever made it.
    let begins_later = checker.first().is_some_and(|(first, _)| first > 1);
    if begins_later || end.as_ref().is_some_and(|end| !end.is_all()) {
        return Ok(proven_part(json, &checker, end.as_ref()));
    }
    proven(json, &checker)
}

/// What is proven of a selection: each of its entries, and that all of them are there that it had.
fn selected(json: bool, count: u64, end: Option<&Part>) -> Result<String, CtlError> {
    if let Some(end) = end.filter(|end| end.entries != count) {
        let problem = format!("the export says that it is {} entries, and {count} are there", end.entries);
        return Err(CtlError::Usage(problem));
    }
    let words = format!("a selection: {count} entries, each as it was written\n");
    Ok(if json { pretty(&json!({ "entries": count, "selection": true })) } else { words })
}

/// Fetches what is asked for, in the order of the log; answers with how long that is.
async fn fetch(
    client: &Client,
    mut asked: AuditQuery,
    mut each: impl FnMut(&AuditEntry) -> Result<(), CtlError>,
) -> Result<AuditChain, CtlError> {
    (asked.after, asked.limit) = (Some(0), Some(PAGE));
    loop {
        let page = client.audit(&asked).await?;
        page.entries.iter().try_for_each(&mut each)?;
        match page.next {
            Some(next) => asked.after = Some(next),
            None => return Ok(page.chain),
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

/// What is proven of a part. What is gone from it may be accounted for behind its end: that only the whole log tells.
fn proven_part(json: bool, checker: &Checker, end: Option<&Part>) -> String {
    if json {
        let mut said = said_json(checker);
        said["part"] = json!(true);
        said["of"] = json!(end.map(|end| end.of));
        said["of_head"] = json!(end.map(|end| &end.head));
        return pretty(&said);
    }
    let (last, head) = checker.head().unwrap_or((0, ""));
    let (first, before) = checker.first().unwrap_or((0, ""));
    let of = end.map_or_else(String::new, |end| format!(" of the {} that there were", end.of));
    let mut words = format!(
        "a part of the log: entries {first} to {last}{of}, after {before}; all of these as they were written and none of them \
         missing, and nothing is proven of what comes before and after them; {} without their texts, {} without something in \
         them\n",
        checker.texts.missing.count(),
        checker.openings.missing.count()
    );
    for line in checker.unaccounted() {
        words.push_str(&format!(
            "{line}: one behind this part may say so, and the proof of the whole log tells\n"
        ));
    }
    words.push_str(&format!("entry {last} has the hash {head}\n"));
    words
}

fn proven_json(checker: &Checker) -> String {
    pretty(&said_json(checker))
}

fn said_json(checker: &Checker) -> Value {
    let (last, head) = checker.head().unwrap_or((0, ""));
    let (first, before) = checker.first().unwrap_or((0, ""));
    json!({
        "entries": checker.count, "first": first, "before": before, "last": last, "head": head,
        "without_text": checker.texts.missing.count(), "without_openings": checker.openings.missing.count(),
        "unaccounted": checker.texts.unaccounted().saturating_add(checker.openings.unaccounted()),
    })
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

    /// Entries in which a person and a reason are opened, and of which something was taken away that the last accounts for.
    fn log() -> Vec<AuditEntry> {
        let texts = ["{}", "{\"at\":\"2026\"}", "{}", "{}", r#"{"kind":"removed","texts":1,"of":[[2,2]]}"#];
        let mut entries = Vec::<AuditEntry>::new();
        for text in texts {
            let last = entries.last().map(|last| (last.number, last.hash.clone()));
            let last = last.as_ref().map(|(number, hash)| (*number, hash.as_str()));
            entries.push(sealed(last, text.to_owned(), BTreeMap::new()));
        }
        entries[1].text = None;
        entries
    }

    /// An export of some of them, as they are written.
    fn export(of: &[AuditEntry], chosen: &[usize]) -> String {
        let mut exported = Exported::default();
        let mut text = String::new();
        for at in chosen {
            exported.take(&of[*at]);
            text.push_str(&format!("{}\n", line_of(&of[*at])));
        }
        let last = of.last().unwrap();
        text + &exported.end(last.number, &last.hash).unwrap_or_default()
    }

    /// Danger: an auditor who was given a month is told that something is missing, because the entry that accounts for it is of
    /// another; or that all is there, though the file was cut off.
    #[test]
    fn a_part_is_proven_as_a_part_and_found_out_where_something_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let (file, log) = (dir.path().join("audit.jsonl"), log());
        let proves = |text: &str, json: bool, selection: bool| {
            std::fs::write(&file, text).unwrap();
            verify_file(json, &file, &[], selection)
        };
        for part in [export(&log, &[0, 1, 2]), export(&log, &[1, 2, 3])] {
            let said = proves(&part, false, false).unwrap();
            assert!(said.starts_with("a part of the log: entries ") && said.contains(" of the 5 "), "{said}");
            assert!(
                said.contains("1 texts are missing") && said.contains("behind this part may say so"),
                "{said}"
            );
            assert!(!said.contains("complete"), "{said}");
            let json: Value = serde_json::from_str(&proves(&part, true, false).unwrap()).unwrap();
            assert_eq!(
                (&json["part"], &json["of"], &json["of_head"]),
                (&json!(true), &json!(5), &json!(log[4].hash))
            );
            // Cut off in front, or behind.
            let lines: Vec<&str> = part.lines().collect();
            for cut in [[lines[1], lines[2], lines[3]], [lines[0], lines[1], lines[3]]] {
                let error = proves(&cut.join("\n"), false, false).unwrap_err();
                assert_eq!((error.exit_code(), error.view().code.as_str()), (1, "AUDIT_PART"), "{error}");
            }
        }
        // Of one by an earlier version, which does not say that it is one, as far as that can be seen.
        let later = export(&log, &[1, 2]).lines().take(2).collect::<Vec<_>>().join("\n");
        assert!(
            proves(&later, false, false).unwrap().starts_with("a part of the log: entries 2 to 3, after ")
        );
        let whole = export(&log, &[0, 1, 2, 3, 4]);
        assert!(!whole.contains("\"part\""), "all of it is no part");
        assert!(proves(&whole, false, false).unwrap().contains("none missing"));
        let said = proves(&whole, true, false).unwrap();
        assert!(!said.contains("\"part\""), "{said}");
    }

    #[test]
    fn a_selection_says_that_it_is_one_and_how_many_entries_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let (file, log) = (dir.path().join("audit.jsonl"), log());
        let chosen = export(&log, &[0, 2, 3]);
        std::fs::write(&file, &chosen).unwrap();
        let refused = verify_file(false, &file, &[], false).unwrap_err().to_string();
        assert!(refused.contains("3 of the entries 1 to 4") && refused.contains("--selection"), "{refused}");
        assert!(verify_file(false, &file, &[], true).unwrap().starts_with("a selection: 3 entries"));
        let fewer: Vec<&str> = chosen.lines().skip(1).collect();
        std::fs::write(&file, fewer.join("\n")).unwrap();
        let refused = verify_file(false, &file, &[], true).unwrap_err().to_string();
        assert!(refused.contains("is 3 entries, and 2 are there"), "{refused}");
        std::fs::write(&file, chosen.clone() + &chosen).unwrap();
        let refused = verify_file(false, &file, &[], true).unwrap_err().to_string();
        assert!(refused.contains("line 5 comes after its end"), "{refused}");
        // Without its end nobody says that something was to be left out.
        std::fs::write(&file, chosen.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(verify_file(false, &file, &[], false).unwrap_err().view().code, "AUDIT_GAP");
    }
}
