//! An incident: a treasury in which it has happened, and the people who work through the runbook.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::redirect::Policy;
use tempfile::TempDir;
use treasuryd::client::Client;
use treasuryd::dev::seen::{self, Seen};
use treasuryd::dev::story::Stage;
use treasuryd::dev::{DaemonProcess, Options, Sandbox, xrp};
use xrpl_harness::network::{At, Network, World};
use xrpl_wire::typed::Payment;
use xrpl_wire::{
    AccountId, Amount, Drops, KeyPair, LedgerEntry, RippleTime, SeqProxy, TransactionType, TxBody, TxCommon,
    TxResult, index, sign, typed,
};

use crate::book::{self, Block};

pub(crate) struct Incident {
    name: String,
    text: String,
    steps: Vec<Block>,
    next: usize,
    names: BTreeMap<String, String>,
    daemon: Option<DaemonProcess>,
    pub(crate) sandbox: Sandbox,
    // Dropped last: the daemon's store is in it.
    _dir: TempDir,
}

fn exe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_treasuryd-under-test"))
}

impl Incident {
    /// A treasury in good order, with its daemon, and the runbook open at the first page.
    pub(crate) async fn of(name: &str) -> Self {
        let mut incident = Self::before(name).await;
        incident.start().await;
        incident
    }

