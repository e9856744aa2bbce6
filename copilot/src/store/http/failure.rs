//! How a request failed in the end: one type for every store and for credentials.
//!
//! `object_store` wraps what a transport returns several layers deep. This type travels inside, and a walk
//! along the chain of sources finds it again: so errors are judged by meaning and never by matching
//! texts. Callers: all of `store`.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

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

/// The parts of an unsuccessful answer that matter.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The store's own error code, e.g. `NoSuchBucket`.
    pub code: Option<String>,
    /// How long the server asked us to wait.
    pub retry_after: Option<Duration>,
    /// The region that the bucket lives in.
    pub region: Option<String>,
    /// Where the answer sends us.
    pub location: Option<String>,
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

    /// An unsuccessful answer; `body` is its body, cut to a few KiB.
    pub(in crate::store) fn from_response(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let body = String::from_utf8_lossy(body);
        // An answer to HEAD has no body; Azure repeats the code here.
        let code = element(&body, "Code").or_else(|| header("x-ms-error-code"));
        let mut message = format!("HTTP {status}");
        if let Some(code) = &code {
            let _ = write!(message, ", {code}");
        }
        match element(&body, "Message") {
            Some(text) => {
                let _ = write!(message, ": {text}");
            }
            None if code.is_none() && !body.trim().is_empty() => {
                let first: String = body.trim().chars().take(200).collect();
                let _ = write!(message, ": {}", first.escape_default());
            }
            None => {}
        }
        if let Some(id) = header("x-amz-request-id") {
            let _ = write!(message, " (request {id})");
        }
        let retry_after = header("retry-after")
            .and_then(|value| super::retry::retry_after(&value, header("date").as_deref()));
        Self {
            reply: Some(Box::new(Reply {
                status,
                code,
                retry_after,
                region: header("x-amz-bucket-region").or_else(|| element(&body, "Region")),
                location: header("location"),
            })),
            ..Self::new(FailureKind::Status, message)
        }
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
        Self::new(kind, causes(error))
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
            FailureKind::Status => self.reply.as_ref().is_some_and(|reply| {
                // The last two say that the bytes were damaged on their way.
                let by_code = matches!(
                    reply.code.as_deref(),
                    Some(
                        "InternalError"
                            | "RequestTimeout"
                            | "ServiceUnavailable"
                            | "BadDigest"
                            | "XAmzContentSHA256Mismatch"
                    )
                );
                by_code
                    || self.asks_for_less()
                    || matches!(
                        reply.status.as_u16(),
                        408 | 425 | 429 | 500 | 502 | 503 | 504
                    )
            }),
        }
    }

    /// Whether the request may have had its effect: only the answer is missing, or the server, or a
    /// proxy, gave up in the middle.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self.kind {
            FailureKind::Stalled | FailureKind::Broken => true,
            FailureKind::Status => {
                matches!(self.status().map(|s| s.as_u16()), Some(500 | 502 | 504))
            }
            _ => false,
        }
    }

    /// Whether the server refuses credentials that were good before.
    #[must_use]
    pub fn is_expiry(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| {
            let code = reply.code.as_deref();
            reply.status == StatusCode::UNAUTHORIZED
                || matches!(code, Some("ExpiredToken" | "TokenRefreshRequired"))
                // In answer to HEAD, S3 sends a status only.
                || reply.status == StatusCode::BAD_REQUEST && code.is_none()
        })
    }

    /// Whether the server wants fewer requests at once.
    #[must_use]
    pub fn asks_for_less(&self) -> bool {
        const CODES: [&str; 6] = [
            "SlowDown",
            "ServerBusy",
            "RequestLimitExceeded",
            "Throttling",
            "ThrottlingException",
            "TooManyRequests",
        ];
        self.reply.as_ref().is_some_and(|reply| {
            // An answer to HEAD has a status only.
            let by_status = matches!(reply.status.as_u16(), 429 | 503);
            by_status
                || reply
                    .code
                    .as_deref()
                    .is_some_and(|code| CODES.contains(&code))
        })
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

/// The text of the first element `name` in a small XML error document, on one line.
fn element(body: &str, name: &str) -> Option<String> {
    let (_, after) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = after.split_once(&format!("</{name}>"))?;
    let text = quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), Into::into);
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ")).filter(|text| !text.is_empty())
}
