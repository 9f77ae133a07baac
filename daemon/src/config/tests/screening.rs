//! Who screens destinations, in the configuration.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::DaemonConfig;
use super::console::LEAST;

fn read(table: &str, dir: &Path) -> Result<DaemonConfig, String> {
    DaemonConfig::parse(&format!("{LEAST}\n[screening]\n{table}\n"), dir).map_err(|error| error.to_string())
}

#[test]
fn a_screener_is_reached_with_tls_or_where_that_is_allowed_in_the_clear_and_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "k\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let none = DaemonConfig::parse(LEAST, dir.path()).unwrap();
    assert!(none.screening.is_none() && !none.treasury.screening);
    let config = read("url = \"https://screen.example/v1?k=SECRET\"", dir.path()).unwrap();
    assert!(config.treasury.screening);
    let screening = config.screening.clone().unwrap();
    assert_eq!((screening.patience, screening.header.clone()), (Duration::from_secs(5), None));
    assert!(!format!("{screening:?}").contains("SECRET"));
    assert_eq!(config.differs_for_good(&none), ["screening"]);
    let table = "url = \"http://127.0.0.1:1\"\nallow_private = true\nsecret_file = \"key\"\nsecret_header = \"X-Api-Key\"\ntimeout = \"2s\"";
    let screening = read(table, dir.path()).unwrap().screening.unwrap();
    assert_eq!(screening.patience, Duration::from_secs(2));
    assert_eq!(screening.header.unwrap().0, "x-api-key");
    for (table, expected) in [
        ("timeout = \"2s\"", "screening.url: is missing"),
        ("url = \"http://screen.example\"", "screening.url: would go in the clear"),
        ("url = \"https://u:p@screen.example\"", "has a user or password"),
        ("url = \"https://screen.example\"\ntimeout = \"9s\"", "screening.timeout: is longer"),
        (
            "url = \"https://screen.example\"\nsecret_header = \"X-Key\"",
            "screening.secret_header: has nothing to stand in it",
        ),
        (
            "url = \"https://screen.example\"\nsecret_file = \"key\"\nsecret_header = \"X Key\"",
            "is no name of a header",
        ),
        ("url = \"https://screen.example\"\nsecret_file = \"none\"", "screening.secret_file: "),
        ("url = \"https://screen.example\"\ntoken = \"x\"", "screening.token: is not a key"),
    ] {
        let said = read(table, dir.path()).unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
