//! A disk that fails when a test wants it: a file system in user space (FUSE) that serves a directory, and answers
//! single requests with an error.
//!
//! [`FaultyDisk::run`] mounts it in a mount namespace of its own and runs a scenario there. [`protocol`] is the
//! kernel's language, [`server`] its answers. Never here: what a test expects. Called by the tests of failing
//! disks.

mod protocol;
mod server;

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use self::server::Server;

/// The kernel's end of file systems in user space.
pub(crate) const DEVICE: &str = "/dev/fuse";

/// What a program does to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Looks up a name, or asks for size, times and mode.
    Look,
    /// Opens a file.
    Open,
    /// Creates a file.
    Create,
    /// Reads a file.
    Read,
    /// Writes a file.
    Write,
    /// Sets the size of a file.
    Resize,
    /// Waits until a file is stored (`fsync`).
    Sync,
    /// Closes a file.
    Close,
    /// Lists a directory.
    List,
    /// Makes a directory.
    MakeDirectory,
    /// Renames a file or directory.
    Rename,
    /// Removes a file or directory.
    Remove,
}

/// One request to the disk.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// Of what, by its path on the disk. The new path of what is renamed.
    pub path: &'a Path,
    /// For reading and writing: from which byte on.
    pub offset: u64,
}

/// A disk that fails.
#[derive(Debug)]
pub struct FaultyDisk;

impl FaultyDisk {
    /// Mounts a disk with the content of the directory `content` at `place`, where only `scenario` and its processes
    /// see it. `fault` gives the error number of a request that fails.
    ///
    /// # Panics
    /// If it cannot be mounted, or the scenario panics.
    pub fn run<T: Send>(
        content: &Path,
        place: &Path,
        fault: impl Fn(&Request<'_>) -> Option<i32> + Send + Sync,
        scenario: impl FnOnce() -> T + Send,
    ) -> T {
        let device = OpenOptions::new().read(true).write(true).open(DEVICE);
        let device = device.expect("the kernel has file systems in user space");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (device, is_over) = (&device, &is_over);
            let serving = scope.spawn(move || {
                let mut server = Server::new(content, &fault);
                server.serve(device, is_over).expect("the disk is served");
            });
            let played = scope.spawn(move || {
                mount_here(device, place).expect("the disk can be mounted");
                let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(scenario));
                let _ = unmount(place, UnmountFlags::DETACH);
                outcome
            });
            let outcome = played.join();
            is_over.store(true, Ordering::Relaxed);
            let served = serving.join();
            match outcome.flatten() {
                Ok(outcome) => {
                    served.expect("the disk was served to the end");
                    outcome
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

/// Mounts it for this thread and the processes that it starts.
fn mount_here(device: &File, place: &Path) -> io::Result<()> {
    // SAFETY: a new mount namespace changes no memory and no descriptor.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private)?;
    let options = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,allow_other",
        device.as_raw_fd()
    );
    let options = CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount("faulty", place, "fuse", flags, options.as_c_str())?)
}
