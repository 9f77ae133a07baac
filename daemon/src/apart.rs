//! Reading files that may be where nothing answers any more, such as on another host.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// How long a small file is waited for, such as that of a secret: far longer than any disk takes.
pub(crate) const READ_FOR: Duration = Duration::from_secs(5);

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It took too long, or what was read before still does.
    Hangs,
    /// What reads has panicked.
    Panicked,
}

impl Unread {
    /// What comes after what was not read.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Hangs => "was not read in time",
            Self::Panicked => "could not be read",
        }
    }
}

/// One reading at a time, on a thread of its own: as long as one hangs there is no other, so that many threads never do. Whatever
/// reads a file that somebody names, while the daemon runs, does it so: the threads are those that sign, too, and whoever had one
/// hang for each request would have none left.
#[derive(Clone, Debug)]
pub(crate) struct Apart(Arc<Semaphore>);

impl Default for Apart {
    fn default() -> Self {
        Self::with_places(1)
    }
}

impl Apart {
    /// So many readings at a time: what hung, and was corrected since, keeps the next ones from nothing.
    pub(crate) fn with_places(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// What is read within that time, the wait for the reading before it included.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        within: Duration,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unread> {
        let reading = async {
            // Nobody closes it.
            let place = Arc::clone(&self.0).acquire_owned().await.map_err(|_| Unread::Panicked)?;
            let read = tokio::task::spawn_blocking(move || {
                let _place = place;
                read()
            });
            read.await.map_err(|_| Unread::Panicked)
        };
        tokio::time::timeout(within, reading).await.map_err(|_| Unread::Hangs)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);

    /// Danger: a file does not answer, and each try costs one more thread until nothing in the process can read any more.
    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_waited_for_no_longer_than_it_may_and_there_is_no_second() {
        let apart = Apart::default();
        let (open, closed) = channel::<()>();
        let (began, begins) = channel();
        let hangs = apart.read(WITHIN, move || closed.recv().unwrap());
        let mut hangs = std::pin::pin!(hangs);
        assert!(futures_util::poll!(hangs.as_mut()).is_pending());
        // Virtual time does not go on by itself while a thread is blocked.
        tokio::time::advance(WITHIN).await;
        assert_eq!(hangs.await, Err(Unread::Hangs));
        let mut second = std::pin::pin!(apart.read(WITHIN, move || began.send(()).unwrap()));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        tokio::time::advance(WITHIN).await;
        assert_eq!(second.await, Err(Unread::Hangs));
        assert!(begins.try_recv().is_err());
        open.send(()).unwrap();
        assert_eq!(apart.read(WITHIN, || 7).await, Ok(7));
        assert_eq!(apart.read(WITHIN, || panic!("nobody sees it")).await, Err::<(), _>(Unread::Panicked));
        assert_eq!(apart.read(WITHIN, || 8).await, Ok(8), "the place is free again");
    }
}
