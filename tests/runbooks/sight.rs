//! Ledger servers that are gone, or that lie, and what does not get through them.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use treasuryd::dev::xrp;
use xrpl_harness::network::Network;
use xrpl_harness::{EmbeddedConfig, EmbeddedServer, Faults};
use xrpl_wire::{TransactionType, TxResult};

use crate::incident::Incident;

/// A way to a ledger server that can be cut, or led elsewhere.
struct Way {
    url: String,
    to: watch::Sender<Option<SocketAddr>>,
    _task: JoinHandle<()>,
}

fn address(url: &str) -> Option<SocketAddr> {
    Some(url.trim_start_matches("ws://").parse().unwrap())
}

impl Way {
    async fn to(url: &str) -> Self {
        let (sender, seen) = watch::channel(address(url));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((mut one, _)) = listener.accept().await {
                let mut seen = seen.clone();
                let Some(to) = *seen.borrow_and_update() else { continue };
                tokio::spawn(async move {
                    let Ok(mut other) = TcpStream::connect(to).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut one, &mut other) => {}
                        _ = seen.changed() => {}
                    }
                });
            }
        });
        Self { url, to: sender, _task: task }
    }

    /// Ends every connection; those that come lead there, or nowhere.
    fn lead(&self, url: Option<&str>) {
        self.to.send(url.and_then(address)).unwrap();
    }
}

/// Waits until the daemon says this of its sight, while ledgers close.
async fn until_blind(at: &Incident, part: &str, meanwhile: impl Fn()) -> String {
    let asked = || async {
        meanwhile();
        let ready = at.client("alice").readiness().await.map_err(|error| error.to_string())?;
        match ready.reason {
            Some(reason) if reason.contains(part) => Ok(reason),
            other => Err(format!("{other:?}")),
        }
    };
    at.sandbox.until_told("it is blind", asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_daemon_sees_through_another_server_and_goes_on() {
    let mut at = Incident::before("blind").await;
    let way = Way::to(&at.world().ws_url()).await;
    at.configure("[network]", "", &format!("endpoints = [\"{}\"]\n", way.url));
    at.start().await;
    let id = at.signed("warm", "supplier", 300, &["alice"]).await;
    let other = at.world().ws_url();
    at.say("ws://another-server:6006", other);
    way.lead(None);
    until_blind(&at, "", || ()).await;
    let before = at.balance("supplier").await;
    at.sandbox.people().get("bob").unwrap().approve(&id).await.unwrap();
    at.world().close_ledger().await.unwrap();
    assert!(at.client("alice").proposal(&id).await.unwrap().outcome.is_none(), "it was sent blindly");

    let told = at.step().await;
    assert!(told.contains("\"ready\":false"), "{told}");
    let status = at.step().await;
    assert!(status.contains("LOST"), "{status}");
    let left = at.step().await;
    assert!(left.contains(&id), "{left}");
    let lines = at.toml();
    at.configure("[network]", "", &lines);
    let sees = at.step().await;
    assert!(sees.contains("\"ready\":true"), "{sees}");
    at.until_status(&id, "validated").await;
    assert_eq!(at.balance("supplier").await, before.checked_add(xrp(300)).unwrap());
    at.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_servers_that_disagree_the_wrong_one_is_found_and_taken_out() {
    let mut at = Incident::before("servers-disagree").await;
    let right = Way::to(&at.world().ws_url()).await;
    let third = Way::to(&at.world().ws_url()).await;
    let wrong = Way::to(&at.world().ws_url()).await;
    let both = format!("endpoints = [\"{}\", \"{}\"]\nread_quorum = 2\n", right.url, wrong.url);
    at.configure("[network]", "", &both);
    at.start().await;
    at.say("ws://right-server:6006", &right.url);
    at.say("ws://third-server:6006", &third.url);
    // From here on that server has a history of its own.
    let ledger = at.world().embedded().unwrap().snapshot();
    let forked = EmbeddedServer::start_with(ledger, EmbeddedConfig::default()).await.unwrap();
    forked.advance_time(60);
    wrong.lead(Some(&forked.ws_url()));
    at.world().close_ledger().await.unwrap();
    let reason = until_blind(&at, &wrong.url, || {
        forked.close_ledger();
    })
    .await;
    assert!(reason.contains(&right.url), "{reason}");

    let status = at.step().await;
    assert!(status.contains("LOST") && status.contains(&wrong.url), "{status}");
    let disputed = at.world().validated().await.unwrap().index;
    at.say("LEDGER", disputed);
    let asked = at.step().await;
    let hash = at.world().ledger(disputed).await.unwrap().header.hash().to_string();
    assert!(asked.contains(&hash), "{asked}");
    let lines = at.toml();
    at.configure("[network]", "", &lines);
    let sees = at.step().await;
    assert!(sees.contains("\"ready\":true"), "{sees}");
    at.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_is_closed_once_its_cause_is_gone() {
    let mut at = Incident::of("stuck-submissions").await;
    // Hot falls below its floor, and each refill takes its fee and does nothing else.
    let faults = Faults { claim_only: 1_000, ..Faults::default() };
    let since = at.world().validated().await.unwrap().index;
    let two = [at.person("alice"), at.person("bob")];
    for _ in 0..2 {
        assert_eq!(at.theft("hot", &two).await, TxResult::tesSUCCESS);
    }
    at.sandbox.let_pass(1).await.unwrap();
    let holds = at.client("dave").stops().await.unwrap().standing;
    let holds: Vec<String> = holds.into_iter().map(|stop| stop.id).collect();
    at.world().set_faults(faults).await.unwrap();
    at.client("dave").lift(&holds, "a drill").await.unwrap();
    let asked = || async {
        let status = at.client("alice").status().await.map_err(|error| error.to_string())?;
        if status.breakers.iter().any(|breaker| breaker.open) {
            Ok(())
        } else {
            Err(format!("{:?}", status.breakers))
        }
    };
    at.sandbox.until_told("the breaker opens", asked).await.unwrap();
    let refills = at.client("alice").proposals(false, None).await.unwrap();
    at.say("P7", &refills[0].id);
    let told = at.step().await;
    assert!(told.contains("BREAKER") && told.contains("errand"), "{told}");
    at.world().set_faults(Faults::default()).await.unwrap();
    let closed = at.step().await;
    assert!(closed.contains("closed") && !closed.contains("BREAKER"), "{closed}");
    let fee = at.step().await;
    assert!(fee.contains("open_ledger_fee"), "{fee}");
    at.sent("warm", since, TransactionType::Payment).await;
    at.done().await;
}
