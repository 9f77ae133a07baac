use serde_json::json;

use super::*;

const SALT: &str = "00112233445566778899aabbccddeeff";
const OTHER_SALT: &str = "ffeeddccbbaa99887766554433221100";

fn open(salt: &str, kind: &str, value: &str) -> (String, AuditOpened) {
    let opened = AuditOpened { kind: kind.to_owned(), salt: salt.to_owned(), value: Some(value.to_owned()) };
    (commitment(salt, value), opened)
}

/// Three entries, each with a person and a reason.
fn log() -> Vec<AuditEntry> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    for n in 1_u64..=3 {
        let (who, person) = open(SALT, "person", "sue");
        let (why, reason) = open(OTHER_SALT, "text", "=cmd <b>odd</b>");
        let text = json!({
            "at": format!("2026-11-27T10:00:0{n}Z"), "kind": "facts", "record": n, "about": ["S1"],
            "who": { "person": format!("#{who}"), "origin": "http" },
            "events": [{ "event": "stop_set", "stop": { "id": 1, "kind": "freeze", "subject": "everything",
                         "source": { "person": format!("#{who}") }, "reason": format!("#{why}") } }],
        });
        let last = entries.last().map(|entry| (entry.number, entry.hash.clone()));
        let last = last.as_ref().map(|(number, hash)| (*number, hash.as_str()));
        entries.push(sealed(last, text.to_string(), BTreeMap::from([(who, person), (why, reason)])));
    }
    entries
}

fn checked(entries: &[AuditEntry]) -> Result<Checker, AuditFault> {
    let mut checker = Checker::whole();
    entries.iter().try_for_each(|entry| checker.take(entry))?;
    Ok(checker)
}

