//! What makes a payment look unusual, and how much of what people do is.

use std::collections::BTreeSet;

use treasury_core::config::{Alarms, Burst, ClockBounds, Drills};
use treasury_core::policy::{Risk, SCORE_MAX, Times, Unusual, Velocity};
use treasury_core::units::Amount;

use super::matchers::{listed, period, set, times_of};
use super::parties::Parties;
use super::reader::Section;
use super::value;

/// Reads the signs.
pub(super) fn read(root: &Section<'_>, parties: &Parties, lists: &BTreeSet<String>) -> Risk {
    let Some(section) = root.section("risk") else { return Risk::default() };
    let plain = |name: &str| weight(&section.inner(name, &["weight"])?);
    Risk {
        new_destination: plain("new_destination"),
        large_to_new: section.inner("large_to_new", &["weight", "above"]).and_then(|inner| {
            let above: Option<Amount> = inner.required("above", value::any_amount).map(|amount| amount.value);
            weight(&inner).zip(above)
        }),
        unusual_amount: section.inner("unusual_amount", &["weight", "times", "payments"]).and_then(|inner| {
            let usual = Unusual { weight: 0, times: 10, payments: 20 };
            let times = inner.integer("times", 1..=1_000).map_or(usual.times, |times| times.value);
            let payments = inner.integer("payments", 3..=100).map_or(usual.payments, |known| known.value);
            Some(Unusual { weight: weight(&inner)?, times, payments })
        }),
        velocity: section.inner("velocity", &["weight", "period", "above"]).and_then(|inner| {
            let period_seconds = inner.required("period", period).map(|period| period.value);
            let above = above(&inner);
            Some(Velocity { weight: weight(&inner)?, period_seconds: period_seconds?, above: above? })
        }),
        listed: section.inner("listed", &["weight", "lists"]).and_then(|inner| {
            let named = set(&inner, "lists", |text| listed(text, parties, lists));
            if !inner.has("lists") {
                inner.wrong("lists", "is missing", "name the lists");
            }
            weight(&inner).zip(named)
        }),
        odd_time: section.inner("odd_time", &["weight", "zone", "hours", "weekdays"]).and_then(|inner| {
            let usual: Option<Times> = times_of(&inner);
            weight(&inner).zip(usual)
        }),
        new_asker: plain("new_asker"),
        unfunded: plain("unfunded"),
        odd_settings: plain("odd_settings"),
        young: section.inner("young", &["weight", "less_than"]).and_then(|inner| {
            let less = inner.required("less_than", period).map(|less| less.value);
            weight(&inner).zip(less)
        }),
        poor: section.inner("poor", &["weight", "below"]).and_then(|inner| {
            let below = inner.required("below", value::some_amount).map(|below| below.value);
            weight(&inner).zip(below)
        }),
        unread: plain("unread"),
        first_asset: plain("first_asset"),
    }
}

fn weight(inner: &Section<'_>) -> Option<u8> {
    if !inner.has("weight") {
        inner.wrong("weight", "is missing", "a whole number, 0 to 100");
    }
    u8::try_from(inner.integer("weight", 0..=u32::from(SCORE_MAX))?.value).ok()
}

fn above(inner: &Section<'_>) -> Option<u32> {
    if !inner.has("above") {
        inner.wrong("above", "is missing", "a whole number, 1 or more");
    }
    Some(inner.integer("above", 1..=u32::MAX)?.value)
}

/// Reads the bursts.
pub(super) fn alarms(root: &Section<'_>) -> Alarms {
    let usual = Alarms { drills: drills(root), ..Alarms::default() };
    let Some(section) = root.section("anomaly") else { return usual };
    let burst = |name: &str, usual: Burst| {
        let Some(inner) = section.inner(name, &["above", "period"]) else { return usual };
        let above = above(&inner);
        let period = inner.required("period", value::duration);
        above.zip(period).map_or(usual, |(above, period)| Burst { above, period_seconds: period.value })
    };
    Alarms {
        rejections: burst("rejections", usual.rejections),
        refused_signatures: burst("refused_signatures", usual.refused_signatures),
        reveal_seconds: section
            .text("unvalidated_reveal", value::duration)
            .map_or(usual.reveal_seconds, |seconds| seconds.value),
        failed_logins: burst("failed_logins", usual.failed_logins),
        clock: section.inner("clock_skew", &["above", "lasting"]).map_or(usual.clock, |inner| {
            let above = inner.required("above", value::duration);
            let lasting = inner.text("lasting", value::duration);
            ClockBounds {
                above_seconds: above.map_or(usual.clock.above_seconds, |above| above.value),
                lasting_seconds: lasting.map_or(usual.clock.lasting_seconds, |lasting| lasting.value),
            }
        }),
        blind_seconds: section
            .text("blind", value::duration)
            .map_or(usual.blind_seconds, |seconds| seconds.value),
        drills: usual.drills,
    }
}

/// Reads how often people show that they have their keys.
fn drills(root: &Section<'_>) -> Drills {
    let usual = Drills::default();
    let Some(section) = root.section("drills") else { return usual };
    let seconds = |name: &str| section.text(name, value::duration).map(|seconds| seconds.value);
    Drills {
        every_seconds: seconds("every"),
        answer_seconds: seconds("answer").unwrap_or(usual.answer_seconds),
    }
}
