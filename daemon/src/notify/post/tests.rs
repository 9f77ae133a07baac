use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::Method;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::*;

/// Long enough for a machine under load to answer, short enough to be waited for.
const BRIEF: Duration = Duration::from_millis(300);

fn wire() -> Wire {
    patient(Duration::from_secs(30))
}

/// One with this patience.
pub(in crate::notify) fn patient(patience: Duration) -> Wire {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Wire { patience, ..Wire::default() }
}

fn request(to: &Receiver) -> Parcel {
    let headers = vec![(HeaderName::from_static("webhook-id"), SecretString::from("n-1"))];
    let body = b"{\"says\":\"hello\"}".to_vec();
    Parcel::Request(Request { method: Method::POST, url: to.url().unwrap(), headers, body })
}

fn receiver(url: &str) -> Receiver {
    Receiver::parse(url, None, true).unwrap()
}

/// A receiver that answers every connection with these bytes and then says nothing and closes nothing. What it was sent
/// comes out of the channel.
async fn answering(answer: &'static [u8]) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=SECRET99", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            tell.send(read(&mut stream).await).unwrap();
            stream.write_all(answer).await.unwrap();
            open.push(stream);
        }
    });
    (url, told)
}

/// A request to its end.
async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 1_024]);
    while !text.ends_with("\"hello\"}") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the request ended after {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

#[tokio::test]
async fn a_receiver_gets_the_whole_notice_and_its_status_is_the_answer() {
    let (url, mut told) = answering(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let to = receiver(&url);
    assert_eq!(wire().post(&to, request(&to)).await, Ok(204));
    let sent = told.recv().await.unwrap();
    assert!(sent.starts_with("POST /hook?key=SECRET99 HTTP/1.1\r\n"), "{sent}");
    for line in
        ["webhook-id: n-1", "content-type: application/json", "host: 127.0.0.1:", "content-length: 16"]
    {
        assert!(sent.contains(line), "{line} is not in {sent}");
    }
    assert!(!format!("{to:?}").contains("SECRET99"));
}

/// Danger: a receiver, or whoever sits in its place, sends the program that holds keys somewhere else.
#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = elsewhere.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while elsewhere.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let answer =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{place}/\r\ncontent-length: 0\r\n\r\n");
    let (url, _told) = answering(answer.leak().as_bytes()).await;
    let to = receiver(&url);
    assert_eq!(wire().post(&to, request(&to)).await, Ok(307));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_without_end_costs_nothing_and_a_head_without_end_is_cut() {
    // A body of a terabyte, of which some comes.
    let (url, _told) =
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\nxxxxxxxxxxxxxxxx").await;
    let to = receiver(&url);
    assert_eq!(wire().post(&to, request(&to)).await, Ok(200));
    let lines = "x-more: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".repeat(2_000);
    let (url, _told) = answering(format!("HTTP/1.1 200 OK\r\n{lines}").leak().as_bytes()).await;
    let to = receiver(&url);
    assert_eq!(wire().post(&to, request(&to)).await, Err(PostError::Broken));
    let (url, _told) = answering(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let to = receiver(&url);
    assert_eq!(wire().post(&to, request(&to)).await, Err(PostError::Broken));
}

#[tokio::test]
async fn a_receiver_that_hangs_or_is_slow_is_given_up_in_time() {
    // One says nothing, one begins and goes on for ever.
    for answer in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nx-slow: "] {
        let (url, _told) = answering(answer).await;
        let to = receiver(&url);
        let wire = Wire { patience: BRIEF, ..wire() };
        assert_eq!(wire.post(&to, request(&to)).await, Err(PostError::TimedOut));
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_or_ends_the_connection_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/SECRET99", listener.local_addr().unwrap());
    let closing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await
    });
    let to = receiver(&url);
    assert_eq!(wire().post(&to, request(&to)).await, Err(PostError::Broken));
    closing.await.unwrap();
    let gone = wire().post(&to, request(&to)).await.unwrap_err();
    assert!(matches!(gone, PostError::Unreachable(_)), "{gone}");
    assert!(!gone.to_string().contains("SECRET99"));
}

/// Danger: whoever may name a receiver, or answers for its name, reaches what only this machine can reach.
#[tokio::test]
async fn a_private_address_is_connected_to_only_where_that_is_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "169.254.169.254"] {
        let to = Receiver::parse(&format!("https://{host}:{port}/"), None, false).unwrap();
        assert_eq!(wire().post(&to, request(&to)).await, Err(PostError::Private), "{host}");
    }
    let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    connected.unwrap_err();
}

#[tokio::test]
async fn an_address_that_would_show_or_lose_something_is_refused_and_not_repeated() {
    for wrong in [
        "http://hooks.example/SECRET99",
        "ftp://hooks.example/SECRET99",
        "https://user:SECRET99@hooks.example/",
        "SECRET99",
        "https://",
    ] {
        let what = Receiver::parse(wrong, None, false).unwrap_err();
        assert!(!what.contains("SECRET99"), "{what}");
    }
    let kept = Receiver::parse("https://hooks.example:8443/SECRET99", None, false).unwrap();
    assert_eq!(kept.label(), "https://hooks.example:8443");
}

/// How to serve with a certificate for this name, and the authority that it is of.
pub(in crate::notify) fn certified(name: &str) -> (TlsAcceptor, Trust) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority, &ca_key).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca"), authority.pem()).unwrap();
    let trust = Trust::read(&dir.path().join("ca")).unwrap();
    (TlsAcceptor::from(Arc::new(config)), trust)
}

/// An authority, and a server with a certificate of it for this name.
async fn secured(name: &str) -> (String, Trust) {
    let (acceptor, trust) = certified(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            read(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    (url, trust)
}

#[tokio::test]
async fn a_certificate_is_believed_only_from_whom_it_should_come_and_for_its_own_name() {
    let (url, trust) = secured("127.0.0.1").await;
    let (other_url, other) = secured("hooks.example").await;
    let believed = Receiver::parse(&url, Some(trust), true).unwrap();
    assert_eq!(wire().post(&believed, request(&believed)).await, Ok(200));
    for wrong in [
        Receiver::parse(&url, Some(other.clone()), true).unwrap(),
        Receiver::parse(&url, None, true).unwrap(),
        Receiver::parse(&other_url, Some(other), true).unwrap(),
    ] {
        let refused = wire().post(&wrong, request(&wrong)).await.unwrap_err();
        assert!(matches!(refused, PostError::Tls(_)), "{refused}");
    }
}
