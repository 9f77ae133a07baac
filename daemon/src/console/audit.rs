//! Who did what, looked through, and the state of the chain.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use treasury_api::operations::{Operation, calls};
use treasury_verify::audit::{about, csv_head, csv_row, moment, opened, sentences};

use super::Console;
use super::door::Answered;
use super::frame::{Frame, shown};
use super::sessions::Visitor;
use crate::http::Refused;
use crate::http::api::{AuditChain, AuditEntry, AuditQuery};

/// Entries of a page.
const ROWS: usize = 50;

/// Entries that a download has; `treasuryctl audit export` has all.
const DOWNLOAD_MAX: usize = 5_000;

/// Entries that are asked for at a time.
const PAGE_MAX: usize = 500;

/// What is looked for; empty: anything.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Wanted {
    person: String,
    about: String,
    since: String,
    until: String,
    before: String,
}

impl Wanted {
    fn asked(&self) -> AuditQuery {
        let said = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        AuditQuery {
            after: None,
            before: self.before.trim().parse().ok(),
            person: said(&self.person),
            about: said(&self.about),
            since: said(&self.since),
            until: said(&self.until),
            limit: Some(ROWS),
        }
    }

    /// The same search, from there on.
    fn query(&self, before: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("person", self.person.as_str()),
            ("about", &self.about),
            ("since", &self.since),
            ("until", &self.until),
            ("before", before),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// An entry as the page shows it.
struct Row {
    number: u64,
    at: String,
    ledger: String,
    who: Vec<String>,
    what: Vec<String>,
    proposals: Vec<String>,
    hash: String,
}

impl Row {
    fn of(entry: &AuditEntry) -> Self {
        let said = opened(entry).unwrap_or_default();
        let who = |field: &str| said.get("who").and_then(|who| who.get(field)).and_then(|text| text.as_str());
        let who = ["person", "origin", "address"].into_iter().filter_map(who).map(str::to_owned).collect();
        let what = match &entry.text {
            None => vec!["The text was removed; its digest stays".to_owned()],
            Some(_) => sentences(&said),
        };
        let ledger = said.get("ledger").and_then(|ledger| ledger.get("index"));
        Self {
            number: entry.number,
            at: moment(&said).to_owned(),
            ledger: ledger.map(ToString::to_string).unwrap_or_default(),
            who,
            what,
            proposals: about(&said).into_iter().filter(|id| id.starts_with('P')).collect(),
            hash: entry.hash.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    wanted: Wanted,
    people: Vec<String>,
    list: Vec<Row>,
    next: Option<u64>,
    chain: AuditChain,
}

pub(super) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/audit", "/console/audit").await?;
    let found = console.door.ask(&visitor.person, calls::AUDIT, "", &wanted.asked()).await?;
    let people = console.door.treasury().people.keys().cloned().collect();
    let list = found.entries.iter().map(Row::of).collect();
    Ok(shown(&Page { frame, wanted, people, list, next: found.next, chain: found.chain }))
}

/// What is looked for, in the order of the log. Read as it is stored, so that it can be proven.
async fn all(console: &Console, person: &str, wanted: &Wanted) -> Result<Vec<AuditEntry>, Refused> {
    let mut asked = AuditQuery { after: Some(0), before: None, limit: Some(PAGE_MAX), ..wanted.asked() };
    let mut found = Vec::new();
    loop {
        let raw = serde_json::to_value(&asked).unwrap_or_default();
        let text = console.door.raw(person, Operation::Audit, "", &raw).await?;
        let page: crate::http::api::AuditPage = serde_json::from_slice(&text)
            .map_err(|error| Refused::from(crate::http::ApiError::Internal(error.to_string())))?;
        found.extend(page.entries);
        match page.next {
            Some(next) if found.len() < DOWNLOAD_MAX => asked.after = Some(next),
            _ => return Ok(found),
        }
    }
}

pub(super) async fn csv(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let mut text = csv_head().to_owned();
    text.extend(all(&console, &visitor.person, &wanted).await?.iter().map(csv_row));
    Ok(download("text/csv; charset=utf-8", "audit.csv", text))
}

pub(super) async fn lines(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let found = all(&console, &visitor.person, &wanted).await?;
    let lines = found.iter().map(|entry| format!("{}\n", serde_json::to_string(entry).unwrap_or_default()));
    Ok(download("application/jsonl", "audit.jsonl", lines.collect()))
}

pub(super) async fn report(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let asked = AuditQuery { before: None, limit: None, ..wanted.asked() };
    let asked = serde_json::to_value(&asked).unwrap_or_default();
    let page = console.door.raw(&visitor.person, Operation::AuditReport, "", &asked).await?;
    Ok(download("text/html; charset=utf-8", "audit.html", String::from_utf8_lossy(&page).into_owned()))
}

/// Comes as a file, as it is read elsewhere.
fn download(kind: &'static str, name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], text).into_response()
}
