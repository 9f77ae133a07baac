//! What rules may say and hardly anybody means: right, and dangerous, or without effect.

use std::collections::BTreeSet;
use std::path::Path;

use treasury_core::Treasury;
use treasury_core::analysis::analyse;
use treasury_core::config::{Role, Tier};
use treasury_core::example::UNNAMED;
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::multisign;
use treasury_core::policy::{Action, Approvers, Per, Rule};
use treasury_core::units::{Asset, Weight};

use super::table::Places;
use super::warnings::Warning;
use crate::clock;

/// What rules may say and hardly anybody means, as far as one look at each tells.
pub(super) fn of(treasury: &Treasury, places: &Places, file: Option<&Path>) -> Vec<Warning> {
    let mut found = Found { places, file, warnings: Vec::new() };
    for rule in treasury.policy.rules() {
        one(treasury, rule, &mut found);
    }
    found.warnings
}

/// What a table says that nobody may have meant, as trying every kind of payment tells.
#[must_use]
pub(crate) fn of_all_payments(treasury: &Treasury, places: &Places, file: Option<&Path>) -> Vec<Warning> {
    let mut found = Found { places, file, warnings: Vec::new() };
    let analysis = match analyse(treasury, &treasury.policy, clock::utc()) {
        Ok(analysis) => analysis,
        Err(error) => {
            let advice =
                "have fewer rules that look at different things; what is unreachable or covered is not told";
            found.warnings.push(Warning {
                key: "rule".to_owned(),
                what: error.to_string(),
                advice,
                place: None,
            });
            return found.warnings;
        }
    };
    for rule in &analysis.unreachable {
        found.warn(
            rule,
            "matches no payment that anybody can ask for",
            "leave it out, or look at its bounds",
        );
    }
    for (rule, by) in &analysis.covered {
        let what = match by {
            Some(by) => format!("changes nothing: wherever it matches, \"{by}\" asks for as much"),
            None => "changes nothing: wherever it matches, others together ask for as much".to_owned(),
        };
        found.warn(rule, what, "leave it out, or look at what it was meant for");
    }
    for gap in &analysis.gaps {
        let what = format!("no rule matches, and so it is denied: {}", gap.words(treasury));
        let advice = "write a rule for it, or one that denies it, so that whoever reads the table sees it";
        found.warnings.push(Warning { key: "rule".to_owned(), what, advice, place: None });
    }
    found.warnings
}

struct Found<'a> {
    places: &'a Places,
    file: Option<&'a Path>,
    warnings: Vec<Warning>,
}

impl Found<'_> {
    fn warn(&mut self, rule: &str, what: impl Into<String>, advice: &'static str) {
        let place = self.places.get(rule).map(|place| (self.file.map(Path::to_owned), *place));
        self.warnings.push(Warning { key: format!("rule \"{rule}\""), what: what.into(), advice, place });
    }
}

