//! A pod made of real cgroups: a directory called as kubelet calls it, one below it for each
//! container. Never under `/kubepods`, where a kubelet of the machine would kill what it does not
//! know.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

/// Where the cgroup2 hierarchy is mounted.
#[must_use]
pub fn cgroup2_mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let fields: Vec<&str> = mount.split(' ').collect();
        let whole = kind.starts_with("cgroup2 ") && fields.get(3) == Some(&"/");
        whole.then(|| PathBuf::from(fields[4]))
    })
}

/// A pod's cgroup; whatever runs in it is killed and it is removed when dropped.
#[derive(Debug)]
pub struct Pod {
    root: PathBuf,
    directory: PathBuf,
}

impl Pod {
    /// Makes a pod without containers.
    pub fn create() -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mount = cgroup2_mount()
            .ok_or_else(|| io::Error::other("no cgroup2 hierarchy is mounted here"))?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = mount.join(format!("copilot-test-{}-{count}", std::process::id()));
        let directory = root.join(format!(
            "pod{:08x}-0000-4000-8000-{count:012x}",
            std::process::id()
        ));
        fs::create_dir_all(&directory)?;
        Ok(Self { root, directory })
    }

    /// The pod's own directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes a container's cgroup.
    pub fn container(&self, name: &str) -> io::Result<PathBuf> {
        let directory = self.directory.join(name);
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// A command whose process enters a container's cgroup before its program begins, as a
    /// container's first process does. Add the program's arguments.
    pub fn command(&self, container: &str, program: impl AsRef<Path>) -> io::Result<Command> {
        let directory = self.container(container)?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(r#"echo $$ > "$0/cgroup.procs" && exec "$@""#)
            .arg(directory)
            .arg(program.as_ref());
        Ok(command)
    }

    fn remove(&self) -> io::Result<()> {
        fs::write(self.root.join("cgroup.kill"), "1")?;
        for container in fs::read_dir(&self.directory)?.filter_map(Result::ok) {
            if container.path().is_dir() {
                remove_when_empty(&container.path())?;
            }
        }
        remove_when_empty(&self.directory)?;
        remove_when_empty(&self.root)
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{} could not be removed: {error}", self.root.display());
        }
    }
}

/// Killed processes leave their cgroup a moment later.
fn remove_when_empty(directory: &Path) -> io::Result<()> {
    let mut last = Ok(());
    for _ in 0..200 {
        last = fs::remove_dir(directory);
        if last.is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    last
}
