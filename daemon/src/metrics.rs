//! Every Prometheus name, once. docs/reference/metrics.md is generated from the table here, and the
//! dashboards may use no name that is not in it.

mod accounts;
mod audit;
mod deliveries;
mod links;
mod make;
mod process;
mod runway;
mod shadow;
mod standing;
mod words;

use std::fmt::Write as _;
use std::time::Duration;

use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
    TextEncoder,
};
use treasury_core::config::FindingKind;
use treasury_core::failure::{self, FailureClass};
use treasury_core::input::{Input, SubmitReply};
use treasury_core::proposal::Status;
use treasury_core::state::State;
use treasury_core::stops::{Stop, StopKind};
use treasury_core::{Event, Treasury};
use xrpl_wire::TxResult;

use accounts::{ACCOUNTS_SHOWN, Accounts, OTHERS};
use audit::{AUDIT_FAULT, AuditLog};
use deliveries::{
    DELIVERIES, DELIVERIES_DEAD, DELIVERIES_OWED, DELIVERIES_WAITING, Deliveries, NOTICES_LOOKED,
    NOTICES_STUCK, NOTICES_UNANSWERED, RECORDS_UNTOLD, STREAMS,
};
use links::{LINK_BOUND, LINK_HAS, LINK_MOVED, LINK_MOVED_MAX, LINK_MOVES, LINK_TARGET, Links};
use make::{clamp, count, counters, float_gauges, gauge, gauges, register};
use process::{MEMORY, OPEN_FILES, Process, STARTED, THREADS};
use runway::{RUNWAY, Runways, USUAL, USUAL_TOKENS};
use shadow::{SHADOW, Shadows};
use standing::Standing;
use words::input_word;
pub use words::{GUARD_WORDS, guard_word};

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up while the process lives.
    Counter,
    /// Counts of observations by size.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says, with unit and range.
    pub help: &'static str,
}

impl Metric {
    const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, labels, help }
    }

    const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, labels, help }
    }
}

const BUILD: Metric =
    Metric::gauge("treasuryd_build_info", &["version"], "Always 1; the label says which version runs.");
const LEDGER_INDEX: Metric = Metric::gauge(
    "treasuryd_ledger_index",
    &[],
    "Index of the last validated ledger taken in; 0 before the first.",
);
const LEDGER_AGE: Metric = Metric::gauge(
    "treasuryd_ledger_age_seconds",
    &[],
    "Seconds since the last validated ledger was taken in, by the daemon's own clock; since its start before the first.",
);
const SIGHT: Metric = Metric::gauge(
    "treasuryd_sight",
    &[],
    "1 while the validated ledger can be seen and vouched for, otherwise 0: nothing is signed, submitted or released then.",
);
const HISTORY_MISSING: Metric = Metric::gauge(
    "treasuryd_history_missing_ledgers",
    &[],
    "Validated ledgers in a row that were not taken in and that no endpoint has; 0 while there is no such hole. Sight is lost until one has them.",
);
const LEFT_OUT: Metric = Metric::gauge(
    "treasuryd_endpoint_left_out",
    &["endpoint"],
    "1 while a ledger server has no voice and is asked for nothing because it said what the others contradict, otherwise 0. The log says what; it is used again once it has agreed for a while.",
);
const BALANCE: Metric = Metric::gauge(
    "treasuryd_account_balance_drops",
    &["account"],
    "XRP balance of a treasury account, in drops.",
);
const TICKETS_FREE: Metric = Metric::gauge(
    "treasuryd_tickets_free",
    &["account"],
    "Tickets of a multi-signed treasury account that no proposal has taken.",
);
const PROPOSALS: Metric =
    Metric::gauge("treasuryd_proposals", &["status"], "Proposals by status, those that ended included.");
