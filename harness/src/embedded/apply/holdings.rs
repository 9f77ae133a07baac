//! What accounts have of any asset, whether they may use it, and how it moves between them.

use xrpl_wire::{AccountId, Currency, Drops, Issue, IssuedAmount, TxResult, index, sf};

use super::credits::{Balance, Payment};
use super::quantity::{PARITY, Quantity};
use super::table::Table;
use super::trust;
use super::{LedgerInfo, Ter, mpt, shared};

/// What makes a holding count for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// All of it counts.
    None,
    /// What is frozen, or what its holder is not authorized for, does not count.
    Usable,
}

/// An asset and the table it is looked up in.
#[derive(Clone, Copy)]
pub(super) struct Holdings<'h> {
    pub(super) view: &'h Table<'h>,
    pub(super) info: &'h LedgerInfo,
}

/// Who issues an asset; nobody XRP.
pub(super) fn issuer(issue: &Issue) -> AccountId {
    match issue {
        Issue::Xrp => AccountId::ZERO,
        Issue::Issued { issuer, .. } => *issuer,
        Issue::Mpt(id) => mpt::issuer(id),
    }
}

/// An asset of an issued currency as an amount of nothing, as trust lines are asked about.
fn nothing_of(currency: &Currency, issuer: &AccountId) -> IssuedAmount {
    IssuedAmount { value: xrpl_wire::IouValue::ZERO, currency: *currency, issuer: *issuer }
}

impl Holdings<'_> {
    /// What an account has of an asset, and may spend.
    pub(super) fn has(&self, account: &AccountId, issue: &Issue, care: Care) -> Result<Quantity, TxResult> {
        match issue {
            Issue::Xrp => self.liquid_xrp(account, 0).map(Quantity::Drops),
            Issue::Issued { currency, issuer } => self.has_issued(account, currency, issuer, care),
            Issue::Mpt(id) => Ok(Quantity::Mpt(mpt::held(self, account, id, care))),
        }
    }

    /// The same, but an issuer has as much of its own as it is asked for.
    pub(super) fn funds(
        &self,
        account: &AccountId,
        issue: &Issue,
        wanted: Quantity,
        care: Care,
    ) -> Result<Quantity, TxResult> {
        match issue {
            Issue::Issued { issuer, .. } if issuer == account => Ok(wanted),
            Issue::Mpt(id) if mpt::issuer(id) == *account => Ok(Quantity::Mpt(mpt::available(self.view, id))),
            _ => self.has(account, issue, care),
        }
    }

    fn has_issued(
        &self,
        account: &AccountId,
        currency: &Currency,
        issuer: &AccountId,
        care: Care,
    ) -> Result<Quantity, TxResult> {
        let line = self.view.read(&index::trust_line(account, issuer, currency));
        let unusable = || {
            let asset = nothing_of(currency, issuer);
            trust::is_frozen(self.view, &asset, account) || trust::is_deep_frozen(self.view, &asset, account)
        };
        let value = match line {
            Some(_) if care == Care::Usable && unusable() => xrpl_wire::IouValue::ZERO,
            Some(line) => trust::balance_of(line, account, issuer),
            None => xrpl_wire::IouValue::ZERO,
        };
        let balance = Balance { account, other: issuer, currency, amount: Quantity::Iou(value) };
        self.view.spendable(self.info.math(), &balance)
    }

    /// The drops an account has above its reserve, if it owned so many more objects.
    pub(super) fn liquid_xrp(&self, account: &AccountId, more_owned: i64) -> Result<i64, TxResult> {
        let Some(root) = self.view.read(&index::account_root(account)) else { return Ok(0) };
        let owned = self.view.owner_count(account, root.u32(sf::OwnerCount).unwrap_or(0));
        let owned = i64::from(owned).saturating_add(more_owned).max(0);
        let reserve = self.info.fees.account_reserve(u32::try_from(owned).unwrap_or(u32::MAX));
        let balance = Quantity::Drops(i64::try_from(shared::balance(root)).unwrap_or(i64::MAX));
        let balance = Balance { account, other: &AccountId::ZERO, currency: &Currency::XRP, amount: balance };
        let spendable = self.view.spendable(self.info.math(), &balance)?.whole();
        Ok(spendable.saturating_sub(i64::try_from(reserve).unwrap_or(i64::MAX)).max(0))
    }

    /// What is sent for each unit that arrives, in billionths.
    pub(super) fn transfer_rate(&self, issue: &Issue) -> u32 {
        match issue {
            Issue::Xrp => PARITY,
            Issue::Issued { issuer, .. } => trust::transfer_rate(self.view, issuer),
            Issue::Mpt(id) => mpt::transfer_rate(self.view, id),
        }
    }

    /// Whether an issuer has frozen all of an asset.
    pub(super) fn check_global_freeze(&self, issue: &Issue) -> Ter {
        match issue {
            Issue::Issued { issuer, .. } if trust::is_globally_frozen(self.view, issuer) => {
                Err(TxResult::tecFROZEN)
            }
            Issue::Mpt(id) if mpt::is_locked(self.view, id) => Err(TxResult::tecLOCKED),
            _ => Ok(()),
        }
    }

    /// Whether an account can neither send nor receive an asset.
    pub(super) fn is_deep_frozen(&self, account: &AccountId, issue: &Issue) -> bool {
        match issue {
            Issue::Xrp => false,
            Issue::Issued { currency, issuer } => {
                trust::is_deep_frozen(self.view, &nothing_of(currency, issuer), account)
            }
            Issue::Mpt(id) => mpt::is_frozen(self.view, id, account),
        }
    }

    /// Whether an account may have an asset, where its issuer asks for that.
    pub(super) fn require_auth(&self, account: &AccountId, issue: &Issue) -> Ter {
        match issue {
            Issue::Xrp => Ok(()),
            Issue::Issued { currency, issuer } => {
                trust::require_auth(self.view, &nothing_of(currency, issuer), account)
            }
            Issue::Mpt(id) => mpt::require_auth(self, id, account, mpt::Auth::Strong),
        }
    }
}

