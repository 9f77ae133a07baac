//! The ledger, the daemon's process, and whoever speaks to it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use treasuryd::client::Client;
use treasuryd::dev::{DaemonProcess, DevError, free_port};
use treasuryd::http::api::{ProposalView, ProposeRequest, StatusView};
use treasuryd::signer::{Keystore, WorkFactor};
use xrpl_harness::embedded::{ClosedLedger, GenesisConfig};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::typed::{self, AccountSet, Payment, SetRegularKey, TicketCreate, TxCommon};
use xrpl_wire::{
    AccountId, Amount, Drops, KeyPair, RippleTime, SeqProxy, Transaction, TxBody, flags, index, sf, sign,
};

use super::Options;
use super::cast::{Cast, PEOPLE, SIGNED, SIGNERS};
use super::life::DAY;
use super::truth::Truth;

/// Between two looks at the daemon, of which it is known that it is about to answer otherwise.
const LOOK: Duration = Duration::from_millis(1);

/// How long something may take, in wall time, before it is said that it does not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// After so long, in wall time, another ledger closes for whoever has not seen the last one.
const QUIET: Duration = Duration::from_secs(10);

/// Ledger time between two ledgers that follow one another at once.
pub const STEP_SECONDS: u32 = 4;

/// When the month begins: Monday, 2026-06-01T00:00:00Z.
pub const BEGINS: u32 = 833_587_200;

/// Tickets that each account begins with.
const TICKETS: u32 = 200;

/// What everybody outside begins with, in XRP.
const OUTSIDE_XRP: u64 = 20;

/// The stage.
pub struct Stage {
    /// The ledger.
    pub server: EmbeddedServer,
    /// Everybody's keys.
    pub cast: Cast,
    /// What has happened.
    pub truth: Truth,
    /// On which days salaries are due, as the configuration says it.
    salary_days: Vec<String>,
    dir: PathBuf,
    exe: PathBuf,
    listen: SocketAddr,
    daemon: Option<DaemonProcess>,
    clients: BTreeMap<&'static str, Client>,
}

