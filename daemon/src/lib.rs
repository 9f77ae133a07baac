//! The treasury daemon: everything around the core that touches the world.
//!
//! ```text
//! ledger port ─┐                       ┌─ append to the store
//! HTTP ────────┼→ queue → engine: step ┤
//! driver ──────┘                       └→ effects → driver → signer, ledger, answers
//! ```
//!
//! The engine's thread owns the state and the store; nothing is released before it is durable. The
//! binaries are `treasuryd`, the daemon, and `treasuryctl`, the people's tool.

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
mod console;
pub mod ctl;
pub mod daemon;
pub mod dev;
pub mod driver;
pub mod engine;
pub mod http;
pub mod ledger;
mod log;
mod manual;
pub mod metrics;
mod ports;
mod private;
pub mod rebuild;
mod redact;
mod signals;
pub mod signer;
pub mod store;
mod supervisor;

#[cfg(test)]
mod testing;
