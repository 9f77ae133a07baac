//! What is secret in the configuration, and where it must not come out.

use std::fs;
use treasuryd::client::Client;

use crate::support::{Logging, lacks_sight, sandbox, speak_to, treasuryd, until};

/// Danger: the password and the API key of a ledger server are in an address, and whatever names the server shows them.
#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_an_endpoint_are_nowhere_to_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    // Nobody listens there, which is said in as many places as there are.
    let port = treasuryd::dev::free_port("127.0.0.1:0".parse().unwrap()).unwrap().port();
    let endpoint =
        format!("ws://operator:PASSWORD99@127.0.0.1:{port}/v1/SECRETKEY0123/?apikey=SECRETKEY0123");
    speak_to(&sandbox, &endpoint);
    let mut daemon = Logging::start(&sandbox, &[]);
    let shown = format!("ws://127.0.0.1:{port}/…");
    let reason = lacks_sight(&sandbox, &shown).await;
    let nobody = Client::new(sandbox.url(), None).unwrap();
    let alice = sandbox.people().get("alice").unwrap().client();
    let mut seen = format!("{reason}{:?}", alice.status().await.unwrap());
    seen.push_str(&format!("{:?}{:?}", alice.events(0, 500).await.unwrap(), alice.findings().await.unwrap()));
    seen.push_str(&nobody.metrics().await.unwrap());
    let log = daemon.ends().await;
    let data = sandbox.dir().join("data");
    until("the store is free", || treasuryd::store::StoreLock::take(&data).ok().map(drop)).await;
    let export = treasuryd().args(["store", "export", "--data-dir"]).arg(&data).output().unwrap();
    seen.push_str(&String::from_utf8_lossy(&export.stdout));
    assert!(log.contains(&shown) && seen.contains(&shown), "it is named all the same");
    seen.push_str(&log);
    for file in ["intents.log", "journal", "store/db"] {
        seen.push_str(&String::from_utf8_lossy(&fs::read(data.join(file)).unwrap()));
    }
    for secret in ["operator", "PASSWORD99", "SECRETKEY0123"] {
        assert!(!seen.contains(secret), "{secret} is seen");
    }
}

/// Danger: somebody writes a seed where an address belongs, and it is in the journal of the machine from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_seed_in_the_configuration_is_in_no_log() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let mut daemon = Logging::with_sight(&sandbox).await;
    let begun = fs::read_to_string(sandbox.config_path()).unwrap();
    let seed = fs::read_to_string(sandbox.dir().join("alice.seed")).unwrap();
    let alice = sandbox.people().get("alice").unwrap().signer().to_string();
    let wrong =
        begun.replace(&alice, seed.trim()).replace("tier = \"cold\"", &format!("tier = \"{}\"", seed.trim()));
    fs::write(sandbox.config_path(), wrong).unwrap();
    daemon.signal(rustix::process::Signal::HUP);
    let refused = until("it is refused", || daemon.named("config_refused").pop()).await;
    let reason = refused["reason"].as_str().unwrap();
    assert!(
        reason.contains("this is a seed") && reason.contains("\"(a seed, not shown)\" is not a tier"),
        "{reason}"
    );
    assert!(!daemon.ends().await.contains(seed.trim()));
    let check = treasuryd().args(["config", "check"]).arg(sandbox.config_path()).output().unwrap();
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(said.contains("this is a seed") && !said.contains(seed.trim()), "{said}");
}
