//! The programs as processes: what their readers, their parents and the system do to them.

mod ends;
mod support;
mod unread;
