//! `[console]`.

use super::*;

pub(super) const LEAST: &str = "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
                     [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n";

fn console(text: &str) -> Result<Option<ConsoleConfig>, ConfigError> {
    DaemonConfig::parse(&format!("{LEAST}[console]\n{text}"), Path::new("/")).map(|config| config.console)
}

#[test]
fn the_console_is_served_unless_somebody_says_otherwise() {
    let unsaid = DaemonConfig::parse(LEAST, Path::new("/")).unwrap();
    assert_eq!(unsaid.console, Some(ConsoleConfig::default()));
    assert_eq!(console("").unwrap(), Some(ConsoleConfig::default()));
    assert_eq!(console("enabled = false").unwrap(), None);
    let said = "origin = \"https://treasury.example:8443\"\nidle_seconds = 60\nsession_seconds = 3600\n";
    let expected = ConsoleConfig {
        origin: Some("https://treasury.example:8443".to_owned()),
        idle: Duration::from_secs(60),
        session: Duration::from_secs(3_600),
    };
    assert_eq!(console(said).unwrap(), Some(expected));
    let other = DaemonConfig::parse(&format!("{LEAST}[console]\nenabled = false"), Path::new("/")).unwrap();
    assert_eq!(other.differs_for_good(&unsaid), ["console"]);
}

#[test]
fn an_origin_is_scheme_host_and_port_and_nothing_else() {
    for wrong in [
        "",
        "treasury.example",
        "https://treasury.example/",
        "https://u@treasury.example",
        "ftp://x",
        "https://x/y",
    ] {
        let error = console(&format!("origin = \"{wrong}\"")).unwrap_err();
        assert!(error.to_string().contains("console.origin: "), "{wrong}: {error}");
    }
    for (wrong, key) in
        [("idle_seconds = 59", "idle_seconds"), ("session_seconds = 604801", "session_seconds")]
    {
        assert!(console(wrong).unwrap_err().to_string().contains(&format!("console.{key}: ")), "{wrong}");
    }
    assert!(console("enable = true").is_err());
}