const OPEN_DROPS: Metric = Metric::gauge(
    "treasuryd_proposals_open_drops",
    &["account"],
    "Drops that proposals may still take out of a treasury account: open ones, and ended ones that somebody may hold signatures over.",
);
const ESCROWS: Metric = Metric::gauge(
    "treasuryd_escrows",
    &["guard"],
    "Escrows of treasury accounts by where they stand; `withheld` is locked with a stop on something that it touches. Those that ended are shown for a day or so.",
);
const ESCROW_DROPS: Metric = Metric::gauge(
    "treasuryd_escrow_drops",
    &["guard"],
    "Drops in the escrows of treasury accounts that still stand on the ledger.",
);
const ESCROW_TOKENS: Metric = Metric::gauge(
    "treasuryd_escrow_tokens",
    &["guard", "asset"],
    "Issued currency, or units of a multi-purpose token, in the escrows of treasury accounts that still stand on the ledger.",
);
const HOLDS: Metric = Metric::gauge("treasuryd_holds", &[], "Holds that stand.");
const FROZEN: Metric =
    Metric::gauge("treasuryd_frozen", &[], "Freezes that stand; one on everything counts as one.");
const BREAKER_OPEN: Metric = Metric::gauge(
    "treasuryd_breaker_open",
    &[],
    "Circuit breakers that stop automated submissions; there is one for each account and cause.",
);
const BREAKER_FAILURES: Metric = Metric::gauge(
    "treasuryd_breaker_failures",
    &[],
    "Submissions in a row that failed, by the circuit breaker that counts most.",
);
const FINDINGS: Metric = Metric::counter(
    "treasuryd_findings_total",
    &["kind"],
    "Findings of anomaly rules in the whole store, so a restart loses none.",
);
const SUBMISSIONS: Metric = Metric::counter(
    "treasuryd_submissions_total",
    &["result"],
    "Answers to submissions since the process started: the server's engine_result, `busy`, `unknown` (no reply), `not_sent` (a stop came first) or `other`. Provisional, as every such answer is.",
);
const SUBMIT_FAILURES: Metric = Metric::counter(
    "treasuryd_submit_failures_total",
    &["class"],
    "Answers to submissions that were failures, since the process started: `transient`, `permanent` or `systemic`; and validated ones that took the fee and did nothing else: `partial`.",
);
const STEPS: Metric =
    Metric::counter("treasuryd_steps_total", &["input"], "Inputs that the core was stepped with.");
const RECORDS: Metric =
    Metric::gauge("treasuryd_store_records", &[], "Number of the last record in the store.");
const APPEND: Metric = Metric {
    name: "treasuryd_append_seconds",
    kind: Kind::Histogram,
    labels: &[],
    help: "Seconds that an append to the store took until it was durable.",
};
const HTTP: Metric = Metric::counter(
    "treasuryd_http_requests_total",
    &["route", "status"],
    "HTTP requests answered, by route pattern and status code.",
);

const ROBBED: Metric = Metric::gauge(
    "treasuryd_account_robbed",
    &["account"],
    "1 while an account has lost money or a Ticket to what nobody proposed and nobody has lifted the stop since; found while catching up or now, it is the same.",
);
const DRIFT: Metric = Metric::gauge(
    "treasuryd_signer_list_drift",
    &["account"],
    "1 while an account's SignerList on the ledger is not the one that is declared; 0 where none is declared.",
);
const SETTINGS_DRIFT: Metric = Metric::gauge(
    "treasuryd_settings_drift",
    &["account"],
    "1 while flags, Domain, TransferRate or trust lines of an account on the ledger are not those that are declared of it; 0 where none are declared.",
);
const STOPS_OF_FINDINGS: Metric =
    Metric::gauge("treasuryd_stops_of_findings", &[], "Stops that findings set and that nobody has lifted.");
