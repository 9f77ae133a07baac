//! Whom the daemon believes to be a ledger server.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;

use crate::support::{Logging, lacks_sight, sandbox, speak_to, treasuryd};

/// A server with a certificate of an authority of its own, which it writes down. To whoever believes it, it says that it
/// is no ledger server.
fn teapot(authority_file: &Path) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = authority.self_signed(&authority_key).unwrap();
    fs::write(authority_file, authority.pem()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &authority, &authority_key).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = Arc::new(config.with_single_cert(vec![server.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream.unwrap());
            if stream.read(&mut [0; 4_096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 418 I am a teapot\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    format!("wss://localhost:{port}")
}

/// Danger: a machine's own authorities are not believed, or whoever narrows them down is not heard. Method: the server is
/// of an authority that nobody knows but this environment.
#[tokio::test(flavor = "multi_thread")]
async fn the_authorities_that_the_environment_names_are_believed_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let own = dir.path().join("own.pem");
    speak_to(&sandbox, &teapot(&own));
    let (empty, missing) = (dir.path().join("empty.pem"), dir.path().join("missing.pem"));
    fs::write(&empty, "").unwrap();
    for (environment, part) in [(Some(("SSL_CERT_FILE", own.as_os_str())), "418"), (None, "UnknownIssuer")] {
        let environment: Vec<(&str, &OsStr)> = environment.into_iter().collect();
        let mut daemon = Logging::start(&sandbox, &environment);
        lacks_sight(&sandbox, part).await;
        daemon.ends().await;
    }
    for named in [empty, missing] {
        let mut check = treasuryd();
        check.args(["config", "check", "--without-keystore"]).arg(sandbox.config_path());
        let output = check.env("SSL_CERT_FILE", &named).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("network.endpoints[1]")
                && said.contains(&format!("SSL_CERT_FILE says {}", named.display())),
            "{said}"
        );
    }
}
