//! Applying one transaction to a state: the checks in the server's order, the changes, the metadata.
//!
//! A transaction passes `preflight` (itself alone), `preclaim` (against the state, nothing changed) and the
//! type's own `apply`. Each type has a file with these three; what all types share is here.

mod account_delete;
mod account_set;
mod batch;
mod check;
mod check_cash;
mod clawback;
mod credential;
mod credential_set;
mod credits;
mod decimal;
mod delegate;
mod deposit_preauth;
mod directory;
mod dispatch;
mod domain_books;
mod escrow;
mod fee;
mod flow;
mod holdings;
mod kinds;
mod mpt;
mod mpt_escrow;
mod mptoken_authorize;
mod mptoken_issuance;
mod offer;
mod offer_create;
pub(super) mod paths;
mod payment;
mod payment_channel;
mod permission;
mod permissioned_domain;
mod proposal;
mod quality;
mod quantity;
mod set_regular_key;
mod shared;
mod signature;
mod signer_list_set;
mod table;
mod ticket_create;
mod token_escrow;
mod trust;
mod trust_set;

use xrpl_wire::{Amount, Hash256, LedgerEntryType, Object, TxResult, sf};

pub(super) use batch::run as run_batch;
pub(super) use fee::{base_fee, ordinary as ordinary_fee};
pub use kinds::ABSENT_TYPES;
pub(super) use kinds::is_known;
pub(super) use signature::{check_signer_key, check_single};

/// What others ask about proposals.
pub(super) mod proposals {
    pub(in crate::embedded) use super::proposal::{Role, outer_roles};
}

/// Whether the Delegate of a transaction may send it now.
pub(super) fn may_be_sent(state: &StateMap, fields: &Object) -> bool {
    proposal::transaction(fields).is_some_and(|tx| permission::check(state, &Submitted::trusted(tx)).is_ok())
}

use self::decimal::{Arithmetic, Rounding};
use self::table::{MetaOf, Table};
use super::amendment::Amendment;
use super::rules::{Fees, Rules};
use super::state::StateMap;
use super::submitted::Submitted;

/// The outcome of one check or change: fine, or the result to stop with.
type Ter = Result<(), TxResult>;

/// More changed entries than this in one transaction, and it fails as too big for its metadata.
const OVERSIZE_META_NODES: usize = 5_200;

/// So many offers that are of no use go with a transaction that fails.
const MAX_USELESS: usize = 1_000;

/// How to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ApplyFlags {
    /// Leave what fails with a `tec` to a later pass.
    pub(super) retry: bool,
    /// A `tec` shall not be applied.
    pub(super) fail_hard: bool,
    /// Nothing is written, and signatures may be missing.
    pub(super) dry_run: bool,
    /// What would succeed only pays its fee, as a test asks.
    pub(super) claim: bool,
}

/// The ledger a transaction is applied to, but for its state.
#[derive(Debug, Clone, Copy)]
pub(super) struct LedgerInfo {
    pub(super) index: u32,
    /// Escrow times are compared with this.
    pub(super) parent_close_time: u32,
    pub(super) fees: Fees,
    pub(super) rules: Rules,
    /// The open ledger: fees are checked, nothing is threaded, there is no metadata.
    pub(super) open: bool,
}

impl LedgerInfo {
    /// Whether a time has come: compared, as all times are, with the close of the ledger before.
    fn has_passed(&self, time: Option<u32>) -> bool {
        time.is_some_and(|time| self.parent_close_time >= time)
    }

    /// How amounts are computed with.
    fn math(&self) -> Arithmetic {
        let on = |amendment| self.rules.enabled(amendment);
        Arithmetic {
            careful: on(Amendment::FixCleanup3_2_0),
            exact_offers: [on(Amendment::FixReducedOffersV1), on(Amendment::FixReducedOffersV2)],
            rounding: Rounding::Nearest,
        }
    }
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) result: TxResult,
    pub(super) applied: bool,
    /// The drops that were destroyed.
    pub(super) fee: u64,
    /// None in the open ledger, except in a dry run.
    pub(super) meta: Option<Object>,
}

