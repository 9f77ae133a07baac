//! What a rule can match by beside names and amounts: roles, tiers, lists, sums and counts, times.

use std::collections::BTreeSet;
use std::sync::Arc;

use treasury_core::book::WINDOW_MAX_SECONDS;
use treasury_core::config::Tier;
use treasury_core::policy::{Count, PaidFor, Per, RiskBand, Rolling, Rule, SCORE_MAX, Times, Weekday};
use treasury_core::units::Amount;

use super::parties::{Parties, role, tier};
use super::reader::{At, Section};
use super::{value, zones};

/// A day's minutes.
const DAY_MINUTES: u16 = 1_440;

/// Puts into the rule what its section says of these.
pub(super) fn read(section: &Section<'_>, parties: &Parties, lists: &BTreeSet<String>, rule: &mut Rule) {
    rule.asker_roles = set(section, "asker_roles", role);
    rule.tiers = set(section, "tiers", paying_tier);
    let named = |text: &str| listed(text, parties, lists);
    rule.listed = set(section, "listed", named);
    rule.unlisted = set(section, "unlisted", named);
    rule.paid_for = paid_for(section);
    rule.rolling = rolling(section);
    rule.count = count(section);
    rule.during = times(section, "during");
    rule.outside = times(section, "outside");
    rule.risk = risk(section);
}

/// Blames a list in which nothing is.
pub(super) fn not_empty(section: &Section<'_>, key: &str) {
    if section.is_empty_list(key) {
        section.wrong(key, "an empty list matches nothing", "leave the key out to match everything");
    }
}

/// Blames a band in which nothing is.
pub(super) fn band(
    section: &Section<'_>,
    lower: &str,
    least: Option<&At<Amount>>,
    most: Option<&At<Amount>>,
    is_empty: impl Fn(&Amount, &Amount) -> bool,
) {
    let Some((least, most)) = least.zip(most) else { return };
    let advice = "no amount is between them; the rule would never match";
    if least.value.issue() != most.value.issue() {
        section.blame(most, format!("is of another asset than {lower}"), advice);
    } else if is_empty(&least.value, &most.value) {
        section.blame(most, format!("is not above {lower}"), advice);
    }
}

pub(super) fn set<T: Ord>(
    section: &Section<'_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<BTreeSet<T>> {
    let items = section.texts(key, parse);
    not_empty(section, key);
    Some(items?.into_iter().map(|item| item.value).collect())
}

fn paying_tier(text: &str) -> Result<Tier, String> {
    match tier(text)? {
        Tier::Runner => Err("the runner pays nobody".to_owned()),
        tier => Ok(tier),
    }
}

