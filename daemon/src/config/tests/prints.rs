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
        // Another token lets somebody else in.
        ("\"aa\"", "\"bb\"", "person"),
        ("\"aa\"", "\"AA\"", ""),
        ("token_sha256 = \"aa\"\n", "", "person"),
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

/// Danger: whoever can write to the policy's file alone changes what may leave, and the configuration is the same as before.
#[test]
fn what_stands_in_the_files_of_tables_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("policy = \"policy.toml\"\nshadow = \"next.toml\"\n{}", super::console::LEAST);
    let with = |policy: &str, next: &str| {
        std::fs::write(dir.path().join("policy.toml"), policy).unwrap();
        std::fs::write(dir.path().join("next.toml"), next).unwrap();
        DaemonConfig::parse(&text, dir.path()).unwrap().prints
    };
    let rule = "# another text\n";
    let before = with("", "");
    for (policy, next, changed) in
        [("", "", ""), (rule, "", "policy"), ("", rule, "shadow"), (rule, rule, "policy shadow")]
    {
        assert_eq!(with(policy, next).changed_since(&before).join(" "), changed);
    }
    assert_ne!(before, prints(&text), "the text beside the path");
}
