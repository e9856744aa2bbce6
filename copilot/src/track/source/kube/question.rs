//! One question to the API server: how our pod is, or what changes in it. One answer, or one trouble.

use std::{error::Error, fmt, pin::Pin, time::Duration};

use futures_util::Stream;
use kube::{
    Api, Client,
    api::{ApiResource, GroupVersionKind, ListParams, WatchEvent, WatchParams},
};
use tokio::time::timeout;

use super::pod::Pod;

/// How long a watch may last before the server ends it, in seconds: less than the five minutes at
/// which servers and what lies before them commonly cut.
pub const WATCH_SECONDS: u32 = 290;

/// Changes as they come, until the server ends the watch.
pub type Changes = Pin<Box<dyn Stream<Item = kube::Result<WatchEvent<Pod>>> + Send>>;

/// Asks for one pod and no other.
#[derive(Clone)]
pub struct Question {
    api: Api<Pod>,
    selector: String,
    limit: Option<Duration>,
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
    pub fn of_status(status: &kube::core::Status) -> Self {
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
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(&status),
            error => Self {
                kind: Kind::Unreachable,
                words: chain(&error),
            },
        }
    }
}

impl Question {
    /// The question for this pod; each answer, or its beginning, must come within `limit`.
    pub fn new(client: Client, namespace: &str, pod: &str, limit: Option<Duration>) -> Self {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
        Self {
            api: Api::namespaced_with(client, namespace, &resource),
            selector: format!("metadata.name={pod}"),
            limit,
        }
    }

    /// How the pod is: no older than this moment.
    pub async fn list(&self) -> Result<Listed, Trouble> {
        let params = ListParams::default().fields(&self.selector);
        let list = self.within(self.api.list(&params)).await?;
        let version = list.metadata.resource_version.unwrap_or_default();
        let pod = list.items.into_iter().next();
        Ok(Listed { pod, version })
    }

    /// What changes from `version` on.
    pub async fn watch(&self, version: &str) -> Result<Changes, Trouble> {
        let params = WatchParams::default()
            .fields(&self.selector)
            .timeout(WATCH_SECONDS);
        let changes = self.within(self.api.watch(&params, version)).await?;
        Ok(Box::pin(changes))
    }

    async fn within<T>(&self, answer: impl Future<Output = kube::Result<T>>) -> Result<T, Trouble> {
        let Some(limit) = self.limit else {
            return Ok(answer.await?);
        };
        match timeout(limit, answer).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Trouble::silence(limit)),
        }
    }
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
