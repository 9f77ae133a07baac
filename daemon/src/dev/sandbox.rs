//! The stage: a ledger with a treasury on it, and the files that a daemon runs from.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xrpl_harness::embedded::{Generation, GenesisConfig};
use xrpl_harness::network::{Network, Validated, World};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::{AccountId, RippleTime};

use super::cast::Cast;
use super::files::{self, CONFIG, Places};
use super::people::People;
use super::process::{self, DaemonProcess};
use super::{DevError, provision};
use crate::client::Client;
use crate::config::DaemonConfig;

/// How often a condition is looked at while it is waited for.
const POLL: Duration = Duration::from_millis(20);

/// The same where time moves by many ledgers: while the daemon takes them in, one by one, as little more time as
/// possible shall pass.
const POLL_SLOW: Duration = Duration::from_millis(250);

/// And how long is waited there at least: a delay is some thousand ledgers for the daemon to take in.
const SLOW: Duration = Duration::from_secs(300);

/// An hour.
pub(super) const HOUR_SECONDS: u32 = 3_600;

/// What stands for an hour of an escrow's delay where time moves by a ledger each second: two days would be 172,800
/// ledgers, for the server to close and keep and for the daemon to take in one by one, for each escrow. With this they
/// are 1,440, and the half hours that scenes let pass are still more ledgers than what goes on meanwhile takes.
const SHORT_HOUR_SECONDS: u32 = 30;

/// How far behind UTC a ledger may be whose time is taken for UTC.
const OF_NOW_SECONDS: u32 = 30;

/// Ports that are nobody's in particular.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Wall time between two ledgers. `None`: none closes by itself; then [`Sandbox::until`] closes one each time it
    /// looks.
    pub close_every: Option<Duration>,
    /// Ledger time between two ledgers, in seconds, at least 1.
    pub close_step_seconds: u32,
    /// Where the ledger's websocket listens; port 0: the system chooses.
    pub ws_addr: SocketAddr,
    /// Where the ledger's JSON-RPC listens; port 0: the system chooses.
    pub rpc_addr: SocketAddr,
    /// Where the daemon listens; port 0: the system chooses now, and it stays that.
    pub listen: SocketAddr,
    /// How long [`Sandbox::until`] waits.
    pub patience: Duration,
    /// Ledger time at the beginning.
    pub begins: RippleTime,
    /// Which generation of the ledger server the ledger is like.
    pub server: Generation,
}

impl Default for Options {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            close_every: None,
            close_step_seconds: 4,
            ws_addr: any_port,
            rpc_addr: any_port,
            listen: any_port,
            patience: Duration::from_secs(20),
            // Its ledgers are then of now, as a network's are, and the daemon asks how old they are.
            begins: crate::clock::utc(),
            server: Generation::default(),
        }
    }
}

/// A ledger with a treasury on it, and the people around it. Dropping it stops the ledger, where it runs in this
/// process.
#[derive(Debug)]
pub struct Sandbox {
    dir: PathBuf,
    world: World,
    cast: Cast,
    people: People,
    url: String,
    options: Options,
    begun_at: u32,
}

impl Sandbox {
    /// Starts a ledger, makes the treasury on it, and writes configuration, keystore and profiles into `dir`.
    ///
    /// # Errors
    /// [`DevError::Occupied`] where `dir` holds a treasury already; what cannot be started or written.
    pub async fn start(dir: &Path, options: Options) -> Result<Self, DevError> {
        free_directory(dir)?;
        let server = EmbeddedServer::start(EmbeddedConfig {
            ws_addr: options.ws_addr,
            rpc_addr: options.rpc_addr,
            auto_close: options.close_every,
            close_step_seconds: options.close_step_seconds,
            genesis: GenesisConfig { close_time: options.begins, ..GenesisConfig::of(options.server) },
            ..EmbeddedConfig::default()
        })
        .await?;
        Self::on(World::Embedded(server), dir, options).await
    }

