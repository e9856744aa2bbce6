//! Asking for ever: list, watch from there, watch again from where that watch ended.
//!
//! | state | on | next |
//! | --- | --- | --- |
//! | list | the pod, or none | open, from the list's version |
//! | open | the watch begins | read |
//! | open, read | 410: that version is forgotten | list |
//! | read | a change, a bookmark | read, from that version |
//! | list, read | our pod is gone | list, after a pause that grows |
//! | read | the watch ends, breaks or falls silent | open, from the last version |
//! | any | another trouble | the same after a pause that grows |
//!
//! Nothing but the last version is kept, so memory is bounded by one answer: one pod, which the API
//! itself bounds.

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
    question::{Changes, Kind, Listed, Question, Trouble, WATCH_SECONDS},
};
use crate::store::Retry;

/// How much longer than promised a watch may last: then its connection is dead.
const GRACE: Duration = Duration::from_secs(15);

/// A watch that ends sooner, and told nothing, is a trouble of the server's.
const WORTHWHILE: Duration = Duration::from_secs(30);

/// What comes of asking.
pub enum Word {
    /// The pod as it is now.
    Pod(Box<Pod>),
    /// The API knows our pod no more.
    Missing,
    /// Changes will be told from now on.
    Open,
    /// Nothing is known for now.
    Trouble(Trouble),
}

/// Where we stand.
pub enum State {
    /// The pod is to be listed.
    List,
    /// A watch is to be opened from this version.
    Open(String),
    /// A watch is open.
    Read(Reading),
}

/// An open watch.
pub struct Reading {
    changes: Changes,
    version: String,
    opened: Instant,
    has_told: bool,
}

impl Reading {
    /// A watch that has just been opened from this version.
    pub fn new(changes: Changes, version: String) -> Self {
        Self {
            changes,
            version,
            opened: Instant::now(),
            has_told: false,
        }
    }
}

/// Asks for ever from this state on. Nothing is lost if the wait for the next word is given up.
pub fn follow(question: Question, state: State) -> BoxStream<'static, Word> {
    let follower = Follower {
        question,
        state,
        failures: 0,
        must_pause: false,
    };
    unfold(follower, |mut follower| async {
        loop {
            if let Some(word) = follower.step().await {
                return Some((word, follower));
            }
        }
    })
    .boxed()
}

struct Follower {
    question: Question,
    state: State,
    /// How often it went wrong since a watch told anything.
    failures: u32,
    /// The last step went wrong.
    must_pause: bool,
}

impl Follower {
    async fn step(&mut self) -> Option<Word> {
        if self.must_pause {
            sleep(pauses().pause(self.failures)).await;
            self.must_pause = false;
        }
        match &mut self.state {
            State::List => match self.question.list().await {
                Ok(listed) => Some(self.listed(listed)),
                Err(trouble) => self.failed(trouble),
            },
            State::Open(version) => {
                let version = version.clone();
                match self.question.watch(&version).await {
                    Ok(changes) => {
                        self.state = State::Read(Reading::new(changes, version));
                        Some(Word::Open)
                    }
                    Err(trouble) => self.failed(trouble),
                }
            }
            State::Read(reading) => {
                let limit = Duration::from_secs(WATCH_SECONDS.into()) + GRACE;
                match timeout_at(reading.opened + limit, reading.changes.next()).await {
                    Ok(change) => self.read(change),
                    Err(_) => self.broken(Trouble::silence(limit)),
                }
            }
        }
    }

    fn listed(&mut self, listed: Listed) -> Word {
        if let Some(pod) = listed.pod {
            self.state = State::Open(listed.version);
            return Word::Pod(Box::new(pod));
        }
        // It may only have been a server that lags behind.
        self.count();
        Word::Missing
    }

    fn read(&mut self, change: Option<Result<WatchEvent<Pod>, Trouble>>) -> Option<Word> {
        match change {
            Some(Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod))) => {
                self.advance(pod.metadata.resource_version.as_deref());
                Some(Word::Pod(Box::new(pod)))
            }
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                self.advance(Some(&bookmark.metadata.resource_version));
                None
            }
            Some(Ok(WatchEvent::Deleted(_))) => {
                self.state = State::List;
                self.count();
                Some(Word::Missing)
            }
            Some(Ok(WatchEvent::Error(status))) => self.broken(Trouble::of_status(&status)),
            Some(Err(trouble)) => self.broken(trouble),
            None => self.closed(),
        }
    }

    /// The watch has told something.
    fn advance(&mut self, version: Option<&str>) {
        self.failures = 0;
        if let State::Read(reading) = &mut self.state {
            reading.has_told = true;
            if let Some(version) = version {
                version.clone_into(&mut reading.version);
            }
        }
    }

    /// The server has ended the watch, as it does now and then.
    fn closed(&mut self) -> Option<Word> {
        if let State::Read(reading) = &self.state {
            debug!(version = reading.version, "the watch was closed: resuming");
            let was_worthwhile = reading.has_told || reading.opened.elapsed() >= WORTHWHILE;
            self.state = State::Open(reading.version.clone());
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

    /// The watch has broken.
    fn broken(&mut self, trouble: Trouble) -> Option<Word> {
        if let State::Read(reading) = &self.state {
            self.state = State::Open(reading.version.clone());
        }
        self.failed(trouble)
    }

    fn failed(&mut self, trouble: Trouble) -> Option<Word> {
        self.count();
        if trouble.kind == Kind::Expired {
            debug!(%trouble, "the version is too old: listing anew");
            self.state = State::List;
            // Versions do grow old; but not each time.
            self.must_pause = self.failures > 1;
            return None;
        }
        Some(Word::Trouble(trouble))
    }
}

/// How long to wait after failures in a row. One of a thousand sidecars asks as often as all.
pub fn pauses() -> Retry {
    Retry {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(30),
        ..Retry::default()
    }
}
