//! The archive: proposals that ended and that nothing depends on any more.
//!
//! A file of frames holds them, in the order in which they left the state, and a second one says where each is. The
//! second is a shortcut: where it lacks something, the first is read. The records have everything that is in here, so
//! an archive that is lost is made again from them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use treasury_core::intent::Asker;
use treasury_core::state::Archived;
use treasury_core::units::{AccountId, ProposalId};

use super::frame::{Frames, Next, frame};
use super::seam::{Disk, DiskFile, OpenAs};
use super::{StoreError, files};

/// What is archived.
const PROPOSALS: &str = "proposals";

/// Where each is.
const INDEX: &str = "index";

/// Bytes of an entry of the index: id, offset, account, key, each of eight bytes, and the CRC-32 of those.
const ENTRY_BYTES: usize = 36;

/// The archive. Whoever has it may read it while another thread adds to it.
#[derive(Debug)]
pub struct Archive {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    place: Place,
    entries: BTreeMap<u64, Entry>,
    /// Digests of asker and idempotency key, each with a proposal of that. Two that meet by chance are told apart by
    /// reading.
    by_key: BTreeSet<(u64, u64)>,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<Vec<u8>>),
    Files { dir: PathBuf, proposals: Box<dyn DiskFile>, index: Box<dyn DiskFile>, end: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    offset: u64,
    account: u64,
}

