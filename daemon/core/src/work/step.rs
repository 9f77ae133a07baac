//! One step: an input becomes events and effects.
//!
//! A decision often makes the next one possible (an approval completes a quorum, the quorum allows a
//! submission), so the step applies each event as it emits it and goes on from the new state. The caller
//! makes all events of the step durable in one append before it releases any effect; if that append
//! fails, the process stops, and nobody has seen the state that was ahead of the disk.

use crate::work::cx::{Cx, Output, Runtime};
use std::collections::BTreeSet;

use crate::model::apply::ApplyError;
use crate::model::config::Treasury;
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::input::Input;
use crate::model::observe::{AccountSnapshot, Change, LedgerObservation, LedgerPoint};
use crate::model::state::{Sight, State};
use crate::model::units::{AccountId, RippleTime};
use crate::work::guard;
use crate::work::{
    anomaly, charter, drill, fallen, flow, guarded, itself, people, recognise, reconcile, retire, runway,
    schedule, signing, submission, ticket, tier,
};

/// Takes one input to its consequences. `state` is changed by exactly the events that are returned.
///
/// # Errors
/// Where an event does not fit the state: a defect. The state must not be used any further; the process
/// has to stop and start again from what is durable.
pub fn step(
    config: &Treasury,
    state: &mut State,
    runtime: &mut Runtime,
    input: Input,
) -> Result<Output, ApplyError> {
    let mut cx = Cx::new(config, state, runtime);
    // A process that has just started has seen nothing, whatever the last one saw before it ended.
    if cx.runtime.ledger_wall_ms.is_none() && cx.state.sees() {
        lose_sight(&mut cx, "starting".to_owned());
    }
    // Without sight every account is read anew, and looked at then.
    if cx.state.sees() && std::mem::take(&mut cx.runtime.declared_anew) {
        anomaly::declared_anew(&mut cx);
    }
    match input {
        Input::Command { request, actor, command, archived, asked } => {
            cx.archived = archived;
            let answer = people::command(&mut cx, &actor, command);
            if let Some(asked) = asked.filter(|_| answer.is_ok()) {
                cx.taken(*asked);
            }
            cx.effect(Effect::Answer { request, answer });
        }
        Input::Ledger { observation, wall_ms } => take_ledger(&mut cx, observation, wall_ms),
        Input::Reconciled { at, accounts, from, wall_ms } => {
            take_accounts(&mut cx, at, accounts, &from, wall_ms);
        }
        Input::SightLost { reason } => lose_sight(&mut cx, reason),
        Input::HistoryMissing { reason, .. } => {
            lose_sight(&mut cx, reason.clone());
            anomaly::history_missing(&mut cx, &reason);
        }
        Input::ConditionDerived { proposal, party, derived } => {
            flow::condition_derived(&mut cx, proposal, party, derived);
        }
        Input::FulfillmentDerived { proposal, party, opening } => {
            signing::fulfillment_derived(&mut cx, proposal, party, opening);
        }
        Input::GuardRefused { proposal, refusal } => guarded::refused(&mut cx, proposal, refusal),
        Input::EscrowDerived { inputs, derived } => recognise::derived(&mut cx, &inputs, &derived),
        Input::AgentSigned { proposal, signatures, failed } => {
            signing::agents_signed(&mut cx, proposal, signatures, failed);
        }
        Input::SingleSigned { proposal, blobs } => signing::single_signed(&mut cx, proposal, &blobs.0),
        Input::SignFailed { proposal, reason } => signing::sign_failed(&mut cx, proposal, &reason),
        Input::SubmitAnswered { proposal, tx_id, reply } => {
            submission::answered(&mut cx, proposal, tx_id, &reply);
        }
        Input::Tick { wall_ms, utc } => tick(&mut cx, wall_ms, utc),
        Input::LoginsRefused { refused, seconds } => itself::logins_refused(&mut cx, refused, seconds),
        Input::Configured { table } => charter::configured(&mut cx, *table),
        Input::OpenLedgerFee { fee } => cx.runtime.open_ledger_fee = Some(fee),
    }
    cx.finish()
}

