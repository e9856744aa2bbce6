//! What an unsuccessful answer says. Stores answer in XML, services that give credentials in JSON or XML, and
//! proxies in anything. Callers: `failure`, and `error`, which turns it into meaning.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use http::{HeaderMap, StatusCode};

use super::redaction::RequestSecrets;
use crate::store::code::{self, Meaning};

/// Longest part of a body without a code that is shown, in characters.
const EXCERPT: usize = 200;

/// The headers in which Azure and Google ask for a wait in milliseconds.
const MILLISECONDS: [&str; 2] = ["x-ms-retry-after-ms", "retry-after-ms"];

/// The parts of an unsuccessful answer that matter.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The store's own error code, e.g. `NoSuchBucket`.
    pub code: Option<String>,
    /// The store's own words.
    pub message: Option<String>,
    /// How long the server asked us to wait.
    pub retry_after: Option<Duration>,
    /// The region that the bucket lives in.
    pub region: Option<String>,
    /// Where the answer sends us.
    pub location: Option<String>,
    /// The host that S3 names in place of an address.
    pub endpoint: Option<String>,
    /// Seconds by which this machine's clock is ahead of the server's; negative if it is behind.
    pub ahead: Option<i64>,
    /// The store's id of the request.
    request_id: Option<String>,
    /// The beginning of a body that has no code.
    excerpt: Option<String>,
}

impl Reply {
    /// Reads an answer; `body` is its body, cut to a few KiB.
    ///
    /// Here the words of a stranger enter, so here the secrets that it may repeat go.
    pub(super) fn read(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        secrets: &RequestSecrets,
    ) -> Self {
        let header = |name: &str| Some(secrets.hide(headers.get(name)?.to_str().ok()?));
        let text = secrets.hide(&String::from_utf8_lossy(body));
        let said = Said::read(&text);
        // An answer to HEAD has no body; Azure and MinIO repeat the code here.
        let code = said.code.or_else(|| header("x-ms-error-code"));
        let code = code.or_else(|| header("x-minio-error-code"));
        let (location, endpoint) = (header("location"), element(&text, "Endpoint"));
        let region = header("x-amz-bucket-region").or_else(|| element(&text, "Region"));
        let elsewhere = location.as_deref().or(endpoint.as_deref());
        let region = region.or_else(|| region_in(elsewhere?));
        let date = header("date");
        let milliseconds = MILLISECONDS.iter().find_map(|name| header(name));
        let milliseconds = milliseconds.and_then(|text| text.trim().parse().ok());
        let shown = code.is_none() && said.message.is_none() && !text.trim().is_empty();
        Self {
            status,
            retry_after: milliseconds.map(Duration::from_millis).or_else(|| {
                header("retry-after").and_then(|value| retry_after(&value, date.as_deref()))
            }),
            region,
            location,
            endpoint,
            ahead: date
                .and_then(|date| httpdate::parse_http_date(date.trim()).ok())
                .or_else(|| server_time(&text))
                .and_then(|theirs| ahead_of(theirs, SystemTime::now())),
            request_id: header("x-amz-request-id").or_else(|| header("x-ms-request-id")),
            excerpt: shown.then(|| text.trim().chars().take(EXCERPT).collect()),
            code,
            // Base64 or percent signs may have stood behind XML's or JSON's own escapes.
            message: said.message.map(|message| secrets.hide(&message)),
        }
    }

    /// What the store's code means, if we know it. Some conditions have no code of their own.
    pub(in crate::store) fn meaning(&self) -> Option<Meaning> {
        let code = self.code.as_deref()?;
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        // S3 and its likes refuse uploads to a bucket with Object Lock by this text alone.
        let asks = message.contains("content-md5") || message.contains("x-amz-checksum");
        if code == "InvalidRequest" && asks && message.contains("required") {
            return Some(Meaning::ChecksumWanted);
        }
        code::meaning(code)
    }

    /// Whether the same request may succeed later.
    pub(in crate::store) fn is_transient(&self) -> bool {
        if let Some(meaning) = self.meaning() {
            return matches!(meaning, Meaning::Transient | Meaning::Throttled);
        }
        match self.status.as_u16() {
            // What the server does not implement stays so (RFC 9110 §15.6.2, §15.6.6).
            501 | 505 => false,
            // A failure after the head of a success: the store's own, unless its code says otherwise.
            200..300 | 408 | 425 | 429 | 500.. => true,
            _ => false,
        }
    }

