//! The README is a reference: what is there is in it.

use std::process::Command;

use xrpl_harness::embedded::{ABSENT_TYPES, rpc};
use xrpl_harness::server::CONTROL_METHODS;
use xrpl_wire::TransactionType;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_names_every_method_and_option() {
    for method in rpc::methods() {
        assert!(README.contains(&format!("`{method}`")), "{method} is not in the README");
    }
    for method in CONTROL_METHODS {
        assert!(README.contains(&format!("`{}`", method.name)), "{} is not in the README", method.name);
        for parameter in method.parameters.split(", ").filter(|parameter| !parameter.is_empty()) {
            assert!(README.contains(&format!("`{parameter}`")), "{parameter} is not in the README");
        }
    }
    let help = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let options = help.split_whitespace().filter(|word| word.starts_with("--"));
    for option in options.filter(|option| !["--help", "--version"].contains(option)) {
        let option = option.trim_end_matches(['.', ',']);
        assert!(README.contains(&format!("`{option}`")), "{option} is not in the README");
    }
}

#[test]
fn the_readme_says_of_every_transaction_type_whether_it_is_there() {
    const PSEUDO: &[TransactionType] =
        &[TransactionType::EnableAmendment, TransactionType::SetFee, TransactionType::UNLModify];
    let (_, section) = README.split_once("## Transaction types").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (there, refused) = section.split_once("Refused with").unwrap();
    for kind in TransactionType::ALL.iter().filter(|kind| !PSEUDO.contains(kind)) {
        let name = format!("`{}`", kind.name());
        let absent = ABSENT_TYPES.contains(kind);
        assert_eq!(there.contains(&name), !absent, "{name}");
        assert_eq!(refused.contains(&name), absent, "{name}");
    }
}
