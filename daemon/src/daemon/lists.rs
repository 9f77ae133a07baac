//! The files of lists, which are looked at while the daemon runs.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use treasury_core::list::List;
use treasury_core::units::RippleTime;

use crate::apart::Apart;
use crate::config::ListFile;

/// How long a list's file is waited for. One that takes longer is none that can be read.
const READ_FOR: Duration = Duration::from_secs(10);

/// What a file looked like when it was read: when it was changed, and its length.
type Stamp = Option<(SystemTime, u64)>;

/// The files of all lists.
#[derive(Debug)]
pub(super) struct ListFiles(Vec<Looked>);

#[derive(Debug)]
struct Looked {
    file: ListFile,
    /// Not known of a file that has never been looked at: each is read once more at the first look.
    stamp: Stamp,
    apart: Apart,
}

impl ListFiles {
    pub(super) fn new(files: &[ListFile]) -> Self {
        let looked = |file: &ListFile| Looked { file: file.clone(), stamp: None, apart: Apart::default() };
        Self(files.iter().map(looked).collect())
    }

    /// What the files look like by now, and the lists that are others than is known of them.
    pub(super) async fn look(
        &self,
        known: &BTreeMap<String, List>,
        now: RippleTime,
    ) -> (Vec<Stamp>, Vec<List>) {
        let looks = self.0.iter().map(|looked| looked.look(known.get(&looked.file.name), now));
        let (stamps, lists): (Vec<_>, Vec<_>) = join_all(looks).await.into_iter().unzip();
        let changed = lists.into_iter().flatten().filter(|list| known.get(list.name()) != Some(list));
        (stamps, changed.collect())
    }

    /// It is decided by what they looked like then.
    pub(super) fn are(&mut self, stamps: Vec<Stamp>) {
        for (looked, stamp) in self.0.iter_mut().zip(stamps) {
            looked.stamp = stamp;
        }
    }
}

impl Looked {
    async fn look(&self, known: Option<&List>, now: RippleTime) -> (Stamp, Option<List>) {
        let (file, before, stamp) = (self.file.clone(), known.cloned(), self.stamp);
        let looked = self.apart.read(READ_FOR, move || {
            let seen = file.stamp();
            let is_known =
                seen.is_some() && seen == stamp && before.as_ref().is_none_or(|list| list.is_good(now));
            (seen, (!is_known).then(|| file.load_again(before.as_ref(), now)))
        });
        looked.await.unwrap_or_else(|_| {
            let problem = format!("was not read within {} s", READ_FOR.as_secs());
            (None, Some(self.file.unread(known, &problem)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use treasury_core::units::AccountId;

    use super::*;

    /// Danger: a list's file is on another host, which goes away, and payments go to new destinations for as long as nobody
    /// looks, because a file that does not answer is no file that says something wrong.
    #[tokio::test(start_paused = true)]
    async fn a_list_whose_file_hangs_keeps_who_was_on_it_and_is_bad_until_it_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let (thief, path) = (AccountId([41; 20]), dir.path().join("sanctions"));
        std::fs::write(&path, format!("{thief}\n")).unwrap();
        let file = ListFile { name: "sanctions".to_owned(), path, age_max_seconds: None, sha256: None };
        let mut known = BTreeMap::from([(file.name.clone(), file.load())]);
        let mut lists = ListFiles::new(&[file]);
        let now = RippleTime(800_000_000);
        let (stamps, changed) = lists.look(&known, now).await;
        assert_eq!(changed, []);
        lists.are(stamps);

        let (open, closed) = channel::<()>();
        let apart = lists.0[0].apart.clone();
        let mut hangs = std::pin::pin!(apart.read(READ_FOR, move || closed.recv().unwrap()));
        assert!(futures_util::poll!(hangs.as_mut()).is_pending());
        let (stamps, changed) = in_vain(&lists, &known, now).await;
        let [list] = &changed[..] else { panic!("{changed:?}") };
        assert!(list.has(&thief) && list.fault(now).is_some_and(|fault| fault.contains("within 10 s")));
        known.insert("sanctions".to_owned(), list.clone());
        lists.are(stamps);

        // It is not told again, and is good again when it answers.
        assert_eq!(in_vain(&lists, &known, now).await.1, []);
        open.send(()).unwrap();
        let (_, changed) = lists.look(&known, now).await;
        assert!(changed[0].has(&thief) && changed[0].is_good(now), "{changed:?}");
    }

    /// A look at what does not answer. Virtual time does not go on by itself while a thread is blocked.
    async fn in_vain(
        lists: &ListFiles,
        known: &BTreeMap<String, List>,
        now: RippleTime,
    ) -> (Vec<Stamp>, Vec<List>) {
        let mut look = std::pin::pin!(lists.look(known, now));
        assert!(futures_util::poll!(look.as_mut()).is_pending());
        tokio::time::advance(READ_FOR).await;
        look.await
    }
}
