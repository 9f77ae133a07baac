//! The keys of what is unusual.

use super::{Group, key};

/// The table of signs.
pub(super) const RISK: Group = Group {
    name: "risk",
    repeated: false,
    about: "What makes a payment look unusual. Each sign that is seen adds its `weight`, 0 to 100; the sum, at most 100, is the score that rules             ask about (`risk`), and decisions store it with its evidence. `{ weight = 0 }` is looked for and weighs nothing. Where the table             is missing, `new_destination` and `unusual_amount` are looked for as here; where it is there, what it does not name is not looked             for. It belongs to the policy, and stands in its file where it has one.",
    keys: &[
        key(
            "new_destination",
            "table",
            "`{ weight = 30 }`",
            "The destination is not in the address book, and money of a proposal never came to it.",
        ),
        key(
            "large_to_new",
            "table",
            "none",
            "Such a destination is to be paid more than `above`: `{ weight = 40, above = \"5000 XRP\" }`. What is of another asset is not above it. A finding `large_to_new`, too.",
        ),
        key(
            "unusual_amount",
            "table",
            "`{ weight = 30, times = 10, payments = 20 }`",
            "The amount is above the median of the account's last 100 payments of the same asset by more than `times` the median absolute deviation,              of which the least that counts is a tenth of the median. Before there were so many `payments` nothing is unusual. A finding              `unusual_amount`, too.",
        ),
        key(
            "velocity",
            "table",
            "none",
            "The account makes more payments than `above` within `period`: `{ weight = 20, period = \"1h\", above = 20 }`. A finding              `velocity`, too: once a period, or for each payment where its severity is `hold` or `freeze`.",
        ),
        key(
            "listed",
            "table",
            "none",
            "The destination is on one of these lists, or has one of these labels: `{ weight = 100, lists = [\"sanctions\"] }`. A finding \
             `listed_destination`, too.",
        ),
        key(
            "odd_time",
            "table",
            "none",
            "It is decided on outside these times: `{ weight = 10, zone = \"Europe/Zurich\", hours = \"07:00-19:00\" }`, as `during` of a rule.",
        ),
        key(
            "new_asker",
            "table",
            "none",
            "Nothing that who asks has asked for was ever paid: `{ weight = 10 }`.",
        ),
        key(
            "unfunded",
            "table",
            "none",
            "The destination, neither the treasury's nor in the address book, is not on the ledger: `{ weight = 20 }`. This and the \
             next four are of its account as the daemon follows it, or as it was read when somebody asked for the payment.",
        ),
        key(
            "odd_settings",
            "table",
            "none",
            "The destination uses DepositAuth or DisallowXRP, asks for a DestinationTag that the payment does not have, or has its \
             master key disabled: `{ weight = 20 }`.",
        ),
        key(
            "young",
            "table",
            "none",
            "Nothing shows that the destination's account has been there for as long: `{ weight = 20, less_than = \"30d\" }`. An account's \
             Sequence begins as the index of the ledger that makes it, so the ledgers since are the least that it is old, each taken for \
             `timing.close_interval`.",
        ),
        key("poor", "table", "none", "The destination has less: `{ weight = 10, below = \"20 XRP\" }`."),
        key(
            "unread",
            "table",
            "as much as the four above together",
            "The destination's account could not be read in time, or somebody asked in another way than by the API: `{ weight = 40 }`.",
        ),
        key(
            "first_asset",
            "table",
            "none",
            "Nothing of the asset was paid or asked for within 366 days: `{ weight = 10 }`.",
        ),
    ],
};

/// The table of drills.
pub(super) const DRILLS: Group = Group {
    name: "drills",
    repeated: false,
    about: "How often people who sign show that they still have their keys (docs/how-to/lockout.md).",
    keys: &[
        key(
            "every",
            "duration",
            "nobody is asked",
            "Whose key has signed nothing for so long is asked to sign a text that moves nothing (`treasuryctl drill`). `drill_every` of a \
             person goes before it.",
        ),
        key(
            "answer",
            "duration",
            "\"7d\"",
            "So long after they were asked it is found that they have not: `drill_overdue`.",
        ),
    ],
};

/// The table of bursts.
pub(super) const ANOMALY: Group = Group {
    name: "anomaly",
    repeated: false,
    about: "How often something has to come, within how long, or how long it has to take, to be a finding. A start of the daemon begins to \
            count anew.",
    keys: &[
        key(
            "rejections",
            "table",
            "`{ above = 4, period = \"24h\" }`",
            "Rejections of what one person asked for: a finding `many_rejections`.",
        ),
        key(
            "refused_signatures",
            "table",
            "`{ above = 2, period = \"1h\" }`",
            "Signatures of one person that were refused: a finding `signatures_refused`.",
        ),
        key(
            "unvalidated_reveal",
            "duration",
            "\"60s\"",
            "So long after a fulfillment has left, its EscrowFinish should be in a validated ledger; else a finding `reveal_pending`, once for an escrow.",
        ),
        key(
            "failed_logins",
            "table",
            "`{ above = 20, period = \"1h\" }`",
            "Tokens, logins and gestures from one address that were refused: a finding `failed_logins`, at most one in the period.",
        ),
        key(
            "clock_skew",
            "table",
            "`{ above = \"10m\", lasting = \"2m\" }`",
            "The host's clock is apart from the ledger's by more than `above`, for longer than `lasting`: a finding `clock_skew`. Where it \
             is behind, people are told `clock_behind` at once. Not looked at where `timing.ledger_age_max` is `\"any\"`.",
        ),
        key(
            "blind",
            "duration",
            "\"10m\"",
            "The validated ledger was not seen for longer: a finding `blind`, while it lasts, once.",
        ),
    ],
};
