//! From a reference (`s3://…`) to the bytes behind it: routing, credentials, container rules, limits,
//! and the one place that sends a failed request again (`http`).
//!
//! [`Stores`] opens an [`Object`], which reads, writes and lists through its `backend`: a bucket over HTTP,
//! a directory, memory, or the web. Never here: how many transfers run at once, where bytes land on
//! disk, progress, or what a literal is. Callers: `transfer`, and through it the jobs.

mod azure;
mod backend;
mod bucket;
mod code;
mod credentials;
mod directory;
mod environment;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod google;
mod http;
mod listing;
mod memory;
mod network;
mod object;
mod reading;
mod reference;
mod s3;
mod secret;
mod stores;
mod version;
mod web;

pub use backend::{Body, ListEntry, Part};
pub use environment::Environment;
pub use error::{Cause, Location, SettingError, StoreError, StoreService};
#[cfg(feature = "kube-api")]
pub(crate) use http::public_roots;
#[cfg(feature = "otlp")]
pub(crate) use http::{Answer, Client, RequestFailure, Unsigned};
pub use listing::{Listing, ListingAhead};
pub use network::{Network, Retry};
pub use object::{Object, Upload};
pub use reference::{Reference, ReferenceError, is_portable};
pub use stores::{SCHEMES, Stores};
pub use version::{SameVersion, Version};
