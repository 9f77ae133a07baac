//! The changes one transaction makes to a state, and the metadata that tells of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;

use xrpl_wire::{AccountId, Amount, Field, Hash256, LedgerEntryType, Object, TxResult, Value, index, sf};

use super::credits::{self, Balance, Credits, Payment};
use super::decimal::Arithmetic;
use super::quantity::Quantity;
use super::shared;
use crate::embedded::amendment::Amendment;
use crate::embedded::rules::Rules;
use crate::embedded::state::{Entry, StateMap};

/// What a transaction does to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Insert,
    Modify,
    Erase,
}

/// An entry that a transaction touches. An erased one keeps the fields it had when it was erased.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) action: Action,
    pub(super) object: Object,
}

/// A state with the changes of one transaction laid over it; or such a table with more changes over it, which may
/// yet be dropped.
#[derive(Debug, Clone)]
pub(super) struct Table<'a> {
    base: Base<'a>,
    items: BTreeMap<Hash256, Item>,
    /// In the layers of a payment: what was paid in it.
    credits: Option<Credits>,
}

/// What changes are laid over.
#[derive(Debug, Clone, Copy)]
enum Base<'a> {
    State(&'a StateMap),
    Table(&'a Table<'a>),
}

/// The changes of one layer, taken off what they were laid over.
#[derive(Debug, Default)]
pub(super) struct Layer {
    items: BTreeMap<Hash256, Item>,
    credits: Option<Credits>,
}

impl<'a> Base<'a> {
    fn read(self, index: &Hash256) -> Option<&'a Object> {
        match self {
            Base::State(state) => state.object(index),
            Base::Table(table) => table.read(index),
        }
    }
}

/// What became of a transaction's changes: written to a state by [`Changes::write_to`].
#[derive(Debug)]
pub(super) struct Changes {
    items: BTreeMap<Hash256, Item>,
    threaded: BTreeMap<Hash256, Object>,
}

impl<'a> Table<'a> {
    pub(super) fn new(base: &'a StateMap) -> Table<'a> {
        Table { base: Base::State(base), items: BTreeMap::new(), credits: None }
    }

    /// More changes over a table.
    pub(super) fn over(base: &'a Table<'a>) -> Table<'a> {
        Table { base: Base::Table(base), items: BTreeMap::new(), credits: None }
    }

