//! `treasuryd guard …`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use color_eyre::eyre::{Result, eyre};
use hyper::Method;
use secrecy::SecretString;
use treasury_core::effect::GuardRefusal;
use treasury_core::units::{AccountId, EscrowKey};
use treasury_tools::console::{out, say};
use treasury_tools::text::{clean, shorten};

use super::client::{GuardClient, GuardConfig, address};
use super::{
    Deed, GuardSettings, RecordAnswer, Running, StatusAnswer, Stop, StopId, StopRequest, Subject, What,
};
use crate::config::PassphraseSource;
use crate::http::Tokens;
use crate::log::{Form, Log};
use crate::signals::{Signals, Told};
use crate::signer::{Keystore, WorkFactor};
use crate::{clock, lines, supervisor};

/// How long an operator's request may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a guard does, and what is done with one.
#[derive(Debug, Subcommand)]
pub(crate) enum GuardCommand {
    /// Run the guard.
    Run {
        /// The guard's configuration.
        #[arg(long, short, env = "TREASURYD_GUARD_CONFIG", default_value = "guard.toml")]
        config: PathBuf,
        /// Write the log as JSON, one object a line.
        #[arg(long)]
        log_json: bool,
        /// End in order when standard input ends: for a parent that must not leave the guard behind, however it ends itself.
        #[arg(long)]
        end_with_stdin: bool,
    },
    /// Read the guard's configuration, and say what is wrong with it.
    Check {
        /// The guard's configuration.
        #[arg(long, short, env = "TREASURYD_GUARD_CONFIG", default_value = "guard.toml")]
        config: PathBuf,
    },
    /// Make a keystore with a new key of the guard's. Back it up: escrows that wait for their release need that key.
    CreateKey {
        /// The guard's configuration.
        #[arg(long, short, env = "TREASURYD_GUARD_CONFIG", default_value = "guard.toml")]
        config: PathBuf,
        /// A file whose first line is the passphrase, instead of the one that the configuration names.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Draw a new key, with which conditions are made after the guard's next start. What was made with earlier ones is
    /// released with them.
    RotateKey {
        /// The guard's configuration.
        #[arg(long, short, env = "TREASURYD_GUARD_CONFIG", default_value = "guard.toml")]
        config: PathBuf,
        /// A file whose first line is the passphrase, instead of the one that the configuration names.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Say what is stopped, and how much was given.
    Status {
        #[command(flatten)]
        at: At,
    },
    /// Show the conditions that were made for an escrow, and whether its share was given.
    Show {
        /// Owner and Sequence: `rOwner:123`.
        escrow: EscrowKey,
        #[command(flatten)]
        at: At,
    },
    /// List the conditions that were made: first those whose shares were not given, by when they can be released.
    List {
        /// At most so many, up to 500.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        at: At,
    },
    /// Say who stopped and lifted what, and which shares were given, newest first.
    History {
        /// What was done before the deed of this number.
        #[arg(long)]
        before: Option<u64>,
        /// At most so many, up to 500.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        at: At,
    },
    /// Give no share for anything any more, and make no condition.
    Freeze {
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// Give no share for one escrow, whatever it is asked.
    Withhold {
        /// Owner and Sequence: `rOwner:123`.
        escrow: EscrowKey,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// Give no share for whatever pays a destination, or is an owner's.
    Flag {
        /// Whom not to pay.
        #[arg(long, required_unless_present = "owner", conflicts_with = "owner")]
        destination: Option<AccountId>,
        /// Whose escrows not to release.
        #[arg(long)]
        owner: Option<AccountId>,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// Lift stops, one after the other, up to the first that is refused. Where the configuration asks for it, by somebody else than
    /// whoever set them.
    Lift {
        /// Their ids, such as `G3`.
        #[arg(required = true)]
        ids: Vec<StopId>,
        #[command(flatten)]
        at: At,
    },
}

/// Where the guard is, and as whom to speak to it.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// The guard's address.
    #[arg(long, env = "TREASURYD_GUARD_URL", default_value = "http://127.0.0.1:8581")]
    url: String,
    /// A file whose first line is your token.
    #[arg(long, env = "TREASURYD_GUARD_TOKEN_FILE", value_name = "FILE")]
    token_file: PathBuf,
}

/// Carries one out.
pub(crate) fn run(command: GuardCommand) -> Result<ExitCode> {
    match command {
        GuardCommand::Run { config, log_json, end_with_stdin } => serve(&config, log_json, end_with_stdin)?,
        GuardCommand::Check { config } => {
            let settings = GuardSettings::load(&config)?;
            out!(
                "{} is right: {} servers, {} owners, {} operators",
                config.display(),
                settings.sight.endpoints.len(),
                settings.policy.owners.len(),
                settings.tokens.operators.len()
            )?;
            if settings.sight.endpoints.len() < 3 {
                say!(
                    "warning: with fewer than 3 ledger servers one of them alone can mislead or silence the guard"
                );
            }
            if settings.policy.limits.is_empty() {
                say!("warning: no [[limit]]: the guard releases any number of escrows");
            }
        }
        GuardCommand::CreateKey { config, passphrase_file } => {
            let (settings, passphrase) = with_passphrase(&config, passphrase_file)?;
            Keystore::create(&settings.keystore, &passphrase, WorkFactor::Normal)?;
            out!("{} made; back it up together with its passphrase", settings.keystore.display())?;
        }
        GuardCommand::RotateKey { config, passphrase_file } => {
            let (settings, passphrase) = with_passphrase(&config, passphrase_file)?;
            let mut keystore = Keystore::open(&settings.keystore, &passphrase)?;
            let version = keystore.rotate_release_key()?;
            let shown = settings.keystore.display();
            out!("key {version} made; back {shown} up anew, and start the guard anew")?;
        }
        GuardCommand::Status { at } => {
            shown(at.ask::<StatusAnswer>(Method::GET, "/v1/status", Vec::new())?)?
        }
        GuardCommand::Show { escrow, at } => show(escrow, &at)?,
        GuardCommand::List { limit, at } => {
            let records: Vec<RecordAnswer> =
                at.ask(Method::GET, &format!("/v1/escrows?limit={limit}"), Vec::new())?;
            records.iter().try_for_each(told)?;
            if records.is_empty() {
                out!("no condition was made here")?;
            }
        }
        GuardCommand::History { before, limit, at } => {
            let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
            let path = format!("/v1/history?limit={limit}{before}");
            let deeds: Vec<Deed> = at.ask(Method::GET, &path, Vec::new())?;
            for deed in &deeds {
                out!("{}", in_words(deed))?;
            }
            if deeds.is_empty() {
                out!("nothing was done")?;
            }
        }
        GuardCommand::Freeze { reason, at } => at.stop(Subject::Everything, reason)?,
        GuardCommand::Withhold { escrow, reason, at } => {
            at.stop(Subject::Escrow(escrow), reason)?;
            // The stop stands, whatever the guard knows of it.
            warned(escrow, &at)?;
        }
        GuardCommand::Flag { destination: Some(account), reason, at, .. } => {
            at.stop(Subject::Destination(account), reason)?;
        }
        GuardCommand::Flag { owner: Some(account), reason, at, .. } => {
            at.stop(Subject::Owner(account), reason)?
        }
        GuardCommand::Flag { .. } => return Err(eyre!("name --destination or --owner")),
        GuardCommand::Lift { ids, at } => {
            let mut left = None;
            for id in ids {
                left = Some(at.ask(Method::POST, &format!("/v1/stops/{id}/lift"), Vec::new())?);
                out!("{id} is lifted")?;
            }
            left.map_or(Ok(()), shown)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn with_passphrase(path: &Path, file: Option<PathBuf>) -> Result<(GuardSettings, SecretString)> {
    let settings = GuardSettings::load(path)?;
    let passphrase =
        file.map_or_else(|| settings.passphrase.read(), |file| PassphraseSource::File(file).read())?;
    Ok((settings, passphrase))
}

fn serve(path: &Path, log_json: bool, end_with_stdin: bool) -> Result<()> {
    let settings = GuardSettings::load(path)?;
    let log = Log::start(if log_json { Form::Json } else { Form::Text })?;
    let ended = tokio::runtime::Runtime::new()?.block_on(async {
        let mut signals = Signals::watch()?;
        let running = Running::start(settings).await?;
        supervisor::ready();
        // Whether anybody reads it does not matter to a guard.
        let _ = out!("{}", running.url());
        let mut ended = std::pin::pin!(crate::cli::stdin_ended());
        loop {
            tokio::select! {
                told = signals.told() => if let Told::Stop(by) = told {
                    lines::stopping(by);
                    break;
                },
                () = &mut ended, if end_with_stdin => {
                    lines::stopping("the end of standard input");
                    break;
                }
            }
        }
        supervisor::stopping();
        running.shutdown().await;
        Ok(())
    });
    log.flush();
    ended
}

impl At {
    fn ask<T: serde::de::DeserializeOwned>(&self, method: Method, path: &str, body: Vec<u8>) -> Result<T> {
        let receiver = address(&self.url, None).map_err(|problem| eyre!("--url {problem}"))?;
        let token_file = self.token_file.clone();
        let config = GuardConfig { receiver, token_file, patience: PATIENCE, new_escrows: false };
        let client = GuardClient::new(&config, None, Tokens::new(&BTreeMap::new()));
        let asked = tokio::runtime::Runtime::new()?.block_on(client.ask(method, path, body));
        asked.map_err(|GuardRefusal { code, reason, .. }| eyre!("{code}: {reason}"))
    }

    fn stop(&self, subject: Subject, mut reason: String) -> Result<()> {
        shorten(&mut reason);
        let body = serde_json::to_vec(&StopRequest { subject, reason })?;
        let stop: Stop = self.ask(Method::POST, "/v1/stops", body)?;
        out!("{} is stopped: {}", stop.subject, stop.id)?;
        Ok(())
    }
}

fn shown(status: StatusAnswer) -> Result<()> {
    let StatusAnswer { version, records, given, stops } = status;
    out!("guard {version}: {records} conditions made, {given} shares given")?;
    for stop in &stops {
        out!("{} {} is stopped by {}: {}", stop.id, stop.subject, stop.by, stop.reason)?;
    }
    if stops.is_empty() {
        out!("nothing is stopped")?;
    }
    Ok(())
}

/// Says where a stop does not do what whoever set it may think.
fn warned(escrow: EscrowKey, at: &At) -> Result<()> {
    let records: Vec<RecordAnswer> = at.ask(Method::GET, &format!("/v1/escrows/{escrow}"), Vec::new())?;
    if records.is_empty() {
        out!("WARNING: no condition was made here for {escrow}: look at its owner and its Sequence")?;
    }
    for given in records.iter().filter_map(|record| record.given) {
        out!("WARNING: its share was given at {given}: it can be released all the same")?;
    }
    Ok(())
}

fn told(record: &RecordAnswer) -> Result<()> {
    let RecordAnswer { terms, condition, given } = record;
    let given = given
        .map_or_else(|| "its share was not given".to_owned(), |at| format!("its share was given at {at}"));
    out!(
        "{}: {} to {}, from {} to {}; {given}\n  Condition {condition}",
        terms.key(),
        terms.amount.words(),
        terms.recipient(),
        terms.finish_after,
        terms.cancel_after
    )?;
    Ok(())
}

/// A deed in one line.
fn in_words(deed: &Deed) -> String {
    let Deed { number, at_unix, by, what } = deed;
    let at = clock::unix(*at_unix);
    let what = match what {
        What::Stopped { stop, subject, reason } => format!("{by} stopped {subject} ({stop}): {reason}"),
        What::Lifted { stop, subject } => format!("{by} lifted {stop}, which was on {subject}"),
        What::Given { escrow, destination, amount } => {
            format!("the share of {escrow} was given: {} to {destination}", amount.words())
        }
    };
    format!("{number} {at} {}", clean(&what))
}

fn show(escrow: EscrowKey, at: &At) -> Result<()> {
    let records: Vec<RecordAnswer> = at.ask(Method::GET, &format!("/v1/escrows/{escrow}"), Vec::new())?;
    records.iter().try_for_each(told)?;
    if records.is_empty() {
        out!("no condition was made here for {escrow}: if it stands, it is not guarded")?;
    }
    Ok(())
}
