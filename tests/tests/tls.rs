//! TLS: whom we trust, and that a store behind it works.

#![cfg(test)]

use std::process::Command;
use std::sync::Arc;

use copilot::store::StoreError;
use copilot::transfer::{CopyError, Stop};
use copilot_tests::background::Background;
use copilot_tests::site::{Site, object};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// A server's side of TLS for `localhost`, and the authority that vouches for it, as PEM.
fn authority() -> (ServerConfig, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    (config.unwrap(), authority.pem())
}

/// TLS in front of a site's server.
fn front(site: &Site, config: ServerConfig) -> Background {
    let (acceptor, upstream) = (TlsAcceptor::from(Arc::new(config)), site.server.address());
    Background::start("tls-front", move |client| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut client) = acceptor.accept(client).await else {
                return;
            };
            let mut server = TcpStream::connect(upstream).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    })
    .unwrap()
}

#[tokio::test]
async fn a_stranger_is_not_trusted_and_it_is_told_what_to_do() {
    let site = Site::start().unwrap();
    let server = front(&site, authority().0);
    let endpoint = format!("https://localhost:{}", server.address().port());
    let engine = site.engine_through(&endpoint);
    let error = engine
        .read(&object("x"), 10, &Stop::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error, CopyError::Store(StoreError::Untrusted { .. })),
        "{error}"
    );
    assert!(!error.recoverable());
    let error = error.to_string();
    for part in [endpoint.as_str(), "UnknownIssuer", "SSL_CERT_FILE"] {
        assert!(error.contains(part), "{error}");
    }
}

/// `SSL_CERT_FILE` belongs to a process, so the test runs itself in one that has it.
#[tokio::test]
async fn an_authority_that_is_named_is_trusted() {
    const PORT: &str = "COPILOT_TEST_TLS_PORT";
    if let Ok(port) = std::env::var(PORT) {
        let site = Site::start().unwrap();
        let engine = site.engine_through(&format!("https://localhost:{port}"));
        let stop = Stop::default();
        // Unsigned payload: TLS protects it.
        engine
            .write(&object("x"), "over TLS".into(), &stop)
            .await
            .unwrap();
        assert_eq!(
            engine.read(&object("x"), 10, &stop).await.unwrap(),
            "over TLS"
        );
        return;
    }
    let site = Site::start().unwrap();
    let (config, authority) = authority();
    let server = front(&site, config);
    let file = site.work("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "an_authority_that_is_named_is_trusted",
            "--nocapture",
        ])
        .env(PORT, server.address().port().to_string())
        .env("SSL_CERT_FILE", file)
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stderr)
    );
    assert_eq!(
        std::fs::read(site.server.file("data", "x")).unwrap(),
        b"over TLS"
    );
}
