//! What every type of transaction needs.

use xrpl_wire::{
    AccountId, Amount, Drops, Field, Hash256, LedgerEntryType, Object, PublicKey, SeqProxy, TxResult, Value,
    flags, index, sf,
};

use super::{Context, Ter, permission, proposal};
use crate::embedded::amendment::Amendment;
use crate::embedded::apply::{LedgerInfo, directory};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// Flags that every type knows. What is within a batch is looked for last.
pub(super) const UNIVERSAL_FLAGS: u32 = flags::tfFullyCanonicalSig | flags::tfInnerBatchTxn;

/// Up to this number networks must not be named.
const UNNAMED_NETWORKS: u32 = 1024;

/// The checks of the common fields, before the type's own.
pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted, flags_allowed: u32) -> Ter {
    let object = tx.tx.object();
    if let Some(delegate) = object.account(sf::Delegate) {
        if !info.rules.enabled(Amendment::PermissionDelegationV1_1) {
            return Err(TxResult::temDISABLED);
        }
        if delegate == tx.tx.account() {
            return Err(TxResult::temBAD_SIGNER);
        }
        if !permission::can_be_sent_for(tx.tx.tx_type(), &info.rules) {
            return Err(TxResult::temINVALID);
        }
    }
    let network = info.rules.network_id();
    match object.u32(sf::NetworkID) {
        None if network > UNNAMED_NETWORKS => return Err(TxResult::telREQUIRES_NETWORK_ID),
        Some(_) if network <= UNNAMED_NETWORKS => {
            return Err(TxResult::telNETWORK_ID_MAKES_TX_NON_CANONICAL);
        }
        Some(named) if named != network => return Err(TxResult::telWRONG_NETWORK),
        _ => {}
    }
    if object.u32(sf::Flags).unwrap_or(0) & !(UNIVERSAL_FLAGS | flags_allowed) != 0 {
        return Err(TxResult::temINVALID_FLAG);
    }
    if tx.tx.account() == AccountId::ZERO {
        return Err(TxResult::temBAD_SRC_ACCOUNT);
    }
    if object.drops(sf::Fee).is_none() {
        return Err(TxResult::temBAD_FEE);
    }
    let key = object.blob(sf::SigningPubKey).unwrap_or_default();
    if !key.is_empty() && PublicKey::from_slice(key).is_err() {
        return Err(TxResult::temBAD_SIGNATURE);
    }
    if matches!(tx.tx.seq(), SeqProxy::Ticket(_)) && object.has(sf::AccountTxnID) {
        return Err(TxResult::temINVALID);
    }
    if object.u32(sf::Flags).unwrap_or(0) & flags::tfInnerBatchTxn != 0 && tx.batch.is_none() {
        // No batch brought it.
        return Err(if info.rules.enabled(Amendment::BatchV1_1) {
            TxResult::temINVALID_INNER_BATCH
        } else {
            TxResult::temINVALID_FLAG
        });
    }
    Ok(())
}

/// Whether a field of a transaction is an amount of a multi-purpose token, or names one.
pub(super) fn has_token(tx: &Submitted) -> bool {
    tx.tx.object().iter().any(|(_, value)| {
        matches!(value, Value::Amount(Amount::Mpt(_)) | Value::Issue(xrpl_wire::Issue::Mpt(_)))
    })
}

/// Whether there is an amount, at any depth, that nobody can have. Less than none of a token is one since
/// fixCleanup3_2_0; before, each type looks for that itself.
pub(super) fn has_illegal_amount(info: &LedgerInfo, object: &Object) -> bool {
    object.iter().any(|(_, value)| match value {
        Value::OddAmount(_) => true,
        Value::Amount(Amount::Mpt(mpt)) => mpt.negative && info.rules.enabled(Amendment::FixCleanup3_2_0),
        Value::Object(inner) => has_illegal_amount(info, inner),
        Value::Array(items) => items.iter().any(|(_, item)| has_illegal_amount(info, item)),
        _ => false,
    })
}

