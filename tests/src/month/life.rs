//! What happens in the month: what is asked for, who is awake and signs, who looks after what was found, and what fails.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use treasuryd::dev::DevError;
use treasuryd::http::api::{ProposalView, ProposalsQuery, StopView};
use xrpl_harness::Faults;
use xrpl_harness::embedded::rpc::error::RpcError;

use super::cast::{EMPLOYEES, SIGNERS, SUPPLIERS, VENDORS};
use super::frauds::Frauds;
use super::stage::{Asked, BEGINS, Stage, payment};
use super::{Options, TICK_SECONDS};

/// A day, in seconds.
pub const DAY: u32 = 86_400;

/// Whole XRP in drops.
pub const XRP: u64 = 1_000_000;

/// What kind of payment somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Small, from hot, to somebody of the address book.
    Routine,
    /// From hot or warm, with two people's signatures.
    Signed,
    /// From warm, through an escrow of two days.
    Large,
    /// To somebody new, through an escrow of a day.
    New,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Routine, Self::Signed, Self::Large, Self::New];

    /// Its name in the report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Signed => "signed by two",
            Self::Large => "large, two days in escrow",
            Self::New => "to somebody new, a day in escrow",
        }
    }
}

/// A payment that somebody honest wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What kind.
    pub class: Class,
    /// What was asked.
    pub asked: Asked,
    /// In whose name.
    pub by: &'static str,
    /// When it was wanted, by the ledger.
    pub at: u32,
    /// Its proposal, once the daemon has said so.
    pub proposal: Option<String>,
    /// What the daemon refused it for.
    pub refused: Option<String>,
    /// Stops that held it and that were about no fraud.
    pub held: BTreeSet<String>,
}

/// The month as it goes.
pub struct Life {
    /// Where it happens.
    pub stage: Stage,
    /// The options.
    pub options: Options,
    /// Chance.
    pub rng: StdRng,
    /// Everything that somebody honest wants, by tag.
    pub wanted: BTreeMap<u32, Wanted>,
    /// What is asked for once the daemon is up again.
    backlog: Vec<u32>,
    /// Attempts at fraud.
    pub frauds: Frauds,
    /// Proposals that people would not have asked for.
    pub seen_through: BTreeSet<String>,
    /// Who has signed what: nobody is asked twice.
    signed: BTreeSet<(String, &'static str)>,
    /// Restarts, kills, outages of servers.
    pub events: BTreeMap<&'static str, u32>,
    /// What was signed and did not leave, and why.
    pub stuck: Vec<String>,
    /// Findings that were acknowledged, by kind.
    pub found: BTreeMap<String, u32>,
    next_tag: u32,
}

impl Life {
    /// The begin of a month.
    #[must_use]
    pub fn new(stage: Stage, options: Options) -> Self {
        Self {
            rng: StdRng::seed_from_u64(options.seed),
            stage,
            options,
            wanted: BTreeMap::new(),
            backlog: Vec::new(),
            frauds: Frauds::default(),
            seen_through: BTreeSet::new(),
            signed: BTreeSet::new(),
            events: BTreeMap::new(),
            stuck: Vec::new(),
            found: BTreeMap::new(),
            next_tag: 1_000,
        }
    }

    /// A new name for a payment.
    pub fn tag(&mut self) -> u32 {
        self.next_tag += 1;
        self.next_tag
    }

    /// Something that is counted has happened.
    pub fn count(&mut self, what: &'static str) {
        *self.events.entry(what).or_default() += 1;
    }

    /// One tick of the month.
    ///
    /// # Errors
    /// Where the daemon does not do what it must.
    pub async fn tick(&mut self, tick: u32) -> Result<(), DevError> {
        let now = BEGINS + tick * TICK_SECONDS;
        self.stage.jump(now).await?;
        let day = now.saturating_sub(BEGINS) / DAY;
        let wants = day < self.options.days;
        if wants {
            self.trouble(tick).await?;
            self.outside_pays(tick);
        }
        self.frauds_go_on(tick).await?;
        if wants {
            self.want(now);
        }
        if tick.is_multiple_of(4) {
            self.ask_again(now).await?;
        }
        self.ask().await?;
        self.settle().await?;
        if self.stage.is_up() {
            self.people(now).await?;
            self.look_after(now).await?;
        }
        Ok(())
    }

    /// Closes ledgers until what needs nobody is validated, or does not get there at once.
    async fn settle(&mut self) -> Result<(), DevError> {
        if self.stage.is_up() {
            self.stage.pass(3).await
        } else {
            self.stage.close_after(super::stage::STEP_SECONDS);
            Ok(())
        }
    }

