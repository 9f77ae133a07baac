//! The treasury daemon: everything around the core that touches the world.
//!
//! ```text
//! ledger port ─┐                       ┌─ append to the store
//! HTTP ────────┼→ queue → engine: step ┤
//! driver ──────┘                       └→ effects → driver → signer, ledger, answers
//! ```
//!
//! The engine's thread owns the state and the store; nothing is released before it is durable. The
//! binary is `treasuryd`; `treasuryctl`, the people's tool, is a crate of its own.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod apart;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
mod control;
pub mod daemon;
#[cfg(feature = "dev")]
pub mod dev;
pub mod driver;
pub mod engine;
pub mod guard;
pub mod http;
mod leave;
pub mod ledger;
pub mod lines;
mod log;
pub mod metrics;
pub mod notify;
pub mod passkey;
mod ports;
pub mod rebuild;
mod redact;
pub mod screening;
mod sight;
mod signals;
pub mod signer;
pub mod store;
mod supervisor;
mod trust;

#[cfg(any(feature = "dev", test))]
pub use treasury_api::client;
use treasury_tools::private;

#[cfg(test)]
mod testing;
