//! The keys of whoever screens destinations.

use super::{Group, REQUIRED, key};

/// `[screening]`.
pub(super) const SCREENING: Group = Group {
    name: "screening",
    repeated: false,
    about: "Somebody else's program that is asked about each destination that is neither the treasury's nor in the address book, when \
            somebody asks for a payment to it. Where it does not answer in time, or not as it should, nothing leaves to that \
            destination (docs/how-to/policy.md).",
    keys: &[
        key(
            "url",
            "address",
            REQUIRED,
            "Where it is asked, with POST: `https://…`, or `http://` with `allow_private`.",
        ),
        key(
            "secret_file",
            "path",
            "none",
            "A file whose first line goes in a header of each question. Readable by its owner alone; read for each question.",
        ),
        key("secret_header", "header", "`Authorization`", "That header, such as `X-API-Key`."),
        key(
            "timeout",
            "duration, up to 8s",
            "\"5s\"",
            "How long an answer may take. Whoever asks for the payment waits for it.",
        ),
        key(
            "allow_private",
            "`true` or `false`",
            "`false`",
            "Whether it may be on this machine or in its network, and spoken to without TLS.",
        ),
        key(
            "ca_file",
            "path",
            "whom this machine believes",
            "Certificates of authorities in PEM: only one with a certificate of theirs is believed.",
        ),
    ],
};
