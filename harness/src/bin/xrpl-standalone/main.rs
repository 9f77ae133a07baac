//! A standalone XRP Ledger from the command line: JSON-RPC and websocket on one machine, for tests.

mod watch;

use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use color_eyre::eyre::{Result, WrapErr, eyre};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tracing_subscriber::EnvFilter;
use xrpl_harness::embedded::{Amendment, Generation, GenesisConfig, Ledger, Standing};
use xrpl_harness::server::{ServerError, file};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::{AccountId, Drops, KeyPair, KeyType, RippleTime, Seed, index, sha512_half};

/// What only a fresh ledger can be given.
const FRESH: [&str; 7] =
    ["server", "amendment", "network_id", "start_time", "base_fee", "reserve", "owner_reserve"];

/// A standalone XRP Ledger for tests: starts in milliseconds, closes ledgers when told, keeps nothing.
#[derive(Debug, Parser)]
#[command(name = "xrpl-standalone", version)]
struct Args {
    /// The address to listen on. Anybody who reaches it is an administrator, unless --no-admin.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// The websocket port; 0 lets the system choose.
    #[arg(long, default_value_t = 6006)]
    ws_port: u16,

    /// The JSON-RPC port; 0 lets the system choose.
    #[arg(long, default_value_t = 5005)]
    rpc_port: u16,

    /// One more port, without administrators' methods.
    #[arg(long)]
    public_port: Option<u16>,

    /// Callers are no administrators: they cannot close ledgers.
    #[arg(long)]
    no_admin: bool,

    /// How many funded accounts to make and print.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    accounts: u32,

    /// The XRP that each of them gets.
    #[arg(long, default_value = "1000", value_parser = xrp)]
    balance: Drops,

    /// The accounts are derived from this text: the same text, the same accounts.
    #[arg(long, default_value = "xrpl-standalone")]
    seed: String,

    /// How often to close a ledger: a time such as 1s or 250ms, or "manual" to close on `ledger_accept` alone.
    #[arg(long, default_value = "manual", value_parser = interval)]
    close_every: CloseEvery,

    /// Closes a ledger for each submission, and more while somebody may be waiting for one.
    #[arg(long)]
    close_on_submit: bool,

    /// Ledger time between two ledgers, in seconds, whatever the clock says.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    close_step_seconds: u32,

    /// The ledger's time at the start, in seconds since 1970-01-01; by default 2026-01-01.
    #[arg(long, value_parser = start_time)]
    start_time: Option<RippleTime>,

    /// The generation of the ledger server whose rules and answers it has: 3.1, 3.2 or 3.3.
    #[arg(long, default_value_t)]
    server: Generation,

    /// An amendment, by its name, that the ledger begins with beside those of its generation. May be given several times.
    #[arg(long, value_name = "NAME", value_parser = amendment)]
    amendment: Vec<Amendment>,

    /// The network's number, which it then tells; without one it is network 0.
    #[arg(long)]
    network_id: Option<u32>,

    /// The fee of an ordinary transaction, in drops; by default 10.
    #[arg(long, value_name = "DROPS", value_parser = drops)]
    base_fee: Option<Drops>,

    /// The XRP that every account must keep; by default 1.
    #[arg(long, value_name = "XRP", value_parser = xrp)]
    reserve: Option<Drops>,

    /// The XRP that an account must keep for each object that it owns; by default 0.2.
    #[arg(long, value_name = "XRP", value_parser = xrp)]
    owner_reserve: Option<Drops>,

    /// Starts from the ledger in this file, which --save or standalone_save wrote.
    #[arg(long, value_name = "FILE", conflicts_with_all = FRESH)]
    load: Option<PathBuf>,

    /// Saves the whole ledger to this file at the end, and when standalone_save asks for it.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// The XRP that the faucet (POST /accounts) pays who does not say how much; 0 for no faucet.
    #[arg(long, default_value = "100", value_parser = xrp)]
    faucet: Drops,

    /// Ends when its standard input does, as it does when the process ends that started it.
    #[arg(long)]
    end_with_stdin: bool,

    /// Prints no line for ledgers and transactions.
    #[arg(long, short)]
    quiet: bool,
}

/// How ledgers close.
#[derive(Debug, Clone, Copy)]
enum CloseEvery {
    Manual,
    Interval(Duration),
}

fn interval(text: &str) -> Result<CloseEvery, String> {
    if text == "manual" {
        return Ok(CloseEvery::Manual);
    }
    let (number, unit): (&str, fn(u64) -> Duration) = match (text.strip_suffix("ms"), text.strip_suffix('s'))
    {
        (Some(number), _) => (number, Duration::from_millis),
        (None, Some(number)) => (number, Duration::from_secs),
        (None, None) => return Err("expected a time such as 1s or 250ms, or \"manual\"".to_owned()),
    };
    match number.parse() {
        Ok(0) | Err(_) => Err("expected a positive number before the unit".to_owned()),
        Ok(number) => Ok(CloseEvery::Interval(unit(number))),
    }
}

