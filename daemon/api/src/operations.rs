//! Every operation of the API, once. The daemon's routes, the client and the reference are made from this table, so
//! none of them can have one more or one less, or another path, body or answer.

use std::marker::PhantomData;

use crate::types::{
    AccountView, AcknowledgeNoticesRequest, AcknowledgeRequest, ActivateRequest, ActivatedView, AlertView,
    ApproveRequest, AuditPage, AuditQuery, ChannelView, ClearRequest, CloseBreakerRequest, ConfirmRequest,
    ConfirmedView, DeliveriesQuery, DeliveryView, DestinationsView, DoneView, DrillRequest, DrillView,
    EmptyRequest, EscrowView, EscrowsQuery, EventsPage, EventsQuery, ExplainRequest, ExplainView,
    ExposureView, FindingView, FlagDestinationRequest, ForecastView, FreezeRequest, LiftRequest, LiftedView,
    LinkView, LockoutView, Notice, PanicView, PolicyCheckView, PolicyRequest, PolicyShadowView,
    PolicyTestRequest, PolicyTestView, ProposalView, ProposalsQuery, ProposeRequest, ProposedView,
    ProveRequest, ProveView, ReadyView, ReasonRequest, RedeliverRequest, RedeliveredView, ScheduleView,
    StatusView, StoppedView, StopsView, StreamQuery, TestChannelRequest, TestedView, UnfreezeRequest,
};

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Changes nothing. What is asked for is in the query.
    Get,
    /// What is asked for is in the body.
    Post,
    /// Takes something back. A body may say nothing.
    Delete,
}

impl Method {
    /// HTTP's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request is about, as far as places go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Whether the daemon lives and sees, and its metrics.
    Probe,
    /// It keeps money from leaving, and can do nothing else. Whatever else is asked for must not hold it up.
    Stop,
    /// Everything else, the lifting of stops included.
    Other,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// No token is asked for.
    Anybody,
    /// Every person with a token.
    Person,
    /// Persons with a role.
    Role(&'static str),
    /// Persons whom the words describe.
    Those(&'static str),
}

impl Who {
    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Anybody => "anybody, without a token".to_owned(),
            Self::Person => "any person".to_owned(),
            Self::Role(role) => format!("role `{role}`"),
            Self::Those(words) => words.to_owned(),
        }
    }
}

/// What the table says of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name for programs.
    pub name: &'static str,
    /// How it is asked.
    pub method: Method,
    /// Where, with `{id}` for a proposal's id.
    pub path: &'static str,
    /// What it is about.
    pub class: Class,
    /// Who may ask.
    pub who: Who,
    /// The type of the query or body; `()` where there is neither.
    pub takes: &'static str,
    /// The type of the answer.
    pub gives: &'static str,
    /// What it does, in lines.
    says: &'static [&'static str],
}

impl Spec {
    /// What it does, in one line.
    #[must_use]
    pub fn says(&self) -> String {
        self.says.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }
}

/// An operation with the types of what it takes and gives.
#[derive(Debug)]
pub struct Call<T, G> {
    /// Which.
    pub operation: Operation,
    types: PhantomData<fn(&T) -> G>,
}

impl<T, G> Clone for Call<T, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, G> Copy for Call<T, G> {}

macro_rules! operations {
    ($($(#[doc = $says:literal])+ $name:ident = $variant:ident $text:literal:
        $method:ident $path:literal, $class:ident, $who:expr, $takes:ty => $gives:ty;)+) => {
        /// An operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Operation {
            $($(#[doc = $says])+ $variant,)+
        }

        impl Operation {
            /// All of them, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// What the table says of it.
            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Self::$variant => Spec {
                        name: $text,
                        method: Method::$method,
                        path: $path,
                        class: Class::$class,
                        who: $who,
                        takes: stringify!($takes),
                        gives: stringify!($gives),
                        says: &[$($says),+],
                    },)+
                }
            }
        }

        /// The operations, with their types.
        pub mod calls {
            use super::*;

            $($(#[doc = $says])+
            pub const $name: Call<$takes, $gives> =
                Call { operation: Operation::$variant, types: PhantomData };)+
        }
    };
}

