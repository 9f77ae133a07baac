//! The HTTP API of treasuryd: its operations in one table, their types, and with the feature `client` whoever speaks to a daemon.

#[cfg(feature = "client")]
pub mod client;
pub mod operations;
pub mod types;
