//! The keys of who puts another table of rules in force.

use super::{Group, Key, key};

/// Who counts, by name.
pub(super) const WHO: Key = key(
    "people",
    "list of people",
    "anybody with one of `roles`",
    "Who counts is one of these; where `roles` is there too, one of these with one of them. They need a token or a login.",
);

/// `[activation]`.
pub(super) const ACTIVATION: Group = Group {
    name: "activation",
    repeated: false,
    about: "Who puts another table of rules in force. Without this table, whoever changes the file does, with the next reload or \
            start. With it, changed rules and signs of risk, accounts, tiers and links, screening that is taken out, and a change of this table itself, wait for so many of these \
            people, as the table in force names them; at restarts, too. Lists, and everything else in the configuration, \
            are as before.",
    keys: &[
        key(
            "roles",
            "list of roles",
            "[\"admin\"]; with `people`, any",
            "Who counts has one of these roles.",
        ),
        WHO,
        key("signatures", "whole number", "2", "How many of them it takes."),
    ],
};
