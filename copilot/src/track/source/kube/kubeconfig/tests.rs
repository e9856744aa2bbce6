use std::{error::Error as _, fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::track::source::kube::{
    Secret,
    way::{Login, Pem, PemPlace},
};

/// A kubeconfig with one cluster and one user, of these fields.
fn file(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\npreferences: {{}}\n\
         clusters:\n- {{name: c, cluster: {{server: 'https://api.example:6443', {cluster}}}}}\n\
         users:\n- {{name: u, user: {{{user}}}}}\n\
         contexts:\n- {{name: here, context: {{cluster: c, user: u}}}}\n"
    )
}

fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).expect("it can be written");
    path
}

fn way_by(text: &str, options: &ApiOptions) -> Result<Way, SetupError> {
    let directory = tempfile::tempdir().expect("it can be made");
    let path = write(&directory, "config", text);
    Kubeconfig::read([path])?.way(options)
}

fn way(text: &str) -> Result<Way, SetupError> {
    way_by(text, &ApiOptions::default())
}

fn message(result: Result<Way, SetupError>) -> String {
    let error = result.expect_err("it is refused");
    let cause = error.source().map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

fn secret(text: &str) -> Secret {
    Secret(text.to_owned())
}

#[test]
fn server_namespace_and_token_are_found() {
    let found = way(&file("", "token: '0123'")).expect("it can be used");
    assert_eq!(found.server, "https://api.example:6443/");
    // As Kubernetes' clients have it.
    assert_eq!(found.namespace.as_deref(), Some("default"));
    // As it is written, though it looks like a number.
    assert_eq!(found.login, Login::Token(secret("0123")));
    assert!(!found.trusts_anybody);
    assert_eq!(
        (found.authority, found.certificate, found.key),
        (None, None, None)
    );
}

#[test]
fn a_user_that_is_not_there_is_nobody() {
    for (from, to) in [(", user: u", ", user: other"), (", user: u", "")] {
        let text = file("", "token: t").replace(&format!("c{from}"), &format!("c{to}"));
        let found = way(&text).expect("it can be used");
        assert_eq!(found.login, Login::Nobody, "{text}");
    }
}

#[test]
fn paths_begin_where_the_file_lies() {
    let directory = tempfile::tempdir().expect("it can be made");
    let text = file(
        "certificate-authority: ca.crt",
        "tokenFile: token, client-certificate: /abs/crt, client-key: keys/key",
    );
    let path = write(&directory, "config", &text);
    let read = Kubeconfig::read([path]).expect("it can be read");
    let found = read.way(&ApiOptions::default()).expect("it can be used");
    let here = directory.path();
    let place = |pem: Option<Pem>| pem.map(|pem| pem.place);
    let file = |path: PathBuf| Some(PemPlace::File(path));
    assert_eq!(found.login, Login::TokenFile(here.join("token")));
    assert_eq!(place(found.authority), file(here.join("ca.crt")));
    assert_eq!(place(found.certificate), file("/abs/crt".into()));
    assert_eq!(place(found.key), file(here.join("keys/key")));
}

#[test]
fn data_comes_before_files_and_may_be_folded() {
    let text = file(
        "certificate-authority: /no, certificate-authority-data: 'YXV0aG9y aXR5'",
        "client-certificate: /no, client-certificate-data: Y3J0, client-key-data: a2V5, \
         token: t, tokenFile: /no",
    );
    let found = way(&text).expect("it can be used");
    let place = |pem: Option<Pem>| pem.map(|pem| pem.place);
    let here = |text: &str| Some(PemPlace::Here(secret(text)));
    assert_eq!(place(found.authority), here("authority"));
    assert_eq!(place(found.certificate), here("crt"));
    assert_eq!(place(found.key), here("key"));
    assert_eq!(found.login, Login::Token(secret("t")));
}

#[test]
fn trust_is_what_the_file_says() {
    for (text, expected) in [("true", true), ("false", false), ("''", false)] {
        let text = file(&format!("insecure-skip-tls-verify: {text}"), "token: t");
        assert_eq!(way(&text).expect("it can be used").trusts_anybody, expected);
    }
    let error = message(way(&file("insecure-skip-tls-verify: maybe", "")));
    assert!(
        error.contains("insecure-skip-tls-verify must be true or false"),
        "{error}"
    );
    let named = way(&file("tls-server-name: other.example", "token: t"));
    let named = named.expect("it can be used").tls_server_name;
    assert_eq!(named.as_deref(), Some("other.example"));
}

#[test]
fn what_does_not_serve_in_a_pod_is_refused_by_name_with_the_way_out() {
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}";
    for (user, field, advice) in [
        (exec, "exec", "--token"),
        (
            "auth-provider: {name: gcp}",
            "auth-provider",
            "client certificate",
        ),
        ("username: me", "username", "--token"),
        ("password: pw", "password", "--token"),
        ("as: other", "as", "--as"),
        ("as-uid: '7'", "as-uid", "--as-uid"),
        ("as-groups: [g]", "as-groups", "--as-group"),
        (
            "as-user-extra: {scopes: [view]}",
            "as-user-extra",
            "own credentials",
        ),
    ] {
        // Even where a token would do: it may be another one's.
        let error = message(way(&file("", &format!("token: t, {user}"))));
        let named = format!("user u: the field {field} is not supported");
        assert!(error.contains(&named) && error.contains(advice), "{error}");
        assert!(!error.contains("pw"), "{error}");
    }
    let error = message(way(&file("proxy-url: 'http://p:3128'", "token: t")));
    assert!(
        error.contains("cluster c: the field proxy-url is not supported"),
        "{error}"
    );
    assert!(error.contains("without a proxy"), "{error}");
    // Empty is not given.
    let empty = "exec: null, auth-provider: ~, username: '', as-groups: [], token: t";
    assert!(way(&file("proxy-url: ''", empty)).is_ok());
}

