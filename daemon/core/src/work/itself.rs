//! What is found of the daemon itself: its clock, that it does not see, who is turned away at its door, and rules that tell
//! nobody.

use crate::model::config::{FindingKind, Severity, Treasury};
use crate::model::input::RefusedLogins;
use crate::model::observe::LedgerPoint;
use crate::model::units::RippleTime;
use crate::rules::clock::{self, Skew};
use crate::work::anomaly::{find_of_all, is_found};
use crate::work::cx::{Cx, Skewed};

/// A clock that is apart by so many seconds less than before is none that is wrong: ledgers of long ago are taken in, one
/// after another.
const SHRINKS_SECONDS: u32 = 30;

/// So many origins of refused logins are named.
const NAMED_MAX: usize = 5;

/// Wall time goes on. A daemon that has never seen a ledger has nothing to be found.
pub(crate) fn tick(cx: &mut Cx<'_>, wall_ms: u64, utc: RippleTime, is_silent: bool) {
    let Some(newest) = cx.state.ledger else { return };
    silenced(cx);
    skewed(cx, newest, wall_ms, utc, is_silent);
    blind(cx, wall_ms);
}

/// The host's clock beside the ledger's: found once, when it has been apart for a while.
fn skewed(cx: &mut Cx<'_>, newest: LedgerPoint, wall_ms: u64, utc: RippleTime, is_silent: bool) {
    let known = cx.runtime.skewed.take();
    // A ledger that stands still becomes old by every clock.
    let seen =
        clock::skew(cx.config, newest, utc).filter(|skew| matches!(skew, Skew::Behind(_)) || !is_silent);
    let Some(skew) = seen else { return };
    let goes_on = |known: &Skewed| {
        let same = matches!(known.skew, Skew::Behind(_)) == matches!(skew, Skew::Behind(_));
        same && skew.seconds().saturating_add(SHRINKS_SECONDS) >= known.skew.seconds()
    };
    let begins = Skewed { since_ms: wall_ms, since: utc, skew, found: false };
    let run = known.filter(goes_on).unwrap_or(begins);
    let lasts = u64::from(cx.config.alarms.clock.lasting_seconds).saturating_mul(1_000);
    let is_due = !run.found && wall_ms.saturating_sub(run.since_ms) >= lasts;
    cx.runtime.skewed = Some(Skewed { found: run.found || is_due, ..run });
    if is_due {
        let evidence = format!(
            "the host's clock says {utc} and is {skew} ledger {}, which closed at {}; it has been apart since {} by itself",
            newest.index, newest.close_time, run.since
        );
        find_of_all(cx, FindingKind::ClockSkew, evidence);
    }
}

/// How it is told since when nothing is seen: by which it is known that it was found.
fn since(from: LedgerPoint) -> String {
    format!("the validated ledger was not seen from ledger {}, closed at {},", from.index, from.close_time)
}

/// Nothing has been seen for long: found while it lasts, once.
fn blind(cx: &mut Cx<'_>, wall_ms: u64) {
    if cx.state.sees() {
        cx.runtime.blind = None;
        return;
    }
    let (since_ms, found) = *cx.runtime.blind.get_or_insert((wall_ms, false));
    let seconds = wall_ms.saturating_sub(since_ms) / 1_000;
    if found || seconds <= u64::from(cx.config.alarms.blind_seconds) {
        return;
    }
    cx.runtime.blind = Some((since_ms, true));
    let begins = since(cx.state.blind_since.unwrap_or_else(|| cx.point()));
    if !is_found(cx, FindingKind::Blind, &begins) {
        let evidence =
            format!("{begins} on, for more than {seconds} s by now; nothing is signed, sent or released");
        find_of_all(cx, FindingKind::Blind, evidence);
    }
}

/// Everything is seen again: what was not for long, and was not found meanwhile, because the daemon did not run or ledger time
/// went faster, is found now.
pub(crate) fn sees_again(cx: &mut Cx<'_>, from: Option<LedgerPoint>) {
    let found = cx.runtime.blind.take().is_some_and(|(_, found)| found);
    let (Some(from), to) = (from.filter(|_| !found), cx.point()) else { return };
    let seconds = to.close_time.0.saturating_sub(from.close_time.0);
    let begins = since(from);
    if seconds > cx.config.alarms.blind_seconds && !is_found(cx, FindingKind::Blind, &begins) {
        let evidence = format!(
            "{begins} to ledger {}, closed at {}: for {seconds} s by the ledger's clock",
            to.index, to.close_time
        );
        find_of_all(cx, FindingKind::Blind, evidence);
    }
}

/// Logins that were refused at the edge, which counts them and tells of them once in a while.
pub(crate) fn logins_refused(cx: &mut Cx<'_>, mut refused: Vec<RefusedLogins>, seconds: u32) {
    refused.retain(|origin| origin.times > cx.config.alarms.failed_logins.above);
    refused.sort_by_key(|origin| std::cmp::Reverse(origin.times));
    if refused.is_empty() || cx.state.ledger.is_none() {
        return;
    }
    let named = refused.iter().take(NAMED_MAX).map(|origin| match &origin.person {
        Some(person) => format!("{} of {person} from {}", origin.times, origin.from),
        None => format!("{} from {}", origin.times, origin.from),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let others = match refused.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        others => format!(", and {others} origins more"),
    };
    let evidence = format!("refused logins and tokens within {seconds} s: {named}{others}");
    find_of_all(cx, FindingKind::FailedLogins, evidence);
}

/// Rules that are switched off, or tell nobody, though they would by themselves: found when it comes to be so.
fn silenced(cx: &mut Cx<'_>) {
    let now = which_are_silent(cx.config);
    let Some(known) = cx.runtime.silenced.replace(now.clone()) else {
        // What an earlier process has found is not found anew by each start.
        let last = cx.state.findings.values().rev().find(|finding| finding.kind == FindingKind::RuleSilenced);
        let evidence = evidence_of(&now);
        if !now.is_empty() && last.is_none_or(|last| last.evidence != evidence) {
            find_of_all(cx, FindingKind::RuleSilenced, evidence);
        }
        return;
    };
    if now.iter().any(|rule| !known.contains(rule)) {
        find_of_all(cx, FindingKind::RuleSilenced, evidence_of(&now));
    }
}

fn evidence_of(silent: &[String]) -> String {
    format!("told to nobody by the configuration: {}", silent.join(", "))
}

fn which_are_silent(config: &Treasury) -> Vec<String> {
    let quiet = FindingKind::ALL
        .into_iter()
        .filter(|kind| kind.default_severity() > Severity::Log && config.severity(*kind) == Severity::Log);
    let mut silent: Vec<String> = quiet.map(|kind| format!("{} (severity log)", kind.word())).collect();
    // Of the signs of which something is found it alone is looked for where nothing is declared.
    if config.policy.risk().unusual_amount.is_none() {
        silent.push("unusual_amount (not looked for)".to_owned());
    }
    silent
}
