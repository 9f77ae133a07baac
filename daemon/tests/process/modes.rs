//! Who may read what the programs leave on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::{Process, sandbox, treasuryd};

/// Danger: whoever starts the daemon has a umask that lets everybody read. Method: none is left out, and one store is
/// as an earlier version would have left it.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_daemon_writes_is_its_owners_alone_whatever_the_umask_says() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let data = sandbox.dir().join("data");
    for open_to_all in [false, true] {
        if open_to_all {
            everything_in(&data).iter().for_each(|path| {
                fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
            });
        }
        let mut process = Process::start(
            careless(treasuryd())
                .args(["run", "--config"])
                .arg(sandbox.config_path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
        sandbox.let_pass(1).await.unwrap();
        check(&data);
        process.signal(Signal::TERM);
        assert!(process.ended().await.success());
        check(&data);
    }
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (backup, export) = (dir.path().join("backups/one"), dir.path().join("export.jsonl"));
    for words in [
        ["store", "backup", "--data-dir", &text(&data), "--to", &text(&backup)],
        ["store", "export", "--data-dir", &text(&data), "--to", &text(&export)],
    ] {
        let output = careless(treasuryd()).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    check(&dir.path().join("backups"));
    check(&export);
    assert!(fs::read_to_string(&export).unwrap().lines().count() > 1);
}

/// A command with a umask that keeps nobody out.
fn careless(command: Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(command.get_program());
    shell
}

fn everything_in(path: &Path) -> Vec<PathBuf> {
    let mut all = vec![path.to_owned()];
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| all.extend(everything_in(&entry.unwrap().path())));
    }
    all
}

fn check(path: &Path) {
    for path in everything_in(path) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{} is {mode:o}", path.display());
    }
}

/// Danger: the service manager gives the passphrase to the running daemon alone, and nobody can make the keystore that it
/// is to run with.
#[test]
fn a_keystore_is_made_before_its_service_runs() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("treasuryd.toml");
    fs::write(
        &config,
        "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"data\"\nkeystore = \"keystore\"\n\
         passphrase_file = \"not-there-yet\"\n[[account]]\nname = \"runner\"\ntier = \"runner\"\n\
         address = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n",
    )
    .unwrap();
    let passphrase = dir.path().join("typed");
    fs::write(&passphrase, "correct horse\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let run = |words: &[&str], named: bool| {
        let mut program = treasuryd();
        program.args(words).arg("--config").arg(&config);
        if named {
            program.arg("--passphrase-file").arg(&passphrase);
        }
        let seed = dir.path().join("seed");
        fs::write(&seed, "snoPBrXtMeMyMHUVTgbuqAfg1SUTb\n").unwrap();
        let output = program.stdin(fs::File::open(&seed).unwrap()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, said) = run(&["keystore", "create"], false);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not-there-yet") && said.contains("--passphrase-file"), "{said}");
    assert_eq!(run(&["keystore", "create"], true).0, Some(0));
    let (code, account, said) = run(&["keystore", "add"], true);
    assert_eq!((code, account.trim()), (Some(0), "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"));
    assert_eq!(said, "", "nobody is asked where there is no terminal");
    assert_eq!(run(&["keystore", "list"], true).1, account);
    assert_eq!(run(&["config", "check"], true).0, Some(0));
    assert_eq!(run(&["config", "check"], false).0, Some(1));
}

#[test]
fn a_keystore_or_passphrase_that_others_can_read_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("treasuryd.toml");
    fs::write(
        &config,
        "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"data\"\nkeystore = \"keystore\"\n\
         passphrase_file = \"passphrase\"\n[[account]]\nname = \"warm\"\ntier = \"warm\"\n\
         address = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n",
    )
    .unwrap();
    let set = |name: &str, mode: u32| {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let keystore = |word: &str| {
        let output = treasuryd().arg("keystore").arg("--config").arg(&config).arg(word).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    fs::write(dir.path().join("passphrase"), "correct horse\n").unwrap();
    set("passphrase", 0o644);
    let (done, said) = keystore("create");
    let wanted = format!("chmod 600 {}", dir.path().join("passphrase").display());
    assert!(!done && said.contains(&wanted), "{said}");
    assert!(!dir.path().join("keystore").exists());
    set("passphrase", 0o600);
    assert!(keystore("create").0 && keystore("list").0);
    set("keystore", 0o640);
    let (done, said) = keystore("list");
    let wanted = format!("chmod 600 {}", dir.path().join("keystore").display());
    assert!(!done && said.contains(&wanted), "{said}");
}
