//! The view against the ledger: reading accounts anew, and what a difference means.

use std::collections::BTreeSet;

use crate::anomaly;
use crate::config::FindingKind;
use crate::effect::Effect;
use crate::event::Event;
use crate::observe::{AccountSnapshot, EscrowView, LedgerPoint};
use crate::state::State;
use crate::step::Cx;
use crate::units::AccountId;

/// Takes in accounts as they were read at the cursor. A difference from the view that the stream of
/// ledgers had built is a defect of the daemon's or a lie of the server's: the ledger's word is taken and
/// people are told.
pub(crate) fn compare(cx: &mut Cx<'_>, at: LedgerPoint, accounts: &[AccountSnapshot]) {
    let differing: Vec<(AccountId, String)> = accounts
        .iter()
        .filter_map(|read| difference(cx.state, read).map(|what| (read.account, what)))
        .collect();
    cx.emit(Event::AccountsRead { at, accounts: accounts.to_vec() });
    for (account, what) in differing {
        anomaly::find(cx, FindingKind::ViewDiffers, account, what);
    }
}

/// What differs between the view and what was read; `None` where nothing does, or where there was no
/// view of the account yet.
fn difference(state: &State, read: &AccountSnapshot) -> Option<String> {
    let view = state.accounts.get(&read.account)?;
    if view.root != read.root {
        return Some(format!("AccountRoot: had {:?}, the ledger has {:?}", view.root, read.root));
    }
    if view.signer_list != read.signer_list {
        return Some("SignerList differs from the ledger's".to_owned());
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
    (standing != on_ledger)
        .then(|| format!("had {} escrows, the ledger has {}", standing.len(), on_ledger.len()))
}

/// Asks for the state of signers that a SignerList names and nobody declared: which key may sign for
/// them decides whether a quorum is real. Where sight is lost, everything is read anew instead.
pub(crate) fn ask_for_unknown_signers(cx: &mut Cx<'_>) {
    let wanted: BTreeSet<AccountId> = if cx.state.sees() {
        let config = cx.config;
        let lists = std::mem::take(&mut cx.runtime.lists);
        let signers = lists
            .iter()
            .filter(|account| config.accounts.contains_key(*account))
            .filter_map(|account| cx.state.accounts.get(account)?.signer_list.as_ref())
            .flat_map(|list| list.entries.keys());
        cx.runtime.unknown.extend(signers);
        cx.runtime.unknown.retain(|signer| !cx.state.accounts.contains_key(signer));
        cx.runtime.unknown.clone()
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
