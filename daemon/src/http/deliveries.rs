//! What people are told: seen, tried out and sent again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use tokio::time::timeout;
use treasury_core::command::{NOTICES_MAX, WHO_ARE_WOKEN};
use treasury_core::config::Role;
use treasury_core::{Command, CommandError};

use super::api::{
    AcknowledgeNoticesRequest, AlertView, ChannelView, DeliveriesQuery, DeliveryView, DoneView,
    RedeliverRequest, RedeliveredView, TestChannelRequest, TestedView,
};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::{Asked, Body, limit};
use super::shown::Shown;
use super::{App, knocks, routes};
use crate::lines;
use crate::notify::{Asked as AskedAgain, Desk, OutboxError, Redelivered, Standing};

/// How long a question waits for a place.
const PATIENCE: Duration = Duration::from_secs(3);

type Answered<T> = Result<Shown<T>, ApiError>;

pub(super) async fn channels(Shared(app): Shared<App>, _: Speaker) -> Answered<Vec<ChannelView>> {
    let Some(desk) = app.desk else { return Ok(Shown(Vec::new())) };
    ask(desk, |desk| Ok(desk.channels())).await.map(Shown)
}

pub(super) async fn deliveries(
    Shared(app): Shared<App>,
    _: Speaker,
    Asked(asked): Asked<DeliveriesQuery>,
) -> Answered<Vec<DeliveryView>> {
    let limit = limit(asked.limit)?;
    let stage = stage(asked.stage.as_deref())?;
    let before = asked.before.unwrap_or(u64::MAX);
    let Some(desk) = app.desk else { return Ok(Shown(Vec::new())) };
    ask(desk, move |desk| desk.list(before, asked.channel.as_deref(), stage, limit)).await.map(Shown)
}

pub(super) async fn redeliver(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<RedeliverRequest>,
) -> Answered<RedeliveredView> {
    for_admins(&app, &speaker, "redeliver")?;
    let stage = stage(asked.stage.as_deref())?;
    let notices = match (asked.id, asked.first, asked.last) {
        (Some(id), None, None) => AskedAgain::One(id),
        (None, Some(first), Some(last)) if first <= last => AskedAgain::Range(first, last),
        _ => {
            let problem = "either the id of a notice, or `first` and `last` that is not below it";
            return Err(ApiError::BadField { field: "id", problem });
        }
    };
    let desk = app.desk.clone().ok_or_else(no_channel)?;
    let done = ask(desk, move |desk| desk.redeliver(&notices, asked.channel.as_deref(), stage)).await?;
    let deliveries = match done {
        Redelivered::Done(deliveries) => deliveries,
        Redelivered::NoChannel => return Err(channel_gone()),
        Redelivered::Unknown => {
            let problem = "no notice has this id, or it is kept no more";
            return Err(ApiError::BadField { field: "id", problem });
        }
    };
    knocks::of_speaker(&app, &speaker, "redeliver", "DONE");
    Ok(Shown(RedeliveredView { deliveries }))
}

pub(super) async fn test_channel(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<TestChannelRequest>,
) -> Answered<TestedView> {
    for_admins(&app, &speaker, "test_channel")?;
    let desk = app.desk.clone().filter(|desk| desk.has(&asked.channel)).ok_or_else(no_channel)?;
    let person = speaker.0.person.clone();
    let notice = ask(desk, move |desk| desk.try_out(&asked.channel, &person)).await?;
    knocks::of_speaker(&app, &speaker, "test_channel", "DONE");
    Ok(Shown(TestedView { id: notice.id }))
}

pub(super) async fn alerts(Shared(app): Shared<App>, _: Speaker) -> Answered<Vec<AlertView>> {
    let Some(desk) = app.desk else { return Ok(Shown(Vec::new())) };
    ask(desk, |desk| Ok(desk.alerts())).await.map(Shown)
}

