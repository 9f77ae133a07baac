use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use recordings::repository;
use treasury_core::config::{Keeps, TierLink};
use treasury_core::state::State;
use treasury_core::units::{Amount, Asset, EscrowKey, RippleTime};
use treasury_core::{Runtime, step};

use super::*;
use crate::testing;

/// Metrics after a short life, with every label set used.
fn lived() -> Metrics {
    let metrics = Metrics::new().unwrap();
    let mut treasury = linked();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    let mut ledger = testing::ledger(101);
    let Input::Ledger { observation, .. } = &mut ledger else { panic!("a ledger") };
    observation.changes.push(treasury_core::observe::Change::EscrowCreated { escrow: of_a_token() });
    for input in [testing::now(), testing::reconciled(), ledger] {
        metrics.stepping(&input);
        let output = step(&treasury, &mut state, &mut runtime, input).unwrap();
        metrics.appended(1, Duration::from_millis(2), &output.events);
    }
    metrics.stepping(&submit_answered(SubmitReply::Engine("tesSUCCESS".to_owned())));
    metrics.answered("/v1/status", 200);
    metrics.deliveries("ops", 2, 1);
    metrics.owed("ops", Some(1), None);
    metrics.show_process();
    // A link names an asset of an account whose trust lines are known.
    treasury.links.push(dollars());
    state.accounts.get_mut(&testing::warm()).unwrap().trust_lines = Some(BTreeMap::new());
    metrics.show(&treasury, &state, Duration::from_secs(3));
    metrics.show_endpoints(&[
        ("wss://one".to_owned(), Some("it lied".to_owned())),
        ("wss://two".to_owned(), None),
    ]);
    metrics
}

/// The runner is kept at 20 XRP, and has far more.
fn linked() -> Treasury {
    let mut treasury = testing::treasury();
    let shadow = treasury_core::policy::Policy::new(Vec::new());
    treasury.policy = treasury.policy.with_shadow(Some(shadow));
    treasury.links.push(TierLink {
        name: "warm-to-runner".to_owned(),
        from: testing::warm(),
        to: testing::runner(),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: testing::xrp(20).into(), target: testing::xrp(50).into() },
        source_floor: Asset::Xrp.nothing(),
        move_min: Asset::Xrp.nothing(),
        move_max: testing::xrp(100).into(),
        period_max: testing::xrp(500).into(),
        period_seconds: 86_400,
        limits: Vec::new(),
        hours: None,
    });
    treasury
}

const USD: &str = "USD.rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";

/// It is kept at some dollars, too.
fn dollars() -> TierLink {
    let asset: Asset = USD.parse().unwrap();
    let one = Amount::of(asset, "1").unwrap();
    let [link] = <[TierLink; 1]>::try_from(linked().links).unwrap();
    let keeps = Keeps::Filled { floor: one, target: one };
    let (source_floor, move_min) = (asset.nothing(), asset.nothing());
    TierLink {
        name: "dollars".to_owned(),
        asset,
        keeps,
        source_floor,
        move_min,
        move_max: one,
        period_max: one,
        ..link
    }
}

/// An escrow of an issued currency, which nobody proposed.
fn of_a_token() -> treasury_core::observe::EscrowView {
    treasury_core::observe::EscrowView {
        key: EscrowKey { owner: testing::warm(), sequence: 7 },
        destination: testing::exchange(),
        destination_tag: None,
        amount: Amount::from_words("2.5 EUR.rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh").ok(),
        finish_after: Some(RippleTime(1)),
        cancel_after: None,
        condition: None,
    }
}

#[test]
fn tokens_in_escrow_are_shown_by_their_asset_and_not_as_xrp() {
    let text = lived().text().unwrap();
    let asset = "EUR.rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    assert!(
        text.contains(&format!("treasuryd_escrow_tokens{{asset=\"{asset}\",guard=\"foreign\"}} 2.5")),
        "{text}"
    );
    assert!(text.contains("treasuryd_escrow_drops{guard=\"foreign\"} 0"), "{text}");
}

