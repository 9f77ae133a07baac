use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use tempfile::TempDir;
use tokio::net::TcpListener;
use treasury_api::types::{AmountView, ApproveRequest, AuditQuery, ProposalView, ProposeRequest};
use treasury_verify::audit::{about, opened, people, sentences};

use super::look::{Waiting, Wanted};
use super::*;
use crate::client::Client;
use crate::engine::Engine;
use crate::http::{App, Limits, Tokens, serve};
use crate::store::{DiskStore, MemoryStore, Store, StoreError, forget};
use crate::testing::{self, ALICE, BOB, token_of};

/// A served daemon's insides with an audit log in a folder of its own, whose follower is called by hand.
pub(crate) struct Watched {
    pub(crate) dir: TempDir,
    pub(crate) url: String,
    pub(crate) audit: Arc<Audit>,
    pub(crate) handle: EngineHandle,
    _stop: watch::Sender<bool>,
}

impl Watched {
    async fn new() -> Self {
        let watched = Self::on(MemoryStore::new(), tempfile::tempdir().unwrap()).await;
        testing::look(&watched.handle).await;
        watched
    }

    /// On a store with what is in it, and an audit log that may be there.
    async fn on(store: impl Store + 'static, dir: TempDir) -> Self {
        let (mut engine, metrics, _) = testing::engine(store);
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        let opened = Audit::open(&dir.path().join(FOLDER), Clock::system(), Arc::clone(&metrics));
        let audit = Arc::new(opened.unwrap());
        let last = *handle.records().borrow();
        audit.begin(&handle, last).await.unwrap();
        let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default())
            .with_console(Some(crate::console::ConsoleConfig::default()))
            .with_audit(Some(Arc::clone(&audit)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, app, stopped));
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { dir, url: format!("http://{address}"), audit, handle, _stop: stop }
    }

    pub(crate) fn client(&self, person: &str) -> Client {
        Client::new(&self.url, Some(token_of(person))).unwrap()
    }

    /// A proposal of alice's.
    pub(crate) async fn propose(&self, note: &str) -> ProposalView {
        let asked = ProposeRequest {
            account: "warm".to_owned(),
            destination: "exchange".to_owned(),
            amount: AmountView { asset: "XRP".to_owned(), value: "5000000".to_owned() },
            note: note.to_owned(),
            ..ProposeRequest::default()
        };
        let id = self.client("alice").propose(&asked).await.unwrap().proposal;
        self.client("alice").proposal(&id).await.unwrap()
    }

    /// Everything that has been written down by now, proven as an outsider proves it: from its lines.
    pub(crate) async fn lines(&self) -> Vec<AuditEntry> {
        self.audit.write_down(&self.handle).await.unwrap();
        self.audit.settle(&self.handle, true).unwrap();
        proven(&self.dir)
    }
}

/// The entries of a folder, proven.
fn proven(dir: &TempDir) -> Vec<AuditEntry> {
    let shelf = Shelf::open(&dir.path().join(FOLDER)).unwrap();
    let entries: Vec<AuditEntry> = shelf.entries(0).collect::<Result<_, _>>().unwrap();
    let mut checker = Checker::whole();
    entries.iter().for_each(|entry| checker.take(entry).unwrap());
    assert_eq!(checker.count, shelf.count());
    entries
}

fn signed(n: u8, proposal: &ProposalView) -> ApproveRequest {
    let rungs: Vec<_> = proposal.rungs.iter().map(|rung| rung.blob.parse().unwrap()).collect();
    let signed = testing::signatures(n, &rungs);
    ApproveRequest {
        signer: signed.signer.to_string(),
        signing_pub_key: signed.signing_pub_key.to_string(),
        signatures: signed.signatures.iter().map(ToString::to_string).collect(),
        void_signatures: Vec::new(),
    }
}

/// The entries that say this of somebody.
fn telling<'a>(entries: &'a [AuditEntry], part: &str) -> Vec<&'a AuditEntry> {
    let tells = |entry: &&AuditEntry| {
        opened(entry).is_some_and(|said| sentences(&said).iter().any(|sentence| sentence.contains(part)))
    };
    entries.iter().filter(tells).collect()
}

fn telling_in(entries: &[&AuditEntry], part: &str) -> usize {
    let entries: Vec<AuditEntry> = entries.iter().copied().cloned().collect();
    telling(&entries, part).len()
}

