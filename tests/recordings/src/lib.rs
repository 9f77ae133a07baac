//! The recorded stories of real ledger servers, as all tests of the workspace read them.
//!
//! They lie in `tests/data/conformance`, one folder for each kind of server and one compressed file for each story;
//! the README there says what a story holds. Listing opens no file: a test that needs one story unpacks one.
//!
//! `CONFORMANCE_VECTORS` names further directories, separated as in `PATH`, of compressed or plain stories.

pub mod events;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;
use serde_json::Value;

/// Names further directories of stories.
pub const FURTHER: &str = "CONFORMANCE_VECTORS";

/// Where the stories are in the repository.
const STORIES: &str = "tests/data/conformance";

/// Where stores of earlier releases are.
const STORES: &str = "tests/data/stores";

const PACKED: &str = ".json.zst";
const PLAIN: &str = ".json";

/// One recorded story, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recording {
    folder: String,
    name: String,
    path: PathBuf,
}

impl Recording {
    /// The folder it is in, such as `3.2/queue`. Of a further directory: the directory's path.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// What it is called, such as `tickets`: the file's name without its endings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it is read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole story.
    pub fn load(&self) -> io::Result<Value> {
        serde_json::from_slice(&self.bytes()?).map_err(|error| self.invalid(error))
    }

