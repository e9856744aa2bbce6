//! From what a request, a library or a file system reports to its meaning.

use std::io;

use object_store::client::HttpError;

use super::{Cause, Location, StoreError};
use crate::store::http::{FailureKind, Reply, RequestFailure, causes};

impl StoreError {
    /// The meaning of a failed request.
    pub(in crate::store) fn from_failure(
        failure: RequestFailure,
        location: Location,
        action: &'static str,
    ) -> Self {
        let (kind, is_transient) = (failure.kind, failure.is_transient());
        let reply = failure.reply.as_deref().cloned().unwrap_or_default();
        let cause = Cause::new(failure.to_string(), failure);
        match kind {
            FailureKind::Connect | FailureKind::Stalled | FailureKind::Broken => {
                Self::Unreachable { location, cause }
            }
            FailureKind::Tls => Self::Untrusted { location, cause },
            FailureKind::Credentials => Self::BadCredentials {
                location,
                cause,
                passing: false,
            },
            FailureKind::Foreign => Self::Foreign { location, cause },
            FailureKind::Protocol => Self::Refused {
                location,
                action,
                cause,
            },
            FailureKind::Status if is_transient => Self::Busy { location, cause },
            FailureKind::Status => Self::from_reply(reply, location, action, cause),
        }
    }

    fn from_reply(reply: Reply, location: Location, action: &'static str, cause: Cause) -> Self {
        let code = reply.code.as_deref().unwrap_or_default();
        match (reply.status.as_u16(), code) {
            (_, "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted") => {
                Self::NoContainer { location, cause }
            }
            (_, "ExpiredToken" | "TokenRefreshRequired" | "RequestTimeTooSkewed") => {
                Self::BadCredentials {
                    location,
                    cause,
                    passing: true,
                }
            }
            (301 | 307 | 400, _) if reply.region.is_some() => Self::WrongRegion {
                location,
                region: reply.region.unwrap_or_default(),
                cause,
            },
            (401, _)
            | (
                _,
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "InvalidToken"
                | "NotSignedUp"
                | "AuthorizationHeaderMalformed"
                | "InvalidSecurity"
                | "AuthenticationFailed"
                | "InvalidAuthenticationInfo"
                | "KeyBasedAuthenticationNotPermitted",
            ) => Self::BadCredentials {
                location,
                cause,
                passing: false,
            },
            (403, _) => Self::Denied {
                location,
                cause,
                also: match action {
                    "reading" | "looking" => {
                        ", and check that it exists: callers who may not list get this answer for a missing object"
                    }
                    _ => "",
                },
            },
            (404, _) => Self::NotFound { location, cause },
            (412, _) => Self::Changed { location },
            _ => Self::Refused {
                location,
                action,
                cause,
            },
        }
    }

    /// The meaning of a library's error: the failed request inside it, or else its own words.
    pub(in crate::store) fn from_library(
        error: object_store::Error,
        location: Location,
        action: &'static str,
    ) -> Self {
        if let Some(failure) = RequestFailure::within(&error) {
            return Self::from_failure(failure.clone(), location, action);
        }
        // The request succeeded, and its answer lacks what every store of the kind gives.
        let is_foreign = matches!(error, object_store::Error::Generic { .. });
        let cause = Cause::new(causes(&error), error);
        if is_foreign {
            return Self::Foreign { location, cause };
        }
        Self::Refused {
            location,
            action,
            cause,
        }
    }

    /// The meaning of an error that our transport gave.
    pub(in crate::store) fn from_transport(
        error: HttpError,
        location: Location,
        action: &'static str,
    ) -> Self {
        match RequestFailure::within(&error) {
            Some(failure) => Self::from_failure(failure.clone(), location, action),
            None => Self::Refused {
                location,
                action,
                cause: Cause::new(causes(&error), error),
            },
        }
    }

    /// The meaning of a file system's error.
    pub(in crate::store) fn from_io(
        error: io::Error,
        location: Location,
        action: &'static str,
    ) -> Self {
        let kind = error.kind();
        let cause = Cause::new(error.to_string(), error);
        match kind {
            io::ErrorKind::NotFound => Self::NotFound { location, cause },
            io::ErrorKind::PermissionDenied => Self::Denied {
                location,
                cause,
                also: "",
            },
            _ => Self::Refused {
                location,
                action,
                cause,
            },
        }
    }

    /// The same while writing, where a missing directory means a missing container.
    pub(in crate::store) fn from_io_write(error: io::Error, location: Location) -> Self {
        match Self::from_io(error, location, "writing") {
            Self::NotFound { location, cause } => Self::NoContainer { location, cause },
            other => other,
        }
    }
}
