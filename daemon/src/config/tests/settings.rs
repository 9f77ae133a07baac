//! What is declared of accounts' settings, as the file says it.

use treasury_core::config::DeclaredSettings;
use treasury_core::settings::FLAGS;
use xrpl_wire::flags::{lsfDisallowIncomingTrustline, lsfRequireDestTag};

use super::{WHOLE, address, parse, problems};

const DOMAIN: &str = "domain = \"acme.example\"\n";
const RATE: &str = "transfer_rate = 1005000000\n";
const NAMED: &str = "flags = [\"RequireDestTag\", \"DisallowIncomingTrustline\"]\n";
const LINES: &str = "trust_lines = [\"1000000 USD.{41}\", \"0.5 EUR.{41}\"]\n";

fn declared(change: &[(&str, &str)]) -> DeclaredSettings {
    let text = change.iter().fold(WHOLE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    parse(&text).unwrap().treasury.accounts[&address(1)].settings.clone()
}

#[test]
fn the_settings_of_an_account_are_those_that_are_written_and_the_others_are_not_declared() {
    let settings = declared(&[]);
    assert_eq!(settings.domain.as_deref(), Some("acme.example"));
    assert_eq!(settings.transfer_rate, Some(1_005_000_000));
    assert_eq!(settings.flags, Some(lsfRequireDestTag | lsfDisallowIncomingTrustline));
    let lines = settings.trust_lines.unwrap();
    let lines: Vec<String> = lines.iter().map(|(asset, limit)| format!("{limit} {asset}")).collect();
    let issuer = address(41);
    assert_eq!(lines, [format!("0.5 EUR.{issuer}"), format!("1000000 USD.{issuer}")]);
    for other in [2, 3, 4] {
        assert!(parse(WHOLE).unwrap().treasury.accounts[&address(other)].settings.is_empty(), "{other}");
    }
    for (left_out, is_declared) in [
        (DOMAIN, [false, true, true, true]),
        (RATE, [true, false, true, true]),
        (NAMED, [true, true, false, true]),
        (LINES, [true, true, true, false]),
    ] {
        let found = declared(&[(left_out, "")]);
        let found = [
            found.domain.is_some(),
            found.transfer_rate.is_some(),
            found.flags.is_some(),
            found.trust_lines.is_some(),
        ];
        assert_eq!(found, is_declared, "{left_out}");
    }
}

#[test]
fn that_nothing_should_be_set_can_be_declared_too() {
    let nothing = declared(&[
        (DOMAIN, "domain = \"\"\n"),
        (RATE, "transfer_rate = 0\n"),
        (NAMED, "flags = []\n"),
        (LINES, "trust_lines = []\n"),
    ]);
    let expected = DeclaredSettings {
        domain: Some(String::new()),
        transfer_rate: Some(0),
        flags: Some(0),
        trust_lines: Some(Default::default()),
    };
    assert_eq!(nothing, expected);
    // The ledger keeps a rate of one to one as none.
    assert_eq!(declared(&[(RATE, "transfer_rate = 1_000_000_000\n")]).transfer_rate, Some(0));
    for (rate, expected) in [("1000000001", 1_000_000_001), ("2000000000", 2_000_000_000)] {
        let written = format!("transfer_rate = {rate}\n");
        assert_eq!(declared(&[(RATE, &written)]).transfer_rate, Some(expected));
    }
    for (name, flag) in FLAGS {
        assert_eq!(declared(&[(NAMED, &format!("flags = [\"{name}\"]\n"))]).flags, Some(flag), "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_setting_names_its_key() {
    let long = format!("domain = \"{}example\"\n", "a.".repeat(125));
    for (from, to, expected) in [
        (
            DOMAIN,
            "domain = \"https://acme.example\"\n",
            "settings.domain: \"https://acme.example\" is not the name",
        ),
        (DOMAIN, "domain = \"Acme.example\"\n", "settings.domain: \"Acme.example\" is not the name"),
        (DOMAIN, "domain = \"acme..example\"\n", "settings.domain: \"acme..example\" is not the name"),
        (DOMAIN, "domain = \"-acme.example\"\n", "settings.domain: \"-acme.example\" is not the name"),
        (DOMAIN, "domain = \"acme.example \"\n", "settings.domain: \"acme.example \" is not the name"),
        (DOMAIN, long.as_str(), "is not the name of a host"),
        (DOMAIN, "domain = 7\n", "settings.domain: must be a text"),
        (RATE, "transfer_rate = 1\n", "settings.transfer_rate: is between 0 and 1000000000"),
        (RATE, "transfer_rate = 999999999\n", "settings.transfer_rate: is between 0 and 1000000000"),
        (
            RATE,
            "transfer_rate = 2000000001\n",
            "settings.transfer_rate: must be a whole number from 0 to 2000000000",
        ),
        (RATE, "transfer_rate = 1.005\n", "settings.transfer_rate: must be a whole number"),
        (NAMED, "flags = \"DepositAuth\"\n", "settings.flags: must be a list of texts"),
        (
            NAMED,
            "flags = [\"asfDepositAuth\"]\n",
            "settings.flags[1]: \"asfDepositAuth\" is not a flag; did you mean \"DepositAuth\"?",
        ),
        (
            NAMED,
            "flags = [\"RequireDest\"]\n",
            "settings.flags[1]: \"RequireDest\" is not a flag; one of RequireDestTag, ",
        ),
        (NAMED, "flags = [\"DefaultRiple\"]\n", "did you mean \"DefaultRipple\"?"),
        (
            NAMED,
            "flags = [\"DisableMaster\"]\n",
            "\"DisableMaster\" is not compared; `key_beside_list` finds",
        ),
        (NAMED, "flags = [\"NoFreeze\", \"NoFreeze\"]\n", "settings.flags[2]: is there already"),
        (
            LINES,
            "trust_lines = [\"5 XRP\"]\n",
            "settings.trust_lines[1]: \"5 XRP\" is not of an issued currency",
        ),
        (LINES, "trust_lines = [\"0 USD.{41}\"]\n", "settings.trust_lines[1]: trusts nobody for anything"),
        (LINES, "trust_lines = [\"-5 USD.{41}\"]\n", "settings.trust_lines[1]: \"-5 USD."),
        (LINES, "trust_lines = [\"5 USD\"]\n", "settings.trust_lines[1]: \"5 USD\" is not an amount"),
        (LINES, "trust_lines = [\"5 USD.{1}\"]\n", "settings.trust_lines[1]: is the account's own issue"),
        (LINES, "trust_lines = [\"5 USD.{41}\", \"6 USD.{41}\"]\n", "is there already"),
        (DOMAIN, "domian = \"acme.example\"\n", "account[1].settings.domian: is not a key"),
        ("[account.settings]\n", "settings = 7\n[ignored]\n", "account[1].settings: must be a table"),
    ] {
        let found = problems(&[(from, to)]);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
    let nothing = [(DOMAIN, ""), (RATE, ""), (NAMED, ""), (LINES, "")];
    assert_eq!(problems(&nothing), ["account[1].settings.domain: is missing, and so are the other settings"]);
    // It names the line and the column, too.
    let text = WHOLE.replacen(NAMED, "flags = [\"DepositAuth\", \"Deposit\"]\n", 1);
    let line = text.lines().position(|line| line.starts_with("flags")).unwrap() + 1;
    let error = parse(&text).unwrap_err();
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!((problem.line, problem.column), (line, 25));
}
