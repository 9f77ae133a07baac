//! When scheduled payments are due, as the file says it.

use treasury_core::config::Schedule;
use xrpl_wire::AccountId;

use super::{WHOLE, parse};

fn whole() -> Vec<Schedule> {
    parse(WHOLE).unwrap().treasury.schedules
}

fn times(schedule: &Schedule) -> Vec<String> {
    schedule.due.iter().map(|due| due.at.to_string()).collect()
}

#[test]
fn a_schedule_is_due_on_the_days_of_its_zone_and_before_a_weekend() {
    let salaries = &whole()[0];
    assert_eq!((salaries.lead_seconds, salaries.late_max_seconds), (86_400, 12 * 3_600));
    assert_eq!((salaries.destination_tag, salaries.by.as_str()), (Some(7), "alice"));
    assert_eq!((salaries.to, salaries.amount.words()), (AccountId([40; 20]), "40 XRP".to_owned()));
    assert_eq!(
        times(salaries),
        [
            // The 25th of January 2026 is a Sunday, the 31st a Saturday.
            "2026-01-23T08:00:00Z",
            "2026-01-30T08:00:00Z",
            "2026-02-25T08:00:00Z",
            // February has no 31st, and its last day is a Saturday.
            "2026-02-27T08:00:00Z",
            "2026-03-25T08:00:00Z",
            // Clocks in Europe have changed on the 29th.
            "2026-03-31T07:00:00Z",
            "2026-04-24T07:00:00Z",
            "2026-04-30T07:00:00Z",
            "2026-05-25T07:00:00Z",
            "2026-05-29T07:00:00Z",
            "2026-06-25T07:00:00Z",
            "2026-06-30T07:00:00Z",
            "2026-07-24T07:00:00Z",
            "2026-07-31T07:00:00Z",
            "2026-08-25T07:00:00Z",
            "2026-08-31T07:00:00Z",
            "2026-09-25T07:00:00Z",
            "2026-09-30T07:00:00Z",
            "2026-10-23T07:00:00Z",
            "2026-10-30T08:00:00Z",
            "2026-11-25T08:00:00Z",
            "2026-11-30T08:00:00Z",
            "2026-12-25T08:00:00Z",
            "2026-12-31T08:00:00Z",
        ]
    );
}

#[test]
fn weekdays_and_dates_are_in_order_and_go_to_the_end() {
    let schedules = whole();
    let (rent, gifts) = (times(&schedules[1]), times(&schedules[2]));
    assert_eq!(rent[..2], ["2025-01-03T12:30:00Z", "2025-01-10T12:30:00Z"]);
    assert_eq!((rent.len(), rent.last().unwrap().as_str()), (2_661, "2075-12-27T12:30:00Z"));
    assert_eq!(gifts, ["2026-12-06T08:00:00Z", "2026-12-24T08:00:00Z"]);
    assert_eq!((schedules[1].lead_seconds, schedules[1].late_max_seconds), (86_400, 86_400));
}

#[test]
fn a_weekend_moves_a_day_back_or_on() {
    for (weekend, due) in [("same", "2026-12-06"), ("before", "2026-12-04"), ("after", "2026-12-07")] {
        let text = WHOLE.replace("at = \"08:00\"", &format!("at = \"08:00\"\nweekend = \"{weekend}\""));
        let gifts = parse(&text).unwrap().treasury.schedules.pop().unwrap();
        assert_eq!(times(&gifts)[0], format!("{due}T08:00:00Z"));
        // It is the payment for the same day, whatever a weekend makes of it.
        assert_eq!(gifts.due[0].day, 9_836);
    }
}

#[test]
fn what_is_wrong_with_a_schedule_names_its_key() {
    for (from, to, expected) in [
        ("name = \"rent\"", "name = \"gifts\"", "schedule[3].name: \"gifts\" is taken"),
        ("tag = 7", "tag = -7", "schedule[1].tag:"),
        ("amount = \"40 XRP\"", "amount = \"0 XRP\"", "schedule[1].amount:"),
        ("by = \"alice\"\nnote", "by = \"sue\"\nnote", "schedule[1].by: may not propose"),
        ("by = \"alice\"\nnote", "by = \"zoe\"\nnote", "schedule[1].by: \"zoe\" is not one of the people"),
        ("to = \"exchange\"\ntag", "to = \"hot\"\ntag", "schedule[1].to: is the paying account itself"),
        (
            "from = \"hot\"\nto = \"exchange\"\ntag",
            "from = \"runner\"\nto = \"exchange\"\ntag",
            "schedule[1].from: pays nothing",
        ),
        ("month_days = [25, 31]", "month_days = [0]", "schedule[1].month_days"),
        ("month_days = [25, 31]", "weekdays = [\"friday\"]", "schedule[1].weekdays"),
        (
            "month_days = [25, 31]",
            "month_days = [25]\ndates = [\"2026-12-24\"]",
            "schedule[1].dates: stands beside month_days",
        ),
        ("month_days = [25, 31]", "", "schedule[1].dates: is missing"),
        ("month_days = [25, 31]", "dates = [\"2027-12-24\"]", "schedule[1].ends: leaves no time"),
        ("ends = \"2026-12-31\"", "ends = \"2026-12-32\"", "schedule[1].ends: \"2026-12-32\" is no date"),
        ("ends = \"2026-12-31\"", "ends = \"2076-01-01\"", "schedule[1].ends: \"2076-01-01\" is no date"),
        ("at = \"09:00\"", "at = \"9am\"", "schedule[1].at: \"9am\" is not a time of day"),
        ("at = \"09:00\"", "at = \"24:00\"", "schedule[1].at: \"24:00\" is not a time of day"),
        ("weekend = \"before\"", "weekend = \"never\"", "schedule[1].weekend: \"never\" is none of"),
        ("late_max = \"12h\"", "late_max = \"59s\"", "schedule[1].late_max: is shorter than ledgers"),
        ("lead = \"1d\"", "lead = \"300d\"", "schedule[1].lead: and late_max are longer together"),
        ("note = \"salaries\"", "note = \"a\\u0007\"", "schedule[1].note:"),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let error = parse(&WHOLE.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_schedule_may_be_of_an_issued_currency_that_its_account_does_not_issue_itself() {
    const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    let with =
        |amount: &str| parse(&WHOLE.replacen("amount = \"40 XRP\"", &format!("amount = \"{amount}\""), 1));
    let schedule = &with(&format!("40.5 {USD}")).unwrap().treasury.schedules[0];
    assert_eq!(schedule.amount.words(), format!("40.5 {USD}"));
    let own = format!("40 USD.{}", schedule.from);
    for (amount, expected) in [
        (own.as_str(), "is of what the paying account issues itself"),
        ("40 USD", "\"40 USD\" is not an amount"),
        ("5 00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8", "is of a multi-purpose token"),
        ("0 USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", "must be more than nothing"),
    ] {
        let error = with(amount).unwrap_err().to_string();
        assert!(error.contains("schedule[1].amount: ") && error.contains(expected), "{amount}: {error}");
    }
}