fn take_ledger(cx: &mut Cx<'_>, observation: LedgerObservation, wall_ms: u64) {
    if let Some(cursor) = cx.state.ledger {
        // The port hands ledgers over in order. The same one again is nothing new; anything else means
        // that something in between was not seen.
        if observation.point.index <= cursor.index {
            if observation.point.index == cursor.index && observation.point.hash != cursor.hash {
                lose_sight(cx, format!("two validated ledgers {}", cursor.index));
            }
            return;
        }
        if observation.point.index != cursor.index.plus(1) || observation.parent_hash != cursor.hash {
            lose_sight(
                cx,
                format!("ledger {} does not follow ledger {}", observation.point.index, cursor.index),
            );
            return;
        }
    }
    reconcile::let_go(cx);
    cx.runtime.ledger_wall_ms = Some(wall_ms);
    cx.runtime.stale = false;
    let observation = observation
        .of_accounts(|account| cx.config.accounts.contains_key(account))
        .without_known(|account| cx.state.accounts.get(account)?.settings.as_ref());
    let taken_away = anomaly::finished_by_others(cx, &observation);
    let before = anomaly::before_ledger(cx, &observation);
    let fallen = fallen::before_ledger(cx, &observation);
    let created = |change: &Change| matches!(change, Change::EscrowCreated { .. });
    let taken = observation.changes.iter().any(created).then(|| utc(cx, wall_ms)).flatten();
    cx.emit(Event::LedgerTaken { observation: observation.clone(), taken });
    if let Some(reason) = too_old(cx, wall_ms).filter(|_| cx.state.sees()) {
        lose_sight(cx, reason);
    }
    if observation.unproven && cx.state.sees() {
        let reason =
            "one server's word is all there is on what ledgers of a gap held; every account is read anew";
        lose_sight(cx, reason.to_owned());
    }
    submission::settle(cx, &observation.transactions);
    fallen::tell(cx, fallen);
    anomaly::fulfilled_elsewhere(cx, taken_away);
    anomaly::after_ledger(cx, &observation);
    anomaly::since(cx, before);
    anomaly::opaque(cx, &observation.opaque);
    flow::expire(cx);
    flow::expire_drafts(cx);
    reconcile::ask_for_unknown(cx);
    drive(cx);
    retire::drive(cx);
}

fn take_accounts(cx: &mut Cx<'_>, at: LedgerPoint, accounts: Vec<AccountSnapshot>, from: &str, wall_ms: u64) {
    reconcile::let_go(cx);
    let read: BTreeSet<AccountId> = accounts.iter().map(|account| account.account).collect();
    cx.runtime.reading.retain(|account| !read.contains(account));
    cx.runtime.reading_all = false;
    if cx.state.ledger.is_none() {
        // The first ledger of all is a new one.
        cx.runtime.stale = false;
    }
    if cx.state.ledger.is_some_and(|cursor| cursor != at) {
        // Read at another ledger than the cursor's: it says nothing about now. It will be asked again.
        reconcile::ask_for_unknown(cx);
        return;
    }
    let taken = utc(cx, wall_ms);
    let differing = reconcile::compare(cx, at, accounts, from, taken);
    if let Some(reason) = differing {
        // What is proven outranks what one server says; but one of the two is wrong, and until another server
        // has been asked nothing may rest on either.
        lose_sight(cx, reason);
        flow::expire(cx);
        return;
    }
    // And after a loss only when a new ledger has come, and not long ago: one that stands still can be read
    // over and over, and the clock of silence goes by ledgers, not by readings. The age is asked after a start,
    // too, when no ledger has come yet.
    let fresh = !cx.runtime.stale && !is_silent(cx, wall_ms) && is_young(cx, wall_ms);
    // Sight comes back only with the whole: a single account read anew says nothing about the others.
    if fresh && cx.config.watched().is_subset(&read) {
        cx.runtime.ledger_wall_ms.get_or_insert(wall_ms);
        if !cx.state.sees() {
            cx.runtime.lists.extend(&read);
            let blind_since = cx.state.blind_since;
            cx.emit(Event::SightChanged { sight: Sight::Clear });
            itself::sees_again(cx, blind_since);
        }
    }
    anomaly::signer_list_drift(cx, &read, false);
    anomaly::standing_of(cx, &read);
    if fresh {
        reconcile::ask_for_unknown(cx);
    }
    flow::expire(cx);
    drive(cx);
}

