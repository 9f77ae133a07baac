use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::notify::post::tests::{certified, patient};
use crate::notify::post::{Parcel, Post, Receiver};
use crate::trust::Trust;

/// Long enough for a machine under load.
const LONG: Duration = Duration::from_secs(30);

/// Short enough to be waited for.
const BRIEF: Duration = Duration::from_millis(50);

/// What a server does where it would answer.
#[derive(Clone, Copy, Debug)]
enum Does {
    Says(&'static str),
    Cuts,
    Hangs,
    /// Says something without end.
    Floods,
}

/// What a server does at a point, in place of what one does that takes everything.
#[derive(Clone, Copy)]
struct Script {
    /// The word of the command, `HELLO` for the greeting, `.` for a message.
    at: &'static str,
    does: Does,
    /// Only where the line has this in it.
    with: &'static str,
}

const TAKES_ALL: Script = Script { at: "", does: Does::Cuts, with: "" };

/// A mail server, and what it was told, line by line.
struct Server {
    port: u16,
    told: mpsc::UnboundedReceiver<String>,
    trust: Trust,
}

impl Server {
    async fn start(tls: Tls, script: Script) -> Self {
        Self::named("127.0.0.1", tls, script).await
    }

    async fn named(name: &str, tls: Tls, script: Script) -> Self {
        let (acceptor, trust) = certified(name);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &acceptor, tls, script, &tell).await;
            }
        });
        Self { port, told, trust }
    }

    fn receiver(&self) -> Receiver {
        Receiver::of_mail("smtps://mail.example:465".to_owned(), Some(self.trust.clone()), true)
    }

    fn letter(&self, tls: Tls) -> Letter {
        Letter {
            host: Host::parse("127.0.0.1").unwrap(),
            port: self.port,
            tls,
            login: Some(("treasury".to_owned(), SecretString::from("PASSWORD99"))),
            from: "treasury@treasury.example".parse().unwrap(),
            to: vec!["alice@a.example".parse().unwrap(), "bob@b.example".parse().unwrap()],
            message: b"Subject: hello\r\n\r\n.dots\r\n".to_vec(),
        }
    }

    async fn takes(&self, tls: Tls, patience: Duration) -> Result<u16, PostError> {
        let parcel = Parcel::Letter(self.letter(tls));
        patient(patience).post(&self.receiver(), parcel).await
    }

    fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(line) = self.told.try_recv() {
            lines.push(line);
        }
        lines
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    tls: Tls,
    script: Script,
    tell: &mpsc::UnboundedSender<String>,
) {
    if tls == Tls::Implicit {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        converse(stream, true, script, tell).await;
    } else if let Some(stream) = converse(stream, true, script, tell).await {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        tell.send("(secured)".to_owned()).unwrap();
        converse(stream, false, script, tell).await;
    }
}

/// Speaks until the other side ends, or wants TLS, which gives the connection back.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    is_greeting: bool,
    script: Script,
    tell: &mpsc::UnboundedSender<String>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let answer = |at: &str, line: &str, usual: &'static str| {
        if script.at == at && line.contains(script.with) { script.does } else { Does::Says(usual) }
    };
    if is_greeting && !act(&mut stream, answer("HELLO", "", "220 mail.example here")).await {
        return None;
    }
    let mut is_message = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        tell.send(line.clone()).unwrap();
        let at = if is_message {
            if line == "." { "." } else { continue }
        } else {
            line.split(' ').next().unwrap()
        };
        let usual = match at {
            "EHLO" if is_greeting => "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN",
            "EHLO" => "250-mail.example\r\n250 AUTH PLAIN LOGIN",
            "STARTTLS" => "220 go on",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let does = answer(at, &line, usual);
        is_message = at == "DATA" && matches!(does, Does::Says(text) if text.starts_with('3'));
        if !act(&mut stream, does).await {
            return None;
        }
        if at == "STARTTLS" {
            return Some(stream.into_inner());
        }
    }
}

async fn act<S: AsyncWrite + Unpin>(stream: &mut S, does: Does) -> bool {
    match does {
        Does::Says(text) => stream.write_all(format!("{text}\r\n").as_bytes()).await.is_ok(),
        Does::Cuts => false,
        Does::Hangs => std::future::pending().await,
        Does::Floods => {
            stream.write_all(b"250-").await.unwrap();
            while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
            false
        }
    }
}

