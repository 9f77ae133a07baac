//! A whole daemon, and programs that listen to what it tells.

use tokio::sync::mpsc;
use treasury_api::client::{ClientError, Told, Watch};
use treasury_api::notice::{Kind, START};

use super::told::{Came, receiver, telling};
use super::*;
use crate::notify::documents;

/// The next notice, and the document as it came, which is what its schema says.
async fn next(watch: &mut Watch) -> (String, String) {
    match watch.next().await.unwrap() {
        Some(Told::Notice(notice, document)) => {
            documents::check(&document).unwrap();
            (notice.id, document)
        }
        other => panic!("no notice: {other:?}"),
    }
}

/// Everything until a notice of this kind.
async fn until(kind: Kind, watch: &mut Watch) -> Vec<(String, String)> {
    let mut told = Vec::new();
    loop {
        told.push(next(watch).await);
        let (_, document) = told.last().unwrap();
        if document.contains(&format!("\"type\":\"{kind}\"")) {
            return told;
        }
    }
}

/// Goal: what a program hears by the stream is what another one gets by a webhook, byte for byte, and under the same ids.
#[tokio::test]
async fn the_stream_carries_the_documents_that_webhooks_carry() {
    let dir = tempfile::tempdir().unwrap();
    let (url, mut told): (String, mpsc::UnboundedReceiver<Came>) = receiver().await;
    let daemon = Daemon::start(telling(dir.path(), &url).await).await.unwrap();
    let mut watch = client(&daemon, "bob").watch(Some(START)).await.unwrap();
    client(&daemon, "sue").freeze(Some("warm"), "a \u{202e} drill\nof \"two\" lines").await.unwrap();
    client(&daemon, "adam").lift(&["S1".to_owned()], "over").await.unwrap();
    client(&daemon, "adam").test_channel("ops").await.unwrap();
    let heard = until(Kind::Test, &mut watch).await;
    assert!(heard.len() >= 3, "{heard:?}");
    let mut posted = BTreeMap::new();
    while posted.len() < heard.len() {
        let (headers, body) = told.recv().await.unwrap();
        posted.insert(headers["webhook-id"].to_str().unwrap().to_owned(), body);
    }
    assert_eq!(heard.into_iter().collect::<BTreeMap<_, _>>(), posted);
    daemon.shutdown().await;
}

/// Danger: a program that was away does not hear what happened meanwhile, or hears it twice; and who has no channels has no
/// events. Method: the daemon stops while somebody listens, is asked for something by others, and starts anew.
#[tokio::test]
async fn whoever_was_away_goes_on_where_they_were_over_restarts_and_without_any_channel() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    let (bob, sue) = (client(&daemon, "bob"), client(&daemon, "sue"));
    let mut quiet = bob.watch(None).await.unwrap();
    sue.freeze(Some("warm"), "one").await.unwrap();
    let first = until(Kind::Freeze, &mut quiet).await;
    sue.freeze(None, "two").await.unwrap();
    let mut all = bob.watch(Some(START)).await.unwrap();
    let mut before = until(Kind::Freeze, &mut all).await;
    before.extend(until(Kind::Freeze, &mut all).await);
    // That the ledger is not seen may have been told before the first one listened.
    let unheard = before.iter().position(|told| Some(told) == first.first()).unwrap();
    before.drain(..unheard);
    assert_eq!(before[..first.len()], first);
    daemon.shutdown().await;
    let end = loop {
        match all.next().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(end.is_ok(), "a stream ends in peace: {end:?}");

    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    let (bob, adam) = (client(&daemon, "bob"), client(&daemon, "adam"));
    adam.lift(&["S1".to_owned()], "over").await.unwrap();
    let last = first.last().unwrap().0.clone();
    let mut again = bob.watch(Some(&last)).await.unwrap();
    let rest = until(Kind::StopLifted, &mut again).await;
    assert_eq!(rest[..before.len() - first.len()], before[first.len()..]);
    let ids: std::collections::BTreeSet<&String> = before.iter().chain(&rest).map(|(id, _)| id).collect();
    assert_eq!(ids.len(), before.len() + rest.len() - (before.len() - first.len()));
    // Whoever hears nothing before the stream breaks knows all the same where it was.
    let mut quiet = bob.watch(None).await.unwrap();
    adam.lift(&["S2".to_owned()], "over").await.unwrap();
    assert_eq!(until(Kind::StopLifted, &mut quiet).await.len(), 1);
    daemon.shutdown().await;
}

#[tokio::test]
async fn an_id_that_nobody_knows_is_said_to_be_that_and_all_that_is_kept_follows() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    client(&daemon, "sue").freeze(None, "one").await.unwrap();
    let mut watch = client(&daemon, "bob").watch(Some("n-00000000-7\n\nevent: test")).await.unwrap();
    let Some(Told::Trimmed(trimmed)) = watch.next().await.unwrap() else { panic!("it is known") };
    documents::check(&serde_json::to_string(&trimmed).unwrap()).unwrap();
    assert_eq!((trimmed.after.as_deref(), trimmed.missing), (Some("n-00000000-7"), None));
    assert_eq!(watch.last(), None, "it is no place to go on at");
    until(Kind::Freeze, &mut watch).await;
    daemon.shutdown().await;
}

/// Danger: somebody who was dismissed goes on hearing who is paid what.
#[tokio::test]
async fn a_stream_ends_when_its_token_is_taken_out_of_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path()).await;
    let daemon = Daemon::start(config.clone()).await.unwrap();
    let (mut of_bob, mut of_sue) = (
        client(&daemon, "bob").watch(None).await.unwrap(),
        client(&daemon, "sue").watch(None).await.unwrap(),
    );
    let nobody = Client::new(&daemon.url(), Some("a-token-of-nobodys".to_owned())).unwrap();
    assert_eq!(nobody.watch(None).await.unwrap_err().code(), Some("TOKEN_WRONG"));
    let mut without = config;
    without.tokens.remove("bob");
    daemon.reload(&without).await.unwrap();
    while of_bob.next().await.unwrap().is_some() {}
    let refused: ClientError = client(&daemon, "bob").watch(None).await.unwrap_err();
    assert_eq!(refused.code(), Some("TOKEN_WRONG"));
    client(&daemon, "sue").freeze(None, "one").await.unwrap();
    until(Kind::Freeze, &mut of_sue).await;
    daemon.shutdown().await;
}
