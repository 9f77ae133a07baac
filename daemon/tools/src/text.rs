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

/// How seeds begin, and how many letters each has: the bytes before the secret leave one length only.
const SEEDS: [(&str, usize); 2] = [("sEd", 31), ("s", 29)];

/// Letters that may follow the `s` of a seed of 29: its first byte leaves these. Other texts are passed over before anything
/// is reckoned.
const AFTER_S: &[u8] = b"pshna";

/// The text with whatever is a seed left out. Somebody pastes one where something else belongs; what is said about that
/// goes into logs and answers.
#[must_use]
pub fn without_seeds(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut copied = 0;
    while let Some((at, length)) = next_seed(text, copied) {
        shown.push_str(text.get(copied..at).unwrap_or_default());
        shown.push_str("(a seed, not shown)");
        copied = at + length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(shown)
}

/// How a secret begins with which notices are signed.
const SIGNING_SECRET: &str = "whsec_";

/// The text without seeds and without secrets with which notices are signed: somebody writes one where a path or a name belongs.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let text = without_seeds(text);
    let mut parts = text.split(SIGNING_SECRET);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let of_base64 = |letter: char| letter.is_ascii_alphanumeric() || "+/=-_".contains(letter);
        let rest = part.trim_start_matches(of_base64);
        // How one begins may be said.
        shown.push_str(if rest.len() == part.len() { SIGNING_SECRET } else { "(a secret, not shown)" });
        shown.push_str(rest);
    }
    shown
}

/// Whether a seed stands in the text.
#[must_use]
pub fn has_seed(text: &str) -> bool {
    next_seed(text, 0).is_some()
}

/// Where the next seed stands from there on, and how long it is: within a word, too, because it may have been pasted twice, or
/// onto what stood there.
///
/// Each place is looked at once, at a cost that does not depend on the text's length. That something else is taken for a seed
/// has, at a place that begins as one does, a chance of one in 2^32, by the checksum.
fn next_seed(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    rest.match_indices('s').find_map(|(at, _)| {
        let rest = rest.get(at..)?;
        let (_, length) = SEEDS
            .into_iter()
            .find(|(begin, length)| rest.starts_with(begin) && rest.get(..*length).is_some_and(is_seed))?;
        Some((from + at, length))
    })
}

fn is_seed(text: &str) -> bool {
    let may_be =
        text.starts_with("sEd") || text.as_bytes().get(1).is_some_and(|letter| AFTER_S.contains(letter));
    may_be && text.bytes().all(|letter| letter.is_ascii_alphanumeric()) && text.parse::<Seed>().is_ok()
}

/// Bytes of the reason of a stop that are sent: far more than a daemon or a guard keeps, and in whatever letters no more than it takes.
pub const REASON_SENT_MAX: usize = 10_000;

