//! Whether an object may be missing at one key, so that a reader looks at another one: a reference may
//! stand for two. Caller: `object`.

use std::error::Error as _;
use std::io;

use super::StoreError;
use crate::store::http::RequestFailure;

/// Codes of stores that refuse a key as such: no object can have it there.
const REFUSED_KEYS: [&str; 6] = [
    "InvalidObjectName",
    "InvalidResourceName",
    "InvalidURI",
    "InvalidUri",
    "KeyTooLongError",
    "XMinioInvalidObjectName",
];

impl StoreError {
    /// Whether no object of this key exists, as far as the store tells. A store that hides missing objects
    /// from callers who may not list them answers 403.
    pub(in crate::store) fn is_absence(&self) -> bool {
        let (Self::Denied { cause, .. } | Self::Refused { cause, .. } | Self::State { cause, .. }) =
            self
        else {
            return matches!(self, Self::NotFound { .. } | Self::Unsupported { .. });
        };
        if let Some(reply) = RequestFailure::within(cause).and_then(|it| it.reply.as_deref()) {
            let code = reply.code.as_deref().unwrap_or_default();
            // Other refusals with this status, as of an archived object, are about its state.
            let is_hidden = reply.status.as_u16() == 403 && matches!(self, Self::Denied { .. });
            return is_hidden || REFUSED_KEYS.contains(&code);
        }
        let source = cause.source().and_then(|it| it.downcast_ref::<io::Error>());
        source.is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::InvalidFilename
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::NotADirectory
            )
        })
    }

    /// The error of a reference with two keys: `self` is the answer for the second one, `first` that for the
    /// first. Its message names both.
    pub(in crate::store) fn after(self, first: Self, keys: [&str; 2]) -> Self {
        let mut error = match (&first, &self) {
            // The first object exists, if the store says 404 for those that do not.
            (Self::Denied { .. }, Self::NotFound { .. }) => first,
            _ => self,
        };
        let asked = format!(
            " (asked for the key {:?} as it stands, and for {:?} as a URL)",
            keys[0], keys[1]
        );
        match &mut error {
            Self::NotFound { location, .. }
            | Self::Denied { location, .. }
            | Self::State { location, .. }
            | Self::Refused { location, .. } => location.object.push_str(&asked),
            Self::Unsupported { object, .. } => object.push_str(&asked),
            _ => {}
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::store::error::{Cause, Location, StoreService};
    use crate::store::reference::Reference;

    static SERVICE: StoreService = StoreService {
        name: "S3",
        identity: "the keys",
    };

    fn location() -> Location {
        Location::new(&Reference::parse("s3://b/k").unwrap(), "store", &SERVICE)
    }

    fn told(status: u16, code: &str) -> StoreError {
        let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        let status = StatusCode::from_u16(status).unwrap();
        let failure = RequestFailure::from_response(status, &HeaderMap::new(), body.as_bytes());
        StoreError::from_failure(failure, location(), "reading")
    }

    fn local(kind: io::ErrorKind) -> StoreError {
        StoreError::Refused {
            location: location(),
            action: "reading",
            cause: Cause::new("no", io::Error::from(kind)),
        }
    }

    #[test]
    fn only_what_may_be_missing_is_looked_for_elsewhere() {
        for (status, code) in [
            (404, "NoSuchKey"),
            (403, "AccessDenied"),
            (400, "KeyTooLongError"),
            (400, "XMinioInvalidObjectName"),
        ] {
            assert!(told(status, code).is_absence(), "{status} {code}");
        }
        // The object may exist.
        for (status, code) in [
            (403, "InvalidObjectState"),
            (403, "InvalidAccessKeyId"),
            (404, "NoSuchBucket"),
            (400, "InvalidRequest"),
            (412, "PreconditionFailed"),
            (503, "SlowDown"),
        ] {
            assert!(!told(status, code).is_absence(), "{status} {code}");
        }
        assert!(local(io::ErrorKind::InvalidFilename).is_absence());
        assert!(!local(io::ErrorKind::Other).is_absence());
    }

    #[test]
    fn the_error_of_two_keys_names_both() {
        for (first, second, says) in [
            (404, 404, "does not exist"),
            (404, 403, "access denied"),
            (403, 403, "access denied"),
            (403, 404, "access denied"),
        ] {
            let error = told(second, "X").after(told(first, "X"), ["a%20b", "a b"]);
            let message = error.to_string();
            for part in [says, "\"a%20b\" as it stands", "\"a b\" as a URL"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
