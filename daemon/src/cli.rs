//! The words of `treasuryd`, and what each does.

mod audit;
mod store;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::apart::{Apart, Unread};
use crate::config::{self, DaemonConfig, PassphraseError, PassphraseSource, warnings};
use crate::daemon::Daemon;
#[cfg(feature = "dev")]
use crate::dev::{self, DevArgs};
use crate::guard::{self, cli::GuardCommand};
use crate::lines;
use crate::log::{Form, Log};
use crate::private;
use crate::signals::{Signals, Told};
use crate::signer::{Keystore, SeedProblem, WorkFactor, check_keys, check_seed};
use crate::supervisor;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use secrecy::SecretString;
use treasury_core::Treasury;
use treasury_core::charter::Table;
use treasury_tools::console::{self, Unwritten, out, say};
use treasury_tools::text::without_secrets;
use xrpl_wire::{AccountId, KeyType, Seed};

/// The exit code after the engine stopped by itself: whatever supervises the daemon starts it again.
const STOPPED_BY_ITSELF: u8 = 70;

/// The exit code of a strict check of a configuration that is right and dangerous.
const DANGEROUS: u8 = 4;

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
        /// End in order when standard input ends: for a parent that must not leave the daemon behind, however it
        /// ends itself.
        #[arg(long)]
        end_with_stdin: bool,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Work on the keystore that the daemon signs with.
    Keystore {
        /// The configuration, which says where the keystore and its passphrase are.
        #[arg(long, short, global = true, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
        /// A file whose first line is the keystore's passphrase, where the one that the configuration names is there
        /// for the running daemon alone.
        #[arg(long, global = true, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        #[command(subcommand)]
        command: KeystoreCommand,
    },
    /// Check, copy, export and import the store. But for `backup`, the daemon must not be running on it.
    Store {
        #[command(subcommand)]
        command: store::StoreCommand,
    },
    /// Prove, export and read the audit log of a data directory, and take out of it what is not to be kept.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Build a damaged or lost store again: from what can still be read of it, the second log, and the
    /// ledger's history. What was there is moved aside, never deleted. The daemon must not be running.
    Rebuild {
        /// The configuration, which says where the store and the ledger servers are.
        #[arg(long, short, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
    },
    /// Run a guard, which holds a part of what releases an escrow, or speak to one. See docs/how-to/guard.md.
    Guard {
        #[command(subcommand)]
        command: GuardCommand,
    },
    /// Start a local ledger with a whole treasury on it and the daemon, to try things out; `--tour` plays
    /// the story by itself.
    #[cfg(feature = "dev")]
    Dev(DevArgs),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and list everything that is wrong with it, what the keystore lacks, and what is right and
    /// dangerous all the same. Exit code 0: right; 1: wrong; 4: dangerous, with `--strict`.
    Check {
        /// The configuration.
        #[arg(conflicts_with = "config")]
        file: Option<PathBuf>,
        /// The same.
        #[arg(long, short, env = "TREASURYD_CONFIG", default_value = "treasuryd.toml")]
        config: PathBuf,
        /// End with exit code 4 where something is dangerous.
        #[arg(long)]
        strict: bool,
        /// Do not look into the keystore: where its passphrase is not at hand.
        #[arg(long)]
        without_keystore: bool,
        /// A file whose first line is the keystore's passphrase, where the one that the configuration names is there
        /// for the running daemon alone.
        #[arg(long, value_name = "FILE", conflicts_with = "without_keystore")]
        passphrase_file: Option<PathBuf>,
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
        /// The type of key that the seed is for. An `sEd` seed says so itself; one that begins with a plain `s` does
        /// not, and is read as secp256k1 where this is left out.
        #[arg(long, value_enum)]
        key_type: Option<KeyTypeArg>,
    },
    /// Draw a new release key, with which escrows are made after the daemon's next start. Earlier ones are released with
    /// the keys that they were made with, so back the file up anew and keep all of it.
    RotateReleaseKey,
    /// Print the accounts that the keystore can sign for.
    List,
}

/// A type of key, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeyTypeArg {
    Ed25519,
    Secp256k1,
}

