//! How long the answer to one request is waited for. Caller: `client`.
//!
//! Most requests may take as long as bytes move. A request that begins or completes an upload moves no bytes,
//! and a run would wait for all its attempts: so these have one time together. The wait for a permit does not
//! count, since nobody was asked yet.

use std::time::Duration;

use http::Method;
use object_store::client::HttpRequest;

use crate::store::network::Network;

/// The least silence that is waited for, so that an attempt is more than its own timeout.
const LEAST: Duration = Duration::from_millis(10);

/// The time that one request has left.
#[derive(Debug)]
pub(super) struct Patience {
    /// The longest silence.
    stall: Duration,
    /// Of all attempts together, if they have a limit.
    left: Option<Duration>,
}

impl Patience {
    pub(super) fn new(network: &Network, request: &HttpRequest) -> Self {
        Self {
            stall: network.stall_timeout,
            left: assembles(request).then_some(network.assembly_timeout),
        }
    }

    /// How long the next attempt may be silent.
    pub(super) fn silence(&self) -> Duration {
        let left = self.left.unwrap_or(Duration::MAX);
        self.stall.min(left).max(LEAST)
    }

    /// Takes off what an attempt or a pause took.
    pub(super) fn spend(&mut self, took: Duration) {
        self.left = self.left.map(|left| left.saturating_sub(took));
    }

    /// What all further attempts and pauses have together, if they have a limit.
    pub(super) fn left(&self) -> Option<Duration> {
        self.left
    }
}

/// Whether the store puts something together and answers when it has: the requests that begin and complete
/// an upload in parts (S3, Google), Azure's list of blocks, and those for tokens.
fn assembles(request: &HttpRequest) -> bool {
    let has = |part: &str| {
        let query = request.uri().query().unwrap_or_default();
        query.split('&').any(|found| found == part)
    };
    *request.method() == Method::POST || *request.method() == Method::PUT && has("comp=blocklist")
}
