//! The keys of telling people.

use super::{Group, REQUIRED, key};

pub(super) const NOTIFY: Group = Group {
    name: "notify",
    repeated: false,
    about: "Telling people. What is told, where to and how it is signed: [Let people be told](../how-to/notifications.md).",
    keys: &[
        key(
            "remind",
            "duration or `never`",
            "\"6h\"",
            "Those who can still sign a proposal are reminded after each so long of waiting, by the ledger's clock, and from then on \
             after half of the time that is left, down to a quarter of an hour. At least \"15m\".",
        ),
        key(
            "instance",
            "name",
            "the name of the host",
            "The label `instance` of what an Alertmanager is told: several daemons may tell the same one. Write it where the host has \
             another name after each start, as containers do.",
        ),
    ],
};

pub(super) const CHANNEL: Group = Group {
    name: "channel",
    repeated: true,
    about: "A receiver of notices. It must answer with a status from 200 to 299 within 15 s; otherwise the notice is sent again for about eight hours, \
            under the same id, and is then a dead letter. Redirects are not followed, and proxies not asked. Files of secrets must be readable by their \
            owner alone, and are read for each notice. At most 40 channels.",
    keys: &[
        key("name", "name", REQUIRED, "Unique among channels."),
        key(
            "form",
            "`webhook`, `slack`, `teams`, `matrix`, `email` or `alertmanager`",
            "`webhook`",
            "`webhook`: the notice as JSON, signed by the Standard Webhooks convention. `slack`: a message for an incoming webhook. \
             `teams`: a card for a workflow. `matrix`: a message for a room. \
             `email`: a message for a mail server. `alertmanager`: an alert for Prometheus's Alertmanager.",
        ),
        key(
            "url",
            "address",
            "required without `url_file`, but for `email`",
            "`https://…`. Of a Matrix server, the address of its client API; of an Alertmanager, what comes before `/api/v2/alerts`. Scheme, host and port may be shown in logs, the rest never is.",
        ),
        key(
            "url_file",
            "path",
            "none",
            "A file whose first line is the address, in place of `url`: where knowing it is enough to write, as with Slack and Teams. Read at the start.",
        ),
        key(
            "secrets_file",
            "path",
            "required for `webhook`",
            "Secrets of the form `whsec_` and 24 to 64 bytes in base64, one a line. Each signs every notice: put a new one beside the old one until the receiver knows it.",
        ),
        key("room", "text", "required for `matrix`", "The room's id, such as `!abc:example.org`."),
        key(
            "token_file",
            "path",
            "required for `matrix`",
            "A file whose first line is the access token that messages are sent with; for `alertmanager`, where it asks for one.",
        ),
        key(
            "server",
            "host",
            "required for `email`",
            "The mail server that takes messages, by name or address.",
        ),
        key("port", "whole number", "465, 587 or 25, by `tls`", "Its port."),
        key(
            "tls",
            "`implicit`, `starttls` or `none`",
            "`implicit`",
            "`implicit`: from the first byte on. `starttls`: after a few words in the clear, and nothing is sent to a server that does not offer it. \
             `none`: only to this machine, with `allow_private`.",
        ),
        key("user", "text", "none: no login", "Whom to log in as, by PLAIN or LOGIN."),
        key("password_file", "path", "required with `user`", "A file whose first line is the password."),
        key(
            "from",
            "address",
            "required for `email`",
            "Whom messages come from, such as `Treasury <treasury@example.org>`.",
        ),
        key(
            "to",
            "list of people and addresses",
            "required for `email`",
            "Who gets them: people by name, who have an `email`, or addresses. One message goes to all.",
        ),
        key(
            "batch",
            "duration",
            "none: each notice is a message of its own",
            "Notices are gathered, up to twenty into one message, which goes out at the end of each such period, and so are those that waited for quiet hours to end. \
             For `slack`, `teams`, `matrix` and `email`: programs take each by itself. \"1m\" to \"24h\".",
        ),
        key(
            "batch_below",
            "`info`, `warning` or `critical`",
            "`critical`",
            "Only those that are less severe are gathered; the others go out at once.",
        ),
        key(
            "ca_file",
            "path",
            "whom this machine believes",
            "Certificates of authorities in PEM: only a receiver with a certificate of theirs is believed.",
        ),
        key(
            "allow_private",
            "true or false",
            "false",
            "Whether the receiver may be on this machine or in its own network, and be spoken to by `http://`. Without it, every address that its name resolves to is looked at, and private ones are not connected to.",
        ),
    ],
};

pub(super) const ROUTE: Group = Group {
    name: "route",
    repeated: true,
    about: "Which notices go to which channels. A notice goes to the channels of every route that matches it, once to each. A matcher that is left out matches everything.",
    keys: &[
        key("channels", "list of channels", REQUIRED, "Where to, by name."),
        key("kinds", "list of kinds", "any", "What it is about: the kinds of notices are listed below."),
        key("severity", "`info`, `warning` or `critical`", "`info`", "At least so severe."),
        key(
            "accounts",
            "list of accounts",
            "any",
            "The treasury's account that it concerns, by name or address.",
        ),
        key(
            "signers",
            "list of people",
            "any",
            "Matches only what waits for signatures, while one of these can still give theirs.",
        ),
        key(
            "people",
            "list of people",
            "any",
            "Matches only what is for one of these: notices of rules of the policy that name them to be told.",
        ),
        key("amount_above", "amount", "any", "Matches only what is about more than this, of the same asset."),
        key(
            "quiet",
            "table",
            "none",
            "Quiet hours, such as `{ zone = \"Europe/Zurich\", hours = \"22:00-07:00\" }`, with `weekdays` as in a rule's `during`: what is not critical \
             waits until they end, four days at most. What another route takes through the same channel goes out when that says.",
        ),
        key(
            "escalate_after",
            "duration",
            "required with `escalate_to`",
            "How long somebody has to answer, \"1m\" to \"24h\". It begins when the notice goes out.",
        ),
        key(
            "escalate_to",
            "list of channels",
            "none",
            "Where an alert goes on to that nobody has answered by then: through the first of these, after the same time once more through the second, and so on, \
             each once, and once from all lists that name it. There can be 40 different lists. What is not critical waits for quiet hours, of its route and of every route to whom it goes to, a day at most after its time. A finding is answered by its acknowledgement; a stop, lost sight, an open breaker, a signer that does not sign, \
             a window that closes, signatures that are wanted, a channel that gave up and a disk that is nearly full by their end; all but findings also by whoever says that they look after it, until it is over. Nothing else is an alert, nor is what is of severity `info`.",
        ),
    ],
};
