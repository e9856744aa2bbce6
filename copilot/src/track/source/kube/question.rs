//! One question to the API server: how our pod is, or what changes in it. One answer, or one trouble.

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

use super::{
    client::{Client, ClientError},
    event::{self, EventError, SHORT},
    lines::{BodyError, LONGEST, Lines, whole},
    pod::Pod,
};

/// How long a watch may last before the server ends it, in seconds: less than the five minutes at
/// which servers and what lies before them commonly cut.
pub const WATCH_SECONDS: u32 = 290;

/// How long an answer may take where a flag says "any time": as long as a watch. What is silent for
/// longer will not speak again.
const ANY_TIME: Duration = Duration::from_secs(305);

/// What is written otherwise in a part of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Changes as they come, until the server ends the watch.
pub type Changes = BoxStream<'static, Result<WatchEvent<Pod>, Trouble>>;

/// Asks for one pod and no other.
#[derive(Clone)]
pub struct Question {
    client: Client,
    pods: Request,
    selector: String,
    limit: Duration,
}

/// The pod as it is.
pub struct Listed {
    /// The pod, unless there is none.
    pub pod: Option<Pod>,
    /// From when on a watch tells what changes.
    pub version: String,
}

/// What kept us from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it means for us.
    pub kind: Kind,
    words: String,
}

/// What a trouble means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 410: the version that we know is too old for the server; the pod must be listed anew.
    Expired,
    /// 401, 403: we are not allowed to ask.
    Denied,
    /// The server does not understand us, and would not another time.
    Rejected,
    /// 429 and failures of the server itself: another time.
    Busy,
    /// No answer, or none that can be read.
    Unreachable,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Trouble {
    /// No answer came within the limit.
    pub fn silence(limit: Duration) -> Self {
        Self {
            kind: Kind::Unreachable,
            words: format!("no answer within {limit:?}"),
        }
    }

    /// By the server's status.
    pub fn of_status(status: &kube_core::Status) -> Self {
        let kind = match status.code {
            410 => Kind::Expired,
            401 | 403 => Kind::Denied,
            408 | 429 | 500.. => Kind::Busy,
            _ => Kind::Rejected,
        };
        Self {
            kind,
            words: format!("{} {}: {}", status.code, status.reason, status.message),
        }
    }

    /// By an error before the server had said anything that can be read.
    fn of(error: &dyn Error) -> Self {
        Self {
            kind: Kind::Unreachable,
            words: chain(error),
        }
    }
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self::of(&error)
    }
}

impl From<BodyError> for Trouble {
    fn from(error: BodyError) -> Self {
        Self::of(&error)
    }
}

impl From<EventError> for Trouble {
    fn from(error: EventError) -> Self {
        Self::of(&error)
    }
}

impl From<kube_core::request::Error> for Trouble {
    fn from(error: kube_core::request::Error) -> Self {
        Self::of(&error)
    }
}

impl Question {
    /// The question for this pod; each answer, or its beginning, must come within `limit`.
    pub fn new(client: Client, namespace: &str, pod: &str, limit: Option<Duration>) -> Self {
        let namespace = utf8_percent_encode(namespace, SEGMENT);
        Self {
            client,
            pods: Request::new(format!("/api/v1/namespaces/{namespace}/pods")),
            selector: format!("metadata.name={pod}"),
            limit: limit.unwrap_or(ANY_TIME),
        }
    }

    /// How the pod is: no older than this moment.
    pub async fn list(&self) -> Result<Listed, Trouble> {
        let params = ListParams::default().fields(&self.selector);
        let request = self.pods.list(&params)?;
        self.within(async {
            let body = self.ask(&request).await?.into_body();
            let list = event::list(&whole(body, LONGEST).await?)?;
            Ok(Listed {
                pod: list.items.into_iter().next(),
                version: list.metadata.resource_version.unwrap_or_default(),
            })
        })
        .await
    }

    /// What changes from `version` on. The watch itself is bounded by who reads it.
    pub async fn watch(&self, version: &str) -> Result<Changes, Trouble> {
        let params = WatchParams::default()
            .fields(&self.selector)
            .timeout(WATCH_SECONDS);
        let request = self.pods.watch(&params, version)?;
        let response = self.within(self.ask(&request)).await?;
        let lines = Lines::new(response.into_body());
        Ok(unfold(lines, |mut lines| async {
            let change = change(&mut lines).await.transpose()?;
            Some((change, lines))
        })
        .boxed())
    }

    /// An answer that is a success, its body still to be read.
    async fn ask(&self, request: &http::Request<Vec<u8>>) -> Result<Response<Incoming>, Trouble> {
        let response = self.client.send(request).await?;
        let code = response.status();
        if code == StatusCode::OK {
            return Ok(response);
        }
        // If the body breaks, the status says enough.
        let body = whole(response.into_body(), SHORT).await.unwrap_or_default();
        Err(Trouble::of_status(&event::failure(code, &body)))
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        timeout(self.limit, answer)
            .await
            .unwrap_or_else(|_| Err(Trouble::silence(self.limit)))
    }
}

async fn change(lines: &mut Lines<Incoming>) -> Result<Option<WatchEvent<Pod>>, Trouble> {
    let line = lines.next().await?;
    Ok(line.map(|line| event::event(&line)).transpose()?)
}

/// An error with all its causes, each said once.
pub fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests;
