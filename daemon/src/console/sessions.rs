//! Who is logged in. In memory alone: whoever starts the daemon anew logs everybody out.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::ConsoleConfig;
use super::acts::Act;
use super::forms::Form;
use crate::http::{Badge, Door};
use crate::passkey::{Asked, Enrolling};

/// Sessions of one person by one token, or by the provider of logins: a browser at the desk, one on the phone, and some that were not logged out of.
const EACH_MAX: usize = 8;

/// Things that are said on the next page; more are not read anyway.
const SAID_MAX: usize = 8;

/// How long a form waits for its gesture, and a passkey for being made.
const GESTURE: Duration = Duration::from_secs(120);

/// Forms that wait for a gesture; where there are more, the one that has waited longest gives way.
const HELD_MAX: usize = 4;

/// A session's name in the table: the hash of the id that the browser holds, so that a copy of memory lets nobody in and
/// looking it up tells nothing about it.
type Key = [u8; 32];

/// The sessions.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    idle: Duration,
    session: Duration,
    open: Arc<Mutex<HashMap<Key, Session>>>,
}

#[derive(Debug)]
struct Session {
    badge: Badge,
    csrf: String,
    begun: Instant,
    seen: Instant,
    said: Vec<String>,
    /// Forms that wait for a gesture, with what their pages call them.
    held: VecDeque<(String, Instant, Held)>,
    /// A passkey that is being made, and what it is to be called.
    enrolling: Option<(Instant, String, Enrolling)>,
}

/// A form that waits for a gesture.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) act: Act,
    pub(super) form: Form,
    /// What the gesture has to be made for.
    pub(super) asked: Asked,
}

/// Somebody who is logged in.
#[derive(Clone)]
pub(super) struct Visitor {
    key: Key,
    /// Who.
    pub(super) person: String,
    /// What their forms carry.
    pub(super) csrf: String,
}

impl Sessions {
    pub(super) fn new(config: &ConsoleConfig) -> Self {
        Self { idle: config.idle, session: config.session, open: Arc::default() }
    }

    /// Begins one, and answers with its id, which is for the browser alone.
    pub(super) fn begin(&self, badge: Badge) -> String {
        let id = hex::encode(rand::random::<[u8; 32]>());
        let csrf = hex::encode(rand::random::<[u8; 32]>());
        let now = Instant::now();
        let mut open = self.open();
        open.retain(|_, session| self.is_alive(session, now));
        let own: Vec<(Instant, Key)> = open
            .iter()
            .filter(|(_, session)| {
                session.badge.person == badge.person && session.badge.name() == badge.name()
            })
            .map(|(key, session)| (session.seen, *key))
            .collect();
        if own.len() >= EACH_MAX
            && let Some((_, oldest)) = own.into_iter().min()
        {
            open.remove(&oldest);
        }
        let (said, held) = (Vec::new(), VecDeque::new());
        let session = Session { badge, csrf, begun: now, seen: now, said, held, enrolling: None };
        open.insert(key(&id), session);
        id
    }

    /// Whose it is, if it has not ended; from now on it has been used.
    pub(super) fn enter(&self, id: &str, door: &Door) -> Option<Visitor> {
        let (key, now) = (key(id), Instant::now());
        let mut open = self.open();
        let session = open.get_mut(&key)?;
        if !self.is_alive(session, now) || !door.is_good(&session.badge) {
            open.remove(&key);
            return None;
        }
        session.seen = now;
        door.shows(&session.badge);
        Some(Visitor { key, person: session.badge.person.clone(), csrf: session.csrf.clone() })
    }

    pub(super) fn end(&self, visitor: &Visitor) {
        self.open().remove(&visitor.key);
    }

    /// What the session of this id is called in the table: tells nothing about the id.
    pub(super) fn called(id: &str) -> String {
        hex::encode(key(id))
    }

    /// Ends the one that is called so, if it is there.
    pub(super) fn end_of(&self, called: &str) {
        let mut key = Key::default();
        if hex::decode_to_slice(called, &mut key).is_ok() {
            self.open().remove(&key);
        }
    }

    /// To be said on the next page.
    pub(super) fn say(&self, visitor: &Visitor, text: String) {
        if let Some(session) = self.open().get_mut(&visitor.key)
            && session.said.len() < SAID_MAX
        {
            session.said.push(text);
        }
    }

    /// What is to be said, once.
    pub(super) fn said(&self, visitor: &Visitor) -> Vec<String> {
        self.open().get_mut(&visitor.key).map(|session| std::mem::take(&mut session.said)).unwrap_or_default()
    }

    /// Keeps a form until its gesture comes, and answers with what its page calls it.
    pub(super) fn hold(&self, visitor: &Visitor, held: Held) -> String {
        let id = hex::encode(rand::random::<[u8; 16]>());
        if let Some(session) = self.open().get_mut(&visitor.key) {
            if session.held.len() >= HELD_MAX {
                session.held.pop_front();
            }
            session.held.push_back((id.clone(), Instant::now(), held));
        }
        id
    }

    /// The form of that name, once, and not when it has waited too long.
    pub(super) fn take_held(&self, visitor: &Visitor, id: &str) -> Option<Held> {
        let mut open = self.open();
        let session = open.get_mut(&visitor.key)?;
        let at = session.held.iter().position(|(found, ..)| found == id)?;
        let (_, since, held) = session.held.remove(at)?;
        (Instant::now().saturating_duration_since(since) < GESTURE).then_some(held)
    }

    /// Keeps what a passkey is being made for.
    pub(super) fn enrol(&self, visitor: &Visitor, name: String, enrolling: Enrolling) {
        if let Some(session) = self.open().get_mut(&visitor.key) {
            session.enrolling = Some((Instant::now(), name, enrolling));
        }
    }

    /// That, once, and not when it has waited too long.
    pub(super) fn take_enrolling(&self, visitor: &Visitor) -> Option<(String, Enrolling)> {
        let (since, name, enrolling) = self.open().get_mut(&visitor.key)?.enrolling.take()?;
        (Instant::now().saturating_duration_since(since) < GESTURE).then_some((name, enrolling))
    }

    fn is_alive(&self, session: &Session, now: Instant) -> bool {
        now.saturating_duration_since(session.seen) < self.idle
            && now.saturating_duration_since(session.begun) < self.session
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Session>> {
        // Insert, remove and what is within are changed in one piece, whatever panics around them.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(id: &str) -> Key {
    Sha256::digest(id.as_bytes()).into()
}