/// Danger: whoever can make an account pay what nobody has named makes series without end; or what nobody names any more is told
/// for ever.
#[test]
fn how_long_an_asset_lasts_has_series_where_links_or_schedules_name_it_and_no_other() {
    let metrics = Metrics::new().unwrap();
    let mut treasury = linked();
    let usd: Asset = USD.parse().unwrap();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    let Input::Reconciled { at, mut accounts, from, wall_ms } = testing::reconciled() else {
        panic!("a reading")
    };
    let line = |balance: &str| treasury_core::observe::TrustLineView {
        balance: balance.parse().unwrap(),
        limit: "1000".parse().unwrap(),
        frozen: false,
        deep_frozen: false,
        no_ripple: Some(false),
    };
    let euro: Asset = "EUR.rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap();
    for read in accounts.iter_mut().filter(|read| read.account == testing::warm()) {
        read.trust_lines = Some([(usd, line("70")), (euro, line("70"))].into());
    }
    let mut ledger = testing::ledger(101);
    let Input::Ledger { observation, .. } = &mut ledger else { panic!("a ledger") };
    observation.changes = [usd, euro]
        .map(|asset| {
            let (account, line) = (testing::warm(), Some(line("60")));
            treasury_core::observe::Change::TrustLine { account, asset, line }
        })
        .to_vec();
    for input in [testing::now(), Input::Reconciled { at, accounts, from, wall_ms }, ledger] {
        step(&treasury, &mut state, &mut runtime, input).unwrap();
    }
    let mut shown = |treasury: &Treasury| {
        state.ledger.as_mut().unwrap().close_time.0 += 300;
        metrics.show(treasury, &state, Duration::ZERO);
        let text = metrics.text().unwrap();
        let of = |name: &str| text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect();
        let all: [Vec<String>; 2] = [of("treasuryd_runway_seconds{"), of("treasuryd_usual_outflow_tokens{")];
        all
    };
    let xrp = "treasuryd_runway_seconds{account=\"warm\",asset=\"XRP\"} 31622400";
    assert_eq!(shown(&treasury), [vec![xrp.to_owned()], vec![]], "nobody has named what left");
    treasury.links.push(dollars());
    let label = format!("{{account=\"warm\",asset=\"{usd}\"}}");
    let named = [
        vec![format!("treasuryd_runway_seconds{label} 31622400"), xrp.to_owned()],
        vec![format!("treasuryd_usual_outflow_tokens{label} 0")],
    ];
    assert_eq!(shown(&treasury), named);
    treasury.links.pop();
    assert_eq!(shown(&treasury), [vec![xrp.to_owned()], vec![]]);
}

fn submit_answered(reply: SubmitReply) -> Input {
    Input::SubmitAnswered {
        proposal: treasury_core::units::ProposalId(1),
        tx_id: treasury_core::units::Hash256::ZERO,
        reply,
    }
}

/// Names of `# TYPE` lines.
fn exported(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

#[test]
fn every_name_of_the_table_is_exported_and_no_other() {
    let text = lived().text().unwrap();
    assert_eq!(exported(&text), METRICS.iter().map(|metric| metric.name).collect());
}

#[test]
fn a_ledger_server_that_is_left_out_is_shown_and_so_is_that_it_is_used_again() {
    let metrics = lived();
    let text = metrics.text().unwrap();
    assert!(text.contains("treasuryd_endpoint_left_out{endpoint=\"wss://one\"} 1"), "{text}");
    assert!(text.contains("treasuryd_endpoint_left_out{endpoint=\"wss://two\"} 0"), "{text}");
    metrics.show_endpoints(&[("wss://one".to_owned(), None)]);
    let text = metrics.text().unwrap();
    assert!(text.contains("treasuryd_endpoint_left_out{endpoint=\"wss://one\"} 0"), "{text}");
}

/// Which sample of the text this metric has.
fn sample<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap()
}

