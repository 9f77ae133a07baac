//! What a proven ledger holds for the accounts that decisions rest on: a pure function of its
//! transactions and their metadata.

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::observe::{
    Change, EscrowView, LedgerObservation, LedgerPoint, NetworkFees, ObservedTx, RootView, SignerListView,
    intent_digest,
};
use treasury_core::units::{AccountId, EscrowKey, Hash256, HexBytes, LedgerIndex, Weight};
use xrpl_wire::entry::{Escrow, SignerList};
use xrpl_wire::{
    AffectedNode, Amount, Drops, LedgerEntry, LedgerEntryType, Metadata, NodeKind, Object, Transaction,
    TransactionType, index, sf,
};

use super::interest::Interest;
use super::reply::TxData;

/// Why a proven ledger cannot be read. The transaction may be of a kind that this program is too old for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ledger {index}: transaction {tx_id} cannot be read: {what}")]
pub struct ObserveError {
    /// Which ledger.
    pub index: LedgerIndex,
    /// Which transaction.
    pub tx_id: Hash256,
    /// Why.
    pub what: String,
}

/// Which accounts are looked at.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Accounts whose entries are followed.
    pub watched: BTreeSet<AccountId>,
    /// The treasury's own: their transactions are reported too, and those that end an escrow of theirs.
    pub treasury: BTreeSet<AccountId>,
    /// Index of the AccountRoot and of the SignerList of each watched account: metadata of an entry that
    /// is only touched, or of a SignerList, does not say whose it is.
    roots: BTreeMap<Hash256, AccountId>,
    signer_lists: BTreeMap<Hash256, AccountId>,
    interest: Interest,
}

impl Watch {
    /// Looks at these accounts.
    #[must_use]
    pub fn new(watched: BTreeSet<AccountId>, treasury: BTreeSet<AccountId>) -> Self {
        let mut watch = Self { treasury: treasury.clone(), ..Self::default() };
        watch.add(watched.into_iter().chain(treasury));
        watch
    }

    /// Looks at more accounts.
    pub fn add(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        for account in accounts {
            self.watched.insert(account);
            self.roots.insert(index::account_root(&account), account);
            self.signer_lists.insert(index::signer_list(&account), account);
        }
        self.interest = Interest::in_accounts(&self.watched);
    }

    /// Whether a transaction may concern one of the accounts, told without decoding it.
    pub(super) fn concerns(&self, tx: &TxData) -> bool {
        self.interest.concerns(tx)
    }
}

/// What decisions need of one transaction.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its place in the ledger.
    place: u32,
    tx: Option<ObservedTx>,
    changes: Vec<Change>,
}

/// Reduces a transaction to what decisions need of it.
///
/// # Errors
/// What its metadata says that the ledger could not have done.
pub(super) fn see(tx: &Transaction, meta: &Metadata, watch: &Watch) -> Result<Seen, String> {
    let changes = changes(tx, meta, watch)?;
    let ended_ours = changes.iter().any(
        |change| matches!(change, Change::EscrowDeleted { key, .. } if watch.treasury.contains(&key.owner)),
    );
    let reported = if ended_ours || watch.treasury.contains(&tx.account()) {
        Some(ObservedTx {
            id: tx.id(),
            account: tx.account(),
            slot: tx.seq(),
            tx_type: tx.tx_type().name().to_owned(),
            result: meta.result.name().to_owned(),
            digest: intent_digest(tx).map_err(|error| error.to_string())?,
        })
    } else {
        None
    };
    Ok(Seen { place: meta.transaction_index, tx: reported, changes })
}

/// Puts a proven ledger together. `seen` may be in any order and may leave out what concerns no watched account.
pub(super) fn observation(
    point: LedgerPoint,
    parent_hash: Hash256,
    fees: NetworkFees,
    mut seen: Vec<Seen>,
) -> LedgerObservation {
    seen.sort_by_key(|seen| seen.place);
    let (transactions, changes, opaque) = (Vec::new(), Vec::new(), Vec::new());
    let mut observation = LedgerObservation { point, parent_hash, fees, transactions, changes, opaque };
    for Seen { tx, changes, .. } in seen {
        observation.transactions.extend(tx);
        observation.changes.extend(changes);
    }
    observation
}

/// What one transaction changed for watched accounts.
fn changes(tx: &Transaction, meta: &Metadata, watch: &Watch) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    for node in &meta.nodes {
        let change = match node.entry_type {
            LedgerEntryType::AccountRoot => root_change(node, watch)?,
            LedgerEntryType::SignerList => signer_list_change(node, watch)?,
            LedgerEntryType::Ticket => ticket_change(node, watch)?,
            LedgerEntryType::Escrow => escrow_change(tx, node, watch)?,
            _ => None,
        };
        changes.extend(change);
    }
    Ok(changes)
}