const FINDINGS_UNSEEN: Metric = Metric::gauge(
    "treasuryd_findings_unseen",
    &[],
    "Findings that nobody has said to have looked at; of the thousand or so that are remembered.",
);
const SIGNERS_UNABLE: Metric = Metric::gauge(
    "treasuryd_signers_unable",
    &[],
    "Signers whose keys the daemon holds and that did not sign, or were not taken by the ledger, when they were last asked.",
);
const RUNNER_SPENDABLE: Metric = Metric::gauge(
    "treasuryd_runner_spendable_drops",
    &[],
    "Drops that the runner has above its reserve, for fees of EscrowFinish and EscrowCancel; 0 without a runner.",
);
const WINDOWS_CLOSING: Metric = Metric::gauge(
    "treasuryd_escrow_windows_closing",
    &[],
    "Escrows of the daemon's own whose FinishAfter has passed, that are not released, and that can be for less than an hour more, by the ledger's clock: then their money goes back.",
);
const DEADLINES_NEAR: Metric = Metric::gauge(
    "treasuryd_proposal_deadlines_near",
    &[],
    "Proposals that wait for signatures and can be approved for less than an hour more, by the ledger's clock.",
);
const TOKENS_REFUSED: Metric = Metric::counter(
    "treasuryd_tokens_refused_total",
    &[],
    "Requests with a token that is nobody's, and logins at a provider that were refused, since the process started.",
);

/// Every metric, in the order of the reference.
pub const METRICS: [Metric; 58] = [
    BUILD,
    LEDGER_INDEX,
    LEDGER_AGE,
    SIGHT,
    HISTORY_MISSING,
    LEFT_OUT,
    BALANCE,
    TICKETS_FREE,
    PROPOSALS,
    OPEN_DROPS,
    ESCROWS,
    ESCROW_DROPS,
    ESCROW_TOKENS,
    HOLDS,
    FROZEN,
    BREAKER_OPEN,
    BREAKER_FAILURES,
    FINDINGS,
    SUBMISSIONS,
    SUBMIT_FAILURES,
    STEPS,
    RECORDS,
    APPEND,
    HTTP,
    TOKENS_REFUSED,
    ROBBED,
    DRIFT,
    SETTINGS_DRIFT,
    STOPS_OF_FINDINGS,
    FINDINGS_UNSEEN,
    SIGNERS_UNABLE,
    RUNNER_SPENDABLE,
    WINDOWS_CLOSING,
    DEADLINES_NEAR,
    LINK_BOUND,
    LINK_TARGET,
    LINK_HAS,
    LINK_MOVES,
    LINK_MOVED,
    LINK_MOVED_MAX,
    RUNWAY,
    SHADOW,
    USUAL,
    USUAL_TOKENS,
    DELIVERIES,
    DELIVERIES_WAITING,
    DELIVERIES_DEAD,
    DELIVERIES_OWED,
    NOTICES_LOOKED,
    NOTICES_STUCK,
    RECORDS_UNTOLD,
    NOTICES_UNANSWERED,
    STREAMS,
    MEMORY,
    OPEN_FILES,
    THREADS,
    STARTED,
    AUDIT_FAULT,
];

/// An append is a flush and an fdatasync: half a millisecond on a good disk. From a quarter of a second
/// on, a commit takes longer than anybody should have to wait.
const APPEND_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

