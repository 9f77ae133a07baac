//! The HTTP API of treasuryd: its types, and with the feature `client` whoever speaks to a daemon.

#[cfg(feature = "client")]
pub mod client;
pub mod types;
