//! Follows the pod for ever: lists it, watches from that version, and resumes each watch that ends.
//!
//! | state | on | next |
//! | --- | --- | --- |
//! | list | the pod | open, from the list's version |
//! | open | the watch begins | read |
//! | open, read | 410: the server has dropped that version | list |
//! | read | a change, a bookmark | read, from that version |
//! | list, read | our pod does not exist | list, after a pause that grows |
//! | read | the watch ends, breaks or falls silent | open, from the last version |
//! | any | another error | the same, after a pause that grows |
//!
//! Only the last version is kept, so one answer bounds the memory: one pod, which the API bounds.

use std::time::Duration;

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use kube_core::WatchEvent;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use super::{
    pod::Pod,
    query::{Changes, ListedPod, PodQuery, RequestError, RequestErrorKind, WATCH_SECONDS},
};
use crate::store::Retry;

/// How much longer than agreed a watch may last before we take its connection for dead.
const GRACE: Duration = Duration::from_secs(15);

/// A watch that ends sooner and brought no event counts as a failure of the server.
const WORTHWHILE: Duration = Duration::from_secs(30);

/// What the API says about the pod.
pub enum PodUpdate {
    /// The pod as it is now.
    Pod(Box<Pod>),
    /// The API does not know our pod any more.
    Missing,
    /// A watch is open, and will bring changes from now on.
    Open,
    /// The API cannot be reached or understood for now.
    Failed(RequestError),
}

/// The next step.
pub enum FollowState {
    /// List the pod.
    List,
    /// Open a watch from this version.
    Open(String),
    /// Read from an open watch.
    Read(OpenWatch),
}

/// An open watch.
pub struct OpenWatch {
    changes: Changes,
    version: String,
    opened: Instant,
    has_events: bool,
}

impl OpenWatch {
    /// A watch that was just opened from this version.
    pub fn new(changes: Changes, version: String) -> Self {
        Self {
            changes,
            version,
            opened: Instant::now(),
            has_events: false,
        }
    }
}

/// Follows the pod from this state on, for ever. Cancel safe: no update is lost.
pub fn follow(query: PodQuery, state: FollowState) -> BoxStream<'static, PodUpdate> {
    let follower = Follower {
        query,
        state,
        failures: 0,
        must_pause: false,
    };
    unfold(follower, |mut follower| async {
        loop {
            if let Some(update) = follower.step().await {
                return Some((update, follower));
            }
        }
    })
    .boxed()
}

struct Follower {
    query: PodQuery,
    state: FollowState,
    /// The failures since a watch brought an event.
    failures: u32,
    /// The last step failed.
    must_pause: bool,
}

impl Follower {
    async fn step(&mut self) -> Option<PodUpdate> {
        if self.must_pause {
            sleep(pauses().pause(self.failures)).await;
            self.must_pause = false;
        }
        match &mut self.state {
            FollowState::List => match self.query.list().await {
                Ok(listed) => Some(self.listed(listed)),
                Err(error) => self.failed(error),
            },
            FollowState::Open(version) => {
                let version = version.clone();
                match self.query.watch(&version).await {
                    Ok(changes) => {
                        self.state = FollowState::Read(OpenWatch::new(changes, version));
                        Some(PodUpdate::Open)
                    }
                    Err(error) => self.failed(error),
                }
            }
            FollowState::Read(watch) => {
                let limit = Duration::from_secs(WATCH_SECONDS.into()) + GRACE;
                match timeout_at(watch.opened + limit, watch.changes.next()).await {
                    Ok(change) => self.read(change),
                    Err(_) => self.broken(RequestError::timeout(limit)),
                }
            }
        }
    }

    fn listed(&mut self, listed: ListedPod) -> PodUpdate {
        if let Some(pod) = listed.pod {
            self.state = FollowState::Open(listed.version);
            return PodUpdate::Pod(Box::new(pod));
        }
        // The answer may come from a server that lags behind, so this goes on.
        self.count();
        PodUpdate::Missing
    }

    fn read(&mut self, change: Option<Result<WatchEvent<Pod>, RequestError>>) -> Option<PodUpdate> {
        match change {
            Some(Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod))) => {
                self.advance(pod.metadata.resource_version.as_deref());
                Some(PodUpdate::Pod(Box::new(pod)))
            }
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                self.advance(Some(&bookmark.metadata.resource_version));
                None
            }
            Some(Ok(WatchEvent::Deleted(_))) => {
                self.state = FollowState::List;
                self.count();
                Some(PodUpdate::Missing)
            }
            Some(Ok(WatchEvent::Error(status))) => self.broken(RequestError::from_status(&status)),
            Some(Err(error)) => self.broken(error),
            None => self.closed(),
        }
    }

    /// Notes that the watch has brought an event.
    fn advance(&mut self, version: Option<&str>) {
        self.failures = 0;
        if let FollowState::Read(watch) = &mut self.state {
            watch.has_events = true;
            if let Some(version) = version {
                version.clone_into(&mut watch.version);
            }
        }
    }

    /// Resumes a watch that the server has ended, as it does regularly.
    fn closed(&mut self) -> Option<PodUpdate> {
        if let FollowState::Read(watch) = &self.state {
            debug!(version = watch.version, "the watch was closed: resuming");
            let was_worthwhile = watch.has_events || watch.opened.elapsed() >= WORTHWHILE;
            self.state = FollowState::Open(watch.version.clone());
            if was_worthwhile {
                self.failures = 0;
            } else {
                self.count();
            }
        }
        None
    }

    fn count(&mut self) {
        self.failures += 1;
        self.must_pause = true;
    }

    /// Resumes a watch that has broken, after a pause.
    fn broken(&mut self, error: RequestError) -> Option<PodUpdate> {
        if let FollowState::Read(watch) = &self.state {
            self.state = FollowState::Open(watch.version.clone());
        }
        self.failed(error)
    }

    fn failed(&mut self, error: RequestError) -> Option<PodUpdate> {
        self.count();
        if error.kind == RequestErrorKind::Expired {
            debug!(%error, "the version is too old: listing again");
            self.state = FollowState::List;
            // A version may expire once without a fault; a second time in a row needs a pause.
            self.must_pause = self.failures > 1;
            return None;
        }
        Some(PodUpdate::Failed(error))
    }
}

/// The pauses after failures in a row. They grow, because a thousand sidecars may ask one server.
pub fn pauses() -> Retry {
    Retry {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(30),
        ..Retry::default()
    }
}
