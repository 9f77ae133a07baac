//! Who must sign, by name and by number, as the table says it.

use treasury_core::config::Role;
use treasury_core::policy::{Action, Approvers};
use treasury_core::units::Weight;

use super::{WHOLE, parse};

/// What the third rule asks for, whose own words are replaced.
fn asked(words: &str) -> Result<Approvers, String> {
    assert!(WHOLE.contains("weight = 2\n"));
    let parsed = parse(&WHOLE.replacen("weight = 2\n", words, 1)).map_err(|error| error.to_string())?;
    match &parsed.treasury.policy.rules()[2].action {
        Action::Approve(approvers) => Ok(approvers.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn people_are_named_and_counted() {
    let two = asked("people = [\"bob\", \"alice\"]\nsignatures = 2\nexclude_asker = false\n").unwrap();
    let people = ["alice", "bob"].map(str::to_owned).into();
    assert_eq!(two, Approvers { signatures: 2, people, ..Default::default() });
    assert_eq!(two.words(), "2 of alice or bob sign");
    let of_role = asked("signatures = 2\n").unwrap();
    assert_eq!((of_role.weight, of_role.signatures), (Weight(0), 2));
    assert!(of_role.exclude_asker, "two are two others than the asker where nothing is said");
    assert_eq!(of_role.words(), "2 of approver sign, the asker aside");
    let both = asked("people = [\"alice\"]\nroles = [\"approver\"]\nsignatures = 1\nweight = 1\n").unwrap();
    assert_eq!((both.roles.clone(), both.weight, both.signatures), ([Role::Approver].into(), Weight(1), 1));
    assert_eq!(both.words(), "1 of alice, as approver, with weight 1 signs");
}

#[test]
fn whom_a_rule_tells_is_named_and_nothing_is_signed_for_it() {
    for (words, expected) in [
        ("people = [\"carol\"]", "rule[7].people[1]: \"carol\" is not one of the people (alice, "),
        ("people = []", "rule[7].people: an empty list names nobody"),
        ("roles = [\"janitor\"]", "rule[7].roles[1]: "),
        ("weight = 1", "rule[7].weight: means nothing for the action notify"),
        ("void = true", "rule[7].void: means nothing for the action notify"),
    ] {
        let text = WHOLE.replacen("roles = [\"security\"]\npeople = [\"bob\"]\n", &format!("{words}\n"), 1);
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn what_nobody_could_sign_is_refused_with_its_key() {
    for (words, expected) in [
        ("people = [\"alice\"]\nsignatures = 2\n", "rule[3].signatures: 2 can never be reached on"),
        ("people = [\"alice\"]\nweight = 9\n", "rule[3].weight: 9 can never be reached on"),
        (
            "people = [\"carol\"]\nsignatures = 1\n",
            "rule[3].people[1]: \"carol\" is not one of the people (alice, ",
        ),
        ("people = []\nsignatures = 1\n", "rule[3].people: nobody could approve"),
        ("signatures = 0\n", "rule[3].signatures: "),
        ("people = [\"alice\"]\n", "rule[3].weight: is missing"),
    ] {
        let error = asked(words).unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let denied = WHOLE.replacen("action = \"deny\"", "action = \"deny\"\npeople = [\"alice\"]", 1);
    let error = parse(&denied).unwrap_err().to_string();
    assert!(error.contains("people: means nothing for the action deny"), "{error}");
}
