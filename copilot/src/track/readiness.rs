//! Shows a startup probe that the watcher is attached.
//!
//! The sidecar gives its thread a name. `copilot ready`, which the probe runs in the same container, looks
//! in `/proc` for that name among the processes of its own container. So it works in a read-only, empty
//! image, and main cannot forge it: its processes are in another cgroup.
//!
//! The probe answers with SIGURG, which does nothing to a process that does not listen. So the sidecar
//! learns that kubelet waits for it: main starts after it, and SIGTERM comes after main.

use std::{ffi::CStr, io};

use procfs::process::{Process, all_processes};
use rustix::process::{Pid, Signal as SignalNumber, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{mounts::MountEvidence, place::visibility, process};

/// The name of the sidecar's main thread once its watcher is attached. At most 15 bytes.
pub const NAME: &CStr = c"copilot-ready";

/// Shows that the watcher is attached.
///
/// # Errors
///
/// The kernel refuses the name.
pub fn announce() -> io::Result<()> {
    rustix::thread::set_name(NAME).map_err(io::Error::from)
}

/// The startup probes that have found us.
#[derive(Debug)]
pub struct Probes {
    signal: Signal,
}

impl Probes {
    /// Starts to listen. Needs a running tokio runtime.
    ///
    /// # Errors
    ///
    /// The kernel refuses the signal's handler.
    pub fn listen() -> io::Result<Self> {
        let kind = SignalKind::from_raw(SignalNumber::URG.as_raw());
        Ok(Self {
            signal: signal(kind)?,
        })
    }

    /// Waits for the next one.
    pub async fn come(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Whether a process of our own container shows that its watcher is attached. If so, tells that process
/// that a probe has found it. The probe's cgroups may differ from the sidecar's in hierarchies that identify
/// no container.
///
/// # Errors
///
/// `/proc` cannot be read.
pub fn probe() -> io::Result<bool> {
    let ours = Process::myself().map_err(io::Error::other)?;
    let own = MountEvidence::from_mountinfo(&process::read(&ours, "mountinfo")?);
    let processes = all_processes().map_err(io::Error::other)?;
    let found = processes
        .filter_map(Result::ok)
        .filter(|process| process.pid() != ours.pid())
        .filter(|process| {
            process::read(process, "comm")
                .is_ok_and(|name| name.trim_end().as_bytes() == NAME.to_bytes())
        })
        .find(|process| visibility::are_of_one_container(process, &own).unwrap_or(false));
    if let Some(pid) = found
        .as_ref()
        .and_then(|process| Pid::from_raw(process.pid()))
    {
        // A sidecar of another user works as before: it concludes from silence.
        let _ = kill_process(pid, SignalNumber::URG);
    }
    Ok(found.is_some())
}
