use std::os::unix::fs::PermissionsExt;

use treasury_api::notice::Kind;
use treasury_api::types::PartyView;
use treasury_core::units::Amount;

use super::*;
use crate::notify::channel::{Channel, Form};
use crate::notify::post::Receiver;

fn mail() -> Mail {
    Mail {
        host: Host::parse("mail.example").unwrap(),
        port: 465,
        tls: Tls::Implicit,
        login: None,
        from: "Treasury <treasury@treasury.example>".parse().unwrap(),
        to: vec!["Alice <alice@a.example>".parse().unwrap(), "ops@b.example".parse().unwrap()],
    }
}

fn party(name: &str) -> Option<PartyView> {
    let address = format!("r{}", name.to_uppercase());
    Some(PartyView { address, name: Some(name.to_owned()) })
}

fn notice(says: &str) -> Notice {
    let at = "2026-01-01T00:00:00Z".to_owned();
    let mut notice =
        Notice::new("n-5f2c-12-0".to_owned(), Kind::Wanted, Severity::Warning, at, says.to_owned());
    (notice.account, notice.destination) = (party("warm"), party("supplier"));
    notice.amount = Some(Amount::from_words("500 XRP").unwrap().into());
    notice.proposal = Some("P3".to_owned());
    notice.deadline = Some("2026-01-02T00:00:00Z".to_owned());
    notice.signers = vec!["alice".to_owned(), "bob".to_owned()];
    notice.can_do = vec!["See `treasuryctl show P3`.".to_owned()];
    notice.link = Some("https://treasury.example/console/proposals/P3".to_owned());
    notice
}

/// A letter's headers, and its text and HTML as a mailbox shows them.
struct Read {
    headers: String,
    text: String,
    html: String,
}

fn read(notices: &[Notice], id: &str) -> Read {
    let letter = mail().letter("people", notices, id, 1_767_225_600).unwrap();
    let message = String::from_utf8(letter.message).unwrap();
    assert!(message.is_ascii(), "{message}");
    let (headers, body) = message.split_once("\r\n\r\n").unwrap();
    let mut parts = body.split("Content-Type: ").skip(1).map(|part| {
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        decoded(head, body.rsplit_once("\r\n--").map_or(body, |(body, _)| body))
    });
    let (text, html) = (parts.next().unwrap(), parts.next().unwrap());
    Read { headers: headers.replace("\r\n ", " "), text, html }
}

fn decoded(head: &str, body: &str) -> String {
    if head.contains("quoted-printable") {
        let mut text = body.replace("=\r\n", "");
        for (encoded, letter) in [("=3D", "="), ("=0D", "\r"), ("=0A", "\n"), ("=E2=80=A6", "…")] {
            text = text.replace(encoded, letter);
        }
        text
    } else {
        assert!(head.contains("7bit"), "{head}");
        body.to_owned()
    }
}

#[test]
fn a_letter_says_who_pays_whom_what_and_why_it_waits_as_text_and_as_html() {
    let read = read(&[notice("P3 on warm (pays 500 XRP to supplier): waits for signatures.")], "n-5f2c-12-0");
    for header in [
        "From: Treasury <treasury@treasury.example>",
        "Subject: [warning] P3: signatures wanted, 500 XRP, warm to supplier",
        "Message-ID: <n-5f2c-12-0@treasury.example>",
        "References: <P3.5f2c@treasury.example>",
        "Auto-Submitted: auto-generated",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
    ] {
        assert!(read.headers.contains(header), "{header} is not in {}", read.headers);
    }
    assert!(read.headers.contains("alice@a.example") && read.headers.contains("ops@b.example"));
    for said in [
        "waits for signatures.",
        "rWARM (warm)",
        "rSUPPLIER (supplier)",
        "500 XRP",
        "2026-01-02T00:00:00Z, by the ledger's clock",
        "alice, bob",
        "treasuryctl show P3",
        "https://treasury.example/console/proposals/P3",
        "through its channel people",
    ] {
        assert!(read.text.contains(said), "{said} is not in {}", read.text);
        let html = read.html.replace("&#39;", "'");
        assert!(html.contains(said), "{said} is not in {html}");
    }
    assert!(!read.html.contains("<img") && !read.html.contains("<script"), "nothing is fetched or run");
}