    /// As [`Sandbox::start`], on a ledger that is there already, however long it has been used: every account is new.
    /// What the options say of the ledger itself does not count, but for `close_every`: `None` says that nobody else
    /// closes ledgers.
    ///
    /// # Errors
    /// As [`Sandbox::start`]; [`DevError::Network`].
    pub async fn on(world: World, dir: &Path, options: Options) -> Result<Self, DevError> {
        let dir = free_directory(dir)?;
        world.pause_auto_close().await?;
        let cast = Cast::draw();
        provision::provision(&world, &cast).await?;
        let listen = free_port(options.listen)?;
        let hour_seconds = hour_seconds(&world);
        let of_now =
            world.validated().await?.close_time.0.saturating_add(OF_NOW_SECONDS) >= crate::clock::utc().0;
        files::write(&dir, &cast, &Places { ws_url: world.ws_url(), listen, hour_seconds, of_now })?;
        let url = format!("http://{listen}");
        let people = People::new(&cast, &url)?;
        let begun_at = world.validated().await?.index;
        world.resume_auto_close().await?;
        Ok(Self { dir, world, cast, people, url, options, begun_at })
    }

    /// Where the files are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The daemon's configuration.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.dir.join(CONFIG)
    }

    /// What the daemon's processes log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.dir.join("treasuryd.log")
    }

    /// The ledger.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Everybody's keys.
    #[must_use]
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// The people, ready to speak.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// The daemon's API.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The last ledger of the setting up: what is after it is the treasury's own doing.
    #[must_use]
    pub fn begun_at(&self) -> u32 {
        self.begun_at
    }

    /// The ledger time, in seconds, that stands for an hour of an escrow's delay: an hour where time moves any distance
    /// in one close, half a minute where it moves by a ledger each second.
    #[must_use]
    pub fn hour_seconds(&self) -> u32 {
        hour_seconds(&self.world)
    }

    /// The account of that name.
    ///
    /// # Errors
    /// [`DevError::Nobody`].
    pub fn account(&self, name: &str) -> Result<AccountId, DevError> {
        let identity = self.cast.identity(name).ok_or_else(|| DevError::Nobody(name.to_owned()))?;
        Ok(identity.id())
    }

    /// The name of an account, or its address.
    #[must_use]
    pub fn name_of(&self, account: &AccountId) -> String {
        let cast = &self.cast;
        cast.accounts
            .iter()
            .map(|account| &account.identity)
            .chain(cast.people.iter().map(|person| &person.identity))
            .chain(&cast.agents)
            .chain(&cast.destinations)
            .chain([&cast.stranger])
            .find(|identity| identity.id() == *account)
            .map_or_else(|| account.to_string(), |identity| identity.name().to_owned())
    }

    /// The configuration as a daemon in this process can start from.
    ///
    /// # Errors
    /// [`DevError::Daemon`] where it is wrong, which would be a defect here.
    pub fn daemon_config(&self) -> Result<DaemonConfig, DevError> {
        DaemonConfig::load(&self.config_path()).map_err(|error| DevError::Daemon(error.to_string()))
    }

    /// Starts a daemon as a process of its own and waits until it is ready.
    ///
    /// # Errors
    /// [`DevError::Daemon`] where it ends instead, [`DevError::NotSeen`].
    pub async fn spawn_daemon(&self, exe: &Path) -> Result<DaemonProcess, DevError> {
        let mut daemon = DaemonProcess::spawn(exe, &self.config_path(), &self.log_path())?;
        let client = Client::new(&self.url, None)?;
        let deadline = Instant::now() + self.patience();
        loop {
            daemon.check_running()?;
            let found = match client.readiness().await {
                Ok(ready) if ready.ready => return Ok(daemon),
                Ok(ready) => ready.reason.unwrap_or_else(|| "not ready, for no reason it gives".to_owned()),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                let expected = "the daemon is ready".to_owned();
                let found = format!("{found}\n{}", process::tail(&self.log_path()));
                return Err(DevError::NotSeen { expected, found, seconds: self.patience().as_secs() });
            }
            self.pass_time().await?;
        }
    }

    /// Waits until `probe` answers; its error says what there is instead.
    ///
    /// # Errors
    /// [`DevError::NotSeen`] with `expected` and the last thing that `probe` said.
    pub async fn until<T>(
        &self,
        expected: &str,
        mut probe: impl FnMut() -> Result<T, String>,
    ) -> Result<T, DevError> {
        self.until_told(expected, || std::future::ready(probe())).await
    }

    /// As [`Sandbox::until`], for what has to be asked for.
    ///
    /// # Errors
    /// As [`Sandbox::until`].
    pub async fn until_told<T, F: Future<Output = Result<T, String>>>(
        &self,
        expected: &str,
        mut probe: impl FnMut() -> F,
    ) -> Result<T, DevError> {
        let deadline = Instant::now() + self.patience();
        loop {
            match probe().await {
                Ok(seen) => return Ok(seen),
                Err(found) if Instant::now() > deadline => {
                    let seconds = self.patience().as_secs();
                    return Err(DevError::NotSeen { expected: expected.to_owned(), found, seconds });
                }
                Err(_) => self.pass_time().await?,
            }
        }
    }

    /// Waits until so many more ledgers have closed *and* the daemon has taken them in: what it has not done by then
    /// it was not going to do. Answers with the index of the last.
    ///
    /// # Errors
    /// [`DevError::NotSeen`].
    pub async fn let_pass(&self, ledgers: u32) -> Result<u32, DevError> {
        let target = self.world.validated().await?.index.saturating_add(ledgers);
        self.until_told(&format!("ledger {target} closes"), || async move {
            let index = self.world.validated().await.map_err(|error| error.to_string())?.index;
            if index >= target { Ok(()) } else { Err(format!("the last is {index}")) }
        })
        .await?;
        self.daemon_has_seen(target).await?;
        Ok(target)
    }

    /// Waits until the daemon has taken in a ledger and sees clearly.
    ///
    /// # Errors
    /// [`DevError::NotSeen`].
    pub async fn daemon_has_seen(&self, ledger: u32) -> Result<(), DevError> {
        let somebody = self.people.get("alice")?;
        self.until_told(&format!("the daemon has taken in ledger {ledger}"), || async move {
            let status = somebody.client().status().await.map_err(|error| error.to_string())?;
            let at = status.ledger.map_or(0, |ledger| ledger.index);
            if at >= ledger && status.sight.ready {
                Ok(())
            } else {
                Err(format!(
                    "it is at ledger {at}; {}",
                    status.sight.reason.unwrap_or_else(|| "it sees".to_owned())
                ))
            }
        })
        .await
    }

    /// Moves ledger time to a moment, in one close where the ledger can; does nothing where that has passed. Answers
    /// with the last ledger.
    ///
    /// # Errors
    /// [`DevError::Network`].
    pub async fn advance_to(&self, time: RippleTime) -> Result<Validated, DevError> {
        let validated = self.world.validated().await?;
        match time.0.saturating_sub(validated.close_time.0) {
            0 => Ok(validated),
            seconds => Ok(self.world.advance_time(seconds).await?),
        }
    }

    /// Stops the ledger, where it runs in this process.
    pub async fn shutdown(self) {
        self.world.shutdown().await;
    }

    async fn pass_time(&self) -> Result<(), DevError> {
        if self.options.close_every.is_none() {
            self.world.close_ledger().await?;
        }
        tokio::time::sleep(if self.world.capabilities().time { POLL } else { POLL_SLOW }).await;
        Ok(())
    }

    fn patience(&self) -> Duration {
        if self.world.capabilities().time { self.options.patience } else { self.options.patience.max(SLOW) }
    }
}

