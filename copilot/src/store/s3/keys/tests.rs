use std::collections::BTreeMap;

use super::S3StoreSettings;
use crate::config::{HttpSettings, S3Settings};
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::http::Client;
use crate::store::network::Network;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn read(pairs: &[(&str, &str)]) -> Result<S3StoreSettings, SettingError> {
    let config = map(pairs);
    let (s3, http) = (S3Settings::default(), HttpSettings::default());
    S3StoreSettings::read(&config, s3, &http, &Environment::default())
}

const KEYS: [(&str, &str); 2] = [("access_key_id", "id"), ("secret_key", "top-secret")];

fn with_keys(more: &[(&str, &str)]) -> Result<S3StoreSettings, SettingError> {
    read(&[&KEYS, more].concat())
}

#[test]
fn addresses_of_a_bucket() {
    for (keys, bucket, address) in [
        (vec![], "data", "https://data.s3.us-east-1.amazonaws.com"),
        (
            vec![],
            "my.data",
            "https://s3.us-east-1.amazonaws.com/my.data",
        ),
        (
            vec![("region", "cn-north-1")],
            "data",
            "https://data.s3.cn-north-1.amazonaws.com.cn",
        ),
        (
            vec![("endpoint", "")],
            "data",
            "https://s3.us-east-1.amazonaws.com/data",
        ),
        (
            vec![("endpoint", "http://h:9000/")],
            "data",
            "http://h:9000/data",
        ),
        (
            vec![("endpoint", "https://h/base")],
            "data",
            "https://h/base/data",
        ),
        (vec![("endpoint", "h:9000")], "data", "https://h:9000/data"),
        (
            vec![("endpoint", "h:9000/base"), ("addressing", "virtual")],
            "data",
            "https://data.h:9000/base",
        ),
        (
            vec![("endpoint", "h"), ("addressing", "virtual")],
            "my_data",
            "https://h/my_data",
        ),
        (
            vec![("addressing", "path")],
            "data",
            "https://s3.us-east-1.amazonaws.com/data",
        ),
    ] {
        let settings = with_keys(&keys).unwrap();
        assert_eq!(settings.address(bucket).unwrap(), address, "{keys:?}");
    }
}

#[test]
fn each_spelling_of_disable_ssl() {
    for (value, scheme) in [
        ("1", "http"),
        ("true", "http"),
        ("True", "http"),
        ("TRUE", "http"),
        ("0", "https"),
        ("false", "https"),
        ("False", "https"),
        ("", "https"),
    ] {
        let settings = with_keys(&[("endpoint", "h"), ("disable_ssl", value)]).unwrap();
        assert_eq!(settings.endpoint(), format!("{scheme}://h"), "{value}");
    }
}

#[test]
fn what_is_wrong_is_named_and_no_secret_is() {
    for (keys, named) in [
        (vec![], "access_key_id"),
        (vec![("access_key_id", "id")], "secret_key"),
        (
            vec![("access_key_id", "id"), ("secret_key_path", "/nowhere")],
            "/nowhere",
        ),
        (vec![("auth_type", "magic")], "auth_type"),
        (
            KEYS.iter().copied().chain([("addressing", "x")]).collect(),
            "addressing",
        ),
        (
            [
                KEYS[0],
                KEYS[1],
                ("endpoint", "[::1]:1"),
                ("addressing", "virtual"),
            ]
            .to_vec(),
            "addressing",
        ),
        (
            KEYS.iter().copied().chain([("v2_signing", "1")]).collect(),
            "v2_signing",
        ),
        (
            KEYS.iter()
                .copied()
                .chain([("disable_ssl", "perhaps")])
                .collect(),
            "disable_ssl",
        ),
        (
            KEYS.iter()
                .copied()
                .chain([("endpoint", "ftp://h")])
                .collect(),
            "endpoint",
        ),
        (
            KEYS.iter()
                .copied()
                .chain([("endpoint", "http://[")])
                .collect(),
            "endpoint",
        ),
        (
            KEYS.iter()
                .copied()
                .chain([("endpoint", "http://h?x")])
                .collect(),
            "endpoint",
        ),
        (
            KEYS.iter().copied().chain([("region", "a/b")]).collect(),
            "region",
        ),
        (
            KEYS.iter().copied().chain([("token", "a\nb")]).collect(),
            "token",
        ),
    ] {
        let error = read(&keys).unwrap_err().to_string();
        assert!(error.contains(named), "{keys:?}: {error}");
        assert!(!error.contains("top-secret"), "{error}");
    }
    let settings = with_keys(&[]).unwrap();
    for bucket in ["", "a/b", "a b", "..", "a?b", "a:1"] {
        assert!(settings.address(bucket).is_err(), "{bucket}");
    }
}

#[tokio::test]
async fn the_secret_comes_from_its_file_trimmed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "from-file\n").unwrap();
    let settings =
        with_keys(&[("secret_key_path", path.to_str().unwrap()), ("token", "t")]).unwrap();
    let client = Client::new(Network::default(), "");
    let credentials = settings.access().credentials("r", &client).unwrap();
    let credential = credentials.get().await.unwrap();
    assert_eq!(credential.secret_key, "from-file");
    assert_eq!(credential.token.as_deref(), Some("t"));
}

#[tokio::test]
async fn secrets_in_variables_are_trimmed_or_refused() {
    let client = Client::new(Network::default(), "");
    let keys = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    let credentials = |values: [&str; 3]| {
        let pairs = keys.into_iter().zip(values);
        let environment: Environment = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let config = map(&[("auth_type", "iam")]);
        let (s3, http) = (S3Settings::default(), HttpSettings::default());
        let settings = S3StoreSettings::read(&config, s3, &http, &environment)?;
        settings.access().credentials("r", &client)
    };
    for around in ["\n", "\r\n", " ", "\u{feff}"] {
        let pasted = ["id", "s3cret", "t"].map(|secret| format!("{secret}{around}"));
        let found = credentials(pasted.each_ref().map(String::as_str)).unwrap();
        let found = found.get().await.unwrap();
        assert_eq!(found.key_id, "id");
        assert_eq!(found.secret_key, "s3cret");
        assert_eq!(found.token.as_deref(), Some("t"));
    }
    for (at, wrong) in [(0, "i\nd"), (0, "i d"), (1, "s3\ncret"), (2, "t\u{e9}")] {
        let mut values = ["id", "s3cret", "t"];
        values[at] = wrong;
        let said = credentials(values).unwrap_err().to_string();
        assert!(said.contains(keys[at]) && !said.contains(wrong), "{said}");
    }
}

#[test]
fn a_secrets_file_that_holds_more_or_nothing_is_refused() {
    for (text, named) in [("one\ntwo\n", "a line end"), (" \n", "empty")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        let error = with_keys(&[("secret_key_path", path)])
            .unwrap_err()
            .to_string();
        assert!(error.contains(named) && error.contains(path), "{error}");
        assert!(!error.contains("two"), "{error}");
    }
}
