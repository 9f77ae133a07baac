//! What each route does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use treasury_api::operations::Operation;
use treasury_core::command::{Propose, Refusal};
use treasury_core::input::RungSignatures;
use treasury_core::proposal::Proposal;
use treasury_core::state::Archived;
use treasury_core::units::{AccountId, Amount, FindingId, HexBytes, ProposalId, StopId};
use treasury_core::{Answer, Command, CommandError, State, Treasury};

use super::api::{
    AccountView, AcknowledgeRequest, ApproveRequest, ClearRequest, CloseBreakerRequest, DoneView,
    EmptyRequest, EscrowView, EscrowsQuery, EventsPage, EventsQuery, FindingView, FlagDestinationRequest,
    FreezeRequest, LiftRequest, LiftedView, LinkView, PanicView, ProposalView, ProposalsQuery,
    ProposeRequest, ProposedView, ReasonRequest, RecordView, ScheduleView, ServerView, StatusView,
    StoppedView, StopsView, UnfreezeRequest,
};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::{Asked, Body, Id, hex_bytes, id, limit, party, public_key};
use super::inquiry;
use super::proposal_view::{self, Depth, signers};
use super::shown::{Shown, without_signatures};
use super::view;
use super::{App, knocks};
use crate::ledger::PortHandle;
use crate::lines;

type Answered<T> = Result<Shown<T>, ApiError>;

pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

pub(super) async fn readyz(Shared(app): Shared<App>) -> Result<Response, ApiError> {
    let ready = app.engine.probe(view::ready).await?;
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Shown(ready)).into_response())
}