    /// More changes over a table, made by a payment: what is paid cannot be spent again in it.
    pub(super) fn payment_over(base: &'a Table<'a>) -> Table<'a> {
        Table { credits: Some(Credits::default()), ..Table::over(base) }
    }

    /// The changes of this layer alone.
    pub(super) fn into_layer(self) -> Layer {
        Layer { items: self.items, credits: self.credits }
    }

    /// Takes over the changes of a layer that was laid over this table.
    pub(super) fn absorb(&mut self, math: Arithmetic, layer: Layer) -> Result<(), TxResult> {
        for (index, item) in layer.items {
            match item.action {
                Action::Insert => self.insert(index, item.object),
                Action::Modify => match self.items.get_mut(&index) {
                    Some(mine) => mine.object = item.object,
                    None => {
                        self.items.insert(index, item);
                    }
                },
                Action::Erase => match self.items.get(&index) {
                    Some(Item { action: Action::Insert, .. }) => {
                        self.items.remove(&index);
                    }
                    _ => {
                        self.items.insert(index, item);
                    }
                },
            }
        }
        match (&mut self.credits, layer.credits) {
            (Some(credits), Some(above)) => credits.absorb(math, above),
            _ => Ok(()),
        }
    }

    /// Notes what one account pays another in a payment.
    pub(super) fn note_payment(&mut self, math: Arithmetic, payment: &Payment<'_>) -> Result<(), TxResult> {
        match &mut self.credits {
            Some(credits) => credits.pay(math, payment),
            None => Ok(()),
        }
    }

    /// What an account may spend of a balance: in a payment, not what came in by the payment itself.
    pub(super) fn spendable(&self, math: Arithmetic, balance: &Balance<'_>) -> Result<Quantity, TxResult> {
        credits::spendable(math, balance, self.payment_layers())
    }

    /// How much an account counts as owning: in a payment, the most of its course.
    pub(super) fn owner_count(&self, account: &AccountId, now: u32) -> u32 {
        self.payment_layers().filter_map(|credits| credits.owned(account)).fold(now, u32::max)
    }

    fn payment_layers(&self) -> impl Iterator<Item = &Credits> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let table = next?;
            next = match table.base {
                Base::Table(below) => Some(below),
                Base::State(_) => None,
            };
            table.credits.as_ref()
        })
    }

    /// Changes the OwnerCount of an account that is there.
    pub(super) fn adjust_owner_count(&mut self, account: &AccountId, by: i64) -> Result<(), TxResult> {
        let root = self.update(&index::account_root(account)).ok_or(TxResult::tefBAD_LEDGER)?;
        let before = root.u32(sf::OwnerCount).unwrap_or(0);
        shared::adjust_owner_count(root, by);
        let after = root.u32(sf::OwnerCount).unwrap_or(0);
        if let Some(credits) = &mut self.credits {
            credits.own(account, before, after);
        }
        Ok(())
    }

    /// The index of the first entry behind one and before another.
    pub(super) fn next_index(&self, after: &Hash256, before: &Hash256) -> Option<Hash256> {
        if after >= before {
            return None;
        }
        let mut below = *after;
        let below = loop {
            let next = match self.base {
                Base::State(state) => {
                    let mut from = state.iter_from(&below).map(|(index, _)| *index);
                    from.find(|index| *index != below).filter(|index| index < before)
                }
                Base::Table(table) => table.next_index(&below, before),
            };
            match next {
                Some(index) if self.items.get(&index).is_some_and(|item| item.action == Action::Erase) => {
                    below = index;
                }
                other => break other,
            }
        };
        let range = (std::ops::Bound::Excluded(*after), std::ops::Bound::Excluded(*before));
        let mine = self.items.range(range).find(|(_, item)| item.action != Action::Erase);
        match (below, mine.map(|(index, _)| *index)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// The entry at an index, as changed so far.
    pub(super) fn read(&self, index: &Hash256) -> Option<&Object> {
        match self.items.get(index) {
            Some(Item { action: Action::Erase, .. }) => None,
            Some(item) => Some(&item.object),
            None => self.base.read(index),
        }
    }

    /// Whether there is an entry at an index.
    pub(super) fn exists(&self, index: &Hash256) -> bool {
        self.read(index).is_some()
    }

    /// The entry at an index, to be changed.
    pub(super) fn update(&mut self, index: &Hash256) -> Option<&mut Object> {
        match self.items.entry(*index) {
            MapEntry::Occupied(item) => {
                let item = item.into_mut();
                (item.action != Action::Erase).then_some(&mut item.object)
            }
            MapEntry::Vacant(vacant) => {
                let object = self.base.read(index)?.clone();
                Some(&mut vacant.insert(Item { action: Action::Modify, object }).object)
            }
        }
    }

    /// Adds an entry where there is none.
    pub(super) fn insert(&mut self, index: Hash256, object: Object) {
        // An entry that was erased before and comes back has been modified.
        let action = match self.items.get(&index) {
            Some(Item { action: Action::Erase, .. }) => Action::Modify,
            _ => Action::Insert,
        };
        self.items.insert(index, Item { action, object });
    }

    /// Removes an entry.
    pub(super) fn erase(&mut self, index: &Hash256) {
        match self.items.entry(*index) {
            MapEntry::Occupied(mut item) => {
                if item.get().action == Action::Insert {
                    item.remove();
                } else {
                    item.get_mut().action = Action::Erase;
                }
            }
            MapEntry::Vacant(vacant) => {
                if let Some(object) = self.base.read(index) {
                    vacant.insert(Item { action: Action::Erase, object: object.clone() });
                }
            }
        }
    }

    /// The entries that were removed, as they were before all and as they were last.
    pub(super) fn erased(&self) -> impl Iterator<Item = (&Hash256, &Object, &Object)> {
        let erased = self.items.iter().filter(|(_, item)| item.action == Action::Erase);
        erased.filter_map(|(index, item)| Some((index, self.base.read(index)?, &item.object)))
    }

    /// The entries that were touched, as they were before all and as they are now.
    pub(super) fn touched(&self) -> impl Iterator<Item = (&Hash256, Option<&Object>, Option<&Object>)> {
        self.items.iter().map(|(index, item)| {
            let now = (item.action != Action::Erase).then_some(&item.object);
            (index, self.base.read(index), now)
        })
    }

    /// Forgets every change.
    pub(super) fn discard(&mut self) {
        self.items.clear();
    }

    /// How many entries are changed.
    pub(super) fn changed(&self) -> usize {
        self.items.len()
    }

    /// The changes, without metadata: for the open ledger, which has none.
    pub(super) fn into_changes(self) -> Changes {
        Changes { items: self.items, threaded: BTreeMap::new() }
    }

    /// The changes with PreviousTxnID threaded through them, and the metadata.
    pub(super) fn finish(mut self, of: &MetaOf<'_>) -> (Changes, Object) {
        let mut threading =
            Threading { of, base: self.base, nodes: BTreeMap::new(), threaded: BTreeMap::new() };
        let indexes: Vec<Hash256> = self.items.keys().copied().collect();
        for index in indexes {
            threading.node(&index, &mut self.items);
        }
        let Threading { nodes, threaded, .. } = threading;
        let nodes = nodes.into_iter().map(|(index, node)| node.into_object(index)).collect::<Vec<_>>();
        let mut meta = Object::new()
            .with(sf::TransactionIndex, of.transaction_index)
            .with(sf::AffectedNodes, Value::Array(nodes))
            .with(sf::TransactionResult, u8::try_from(of.result.code()).unwrap_or(0));
        if let Some(delivered) = of.delivered {
            meta.set(sf::DeliveredAmount, delivered);
        }
        if let Some(batch) = of.batch {
            meta.set(sf::ParentBatchID, batch);
        }
        (Changes { items: self.items, threaded }, meta)
    }
}

impl Changes {
    /// Writes the changes to the state they were made from.
    pub(super) fn write_to(self, state: &mut StateMap) {
        for (index, object) in self.threaded {
            state.insert(index, Entry::new(object));
        }
        for (index, item) in self.items {
            match item.action {
                Action::Insert | Action::Modify => state.insert(index, Entry::new(item.object)),
                Action::Erase => state.remove(&index),
            }
        }
    }
}

/// What the metadata says besides the changes.
#[derive(Debug)]
pub(super) struct MetaOf<'a> {
    pub(super) id: Hash256,
    pub(super) ledger_index: u32,
    pub(super) transaction_index: u32,
    pub(super) result: TxResult,
    pub(super) delivered: Option<Amount>,
    /// The batch that the transaction was within.
    pub(super) batch: Option<Hash256>,
    pub(super) rules: &'a Rules,
}

