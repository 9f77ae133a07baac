//! The words of `treasuryctl`.

mod policy;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};
use treasury_tools::{manual, value};
use treasury_verify::audit::{since, until};
use xrpl_wire::{AccountId, Amount};

pub use self::policy::Policy;

/// Speaks to a treasury daemon: propose payments, approve them with your own key, stop what looks wrong.
#[derive(Debug, Parser)]
#[command(name = "treasuryctl", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Where the daemon listens. Otherwise the profile's, TREASURYD_URL, or http://127.0.0.1:8580.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// A file that holds your bearer token. Otherwise the profile's, or TREASURYD_TOKEN.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Send the token by plain http beyond this machine, too, where the network in between is yours alone.
    #[arg(long, global = true)]
    pub plain_http: bool,
    /// A profile: TOML with `url`, `token_file`, `signer` and `seed_file`, and where they are needed `proxy` (proxies
    /// of the environment never count), `plain_http` and `key_type` (of a seed that begins with a plain `s`: `ed25519`);
    /// paths are relative to it.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        env = "TREASURYCTL_PROFILE",
        hide_env_values = true
    )]
    pub profile: Option<PathBuf>,
    /// Print what the API answers, as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 refused, not answered, or not what it should be; 2 the command line, \
the profile or a file that it names is wrong; 3 policy denies what was proposed.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole at a glance.
    Status,
    /// The treasury's accounts.
    Accounts,
    /// What the tier links keep, what they would move now, and why, or why not.
    Tiers,
    /// The scheduled payments, when each is due next, and what has been asked for.
    Schedules,
    /// How long the money of each account lasts, what may still leave, and what there is.
    Forecast,
    /// Whose loss locks each account, and whose collusion spends it: keys, people, vendors and places.
    Lockout,
    /// What each single captured thing can take at most, in what time, and until whose stop.
    Exposure,
    /// Proposals, newest first.
    Proposals {
        /// Only those that have not ended.
        #[arg(long)]
        open: bool,
        /// Only those of this account.
        #[arg(long, value_name = "NAME|ADDRESS")]
        account: Option<String>,
        /// Only those before this one.
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        /// At most so many, up to 500.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// One proposal with everything about it.
    Show {
        /// The proposal, such as P3.
        id: String,
    },
    /// Ask for a payment.
    Propose(Propose),
    /// Look at a proposal's transaction, and sign it with your own key.
    ///
    /// The transaction is decoded here and compared with what the proposal says; it is signed at each of its fees,
    /// of which one at most can ever be applied. The key never leaves this machine.
    Approve {
        /// The proposal, such as P3.
        id: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Show that you still have your key, where you are asked to.
    ///
    /// What is signed is a text that names you and moves nothing; it is made here, from what the daemon asks with.
    Drill {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Sign a proposal's package, where the daemon cannot be reached, and write what is to be brought to it.
    ///
    /// The package is what the console lets you download, or what `show --json` prints. It is looked at as `approve` does.
    /// What is written goes into the console's form, and to nobody else: with enough of its like a payment is complete.
    Sign {
        /// The file of the package.
        #[arg(value_name = "FILE")]
        package: PathBuf,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Sign an account's new SignerList, with those who sign for it and without the daemon.
    ///
    /// For keys that are lost or stolen. The file holds a SignerListSet in JSON, with Account, Sequence and Fee, and the
    /// signatures of those who signed before; what is printed is the same with yours. Once the signatures reach the account's
    /// quorum, any ledger server takes it (`submit_multisigned`). Nothing but a SignerListSet is signed.
    Cosign {
        /// The file of the transaction.
        file: PathBuf,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Take your own approval back, before submission.
    ///
    /// Your approval counts no more, and nothing is sent with it. That does not unmake your signatures: the daemon's store
    /// and its backups keep them, and whoever has them can use them until the proposal's LastLedgerSequence has passed,
    /// its Ticket is used, or your key is rotated.
    Retract {
        /// The proposal, such as P3.
        id: String,
    },
    /// Speak against a proposal; once the quorum cannot be reached any more it ends.
    Reject {
        /// The proposal, such as P3.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take your own proposal back, before submission.
    Withdraw {
        /// The proposal, such as P3.
        id: String,
    },
    /// Put a hold on a proposal or on the escrow that came of it (role `security`).
    Flag {
        /// The proposal, such as P3.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Put a hold on whatever pays an account, what stands and what comes later (role `security`).
    FlagDestination {
        /// The account that is paid: a name from the configuration, or an address.
        #[arg(value_name = "NAME|ADDRESS")]
        destination: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Make worthless what is signed already (role `security`).
    ///
    /// Where policy asked for it, whoever signed a proposal signed a second transaction with it, which does nothing but use
    /// up the same Ticket. That one is sent now; whichever of the two gets into a ledger first, the other can never be
    /// applied.
    Void {
        /// The proposal, such as P3.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Stop everything and take back what can be taken back (role `security`).
    ///
    /// Freezes everything, puts a hold of its own on every escrow that can be withheld, voids what has a void, and ends
    /// every other proposal that has not been sent. All of it has happened when it is answered; what could not be stopped
    /// is named.
    Panic {
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lift the one hold on a proposal or its escrow (role `security`); where several stand, see `lift`.
    Clear {
        /// The proposal, such as P3.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// What must not leave and why: stops that stand, and those that were lifted.
    Stops {
        /// Those that were lifted, too.
        #[arg(long)]
        lifted: bool,
    },
    /// Lift stops by their ids, all of them or none (role `security` for holds, `admin` for freezes).
    Lift {
        /// The stops, such as S3.
        #[arg(required = true, value_name = "STOP")]
        stops: Vec<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let nothing leave or enter by the daemon's doing (role `security`).
    ///
    /// What can be taken back is taken back all the same.
    Freeze {
        /// On this account; on everything where it is left out.
        #[arg(long, value_name = "NAME|ADDRESS")]
        account: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lift the one freeze on an account or on everything (role `admin`); where several stand, see `lift`.
    Unfreeze {
        /// On this account; the freeze on everything where it is left out.
        #[arg(long, value_name = "NAME|ADDRESS")]
        account: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let automated submissions go on after a circuit breaker opened (role `admin`).
    CloseBreaker {
        /// Of this account; of every one where it is left out.
        #[arg(long, value_name = "NAME|ADDRESS")]
        account: Option<String>,
    },
    /// What the policy says, and what another one would. Only `activate` changes anything.
    #[command(subcommand)]
    Policy(Policy),
    /// Escrows of the treasury's accounts, newest first.
    Escrows,
    /// What the anomaly rules saw, newest first.
    Findings,
    /// What people are told, and how far that has come.
    Deliveries {
        /// What about it.
        #[command(subcommand)]
        about: Deliveries,
    },
    /// The address book, and making its entries known.
    Destination {
        /// What about it.
        #[command(subcommand)]
        about: Destinations,
    },
    /// Print what is told as it is told, until it is ended. With --json one document a line, as a webhook gets it.
    Watch {
        /// From after the notice with this id on, or `start` for all that are kept. Otherwise from now on.
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// End after so many.
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Who did what, when, from where and why, in a chain that proves itself.
    Audit {
        /// What about it.
        #[command(subcommand)]
        about: Audit,
    },
    /// Say that findings were looked at (role `security`), or that you look after what notices told of (approver, security or
    /// admin), so that it goes on to nobody else. Findings stay, and so do the stops they set.
    Acknowledge {
        /// Findings, such as F3, or notices, by their ids.
        #[arg(required = true, value_name = "FINDING|NOTICE")]
        ids: Vec<String>,
        /// What came of it, or what is done about it.
        #[arg(long)]
        reason: String,
    },
    /// What is stored, in order, but for signatures.
    Events {
        /// Only records above this number.
        #[arg(long, default_value_t = 0, value_name = "N")]
        after: u64,
        /// At most so many, up to 500.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
}

impl Command {
    /// The reason of what stops something.
    pub(crate) fn reason_to_stop(&mut self) -> Option<&mut String> {
        match self {
            Self::Reject { reason, .. }
            | Self::Flag { reason, .. }
            | Self::Void { reason, .. }
            | Self::FlagDestination { reason, .. }
            | Self::Panic { reason }
            | Self::Freeze { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// Every text in it that would be sent.
    pub(crate) fn words(&self) -> Vec<&str> {
        let mut words: Vec<&String> = Vec::new();
        match self {
            Self::Sign { .. }
            | Self::Cosign { .. }
            | Self::Status
            | Self::Accounts
            | Self::Tiers
            | Self::Stops { .. } => {}
            Self::Schedules
            | Self::Forecast
            | Self::Lockout
            | Self::Exposure
            | Self::Drill { .. }
            | Self::Escrows
            | Self::Findings
            | Self::Events { .. } => {}
            Self::Deliveries { about } => words.extend(about.words()),
            Self::Destination { about } => words.extend(about.words()),
            Self::Watch { after, .. } => words.extend(after),
            Self::Audit { about } => words.extend(about.words()),
            Self::Proposals { account, before, .. } => words.extend(account.iter().chain(before)),
            Self::Propose(asked) => {
                words.extend([&asked.account, &asked.to, &asked.note]);
                words.extend(&asked.key);
            }
            Self::Show { id } | Self::Approve { id, .. } | Self::Retract { id } | Self::Withdraw { id } => {
                words.push(id);
            }
            Self::Reject { id, reason }
            | Self::Flag { id, reason }
            | Self::Void { id, reason }
            | Self::FlagDestination { destination: id, reason }
            | Self::Clear { id, reason } => {
                words.extend([id, reason]);
            }
            Self::Panic { reason } => words.push(reason),
            Self::Lift { stops: ids, reason } | Self::Acknowledge { ids, reason } => {
                words.extend(ids.iter().chain([reason]));
            }
            Self::Freeze { account, reason } | Self::Unfreeze { account, reason } => {
                words.extend(account.iter().chain([reason]));
            }
            Self::CloseBreaker { account } => words.extend(account),
            Self::Policy(asked) => words.extend(asked.words()),
        }
        words.into_iter().map(String::as_str).collect()
    }
}

/// What about the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Entries, newest first.
    List {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// Only those below this number.
        #[arg(long, value_name = "N")]
        before: Option<u64>,
        /// At most so many, up to 500.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Write all entries that are asked for, one a line, in their order.
    Export {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// As a table for a spreadsheet. Only the lines of JSON that come otherwise can be proven.
        #[arg(long)]
        csv: bool,
        /// A file to make that only its owner may read; standard output where left out.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Write a page (HTML, for reading and printing), at most 10000 entries.
    Report {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// A file to make that only its owner may read; standard output where left out.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Prove every entry: its text, its hash, and that it follows the one before it.
    ///
    /// Of an export, no daemon is asked. Of the daemon's own log, every entry is fetched.
    Verify {
        /// An export in JSON lines; the daemon's log where left out.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// A hash that was noted down earlier: the chain has to go through it. May be given again.
        #[arg(long, value_name = "NUMBER:HASH", value_parser = noted)]
        noted: Vec<(u64, String)>,
        /// The file is a selection: prove each entry alone, and not that none is missing.
        #[arg(long, requires = "file")]
        selection: bool,
    },
}

fn noted(text: &str) -> Result<(u64, String), String> {
    let problem = || "a number, a colon and 64 hex digits".to_owned();
    let (number, hash) = text.split_once(':').ok_or_else(problem)?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = number.parse().ok().filter(|_| is_hash).ok_or_else(problem)?;
    Ok((number, hash.to_owned()))
}

impl Audit {
    /// Every text in it that would be sent.
    fn words(&self) -> Vec<&String> {
        match self {
            Self::List { which, .. } | Self::Export { which, .. } | Self::Report { which, .. } => {
                let Which { person, about, since, until } = which;
                [person, about, since, until].into_iter().flatten().collect()
            }
            Self::Verify { .. } => Vec::new(),
        }
    }
}

/// Which entries of the audit log.
#[derive(Debug, Args)]
pub struct Which {
    /// Only those in which this person is named.
    #[arg(long, value_name = "NAME")]
    pub person: Option<String>,
    /// Only those about this proposal, stop or finding, such as P3, S1 or F2.
    #[arg(long, value_name = "ID")]
    pub about: Option<String>,
    /// Only those from this date (in UTC) or time on: 2026-11-01 or 2026-11-01T08:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = since)]
    pub since: Option<String>,
    /// Only those up to this date (in UTC), the whole day, or this time.
    #[arg(long, value_name = "DATE", value_parser = until)]
    pub until: Option<String>,
}

/// What about the address book.
#[derive(Debug, Subcommand)]
pub enum Destinations {
    /// Its entries, who of them is known, and who waits for people.
    List,
    /// Say that an entry is whose it is said to be; with enough of those whom `[confirmation]` names, it is known when it has
    /// cooled.
    ///
    /// Ask by a way that you know to be theirs, and not by one that came with the request.
    Confirm {
        /// Its address, letter for letter: a name may be another's by then.
        #[arg(value_parser = value::address)]
        address: AccountId,
        /// How you know.
        #[arg(long)]
        reason: String,
    },
}

impl Destinations {
    /// Every text in it that would be sent.
    fn words(&self) -> Vec<&String> {
        match self {
            Self::List => Vec::new(),
            Self::Confirm { reason, .. } => vec![reason],
        }
    }
}

/// What about what people are told.
#[derive(Debug, Subcommand)]
pub enum Deliveries {
    /// Where notices go, and how many wait or were given up there.
    Channels,
    /// What waits for somebody to answer it, and to whom it goes on where nobody does.
    Alerts,
    /// Notices and how far each channel has come with them, newest first.
    List {
        /// Only those through this channel.
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Only those that are `waiting`, `delivered` or `dead`.
        #[arg(long, value_name = "STAGE")]
        stage: Option<String>,
        /// Only those of notices with a lower number.
        #[arg(long, value_name = "N")]
        before: Option<u64>,
        /// At most about so many, up to 500.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Send again what was delivered or given up (role `admin`).
    Redeliver {
        /// The notice, by its id; otherwise those from one number to another.
        #[arg(required_unless_present_all = ["first", "last"], conflicts_with_all = ["first", "last"])]
        id: Option<String>,
        /// From this number on.
        #[arg(long, value_name = "N", requires = "last")]
        first: Option<u64>,
        /// Up to this number.
        #[arg(long, value_name = "N", requires = "first")]
        last: Option<u64>,
        /// Only through this channel.
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Only those that are `delivered` or `dead`.
        #[arg(long, value_name = "STAGE")]
        stage: Option<String>,
    },
    /// Put a test message into a channel (role `admin`).
    Test {
        /// Its name.
        channel: String,
    },
}

impl Deliveries {
    /// Every text in it that would be sent.
    fn words(&self) -> Vec<&String> {
        match self {
            Self::Channels | Self::Alerts => Vec::new(),
            Self::List { channel, stage, .. } => channel.iter().chain(stage).collect(),
            Self::Redeliver { id, channel, stage, .. } => id.iter().chain(channel).chain(stage).collect(),
            Self::Test { channel } => vec![channel],
        }
    }
}

/// A payment asked for.
#[derive(Debug, Args)]
pub struct Propose {
    /// The treasury account that pays.
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub account: String,
    /// Who is paid.
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub to: String,
    /// How much: "250 XRP", "0.5 XRP", "12 drops", or of an issued currency, "100 USD.rIssuer…".
    #[arg(long, value_parser = value::payable)]
    pub amount: Amount,
    /// The DestinationTag, where the recipient asks for one.
    #[arg(long)]
    pub tag: Option<u32>,
    /// What for; stays off the ledger.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
    /// How long people have to approve, in ledger time: "90s", "15m", "6h". As configured where it is left out.
    #[arg(long, value_parser = value::duration, value_name = "DURATION")]
    pub deadline: Option<u32>,
    /// The same key with the same payment is the same proposal: for asking again after an answer was lost.
    #[arg(long)]
    pub key: Option<String>,
}

/// The page of the reference on this tool, from the words above: docs/reference/treasuryctl.md.
#[must_use]
pub fn reference() -> String {
    manual::page(Cli::command())
}
