//! One GET for bytes of an object over HTTP: what it asks for, and what its answer holds.
//!
//! Servers differ in what they understand, so a [`Question`] that is refused becomes a simpler one: first
//! without its condition, then without its range. An answer is used only at the place that it proves to
//! belong to (RFC 9110 §14, §15.3.7). Never here: sending; comparing versions. Callers: `bucket`, `web`.

use std::ops::Range;

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, response};
use object_store::client::{HttpRequest, HttpResponseBody};

use super::backend::Body;
use super::error::{Location, StoreError};
use super::http::{FailureKind, RequestFailure};
use super::version::{Version, single};

/// What a GET asks for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The bytes; to `u64::MAX` for all that follow. `None` for the whole object.
    range: Option<Range<u64>>,
    /// Only this version: the field, and the tag.
    condition: Option<(HeaderName, HeaderValue)>,
}

/// What the body of an answer holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) version: Version,
    /// Offset of its first byte: that of the range, or 0 for the whole object.
    pub(super) start: u64,
    /// Offset after its last byte, if the answer says it beforehand.
    pub(super) end: Option<u64>,
    /// Whether only the end of the connection marks its end.
    pub(super) ends_by_close: bool,
}

impl Content {
    /// The object's bytes in the body of the answer.
    pub(super) fn body(self, answer: HttpResponseBody, location: Location) -> Body {
        let broken = move |error| StoreError::from_transport(error, location.clone(), "reading");
        Body {
            version: self.version,
            start: self.start,
            end: self.end,
            ends_by_close: self.ends_by_close,
            stream: answer.bytes_stream().map_err(broken).boxed(),
        }
    }
}

impl Question {
    /// Asks for the object or a range of it; if `version` has a strong tag, for that version only, by the
    /// field `condition`.
    pub(super) fn new(
        range: Option<Range<u64>>,
        version: Option<&Version>,
        condition: HeaderName,
    ) -> Self {
        let tag = version.and_then(Version::condition);
        let tag = tag.and_then(|tag| HeaderValue::from_str(tag).ok());
        Self {
            range,
            condition: tag.map(|tag| (condition, tag)),
        }
    }

    /// Whether it asks for one version only.
    pub(super) fn is_conditional(&self) -> bool {
        self.condition.is_some()
    }

    /// The same question for any version.
    pub(super) fn for_any_version(self) -> Self {
        Self {
            condition: None,
            ..self
        }
    }

    /// Writes it into a request.
    pub(super) fn put_into(&self, request: &mut HttpRequest) -> Result<(), RequestFailure> {
        if let Some((name, tag)) = &self.condition {
            request.headers_mut().insert(name, tag.clone());
        }
        if let Some(range) = &self.range {
            let bytes = match range.end {
                u64::MAX => format!("bytes={}-", range.start),
                end => format!("bytes={}-{}", range.start, end.saturating_sub(1)),
            };
            let bytes = HeaderValue::from_str(&bytes);
            let bytes = bytes.map_err(|error| protocol(format!("a range: {error}")))?;
            request.headers_mut().insert(header::RANGE, bytes);
        }
        Ok(())
    }

    /// Which bytes of which version the answer holds.
    ///
    /// # Errors
    /// An answer that does not prove where its bytes belong, or that is not one to a GET.
    pub(super) fn content(&self, answer: &response::Parts) -> Result<Content, RequestFailure> {
        let headers = &answer.headers;
        // A coding of the transfer replaces the length (RFC 9112 §6.3).
        let is_coded = headers.contains_key(header::TRANSFER_ENCODING);
        let length = single(headers, &header::CONTENT_LENGTH).and_then(number);
        let length = length.filter(|_| !is_coded);
        match answer.status {
            StatusCode::OK => Ok(Content {
                version: Version::of_answer(headers, length),
                start: 0,
                end: length,
                ends_by_close: length.is_none() && !is_coded,
            }),
            StatusCode::PARTIAL_CONTENT => {
                let (range, size) = self.part(headers)?;
                if length.is_some_and(|length| length != range.end - range.start) {
                    return Err(protocol(
                        "a partial answer whose Content-Length is not that of its Content-Range",
                    ));
                }
                Ok(Content {
                    version: Version::of_answer(headers, size),
                    start: range.start,
                    end: Some(range.end),
                    ends_by_close: false,
                })
            }
            status => Err(protocol(format!("HTTP {status} where data was expected"))),
        }
    }

