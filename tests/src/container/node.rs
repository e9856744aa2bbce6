//! What the pods of a test find on their node: nothing special, hundreds of mounts, or a `/proc` that
//! is slow to read.
//!
//! A runtime's process that makes a container has the node's mounts until it pivots into the
//! container's root. On a machine with few mounts that state is short, and tells less than the
//! container's own mounts; on a node it tells more. Slow readings meet such states on purpose.

use std::cell::Cell;
use std::panic;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::spec::Spec;
use crate::other_pods;

/// The longest delay of a reading.
const DELAY_US: u32 = 8_000;

/// What is said of the node on which the pods of this thread run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Node {
    /// The machine as it is.
    #[default]
    Quiet,
    /// With hundreds of mounts.
    Mounts,
    /// With hundreds of mounts, and each reading of `/proc` by the sidecar takes some milliseconds
    /// longer.
    SlowProc,
}

thread_local! {
    static HERE: Cell<Node> = const { Cell::new(Node::Quiet) };
}

impl Node {
    /// The node of this thread.
    #[must_use]
    pub fn here() -> Self {
        HERE.get()
    }

    /// Runs `scenario` on such a node, in a thread whose mounts nobody else sees.
    ///
    /// # Panics
    ///
    /// When the scenario does, or when the mounts cannot be made.
    pub fn play(self, scenario: impl FnOnce() + Send) {
        let played = thread::scope(|scope| {
            let on_node = scope.spawn(|| {
                HERE.set(self);
                if self != Self::Quiet {
                    mount_hundreds().expect("a node's mounts can be made");
                }
                scenario();
            });
            on_node.join()
        });
        if let Err(panic) = played {
            panic::resume_unwind(panic);
        }
    }

    /// The sidecar as it is on this node.
    #[must_use]
    pub fn slow_down(self, sidecar: Spec) -> Spec {
        match self {
            Self::Quiet | Self::Mounts => sidecar,
            Self::SlowProc => {
                sidecar.environment("COPILOT_TEST_PROC_DELAY_US", &DELAY_US.to_string())
            }
        }
    }
}

/// The mounts of other pods, in a mount namespace of this thread's own. They go with the thread and
/// what it started.
fn mount_hundreds() -> Result<()> {
    // SAFETY: a new mount namespace changes no memory and no descriptor.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.context("no mount namespace of our own")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).context("mounts cannot be private")?;
    other_pods::mount_all(Path::new("/mnt"))
}
