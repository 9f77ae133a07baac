mod alerts;
mod falling;
mod flood;
mod letters;
mod listening;
mod lists;
mod renamed;
mod settled;
mod story;
mod turns;
mod unanswered;
mod unread;
mod waiting;
mod words;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio::time::Instant;
use treasury_api::types::Notice;
use treasury_core::observe::LedgerPoint;

use super::channel::Form;
use super::outbox::WAITS;
use super::outbox::tests::Disk;
use super::post::{Parcel, PostError, Receiver};
use super::tell::Teller;
use super::*;
use crate::store::Record;

/// Of the Standard Webhooks libraries' examples; what it holds must be nowhere else.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answers(u16),
    Hangs,
}

/// Receivers in memory: what each does with the requests that come, and what came.
struct Receivers {
    does: Mutex<BTreeMap<&'static str, Does>>,
    got: mpsc::UnboundedSender<Got>,
}

/// A request as a receiver got it.
#[derive(Clone, Debug)]
struct Got {
    channel: String,
    notice: Notice,
    headers: BTreeMap<String, String>,
    after: Duration,
}

struct Shared(Arc<Receivers>, Instant);

impl Post for Shared {
    fn post<'a>(&'a self, to: &'a Receiver, parcel: Parcel) -> BoxFuture<'a, Result<u16, PostError>> {
        Box::pin(async move {
            let channel = to.label().trim_start_matches("https://").trim_end_matches(".example").to_owned();
            let does = self.0.does.lock().unwrap().get(channel.as_str()).copied();
            let Parcel::Request(request) = parcel else { panic!("a letter") };
            let headers = request.headers.iter();
            let headers = headers.map(|(name, value)| (name.to_string(), value.expose_secret().to_owned()));
            let notice = serde_json::from_slice(&request.body).unwrap_or_else(|_| {
                let said = String::from_utf8_lossy(&request.body).into_owned();
                Notice::new(String::new(), Kind::Test, Severity::Info, String::new(), said)
            });
            let got = Got { channel, notice, headers: headers.collect(), after: self.1.elapsed() };
            self.0.got.send(got).unwrap();
            match does.unwrap_or(Does::Answers(200)) {
                Does::Answers(status) => Ok(status),
                Does::Hangs => {
                    tokio::time::sleep(super::post::PATIENCE).await;
                    Err(PostError::TimedOut)
                }
            }
        })
    }
}

/// A desk with channels of these names, to which everything goes.
pub(super) struct World {
    pub(super) desk: Arc<Desk>,
    receivers: Arc<Receivers>,
    got: mpsc::UnboundedReceiver<Got>,
    metrics: Arc<Metrics>,
    /// What the clock says, but for the time that this world has lived.
    ahead: Arc<AtomicU64>,
    _dir: tempfile::TempDir,
}

