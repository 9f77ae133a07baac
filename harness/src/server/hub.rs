//! Who is subscribed to what, and telling them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use super::outbox::Outbox;
use crate::embedded::rpc::stream::{self, CloseFrames};
use crate::embedded::rpc::subscribe::Stream;
use crate::embedded::rpc::{Proposed, ServerFacts, Subscription};
use crate::embedded::{ClosedLedger, Ledger};

/// More websockets than this are refused: beyond it the machine's own limits would answer less clearly.
const SOCKETS_MAX: usize = 10_000;

/// How the frames of a closed ledger go out, if not as they should.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way {
    pub(super) duplicate: bool,
    pub(super) reorder: bool,
    pub(super) truncate: bool,
}

impl Way {
    fn write(self, frame: &serde_json::Value) -> Utf8Bytes {
        let mut text = frame.to_string();
        if self.truncate {
            // The text is JSON in ASCII, but for what users write; half of it is cut at a character.
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            text.truncate(half);
        }
        text.into()
    }
}

/// One websocket as the hub sees it.
#[derive(Debug)]
struct Socket {
    subscription: Subscription,
    frames: Outbox,
    hang_up: Arc<Notify>,
}

/// All websockets.
#[derive(Debug, Default)]
pub(super) struct Hub {
    sockets: HashMap<u64, Socket>,
    next_id: u64,
    /// How many sockets were hung up on because they did not read.
    dropped_slow: u64,
}

impl Hub {
    /// Takes up a socket, if there are not too many; `hang_up` tells its task to close it.
    pub(super) fn add(&mut self, frames: Outbox, hang_up: Arc<Notify>) -> Option<u64> {
        if self.sockets.len() >= SOCKETS_MAX {
            return None;
        }
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.sockets.insert(id, Socket { subscription: Subscription::default(), frames, hang_up });
        Some(id)
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.sockets.remove(&id);
    }

    pub(super) fn len(&self) -> usize {
        self.sockets.len()
    }

    pub(super) fn dropped_slow(&self) -> u64 {
        self.dropped_slow
    }

    /// The subscription of a socket, to change.
    pub(super) fn subscription(&mut self, id: u64) -> Option<&mut Subscription> {
        self.sockets.get_mut(&id).map(|socket| &mut socket.subscription)
    }

    /// Queues a frame for one socket, and hangs up on it if its queue is full.
    pub(super) fn send(&mut self, id: u64, frame: Utf8Bytes) {
        let full = self.sockets.get(&id).is_some_and(|socket| !socket.frames.try_send(frame));
        if full {
            self.drop_slow(id);
        }
    }

    /// Hangs up on every socket.
    pub(super) fn hang_up_all(&mut self) {
        for (_, socket) in self.sockets.drain() {
            socket.hang_up.notify_one();
        }
    }

    /// Tells everybody about a closed ledger. Frames are made once per API version in use.
    pub(super) fn publish_closed(&mut self, closed: &ClosedLedger, facts: &ServerFacts, way: Way) {
        let with_changes = self.sockets.values().any(|socket| socket.subscription.wants(Stream::BookChanges));
        let mut made: HashMap<u32, (CloseFrames, Vec<Utf8Bytes>)> = HashMap::new();
        let mut slow = Vec::new();
        for (id, socket) in &self.sockets {
            if socket.subscription.is_empty() {
                continue;
            }
            let version = socket.subscription.api_version;
            let (frames, texts) = made.entry(version).or_insert_with(|| {
                let frames = CloseFrames::new(closed, facts, version, with_changes);
                let texts = frames.frames.iter().map(|frame| way.write(frame)).collect();
                (frames, texts)
            });
            let mut wanted = frames.wanted(&socket.subscription);
            if way.reorder {
                wanted.reverse();
            }
            let times = if way.duplicate { 2 } else { 1 };
            let mut wanted = wanted
                .into_iter()
                .filter_map(|at| texts.get(at))
                .flat_map(|text| std::iter::repeat_n(text, times));
            if wanted.any(|text| !socket.frames.try_send(text.clone())) {
                slow.push(*id);
            }
        }
        slow.into_iter().for_each(|id| self.drop_slow(id));
    }

    /// Tells a socket which ways to pay there are now, if it asked for some.
    pub(super) fn publish_paths(&mut self, id: u64, ledger: &Ledger) {
        let frame = self.subscription(id).and_then(|subscription| subscription.look_for_paths(ledger));
        if let Some(frame) = frame {
            self.send(id, frame.to_string().into());
        }
    }

    /// Tells so everybody who asked for some.
    pub(super) fn publish_all_paths(&mut self, ledger: &Ledger) {
        let follows = |(id, socket): (&u64, &Socket)| socket.subscription.follows_paths().then_some(*id);
        let followers: Vec<u64> = self.sockets.iter().filter_map(follows).collect();
        followers.into_iter().for_each(|id| self.publish_paths(id, ledger));
    }

    /// Tells those who follow proposed transactions about one. Its frame is made once per API version in use.
    pub(super) fn publish_proposed(&mut self, proposed: &Proposed) {
        let mut made: HashMap<u32, Utf8Bytes> = HashMap::new();
        let mut slow = Vec::new();
        for (id, socket) in &self.sockets {
            let times = stream::wants_proposed(proposed, &socket.subscription);
            if times > 0 {
                let version = socket.subscription.api_version;
                let text = made
                    .entry(version)
                    .or_insert_with(|| stream::proposed_frame(proposed, version).to_string().into());
                let mut frames = std::iter::repeat_n(text.clone(), times);
                if frames.any(|text| !socket.frames.try_send(text)) {
                    slow.push(*id);
                }
            }
        }
        slow.into_iter().for_each(|id| self.drop_slow(id));
    }

    fn drop_slow(&mut self, id: u64) {
        if let Some(socket) = self.sockets.remove(&id) {
            self.dropped_slow = self.dropped_slow.saturating_add(1);
            tracing::warn!(socket = id, "the client reads too slowly and is dropped");
            socket.hang_up.notify_one();
        }
    }
}
