//! What other processes may do to this one, and what this process may still do itself.
//!
//! [`close`] and [`run_no_program`] shut other processes out, [`arguments`] takes secrets off the command line. Once a watcher is
//! attached, [`give_up`] drops [`capabilities`], restricts writes ([`landlock`]) and system calls
//! ([`seccomp`]). Each of the three works without the others. Never here: what a job needs, which the caller
//! puts into [`Needs`], and which texts are secret. Callers: `main`, `command`, which also asks for `doctor` what
//! they will do ([`foretell`]); `track` brackets its looks into other processes ([`capabilities::looking`]). What it
//! is good for: `docs/security.md`.

pub mod arguments;
pub mod capabilities;
mod landlock;
mod process;
mod seccomp;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{info, warn};

pub use process::{close, run_no_program};

/// What a job still needs once its watcher is attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a need of its own")]
pub struct Needs {
    /// It looks into the `/proc` directories of other containers' processes, which the kernel allows only to
    /// a process with all capabilities of theirs (or `CAP_SYS_PTRACE`) and without Landlock.
    pub looks: bool,
    /// It reads and updates BPF maps, and attaches a loaded program again.
    pub bpf: bool,
    /// It takes leases on files of other users.
    pub leases: bool,
    /// It replaces and deletes files of other users in a shared directory.
    pub replaces: bool,
    /// Where it writes. `None`: not known, so Landlock stays off.
    pub writes: Option<Writes>,
}

/// The files and directories that a job writes. What does not exist is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Files that exist already.
    pub files: Vec<PathBuf>,
    /// Directories: everything below them.
    pub directories: Vec<PathBuf>,
}

/// How long to wait for threads that answer a lookup of names: capabilities belong to a thread.
const FOR_THREADS: Duration = Duration::from_secs(3);

/// The pause between two looks at the threads.
const PAUSE: Duration = Duration::from_millis(20);

/// Gives up what the job does not need. Each step logs one line: what is in force, or why not. A step that
/// fails changes nothing else: a sidecar that loses outputs because of its own restrictions is worse than
/// one without them.
pub async fn give_up(needs: &Needs) {
    await_single_thread().await;
    capabilities::give_up(needs).report();
    landlock::restrict(needs).report();
    seccomp::restrict(needs).report();
    // A change of credentials may make the process readable again.
    close();
}

/// What this process may do now, and what it will give up. For a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foretold {
    /// Capabilities now and later.
    pub capabilities: capabilities::HeldCapabilities,
    /// The version of the kernel's Landlock, if it has one.
    pub landlock_abi: Option<u32>,
    /// Why Landlock will not be in force; `None` if it will.
    pub landlock_obstacle: Option<String>,
}

/// What [`give_up`] will do. Changes nothing.
///
/// # Errors
/// The kernel does not tell the capabilities.
pub fn foretell(needs: &Needs) -> io::Result<Foretold> {
    Ok(Foretold {
        capabilities: capabilities::held(needs)?,
        landlock_abi: landlock::abi(),
        landlock_obstacle: landlock::obstacle(needs),
    })
}

/// The outcome of one step, for the log.
struct Step {
    /// What is restricted.
    name: &'static str,
    /// What is in force, or why nothing is.
    outcome: Result<String, String>,
}

impl Step {
    fn report(self) {
        match self.outcome {
            Ok(force) => info!(in_force = force, "{}", self.name),
            Err(reason) => info!(reason, "{}: not in force", self.name),
        }
    }
}

/// Waits until this thread is the only one: others keep their capabilities, and may outlive a step.
async fn await_single_thread() {
    let deadline = Instant::now() + FOR_THREADS;
    while let Some(count) = process::threads().filter(|count| *count > 1) {
        if Instant::now() >= deadline {
            warn!(
                count,
                "other threads of this process keep their capabilities and may write anywhere"
            );
            return;
        }
        sleep(PAUSE).await;
    }
}
