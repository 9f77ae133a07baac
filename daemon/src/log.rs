//! The log on standard error, which never holds the daemon up and never ends it.
//!
//! Lines go through a bounded queue to a thread that writes them. A reader that has ended costs the lines, and a
//! reader that is stuck costs what does not fit the queue; how many were lost is logged once it reads again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::lines;

/// Lines that wait to be written: some seconds of the busiest log, a megabyte or two.
const WAITING_MAX: usize = 8_192;

/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What is logged where nobody says otherwise.
const FILTER: &str = "info,sled=warn";

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Takes what is logged, and writes it.
pub(crate) fn subscriber<W>(filter: &str, form: Form, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(FILTER));
    let format = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would print with `eprintln!`.
        .log_internal_errors(false)
        .with_writer(writer);
    match form {
        Form::Text => Dispatch::new(format.finish()),
        Form::Json => Dispatch::new(
            format.json().flatten_event(true).with_current_span(false).with_span_list(false).finish(),
        ),
    }
}

enum Piece {
    Line(Vec<u8>),
    /// Everything before it has been written when this is dropped.
    Mark(SyncSender<()>),
}

/// Where lines of the log go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    pieces: SyncSender<Piece>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (pieces, waiting) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&lost);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&waiting, &told, out))?;
        Ok(Self { pieces, lost })
    }

    /// Logs to standard error from now on, panics too.
    ///
    /// # Errors
    /// Where the system gives no thread, or something logs already.
    pub(crate) fn start(form: Form) -> io::Result<Self> {
        let log = Self::to(io::stderr())?;
        let filter = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| FILTER.to_owned());
        tracing::dispatcher::set_global_default(subscriber(&filter, form, log.clone()))
            .map_err(io::Error::other)?;
        std::panic::set_hook(Box::new(|info| lines::panicked(info)));
        Ok(log)
    }

    /// Waits until what was logged so far is written, though not for a reader that is stuck.
    pub(crate) fn flush(&self) {
        let (mark, marked) = sync_channel(0);
        if self.pieces.try_send(Piece::Mark(mark)).is_ok() {
            let _ = marked.recv_timeout(LAST_LINES);
        }
    }
}

/// Ends when the last [`Log`] is gone.
fn write(pieces: &Receiver<Piece>, lost: &AtomicU64, mut out: impl Write) {
    while let Ok(piece) = pieces.recv() {
        match piece {
            // Whoever could be told of an error reads nothing.
            Piece::Line(line) => drop(out.write_all(&line).and_then(|()| out.flush())),
            Piece::Mark(mark) => drop(mark),
        }
        let lines = lost.swap(0, Ordering::Relaxed);
        if lines > 0 {
            // Comes back through the queue, in the form that the log has.
            lines::lines_lost(lines);
        }
    }
}

/// Takes one event, which the subscriber hands over in one piece.
pub(crate) struct Line<'a>(&'a Log);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.pieces.try_send(Piece::Line(bytes.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.0.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Says what it was given; may be stuck, and may have ended.
    struct Reader {
        taken: Arc<Mutex<Vec<u8>>>,
        stuck: Receiver<()>,
        ended: bool,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Told once for all: the sender is dropped.
            let _ = self.stuck.recv();
            if self.ended {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(ended: bool) -> (Log, Arc<Mutex<Vec<u8>>>, SyncSender<()>) {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (free, stuck) = sync_channel(0);
        let log = Log::to(Reader { taken: Arc::clone(&taken), stuck, ended }).unwrap();
        (log, taken, free)
    }

    fn logging(log: &Log, lines: usize) {
        let subscriber =
            tracing_subscriber::fmt().with_writer(log.clone()).log_internal_errors(false).finish();
        tracing::subscriber::with_default(subscriber, || {
            (0..lines).for_each(|line| tracing::info!(line, "said"));
        });
    }

    #[test]
    fn a_reader_that_is_stuck_holds_nobody_up_and_costs_what_does_not_fit() {
        let (log, taken, free) = log(false);
        // Not by way of the subscribers: which lines those let through may hang for a moment on what other tests do to theirs.
        for _ in 0..WAITING_MAX + 100 {
            log.make_writer().write_all(b"said\n").unwrap();
        }
        let lost = log.lost.load(Ordering::Relaxed);
        assert!((99..=100).contains(&lost), "{lost}");
        drop(free);
        // The mark needs a place, too.
        while taken.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        log.flush();
        let text = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        assert!(text.lines().count() >= WAITING_MAX, "{}", text.lines().count());
        assert_eq!(log.lost.load(Ordering::Relaxed), 0, "what was lost is told");
    }

    #[test]
    fn a_reader_that_has_ended_costs_the_lines_and_nothing_else() {
        let (log, taken, free) = log(true);
        drop(free);
        logging(&log, 3);
        log.flush();
        assert!(taken.lock().unwrap().is_empty());
        logging(&log, 1);
    }
}
