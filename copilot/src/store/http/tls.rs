//! TLS: rustls over aws-lc-rs, and whom it trusts.
//!
//! Roots are the system's (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name), those of a file that
//! the settings name, and Mozilla's, compiled in: an image may hold nothing but our binary, and plain HTTP must work without any.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The certificates in a file that the settings name; none if they name none.
///
/// # Errors
/// The rule that the file breaks.
pub(super) fn authorities(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |rule: String| format!("the certificate authorities in {path}: {rule}");
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| wrong(format!("it is no PEM ({error})")))?;
    if found.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    for certificate in &found {
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| wrong(format!("a certificate in it is none ({error})")))?;
    }
    Ok(found)
}

/// The roots that the system and Mozilla trust.
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

/// The client's side of TLS.
pub(super) fn client_config(
    authorities: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = public_roots();
    let named = roots.add_parsable_certificates(authorities).0;
    tracing::debug!(named, "authorities of the settings loaded");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
