//! What the validated ledger says, read from the ledger itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use xrpl_harness::EmbeddedServer;
use xrpl_harness::embedded::ClosedLedger;
use xrpl_wire::{
    AccountId, Drops, Hash256, LedgerEntry, Transaction, TransactionType, TxResult, entry, index, sf,
};

use super::DevError;

/// A validated transaction.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its id.
    pub id: Hash256,
    /// The ledger it is in.
    pub ledger_index: u32,
    /// The transaction.
    pub tx: Transaction,
    /// Its final result.
    pub result: TxResult,
}

impl Seen {
    /// Whose signatures are on it, ascending by AccountID; empty for a single-signed one.
    ///
    /// # Errors
    /// [`DevError::Sign`] where they cannot be read.
    pub fn signers(&self) -> Result<Vec<AccountId>, DevError> {
        if !self.tx.is_multisigned() {
            return Ok(Vec::new());
        }
        Ok(xrpl_wire::sign::signers(&self.tx)?.into_iter().map(|signer| signer.account).collect())
    }

    /// Its type and the end of its story: `Payment tesSUCCESS`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} {} in ledger {}", self.tx.tx_type().name(), self.result.name(), self.ledger_index)
    }

    /// Whether it succeeded and is of that type.
    #[must_use]
    pub fn did(&self, tx_type: TransactionType) -> bool {
        self.result == TxResult::tesSUCCESS && self.tx.tx_type() == tx_type
    }
}

/// The validated transactions that an account sent, in ledgers after `after`, oldest first.
#[must_use]
pub fn sent_by(server: &EmbeddedServer, account: &AccountId, after: u32) -> Vec<Seen> {
    let ledger = server.snapshot();
    ledger
        .account_transactions(account)
        .iter()
        .filter_map(|place| ledger.at(*place))
        .filter(|(closed, tx)| closed.header.index > after && tx.tx().account() == *account)
        .map(|(closed, tx)| Seen {
            id: tx.id,
            ledger_index: closed.header.index,
            tx: tx.tx().clone(),
            result: tx.result,
        })
        .collect()
}

/// Every validated transaction, whoever sent it, that finishes or cancels this escrow.
#[must_use]
pub fn ends_of_escrow(server: &EmbeddedServer, owner: &AccountId, sequence: u32, after: u32) -> Vec<Seen> {
    let ledger = server.snapshot();
    let last = ledger.validated().header.index;
    (after.saturating_add(1)..=last)
        .filter_map(|index| ledger.closed(index))
        .flat_map(|closed| closed.transactions.iter().map(move |tx| (closed, tx)))
        .filter(|(_, tx)| {
            matches!(tx.tx().tx_type(), TransactionType::EscrowFinish | TransactionType::EscrowCancel)
                && tx.tx().object().account(sf::Owner) == Some(*owner)
                && tx.tx().object().u32(sf::OfferSequence) == Some(sequence)
        })
        .map(|(closed, tx)| Seen {
            id: tx.id,
            ledger_index: closed.header.index,
            tx: tx.tx().clone(),
            result: tx.result,
        })
        .collect()
}

/// An account's XRP in a ledger; nothing where it is not there.
#[must_use]
pub fn balance(closed: &ClosedLedger, account: &AccountId) -> Drops {
    closed
        .state
        .object(&index::account_root(account))
        .and_then(|root| root.drops(sf::Balance))
        .unwrap_or(Drops::ZERO)
}

/// An Escrow entry of the last validated ledger.
#[must_use]
pub fn escrow(server: &EmbeddedServer, owner: &AccountId, sequence: u32) -> Option<entry::Escrow> {
    let closed = server.validated();
    match LedgerEntry::from_object(closed.state.object(&index::escrow(owner, sequence))?) {
        Ok(LedgerEntry::Escrow(escrow)) => Some(escrow),
        _ => None,
    }
}

/// Balances at one validated ledger, to compare with later ones to the drop.
#[derive(Clone, Debug)]
pub struct Books {
    opened: Arc<ClosedLedger>,
}

impl Books {
    /// Opens the books at the last validated ledger.
    #[must_use]
    pub fn open(server: &EmbeddedServer) -> Self {
        Self { opened: server.validated() }
    }

    /// The ledger they were opened at.
    #[must_use]
    pub fn since(&self) -> u32 {
        self.opened.header.index
    }

    /// What the account had then.
    #[must_use]
    pub fn before(&self, account: &AccountId) -> Drops {
        balance(&self.opened, account)
    }

    /// Proves that an account has exactly what it had, plus `came`, less `went`, less the fees of the transactions
    /// that it sent since; and that it sent exactly transactions of these types, all with tesSUCCESS.
    ///
    /// # Errors
    /// [`DevError::Wrong`] with both figures or both lists.
    pub fn settle(
        &self,
        server: &EmbeddedServer,
        name: &str,
        account: &AccountId,
        came: Drops,
        went: Drops,
        sent: &[TransactionType],
    ) -> Result<(), DevError> {
        let closed = server.validated();
        let since: Vec<Seen> = sent_by(server, account, self.since())
            .into_iter()
            // What has closed since `closed` was read is not in its balances.
            .filter(|seen| seen.ledger_index <= closed.header.index)
            .collect();
        let words = |seen: &Seen| format!("{} {}", seen.tx.tx_type().name(), seen.result.name());
        let count = |words: Vec<String>| {
            words.into_iter().fold(BTreeMap::<String, usize>::new(), |mut counts, word| {
                *counts.entry(word).or_default() += 1;
                counts
            })
        };
        let found = count(since.iter().map(words).collect());
        let expected = count(sent.iter().map(|tx_type| format!("{} tesSUCCESS", tx_type.name())).collect());
        super::same(&format!("transactions of {name} since ledger {}", self.since()), &found, &expected)?;
        let fees =
            since.iter().fold(Drops::ZERO, |sum, seen| sum.checked_add(seen.tx.fee()).unwrap_or(Drops::MAX));
        let expected = self
            .before(account)
            .checked_add(came)
            .and_then(|sum| sum.checked_sub(went))
            .and_then(|sum| sum.checked_sub(fees))
            .unwrap_or(Drops::ZERO);
        super::same(&format!("drops of {name}"), &balance(&closed, account).get(), &expected.get())
    }
}
