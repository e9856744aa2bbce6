//! Limits on the use of the network, each with the reason for its default. Callers: `command` chooses them,
//! `http` and `transfer` keep them.

use std::time::Duration;

/// Limits on connections, waits and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Requests in flight at once, over all stores, at most. Each host gets as many of them as help (`http`).
    /// 256: as many as other tools use.
    pub connections: usize,
    /// How long a connection may take to open. 5 s: long enough for a SYN that is repeated at 1 s and 3 s.
    pub connect_timeout: Duration,
    /// How long a request or body may make no progress at all. 30 s: stores answer large requests
    /// within a few. The whole has no limit, since it depends on the size.
    pub stall_timeout: Duration,
    /// How long the answer to a request that begins or completes an upload in parts may take, over all
    /// attempts. 60 s. An answer that has begun may take longer: S3 sends white space meanwhile.
    pub assembly_timeout: Duration,
    /// When a failed request is sent again.
    pub retry: Retry,
}

/// The retry budget of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included; but see `known_elapsed`.
    pub attempts: u32,
    /// Time after the first failure in which a new attempt may start.
    pub elapsed: Duration,
    /// The same while no connection could be made. 3 s: enough for a proxy container that starts
    /// beside us, short enough for a person who mistyped a host.
    pub connect_elapsed: Duration,
    /// For how long a host that has answered before is waited for when it falls silent, however many
    /// attempts that takes. 30 s: a restart or a failover.
    pub known_elapsed: Duration,
    /// The first wait is a random part of this; each further one is a part of twice the previous.
    pub base: Duration,
    /// The most that a wait is a part of.
    pub cap: Duration,
    /// The longest `Retry-After` that is honoured.
    pub retry_after: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            connections: 256,
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(30),
            assembly_timeout: Duration::from_mins(1),
            retry: Retry::default(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 10,
            elapsed: Duration::from_mins(2),
            connect_elapsed: Duration::from_secs(3),
            known_elapsed: Duration::from_secs(30),
            base: Duration::from_millis(100),
            cap: Duration::from_secs(10),
            retry_after: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// How long to wait after the `failed`-th failure in a row, counted from 1: a random part of a
    /// ceiling that doubles. Full jitter: many clients that failed together come back spread out.
    #[must_use]
    pub fn pause(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(20);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        ceiling.mul_f64(rand::random::<f64>())
    }
}
