//! The state as the API shows it.

use std::collections::BTreeMap;

use treasury_core::State;
use treasury_core::config::{AccountConfig, Keeps, Schedule, Signing, Tier, TierLink, Treasury};
use treasury_core::findings::{drift, settings_drift};
use treasury_core::intent::Origin;
use treasury_core::observe::{LedgerPoint, TrustLineView as TrustLine};
use treasury_core::proposal::{Occurrence, Proposal, Status};
use treasury_core::schedule;
use treasury_core::state::{Finding, Reached};
use treasury_core::stops::{Stop, Subject};
use treasury_core::tiers::{self, Planner};
use treasury_core::units::{AccountId, Amount, Asset, SeqProxy};
use xrpl_wire::IssuedAmount;

use super::api::{
    AccountView, AcknowledgedView, AskedView, BreakerView, FeesView, FindingView, LedgerView, LiftedStopView,
    LinkView, OtherHostView, PartyView, ReadyView, ScheduleView, SignerEntryView, SignerListView, StatusView,
    StopView, StopsView, StoreView, TrustLineView,
};
use crate::metrics::guard_word;
use crate::store::Openings;
use crate::{clock, sight};

/// Times at which a schedule is due next that are shown.
const NEXT_MAX: usize = 3;

/// The whole at a glance.
pub(super) fn status(
    state: &State,
    treasury: &Treasury,
    ledger_age_seconds: u64,
    openings: &Openings,
) -> StatusView {
    let mut open_proposals = BTreeMap::new();
    for proposal in state.open.iter().filter_map(|id| state.proposals.get(id)) {
        *open_proposals.entry(proposal.status.word().to_owned()).or_insert(0) += 1;
    }
    let mut standing_escrows = BTreeMap::new();
    for escrow in state.standing.iter().filter_map(|key| state.escrows.get(key)) {
        *standing_escrows.entry(guard_word(treasury, state, escrow).to_owned()).or_insert(0) += 1;
    }
    let mut open_findings = BTreeMap::new();
    for finding in state.findings.values().filter(|finding| finding.acknowledged.is_none()) {
        *open_findings.entry(finding.severity.word().to_owned()).or_insert(0) += 1;
    }
    StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        store: store(openings),
        sight: ready(state, treasury),
        ledger: state.ledger.map(ledger),
        ledger_age_seconds,
        fees: state.fees.map(|fees| FeesView {
            base_fee_drops: fees.base_fee.to_string(),
            reserve_base_drops: fees.reserve_base.to_string(),
            reserve_inc_drops: fees.reserve_inc.to_string(),
        }),
        policy_hash: treasury.policy.hash().to_string(),
        open_proposals,
        standing_escrows,
        open_findings,
        stops: state.stops.all().map(|standing| stop(treasury, standing)).collect(),
        breakers: state
            .breakers
            .iter()
            .map(|(key, breaker)| BreakerView {
                account: key.account.map(|account| party(treasury, &account)),
                cause: key.cause.word().to_owned(),
                open: breaker.open.is_some(),
                reason: breaker.open.as_ref().map(|(_, reason)| reason.clone()),
                since: breaker.open.as_ref().map(|(at, _)| time(at)),
                failures: breaker.failures,
            })
            .collect(),
        // Whoever asks knows of them.
        servers: Vec::new(),
    }
}

/// Who has opened the store; none where it is in memory alone.
fn store(openings: &Openings) -> Option<StoreView> {
    let (now, before) = openings.last_two();
    now.map(|now| StoreView {
        generation: now.last,
        host: now.host.name.clone(),
        machine: now.host.machine.clone(),
        since_generation: now.first,
        before: before.map(|before| OtherHostView {
            host: before.host.name.clone(),
            machine: before.host.machine.clone(),
            generation: before.last,
        }),
    })
}

/// Whether the daemon can act.
pub(super) fn ready(state: &State, treasury: &Treasury) -> ReadyView {
    let reason = sight::why_not(state, treasury, clock::utc());
    ReadyView { ready: reason.is_none(), reason }
}

/// The treasury's accounts, by tier and name.
pub(super) fn accounts(state: &State, treasury: &Treasury) -> Vec<AccountView> {
    let mut declared: Vec<(&AccountId, &AccountConfig)> = treasury.accounts.iter().collect();
    declared.sort_by_key(|(_, account)| (account.tier, account.name.as_str()));
    declared.into_iter().map(|(address, account)| one_account(state, treasury, address, account)).collect()
}

/// The tier links, by the planner's own answer.
pub(super) fn tiers(state: &State, treasury: &Treasury) -> Vec<LinkView> {
    let planner = Planner::new(treasury);
    treasury.links.iter().map(|link| one_link(state, treasury, &planner, link)).collect()
}

