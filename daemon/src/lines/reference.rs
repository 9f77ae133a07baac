//! The page of the log.

use std::fmt::Write as _;

use super::LINES;

/// The page docs/reference/log.md.
#[must_use]
pub fn reference() -> String {
    let joined = |lines: &[&str]| lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let mut page = String::from(INTRODUCTION);
    for line in LINES {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n### `{}`\n\n{} {}\n", line.name, line.level, joined(line.says));
        if !line.fields.is_empty() {
            page.push_str("\n| field | says |\n|---|---|\n");
        }
        for (field, says) in line.fields {
            let _ = writeln!(page, "| `{field}` | {} |", joined(says));
        }
    }
    page
}

const INTRODUCTION: &str = "\
# Log

Generated from `daemon/src/lines.rs`; a test compares the two.

The daemon logs to standard error: as text, or with `treasuryd run --log-json` as one JSON object a line, and nothing
else is on standard error then. Each thing below is one line with the target `treasuryd` and its name in the field
`line`; names and fields stay, and a line that is added is in the changelog. In JSON, `timestamp`, `level`, `target`,
`line` and the fields stand side by side, and all fields are texts. Lines without `line` are for whoever looks for a
fault, and may change.

Accounts are named as in the configuration, others by address. Control characters, turned directions of writing and
invisible letters are written out, such as `\\u{202e}`; of ledger servers only scheme, host and port are shown. No token,
seed, signature, signed transaction or fulfillment is in any line.

`RUST_LOG` chooses what is logged (default `info,sled=warn`); `RUST_LOG=warn,treasuryd=info` is these lines and little
else. A reader that ends or is stuck costs lines and holds nothing up.

## Lines
";
