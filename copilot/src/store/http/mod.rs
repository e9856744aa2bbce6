//! One HTTP client for every store, and the only place that sends a request again.
//!
//! [`Client`] is shared: connections, the limit on requests in flight, TLS roots. It is built by the
//! first request, so a sidecar that only waits does not pay for it. [`Service`] lends it to
//! `object_store` as a transport with our retries and timeouts. `ConcurrencyLimit` applies back-pressure:
//! every request holds a permit until its body is read, and a host that answers `SlowDown` gets fewer
//! permits (`adaptive`), for all transfers at once.
//!
//! Never here: what a store is, or what a reference means. Callers: `store::bucket`, `store::web`, and the
//! sources of credentials.

mod adaptive;
mod answer;
mod client;
mod concurrency;
mod failure;
mod lookup;
mod patience;
mod proxy;
mod redaction;
mod reply;
mod retry;
mod service;
mod stall;
mod tls;
mod transport;

pub use client::{AmbiguousAttempts, Answer, Authorize, Client, Unsigned};
pub(in crate::store) use failure::causes;
pub use failure::{FailureKind, RequestFailure};
pub use reply::Reply;
pub(in crate::store) use reply::clock_ahead;
pub use service::Service;
pub use tls::AuthoritiesError;
#[cfg(feature = "kube-api")]
pub(crate) use tls::public_roots;
