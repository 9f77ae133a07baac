//! What people type, against a whole daemon on a ledger of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use clap::Parser;
use treasury_api::types::{ApproveRequest, ErrorBody, Notice, ProposedView};
use treasuryctl::{Cli, CtlError, run};
use treasuryd::daemon::Daemon;
use treasuryd::dev::{Options, Sandbox, profile_path};

struct World {
    _dir: tempfile::TempDir,
    sandbox: Sandbox,
    daemon: Daemon,
}

impl World {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
        let daemon = Daemon::start(sandbox.daemon_config().unwrap()).await.unwrap();
        sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
        // A daemon that has just started knows no fees before the first ledger that closes under its eyes, and plans no
        // transaction without them.
        sandbox.let_pass(1).await.unwrap();
        Self { _dir: dir, sandbox, daemon }
    }

    /// What the tool prints when this person types that.
    async fn types(&self, person: &str, words: &[&str]) -> Result<String, CtlError> {
        let profile = profile_path(self.sandbox.dir(), person).display().to_string();
        let line = ["treasuryctl", "--profile", &profile].into_iter().chain(words.iter().copied());
        run(Cli::try_parse_from(line).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_pay_with_the_tool_alone() {
    let world = World::start().await;
    let asked =
        ["--json", "propose", "--account", "warm", "--to", "supplier", "--amount", "300 XRP", "--key", "k"];
    let first = world.types("alice", &asked).await.unwrap();
    assert_eq!(world.types("alice", &asked).await.unwrap(), first, "the same key is the same proposal");
    let shown = world.types("alice", &["show", "P1"]).await.unwrap();
    assert!(shown.contains("warm pays 300 XRP to supplier") && shown.contains("weight 0 of 2"), "{shown}");
    // Bob signs with his RegularKey, carol's account is not on the ledger.
    assert_eq!(world.types("bob", &["approve", "P1", "--yes"]).await.unwrap(), "approved\n");
    assert_eq!(world.types("bob", &["approve", "P1", "--yes"]).await.unwrap(), "it was approved already\n");
    assert_eq!(world.types("carol", &["approve", "P1", "--yes"]).await.unwrap(), "approved\n");
    let proposed: ProposedView = serde_json::from_str(&first).unwrap();
    world
        .sandbox
        .until_told("P1 is validated", || async {
            let shown = world.types("alice", &["show", &proposed.proposal]).await.unwrap();
            if shown.contains("outcome    tesSUCCESS") { Ok(()) } else { Err(shown) }
        })
        .await
        .unwrap();
    for (words, part) in [
        (vec!["status"], "clear"),
        (vec!["accounts"], "3 of alice bob carol dave"),
        (vec!["accounts"], "2 of alice bob carol dave 2 agents=2"),
        (vec!["proposals"], "validated"),
        (vec!["proposals", "--open"], "no proposals"),
        (vec!["escrows"], "no escrows"),
        (vec!["findings"], "no findings"),
        (vec!["events", "--limit", "5"], "next: --after 5"),
    ] {
        let shown = world.types("dave", &words).await.unwrap();
        assert!(shown.contains(part), "{words:?}: {shown}");
    }
    world.daemon.shutdown().await;
}

/// Goal: what is told is there a document a line, also after the daemon was away for a while, each once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_printed_as_it_is_told_and_a_daemon_that_is_away_is_waited_for() {
    let world = World::start().await;
    let refused = world.types("alice", &["--url", "http://127.0.0.1:1", "watch"]).await.unwrap_err();
    assert!(matches!(refused, CtlError::Client(_)), "what was never there is not waited for: {refused}");
    let profile = profile_path(world.sandbox.dir(), "alice").display().to_string();
    let mut tool = Command::new(env!("CARGO_BIN_EXE_treasuryctl"))
        .args(["--profile", &profile, "--json", "watch", "--after", "start", "--count", "1000000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let mut ids = std::collections::BTreeSet::new();
    let mut until = |kind: &str| loop {
        let line = lines.next().unwrap().unwrap();
        let notice: Notice = serde_json::from_str(&line).unwrap();
        assert_eq!(notice.document().unwrap(), line);
        assert!(ids.insert(notice.id), "it came twice: {line}");
        if notice.kind.word() == kind {
            return notice.says;
        }
    };
    world.types("dave", &["freeze", "--reason", "a drill"]).await.unwrap();
    assert!(until("freeze_set").contains("a drill"));
    world.daemon.shutdown().await;
    let daemon = Daemon::start(world.sandbox.daemon_config().unwrap()).await.unwrap();
    let carol = world.sandbox.people().get("carol").unwrap().client();
    carol.lift(&["S1".to_owned()], "over").await.unwrap();
    assert!(until("stop_lifted").contains("over"));
    tool.kill().unwrap();
    tool.wait().unwrap();
    daemon.shutdown().await;
}

/// Goal: an auditor proves what was exported without the daemon. Danger: it is changed on the way, and nobody sees it.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_read_exported_and_proven_without_the_daemon() {
    let world = World::start().await;
    let propose =
        ["propose", "--account", "warm", "--to", "supplier", "--amount", "300 XRP", "--note", "rent"];
    world.types("alice", &propose).await.unwrap();
    world.types("dave", &["freeze", "--reason", "a drill"]).await.unwrap();
    world
        .sandbox
        .until_told("it is written down", || async {
            let list = world.types("carol", &["audit", "list", "--person", "dave"]).await.unwrap();
            if list.contains("set on everything by dave: a drill") { Ok(()) } else { Err(list) }
        })
        .await
        .unwrap();
    let path = |name: &str| world.sandbox.dir().join(name).display().to_string();
    let (lines, page) = (path("audit.jsonl"), path("audit.html"));
    let done = world.types("carol", &["audit", "export", "--to", &lines]).await.unwrap();
    assert!(done.contains(" entries in "), "{done}");
    let proven = world.types("carol", &["audit", "verify"]).await.unwrap();
    assert!(proven.contains("none missing"), "{proven}");
    let report = ["audit", "report", "--about", "P1", "--to", &page];
    world.types("carol", &report).await.unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("P1 was asked for by alice") && page.contains("rent") && !page.contains("a drill"));
    let csv = world.types("carol", &["audit", "export", "--csv", "--about", "P1"]).await.unwrap();
    assert!(csv.starts_with("number,at,ledger,kind,person") && csv.contains("alice"), "{csv}");
    let offline = ["--url", "http://127.0.0.1:1", "audit", "verify", &lines];
    let proven = world.types("carol", &offline).await.unwrap();
    let head = proven.trim().rsplit(' ').next().unwrap().to_owned();
    let other = format!("1:{head}");
    let with_noted = [&offline[..], &["--noted", &other]].concat();
    assert_eq!(world.types("carol", &with_noted).await.unwrap_err().view().code, "AUDIT_NOTED");
    let text = std::fs::read_to_string(&lines).unwrap();
    std::fs::write(&lines, text.replace("a drill", "a prank")).unwrap();
    let error = world.types("carol", &offline).await.unwrap_err();
    assert_eq!((error.view().code.as_str(), error.exit_code()), ("AUDIT_OPENED", 1));
    world.daemon.shutdown().await;
}

/// Goal: a key on a machine that no daemon can be reached from.
#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_signed_without_a_daemon_and_brought_to_it_by_somebody_else() {
    let world = World::start().await;
    let propose = ["propose", "--account", "warm", "--to", "supplier", "--amount", "300 XRP"];
    world.types("alice", &propose).await.unwrap();
    let package = world.sandbox.dir().join("P1.package.json");
    let write = |text: &str| std::fs::write(&package, text).unwrap();
    let shown = world.types("alice", &["--json", "show", "P1"]).await.unwrap();
    write(&shown);
    let file = package.display().to_string();
    let nobody = ["--url", "http://127.0.0.1:1", "sign", &file, "--yes"];
    let signed = world.types("bob", &nobody).await.unwrap();
    let request: ApproveRequest = serde_json::from_str(&signed).unwrap();
    let bob = world.sandbox.people().get("bob").unwrap();
    assert!(bob.client().approve("P1", &request).await.unwrap().changed);
    // What the bytes do not say is not signed.
    write(&shown.replace("300000000", "300000001"));
    let error = world.types("bob", &nobody).await.unwrap_err();
    assert_eq!(error.view().code, "TRANSACTION_DIFFERS", "{error}");
    write("{");
    assert_eq!(world.types("bob", &nobody).await.unwrap_err().view().code, "USAGE");
    world.daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_has_the_daemons_code_and_an_exit_code() {
    let world = World::start().await;
    let propose = ["propose", "--account", "hot", "--to", "supplier", "--amount", "300 XRP"];
    world.types("alice", &propose).await.unwrap();
    for (person, words, code, exit) in [
        ("dave", &propose[..], "ROLE_MISSING", 1),
        ("alice", &["show", "P99"], "UNKNOWN_PROPOSAL", 1),
        ("alice", &["flag", "P1", "--reason", "hm"], "ROLE_MISSING", 1),
        ("alice", &["approve", "P1"], "USAGE", 2),
        ("alice", &["--url", "http://127.0.0.1:1", "status"], "NO_ANSWER", 1),
        ("alice", &["--token-file", "/nonexistent", "status"], "BAD_PROFILE", 2),
    ] {
        let error = world.types(person, words).await.unwrap_err();
        assert_eq!(
            (error.view().code.as_str(), error.exit_code()),
            (code, exit),
            "{person} {words:?}: {error}"
        );
        assert!(!error.view().advice.is_empty());
    }
    // Whoever froze everything cannot lift it.
    assert_eq!(world.types("dave", &["freeze", "--reason", "a drill"]).await.unwrap(), "frozen: S1\n");
    assert_eq!(
        world.types("dave", &["unfreeze", "--reason", "over"]).await.unwrap_err().view().code,
        "ROLE_MISSING"
    );
    assert!(world.types("dave", &["status"]).await.unwrap().contains("S1 freeze on everything by dave"));
    assert_eq!(world.types("carol", &["unfreeze", "--reason", "over"]).await.unwrap(), "lifted: S1\n");
    for words in
        [vec!["flag", "P1", "--reason", "who is that?"], vec!["clear", "P1", "--reason", "a colleague"]]
    {
        world.types("dave", &words).await.unwrap();
    }
    let said = world.types("bob", &["reject", "P1", "--reason", "no"]).await.unwrap();
    assert!(said.starts_with("spoken against; it goes on"), "{said}");
    assert_eq!(world.types("alice", &["withdraw", "P1"]).await.unwrap(), "withdrawn\n");
    world.daemon.shutdown().await;
}

/// Danger: a script takes a payment that policy denies for one that is on its way. Method: the program itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_payment_is_shown_and_ends_with_3() {
    let world = World::start().await;
    let profile = profile_path(world.sandbox.dir(), "alice");
    let propose = |form: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_treasuryctl"));
        program.arg("--profile").arg(&profile).args(form);
        program.args(["propose", "--account", "warm", "--to", "supplier", "--amount", "12000 XRP"]);
        let output = tokio::task::block_in_place(|| program.output().unwrap());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = propose(&[]);
    assert_eq!(code, Some(3), "{out}{err}");
    assert!(out.starts_with("P1         denied: warm pays 12000 XRP to supplier\n"), "{out}");
    assert!(err.starts_with("DENIED: policy denies it: rule \""), "{err}");
    let (code, out, err) = propose(&["--json"]);
    assert_eq!(
        (code, serde_json::from_str::<ProposedView>(&out).unwrap().proposal.as_str()),
        (Some(3), "P2")
    );
    assert_eq!(serde_json::from_str::<ErrorBody>(&err).unwrap().error.code, "DENIED");
    world.daemon.shutdown().await;
}

