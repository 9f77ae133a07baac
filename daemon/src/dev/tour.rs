//! The tour: the whole story, played by itself, with what was seen at the end.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use xrpl_harness::network::Network;

use super::story::{self, Evidence, Stage};
use super::{DevError, Sandbox};
use treasury_tools::console::say;

/// The scenes' titles, in order.
const TITLES: [&str; 6] = [
    "hot falls below its floor and is refilled from warm, without a person",
    "a small payment goes straight through",
    "a middling payment waits for two people; one retracts, another approves",
    "a large payment waits 48 hours in an escrow; the daemon is killed twice meanwhile",
    "a second large payment is flagged, withheld and cancelled; the money is back",
    "the whole: nothing lost, nothing done twice",
];

/// Everything that the treasury's accounts have sent when the story is over.
const TRANSACTIONS: [(&str, &str, usize); 5] = [
    ("hot", "Payment", 3),
    ("warm", "Payment", 1),
    ("warm", "EscrowCreate", 2),
    ("runner", "EscrowFinish", 1),
    ("runner", "EscrowCancel", 1),
];

/// A scene that was played to its end.
#[derive(Debug)]
struct Played {
    title: &'static str,
    evidence: Vec<Evidence>,
    took: Duration,
}

/// Plays the story with a daemon of `exe`, and answers with the table of what was seen.
///
/// # Errors
/// The first thing that was not seen on the validated ledger, or was seen otherwise.
pub(super) async fn tour(sandbox: &Sandbox, exe: PathBuf) -> Result<String, DevError> {
    let begun = Instant::now();
    let narrator = Narrator::new();
    let mut stage = Stage::with_daemon(sandbox, exe, |text| narrator.say(text)).await?;
    let mut played = Vec::with_capacity(TITLES.len());
    for (number, title) in (1..).zip(TITLES) {
        let scene_begun = Instant::now();
        narrator.scene(number, title);
        let evidence = match number {
            1 => story::refill(&mut stage).await?,
            2 => story::small(&mut stage).await?,
            3 => story::middling(&mut stage).await?,
            4 => story::large_with_kills(&mut stage).await?,
            5 => story::flagged(&mut stage).await?,
            _ => story::whole(&mut stage, &TRANSACTIONS).await?,
        };
        played.push(Played { title, evidence, took: scene_begun.elapsed() });
    }
    drop(stage);
    drop(narrator);
    let ledgers = sandbox.world().validated().await?.index.saturating_sub(sandbox.begun_at());
    Ok(format!(
        "{}\nAll of it was seen on the validated ledger: {ledgers} ledgers, {} of real time.\n",
        shown(&played, treasury_tools::console::width()),
        seconds(begun.elapsed())
    ))
}

/// A table where that is no wider than so many columns, and else what belongs to a scene below it.
fn shown(played: &[Played], columns: Option<usize>) -> String {
    let table = table(played);
    let width = table.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    if columns.is_none_or(|columns| width <= columns) {
        return table;
    }
    let mut text = String::new();
    for (number, scene) in (1..).zip(played) {
        text.push_str(&format!("{number} {} ({})\n", scene.title, seconds(scene.took)));
        for evidence in &scene.evidence {
            text.push_str(&format!("  ✓ {}\n      ledger {}\n", evidence.shows, evidence.ledger));
            text.extend(evidence.tx.map(|tx| format!("      {tx}\n")));
        }
    }
    text
}

fn table(played: &[Played]) -> String {
    let mut table = treasuryctl::table(&["", "seen on the validated ledger", "ledger", "transaction"]);
    for (number, scene) in (1..).zip(played) {
        table.add_row([&format!("{number}"), scene.title, "", &seconds(scene.took)]);
        for evidence in &scene.evidence {
            let tx = evidence.tx.map(|tx| tx.to_string()).unwrap_or_default();
            table.add_row(["  ✓", &evidence.shows, &evidence.ledger.to_string(), &tx]);
        }
    }
    table.trim_fmt()
}

/// Whole seconds and tenths.
fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

/// Says what happens: with a spinner on a terminal, as plain lines elsewhere.
struct Narrator {
    bar: Option<ProgressBar>,
}

impl Narrator {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar }
    }

    fn scene(&self, number: usize, title: &str) {
        self.line(&format!("{number}/{} {title}", TITLES.len()));
        if let Some(bar) = &self.bar {
            bar.set_message(title.to_owned());
        }
    }

    fn say(&self, text: &str) {
        self.line(&format!("      {text}"));
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say!("{text}"),
        }
    }
}

impl Drop for Narrator {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