/// Goal: an auditor who has nothing but the lines finds who did what, when, from where, why and by which rule, and that
/// nothing of it was changed. Danger: a secret, a signature or a token is in it.
#[tokio::test]
async fn an_auditor_reads_from_the_lines_alone_who_did_what_and_why_and_no_secret_is_in_them() {
    let watched = Watched::new().await;
    let proposal = watched.propose("invoice 12").await;
    let (first, second) = (signed(ALICE, &proposal), signed(BOB, &proposal));
    watched.client("alice").approve("P1", &first).await.unwrap();
    watched.client("sue").freeze(None, "a stranger called").await.unwrap();
    watched.client("bob").approve("P1", &second).await.unwrap();
    watched.client("sue").freeze(None, "again").await.unwrap();
    let refused = watched.client("bob").freeze(None, "I may not").await.unwrap_err();
    assert!(refused.to_string().contains("security"), "{refused}");
    let stranger = Client::new(&watched.url, Some("NOT A TOKEN OF ANYBODY".to_owned())).unwrap();
    for _ in 0..3 {
        stranger.status().await.unwrap_err();
    }
    let reason = "no answer of \"ws://op:PASSWORD99@127.0.0.1:6006/v1/KEY99?k=KEY99\": refused".to_owned();
    watched.handle.input(treasury_core::Input::SightLost { reason }).await.unwrap();
    let stop = watched.client("sue").stops().await.unwrap().standing[0].id.clone();
    watched.client("adam").lift(&[stop], "it was the auditor").await.unwrap();
    let entries = watched.lines().await;

    let asked = telling(&entries, "P1 was asked for by alice");
    let said = opened(asked[0]).unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((&said["who"]["person"], &said["who"]["origin"]), (&"alice".into(), &"http".into()));
    assert_eq!(
        (&said["who"]["operation"], &said["who"]["address"]),
        (&"propose".into(), &"127.0.0.1".into())
    );
    assert_eq!(said["who"]["token"].as_str().unwrap().len(), 8);
    assert_eq!(said["who"]["request"].as_str().unwrap().len(), 16);
    assert_eq!(said["ledger"]["index"], 101);
    assert!(said["at"].as_str().unwrap().starts_with("20"), "{said}");
    assert_eq!(about(&said), ["P1"]);
    let words = sentences(&said).join("\n");
    for part in
        ["invoice 12", "by rule small", "exchange (r", "pay 5 XRP from warm (r", "people have to sign"]
    {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    for (part, person) in [
        ("P1 was signed by bob", "bob"),
        ("set on everything by sue: a stranger called", "sue"),
        ("was lifted by adam: it was the auditor", "adam"),
    ] {
        let told = telling(&entries, part);
        assert_eq!(told.len(), 1, "{part}");
        assert!(people(&opened(told[0]).unwrap()).contains(person));
    }
    // What became no record is counted.
    assert_eq!(
        telling(&entries, "bob asked for freeze by http from 127.0.0.1 and was refused with ").len(),
        1
    );
    assert_eq!(
        telling(&entries, "for status by http from 127.0.0.1 and was refused with TOKEN_WRONG, 3 times")
            .len(),
        1
    );

    let text = serde_json::to_string(&entries).unwrap();
    let mut secrets = ["NOT A TOKEN", "PASSWORD99", "KEY99"].map(str::to_owned).to_vec();
    secrets.extend(["alice", "bob", "sue", "adam"].map(token_of));
    secrets.extend(first.signatures.into_iter().chain(second.signatures));
    for secret in secrets {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret} is in the audit log");
    }
    // As somebody far away gets it, too.
    let page =
        watched.client("bob").audit(&AuditQuery { after: Some(0), ..AuditQuery::default() }).await.unwrap();
    assert_eq!((page.entries, page.next), (entries.clone(), None));
    let report = AuditQuery { about: Some("P1".to_owned()), ..AuditQuery::default() };
    let report = watched.client("bob").audit_report(&report).await.unwrap();
    assert!(report.contains("P1 was signed by bob") && !report.contains("was lifted"), "{report}");
    // A name stands nowhere but where it can be taken away.
    for entry in &entries {
        let text = entry.text.as_deref().unwrap();
        for name in ["alice", "bob", "sue", "adam", "127.0.0.1", "invoice"] {
            assert!(!text.contains(name), "{name} is in {text}");
        }
    }
}

