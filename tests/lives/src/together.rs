//! What people do for each other: send what they were let, and take part in batches.

use xrpl_wire::{batch, permission};

use super::*;

/// The kinds of transactions of this file.
pub(super) const KINDS: [TransactionType; 2] = [TransactionType::DelegateSet, TransactionType::Batch];

/// What is given to others: whole types, and parts of some.
const GIVEN: [&str; 8] = [
    "Payment",
    "TrustSet",
    "OfferCreate",
    "EscrowCreate",
    "TicketCreate",
    "PaymentMint",
    "AccountDomainSet",
    "TrustlineFreeze",
];

/// The turn that a batch takes of its account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outer {
    /// Those within come after it.
    Sequence,
    /// Those within begin with the account's next Sequence.
    Ticket,
}

/// A list of permissions.
pub(super) fn permissions(names: &[&str]) -> Value {
    let values = names.iter().filter_map(|name| permission::value(name));
    let one = |value| (sf::Permission, Object::new().with(sf::PermissionValue, value));
    Value::Array(values.map(one).collect())
}

impl<W: World> Life<W> {
    pub(super) fn together(&self, dice: &mut Dice, kind: TransactionType, by: &KeyPair) -> Object {
        let tx = self.draft(kind, &by.account_id());
        if kind == TransactionType::Batch {
            return self.batch(dice, tx, Outer::Sequence);
        }
        let given: Vec<&str> = GIVEN.iter().copied().filter(|_| dice.one_in(3)).collect();
        tx.with(sf::Authorize, dice.pick(&self.cast.people).account_id())
            .with(sf::Permissions, permissions(&given))
    }

    /// Transactions of some people, one after the other.
    pub(super) fn batch(&self, dice: &mut Dice, tx: Object, takes: Outer) -> Object {
        let mode = *dice.pick(&[
            flags::tfAllOrNothing,
            flags::tfOnlyOne,
            flags::tfUntilFailure,
            flags::tfIndependent,
            flags::tfIndependent,
        ]);
        let own = tx.account(sf::Account).filter(|_| takes == Outer::Sequence);
        let mut used: Vec<AccountId> = own.into_iter().collect();
        let count = 2 + dice.roll(3);
        let mut within = Vec::new();
        for _ in 0..count {
            let by = dice.pick(&self.cast.people);
            let mut inner = self.alone(dice, by);
            let account = inner.account(sf::Account).expect("an account");
            let before = used.iter().filter(|other| **other == account).count();
            used.push(account);
            let next = inner.u32(sf::Sequence).expect("a Sequence");
            inner.set(sf::Sequence, next + u32::try_from(before).expect("a few"));
            let given = inner.u32(sf::Flags).unwrap_or(0);
            inner.set(sf::Flags, given | flags::tfInnerBatchTxn);
            inner.set(sf::Fee, drops(0));
            within.push((sf::RawTransaction, inner));
        }
        tx.with(sf::Flags, mode)
            // Enough for deleted accounts too.
            .with(sf::Fee, drops(if dice.one_in(8) { 10 } else { 1_000_000 }))
            .with(sf::RawTransactions, Value::Array(within))
    }

    /// A batch with the signatures of those who take part: mostly all of them.
    pub(super) fn with_participants(&self, dice: &mut Dice, tx: Object) -> Option<Object> {
        let unsigned = Transaction::from_object(tx.clone()).ok()?;
        let within = tx.array(sf::RawTransactions).unwrap_or_default();
        let mut accounts: Vec<AccountId> = within
            .iter()
            .filter_map(|(_, inner)| inner.account(sf::Delegate).or(inner.account(sf::Account)))
            .filter(|account| *account != unsigned.account())
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        if dice.one_in(12) {
            accounts.pop();
        }
        let entry = |account: &AccountId| {
            let regular = self.root(account).and_then(|root| root.account(sf::RegularKey));
            let by = regular.unwrap_or(*account);
            let mut keys = self.cast.people.iter().filter(|key| key.account_id() == by);
            batch::sign(&unsigned, *account, keys.next()?).ok()
        };
        let entries: Vec<_> = accounts.iter().filter_map(entry).collect();
        Some(if entries.is_empty() { tx } else { tx.with(sf::BatchSigners, Value::Array(entries)) })
    }

    /// A transaction sent by somebody who was let send something for its account, if there is one.
    pub(super) fn delegated(&self, dice: &mut Dice, tx: Object) -> Object {
        let account = tx.account(sf::Account).expect("an account");
        let delegates: Vec<AccountId> = self.delegates_of(&account).collect();
        if delegates.is_empty() { tx } else { tx.with(sf::Delegate, *dice.pick(&delegates)) }
    }

    /// Whom an account lets send something for it.
    pub(super) fn delegates_of(&self, account: &AccountId) -> impl Iterator<Item = AccountId> {
        let given = self.entries(LedgerEntryType::Delegate).into_iter();
        given
            .filter(move |entry| entry.account(sf::Account) == Some(*account))
            .map(|entry| entry.account(sf::Authorize).expect("a delegate"))
    }
}
