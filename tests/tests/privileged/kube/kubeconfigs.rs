//! Credentials and server settings from a kubeconfig, over TLS.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use copilot_tests::background::Background;
use copilot_tests::binary::{self, Running};
use copilot_tests::kube::{NAMESPACE, TOKEN};
use copilot_tests::tls::{Authority, front};

use super::fixture::KubeFixture;
use super::ways::command;

/// A pod whose main has ended, and a server that requires a client certificate.
struct Guarded {
    fixture: KubeFixture,
    front: Background,
    authority: Authority,
    clients: Authority,
}

impl Guarded {
    fn start() -> Self {
        let mut fixture = KubeFixture::start();
        fixture.main_ends(0, "Completed");
        let authority = Authority::new("cluster").unwrap();
        let clients = Authority::new("clients").unwrap();
        let certificate = authority.certify_among("127.0.0.1", &clients).unwrap();
        let front = front(fixture.api.address(), certificate).unwrap();
        Self {
            fixture,
            front,
            authority,
            clients,
        }
    }

    /// A file in the folder of the kubeconfig.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.fixture.task.site.work(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A sidecar with a kubeconfig that has these fields.
    fn command(&self, cluster: &str, user: &str) -> Command {
        let address = self.front.address();
        let context = format!("cluster: here, user: me, namespace: {NAMESPACE}");
        let text = format!(
            "current-context: it\n\
             clusters: [{{name: here, cluster: {{server: 'https://{address}', {cluster}}}}}]\n\
             users: [{{name: me, user: {{{user}}}}}]\n\
             contexts: [{{name: it, context: {{{context}}}}}]\n"
        );
        let path = self.write("kubeconfig", &text);
        command(&self.fixture, &[format!("--kubeconfig={}", path.display())])
    }

    #[track_caller]
    fn is_refused(&self, cluster: &str, user: &str, words: &[&str]) {
        let before = self.fixture.api.asked().len();
        let ended = binary::run(&mut self.command(cluster, user));
        assert_eq!(ended.code(), 2, "{}", ended.stderr);
        for word in words {
            assert!(ended.message().contains(word), "{word}: {}", ended.stderr);
        }
        assert_eq!(self.fixture.api.asked().len(), before, "{}", ended.stderr);
    }
}

#[test]
fn a_client_certificate_authenticates() {
    let guarded = Guarded::start();
    guarded.fixture.api.accept_all();
    let (certificate, key) = guarded.clients.client("me").unwrap();
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    guarded.write("ca.crt", &guarded.authority.pem());
    guarded.write("me.crt", &certificate);
    guarded.write("me.key", &key);
    let authority = base64(&guarded.authority.pem());
    let authority = format!("certificate-authority-data: {authority}");
    let by_files = "client-certificate: me.crt, client-key: me.key";
    let by_data = format!(
        "client-certificate-data: {}, client-key-data: {}",
        base64(&certificate),
        base64(&key)
    );
    for (cluster, user) in [
        ("certificate-authority: ca.crt", by_files),
        (&authority, &by_data),
        ("insecure-skip-tls-verify: true", &by_data),
    ] {
        let mut command = guarded.command(cluster, user);
        guarded.fixture.committed(Running::start(&mut command));
    }
    // The server requires a certificate from one of these authorities.
    let (stranger, its_key) = guarded.authority.client("me").unwrap();
    let by_stranger = format!(
        "client-certificate-data: {}, client-key-data: {}",
        base64(&stranger),
        base64(&its_key)
    );
    guarded.is_refused(&authority, "token: t", &["no answer within"]);
    guarded.is_refused(&authority, &by_stranger, &["no answer within"]);
    // And there is no request.
    guarded.is_refused("tls-server-name: other", &by_data, &["certificate"]);
    guarded.is_refused("", &by_data, &["certificate"]);
}

#[test]
fn incomplete_and_foreign_files_are_detected_without_requests() {
    let guarded = Guarded::start();
    let (certificate, key) = guarded.clients.client("me").unwrap();
    guarded.write("me.crt", &certificate);
    guarded.write("me.key", &key);
    guarded.write("none.crt", "no certificate");
    let other = guarded.clients.client("other").unwrap().1;
    guarded.write("other.key", &other);
    for (user, words) in [
        (
            "client-certificate: me.crt",
            &["client-certificate", "key is not"][..],
        ),
        ("client-key: me.key", &["client-key", "certificate is not"]),
        (
            "client-certificate: me.crt, client-key: /none",
            &["client-key", "/none"],
        ),
        (
            "client-certificate: none.crt, client-key: me.key",
            &["no certificate in PEM"],
        ),
        (
            "client-certificate: me.crt, client-key: me.crt",
            &["client-key", "PEM"],
        ),
        (
            "client-certificate: me.crt, client-key: other.key",
            &["certificate and key"],
        ),
        ("tokenFile: /none", &["/none"]),
        ("tokenFile: me.crt", &["token in", "header"]),
    ] {
        guarded.is_refused("", user, words);
    }
    guarded.is_refused("certificate-authority: /none", "token: t", &["/none"]);
    let data = "certificate-authority-data: bm9uZQ==";
    guarded.is_refused(
        data,
        "token: t",
        &["authority-data", "no certificate in PEM"],
    );
}

#[test]
fn settings_that_do_not_work_in_pods_are_refused_with_their_name() {
    let guarded = Guarded::start();
    for (cluster, user, words) in [
        ("", "exec: {command: aws}", ["field exec ", "--token"]),
        (
            "",
            "auth-provider: {name: oidc}",
            ["field auth-provider ", "--token"],
        ),
        (
            "",
            "username: u, password: p",
            ["field username ", "--token"],
        ),
        ("", "token: t, as: other", ["field as ", "--as"]),
        (
            "proxy-url: 'http://p'",
            "token: t",
            ["field proxy-url ", "without a proxy"],
        ),
    ] {
        guarded.is_refused(cluster, user, &words);
    }
}

#[test]
fn a_flag_takes_the_place_of_a_plugin() {
    let guarded = Guarded::start();
    let (certificate, key) = guarded.clients.client("me").unwrap();
    let certificate = guarded.write("me.crt", &certificate);
    let key = guarded.write("me.key", &key);
    let mut command = guarded.command("insecure-skip-tls-verify: true", "exec: {command: aws}");
    command
        .arg(format!("--token={TOKEN}"))
        .arg(format!("--client-certificate={}", certificate.display()))
        .arg(format!("--client-key={}", key.display()));
    guarded.fixture.committed(Running::start(&mut command));
}
