//! The keys of the console.

use super::{Group, REQUIRED, key};

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

/// `[console.oidc]`.
pub(super) const OIDC: Group = Group {
    name: "console.oidc",
    repeated: false,
    about: "A provider of logins (OpenID Connect), at which people log in to the console beside doing so by token: authorization code with PKCE. It says who \
            somebody is, by `person.oidc`; whom that names nobody gets in, and roles are what this file says. Needs `console.origin`. Register \
            `<console.origin>/console/login/oidc/back` with it as the redirect URI. See [Use the console](../how-to/console.md#log-in-at-a-provider).",
    keys: &[
        key(
            "issuer",
            "address",
            REQUIRED,
            "What the provider calls itself, letter for letter, such as `https://login.example/realms/acme`: `/.well-known/openid-configuration` under it says the rest. `https://`, or `http://` on this machine with `allow_private`.",
        ),
        key("client_id", "text", REQUIRED, "What the provider calls this daemon."),
        key(
            "client_secret_file",
            "path",
            "none: the daemon is a public client",
            "A file whose first line is the secret that the provider knows this daemon by. Readable by its owner alone; read for each login.",
        ),
        key(
            "claim",
            "text",
            "\"sub\"",
            "What of the ID token is compared with `person.oidc`. `sub` the provider gives to nobody else, ever. `email` counts only with `email_verified`. \
             Any other claim must be one that people cannot change by themselves.",
        ),
        key(
            "scopes",
            "list of texts",
            "what the claim needs",
            "What is asked for beside `openid`. Where nothing is said: nothing for `sub`, `email` for `email`, `profile` for any other claim.",
        ),
        key("name", "text", "the issuer's host", "What people call the provider: `Log in with …`."),
        key(
            "ca_file",
            "path",
            "whom this machine believes",
            "Certificates of authorities in PEM: only a provider with a certificate of theirs is believed, at every address that it names.",
        ),
        key(
            "allow_private",
            "`true` or `false`",
            "`false`",
            "Whether the provider may be on this machine or in its network.",
        ),
    ],
};

/// `[console.passkeys]`.
pub(super) const PASSKEYS: Group = Group {
    name: "console.passkeys",
    repeated: false,
    about: "Acts of the console that need a fresh gesture with a passkey (WebAuthn, with user verification): for that one form, within two minutes, once. Needs `console.origin` with \
            a name and `https://`, or `http://localhost`. The API by token needs none. Without this table nothing does. See [Use the console](../how-to/console.md#ask-for-a-passkey).",
    keys: &[key(
        "acts",
        "list of `approve`, `retract`, `reject`, `withdraw`, `void`, `flag`, `clear`, `flag_destination`, `lift`, `freeze`, `panic`, `acknowledge`, `acknowledge_notices`, `close_breaker`, `activate`, `confirm_destination`, `redeliver`, `test_channel`",
        REQUIRED,
        "What needs one. With `flag`, `flag_destination`, `freeze` or `panic` whoever has no passkey at hand cannot stop anything by the console.",
    )],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::passkeys::ACTS;

    #[test]
    fn every_act_that_can_need_a_passkey_is_in_the_reference() {
        for (act, _) in ACTS {
            assert!(PASSKEYS.keys[0].kind.contains(&format!("`{act}`")), "{act}");
        }
    }
}
