//! What people ask about the policy before they change it. Nothing here changes anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State as Shared;
use tokio::sync::OwnedSemaphorePermit;
use treasury_core::Treasury;
use treasury_core::charter::{Declared, Table};
use treasury_core::decide::Question;
use treasury_core::explain::{Explanation, explain as explained};
use treasury_core::intent::{Asker, Intent, Pay};
use treasury_core::list::List;
use treasury_core::policy::{DestinationMatch, Policy};
use treasury_core::prove::{self as prover, Outcome, Query};
use treasury_core::replay::{Changed, Replayed, replay};
use treasury_core::state::Archived;
use treasury_core::units::{Amount, ProposalId, RippleTime};

use super::App;
use super::activation;
use super::api::{
    AmountView, ChangeSumView, ChangeView, ExplainRequest, ExplainView, ListView, MissView, PolicyCheckView,
    PolicyRequest, PolicyTestRequest, PolicyTestView, ProveRequest, ProveView, RemarkView, RuleView,
};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::{Body, party};
use super::inquiry;
use super::proposal_view;
use super::rule_words;
use super::shown::Shown;
use crate::clock;
use crate::config::table::{Places, other};
use crate::config::warnings::{self, Warning};
use crate::config::{Problem, moment};

type Answered<T> = Result<Shown<T>, ApiError>;

/// As many changes as one answer has.
const CHANGES_MAX: usize = 500;

/// Ended proposals that are read from the archive at once.
const PAGE: usize = 500;

pub(super) async fn check(
    Shared(app): Shared<App>,
    _: Speaker,
    Body(asked): Body<PolicyRequest>,
) -> Answered<PolicyCheckView> {
    let treasury = app.engine.treasury();
    let in_general = asked.policy.is_none();
    let (activation, declared) = app
        .engine
        .query(move |state, treasury| {
            let view = activation::view(&state.charter, treasury).filter(|_| in_general);
            // A table that is asked about would come with what else is configured: that is in the one that waits.
            let candidate = state.charter.candidate.as_ref().filter(|_| !in_general);
            let waits = candidate.map(|candidate| &candidate.table);
            let table = waits.or(state.charter.active.as_ref().map(|active| &active.table));
            (view, table.map(|table| table.declared.clone()))
        })
        .await?;
    let turn = turn_to_think(&app).await?;
    let checked = think(turn, move || checked(&treasury, asked.policy.as_deref(), declared)).await?;
    Ok(Shown(PolicyCheckView { activation, ..checked }))
}

pub(super) async fn explain(
    Shared(app): Shared<App>,
    Speaker(speaker, _): Speaker,
    Body(asked): Body<ExplainRequest>,
) -> Answered<ExplainView> {
    let treasury = app.engine.treasury();
    let judging = judging(&treasury, asked.policy)?;
    let account = party(&treasury, "account", &asked.account)?;
    if !treasury.accounts.contains_key(&account) {
        return Err(ApiError::BadField { field: "account", problem: "one of the treasury's accounts" });
    }
    let destination = party(&treasury, "destination", &asked.destination)?;
    let amount = amount("amount", &asked.amount)?;
    let person = speaker.person;
    let asker = Asker::Person(asked.asker.unwrap_or_else(|| person.clone()));
    let intent = Intent::Pay(Pay { destination, destination_tag: None, amount });
    let inquiry = inquiry::of_destination(&app, &judging, &person, destination, None).await?;
    let explanation = app
        .engine
        .query(move |state, treasury| {
            let question = Question::new(treasury, state, account, &asker, &intent, state.now());
            explained(treasury, question.with(&inquiry).under(&judging.policy))
        })
        .await?;
    Ok(Shown(explanation_view(&explanation)))
}

pub(super) async fn test(
    Shared(app): Shared<App>,
    _: Speaker,
    Body(asked): Body<PolicyTestRequest>,
) -> Answered<PolicyTestView> {
    let treasury = app.engine.treasury();
    let problem = "a date or a time in UTC, such as 2026-11-26 or 2026-11-26T08:00:00Z";
    let since = match asked.since.as_deref() {
        None => RippleTime(0),
        Some(text) => moment(text).ok_or(ApiError::BadField { field: "since", problem })?,
    };
    let judging = judging(&treasury, Some(asked.policy))?;
    // Before all proposals are read: whoever waits holds none of them in memory.
    let turn = turn_to_think(&app).await?;
    let history = history(&app).await?;
    let judged = move || replayed(&replay(&judging, &judging.policy, &history, since));
    think(turn, judged).await.map(Shown)
}

