//! Every key there is: what the reader accepts, and what docs/reference/config.md says.

mod account;
mod activation;
mod audit;
mod confirmation;
mod console;
mod findings;
mod forecast;
mod guard;
mod links;
mod notify;
mod people;
mod risk;
mod schedules;
mod screening;

use std::fmt::Write;

use treasury_api::notice;
use treasury_core::config::{FindingKind, Severity};

use super::rule_keys;

/// A table of the file.
struct Group {
    name: &'static str,
    /// Written `[[name]]`, any number of times.
    repeated: bool,
    about: &'static str,
    keys: &'static [Key],
}

/// A key of a table.
pub(super) struct Key {
    name: &'static str,
    kind: &'static str,
    /// `required`, the value where the file says nothing, or what that means.
    default: &'static str,
    meaning: &'static str,
}

pub(super) const REQUIRED: &str = "required";

pub(super) const fn key(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key { name, kind, default, meaning }
}

const VENDOR: &str = "Who made what the key of `signer` is in. Keys of one vendor are lost, and stolen, together (`treasuryctl lockout`).";

const PLACE: &str = "Where the key of `signer` is kept. Keys at one place are lost, and stolen, together (`treasuryctl lockout`).";

const GROUPS: &[Group] = &[
    Group {
        name: "network",
        repeated: false,
        about: "The ledger servers. Everything they say is proven by hashes where the ledger allows it; \
                the state of accounts and the fees are their word.",
        keys: &[
            key(
                "endpoints",
                "list of websocket addresses or tables",
                REQUIRED,
                "Servers: `ws://…` or `wss://…`. All are connected; ledgers are fetched from the first that has them and has not failed lately. \
                 One of them must keep the history since the daemon last ran. Each on a host of its own: another port or path of a host is the same witness, \
                 but for loopback, where each port is one. What an address holds besides scheme, host and port is sent and never shown. \
                 Keep it out of this file with a table: `{ url = \"wss://host\", name = \"own\", user = \"…\", password_file = \"…\", path_file = \"…\", ca_file = \"…\" }`. \
                 `name` is shown before the address; `user` and the first line of `password_file` log in (HTTP Basic); the first line of `path_file` is what \
                 follows the host, such as `/v1/key?k=v`. The files must be readable by their owner alone; none of it is sent beyond loopback without TLS. `ca_file` names certificates of authorities in PEM: only a server with a certificate of theirs is believed; \
                 without it, those of the authorities that this machine believes, or that `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment name; where a machine \
                 has none, those that this release brings. They are read for each connection.",
            ),
            key(
                "read_quorum",
                "whole number, 1 to the number of endpoints",
                "1",
                "How many endpoints, each on a host of its own, must name the same hash before a ledger is believed to be validated. Fewer voices for longer than `timing.silence_max`, or two hashes for one ledger and no majority for either: sight is lost, nothing is released.",
            ),
            key(
                "verify",
                "`full` or `headers`",
                "`full`",
                "`full`: every ledger is fetched whole and its transactions are proven. `headers`: gaps longer than `gap_ledgers` are closed from headers and `account_tx`; that no transaction of a watched account is left out there is the server's word.",
            ),
            key(
                "gap_ledgers",
                "whole number, 16 to 1000000",
                "1000",
                "With `verify = \"headers\"`: a gap up to this many ledgers is closed by whole ledgers all the same.",
            ),
            key(
                "network_id",
                "whole number",
                "not checked",
                "The network's id. A server of another network is not used. Ids above 1024 are put into transactions, as the ledger demands.",
            ),
        ],
    },
    Group {
        name: "daemon",
        repeated: false,
        about: "The daemon itself. Relative paths are relative to the folder of the file.",
        keys: &[
            key(
                "data_dir",
                "path",
                REQUIRED,
                "The folder of the store. Made where it is missing; one daemon at a time.",
            ),
            key(
                "listen",
                "address and port",
                "\"127.0.0.1:8580\"",
                "Where the HTTP API listens. It speaks plain HTTP: put TLS in front of it before it leaves the machine.",
            ),
            key(
                "keystore",
                "path",
                REQUIRED,
                "The encrypted file of the agents' and the runner's keys and of the release key.",
            ),
            key(
                "passphrase_file",
                "path",
                "`TREASURYD_PASSPHRASE` in the environment",
                "A file whose first line is the keystore's passphrase.",
            ),
            key(
                "requests_per_second",
                "whole number, 1 to 10000",
                "200",
                "The most requests a second that one person's token may send, two seconds' worth at once; more are refused with 429. Requests that only stop something are not counted.",
            ),
        ],
    },
    console::CONSOLE,
    console::OIDC,
    console::PASSKEYS,
    guard::GUARD,
    screening::SCREENING,
    audit::AUDIT,
    activation::ACTIVATION,
    confirmation::CONFIRMATION,
    Group {
        name: "account",
        repeated: true,
        about: "One of the treasury's accounts.",
        keys: &[
            key("name", "name", REQUIRED, "Unique among accounts, people, agents and destinations."),
            key("address", "address", REQUIRED, "The account on the ledger."),
            key(
                "tier",
                "`cold`, `warm`, `hot`, `board` or `runner`",
                REQUIRED,
                "Its place: `cold` holds most and only people sign; `warm` pays large amounts; `hot` pays small ones by itself; \
                 `board` is the notice board; `runner` pays for EscrowFinish and EscrowCancel and has no authority over the rest.",
            ),
            key(
                "signing",
                "`multi` or `single`",
                "`single` for the runner, else `multi`",
                "`multi`: by members of its SignerList. `single`: by one key in the keystore, for the runner only.",
            ),
            key(
                "quorum",
                "whole number",
                "not declared",
                "The SignerQuorum that it should have. Goes with `signers`.",
            ),
            key(
                "signers",
                "table of name or address and weight",
                "not declared",
                "The SignerEntries that it should have, such as `{ alice = 1, bob = 1 }`, 1 to 32 of them with weights from 1 to 65535. \
                 A difference on the ledger is a finding.",
            ),
        ],
    },
    account::SETTINGS,
    people::PERSON,
    Group {
        name: "agent",
        repeated: true,
        about: "A signer whose key the daemon itself holds.",
        keys: &[
            key("name", "name", REQUIRED, "Unique among accounts, people, agents and destinations."),
            key("signer", "address", REQUIRED, "The account it signs with. Its key must be in the keystore."),
            key("vendor", "name", "the keystore's", VENDOR),
            key("place", "name", "the daemon's host", PLACE),
        ],
    },
    Group {
        name: "destination",
        repeated: true,
        about: "An entry of the address book: what policy calls a known destination.",
        keys: &[
            key("name", "name", REQUIRED, "Unique among accounts, people, agents and destinations."),
            key(
                "address",
                "address",
                REQUIRED,
                "The account that is paid. Not one of the treasury's: those are known anyhow.",
            ),
            key(
                "labels",
                "list of names",
                "[]",
                "What rules can call it by, with `listed` and `unlisted`: `\"exchange\"`, `\"salaries\"`. Whoever has a label is on the list of that name.",
            ),
        ],
    },
    links::LINK,
    schedules::SCHEDULE,
    forecast::FORECAST,
    Group {
        name: "list",
        repeated: true,
        about: "A list of destinations in a file of its own: one address a line, and behind it whatever people should read; lines that begin with # are \
                comments. Where it cannot be read whole, or is older than it may be, nothing leaves to a new destination, whatever the rules say; \
                where it could not be read since the start and a rule or `[risk]` asks about it, nothing leaves to a known one either. It is read anew with the configuration, and within a minute of its change.",
        keys: &[
            key(
                "name",
                "name",
                REQUIRED,
                "What `listed` and `unlisted` of rules call it. Unique among lists and labels.",
            ),
            key(
                "file",
                "path",
                REQUIRED,
                "The file; relative to the folder of the file in which this stands.",
            ),
            key(
                "age_max",
                "duration",
                "any",
                "How old it may become, in ledger time, by its line `# date: 2026-11-26` or `# date: 2026-11-26T08:00:00Z`, which it then has to have.",
            ),
            key(
                "sha256",
                "64 hexadecimal digits",
                "any",
                "The SHA-256 of the file: another file is not read.",
            ),
        ],
    },
    Group {
        name: "rule",
        repeated: true,
        about: "A rule of the policy. What every rule that matches asks for holds, the strictest of each: the longest delay, \
                all approvals, and a denial above all. Where none matches, the answer is no. A matcher that is left out \
                matches everything; the order of the rules says nothing.",
        keys: rule_keys::KEYS,
    },
    Group {
        name: "fees",
        repeated: false,
        about: "Limits on fees. Every proposal is signed at several fees; the cheapest that the network takes is sent.",
        keys: &[
            key("fee_max", "amount", "\"2 XRP\"", "The most that any transaction may burn."),
            key(
                "multiples",
                "list of whole numbers",
                "[30, 1000]",
                "The fees above the least, as multiples of it, ascending; at most 6. A full ledger asks for hundreds of times the base.",
            ),
        ],
    },
    Group {
        name: "tickets",
        repeated: false,
        about: "The Ticket pool of each multi-signed account.",
        keys: &[
            key("low_water", "whole number", "4", "With fewer free Tickets the pool is refilled. 0: never."),
            key(
                "target",
                "whole number",
                "10",
                "A refill brings the pool to this many, at most 250. Each costs one owner reserve.",
            ),
        ],
    },
    Group {
        name: "timing",
        repeated: false,
        about: "Deadlines and clocks.",
        keys: &[
            key(
                "deadline",
                "duration",
                "\"6h\"",
                "Time people have to approve, where a proposal does not say. At least a minute.",
            ),
            key(
                "deadline_max",
                "duration",
                "\"7d\"",
                "The longest deadline that may be asked for, at most 28 days.",
            ),
            key(
                "delayed_deadline_max",
                "duration",
                "\"24h\"",
                "The longest deadline of a delayed payment: its delay is counted from the deadline.",
            ),
            key(
                "close_interval",
                "duration",
                "\"3s\"",
                "The fastest pace of ledgers that the network is expected to keep. Turns a deadline into a LastLedgerSequence that does not come before it; the slower the ledgers are in truth, the longer a Ticket stays taken after the deadline.",
            ),
            key(
                "agent_ledgers",
                "whole number",
                "20",
                "How many ledgers a transaction that the daemon signs by itself stays valid.",
            ),
            key(
                "silence_max",
                "duration",
                "\"20s\"",
                "No validated ledger for this long: nothing is released, and another server is tried.",
            ),
            key(
                "ledger_age_max",
                "duration",
                "\"60s\"",
                "The newest validated ledger closed longer ago than this by the host's clock: nothing is signed, sent or released, after a start too. A ledger rounds its close time to up to 30 s, so write at least \"40s\". \"any\" is for a test ledger that keeps a time of its own: then nobody notices that a ledger is old, and an escrow's delay counts by the ledger's time alone.",
            ),
            key(
                "retry",
                "duration",
                "\"120s\"",
                "Wait this long after a move, refill or release of the daemon's own failed.",
            ),
            key(
                "breaker_failures",
                "whole number",
                "5",
                "So many submissions of one account in a row that fail for one cause stop its automated submissions.",
            ),
        ],
    },
    Group {
        name: "severity",
        repeated: false,
        about: "What follows from a finding of each rule: `log` (written down), `alert` (people are told), `hold` (nothing leaves the account, enters it from \
                the treasury's others or is released from its escrows until someone lifts the hold) or `freeze` (as a hold, and nothing more is \
                sent for what is revealed already).",
        keys: &[],
    },
    risk::RISK,
    risk::ANOMALY,
    risk::DRILLS,
    notify::NOTIFY,
    notify::CHANNEL,
    notify::ROUTE,
];

