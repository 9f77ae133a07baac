//! Whether a table of rules can let something happen, tried on every payment that it can tell from another.
//!
//! An answer *no* is a proof for payments as they are proposed under this configuration: by people who may propose, from
//! accounts of the treasury, along links up to what a link may move, with lists that are good. An answer *yes* comes with
//! a payment. What sums and counts of different kinds have to do with each other is not looked at, beside that a longer
//! period has no less than a shorter one: so there may be an example that can come about only in other sums. That errs on
//! the side of *yes*.

use std::cell::Cell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::model::config::{TierLink, Treasury};
use crate::model::intent::{Asker, IntentKind};
use crate::model::list::List;
use crate::model::policy::{DestinationMatch, Obligations, Per, Policy, Rule, SCORE_MAX};
use crate::model::role::{Role, Tier};
use crate::model::units::{AccountId, Amount, Asset, RippleTime};
use crate::rules::bounds::{self, Chain};
use crate::rules::cells::{Parts, Set, holding};
use crate::rules::example::{Example, Recipient, UNNAMED};
use crate::rules::matching::{Matcher, any_decides, cannot_wait, holds, obligations};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What would have to happen.
    pub outcome: Outcome,
    /// To payments above this; `None`: of any amount.
    pub above: Option<Amount>,
    /// To such a destination; `None`: to any.
    pub destination: Option<DestinationMatch>,
    /// From this account; `None`: from any.
    pub account: Option<AccountId>,
    /// Asked for by this one; `None`: by anybody.
    pub asker: Option<Asker>,
    /// To a destination on this list.
    pub listed: Option<String>,
}

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It leaves without people and without a delay.
    #[default]
    Alone,
    /// It leaves without a delay.
    AtOnce,
    /// It leaves.
    Leaves,
    /// It is denied by what rules say.
    Denied,
    /// It is denied because no rule matches, or none that does more than tell people. Asked of XRP and of assets that rules
    /// name: that others are denied is what not naming them says.
    Unmatched,
}

impl Outcome {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Alone, Self::AtOnce, Self::Leaves, Self::Denied, Self::Unmatched];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Alone => "allow",
            Self::AtOnce => "at_once",
            Self::Leaves => "leave",
            Self::Denied => "deny",
            Self::Unmatched => "no_match",
        }
    }

    /// Whether it is what these rules come to.
    fn holds(self, matched: bool, obligations: &Obligations) -> bool {
        match self {
            // Where none matches, that is a denial.
            Self::Alone => obligations.agents_sign(),
            Self::AtOnce => !obligations.deny && obligations.delay.is_none(),
            Self::Leaves => !obligations.deny,
            Self::Denied => matched && obligations.deny,
            Self::Unmatched => !matched,
        }
    }
}

/// A payment to which it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The payment.
    pub example: Example,
    /// The rules that match.
    pub rules: Vec<String>,
    /// What they ask for together.
    pub obligations: Obligations,
}

/// The table tells too many payments apart to try them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table tells more than {CELLS_MAX} kinds of payments apart, too many to try each")]
pub struct TooManyCells;

/// Sets of rules that are looked at in all. A table that people can read has some thousands; more than this takes
/// many seconds, and whoever may ask could keep the machine busy.
pub const CELLS_MAX: usize = 500_000;

