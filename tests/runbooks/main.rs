//! The runbooks of docs/how-to, played from their own text: every command in them is run as it stands there, by whoever it
//! says, in a treasury to which that incident has just happened; and what the page says it does is looked for on the ledger.
//!
//! Goal: who is woken at three in the morning can believe the page. Danger: a command that was renamed, an order that leaves
//! a thief the time, a claim that was true once. Method: the real programs and a shell, on a ledger of each test's own whose
//! time the test moves. A step that no test does fails the test of its page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod book;
mod escrows;
mod incident;
mod keys;
mod machine;
mod pages;
mod sight;
