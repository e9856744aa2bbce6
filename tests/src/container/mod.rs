//! Pods of real containers: `runc` makes them as kubelet and a container runtime would, the test
//! process plays both.
//!
//! A [`Sandbox`] holds the pause container, which owns the pod's namespaces, and what kubelet keeps
//! of a pod on the node; a [`Spec`] says what a container is; a [`Container`] is one that runs. The
//! pod's cgroup lies below `/copilot-test-…`, never below `/kubepods`, where a kubelet of the
//! machine would kill what it does not know. Its network is its own and has a loopback only.
//! Everything is stopped and removed on drop. Never here: what a test expects. Called by the tests.

mod cgroups;
mod layout;
mod network;
mod node;
mod running;
mod sandbox;
mod spec;

pub use layout::Layout;
pub use network::Network;
pub use node::Node;
pub use running::Container;
pub use sandbox::{Pids, Sandbox, obstacle};
pub use spec::{Image, Spec};
