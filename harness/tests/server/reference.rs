//! The page docs/reference/control-methods.md, from the table in the code.

use xrpl_harness::server::CONTROL_METHODS;

/// What stands before the table.
const INTRODUCTION: &str = "\
# Control methods of xrpl-standalone

Generated from the code; a test fails when it drifts, and rewrites it with `UPDATE_REFERENCE=1`.

These methods set time, money, snapshots and faults. No ledger server has them: a client that calls one is a test. They
are for administrators, over JSON-RPC (`{\"method\": \"standalone_fund\", \"params\": [{…}]}`) and websocket
(`{\"id\": 1, \"command\": \"standalone_fund\", …}`) alike; on a port without administrators they answer `forbidden`.
A parameter that is missing or of the wrong kind answers `invalidParams` and names it.
";

fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for method in CONTROL_METHODS {
        page.push_str(&format!("\n## `{}`\n\n{}\n\n", method.name, method.does));
        let parameters: Vec<String> = names(method.parameters).map(|name| format!("`{name}`")).collect();
        match parameters.as_slice() {
            [] => page.push_str("No parameters.\n"),
            some => page.push_str(&format!("Parameters: {}.\n", some.join(", "))),
        }
    }
    page
}

/// The names in a list of parameters.
fn names(parameters: &str) -> impl Iterator<Item = &str> {
    parameters.split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[test]
fn the_page_of_control_methods_is_what_the_code_says() {
    let path = recordings::repository().join("docs/reference/control-methods.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page == reference(),
        "docs/reference/control-methods.md is old; run the test with UPDATE_REFERENCE=1"
    );
}