/// The Sequence or Ticket must be the account's turn.
pub(super) fn check_seq(state: &StateMap, tx: &Submitted) -> Ter {
    let account = tx.tx.account();
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    let next = root.u32(sf::Sequence).unwrap_or(0);
    match tx.tx.seq() {
        SeqProxy::Sequence(sequence) => {
            if tx.tx.object().has(sf::TicketSequence) {
                return Err(TxResult::temSEQ_AND_TICKET);
            }
            match sequence.cmp(&next) {
                std::cmp::Ordering::Greater => Err(TxResult::terPRE_SEQ),
                std::cmp::Ordering::Less => Err(TxResult::tefPAST_SEQ),
                std::cmp::Ordering::Equal => Ok(()),
            }
        }
        // A Ticket with a number still to come may yet be made.
        SeqProxy::Ticket(ticket) if next <= ticket => Err(TxResult::terPRE_TICKET),
        SeqProxy::Ticket(ticket) if !state.contains(&index::ticket(&account, ticket)) => {
            Err(TxResult::tefNO_TICKET)
        }
        SeqProxy::Ticket(_) => Ok(()),
    }
}

/// AccountTxnID and LastLedgerSequence.
pub(super) fn check_prior_and_last_ledger(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    if let Some(prior) = tx.tx.object().hash256(sf::AccountTxnID) {
        let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
        if root.hash256(sf::AccountTxnID).unwrap_or(Hash256::ZERO) != prior {
            return Err(TxResult::tefWRONG_PRIOR);
        }
    }
    match tx.tx.last_ledger_sequence() {
        Some(last) if info.index > last => Err(TxResult::tefMAX_LEDGER),
        _ => Ok(()),
    }
}

/// An entry, if it is of a kind: an index that a transaction names may be that of anything.
pub(super) fn of_kind(entry: Option<&Object>, kind: LedgerEntryType) -> Option<&Object> {
    entry.filter(|entry| entry.u16(sf::LedgerEntryType) == Some(kind.code()))
}

/// The drops of an AccountRoot.
pub(super) fn balance(root: &Object) -> u64 {
    root.drops(sf::Balance).map_or(0, Drops::get)
}

/// Drops as an amount. More than there are cannot come out of adding up what accounts hold.
pub(super) fn drops(drops: u64) -> Result<Amount, TxResult> {
    Drops::new(drops).map(Amount::Xrp).map_err(|_| TxResult::tefINTERNAL)
}

/// Whether an AccountRoot, or another entry, has all these flags.
pub(super) fn has_flag(entry: &Object, flag: u32) -> bool {
    entry.u32(sf::Flags).unwrap_or(0) & flag == flag
}

/// Sets or clears flags of an entry.
pub(super) fn set_flag(entry: &mut Object, flag: u32, on: bool) {
    let before = entry.u32(sf::Flags).unwrap_or(0);
    entry.set(sf::Flags, if on { before | flag } else { before & !flag });
}

/// A new entry of a kind, with the fields that all kinds have.
pub(super) fn new_entry(kind: LedgerEntryType) -> Object {
    Object::new()
        .with(sf::LedgerEntryType, kind.code())
        .with(sf::Flags, 0u32)
        .with(sf::PreviousTxnID, Hash256::ZERO)
        .with(sf::PreviousTxnLgrSeq, 0u32)
}

