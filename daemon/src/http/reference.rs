//! The page docs/reference/api.md, from the routes here and the comments in `api.rs`.

use std::fmt::Write as _;

use super::api;
use super::error::ApiError;

/// What one route does with one method.
struct Operation {
    method: &'static str,
    path: &'static str,
    says: &'static str,
    /// The query's or the body's type.
    takes: Option<&'static str>,
    gives: &'static str,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    takes: Option<&'static str>,
    gives: &'static str,
    says: &'static str,
) -> Operation {
    Operation { method, path, says, takes, gives }
}

const OPERATIONS: [Operation; 22] = [
    operation("GET", "/healthz", None, "`ok`", "The process answers. No token."),
    operation(
        "GET",
        "/readyz",
        None,
        "ReadyView",
        "200 while the validated ledger can be seen, 503 otherwise. No token.",
    ),
    operation("GET", "/metrics", None, "text", "For Prometheus; see metrics.md. No token."),
    operation("GET", "/v1/status", None, "StatusView", "The whole at a glance."),
    operation(
        "GET",
        "/v1/accounts",
        None,
        "list of AccountView",
        "The treasury's accounts, by tier and name.",
    ),
    operation(
        "GET",
        "/v1/proposals",
        Some("ProposalsQuery"),
        "list of ProposalView",
        "Proposals, newest first, without their transactions.",
    ),
    operation(
        "POST",
        "/v1/proposals",
        Some("ProposeRequest"),
        "ProposedView",
        "Ask for a payment. Role `proposer`.",
    ),
    operation(
        "GET",
        "/v1/proposals/{id}",
        None,
        "ProposalView",
        "One proposal, with the transactions to sign.",
    ),
    operation(
        "POST",
        "/v1/proposals/{id}/approvals",
        Some("ApproveRequest"),
        "DoneView",
        "Bring your signatures over every rung.",
    ),
    operation(
        "DELETE",
        "/v1/proposals/{id}/approvals",
        Some("EmptyRequest"),
        "DoneView",
        "Take your own approval back, before submission: it counts no more. The daemon's store and its backups keep the signatures, and those that others have bind the ledger until LastLedgerSequence all the same.",
    ),
    operation(
        "POST",
        "/v1/proposals/{id}/reject",
        Some("ReasonRequest"),
        "DoneView",
        "Speak against it; once the quorum cannot be reached any more it ends. For its signers, and the role `approver`.",
    ),
    operation(
        "POST",
        "/v1/proposals/{id}/withdraw",
        Some("EmptyRequest"),
        "DoneView",
        "Take your own proposal back, before submission; with the role `admin`, anybody's.",
    ),
    operation(
        "POST",
        "/v1/proposals/{id}/flag",
        Some("ReasonRequest"),
        "StoppedView",
        "Put a hold on it, which binds the escrow that comes of it, too; on an EscrowFinish, on its escrow. Role `security`.",
    ),
    operation(
        "POST",
        "/v1/proposals/{id}/clear",
        Some("ReasonRequest"),
        "LiftedView",
        "Lift the one hold that stands on it or on its escrow; where several stand, lift them by id. Role `security`.",
    ),
    operation(
        "GET",
        "/v1/stops",
        None,
        "StopsView",
        "What must not leave and why: stops that stand, and those that were lifted.",
    ),
    operation(
        "POST",
        "/v1/stops/lift",
        Some("LiftRequest"),
        "LiftedView",
        "Lift stops by their ids, all of them or none. Role `security` for holds, `admin` for freezes.",
    ),
    operation(
        "GET",
        "/v1/escrows",
        Some("EscrowsQuery"),
        "list of EscrowView",
        "Escrows of treasury accounts that stand or ended within a day or so, newest first. What became of an older one stands with the proposal that made it.",
    ),
    operation(
        "GET",
        "/v1/findings",
        None,
        "list of FindingView",
        "What anomaly rules saw, newest first; at most the last thousand.",
    ),
    operation(
        "GET",
        "/v1/events",
        Some("EventsQuery"),
        "EventsPage",
        "The stored facts, in order, without signatures.",
    ),
    operation(
        "POST",
        "/v1/freeze",
        Some("FreezeRequest"),
        "StoppedView",
        "Nothing leaves or enters the account by the daemon's doing, or nothing at all, until the freeze is lifted; what can be taken back is taken back all the same. Role `security`.",
    ),
    operation(
        "POST",
        "/v1/unfreeze",
        Some("UnfreezeRequest"),
        "LiftedView",
        "Lift the one freeze that stands there; where several stand, lift them by id. Role `admin`.",
    ),
    operation(
        "POST",
        "/v1/breaker/close",
        Some("CloseBreakerRequest"),
        "DoneView",
        "Let automated submissions go on after a circuit breaker opened. Role `admin`.",
    ),
];

