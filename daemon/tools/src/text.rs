//! Text of other people's on a terminal: what would move the cursor, turn the direction of writing or not be seen at all
//! is shown as what it is.
//!
//! Letters that only look alike are not told apart: that is why an address always stands beside a name.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use xrpl_wire::Seed;

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

/// The shortest and longest text of a seed.
const SEED_LETTERS: RangeInclusive<usize> = 16..=40;

/// The text with whatever is a seed left out. Somebody pastes one where something else belongs; what is said about that
/// goes into logs and answers.
#[must_use]
pub fn without_seeds(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut copied = 0;
    for (at, word) in words(text) {
        if !holds_seed(word) {
            continue;
        }
        shown.push_str(text.get(copied..at).unwrap_or_default());
        shown.push_str("(a seed, not shown)");
        copied = at + word.len();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(shown)
}

/// Whether a seed stands in the text.
#[must_use]
pub fn has_seed(text: &str) -> bool {
    words(text).any(|(_, word)| holds_seed(word))
}

/// Letters and digits that stand together, and where.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).map(move |word| {
        let begin = at;
        // What parts words may have more than one byte.
        at += word.len()
            + text.get(at + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (begin, word)
    })
}

fn holds_seed(word: &str) -> bool {
    word.starts_with('s') && SEED_LETTERS.contains(&word.len()) && word.parse::<Seed>().is_ok()
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

    /// Danger: a seed that is pasted into the wrong place stands in logs, answers and the store from then on.
    #[test]
    fn a_seed_is_left_out_wherever_it_stands_and_nothing_else_is() {
        for seed in ["snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "sEdTM1uX8pu2do5XvTnutH6HsouMaM2"] {
            for (before, after) in
                [("", ""), ("\"", "\" is not an address"), ("é `", "`…"), ("a,", ","), ("seed=", " x\n")]
            {
                let text = format!("{before}{seed}{after}");
                assert_eq!(without_seeds(&text), format!("{before}(a seed, not shown){after}"));
                assert!(has_seed(&text));
            }
            let two = format!("{seed} {seed}");
            assert!(!without_seeds(&two).contains(seed), "{two}");
            let mistyped = format!("{}x", &seed[..seed.len() - 1]);
            assert!(!has_seed(&mistyped), "what is no seed is shown");
        }
        for text in ["", "…", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "something snowy", "s", "ééé s é"] {
            assert!(matches!(without_seeds(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn json_means_the_same_when_what_is_hidden_is_written_out() {
        let json = "{\n  \"a\": \"x\u{202e}y\u{e0041}\"\n}";
        assert_eq!(clean_json(json), "{\n  \"a\": \"x\\u202ey\\udb40\\udc41\"\n}");
    }
}
