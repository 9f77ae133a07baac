//! The files of the audit log: a line of JSON for each entry, so many lines to a file.
//!
//! A line proves itself and binds the one before it, so there is no frame around it. What a crash cut off at the end never
//! counted. Files that are full are changed for one reason alone, to take texts or names away: each is written anew beside
//! the old one and takes its name when it is whole.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use treasury_api::types::{AuditEntry, AuditOpened};
use treasury_verify::audit::{AuditFault, Checker, Numbers, sealed};

use crate::private;

/// The audit log's folder in the data directory.
pub(crate) const FOLDER: &str = "audit";

/// Entries of a file: looking for something newest first reads a file whole, which takes some milliseconds.
const FILE_ENTRIES: u64 = 2_000;

const SUFFIX: &str = ".jsonl";

/// What an unfinished file ends in.
const UNFINISHED: &str = ".part";

/// Why the audit log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no entry.
    #[error("{} has a line that is no entry: {problem}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// An entry is not what was written.
    #[error(transparent)]
    Fault(#[from] AuditFault),
    /// Whoever asked has gone.
    #[error("nobody waits for the answer any more")]
    NobodyWaits,
}

impl AuditError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// What an entry is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// What happened, as JSON, with commitments.
    pub(crate) text: String,
    /// What those stand for.
    pub(crate) open: BTreeMap<String, AuditOpened>,
}

/// The log, open for writing.
#[derive(Debug)]
pub(crate) struct Book {
    shelf: Shelf,
    file: Option<File>,
    /// Where a write that failed began, as long as what it left could not be taken away.
    torn: Option<u64>,
    head: String,
    every: u64,
}

/// The log for whoever reads it, as it was at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
    /// The numbers with which files begin, in order.
    files: Vec<u64>,
    /// The number of the last entry.
    count: u64,
}

impl Book {
    /// Opens the log in a folder, which is made where it is missing. What a crash cut off goes away.
    pub(crate) fn open(dir: &Path) -> Result<Self, AuditError> {
        Self::open_with(dir, FILE_ENTRIES)
    }

    /// The same with files of so many entries.
    pub(super) fn open_with(dir: &Path, every: u64) -> Result<Self, AuditError> {
        if !dir.exists() {
            private::create_dir_all(dir).map_err(AuditError::io("create", dir))?;
            if let Some(parent) = dir.parent() {
                sync_dir(parent)?;
            }
        }
        let mut shelf = Shelf { dir: dir.to_owned(), files: numbers(dir, true)?, count: 0 };
        let mut head = treasury_verify::audit::NOTHING.to_owned();
        let mut file = None;
        while let Some(newest) = shelf.files.last().copied() {
            let path = shelf.path(newest);
            let open = OpenOptions::new().read(true).append(true).open(&path);
            let mut found = open.map_err(AuditError::io("open", &path))?;
            cut_torn(&mut found, &path)?;
            match lines_of(&path, newest, None)?.last().transpose()? {
                Some(last) => {
                    (shelf.count, head) = (last.number, last.hash);
                    file = Some(found);
                    break;
                }
                // Nothing of it counted, or it was cut off with its only line.
                None => {
                    std::fs::remove_file(&path).map_err(AuditError::io("remove", &path))?;
                    shelf.files.pop();
                }
            }
        }
        Ok(Self { shelf, file, torn: None, head, every: every.max(1) })
    }

    /// How many entries there are, and the hash of the last.
    pub(super) fn head(&self) -> (u64, &str) {
        (self.shelf.count, &self.head)
    }

    pub(super) fn shelf(&self) -> Shelf {
        self.shelf.clone()
    }