/// The metrics of one daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    ledger_index: IntGauge,
    ledger_age: IntGauge,
    sight: IntGauge,
    history_missing: IntGauge,
    left_out: IntGaugeVec,
    accounts: Accounts,
    proposals: IntGaugeVec,
    escrows: IntGaugeVec,
    escrow_drops: IntGaugeVec,
    escrow_tokens: GaugeVec,
    holds: IntGauge,
    frozen: IntGauge,
    breaker_open: IntGauge,
    breaker_failures: IntGauge,
    findings: IntCounterVec,
    submissions: IntCounterVec,
    submit_failures: IntCounterVec,
    steps: IntCounterVec,
    records: IntGauge,
    append: Histogram,
    http: IntCounterVec,
    tokens_refused: IntCounter,
    standing: Standing,
    links: Links,
    runways: Runways,
    shadows: Shadows,
    process: Process,
    deliveries: Deliveries,
    audit: AuditLog,
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Where a name or label is not one that Prometheus takes, which a test rules out.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Self {
            ledger_index: gauge(&registry, LEDGER_INDEX)?,
            ledger_age: gauge(&registry, LEDGER_AGE)?,
            sight: gauge(&registry, SIGHT)?,
            history_missing: gauge(&registry, HISTORY_MISSING)?,
            left_out: gauges(&registry, LEFT_OUT)?,
            accounts: Accounts::new(&registry)?,
            proposals: gauges(&registry, PROPOSALS)?,
            escrows: gauges(&registry, ESCROWS)?,
            escrow_drops: gauges(&registry, ESCROW_DROPS)?,
            escrow_tokens: float_gauges(&registry, ESCROW_TOKENS)?,
            holds: gauge(&registry, HOLDS)?,
            frozen: gauge(&registry, FROZEN)?,
            breaker_open: gauge(&registry, BREAKER_OPEN)?,
            breaker_failures: gauge(&registry, BREAKER_FAILURES)?,
            findings: counters(&registry, FINDINGS)?,
            submissions: counters(&registry, SUBMISSIONS)?,
            submit_failures: counters(&registry, SUBMIT_FAILURES)?,
            steps: counters(&registry, STEPS)?,
            records: gauge(&registry, RECORDS)?,
            append: register(
                &registry,
                Histogram::with_opts(
                    HistogramOpts::new(APPEND.name, APPEND.help).buckets(APPEND_BUCKETS.to_vec()),
                )?,
            )?,
            http: counters(&registry, HTTP)?,
            tokens_refused: register(&registry, IntCounter::new(TOKENS_REFUSED.name, TOKENS_REFUSED.help)?)?,
            standing: Standing::new(&registry)?,
            links: Links::new(&registry)?,
            runways: Runways::new(&registry)?,
            shadows: Shadows::new(&registry)?,
            process: Process::new(&registry)?,
            deliveries: Deliveries::new(&registry)?,
            audit: AuditLog::new(&registry)?,
            registry,
        };
        gauges(&metrics.registry, BUILD)?.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        for kind in FindingKind::ALL {
            // A counter that is there before its first count is one that `rate` and alerts can see rise.
            metrics.findings.with_label_values(&[FindingKind::word(kind)]).inc_by(0);
        }
        for class in FailureClass::ALL {
            metrics.submit_failures.with_label_values(&[class.word()]).inc_by(0);
        }
        Ok(metrics)
    }

    /// An input is about to be taken.
    pub fn stepping(&self, input: &Input) {
        self.steps.with_label_values(&[input_word(input)]).inc();
        match input {
            Input::HistoryMissing { first, last, .. } => {
                let ledgers = last.0.saturating_sub(first.0).saturating_add(1);
                self.history_missing.set(i64::from(ledgers));
            }
            // Ledgers come in order: the hole is behind it.
            Input::Ledger { .. } => self.history_missing.set(0),
            _ => {}
        }
        if let Input::SubmitAnswered { reply, .. } = input {
            let word = match reply {
                // Only results that the ledger knows become labels: a server cannot make up new ones.
                SubmitReply::Engine(result) => {
                    TxResult::from_name(result).map_or("other", |known| known.name())
                }
                SubmitReply::Busy(_) => "busy",
                SubmitReply::Unknown(_) => "unknown",
                SubmitReply::NotSent => "not_sent",
            };
            self.submissions.with_label_values(&[word]).inc();
            if let Some(class) = failure::of_reply(reply) {
                self.submit_failures.with_label_values(&[class.word()]).inc();
            }
        }
    }

    /// A record became durable.
    pub fn appended(&self, number: u64, took: Duration, events: &[Event]) {
        self.append.observe(took.as_secs_f64());
        self.records.set(clamp(number));
        for event in events {
            match event {
                Event::Found { finding } => {
                    self.findings.with_label_values(&[FindingKind::word(finding.kind)]).inc();
                }
                Event::ProposalEnded { status: Status::Failed(outcome), .. } => {
                    if let Some(class) = failure::of_outcome(&outcome.result) {
                        self.submit_failures.with_label_values(&[class.word()]).inc();
                    }
                }
                _ => {}
            }
        }
    }

    /// The store was read: its last record, and what the state says of all of them.
    pub fn restored(&self, number: u64, state: &State) {
        self.records.set(clamp(number));
        for (kind, count) in &state.findings_by_kind {
            self.findings.with_label_values(&[kind.word()]).inc_by(*count);
        }
    }

    /// An HTTP request was answered.
    pub fn answered(&self, route: &str, status: u16) {
        self.http.with_label_values(&[route, &status.to_string()]).inc();
    }

    /// A token was nobody's, or somebody was turned away who logged in at a provider.
    pub fn token_refused(&self) {
        self.tokens_refused.inc();
    }

    /// Sets everything that follows from the state. `ledger_age` is the time since the last ledger.
    pub fn show(&self, treasury: &Treasury, state: &State, ledger_age: Duration) {
        self.ledger_index.set(state.ledger.map_or(0, |point| i64::from(point.index.0)));
        self.ledger_age.set(clamp(ledger_age.as_secs()));
        self.sight.set(i64::from(state.sees()));
        let (holds, freezes): (Vec<&Stop>, Vec<&Stop>) =
            state.stops.all().partition(|stop| stop.kind == StopKind::Hold);
        self.holds.set(count(holds.len()));
        self.frozen.set(count(freezes.len()));
        let open = state.breakers.values().filter(|breaker| breaker.open.is_some()).count();
        self.breaker_open.set(count(open));
        let most = state.breakers.values().map(|breaker| breaker.failures).max();
        self.breaker_failures.set(i64::from(most.unwrap_or_default()));
        self.standing.show(treasury, state);
        self.links.show(treasury, state);
        self.accounts.show(treasury, state);
        self.runways.show(treasury, state);
        self.shadows.show(treasury, state);
        self.show_proposals(state);
        self.show_escrows(treasury, state);
    }

    /// Sets what the system says of this process.
    pub fn show_process(&self) {
        self.process.show();
    }

    /// Sets which ledger servers are left out: each by its label, and why.
    pub fn show_endpoints(&self, endpoints: &[(String, Option<String>)]) {
        for (endpoint, why) in endpoints {
            self.left_out.with_label_values(&[endpoint]).set(i64::from(why.is_some()));
        }
    }

    fn show_proposals(&self, state: &State) {
        for word in Status::WORDS {
            self.proposals.with_label_values(&[word]).set(0);
        }
        for (word, ended) in &state.archived {
            self.proposals.with_label_values(&[word]).set(clamp(*ended));
        }
        for proposal in state.proposals.values() {
            self.proposals.with_label_values(&[proposal.status.word()]).inc();
        }
    }

    fn show_escrows(&self, treasury: &Treasury, state: &State) {
        self.escrow_tokens.reset();
        for word in GUARD_WORDS {
            self.escrows.with_label_values(&[word]).set(0);
            self.escrow_drops.with_label_values(&[word]).set(0);
        }
        for (key, escrow) in &state.escrows {
            let word = guard_word(treasury, state, escrow);
            self.escrows.with_label_values(&[word]).inc();
            if state.standing.contains(key) {
                let Some(amount) = escrow.view.amount else { continue };
                match amount.drops() {
                    Some(drops) => self.escrow_drops.with_label_values(&[word]).add(clamp(drops.get())),
                    None => {
                        let asset = amount.issue().to_string();
                        // A gauge is looked at and decides nothing.
                        let value = amount.value_text().parse().unwrap_or(f64::NAN);
                        self.escrow_tokens.with_label_values(&[word, asset.as_str()]).add(value);
                    }
                }
            }
        }
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    /// Where it cannot be written as text, which the text format rules out.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The page docs/reference/metrics.md.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         `GET /metrics` answers in the text format of Prometheus and needs no token: whoever reaches the\n\
         port reads balances, so keep it on an address that only your Prometheus reaches.\n\
         Generated from `daemon/src/metrics.rs`; a test compares the two.\n\n\
         | name | kind | labels | says |\n|---|---|---|---|\n",
    );
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help);
    }
    let words = |list: &[&str]| list.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        page,
        "\nOf accounts, the first {ACCOUNTS_SHOWN} by tier and name have series of their own. `account=\"{OTHERS}\"` holds what the\n\
         rest have together, and of Tickets the fewest of one.\n\nStatuses: {}.\n\nGuards: {}.\n\nKinds of findings: {}.\n",
        words(&Status::WORDS),
        words(&GUARD_WORDS),
        words(&FindingKind::ALL.map(FindingKind::word)),
    );
    page
}

#[cfg(test)]
mod tests;