impl Archive {
    /// An empty one that ends with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::of(Place::Memory(Vec::new()))
    }

    fn of(place: Place) -> Self {
        let inner = Inner { place, entries: BTreeMap::new(), by_key: BTreeSet::new() };
        Self { inner: Mutex::new(inner) }
    }

    /// Opens the archive in a directory, which is made where it is missing. What a crash left half-written at its end
    /// is taken away: the records have it.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub(super) fn open(disk: &dyn Disk, dir: &Path) -> Result<Self, StoreError> {
        files::make_dir(disk, dir)?;
        let file = |name: &str| {
            let path = dir.join(name);
            disk.open(&path, OpenAs::AppendOrNew).map_err(StoreError::io("open", &path))
        };
        let (proposals, index) = (file(PROPOSALS)?, file(INDEX)?);
        files::sync_dir(disk, dir)?;
        let archive = Self::of(Place::Files { dir: dir.to_owned(), proposals, index, end: 0 });
        archive.inner().read_index(disk)?;
        Ok(archive)
    }

    /// Adds what has left the state; it is durable when [`Archive::sync`] has returned. Until a snapshot of the state
    /// without it counts, a start gives back from the records what a power cut has taken. One that is there already,
    /// because a crash came before the state without it was stored, is written again.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn add(&self, archived: &[Archived]) -> Result<(), StoreError> {
        if archived.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner();
        archived.iter().try_for_each(|one| inner.write(one))
    }

    /// Makes everything durable that was added.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.inner().sync()
    }

    /// As [`Archive::add`], of what it does not have as it is.
    ///
    /// # Errors
    /// As there.
    pub(super) fn complete(&self, mut archived: Vec<Archived>) -> Result<(), StoreError> {
        // One that cannot be read is written again, too.
        archived.retain(|one| !matches!(self.get(one.proposal.id), Ok(Some(kept)) if kept == *one));
        self.add(&archived)
    }

    /// How many proposals it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner().entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A proposal by its id.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub fn get(&self, id: ProposalId) -> Result<Option<Archived>, StoreError> {
        self.inner().get(id.0)
    }

    /// The proposal that this person asked for with this idempotency key.
    ///
    /// # Errors
    /// As [`Archive::get`].
    pub fn by_key(&self, person: &str, key: &str) -> Result<Option<Archived>, StoreError> {
        let mut inner = self.inner();
        let asker = Asker::Person(person.to_owned());
        let digest = digest_of_key(person, key);
        let of_digest = inner.by_key.range((digest, 0)..=(digest, u64::MAX));
        let candidates: Vec<u64> = of_digest.map(|(_, id)| *id).collect();
        for id in candidates {
            let found = inner.get(id)?;
            if let Some(found) = found.filter(|found| {
                found.proposal.asker == asker && found.proposal.idempotency_key.as_deref() == Some(key)
            }) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Proposals with ids below `before`, newest first, at most `limit`; of one account, or of all.
    ///
    /// # Errors
    /// As [`Archive::get`].
    pub fn before(
        &self,
        before: ProposalId,
        account: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Archived>, StoreError> {
        let wanted = account.as_ref().map(tag);
        let mut next = before.0;
        let mut found = Vec::new();
        // Locked for one proposal at a time: whoever turns pages does not hold up whoever adds.
        while found.len() < limit {
            let mut inner = self.inner();
            let mut below = inner.entries.range(..next).rev();
            let Some(id) = below
                .find(|(_, entry)| wanted.is_none_or(|wanted| wanted == entry.account))
                .map(|(id, _)| *id)
            else {
                break;
            };
            next = id;
            let archived = inner.get(id)?;
            found.extend(
                archived.filter(|found| account.is_none_or(|account| found.proposal.account == account)),
            );
        }
        Ok(found)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What a panic may leave behind is a proposal without its place, which is read anew at the next start.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self, archived: &Archived) -> Result<(), StoreError> {
        let json = serde_json::to_vec(archived).map_err(|error| StoreError::Json(error.to_string()))?;
        let bytes = frame(&json).ok_or(StoreError::TooLarge(json.len()))?;
        let offset = match &mut self.place {
            Place::Memory(kept) => {
                kept.push(bytes);
                u64::try_from(kept.len().saturating_sub(1)).unwrap_or(u64::MAX)
            }
            Place::Files { dir, proposals, end, .. } => {
                proposals.write_all(&bytes).map_err(StoreError::io("write", &dir.join(PROPOSALS)))?;
                let offset = *end;
                *end = end.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                offset
            }
        };
        self.note(archived, offset)
    }

    /// Notes where a proposal is, in memory and in the index.
    fn note(&mut self, archived: &Archived, offset: u64) -> Result<(), StoreError> {
        let proposal = &archived.proposal;
        let key = match (&proposal.asker, &proposal.idempotency_key) {
            (Asker::Person(person), Some(key)) => digest_of_key(person, key),
            _ => 0,
        };
        let entry = Entry { offset, account: tag(&proposal.account) };
        self.know(proposal.id.0, entry, key);
        if let Place::Files { dir, index, .. } = &mut self.place {
            let line = index_entry(proposal.id.0, entry, key);
            index.write_all(&line).map_err(StoreError::io("write", &dir.join(INDEX)))?;
        }
        Ok(())
    }

    fn know(&mut self, id: u64, entry: Entry, key: u64) {
        self.entries.insert(id, entry);
        if key != 0 {
            self.by_key.insert((key, id));
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Memory(_) => Ok(()),
            // The index is a shortcut, and is made again where a power cut takes it.
            Place::Files { dir, proposals, .. } => {
                proposals.sync_data().map_err(StoreError::io("sync", &dir.join(PROPOSALS)))
            }
        }
    }

    fn get(&mut self, id: u64) -> Result<Option<Archived>, StoreError> {
        let Some(entry) = self.entries.get(&id).copied() else { return Ok(None) };
        let damaged = |problem: &str| StoreError::ArchiveDamaged {
            proposal: ProposalId(id).to_string(),
            problem: problem.to_owned(),
        };
        let next = match &mut self.place {
            Place::Memory(kept) => {
                let at = usize::try_from(entry.offset).unwrap_or(usize::MAX);
                let bytes = kept.get(at).ok_or_else(|| damaged("it is not there"))?;
                Frames::new(bytes.as_slice(), 0).next()
            }
            Place::Files { dir, proposals, .. } => {
                let path = dir.join(PROPOSALS);
                proposals.seek(SeekFrom::Start(entry.offset)).map_err(StoreError::io("read", &path))?;
                Frames::new(BufReader::new(&mut **proposals), entry.offset).next()
            }
        };
        match next.map_err(|error| damaged(&error.to_string()))? {
            Next::Json(json) => {
                let archived: Archived =
                    serde_json::from_slice(&json).map_err(|error| damaged(&error.to_string()))?;
                if archived.proposal.id.0 == id {
                    Ok(Some(archived))
                } else {
                    Err(damaged("another is there"))
                }
            }
            Next::Torn | Next::End => Err(damaged("its file ends before it does")),
            Next::Damaged(problem) => Err(damaged(problem)),
        }
    }

    /// Reads where everything is: from the index as far as it goes, and beyond that from the proposals.
    fn read_index(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        let Place::Files { dir, proposals, index, end } = &mut self.place else { return Ok(()) };
        let dir = dir.clone();
        let (path, index_path) = (dir.join(PROPOSALS), dir.join(INDEX));
        let length = proposals.len().map_err(StoreError::io("read", &path))?;
        let mut bytes = Vec::new();
        index.read_to_end(&mut bytes).map_err(StoreError::io("read", &index_path))?;
        let entries: Vec<_> = bytes
            .chunks_exact(ENTRY_BYTES)
            .map_while(parse_entry)
            .take_while(|(_, entry, _)| entry.offset < length)
            .collect();
        let whole = entries.len().saturating_mul(ENTRY_BYTES);
        if whole < bytes.len() {
            let whole = u64::try_from(whole).unwrap_or(u64::MAX);
            index.set_len(whole).map_err(StoreError::io("shorten", &index_path))?;
        }
        let last = entries.last().map(|(id, entry, _)| (*id, entry.offset));
        let mut from = last.map_or(0, |(_, offset)| offset);
        let mut reader = disk.open(&path, OpenAs::Read).map_err(StoreError::io("open", &path))?;
        reader.seek(SeekFrom::Start(from)).map_err(StoreError::io("read", &path))?;
        *end = from;
        // Made at once, which takes half the memory of what is put in one by one, in order.
        self.by_key =
            entries.iter().filter(|(_, _, key)| *key != 0).map(|(id, _, key)| (*key, *id)).collect();
        self.entries = entries.into_iter().map(|(id, entry, _)| (id, entry)).collect();
        let mut frames = Frames::new(BufReader::with_capacity(1 << 16, reader), from);
        loop {
            let next = frames.next().map_err(StoreError::io("read", &path))?;
            let Next::Json(json) = next else { break };
            // The last one that is known is read only to find where it ends.
            if last.is_none_or(|(_, offset)| offset != from) {
                let archived: Archived =
                    serde_json::from_slice(&json).map_err(|error| StoreError::ArchiveDamaged {
                        proposal: format!("at byte {from}"),
                        problem: error.to_string(),
                    })?;
                self.note(&archived, from)?;
            }
            from = frames.offset();
        }
        if let Some((id, _)) = last.filter(|(_, offset)| *offset == from) {
            // It is torn itself, and what the index says of it is nothing.
            self.entries.remove(&id);
            if let Place::Files { index, .. } = &mut self.place {
                let whole = whole.saturating_sub(ENTRY_BYTES).try_into().unwrap_or(u64::MAX);
                index.set_len(whole).map_err(StoreError::io("shorten", &index_path))?;
            }
        }
        if let Place::Files { proposals, end, .. } = &mut self.place {
            *end = from;
            if from < length {
                tracing::warn!(path = %path.display(), "the archive's end is torn and is written again");
                proposals.set_len(from).map_err(StoreError::io("shorten", &path))?;
            }
        }
        Ok(())
    }
}

fn index_entry(id: u64, entry: Entry, key: u64) -> [u8; ENTRY_BYTES] {
    let mut line = [0; ENTRY_BYTES];
    let numbers = [id, entry.offset, entry.account, key];
    let (front, sum) = line.split_at_mut(ENTRY_BYTES - 4);
    for (place, number) in front.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    sum.copy_from_slice(&crc32fast::hash(front).to_be_bytes());
    line
}

/// Id, entry and key of a line of the index; `None` where it is not whole.
fn parse_entry(line: &[u8]) -> Option<(u64, Entry, u64)> {
    let (front, sum) = line.split_at_checked(ENTRY_BYTES - 4)?;
    if crc32fast::hash(front).to_be_bytes() != sum {
        return None;
    }
    let mut numbers =
        front.chunks_exact(8).filter_map(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
    let (id, offset, account, key) = (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?);
    Some((id, Entry { offset, account }, key))
}

/// What tells accounts apart in the index; that two meet by chance costs one reading.
fn tag(account: &AccountId) -> u64 {
    account.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Never zero, which stands for no key.
fn digest_of_key(person: &str, key: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(u64::try_from(person.len()).unwrap_or(u64::MAX).to_be_bytes());
    hasher.update(person);
    hasher.update(key);
    hasher.finalize().first_chunk().map_or(1, |bytes| u64::from_be_bytes(*bytes)).max(1)
}
