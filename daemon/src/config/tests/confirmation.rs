//! `[confirmation]`.

use super::*;

const BEGIN: &str = "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
                     [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n";

fn read(text: &str) -> Result<DaemonConfig, ConfigError> {
    let person = |name: &str, number: u8| {
        let token = hex::encode([number; 32]);
        format!("[[person]]\nname = \"{name}\"\nroles = [\"approver\"]\ntoken_sha256 = \"{token}\"\n")
    };
    let people = [person("ann", 1), person("ben", 2)].concat();
    DaemonConfig::parse(&format!("{BEGIN}{people}{text}"), Path::new("/"))
}

#[test]
fn who_confirms_destinations_is_read_with_two_approvers_and_a_day_where_nothing_is_said() {
    let terms = |text: &str| read(text).unwrap().treasury.policy.confirmation().cloned();
    assert_eq!(terms(""), None);
    let two = terms("[confirmation]\n").unwrap();
    assert_eq!((two.by.signatures, two.by.roles, two.cooling_seconds), (2, [Role::Approver].into(), 86_400));
    let one = terms("[confirmation]\npeople = [\"ann\"]\nsignatures = 1\ncooling = \"90m\"\n").unwrap();
    assert_eq!((one.by.signatures, one.by.people.len(), one.cooling_seconds), (1, 1, 5_400));
}

/// Danger: nobody can make a destination known, or anybody can, and nobody has said so.
#[test]
fn what_could_never_be_confirmed_is_refused_and_what_is_lax_is_warned_of() {
    for (text, expected) in [
        ("signatures = 3", "confirmation.signatures: 3 can never be reached: 2 of those who count"),
        ("roles = [\"security\"]", "nobody could make a destination known any more"),
        ("cooling = \"soon\"", "confirmation.cooling"),
        ("after = \"1h\"", "confirmation.after: is not a key"),
    ] {
        let error = read(&format!("[confirmation]\n{text}\n")).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let warned = |text: &str| {
        let found = warnings::of(&read(&format!("[confirmation]\n{text}\n")).unwrap());
        let found = found.iter().filter(|warning| warning.key.starts_with("confirmation"));
        found.map(|warning| warning.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(warned(""), ["confirmation"], "whoever changes the file can take it out");
    assert_eq!(
        warned("signatures = 1\ncooling = \"59m\""),
        ["confirmation.signatures", "confirmation.cooling", "confirmation"]
    );
    assert_eq!(warned("[activation]\nroles = [\"approver\"]\n"), [""; 0]);
}
