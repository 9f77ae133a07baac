//! Entries as a page that prints well, and as a table.

use std::fmt::Write as _;

use serde_json::Value;
use treasury_api::types::AuditEntry;
use treasury_tools::text::clean;

use super::words::{about, moment, sentences};
use super::{Checker, opened};

/// In the page itself: it is read where nothing else is.
const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#111;\
background:#fff}h1{font-size:1.5em}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;\
padding:.35em .6em .35em 0;border-bottom:1px solid #ccc}thead th{border-bottom:2px solid #111}td:first-child,\
td:nth-child(2){white-space:nowrap}li,td{overflow-wrap:anywhere}td:nth-child(3){min-width:8em}ul{margin:0;padding-left:1.1em}code,.hash{font:12px/1.4 ui-monospace,monospace;\
overflow-wrap:anywhere}.hash{color:#555}.bad{color:#900;font-weight:600}@media print{body{margin:0;max-width:none;\
font-size:10pt}thead{display:table-header-group}tr{break-inside:avoid}}";

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in clean(text).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A page about entries, in the order in which they are given. `what` says which these are, and `made` when.
#[must_use]
pub fn report(entries: &[AuditEntry], what: &str, made: &str) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>Audit report: {title}</title><style>{STYLE}</style></head>\n\
         <body>\n<h1>Audit report: {title}</h1>\n<p>{count} entries of the treasury daemon's audit log, made {made}. Times \
         are UTC; a ledger's are those at which it closed.</p>\n{proof}\n<table>\n<thead><tr><th scope=\"col\">No.</th>\
         <th scope=\"col\">When</th><th scope=\"col\">Who</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n",
        title = escape(what),
        count = entries.len(),
        made = escape(made),
        proof = proof(entries),
    );
    for entry in entries {
        row(&mut page, entry);
    }
    page.push_str("</tbody>\n</table>\n");
    page.push_str(
        "<h2>How to check it</h2>\n<p>Each entry has a text, its SHA-256, and a hash over three lines: the hash of the entry \
         before it, its number, and the digest of its text. From an export (JSON Lines) all of it can be computed again with \
         any program that knows SHA-256; <code>treasuryctl audit verify</code> does. Whoever compares the last hash with one \
         that was noted elsewhere knows that nothing before it was changed since. \u{201c}(removed)\u{201d} stands for what \
         was personal and was taken away; the hashes hold all the same.</p>\n</body></html>\n",
    );
    page
}

/// Whether the entries are what their hashes say. Those of a selection do not follow each other.
fn proof(entries: &[AuditEntry]) -> String {
    let fault = entries.iter().find_map(|entry| Checker::part().take(entry).err());
    match (fault, entries.last()) {
        (Some(fault), _) => {
            format!("<p class=\"bad\">Not what was written: {}</p>", escape(&fault.to_string()))
        }
        (None, Some(last)) => format!(
            "<p>Each text is what its hash says. The last entry is {}, with the hash <code>{}</code></p>",
            last.number,
            escape(&last.hash)
        ),
        (None, None) => "<p>No entry matches.</p>".to_owned(),
    }
}

fn row(page: &mut String, entry: &AuditEntry) {
    let cells = Cells::of(entry);
    let mut ledger = String::new();
    if !cells.ledger.is_empty() {
        ledger = format!("<br>ledger {}", escape(&cells.ledger));
    }
    let who = [
        ("", &cells.person),
        ("", &cells.origin),
        ("from ", &cells.address),
        ("token ", &cells.token),
        ("request ", &cells.request),
    ];
    let said = who.into_iter().filter(|(_, text)| !text.is_empty());
    let who: Vec<String> = said.map(|(word, text)| format!("{word}{}", escape(text))).collect();
    let items: String = cells.what.iter().map(|text| format!("<li>{}</li>", escape(text))).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(
        page,
        "<tr><td>{}</td><td>{}{ledger}</td><td>{}</td><td><ul>{items}</ul><span class=\"hash\">{}</span></td></tr>",
        entry.number,
        escape(&cells.at),
        who.join("<br>"),
        escape(&entry.hash)
    );
}

/// What a row of a table says of an entry.
struct Cells {
    at: String,
    ledger: String,
    kind: String,
    person: String,
    origin: String,
    address: String,
    token: String,
    request: String,
    operation: String,
    about: Vec<String>,
    what: Vec<String>,
}

impl Cells {
    fn of(entry: &AuditEntry) -> Self {
        let Some(said) = opened(entry) else {
            let what = vec!["The text was removed; its digest stays".to_owned()];
            return Self { what, ..Self::none() };
        };
        let who = |field: &str| {
            said.get("who")
                .and_then(|who| who.get(field))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let ledger = said.get("ledger").and_then(|ledger| ledger.get("index"));
        Self {
            at: moment(&said).to_owned(),
            ledger: ledger.map(ToString::to_string).unwrap_or_default(),
            kind: said.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned(),
            person: who("person"),
            origin: who("origin"),
            address: who("address"),
            token: who("token"),
            request: who("request"),
            operation: who("operation"),
            about: about(&said),
            what: sentences(&said),
        }
    }

    fn none() -> Self {
        let empty = String::new;
        Self {
            at: empty(),
            ledger: empty(),
            kind: empty(),
            person: empty(),
            origin: empty(),
            address: empty(),
            token: empty(),
            request: empty(),
            operation: empty(),
            about: Vec::new(),
            what: Vec::new(),
        }
    }
}

/// The first line of the table.
#[must_use]
pub fn csv_head() -> &'static str {
    "number,at,ledger,kind,person,origin,address,token,request,operation,about,what,digest,hash\r\n"
}

/// An entry's line.
#[must_use]
pub fn csv_row(entry: &AuditEntry) -> String {
    let cells = Cells::of(entry);
    let row = [
        entry.number.to_string(),
        cells.at,
        cells.ledger,
        cells.kind,
        cells.person,
        cells.origin,
        cells.address,
        cells.token,
        cells.request,
        cells.operation,
        cells.about.join(" "),
        cells.what.join("; "),
        entry.digest.clone(),
        entry.hash.clone(),
    ];
    let row: Vec<String> = row.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", row.join(","))
}

/// A cell: never what a spreadsheet would compute.
fn cell(text: &str) -> String {
    let text = clean(text);
    let guard = if text.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}
