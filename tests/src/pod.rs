//! A pod of real cgroups: a directory with the name that kubelet gives it, and one directory below for each
//! container. Never under `/kubepods`: a kubelet of this machine kills what it does not know there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

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

/// A pod's cgroup. When it is dropped, its processes are killed and it is removed.
#[derive(Debug)]
pub struct Pod {
    /// In each hierarchy: a directory that holds the pod's directory and nothing else.
    roots: Vec<PathBuf>,
    /// The pod's own, below each of these.
    directories: Vec<PathBuf>,
}

impl Pod {
    /// Makes a pod without containers in the cgroup2 hierarchy.
    pub fn create() -> io::Result<Self> {
        let mount = cgroup2_mount()
            .ok_or_else(|| io::Error::other("no cgroup2 hierarchy is mounted here"))?;
        Self::create_in(&[mount])
    }

    /// Makes a pod without containers in the hierarchies that are mounted at these places: in cgroup v1
    /// each controller has a hierarchy of its own.
    ///
    /// # Errors
    /// If `mounts` is empty, or a directory cannot be made.
    pub fn create_in(mounts: &[PathBuf]) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        if mounts.is_empty() {
            return Err(io::Error::other("no cgroup hierarchy is given"));
        }
        let below = |name: String| move |directory: &PathBuf| directory.join(&name);
        let root = below(format!("copilot-test-{process}-{count}"));
        let roots: Vec<PathBuf> = mounts.iter().map(root).collect();
        let directory = below(format!("pod{process:08x}-0000-4000-8000-{count:012x}"));
        let directories: Vec<PathBuf> = roots.iter().map(directory).collect();
        for directory in &directories {
            fs::create_dir_all(directory)?;
        }
        Ok(Self { roots, directories })
    }

    /// The pod's own directory, in the first hierarchy.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directories[0]
    }

    /// Makes a container's cgroup, and returns its directory in the first hierarchy.
    pub fn container(&self, name: &str) -> io::Result<PathBuf> {
        for directory in &self.directories {
            fs::create_dir_all(directory.join(name))?;
        }
        Ok(self.directory().join(name))
    }

    /// A command whose process enters a container's cgroup before its program begins, as a
    /// container's first process does. Add the program's arguments.
    pub fn command(&self, container: &str, program: impl AsRef<Path>) -> io::Result<Command> {
        self.container(container)?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(
                r#"while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit; shift; done
                shift; exec "$@""#,
            )
            .arg("enter")
            .args(self.directories.iter().map(|pod| pod.join(container)))
            .arg("--")
            .arg(program.as_ref());
        Ok(command)
    }

    fn remove(&self) -> io::Result<()> {
        for (root, directory) in self.roots.iter().zip(&self.directories) {
            let has_kill = root.join("cgroup.kill").exists();
            if has_kill {
                fs::write(root.join("cgroup.kill"), "1")?;
            }
            for container in fs::read_dir(directory)?.filter_map(Result::ok) {
                let container = container.path();
                if !container.is_dir() {
                    continue;
                }
                if !has_kill {
                    kill_all(&container)?;
                }
                remove_when_empty(&container)?;
            }
            remove_when_empty(directory)?;
            remove_when_empty(root)?;
        }
        Ok(())
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{self:?} could not be removed: {error}");
        }
    }
}

/// Does what `cgroup.kill` does, for cgroup v1 and for kernels before 5.14. A process that is killed may
/// just have started another one, so this repeats until the cgroup is empty.
fn kill_all(directory: &Path) -> io::Result<()> {
    loop {
        let processes = fs::read_to_string(directory.join("cgroup.procs"))?;
        if processes.is_empty() {
            return Ok(());
        }
        for pid in processes.lines().filter_map(|line| line.parse().ok()) {
            if let Some(pid) = Pid::from_raw(pid) {
                // It may have ended.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Removes a cgroup once its killed processes have left it.
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