fn xrp(text: &str) -> Result<Drops, String> {
    Drops::from_xrp_str(text).map_err(|error| error.to_string())
}

fn drops(text: &str) -> Result<Drops, String> {
    text.parse::<Drops>().map_err(|error| error.to_string())
}

fn amendment(text: &str) -> Result<Amendment, String> {
    Amendment::from_name(text).ok_or_else(|| "expected the name of an amendment, such as Cosign".to_owned())
}

fn start_time(text: &str) -> Result<RippleTime, String> {
    let seconds = text.parse().map_err(|_| "expected seconds since 1970-01-01".to_owned())?;
    RippleTime::from_unix(seconds).ok_or_else(|| "expected a time from 2000 to 2136".to_owned())
}

/// How long whoever is being served still at the end may hold that up.
const GOODBYE: Duration = Duration::from_secs(1);

fn main() -> Result<ExitCode> {
    // Panics are reported without `eprintln!`: where nobody reads standard error it panics, too, which is the end.
    let (panics, errors) = color_eyre::config::HookBuilder::default().into_hooks();
    errors.install()?;
    std::panic::set_hook(Box::new(move |info| {
        let _ = writeln!(std::io::stderr(), "{}", panics.panic_report(info));
    }));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.log_internal_errors(false).init();
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = runtime.block_on(serve(&args));
    // With it go the last connections: nobody is answered any more whose transaction would not be in the file, and none
    // of them stands in the way of opening that.
    runtime.shutdown_timeout(GOODBYE);
    let Some(server) = server? else { return Ok(ExitCode::FAILURE) };
    if let Some(path) = &args.save
        && let Err(error) = server.save(path)
    {
        complain(&error, "The ledger is lost.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves a ledger until the end. Answers with it; none if it has said already why there is none.
async fn serve(args: &Args) -> Result<Option<EmbeddedServer>> {
    if let Some(Err(error)) = args.save.as_deref().map(file::check) {
        complain(
            &error,
            "Choose another file with --save: the ledger could not be saved to this one at the end.",
        );
        return Ok(None);
    }
    let ledger = match args.load.as_deref().map(file::load).transpose() {
        Ok(ledger) => ledger,
        Err(error) => {
            complain(&error, "Files are made with --save, or with standalone_save while it runs.");
            return Ok(None);
        }
    };
    let mut genesis = GenesisConfig::of(args.server);
    genesis.server.network_id = args.network_id;
    let unknown = |amendment: &&Amendment| amendment.standing(args.server) == Standing::Unknown;
    if let Some(amendment) = args.amendment.iter().find(unknown) {
        let error = eyre!("servers of {} do not know the amendment {}", args.server, amendment.name());
        complain(&error, "Choose a newer generation with --server.");
        return Ok(None);
    }
    genesis.amendments.clone_from(&args.amendment);
    genesis.fees.base_fee = args.base_fee.unwrap_or(genesis.fees.base_fee);
    genesis.fees.reserve_base = args.reserve.unwrap_or(genesis.fees.reserve_base);
    genesis.fees.reserve_inc = args.owner_reserve.unwrap_or(genesis.fees.reserve_inc);
    if let Some(time) = args.start_time {
        genesis.close_time = time;
    }
    let config = EmbeddedConfig {
        ws_addr: SocketAddr::new(args.host, args.ws_port),
        rpc_addr: SocketAddr::new(args.host, args.rpc_port),
        public_addr: args.public_port.map(|port| SocketAddr::new(args.host, port)),
        admin: !args.no_admin,
        genesis,
        auto_close: match args.close_every {
            CloseEvery::Manual => None,
            CloseEvery::Interval(interval) => Some(interval),
        },
        close_step_seconds: args.close_step_seconds,
        file: args.save.clone(),
        faucet: Some(args.faucet).filter(|drops| *drops != Drops::ZERO),
        ..EmbeddedConfig::default()
    };
    let ledger = ledger.unwrap_or_else(|| Ledger::genesis(config.genesis.clone()));
    let mut server = match EmbeddedServer::start_with(ledger, config).await {
        Ok(server) => server,
        Err(error) => {
            complain(&error, advice(&error));
            return Ok(None);
        }
    };

    let accounts = fund(&server, args)?;
    server.set_close_on_submit(args.close_on_submit);
    // Whoever reads what is printed may stop it at once, or send something, so it listens for both first.
    let stopped = signalled()?;
    let events = server.events();
    // Whoever closed its side has seen enough, as with any other command.
    if print(&introduction(&server, &accounts))? {
        if !args.quiet {
            tokio::spawn(watch::watch(events));
        }
        // Who started it with a pipe to its standard input says by that when it is over; others by reading no more.
        if args.end_with_stdin {
            tokio::select! {
                () = stopped => {}
                () = end_of_stdin() => {}
            }
        } else {
            tokio::select! {
                () = stopped => {}
                () = unread() => {}
            }
        }
    }
    server.halt().await;
    Ok(Some(server))
}

/// Says what is wrong and what to do, on standard error. Where nobody reads that, nobody can be told.
fn complain(error: &dyn std::fmt::Display, advice: &str) {
    let _ = writeln!(std::io::stderr(), "xrpl-standalone: {error}\n{advice}");
}

/// What to do about a server that does not start.
fn advice(error: &ServerError) -> &'static str {
    match error {
        ServerError::Listen { source, .. } => match source.kind() {
            ErrorKind::AddrInUse => {
                "Another server listens there, perhaps another xrpl-standalone. Stop it, or choose other ports with \
                 --ws-port and --rpc-port; 0 lets the system choose."
            }
            ErrorKind::AddrNotAvailable => "That is no address of this machine; choose another with --host.",
            ErrorKind::PermissionDenied => "The system keeps that port for itself; choose one above 1023.",
            _ => "Choose another address with --host, --ws-port and --rpc-port.",
        },
        _ => "This should not happen.",
    }
}

/// An account that was made, with the seed that it is derived from.
struct Funded {
    address: AccountId,
    seed: Seed,
}

fn fund(server: &EmbeddedServer, args: &Args) -> Result<Vec<Funded>> {
    let mut accounts = Vec::new();
    let mut made = false;
    for number in 1..=args.accounts {
        let hash = sha512_half(&[args.seed.as_bytes(), &number.to_be_bytes()]);
        let entropy = hash.0.first_chunk::<16>().ok_or_else(|| eyre!("a hash of 32 bytes has 16"))?;
        let seed = Seed::from_entropy(*entropy, KeyType::Ed25519);
        let address = KeyPair::from_seed(&seed).account_id();
        // A ledger that was loaded may have it already.
        if !server.snapshot().open().state().contains(&index::account_root(&address)) {
            server.fund(&address, args.balance).wrap_err_with(|| format!("account {number} gets no XRP"))?;
            made = true;
        }
        accounts.push(Funded { address, seed });
    }
    if made {
        server.close_ledger();
    }
    Ok(accounts)
}

/// What a person needs to begin with.
fn introduction(server: &EmbeddedServer, accounts: &[Funded]) -> String {
    let rpc = server.rpc_url();
    let mut text = format!("websocket  {}\nJSON-RPC   {rpc}\nexplorer   {rpc}/\n", server.ws_url());
    if server.has_faucet() {
        text.push_str(&format!("faucet     {rpc}/accounts\n"));
    }
    if let Some(addr) = server.public_addr() {
        text.push_str(&format!("public     {addr}\n"));
    }
    text.push('\n');
    for Funded { address, seed } in accounts {
        text.push_str(&format!("{:<35} {}\n", address.to_string(), seed.to_base58().as_str()));
    }
    let account = accounts.first().map_or_else(
        || xrpl_harness::embedded::GENESIS_ACCOUNT.to_string(),
        |funded| funded.address.to_string(),
    );
    text.push_str(&format!(
        "\ncurl -s {rpc} -d '{{\"method\":\"account_info\",\"params\":[{{\"account\":\"{account}\"}}]}}'\n\
         curl -s {rpc} -d '{{\"method\":\"ledger_accept\"}}'\n"
    ));
    text
}

/// Answers whether somebody reads: `print!` would panic where nobody does.
fn print(text: &str) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).wrap_err("cannot write to standard output"),
    }
}

/// What ends when nobody can write to standard input any more. Reading has a thread of its own, which nobody waits for.
async fn end_of_stdin() {
    let (gone, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // An error is an end, too.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = gone.send(());
    });
    let _ = ended.await;
}

/// Waits until nobody reads standard output any more. Where it is a file or a terminal, that is never.
async fn unread() {
    let (send, ended) = tokio::sync::oneshot::channel::<()>();
    // On a thread of its own, which ends with the process: the wait cannot be interrupted.
    std::thread::spawn(move || {
        let out = std::io::stdout();
        // Asked for nothing, the system says only that the other side is gone.
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        while let Err(Errno::INTR) = poll(&mut watched, None) {}
        let [watched] = watched;
        if watched.revents().is_empty() {
            // It cannot be watched, which is no end.
            std::mem::forget(send);
        }
    });
    let _ = ended.await;
}

/// What ends with SIGINT or SIGTERM, which are caught from now on.
fn signalled() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
