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
        let (Self::Denied { cause, .. } | Self::Refused { cause, .. }) = self else {
            return matches!(self, Self::NotFound { .. } | Self::Unsupported { .. });
        };
        if let Some(reply) = RequestFailure::within(cause).and_then(|it| it.reply.as_deref()) {
            let code = reply.code.as_deref().unwrap_or_default();
            // An archived object exists.
            let is_hidden = reply.status.as_u16() == 403 && code != "InvalidObjectState";
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
            | Self::Refused { location, .. } => location.object.push_str(&asked),
            Self::Unsupported { object, .. } => object.push_str(&asked),
            _ => {}
        }
        error
    }
}
