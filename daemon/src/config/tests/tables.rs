//! The policy's table: in a file of its own, asked about by somebody, with lists, and what is said of it.

use super::*;

/// The whole file with its table in a file beside it, in a folder of its own.
fn apart(change: impl Fn(&str) -> String) -> (tempfile::TempDir, Result<DaemonConfig, ConfigError>) {
    let dir = tempfile::tempdir().unwrap();
    let whole = filled(WHOLE);
    let (begin, end) = (whole.find("[[list]]").unwrap(), whole.find("[fees]").unwrap());
    let (above, rest) = whole.split_at(begin);
    let (policy, below) = rest.split_at(end - begin);
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    std::fs::write(dir.path().join("rules/policy.toml"), change(policy)).unwrap();
    let text = format!("policy = \"rules/policy.toml\"\n{above}{below}");
    let read = DaemonConfig::parse(&text, dir.path());
    (dir, read)
}

#[test]
fn a_table_in_a_file_of_its_own_is_the_same_table() {
    let (dir, read) = apart(str::to_owned);
    let config = read.unwrap();
    let inline = parse(WHOLE).unwrap();
    assert_eq!(config.treasury.policy.rules(), inline.treasury.policy.rules());
    assert_eq!(config.policy_file, Some(dir.path().join("rules/policy.toml")));
    assert_eq!(config.list_files[0].path, dir.path().join("rules/sanctions.txt"), "beside the table");
    assert_eq!(config.rule_places["refills"], Place { line: 7, column: 1 });
}

#[test]
fn what_is_wrong_with_the_table_names_its_file_line_and_column() {
    let (dir, read) = apart(|policy| policy.replace("\"250 XRP\"", "250"));
    let error = read.unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!(problem.file, Some(dir.path().join("rules/policy.toml")));
    assert_eq!((problem.key.as_str(), problem.column), ("rule[2].amount_max", 1));
    let shown = error.to_string();
    assert!(
        shown.contains("rules/policy.toml, line 21, column 1: rule[2].amount_max: must be a text"),
        "{shown}"
    );
    let (_dir, read) = apart(|policy| policy.replace("\"250 XRP\"", "\"250\""));
    assert!(read.unwrap_err().to_string().contains("write a number and a unit"), "an amount without a unit");
    let (_dir, read) = apart(|policy| format!("[fees]\n{policy}"));
    assert!(read.unwrap_err().to_string().contains("fees: is not a key"));
    let gone = parse(&format!("policy = \"gone.toml\"\n{WHOLE}")).unwrap_err().to_string();
    assert!(gone.contains("line 1, column 1: policy: /etc/treasury/gone.toml cannot be read"), "{gone}");
    assert!(gone.contains("rule: stands here, and the policy is in a file of its own"), "{gone}");
}

#[test]
fn a_table_that_somebody_asks_about_means_the_people_and_lists_that_there_are() {
    let treasury = parse(WHOLE).unwrap().treasury;
    let whole = filled(WHOLE);
    let policy = &whole[whole.find("[[list]]").unwrap()..whole.find("[fees]").unwrap()];
    let (other, places) = table::other(&treasury, policy).unwrap();
    assert_eq!(other.policy, treasury.policy);
    assert_eq!(places.len(), 7);
    for (from, to, expected) in [
        ("\"alice\"", "\"eve\"", "\"eve\" is not a person"),
        ("sanctions\"", "fraud\"", "the daemon has no list \"fraud\""),
        ("[[rule]]", "[[rule", "not TOML"),
    ] {
        let problems = table::other(&treasury, &policy.replacen(from, to, 1)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.what.contains(expected)), "{expected}: {problems:?}");
    }
}

#[test]
fn of_a_rule_that_does_nothing_and_of_a_gap_is_said_where_they_are() {
    let text = WHOLE
        .replace("[fees]", "[[rule]]\nname = \"again\"\nlisted = [\"exchange\"]\naction = \"deny\"\n[fees]");
    let config = parse(&text).unwrap();
    let found = warnings::of_table(&config.treasury, &config.rule_places, None);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let line = filled(&text).lines().position(|line| line == "name = \"watched\"").unwrap();
    let watched = format!("line {line}, column 1: rule \"watched\": matches no payment");
    assert!(found.iter().any(|warning| warning.starts_with(&watched)), "{found:#?}");
    assert!(
        found.iter().any(|warning| warning.contains("no rule matches, and so it is denied")),
        "{found:#?}"
    );
}

#[test]
fn of_lists_that_cannot_be_read_any_more_those_who_were_on_them_stay() {
    let dir = tempfile::tempdir().unwrap();
    let thief = address(41);
    let path = dir.path().join("sanctions.txt");
    std::fs::write(&path, format!("# date: 2026-11-26\n{thief}\n")).unwrap();
    let text = filled(WHOLE)
        .replace("age_max = \"2d\"\n", "")
        .replace(&format!("sha256 = \"{}\"\n", "c".repeat(64)), "");
    let good = DaemonConfig::parse(&text, dir.path()).unwrap();
    assert!(good.treasury.policy.lists()["sanctions"].is_good(crate::clock::utc()));
    std::fs::write(&path, "half of").unwrap();
    let mut bad = DaemonConfig::parse(&text, dir.path()).unwrap();
    bad.keep_lists_of(&good);
    let list = &bad.treasury.policy.lists()["sanctions"];
    assert!(list.has(&thief) && !list.is_good(crate::clock::utc()));
    assert_ne!(bad.treasury.policy.hash(), good.treasury.policy.hash());
    let warned = warnings::of(&bad);
    assert!(warned.iter().any(|warning| warning.key == "list \"sanctions\""), "{warned:?}");
}

