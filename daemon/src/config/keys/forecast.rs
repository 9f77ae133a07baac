//! The keys of the forecast.

use super::{Group, key};

/// `[forecast]`.
pub(super) const FORECAST: Group = Group {
    name: "forecast",
    repeated: false,
    about: "How long the money lasts, and what there is (`treasuryctl forecast`). Nothing is paid or kept back by it.",
    keys: &[
        key(
            "warn_days",
            "list of whole numbers, 1 to 366",
            "[14, 7, 3, 1]",
            "A finding `runway_short` when an account that no link fills, with all that is filled from it, lasts with one asset for \
             less than so many days: once for each. People are reminded of moves that wait for them twice as often with each that what they fill \
             is below of. An empty list: nobody is told.",
        ),
        key(
            "unsigned_permille",
            "whole number, 0 to 1000",
            "800",
            "How likely a payment that waits for people is to leave before anybody has signed, of a thousand; it grows to 1000 with \
             the weight of those who have.",
        ),
        key(
            "stopped_permille",
            "whole number, 0 to 1000",
            "200",
            "The same of one that is stopped, or has ended with signatures that may be in other hands.",
        ),
        key(
            "prices",
            "path",
            "none",
            "A file of prices: a line `# date: 2026-11-26T08:00:00Z`, and an asset and a number a line, such as `XRP 2.1734`. It is \
             read whenever a forecast is asked for; what is wrong with it is said there.",
        ),
        key("currency", "text", "required with `prices`", "What the prices are in, such as `\"EUR\"`."),
        key(
            "prices_age_max",
            "duration",
            "\"1d\"",
            "Prices that are older are shown as old, and nothing is told in money by them.",
        ),
    ],
};