fn one(treasury: &Treasury, rule: &Rule, found: &mut Found<'_>) {
    let key = &rule.name;
    if rule.action == Action::Allow {
        let is_own =
            rule.askers.as_ref().is_some_and(|askers| askers.iter().all(|asker| *asker == Asker::Daemon));
        let others = || treasury.policy.rules().iter().filter(|other| asks_more_of(other, rule));
        if let Some(of) = without_bound(rule, |asset| others().any(|other| takes_over_above(other, asset))) {
            let what = format!("allows any amount{of}: what it matches leaves without people");
            found.warn(key, what, "write amount_max");
        }
        // The daemon's own moves have the limits of their links.
        // What is summed by destination is no bound where there is always another one.
        let rolling = rule.rolling.filter(|rolling| rolling.amount_max.is_some()).map(|rolling| rolling.per);
        let count = rule.count.filter(|count| count.max.is_some()).map(|count| count.per);
        let counted = rolling.into_iter().chain(count).any(|per| per != Per::Destination);
        let sums = |asset| others().any(|other| takes_over_beyond_a_sum(other, asset));
        let open = matched(rule).into_iter().find(|asset| !sums(*asset));
        if !counted
            && !is_own
            && pays(rule)
            && let Some(asset) = open
        {
            let what =
                format!("allows any number of payments{}: many small ones are a large one", of_asset(asset));
            found.warn(key, what, "write rolling = { period = \"24h\", amount_max = \"…\" }");
        }
    }
    let asks = matches!(rule.action, Action::Approve(_) | Action::Delay { .. });
    let denied = |asset| treasury.policy.rules().iter().any(|other| denies_above(other, rule, asset));
    if let Some(of) = without_bound(rule, denied).filter(|_| asks) {
        let what = format!("lets any amount{of} leave that people sign for, also what no other rule matches");
        found.warn(key, what, "write amount_max, or a rule that denies what is above");
    }
    if let Action::Notify(told) = &rule.action {
        let has = |role: &Role| treasury.people.values().any(|person| person.roles.contains(role));
        if told.people.is_empty() && !told.roles.is_empty() && !told.roles.iter().any(has) {
            found.warn(key, "tells nobody: nobody has one of these roles", "name somebody, or other roles");
        }
    }
    if let Action::Approve(approvers) | Action::Delay { approvers, .. } = &rule.action {
        if approvers.weight < Weight(2) && approvers.signatures < 2 {
            found.warn(
                key,
                "one person's signature is enough",
                "write weight = 2, so that whoever asks needs somebody else",
            );
        } else if !approvers.exclude_asker {
            let what = "whoever asks is one of those who approve";
            found.warn(key, what, "leave exclude_asker out");
        }
    }
    if matches!(rule.action, Action::Delay { .. }) && can_be_issued(rule) {
        let what = "delays what may be of an issued currency, and nothing but XRP waits in an escrow: such a payment is denied";
        let advice = if rule.covers(Asset::Xrp) && rule.bounds().next().is_none() {
            "write assets = [\"XRP\"], and another rule for each issued currency"
        } else {
            "let it approve, or deny: of an issued currency it can do nothing else"
        };
        found.warn(key, what, advice);
    }
    if let Action::Delay { delay_seconds, .. } = rule.action
        && delay_seconds < DELAY_LEAST_SECONDS
    {
        let what = "the delay is shorter than anybody needs to notice and flag";
        found.warn(key, what, "write at least \"1h\"");
    }
    if let Action::Delay { window_seconds, .. } = rule.action
        && window_seconds < WINDOW_LEAST_SECONDS
    {
        let what = "the window is shorter than an outage may be: what is not released within it comes back";
        found.warn(key, what, "write at least \"6h\"");
    }
    if let Action::Approve(approvers) | Action::Delay { approvers, .. } = &rule.action
        && let Some((asker, account, (most, count))) = nobody_else(treasury, rule, approvers)
    {
        let what = format!(
            "what \"{asker}\" asks for from \"{account}\" can never be approved: of others who count {count} sign there, \
             with weight {most}"
        );
        found.warn(key, what, "ask for less, or let somebody else count");
    }
}

/// Whether what is of an issued currency may match: no bound of the rule is of anything else.
fn can_be_issued(rule: &Rule) -> bool {
    let is_issued = |asset: &Asset| matches!(asset, Asset::Issued { .. });
    rule.assets.as_ref().is_none_or(|assets| assets.iter().any(is_issued))
        && rule.bounds().all(|bound| is_issued(&bound.issue()))
}

/// Who may ask for something that then nobody else can sign enough for, from which account, and how much others have.
fn nobody_else<'a>(
    treasury: &'a Treasury,
    rule: &Rule,
    approvers: &Approvers,
) -> Option<(&'a str, &'a str, (Weight, u32))> {
    if !approvers.exclude_asker {
        return None;
    }
    let asks = |name: &str| {
        let named = |askers: &Vec<Asker>| askers.contains(&Asker::Person(name.to_owned()));
        rule.askers.as_ref().is_none_or(named)
    };
    let people = || treasury.people.values();
    let askers = people().filter(|person| person.roles.contains(&Role::Proposer) && asks(&person.name));
    let accounts = treasury.accounts.iter().filter(|(address, account)| {
        account.tier != Tier::Runner
            && rule.accounts.as_ref().is_none_or(|accounts| accounts.contains(address))
            && rule.tiers.as_ref().is_none_or(|tiers| tiers.contains(&account.tier))
    });
    let accounts: Vec<_> = accounts.map(|(_, account)| account).collect();
    askers.flat_map(|asker| accounts.iter().map(move |account| (asker, *account))).find_map(
        |(asker, account)| {
            let entries = &account.signers.as_ref()?.entries;
            let others = people()
                .filter(|person| person.name != asker.name && multisign::is_one_of(approvers, person))
                .filter_map(|person| entries.get(&person.signer?));
            let most = others.fold((Weight(0), 0_u32), |(sum, people), weight| {
                (sum.plus(*weight), people.saturating_add(1))
            });
            let short = most.0 < approvers.weight || most.1 < approvers.signatures;
            short.then_some((asker.name.as_str(), account.name.as_str(), most))
        },
    )
}

