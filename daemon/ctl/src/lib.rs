//! `treasuryctl`, the people's tool: what they ask of the daemon, and their signatures.
//!
//! Keys stay here. What is signed is decoded from its bytes by [`check()`] and shown in words first.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod audit;
pub mod cli;
mod cosign;
mod deliveries;
mod destinations;
mod drill;
mod exposure;
mod forecast;
mod lockout;
mod policy;
pub mod profile;
mod show;
mod watch;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use rand::Rng;
use serde::Serialize;

use cli::Audit;
pub use cli::{Cli, Command};
pub use profile::{Profile, ProfileError, ProfileFile};
pub use show::table;
pub use treasury_verify::{CheckError, Checked, check};

use treasury_api::client::{Client, ClientError};
use treasury_api::types::{
    DoneView, ErrorBody, ErrorView, LiftedView, ProposalView, ProposalsQuery, ProposeRequest, StoppedView,
};
use treasury_tools::text::{clean, clean_json, has_seed, shorten, without_secrets, without_seeds};
use treasury_tools::{console, private};
use treasury_verify::audit::AuditFault;

/// What goes wrong.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// The command line cannot be carried out as it is.
    #[error("{0}")]
    Usage(String),
    /// The profile, or a file it names.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The proposal must not be signed.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The daemon refused or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A proposal may or may not have been made.
    #[error("the proposal may or may not exist: {reason}")]
    ProposalUnknown {
        /// Why there is no answer.
        reason: String,
        /// The key to ask again with.
        key: String,
    },
    /// Policy denies what was asked for. The proposal stands with that as its end.
    #[error("policy denies it: rule \"{rule}\"")]
    Denied {
        /// The rule.
        rule: String,
        /// What is printed all the same.
        answer: String,
    },
    /// The table is not as it was asked to be.
    #[error("{what}")]
    PolicyAmiss {
        /// In what.
        what: &'static str,
        /// What is printed all the same.
        answer: String,
    },
    /// The audit log is not what was written.
    #[error("{0}")]
    AuditChanged(#[from] AuditFault),
    /// Something is gone from the audit log, and nothing in it says that it was taken away.
    #[error("{what}")]
    AuditMissing {
        /// What.
        what: String,
        /// What is printed all the same.
        answer: String,
    },
    /// A file that was named cannot be read.
    #[error("{path} cannot be read: {reason}")]
    Unread {
        /// Which.
        path: String,
        /// Why.
        reason: std::io::Error,
    },
    /// A file that was named cannot be made.
    #[error("cannot make {path}: {reason}")]
    Unmade {
        /// Which.
        path: String,
        /// Why.
        reason: std::io::Error,
    },
    /// Somebody said no.
    #[error("nothing was signed")]
    Declined,
    /// What would be signed cannot be shown.
    #[error("what would be signed cannot be shown, so nothing was: {0}")]
    NotShown(std::io::Error),
    /// Standard input or output.
    #[error("cannot write the answer: {0}")]
    Io(#[from] std::io::Error),
}

impl CtlError {
    /// 2: what was typed or written into files is wrong. 3: policy denies it. 1: everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Profile(_)
            | Self::Unread { .. }
            | Self::Unmade { .. }
            | Self::Client(ClientError::BadUrl(_) | ClientError::PlainHttp { .. }) => 2,
            Self::Denied { .. } => 3,
            _ => 1,
        }
    }

    /// Code, message and advice, as the API words its errors.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        let view = |code: &str, advice: &str| ErrorView {
            code: code.to_owned(),
            // It may quote what was typed, or stands where a path belongs.
            message: without_secrets(&self.to_string()),
            advice: advice.to_owned(),
        };
        match self {
            Self::Client(ClientError::Api { error, .. }) => error.clone(),
            Self::Client(ClientError::BadUrl(_)) => {
                view("BAD_URL", "See --url, the profile's `url`, and TREASURYD_URL.")
            }
            Self::Client(ClientError::PlainHttp { .. }) => view(
                "PLAIN_HTTP",
                "Use https, or a tunnel that ends on this machine; where the network in between is yours alone, say \
                 --plain-http, or `plain_http = true` in the profile.",
            ),
            Self::Client(ClientError::Unreached(_)) => view(
                "NO_ANSWER",
                "Nothing was sent. See whether the daemon runs, and --url. A certificate of a private authority is \
                 believed where SSL_CERT_FILE names it.",
            ),
            Self::Client(ClientError::Transport(_)) => view(
                "NO_ANSWER",
                "It is not known whether the request was carried out: look before you send it again.",
            ),
            Self::Client(ClientError::BadAnswer(_)) => view(
                "BAD_ANSWER",
                "See whether --url is a treasury daemon's. If it is, something in between answered: it is not known \
                 whether the request was carried out, so look before you send it again.",
            ),
            Self::ProposalUnknown { key, .. } => view(
                "NO_ANSWER",
                &format!("Ask again with --key {key}: the same key never makes a second proposal."),
            ),
            Self::Denied { .. } => view("DENIED", "Ask whoever keeps the policy, or for something else."),
            Self::PolicyAmiss { .. } => view("POLICY_AMISS", "Change the table, and ask again."),
            Self::AuditChanged(fault) => view(
                fault.code(),
                "Compare it with an earlier export, and with the hashes that were noted down: somebody or a disk has \
                 changed it.",
            ),
            Self::AuditMissing { .. } => view(
                "AUDIT_MISSING",
                "Compare it with an earlier export: it was lost, or somebody took it away by hand. An export that ends before \
                 the log does lacks what says so of entries in it: export to the end.",
            ),
            Self::Unread { .. } => view("FILE_UNREADABLE", "Name another file."),
            Self::Unmade { .. } => {
                view("FILE_NOT_MADE", "Name a file that is not there yet; none is overwritten.")
            }
            Self::Check(error) => view(error.code(), error.advice()),
            Self::Profile(_) => view("BAD_PROFILE", "Correct the file, or give another."),
            Self::Usage(_) => view("USAGE", "See treasuryctl --help."),
            Self::Declined => {
                view("DECLINED", "Look at it with `treasuryctl show`, and reject it if it is wrong.")
            }
            Self::NotShown(_) => view("NOT_SHOWN", "See where standard error goes."),
            Self::Io(_) => view("IO", "See where the output goes."),
        }
    }
}

