use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use treasury_api::notice::{Kind, Severity};

use super::*;
use crate::notify::Escalation;
use crate::notify::escalate::Answered;

/// A disk that the power goes away from.
#[derive(Clone, Default)]
pub(in crate::notify) struct Disk {
    entries: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
    /// Writes until the power is gone; `None`: it stays.
    left: Arc<Mutex<Option<u32>>>,
    /// Whether the last write before that is durable though nobody is told.
    is_late: Arc<Mutex<bool>>,
}

impl Disk {
    pub(in crate::notify) fn cut_after(&self, writes: u32, is_late: bool) {
        *self.left.lock().unwrap() = Some(writes);
        *self.is_late.lock().unwrap() = is_late;
    }

    pub(in crate::notify) fn mend(&self) {
        *self.left.lock().unwrap() = None;
    }

    /// The notice of that number is something else from now on.
    pub(in crate::notify) fn damage(&self, number: Number) {
        let before = self.entries.lock().unwrap().insert(notice_key(number), b"{\"id\":".to_vec());
        assert!(before.is_some());
    }

    pub(in crate::notify) fn text(&self) -> String {
        let entries = self.entries.lock().unwrap();
        entries.values().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

impl Engine for Disk {
    fn last(&self) -> Result<Option<Pair>, StoreError> {
        let entries = self.entries.lock().unwrap();
        Ok(entries.last_key_value().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let entries = self.entries.lock().unwrap();
        let range = entries.range(from.to_vec()..to.to_vec());
        Ok(range.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn apply(&self, puts: Vec<Pair>, removals: Vec<Vec<u8>>) -> Result<(), StoreError> {
        assert!(puts.len() + removals.len() <= 100, "the storage engine was seen to deadlock");
        let mut left = self.left.lock().unwrap();
        let is_cut = *left == Some(0);
        if let Some(left) = left.as_mut() {
            *left = left.saturating_sub(1);
        }
        let is_durable = !is_cut || std::mem::take(&mut *self.is_late.lock().unwrap());
        if is_durable {
            let mut entries = self.entries.lock().unwrap();
            removals.iter().for_each(|key| drop(entries.remove(key)));
            entries.extend(puts);
        }
        if is_cut { Err(StoreError::Injected) } else { Ok(()) }
    }

    fn tree(&self) -> &sled::Tree {
        unreachable!("nobody damages this one")
    }
}

fn open(disk: &Disk) -> Outbox {
    Outbox::open(Box::new(disk.clone()), "s").unwrap()
}

fn notice(id: &str) -> Notice {
    let says = format!("notice {id}");
    Notice::new(id.to_owned(), Kind::Finding, Severity::Warning, "2026-01-01T00:00:00Z".to_owned(), says)
}

/// A configuration with these channels that leads nowhere.
fn by_now<'a>(channels: &'a [&'a str]) -> ByNow<'a> {
    ByNow { channels, now_ms: 9, address: &|_| Vec::new(), again: &|_, _| BTreeMap::new() }
}

fn mark(record: u64) -> Mark {
    Mark { record, digest: format!("digest of {record}"), ledger: None }
}

const CHANNELS: [&str; 2] = ["mail", "ops"];

/// What a record tells, whoever reads it and however often.
fn told(record: u64, notices: u64) -> Vec<Addressed> {
    let channels = || CHANNELS.map(|name| (name.to_owned(), 0)).to_vec();
    let of = |part| Addressed {
        notice: notice(&format!("n-s-{record}-{part}")),
        channels: channels(),
        alerts: Vec::new(),
    };
    (0..notices).map(of).collect()
}

/// How often each receiver got each notice.
type Got = BTreeMap<(&'static str, String), u32>;

/// One life of a daemon: tells records up to the last, delivers what is due, and ends where it cannot write.
fn live(disk: &Disk, records: u64, notices: u64, got: &mut Got) -> Result<(), OutboxError> {
    let mut outbox = Outbox::open(Box::new(disk.clone()), "s")?;
    loop {
        let next = outbox.mark().map_or(0, |mark| mark.record) + 1;
        let is_over = next > records;
        if !is_over {
            outbox.take(told(next, notices), mark(next))?;
        }
        for channel in CHANNELS {
            // Two of each record, so that much waits when the power goes.
            for _ in 0..if is_over { usize::MAX } else { 2 } {
                let Some((_, number)) = outbox.firsts(channel).pop() else { break };
                let (notice, before) = outbox.delivery(channel, number)?.unwrap();
                *got.entry((channel, notice.id)).or_default() += 1;
                let after = Delivery { stage: Stage::Delivered, attempts: before.attempts + 1, ..before };
                outbox.set(channel, number, &after)?;
            }
        }
        if is_over {
            return Ok(());
        }
    }
}

fn check_all_got(got: &Got, records: u64, notices: u64, cuts: u32) {
    let all = records * notices * 2;
    assert_eq!(u64::try_from(got.len()).unwrap(), all, "a notice is forgotten");
    let repeated: u32 = got.values().map(|times| times - 1).sum();
    assert!(repeated <= cuts, "{repeated} repeats after {cuts} cuts");
}

#[test]
fn wherever_the_power_goes_nothing_is_forgotten_and_at_most_what_was_under_way_is_repeated() {
    for is_late in [false, true] {
        for writes in 0..60 {
            let (disk, mut got) = (Disk::default(), Got::new());
            disk.cut_after(writes, is_late);
            let cut = live(&disk, 5, 3, &mut got).is_err();
            disk.mend();
            live(&disk, 5, 3, &mut got).unwrap();
            check_all_got(&got, 5, 3, u32::from(cut));
        }
    }
}

#[test]
fn a_record_with_more_notices_than_a_batch_is_told_whole_wherever_the_power_goes() {
    for writes in 0..12 {
        let (disk, mut got) = (Disk::default(), Got::new());
        disk.cut_after(writes, false);
        let cut = live(&disk, 1, 200, &mut got).is_err();
        disk.mend();
        live(&disk, 1, 200, &mut got).unwrap();
        assert!(cut);
        check_all_got(&got, 1, 200, 1);
    }
}

#[test]
fn ten_thousand_deliveries_survive_cuts_at_any_point() {
    let mut chance = StdRng::seed_from_u64(12);
    let (disk, mut got, mut cuts) = (Disk::default(), Got::new(), 0);
    loop {
        disk.cut_after(chance.random_range(0..400), chance.random_bool(0.5));
        if live(&disk, 1_000, 5, &mut got).is_ok() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 20, "{cuts}");
    check_all_got(&got, 1_000, 5, cuts);
}

#[test]
fn a_notice_that_is_here_already_is_not_taken_in_again() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.take(told(1, 3), mark(1)).unwrap();
    outbox.take(told(1, 3), mark(1)).unwrap();
    assert_eq!(outbox.waiting("ops"), 3);
    assert_eq!(open(&disk).waiting("ops"), 3);
}

#[test]
fn a_mark_without_notices_is_stored_now_and_then() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.begin("series", mark(1)).unwrap();
    outbox.take(Vec::new(), mark(2)).unwrap();
    assert_eq!(open(&disk).mark(), Some(&mark(1)), "a start looks at it again, which costs nothing");
    outbox.take(Vec::new(), mark(300)).unwrap();
    assert_eq!(open(&disk).mark(), Some(&mark(300)));
    assert_eq!(open(&disk).series(), "series");
}

#[test]
fn what_was_given_up_or_delivered_can_be_sent_again_by_id_and_by_range() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.take(told(1, 4), mark(1)).unwrap();
    let end = |stage| Delivery { stage, attempts: 9, at_ms: 7, problem: None, has: Vec::new(), labels: None };
    for number in 1..=4 {
        let stage = if number == 2 { Stage::Dead } else { Stage::Delivered };
        outbox.set("ops", number, &end(stage)).unwrap();
    }
    assert_eq!((outbox.waiting("ops"), outbox.dead("ops"), outbox.waiting("mail")), (0, 1, 4));
    let only_dead = outbox.redeliver((1, 4), Some("ops"), Some(Stage::Dead), &CHANNELS, 50).unwrap();
    assert_eq!((only_dead, outbox.firsts("ops")), (Some(1), vec![(50, 2)]));
    let number = outbox.number("n-s-1-2").unwrap();
    assert_eq!(
        outbox.redeliver((number, number), None, None, &CHANNELS, 60).unwrap(),
        Some(1),
        "what waits stays as it is"
    );
    assert_eq!(outbox.redeliver((2, 4), Some("ops"), None, &CHANNELS, 70).unwrap(), Some(1));
    assert_eq!(outbox.redeliver((4, 2), None, None, &CHANNELS, 70).unwrap(), Some(0));
    let again = open(&disk);
    assert_eq!((again.waiting("ops"), again.dead("ops")), (3, 0));
    let listed = again.list(u64::MAX, Some("ops"), Some(Stage::Waiting), 2).unwrap();
    assert_eq!(listed.iter().map(|listed| listed.number).collect::<Vec<_>>(), [4, 3]);
    let below = again.list(3, None, None, 100).unwrap();
    assert_eq!(below.iter().map(|listed| listed.number).collect::<Vec<_>>(), [2, 2, 1, 1]);
}

#[test]
fn what_waits_for_a_channel_that_is_no_more_is_given_up() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.take(told(1, 2), mark(1)).unwrap();
    let closed = outbox.close_all_but(&by_now(&["ops"])).unwrap();
    assert_eq!(closed, [Closed { channel: "mail".to_owned(), given_up: 2, lost: 0 }], "ops has it");
    assert_eq!((outbox.waiting("mail"), outbox.dead("mail"), outbox.waiting("ops")), (0, 2, 2));
    assert_eq!(outbox.close_all_but(&by_now(&["ops"])).unwrap(), []);
    let closed = outbox.close_all_but(&by_now(&[])).unwrap();
    assert_eq!(closed, [Closed { channel: "ops".to_owned(), given_up: 2, lost: 2 }]);
}

#[test]
fn what_everybody_has_leaves_in_time_and_what_somebody_waits_for_stays() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    let mut last = 0;
    for record in 1..=u64::try_from(outbox.limits.least).unwrap() + 100 {
        outbox.take(told(record, 1), mark(record)).unwrap();
        last = record;
        for channel in CHANNELS {
            if record != 3 || channel == "ops" {
                let delivered = Delivery {
                    stage: Stage::Delivered,
                    attempts: 1,
                    at_ms: 0,
                    problem: None,
                    has: Vec::new(),
                    labels: None,
                };
                outbox.set(channel, record, &delivered).unwrap();
            }
        }
    }
    assert_eq!(outbox.number("n-s-1-0"), None);
    assert_eq!(outbox.firsts("mail"), [(0, 3)]);
    assert_eq!(outbox.number(&format!("n-s-{last}-0")), Some(last));
    assert_eq!(open(&disk).held.len(), outbox.held.len());
    assert!(outbox.held.len() <= outbox.limits.least + 20, "{}", outbox.held.len());
}

/// Danger: whoever may ask for payments has so many refused that a freeze is thrown away, and nobody can see that it was.
#[test]
fn where_too_many_wait_those_are_given_up_where_people_see_it_and_nothing_that_is_critical() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.limits.waiting = 20;
    let critical = Notice { severity: Severity::Critical, ..notice("n-critical") };
    outbox.add(Addressed::to(critical, "ops", 0), None).unwrap();
    for number in 0..130 {
        outbox.add(Addressed::to(notice(&format!("n-{number}")), "ops", number), None).unwrap();
    }
    outbox.add(Addressed::to(notice("n-mail"), "mail", 0), None).unwrap();
    let given_up = outbox.give_up_what_is_too_much(7).unwrap();
    assert_eq!(given_up.len(), 112);
    let first = ("ops".to_owned(), "n-0".to_owned(), "too many wait (132)".to_owned());
    assert_eq!((&given_up[0], given_up[111].1.as_str()), (&first, "n-111"));
    assert!(outbox.give_up_what_is_too_much(7).unwrap().is_empty());
    for outbox in [&outbox, &open(&disk)] {
        assert_eq!((outbox.waiting("ops"), outbox.waiting("mail"), outbox.dead("ops")), (19, 1, 112));
        assert_eq!(outbox.firsts("ops")[0], (0, 1), "what is critical waits on");
        let dead = outbox.list(4, None, Some(Stage::Dead), 10).unwrap();
        assert_eq!(dead[0].delivery.problem.as_deref(), Some("too many wait (132)"));
    }
}

#[test]
fn of_far_too_many_notices_the_oldest_that_nobody_waits_for_leave_and_those_that_wait_stay() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    (outbox.limits.least, outbox.limits.most) = (5, 10);
    let dead =
        Delivery { stage: Stage::Dead, attempts: 9, at_ms: 7, problem: None, has: Vec::new(), labels: None };
    for record in 1..=30 {
        outbox.take(told(record, 1), mark(record)).unwrap();
        if record > 1 {
            CHANNELS.iter().for_each(|channel| outbox.set(channel, record, &dead).unwrap());
        }
    }
    assert_eq!(outbox.held.keys().next(), Some(&1));
    assert!((5..=11).contains(&outbox.held.len()), "{}", outbox.held.len());
    let left = outbox.held.len() - 1;
    for outbox in [&outbox, &open(&disk)] {
        assert_eq!(
            (outbox.waiting("ops"), outbox.dead("ops"), outbox.number("n-s-30-0")),
            (1, left, Some(30))
        );
    }
}

