//! From what a request or the library reports to its meaning: the store's own code first, then the status.

use object_store::client::HttpError;

use super::{Cause, Location, StoreError};
use crate::store::code::Meaning;
use crate::store::http::{FailureKind, Reply, RequestFailure, causes};

/// What to do about a refusal of rights that says no more.
const GRANT: &str = "Grant these credentials access to this object";

/// Seconds by which clocks may differ; S3 and Azure allow fifteen minutes. A refused signature whose time
/// differs by more is the clock's fault, whatever the code says.
const SKEW: u64 = 900;

impl StoreError {
    /// The meaning of a failed request.
    pub(in crate::store) fn from_failure(
        failure: RequestFailure,
        location: Location,
        action: &'static str,
    ) -> Self {
        let (kind, is_transient) = (failure.kind, failure.is_transient());
        let answered = failure.reply.is_some();
        let reply = failure.reply.as_deref().cloned().unwrap_or_default();
        let cause = Cause::new(failure.to_string(), failure);
        match kind {
            FailureKind::Connect | FailureKind::Stalled | FailureKind::Broken => {
                Self::Unreachable { location, cause }
            }
            FailureKind::Tls => Self::Untrusted { location, cause },
            // The service that gives them answered, and may do better later.
            FailureKind::Credentials => Self::BadCredentials {
                location,
                cause,
                advice: "",
                passing: answered && reply.is_transient(),
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
        let far = reply.ahead.is_some_and(|ahead| ahead.unsigned_abs() > SKEW);
        match reply.meaning() {
            Some(Meaning::Transient | Meaning::Throttled) => Self::Busy { location, cause },
            Some(Meaning::NoContainer) => Self::NoContainer { location, cause },
            Some(Meaning::Missing) => Self::NotFound { location, cause },
            Some(Meaning::UploadLost) => Self::UploadLost { location, cause },
            Some(Meaning::ChecksumWanted) => Self::ChecksumWanted { location, cause },
            Some(Meaning::Clock) => Self::clock(&reply, location, cause),
            Some(Meaning::BadCredentials(_)) if far => Self::clock(&reply, location, cause),
            Some(Meaning::Expired) => Self::BadCredentials {
                location,
                cause,
                advice: "",
                passing: true,
            },
            Some(Meaning::Elsewhere) => Self::elsewhere(reply, location, cause),
            // The signature names a region, and the store another one. With other codes the region is that of
            // the bucket, which S3 sends with any answer.
            Some(Meaning::BadCredentials(_))
                if reply.region.is_some()
                    && reply.code.as_deref() == Some("AuthorizationHeaderMalformed") =>
            {
                Self::elsewhere(reply, location, cause)
            }
            Some(Meaning::BadCredentials(advice)) => Self::BadCredentials {
                location,
                cause,
                advice,
                passing: false,
            },
            Some(Meaning::Denied(advice)) => {
                let key = reply
                    .message
                    .as_deref()
                    .is_some_and(|said| said.contains("kms:"));
                let advice = if key {
                    "Grant these credentials the use of the bucket's encryption key (kms:Decrypt, \
                     kms:GenerateDataKey)"
                } else {
                    advice
                };
                Self::denied(location, action, cause, advice)
            }
            Some(Meaning::State(state)) => Self::State {
                location,
                what: state.what,
                cause,
                advice: state.advice,
                passes: state.passes,
                of_platform: state.of_platform,
            },
            Some(Meaning::Final) | None => Self::from_status(reply, location, action, cause),
        }
    }

    fn from_status(reply: Reply, location: Location, action: &'static str, cause: Cause) -> Self {
        match reply.status.as_u16() {
            // Redirects of the web are followed where they can be.
            300..=399 if !location.is_web => Self::elsewhere(reply, location, cause),
            // In answer to HEAD, S3 sends a status only.
            400 if reply.region.is_some() && reply.code.is_none() => {
                Self::elsewhere(reply, location, cause)
            }
            401 => Self::BadCredentials {
                location,
                cause,
                advice: "",
                passing: false,
            },
            403 => Self::denied(location, action, cause, GRANT),
            404 => Self::NotFound { location, cause },
            412 => Self::Changed { location },
            413 => Self::State {
                location,
                what: "the store, or a proxy before it, takes no request of this size",
                cause,
                advice: "Raise its limit on request bodies (nginx: client_max_body_size)",
                passes: false,
                of_platform: true,
            },
            _ => Self::Refused {
                location,
                action,
                cause,
            },
        }
    }

    fn clock(reply: &Reply, location: Location, cause: Cause) -> Self {
        Self::Clock {
            location,
            cause,
            ahead: reply.ahead,
        }
    }

    fn elsewhere(reply: Reply, location: Location, cause: Cause) -> Self {
        match reply.region {
            Some(region) => Self::WrongRegion {
                location,
                region,
                cause,
            },
            None => Self::Elsewhere {
                location,
                address: reply.location.or(reply.endpoint),
                cause,
            },
        }
    }

    fn denied(
        location: Location,
        action: &'static str,
        cause: Cause,
        advice: &'static str,
    ) -> Self {
        let advice = if location.is_web {
            // The task chose the address; the server's owner decides who may read it.
            "Check the address; if it is signed, its signature may have ended, so make a new one"
                .to_owned()
        } else if matches!(action, "reading" | "looking") {
            format!(
                "{advice}, and check that it exists: callers who may not list get this answer for a missing \
                 object"
            )
        } else {
            advice.to_owned()
        };
        Self::Denied {
            location,
            cause,
            advice,
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
}

#[cfg(test)]
mod tests;
