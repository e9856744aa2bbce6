//! Writes whose answers have no tag, as those of a web server that says yes to everything: they count only
//! if the object is there.

#![cfg(test)]

use bytes::Bytes;
use copilot::config::StorageSettings;
use copilot::store::{Network, Reference, StoreError, Stores};
use copilot_tests::recorder::Recorder;
use copilot_tests::site::closed_environment;

/// Writes `content` to a store that says yes, and then has `found`, if anything.
async fn write(content: &'static str, found: Option<&'static str>) -> Result<(), StoreError> {
    let server = Recorder::start(
        move |asked| match (asked.line().starts_with("PUT"), found) {
            (true, _) => (200, String::new()),
            (false, Some(found)) => (200, found.to_owned()),
            (false, None) => (404, String::new()),
        },
    );
    let endpoint = format!("http://{}", server.as_ref().unwrap().host());
    let keys = [
        ("access_key_id", "k"),
        ("secret_key", "s"),
        ("endpoint", &*endpoint),
    ];
    let settings = StorageSettings {
        store_type: "stow".to_owned(),
        stow_kind: "s3".to_owned(),
        stow_config: keys
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        container: "data".to_owned(),
        ..StorageSettings::default()
    };
    let stores = Stores::new(settings, Network::default(), closed_environment());
    let object = stores.open(&Reference::parse("s3://data/x").unwrap());
    object
        .unwrap()
        .put(Bytes::from_static(content.as_bytes()))
        .await
}

#[tokio::test]
async fn a_write_without_a_tag_counts_if_the_object_is_there() {
    for content in ["content", ""] {
        write(content, Some(content)).await.unwrap();
    }
    for (found, words) in [
        // It may be the object of an earlier run.
        (Some("another"), "other bytes"),
        (Some("<html>"), "6 bytes and not 7"),
        (Some(""), "0 bytes and not 7"),
        (None, "404"),
    ] {
        let refused = write("content", found).await.unwrap_err();
        assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
        let message = refused.to_string();
        assert!(
            message.contains("has no ETag") && message.contains(words),
            "{message}"
        );
    }
}
