//! The kinds of nodes on which tests run pods: the machine as it is, one with hundreds of mounts, and one
//! whose `/proc` is slow.
//!
//! The process with which a runtime makes a container has the node's mounts until it pivots into the
//! container's root. A machine with few mounts leaves that state soon; a node does not. Slow reads of `/proc`
//! meet that state on purpose.

use std::cell::Cell;
use std::panic;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::spec::Spec;
use crate::other_pods;

/// The longest delay of a read, in microseconds.
const DELAY_US: u32 = 8_000;

/// The kind of node on which the pods of a thread run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeKind {
    /// The machine as it is.
    #[default]
    Quiet,
    /// With hundreds of mounts.
    Mounts,
    /// With hundreds of mounts, and the sidecar reads each file of `/proc` some milliseconds later.
    SlowProc,
}

thread_local! {
    static HERE: Cell<NodeKind> = const { Cell::new(NodeKind::Quiet) };
}

impl NodeKind {
    /// The kind of node of this thread.
    #[must_use]
    pub fn here() -> Self {
        HERE.get()
    }

    /// Runs `scenario` on such a node, in a thread with a mount namespace of its own.
    ///
    /// # Panics
    ///
    /// If the scenario panics, or the mounts cannot be made.
    pub fn run(self, scenario: impl FnOnce() + Send) {
        let result = thread::scope(|scope| {
            let on_node = scope.spawn(|| {
                HERE.set(self);
                if self != Self::Quiet {
                    mount_hundreds().expect("a node's mounts can be made");
                }
                scenario();
            });
            on_node.join()
        });
        if let Err(panic) = result {
            panic::resume_unwind(panic);
        }
    }

    /// The sidecar on such a node.
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

/// Makes the mounts of other pods in a mount namespace of this thread. They vanish when the thread and its
/// processes end.
fn mount_hundreds() -> Result<()> {
    // SAFETY: a new mount namespace changes no memory and no descriptor.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.context("no mount namespace of our own")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).context("mounts cannot be private")?;
    other_pods::mount_all(Path::new("/mnt"))
}
