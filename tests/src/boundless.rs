//! An S3 server without a disk: it makes up the objects that clients read, and counts and drops what they
//! write. It serves amounts for which a test machine has no room. A test that looks at what was written
//! uses the other server ([`crate::s3`]).
//!
//! `BUCKET/sized/N` is an object of N bytes, and `BUCKET/many/COUNT/SIZE/` is a prefix of COUNT objects of
//! SIZE bytes. Small objects that clients write are kept, and can be read. Signatures are not checked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use crate::background::Background;
use crate::site::bytes;
use crate::strain::{Rule, Strain};

/// Objects up to this size are kept.
const KEPT: u64 = 4096;

/// Objects in a page of a listing.
const PAGE: u64 = 1000;

/// The length of the pattern that objects repeat. No two parts of an object begin at the same place in it,
/// so swapped parts are noticed.
const PATTERN: usize = (1 << 20) - 8;

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct BoundlessServer {
    state: Arc<State>,
    server: Background,
}

#[derive(Debug)]
struct State {
    pattern: Bytes,
    kept: Mutex<HashMap<String, Bytes>>,
    received: AtomicU64,
    objects: AtomicU64,
}

impl BoundlessServer {
    /// Starts a server.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start() -> io::Result<Self> {
        Self::start_under(Arc::new(Strain::new(|_| Rule::NONE)))
    }

    /// Starts a server that serves only what `strain` lets in.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start_under(strain: Arc<Strain>) -> io::Result<Self> {
        let state = Arc::new(State {
            pattern: pattern(),
            kept: Mutex::default(),
            received: AtomicU64::new(0),
            objects: AtomicU64::new(0),
        });
        let shared = Arc::clone(&state);
        let server = Background::start("boundless-server", move |connection| {
            let (state, strain) = (Arc::clone(&shared), Arc::clone(&strain));
            strain.connected();
            async move {
                let answer = service_fn(move |request| {
                    let (state, strain) = (Arc::clone(&state), Arc::clone(&strain));
                    async move {
                        let entered = strain.enter(&request).await;
                        let answer = match &entered {
                            Some(_) => state.answer(request).await,
                            None => refused(),
                        };
                        drop(entered);
                        Ok::<_, Infallible>(answer)
                    }
                });
                // A client may close its connection at any time.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), answer)
                    .await;
            }
        })?;
        Ok(Self { state, server })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stores an object. `key` begins with the bucket.
    pub fn put(&self, key: &str, content: Vec<u8>) {
        self.state.keep(key, content.into());
    }

    /// A stored object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.state.find(key)
    }

    /// How many objects clients have written so far, and how many bytes.
    #[must_use]
    pub fn received(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.state.objects), load(&self.state.received))
    }
}

/// The pattern that a made-up object repeats.
#[must_use]
pub fn pattern() -> Bytes {
    bytes(PATTERN, 1).into()
}

/// What a key names.
enum Object {
    Kept(Bytes),
    MadeUp(u64),
    Missing,
}

