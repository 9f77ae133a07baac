//! `treasuryd audit`.

use std::collections::BTreeSet;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use rand::random;
use treasury_api::types::{AuditEntry, AuditQuery};
use treasury_tools::console::{Unwritten, out, say};
use treasury_verify::audit::{Checker, Exported, csv_head, csv_row, report, since, until};

use crate::audit::book::{FOLDER, Shelf};
use crate::audit::look::{NoMoment, Wanted};
use crate::audit::{AuditError, against, behind, say_taken};
use crate::clock;
use crate::notify::forget_in_outbox;
use crate::private;
use crate::store::{DiskStore, StoreBuilder, StoreLock, forget};

/// The exit code of `verify` where the log is not what was written.
const CHANGED: u8 = 3;

/// That where something is gone from it and nothing in it says that it was taken away.
const MISSING: u8 = 1;

/// What can be done with the audit log of a data directory. A daemon may be running, but for `trim` and `forget`.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Prove every entry: its text, its hash, and that it follows the one before it. Exit code 0: whole; 1: something is gone that it
    /// does not say was taken away (or nothing can be read); 3: changed.
    Verify {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        /// A hash that was noted down earlier, as `NUMBER:HASH`: the chain has to go through it. May be given again.
        #[arg(long, value_name = "NUMBER:HASH", value_parser = noted)]
        noted: Vec<(u64, String)>,
        /// Hold every entry against the store's records, too. No daemon may be running on it.
        #[arg(long)]
        store: bool,
    },
    /// Print entries, one a line.
    Export {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        #[command(flatten)]
        which: Which,
        /// As a table for a spreadsheet. Only the lines of JSON that come otherwise can be proven.
        #[arg(long)]
        csv: bool,
        /// A file to make that only its owner may read; standard output where left out.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Write a page (HTML, for reading and printing) about what is asked for.
    Report {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        #[command(flatten)]
        which: Which,
        /// A file to make that only its owner may read; standard output where left out.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Take the texts of old entries away. Their digests stay, so the chain is as provable as before.
    Trim {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        /// Those made before this date (in UTC), or time: 2019-01-01 or 2019-01-01T08:00:00Z.
        #[arg(long, value_name = "DATE", value_parser = since)]
        before: String,
        /// Take them away without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Take a person away: the name wherever it stands in the log, and what else is personal in those entries (texts,
    /// addresses). The store's own records keep theirs, but with `--store`.
    Forget {
        /// The data directory.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
        /// The name.
        #[arg(long, value_name = "NAME")]
        person: String,
        /// Write the store anew, too, with a made-up name in its records and without what was written in those. The store
        /// that was there goes aside, and still has it.
        #[arg(long)]
        store: bool,
    },
}

/// Which entries.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only those in which this person is named.
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// Only those about this proposal, stop or finding, such as P3, S1 or F2.
    #[arg(long, value_name = "ID")]
    about: Option<String>,
    /// Only those from this date (in UTC) or time on: 2026-11-01 or 2026-11-01T08:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Option<String>,
    /// Only those up to this date (in UTC), the whole day, or this time.
    #[arg(long, value_name = "DATE", value_parser = until)]
    until: Option<String>,
}

impl Which {
    fn wanted(self) -> Result<Wanted, NoMoment> {
        let Self { person, about, since, until } = self;
        Wanted::of(AuditQuery { person, about, since, until, ..AuditQuery::default() })
    }
}

fn noted(text: &str) -> Result<(u64, String), String> {
    let problem = "a number, a colon and 64 hex digits".to_owned();
    let (number, hash) = text.split_once(':').ok_or_else(|| problem.clone())?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match number.parse() {
        Ok(number) if is_hash => Ok((number, hash.to_owned())),
        _ => Err(problem),
    }
}

/// Does it.
pub(super) fn run(command: AuditCommand) -> Result<ExitCode> {
    match command {
        AuditCommand::Verify { data_dir, noted, store } => verify(&data_dir, noted, store),
        AuditCommand::Export { data_dir, which, csv, to } => {
            let shelf = shelf(&data_dir)?;
            let wanted = which.wanted()?;
            let write = |out: &mut dyn Write| -> Result<()> {
                if csv {
                    out.write_all(csv_head().as_bytes()).map_err(Unwritten::from)?;
                }
                let (mut exported, mut head) = (Exported::default(), String::new());
                for entry in shelf.entries(0) {
                    let entry = entry?;
                    head.clone_from(&entry.hash);
                    if wanted.has(&entry) {
                        exported.take(&entry);
                        let line = if csv {
                            csv_row(&entry)
                        } else {
                            format!("{}\n", serde_json::to_string(&entry)?)
                        };
                        out.write_all(line.as_bytes()).map_err(Unwritten::from)?;
                    }
                }
                if let Some(end) = exported.end(shelf.count(), &head).filter(|_| !csv) {
                    out.write_all(end.as_bytes()).map_err(Unwritten::from)?;
                }
                Ok(())
            };
            written(to.as_deref(), write)
        }
        AuditCommand::Report { data_dir, which, to } => {
            let shelf = shelf(&data_dir)?;
            let wanted = which.wanted()?;
            let is_wanted = |entry: &Result<AuditEntry, AuditError>| {
                entry.as_ref().map_or(true, |entry| wanted.has(entry))
            };
            let entries = shelf.entries(0).filter(is_wanted).collect::<Result<Vec<_>, _>>()?;
            let page = report(&entries, &wanted.words(), &clock::utc().to_string());
            written(to.as_deref(), |out| Ok(out.write_all(page.as_bytes()).map_err(Unwritten::from)?))
        }
        AuditCommand::Trim { data_dir, before, yes } => {
            trim(&data_dir, &before, |what| if yes { Ok(true) } else { confirmed(what) })
        }
        AuditCommand::Forget { data_dir, person, store } => forget_person(&data_dir, &person, store),
    }
}

fn verify(data_dir: &Path, noted: Vec<(u64, String)>, store: bool) -> Result<ExitCode> {
    let checker = noted.iter().fold(Checker::whole(), |checker, (number, hash)| checker.noted(*number, hash));
    let checked = opened(data_dir)?.and_then(|shelf| Ok((shelf.check(checker)?, shelf)));
    let (checker, shelf) = match checked {
        Ok(checked) => checked,
        Err(AuditError::Fault(fault)) => {
            say!("{}: {fault}", fault.code());
            return Ok(ExitCode::from(CHANGED));
        }
        Err(error) => return Err(error.into()),
    };
    let (count, head) = checker.head().unwrap_or((0, "none"));
    out!(
        "{count} entries, what is there of them as it was written; {} without their texts, {} without something in them; \
         head {head}",
        checker.texts.missing.count(),
        checker.openings.missing.count()
    )?;
    let missing = checker.unaccounted();
    for line in &missing {
        say!("AUDIT_MISSING: {line}");
    }
    if store {
        let store = DiskStore::open(data_dir)?;
        let (held, differs) = against(&shelf, &store)?;
        if let Some(number) = differs {
            say!("AUDIT_STORE: the record of entry {number} is another one in the store");
            return Ok(ExitCode::from(CHANGED));
        }
        out!("{held} of them are what the store's records say")?;
        let lacks = behind(&shelf, &store)?;
        if lacks > 0 {
            say!(
                "AUDIT_BEHIND: {lacks} records of the store come after the last entry of one; a daemon that was killed may leave some, \
                 which its next start writes down, and one that has ended in order leaves none"
            );
            return Ok(ExitCode::from(MISSING));
        }
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISSING) })
}

