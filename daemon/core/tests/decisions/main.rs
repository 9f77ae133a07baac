//! What the core decides, told as stories on a small world around it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod again;
mod asking;
mod behaviour;
mod boundaries;
mod cascades;
mod commitments;
mod deadlines;
mod declared;
mod drills;
mod escrows;
mod exposure;
mod facts;
mod fence;
mod fits;
mod forecast;
mod golden;
mod guarded;
mod invariants;
mod itself;
mod judged;
mod leaving;
mod lockout;
mod lost;
mod matchers;
mod outrun;
mod payments;
mod policy;
mod prove;
mod random;
mod recipient;
mod reviewed;
mod schedules;
mod sight;
mod signing;
mod standing;
mod stops;
mod submission;
mod sweeps;
mod tickets;
mod tried;
mod voids;
mod ways;
mod words;
mod world;