pub(super) fn listed(text: &str, parties: &Parties, lists: &BTreeSet<String>) -> Result<String, String> {
    if lists.contains(text) || parties.labels.contains_key(text) {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> = lists.iter().chain(parties.labels.keys()).map(String::as_str).collect();
    let known = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
    Err(format!("\"{text}\" is not a [[list]], and no [[destination]] has it as a label ({known})"))
}

fn paid_for(section: &Section<'_>) -> Option<PaidFor> {
    let inner = section.inner("paid_for", &["at_least", "less_than"])?;
    let least = inner.text("at_least", value::duration);
    let below = inner.text("less_than", value::duration);
    if least.is_none() && below.is_none() {
        inner.wrong("at_least", "is missing, and so is less_than", "say since when at least, or at most");
    }
    if let (Some(least), Some(below)) = (&least, &below)
        && least.value >= below.value
    {
        inner.blame(below, "is not more than at_least", "the rule would never match");
    }
    Some(PaidFor {
        least_seconds: least.map(|least| least.value),
        below_seconds: below.map(|below| below.value),
    })
}

fn rolling(section: &Section<'_>) -> Option<Rolling> {
    let inner = section.inner("rolling", &["period", "per", "amount_above", "amount_max"])?;
    let period = inner.required("period", period);
    let per = inner.text("per", per);
    let amount_above = inner.text("amount_above", value::any_amount);
    let amount_max = inner.text("amount_max", value::any_amount);
    if amount_above.is_none() && amount_max.is_none() {
        let advice = "say at most how much, or above how much";
        inner.wrong("amount_max", "is missing, and so is amount_above", advice);
    }
    band(&inner, "amount_above", amount_above.as_ref(), amount_max.as_ref(), |least, most| least >= most);
    Some(Rolling {
        period_seconds: period?.value,
        per: per.map(|per| per.value).unwrap_or_default(),
        amount_above: amount_above.map(|amount| amount.value),
        amount_max: amount_max.map(|amount| amount.value),
    })
}

fn count(section: &Section<'_>) -> Option<Count> {
    let inner = section.inner("count", &["period", "per", "above", "max"])?;
    let period = inner.required("period", period);
    let per = inner.required("per", per);
    let above = inner.integer("above", 1..=u32::MAX);
    let max = inner.integer("max", 1..=u32::MAX);
    match (&above, &max) {
        (None, None) => {
            inner.wrong("max", "is missing, and so is above", "say at most how many, or above how many");
        }
        (Some(above), Some(max)) if above.value >= max.value => {
            inner.blame(max, "is not more than above", "the rule would never match");
        }
        _ => {}
    }
    Some(Count {
        period_seconds: period?.value,
        per: per?.value,
        above: above.map(|above| above.value),
        max: max.map(|max| max.value),
    })
}

fn risk(section: &Section<'_>) -> Option<RiskBand> {
    let inner = section.inner("risk", &["above", "max"])?;
    // Above the highest there is nothing, and up to it is everything.
    let scores = 0..=u32::from(SCORE_MAX) - 1;
    let above = inner.integer("above", scores.clone());
    let max = inner.integer("max", scores);
    match (&above, &max) {
        (None, None) => {
            inner.wrong("max", "is missing, and so is above", "say up to which score, or above which");
        }
        (Some(above), Some(max)) if above.value >= max.value => {
            inner.blame(max, "is not more than above", "the rule would never match");
        }
        _ => {}
    }
    let score = |value: u32| u8::try_from(value).ok();
    Some(RiskBand {
        above: above.and_then(|above| score(above.value)),
        max: max.and_then(|max| score(max.value)),
    })
}

/// A period of which everything is remembered.
pub(super) fn period(text: &str) -> Result<u32, String> {
    match value::duration(text)? {
        seconds if seconds > WINDOW_MAX_SECONDS => {
            Err(format!("\"{text}\" is longer than what is remembered: at most 366d"))
        }
        seconds => Ok(seconds),
    }
}

fn per(text: &str) -> Result<Per, String> {
    let words = || Per::ALL.map(Per::word).join(", ");
    Per::ALL
        .into_iter()
        .find(|per| per.word() == text)
        .ok_or_else(|| format!("\"{text}\" is not what payments go by; one of {}", words()))
}

fn times(section: &Section<'_>, key: &str) -> Option<Times> {
    times_of(&section.inner(key, &["zone", "hours", "weekdays"])?)
}

/// The times that a table says.
pub(super) fn times_of(inner: &Section<'_>) -> Option<Times> {
    let zone = inner.required("zone", zones::named);
    let hours = inner.text("hours", hours);
    let weekdays = set(inner, "weekdays", weekday);
    if !inner.has("hours") && !inner.has("weekdays") {
        let what = "is missing, and so is weekdays: that is always";
        inner.wrong("hours", what, "write hours = \"09:00-17:00\", or weekdays = [\"mon\"]");
    }
    let (from_minute, until_minute) = hours.map_or((0, DAY_MINUTES), |hours| hours.value);
    Some(Times { zone: Arc::new(zone?.value), weekdays, from_minute, until_minute })
}

pub(super) fn weekday(text: &str) -> Result<Weekday, String> {
    let words = || Weekday::ALL.map(Weekday::word).join(", ");
    Weekday::ALL
        .into_iter()
        .find(|day| day.word() == text)
        .ok_or_else(|| format!("\"{text}\" is not a day of the week; one of {}", words()))
}

/// Minutes of a day: from the first, until before the second.
fn hours(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("\"{text}\" is not a time of day; write it as \"09:00-17:30\" or \"22:00-06:00\"");
    let (from, until) = text.split_once('-').ok_or_else(wrong)?;
    let (from, until) = (minute(from).ok_or_else(wrong)?, minute(until).ok_or_else(wrong)?);
    if from == until || from == DAY_MINUTES || until == 0 {
        return Err(format!("\"{text}\" is no time, or all day; leave it out for all day"));
    }
    Ok((from, until))
}

/// `00:00` to `24:00`.
pub(super) fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|_| plain)
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY_MINUTES).then_some(all)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use treasury_core::config::Role;
    use treasury_core::units::Asset;

    use super::super::DaemonConfig;
    use super::*;

    const FILE: &str = r#"
