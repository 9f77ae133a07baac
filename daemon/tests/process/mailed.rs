//! A daemon that sends mail to a server that others wrote: `aiosmtpd`, in Python.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::Value;

use crate::support::{PATIENCE, Process, daemon, sandbox};
use crate::told::private;

/// A Python that has the server.
const PYTHON: &str = "MAIL_SERVER_PYTHON";

/// Goal: a mailbox shows a notice that others' programs can read. Method: the daemon logs in under STARTTLS, as people's
/// mail servers ask for it, and what the server took is read by Python's own parser of messages.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with aiosmtpd, named by MAIL_SERVER_PYTHON: .ci/clients runs it"]
async fn a_real_mail_server_takes_what_the_daemon_tells_as_text_and_html() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority, &ca_key).unwrap();
    for (name, text) in [
        ("ca.pem", authority.pem()),
        ("mail.pem", certificate.pem()),
        ("mail.key", key.serialize_pem()),
        ("password", "PASSWORD99\n".to_owned()),
    ] {
        private(&sandbox.dir().join(name), &text);
    }
    let python = std::env::var(PYTHON).expect("MAIL_SERVER_PYTHON names no Python");
    let script = recordings::repository().join("daemon/tests/process/mail_server.py");
    let mut server = Process::start(
        Command::new(python)
            .arg("-B")
            .arg(script)
            .args(["mail.pem", "mail.key", "PASSWORD99"])
            .current_dir(sandbox.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped()),
    );
    let said = listen(server.child().stdout.take().unwrap());
    let port = next(&said)["port"].as_u64().unwrap();

    let config = fs::read_to_string(sandbox.config_path()).unwrap();
    let config =
        config.replace("name = \"alice\"\n", "name = \"alice\"\nemail = \"Alice <alice@people.example>\"\n");
    let mail = format!(
        "\n[console]\norigin = \"https://treasury.example\"\n\
         [[channel]]\nname = \"mail\"\nform = \"email\"\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"starttls\"\n\
         user = \"treasury\"\npassword_file = \"password\"\nca_file = \"ca.pem\"\nallow_private = true\n\
         from = \"Treasury <treasury@treasury.example>\"\nto = [\"alice\", \"board@board.example\"]\n\
         [[route]]\nchannels = [\"mail\"]\nkinds = [\"signatures_wanted\"]\n"
    );
    fs::write(sandbox.config_path(), config + &mail).unwrap();
    let _daemon = Process::start(&mut daemon(&sandbox));
    sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
    let alice = sandbox.people().get("alice").unwrap();
    let amount = treasuryd::dev::xrp(500);
    let id = alice.propose("warm", "supplier", amount, "invoice 12").await.unwrap();
    // This ledger closes only while somebody waits for it, and what is drafted may be planned with the next one.
    sandbox.let_pass(2).await.unwrap();

    let told = next(&said);
    assert_eq!(told["from"], "treasury@treasury.example");
    assert_eq!(told["to"], serde_json::json!(["alice@people.example", "board@board.example"]));
    assert_eq!(told["login"], "treasury");
    assert_eq!(told["tls"], true);
    let header = |name: &str| told["headers"][name].as_str().unwrap().to_owned();
    assert!(header("Subject").starts_with(&format!("[warning] {id}: signatures wanted, 500 XRP, warm to ")));
    assert!(header("Message-ID").ends_with("@treasury.example>"), "{told}");
    let link = format!("https://treasury.example/console/proposals/{id}");
    for part in ["text", "html"] {
        let text = told[part].as_str().unwrap();
        assert!(text.contains("waits for signatures") && text.contains(&link), "{text}");
        assert!(text.contains("Can still sign") && !text.contains("PASSWORD99"), "{text}");
    }
    let mails = sandbox.people().get("carol").unwrap().client().channels().await.unwrap();
    assert_eq!(
        (mails[0].form.as_str(), mails[0].receiver.clone()),
        ("email", format!("smtp://127.0.0.1:{port}"))
    );
}

/// What the server says, line by line.
fn listen(output: ChildStdout) -> Receiver<String> {
    let (say, said) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    said
}

fn next(said: &Receiver<String>) -> Value {
    let line = said.recv_timeout(PATIENCE).expect("the mail server says nothing");
    serde_json::from_str(&line).unwrap()
}