fn alert(id: &str, severity: Severity, since_ms: u64, after_seconds: u32) -> Alert {
    let escalation = Escalation { after_seconds, to: vec!["mail".to_owned(), "ops".to_owned()] };
    Alert {
        notice: Notice { severity, ..notice(id) },
        escalation,
        since_ms,
        steps: 0,
        went: Vec::new(),
        answered: None,
    }
}

#[test]
fn what_is_told_twice_at_once_of_one_matter_goes_on_by_the_first_and_by_what_is_gravest() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    let told = [
        ("n-1", Severity::Warning, 50, 60),
        ("n-2", Severity::Critical, 70, 60),
        ("n-3", Severity::Warning, 0, 300),
    ];
    let told = told.map(|(id, severity, since_ms, after_seconds)| Addressed {
        alerts: vec![("F1".to_owned(), alert(id, severity, since_ms, after_seconds))],
        ..Addressed::to(notice(id), "ops", since_ms)
    });
    outbox.take(told.to_vec(), mark(1)).unwrap();
    for outbox in [&outbox, &open(&disk)] {
        assert_eq!(outbox.alerts()["F1"], alert("n-2", Severity::Critical, 50, 60));
    }
}

/// Danger: whoever was told that something may become bad is not told that it has.
#[test]
fn whoever_was_woken_for_less_is_woken_for_what_is_graver() {
    let known = Alert { steps: 2, ..alert("n-1", Severity::Warning, 50, 60) };
    let graver = alert("n-2", Severity::Critical, 9_000, 60);
    assert_eq!(Alert::with(Some(&known), &graver), Some(graver.clone()));
    let alike = alert("n-2", Severity::Warning, 9_000, 60);
    assert_eq!(Alert::with(Some(&known), &alike), None);
}

