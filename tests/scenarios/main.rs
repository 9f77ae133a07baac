//! Scenarios: the real daemon over real sockets, on the embedded ledger.
//!
//! Each opens with its goal, its danger and its method. None waits for wall time: a scenario closes ledgers
//! itself while it looks for what it expects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod kills;
mod refusals;
mod scene;
mod story;
mod tools;
mod trouble;
