//! The `kube-api` source: a watch of our own pod through the Kubernetes API.
//!
//! Sees each container by name: its start, its end, the exit code and the reason. Needs list and watch
//! on pods of the namespace, but no capability and no shared pid namespace. It is the only source that
//! knows the pod's true name and manifest. Cannot see anything sooner than kubelet reports it (about a
//! second), nor finer than a second, nor while the API is unreachable.
//!
//! The path of an answer: `access` finds the API server, the namespace and the pod's name in flags, the
//! `kubeconfig` or the service account, as an `api_config`; `client` sends requests there, through `tls`
//! and with an `authorization` header. `query` makes one request within a deadline: `lines` bounds the
//! answer, `event` parses it. `follow` lists and watches for ever, `view` turns a pod into events. Never
//! here: who main is. Called by `selection` only.

#[cfg(feature = "kube-api")]
mod access;
#[cfg(feature = "kube-api")]
mod api_config;
#[cfg(feature = "kube-api")]
mod authorization;
#[cfg(feature = "kube-api")]
mod client;
#[cfg(feature = "kube-api")]
mod clock;

#[cfg(feature = "kube-api")]
mod error;
#[cfg(feature = "kube-api")]
mod event;
#[cfg(feature = "kube-api")]
mod follow;
#[cfg(all(feature = "kube-api", any(test, feature = "fuzzing")))]
pub(crate) mod fuzz;
#[cfg(feature = "kube-api")]
mod kubeconfig;
#[cfg(feature = "kube-api")]
mod lines;
mod options;
#[cfg(feature = "kube-api")]
mod pod;
#[cfg(feature = "kube-api")]
mod query;
#[cfg(feature = "kube-api")]
mod source;
#[cfg(feature = "kube-api")]
mod status;
#[cfg(feature = "kube-api")]
mod tls;
#[cfg(feature = "kube-api")]
mod view;

#[cfg(feature = "kube-api")]
pub use error::{InClusterError, KubeError, SetupError};
#[cfg(feature = "kube-api")]
pub use kubeconfig::KubeconfigError;
pub use options::{ApiOptions, Secret};
#[cfg(feature = "kube-api")]
pub use query::{RequestError, RequestErrorKind};
#[cfg(feature = "kube-api")]
pub use source::KubeSource;