    /// Whether the request may have had its effect: the server, or a proxy, gave up in the middle.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_transient() && matches!(self.status.as_u16(), 200..300 | 500..=502 | 504..)
    }

    /// Whether the server wants fewer requests at once.
    pub(super) fn asks_for_less(&self) -> bool {
        match self.meaning() {
            Some(Meaning::Throttled) => true,
            // An answer to HEAD has a status only.
            Some(Meaning::Transient) | None => matches!(self.status.as_u16(), 429 | 503),
            Some(_) => false,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(message) = &self.message {
            // A sentence goes on after it.
            write!(f, ": {}", message.trim_end_matches('.'))?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, ": {}", excerpt.escape_default())?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// A code and a message, in the server's form.
#[derive(Default)]
struct Said {
    code: Option<String>,
    message: Option<String>,
}

impl Said {
    fn read(text: &str) -> Self {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text)
                .map_or_else(|_| Self::default(), |json| of_json(&json));
        }
        let message = element(text, "Message");
        // Azure says here what is wrong with a signature.
        let detail = element(text, "AuthenticationErrorDetail");
        Self {
            code: element(text, "Code"),
            message: match (message, detail) {
                (Some(message), Some(detail)) => Some(format!("{message} {detail}")),
                (message, detail) => message.or(detail),
            },
        }
    }
}

/// Google's errors, those of OAuth (RFC 6749 §5.2), and those of AWS's endpoints for credentials.
fn of_json(json: &serde_json::Value) -> Said {
    let text = |value: &serde_json::Value| value.as_str().map(one_line).filter(|s| !s.is_empty());
    let error = &json["error"];
    let codes = [
        &error["errors"][0]["reason"],
        &error["status"],
        &error["code"],
        error,
        &json["code"],
        &json["Code"],
    ];
    let messages = [
        &error["message"],
        &json["error_description"],
        &json["message"],
        &json["Message"],
    ];
    Said {
        code: codes.into_iter().find_map(text),
        message: messages.into_iter().find_map(text),
    }
}

/// The text of the first element `name` in a small XML error document, on one line.
fn element(body: &str, name: &str) -> Option<String> {
    let (_, after) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = after.split_once(&format!("</{name}>"))?;
    let text = quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), Into::into);
    Some(one_line(&text)).filter(|text| !text.is_empty())
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// The region in the name of one of AWS's hosts: `b.s3.eu-west-1.amazonaws.com`, `b.s3-eu-west-1.amazonaws…`.
fn region_in(location: &str) -> Option<String> {
    let (before, _) = location.split_once(".amazonaws.com")?;
    let last = before.rsplit(['.', '/']).next()?;
    let region = last.strip_prefix("s3-").unwrap_or(last);
    // `s3.amazonaws.com` names none.
    let is_region = region.contains('-') && region.ends_with(|c: char| c.is_ascii_digit());
    is_region.then(|| region.to_owned())
}

/// The server's time in the document of S3's error `RequestTimeTooSkewed`.
fn server_time(body: &str) -> Option<SystemTime> {
    let time = DateTime::parse_from_rfc3339(&element(body, "ServerTime")?).ok()?;
    Some(time.into())
}

/// Seconds by which this machine's clock is ahead of the server that sent these headers; negative if it is behind,
/// `None` if they hold no `Date` (RFC 9110 §6.6.1).
pub(in crate::store) fn clock_ahead(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    ahead_of(
        httpdate::parse_http_date(date.trim()).ok()?,
        SystemTime::now(),
    )
}

/// Seconds by which the moment `now` is ahead of `theirs`.
fn ahead_of(theirs: SystemTime, now: SystemTime) -> Option<i64> {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).ok();
    match now.duration_since(theirs) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => seconds(behind.duration()).map(|behind| -behind),
    }
}

/// `Retry-After`: seconds, or a moment by the server's clock, which the header `date` gives; without it, by
/// ours.
fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        let wait = Duration::try_from_secs_f64(seconds);
        // Too many seconds for a `Duration` are the longest one; negative ones are zero.
        let odd = if seconds > 0.0 {
            Duration::MAX
        } else {
            Duration::ZERO
        };
        return (!seconds.is_nan()).then(|| wait.unwrap_or(odd));
    }
    let due = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let wait = due.duration_since(now.unwrap_or_else(SystemTime::now));
    // A moment that has passed needs no wait.
    Some(wait.unwrap_or_default())
}

#[cfg(test)]
mod tests;