/// Cuts a log off that was pasted whole as a reason, before the word that the cut would fall into: a daemon knows a token by all of it,
/// and would keep what is left of one.
pub fn shorten(reason: &mut String) {
    let cut = reason.floor_char_boundary(REASON_SENT_MAX);
    let (kept, rest) = reason.split_at(cut);
    if rest.is_empty() {
        return;
    }
    let kept = kept.rsplit_once(char::is_whitespace).map_or("one long word", |(words, _)| words);
    *reason = kept.to_owned();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xrpl_wire::KeyType;

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
        for text in
            ["", "…", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "something snowy", "s", "ééé s é", "sEd", "sé"]
        {
            assert!(matches!(without_seeds(text), Cow::Borrowed(same) if same == text));
        }
    }

    /// Danger: a seed that is pasted twice, or onto a word, is taken for a long word.
    #[test]
    fn a_seed_is_left_out_of_the_middle_of_a_word() {
        let left = "(a seed, not shown)";
        let (family, ed) = ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "sEdTM1uX8pu2do5XvTnutH6HsouMaM2");
        for around in [["", ""], ["x", "y"], ["s", "s"], ["sEd", "0"], ["é", "ü"], ["0", "l"], ["sn", "sn"]]
        {
            for seeds in [vec![family], vec![ed], vec![family; 2], vec![ed; 2], vec![family, ed, family]] {
                let text = around.join(&seeds.concat());
                assert!(has_seed(&text), "{text}");
                assert_eq!(without_seeds(&text), around.join(&left.repeat(seeds.len())), "{text}");
            }
        }
    }

    /// Danger: somebody writes a secret where its file belongs, and it stands in the log that says that there is no such file.
    #[test]
    fn a_signing_secret_is_left_out_and_how_one_begins_is_not() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/==";
        for (text, shown) in [
            (format!("`{secret}` cannot be read"), "`(a secret, not shown)` cannot be read"),
            (format!("{secret} {secret}"), "(a secret, not shown) (a secret, not shown)"),
            (
                format!("sEdTM1uX8pu2do5XvTnutH6HsouMaM2 x{secret}"),
                "(a seed, not shown) x(a secret, not shown)",
            ),
            (
                "it does not begin with whsec_, or `whsec_`".to_owned(),
                "it does not begin with whsec_, or `whsec_`",
            ),
            (String::new(), ""),
        ] {
            assert_eq!(without_secrets(&text), shown);
        }
    }

    proptest! {
        #[test]
        fn every_seed_is_found_wherever_it_is_glued(
            entropy in any::<[u8; 16]>(), is_ed in any::<bool>(),
            before in "[1-9A-HJ-NP-Za-km-z]{0,40}", after in "[1-9A-HJ-NP-Za-km-z]{0,40}",
        ) {
            let kind = if is_ed { KeyType::Ed25519 } else { KeyType::Secp256k1 };
            let seed = Seed::from_entropy(entropy, kind).to_base58();
            let shown = without_seeds(&format!("{before}{}{after}", *seed)).into_owned();
            prop_assert_eq!(shown, format!("{before}(a seed, not shown){after}"));
        }

        /// Addresses, public keys, hashes, signatures, and what programs write as base58 or base64.
        #[test]
        fn nothing_else_is_taken_for_a_seed(bytes in proptest::collection::vec(any::<u8>(), 20..400)) {
            let base58 = |bytes: &[u8], is_checked: bool| {
                let text = bs58::encode(bytes).with_alphabet(bs58::Alphabet::RIPPLE);
                if is_checked { text.with_check().into_string() } else { text.into_string() }
            };
            let (twenty, rest) = bytes.split_at(20);
            for text in [
                base58(&[&[0], twenty].concat(), true),
                base58(&[&[0x05, 0x44], twenty, &[0; 9]].concat(), true),
                base58(&[&[28], twenty].concat(), true),
                base58(&[&[35, 0xed], twenty, &twenty[..12]].concat(), true),
                base58(rest, false),
                hex::encode(&bytes),
                hex::encode_upper(&bytes),
                base64(&bytes),
            ] {
                prop_assert!(!has_seed(&text), "{}", text);
                prop_assert!(matches!(without_seeds(&text), Cow::Borrowed(_)));
            }
        }

        #[test]
        fn no_text_makes_the_search_panic(text in "(s|sEd|é|s[pshna]|\\PC){0,60}") {
            prop_assert_eq!(has_seed(&text), without_seeds(&text) != text);
        }
    }

    /// As mail and programs write bytes.
    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let letters = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)]));
        letters.collect()
    }

    /// Danger: all but one digit of a token is sent, which the daemon does not know for one, stores, and shows to everybody.
    #[test]
    fn what_is_cut_off_of_a_reason_leaves_no_part_of_a_word() {
        let token = "0123456789abcdef".repeat(4);
        for before in REASON_SENT_MAX - 70..REASON_SENT_MAX + 2 {
            let mut reason = format!("{} {token} and more of the log", "x".repeat(before));
            let whole = reason.clone();
            shorten(&mut reason);
            assert!(whole.starts_with(&reason) || reason == "one long word", "{before}");
            assert!(reason.len() <= REASON_SENT_MAX && !reason.is_empty());
            assert!(reason.contains(&token) || !reason.contains("0123"), "{before}: {reason}");
        }
        let mut short = "it was\u{a0}sue".to_owned();
        shorten(&mut short);
        assert_eq!(short, "it was\u{a0}sue");
    }

    #[test]
    fn json_means_the_same_when_what_is_hidden_is_written_out() {
        let json = "{\n  \"a\": \"x\u{202e}y\u{e0041}\"\n}";
        assert_eq!(clean_json(json), "{\n  \"a\": \"x\\u202ey\\udb40\\udc41\"\n}");
    }
}
