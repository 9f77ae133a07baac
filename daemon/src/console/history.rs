//! What was proposed, looked through for what people remember of it.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use treasury_api::operations::calls;
use treasury_core::proposal::Status;
use xrpl_wire::Amount;

use super::Console;
use super::door::Answered;
use super::frame::{Frame, shown};
use super::pages::{PAGE_MAX, ROWS};
use super::sessions::Visitor;
use super::words;
use crate::http::api::{AmountView, PartyView, ProposalView, ProposalsQuery};
use crate::http::{ApiError, Refused};

/// Pages of the API that one search looks through for a page, and for a table, which may take some tenths of a second.
/// Whoever wants to go further back goes on from there.
const LOOKS: usize = 2;
const LOOKS_FOR_A_TABLE: usize = 10;

/// What is looked for; empty: anything.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// Who asked, signed or spoke against it.
    person: String,
    account: String,
    destination: String,
    least: String,
    most: String,
    since: String,
    until: String,
    status: String,
    /// Part of a note, an id or a transaction's hash.
    text: String,
    before: String,
}

impl Wanted {
    /// The same search, older.
    fn query(&self, before: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("person", self.person.as_str()),
            ("account", &self.account),
            ("destination", &self.destination),
            ("least", &self.least),
            ("most", &self.most),
            ("since", &self.since),
            ("until", &self.until),
            ("status", &self.status),
            ("text", &self.text),
            ("before", before),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// The same, read.
struct Sieve<'a> {
    wanted: &'a Wanted,
    least: Option<Amount>,
    most: Option<Amount>,
    text: String,
}

impl<'a> Sieve<'a> {
    fn of(wanted: &'a Wanted) -> Result<Self, ApiError> {
        let amount = |field, text: &str| {
            let problem = "an amount such as 300 XRP";
            let found = words::amount(text).ok_or(ApiError::BadField { field, problem });
            if text.trim().is_empty() { Ok(None) } else { found.map(Some) }
        };
        Ok(Self {
            least: amount("least", &wanted.least)?,
            most: amount("most", &wanted.most)?,
            text: wanted.text.trim().to_lowercase(),
            wanted,
        })
    }

    fn takes(&self, shown: &ProposalView) -> bool {
        let wanted = self.wanted;
        let intent = &shown.intent;
        let date = |text: &str, length: usize| text.get(..length).unwrap_or(text).to_owned();
        let is_of = |person: &str| {
            shown.asker == person
                || shown.approvals.iter().any(|approval| approval.person.as_deref() == Some(person))
                || shown.rejections.iter().any(|rejection| rejection.person == person)
        };
        let pays = |party: &PartyView| {
            let wanted = wanted.destination.trim();
            party.address == wanted || party.name.as_deref() == Some(wanted)
        };
        let amount = intent.amount.as_ref().and_then(|amount| Amount::try_from(amount).ok());
        let is_least = |least: &Amount| amount.is_some_and(|amount| amount >= *least);
        let is_most = |most: &Amount| amount.is_some_and(|amount| amount <= *most);
        (wanted.person.is_empty() || is_of(wanted.person.trim()))
            && (wanted.destination.is_empty() || intent.destination.as_ref().is_some_and(pays))
            && self.least.as_ref().is_none_or(is_least)
            && self.most.as_ref().is_none_or(is_most)
            && (wanted.since.is_empty() || shown.drafted.as_str() >= wanted.since.as_str())
            // The whole of the last day or second.
            && (wanted.until.is_empty() || date(&shown.drafted, wanted.until.len()) <= wanted.until)
            && (wanted.status.is_empty() || shown.status == wanted.status)
            && (self.text.is_empty() || self.reads(shown))
    }

    fn reads(&self, shown: &ProposalView) -> bool {
        let hash = shown.outcome.as_ref().map(|outcome| outcome.tx_id.as_str());
        let sent = shown.submission.as_ref().and_then(|sent| sent.tx_id.as_deref());
        [Some(shown.id.as_str()), Some(&shown.note), hash, sent]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&self.text))
    }
}

