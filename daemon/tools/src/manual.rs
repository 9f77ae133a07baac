//! Reference pages of the command lines, from the words of the programs themselves.

use std::fmt::Write as _;
use std::path::Path;

/// Markdown with the help of a command and of everything below it.
#[must_use]
pub fn page(mut command: clap::Command) -> String {
    command = command.term_width(96);
    command.build();
    let name = command.get_name().to_owned();
    let mut page = format!(
        "# {name}\n\nGenerated from the program; `UPDATE_REFERENCE=1 cargo test -p {name} reference` writes it \
         anew.\n\n```text\n{}```\n",
        command.render_long_help()
    );
    below(&mut page, &name, &mut command);
    // Lines end where their words do, so that an editor that trims them changes nothing.
    page.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn below(page: &mut String, path: &str, command: &mut clap::Command) {
    // What everything below a command takes is said once, with the command itself.
    let said: Vec<clap::Id> =
        command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().clone()).collect();
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let mut shown = sub.clone();
        for id in &said {
            shown = shown.mut_arg(id, |arg| arg.hide(true));
        }
        let path = format!("{path} {}", sub.get_name());
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {path}\n\n```text\n{}```\n", shown.render_long_help());
        below(page, &path, sub);
    }
}

/// Compares a page of the reference with what the program says; writes it where `UPDATE_REFERENCE` is set. For tests.
///
/// # Errors
/// Where the page is old or cannot be written.
pub fn check(path: &Path, page: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    if written == page {
        return Ok(());
    }
    Err(format!("{} is old; run the test with UPDATE_REFERENCE=1", path.display()))
}
