//! The limit on requests in flight: one for all stores, and one for each host, which yields where the
//! host asks for less.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;
use super::pressure::Pressure;

/// Hands out permits for requests, first come first served.
///
/// A permit lives as long as its response body. The host's comes before the one that all hosts
/// share: so whoever waits for a busy host takes nothing from the others, and whoever holds both
/// waits for nobody.
#[derive(Debug)]
pub struct Gate {
    limit: usize,
    all: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// A host and what it bears.
#[derive(Debug)]
struct Host {
    name: String,
    permits: Arc<Semaphore>,
    pressure: Mutex<Pressure>,
}

/// The right to one request; ends when dropped.
#[derive(Debug)]
pub struct Permit {
    visit: Visit,
    of_host: Option<OwnedSemaphorePermit>,
    _of_all: OwnedSemaphorePermit,
}

/// A request in flight, for whoever learns how it went.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    host: Arc<Host>,
    epoch: u64,
}

impl Gate {
    /// A gate for `limit` requests at once, at least one.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limit,
            all: Arc::new(Semaphore::new(limit)),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a permit; `None` only if the gate was closed, which nobody does.
    pub(super) async fn enter(&self, host: &str) -> Option<Permit> {
        let host = self.host(host);
        let of_host = Arc::clone(&host.permits).acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        let epoch = host.pressure().entered();
        Some(Permit {
            visit: Visit { host, epoch },
            of_host: Some(of_host),
            _of_all: of_all,
        })
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host {
            name: name.to_owned(),
            permits: Arc::new(Semaphore::new(self.limit)),
            pressure: Mutex::new(Pressure::new(self.limit)),
        });
        hosts.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Permit {
    /// The request that this permits.
    pub(super) fn visit(&self) -> Visit {
        self.visit.clone()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut pressure = self.visit.host.pressure();
        let keeps = pressure.left();
        // Given back before anybody else may count what is free.
        match self.of_host.take() {
            Some(permit) if !keeps => permit.forget(),
            permit => drop(permit),
        }
    }
}

impl Visit {
    /// The host did as it was asked.
    pub(super) fn succeeded(&self) {
        let mut pressure = self.host.pressure();
        let Some(raised) = pressure.succeeded() else {
            return;
        };
        if raised.permit {
            self.host.permits.add_permits(1);
        }
        drop(pressure);
        let (host, limit) = (&self.host.name, raised.to);
        if raised.is_full {
            tracing::info!(host, limit, "the host bears all requests again");
        } else {
            tracing::debug!(host, limit, "more requests at once");
        }
    }

    /// The host asked for less.
    pub(super) fn refused(&self, reason: &Failure) {
        let mut pressure = self.host.pressure();
        let Some(lowered) = pressure.refused(self.epoch) else {
            return;
        };
        let surplus = lowered.from - lowered.to;
        let taken = self.host.permits.forget_permits(surplus);
        pressure.owe(surplus - taken);
        drop(pressure);
        let (host, limit) = (&self.host.name, lowered.to);
        // A host of constant strength is probed again and again: once is news.
        if lowered.was_full {
            tracing::info!(host, limit, %reason, "the host is busy: fewer requests at once");
        } else {
            tracing::debug!(host, limit, %reason, "fewer requests at once");
        }
    }
}

impl Host {
    fn pressure(&self) -> MutexGuard<'_, Pressure> {
        self.pressure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
