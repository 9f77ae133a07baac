//! Server addresses in texts of an earlier version, which stored and showed them whole: with users, passwords and keys; and
//! seeds and tokens that somebody typed where a reason or a note belongs.
//!
//! What is stored stays as it is, because the state follows from it. What is shown of it, or exported, goes through
//! here.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use treasury_tools::text::{clean, without_seeds};

/// How an address begins that may hold a secret.
const SCHEMES: [&str; 2] = ["ws://", "wss://"];

/// What may follow an address in a sentence.
const PUNCTUATION: [char; 6] = [':', ';', ',', '.', ')', '`'];

/// The shortest word that is looked at as a token. It is told that there was one: a shorter one could be found by trying.
const TOKEN_LETTERS_LEAST: usize = 16;

/// The letters of a token as the how-to makes them.
const HEX_LETTERS: usize = 64;

/// So many places within the longer words of a text are looked at for such a token.
const PLACES_MAX: usize = 2_048;

/// Leaves seeds out of every text; whether there were any.
pub(crate) fn seeds(value: &mut Value) -> bool {
    texts(value, &|text| without_seeds(text))
}

/// Leaves out of every text what is somebody's token; whether there were any.
pub(crate) fn tokens(value: &mut Value, is_token: &dyn Fn(&str) -> bool) -> bool {
    texts(value, &|text| without_tokens(text, is_token))
}

