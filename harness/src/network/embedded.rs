//! The embedded server as a network: everything is a read of the ledger in this process.

use std::sync::Arc;

use xrpl_wire::{Hash256, Object, Transaction, TxResult};

use super::{At, Capabilities, Contents, Included, Network, NetworkError, Snapshot, Validated};
use crate::embedded::{ClosedLedger, ClosedTx, Fees};
use crate::server::{EmbeddedServer, Faults};

impl Network for EmbeddedServer {
    fn ws_url(&self) -> String {
        Self::ws_url(self)
    }

    fn rpc_url(&self) -> String {
        Self::rpc_url(self)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { time: true, snapshot: true, faults: true }
    }

    async fn submit(&self, tx: &Transaction) -> Result<TxResult, NetworkError> {
        let outcome = Self::submit(self, tx);
        match outcome.refused {
            Some(exception) => Err(NetworkError::Refused(exception)),
            None => Ok(outcome.result),
        }
    }

    async fn close_ledger(&self) -> Result<Validated, NetworkError> {
        Ok(of(&Self::close_ledger(self)))
    }

    async fn advance_time(&self, seconds: u32) -> Result<Validated, NetworkError> {
        Ok(of(&Self::advance_time(self, seconds)))
    }

    async fn validated(&self) -> Result<Validated, NetworkError> {
        Ok(of(&Self::validated(self)))
    }

    async fn fees(&self) -> Result<Fees, NetworkError> {
        Ok(Self::validated(self).fees)
    }

    async fn entry(&self, key: Hash256, at: At) -> Result<Option<Object>, NetworkError> {
        match at {
            At::Open => Ok(self.with_ledger(|ledger| ledger.open().state().object(&key).cloned())),
            At::Validated => Ok(Self::validated(self).state.object(&key).cloned()),
            At::Ledger(index) => {
                let ledger = Self::snapshot(self);
                let closed = ledger.closed(index).ok_or(NetworkError::NoLedger(index))?;
                Ok(closed.state.object(&key).cloned())
            }
        }
    }

    async fn ledger(&self, index: u32) -> Result<Arc<Contents>, NetworkError> {
        let ledger = Self::snapshot(self);
        let closed = ledger.closed(index).ok_or(NetworkError::NoLedger(index))?;
        Ok(Arc::new(Contents {
            header: closed.header,
            transactions: closed.transactions.iter().map(|tx| included(closed, tx)).collect(),
        }))
    }

    async fn transactions(
        &self,
        after: u32,
        wanted: impl Fn(&Transaction) -> bool + Send,
    ) -> Result<Vec<Included>, NetworkError> {
        let ledger = Self::snapshot(self);
        let last = ledger.validated().header.index;
        Ok((after.saturating_add(1)..=last)
            .filter_map(|index| ledger.closed(index))
            .flat_map(|closed| closed.transactions.iter().map(move |tx| (closed, tx)))
            .filter(|(_, tx)| wanted(tx.tx()))
            .map(|(closed, tx)| included(closed, tx))
            .collect())
    }

    async fn pause_auto_close(&self) -> Result<(), NetworkError> {
        Self::pause_auto_close(self);
        Ok(())
    }

    async fn resume_auto_close(&self) -> Result<(), NetworkError> {
        Self::resume_auto_close(self);
        Ok(())
    }

    async fn set_faults(&self, faults: Faults) -> Result<(), NetworkError> {
        Self::set_faults(self, faults);
        Ok(())
    }

    async fn drop_connections(&self) -> Result<(), NetworkError> {
        Self::drop_connections(self);
        Ok(())
    }

    async fn snapshot(&self) -> Result<Snapshot, NetworkError> {
        Ok(Snapshot::Ledger(Box::new(Self::snapshot(self))))
    }

    async fn restore(&self, snapshot: Snapshot) -> Result<(), NetworkError> {
        match snapshot {
            Snapshot::Ledger(ledger) => {
                Self::restore(self, *ledger);
                Ok(())
            }
            Snapshot::Number(_) => Err(NetworkError::Lacks(super::Capability::Snapshot)),
        }
    }
}

fn of(closed: &Arc<ClosedLedger>) -> Validated {
    Validated { index: closed.header.index, hash: closed.hash, close_time: closed.header.close_time }
}

fn included(closed: &ClosedLedger, tx: &ClosedTx) -> Included {
    Included { id: tx.id, ledger_index: closed.header.index, tx: tx.tx().clone(), result: tx.result }
}
