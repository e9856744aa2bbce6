//! A watch that cannot work is refused before the wait begins, with the solution.

use std::process::Command;

use copilot_tests::binary;
use copilot_tests::kube::{Behaviour, NAMESPACE};

use super::fixture::{KubeFixture, POD};

#[track_caller]
fn refused(command: &mut Command, words: &[&str]) {
    let ended = binary::run(command);
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    for word in words {
        assert!(ended.message().contains(word), "{word}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains(copilot_tests::kube::TOKEN));
}

fn command(fixture: &KubeFixture, more: &[&str]) -> Command {
    let mut command = fixture.command();
    command.arg("--watcher=kube-api").args(more);
    command
}

#[test]
fn a_refusal_is_final() {
    let rights = ["list and watch", "pods", NAMESPACE, "Role"];
    for (behaviour, words) in [
        (Behaviour::Refuses(403), &rights[..]),
        (Behaviour::Refuses(401), &rights[..]),
        (Behaviour::RefusesWatches(403), &rights[..]),
        (Behaviour::Refuses(400), &["rejects the request"]),
    ] {
        let fixture = KubeFixture::start();
        fixture.api.behave(behaviour);
        refused(&mut command(&fixture, &[]), words);
        let asked = fixture.api.asked().len();
        assert!(asked <= 2, "{asked} requests for {behaviour:?}");
    }
}

#[test]
fn a_wrong_token_or_namespace_is_reported_with_the_servers_answer() {
    let fixture = KubeFixture::start();
    refused(&mut command(&fixture, &["--token=wrong"]), &["401"]);
    refused(
        &mut command(&fixture, &["--namespace=other"]),
        &["403", "other"],
    );
}

#[test]
fn a_missing_pod_is_named_with_the_origin_of_its_name() {
    let fixture = KubeFixture::start();
    refused(
        &mut command(&fixture, &["--pod-name=nobody"]),
        &["no pod nobody", "--pod-name", "hostNetwork"],
    );
    // An empty name is ignored: the host name is used, and a pod with that name does not exist here.
    refused(
        &mut command(&fixture, &["--pod-name="]),
        &["the host name", "POD_NAME"],
    );
    let mut named = command(&fixture, &["--pod-name=", "--namespace="]);
    named
        .env("POD_NAME", "other")
        .env("POD_NAMESPACE", NAMESPACE);
    refused(&mut named, &["no pod other", "POD_NAME"]);
}

#[test]
fn the_downward_api_names_pod_and_namespace() {
    let mut fixture = KubeFixture::start();
    fixture.main_ends(0, "Completed");
    let mut command = command(&fixture, &["--pod-name=", "--namespace="]);
    command.env("POD_NAME", POD).env("POD_NAMESPACE", NAMESPACE);
    fixture.committed(binary::Running::start(&mut command));
}

#[test]
fn without_an_account_or_an_address_it_is_refused() {
    let fixture = KubeFixture::start();
    let void = |more: &[&str]| {
        let mut command = binary::command();
        command
            .args(fixture.task.site.server.flags("data"))
            .args(["sidecar", "--watcher=kube-api"])
            .args(more);
        command
    };
    refused(
        &mut void(&[]),
        &["automountServiceAccountToken", "--kubeconfig"],
    );
    refused(&mut void(&["--context=c"]), &["kubeconfig"]);
    refused(&mut void(&["--server=://"]), &["--server"]);
    let ca = [
        "--server=https://127.0.0.1:9",
        "--certificate-authority=/none",
    ];
    refused(&mut void(&ca), &["--certificate-authority /none"]);
    refused(&mut void(&["--kubeconfig=/none"]), &["/none"]);
    refused(
        &mut void(&["--server=http://127.0.0.1:9"]),
        &["--namespace"],
    );
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let fixture = KubeFixture::start();
    refused(
        &mut command(&fixture, &["--server=http://127.0.0.1:9"]),
        &["no answer within", "127.0.0.1:9"],
    );
    fixture.api.behave(Behaviour::Silent);
    refused(
        &mut command(&fixture, &["--request-timeout=1"]),
        &["no answer within"],
    );
}