    /// What is wanted within this tick.
    fn want(&mut self, now: u32) {
        let second_of_day = now % DAY;
        let ticks = self.options.ticks_of(second_of_day);
        for _ in 0..ticks {
            let vendor = self.rng.random_range(1..=VENDORS);
            let drops = self.rng.random_range(5 * XRP..60 * XRP);
            self.wants(Class::Routine, "erp", "hot", format!("vendor-{vendor}"), drops, now);
        }
        let hour = second_of_day / 3_600;
        if !second_of_day.is_multiple_of(3_600) {
            return;
        }
        let day = now.saturating_sub(BEGINS) / DAY;
        let supplier = format!("supplier-{}", self.rng.random_range(1..=SUPPLIERS));
        match hour {
            8 | 11 | 14 => {
                let drops = self.rng.random_range(200 * XRP..1_000 * XRP);
                self.wants(Class::Signed, "alice", "warm", supplier, drops, now);
            }
            9 | 16 => {
                let vendor = format!("vendor-{}", self.rng.random_range(1..=VENDORS));
                let drops = self.rng.random_range(150 * XRP..900 * XRP);
                self.wants(Class::Signed, "carol", "hot", vendor, drops, now);
            }
            10 => {
                let drops = self.rng.random_range(1_500 * XRP..6_000 * XRP);
                self.wants(Class::Large, "alice", "warm", supplier, drops, now);
            }
            13 if day % 7 == 1 || day % 7 == 3 => {
                let name = format!("newcomer-{day}");
                self.stage.fund(&name);
                self.wants(Class::New, "carol", "warm", name, 300 * XRP, now);
            }
            _ => {}
        }
    }

    fn wants(&mut self, class: Class, by: &'static str, from: &'static str, to: String, drops: u64, at: u32) {
        let tag = self.tag();
        let asked = Asked { tag, from, to, drops, note: format!("invoice {tag}") };
        let wanted = Wanted { class, asked, by, at, proposal: None, refused: None, held: BTreeSet::new() };
        self.wanted.insert(tag, wanted);
        self.backlog.push(tag);
    }

    /// The program asks anew for what failed in a ledger, as it does where a thief was quicker and nothing was left: what failed
    /// there can never be applied.
    async fn ask_again(&mut self, now: u32) -> Result<(), DevError> {
        if !self.stage.is_up() {
            return Ok(());
        }
        let since = now.saturating_sub(DAY);
        let unpaid = self.wanted.iter().filter(|(_, wanted)| {
            let late = wanted.at + 7_200 < now && wanted.at > since;
            late && wanted.class == Class::Routine && !self.stage.truth.paid.contains_key(&wanted.asked.tag)
        });
        let unpaid: Vec<(u32, String)> =
            unpaid.filter_map(|(tag, wanted)| Some((*tag, wanted.proposal.clone()?))).collect();
        for (key, id) in unpaid {
            if self.stage.client("erp").proposal(&id).await?.status != "failed" {
                continue;
            }
            let tag = self.tag();
            if let Some(wanted) = self.wanted.get_mut(&key) {
                wanted.asked.tag = tag;
                wanted.proposal = None;
            }
            self.backlog.push(key);
            self.count("payments asked for anew");
        }
        Ok(())
    }

    /// Asks the daemon for all that is wanted and was not asked for.
    async fn ask(&mut self) -> Result<(), DevError> {
        if !self.stage.is_up() {
            return Ok(());
        }
        let waiting = self.stage.kept().await?;
        let tags = std::mem::take(&mut self.backlog);
        let mut kept = 0;
        for some in tags.chunks(super::AT_ONCE) {
            let asked = some.iter().filter_map(|tag| self.wanted.get(tag));
            let answers: Vec<Result<String, DevError>> = {
                let asking = asked.map(|wanted| self.stage.propose(wanted.by, &wanted.asked));
                futures_util::future::join_all(asking).await
            };
            for (tag, answer) in some.iter().zip(answers) {
                let Some(wanted) = self.wanted.get_mut(tag) else { continue };
                kept += usize::from(wanted.class != Class::Routine);
                match answer {
                    Ok(proposal) => wanted.proposal = Some(proposal),
                    // The ledger may have been lost for a moment: people ask again.
                    Err(DevError::Client(error)) if error.code() == Some("NO_SIGHT") => {
                        self.backlog.push(*tag)
                    }
                    Err(error) => wanted.refused = Some(error.to_string()),
                }
            }
        }
        self.stage.has_left(waiting + kept).await
    }

    /// What comes from outside: refunds of vendors, and once a week a customer who pays a lot.
    fn outside_pays(&mut self, tick: u32) {
        if tick % 4 == 1 {
            let vendor = format!("vendor-{}", self.rng.random_range(1..=VENDORS));
            let key = self.stage.cast.key(&vendor).pair;
            let drops = self.rng.random_range(XRP..5 * XRP);
            self.stage.by_hand(&vendor, &key, &payment(self.stage.cast.id("hot"), drops));
            self.count("refunds");
        }
        if tick % (7 * super::TICKS_A_DAY) == 2 * super::TICKS_A_DAY + 25 {
            // The genesis account has more.
            let _ = self.stage.server.fund(&self.stage.cast.id("hot"), super::stage::drops(9_000 * XRP));
            self.count("large customers");
        }
    }