/// A node of the metadata, being built.
#[derive(Debug, Default)]
struct Node {
    kind: Option<Field>,
    entry_type: u16,
    previous: Option<(Hash256, u32)>,
    previous_fields: Option<Object>,
    fields: Object,
}

impl Node {
    fn into_object(self, index: Hash256) -> (Field, Object) {
        let kind = self.kind.unwrap_or(sf::ModifiedNode);
        // With the two of its last change, and the fields before and after.
        let mut object =
            Object::with_capacity(6).with(sf::LedgerEntryType, self.entry_type).with(sf::LedgerIndex, index);
        if let Some((id, ledger_index)) = self.previous {
            object.set(sf::PreviousTxnID, id);
            object.set(sf::PreviousTxnLgrSeq, ledger_index);
        }
        if let Some(previous) = self.previous_fields {
            object.set(sf::PreviousFields, Value::Object(previous));
        }
        if !self.fields.is_empty() {
            let name = if kind == sf::CreatedNode { sf::NewFields } else { sf::FinalFields };
            object.set(name, Value::Object(self.fields));
        }
        (kind, object)
    }
}

struct Threading<'a> {
    of: &'a MetaOf<'a>,
    base: Base<'a>,
    // In boxes: eleven of them side by side in one tree node are more than an allocator has at hand.
    nodes: BTreeMap<Hash256, Box<Node>>,
    /// Accounts that only their PreviousTxnID changes of.
    threaded: BTreeMap<Hash256, Object>,
}

