//! What a browser carries from the beginning of a login to its end.
//!
//! It is in a cookie, sealed, and not in memory here: whoever begins a thousand logins and ends none takes nobody's place.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

/// A login takes no longer: with a second factor, and a password that has to be looked up.
pub(super) const SECONDS: u64 = 600;

/// Logins that are over and remembered for as long as their ticket could be shown again. Who makes more of them than that
/// in ten minutes can show one of their own again, and the provider takes no code twice.
const USED_MAX: usize = 4_096;

/// A path that is longer is not kept: a cookie has 4,096 bytes.
const NEXT_MAX: usize = 1_024;

/// A login that has begun.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ticket {
    /// What the provider sends back.
    pub(super) state: String,
    /// What its ID token holds.
    pub(super) nonce: String,
    /// What proves to it that whoever brings the code began the login.
    pub(super) verifier: String,
    /// Where to then.
    pub(super) next: String,
    /// What the session is called in the table that the browser has had, which ends then.
    pub(super) before: Option<String>,
    /// When, in seconds of this process.
    begun: u64,
}

impl Ticket {
    pub(super) fn new(
        state: String,
        nonce: String,
        verifier: String,
        next: String,
        before: Option<String>,
    ) -> Self {
        let next = if next.len() > NEXT_MAX { "/console".to_owned() } else { next };
        Self { state, nonce, verifier, next, before, begun: 0 }
    }
}

/// Seals tickets, and takes each once. The key lives as long as the process does.
#[derive(Debug)]
pub(super) struct Tickets {
    key: [u8; 32],
    origin: Instant,
    used: Mutex<VecDeque<(u64, String)>>,
}

impl Default for Tickets {
    fn default() -> Self {
        Self { key: rand::random(), origin: Instant::now(), used: Mutex::default() }
    }
}

impl Tickets {
    /// As a cookie's value.
    pub(super) fn seal(&self, ticket: &Ticket) -> String {
        let ticket = Ticket {
            state: ticket.state.clone(),
            nonce: ticket.nonce.clone(),
            verifier: ticket.verifier.clone(),
            next: ticket.next.clone(),
            before: ticket.before.clone(),
            begun: self.now(),
        };
        // Texts and a number; writing them as JSON cannot fail.
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&ticket).unwrap_or_default());
        let seal = self.mac(&text).map(|mac| hex::encode(mac.finalize().into_bytes()));
        format!("{text}.{}", seal.unwrap_or_default())
    }

    /// The ticket, if it was sealed here, not long ago, for this state, and was not taken before.
    pub(super) fn take(&self, sealed: &str, state: &str) -> Option<Ticket> {
        let (text, seal) = sealed.split_once('.')?;
        self.mac(text)?.verify_slice(&hex::decode(seal).ok()?).ok()?;
        let ticket: Ticket = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let now = self.now();
        let is_good = now.saturating_sub(ticket.begun) < SECONDS
            && bool::from(ticket.state.as_bytes().ct_eq(state.as_bytes()));
        if !is_good {
            return None;
        }
        let mut used = self.used();
        used.retain(|(at, _)| now.saturating_sub(*at) < SECONDS);
        if used.iter().any(|(_, one)| *one == ticket.state) {
            return None;
        }
        if used.len() >= USED_MAX {
            used.pop_front();
        }
        used.push_back((now, ticket.state.clone()));
        Some(ticket)
    }

    fn mac(&self, text: &str) -> Option<Hmac<Sha256>> {
        // It takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(text.as_bytes());
        Some(mac)
    }

    fn now(&self) -> u64 {
        Instant::now().saturating_duration_since(self.origin).as_secs()
    }

    fn used(&self) -> MutexGuard<'_, VecDeque<(u64, String)>> {
        // Each change is one piece.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ticket(state: &str) -> Ticket {
        let text = str::to_owned;
        Ticket::new(text(state), text("n"), text("v"), text("/console/findings"), None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_taken_once_here_in_time_and_for_its_state() {
        let (tickets, others) = (Tickets::default(), Tickets::default());
        let sealed = tickets.seal(&ticket("s"));
        for (sealed, state) in [
            (sealed.as_str(), "t"),
            (sealed.as_str(), ""),
            (others.seal(&ticket("s")).as_str(), "s"),
            (&sealed[1..], "s"),
            (sealed.split('.').next().unwrap(), "s"),
            (&format!("{}.", sealed.split('.').next().unwrap()), "s"),
            ("", ""),
            (".", ""),
        ] {
            assert!(tickets.take(sealed, state).is_none(), "{sealed} {state}");
        }
        let taken = tickets.take(&sealed, "s").unwrap();
        assert_eq!((taken.nonce.as_str(), taken.verifier.as_str()), ("n", "v"));
        assert_eq!(taken.next, "/console/findings");
        assert!(tickets.take(&sealed, "s").is_none(), "once");
        let late = tickets.seal(&ticket("late"));
        tokio::time::advance(Duration::from_secs(SECONDS)).await;
        assert!(tickets.take(&late, "late").is_none());
        assert!(tickets.take(&tickets.seal(&ticket("s")), "s").is_some(), "what is over is forgotten");
    }

    #[test]
    fn a_cookie_holds_every_ticket() {
        let long = "x".repeat(100);
        let ticket =
            Ticket::new(long.clone(), long.clone(), long.clone(), "/console/".repeat(1_000), Some(long));
        assert_eq!(ticket.next, "/console");
        assert!(Tickets::default().seal(&ticket).len() < 3_000);
    }
}
