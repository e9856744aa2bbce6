//! One request to the API server within a deadline: the pod's present state, or its changes.

use std::{error::Error, fmt, time::Duration};

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use kube_core::{
    Request, WatchEvent,
    params::{ListParams, WatchParams},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use crate::config::secret::known;

use super::{
    client::{ApiClient, ClientError},
    event::{self, EventError, SHORT},
    lines::{BodyError, BodyLines, LONGEST, whole},
    pod::Pod,
};
use crate::track::source::causes::with_causes;

/// How long a watch may last before the server ends it, in seconds: less than the five minutes after
/// which servers and proxies commonly cut a connection.
pub const WATCH_SECONDS: u32 = 290;

/// How long an answer may take where a flag allows any time: as long as a watch. A server that is silent
/// for longer will not answer any more.
const ANY_TIME: Duration = Duration::from_secs(305);

/// The characters that a path segment encodes.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Changes as they come, until the server ends the watch.
pub type Changes = BoxStream<'static, Result<WatchEvent<Pod>, RequestError>>;

/// Lists and watches one pod.
#[derive(Clone)]
pub struct PodQuery {
    client: ApiClient,
    pods: Request,
    selector: String,
    limit: Duration,
}

/// The answer to a list of the pod.
pub struct ListedPod {
    /// The pod, if it exists.
    pub pod: Option<Pod>,
    /// The version from which a watch brings changes.
    pub version: String,
}

/// Why a request has failed.
#[derive(Debug)]
pub struct RequestError {
    /// What follows for the next request.
    pub kind: RequestErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a failed request means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// 410: our version is too old for the server, so the pod must be listed again.
    Expired,
    /// 401, 403: we lack permission.
    Denied,
    /// The server rejects this request, and would reject it again.
    Rejected,
    /// 429 and failures of the server: a later request may succeed.
    Busy,
    /// The server gave no answer, or one that we cannot read.
    Unreachable,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source: &(dyn Error + 'static) = self.source.as_deref()?;
        Some(source)
    }
}

impl RequestError {
    /// No answer came within the limit.
    pub(super) fn timeout(limit: Duration) -> Self {
        Self {
            kind: RequestErrorKind::Unreachable,
            message: format!("no answer within {limit:?}"),
            source: None,
        }
    }

    /// The server answered with this status.
    pub(super) fn from_status(status: &kube_core::Status) -> Self {
        let kind = match status.code {
            410 => RequestErrorKind::Expired,
            401 | 403 => RequestErrorKind::Denied,
            408 | 429 | 500.. => RequestErrorKind::Busy,
            _ => RequestErrorKind::Rejected,
        };
        Self {
            kind,
            // The API, or a proxy before it, may repeat what we sent.
            message: known::hide(
                &format!("{} {}: {}", status.code, status.reason, status.message),
                &[],
            ),
            source: None,
        }
    }

    /// The server could not be asked, or its answer could not be read.
    fn unreachable(error: impl Error + Send + Sync + 'static) -> Self {
        Self {
            kind: RequestErrorKind::Unreachable,
            message: with_causes(&error),
            source: Some(Box::new(error)),
        }
    }
}

impl From<ClientError> for RequestError {
    fn from(error: ClientError) -> Self {
        Self::unreachable(error)
    }
}

impl From<BodyError> for RequestError {
    fn from(error: BodyError) -> Self {
        Self::unreachable(error)
    }
}

impl From<EventError> for RequestError {
    fn from(error: EventError) -> Self {
        Self::unreachable(error)
    }
}

impl From<kube_core::request::Error> for RequestError {
    fn from(error: kube_core::request::Error) -> Self {
        Self::unreachable(error)
    }
}

impl PodQuery {
    /// A query of this pod; each answer, or the beginning of a watch, must come within `limit`.
    pub fn new(client: ApiClient, namespace: &str, pod: &str, limit: Option<Duration>) -> Self {
        let namespace = utf8_percent_encode(namespace, SEGMENT);
        Self {
            client,
            pods: Request::new(format!("/api/v1/namespaces/{namespace}/pods")),
            selector: format!("metadata.name={pod}"),
            limit: limit.unwrap_or(ANY_TIME),
        }
    }

    /// The pod's present state, not one from a cache.
    pub async fn list(&self) -> Result<ListedPod, RequestError> {
        let params = ListParams::default().fields(&self.selector);
        let request = self.pods.list(&params)?;
        self.within(async {
            let body = self.ask(&request).await?.into_body();
            let list = event::list(&whole(body, LONGEST).await?)?;
            Ok(ListedPod {
                pod: list.items.into_iter().next(),
                version: list.metadata.resource_version.unwrap_or_default(),
            })
        })
        .await
    }

    /// The pod's changes from `version` on. The deadline covers only the beginning of the answer; the
    /// caller bounds the watch itself.
    pub async fn watch(&self, version: &str) -> Result<Changes, RequestError> {
        let params = WatchParams::default()
            .fields(&self.selector)
            .timeout(WATCH_SECONDS);
        let request = self.pods.watch(&params, version)?;
        let response = self.within(self.ask(&request)).await?;
        let lines = BodyLines::new(response.into_body());
        Ok(unfold(lines, |mut lines| async {
            let change = change(&mut lines).await.transpose()?;
            Some((change, lines))
        })
        .boxed())
    }

    /// Sends a request; returns a successful answer whose body is not read yet.
    async fn ask(
        &self,
        request: &http::Request<Vec<u8>>,
    ) -> Result<Response<Incoming>, RequestError> {
        let response = self.client.send(request).await?;
        let code = response.status();
        if code == StatusCode::OK {
            return Ok(response);
        }
        // If the body breaks, the status alone is enough.
        let body = whole(response.into_body(), SHORT).await.unwrap_or_default();
        Err(RequestError::from_status(&event::failure(code, &body)))
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, RequestError> {
        timeout(self.limit, answer)
            .await
            .unwrap_or_else(|_| Err(RequestError::timeout(self.limit)))
    }
}

async fn change(lines: &mut BodyLines<Incoming>) -> Result<Option<WatchEvent<Pod>>, RequestError> {
    let line = lines.next().await?;
    Ok(line.map(|line| event::event(&line)).transpose()?)
}

#[cfg(test)]
mod tests;
