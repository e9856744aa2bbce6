//! What the server knows: the pod, each of its versions, how it is disposed, and what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::Notify;

/// How the server treats requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    #[default]
    Well,
    /// It answers each request with this status.
    Refuses(u16),
    /// It answers each watch with this status, and lists.
    RefusesWatches(u16),
    /// It takes requests and never answers; open watches fall silent.
    Silent,
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guests {
    /// Those who have this token.
    Bearer(String),
    /// Everybody: what lies before the server looks at who they are.
    All,
}

impl Default for Guests {
    fn default() -> Self {
        Self::Bearer(super::TOKEN.to_owned())
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whether a watch was wanted, or a list.
    pub watch: bool,
    /// From which version.
    pub version: Option<String>,
}

/// How an open watch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As after its time is over.
    Closed,
    /// In the middle of a line, with the connection.
    Broken,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) pod: Option<Value>,
    pub(super) version: u64,
    /// What happened, each with its version.
    happened: VecDeque<(u64, Value)>,
    /// Older versions are forgotten.
    pub(super) oldest: u64,
    pub(super) mood: Mood,
    /// Who is let in.
    pub(super) guests: Guests,
    /// How many times watches were ended, and how the last time.
    pub(super) ends: (u64, Option<End>),
    /// Events for open watches that are of no version.
    pub(super) asides: Vec<Value>,
    pub(super) asked: Vec<Asked>,
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

    /// Changes something, and wakes the open watches.
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
    /// The pod is now like this.
    pub(super) fn put(&mut self, mut pod: Value) {
        let kind = if self.pod.is_some() {
            "MODIFIED"
        } else {
            "ADDED"
        };
        self.version += 1;
        pod["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.pod = Some(pod.clone());
        self.happen(kind, &pod);
    }

    /// The pod is gone.
    pub(super) fn delete(&mut self) {
        if let Some(pod) = self.pod.take() {
            self.version += 1;
            self.happen("DELETED", &pod);
        }
    }

    /// Time has passed without a change of this pod.
    pub(super) fn bookmark(&mut self) {
        self.version += 1;
        let version = json!({"resourceVersion": self.version.to_string()});
        let object = json!({"kind": "Pod", "apiVersion": "v1", "metadata": version});
        self.happen("BOOKMARK", &object);
    }

    /// Older versions cannot be watched from any more.
    pub(super) fn forget(&mut self) {
        self.version += 1;
        self.oldest = self.version;
        self.happened.clear();
    }

    fn happen(&mut self, kind: &str, object: &Value) {
        let event = json!({"type": kind, "object": object});
        self.happened.push_back((self.version, event));
    }

    /// What happened after a version, and the version after it.
    pub(super) fn since(&self, version: u64) -> (Vec<Value>, u64) {
        let newer = self.happened.iter().filter(|(each, _)| *each > version);
        (
            newer.map(|(_, event)| event.clone()).collect(),
            self.version,
        )
    }
}

/// A failure as the API words it.
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