fn root_change(node: &AffectedNode, watch: &Watch) -> Result<Option<Change>, String> {
    let Some(account) = watch.roots.get(&node.index).copied() else { return Ok(None) };
    let root = match node.kind {
        NodeKind::Deleted => None,
        // Touched, and not changed.
        NodeKind::Modified if node.final_fields.is_empty() => return Ok(None),
        NodeKind::Created | NodeKind::Modified => Some(root_view(&node.final_fields)?),
    };
    Ok(Some(Change::Root { account, root }))
}

/// Reads an AccountRoot. NewFields of a created one leave out what is zero.
fn root_view(fields: &Object) -> Result<RootView, String> {
    let balance = match fields.get(sf::Balance) {
        None => Drops::ZERO,
        Some(_) => fields.drops(sf::Balance).ok_or("an AccountRoot whose Balance is not XRP")?,
    };
    Ok(RootView {
        balance,
        sequence: fields.u32(sf::Sequence).unwrap_or_default(),
        owner_count: fields.u32(sf::OwnerCount).unwrap_or_default(),
        flags: fields.u32(sf::Flags).unwrap_or_default(),
        regular_key: fields.account(sf::RegularKey),
    })
}

fn signer_list_change(node: &AffectedNode, watch: &Watch) -> Result<Option<Change>, String> {
    let Some(account) = watch.signer_lists.get(&node.index).copied() else { return Ok(None) };
    let list = match node.kind {
        NodeKind::Deleted => None,
        NodeKind::Modified if node.final_fields.is_empty() => return Ok(None),
        NodeKind::Created | NodeKind::Modified => match typed(node)? {
            LedgerEntry::SignerList(list) => Some(signer_list_view(&list)),
            _ => return Err("a SignerList that is none".to_owned()),
        },
    };
    Ok(Some(Change::SignerList { account, list }))
}

fn ticket_change(node: &AffectedNode, watch: &Watch) -> Result<Option<Change>, String> {
    let LedgerEntry::Ticket(ticket) = typed(node)? else { return Err("a Ticket that is none".to_owned()) };
    let (account, ticket) = (ticket.account, ticket.ticket_sequence);
    if !watch.watched.contains(&account) {
        return Ok(None);
    }
    Ok(match node.kind {
        NodeKind::Created => Some(Change::TicketCreated { account, ticket }),
        NodeKind::Deleted => Some(Change::TicketDeleted { account, ticket }),
        NodeKind::Modified => None,
    })
}

fn escrow_change(tx: &Transaction, node: &AffectedNode, watch: &Watch) -> Result<Option<Change>, String> {
    let LedgerEntry::Escrow(escrow) = typed(node)? else { return Err("an Escrow that is none".to_owned()) };
    let owner = escrow.account;
    if !watch.watched.contains(&owner) || node.kind == NodeKind::Modified {
        return Ok(None);
    }
    let sequence = match node.kind {
        NodeKind::Created => Some(tx.seq().value()),
        // The entry may not say which it is; the transaction that ended it does.
        _ => tx.object().u32(sf::OfferSequence),
    };
    let sequence = sequence.filter(|sequence| index::escrow(&owner, *sequence) == node.index);
    let Some(sequence) = sequence else {
        return Err(format!("the escrow {} does not belong to this {}", node.index, tx.tx_type().name()));
    };
    let key = EscrowKey { owner, sequence };
    if node.kind == NodeKind::Created {
        return Ok(Some(Change::EscrowCreated { escrow: escrow_view(key, &escrow) }));
    }
    if !matches!(tx.tx_type(), TransactionType::EscrowFinish | TransactionType::EscrowCancel) {
        return Err(format!("a {} ended an escrow", tx.tx_type().name()));
    }
    Ok(Some(Change::EscrowDeleted { key, tx_id: tx.id(), tx_type: tx.tx_type().name().to_owned() }))
}

/// The entry as metadata gives it: without its LedgerEntryType, which stands beside it, and, for a created
/// one, without fields that are zero.
fn typed(node: &AffectedNode) -> Result<LedgerEntry, String> {
    let mut fields = node.final_fields.clone();
    fields.set(sf::LedgerEntryType, node.entry_type);
    LedgerEntry::from_object(&fields).map_err(|error| error.to_string())
}

/// A SignerList as decisions need it.
pub(super) fn signer_list_view(list: &SignerList) -> SignerListView {
    SignerListView {
        quorum: Weight(list.quorum),
        entries: list.entries.iter().map(|entry| (entry.account, entry.weight)).collect(),
    }
}

/// An Escrow as decisions need it.
pub(super) fn escrow_view(key: EscrowKey, escrow: &Escrow) -> EscrowView {
    EscrowView {
        key,
        destination: escrow.destination,
        destination_tag: escrow.destination_tag,
        amount: match &escrow.amount {
            Amount::Xrp(drops) => Some(*drops),
            _ => None,
        },
        finish_after: escrow.finish_after,
        cancel_after: escrow.cancel_after,
        condition: escrow.condition.clone().map(HexBytes),
    }
}

#[cfg(test)]
mod tests;
