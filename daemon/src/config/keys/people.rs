//! The keys of people.

use super::{Group, PLACE, REQUIRED, VENDOR, key};

/// `[[person]]`.
pub(super) const PERSON: Group = Group {
    name: "person",
    repeated: true,
    about: "Somebody who may speak to the daemon.",
    keys: &[
        key("name", "name", REQUIRED, "Unique among accounts, people, agents and destinations."),
        key("signer", "address", "none", "The account this person signs with."),
        key(
            "roles",
            "list of `proposer`, `approver`, `security`, `admin`",
            "[]",
            "`proposer` may propose payments; `approver`'s signatures count where a rule asks for them; `security` may flag, clear and freeze; \
             `admin` may lift a freeze and close the circuit breaker.",
        ),
        key(
            "token_sha256",
            "64 hexadecimal digits",
            "none: no access to the API",
            "SHA-256 of this person's bearer token: `printf %s \"$TOKEN\" | sha256sum`.",
        ),
        key(
            "oidc",
            "text",
            "none: no login at the provider",
            "What the provider of `[console.oidc]` calls this person, in the claim that is named there. Letter for letter, and nobody else's.",
        ),
        key(
            "drill_every",
            "duration",
            "`drills.every`",
            "Who signs shows so often that they have their key: by a signature, or when they are asked to (`treasuryctl drill`).",
        ),
        key("vendor", "name", "not declared", VENDOR),
        key("place", "name", "not declared", PLACE),
        key(
            "passkeys",
            "list of texts",
            "[]",
            "This person's passkeys, each a line that the console's page Passkeys shows to whoever has made one. At most 8. What needs one says `[console.passkeys]`.",
        ),
        key("email", "address", "none", "Where channels of the form `email` reach this person."),
    ],
};
