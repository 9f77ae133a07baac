//! What a table of rules says that nobody may have meant: rules that never match, rules that others wholly cover, and
//! payments that no rule matches.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::model::config::Treasury;
use crate::model::policy::{Obligations, Policy, Rule};
use crate::model::units::RippleTime;
use crate::rules::cells::Set;
use crate::rules::example::{Example, UNNAMED};
use crate::rules::matching::obligations;
use crate::rules::prove::{Query, TooManyCells, each, numbered};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// Rules that match no payment that can be proposed.
    pub unreachable: Vec<String>,
    /// Rules that change nothing, and a rule that asks for as much wherever they match, where one alone does.
    pub covered: Vec<(String, Option<String>)>,
    /// Payments that no rule matches, or none that does more than tell people, which is a denial: some of them, of assets that
    /// rules name, and of XRP. That others are denied is what not naming them says.
    pub gaps: Vec<Example>,
}

/// As many gaps as are shown. They are examples, and each may stand for many.
pub const GAPS_MAX: usize = 5;

/// Looks at every kind of payment that the table tells apart.
///
/// # Errors
/// [`TooManyCells`].
pub fn analyse(config: &Treasury, policy: &Policy, now: RippleTime) -> Result<Analysis, TooManyCells> {
    let rules = policy.rules();
    let mut reached = Set::none(rules.len());
    let mut needed = Set::none(rules.len());
    // Of each rule, those that match and ask for as much wherever it matches.
    let mut covers: Vec<Option<BTreeSet<usize>>> = vec![None; rules.len()];
    let mut gaps = Vec::new();
    let mut seen = BTreeSet::new();
    each(config, policy, now, &Query::default(), |set, example| {
        let matching: Vec<(usize, &Rule)> = numbered(policy, set).collect();
        let is_named = example.amount.issue() != UNNAMED;
        if is_named && gaps.len() < GAPS_MAX && !matching.iter().any(|(_, rule)| rule.decides()) {
            gaps.push(example.clone());
        }
        if !seen.insert(set.clone()) {
            return ControlFlow::Continue(());
        }
        let rules_of = |numbers: &mut dyn Iterator<Item = &(usize, &Rule)>| {
            obligations(&numbers.map(|(_, rule)| *rule).collect::<Vec<_>>())
        };
        let all = rules_of(&mut matching.iter());
        let deciding = matching.iter().filter(|(_, rule)| rule.decides()).count();
        for (number, rule) in &matching {
            reached.insert(*number);
            let others = || matching.iter().filter(|(other, _)| other != number);
            let without = rules_of(&mut others());
            let is_alone = matching.len() == 1 || (deciding == 1 && rule.decides());
            if is_alone || all.is_stricter_than(&without) || differs(&all, &without) {
                needed.insert(*number);
            }
            // What only tells people asks for nothing, and stands in for nothing that decides.
            let alike = || others().filter(|(_, other)| other.decides() || !rule.decides());
            let asks_as_much = alike().filter(|(_, other)| {
                let own = obligations(&[*rule]);
                let theirs = obligations(&[*other]);
                !own.is_stricter_than(&theirs) && !differs(&own.and(&theirs), &theirs)
            });
            let asks_as_much: BTreeSet<usize> = asks_as_much.map(|(other, _)| *other).collect();
            if let Some(known) = covers.get_mut(*number) {
                *known = Some(match known.take() {
                    None => asks_as_much,
                    Some(known) => known.intersection(&asks_as_much).copied().collect(),
                });
            }
        }
        ControlFlow::Continue(())
    })?;
    let named = |number: usize| rules.get(number).map(|rule| rule.name.clone()).unwrap_or_default();
    let numbers = || 0..rules.len();
    let covered = numbers().filter(|number| reached.has(*number) && !needed.has(*number)).map(|number| {
        let by = covers.get(number).and_then(Option::as_ref).and_then(|by| by.first().copied());
        (named(number), by.map(named))
    });
    Ok(Analysis {
        unreachable: numbers().filter(|number| !reached.has(*number)).map(named).collect(),
        covered: covered.collect(),
        gaps,
    })
}

/// Whether they differ in what is no stricter, and not the same all the same.
fn differs(one: &Obligations, other: &Obligations) -> bool {
    one.deny != other.deny
        || one.void != other.void
        || one.told != other.told
        || one.delay.map(|delay| delay.window_seconds) != other.delay.map(|delay| delay.window_seconds)
}
