//! Stories that are asked for up to a step, and the steps that come out otherwise.
//!
//! The server of `cosigner` follows code that its own last text contradicts in places; where this ledger follows the
//! text, or a type of transaction is not there, a step is answered otherwise, and the ledgers after it are others. All
//! that is submitted after it must be answered as recorded, but for the steps listed here.

/// A story that parts from its recording.
pub struct Story {
    pub name: &'static str,
    /// The steps at which something submitted comes out otherwise: what the answer holds, and why.
    pub steps: &'static [(usize, &'static str, &'static str)],
    /// The step from which on nothing is compared any more, if there is one.
    pub end: Option<usize>,
}

/// All of them.
pub const STORIES: &[Story] = &[
    Story {
        name: "cosigner/cosign-open-points",
        steps: &[
            (20, "tecNO_PERMISSION", "the initiator's key comes before what others sign with it"),
            (30, "tecINSUFF_FEE", "the fee does not pay for the counterparty, who has to sign"),
            (32, "tecNO_PERMISSION", "it is over the initiator's key, which was not taken"),
            (35, "temUNKNOWN", "there are no loans"),
            (47, "tecINSUFF_FEE", "the fee does not pay for a second signer"),
            (55, "tecINSUFF_FEE", "the fee does not pay for a participant"),
        ],
        end: None,
    },
    // From here on it has an AMM.
    Story { name: "cosigner/beyond/cosign-delegate", steps: &[], end: Some(95) },
    // From here on it sends loans.
    Story { name: "cosigner/beyond/cosign-loan", steps: &[], end: Some(32) },
];

impl Story {
    /// The story of a name, if it is one of these.
    pub fn of(name: &str) -> Option<&'static Story> {
        STORIES.iter().find(|story| story.name == name)
    }

    /// The step from which on ledgers are others than those recorded.
    pub fn parts_at(&self) -> usize {
        let first = self.steps.first().map(|(step, _, _)| *step);
        first.or(self.end).unwrap_or(usize::MAX)
    }

    /// What is answered at a step in place of what was recorded.
    pub fn answer_at(&self, step: usize) -> Option<&'static str> {
        self.steps.iter().find(|(at, _, _)| *at == step).map(|(_, answer, _)| *answer)
    }

    pub fn is_over(&self, step: usize) -> bool {
        self.end.is_some_and(|end| step >= end)
    }
}
