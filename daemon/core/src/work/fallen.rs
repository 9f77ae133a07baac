//! What leaves an account's trust lines without a transaction of its own: what others pay through them, a Clawback, an offer that
//! somebody takes. XRP leaves so only by what a transaction of the account's has set up before, which is found itself.

use std::collections::{BTreeMap, BTreeSet};

use xrpl_wire::{IouValue, IssuedAmount};

use crate::model::config::FindingKind;
use crate::model::observe::{AccountSnapshot, Change, LedgerObservation};
use crate::model::signing::Purpose;
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset};
use crate::work::anomaly;
use crate::work::cx::Cx;

/// What an account has of one asset.
type Holding = (AccountId, Asset);

/// What no transaction of the account's explains, as is seen before the ledger is taken in.
pub(crate) type Fallen = Vec<(AccountId, Amount)>;

/// Looks before the ledger is taken in. Where something else of the account's is found in it anyway, nothing is told beside that.
pub(crate) fn before_ledger(cx: &Cx<'_>, observation: &LedgerObservation) -> Fallen {
    let ours = |account: &AccountId| cx.config.accounts.contains_key(account);
    let mut fallen = gone(cx.state, observation, ours);
    let unread: BTreeSet<AccountId> = observation
        .opaque
        .iter()
        .flat_map(|opaque| &opaque.accounts)
        .chain(&cx.state.doubtful)
        .copied()
        .collect();
    fallen.retain(|(account, _), _| !unread.contains(account));
    if fallen.is_empty() {
        return Vec::new();
    }
    let mut explained: BTreeMap<Holding, Amount> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for tx in observation.transactions.iter().filter(|tx| ours(&tx.account)) {
        let mut explain = |amount: Amount| {
            let known =
                explained.entry((tx.account, amount.issue())).or_insert_with(|| amount.issue().nothing());
            *known = known.checked_add(&amount).unwrap_or(amount.issue().most());
        };
        let id = cx.state.slots.get(&(tx.account, tx.slot));
        let Some(proposal) = id.and_then(|id| cx.state.proposals.get(id)) else {
            found.insert(tx.account);
            continue;
        };
        let void = proposal.plan.as_ref().and_then(|plan| plan.purpose_of(&tx.digest)) == Some(Purpose::Void);
        if let Some(amount) = proposal.intent.amount().filter(|_| tx.succeeded() && !void) {
            explain(amount);
        }
    }
    let unexplained = fallen.into_iter().filter(|((account, _), _)| !found.contains(account)).filter_map(
        |(holding @ (account, asset), (had, gone))| {
            let explained = explained.get(&holding).copied().unwrap_or(asset.nothing());
            let left = gone.less(&explained)?;
            (left > rounding(&had)).then_some((account, left))
        },
    );
    unexplained.collect()
}

/// What an account in doubt, of which something could not be read, has less by its lines than was known: what proven ledgers told is in
/// that already.
pub(crate) fn unread(cx: &Cx<'_>, accounts: &[AccountSnapshot]) -> Fallen {
    let in_doubt = accounts.iter().filter(|read| {
        cx.config.accounts.contains_key(&read.account) && cx.state.doubtful.contains(&read.account)
    });
    let fallen = in_doubt.flat_map(|read| {
        let view = cx.state.accounts.get(&read.account);
        let known = view.and_then(|view| view.trust_lines.as_ref()).into_iter().flatten();
        known.filter_map(|(asset, line)| {
            let had = line.held(*asset)?;
            let has = read.trust_lines.as_ref()?.get(asset).and_then(|line| line.held(*asset));
            let left = had.less(&has.unwrap_or(asset.nothing()))?;
            (left > asset.nothing()).then_some((read.account, left))
        })
    });
    fallen.collect()
}

/// Tells of it, after what the ledger's transactions mean was told.
pub(crate) fn tell(cx: &mut Cx<'_>, fallen: Fallen) {
    for (account, left) in fallen {
        let evidence = format!(
            "{} left, and no transaction of the account's took it, as of ledger {}: somebody else's did, by what it paid through the \
             account's trust lines, by an offer of the account's, or by a Clawback",
            left.words(),
            cx.point().index
        );
        anomaly::find(cx, FindingKind::SpendWithoutProposal, account, evidence);
    }
}

/// The most that accounts had in this ledger, and what went out of them in all.
fn gone(
    state: &State,
    observation: &LedgerObservation,
    ours: impl Fn(&AccountId) -> bool,
) -> BTreeMap<Holding, (Amount, Amount)> {
    let mut holds: BTreeMap<Holding, Amount> = BTreeMap::new();
    let mut gone: BTreeMap<Holding, Amount> = BTreeMap::new();
    let mut greatest: BTreeMap<Holding, Amount> = BTreeMap::new();
    for change in &observation.changes {
        let Change::TrustLine { account, asset, line } = change else { continue };
        let (account, asset) = (*account, *asset);
        if !ours(&account) {
            continue;
        }
        let (holding, has) = ((account, asset), line.and_then(|line| line.held(asset)));
        let before = holds.get(&holding).copied().or_else(|| state.accounts.get(&account)?.held(asset));
        let has = has.unwrap_or(asset.nothing());
        holds.insert(holding, has);
        let Some(before) = before else { continue };
        let known = greatest.entry(holding).or_insert(before);
        for other in [before, has] {
            if other > *known {
                *known = other;
            }
        }
        if let Some(left) = before.less(&has).filter(|left| *left > asset.nothing()) {
            let all = gone.entry(holding).or_insert_with(|| asset.nothing());
            *all = all.checked_add(&left).unwrap_or(asset.most());
        }
    }
    let with_greatest = |(holding, left): (Holding, Amount)| {
        let most = greatest.get(&holding).copied().unwrap_or(left);
        (holding, (most, left))
    };
    gone.into_iter().map(with_greatest).collect()
}

/// What sixteen digits may make of a few payments out of so much.
fn rounding(had: &Amount) -> Amount {
    let Amount::Issued(IssuedAmount { value, currency, issuer }) = had else { return had.issue().nothing() };
    let few = IouValue::new(false, 10, value.exponent());
    few.map_or(had.issue().nothing(), |value| {
        Amount::Issued(IssuedAmount { value, currency: *currency, issuer: *issuer })
    })
}
