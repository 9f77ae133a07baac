//! What makes payments and people's doings unusual, as the file says it.

use treasury_core::config::{Alarms, Burst, ClockBounds, Drills};
use treasury_core::policy::{Risk, RiskBand, Sign, Unusual, Velocity};

use super::{WHOLE, parse};

#[test]
fn every_sign_and_burst_is_read_as_it_is_written() {
    let treasury = parse(WHOLE).unwrap().treasury;
    let rules = treasury.policy.rules();
    assert_eq!(rules[5].risk, Some(RiskBand { above: Some(40), max: Some(80) }));
    let risk = treasury.policy.risk();
    let weights: Vec<Option<u8>> = Sign::ALL.into_iter().map(|sign| risk.weight(sign)).collect();
    let written = [10, 40, 30, 20, 100, 5, 0, 11, 12, 13, 14, 50, 6].map(Some);
    assert_eq!((&weights[..13], weights[13]), (&written[..], None), "what is answered has its own weight");
    assert_eq!(risk.large_to_new.unwrap().1.words(), "5000 XRP");
    assert_eq!(risk.unusual_amount, Some(Unusual { weight: 30, times: 8, payments: 12 }));
    assert_eq!(risk.velocity, Some(Velocity { weight: 20, period_seconds: 3_600, above: 20 }));
    assert_eq!(risk.listed.as_ref().unwrap().1, ["exchange".to_owned()].into());
    assert_eq!((risk.young, risk.poor.unwrap().1.to_xrp_string().as_str()), (Some((13, 30 * 86_400)), "20"));
    let office = &risk.odd_time.as_ref().unwrap().1;
    assert_eq!(
        (office.zone.name.as_str(), office.from_minute, office.until_minute),
        ("Europe/Zurich", 420, 1_140)
    );
    let Alarms {
        rejections,
        refused_signatures,
        reveal_seconds,
        failed_logins,
        clock,
        blind_seconds,
        drills,
    } = treasury.alarms;
    assert_eq!(drills, Drills { every_seconds: Some(90 * 86_400), answer_seconds: 5 * 86_400 });
    assert_eq!((reveal_seconds, blind_seconds), (90, 900));
    assert_eq!(clock, ClockBounds { above_seconds: 300, lasting_seconds: 60 });
    assert_eq!(failed_logins, Burst { above: 7, period_seconds: 1_200 });
    assert_eq!(rejections, Burst { above: 9, period_seconds: 172_800 });
    assert_eq!(refused_signatures, Burst { above: 1, period_seconds: 1_800 });
}

#[test]
fn a_sign_of_risk_that_is_wrong_names_its_key_and_one_that_is_not_named_is_not_looked_for() {
    for (from, to, expected) in [
        ("{ weight = 10 }", "{ weight = 101 }", "risk.new_destination.weight: must be a whole number"),
        ("{ weight = 10 }", "{}", "risk.new_destination.weight: is missing"),
        ("{ weight = 40, above = \"5000 XRP\" }", "{ weight = 40 }", "risk.large_to_new.above: is missing"),
        ("times = 8", "times = 0", "risk.unusual_amount.times: must be a whole number"),
        ("payments = 12", "payments = 101", "risk.unusual_amount.payments: must be a whole number"),
        ("period = \"1h\", above = 20", "above = 20", "risk.velocity.period: is missing"),
        ("period = \"1h\", above = 20", "period = \"1h\"", "risk.velocity.above: is missing"),
        (
            "lists = [\"exchange\"]",
            "lists = [\"fraud\"]",
            "risk.listed.lists[1]: \"fraud\" is not a [[list]]",
        ),
        (", lists = [\"exchange\"]", "", "risk.listed.lists: is missing"),
        (", hours = \"07:00-19:00\"", "", "risk.odd_time.hours: is missing, and so is weekdays"),
        (", less_than = \"30d\"", "", "risk.young.less_than: is missing"),
        ("below = \"20 XRP\"", "below = \"20 USD\"", "risk.poor.below: "),
        ("new_asker", "new_askers", "risk.new_askers: is not a key"),
        ("above = 9, ", "", "anomaly.rejections.above: is missing"),
        ("above = 1, period = \"30m\"", "above = 1", "anomaly.refused_signatures.period: is missing"),
        ("above = 7, ", "", "anomaly.failed_logins.above: is missing"),
        ("above = \"5m\", ", "", "anomaly.clock_skew.above: is missing"),
        ("answer = \"5d\"", "answer = 5", "drills.answer: "),
        ("blind = \"15m\"", "blind = 15", "anomaly.blind: must be a text"),
        (
            "view_differs = \"log\"",
            "rule_silenced = \"log\"",
            "severity.rule_silenced: cannot be told to nobody",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let error = parse(&WHOLE.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let none = parse(&WHOLE.replacen("new_asker = { weight = 0 }\n", "", 1)).unwrap();
    assert_eq!(none.treasury.policy.risk().weight(Sign::NewAsker), None);
    let (from, until) = (WHOLE.find("[risk]").unwrap(), WHOLE.find("[fees]").unwrap());
    let usual = parse(&[&WHOLE[..from], &WHOLE[until..]].concat()).unwrap();
    assert_eq!(*usual.treasury.policy.risk(), Risk::default());
}
