//! Lines that prove themselves: how the second log and the head of a snapshot are written.
//!
//! A frame is the length of its JSON in bytes and the CRC-32 of it, each as eight hexadecimal digits and
//! followed by a space, then the JSON and a line feed. JSON as written here holds no line feed, so the
//! last one in a file ends the last frame, and people can read such a file with ordinary tools.

use std::io::{self, BufRead, Read};

/// Two numbers of eight digits, each with a space after it.
const HEAD_BYTES: usize = 18;

/// No step comes near this. A damaged length must not make the reader ask for all memory there is.
const JSON_BYTES_MAX: u32 = 1 << 30;

/// A frame around this JSON; `None` where it is longer than a frame holds.
pub(super) fn frame(json: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= JSON_BYTES_MAX)?;
    let mut frame = format!("{length:08x} {:08x} ", crc32fast::hash(json)).into_bytes();
    frame.extend(json);
    frame.push(b'\n');
    Some(frame)
}

/// What comes next in a file of frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A whole frame's JSON.
    Json(Vec<u8>),
    /// The file ends inside a frame: a crash cut it off, and nothing followed from it.
    Torn,
    /// The bytes are not what was written.
    Damaged(&'static str),
    /// The file ends.
    End,
}

/// Reads frames one after another.
pub(super) struct Frames<R> {
    reader: R,
    offset: u64,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(reader: R, offset: u64) -> Self {
        Self { reader, offset }
    }

    /// Where the next frame begins, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The reader, after the frames read so far.
    pub(super) fn into_inner(self) -> R {
        self.reader
    }

    /// Reads the next frame. Only after [`Next::Json`] is there one behind it.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        (&mut self.reader).take(HEAD_BYTES.try_into().unwrap_or(u64::MAX)).read_to_end(&mut head)?;
        if head.is_empty() {
            return Ok(Next::End);
        }
        if head.len() < HEAD_BYTES {
            return Ok(Next::Torn);
        }
        let Some((length, checksum)) = numbers(&head) else {
            return Ok(Next::Damaged("its length and checksum cannot be read"));
        };
        if length > JSON_BYTES_MAX {
            return Ok(Next::Damaged("its length cannot be"));
        }
        let mut json = Vec::new();
        let all = u64::from(length).saturating_add(1);
        let read = (&mut self.reader).take(all).read_to_end(&mut json)?;
        if u64::try_from(read).unwrap_or(u64::MAX) < all {
            return Ok(Next::Torn);
        }
        if json.pop() != Some(b'\n') {
            return Ok(Next::Damaged("it does not end where its length says"));
        }
        if crc32fast::hash(&json) != checksum {
            return Ok(Next::Damaged("its checksum is wrong"));
        }
        self.offset = self.offset.saturating_add(all).saturating_add(HEAD_BYTES.try_into().unwrap_or(0));
        Ok(Next::Json(json))
    }
}

fn numbers(head: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(head).ok()?;
    let (length, rest) = text.split_once(' ')?;
    let checksum = rest.strip_suffix(' ')?;
    let number = |digits: &str| {
        let all = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if all { u32::from_str_radix(digits, 16).ok() } else { None }
    };
    Some((number(length)?, number(checksum)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Next> {
        let mut frames = Frames::new(bytes, 0);
        let mut seen = Vec::new();
        loop {
            let next = frames.next().unwrap();
            let more = matches!(next, Next::Json(_));
            seen.push(next);
            if !more {
                return seen;
            }
        }
    }

    #[test]
    fn frames_come_back_as_they_were_written() {
        let bytes = [frame(b"{\"a\":1}").unwrap(), frame(b"").unwrap(), frame(b"[2]").unwrap()].concat();
        let wanted = [b"{\"a\":1}".to_vec(), Vec::new(), b"[2]".to_vec()];
        let mut wanted: Vec<Next> = wanted.into_iter().map(Next::Json).collect();
        wanted.push(Next::End);
        assert_eq!(read(&bytes), wanted);
        let mut frames = Frames::new(bytes.as_slice(), 0);
        frames.next().unwrap();
        assert_eq!(frames.offset(), 18 + 7 + 1);
    }

    #[test]
    fn a_frame_cut_off_anywhere_is_torn_and_no_other() {
        let bytes = [frame(b"{\"a\":1}").unwrap(), frame(b"{\"b\":2}").unwrap()].concat();
        let first = frame(b"{\"a\":1}").unwrap().len();
        for cut in first + 1..bytes.len() {
            let seen = read(&bytes[..cut]);
            assert_eq!(seen, [Next::Json(b"{\"a\":1}".to_vec()), Next::Torn], "cut at {cut}");
        }
        assert_eq!(read(&bytes[..first]).last(), Some(&Next::End));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let bytes = [frame(b"{\"a\":1}").unwrap(), frame(b"{\"b\":2}").unwrap()].concat();
        for at in 0..frame(b"{\"a\":1}").unwrap().len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let seen = read(&changed);
            assert!(!matches!(seen[0], Next::Json(_)), "byte {at}: {seen:?}");
        }
    }
}
