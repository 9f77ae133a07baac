//! One server asked for what stands in its last validated ledger, by whoever follows no ledgers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use treasury_core::observe::{EscrowView, LedgerPoint};
use treasury_core::units::{AccountId, Hash256, LedgerIndex, RippleTime};

use super::connection::WebSocket;
use super::server::Server;
use super::snapshot;
use crate::config::Endpoint;

/// A connection to one server. Its errors are for people, and hold nothing of an address but its label.
pub(crate) struct Asking {
    server: Server,
    label: String,
}

/// The header of a ledger as `ledger` answers it.
#[derive(Deserialize)]
struct Reply {
    ledger: Header,
    ledger_hash: Hash256,
    ledger_index: u32,
    #[serde(default)]
    validated: bool,
}

#[derive(Deserialize)]
struct Header {
    close_time: u32,
}

/// What `ledger_entry` says of where an entry was changed last.
#[derive(Deserialize)]
struct Entry {
    node: Node,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "PreviousTxnLgrSeq")]
    changed_in: u32,
}

impl Asking {
    /// Connects.
    pub(crate) async fn open(endpoint: &Endpoint, patience: Duration) -> Result<Self, String> {
        let label = endpoint.label().to_owned();
        match Server::open(&WebSocket { wait: patience }, endpoint, patience, 0).await {
            Ok((server, _)) => Ok(Self { server, label }),
            Err(error) => Err(format!("{label}: {error}")),
        }
    }

    /// The last validated ledger.
    pub(crate) async fn validated(&self) -> Result<LedgerPoint, String> {
        self.ledger(json!("validated")).await
    }

    /// The escrows that these accounts own, as of a ledger.
    pub(crate) async fn escrows(
        &self,
        at: &LedgerPoint,
        owners: &BTreeSet<AccountId>,
    ) -> Result<Vec<EscrowView>, String> {
        let (read, outcome) = snapshot::read(&self.server, at, owners, owners, &BTreeSet::new()).await;
        outcome.map_err(|error| self.says(error))?;
        Ok(read.into_iter().flat_map(|account| account.escrows).collect())
    }

    /// When the ledger closed in which an escrow came to be: nothing changes one.
    pub(crate) async fn made_at(&self, escrow: &EscrowView, at: &LedgerPoint) -> Result<RippleTime, String> {
        let place = xrpl_wire::index::escrow(&escrow.key.owner, escrow.key.sequence);
        let params = json!({ "index": place.to_string(), "ledger_index": at.index.0 });
        let entry: Entry = self.ask("ledger_entry", params).await?;
        Ok(self.ledger(json!(entry.node.changed_in)).await?.close_time)
    }

    async fn ledger(&self, index: Value) -> Result<LedgerPoint, String> {
        let reply: Reply = self.ask("ledger", json!({ "ledger_index": index })).await?;
        if !reply.validated {
            return Err(self.says(format!("ledger {} is not validated", reply.ledger_index)));
        }
        Ok(LedgerPoint {
            index: LedgerIndex(reply.ledger_index),
            hash: reply.ledger_hash,
            close_time: RippleTime(reply.ledger.close_time),
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, String> {
        let body = self.server.request_of_ledger(method, params).await.map_err(|error| self.says(error))?;
        body.read().map_err(|error| self.says(format!("its reply to `{method}` is malformed: {error}")))
    }

    fn says(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", self.label)
    }
}