/// Danger: the daemon is killed, and what came last is in the store and not in the log.
#[tokio::test]
async fn what_a_crash_kept_from_the_log_is_written_down_at_the_next_start_with_who_asked_for_it() {
    let store = MemoryStore::new();
    let watched = Watched::on(store.clone(), tempfile::tempdir().unwrap()).await;
    testing::look(&watched.handle).await;
    watched.lines().await;
    watched.client("sue").freeze(None, "at night").await.unwrap();
    let Watched { dir, audit, handle, .. } = watched;
    handle.stop().await;
    drop(audit);
    // And the last line is cut off.
    let file = std::fs::read_dir(dir.path().join(FOLDER)).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 7]).unwrap();
    let kept = store.clone();
    let again = Watched::on(store, dir).await;
    let entries = again.lines().await;
    let told = telling(&entries, "set on everything by sue: at night");
    assert_eq!(told.len(), 1);
    assert_eq!(opened(told[0]).unwrap()["who"]["address"], "127.0.0.1");
    assert_eq!(telling(&entries, "The audit log begins").len(), 1, "it goes on where it was");
    let (held, differs) = against(&again.audit.shelf(), &kept).unwrap();
    assert!(held > 1 && differs.is_none(), "{held} entries are what the store says");
    let (_, differs) = against(&again.audit.shelf(), &MemoryStore::new()).unwrap();
    assert!(differs.is_some(), "and not what another one says");
    // Whoever cuts the log's end off has to cut the store's off as well.
    let shelf = || Shelf::open(&again.dir.path().join(FOLDER)).unwrap();
    assert_eq!(behind(&shelf(), &kept).unwrap(), 0);
    let text = std::fs::read_to_string(&file).unwrap();
    let left: String =
        text.lines().take_while(|line| !line.contains("at night")).map(|line| format!("{line}\n")).collect();
    assert!(left.lines().count() > 1);
    std::fs::write(&file, left).unwrap();
    assert!(behind(&shelf(), &kept).unwrap() > 0);
}

/// A store of an earlier version opens, and the chain begins at a point that is marked.
#[tokio::test]
async fn the_log_of_a_store_from_before_begins_at_a_marked_point_and_so_does_that_of_another_store() {
    let store = MemoryStore::new();
    let (mut engine, ..) = testing::engine(store.clone());
    testing::carry_nothing_out(&mut engine);
    testing::look(&engine.handle).await;
    engine.handle.command(testing::actor("sue"), testing::freeze("long ago")).await.unwrap().unwrap();
    engine.handle.stop().await;
    let last = store.last();
    let watched = Watched::on(store, tempfile::tempdir().unwrap()).await;
    watched.client("sue").freeze(None, "today").await.unwrap();
    let entries = watched.lines().await;
    let began = telling(&entries, ": what came before was stored by a version without one");
    assert_eq!(began[0].number, 1);
    let record = opened(began[0]).unwrap()["record"].as_u64().unwrap();
    // The second engine loses the first one's sight, which is a record, before or after the log is opened.
    assert!((last..=last + 1).contains(&record), "it begins after record {record} of {last}");
    assert!(telling(&entries, "long ago").is_empty() && telling(&entries, "today").len() == 1);
    let Watched { dir, handle, .. } = watched;
    handle.stop().await;
    let other = Watched::on(MemoryStore::new(), dir).await;
    testing::look(&other.handle).await;
    let entries = other.lines().await;
    assert_eq!(telling(&entries, "the store's records are others").len(), 1);
}

/// Says nothing of what is taken away.
fn unsaid(_: Taken) -> Result<(), AuditError> {
    Ok(())
}