#[test]
fn a_whole_log_is_proven_and_its_head_is_that_of_its_last_entry() {
    let entries = log();
    let checker = checked(&entries).unwrap();
    assert_eq!(checker.head(), Some((3, entries[2].hash.as_str())));
    assert_eq!((checker.count, checker.texts.missing.count()), (3, 0));
    // As anybody computes it with a program of the system.
    assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn every_change_of_an_entry_is_found() {
    type Change = fn(&mut AuditEntry);
    let changes: [(Change, &str); 6] = [
        (|entry| entry.text = entry.text.as_ref().map(|text| text.replace("http", "console")), "AUDIT_TEXT"),
        (|entry| entry.digest = digest("another"), "AUDIT_HASH"),
        (|entry| entry.hash = digest("another"), "AUDIT_HASH"),
        (|entry| entry.before = digest("another"), "AUDIT_NOT_LINKED"),
        (|entry| entry.number = 9, "AUDIT_GAP"),
        (
            |entry| entry.open.values_mut().for_each(|opened| opened.value = Some("bob".to_owned())),
            "AUDIT_OPENED",
        ),
    ];
    for (change, code) in changes {
        let mut entries = log();
        change(&mut entries[1]);
        assert_eq!(checked(&entries).unwrap_err().code(), code);
    }
    let mut entries = log();
    entries.remove(1);
    assert_eq!(checked(&entries).unwrap_err(), AuditFault::Gap { expected: 2, found: 3 });
    let mut anew = log();
    anew.truncate(1);
    let second = sealed(Some((1, &anew[0].hash)), "{}".to_owned(), BTreeMap::new());
    anew.push(second);
    assert!(checked(&anew).is_ok(), "a chain that was written anew proves itself");
    let noted = log()[1].hash.clone();
    let mut checker = Checker::whole().noted(2, &noted);
    checker.take(&anew[0]).unwrap();
    assert_eq!(
        checker.take(&anew[1]).unwrap_err().code(),
        "AUDIT_NOTED",
        "and what was noted does not agree"
    );
    assert_eq!(Checker::whole().noted(2, &noted).finish().unwrap_err().code(), "AUDIT_GAP");
}

/// Danger: a note of two lines loses its first, which goes into the salt, and the log is proven all the same.
#[test]
fn no_part_of_a_value_can_be_hidden_in_its_salt() {
    let (name, whole) = open(SALT, "text", "do not\npay this");
    let entry = sealed(None, format!("{{\"note\":\"#{name}\"}}"), BTreeMap::from([(name, whole)]));
    assert!(checked(std::slice::from_ref(&entry)).is_ok());
    let changes: [fn(&mut AuditOpened); 4] = [
        |opened| {
            opened.salt.push_str("\ndo not");
            opened.value = Some("pay this".to_owned());
        },
        |opened| opened.salt.make_ascii_uppercase(),
        |opened| opened.salt.truncate(31),
        |opened| opened.value = None,
    ];
    for change in changes {
        let mut changed = entry.clone();
        changed.open.values_mut().for_each(change);
        assert_eq!(checked(&[changed]).unwrap_err(), AuditFault::Opened(1));
    }
}

/// Danger: somebody takes a name or a reason away by hand, and says of it that it is a record, which stands elsewhere.
#[test]
fn nothing_but_the_record_of_an_entry_can_be_proven_elsewhere() {
    let (record, mut elsewhere) = open(SALT, "record", "{}");
    elsewhere.value = None;
    let (why, reason) = open(OTHER_SALT, "text", "do not pay this");
    let said = |facts: &str| {
        // What is called so further in is no record.
        let events =
            json!([{ "event": "rejected", "reason": format!("#{why}"), "facts": format!("#{why}") }]);
        let text = json!({ "kind": "facts", "facts": facts, "events": events });
        let open = BTreeMap::from([(record.clone(), elsewhere.clone()), (why.clone(), reason.clone())]);
        sealed(None, text.to_string(), open)
    };
    let entry = said(&format!("#{record}"));
    assert!(checked(std::slice::from_ref(&entry)).unwrap().unaccounted().is_empty());
    let mut changed = entry;
    if let Some(reason) = changed.open.get_mut(&why) {
        (reason.kind, reason.value) = (RECORD.to_owned(), None);
    }
    assert_eq!(checked(&[changed]).unwrap_err(), AuditFault::Opened(1));
    // Nor a record that the entry is not made of.
    assert_eq!(checked(&[said(&format!("#{record} "))]).unwrap_err(), AuditFault::Opened(1));
}

#[test]
fn texts_and_names_can_be_taken_away_and_the_chain_holds() {
    let mut entries = log();
    (entries[0].text, entries[0].open) = (None, BTreeMap::new());
    entries[1].open.retain(|_, opened| opened.kind != "person");
    let checker = checked(&entries).unwrap();
    assert_eq!((checker.count, checker.texts.missing.count()), (3, 1));
    assert_eq!(opened(&entries[0]), None);
    let said = opened(&entries[1]).unwrap();
    assert_eq!(said["who"]["person"], "(removed)");
    assert!(people(&said).contains("(removed)"));
    assert_eq!(said["events"][0]["stop"]["reason"], "=cmd <b>odd</b>");
}

/// Danger: somebody takes away what tells against them, and the log is as whole as before.
#[test]
fn what_is_missing_and_was_not_said_to_be_taken_away_is_counted() {
    assert!(checked(&log()).unwrap().unaccounted().is_empty());
    let mut entries = log();
    (entries[0].text, entries[0].open) = (None, BTreeMap::new());
    for entry in &mut entries[1..] {
        entry.open.retain(|_, opened| opened.kind != "person");
    }
    let checker = checked(&entries).unwrap();
    assert_eq!((checker.texts.unaccounted(), checker.openings.unaccounted()), (1, 2));
    let said = checker.unaccounted();
    assert!(said[0].starts_with("1 texts are missing") && said[0].ends_with("of entry 1"), "{said:?}");
    assert!(said[1].starts_with("2 names or texts") && said[1].ends_with("of entry 2"), "{said:?}");
    for said in [json!({ "kind": "removed", "texts": 1 }), json!({ "kind": "removed", "entries": 1 })] {
        let last = entries.last().map(|entry| (entry.number, entry.hash.clone())).unwrap();
        entries.push(sealed(Some((last.0, &last.1)), said.to_string(), BTreeMap::new()));
    }
    let checker = checked(&entries).unwrap();
    assert_eq!((checker.texts.unaccounted(), checker.openings.unaccounted()), (0, 1));
    entries.pop();
    entries.push(sealed(
        Some((4, &entries[3].hash)),
        json!({ "note": "\"removed\"", "entries": 9 }).to_string(),
        BTreeMap::new(),
    ));
    assert_eq!(checked(&entries).unwrap().openings.unaccounted(), 2, "that one is of another kind");
}

/// Danger: names were taken away and said to be, then the whole texts; and as many others can be taken away by hand, and nobody
/// notices.
#[test]
fn what_was_said_of_one_entry_covers_no_other() {
    let mut entries = log();
    let say = |entries: &mut Vec<AuditEntry>, said: Value| {
        let last = entries.last().map(|entry| (entry.number, entry.hash.clone())).unwrap();
        entries.push(sealed(Some((last.0, &last.1)), said.to_string(), BTreeMap::new()));
    };
    say(&mut entries, json!({ "kind": "removed", "entries": 1, "of": [[2, 2]] }));
    say(&mut entries, json!({ "kind": "removed", "texts": 2, "of": [[1, 2]] }));
    for entry in &mut entries[..2] {
        (entry.text, entry.open) = (None, BTreeMap::new());
    }
    assert!(checked(&entries).unwrap().unaccounted().is_empty());
    entries[2].open.retain(|_, opened| opened.kind != "person");
    let said = checked(&entries).unwrap().unaccounted();
    assert!(said.len() == 1 && said[0].ends_with("of entry 3"), "{said:?}");
}

#[test]
fn a_report_is_read_without_the_program_and_runs_nothing_of_what_people_wrote() {
    let entries = log();
    let page = report(&entries, "P1 <i>", "2026-11-27T11:00:00Z");
    let said = "Stop S1 (freeze) was set on everything by sue: =cmd &lt;b&gt;odd&lt;/b&gt;";
    assert!(page.contains(said) && page.contains("P1 &lt;i&gt;"), "{page}");
    assert!(page.contains(&entries[2].hash) && page.contains("@media print"));
    assert!(!page.contains("<b>") && !page.contains("<script") && !page.contains("http://"));
    assert!(report(&[], "P999", "").contains("No entry matches."));
    let row = csv_row(&entries[0]);
    assert!(row.starts_with("\"1\",\"2026-11-27T10:00:01Z\",\"\",\"facts\",\"sue\",\"http\""), "{row}");
    assert_eq!(row.matches("\",\"").count() + 1, csv_head().split(',').count());
}

/// The same log as this version writes it: what kind of thing each commitment opens is hashed with the text.
fn log_with_kinds() -> Vec<AuditEntry> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    for entry in log() {
        let mut text: Value = serde_json::from_str(entry.text.as_ref().unwrap()).unwrap();
        text["kinds"] = json!(kinds(&entry.open));
        let last = entries.last().map(|entry| (entry.number, entry.hash.clone()));
        let last = last.as_ref().map(|(number, hash)| (*number, hash.as_str()));
        entries.push(sealed(last, text.to_string(), entry.open));
    }
    entries
}