/// Runs the tool on this process's command line.
#[must_use]
pub fn main() -> ExitCode {
    private::keep_out_others();
    let cli = Cli::parse();
    let json = cli.json;
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CtlError::Io)
        .and_then(|runtime| runtime.block_on(run(cli)))
        .and_then(|answer| print(&answer));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Err(CtlError::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            if let CtlError::Denied { answer, .. }
            | CtlError::PolicyAmiss { answer, .. }
            | CtlError::AuditMissing { answer, .. } = &error
            {
                // Whoever reads no more has the exit code.
                let _ = print(answer);
            }
            let view = error.view();
            let text = if json {
                pretty(&ErrorBody { error: view })
            } else {
                let line = |text: &str| clean(&in_commands(text));
                format!("{}: {}\n{}\n", line(&view.code), line(&view.message), line(&view.advice))
            };
            // There is nowhere left to say that standard error is closed.
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::from(error.exit_code())
        }
    }
}

/// What a daemon says by the requests of its API, and the command that asks the same.
const COMMANDS: [(&str, &str); 8] = [
    ("POST /v1/policy/check without a table", "`treasuryctl policy check` without a file"),
    ("POST /v1/policy/check", "`treasuryctl policy check`"),
    ("GET /v1/accounts", "`treasuryctl accounts`"),
    ("GET /v1/destinations", "`treasuryctl destination list`"),
    ("GET /v1/drill", "`treasuryctl drill`"),
    ("GET /v1/findings", "`treasuryctl findings`"),
    ("GET /v1/proposals", "`treasuryctl proposals`"),
    ("GET /v1/stops", "`treasuryctl stops`"),
];

/// A daemon's words for whoever types commands.
fn in_commands(text: &str) -> String {
    COMMANDS.iter().fold(text.to_owned(), |text, (request, command)| text.replace(request, command))
}