pub(super) async fn metrics(
    Shared(app): Shared<App>,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    app.engine.show_metrics().await?;
    app.metrics.show_process();
    if let Some(port) = &app.port {
        app.metrics.show_endpoints(&port.endpoints());
    }
    let text = app.metrics.text().map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

pub(super) async fn status(Shared(app): Shared<App>, _: Speaker) -> Answered<StatusView> {
    let age = app.engine.ledger_age().await?.as_secs();
    let openings = Arc::clone(&app.openings);
    let view = move |state: &State, treasury: &Treasury| view::status(state, treasury, age, &openings);
    let servers = app.port.as_ref().map(PortHandle::endpoints).unwrap_or_default();
    let server = |(server, left_out)| ServerView { server, left_out };
    let status =
        StatusView { servers: servers.into_iter().map(server).collect(), ..app.engine.query(view).await? };
    Ok(Shown(status))
}

pub(super) async fn accounts(Shared(app): Shared<App>, _: Speaker) -> Answered<Vec<AccountView>> {
    Ok(Shown(app.engine.query(view::accounts).await?))
}

pub(super) async fn tiers(Shared(app): Shared<App>, _: Speaker) -> Answered<Vec<LinkView>> {
    Ok(Shown(app.engine.query(view::tiers).await?))
}

pub(super) async fn schedules(Shared(app): Shared<App>, _: Speaker) -> Answered<Vec<ScheduleView>> {
    Ok(Shown(app.engine.query(view::schedules).await?))
}

pub(super) async fn proposals(
    Shared(app): Shared<App>,
    _: Speaker,
    Asked(asked): Asked<ProposalsQuery>,
) -> Answered<Vec<ProposalView>> {
    let treasury = app.engine.treasury();
    let account = asked.account.as_deref().map(|name| party(&treasury, "account", name)).transpose()?;
    let before = match &asked.before {
        Some(text) => id(text)?,
        None => ProposalId(u64::MAX),
    };
    let limit = limit(asked.limit)?;
    let bad = |field, problem| Err(ApiError::BadField { field, problem });
    if asked.asker.is_some() && !asked.open {
        return bad("asker", "of those that are open: goes with open=true");
    }
    if asked.signer.is_some() && asked.before.is_some() {
        return bad("before", "of the newest first, and a signer's list goes by deadlines");
    }
    if let Some(signer) = asked.signer {
        return to_sign(&app, signer, account, asked.asker, limit).await;
    }
    let asker = asked.asker;
    let mut list: BTreeMap<ProposalId, ProposalView> = app
        .engine
        .query(move |state, treasury| {
            let newest = state.proposals.range(..before).rev().map(|(_, proposal)| proposal);
            let wanted = newest
                .filter(|proposal| !asked.open || !proposal.status.is_final())
                .filter(|proposal| is_of(proposal, account, asker.as_deref()));
            let view = |shown: &Proposal| {
                (shown.id, proposal_view::proposal(state, treasury, shown, Depth::Summary))
            };
            wanted.take(limit).map(view).collect()
        })
        .await?;
    if !asked.open {
        // Asked after the state: what leaves it in between is found in both, and not in neither.
        let archived = app.engine.archived(move |archive| archive.before(before, account, limit)).await??;
        let views = app.engine.query(move |state, treasury| {
            let view = |shown: &Archived| {
                (shown.proposal.id, proposal_view::archived(state, treasury, shown, Depth::Summary))
            };
            archived.iter().map(view).collect::<Vec<_>>()
        });
        list.extend(views.await?);
    }
    Ok(Shown(list.into_values().rev().take(limit).collect()))
}

fn is_of(proposal: &Proposal, account: Option<AccountId>, asker: Option<&str>) -> bool {
    account.is_none_or(|account| proposal.account == account)
        && asker.is_none_or(|asker| proposal.asker.to_string() == asker)
}

/// What somebody can still sign: what runs out first stands first.
async fn to_sign(
    app: &App,
    signer: String,
    account: Option<AccountId>,
    asker: Option<String>,
    limit: usize,
) -> Answered<Vec<ProposalView>> {
    let list = app.engine.query(move |state, treasury| {
        let open = state.open.iter().filter_map(|id| state.proposals.get(id));
        let mut waiting: Vec<&Proposal> = open
            .filter(|proposal| is_of(proposal, account, asker.as_deref()))
            .filter(|proposal| signers(treasury, state, proposal).contains(&signer))
            .collect();
        waiting.sort_by_key(|proposal| (proposal.plan.as_ref().map(|plan| plan.deadline), proposal.id));
        let view = |shown: &Proposal| proposal_view::proposal(state, treasury, shown, Depth::Summary);
        waiting.into_iter().take(limit).map(view).collect()
    });
    Ok(Shown(list.await?))
}

pub(super) async fn proposal(Shared(app): Shared<App>, _: Speaker, Id(id): Id) -> Answered<ProposalView> {
    let view = app
        .engine
        .query(move |state, treasury| {
            let shown = state.proposals.get(&id)?;
            Some(proposal_view::proposal(state, treasury, shown, Depth::Whole))
        })
        .await?;
    if let Some(view) = view {
        return Ok(Shown(view));
    }
    let Some(archived) = app.engine.archived(move |archive| archive.get(id)).await?? else {
        return Err(ApiError::Refused(CommandError::UnknownProposal(id)));
    };
    let view = move |state: &State, treasury: &Treasury| {
        proposal_view::archived(state, treasury, &archived, Depth::Whole)
    };
    Ok(Shown(app.engine.query(view).await?))
}

pub(super) async fn escrows(
    Shared(app): Shared<App>,
    _: Speaker,
    Asked(asked): Asked<EscrowsQuery>,
) -> Answered<Vec<EscrowView>> {
    let limit = limit(asked.limit)?;
    let list = app
        .engine
        .query(move |state, treasury| {
            let mut escrows: Vec<_> = state
                .escrows
                .values()
                .filter(|escrow| !asked.standing || state.standing.contains(&escrow.view.key))
                .collect();
            // Newest first, the greatest key first within a ledger.
            escrows.sort_by_key(|escrow| std::cmp::Reverse((escrow.seen.index, escrow.view.key)));
            escrows.truncate(limit);
            escrows.into_iter().map(|escrow| proposal_view::escrow(state, treasury, escrow)).collect()
        })
        .await?;
    Ok(Shown(list))
}

pub(super) async fn findings(Shared(app): Shared<App>, _: Speaker) -> Answered<Vec<FindingView>> {
    let list = app
        .engine
        .query(|state, treasury| {
            state.findings.values().rev().map(|finding| view::finding(treasury, finding)).collect()
        })
        .await?;
    Ok(Shown(list))
}

pub(super) async fn events(
    Shared(app): Shared<App>,
    _: Speaker,
    Asked(asked): Asked<EventsQuery>,
) -> Answered<EventsPage> {
    let limit = limit(asked.limit)?;
    let records = app.engine.events(asked.after, limit).await?;
    let records = records.map_err(|error| ApiError::Store(error.to_string()))?;
    let next = records.last().map_or(asked.after, |record| record.number);
    let records = records
        .into_iter()
        .map(|record| {
            let events =
                record.events.iter().map(|event| serde_json::to_value(event).map(without_signatures));
            let events =
                events.collect::<Result<_, _>>().map_err(|error| ApiError::Internal(error.to_string()))?;
            Ok(RecordView { number: record.number, events })
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(Shown(EventsPage { records, next }))
}

pub(super) async fn propose(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<ProposeRequest>,
) -> Result<(StatusCode, Shown<ProposedView>), ApiError> {
    let treasury = app.engine.treasury();
    let asset = asked.amount.asset.parse().map_err(|_| ApiError::BadField {
        field: "amount.asset",
        problem: "XRP, a currency and its issuer such as \"USD.rIssuer\", or an MPTokenIssuanceID",
    })?;
    let amount = Amount::of(asset, &asked.amount.value).map_err(|_| ApiError::BadField {
        field: "amount.value",
        problem: "a number as text: whole drops of XRP, such as \"1500000\" for 1.5 XRP; of an issued currency at most 16 digits, such \
                  as \"120.5\"",
    })?;
    let account = party(&treasury, "account", &asked.account)?;
    let destination = party(&treasury, "destination", &asked.destination)?;
    let inquiry =
        inquiry::of_destination(&app, &treasury, &speaker.0.person, destination, asked.destination_tag)
            .await?;
    let command = Command::Propose(Propose {
        account,
        destination,
        destination_tag: asked.destination_tag,
        amount,
        note: asked.note,
        deadline_seconds: asked.deadline_seconds,
        idempotency_key: asked.idempotency_key,
        inquiry,
    });
    match carry_out(&app, speaker, command).await? {
        Answer::Proposed { proposal } => {
            Ok((StatusCode::CREATED, Shown(ProposedView { proposal: proposal.to_string() })))
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn approve(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(asked): Body<ApproveRequest>,
) -> Answered<DoneView> {
    let signing_pub_key = public_key(&asked.signing_pub_key)?;
    let read = |field, texts: &[String]| -> Result<Vec<HexBytes>, ApiError> {
        texts.iter().map(|text| hex_bytes(field, text)).collect()
    };
    let signatures = read("signatures", &asked.signatures)?;
    let void_signatures = read("void_signatures", &asked.void_signatures)?;
    let signer = party(&app.engine.treasury(), "signer", &asked.signer)?;
    let signatures = RungSignatures { signer, signing_pub_key, signatures, void_signatures };
    done(&app, speaker, Command::Approve { proposal, signatures }).await
}

pub(super) async fn retract(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(EmptyRequest {}): Body<EmptyRequest>,
) -> Answered<DoneView> {
    done(&app, speaker, Command::Retract { proposal }).await
}

pub(super) async fn reject(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(asked): Body<ReasonRequest>,
) -> Answered<DoneView> {
    done(&app, speaker, Command::Reject { proposal, reason: asked.reason }).await
}

pub(super) async fn withdraw(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(EmptyRequest {}): Body<EmptyRequest>,
) -> Answered<DoneView> {
    done(&app, speaker, Command::Withdraw { proposal }).await
}

pub(super) async fn flag(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(asked): Body<ReasonRequest>,
) -> Answered<StoppedView> {
    stopped(&app, speaker, Command::Flag { proposal, reason: asked.reason }).await
}

pub(super) async fn flag_destination(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<FlagDestinationRequest>,
) -> Answered<StoppedView> {
    let destination = party(&app.engine.treasury(), "destination", &asked.destination)?;
    stopped(&app, speaker, Command::FlagDestination { destination, reason: asked.reason }).await
}

pub(super) async fn void(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(asked): Body<ReasonRequest>,
) -> Answered<DoneView> {
    done(&app, speaker, Command::Void { proposal, reason: asked.reason }).await
}

pub(super) async fn panic(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<ReasonRequest>,
) -> Answered<PanicView> {
    match carry_out(&app, speaker, Command::Panic { reason: asked.reason }).await? {
        Answer::Panicked(found) => Ok(Shown(PanicView {
            freeze: found.freeze.to_string(),
            withheld: texts(&found.withheld),
            revealed: texts(&found.revealed),
            ended: texts(&found.ended),
            voiding: texts(&found.voiding),
            under_way: texts(&found.under_way),
        })),
        other => Err(unexpected(&other)),
    }
}

fn texts(ids: &[impl ToString]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

pub(super) async fn clear(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Id(proposal): Id,
    Body(asked): Body<ClearRequest>,
) -> Answered<LiftedView> {
    lifted(&app, speaker, Command::Clear { proposal, reason: asked.reason }).await
}

pub(super) async fn stops(Shared(app): Shared<App>, _speaker: Speaker) -> Answered<StopsView> {
    Ok(Shown(app.engine.query(view::stops).await?))
}

pub(super) async fn lift(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<LiftRequest>,
) -> Answered<LiftedView> {
    let stop = |text: &String| text.parse().ok().filter(|id: &StopId| id.to_string() == *text);
    let stops = asked.stops.iter().map(stop).collect::<Option<BTreeSet<StopId>>>();
    let problem = "one id such as S3, or several";
    let stops = stops.filter(|stops| !stops.is_empty());
    let stops = stops.ok_or(ApiError::BadField { field: "stops", problem })?;
    lifted(&app, speaker, Command::Lift { stops, reason: asked.reason }).await
}

pub(super) async fn acknowledge(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<AcknowledgeRequest>,
) -> Answered<DoneView> {
    let finding = |text: &String| text.parse().ok().filter(|id: &FindingId| id.to_string() == *text);
    let findings = asked.findings.iter().map(finding).collect::<Option<BTreeSet<FindingId>>>();
    let problem = "one id such as F3, or several";
    let findings = findings.filter(|findings| !findings.is_empty());
    let findings = findings.ok_or(ApiError::BadField { field: "findings", problem })?;
    done(&app, speaker, Command::Acknowledge { findings, reason: asked.reason }).await
}

pub(super) async fn freeze(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<FreezeRequest>,
) -> Answered<StoppedView> {
    let account = named_account(&app, asked.account)?;
    stopped(&app, speaker, Command::Freeze { account, reason: asked.reason }).await
}

pub(super) async fn unfreeze(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<UnfreezeRequest>,
) -> Answered<LiftedView> {
    let account = named_account(&app, asked.account)?;
    lifted(&app, speaker, Command::Unfreeze { account, reason: asked.reason }).await
}

pub(super) async fn close_breaker(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<CloseBreakerRequest>,
) -> Answered<DoneView> {
    let account = named_account(&app, asked.account)?;
    done(&app, speaker, Command::CloseBreaker { account }).await
}

fn named_account(app: &App, name: Option<String>) -> Result<Option<AccountId>, ApiError> {
    name.map(|name| party(&app.engine.treasury(), "account", &name)).transpose()
}

pub(super) async fn no_such_route() -> ApiError {
    ApiError::NoSuchRoute
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

pub(super) async fn carry_out(app: &App, speaker: Speaker, command: Command) -> Result<Answer, ApiError> {
    let (person, asked) = (speaker.0.person.clone(), word(&command));
    let how = Box::new(speaker.asked(asked));
    let answer = app.engine.command_as(speaker.0.clone(), command, Some(how)).await?;
    if let Ok(
        Answer::Done { changed: false }
        | Answer::Stopped { changed: false, .. }
        | Answer::Endorsed { changed: false, .. }
        | Answer::Confirmed { changed: false, .. },
    ) = &answer
    {
        knocks::of_speaker(app, &speaker, asked, "UNCHANGED");
    }
    if let Err(refused) = &answer
        && refused.refusal() == Refusal::Forbidden
    {
        lines::request_forbidden(person, asked, refused.code());
    }
    Ok(answer?)
}

/// What is asked for, as the table of operations names it.
fn word(command: &Command) -> &'static str {
    let operation = match command {
        Command::Propose(_) => Operation::Propose,
        Command::Approve { .. } => Operation::Approve,
        Command::Retract { .. } => Operation::Retract,
        Command::Reject { .. } => Operation::Reject,
        Command::Withdraw { .. } => Operation::Withdraw,
        Command::Flag { .. } => Operation::Flag,
        Command::FlagDestination { .. } => Operation::FlagDestination,
        Command::Void { .. } => Operation::Void,
        Command::Panic { .. } => Operation::Panic,
        Command::Clear { .. } => Operation::Clear,
        Command::Lift { .. } => Operation::Lift,
        Command::Acknowledge { .. } => Operation::Acknowledge,
        Command::AcknowledgeNotices { .. } => Operation::AcknowledgeNotices,
        Command::AnswerDrill { .. } => Operation::AnswerDrill,
        Command::Freeze { .. } => Operation::Freeze,
        Command::Unfreeze { .. } => Operation::Unfreeze,
        Command::CloseBreaker { .. } => Operation::CloseBreaker,
        Command::ActivatePolicy { .. } => Operation::PolicyActivate,
        Command::ConfirmDestination { .. } => Operation::ConfirmDestination,
    };
    operation.spec().name
}

pub(super) async fn done(app: &App, speaker: Speaker, command: Command) -> Answered<DoneView> {
    match carry_out(app, speaker, command).await? {
        Answer::Done { changed } => Ok(Shown(DoneView { changed, ended: None })),
        Answer::Rejected { ended } => Ok(Shown(DoneView { changed: true, ended: Some(ended) })),
        other => Err(unexpected(&other)),
    }
}

async fn stopped(app: &App, speaker: Speaker, command: Command) -> Answered<StoppedView> {
    match carry_out(app, speaker, command).await? {
        Answer::Stopped { stop, changed, warning } => {
            Ok(Shown(StoppedView { stop: stop.to_string(), changed, warning }))
        }
        other => Err(unexpected(&other)),
    }
}

async fn lifted(app: &App, speaker: Speaker, command: Command) -> Answered<LiftedView> {
    match carry_out(app, speaker, command).await? {
        Answer::Lifted { lifted, standing } => {
            Ok(Shown(LiftedView { lifted: texts(&lifted), standing: texts(&standing) }))
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) fn unexpected(answer: &Answer) -> ApiError {
    ApiError::Internal(format!("a command was answered by {answer:?}"))
}
