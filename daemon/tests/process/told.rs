//! Notices, and a daemon that is killed while they wait.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path as Of, State};
use axum::routing::post;
use rustix::process::Signal;
use serde_json::Value;
use tokio::net::TcpListener;
use treasuryd::client::Client;
use treasuryd::dev::{Sandbox, xrp};

use crate::support::{Process, daemon, sandbox, until};

const CHANNELS: [&str; 3] = ["one", "two", "three"];

/// What came, by channel and id, and from the how manieth request on nobody is answered.
#[derive(Default)]
struct Came {
    notices: BTreeMap<(String, String), Vec<Value>>,
    requests: usize,
    /// Requests that were not answered.
    unanswered: usize,
    held_from: Option<usize>,
}

#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Came>>);

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let take = |State(Self(came)): State<Self>, Of(channel): Of<String>, body: String| async move {
            let is_held = {
                let mut came = came.lock().unwrap();
                let notice: Value = serde_json::from_str(&body).unwrap();
                let id = notice["id"].as_str().unwrap().to_owned();
                came.notices.entry((channel, id)).or_default().push(notice);
                came.requests += 1;
                let is_held = came.held_from.is_some_and(|from| came.requests > from);
                came.unanswered += usize::from(is_held);
                is_held
            };
            if is_held {
                std::future::pending::<()>().await;
            }
        };
        let app = Router::new().route("/{channel}", post(take)).with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, url)
    }

    /// Answers so many more requests, and then nobody any more. Says how many had come.
    fn hold_after(&self, more: Option<usize>) -> usize {
        let mut came = self.0.lock().unwrap();
        came.held_from = more.map(|more| came.requests + more);
        came.requests
    }

    fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }
}

/// Has the daemon tell this receiver, through every channel, of everything.
fn tell(sandbox: &Sandbox, url: &str) {
    private(&sandbox.dir().join("secrets"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let config = fs::read_to_string(sandbox.config_path()).unwrap();
    // How much one person may ask is not what is tried here.
    let mut config = config.replacen("[daemon]\n", "[daemon]\nrequests_per_second = 10000\n", 1);
    assert!(config.contains("requests_per_second"), "{config}");
    for name in CHANNELS {
        config.push_str(&format!(
            "\n[[channel]]\nname = \"{name}\"\nurl = \"{url}/{name}\"\nsecrets_file = \"secrets\"\nallow_private = true\n"
        ));
    }
    config.push_str(&format!("\n[[route]]\nchannels = {CHANNELS:?}\n"));
    fs::write(sandbox.config_path(), config).unwrap();
}

/// Writes a file that its owner alone may read.
pub(crate) fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn started(sandbox: &Sandbox) -> Process {
    let process = Process::start(&mut daemon(sandbox));
    sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
    process
}

async fn propose(sandbox: &Sandbox) -> String {
    // With thousands of deliveries the last ledger is of a minute ago, and who sees none newer takes no proposals.
    sandbox.let_pass(1).await.unwrap();
    let alice = sandbox.people().get("alice").unwrap();
    alice.propose("warm", "supplier", xrp(5), "").await.unwrap()
}

/// How many deliveries wait when the first life ends: `TREASURYD_TEST_DELIVERIES`, or a few hundred, which are quick.
fn deliveries() -> usize {
    let asked = std::env::var("TREASURYD_TEST_DELIVERIES").ok();
    asked.map_or(300, |asked| asked.parse().unwrap())
}

/// Goal: what people have to know reaches them, however often the daemon is killed, and with hundreds of deliveries under
/// way. Danger: one that was put down as told and was not, or one that was never put down. Method: each life is killed
/// while receivers have a notice and have not answered, after they took some; and right after a proposal was accepted.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_deliveries_survive_kills_at_any_point_and_none_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let (receiver, url) = Receiver::start().await;
    tell(&sandbox, &url);
    receiver.hold_after(Some(0));
    let mut process = started(&sandbox).await;
    let carol: &Client = sandbox.people().get("carol").unwrap().client();
    let mut expected = Vec::new();
    let all = deliveries();
    for channel in CHANNELS.into_iter().cycle().take(all) {
        expected.push((channel.to_owned(), carol.test_channel(channel).await.unwrap().id));
    }
    let (mut proposals, mut kills) = (vec![propose(&sandbox).await], 0);
    for taken in [0, 1, 40, all * 2 / 5] {
        process.signal(Signal::KILL);
        assert!(!process.ended().await.success());
        kills += 1;
        let before = receiver.hold_after(Some(taken));
        process = started(&sandbox).await;
        until("a receiver has what it does not answer", || {
            (receiver.requests() > before + taken).then_some(())
        })
        .await;
        proposals.push(propose(&sandbox).await);
    }
    process.signal(Signal::KILL);
    process.ended().await;
    receiver.hold_after(None);
    let _last = started(&sandbox).await;
    let created = |came: &Came, channel: &str, proposal: &str| {
        came.notices.iter().any(|((of, _), told)| {
            of == channel && told[0]["type"] == "created" && told[0]["proposal"] == proposal
        })
    };
    until("everybody has everything", || {
        let came = receiver.0.lock().unwrap();
        let has_all = expected.iter().all(|key| came.notices.contains_key(key));
        let told = |proposal: &String| CHANNELS.iter().all(|channel| created(&came, channel, proposal));
        (has_all && proposals.iter().all(told)).then_some(())
    })
    .await;
    let came = receiver.0.lock().unwrap();
    let repeated: usize = came.notices.values().map(|told| told.len() - 1).sum();
    // What was answered and not put down before a kill, and what was not answered.
    let most = kills * CHANNELS.len() + came.unanswered;
    let count = came.notices.len();
    println!(
        "{all} deliveries asked for, {count} came, {kills} kills, {} unanswered, {repeated} repeats",
        came.unanswered
    );
    assert!(repeated <= most, "{repeated} repeats, {most} at most");
    assert!(came.notices.values().all(|told| told.iter().all(|again| *again == told[0])));
}
