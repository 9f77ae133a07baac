//! A share: one signature for a proposed transaction, and where it goes.

use xrpl_wire::{
    AccountId, Field, Hash256, LedgerEntryType, Object, TransactionType, TxResult, Value, proposal, sf,
};

pub(in crate::embedded) use xrpl_wire::proposal::Role;

use super::super::{Ter, shared};
use crate::embedded::batch::SIGNERS_MAX as PARTICIPANTS_MAX;

/// The most signers of one account.
pub(super) const SIGNERS_MAX: usize = 32;

/// One signature, by `signer` for `account`.
pub(super) struct Share<'o> {
    pub(super) account: AccountId,
    pub(super) signer: AccountId,
    pub(super) key: &'o [u8],
    pub(super) signature: &'o [u8],
}

impl<'o> Share<'o> {
    /// What a TransactionProposalSign brings.
    pub(super) fn of(sign: &'o Object) -> Option<Share<'o>> {
        let signature = sign.object(sf::ProposalSignature)?;
        Some(Share {
            account: sign.account(sf::SigningFor)?,
            signer: signature.account(sf::Account)?,
            key: signature.blob(sf::SigningPubKey)?,
            signature: signature.blob(sf::TxnSignature)?,
        })
    }

    /// Whether the account signs for itself.
    pub(super) fn is_own(&self) -> bool {
        self.signer == self.account
    }

    /// Puts the share where it belongs.
    pub(super) fn put_into(&self, role: Role, fields: &mut Object) -> Ter {
        match role {
            Role::Initiator => self.fill(fields),
            Role::Counterparty => self.fill_within(fields, sf::CounterpartySignature),
            Role::Sponsor => self.fill_within(fields, sf::SponsorSignature),
            Role::Participant => self.fill_participant(fields),
        }
    }

    fn fill_within(&self, fields: &mut Object, name: Field) -> Ter {
        let mut slot = fields.object(name).cloned().unwrap_or_default();
        self.fill(&mut slot)?;
        fields.set(name, Value::Object(slot));
        Ok(())
    }

    fn fill_participant(&self, fields: &mut Object) -> Ter {
        let mut signers = fields.array(sf::BatchSigners).unwrap_or_default().to_vec();
        let full = signers.len() >= PARTICIPANTS_MAX;
        match signers.iter_mut().find(|(_, entry)| entry.account(sf::Account) == Some(self.account)) {
            Some((_, entry)) => self.fill(entry)?,
            None if full => return Err(TxResult::tecOVERSIZE),
            None => {
                let mut entry = Object::new().with(sf::Account, self.account);
                self.fill(&mut entry)?;
                signers.push((sf::BatchSigner, entry));
            }
        }
        signers.sort_by_key(|(_, entry)| entry.account(sf::Account));
        fields.set(sf::BatchSigners, Value::Array(signers));
        Ok(())
    }

    /// An account signs with one key or with several signers, and never twice.
    fn fill(&self, slot: &mut Object) -> Ter {
        let conflicting = if self.is_own() { sf::Signers } else { sf::TxnSignature };
        if slot.has(conflicting) {
            return Err(TxResult::tecNO_PERMISSION);
        }
        if self.is_own() {
            if slot.has(sf::TxnSignature) {
                return Err(TxResult::tecDUPLICATE);
            }
            slot.set(sf::SigningPubKey, self.key.to_vec());
            slot.set(sf::TxnSignature, self.signature.to_vec());
            return Ok(());
        }
        let mut signers = slot.array(sf::Signers).unwrap_or_default().to_vec();
        if signers.iter().any(|(_, signer)| signer.account(sf::Account) == Some(self.signer)) {
            return Err(TxResult::tecDUPLICATE);
        }
        if signers.len() >= SIGNERS_MAX {
            return Err(TxResult::tecOVERSIZE);
        }
        let signer = Object::new()
            .with(sf::Account, self.signer)
            .with(sf::SigningPubKey, self.key.to_vec())
            .with(sf::TxnSignature, self.signature.to_vec());
        signers.push((sf::Signer, signer));
        signers.sort_by_key(|(_, signer)| signer.account(sf::Account));
        slot.set(sf::Signers, Value::Array(signers));
        if !slot.has(sf::SigningPubKey) {
            slot.set(sf::SigningPubKey, Vec::<u8>::new());
        }
        Ok(())
    }
}

/// Who has to sign a proposed transaction by itself, beside those who take part in a batch. A loan that names no
/// counterparty has that of its broker; none where there is no such broker.
pub(in crate::embedded) fn outer_roles<'s>(
    read: impl Fn(&Hash256) -> Option<&'s Object>,
    fields: &Object,
) -> Vec<(Role, Option<AccountId>)> {
    let initiator = fields.account(sf::Delegate).or_else(|| fields.account(sf::Account));
    let mut roles = vec![(Role::Initiator, initiator)];
    if let Some(counterparty) = fields.account(sf::Counterparty) {
        roles.push((Role::Counterparty, Some(counterparty)));
    } else if fields.u16(sf::TransactionType) == Some(TransactionType::LoanSet.code()) {
        let broker = fields.hash256(sf::LoanBrokerID).and_then(|at| read(&at));
        let broker = shared::of_kind(broker, LedgerEntryType::LoanBroker);
        roles.push((Role::Counterparty, broker.and_then(|broker| broker.account(sf::Owner))));
    }
    if let Some(sponsor) = fields.account(sf::Sponsor) {
        roles.push((Role::Sponsor, Some(sponsor)));
    }
    roles
}

/// As what an account signs a proposed transaction. One account cannot be two outer parties of it.
pub(super) fn role_of<'s>(
    read: impl Fn(&Hash256) -> Option<&'s Object>,
    fields: &Object,
    account: &AccountId,
) -> Result<Role, TxResult> {
    let roles = outer_roles(read, fields);
    let mut its = roles.iter().filter(|(_, holder)| *holder == Some(*account)).map(|(role, _)| *role);
    match (its.next(), its.next()) {
        (Some(role), None) => Ok(role),
        (None, _) if proposal::participants(fields).contains(account) => Ok(Role::Participant),
        _ => Err(TxResult::tecNO_PERMISSION),
    }
}
