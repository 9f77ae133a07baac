//! A guard beside the daemon of a scene, and an escrow that it has a part in.

use std::io::Write;
use std::path::PathBuf;

use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};
use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::story::Stage;
use treasuryd::dev::{DaemonProcess, Sandbox, free_port, xrp};
use treasuryd::signer::{Keystore, WorkFactor};
use xrpl_wire::{RippleTime, TransactionType, entry};

use crate::scene::{Scene, exe};

/// Tokens: of the daemon, and of the two who guard.
pub(crate) const DAEMON: &str = "the daemon's token at the guard";
pub(crate) const GINA: &str = "gina-0123456789-token";
pub(crate) const HUGO: &str = "hugo's token";

pub(crate) const PASSPHRASE: &str = "the guard's passphrase";

/// A guard as a process.
pub(crate) struct GuardHere {
    process: Option<DaemonProcess>,
    pub(crate) dir: PathBuf,
    pub(crate) url: String,
}

fn write(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

impl GuardHere {
    /// Makes one in the scene's directory, runs it, and has the daemon's configuration name it.
    pub(crate) async fn start(scene: &Scene) -> Self {
        let guard = Self::beside(&scene.sandbox).await;
        guard.named_by(&scene.sandbox, true);
        guard
    }

    /// Makes one and runs it; the daemon knows nothing of it.
    pub(crate) async fn beside(sandbox: &Sandbox) -> Self {
        let dir = sandbox.dir().join("guard");
        std::fs::create_dir(&dir).unwrap();
        let listen = free_port(([127, 0, 0, 1], 0).into()).unwrap();
        write(&dir.join("passphrase"), PASSPHRASE);
        write(&sandbox.dir().join("guard.token"), DAEMON);
        Keystore::create(&dir.join("guard.age"), &SecretString::from(PASSPHRASE), WorkFactor::Quick).unwrap();
        let hash = |token: &str| hex::encode(Sha256::digest(token.as_bytes()));
        let text = format!(
            r#"
[guard]
data_dir = "data"
listen = "{listen}"
keystore = "guard.age"
passphrase_file = "passphrase"
daemon_token_sha256 = "{daemon}"

[network]
endpoints = ["{ws}"]
ledger_age_max = "any"

[policy]
owners = ["{warm}", "{cold}"]
destinations = ["{supplier}", "{exchange}"]
escrow_max = ["6000 XRP"]
delay_min = "{delay}s"

[[limit]]
most = "9000 XRP"
period = "7d"

[[operator]]
name = "gina"
token_sha256 = "{gina}"

[[operator]]
name = "hugo"
token_sha256 = "{hugo}"
"#,
            daemon = hash(DAEMON),
            gina = hash(GINA),
            hugo = hash(HUGO),
            ws = xrpl_harness::network::Network::ws_url(sandbox.world()),
            warm = sandbox.account("warm").unwrap(),
            cold = sandbox.account("cold").unwrap(),
            supplier = sandbox.account("supplier").unwrap(),
            exchange = sandbox.account("exchange").unwrap(),
            delay = 48 * sandbox.hour_seconds(),
        );
        write(&dir.join("guard.toml"), &text);
        let mut guard = Self { process: None, dir, url: format!("http://{listen}") };
        guard.restart(sandbox).await;
        guard
    }

    /// Has the daemon's configuration name it.
    pub(crate) fn named_by(&self, sandbox: &Sandbox, new_escrows: bool) {
        let mut config = std::fs::OpenOptions::new().append(true).open(sandbox.config_path()).unwrap();
        let table = format!(
            "\n[guard]\nurl = \"{}\"\ntoken_file = \"guard.token\"\nnew_escrows = {new_escrows}\n",
            self.url
        );
        config.write_all(table.as_bytes()).unwrap();
    }

    /// Kills it, as `kill -9` does.
    pub(crate) async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// Starts it, and waits until it answers.
    pub(crate) async fn restart(&mut self, sandbox: &Sandbox) {
        let (config, log) = (self.dir.join("guard.toml"), self.dir.join("guard.log"));
        let mut process = DaemonProcess::spawn_guard(&exe(), &config, &log).unwrap();
        let health = format!("{}/healthz", self.url);
        let answers = || {
            process.check_running().unwrap();
            let asked = reqwest::get(health.clone());
            async { asked.await.map(drop).map_err(|error| error.to_string()) }
        };
        sandbox.until_told("the guard answers", answers).await.unwrap();
        self.process = Some(process);
    }

    /// Asks it: status and body.
    pub(crate) async fn ask(&self, token: Option<&str>, path: &str, body: Option<String>) -> (u16, Value) {
        let client = reqwest::Client::new();
        let url = format!("{}{path}", self.url);
        let request = match body {
            Some(body) => client.post(url).body(body),
            None => client.get(url),
        };
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// What one of those who guard is told.
    pub(crate) async fn status(&self) -> Value {
        let (status, body) = self.ask(Some(GINA), "/v1/status", None).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// An escrow of 5000 XRP from warm to supplier.
pub(crate) struct Guarded {
    pub(crate) id: String,
    pub(crate) sequence: u32,
    pub(crate) entry: entry::Escrow,
}

impl Guarded {
    /// Has it asked for, signed and made.
    pub(crate) async fn make(stage: &Stage<'_>, books: &Books) -> Self {
        let sandbox = stage.sandbox();
        let warm = sandbox.account("warm").unwrap();
        let (alice, bob) = (sandbox.people().get("alice").unwrap(), sandbox.people().get("bob").unwrap());
        let id = alice.propose("warm", "supplier", xrp(5_000), "machines").await.unwrap();
        stage.can_be_signed(&id).await.unwrap();
        alice.approve(&id).await.unwrap();
        bob.approve(&id).await.unwrap();
        let create =
            stage.first_sent("warm", &warm, books.since(), TransactionType::EscrowCreate).await.unwrap();
        let sequence = create.tx.seq().value();
        let entry = seen::escrow(sandbox.world(), &warm, sequence).await.unwrap().unwrap();
        Self { id, sequence, entry }
    }

    pub(crate) fn finish_after(&self) -> RippleTime {
        self.entry.finish_after.unwrap()
    }

    pub(crate) fn cancel_after(&self) -> RippleTime {
        self.entry.cancel_after.unwrap()
    }

    /// Proves that it is there, as it was.
    pub(crate) async fn stands(&self, stage: &Stage<'_>) {
        let sandbox = stage.sandbox();
        let warm = sandbox.account("warm").unwrap();
        let there = seen::escrow(sandbox.world(), &warm, self.sequence).await.unwrap();
        assert_eq!(there.as_ref(), Some(&self.entry));
    }

    /// Waits until it is ended in this way.
    pub(crate) async fn ended(&self, stage: &Stage<'_>, books: &Books, how: TransactionType) {
        let sandbox = stage.sandbox();
        let (world, warm) = (sandbox.world(), sandbox.account("warm").unwrap());
        sandbox
            .until_told(&format!("a validated {}", how.name()), || async move {
                let ends = seen::ends_of_escrow(world, &warm, self.sequence, books.since()).await;
                let ends = ends.map_err(|error| error.to_string())?;
                if ends.iter().any(|end| end.did(how)) {
                    return Ok(());
                }
                Err(ends.iter().map(seen::Seen::words).collect::<Vec<_>>().join(", "))
            })
            .await
            .unwrap();
    }
}
