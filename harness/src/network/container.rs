//! A ledger server in a container, started for a test run and gone with it.

use std::time::Duration;

use testcontainers::core::{ContainerPort, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt, TestcontainersError};
use thiserror::Error;
use tokio::time::Instant;

use super::{NetworkError, Place, Remote};

/// The public server's configuration: all ports open to all, as administrators.
const CONFIGURATION: &str = include_str!("xrpld.cfg");

/// Where the public server reads it.
const CONFIGURATION_PATH: &str = "/etc/xrpld/xrpld.cfg";

const WS_PORT: u16 = 6006;
const RPC_PORT: u16 = 5005;

/// The public server needs some seconds on a small machine; pulling its image is before that.
const START: Duration = Duration::from_secs(90);

/// Pulling an image of some hundred megabytes, and starting it.
const PULL_AND_START: Duration = Duration::from_secs(600);

const POLL: Duration = Duration::from_millis(50);

/// Why there is no container.
#[derive(Debug, Error)]
pub enum ContainerError {
    /// The engine cannot be reached, or has no such image.
    #[error("the container engine: {0}")]
    Engine(#[from] TestcontainersError),
    /// The server in it does not answer.
    #[error("the server in the container does not answer after {seconds} s: {0}", seconds = START.as_secs())]
    NotUp(NetworkError),
}

/// A running container. Remove it with [`remove`](Self::remove); one that is dropped outside of its runtime may stay.
#[derive(Debug)]
pub struct Container {
    container: ContainerAsync<GenericImage>,
    place: Place,
}

impl Container {
    /// Starts an image and waits until its ledger answers. Images of `xrpl-standalone` start as they are made; others
    /// are taken for the public server, and get its configuration and the arguments for a ledger of its own.
    ///
    /// # Errors
    /// [`ContainerError`]
    pub async fn start(image: &str) -> Result<Self, ContainerError> {
        // A colon before a slash is the port of a registry.
        let (name, tag) = match image.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (image, "latest"),
        };
        let port = |port: u16| -> ContainerPort { port.tcp() };
        let generic =
            GenericImage::new(name, tag).with_exposed_port(port(WS_PORT)).with_exposed_port(port(RPC_PORT));
        let request = if name.rsplit('/').next() == Some("xrpl-standalone") {
            generic.with_startup_timeout(PULL_AND_START)
        } else {
            generic
                .with_cmd(["-a", "--start"])
                .with_copy_to(CONFIGURATION_PATH, CONFIGURATION.as_bytes().to_vec())
                .with_startup_timeout(PULL_AND_START)
        };
        let container = request.start().await?;
        let host = container.get_host().await?;
        let ws = format!("ws://{host}:{}", container.get_host_port_ipv4(WS_PORT).await?);
        let rpc = format!("http://{host}:{}", container.get_host_port_ipv4(RPC_PORT).await?);
        let deadline = Instant::now() + START;
        while let Err(error) = Remote::connect(&ws, &rpc, true).await {
            if Instant::now() > deadline {
                return Err(ContainerError::NotUp(error));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(Self { container, place: Place::Url { ws, rpc } })
    }

    /// Where its ledger is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Stops and removes it.
    ///
    /// # Errors
    /// [`ContainerError::Engine`]
    pub async fn remove(self) -> Result<(), ContainerError> {
        Ok(self.container.rm().await?)
    }
}
