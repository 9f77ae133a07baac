//! What is secret in the configuration, and where it must not come out.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;
use treasuryd::client::Client;
use xrpl_harness::network::Network;

use crate::support::{PATIENCE, Process, sandbox, treasuryd, until};

/// Danger: the password and the API key of a ledger server are in an address, and whatever names the server shows them.
#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_an_endpoint_are_nowhere_to_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    // Nobody listens there, which is said in as many places as there are.
    let port = treasuryd::dev::free_port("127.0.0.1:0".parse().unwrap()).unwrap().port();
    let endpoint =
        format!("ws://operator:PASSWORD99@127.0.0.1:{port}/v1/SECRETKEY0123/?apikey=SECRETKEY0123");
    let config = fs::read_to_string(sandbox.config_path()).unwrap();
    let own = format!("endpoints = [\"{}\"]", sandbox.world().ws_url());
    assert!(config.contains(&own), "{config}");
    fs::write(sandbox.config_path(), config.replace(&own, &format!("endpoints = [\"{endpoint}\"]"))).unwrap();

    let log = sandbox.dir().join("log");
    let mut process = Process::start(
        treasuryd()
            .args(["run", "--log-json", "--config"])
            .arg(sandbox.config_path())
            .env("RUST_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap()),
    );
    let shown = format!("ws://127.0.0.1:{port}/…");
    let nobody = Client::new(sandbox.url(), None).unwrap();
    let deadline = std::time::Instant::now() + PATIENCE;
    let reason = loop {
        assert!(std::time::Instant::now() < deadline, "it never says what it lacks");
        match nobody.readiness().await {
            Ok(ready) if ready.reason.as_deref().is_some_and(|reason| reason.contains(&shown)) => {
                break ready.reason;
            }
            _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    };
    let alice = sandbox.people().get("alice").unwrap().client();
    let mut seen = format!("{reason:?}{:?}", alice.status().await.unwrap());
    seen.push_str(&format!("{:?}{:?}", alice.events(0, 500).await.unwrap(), alice.findings().await.unwrap()));
    seen.push_str(&nobody.metrics().await.unwrap());
    process.signal(Signal::TERM);
    assert!(process.ended().await.success());
    let data = sandbox.dir().join("data");
    until("the store is free", || treasuryd::store::StoreLock::take(&data).ok().map(drop)).await;
    let export = treasuryd().args(["store", "export", "--data-dir"]).arg(&data).output().unwrap();
    seen.push_str(&String::from_utf8_lossy(&export.stdout));
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains(&shown) && seen.contains(&shown), "it is named all the same");
    seen.push_str(&log);
    for file in ["intents.log", "journal", "store/db"] {
        seen.push_str(&String::from_utf8_lossy(&fs::read(data.join(file)).unwrap()));
    }
    for secret in ["operator", "PASSWORD99", "SECRETKEY0123"] {
        assert!(!seen.contains(secret), "{secret} is seen");
    }
}
