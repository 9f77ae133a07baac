//! TrustSet.

use xrpl_wire::{AccountId, Amount, IouValue, IssuedAmount, Object, TxResult, flags, index, sf};

use super::trust::{self, NewLine, PARITY, Side};
use super::{Context, Ter, shared};
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

pub(super) fn preflight(tx: &Submitted) -> Ter {
    let limit = match tx.tx.object().amount(sf::LimitAmount) {
        Some(amount @ Amount::Issued(limit)) => {
            if trust::is_bad_currency(&amount) {
                return Err(TxResult::temBAD_CURRENCY);
            }
            limit
        }
        _ => return Err(TxResult::temBAD_LIMIT),
    };
    if limit.value.is_negative() {
        return Err(TxResult::temBAD_LIMIT);
    }
    if [AccountId::ZERO, AccountId::ONE].contains(&limit.issuer) {
        return Err(TxResult::temDST_NEEDED);
    }
    Ok(())
}

/// What a transaction asks of its side of the line.
struct Asked {
    auth: bool,
    set_no_ripple: bool,
    clear_no_ripple: bool,
    set_freeze: bool,
    clear_freeze: bool,
    set_deep_freeze: bool,
    clear_deep_freeze: bool,
}

impl Asked {
    fn of(tx: &Submitted) -> Asked {
        let given = tx.tx.flags();
        let has = |flag| given & flag != 0;
        Asked {
            auth: has(flags::tfSetfAuth),
            set_no_ripple: has(flags::tfSetNoRipple),
            clear_no_ripple: has(flags::tfClearNoRipple),
            set_freeze: has(flags::tfSetFreeze),
            clear_freeze: has(flags::tfClearFreeze),
            set_deep_freeze: has(flags::tfSetDeepFreeze),
            clear_deep_freeze: has(flags::tfClearDeepFreeze),
        }
    }

    /// The flags of a line after its freezes are set or cleared.
    fn freezes(&self, before: u32, mine: &Side, no_freeze: bool) -> u32 {
        let mut after = before;
        for (set, clear, flag) in [
            (self.set_freeze, self.clear_freeze, mine.freeze),
            (self.set_deep_freeze, self.clear_deep_freeze, mine.deep_freeze),
        ] {
            if set && !clear && !no_freeze {
                after |= flag;
            } else if clear && !set {
                after &= !flag;
            }
        }
        after
    }
}

fn limit_of(tx: &Submitted) -> Result<IssuedAmount, TxResult> {
    shared::issued(tx.tx.object(), sf::LimitAmount).ok_or(TxResult::temBAD_LIMIT)
}

pub(super) fn preclaim(state: &StateMap, tx: &Submitted) -> Ter {
    let account = tx.tx.account();
    let asked = Asked::of(tx);
    let root = state.object(&tx.account_index).ok_or(TxResult::terNO_ACCOUNT)?;
    if asked.auth && !shared::has_flag(root, flags::lsfRequireAuth) {
        return Err(TxResult::tefNO_AUTH_REQUIRED);
    }
    let limit = limit_of(tx)?;
    if limit.issuer == account {
        return Err(TxResult::temDST_IS_SRC);
    }
    let peer = state.object(&index::account_root(&limit.issuer)).ok_or(TxResult::tecNO_DST)?;
    let line = state.object(&index::trust_line(&account, &limit.issuer, &limit.currency));
    if shared::has_flag(peer, flags::lsfDisallowIncomingTrustline) && line.is_none() {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let no_freeze = shared::has_flag(root, flags::lsfNoFreeze);
    let (set, clear) =
        (asked.set_freeze || asked.set_deep_freeze, asked.clear_freeze || asked.clear_deep_freeze);
    if set && (no_freeze || clear) {
        return Err(TxResult::tecNO_PERMISSION);
    }
    let mine = trust::side(&account, &limit.issuer);
    let before = line.and_then(|line| line.u32(sf::Flags)).unwrap_or(0);
    let after = asked.freezes(before, mine, no_freeze);
    if after & mine.deep_freeze != 0 && after & mine.freeze == 0 {
        return Err(TxResult::tecNO_PERMISSION);
    }
    Ok(())
}

pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    let account = context.account();
    let limit = limit_of(context.tx)?;
    let asked = Asked::of(context.tx);
    let fields = context.tx.tx.object();
    let quality_in = fields.u32(sf::QualityIn);
    // A quality of one going out is the same as none.
    let quality_out = fields.u32(sf::QualityOut).map(|quality| if quality == PARITY { 0 } else { quality });
    let owner_count = context.account_root()?.u32(sf::OwnerCount).unwrap_or(0);
    // The first two objects of an account are free where lines are concerned, so that an issuer can set up
    // accounts for others.
    let reserve = match owner_count {
        0 | 1 => 0,
        count => context.info.fees.account_reserve(count.saturating_add(1)),
    };
    if !context.view.exists(&index::account_root(&limit.issuer)) {
        return Err(TxResult::tecNO_DST);
    }
    let line_index = index::trust_line(&account, &limit.issuer, &limit.currency);
    if context.view.exists(&line_index) {
        return change(context, &limit, &asked, quality_in, quality_out, reserve);
    }
    let defaults =
        limit.value.is_zero() && quality_in.unwrap_or(0) == 0 && quality_out.unwrap_or(0) == 0 && !asked.auth;
    if defaults {
        return Err(TxResult::tecNO_LINE_REDUNDANT);
    }
    if context.prior_balance < reserve {
        return Err(TxResult::tecNO_LINE_INSUF_RESERVE);
    }
    let mut line_flags: Vec<fn(&Side) -> u32> = Vec::new();
    if asked.auth {
        line_flags.push(|side| side.auth);
    }
    if asked.set_no_ripple && !asked.clear_no_ripple {
        line_flags.push(|side| side.no_ripple);
    }
    if asked.set_freeze && !asked.clear_freeze {
        line_flags.push(|side| side.freeze);
    }
    if asked.set_deep_freeze {
        line_flags.push(|side| side.deep_freeze);
    }
    trust::create(
        &mut context.view,
        context.info,
        &NewLine {
            of: account,
            peer: limit.issuer,
            currency: limit.currency,
            balance: IouValue::ZERO,
            limit: limit.value,
            quality_in: quality_in.unwrap_or(0),
            quality_out: quality_out.unwrap_or(0),
            flags: &line_flags,
        },
    )
}

