//! The shared client: one request with all its attempts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http::uri::Authority;
use object_store::client::{HttpRequest, HttpResponse, HttpResponseBody};
use tokio::time::Instant;

use super::answer::settled;
use super::concurrency::{ConcurrencyLimit, Permit};
use super::failure::{FailureKind, RequestFailure};
use super::patience::Patience;
use super::redaction::RequestSecrets;
use super::retry::RetryBudget;
use super::stall::{IncomingBody, LastProgress, OutgoingBody, stalled};
use super::tls::{self, AuthoritiesError};
use super::transport::Transports;
use crate::store::network::Network;

/// Longest time for an answer that is read as a whole, in stall timeouts. A server that sends a byte now and
/// then is never silent, and would hold us for ever.
const WHOLE_ANSWER: u32 = 20;

/// The part of a response that the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its head. The caller reads the body, and knows how to go on when it breaks.
    Head,
    /// All of it, a few MiB at most; a body that breaks is a failed attempt.
    Whole,
}

/// Adds our credentials to a request; called for each attempt, so a signature is never old.
#[async_trait]
pub trait Authorize: std::fmt::Debug + Send + Sync {
    /// Adds what the store asks for. It may wait for credentials.
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), RequestFailure>;

    /// Called when the store refuses the credentials as ended. Says whether there may be new ones; the
    /// request is then sent again with those, once.
    async fn renew(&self) -> bool {
        false
    }
}

/// Leaves requests as they are.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned;

#[async_trait]
impl Authorize for Unsigned {
    async fn authorize(&self, _: &mut HttpRequest) -> Result<(), RequestFailure> {
        Ok(())
    }
}

/// Counts the attempts of a request that failed and may have had their effect all the same.
///
/// It travels as an extension of the request, through the store library, from the caller who needs the
/// count to [`Client::send`], which knows it.
#[derive(Clone, Debug, Default)]
pub struct AmbiguousAttempts(Arc<AtomicU32>);

impl AmbiguousAttempts {
    /// The attempts so far.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    fn note(request: &HttpRequest) {
        if let Some(Self(count)) = request.extensions().get() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The HTTP client that all stores share; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    network: Network,
    /// The file of certificate authorities that the settings name, or an empty string.
    ca_file: String,
    concurrency: ConcurrencyLimit,
    transports: Transports,
    /// Requests sent again.
    repeated: AtomicU64,
}

impl Client {
    /// A client within these limits that also trusts the authorities in a file; an empty name means no
    /// file. Nothing is loaded or opened yet.
    #[must_use]
    pub fn new(network: Network, ca_file: &str) -> Self {
        let concurrency = ConcurrencyLimit::new(network.connections);
        let transports = Transports::new(&network, ca_file);
        Self(Arc::new(Shared {
            network,
            ca_file: ca_file.to_owned(),
            concurrency,
            transports,
            repeated: AtomicU64::new(0),
        }))
    }

    /// Checks the settings now, so that a wrong one does not fail a run after hours.
    ///
    /// # Errors
    /// A file of authorities that cannot be used.
    pub fn check(&self) -> Result<(), AuthoritiesError> {
        tls::authorities(&self.0.ca_file).map(|_| ())
    }