fn texts(value: &mut Value, without: &dyn Fn(&str) -> Cow<'_, str>) -> bool {
    match value {
        Value::String(text) => match without(text) {
            Cow::Borrowed(_) => false,
            Cow::Owned(shown) => {
                *text = shown;
                true
            }
        },
        Value::Array(items) => items.iter_mut().fold(false, |found, item| texts(item, without) | found),
        // Under a name that is none of its fields nothing is taken.
        Value::Object(fields) => fields.iter_mut().fold(false, |found, (name, field)| {
            texts(field, without) | matches!(without(name), Cow::Owned(_)) | found
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What somebody wrote, on one line, without seeds and tokens that they pasted into it. It is looked for them before anything is
/// written out or cut off: half of one, or one that has grown, is none that anybody knows. Words stay words, for whoever looks later
/// and knows others.
pub(crate) fn legible(text: &str, is_token: &dyn Fn(&str) -> bool) -> String {
    let text = without_seeds(text);
    let text = without_tokens(&text, is_token);
    let words: Vec<String> = text.split_whitespace().map(clean).collect();
    words.join(" ")
}

/// Whether somebody's token stands in the text.
pub(crate) fn has_token(text: &str, is_token: &dyn Fn(&str) -> bool) -> bool {
    matches!(without_tokens(text, is_token), Cow::Owned(_))
}

/// The text without what is somebody's token. Only its hash is known, so whole words are looked at: what stands between white
/// space, and within that what stands between letters that tokens of each usual alphabet do not have. That is a handful of
/// hashes for each word, however long the text is. Of one as treasuryd's are made, 64 digits of hex, also each place in a longer
/// word is looked at, as far as [`PLACES_MAX`] in a text goes: it may be pasted twice, or onto what stood there.
///
/// What this does not guard against: a token of another form that is glued to other letters, or one that is shorter than tokens
/// should be.
pub(crate) fn without_tokens<'a>(text: &'a str, is_token: &dyn Fn(&str) -> bool) -> Cow<'a, str> {
    let mut shown = String::new();
    let (mut copied, mut places) = (0, PLACES_MAX);
    for (at, word) in runs(text, |letter| !letter.is_whitespace()) {
        if word.len() < TOKEN_LETTERS_LEAST {
            continue;
        }
        let mut may_be = may_be_tokens(word);
        may_be.extend(within(word, &mut places));
        let mut found: Vec<_> = may_be.into_iter().filter(|(_, part)| is_token(part)).collect();
        found.sort_by_key(|(begin, part)| (*begin, std::cmp::Reverse(part.len())));
        for (begin, part) in found {
            let begin = at + begin;
            // One that begins within another was left out with it.
            if begin >= copied {
                shown.push_str(text.get(copied..begin).unwrap_or_default());
                shown.push_str("(a token, not shown)");
                copied = begin + part.len();
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(shown)
}

/// What of a word may be a token, and where: by RFC 6750, as base64 with and without what fills it up, as base64 for
/// addresses, and as hex. What stands around it in a sentence is none of it.
fn may_be_tokens(word: &str) -> BTreeSet<(usize, &str)> {
    let of_addresses = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let of_base64 = move |letter: char| of_addresses(letter) || matches!(letter, '+' | '/');
    let of_rfc = move |letter: char| of_base64(letter) || matches!(letter, '.' | '~' | '=');
    let mut found = BTreeSet::from([(0, word)]);
    found.extend(runs(word, of_rfc));
    // A sentence may end behind it.
    found.extend(runs(word, of_rfc).map(|(at, part)| (at, part.trim_end_matches('.'))));
    found.extend(runs(word, of_base64).map(|(at, part)| {
        let rest = word.get(at + part.len()..).unwrap_or_default();
        let filled = part.len() + (rest.len() - rest.trim_start_matches('=').len());
        (at, word.get(at..at + filled).unwrap_or(part))
    }));
    found.extend(runs(word, of_base64));
    found.extend(runs(word, of_addresses));
    found.extend(runs(word, |letter| letter.is_ascii_alphanumeric()));
    let is_around = |letter: char| !letter.is_alphanumeric();
    let bare = found.iter().map(|(at, part)| {
        let begun = part.trim_start_matches(is_around);
        (at + part.len() - begun.len(), begun.trim_end_matches(is_around))
    });
    let bare: Vec<_> = bare.collect();
    found.extend(bare);
    found.retain(|(_, part)| part.len() >= TOKEN_LETTERS_LEAST);
    found
}

/// Each place of a word at which a token of the usual form may stand between other letters, and what stands there.
fn within<'a>(word: &'a str, places: &mut usize) -> Vec<(usize, &'a str)> {
    let digits = runs(word, |letter| letter.is_ascii_hexdigit());
    let all =
        digits.filter(|(_, run)| run.len() > HEX_LETTERS || run.len() < word.len()).flat_map(|(at, run)| {
            (0..=run.len().saturating_sub(HEX_LETTERS)).filter_map(move |from| {
                let part = run.get(from..from.saturating_add(HEX_LETTERS))?;
                Some((at.saturating_add(from), part))
            })
        });
    let found: Vec<_> = all.take(*places).collect();
    *places = places.saturating_sub(found.len());
    found
}

/// The longest stretches of such letters, and where they begin.
fn runs(text: &str, is_in: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let begin = from + rest.find(&is_in)?;
        let run = text.get(begin..)?;
        let run = run.get(..run.find(|letter| !is_in(letter)).unwrap_or(run.len()))?;
        from = begin + run.len();
        Some((begin, run))
    })
}

/// The text, which may be JSON, with websocket addresses cut down to scheme, host and port.
pub(crate) fn addresses(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    let mut is_changed = false;
    while let Some((at, scheme)) = next_address(rest) {
        let (before, address) = rest.split_at(at);
        let (address, after) = address.split_at(end_of(address));
        let cut = cut(scheme, address.get(scheme.len()..).unwrap_or_default());
        is_changed |= cut != address;
        shown.push_str(before);
        shown.push_str(&cut);
        rest = after;
    }
    if !is_changed {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Where the next address begins, and how.
fn next_address(text: &str) -> Option<(usize, &'static str)> {
    // The longer one of two that begin at the same place cannot be missed: they differ in their second letters.
    SCHEMES.iter().filter_map(|scheme| Some((text.find(scheme)?, *scheme))).min_by_key(|(at, _)| *at)
}

/// Where the address ends: at white space, or at a quotation mark that is not escaped. What is taken for a part of it
/// and is none is not shown, which is better than the other way round.
fn end_of(address: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in address.char_indices() {
        if letter.is_whitespace() || letter.is_control() || (letter == '"' && !is_escaped) {
            return at;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    address.len()
}

/// What is shown of an address. A password with a slash in it was no address, and is hidden all the same.
fn cut(scheme: &str, after: &str) -> String {
    let sentence_end = after.trim_end_matches(PUNCTUATION).len();
    let (after, sentence) = after.split_at(sentence_end);
    let authority_end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    let (authority, hidden) = after.split_at(authority_end);
    let host = match hidden.contains('@') {
        true => "…",
        false => authority.rsplit('@').next().unwrap_or_default(),
    };
    let more = if matches!(hidden, "" | "/") { hidden } else { "/…" };
    format!("{scheme}{host}{more}{sentence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_wrote_down_is_shown_without_its_secrets() {
        for (text, shown) in [
            (
                "ws://u:PASS@127.0.0.1:6006/v1/KEY/?k=KEY: cannot be reached",
                "ws://127.0.0.1:6006/…: cannot be reached",
            ),
            ("wss://a.example/KEY; ws://b:1: no", "wss://a.example/…; ws://b:1: no"),
            (
                "wss://KEY@a.example announced AB, wss://b announced CD",
                "wss://a.example announced AB, wss://b announced CD",
            ),
            (r#"{"reason":"wss://u:P\"ASS@a/KEY","n":1}"#, r#"{"reason":"wss://…/…","n":1}"#),
            (r#"{"reason":"wss://u:PASS@a"}"#, r#"{"reason":"wss://a"}"#),
            ("ws://u:PA/SS@host:1/x", "ws://…/…"),
            ("(ws://host?KEY)", "(ws://host/…)"),
            ("ws://", "ws://"),
            ("wss://u:PASS@", "wss://"),
        ] {
            let redacted = addresses(text);
            assert_eq!(redacted, shown);
            assert!(!redacted.contains("KEY") && !redacted.contains("PASS"), "{redacted}");
            assert_eq!(addresses(&redacted), redacted, "what is cut stays so");
        }
    }

    /// Danger: somebody types their token where the reason belongs, beside which it has to be typed as well.
    #[test]
    fn a_token_is_left_out_of_a_text_wherever_it_stands_as_a_word() {
        let left = "(a token, not shown)";
        for token in [
            "5e884898da28047151d0e56f8dc62927",
            "q83vEjRWeJCrze8SNFZ4kA==",
            "a+/b-_c.d~e0123456789=",
            "tok-en_of.alice-0123456789",
            "geheim!ist$dies#wirklich",
            "schlüssel-für-alice-0123",
        ] {
            let is_token = |word: &str| word == token;
            for (before, after) in [
                ("", ""),
                ("token is ", " see"),
                ("(", ")."),
                ("\"", "\","),
                ("é\n", "…"),
                ("`", "`!"),
                ("<", ">"),
                ("is: ", "."),
            ] {
                let text = format!("{before}{token}{after}");
                assert_eq!(without_tokens(&text, &is_token), format!("{before}{left}{after}"));
                let twice = format!("{text} {text}");
                assert!(!without_tokens(&twice, &is_token).contains(token), "{twice}");
                assert!(has_token(&text, &is_token));
            }
            for same in ["", "token", "a much longer reason, of words", &token[1..], &token.to_uppercase()] {
                assert!(matches!(without_tokens(same, &is_token), Cow::Borrowed(_)), "{same}");
            }
        }
        for text in [
            "Bearer=abcdefabcdef0123",
            "https://a/?t=abcdefabcdef0123&x",
            "t:abcdefabcdef0123;",
            "a/abcdefabcdef0123",
        ] {
            let shown = without_tokens(text, &|word| word == "abcdefabcdef0123");
            assert_eq!(shown, text.replace("abcdefabcdef0123", left));
        }
        assert!(
            !has_token("swordfish and fifteenletters1", &|word| word.len() < 16),
            "nothing is found by trying"
        );
    }

    /// Danger: one request with a long text keeps everybody waiting.
    #[test]
    fn each_letter_is_hashed_a_few_times_however_long_the_text_is() {
        for text in [
            "a".repeat(60_000),
            "abcdefghijklmnop-".repeat(4_000),
            "a=+/.-_~!é".repeat(5_000),
            "x ".repeat(30_000),
        ] {
            let hashed = std::cell::Cell::new(0);
            let count = |word: &str| {
                hashed.set(hashed.get() + word.len());
                false
            };
            assert!(!has_token(&text, &count));
            assert!(hashed.get() <= 12 * text.len(), "{} of {}", hashed.get(), text.len());
        }
    }

    /// Danger: a token stands on a line of its own, that line's end is written out before anybody looks, and what is left is a longer
    /// word that nobody knows.
    #[test]
    fn what_is_put_on_one_line_is_looked_at_before() {
        for token in
            ["dG9rZW4tb2YtYW5vdGhlci1mb3JtLWFuZC1sb25nZXI=", &"0f".repeat(24), "geheim!ist$dies#wirklich"]
        {
            for between in ["\n", "\t", "\r\n", " "] {
                let text = format!("see{between}{token}{between}please\u{202e}");
                let left = legible(&text, &|word| word == token);
                assert_eq!(left, "see (a token, not shown) please\\u{202e}");
                // Whoever looks later, and knows others.
                let later = legible(&legible(&text, &|_| false), &|word| word == token);
                assert!(!later.contains(token), "{later}");
            }
        }
    }

    /// Danger: a token is pasted twice, or onto what stood there, and is taken for a long word that nobody knows.
    #[test]
    fn a_token_of_the_usual_form_is_found_within_a_word() {
        let token = "118d1d87a7c98f00118d1d87a7c98f01118d1d87a7c98f02118d1d87a7c98f03";
        let is_token = |word: &str| word == token;
        for (text, left) in [
            (format!("my token {token}{token}"), "my token (a token, not shown)(a token, not shown)"),
            (format!("x{token}"), "x(a token, not shown)"),
            (format!("{token}x"), "(a token, not shown)x"),
            (format!("0{token}f y"), "0(a token, not shown)f y"),
            (format!("ä{token}é."), "ä(a token, not shown)é."),
        ] {
            assert_eq!(without_tokens(&text, &is_token), left);
        }
        let other = "0".repeat(64) + token.get(1..).unwrap();
        assert_eq!(without_tokens(&other, &is_token), other);
    }

    #[test]
    fn a_text_without_secrets_is_the_same() {
        for text in
            ["", "ws://127.0.0.1:6006: the connection ended", "wss://a.example/", "news://x", "{\"a\":1}"]
        {
            assert!(matches!(addresses(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
