//! The embedded server over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod asked;
mod comfort;
mod control;
mod edges;
mod explorer;
mod faults;
mod generations;
mod lifecycle;
mod malformed;
mod methods;
mod path;
mod reading;
mod readme;
mod reference;
mod signing;
mod standalone;
mod streams;
mod support;
mod view;
