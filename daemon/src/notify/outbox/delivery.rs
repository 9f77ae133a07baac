//! How far a channel has come with a notice.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Seconds before each further attempt: at once after a hiccup, and on for about eight hours, in which somebody comes
/// to work and sees that a receiver is down.
pub(in crate::notify) const WAITS: [u64; 8] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];

/// What is critical waits no longer than this, however long its receiver was down, and is tried for as long all the same.
const CRITICAL_WAITS_MAX: u64 = 600;

/// Seconds before the next attempt of what was tried so often before the last one; `None`: it is given up.
pub(in crate::notify) fn waits(is_critical: bool, tried: u32) -> Option<u64> {
    let tried = usize::try_from(tried).ok()?;
    if !is_critical {
        return WAITS.get(tried).copied();
    }
    let parts = |wait: u64| usize::try_from(wait / CRITICAL_WAITS_MAX).unwrap_or(1);
    let more = WAITS.iter().flat_map(|wait| std::iter::repeat_n(CRITICAL_WAITS_MAX, parts(*wait)));
    let short = WAITS.iter().copied().filter(|wait| *wait < CRITICAL_WAITS_MAX);
    short.chain(more).nth(tried)
}

/// How far a channel has come with a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It is to be sent.
    Waiting,
    /// The receiver has answered that it has it.
    Delivered,
    /// It was tried for long enough. Sent again only where somebody says so.
    Dead,
}

impl Stage {
    /// The stage of that word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Dead].into_iter().find(|stage| stage.word() == word)
    }

    pub(in crate::notify) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// A notice on its way through a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::notify) struct Delivery {
    pub(in crate::notify) stage: Stage,
    /// How often it was tried since it was put in or asked for again.
    pub(in crate::notify) attempts: u32,
    /// When it is to be tried next, or when it came to its end; milliseconds of UTC.
    pub(in crate::notify) at_ms: u64,
    /// What went wrong last. Never quotes what a receiver said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::notify) problem: Option<String>,
    /// Who has it already where it goes to several, by marks that tell nothing of their addresses: the others are tried alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::notify) has: Vec<String>,
    /// The labels under which an Alertmanager was told of what has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::notify) labels: Option<Value>,
}

impl Delivery {
    /// One that is to be sent then for the first time.
    pub(in crate::notify) fn due(at_ms: u64) -> Self {
        Self { stage: Stage::Waiting, attempts: 0, at_ms, problem: None, has: Vec::new(), labels: None }
    }

    /// About when it was tried first, where that was in vain and it is tried again; milliseconds of UTC.
    pub(super) fn failed_since(&self, is_critical: bool) -> Option<u64> {
        let waited = (0..self.attempts).map_while(|tried| waits(is_critical, tried)).sum::<u64>();
        (self.attempts > 0).then(|| self.at_ms.saturating_sub(waited.saturating_mul(1_000)))
    }

    /// It need not be sent any more then.
    pub(in crate::notify) fn overtaken(self, at_ms: u64) -> Self {
        let problem = Some("not sent: of the same alert only what came later holds".to_owned());
        Self { stage: Stage::Delivered, at_ms, problem, ..self }
    }

    /// It goes through another channel instead, because its own is configured no more.
    pub(in crate::notify) fn moved(self, at_ms: u64, to: &str) -> Self {
        let problem =
            Some(format!("not sent: it goes through {to}, because the channel is configured no more"));
        Self { stage: Stage::Delivered, at_ms, problem, ..self }
    }

    /// One that was given up then.
    pub(in crate::notify) fn given_up(at_ms: u64, problem: String) -> Self {
        Self { stage: Stage::Dead, problem: Some(problem), ..Self::due(at_ms) }
    }
}

/// How far a channel has come where that is damaged: better twice than never.
pub(super) fn unknown() -> Delivery {
    Delivery::due(0)
}
