//! What the month came to, and whether that is what it has to be.

use std::collections::BTreeMap;

use xrpl_wire::TransactionType;

use super::cast::{BANDS, EMPLOYEES, PERSON_DAY_XRP, SALARY_XRP};
use super::frauds::{Attempt, Kind};
use super::life::{Class, DAY, Life, XRP};
use super::stage::BEGINS;

/// The least share of routine payments that no person had to sign.
pub const STRAIGHT_LEAST: f64 = 0.95;

/// The largest share of honest payments that something held.
pub const HELD_MOST: f64 = 0.005;

/// The least share of the time in which an account is within its band.
pub const BAND_LEAST: f64 = 0.99;

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The attempt.
    pub attempt: Attempt,
    /// Drops that came to the thief.
    pub took: u64,
    /// What it could have taken by what was said, where it is bounded and not stopped.
    pub bound: Option<u64>,
    /// What was poured into the account after the theft was in a ledger and before people had looked.
    pub poured: u64,
    /// Whether that is as it must be.
    pub held: bool,
    /// In words.
    pub says: String,
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Payments that honest people asked for, by class.
    pub asked: BTreeMap<Class, usize>,
    /// Those that came.
    pub paid: BTreeMap<Class, usize>,
    /// Seconds of ledger time from being wanted to being validated, ascending, by class.
    pub delays: BTreeMap<Class, Vec<u32>>,
    /// Routine payments that no person signed.
    pub straight: usize,
    /// The fewest payments of a day.
    pub least_a_day: usize,
    /// Each day's payments: straight, and all.
    pub days: Vec<(usize, usize)>,
    /// Payments that came more than once, or another amount than was asked for.
    pub wrong: Vec<String>,
    /// Honest payments that something held.
    pub held: Vec<String>,
    /// Honest payments that did not come.
    pub missing: Vec<String>,
    /// Salaries that were due, and that came.
    pub salaries: (usize, usize),
    /// Attempts at fraud.
    pub frauds: Vec<Outcome>,
    /// Of the time, the share that each account was within its band.
    pub bands: Vec<(&'static str, f64)>,
    /// Fees burned by the treasury's accounts, in drops.
    pub burned: u64,
    /// Transactions of the treasury's accounts.
    pub transactions: u64,
    /// Escrows that were made, finished and cancelled.
    pub escrows: (u64, u64, u64),
    /// Ledgers.
    pub ledgers: u32,
}

impl Numbers {
    /// Of a month that has ended.
    #[must_use]
    pub fn of(life: &Life, until: u32, salaries: usize) -> Self {
        let truth = &life.stage.truth;
        let mut numbers = Self {
            asked: BTreeMap::new(),
            paid: BTreeMap::new(),
            delays: BTreeMap::new(),
            straight: 0,
            least_a_day: 0,
            days: vec![(0, 0); usize::try_from(life.options.days).unwrap_or_default()],
            wrong: Vec::new(),
            held: Vec::new(),
            missing: Vec::new(),
            salaries: (salaries, 0),
            frauds: life.frauds.attempts.iter().map(|attempt| outcome(life, attempt)).collect(),
            bands: BANDS
                .into_iter()
                .map(|(name, low, high)| {
                    (name, truth.within_band(name, (low, high), (BEGINS + life.options.from * DAY, until)))
                })
                .collect(),
            burned: truth.burned(),
            transactions: truth.fees.values().map(|burned| burned.count).sum(),
            escrows: (
                truth.count(TransactionType::EscrowCreate),
                truth.count(TransactionType::EscrowFinish),
                truth.count(TransactionType::EscrowCancel),
            ),
            ledgers: truth.ledgers,
        };
        for wanted in life.wanted.values() {
            numbers.honest(life, wanted);
        }
        numbers.delays.values_mut().for_each(|delays| delays.sort_unstable());
        numbers.least_a_day = numbers
            .days
            .iter()
            .skip(usize::try_from(life.options.from).unwrap_or_default())
            .map(|(_, all)| *all)
            .min()
            .unwrap_or_default();
        let salary =
            |n: usize| truth.came.get(&life.stage.cast.id(&format!("employee-{n}"))).map_or(0, Vec::len);
        numbers.salaries.1 = (1..=EMPLOYEES).map(salary).sum();
        let paid: u64 =
            (1..=EMPLOYEES).map(|n| truth.came_to(&life.stage.cast.id(&format!("employee-{n}")))).sum();
        if paid != numbers.salaries.1 as u64 * SALARY_XRP * XRP {
            numbers.wrong.push(format!("{paid} drops of salaries"));
        }
        numbers
    }