    /// The same before its daemon is started.
    pub(crate) async fn before(name: &str) -> Self {
        let file = book::how_to().join(format!("incident-{name}.md"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
        let names = BTreeMap::from([
            ("http://127.0.0.1:8580".to_owned(), sandbox.url().to_owned()),
            ("http://ledger-server:5005".to_owned(), sandbox.world().rpc_url()),
            ("rWARM".to_owned(), sandbox.account("warm").unwrap().to_string()),
        ]);
        tools(sandbox.dir());
        let steps = book::blocks(name, &text);
        Self { name: name.to_owned(), text, steps, next: 0, names, daemon: None, sandbox, _dir: dir }
    }

    pub(crate) async fn start(&mut self) {
        self.daemon = Some(self.sandbox.spawn_daemon(&exe()).await.unwrap());
        self.sandbox.let_pass(1).await.unwrap();
    }

    /// Waits for nothing but that it answers.
    async fn start_blind(&mut self) {
        let log = self.sandbox.log_path();
        self.daemon = Some(DaemonProcess::spawn(&exe(), &self.sandbox.config_path(), &log).unwrap());
        let asked = || async {
            let ready = self.client("alice").readiness().await.map_err(|error| error.to_string())?;
            if ready.ready { Err("it sees".to_owned()) } else { Ok(()) }
        };
        self.sandbox.until_told("it answers, and is blind", asked).await.unwrap();
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
    }

    /// As a dying machine does.
    pub(crate) async fn kill(&mut self) {
        self.daemon.take().unwrap().kill().await.unwrap();
    }

    /// What a word of the runbook stands for in this incident.
    pub(crate) fn say(&mut self, name: &str, value: impl ToString) {
        self.names.insert(name.to_owned(), value.to_string());
    }

    /// The next step, done by whoever the runbook says; answers with what was printed.
    pub(crate) async fn step(&mut self) -> String {
        let Some(Block::Shell { who, .. }) = self.steps.get(self.next) else { panic!("{}", self.amiss()) };
        let person = match who.as_str() {
            "security" => "dave",
            "admin" => "carol",
            "approver" => "bob",
            "host" | "anyone" => "",
            other => panic!("{}: say which {other}", self.name),
        };
        self.step_by(person).await
    }

    /// The next step, done by this person.
    pub(crate) async fn step_by(&mut self, person: &str) -> String {
        let Some(Block::Shell { lines, .. }) = self.steps.get(self.next) else { panic!("{}", self.amiss()) };
        let lines = book::filled(lines, self.names.iter());
        self.next += 1;
        let mut said = String::new();
        let mut script = String::new();
        for line in lines.lines() {
            match line.strip_prefix("systemctl ") {
                Some(what) => {
                    said.push_str(&self.shell(person, &std::mem::take(&mut script)));
                    self.service(what).await;
                }
                None => script.push_str(&format!("{line}\n")),
            }
        }
        said.push_str(&self.shell(person, &script));
        said
    }

    /// The same step once more, by others.
    pub(crate) fn again(&mut self, steps: usize) {
        self.next -= steps;
    }

    fn shell(&self, person: &str, script: &str) -> String {
        if script.trim().is_empty() {
            return String::new();
        }
        let bin = self.sandbox.dir().join("bin");
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command.args(["-euc", script]).current_dir(self.sandbox.dir());
        command.env("PATH", format!("{}:{path}", bin.display()));
        if !person.is_empty() {
            command.env("TREASURYCTL_PROFILE", self.sandbox.dir().join(format!("{person}.toml")));
        }
        let output = command.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}, step {}: {script}{said}", self.name, self.next);
        said
    }

    /// What this person types beside the page.
    pub(crate) fn types(&self, person: &str, line: &str) -> String {
        self.shell(person, line)
    }

    /// What systemd does with the daemon.
    async fn service(&mut self, what: &str) {
        match what {
            "stop treasuryd" => self.stop().await,
            "start --no-block treasuryd" => self.start_blind().await,
            "start treasuryd" => self.start().await,
            "restart treasuryd" => {
                self.stop().await;
                self.start().await;
            }
            "reload treasuryd" => {
                let reloads = |log: &str| log.matches("config_reloaded").count();
                let log = self.sandbox.log_path();
                let before = reloads(&std::fs::read_to_string(&log).unwrap());
                let id = self.daemon.as_ref().unwrap().id().unwrap().to_string();
                assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
                self.sandbox
                    .until("the configuration is taken", || {
                        let text = std::fs::read_to_string(&log).unwrap();
                        if reloads(&text) > before { Ok(()) } else { Err(tail(&text)) }
                    })
                    .await
                    .unwrap();
                self.sandbox.let_pass(1).await.unwrap();
            }
            other => panic!("{}: systemctl {other}", self.name),
        }
    }

    /// The next lines for the configuration.
    pub(crate) fn toml(&mut self) -> String {
        let Some(Block::Toml(lines)) = self.steps.get(self.next) else { panic!("{}", self.amiss()) };
        self.next += 1;
        book::filled(lines, self.names.iter())
    }

    /// Puts lines into a table of the configuration, in place of those for the same keys.
    pub(crate) fn configure(&self, table: &str, name: &str, lines: &str) {
        let path = self.sandbox.config_path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut tables: Vec<String> = Vec::new();
        for line in text.lines() {
            if line.starts_with('[') || tables.is_empty() {
                tables.push(String::new());
            }
            let last = tables.last_mut().unwrap();
            last.push_str(line);
            last.push('\n');
        }
        let wanted = tables
            .iter_mut()
            .find(|text| {
                text.starts_with(table)
                    && (name.is_empty() || text.lines().any(|line| line == format!("name = \"{name}\"")))
            })
            .unwrap_or_else(|| panic!("{}: no {table} {name}", self.name));
        let key = |line: &str| line.split_once('=').map(|(key, _)| key.trim().to_owned());
        let keys: Vec<_> = lines.lines().filter_map(key).collect();
        let kept = wanted.lines().filter(|line| !key(line).is_some_and(|key| keys.contains(&key)));
        let mut changed: Vec<&str> = kept.collect();
        let new = lines.lines().filter(|line| key(line).is_some());
        for (at, line) in (1..).zip(new) {
            changed.insert(at.min(changed.len()), line);
        }
        *wanted = changed.join("\n") + "\n";
        std::fs::write(&path, tables.concat()).unwrap();
    }

    /// Nothing is left to do, and the pages of the console that the runbook names are there.
    pub(crate) async fn done(self) {
        let left = self.steps.get(self.next);
        assert!(left.is_none(), "{}: nobody tries {left:?}", self.name);
        let begin = format!("{}/console", self.sandbox.url());
        let text = book::filled(&self.text, self.names.iter());
        let pages: Vec<_> = text.match_indices(&begin).map(|(at, _)| &text[at..]).collect();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).redirect(Policy::none());
        let http = http.build().unwrap();
        let token = std::fs::read_to_string(self.sandbox.dir().join("dave.token")).unwrap();
        let login = http.post(format!("{begin}/login")).header("Origin", self.sandbox.url());
        let login = login.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = login.body(format!("token={token}")).send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned();
        for page in pages {
            let page = page.split(['>', ' ', ')']).next().unwrap();
            let answer =
                http.get(page).header("Cookie", cookie.split(';').next().unwrap()).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{}: {page}", self.name);
        }
    }

    fn amiss(&self) -> String {
        format!("{}: the next step is another: {:?}", self.name, self.steps.get(self.next))
    }

    pub(crate) fn world(&self) -> &World {
        self.sandbox.world()
    }

    pub(crate) fn account(&self, name: &str) -> AccountId {
        self.sandbox.account(name).unwrap()
    }

    pub(crate) fn client(&self, person: &str) -> &Client {
        self.sandbox.people().get(person).unwrap().client()
    }

    /// A payment that these people have signed.
    pub(crate) async fn signed(&self, from: &str, to: &str, whole: u32, signers: &[&str]) -> String {
        let people = self.sandbox.people();
        let to = self.account(to).to_string();
        let id = people.get("alice").unwrap().propose(from, &to, xrp(whole), "as agreed").await.unwrap();
        Stage::over(&self.sandbox).can_be_signed(&id).await.unwrap();
        for signer in signers {
            people.get(signer).unwrap().approve(&id).await.unwrap();
        }
        id
    }

