//! The keys of who confirms whom the address book makes known.

use super::activation::WHO;
use super::{Group, key};

/// `[confirmation]`.
pub(super) const CONFIRMATION: Group = Group {
    name: "confirmation",
    repeated: false,
    about: "Who confirms that an entry of the address book is whose it is said to be. Without this table, whoever is in the \
            address book is known. With it, an entry that comes to be there is as new as anybody until so many of these \
            people have confirmed it (`treasuryctl destination confirm`) and it has cooled; what is there when this table comes \
            to be there is known as before. An entry that is taken out, or has another address, is confirmed anew. Where \
            there is `[activation]`, a change of this table waits for those people, too.",
    keys: &[
        key(
            "roles",
            "list of roles",
            "[\"approver\"]; with `people`, any",
            "Who counts has one of these roles.",
        ),
        WHO,
        key(
            "signatures",
            "whole number",
            "2",
            "How many of them it takes. Whoever wrote the entry is not known to the daemon, and may be one of them.",
        ),
        key("cooling", "duration", "\"24h\"", "How long it goes on as a new one after that, in ledger time."),
    ],
};