pub(super) async fn prove(
    Shared(app): Shared<App>,
    _: Speaker,
    Body(asked): Body<ProveRequest>,
) -> Answered<ProveView> {
    let treasury = app.engine.treasury();
    let query = query(&treasury, &asked)?;
    let judging = judging(&treasury, asked.policy)?;
    let answer = think(turn_to_think(&app).await?, move || {
        let witness = prover::prove(&judging, &judging.policy, clock::utc(), &query)?;
        Ok(match witness {
            None => ProveView::default(),
            Some(witness) => ProveView {
                possible: true,
                example: Some(witness.example.words(&judging)),
                action: Some(witness.obligations.word().to_owned()),
                rules: witness.rules,
            },
        })
    });
    let problem =
        "tells too many kinds of payments apart to try each; ask about one account, asker or destination";
    let too_many = |_: prover::TooManyCells| ApiError::BadField { field: "policy", problem };
    Ok(Shown(answer.await?.map_err(too_many)?))
}

/// A turn to look at whole tables, which one has at a time.
async fn turn_to_think(app: &App) -> Result<OwnedSemaphorePermit, ApiError> {
    Arc::clone(&app.thinking).acquire_owned().await.map_err(|_| ApiError::EngineStopped)
}

/// Looks at whole tables on a thread of its own.
async fn think<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let thought = tokio::task::spawn_blocking(move || {
        // Held to the end, also where nobody waits for the answer any more.
        let _turn = turn;
        work()
    });
    thought.await.map_err(|error| ApiError::Internal(error.to_string()))
}

/// The treasury with the table that is asked about, or as it is.
fn judging(treasury: &Arc<Treasury>, policy: Option<String>) -> Result<Arc<Treasury>, ApiError> {
    let Some(text) = policy else { return Ok(Arc::clone(treasury)) };
    let problem = "is no table that the daemon would take; POST /v1/policy/check says what is wrong with it";
    let (judging, _) = other(treasury, &text).map_err(|_| ApiError::BadField { field: "policy", problem })?;
    Ok(Arc::new(judging))
}

fn checked(treasury: &Treasury, policy: Option<&str>, declared: Option<Declared>) -> PolicyCheckView {
    let read = match policy {
        Some(text) => other(treasury, text),
        None => Ok((treasury.clone(), Places::new())),
    };
    let (judging, places) = match read {
        Ok(read) => read,
        Err(problems) => {
            return PolicyCheckView {
                problems: problems.iter().map(problem).collect(),
                ..PolicyCheckView::default()
            };
        }
    };
    let table = Table::of(&judging);
    let table = Table { declared: declared.unwrap_or(table.declared), ..table };
    let of_rules = warnings::of_rules(&judging, &places, None);
    let of_table = warnings::of_table(&judging, &places, None);
    PolicyCheckView {
        problems: Vec::new(),
        warnings: of_rules.iter().chain(&of_table).map(warning).collect(),
        rules: judging.policy.rules().len(),
        policy_hash: Some(judging.policy.hash().to_string()),
        lists: lists(&judging.policy),
        table_hash: Some(table.hash().to_string()),
        activation: None,
        table: judging.policy.rules().iter().map(|rule| rule_words::rule(&judging, rule)).collect(),
    }
}

fn lists(policy: &Policy) -> BTreeMap<String, ListView> {
    let view = |list: &List| ListView {
        entries: list.entries().len(),
        hash: list.hash().to_string(),
        dated: list.dated().map(|dated| dated.at.to_string()),
        fault: list.fault(clock::utc()),
    };
    policy.lists().iter().map(|(name, list)| (name.clone(), view(list))).collect()
}

fn problem(problem: &Problem) -> RemarkView {
    RemarkView {
        line: Some(problem.line),
        column: Some(problem.column),
        key: problem.key.clone(),
        what: problem.what.clone(),
        advice: problem.advice.clone(),
    }
}

fn warning(warning: &Warning) -> RemarkView {
    let place = warning.place.as_ref().map(|(_, place)| *place);
    RemarkView {
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        key: warning.key.clone(),
        what: warning.what.clone(),
        advice: warning.advice.to_owned(),
    }
}

