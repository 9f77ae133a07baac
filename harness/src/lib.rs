//! An embedded XRP Ledger for tests: a standalone ledger as a value, and a server around it.
//!
//! [`embedded`] is the ledger, with time set and never slept; [`embedded::rpc`] are the server's methods as functions
//! over it; [`server`] serves them over JSON-RPC and websocket; [`network`] is the one trait that tests are written
//! against.

pub mod embedded;
pub mod network;
pub mod server;

pub use network::{Network, World};
pub use server::{EmbeddedConfig, EmbeddedServer, Faults, ServerError};