    /// Adds entries; they are durable when this returns.
    pub(crate) fn add(&mut self, drafts: Vec<Draft>) -> Result<(), AuditError> {
        if let Some((begin, file)) = self.torn.zip(self.file.as_ref()) {
            file.set_len(begin).map_err(AuditError::io("shorten", &self.shelf.dir))?;
            self.torn = None;
        }
        let mut drafts = drafts.into_iter().peekable();
        while drafts.peek().is_some() {
            self.turn()?;
            let Some(first) = self.shelf.files.last().copied() else { return Ok(()) };
            let room = self.every.saturating_sub(self.shelf.count.saturating_add(1).saturating_sub(first));
            let (mut count, mut head) = (self.shelf.count, self.head.clone());
            let mut lines = Vec::new();
            let taken = usize::try_from(room).unwrap_or(usize::MAX);
            for draft in drafts.by_ref().take(taken) {
                let last = (count > 0).then_some((count, head.as_str()));
                let entry = sealed(last, draft.text, draft.open);
                lines.extend(line(&entry, &self.shelf.dir)?);
                (count, head) = (entry.number, entry.hash);
            }
            let path = self.shelf.path(first);
            let Some(file) = self.file.as_mut() else { return Ok(()) };
            let begin = file.metadata().map_err(AuditError::io("read", &path))?.len();
            let written = file.write_all(&lines).and_then(|()| file.sync_data());
            if let Err(source) = written {
                // Half a line must not stand before the next one. Where that fails too, it is tried before the next is written.
                self.torn = file.set_len(begin).err().map(|_| begin);
                return Err(AuditError::Io { action: "write", path, source });
            }
            (self.shelf.count, self.head) = (count, head);
        }
        Ok(())
    }

    /// Begins a new file where the present one is full, or there is none.
    fn turn(&mut self) -> Result<(), AuditError> {
        let next = self.shelf.count.saturating_add(1);
        let first = self.shelf.files.last().copied();
        if first.is_some_and(|first| next < first.saturating_add(self.every)) && self.file.is_some() {
            return Ok(());
        }
        let path = self.shelf.path(next);
        let file = private::options().read(true).append(true).create(true).open(&path);
        self.file = Some(file.map_err(AuditError::io("create", &path))?);
        sync_dir(&self.shelf.dir)?;
        self.shelf.files.push(next);
        Ok(())
    }
}

impl Shelf {
    /// Of a folder that nobody writes to.
    pub(crate) fn open(dir: &Path) -> Result<Self, AuditError> {
        let mut shelf = Self { dir: dir.to_owned(), files: numbers(dir, false)?, count: 0 };
        for first in shelf.files.iter().rev() {
            if let Some(last) = lines_of(&shelf.path(*first), *first, None)?.last().transpose()? {
                shelf.count = last.number;
                break;
            }
        }
        Ok(shelf)
    }

