//! A month of a treasury as evidence: thirty ledger days with the real daemon, in a process of its own, over real sockets, on the
//! embedded ledger, whose time jumps. See docs/reference/month.md.

pub mod cast;
pub mod frauds;
pub mod life;
pub mod numbers;
pub mod plot;
pub mod report;
pub mod stage;
pub mod truth;

use std::path::PathBuf;

use treasuryd::dev::DevError;

use life::{DAY, Life};
use numbers::Numbers;
use stage::{BEGINS, Stage};

/// Ledger time from one look at everything to the next.
pub const TICK_SECONDS: u32 = 1_800;

/// How many there are in a day.
pub const TICKS_A_DAY: u32 = DAY / TICK_SECONDS;

/// Payments that are asked for at once.
pub const AT_ONCE: usize = 16;

/// Days after the last payment is asked for, in which all come to their ends: as long as the longest delay and its window take.
const TAIL_DAYS: u32 = 5;

/// On these days, counted from 0, salaries are due.
const SALARY_DAYS: [u32; 2] = [14, 24];

/// A month's options.
#[derive(Clone, Debug)]
pub struct Options {
    /// Days in which payments are asked for.
    pub days: u32,
    /// The first of them that is played, counted from 0.
    pub from: u32,
    /// Routine payments a day, at least.
    pub payments: u32,
    /// From which everything follows that is left to chance.
    pub seed: u64,
    /// The program that runs the daemon as `PROGRAM run --config FILE`.
    pub exe: PathBuf,
    /// Where the treasury's files are.
    pub dir: PathBuf,
}

impl Options {
    /// Routine payments of the tick that begins at this second of the day.
    #[must_use]
    pub fn ticks_of(&self, second: u32) -> u32 {
        // Most in working hours, few at night; the weights of a day's ticks are 132 together.
        let weight = match second / 3_600 {
            0..6 => 1,
            8..20 => 4,
            _ => 2,
        };
        (self.payments * weight).div_ceil(132)
    }
}

/// Plays the month.
///
/// # Errors
/// Where the daemon does not do what it must: then nothing is measured.
pub async fn play(options: Options, mut told: impl FnMut(u32, &Life)) -> Result<(Life, Numbers), DevError> {
    let (from, days) = (options.from, options.days);
    let salary_days = SALARY_DAYS.into_iter().filter(|day| (from..days).contains(day));
    let salary_days: Vec<String> = salary_days.map(|day| format!("2026-06-{:02}", day + 1)).collect();
    let salaries = life::salaries(salary_days.len());
    let stage = Stage::open(&options, salary_days).await?;
    let mut life = Life::new(stage, options);
    for tick in from * TICKS_A_DAY..days * TICKS_A_DAY {
        life.tick(tick).await?;
        if (tick + 1).is_multiple_of(TICKS_A_DAY) {
            told((tick + 1) / TICKS_A_DAY, &life);
        }
    }
    // Nothing more is asked for; what waits comes to its end.
    for tick in days * TICKS_A_DAY..(days + TAIL_DAYS) * TICKS_A_DAY {
        if tick.is_multiple_of(4) {
            life.tick(tick).await?;
        }
    }
    life.stage.stop().await;
    let until = BEGINS + days * DAY;
    let numbers = Numbers::of(&life, until, salaries);
    Ok((life, numbers))
}
