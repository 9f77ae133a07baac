//! The acts of a step: what emits events and asks the world for something.

pub(crate) mod address_book;
pub(crate) mod anomaly;
pub(crate) mod asked;
pub(crate) mod behaviour;
pub(crate) mod breaker;
pub(crate) mod charter;
pub(crate) mod cx;
pub(crate) mod drill;
pub(crate) mod ending;
pub(crate) mod fallen;
pub(crate) mod flow;
pub(crate) mod guard;
pub(crate) mod guarded;
pub(crate) mod itself;
pub(crate) mod people;
pub(crate) mod recognise;
pub(crate) mod reconcile;
pub(crate) mod retire;
pub(crate) mod runway;
pub(crate) mod schedule;
pub(crate) mod signing;
pub(crate) mod step;
pub(crate) mod stopping;
pub(crate) mod submission;
pub(crate) mod ticket;
pub(crate) mod tier;