#[test]
fn missing_history_is_counted_until_the_ledgers_go_on() {
    let metrics = lived();
    let name = "treasuryd_history_missing_ledgers";
    assert_eq!(sample(&metrics.text().unwrap(), name), "0");
    let index = treasury_core::units::LedgerIndex;
    let reason = "history is missing: ledgers 102..141".to_owned();
    metrics.stepping(&Input::HistoryMissing { first: index(102), last: index(141), reason });
    assert_eq!(sample(&metrics.text().unwrap(), name), "40");
    metrics.stepping(&testing::ledger(102));
    assert_eq!(sample(&metrics.text().unwrap(), name), "0");
}

#[test]
fn a_full_reading_that_differs_is_counted_and_is_not_believed() {
    let metrics = Metrics::new().unwrap();
    let treasury = testing::treasury();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    let mut differing = testing::reconciled();
    let Input::Reconciled { accounts, .. } = &mut differing else { unreachable!() };
    let account = accounts.iter_mut().find(|account| !account.tickets.is_empty()).unwrap();
    let (whose, gone) = (account.account, account.tickets.pop_first().unwrap());
    for input in [testing::now(), testing::reconciled(), differing] {
        metrics.stepping(&input);
        let output = step(&treasury, &mut state, &mut runtime, input).unwrap();
        metrics.appended(1, Duration::from_millis(2), &output.events);
    }
    let text = metrics.text().unwrap();
    assert_eq!(sample(&text, "treasuryd_findings_total{kind=\"view_differs\"}"), "1");
    assert!(
        state.accounts[&whose].tickets.contains(&gone),
        "what is proven is more than what one server says"
    );
    assert!(!state.sees());
}

