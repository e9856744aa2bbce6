//! Bodies that notice when nothing moves.
//!
//! A timeout on the whole would punish size, and one on reads alone would punish a slow upload, during
//! which nothing is read. So the request body marks progress piece by piece while it is sent, and the
//! response body starts a new timer for every piece that it waits for. Caller: `client`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{HttpError, HttpErrorKind, HttpRequestBody};
use tokio::time::{Instant, Sleep};

use super::concurrency::Permit;
use super::failure::{FailureKind, RequestFailure};

/// Piece in which a request body is handed over. Small enough that a slow line still shows progress
/// within the stall timeout, large enough to cost nothing.
const PIECE: usize = 64 * 1024;

/// When something last moved.
#[derive(Clone, Debug)]
pub(super) struct LastProgress(Arc<Mutex<Instant>>);

impl LastProgress {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once nothing has moved for `limit`.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let due = self.last() + limit;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

/// The failure of a wait that took `limit`.
pub(super) fn stalled(limit: Duration) -> RequestFailure {
    RequestFailure::new(
        FailureKind::Stalled,
        // One decimal, unless it is a whole number.
        format!(
            "nothing moved for {} s",
            (limit.as_secs_f32() * 10.0).round() / 10.0
        ),
    )
}

/// A request body that marks its progress.
pub(super) struct OutgoingBody {
    body: HttpRequestBody,
    pending: Bytes,
    progress: LastProgress,
}

impl OutgoingBody {
    pub(super) fn new(body: HttpRequestBody, progress: LastProgress) -> Self {
        Self {
            body,
            pending: Bytes::new(),
            progress,
        }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.progress.mark();
        while self.pending.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.pending = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.pending.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.pending.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.pending.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.size_hint().exact().unwrap_or_default();
        SizeHint::with_exact(rest + self.pending.len() as u64)
    }
}

/// A response body that ends with an error when nothing moves, and holds the request's permit.
pub(super) struct IncomingBody {
    body: reqwest::Body,
    timer: Pin<Box<Sleep>>,
    limit: Duration,
    armed: bool,
    _permit: Option<Permit>,
}

impl IncomingBody {
    pub(super) fn new(body: reqwest::Body, limit: Duration, permit: Option<Permit>) -> Self {
        Self {
            body,
            timer: Box::pin(tokio::time::sleep(limit)),
            limit,
            armed: false,
            _permit: permit,
        }
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(cx) {
            self.armed = false;
            return Poll::Ready(next.map(|frame| {
                frame.map_err(|error| {
                    let error = RequestFailure::from_transport(&error.without_url());
                    HttpError::new(HttpErrorKind::Interrupted, error)
                })
            }));
        }
        // The timer runs only while somebody waits: a slow reader is not a stall.
        if !self.armed {
            self.armed = true;
            let due = Instant::now() + self.limit;
            self.timer.as_mut().reset(due);
        }
        ready!(self.timer.as_mut().poll(cx));
        let error = HttpError::new(HttpErrorKind::Timeout, stalled(self.limit));
        Poll::Ready(Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