fn explanation_view(explanation: &Explanation) -> ExplainView {
    let rules = explanation.rules.iter().map(|rule| RuleView {
        rule: rule.rule.clone(),
        action: rule.action.to_owned(),
        matches: rule.matches(),
        misses: rule
            .misses
            .iter()
            .map(|miss| MissView { key: miss.key.to_owned(), why: miss.why.clone() })
            .collect(),
    });
    ExplainView {
        decision: proposal_view::decision(&explanation.decision),
        risk: proposal_view::risk(&explanation.risk),
        rules: rules.collect(),
    }
}

/// Every proposal that there was, in the state and in the archive.
async fn history(app: &App) -> Result<Vec<Archived>, ApiError> {
    let mut before = ProposalId(u64::MAX);
    let mut all = BTreeMap::new();
    loop {
        // What leaves the state in between is found in both, and not in neither: the archive is asked after it.
        let page: Vec<Archived> = app
            .engine
            .query(move |state, _| {
                let newest = state.proposals.range(..before).rev().take(PAGE);
                let whole = newest.map(|(_, proposal)| {
                    let made = proposal.release_inputs().map(|inputs| inputs.escrow);
                    let escrow = made.and_then(|key| state.escrows.get(&key).cloned());
                    Archived { proposal: proposal.clone(), escrow }
                });
                whole.collect()
            })
            .await?;
        let Some(last) = page.last().map(|archived| archived.proposal.id) else { break };
        all.extend(page.into_iter().map(|archived| (archived.proposal.id, archived)));
        before = last;
    }
    before = ProposalId(u64::MAX);
    loop {
        let page = app.engine.archived(move |archive| archive.before(before, None, PAGE)).await??;
        let Some(last) = page.iter().map(|archived| archived.proposal.id).min() else { break };
        for archived in page {
            all.entry(archived.proposal.id).or_insert(archived);
        }
        before = last;
    }
    Ok(all.into_values().collect())
}

fn replayed(replayed: &Replayed) -> PolicyTestView {
    let sums = replayed.sums.iter().map(|((was, would), sum)| ChangeSumView {
        was: (*was).to_owned(),
        would: (*would).to_owned(),
        count: sum.count,
        amounts: sum.money.values().map(|amount| AmountView::from(*amount)).collect(),
    });
    let change = |changed: &Changed| ChangeView {
        proposal: changed.proposal.to_string(),
        at: changed.at.to_string(),
        amount: changed.amount.into(),
        was: changed.words.0.to_owned(),
        would: changed.words.1.to_owned(),
        rules_then: changed.was.clone(),
        rules: changed.would.clone(),
        stricter: changed.stricter,
        left: changed.left,
    };
    PolicyTestView {
        proposals: replayed.sums.values().fold(0, |all, sum| all.saturating_add(sum.count)),
        sums: sums.collect(),
        changed: replayed.changed.iter().rev().take(CHANGES_MAX).map(change).collect(),
        left_off: replayed.changed.len().saturating_sub(CHANGES_MAX),
    }
}

fn query(treasury: &Treasury, asked: &ProveRequest) -> Result<Query, ApiError> {
    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.word() == asked.outcome);
    let problem = "one of allow, at_once, leave, deny, no_match";
    let destination = match asked.destination.as_deref() {
        None => None,
        Some("new") => Some(DestinationMatch::New),
        Some("known") => Some(DestinationMatch::Known),
        Some("treasury") => Some(DestinationMatch::Treasury),
        Some(name) => Some(DestinationMatch::Accounts(vec![party(treasury, "destination", name)?])),
    };
    let account = asked.account.as_deref().map(|name| party(treasury, "account", name)).transpose()?;
    let asker = asked.asker.as_deref().map(|name| match name {
        "treasuryd" => Asker::Daemon,
        name => Asker::Person(name.to_owned()),
    });
    Ok(Query {
        outcome: outcome.ok_or(ApiError::BadField { field: "outcome", problem })?,
        above: asked.above.as_ref().map(|above| amount("above", above)).transpose()?,
        destination,
        account,
        asker,
        listed: asked.listed.clone(),
    })
}

fn amount(field: &'static str, shown: &AmountView) -> Result<Amount, ApiError> {
    let problem = "an asset and a value, such as {\"asset\":\"XRP\",\"value\":\"2500000\"}";
    let amount = Amount::try_from(shown).ok().filter(|amount| !amount.is_negative());
    amount.ok_or(ApiError::BadField { field, problem })
}
