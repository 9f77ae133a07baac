//! Files that are nobody else's business: made for their owner alone whatever the process's umask says, and refused
//! where others could read what is secret in them.
//!
//! It guards against other accounts of the machine. Against whoever can become the owner, or gets a copy, it does
//! not: secrets are encrypted for that.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

/// What the owner may do with a file, and with a directory.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// Unfinished files of one process beside one path. More were left behind by something that is out of order.
const BESIDE_MAX: u32 = 100;

/// What is anybody else's.
const OTHERS: u32 = 0o077;

/// For the whole process, and first of all: libraries make files, too.
pub fn keep_out_others() {
    rustix::process::umask(Mode::from_raw_mode(OTHERS));
}

/// Options with which a new file is its owner's alone.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(FILE_MODE);
    options
}

/// An empty file that is its owner's alone, also where there was one.
///
/// # Errors
/// What the system says.
pub fn create(path: &Path) -> io::Result<File> {
    let file = options().write(true).create(true).truncate(true).open(path)?;
    if file.metadata()?.mode() & OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    }
    Ok(file)
}

/// A file that was not there before.
///
/// # Errors
/// What the system says.
pub fn create_new(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Whether a file that is written whole may take the place of one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It may.
    AlsoTaken,
    /// It may not.
    Free,
}

/// Writes a file beside its place and then puts it there, so that a crash leaves the old one or the new one whole. It is
/// durable when this returns.
///
/// # Errors
/// What the system says; [`io::ErrorKind::AlreadyExists`] where the place is to be free and is not.
pub fn write_whole(path: &Path, bytes: &[u8], place: Place) -> io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    let (unfinished, mut file) = beside(path)?;
    let placed = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| match place {
        Place::AlsoTaken => fs::rename(&unfinished, path),
        // A rename would take the place of what is there.
        Place::Free => fs::hard_link(&unfinished, path).and_then(|()| fs::remove_file(&unfinished)),
    });
    if placed.is_err() {
        // What is left over holds no more than what is there, and why it was not placed matters more.
        let _ = fs::remove_file(&unfinished);
    }
    placed?;
    // The new name is durable only when the folder is.
    File::open(dir).and_then(|dir| dir.sync_all())
}

/// A new file beside another. Names that an earlier process left behind are passed over.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}-{number}.part", std::process::id()));
        let name = PathBuf::from(name);
        match create_new(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < BESIDE_MAX => number += 1,
            made => return made.map(|file| (name, file)),
        }
    }
}

/// A directory, and what is missing above it. One that is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(DIR_MODE).recursive(true).create(path)
}

/// A directory that was not there before.
///
/// # Errors
/// What the system says.
pub fn create_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(DIR_MODE).create(path)
}

/// A directory for as long as something is looked at; it goes with its owner.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one where the system keeps what is not to last.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("treasury-{}-{number}", std::process::id()));
            match create_dir(&path) {
                // What somebody else has put there, or a process of this number left, is not used.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < BESIDE_MAX => {}
                made => return made.map(|()| Self(path)),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is the owner's alone.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Takes from others what an earlier version, or somebody, gave them: of a file, or of a directory and everything
/// in it. Nothing happens where nothing is there.
///
/// # Errors
/// What the system says.
pub fn tighten(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) => tighten_found(path, &found),
    }
}

/// As [`tighten`], of a directory and not of what is in it.
///
/// # Errors
/// What the system says.
pub fn tighten_one(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    let mode = if found.is_dir() { DIR_MODE } else { FILE_MODE };
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn tighten_found(path: &Path, found: &fs::Metadata) -> io::Result<()> {
    // The directory first: from then on nobody gets at what is in it.
    if found.mode() & OTHERS != 0 {
        tighten_one(path)?;
    }
    if !found.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let found = match entry.metadata() {
            Ok(found) if found.is_symlink() => continue,
            Ok(found) => found,
            // Whoever made it has taken it away again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        tighten_found(&entry.path(), &found)?;
    }
    Ok(())
}

/// Why a secret was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Others could read it, too.
    #[error("it can be read by others than its owner")]
    Exposed,
}

/// What cannot be read to its end at once: a pipe, a device, a socket or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no regular file")]
pub struct NotAFile;

/// Opens a regular file, also by a link. Nothing else is waited for: a pipe that nobody writes to would be for ever.
///
/// # Errors
/// What the system says; [`NotAFile`] inside where it is something else.
pub fn open_file(path: &Path) -> io::Result<File> {
    let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(no_wait).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, NotAFile))
    }
}

/// Reads a text that only its owner may read, from a regular file: for whoever runs on and must not wait for a pipe.
///
/// # Errors
/// [`ReadError`].
pub fn read_file(path: &Path) -> Result<Zeroizing<String>, ReadError> {
    text_of(open_file(path)?)
}

