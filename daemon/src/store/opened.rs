//! Which hosts have opened a store, and how often it has been opened. A copy of a disk and a restored backup look like
//! the store they were made from, and a daemon on each, with one keystore, act for one treasury without knowing of each
//! other. Nothing is refused for it, because a host may rightly be another: it is written down and said.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use treasury_tools::text::clean;

use super::seam::{Disk, OpenAs};
use super::{StoreError, files};

/// Stretches that are remembered: containers get another name with each start.
const STRETCHES_MAX: usize = 16;

/// The longest name of a host, in characters.
const NAME_MAX: usize = 64;

/// Where the system says the machine's name and its id.
const NAME_FILES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];
const MACHINE_FILE: &str = "/etc/machine-id";

/// A host, by what is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// A digest of its machine id, where it has one. The id itself is to be kept, says who hands it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
}

impl Host {
    /// The host on which this runs.
    #[must_use]
    pub fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let name = NAME_FILES.iter().map(|path| read(path)).find(|name| !name.trim().is_empty());
        Self::of(&name.unwrap_or_default(), &read(MACHINE_FILE))
    }

    /// A host of this name and machine id; either may be empty.
    #[must_use]
    pub fn of(name: &str, machine_id: &str) -> Self {
        let name: String = clean(name.trim()).chars().take(NAME_MAX).collect();
        let machine = Some(machine_id.trim()).filter(|id| !id.is_empty()).map(|id| {
            let digest = Sha256::digest([b"treasuryd host ", id.as_bytes()].concat());
            hex::encode(digest.get(..8).unwrap_or_default())
        });
        Self { name: if name.is_empty() { "unknown".to_owned() } else { name }, machine }
    }

    /// Whether both are one. The machine tells, where both have said theirs: names change, and are given twice.
    fn is(&self, other: &Self) -> bool {
        match (&self.machine, &other.machine) {
            (Some(one), Some(another)) => one == another,
            _ => self.name == other.name,
        }
    }
}

/// Openings by one host, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// By whom; under the name that it had last.
    #[serde(flatten)]
    pub host: Host,
    /// The first of them, counted from 1.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// The openings of a store by daemons, as its file has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Openings {
    /// By hosts, the newest last.
    pub by: Vec<Stretch>,
}

impl Openings {
    /// How often it has been opened; 0: never, or by earlier versions alone.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.by.last().map_or(0, |stretch| stretch.last)
    }

    /// The host that opened it last, and the one before that, if there was another.
    #[must_use]
    pub fn last_two(&self) -> (Option<&Stretch>, Option<&Stretch>) {
        let mut newest = self.by.iter().rev();
        (newest.next(), newest.next())
    }

    /// Whether the last opening was the first by its host after those of another.
    #[must_use]
    pub fn changed_hosts(&self) -> bool {
        matches!(self.last_two(), (Some(now), Some(_)) if now.first == now.last)
    }

    /// In words, for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self.last_two() {
            (None, _) => "no host has written down that it opened it".to_owned(),
            (Some(now), None) => format!("opened {} times, by {}", now.last, now.host.name),
            (Some(now), Some(before)) => format!(
                "opened {} times, since {} by {}, before that by {}",
                now.last, now.first, now.host.name, before.host.name
            ),
        }
    }

    fn note(&mut self, host: Host) {
        let generation = self.generation().saturating_add(1);
        match self.by.last_mut().filter(|last| last.host.is(&host)) {
            Some(last) => {
                last.host = host;
                last.last = generation;
            }
            None => self.by.push(Stretch { host, first: generation, last: generation }),
        }
        let forgotten = self.by.len().saturating_sub(STRETCHES_MAX);
        self.by.drain(..forgotten);
    }
}

/// What a store's file says; nothing where there is none yet. What is no such file says nothing, and that in the log:
/// nothing but this depends on it.
pub(super) fn read(disk: &dyn Disk, data_dir: &Path) -> Result<Openings, StoreError> {
    let path = data_dir.join(files::OPENED);
    let mut text = String::new();
    match disk.open(&path, OpenAs::Read).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Openings::default()),
        Err(error) if error.kind() == ErrorKind::InvalidData => {}
        Err(error) => return Err(StoreError::io("read", &path)(error)),
    }
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, path = %path.display(), "who opened the store before cannot be read; it is counted anew");
        Openings::default()
    }))
}

/// Writes down one more opening, durably, and answers with all.
pub(super) fn note(disk: &Arc<dyn Disk>, data_dir: &Path, host: Host) -> Result<Openings, StoreError> {
    let mut openings = read(&**disk, data_dir)?;
    openings.note(host);
    let text = serde_json::to_vec(&openings).map_err(|error| StoreError::Json(error.to_string()))?;
    files::write_whole(disk, &data_dir.join(files::OPENED), &text)?;
    Ok(openings)
}