/// Moves an amount of an asset from one account to another. The issuer takes its fee of the sender. No account
/// stands for XRP between the steps of a payment.
pub(super) fn send(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    sender: &AccountId,
    receiver: &AccountId,
    issue: &Issue,
    amount: Quantity,
) -> Ter {
    if amount < amount.unit().zero() {
        return Err(TxResult::tecINTERNAL);
    }
    if amount.is_zero() || sender == receiver {
        return Ok(());
    }
    match issue {
        Issue::Xrp => send_xrp(view, info, sender, receiver, amount.whole()),
        Issue::Issued { currency, issuer } => {
            send_issued(view, info, sender, receiver, currency, issuer, amount)
        }
        Issue::Mpt(id) => mpt::send(view, info, sender, receiver, id, amount.whole()),
    }
}

fn send_issued(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    sender: &AccountId,
    receiver: &AccountId,
    currency: &Currency,
    issuer: &AccountId,
    amount: Quantity,
) -> Ter {
    if sender == issuer || receiver == issuer || *issuer == AccountId::ONE {
        return trust::credit(view, info, sender, receiver, currency, amount.iou());
    }
    let sent = info.math().times_rate(amount, trust::transfer_rate(view, issuer))?;
    trust::credit(view, info, issuer, receiver, currency, amount.iou())?;
    trust::credit(view, info, sender, issuer, currency, sent.iou())
}

fn send_xrp(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    sender: &AccountId,
    receiver: &AccountId,
    drops: i64,
) -> Ter {
    let nobody = AccountId::ZERO;
    let amount = Quantity::Drops(drops);
    if *sender != nobody
        && let Some(root) = view.read(&index::account_root(sender))
    {
        let before = i64::try_from(shared::balance(root)).unwrap_or(i64::MAX);
        if before < drops {
            return Err(too_little_xrp(info));
        }
        let payment = Payment {
            sender,
            receiver: &nobody,
            currency: &Currency::XRP,
            amount,
            before: Quantity::Drops(before),
        };
        view.note_payment(info.math(), &payment)?;
        set_balance(view, sender, before - drops)?;
    }
    if *receiver != nobody
        && let Some(root) = view.read(&index::account_root(receiver))
    {
        let before = i64::try_from(shared::balance(root)).unwrap_or(i64::MAX);
        // What is asked of books before they say how much they have may be more than there is.
        let all = i64::try_from(Drops::MAX.get()).unwrap_or(i64::MAX);
        set_balance(view, receiver, before.saturating_add(drops).min(all))?;
        let payment = Payment {
            sender: &nobody,
            receiver,
            currency: &Currency::XRP,
            amount,
            before: Quantity::Drops(-before),
        };
        view.note_payment(info.math(), &payment)?;
    }
    Ok(())
}

/// Moves XRP between two accounts that are there.
pub(super) fn transfer_xrp(
    view: &mut Table<'_>,
    info: &LedgerInfo,
    sender: &AccountId,
    receiver: &AccountId,
    drops: u64,
) -> Ter {
    let balance = |view: &Table<'_>, account| view.read(&index::account_root(account)).map(shared::balance);
    let (Some(left), Some(_)) = (balance(view, sender), balance(view, receiver)) else {
        return Err(TxResult::tefINTERNAL);
    };
    let left = left.checked_sub(drops).ok_or_else(|| too_little_xrp(info))?;
    set_balance(view, sender, i64::try_from(left).map_err(|_| TxResult::tefINTERNAL)?)?;
    let before = balance(view, receiver).ok_or(TxResult::tefINTERNAL)?;
    let after = i64::try_from(before.saturating_add(drops)).map_err(|_| TxResult::tefINTERNAL)?;
    set_balance(view, receiver, after)
}

fn set_balance(view: &mut Table<'_>, account: &AccountId, drops: i64) -> Ter {
    let balance = Quantity::Drops(drops).amount(&Issue::Xrp)?;
    let root = view.update(&index::account_root(account)).ok_or(TxResult::tefINTERNAL)?;
    root.set(sf::Balance, balance);
    Ok(())
}

fn too_little_xrp(info: &LedgerInfo) -> TxResult {
    if info.open { TxResult::telFAILED_PROCESSING } else { TxResult::tecFAILED_PROCESSING }
}

/// Whether an account has a flag; an account that is not there has none.
pub(super) fn account_has(view: &Table<'_>, account: &AccountId, flag: u32) -> bool {
    view.read(&index::account_root(account)).is_some_and(|root| shared::has_flag(root, flag))
}