fn hour_seconds(world: &World) -> u32 {
    if world.capabilities().time { HOUR_SECONDS } else { SHORT_HOUR_SECONDS }
}

/// The directory, made where it is missing, unless a treasury is in it.
fn free_directory(dir: &Path) -> Result<PathBuf, DevError> {
    let file = |source| DevError::File { path: dir.to_path_buf(), source };
    crate::private::create_dir_all(dir).map_err(file)?;
    let dir = dir.canonicalize().map_err(file)?;
    if dir.join(CONFIG).exists() {
        return Err(DevError::Occupied { dir });
    }
    Ok(dir)
}

/// A port that is free now. The daemon binds it later, and again after each restart, so it has to be known before, and
/// nobody else may get it meanwhile: so it is not one of those that the system gives out by itself (from 32768 up on
/// Linux), neither to listeners nor to outgoing connections.
///
/// # Errors
/// [`DevError::Port`].
pub fn free_port(wanted: SocketAddr) -> Result<SocketAddr, DevError> {
    let bound = |addr: SocketAddr| TcpListener::bind(addr).and_then(|listener| listener.local_addr());
    if wanted.port() == 0 {
        let found = (0..100)
            .map(|_| SocketAddr::new(wanted.ip(), rand::random_range(PORTS)))
            .find_map(|addr| bound(addr).ok());
        if let Some(found) = found {
            return Ok(found);
        }
    }
    bound(wanted).map_err(DevError::Port)
}
