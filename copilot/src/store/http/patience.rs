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

#[cfg(test)]
mod tests {
    use object_store::client::HttpRequestBody;

    use super::*;

    fn patience(method: Method, target: &str) -> Patience {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://store{target}").parse().unwrap();
        Patience::new(&Network::default(), &request)
    }

    #[test]
    fn only_beginnings_and_completions_have_one_time_for_all_attempts() {
        for (method, target, limited) in [
            (Method::POST, "/b/k?uploads=", true),
            (Method::POST, "/b/k?uploadId=1", true),
            (Method::PUT, "/c/k?comp=blocklist", true),
            (Method::PUT, "/c/k?comp=block&blockid=1", false),
            (Method::PUT, "/b/k?partNumber=1&uploadId=1", false),
            (Method::PUT, "/b/k", false),
            (Method::GET, "/b?list-type=2", false),
            (Method::DELETE, "/b/k?uploadId=1", false),
        ] {
            let found = patience(method, target).left();
            assert_eq!(found.is_some(), limited, "{target}");
        }
    }

    #[test]
    fn what_attempts_and_pauses_take_is_gone() {
        let seconds = Duration::from_secs;
        let mut patience = patience(Method::POST, "/b/k?uploads=");
        assert_eq!(patience.silence(), seconds(30));
        patience.spend(seconds(30));
        patience.spend(seconds(10));
        assert_eq!(patience.silence(), seconds(20));
        assert_eq!(patience.left(), Some(seconds(20)));
        patience.spend(seconds(100));
        assert_eq!(patience.left(), Some(Duration::ZERO));
    }
}