    /// The escrow of warm that came of such a payment: its Sequence, FinishAfter and CancelAfter.
    pub(crate) async fn escrow(&self, since: u32) -> (u32, RippleTime, RippleTime) {
        let create = self.sent("warm", since, TransactionType::EscrowCreate).await;
        let sequence = create.tx.seq().value();
        let entry = seen::escrow(self.world(), &self.account("warm"), sequence).await.unwrap().unwrap();
        self.sandbox.let_pass(1).await.unwrap();
        (sequence, entry.finish_after.unwrap(), entry.cancel_after.unwrap())
    }

    pub(crate) async fn sent(&self, name: &str, since: u32, tx_type: TransactionType) -> Seen {
        let account = self.account(name);
        Stage::over(&self.sandbox).first_sent(name, &account, since, tx_type).await.unwrap()
    }

    pub(crate) async fn until_status(&self, id: &str, status: &str) {
        let asked = || async {
            let view = self.client("alice").proposal(id).await.map_err(|error| error.to_string())?;
            if view.status == status { Ok(()) } else { Err(format!("{} {:?}", view.status, view.waits_for)) }
        };
        self.sandbox.until_told(&format!("{id} is {status}"), asked).await.unwrap();
    }

    pub(crate) async fn pass_to(&self, time: RippleTime) {
        self.sandbox.advance_to(RippleTime(time.0 + 1)).await.unwrap();
        self.sandbox.let_pass(5).await.unwrap();
    }

    pub(crate) async fn balance(&self, name: &str) -> Drops {
        seen::balance(self.world(), &self.account(name), At::Validated).await.unwrap()
    }

    /// The account's SignerList on the ledger: its quorum and who is on it.
    pub(crate) async fn signer_list(&self, name: &str) -> (u32, Vec<AccountId>) {
        let key = index::signer_list(&self.account(name));
        let found = self.world().entry(key, At::Validated).await.unwrap().unwrap();
        match LedgerEntry::from_object(&found) {
            Ok(LedgerEntry::SignerList(list)) => {
                (list.quorum, list.entries.iter().map(|entry| entry.account).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// What somebody with these keys sends beside the daemon, and what the ledger says at once. It is closed.
    pub(crate) async fn beside(&self, from: &str, keys: &[(AccountId, &KeyPair)], body: &TxBody) -> TxResult {
        let account = self.account(from);
        let common = TxCommon::new(
            account,
            SeqProxy::Sequence(self.world().sequence(account).await.unwrap()),
            Drops::new(1_000).unwrap(),
        );
        let tx = typed::build(&common, body).unwrap();
        let signers = keys.iter().map(|(signer, key)| sign::sign_for(&tx, *signer, key).unwrap()).collect();
        let tx = sign::assemble(&tx, signers).unwrap();
        let result = self.world().submit(&tx).await.unwrap();
        self.world().close_ledger().await.unwrap();
        result
    }

    /// A thief's payment to a stranger.
    pub(crate) async fn theft(&self, from: &str, keys: &[(AccountId, &KeyPair)]) -> TxResult {
        let body = TxBody::Payment(Payment {
            destination: self.account("stranger"),
            destination_tag: None,
            amount: Amount::Xrp(xrp(50)),
            send_max: None,
            deliver_min: None,
        });
        self.beside(from, keys, &body).await
    }

    /// What both agents' keys sign with.
    pub(crate) fn agents(&self) -> Vec<(AccountId, &KeyPair)> {
        self.sandbox.cast().agents.iter().map(|agent| (agent.id(), agent.key())).collect()
    }

    pub(crate) fn person(&self, name: &str) -> (AccountId, &KeyPair) {
        let person = self.sandbox.people().get(name).unwrap();
        (person.signer(), person.key())
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// What operators have on their machines. Nobody sits at a terminal here, so what asks is told yes.
fn tools(dir: &Path) {
    let (bin, programs) = (dir.join("bin"), dir.join("programs"));
    std::fs::create_dir(&bin).unwrap();
    std::fs::create_dir(&programs).unwrap();
    for name in ["treasuryctl", "curl", "treasuryd"] {
        symlink(exe(), programs.join(name)).unwrap();
    }
    for name in ["curl", "treasuryd"] {
        symlink(exe(), bin.join(name)).unwrap();
    }
    let wrapper = bin.join("treasuryctl");
    let text = format!(
        "#!/bin/sh\ncase $1 in approve|cosign) set -- \"$@\" --yes;; esac\nexec '{}' \"$@\"\n",
        programs.join("treasuryctl").display()
    );
    std::fs::write(&wrapper, text).unwrap();
    std::fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755)).unwrap();
}
