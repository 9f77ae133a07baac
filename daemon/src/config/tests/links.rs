//! Limits and hours of tier links, as the file says them.

use treasury_core::config::Keeps;
use treasury_core::units::Asset;

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

const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";

/// The whole configuration with one link more, of an issued currency.
fn with_dollars() -> String {
    let link = format!(
        "[[link]]\nname = \"dollars\"\nfrom = \"warm\"\nto = \"hot\"\nfloor = \"100 {USD}\"\ntarget = \"500.5 {USD}\"\n\
         source_floor = \"0 {USD}\"\nmove_min = \"1 {USD}\"\nmove_max = \"1000 {USD}\"\nperiod_max = \"5000 {USD}\"\n\
         limits = [{{ max = \"2000 {USD}\", period = \"1h\" }}]\n\n"
    );
    WHOLE.replacen("[[link]]\n", &format!("{link}[[link]]\n"), 1)
}

#[test]
fn a_link_of_an_issued_currency_has_all_its_amounts_in_it_and_none_of_another() {
    let treasury = parse(&with_dollars()).unwrap().treasury;
    let link = &treasury.links[0];
    assert_eq!(link.asset.to_string(), USD);
    let Keeps::Filled { floor, target } = link.keeps else { panic!("{:?}", link.keeps) };
    let amounts = [floor, target, link.source_floor, link.move_min, link.move_max, link.period_max];
    assert_eq!(
        amounts.map(|amount| amount.words()),
        ["100", "500.5", "0", "1", "1000", "5000"].map(|value| format!("{value} {USD}"))
    );
    assert_eq!(link.limits[0].most.words(), format!("2000 {USD}"));
    assert_eq!(treasury.links[1].asset, Asset::Xrp);
    // What is not written is nothing of the same.
    let least =
        with_dollars().replacen(&format!("source_floor = \"0 {USD}\"\nmove_min = \"1 {USD}\"\n"), "", 1);
    let link = &parse(&least).unwrap().treasury.links[0];
    assert_eq!((link.source_floor, link.move_min), (link.asset.nothing(), link.asset.nothing()));

    for (from, to, key) in [
        (format!("floor = \"100 {USD}\""), "floor = \"100 XRP\"".to_owned(), "link[1].floor"),
        (
            format!("source_floor = \"0 {USD}\""),
            "source_floor = \"0 XRP\"".to_owned(),
            "link[1].source_floor",
        ),
        (format!("move_min = \"1 {USD}\""), "move_min = \"1 drops\"".to_owned(), "link[1].move_min"),
        (format!("move_max = \"1000 {USD}\""), "move_max = \"1000 XRP\"".to_owned(), "link[1].move_max"),
        (
            format!("period_max = \"5000 {USD}\""),
            "period_max = \"5000 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B\"".to_owned(),
            "link[1].period_max",
        ),
        (format!("max = \"2000 {USD}\""), "max = \"2000 XRP\"".to_owned(), "link[1].limits[1].max"),
    ] {
        let text = with_dollars();
        assert!(text.contains(&from), "{from}");
        let text = text.replacen(&from, &to, 1);
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(&format!("{key}: is of ")) && error.contains("one asset"), "{key}: {error}");
        let before = &text[..text.find(&to).unwrap()];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        assert!(error.contains(&format!("line {line}, column {column}")), "{line}:{column}: {error}");
    }
    let token = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8";
    let error = parse(&with_dollars().replace(USD, token)).unwrap_err().to_string();
    assert!(error.contains("link[1].target: \"500.5 "), "{error}");
}

#[test]
fn links_of_different_assets_are_not_held_against_each_other_and_the_issuer_is_neither_filled_nor_emptied() {
    // The same floors and ceilings of XRP would undo each other.
    let swept = with_dollars().replacen(
        &format!("floor = \"100 {USD}\"\ntarget = \"500.5 {USD}\""),
        &format!("ceiling = \"3 {USD}\"\ntarget = \"2 {USD}\""),
        1,
    );
    let swept = swept.replacen("from = \"warm\"\nto = \"hot\"", "from = \"hot\"\nto = \"warm\"", 1);
    assert!(matches!(parse(&swept).unwrap().treasury.links[0].keeps, Keeps::Swept { .. }));
    let accounts = parse(WHOLE).unwrap().treasury.accounts;
    let named = |name: &str| *accounts.iter().find(|(_, account)| account.name == name).unwrap().0;
    for (issuer, expected) in [
        ("warm", "link[1].from: issues what the link moves"),
        ("hot", "link[1].to: issues what the link moves"),
    ] {
        let text = with_dollars().replace(USD, &format!("USD.{}", named(issuer)));
        let error = parse(&text).unwrap_err().to_string();
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

/// Danger: who delays what is large thinks that it waits, and it is denied.
#[test]
fn a_rule_that_delays_and_can_match_an_issued_currency_is_warned_of() {
    let delays = |bounds: &str| {
        let rule = format!(
            "[[rule]]\nname = \"slow\"\n{bounds}action = \"delay\"\ndelay = \"48h\"\nwindow = \"24h\"\nweight = 2\n\n"
        );
        let config = parse(&WHOLE.replacen("[[rule]]\n", &format!("{rule}[[rule]]\n"), 1)).unwrap();
        let warned = crate::config::warnings::of(&config);
        let says = "rule \"slow\": delays what may be of an issued currency";
        warned.iter().any(|warning| warning.to_string().contains(says))
    };
    for (bounds, expected) in [
        (String::new(), true),
        ("kinds = [\"pay\"]\n".to_owned(), true),
        ("amount_above = \"10 XRP\"\n".to_owned(), false),
        ("amount_max = \"1000 XRP\"\n".to_owned(), false),
        ("rolling = { period = \"24h\", amount_above = \"100 XRP\" }\n".to_owned(), false),
        (format!("amount_max = \"1000 {USD}\"\n"), true),
        (format!("assets = [\"XRP\", \"{USD}\"]\n"), true),
        ("assets = [\"XRP\"]\n".to_owned(), false),
        (format!("rolling = {{ period = \"24h\", amount_above = \"100 {USD}\" }}\n"), true),
    ] {
        assert_eq!(delays(&bounds), expected, "{bounds}");
    }
}
