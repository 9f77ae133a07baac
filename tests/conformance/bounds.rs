//! A replay that ends: in time, and without ending the others.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use recordings::Recording;
use tests::replay::otherwise::Story;
use tests::replay::{Progress, Score, replay};

/// How long one story may take. The longest takes under a second in a debug build; this leaves room for a machine
/// that does ten other things.
const STORY: Duration = Duration::from_secs(60);

/// How long all stories together may take that nobody asks for: they are told of, not waited for.
const NOT_ASKED: Duration = Duration::from_secs(180);

thread_local! {
    /// Where and why this thread panicked.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What time is left.
pub(crate) struct Bounds {
    not_asked: Duration,
}

impl Bounds {
    pub(crate) fn begin() -> Bounds {
        // A panic ends one story and is told in its line, not in between the others.
        panic::set_hook(Box::new(|info| PANIC.with_borrow_mut(|text| *text = info.to_string())));
        Bounds { not_asked: NOT_ASKED }
    }

    /// Replays a story on a thread of its own, which is left behind where it does not end in time.
    pub(crate) fn replay(&mut self, story: &Recording, is_asked: bool) -> Score {
        let began = Instant::now();
        let patience = if is_asked { STORY } else { STORY.min(self.not_asked) };
        let progress = Progress::default();
        let (send, receive) = mpsc::channel();
        let otherwise = Story::of(&format!("{}/{}", story.folder(), story.name()));
        let (its_story, its_progress) = (story.clone(), progress.clone());
        thread::spawn(move || {
            let score = panic::catch_unwind(AssertUnwindSafe(|| match its_story.load() {
                Ok(story) => replay(&story, otherwise, &its_progress),
                Err(error) => its_progress.cut_short(&format!("not read: {error}")),
            }));
            let panicked = |_| its_progress.cut_short(&PANIC.take());
            // Nobody may be waiting any more.
            let _ = send.send(score.unwrap_or_else(panicked));
        });
        let score = match receive.recv_timeout(patience) {
            Ok(score) => score,
            Err(RecvTimeoutError::Timeout) => progress.cut_short("not through in time"),
            Err(RecvTimeoutError::Disconnected) => progress.cut_short("its thread ended"),
        };
        if !is_asked {
            self.not_asked = self.not_asked.saturating_sub(began.elapsed());
        }
        score
    }
}