impl State {
    fn find(&self, key: &str) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).cloned()
    }

    fn keep(&self, key: &str, content: Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(key.to_owned(), content);
    }

    fn object(&self, key: &str) -> Object {
        if let Some(content) = self.find(key) {
            return Object::Kept(content);
        }
        let words: Vec<&str> = key.split('/').collect();
        let size = match words.as_slice() {
            [_, "sized", size] | [_, "many", _, size, _] => size.parse().ok(),
            _ => None,
        };
        size.map_or(Object::Missing, Object::MadeUp)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Made> {
        let key = request.uri().path().trim_start_matches('/').to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let range = request.headers().get("range").cloned();
        match *request.method() {
            Method::GET if query.contains("list-type=2") => list(&query),
            Method::GET => {
                let range = range.and_then(|range| span(range.to_str().ok()?));
                self.read(&key, range)
            }
            Method::HEAD => match self.object(&key) {
                Object::Missing => status(StatusCode::NOT_FOUND),
                _ => status(StatusCode::OK),
            },
            Method::PUT => {
                let whole = !query.contains("partNumber");
                if self
                    .swallow(request.into_body(), whole.then_some(&key))
                    .await
                    && whole
                {
                    self.objects.fetch_add(1, Ordering::Relaxed);
                }
                tagged(StatusCode::OK, Made::empty())
            }
            Method::POST if query.contains("uploadId") => {
                let _ = self.swallow(request.into_body(), None).await;
                self.objects.fetch_add(1, Ordering::Relaxed);
                xml(
                    "<CompleteMultipartUploadResult><ETag>\"made\"</ETag></CompleteMultipartUploadResult>",
                )
            }
            Method::POST => xml(
                "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>",
            ),
            Method::DELETE => status(StatusCode::NO_CONTENT),
            _ => status(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    /// Reads a body, and keeps it under `key` if it is small. Returns whether the body was complete.
    async fn swallow(&self, mut body: Incoming, key: Option<&String>) -> bool {
        let mut small = Vec::new();
        let (mut size, is_part) = (0, key.is_none());
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            match frame {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    size += data.len() as u64;
                    if size <= KEPT && !is_part {
                        small.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => return false,
                None => break,
            }
        }
        self.received.fetch_add(size, Ordering::Relaxed);
        if let Some(key) = key.filter(|_| size <= KEPT) {
            self.keep(key, small.into());
        }
        true
    }

    fn read(&self, key: &str, range: Option<(u64, u64)>) -> Response<Made> {
        let (size, source) = match self.object(key) {
            Object::Kept(content) => (content.len() as u64, content),
            Object::MadeUp(size) => (size, self.pattern.clone()),
            Object::Missing => return status(StatusCode::NOT_FOUND),
        };
        let (from, to) = range.unwrap_or((0, size));
        let to = to.min(size);
        let made = Made {
            source,
            at: from,
            end: to,
        };
        let Some(last) = range.and_then(|_| to.checked_sub(1)) else {
            return tagged(StatusCode::OK, made);
        };
        let mut response = tagged(StatusCode::PARTIAL_CONTENT, made);
        if let Ok(value) = format!("bytes {from}-{last}/{size}").parse() {
            response.headers_mut().insert("content-range", value);
        }
        response
    }
}

/// A page of a made-up prefix.
fn list(query: &str) -> Response<Made> {
    let value = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name));
        found
            .map(|text| text.replace("%2F", "/"))
            .unwrap_or_default()
    };
    let prefix = value("prefix=");
    let first: u64 = value("continuation-token=").parse().unwrap_or_default();
    let words: Vec<&str> = prefix.split('/').collect();
    let count = match words.as_slice() {
        ["many", count, size, ""] => count.parse().ok().zip(size.parse().ok()),
        _ => None,
    };
    let (count, size): (u64, u64) = count.unwrap_or_default();
    let next = (first + PAGE).min(count);
    let mut text = format!(
        "<ListBucketResult><IsTruncated>{}</IsTruncated>",
        next < count
    );
    for number in first..next {
        let _ = write!(
            text,
            "<Contents><Key>{prefix}{number:08}</Key><Size>{size}</Size></Contents>"
        );
    }
    if next < count {
        let _ = write!(
            text,
            "<NextContinuationToken>{next}</NextContinuationToken>"
        );
    }
    text.push_str("</ListBucketResult>");
    xml(&text)
}

/// The bounds of `bytes=FROM-LAST`, or of `bytes=FROM-` for all that follows: the second one is excluded.
fn span(range: &str) -> Option<(u64, u64)> {
    let (from, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = match last {
        "" => u64::MAX,
        last => last.parse::<u64>().ok()? + 1,
    };
    Some((from.parse().ok()?, end))
}

/// The answer of S3 to more requests than it bears.
fn refused() -> Response<Made> {
    let mut response = xml("<Error><Code>SlowDown</Code><Message>too many</Message></Error>");
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

fn status(status: StatusCode) -> Response<Made> {
    let mut response = Response::new(Made::empty());
    *response.status_mut() = status;
    response
}

fn tagged(status: StatusCode, made: Made) -> Response<Made> {
    let mut response = Response::new(made);
    *response.status_mut() = status;
    let tag = hyper::header::HeaderValue::from_static("\"made\"");
    response.headers_mut().insert("etag", tag);
    response
}

fn xml(text: &str) -> Response<Made> {
    let content = Bytes::copy_from_slice(text.as_bytes());
    let end = content.len() as u64;
    Response::new(Made {
        source: content,
        at: 0,
        end,
    })
}

/// A body: bytes `at..end` of `source` repeated without end.
struct Made {
    source: Bytes,
    at: u64,
    end: u64,
}

impl Made {
    fn empty() -> Self {
        Self {
            source: Bytes::new(),
            at: 0,
            end: 0,
        }
    }
}

impl hyper::body::Body for Made {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.source.len();
        let rest = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        if length == 0 || rest == 0 {
            return Poll::Ready(None);
        }
        let begin = usize::try_from(self.at % length as u64).unwrap_or_default();
        let piece = (length - begin).min(rest).min(256 << 10);
        let data = self.source.slice(begin..begin + piece);
        self.at += piece as u64;
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