[network]
endpoints = ["ws://127.0.0.1:6006"]
[daemon]
data_dir = "d"
keystore = "k"
[[account]]
name = "hot"
address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
tier = "hot"
[[destination]]
name = "exchange"
address = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
labels = ["exchange", "large"]
[[rule]]
name = "all"
asker_roles = ["proposer", "admin"]
assets = ["XRP", "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"]
tiers = ["hot", "warm"]
listed = ["exchange"]
unlisted = ["large"]
paid_for = { at_least = "30d", less_than = "60d" }
rolling = { period = "31d", per = "asker", amount_max = "100 XRP" }
count = { period = "24h", per = "destination", above = 2, max = 5 }
during = { zone = "Europe/Zurich", hours = "09:00-17:30", weekdays = ["mon", "fri"] }
outside = { zone = "UTC", hours = "22:00-06:00" }
risk = { above = 20, max = 60 }
action = "allow"
"#;

    #[test]
    fn every_matcher_is_read_as_it_is_written() {
        let config = DaemonConfig::parse(FILE, Path::new("")).unwrap();
        let policy = &config.treasury.policy;
        let rule = &policy.rules()[0];
        assert_eq!(rule.asker_roles, Some(BTreeSet::from([Role::Proposer, Role::Admin])));
        let dollars = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".parse().unwrap();
        assert_eq!(rule.assets, Some(BTreeSet::from([Asset::Xrp, dollars])));
        assert_eq!(rule.tiers, Some(BTreeSet::from([Tier::Hot, Tier::Warm])));
        assert_eq!(rule.listed, Some(BTreeSet::from(["exchange".to_owned()])));
        assert_eq!(rule.unlisted, Some(BTreeSet::from(["large".to_owned()])));
        let month = 30 * 86_400;
        assert_eq!(
            rule.paid_for,
            Some(PaidFor { least_seconds: Some(month), below_seconds: Some(2 * month) })
        );
        let rolling = rule.rolling.unwrap();
        assert_eq!((rolling.per, rolling.period_seconds), (Per::Asker, 31 * 86_400));
        let count = Count { period_seconds: 86_400, per: Per::Destination, above: Some(2), max: Some(5) };
        assert_eq!(rule.count, Some(count));
        let during = rule.during.as_ref().unwrap();
        assert_eq!((during.from_minute, during.until_minute), (540, 1_050));
        assert_eq!(during.weekdays, Some(BTreeSet::from([Weekday::Mon, Weekday::Fri])));
        assert_eq!(during.zone.name, "Europe/Zurich");
        let outside = rule.outside.as_ref().unwrap();
        assert_eq!((outside.from_minute, outside.until_minute, &outside.weekdays), (1_320, 360, &None));
        assert_eq!(rule.risk, Some(RiskBand { above: Some(20), max: Some(60) }));
        assert!(policy.lists()["large"].has(&"rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe".parse().unwrap()));
    }

    #[test]
    fn a_matcher_that_is_wrong_names_its_key() {
        for (from, to, expected) in [
            ("\"proposer\", \"admin\"", "\"boss\"", "asker_roles[1]: \"boss\" is not a role"),
            ("\"proposer\", \"admin\"", "", "asker_roles: an empty list matches nothing"),
            ("\"XRP\", ", "\"EUR\", ", "assets[1]: \"EUR\" is not an asset"),
            ("\"XRP\", ", "\"drops\", ", "assets[1]: \"drops\" is not an asset"),
            (
                "\"XRP\"",
                "\"00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8\"",
                "assets[1]: \"00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8\" is a multi-purpose token",
            ),
            (
                "assets = [\"XRP\", \"USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B\"]",
                "assets = []",
                "assets: an empty list matches nothing",
            ),
            ("\"hot\", \"warm\"", "\"runner\"", "tiers[1]: the runner pays nobody"),
            ("listed = [\"exchange\"]", "listed = [\"fraud\"]", "listed[1]: \"fraud\" is not a [[list]]"),
            ("less_than = \"60d\"", "less_than = \"30d\"", "paid_for.less_than: is not more than at_least"),
            ("at_least = \"30d\", less_than = \"60d\"", "", "paid_for.at_least: is missing"),
            ("\"31d\"", "\"367d\"", "rolling.period: \"367d\" is longer than what is remembered"),
            (
                "per = \"asker\"",
                "per = \"everybody\"",
                "rolling.per: \"everybody\" is not what payments go by",
            ),
            (", per = \"destination\"", "", "count.per: is missing"),
            (", above = 2, max = 5", "", "count.max: is missing, and so is above"),
            ("above = 2, max = 5", "above = 5, max = 5", "count.max: is not more than above"),
            ("above = 2", "above = 0", "count.above: must be a whole number"),
            ("\"Europe/Zurich\"", "\"Zurich\"", "during.zone: \"Zurich\" is not a zone"),
            ("zone = \"UTC\", ", "", "outside.zone: is missing"),
            ("\"09:00-17:30\"", "\"9-17\"", "during.hours: \"9-17\" is not a time of day"),
            ("\"09:00-17:30\"", "\"09:00-25:00\"", "during.hours: \"09:00-25:00\" is not a time of day"),
            ("\"09:00-17:30\"", "\"09:00-09:00\"", "during.hours: \"09:00-09:00\" is no time, or all day"),
            (", hours = \"22:00-06:00\"", "", "outside.hours: is missing, and so is weekdays"),
            ("above = 20, max = 60", "", "risk.max: is missing, and so is above"),
            ("max = 60", "max = 20", "risk.max: is not more than above"),
            ("max = 60", "max = 100", "risk.max: must be a whole number"),
            ("\"fri\"", "\"Friday\"", "during.weekdays[2]: \"Friday\" is not a day of the week"),
        ] {
            assert!(FILE.contains(from), "{from}");
            let error = DaemonConfig::parse(&FILE.replacen(from, to, 1), Path::new("")).unwrap_err();
            assert!(error.to_string().contains(expected), "{expected}: {error}");
        }
    }
}
