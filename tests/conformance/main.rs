//! Replays what was recorded of real ledger servers, and says how much comes out bit for bit the same.
//!
//! Each close happens at the recorded time; everything else must come out by itself: results, order, metadata,
//! hashes, replies and stream frames. Prints one line for each story, and where something differs the first
//! difference. Fails where less is exact than [`ASKED`] says, or where recordings are missing; of what is not asked
//! for it says how far it comes.
//!
//! `cargo test -p tests --test conformance -- 3.2/queue` replays only the stories whose folder and name contain that.

mod bounds;

use std::process::ExitCode;

use tests::replay::Score;

use self::bounds::Bounds;

/// What is asked for: of each folder every story, and so many there are at least. Every ledger is to be bit for bit the
/// recorded one, and every reply and frame too, but for what [`tests::replay::otherwise`] lists step by step. Nothing may leave this
/// table.
const ASKED: &[(&str, usize)] = &[
    ("3.1", 20),
    ("3.1/queue", 1),
    ("3.2", 40),
    ("3.2/queue", 1),
    ("3.3", 26),
    ("cosigner", 14),
    ("cosigner/beyond", 2),
];

fn main() -> ExitCode {
    // As cargo passes it on.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    match walk(&filter) {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            println!("asked for, and not exact: {}", missed.join(", "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Replays every folder and what `CONFORMANCE_VECTORS` names. Returns what was asked for and is not so.
fn walk(filter: &str) -> std::io::Result<Vec<String>> {
    let mut bounds = Bounds::begin();
    let mut missed = Vec::new();
    let (mut asked_for, mut all) = (Total::default(), Total::default());
    let mut folders = recordings::folders()?;
    // A folder that the table names is asked for, be it there or not.
    folders.extend(ASKED.iter().map(|(folder, _)| (*folder).to_owned()));
    folders.sort();
    folders.dedup();
    let mut groups = Vec::new();
    for folder in folders {
        groups.push((recordings::in_folder(&folder)?, folder));
    }
    groups.push((recordings::further()?, recordings::FURTHER.to_owned()));

    for (stories, folder) in groups {
        let least = ASKED.iter().find(|(name, _)| *name == folder).map(|(_, least)| *least);
        let is_asked = least.is_some();
        if let Some(least) = least.filter(|least| filter.is_empty() && stories.len() < *least) {
            missed.push(format!("{folder} holds {} of {least} stories", stories.len()));
        }
        let mut total = Total::default();
        for story in &stories {
            let name = format!("{}/{}", story.folder(), story.name());
            if !name.contains(filter) {
                continue;
            }
            let score = bounds.replay(story, is_asked);
            show(&name, &score, is_asked || !filter.is_empty());
            total.add(&score);
            all.add(&score);
            if is_asked {
                asked_for.add(&score);
                if !score.is_exact() {
                    missed.push(name);
                }
            }
        }
        if total.stories > 0 {
            println!("{folder}: {total}\n");
        }
    }
    println!("asked for: {asked_for}\ntotal: {all}");
    Ok(missed)
}

/// One line, and the first difference: whole where somebody will want to know why.
fn show(name: &str, score: &Score, whole: bool) {
    /// What of a line fits beside others.
    const SHORT: usize = 120;
    match score.differs_at {
        None => println!("{name}: {score}"),
        Some(step) => println!("{name}: {score}, the same up to step {step}"),
    }
    let lines = score.difference.iter().flat_map(|difference| difference.lines());
    if whole {
        lines.for_each(|line| println!("    {line}"));
    } else {
        // The step, and what is other in it.
        let short = |line: &str| println!("    {}", line.chars().take(SHORT).collect::<String>());
        lines.take(2).for_each(short);
    }
}

/// How much of many stories was the same.
#[derive(Default)]
struct Total {
    stories: usize,
    exact: usize,
    score: Score,
}

impl Total {
    fn add(&mut self, score: &Score) {
        self.stories += 1;
        self.exact += usize::from(score.is_exact());
        self.score.add(score);
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} stories exact, {}", self.exact, self.stories, self.score)
    }
}
