//! The error document (spec §3.10): a `core.ErrorDocument` beside the outputs.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use super::failure::{Failure, FailureOrigin, Recoverability};
use crate::idl::{
    ContainerError, ErrorDocument, Message as _, container_error, execution_error::ErrorKind,
};

/// The name that the platform reads, and the name that the reference writes (spec §2.5). We write both,
/// so every generation of the platform finds it.
const NAMES: [&str; 2] = ["error.pb", "errors.pb"];

/// The longest message in a document, in bytes. The platform reads documents of up to 2 MiB (spec §2.5)
/// and shows nothing of a larger one; the rest is for code, worker and framing.
const LONGEST_MESSAGE: usize = (2 << 20) - (64 << 10);

/// The longest code or worker name, in bytes.
const LONGEST_WORD: usize = 1 << 10;

/// When and where a failure happened: fields that only the first generation of the IDL has. The second
/// ignores them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The time.
    pub at: SystemTime,
    /// The host's name, which is the pod's; empty if it is unknown.
    pub worker: String,
}

impl Occurrence {
    /// Now, on this host.
    #[must_use]
    pub fn here_and_now() -> Self {
        let name = rustix::system::uname();
        Self {
            at: SystemTime::now(),
            worker: name.nodename().to_string_lossy().into_owned(),
        }
    }
}

/// The object names of the document under the output prefix; `given` is `--err-output-name`.
#[must_use]
pub fn document_names(given: Option<&str>) -> Vec<&str> {
    given.map_or_else(|| NAMES.to_vec(), |name| vec![name])
}

/// The document's bytes, never more than the platform reads.
#[must_use]
pub fn document(failure: &Failure, occurrence: &Occurrence) -> Vec<u8> {
    let kind = match failure.kind {
        Recoverability::Recoverable => container_error::Kind::Recoverable,
        Recoverability::NonRecoverable => container_error::Kind::NonRecoverable,
    };
    let origin = match failure.origin {
        FailureOrigin::Unknown => ErrorKind::Unknown,
        FailureOrigin::User => ErrorKind::User,
        FailureOrigin::System => ErrorKind::System,
    };
    let error = ContainerError {
        code: at_most(&failure.code, LONGEST_WORD).into_owned(),
        message: at_most(&failure.message, LONGEST_MESSAGE).into_owned(),
        kind: kind.into(),
        origin: origin.into(),
        timestamp: timestamp(occurrence.at),
        worker: at_most(&occurrence.worker, LONGEST_WORD).into_owned(),
    };
    ErrorDocument { error: Some(error) }.encode_to_vec()
}

/// None before 1970: such a time comes from a clock that was never set.
fn timestamp(at: SystemTime) -> Option<prost_types::Timestamp> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    Some(prost_types::Timestamp {
        seconds: i64::try_from(since.as_secs()).ok()?,
        nanos: i32::try_from(since.subsec_nanos()).ok()?,
    })
}

/// A text, or its beginning and how much was left out.
pub(super) fn at_most(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return text.into();
    }
    // Room for the note itself.
    let end = text.floor_char_boundary(limit.saturating_sub(64));
    format!("{}… ({} bytes left out)", &text[..end], text.len() - end).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::idl::decode_error_document;

    fn failure(message: String) -> Failure {
        Failure {
            code: "OOMKilled".into(),
            message,
            kind: Recoverability::Recoverable,
            origin: FailureOrigin::User,
        }
    }

    fn occurrence(at: SystemTime) -> Occurrence {
        Occurrence {
            at,
            worker: "pod-1".to_owned(),
        }
    }

    fn error(bytes: &[u8]) -> ContainerError {
        decode_error_document(bytes).unwrap().error.unwrap()
    }

    #[test]
    fn a_document_says_what_the_failure_says() {
        let at = UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        let failure = failure("main was killed".to_owned());
        let error = error(&document(&failure, &occurrence(at)));
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("OOMKilled", "main was killed")
        );
        assert_eq!((error.kind, error.origin), (1, 1));
        assert_eq!(Failure::from_document(error.clone()), failure);
        let timestamp = error.timestamp.unwrap();
        assert_eq!((timestamp.seconds, timestamp.nanos), (1_700_000_000, 5));
        assert_eq!(error.worker, "pod-1");
    }

    #[test]
    fn the_platform_can_read_every_document() {
        for (length, whole) in [
            (100, true),
            (1 << 20, true),
            (3 << 20, false),
            (9 << 20, false),
        ] {
            let message = "ü".repeat(length / 2);
            let failure = failure(message.clone());
            let bytes = document(&failure, &occurrence(SystemTime::now()));
            assert!(bytes.len() < 2 << 20, "{}", bytes.len());
            let error = error(&bytes);
            assert_eq!(error.message == message, whole, "{length}");
            assert_eq!(error.message.ends_with(" bytes left out)"), !whole);
        }
    }

    #[test]
    fn a_clock_that_was_never_set_says_nothing() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        let error = error(&document(&failure(String::new()), &occurrence(before)));
        assert_eq!(error.timestamp, None);
    }

    #[test]
    fn one_name_if_given_else_both() {
        assert_eq!(document_names(None), ["error.pb", "errors.pb"]);
        assert_eq!(document_names(Some("bad.pb")), ["bad.pb"]);
    }
}
