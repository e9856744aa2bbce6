//! Mount evidence: a container's name, pod and volumes, as its mounts show them.
//!
//! [`evidence`] is pure: the text of a `mountinfo` in, [`MountEvidence`] out. [`read`] gets that text
//! from a process. Never here: which container is main, and cgroups. Called by `place`, `scan`,
//! `identify`, and the sources that report containers.

mod evidence;
mod read;

pub use evidence::{Mount, MountEvidence, Stage};
pub use read::evidence_of;
