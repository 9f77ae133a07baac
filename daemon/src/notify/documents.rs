//! The documents of events: their schemas, made from the types, and an example of each, on the page docs/reference/events.md.

use std::fmt::Write as _;
use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};
use treasury_api::notice::{Kind, NOTICE_VERSION, Severity, TRIMMED, TRIMMED_VERSION};
use treasury_api::types::{AmountView, LedgerTime, Notice, PartyView, Trimmed};

use super::stream::trimmed;
use crate::testing;

/// The schema of a document.
fn schema<T: JsonSchema>(name: &str, version: u32, kinds: &[&str]) -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut schema = serde_json::to_value(schema).unwrap();
    open(&mut schema);
    schema["$id"] = json!(format!("urn:treasuryd:{name}:{version}"));
    // Examples, and no list: there may be more under the same version.
    schema["properties"]["type"]["examples"] = json!(kinds);
    schema
}

/// What a later release adds under the same version is valid.
fn open(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("additionalProperties");
            fields.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

fn schema_of_notices() -> Value {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    schema::<Notice>("notice", NOTICE_VERSION, &kinds)
}

fn schema_of_trimmed() -> Value {
    schema::<Trimmed>(TRIMMED, TRIMMED_VERSION, &[TRIMMED])
}

struct Validator {
    schemas: Schemas,
    notice: SchemaIndex,
    trimmed: SchemaIndex,
}

fn validator() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        let mut compiled = |name: &str, schema: Value| {
            let place = format!("http://schemas.example/{name}.json");
            compiler.add_resource(&place, schema).unwrap();
            compiler.compile(&place, &mut schemas).unwrap()
        };
        let notice = compiled("notice", schema_of_notices());
        let trimmed = compiled("trimmed", schema_of_trimmed());
        Validator { schemas, notice, trimmed }
    })
}

/// Whether a document is what its schema says.
pub(crate) fn check(document: &str) -> Result<(), String> {
    let document: Value = serde_json::from_str(document).map_err(|error| error.to_string())?;
    let Validator { schemas, notice, trimmed } = validator();
    let is_notice = document["type"] != TRIMMED;
    let schema = if is_notice { *notice } else { *trimmed };
    schemas.validate(&document, schema).map_err(|error| format!("{error:#}: {document}"))
}

