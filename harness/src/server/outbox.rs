//! What waits to be written to one websocket: so many frames at most, and no more is asked for while it is too much to
//! hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};

/// While more than this waits for a client, nothing that it asks is answered. A reply may be a megabyte, and a client that
/// asks and does not read would otherwise have the server keep as many of them as it may have frames.
const ASKED_MAX_BYTES: usize = 16 << 20;

/// Where frames for one websocket go in.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    frames: mpsc::Sender<Utf8Bytes>,
    load: Arc<Load>,
}

/// Where they come out.
#[derive(Debug)]
pub(super) struct Outgoing {
    frames: mpsc::Receiver<Utf8Bytes>,
    load: Arc<Load>,
}

#[derive(Debug, Default)]
struct Load {
    bytes: AtomicUsize,
    less: Notify,
}

/// Both ends, with room for so many frames.
pub(super) fn outbox(frames: usize) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(frames);
    let load = Arc::new(Load::default());
    (Outbox { frames: sender, load: Arc::clone(&load) }, Outgoing { frames: receiver, load })
}

impl Outbox {
    /// Puts a frame in, if there is room for one.
    pub(super) fn try_send(&self, frame: Utf8Bytes) -> bool {
        let bytes = frame.len();
        self.load.bytes.fetch_add(bytes, Ordering::Relaxed);
        let sent = self.frames.try_send(frame).is_ok();
        if !sent {
            self.load.take_off(bytes);
        }
        sent
    }

    /// Puts a frame in as soon as there is room. False if nobody takes it out any more.
    pub(super) async fn send(&self, frame: Utf8Bytes) -> bool {
        self.load.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        self.frames.send(frame).await.is_ok()
    }

    /// Waits until so little is left that more may be asked for.
    pub(super) async fn asks_for_more(&self) {
        loop {
            // Listened for before it is looked at, so that nothing is missed between.
            let less = self.load.less.notified();
            if self.load.bytes.load(Ordering::Relaxed) <= ASKED_MAX_BYTES {
                return;
            }
            less.await;
        }
    }

    /// Waits until nobody takes anything out any more.
    pub(super) async fn closed(&self) {
        self.frames.closed().await;
    }
}

impl Outgoing {
    /// The next frame; none once all that could put one in are gone.
    pub(super) async fn next(&mut self) -> Option<Utf8Bytes> {
        let frame = self.frames.recv().await;
        self.taken(frame)
    }

    /// The next frame, if one is there.
    pub(super) fn at_hand(&mut self) -> Option<Utf8Bytes> {
        let frame = self.frames.try_recv().ok();
        self.taken(frame)
    }

    fn taken(&self, frame: Option<Utf8Bytes>) -> Option<Utf8Bytes> {
        if let Some(frame) = &frame {
            self.load.take_off(frame.len());
        }
        frame
    }

    /// Takes nothing more in.
    pub(super) fn close(&mut self) {
        self.frames.close();
    }
}

impl Load {
    fn take_off(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        // One waits at most: whoever reads what the client asks.
        self.less.notify_one();
    }
}
