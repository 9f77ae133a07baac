//! What stands: escrows, findings, accounts and tiers, the policy, what people were told, and the daemon itself.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use treasury_api::operations::calls;

use super::Console;
use super::door::Answered;
use super::frame::{Frame, shown};
use super::pages::{PAGE_MAX, ROWS};
use super::sessions::Visitor;
use super::words;
use crate::http::ApiError;
use crate::http::api::{
    AccountView, AlertView, AmountView, ChannelView, DeliveriesQuery, DeliveryView, DestinationsView,
    EscrowView, EscrowsQuery, ExplainRequest, ExplainView, ExposureView, FindingView, ForecastView, LinkView,
    LockoutView, PolicyCheckView, PolicyRequest, PolicyShadowView, ScheduleView, StopsView,
};

/// An escrow's life as a line from its making to CancelAfter, in thousandths of it.
pub(super) struct Line {
    pub(super) finish: u128,
    pub(super) now: u128,
}

impl Line {
    /// None where it has no such times.
    pub(super) fn of(escrow: &EscrowView, now: &str) -> Option<Self> {
        let begin = escrow.seen.as_deref()?;
        let (finish, cancel) = (escrow.finish_after.as_deref()?, escrow.cancel_after.as_deref()?);
        Some(Self {
            finish: words::between(begin, finish, cancel)?,
            now: words::between(begin, now, cancel)?,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct EscrowsAsked {
    /// `all`: those that ended lately as well.
    #[serde(default)]
    which: String,
}

#[derive(Template)]
#[template(path = "escrows.html")]
struct Escrows {
    frame: Frame,
    all: bool,
    list: Vec<(EscrowView, Option<Line>)>,
    more: usize,
}

pub(super) async fn escrows(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<EscrowsAsked>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/escrows", "/console/escrows").await?;
    let all = asked.which == "all";
    let query = EscrowsQuery { standing: !all, limit: Some(PAGE_MAX) };
    let list = console.door.ask(&visitor.person, calls::ESCROWS, "", &query).await?;
    let more = list.len().saturating_sub(ROWS);
    let list = list.into_iter().take(ROWS).map(|escrow| {
        let line = Line::of(&escrow, frame.now());
        (escrow, line)
    });
    let list = list.collect();
    Ok(shown(&Escrows { frame, all, list, more }))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FindingsAsked {
    /// `all`: those that somebody has looked at as well.
    #[serde(default)]
    which: String,
    /// Only those with a lower number.
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "findings.html")]
struct Findings {
    frame: Frame,
    all: bool,
    list: Vec<FindingView>,
    next: Option<String>,
}

pub(super) async fn findings(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<FindingsAsked>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/findings", "/console/findings").await?;
    let all = asked.which == "all";
    let list = console.door.ask(&visitor.person, calls::FINDINGS, "", &()).await?;
    // Newest first, as the API has them.
    let list = list.into_iter().skip_while(|finding| !asked.before.is_empty() && finding.id != asked.before);
    let mut list: Vec<FindingView> = list
        .skip(usize::from(!asked.before.is_empty()))
        .filter(|finding| all || finding.acknowledged.is_none())
        .take(ROWS + 1)
        .collect();
    let more = list.len() > ROWS;
    list.truncate(ROWS);
    let next = list.last().filter(|_| more).map(|last| last.id.clone());
    Ok(shown(&Findings { frame, all, list, next }))
}

/// A link's bar: thousandths of what is shown.
struct Bar {
    has: u128,
    bound: u128,
    target: u128,
}

impl Bar {
    fn of(link: &LinkView) -> Option<Self> {
        let has = words::millionths(link.has.as_ref()?)?;
        let (bound, target) = (words::millionths(&link.bound)?, words::millionths(&link.target)?);
        // A quarter more than the largest of them, so that none stands at the edge.
        let whole = has.max(bound).max(target).checked_mul(5)?.checked_div(4)?;
        let place = |part| words::thousandths(part, whole);
        Some(Self { has: place(has)?, bound: place(bound)?, target: place(target)? })
    }
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct Accounts {
    frame: Frame,
    accounts: Vec<AccountView>,
    links: Vec<(LinkView, Option<Bar>)>,
    schedules: Vec<ScheduleView>,
    forecast: ForecastView,
    lockout: Vec<LockoutView>,
    exposure: Vec<ExposureView>,
}

pub(super) async fn accounts(State(console): State<Console>, visitor: Visitor) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/accounts", "/console/accounts").await?;
    let accounts = console.door.ask(&visitor.person, calls::ACCOUNTS, "", &()).await?;
    let links = console.door.ask(&visitor.person, calls::TIERS, "", &()).await?;
    let links = links.into_iter().map(|link| {
        let bar = Bar::of(&link);
        (link, bar)
    });
    let links = links.collect();
    let schedules = console.door.ask(&visitor.person, calls::SCHEDULES, "", &()).await?;
    let mut forecast = console.door.ask(&visitor.person, calls::FORECAST, "", &()).await?;
    let more = forecast.pipeline.len().saturating_sub(ROWS);
    forecast.pipeline.truncate(ROWS);
    forecast.pipeline_more = forecast.pipeline_more.saturating_add(more);
    let lockout = console.door.ask(&visitor.person, calls::LOCKOUT, "", &()).await?;
    let exposure = console.door.ask(&visitor.person, calls::EXPOSURE, "", &()).await?;
    Ok(shown(&Accounts { frame, accounts, links, schedules, forecast, lockout, exposure }))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PolicyAsked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    destination: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    asker: String,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    frame: Frame,
    asked: PolicyAsked,
    table: PolicyCheckView,
    shadow: PolicyShadowView,
    book: DestinationsView,
    explained: Option<ExplainView>,
}

pub(super) async fn policy(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<PolicyAsked>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/policy", "/console/policy").await?;
    let (door, person) = (&console.door, visitor.person.as_str());
    let table = door.ask(person, calls::POLICY_CHECK, "", &PolicyRequest::default()).await?;
    let mut shadow = door.ask(person, calls::POLICY_SHADOW, "", &()).await?;
    let book = door.ask(person, calls::DESTINATIONS, "", &()).await?;
    let more = shadow.differences.len().saturating_sub(ROWS);
    shadow.differences.truncate(ROWS);
    shadow.left_off = shadow.left_off.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    let explained = if asked.account.is_empty() && asked.destination.is_empty() && asked.amount.is_empty() {
        None
    } else {
        let problem = "an amount such as 300 XRP";
        let amount = words::amount(&asked.amount).ok_or(ApiError::BadField { field: "amount", problem })?;
        let request = ExplainRequest {
            policy: None,
            account: asked.account.clone(),
            destination: asked.destination.trim().to_owned(),
            amount: amount.into(),
            asker: Some(asked.asker.trim().to_owned()).filter(|asker| !asker.is_empty()),
        };
        Some(door.ask(person, calls::POLICY_EXPLAIN, "", &request).await?)
    };
    Ok(shown(&PolicyPage { frame, asked, table, shadow, book, explained }))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct DeliveriesAsked {
    #[serde(default)]
    stage: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Deliveries {
    frame: Frame,
    asked: DeliveriesAsked,
    channels: Vec<ChannelView>,
    alerts: Vec<AlertView>,
    list: Vec<DeliveryView>,
    next: Option<u64>,
}

pub(super) async fn deliveries(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<DeliveriesAsked>,
) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/deliveries", "/console/deliveries").await?;
    let (door, person) = (&console.door, visitor.person.as_str());
    let channels = door.ask(person, calls::CHANNELS, "", &()).await?;
    let mut alerts = door.ask(person, calls::ALERTS, "", &()).await?;
    // Those that nobody looks after come first.
    alerts.truncate(ROWS);
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let before = said(&asked.before).map(|text| text.parse::<u64>()).transpose();
    let problem = "a whole number, as the list shows it";
    let query = DeliveriesQuery {
        channel: said(&asked.channel),
        stage: said(&asked.stage),
        before: before.map_err(|_| ApiError::BadField { field: "before", problem })?,
        limit: Some(ROWS),
    };
    let list = door.ask(person, calls::DELIVERIES, "", &query).await?;
    let next = list.last().filter(|_| list.len() >= ROWS).map(|last| last.number);
    Ok(shown(&Deliveries { frame, asked, channels, alerts, list, next }))
}

#[derive(Template)]
#[template(path = "system.html")]
struct System {
    frame: Frame,
    stops: StopsView,
}

pub(super) async fn system(State(console): State<Console>, visitor: Visitor) -> Answered {
    let frame = Frame::of(&console, &visitor, "/console/system", "/console/system").await?;
    let mut stops = console.door.ask(&visitor.person, calls::STOPS, "", &()).await?;
    stops.lifted.truncate(ROWS);
    Ok(shown(&System { frame, stops }))
}

/// Several amounts, or none.
pub(super) fn amounts(amounts: &[AmountView]) -> String {
    if amounts.is_empty() {
        return "nothing".to_owned();
    }
    amounts.iter().map(AmountView::words).collect::<Vec<_>>().join(", ")
}