#[test]
fn a_flag_takes_the_place_of_what_is_refused() {
    let exec = file("", "exec: {command: aws}");
    let by_token = ApiOptions {
        token: Some(secret("t")),
        ..ApiOptions::default()
    };
    assert!(way_by(&exec, &by_token).is_ok());
    let by_password = ApiOptions {
        username: Some("n".to_owned()),
        password: Some(secret("p")),
        ..ApiOptions::default()
    };
    assert!(way_by(&exec, &by_password).is_ok());
    let role = file("", "token: t, as: other");
    assert!(way_by(&role, &by_password).is_err());
    let by_role = ApiOptions {
        act_as: Some("me".to_owned()),
        ..ApiOptions::default()
    };
    assert!(way_by(&role, &by_role).is_ok());
    assert!(way_by(&exec, &by_role).is_err());
}

#[test]
fn of_several_files_the_first_that_says_it_counts() {
    let directory = tempfile::tempdir().expect("it can be made");
    let first = "clusters:\n- {name: c, cluster: {server: 'https://first'}}\n";
    let paths = [
        write(&directory, "first", first),
        write(&directory, "second", &file("", "token: t")),
    ];
    let read = Kubeconfig::read(paths).expect("they can be read");
    let found = read.way(&ApiOptions::default()).expect("it can be used");
    assert_eq!(found.server, "https://first/");
    assert_eq!(found.login, Login::Token(secret("t")));
}

#[test]
fn what_is_wrong_is_named() {
    let missing = Kubeconfig::read(["/none/config"]).expect_err("it is not there");
    assert!(missing.to_string().contains("/none/config"), "{missing}");
    let whole = file("", "token: t");
    for (text, words) in [
        (String::new(), "--context"),
        ("clusters: [".to_owned(), "line"),
        ("clusters: {}".to_owned(), "clusters must be a list"),
        ("users: [{user: {}}]".to_owned(), "field name must be given"),
        (
            "users: [{name: u, user: []}]".to_owned(),
            "user must be a map",
        ),
        (whole.replace("cluster: c", "cluster: d"), "no cluster d"),
        (
            whole.replace("current-context: here", "current-context: x"),
            "no context x",
        ),
        (whole.replace("server: ", "other: "), "server must be given"),
        (
            whole.replace("https://", "ftp://"),
            "the server of the cluster c",
        ),
        (file("", "token: [t]"), "token must be a text"),
        (
            file("certificate-authority-data: '%'", ""),
            "authority-data is not Base64",
        ),
        (
            file("", "client-key-data: /w=="),
            "client-key-data must be PEM in Base64",
        ),
    ] {
        let error = message(way(&text));
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_kubeconfig_may_be_json() {
    let text = r#"{"clusters": [{"name": "c", "cluster": {"server": "https:\/\/json"}}],
        "users": [{"name": "u", "user": {"tokenFile": "/t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "current-context": "x"}"#;
    let found = way(text).expect("it can be used");
    assert_eq!(found.server, "https://json/");
    assert_eq!(found.namespace.as_deref(), Some("n"));
    assert_eq!(found.login, Login::TokenFile("/t".into()));
}