/// Danger: a seed that was pasted instead of an address is sent, kept in the store for ever and shown to everybody.
#[tokio::test]
async fn a_seed_in_what_is_typed_is_not_sent_and_not_repeated() {
    let seed = "sEdTM1uX8pu2do5XvTnutH6HsouMaM2";
    let note = format!("use {seed}.");
    let pay = |account, to, note| {
        vec!["propose", "--account", account, "--to", to, "--amount", "1 XRP", "--note", note]
    };
    for words in [
        pay(seed, "supplier", ""),
        pay("hot", seed, ""),
        pay("hot", "supplier", &note),
        vec!["show", seed],
        vec!["approve", seed],
        vec!["proposals", "--account", seed],
        vec!["freeze", "--account", seed, "--reason", "a drill"],
        vec!["unfreeze", "--reason", &note],
        vec!["close-breaker", "--account", seed],
        vec!["lift", "S1", seed, "--reason", "over"],
    ] {
        // Nobody listens there: whatever was sent would end in another error.
        let line = ["treasuryctl", "--url", "http://127.0.0.1:1"].into_iter().chain(words.iter().copied());
        let view = run(Cli::try_parse_from(line).unwrap()).await.unwrap_err().view();
        assert_eq!(view.code, "USAGE", "{words:?}");
        assert!(view.message.contains("a seed") && !format!("{view:?}").contains(seed), "{view:?}");
    }
    // What stops something is sent without it: nobody is left with money going out for their reason.
    for words in [
        vec!["reject", "P1", "--reason", &note],
        vec!["flag", "P1", "--reason", &note],
        vec!["freeze", "--reason", &note],
        vec!["panic", "--reason", &note],
    ] {
        let line = ["treasuryctl", "--url", "http://127.0.0.1:1"].into_iter().chain(words.iter().copied());
        let view = run(Cli::try_parse_from(line).unwrap()).await.unwrap_err().view();
        assert_eq!(view.code, "NO_ANSWER", "{words:?}");
        assert!(!format!("{view:?}").contains(seed), "{view:?}");
    }
}

