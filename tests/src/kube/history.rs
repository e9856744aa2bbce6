//! The state of the server: the pod with all its versions, how the server behaves, and its requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::Notify;

/// How the server answers requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// As a real server does.
    #[default]
    Normal,
    /// It answers each request with this status.
    Refuses(u16),
    /// It answers lists, and answers each watch with this status.
    RefusesWatches(u16),
    /// It accepts requests and never answers. Open watches fall silent.
    Silent,
}

/// Which clients the server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clients {
    /// Clients that send this token.
    Bearer(String),
    /// All clients: a front before the server checks their certificates.
    Any,
}

impl Default for Clients {
    fn default() -> Self {
        Self::Bearer(super::TOKEN.to_owned())
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// Whether it is a watch, or a list.
    pub watch: bool,
    /// The version from which the watch begins.
    pub version: Option<String>,
}

/// How an open watch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In order, as when its time is over.
    Closed,
    /// In the middle of a line, with the connection.
    Broken,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) pod: Option<Value>,
    pub(super) version: u64,
    /// The events, each with its version.
    events: VecDeque<(u64, Value)>,
    /// Older versions are not available any more.
    pub(super) oldest: u64,
    pub(super) behaviour: Behaviour,
    /// Which clients the server accepts.
    pub(super) clients: Clients,
    /// How many times the server has ended its watches, and how it did the last time.
    pub(super) ends: (u64, Option<End>),
    /// Events for open watches that belong to no version.
    pub(super) asides: Vec<Value>,
    pub(super) asked: Vec<ApiRequest>,
    pub(super) open: usize,
}

/// The history, shared by the server and the test.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

impl History {
    pub(super) fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes the open watches.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.read());
        self.changed.notify_waiters();
    }

    pub(super) fn changed(&self) -> impl Future<Output = ()> + Send + 'static {
        let changed = Arc::clone(&self.changed);
        async move { changed.notified().await }
    }
}

impl State {
    /// Replaces the pod.
    pub(super) fn put(&mut self, mut pod: Value) {
        let kind = if self.pod.is_some() {
            "MODIFIED"
        } else {
            "ADDED"
        };
        self.version += 1;
        pod["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.pod = Some(pod.clone());
        self.push(kind, &pod);
    }

    /// Deletes the pod.
    pub(super) fn delete(&mut self) {
        if let Some(pod) = self.pod.take() {
            self.version += 1;
            self.push("DELETED", &pod);
        }
    }

    /// The version moves without a change of this pod.
    pub(super) fn bookmark(&mut self) {
        self.version += 1;
        let version = json!({"resourceVersion": self.version.to_string()});
        let object = json!({"kind": "Pod", "apiVersion": "v1", "metadata": version});
        self.push("BOOKMARK", &object);
    }

    /// Watches from older versions are refused from now on.
    pub(super) fn forget(&mut self) {
        self.version += 1;
        self.oldest = self.version;
        self.events.clear();
    }

    fn push(&mut self, kind: &str, object: &Value) {
        let event = json!({"type": kind, "object": object});
        self.events.push_back((self.version, event));
    }

    /// The events after a version, and the current version.
    pub(super) fn since(&self, version: u64) -> (Vec<Value>, u64) {
        let newer = self.events.iter().filter(|(each, _)| *each > version);
        (
            newer.map(|(_, event)| event.clone()).collect(),
            self.version,
        )
    }
}

/// A `Status` of the API for a failure.
pub(super) fn status(code: u16) -> Value {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("the stand-in says {reason}"), "reason": reason, "code": code})
}
