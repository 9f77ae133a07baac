//! What treasuryd decides.
//!
//! This crate has no clock, socket, disk, randomness or async: [`step()`] takes an [`Input`] and the
//! present [`State`], and answers with [`Event`]s (facts, to be made durable) and [`Effect`]s (requests
//! to the world, released only when the facts are durable). Live running, replay after a restart and
//! simulation all go through the same two functions, [`step()`] and [`State::apply`].
//!
//! Time is the validated ledger's close time. Wall time enters only with [`Input::Tick`], to notice
//! that no ledger has come for too long.

pub mod anomaly;
mod apply;
pub mod command;
pub mod config;
pub mod effect;
pub mod escrow;
pub mod event;
pub mod failure;
pub mod fee;
pub mod flow;
pub mod gate;
pub mod input;
pub mod intent;
pub mod invariant;
pub mod multisign;
pub mod observe;
pub mod people;
pub mod policy;
pub mod proposal;
pub mod reconcile;
pub mod state;
pub mod step;
mod stopping;
pub mod stops;
pub mod submission;
pub mod ticket;
pub mod tier;
pub mod units;
pub mod wait;

pub use apply::ApplyError;
pub use command::{Actor, Answer, Command, CommandError};
pub use config::Treasury;
pub use effect::Effect;
pub use event::Event;
pub use input::Input;
pub use state::State;
pub use step::{Output, Runtime, step};
