//! What the audit log has of a configuration.

use std::path::Path;

use super::{DaemonConfig, Prints};

const TEXT: &str = r#"
[network]
endpoints = ["wss://user:PASSWORD@a.example/KEY", { url = "wss://b.example", name = "own", user = "u", password_file = "none" }]
[[person]]
name = "alice"
token_sha256 = "aa"
roles = ["proposer"]
[[channel]]
name = "ops"
url = "https://ops.example/hook?key=SECRET"
secrets_file = "ops.secrets"
[timing]
deadline = "2h"
password = "hunter2"
"#;

fn prints(text: &str) -> Prints {
    let report = super::reader::Report::new(text);
    Prints::of(&super::reader::parse_toml(text, &report).unwrap())
}

/// Danger: whoever reads the audit log tries passwords until the hash is the right one.
#[test]
fn no_secret_is_in_a_hash_and_everything_else_is() {
    let before = prints(TEXT);
    for (from, to, changed) in [
        ("\"aa\"", "\"bb\"", ""),
        ("PASSWORD", "another", ""),
        ("/KEY", "/other", ""),
        ("SECRET", "another", ""),
        ("hunter2", "another", ""),
        ("a.example", "c.example", "network"),
        ("wss://user", "ws://user", "network"),
        ("\"none\"", "\"other\"", "network"),
        ("\"proposer\"", "\"proposer\", \"admin\"", "person"),
        ("\"alice\"", "\"alicia\"", "person"),
        ("ops.secrets", "own.secrets", "channel"),
        ("2h", "3h", "timing"),
        ("[timing]", "[timing]\n[console]", "console timing"),
        // However it is written.
        ("name = \"alice\"\ntoken_sha256 = \"aa\"", "token_sha256 = \"aa\" # hers\nname = 'alice'", ""),
    ] {
        let text = TEXT.replacen(from, to, 1);
        assert_ne!(text, TEXT, "{from}");
        let after = prints(&text);
        assert_eq!(after.changed_since(&before).join(" "), changed, "{from}");
        assert_eq!(after.whole() == before.whole(), changed.is_empty(), "{from}");
        assert_eq!(before.changed_since(&after).join(" "), changed, "{from}");
    }
}

#[test]
fn a_configuration_that_is_read_has_the_hash_of_each_of_its_sections() {
    let text = super::console::LEAST;
    let config = DaemonConfig::parse(text, Path::new("")).unwrap();
    assert_eq!(config.prints, prints(text));
    assert!(
        config.prints.0.contains_key("network") && config.prints.0.values().all(|print| print.len() == 64)
    );
}