    /// How many entries there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn path(&self, first: u64) -> PathBuf {
        self.dir.join(format!("{first:020}{SUFFIX}"))
    }

    /// The entries of the file of this place. It goes on to where the next begins.
    fn lines(
        &self,
        at: usize,
    ) -> Result<impl Iterator<Item = Result<AuditEntry, AuditError>> + use<>, AuditError> {
        let first = self.files.get(at).copied().unwrap_or_default();
        lines_of(&self.path(first), first, self.files.get(at.saturating_add(1)).copied())
    }

    /// All entries above `after`, in order.
    pub(crate) fn entries(&self, after: u64) -> impl Iterator<Item = Result<AuditEntry, AuditError>> + '_ {
        let next = after.saturating_add(1);
        let from = self.files.partition_point(|first| *first <= next).saturating_sub(1);
        let lines = (from..self.files.len()).flat_map(|at| match self.lines(at) {
            Ok(lines) => Either::Lines(lines),
            Err(error) => Either::Error(Some(error)),
        });
        let wanted = move |read: &Result<AuditEntry, AuditError>| {
            read.as_ref().map_or(true, |entry| entry.number > after)
        };
        let count = self.count;
        let within = move |read: &Result<AuditEntry, AuditError>| {
            read.as_ref().map_or(true, |entry| entry.number <= count)
        };
        lines.filter(wanted).take_while(within)
    }

    /// Entries below `before` that are wanted, newest first, at most `limit`; reads at most `files` files. And where to go
    /// on, where there may be more.
    pub(crate) fn back(
        &self,
        before: u64,
        limit: usize,
        files: usize,
        wanted: &dyn Fn(&AuditEntry) -> bool,
    ) -> Result<(Vec<AuditEntry>, Option<u64>), AuditError> {
        let mut found = Vec::new();
        let mut looked = before.min(self.count.saturating_add(1));
        let mut left = files;
        for at in (0..self.files.partition_point(|first| *first < before)).rev() {
            if left == 0 {
                return Ok((found, Some(looked)));
            }
            left -= 1;
            let lines = self.lines(at)?.collect::<Result<Vec<_>, _>>()?;
            for entry in lines.into_iter().rev() {
                // Those that came after this was asked for, and those that were seen before.
                if entry.number >= looked {
                    continue;
                }
                looked = entry.number;
                if wanted(&entry) {
                    found.push(entry);
                    if found.len() >= limit {
                        return Ok((found, Some(looked).filter(|number| *number > 1)));
                    }
                }
            }
        }
        Ok((found, None))
    }

    /// Proves every entry. What is gone from them may be accounted for by an entry that came meanwhile: it is written down
    /// before it is taken away.
    ///
    /// # Errors
    /// The first that is not what was written; what cannot be read.
    pub(crate) fn check(&self, mut checker: Checker) -> Result<Checker, AuditError> {
        for entry in self.entries(0) {
            checker.take(&entry?)?;
        }
        if !checker.unaccounted().is_empty() {
            for entry in Self::open(&self.dir)?.entries(self.count) {
                checker.take(&entry?)?;
            }
        }
        checker.finish()?;
        Ok(checker)
    }

    /// In which entries of those files something would change.
    pub(super) fn would_change(
        &self,
        but_newest: bool,
        change: &mut dyn FnMut(&mut AuditEntry) -> bool,
    ) -> Result<Numbers, AuditError> {
        let count = self.files.len().saturating_sub(usize::from(but_newest));
        let mut would = Numbers::default();
        for first in self.files.iter().take(count) {
            for entry in lines_of(&self.path(*first), *first, None)? {
                let mut entry = entry?;
                if change(&mut entry) {
                    would.add(entry.number);
                }
            }
        }
        Ok(would)
    }

    /// Writes anew the files in which something changes; answers with how many entries did. Nobody may be writing to
    /// them meanwhile, but to the newest where that is left alone.
    pub(super) fn change(
        &self,
        but_newest: bool,
        change: &mut dyn FnMut(&mut AuditEntry) -> bool,
    ) -> Result<u64, AuditError> {
        let mut changed = 0_u64;
        let count = self.files.len().saturating_sub(usize::from(but_newest));
        for first in self.files.iter().take(count) {
            let path = self.path(*first);
            let mut entries = lines_of(&path, *first, None)?.collect::<Result<Vec<_>, _>>()?;
            let mut here = 0_u64;
            for entry in &mut entries {
                here = here.saturating_add(u64::from(change(entry)));
            }
            if here > 0 {
                self.write_anew(&path, &entries)?;
                changed = changed.saturating_add(here);
            }
        }
        Ok(changed)
    }

    fn write_anew(&self, path: &Path, entries: &[AuditEntry]) -> Result<(), AuditError> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(line(entry, path)?);
        }
        let written = private::create(&unfinished)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
        written.map_err(AuditError::io("write", &unfinished))?;
        std::fs::rename(&unfinished, path).map_err(AuditError::io("rename", &unfinished))?;
        sync_dir(&self.dir)
    }
}

enum Either<I> {
    Lines(I),
    Error(Option<AuditError>),
}

impl<I: Iterator<Item = Result<AuditEntry, AuditError>>> Iterator for Either<I> {
    type Item = Result<AuditEntry, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => lines.next(),
            Self::Error(error) => error.take().map(Err),
        }
    }
}

fn line(entry: &AuditEntry, path: &Path) -> Result<Vec<u8>, AuditError> {
    let written = serde_json::to_vec(entry);
    let mut line =
        written.map_err(|error| AuditError::Line { path: path.to_owned(), problem: error.to_string() })?;
    line.push(b'\n');
    Ok(line)
}

