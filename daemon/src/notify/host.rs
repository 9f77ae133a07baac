//! What people have to know of the host and of the telling itself, and that is no fact of the treasury's: a disk that fills, a
//! clock that is behind, a channel that nobody reads from. Said once when it begins, and again only when it is graver, or has
//! been over meanwhile.

use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::clock::Skew;
use treasury_core::observe::LedgerPoint;
use treasury_core::units::RippleTime;

use super::remind::Due;

/// A disk with less than this part of it free is told of, in percent; and with less than the second, people are woken.
const LOW_PERCENT: u64 = 10;
const VERY_LOW_PERCENT: u64 = 5;

/// Each is over when so much is free again: between the two nothing is said, however often it goes to and fro.
const ENOUGH_PERCENT: u64 = 12;
const LESS_LOW_PERCENT: u64 = 7;

/// What is free of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) free_bytes: u64,
    pub(super) all_bytes: u64,
}

impl Room {
    /// That of the disk that a folder is on; `None`: the system does not say.
    pub(super) fn of(folder: &std::path::Path) -> Option<Self> {
        let found = rustix::fs::statvfs(folder).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Some(Self { free_bytes: bytes(found.f_bavail), all_bytes: bytes(found.f_blocks) })
    }

    /// Rounded down. A disk of no size is none that fills.
    fn percent(self) -> u64 {
        self.free_bytes.saturating_mul(100).checked_div(self.all_bytes).unwrap_or(100)
    }
}

/// What time it is.
pub(super) struct Time {
    pub(super) utc: RippleTime,
    /// The newest validated ledger, where it is seen.
    pub(super) ledger: Option<LedgerPoint>,
    /// How far the clock is from it, where that is too far.
    pub(super) skew: Option<Skew>,
}

/// What there is to be seen.
pub(super) struct Seen<'a> {
    pub(super) room: Option<Room>,
    pub(super) time: Time,
    /// Channels with how many notices were given up there.
    pub(super) dead: Vec<(&'a str, usize)>,
    /// Up to which step something of that name was told of that is not over.
    pub(super) told: &'a dyn Fn(&str) -> Option<u32>,
}

/// The name of the matter of a channel.
pub(super) fn of_channel(channel: &str) -> String {
    format!("channel {channel}")
}

/// The matters of the disk and of the clock.
pub(super) const DISK: &str = "disk";
pub(super) const CLOCK: &str = "clock";

/// What is to be told, with ids of this series; and the names of what is not over though nothing is to be told of it.
pub(super) fn look(seen: &Seen<'_>, series: &str) -> (Vec<Due>, Vec<String>) {
    let (mut due, mut lasts) = (Vec::new(), Vec::new());
    match seen.room {
        // What the system does not say is not over.
        None if (seen.told)(DISK).is_some() => lasts.push(DISK.to_owned()),
        None => {}
        Some(room) => {
            let low = low(room, (seen.told)(DISK).unwrap_or_default());
            due.extend(low.map(|(step, notice)| Due { what: DISK.to_owned(), step, notice }));
        }
    }
    match seen.time.ledger {
        Some(ledger) => due.extend(behind(seen.time.utc, ledger, seen.time.skew).map(|notice| Due {
            what: CLOCK.to_owned(),
            step: 1,
            notice,
        })),
        None if (seen.told)(CLOCK).is_some() => lasts.push(CLOCK.to_owned()),
        None => {}
    }
    for (channel, dead) in seen.dead.iter().filter(|(_, dead)| *dead > 0) {
        // One that stays must not hide those that come after it: said again whenever there are twice as many.
        let step = usize::BITS.saturating_sub(dead.leading_zeros());
        due.push(Due { what: of_channel(channel), step, notice: gave_up(channel, *dead) });
    }
    for (number, due) in due.iter_mut().enumerate() {
        // The same may begin again: the time makes it another notice.
        due.notice.id = format!("n-{series}-{}-{}-{}-{number}", due.notice.kind, due.step, seen.time.utc.0);
        due.notice.timestamp = seen.time.utc.to_string();
    }
    (due, lasts)
}

fn notice(kind: Kind, severity: Severity, says: String, can_do: &str) -> Notice {
    let mut notice = Notice::new(String::new(), kind, severity, String::new(), says);
    notice.can_do = vec![can_do.to_owned()];
    notice
}

/// What was told up to that step lasts until there is more than where it began.
fn low(room: Room, told: u32) -> Option<(u32, Notice)> {
    let percent = room.percent();
    let bound = |step, begins, ends| if told < step { begins } else { ends };
    let (step, severity) = match percent {
        percent if percent < bound(2, VERY_LOW_PERCENT, LESS_LOW_PERCENT) => (2, Severity::Critical),
        percent if percent < bound(1, LOW_PERCENT, ENOUGH_PERCENT) => (1, Severity::Warning),
        _ => return None,
    };
    let says = format!(
        "The disk of the data directory has {} MiB left, {percent} % of it. A daemon that cannot write stops.",
        room.free_bytes / (1024 * 1024)
    );
    Some((step, notice(Kind::DiskLow, severity, says, "Make room, or give it a larger disk.")))
}

