//! The ways to the API server that flags and files name.

use std::fs;
use std::process::Command;

use copilot_tests::binary::{self, Running};
use copilot_tests::kube::{NAMESPACE, TOKEN};
use copilot_tests::tls::{Authority, front};

use super::fixture::{KubeFixture, POD};

/// A sidecar that gets the server's address only from `more`.
pub fn command(fixture: &KubeFixture, more: &[String]) -> Command {
    let outputs = copilot_tests::task::interface([(
        "word",
        copilot_tests::task::simple(copilot::idl::SimpleType::String),
    )]);
    let mut command = binary::command();
    command
        .args(fixture.task.site.server.flags("data"))
        .args(fixture.task.sidecar_arguments(&outputs))
        .args(["--watcher=kube-api", "--logger.level=4"])
        .arg(format!("--pod-name={POD}"))
        .args(more);
    command
}

fn flags(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

#[test]
fn a_server_over_tls_is_trusted_as_flags_say() {
    let authority = Authority::new("cluster").unwrap();
    let mut fixture = KubeFixture::start();
    fixture.main_ends(0, "Completed");
    let ca = fixture.task.site.work("ca.crt");
    fs::write(&ca, authority.pem()).unwrap();
    let ca = format!("--certificate-authority={}", ca.display());
    for (host, trust, works) in [
        ("127.0.0.1", &[ca.as_str()][..], true),
        ("127.0.0.1", &["--insecure-skip-tls-verify"], true),
        ("api.example", &[&ca, "--tls-server-name=api.example"], true),
        ("api.example", &[&ca], false),
        ("127.0.0.1", &[&ca, "--tls-server-name=api.example"], false),
        ("127.0.0.1", &[], false),
    ] {
        let front = front(fixture.api.address(), authority.certify(host).unwrap()).unwrap();
        let mut more = flags(trust);
        more.push(format!("--server=https://{}", front.address()));
        more.extend([format!("--token={TOKEN}"), format!("-n{NAMESPACE}")]);
        let before = fixture.api.asked().len();
        let sidecar = Running::start(&mut command(&fixture, &more));
        if works {
            fixture.committed(sidecar);
        } else {
            let ended = sidecar.ended();
            assert_eq!(ended.code(), 2, "{host} {trust:?} {}", ended.stderr);
            assert_eq!(fixture.api.asked().len(), before, "{trust:?}");
        }
    }
}

#[test]
fn a_kubeconfig_names_server_user_and_namespace() {
    let mut fixture = KubeFixture::start();
    fixture.main_ends(0, "Completed");
    let path = fixture.task.site.work("kubeconfig");
    let address = fixture.api.address();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: wrong\n\
         clusters:\n\
         - {{name: here, cluster: {{server: 'http://{address}'}}}}\n\
         - {{name: nowhere, cluster: {{server: 'http://127.0.0.1:9'}}}}\n\
         users:\n\
         - {{name: me, user: {{token: {TOKEN}}}}}\n\
         - {{name: stranger, user: {{token: wrong}}}}\n\
         contexts:\n\
         - {{name: right, context: {{cluster: here, user: me, namespace: {NAMESPACE}}}}}\n\
         - {{name: wrong, context: {{cluster: nowhere, user: stranger, namespace: other}}}}\n"
    );
    fs::write(&path, text).unwrap();
    let file = format!("--kubeconfig={}", path.display());
    for more in [
        &[file.as_str(), "--context=right"][..],
        &[&file, "--cluster=here", "--user=me", "--namespace=flyte"],
        &[
            &file,
            "--context=right",
            "--user=stranger",
            &format!("--token={TOKEN}"),
        ],
    ] {
        fixture.committed(Running::start(&mut command(&fixture, &flags(more))));
    }
    let mut by_variable = command(&fixture, &flags(&["--context=right"]));
    by_variable.env("KUBECONFIG", &path);
    fixture.committed(Running::start(&mut by_variable));
    let more = flags(&[&file, "--context=right", "--user=stranger"]);
    let ended = binary::run(&mut command(&fixture, &more));
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    assert!(ended.message().contains("401"), "{}", ended.stderr);
}

/// A proxy could not resolve the cluster's addresses, so it is not used.
#[test]
fn a_proxy_is_never_asked() {
    let mut fixture = KubeFixture::start();
    fixture.main_ends(0, "Completed");
    let mut command = command(&fixture, &fixture.api.flags(POD)[..3]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    fixture.committed(Running::start(&mut command));
}

/// Addresses are parsed as by the reference's client.
#[test]
fn a_server_without_a_scheme_uses_plain_http() {
    let mut fixture = KubeFixture::start();
    fixture.main_ends(0, "Completed");
    let more = [
        format!("--server={}", fixture.api.address()),
        format!("--token={TOKEN}"),
        format!("--namespace={NAMESPACE}"),
    ];
    fixture.committed(Running::start(&mut command(&fixture, &more)));
}
