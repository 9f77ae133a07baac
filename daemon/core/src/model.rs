//! The vocabulary: what there is, what can happen, and how facts change the state.

pub(crate) mod apply;
pub mod book;
pub mod columns;
pub mod command;
pub mod config;
pub mod effect;
pub mod event;
pub mod failure;
pub mod input;
pub mod intent;
pub mod invariant;
pub mod list;
pub mod matchers;
mod moved;
pub mod observe;
pub mod payments;
pub mod policy;
mod promises;
pub mod proposal;
pub mod risk;
pub mod role;
pub mod rule;
pub mod signing;
pub mod state;
pub mod stops;
pub mod units;
pub mod wait;