#[test]
fn the_gauges_say_what_the_state_says() {
    let text = lived().text().unwrap();
    for line in [
        "treasuryd_ledger_index 101",
        "treasuryd_ledger_age_seconds 3",
        "treasuryd_sight 1",
        "treasuryd_account_balance_drops{account=\"warm\"} 10000000000",
        "treasuryd_tickets_free{account=\"warm\"} 5",
        "treasuryd_proposals{status=\"collecting\"} 0",
        "treasuryd_escrows{guard=\"withheld\"} 0",
        "treasuryd_findings_total{kind=\"foreign_escrow\"} 1",
        "treasuryd_submissions_total{result=\"tesSUCCESS\"} 1",
        "treasuryd_steps_total{input=\"ledger\"} 1",
        "treasuryd_append_seconds_count 3",
        "treasuryd_account_robbed{account=\"warm\"} 0",
        "treasuryd_signer_list_drift{account=\"warm\"} 0",
        "treasuryd_settings_drift{account=\"warm\"} 0",
        "treasuryd_proposal_deadlines_near 0",
        "treasuryd_findings_unseen 1",
        "treasuryd_link_bound{asset=\"XRP\",keeps=\"filled\",link=\"warm-to-runner\"} 20",
        "treasuryd_link_target{asset=\"XRP\",keeps=\"filled\",link=\"warm-to-runner\"} 50",
        "treasuryd_link_has{asset=\"XRP\",keeps=\"filled\",link=\"warm-to-runner\"} 10000",
        "treasuryd_link_moves{asset=\"XRP\",keeps=\"filled\",link=\"warm-to-runner\"} 0",
        "treasuryd_link_moved_max{asset=\"XRP\",keeps=\"filled\",link=\"warm-to-runner\"} 500",
        "treasuryd_http_requests_total{route=\"/v1/status\",status=\"200\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
}

/// Danger: a theft is found while the daemon catches up, every counter is restored by then, and nobody is woken.
#[test]
fn what_was_found_before_anybody_looked_stands_all_the_same() {
    let mut treasury = testing::treasury();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    let mut ledger = testing::ledger(101);
    let Input::Ledger { observation, .. } = &mut ledger else { panic!("a ledger") };
    observation.changes.push(treasury_core::observe::Change::EscrowCreated { escrow: of_a_token() });
    for input in [testing::now(), testing::reconciled(), ledger] {
        step(&treasury, &mut state, &mut runtime, input).unwrap();
    }
    let at = state.ledger.unwrap();
    state.robbed.insert(testing::warm(), at);
    state.accounts.get_mut(&testing::warm()).unwrap().signer_list = None;
    // A DepositAuth that was declared is not there.
    treasury.accounts.get_mut(&testing::warm()).unwrap().settings.flags = Some(0x0100_0000);
    state.unable.insert(testing::signer(testing::AGENT), "its key is missing".to_owned());
    let metrics = Metrics::new().unwrap();
    metrics.show(&treasury, &state, Duration::ZERO);
    let text = metrics.text().unwrap();
    assert_eq!(sample(&text, "treasuryd_account_robbed{account=\"warm\"}"), "1");
    assert_eq!(sample(&text, "treasuryd_signer_list_drift{account=\"warm\"}"), "1");
    assert_eq!(sample(&text, "treasuryd_settings_drift{account=\"warm\"}"), "1");
    assert_eq!(sample(&text, "treasuryd_settings_drift{account=\"runner\"}"), "0");
    assert_eq!(sample(&text, "treasuryd_signers_unable"), "1");
}

#[test]
fn a_link_that_is_gone_from_the_configuration_is_shown_no_more() {
    let metrics = lived();
    assert!(metrics.text().unwrap().contains("treasuryd_link_bound"));
    metrics.show(&testing::treasury(), &State::default(), Duration::ZERO);
    assert!(!metrics.text().unwrap().contains("treasuryd_link_bound"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_says_what_it_takes() {
    let text = lived().text().unwrap();
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_threads"] {
        assert!(sample(&text, name).parse::<u64>().unwrap() > 0, "{name}");
    }
    let started: i64 = sample(&text, "process_start_time_seconds").parse().unwrap();
    assert!((0..60).contains(&(crate::clock::utc().to_unix() - started)), "{started}");
}

#[test]
fn a_server_cannot_make_up_labels() {
    let metrics = lived();
    for made_up in ["", "tesSUCCESS\"", "whatever", &"x".repeat(10_000)] {
        metrics.stepping(&submit_answered(SubmitReply::Engine(made_up.to_owned())));
    }
    let text = metrics.text().unwrap();
    assert!(text.contains("treasuryd_submissions_total{result=\"other\"} 4"), "{text}");
    assert!(!text.contains("whatever"));
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    crate::testing::reference("metrics.md", &reference());
}

/// Words that begin like one of our names.
fn names_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("treasuryd_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn dashboards_and_alerts_use_only_names_that_are_exported() {
    let mut known = BTreeSet::new();
    for metric in METRICS {
        match metric.kind {
            Kind::Histogram => {
                known.extend(["_bucket", "_count", "_sum"].map(|end| format!("{}{end}", metric.name)));
            }
            _ => {
                known.insert(metric.name.to_owned());
            }
        }
    }
    let mut used = BTreeSet::new();
    for file in DASHBOARDS.into_iter().chain(["rules.yml"]) {
        let names = names_in(&fs::read_to_string(repository().join("dashboards").join(file)).unwrap());
        let unknown: Vec<&String> = names.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} uses {unknown:?}");
        assert!(names.len() > 5, "{file} uses hardly anything: {names:?}");
        used.extend(names);
    }
    // Something that nobody looks at should not be exported either. (A histogram's sum is not looked at.)
    let unseen: Vec<&String> = known.difference(&used).filter(|name| !name.ends_with("_sum")).collect();
    assert!(unseen.is_empty(), "no panel and no alert shows {unseen:?}");
}

/// `.ci/dashboards` has a Prometheus answer what they ask.
const DASHBOARDS: [&str; 5] = [
    "boards/overview.json",
    "boards/security.json",
    "boards/ledger.json",
    "boards/tiers.json",
    "boards/process.json",
];

#[test]
fn the_dashboards_are_json_with_panels_that_each_ask_something() {
    let mut names = BTreeSet::new();
    for file in DASHBOARDS {
        let text = fs::read_to_string(repository().join("dashboards").join(file)).unwrap();
        let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(names.insert(dashboard["uid"].as_str().unwrap().to_owned()), "{file}: its uid is taken");
        let mut ids = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: {title}: its id is taken");
            if panel["type"] != "row" {
                assert!(!panel["targets"].as_array().unwrap().is_empty(), "{file}: {title} asks nothing");
                assert!(
                    panel["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{file}: {title}"
                );
            }
        }
    }
}

/// The names of the alerts, and the whole text of each.
fn alerts(rules: &str) -> BTreeMap<String, String> {
    let blocks = rules.split("      - alert: ").skip(1);
    blocks.map(|block| (block.lines().next().unwrap().to_owned(), block.to_owned())).collect()
}

/// Danger: a finding is to be told to people, and no alert looks at its kind.
#[test]
fn every_kind_of_finding_has_an_alert() {
    let rules = fs::read_to_string(repository().join("dashboards/rules.yml")).unwrap();
    for alert in ["TreasurydForeignSpend", "TreasurydFinding"] {
        let alerts = alerts(&rules);
        let asked: BTreeSet<&str> =
            alerts[alert].split("kind=~\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(asked.len(), 1, "both halves of {alert} ask for the same: {asked:?}");
    }
    for kind in FindingKind::ALL {
        let word = kind.word();
        let asks = |text: &str| text.split(['"', '|']).any(|asked| asked == word);
        assert!(asks(&rules), "no alert asks for {word}");
    }
}

/// Danger: a rule never fires, or always, and nobody has tried. `promtool` runs the tests; that there are some is seen here.
#[test]
fn every_alert_is_tried_where_it_fires_and_where_it_is_silent() {
    let read = |file: &str| fs::read_to_string(repository().join("dashboards").join(file)).unwrap();
    let (rules, tests) = (read("rules.yml"), read("rules.test.yml"));
    let tests: Vec<&str> = tests.split("  - name: ").skip(1).collect();
    for alert in alerts(&rules).keys() {
        let fires = format!("alertname=\"{alert}\"");
        let tried = |test: &&str| test.contains(&fires) && test.contains("exp_samples: []");
        assert!(tests.iter().any(tried), "{alert} is not tried in rules.test.yml");
    }
    for test in tests.iter().skip(1) {
        assert!(test.contains("alertname="), "nothing fires: {test}");
    }
}

/// A label value that an expression picks has to be one that exists.
#[test]
fn label_values_in_dashboards_and_alerts_exist() {
    let known: BTreeSet<&str> = Status::WORDS
        .into_iter()
        .chain(GUARD_WORDS)
        .chain(FindingKind::ALL.map(FindingKind::word))
        .chain(["tesSUCCESS", "terQUEUED", "busy", "ledger", "filled", "swept", "401", "403"])
        .collect();
    for file in DASHBOARDS.into_iter().chain(["rules.yml"]) {
        let text =
            fs::read_to_string(repository().join("dashboards").join(file)).unwrap().replace("\\\"", "\"");
        for label in ["status", "guard", "kind", "result", "input", "keeps"] {
            for operator in ["=\"", "=~\"", "!~\"", "!=\""] {
                let start = format!("{label}{operator}");
                for (at, _) in text.match_indices(&start) {
                    let rest = &text[at + start.len()..];
                    let values = &rest[..rest.find('"').unwrap()];
                    for value in values.split('|') {
                        assert!(known.contains(value), "{file}: {label} is never {value:?}");
                    }
                }
            }
        }
    }
}