/// One of each kind, as it may be told.
fn example(kind: Kind) -> Notice {
    use Kind as K;
    let (severity, says) = match kind {
        K::Created => (
            Severity::Info,
            "P3 on warm (pay 300 XRP to supplier): was asked for by alice; policy says approve (small).",
        ),
        K::Denied => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): was asked for by alice and is denied (strangers).",
        ),
        K::Redecided => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): policy asks for more by now: delay (large).",
        ),
        K::RuleMatched => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): is asked for by alice, and a rule says that dave is told; policy says approve (small, strangers).",
        ),
        K::Wanted => (Severity::Warning, "P3 on warm (pay 300 XRP to supplier): waits for signatures."),
        K::Reminder => {
            (Severity::Warning, "P3 on warm (pay 300 XRP to supplier): still waits for 2 more signatures.")
        }
        K::Approved => (Severity::Info, "P3 on warm (pay 300 XRP to supplier): bob has signed."),
        K::ApprovalDropped => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): the approval of bob counts no more: taken back.",
        ),
        K::Objection => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): carol speaks against it: the invoice is odd.",
        ),
        K::Quorum => {
            (Severity::Info, "P3 on warm (pay 300 XRP to supplier): has the approvals that it needs.")
        }
        K::QuorumLost => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): has the approvals that it needs no more.",
        ),
        K::Submitted => (Severity::Info, "P3 on warm (pay 300 XRP to supplier): is being sent."),
        K::Renewed => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): is being sent anew with the approvals that the ledger still takes.",
        ),
        K::Validated => (Severity::Info, "P3 on warm (pay 300 XRP to supplier): done, in ledger 1042."),
        K::Failed => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): failed in ledger 1042 with tecUNFUNDED_PAYMENT: only the fee is spent.",
        ),
        K::Expired => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): expired: its time is over, and it can never be applied.",
        ),
        K::Rejected => (Severity::Warning, "P3 on warm (pay 300 XRP to supplier): rejected."),
        K::Withdrawn => (Severity::Info, "P3 on warm (pay 300 XRP to supplier): taken back."),
        K::Voided => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): voided: what was signed of it is worthless, and it can never be applied.",
        ),
        K::Superseded => (
            Severity::Warning,
            "P3 on warm (pay 300 XRP to supplier): another transaction used its Ticket; it can never be applied.",
        ),
        K::EscrowSeen => (Severity::Info, "Escrow warm:57 holds 300 XRP for supplier."),
        K::EscrowRevealed => {
            (Severity::Warning, "The fulfillment of escrow warm:57 is being sent: there is no way back.")
        }
        K::WindowClosing => (
            Severity::Critical,
            "Escrow warm:57 is not released, and can be until 2026-12-01T12:00:00Z only, by the ledger's clock; then its money goes back.",
        ),
        K::EscrowEnded => (Severity::Info, "Escrow warm:57 is released: its destination has the money."),
        K::Finding => (
            Severity::Critical,
            "Finding F3 (spend_without_proposal) on warm: a payment that no proposal asked for. The account is held.",
        ),
        K::StopSet => (Severity::Warning, "dave set a hold on P3 (S3): who is that."),
        K::Freeze => (Severity::Critical, "dave set a freeze on account warm (S3): a stranger called."),
        K::StopLifted => {
            (Severity::Warning, "erin lifted the freeze S3 on account warm: it was the auditor.")
        }
        K::BreakerOpened => {
            (Severity::Critical, "Automated submissions of warm are stopped: tecUNFUNDED_PAYMENT.")
        }
        K::BreakerClosed => (Severity::Warning, "erin lets automated submissions of warm go on."),
        K::PolicyCandidate => (
            Severity::Warning,
            "Another policy is configured than the one in force, and waits for 2 of admin: rule \"small\" is changed.",
        ),
        K::PolicyActivated => (
            Severity::Warning,
            "Another policy is in force: 6F2E0A0C3F1D5B7A94D2C1E8A7B6059483726150F1E2D3C4B5A697887766554F.",
        ),
        K::DestinationWaits => (
            Severity::Warning,
            "exchange (rMwjYedjc7qqtKYVLiAccJSmCwih4LnE2q) has come to the address book and waits for 2 of approver: until then \
             it is as new as anybody.",
        ),
        K::DestinationConfirmed => (
            Severity::Warning,
            "exchange (rMwjYedjc7qqtKYVLiAccJSmCwih4LnE2q) is confirmed by bob, dave, and is known from 2026-12-02T09:30:11Z on.",
        ),
        K::SightLost => (
            Severity::Critical,
            "The validated ledger cannot be seen (no server answers): nothing is signed, sent or released meanwhile.",
        ),
        K::SightClear => (Severity::Info, "The validated ledger can be seen again."),
        K::SignerUnable => (
            Severity::Critical,
            "agent-1, whose key the daemon holds, does not sign: the keystore has no such key.",
        ),
        K::SignerAble => (Severity::Info, "agent-1 signs again."),
        K::DrillAsked => (
            Severity::Warning,
            "bob is asked to show that they still have their key: nothing that it signed is known. It moves nothing.",
        ),
        K::ChannelGaveUp => (
            Severity::Critical,
            "Notices were given up for channel ops (2 by now): whoever reads it was not told.",
        ),
        K::DiskLow => (
            Severity::Warning,
            "The disk of the data directory has 812 MiB left, 8 % of it. A daemon that cannot write stops.",
        ),
        K::ClockBehind => (
            Severity::Warning,
            "The host's clock says 2026-12-01T11:00:00Z, and ledger 1042 closed at 2026-12-01T11:50:10Z, 3010 s later: what the daemon tells by its own clock, and quiet hours, are wrong.",
        ),
        K::Acknowledged => {
            (Severity::Warning, "bob looks after n-5f2c81aa-1042-0: I am on the phone with them.")
        }
        K::Test => (Severity::Info, "erin tries whether notices come through this channel."),
    };
    let id = "n-5f2c81aa-1042-0".to_owned();
    let mut notice = Notice::new(id, kind, severity, "2026-12-01T11:50:12Z".to_owned(), says.to_owned());
    let party = |name: &str, address: &str| {
        Some(PartyView { address: address.to_owned(), name: Some(name.to_owned()) })
    };
    let warm = || party("warm", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
    notice.ledger = Some(LedgerTime { index: 1_042, close_time: "2026-12-01T11:50:10Z".to_owned() });
    if says.starts_with("P3 ") || says.starts_with("Escrow ") || kind == K::EscrowRevealed {
        notice.account = warm();
        notice.destination = party("supplier", "rrrrrrrrrrrrrrrrrrrrBZbvji");
        notice.amount = Some(AmountView { asset: "XRP".to_owned(), value: "300000000".to_owned() });
    }
    match kind {
        K::EscrowSeen | K::EscrowRevealed | K::WindowClosing | K::EscrowEnded => {
            notice.escrow = Some("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh:57".to_owned());
        }
        K::Finding => (notice.finding, notice.account) = (Some("F3".to_owned()), warm()),
        K::StopSet => (notice.stop, notice.proposal) = (Some("S3".to_owned()), Some("P3".to_owned())),
        K::Freeze | K::StopLifted => (notice.stop, notice.account) = (Some("S3".to_owned()), warm()),
        K::BreakerOpened | K::BreakerClosed => notice.account = warm(),
        K::SignerUnable | K::SignerAble => notice.account = party("agent-1", "rrrrrrrrrrrrrrrrrrrrBZbvji"),
        K::DrillAsked => {
            notice.signers = vec!["bob".to_owned()];
            notice.can_do = vec!["Run `treasuryctl drill`.".to_owned()];
            notice.deadline = Some("2026-12-08T11:50:10Z".to_owned());
        }
        K::ChannelGaveUp => (notice.channel, notice.ledger) = (Some("ops".to_owned()), None),
        K::DiskLow | K::Test => notice.ledger = None,
        K::PolicyCandidate | K::DestinationWaits => {
            notice.people = vec!["dave".to_owned(), "erin".to_owned()]
        }
        K::PolicyActivated
        | K::DestinationConfirmed
        | K::SightLost
        | K::SightClear
        | K::ClockBehind
        | K::Acknowledged => {}
        _ => notice.proposal = Some("P3".to_owned()),
    }
    if kind == K::RuleMatched {
        notice.people = vec!["dave".to_owned()];
    }
    if matches!(kind, K::Wanted | K::Reminder | K::QuorumLost | K::WindowClosing) {
        notice.deadline = Some("2026-12-01T12:00:00Z".to_owned());
    }
    if matches!(kind, K::Wanted | K::Reminder | K::QuorumLost) {
        notice.signers = vec!["bob".to_owned(), "carol".to_owned()];
        notice.can_do = vec![
            "See `treasuryctl show P3`; speak against it: `treasuryctl reject P3 --reason …`.".to_owned(),
        ];
        notice.link = Some("https://treasury.example/console/proposals/P3".to_owned());
    }
    notice
}

