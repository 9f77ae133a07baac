use std::sync::mpsc::{Receiver, channel};

use tokio::task::JoinHandle;

use super::*;
use crate::clock::Clock;
use crate::metrics::Metrics;

type Answer = Result<(), ApiError>;

/// A search that goes on until nobody waits for it, then until the answer's sender is gone; and a way to see it begin.
fn search(audit: &Arc<Audit>, held: Receiver<()>) -> (JoinHandle<Answer>, Receiver<()>) {
    let (began, begins) = channel();
    let question = move |_: &Audit, by: &Asked| {
        began.send(()).unwrap();
        while by.go_on().is_ok() {
            std::thread::yield_now();
        }
        let _ = held.recv();
        by.go_on()
    };
    (tokio::spawn(ask(Arc::clone(audit), question)), begins)
}

/// Danger: somebody asks for the whole log and hangs up, again and again, and each search reads on with a thread of its own.
#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_gets_no_more_searches_than_others_and_they_end() {
    let dir = tempfile::tempdir().unwrap();
    let audit =
        Arc::new(Audit::open(dir.path(), Clock::system(), Arc::new(Metrics::new().unwrap())).unwrap());
    let mut held = Vec::new();
    for _ in 0..2 {
        let (holds, hold) = channel();
        let (asking, begins) = search(&audit, hold);
        tokio::task::spawn_blocking(move || begins.recv()).await.unwrap().unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        held.push(holds);
    }
    // Both places are taken until those searches end, whoever hung up.
    let more: Vec<_> = (0..50).map(|_| search(&audit, channel().1)).collect();
    tokio::task::yield_now().await;
    tokio::time::advance(PATIENCE).await;
    for (asking, begins) in more {
        assert_eq!(asking.await.unwrap(), Err(ApiError::TooManyRequests));
        assert!(begins.recv().is_err(), "it never began");
    }
    held.clear();
    // And then there is room again.
    let free = Arc::clone(&audit.searches).acquire_many_owned(2).await.unwrap();
    drop(free);
    assert_eq!(ask(audit, |_, by| by.go_on()).await, Ok(()));
}
