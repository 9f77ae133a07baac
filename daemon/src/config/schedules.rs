//! Payments that are due at set times: when, as the calendar of a zone has it.
//!
//! The calendar is asked here, once, and what the core decides by is the list of times that comes of it: whether a salary
//! is paid must not depend on which files a machine has, and no decision does arithmetic with dates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, ToSpan};
use treasury_core::command::NOTE_MAX;
use treasury_core::config::{Due, Role, Schedule, Signing, Tier};
use treasury_core::doomed::is_black_hole;
use treasury_core::units::{Asset, RippleTime};
use treasury_tools::value;

use super::parties::Parties;
use super::reader::Section;
use super::{matchers, zones};

/// Nothing is due after this day: a list of all times is kept, and it ends somewhere.
const LAST_DAY: Date = date(2075, 12, 31);

/// Nor before this one, on which no ledger of a treasury of this program had closed.
const FIRST_DAY: Date = date(2025, 1, 1);

/// Ledgers close some seconds apart, and what is due between two is asked for with the later one.
const LATE_LEAST_SECONDS: u32 = 60;

/// What becomes of a day that is no working day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weekend {
    Same,
    Before,
    After,
}

/// Reads the schedules. The rest of the treasury is there already.
pub(super) fn read(root: &Section<'_>, parties: &Parties, deadline_max_seconds: u32) -> Vec<Schedule> {
    let mut names = BTreeSet::new();
    let sections = root.sections("schedule");
    let schedules = sections.iter().map(|section| {
        let schedule = schedule(section, parties, deadline_max_seconds);
        if let Some(name) = section.text("name", value::name)
            && !names.insert(name.value.clone())
        {
            let what = format!("\"{}\" is taken", name.value);
            section.blame(&name, what, "choose another name for the schedule");
        }
        schedule
    });
    let schedules: Vec<Option<Schedule>> = schedules.collect();
    schedules.into_iter().flatten().collect()
}

fn schedule(section: &Section<'_>, parties: &Parties, deadline_max_seconds: u32) -> Option<Schedule> {
    let name = section.required("name", value::name);
    let from = section.required("from", |text| parties.resolve_account(text));
    let to = section.required("to", |text| parties.resolve(text));
    let tag = section.integer("tag", 0..=u32::MAX);
    let amount = section.required("amount", value::some_payable);
    let by = section.required("by", |text| parties.resolve_person(text));
    let note = section.text("note", note);
    let lead = section.text("lead", value::duration).map_or(86_400, |lead| lead.value);
    let late_max = section.text("late_max", value::duration).map_or(86_400, |late| late.value);
    if let Some(from) = &from
        && parties.accounts.get(&from.value).is_none_or(|account| {
            account.signing != Signing::Multi || !matches!(account.tier, Tier::Cold | Tier::Warm | Tier::Hot)
        })
    {
        section.blame(from, "pays nothing that people ask for", "name an account that has signers");
    }
    if let (Some(from), Some(to)) = (&from, &to)
        && from.value == to.value
    {
        section.blame(to, "is the paying account itself", "name another");
    }
    if let Some(to) = &to
        && is_black_hole(&to.value)
    {
        section.blame(to, "is an account that nobody has a key of", "name another");
    }
    if let (Some(from), Some(amount)) = (&from, &amount)
        && matches!(amount.value.issue(), Asset::Issued { issuer, .. } if issuer == from.value)
    {
        section.blame(amount, "is of what the paying account issues itself", "the daemon issues nothing");
    }
    if let Some(by) = &by
        && parties.people.get(&by.value).is_none_or(|person| !person.roles.contains(&Role::Proposer))
    {
        section.blame(by, "may not propose", "name somebody who has the role proposer");
    }
    if late_max < LATE_LEAST_SECONDS {
        section.wrong("late_max", "is shorter than ledgers may be apart", "write at least \"1m\"");
    }
    if lead.saturating_add(late_max) > deadline_max_seconds {
        let what =
            format!("and late_max are longer together than timing.deadline_max of {deadline_max_seconds} s");
        section.wrong("lead", what, "people cannot sign for so long; shorten one of them");
    }
    let due = due(section);
    Some(Schedule {
        name: name?.value,
        from: from?.value,
        to: to?.value,
        destination_tag: tag.map(|tag| tag.value),
        amount: amount?.value,
        by: by?.value,
        note: note.map_or_else(String::new, |note| note.value),
        due: due?,
        lead_seconds: lead,
        late_max_seconds: late_max,
    })
}

fn note(text: &str) -> Result<String, String> {
    if text.len() > NOTE_MAX || text.chars().any(char::is_control) {
        return Err(format!("must be a line of at most {NOTE_MAX} bytes"));
    }
    Ok(text.to_owned())
}

