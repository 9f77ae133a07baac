//! `treasuryd store` and `treasuryd rebuild`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use treasury_core::State;

use crate::config::DaemonConfig;
use crate::control;
use crate::private;
use crate::rebuild;
use crate::redact;
use crate::store::{
    DiskStore, Record, Report, Resumed, Store, StoreBuilder, StoreError, backup, backup_of_records, inspect,
};
use treasury_tools::console::{self, Unwritten, out, say};

/// The exit code of `check` where something is damaged and a rebuild restores all of it.
const DAMAGED: u8 = 3;

/// The exit code of `check` where something is damaged beyond what a rebuild restores.
const LOST: u8 = 4;

/// A page of an export. Bounds memory, costs nothing.
const PAGE: usize = 256;

/// Ledgers between two lines about progress.
const PROGRESS_LEDGERS: u32 = 1_000;

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Print every record as JSON, one a line. All that was signed is in it: keep it as you keep the store.
    Export {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        /// A file to make that only its owner may read; standard output where left out.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make a store from the lines that `export` printed, replaying each record, where there is none yet.
    Import {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        /// The file; standard input where left out.
        file: Option<PathBuf>,
    },
    /// Copy the store to a directory that does not exist yet, and prove the copy. It can be used as a data
    /// directory as it is. Where a daemon runs on the store, it gives its records out, and goes on.
    Backup {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        /// The directory to make.
        #[arg(long)]
        to: PathBuf,
    },
    /// Read every record, snapshot and entry of the second log, prove their checksums and compare them with each
    /// other. Exit code 0: all whole; 3: damaged, and `rebuild` restores everything; 4: damaged, and it cannot; 1: the
    /// store cannot be looked at.
    Check {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
    },
}

/// Does it.
pub(super) fn run(command: StoreCommand) -> Result<ExitCode> {
    match command {
        StoreCommand::Export { data_dir, to: None } => {
            export(&data_dir, BufWriter::new(std::io::stdout().lock()))
        }
        StoreCommand::Export { data_dir, to: Some(to) } => {
            there(&data_dir)?;
            let file = private::create_new(&to).wrap_err_with(|| format!("cannot make {}", to.display()))?;
            let done = export(&data_dir, BufWriter::new(&file))?;
            file.sync_all().wrap_err_with(|| format!("cannot sync {}", to.display()))?;
            Ok(done)
        }
        StoreCommand::Import { data_dir, file: Some(file) } => {
            let lines = File::open(&file).wrap_err_with(|| format!("cannot open {}", file.display()))?;
            import(&data_dir, BufReader::new(lines))
        }
        StoreCommand::Import { data_dir, file: None } => import(&data_dir, std::io::stdin().lock()),
        StoreCommand::Backup { data_dir, to } => {
            there(&data_dir)?;
            let (copied, how) = match backup(&data_dir, &to) {
                Err(StoreError::Locked { .. }) => {
                    (copy_from_daemon(&data_dir, &to)?, ", taken while it runs")
                }
                copied => (copied?, ""),
            };
            let (last, state) = (copied.last, words(&copied.state));
            out!("{} holds a proven copy{how}: {last} records; {state}", to.display())?;
            Ok(ExitCode::SUCCESS)
        }
        StoreCommand::Check { data_dir } => {
            there(&data_dir)?;
            let (text, code) = told(&inspect(&data_dir)?);
            // What was found is in the exit code, too, and whoever reads no more may still look at that.
            Ok(console::ended(out!("{text}"), code)?)
        }
    }
}

/// Asks the daemon that runs on a store for its records.
fn copy_from_daemon(data_dir: &Path, to: &Path) -> Result<Resumed> {
    let path = control::path(data_dir);
    let socket = UnixStream::connect(&path)
        .wrap_err_with(|| format!("the store is in use, and {} does not answer", path.display()))?;
    Ok(backup_of_records(BufReader::new(socket), data_dir, to)?)
}