/// Whether it can happen, and to which payment.
///
/// # Errors
/// [`TooManyCells`].
pub fn prove(
    config: &Treasury,
    policy: &Policy,
    now: RippleTime,
    query: &Query,
) -> Result<Option<Witness>, TooManyCells> {
    let mut found = None;
    each(config, policy, now, query, |set, example| {
        let matching: Vec<&Rule> = numbered(policy, set).map(|(_, rule)| rule).collect();
        let mut obligations = obligations(&matching);
        obligations.deny |= cannot_wait(&obligations, Some(&example.amount));
        if !query.outcome.holds(any_decides(&matching), &obligations) {
            return ControlFlow::Continue(());
        }
        let rules = matching.iter().map(|rule| rule.name.clone()).collect();
        found = Some(Witness { example: example.clone(), rules, obligations });
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// The rules of a set, with their numbers.
pub(crate) fn numbered<'a>(policy: &'a Policy, set: &Set) -> impl Iterator<Item = (usize, &'a Rule)> {
    policy.rules().iter().enumerate().filter(move |(number, _)| set.has(*number))
}

/// Shows every set of rules that can match together, with a payment that they match; one set may come several times.
///
/// # Errors
/// [`TooManyCells`].
pub fn each(
    config: &Treasury,
    policy: &Policy,
    now: RippleTime,
    query: &Query,
    mut visit: impl FnMut(&Set, &Example) -> ControlFlow<()>,
) -> Result<(), TooManyCells> {
    let table = Table { config, policy, now, query, left: Cell::new(CELLS_MAX) };
    let links = config.links.iter().map(Some);
    for family in std::iter::once(None).chain(links) {
        if table.family(family, &mut visit)?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

struct Table<'a> {
    config: &'a Treasury,
    policy: &'a Policy,
    now: RippleTime,
    query: &'a Query,
    /// How many sets may still be looked at.
    left: Cell<usize>,
}

/// One payment for each set of rules.
type Frontier = BTreeMap<Set, Example>;

impl Table<'_> {
    /// Payments that people ask for, or moves along one link.
    fn family(
        &self,
        link: Option<&TierLink>,
        visit: &mut impl FnMut(&Set, &Example) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, TooManyCells> {
        let Some(start) = self.start(link) else { return Ok(ControlFlow::Continue(())) };
        let rules = self.policy.rules();
        let recipients = self.recipients(link);
        let paid_for = bounds::paid_for(rules);
        let instants = bounds::instants(rules, self.now);
        // Whoever screens destinations may give any score.
        let most = if self.config.screening { SCORE_MAX } else { self.policy.risk().most() };
        let risks = bounds::risks(rules, most);
        for (asset, most) in self.assets(link) {
            let amounts = bounds::amounts(rules, asset, self.query.above, most);
            let amounts = self.parts(&start, amounts, AMOUNTS, |example, amount| example.amount = *amount);
            for (of_amount, with_amount) in amounts.iter() {
                let mut frontier = Frontier::from([(of_amount.clone(), with_amount.clone())]);
                frontier = self.cross(&frontier, &self.askers(link), ASKERS, |example, (asker, roles)| {
                    example.asker.clone_from(asker);
                    example.roles.clone_from(roles);
                })?;
                frontier =
                    self.cross(&frontier, &self.payers(link), PAYERS, |example, (account, tier)| {
                        (example.account, example.tier) = (*account, Some(*tier));
                    })?;
                frontier = self.cross(&frontier, &recipients, RECIPIENTS, |example, recipient| {
                    example.recipient.clone_from(recipient);
                })?;
                frontier = self.cross(&frontier, &paid_for, &[Matcher::PaidFor], |example, paid_for| {
                    example.paid_for = *paid_for;
                })?;
                frontier = self.cross(&frontier, &instants, TIMES, |example, at| example.at = *at)?;
                frontier =
                    self.cross(&frontier, &risks, &[Matcher::Risk], |example, risk| example.risk = *risk)?;
                for per in Per::ALL {
                    let sums = bounds::sums(rules, per, &with_amount.amount);
                    frontier = self.chain(frontier, per, &sums)?;
                    let counts = bounds::counts(rules, per);
                    frontier = self.chain(frontier, per, &counts)?;
                }
                for (set, example) in &frontier {
                    if visit(set, example).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A payment from which the others differ; `None` where nobody can ask for one.
    fn start(&self, link: Option<&TierLink>) -> Option<Example> {
        let (asker, roles) = self.askers(link).into_iter().next()?;
        let (account, tier) = self.payers(link).into_iter().next()?;
        let recipient = self.recipients(link).into_iter().next()?;
        let kind = if link.is_some() { IntentKind::Move } else { IntentKind::Pay };
        Some(Example {
            asker,
            roles,
            account,
            tier: Some(tier),
            kind,
            recipient,
            paid_for: None,
            amount: Asset::Xrp.nothing(),
            at: self.now,
            sums: BTreeMap::new(),
            counts: BTreeMap::new(),
            risk: 0,
        })
    }

    /// Who asks: for moves the daemon, else people who may.
    fn askers(&self, link: Option<&TierLink>) -> Vec<(Asker, BTreeSet<Role>)> {
        let wanted = |asker: &Asker| self.query.asker.as_ref().is_none_or(|wanted| wanted == asker);
        if link.is_some() {
            return [(Asker::Daemon, BTreeSet::new())]
                .into_iter()
                .filter(|(asker, _)| wanted(asker))
                .collect();
        }
        let people = self.config.people.values().filter(|person| person.roles.contains(&Role::Proposer));
        let askers = people.map(|person| (Asker::Person(person.name.clone()), person.roles.clone()));
        askers.filter(|(asker, _)| wanted(asker)).collect()
    }

    fn payers(&self, link: Option<&TierLink>) -> Vec<(AccountId, Tier)> {
        let wanted = |account: &AccountId| {
            link.is_none_or(|link| link.from == *account)
                && self.query.account.is_none_or(|wanted| wanted == *account)
        };
        let accounts = self.config.accounts.iter().filter(|(account, _)| wanted(account));
        let accounts = accounts.map(|(account, declared)| (*account, declared.tier));
        accounts.filter(|(_, tier)| *tier != Tier::Runner).collect()
    }

    /// Who receives: everybody whom the configuration, a rule or a list names, and somebody of whom nobody has heard. Of
    /// those whom rules do not name, one stands for all that are on the same lists.
    fn recipients(&self, link: Option<&TierLink>) -> Vec<Recipient> {
        let config = self.config;
        let of = |account: AccountId| Recipient {
            account: Some(account),
            own: config.is_own(&account),
            known: config.is_own(&account) || config.destinations.contains_key(&account),
            lists: self.lists_of(&account),
        };
        let mut all: Vec<Recipient> = Vec::new();
        match link {
            Some(link) => all.push(of(link.to)),
            None => {
                let named = self.policy.rules().iter().filter_map(|rule| match &rule.destination {
                    Some(DestinationMatch::Accounts(accounts)) => Some(accounts),
                    _ => None,
                });
                let asked = match &self.query.destination {
                    Some(DestinationMatch::Accounts(accounts)) => accounts.as_slice(),
                    _ => &[],
                };
                let named: BTreeSet<AccountId> = named.flatten().chain(asked).copied().collect();
                let own = config.accounts.keys().chain(config.destinations.keys()).chain(&named);
                let own: BTreeSet<AccountId> = own.copied().collect();
                all.extend(own.iter().map(|account| of(*account)));
                // Whoever is in the address book and has not been confirmed, or has not cooled, is as new as anybody.
                let waits = config.policy.confirmation().is_some();
                let named = all.iter().filter(|recipient| waits && recipient.known && !recipient.own);
                let waiting: Vec<Recipient> = named.map(|recipient| self.unconfirmed(recipient)).collect();
                all.extend(waiting);
                let listed = self.policy.lists().values().flat_map(|list| list.entries());
                let mut kinds = BTreeSet::new();
                for account in listed.filter(|account| !own.contains(account)) {
                    let lists = self.lists_of(account);
                    if kinds.insert(lists.clone()) {
                        all.push(Recipient { account: Some(*account), own: false, known: false, lists });
                    }
                }
                all.push(Recipient::default());
            }
        }
        all.retain(|recipient| self.is_wanted(recipient));
        all
    }

    fn lists_of(&self, account: &AccountId) -> BTreeSet<String> {
        let lists = self.policy.lists().values().filter(|list| list.has(account));
        lists.map(|list| list.name().to_owned()).collect()
    }

    /// The same as somebody who is as new as anybody, and has no label.
    fn unconfirmed(&self, recipient: &Recipient) -> Recipient {
        let is_label = |name: &String| self.policy.lists().get(name).is_some_and(List::is_label);
        let lists = recipient.lists.iter().filter(|name| !is_label(name)).cloned().collect();
        Recipient { known: false, lists, ..recipient.clone() }
    }

    fn is_wanted(&self, recipient: &Recipient) -> bool {
        let of_kind = match &self.query.destination {
            None => true,
            Some(DestinationMatch::Treasury) => recipient.own,
            Some(DestinationMatch::Known) => recipient.known,
            Some(DestinationMatch::New) => !recipient.known,
            Some(DestinationMatch::Accounts(accounts)) => {
                recipient.account.is_some_and(|account| accounts.contains(&account))
            }
        };
        of_kind && self.query.listed.as_ref().is_none_or(|list| recipient.lists.contains(list))
    }

    /// What is paid, and the most of it that can be: what the query or a link names, else XRP, whatever a rule names, and
    /// something that none names.
    fn assets(&self, link: Option<&TierLink>) -> Vec<(Asset, Amount)> {
        let wanted = |asset: &Asset| self.query.above.is_none_or(|above| above.issue() == *asset);
        if let Some(link) = link {
            return [(link.asset, link.move_max)].into_iter().filter(|(asset, _)| wanted(asset)).collect();
        }
        let mut assets = bounds::assets(self.policy.rules());
        assets.insert(Asset::Xrp);
        assets.extend(self.query.above.map(|above| above.issue()));
        assets.extend((self.query.outcome != Outcome::Unmatched).then_some(UNNAMED));
        assets.into_iter().filter(wanted).map(|asset| (asset, asset.most())).collect()
    }

    /// Parts values by the rules that hold of the start with each in its place.
    fn parts<T>(
        &self,
        start: &Example,
        values: impl IntoIterator<Item = T>,
        matchers: &[Matcher],
        put: impl Fn(&mut Example, &T),
    ) -> Parts<Example> {
        let examples = values.into_iter().map(|value| {
            let mut example = start.clone();
            put(&mut example, &value);
            example
        });
        let rules = self.policy.rules();
        Parts::of(examples, |example| holding(rules, matchers, |matcher, rule| holds(matcher, rule, example)))
    }

    /// Every payment so far with every value in its place.
    fn cross<T: Clone>(
        &self,
        frontier: &Frontier,
        values: &[T],
        matchers: &[Matcher],
        put: impl Fn(&mut Example, &T),
    ) -> Result<Frontier, TooManyCells> {
        let Some(any) = frontier.values().next() else { return Ok(Frontier::new()) };
        let rules = self.policy.rules();
        let parts = Parts::of(values.iter().cloned(), |value| {
            let mut example = any.clone();
            put(&mut example, value);
            holding(rules, matchers, |matcher, rule| holds(matcher, rule, &example))
        });
        let mut next = Frontier::new();
        for (set, example) in frontier {
            for (part, value) in parts.iter() {
                let both = set.and(part);
                if let Entry::Vacant(place) = next.entry(both) {
                    let mut example = example.clone();
                    put(&mut example, value);
                    place.insert(example);
                }
            }
            self.spend(parts.iter().count())?;
        }
        Ok(next)
    }

    fn spend(&self, cells: usize) -> Result<(), TooManyCells> {
        self.left.set(self.left.get().checked_sub(cells).ok_or(TooManyCells)?);
        Ok(())
    }

    /// The same for sums or counts of periods, of which a longer one has no less than a shorter one.
    fn chain<C: Chain>(&self, frontier: Frontier, per: Per, chain: &C) -> Result<Frontier, TooManyCells> {
        let mut states: BTreeMap<(Set, usize), Example> =
            frontier.into_iter().map(|(set, example)| ((set, 0), example)).collect();
        for period_seconds in chain.periods() {
            let mut next = BTreeMap::new();
            for ((set, least), example) in &states {
                for step in *least..chain.steps() {
                    let mut example = example.clone();
                    chain.put(&mut example, per, *period_seconds, step);
                    let of_period = |rule: &Rule| chain.is_of(rule, per, *period_seconds);
                    let mut holding = set.clone();
                    for (number, rule) in numbered(self.policy, set) {
                        if of_period(rule) && !holds(chain.matcher(), rule, &example) {
                            holding.remove(number);
                        }
                    }
                    next.entry((holding, step)).or_insert(example);
                }
                self.spend(chain.steps())?;
            }
            // What was worse for no reason is dropped: of one set the least step reaches all that others do.
            let mut least: BTreeMap<Set, (usize, Example)> = BTreeMap::new();
            for ((set, step), example) in next {
                least.entry(set).or_insert((step, example));
            }
            states = least.into_iter().map(|(set, (step, example))| ((set, step), example)).collect();
        }
        Ok(states.into_iter().map(|((set, _), example)| (set, example)).collect())
    }
}

const AMOUNTS: &[Matcher] =
    &[Matcher::Kinds, Matcher::Assets, Matcher::AmountAbove, Matcher::AmountMin, Matcher::AmountMax];
const ASKERS: &[Matcher] = &[Matcher::Askers, Matcher::AskerRoles];
const PAYERS: &[Matcher] = &[Matcher::Accounts, Matcher::Tiers];
const RECIPIENTS: &[Matcher] = &[Matcher::Destination, Matcher::Listed, Matcher::Unlisted];
const TIMES: &[Matcher] = &[Matcher::During, Matcher::Outside];
