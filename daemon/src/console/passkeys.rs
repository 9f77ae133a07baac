//! Acts that need a gesture with a passkey, where the configuration asks for one; and making passkeys.
//!
//! A form of such an act is not done when it comes: it is kept with its session, and a page says what it would do and asks
//! for the gesture. What the gesture then lets through is the form that was kept, so there is nothing that could be put in
//! its place; it counts for that form, in that session, once, and not for long.
//!
//! What it does not guard against: the API by token (`treasuryctl`) asks for none, and whoever holds the daemon decides what
//! its pages say. Making a passkey changes nothing by itself: it counts when it stands in the configuration.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use treasury_api::operations::calls;
use treasury_tools::value;

use super::acts::{self, Act};
use super::door::{Answered, Sent, refuse};
use super::forms::Form;
use super::frame::{Frame, shown};
use super::sessions::{Held, Visitor};
use super::{Console, ConsoleConfig, refusal, signed};
use crate::http::Refused;
use crate::http::api::StopView;
use crate::passkey::{Asked, Passkey, Site};

/// What can be asked for a passkey, and what it is called on the page that asks.
pub(crate) const ACTS: [(&str, &str); 18] = [
    ("approve", "Approve"),
    ("retract", "Take back an approval"),
    ("reject", "Reject"),
    ("withdraw", "Withdraw"),
    ("void", "Void"),
    ("flag", "Flag"),
    ("clear", "Lift the holds on"),
    ("flag_destination", "Flag whatever pays a destination"),
    ("lift", "Lift stops"),
    ("freeze", "Freeze"),
    ("panic", "Panic"),
    ("acknowledge", "Acknowledge findings"),
    ("acknowledge_notices", "Acknowledge notices"),
    ("close_breaker", "Close a circuit breaker"),
    ("activate", "Put a policy in force"),
    ("confirm_destination", "Confirm a destination"),
    ("redeliver", "Send notices again"),
    ("test_channel", "Send a test message"),
];

/// Those that stop something: whoever has no passkey at hand could not.
pub(crate) const STOPS: [&str; 8] =
    ["flag", "flag_destination", "freeze", "panic", "void", "reject", "retract", "withdraw"];

/// Which acts need a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeysConfig {
    /// By the names that the configuration has for them.
    pub acts: BTreeSet<String>,
}

/// What is known of passkeys while the daemon runs, beside what the configuration has of them.
#[derive(Clone)]
pub(super) struct Passkeys {
    site: Arc<Site>,
    acts: Arc<BTreeSet<String>>,
    /// How many gestures devices have made, where they count them: one that has made fewer is a copy.
    counts: Arc<Mutex<Vec<(Passkey, u32)>>>,
}

impl Passkeys {
    /// Where the configuration asks for them, and says under which name the console is reached.
    pub(super) fn of(config: &ConsoleConfig) -> Option<Self> {
        let (passkeys, origin) = (config.passkeys.as_ref()?, config.origin.as_ref()?);
        let site = Site::of(origin).ok()?;
        Some(Self { site: Arc::new(site), acts: Arc::new(passkeys.acts.clone()), counts: Arc::default() })
    }

    fn asks_for(&self, act: &Act) -> bool {
        self.acts.contains(act.name())
    }

    /// With which of these the gesture was made.
    fn answered<'a>(
        &self,
        asked: Asked,
        person: &str,
        known: &'a [Passkey],
        answer: &str,
    ) -> Result<&'a Passkey, String> {
        // Held over the whole look: of two at once one has the higher count.
        let mut counts = self.counts();
        let counted =
            |passkey: &Passkey| counts.iter().find(|(one, _)| one.is(passkey)).map_or(0, |(_, count)| *count);
        let (passkey, count) = self.site.answered(asked, person, known, counted, answer)?;
        counts.retain(|(one, _)| !one.is(passkey));
        counts.push((passkey.clone(), count));
        Ok(passkey)
    }

    fn counts(&self) -> MutexGuard<'_, Vec<(Passkey, u32)>> {
        // A count that is lost with a panic is one that the device has passed.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    frame: Frame,
    asked: Confirmation,
}

/// The same for a stop while no page can be shown, which is no reason to stop nothing.
#[derive(Template)]
#[template(path = "confirm_bare.html")]
struct ConfirmBare {
    asked: Confirmation,
}

