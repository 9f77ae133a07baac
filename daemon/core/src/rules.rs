//! Pure questions about the state. A rule takes the state and answers; it never emits.

pub mod analysis;
pub mod bounds;
pub mod cells;
pub mod decide;
pub mod doomed;
pub mod escrow;
pub mod example;
pub mod explain;
pub mod fee;
pub mod findings;
pub mod fits;
pub mod forecast;
pub mod gate;
pub mod lockout;
pub mod matching;
pub mod multisign;
pub mod prove;
pub mod release;
pub mod replay;
pub mod retiring;
pub mod risk;
pub mod schedule;
pub mod sealing;
pub mod tiers;
pub mod waits;
pub mod worth;
