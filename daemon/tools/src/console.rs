//! Standard output and standard error, whose readers may end at any moment.
//!
//! `println!` panics when its reader is gone, and a panic that cannot be printed either aborts the process. So
//! nothing here prints with it (the lint is on for the whole crate): what a command was asked for goes out with
//! [`out!`], which says whether it went, and what people are told beside it with [`say!`], which goes on in any
//! case.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;

/// How many columns standard output has, where it is a terminal that knows.
#[must_use]
pub fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// The answer could not be written to standard output.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the answer: {0}")]
pub struct Unwritten(#[source] io::Error);

impl Unwritten {
    /// Whether whoever read the output has seen enough: no failure, as `| head` means none.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<Unwritten> for io::Error {
    fn from(error: Unwritten) -> Self {
        error.0
    }
}

/// Writes to standard output, as `println!` without its panic.
#[macro_export]
macro_rules! out {
    ($($text:tt)*) => { $crate::console::write_out(format_args!($($text)*)) };
}

/// Writes to standard error, as `eprintln!` without its panic. Where nobody reads, nobody is told.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::console::write_err(format_args!($($text)*)) };
}

pub use crate::{out, say};

/// What [`out!`] does.
///
/// # Errors
/// Where it cannot be written.
pub fn write_out(text: fmt::Arguments<'_>) -> Result<(), Unwritten> {
    put(&mut io::stdout().lock(), text).map_err(Unwritten)
}

/// What [`say!`] does.
pub fn write_err(text: fmt::Arguments<'_>) {
    let _ = put(&mut io::stderr().lock(), text);
}

/// In one piece: lines of other threads and processes come before or after it, not in between.
fn put(out: &mut impl Write, text: fmt::Arguments<'_>) -> io::Result<()> {
    out.write_all(format!("{text}\n").as_bytes())?;
    out.flush()
}

/// Waits until nobody reads standard output any more. Where it is a file or a terminal, that is never.
pub async fn unread() {
    let (send, ended) = tokio::sync::oneshot::channel::<()>();
    // On a thread of its own, which ends with the process: the wait cannot be interrupted.
    std::thread::spawn(move || {
        let out = io::stdout();
        // Asked for nothing, the system says only that the other side is gone.
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        while let Err(Errno::INTR) = poll(&mut watched, None) {}
        let [watched] = watched;
        if watched.revents().is_empty() {
            // It cannot be watched, which is no end.
            std::mem::forget(send);
        }
    });
    let _ = ended.await;
}

/// The exit code of a command that has done its work, whether or not anybody read what it has to say.
///
/// # Errors
/// Where it could not be written though somebody reads.
pub fn ended(written: Result<(), Unwritten>, code: ExitCode) -> Result<ExitCode, Unwritten> {
    match written {
        Err(error) if !error.is_unread() => Err(error),
        _ => Ok(code),
    }
}

/// Reports of errors and panics as `color-eyre` words them. Its own hook for panics prints with `eprintln!`, so a
/// panic that was going to be caught would end the process where nobody reads standard error.
///
/// # Errors
/// Where another hook is installed.
pub fn install_reports() -> color_eyre::Result<()> {
    let (panics, errors) = color_eyre::config::HookBuilder::default().into_hooks();
    errors.install()?;
    std::panic::set_hook(Box::new(move |info| say!("{}", panics.panic_report(info))));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_ended_is_told_from_a_disk_that_is_full() {
        let ended_with = |kind: io::ErrorKind| ended(Err(Unwritten(kind.into())), ExitCode::from(3)).is_ok();
        assert!(ended_with(io::ErrorKind::BrokenPipe));
        assert!(!ended_with(io::ErrorKind::StorageFull));
    }
}
