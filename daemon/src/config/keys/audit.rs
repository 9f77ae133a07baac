//! The keys of the audit log.

use super::{Group, key};

/// `[audit]`.
pub(super) const AUDIT: Group = Group {
    name: "audit",
    repeated: false,
    about: "The audit log. It is written in any case.",
    keys: &[key(
        "keep_days",
        "whole number, 1 to 36500",
        "all are kept",
        "The texts of entries that are older are taken away once a day, some thousand at a time as their file is full; their digests stay, so the chain is as provable as before.",
    )],
};