/// What is gone does not come back, so somebody has to say yes to how much it is.
fn trim(data_dir: &Path, before: &str, may: impl FnOnce(&str) -> Result<bool>) -> Result<ExitCode> {
    let shelf = shelf(data_dir)?;
    let _lock = StoreLock::take(data_dir)?;
    if *before > *clock::utc().to_string() {
        bail!("{before} is yet to come, by this host's clock: nothing was taken away");
    }
    let count = shelf.older(before)?;
    if count == 0 {
        out!("no texts of before {before} are there")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !may(&format!("{count} of {} texts are of before {before}. Take them away for ever?", shelf.count()))?
    {
        say!("nothing was taken away");
        return Ok(ExitCode::FAILURE);
    }
    let what = format!("texts of before {before}");
    let trimmed = shelf.trim(before, false, |taken| say_taken(data_dir, &what, taken))?;
    out!("{trimmed} {what} are gone, and their digests stay")?;
    Ok(ExitCode::SUCCESS)
}

fn confirmed(question: &str) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("{question} Nobody is there to be asked (standard input is no terminal); say it with --yes");
    }
    say!("{question} [y/N]");
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

fn forget_person(data_dir: &Path, person: &str, store: bool) -> Result<ExitCode> {
    let shelf = shelf(data_dir)?;
    let from_log = |records: &BTreeSet<u64>| -> Result<()> {
        let what = "a person's name and texts";
        let changed = shelf.forget(person, records, |taken| say_taken(data_dir, what, taken))?;
        out!("{changed} entries of the audit log have nothing personal of them any more")?;
        Ok(())
    };
    if store {
        // It was broken off where the new store takes its place: everything else was done by then.
        if let Some(aside) = StoreBuilder::finish_interrupted(data_dir)? {
            say!("the store that was written anew before is in place now");
            say_aside(aside.as_deref());
        }
        let instead = format!("person-{:08x}", random::<u32>());
        let mut count = 0;
        // The store last: by that alone the next try knows what is to be done, where this one is broken off.
        let aside = forget(data_dir, person, &instead, |records| -> Result<()> {
            count = records.len();
            let changed = forget_in_outbox(data_dir, person, &instead)?;
            out!("{changed} entries of the outbox have nothing personal of them any more")?;
            from_log(records)
        })?;
        out!("{count} records of the store have nothing personal of them any more")?;
        say_aside(aside.as_deref());
    } else {
        let _lock = StoreLock::take(data_dir)?;
        from_log(&BTreeSet::new())?;
    }
    say!(
        "backups and earlier exports still have it{}",
        if store { "" } else { ", and so have the store and the outbox" }
    );
    Ok(ExitCode::SUCCESS)
}