fn line(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap()
}

fn page() -> String {
    let mut page = format!(
        "# Events for programs\n\n\
         Generated from `daemon/api` and `daemon/src/notify/documents.rs`; a test compares them, and looks whether each example\n\
         is what its schema says.\n\n\
         Programs are told in two ways, with the same documents, byte for byte: by [webhooks](../how-to/notifications.md),\n\
         which the daemon sends, and by a stream that they open:\n\n\
         ```sh\n\
         curl -N -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8580/v1/notices/stream\n\
         ```\n\n\
         ## The stream\n\n\
         Server-sent events (`text/event-stream`). Of a notice, `id` is its `id`, `event` its `type`, and `data`, on one line,\n\
         the document. Any person's token will do, as for `GET /v1/deliveries`.\n\n\
         - **Begin** where you want: without anything, with what is told from now on; with `?after=ID` after the notice with\n  \
           that id; with `?after=start` with all that are kept, the oldest first. At least ten thousand are.\n\
         - **Go on** after a break with the header `Last-Event-ID` and the id that came last, which browsers' `EventSource`\n  \
           sends by itself. Ids stay over restarts of the daemon. A stream begins with its place as an `id` without data, so\n  \
           that one that breaks before its first notice loses nothing.\n\
         - **What is kept no more** is said by an event `trimmed` without an id: how many, or that the id is none that is\n  \
           known, as where the outbox was taken away; all that are kept follow then.\n\
         - **The same id may come twice** after a break. Leave out what you have.\n\
         - **Order**: as it was told. A webhook's tries may change it.\n\
         - **Nothing to say**: a comment (`:`) every {} seconds. Whoever hears nothing for three times as long opens it anew.\n\
         - **It ends** when the daemon stops, when the token is taken out of the configuration, and where nothing of it is\n  \
           taken for {} seconds. Nothing waits for a stream: it reads from the outbox, a page at a time. There are places for\n  \
           {} of them (an eighth of the API's connections), a quarter for one person; more are refused with\n  \
           `TOO_MANY_REQUESTS` and `RATE_LIMITED`.\n\n\
         `treasuryctl watch --json` does all of this, and prints a document a line.\n\n\
         ## Versions\n\n\
         `version` is that of the document's form. Under the same number there may come to be: further fields, kinds in `type`,\n\
         and values where a field's words name examples. So leave out fields that you do not know, and take a kind that you do\n\
         not know for what its `severity` and `says` tell. A field that goes, becomes necessary where it was not, or changes its\n\
         type or meaning makes another number, and is in the changelog; so does a further `severity`. The schemas take what may\n\
         come under their number, and each number has a file of its own.\n\n\
         | document | version | schema |\n|---|---|---|\n\
         | notice: what happened | {NOTICE_VERSION} | [notice.v{NOTICE_VERSION}.schema.json](events/notice.v{NOTICE_VERSION}.schema.json) |\n\
         | trimmed: what is kept no more; on the stream alone | {TRIMMED_VERSION} | [trimmed.v{TRIMMED_VERSION}.schema.json](events/trimmed.v{TRIMMED_VERSION}.schema.json) |\n\n\
         Their fields are those of [Notice](api.md#notice) and [Trimmed](api.md#trimmed).\n\n\
         ## Examples\n",
        crate::http::HEARTBEAT.as_secs(),
        crate::http::Limits::default().answer.as_secs(),
        crate::http::Limits::default().streams,
    );
    for kind in Kind::ALL {
        // Writing to a String cannot fail.
        let _ =
            write!(page, "\n### `{kind}`\n\n{}\n\n```json\n{}\n```\n", kind.says(), line(&example(*kind)));
    }
    for (says, example) in [
        ("Some were kept no more before they were sent.", trimmed("n-5f2c81aa-1042-0", Some(12))),
        ("Nobody knows the id.", trimmed("n-00000000-7-0", None)),
    ] {
        let _ = write!(page, "\n### `{TRIMMED}`\n\n{says}\n\n```json\n{}\n```\n", line(&example));
    }
    page
}