    /// Outages: the daemon is killed, stopped for hours, or has no server; and bob's key is lost.
    async fn trouble(&mut self, tick: u32) -> Result<(), DevError> {
        let (day, of_day) = (tick / super::TICKS_A_DAY, tick % super::TICKS_A_DAY);
        match (day % 7, of_day) {
            // Killed in the middle of a day, three times a week.
            (0, 27) | (2, 21) | (4, 33) => {
                self.stage.kill().await?;
                self.stage.close_after(super::stage::STEP_SECONDS);
                self.stage.start().await?;
                self.count("kills");
            }
            // Two hours without a daemon, at night.
            (3, 4) => {
                self.stage.stop().await;
                self.count("outages of the daemon");
            }
            (3, 8) if !self.stage.is_up() => self.stage.start().await?,
            // The server answers nothing for some ledgers.
            (1, 30) | (5, 22) => {
                let faults = Faults { refuse_all: Some(RpcError::TooBusy), ..Faults::default() };
                self.stage.server.set_faults(faults);
                self.stage.server.drop_connections();
                for _ in 0..3 {
                    self.stage.close_after(super::stage::STEP_SECONDS);
                }
                self.stage.server.set_faults(Faults::default());
                self.stage.close_after(super::stage::STEP_SECONDS);
                self.stage.seen().await?;
                self.count("outages of the server");
            }
            _ => {}
        }
        if (day, of_day) == (9, 20) {
            self.stage.rotate_bob();
            self.stage.pass(1).await?;
            self.count("signers' keys replaced");
        }
        Ok(())
    }

