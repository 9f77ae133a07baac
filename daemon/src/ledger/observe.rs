//! What a proven ledger holds for the accounts that decisions rest on: a pure function of its
//! transactions and their metadata.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use treasury_core::observe::{
    Change, EscrowView, LedgerObservation, LedgerPoint, NetworkFees, ObservedTx, OpaqueTx, RootView,
    SettingsView, SignerListView, TrustLineView, intent_digest_of, signers_of,
};
use treasury_core::units::{AccountId, EscrowKey, Hash256, HexBytes, Weight};
use xrpl_wire::entry::{Escrow, SignerList};
use xrpl_wire::{
    AffectedNode, Amount, Drops, Field, LedgerEntry, LedgerEntryType, LedgerTx, Metadata, NodeKind, Object,
    TxResult, Value, index, sf,
};

use super::interest::Interest;
use super::reply::TxData;

/// Which accounts are looked at.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Accounts whose entries are followed.
    pub watched: BTreeSet<AccountId>,
    /// The treasury's own: their transactions are reported too, and those that end an escrow of theirs.
    pub treasury: BTreeSet<AccountId>,
    /// Index of the AccountRoot and of the SignerList of each watched account: metadata of an entry that
    /// is only touched, or of a SignerList, does not say whose it is.
    roots: HashMap<Hash256, AccountId>,
    signer_lists: HashMap<Hash256, AccountId>,
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
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Its place in the ledger.
    place: u32,
    tx: Option<ObservedTx>,
    changes: Vec<Change>,
    opaque: Option<OpaqueTx>,
}

/// Reduces a transaction to what decisions need of it. What it does to watched accounts and cannot be read is
/// told, and nothing else of it is lost by that.
///
/// # Errors
/// Where it is a transaction of the treasury's whose result cannot be read: whether to send another in its place
/// hangs on that.
pub(super) fn see(id: Hash256, data: &TxData, watch: &Watch) -> Result<Seen, String> {
    let tx = LedgerTx::decode_known(id, &data.tx_blob.0);
    let meta = Metadata::decode_lenient(&data.meta_blob.0);
    let mut look = Look { watch, id, tx: tx.as_ref().ok(), changes: Vec::new(), opaque: BTreeMap::new() };
    for error in tx.as_ref().err().into_iter().chain(meta.as_ref().err()) {
        let named = [&data.tx_blob.0, &data.meta_blob.0].map(|bytes| watch.interest.named(bytes));
        look.is_opaque(named.into_iter().flatten(), error);
    }
    look.nodes(meta.as_ref().ok());
    let (place, result) = match &meta {
        Ok(meta) => (meta.transaction_index, Some(meta.result)),
        // Behind those that say where they stand.
        Err(_) => (u32::MAX, last_result(&data.meta_blob.0)),
    };
    look.seen(place, result)
}

/// The result in metadata that cannot be read: the ledger writes it last.
fn last_result(meta_blob: &[u8]) -> Option<TxResult> {
    let [.., 0x03, 0x10, code] = meta_blob else { return None };
    Some(TxResult::of_ledger(*code))
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
    let mut observation =
        LedgerObservation { point, parent_hash, fees, transactions, changes, opaque, unproven: false };
    for Seen { tx, changes, opaque, .. } in seen {
        observation.transactions.extend(tx);
        observation.changes.extend(changes);
        observation.opaque.extend(opaque);
    }
    observation
}

/// A look at one transaction.
struct Look<'a> {
    watch: &'a Watch,
    id: Hash256,
    /// None where it cannot be read.
    tx: Option<&'a LedgerTx>,
    /// What it changed for watched accounts.
    changes: Vec<Change>,
    /// What of it touches them and cannot be read.
    opaque: BTreeMap<AccountId, Vec<String>>,
}

