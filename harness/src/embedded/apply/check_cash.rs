//! CheckCash.

use xrpl_wire::{AccountId, Amount, IouValue, Issue, IssuedAmount, TxResult, flags, index, sf};

use super::flow::{self, Crossing, Request};
use super::holdings::{self, Care, Holdings};
use super::quantity::{Quantity, Unit};
use super::table::Table;
use super::trust::{self, NewLine};
use super::{Context, LedgerInfo, Ter, check, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let object = tx.tx.object();
    match (object.amount(sf::Amount), object.amount(sf::DeliverMin)) {
        (Some(amount), None) | (None, Some(amount)) => check::check_amount(&amount),
        _ => Err(TxResult::temMALFORMED),
    }
}

/// What a transaction asks for: so much, or at least so much.
fn wanted(tx: &Submitted) -> Result<Amount, TxResult> {
    let object = tx.tx.object();
    object.amount(sf::Amount).or(object.amount(sf::DeliverMin)).ok_or(TxResult::temMALFORMED)
}

pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted) -> Ter {
    let check = check::named(state, tx)?;
    let account = tx.tx.account();
    let source = check.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    if check.account(sf::Destination) != Some(account) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    if source == account {
        return Err(TxResult::tecINTERNAL);
    }
    let root = state.object(&tx.account_index).ok_or(TxResult::tecNO_ENTRY)?;
    if !state.contains(&index::account_root(&source)) {
        return Err(TxResult::tecNO_ENTRY);
    }
    if shared::has_flag(root, flags::lsfRequireDestTag) && !check.has(sf::DestinationTag) {
        return Err(TxResult::tecDST_TAG_NEEDED);
    }
    if info.has_passed(check.u32(sf::Expiration)) {
        return Err(TxResult::tecEXPIRED);
    }
    let send_max = check.amount(sf::SendMax).ok_or(TxResult::tefBAD_LEDGER)?;
    let wanted = wanted(tx)?;
    if wanted.issue() != send_max.issue() {
        return Err(TxResult::temMALFORMED);
    }
    let value = Quantity::of(&wanted)?;
    if value > Quantity::of(&send_max)? {
        return Err(TxResult::tecPATH_PARTIAL);
    }
    let view = Table::new(state);
    let mut funds = Holdings { view: &view, info }.funds(&source, &wanted.issue(), value, Care::Usable)?;
    if let Quantity::Drops(drops) = &mut funds {
        // Without the Check its owner needs less reserve.
        *drops = drops.saturating_add(i64::try_from(info.fees.reserve_inc.get()).unwrap_or(i64::MAX));
    }
    if value > funds {
        return Err(TxResult::tecPATH_PARTIAL);
    }
    match wanted {
        Amount::Issued(amount) if amount.issuer != account => check_receiver(&view, &amount, &account),
        _ => Ok(()),
    }
}

fn check_receiver(view: &Table<'_>, amount: &IssuedAmount, account: &AccountId) -> Ter {
    if !view.exists(&index::account_root(&amount.issuer)) {
        return Err(TxResult::tecNO_ISSUER);
    }
    if check::lacks_auth(view, amount, account) {
        return Err(TxResult::tecNO_AUTH);
    }
    if trust::is_frozen(view, amount, account) { Err(TxResult::tecFROZEN) } else { Ok(()) }
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let at = context.fields().hash256(sf::CheckID).ok_or(TxResult::tecFAILED_PROCESSING)?;
    let check = context.view.read(&at).ok_or(TxResult::tecFAILED_PROCESSING)?;
    let source = check.account(sf::Account).ok_or(TxResult::tefBAD_LEDGER)?;
    let send_max = check.amount(sf::SendMax).ok_or(TxResult::tefBAD_LEDGER)?;
    let mut view = Table::payment_over(&context.view);
    let delivered = match send_max {
        Amount::Xrp(most) => pay_xrp(context, &mut view, &source, most.get())?,
        _ => Some(pay(context, &mut view, &source, &send_max)?),
    };
    check::remove(&mut view, &at)?;
    let layer = view.into_layer();
    context.view.absorb(context.info.math(), layer)?;
    if let Some(delivered) = delivered {
        context.delivered = Some(delivered);
    }
    Ok(())
}

