//! A rule of the policy, as people read it: what it asks for, key by key, and what follows.

use treasury_core::Treasury;
use treasury_core::model::matchers::{Count, PaidFor, Rolling, Times};
use treasury_core::policy::{Action, DestinationMatch, RiskBand, Rule};
use treasury_core::units::AccountId;

use super::api::{MissView as Asked, RuleTextView};

/// A rule in words.
pub(super) fn rule(treasury: &Treasury, rule: &Rule) -> RuleTextView {
    // Taken apart whole: what is added to a rule is added to its words.
    let Rule {
        name,
        askers,
        accounts,
        kinds,
        assets,
        destination,
        amount_above,
        amount_min,
        amount_max,
        rolling,
        void,
        asker_roles,
        tiers,
        listed,
        unlisted,
        paid_for,
        count,
        during,
        outside,
        risk,
        action,
    } = rule;
    let named = |account: &AccountId| named(treasury, account);
    let asks = [
        ("asker", askers.as_ref().map(|all| list(all.iter().map(ToString::to_string)))),
        ("asker_role", asker_roles.as_ref().map(|all| list(all.iter().map(|role| role.word().to_owned())))),
        ("account", accounts.as_ref().map(|all| list(all.iter().map(named)))),
        ("tier", tiers.as_ref().map(|all| list(all.iter().map(|tier| tier.word().to_owned())))),
        ("kind", kinds.as_ref().map(|all| list(all.iter().map(|kind| format!("{kind:?}").to_lowercase())))),
        ("assets", assets.as_ref().map(|all| list(all.iter().map(ToString::to_string)))),
        ("assets", rule.is_for_xrp_alone().then(|| "XRP, since it allows and names no asset".to_owned())),
        ("destination", destination.as_ref().map(|destination| to(treasury, destination))),
        ("listed", listed.as_ref().map(|all| list(all.iter().cloned()))),
        ("unlisted", unlisted.as_ref().map(|all| format!("none of {}", list(all.iter().cloned())))),
        ("amount", amount_above.map(|amount| format!("above {}", amount.words()))),
        ("amount", amount_min.map(|amount| format!("from {}", amount.words()))),
        ("amount", amount_max.map(|amount| format!("up to {}", amount.words()))),
        ("rolling", rolling.as_ref().map(sum)),
        ("count", count.as_ref().map(payments)),
        ("paid_for", paid_for.as_ref().map(age)),
        ("during", during.as_ref().map(hours)),
        ("outside", outside.as_ref().map(hours)),
        ("risk", risk.as_ref().map(score)),
    ];
    let asks = asks.into_iter().filter_map(|(key, why)| Some(Asked { key: key.to_owned(), why: why? }));
    let (action, mut follows) = follows(action);
    if *void {
        follows.push("its void is signed with it".to_owned());
    }
    RuleTextView { rule: name.clone(), action: action.to_owned(), asks: asks.collect(), follows }
}

fn follows(action: &Action) -> (&'static str, Vec<String>) {
    match action {
        Action::Allow => ("allow", Vec::new()),
        Action::Deny => ("deny", Vec::new()),
        Action::Notify(told) => ("notify", vec![told.words()]),
        Action::Approve(approvers) => ("approve", vec![approvers.words()]),
        Action::Delay { delay_seconds, window_seconds, approvers } => {
            let (delay, window) = (time(*delay_seconds), time(*window_seconds));
            let delay = format!("released {delay} after the deadline, taken back {window} later");
            ("delay", vec![approvers.words(), delay])
        }
    }
}

fn named(treasury: &Treasury, account: &AccountId) -> String {
    treasury.name_of(account).map_or_else(|| account.to_string(), str::to_owned)
}

fn to(treasury: &Treasury, destination: &DestinationMatch) -> String {
    match destination {
        DestinationMatch::Treasury => "the treasury's own accounts".to_owned(),
        DestinationMatch::Known => "known destinations".to_owned(),
        DestinationMatch::New => "new destinations".to_owned(),
        DestinationMatch::Accounts(accounts) => list(accounts.iter().map(|account| named(treasury, account))),
    }
}

fn score(band: &RiskBand) -> String {
    let above = band.above.map(|above| format!("above {above}"));
    let most = band.max.map(|most| format!("up to {most}"));
    above.into_iter().chain(most).collect::<Vec<_>>().join(" and ")
}

fn sum(rolling: &Rolling) -> String {
    let above = rolling.amount_above.map(|amount| format!("above {}", amount.words()));
    let most = rolling.amount_max.map(|amount| format!("up to {}", amount.words()));
    let bounds: Vec<String> = above.into_iter().chain(most).collect();
    format!("{} within {} by {}", bounds.join(" and "), time(rolling.period_seconds), rolling.per.word())
}

fn payments(count: &Count) -> String {
    let above = count.above.map(|above| format!("more than {above}"));
    let most = count.max.map(|most| format!("up to {most}"));
    let bounds: Vec<String> = above.into_iter().chain(most).collect();
    format!("{} within {} by {}", bounds.join(" and "), time(count.period_seconds), count.per.word())
}

fn age(paid_for: &PaidFor) -> String {
    let least = paid_for.least_seconds.map(|seconds| format!("for at least {}", time(seconds)));
    let below = paid_for.below_seconds.map(|seconds| format!("for less than {}", time(seconds)));
    least.into_iter().chain(below).collect::<Vec<_>>().join(" and ")
}

fn hours(times: &Times) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let days = times
        .weekdays
        .as_ref()
        .map_or_else(|| "every day".to_owned(), |days| list(days.iter().map(|day| day.word().to_owned())));
    let (from, until) = (clock(times.from_minute), clock(times.until_minute));
    format!("{from} to {until} on {days}, {}", times.zone.name)
}

/// A length of time in its largest whole unit, so that nothing of it is lost.
fn time(seconds: u32) -> String {
    let units = [(3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    unit.map_or_else(|| format!("{seconds} s"), |(length, word)| format!("{} {word}", seconds / length))
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
