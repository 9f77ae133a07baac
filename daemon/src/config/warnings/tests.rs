use std::path::Path;

use super::*;

const OIDC: &str = "[console]\norigin = \"https://a.example\"\n[console.oidc]\nissuer = \"https://b.example\"\nclient_id = \"c\"\n";

/// Nothing in it is dangerous.
const SAFE: &str = r#"
[network]
endpoints = ["wss://a.example", "wss://b.example"]
read_quorum = 2
network_id = 0
[daemon]
data_dir = "d"
keystore = "k"
[[account]]
name = "hot"
address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
tier = "hot"
quorum = 2
signers = { alice = 1, bob = 1, carol = 1 }
[[person]]
name = "alice"
signer = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
roles = ["proposer", "approver", "security"]
token_sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
[[person]]
name = "bob"
signer = "rPMh7Pi9ct699iZUTWaytJUoHcJ7cgyziK"
roles = ["approver", "admin"]
token_sha256 = "2222222222222222222222222222222222222222222222222222222222222222"
[[person]]
name = "carol"
signer = "rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"
roles = ["approver"]
token_sha256 = "3333333333333333333333333333333333333333333333333333333333333333"
[[rule]]
name = "small"
amount_max = "10 XRP"
rolling = { period = "24h", amount_max = "100 XRP" }
action = "allow"
"#;

fn warned(text: &str) -> Vec<String> {
    let config = DaemonConfig::parse(text, Path::new("")).unwrap();
    of(&config).iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_right_and_dangerous_is_said_and_what_is_safe_is_not() {
    assert_eq!(warned(SAFE), Vec::<String>::new());
    for (from, to, key) in [
        ("keystore = \"k\"", "keystore = \"k\"\nlisten = \"0.0.0.0:8580\"", "daemon.listen: "),
        ("read_quorum = 2", "read_quorum = 1", "network.read_quorum: "),
        ("network_id = 0", "verify = \"headers\"\nnetwork_id = 0", "network.verify: "),
        ("network_id = 0", "", "network.network_id: "),
        ("wss://b.example", "ws://b.example", "network.endpoints: ws://b.example"),
        ("[[rule]]", &format!("{OIDC}claim = \"upn\"\n[[rule]]"), "console.oidc.claim: "),
        (
            "[[rule]]",
            "[console]\norigin = \"https://a.example\"\n[console.passkeys]\nacts = [\"flag\"]\n[[rule]]",
            "console.passkeys.acts: flag: ",
        ),
        ("signer = \"rPT1", "oidc = \"a\"\nsigner = \"rPT1", "person.oidc: "),
        ("[[rule]]", "[timing]\nledger_age_max = \"any\"\n[[rule]]", "timing.ledger_age_max: "),
        (", \"security\"]", "]", "person.roles: nobody with a token has the role `security`"),
        (", \"admin\"]", "]", "person.roles: nobody with a token has the role `admin`"),
        (", \"security\"]", ", \"security\", \"admin\"]", "person \"alice\": proposes, stops and lifts"),
        (
            "token_sha256 = \"2222222222222222222222222222222222222222222222222222222222222222\"",
            "",
            "person \"bob\": has roles and no token",
        ),
        (
            "quorum = 2\nsigners = { alice = 1, bob = 1, carol = 1 }",
            "",
            "account \"hot\": declares no signers",
        ),
        ("{ alice = 1, bob = 1,", "{ alice = 2, bob = 1,", "account \"hot\": \"alice\" alone"),
        ("amount_max = \"10 XRP\"", "", "rule \"small\": allows any amount"),
        ("rolling = {", "# {", "rule \"small\": allows any number"),
        ("action = \"allow\"", "action = \"approve\"\nweight = 1", "rule \"small\": one person's"),
        (
            "action = \"allow\"",
            "action = \"approve\"\nweight = 2\nexclude_asker = false",
            "rule \"small\": whoever asks",
        ),
        (
            "action = \"allow\"",
            "action = \"approve\"\nweight = 3",
            "what \"alice\" asks for from \"hot\" can never be approved: of others who count 2 sign there, with weight 2",
        ),
        (
            "[[rule]]",
            "[severity]\nspend_without_proposal = \"log\"\n[[rule]]",
            "severity.spend_without_proposal: ",
        ),
        (
            "[[rule]]",
            "[severity]\n  failed_logins = \"freeze\"\n[[rule]]",
            "line 31, column 3: severity.failed_logins: freezes everything for wrong tokens",
        ),
        (
            "[[rule]]",
            "[severity]\nfailed_logins = \"hold\"\n[[rule]]",
            "severity.failed_logins: holds everything for wrong tokens",
        ),
    ] {
        assert!(SAFE.contains(from), "{from}");
        let found = warned(&SAFE.replacen(from, to, 1));
        assert!(found.iter().any(|warning| warning.contains(key)), "{key}: {found:?}");
    }
}

#[test]
fn what_other_rules_ask_people_for_beyond_a_bound_is_no_danger() {
    let unbounded = SAFE
        .replace("amount_max = \"10 XRP\"\nrolling = { period = \"24h\", amount_max = \"100 XRP\" }\n", "");
    assert_ne!(unbounded, SAFE);
    let two = "action = \"approve\"\nweight = 2\n";
    let larger = format!("[[rule]]\nname = \"larger\"\namount_above = \"10 XRP\"\n{two}");
    let sum = "rolling = { period = \"24h\", amount_above = \"100 XRP\" }";
    let busy = format!("[[rule]]\nname = \"busy\"\n{sum}\n{two}");
    let most = "[[rule]]\nname = \"most\"\namount_above = \"1000 XRP\"\naction = \"deny\"\n";
    assert_eq!(warned(&format!("{unbounded}{larger}{busy}{most}")), Vec::<String>::new());
    for (rules, expected) in [
        (larger.clone(), "rule \"small\": allows any number"),
        (busy.clone(), "rule \"small\": allows any amount"),
        (format!("{larger}{busy}"), "rule \"larger\": lets any amount leave"),
        (format!("{larger}{busy}"), "rule \"busy\": lets any amount leave"),
        // Not of everybody, and not of every amount.
        (format!("{}{busy}", larger.replace("action", "askers = [\"alice\"]\naction")), "allows any amount"),
        (
            format!("{larger}{}", busy.replace("rolling", "amount_min = \"1 XRP\"\nrolling")),
            "allows any number",
        ),
    ] {
        let found = warned(&format!("{unbounded}{rules}"));
        assert!(found.iter().any(|warning| warning.contains(expected)), "{rules}: {found:?}");
    }
}

/// Danger: what is bounded in XRP is thought to be bounded in everything.
#[test]
fn a_bound_in_xrp_bounds_nothing_of_another_asset() {
    const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    let rule = |name: &str, keys: &str| format!("[[rule]]\nname = \"{name}\"\n{keys}\n");
    let two = "action = \"approve\"\nweight = 2";
    let sum = |amount: &str| format!("rolling = {{ period = \"24h\", amount_above = \"{amount}\" }}\n{two}");
    let deny = |amount: &str| rule("most", &format!("amount_above = \"{amount}\"\naction = \"deny\""));
    let dollars = rule("dollars", &format!("assets = [\"{USD}\"]\naction = \"allow\""));
    let signed = rule("signed", two);
    let of_usd = format!("rule \"dollars\": allows any amount of {USD}");
    for (rules, expected) in [
        (dollars.clone(), Some(of_usd.as_str())),
        (format!("{dollars}{}", deny("1000 XRP")), Some(&of_usd)),
        (
            format!("{dollars}{}", deny(&format!("1000 {USD}"))),
            Some(&format!("rule \"dollars\": allows any number of payments of {USD}")),
        ),
        (
            format!("{dollars}{}{}", deny(&format!("1000 {USD}")), rule("busy", &sum(&format!("9 {USD}")))),
            None,
        ),
        // Neither at the risk alone of which another rule says something, nor by destination.
        (
            format!(
                "{dollars}{}",
                deny(&format!("1000 {USD}")).replace("action", "risk = { above = 90 }\naction")
            ),
            Some(&of_usd),
        ),
        (
            format!(
                "{}{}",
                dollars.replace(
                    "action",
                    &format!("rolling = {{ period = \"24h\", per = \"destination\", amount_max = \"9 {USD}\" }}\naction")
                ),
                deny(&format!("1000 {USD}"))
            ),
            Some("rule \"dollars\": allows any number of payments of"),
        ),
        (signed.clone(), Some("rule \"signed\": lets any amount leave")),
        (
            format!("{signed}{}", deny("1000 XRP")),
            Some("rule \"signed\": lets any amount of any issued currency leave"),
        ),
        (format!("{}{}", rule("signed", &format!("assets = [\"XRP\"]\n{two}")), deny("1000 XRP")), None),
    ] {
        let found = warned(&format!("{SAFE}{rules}"));
        let found =
            found.iter().filter(|warning| warning.contains("\"dollars\"") || warning.contains("\"signed\""));
        let found: Vec<&String> =
            found.filter(|warning| warning.contains(": allows") || warning.contains(": lets")).collect();
        match expected {
            Some(expected) => {
                assert!(found.iter().any(|warning| warning.contains(expected)), "{expected}: {found:?}")
            }
            None => assert!(found.is_empty(), "{found:?}"),
        }
    }
}

#[test]
fn the_hash_of_an_empty_token_is_refused() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let text = SAFE.replace("1111111111111111111111111111111111111111111111111111111111111111", empty);
    let error = DaemonConfig::parse(&text, Path::new("")).unwrap_err();
    assert!(error.to_string().contains("empty token"), "{error}");
}

