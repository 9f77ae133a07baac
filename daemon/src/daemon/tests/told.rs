//! A whole daemon, with its outbox on a disk, that tells a receiver on a socket.

use std::os::unix::fs::PermissionsExt;
use tokio::net::TcpListener;

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::mpsc;
use treasury_api::notice::Kind;
use treasury_api::types::{DeliveriesQuery, Notice};

use super::*;
use crate::notify::NotifyConfig;

const KEY: [u8; 32] = [7; 32];

/// What came, as it came.
pub(super) type Came = (HeaderMap, String);

pub(super) async fn receiver() -> (String, mpsc::UnboundedReceiver<Came>) {
    let (tell, told) = mpsc::unbounded_channel::<Came>();
    let take = |Shared(tell): Shared<mpsc::UnboundedSender<Came>>, headers: HeaderMap, body: String| async move {
        tell.send((headers, body)).unwrap();
    };
    let app = axum::Router::new().route("/hook", post(take)).with_state(tell);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, told)
}

/// The configuration's own words, with the rest as the other tests have it.
pub(super) async fn telling(dir: &Path, url: &str) -> DaemonConfig {
    let secrets = dir.join("secrets");
    std::fs::write(&secrets, format!("whsec_{}\n", STANDARD.encode(KEY))).unwrap();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
         [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n\
         [[channel]]\nname = \"ops\"\nurl = \"{url}\"\nsecrets_file = \"secrets\"\nallow_private = true\n\
         [[route]]\nchannels = [\"ops\"]\n"
    );
    let notify: NotifyConfig = DaemonConfig::parse(&text, dir).unwrap().notify;
    // What became of a notice is asked for again and again.
    DaemonConfig { notify, requests_per_second: 10_000, ..config(dir).await }
}

/// A notice, after its signature was checked.
fn checked((headers, body): Came) -> Notice {
    let header = |name: &str| headers[name].to_str().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), signature);
    let notice: Notice = serde_json::from_str(&body).unwrap();
    assert_eq!(header("webhook-id"), notice.id);
    notice
}

/// What comes until a notice of this kind has come and the daemon has put down that it was taken.
async fn until(kind: Kind, told: &mut mpsc::UnboundedReceiver<Came>, daemon: &Daemon) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    while notices.last().is_none_or(|last| last.kind != kind) {
        notices.push(checked(told.recv().await.unwrap()));
    }
    let id = &notices.last().unwrap().id;
    let delivered = DeliveriesQuery { stage: Some("delivered".to_owned()), ..DeliveriesQuery::default() };
    loop {
        let found = client(daemon, "sue").deliveries(&delivered).await.unwrap();
        if found.iter().any(|delivery| delivery.notice.id == *id) {
            return notices;
        }
    }
}

/// Goal: what people do is on the wire, signed, before and after a restart, and nothing twice.
#[tokio::test]
async fn a_daemon_tells_a_receiver_and_goes_on_after_a_restart_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (url, mut told) = receiver().await;
    let daemon = Daemon::start(telling(dir.path(), &url).await).await.unwrap();
    assert!(client(&daemon, "sue").freeze(Some("warm"), "a drill").await.unwrap().changed);
    let first = until(Kind::Freeze, &mut told, &daemon).await;
    assert!(first.last().unwrap().says.contains("a drill"), "{first:?}");
    daemon.shutdown().await;

    let daemon = Daemon::start(telling(dir.path(), &url).await).await.unwrap();
    let stops = ["S1".to_owned()];
    client(&daemon, "adam").lift(&stops, "it was one").await.unwrap();
    let second = until(Kind::StopLifted, &mut told, &daemon).await;
    assert!(second.iter().all(|notice| first.iter().all(|known| known.id != notice.id)), "{second:?}");
    let metrics = client(&daemon, "sue").metrics().await.unwrap();
    assert!(metrics.contains("treasuryd_deliveries_waiting{channel=\"ops\"} 0"), "{metrics}");
    daemon.shutdown().await;

    // Without channels nothing is told later of what happens meanwhile.
    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    assert!(client(&daemon, "sue").freeze(Some("warm"), "unseen").await.unwrap().changed);
    assert!(client(&daemon, "sue").channels().await.unwrap().is_empty());
    daemon.shutdown().await;
    let daemon = Daemon::start(telling(dir.path(), &url).await).await.unwrap();
    client(&daemon, "adam").test_channel("ops").await.unwrap();
    let third = until(Kind::Test, &mut told, &daemon).await;
    assert!(third.iter().all(|notice| notice.kind != Kind::Freeze), "{third:?}");
    daemon.shutdown().await;
}

/// Danger: what tells people is broken, and with it falls what guards the treasury.
#[tokio::test]
async fn a_daemon_whose_outbox_is_damaged_runs_and_says_that_nobody_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (url, _told) = receiver().await;
    let data = dir.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    // A file in the folder's place.
    std::fs::write(data.join("outbox"), "rubbish").unwrap();
    let daemon = Daemon::start(telling(dir.path(), &url).await).await.unwrap();
    assert!(client(&daemon, "sue").freeze(None, "a drill").await.unwrap().changed);
    let metrics = client(&daemon, "sue").metrics().await.unwrap();
    assert!(metrics.contains("\ntreasuryd_notices_stuck 1\n"), "{metrics}");
    daemon.shutdown().await;
}
