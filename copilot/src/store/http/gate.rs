//! The limit on requests in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hands out permits for requests, first come first served.
///
/// A permit lives as long as its response body. Nobody waits for a second permit while holding one,
/// hence no request can block another for good.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

/// The right to one request; ends when dropped.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Gate {
    /// A gate for `limit` requests at once, at least one.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Semaphore::new(
            limit.clamp(1, Semaphore::MAX_PERMITS),
        )))
    }

    /// Waits for a permit; `None` only if the gate was closed, which nobody does.
    pub(super) async fn enter(&self) -> Option<Permit> {
        Arc::clone(&self.0).acquire_owned().await.ok().map(Permit)
    }
}