/// Danger: somebody labels a name as a text, so that whoever takes a person out of the log leaves it, and every proof holds.
#[test]
fn what_is_opened_cannot_be_labelled_otherwise_and_entries_of_before_are_proven_as_they_were() {
    for kind in ["text", "record", "address", "", "Person"] {
        let relabel = |entry: &mut AuditEntry| {
            let person = entry.open.values_mut().find(|opened| opened.kind == "person").unwrap();
            person.kind = kind.to_owned();
        };
        let mut entries = log_with_kinds();
        checked(&entries).unwrap();
        relabel(&mut entries[1]);
        assert_eq!(checked(&entries).unwrap_err(), AuditFault::Opened(2), "{kind}");
        let mut before = log();
        relabel(&mut before[1]);
        checked(&before).unwrap();
    }
    // What was taken away leaves its kind behind, and the rest is proven.
    let mut entries = log_with_kinds();
    entries[1].open.retain(|_, opened| opened.kind != "person");
    assert_eq!(checked(&entries).unwrap().openings.missing.count(), 1);
    assert!(sentences(&opened(&entries[1]).unwrap()).iter().any(|said| said.contains("by (removed)")));
}

/// Danger: two people were taken out, and what one of them did is told as the other's, or not at all.
#[test]
fn of_two_people_who_were_taken_away_neither_hides_the_other() {
    let (one, of_one) = open(SALT, "person", "sue");
    let (two, _) = open(OTHER_SALT, "person", "bob");
    let approvals = json!({ format!("#{one}"): 1, format!("#{two}"): 2, "(removed) 2": 3 });
    let text = json!({ "approvals": approvals, "no": format!("#{}", "g".repeat(64)) }).to_string();
    let shown = |open| opened(&sealed(None, text.clone(), open)).unwrap();
    let said = shown(BTreeMap::new());
    let left: Vec<u64> =
        said["approvals"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).collect();
    assert_eq!(left.iter().sum::<u64>(), 6, "{said}");
    assert_eq!(said["no"], format!("#{}", "g".repeat(64)), "what is no commitment was not removed");
    let said = shown(BTreeMap::from([(one, of_one)]));
    assert_eq!((&said["approvals"]["sue"], &said["approvals"]["(removed)"]), (&json!(1), &json!(2)));
}