/// What they are is looked up here, and that somebody looks after them is a record like any other, which the telling reads.
pub(super) async fn acknowledge(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<AcknowledgeNoticesRequest>,
) -> Answered<DoneView> {
    let bad = |problem| Err(ApiError::BadField { field: "notices", problem });
    // The core asks the same of whoever comes so far; here it is asked before a disk is read for it.
    has_one_of(&app, &speaker, &WHO_ARE_WOKEN, "acknowledge_notices")?;
    if asked.notices.len() > NOTICES_MAX {
        return bad("more than 100 at a time");
    }
    let standing = match app.desk.clone() {
        Some(desk) => {
            let ids = asked.notices.clone();
            ask(desk, move |desk| desk.standing(&ids)).await?
        }
        None => Standing::Unknown(String::new()),
    };
    match standing {
        Standing::Unknown(_) => return bad("a notice has no such id, or it is kept no more"),
        Standing::Finding(_) => return bad("findings are acknowledged by their own ids, such as F3"),
        Standing::Outgrown => {
            return bad("it has become graver since: acknowledge the notice that says so, see the alerts");
        }
        Standing::Known { unanswered: false } if !asked.notices.is_empty() => {
            knocks::of_speaker(&app, &speaker, "acknowledge_notices", "UNCHANGED");
            return Ok(Shown(DoneView { changed: false, ended: None }));
        }
        Standing::Known { .. } => {}
    }
    let notices = asked.notices.into_iter().collect();
    routes::done(&app, speaker, Command::AcknowledgeNotices { notices, reason: asked.reason }).await
}

/// Asks the desk, which reads and writes a disk, beside everything else, and only so many at once. Each holds its place to
/// the end, also where nobody waits for the answer any more: whoever asks and hangs up gets no more threads than others.
async fn ask<T: Send + 'static>(
    desk: Arc<Desk>,
    question: impl FnOnce(&Desk) -> Result<T, OutboxError> + Send + 'static,
) -> Result<T, ApiError> {
    let place = timeout(PATIENCE, Arc::clone(&desk.questions).acquire_owned()).await;
    let place = place.ok().and_then(Result::ok).ok_or(ApiError::TooManyRequests)?;
    let answer = tokio::task::spawn_blocking(move || {
        let _place = place;
        question(&desk)
    });
    let answer = answer.await;
    let answer = answer.map_err(|error| ApiError::Internal(error.to_string()))?;
    answer.map_err(|error| ApiError::Store(error.to_string()))
}

fn no_channel() -> ApiError {
    let what = "it is the name of no channel of the configuration".to_owned();
    ApiError::UnknownName { field: "channel", what }
}

/// Nothing would come of it: whoever asks for it would take it for sent.
fn channel_gone() -> ApiError {
    let what =
        "the channel is configured no more: name one that there is, and it goes through that".to_owned();
    ApiError::UnknownName { field: "channel", what }
}

fn stage(text: Option<&str>) -> Result<Option<crate::notify::Stage>, ApiError> {
    let problem = "one of waiting, delivered, dead";
    text.map(|text| crate::notify::Stage::of(text).ok_or(ApiError::BadField { field: "stage", problem }))
        .transpose()
}

/// Whoever may open what is closed may say that people are told again.
fn for_admins(app: &App, speaker: &Speaker, asked: &str) -> Result<(), ApiError> {
    has_one_of(app, speaker, &[Role::Admin], asked)
}

/// The first of the roles is the one that is named to whoever has none of them.
fn has_one_of(app: &App, Speaker(actor, _): &Speaker, roles: &[Role], asked: &str) -> Result<(), ApiError> {
    let treasury = app.engine.treasury();
    let person = treasury.people.get(&actor.person);
    if person.is_some_and(|person| roles.iter().any(|role| person.roles.contains(role))) {
        return Ok(());
    }
    let refused = CommandError::RoleMissing(roles.first().copied().unwrap_or(Role::Admin));
    lines::request_forbidden(&actor.person, asked, refused.code());
    Err(ApiError::Refused(refused))
}
