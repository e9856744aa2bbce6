//! TLS: whom we trust, and that a store behind it works.

#![cfg(test)]

use std::process::Command;

use std::sync::Arc;

use copilot::store::{Environment, Network, StoreError, Stores};
use copilot::transfer::{CopyError, Engine, Stop, TransferLimits};
use copilot_tests::site::{Site, engine, object};
use copilot_tests::tls::{Authority, front};

#[tokio::test]
async fn an_unknown_authority_is_not_trusted_and_the_message_says_what_to_do() {
    let site = Site::start().unwrap();
    let config = Authority::new("stranger")
        .unwrap()
        .certify("localhost")
        .unwrap();
    let server = front(site.server.address(), config).unwrap();
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
    assert!(!error.store_error().unwrap().recoverable());
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
    let authority = Authority::new("known").unwrap();
    let config = authority.certify("localhost").unwrap();
    let server = front(site.server.address(), config).unwrap();
    let file = site.work("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tls::an_authority_that_is_named_is_trusted",
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

/// The same by a setting (`AWS_CA_BUNDLE` is one, too), which is looked at before anything is asked.
#[tokio::test]
async fn an_authority_in_the_settings_is_trusted() {
    let site = Site::start().unwrap();
    let authority = Authority::new("ours").unwrap();
    let config = authority.certify("localhost").unwrap();
    let server = front(site.server.address(), config).unwrap();
    let endpoint = format!("https://localhost:{}", server.address().port());
    let mut settings = site.settings_with(&[("endpoint", &endpoint)]);
    let file = site.work("authority.pem");
    settings.http.ca_file = file.display().to_string();
    std::fs::write(&file, authority.pem()).unwrap();
    let trusting = engine(settings.clone());
    let stop = Stop::default();
    let data = "over TLS".into();
    trusting.write(&object("x"), data, &stop).await.unwrap();
    let bundle = ("AWS_CA_BUNDLE".to_owned(), file.display().to_string());
    let environment: Environment = [bundle].into_iter().collect();
    let same = site.settings_with(&[("endpoint", &endpoint)]);
    let stores = Arc::new(Stores::new(same, Network::default(), environment));
    let by_variable = Engine::new(stores, TransferLimits::within(None));
    let found = by_variable.read(&object("x"), 10, &stop).await.unwrap();
    assert_eq!(found, "over TLS");

    for (content, named) in [
        ("", "holds no certificate in PEM"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "a certificate in it cannot be used",
        ),
    ] {
        std::fs::write(&file, content).unwrap();
        let error = engine(settings.clone()).read(&object("x"), 10, &stop).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("caFile") && error.contains(named), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = engine(settings).read(&object("x"), 10, &stop).await;
    assert!(error.unwrap_err().to_string().contains("No such file"));
}
