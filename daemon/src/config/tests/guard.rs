//! The second party in the configuration.

use std::path::Path;
use std::time::Duration;

use treasury_core::effect::Party;

use super::DaemonConfig;
use super::console::LEAST;

fn problems(table: &str) -> String {
    let text = format!("{}\n[guard]\n{table}\n", LEAST);
    match DaemonConfig::parse(&text, Path::new("/etc/treasuryd")) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_guard_is_reached_with_tls_or_on_this_machine() {
    for good in
        ["https://guard.example:8581", "http://127.0.0.1:8581", "http://[::1]:8581", "http://localhost:1"]
    {
        assert_eq!(problems(&format!("url = \"{good}\"\ntoken_file = \"guard.token\"")), "", "{good}");
    }
    for (bad, said) in [
        ("http://10.0.0.7:8581", "would send a token in the clear"),
        ("http://guard.example", "would send a token in the clear"),
        ("https://user:pw@guard.example", "a user or password"),
        ("ftp://guard.example", "neither https:// nor http://"),
        ("guard", "is not an address"),
    ] {
        let found = problems(&format!("url = \"{bad}\"\ntoken_file = \"guard.token\""));
        assert!(found.contains(said) && found.contains("guard.url"), "{bad}: {found}");
    }
    for (bad, key) in [
        ("token_file = \"t\"", "guard.url"),
        ("url = \"http://127.0.0.1:1\"", "guard.token_file"),
        ("url = \"http://127.0.0.1:1\"\ntoken_file = \"t\"\ntimeout = \"soon\"", "guard.timeout"),
        ("url = \"http://127.0.0.1:1\"\ntoken_file = \"t\"\nnew_escrows = 1", "guard.new_escrows"),
        ("url = \"http://127.0.0.1:1\"\ntoken_file = \"t\"\nca_file = \"/nowhere.pem\"", "guard.ca_file"),
        ("url = \"http://127.0.0.1:1\"\ntoken_file = \"t\"\ntoken = \"x\"", "guard.token"),
    ] {
        let found = problems(bad);
        assert!(found.contains(key), "{bad}: {found}");
    }
}

#[test]
fn new_escrows_are_guarded_where_a_guard_is_named_unless_it_says_otherwise() {
    let with = |table: &str| {
        let text = format!("{}\n{table}", LEAST);
        DaemonConfig::parse(&text, Path::new("")).unwrap()
    };
    let table = "[guard]\nurl = \"http://127.0.0.1:1\"\ntoken_file = \"t\"\n";
    assert_eq!(with("").treasury.new_escrows, Party::Own);
    let config = with(table);
    assert_eq!(config.treasury.new_escrows, Party::Guarded);
    assert_eq!(config.guard.as_ref().unwrap().patience, Duration::from_secs(20));
    let off = with(&format!("{table}new_escrows = false\n"));
    assert_eq!(off.treasury.new_escrows, Party::Own);
    assert!(off.guard.is_some(), "those that are guarded already stay so");
    assert_eq!(off.differs_for_good(&with("")), ["guard"]);
}
