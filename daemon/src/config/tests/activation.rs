//! `[activation]`.

use super::*;

const BEGIN: &str = "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
                     [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n";

fn person(name: &str, number: u8, token: bool) -> String {
    let token =
        if token { format!("token_sha256 = \"{}\"\n", hex::encode([number; 32])) } else { String::new() };
    format!("[[person]]\nname = \"{name}\"\nroles = [\"admin\"]\n{token}")
}

fn read(text: &str) -> Result<DaemonConfig, ConfigError> {
    let people = [person("ann", 1, true), person("ben", 2, true), person("cat", 3, false)].concat();
    DaemonConfig::parse(&format!("{BEGIN}{people}{text}"), Path::new("/"))
}

#[test]
fn who_puts_policies_in_force_is_read_with_two_admins_where_nothing_is_said() {
    let terms = |text: &str| read(text).unwrap().treasury.policy.activation().cloned();
    assert_eq!(terms(""), None);
    let two = terms("[activation]\n").unwrap();
    assert_eq!((two.signatures, two.roles, two.people.len()), (2, [Role::Admin].into(), 0));
    let named = terms("[activation]\npeople = [\"ann\", \"ben\"]\nsignatures = 1\n").unwrap();
    assert_eq!((named.signatures, named.roles.len(), named.people.len()), (1, 0, 2));
    let both = terms("[activation]\nroles = [\"admin\"]\npeople = [\"ann\", \"ben\"]\n").unwrap();
    assert_eq!((both.roles.len(), both.people.len()), (1, 2));
}

/// Danger: nobody can ever change the policy again, and nobody has said so.
#[test]
fn what_could_never_be_reached_is_refused_and_what_is_narrow_is_warned_of() {
    for (text, expected) in [
        (
            "signatures = 3",
            "activation.signatures: 3 can never be reached: 2 of those who count have a token or a login",
        ),
        ("roles = [\"security\"]", "activation.roles: 2 can never be reached: 0 of those"),
        ("people = [\"cat\", \"ann\"]", "activation.roles: 2 can never be reached: 1 of those"),
        ("people = []", "activation.people: an empty list names nobody"),
        ("people = [\"dan\"]", "\"dan\" is not one of the people"),
        ("signatures = 0", "activation.signatures"),
        ("weight = 1", "activation.weight: is not a key"),
    ] {
        let error = read(&format!("[activation]\n{text}\n")).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let warned = |text: &str| {
        let found = warnings::of(&read(&format!("[activation]\n{text}\n")).unwrap());
        let found = found.iter().filter(|warning| warning.key.starts_with("activation"));
        found.map(|warning| warning.what.clone()).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(warned("signatures = 1"), "one person puts another policy in force");
    assert!(warned("people = [\"ann\", \"ben\"]").contains("it takes all 2 who count"));
    assert_eq!(warned(""), "", "three count");
}
