//! The routing table: which notices go to which channels.

use std::collections::{BTreeMap, BTreeSet};

use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::policy::Times;
use treasury_core::units::Amount;

use super::alertmanager;
use super::channel::Channel;
use super::escalate::{self, Alert, Escalation};
use super::outbox::Addressed;
use super::when;

/// Everything that the configuration says about telling people.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyConfig {
    /// Where notices can go.
    pub channels: Vec<Channel>,
    /// Which go where.
    pub routes: Vec<Route>,
    /// Seconds of waiting between two reminders; 0: none are sent.
    pub remind_seconds: u32,
    /// What people type into their browser to see the console; `None`: notices have no links.
    pub console: Option<String>,
    /// What the daemon is called among those that tell the same Alertmanager; `None`: as its host is.
    pub instance: Option<String>,
}

/// The longest that quiet hours hold a step after it is due. Those of the route and those of whoever is next can follow each
/// other without end, and whoever set each of them meant a night.
const STEP_HELD_MS_MAX: u64 = 86_400_000;

/// Where nobody says how often people are reminded.
pub(crate) const REMIND_SECONDS: u32 = 6 * 3_600;

impl Default for NotifyConfig {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            routes: Vec::new(),
            remind_seconds: REMIND_SECONDS,
            console: None,
            instance: None,
        }
    }
}

/// One line of the table. A matcher that says nothing matches everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where to, by the names of channels.
    pub channels: Vec<String>,
    /// What it is about.
    pub kinds: Option<BTreeSet<Kind>>,
    /// At least so severe.
    pub severity: Severity,
    /// The treasury's accounts, by address.
    pub accounts: Option<BTreeSet<String>>,
    /// People of whom one can still sign.
    pub signers: Option<BTreeSet<String>>,
    /// People of whom one is among those whom it is for.
    pub people: Option<BTreeSet<String>>,
    /// More than this of the same asset; matches only what has an amount.
    pub amount_above: Option<Amount>,
    /// When all but what is critical waits.
    pub quiet: Option<Times>,
    /// To whom it goes on where nobody answers it.
    pub escalation: Option<Escalation>,
}

impl Default for Route {
    /// One that matches everything and leads nowhere.
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            kinds: None,
            severity: Severity::Info,
            accounts: None,
            signers: None,
            people: None,
            amount_above: None,
            quiet: None,
            escalation: None,
        }
    }
}

impl Route {
    fn matches(&self, notice: &Notice) -> bool {
        let amount = || notice.amount.as_ref().and_then(|amount| Amount::try_from(amount).ok());
        let is_more = |least: &Amount| {
            let there = amount().filter(|amount| amount.issue() == least.issue());
            there.is_some_and(|amount| amount.partial_cmp(least) == Some(std::cmp::Ordering::Greater))
        };
        notice.severity >= self.severity
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&notice.kind))
            && self.accounts.as_ref().is_none_or(|accounts| {
                notice.account.as_ref().is_some_and(|account| accounts.contains(&account.address))
            })
            && self
                .signers
                .as_ref()
                .is_none_or(|people| notice.signers.iter().any(|signer| people.contains(signer)))
            && self
                .people
                .as_ref()
                .is_none_or(|people| notice.people.iter().any(|name| people.contains(name)))
            && self.amount_above.as_ref().is_none_or(is_more)
    }

    /// Whether it takes notices of this kind and severity that are for these people, whatever else they are about.
    pub(crate) fn leads(&self, kind: Kind, severity: Severity, names: &[String]) -> bool {
        severity >= self.severity
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
            && self.signers.is_none()
            && self.people.as_ref().is_none_or(|people| names.iter().any(|name| people.contains(name)))
    }
}

impl NotifyConfig {
    /// The channels of a notice that comes now, each once, by the order of their names, with when it goes through each:
    /// where several routes lead there, at the first of these times. And whom it goes on to where nobody answers it.
    pub(super) fn address(&self, mut notice: Notice, now_ms: u64) -> Addressed {
        notice.link = self.link(&notice);
        let mut channels: BTreeMap<&String, u64> = BTreeMap::new();
        let mut alerts: BTreeMap<String, Alert> = BTreeMap::new();
        // An Alertmanager that is told of what begins is told of its end, at once.
        let begin = alertmanager::begin_of(&notice);
        let begins = |route: &&Route| begin.as_ref().is_some_and(|begin| route.matches(begin));
        let names = self.routes.iter().filter(begins).flat_map(|route| &route.channels);
        let alertmanagers = names.filter(|name| self.channel(name).is_some_and(Channel::is_alertmanager));
        channels.extend(alertmanagers.map(|name| (name, now_ms)));
        for route in self.routes.iter().filter(|route| route.matches(&notice)) {
            let mut first = None;
            for name in &route.channels {
                let batch = self.channel(name).and_then(|channel| channel.batch);
                let due = when::due(notice.severity, route.quiet.as_ref(), batch, now_ms);
                let known = channels.entry(name).or_insert(due);
                *known = due.min(*known);
                first = Some(first.map_or(due, |first: u64| first.min(due)));
            }
            if let Some(escalation) = &route.escalation
                && let Some(name) = escalate::name(&notice, escalation)
            {
                let (notice, escalation) = (notice.clone(), escalation.clone());
                let since_ms = first.unwrap_or(now_ms);
                let told = Alert { notice, escalation, since_ms, steps: 0, went: Vec::new(), answered: None };
                if let Some(alert) = Alert::with(alerts.get(&name), &told) {
                    alerts.insert(name, alert);
                }
            }
        }
        let channels = channels.into_iter().map(|(name, due)| (name.clone(), due)).collect();
        if !alerts.is_empty() {
            let id = notice.finding.as_ref().filter(|_| notice.kind == Kind::Finding).unwrap_or(&notice.id);
            let words = format!(
                "Say that you look after it, so that it wakes nobody else: `treasuryctl acknowledge {id} --reason …`."
            );
            alerts.values_mut().for_each(|alert| alert.notice.can_do.push(words.clone()));
            notice.can_do.push(words);
        }
        Addressed { notice, channels, alerts: alerts.into_iter().collect() }
    }

