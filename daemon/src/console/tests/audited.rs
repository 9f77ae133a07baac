//! The page of the audit log.

use treasury_api::types::AuditEntry;
use treasury_verify::audit::{Checker, Part};

use super::*;

/// Danger: a note runs as a script in the browser of the auditor; the page hides that the chain is broken.
#[tokio::test]
async fn the_audit_page_is_searched_taken_along_and_says_how_the_chain_stands() {
    const HOSTILE: &str = "<script>alert(1)</script>";
    let dir = tempfile::tempdir().unwrap();
    let (served, audit) = Served::audited(dir.path()).await;
    served.proposal(HOSTILE).await;
    served.proposal("rent").await;
    let stranger = served.browser();
    assert_eq!(stranger.send("/console/login", &[("token", "nobody's")], &[]).await.status, 401);
    let sue = served.login("sue").await;
    sue.does("/console/do/freeze", &[("reason", "a drill"), ("account", "")]).await;
    audit.write_down(&served.handle).await.unwrap();
    audit.settle(&served.handle, true).unwrap();
    let page = sue.shows("/console/audit").await;
    assert!(page.contains("not yet") && page.contains(&audit.chain().head), "{page}");
    for row in [
        "sue asked for freeze by console from 127.0.0.1",
        "asked for login by console from 127.0.0.1 and was refused with TOKEN_WRONG",
        "sue asked for login by console",
    ] {
        assert!(page.contains(row), "{row}: {page}");
    }
    audit.prove();
    let page = sue.shows("/console/audit?about=P1&person=alice").await;
    assert!(page.contains("P1 was asked for by alice") && !page.contains("P2"));
    assert!(!page.contains("was set on everything"), "{page}");
    assert!(page.contains(&format!("all {} entries of then", audit.chain().count)), "{page}");
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;"));
    let report = sue.get("/console/audit/report.html?about=P1").await;
    assert_eq!(report.header("content-disposition"), "attachment; filename=\"audit.html\"");
    assert!(report.text.contains("P1 was asked for") && !report.text.contains("<script>alert"));
    let csv = sue.get("/console/audit.csv").await;
    assert!(csv.text.starts_with("number,at,ledger") && csv.text.contains("\"freeze\""), "{}", csv.text);
    // What is taken along can be proven elsewhere.
    let lines = sue.get("/console/audit.jsonl").await;
    let mut checker = Checker::whole();
    for line in lines.text.lines() {
        let entry: AuditEntry = serde_json::from_str(line).unwrap();
        checker.take(&entry).unwrap();
    }
    assert_eq!(checker.head().map(|(_, head)| head.to_owned()), Some(audit.chain().head));
    // And the page says so where it cannot be.
    let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("a drill", "a prank")).unwrap();
    audit.prove();
    assert!(sue.shows("/console/audit").await.contains("cannot be relied on"));
}

/// Danger: a file that is taken along ends where a page of the API does, and nobody sees that the rest is missing.
#[tokio::test]
async fn what_is_taken_along_has_every_entry_however_many_there_are() {
    const ENTRIES: usize = 1_100;
    let dir = tempfile::tempdir().unwrap();
    let (served, audit) = Served::audited(dir.path()).await;
    served.client("sue").freeze(None, "a drill").await.unwrap();
    audit.write_down(&served.handle).await.unwrap();
    for number in 0..ENTRIES {
        let text = serde_json::json!({ "kind": "configured", "policy": format!("{number}") });
        audit.say(&served.handle, text).unwrap();
    }
    let sue = served.login("sue").await;
    let lines = sue.get("/console/audit.jsonl").await.text;
    let mut checker = Checker::whole();
    for line in lines.lines() {
        checker.take(&serde_json::from_str::<AuditEntry>(line).unwrap()).unwrap();
    }
    assert_eq!(checker.head().map(|(_, head)| head.to_owned()), Some(audit.chain().head));
    // Of what is searched for, the last line says what it is a part of; a table has none.
    let part = sue.get("/console/audit.jsonl?until=2001-01-01").await.text;
    assert_eq!(part, "", "nothing was found");
    let part = sue.get("/console/audit.jsonl?person=sue").await.text;
    let (rows, end) = (part.lines().count() - 1, Part::read(part.lines().last().unwrap()).unwrap());
    assert_eq!((usize::try_from(end.entries).unwrap(), &end.head), (rows, &audit.chain().head));
    assert_eq!(sue.get("/console/audit.csv?person=sue").await.text.lines().count(), rows + 1);
    let csv = sue.get("/console/audit.csv").await.text;
    assert_eq!(csv.lines().count(), lines.lines().count() + 1);
    assert!(lines.lines().count() >= ENTRIES);
}
