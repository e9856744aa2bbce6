//! Pods of real containers: the test process plays kubelet and the container runtime, and `runc` makes the
//! containers.
//!
//! A [`Sandbox`] holds the pause container, which owns the pod's namespaces, and the files that kubelet keeps
//! for a pod; a [`Spec`] describes a container; a [`Container`] is one that runs. The pod's cgroup is below
//! `/copilot-test-…`, never below `/kubepods`, where a kubelet of this machine kills what it does not know.
//! The pod's network has only a loopback. All of it stops and vanishes when it is dropped. Never here: what
//! a test expects. Called by the fixtures and the tests.

mod cgroups;
mod layout;
mod network;
mod node;
mod running;
mod sandbox;
mod spec;

pub use cgroups::remove as remove_cgroups;
pub use layout::Layout;
pub use network::Network;
pub use node::NodeKind;
pub use running::Container;
pub use sandbox::{Pids, Sandbox, obstacle};
pub use spec::{Image, Spec};