/// Danger: the disk is full in the midst of taking old texts away, and the log says for ever that somebody did it who is not
/// the program; and what somebody takes away by hand hides behind that.
#[test]
fn taking_away_that_is_broken_off_is_held_against_nobody_and_goes_on_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(FOLDER);
    let mut book = Book::open_with(&folder, 3).unwrap();
    let draft = |n: u64| {
        let text = format!("{{\"n\":{n},\"at\":\"2001-01-0{n}T00:00:00Z\"}}");
        Draft { text, ..Draft::default() }
    };
    book.add((1..=9).map(draft).collect()).unwrap();
    drop(book);
    let checked = || Shelf::open(&folder).unwrap().check(Checker::whole()).unwrap().texts;
    let full = || AuditError::io("write", &folder)(std::io::ErrorKind::StorageFull.into());
    let broken_off = |before: &str| {
        let shelf = Shelf::open(&folder).unwrap();
        let trimmed = shelf.trim(before, false, |taken| {
            say_taken(dir.path(), "old texts", taken)?;
            Err(full())
        });
        assert!(trimmed.is_err());
    };
    broken_off("2001-01-06");
    let counts = || (checked().missing.count(), checked().said.without(&checked().missing).count());
    assert_eq!(counts(), (0, 5), "it is said before it is done");
    // What has become old since is said as well, and no more than that.
    broken_off("2001-01-08");
    assert_eq!(counts(), (0, 7));
    let shelf = Shelf::open(&folder).unwrap();
    let said_again = |_: Taken| -> Result<(), AuditError> { panic!("it is said") };
    assert_eq!(shelf.trim("2001-01-08", false, said_again).unwrap(), 7);
    assert_eq!((counts(), checked().unaccounted()), ((7, 0), 0));
}

#[tokio::test]
async fn texts_that_are_old_enough_and_people_who_left_are_taken_away_and_the_chain_is_as_whole() {
    let watched = Watched::new().await;
    watched.propose("for bob's birthday").await;
    watched.client("sue").freeze(None, "a stranger called").await.unwrap();
    let before = watched.lines().await;
    let head = before.last().unwrap().hash.clone();
    let shelf = watched.audit.shelf();
    assert!(shelf.forget("sue", &BTreeSet::new(), unsaid).unwrap() > 0);
    assert!(shelf.forget("bob", &BTreeSet::new(), unsaid).unwrap() > 0);
    let entries = proven(&watched.dir);
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains("sue") && !text.contains("stranger") && !text.contains("birthday"), "{text}");
    assert!(text.contains("alice"), "others stay");
    assert_eq!(telling(&entries, "by (removed)").len(), 1);
    assert_eq!(shelf.forget("sue", &BTreeSet::new(), unsaid).unwrap(), 0);
    assert_eq!(shelf.trim("2001-01-01", false, unsaid).unwrap(), 0);
    let trimmed = shelf.trim("2999-01-01", false, unsaid).unwrap();
    assert_eq!(trimmed, u64::try_from(entries.len() - 1).unwrap());
    let entries = proven(&watched.dir);
    let left: Vec<&AuditEntry> = entries.iter().filter(|entry| entry.text.is_some()).collect();
    assert_eq!(
        telling_in(&left, "was set on everything by (removed)"),
        1,
        "the last record: the daemon goes on after it"
    );
    assert_eq!(entries.last().unwrap().hash, head, "the head is what it was");
    let Watched { dir, handle, .. } = watched;
    handle.stop().await;
    let missing = shelf.check(Checker::whole()).unwrap().texts.missing;
    say_taken(dir.path(), "everything", Taken::Texts(missing)).unwrap();
    let entries = proven(&dir);
    assert_eq!(telling(&entries, "Removed from the audit log: everything").len(), 1, "and it goes on");
    let shelf = Shelf::open(&dir.path().join(FOLDER)).unwrap();
    let checker = shelf.check(Checker::whole()).unwrap();
    assert_eq!((checker.texts.unaccounted(), checker.texts.missing.count()), (0, trimmed));
    assert_eq!(shelf.older("9999").unwrap(), 0, "and what says so stays");
}

#[test]
fn entries_are_found_across_files_from_both_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::open_with(dir.path(), 3).unwrap();
    let draft = |n: u64| {
        let text = format!("{{\"n\":{n},\"at\":\"20{n:02}\"}}");
        Draft { text, ..Draft::default() }
    };
    book.add((1..=4).map(draft).collect()).unwrap();
    book.add((5..=10).map(draft).collect()).unwrap();
    drop(book);
    let book = Book::open_with(dir.path(), 3).unwrap();
    assert_eq!(book.head().0, 10);
    let shelf = book.shelf();
    let numbers = |found: &[AuditEntry]| found.iter().map(|entry| entry.number).collect::<Vec<_>>();
    let after: Vec<AuditEntry> = shelf.entries(5).collect::<Result<_, _>>().unwrap();
    assert_eq!(numbers(&after), [6, 7, 8, 9, 10]);
    let (found, next) = shelf.back(9, 3, 9, &|_| true).unwrap();
    assert_eq!((numbers(&found), next), (vec![8, 7, 6], Some(6)));
    let (found, next) = shelf.back(6, 9, 1, &|_| true).unwrap();
    assert_eq!((numbers(&found), next), (vec![5, 4], Some(4)), "only so many files at a time");
    let (found, next) = shelf.back(4, 9, 9, &|entry| entry.number == 2).unwrap();
    assert_eq!((numbers(&found), next), (vec![2], None));
    assert_eq!(shelf.check(Checker::whole()).unwrap().head().unwrap().0, 10);
    // A daemon takes texts away while it writes: the newest file is left alone.
    assert_eq!(shelf.trim("2008", true, unsaid).unwrap(), 7);
    assert_eq!(shelf.trim("2999", true, unsaid).unwrap(), 2);
    let checker = shelf.check(Checker::whole()).unwrap();
    assert_eq!((checker.count, checker.texts.missing.count()), (10, 9));
}

