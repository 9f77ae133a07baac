//! What is told, while it is told.

use std::time::Duration;

use reqwest::Response;

use super::{Client, ClientError, parse, transport};
use crate::notice::TRIMMED;
use crate::operations::Operation;
use crate::types::{Notice, StreamQuery, Trimmed};

/// A stream has no end, and its request no time.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The longest event that is read: a notice has a few kilobytes.
const EVENT_MAX_BYTES: usize = 1024 * 1024;

/// What comes while somebody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A notice, and the document as it came.
    Notice(Box<Notice>, String),
    /// Some are kept no more.
    Trimmed(Trimmed),
}

/// Notices as they are told.
#[derive(Debug)]
pub struct Watch {
    response: Response,
    reader: Reader,
}

impl Client {
    /// Listens: to what is told after the notice with this id, or from now on. [`crate::notice::START`] is before all that
    /// are kept.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn watch(&self, after: Option<&str>) -> Result<Watch, ClientError> {
        let asked = StreamQuery { after: after.map(str::to_owned) };
        let request = self.request(Operation::Stream, "", &asked)?.timeout(FOR_EVER);
        let response = request.send().await.map_err(|error| transport(&error))?;
        if !response.status().is_success() {
            return Err(self.refused(super::whole(response).await?));
        }
        Ok(Watch { response, reader: Reader::default() })
    }
}

impl Watch {
    /// The next one. `None`: the daemon has ended the stream; whoever listens again says how far they came.
    ///
    /// # Errors
    /// As [`Client::status`]. Nothing more comes then.
    pub async fn next(&mut self) -> Result<Option<Told>, ClientError> {
        loop {
            if let Some((kind, data)) = self.reader.event()? {
                if kind == TRIMMED {
                    return parse(&data).map(|trimmed| Some(Told::Trimmed(trimmed)));
                }
                return parse(&data).map(|notice| Some(Told::Notice(Box::new(notice), data)));
            }
            match self.response.chunk().await.map_err(|error| transport(&error))? {
                Some(bytes) => self.reader.bytes.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }

    /// The id that whoever listens again goes on after.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.reader.last.as_deref()
    }
}

/// Reads events out of bytes, as far as this stream has them: each field on one line, lines that end with a line feed.
#[derive(Debug, Default)]
struct Reader {
    bytes: Vec<u8>,
    last: Option<String>,
}

impl Reader {
    /// The next event that has data, with its name.
    fn event(&mut self) -> Result<Option<(String, String)>, ClientError> {
        loop {
            let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") else {
                return if self.bytes.len() > EVENT_MAX_BYTES {
                    Err(ClientError::BadAnswer("an event of it has no end".to_owned()))
                } else {
                    Ok(None)
                };
            };
            let block: Vec<u8> = self.bytes.drain(..end.saturating_add(2)).collect();
            let block = String::from_utf8_lossy(&block);
            let (mut kind, mut data) = (String::new(), None);
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => self.last = Some(id.to_owned()),
                    Some(("event", name)) => name.clone_into(&mut kind),
                    Some(("data", text)) => data = Some(text.to_owned()),
                    // A comment, or what a later version has.
                    _ => {}
                }
            }
            if let Some(data) = data {
                return Ok(Some((kind, data)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut_and_what_is_none_is_left_out() {
        let text = "id: start\n\n:\n\nid: n-1\nevent: test\ndata: {\"a\":\"b: c\"}\n\nevent: trimmed\ndata: {}\n\nid: n-2\n";
        for size in [1, 2, 7, text.len()] {
            let (mut reader, mut events) = (Reader::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                reader.bytes.extend_from_slice(piece);
                while let Some((kind, data)) = reader.event().unwrap() {
                    events.push((reader.last.clone().unwrap(), kind, data));
                }
            }
            let expected = [("n-1", "test", "{\"a\":\"b: c\"}"), ("n-1", "trimmed", "{}")];
            assert_eq!(
                events,
                expected.map(|(id, kind, data)| (id.to_owned(), kind.to_owned(), data.to_owned()))
            );
        }
    }

    #[test]
    fn an_event_without_an_end_is_not_read_for_ever() {
        let mut reader = Reader { bytes: vec![b'a'; EVENT_MAX_BYTES + 1], last: None };
        assert!(matches!(reader.event(), Err(ClientError::BadAnswer(_))));
    }
}
