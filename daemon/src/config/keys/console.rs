//! The keys of the console.

use super::{Group, key};

/// `[console]`.
pub(super) const CONSOLE: Group = Group {
    name: "console",
    repeated: false,
    about: "The console: pages for people, on `daemon.listen` beside the API. Without this table it is served.",
    keys: &[
        key("enabled", "`true` or `false`", "`true`", "Whether it is served."),
        key(
            "origin",
            "scheme, host and port",
            "whatever name a request came to",
            "What people type into their browser, such as `https://treasury.example`: forms are taken from there alone, and with `https` the cookie of a session goes over nothing else. Say it where a proxy ends TLS.",
        ),
        key(
            "idle_seconds",
            "whole number, 60 to 86400",
            "1800",
            "A session that nobody uses ends after this.",
        ),
        key("session_seconds", "whole number, 60 to 604800", "43200", "Every session ends after this."),
    ],
};
