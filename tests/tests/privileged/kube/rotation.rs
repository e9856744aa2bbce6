//! Tokens and authorities that are renewed while a sidecar waits.

use std::fs;
use std::path::PathBuf;

use copilot_tests::binary::Running;
use copilot_tests::kube::{NAMESPACE, TOKEN};
use copilot_tests::tls::{Authority, front};

use super::stage::Stage;
use super::ways::command;

/// A sidecar that watches with the token in a file.
fn watched(stage: &Stage, server: &str, cluster: &str) -> (Running, PathBuf) {
    let token = stage.task.site.work("token");
    fs::write(&token, TOKEN).unwrap();
    let config = stage.task.site.work("kubeconfig");
    let text = format!(
        "current-context: it\n\
         clusters: [{{name: here, cluster: {{server: '{server}', {cluster}}}}}]\n\
         users: [{{name: me, user: {{tokenFile: token}}}}]\n\
         contexts: [{{name: it, context: {{cluster: here, user: me, namespace: {NAMESPACE}}}}}]\n"
    );
    fs::write(&config, text).unwrap();
    let mut command = command(stage, &[format!("--kubeconfig={}", config.display())]);
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    (sidecar, token)
}

#[test]
fn a_token_that_is_renewed_in_time_is_sent_unnoticed() {
    let mut stage = Stage::set();
    let server = format!("http://{}", stage.api.address());
    let (sidecar, token) = watched(&stage, &server, "");
    for renewed in ["second", "third\n"] {
        let before = stage.api.watches();
        fs::write(&token, renewed).unwrap();
        stage.api.let_in(renewed.trim());
        stage.api.bookmark();
        stage.api.close_watches();
        stage.api.is_watched_after(before);
    }
    stage.main_ends(0, "Completed");
    let log = stage.committed(sidecar);
    assert!(!log.contains("gives no usable answer"), "{log}");
}

#[test]
fn a_token_that_is_renewed_late_is_waited_for() {
    let mut stage = Stage::set();
    let server = format!("http://{}", stage.api.address());
    let (sidecar, token) = watched(&stage, &server, "");
    stage.api.let_in("second");
    stage.api.close_watches();
    sidecar.says("gives no usable answer");
    let before = stage.api.watches();
    // In between it is not there.
    fs::remove_file(&token).unwrap();
    fs::write(&token, "second").unwrap();
    stage.api.is_watched_after(before);
    stage.main_ends(0, "Completed");
    let log = stage.committed(sidecar);
    assert!(
        log.contains("401") && log.contains("reports our pod again"),
        "{log}"
    );
}

#[test]
fn an_authority_that_is_renewed_is_read_again() {
    let mut stage = Stage::set();
    let authority = Authority::called("cluster").unwrap();
    let stranger = Authority::called("stranger").unwrap();
    let ca = stage.task.site.work("ca.crt");
    fs::write(&ca, authority.pem()).unwrap();
    let front = front(stage.api.address(), authority.certify("127.0.0.1").unwrap()).unwrap();
    let server = format!("https://{}", front.address());
    let (sidecar, _) = watched(&stage, &server, "certificate-authority: ca.crt");
    // A file that is half written cannot be used: the last one is.
    for text in ["", "-----BEGIN CERTIFICATE-----\n"] {
        let before = stage.api.watches();
        fs::write(&ca, text).unwrap();
        stage.api.bookmark();
        stage.api.close_watches();
        stage.api.is_watched_after(before);
    }
    assert!(!sidecar.has_said("gives no usable answer"));
    fs::write(&ca, stranger.pem()).unwrap();
    stage.api.close_watches();
    sidecar.says("gives no usable answer");
    fs::write(&ca, authority.pem()).unwrap();
    sidecar.says("reports our pod again");
    stage.main_ends(0, "Completed");
    stage.committed(sidecar);
}