/// A transaction being applied.
struct Context<'a> {
    tx: &'a Submitted,
    info: &'a LedgerInfo,
    view: Table<'a>,
    /// The account's balance before the fee, in drops.
    prior_balance: u64,
    /// The account's balance after the fee, in drops.
    source_balance: u64,
    /// What it should have cost at least, in drops, before anything changed.
    base_fee: u64,
    delivered: Option<Amount>,
}

/// Applies a transaction to a state, or leaves the state as it is.
pub(super) fn apply(
    state: &mut StateMap,
    info: &LedgerInfo,
    tx: &Submitted,
    flags: ApplyFlags,
    transaction_index: u32,
) -> Applied {
    let checked = preflight(info, tx).and_then(|()| preclaim(state, info, tx, flags));
    if let Err(result) = checked
        && (!result.is_tec() || flags.retry)
    {
        return Applied { result, applied: false, fee: 0, meta: None };
    }
    let mut context = Context {
        tx,
        info,
        view: Table::new(state),
        prior_balance: 0,
        source_balance: 0,
        base_fee: base_fee(state, info, tx),
        delivered: None,
    };
    let mut fee = tx.tx.fee().get();
    let mut result = match checked.and_then(|()| context.run()) {
        Ok(()) => TxResult::tesSUCCESS,
        Err(result) => result,
    };
    if context.view.changed() > OVERSIZE_META_NODES {
        result = TxResult::tecOVERSIZE;
    }
    let proposals = info.rules.enabled(Amendment::Cosign);
    let kind = tx.tx.tx_type();
    if proposals && result.is_tes() && !proposal::invariants_hold(&context.view, kind, result) {
        result = TxResult::tecINVARIANT_FAILED;
    }
    // Where the server's own check fails, or a test asks for that: the one failure that can meet a transaction after
    // everything else was fine.
    let claimed = result.is_tes() && (flags.claim || !domain_books::hold(&context.view, info, tx));
    if claimed {
        result = TxResult::tecINVARIANT_FAILED;
    }
    let mut applied = result.is_tes();
    // That failure comes after the server has looked at who wants nothing done by a `tec`.
    if result.is_tec() && flags.fail_hard && !claimed {
        applied = false;
    } else if claimed || is_always_applied(result) || (result.is_tec() && !flags.retry) {
        match context.claim_fee(result) {
            Ok(_) if proposals && !proposal::invariants_hold(&context.view, kind, result) => {
                result = TxResult::tefINVARIANT_FAILED;
            }
            Ok(claimed) => {
                fee = claimed;
                applied = true;
            }
            Err(error) => result = error,
        }
    }
    if !applied {
        return Applied { result, applied, fee: 0, meta: None };
    }
    let Context { view, delivered, .. } = context;
    let (changes, meta) = if info.open && !flags.dry_run {
        (view.into_changes(), None)
    } else {
        let (changes, meta) = view.finish(&MetaOf {
            id: tx.id,
            ledger_index: info.index,
            transaction_index,
            result,
            delivered,
            batch: tx.batch,
            rules: &info.rules,
        });
        (changes, Some(meta))
    };
    if flags.dry_run {
        return Applied { result, applied: false, fee, meta };
    }
    changes.write_to(state);
    Applied { result, applied, fee, meta }
}

/// Whether a failure costs its fee even where others are left to a later pass: what was found out on the way stays.
fn is_always_applied(result: TxResult) -> bool {
    matches!(
        result,
        TxResult::tecOVERSIZE | TxResult::tecKILLED | TxResult::tecINCOMPLETE | TxResult::tecEXPIRED
    )
}

/// What can be said of a transaction without looking at a ledger's state.
pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    // It depends on nothing else than the rules, and is asked for whenever the transaction is tried.
    tx.preflighted(&info.rules, || preflight_anew(info, tx))
}