/// Every time at which it is due.
fn due(section: &Section<'_>) -> Option<Arc<[Due]>> {
    let zone = section.text("zone", zone);
    let at = section.required("at", time_of_day);
    let starts = section.text("starts", day).map_or(FIRST_DAY, |day| day.value);
    let ends = section.text("ends", day).map_or(LAST_DAY, |day| day.value);
    let weekend = section.text("weekend", weekend).map_or(Weekend::Same, |weekend| weekend.value);
    let month_days = section.integers("month_days", &(1..=31));
    let weekdays = section.texts("weekdays", weekday);
    let dates = section.texts("dates", day);
    let ways = ["month_days", "weekdays", "dates"];
    let written: Vec<&str> = ways.into_iter().filter(|way| section.has(way)).collect();
    let days: BTreeSet<Date> = match (written.as_slice(), month_days, weekdays, dates) {
        (["month_days"], Some(days), ..) => {
            let days: Vec<u32> = days.iter().map(|day| day.value).collect();
            months().flat_map(|month| days.iter().filter_map(move |day| in_month(month, *day))).collect()
        }
        (["weekdays"], _, Some(weekdays), _) => {
            let on: Vec<Weekday> = weekdays.iter().map(|day| day.value).collect();
            every_day().filter(|day| on.contains(&day.weekday())).collect()
        }
        (["dates"], .., Some(dates)) => dates.iter().map(|day| day.value).collect(),
        ([], ..) => {
            section.wrong(
                "dates",
                "is missing, and so are month_days and weekdays",
                "write one of the three",
            );
            return None;
        }
        ([_], ..) => return None,
        ([_, second, ..], ..) => {
            section.wrong(second, format!("stands beside {}", written.first()?), "write one of the three");
            return None;
        }
    };
    let (zone, at) = (zone.map_or(TimeZone::UTC, |zone| zone.value), at?.value);
    let dues = days.into_iter().filter_map(|written| {
        let day = shift(written, weekend).filter(|day| (starts..=ends).contains(day))?;
        // An hour that the clock leaves out is the one after it; one that it shows twice is the first.
        let moment = DateTime::from_parts(day, at).to_zoned(zone.clone()).ok()?;
        let at = RippleTime::from_unix(moment.timestamp().as_second())?;
        let day = written.since(date(2000, 1, 1)).ok()?.get_days();
        Some((at, u32::try_from(day).ok()?))
    });
    // Days that fall together are one payment, as two that are the same would be.
    let times: BTreeMap<RippleTime, u32> = dues.collect();
    if times.is_empty() {
        section.wrong("ends", "leaves no time at which it is due", "no day lies between starts and ends");
        return None;
    }
    Some(times.into_iter().map(|(at, day)| Due { at, day }).collect())
}

fn months() -> impl Iterator<Item = Date> {
    FIRST_DAY.series(1.month()).take_while(|month| *month <= LAST_DAY)
}

fn every_day() -> impl Iterator<Item = Date> {
    FIRST_DAY.series(1.day()).take_while(|day| *day <= LAST_DAY)
}

/// That day of a month; the last one where the month is shorter.
fn in_month(first: Date, day: u32) -> Option<Date> {
    let day = i8::try_from(day).ok()?;
    Date::new(first.year(), first.month(), day.min(first.days_in_month())).ok()
}

fn shift(day: Date, weekend: Weekend) -> Option<Date> {
    let (back, on): (Span, Span) = match day.weekday() {
        Weekday::Saturday => (-1.day(), 2.days()),
        Weekday::Sunday => (-2.days(), 1.day()),
        _ => return Some(day),
    };
    match weekend {
        Weekend::Same => Some(day),
        Weekend::Before => day.checked_add(back).ok(),
        Weekend::After => day.checked_add(on).ok(),
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    // What is asked of its rules is the same as what rules hold of it.
    zones::named(name)?;
    if name == "UTC" {
        Ok(TimeZone::UTC)
    } else {
        TimeZoneDatabase::bundled().get(name).map_err(|error| error.to_string())
    }
}

fn day(text: &str) -> Result<Date, String> {
    let wrong =
        || format!("\"{text}\" is no date from {FIRST_DAY} to {LAST_DAY}; write it as \"2026-12-24\"");
    let parsed = text.parse::<Date>().ok().filter(|_| text.len() == 10).ok_or_else(wrong)?;
    if (FIRST_DAY..=LAST_DAY).contains(&parsed) { Ok(parsed) } else { Err(wrong()) }
}

fn time_of_day(text: &str) -> Result<jiff::civil::Time, String> {
    let wrong = || format!("\"{text}\" is not a time of day; write it as \"09:00\"");
    let minute = matchers::minute(text).and_then(|minute| i16::try_from(minute).ok()).ok_or_else(wrong)?;
    let hour = i8::try_from(minute / 60).map_err(|_| wrong())?;
    let minute = i8::try_from(minute % 60).map_err(|_| wrong())?;
    jiff::civil::Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

fn weekday(text: &str) -> Result<Weekday, String> {
    matchers::weekday(text).map(|day| match day {
        treasury_core::policy::Weekday::Mon => Weekday::Monday,
        treasury_core::policy::Weekday::Tue => Weekday::Tuesday,
        treasury_core::policy::Weekday::Wed => Weekday::Wednesday,
        treasury_core::policy::Weekday::Thu => Weekday::Thursday,
        treasury_core::policy::Weekday::Fri => Weekday::Friday,
        treasury_core::policy::Weekday::Sat => Weekday::Saturday,
        treasury_core::policy::Weekday::Sun => Weekday::Sunday,
    })
}

fn weekend(text: &str) -> Result<Weekend, String> {
    match text {
        "same" => Ok(Weekend::Same),
        "before" => Ok(Weekend::Before),
        "after" => Ok(Weekend::After),
        _ => Err(format!("\"{text}\" is none of same, before, after")),
    }
}
