//! What was paid in the course of one payment: none of it may be spent again before the payment is done, and what
//! counted as owned in its course counts until then.

use std::collections::BTreeMap;

use xrpl_wire::{AccountId, Currency, TxResult};

use super::decimal::Arithmetic;
use super::quantity::{Quantity, Unit, min};

/// Payments over one line, or, with no account on the other side, of XRP.
#[derive(Debug, Clone, Copy)]
struct Paid {
    /// By the account with the lower id, and by the other.
    by_low: Quantity,
    by_high: Quantity,
    /// What the account with the lower id had before.
    low_had: Quantity,
}

/// What one layer of a payment's changes has paid and owned.
#[derive(Debug, Clone, Default)]
pub(super) struct Credits {
    paid: BTreeMap<(AccountId, AccountId, Currency), Paid>,
    owned: BTreeMap<AccountId, u32>,
}

/// A payment to be noted.
pub(super) struct Payment<'p> {
    pub(super) sender: &'p AccountId,
    pub(super) receiver: &'p AccountId,
    pub(super) currency: &'p Currency,
    pub(super) amount: Quantity,
    /// What the sender had before.
    pub(super) before: Quantity,
}

/// What an account has of another, as it may be spent.
pub(super) struct Balance<'b> {
    pub(super) account: &'b AccountId,
    pub(super) other: &'b AccountId,
    pub(super) currency: &'b Currency,
    pub(super) amount: Quantity,
}

impl Credits {
    pub(super) fn pay(&mut self, math: Arithmetic, payment: &Payment<'_>) -> Result<(), TxResult> {
        let Payment { sender, receiver, currency, amount, before } = *payment;
        let is_low = sender < receiver;
        let zero = amount.unit().zero();
        let key = (*sender.min(receiver), *sender.max(receiver), *currency);
        match self.paid.get_mut(&key) {
            None => {
                let paid = if is_low {
                    Paid { by_low: amount, by_high: zero, low_had: before }
                } else {
                    Paid { by_low: zero, by_high: amount, low_had: math.difference(zero, before)? }
                };
                self.paid.insert(key, paid);
            }
            Some(paid) if is_low => paid.by_low = math.sum(paid.by_low, amount)?,
            Some(paid) => paid.by_high = math.sum(paid.by_high, amount)?,
        }
        Ok(())
    }

    /// What an account paid another, and what it had before.
    fn of(&self, math: Arithmetic, balance: &Balance<'_>) -> Result<Option<(Quantity, Quantity)>, TxResult> {
        let Balance { account, other, currency, .. } = *balance;
        let Some(paid) = self.paid.get(&(*account.min(other), *account.max(other), *currency)) else {
            return Ok(None);
        };
        Ok(Some(if account < other {
            (paid.by_low, paid.low_had)
        } else {
            (paid.by_high, math.difference(paid.low_had.unit().zero(), paid.low_had)?)
        }))
    }

    pub(super) fn own(&mut self, account: &AccountId, before: u32, after: u32) {
        let most = self.owned.entry(*account).or_insert(0);
        *most = before.max(after).max(*most);
    }

    pub(super) fn owned(&self, account: &AccountId) -> Option<u32> {
        self.owned.get(account).copied()
    }

    /// Adds what a layer above has paid and owned.
    pub(super) fn absorb(&mut self, math: Arithmetic, above: Credits) -> Result<(), TxResult> {
        for (key, paid) in above.paid {
            match self.paid.get_mut(&key) {
                None => {
                    self.paid.insert(key, paid);
                }
                Some(mine) => {
                    mine.by_low = math.sum(mine.by_low, paid.by_low)?;
                    mine.by_high = math.sum(mine.by_high, paid.by_high)?;
                }
            }
        }
        for (account, most) in above.owned {
            self.own(&account, most, most);
        }
        Ok(())
    }
}

/// What an account may spend of what it has, by what the layers say, the topmost first.
pub(super) fn spendable<'c>(
    math: Arithmetic,
    balance: &Balance<'_>,
    layers: impl Iterator<Item = &'c Credits>,
) -> Result<Quantity, TxResult> {
    let amount = balance.amount;
    let (mut paid, mut had, mut least) = (amount.unit().zero(), amount, amount);
    for credits in layers {
        if let Some((debits, before)) = credits.of(math, balance)? {
            paid = math.sum(paid, debits)?;
            had = before;
            least = min(least, had);
        }
    }
    let left = min(min(amount, math.difference(had, paid)?), least);
    let no_more_than_there_is = amount.unit() == Unit::Drops && !left.is_positive();
    Ok(if no_more_than_there_is { Unit::Drops.zero() } else { left })
}