impl Look<'_> {
    /// Takes in every node that is about a watched account.
    fn nodes(&mut self, meta: Option<&Metadata>) {
        let Some(meta) = meta else { return };
        for node in &meta.nodes {
            let change = match node.entry_type {
                LedgerEntryType::AccountRoot => {
                    self.root_change(node);
                    None
                }
                LedgerEntryType::SignerList => self.signer_list_change(node),
                LedgerEntryType::Ticket => self.ticket_change(node),
                LedgerEntryType::Escrow => self.escrow_change(node),
                LedgerEntryType::RippleState => {
                    self.trust_line_changes(node);
                    None
                }
                _ => None,
            };
            self.changes.extend(change);
        }
        for node in &meta.unknown_nodes {
            let kind = node.u16(sf::LedgerEntryType).unwrap_or_default();
            // What was read is written again.
            let named = self.watch.interest.named(&node.encode().unwrap_or_default());
            self.is_opaque(named, &format!("an entry of type {kind}"));
        }
    }

    fn is_opaque(&mut self, accounts: impl IntoIterator<Item = AccountId>, what: &dyn fmt::Display) {
        for account in accounts {
            self.opaque.entry(account).or_default().push(what.to_string());
        }
    }

    /// All that was seen.
    fn seen(self, place: u32, result: Option<TxResult>) -> Result<Seen, String> {
        let treasury = &self.watch.treasury;
        let ended_ours = self.changes.iter().any(
            |change| matches!(change, Change::EscrowDeleted { key, .. } if treasury.contains(&key.owner)),
        );
        let reported = self.tx.filter(|tx| ended_ours || treasury.contains(&tx.account()));
        let tx = reported.map(|tx| observed_tx(tx, result)).transpose()?;
        let accounts: BTreeSet<AccountId> = self.opaque.keys().copied().collect();
        let reasons: BTreeSet<String> = self.opaque.into_values().flatten().collect();
        let reason = reasons.into_iter().collect::<Vec<_>>().join("; ");
        let opaque = (!accounts.is_empty()).then_some(OpaqueTx { id: self.id, accounts, reason });
        Ok(Seen { place, tx, changes: self.changes, opaque })
    }

    fn root_change(&mut self, node: &AffectedNode) {
        let Some(account) = self.watch.roots.get(&node.index).copied() else { return };
        let root = match node.kind {
            NodeKind::Deleted => None,
            // Touched, and not changed.
            NodeKind::Modified if node.final_fields.is_empty() => return,
            NodeKind::Created | NodeKind::Modified => match root_view(&node.final_fields) {
                Ok(root) => Some(root),
                Err(what) => return self.is_opaque([account], &what),
            },
        };
        self.changes.push(Change::Root { account, root });
        // A field that was not there before is in no list of what was there: only all of them together say what is another.
        if root.is_some() && self.watch.treasury.contains(&account) {
            match settings_view(&node.final_fields) {
                Ok(settings) => self.changes.push(Change::Settings { account, settings }),
                Err(what) => self.is_opaque([account], &what),
            }
        }
    }

    fn signer_list_change(&mut self, node: &AffectedNode) -> Option<Change> {
        let account = self.watch.signer_lists.get(&node.index).copied()?;
        let list = match node.kind {
            NodeKind::Deleted => None,
            NodeKind::Modified if node.final_fields.is_empty() => return None,
            NodeKind::Created | NodeKind::Modified => match typed(node) {
                Ok(LedgerEntry::SignerList(list)) => Some(signer_list_view(&list)),
                other => {
                    self.is_opaque([account], &not_read("SignerList", other.err()));
                    return None;
                }
            },
        };
        if list.is_some() {
            self.look_for_more("SignerList", account, node);
        }
        Some(Change::SignerList { account, list })
    }

    fn ticket_change(&mut self, node: &AffectedNode) -> Option<Change> {
        let (account, ticket) = match typed(node) {
            Ok(LedgerEntry::Ticket(ticket)) => (ticket.account, ticket.ticket_sequence),
            other => {
                self.unread_entry("Ticket", node, other.err());
                return None;
            }
        };
        if !self.watch.watched.contains(&account) {
            return None;
        }
        match node.kind {
            NodeKind::Created => Some(Change::TicketCreated { account, ticket }),
            NodeKind::Deleted => Some(Change::TicketDeleted { account, ticket }),
            NodeKind::Modified => None,
        }
    }

    fn escrow_change(&mut self, node: &AffectedNode) -> Option<Change> {
        let escrow = match typed(node) {
            Ok(LedgerEntry::Escrow(escrow)) => escrow,
            other => {
                self.unread_entry("Escrow", node, other.err());
                return None;
            }
        };
        let owner = escrow.account;
        if !self.watch.watched.contains(&owner) || node.kind == NodeKind::Modified {
            return None;
        }
        // The entry may not say which it is; the transaction that made or ended it does.
        let said = match node.kind {
            NodeKind::Created => self.tx.map(|tx| tx.seq().value()),
            _ => self.tx.and_then(|tx| tx.object().u32(sf::OfferSequence)),
        };
        let sequence = [said, escrow.sequence]
            .into_iter()
            .flatten()
            .find(|sequence| index::escrow(&owner, *sequence) == node.index);
        let Some(sequence) = sequence else {
            self.is_opaque([owner], &format!("nothing says what the escrow {} is called", node.index));
            return None;
        };
        let key = EscrowKey { owner, sequence };
        if node.kind == NodeKind::Created {
            self.look_for_more("Escrow", owner, node);
            return Some(Change::EscrowCreated { escrow: escrow_view(key, &escrow) });
        }
        let tx_type = self.tx.map_or(Cow::Borrowed("unknown"), LedgerTx::type_name).into_owned();
        Some(Change::EscrowDeleted { key, tx_id: self.id, tx_type })
    }

    /// A trust line has two sides, and both may be the treasury's.
    fn trust_line_changes(&mut self, node: &AffectedNode) {
        let treasury = &self.watch.treasury;
        let issuer = |limit| match node.final_fields.amount(limit) {
            Some(Amount::Issued(limit)) => Some(limit.issuer),
            _ => None,
        };
        let ours: Vec<AccountId> = [sf::LowLimit, sf::HighLimit].into_iter().filter_map(issuer).collect();
        let ours: Vec<AccountId> = ours.into_iter().filter(|side| treasury.contains(side)).collect();
        if ours.is_empty() {
            return;
        }
        let line = match typed(node) {
            Ok(LedgerEntry::RippleState(line)) => line,
            other => {
                self.is_opaque(ours, &not_read("RippleState", other.err()));
                return;
            }
        };
        // Whoever issues has lines that others made, and payments over them by the thousand: none of them is followed.
        let flags_changed = node.previous_fields.has(sf::Flags);
        for (account, asset, side) in TrustLineView::sides(&line) {
            if treasury.contains(&account) && (side.is_some() || flags_changed) {
                let line = side.filter(|_| node.kind != NodeKind::Deleted);
                self.changes.push(Change::TrustLine { account, asset, line });
            }
        }
    }

    /// An entry that cannot be read: whose it is, the entry may say all the same.
    fn unread_entry(&mut self, name: &str, node: &AffectedNode, error: Option<String>) {
        let accounts = match node.final_fields.account(sf::Account) {
            Some(owner) => BTreeSet::from([owner]),
            None => self.watch.interest.named(&node.final_fields.encode().unwrap_or_default()),
        };
        let ours: Vec<AccountId> =
            accounts.into_iter().filter(|account| self.watch.watched.contains(account)).collect();
        self.is_opaque(ours, &not_read(name, error));
    }

    /// What decides who may take money from the account: whatever is not known of that may change it. Of other
    /// entries, the fields that are read are enough: a new one in every AccountRoot must not put every
    /// transaction in doubt.
    fn look_for_more(&mut self, name: &str, account: AccountId, node: &AffectedNode) {
        if let Some(field) = node.final_fields.not_understood() {
            self.is_opaque([account], &format!("the field {field} of its {name}"));
        }
    }
}