operations! {
    /// `ok`: the process answers.
    HEALTHZ = Healthz "healthz": Get "/healthz", Probe, Who::Anybody, () => String;
    /// 200 while the validated ledger can be seen, 503 otherwise.
    READYZ = Readyz "readyz": Get "/readyz", Probe, Who::Anybody, () => ReadyView;
    /// For Prometheus; see metrics.md.
    METRICS = Metrics "metrics": Get "/metrics", Probe, Who::Anybody, () => String;
    /// The whole at a glance.
    STATUS = Status "status": Get "/v1/status", Other, Who::Person, () => StatusView;
    /// The treasury's accounts, by tier and name.
    ACCOUNTS = Accounts "accounts": Get "/v1/accounts", Other, Who::Person, () => Vec<AccountView>;
    /// What the tier links keep, what they would move now, and why, or why not.
    TIERS = Tiers "tiers": Get "/v1/tiers", Other, Who::Person, () => Vec<LinkView>;
    /// The scheduled payments, when each is due next, and what has been asked for.
    SCHEDULES = Schedules "schedules": Get "/v1/schedules", Other, Who::Person, () => Vec<ScheduleView>;
    /// How long the money of each account lasts, what may still leave, and what there is. Changes nothing.
    FORECAST = Forecast "forecast": Get "/v1/forecast", Other, Who::Person, () => ForecastView;
    /// Whose loss locks each account, and whose collusion spends it: the smallest sets of keys, people, vendors and places.
    LOCKOUT = Lockout "lockout": Get "/v1/lockout", Other, Who::Person, () => Vec<LockoutView>;
    /// What each single captured thing (a key, a person, a ledger server, the daemon, the guard) can take at most, in what time, and
    /// until whose stop. Changes nothing.
    EXPOSURE = Exposure "exposure": Get "/v1/exposure", Other, Who::Person, () => Vec<ExposureView>;
    /// Whether you are asked to show that you have your key, and when it signed last.
    DRILL = Drill "drill": Get "/v1/drill", Other, Who::Person, () => DrillView;
    /// Show that you have your key: its signature over the text, which moves nothing and approves nothing.
    ANSWER_DRILL = AnswerDrill "answer_drill":
        Post "/v1/drill", Other, Who::Those("whoever is asked"), DrillRequest => DoneView;
    /// Proposals, newest first, without their transactions.
    PROPOSALS = Proposals "proposals": Get "/v1/proposals", Other, Who::Person, ProposalsQuery => Vec<ProposalView>;
    /// Ask for a payment.
    PROPOSE = Propose "propose":
        Post "/v1/proposals", Other, Who::Role("proposer"), ProposeRequest => ProposedView;
    /// One proposal, with the transactions to sign.
    PROPOSAL = Proposal "proposal": Get "/v1/proposals/{id}", Other, Who::Person, () => ProposalView;
    /// Bring your signatures over every rung.
    APPROVE = Approve "approve":
        Post "/v1/proposals/{id}/approvals", Other, Who::Those("its signers"), ApproveRequest => DoneView;
    /// Take your own approval back, before submission: it counts no more. The daemon's store and its backups keep the
    /// signatures, and those that others have bind the ledger until LastLedgerSequence all the same.
    RETRACT = Retract "retract":
        Delete "/v1/proposals/{id}/approvals", Stop, Who::Those("whoever approved"), EmptyRequest => DoneView;
    /// Speak against it; once the quorum cannot be reached any more it ends.
    REJECT = Reject "reject":
        Post "/v1/proposals/{id}/reject", Stop, Who::Those("its signers, and the role `approver`"),
        ReasonRequest => DoneView;
    /// Take your own proposal back, before submission.
    WITHDRAW = Withdraw "withdraw":
        Post "/v1/proposals/{id}/withdraw", Stop, Who::Those("its asker; of anybody's, the role `admin`"),
        EmptyRequest => DoneView;
    /// Put a hold on it, which binds the escrow that comes of it, too; on an EscrowFinish, on its escrow.
    FLAG = Flag "flag":
        Post "/v1/proposals/{id}/flag", Stop, Who::Role("security"), ReasonRequest => StoppedView;
    /// Send its void, which its signers signed with it: whichever gets into a ledger first, the other is worthless.
    VOID = Void "void":
        Post "/v1/proposals/{id}/void", Stop, Who::Role("security"), ReasonRequest => DoneView;
    /// Put a hold on whatever pays an account: on what stands, and on what comes later.
    FLAG_DESTINATION = FlagDestination "flag_destination":
        Post "/v1/destinations/flag", Stop, Who::Role("security"), FlagDestinationRequest => StoppedView;
    /// Stop everything, and take back whatever can be taken back: a freeze on everything, a hold on every escrow that
    /// can be withheld, an end to every proposal, by its void where it has one. All of it has happened when it is
    /// answered.
    PANIC = Panic "panic": Post "/v1/panic", Stop, Who::Role("security"), ReasonRequest => PanicView;
    /// Lift the one hold that stands on it or on its escrow; where several stand, lift them by id.
    CLEAR = Clear "clear":
        Post "/v1/proposals/{id}/clear", Other, Who::Role("security"), ClearRequest => LiftedView;
    /// What must not leave and why: stops that stand, and those that were lifted.
    STOPS = Stops "stops": Get "/v1/stops", Other, Who::Person, () => StopsView;
    /// Lift stops by their ids, all of them or none.
    LIFT = Lift "lift":
        Post "/v1/stops/lift", Other, Who::Those("role `security` for holds, `admin` for freezes"),
        LiftRequest => LiftedView;
    /// Escrows of treasury accounts that stand or ended within a day or so, newest first. What became of an older one
    /// stands with the proposal that made it.
    ESCROWS = Escrows "escrows": Get "/v1/escrows", Other, Who::Person, EscrowsQuery => Vec<EscrowView>;
    /// What anomaly rules saw, newest first; at most the last thousand.
    FINDINGS = Findings "findings": Get "/v1/findings", Other, Who::Person, () => Vec<FindingView>;
    /// Say that findings were looked at and what came of it, of all of them or none. They stay, and so do their stops.
    ACKNOWLEDGE = Acknowledge "acknowledge":
        Post "/v1/findings/acknowledge", Other, Who::Role("security"), AcknowledgeRequest => DoneView;
    /// The stored facts, in order, without signatures.
    EVENTS = Events "events": Get "/v1/events", Other, Who::Person, EventsQuery => EventsPage;
    /// The audit log: who did what, when, from where and why, each entry with the hash of the one before it. Without
    /// signatures, tokens and seeds.
    AUDIT = Audit "audit": Get "/v1/audit", Other, Who::Person, AuditQuery => AuditPage;
    /// The same as a page for reading and printing (HTML), the oldest first, at most 10000 entries.
    AUDIT_REPORT = AuditReport "audit_report": Get "/v1/audit/report", Other, Who::Person, AuditQuery => String;
    /// Nothing leaves or enters the account by the daemon's doing, or nothing at all, until the freeze is lifted; what
    /// can be taken back is taken back all the same.
    FREEZE = Freeze "freeze": Post "/v1/freeze", Stop, Who::Role("security"), FreezeRequest => StoppedView;
    /// Lift the one freeze that stands there; where several stand, lift them by id.
    UNFREEZE = Unfreeze "unfreeze":
        Post "/v1/unfreeze", Other, Who::Role("admin"), UnfreezeRequest => LiftedView;
    /// Let automated submissions go on after a circuit breaker opened.
    CLOSE_BREAKER = CloseBreaker "close_breaker":
        Post "/v1/breaker/close", Other, Who::Role("admin"), CloseBreakerRequest => DoneView;
    /// Where notices go, and how many wait or were given up there.
    CHANNELS = Channels "channels": Get "/v1/channels", Other, Who::Person, () => Vec<ChannelView>;
    /// Put a test message into a channel.
    TEST_CHANNEL = TestChannel "test_channel":
        Post "/v1/channels/test", Other, Who::Role("admin"), TestChannelRequest => TestedView;
    /// Notices and how far each channel has come with them, newest first. Those that everybody has are kept for a while.
    DELIVERIES = Deliveries "deliveries":
        Get "/v1/deliveries", Other, Who::Person, DeliveriesQuery => Vec<DeliveryView>;
    /// Notices as they are told, as server-sent events, each with the document that a webhook gets: those after the one
    /// whose id the header `Last-Event-ID` or the query names. See events.md.
    STREAM = Stream "stream": Get "/v1/notices/stream", Other, Who::Person, StreamQuery => Notice;
    /// Alerts that somebody has to answer, and those that somebody looks after and that are not over: what routes with
    /// `escalate_to` have led to.
    ALERTS = Alerts "alerts": Get "/v1/notices/alerts", Other, Who::Person, () => Vec<AlertView>;
    /// Say that you look after what notices told of, so that it goes on to nobody else before it becomes graver or comes
    /// again. Findings are acknowledged by themselves.
    ACKNOWLEDGE_NOTICES = AcknowledgeNotices "acknowledge_notices":
        Post "/v1/notices/acknowledge", Other, Who::Those("the roles `approver`, `security` and `admin`"),
        AcknowledgeNoticesRequest => DoneView;
    /// Send again what was delivered or given up: one notice by its id, or those from one number to another.
    REDELIVER = Redeliver "redeliver":
        Post "/v1/deliveries/redeliver", Other, Who::Role("admin"), RedeliverRequest => RedeliveredView;
    /// What is wrong with a table of rules, and what of it is right and hardly meant: rules that never match or change
    /// nothing, and what no rule matches. Changes nothing.
    POLICY_CHECK = PolicyCheck "policy_check":
        Post "/v1/policy/check", Other, Who::Person, PolicyRequest => PolicyCheckView;
    /// What policy would say of a payment now, and of each rule why. Changes nothing.
    POLICY_EXPLAIN = PolicyExplain "policy_explain":
        Post "/v1/policy/explain", Other, Who::Person, ExplainRequest => ExplainView;
    /// What another table would have said of everything that was proposed. Each is judged with the sums and counts of the
    /// proposals before it; the people, address book and lists are those of now. Changes nothing.
    POLICY_TEST = PolicyTest "policy_test":
        Post "/v1/policy/test", Other, Who::Person, PolicyTestRequest => PolicyTestView;
    /// Whether a table can let something happen to any payment, with an example. Changes nothing.
    POLICY_PROVE = PolicyProve "policy_prove":
        Post "/v1/policy/prove", Other, Who::Person, ProveRequest => ProveView;
    /// Say that you want the table in force that waits, by its hash; with enough of those whom the table in force names it is.
    POLICY_ACTIVATE = PolicyActivate "policy_activate":
        Post "/v1/policy/activate", Other, Who::Those("whoever the table in force names (`[activation]`)"),
        ActivateRequest => ActivatedView;
    /// The address book: who of it is known, who waits for people to confirm them, and who cools.
    DESTINATIONS = Destinations "destinations": Get "/v1/destinations", Other, Who::Person, () => DestinationsView;
    /// Say that an entry of the address book is whose it is said to be; with enough of those whom `[confirmation]` names it is known
    /// when it has cooled.
    CONFIRM_DESTINATION = ConfirmDestination "confirm_destination":
        Post "/v1/destinations/confirm", Other, Who::Those("whoever confirms entries of the address book (`[confirmation]`)"),
        ConfirmRequest => ConfirmedView;
    /// What the second policy said beside the one in force (`shadow` of the configuration): how often something else, and
    /// the last of these, newest first. Nothing follows from it.
    POLICY_SHADOW = PolicyShadow "policy_shadow":
        Get "/v1/policy/shadow", Other, Who::Person, () => PolicyShadowView;
}