/// Pays XRP. What is delivered is told where it was left open.
fn pay_xrp(
    context: &Context<'_>,
    view: &mut Table<'_>,
    source: &AccountId,
    most: u64,
) -> Result<Option<Amount>, TxResult> {
    let liquid = Holdings { view, info: context.info }.liquid_xrp(source, -1)?;
    let liquid = u64::try_from(liquid).unwrap_or(0);
    let fields = context.fields();
    let least = fields.drops(sf::DeliverMin).map(|drops| drops.get());
    let amount = match least {
        Some(least) => least.max(most.min(liquid)),
        None => fields.drops(sf::Amount).ok_or(TxResult::tefINTERNAL)?.get(),
    };
    if liquid < amount {
        return Err(TxResult::tecUNFUNDED_PAYMENT);
    }
    holdings::transfer_xrp(view, context.info, source, &context.account(), amount)?;
    Ok(if least.is_some() { Some(shared::drops(amount)?) } else { None })
}

/// Pays an issued currency. Who cashes a Check takes it whatever limit its line has.
fn pay(
    context: &Context<'_>,
    view: &mut Table<'_>,
    source: &AccountId,
    send_max: &Amount,
) -> Result<Amount, TxResult> {
    let issue = send_max.issue();
    let Issue::Issued { currency, issuer } = issue else { return Err(TxResult::tefINTERNAL) };
    let account = context.account();
    let truster = if issuer == account { *source } else { account };
    let line_index = index::trust_line(&truster, &issuer, &currency);
    if !view.exists(&line_index) {
        create_line(context, view, &issuer, &currency)?;
    }
    let limit = trust::side(&account, &issuer).limit;
    let line = view.update(&line_index).ok_or(TxResult::tecNO_LINE)?;
    let saved = line.amount(limit).ok_or(TxResult::tefBAD_LEDGER)?;
    let most = IouValue::from_normal(false, xrpl_wire::iou::MAX_MANTISSA, xrpl_wire::iou::MAX_EXPONENT);
    let most = most.ok_or(TxResult::tefINTERNAL)?;
    line.set(limit, Amount::Issued(IssuedAmount { value: most, currency, issuer }));

    let least = context.fields().amount(sf::DeliverMin);
    let deliver = match &least {
        Some(_) => Unit::Iou.plenty(),
        None => Quantity::of(&wanted(context.tx)?)?,
    };
    let outcome = flow::flow(
        view,
        context.info,
        &Request {
            source: *source,
            destination: account,
            deliver: (deliver, issue),
            send_max: Some((Quantity::of(send_max)?, issue)),
            paths: &[],
            default_path: true,
            partial: least.is_some(),
            owner_pays_fee: true,
            crossing: Crossing::None,
            limit_quality: None,
            domain: None,
        },
    )?;
    outcome.result?;
    if let Some(line) = view.update(&line_index) {
        line.set(limit, saved);
    }
    if let Some(least) = &least
        && outcome.delivered < Quantity::of(least)?
    {
        return Err(TxResult::tecPATH_PARTIAL);
    }
    outcome.delivered.amount(&issue)
}

fn create_line(
    context: &Context<'_>,
    view: &mut Table<'_>,
    issuer: &AccountId,
    currency: &xrpl_wire::Currency,
) -> Ter {
    let account = context.account();
    let root = view.read(&index::account_root(&account)).ok_or(TxResult::tefINTERNAL)?;
    let owner_count = root.u32(sf::OwnerCount).unwrap_or(0);
    if context.prior_balance < context.info.fees.account_reserve(owner_count.saturating_add(1)) {
        return Err(TxResult::tecNO_LINE_INSUF_RESERVE);
    }
    let no_ripple: &[fn(&trust::Side) -> u32] =
        if shared::has_flag(root, flags::lsfDefaultRipple) { &[] } else { &[|side| side.no_ripple] };
    trust::create(
        view,
        context.info,
        &NewLine {
            of: account,
            peer: *issuer,
            currency: *currency,
            balance: IouValue::ZERO,
            limit: IouValue::ZERO,
            quality_in: 0,
            quality_out: 0,
            flags: no_ripple,
        },
    )
}
