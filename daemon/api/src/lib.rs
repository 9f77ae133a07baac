//! The HTTP API of treasuryd: its operations in one table, their types, and with the feature `client` whoever speaks to a daemon.

mod amount;
#[cfg(feature = "client")]
pub mod client;
pub mod notice;
pub mod operations;
pub mod text;
pub mod types;
mod words;

/// The files of the types, which the reference of the API is made of.
pub const TYPES: &str = concat!(
    include_str!("types/requests.rs"),
    include_str!("types.rs"),
    include_str!("types/status.rs"),
    include_str!("types/schedules.rs"),
    include_str!("types/forecast.rs"),
    include_str!("types/lockout.rs"),
    include_str!("types/exposure.rs"),
    include_str!("types/drill.rs"),
    include_str!("types/tiers.rs"),
    include_str!("types/policy.rs"),
    include_str!("types/destinations.rs"),
    include_str!("types/deliveries.rs"),
    include_str!("types/stream.rs"),
    include_str!("types/audit.rs")
);
