//! What stands around every page.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use treasury_api::operations::{Operation, Who, calls};

use super::sessions::Visitor;
use super::{Console, refusal};
use crate::http::Refused;
use crate::http::api::{BreakerView, StatusView, StopView};

/// The pages, as the list of them has it: path and name.
const PAGES: &[(&str, &str)] = &[
    ("/console", "Inbox"),
    ("/console/proposals", "Proposals"),
    ("/console/escrows", "Escrows"),
    ("/console/findings", "Findings"),
    ("/console/accounts", "Accounts"),
    ("/console/history", "History"),
    ("/console/audit", "Audit"),
    ("/console/policy", "Policy"),
    ("/console/deliveries", "Deliveries"),
    ("/console/system", "System"),
];

/// Who looks at which page, and how things stand.
pub(super) struct Frame {
    /// Which of the pages this is, or belongs to.
    pub(super) here: &'static str,
    /// Where a form leads back to.
    pub(super) back: String,
    pub(super) person: String,
    pub(super) roles: Vec<&'static str>,
    pub(super) csrf: String,
    pub(super) said: Vec<String>,
    /// Whether anything needs a passkey here.
    pub(super) passkeys: bool,
    pub(super) status: StatusView,
    /// The treasury's accounts by name.
    pub(super) accounts: Vec<String>,
}

impl Frame {
    /// The frame of a page for somebody. `back` is the path of the page itself.
    pub(super) async fn of(
        console: &Console,
        visitor: &Visitor,
        here: &'static str,
        back: impl Into<String>,
    ) -> Result<Self, Refused> {
        let asked = console.door.ask(&visitor.person, calls::STATUS, "", &()).await;
        // What was done is said here, where no page can say it.
        let status = asked.map_err(|refused| refusal::after(refused, &console.sessions.said(visitor)))?;
        let treasury = console.door.treasury();
        let roles = treasury.people.get(&visitor.person).map(|person| &person.roles);
        let roles = roles.into_iter().flatten().map(|role| role.word()).collect();
        let mut accounts: Vec<String> =
            treasury.accounts.values().map(|account| account.name.clone()).collect();
        accounts.sort();
        Ok(Self {
            here,
            back: back.into(),
            person: visitor.person.clone(),
            roles,
            csrf: visitor.csrf.clone(),
            said: console.sessions.said(visitor),
            passkeys: console.passkeys.is_some(),
            status,
            accounts,
        })
    }

    pub(super) fn pages(&self) -> &'static [(&'static str, &'static str)] {
        PAGES
    }

    /// Whether the table of operations leaves it to a role that the visitor lacks. What else stands against it the
    /// operation itself says when it is asked.
    pub(super) fn may(&self, name: &str) -> bool {
        let operation =
            Operation::ALL.iter().map(|operation| operation.spec()).find(|spec| spec.name == name);
        operation.is_some_and(|spec| match spec.who {
            Who::Role(role) => self.roles.contains(&role),
            Who::Anybody | Who::Person | Who::Those(_) => true,
        })
    }

    /// Whether the visitor has the role.
    pub(super) fn is(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    pub(super) fn open_breakers(&self) -> Vec<&BreakerView> {
        self.status.breakers.iter().filter(|breaker| breaker.open).collect()
    }

    /// Freezes that stand; holds concern one thing, and stand where that is shown.
    pub(super) fn freezes(&self) -> Vec<&StopView> {
        self.status.stops.iter().filter(|stop| stop.kind == "freeze").collect()
    }

    /// The ledger's time as of this page; empty before the first ledger.
    pub(super) fn now(&self) -> &str {
        self.status.ledger.as_ref().map_or("", |ledger| &ledger.close_time)
    }

    /// How long from now on until then.
    pub(super) fn until(&self, then: &str) -> String {
        super::words::until(self.now(), then)
    }
}

/// A page as an answer.
pub(super) fn shown(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page of the console cannot be shown");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