/// Danger: a name was taken away, the disk damages what is left of its entry, and whoever reads the log breaks, or is told nothing;
/// or what is whole is told to be broken.
#[test]
fn every_damage_after_a_name_was_taken_away_is_found_and_breaks_no_reader() {
    let mut entries = log_with_kinds();
    entries[1].open.retain(|_, opened| opened.kind != "person");
    let last = entries.last().map(|last| (last.number, last.hash.clone())).unwrap();
    let removal = r#"{"kind":"removed","entries":1,"of":[[2,2]]}"#;
    entries.push(sealed(Some((last.0, &last.1)), removal.to_owned(), BTreeMap::new()));
    let is_whole =
        |entries: &[AuditEntry]| checked(entries).is_ok_and(|found| found.unaccounted().is_empty());
    assert!(is_whole(&entries), "what is whole is no fault");
    let mut tried = 0;
    for at in 0..entries.len() {
        let line = serde_json::to_string(&entries[at]).unwrap();
        for (byte, bit) in (0..line.len()).flat_map(|byte| [1, 2, 0x20].map(|bit| (byte, bit))) {
            let mut bytes = line.clone().into_bytes();
            bytes[byte] ^= bit;
            let Some(damaged) = serde_json::from_slice::<AuditEntry>(&bytes).ok() else { continue };
            let said = opened(&damaged).unwrap_or_default();
            let _ = (about(&said), moment(&said).len(), people(&said), sentences(&said), csv_row(&damaged));
            // What more is gone from an entry from which something was taken away is told apart by nobody.
            let is_less = at == 1
                && damaged.open.iter().all(|(name, open)| entries[1].open.get(name) == Some(open))
                && AuditEntry { open: BTreeMap::new(), ..damaged.clone() }
                    == AuditEntry { open: BTreeMap::new(), ..entries[1].clone() };
            if is_less {
                continue;
            }
            let mut all = entries.clone();
            all[at] = damaged;
            assert!(!is_whole(&all), "{}", String::from_utf8_lossy(&bytes));
            tried += 1;
        }
    }
    assert!(tried > 3_000, "{tried}");
}
