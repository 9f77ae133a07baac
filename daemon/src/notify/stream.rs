//! What programs are told while they listen: the notices of the outbox in their order, as server-sent events.
//!
//! Whoever listens has a place in the outbox and asks for a page at a time when it has taken the one before, so that it
//! fills no memory; nothing of the telling knows that it is there.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio::sync::watch;
use treasury_api::notice::{TRIMMED, TRIMMED_VERSION};
use treasury_api::types::{Notice, Trimmed};

use super::Desk;
use super::outbox::{OutboxError, Place};

/// Notices that are read at a time: a notice takes about a kilobyte.
const PAGE: usize = 32;

/// Somebody who listens.
#[derive(Debug)]
pub(crate) struct Listener {
    desk: Arc<Desk>,
    place: Place,
    told: watch::Receiver<u64>,
}

impl Desk {
    /// Listens from after the notice with this id on.
    pub(crate) fn listen(self: Arc<Self>, after: Option<&str>) -> Listener {
        let told = self.told.subscribe();
        let place = self.outbox().place(after);
        Listener { desk: self, place, told }
    }
}

impl Listener {
    /// What a stream begins with: the place that it begins at, so that whoever loses it before the first notice goes on
    /// there all the same; and whether the place is none that is kept.
    pub(crate) fn greeting(&self) -> String {
        let Place { id, is_unknown, .. } = &self.place;
        if *is_unknown {
            return event(&trimmed(id, None));
        }
        // An event without data is none, and its id counts.
        format!("id: {}\n\n", plain(id))
    }

    /// The events that are there after the last ones, as text; of them at most a page. Blocks, for it reads a disk.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn next(&mut self) -> Result<String, OutboxError> {
        // Before it is looked: what is told meanwhile is seen the next time.
        self.told.mark_unchanged();
        let mut text = String::new();
        for _ in 0..PAGE {
            // The outbox is let go of after each: those who tell come in between.
            let page = self.desk.outbox().after(self.place.number, 1)?;
            let Some((missing, notice)) = page.notices.first() else { break };
            if *missing > 0 {
                text.push_str(&event(&trimmed(&self.place.id, Some(*missing))));
            }
            text.push_str(&told(notice)?);
            self.place.id.clone_from(&notice.id);
            self.place.number = page.last;
        }
        self.place.is_unknown = false;
        Ok(text)
    }

    /// Waits until something was told since. `false`: nothing will be any more.
    pub(crate) async fn more(&mut self) -> bool {
        self.told.changed().await.is_ok()
    }
}

/// What is kept no more.
pub(super) fn trimmed(after: &str, missing: Option<u64>) -> Trimmed {
    let says = match missing {
        Some(1) => "One notice that came after this one is kept no more, or is damaged.".to_owned(),
        Some(missing) => format!("{missing} notices that came after this one are kept no more."),
        None => "No notice of this id is kept, so what came after it may be kept no more; all that are kept follow.".to_owned(),
    };
    let after = Some(plain(after).to_owned());
    Trimmed { version: TRIMMED_VERSION, kind: TRIMMED.to_owned(), after, missing, says }
}

fn event(document: &Trimmed) -> String {
    // Plain data with texts for keys: it cannot fail.
    let data = serde_json::to_string(document).unwrap_or_default();
    format!("event: {TRIMMED}\ndata: {data}\n\n")
}

/// The document stands on one line: JSON has no line breaks but between its values, and none are written there.
fn told(notice: &Notice) -> Result<String, OutboxError> {
    let document = notice.document().map_err(|error| OutboxError::Damaged(error.to_string()))?;
    let mut text = String::with_capacity(document.len().saturating_add(128));
    // Writing to a String cannot fail.
    let _ = write!(text, "id: {}\nevent: {}\ndata: {document}\n\n", plain(&notice.id), notice.kind);
    Ok(text)
}

/// An id that somebody sent begins no line of its own.
fn plain(id: &str) -> &str {
    id.split(|letter: char| letter.is_control()).next().unwrap_or_default()
}
