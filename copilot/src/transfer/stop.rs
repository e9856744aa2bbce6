//! When to stop: a token is cancelled, or a deadline passes.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time to look at what is in the store after a failure.
const FOR_A_LOOK: Duration = Duration::from_secs(30);

/// Why transfers ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// The token was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The deadline passed.
    #[error("the time allowed is over (--timeout)")]
    Deadline,
    /// SIGTERM came, and SIGKILL will follow.
    #[error(
        "kubelet stops this container and will kill it soon: the time since SIGTERM is nearly over (--timeout, which \
         should be the pod's terminationGracePeriodSeconds)"
    )]
    Terminating,
}

/// A cancellation token and a deadline, as one.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    token: CancellationToken,
    deadline: Option<Instant>,
    terminating: CancellationToken,
}

impl Stop {
    /// Stops when `token` is cancelled or at `deadline`.
    #[must_use]
    pub fn new(token: CancellationToken, deadline: Option<Instant>) -> Self {
        Self {
            token,
            deadline,
            terminating: CancellationToken::new(),
        }
    }

    /// Stops when the time allowed is over, or never without one.
    #[must_use]
    pub fn after(allowed: Option<Duration>) -> Self {
        Self::new(
            CancellationToken::new(),
            allowed.map(|allowed| Instant::now() + allowed),
        )
    }

    /// For a look at the store after a failure, whatever deadline the job had.
    #[must_use]
    pub fn for_a_look() -> Self {
        Self::after(Some(FOR_A_LOOK))
    }

    /// Waits until it is time to stop.
    pub async fn reached(&self) -> Stopped {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.token.cancelled() => Stopped::Cancelled,
            () = self.terminating.cancelled() => Stopped::Terminating,
            () = deadline => Stopped::Deadline,
        }
    }

    /// The outcome of `work`, unless it is time to stop first. Then the work is dropped.
    ///
    /// # Errors
    /// Why it stopped.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            stopped = self.reached() => Err(stopped),
            outcome = work => Ok(outcome),
        }
    }

    /// A stop for a part of the work: it stops with the whole, and can be cancelled alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            token: self.token.child_token(),
            deadline: self.deadline,
            terminating: self.terminating.clone(),
        }
    }

    /// Stops the work, and all children of this stop, since SIGKILL comes soon.
    pub fn terminate(&self) {
        self.terminating.cancel();
    }

    /// Stops the work, and all children of this stop.
    pub fn cancel(&self) {
        self.token.cancel();
    }
}