/// Danger: the host's clock was a year ahead for a moment, and the next person is woken in a year.
#[test]
fn a_clock_that_was_ahead_for_a_moment_stops_no_escalation() {
    let year = 365 * 86_400_000;
    let held = crate::notify::when::HELD_MS_MAX;
    let of = |since_ms| {
        let mut outbox = open(&Disk::default());
        let alerts = vec![("F1".to_owned(), alert("n-1", Severity::Warning, since_ms, 60))];
        outbox.take(vec![Addressed { alerts, ..Addressed::to(notice("n-1"), "ops", 0) }], mark(1)).unwrap();
        outbox
    };
    let at = |outbox: &mut Outbox, now_ms| {
        outbox.step("F1", now_ms).unwrap();
        (outbox.alerts()["F1"].steps, outbox.alerts()["F1"].since_ms)
    };
    let mut told_ahead = of(year);
    assert_eq!(at(&mut told_ahead, 1_000), (1, 1_000));
    assert_eq!(at(&mut told_ahead, 60_999), (1, 1_000));
    assert_eq!(at(&mut told_ahead, 61_000), (2, 61_000));
    let mut held_longest = of(held);
    assert_eq!(at(&mut held_longest, 0), (0, held), "quiet hours");
    let mut stepped_ahead = of(0);
    assert_eq!(at(&mut stepped_ahead, year), (1, year));
    assert_eq!(at(&mut stepped_ahead, year - 60_000), (1, year), "clocks are set back by moments");
    assert_eq!(at(&mut stepped_ahead, 90_000), (2, 90_000));
}