/// Changes a line that is there, and removes it if that leaves it saying nothing.
fn change(
    context: &mut Context<'_>,
    limit: &IssuedAmount,
    asked: &Asked,
    quality_in: Option<u32>,
    quality_out: Option<u32>,
    reserve: u64,
) -> Ter {
    let account = context.account();
    let peer = limit.issuer;
    let mine = trust::side(&account, &peer);
    let no_freeze = shared::has_flag(context.account_root()?, flags::lsfNoFreeze);
    let line_index = index::trust_line(&account, &peer, &limit.currency);
    let line = context.view.update(&line_index).ok_or(TxResult::tefINTERNAL)?;
    line.set(mine.limit, Amount::Issued(IssuedAmount { issuer: account, ..*limit }));
    for (field, quality) in [(mine.quality_in, quality_in), (mine.quality_out, quality_out)] {
        match quality {
            Some(0) => {
                line.remove(field);
            }
            Some(quality) => line.set(field, quality),
            None => {}
        }
    }
    let before = line.u32(sf::Flags).unwrap_or(0);
    let mut after = before;
    if asked.set_no_ripple && !asked.clear_no_ripple {
        if trust::balance_of(line, &account, &peer).is_negative() {
            return Err(TxResult::tecNO_PERMISSION);
        }
        after |= mine.no_ripple;
    } else if asked.clear_no_ripple && !asked.set_no_ripple {
        after &= !mine.no_ripple;
    }
    after = asked.freezes(after, mine, no_freeze);
    let line = line.clone();

    let (mut default, mut more_reserved) = (true, false);
    let mut counts = Vec::new();
    if asked.auth {
        after |= mine.auth;
    }
    let judged = after;
    for (one, other) in [(account.min(peer), account.max(peer)), (account.max(peer), account.min(peer))] {
        let side = trust::side(&one, &other);
        let wanted = wants_line(context, &line, judged, &one, &other);
        default &= !wanted;
        if wanted && before & side.reserve == 0 {
            counts.push((one, 1));
            after |= side.reserve;
            more_reserved |= one == account;
        }
        if !wanted && before & side.reserve != 0 {
            counts.push((one, -1));
            after &= !side.reserve;
        }
    }
    for (of, by) in counts {
        context.adjust_owner_count_of(&of, by)?;
    }
    if before != after {
        let line = context.view.update(&line_index).ok_or(TxResult::tefINTERNAL)?;
        line.set(sf::Flags, after);
    }
    if default {
        return trust::delete(&mut context.view, &line_index, [&account, &peer]);
    }
    if more_reserved && context.prior_balance < reserve {
        return Err(TxResult::tecINSUF_RESERVE_LINE);
    }
    Ok(())
}

/// Whether a side has anything on the line that is not what it would be without it.
fn wants_line(
    context: &Context<'_>,
    line: &Object,
    line_flags: u32,
    one: &AccountId,
    other: &AccountId,
) -> bool {
    let side = trust::side(one, other);
    let default_ripple = context
        .view
        .read(&index::account_root(one))
        .is_some_and(|root| shared::has_flag(root, flags::lsfDefaultRipple));
    let quality = |field| !matches!(line.u32(field).unwrap_or(0), 0 | PARITY);
    quality(side.quality_in)
        || quality(side.quality_out)
        || (line_flags & side.no_ripple == 0) != default_ripple
        || line_flags & side.freeze != 0
        || !trust::value(line, side.limit).is_zero()
        || trust::balance_of(line, one, other) > IouValue::ZERO
}
