//! From a reference (`s3://…`) to the bytes behind it: routing, credentials, container rules, limits,
//! and the one place that sends a failed request again (`http`).
//!
//! [`Stores`] opens, [`Object`] reads, writes and lists. Never here: how many transfers run at once,
//! where bytes land on disk, progress, or what a literal is. Callers: `transfer`, and through it the
//! commands.

mod azure;
mod bucket;
mod direct;
mod environment;
mod error;
mod google;
mod http;
mod listing;
mod network;
mod object;
mod reference;
mod s3;
mod stores;
mod web;

pub use environment::Environment;
pub use error::{Place, StoreError};
#[cfg(feature = "kube-api")]
pub(crate) use http::public_roots;
pub use listing::{Entry, Listing};
pub use network::{Network, Retry};
pub use object::{Body, Object, Part, Upload};
pub use reference::{Reference, ReferenceError};
pub use stores::{SCHEMES, Stores};
