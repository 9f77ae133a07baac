//! Text of other people's on a terminal: what would move the cursor, turn the direction of writing or not be seen at all
//! is shown as what it is.
//!
//! Letters that only look alike are not told apart: that is why an address always stands beside a name.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// What a terminal shows nothing of, or obeys: format characters, separators of lines and paragraphs, fillers, variation
/// selectors. Control characters are told by `char` itself.
const HIDDEN: [RangeInclusive<char>; 27] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
    '\u{f0000}'..='\u{ffffd}',
    '\u{100000}'..='\u{10fffd}',
];

/// Whether a terminal would obey it or show nothing.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control() || HIDDEN.iter().any(|range| range.contains(&letter))
}

/// The text on one line, with everything hidden in it written out, such as `\u{202e}`.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// JSON that means the same, with everything hidden in its texts written out. What JSON allows between its texts, white
/// space, stays.
#[must_use]
pub fn clean_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for letter in json.chars() {
        if matches!(letter, '\n' | '\r' | '\t') || !is_hidden(letter) {
            shown.push(letter);
            continue;
        }
        let mut units = [0; 2];
        for unit in letter.encode_utf16(&mut units) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_text_is_shown_as_what_it_is() {
        for (text, shown) in [
            ("pay \u{202e}ecila", "pay \\u{202e}ecila"),
            ("al\u{200b}ice", "al\\u{200b}ice"),
            ("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}"),
            ("two\nlines\r\tand", "two\\nlines\\r\\tand"),
            ("\u{2066}x\u{2069}\u{feff}\u{ad}", "\\u{2066}x\\u{2069}\\u{feff}\\u{ad}"),
            ("a\u{e0041}b\u{9b}", "a\\u{e0041}b\\u{9b}"),
            ("Zürich 東京 ₿ 🙂", "Zürich 東京 ₿ 🙂"),
            ("", ""),
        ] {
            assert_eq!(clean(text), shown);
            assert!(clean(text).chars().all(|letter| !is_hidden(letter)));
        }
    }

    #[test]
    fn json_means_the_same_when_what_is_hidden_is_written_out() {
        let json = "{\n  \"a\": \"x\u{202e}y\u{e0041}\"\n}";
        assert_eq!(clean_json(json), "{\n  \"a\": \"x\\u202ey\\udb40\\udc41\"\n}");
    }
}
