//! The `kube-api` source: a watch of our own pod, by Kubernetes' API.
//!
//! Sees each container by name: when it started, that it ended, with exit code and reason. It is the
//! only source that learns how main ended without any privilege and without a shared pid namespace,
//! and the only one that knows the pod's true name and manifest. It cannot see sooner than kubelet
//! reports (about a second), nor finer than a second, nor anything while the API is out of reach.
//!
//! The way of an answer: `access` finds the API server, the namespace and the pod's name, in flags,
//! `kubeconfig` or the service account, as a `way`; `client` sends requests there, by `tls` and with a
//! `credential`. `question` asks one thing, within a deadline: `lines` bounds what comes, `event` reads
//! it. `follow` keeps asking for ever, `view` turns a pod into events. Never here: who is main.
//! `selection` is the only caller. Needs list and watch on pods of the namespace.

#[cfg(feature = "kube-api")]
mod access;
#[cfg(feature = "kube-api")]
mod client;
#[cfg(feature = "kube-api")]
mod clock;
#[cfg(feature = "kube-api")]
mod credential;
#[cfg(feature = "kube-api")]
mod error;
#[cfg(feature = "kube-api")]
mod event;
#[cfg(feature = "kube-api")]
mod follow;
#[cfg(feature = "kube-api")]
mod kubeconfig;
#[cfg(feature = "kube-api")]
mod lines;
mod options;
#[cfg(feature = "kube-api")]
mod pod;
#[cfg(feature = "kube-api")]
mod question;
#[cfg(feature = "kube-api")]
mod source;
#[cfg(feature = "kube-api")]
mod status;
#[cfg(feature = "kube-api")]
mod tls;
#[cfg(feature = "kube-api")]
mod view;
#[cfg(feature = "kube-api")]
mod way;

#[cfg(feature = "kube-api")]
pub use error::{KubeError, SetupError};
#[cfg(feature = "kube-api")]
pub use kubeconfig::KubeconfigError;
pub use options::{ApiOptions, Secret};
#[cfg(feature = "kube-api")]
pub use source::KubeSource;
