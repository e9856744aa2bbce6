//! Pods of a real kubelet and container runtime, as `cargo xtask kubelet` runs them.
//!
//! [`node`] is a mount namespace with containerd, kubelet and everything else that a node has.
//! [`scenario`] describes what a pod does, [`manifest`] writes its manifest, [`pod_run`] runs it, and
//! [`judge`] compares the sidecar's results with kubelet's. [`run`] does all of this, as the options say.
//! Expected results never come from the product itself. Called by the program `kubelet`.

pub mod choice;
pub mod cluster;
pub mod evidence;
pub mod image;
pub mod judge;
pub mod load;
pub mod manifest;
pub mod node;
pub mod options;
pub mod pod_run;
pub mod report;
pub mod run;
pub mod runtime;
pub mod scenario;
pub mod status;
pub mod table;
