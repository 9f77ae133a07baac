//! What was told, in its order, for whoever listens.

use std::ops::Bound;

use treasury_api::notice::START;
use treasury_api::types::Notice;

use super::{Number, Outbox, OutboxError};

/// Where somebody stands who listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::notify) struct Place {
    /// The number of the last notice that they have, or one that is below all that are kept.
    pub(in crate::notify) number: Number,
    /// Its id, or what stands for it.
    pub(in crate::notify) id: String,
    /// Whether that id is none of a notice that is kept.
    pub(in crate::notify) is_unknown: bool,
}

/// Notices that somebody does not have yet.
#[derive(Debug, Default)]
pub(in crate::notify) struct Page {
    /// Each with how many between it and the one before it are kept no more.
    pub(in crate::notify) notices: Vec<(u64, Notice)>,
    /// The number of the last one.
    pub(in crate::notify) last: Number,
}

impl Outbox {
    /// The number of the last notice that was told; 0 before the first.
    pub(in crate::notify) fn last(&self) -> Number {
        self.last
    }

    /// Where somebody stands who has the notice of this id and all before it; without one, who has all.
    pub(in crate::notify) fn place(&self, id: Option<&str>) -> Place {
        let before_all = || self.held.keys().next().map_or(self.last, |first| first.saturating_sub(1));
        let (number, id, is_unknown) = match id {
            None => match self.held.last_key_value() {
                Some((number, held)) => (*number, held.id.clone(), false),
                None => (self.last, START.to_owned(), false),
            },
            Some(START) => (before_all(), START.to_owned(), false),
            Some(id) => match self.number(id) {
                Some(number) => (number, id.to_owned(), false),
                None => (before_all(), id.to_owned(), true),
            },
        };
        Place { number, id, is_unknown }
    }

    /// Notices above a number, at most so many, in their order.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(in crate::notify) fn after(&self, number: Number, most: usize) -> Result<Page, OutboxError> {
        let mut page = Page { notices: Vec::new(), last: number };
        for number in self.held.range((Bound::Excluded(number), Bound::Unbounded)).map(|(number, _)| *number)
        {
            if page.notices.len() >= most {
                break;
            }
            // One that is damaged is as one that is kept no more.
            let Some(notice) = self.notice_at(number)? else { continue };
            let missing = number.saturating_sub(page.last).saturating_sub(1);
            page.notices.push((missing, notice));
            page.last = number;
        }
        Ok(page)
    }
}
