//! A cgroup of the task's own, where we may make one: beneath our own cgroup2. It shows which processes are the
//! task's, whatever they do, and ends all of them. Elsewhere the process group has to do.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs::process::{MountInfo, Process};
use tracing::debug;

/// The task's container in it.
pub(super) const CONTAINER: &str = "main";

/// How often, and after which pause, a cgroup is removed again: its last process may still be on its way out.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// A cgroup with one below it, as a pod's with its container's.
#[derive(Debug)]
pub(super) struct TaskCgroup {
    directory: PathBuf,
}

impl TaskCgroup {
    /// Makes it. None where that is not allowed.
    pub(super) fn make() -> Option<Self> {
        match Self::try_make() {
            Ok(made) => Some(made),
            Err(error) => {
                debug!(%error, "no cgroup can be made here: the task runs in a process group only");
                None
            }
        }
    }

    fn try_make() -> io::Result<Self> {
        let above = own_directory()?;
        let name = format!(
            "copilot-run-{}-{:08x}",
            std::process::id(),
            rand::random::<u32>()
        );
        let made = Self {
            directory: above.join(name),
        };
        fs::create_dir(&made.directory)?;
        // From here on a drop removes it.
        fs::create_dir(made.container())?;
        Ok(made)
    }

    /// The outer one.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn container(&self) -> PathBuf {
        self.directory.join(CONTAINER)
    }

    /// The file that a process writes `0` to, to enter.
    pub(super) fn entrance(&self) -> io::Result<File> {
        let path = self.container().join("cgroup.procs");
        OpenOptions::new().write(true).open(path)
    }

    /// Kills all processes in it (Linux 5.14). Before that the process group has to do.
    pub(super) fn kill(&self) {
        if let Err(error) = fs::write(self.container().join("cgroup.kill"), "1") {
            debug!(%error, "the task's cgroup cannot be killed as a whole");
        }
    }

    /// Removes it, once its processes are gone.
    pub(super) async fn remove(self) {
        for _ in 0..ATTEMPTS {
            if self.try_remove().is_ok() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        debug!(directory = %self.directory.display(), "the task's cgroup stays: it still holds processes");
    }

    fn try_remove(&self) -> io::Result<()> {
        for directory in [self.container(), self.directory.clone()] {
            match fs::remove_dir(directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for TaskCgroup {
    fn drop(&mut self) {
        let _ = self.try_remove();
    }
}

/// The directory of our own cgroup in the cgroup2 hierarchy.
fn own_directory() -> io::Result<PathBuf> {
    let absent = || io::Error::new(io::ErrorKind::NotFound, "no cgroup2 hierarchy is mounted");
    let cgroups = fs::read_to_string("/proc/self/cgroup")?;
    let own = cgroups.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = own.ok_or_else(absent)?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let mut mounts = mounts
        .lines()
        .filter_map(|line| MountInfo::from_line(line).ok());
    // The tracker reads paths of whole hierarchies only.
    let mount = mounts.find(|mount| mount.fs_type == "cgroup2" && mount.root == "/");
    let directory = mount.ok_or_else(absent)?.mount_point.join(own);
    // It must really be ours: a mount of another cgroup namespace shows other paths.
    let myself = Process::myself().map_err(io::Error::other)?.pid.to_string();
    let processes = fs::read_to_string(directory.join("cgroup.procs"))?;
    if processes.lines().any(|line| line == myself) {
        return Ok(directory);
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "the mounted cgroup2 hierarchy does not show our own cgroup",
    ))
}