    /// The JSON text of the story as it was written down.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let bytes = fs::read(&self.path).map_err(|error| self.at(error))?;
        if self.path.to_string_lossy().ends_with(PACKED) { self.unpack(&bytes) } else { Ok(bytes) }
    }

    fn unpack(&self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut decoder = StreamingDecoder::new(packed).map_err(|error| self.invalid(error))?;
        let mut bytes = Vec::new();
        decoder.read_to_end(&mut bytes).map_err(|error| self.at(error))?;
        // The decoder computes the checksum and leaves it to its caller to look.
        let decoder = decoder.into_frame_decoder();
        if decoder.get_checksum_from_data().is_none()
            || decoder.get_checksum_from_data() != decoder.get_calculated_checksum()
        {
            return Err(self.invalid("no checksum, or a wrong one"));
        }
        Ok(bytes)
    }

    fn invalid(&self, why: impl std::fmt::Display) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", self.path.display()))
    }

    fn at(&self, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

/// Every folder of the repository that holds stories, such as `3.1` and `3.1/queue`, in order of name.
pub fn folders() -> io::Result<Vec<String>> {
    let root = root();
    let mut found = Vec::new();
    let mut left = vec![root.clone()];
    while let Some(folder) = left.pop() {
        let mut holds_stories = false;
        for path in paths_in(&folder)? {
            holds_stories |= name_of(&path).is_some();
            if path.is_dir() {
                left.push(path);
            }
        }
        if holds_stories && let Ok(below) = folder.strip_prefix(&root) {
            found.push(below.to_string_lossy().replace('\\', "/"));
        }
    }
    found.sort();
    Ok(found)
}

/// The stories of one folder of the repository, in order of name; not those of the folders below it.
pub fn in_folder(folder: &str) -> io::Result<Vec<Recording>> {
    stories_of(folder, &root().join(folder))
}

/// The stories of the directories that `CONFORMANCE_VECTORS` names. A directory without any is an error.
pub fn further() -> io::Result<Vec<Recording>> {
    let mut found = Vec::new();
    for directory in std::env::split_paths(&std::env::var_os(FURTHER).unwrap_or_default()) {
        if !directory.as_os_str().is_empty() {
            found.extend(stories_of(&directory.to_string_lossy(), &directory)?);
        }
    }
    Ok(found)
}

/// One story of the repository, opened.
pub fn load(folder: &str, name: &str) -> io::Result<Value> {
    let path = root().join(folder).join(format!("{name}{PACKED}"));
    Recording { folder: folder.to_owned(), name: name.to_owned(), path }.load()
}

/// A store as an earlier release left it.
#[derive(Clone, Debug)]
pub struct OldStore {
    /// What it is called: its layout, and what was new in that release's events.
    pub name: String,
    /// Its records, as that release's own `treasuryd store export` printed them.
    pub records: Vec<String>,
    files: Vec<OldFile>,
}

#[derive(Clone, Debug)]
struct OldFile {
    path: PathBuf,
    length: u64,
    /// What is not zero: where it begins, and what is there.
    parts: Vec<(u64, Vec<u8>)>,
}

impl OldStore {
    /// Writes its files into a directory, as that release left them when it was killed.
    pub fn lay_out(&self, directory: &Path) -> io::Result<()> {
        for file in &self.files {
            let path = directory.join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            let mut out = File::create(&path)?;
            for (offset, bytes) in &file.parts {
                out.seek(SeekFrom::Start(*offset))?;
                out.write_all(bytes)?;
            }
            out.set_len(file.length)?;
        }
        Ok(())
    }
}

/// The stores of all earlier releases, in order of name.
pub fn old_stores() -> io::Result<Vec<OldStore>> {
    stories_of("stores", &repository().join(STORES))?.iter().map(old_store).collect()
}

fn old_store(packed: &Recording) -> io::Result<OldStore> {
    let store: Value = packed.load()?;
    let files = store["files"].as_object().into_iter().flatten().map(|(path, file)| {
        let parts = file["parts"].as_array().into_iter().flatten().map(|part| {
            let bytes = part[1].as_str().and_then(unhex).ok_or_else(|| packed.invalid("no bytes"))?;
            Ok((part[0].as_u64().unwrap_or_default(), bytes))
        });
        let length = file["length"].as_u64().ok_or_else(|| packed.invalid("no length"))?;
        Ok(OldFile { path: path.into(), length, parts: parts.collect::<io::Result<_>>()? })
    });
    let files = files.collect::<io::Result<_>>()?;
    let lines = store["records"].as_array().into_iter().flatten();
    let records = lines.filter_map(|line| line.as_str().map(str::to_owned)).collect();
    Ok(OldStore { name: packed.name.clone(), records, files })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The checkout that a test runs in, for what it reads of it: cargo says so, or else the current directory is in it.
///
/// Asked for when the test runs, because a path that is compiled in is that of another checkout as soon as two share
/// a target directory: cargo takes their crates for the same.
pub fn repository() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let package = package.canonicalize().unwrap_or(package);
    let found = package.ancestors().find(|folder| folder.join(STORIES).is_dir());
    found.unwrap_or(&package).to_owned()
}

fn root() -> PathBuf {
    repository().join(STORIES)
}

fn stories_of(folder: &str, directory: &Path) -> io::Result<Vec<Recording>> {
    let recording =
        |path: PathBuf| Some(Recording { folder: folder.to_owned(), name: name_of(&path)?, path });
    let found: Vec<Recording> = paths_in(directory)?.into_iter().filter_map(recording).collect();
    if found.is_empty() {
        let why = format!("no recorded stories in {}", directory.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    Ok(found)
}

/// In order of name, so that every run sees the same.
fn paths_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", directory.display()));
    let entries = fs::read_dir(directory).map_err(at)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(at)?;
    paths.sort();
    Ok(paths)
}

/// The name of the story in a file, where it is one.
fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    file.strip_suffix(PACKED).or_else(|| file.strip_suffix(PLAIN)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_story_of_the_repository_opens_and_is_whole() {
        let folders = folders().unwrap();
        assert_eq!(folders, ["3.1", "3.1/queue", "3.2", "3.2/queue", "3.3", "cosigner", "cosigner/beyond"]);
        let mut count = 0;
        for folder in &folders {
            for recording in in_folder(folder).unwrap() {
                assert_eq!(recording.folder(), folder);
                let story = recording.load().unwrap();
                assert!(story["genesis"]["state"].is_array(), "{}", recording.path().display());
                assert!(story["steps"].is_array(), "{}", recording.path().display());
                assert!(story["final_state"].is_array(), "{}", recording.path().display());
                count += 1;
            }
        }
        assert_eq!(count, 104);
    }

    #[test]
    fn one_story_is_opened_by_its_name() {
        let story = load("3.1/queue", "fee-queue").unwrap();
        assert!(story["about"].as_str().unwrap().contains("Server set to 4 transactions"));
        let absent = load("3.1", "no-such-story").unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        assert!(absent.to_string().contains("no-such-story"), "{absent}");
    }

    #[test]
    fn a_damaged_story_is_an_error_and_not_another_story() {
        let room = tempfile::tempdir().unwrap();
        let whole = fs::read(root().join("3.1/queue/fee-queue.json.zst")).unwrap();
        let checksum = whole.len() - 1;
        let damaged = [
            whole[..whole.len() / 2].to_vec(),
            whole[..checksum].to_vec(),
            [&whole[..checksum], &[whole[checksum] ^ 1]].concat(),
            Vec::new(),
        ];
        for bytes in damaged {
            fs::write(room.path().join("story.json.zst"), bytes).unwrap();
            let recording = stories_of("damaged", room.path()).unwrap().remove(0);
            assert!(recording.load().is_err());
        }
    }

    #[test]
    fn a_further_directory_holds_plain_and_compressed_stories() {
        let room = tempfile::tempdir().unwrap();
        let nothing = stories_of("further", room.path()).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::NotFound);
        let queue = root().join("3.1/queue/fee-queue.json.zst");
        fs::copy(&queue, room.path().join("packed.json.zst")).unwrap();
        fs::write(room.path().join("plain.json"), in_folder("3.1/queue").unwrap()[0].bytes().unwrap())
            .unwrap();
        fs::write(room.path().join("README.md"), "no story").unwrap();
        let found = stories_of("further", room.path()).unwrap();
        let names: Vec<&str> = found.iter().map(Recording::name).collect();
        assert_eq!(names, ["packed", "plain"]);
        assert_eq!(found[0].load().unwrap(), found[1].load().unwrap());
    }
}