fn pretty(schema: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(schema).unwrap())
}

#[test]
fn the_page_of_events_and_the_schemas_are_what_the_types_say() {
    testing::reference("events.md", &page());
    testing::reference(
        &format!("events/notice.v{NOTICE_VERSION}.schema.json"),
        &pretty(&schema_of_notices()),
    );
    let trimmed = pretty(&schema_of_trimmed());
    testing::reference(&format!("events/{TRIMMED}.v{TRIMMED_VERSION}.schema.json"), &trimmed);
}

#[test]
fn every_example_is_what_its_schema_says_and_comes_back_as_it_was() {
    for kind in Kind::ALL {
        let notice = example(*kind);
        let document = notice.document().unwrap();
        check(&document).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&document).unwrap(), notice);
    }
    for missing in [None, Some(12)] {
        check(&line(&trimmed("n-1", missing))).unwrap();
    }
}

/// Danger: a schema that takes everything, or one that takes nothing that a later release adds.
#[test]
fn a_schema_takes_what_may_be_added_and_nothing_that_would_be_another_version() {
    let notice = serde_json::to_value(example(Kind::Wanted)).unwrap();
    let changed = |field: &str, value: Value| {
        let mut notice = notice.clone();
        notice[field] = value;
        check(&notice.to_string())
    };
    changed("new_field", json!({ "deep": 7 })).unwrap();
    changed("type", json!("a_kind_of_a_later_release")).unwrap();
    let mut amount = notice["amount"].clone();
    amount["in_words"] = json!("three hundred");
    changed("amount", amount).unwrap();
    for (field, value) in [
        ("version", json!(NOTICE_VERSION + 1)),
        ("type", json!(7)),
        ("severity", json!("fatal")),
        ("amount", json!("300 XRP")),
        ("signers", json!("bob")),
        ("id", Value::Null),
        ("ledger", json!({ "index": "1042" })),
    ] {
        assert!(changed(field, value.clone()).is_err(), "{field} {value}");
    }
    for field in ["id", "version", "type", "severity", "timestamp", "says"] {
        let mut notice = notice.clone();
        notice.as_object_mut().unwrap().remove(field);
        assert!(check(&notice.to_string()).is_err(), "without {field}");
    }
    assert!(check(&json!({ "version": 1, "type": TRIMMED }).to_string()).is_err());
}
