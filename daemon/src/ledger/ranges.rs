//! Which ledgers a server says it has: `complete_ledgers`, as `2-7,9,12-40` or `empty`.

use std::fmt;

/// Stretches of ledger indexes, both ends included, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// Reads the server's text; `None` for what is no such text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "empty" {
            return Some(Self::default());
        }
        let stretch = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some((first, last))
        };
        let mut stretches = text.split(',').map(stretch).collect::<Option<Vec<(u32, u32)>>>()?;
        stretches.sort_unstable();
        Some(Self(stretches))
    }

    /// The last ledger of all.
    pub(super) fn last(&self) -> Option<u32> {
        self.0.iter().map(|(_, last)| *last).max()
    }

    /// The last ledger of the stretch that holds this one.
    pub(super) fn end_of(&self, index: u32) -> Option<u32> {
        self.0.iter().filter(|(first, last)| (*first..=*last).contains(&index)).map(|(_, last)| *last).max()
    }

    /// The first ledger at or after this one that is there.
    pub(super) fn next_from(&self, index: u32) -> Option<u32> {
        self.0.iter().filter(|(_, last)| *last >= index).map(|(first, _)| (*first).max(index)).min()
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{first}..{last}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_s_text_is_read() {
        let ranges = Ranges::parse("9,2-7,12-40").unwrap();
        assert_eq!(ranges.to_string(), "2..7,9..9,12..40");
        let ends = [1, 2, 7, 8, 9, 12, 41].map(|index| ranges.end_of(index));
        assert_eq!(ends, [None, Some(7), Some(7), None, Some(9), Some(40), None]);
        let next = [0, 7, 8, 10, 41].map(|index| ranges.next_from(index));
        assert_eq!(next, [Some(2), Some(7), Some(9), Some(12), None]);
        assert_eq!(Ranges::parse("empty").unwrap().to_string(), "none");
    }

    #[test]
    fn anything_else_is_not_read() {
        for text in ["", "7-2", "a-b", "1-2-3", "-", "4294967296"] {
            assert_eq!(Ranges::parse(text), None, "{text}");
        }
    }
}
