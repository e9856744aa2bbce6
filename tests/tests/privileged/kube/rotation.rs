//! Tokens and authorities that are renewed while a sidecar waits.

use std::fs;
use std::path::PathBuf;

use copilot_tests::binary::Running;
use copilot_tests::kube::{NAMESPACE, TOKEN};
use copilot_tests::tls::{Authority, front};

use super::fixture::KubeFixture;
use super::ways::command;

/// A sidecar that watches with the token in a file.
fn watched(fixture: &KubeFixture, server: &str, cluster: &str) -> (Running, PathBuf) {
    let token = fixture.task.site.work("token");
    fs::write(&token, TOKEN).unwrap();
    let config = fixture.task.site.work("kubeconfig");
    let text = format!(
        "current-context: it\n\
         clusters: [{{name: here, cluster: {{server: '{server}', {cluster}}}}}]\n\
         users: [{{name: me, user: {{tokenFile: token}}}}]\n\
         contexts: [{{name: it, context: {{cluster: here, user: me, namespace: {NAMESPACE}}}}}]\n"
    );
    fs::write(&config, text).unwrap();
    let mut command = command(fixture, &[format!("--kubeconfig={}", config.display())]);
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    (sidecar, token)
}

#[test]
fn a_token_that_is_renewed_in_time_is_used() {
    let mut fixture = KubeFixture::start();
    let server = format!("http://{}", fixture.api.address());
    let (sidecar, token) = watched(&fixture, &server, "");
    for renewed in ["second", "third\n"] {
        let before = fixture.api.watches();
        fs::write(&token, renewed).unwrap();
        fixture.api.accept_token(renewed.trim());
        fixture.api.bookmark();
        fixture.api.close_watches();
        fixture.api.is_watched_after(before);
    }
    fixture.main_ends(0, "Completed");
    let log = fixture.committed(sidecar).ended.stderr;
    assert!(!log.contains("gives no usable answer"), "{log}");
}

#[test]
fn a_token_that_is_renewed_late_is_waited_for() {
    let mut fixture = KubeFixture::start();
    let server = format!("http://{}", fixture.api.address());
    let (sidecar, token) = watched(&fixture, &server, "");
    fixture.api.accept_token("second");
    fixture.api.close_watches();
    sidecar.says("gives no usable answer");
    let before = fixture.api.watches();
    // In between the file does not exist.
    fs::remove_file(&token).unwrap();
    fs::write(&token, "second").unwrap();
    fixture.api.is_watched_after(before);
    fixture.main_ends(0, "Completed");
    let log = fixture.committed(sidecar).ended.stderr;
    assert!(
        log.contains("401") && log.contains("reports our pod again"),
        "{log}"
    );
}

#[test]
fn an_authority_that_is_renewed_is_read_again() {
    let mut fixture = KubeFixture::start();
    let authority = Authority::new("cluster").unwrap();
    let stranger = Authority::new("stranger").unwrap();
    let ca = fixture.task.site.work("ca.crt");
    fs::write(&ca, authority.pem()).unwrap();
    let front = front(
        fixture.api.address(),
        authority.certify("127.0.0.1").unwrap(),
    )
    .unwrap();
    let server = format!("https://{}", front.address());
    let (sidecar, _) = watched(&fixture, &server, "certificate-authority: ca.crt");
    // An incomplete file cannot be used, so the last complete one is.
    for text in ["", "-----BEGIN CERTIFICATE-----\n"] {
        let before = fixture.api.watches();
        fs::write(&ca, text).unwrap();
        fixture.api.bookmark();
        fixture.api.close_watches();
        fixture.api.is_watched_after(before);
    }
    assert!(!sidecar.has_said("gives no usable answer"));
    fs::write(&ca, stranger.pem()).unwrap();
    fixture.api.close_watches();
    sidecar.says("gives no usable answer");
    fs::write(&ca, authority.pem()).unwrap();
    sidecar.says("reports our pod again");
    fixture.main_ends(0, "Completed");
    fixture.committed(sidecar);
}