/// A night in which nobody is there to mend what is broken.
const WINDOW_LEAST_SECONDS: u32 = 6 * 3_600;

/// Nobody notices and flags in less.
const DELAY_LEAST_SECONDS: u32 = 3_600;

/// Whether the other rule matches whatever this one does, amounts aside, and asks for more.
fn asks_more_of(other: &Rule, rule: &Rule) -> bool {
    fn covers<T: PartialEq>(other: &Option<Vec<T>>, rule: &Option<Vec<T>>) -> bool {
        match (other, rule) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(other), Some(rule)) => rule.iter().all(|one| other.contains(one)),
        }
    }
    other.decides()
        && other.action != Action::Allow
        && covers(&other.askers, &rule.askers)
        && covers(&other.accounts, &rule.accounts)
        && covers(&other.kinds, &rule.kinds)
        && (other.destination.is_none() || other.destination == rule.destination)
        && (other.asker_roles.is_none() || other.asker_roles == rule.asker_roles)
        && (other.tiers.is_none() || other.tiers == rule.tiers)
        && (other.listed.is_none() || other.listed == rule.listed)
        && (other.unlisted.is_none() || other.unlisted == rule.unlisted)
        && (other.paid_for.is_none() || other.paid_for == rule.paid_for)
        && (other.during.is_none() || other.during == rule.during)
        && (other.outside.is_none() || other.outside == rule.outside)
        && (other.risk.is_none() || other.risk == rule.risk)
        && other.count.is_none()
        && other.amount_max.is_none()
}

/// Assets that the rule can match: those that it names, or XRP, and where it may be any, one that stands for those that no rule
/// names.
fn matched(rule: &Rule) -> Vec<Asset> {
    let bounds: BTreeSet<Asset> = rule.bounds().map(|bound| bound.issue()).collect();
    let named = if bounds.is_empty() { rule.assets.clone().unwrap_or_default() } else { bounds };
    match named {
        none if none.is_empty() => {
            [Asset::Xrp, UNNAMED].into_iter().filter(|asset| rule.covers(*asset)).collect()
        }
        named => named.into_iter().collect(),
    }
}

/// Of what the rule matches any amount, where neither it nor what `bounded` asks about bounds that; in words.
fn without_bound(rule: &Rule, bounded: impl Fn(Asset) -> bool) -> Option<String> {
    let open = matched(rule).into_iter().find(|asset| !bounded(*asset));
    open.filter(|_| rule.amount_max.is_none()).map(of_asset)
}

/// Of this asset, in words: of XRP nobody has to be told.
fn of_asset(asset: Asset) -> String {
    match asset {
        Asset::Xrp => String::new(),
        UNNAMED => " of any issued currency".to_owned(),
        asset => format!(" of {asset}"),
    }
}

/// Whether the other rule denies what of this one's payments is above a bound.
fn denies_above(other: &Rule, rule: &Rule, asset: Asset) -> bool {
    other.action == Action::Deny && asks_more_of(other, rule) && takes_over_above(other, asset)
}

fn takes_over_above(other: &Rule, asset: Asset) -> bool {
    let bound = other.amount_above.or(other.amount_min);
    other.rolling.is_none() && other.covers(asset) && bound.is_some_and(|bound| bound.issue() == asset)
}

fn takes_over_beyond_a_sum(other: &Rule, asset: Asset) -> bool {
    let above =
        other.rolling.filter(|rolling| rolling.amount_max.is_none()).and_then(|rolling| rolling.amount_above);
    other.amount_above.is_none()
        && other.amount_min.is_none()
        && other.covers(asset)
        && above.is_some_and(|above| above.issue() == asset)
}

fn pays(rule: &Rule) -> bool {
    rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&IntentKind::Pay))
}
