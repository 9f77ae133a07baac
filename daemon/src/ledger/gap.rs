//! Closes a long gap without fetching every ledger whole: the headers have proven the chain, and
//! `account_tx` gives the transactions of the watched accounts. That nothing was left out of those is one
//! server's word.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use treasury_core::observe::{LedgerObservation, LedgerPoint};
use treasury_core::units::{AccountId, Hash256, LedgerIndex};
use xrpl_wire::tree;

use super::error::{Trouble, malformed};
use super::fetch;
use super::follow::{Follower, Over};
use super::observe::{Seen, Watch, observation, see};
use super::reply::{self, AccountTx, AccountTxData, TxData, account_text};
use super::server::Server;
use super::transport::RequestError;

/// Ledgers asked for at once: what is held in memory, and what is asked again when a server fails.
const WINDOW: usize = 1_024;

/// Pages of one account's transactions within a window. Beyond it the server goes in circles.
const PAGES_MAX: usize = 10_000;

/// As many transactions in a page as a server gives to strangers.
const PAGE_TRANSACTIONS: u32 = 200;

const METHOD: &str = "account_tx";

/// Transactions by ledger and id: an account's and another's may be one.
type Found = BTreeMap<u32, BTreeMap<Hash256, Seen>>;

impl Follower {
    /// Takes the next ledgers of the chain.
    pub(super) async fn take_gap(&mut self, number: usize, server: &Server) -> Result<(), Over> {
        let (Some(cursor), Some((lowest, _)), Some(fees)) = (self.cursor, self.chain.lowest(), self.fees)
        else {
            return Ok(());
        };
        if self.chain.lowest_points(1).is_empty() {
            let header = fetch::header(server, LedgerIndex(lowest)).await.map_err(Over::of(number))?;
            self.check_hash(number, &header)?;
            if header.parent_hash != cursor.hash {
                let (index, what) = (LedgerIndex(lowest), "its parent's hash");
                let (wanted, found) = (cursor.hash, header.parent_hash);
                return Err(Over::Trouble(number, Trouble::Unproven { index, what, wanted, found }));
            }
            self.chain.descend(&header, cursor.index);
        }
        // What is left at the end is fetched whole.
        let most = self.chain.len().saturating_sub(self.network.gap_ledgers).min(WINDOW);
        let points = self.chain.lowest_points(most);
        let mut found = self.ask(server, &points).await.map_err(Over::of(number))?;
        let mut parent = cursor.hash;
        for point in points {
            let seen = found.remove(&point.index.0).unwrap_or_default().into_values().collect();
            let observation = LedgerObservation { unproven: true, ..observation(point, parent, fees, seen) };
            parent = point.hash;
            if self.shared.board(|board| board.must_look()) {
                return Ok(());
            }
            self.take(observation).await?;
            self.readings.not_by(number);
        }
        self.shared.board(|board| board.credit(number));
        Ok(())
    }

    /// The transactions of every watched account in these ledgers.
    async fn ask(&self, server: &Server, points: &[LedgerPoint]) -> Result<Found, Trouble> {
        let mut found = Found::new();
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(found) };
        for account in &self.watch.watched {
            pages(server, *account, (first.index, last.index), &self.watch, &mut found).await?;
        }
        Ok(found)
    }
}

async fn pages(
    server: &Server,
    account: AccountId,
    (first, last): (LedgerIndex, LedgerIndex),
    watch: &Watch,
    found: &mut Found,
) -> Result<(), Trouble> {
    let mut marker: Option<Value> = None;
    let mut seen = BTreeSet::new();
    for _ in 0..PAGES_MAX {
        let mut params = json!({
            "account": account_text(&account),
            "ledger_index_min": first.0,
            "ledger_index_max": last.0,
            "binary": true,
            "forward": true,
            "limit": PAGE_TRANSACTIONS,
        });
        if let (Some(marker), Some(params)) = (marker.take(), params.as_object_mut()) {
            params.insert("marker".to_owned(), marker);
        }
        let page: AccountTx = match server.request(METHOD, params).await {
            // An account that was never there has no transactions.
            Err(RequestError::Server { code, .. }) if reply::is_account_missing(&code) => return Ok(()),
            Err(RequestError::Server { code, .. }) if code.starts_with("lgrIdx") => {
                return Err(Trouble::Lacks(first));
            }
            reply => reply::parse(METHOD, reply?)?,
        };
        // A server that has less answers for what it has.
        if (page.ledger_index_min, page.ledger_index_max) != (first.0, last.0) {
            return Err(Trouble::Lacks(first));
        }
        for data in page.transactions {
            let AccountTxData { ledger_index, validated, tx_blob, meta_blob } = data;
            if !validated || !(first.0..=last.0).contains(&ledger_index) {
                return Err(malformed(METHOD, format!("a transaction of ledger {ledger_index}")));
            }
            let data = TxData { tx_blob, meta_blob };
            let tx_id = tree::transaction_id(&data.tx_blob.0);
            // That it is one of the ledger's is not proven here.
            let seen = see(tx_id, &data, watch)
                .map_err(|what| malformed(METHOD, format!("transaction {tx_id} cannot be read: {what}")))?;
            found.entry(ledger_index).or_default().insert(tx_id, seen);
        }
        marker = page.marker;
        match &marker {
            None => return Ok(()),
            // The same place again would go on for ever.
            Some(marker) if !seen.insert(marker.to_string()) => break,
            Some(_) => {}
        }
    }
    Err(malformed(METHOD, format!("the pages of {account} do not end")))
}