    /// The range of a partial answer, and the size of the whole object. The range begins where the
    /// question's begins and ends no later: a server may send less (RFC 9110 §14.2).
    fn part(&self, headers: &HeaderMap) -> Result<(Range<u64>, Option<u64>), RequestFailure> {
        let asked = self.range.clone().unwrap_or(0..u64::MAX);
        let text = single(headers, &header::CONTENT_RANGE)
            .ok_or_else(|| protocol("a partial answer without one Content-Range"))?;
        let (range, size) = content_range(text)
            .ok_or_else(|| protocol(format!("a partial answer of the range {text:?}")))?;
        let fits = range.start == asked.start && range.end <= asked.end;
        if !fits || size.is_some_and(|size| range.end > size) {
            let last = asked.end.saturating_sub(1);
            let asked = format!("{}-{last} was asked for", asked.start);
            return Err(protocol(format!(
                "a partial answer of {text:?} where {asked}"
            )));
        }
        Ok((range, size))
    }

    /// A question that a server may understand which refused this one.
    ///
    /// # Errors
    /// The failure, if a simpler question would fail as well.
    pub(super) fn simpler(self, failure: RequestFailure) -> Result<Self, RequestFailure> {
        let status = failure.status().map(|status| status.as_u16());
        let is_unusable = failure.kind == FailureKind::Protocol;
        let (range, condition) = (self.range, self.condition);
        match status {
            Some(400 | 412 | 416 | 501) if condition.is_some() => {
                tracing::debug!(reason = %failure, "asking for the same bytes without a condition");
                Ok(Self {
                    range,
                    condition: None,
                })
            }
            Some(416) if range.is_some() => Ok(Self::whole(&failure)),
            Some(400 | 412 | 501) if range.is_some() && is_about_the_range(&failure) => {
                Ok(Self::whole(&failure))
            }
            None if range.is_some() && is_unusable => Ok(Self::whole(&failure)),
            _ => Err(failure),
        }
    }

    fn whole(failure: &RequestFailure) -> Self {
        tracing::debug!(reason = %failure, "asking for the whole object");
        Self {
            range: None,
            condition: None,
        }
    }
}

/// Whether a refusal may be about the range: its code says nothing else, such as that our credentials are
/// wrong.
fn is_about_the_range(failure: &RequestFailure) -> bool {
    let code = failure
        .reply
        .as_ref()
        .and_then(|reply| reply.code.as_deref());
    matches!(
        code,
        None | Some(
            "InvalidArgument"
                | "InvalidHeaderValue"
                | "InvalidRange"
                | "InvalidRequest"
                | "NotImplemented"
                | "PreconditionFailed"
                | "UnsupportedHeader"
        )
    )
}

/// Reads `bytes FIRST-LAST/SIZE`, where the size may be `*`.
fn content_range(text: &str) -> Option<(Range<u64>, Option<u64>)> {
    let (unit, rest) = text.split_once(' ')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (range, size) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let size = match size {
        "*" => None,
        size => Some(number(size)?),
    };
    (first <= last).then_some((first..last.checked_add(1)?, size))
}

/// A number of digits only: `parse` takes a sign as well.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

fn protocol(message: impl Into<String>) -> RequestFailure {
    RequestFailure::new(FailureKind::Protocol, message)
}

#[cfg(test)]
mod tests;