/// The entries of a file, without what was cut off at its end. One that has not the next number is a fault, whoever reads: by their
/// numbers they are picked, and what is passed over for its number is what nobody proves. So it is where they end before the number
/// with which the next file begins, or there is none.
fn lines_of(
    path: &Path,
    first: u64,
    mut until: Option<u64>,
) -> Result<impl Iterator<Item = Result<AuditEntry, AuditError>> + use<>, AuditError> {
    let file = File::open(path).map_err(AuditError::io("open", path))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (path, shown) = (path.to_owned(), path.to_owned());
    // Not known behind a fault: that is told once.
    let mut next = Some(first);
    let read = move |line: &str, next: &mut Option<u64>| {
        let entry: AuditEntry = serde_json::from_str(line)
            .map_err(|error| AuditError::Line { path: path.clone(), problem: error.to_string() })?;
        match next.replace(entry.number.saturating_add(1)) {
            Some(expected) if expected != entry.number => {
                *next = None;
                Err(AuditFault::Gap { expected, found: entry.number }.into())
            }
            _ => Ok(entry),
        }
    };
    Ok(std::iter::from_fn(move || {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Err(source) => Some(Err(AuditError::Io { action: "read", path: shown.clone(), source })),
            Ok(_) if !line.ends_with('\n') => {
                let (expected, found) = next.zip(until.take())?;
                (expected != found).then_some(Err(AuditFault::Gap { expected, found }.into()))
            }
            Ok(_) => Some(read(&line, &mut next)),
        }
    })
    .fuse())
}

/// Takes away what comes after the last line feed.
fn cut_torn(file: &mut File, path: &Path) -> Result<(), AuditError> {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
    read.map_err(AuditError::io("read", path))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    if whole < bytes.len() {
        tracing::warn!(path = %path.display(), "the audit log's end is torn and is written again");
        let whole = u64::try_from(whole).unwrap_or(u64::MAX);
        file.set_len(whole).and_then(|()| file.sync_all()).map_err(AuditError::io("shorten", path))?;
    }
    Ok(())
}

