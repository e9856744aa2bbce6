//! The limit on requests in flight: one for all stores, and one for each host that adapts to what helps and
//! to what the host bears (`adaptive`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use tokio::time::Instant;

use super::adaptive::{AdaptiveLimit, Change, Reason};
use super::failure::RequestFailure;

/// Requests at once that a host is asked with before anything is known of it. The files of a common task then
/// come in one round trip, and a store that is far away shows within six that more help.
const START: usize = 32;

/// Hands out permits for requests, first come first served.
///
/// A permit lives as long as its response body. A request takes the host's permit before the shared
/// one: so a request that waits for a busy host takes nothing from other hosts, and a request that
/// has both never waits.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    limit: usize,
    all: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// A host and the requests that it bears.
#[derive(Debug)]
struct Host {
    name: String,
    permits: Arc<Semaphore>,
    limit: Mutex<AdaptiveLimit>,
    /// When it was first asked.
    known_since: Instant,
    /// Whether it has ever answered.
    has_answered: AtomicBool,
}

/// The right to one request; ends when dropped.
#[derive(Debug)]
pub struct Permit {
    in_flight: InFlight,
    of_host: Option<OwnedSemaphorePermit>,
    _of_all: OwnedSemaphorePermit,
}

/// A request in flight: reports how it went.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    host: Arc<Host>,
    epoch: u64,
}

impl ConcurrencyLimit {
    /// A limit of `limit` requests at once, at least one. A host gets as many as help.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limit,
            all: Arc::new(Semaphore::new(limit)),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a permit; `None` only if a semaphore was closed, which never happens.
    pub(super) async fn acquire(&self, host: &str) -> Option<Permit> {
        let host = self.host(host);
        let of_host = Arc::clone(&host.permits).acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        let epoch = host.limit().entered();
        Some(Permit {
            in_flight: InFlight { host, epoch },
            of_host: Some(of_host),
            _of_all: of_all,
        })
    }

    /// Whether this host has answered a request in this run: then it exists, whatever it does now.
    pub(super) fn has_answered(&self, host: &str) -> bool {
        self.host(host).has_answered.load(Ordering::Relaxed)
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let start = START.min(self.limit);
        let host = Arc::new(Host {
            name: name.to_owned(),
            permits: Arc::new(Semaphore::new(start)),
            limit: Mutex::new(AdaptiveLimit::new(start, self.limit)),
            known_since: Instant::now(),
            has_answered: AtomicBool::new(false),
        });
        hosts.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Permit {
    /// The request that this permits.
    pub(super) fn in_flight(&self) -> InFlight {
        self.in_flight.clone()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut limit = self.in_flight.host.limit();
        let keeps = limit.left();
        // Returned under the lock, before another request counts the free permits.
        match self.of_host.take() {
            Some(permit) if !keeps => permit.forget(),
            permit => drop(permit),
        }
    }
}

impl InFlight {
    /// The host answered, well or not.
    pub(super) fn answered(&self) {
        self.host.has_answered.store(true, Ordering::Relaxed);
    }

    /// The host answered well.
    pub(super) fn succeeded(&self) {
        let mut limit = self.host.limit();
        let change = limit.succeeded(self.epoch, self.host.known_since.elapsed());
        self.host.apply(&mut limit, change);
        drop(limit);
        if let Some(Change { to, reason, .. }) = change {
            tracing::debug!(host = self.host.name, limit = to, ?reason, "another limit");
        }
    }

    /// The host asked for fewer requests.
    pub(super) fn refused(&self, reason: &RequestFailure) {
        let mut limit = self.host.limit();
        let change = limit.refused(self.epoch);
        self.host.apply(&mut limit, change);
        drop(limit);
        let (host, Some(change)) = (&self.host.name, change) else {
            return;
        };
        let limit = change.to;
        // A host of constant strength is probed again and again: only the first time is news.
        if change.reason == Reason::Refused {
            tracing::info!(host, limit, %reason, "the host is busy: fewer requests at once");
        } else {
            tracing::debug!(host, limit, %reason, "fewer requests at once");
        }
    }
}

impl Host {
    fn limit(&self) -> MutexGuard<'_, AdaptiveLimit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out or takes back permits, under the lock of the limit.
    fn apply(&self, limit: &mut AdaptiveLimit, change: Option<Change>) {
        let Some(Change { from, to, .. }) = change else {
            return;
        };
        if to > from {
            self.permits.add_permits(limit.grant(to - from));
        } else {
            let taken = self.permits.forget_permits(from - to);
            limit.owe(from - to - taken);
        }
    }
}
