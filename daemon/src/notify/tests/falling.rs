//! What becomes less after it was told of, and then more again.

use treasury_core::units::RippleTime;

use super::*;

/// Where everything goes to ops, and on to Bob.
fn falling() -> World {
    let escalation = Some(Escalation { after_seconds: 900, to: vec!["bob".to_owned()] });
    let route = Route { channels: vec!["ops".to_owned()], escalation, ..Route::default() };
    world_of(&Disk::default(), &["ops", "bob"], vec![route], |_| {})
}

impl World {
    /// Looks at the host a minute later. The notice that is told, where one is.
    fn told_at(&self, percent_free: u64) -> Option<Notice> {
        self.later(1);
        let last = self.desk.outbox().last();
        let mut waiting = remind::Waiting { due: Vec::new(), all: BTreeSet::new() };
        let room = Some(Room { free_bytes: percent_free, all_bytes: 100 });
        let seconds = (self.desk.clock.now_ms() - BEGINS_MS) / 1_000;
        let utc = RippleTime(u32::try_from(seconds).unwrap());
        let time = Time { utc, ledger: None, skew: None };
        self.desk.look_at_host(&mut waiting, room, time, "s").unwrap();
        self.desk.remind(waiting).unwrap();
        let listed = self.desk.list(u64::MAX, Some("ops"), None, 1).unwrap().pop();
        listed.map(|listed| listed.notice).filter(|_| self.desk.outbox().last() > last)
    }

    /// Of the first so many notices to ops, those from that one on become this.
    fn become_of(&self, numbers: std::ops::RangeInclusive<u64>, stage: Stage) {
        let delivery = outbox::Delivery { stage, ..outbox::Delivery::due(0) };
        numbers.for_each(|number| self.desk.outbox().set("ops", number, &delivery).unwrap());
    }

    fn answer(&self, id: &str) {
        let (by, reason, at) = ("sue".to_owned(), "I see to it".to_owned(), String::new());
        let answered = Answered { by, reason, at, severity: Severity::Info };
        assert_eq!(self.desk.outbox().answer(&[id.to_owned()], &answered).unwrap(), 1);
    }

    fn asks(&self) -> usize {
        self.desk.outbox().alerts().values().filter(|alert| alert.answered.is_none()).count()
    }
}

/// Danger: most dead letters were sent again, and when the channel breaks weeks later nobody hears of it until there are more
/// than there ever were.
#[test]
fn a_channel_that_gives_up_again_is_told_of_again_and_asks_anew_though_it_gave_up_more_before() {
    let world = falling();
    world.tell("ops", 600);
    world.become_of(1..=600, Stage::Dead);
    let first = world.told_at(50).unwrap();
    assert_eq!((first.kind, world.asks()), (Kind::ChannelGaveUp, 1));
    world.answer(&first.id);
    world.become_of(2..=600, Stage::Delivered);
    assert_eq!(world.told_at(50), None, "it has become better");
    world.become_of(2..=2, Stage::Dead);
    let again = world.told_at(50).unwrap();
    assert!(again.kind == Kind::ChannelGaveUp && again.says.contains("(2 by now)"), "{}", again.says);
    assert_eq!(world.asks(), 1, "that somebody looked after the first is no answer to it");
    assert_eq!(world.told_at(50), None);
}

/// Danger: a disk was nearly full, is less so, and fills for good without a word.
#[test]
fn a_disk_that_fills_again_wakes_people_again_though_it_was_never_empty_meanwhile() {
    let world = falling();
    let severity = |percent| world.told_at(percent).map(|notice| notice.severity);
    assert_eq!(severity(9), Some(Severity::Warning));
    let woken = world.told_at(4).unwrap();
    assert_eq!(woken.severity, Severity::Critical);
    world.answer(&woken.id);
    assert_eq!([6, 4, 6, 4].map(severity), [None; 4], "it goes to and fro");
    assert_eq!((severity(11), severity(9)), (None, None), "the lesser was told");
    assert_eq!(world.asks(), 0);
    assert_eq!((severity(4), world.asks()), (Some(Severity::Critical), 1));
    assert_eq!((severity(12), severity(9)), (None, Some(Severity::Warning)));
}
