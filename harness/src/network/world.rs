//! Which of the worlds a test runs in, as the environment says.

use std::sync::Arc;

use thiserror::Error;
use xrpl_wire::{Hash256, Object, Transaction, TxResult};

use super::{At, Capabilities, Contents, Included, Network, NetworkError, Remote, Snapshot, Validated};
use crate::embedded::Fees;
use crate::server::{EmbeddedServer, Faults};

/// The image of the public server that is started where no other is named.
pub const PUBLIC_IMAGE: &str = "rippleci/xrpld:3.4.0";

/// Where a test's ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the test's own process.
    Embedded,
    /// At a server that somebody else started.
    Url {
        /// Its websocket.
        ws: String,
        /// Its JSON-RPC.
        rpc: String,
    },
    /// In a container that is started for the test.
    Docker {
        /// Name and tag.
        image: String,
    },
}

/// The environment does not name a world.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlaceError {
    /// A word that is none.
    #[error("XRPL_LEDGER is \"{0}\"; it can be \"embedded\", \"url\" or \"docker\"")]
    Unknown(String),
    /// A server without its place.
    #[error("XRPL_LEDGER=url needs {0}, the server's {1}")]
    Missing(&'static str, &'static str),
}

impl Place {
    /// What `XRPL_LEDGER`, `XRPL_WS`, `XRPL_RPC` and `XRPL_IMAGE` say.
    ///
    /// # Errors
    /// [`PlaceError`]
    pub fn from_env() -> Result<Self, PlaceError> {
        Self::named(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn named(value: impl Fn(&str) -> Option<String>) -> Result<Self, PlaceError> {
        match value("XRPL_LEDGER").as_deref() {
            None | Some("embedded") => Ok(Self::Embedded),
            Some("url") => Ok(Self::Url {
                ws: value("XRPL_WS").ok_or(PlaceError::Missing("XRPL_WS", "websocket"))?,
                rpc: value("XRPL_RPC").ok_or(PlaceError::Missing("XRPL_RPC", "JSON-RPC"))?,
            }),
            Some("docker") => {
                Ok(Self::Docker { image: value("XRPL_IMAGE").unwrap_or_else(|| PUBLIC_IMAGE.to_owned()) })
            }
            Some(other) => Err(PlaceError::Unknown(other.to_owned())),
        }
    }
}

/// The ledger that a test runs on.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a test has one of it")]
pub enum World {
    /// In this process; dropping it ends it.
    Embedded(EmbeddedServer),
    /// At URLs; it stays when this is dropped.
    Remote(Remote),
}

impl World {
    /// The embedded server, if it is one.
    #[must_use]
    pub fn embedded(&self) -> Option<&EmbeddedServer> {
        match self {
            Self::Embedded(server) => Some(server),
            Self::Remote(_) => None,
        }
    }

    /// Stops an embedded server; leaves another as it is.
    pub async fn shutdown(self) {
        match self {
            Self::Embedded(server) => server.shutdown().await,
            Self::Remote(_) => {}
        }
    }
}

/// The same call to whichever it is.
macro_rules! either {
    ($self:ident, $network:ident => $call:expr) => {
        match $self {
            Self::Embedded($network) => $call,
            Self::Remote($network) => $call,
        }
    };
}

impl Network for World {
    fn ws_url(&self) -> String {
        either!(self, network => Network::ws_url(network))
    }

    fn rpc_url(&self) -> String {
        either!(self, network => Network::rpc_url(network))
    }

    fn capabilities(&self) -> Capabilities {
        either!(self, network => network.capabilities())
    }

    async fn submit(&self, tx: &Transaction) -> Result<TxResult, NetworkError> {
        either!(self, network => Network::submit(network, tx).await)
    }

    async fn close_ledger(&self) -> Result<Validated, NetworkError> {
        either!(self, network => Network::close_ledger(network).await)
    }

    async fn advance_time(&self, seconds: u32) -> Result<Validated, NetworkError> {
        either!(self, network => Network::advance_time(network, seconds).await)
    }

    async fn validated(&self) -> Result<Validated, NetworkError> {
        either!(self, network => Network::validated(network).await)
    }

    async fn fees(&self) -> Result<Fees, NetworkError> {
        either!(self, network => network.fees().await)
    }

    async fn entry(&self, key: Hash256, at: At) -> Result<Option<Object>, NetworkError> {
        either!(self, network => network.entry(key, at).await)
    }

    async fn ledger(&self, index: u32) -> Result<Arc<Contents>, NetworkError> {
        either!(self, network => network.ledger(index).await)
    }

    async fn transactions(
        &self,
        after: u32,
        wanted: impl Fn(&Transaction) -> bool + Send,
    ) -> Result<Vec<Included>, NetworkError> {
        either!(self, network => network.transactions(after, wanted).await)
    }

    async fn pause_auto_close(&self) -> Result<(), NetworkError> {
        either!(self, network => Network::pause_auto_close(network).await)
    }

    async fn resume_auto_close(&self) -> Result<(), NetworkError> {
        either!(self, network => Network::resume_auto_close(network).await)
    }

    async fn set_faults(&self, faults: Faults) -> Result<(), NetworkError> {
        either!(self, network => Network::set_faults(network, faults).await)
    }

    async fn drop_connections(&self) -> Result<(), NetworkError> {
        either!(self, network => Network::drop_connections(network).await)
    }

    async fn snapshot(&self) -> Result<Snapshot, NetworkError> {
        either!(self, network => Network::snapshot(network).await)
    }

    async fn restore(&self, snapshot: Snapshot) -> Result<(), NetworkError> {
        either!(self, network => Network::restore(network, snapshot).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(set: &[(&str, &str)]) -> Result<Place, PlaceError> {
        Place::named(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_names_the_world() {
        assert_eq!(place(&[]), Ok(Place::Embedded));
        assert_eq!(place(&[("XRPL_LEDGER", "embedded")]), Ok(Place::Embedded));
        let url = [("XRPL_LEDGER", "url"), ("XRPL_WS", "ws://h:1"), ("XRPL_RPC", "http://h:2")];
        assert_eq!(place(&url), Ok(Place::Url { ws: "ws://h:1".into(), rpc: "http://h:2".into() }));
        assert_eq!(place(&[("XRPL_LEDGER", "docker")]), Ok(Place::Docker { image: PUBLIC_IMAGE.into() }));
        let own = [("XRPL_LEDGER", "docker"), ("XRPL_IMAGE", "own:1")];
        assert_eq!(place(&own), Ok(Place::Docker { image: "own:1".into() }));
    }

    #[test]
    fn a_world_that_is_not_named_whole_is_no_world() {
        assert_eq!(place(&[("XRPL_LEDGER", "moon")]), Err(PlaceError::Unknown("moon".into())));
        assert!(matches!(place(&url_without("XRPL_WS")), Err(PlaceError::Missing("XRPL_WS", _))));
        assert!(matches!(place(&url_without("XRPL_RPC")), Err(PlaceError::Missing("XRPL_RPC", _))));
    }

    fn url_without(missing: &str) -> Vec<(&'static str, &'static str)> {
        [("XRPL_LEDGER", "url"), ("XRPL_WS", "ws://h:1"), ("XRPL_RPC", "http://h:2")]
            .into_iter()
            .filter(|(name, _)| *name != missing)
            .collect()
    }
}