#[test]
fn the_command_line_is_sound() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    for bad in [
        vec!["treasuryctl"],
        vec!["treasuryctl", "propose", "--account", "hot", "--to", "x", "--amount", "300"],
        vec![
            "treasuryctl",
            "propose",
            "--account",
            "hot",
            "--to",
            "x",
            "--amount",
            "1 XRP",
            "--deadline",
            "soon",
        ],
        vec!["treasuryctl", "freeze"],
    ] {
        assert_eq!(Cli::try_parse_from(&bad).unwrap_err().exit_code(), 2, "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_ask_about_a_policy_before_it_decides() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.toml");
    let table = "[[rule]]\nname = \"any\"\nkinds = [\"pay\"]\namount_max = \"50 XRP\"\naction = \"allow\"\n";
    std::fs::write(&file, table).unwrap();
    let named = file.to_str().unwrap();
    let asked = ["propose", "--account", "warm", "--to", "supplier", "--amount", "300 XRP"];
    world.types("alice", &asked).await.unwrap();
    for (words, parts) in [
        (vec!["policy", "check"], vec![" rules, policy "]),
        (
            vec!["policy", "check", named],
            vec!["warning: line 1, column 1: rule \"any\": allows any number", "1 rules, policy "],
        ),
        (
            vec!["policy", "explain", named, "--account", "warm", "--to", "supplier", "--amount", "60 XRP"],
            vec!["deny: no match", "any (allow) does not match", "amount_max: the amount is 60 XRP"],
        ),
        (vec!["policy", "test", named], vec!["P1", "300 XRP", "deny: no match"]),
        (vec!["policy", "test", named, "--since", "2120-01-01"], vec!["of 0 proposals none"]),
        (
            vec!["policy", "prove", named, "--above", "49 XRP", "--to", "new"],
            vec!["yes: ", "asks to pay 49.000001 XRP", "allow by any"],
        ),
        (vec!["policy", "prove", named, "--above", "50 XRP"], vec!["no: no payment"]),
    ] {
        let said = world.types("alice", &words).await.unwrap();
        for part in parts {
            assert!(said.contains(part), "{words:?}: {part}\n{said}");
        }
    }
    let never = ["policy", "prove", named, "--never"];
    let Err(CtlError::PolicyAmiss { answer, .. }) = world.types("alice", &never).await else {
        panic!("it can happen")
    };
    assert!(answer.starts_with("yes: "));
    std::fs::write(&file, table.replace("50 XRP", "50")).unwrap();
    let refused = world.types("alice", &["policy", "check", named]).await.unwrap_err();
    assert_eq!((refused.exit_code(), refused.view().code.as_str()), (1, "POLICY_AMISS"));
    let CtlError::PolicyAmiss { answer, .. } = refused else { panic!("{refused}") };
    assert!(
        answer.contains("error: line 4, column 1: rule[1].amount_max: \"50\" is not an amount"),
        "{answer}"
    );
    let gone = world.types("alice", &["policy", "check", "/nonexistent"]).await.unwrap_err();
    assert_eq!(gone.exit_code(), 2);
}