fn say_aside(aside: Option<&Path>) {
    if let Some(aside) = aside {
        say!("{} is the store as it was: remove it when the daemon runs on the new one", aside.display());
    }
}

fn shelf(data_dir: &Path) -> Result<Shelf> {
    opened(data_dir)?.map_err(|error| eyre!("{error}"))
}

fn opened(data_dir: &Path) -> Result<Result<Shelf, AuditError>> {
    let dir = data_dir.join(FOLDER);
    if !dir.is_dir() {
        bail!("{} holds no audit log", data_dir.display());
    }
    Ok(Shelf::open(&dir))
}

fn written(to: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<ExitCode> {
    match to {
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            write(&mut out)?;
            out.flush().map_err(Unwritten::from)?;
        }
        Some(to) => {
            let file = private::create_new(to).wrap_err_with(|| format!("cannot make {}", to.display()))?;
            let mut out = BufWriter::new(&file);
            write(&mut out)?;
            out.flush().map_err(Unwritten::from)?;
            drop(out);
            file.sync_all().wrap_err_with(|| format!("cannot sync {}", to.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use treasury_verify::audit::Numbers;

    use crate::audit::Taken;
    use crate::audit::book::{Book, Draft};

    #[derive(Debug, Parser)]
    struct Words {
        #[command(subcommand)]
        command: AuditCommand,
    }

    fn does(dir: &Path, words: &[&str]) -> Result<ExitCode> {
        let line = ["audit"].into_iter().chain(words.iter().copied()).chain(["--data-dir"]);
        run(Words::try_parse_from(line.map(Path::new).chain([dir])).unwrap().command)
    }

    #[test]
    fn a_log_is_proven_exported_trimmed_and_found_changed() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        assert!(does(data, &["verify"]).unwrap_err().to_string().contains("holds no audit log"));
        say_taken(data, "nothing yet", Taken::Texts(Numbers::default())).unwrap();
        say_taken(data, "nothing again", Taken::Texts(Numbers::default())).unwrap();
        let is = |words: &[&str], code: u8| {
            let done = does(data, words).unwrap();
            assert_eq!(format!("{done:?}"), format!("{:?}", ExitCode::from(code)), "{words:?}");
        };
        is(&["verify"], 0);
        let entries: Vec<AuditEntry> =
            Shelf::open(&data.join(FOLDER)).unwrap().entries(0).collect::<Result<_, _>>().unwrap();
        is(&["verify", "--noted", &format!("2:{}", entries[1].hash)], 0);
        is(&["verify", "--noted", &format!("1:{}", entries[1].hash)], CHANGED);
        let to = data.join("lines").display().to_string();
        is(&["export", "--to", &to], 0);
        assert_eq!(std::fs::read_to_string(&to).unwrap().lines().count(), 2);
        assert!(does(data, &["export", "--to", &to]).is_err(), "nothing is overwritten");
        let table = data.join("table").display().to_string();
        is(&["export", "--csv", "--to", &table], 0);
        assert!(std::fs::read_to_string(&table).unwrap().starts_with("number,at,ledger"));
        let page = data.join("page").display().to_string();
        is(&["report", "--since", "2020-01-01", "--to", &page], 0);
        assert!(std::fs::read_to_string(&page).unwrap().contains("nothing again"));
        assert!(does(data, &["trim", "--before", "2999-01-01", "--yes"]).is_err(), "that is yet to come");
        let unchanged: Vec<AuditEntry> =
            Shelf::open(&data.join(FOLDER)).unwrap().entries(0).collect::<Result<_, _>>().unwrap();
        assert_eq!(unchanged, entries);
        is(&["trim", "--before", "2020-01-01", "--yes"], 0);
        is(&["verify"], 0);
        is(&["forget", "--person", "sue"], 0);
        let _lock = StoreLock::take(data).unwrap();
        assert!(
            does(data, &["trim", "--before", "2020-01-01", "--yes"]).is_err(),
            "a daemon is writing to it"
        );
        let file = std::fs::read_dir(data.join(FOLDER)).unwrap().next().unwrap().unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(&entries[1].digest, &entries[0].digest)).unwrap();
        is(&["verify"], CHANGED);
        // And one that is put behind all others.
        let more = text.lines().last().unwrap().replace("\"number\":", "\"number\":9");
        std::fs::write(&file, format!("{text}{more}\n")).unwrap();
        is(&["verify"], CHANGED);
    }

    /// Danger: `yesterday` is later than every date, as texts are compared, and all texts go for ever.
    #[test]
    fn a_date_that_is_none_takes_nothing_away_and_is_refused_before_anything_is_read() {
        for no_date in ["yesterday", "31.12.2018", "2019"] {
            for words in [["trim", "--before"], ["export", "--since"], ["report", "--until"]] {
                let line = ["audit"].into_iter().chain(words).chain([no_date]);
                let refused = Words::try_parse_from(line).unwrap_err();
                assert_eq!(refused.exit_code(), 2);
                assert!(refused.to_string().contains("2026-11-27"), "{refused}");
            }
        }
    }

    /// Danger: somebody takes old texts away by hand, and whoever looks at the exit code alone believes the log.
    #[test]
    fn what_is_gone_and_nobody_accounts_for_is_no_success_of_a_proof() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        for what in ["one", "two"] {
            say_taken(data, what, Taken::Texts(Numbers::default())).unwrap();
        }
        let file = std::fs::read_dir(data.join(FOLDER)).unwrap().next().unwrap().unwrap().path();
        let lines = std::fs::read_to_string(&file).unwrap();
        let (first, rest) = lines.split_once('\n').unwrap();
        let mut first: AuditEntry = serde_json::from_str(first).unwrap();
        first.text = None;
        std::fs::write(&file, format!("{}\n{rest}", serde_json::to_string(&first).unwrap())).unwrap();
        let code = || format!("{:?}", does(data, &["verify"]).unwrap());
        assert_eq!(code(), format!("{:?}", ExitCode::from(1)));
        let mut first = Numbers::default();
        first.add(1);
        say_taken(data, "the first", Taken::Texts(first)).unwrap();
        assert_eq!(code(), format!("{:?}", ExitCode::SUCCESS));
    }

    #[test]
    fn texts_go_after_somebody_has_said_yes_to_how_many() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = Book::open(&dir.path().join(FOLDER)).unwrap();
        let texts = [r#"{"at":"2018-12-31T23:59:59Z"}"#, r#"{"at":"2019-01-01T00:00:00Z"}"#, r#"{"at":""}"#];
        book.add(texts.map(|text| Draft { text: text.to_owned(), ..Draft::default() }).into()).unwrap();
        drop(book);
        let left = || Shelf::open(&dir.path().join(FOLDER)).unwrap().older("9999").unwrap();
        let before = since("2019-01-01").unwrap();
        trim(dir.path(), &before, |_| Ok(false)).unwrap();
        assert_eq!(left(), 2, "nobody said yes");
        let asked = |what: &str| {
            assert!(what.starts_with("1 of 3 texts are of before 2019-01-01T00:00:00Z"), "{what}");
            Ok(true)
        };
        trim(dir.path(), &before, asked).unwrap();
        assert_eq!(left(), 1, "the other stays, and what says so is never old");
        trim(dir.path(), &before, |_| bail!("nothing is left to be asked about")).unwrap();
    }
}