#[test]
fn reminders_are_remembered_as_long_as_what_they_are_of_waits() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.add(Addressed::to(notice("r-1"), "ops", 0), Some(("P1".to_owned(), 2))).unwrap();
    assert_eq!(open(&disk).reminded("P1"), Some(2));
    outbox.forget_reminders(|what| what == "P1").unwrap();
    assert_eq!(open(&disk).reminded("P1"), Some(2));
    outbox.forget_reminders(|_| false).unwrap();
    assert_eq!((outbox.reminded("P1"), open(&disk).reminded("P1")), (None, None));
}

/// Danger: the power goes between the notice of a step and that it was taken: the next one is skipped, or one is repeated.
#[test]
fn each_step_of_an_alert_is_taken_once_wherever_the_power_goes() {
    let alert = alert("n-s-1-0", Severity::Warning, 0, 60);
    for writes in 0..8 {
        let disk = Disk::default();
        disk.cut_after(writes, writes % 2 == 0);
        for _ in 0..2 {
            let live = || -> Result<(), OutboxError> {
                let mut outbox = Outbox::open(Box::new(disk.clone()), "s")?;
                let alerts = vec![("F1".to_owned(), alert.clone())];
                let told = Addressed { alerts, ..Addressed::to(notice("n-s-1-0"), "ops", 0) };
                outbox.take(vec![told], mark(1))?;
                for now_ms in [59_999, 60_000, 60_001, 120_000, 180_000, 240_000] {
                    outbox.step("F1", now_ms)?;
                }
                outbox.forget_alerts(&["F1".to_owned()])
            };
            let _ = live();
            disk.mend();
        }
        let outbox = open(&disk);
        let listed = outbox.list(u64::MAX, None, None, 100).unwrap();
        let mut sent: Vec<(String, String)> =
            listed.into_iter().map(|listed| (listed.notice.id, listed.channel)).collect();
        sent.sort();
        let expected = [("n-s-1-0", "ops"), ("n-s-1-0-step-1", "mail"), ("n-s-1-0-step-2", "ops")];
        assert_eq!(sent, expected.map(|(id, channel)| (id.to_owned(), channel.to_owned())), "{writes}");
        assert!(outbox.alerts().is_empty());
    }
}