#[tokio::test]
async fn it_is_looked_for_by_person_date_and_proposal() {
    let watched = Watched::new().await;
    watched.propose("one").await;
    watched.propose("two").await;
    watched.client("sue").flag("P2", "odd").await.unwrap();
    let all = watched.lines().await;
    let waiting = Waiting::default();
    let wanted = |asked: AuditQuery| Wanted::of(asked).unwrap();
    let found = |asked| watched.audit.page(&wanted(asked), 500, &waiting.asked()).unwrap().entries;
    let said = |text: &str| Some(text.to_owned());
    let of_sue = found(AuditQuery { person: said("sue"), ..AuditQuery::default() });
    assert!(!of_sue.is_empty() && of_sue.len() < all.len());
    let about_two = found(AuditQuery { about: said("P2"), ..AuditQuery::default() });
    assert!(about_two.iter().all(|entry| about(&opened(entry).unwrap()).contains(&"P2".to_owned())));
    assert!(about_two.windows(2).all(|pair| pair[0].number > pair[1].number), "newest first");
    assert_eq!(telling(&about_two, "odd").len(), 1);
    let ever = AuditQuery {
        since: said("2020-01-01"),
        until: said("2999-01-01"),
        after: Some(0),
        ..AuditQuery::default()
    };
    assert_eq!(found(ever).len(), all.len());
    assert!(found(AuditQuery { since: said("2999-01-01"), ..AuditQuery::default() }).is_empty());
    assert!(found(AuditQuery { until: said("2001-01-01"), ..AuditQuery::default() }).is_empty());
    let all_of_it = AuditQuery { after: Some(0), ..AuditQuery::default() };
    let at = |entry: &AuditEntry| opened(entry).unwrap()["at"].as_str().unwrap().to_owned();
    let today = at(&all[0]).get(..10).unwrap().to_owned();
    let on = AuditQuery { until: Some(today.clone()), ..AuditQuery::default() };
    assert!(found(on).contains(&all[0]), "a date is the whole day");
    for no_date in ["yesterday", "31.12.2018", "2026"] {
        let asked = AuditQuery { until: said(no_date), ..AuditQuery::default() };
        for refused in [
            watched.client("sue").audit(&asked).await.unwrap_err(),
            watched.client("sue").audit_report(&asked).await.unwrap_err(),
        ] {
            let refused = format!("{refused:?}");
            assert!(refused.contains("BAD_VALUE") && refused.contains("until"), "{refused}");
        }
    }
    let page = watched.audit.page(&wanted(all_of_it), 2, &waiting.asked()).unwrap();
    assert_eq!((page.entries.len(), page.next), (2, Some(2)));
    watched.audit.prove();
    let chain = watched.audit.chain();
    assert_eq!((chain.verified_count, chain.problem), (Some(chain.count), None));
}

