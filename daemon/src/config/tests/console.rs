//! `[console]`.

use super::*;
use crate::passkey::Site;
use crate::passkey::tests::Device;

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
        ..ConsoleConfig::default()
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

const OIDC: &str = "origin = \"https://treasury.example\"\n[console.oidc]\nissuer = \"https://login.example/acme\"\nclient_id = \"treasuryd\"\n";

#[test]
fn a_provider_of_logins_is_read() {
    let oidc = |text: &str| console(&format!("{OIDC}{text}")).unwrap().unwrap().oidc.unwrap();
    let least = oidc("");
    assert_eq!(
        (least.issuer.as_str(), least.client_id.as_str()),
        ("https://login.example/acme", "treasuryd")
    );
    assert_eq!((least.claim.as_str(), least.name.as_str()), ("sub", "login.example"));
    assert_eq!((least.scopes, least.secret_file, least.allow_private), (Vec::new(), None, false));
    assert_eq!(oidc("claim = \"email\"").scopes, ["email"]);
    assert_eq!(oidc("claim = \"oid\"").scopes, ["profile"]);
    let whole = parse(WHOLE).unwrap();
    let read = whole.console.unwrap().oidc.unwrap();
    assert_eq!((read.claim.as_str(), read.name.as_str(), read.allow_private), ("oid", "Acme", true));
    assert_eq!(whole.logins, [("248289761001".to_owned(), "alice".to_owned())].into());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    crate::private::create(&path).unwrap();
    assert_eq!(oidc(&format!("client_secret_file = {path:?}")).secret_file, Some(path.clone()));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let error = console(&format!("{OIDC}client_secret_file = {path:?}")).unwrap_err().to_string();
    assert!(error.contains("console.oidc.client_secret_file: ") && error.contains("chmod 600"), "{error}");
}

#[test]
fn a_provider_of_logins_that_would_not_do_is_refused() {
    let wrong = |from: &str, to: &str, key: &str| {
        assert!(OIDC.contains(from), "{from}");
        let error = console(&OIDC.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(&format!("{key}: ")), "{to}: {error}");
    };
    wrong("origin = \"https://treasury.example\"\n", "", "console.origin");
    for issuer in [
        "http://login.example",
        "login.example",
        "https://u@login.example",
        "https://x/?a",
        "http://127.0.0.1:1",
    ] {
        wrong("https://login.example/acme", issuer, "console.oidc.issuer");
    }
    wrong("issuer = \"https://login.example/acme\"\n", "", "console.oidc.issuer");
    wrong("client_id = \"treasuryd\"", "", "console.oidc.client_id");
    for (key, value) in [
        ("claim", "\"\""),
        ("scopes", "[\" \"]"),
        ("client_secret_file", "\"/nowhere\""),
        ("ca_file", "\"/nowhere\""),
        ("allow_private", "1"),
        ("clientid", "\"x\""),
    ] {
        let error = console(&format!("{OIDC}{key} = {value}")).unwrap_err().to_string();
        assert!(error.contains(&format!("console.oidc.{key}")), "{key}: {error}");
    }
    let said = "oidc = \"248289761001\"";
    let bob = "token_sha256 = \"bbbb";
    assert_eq!(problems(&[(bob, &format!("{said}\n{bob}"))]), ["person[2].oidc: is \"alice\" already"]);
    assert_eq!(problems(&[(said, "oidc = \" a\"")]).len(), 1);
}

const PASSKEYS: &str =
    "origin = \"https://treasury.example\"\n[console.passkeys]\nacts = [\"approve\", \"lift\"]\n";

#[test]
fn what_needs_a_passkey_and_whose_there_are_is_read() {
    let acts = console(PASSKEYS).unwrap().unwrap().passkeys.unwrap().acts;
    assert_eq!(acts, ["approve".to_owned(), "lift".to_owned()].into());
    let site = Site::of("https://treasury.example").unwrap();
    let line = |person: &str| Device::new().passkey(&site, person).to_string();
    let (one, other) = (line("alice"), line("alice"));
    let other = other.replace("laptop:", "phone:");
    let name = "name = \"alice\"\n";
    let with = |keys: &str| [(name, format!("{name}passkeys = [{keys}]\n"))];
    let read = |keys: &str| {
        let change = with(keys);
        let change: Vec<(&str, &str)> = change.iter().map(|(from, to)| (*from, to.as_str())).collect();
        problems(&change)
    };
    assert_eq!(read(&format!("\"{one}\", \"{other}\"")), Vec::<String>::new());
    assert_eq!(read(&format!("\"{one}\", \"{one}\"")).len(), 1);
    let same_name = other.replace("phone:", "laptop:");
    assert!(read(&format!("\"{one}\", \"{same_name}\""))[0].contains("is there already"));
    assert!(read("\"laptop\"")[0].contains("is no passkey"));
    let many: Vec<String> =
        (0..9).map(|n| format!("\"{}\"", line("alice").replace("laptop", &format!("k{n}")))).collect();
    assert!(read(&many.join(","))[0].contains("has 9 entries"));
    // Of two people.
    let bob = "name = \"bob\"\n";
    let (of_alice, of_bob) =
        (format!("{name}passkeys = [\"{one}\"]\n"), format!("{bob}passkeys = [\"{one}\"]\n"));
    let found = problems(&[(name, &of_alice), (bob, &of_bob)]);
    assert_eq!(found, ["person[2].passkeys[1]: is there already: \"laptop\" of \"alice\""]);
}

#[test]
fn what_could_never_be_asked_for_a_passkey_is_refused() {
    let wrong = |from: &str, to: &str, key: &str| {
        assert!(PASSKEYS.contains(from), "{from}");
        let error = console(&PASSKEYS.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(&format!("{key}: ")), "{to}: {error}");
    };
    wrong("origin = \"https://treasury.example\"\n", "", "console.origin");
    for origin in ["http://treasury.example", "https://10.0.0.7", "http://127.0.0.1:8580"] {
        wrong("https://treasury.example", origin, "console.origin");
    }
    wrong("acts = [\"approve\", \"lift\"]", "", "console.passkeys.acts");
    wrong("[\"approve\", \"lift\"]", "[]", "console.passkeys.acts");
    wrong("lift", "sign", "console.passkeys.acts[2]");
    assert!(console(&PASSKEYS.replace("https://treasury.example", "http://localhost:8580")).is_ok());
}
