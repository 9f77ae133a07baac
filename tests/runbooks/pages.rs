//! How the runbooks are found: from the index, and from each alert.

use std::collections::BTreeSet;

use crate::book;

fn read(path: &str) -> String {
    std::fs::read_to_string(recordings::repository().join(path)).unwrap()
}

/// The names of the pages there are.
fn pages() -> BTreeSet<String> {
    std::fs::read_dir(book::how_to())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("incident-"))
        .collect()
}

/// The anchor that a heading has: as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What a page links to of its own folder, with the places in it.
fn links(text: &str) -> Vec<(String, Option<String>)> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|to| !to.contains("://") && !to.starts_with("../"))
        .map(|to| match to.split_once('#') {
            Some((page, place)) => (page.to_owned(), Some(place.to_owned())),
            None => (to.to_owned(), None),
        })
        .collect()
}

fn stands(page: &str, place: Option<&str>) {
    let text =
        std::fs::read_to_string(book::how_to().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    if let Some(place) = place {
        let found = text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == place);
        assert!(found, "{page} has no #{place}");
    }
}

#[test]
fn the_index_names_every_page_and_every_link_leads_somewhere() {
    let index = std::fs::read_to_string(book::how_to().join("incidents.md")).unwrap();
    let named: BTreeSet<String> = links(&index).into_iter().map(|(page, _)| page).collect();
    let pages = pages();
    assert!(pages.len() >= 9, "{pages:?}");
    for page in &pages {
        assert!(named.contains(page), "the index does not name {page}");
    }
    for page in pages.iter().map(String::as_str).chain(["incidents.md"]) {
        let text = std::fs::read_to_string(book::how_to().join(page)).unwrap();
        for (to, place) in links(&text) {
            stands(if to.is_empty() { page } else { &to }, place.as_deref());
        }
    }
}

/// An alert of dashboards/rules.yml: its name, its expression and its runbook.
struct Alert {
    name: String,
    expr: String,
    runbook: Option<String>,
}

fn alerts() -> Vec<Alert> {
    let text = read("dashboards/rules.yml");
    let alert = |rule: &str| {
        let name = rule.lines().next().unwrap_or_default().trim().to_owned();
        let expr = rule.split("expr:").nth(1).unwrap_or_default();
        let expr = expr.split("\n        labels:").next().unwrap_or_default().to_owned();
        let runbook = rule.split("runbook_url:").nth(1).and_then(|rest| rest.lines().next());
        Alert { name, expr, runbook: runbook.map(|url| url.trim().trim_matches('"').to_owned()) }
    };
    text.split("- alert:").skip(1).map(alert).collect()
}

#[test]
fn every_alert_has_a_runbook_that_is_there() {
    let alerts = alerts();
    assert!(alerts.len() > 20);
    for Alert { name, runbook, .. } in alerts {
        let runbook = runbook.unwrap_or_else(|| panic!("{name} has no runbook_url"));
        let path = runbook.strip_prefix("docs/how-to/").unwrap_or_else(|| panic!("{name}: {runbook}"));
        let (page, place) = path.split_once('#').map_or((path, None), |(page, place)| (page, Some(place)));
        stands(page, place);
    }
}

/// `.ci/alerts` has Prometheus run them.
#[test]
fn every_alert_is_tried_firing_and_silent() {
    let tests = read("dashboards/rules.test.yml");
    // Each test looks at every alert, so an alert is silent where its series are there and nothing fires.
    let calm = tests.split("- name:").nth(1).unwrap();
    assert!(calm.contains("wakes nobody"), "the first test is that of a treasury in good order");
    for Alert { name, expr, .. } in alerts() {
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name} is never tried firing");
        let metrics = expr.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for metric in metrics.filter(|word| word.starts_with("treasuryd_")) {
            assert!(calm.contains(metric), "{name} is never tried silent: no {metric} in good order");
        }
    }
}
