//! The view against the ledger: reading accounts anew, and what a difference means.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::{FindingKind, Treasury};
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::observe::{AccountSnapshot, EscrowView, LedgerPoint, RootView, TrustLineView};
use crate::model::state::{AccountView, Sight, State};
use crate::model::units::{AccountId, Asset, EscrowKey, RippleTime};
use crate::work::cx::Cx;
use crate::work::{anomaly, fallen};

/// Lets go of accounts that are declared otherwise than they were read. Each is read anew, as one that nobody knew. What is
/// declared changes with a start alone, so this is done once, and before anything else is taken in.
pub(crate) fn let_go(cx: &mut Cx<'_>) {
    if std::mem::replace(&mut cx.runtime.let_go, true) {
        return;
    }
    let is_declared = |account: &AccountId| cx.config.accounts.contains_key(account);
    let others = cx.state.declared_otherwise(is_declared).into_iter();
    // An escrow of one that is not declared would be taken for gone.
    let accounts: Vec<AccountId> = others
        .filter(|account| is_declared(account) || cx.state.standing_of(account).next().is_none())
        .collect();
    if !accounts.is_empty() {
        cx.emit(Event::AccountsForgotten { accounts });
    }
}

/// Takes in accounts as they were read at the cursor, as far as there was no view of them. What the proven stream
/// of ledgers says of an account outranks what one server says of it: a reading that differs moves nothing, and
/// people are told. Then the reason why sight is lost.
pub(crate) fn compare(
    cx: &mut Cx<'_>,
    at: LedgerPoint,
    accounts: Vec<AccountSnapshot>,
    from: &str,
    taken: Option<RippleTime>,
) -> Option<String> {
    let differing: Vec<(AccountId, String)> = accounts
        .iter()
        .filter(|read| !cx.state.doubtful.contains(&read.account))
        .filter_map(|read| difference(cx.config, cx.state, read).map(|what| (read.account, what)))
        .collect();
    let known =
        |account: &AccountId| cx.state.accounts.contains_key(account) && !cx.state.doubtful.contains(account);
    // An earlier version read no trust lines, no NoRipple of them, no settings, and no TransferRate of others; and an
    // account that was not declared for a while has not been followed.
    let adds = |read: &AccountSnapshot| {
        let view = cx.state.accounts.get(&read.account);
        let untold = view.is_none_or(|view| view.settings.is_none());
        let of_lines =
            read.trust_lines.is_some() && view.is_none_or(|view| view.trust_lines != read.trust_lines);
        let of_rate = view.is_some_and(|view| of_rate(view, read.root) != read.root);
        of_lines
            || of_rate
            || (read.settings.is_some() && untold && cx.config.accounts.contains_key(&read.account))
    };
    let is_unseen = |read: &AccountSnapshot| !known(&read.account) || adds(read);
    let unseen: Vec<AccountSnapshot> = accounts.into_iter().filter(is_unseen).collect();
    let Some((account, what)) = differing.first().cloned() else {
        if !unseen.is_empty() || cx.state.ledger.is_none() {
            read(cx, at, unseen, taken);
        }
        return None;
    };
    // Whoever tells one thing that is not so is believed in nothing.
    for (account, what) in differing {
        let last = cx
            .state
            .findings
            .values()
            .rev()
            .find(|finding| finding.kind == FindingKind::ViewDiffers && finding.account == Some(account));
        // The same again with every ledger would say nothing new, and push other findings out.
        let is_new = last.is_none_or(|finding| !finding.evidence.ends_with(&format!(": {what}")));
        if is_new {
            anomaly::find(cx, FindingKind::ViewDiffers, account, format!("by {from}: {what}"));
        }
    }
    let differs = format!("differs from the proven ledgers: {what}");
    match &cx.state.sight {
        // Another server says the same.
        Sight::Lost(reason)
            if reason.starts_with(&format!("the reading of {account} by ")) && reason.ends_with(&differs) =>
        {
            Some(reason.clone())
        }
        _ => Some(format!("the reading of {account} by {from} {differs}")),
    }
}