/// Danger: the host's clock is years ahead after a restart, and all texts are taken away.
#[tokio::test]
async fn texts_are_kept_by_the_ledgers_time_where_the_hosts_clock_is_ahead() {
    let store = MemoryStore::new();
    let watched = Watched::on(store.clone(), tempfile::tempdir().unwrap()).await;
    let ahead = RippleTime(clock::utc().0 + 40 * 365 * DAY_SECONDS);
    assert_eq!(watched.audit.end_of_keeping(30, ahead), None, "no ledger says what time it is");
    testing::look(&watched.handle).await;
    watched.audit.write_down(&watched.handle).await.unwrap();
    let closed = watched.handle.query(|state, _| state.ledger).await.unwrap().unwrap().close_time;
    let before = |utc| watched.audit.end_of_keeping(30, utc);
    assert_eq!(before(ahead), Some(RippleTime(closed.0 - 30 * DAY_SECONDS)));
    let behind = RippleTime(closed.0 - DAY_SECONDS);
    assert_eq!(before(behind), Some(RippleTime(behind.0 - 30 * DAY_SECONDS)));
    let Watched { dir, handle, .. } = watched;
    handle.stop().await;
    let again = Watched::on(store, dir).await;
    again.audit.write_down(&again.handle).await.unwrap();
    assert_eq!(again.audit.end_of_keeping(30, ahead), None, "nor does one of before the start");
}

/// Danger: the disk is full where one file ends and the next begins, and what was written already is written again.
#[tokio::test]
async fn what_became_durable_of_a_page_is_not_written_again_where_the_rest_of_it_failed() {
    let watched = Watched::new().await;
    watched.lines().await;
    let folder = watched.dir.path().join(FOLDER);
    let (next, every) = (watched.audit.shelf().count() + 3, watched.audit.shelf().count() + 2);
    *watched.audit.book() = Book::open_with(&folder, every).unwrap();
    for note in ["one", "two", "three", "four"] {
        watched.propose(note).await;
    }
    let in_the_way = folder.join(format!("{next:020}.jsonl"));
    std::fs::create_dir(&in_the_way).unwrap();
    for _ in 0..3 {
        watched.audit.write_down(&watched.handle).await.unwrap_err();
    }
    assert_eq!(watched.audit.shelf().count(), every, "the first of them are there");
    std::fs::remove_dir(&in_the_way).unwrap();
    let entries = watched.lines().await;
    let record = |entry: &AuditEntry| opened(entry).unwrap()["record"].as_u64().unwrap();
    let facts = |entry: &&AuditEntry| opened(entry).unwrap()["kind"] == "facts";
    let records: Vec<u64> = entries.iter().filter(facts).map(record).collect();
    assert!(records.len() > 4);
    assert!(records.windows(2).all(|pair| pair[0] < pair[1]), "{records:?}");
}

#[tokio::test]
async fn a_log_that_somebody_changed_is_found_out() {
    let watched = Watched::new().await;
    watched.client("sue").freeze(None, "a stranger called").await.unwrap();
    watched.lines().await;
    let file = std::fs::read_dir(watched.dir.path().join(FOLDER)).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let label = "\"kind\":\"person\",\"salt\"";
    for (of, other) in [("a stranger called", "a friend called"), (label, "\"kind\":\"text\",\"salt\"")] {
        assert!(text.contains(of), "{of}");
        std::fs::write(&file, text.replace(of, other)).unwrap();
        watched.audit.prove();
        let problem = watched.audit.chain().problem.unwrap();
        assert!(problem.contains("says of something in it what was not written"), "{problem}");
    }
}

/// Danger: somebody takes texts away by hand, the chain holds, and nobody is told. Or the daemon takes texts away while it proves
/// them, and people are woken.
#[tokio::test]
async fn a_text_that_is_gone_and_nobody_accounts_for_is_found_out() {
    let watched = Watched::new().await;
    watched.client("sue").freeze(None, "a stranger called").await.unwrap();
    watched.lines().await;
    let shelf = watched.audit.shelf();
    let mut by_hand = |entry: &mut AuditEntry| {
        let is_first = entry.number == 1;
        if is_first {
            (entry.text, entry.open) = (None, BTreeMap::new());
        }
        is_first
    };
    shelf.change(false, &mut by_hand).unwrap();
    // The file is another one now.
    *watched.audit.book() = Book::open(&watched.dir.path().join(FOLDER)).unwrap();
    watched.audit.prove();
    let fault = || watched.audit.metrics.text().unwrap().contains("\ntreasuryd_audit_fault 1\n");
    let problem = watched.audit.chain().problem.unwrap();
    assert!(problem.starts_with("1 texts are missing") && fault(), "{problem}");
    let taken = shelf.check(Checker::whole()).unwrap().texts.missing;
    watched.audit.say(&watched.handle, Taken::Texts(taken).text("an old text")).unwrap();
    assert!(shelf.check(Checker::whole()).unwrap().unaccounted().is_empty(), "it is said by what came since");
    watched.audit.prove();
    assert_eq!((watched.audit.chain().problem, fault()), (None, false));
}

