//! What is due again and again: the schedules as they are declared, and people who look at what they ask for.

use std::sync::Arc;

use rand::Rng;
use treasury_core::Event;
use treasury_core::config::{Due, Keeps, Schedule};
use treasury_core::gate::{self, Act};
use treasury_core::proposal::Proposal;
use treasury_core::tiers;
use treasury_core::units::{ProposalId, RippleTime};
use xrpl_harness::embedded::GenesisConfig;

use super::cast::{Cast, DELAYED_SOURCE, PEOPLE, xrp};
use super::people::{Act as Acts, LEDGER_MS};
use super::world::{Due as Next, World};

/// When the first of each is due after the first ledger, in seconds.
const BEGINS_SECONDS: u32 = 900;

/// Dates of each schedule: a life of days has more of them than of anything else.
const DATES: u32 = 1_500;

/// DestinationTags of the schedules. Those of people begin at a thousand.
const WAGES: u32 = 901;
const RENT: u32 = 902;
const DRIP: u32 = 903;

impl Cast {
    /// What is due again and again. Wages are signed by people, and the links fill the account for them; the rent goes
    /// through an escrow; what drips is signed by agents, and is soon too late.
    #[must_use]
    pub fn schedules(&self) -> Vec<Schedule> {
        let schedule =
            |name: &str, tag, [from, to]: [&str; 2], amount_xrp, by: &str, every, [lead, late]: [u32; 2]| {
                let first = GenesisConfig::default().close_time.0 + BEGINS_SECONDS;
                let date = |number: u32| Due { at: RippleTime(first + number * every), day: number + 1 };
                Schedule {
                    name: name.to_owned(),
                    from: self.id(from),
                    to: self.id(to),
                    destination_tag: Some(tag),
                    amount: xrp(amount_xrp).into(),
                    by: by.to_owned(),
                    note: String::new(),
                    due: (0..DATES).map(date).collect::<Arc<[Due]>>(),
                    lead_seconds: lead,
                    late_max_seconds: late,
                }
            };
        vec![
            schedule("wages", WAGES, ["hot", "shop"], 250, "alice", 3_000, [900, 900]),
            schedule("rent", RENT, ["warm", "exchange"], 1_500, "bob", 6_000, [2_700, 1_200]),
            schedule("drip", DRIP, [DELAYED_SOURCE, "supplier"], 10, "alice", 600, [150, 90]),
            self.euro_schedule(),
            self.lease(),
        ]
    }
}

/// What of a step's events schedules asked for.
pub(super) fn asked_for(events: &[Event]) -> impl Iterator<Item = &Proposal> {
    let drafted = events.iter().filter_map(|event| match event {
        Event::ProposalDrafted { proposal, .. } => Some(proposal.as_ref()),
        _ => None,
    });
    drafted.filter(|proposal| proposal.occurrence.is_some())
}

impl World {
    /// Schedules have asked a daemon for something, durably.
    pub(super) fn dates_come(&mut self, number: usize, events: &[Event]) {
        for proposal in asked_for(events) {
            let Some(occurrence) = proposal.occurrence.clone() else { continue };
            let (id, now) = (proposal.id, proposal.drafted.close_time.0);
            self.line(format!(
                "daemon {number}: {id} is \"{}\", due at {}",
                occurrence.schedule, occurrence.due
            ));
            self.checker.dated(number, id, &occurrence.schedule, occurrence.due);
            let lead = self.treasury.schedules.iter().find(|schedule| schedule.name == occurrence.schedule);
            let asked_from = occurrence.due.0 - lead.map_or(0, |schedule| schedule.lead_seconds);
            // Longer than two ledgers at a slow pace.
            if now > asked_from + 45 {
                self.reach("workload", "a schedule asks late");
                if std::mem::take(&mut self.nodes[number].has_just_started) {
                    self.reach("workload", "a schedule catches up after its daemon was dead");
                }
            }
            self.people_look(number, id);
        }
        self.dates_end(number, events);
        self.links_fill_for_dates(number, events);
        let taken = events.iter().any(|event| matches!(event, Event::LedgerTaken { .. }));
        let sees = self.nodes[number].state().is_some_and(|state| state.sees());
        if taken && sees {
            self.nodes[number].has_just_started = false;
        }
    }

    /// What becomes of what schedules asked for.
    fn dates_end(&mut self, number: usize, events: &[Event]) {
        for event in events {
            let Event::ProposalEnded { proposal: id, status, .. } = event else { continue };
            let Some(state) = self.nodes[number].state() else { return };
            let ended = state.proposals.get(id).filter(|proposal| proposal.occurrence.is_some());
            let Some(proposal) = ended else { continue };
            let stopped = !gate::stops(&self.treasury, state, Act::of(proposal)).is_empty();
            let word = status.word();
            self.reach("schedule", word);
            if stopped && word == "expired" {
                self.reach("workload", "a schedule's payment is stopped until it is too late");
            }
        }
    }

    /// A link fills an account that has enough, but for what schedules asked for.
    fn links_fill_for_dates(&mut self, number: usize, events: &[Event]) {
        let Some(state) = self.nodes[number].state() else { return };
        let drafted = events.iter().filter_map(|event| match event {
            Event::ProposalDrafted { proposal, .. } => proposal.intent.movement(),
            _ => None,
        });
        let fills = drafted.filter(|movement| movement.link.is_some()).any(|movement| {
            let dated = self.treasury.schedules.iter().any(|schedule| schedule.from == movement.destination);
            let expected = tiers::expected(state, &movement.destination, movement.amount.issue());
            let before = expected.and_then(|expected| expected.less(&movement.amount));
            let link = self.treasury.links.iter().find(|link| Some(link.name.as_str()) == movement.link);
            let floor = link.and_then(|link| match link.keeps {
                Keeps::Filled { floor, .. } => Some(floor),
                Keeps::Swept { .. } => None,
            });
            dated && before.zip(floor).is_some_and(|(before, floor)| before >= floor)
        });
        if fills {
            self.reach("workload", "a link fills for what a schedule asked for");
        }
    }

    /// People look at what a schedule has asked for: most of them sign it, and now and then one does not want it.
    fn people_look(&mut self, daemon: usize, proposal: ProposalId) {
        let unwanted = !self.healed && self.rng.random_range(0..8) == 0;
        let objects = PEOPLE[self.rng.random_range(0..PEOPLE.len())];
        for person in PEOPLE {
            let wait = self.rng.random_range(1..60) * LEDGER_MS;
            if unwanted && (person == objects || self.rng.random_bool(0.7)) {
                let wait = self.rng.random_range(1..20) * LEDGER_MS;
                self.after(wait, Next::Act(Acts::Reject { daemon, proposal, person }));
            } else if self.rng.random_bool(0.7) {
                self.after(wait, Next::Act(Acts::Approve { daemon, proposal, person }));
            }
        }
    }
}
