//! The collector: takes spans over our own HTTP client, so there is one TLS stack and one owner of retries.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::client::HttpRequestBody;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::error::OtlpError;
use super::setting::Target;
use crate::config::secret::known;
use crate::report::bounded;
use crate::store::{Answer, Client, Network, Retry, Unsigned};

/// A connection to a collector.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    client: Client,
    /// Why the last request failed: the exporter turns an error into text.
    failure: Arc<Mutex<Option<OtlpError>>>,
}

impl Collector {
    /// A connection for one export, within `limit`.
    pub(super) fn new(target: &Target, limit: Duration) -> Self {
        // The export as a whole ends after `limit`, and says so: no part of it may end at the same moment with other
        // words.
        let part = limit * 2;
        let network = Network {
            connections: 1,
            connect_timeout: part,
            stall_timeout: part,
            assembly_timeout: part,
            retry: Retry {
                attempts: 3,
                elapsed: limit,
                connect_elapsed: limit,
                known_elapsed: Duration::ZERO,
                retry_after: limit,
                ..Retry::default()
            },
        };
        Self {
            client: Client::new(network, &target.ca_file),
            failure: Arc::default(),
        }
    }

    /// Why the last request failed.
    pub(super) fn failure(&self) -> Option<OtlpError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    async fn exchange(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, OtlpError> {
        let request = request.map(HttpRequestBody::from);
        let answer = self.client.send(&request, &Unsigned, Answer::Whole).await?;
        let (parts, body) = answer.into_parts();
        let body = body.bytes().await?;
        check(&body)?;
        Ok(http::Response::from_parts(parts, body))
    }
}

/// A collector may take some spans and refuse the others, with a good status.
fn check(body: &Bytes) -> Result<(), OtlpError> {
    // A collector of another kind may answer with something else: the status says enough.
    let answer = ExportTraceServiceResponse::decode(body.clone()).unwrap_or_default();
    match answer.partial_success {
        Some(partial) if partial.rejected_spans > 0 => Err(OtlpError::Rejected {
            count: partial.rejected_spans,
            reason: bounded(&known::hide(&partial.error_message, &[])),
        }),
        _ => Ok(()),
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let answered = self.exchange(request).await;
        answered.map_err(|error| {
            let text = error.to_string();
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            *failure = Some(error);
            text.into()
        })
    }
}