/// Danger: one sector of a disk, and nobody is told of anything any more.
#[test]
fn what_is_damaged_is_left_out_and_said_once_and_keeps_nobody_from_the_rest() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.take(told(1, 3), mark(1)).unwrap();
    disk.damage(2);
    let alert_of = alert_key("F1");
    disk.entries.lock().unwrap().insert(alert_of, b"7".to_vec());
    disk.entries.lock().unwrap().insert(delivery_key(3, "ops"), b"x".to_vec());
    for outbox in [&outbox, &open(&disk)] {
        for _ in 0..2 {
            let page = outbox.after(0, 10).unwrap();
            let got: Vec<(u64, &str)> =
                page.notices.iter().map(|(missing, notice)| (*missing, notice.id.as_str())).collect();
            assert_eq!(got, [(0, "n-s-1-0"), (1, "n-s-1-2")]);
            let one = outbox.after(1, 1).unwrap();
            assert_eq!((one.last, one.notices.len()), (3, 1));
            let listed = outbox.list(u64::MAX, Some("mail"), None, 10).unwrap();
            assert_eq!(listed.iter().map(|listed| listed.number).collect::<Vec<_>>(), [3, 1]);
        }
        assert!(outbox.delivery("ops", 2).unwrap().is_none());
        let (_, unknown) = outbox.delivery("ops", 3).unwrap().unwrap();
        assert_eq!(unknown, Delivery::due(0), "it is sent again");
        assert!(outbox.damaged.borrow().contains(&notice_key(2)));
    }
    let again = open(&disk);
    assert_eq!((again.last(), again.waiting("ops"), again.alerts().len()), (3, 2, 0));
    assert_eq!(again.damaged.borrow().len(), 3);
}

/// Danger: whoever has a letter gets it again because others lack it.
#[test]
fn what_was_given_up_goes_to_those_who_lack_it_when_it_is_sent_again_and_what_all_have_to_all() {
    let mut outbox = open(&Disk::default());
    outbox.take(told(1, 2), mark(1)).unwrap();
    let has = vec!["5e".to_owned()];
    outbox.set("ops", 1, &Delivery { has: has.clone(), ..Delivery::given_up(7, "x".to_owned()) }).unwrap();
    outbox.set("ops", 2, &Delivery { stage: Stage::Delivered, ..Delivery::due(7) }).unwrap();
    assert_eq!(outbox.redeliver((1, 2), Some("ops"), None, &CHANNELS, 50).unwrap(), Some(2));
    let after = |number| outbox.delivery("ops", number).unwrap().unwrap().1;
    assert_eq!(after(1), Delivery { has, ..Delivery::due(50) });
    assert_eq!(after(2), Delivery::due(50));
}