/// Danger: a person is gone from the audit log, and the store that it is made of has the name and the notes all the same.
#[tokio::test]
async fn a_person_is_taken_out_of_the_store_too_and_both_agree() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let watched = Watched::on(DiskStore::open(&data).unwrap(), dir).await;
    testing::look(&watched.handle).await;
    let proposal = watched.propose("for the birthday of carol").await;
    watched.client("bob").approve("P1", &signed(BOB, &proposal)).await.unwrap();
    watched.client("sue").flag("P1", "alice told me").await.unwrap();
    watched.client("bob").reject("P1", "odd").await.unwrap();
    let head = watched.lines().await.last().unwrap().hash.clone();
    let Watched { dir, handle, audit, _stop, .. } = watched;
    let state = handle.query(|state, _| state.clone()).await.unwrap();
    handle.stop().await;
    let lock = || crate::store::StoreLock::take(&data).ok();
    while lock().is_none() {
        tokio::task::yield_now().await;
    }
    for person in ["bob", "alice"] {
        let aside = forget(&data, person, &format!("person-{person:.1}"), |records| {
            assert!(!records.is_empty());
            assert!(audit.shelf().forget(person, records, unsaid).unwrap() > 0);
            Ok::<_, StoreError>(())
        });
        assert!(aside.unwrap().is_some_and(|aside| aside.is_dir()));
        let again = forget(&data, person, "nobody", |_| Ok::<_, StoreError>(())).unwrap();
        assert_eq!(again, None, "once is enough");
    }
    let mut store = DiskStore::open(&data).unwrap();
    let resumed = store.resume(&mut |_| {}).unwrap();
    let records = serde_json::to_string(&store.read(0, usize::MAX).unwrap()).unwrap();
    for gone in ["bob", "alice", "birthday", "told me"] {
        assert!(!records.contains(gone), "{gone} is in {records}");
    }
    assert!(records.contains("\"sue\"") && records.contains("person-b"), "others stay");
    assert_eq!(resumed.state.proposals.len(), state.proposals.len());
    assert_eq!(resumed.state.stops.all().count(), state.stops.all().count(), "what was stopped is");
    let (held, differs) = against(&audit.shelf(), &store).unwrap();
    assert!(held > 0 && differs.is_none(), "entry {differs:?} is of another record");
    assert_eq!(proven(&dir).last().unwrap().hash, head);
}

/// Danger: somebody has the daemon work by another configuration for a night, and nothing says so afterwards.
#[tokio::test]
async fn another_configuration_than_the_last_is_written_down_by_its_hashes_and_what_changed() {
    let prints = |of: &[(&str, &str)]| {
        Prints(of.iter().map(|(name, print)| ((*name).to_owned(), (*print).to_owned())).collect())
    };
    let (store, dir) = (MemoryStore::new(), tempfile::tempdir().unwrap());
    let mut watched = Watched::on(store.clone(), dir).await;
    let first = prints(&[("alice", "01"), ("rule", "02")]);
    for _ in 0..2 {
        watched.audit.say_configuration(&watched.handle, &first).unwrap();
    }
    let of = "The configuration that the daemon works by is ";
    let entries = watched.lines().await;
    let told = telling(&entries, of);
    assert_eq!(told.len(), 1);
    assert_eq!(telling_in(&told, &format!("{of}{}; none before", first.whole())), 1);
    // After a start, too; `alice` is a name that is committed to, and is read again all the same.
    watched = Watched::on(store.clone(), watched.dir).await;
    watched.audit.say_configuration(&watched.handle, &first).unwrap();
    assert_eq!(telling(&watched.lines().await, of).len(), 1);
    let second = prints(&[("alice", "03"), ("channel", "04"), ("rule", "02")]);
    watched = Watched::on(store, watched.dir).await;
    watched.audit.say_configuration(&watched.handle, &second).unwrap();
    let entries = watched.lines().await;
    let words = format!("{of}another one, {}: alice, channel changed", second.whole());
    assert_eq!(telling(&entries, &words).len(), 1, "{:?}", telling(&entries, of));
    // And while the daemon runs.
    watched.audit.say_configuration(&watched.handle, &first).unwrap();
    let entries = watched.lines().await;
    assert_eq!(telling(&entries, of).len(), 3);
    assert_eq!(telling(&entries, "alice, channel changed").len(), 2);
}
