//! Whole files, good and bad.

use std::path::{Path, PathBuf};

use treasury_core::config::{FindingKind, Keeps, Role, Severity, Signing, Tier};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::policy::{Action, DestinationMatch, Told};
use treasury_core::units::Weight;
use xrpl_wire::AccountId;

use super::*;

mod activation;
mod audit;
mod confirmation;
mod console;
mod findings;
mod guard;
mod links;
mod people;
mod prints;
mod risk;
mod schedules;
mod screening;
mod settings;
mod tables;

fn address(number: u8) -> AccountId {
    AccountId([number; 20])
}

/// A treasury with everything in it. `{n}` stands for the address of account n.
const WHOLE: &str = include_str!("tests/whole.toml");

/// Addresses in place of `{n}`.
fn filled(text: &str) -> String {
    (1..=60).fold(text.to_owned(), |text, number| {
        text.replace(&format!("{{{number}}}"), &address(number).to_string())
    })
}

fn parse(text: &str) -> Result<DaemonConfig, ConfigError> {
    DaemonConfig::parse(&filled(text), Path::new("/etc/treasury"))
}

/// The problems after a change of the whole file, as "key: what".
fn problems(change: &[(&str, &str)]) -> Vec<String> {
    let text = change.iter().fold(WHOLE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    match parse(&text) {
        Ok(_) => Vec::new(),
        Err(error) => {
            error.problems().iter().map(|problem| format!("{}: {}", problem.key, problem.what)).collect()
        }
    }
}

#[test]
fn a_whole_file_is_read() {
    let config = parse(WHOLE).unwrap();
    let labels: Vec<&str> = config.network.endpoints.iter().map(Endpoint::label).collect();
    assert_eq!(labels, ["ws://127.0.0.1:6006", "wss://ledger.example:51233"]);
    assert_eq!(config.network.network_id, Some(21_337));
    assert_eq!(config.network.read_quorum, 2);
    assert_eq!((config.network.verify, config.network.gap_ledgers), (Verify::Headers, 500));
    assert_eq!(config.network.silence_max, Duration::from_secs(25));
    assert_eq!(config.data_dir, PathBuf::from("/etc/treasury/data"));
    assert_eq!(config.keystore, PathBuf::from("/keys/keystore.age"));
    assert!(
        matches!(&config.passphrase, PassphraseSource::File(path) if path == Path::new("/etc/treasury/passphrase"))
    );
    assert_eq!(config.listen.port(), 9_000);
    assert_eq!(config.tokens.len(), 2);
    assert_eq!(config.tokens["bob"], [0xBB; 32]);

    let treasury = &config.treasury;
    assert_eq!(treasury.network_id, Some(21_337));
    assert_eq!(treasury.accounts.len(), 4);
    assert_eq!(treasury.runner, Some(address(4)));
    let warm = &treasury.accounts[&address(2)];
    assert_eq!((warm.name.as_str(), warm.tier, warm.signing), ("warm", Tier::Warm, Signing::Multi));
    let signers = warm.signers.as_ref().unwrap();
    assert_eq!(signers.quorum, Weight(2));
    assert_eq!(signers.entries, [(address(10), 1), (address(11), 1), (address(20), 1)].into());
    let runner = &treasury.accounts[&address(4)];
    assert_eq!((runner.signing, &runner.signers), (Signing::Single, &None));
    assert_eq!(treasury.people["sue"].roles, [Role::Security, Role::Admin].into());
    assert_eq!(treasury.people["sue"].signer, None);
    assert_eq!(treasury.agents, [address(20)].into());
    assert_eq!(treasury.destinations[&address(40)], "exchange");

    let link = &treasury.links[0];
    assert_eq!((link.from, link.to, link.period_seconds), (address(2), address(3), 43_200));
    assert!(matches!(link.keeps, Keeps::Filled { floor, .. } if floor.words() == "500 XRP"));
    let sweep = &treasury.links[1];
    assert!(matches!(sweep.keeps, Keeps::Swept { ceiling, target }
        if (ceiling.words(), target.words()) == ("3000 XRP".to_owned(), "2000 XRP".to_owned())));
    assert_eq!((sweep.from, sweep.move_min.words()), (address(3), "50 XRP".to_owned()));

    let rules = treasury.policy.rules();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["refills", "small", "listed", "large", "rest", "watched", "told"]);
    assert_eq!(rules[0].askers, Some(vec![Asker::Daemon]));
    assert_eq!(rules[0].kinds, Some(vec![IntentKind::Move]));
    assert_eq!(rules[1].askers, Some(vec![Asker::Person("alice".to_owned()), Asker::Daemon]));
    assert_eq!(rules[1].accounts, Some(vec![address(3)]));
    assert_eq!(rules[1].destination, Some(DestinationMatch::Known));
    assert_eq!(rules[1].rolling.unwrap().period_seconds, 86_400);
    assert_eq!(rules[2].destination, Some(DestinationMatch::Accounts(vec![address(40), address(41)])));
    let Action::Approve(approvers) = &rules[2].action else { panic!("{:?}", rules[2].action) };
    assert_eq!((approvers.weight, &approvers.roles), (Weight(2), &[Role::Approver].into()));
    assert!(approvers.exclude_asker, "two are two others than the asker where nothing is said");
    let Action::Delay { delay_seconds, window_seconds, approvers } = &rules[3].action else {
        panic!("{:?}", rules[3].action)
    };
    assert_eq!((*delay_seconds, *window_seconds, approvers.weight), (172_800, 86_400, Weight(1)));
    assert!(!approvers.exclude_asker);
    assert_eq!(rules[4].action, Action::Deny);
    let told = Told { roles: [Role::Security].into(), people: ["bob".to_owned()].into() };
    assert_eq!(rules[6].action, Action::Notify(told));

    assert_eq!((treasury.fees.fee_max.get(), &treasury.fees.multiples), (1_500_000, &vec![10, 100]));
    assert_eq!((treasury.tickets.low_water, treasury.tickets.target), (0, 20));
    let timing = &treasury.timing;
    assert_eq!((timing.deadline_seconds, timing.deadline_max_seconds), (3_600, 172_800));
    assert_eq!(timing.ledger_age_max_seconds, Some(90));
    assert_eq!((timing.close_interval_seconds, timing.agent_ledgers, timing.retry_seconds), (4, 30, 300));
    assert_eq!(treasury.severity(FindingKind::SpendWithoutProposal), Severity::Freeze);
    assert_eq!(treasury.severity(FindingKind::ViewDiffers), Severity::Log);
    assert_eq!(treasury.severity(FindingKind::TicketTaken), Severity::Hold);
}