    fn honest(&mut self, life: &Life, wanted: &super::life::Wanted) {
        let (class, asked) = (wanted.class, &wanted.asked);
        *self.asked.entry(class).or_default() += 1;
        let name = || {
            let proposal = wanted.proposal.as_deref().unwrap_or("never asked for");
            format!("{proposal}: {} XRP from {} to {}", asked.drops / XRP, asked.from, asked.to)
        };
        let paid = life.stage.truth.paid.get(&asked.tag).map_or(&[][..], Vec::as_slice);
        if let Some(day) = self.days.get_mut((wanted.at.saturating_sub(BEGINS) / DAY) as usize) {
            let straight = paid.first().is_some_and(|paid| paid.people == 0);
            *day = (day.0 + usize::from(straight), day.1 + 1);
        }
        if let Some(why) = wanted.held.first() {
            self.held.push(format!("{}: {why}", name()));
        }
        let Some(first) = paid.first() else {
            self.missing.push(format!("{}{}", name(), wanted.refused.as_deref().unwrap_or("")));
            return;
        };
        if paid.len() > 1 || first.drops != asked.drops {
            self.wrong.push(format!("{} came as {paid:?}", name()));
        }
        *self.paid.entry(class).or_default() += 1;
        self.delays.entry(class).or_default().push(first.at.saturating_sub(wanted.at));
        if class == Class::Routine && first.people == 0 {
            self.straight += 1;
        }
    }

    /// Of the routine payments, the share that no person had to sign.
    #[must_use]
    pub fn straight_share(&self) -> f64 {
        share(self.straight, self.asked.get(&Class::Routine).copied().unwrap_or_default())
    }

    /// Of the honest payments, the share that something held or that did not come.
    #[must_use]
    pub fn held_share(&self) -> f64 {
        let all: usize = self.asked.values().sum();
        share(self.held.len() + self.missing.len(), all)
    }

    /// Attempts that are to be stopped, and that were; and those that are bounded, and stayed within the bound.
    #[must_use]
    pub fn stopped(&self) -> [(usize, usize); 2] {
        [true, false].map(|stopped| {
            let of = self.frauds.iter().filter(|outcome| outcome.attempt.kind.is_stopped() == stopped);
            (of.clone().filter(|outcome| outcome.held).count(), of.count())
        })
    }

    /// A percentile of a class's delays, in seconds.
    #[must_use]
    pub fn delay(&self, class: Class, permille: usize) -> Option<u32> {
        let all = self.delays.get(&class)?;
        let place = (all.len().checked_sub(1)? * permille).div_ceil(1_000);
        all.get(place).copied()
    }