    /// Those who are awake look at what waits, and sign what they know of.
    async fn people(&mut self, now: u32) -> Result<(), DevError> {
        if self.stage.kept().await? == 0 {
            return Ok(());
        }
        let mut acted = false;
        for proposal in self.collecting().await? {
            for person in SIGNERS.into_iter().filter(|person| is_awake(person, now)) {
                let seen = (proposal.id.clone(), person);
                if !proposal.signers.iter().any(|name| name == person) || self.signed.contains(&seen) {
                    continue;
                }
                // Bob is slow: he gets round to it once in a while.
                if self.rng.random_range(0..100) >= if person == "bob" { 15 } else { 50 } {
                    continue;
                }
                acted = true;
                self.signed.insert(seen);
                if self.seen_through.contains(&proposal.id) {
                    let _ =
                        self.stage.client(person).reject(&proposal.id, "we know of no such invoice").await;
                    continue;
                }
                if let Err(error) = self.stage.approve(person, &proposal.id).await {
                    // Others may have been enough in between, or it is too late.
                    let late = ["WRONG_STATE", "DEADLINE_PASSED"];
                    if !matches!(&error, DevError::Client(error) if error.code().is_some_and(|code| late.contains(&code)))
                    {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        if acted { self.stage.pass(2).await } else { Ok(()) }
    }

    /// What waits for people.
    async fn collecting(&self) -> Result<Vec<ProposalView>, DevError> {
        let query = ProposalsQuery { open: true, limit: Some(500), ..ProposalsQuery::default() };
        let mut open = self.stage.client("alice").proposals_page(&query).await?;
        open.retain(|proposal| proposal.status == "collecting" && !proposal.signers.is_empty());
        open.reverse();
        Ok(open)
    }

    /// Security looks at what was found and at what is stopped.
    async fn look_after(&mut self, now: u32) -> Result<(), DevError> {
        let status = self.stage.client("dave").status().await?;
        if !status.stops.is_empty() {
            self.note_holds(&status.stops);
        } else if status.open_proposals.contains_key("ready") {
            self.note_stuck().await?;
        }
        if !is_awake("dave", now) {
            return Ok(());
        }
        let findings = self.stage.client("dave").findings().await?;
        let new: Vec<_> = findings.into_iter().filter(|finding| finding.acknowledged.is_none()).collect();
        for finding in &new {
            *self.found.entry(finding.kind.clone()).or_default() += 1;
        }
        let theft = new
            .iter()
            .any(|finding| ["spend_without_proposal", "keys_elsewhere"].contains(&finding.kind.as_str()));
        if theft {
            self.keys_are_out(now, status.stops, new.iter().map(|finding| finding.id.clone()).collect())
                .await?;
        } else if !new.is_empty() {
            let ids: Vec<String> = new.iter().map(|finding| finding.id.clone()).collect();
            self.stage.client("dave").acknowledge(&ids, "looked at").await?;
        }
        Ok(())
    }

    /// Agents' keys are in other hands: freeze, new keys, look at it, open again. As the runbook has it.
    async fn keys_are_out(
        &mut self,
        now: u32,
        stops: Vec<StopView>,
        findings: Vec<String>,
    ) -> Result<(), DevError> {
        if !stops.iter().any(|stop| stop.by == "dave") {
            self.stage.client("dave").freeze(Some("hot"), "agents' keys are out").await?;
        }
        let awake: Vec<String> =
            SIGNERS.into_iter().filter(|name| is_awake(name, now)).map(str::to_owned).take(2).collect();
        if awake.len() < 2 || !is_awake("erin", now) {
            return Ok(());
        }
        self.stage.rotate_agents(&awake).await?;
        self.count("agents' keys replaced");
        let reason = "the theft; hot has new agents";
        // The list was changed by hand, which is found as well.
        let more = self.stage.client("dave").findings().await?;
        let more = more.into_iter().filter(|finding| finding.acknowledged.is_none());
        let ids: BTreeSet<String> = findings.into_iter().chain(more.map(|finding| finding.id)).collect();
        self.stage.client("dave").acknowledge(&ids.into_iter().collect::<Vec<_>>(), reason).await?;
        let standing = self.stage.client("dave").stops().await?.standing;
        for (kind, person) in [("hold", "dave"), ("freeze", "erin")] {
            let of_hot = standing.iter().filter(|stop| {
                stop.kind == kind
                    && stop.account.as_ref().is_some_and(|account| account.name.as_deref() == Some("hot"))
            });
            let ids: Vec<String> = of_hot.map(|stop| stop.id.clone()).collect();
            if !ids.is_empty() {
                self.stage.client(person).lift(&ids, reason).await?;
            }
        }
        self.frauds.lifted(self.stage.now());
        self.stage.pass(2).await
    }

    /// What everybody has signed and nothing stops, and what it waits for all the same.
    async fn note_stuck(&mut self) -> Result<(), DevError> {
        let query = ProposalsQuery { open: true, limit: Some(500), ..ProposalsQuery::default() };
        let open = self.stage.client("alice").proposals_page(&query).await?;
        for proposal in open.iter().filter(|proposal| proposal.status == "ready") {
            let waits = proposal.waits_for.join("; ");
            self.stuck.push(format!("{} of {}: {waits}", proposal.id, proposal.account.short()));
        }
        Ok(())
    }

    /// Honest payments that something holds back, other than what was done about a theft.
    fn note_holds(&mut self, stops: &[StopView]) {
        for stop in stops {
            let of_theft =
                stop.account.as_ref().is_some_and(|account| account.name.as_deref() == Some("hot"));
            if of_theft {
                continue;
            }
            for wanted in self.wanted.values_mut() {
                let mine = wanted
                    .proposal
                    .as_ref()
                    .is_some_and(|id| stop.subject.split_whitespace().any(|word| word == id));
                let theirs = stop.account.as_ref().is_some_and(|account| {
                    account.name.as_deref() == Some(wanted.asked.to.as_str())
                        || account.name.as_deref() == Some(wanted.asked.from)
                });
                if (mine || theirs) && !self.stage.truth.paid.contains_key(&wanted.asked.tag) {
                    wanted.held.insert(stop.words());
                }
            }
        }
    }

    /// One of those who could be asked.
    pub fn somebody<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names.choose(&mut self.rng).copied().unwrap_or("alice")
    }
}

/// Whether somebody is awake, by UTC.
#[must_use]
pub fn is_awake(person: &str, at: u32) -> bool {
    let (from, until) = match person {
        // Zurich, New York, Tokyo, London; and who lifts freezes in Lisbon.
        "alice" => (5, 20),
        "bob" => (12, 26),
        "carol" => (22, 37),
        "dave" => (7, 22),
        _ => (6, 22),
    };
    let hour = at % DAY / 3_600;
    (from..until).contains(&hour) || (from..until).contains(&(hour + 24))
}

/// How many salaries are due in a month of so many days.
#[must_use]
pub fn salaries(days: usize) -> usize {
    EMPLOYEES * days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_awake_in_their_hours_also_over_midnight() {
        let at = |hour: u32| BEGINS + 3 * DAY + hour * 3_600;
        for (person, hour, awake) in [
            ("alice", 4, false),
            ("alice", 5, true),
            ("alice", 19, true),
            ("alice", 20, false),
            ("bob", 23, true),
            ("bob", 1, true),
            ("bob", 2, false),
            ("carol", 22, true),
            ("carol", 12, true),
            ("carol", 13, false),
            ("dave", 6, false),
            ("erin", 6, true),
        ] {
            assert_eq!(is_awake(person, at(hour)), awake, "{person} at {hour}");
        }
    }
}