/// Keys that stand in no table, above all of them.
const TOP: &[Key] = &[
    key(
        "policy",
        "path",
        "the rules of this file",
        "A file with every `[[rule]]` and `[[list]]`, which then stand there and not here. Relative to the folder of this file.",
    ),
    key(
        "shadow",
        "path",
        "none",
        "A file with a second table, which is asked beside the one in force about every payment and move. Nothing follows \
         from what it says but that differences are counted and listed (`treasuryctl policy shadow`). Its lists are those \
         of the table in force.",
    ),
];

/// The names of all tables, and of the keys above them.
pub(super) fn sections() -> Vec<&'static str> {
    let tables = GROUPS.iter().map(|group| group.name).filter(|name| !name.contains('.'));
    TOP.iter().map(|key| key.name).chain(tables).collect()
}

/// The keys of a table.
pub(super) fn keys_of(section: &str) -> Vec<&'static str> {
    if section == "severity" {
        return FindingKind::ALL.iter().map(|kind| FindingKind::word(*kind)).collect();
    }
    let keys = group(section).into_iter().flat_map(|group| group.keys).map(|key| key.name);
    let tables = GROUPS.iter().filter_map(|group| group.name.strip_prefix(section)?.strip_prefix('.'));
    keys.chain(tables).collect()
}

