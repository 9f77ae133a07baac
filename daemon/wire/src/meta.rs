//! Metadata: what a transaction did to the ledger.

use crate::{Amount, CodecError, Field, Hash256, LedgerEntryType, Object, TxResult, Value, sf};

/// What became of a transaction in a closed ledger, and every entry it touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The result.
    pub result: TxResult,
    /// The transaction's place in the order of application.
    pub transaction_index: u32,
    /// What a payment delivered, if that may differ from its Amount.
    pub delivered_amount: Option<Amount>,
    /// The entries that were made, changed and removed, in the server's order.
    pub nodes: Vec<AffectedNode>,
    /// Nodes of entry types that are not known, and whatever else is no node; none but by
    /// [`Metadata::decode_lenient`].
    pub unknown_nodes: Vec<Object>,
    object: Object,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// It is new.
    Created,
    /// It was there and is there.
    Modified,
    /// It is gone.
    Deleted,
}

/// One entry that a transaction touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedNode {
    /// What happened.
    pub kind: NodeKind,
    /// The entry's type.
    pub entry_type: LedgerEntryType,
    /// The entry's key in the state tree.
    pub index: Hash256,
    /// The entry afterwards (NewFields of a created one); empty if the server says nothing of it.
    pub final_fields: Object,
    /// The fields that changed, as they were before.
    pub previous_fields: Object,
    /// The transaction that touched the entry before.
    pub previous_txn_id: Option<Hash256>,
    /// The ledger of that transaction.
    pub previous_txn_lgr_seq: Option<u32>,
}

impl Metadata {
    /// Reads metadata from its bytes.
    ///
    /// # Errors
    /// As [`Object::decode`] and [`Metadata::from_object`].
    pub fn decode(bytes: &[u8]) -> Result<Metadata, CodecError> {
        Metadata::from_object(Object::decode(bytes)?)
    }

    /// Reads the metadata of a validated ledger, which may be younger than this program: results, entry types,
    /// fields and values that are not known are kept, as in [`Object::decode_lenient`].
    ///
    /// # Errors
    /// [`CodecError::Missing`] without a result, a place or nodes; as [`Object::decode_lenient`].
    pub fn decode_lenient(bytes: &[u8]) -> Result<Metadata, CodecError> {
        let object = Object::decode_lenient(bytes)?;
        let code = object.u8(sf::TransactionResult).ok_or(CodecError::Missing(sf::TransactionResult))?;
        let list = object.array(sf::AffectedNodes).ok_or(CodecError::Missing(sf::AffectedNodes))?;
        let (mut nodes, mut unknown_nodes) = (Vec::with_capacity(list.len()), Vec::new());
        for (name, node) in list {
            match affected_node(*name, node) {
                Ok(read) => nodes.push(read),
                Err(_) => unknown_nodes.push(node.clone()),
            }
        }
        Metadata::of(object, TxResult::of_ledger(code), nodes, unknown_nodes)
    }

    /// Reads metadata from its fields.
    ///
    /// # Errors
    /// [`CodecError::Missing`] or [`CodecError::Invalid`] for what is no metadata.
    pub fn from_object(object: Object) -> Result<Metadata, CodecError> {
        let code = object.u8(sf::TransactionResult).ok_or(CodecError::Missing(sf::TransactionResult))?;
        let result = TxResult::from_code(i32::from(code))
            .ok_or(CodecError::Invalid { field: sf::TransactionResult, what: "no known result" })?;
        let nodes = object.array(sf::AffectedNodes).ok_or(CodecError::Missing(sf::AffectedNodes))?;
        let nodes = nodes.iter().map(|(name, node)| affected_node(*name, node)).collect::<Result<_, _>>()?;
        Metadata::of(object, result, nodes, Vec::new())
    }

    fn of(
        object: Object,
        result: TxResult,
        nodes: Vec<AffectedNode>,
        unknown_nodes: Vec<Object>,
    ) -> Result<Metadata, CodecError> {
        let transaction_index =
            object.u32(sf::TransactionIndex).ok_or(CodecError::Missing(sf::TransactionIndex))?;
        let delivered_amount = object.amount(sf::DeliveredAmount);
        Ok(Metadata { result, transaction_index, delivered_amount, nodes, unknown_nodes, object })
    }

    /// All fields.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The entry of a key, if the transaction touched it.
    pub fn node(&self, index: &Hash256) -> Option<&AffectedNode> {
        self.nodes.iter().find(|node| node.index == *index)
    }

    /// The bytes of the metadata.
    ///
    /// # Errors
    /// As [`Object::encode`]; none for metadata that was decoded.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        self.object.encode()
    }

    /// As the server shows it, without what it adds from the transaction.
    pub fn to_json(&self) -> serde_json::Value {
        self.object.to_json()
    }
}

fn affected_node(name: Field, node: &Object) -> Result<AffectedNode, CodecError> {
    let (kind, fields) = match name {
        sf::CreatedNode => (NodeKind::Created, sf::NewFields),
        sf::ModifiedNode => (NodeKind::Modified, sf::FinalFields),
        sf::DeletedNode => (NodeKind::Deleted, sf::FinalFields),
        _ => {
            return Err(CodecError::Invalid {
                field: sf::AffectedNodes,
                what: "a node is created, modified or deleted",
            });
        }
    };
    let code = node.u16(sf::LedgerEntryType).ok_or(CodecError::Missing(sf::LedgerEntryType))?;
    let inner = |field| match node.get(field) {
        Some(Value::Object(object)) => object.clone(),
        _ => Object::new(),
    };
    Ok(AffectedNode {
        kind,
        entry_type: LedgerEntryType::from_code(code)
            .ok_or(CodecError::Invalid { field: sf::LedgerEntryType, what: "no known type" })?,
        index: node.hash256(sf::LedgerIndex).ok_or(CodecError::Missing(sf::LedgerIndex))?,
        final_fields: inner(fields),
        previous_fields: inner(sf::PreviousFields),
        previous_txn_id: node.hash256(sf::PreviousTxnID),
        previous_txn_lgr_seq: node.u32(sf::PreviousTxnLgrSeq),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(node: Object) -> Object {
        Object::new()
            .with(sf::TransactionResult, 0_u8)
            .with(sf::TransactionIndex, 3_u32)
            .with(sf::AffectedNodes, vec![(sf::ModifiedNode, node)])
    }

    #[test]
    fn a_node_without_fields_is_read_as_such() {
        let node = Object::new()
            .with(sf::LedgerEntryType, LedgerEntryType::AccountRoot)
            .with(sf::LedgerIndex, Hash256([7; 32]));
        let metadata = Metadata::from_object(metadata(node)).unwrap();
        assert_eq!((metadata.result, metadata.transaction_index), (TxResult::tesSUCCESS, 3));
        assert_eq!(metadata.delivered_amount, None);
        let node = metadata.node(&Hash256([7; 32])).unwrap();
        assert_eq!((node.kind, node.final_fields.len()), (NodeKind::Modified, 0));
        assert_eq!(metadata.node(&Hash256::ZERO), None);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        assert_eq!(Metadata::decode(&[]), Err(CodecError::Missing(sf::TransactionResult)));
        assert_eq!(
            Metadata::from_object(metadata(Object::new())),
            Err(CodecError::Missing(sf::LedgerEntryType))
        );
        let mut odd = metadata(Object::new());
        odd.set(sf::TransactionResult, 1_u8);
        assert_eq!(Metadata::from_object(odd).unwrap_err().code(), "codec_invalid_value");
    }
}
