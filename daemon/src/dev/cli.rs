//! `treasuryd dev`.

use std::fmt::Write as _;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tempfile::TempDir;
use tokio::sync::mpsc;
use xrpl_harness::network::{At, Network};

use super::process::{self, DaemonProcess};
use super::seen::balance;
use super::tour::tour;
use super::{DevError, Options, Sandbox, profile_path};
use crate::signals::Signals;
use treasury_tools::console::{self, out, say};
use treasury_tools::value;

/// A second for each ledger is slow enough to watch and fast enough to play with.
const CLOSE_EVERY_MS: u64 = 1_000;

/// The tour waits for ledgers all the time. The daemon takes in an empty one in a few milliseconds.
const TOUR_CLOSE_EVERY_MS: u64 = 60;

/// A whole treasury on a ledger of its own, to try things out: nothing of it is real.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Where to put configuration, keystore, keys and data. A temporary directory, removed at the end, where it is
    /// left out.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Play the treasury's story by itself, and exit with 0 only if every step was seen on the validated ledger.
    #[arg(long)]
    pub tour: bool,
    /// Milliseconds between two ledgers: 1000, and 60 for the tour, where it is left out.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    pub close_every_ms: Option<u64>,
    /// Seconds of ledger time between two ledgers.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub close_step: u32,
    /// Where the ledger's websocket listens; port 0: the system chooses.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub ledger_ws: SocketAddr,
    /// Where the ledger's JSON-RPC listens; port 0: the system chooses.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub ledger_rpc: SocketAddr,
    /// Where the daemon listens; port 0: the system chooses.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
}

/// Runs dev mode with `exe` as the daemon: until Ctrl-C, or until the tour is over.
///
/// # Errors
/// What cannot be started, and what the tour did not see.
pub async fn run(args: DevArgs, exe: PathBuf) -> Result<(), DevError> {
    let (dir, temporary) = directory(args.dir.as_deref())?;
    let default_ms = if args.tour { TOUR_CLOSE_EVERY_MS } else { CLOSE_EVERY_MS };
    let options = Options {
        close_every: Some(Duration::from_millis(args.close_every_ms.unwrap_or(default_ms))),
        close_step_seconds: args.close_step,
        ws_addr: args.ledger_ws,
        rpc_addr: args.ledger_rpc,
        listen: args.listen,
        ..Options::default()
    };
    let mut signals =
        Signals::watch().map_err(|error| DevError::Daemon(format!("no handler for signals: {error}")))?;
    let sandbox = Sandbox::start(&dir, options).await?;
    let done = if args.tour {
        play(&sandbox, exe, &mut signals).await
    } else {
        attend(&sandbox, exe, &mut signals).await
    };
    let log = sandbox.log_path();
    sandbox.shutdown().await;
    if let (Err(error), Some(temporary)) = (&done, temporary)
        && !error.is_unread()
    {
        // What went wrong can be looked at.
        let kept = temporary.keep();
        say!("{}\neverything is kept in {}", process::tail(&log), kept.display());
    }
    done
}

fn directory(dir: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), DevError> {
    match dir {
        Some(dir) => Ok((dir.to_path_buf(), None)),
        None => {
            let path = std::env::temp_dir();
            let temporary = tempfile::Builder::new()
                .prefix("treasuryd-dev-")
                .tempdir()
                .map_err(|source| DevError::File { path, source })?;
            Ok((temporary.path().to_path_buf(), Some(temporary)))
        }
    }
}

async fn play(sandbox: &Sandbox, exe: PathBuf, signals: &mut Signals) -> Result<(), DevError> {
    say!("a ledger at {}, a treasury in {}", sandbox.world().ws_url(), sandbox.dir().display());
    tokio::select! {
        table = tour(sandbox, exe) => {
            Ok(out!("{}", table?)?)
        }
        signal = signals.told_to_stop() => Err(DevError::Daemon(format!("interrupted by {signal}"))),
    }
}

/// Runs the daemon and the ledger until Ctrl-C, and moves time when somebody types so.
async fn attend(sandbox: &Sandbox, exe: PathBuf, signals: &mut Signals) -> Result<(), DevError> {
    let mut daemon = sandbox.spawn_daemon(&exe).await?;
    let ended = attend_to(sandbox, &exe, &mut daemon, signals).await;
    daemon.stop().await;
    ended?;
    Ok(out!("the ledger and the treasury on it are gone")?)
}

