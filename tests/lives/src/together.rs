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

impl<W: World> Life<W> {
    pub(super) fn together(&self, dice: &mut Dice, kind: TransactionType, by: &KeyPair) -> Object {
        let tx = self.draft(kind, &by.account_id());
        if kind == TransactionType::Batch {
            return self.batch(dice, tx);
        }
        let given = GIVEN.iter().filter(|_| dice.one_in(3)).filter_map(|name| permission::value(name));
        let given = given.map(|value| (sf::Permission, Object::new().with(sf::PermissionValue, value)));
        let given = given.collect::<Vec<_>>();
        tx.with(sf::Authorize, dice.pick(&self.cast.people).account_id())
            .with(sf::Permissions, Value::Array(given))
    }

    /// Transactions of some people, one after the other.
    fn batch(&self, dice: &mut Dice, tx: Object) -> Object {
        let mode = *dice.pick(&[
            flags::tfAllOrNothing,
            flags::tfOnlyOne,
            flags::tfUntilFailure,
            flags::tfIndependent,
            flags::tfIndependent,
        ]);
        let mut used: Vec<AccountId> = tx.account(sf::Account).into_iter().collect();
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
        let account = tx.account(sf::Account);
        let given = self.entries(LedgerEntryType::Delegate);
        let given: Vec<_> = given.iter().filter(|entry| entry.account(sf::Account) == account).collect();
        if given.is_empty() {
            return tx;
        }
        let delegate = dice.pick(&given).account(sf::Authorize).expect("a delegate");
        tx.with(sf::Delegate, delegate)
    }
}