#[test]
fn an_outbox_of_a_newer_release_or_a_damaged_one_is_said_to_be_so() {
    let disk = Disk::default();
    open(&disk).begin("s", mark(1)).unwrap();
    let stored = disk.entries.lock().unwrap().get(META).unwrap().clone();
    let newer = String::from_utf8(stored).unwrap().replace("\"format\":1", "\"format\":2");
    disk.entries.lock().unwrap().insert(META.to_vec(), newer.into_bytes());
    let error = Outbox::open(Box::new(disk.clone()), "s").err().unwrap();
    assert!(matches!(error, OutboxError::Format(2)), "{error}");
    disk.entries.lock().unwrap().insert(META.to_vec(), b"{".to_vec());
    let error = Outbox::open(Box::new(disk.clone()), "s").err().unwrap();
    assert!(matches!(error, OutboxError::Damaged(_)), "{error}");
    assert!(!disk.text().is_empty());
}

/// Danger: a seed that an earlier version stored in a reason is told through every channel.
#[test]
fn a_seed_that_was_stored_is_told_to_nobody() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    let said = Notice {
        says: "sue set a hold: a thief has sEdTM1uX8pu2do5XvTnutH6HsouMaM2".to_owned(),
        ..notice("a")
    };
    outbox.add(Addressed::to(said, "ops", 0), None).unwrap();
    let (told, _) = outbox.delivery("ops", 1).unwrap().unwrap();
    assert_eq!(told.says, "sue set a hold: a thief has (a seed, not shown)");
    assert_eq!(told, Notice { says: told.says.clone(), ..notice("a") }, "and nothing else of it changes");
}

/// Danger: months go by with an alert that stands, and the id by which it is answered is nobody's any more; or what ended an
/// Alertmanager's alert is gone, and its begin, a dead letter, is sent again.
#[test]
fn what_a_standing_alert_names_and_what_came_last_of_an_alertmanager_s_are_not_taken_away() {
    let disk = Disk::default();
    let mut outbox = open(&disk);
    outbox.limits = purge::Limits { least: 5, most: 1_000, ..purge::Limits::default() };
    let escalation = Escalation { after_seconds: 60, to: vec!["bob".to_owned()] };
    let asked = Notice { finding: Some("F1".to_owned()), ..notice("n-alert") };
    let alert =
        Alert { notice: asked.clone(), escalation, since_ms: 0, steps: 0, went: Vec::new(), answered: None };
    let alerts = vec![("F1 > bob".to_owned(), alert)];
    outbox.add(Addressed { notice: asked, channels: Vec::new(), alerts }, None).unwrap();
    outbox.step("F1 > bob", 60_000).unwrap();
    outbox.set("bob", 2, &Delivery { stage: Stage::Delivered, ..Delivery::due(0) }).unwrap();
    let end = Notice { kind: Kind::SightClear, severity: Severity::Info, ..notice("n-end") };
    outbox.add(Addressed { notice: end, channels: Vec::new(), alerts: Vec::new() }, None).unwrap();
    let many = |outbox: &mut Outbox, from: u32| {
        for n in from..from + 20 {
            let one =
                Addressed { notice: notice(&format!("n-{n}")), channels: Vec::new(), alerts: Vec::new() };
            outbox.add(one, None).unwrap();
        }
    };
    many(&mut outbox, 0);
    assert_eq!(outbox.number("n-0"), None);
    for (id, number) in [("n-alert", 1), ("n-alert-step-1", 2), ("n-end", 3)] {
        assert_eq!(outbox.number(id), Some(number), "{id}");
    }
    assert_eq!(outbox.seen(&["n-alert".to_owned(), "n-alert-step-1".to_owned()]).unwrap().len(), 2);
    outbox.forget_alerts(&["F1 > bob".to_owned()]).unwrap();
    many(&mut outbox, 20);
    assert_eq!((outbox.number("n-alert"), outbox.number("n-alert-step-1")), (None, None));
}

/// An earlier version has taken it away.
#[test]
fn an_alert_is_answered_by_the_id_of_its_notice_though_that_is_kept_no_more() {
    let mut outbox = open(&Disk::default());
    let escalation = Escalation { after_seconds: 60, to: vec!["bob".to_owned()] };
    let asked = Notice { kind: Kind::Freeze, stop: Some("S1".to_owned()), ..notice("n-gone") };
    let (since_ms, steps, went) = (0, 0, Vec::new());
    let alert = Alert { notice: asked, escalation, since_ms, steps, went, answered: None };
    outbox.set_alerts([("S1 > bob".to_owned(), alert)].into()).unwrap();
    let (by, reason, at) = ("bob".to_owned(), "I look".to_owned(), String::new());
    let answered = Answered { by, reason, at, severity: Severity::Info };
    assert_eq!(outbox.answer(&["n-gone".to_owned()], &answered).unwrap(), 1);
    assert!(outbox.alerts()["S1 > bob"].answered.is_some());
}
