//! A stand-in for Kubernetes' API server, for tests: where the tests run there is no cluster.
//!
//! It speaks list and watch of pods over HTTP as a real one does (versions, bookmarks, `410 Gone` in
//! both of its forms, error events, watches that end), for one pod whose text the test writes in
//! kubelet's place. It checks what a real one checks, the token and the field selector among them,
//! and it misbehaves as it is told. It knows nothing else of Kubernetes: no kubelet moves its pod,
//! no RBAC decides. What it shows of the client holds for a real server only as far as both agree.

mod history;
mod manifest;
mod server;

pub use history::{Asked, Mood};
pub use manifest::Manifest;
pub use server::{ApiServer, NAMESPACE, TOKEN};