/// Danger: a reload takes half of a file, or what the daemon is built around is changed under it.
#[test]
fn what_only_a_start_takes_is_named() {
    let read = |text: &str| DaemonConfig::parse(text, Path::new("")).unwrap();
    let begun = read(SAFE);
    for (from, to, keys) in [
        ("amount_max = \"10 XRP\"", "amount_max = \"20 XRP\"", vec![]),
        ("\"proposer\", ", "", vec![]),
        ("wss://b.example", "wss://c.example", vec!["network.endpoints"]),
        ("read_quorum = 2", "read_quorum = 1", vec!["network.read_quorum"]),
        (
            "data_dir = \"d\"",
            "data_dir = \"e\"\nlisten = \"127.0.0.1:1\"",
            vec!["daemon.data_dir", "daemon.listen"],
        ),
        ("name = \"hot\"", "name = \"hotter\"", vec!["account"]),
        ("tier = \"hot\"", "tier = \"warm\"", vec!["account"]),
        (
            "[[rule]]",
            "[[agent]]\nname = \"a\"\nsigner = \"rrrrrrrrrrrrrrrrrrrrrhoLvTp\"\n[[rule]]",
            vec!["agent"],
        ),
    ] {
        assert!(SAFE.contains(from), "{from}");
        assert_eq!(read(&SAFE.replacen(from, to, 1)).differs_for_good(&begun), keys, "{to}");
    }
}
