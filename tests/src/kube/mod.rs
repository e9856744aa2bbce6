//! A stand-in for Kubernetes' API server, for tests without a cluster.
//!
//! It serves list and watch of pods over HTTP as a real server does (versions, bookmarks, `410 Gone` in both
//! of its forms, error events, watches that end), for one pod whose status the test writes in place of
//! kubelet. It checks the token and the field selector, and misbehaves as the test says. It has no kubelet and
//! no RBAC. A test with it proves something about a real server only where both agree.

mod history;
mod manifest;
mod server;

pub use history::{ApiRequest, Behaviour};
pub use manifest::Manifest;
pub use server::{ApiServer, NAMESPACE, TOKEN};