impl Threading<'_> {
    /// Adds the node of one changed entry.
    fn node(&mut self, index: &Hash256, items: &mut BTreeMap<Hash256, Item>) {
        let base = self.base;
        let original = base.read(index);
        let Some(item) = items.get(index) else { return };
        let action = item.action;
        if action == Action::Modify && original == Some(&item.object) {
            return;
        }
        let entry_type = item.object.u16(sf::LedgerEntryType).unwrap_or(0);
        let node = self.nodes.entry(*index).or_default();
        node.entry_type = entry_type;
        node.kind = Some(match action {
            Action::Insert => sf::CreatedNode,
            Action::Modify => sf::ModifiedNode,
            Action::Erase => sf::DeletedNode,
        });

        if action != Action::Modify {
            let owners = owners(if action == Action::Erase { original } else { Some(&item.object) });
            for owner in owners {
                self.thread_owner(&owner, items);
            }
        }
        if action != Action::Erase
            && is_threaded(entry_type, self.of.rules)
            && let Some(item) = items.get_mut(index)
        {
            self.thread(index, &mut item.object);
        }

        let Some(item) = items.get(index) else { return };
        let node = self.nodes.entry(*index).or_default();
        if action == Action::Insert {
            let new = item.object.iter().filter(|(field, value)| in_new(*field) && !is_default(value));
            node.fields = new.map(|(field, value)| (field, value.clone())).collect();
            return;
        }
        if let Some(original) = original {
            node.previous_fields = previous_fields(original, &item.object);
        }
        let last = item.object.iter().filter(|(field, _)| in_final(*field, action));
        node.fields = last.map(|(field, value)| (field, value.clone())).collect();
    }

    /// Notes the transaction in the account that owns, or is to receive, an entry made or removed.
    fn thread_owner(&mut self, owner: &AccountId, items: &mut BTreeMap<Hash256, Item>) {
        let index = index::account_root(owner);
        if let Some(item) = items.get_mut(&index) {
            // An account deleted together with what it owned has nothing to note.
            if item.action != Action::Erase {
                self.thread(&index, &mut item.object);
            }
            return;
        }
        let mut object = match self.threaded.remove(&index) {
            Some(object) => object,
            None => match self.base.read(&index) {
                Some(object) => object.clone(),
                // The destination of an Escrow may have been deleted meanwhile.
                None => return,
            },
        };
        self.thread(&index, &mut object);
        self.threaded.insert(index, object);
    }

    /// Sets PreviousTxnID and PreviousTxnLgrSeq, and says in the metadata what they were.
    fn thread(&mut self, index: &Hash256, object: &mut Object) {
        let previous_id = object.hash256(sf::PreviousTxnID).unwrap_or(Hash256::ZERO);
        if previous_id == self.of.id {
            return;
        }
        let previous_ledger = object.u32(sf::PreviousTxnLgrSeq).unwrap_or(0);
        object.set(sf::PreviousTxnID, self.of.id);
        object.set(sf::PreviousTxnLgrSeq, self.of.ledger_index);
        if previous_id == Hash256::ZERO {
            return;
        }
        let node = self.nodes.entry(*index).or_default();
        if node.kind.is_none() {
            node.kind = Some(sf::ModifiedNode);
            node.entry_type = object.u16(sf::LedgerEntryType).unwrap_or(0);
        }
        if node.previous.is_none() {
            node.previous = Some((previous_id, previous_ledger));
        }
    }
}

