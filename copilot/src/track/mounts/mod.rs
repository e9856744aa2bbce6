//! What a container's mounts say of it: its name, its pod, its volumes.
//!
//! [`evidence`] is pure: the text of a `mountinfo` in, [`MountEvidence`] out. [`read`] gets that text
//! from a process. Never here: which container is main, and cgroups. Called by `place`, `scan`,
//! `identify`, and the sources that tell of containers.

mod evidence;
mod read;

pub use evidence::{Mount, MountEvidence, Stage};
pub use read::evidence_of;
