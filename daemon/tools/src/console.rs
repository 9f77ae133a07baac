//! Standard output and standard error, whose readers may end at any moment.
//!
//! `println!` panics when its reader is gone, and a panic that cannot be printed either aborts the process. So
//! nothing here prints with it (the lint is on for the whole crate): what a command was asked for goes out with
//! [`out!`], which says whether it went, and what people are told beside it with [`say!`], which goes on in any
//! case.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use zeroize::Zeroizing;

/// How many columns standard output has, where it is a terminal that knows.
#[must_use]
pub fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Reads a line that is secret from standard input. At a terminal it is asked for, and not shown while it is typed.
///
/// # Errors
/// What the system says.
pub fn secret_line(question: &str) -> io::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    let _hidden = if stdin.is_terminal() {
        let hidden = Hidden::on(&stdin)?;
        say!("{question}");
        Some(hidden)
    } else {
        None
    };
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    Ok(line)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'a, T: AsFd> {
    terminal: &'a T,
    before: Termios,
}

impl<'a, T: AsFd> Hidden<'a, T> {
    fn on(terminal: &'a T) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown, so that what is printed next is on a line of its own.
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl<T: AsFd> Drop for Hidden<'_, T> {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing anyhow.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
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
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

    use super::*;

    /// Danger: whoever looks over a shoulder, or at the terminal's history, reads a seed.
    #[test]
    fn what_is_typed_in_secret_is_not_shown_and_what_follows_is() {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let terminal = ioctl_tiocgptpeer(&controller, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let shows = || tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ECHO);
        assert!(shows());
        let hidden = Hidden::on(&terminal).unwrap();
        assert!(!shows());
        drop(hidden);
        assert!(shows());
    }

    #[test]
    fn a_reader_that_has_ended_is_told_from_a_disk_that_is_full() {
        let ended_with = |kind: io::ErrorKind| ended(Err(Unwritten(kind.into())), ExitCode::from(3)).is_ok();
        assert!(ended_with(io::ErrorKind::BrokenPipe));
        assert!(!ended_with(io::ErrorKind::StorageFull));
    }
}