/// The numbers with which files begin. What is left of unfinished ones goes away, where nobody else may be at work.
fn numbers(dir: &Path, clean: bool) -> Result<Vec<u64>, AuditError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(AuditError::io("read", dir))? {
        let path = entry.map_err(AuditError::io("read", dir))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if clean && name.ends_with(UNFINISHED) {
            std::fs::remove_file(&path).map_err(AuditError::io("remove", &path))?;
        } else if let Some(first) = name.strip_suffix(SUFFIX).and_then(|stem| stem.parse::<u64>().ok()) {
            // There is no entry 0, and nobody would look for it.
            found.extend(Some(first).filter(|first| *first > 0));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn sync_dir(dir: &Path) -> Result<(), AuditError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(AuditError::io("sync", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(count: usize) -> Vec<Draft> {
        (0..count).map(|n| Draft { text: format!("{{\"n\":{n}}}"), ..Draft::default() }).collect()
    }

    /// Ten entries in files of four.
    fn written(dir: &Path) -> Book {
        let mut book = Book::open_with(dir, 4).unwrap();
        book.add(drafts(10)).unwrap();
        book
    }

    fn all(shelf: &Shelf) -> Result<Vec<u64>, AuditError> {
        let (found, _) = shelf.back(u64::MAX, usize::MAX, usize::MAX, &|_| true)?;
        Ok(found.iter().map(|entry| entry.number).collect())
    }

    /// Danger: a line is put into the log that whoever shows it takes for an entry and whoever proves it passes over for its number;
    /// it says what nobody did, and hides what was done before it, and the hash that somebody noted is still the log's.
    #[test]
    fn what_has_not_the_next_number_is_found_by_whoever_proves_and_shown_by_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let book = written(dir.path());
        let (count, head) = (book.head().0, book.head().1.to_owned());
        let proven = || Shelf::open(dir.path())?.check(Checker::whole().noted(count, &head)).map(drop);
        let shown = || all(&book.shelf());
        proven().unwrap();
        assert_eq!(shown().unwrap(), (1..=10).rev().collect::<Vec<_>>());
        let path = book.shelf.path(5);
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let numbered = |number: u64| lines[1].replace("\"number\":6", &format!("\"number\":{number}"));
        let put = |at: usize, instead: usize, line: String| {
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            lines.splice(at..at + instead, [line]);
            lines.join("\n") + "\n"
        };
        for forged in [
            put(2, 0, numbered(0)),
            put(0, 0, numbered(0)),
            put(2, 0, numbered(999)),
            put(1, 1, numbered(999)),
            put(2, 0, numbered(6)),
            put(2, 0, numbered(5)),
        ] {
            std::fs::write(&path, &forged).unwrap();
            assert!(matches!(proven(), Err(AuditError::Fault(AuditFault::Gap { .. }))), "{forged}");
            assert!(shown().is_err(), "{forged}");
            assert!(book.shelf().check(Checker::whole()).is_err(), "nor by the daemon's own proof");
        }
        std::fs::write(&path, &whole).unwrap();
        proven().unwrap();
        // A whole file before all others.
        std::fs::write(book.shelf.path(0), numbered(0) + "\n").unwrap();
        proven().unwrap();
        assert_eq!(all(&Shelf::open(dir.path()).unwrap()).unwrap().len(), 10);
    }

    /// Danger: an empty file is put among those of the log, whoever asks is answered from the one behind it, what was done before
    /// that is shown to nobody, and every proof says that all is well.
    #[test]
    fn a_file_that_does_not_go_on_to_the_next_is_found_by_whoever_reads_or_proves() {
        let dir = tempfile::tempdir().unwrap();
        let book = written(dir.path());
        let is_gap =
            |read: Result<(), AuditError>| matches!(read, Err(AuditError::Fault(AuditFault::Gap { .. })));
        let half = |first: u64| {
            let text = std::fs::read_to_string(book.shelf.path(first)).unwrap();
            text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>()
        };
        // Empty before the first and among the others, and cut off at its end.
        for (first, text) in
            [(2, String::new()), (4, String::new()), (7, String::new()), (5, half(5)), (5, half(5) + "{")]
        {
            let path = book.shelf.path(first);
            let before = std::fs::read_to_string(&path).ok();
            std::fs::write(&path, text).unwrap();
            let shelf = Shelf::open(dir.path()).unwrap();
            assert_eq!(shelf.count(), 10);
            assert!(is_gap(shelf.check(Checker::whole()).map(drop)), "{first}");
            assert!(is_gap(all(&shelf).map(drop)), "{first}");
            for after in 0..first {
                let read = shelf.entries(after).collect::<Result<Vec<_>, _>>();
                assert!(is_gap(read.map(drop)), "{first}, after {after}");
            }
            match before {
                Some(before) => std::fs::write(&path, before).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
        }
        // A new file without an entry is what a daemon leaves that ends there.
        std::fs::write(book.shelf.path(11), "").unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        shelf.check(Checker::whole()).unwrap();
        assert_eq!(all(&shelf).unwrap().len(), 10);
    }

    /// Danger: the disk fails in the midst of a line and again when that is taken away, the next entry is written behind the half, and
    /// no later start can read the log.
    #[test]
    fn what_a_write_that_failed_has_left_is_taken_away_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = written(dir.path());
        let path = book.shelf.path(9);
        let works = book.file.replace(File::open(&path).unwrap());
        assert!(book.add(drafts(1)).is_err(), "it cannot be written to, and not be shortened either");
        book.file = works;
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"number\":11,\"be").unwrap();
        book.add(drafts(1)).unwrap();
        let checker = Shelf::open(dir.path()).unwrap().check(Checker::whole()).unwrap();
        assert_eq!(checker.head(), Some(book.head()));
        assert_eq!(book.head().0, 11);
    }
}
