//! The keys of a schedule.

use super::{Group, REQUIRED, key};

pub(super) const SCHEDULE: Group = Group {
    name: "schedule",
    repeated: true,
    about: "A payment that is due again and again: salaries, rent. It is asked for in the name of a person, once for each time, \
            and policy decides on it as if that person had asked; what has to be signed is signed before it is due. What \
            was due before the daemon first saw the schedule is not paid.",
    keys: &[
        key("name", "name", REQUIRED, "Unique among schedules. Under another name it is another schedule."),
        key("from", "account", REQUIRED, "The account that pays, by name or address."),
        key("to", "account", REQUIRED, "Who is paid, by name or address."),
        key("tag", "number", "none", "The DestinationTag."),
        key("amount", "amount", REQUIRED, "How much, each time: of XRP, or of an issued currency."),
        key("by", "person", REQUIRED, "In whose name it is asked for; has the role `proposer`."),
        key("note", "text", "\"\"", "What it is for."),
        key(
            "month_days",
            "list of numbers",
            "one of `month_days`, `weekdays` and `dates` is required",
            "On these days of every month, 1 to 31; the last day of a month that is shorter.",
        ),
        key("weekdays", "list of texts", "see `month_days`", "On these days of every week: `[\"fri\"]`."),
        key("dates", "list of texts", "see `month_days`", "On these days: `[\"2026-12-24\"]`."),
        key("at", "text", REQUIRED, "At this time of the day: `\"09:00\"`."),
        key(
            "zone",
            "text",
            "\"UTC\"",
            "Whose clock that is: a name of the IANA time zone database, whose rules are those of this release.",
        ),
        key(
            "weekend",
            "same, before or after",
            "\"same\"",
            "Where the day is a Saturday or Sunday: on that day, on the Friday before, or on the Monday after.",
        ),
        key("starts", "date", "\"2025-01-01\"", "Not before this day."),
        key("ends", "date", "\"2075-12-31\"", "Not after this day."),
        key(
            "lead",
            "duration",
            "\"1d\"",
            "It is asked for so long before it is due, so that people can sign and accounts be filled; it leaves when it is \
             due, and what policy delays is in its escrow before and can be released then. Together with `late_max` at most \
             `timing.deadline_max`.",
        ),
        key(
            "late_max",
            "duration",
            "\"1d\"",
            "It can leave until so long after it was due, at least a minute. What could not even be asked for until then, because the daemon \
             did not run or did not see, is a finding `schedule_missed`, and not paid.",
        ),
    ],
};
