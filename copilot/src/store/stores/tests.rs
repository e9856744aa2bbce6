use std::collections::BTreeMap;

use super::Stores;
use crate::config::{SchemeSettings, SecretPairs, StorageSettings};
use crate::store::{Environment, Network, Reference, StoreError};

fn map(pairs: &[(&str, &str)]) -> SecretPairs {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn s3() -> StorageSettings {
    StorageSettings {
        store_type: "stow".to_owned(),
        stow_kind: "s3".to_owned(),
        stow_config: map(&[("access_key_id", "id"), ("secret_key", "top-secret")]),
        container: "data".to_owned(),
        ..StorageSettings::default()
    }
}

fn local(path: &str) -> StorageSettings {
    StorageSettings {
        store_type: "local".to_owned(),
        stow_config: map(&[("path", path)]),
        container: "data".to_owned(),
        ..StorageSettings::default()
    }
}

fn memory() -> StorageSettings {
    StorageSettings {
        store_type: "mem".to_owned(),
        ..StorageSettings::default()
    }
}

fn open(settings: StorageSettings, text: &str) -> Result<(String, String), StoreError> {
    let stores = Stores::new(settings, Network::default(), Environment::default());
    let object = stores.open(&Reference::parse(text)?)?;
    Ok((object.location().store, object.key().to_owned()))
}

#[test]
fn references_find_their_store() {
    let aws = "https://s3.us-east-1.amazonaws.com";
    let many = StorageSettings {
        multicontainer: true,
        schemes: BTreeMap::from([(
            "file".to_owned(),
            SchemeSettings {
                kind: String::new(),
                config: map(&[("path", "/store")]),
            },
        )]),
        ..s3()
    };
    let of_kind = |kind: &str, pairs: &[(&str, &str)]| StorageSettings {
        stow_kind: kind.to_owned(),
        stow_config: map(pairs),
        ..s3()
    };
    let single = |settings: StorageSettings| StorageSettings {
        single_store: true,
        ..settings
    };
    let (google, account) = ("https://storage.googleapis.com", [("account", "me")]);
    let azure = "https://me.blob.core.windows.net";
    for (settings, text, store, key) in [
        (s3(), "s3://data/a/b", aws, "a/b"),
        (of_kind("google", &[]), "gs://data/a/b", google, "a/b"),
        (s3(), "gs://other/a", google, "a"),
        (of_kind("azure", &account), "abfs://data/a/b", azure, "a/b"),
        (
            of_kind("azure", &account),
            "abfss://data@me.dfs.core.windows.net/a",
            azure,
            "a",
        ),
        (s3(), "abfs://c@me.dfs.core.windows.net/a", azure, "a"),
        // One store for all, but for plain web addresses.
        (single(s3()), "gs://data/a", aws, "a"),
        (single(s3()), "file://data/a", aws, "a"),
        (single(local("/store")), "s3://data/a", "/store/data", "a"),
        (single(s3()), "https://host/f", "host", "f"),
        // An unknown scheme is the primary store's.
        (s3(), "minio://data/a", aws, "a"),
        (many.clone(), "s3://other/a", aws, "a"),
        (many.clone(), "file://c/a/b", "/store/c", "a/b"),
        (many, "file:///store/c/a/b", "/store/c", "a/b"),
        (s3(), "https://host/f?x=1", "host", "f?x=1"),
        (s3(), "mem://b/a", "b in memory", "a"),
        (memory(), "mem://b/a/c", "b in memory", "a/c"),
        (memory(), "x://b/a", "b in memory", "a"),
        (memory(), "gs://other/a", google, "a"),
        (local("/store"), "file://data/a", "/store/data", "a"),
        (local("/store"), "file:///store/data/a", "/store/data", "a"),
        (local("/store"), "/store/data/a", "/store/data", "a"),
        (
            StorageSettings {
                store_type: "minio".to_owned(),
                stow_kind: String::new(),
                ..s3()
            },
            "s3://data/a",
            aws,
            "a",
        ),
    ] {
        let found = open(settings, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found, (store.to_owned(), key.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_opened_says_why_and_what_to_do() {
    let with = |change: fn(&mut StorageSettings)| {
        let mut settings = s3();
        change(&mut settings);
        settings
    };
    for (settings, text, named) in [
        (s3(), "s3://other/a", "enable-multicontainer"),
        (s3(), "/tmp/x", "names no container"),
        (s3(), "s3:b/k", "names no container"),
        (
            with(|s| s.container.clear()),
            "s3://data/a",
            "storage.container",
        ),
        (
            with(|s| s.stow_config.clear()),
            "s3://data/a",
            "access_key_id",
        ),
        (
            with(|s| s.stow_kind.clear()),
            "s3://data/a",
            "storage.stow.kind",
        ),
        (
            with(|s| s.store_type = "x".to_owned()),
            "s3://data/a",
            "[x]",
        ),
        (
            with(|s| s.store_type = "redis".to_owned()),
            "x://data/a",
            "redis",
        ),
        (
            with(|s| s.stow_kind = "azure".to_owned()),
            "abfs://data/a",
            "account",
        ),
        (s3(), "abfs://c/a", "storage.schemes"),
        (
            with(|s| {
                s.stow_kind = "azure".to_owned();
                s.stow_config = map(&[("account", "me")]);
            }),
            "abfs://data@you.dfs.core.windows.net/a",
            "you",
        ),
        (s3(), "sw://b/a", "swift"),
        (s3(), "os://b/a", "oracle"),
        (with(|s| s.stow_kind = "b2".to_owned()), "x://data/a", "b2"),
        (
            with(|s| s.stow_kind = "S3".to_owned()),
            "s3://data/a",
            "[S3]",
        ),
        (
            s3(),
            "file:///etc/passwd",
            "storage.schemes.file.config.path",
        ),
        (local("/store"), "file:///etc/passwd", "/store"),
        (
            local("/store"),
            "file:///store/data/../../etc/passwd",
            "not the configured",
        ),
        (local("/store"), "file://../a", "not the configured"),
        (
            local("/store"),
            "file:///store/other/a",
            "enable-multicontainer",
        ),
        (local(""), "file://data/a", "path"),
    ] {
        match open(settings, text) {
            Ok(found) => {
                // The container is right; the key must then be refused when it is used.
                assert!(found.1.contains(".."), "{text}: {found:?}");
            }
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains(named), "{text}: {message}");
                assert!(message.contains(text), "{text}: {message}");
                assert!(!message.contains("top-secret"), "{message}");
                assert!(!error.recoverable());
            }
        }
    }
}
