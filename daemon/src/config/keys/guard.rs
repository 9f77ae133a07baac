//! The keys of the second party.

use super::{Group, REQUIRED, key};

/// `[guard]`.
pub(super) const GUARD: Group = Group {
    name: "guard",
    repeated: false,
    about: "The second party: a `treasuryd guard` of somebody else's, which holds a part of what releases an escrow. Without it no guarded \
            escrow is made or released. What the guard itself is told is in a file of its own (docs/how-to/guard.md).",
    keys: &[
        key("url", "address", REQUIRED, "Where the guard is: `https://…`, or `http://` on this machine."),
        key(
            "token_file",
            "path",
            REQUIRED,
            "A file whose first line is the daemon's token at the guard. Readable by its owner alone.",
        ),
        key(
            "ca_file",
            "path",
            "whom this machine believes",
            "Certificates of authorities in PEM: only a guard with a certificate of theirs is believed.",
        ),
        key(
            "timeout",
            "duration",
            "\"20s\"",
            "How long an answer may take. The guard asks its ledger servers first, so more than its own `network.timeout`.",
        ),
        key(
            "new_escrows",
            "`true` or `false`",
            "`true`",
            "Whether delayed payments that are planned from now on are guarded. Those that are guarded already stay so, whatever is said \
             here: keep this table until they have ended.",
        ),
    ],
};
