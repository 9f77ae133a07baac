//! Pages for people: ledgers, transactions, accounts, objects and proposals. Plain HTML, nothing from elsewhere.

mod html;
mod pages;

use std::str::FromStr;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use xrpl_wire::{AccountId, Hash256};

use self::html::Html;
use crate::embedded::Ledger;

/// What the browser may do with a page: show it with its own style, and send its form here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

const STYLE: &str = include_str!("style.css");

/// A page: its title and what is in it.
struct Page {
    title: String,
    body: Html,
}

/// What a path comes to.
enum Found {
    Page(Page),
    Elsewhere(String),
    Nothing,
}

/// The answer to `GET path?query`.
pub(super) fn serve(ledger: &Ledger, path: &str, query: &str) -> Response {
    match find(ledger, path, query) {
        Found::Page(page) => shown(StatusCode::OK, page),
        Found::Elsewhere(to) => match HeaderValue::from_str(&to) {
            Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
            Err(_) => shown(StatusCode::NOT_FOUND, nothing(path)),
        },
        Found::Nothing => shown(StatusCode::NOT_FOUND, nothing(path)),
    }
}

fn find(ledger: &Ledger, path: &str, query: &str) -> Found {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let page = match parts.as_slice() {
        [] => Some(pages::home(ledger)),
        ["ledgers"] => {
            Some(pages::ledgers(ledger, value(query, "before").and_then(|text| text.parse().ok())))
        }
        ["ledger", which] => pages::ledger(ledger, which),
        ["tx", id] => Hash256::from_str(id).ok().and_then(|id| pages::transaction(ledger, &id)),
        ["accounts"] => {
            Some(pages::accounts(ledger, value(query, "after").and_then(|text| text.parse().ok())))
        }
        ["account", account] => {
            AccountId::from_str(account).ok().and_then(|account| pages::account(ledger, &account))
        }
        ["object", key] => Hash256::from_str(key).ok().and_then(|key| pages::object(ledger, &key)),
        ["proposals"] => Some(pages::proposals(ledger)),
        ["search"] => return search(ledger, value(query, "q").unwrap_or_default().trim()),
        _ => None,
    };
    page.map_or(Found::Nothing, Found::Page)
}

/// Where something is that somebody looks for: the index of a ledger, an account, any hash.
fn search(ledger: &Ledger, text: &str) -> Found {
    if let Ok(index) = text.parse::<u32>() {
        return Found::Elsewhere(format!("/ledger/{index}"));
    }
    if let Ok(account) = AccountId::from_str(text) {
        return Found::Elsewhere(format!("/account/{account}"));
    }
    let Ok(hash) = Hash256::from_str(text) else { return Found::Nothing };
    let kind = if ledger.transaction(&hash).is_some() {
        "tx"
    } else if ledger.closed_by_hash(&hash).is_some() {
        "ledger"
    } else {
        "object"
    };
    Found::Elsewhere(format!("/{kind}/{hash}"))
}

/// A value of a query. All that the pages ask for is letters and digits, which need no decoding.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn nothing(path: &str) -> Page {
    let body = Html::of("<p>There is nothing at <code>").say(path).raw("</code> on this ledger.</p>");
    Page { title: "Not found".to_owned(), body }
}

fn shown(status: StatusCode, page: Page) -> Response {
    let html = Html::of("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
        .say(&page.title)
        .raw(" · xrpl-standalone</title><style>")
        .raw(STYLE)
        .raw("</style></head><body><header><a class=\"home\" href=\"/\">xrpl-standalone</a><nav>")
        .raw("<a href=\"/ledgers\">Ledgers</a><a href=\"/accounts\">Accounts</a>")
        .raw("<a href=\"/proposals\">Proposals</a></nav><form action=\"/search\">")
        .raw("<input name=\"q\" aria-label=\"Ledger, account or hash\" placeholder=\"Ledger, account or hash\">")
        .raw("<button>Find</button></form></header><main><h1>")
        .say(&page.title)
        .raw("</h1>")
        .put(&page.body)
        .raw("</main></body></html>\n");
    let mut response = (status, html.into_string()).into_response();
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