#[test]
fn what_is_left_out_has_its_default() {
    let least = r#"
        [network]
        endpoints = ["ws://127.0.0.1:6006"]
        network_id = 1
        [daemon]
        data_dir = "data"
        keystore = "keystore.age"
        [[account]]
        name = "warm"
        address = "{2}"
        tier = "warm"
    "#;
    let config = parse(least).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8580");
    assert!(matches!(config.passphrase, PassphraseSource::Environment));
    assert_eq!(config.treasury.network_id, None, "the ledger forbids the field up to 1024");
    assert_eq!(config.network.network_id, Some(1), "the server is checked all the same");
    assert_eq!(config.treasury.timing.deadline_seconds, 21_600);
    assert_eq!(config.treasury.fees.multiples, [30, 1_000]);
    assert_eq!((config.treasury.tickets.low_water, config.treasury.tickets.target), (4, 10));
    assert!(config.treasury.policy.rules().is_empty());
}

#[test]
fn every_problem_of_a_file_is_reported_with_its_key_and_line() {
    let text = "\
[network]
endpoints = [\"http://x\"]
[daemon]
data_dir = \"data\"
lisen = \"127.0.0.1:1\"
[[account]]
name = \"a b\"
address = \"rNotAnAddress\"
tier = \"tepid\"
";
    let error = parse(text).unwrap_err();
    let lines: Vec<(String, usize)> =
        error.problems().iter().map(|problem| (problem.key.clone(), problem.line)).collect();
    let expected = [
        ("network.endpoints[1]", 2),
        ("daemon.keystore", 3),
        ("daemon.lisen", 5),
        ("account[1].name", 7),
        ("account[1].address", 8),
        ("account[1].tier", 9),
    ];
    assert_eq!(lines, expected.map(|(key, line)| (key.to_owned(), line)));
    let shown = error.to_string();
    assert!(
        shown.contains("line 5, column 1: daemon.lisen: is not a key (did you mean `listen`?)"),
        "{shown}"
    );
    assert!(shown.contains("\"tepid\" is not a tier; one of cold, warm, hot, board, runner"), "{shown}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("\nquorum = 2", "\nquorum = 4")],
            "account[1].quorum: 4 cannot be reached: all weights together are 3",
        ),
        (&[("\nquorum = 2\n", "\n")], "account[1].quorum: is missing"),
        (
            &[("alice = 1, bob = 1, \"{30}\"", "agent-1 = 2, bob = 1, \"{30}\"")],
            "account[1].signers: the agents alone reach the quorum of 2 with 2",
        ),
        (
            &[("{ alice = 1, bob = 1, \"{30}\"", "{ carol = 1, bob = 1, \"{30}\"")],
            "account[1].signers.carol: \"carol\" is neither a name in this file nor an address",
        ),
        (
            &[("{ alice = 1, bob = 1, \"{30}\"", "{ alice = 1, bob = 1, sue")],
            "account[1].signers.sue: \"sue\" has no `signer`, and so no address",
        ),
        (&[("\"{30}\" = 1", "\"{30}\" = 70000")], "must be a whole number from 1 to 65535"),
        (&[("\"{30}\" = 1", "\"{1}\" = 1")], "an account cannot be its own signer"),
        (&[("\"{30}\" = 1", "\"{10}\" = 1")], "is the account of another entry"),
        (
            &[("tier = \"runner\"", "tier = \"runner\"\nsigning = \"multi\"")],
            "account[4].signing: the runner must be single",
        ),
        (
            &[("signing = \"multi\"", "signing = \"single\"")],
            "account[2].signing: only the runner may be single",
        ),
        (
            &[("tier = \"hot\"\nquorum = 1\nsigners = { alice = 1, agent-1 = 1 }", "tier = \"runner\"")],
            "account[4].tier: \"hot\" is the runner already",
        ),
        (&[("tier = \"runner\"", "tier = \"hot\"")], "rule[4].action: needs a runner, and there is none"),
        (
            &[("address = \"{2}\"", "address = \"{1}\"")],
            "account[2].address: \"cold\" has this address already",
        ),
        (&[("name = \"bob\"", "name = \"warm\"")], "person[2].name: \"warm\" is taken"),
        (
            &[("name = \"exchange\"", "name = \"known\"")],
            "destination[1].name: \"known\" has a meaning of its own",
        ),
        (
            &[("signer = \"{11}\"", "signer = \"{10}\"")],
            "person[2].signer: \"alice\" signs with this account already",
        ),
        (
            &[("signer = \"{20}\"", "signer = \"{2}\"")],
            "agent[1].signer: is the treasury's own account \"warm\"",
        ),
        (
            &[("address = \"{40}\"", "address = \"{2}\"")],
            "destination[1].address: is the treasury's own account \"warm\"",
        ),
        (
            &[(
                "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"",
                "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
            )],
            "person[2].token_sha256: \"alice\" has the same token",
        ),
        (
            &[("to = \"{3}\"", "to = \"lukewarm\"")],
            "link[1].to: \"lukewarm\" is neither a name in this file nor an address",
        ),
        (&[("to = \"{3}\"", "to = \"exchange\"")], "link[1].to: \"exchange\" is not one of the accounts"),
        (&[("to = \"{3}\"", "to = \"warm\"")], "link[1].to: is the account that the money comes from"),
        (&[("floor = \"500 XRP\"", "floor = \"1001 XRP\"")], "link[1].target: is below the floor"),
        (&[("ceiling = \"3000 XRP\"", "ceiling = \"1999 XRP\"")], "link[2].target: is above the ceiling"),
        (&[("name = \"large\"", "name = \"small\"")], "rule[4].name: \"small\" is taken"),
        (
            &[("amount_min = \"12 drops\"", "amount_min = \"251 XRP\"")],
            "rule[2].amount_max: is not above amount_min",
        ),
        (
            &[("amount_min = \"12 drops\"", "amount_above = \"250 XRP\"")],
            "rule[2].amount_max: is not above amount_above",
        ),
        (
            &[("amount_min = \"12 drops\"", "amount_min = \"1 EUR.rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"")],
            "rule[2].amount_max: is of another asset than amount_min",
        ),
        (
            &[(
                "rolling = { period = \"24h\", amount_max = \"2000 XRP\" }",
                "rolling = { period = \"24h\" }",
            )],
            "rule[2].rolling.amount_max: is missing, and so is amount_above",
        ),
        (
            &[("amount_above = \"1000 XRP\"\naction = \"deny\"", "action = \"deny\"")],
            "rule[5].action: denies everything, whatever other rules allow",
        ),
        (&[("kinds = [\"pay\"]", "kinds = []")], "rule[2].kinds: an empty list matches nothing"),
        (
            &[("askers = [\"alice\",", "askers = [\"carol\",")],
            "rule[2].askers[1]: \"carol\" is not a person of this file",
        ),
        (
            &[("action = \"deny\"", "action = \"deny\"\nweight = 1")],
            "rule[5].weight: means nothing for the action deny",
        ),
        (
            &[("weight = 1", "weight = 3")],
            "rule[4].weight: 3 can never be reached on \"warm\": people who count have 2 there",
        ),
        (&[("weight = 2", "weight = 9")], "rule[3].weight: 9 can never be reached"),
        (&[("delay = \"48h\"\n", "")], "rule[4].delay: is missing"),
        (&[("weight = 1\n", ""), ("signatures = 1\n", "")], "rule[4].weight: is missing"),
        (
            &[("multiples = [10, 100]", "multiples = [100, 10]")],
            "fees.multiples[2]: is not above the one before",
        ),
        (&[("target = 20", "target = 251")], "tickets.target: must be a whole number from 1 to 250"),
        (&[("low_water = 0", "low_water = 21")], "tickets.low_water: 21 is above the target of 20"),
        (&[("deadline = \"1h\"", "deadline = \"3d\"")], "timing.deadline: is longer than deadline_max"),
        (&[("deadline = \"1h\"", "deadline = \"59s\"")], "timing.deadline: is too short to approve in"),
        (&[("deadline_max = \"2d\"", "deadline_max = \"29d\"")], "timing.deadline_max: is too long"),
        (
            &[("ledger_age_max = \"90s\"", "ledger_age_max = \"39s\"")],
            "timing.ledger_age_max: is shorter than a ledger's own rounding",
        ),
        (
            &[("ledger_age_max = \"90s\"", "ledger_age_max = \"all\"")],
            "timing.ledger_age_max: \"all\" is not a duration",
        ),
        (
            &[("view_differs = \"log\"", "view_differs = \"panic\"")],
            "severity.view_differs: \"panic\" is not a severity",
        ),
        (&[("view_differs = \"log\"", "view_difers = \"log\"")], "severity.view_difers: is not a key"),
        (&[("[fees]", "[fee]")], "fee: is not a key"),
        (&[("[fees]", "[[fees]]")], "fees: must be a table"),
        (&[("[[agent]]", "[agent]")], "agent: must be a list of tables"),
        (
            &[("listen = \"127.0.0.1:9000\"", "listen = 9000")],
            "daemon.listen: must be a text, and is of type integer",
        ),
        (&[("period = \"24h\"", "span = \"24h\"")], "rule[2].rolling.span: is not a key"),
        (
            &[("endpoints = [\"ws://127.0.0.1:6006\", \"wss://ledger.example:51233\"]", "endpoints = []")],
            "network.endpoints: names no server",
        ),
        (&[("read_quorum = 2", "read_quorum = 3")], "network.read_quorum: is more than the 2 endpoints"),
        (&[("read_quorum = 2", "read_quorum = 0")], "network.read_quorum"),
        (&[("verify = \"headers\"", "verify = \"half\"")], "network.verify: \"half\" is neither"),
        (&[("gap_ledgers = 500", "gap_ledgers = 5")], "network.gap_ledgers"),
    ];
    for (change, expected) in cases {
        let problems = problems(change);
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}\n{problems:#?}");
    }
}

#[test]
fn a_ledger_with_a_time_of_its_own_may_be_of_any_age() {
    let text = WHOLE.replace("ledger_age_max = \"90s\"", "ledger_age_max = \"any\"");
    assert_eq!(parse(&text).unwrap().treasury.timing.ledger_age_max_seconds, None);
}

#[test]
fn a_file_cut_off_anywhere_is_an_error_or_a_configuration() {
    let text = filled(WHOLE);
    for length in (0..text.len()).step_by(13) {
        match DaemonConfig::parse(&text[..length], Path::new("")) {
            Ok(config) => {
                assert!(!config.network.endpoints.is_empty() && !config.treasury.accounts.is_empty())
            }
            Err(error) => assert!(!error.problems().is_empty(), "{length}"),
        }
    }
}

#[test]
fn a_person_in_nobody_s_list_is_no_problem() {
    let more = "[[person]]\nname = \"guest\"\nsigner = \"{50}\"\n\n[[agent]]";
    assert_eq!(problems(&[("[[agent]]", more)]), Vec::<String>::new());
}

#[test]
fn a_passphrase_is_the_first_line_of_its_file() {
    use secrecy::ExposeSecret;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("passphrase");
    drop(crate::private::create(&path).unwrap());
    std::fs::write(&path, "correct horse\n").unwrap();
    let source = PassphraseSource::File(path.clone());
    assert_eq!(source.read().unwrap().expose_secret(), "correct horse");
    std::fs::write(&path, "\n").unwrap();
    assert_eq!(source.read().unwrap_err().code(), "passphrase_empty");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    assert_eq!(source.read().unwrap_err().code(), "passphrase_exposed");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(source.read().unwrap_err().code(), "passphrase_unreadable");
    assert!(!format!("{:?}", PassphraseSource::Given("horse".into())).contains("horse"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = DaemonConfig::load(Path::new("/nonexistent/treasury.toml")).unwrap_err();
    assert_eq!(error.code(), "config_unreadable");
    assert!(error.to_string().contains("/nonexistent/treasury.toml"));
}

/// Set `UPDATE_REFERENCE` to write the page anew.
#[test]
fn the_reference_page_says_what_the_reader_accepts() {
    crate::testing::reference("config.md", &reference());
}

#[test]
fn every_key_of_the_reference_is_one_that_the_whole_file_may_have() {
    // Those of telling people have files of secrets; they, the guard, the screener, the console and the audit log have tests of their own.
    let elsewhere = [
        "severity",
        "policy",
        "shadow",
        "activation",
        "confirmation",
        "notify",
        "channel",
        "route",
        "console",
        "guard",
        "screening",
        "audit",
    ];
    for name in keys::sections().into_iter().filter(|name| !elsewhere.contains(name)) {
        for key in keys::keys_of(name) {
            let written =
                WHOLE.contains(&format!("\n{key} = ")) || WHOLE.contains(&format!("\n[{name}.{key}]\n"));
            assert!(written, "{name}.{key} is not shown to be read");
        }
    }
}
