//! TLS: rustls over aws-lc-rs, and the certificate authorities that it trusts.
//!
//! The roots are the system's (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name), those of a file that
//! the settings name, and Mozilla's, which are compiled in: an image may hold nothing but our binary, and
//! plain HTTP must work without any. Callers: `transport`, and the Kubernetes client.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// A file of certificate authorities that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file cannot be read.
    #[error("the certificate authorities in {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the file system says.
        source: Arc<std::io::Error>,
    },
    /// The file holds something else.
    #[error("the certificate authorities in {path}: {rule}")]
    Content {
        /// The file.
        path: String,
        /// The rule that it breaks.
        rule: String,
    },
}

/// The certificates in the file at `path`, which the settings name; an empty path names none.
///
/// # Errors
/// The rule that the file breaks.
pub(super) fn authorities(path: &str) -> Result<Vec<CertificateDer<'static>>, AuthoritiesError> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |rule: String| AuthoritiesError::Content {
        path: path.to_owned(),
        rule,
    };
    let text = std::fs::read(path).map_err(|error| AuthoritiesError::Read {
        path: path.to_owned(),
        source: Arc::new(error),
    })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| wrong(format!("it is not PEM ({error})")))?;
    if found.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    for certificate in &found {
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| wrong(format!("a certificate in it cannot be used ({error})")))?;
    }
    Ok(found)
}

/// The roots of the system and of Mozilla.
pub(crate) fn public_roots() -> RootCertStore {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let system = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(system.certs);
    for error in &system.errors {
        tracing::debug!(%error, "some system certificates could not be read");
    }
    tracing::debug!(added, ignored, "TLS roots loaded");
    roots
}

/// The roots of the system and of Mozilla, and these authorities.
pub(super) fn all_roots(authorities: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = public_roots();
    let named = roots.add_parsable_certificates(authorities).0;
    tracing::debug!(named, "authorities of the settings loaded");
    roots
}

/// The client's side of TLS.
pub(super) fn client_config(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