/// The daemon's `main`.
#[must_use]
pub fn main() -> ExitCode {
    private::keep_out_others();
    let done = console::install_reports().and_then(|()| command(Cli::parse().command));
    done.unwrap_or_else(|error| {
        if error.downcast_ref().is_some_and(Unwritten::is_unread) {
            return ExitCode::SUCCESS;
        }
        // A wrong passphrase or a store in use needs no backtrace; a panic still gets one.
        say!("treasuryd: {}", told(&error));
        ExitCode::FAILURE
    })
}

/// The error and its causes, but for those that it has told already. It may quote what stands where a path belongs.
fn told(error: &color_eyre::Report) -> String {
    let told = error.chain().fold(String::new(), |told, cause| {
        let cause = cause.to_string();
        match told.as_str() {
            "" => cause,
            so_far if so_far.contains(&cause) => told,
            so_far => format!("{so_far}: {cause}"),
        }
    });
    without_secrets(&told)
}

/// The page of the reference on this program: docs/reference/treasuryd.md.
#[must_use]
pub fn reference() -> String {
    treasury_tools::manual::page(Cli::command())
}

fn command(command: Command) -> Result<ExitCode> {
    // With two providers compiled in, the first TLS connection panics unless one is chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match command {
        Command::Run { config, log_json, end_with_stdin } => run(&config, log_json, end_with_stdin),
        Command::Config {
            command: ConfigCommand::Check { file, config, strict, without_keystore, passphrase_file },
        } => check_config(&file.unwrap_or(config), without_keystore, passphrase_file, strict),
        Command::Config { command: ConfigCommand::Reference } => {
            out!("{}", config::reference().trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Keystore { config, passphrase_file, command } => keystore(&config, passphrase_file, command),
        Command::Store { command } => store::run(command),
        Command::Guard { command } => guard::cli::run(command),
        Command::Audit { command } => audit::run(command),
        Command::Rebuild { config } => store::rebuild(&load(&config)?),
        #[cfg(feature = "dev")]
        Command::Dev(args) => run_dev(args),
    }
}

#[cfg(feature = "dev")]
fn run_dev(args: DevArgs) -> Result<ExitCode> {
    let exe = std::env::current_exe()?;
    match tokio::runtime::Runtime::new()?.block_on(dev::cli::run(args, exe)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is_unread() => Ok(ExitCode::SUCCESS),
        Err(error) => {
            say!("{}", without_secrets(&error.to_string()));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn run(path: &Path, log_json: bool, end_with_stdin: bool) -> Result<ExitCode> {
    let form = if log_json { Form::Json } else { Form::Text };
    let log = Log::start(form)?;
    let ended = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(attend(path, end_with_stdin));
        // A file on another host that does not answer, or a name that is being resolved, keeps nobody waiting.
        runtime.shutdown_background();
        ended
    });
    let ended = match ended {
        // Whoever reads JSON gets nothing else.
        Err(error) if form == Form::Json => {
            lines::not_started(told(&error));
            Ok(ExitCode::FAILURE)
        }
        ended => ended,
    };
    log.flush();
    ended
}

/// How often the files of lists are looked at: who comes to stand on one is stopped within a minute, and looking costs
/// nothing where no file has changed.
const LISTS_EVERY: Duration = Duration::from_secs(30);

/// Runs a daemon until it is told to end, or ends by itself.
async fn attend(path: &Path, end_with_stdin: bool) -> Result<ExitCode> {
    let mut signals = Signals::watch()?;
    let mut is_outdated = false;
    let mut starting = std::pin::pin!(start(path));
    let mut daemon = loop {
        tokio::select! {
            daemon = &mut starting => break daemon?,
            // Reading a store may take a while, and what has not begun needs no end.
            told = signals.told() => match told {
                Told::Stop(told_by) => {
                    lines::stopping(told_by);
                    return Ok(ExitCode::SUCCESS);
                }
                Told::Reload => is_outdated = true,
            }
        }
    };
    let configuration = Apart::with_places(READINGS);
    if is_outdated {
        reload(&daemon, path, &configuration).await;
    }
    // Whether anybody reads it does not matter to a daemon.
    let _ = out!("{}", daemon.url());
    let telling = supervisor::spawn(daemon.engine().clone());
    let mut ended = std::pin::pin!(stdin_ended());
    let mut lists = tokio::time::interval(LISTS_EVERY);
    let stopped = loop {
        tokio::select! {
            why = daemon.stopped() => break Some(why),
            _ = lists.tick() => {
                if let Err(error) = daemon.reload_lists().await {
                    lines::config_refused(without_secrets(&error.to_string()));
                }
            }
            told = signals.told() => match told {
                Told::Stop(told_by) => {
                    lines::stopping(told_by);
                    break None;
                }
                Told::Reload => reload(&daemon, path, &configuration).await,
            },
            () = &mut ended, if end_with_stdin => {
                lines::stopping("the end of standard input");
                break None;
            }
        }
    };
    supervisor::stopping();
    telling.abort();
    daemon.shutdown().await;
    Ok(match stopped {
        None => ExitCode::SUCCESS,
        // The line of the log has said why.
        Some(_) => ExitCode::from(STOPPED_BY_ITSELF),
    })
}

async fn start(path: &Path) -> Result<Daemon> {
    let path = path.to_owned();
    // It may read what is on another host, and does not keep signals waiting.
    let config = tokio::task::spawn_blocking(move || load(&path)).await??;
    Ok(Daemon::start(config).await?)
}

/// So many readings of the configuration may hang: whoever corrects it is not kept from that by those before.
const READINGS: usize = 8;

/// How long the configuration is waited for, with all files that it names. Signals wait as long.
const READ_FOR: Duration = Duration::from_secs(10);

/// Has the configuration read anew. What is wrong with it changes nothing.
async fn reload(daemon: &Daemon, path: &Path, apart: &Apart) {
    supervisor::reloading();
    let file = path.to_owned();
    let read = apart.read(READ_FOR, move || {
        // One that was a pipe has been read, and would keep signals waiting for ever.
        private::open_file(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        DaemonConfig::load(&file).map_err(|error| error.to_string())
    });
    let refused = match read.await {
        Ok(Ok(config)) => daemon.reload(&config).await.err().map(|error| error.to_string()),
        Ok(Err(problem)) => Some(problem),
        Err(Unread::Hangs) => Some(format!(
            "it was not read within {} s, with the files that it names; where it names nothing any more that does not answer, \
             {READINGS} readings of before still wait, and a new start is needed",
            READ_FOR.as_secs()
        )),
        Err(Unread::Panicked) => Some("what reads it has panicked".to_owned()),
    };
    if let Some(reason) = refused {
        lines::config_refused(without_secrets(&reason));
    }
    supervisor::ready();
}

/// Waits until standard input ends. On a thread of its own: reading cannot be interrupted, and the end of the
/// process must not wait for it.
pub(crate) async fn stdin_ended() {
    let (send, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = send.send(());
    });
    // The thread sends before it ends.
    let _ = ended.await;
}

fn load(path: &Path) -> Result<DaemonConfig> {
    DaemonConfig::load(path).map_err(|error| eyre!("{error}"))
}

fn check_config(
    path: &Path,
    without_keystore: bool,
    passphrase_file: Option<PathBuf>,
    strict: bool,
) -> Result<ExitCode> {
    match DaemonConfig::load(path) {
        Ok(config) => {
            if !without_keystore {
                let passphrase = passphrase(&config, passphrase_file)?;
                check_keys(&config, &Keystore::open(&config.keystore, &passphrase)?)?;
            }
            out!(
                "{} is right: {} accounts, {} people, {} rules, policy {}\nput in force by people it is called {}",
                path.display(),
                config.treasury.accounts.len(),
                config.treasury.people.len(),
                config.treasury.policy.rules().len(),
                config.treasury.policy.hash(),
                Table::of(&config.treasury).hash()
            )?;
            let mut warnings = warnings::of(&config);
            let (places, file) = (&config.rule_places, config.policy_file.as_deref());
            warnings.extend(warnings::of_table(&config.treasury, places, file));
            if let (Some(policy), Some((file, places))) = (config.treasury.policy.shadow(), &config.shadow) {
                let beside = Treasury { policy: policy.clone(), ..config.treasury.clone() };
                warnings.extend(warnings::of_table(&beside, places, Some(file)));
            }
            for warning in &warnings {
                say!("warning: {warning}");
            }
            Ok(if strict && !warnings.is_empty() { ExitCode::from(DANGEROUS) } else { ExitCode::SUCCESS })
        }
        Err(error) => {
            say!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The keystore's passphrase, from the file that was named or from where the configuration says.
fn passphrase(config: &DaemonConfig, file: Option<PathBuf>) -> Result<SecretString> {
    if let Some(file) = file {
        return Ok(PassphraseSource::File(file).read()?);
    }
    config.passphrase.read().map_err(|error| match error {
        PassphraseError::Unreadable { .. } => {
            eyre!(
                "{error}; where it is there for the running daemon alone, name another with --passphrase-file"
            )
        }
        other => other.into(),
    })
}

fn keystore(path: &Path, passphrase_file: Option<PathBuf>, command: KeystoreCommand) -> Result<ExitCode> {
    let config = load(path)?;
    let passphrase = passphrase(&config, passphrase_file)?;
    match command {
        KeystoreCommand::Create => {
            Keystore::create(&config.keystore, &passphrase, WorkFactor::Normal)?;
            out!("{} made; back it up together with its passphrase", config.keystore.display())?;
        }
        KeystoreCommand::Add { account, key_type } => {
            let mut keystore = Keystore::open(&config.keystore, &passphrase)?;
            let seed = read_as(read_seed()?, key_type);
            match account {
                None => {
                    match check_seed(&config, &seed) {
                        Err(problem @ SeedProblem::OtherReading { .. }) if key_type.is_none() => {
                            bail!("{problem}")
                        }
                        Err(problem) => say!("note: {problem}"),
                        Ok(()) => {}
                    }
                    out!("{}", keystore.add(seed)?)?;
                }
                Some(account) => {
                    keystore.add_for(account, seed)?;
                    out!("{account}")?;
                }
            }
        }
        KeystoreCommand::RotateReleaseKey => {
            let version = Keystore::open(&config.keystore, &passphrase)?.rotate_release_key()?;
            out!(
                "release key {version} made; back {} up anew, and start the daemon anew",
                config.keystore.display()
            )?;
        }
        KeystoreCommand::List => {
            for account in Keystore::open(&config.keystore, &passphrase)?.list() {
                out!("{account}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The seed as one of the type of key that was asked for.
fn read_as(seed: Seed, key_type: Option<KeyTypeArg>) -> Seed {
    let asked = match key_type {
        None => seed.key_type(),
        Some(KeyTypeArg::Ed25519) => KeyType::Ed25519,
        Some(KeyTypeArg::Secp256k1) => KeyType::Secp256k1,
    };
    if seed.key_type() == asked { seed } else { seed.other_reading() }
}

/// Reads a seed from standard input. Never from an argument: those are seen by every process and kept
/// in the shell's history.
fn read_seed() -> Result<Seed> {
    let line = console::secret_line("the seed (it is not shown while you type):")
        .wrap_err("cannot read the seed from standard input")?;
    match line.trim().parse() {
        Ok(seed) => Ok(seed),
        Err(_) => bail!("standard input has no seed: one line that begins with `s`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let outer =
            |source: std::io::Error| crate::config::PassphraseError::Unreadable { path: "p".into(), source };
        let error = color_eyre::Report::from(outer(std::io::Error::other("no such disk")));
        assert_eq!(told(&error), "the passphrase file p cannot be read: no such disk");
        let error = error.wrap_err("it does not start");
        assert_eq!(told(&error), "it does not start: the passphrase file p cannot be read: no such disk");
    }

    /// Danger: a seed or a secret is written where the path of its file belongs, and stands in the log from then on.
    #[test]
    fn what_is_told_of_a_file_holds_no_secret() {
        for secret in ["sEdTM1uX8pu2do5XvTnutH6HsouMaM2", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            let error = DaemonConfig::load(Path::new(secret)).unwrap_err();
            let told = told(&color_eyre::Report::from(error));
            assert!(!told.contains(secret) && told.contains("not shown) cannot be read"), "{told}");
        }
    }

    #[test]
    fn the_reference_of_the_daemon_is_what_the_program_says() {
        crate::testing::reference("treasuryd.md", &super::reference());
    }
}