/// The page.
#[must_use]
pub fn reference() -> String {
    let limits = super::Limits::default();
    let mut page = format!(
        "# HTTP API\n\n\
         Generated from `daemon/src/http`; a test compares the two.\n\n\
         Send `Authorization: Bearer <your token>` with every request but the three probes. Bodies are JSON\n\
         objects of at most {} bytes; unknown fields are refused. Amounts are text in drops, times ISO 8601 in\n\
         UTC by the ledger's clock, ids text such as `P12`. Where an account is asked for, its address or its\n\
         name in the configuration will do. A request that changes something is answered when its facts are\n\
         durable, after at most {} s; then look before you send it again.\n\n\
         Stops (freezing, flagging, rejecting, withdrawing, retracting) and the three probes have places and a queue of\n\
         their own, which nothing else fills. A head has to come within {} s and a body within {} s; a connection is\n\
         kept for {} s. Where there are more connections than there is room for (at most {}, and fewer where the\n\
         process may have few files open), the one that has kept the API waiting longest is cut.\n\n\
         An error's body is `{{\"error\":{{\"code\",\"message\",\"advice\"}}}}`; nothing has changed then.\n\n\
         ## Requests\n\n| request | takes | answers | does |\n|---|---|---|---|\n",
        super::BODY_MAX_BYTES,
        super::TIMEOUT.as_secs(),
        limits.head.as_secs(),
        limits.body.as_secs(),
        limits.head.as_secs(),
        limits.connections,
    );
    for operation in &OPERATIONS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{} {}` | {} | {} | {} |",
            operation.method,
            operation.path,
            operation.takes.unwrap_or(""),
            operation.gives,
            operation.says
        );
    }
    page.push_str("\n## Errors of the edge\n\n| code | status | advice |\n|---|---|---|\n");
    for error in ApiError::examples() {
        let _ = writeln!(page, "| `{}` | {} | {} |", error.code(), error.status().as_u16(), error.advice());
    }
    page.push_str(
        "\nThe core's own refusals come in the same form, with 400 (wrong in itself), 403 (you may not), 404 (no such\n\
         thing), 409 (does not fit the present state) or 503 (not now).\n\n## Types\n",
    );
    for item in types(api::SOURCE) {
        let _ = write!(page, "\n### {}\n\n{}\n", item.name, item.says);
        if !item.fields.is_empty() {
            page.push_str("\n| field | type | says |\n|---|---|---|\n");
        }
        for field in item.fields {
            let _ = writeln!(page, "| `{}` | {} | {} |", field.name, kind(&field.kind), field.says);
        }
    }
    page
}

struct Type {
    name: String,
    says: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    kind: String,
    says: String,
}

/// Reads the structs of `api.rs`, which holds nothing but documented structs, a field a line.
fn types(source: &str) -> Vec<Type> {
    let mut types: Vec<Type> = Vec::new();
    let mut says = String::new();
    for line in source.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("/// ") {
            if !says.is_empty() {
                says.push(' ');
            }
            says.push_str(words);
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = rest.split([' ', '{']).next().unwrap_or_default().to_owned();
            types.push(Type { name, says: std::mem::take(&mut says), fields: Vec::new() });
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": "))
            && let Some(last) = types.last_mut()
        {
            let (name, kind) = (name.to_owned(), kind.trim_end_matches(',').to_owned());
            last.fields.push(Field { name, kind, says: std::mem::take(&mut says) });
        } else if !line.starts_with("#[") {
            says.clear();
        }
    }
    types
}

/// A type in the words of JSON.
fn kind(rust: &str) -> String {
    let inner = |open: &str| rust.strip_prefix(open).and_then(|rest| rest.strip_suffix('>'));
    if let Some(inner) = inner("Option<") {
        return format!("{} or null", kind(inner));
    }
    if let Some(inner) = inner("Vec<") {
        return format!("list of {}", kind(inner));
    }
    if let Some(inner) = inner("BTreeMap<String, ") {
        return format!("object of {}", kind(inner));
    }
    match rust {
        "String" => "text",
        "bool" => "true or false",
        "u16" | "u32" | "u64" | "usize" => "number",
        "serde_json::Value" => "JSON",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_api_page_is_what_the_code_says() {
        crate::testing::reference("api.md", &reference());
    }

    #[test]
    fn every_route_is_on_the_page_and_every_type_it_names() {
        let listed: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.path).collect();
        let served: BTreeSet<&str> = crate::http::table().iter().map(|(path, _)| *path).collect();
        assert_eq!(listed, served);
        let types = types(api::SOURCE);
        let known: BTreeSet<&str> = types.iter().map(|item| item.name.as_str()).collect();
        for operation in &OPERATIONS {
            let gives = operation.gives.trim_start_matches("list of ");
            assert!(known.contains(gives) || ["`ok`", "text"].contains(&gives), "{gives}");
            assert!(operation.takes.is_none_or(|takes| known.contains(takes)), "{}", operation.path);
        }
        for item in types {
            assert!(!item.says.is_empty(), "{}", item.name);
            for field in item.fields {
                assert!(!field.says.is_empty(), "{}.{}", item.name, field.name);
            }
        }
    }
}
