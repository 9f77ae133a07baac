//! Whom a ledger server's certificate must come from.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

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
        let found = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("{shown} cannot be read as certificates in PEM: {error}"))?;
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
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        Ok(Arc::new(ClientConfig::builder().with_root_certificates(self.roots()?).with_no_client_auth()))
    }
}
