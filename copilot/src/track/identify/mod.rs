//! Who is main? Pure rules over what is known of the pod's containers. The first rule that matches counts.
//!
//! 1. `--main-container`: a name, or the beginning of a container id.
//! 2. Flyte's naming: a container called like the pod (the host name), or `primary`.
//! 3. The containers that mount our output directory. One that began before our downloader, or ended
//!    before a later one of them began, was not main.
//! 4. Elimination, if rule 3 cannot be evaluated: not us, not the sandbox, not known infrastructure.
//!
//! A container that ended before its mounts could be read, or while the runtime still made them, is
//! main only by elimination, and only if no other container is.
//!
//! Rules 3 and 4 may take an init container for main while main has not started. Kubelet runs init
//! containers one after the other, and the next container would show the error. So what these rules find
//! is never certain. Called by the tracker. Never here: events, I/O.

mod candidate;
mod rules;

pub use candidate::Candidate;
pub use rules::{Manifest, Rules, Why};

#[cfg(test)]
mod tests;
