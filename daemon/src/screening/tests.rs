use std::os::unix::fs::PermissionsExt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// Long enough for a machine under load to answer.
const PATIENCE: Duration = Duration::from_secs(30);

fn somebody() -> AccountId {
    AccountId([200; 20])
}

/// Somebody who answers every request with these bytes, and then says nothing and closes nothing. What came is told.
pub(crate) async fn answering(answer: String) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/screen?key=SECRET99", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut came = String::new();
            let mut buffer = [0; 1_024];
            while !came.ends_with('}') {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => came.push_str(&String::from_utf8_lossy(&buffer[..read])),
                }
            }
            // Nobody looks at it: then nobody misses it.
            let _ = tell.send(came);
            let _ = stream.write_all(answer.as_bytes()).await;
            open.push(stream);
        }
    });
    (url, told)
}

/// An answer of HTTP with this body.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn config(url: &str, patience: Duration) -> ScreeningConfig {
    ScreeningConfig { receiver: Receiver::parse(url, None, true).unwrap(), header: None, patience }
}

async fn said(answer: String) -> Screening {
    let (url, _told) = answering(answer).await;
    Screener::new(config(&url, PATIENCE)).screen(somebody(), Some(7)).await
}

fn answer(rest: &str) -> String {
    ok(&format!("{{\"destination\":\"{}\",{rest}}}", somebody()))
}

#[tokio::test]
async fn an_answer_is_read_with_its_words_and_the_question_says_whom_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "Bearer SECRET77\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let body = answer(
        "\"deny\":false,\"score\":40,\"label\":\"mixer, near\",\"reference\":\"case 12\",\"more\":[1]",
    );
    let (url, mut told) = answering(body).await;
    let header = Some((HeaderName::from_static("x-api-key"), file));
    let screener = Screener::new(ScreeningConfig { header, ..config(&url, PATIENCE) });
    let screening = screener.screen(somebody(), Some(7)).await;
    let (label, reference) = (Some("mixer, near".to_owned()), Some("case 12".to_owned()));
    assert_eq!(screening, Screening::Answered { deny: false, score: 40, label, reference });
    assert_eq!(screening.against(), None);
    assert_eq!(screening.score(), Some((40, "screened: mixer, near (case 12)".to_owned())));
    let asked = told.recv().await.unwrap();
    assert!(asked.starts_with("POST /screen?key=SECRET99 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nx-api-key: Bearer SECRET77\r\n"), "{asked}");
    let question = format!("{{\"version\":1,\"destination\":\"{}\",\"destination_tag\":7}}", somebody());
    assert!(asked.ends_with(&question), "{asked}");
    assert!(!format!("{screener:?}").contains("SECRET"));
    let denied = said(answer("\"deny\":true,\"reference\":\"case 13\"")).await;
    assert_eq!(denied.against().as_deref(), Some("is to be denied: case 13"));
}

/// Danger: whoever is in the screener's place, or the network before it, has a destination pass that nobody has looked at.
#[tokio::test]
async fn whatever_is_not_an_answer_to_this_question_is_none_and_says_why_without_quoting_it() {
    let long = "x".repeat(129);
    for (answered, why) in [
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 6\r\n\r\nSECRET".to_owned(), "status 500"),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), "status 204"),
        (
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
            "status 307",
        ),
        (ok(&format!("{{\"pad\":\"{}\"}}", "x".repeat(ANSWER_MAX_BYTES))), "not one of HTTP, or too large"),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "not one of HTTP, or too large"),
        (ok(""), "is not JSON"),
        (ok("SECRET, and no JSON"), "is not JSON"),
        (ok("[]"), "is not JSON"),
        (answer("\"score\":0"), "is not JSON with `destination` and `deny`"),
        (answer("\"deny\":\"no\""), "is not JSON"),
        (answer("\"deny\":false,\"score\":-1"), "is not JSON"),
        (answer("\"deny\":false,\"score\":300"), "is not JSON"),
        (answer("\"deny\":false,\"score\":101"), "its score is above 100"),
        (answer("\"deny\":false,\"label\":\"\""), "a text in it is empty"),
        (answer(&format!("\"deny\":false,\"reference\":\"{long}\"")), "longer than 128 bytes"),
        (
            ok("{\"destination\":\"rrrrrrrrrrrrrrrrrrrrBZbvji\",\"deny\":false}"),
            "it is of another destination",
        ),
    ] {
        let shown = answered.chars().take(60).collect::<String>();
        match said(answered).await {
            Screening::Failed { why: said } => {
                assert!(said.contains(why) && !said.contains("SECRET"), "{shown}: {said}");
            }
            other => panic!("{shown}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn one_who_is_not_there_or_hangs_or_has_a_secret_that_nobody_can_read_is_no_answer() {
    let brief = Duration::from_millis(300);
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/SECRET99", gone.local_addr().unwrap());
    drop(gone);
    let (silent, _told) = answering(String::new()).await;
    let (slow, _told) =
        answering("HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"destination\":".to_owned()).await;
    for (url, why) in
        [(nobody, "cannot be reached"), (silent, "no answer in time"), (slow, "no answer in time")]
    {
        let screening = Screener::new(config(&url, brief)).screen(somebody(), None).await;
        let against = screening.against().unwrap();
        assert!(
            against.starts_with("failed: ") && against.contains(why) && !against.contains("SECRET"),
            "{against}"
        );
        assert_eq!(screening.score(), None);
    }
    let header = Some((HeaderName::from_static("x-api-key"), PathBuf::from("/there/is/no/such/file")));
    let (url, _told) = answering(answer("\"deny\":false")).await;
    let screener = Screener::new(ScreeningConfig { header, ..config(&url, PATIENCE) });
    let against = screener.screen(somebody(), None).await.against().unwrap();
    assert_eq!(against, "failed: its secret cannot be read");
    let public = ScreeningConfig {
        receiver: Receiver::parse("https://127.0.0.1:1/", None, false).unwrap(),
        ..config(&url, PATIENCE)
    };
    let against = Screener::new(public).screen(somebody(), None).await.against().unwrap();
    assert!(against.contains("its address is private"), "{against}");
}

/// Danger: the folder of a secret is on another host that answers no more, and each payment that is asked about costs one of the
/// threads that sign.
#[tokio::test(start_paused = true)]
async fn a_secret_that_hangs_is_no_answer_and_one_thread() {
    let header = Some((HeaderName::from_static("x-api-key"), PathBuf::from("/there/is/no/such/file")));
    let screener = Screener::new(ScreeningConfig { header, ..config("http://127.0.0.1:1", PATIENCE) });
    let (open, closed) = std::sync::mpsc::channel::<()>();
    let mut hangs = std::pin::pin!(screener.secrets.read(READ_FOR, move || closed.recv().unwrap()));
    assert!(futures_util::poll!(hangs.as_mut()).is_pending());
    for _ in 0..3 {
        let mut screened = std::pin::pin!(screener.screen(somebody(), None));
        assert!(futures_util::poll!(screened.as_mut()).is_pending());
        // Virtual time does not go on by itself while a thread is blocked.
        tokio::time::advance(READ_FOR).await;
        assert_eq!(screened.await.against().unwrap(), "failed: its secret cannot be read");
    }
    open.send(()).unwrap();
}
