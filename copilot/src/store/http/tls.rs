//! TLS: rustls over aws-lc-rs, and whom it trusts.
//!
//! Roots are the system's (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name) and Mozilla's,
//! compiled in: an image may hold nothing but our binary, and plain HTTP must work without any.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// The client's side of TLS.
pub(super) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let system = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(system.certs);
    for error in &system.errors {
        tracing::debug!(%error, "some system certificates could not be read");
    }
    tracing::debug!(added, ignored, "TLS roots loaded");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
