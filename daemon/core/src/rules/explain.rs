//! What policy would say of a payment, and why: of each rule what of it holds and what does not.

use crate::model::config::Treasury;
use crate::model::intent::Asker;
use crate::model::policy::{Action, Assessment, Decision, DestinationMatch, Rule, Times};
use crate::model::units::{AccountId, Amount};
use crate::rules::decide::Question;
use crate::rules::matching::{Matcher, Payment, misses};

/// What was decided, and of each rule of the table why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What follows.
    pub decision: Decision,
    /// Every rule, in the order of the table.
    pub rules: Vec<Explained>,
    /// How unusual it looks, whether a rule asks or not.
    pub risk: Assessment,
}

/// Why a rule matches, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its name.
    pub rule: String,
    /// The word for what follows from it.
    pub action: &'static str,
    /// What does not hold; nothing where it matches.
    pub misses: Vec<Miss>,
}

/// Something that a rule asks for and that is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The key of the rule.
    pub key: &'static str,
    /// What is so, and what the rule is for.
    pub why: String,
}

impl Explained {
    /// Whether the rule matches.
    #[must_use]
    pub fn matches(&self) -> bool {
        self.misses.is_empty()
    }
}

/// Explains what would be decided.
#[must_use]
pub fn explain(config: &Treasury, question: Question<'_>) -> Explanation {
    let decision = question.unasked().decide();
    let rules = question.policy().rules().iter().map(|rule| Explained {
        rule: rule.name.clone(),
        action: action(&rule.action),
        misses: misses(rule, &question)
            .into_iter()
            .map(|matcher| Miss { key: matcher.key(), why: why(config, matcher, rule, &question) })
            .collect(),
    });
    let (rules, risk) = (rules.collect(), question.assess().clone());
    Explanation { decision, rules, risk }
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Approve(_) => "approve",
        Action::Delay { .. } => "delay",
        Action::Deny => "deny",
        Action::Notify(_) => "notify",
    }
}

fn why<P: Payment>(config: &Treasury, matcher: Matcher, rule: &Rule, payment: &P) -> String {
    let (is, wanted) = match matcher {
        Matcher::Askers => (format!("{} asks", payment.asker()), list(&rule.askers, Asker::to_string)),
        Matcher::AskerRoles => {
            let roles = rule.asker_roles.iter().flatten().map(|role| role.word());
            (format!("{} has none of the roles", payment.asker()), words(roles))
        }
        Matcher::Accounts => {
            let name = |account: &AccountId| named(config, account);
            (format!("{} pays", name(&payment.account())), list(&rule.accounts, name))
        }
        Matcher::Tiers => {
            let tier = payment.tier().map_or("no", |tier| tier.word());
            let tiers = rule.tiers.iter().flatten().map(|tier| tier.word());
            (format!("the account is of the {tier} tier"), words(tiers))
        }
        Matcher::Kinds => {
            let kinds = list(&rule.kinds, |kind| format!("{kind:?}").to_lowercase());
            (format!("it is a {}", format!("{:?}", payment.kind()).to_lowercase()), kinds)
        }
        Matcher::Assets => {
            let assets = rule.assets.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
            let assets = words(assets.iter().map(String::as_str));
            let only = "XRP, since it allows and names no asset".to_owned();
            (of_asset(payment), if rule.assets.is_some() { assets } else { only })
        }
        Matcher::AmountAbove => (paid(payment), format!("above {}", amount(rule.amount_above))),
        Matcher::AmountMin => (paid(payment), format!("from {}", amount(rule.amount_min))),
        Matcher::AmountMax => (paid(payment), format!("up to {}", amount(rule.amount_max))),
        Matcher::Destination => (received(config, payment), destination(config, rule)),
        Matcher::Listed => {
            ("the destination is on none".to_owned(), words(rule.listed.iter().flatten().map(String::as_str)))
        }
        Matcher::Unlisted => {
            let on = rule.unlisted.iter().flatten().filter(|list| payment.is_on(list));
            let on = format!("the destination is on {}", words(on.map(String::as_str)));
            (on, format!("none of {}", words(rule.unlisted.iter().flatten().map(String::as_str))))
        }
        Matcher::PaidFor => {
            let wanted = rule.paid_for.iter();
            let wanted = wanted.map(|wanted| between(wanted.least_seconds, wanted.below_seconds));
            let is = payment.paid_for();
            let is =
                is.map_or("it was never paid".to_owned(), |seconds| format!("first paid {seconds} s ago"));
            (is, wanted.collect())
        }
        Matcher::During => (clock(&rule.during, payment), hours(&rule.during)),
        Matcher::Outside => (clock(&rule.outside, payment), format!("any time but {}", hours(&rule.outside))),
        Matcher::Rolling => rolling(rule, payment),
        Matcher::Count => count(rule, payment),
        Matcher::Risk => {
            let bounds = rule.risk.map(|band| {
                let above = band.above.map(|above| format!("above {above}"));
                let most = band.max.map(|most| format!("up to {most}"));
                above.into_iter().chain(most).collect::<Vec<_>>().join(" and ")
            });
            (format!("its risk is {}", payment.risk()), bounds.unwrap_or_default())
        }
    };
    format!("{is}, and the rule is for {wanted}")
}