/// The scheduled payments, by name.
pub(super) fn schedules(state: &State, treasury: &Treasury) -> Vec<ScheduleView> {
    // Few proposals are of a schedule, and all that are open are looked through once.
    let open = state.open.iter().filter_map(|id| state.proposals.get(id));
    let asked: Vec<(&Occurrence, &Proposal)> =
        open.filter_map(|proposal| Some((proposal.occurrence.as_ref()?, proposal))).collect();
    let mut declared: Vec<&Schedule> = treasury.schedules.iter().collect();
    declared.sort_by_key(|schedule| &schedule.name);
    declared.into_iter().map(|schedule| one_schedule(state, treasury, schedule, &asked)).collect()
}

fn one_schedule(
    state: &State,
    treasury: &Treasury,
    schedule: &Schedule,
    asked: &[(&Occurrence, &Proposal)],
) -> ScheduleView {
    let known = state.scheduled.get(&schedule.name).copied().filter(|reached| !reached.gone);
    let mut open: Vec<_> =
        asked.iter().filter(|(occurrence, _)| occurrence.schedule == schedule.name).collect();
    open.sort_by_key(|(occurrence, _)| occurrence.due);
    let reached = known.unwrap_or(Reached { through: state.now(), day: None, gone: false });
    let next = schedule::after(schedule, reached);
    ScheduleView {
        name: schedule.name.clone(),
        from: party(treasury, &schedule.from),
        to: party(treasury, &schedule.to),
        tag: schedule.destination_tag,
        amount: schedule.amount.into(),
        by: schedule.by.clone(),
        note: schedule.note.clone(),
        asked_through: known.map(|reached| reached.through.to_string()),
        lead_seconds: schedule.lead_seconds,
        late_max_seconds: schedule.late_max_seconds,
        open: open
            .into_iter()
            .map(|(occurrence, proposal)| AskedView {
                due: occurrence.due.to_string(),
                amount: proposal.intent.movement().map(|movement| movement.amount.into()),
                proposal: proposal.id.to_string(),
                status: proposal.status.word().to_owned(),
            })
            .collect(),
        next: next.take(NEXT_MAX).map(|due| due.at.to_string()).collect(),
    }
}

fn one_link(state: &State, treasury: &Treasury, planner: &Planner<'_>, link: &TierLink) -> LinkView {
    let now = state.now();
    let plan = planner.plan(state, link, now);
    let (keeps, kept, bound, target, has) = match link.keeps {
        Keeps::Filled { floor, target } => {
            ("filled", &link.to, floor, target, tiers::expected(state, &link.to, link.asset))
        }
        Keeps::Swept { ceiling, target } => {
            ("swept", &link.from, ceiling, target, tiers::unpromised(state, &link.from, link.asset))
        }
    };
    let waits_for = if plan.amount.is_zero() {
        Vec::new()
    } else {
        tiers::against(treasury, state, link, plan.amount).iter().map(ToString::to_string).collect()
    };
    LinkView {
        name: link.name.clone(),
        from: party(treasury, &link.from),
        to: party(treasury, &link.to),
        keeps: keeps.to_owned(),
        bound: bound.into(),
        target: target.into(),
        has: has.map(Into::into),
        onward: planner.onward(state, kept, link.asset).into(),
        can_give: planner.spare(state, &link.from, link.asset).map(Into::into),
        moved: tiers::moved(state, link, now).into(),
        period_max: link.period_max.into(),
        period_seconds: link.period_seconds,
        moves: plan.amount.into(),
        by: plan.by.to_string(),
        waits_for,
    }
}