    /// The limits that this client keeps.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// How many requests were sent again so far.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.0.repeated.load(Ordering::Relaxed)
    }

    /// Sends a request until it succeeds, cannot succeed, or its budget is spent.
    ///
    /// Every request here can be repeated: its body is in memory, and its effect is the same when it is
    /// sent twice. The answer is always read as a whole unless something is read.
    ///
    /// # Errors
    /// The last failure, with the number of attempts.
    pub async fn send(
        &self,
        request: &HttpRequest,
        authorize: &dyn Authorize,
        answer: Answer,
    ) -> Result<HttpResponse, RequestFailure> {
        let mut budget = RetryBudget::new(&self.0.network.retry);
        let mut patience = Patience::new(&self.0.network, request);
        let mut renewed = false;
        loop {
            let attempt = self.attempt(request.clone(), authorize, answer, &mut patience);
            match attempt.await {
                Ok(response) => return Ok(response),
                Err(failure) if failure.is_expiry() && !renewed && authorize.renew().await => {
                    renewed = true;
                }
                Err(failure) => {
                    if failure.is_ambiguous() {
                        AmbiguousAttempts::note(request);
                    }
                    let known = self.0.concurrency.has_answered(host(request));
                    let wait = budget.spend(failure, known, patience.left())?;
                    patience.spend(wait);
                    self.0.repeated.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn attempt(
        &self,
        mut request: HttpRequest,
        authorize: &dyn Authorize,
        answer: Answer,
        patience: &mut Patience,
    ) -> Result<HttpResponse, RequestFailure> {
        // Before the permit: credentials may need a request of their own.
        authorize.authorize(&mut request).await?;
        let permit = self.0.concurrency.acquire(host(&request)).await;
        let in_flight = permit.as_ref().map(Permit::in_flight);
        let begun = Instant::now();
        let answered = self
            .exchange(request, permit, answer, patience.silence())
            .await;
        patience.spend(begun.elapsed());
        let is_answer = match &answered {
            Ok(_) => true,
            Err(failure) => failure.kind == FailureKind::Status,
        };
        if let (true, Some(in_flight)) = (is_answer, &in_flight) {
            in_flight.answered();
        }
        match (&answered, in_flight) {
            (Ok(_), Some(in_flight)) => in_flight.succeeded(),
            (Err(failure), Some(in_flight)) if failure.asks_for_less() => {
                in_flight.refused(failure);
            }
            _ => {}
        }
        answered
    }

    /// One request and its answer, once it may be sent.
    async fn exchange(
        &self,
        request: HttpRequest,
        permit: Option<Permit>,
        answer: Answer,
        limit: Duration,
    ) -> Result<HttpResponse, RequestFailure> {
        // Only the body of something that is read may be large.
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let body_counts = *request.method() == Method::POST;
        let transport = self.0.transports.of(request.uri())?;
        let progress = LastProgress::new();
        let secrets = RequestSecrets::of(&request);
        let request = outgoing(request, &progress)?;
        let response = tokio::select! {
            response = transport.execute(request) => response,
            () = progress.stalled(limit) => return Err(stalled(limit)),
        };
        let response =
            response.map_err(|error| RequestFailure::from_transport(&error.without_url()))?;
        let response = incoming(response, limit, permit);
        if response.status().is_success() && is_read && answer == Answer::Head {
            return Ok(response);
        }
        let is_told_by_head = !body_counts && answer == Answer::Head;
        self.settle(response, is_told_by_head, &secrets).await
    }

    /// Reads a small answer to its end. If its head tells of a success and nothing in the body is needed, a
    /// body that breaks changes nothing: what was written is written.
    async fn settle(
        &self,
        response: HttpResponse,
        is_told_by_head: bool,
        secrets: &RequestSecrets,
    ) -> Result<HttpResponse, RequestFailure> {
        let is_success = is_told_by_head && response.status().is_success();
        let head = is_success.then(|| (response.status(), response.headers().clone()));
        let longest = self.0.network.stall_timeout * WHOLE_ANSWER;
        let failure = match tokio::time::timeout(longest, settled(response, secrets)).await {
            Ok(Err(failure)) if failure.is_silence() => failure,
            Ok(settled) => return settled,
            Err(_) => RequestFailure::new(
                FailureKind::Stalled,
                format!("the answer did not end within {} s", longest.as_secs_f32()),
            ),
        };
        let (status, headers) = head.ok_or(failure)?;
        let mut response = HttpResponse::new(Bytes::new().into());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn outgoing(
    request: HttpRequest,
    progress: &LastProgress,
) -> Result<reqwest::Request, RequestFailure> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string().parse().map_err(|error| {
        RequestFailure::new(
            FailureKind::Protocol,
            format!("the address of a request is invalid: {error}"),
        )
    })?;
    let mut request = reqwest::Request::new(parts.method, url);
    *request.headers_mut() = parts.headers;
    let body = reqwest::Body::wrap(OutgoingBody::new(body, progress.clone()));
    *request.body_mut() = Some(body);
    Ok(request)
}

fn incoming(response: reqwest::Response, stall: Duration, permit: Option<Permit>) -> HttpResponse {
    let (parts, body) = http::Response::from(response).into_parts();
    let body = HttpResponseBody::new(IncomingBody::new(body, stall, permit));
    HttpResponse::from_parts(parts, body)
}

/// The host of a request, with its port.
fn host(request: &HttpRequest) -> &str {
    request.uri().authority().map_or("", Authority::as_str)
}

#[cfg(test)]
mod tests;