fn not_read(name: &str, error: Option<String>) -> String {
    format!("its {name}: {}", error.as_deref().unwrap_or("of another type"))
}

fn observed_tx(tx: &LedgerTx, result: Option<TxResult>) -> Result<ObservedTx, String> {
    // Of what is neither, no ledger of today says what has become of it.
    let result = result.filter(|result| result.is_tes() || result.is_tec());
    let result = result.ok_or("what became of a transaction of the treasury's is not told")?;
    Ok(ObservedTx {
        fee: tx.object().drops(sf::Fee).unwrap_or(Drops::ZERO),
        id: tx.id(),
        account: tx.account(),
        slot: tx.seq(),
        tx_type: tx.type_name().into_owned(),
        result: result.name().to_owned(),
        digest: intent_digest_of(tx.object()).map_err(|error| error.to_string())?,
        signers: signers_of(tx.object()),
    })
}

/// What is there and not understood must not pass for what is not there.
fn all_understood<const N: usize>(fields: &Object, read: [Field; N]) -> Result<(), String> {
    match read.into_iter().find(|field| matches!(fields.get(*field), Some(Value::Raw(_)))) {
        Some(field) => Err(format!("the {field} of its AccountRoot")),
        None => Ok(()),
    }
}

/// What else of an AccountRoot its owner has set. What is not among the fields is not set.
fn settings_view(fields: &Object) -> Result<SettingsView, String> {
    all_understood(fields, [sf::Domain, sf::TransferRate])?;
    Ok(SettingsView {
        domain: HexBytes(fields.blob(sf::Domain).map(<[u8]>::to_vec).unwrap_or_default()),
        transfer_rate: fields.u32(sf::TransferRate).unwrap_or_default(),
    })
}

/// Reads an AccountRoot. NewFields of a created one leave out what is zero.
fn root_view(fields: &Object) -> Result<RootView, String> {
    all_understood(
        fields,
        [sf::Balance, sf::Sequence, sf::OwnerCount, sf::Flags, sf::RegularKey, sf::TransferRate],
    )?;
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
        transfer_rate: Some(fields.u32(sf::TransferRate).unwrap_or_default()),
    })
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
        amount: Some(escrow.amount),
        finish_after: escrow.finish_after,
        cancel_after: escrow.cancel_after,
        condition: escrow.condition.clone().map(HexBytes),
    }
}

#[cfg(test)]
mod tests;
