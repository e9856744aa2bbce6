//! What the API server says, from its JSON: a list of one pod, an event of a watch, a failure.
//!
//! `kube-core` has the event's type, yet reads it by buffering whatever comes before it is known which
//! event it is, many times the size of its text. Here the object stays text until that is known, so
//! that a line's length bounds what it costs.

use http::StatusCode;
use kube_core::{Status, WatchEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::pod::{Pod, few};

/// A failure and a bookmark are short. Also how much of a refusal's body is read.
pub const SHORT: usize = 64 * 1024;

/// Characters of a refusal's body that are shown where it holds something else than a status.
const SHOWN: usize = 200;

/// Why a text is not what the API would say.
#[derive(Debug, Error)]
pub enum EventError {
    /// It is not the JSON that we expect.
    #[error("the server's answer cannot be read")]
    Json(#[from] serde_json::Error),
    /// A kind of event that the API does not have.
    #[error("the server tells of an event of an unknown type, {0:?}")]
    UnknownType(String),
    /// What is short by nature is not.
    #[error("the server's word of type {kind} has more than {SHORT} bytes")]
    TooLong {
        /// The type.
        kind: String,
    },
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// One line of a watch.
pub fn event(line: &[u8]) -> Result<WatchEvent<Pod>, EventError> {
    let Line { kind, object } = serde_json::from_slice(line)?;
    let text = object.get();
    if matches!(kind.as_str(), "BOOKMARK" | "ERROR") && text.len() > SHORT {
        return Err(EventError::TooLong { kind });
    }
    Ok(match kind.as_str() {
        "ADDED" => WatchEvent::Added(serde_json::from_str(text)?),
        "MODIFIED" => WatchEvent::Modified(serde_json::from_str(text)?),
        "DELETED" => WatchEvent::Deleted(serde_json::from_str(text)?),
        "BOOKMARK" => WatchEvent::Bookmark(serde_json::from_str(text)?),
        "ERROR" => WatchEvent::Error(serde_json::from_str(text)?),
        unknown => {
            let unknown = unknown.chars().take(SHOWN).collect();
            return Err(EventError::UnknownType(unknown));
        }
    })
}

/// A list of pods.
#[derive(Debug, Deserialize)]
pub struct List {
    /// Of the list itself.
    #[serde(default)]
    pub metadata: ListMetadata,
    /// The pods.
    #[serde(default, deserialize_with = "few")]
    pub items: Vec<Pod>,
}

/// What a list says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMetadata {
    /// The version of all of it.
    pub resource_version: Option<String>,
}

/// A list of pods.
pub fn list(body: &[u8]) -> Result<List, EventError> {
    Ok(serde_json::from_slice(body)?)
}

/// What an answer other than a success says. It may come from a proxy, which speaks no Kubernetes.
pub fn failure(code: StatusCode, body: &[u8]) -> Status {
    if let Ok(mut status) = serde_json::from_slice::<Status>(body) {
        if status.code == 0 {
            status.code = code.as_u16();
        }
        return status;
    }
    let text = String::from_utf8_lossy(body);
    let text: String = text.trim().chars().take(SHOWN).collect();
    let text = text.escape_debug().to_string();
    let reason = code.canonical_reason().unwrap_or("no status of the API");
    Status::failure(&text, reason).with_code(code.as_u16())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POD: &str = r#"{"kind": "Pod", "metadata": {"name": "p", "resourceVersion": "7",
        "managedFields": [{"fieldsV1": {"f:a": {}}}]}, "spec": {"containers": []}}"#;

    #[test]
    fn events_are_read_in_any_order_of_their_members() {
        for line in [
            format!(r#"{{"type": "MODIFIED", "object": {POD}}}"#),
            format!(r#"{{"object": {POD}, "more": 1, "type": "MODIFIED"}}"#),
        ] {
            let Ok(WatchEvent::Modified(pod)) = event(line.as_bytes()) else {
                panic!("{line}");
            };
            assert_eq!(pod.metadata.name.as_deref(), Some("p"));
            assert_eq!(pod.metadata.resource_version.as_deref(), Some("7"));
        }
        let line = r#"{"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1",
            "metadata": {"resourceVersion": "9", "creationTimestamp": null}, "spec": {}}}"#;
        let Ok(WatchEvent::Bookmark(bookmark)) = event(line.as_bytes()) else {
            panic!("{line}");
        };
        assert_eq!(bookmark.metadata.resource_version, "9");
        let line =
            r#"{"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Gone"}}"#;
        assert!(
            matches!(event(line.as_bytes()), Ok(WatchEvent::Error(status)) if status.code == 410)
        );
    }

    #[test]
    fn what_the_api_does_not_say_is_an_error() {
        let long = format!(r#"{{"type": "ERROR", "object": "{}"}}"#, "x".repeat(SHORT));
        for (line, words) in [
            ("\"no event at all\"", "cannot be read"),
            ("{}", "cannot be read"),
            (r#"{"type": "MODIFIED", "object": 1}"#, "cannot be read"),
            (r#"{"type": "NEWS", "object": {}}"#, "NEWS"),
            (&long, "more than"),
        ] {
            let error = event(line.as_bytes())
                .expect_err("this is refused")
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_list_may_be_empty_in_each_of_its_ways() {
        for text in [r#"{"items": []}"#, r#"{"items": null}"#, "{}"] {
            assert!(list(text.as_bytes()).expect(text).items.is_empty());
        }
        let text = format!(r#"{{"metadata": {{"resourceVersion": "8"}}, "items": [{POD}]}}"#);
        let read = list(text.as_bytes()).expect("it is a list");
        assert_eq!(read.metadata.resource_version.as_deref(), Some("8"));
        assert_eq!(read.items.len(), 1);
    }

    #[test]
    fn a_refusal_by_somebody_else_is_told_in_his_words() {
        let status = failure(StatusCode::BAD_GATEWAY, b"<h1>no upstream</h1>");
        assert_eq!((status.code, status.reason.as_str()), (502, "Bad Gateway"));
        assert!(status.message.contains("no upstream"));
        let status = failure(
            StatusCode::FORBIDDEN,
            br#"{"message": "no", "reason": "Forbidden"}"#,
        );
        assert_eq!((status.code, status.message.as_str()), (403, "no"));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = event(&line);
            let _ = list(&line);
            let _ = failure(StatusCode::OK, &line);
        }
    }
}