/// What the page tells people to write, with what it says of it.
#[test]
fn the_policy_of_the_page_is_one_that_the_daemon_takes_and_says_what_the_page_says() {
    let page = std::fs::read_to_string(recordings::repository().join("docs/how-to/policy.md")).unwrap();
    let begin = page.find("# policy.toml").unwrap();
    let policy = &page[begin..begin + page[begin..].find("```").unwrap()];
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("policy.toml"), policy).unwrap();
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    std::fs::write(dir.path().join("sanctions.txt"), format!("# date: {today}\n{}\n", address(60))).unwrap();
    let people = (1..=4).map(|n| {
        let roles = ["proposer\", \"approver", "approver", "approver", "security\", \"admin"][n - 1];
        let signer = address(u8::try_from(n).unwrap());
        let name = ["alice", "bob", "carol", "dave"][n - 1];
        format!("[[person]]\nname = \"{name}\"\nsigner = \"{signer}\"\nroles = [\"{roles}\"]\n")
    });
    let people: String = people.collect();
    let text = filled(&format!(
        "policy = \"policy.toml\"\n[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
         [[account]]\nname = \"hot\"\naddress = \"{{50}}\"\ntier = \"hot\"\nquorum = 2\n\
         signers = {{ alice = 1, bob = 1, carol = 1, dave = 1 }}\n\
         [[account]]\nname = \"warm\"\naddress = \"{{52}}\"\ntier = \"warm\"\nquorum = 2\n\
         signers = {{ alice = 1, bob = 1, carol = 1, dave = 1 }}\n\
         [[link]]\nname = \"refill\"\nmove_max = \"500 XRP\"\nperiod_max = \"1000 XRP\"\nfrom = \"warm\"\nto = \"hot\"\nfloor = \"100 XRP\"\ntarget = \"500 XRP\"\n\
         [[account]]\nname = \"runner\"\naddress = \"{{51}}\"\ntier = \"runner\"\n{people}"
    ));
    let config = DaemonConfig::parse(&text, dir.path()).unwrap();
    assert_eq!(config.treasury.policy.rules().len(), 12);
    assert!(page.contains("12 rules, policy"));
    let treasury = &config.treasury;
    let prove = |outcome, destination| {
        let query = treasury_core::prove::Query { outcome, destination, ..Default::default() };
        treasury_core::prove::prove(treasury, &treasury.policy, crate::clock::utc(), &query).unwrap()
    };
    use treasury_core::prove::Outcome;
    assert_eq!(prove(Outcome::Alone, Some(DestinationMatch::New)), None);
    assert!(prove(Outcome::Leaves, Some(DestinationMatch::New)).is_some());
    let found = warnings::of_table(treasury, &config.rule_places, config.policy_file.as_deref());
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(prove(Outcome::Alone, Some(DestinationMatch::Known)).is_some(), "small ones go through");
    assert_eq!(found, Vec::<String>::new(), "the page tells of no warning");
}

#[test]
fn what_is_no_toml_is_reported_with_its_line() {
    let error = parse("[network]\nendpoints = [\n\n[daemon\n").unwrap_err();
    assert!(error.problems().iter().all(|problem| problem.key.is_empty() && problem.line > 1), "{error}");
    assert_eq!(error.code(), "config_wrong");
}

#[test]
fn a_second_table_is_read_beside_the_one_in_force_with_its_lists_and_its_faults_name_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let whole = filled(WHOLE);
    let read = |table: &str| {
        std::fs::write(dir.path().join("next.toml"), table).unwrap();
        DaemonConfig::parse(&format!("shadow = \"next.toml\"\n{whole}"), dir.path())
    };
    let table = "[[rule]]\nname = \"all\"\nlisted = [\"sanctions\"]\naction = \"deny\"\n";
    let mut config = read(table).unwrap();
    let plain = DaemonConfig::parse(&whole, dir.path()).unwrap();
    let policy = &config.treasury.policy;
    assert_eq!(
        (policy.hash(), policy.rules()),
        (plain.treasury.policy.hash(), plain.treasury.policy.rules())
    );
    assert_eq!(policy.shadow().map(|shadow| shadow.rules().len()), Some(1));
    assert_eq!(config.shadow.as_ref().unwrap().0, dir.path().join("next.toml"));
    let new = treasury_core::list::List::new("sanctions", vec![address(41)], None);
    config.take_lists(vec![new]);
    let policy = &config.treasury.policy;
    for policy in [policy, policy.shadow().unwrap()] {
        assert!(policy.lists()["sanctions"].has(&address(41)), "both have the lists of now");
    }
    for (wrong, expected) in [
        (
            table.replace("deny", "denay"),
            "next.toml, line 4, column 1: rule[1].action: \"denay\" is not an action",
        ),
        (format!("[[list]]\nname = \"fraud\"\nfile = \"f\"\n{table}"), "the daemon has no list \"fraud\""),
        (format!("[fees]\n{table}"), "fees: is not a key"),
    ] {
        let error = read(&wrong).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let gone = parse(&format!("shadow = \"gone.toml\"\n{WHOLE}")).unwrap_err().to_string();
    assert!(gone.contains("line 1, column 1: shadow: /etc/treasury/gone.toml cannot be read"), "{gone}");
}
