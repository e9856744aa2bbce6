//! From what a request, a library or a file system reports to its meaning.

use super::{Place, StoreError};
use crate::store::http::{Failure, FailureKind, Reply, causes};

impl StoreError {
    /// The meaning of a failed request.
    pub(in crate::store) fn of_failure(
        failure: &Failure,
        place: Place,
        action: &'static str,
    ) -> Self {
        let cause = failure.to_string();
        match failure.kind {
            FailureKind::Connect | FailureKind::Stalled | FailureKind::Broken => {
                Self::Unreachable { place, cause }
            }
            FailureKind::Tls => Self::Untrusted { place, cause },
            FailureKind::Credentials => Self::BadCredentials {
                place,
                cause,
                passing: false,
            },
            FailureKind::Foreign => Self::Foreign { place, cause },
            FailureKind::Protocol => Self::Refused {
                place,
                action,
                cause,
            },
            FailureKind::Status if failure.is_transient() => Self::Busy { place, cause },
            FailureKind::Status => {
                let reply = failure.reply.as_deref().cloned().unwrap_or_default();
                Self::of_reply(reply, place, action, cause)
            }
        }
    }

    fn of_reply(reply: Reply, place: Place, action: &'static str, cause: String) -> Self {
        let code = reply.code.as_deref().unwrap_or_default();
        match (reply.status.as_u16(), code) {
            (_, "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted") => {
                Self::NoContainer { place, cause }
            }
            (_, "ExpiredToken" | "TokenRefreshRequired" | "RequestTimeTooSkewed") => {
                Self::BadCredentials {
                    place,
                    cause,
                    passing: true,
                }
            }
            (301 | 307 | 400, _) if reply.region.is_some() => Self::WrongRegion {
                place,
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
                place,
                cause,
                passing: false,
            },
            (403, _) => Self::Denied {
                place,
                cause,
                also: match action {
                    "reading" | "looking" => {
                        ", and check that it is there: whoever may not list is told this of a missing one"
                    }
                    _ => "",
                },
            },
            (404, _) => Self::NotFound { place, cause },
            (412, _) => Self::Changed { place },
            _ => Self::Refused {
                place,
                action,
                cause,
            },
        }
    }

    /// The meaning of a library's error: the failed request inside it, or else its own words.
    pub(in crate::store) fn of_library(
        error: &object_store::Error,
        place: Place,
        action: &'static str,
    ) -> Self {
        if let Some(failure) = Failure::within(error) {
            return Self::of_failure(failure, place, action);
        }
        let cause = causes(error);
        match error {
            // The request succeeded, and its answer lacks what every store of the kind gives.
            object_store::Error::Generic { .. } => Self::Foreign { place, cause },
            _ => Self::Refused {
                place,
                action,
                cause,
            },
        }
    }

    /// The meaning of an error that our transport gave.
    pub(in crate::store) fn of_transport(
        error: &object_store::client::HttpError,
        place: Place,
        action: &'static str,
    ) -> Self {
        match Failure::within(error) {
            Some(failure) => Self::of_failure(failure, place, action),
            None => Self::Refused {
                place,
                action,
                cause: causes(error),
            },
        }
    }

    /// The meaning of a file system's error.
    pub(in crate::store) fn of_io(
        error: &std::io::Error,
        place: Place,
        action: &'static str,
    ) -> Self {
        let cause = error.to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { place, cause },
            std::io::ErrorKind::PermissionDenied => Self::Denied {
                place,
                cause,
                also: "",
            },
            _ => Self::Refused {
                place,
                action,
                cause,
            },
        }
    }

    /// The same while writing, where what does not exist is the container.
    pub(in crate::store) fn of_io_write(error: &std::io::Error, place: Place) -> Self {
        match Self::of_io(error, place, "writing") {
            Self::NotFound { place, cause } => Self::NoContainer { place, cause },
            other => other,
        }
    }
}
