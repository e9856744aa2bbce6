//! How a request failed in the end: one type for every store and for credentials.
//!
//! `object_store` wraps what a transport returns several layers deep. This type travels inside, and a walk
//! along the chain of sources finds it again: so errors are judged by meaning and never by matching
//! texts. Callers: all of `store`.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::redaction::RequestSecrets;
use super::reply::Reply;
use crate::limits;
use crate::store::code::Meaning;

/// What went wrong, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection: refused, unreachable, or an unknown host.
    Connect,
    /// The peer's certificate or the handshake was refused.
    Tls,
    /// No progress for the stall timeout.
    Stalled,
    /// The connection broke under the request or the body.
    Broken,
    /// The server answered with a status other than success.
    Status,
    /// The request could not be authorized: the credentials could not be fetched.
    Credentials,
    /// The request could not be built, or the response does not follow the protocol.
    Protocol,
    /// The answer comes from something other than the intended server.
    Foreign,
}

/// The last error of a request, with what was tried.
#[derive(Clone, Debug)]
pub struct RequestFailure {
    /// What went wrong.
    pub kind: FailureKind,
    /// The cause in full, one line.
    pub message: String,
    /// What the server said, if it answered.
    pub reply: Option<Box<Reply>>,
    /// Attempts made, and the time they took.
    pub tried: Option<(u32, Duration)>,
}

/// Longest part of an error body that is read and shown.
pub(super) const ERROR_BODY_LIMIT: usize = 8 * 1024;

impl RequestFailure {
    /// A failure before any answer.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            reply: None,
            tried: None,
        }
    }

    /// An unsuccessful answer; `body` is its body, cut to a few KiB. `secrets` are those of the request.
    pub(super) fn from_answer(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        secrets: &RequestSecrets,
    ) -> Self {
        let reply = Reply::read(status, headers, body, secrets);
        Self {
            message: reply.to_string(),
            reply: Some(Box::new(reply)),
            ..Self::new(FailureKind::Status, "")
        }
    }

    /// The same for a request without secrets.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(in crate::store) fn from_response(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        Self::from_answer(status, headers, body, &RequestSecrets::default())
    }

    /// The failure of the transport below us.
    pub(super) fn from_transport(error: &reqwest::Error) -> Self {
        let kind = if has_source::<rustls::Error>(error) {
            FailureKind::Tls
        } else if is_not_http(error) {
            FailureKind::Foreign
        } else if error.is_connect() {
            FailureKind::Connect
        } else if error.is_builder() || error.is_redirect() {
            FailureKind::Protocol
        } else if error.is_timeout() {
            FailureKind::Stalled
        } else {
            FailureKind::Broken
        };
        let mut message = causes(error);
        let io = chain(error).find_map(<dyn std::error::Error>::downcast_ref::<std::io::Error>);
        if let Some(advice) = io.and_then(limits::advice) {
            message.push_str(". ");
            message.push_str(&advice);
        }
        Self::new(kind, message)
    }

    /// Whether sending the same request again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.kind {
            FailureKind::Connect | FailureKind::Stalled | FailureKind::Broken => true,
            FailureKind::Tls
            | FailureKind::Credentials
            | FailureKind::Protocol
            | FailureKind::Foreign => false,
            FailureKind::Status => self.answer().is_some_and(Reply::is_transient),
        }
    }

    /// Whether nothing was answered: the host may be away.
    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Connect | FailureKind::Stalled | FailureKind::Broken
        )
    }

    /// Whether the request may have had its effect: only the answer is missing, or the server, or a
    /// proxy, gave up in the middle.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self.kind {
            FailureKind::Stalled | FailureKind::Broken => true,
            FailureKind::Status => self.answer().is_some_and(Reply::is_ambiguous),
            _ => false,
        }
    }

    /// Whether the server refuses credentials that were good before.
    #[must_use]
    pub fn is_expiry(&self) -> bool {
        self.answer().is_some_and(|reply| {
            reply.status == StatusCode::UNAUTHORIZED
                || reply.meaning() == Some(Meaning::Expired)
                // In answer to HEAD, S3 sends a status only.
                || reply.status == StatusCode::BAD_REQUEST && reply.code.is_none()
        })
    }

    /// Whether the server wants fewer requests at once.
    #[must_use]
    pub fn asks_for_less(&self) -> bool {
        self.answer().is_some_and(Reply::asks_for_less)
    }

    /// What the server said to this request. A failure to get credentials keeps the answer of the service that
    /// gives them, which says nothing of the store.
    fn answer(&self) -> Option<&Reply> {
        self.reply
            .as_deref()
            .filter(|_| self.kind == FailureKind::Status)
    }

    /// The status, if the server answered.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.reply.as_ref().map(|reply| reply.status)
    }

    /// Finds the failure that a chain of errors carries.
    pub fn within<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |error| error.source())
            .find_map(|error| error.downcast_ref())
    }
}

impl std::fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match self.tried {
            Some((attempts, took)) if attempts > 1 => {
                write!(f, " ({attempts} attempts in {:.1} s)", took.as_secs_f32())
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for RequestFailure {}

/// The messages of an error and its sources in one line, without repetition.
pub(in crate::store) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        let text = cause.to_string();
        if !line.contains(text.trim()) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(text.trim());
        }
    }
    line
}

/// Whether the answer is not HTTP: something else listens there, and will when we ask again.
fn is_not_http(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|error| {
        let error: Option<&hyper::Error> = error.downcast_ref();
        error.is_some_and(hyper::Error::is_parse)
    })
}

fn has_source<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(<dyn std::error::Error>::is::<E>)
}

/// An error and its sources.
fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| match error.downcast_ref() {
        // An I/O error hides what it wraps: its `source` is the source of the wrapped error.
        Some(io) => std::io::Error::get_ref(io).map(|inner| inner as &dyn std::error::Error),
        None => error.source(),
    })
}
