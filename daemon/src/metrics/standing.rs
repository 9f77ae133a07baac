//! What stands now and wants somebody: gauges, because what is found while the daemon catches up after a start makes no
//! counter rise under anybody's eyes.

use prometheus::{IntGauge, Registry};
use treasury_core::Treasury;
use treasury_core::escrow::due;
use treasury_core::proposal::Status;
use treasury_core::state::State;
use treasury_core::stops::StopSource;

use super::{
    DEADLINES_NEAR, FINDINGS_UNSEEN, RUNNER_SPENDABLE, SIGNERS_UNABLE, STOPS_OF_FINDINGS, WINDOWS_CLOSING,
    clamp, count, gauge,
};

/// How long before its end something is near it: time for people to be woken and to act.
const NEAR_SECONDS: u32 = 3_600;

#[derive(Debug)]
pub(super) struct Standing {
    stops_of_findings: IntGauge,
    findings_unseen: IntGauge,
    signers_unable: IntGauge,
    runner_spendable: IntGauge,
    windows_closing: IntGauge,
    deadlines_near: IntGauge,
}

impl Standing {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            stops_of_findings: gauge(registry, STOPS_OF_FINDINGS)?,
            findings_unseen: gauge(registry, FINDINGS_UNSEEN)?,
            signers_unable: gauge(registry, SIGNERS_UNABLE)?,
            runner_spendable: gauge(registry, RUNNER_SPENDABLE)?,
            windows_closing: gauge(registry, WINDOWS_CLOSING)?,
            deadlines_near: gauge(registry, DEADLINES_NEAR)?,
        })
    }

    pub(super) fn show(&self, treasury: &Treasury, state: &State) {
        let of_finding = |source: &StopSource| matches!(source, StopSource::Finding(_));
        self.stops_of_findings.set(count(state.stops.all().filter(|stop| of_finding(&stop.source)).count()));
        let unseen = state.findings.values().filter(|finding| finding.acknowledged.is_none());
        self.findings_unseen.set(count(unseen.count()));
        self.signers_unable.set(count(state.unable.len()));
        self.runner_spendable.set(runner_spendable(treasury, state));
        self.windows_closing.set(count(windows_closing(state)));
        self.deadlines_near.set(count(deadlines_near(state)));
    }
}

fn runner_spendable(treasury: &Treasury, state: &State) -> i64 {
    let root = treasury.runner.and_then(|runner| state.accounts.get(&runner)).and_then(|seen| seen.root);
    let (Some(root), Some(fees)) = (root, state.fees) else { return 0 };
    let owned = fees.reserve_inc.get().saturating_mul(u64::from(root.owner_count));
    clamp(root.balance.get().saturating_sub(fees.reserve_base.get().saturating_add(owned)))
}

fn windows_closing(state: &State) -> usize {
    let now = state.now().0;
    let closing = |key| {
        let Some(escrow) = state.escrows.get(key) else { return false };
        let is_open = due(state, key).is_some_and(|end| end.released_escrow().is_some());
        let near = escrow
            .view
            .cancel_after
            .is_some_and(|after| after.0 > now && after.0.saturating_sub(now) < NEAR_SECONDS);
        is_open && near
    };
    state.standing.iter().filter(|key| closing(key)).count()
}

fn deadlines_near(state: &State) -> usize {
    let now = state.now().0;
    let open = state.open.iter().filter_map(|id| state.proposals.get(id));
    let waiting = open.filter(|proposal| proposal.status == Status::Collecting);
    let plans = waiting.filter_map(|proposal| proposal.plan.as_ref());
    plans.filter(|plan| plan.deadline.0 > now && plan.deadline.0.saturating_sub(now) < NEAR_SECONDS).count()
}