fn preflight_anew(info: &LedgerInfo, tx: &Submitted) -> Ter {
    if !dispatch::is_enabled(info, tx) {
        return Err(TxResult::temDISABLED);
    }
    shared::preflight(info, tx, dispatch::flags_allowed(info, tx))?;
    if shared::has_illegal_amount(info, tx.tx.object()) {
        return Err(TxResult::temBAD_AMOUNT);
    }
    dispatch::preflight(info, tx)
}

/// What can be said of a transaction against a state that stays as it is.
pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted, flags: ApplyFlags) -> Ter {
    shared::check_seq(state, tx)?;
    proposal::check_reserved(state, info, tx)?;
    shared::check_prior_and_last_ledger(state, info, tx)?;
    permission::check(state, tx)?;
    signature::check(state, tx, flags)?;
    fee::check(state, info, tx)?;
    dispatch::preclaim(state, info, tx, flags)
}

impl Context<'_> {
    /// Spends the Sequence or Ticket and the fee, then does what the type does.
    fn run(&mut self) -> Ter {
        let index = self.account_index();
        let account = self.view.read(&index).ok_or(TxResult::tefINTERNAL)?;
        self.prior_balance = shared::balance(account);
        let fee = self.tx.tx.fee().get();
        self.consume_seq()?;
        let paid_by = self.tx.sender_index;
        let payer = self.view.update(&paid_by).ok_or(TxResult::tefINTERNAL)?;
        let left = shared::balance(payer).checked_sub(fee).ok_or(TxResult::tefINTERNAL)?;
        payer.set(sf::Balance, shared::drops(left)?);
        // A delegate's fee costs the account nothing.
        self.source_balance = if paid_by == index { left } else { self.prior_balance };
        let id = self.tx.id;
        let account = self.account_mut()?;
        if account.has(sf::AccountTxnID) {
            account.set(sf::AccountTxnID, id);
        }
        dispatch::apply(self)
    }

    /// Forgets all that was done and takes only the fee, as far as the balance goes, and the Sequence or Ticket. What
    /// was found to be of no use to anybody goes all the same.
    fn claim_fee(&mut self, result: TxResult) -> Result<u64, TxResult> {
        let useless = self.useless(result);
        self.view.discard();
        self.delivered = None;
        let paid_by = self.tx.sender_index;
        let balance = self.view.read(&paid_by).map(shared::balance).ok_or(TxResult::tefINTERNAL)?;
        let fee = self.tx.tx.fee().get().min(balance);
        let left = shared::drops(balance - fee)?;
        self.consume_seq()?;
        self.view.update(&paid_by).ok_or(TxResult::tefINTERNAL)?.set(sf::Balance, left);
        for (at, kind) in useless {
            match kind {
                // Where its Ticket was spent, it is gone already.
                LedgerEntryType::TransactionProposal if !self.view.exists(&at) => {}
                LedgerEntryType::TransactionProposal => proposal::remove(&mut self.view, &at)?,
                LedgerEntryType::Credential => credential::remove(&mut self.view, &at)?,
                _ => offer::remove(&mut self.view, &at)?,
            }
        }
        Ok(fee)
    }

    /// Entries that were removed because they are of no use to anybody: offers without funds, expired credentials and
    /// proposals.
    fn useless(&self, result: TxResult) -> Vec<(Hash256, LedgerEntryType)> {
        let kinds: &[LedgerEntryType] = match result {
            TxResult::tecOVERSIZE | TxResult::tecKILLED => &[LedgerEntryType::Offer],
            TxResult::tecEXPIRED => &[LedgerEntryType::Credential, LedgerEntryType::TransactionProposal],
            _ => return Vec::new(),
        };
        let erased = self.view.erased().filter_map(|(index, before, after)| {
            let kind = before.u16(sf::LedgerEntryType).and_then(LedgerEntryType::from_code)?;
            let same = before.get(sf::TakerPays) == after.get(sf::TakerPays);
            (kinds.contains(&kind) && same).then_some((*index, kind))
        });
        erased.take(MAX_USELESS).collect()
    }
}