/// What a key that is missing should be.
pub(super) fn advice_for(section: &str, name: &str) -> String {
    group(section)
        .and_then(|group| group.keys.iter().find(|key| key.name == name))
        .map(|key| format!("{}: {}", key.kind, key.meaning))
        .unwrap_or_default()
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// The file's words for severities.
pub(super) const SEVERITIES: [(&str, Severity); 4] = [
    ("log", Severity::Log),
    ("alert", Severity::Alert),
    ("hold", Severity::Hold),
    ("freeze", Severity::Freeze),
];

/// The known name that a misspelt one most likely means: at most two letters away, and fewer than
/// half of it.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 2 && distance * 2 < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be changed, added or taken away. Names are short; longer ones are cut.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().take(64).enumerate() {
        let mut diagonal = number;
        let mut left = number + 1;
        let mut next = vec![left];
        for (above, target) in row.iter().skip(1).zip(&other) {
            left = (diagonal + usize::from(letter != *target)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The reference of every key, as Markdown: docs/reference/config.md.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Above all tables\n\n");
    table(&mut page, TOP);
    for group in GROUPS {
        let header = if group.repeated { format!("[[{}]]", group.name) } else { format!("[{}]", group.name) };
        let often = if group.repeated { " May be there any number of times." } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## `{header}`\n\n{}{often}\n\n", words(group.about));
        table(&mut page, group.keys);
        if group.name == "route" {
            page.push_str("\n| kind of notice | comes when |\n|---|---|\n");
            for kind in notice::Kind::ALL {
                let _ = writeln!(page, "| `{kind}` | {} |", kind.says());
            }
        }
        if group.name == "severity" {
            for kind in FindingKind::ALL {
                let default = SEVERITIES
                    .iter()
                    .find(|(_, severity)| *severity == kind.default_severity())
                    .map_or("", |(word, _)| word);
                let _ = writeln!(
                    page,
                    "| `{}` | severity | `\"{default}\"` | {} |",
                    FindingKind::word(kind),
                    findings::meaning(kind)
                );
            }
        }
    }
    page
}

fn table(page: &mut String, keys: &[Key]) {
    page.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let (kind, default) = (key.kind, shown_default(key.default));
        let _ = writeln!(page, "| `{}` | {kind} | {default} | {} |", key.name, words(key.meaning));
    }
}

/// A default that is a value is shown as one.
fn shown_default(default: &str) -> String {
    let value = default.starts_with(['"', '[']) || default.bytes().all(|byte| byte.is_ascii_digit());
    if value { format!("`{default}`") } else { default.to_owned() }
}

/// Source lines joined.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const INTRODUCTION: &str = "\
# Configuration

Generated from the daemon's own table of keys (`treasuryd config reference`).

The daemon reads one TOML file, at its start and whenever it gets SIGHUP. Then a file with an error in it is refused whole,
and so is one that differs in what only a start takes: everything under `[network]` and `[daemon]`, `timing.silence_max`,
the guard, which accounts there are with their addresses, tiers and ways of signing, the agents, and whom to tell what (`[notify]`,
`[[channel]]`, `[[route]]`). The log says what was refused
and why (`config_refused`), or that it decides from now on (`config_reloaded`).

A key that is not listed here is an error, and all errors of a file are
reported together, each with its key and line; `treasuryd config check FILE` does nothing else. It also says what is right and dangerous all the same. Where a key
repeats, it is counted from 1: `account[2].signers` belongs to the second `[[account]]`.

- **Amounts** are texts: `\"250 XRP\"`, `\"0.5 XRP\"`, `\"12 drops\"`. Where an amount may be of an issued currency, as in rules, links
  and schedules, that is written `\"100 USD.rIssuer…\"`.
- **Durations** are texts: `\"90s\"`, `\"15m\"`, `\"48h\"`, `\"7d\"`.
- **Names** have 1 to 64 letters, digits, hyphens, underscores or dots. Accounts, people, agents and
  destinations share one list of names. `treasuryd` is the daemon itself; `known`, `new` and `treasury` are
  words of the policy; none of them can be a name.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_recognised() {
        assert_eq!(nearest("quorun", &["quorum", "signers"]), Some("quorum"));
        assert_eq!(nearest("sigers", &["quorum", "signers"]), Some("signers"));
        assert_eq!(nearest("to", &["from"]), None);
        assert_eq!(nearest("colour", &["quorum", "signers"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn words_for_findings_are_those_of_the_stored_form() {
        for kind in FindingKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), FindingKind::word(kind));
        }
    }
}
