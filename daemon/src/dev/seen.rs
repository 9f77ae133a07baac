//! What the validated ledger says, read from the ledger itself.

use std::collections::BTreeMap;

use xrpl_harness::network::{At, Included, Network, World};
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

impl From<Included> for Seen {
    fn from(included: Included) -> Self {
        let Included { id, ledger_index, tx, result } = included;
        Self { id, ledger_index, tx, result }
    }
}

/// The validated transactions that an account sent, in ledgers after `after`, oldest first.
///
/// # Errors
/// [`DevError::Network`].
pub async fn sent_by(world: &World, account: &AccountId, after: u32) -> Result<Vec<Seen>, DevError> {
    let account = *account;
    let sent = world.transactions(after, move |tx| tx.account() == account).await?;
    Ok(sent.into_iter().map(Seen::from).collect())
}

/// Every validated transaction, whoever sent it, that finishes or cancels this escrow.
///
/// # Errors
/// [`DevError::Network`].
pub async fn ends_of_escrow(
    world: &World,
    owner: &AccountId,
    sequence: u32,
    after: u32,
) -> Result<Vec<Seen>, DevError> {
    let owner = *owner;
    let ends = world
        .transactions(after, move |tx| {
            matches!(tx.tx_type(), TransactionType::EscrowFinish | TransactionType::EscrowCancel)
                && tx.object().account(sf::Owner) == Some(owner)
                && tx.object().u32(sf::OfferSequence) == Some(sequence)
        })
        .await?;
    Ok(ends.into_iter().map(Seen::from).collect())
}

/// An account's XRP in a ledger; nothing where it is not there.
///
/// # Errors
/// [`DevError::Network`].
pub async fn balance(world: &World, account: &AccountId, at: At) -> Result<Drops, DevError> {
    let root = world.entry(index::account_root(account), at).await?;
    Ok(root.and_then(|root| root.drops(sf::Balance)).unwrap_or(Drops::ZERO))
}

/// An Escrow entry of the last validated ledger.
///
/// # Errors
/// [`DevError::Network`].
pub async fn escrow(
    world: &World,
    owner: &AccountId,
    sequence: u32,
) -> Result<Option<entry::Escrow>, DevError> {
    let found = world.entry(index::escrow(owner, sequence), At::Validated).await?;
    Ok(match found.as_ref().map(LedgerEntry::from_object) {
        Some(Ok(LedgerEntry::Escrow(escrow))) => Some(escrow),
        _ => None,
    })
}

/// Balances at one validated ledger, to compare with later ones to the drop.
#[derive(Clone, Copy, Debug)]
pub struct Books {
    opened: u32,
}

impl Books {
    /// Opens the books at the last validated ledger.
    ///
    /// # Errors
    /// [`DevError::Network`].
    pub async fn open(world: &World) -> Result<Self, DevError> {
        Ok(Self { opened: world.validated().await?.index })
    }

    /// The ledger they were opened at.
    #[must_use]
    pub fn since(&self) -> u32 {
        self.opened
    }

    /// What the account had then.
    ///
    /// # Errors
    /// [`DevError::Network`].
    pub async fn before(&self, world: &World, account: &AccountId) -> Result<Drops, DevError> {
        balance(world, account, At::Ledger(self.opened)).await
    }

    /// Proves that an account has exactly what it had, plus `came`, less `went`, less the fees of the transactions
    /// that it sent since; and that it sent exactly transactions of these types, all with tesSUCCESS.
    ///
    /// # Errors
    /// [`DevError::Wrong`] with both figures or both lists.
    pub async fn settle(
        &self,
        world: &World,
        name: &str,
        account: &AccountId,
        came: Drops,
        went: Drops,
        sent: &[TransactionType],
    ) -> Result<(), DevError> {
        let closed = world.validated().await?.index;
        let since: Vec<Seen> = sent_by(world, account, self.since())
            .await?
            .into_iter()
            // What has closed since `closed` was read is not in its balances.
            .filter(|seen| seen.ledger_index <= closed)
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
            .before(world, account)
            .await?
            .checked_add(came)
            .and_then(|sum| sum.checked_sub(went))
            .and_then(|sum| sum.checked_sub(fees))
            .unwrap_or(Drops::ZERO);
        super::same(
            &format!("drops of {name}"),
            &balance(world, account, At::Ledger(closed)).await?.get(),
            &expected.get(),
        )
    }
}