fn one_account(
    state: &State,
    treasury: &Treasury,
    address: &AccountId,
    declared: &AccountConfig,
) -> AccountView {
    let seen = state.accounts.get(address);
    let root = seen.and_then(|seen| seen.root);
    let list = seen.and_then(|seen| seen.signer_list.as_ref());
    let tickets = seen.map_or(0, |seen| seen.tickets.len());
    let free = state.free_tickets(address).count();
    let settings_drift = settings_drift(treasury, state, address);
    AccountView {
        name: declared.name.clone(),
        address: address.to_string(),
        tier: tier_word(declared.tier).to_owned(),
        signing: match declared.signing {
            Signing::Multi => "multi".to_owned(),
            Signing::Single => "single".to_owned(),
        },
        on_ledger: root.is_some(),
        balance_drops: state.balance(address).to_string(),
        leaving: state.book.all_leaving(address).into_iter().map(Into::into).collect(),
        sequence: root.map(|root| root.sequence),
        tickets_free: free,
        tickets_taken: tickets.saturating_sub(free),
        signer_list: list.map(|list| SignerListView {
            quorum: list.quorum.0,
            entries: list
                .entries
                .iter()
                .map(|(signer, weight)| SignerEntryView {
                    signer: party(treasury, signer),
                    weight: *weight,
                    agent: treasury.agents.contains(signer),
                })
                .collect(),
        }),
        signer_list_as_declared: declared
            .signers
            .as_ref()
            .map(|_| seen.is_some() && drift(treasury, state, address).is_none()),
        stops: [Subject::Account(*address), Subject::Everything]
            .iter()
            .flat_map(|subject| state.stops.on(subject))
            .map(|standing| stop(treasury, standing))
            .collect(),
        trust_lines: seen.and_then(|seen| seen.trust_lines.as_ref()).map(|lines| {
            lines.iter().filter_map(|(asset, line)| trust_line(treasury, *asset, line)).collect()
        }),
        settings_as_declared: (!declared.settings.is_empty())
            .then(|| seen.is_some() && settings_drift.is_none()),
        settings_drift,
    }
}

fn trust_line(treasury: &Treasury, asset: Asset, line: &TrustLine) -> Option<TrustLineView> {
    let Asset::Issued { currency, issuer } = asset else { return None };
    let amount = |value| Amount::Issued(IssuedAmount { value, currency, issuer }).into();
    Some(TrustLineView {
        balance: amount(line.balance),
        issuer: party(treasury, &issuer),
        limit: amount(line.limit),
        frozen: line.frozen,
        deep_frozen: line.deep_frozen,
    })
}

/// A finding.
pub(super) fn finding(treasury: &Treasury, finding: &Finding) -> FindingView {
    FindingView {
        id: finding.id.to_string(),
        kind: finding.kind.word().to_owned(),
        severity: finding.severity.word().to_owned(),
        account: finding.account.map(|account| party(treasury, &account)),
        evidence: finding.evidence.clone(),
        at: time(&finding.at),
        acknowledged: finding.acknowledged.as_ref().map(|seen| AcknowledgedView {
            by: seen.by.clone(),
            reason: seen.reason.clone(),
            at: time(&seen.at),
        }),
        over: finding.over.as_ref().map(time),
    }
}

/// What stands, and what was lifted.
pub(super) fn stops(state: &State, treasury: &Treasury) -> StopsView {
    let mut standing: Vec<&Stop> = state.stops.all().collect();
    standing.sort_by_key(|stop| stop.id);
    let mut lifted: Vec<LiftedStopView> = state
        .stops
        .lifted()
        .map(|lifted| LiftedStopView {
            stop: stop(treasury, &lifted.stop),
            by: lifted.by.clone(),
            reason: lifted.reason.clone(),
            at: time(&lifted.at),
        })
        .collect();
    lifted.reverse();
    StopsView { standing: standing.into_iter().map(|standing| stop(treasury, standing)).collect(), lifted }
}

/// A stop.
pub(super) fn stop(treasury: &Treasury, stop: &Stop) -> StopView {
    let account = match &stop.subject {
        Subject::Account(account) | Subject::Destination(account) => Some(party(treasury, account)),
        _ => None,
    };
    StopView {
        id: stop.id.to_string(),
        kind: stop.kind.word().to_owned(),
        subject: stop.subject.to_string(),
        account,
        by: stop.source.to_string(),
        origin: stop.origin.map(origin),
        reason: stop.reason.clone(),
        since: time(&stop.at),
    }
}

/// The word for a way.
pub(super) fn origin(origin: Origin) -> String {
    origin.word().to_owned()
}

pub(super) fn party(treasury: &Treasury, account: &AccountId) -> PartyView {
    PartyView { address: account.to_string(), name: treasury.name_of(account).map(str::to_owned) }
}

pub(super) fn ledger(point: LedgerPoint) -> LedgerView {
    LedgerView {
        index: point.index.0,
        hash: point.hash.to_string(),
        close_time: point.close_time.to_string(),
    }
}

/// Close time of a ledger, ISO 8601.
pub(super) fn time(at: &LedgerPoint) -> String {
    at.close_time.to_string()
}

pub(super) fn slot(slot: SeqProxy) -> String {
    match slot {
        SeqProxy::Sequence(number) => format!("Sequence {number}"),
        SeqProxy::Ticket(number) => format!("Ticket {number}"),
    }
}

/// Whether a proposal's status has room for more to happen.
pub(super) fn ended(status: &Status) -> bool {
    status.is_final()
}

pub(super) fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Cold => "cold",
        Tier::Warm => "warm",
        Tier::Hot => "hot",
        Tier::Board => "board",
        Tier::Runner => "runner",
    }
}
