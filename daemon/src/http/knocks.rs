//! What the audit log is told of requests that become no record.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::HeaderName;
use axum::response::Response;
use rand::random;
use treasury_api::operations::{Class, Operation};
use treasury_core::Actor;
use treasury_core::intent::Origin;

use super::App;
use super::auth::{Speaker, Tokens, Whence};
use super::connections::Connection;
use super::error::Code;
use super::seeds::in_text;
use crate::audit::knocks::{Knock, source};

/// The header with the request's own id, which stands in the audit log, too. Who has one of their own may send it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What somebody is told who is not whom they say they are.
const REFUSED_LOGINS: [&str; 6] = [
    "TOKEN_WRONG",
    "GESTURE_WRONG",
    "OIDC_NOBODY",
    "OIDC_CODE_REFUSED",
    "OIDC_TOKEN_WRONG",
    "OIDC_STATE_WRONG",
];

/// The longest id that is taken over.
const ID_MAX: usize = 64;

/// Where a request comes from, and whose it turned out to be.
#[derive(Debug)]
pub(super) struct Caller {
    request: String,
    peer: Option<IpAddr>,
    actor: OnceLock<Actor>,
}

impl Caller {
    pub(super) fn of(request: &Request, tokens: &Tokens) -> Self {
        let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let is_plain = |id: &&str| {
            (1..=ID_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
                && in_text(id, tokens).is_none()
        };
        let id = given.filter(is_plain).map_or_else(|| hex::encode(random::<[u8; 8]>()), str::to_owned);
        let peer = request.extensions().get::<Arc<Connection>>().map(|connection| connection.peer());
        Self { request: id, peer, actor: OnceLock::new() }
    }

    /// Says whose request it is; answers with how it came.
    pub(super) fn is(&self, actor: &Actor, token: Option<String>) -> Whence {
        // A request has one speaker.
        let _ = self.actor.set(actor.clone());
        Whence { request: self.request.clone(), peer: self.peer, token }
    }

    /// Names the request in its answer, and has a refusal counted. Probes that find the daemon not ready are none.
    pub(super) fn answered(&self, app: &App, operation: Option<Operation>, response: &mut Response) {
        if let Ok(id) = self.request.parse() {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let is_probe = operation.is_some_and(|operation| operation.spec().class == Class::Probe);
        if response.status().as_u16() < 400 || is_probe {
            return;
        }
        let code = response.extensions().get::<Code>().map_or("REFUSED", |code| code.0);
        let name = operation.map_or("unknown", |operation| operation.spec().name);
        let actor = self.actor.get();
        let origin = actor.map_or(Origin::Http, |actor| actor.origin);
        note(app, actor.map(|actor| actor.person.as_str()), origin, self.peer, name, code);
    }
}

/// Has it counted that somebody asked for something and nothing followed, or nothing that is a record.
pub(super) fn of_speaker(app: &App, Speaker(actor, whence): &Speaker, operation: &'static str, code: &str) {
    note(app, Some(&actor.person), actor.origin, whence.peer, operation, code);
}

/// Has it counted.
pub(super) fn note(
    app: &App,
    person: Option<&str>,
    origin: Origin,
    peer: Option<IpAddr>,
    operation: &'static str,
    code: &str,
) {
    if REFUSED_LOGINS.contains(&code) {
        app.attempts.note(peer, person);
    }
    if let Some(audit) = &app.audit {
        audit.knock(Knock {
            person: person.map(str::to_owned),
            origin: origin.word(),
            source: peer.map(source),
            operation,
            code: code.to_owned(),
        });
    }
}