struct Confirmation {
    /// What would be done: what it is, and what it says.
    lines: Vec<(&'static str, String)>,
    /// For the script.
    options: String,
    held: String,
    csrf: String,
    back: String,
}

/// Does it, or asks for the gesture that it needs first.
pub(super) async fn once_confirmed(console: &Console, act: Act, mut sent: Sent) -> Answered {
    // The API does the same with what it is asked for. Here it is before a page shows it, or keeps it for a gesture.
    if let Some(refused) = sent.form.secret(&console.door) {
        if !is_stop(&act) {
            return Err(refused);
        }
        sent.form = sent.form.without_secrets(&console.door);
    }
    let Some(passkeys) = console.passkeys.as_ref().filter(|passkeys| passkeys.asks_for(&act)) else {
        return acts::does(console, &act, &sent).await;
    };
    let Sent { visitor, form, parts } = sent;
    let known = console.door.passkeys_of(&visitor.person);
    if known.is_empty() {
        let refused = refusal::no_passkey();
        console.door.note(&parts, Some(&visitor.person), "confirm", &refused.error.code);
        return Err(refused);
    }
    let lines = lines(console, &visitor, &act, &form).await?;
    let back = super::door::own_path(form.text("back")).unwrap_or("/console").to_owned();
    let framed = Frame::of(console, &visitor, "/console", back.clone()).await;
    let frame = match framed {
        Ok(frame) => Some(frame),
        Err(refused) if is_stop(&act) && refusal::is_busy(&refused) => None,
        Err(refused) => return Err(refused),
    };
    let (options, asked) = passkeys.site.ask(&known).map_err(internal)?;
    let held = console.sessions.hold(&visitor, Held { act, form, asked });
    let asked = Confirmation { lines, options, held, csrf: visitor.csrf, back };
    Ok(match frame {
        Some(frame) => shown(&Confirm { frame, asked }),
        None => shown(&ConfirmBare { asked }),
    })
}

fn is_stop(act: &Act) -> bool {
    STOPS.contains(&act.name())
}

/// What a form would do, in words.
async fn lines(
    console: &Console,
    visitor: &Visitor,
    act: &Act,
    form: &Form,
) -> Result<Vec<(&'static str, String)>, Refused> {
    let called = ACTS.iter().find(|(name, _)| *name == act.name()).map_or(act.name(), |(_, called)| *called);
    let mut lines = vec![("Act", called.to_owned())];
    if let Act::Proposal { id, .. } = act {
        match console.door.ask(&visitor.person, calls::PROPOSAL, id, &()).await {
            Ok(proposal) => {
                lines.push(("Proposal", format!("{}: {}", proposal.id, proposal.what())));
                if act.name() == "approve" {
                    // What cannot be read is said before anybody makes a gesture for it.
                    let request = signed::read(&proposal, &form.signed())?;
                    lines.push(("Signer", request.signer));
                }
            }
            Err(refused) if is_stop(act) && refusal::is_busy(&refused) => {
                let id = treasury_tools::text::clean(id);
                lines.push(("Proposal", format!("{id}; there is too much to do to say what it is")));
            }
            Err(refused) => return Err(refused),
        }
    }
    if act.name() == "lift" {
        lines.extend(lifted(console, visitor, &form.all("stop")).await?);
    }
    if matches!(act.name(), "freeze" | "close_breaker") {
        lines.push(("What", form.some("account").unwrap_or_else(|| "everything".to_owned())));
    }
    if act.name() == "confirm_destination" {
        let address = form.text("address").trim();
        let treasury = console.door.treasury();
        let name = address.parse().ok().and_then(|address| treasury.destinations.get(&address));
        let name = name.map_or("is not in the address book", String::as_str);
        lines.push(("Address", treasury_tools::text::clean(&format!("{address}: {name}"))));
    }
    for (field, called) in [
        ("destination", "Destination"),
        ("policy", "Policy"),
        ("finding", "Findings"),
        ("notice", "Notices"),
        ("id", "Notice"),
        ("first", "From number"),
        ("last", "To number"),
        ("stage", "Those that are"),
        ("channel", "Channel"),
        ("reason", "Why"),
    ] {
        let said: Vec<String> = form.all(field).into_iter().filter(|text| !text.is_empty()).collect();
        if !said.is_empty() {
            lines.push((called, treasury_tools::text::clean(&said.join(", "))));
        }
    }
    Ok(lines)
}

/// What stops are, and who set them why: nobody lifts by a number what they have not read.
async fn lifted(
    console: &Console,
    visitor: &Visitor,
    ids: &[String],
) -> Result<Vec<(&'static str, String)>, Refused> {
    let known = console.door.ask(&visitor.person, calls::STOPS, "", &()).await?;
    let mut lines = Vec::new();
    for id in ids {
        let is_it = |stop: &&StopView| stop.id == *id;
        let shown = treasury_tools::text::clean(id);
        let words = if let Some(stop) = known.standing.iter().find(is_it) {
            let mut words = stop.words();
            // Of a proposal more than its number, where it is still known.
            if stop.subject.starts_with('P')
                && let Ok(on) = console.door.ask(&visitor.person, calls::PROPOSAL, &stop.subject, &()).await
            {
                words = format!("{words} ({}: {})", on.id, on.what());
            }
            words
        } else if known.lifted.iter().map(|lifted| &lifted.stop).any(|stop| stop.id == *id) {
            format!("{shown}: was lifted already")
        } else {
            format!("{shown}: there is no such stop")
        };
        lines.push(("Stop", words));
    }
    Ok(lines)
}

/// Takes the gesture, and does what was kept for it.
pub(super) async fn confirm(State(console): State<Console>, sent: Sent) -> Answered {
    let Some(passkeys) = console.passkeys.clone() else { return Ok(refusal::no_such_page().await) };
    let Sent { visitor, form, parts } = sent;
    let person = visitor.person.clone();
    let refused = |refused: Refused| {
        console.door.note(&parts, Some(&person), "confirm", &refused.error.code);
        Err(refused)
    };
    let Some(held) = console.sessions.take_held(&visitor, form.text("held")) else {
        return refused(refusal::gesture_over());
    };
    let known = console.door.passkeys_of(&person);
    match passkeys.answered(held.asked, &person, &known, form.text("gesture")) {
        Ok(passkey) => console.door.shows_gesture(passkey.name()),
        Err(why) => {
            crate::lines::gesture_refused(&person, held.act.name(), why);
            return refused(refusal::gesture_wrong());
        }
    }
    let sent = Sent { visitor, form: held.form, parts };
    acts::does(&console, &held.act, &sent).await
}

#[derive(Template)]
#[template(path = "passkeys.html")]
struct Page {
    frame: Frame,
    /// The visitor's, that count.
    known: Arc<[Passkey]>,
    /// What needs one.
    acts: Vec<&'static str>,
    step: Step,
}

/// How far the making of one is.
enum Step {
    /// Nobody makes one.
    Begin,
    /// The browser is to make it: what the script needs, and what it is to be called.
    Make { options: String, name: String },
    /// It is made: what goes into the configuration.
    Made(Passkey),
}

async fn page(console: &Console, visitor: &Visitor, passkeys: &Passkeys, step: Step) -> Answered {
    let frame = Frame::of(console, visitor, "/console/passkeys", "/console/passkeys").await?;
    let known = console.door.passkeys_of(&visitor.person);
    let acts = ACTS.iter().filter(|(name, _)| passkeys.acts.contains(*name)).map(|(name, _)| *name).collect();
    Ok(shown(&Page { frame, known, acts, step }))
}

/// The visitor's passkeys.
pub(super) async fn own(State(console): State<Console>, visitor: Visitor) -> Answered {
    match console.passkeys.clone() {
        Some(passkeys) => page(&console, &visitor, &passkeys, Step::Begin).await,
        None => Ok(refusal::no_such_page().await),
    }
}

/// Begins to make one.
pub(super) async fn make(State(console): State<Console>, sent: Sent) -> Answered {
    let Some(passkeys) = console.passkeys.clone() else { return Ok(refusal::no_such_page().await) };
    let name = value::name(sent.form.text("name").trim()).map_err(|what| {
        let message = format!("The name {what}.");
        refuse(
            StatusCode::BAD_REQUEST,
            "BAD_FIELD",
            &message,
            "Call it by what it is on: \"laptop\", \"phone\".",
        )
    })?;
    let known = console.door.passkeys_of(&sent.visitor.person);
    let (options, enrolling) = passkeys.site.enrol(&sent.visitor.person, &known).map_err(internal)?;
    console.sessions.enrol(&sent.visitor, name.clone(), enrolling);
    page(&console, &sent.visitor, &passkeys, Step::Make { options, name }).await
}

/// Says what goes into the configuration of one that was made.
pub(super) async fn made(State(console): State<Console>, sent: Sent) -> Answered {
    let Some(passkeys) = console.passkeys.clone() else { return Ok(refusal::no_such_page().await) };
    let Sent { visitor, form, parts } = sent;
    let note = |code: &str| console.door.note(&parts, Some(&visitor.person), "passkey", code);
    let Some((name, enrolling)) = console.sessions.take_enrolling(&visitor) else {
        let refused = refusal::gesture_over();
        note(&refused.error.code);
        return Err(refused);
    };
    match passkeys.site.enrolled(enrolling, &name, form.text("gesture")) {
        Ok(passkey) => {
            note("DONE");
            page(&console, &visitor, &passkeys, Step::Made(passkey)).await
        }
        Err(why) => {
            crate::lines::gesture_refused(&visitor.person, "passkey", why);
            let refused = refusal::gesture_wrong();
            note(&refused.error.code);
            Err(refused)
        }
    }
}

fn internal(error: String) -> Refused {
    crate::http::ApiError::Internal(error).into()
}