#[tokio::test]
async fn a_mail_server_gets_the_whole_letter_after_a_login_and_its_answer_is_the_answer() {
    let mut server = Server::start(Tls::Implicit, TAKES_ALL).await;
    assert_eq!(server.takes(Tls::Implicit, LONG).await, Ok(250));
    let login = format!("AUTH PLAIN {}", STANDARD.encode("\0treasury\0PASSWORD99"));
    let expected = [
        "EHLO treasury.example",
        &login,
        "MAIL FROM:<treasury@treasury.example>",
        "RCPT TO:<alice@a.example>",
        "RCPT TO:<bob@b.example>",
        "DATA",
        "Subject: hello",
        "",
        "..dots",
    ];
    let lines = server.lines();
    assert_eq!(lines[..expected.len()], expected);
    assert!(lines.ends_with(&[".".to_owned(), "QUIT".to_owned()]), "{lines:?}");
}

/// Danger: a password, or a notice, goes in the clear because somebody in between says that there is no TLS.
#[tokio::test]
async fn nothing_but_a_greeting_goes_in_the_clear_where_starttls_is_to_be() {
    let mut server = Server::start(Tls::Start, TAKES_ALL).await;
    assert_eq!(server.takes(Tls::Start, LONG).await, Ok(250));
    let lines = server.lines();
    assert_eq!(lines[..4], ["EHLO treasury.example", "STARTTLS", "(secured)", "EHLO treasury.example"]);
    assert!(lines[4].starts_with("AUTH PLAIN") && lines.iter().any(|line| line == "."), "{lines:?}");

    let without =
        Script { at: "EHLO", does: Does::Says("250-mail.example\r\n250 AUTH PLAIN LOGIN"), with: "" };
    let mut server = Server::start(Tls::Start, without).await;
    assert_eq!(server.takes(Tls::Start, LONG).await, Err(PostError::NoStartTls));
    assert_eq!(server.lines(), ["EHLO treasury.example"]);

    let refusing = Script { at: "STARTTLS", does: Does::Says("454 not now"), with: "" };
    let mut server = Server::start(Tls::Start, refusing).await;
    assert_eq!(server.takes(Tls::Start, LONG).await, Err(PostError::PutOff(454)));
    assert_eq!(server.lines(), ["EHLO treasury.example", "STARTTLS"]);
}

/// Danger: what somebody put in between before TLS is taken for what the server said under it.
#[tokio::test]
async fn what_follows_the_answer_to_starttls_in_the_clear_is_no_answer_to_anything() {
    let injected = Script { at: "STARTTLS", does: Does::Says("220 go on\r\n250 AUTH PLAIN"), with: "" };
    let server = Server::start(Tls::Start, injected).await;
    let refused = server.takes(Tls::Start, LONG).await.unwrap_err();
    assert!(matches!(refused, PostError::Tls(_)), "{refused}");
}

