use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use treasury_core::units::Amount;

use super::*;
use crate::config::DaemonConfig;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn whole(text: &str) -> String {
    format!(
        "[network]\nendpoints = [\"ws://127.0.0.1:6006\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
         [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n\
         [[person]]\nname = \"alice\"\nsigner = \"rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B\"\n[[person]]\nname = \"sue\"\nemail = \"Sue <sue@people.example>\"\n{text}"
    )
}

fn parse(text: &str, base_dir: &Path) -> Result<NotifyConfig, String> {
    let parsed = DaemonConfig::parse(&whole(text), base_dir);
    parsed.map(|config| config.notify).map_err(|error| error.to_string())
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("secrets", SECRET),
        ("token", "TOKEN99"),
        ("slack", "https://hooks.example/services/KEY99"),
        ("open", SECRET),
        ("wrong", "WRONG99"),
    ] {
        fs::write(dir.path().join(name), format!("{text}\n")).unwrap();
        let mode = if name == "open" { 0o644 } else { 0o600 };
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    fs::write(dir.path().join("ca"), authority.pem()).unwrap();
    dir
}

const CHANNELS: &str = "\
[[channel]]
name = \"ops\"
url = \"https://ops.example/notices\"
ca_file = \"ca\"
secrets_file = \"secrets\"
[[channel]]
name = \"chat\"
form = \"slack\"
url_file = \"slack\"
[[channel]]
name = \"room\"
form = \"matrix\"
url = \"http://127.0.0.1:8008\"
room = \"!abc:example\"
token_file = \"token\"
allow_private = true
[[channel]]
name = \"mail\"
form = \"email\"
server = \"mail.example\"
port = 2525
tls = \"starttls\"
user = \"treasury\"
password_file = \"token\"
from = \"Treasury <treasury@treasury.example>\"
to = [\"sue\", \"board@board.example\"]
batch = \"15m\"
batch_below = \"warning\"
[[channel]]
name = \"alerts\"
form = \"alertmanager\"
url = \"https://alerts.example/\"
";

const ROUTES: &str = "\
[notify]
remind = \"2h\"
instance = \"treasury-1\"
[[route]]
channels = [\"ops\", \"chat\"]
kinds = [\"finding\", \"freeze_set\"]
severity = \"warning\"
accounts = [\"warm\"]
signers = [\"alice\"]
people = [\"alice\", \"sue\"]
amount_above = \"1000 XRP\"
quiet = { zone = \"Europe/Zurich\", hours = \"22:00-07:00\" }
escalate_after = \"10m\"
escalate_to = [\"mail\", \"alerts\"]
[[route]]
channels = [\"room\"]
";

#[test]
fn every_key_of_the_reference_is_one_that_is_read_here() {
    for name in ["notify", "channel", "route"] {
        for key in crate::config::keys::keys_of(name) {
            let written = [CHANNELS, ROUTES].iter().any(|text| text.contains(&format!("\n{key} = ")));
            assert!(written, "{name}.{key} is not shown to be read");
        }
    }
}

#[test]
fn a_channel_without_a_route_and_critical_notices_that_go_nowhere_are_warned_of() {
    let dir = folder();
    let warned = |text: &str| {
        let config = DaemonConfig::parse(&whole(text), dir.path()).unwrap();
        let found = crate::config::warnings::of(&config).into_iter();
        let found = found.filter(|warning| ["channel", "route"].contains(&warning.key.as_str()));
        found.map(|warning| warning.what).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(warned(""), "", "nobody is to be told of anything");
    let without = warned(CHANNELS);
    assert!(without.contains("no route names \"ops\"") && without.contains("critical"), "{without}");
    let route = "[[route]]\nchannels = [\"ops\", \"chat\", \"room\", \"mail\"]\n\
                 escalate_after = \"10m\"\nescalate_to = [\"alerts\"]\n";
    assert_eq!(warned(&format!("{CHANNELS}{route}severity = \"critical\"")), "");
    let narrow = warned(&format!("{CHANNELS}{route}kinds = [\"finding\"]"));
    assert!(narrow.contains("critical") && !narrow.contains("no route names"), "{narrow}");
}

#[test]
fn a_rule_that_tells_people_to_whom_no_route_leads_is_warned_of() {
    let dir = folder();
    let warned = |route: &str| {
        let rule = "[[rule]]\nname = \"watch\"\naction = \"notify\"\npeople = [\"sue\"]\n";
        let config = DaemonConfig::parse(&whole(&format!("{CHANNELS}{route}{rule}")), dir.path()).unwrap();
        let found = crate::config::warnings::of(&config).into_iter();
        found
            .filter(|warning| warning.key == "rule \"watch\"")
            .map(|warning| warning.what)
            .collect::<String>()
    };
    let all = "[[route]]\nchannels = [\"ops\"]\n";
    assert_eq!(warned(all), "");
    assert_eq!(warned(&format!("{all}people = [\"alice\", \"sue\"]\nkinds = [\"rule_matched\"]\n")), "");
    for narrow in [
        "",
        "people = [\"alice\"]\n",
        "kinds = [\"denied\"]\n",
        "severity = \"critical\"\n",
        "signers = [\"alice\"]\n",
    ] {
        let route = if narrow.is_empty() { String::new() } else { format!("{all}{narrow}") };
        assert!(warned(&route).contains("no route takes the notices of it"), "{narrow}");
    }
}

#[test]
fn channels_and_routes_are_read_with_their_secrets_in_files() {
    let dir = folder();
    let config = parse(&format!("{CHANNELS}{ROUTES}"), dir.path()).unwrap();
    assert_eq!(config.remind_seconds, 7_200);
    let labels: Vec<&str> = config.channels.iter().map(Channel::label).collect();
    assert_eq!(
        labels,
        [
            "https://ops.example",
            "https://hooks.example",
            "http://127.0.0.1:8008",
            "smtp://mail.example:2525",
            "https://alerts.example"
        ]
    );
    let Form::Email(mail) = &config.channels[3].form else { panic!("a channel of mail") };
    let to: Vec<String> = mail.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["Sue <sue@people.example>", "board@board.example"]);
    assert_eq!(config.channels[3].batch, Some(Batch { period_seconds: 900, below: Severity::Warning }));
    let [one, all] = config.routes.as_slice() else { panic!("two routes") };
    assert_eq!(one.kinds, Some([Kind::Finding, Kind::Freeze].into()));
    assert_eq!(one.severity, Severity::Warning);
    assert_eq!(one.quiet.as_ref().map(|quiet| quiet.zone.name.as_str()), Some("Europe/Zurich"));
    let to = ["mail", "alerts"].map(str::to_owned).to_vec();
    assert_eq!(one.escalation, Some(Escalation { after_seconds: 600, to }));
    assert_eq!(one.accounts, Some(["rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".to_owned()].into()));
    assert_eq!(one.people, Some(["alice", "sue"].map(str::to_owned).into()));
    assert_eq!(one.amount_above, Some(Amount::from_words("1000 XRP").unwrap()));
    assert_eq!((all.severity, &all.kinds), (Severity::Info, &None));
    let debug = format!("{config:?}");
    for secret in ["KEY99", "TOKEN99", SECRET] {
        assert!(!debug.contains(secret), "{debug}");
    }
    assert_eq!(parse("", dir.path()).unwrap(), NotifyConfig::default());
    let console = |text: &str| parse(text, dir.path()).unwrap().console;
    let origin = "[console]\norigin = \"https://treasury.example\"\n";
    assert_eq!(console(origin).as_deref(), Some("https://treasury.example"));
    assert_eq!((console(""), console(&format!("{origin}enabled = false"))), (None, None));
    assert_eq!(parse("[notify]\nremind = \"never\"", dir.path()).unwrap().remind_seconds, 0);
}

/// Danger: whoever stands in the list that is one too many is never told of anything, and a line of the log is all that says so.
#[test]
fn more_lists_of_people_than_are_kept_with_a_notice_are_refused_at_the_first_that_is_too_many() {
    let dir = folder();
    let route = |to: usize| {
        let names = ["ops", "chat", "room", "mail", "alerts"];
        let list = [to % 5, to / 5 % 5, to / 25].map(|at| format!("\"{}\"", names[at])).join(", ");
        format!("[[route]]\nchannels = [\"ops\"]\nescalate_after = \"10m\"\nescalate_to = [{list}]\n")
    };
    let with = |lists: usize| {
        // The same list once more is no other one.
        let routes: String = (0..lists).chain([0]).map(route).collect();
        format!("{CHANNELS}{routes}")
    };
    assert_eq!(parse(&with(40), dir.path()).unwrap().routes.len(), 41);
    let refused = parse(&with(42), dir.path()).unwrap_err();
    let text = whole(&with(42));
    let line = text.lines().enumerate().filter(|(_, line)| line.starts_with("escalate_to")).nth(40);
    let at = format!("line {}, column ", line.unwrap().0 + 1);
    assert!(refused.contains("route[41].escalate_to: is list 41 of whom notices go on to"), "{refused}");
    assert!(refused.contains(&at), "{at} {refused}");
    assert_eq!(refused.matches("is list ").count(), 1, "{refused}");
}

#[test]
fn what_is_wrong_with_a_channel_or_route_is_named_and_no_secret_repeated() {
    let dir = folder();
    let webhook = "[[channel]]\nname = \"ops\"\nurl = \"https://ops.example\"\n";
    for (text, wanted) in [
        (format!("{webhook}secrets_file = \"none\""), "channel[1].secrets_file: "),
        (format!("{webhook}secrets_file = \"open\""), "chmod 600"),
        (format!("{webhook}secrets_file = \"wrong\""), "does not begin with whsec_"),
        (webhook.to_owned(), "channel[1].secrets_file: is missing"),
        (format!("{webhook}form = \"pigeon\""), "is not a form"),
        (format!("{webhook}form = \"slack\"\nroom = \"!a\""), "belongs to the form matrix"),
        (format!("{webhook}form = \"slack\"\nurl_file = \"slack\""), "names an address, and so does `url`"),
        (format!("{webhook}form = \"slack\"\n{webhook}form = \"slack\""), "\"ops\" is taken"),
        (format!("{webhook}form = \"slack\"\nca_file = \"wrong\""), "no certificate in PEM"),
        ("[[channel]]\nname = \"a\"\nform = \"slack\"".to_owned(), "channel[1].url: is missing"),
        ("[[channel]]\nname = \"a\"\nform = \"slack\"\nurl_file = \"wrong\"".to_owned(), "is not an address"),
        ("[[channel]]\nname = \"a\"\nform = \"slack\"\nurl = \"http://b/KEY99\"".to_owned(), "in the clear"),
        ("[[channel]]\nname = \"a\"\nform = \"matrix\"\nurl = \"https://b\"".to_owned(), "room: is missing"),
        ("[[route]]\nchannels = [\"ops\"]".to_owned(), "there is no channel \"ops\""),
        ("[[route]]\nseverity = \"info\"".to_owned(), "route[1].channels: is missing"),
        (format!("{CHANNELS}[[route]]\nchannels = [\"ops\"]\nkinds = [\"gossip\"]"), "not a kind of notice"),
        (format!("{CHANNELS}[[route]]\nchannels = [\"ops\"]\nkinds = []"), "matches nothing"),
        (format!("{CHANNELS}[[route]]\nchannels = [\"ops\"]\nseverity = \"dire\""), "is not a severity"),
        (
            format!("{CHANNELS}[[route]]\nchannels = [\"ops\"]\npeople = [\"eve\"]"),
            "is not one of the people",
        ),
        (format!("{CHANNELS}[[route]]\nchannels = [\"ops\"]\nsigners = [\"sue\"]"), "not a person who signs"),
        ("[notify]\nremind = \"1m\"".to_owned(), "is too often"),
        (
            format!("{webhook}secrets_file = \"secrets\"\nbatch = \"15m\""),
            "belongs to the forms slack, teams",
        ),
        (format!("{CHANNELS}batch = \"5m\""), "belongs to the forms slack, teams"),
        (CHANNELS.replace("\"15m\"", "\"10s\""), "is too short or too long"),
        (CHANNELS.replace("batch = \"15m\"\n", ""), "says nothing without `batch`"),
        (CHANNELS.replace("tls = \"starttls\"", "tls = \"none\""), "would go in the clear"),
        (CHANNELS.replace("tls = \"starttls\"", "tls = \"ssl\""), "is not one of implicit, starttls, none"),
        (CHANNELS.replace("\"sue\", ", "\"alice\", "), "\"alice\" is neither an address nor a person"),
        (
            CHANNELS.replace("\"board@board.example\"", "\"a@b\\r\\nBcc: c@d\""),
            "has letters that are not of ASCII",
        ),
        (CHANNELS.replace("to = [\"sue\", \"board@board.example\"]\n", ""), "to: is missing"),
        (CHANNELS.replace("password_file = \"token\"\n", ""), "password_file: is missing"),
        (CHANNELS.replace("password_file = \"token\"", "password_file = \"open\""), "chmod 600"),
        (
            CHANNELS.replace("server = \"mail.example\"", "url = \"https://mail.example\""),
            "server: is missing",
        ),
        (
            format!("{CHANNELS}[[route]]\nchannels = [\"ops\"]\nescalate_to = [\"room\"]"),
            "without `escalate_after`",
        ),
        (
            format!(
                "{CHANNELS}[[route]]\nchannels = [\"ops\"]\nescalate_after = \"5m\"\nescalate_to = [\"bob\"]"
            ),
            "there is no channel \"bob\"",
        ),
        (
            format!(
                "{CHANNELS}[[route]]\nchannels = [\"ops\"]\nescalate_after = \"5s\"\nescalate_to = [\"room\"]"
            ),
            "is too short or too long",
        ),
        (
            (0..41).map(|n| format!("[[channel]]\nname = \"c{n}\"\nurl = \"https://a.example\"\n")).collect(),
            "is there 41 times: a notice is kept with all of its channels at once",
        ),
        (
            format!(
                "{CHANNELS}[[route]]\nchannels = [\"ops\"]\nquiet = {{ zone = \"Zurich\", hours = \"22:00-07:00\" }}"
            ),
            "is not a zone",
        ),
    ] {
        let found = parse(&text, dir.path()).unwrap_err();
        assert!(found.contains(wanted), "{text}: {found}");
        assert!(!found.contains("KEY99") && !found.contains("WRONG99"), "{found}");
    }
}
