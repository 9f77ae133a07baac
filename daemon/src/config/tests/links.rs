//! Limits and hours of tier links, as the file says them.

use super::{WHOLE, parse};

#[test]
fn a_link_has_every_limit_and_the_hours_that_are_written() {
    let treasury = parse(WHOLE).unwrap().treasury;
    let link = &treasury.links[0];
    let limits: Vec<_> = link.limits.iter().map(|limit| (limit.most.words(), limit.period_seconds)).collect();
    assert_eq!(limits, [("1000 XRP".to_owned(), 3_600), ("20000 XRP".to_owned(), 31 * 86_400)]);
    assert_eq!(link.hours.as_ref().map(|hours| (hours.from_minute, hours.until_minute)), Some((480, 1_080)));
    assert!(treasury.links[1].limits.is_empty() && treasury.links[1].hours.is_none());
}

#[test]
fn what_is_wrong_with_a_limit_or_the_hours_names_its_key() {
    for (from, to, expected) in [
        ("move_min = \"50 XRP\"", "move_min = \"1001 XRP\"", "link[2].move_min: is more than move_max"),
        ("move_max = \"1000 XRP\"", "move_max = \"5001 XRP\"", "link[1].move_max: is more than period_max"),
        ("max = \"1000 XRP\", period = \"1h\"", "max = \"1000 XRP\"", "link[1].limits[1].period: is missing"),
        ("max = \"20000 XRP\", ", "", "link[1].limits[2].max: is missing"),
        ("period = \"31d\"", "period = \"367d\"", "\"367d\" is longer than what is remembered"),
        ("{ max = \"1000 XRP\", period = \"1h\" }", "\"1000 XRP\"", "link[1].limits[1]: is a text"),
        ("hours = \"08:00-18:00\"", "hours = \"8-18\"", "link[1].hours.hours: \"8-18\" is not a time of day"),
        (
            "period = \"12h\"",
            "period = \"400d\"",
            "link[1].period: \"400d\" is longer than what is remembered",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let error = parse(&WHOLE.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn links_that_would_undo_each_other_are_refused() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[
                ("ceiling = \"3000 XRP\"", "ceiling = \"900 XRP\""),
                ("target = \"2000 XRP\"", "target = \"800 XRP\""),
            ],
            "link[2].ceiling: is below the target of \"warm-to-hot\", which fills the account",
        ),
        (
            &[("target = \"2000 XRP\"", "target = \"499 XRP\"")],
            "link[2].target: is, less a fee of up to fees.fee_max, below the floor of \"warm-to-hot\"",
        ),
        (
            &[("target = \"2000 XRP\"", "target = \"501.499999 XRP\"")],
            "link[2].target: is, less a fee of up to fees.fee_max, below the floor of \"warm-to-hot\"",
        ),
        (
            &[("ceiling = \"3000 XRP\"", "ceiling = \"3000 XRP\"\nfloor = \"1 XRP\"")],
            "link[2].floor: stands beside a ceiling",
        ),
        (
            &[("floor = \"500 XRP\"", "ceiling = \"2000 XRP\"")],
            "link[2].to: begins a ring of sweeps, which ends where it begins",
        ),
    ];
    for (changes, expected) in cases {
        let text = changes.iter().fold(WHOLE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

/// Danger: two accounts are filled out of each other below what each is filled up from, and the same money goes round with
/// every ledger, for as much as a period allows.
#[test]
fn a_ring_of_refills_is_refused_unless_an_account_keeps_its_own_floor() {
    let ring = [
        ("ceiling = \"3000 XRP\"", "floor = \"3000 XRP\""),
        ("target = \"2000 XRP\"", "target = \"3500 XRP\""),
    ];
    let found = super::problems(&ring);
    for link in 1..=2 {
        let said = format!("link[{link}].to: begins a ring of refills");
        assert!(found.iter().any(|problem| problem.contains(&said)), "{found:?}");
    }
    for kept in [
        ("source_floor = \"100 XRP\"", "source_floor = \"3000 XRP\""),
        ("move_min = \"50 XRP\"", "source_floor = \"500 XRP\""),
    ] {
        let changes = [ring[0], ring[1], kept];
        assert_eq!(super::problems(&changes), Vec::<String>::new(), "{kept:?}");
    }
}
