//! The keys of a tier link.

use super::{Group, REQUIRED, key};

pub(super) const LINK: Group = Group {
    name: "link",
    repeated: true,
    about: "Moves money between two accounts: keeps one filled from the other, where it has a `floor`; or sweeps away what \
            one has too much of, where it has a `ceiling`. Of XRP, or of an issued currency: all its amounts are of one asset.",
    keys: &[
        key("name", "name", REQUIRED, "Unique among links."),
        key("from", "account", REQUIRED, "Where the money comes from, by name or address."),
        key("to", "account", REQUIRED, "Where it goes."),
        key(
            "floor",
            "amount",
            "required without `ceiling`",
            "Below this balance of `to`, what is on its way to it included and what other links take and want out of it left out, a move is \
             proposed: where hot is short and warm cannot fill it, the link into warm moves as much as both need.",
        ),
        key(
            "ceiling",
            "amount",
            "none",
            "Above this balance of `from`, what is promised out of it left out, a move is proposed. At least the `target` \
             of any link that fills `from`.",
        ),
        key(
            "target",
            "amount",
            REQUIRED,
            "A move fills `to` up to this balance, or sweeps `from` down to it: at least `floor`, at most `ceiling`. That \
             of a sweep is at least the `floor` of any link that fills `from` and `fees.fee_max` more.",
        ),
        key("move_min", "amount", "none", "Less than this is not moved."),
        key(
            "source_floor",
            "amount",
            "nothing",
            "`from` is never taken below this balance by a link. Where accounts are filled out of each other in a ring, one \
             of them keeps at least its own `floor` so.",
        ),
        key("move_max", "amount", REQUIRED, "The most that one move may carry."),
        key(
            "period_max",
            "amount",
            REQUIRED,
            "The most that all moves of this link within `period` may carry.",
        ),
        key(
            "period",
            "duration",
            "\"24h\"",
            "The rolling period of `period_max`, in ledger time, up to 366 days.",
        ),
        key(
            "limits",
            "list of tables",
            "none",
            "The most that all moves may carry within other periods, besides: `[{ max = \"500 XRP\", period = \"1h\" }, { max = \"50000 XRP\", \
             period = \"31d\" }]`.",
        ),
        key(
            "hours",
            "table",
            "any time",
            "A move is proposed only at these times, as `during` of a rule has them: `{ zone = \"Europe/Zurich\", hours = \"08:00-18:00\", weekdays = \
             [\"mon\", \"tue\"] }`.",
        ),
    ],
};