fn secrets(dir: &tempfile::TempDir) -> PathBuf {
    let path = dir.path().join("secrets");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn channel(name: &str, secrets_file: PathBuf) -> Channel {
    Channel {
        name: name.to_owned(),
        receiver: Receiver::parse(&format!("https://{name}.example/SECRET99"), None, false).unwrap(),
        form: Form::Webhook { secrets_file },
        batch: None,
    }
}

/// Milliseconds from the Unix epoch to that of the ledger, 2000-01-01T00:00:00Z, at which the clock of a world begins.
const BEGINS_MS: u64 = 946_684_800_000;

pub(super) fn world(disk: &Disk, names: &[&'static str]) -> World {
    let route = Route { channels: names.iter().map(|name| (*name).to_owned()).collect(), ..Route::default() };
    world_of(disk, names, vec![route], |_| {})
}

/// The same with these routes, and with channels that are changed before it begins.
fn world_of(disk: &Disk, names: &[&'static str], routes: Vec<Route>, change: impl Fn(&mut Channel)) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut channels: Vec<Channel> = names.iter().map(|name| channel(name, secrets(&dir))).collect();
    channels.iter_mut().for_each(change);
    let config = NotifyConfig { channels, routes, ..NotifyConfig::default() };
    let outbox = Outbox::open(Box::new(disk.clone()), "s").unwrap();
    let (send, got) = mpsc::unbounded_channel();
    let receivers = Arc::new(Receivers { does: Mutex::default(), got: send });
    let began = Instant::now();
    let ahead = Arc::new(AtomicU64::new(BEGINS_MS));
    let from = Arc::clone(&ahead);
    let passed = move || u64::try_from(began.elapsed().as_millis()).unwrap();
    let clock = Clock::new(move || passed() + from.load(Ordering::SeqCst));
    let metrics = Arc::new(Metrics::new().unwrap());
    let post = Box::new(Shared(Arc::clone(&receivers), began));
    let desk = Desk::new(config, outbox, clock, post, Box::new(|| 500), Arc::clone(&metrics));
    World { desk: Arc::new(desk), receivers, got, metrics, ahead, _dir: dir }
}

impl World {
    /// Workers, which end with what is given back.
    fn work(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for channel in self.desk.config.channels.clone() {
            let desk = Arc::clone(&self.desk);
            tasks.spawn(async move { worker::run(&desk, &channel).await });
        }
        tasks
    }

    fn does(&self, channel: &'static str, does: Does) {
        self.receivers.does.lock().unwrap().insert(channel, does);
    }

    fn tell(&self, channel: &str, count: u64) {
        for _ in 0..count {
            self.desk.try_out(channel, "alice").unwrap();
        }
    }

    fn later(&self, minutes: u64) {
        self.ahead.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    fn waiting(&self, channel: &str) -> usize {
        self.desk.outbox().waiting(channel)
    }
}

/// Goal: a receiver that hangs for ever costs its own channel time, and nobody else any.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_for_ever_delays_no_other_channel() {
    let mut world = world(&Disk::default(), &["hung", "ops"]);
    world.does("hung", Does::Hangs);
    world.tell("hung", 1_000);
    let _work = world.work();
    let first = world.got.recv().await.unwrap();
    assert_eq!(first.channel, "hung");
    world.tell("ops", 100);
    let mut delivered = 0;
    while delivered < 100 {
        let got = world.got.recv().await.unwrap();
        if got.channel == "ops" {
            assert_eq!(got.after, first.after, "it waited for the one that hangs");
            delivered += 1;
        }
    }
    assert_eq!(world.waiting("hung"), 1_000);
}

/// Goal: a notice that a receiver does not take is tried for hours, then given up where people can see it, and sent
/// again when somebody says so, under the same id.
#[tokio::test(start_paused = true)]
async fn what_a_receiver_does_not_take_becomes_a_dead_letter_that_can_be_sent_again() {
    let disk = Disk::default();
    let mut world = world(&disk, &["ops"]);
    world.does("ops", Does::Answers(503));
    let _work = world.work();
    world.tell("ops", 1);
    let mut tries = Vec::new();
    for _ in 0..=WAITS.len() {
        tries.push(world.got.recv().await.unwrap());
    }
    let waits: Vec<u64> = tries.windows(2).map(|pair| (pair[1].after - pair[0].after).as_secs()).collect();
    assert_eq!(waits, WAITS, "at half of the jitter");
    assert!(tries.iter().all(|got| got.notice == tries[0].notice));
    while world.desk.outbox().dead("ops") == 0 {
        tokio::task::yield_now().await;
    }
    let listed = world.desk.list(u64::MAX, None, Some(Stage::Dead), 10).unwrap();
    assert_eq!(listed[0].problem.as_deref(), Some("answered with 503"));
    assert_eq!(listed[0].attempts, 9);
    let text = world.metrics.text().unwrap();
    assert!(text.contains("treasuryd_deliveries_total{channel=\"ops\",outcome=\"dead\"} 1"), "{text}");
    assert!(text.contains("treasuryd_deliveries_total{channel=\"ops\",outcome=\"failed\"} 8"), "{text}");
    assert!(text.contains("treasuryd_deliveries_dead{channel=\"ops\"} 1"), "{text}");

    world.does("ops", Does::Answers(200));
    let again = world.desk.redeliver(&Asked::One(tries[0].notice.id.clone()), None, None).unwrap();
    assert_eq!(again, Redelivered::Done(1));
    assert_eq!(world.got.recv().await.unwrap().notice, tries[0].notice);
    while world.waiting("ops") > 0 {
        tokio::task::yield_now().await;
    }
    assert!(world.metrics.text().unwrap().contains("treasuryd_deliveries_dead{channel=\"ops\"} 0"));
    assert_eq!(
        world.desk.redeliver(&Asked::One("n-nobody".to_owned()), None, None).unwrap(),
        Redelivered::Unknown
    );
}

/// Danger: the process ends between the receiver's answer and the mark of it.
#[tokio::test(start_paused = true)]
async fn what_was_under_way_when_the_process_ended_is_sent_again_under_its_id() {
    let disk = Disk::default();
    let mut first = world(&disk, &["ops"]);
    first.does("ops", Does::Hangs);
    let work = first.work();
    first.tell("ops", 3);
    let got = first.got.recv().await.unwrap();
    drop((work, first));
    let mut second = world(&disk, &["ops"]);
    let _work = second.work();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(second.got.recv().await.unwrap().notice.id);
    }
    assert_eq!(ids[0], got.notice.id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// Danger: a secret that was changed counts only after a restart, and meanwhile a receiver refuses everything.
#[tokio::test(start_paused = true)]
async fn secrets_are_read_for_each_notice_and_a_file_that_is_gone_costs_a_try() {
    let mut world = world(&Disk::default(), &["ops"]);
    let path = world._dir.path().join("secrets");
    let _work = world.work();
    world.tell("ops", 1);
    let signatures = |got: &Got| got.headers["webhook-signature"].split(' ').count();
    assert_eq!(signatures(&world.got.recv().await.unwrap()), 1);
    std::fs::write(&path, format!("whsec_{}\n{SECRET}\n", "AAAA".repeat(8))).unwrap();
    world.tell("ops", 1);
    let got = world.got.recv().await.unwrap();
    assert_eq!(signatures(&got), 2);
    assert_eq!(got.headers["webhook-id"], got.notice.id);
    std::fs::rename(&path, path.with_extension("away")).unwrap();
    world.tell("ops", 1);
    let tried = || {
        let listed = world.desk.list(u64::MAX, None, Some(Stage::Waiting), 1).unwrap();
        listed.first().and_then(|listed| listed.problem.clone())
    };
    while tried().is_none() {
        tokio::task::yield_now().await;
    }
    let problem = tried().unwrap();
    assert!(problem.contains("cannot be read") && !problem.contains("whsec"), "{problem}");
    std::fs::rename(path.with_extension("away"), &path).unwrap();
    assert_eq!(world.got.recv().await.unwrap().headers.len(), 3);
}

#[test]
fn a_notice_goes_to_the_channels_of_every_route_that_matches_it_once_to_each() {
    let route = |channels: &[&str]| Route {
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
        ..Route::default()
    };
    let amount = |text: &str| treasury_core::units::Amount::from_words(text).unwrap();
    let config = NotifyConfig {
        channels: Vec::new(),
        routes: vec![
            Route { severity: Severity::Critical, ..route(&["pager", "ops"]) },
            Route { kinds: Some([Kind::Created].into()), ..route(&["ops"]) },
            Route { accounts: Some(["rCold".to_owned()].into()), ..route(&["cold"]) },
            Route { amount_above: Some(amount("1000 XRP")), ..route(&["large"]) },
            Route { signers: Some(["alice".to_owned()].into()), ..route(&["alice"]) },
            Route { people: Some(["sue".to_owned(), "dan".to_owned()].into()), ..route(&["sue"]) },
        ],
        ..NotifyConfig::default()
    };
    let plain = Notice::new("n".to_owned(), Kind::Quorum, Severity::Info, String::new(), String::new());
    let party = |address: &str| treasury_api::types::PartyView { address: address.to_owned(), name: None };
    let of = |notice: Notice| {
        let channels = config.address(notice, 7).channels.into_iter();
        channels
            .map(|(channel, due)| if due == 7 { channel } else { String::new() })
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(of(plain.clone()), "");
    assert_eq!(of(Notice { severity: Severity::Critical, ..plain.clone() }), "ops pager");
    let both = Notice { severity: Severity::Critical, kind: Kind::Created, ..plain.clone() };
    assert_eq!(of(both), "ops pager");
    assert_eq!(of(Notice { account: Some(party("rCold")), ..plain.clone() }), "cold");
    assert_eq!(of(Notice { account: Some(party("rWarm")), ..plain.clone() }), "");
    for (text, to) in
        [("1000 XRP", ""), ("1000.000001 XRP", "large"), ("2000 USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", "")]
    {
        assert_eq!(of(Notice { amount: Some(amount(text).into()), ..plain.clone() }), to, "{text}");
    }
    assert_eq!(of(Notice { signers: vec!["bob".to_owned()], ..plain.clone() }), "");
    assert_eq!(of(Notice { people: vec!["bob".to_owned()], ..plain.clone() }), "");
    assert_eq!(of(Notice { people: vec!["bob".to_owned(), "sue".to_owned()], ..plain.clone() }), "sue");
    assert_eq!(of(Notice { signers: vec!["bob".to_owned(), "alice".to_owned()], ..plain }), "alice");
}
