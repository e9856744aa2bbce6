//! Pods of a real kubelet and container runtime, as `cargo xtask kubelet` runs them.
//!
//! [`node`] is a machine's other self: a mount namespace with containerd, kubelet and what else a node
//! has. [`scenario`] says what a pod does, [`manifest`] writes it down for kubelet, [`play`] runs it,
//! [`judge`] holds what our sidecar did against what kubelet says. [`run`] is all of it, by options.
//! Never here: an answer that the product gives itself. Called by the program `kubelet`.

pub mod choice;
pub mod cluster;
pub mod evidence;
pub mod image;
pub mod judge;
pub mod load;
pub mod manifest;
pub mod node;
pub mod options;
pub mod play;
pub mod report;
pub mod run;
pub mod runtime;
pub mod scenario;
pub mod status;
pub mod table;
