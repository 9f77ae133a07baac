//! The words of `treasuryd`, and what each does.

mod store;

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{self, DaemonConfig};
use crate::daemon::Daemon;
use crate::dev::{self, DevArgs};
use crate::signer::{Keystore, WorkFactor};
use crate::supervisor;
use clap::{CommandFactory, Parser, Subcommand};
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use tracing_subscriber::EnvFilter;
use xrpl_wire::{AccountId, Seed};

/// The exit code after the engine stopped by itself: whatever supervises the daemon starts it again.
const STOPPED_BY_ITSELF: u8 = 70;

/// Runs an organisation's XRP Ledger treasury unattended.
#[derive(Debug, Parser)]
#[command(name = "treasuryd", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Run {
        /// The configuration.
        #[arg(long, short, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
        /// Write the log as JSON, one object a line.
        #[arg(long)]
        log_json: bool,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Work on the keystore that the daemon signs with.
    Keystore {
        /// The configuration, which says where the keystore and its passphrase are.
        #[arg(long, short, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
        #[command(subcommand)]
        command: KeystoreCommand,
    },
    /// Check, copy, export and import the store. The daemon must not be running on it.
    Store {
        #[command(subcommand)]
        command: store::StoreCommand,
    },
    /// Build a damaged or lost store again: from what can still be read of it, the second log, and the
    /// ledger's history. What was there is moved aside, never deleted. The daemon must not be running.
    Rebuild {
        /// The configuration, which says where the store and the ledger servers are.
        #[arg(long, short, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
    },
    /// Start a local ledger with a whole treasury on it and the daemon, to try things out; `--tour` plays
    /// the story by itself.
    Dev(DevArgs),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and list everything that is wrong with it.
    Check {
        /// The configuration.
        #[arg(long, short, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
    },
    /// Print every key with its type, default and meaning, in Markdown.
    Reference,
}

#[derive(Debug, Subcommand)]
enum KeystoreCommand {
    /// Make an empty keystore with a new release key. Back the file up: escrows that wait for their
    /// release need that key.
    Create,
    /// Add a seed, read from standard input, and print the account it signs for.
    Add {
        /// The account that the seed's key acts for as RegularKey; its own account where left out.
        #[arg(long)]
        account: Option<AccountId>,
    },
    /// Print the accounts that the keystore can sign for.
    List,
}

/// The daemon's `main`.
#[must_use]
pub fn main() -> ExitCode {
    let done = color_eyre::install().and_then(|()| command(Cli::parse().command));
    // A wrong passphrase or a store in use needs no backtrace; a panic still gets one.
    done.unwrap_or_else(|error| {
        eprintln!("treasuryd: {error:#}");
        ExitCode::FAILURE
    })
}

/// The page of the reference on this program: docs/reference/treasuryd.md.
#[must_use]
pub fn reference() -> String {
    crate::manual::page(Cli::command())
}

fn command(command: Command) -> Result<ExitCode> {
    // With two providers compiled in, the first TLS connection panics unless one is chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match command {
        Command::Run { config, log_json } => run(&config, log_json),
        Command::Config { command: ConfigCommand::Check { config } } => check_config(&config),
        Command::Config { command: ConfigCommand::Reference } => {
            print!("{}", config::reference());
            Ok(ExitCode::SUCCESS)
        }
        Command::Keystore { config, command } => keystore(&config, command),
        Command::Store { command } => store::run(command),
        Command::Rebuild { config } => store::rebuild(&load(&config)?),
        Command::Dev(args) => run_dev(args),
    }
}

fn run_dev(args: DevArgs) -> Result<ExitCode> {
    let exe = std::env::current_exe()?;
    match tokio::runtime::Runtime::new()?.block_on(dev::cli::run(args, exe)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn run(path: &Path, log_json: bool) -> Result<ExitCode> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sled=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if log_json {
        log.json().init()
    } else {
        log.init()
    }
    let config = load(path)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut daemon = Daemon::start(config).await?;
        println!("{}", daemon.url());
        let telling = supervisor::spawn(daemon.engine().clone());
        let stopped = tokio::select! {
            why = daemon.stopped() => Some(why),
            signal = told_to_stop() => {
                tracing::info!(signal = signal?, "shutting down");
                None
            }
        };
        supervisor::stopping();
        telling.abort();
        daemon.shutdown().await;
        match stopped {
            None => Ok(ExitCode::SUCCESS),
            Some(why) => {
                eprintln!("treasuryd stopped: {why}");
                Ok(ExitCode::from(STOPPED_BY_ITSELF))
            }
        }
    })
}

/// Waits for the signals that supervisors and people end processes with.
async fn told_to_stop() -> std::io::Result<&'static str> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| "SIGINT"),
            _ = terminate.recv() => Ok("SIGTERM"),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.map(|()| "ctrl-c")
    }
}

fn load(path: &Path) -> Result<DaemonConfig> {
    DaemonConfig::load(path).map_err(|error| eyre!("{error}"))
}

fn check_config(path: &Path) -> Result<ExitCode> {
    match DaemonConfig::load(path) {
        Ok(config) => {
            println!(
                "{} is right: {} accounts, {} people, {} rules, policy {}",
                path.display(),
                config.treasury.accounts.len(),
                config.treasury.people.len(),
                config.treasury.policy.rules().len(),
                config.treasury.policy.hash()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn keystore(path: &Path, command: KeystoreCommand) -> Result<ExitCode> {
    let config = load(path)?;
    let passphrase = config.passphrase.read()?;
    match command {
        KeystoreCommand::Create => {
            Keystore::create(&config.keystore, &passphrase, WorkFactor::Normal)?;
            println!("{} made; back it up together with its passphrase", config.keystore.display());
        }
        KeystoreCommand::Add { account } => {
            let mut keystore = Keystore::open(&config.keystore, &passphrase)?;
            let seed = read_seed()?;
            match account {
                None => println!("{}", keystore.add(seed)?),
                Some(account) => {
                    keystore.add_for(account, seed)?;
                    println!("{account}");
                }
            }
        }
        KeystoreCommand::List => {
            for account in Keystore::open(&config.keystore, &passphrase)?.list() {
                println!("{account}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a seed from standard input. Never from an argument: those are seen by every process and kept
/// in the shell's history.
fn read_seed() -> Result<Seed> {
    let mut line = zeroize::Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).wrap_err("cannot read the seed from standard input")?;
    match line.trim().parse() {
        Ok(seed) => Ok(seed),
        Err(_) => bail!("standard input has no seed: one line that begins with `s`"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_of_the_daemon_is_what_the_program_says() {
        crate::manual::check("treasuryd.md", &super::reference());
    }
}