fn print(text: &str) -> Result<(), CtlError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Does what the command line asks and answers with what is to be printed.
///
/// # Errors
/// See [`CtlError`].
pub async fn run(cli: Cli) -> Result<String, CtlError> {
    // What is sent stays in the daemon's store, and everybody who speaks to it reads it.
    let mut cli = cli;
    if let Some(reason) = cli.command.reason_to_stop().filter(|reason| has_seed(reason)) {
        // Nobody whose reason is not taken is left with money going out.
        *reason = without_seeds(reason).into_owned();
        console::write_err(format_args!(
            "there is a seed in the reason, and it is left out of what is sent; it may be in your shell's history now, so \
             use another key\n"
        ));
    }
    if let Some(reason) = cli.command.reason_to_stop() {
        shorten(reason);
    }
    if cli.command.words().into_iter().any(has_seed) {
        return Err(CtlError::Usage(
            "there is a seed in what was typed, and nothing was sent; it may be in your shell's history now, so use \
             another key"
                .to_owned(),
        ));
    }
    let given = profile::Given {
        url: cli.url.clone(),
        token_file: cli.token_file.clone(),
        profile: cli.profile.clone(),
        plain_http: cli.plain_http,
    };
    let profile =
        Profile::resolve(&given, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    match &cli.command {
        Command::Sign { package, yes } => return sign(&profile, package, *yes),
        Command::Cosign { file, yes } => return cosign(&profile, file, *yes),
        _ => {}
    }
    if let Command::Audit { about: Audit::Verify { file: Some(file), noted, selection } } = &cli.command {
        return audit::verify_file(cli.json, file, noted, *selection);
    }
    let client = Client::by(&profile.way, &profile.url, profile.token_text())?;
    let json = cli.json;
    Ok(match cli.command {
        Command::Status => answer(json, &client.status().await?, show::status),
        Command::Accounts => answer(json, &client.accounts().await?, |accounts| show::accounts(accounts)),
        Command::Tiers => answer(json, &client.tiers().await?, |links| show::tiers(links)),
        Command::Schedules => answer(json, &client.schedules().await?, |all| show::schedules(all)),
        Command::Lockout => answer(json, &client.lockout().await?, |all| lockout::shown(all)),
        Command::Exposure => answer(json, &client.exposure().await?, |all| exposure::shown(all)),
        Command::Forecast => answer(json, &client.forecast().await?, forecast::shown),
        Command::Proposals { open, account, before, limit } => {
            let query = ProposalsQuery { open, account, before, limit, ..ProposalsQuery::default() };
            answer(json, &client.proposals_page(&query).await?, |proposals| show::proposals(proposals))
        }
        Command::Show { id } => answer(json, &client.proposal(&id).await?, show::proposal),
        Command::Propose(asked) => propose(&client, json, asked).await?,
        Command::Approve { id, yes } => approve(&client, &profile, json, &id, yes).await?,
        Command::Drill { yes } => drill::run(&client, &profile, json, yes).await?,
        // Nobody is asked: see above.
        Command::Sign { package, yes } => sign(&profile, &package, yes)?,
        Command::Cosign { file, yes } => cosign(&profile, &file, yes)?,
        Command::Retract { id } => done(json, &client.retract(&id).await?, "taken back"),
        Command::Reject { id, reason } => {
            answer(json, &client.reject(&id, &reason).await?, |done| lines(&done.reject_words()))
        }
        Command::Withdraw { id } => done(json, &client.withdraw(&id).await?, "withdrawn"),
        Command::Flag { id, reason } => stopped(json, &client.flag(&id, &reason).await?, "held"),
        Command::FlagDestination { destination, reason } => {
            stopped(json, &client.flag_destination(&destination, &reason).await?, "held")
        }
        Command::Void { id, reason } => {
            answer(json, &client.void(&id, &reason).await?, |done| lines(&done.void_words()))
        }
        Command::Panic { reason } => answer(json, &client.panic(&reason).await?, show::panicked),
        Command::Clear { id, reason } => lifted(json, &client.clear(&id, &reason).await?),
        Command::Stops { lifted } => answer(json, &client.stops().await?, |stops| show::stops(stops, lifted)),
        Command::Lift { stops, reason } => lifted(json, &client.lift(&stops, &reason).await?),
        Command::Freeze { account, reason } => {
            stopped(json, &client.freeze(account.as_deref(), &reason).await?, "frozen")
        }
        Command::Unfreeze { account, reason } => {
            lifted(json, &client.unfreeze(account.as_deref(), &reason).await?)
        }
        Command::CloseBreaker { account } => {
            done(json, &client.close_breaker(account.as_deref()).await?, "closed")
        }
        Command::Destination { about } => destinations::run(&client, json, about).await?,
        Command::Policy(asked) => policy::run(&client, json, asked).await?,
        Command::Escrows => answer(json, &client.escrows().await?, |escrows| show::escrows(escrows)),
        Command::Findings => answer(json, &client.findings().await?, |findings| show::findings(findings)),
        Command::Deliveries { about } => deliveries::run(&client, json, about).await?,
        Command::Watch { after, count } => watch::run(&client, json, after, count).await?,
        Command::Audit { about } => audit::run(&client, json, about).await?,
        Command::Acknowledge { ids, reason } => {
            done(json, &deliveries::acknowledge(&client, &ids, &reason).await?, "acknowledged")
        }
        Command::Events { after, limit } => answer(json, &client.events(after, limit).await?, show::events),
    })
}

async fn propose(client: &Client, json: bool, asked: cli::Propose) -> Result<String, CtlError> {
    // So that asking again after a lost answer cannot make a second payment.
    let key = asked.key.unwrap_or_else(|| format!("ctl-{:016x}", rand::rng().random::<u64>()));
    let request = ProposeRequest {
        account: asked.account,
        destination: asked.to,
        destination_tag: asked.tag,
        amount: asked.amount.into(),
        note: asked.note,
        deadline_seconds: asked.deadline,
        idempotency_key: Some(key.clone()),
    };
    let proposed = tokio::select! {
        proposed = client.propose(&request) => proposed.map_err(|error| match error {
            open if open.leaves_it_open() => {
                CtlError::ProposalUnknown { reason: open.to_string(), key: key.clone() }
            }
            other => CtlError::Client(other),
        })?,
        // Whoever does not want to wait any longer needs the key all the same.
        Ok(()) = tokio::signal::ctrl_c() => {
            return Err(CtlError::ProposalUnknown { reason: "it was not waited for".to_owned(), key });
        }
    };
    // The proposal stands; that it cannot be shown is no reason to call the command failed.
    let view = client.proposal(&proposed.proposal).await.ok();
    let answer = match &view {
        _ if json => pretty(&proposed),
        Some(view) => show::proposal(view),
        None => format!("{}\n", clean(&proposed.proposal)),
    };
    match view {
        Some(view) if view.status == "denied" => {
            Err(CtlError::Denied { rule: view.decision.rules.join(", "), answer })
        }
        _ => Ok(answer),
    }
}

async fn approve(
    client: &Client,
    profile: &Profile,
    json: bool,
    id: &str,
    yes: bool,
) -> Result<String, CtlError> {
    let (signer, key) = profile.key()?;
    let view = client.proposal(id).await?;
    let checked = check(&view)?;
    // What is asked goes to standard error, so that standard output has the answer alone.
    show_first(&checked.to_string())?;
    if !yes && !confirmed(&format!("Sign it for {signer}? [y/N] "))? {
        return Err(CtlError::Declined);
    }
    let request = checked.sign(signer, &key)?;
    let answer = client.approve(id, &request).await?;
    Ok(done(json, &answer, "approved"))
}

/// Signs what stands in a file, where no daemon can be reached, and answers with what is brought to it.
fn sign(profile: &Profile, package: &Path, yes: bool) -> Result<String, CtlError> {
    let (signer, key) = profile.key()?;
    let unread = |problem: String| CtlError::Usage(format!("{}: {problem}", package.display()));
    let text = std::fs::read(package).map_err(|error| unread(error.to_string()))?;
    let view: ProposalView = serde_json::from_slice(&text).map_err(|error| unread(error.to_string()))?;
    let checked = check(&view)?;
    show_first(&checked.to_string())?;
    if !yes && !confirmed(&format!("Sign it for {signer}? [y/N] "))? {
        return Err(CtlError::Declined);
    }
    Ok(pretty(&checked.sign(signer, &key)?))
}

/// Signs an account's new SignerList, where no daemon need be reached.
fn cosign(profile: &Profile, file: &Path, yes: bool) -> Result<String, CtlError> {
    let (signer, key) = profile.key()?;
    cosign::run(signer, &key, file, yes)
}

/// Nothing is signed that could not be shown.
fn show_first(text: &str) -> Result<(), CtlError> {
    let mut out = std::io::stderr().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CtlError::NotShown)
}

