//! The month as a page with plots, and in a few lines.

use std::fmt::Write as _;

use super::cast::BANDS;
use super::life::{Class, Life, XRP};
use super::numbers::{BAND_LEAST, HELD_MOST, Numbers, STRAIGHT_LEAST};
use super::plot::{Line, Plot, escaped};
use super::stage::BEGINS;

/// What is measured, what it has to be, and what it is: for the summary and for the page.
#[must_use]
pub fn rows(life: &Life, numbers: &Numbers) -> Vec<[String; 3]> {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let row = |what: &str, wanted: String, found: String| [what.to_owned(), wanted, found];
    let mut rows = vec![
        row(
            "payments a day, at least",
            format!("≥ {}", life.options.payments),
            numbers.least_a_day.to_string(),
        ),
        row("routine payments without a person", format!("≥ {}", percent(STRAIGHT_LEAST)), {
            let asked = numbers.asked.get(&Class::Routine).copied().unwrap_or_default();
            format!("{} ({} of {asked})", percent(numbers.straight_share()), numbers.straight)
        }),
        row(
            "honest payments held or missing",
            format!("≤ {}", percent(HELD_MOST)),
            format!(
                "{} ({} held, {} missing)",
                percent(numbers.held_share()),
                numbers.held.len(),
                numbers.missing.len()
            ),
        ),
    ];
    let [stopped, bounded] = numbers.stopped();
    rows.push(row("frauds that can be stopped, stopped before release", "all".to_owned(), of(stopped)));
    rows.push(row("frauds that are bounded, within the bound told before", "all".to_owned(), of(bounded)));
    for (name, share) in &numbers.bands {
        let band =
            BANDS.iter().find(|(of, ..)| of == name).map(|(_, low, high)| format!("{low} to {high} XRP"));
        let what = format!("{name} within its band, {}", band.unwrap_or_default());
        rows.push(row(&what, format!("≥ {}", percent(BAND_LEAST)), percent(*share)));
    }
    rows.push(row("salaries", numbers.salaries.0.to_string(), numbers.salaries.1.to_string()));
    let (made, finished, cancelled) = numbers.escrows;
    rows.push(row(
        "escrows made, finished, cancelled",
        String::new(),
        format!("{made}, {finished}, {cancelled}"),
    ));
    for class in Class::ALL {
        let at = |permille| numbers.delay(class, permille).map_or_else(|| "-".to_owned(), time);
        let found = format!("{}, {}, {}, {}", at(500), at(950), at(990), at(1_000));
        let what = format!("delay: {}: half, 95 %, 99 %, all", class.word());
        rows.push(row(&what, String::new(), found));
    }
    let fees = format!(
        "{}.{:06} XRP for {} transactions",
        numbers.burned / XRP,
        numbers.burned % XRP,
        numbers.transactions
    );
    rows.push(row("fees", String::new(), fees));
    let events: Vec<String> = life.events.iter().map(|(what, count)| format!("{count} {what}")).collect();
    rows.push(row("what happened besides", String::new(), events.join(", ")));
    rows
}

/// In a few lines.
#[must_use]
pub fn summary(life: &Life, numbers: &Numbers) -> String {
    let mut text = String::new();
    for [what, wanted, found] in rows(life, numbers) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{what:<62} {wanted:>10}  {found}");
    }
    for outcome in &numbers.frauds {
        let mark = if outcome.held { "ok" } else { "MISSED" };
        let _ = writeln!(
            text,
            "week {}: {:<40} {mark:<7} {}",
            outcome.attempt.week + 1,
            outcome.attempt.kind.word(),
            outcome.says
        );
    }
    text
}

