//! Shows a startup probe that the watcher is attached.
//!
//! The sidecar gives its thread a name. `copilot ready`, which the probe runs in the same container, looks
//! in `/proc` for that name among the processes of its own container. So it works in a read-only, empty
//! image, and main cannot forge it: its processes are in another cgroup.

use std::{ffi::CStr, io};

use procfs::process::{Process, all_processes};

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

/// Whether a process of our own container shows that its watcher is attached. The probe's cgroups may
/// differ from the sidecar's in hierarchies that identify no container.
///
/// # Errors
///
/// `/proc` cannot be read.
pub fn is_announced() -> io::Result<bool> {
    let ours = Process::myself().map_err(io::Error::other)?;
    let own = MountEvidence::from_mountinfo(&process::read(&ours, "mountinfo")?);
    let processes = all_processes().map_err(io::Error::other)?;
    Ok(processes
        .filter_map(Result::ok)
        .filter(|process| process.pid() != ours.pid())
        .filter(|process| {
            process::read(process, "comm")
                .is_ok_and(|name| name.trim_end().as_bytes() == NAME.to_bytes())
        })
        .any(|process| visibility::are_of_one_container(&process, &own).unwrap_or(false)))
}