/// What a search came to.
struct Found {
    list: Vec<ProposalView>,
    /// From where on it was not looked any more.
    next: Option<String>,
}

async fn find(
    console: &Console,
    person: &str,
    wanted: &Wanted,
    looks: usize,
    most: usize,
) -> Result<Found, Refused> {
    let sieve = Sieve::of(wanted)?;
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut before = said(&wanted.before);
    let mut list: Vec<ProposalView> = Vec::new();
    for _ in 0..looks {
        let asked = ProposalsQuery {
            open: false,
            account: said(&wanted.account),
            before: before.clone(),
            limit: Some(PAGE_MAX),
            ..ProposalsQuery::default()
        };
        let page = console.door.ask(person, calls::PROPOSALS, "", &asked).await?;
        let is_last = page.len() < PAGE_MAX;
        for shown in page {
            before = Some(shown.id.clone());
            if sieve.takes(&shown) {
                list.push(shown);
                if list.len() == most {
                    return Ok(Found { list, next: before });
                }
            }
        }
        if is_last {
            return Ok(Found { list, next: None });
        }
    }
    Ok(Found { list, next: before })
}

#[derive(Template)]
#[template(path = "history.html")]
struct Page {
    frame: Frame,
    wanted: Wanted,
    people: Vec<String>,
    list: Vec<ProposalView>,
    next: Option<String>,
}

impl Page {
    fn statuses(&self) -> &'static [&'static str] {
        &Status::WORDS
    }
}

pub(super) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/history", "/console/history").await?;
    let found = find(&console, &visitor.person, &wanted, LOOKS, ROWS).await?;
    let people = console.door.treasury().people.keys().cloned().collect();
    Ok(shown(&Page { frame, wanted, people, list: found.list, next: found.next }))
}

/// The same search as a table for a spreadsheet, further back at once than a page.
pub(super) async fn csv(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Answered {
    let found = find(&console, &visitor.person, &wanted, LOOKS_FOR_A_TABLE, usize::MAX).await?;
    let mut text = String::from(
        "id,drafted,status,kind,account,destination,destination_address,destination_tag,amount,asset,asker,rules,approved_by,rejected_by,result,transaction,ledger,note\r\n",
    );
    for shown in &found.list {
        let row: Vec<String> = row(shown).iter().map(|text| words::cell(text)).collect();
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    let kind = (CONTENT_TYPE, "text/csv; charset=utf-8");
    Ok(([kind, (CONTENT_DISPOSITION, "attachment; filename=\"proposals.csv\"")], text).into_response())
}

fn row(shown: &ProposalView) -> [String; 18] {
    let intent = &shown.intent;
    let destination = intent.destination.as_ref();
    let amount = intent.amount.clone().unwrap_or_default();
    // As people write it; the asset stands in a column of its own.
    let value = AmountView::words(&amount);
    let value = value.split_once(' ').map_or(value.as_str(), |(value, _)| value).to_owned();
    let outcome = shown.outcome.as_ref();
    let names = |names: Vec<&str>| names.join(" ");
    [
        shown.id.clone(),
        shown.drafted.clone(),
        shown.standing(),
        intent.kind.clone(),
        shown.account.short().to_owned(),
        destination.and_then(|party| party.name.clone()).unwrap_or_default(),
        destination.map(|party| party.address.clone()).unwrap_or_default(),
        intent.destination_tag.map(|tag| tag.to_string()).unwrap_or_default(),
        if intent.amount.is_some() { value } else { String::new() },
        amount.asset,
        shown.asker.clone(),
        shown.decision.rules.join("; "),
        names(shown.approvals.iter().filter_map(|approval| approval.person.as_deref()).collect()),
        names(shown.rejections.iter().map(|rejection| rejection.person.as_str()).collect()),
        outcome.and_then(|outcome| outcome.result.clone()).unwrap_or_default(),
        outcome.map(|outcome| outcome.tx_id.clone()).unwrap_or_default(),
        outcome
            .and_then(|outcome| outcome.ledger.as_ref())
            .map(|ledger| ledger.index.to_string())
            .unwrap_or_default(),
        shown.note.clone(),
    ]
}