/// Takes accounts in as they were read, and looks at the escrows that came with them.
fn read(cx: &mut Cx<'_>, at: LedgerPoint, mut accounts: Vec<AccountSnapshot>, taken: Option<RippleTime>) {
    // Of signers and recipients nothing rests on what they own.
    for stranger in accounts.iter_mut().filter(|read| !cx.config.accounts.contains_key(&read.account)) {
        stranger.escrows.clear();
        stranger.tickets.clear();
        stranger.signer_list = None;
        stranger.trust_lines = None;
        stranger.settings = None;
    }
    let new: Vec<EscrowView> = accounts
        .iter()
        .flat_map(|read| &read.escrows)
        .filter(|escrow| !cx.state.standing.contains(&escrow.key))
        .cloned()
        .collect();
    // What stood there before the daemon came is not news; what appears in an account that was known is.
    let known = |escrow: &&EscrowView| cx.state.accounts.contains_key(&escrow.key.owner);
    let news: Vec<EscrowView> = new.iter().filter(known).cloned().collect();
    let taken = taken.filter(|_| !new.is_empty());
    let fallen = fallen::unread(cx, &accounts);
    cx.emit(Event::AccountsRead { at, accounts, taken });
    fallen::tell(cx, fallen);
    for escrow in news {
        anomaly::escrow_came(cx, &escrow);
    }
}

/// What differs between the view and what was read; `None` where nothing does, or where there was no
/// view of the account yet.
fn difference(config: &Treasury, state: &State, read: &AccountSnapshot) -> Option<String> {
    let view = state.accounts.get(&read.account)?;
    // Of signers and recipients decisions rest on their keys and flags alone. A balance that was read wrong at first is
    // no reason to see nothing for ever.
    let ours = config.accounts.contains_key(&read.account);
    let rests_on =
        |root: Option<RootView>| root.map(|root| (root.flags, root.regular_key, root.transfer_rate));
    let root = of_rate(view, read.root);
    if view.root != root && (ours || rests_on(view.root) != rests_on(root)) {
        return Some(format!("AccountRoot: had {:?}, the ledger has {root:?}", view.root));
    }
    // Of signers and recipients nothing else is looked at: what they own is theirs, and may be a great deal.
    if !ours {
        return None;
    }
    if view.signer_list != read.signer_list {
        return Some("SignerList differs from the ledger's".to_owned());
    }
    // Records of earlier versions do not tell them.
    if let Some((known, read)) = view.settings.as_ref().zip(read.settings.as_ref())
        && known != read
    {
        return Some(format!("settings: had {known:?}, the ledger has {read:?}"));
    }
    if let Some((known, read)) = view.trust_lines.as_ref().zip(read.trust_lines.as_ref())
        && let Some(what) = other_line(known, read)
    {
        return Some(what);
    }
    if view.tickets != read.tickets {
        return Some(format!("had {} Tickets, the ledger has {}", view.tickets.len(), read.tickets.len()));
    }
    let mut standing: Vec<&EscrowView> = state
        .standing_of(&read.account)
        .filter_map(|key| state.escrows.get(&key).map(|tracked| &tracked.view))
        .collect();
    let mut on_ledger: Vec<&EscrowView> = read.escrows.iter().collect();
    standing.sort_by_key(|escrow| escrow.key);
    on_ledger.sort_by_key(|escrow| escrow.key);
    let same = standing.len() == on_ledger.len()
        && standing.iter().zip(&on_ledger).all(|(known, read)| is_same(known, read));
    (!same).then(|| format!("had {} escrows, the ledger has {}", standing.len(), on_ledger.len()))
}

/// The root as it was read, without its TransferRate where none is known: records of earlier versions do not tell it.
fn of_rate(view: &AccountView, read: Option<RootView>) -> Option<RootView> {
    let untold = view.root.is_some_and(|root| root.transfer_rate.is_none());
    read.map(|root| if untold { RootView { transfer_rate: None, ..root } } else { root })
}

