//! Parses the API server's answers: a list of one pod, an event of a watch, a failure.
//!
//! `kube-core` has a type for events, but its parser buffers the object until it knows the kind of
//! event, in many times the size of the text. Here the object stays text until the kind is known, so
//! the length of a line bounds the memory.

use http::StatusCode;
use kube_core::{Status, WatchEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::pod::{Pod, few};

/// The longest failure or bookmark, and the longest body of a refusal that we read.
pub const SHORT: usize = 64 * 1024;

/// The most objects in the JSON of an answer, however deep. An empty one takes two bytes of text and some
/// hundred of memory; the largest pods have some ten thousand.
const MOST_OBJECTS: usize = 100_000;

/// How many characters to show of a body that is not a status of the API.
const SHOWN: usize = 200;

/// Why an answer cannot be parsed.
#[derive(Debug, Error)]
pub enum EventError {
    /// The answer is not the JSON that we expect.
    #[error("the server's answer cannot be read")]
    Json(#[from] serde_json::Error),
    /// The API does not have such a type of event.
    #[error("the server sent an event of an unknown type, {0:?}")]
    UnknownType(String),
    /// A failure or bookmark is too long.
    #[error("the server sent an event of type {kind} with more than {SHORT} bytes")]
    TooLong {
        /// The type of the event.
        kind: String,
    },
    /// It would take too much memory.
    #[error(
        "the server sent an answer with more than {MOST_OBJECTS} JSON objects, and a pod never has as many"
    )]
    Crowded,
}

#[derive(Deserialize)]
struct WatchLine<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Parses one line of a watch.
pub fn event(line: &[u8]) -> Result<WatchEvent<Pod>, EventError> {
    check_objects(line)?;
    let WatchLine { kind, object } = serde_json::from_slice(line)?;
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
pub struct PodList {
    /// The list's own metadata.
    #[serde(default)]
    pub metadata: ListMeta,
    /// The pods.
    #[serde(default, deserialize_with = "few")]
    pub items: Vec<Pod>,
}

/// The metadata of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// The version of the list.
    pub resource_version: Option<String>,
}

/// Parses a list of pods.
pub fn list(body: &[u8]) -> Result<PodList, EventError> {
    check_objects(body)?;
    Ok(serde_json::from_slice(body)?)
}

/// Counts the objects outside of texts, before they are parsed.
fn check_objects(json: &[u8]) -> Result<(), EventError> {
    let (mut objects, mut is_text, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'{' if !is_text => objects += 1,
            _ => {}
        }
    }
    if objects > MOST_OBJECTS {
        return Err(EventError::Crowded);
    }
    Ok(())
}

/// The status in an answer that is not a success. It may come from a proxy, which does not know
/// Kubernetes' format.
pub fn failure(code: StatusCode, body: &[u8]) -> Status {
    let is_short = body.len() <= SHORT;
    if let Some(mut status) = is_short
        .then(|| serde_json::from_slice::<Status>(body).ok())
        .flatten()
    {
        if status.code == 0 {
            status.code = code.as_u16();
        }
        return status;
    }
    let text = String::from_utf8_lossy(body);
    let text: String = text.trim().chars().take(SHOWN).collect();
    let text = text.escape_debug().to_string();
    let reason = code.canonical_reason().unwrap_or("unknown status");
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
    fn a_line_that_is_not_an_event_is_an_error() {
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
    fn a_pod_of_too_many_objects_is_refused_before_it_is_parsed() {
        let pod = |mounts: usize, containers: usize| {
            let mounts = vec!["{}"; mounts].join(",");
            let container = format!(r#"{{"volumeMounts": [{mounts}]}}"#);
            let containers = vec![container; containers].join(",");
            format!(r#"{{"metadata": {{}}, "spec": {{"containers": [{containers}]}}}}"#)
        };
        let event_of =
            |pod: &str| event(format!(r#"{{"type": "ADDED", "object": {pod}}}"#).as_bytes());
        assert!(event_of(&pod(500, 190)).is_ok());
        let refused = event_of(&pod(500, 210)).expect_err("it is too large");
        assert!(matches!(refused, EventError::Crowded), "{refused}");
        let refused = list(format!(r#"{{"items": [{}]}}"#, pod(500, 210)).as_bytes());
        assert!(matches!(refused, Err(EventError::Crowded)), "{refused:?}");
        // Braces in a text are no objects.
        let text = "{\\\"".repeat(200_000);
        assert!(
            event_of(&format!(
                r#"{{"metadata": {{"name": "{text}"}}, "spec": {{}}}}"#
            ))
            .is_ok()
        );
    }

    #[test]
    fn an_empty_list_may_be_null_or_missing() {
        for text in [r#"{"items": []}"#, r#"{"items": null}"#, "{}"] {
            assert!(list(text.as_bytes()).expect(text).items.is_empty());
        }
        let text = format!(r#"{{"metadata": {{"resourceVersion": "8"}}, "items": [{POD}]}}"#);
        let read = list(text.as_bytes()).expect("it is a list");
        assert_eq!(read.metadata.resource_version.as_deref(), Some("8"));
        assert_eq!(read.items.len(), 1);
    }

    #[test]
    fn the_message_of_a_proxys_refusal_is_shown() {
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
