//! The port against servers: fake ones that answer from recorded ledgers and lie where they are told to, by
//! websocket and in memory, and the embedded ledger.

mod confirm;
mod embedded;
mod fake;
mod faults;
mod history;
mod lag;
mod later;
mod liars;
mod memory;
mod outage;
mod pace;
mod proof;
mod quorum;
mod random;
mod readings;

use std::time::Duration;

use tokio::sync::mpsc;
use treasury_core::Input;
use treasury_core::observe::{AccountSnapshot, LedgerObservation, LedgerPoint};

use super::*;
use crate::config::Endpoint;

/// Everything here happens within milliseconds; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port and what it says.
struct Watched {
    handle: PortHandle,
    inputs: mpsc::Receiver<Input>,
}

fn network(endpoints: &[&str]) -> NetworkConfig {
    NetworkConfig {
        silence_max: PATIENCE,
        ..NetworkConfig::new(endpoints.iter().map(|endpoint| Endpoint::parse(endpoint).unwrap()).collect())
    }
}

/// One server that has to answer soon.
fn impatient(endpoint: &str) -> NetworkConfig {
    NetworkConfig { request_timeout: Duration::from_millis(400), ..network(&[endpoint]) }
}

fn spawn(network: NetworkConfig, start: Start) -> Watched {
    let (sender, inputs) = mpsc::channel(64);
    Watched { handle: Port::spawn(network, start, sender), inputs }
}

impl Watched {
    /// The next input, fees aside.
    async fn next(&mut self) -> Input {
        loop {
            let input = tokio::time::timeout(PATIENCE, self.inputs.recv()).await;
            match input.expect("the port says something").expect("the port lives") {
                Input::OpenLedgerFee { .. } => {}
                input => return input,
            }
        }
    }

    async fn ledger(&mut self) -> LedgerObservation {
        match self.next().await {
            Input::Ledger { observation, .. } => observation,
            other => panic!("not a ledger: {other:?}"),
        }
    }

    async fn reconciled(&mut self) -> (LedgerPoint, Vec<AccountSnapshot>) {
        match self.next().await {
            Input::Reconciled { at, accounts, .. } => (at, accounts),
            other => panic!("not accounts: {other:?}"),
        }
    }

    async fn sight_lost(&mut self) -> String {
        match self.next().await {
            Input::SightLost { reason } => reason,
            other => panic!("not lost sight: {other:?}"),
        }
    }
}