    /// What is not as it has to be.
    #[must_use]
    pub fn missed(&self, options: &super::Options) -> Vec<String> {
        let (payments, whole_week) = (options.payments, options.from == 0 && options.days >= 9);
        let mut missed = self.wrong.clone();
        let mut demand = |is_so: bool, what: String| {
            if !is_so {
                missed.push(what);
            }
        };
        let least = usize::try_from(payments).unwrap_or_default();
        demand(
            self.least_a_day >= least,
            format!("a day has {} payments, {payments} are wanted", self.least_a_day),
        );
        let straight = self.straight_share();
        demand(
            straight >= STRAIGHT_LEAST,
            format!("{:.2} % of routine payments go straight through", 100.0 * straight),
        );
        let held = self.held_share();
        demand(held <= HELD_MOST, format!("{:.2} % of honest payments are held or missing", 100.0 * held));
        for (name, share) in &self.bands {
            demand(*share >= BAND_LEAST, format!("{name} is in its band {:.2} % of the time", 100.0 * share));
        }
        for outcome in self.frauds.iter().filter(|outcome| !outcome.held) {
            demand(
                false,
                format!(
                    "{}, week {}: {}",
                    outcome.attempt.kind.word(),
                    outcome.attempt.week + 1,
                    outcome.says
                ),
            );
        }
        let (due, came) = self.salaries;
        demand(due == came, format!("{came} of {due} salaries came"));
        // Of the kinds of a whole week each was tried.
        for kind in Kind::ALL.into_iter().filter(|_| whole_week) {
            let tried = self.frauds.iter().any(|outcome| outcome.attempt.kind == kind);
            demand(tried, format!("{} was not tried", kind.word()));
        }
        missed
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn outcome(life: &Life, attempt: &Attempt) -> Outcome {
    let truth = &life.stage.truth;
    let account = life.stage.cast.id(&attempt.thief);
    let week = attempt.at..attempt.at.saturating_add(6 * DAY);
    let came = truth.came.get(&account).map_or(&[][..], Vec::as_slice);
    let mine: Vec<&(u32, &str, u64)> = came.iter().filter(|(at, ..)| week.contains(at)).collect();
    let took: u64 = mine.iter().map(|(_, _, drops)| drops).sum();
    let first = mine.first().map(|(at, ..)| *at);
    let lifted = attempt.lifted.unwrap_or(u32::MAX);
    let poured = match (first, attempt.kind.is_stopped()) {
        // What was under way when the theft came in is in the same ledger, or the next one.
        (Some(first), false) => {
            let moves =
                truth.moves.iter().filter(|(at, _, to, _)| *to == "hot" && *at > first + 8 && *at < lifted);
            moves.map(|(_, _, _, drops)| drops).sum()
        }
        _ => 0,
    };
    let bound = attempt.told.as_ref().map(|(drops, _)| *drops);
    let xrp = |drops: u64| format!("{} XRP", drops / XRP);
    let (held, says) = match attempt.kind {
        Kind::DepositAuth => {
            let back = attempt
                .tags
                .iter()
                .filter_map(|tag| truth.aside_of(*tag))
                .all(|aside| aside.returned.is_some());
            let made = attempt.tags.iter().any(|tag| truth.aside_of(*tag).is_some());
            let says = if made {
                "withheld, nothing was shown, and the money is back"
            } else {
                "no escrow was made"
            };
            (took == 0 && made && back, says.to_owned())
        }
        Kind::ChangedDestination => {
            let aside = attempt.tags.first().and_then(|tag| truth.aside_of(*tag));
            let back = aside.is_some_and(|aside| aside.returned.is_some());
            (took == 0 && back, "flagged while it waited, and the money is back".to_owned())
        }
        kind if kind.is_stopped() => (took == 0, "nobody signed it, and nothing left".to_owned()),
        Kind::Insider => {
            let day = truth.came_within(&account, DAY);
            let within = bound.is_some_and(|bound| day <= bound) && day <= PERSON_DAY_XRP * XRP;
            (
                within,
                format!("took {} within a day, {} could be taken", xrp(day), xrp(bound.unwrap_or_default())),
            )
        }
        _ => {
            let within = bound.is_some_and(|bound| took <= bound)
                && poured == 0
                && attempt.lifted.is_some()
                && took > 0;
            let says = format!(
                "took {}, {} could be taken; {} was poured in after the theft",
                xrp(took),
                xrp(bound.unwrap_or_default()),
                xrp(poured)
            );
            (within, says)
        }
    };
    Outcome { attempt: attempt.clone(), took, bound, poured, held, says }
}