fn export(data_dir: &Path, mut out: impl Write) -> Result<ExitCode> {
    there(data_dir)?;
    let store = DiskStore::open(data_dir)?;
    let mut after = 0;
    loop {
        let page = store.read(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for record in &page {
            // Earlier versions stored addresses of servers with passwords and keys in them, in texts for people. The
            // records mean the same without.
            let line = serde_json::to_string(record)?;
            out.write_all(redact::addresses(&line).as_bytes())
                .and_then(|()| out.write_all(b"\n"))
                .map_err(Unwritten::from)?;
        }
    }
    out.flush().map_err(Unwritten::from)?;
    Ok(ExitCode::SUCCESS)
}

fn import(data_dir: &Path, lines: impl BufRead) -> Result<ExitCode> {
    let mut builder = StoreBuilder::begin_empty(data_dir)?;
    for (line, number) in lines.lines().zip(1_u64..) {
        let line = line.wrap_err_with(|| format!("line {number} cannot be read"))?;
        let record: Record =
            serde_json::from_str(&line).map_err(|error| eyre!("line {number} is no record: {error}"))?;
        if record.number != number {
            bail!("line {number} is record {}: records are numbered from 1 without gaps", record.number);
        }
        builder.push(&record.events)?;
    }
    if builder.number() == 0 {
        bail!("there is no record to import");
    }
    let built = builder.install()?;
    out!("{} records, each replayed; {}", built.records, words(&built.state))?;
    Ok(ExitCode::SUCCESS)
}

/// What was found, in words and as an exit code.
fn told(report: &Report) -> (String, ExitCode) {
    if report.is_whole() {
        let text = format!(
            "{} records, {} events, {} snapshots, {} entries of the second log, all whole; {}\n{}",
            report.whole,
            report.events,
            report.snapshots.len(),
            report.entries,
            words(&report.state),
            report.opened.words()
        );
        return (text, ExitCode::SUCCESS);
    }
    let mut lines = report.damage.clone();
    lines.extend([String::new(), report.opened.words()]);
    lines.push(match report.whole {
        0 => "no record is whole".to_owned(),
        whole => format!("records 1 to {whole} are whole"),
    });
    if !report.can_be_rebuilt() {
        let lost = "others cannot be restored, because the second log is damaged too: use a backup";
        lines.push(lost.to_owned());
        return (lines.join("\n"), ExitCode::from(LOST));
    }
    let ledgers = match report.ledgers_to_fetch {
        Some((first, last)) => format!(" and ledgers {first} to {last} from the ledger servers"),
        None => String::new(),
    };
    lines.push(format!(
        "`treasuryd rebuild` keeps what is whole, and adds {} entries of the second log{ledgers}",
        report.entries_beyond
    ));
    (lines.join("\n"), ExitCode::from(DAMAGED))
}

/// Builds the store again.
pub(super) fn rebuild(config: &DaemonConfig) -> Result<ExitCode> {
    if let Some(aside) = rebuild::finish_interrupted(config)? {
        out!("the store that an interrupted rebuild had finished is in place")?;
        say_aside(aside.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let rebuilt = runtime.block_on(rebuild::rebuild(config, |index, last| {
        if index.0.is_multiple_of(PROGRESS_LEDGERS) {
            say!("ledger {index} of {last}");
        }
    }))?;
    if let Some(problem) = &rebuilt.problem {
        out!("{problem}")?;
    }
    out!(
        "{} records were read, {} entries of the second log and {} ledgers added; {} records; {}",
        rebuilt.read,
        rebuilt.entries,
        rebuilt.ledgers,
        rebuilt.records,
        words(&rebuilt.state)
    )?;
    say_aside(rebuilt.aside.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn say_aside(aside: Option<&Path>) -> Result<(), Unwritten> {
    match aside {
        Some(aside) => out!("what was there before is in {}", aside.display()),
        None => Ok(()),
    }
}

fn words(state: &State) -> String {
    format!(
        "cursor {}; {} proposals, {} open; {} escrows, {} standing",
        state.ledger.map_or_else(|| "none".to_owned(), |point| point.index.to_string()),
        state.proposals.len(),
        state.open.len(),
        state.escrows.len(),
        state.standing.len()
    )
}

/// Looking at a store must not make one.
fn there(data_dir: &Path) -> Result<()> {
    let parts = ["store", "records", "intents.log", "incoming/whole"];
    if parts.iter().any(|part| data_dir.join(part).exists()) {
        return Ok(());
    }
    bail!("{} holds no store", data_dir.display());
}

#[cfg(test)]
mod tests;
