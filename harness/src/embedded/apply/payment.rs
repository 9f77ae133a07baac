//! Payment.

use xrpl_wire::{
    AccountId, Amount, Hash256, Issue, IssuedAmount, LedgerEntryType, MptAmount, Object, PathStep, TxResult,
    Value, flags, sf,
};

use super::flow::{self, Crossing, Request};
use super::holdings::{self, Holdings};
use super::quality::{Quality, Trade};
use super::quantity::{PARITY, Quantity};
use super::table::Table;
use super::{Context, LedgerInfo, Ter, credential, mpt, shared};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// The most paths a Payment may have, and the most steps a path.
const MAX_PATHS: usize = 6;
const MAX_STEPS: usize = 8;

/// Whether a Payment moves XRP directly, without paths or another currency on the way.
fn is_direct_xrp(tx: &Submitted) -> bool {
    let object = tx.tx.object();
    object.drops(sf::Amount).is_some() && !object.has(sf::SendMax) && !object.has(sf::Paths)
}

/// The flags of a Payment: of a token it may only be partial.
pub(super) fn flags_allowed(info: &LedgerInfo, tx: &Submitted) -> u32 {
    let token = matches!(tx.tx.object().amount(sf::Amount), Some(Amount::Mpt(_)));
    if token && !info.rules.enabled(Amendment::MPTokensV2) {
        return flags::tfPartialPayment;
    }
    flags::tfNoRippleDirect | flags::tfPartialPayment | flags::tfLimitQuality
}

/// What tokens are barred from: they move between two accounts, and for nothing else.
fn preflight_token(info: &LedgerInfo, object: &Object, amount: &Amount, send_max: Option<&Amount>) -> Ter {
    let is_token = |amount: &Amount| matches!(amount, Amount::Mpt(_));
    if is_token(amount) && !info.rules.enabled(Amendment::MPTokensV1) {
        return Err(TxResult::temDISABLED);
    }
    if is_token(amount) && object.has(sf::Paths) {
        return Err(TxResult::temMALFORMED);
    }
    if object.hash256(sf::DomainID) == Some(Hash256::ZERO) && info.rules.enabled(Amendment::FixCleanup3_2_0) {
        return Err(TxResult::temMALFORMED);
    }
    match send_max {
        Some(most) if (is_token(amount) || is_token(most)) && most.issue() != amount.issue() => {
            Err(TxResult::temMALFORMED)
        }
        _ => Ok(()),
    }
}

pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let given = object.u32(sf::Flags).unwrap_or(0);
    let partial = given & flags::tfPartialPayment != 0;
    let amount = object.amount(sf::Amount).ok_or(TxResult::temBAD_AMOUNT)?;
    let send_max = object.amount(sf::SendMax);
    preflight_token(info, object, &amount, send_max.as_ref())?;
    let account = tx.tx.account();
    let destination = object.account(sf::Destination).ok_or(TxResult::temDST_NEEDED)?;
    let has_paths = object.has(sf::Paths);
    let source = send_max.unwrap_or(amount);
    let xrp_direct = amount.is_xrp() && source.is_xrp();
    if destination == AccountId::ZERO {
        return Err(TxResult::temDST_NEEDED);
    }
    if send_max.is_some_and(|max| max.is_zero() || max.is_negative()) {
        return Err(TxResult::temBAD_AMOUNT);
    }
    if amount.is_zero() || amount.is_negative() {
        return Err(TxResult::temBAD_AMOUNT);
    }
    if super::trust::is_bad_currency(&amount) || super::trust::is_bad_currency(&source) {
        return Err(TxResult::temBAD_CURRENCY);
    }
    if account == destination && same_currency(&source, &amount) && !has_paths {
        return Err(TxResult::temREDUNDANT);
    }
    if xrp_direct {
        let refused = [
            (send_max.is_some(), TxResult::temBAD_SEND_XRP_MAX),
            (has_paths, TxResult::temBAD_SEND_XRP_PATHS),
            (partial, TxResult::temBAD_SEND_XRP_PARTIAL),
            (given & flags::tfLimitQuality != 0, TxResult::temBAD_SEND_XRP_LIMIT),
            (given & flags::tfNoRippleDirect != 0, TxResult::temBAD_SEND_XRP_NO_DIRECT),
        ];
        if let Some((_, result)) = refused.into_iter().find(|(given, _)| *given) {
            return Err(result);
        }
    }
    if let Some(min) = object.amount(sf::DeliverMin) {
        let fits = partial && !min.is_zero() && !min.is_negative() && min.issue() == amount.issue();
        if !fits || Quantity::of(&amount)? < Quantity::of(&min)? {
            return Err(TxResult::temBAD_AMOUNT);
        }
    }
    credential::preflight_ids(tx)
}

pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    let destination = object.account(sf::Destination).ok_or(TxResult::temDST_NEEDED)?;
    let partial = object.u32(sf::Flags).unwrap_or(0) & flags::tfPartialPayment != 0;
    match state.object(&tx.root_index(&destination)) {
        None => match object.drops(sf::Amount) {
            // Another transaction may create the account first.
            None => return Err(TxResult::tecNO_DST),
            Some(_) if info.open && partial => return Err(TxResult::telNO_DST_PARTIAL),
            Some(amount) if amount < info.fees.reserve_base => return Err(TxResult::tecNO_DST_INSUF_XRP),
            Some(_) => {}
        },
        Some(root) => {
            if shared::has_flag(root, flags::lsfRequireDestTag) && !object.has(sf::DestinationTag) {
                return Err(TxResult::tecDST_TAG_NEEDED);
            }
        }
    }
    if info.open && !is_direct_xrp(tx) && has_too_many_paths(object) {
        return Err(TxResult::telBAD_PATH_COUNT);
    }
    credential::preclaim_ids(state, tx)?;
    let view = Table::new(state);
    match object.hash256(sf::DomainID) {
        Some(domain)
            if ![tx.tx.account(), destination]
                .iter()
                .all(|account| credential::in_domain(&view, info, &domain, account)) =>
        {
            Err(TxResult::tecNO_PERMISSION)
        }
        _ => Ok(()),
    }
}

fn paths(object: &Object) -> &[Vec<PathStep>] {
    match object.get(sf::Paths) {
        Some(Value::PathSet(paths)) => paths,
        _ => &[],
    }
}

fn has_too_many_paths(object: &Object) -> bool {
    let paths = paths(object);
    paths.len() > MAX_PATHS || paths.iter().any(|path| path.len() > MAX_STEPS)
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let destination = context.fields().account(sf::Destination).ok_or(TxResult::tefINTERNAL)?;
    let index = context.tx.root_index(&destination);
    // The destination counts as touched even where only a trust line changes: the metadata shows it.
    if context.view.update(&index).is_none() {
        let sequence =
            if context.info.rules.enabled(Amendment::DeletableAccounts) { context.info.index } else { 1 };
        let root = shared::new_entry(LedgerEntryType::AccountRoot)
            .with(sf::Account, destination)
            .with(sf::Balance, shared::drops(0)?)
            .with(sf::Sequence, sequence)
            .with(sf::OwnerCount, 0u32);
        context.view.insert(index, root);
    }
    if let Some(Amount::Mpt(amount)) = context.fields().amount(sf::Amount) {
        return pay_token(context, &destination, &amount);
    }
    if !is_direct_xrp(context.tx) {
        context.verify_deposit_preauth(&context.account(), &destination)?;
        return ripple(context, &destination);
    }
    let amount = context.fields().drops(sf::Amount).ok_or(TxResult::tefINTERNAL)?.get();
    let owner_count = context.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
    let reserve = context.info.fees.account_reserve(owner_count);
    // The last spending may take the fee from the reserve. A delegate pays the fee itself.
    let pays_fee = context.tx.tx.sender() == context.account();
    let kept = if pays_fee { reserve.max(context.tx.tx.fee().get()) } else { reserve };
    if context.prior_balance < amount.saturating_add(kept) {
        return Err(TxResult::tecUNFUNDED_PAYMENT);
    }
    // An account at or below the base reserve takes up to the base reserve from anybody, lest it be stuck.
    let base = context.info.fees.reserve_base.get();
    let before = context.view.read(&index).map(shared::balance).unwrap_or(0);
    if amount > base || before > base {
        context.verify_deposit_preauth(&context.account(), &destination)?;
    }
    let left = context.source_balance.checked_sub(amount).ok_or(TxResult::tefINTERNAL)?;
    let left = shared::drops(left)?;
    context.account_mut()?.set(sf::Balance, left);
    context.credit(&destination, amount)?;
    let root = context.view.update(&index).ok_or(TxResult::tefINTERNAL)?;
    // Who is paid may change its regular key for nothing again.
    if shared::has_flag(root, flags::lsfPasswordSpent) {
        shared::set_flag(root, flags::lsfPasswordSpent, false);
    }
    Ok(())
}

/// What may be sent at most: what is given as SendMax, or the amount, issued by the sender or by whom it holds it of.
fn most_to_send(tx: &Submitted, amount: Amount) -> Amount {
    match (tx.tx.object().amount(sf::SendMax), amount) {
        (Some(most), _) => most,
        (None, Amount::Issued(issued)) => Amount::Issued(IssuedAmount { issuer: tx.tx.account(), ..issued }),
        (None, other) => other,
    }
}