/// Danger: whoever writes a reason adds an addressee to what the treasury tells, or a link to its pages.
#[test]
fn what_people_wrote_is_no_header_and_no_markup() {
    let evil = "x\r\nBcc: eve@evil.example\r\n\r\n<a href=\"http://evil.example\">sign</a>";
    let mut told = notice(evil);
    told.proposal = Some(format!("P3{evil}"));
    told.account = Some(PartyView { address: evil.to_owned(), name: Some(evil.to_owned()) });
    told.id = format!("n-5f2c-{evil}");
    let read = read(&[told], &format!("n-{evil}"));
    let starts_with = |name: &str| read.headers.lines().any(|line| line.to_lowercase().starts_with(name));
    assert!(!starts_with("bcc") && starts_with("subject"), "{}", read.headers);
    assert!(!read.html.contains("<a href=\"http://evil"), "{}", read.html);
    let letter = mail().letter("people", &[notice(evil)], "n-1", 0).unwrap();
    let to: Vec<String> = letter.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["alice@a.example", "ops@b.example"]);
}

#[test]
fn several_notices_are_one_letter_as_grave_as_the_gravest() {
    let mut grave = notice("The account is frozen.");
    grave.severity = Severity::Critical;
    let read = read(&[notice("P3 waits."), grave, notice("P4 waits.")], "b-1");
    assert!(read.headers.contains("Subject: [critical] 3 notices"), "{}", read.headers);
    assert!(
        read.headers.contains("Message-ID: <b-1@treasury.example>") && !read.headers.contains("References")
    );
    for said in ["P3 waits.", "The account is frozen.", "P4 waits."] {
        assert!(read.text.contains(said) && read.html.contains(said), "{said}");
    }
}

#[test]
fn the_password_is_read_for_each_letter_and_is_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let write = |text: &str, mode| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mail = Mail { login: Some(("treasury".to_owned(), file.clone())), ..mail() };
    write("PASSWORD99\n", 0o600);
    let letter = mail.letter("people", &[notice("hello")], "n-1", 0).unwrap();
    let (user, _) = letter.login.as_ref().unwrap();
    assert_eq!(user, "treasury");
    let seen = format!("{mail:?} {}", String::from_utf8_lossy(&letter.message));
    assert!(!seen.contains("PASSWORD99") && !format!("{mail:?}").contains("alice@"), "{seen}");
    write("PASSWORD99\n", 0o644);
    let wrong = mail.letter("people", &[notice("hello")], "n-1", 0).err().unwrap();
    assert!(matches!(&wrong, PostError::Secret(what) if what.contains("chmod 600")), "{wrong}");
    assert!(!wrong.to_string().contains("PASSWORD99"));
}

/// Danger: a busy night is a letter that a mail server is too small for, and refuses every time.
#[test]
fn a_letter_has_no_more_notices_than_every_mail_server_takes() {
    let channel = Channel {
        name: "people".to_owned(),
        receiver: Receiver::parse("https://mail.example", None, false).unwrap(),
        form: Form::Email(mail()),
        batch: None,
    };
    let short = vec![notice("P3 waits"); 20];
    assert!(channel.takes(&short));
    let long = vec![notice(&"a word ".repeat(600)); 20];
    let fits = (1..=20).rev().find(|count| channel.takes(&long[..*count])).unwrap();
    assert!((2..20).contains(&fits), "{fits}");
    let bytes =
        |count: usize| mail().letter("people", &long[..count], "b-1", 1_767_225_600).unwrap().message.len();
    assert!(bytes(fits) <= 65_536 && bytes(fits + 1) > 65_000, "{} {}", bytes(fits), bytes(fits + 1));
}