async fn attend_to(
    sandbox: &Sandbox,
    exe: &Path,
    daemon: &mut DaemonProcess,
    signals: &mut Signals,
) -> Result<(), DevError> {
    out!("{}", introduction(sandbox, exe).await?)?;
    let mut unread = std::pin::pin!(console::unread());
    let mut typed = typed_lines();
    loop {
        tokio::select! {
            // First of all, because Ctrl-C in a terminal reaches the daemon too: that it ends then is no failure.
            biased;
            signal = signals.told_to_stop() => {
                say!("{signal}: stopping the daemon and the ledger");
                return Ok(());
            }
            ended = daemon.ended_by_itself() => {
                // As a supervisor would; where it cannot get ready again, that is the end.
                say!("{ended}\nit is started again");
                *daemon = sandbox.spawn_daemon(exe).await?;
                say!("it has caught up");
            }
            () = &mut unread => return Err(DevError::Output(std::io::ErrorKind::BrokenPipe.into())),
            Some(line) = typed.recv() => obey(sandbox, line.trim()).await?,
        }
    }
}

/// Lines from standard input. The thread ends with the process: reading cannot be interrupted.
fn typed_lines() -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receive
}

async fn obey(sandbox: &Sandbox, line: &str) -> Result<(), DevError> {
    match line.strip_prefix('+').map(value::duration) {
        Some(Ok(seconds)) => {
            let closed = sandbox.world().advance_time(seconds).await?;
            out!("ledger {} closed at {}", closed.index, closed.close_time)?;
        }
        Some(Err(problem)) => out!("{problem}")?,
        None if line.is_empty() => {
            let closed = sandbox.world().validated().await?;
            out!("ledger {} closed at {}", closed.index, closed.close_time)?;
        }
        None => out!("type +48h to let 48 hours of ledger time pass, Ctrl-C to end")?,
    }
    Ok(())
}

/// What is there, and what to try.
async fn introduction(sandbox: &Sandbox, exe: &Path) -> Result<String, DevError> {
    let dir = sandbox.dir();
    let profile = |name: &str| quoted(&profile_path(dir, name));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "A treasury on a ledger of its own. Nothing of it is real, and it ends with this process.\n"
    );
    let _ =
        writeln!(text, "  ledger    {}  (JSON-RPC {})", sandbox.world().ws_url(), sandbox.world().rpc_url());
    let _ = writeln!(text, "  daemon    {}  (/readyz, /metrics, /v1/…)", sandbox.url());
    let token = quoted(&profile_path(dir, "alice").with_extension("token"));
    let _ =
        writeln!(text, "  console   {}/  (log in with what is in {token}, or in another's)", sandbox.url());
    let _ = writeln!(text, "  files     {}", dir.display());
    let _ = writeln!(text, "  config    {}  (read it, copy it)", sandbox.config_path().display());
    let _ = writeln!(text, "  log       {}\n", sandbox.log_path().display());
    for account in &sandbox.cast().accounts {
        let id = account.identity.id();
        let xrp = balance(sandbox.world(), &id, At::Validated).await?.to_xrp_string();
        let _ = writeln!(text, "  {:<9} {id:<36} {xrp} XRP", account.identity.name());
    }
    for destination in &sandbox.cast().destinations {
        let _ = writeln!(
            text,
            "  {:<9} {:<36} in the address book",
            destination.name(),
            destination.id().to_string()
        );
    }
    let stranger = sandbox.cast().stranger.id();
    let _ = writeln!(text, "  {:<9} {:<36} in nobody's address book", "stranger", stranger.to_string());
    for person in &sandbox.cast().people {
        let roles: Vec<String> = person.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
        let _ = writeln!(
            text,
            "  {:<9} {:<36} {}",
            person.identity.name(),
            person.identity.id().to_string(),
            roles.join(", ")
        );
    }
    let (alice, bob, carol, dave) = (profile("alice"), profile("bob"), profile("carol"), profile("dave"));
    let ctl = treasuryctl(exe);
    let _ = write!(
        text,
        r#"
To try, in another terminal:

  ctl() {{ {ctl} "$@"; }}
  ctl -p {alice} accounts

A small payment goes straight through, and takes hot below its floor, so that warm refills it:
  ctl -p {alice} propose --account hot --to exchange --amount "80 XRP"
  ctl -p {alice} proposals

A middling one waits for two people (use the id that `propose` prints):
  ctl -p {alice} propose --account hot --to supplier --amount "300 XRP"
  ctl -p {alice} approve P3
  ctl -p {bob} approve P3

A large one waits two days in an escrow:
  ctl -p {alice} propose --account warm --to {stranger} --amount "4000 XRP"
  ctl -p {alice} approve P4
  ctl -p {carol} approve P4
  ctl -p {dave} flag P4 --reason "who is that?"
  ctl -p {dave} escrows

Here: type +48h to let 48 hours of ledger time pass, Enter to see the time, Ctrl-C to end.
"#
    );
    Ok(text)
}

/// How to start the people's tool: the one beside this program, or through cargo where it has not been built.
fn treasuryctl(exe: &Path) -> String {
    let beside = exe.with_file_name(format!("treasuryctl{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() {
        return quoted(&beside);
    }
    let release = exe.components().any(|part| part.as_os_str() == "release");
    format!("cargo run -q{} --bin treasuryctl --", if release { " --release" } else { "" })
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c)) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
