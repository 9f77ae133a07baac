//! What people do. Each is the API's own operation, and what it answers is said on the page that follows.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use treasury_api::operations::calls;

use super::Console;
use super::door::{Answered, Sent, own_path};
use super::forms::Form;
use super::{passkeys, refusal, signed};
use crate::http::Refused;
use crate::http::api::{
    AcknowledgeNoticesRequest, AcknowledgeRequest, ActivateRequest, ClearRequest, CloseBreakerRequest,
    ConfirmRequest, EmptyRequest, FlagDestinationRequest, FreezeRequest, LiftRequest, ReasonRequest,
    RedeliverRequest, TestChannelRequest,
};

pub(super) async fn back_to_proposal(Path((id, _)): Path<(String, String)>) -> Response {
    let path = format!("/console/proposals/{id}");
    Redirect::to(own_path(&path).unwrap_or("/console/proposals")).into_response()
}

/// What a form is for.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Something on one proposal.
    Proposal {
        /// Which.
        id: String,
        /// What.
        act: String,
    },
    /// Something else.
    Other(String),
}

impl Act {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Proposal { act, .. } | Self::Other(act) => act,
        }
    }
}

/// An act on one proposal.
pub(super) async fn proposal(
    State(console): State<Console>,
    Path((id, act)): Path<(String, String)>,
    sent: Sent,
) -> Answered {
    passkeys::once_confirmed(&console, Act::Proposal { id, act }, sent).await
}

/// An act on something else.
pub(super) async fn other(State(console): State<Console>, Path(act): Path<String>, sent: Sent) -> Answered {
    passkeys::once_confirmed(&console, Act::Other(act), sent).await
}

/// Does it, and says so on the page that the form was on.
pub(super) async fn does(console: &Console, act: &Act, sent: &Sent) -> Answered {
    let done = match act {
        Act::Proposal { id, act } => {
            of_proposal(console, id, act, sent).await?.map(|done| format!("{id}: {done}"))
        }
        Act::Other(act) => done(console, act, sent).await?,
    };
    match done {
        Some(done) => Ok(said(console, sent, done)),
        None => Ok(refusal::no_such_page().await),
    }
}

async fn of_proposal(console: &Console, id: &str, act: &str, sent: &Sent) -> Result<Option<String>, Refused> {
    let (door, form, person) = (&console.door, &sent.form, sent.visitor.person.as_str());
    let reason = || ReasonRequest { reason: form.text("reason").to_owned() };
    let nothing = EmptyRequest {};
    let done = match act {
        "approve" => {
            let view = door.ask(person, calls::PROPOSAL, id, &()).await?;
            let request = signed::read(&view, &form.signed())?;
            door.ask(person, calls::APPROVE, id, &request).await?.words("approved")
        }
        "retract" => door.ask(person, calls::RETRACT, id, &nothing).await?.words("taken back"),
        "reject" => door.ask(person, calls::REJECT, id, &reason()).await?.reject_words(),
        "withdraw" => door.ask(person, calls::WITHDRAW, id, &nothing).await?.words("withdrawn"),
        "void" => door.ask(person, calls::VOID, id, &reason()).await?.void_words(),
        "flag" => door.ask(person, calls::FLAG, id, &reason()).await?.words("held"),
        "clear" => {
            let asked = ClearRequest { reason: reason().reason };
            door.ask(person, calls::CLEAR, id, &asked).await?.words()
        }
        _ => return Ok(None),
    };
    Ok(Some(done))
}

async fn done(console: &Console, act: &str, sent: &Sent) -> Result<Option<String>, Refused> {
    let (door, form, person) = (&console.door, &sent.form, sent.visitor.person.as_str());
    let reason = form.text("reason").to_owned();
    let account = form.some("account");
    let done = match act {
        "freeze" => {
            let what = account.clone().unwrap_or_else(|| "everything".to_owned());
            let asked = FreezeRequest { account, reason };
            let done = door.ask(person, calls::FREEZE, "", &asked).await?;
            format!("{what}: {}", done.words("frozen"))
        }
        "panic" => {
            let found = door.ask(person, calls::PANIC, "", &ReasonRequest { reason }).await?;
            let lines: Vec<String> =
                found.lines().into_iter().map(|(name, text)| format!("{name}: {text}")).collect();
            lines.join("\n")
        }
        "lift" => {
            let asked = LiftRequest { stops: form.all("stop"), reason };
            door.ask(person, calls::LIFT, "", &asked).await?.words()
        }
        "flag_destination" => {
            let asked =
                FlagDestinationRequest { destination: form.text("destination").trim().to_owned(), reason };
            let done = door.ask(person, calls::FLAG_DESTINATION, "", &asked).await?;
            format!("{}: {}", asked.destination, done.words("held"))
        }
        "acknowledge" => {
            let asked = AcknowledgeRequest { findings: form.all("finding"), reason };
            let done = door.ask(person, calls::ACKNOWLEDGE, "", &asked).await?;
            format!("{}: {}", asked.findings.join(", "), done.words("acknowledged"))
        }
        "acknowledge_notices" => {
            let asked = AcknowledgeNoticesRequest { notices: form.all("notice"), reason };
            door.ask(person, calls::ACKNOWLEDGE_NOTICES, "", &asked).await?.words("acknowledged")
        }
        "close_breaker" => {
            let asked = CloseBreakerRequest { account };
            door.ask(person, calls::CLOSE_BREAKER, "", &asked).await?.words("closed")
        }
        "activate" => {
            let asked = ActivateRequest { policy: form.text("policy").trim().to_owned(), reason };
            let done = door.ask(person, calls::POLICY_ACTIVATE, "", &asked).await?;
            format!("{}: {}", asked.policy, done.words())
        }
        "confirm_destination" => {
            let asked = ConfirmRequest { address: form.text("address").trim().to_owned(), reason };
            let done = door.ask(person, calls::CONFIRM_DESTINATION, "", &asked).await?;
            format!("{}: {}", asked.address, done.words())
        }
        "redeliver" => {
            let asked = redelivery(form)?;
            let done = door.ask(person, calls::REDELIVER, "", &asked).await?;
            format!("{} deliveries wait to be sent again", done.deliveries)
        }
        "test_channel" => {
            let asked = TestChannelRequest { channel: form.text("channel").to_owned() };
            let done = door.ask(person, calls::TEST_CHANNEL, "", &asked).await?;
            format!("a test message is on its way: {}", done.id)
        }
        _ => return Ok(None),
    };
    Ok(Some(done))
}

fn redelivery(form: &Form) -> Result<RedeliverRequest, Refused> {
    let number = |name: &'static str| {
        let number = form.some(name).map(|text| text.parse::<u64>()).transpose();
        let problem = "a whole number, as the list shows it";
        number.map_err(|_| crate::http::ApiError::BadField { field: name, problem })
    };
    Ok(RedeliverRequest {
        id: form.some("id"),
        first: number("first")?,
        last: number("last")?,
        channel: form.some("channel"),
        stage: form.some("stage"),
    })
}

/// Back to the page that the form was on, which says what was done.
fn said(console: &Console, sent: &Sent, text: String) -> Response {
    console.sessions.say(&sent.visitor, text);
    let back = own_path(sent.form.text("back")).unwrap_or("/console");
    Redirect::to(back).into_response()
}