/// Pays over trust lines and through order books.
fn ripple(context: &mut Context<'_>, destination: &AccountId) -> Ter {
    let (tx, info) = (context.tx, context.info);
    let object = tx.tx.object();
    let has = |flag| tx.tx.flags() & flag != 0;
    let amount = object.amount(sf::Amount).ok_or(TxResult::tefINTERNAL)?;
    let most = most_to_send(tx, amount);
    let (wanted, sendable) = (Quantity::of(&amount)?, Quantity::of(&most)?);
    let worst = Quality::of(info.math(), &Trade { input: sendable, output: wanted });
    let request = Request {
        source: tx.tx.account(),
        destination: *destination,
        deliver: (wanted, amount.issue()),
        send_max: Some((sendable, most.issue())),
        paths: paths(object),
        default_path: !has(flags::tfNoRippleDirect),
        partial: has(flags::tfPartialPayment),
        owner_pays_fee: false,
        crossing: Crossing::None,
        limit_quality: has(flags::tfLimitQuality).then_some(worst),
        domain: object.hash256(sf::DomainID),
    };
    let mut view = Table::payment_over(&context.view);
    let outcome = flow::flow(&mut view, info, &request).map_err(|_| TxResult::tecINTERNAL)?;
    let layer = view.into_layer();
    match outcome.result {
        // Nothing of it may succeed later: what was paid for was that it was tried.
        Err(result) if result.is_ter() => return Err(TxResult::tecPATH_DRY),
        result => result?,
    }
    context.view.absorb(info.math(), layer)?;
    if outcome.delivered == wanted {
        return Ok(());
    }
    if let Some(least) = object.amount(sf::DeliverMin)
        && outcome.delivered < Quantity::of(&least)?
    {
        return Err(TxResult::tecPATH_PARTIAL);
    }
    context.delivered = Some(outcome.delivered.amount(&amount.issue())?);
    Ok(())
}

/// Pays in a token.
fn pay_token(context: &mut Context<'_>, destination: &AccountId, amount: &MptAmount) -> Ter {
    let (account, info) = (context.account(), context.info);
    let (id, math) = (&amount.issuance_id, info.math());
    let holdings = Holdings { view: &context.view, info };
    for party in [&account, destination] {
        mpt::require_auth(&holdings, id, party, mpt::Auth::Strong)?;
    }
    mpt::check_transfer(&context.view, id, &account, destination)?;
    context.verify_deposit_preauth(&account, destination)?;
    let mut rate = PARITY;
    if ![account, *destination].contains(&mpt::issuer(id)) {
        if [&account, destination].into_iter().any(|party| mpt::is_frozen(&context.view, id, party)) {
            return Err(TxResult::tecLOCKED);
        }
        rate = mpt::transfer_rate(&context.view, id);
    }
    let wanted = Quantity::of(&Amount::Mpt(*amount))?;
    let most = Quantity::of(&most_to_send(context.tx, Amount::Mpt(*amount)))?;
    let (mut deliver, mut needed) = (wanted, math.times_rate(wanted, rate)?);
    if context.tx.tx.flags() & flags::tfPartialPayment != 0 && needed > most {
        (deliver, needed) = (math.over_rate(most, rate)?, most);
    }
    let least = context.fields().amount(sf::DeliverMin).map(|least| Quantity::of(&least)).transpose()?;
    if needed > most || least.is_some_and(|least| deliver < least) {
        return Err(TxResult::tecPATH_PARTIAL);
    }
    match holdings::send(&mut context.view, info, &account, destination, &Issue::Mpt(*id), deliver) {
        Err(TxResult::tecINSUFFICIENT_FUNDS | TxResult::tecPATH_DRY) => {
            return Err(TxResult::tecPATH_PARTIAL);
        }
        sent => sent?,
    }
    if deliver != wanted && info.rules.enabled(Amendment::FixMPTDeliveredAmount) {
        context.delivered = Some(deliver.amount(&Issue::Mpt(*id))?);
    }
    Ok(())
}

fn same_currency(one: &Amount, other: &Amount) -> bool {
    match (one, other) {
        (Amount::Xrp(_), Amount::Xrp(_)) => true,
        (Amount::Issued(one), Amount::Issued(other)) => one.currency == other.currency,
        (Amount::Mpt(one), Amount::Mpt(other)) => one.issuance_id == other.issuance_id,
        _ => false,
    }
}