/// One that is ahead costs sight, because its ledgers are old.
fn behind(utc: RippleTime, ledger: LedgerPoint, skew: Option<Skew>) -> Option<Notice> {
    let Some(Skew::Behind(seconds)) = skew else { return None };
    let says = format!(
        "The host's clock says {utc}, and ledger {} closed at {}, {seconds} s later: what the daemon tells by its \
         own clock, and quiet hours, are wrong.",
        ledger.index, ledger.close_time
    );
    let can_do = "See that the host keeps time (chrony or timesyncd).";
    Some(notice(Kind::ClockBehind, Severity::Warning, says, can_do))
}

fn gave_up(channel: &str, dead: usize) -> Notice {
    let says = format!(
        "Notices were given up for channel {channel} ({dead} by now): whoever reads it was not told."
    );
    let can_do = format!(
        "See `treasuryctl deliveries list --stage dead --channel {channel}`, mend the receiver, and send them again."
    );
    let mut notice = notice(Kind::ChannelGaveUp, Severity::Critical, says, &can_do);
    notice.channel = Some(channel.to_owned());
    notice
}

#[cfg(test)]
mod tests {
    use treasury_core::units::{Hash256, LedgerIndex};
    use treasury_core::{Treasury, clock};

    use super::*;
    use crate::testing;

    fn seen(percent: u64, told: Option<u32>) -> (Vec<(String, u32, Severity)>, Vec<String>) {
        let room = Some(Room { free_bytes: percent * 1_000_000, all_bytes: 100_000_000 });
        let told = |what: &str| told.filter(|_| what == DISK);
        let time = Time { utc: RippleTime(1), ledger: None, skew: None };
        let seen = Seen { room, time, dead: Vec::new(), told: &told };
        let (due, lasts) = look(&seen, "s");
        (due.into_iter().map(|due| (due.what, due.step, due.notice.severity)).collect(), lasts)
    }

    #[test]
    fn a_disk_that_fills_is_told_of_and_wakes_people_and_is_over_only_when_enough_is_free() {
        let warns = [(DISK.to_owned(), 1, Severity::Warning)];
        let wakes = [(DISK.to_owned(), 2, Severity::Critical)];
        assert_eq!(seen(10, None), (vec![], vec![]));
        assert_eq!((seen(9, None).0, seen(4, None).0), (warns.to_vec(), wakes.to_vec()));
        assert_eq!((seen(5, Some(1)).0, seen(4, Some(1)).0), (warns.to_vec(), wakes.to_vec()));
        assert_eq!(seen(11, Some(1)).0, warns, "it would be told again and again");
        assert_eq!((seen(6, Some(2)).0, seen(7, Some(2)).0), (wakes.to_vec(), warns.to_vec()));
        assert_eq!((seen(12, Some(1)), seen(12, Some(2))), ((vec![], vec![]), (vec![], vec![])));
        assert_eq!(Room { free_bytes: 0, all_bytes: 0 }.percent(), 100);
    }

    /// Danger: one dead letter that nobody sends again hides the thousand that come after it.
    #[test]
    fn dead_letters_are_told_of_anew_whenever_there_are_twice_as_many() {
        let times = |dead: usize| {
            let time = Time { utc: RippleTime(1), ledger: None, skew: None };
            let seen = Seen { room: None, time, dead: vec![("ops", dead)], told: &|_| Some(1) };
            look(&seen, "s").0.first().map(|due| (due.what.clone(), due.step))
        };
        assert_eq!(times(0), None);
        for (dead, expected) in
            [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (1_024, 11), (usize::MAX, usize::BITS)]
        {
            assert_eq!(times(dead), Some(("channel ops".to_owned(), expected)), "{dead}");
        }
    }

    #[test]
    fn a_clock_is_behind_where_ledgers_come_from_what_it_takes_for_the_future() {
        let point = |close| LedgerPoint {
            index: LedgerIndex(7),
            hash: Hash256([0; 32]),
            close_time: RippleTime(close),
        };
        let mut treasury = testing::treasury();
        treasury.timing.ledger_age_max_seconds = Some(60);
        let told = |treasury: &Treasury, close| {
            let (utc, ledger) = (RippleTime(1_000), point(close));
            behind(utc, ledger, clock::skew(treasury, ledger, utc))
        };
        assert!(told(&treasury, 1_600).is_none());
        assert!(told(&treasury, 0).is_none(), "old ledgers cost sight");
        let notice = told(&treasury, 1_601).unwrap();
        assert!(notice.says.contains("601 s later"), "{}", notice.says);
        treasury.alarms.clock.above_seconds = 1_000;
        assert!(told(&treasury, 1_601).is_none(), "what is found is what is told");
        treasury.timing.ledger_age_max_seconds = None;
        assert!(told(&treasury, 9_999).is_none(), "the ledger keeps a time of its own");
    }

    #[test]
    fn the_disk_of_a_folder_has_a_size() {
        let room = Room::of(&std::env::temp_dir()).unwrap();
        assert!(room.all_bytes >= room.free_bytes && room.all_bytes > 0, "{room:?}");
        assert_eq!(Room::of(std::path::Path::new("/there/is/no/such/folder")), None);
    }
}
