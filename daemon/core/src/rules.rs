//! Pure questions about the state. A rule takes the state and answers; it never emits.

pub mod decide;
pub mod doomed;
pub mod escrow;
pub mod fee;
pub mod findings;
pub mod fits;
pub mod gate;
pub mod matching;
pub mod multisign;
pub mod release;
pub mod retiring;
pub mod sealing;
pub mod tiers;
pub mod waits;