impl Stage {
    /// A treasury on a ledger of its own, with a daemon that sees it.
    ///
    /// # Errors
    /// Whatever cannot be started, made or seen.
    pub async fn open(options: &Options, salary_days: Vec<String>) -> Result<Self, DevError> {
        let mut genesis = GenesisConfig {
            close_time: RippleTime(BEGINS + options.from * DAY - 600),
            ..GenesisConfig::default()
        };
        // Nobody there reads the lists of hashes.
        genesis.server.without_ledger_hashes = true;
        let config =
            EmbeddedConfig { genesis, close_step_seconds: STEP_SECONDS, ..EmbeddedConfig::default() };
        let server = EmbeddedServer::start(config).await?;
        let cast = Cast::new(options.seed);
        provision(&server, &cast)?;
        let truth = Truth::new(&cast, &server.validated());
        let listen = free_port(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{listen}");
        let clients: Result<BTreeMap<_, _>, DevError> =
            PEOPLE.into_iter().map(|name| Ok((name, Client::new(&url, Some(cast.token(name)))?))).collect();
        let mut stage = Self {
            server,
            cast,
            truth,
            salary_days,
            dir: options.dir.clone(),
            exe: options.exe.clone(),
            listen,
            daemon: None,
            clients: clients?,
        };
        stage.write_secret("passphrase", "a passphrase of no worth")?;
        let mut keystore = Keystore::create(&stage.keystore(), &passphrase(), WorkFactor::Quick)?;
        for name in stage.cast.agents("hot").iter().chain(&stage.cast.agents("warm")) {
            keystore.add(stage.cast.key(name).seed)?;
        }
        keystore.add(stage.cast.key("runner").seed)?;
        drop(keystore);
        stage.write_config()?;
        stage.start().await?;
        Ok(stage)
    }

    /// Somebody's way to speak to the daemon.
    ///
    /// # Panics
    /// For a name that nobody has.
    #[must_use]
    pub fn client(&self, person: &str) -> &Client {
        &self.clients[person]
    }

    /// Ledger time.
    #[must_use]
    pub fn now(&self) -> u32 {
        self.server.validated().header.close_time.0
    }

    /// Closes a ledger so many seconds after the last one, at once.
    pub fn close_after(&mut self, seconds: u32) -> Arc<ClosedLedger> {
        let at = RippleTime(self.now().saturating_add(seconds));
        let closed = self.server.close_ledger_at(at);
        self.truth.take(&closed);
        closed
    }

    /// Closes so many ledgers, one after another, each once the daemon has taken in the one before.
    ///
    /// # Errors
    /// [`DevError::NotSeen`].
    pub async fn pass(&mut self, ledgers: u32) -> Result<(), DevError> {
        for _ in 0..ledgers {
            self.close_after(STEP_SECONDS);
            self.seen().await?;
        }
        Ok(())
    }

    /// Moves ledger time to then, in one ledger.
    ///
    /// # Errors
    /// [`DevError::NotSeen`].
    pub async fn jump(&mut self, to: u32) -> Result<(), DevError> {
        let seconds = to.saturating_sub(self.now()).max(1);
        self.close_after(seconds);
        if self.daemon.is_some() { self.seen().await.map(drop) } else { Ok(()) }
    }

    /// Waits until the daemon has taken in the last ledger and sees. Where no ledger came for long by its clock, as on a machine
    /// that is busy, it waits for another one.
    ///
    /// # Errors
    /// [`DevError::NotSeen`].
    pub async fn seen(&mut self) -> Result<StatusView, DevError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let index = self.server.validated().header.index;
            let expected = format!("the daemon has taken in ledger {index}");
            let seen = self.until(&expected, QUIET, |status| {
                status.sight.ready && status.ledger.as_ref().is_some_and(|ledger| ledger.index >= index)
            });
            match seen.await {
                Err(DevError::NotSeen { .. }) if Instant::now() < deadline => {
                    self.close_after(STEP_SECONDS);
                }
                seen => return seen,
            }
        }
    }

    /// Waits until what agents sign without anybody has left, or time is up where something keeps it.
    ///
    /// # Errors
    /// Where the daemon does not answer.
    pub async fn has_left(&self, waiting: usize) -> Result<(), DevError> {
        let until = Instant::now() + Duration::from_millis(400);
        loop {
            let status = self.client("alice").status().await?;
            let of = |word: &str| status.open_proposals.get(word).copied().unwrap_or_default();
            let kept = of("drafted") + of("assessed") + of("collecting") + of("ready");
            if kept <= waiting || Instant::now() > until {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How many proposals are open and not on their way.
    ///
    /// # Errors
    /// Where the daemon does not answer.
    pub async fn kept(&self) -> Result<usize, DevError> {
        let status = self.client("alice").status().await?;
        let not_sent = status.open_proposals.iter().filter(|(word, _)| word.as_str() != "in_flight");
        Ok(not_sent.map(|(_, count)| count).sum())
    }

    async fn until(
        &self,
        expected: &str,
        patience: Duration,
        is_so: impl Fn(&StatusView) -> bool,
    ) -> Result<StatusView, DevError> {
        let deadline = Instant::now() + patience;
        loop {
            let found = match self.client("alice").status().await {
                Ok(status) if is_so(&status) => return Ok(status),
                Ok(status) => format!("{:?}, {:?}", status.sight, status.ledger),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                let (expected, seconds) = (expected.to_owned(), patience.as_secs());
                return Err(DevError::NotSeen { expected, found, seconds });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Kills the daemon as `kill -9` does.
    ///
    /// # Errors
    /// [`DevError::Daemon`] where it had ended before.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        match self.daemon.take() {
            Some(daemon) => daemon.kill().await,
            None => Ok(()),
        }
    }

    /// Stops it in order.
    pub async fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
    }

    /// Starts it, and waits until it sees.
    ///
    /// # Errors
    /// Where it does not start, or does not see.
    pub async fn start(&mut self) -> Result<(), DevError> {
        let log = self.dir.join("treasuryd.log");
        self.daemon = Some(DaemonProcess::spawn(&self.exe, &self.dir.join("treasuryd.toml"), &log)?);
        // A ledger that is announced, for whoever has just come.
        self.close_after(STEP_SECONDS);
        let seen = self.seen().await;
        if let (Err(_), Some(daemon)) = (&seen, &mut self.daemon) {
            daemon.check_running()?;
        }
        seen.map(drop)
    }

    /// Whether a daemon runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.daemon.is_some()
    }

    /// Asks for a payment.
    ///
    /// # Errors
    /// Where it is refused, or nobody answers.
    pub async fn propose(&self, person: &str, asked: &Asked) -> Result<String, DevError> {
        let request = ProposeRequest {
            account: asked.from.to_owned(),
            destination: self.cast.id(&asked.to).to_string(),
            destination_tag: Some(asked.tag),
            amount: Amount::Xrp(drops(asked.drops)).into(),
            note: asked.note.clone(),
            idempotency_key: Some(format!("month {}", asked.tag)),
            ..ProposeRequest::default()
        };
        Ok(self.client(person).propose(&request).await?.proposal)
    }

    /// Signs a proposal with somebody's key, after looking at its bytes.
    ///
    /// # Errors
    /// Where it is not what it says, or is refused.
    pub async fn approve(&self, person: &str, id: &str) -> Result<(), DevError> {
        let view: ProposalView = self.client(person).proposal(id).await?;
        let request = treasuryctl::check(&view)?.sign(self.cast.id(person), &self.cast.signing(person))?;
        self.client(person).approve(id, &request).await?;
        Ok(())
    }

    /// Submits a transaction of an account, with its next Sequence and signed with one key.
    pub fn by_hand(&self, account: &str, key: &KeyPair, body: &TxBody) {
        let account = self.cast.id(account);
        let tx = built(&self.server, account, 12, body);
        // What is built here is signed with a key that is there.
        if let Ok(tx) = sign::sign_single(&tx, key) {
            self.server.submit(&tx);
        }
    }

    /// Submits a transaction of an account, with its next Sequence, that these sign by name.
    pub fn together(&self, account: &str, signers: &[String], body: &TxBody) -> bool {
        let tx = built(&self.server, self.cast.id(account), 100, body);
        let signed =
            signers.iter().map(|name| sign::sign_for(&tx, self.cast.id(name), &self.cast.signing(name)));
        let Ok(signed) = signed.collect::<Result<Vec<_>, _>>() else { return false };
        let Ok(tx) = sign::assemble(&tx, signed) else { return false };
        self.server.submit(&tx).result.is_tes()
    }

    /// Gives hot's agents new keys, as the runbook says: the list on the ledger by two people's signatures, the keystore, the
    /// configuration, and the daemon anew.
    ///
    /// # Errors
    /// Where the ledger, a file or the daemon does not take it.
    pub async fn rotate_agents(&mut self, signers: &[String]) -> Result<(), DevError> {
        self.cast.generation += 1;
        let list = self.cast.signer_list_set("hot");
        if !self.together("hot", signers, &list) {
            let (expected, found) = ("the list is taken".to_owned(), "it is refused".to_owned());
            return Err(DevError::Wrong { expected, found });
        }
        self.close_after(STEP_SECONDS);
        let mut keystore = Keystore::open(&self.keystore(), &passphrase())?;
        for name in self.cast.agents("hot") {
            keystore.add(self.cast.key(&name).seed)?;
        }
        drop(keystore);
        self.write_config()?;
        self.stop().await;
        self.start().await
    }

    /// What an account of the outside begins with: so it is on the ledger.
    pub fn fund(&self, name: &str) {
        let funds = drops(OUTSIDE_XRP * 1_000_000);
        // The genesis account has more than anybody here asks for.
        let _ = self.server.fund(&self.cast.id(name), funds);
    }

    fn keystore(&self) -> PathBuf {
        self.dir.join("keystore.age")
    }

    fn write_config(&self) -> Result<(), DevError> {
        let text = self.cast.config(&self.server.ws_url(), self.listen, &self.salary_days);
        self.write_secret("treasuryd.toml", &text)
    }

    fn write_secret(&self, name: &str, text: &str) -> Result<(), DevError> {
        let path = self.dir.join(name);
        let written = treasury_tools::private::options()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
        written.map_err(|source| DevError::File { path, source })
    }
}

/// A payment that somebody asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Names it, on the ledger too.
    pub tag: u32,
    /// The account that pays.
    pub from: &'static str,
    /// Who is paid, by name.
    pub to: String,
    /// How much.
    pub drops: u64,
    /// What for.
    pub note: String,
}