/// The fields of an entry that a transaction changed or took away, as they were; none if it did neither and added
/// none. A field that was not there before is told of too, by nothing: that may leave the list empty.
fn previous_fields(before: &Object, after: &Object) -> Option<Object> {
    let mut previous = Object::new();
    let mut differ = false;
    // Both stand in the same order, so one walk over both finds what differs.
    let mut later = after.iter().filter(|(field, _)| in_previous(*field)).peekable();
    for (field, value) in before.iter().filter(|(field, _)| in_previous(*field)) {
        while later.next_if(|(other, _)| *other < field).is_some() {
            differ = true;
        }
        let now = later.next_if(|(other, _)| *other == field);
        if now.is_none_or(|(_, now)| now != value) {
            previous.set(field, value.clone());
        }
    }
    differ |= later.next().is_some();
    (!previous.is_empty() || differ).then_some(previous)
}

/// The accounts that a transaction is noted in when this entry is made or removed.
fn owners(entry: Option<&Object>) -> Vec<AccountId> {
    let Some(entry) = entry else { return Vec::new() };
    let kind = entry.u16(sf::LedgerEntryType).and_then(LedgerEntryType::from_code);
    match kind {
        Some(LedgerEntryType::AccountRoot) => Vec::new(),
        Some(LedgerEntryType::RippleState) => {
            [sf::LowLimit, sf::HighLimit].into_iter().filter_map(|field| issuer(entry, field)).collect()
        }
        _ => [sf::Account, sf::Destination].into_iter().filter_map(|field| entry.account(field)).collect(),
    }
}

fn issuer(entry: &Object, field: Field) -> Option<AccountId> {
    match entry.get(field) {
        Some(Value::Amount(Amount::Issued(amount))) => Some(amount.issuer),
        _ => None,
    }
}

/// Whether entries of a kind carry PreviousTxnID.
fn is_threaded(entry_type: u16, rules: &Rules) -> bool {
    match LedgerEntryType::from_code(entry_type) {
        Some(LedgerEntryType::LedgerHashes) | None => false,
        Some(
            LedgerEntryType::DirectoryNode
            | LedgerEntryType::Amendments
            | LedgerEntryType::FeeSettings
            | LedgerEntryType::NegativeUNL
            | LedgerEntryType::AMM,
        ) => rules.enabled(Amendment::FixPreviousTxnID),
        Some(_) => true,
    }
}

fn in_new(field: Field) -> bool {
    ![sf::LedgerEntryType, sf::PreviousTxnID, sf::PreviousTxnLgrSeq, sf::Indexes].contains(&field)
}

fn in_previous(field: Field) -> bool {
    field != sf::RootIndex && in_new(field)
}

fn in_final(field: Field, action: Action) -> bool {
    match field {
        sf::LedgerEntryType | sf::Indexes => false,
        sf::PreviousTxnID | sf::PreviousTxnLgrSeq => action == Action::Erase,
        _ => true,
    }
}

/// Whether a value is what its field would be if it were not there.
fn is_default(value: &Value) -> bool {
    match value {
        Value::U8(n) => *n == 0,
        Value::U16(n) => *n == 0,
        Value::U32(n) => *n == 0,
        Value::U64(n) => *n == 0,
        Value::I32(n) => *n == 0,
        Value::I64(n) => *n == 0,
        Value::Hash128(bytes) => bytes.iter().all(|byte| *byte == 0),
        Value::Hash160(bytes) => bytes.iter().all(|byte| *byte == 0),
        Value::Hash192(bytes) => bytes.iter().all(|byte| *byte == 0),
        Value::Hash256(hash) => *hash == Hash256::ZERO,
        Value::Amount(Amount::Xrp(drops)) => drops.get() == 0,
        Value::Blob(bytes) => bytes.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Vector256(hashes) => hashes.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
