//! What the treasury's programs share at their edges, and what the daemon, the people's tool and dev mode would
//! otherwise each have of their own: output that may be unread, files that are nobody else's business, texts that people
//! write and read.

#![warn(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

pub mod console;
pub mod manual;
pub mod private;
pub mod text;
pub mod value;
