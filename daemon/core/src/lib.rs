//! What treasuryd decides.
//!
//! This crate has no clock, socket, disk, randomness or async: [`step()`] takes an [`Input`] and the
//! present [`State`], and answers with [`Event`]s (facts, to be made durable) and [`Effect`]s (requests
//! to the world, released only when the facts are durable). Live running, replay after a restart and
//! simulation all go through the same two functions, [`step()`] and [`State::apply`].
//!
//! It has three layers, each of which knows only those before it: [`model`] is the vocabulary and how facts change
//! the state, [`rules`] are questions about the state that change nothing, and *work* is what a step does. Only
//! work emits events.
//!
//! Time is the validated ledger's close time. Wall time enters only with [`Input::Tick`], to notice
//! that no ledger has come for too long.

pub mod model;
pub mod rules;
mod work;

/// Names the sources that this was built from: two builds with the same name add up the same state from the same records.
pub const SOURCES: &str = env!("TREASURY_CORE_SOURCES");

pub use model::apply::ApplyError;
pub use model::command::{Actor, Answer, Command, CommandError};
pub use model::config::Treasury;
pub use model::effect::Effect;
pub use model::event::Event;
pub use model::input::Input;
pub use model::state::State;
pub use model::{
    address_book, book, charter, command, config, drill, effect, event, failure, input, inquiry, intent,
    invariant, list, observe, outlook, payments, policy, proposal, settings, shadow, signing, state, stops,
    units, wait,
};
pub use rules::{
    analysis, clock, decide, doomed, drills, escrow, example, explain, exposure, fee, findings, fits,
    forecast, gate, lockout, matching, multisign, prove, reach, release, replay, retiring, schedule, sealing,
    tiers, waits, worth,
};
pub use work::cx::{Output, Runtime};
pub use work::step::step;