/// So many drops.
///
/// # Panics
/// Above all XRP there is.
#[must_use]
pub fn drops(amount: u64) -> Drops {
    Drops::new(amount).expect("less than all XRP")
}

/// A payment to somebody, by hand.
#[must_use]
pub fn payment(destination: AccountId, amount: u64) -> TxBody {
    TxBody::Payment(Payment {
        destination,
        destination_tag: None,
        amount: Amount::Xrp(drops(amount)),
        send_max: None,
        deliver_min: None,
    })
}

fn passphrase() -> SecretString {
    SecretString::from("a passphrase of no worth")
}

fn built(server: &EmbeddedServer, account: AccountId, fee: u64, body: &TxBody) -> Transaction {
    let root = index::account_root(&account);
    let sequence = server.with_ledger(|ledger| {
        ledger.open().state().object(&root).and_then(|root| root.u32(sf::Sequence)).unwrap_or_default()
    });
    let common = TxCommon::new(account, SeqProxy::Sequence(sequence), drops(fee));
    typed::build(&common, body).expect("a transaction that can be written")
}

/// Makes everybody's accounts, with the lists and Tickets that they begin with.
fn provision(server: &EmbeddedServer, cast: &Cast) -> Result<(), DevError> {
    let funds = [("cold", 2_500_000), ("warm", 110_000), ("hot", 10_000), ("runner", 200)];
    for (name, xrp) in funds {
        server.fund(&cast.id(name), drops(xrp * 1_000_000))?;
    }
    for name in cast.book().iter().map(String::as_str).chain(SIGNERS) {
        server.fund(&cast.id(name), drops(OUTSIDE_XRP * 1_000_000))?;
    }
    server.close_ledger();
    let send = |name: &str, body: &TxBody| -> Result<(), DevError> {
        let tx = sign::sign_single(&built(server, cast.id(name), 12, body), &cast.key(name).pair)?;
        let result = server.submit(&tx).result;
        if result.is_tes() {
            return Ok(());
        }
        let what = format!("{} of {name}", tx.tx_type().name());
        Err(DevError::Provision { what, result: result.name().to_owned() })
    };
    for name in SIGNED {
        send(name, &cast.signer_list_set(name))?;
        send(name, &TxBody::TicketCreate(TicketCreate { count: TICKETS }))?;
        let set_flag = Some(flags::asfDisableMaster);
        send(name, &TxBody::AccountSet(AccountSet { set_flag, ..AccountSet::default() }))?;
    }
    send("runner", &TxBody::TicketCreate(TicketCreate { count: 10 }))?;
    server.close_ledger();
    Ok(())
}

impl Stage {
    /// Bob's key is lost, and he signs with another one from now on.
    pub fn rotate_bob(&mut self) {
        let regular_key = Some(self.cast.id("bob's other key"));
        let master = self.cast.key("bob").pair;
        self.by_hand("bob", &master, &TxBody::SetRegularKey(SetRegularKey { regular_key }));
        let set_flag = Some(flags::asfDisableMaster);
        self.by_hand("bob", &master, &TxBody::AccountSet(AccountSet { set_flag, ..AccountSet::default() }));
        self.cast.bob_is_rotated = true;
    }
}