/// The whole page.
#[must_use]
pub fn page(life: &Life, numbers: &Numbers, missed: &[String]) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>A month of treasuryd</title>\n<style>\n\
         body { font: 15px/1.5 sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; color: #222 }\n\
         table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2em .6em; border-bottom: 1px solid #ddd; vertical-align: top }\n\
         .bad { color: #b00020 } .ok { color: #2d7d46 }\n</style></head><body>\n<h1>A month of treasuryd</h1>\n",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(
        html,
        "<p>{} ledger days, {} ledgers, seed {}. What was asked for and done is read from the ledgers, not from the daemon.</p>",
        life.options.days, numbers.ledgers, life.options.seed
    );
    match missed.is_empty() {
        true => html.push_str("<p class=\"ok\">Everything is as it has to be.</p>\n"),
        false => {
            html.push_str("<ul class=\"bad\">\n");
            for what in missed {
                let _ = writeln!(html, "<li>{}</li>", escaped(what));
            }
            html.push_str("</ul>\n");
        }
    }
    html.push_str("<table><thead><tr><th>Measured</th><th>Wanted</th><th>Found</th></tr></thead><tbody>\n");
    for [what, wanted, found] in rows(life, numbers) {
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&what),
            escaped(&wanted),
            escaped(&found)
        );
    }
    html.push_str("</tbody></table>\n<h2>Frauds</h2>\n<table><thead><tr><th>Week</th><th>Tried</th><th></th><th>What came of it</th><th>What was said before</th></tr></thead><tbody>\n");
    for outcome in &numbers.frauds {
        let (class, word) = match (outcome.held, outcome.attempt.kind.is_stopped()) {
            (true, true) => ("ok", "stopped"),
            (true, false) => ("ok", "bounded"),
            (false, _) => ("bad", "missed"),
        };
        let said = outcome.attempt.told.as_ref().map_or("nothing can be taken", |(_, words)| words.as_str());
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td><td>{}</td><td>{}</td></tr>",
            outcome.attempt.week + 1,
            escaped(outcome.attempt.kind.word()),
            escaped(&outcome.says),
            escaped(said)
        );
    }
    html.push_str("</tbody></table>\n<h2>Balances and bands</h2>\n");
    for (name, low, high) in BANDS {
        let plot = balance(life, name, (low as f64, high as f64));
        let _ = writeln!(html, "<h3>{name}</h3>\n{}", plot.svg());
    }
    let _ = writeln!(html, "<h2>Payments each day</h2>\n{}", payments(numbers).svg());
    let _ = writeln!(html, "<h2>From wanted to validated</h2>\n{}", delays(numbers).svg());
    let _ = writeln!(html, "<h2>Fees each day</h2>\n{}", fees(life).svg());
    html.push_str("<h2>Fees by kind</h2>\n<table><tbody>\n");
    for ((account, kind), burned) in &life.stage.truth.fees {
        let _ = writeln!(
            html,
            "<tr><td>{account}</td><td>{kind}</td><td>{}</td><td>{} drops</td></tr>",
            burned.count, burned.drops
        );
    }
    html.push_str("</tbody></table>\n<h2>Findings that people looked at</h2>\n<table><tbody>\n");
    for (kind, count) in &life.found {
        let _ = writeln!(html, "<tr><td>{}</td><td>{count}</td></tr>", escaped(kind));
    }
    html.push_str("</tbody></table>\n</body></html>\n");
    html
}

fn day(at: u32) -> f64 {
    f64::from(at.saturating_sub(BEGINS)) / 86_400.0
}

fn balance(life: &Life, name: &'static str, band: (f64, f64)) -> Plot<'static> {
    let all = life.stage.truth.balances.get(name).map_or(&[][..], Vec::as_slice);
    let points = all.iter().map(|(at, drops)| (day(*at), *drops as f64 / XRP as f64)).collect();
    Plot {
        title: "balance over time",
        x: "day",
        y: "XRP",
        lines: vec![Line { name: name.to_owned(), points, steps: true }],
        band: Some(band),
        log: false,
    }
}

fn payments(numbers: &Numbers) -> Plot<'static> {
    let line = |name: &str, of: fn(&(usize, usize)) -> usize| Line {
        name: name.to_owned(),
        points: numbers.days.iter().enumerate().map(|(n, day)| (n as f64, of(day) as f64)).collect(),
        steps: true,
    };
    Plot {
        title: "payments each day",
        x: "day",
        y: "",
        lines: vec![line("all", |day| day.1), line("without a person", |day| day.0)],
        band: None,
        log: false,
    }
}

fn delays(numbers: &Numbers) -> Plot<'static> {
    let lines = Class::ALL.into_iter().filter_map(|class| {
        let all = numbers.delays.get(&class)?;
        let point = |percent: u32| {
            let found = numbers.delay(class, usize::try_from(percent).unwrap_or_default() * 10)?;
            Some((f64::from(percent), f64::from(found)))
        };
        let points = (0..=100).filter_map(point).collect();
        (!all.is_empty()).then(|| Line { name: class.word().to_owned(), points, steps: false })
    });
    Plot {
        title: "percentiles of delays",
        x: "percent",
        y: "seconds",
        lines: lines.collect(),
        band: None,
        log: true,
    }
}

fn fees(life: &Life) -> Plot<'static> {
    let first = BEGINS / 86_400;
    let points = life.stage.truth.burned_by_day.iter().filter(|(at, _)| **at >= first);
    let points = points.map(|(at, drops)| (f64::from(at - first), *drops as f64 / 1_000_000.0)).collect();
    Plot {
        title: "fees each day",
        x: "day",
        y: "XRP",
        lines: vec![Line { name: "fees".to_owned(), points, steps: true }],
        band: None,
        log: false,
    }
}

fn of((held, all): (usize, usize)) -> String {
    format!("{held} of {all}")
}

fn time(seconds: u32) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", f64::from(seconds) / 3_600.0),
    }
}
