//! SIGTERM and SIGINT. We listen from the first line of `main`, so no signal is lost while settings are
//! read or a store is opened, and until the very end, so no signal ends an upload.
//!
//! The command decides what a signal means: it cancels a download, and tells a sidecar that main is over
//! or that the pod is being deleted.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// The signals that ask us to stop.
#[derive(Debug)]
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
    received: Option<Instant>,
}

impl Termination {
    /// Starts to listen. From now on the signals do not end the process by themselves. Needs a running
    /// tokio runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            received: None,
        })
    }

    /// Waits for the first signal; returns at once if one came before.
    pub async fn received(&mut self) {
        if self.received.is_some() {
            return;
        }
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        self.received = Some(Instant::now());
    }

    /// When the first signal was received; none as long as nobody has waited for one that came.
    #[must_use]
    pub fn received_at(&self) -> Option<Instant> {
        self.received
    }
}
