//! The ledger that a run of the scenarios is on, as the environment names it.

use std::sync::OnceLock;

use xrpl_harness::World;
use xrpl_harness::embedded::Generation;
use xrpl_harness::network::{Capabilities, Network, Place, Remote};

/// Where the scenarios' ledger is; set before the first of them begins.
static SERVER: OnceLock<Server> = OnceLock::new();

/// Which generation of the server embedded ledgers are like; set before the first scenario begins.
static GENERATION: OnceLock<Generation> = OnceLock::new();

struct Server {
    ws: String,
    rpc: String,
}

/// A container that was started for this run.
#[cfg(feature = "containers")]
pub(crate) type Container = xrpl_harness::network::container::Container;

/// Without the feature there is none.
#[cfg(not(feature = "containers"))]
pub(crate) enum Container {}

/// Finds the ledger, starts a container where that is asked for, and answers with what the ledger can do.
pub(crate) async fn open() -> Result<(Capabilities, Option<Container>), String> {
    let place = Place::from_env().map_err(|error| error.to_string())?;
    let generation = match std::env::var("XRPL_SERVER") {
        Ok(name) => name.parse().map_err(|error| format!("XRPL_SERVER: {error}"))?,
        Err(_) => Generation::default(),
    };
    GENERATION.get_or_init(|| generation);
    let (place, container) = match place {
        Place::Docker { image } => started(&image).await?,
        place => (place, None),
    };
    match place {
        Place::Url { ws, rpc } => {
            println!("the ledger: {ws}, {rpc}");
            let server = SERVER.get_or_init(|| Server { ws, rpc });
            let world = connect(server).await.map_err(|error| error.to_string())?;
            Ok((world.capabilities(), container))
        }
        _ => {
            println!("the ledger: embedded, one for each scenario, as server {generation} has it");
            Ok((Capabilities { time: true, snapshot: true, faults: true }, container))
        }
    }
}

#[cfg(feature = "containers")]
async fn started(image: &str) -> Result<(Place, Option<Container>), String> {
    println!("the ledger: a container of {image}");
    let container = Container::start(image).await.map_err(|error| error.to_string())?;
    Ok((container.place().clone(), Some(container)))
}

#[cfg(not(feature = "containers"))]
async fn started(_: &str) -> Result<(Place, Option<Container>), String> {
    Err("XRPL_LEDGER=docker needs the feature: cargo test -p tests --features containers --test scenarios"
        .into())
}

#[cfg(feature = "containers")]
pub(crate) async fn close(container: Option<Container>) {
    if let Some(container) = container {
        container.remove().await.unwrap();
    }
}

#[cfg(not(feature = "containers"))]
pub(crate) async fn close(container: Option<Container>) {
    // Without the feature there is no container to be had.
    let None = container;
}

/// Whether all scenarios share one ledger, and with it one time: then they run one after another.
pub(crate) fn shared() -> bool {
    SERVER.get().is_some()
}

/// The generation that embedded ledgers are like.
pub(crate) fn generation() -> Generation {
    GENERATION.get().copied().unwrap_or_default()
}

/// The shared ledger; `None` in the embedded world.
pub(crate) async fn remote() -> Option<World> {
    match SERVER.get() {
        Some(server) => Some(connect(server).await.unwrap()),
        None => None,
    }
}

async fn connect(server: &Server) -> Result<World, xrpl_harness::network::NetworkError> {
    // For trying out what tests do on a server that can do no more than the public one.
    let control = std::env::var("XRPL_CONTROL").as_deref() != Ok("off");
    Ok(World::Remote(Remote::connect(&server.ws, &server.rpc, control).await?))
}
