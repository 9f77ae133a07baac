//! Whom a ledger server's certificate must come from.
//!
//! Authorities of one's own, named for one server. Else those that this machine believes, which its administrators keep,
//! or `SSL_CERT_FILE` and `SSL_CERT_DIR` say. Where a machine has none, as an image with nothing but the program in it,
//! those that this release brings.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::CertificateResult;

use crate::apart::{Apart, READ_FOR};
use crate::private;

/// The variables of the environment that say what is believed here, as other programs read them.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How to speak TLS.
pub(crate) type TlsClient = Arc<ClientConfig>;

/// Certificates of authorities that an organisation runs itself. A server that is to have one of theirs is believed with
/// no other's: whoever gets a certificate of a public authority for its name is not it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    authorities: Arc<[CertificateDer<'static>]>,
}

impl Trust {
    /// Reads a file of certificates in PEM.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let unreadable =
            |error: &dyn fmt::Display| format!("{shown} cannot be read as certificates in PEM: {error}");
        let file = private::open_file(path).map_err(|error| unreadable(&error))?;
        let found = CertificateDer::pem_reader_iter(file).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| unreadable(&error))?;
        if found.is_empty() {
            return Err(format!("{shown} holds no certificate in PEM"));
        }
        let trust = Self { authorities: found.into() };
        trust.roots().map_err(|error| format!("{shown}: {error}"))?;
        Ok(trust)
    }

    fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        self.authorities.iter().try_for_each(|authority| roots.add(authority.clone()))?;
        Ok(roots)
    }

    /// How to speak TLS to whoever has a certificate of theirs.
    ///
    /// # Errors
    /// Where one of them is no certificate, which reading rules out.
    pub(crate) fn client(&self) -> Result<TlsClient, rustls::Error> {
        Ok(believing(self.roots()?))
    }
}

/// How to speak TLS to whom this machine believes; `None` where it believes nobody and nobody says that it should. Reads
/// files, and anew each time: authorities come and go while a daemon runs.
///
/// # Errors
/// What is wrong with what the environment names, in words.
fn of_this_machine() -> Result<Option<TlsClient>, String> {
    machine(|name| std::env::var_os(name), rustls_native_certs::load_native_certs)
}

/// The same, read where files that do not answer keep nobody waiting for longer than they may.
///
/// # Errors
/// As [`of_this_machine`].
pub(crate) async fn read_of_this_machine() -> Result<Option<TlsClient>, String> {
    static MACHINE: LazyLock<Apart> = LazyLock::new(Apart::default);
    let read = MACHINE.read(READ_FOR, of_this_machine).await;
    read.unwrap_or_else(|unread| Err(format!("what this machine believes {}", unread.words())))
}

/// How to speak TLS to whom this release believes: for machines that believe nobody.
pub(crate) fn of_this_release() -> TlsClient {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    believing(roots)
}

/// Whether what the environment names can be read, where it names anything.
///
/// # Errors
/// As [`of_this_machine`].
pub(crate) fn check_environment() -> Result<(), String> {
    if VARIABLES.iter().all(|name| std::env::var_os(name).is_none()) {
        Ok(())
    } else {
        of_this_machine().map(drop)
    }
}

fn machine(
    environment: impl Fn(&str) -> Option<OsString>,
    load: impl FnOnce() -> CertificateResult,
) -> Result<Option<TlsClient>, String> {
    let found = load();
    let mut roots = RootCertStore::empty();
    // Machines carry old ones that cannot be read any more; the others count all the same.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(Some(believing(roots)));
    }
    // Whoever narrows down who is believed must not be answered by believing everybody.
    match VARIABLES.iter().find_map(|name| Some((name, environment(name)?))) {
        None => Ok(None),
        Some((name, said)) => {
            let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
            let said = Path::new(&said).display();
            Err(format!("{name} says {said}, and no certificate of an authority can be read there{why}"))
        }
    }
}

fn believing(roots: RootCertStore) -> TlsClient {
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(certs: Vec<CertificateDer<'static>>) -> impl FnOnce() -> CertificateResult {
        move || {
            let mut found = CertificateResult::default();
            found.certs = certs;
            found
        }
    }

    /// Danger: somebody narrows down whom the daemon believes, mistypes the name, and everybody is believed.
    #[test]
    fn what_the_environment_names_counts_or_is_said_to_be_wrong() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap().der().clone();
        let unread = CertificateDer::from(vec![0x30, 0x00]);
        let said = |name: &str| (name == "SSL_CERT_FILE").then(|| OsString::from("/etc/own.pem"));
        let certs = || found(vec![unread.clone(), authority.clone()]);
        assert!(machine(said, certs()).unwrap().is_some(), "what can be read counts");
        assert!(machine(|_| None, certs()).unwrap().is_some());
        for certs in [Vec::new(), vec![unread]] {
            let wrong = machine(said, found(certs.clone())).unwrap_err();
            assert!(wrong.contains("SSL_CERT_FILE says /etc/own.pem"), "{wrong}");
            assert!(machine(|_| None, found(certs)).unwrap().is_none(), "those of the release are used");
        }
    }
}
