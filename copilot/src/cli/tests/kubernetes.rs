//! The flags of Kubernetes' client, with and without the watcher that uses them.

use std::time::Duration;

use super::*;
use crate::track::Watcher;
use crate::track::source::kube::{ApiOptions, Secret};

fn asked(more: &[&str]) -> ApiOptions {
    let arguments = [&["--watcher", "kube-api,proc"], more].concat();
    let (global, request) = sidecar(&arguments).unwrap();
    assert_eq!(global.without_effect, [""; 0], "{more:?}");
    request.track.api
}

#[test]
fn each_has_its_effect() {
    let given = asked(&[
        "--as=a",
        "--as-uid=b",
        "--as-group=c",
        "--as-group=d",
        "--certificate-authority=/ca",
        "--client-certificate=/crt",
        "--client-key=/key",
        "--cluster=e",
        "--context=f",
        "--disable-compression",
        "--insecure-skip-tls-verify=false",
        "--kubeconfig=/k",
        "-n",
        "g",
        "--password=h",
        "--pod-name=i",
        "--request-timeout=1m30s",
        "--server=https://j",
        "--tls-server-name=k",
        "--token=l",
        "--user=m",
        "--username=n",
    ]);
    let text = |text: &str| Some(text.to_owned());
    let secret = |text: &str| Some(Secret::from(text));
    let expected = ApiOptions {
        namespace: text("g"),
        pod_name: text("i"),
        kubeconfig: Some("/k".into()),
        context: text("f"),
        cluster: text("e"),
        user: text("m"),
        server: text("https://j"),
        token: secret("l"),
        username: text("n"),
        password: secret("h"),
        client_certificate: Some("/crt".into()),
        client_key: Some("/key".into()),
        certificate_authority: Some("/ca".into()),
        insecure_skip_tls_verify: Some(false),
        tls_server_name: text("k"),
        act_as: text("a"),
        act_as_uid: text("b"),
        act_as_groups: vec!["c".to_owned(), "d".to_owned()],
        request_timeout: Some(Duration::from_secs(90)),
    };
    assert_eq!(given, expected);
    // Neither in logs nor in messages.
    let shown = format!("{given:?}");
    assert!(
        !shown.contains("Secret") && shown.contains("hidden"),
        "{shown}"
    );
}

#[test]
fn a_timeout_is_read_as_the_references_client_reads_it() {
    for (text, limit) in [
        ("", Some(Duration::from_secs(5))),
        ("0", None),
        ("7", Some(Duration::from_secs(7))),
        ("1.5s", Some(Duration::from_millis(1500))),
        ("0s", None),
    ] {
        let options = asked(&["--request-timeout", text]);
        assert_eq!(options.limit(), limit, "{text:?}");
    }
}

#[test]
fn the_references_watcher_type_asks_the_api_too() {
    let types = [
        "--start-watcher-type=kube-api",
        "--exit-watcher-type=kube-api",
    ];
    let flags = [&types[..], &["--pod-name=p", "--watch-container=main"]].concat();
    let (global, request) = sidecar(&flags).unwrap();
    assert_eq!(request.track.watchers, [Watcher::KubeApi]);
    assert_eq!(request.track.api.pod_name.as_deref(), Some("p"));
    assert_eq!(request.track.main_container.as_deref(), Some("main"));
    assert!(global.without_effect.is_empty());
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    for (flags, words) in [
        (
            &["--proxy-url=http://p"][..],
            "--proxy-url is not supported",
        ),
        (&["--client-key=/k"], "--client-key is given without"),
        (&["--username=u"], "--username is given without --password"),
        (&["--request-timeout=soon"], "--request-timeout soon"),
        (&["--request-timeout=-1s"], "negative"),
        (
            &["--insecure-skip-tls-verify", "--certificate-authority=/ca"],
            "give one of them",
        ),
    ] {
        let arguments = [&["--watcher=kube-api"], flags].concat();
        let message = sidecar(&arguments).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        // Without the watcher they change nothing, as in the reference.
        let (global, request) = sidecar(flags).unwrap();
        assert_eq!(request.track.api, ApiOptions::default());
        assert_eq!(global.without_effect.len(), flags.len(), "{flags:?}");
    }
}
