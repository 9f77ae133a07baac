//! Who did what, looked through, and the state of the chain.

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use treasury_api::operations::{Operation, calls};
use treasury_verify::audit::{Exported, about, csv_head, csv_row, moment, opened, sentences};

use super::Console;
use super::door::Answered;
use super::frame::{Frame, shown};
use super::sessions::Visitor;
use crate::http::Refused;
use crate::http::api::{AuditChain, AuditEntry, AuditQuery};

/// Entries of a page.
const ROWS: usize = 50;

/// Entries of a download that are asked for at a time.
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

/// The next entries of what is looked for, in the order of the log, and what to ask for after them. Read as they are stored,
/// so that they can be proven.
async fn next(
    console: &Console,
    person: &str,
    mut asked: AuditQuery,
) -> Result<(Vec<AuditEntry>, Option<AuditQuery>, AuditChain), Refused> {
    let raw = serde_json::to_value(&asked).unwrap_or_default();
    let text = console.door.raw(person, Operation::Audit, "", &raw).await?;
    let page: crate::http::api::AuditPage = serde_json::from_slice(&text)
        .map_err(|error| Refused::from(crate::http::ApiError::Internal(error.to_string())))?;
    let rest = page.next.map(|next| {
        asked.after = Some(next);
        asked
    });
    Ok((page.entries, rest, page.chain))
}

/// All that is looked for, as a file. It is sent while it is read, a page at a time, so that a log of years fills no memory;
/// where a later page cannot be read the transfer breaks off, so that half of it is not taken for the whole.
async fn all(
    console: Console,
    visitor: Visitor,
    wanted: &Wanted,
    kind: &'static str,
    name: &str,
    head: &str,
    row: fn(&AuditEntry) -> String,
) -> Answered {
    let asked = AuditQuery { after: Some(0), before: None, limit: Some(PAGE_MAX), ..wanted.asked() };
    // What has a head is a table, and has no line that would say where it ends.
    let has_end = head.is_empty();
    // What a page is as a text; behind the last of them stands what it is a part of.
    let text = move |page: &[AuditEntry], exported: &mut Exported, is_last: bool, chain: &AuditChain| {
        page.iter().for_each(|entry| exported.take(entry));
        let end = is_last.then(|| exported.clone().end_of(chain)).flatten().filter(|_| has_end);
        page.iter().map(row).chain(end).collect::<String>()
    };
    let mut exported = Exported::default();
    let (page, rest, chain) = next(&console, &visitor.person, asked).await?;
    let first = format!("{head}{}", text(&page, &mut exported, rest.is_none(), &chain));
    let later = stream::try_unfold((rest, exported), move |(rest, mut exported)| {
        let (console, person) = (console.clone(), visitor.person.clone());
        async move {
            let Some(asked) = rest else { return Ok(None) };
            let (page, rest, chain) =
                next(&console, &person, asked).await.map_err(|refused| refused.error.code)?;
            let text = text(&page, &mut exported, rest.is_none(), &chain);
            Ok::<_, String>(Some((text, (rest, exported))))
        }
    });
    let text = Body::from_stream(stream::once(async { Ok(first) }).chain(later));
    Ok(download(kind, name, text))
}

pub(super) async fn csv(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    all(console, visitor, &wanted, "text/csv; charset=utf-8", "audit.csv", csv_head(), csv_row).await
}

pub(super) async fn lines(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let line = |entry: &AuditEntry| format!("{}\n", serde_json::to_string(entry).unwrap_or_default());
    all(console, visitor, &wanted, "application/jsonl", "audit.jsonl", "", line).await
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
fn download(kind: &'static str, name: &str, text: impl Into<Body>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], text.into()).into_response()
}
