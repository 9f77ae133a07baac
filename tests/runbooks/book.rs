//! A runbook, read as an operator reads it: from the top, step by step.

use std::path::PathBuf;

/// Where the runbooks are.
pub(crate) fn how_to() -> PathBuf {
    recordings::repository().join("docs/how-to")
}

/// Who types a step, or what a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Lines for a shell, and whose.
    Shell {
        /// `security`, `admin`, `approver`, `signer`, `host` or `anyone`.
        who: String,
        /// The lines.
        lines: String,
    },
    /// Lines for the configuration.
    Toml(String),
}

/// The runbook's steps in their order.
pub(crate) fn blocks(name: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let inside: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| line.get(indent..).unwrap_or_else(|| line.trim_start()))
            .collect();
        let inside = inside.join("\n") + "\n";
        match info.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["sh", who] => blocks.push(Block::Shell { who: (*who).to_owned(), lines: inside }),
            ["toml"] => blocks.push(Block::Toml(inside)),
            // What is answered.
            ["text"] => {}
            other => panic!("{name}: a step of which nobody says who does it: {other:?}"),
        }
    }
    blocks
}

/// The text with each name replaced by what it stands for here, where it is a word of its own.
pub(crate) fn filled<'a>(text: &str, names: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let here = names.iter().find(|(name, _)| {
            let after = rest.strip_prefix(name.as_str()).map(|rest| rest.chars().next().unwrap_or(' '));
            after.is_some_and(|after| !after.is_alphanumeric()) && !before.is_alphanumeric()
        });
        let taken = match here {
            Some((name, value)) => {
                out.push_str(value);
                name.as_str()
            }
            None => {
                out.push(next);
                &rest[..next.len_utf8()]
            }
        };
        before = taken.chars().next_back().unwrap_or(' ');
        rest = &rest[taken.len()..];
    }
    out
}
