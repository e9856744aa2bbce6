//! `failure.json`: why a run failed, and how main ended.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::main_end::MainEnd;
use super::{TreeDocumentError, written_at};
use crate::report::document::at_most;
use crate::report::{Failure, FailureOrigin, Occurrence, Recoverability};

const FAMILY: &str = "copilot-failure/";
const FORMAT: &str = "copilot-failure/1";

/// The longest message, in bytes.
const LONGEST_MESSAGE: usize = 1 << 20;

/// The longest code or worker name, in bytes.
const LONGEST_WORD: usize = 1 << 10;

/// What is read of a `failure.json`. The rest is for people.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct TreeFailure {
    /// The host that wrote it: the pod's name in Kubernetes.
    pub worker: String,
    error: ErrorText<'static>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ErrorText<'a> {
    code: Cow<'a, str>,
    message: Cow<'a, str>,
    kind: KindText,
    origin: OriginText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindText {
    Recoverable,
    NonRecoverable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OriginText {
    Unknown,
    User,
    System,
}

impl TreeFailure {
    /// The text of `failure.json`.
    ///
    /// # Errors
    /// Never in practice: it writes texts and numbers into memory.
    pub fn document(
        failure: &Failure,
        main: &MainEnd,
        occurrence: &Occurrence,
    ) -> Result<Bytes, serde_json::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            format: &'a str,
            outcome: &'a str,
            written_at: &'a str,
            worker: &'a str,
            main: &'a MainEnd,
            error: ErrorText<'a>,
        }
        let mut text = serde_json::to_vec_pretty(&Document {
            format: FORMAT,
            outcome: "failed",
            written_at: &written_at(occurrence.at),
            worker: &at_most(&occurrence.worker, LONGEST_WORD),
            main,
            error: ErrorText {
                code: at_most(&failure.code, LONGEST_WORD),
                message: at_most(&failure.message, LONGEST_MESSAGE),
                kind: match failure.kind {
                    Recoverability::Recoverable => KindText::Recoverable,
                    Recoverability::NonRecoverable => KindText::NonRecoverable,
                },
                origin: match failure.origin {
                    FailureOrigin::Unknown => OriginText::Unknown,
                    FailureOrigin::User => OriginText::User,
                    FailureOrigin::System => OriginText::System,
                },
            },
        })?;
        text.push(b'\n');
        Ok(text.into())
    }

    /// Reads a `failure.json`; `None` if the text is something else.
    ///
    /// # Errors
    /// It says that it is such a document, and cannot be read as one.
    pub fn parse(text: &[u8]) -> Result<Option<Self>, TreeDocumentError> {
        super::read(text, FAMILY, FORMAT)
    }

    /// The failure that it reports.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let ErrorText {
            code,
            message,
            kind,
            origin,
        } = self.error;
        Failure {
            code,
            message: message.into_owned(),
            kind: match kind {
                KindText::Recoverable => Recoverability::Recoverable,
                KindText::NonRecoverable => Recoverability::NonRecoverable,
            },
            origin: match origin {
                OriginText::Unknown => FailureOrigin::Unknown,
                OriginText::User => FailureOrigin::User,
                OriginText::System => FailureOrigin::System,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};

    use super::*;

    fn occurrence() -> Occurrence {
        Occurrence {
            at: UNIX_EPOCH,
            worker: "train-x7".to_owned(),
        }
    }

    #[test]
    fn a_failure_is_read_as_it_was_written() {
        let main = MainEnd {
            end: "killed by signal 9 (SIGKILL)".to_owned(),
            exit_code: Some(137),
            watcher: "ebpf".to_owned(),
            containers: vec!["main".to_owned()],
        };
        for (kind, kind_word) in [
            (Recoverability::Recoverable, "recoverable"),
            (Recoverability::NonRecoverable, "non-recoverable"),
        ] {
            for (origin, origin_word) in [
                (FailureOrigin::Unknown, "unknown"),
                (FailureOrigin::User, "user"),
                (FailureOrigin::System, "system"),
            ] {
                let failure = Failure {
                    code: "Interrupted".into(),
                    message: "stopped\nby \"somebody\"".to_owned(),
                    kind,
                    origin,
                };
                let text = TreeFailure::document(&failure, &main, &occurrence()).unwrap();
                let shown: Value = serde_json::from_slice(&text).unwrap();
                assert_eq!(
                    shown,
                    json!({
                        "format": "copilot-failure/1",
                        "outcome": "failed",
                        "written_at": "1970-01-01T00:00:00Z",
                        "worker": "train-x7",
                        "main": {
                            "end": "killed by signal 9 (SIGKILL)",
                            "exit_code": 137,
                            "watcher": "ebpf",
                            "containers": ["main"],
                        },
                        "error": {
                            "code": "Interrupted",
                            "message": "stopped\nby \"somebody\"",
                            "kind": kind_word,
                            "origin": origin_word,
                        },
                    })
                );
                let read = TreeFailure::parse(&text).unwrap().unwrap();
                assert_eq!(read.worker, "train-x7");
                assert_eq!(read.into_failure(), failure);
            }
        }
    }

    #[test]
    fn a_document_of_a_long_message_can_be_read() {
        let failure = Failure::from_upload("\u{1}".repeat(3 << 20));
        let text = TreeFailure::document(&failure, &MainEnd::default(), &occurrence()).unwrap();
        assert!((text.len() as u64) < super::super::LARGEST_DOCUMENT);
        let read = TreeFailure::parse(&text).unwrap().unwrap().into_failure();
        assert!(read.message.ends_with("bytes left out)"));
        assert!(
            TreeFailure::parse(b"{\"message\": \"x\"}")
                .unwrap()
                .is_none()
        );
    }
}
