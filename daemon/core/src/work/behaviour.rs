//! What is unusual in what people do: in what they ask for, in what others say to it, in how they sign; and in how long what
//! follows takes.

use crate::model::config::{Burst, FindingKind, Severity};
use crate::model::intent::{Asker, IntentKind};
use crate::model::risk::Sign;
use crate::model::state::Guard;
use crate::model::stops::Subject;
use crate::model::units::{AccountId, EscrowKey, ProposalId, RippleTime};
use crate::rules::decide::Question;
use crate::rules::escrow::is_revealed;
use crate::work::anomaly::{find_about, is_found};
use crate::work::cx::Cx;

/// Payments that people asked for are looked at before anything is made of them: what is found with the severity `hold` is
/// held from the beginning.
pub(crate) fn drafted(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    // The daemon drafts no payments of its own.
    if proposal.intent.kind() != IntentKind::Pay || proposal.status.is_final() {
        return;
    }
    let account = proposal.account;
    let question = Question::of_proposal(cx.config, cx.state, proposal);
    let seen: Vec<_> =
        question.assess().seen.iter().filter_map(|seen| Some((kind(seen.sign)?, seen))).collect();
    let found: Vec<(FindingKind, String)> =
        seen.into_iter().map(|(kind, seen)| (kind, format!("{id}: {}", seen.evidence))).collect();
    let period = cx.config.policy.risk().velocity.map_or(0, |velocity| velocity.period_seconds);
    for (kind, evidence) in found {
        // The payments of a busy hour are found once, unless each is to be stopped.
        let is_stopped = matches!(cx.config.severity(kind), Severity::Hold | Severity::Freeze);
        if kind == FindingKind::Velocity && !is_stopped && was_found_within(cx, kind, account, period) {
            continue;
        }
        find_about(cx, kind, account, Subject::Proposal(id), evidence);
    }
}

/// What is found of a payment with this sign. A new destination, an odd time and somebody new are each nothing to wake
/// people for: they weigh in the score.
fn kind(sign: Sign) -> Option<FindingKind> {
    match sign {
        Sign::UnusualAmount => Some(FindingKind::UnusualAmount),
        Sign::LargeToNew => Some(FindingKind::LargeToNew),
        Sign::Velocity => Some(FindingKind::Velocity),
        Sign::Listed => Some(FindingKind::ListedDestination),
        Sign::NewDestination
        | Sign::OddTime
        | Sign::NewAsker
        | Sign::Unfunded
        | Sign::OddSettings
        | Sign::Young
        | Sign::Poor
        | Sign::Unread
        | Sign::FirstAsset
        | Sign::Screened => None,
    }
}

fn was_found_within(cx: &Cx<'_>, kind: FindingKind, account: AccountId, period_seconds: u32) -> bool {
    let mut found = cx.state.findings.values().rev();
    let last = found.find(|finding| finding.kind == kind && finding.account == Some(account));
    last.is_some_and(|last| last.at.close_time.0.saturating_add(period_seconds) > cx.now().0)
}

/// Somebody has rejected a proposal.
pub(crate) fn rejected(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Asker::Person(asker) = proposal.asker.clone() else { return };
    let (kind, account, burst) = (FindingKind::ManyRejections, proposal.account, cx.config.alarms.rejections);
    if let Some(times) = again(cx, kind, &asker, burst) {
        let evidence = format!(
            "what {asker} asked for was rejected {times} times within {} s, the last time {id}",
            burst.period_seconds
        );
        find_about(cx, kind, account, Subject::Account(account), evidence);
    }
}

/// A signature of this person was refused.
pub(crate) fn signature_refused(cx: &mut Cx<'_>, person: &str, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let (kind, account) = (FindingKind::SignaturesRefused, proposal.account);
    let burst = cx.config.alarms.refused_signatures;
    if let Some(times) = again(cx, kind, person, burst) {
        let evidence = format!(
            "{times} signatures of {person} were refused within {} s, the last one for {id}",
            burst.period_seconds
        );
        find_about(cx, kind, account, Subject::Account(account), evidence);
    }
}

/// An escrow's fulfillment may have left: where it is not validated after a while, it is said once. It is pressed until the
/// window closes, and whoever has seen it can send it as well.
pub(crate) fn still_revealed(cx: &mut Cx<'_>, key: &EscrowKey) {
    let Some(tracked) = cx.state.escrows.get(key) else { return };
    let Guard::Releasing { revealed_at, .. } = tracked.guard else { return };
    let seconds = cx.now().0.saturating_sub(revealed_at.close_time.0);
    if seconds <= cx.config.alarms.reveal_seconds || !is_revealed(cx.state, tracked) {
        return;
    }
    let name = format!("escrow {key}:");
    let kind = FindingKind::RevealPending;
    if is_found(cx, kind, &name) {
        return;
    }
    let closes = tracked.view.cancel_after;
    let closes = closes.map_or("for ever".to_owned(), |closes| format!("until {closes}"));
    let evidence = format!(
        "{name} its fulfillment left at {}, and no validated ledger has its EscrowFinish; it can be finished {closes}",
        revealed_at.close_time
    );
    find_about(cx, kind, key.owner, Subject::Escrow(*key), evidence);
}

/// Counts one more; answers with how many there were where that is many and was not found within the same time: who goes
/// on for ever must not fill the log.
fn again(cx: &mut Cx<'_>, kind: FindingKind, person: &str, burst: Burst) -> Option<usize> {
    let now = cx.now();
    let is_within = |at: RippleTime| at.0.saturating_add(burst.period_seconds) > now.0;
    let seen = cx.runtime.bursts.entry((kind, person.to_owned())).or_default();
    if seen.found.is_some_and(is_within) {
        return None;
    }
    seen.times.push_back(now);
    seen.times.retain(|at| is_within(*at));
    let many = u32::try_from(seen.times.len()).is_ok_and(|times| times > burst.above);
    many.then(|| {
        seen.found = Some(now);
        std::mem::take(&mut seen.times).len()
    })
}