/// What follows from the state as it is now, in the order that keeps money safe: first what is under
/// way, then escrows (whose windows close), then what people wait for, then the daemon's own errands.
fn drive(cx: &mut Cx<'_>) {
    if !cx.state.sees() {
        return;
    }
    submission::drive(cx);
    recognise::drive(cx);
    guard::drive(cx);
    flow::drive(cx);
    ticket::refill(cx);
    schedule::drive(cx);
    tier::drive(cx);
    runway::drive(cx);
    drill::drive(cx);
}

fn lose_sight(cx: &mut Cx<'_>, reason: String) {
    // What was asked of the port may have gone with the sight; it is asked anew.
    cx.runtime.reading.clear();
    cx.runtime.reading_all = false;
    // A process that has taken nothing in yet can lose nothing that it has seen.
    cx.runtime.stale |= cx.runtime.ledger_wall_ms.is_some();
    let lost = Sight::Lost(reason);
    if cx.state.sees() {
        cx.effect(Effect::Recall);
    }
    if cx.state.sight != lost {
        cx.emit(Event::SightChanged { sight: lost });
    }
}

fn tick(cx: &mut Cx<'_>, wall_ms: u64, utc: RippleTime) {
    cx.runtime.utc = Some((utc, wall_ms));
    let silent = is_silent(cx, wall_ms);
    itself::tick(cx, wall_ms, utc, silent || cx.runtime.ledger_wall_ms.is_none());
    if !cx.state.sees() {
        return;
    }
    if is_silent(cx, wall_ms) {
        lose_sight(cx, format!("no validated ledger for {} s", cx.config.timing.silence_max_seconds));
    } else if let Some(reason) = too_old(cx, wall_ms) {
        lose_sight(cx, reason);
    }
}

/// Whether the last validated ledger came too long ago.
fn is_silent(cx: &Cx<'_>, wall_ms: u64) -> bool {
    let limit = u64::from(cx.config.timing.silence_max_seconds).saturating_mul(1_000);
    cx.runtime.ledger_wall_ms.is_some_and(|last| wall_ms.saturating_sub(last) > limit)
}

/// UTC at this wall time; `None` as long as the host has not told it, and where the ledger keeps a time of its own.
fn utc(cx: &Cx<'_>, wall_ms: u64) -> Option<RippleTime> {
    cx.config.timing.ledger_age_max_seconds?;
    let (utc, told_ms) = cx.runtime.utc?;
    let since = u32::try_from(wall_ms.saturating_sub(told_ms) / 1_000).unwrap_or(u32::MAX);
    Some(RippleTime(utc.0.saturating_add(since)))
}

/// Says that the newest validated ledger is too old against UTC: ledgers come, and what they tell is of long ago.
fn too_old(cx: &Cx<'_>, wall_ms: u64) -> Option<String> {
    let limit = cx.config.timing.ledger_age_max_seconds?;
    let age = utc(cx, wall_ms)?.0.saturating_sub(cx.state.ledger?.close_time.0);
    (age > limit).then(|| {
        format!(
            "the newest validated ledger closed {age} s ago by this host's clock; at most {limit} s are taken"
        )
    })
}

/// Whether the newest validated ledger is known to be of now.
fn is_young(cx: &Cx<'_>, wall_ms: u64) -> bool {
    let asked = cx.config.timing.ledger_age_max_seconds.is_some();
    !asked || (utc(cx, wall_ms).is_some() && too_old(cx, wall_ms).is_none())
}