/// A trust line that is not as it is known. Records of earlier versions do not tell NoRipple.
fn other_line(
    known: &BTreeMap<Asset, TrustLineView>,
    read: &BTreeMap<Asset, TrustLineView>,
) -> Option<String> {
    let mut assets = known.keys().chain(read.keys());
    assets.find_map(|asset| {
        let (known, read) = (known.get(asset).copied(), read.get(asset).copied());
        let untold = known.is_some_and(|known| known.no_ripple.is_none());
        let read = read.map(|read| if untold { TrustLineView { no_ripple: None, ..read } } else { read });
        (known != read).then(|| format!("the trust line for {asset}: had {known:?}, the ledger has {read:?}"))
    })
}

/// Whether an escrow is as it is known. Records of earlier versions do not say how much of a token is in one.
fn is_same(known: &EscrowView, read: &EscrowView) -> bool {
    let untold = known.amount.is_none() && read.amount.is_some_and(|amount| !amount.is_xrp());
    let amount = read.amount.filter(|_| !untold);
    *known == EscrowView { amount, ..read.clone() }
}

/// Recipients of payments, and issuers of what is paid, are followed up to so many accounts beside the treasury's: what is asked
/// of servers must not grow with everybody whom somebody wants to pay.
const FOLLOWED_MAX: usize = 200;

/// A payment to this account, or of what it has issued, is open: what it would fail for should be known before people sign it.
pub(crate) fn look_at(cx: &mut Cx<'_>, account: AccountId) {
    let is_new = !cx.state.accounts.contains_key(&account);
    if is_new
        && cx.state.accounts.len().saturating_sub(cx.config.accounts.len()) < FOLLOWED_MAX
        && cx.state.sees()
        && cx.runtime.reading.insert(account)
    {
        cx.effect(Effect::Reconcile { accounts: vec![account] });
    }
}

/// An escrow's destination is read so many seconds before the escrow can be finished.
const LOOK_AHEAD_SECONDS: u32 = 3_600;

/// Asks for the state of accounts that nobody declared and that decisions rest on: signers that a SignerList
/// names (which key may sign for them decides whether a quorum is real), and the destinations of escrows that
/// are about to be finished, and accounts in doubt. Where sight is lost, everything is read anew instead.
pub(crate) fn ask_for_unknown(cx: &mut Cx<'_>) {
    let wanted: BTreeSet<AccountId> = if cx.state.sees() {
        let config = cx.config;
        let lists = std::mem::take(&mut cx.runtime.lists);
        let signers = lists
            .iter()
            .filter(|account| config.accounts.contains_key(*account))
            .filter_map(|account| cx.state.accounts.get(account)?.signer_list.as_ref())
            .flat_map(|list| list.entries.keys());
        cx.runtime.unknown.extend(signers);
        let soon = RippleTime(cx.now().0.saturating_add(LOOK_AHEAD_SECONDS));
        let soon = (soon, EscrowKey { owner: AccountId([0; 20]), sequence: 0 });
        let due = cx.state.by_finish_after.range(..soon);
        let destinations =
            due.filter_map(|(_, key)| cx.state.escrows.get(key)).map(|tracked| tracked.view.destination);
        cx.runtime.unknown.extend(destinations);
        cx.runtime.unknown.retain(|account| !cx.state.accounts.contains_key(account));
        cx.runtime.unknown.union(&cx.state.doubtful).copied().collect()
    } else if std::mem::replace(&mut cx.runtime.reading_all, true) {
        return;
    } else {
        cx.config.watched().union(&cx.state.accounts.keys().copied().collect()).copied().collect()
    };
    let asked: Vec<AccountId> =
        wanted.into_iter().filter(|account| cx.runtime.reading.insert(*account)).collect();
    if !asked.is_empty() {
        cx.effect(Effect::Reconcile { accounts: asked });
    }
}
