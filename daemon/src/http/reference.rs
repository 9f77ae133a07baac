//! The page docs/reference/api.md, from the table of operations and the types of `treasury-api`.

use std::fmt::Write as _;

use treasury_api::operations::Operation;

use super::error::ApiError;

/// The page.
#[must_use]
pub fn reference() -> String {
    let limits = super::Limits::default();
    let mut page = format!(
        "# HTTP API\n\n\
         Generated from `daemon/api` and `daemon/src/http`; a test compares the two.\n\n\
         Send `Authorization: Bearer <your token>` with every request but the three probes. Bodies are JSON\n\
         objects of at most {} bytes; unknown fields are refused. Amounts are text in drops, times ISO 8601 in\n\
         UTC by the ledger's clock, ids text such as `P12`. Where an account is asked for, its address or its\n\
         name in the configuration will do. A request that changes something is answered when its facts are\n\
         durable, after at most {} s; then look before you send it again.\n\n\
         Stops (freezing, flagging, rejecting, withdrawing, retracting) and the three probes have places of their own, which\n\
         nothing else fills. A stop that finds none waits for its turn, {} s at most; people take turns, and one of them has a quarter of\n\
         the places. A role that a stop needs is asked for before that. A head has to come within {} s and a body within {} s; a connection is\n\
         kept for {} s. Where there are more connections than there is room for (at most {}, and fewer where the\n\
         process may have few files open), the one that has kept the API waiting longest is cut.\n\n\
         An error's body is `{{\"error\":{{\"code\",\"message\",\"advice\"}}}}`; nothing has changed then.\n\
         What is not HTTP, or has a head of more than 100 lines, is answered with 400 or 431 and no body. HEAD is answered as\n\
         GET is.\n\n\
         ## Requests\n\n| request | for | takes | answers | does |\n|---|---|---|---|---|\n",
        super::BODY_MAX_BYTES,
        super::TIMEOUT.as_secs(),
        super::limits::STOP_WAITS.as_secs(),
        limits.head.as_secs(),
        limits.body.as_secs(),
        limits.head.as_secs(),
        limits.connections,
    );
    for spec in Operation::ALL.iter().map(|operation| operation.spec()) {
        let (method, path) = (spec.method.word(), spec.path);
        let takes = if spec.takes == "()" { "" } else { spec.takes };
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{method} {path}` | {} | {takes} | {} | {} |",
            spec.who.words(),
            kind(spec.gives),
            spec.says()
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
    for item in types(treasury_api::TYPES) {
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
    let (mut says, mut renamed) = (String::new(), None);
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
            let name: String = renamed.take().unwrap_or_else(|| name.to_owned());
            let kind = kind.trim_end_matches(',').to_owned();
            last.fields.push(Field { name, kind, says: std::mem::take(&mut says) });
        } else if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
            renamed = rest.strip_suffix("\")]").map(str::to_owned);
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
        "String" | "Kind" | "Severity" => "text",
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
    fn every_type_that_the_table_names_is_on_the_page() {
        let types = types(treasury_api::TYPES);
        let known: BTreeSet<&str> = types.iter().map(|item| item.name.as_str()).collect();
        for spec in Operation::ALL.iter().map(|operation| operation.spec()) {
            let gives = spec.gives.trim_start_matches("Vec<").trim_end_matches('>');
            assert!(known.contains(gives) || gives == "String", "{gives}");
            assert!(known.contains(spec.takes) || spec.takes == "()", "{}", spec.path);
        }
        for item in types {
            assert!(!item.says.is_empty(), "{}", item.name);
            for field in item.fields {
                assert!(!field.says.is_empty(), "{}.{}", item.name, field.name);
            }
        }
    }
}