fn rolling<P: Payment>(rule: &Rule, payment: &P) -> (String, String) {
    let Some(rolling) = rule.rolling else { return Default::default() };
    let left = payment.leaves(rolling.per, rolling.period_seconds);
    let sum = payment.amount().and_then(|amount| left.checked_add(&amount));
    let period = rolling.period_seconds;
    let is = format!("within {period} s it would be {} by {}", amount(sum), rolling.per.word());
    let bounds = [
        rolling.amount_above.map(|above| format!("above {}", above.words())),
        rolling.amount_max.map(|most| format!("up to {}", most.words())),
    ];
    (is, bounds.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

fn count<P: Payment>(rule: &Rule, payment: &P) -> (String, String) {
    let Some(count) = rule.count else { return Default::default() };
    let all = payment.others(count.per, count.period_seconds).saturating_add(1);
    let is = format!("it would be payment {all} within {} s by {}", count.period_seconds, count.per.word());
    let bounds =
        [count.above.map(|above| format!("more than {above}")), count.max.map(|max| format!("up to {max}"))];
    (is, bounds.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

fn paid<P: Payment>(payment: &P) -> String {
    format!("the amount is {}", amount(payment.amount()))
}

fn of_asset<P: Payment>(payment: &P) -> String {
    payment
        .amount()
        .map_or_else(|| "it is of nothing".to_owned(), |amount| format!("it is of {}", amount.issue()))
}

fn amount(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "more than there is".to_owned(), |amount| amount.words())
}

fn named(config: &Treasury, account: &AccountId) -> String {
    config.name_of(account).map_or_else(|| account.to_string(), str::to_owned)
}

fn received<P: Payment>(config: &Treasury, payment: &P) -> String {
    let to = payment.destination().map_or_else(|| "nobody".to_owned(), |to| named(config, &to));
    let what = match (payment.is_own(), payment.is_known()) {
        (true, _) => "one of the treasury's",
        (false, true) => "in the address book",
        (false, false) => "new",
    };
    format!("{to} receives, which is {what}")
}

fn destination(config: &Treasury, rule: &Rule) -> String {
    match &rule.destination {
        None => String::new(),
        Some(DestinationMatch::Treasury) => "the treasury's own accounts".to_owned(),
        Some(DestinationMatch::Known) => "known destinations".to_owned(),
        Some(DestinationMatch::New) => "new destinations".to_owned(),
        Some(DestinationMatch::Accounts(accounts)) => {
            list(&Some(accounts.clone()), |account| named(config, account))
        }
    }
}

fn clock<P: Payment>(times: &Option<Times>, payment: &P) -> String {
    let Some(times) = times else { return String::new() };
    format!("it is {} in {}", times.zone.local(payment.at()), times.zone.name)
}

fn hours(times: &Option<Times>) -> String {
    let Some(times) = times else { return String::new() };
    let shown = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let days = times
        .weekdays
        .as_ref()
        .map_or_else(|| "every day".to_owned(), |days| words(days.iter().map(|day| day.word())));
    format!("{} to {} on {days}", shown(times.from_minute), shown(times.until_minute))
}

fn between(least: Option<u32>, below: Option<u32>) -> String {
    let bounds =
        [least.map(|least| format!("at least {least} s")), below.map(|below| format!("less than {below} s"))];
    bounds.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

fn list<T>(items: &Option<Vec<T>>, word: impl Fn(&T) -> String) -> String {
    items.iter().flatten().map(word).collect::<Vec<_>>().join(", ")
}

fn words<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