fn confirmed(question: &str) -> Result<bool, CtlError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CtlError::Usage(
            "nobody is there to be asked (standard input is no terminal); use --yes to sign without"
                .to_owned(),
        ));
    }
    show_first(question)?;
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

fn answer<T: Serialize>(json: bool, value: &T, show: impl FnOnce(&T) -> String) -> String {
    if json { pretty(value) } else { show(value) }
}

fn done(json: bool, value: &DoneView, word: &str) -> String {
    answer(json, value, |done| lines(&done.words(word)))
}

fn stopped(json: bool, value: &StoppedView, word: &str) -> String {
    answer(json, value, |stopped| lines(&stopped.words(word)))
}

fn lifted(json: bool, value: &LiftedView) -> String {
    answer(json, value, |lifted| lines(&lifted.words()))
}

/// Each line cleaned and ended.
fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", clean(line))).collect()
}

fn pretty(value: &impl Serialize) -> String {
    // The API's types are plain data that came from JSON or go into it.
    let mut text = clean_json(&serde_json::to_string_pretty(value).unwrap_or_default());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_outcome_of_a_proposal_tells_how_to_ask_again() {
        let error = CtlError::ProposalUnknown { reason: "it broke".to_owned(), key: "ctl-1".to_owned() };
        assert!(error.view().advice.contains("--key ctl-1"));
    }

    /// Goal: whoever types commands is told what to type.
    #[test]
    fn what_a_refusal_advises_is_told_as_commands() {
        let said = [
            include_str!("../../core/src/model/refusal.rs"),
            include_str!("../../src/http/error.rs"),
            include_str!("../../src/http/activation.rs"),
            include_str!("../../src/http/policy.rs"),
        ];
        let texts =
            said.iter().flat_map(|file| file.lines()).filter(|line| !line.trim_start().starts_with("//"));
        let requests: Vec<&str> =
            texts.filter(|line| line.contains("GET /v1/") || line.contains("POST /v1/")).collect();
        assert!(requests.len() > 10, "{requests:?}");
        for text in requests {
            let told = in_commands(text);
            assert!(told.contains("`treasuryctl ") && !told.contains("/v1/"), "{told}");
        }
    }

    /// Danger: a seed is written into a profile where the path of its file belongs, and stands in what is said of that.
    #[test]
    fn what_is_wrong_with_a_profile_is_said_without_secrets() {
        let seed = "sEdTM1uX8pu2do5XvTnutH6HsouMaM2";
        let source = || std::io::Error::from(std::io::ErrorKind::NotFound);
        for path in [format!("alice/{seed}"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()] {
            let view = CtlError::Profile(ProfileError::Read { path: path.into(), source: source() }).view();
            assert_eq!(view.code, "BAD_PROFILE");
            assert!(view.message.contains("not shown)"), "{}", view.message);
            assert!(!view.message.contains(seed) && !view.message.contains("MfKQ"), "{}", view.message);
        }
    }

    /// Set `UPDATE_REFERENCE` to write the page anew.
    #[test]
    fn the_reference_of_the_tool_is_what_the_program_says() {
        let page = recordings::repository().join("docs/reference/treasuryctl.md");
        treasury_tools::manual::check(&page, &cli::reference()).unwrap();
    }
}