impl Operation {
    /// The operation that answers there.
    #[must_use]
    pub fn at(method: &str, path: &str) -> Option<Self> {
        let there = |operation: &&Self| {
            let spec = operation.spec();
            spec.path == path && spec.method.word() == method
        };
        Self::ALL.iter().find(there).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_operations_have_one_name_or_one_place() {
        let specs: Vec<Spec> = Operation::ALL.iter().map(|operation| operation.spec()).collect();
        let names: BTreeSet<&str> = specs.iter().map(|spec| spec.name).collect();
        let places: BTreeSet<(Method, &str)> = specs.iter().map(|spec| (spec.method, spec.path)).collect();
        assert_eq!((names.len(), places.len()), (specs.len(), specs.len()));
        for (operation, spec) in Operation::ALL.iter().zip(&specs) {
            assert_eq!(Operation::at(spec.method.word(), spec.path), Some(*operation));
            assert!(spec.says().ends_with('.'), "{}", spec.name);
        }
        assert_eq!(Operation::at("PUT", "/v1/freeze"), None);
    }

    #[test]
    fn what_only_stops_is_told_from_what_lifts_and_reading_changes_nothing() {
        for operation in Operation::ALL {
            let spec = operation.spec();
            let is_stop =
                ["retract", "reject", "withdraw", "flag", "flag_destination", "void", "panic", "freeze"]
                    .contains(&spec.name);
            assert_eq!(spec.class == Class::Stop, is_stop, "{}", spec.name);
            assert_eq!(spec.class == Class::Probe, spec.who == Who::Anybody, "{}", spec.name);
            assert!(spec.class != Class::Stop || spec.method != Method::Get, "{}", spec.name);
        }
    }
}
