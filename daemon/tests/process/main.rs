//! The programs as processes: what their readers, their parents and the system do to them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod ends;
mod known;
mod mailed;
mod modes;
mod secrets;
mod support;
mod told;
mod trusted;
mod unread;
