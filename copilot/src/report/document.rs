//! The error document (spec §3.10): `core.ErrorDocument`, beside the outputs.

use super::failure::{Failure, Kind, Origin};
use crate::idl::{
    ContainerError, ErrorDocument, Message as _, container_error, execution_error::ErrorKind,
};

/// The name that the platform reads, and the name that the reference writes (spec §2.5): both, so
/// that no generation misses it.
const NAMES: [&str; 2] = ["error.pb", "errors.pb"];

/// The object names of the document under the output prefix; `given` is `--err-output-name`.
#[must_use]
pub fn document_names(given: Option<&str>) -> Vec<&str> {
    given.map_or_else(|| NAMES.to_vec(), |name| vec![name])
}

/// The document's bytes.
#[must_use]
pub fn document(failure: &Failure) -> Vec<u8> {
    let kind = match failure.kind {
        Kind::Recoverable => container_error::Kind::Recoverable,
        Kind::NonRecoverable => container_error::Kind::NonRecoverable,
    };
    let origin = match failure.origin {
        Origin::Unknown => ErrorKind::Unknown,
        Origin::User => ErrorKind::User,
        Origin::System => ErrorKind::System,
    };
    let error = ContainerError {
        code: failure.code.to_owned(),
        message: failure.message.clone(),
        kind: kind.into(),
        origin: origin.into(),
        ..ContainerError::default()
    };
    ErrorDocument { error: Some(error) }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idl::decode_error_document;

    #[test]
    fn a_document_says_what_the_failure_says() {
        let failure = Failure {
            code: "OOMKilled",
            message: "main was killed".to_owned(),
            kind: Kind::Recoverable,
            origin: Origin::User,
        };
        let document = decode_error_document(document(&failure).as_slice()).unwrap();
        let error = document.error.unwrap();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("OOMKilled", "main was killed")
        );
        assert_eq!((error.kind, error.origin), (1, 1));
    }

    #[test]
    fn one_name_if_given_else_both() {
        assert_eq!(document_names(None), ["error.pb", "errors.pb"]);
        assert_eq!(document_names(Some("bad.pb")), ["bad.pb"]);
    }
}