    /// Until when the next step of an alert waits that would be taken then: for the quiet hours of the route by which it goes
    /// on, and for those of whoever it would go to, which stand on every route to their channel; never longer than
    /// [`STEP_HELD_MS_MAX`]. `None`: it does not wait.
    pub(super) fn step_held_until(&self, name: &str, alert: &Alert, now_ms: u64) -> Option<u64> {
        let latest = alert.next_ms().saturating_add(STEP_HELD_MS_MAX);
        let end = self.quiet_for_step(name, alert, now_ms)?;
        (now_ms < latest).then(|| end.min(latest))
    }

    /// When the next step of an alert is taken, as far as that is known now: when it is due, or when nothing holds it any more.
    pub(super) fn step_at(&self, name: &str, alert: &Alert, now_ms: u64) -> u64 {
        let due_ms = alert.next_ms();
        let mut at_ms = due_ms.max(now_ms);
        let Some(mut held) = self.step_held_until(name, alert, at_ms) else { return due_ms };
        // Each end is later than what it was asked for, and the last is the latest that there can be.
        loop {
            at_ms = held;
            match self.step_held_until(name, alert, at_ms) {
                Some(end) if end > at_ms => held = end,
                _ => return at_ms,
            }
        }
    }

    fn quiet_for_step(&self, name: &str, alert: &Alert, now_ms: u64) -> Option<u64> {
        let next = alert.escalation.to.get(alert.steps)?;
        let goes_on = |route: &Route| {
            let called = |escalation| escalate::name(&alert.notice, escalation);
            route.matches(&alert.notice)
                && route.escalation.as_ref().and_then(called).is_some_and(|called| called == name)
        };
        let end_of = |wanted: &dyn Fn(&Route) -> bool| {
            let routes = self.routes.iter().filter(|route| wanted(route));
            let ends =
                routes.map(|route| when::held_until(alert.notice.severity, route.quiet.as_ref(), now_ms));
            // Where one of them holds nothing now, nothing waits; and so it is where there is none.
            ends.collect::<Option<Vec<u64>>>()?.into_iter().min()
        };
        end_of(&goes_on).max(end_of(&|route| route.channels.contains(next)))
    }

    /// To whom an alert goes on by the routes that there are now, by its names: as it does under its own name, or under those
    /// that it has where no route leads to the same people any more. Steps and times stay as they are.
    pub(super) fn address_again(&self, name: &str, alert: &Alert) -> BTreeMap<String, Alert> {
        let matching = self.routes.iter().filter(|route| route.matches(&alert.notice));
        let asked: Vec<(String, &Escalation)> = matching
            .filter_map(|route| route.escalation.as_ref())
            .filter_map(|escalation| Some((escalate::name(&alert.notice, escalation)?, escalation)))
            .collect();
        let is_as_before =
            |(of, escalation): &(String, &Escalation)| of == name && **escalation == alert.escalation;
        if asked.iter().any(is_as_before) {
            return BTreeMap::from([(name.to_owned(), alert.clone())]);
        }
        let has_its_name = asked.iter().any(|(of, _)| of == name);
        let mut again: BTreeMap<String, Alert> = BTreeMap::new();
        for (of, escalation) in asked.into_iter().filter(|(of, _)| !has_its_name || of == name) {
            let next = Alert { escalation: escalation.clone(), ..alert.clone() };
            if again.get(&of).is_none_or(|known| next.next_ms() < known.next_ms()) {
                again.insert(of, next);
            }
        }
        again
    }

    /// The console's page of what a notice is about.
    fn link(&self, notice: &Notice) -> Option<String> {
        let origin = self.console.as_ref()?;
        let page = if let Some(id) = &notice.finding {
            format!("/findings?which=all#{id}")
        } else if let Some(id) = &notice.proposal {
            format!("/proposals/{id}")
        } else if notice.escrow.is_some() {
            "/escrows".to_owned()
        } else if matches!(
            notice.kind,
            Kind::PolicyCandidate
                | Kind::PolicyActivated
                | Kind::DestinationWaits
                | Kind::DestinationConfirmed
        ) {
            "/policy".to_owned()
        } else if notice.stop.is_some() || notice.kind != Kind::Test {
            "/system".to_owned()
        } else {
            "/deliveries".to_owned()
        };
        Some(format!("{origin}/console{page}"))
    }

    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}
