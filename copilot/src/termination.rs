//! SIGTERM and SIGINT: listened to from the first line of `main`, so that none is lost while
//! settings are read or a store is opened, and until the very end, so that none ends an upload.
//!
//! What a signal means is the command's decision: a download is cancelled, a sidecar learns that
//! main is over or that the pod is being deleted.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask us to stop.
#[derive(Debug)]
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
    received: bool,
}

impl Termination {
    /// Begins to listen. From here on the signals no longer end the process by themselves.
    /// Needs a running tokio runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            received: false,
        })
    }

    /// Waits for the first signal; at once if it has come before. Later ones change nothing.
    pub async fn received(&mut self) {
        if self.received {
            return;
        }
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        self.received = true;
    }
}