#[tokio::test]
async fn what_a_server_refuses_for_good_is_told_from_what_may_be_taken_later() {
    let (off, refused) = (PostError::PutOff, PostError::Refused);
    let says = |at, text| Script { at, does: Does::Says(text), with: "" };
    let mut cases = vec![
        // What is wrong with us, or with the server, can be mended while the notice waits.
        (says("HELLO", "554 no service"), Err(off(554))),
        (says("HELLO", "421 too busy"), Err(off(421))),
        (says("EHLO", "550 who are you"), Err(off(550))),
        (says("EHLO", "250 mail.example"), Err(PostError::NoLogin)),
        (says("AUTH", "535 wrong"), Err(off(535))),
        (says("AUTH", "454 not now"), Err(off(454))),
        (says("MAIL", "451 not now"), Err(off(451))),
        (says("MAIL", "550 never"), Err(refused(550))),
        (says("RCPT", "450 full"), Err(off(450))),
        (says("RCPT", "550 nobody"), Err(refused(550))),
        (says("DATA", "452 full"), Err(off(452))),
        (says("DATA", "554 never"), Err(refused(554))),
        (says(".", "451 greylisted"), Err(off(451))),
        (says(".", "554 it is spam"), Err(refused(554))),
        (says(".", "nonsense"), Err(PostError::Cut)),
        (says("HELLO", "SSH-2.0-OpenSSH_9.2"), Err(PostError::Cut)),
        // It has the letter by then.
        (says("QUIT", "500 what"), Ok(250)),
        (Script { at: "QUIT", does: Does::Cuts, with: "" }, Ok(250)),
    ];
    for at in ["HELLO", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        for does in [Does::Cuts, Does::Floods] {
            cases.push((Script { at, does, with: "" }, Err(PostError::Cut)));
        }
    }
    for (script, expected) in cases {
        let server = Server::start(Tls::None, script).await;
        let answered = server.takes(Tls::None, LONG).await;
        assert_eq!(answered, expected, "{} {:?}", script.at, script.does);
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_wherever_it_hangs() {
    for at in ["HELLO", "EHLO", "AUTH", "RCPT", "DATA", "."] {
        let server = Server::start(Tls::None, Script { at, does: Does::Hangs, with: "" }).await;
        assert_eq!(server.takes(Tls::None, BRIEF).await, Err(PostError::TimedOut), "{at}");
    }
    let server = Server::start(Tls::Start, Script { at: "HELLO", does: Does::Hangs, with: "" }).await;
    assert_eq!(server.takes(Tls::Start, BRIEF).await, Err(PostError::TimedOut));
    // Nothing is lost by one that has the letter and says no goodbye.
    let server = Server::start(Tls::None, Script { at: "QUIT", does: Does::Hangs, with: "" }).await;
    assert_eq!(server.takes(Tls::None, LONG).await, Ok(250));
}

/// Danger: one address that is wrong keeps everybody else from being told, or nobody hears that it is.
#[tokio::test]
async fn those_whose_address_is_taken_get_the_letter_and_what_was_refused_is_said() {
    for (text, code, for_good) in [("550 nobody", 550, true), ("450 full", 450, false)] {
        let script = Script { at: "RCPT", does: Does::Says(text), with: "alice" };
        let mut server = Server::start(Tls::None, script).await;
        let has = vec![mark(&"bob@b.example".parse().unwrap())];
        let partly = PostError::Partly { refused: 1, all: 2, code, for_good, has };
        assert_eq!(server.takes(Tls::None, LONG).await, Err(partly.clone()));
        assert!(server.lines().iter().any(|line| line == "."), "Bob has it");
        assert_eq!(partly.is_for_good(), for_good);
        assert!(!partly.to_string().contains("alice"), "{partly}");
    }
}

#[tokio::test]
async fn a_certificate_of_somebody_else_or_for_another_name_is_not_believed() {
    for tls in [Tls::Implicit, Tls::Start] {
        let mut server = Server::start(tls, TAKES_ALL).await;
        let (_, other) = certified("127.0.0.1");
        let mut elsewhere = Server::named("mail.example", tls, TAKES_ALL).await;
        for (server, trust) in [(&mut server, Some(other)), (&mut elsewhere, None)] {
            let trust = trust.unwrap_or_else(|| server.trust.clone());
            let to = Receiver::of_mail("smtps://mail.example:465".to_owned(), Some(trust), true);
            let refused = patient(LONG).post(&to, Parcel::Letter(server.letter(tls))).await.unwrap_err();
            assert!(matches!(refused, PostError::Tls(_)), "{refused}");
            assert!(!server.lines().iter().any(|line| line.starts_with("AUTH")));
        }
    }
}

/// Danger: whoever may name a mail server has the program that holds keys speak to what only it can reach; or a letter
/// leaves this machine in the clear.
#[tokio::test]
async fn a_private_server_is_spoken_to_only_where_that_is_allowed_and_in_the_clear_only_on_this_machine() {
    let mut server = Server::start(Tls::None, TAKES_ALL).await;
    let public_only = Receiver::of_mail("smtp://mail.example:25".to_owned(), None, false);
    for tls in [Tls::None, Tls::Start, Tls::Implicit] {
        let refused = patient(LONG).post(&public_only, Parcel::Letter(server.letter(tls))).await;
        assert_eq!(refused, Err(PostError::Private));
    }
    for host in ["10.1.2.3", "192.168.0.1", "1.1.1.1"] {
        let letter = Letter { host: Host::parse(host).unwrap(), ..server.letter(Tls::None) };
        let refused = patient(LONG).post(&server.receiver(), Parcel::Letter(letter)).await;
        assert_eq!(refused, Err(PostError::Private), "{host}");
    }
    assert!(server.lines().is_empty());
}
