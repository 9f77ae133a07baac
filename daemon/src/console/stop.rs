//! Stopping something whatever else does not answer.
//!
//! Whoever has a person's token can ask for as much as that person may, and then no page is shown to either of them: each asks
//! the API for how things stand. This page asks it for nothing. What it sends are stops, which have places of their own and
//! no rate; and with the token in the form itself it needs no session, of which the other can make so many that the
//! person's own end.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::acts::Act;
use super::door::{self, Answered, Bounce, Sent};
use super::forms::Form;
use super::frame::shown;
use super::{Console, passkeys, refusal};

/// Where it is.
pub(super) const PATH: &str = "/console/stop";

#[derive(Template)]
#[template(path = "stop.html")]
struct Page {
    /// Who is logged in, and what their forms carry.
    visitor: Option<(String, String)>,
    said: Vec<String>,
    /// What can be frozen, for whoever is logged in: nobody else learns what accounts there are.
    accounts: Vec<String>,
}

pub(super) async fn page(State(console): State<Console>, parts: Parts) -> Response {
    let visitor = door::visitor(&parts, &console);
    if visitor.is_none() && door::is_from_elsewhere(&parts) {
        return shown(&Bounce { to: PATH.to_owned() });
    }
    let said = visitor.as_ref().map(|visitor| console.sessions.said(visitor)).unwrap_or_default();
    let treasury = console.door.treasury();
    let named = treasury.accounts.values().filter(|_| visitor.is_some());
    let mut accounts: Vec<String> = named.map(|account| account.name.clone()).collect();
    accounts.sort();
    let visitor = visitor.map(|visitor| (visitor.person, visitor.csrf));
    shown(&Page { visitor, said, accounts })
}

pub(super) async fn send(State(console): State<Console>, request: Request) -> Answered {
    let (parts, body) = request.into_parts();
    door::from_here(&parts, &console.config).inspect_err(|refused| {
        console.door.note(&parts, None, "form", &refused.error.code);
    })?;
    let form = Form::read(&console.door, &parts, body).await?;
    let Some(act) = act(&form) else { return Ok(refusal::no_such_page().await) };
    let Some(token) = form.some("token") else {
        let Some(visitor) = door::visitor(&parts, &console) else { return Err(refusal::session_ended()) };
        door::is_ours(&console, &parts, &form, &visitor)?;
        return passkeys::once_confirmed(&console, act, Sent { visitor, form, parts }).await;
    };
    // Nobody else's page has the token in its form, so it need not carry anything of the session.
    let badge = match console.door.login(&token, &parts) {
        Ok(badge) => badge,
        Err(refused) => return Ok(refusal::at_the_door(&refused)),
    };
    let id = console.sessions.begin(badge);
    let Some(visitor) = console.sessions.enter(&id, &console.door) else {
        return Err(refusal::session_ended());
    };
    let done = passkeys::once_confirmed(&console, act, Sent { visitor, form, parts }).await;
    // Where it was refused, too: the person is logged in by now, and can try another one.
    Ok(door::with_cookie(done.unwrap_or_else(IntoResponse::into_response), &console.config, &id))
}

/// What the form is for: something that stops, and nothing else.
fn act(form: &Form) -> Option<Act> {
    let name = form.text("act");
    match name {
        "freeze" | "panic" | "flag_destination" => Some(Act::Other(name.to_owned())),
        "flag" | "void" | "reject" => {
            let id = form.text("proposal").trim().to_owned();
            Some(Act::Proposal { id, act: name.to_owned() })
        }
        _ => None,
    }
}