impl Context<'_> {
    pub(super) fn account(&self) -> AccountId {
        self.tx.tx.account()
    }

    pub(super) fn account_index(&self) -> Hash256 {
        self.tx.account_index
    }

    /// The AccountRoot of the sender.
    pub(super) fn account_root(&self) -> Result<&Object, TxResult> {
        self.view.read(&self.account_index()).ok_or(TxResult::tefINTERNAL)
    }

    /// The AccountRoot of the sender, to be changed.
    pub(super) fn account_mut(&mut self) -> Result<&mut Object, TxResult> {
        let index = self.account_index();
        self.view.update(&index).ok_or(TxResult::tefINTERNAL)
    }

    /// The fields of the transaction.
    pub(super) fn fields(&self) -> &Object {
        self.tx.tx.object()
    }

    /// Moves the Sequence on, or uses up the Ticket.
    pub(super) fn consume_seq(&mut self) -> Ter {
        match self.tx.tx.seq() {
            SeqProxy::Sequence(sequence) => {
                self.account_mut()?.set(sf::Sequence, sequence.wrapping_add(1));
                Ok(())
            }
            SeqProxy::Ticket(ticket) => {
                let account = self.account();
                self.delete_ticket(&account, &index::ticket(&account, ticket))
            }
        }
    }

    /// Removes a Ticket, from its owner's directory and counts too.
    pub(super) fn delete_ticket(&mut self, owner: &AccountId, ticket: &Hash256) -> Ter {
        let page = self.view.read(ticket).and_then(|entry| entry.u64(sf::OwnerNode));
        let page = page.ok_or(TxResult::tefBAD_LEDGER)?;
        directory::remove(&mut self.view, &index::owner_dir(owner), page, ticket, true)?;
        let root = self.view.update(&index::account_root(owner)).ok_or(TxResult::tefBAD_LEDGER)?;
        match root.u32(sf::TicketCount) {
            None | Some(0) => return Err(TxResult::tefBAD_LEDGER),
            Some(1) => {
                root.remove(sf::TicketCount);
            }
            Some(count) => root.set(sf::TicketCount, count - 1),
        }
        adjust_owner_count(root, -1);
        let number = self.view.read(ticket).and_then(|entry| entry.u32(sf::TicketSequence));
        self.view.erase(ticket);
        match number {
            Some(number) if self.info.rules.enabled(Amendment::Cosign) => {
                proposal::remove_with_ticket(&mut self.view, owner, number)
            }
            _ => Ok(()),
        }
    }

    /// The sender must have the reserve for one more object, as it was before the fee.
    pub(super) fn check_reserve_for_one_more(&self) -> Ter {
        let owner_count = self.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
        let reserve = self.info.fees.account_reserve(owner_count.saturating_add(1));
        if self.prior_balance < reserve { Err(TxResult::tecINSUFFICIENT_RESERVE) } else { Ok(()) }
    }

    /// The Sequence or Ticket that the transaction uses: what it makes is named by it.
    pub(super) fn seq_value(&self) -> u32 {
        self.tx.tx.seq().value()
    }

    /// Takes an entry out of the directory of an account; the directory's first page stays.
    pub(super) fn remove_from_owner_dir(&mut self, owner: &AccountId, page: u64, entry: &Hash256) -> Ter {
        directory::remove(&mut self.view, &index::owner_dir(owner), page, entry, true)
    }

    /// Adds an entry to the owner directory of an account, and answers with the page it stands on.
    pub(super) fn add_to_owner_dir(&mut self, owner: &AccountId, entry: &Hash256) -> Result<u64, TxResult> {
        directory::insert(&mut self.view, &index::owner_dir(owner), entry, self.info, |page| {
            page.set(sf::Owner, *owner);
        })
    }

    /// Adds drops to what an account has.
    pub(super) fn credit(&mut self, account: &AccountId, amount: u64) -> Ter {
        let root = self.view.update(&self.tx.root_index(account)).ok_or(TxResult::tefINTERNAL)?;
        let after = balance(root).checked_add(amount).ok_or(TxResult::tefINTERNAL)?;
        root.set(sf::Balance, drops(after)?);
        Ok(())
    }

    /// Takes drops from what an account has.
    pub(super) fn debit(&mut self, account: &AccountId, amount: u64) -> Ter {
        let root = self.view.update(&self.tx.root_index(account)).ok_or(TxResult::tefINTERNAL)?;
        let after = balance(root).checked_sub(amount).ok_or(TxResult::tefINTERNAL)?;
        root.set(sf::Balance, drops(after)?);
        Ok(())
    }

    /// Changes the OwnerCount of an account.
    pub(super) fn adjust_owner_count_of(&mut self, account: &AccountId, by: i64) -> Ter {
        self.view.adjust_owner_count(account, by)
    }
}

/// Changes the OwnerCount of an AccountRoot, which stays within what it can hold.
pub(super) fn adjust_owner_count(root: &mut Object, by: i64) {
    let count = i64::from(root.u32(sf::OwnerCount).unwrap_or(0)).saturating_add(by).max(0);
    root.set(sf::OwnerCount, u32::try_from(count).unwrap_or(u32::MAX));
}

/// The issued amount of a field.
pub(super) fn issued(entry: &Object, field: Field) -> Option<xrpl_wire::IssuedAmount> {
    match entry.amount(field) {
        Some(Amount::Issued(amount)) => Some(amount),
        _ => None,
    }
}
