//! What waits, and proposals.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::Value;
use treasury_api::operations::{Operation, calls};

use super::Console;
use super::code::{self, Code, Link};
use super::door::Answered;
use super::frame::{Frame, shown};
use super::sessions::Visitor;
use super::standing::Line;
use crate::http::api::{
    ChannelView, EscrowView, EscrowsQuery, FindingView, ProposalView, ProposalsQuery, RungView,
};

/// As many as the API gives at once.
pub(super) const PAGE_MAX: usize = 500;

/// Rows of a page: more than that nobody reads, and a page stays small.
pub(super) const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    frame: Frame,
    /// What the visitor can sign.
    to_sign: Vec<ProposalView>,
    /// What the visitor asked for and is open.
    own: Vec<ProposalView>,
    /// Escrows that are withheld, and whose money goes back unless somebody settles that.
    withheld: Vec<EscrowView>,
    /// Findings that nobody has looked at.
    findings: Vec<FindingView>,
    /// Channels that have given something up.
    dead: Vec<ChannelView>,
    /// Whether there are more than are shown.
    more_to_sign: bool,
    /// How many more there are than are shown.
    more_findings: usize,
}

pub(super) async fn inbox(State(console): State<Console>, visitor: Visitor) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console", "/console").await?;
    let (door, person) = (&console.door, visitor.person.as_str());
    let open = |query| ProposalsQuery { open: true, limit: Some(ROWS + 1), ..query };
    let of_signer = ProposalsQuery { signer: Some(person.to_owned()), ..ProposalsQuery::default() };
    let mut to_sign = door.ask(person, calls::PROPOSALS, "", &open(of_signer)).await?;
    let of_asker = ProposalsQuery { asker: Some(person.to_owned()), ..ProposalsQuery::default() };
    let mut own = door.ask(person, calls::PROPOSALS, "", &open(of_asker)).await?;
    own.retain(|proposal| !proposal.signers.iter().any(|signer| signer == person));
    let asked = EscrowsQuery { standing: true, limit: Some(PAGE_MAX) };
    let mut withheld = door.ask(person, calls::ESCROWS, "", &asked).await?;
    withheld.retain(|escrow| escrow.guard == "withheld");
    let mut findings = door.ask(person, calls::FINDINGS, "", &()).await?;
    findings.retain(|finding| finding.acknowledged.is_none());
    // What stops most stands first, the newest of each before the others: many that only alert hide nothing.
    findings.sort_by_key(|finding| weight(&finding.severity));
    let mut dead = door.ask(person, calls::CHANNELS, "", &()).await?;
    dead.retain(|channel| channel.dead > 0);
    let more_to_sign = to_sign.len() > ROWS;
    let more_findings = findings.len().saturating_sub(ROWS);
    to_sign.truncate(ROWS);
    own.truncate(ROWS);
    withheld.truncate(ROWS);
    findings.truncate(ROWS);
    Ok(shown(&Inbox { frame, to_sign, own, withheld, findings, dead, more_to_sign, more_findings }))
}

fn weight(severity: &str) -> usize {
    ["freeze", "hold", "alert"].iter().position(|known| *known == severity).unwrap_or(usize::MAX)
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListAsked {
    /// `all`: those that have ended as well.
    #[serde(default)]
    which: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "proposals.html")]
struct Proposals {
    frame: Frame,
    all: bool,
    account: String,
    list: Vec<ProposalView>,
    /// The last of this page, where there may be more.
    next: Option<String>,
}

pub(super) async fn proposals(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<ListAsked>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/proposals", "/console/proposals").await?;
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let all = asked.which == "all";
    let query = ProposalsQuery {
        open: !all,
        account: said(&asked.account),
        before: said(&asked.before),
        limit: Some(ROWS),
        ..ProposalsQuery::default()
    };
    let list = console.door.ask(&visitor.person, calls::PROPOSALS, "", &query).await?;
    let next = list.last().filter(|_| list.len() == ROWS).map(|last| last.id.clone());
    Ok(shown(&Proposals { frame, all, account: asked.account, list, next }))
}

/// What the bytes say, decoded and compared with the proposal's words.
enum Looked {
    /// In words, what a signature allows.
    Same(String),
    /// In what it is something else.
    Other { what: String, advice: &'static str },
    /// There is nothing to sign.
    Nothing,
}

#[derive(Template)]
#[template(path = "proposal.html")]
struct One {
    frame: Frame,
    proposal: ProposalView,
    looked: Looked,
    line: Option<Line>,
    /// Whether the visitor's signature can still count.
    can_sign: bool,
    has_signed: bool,
    /// The way to this page by a phone.
    link: Option<Link>,
    /// What is to be signed as a code; `None`: it is too large for one.
    package: Option<Code>,
}

impl One {
    fn json(rung: &RungView) -> String {
        serde_json::to_string_pretty(&rung.tx_json).unwrap_or_default()
    }

    /// The ladder's name, and its rungs.
    fn ladders(&self) -> [(&'static str, &[RungView]); 2] {
        [("Transaction", &self.proposal.rungs), ("Its void", &self.proposal.void_rungs)]
    }
}

pub(super) async fn proposal(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answered {
    let proposal = console.door.ask(&visitor.person, calls::PROPOSAL, &id, &()).await?;
    let back = format!("/console/proposals/{}", proposal.id);
    let frame = Frame::of(&console, &visitor, "/console/proposals", back).await?;
    let looked = match treasury_verify::check(&proposal) {
        Ok(checked) => Looked::Same(checked.to_string()),
        Err(treasury_verify::CheckError::NothingToSign(..)) => Looked::Nothing,
        Err(error) => Looked::Other { what: error.to_string(), advice: error.advice() },
    };
    let person = visitor.person.as_str();
    let can_sign = proposal.signers.iter().any(|signer| signer == person);
    let has_signed = proposal.approvals.iter().any(|approval| approval.person.as_deref() == Some(person));
    let line = proposal.escrow.as_ref().and_then(|escrow| Line::of(escrow, frame.now()));
    let link = Link::to(&frame.back, &console.config, &headers);
    let package = code::package_text(&proposal).and_then(|text| code::of_package(&text));
    Ok(shown(&One { frame, proposal, looked, line, can_sign, has_signed, link, package }))
}

/// The proposal as the API answers it, for whatever signs it elsewhere.
pub(super) async fn package(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answered {
    let text = console.door.raw(&visitor.person, Operation::Proposal, &id, &Value::Null).await?;
    // It was found, so the id is one, of a letter and digits.
    let name = format!(
        "attachment; filename=\"{}.package.json\"",
        id.replace(|c: char| !c.is_ascii_alphanumeric(), "")
    );
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)], text).into_response())
}
