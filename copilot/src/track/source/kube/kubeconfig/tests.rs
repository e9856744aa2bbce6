use std::{error::Error as _, fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::track::source::kube::{
    Secret,
    api_config::{Login, Pem, PemLocation},
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

fn config_with(text: &str, options: &ApiOptions) -> Result<ApiConfig, SetupError> {
    let directory = tempfile::tempdir().expect("it can be made");
    let path = write(&directory, "config", text);
    Kubeconfig::read([path])?.api_config(options)
}

fn config(text: &str) -> Result<ApiConfig, SetupError> {
    config_with(text, &ApiOptions::default())
}

fn message(result: Result<ApiConfig, SetupError>) -> String {
    let error = result.expect_err("it is refused");
    let cause = error.source().map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

fn secret(text: &str) -> Secret {
    Secret::from(text)
}

#[test]
fn server_namespace_and_token_are_found() {
    let found = config(&file("", "token: '0123'")).expect("it can be used");
    assert_eq!(found.server, "https://api.example:6443/");
    // The default of Kubernetes' own clients.
    assert_eq!(found.namespace.as_deref(), Some("default"));
    // The text stays as it is, although it looks like a number.
    assert_eq!(found.login, Login::Token(secret("0123")));
    assert!(!found.skip_tls_verify);
    assert_eq!(
        (found.authority, found.certificate, found.key),
        (None, None, None)
    );
}

#[test]
fn a_user_that_does_not_exist_is_anonymous() {
    for (from, to) in [(", user: u", ", user: other"), (", user: u", "")] {
        let text = file("", "token: t").replace(&format!("c{from}"), &format!("c{to}"));
        let found = config(&text).expect("it can be used");
        assert_eq!(found.login, Login::Anonymous, "{text}");
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let directory = tempfile::tempdir().expect("it can be made");
    let text = file(
        "certificate-authority: ca.crt",
        "tokenFile: token, client-certificate: /abs/crt, client-key: keys/key",
    );
    let path = write(&directory, "config", &text);
    let read = Kubeconfig::read([path]).expect("it can be read");
    let found = read
        .api_config(&ApiOptions::default())
        .expect("it can be used");
    let here = directory.path();
    let location = |pem: Option<Pem>| pem.map(|pem| pem.location);
    let file = |path: PathBuf| Some(PemLocation::File(path));
    assert_eq!(found.login, Login::TokenFile(here.join("token")));
    assert_eq!(location(found.authority), file(here.join("ca.crt")));
    assert_eq!(location(found.certificate), file("/abs/crt".into()));
    assert_eq!(location(found.key), file(here.join("keys/key")));
}

#[test]
fn data_wins_over_files_and_may_be_folded() {
    let text = file(
        "certificate-authority: /no, certificate-authority-data: 'YXV0aG9y aXR5'",
        "client-certificate: /no, client-certificate-data: Y3J0, client-key-data: a2V5, \
         token: t, tokenFile: /no",
    );
    let found = config(&text).expect("it can be used");
    let location = |pem: Option<Pem>| pem.map(|pem| pem.location);
    let inline = |text: &str| Some(PemLocation::Inline(secret(text)));
    assert_eq!(location(found.authority), inline("authority"));
    assert_eq!(location(found.certificate), inline("crt"));
    assert_eq!(location(found.key), inline("key"));
    assert_eq!(found.login, Login::Token(secret("t")));
}

#[test]
fn tls_verification_follows_the_file() {
    for (text, expected) in [("true", true), ("false", false), ("''", false)] {
        let text = file(&format!("insecure-skip-tls-verify: {text}"), "token: t");
        assert_eq!(
            config(&text).expect("it can be used").skip_tls_verify,
            expected
        );
    }
    let error = message(config(&file("insecure-skip-tls-verify: maybe", "")));
    assert!(
        error.contains("insecure-skip-tls-verify must be true or false"),
        "{error}"
    );
    let named = config(&file("tls-server-name: other.example", "token: t"));
    let named = named.expect("it can be used").tls_server_name;
    assert_eq!(named.as_deref(), Some("other.example"));
}

#[test]
fn unsupported_fields_are_refused_by_name_with_advice() {
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
        // Even beside a token, which may belong to another user.
        let error = message(config(&file("", &format!("token: t, {user}"))));
        let named = format!("user u: the field {field} is not supported");
        assert!(error.contains(&named) && error.contains(advice), "{error}");
        assert!(!error.contains("pw"), "{error}");
    }
    let error = message(config(&file("proxy-url: 'http://p:3128'", "token: t")));
    assert!(
        error.contains("cluster c: the field proxy-url is not supported"),
        "{error}"
    );
    assert!(error.contains("without a proxy"), "{error}");
    // An empty field counts as missing.
    let empty = "exec: null, auth-provider: ~, username: '', as-groups: [], token: t";
    assert!(config(&file("proxy-url: ''", empty)).is_ok());
}

#[test]
fn a_flag_replaces_an_unsupported_field() {
    let exec = file("", "exec: {command: aws}");
    let by_token = ApiOptions {
        token: Some(secret("t")),
        ..ApiOptions::default()
    };
    assert!(config_with(&exec, &by_token).is_ok());
    let by_password = ApiOptions {
        username: Some("n".to_owned()),
        password: Some(secret("p")),
        ..ApiOptions::default()
    };
    assert!(config_with(&exec, &by_password).is_ok());
    let role = file("", "token: t, as: other");
    assert!(config_with(&role, &by_password).is_err());
    let by_role = ApiOptions {
        act_as: Some("me".to_owned()),
        ..ApiOptions::default()
    };
    assert!(config_with(&role, &by_role).is_ok());
    assert!(config_with(&exec, &by_role).is_err());
}

#[test]
fn the_first_of_several_files_that_has_an_entry_wins() {
    let directory = tempfile::tempdir().expect("it can be made");
    let first = "clusters:\n- {name: c, cluster: {server: 'https://first'}}\n";
    let paths = [
        write(&directory, "first", first),
        write(&directory, "second", &file("", "token: t")),
    ];
    let read = Kubeconfig::read(paths).expect("they can be read");
    let found = read
        .api_config(&ApiOptions::default())
        .expect("it can be used");
    assert_eq!(found.server, "https://first/");
    assert_eq!(found.login, Login::Token(secret("t")));
}

#[test]
fn an_error_names_the_field_and_the_rule() {
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
        let error = message(config(&text));
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_kubeconfig_may_be_json() {
    let text = r#"{"clusters": [{"name": "c", "cluster": {"server": "https:\/\/json"}}],
        "users": [{"name": "u", "user": {"tokenFile": "/t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "current-context": "x"}"#;
    let found = config(text).expect("it can be used");
    assert_eq!(found.server, "https://json/");
    assert_eq!(found.namespace.as_deref(), Some("n"));
    assert_eq!(found.login, Login::TokenFile("/t".into()));
}