/// Reads the text of a regular file.
///
/// # Errors
/// As [`open_file`].
pub fn read_regular(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_file(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Opens a file that only its owner may read.
///
/// # Errors
/// [`ReadError`].
pub fn open(path: &Path) -> Result<File, ReadError> {
    unexposed(File::open(path)?)
}

fn unexposed(file: File) -> Result<File, ReadError> {
    // What is looked at is what is read, whatever has the name by now.
    let found = file.metadata()?;
    if is_exposed(found.mode(), (found.uid(), found.gid()), rustix::process::geteuid().is_root()) {
        return Err(ReadError::Exposed);
    }
    Ok(file)
}

fn text_of(file: File) -> Result<Zeroizing<String>, ReadError> {
    let mut text = Zeroizing::new(String::new());
    unexposed(file)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Reads a text that only its owner may read.
///
/// # Errors
/// [`ReadError`].
pub fn read_text(path: &Path) -> Result<Zeroizing<String>, ReadError> {
    text_of(File::open(path)?)
}

/// Whether others than the owner could read a file or change it. systemd gives a service that is not root its
/// credentials as files of root's that this one user may read, too, which shows as a right of root's own group.
fn is_exposed(mode: u32, (uid, gid): (u32, u32), by_root: bool) -> bool {
    let is_credential = !by_root && (uid, gid) == (0, 0) && mode & (OTHERS & !0o040) == 0;
    mode & OTHERS != 0 && !is_credential
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_an_earlier_version_left_open_is_taken_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let (inner, file) = (dir.path().join("a"), dir.path().join("a/b"));
        create_dir_all(&inner).unwrap();
        create(&file).unwrap();
        assert_eq!((mode(&inner), mode(&file)), (0o700, 0o600));
        for path in [dir.path(), &inner] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink("/", inner.join("link")).unwrap();
        tighten(dir.path()).unwrap();
        assert_eq!((mode(dir.path()), mode(&inner), mode(&file)), (0o700, 0o700, 0o600));
        tighten(&dir.path().join("none")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        create(&file).unwrap();
        assert_eq!(mode(&file), 0o600, "a file that is written anew is its owner's again");
    }

    #[test]
    fn a_file_that_is_written_whole_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept");
        write_whole(&path, b"one", Place::Free).unwrap();
        let refused = write_whole(&path, b"two", Place::Free).unwrap_err();
        assert_eq!(
            (refused.kind(), fs::read(&path).unwrap()),
            (io::ErrorKind::AlreadyExists, b"one".to_vec())
        );
        // An earlier process of this number was killed in the middle.
        fs::write(dir.path().join(format!("kept.{}-0.part", std::process::id())), "half").unwrap();
        write_whole(&path, b"three", Place::AlsoTaken).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"three".to_vec(), 0o600));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "its own and the killed one's");
    }

    #[test]
    fn a_directory_for_the_moment_is_its_owners_and_goes_with_it() {
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(one.path(), other.path());
        assert_eq!(mode(one.path()), 0o700);
        fs::write(one.path().join("copy"), "c").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }

    #[test]
    fn a_secret_that_others_can_read_or_change_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, "s").unwrap();
        for (given, exposed) in [
            (0o600, false),
            (0o400, false),
            (0o700, false),
            (0o604, true),
            (0o620, true),
            (0o640, true),
            (0o601, true),
            (0o644, true),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(given)).unwrap();
            assert_eq!(matches!(read_text(&path), Err(ReadError::Exposed)), exposed, "{given:o}");
        }
    }

    /// Danger: whoever may write in a folder of secrets puts a pipe where one was, and the daemon waits for it for ever.
    #[test]
    fn what_is_no_regular_file_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (dir.path().join("file"), dir.path().join("link"), dir.path().join("pipe"));
        write_whole(&file, b"s", Place::Free).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_raw_mode(FILE_MODE)).unwrap();
        assert_eq!((read_file(&file).unwrap().as_str(), read_file(&link).unwrap().as_str()), ("s", "s"));
        for other in [pipe.as_path(), dir.path(), Path::new("/dev/null")] {
            let refused = open_file(other).unwrap_err();
            let is_known = refused.get_ref().is_some_and(|inner| inner.is::<NotAFile>());
            assert!(is_known && refused.to_string() == "it is no regular file", "{other:?}: {refused}");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read_file(&link), Err(ReadError::Exposed)));
    }

    #[test]
    fn what_systemd_hands_to_a_service_is_a_secret_all_the_same() {
        assert!(!is_exposed(0o100_440, (0, 0), false));
        assert!(is_exposed(0o100_440, (0, 0), true), "root's own file needs no such right");
        for (mode, owner) in [(0o440, (0, 1_000)), (0o440, (1_000, 0)), (0o444, (0, 0)), (0o460, (0, 0))] {
            assert!(is_exposed(mode, owner, false), "{mode:o} {owner:?}");
        }
    }
}
